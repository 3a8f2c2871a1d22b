//! `StringIO`: a stream of text in memory.
//!
//! While it is only written at its end the text is collected by a string builder; the first other access
//! spreads it into characters of four bytes.

use core::cell::{Cell, UnsafeCell};
use core::mem::size_of;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::base::{self, PyIOBase, TEXTIOBASE_TYPE};
use super::bytesio::{position_of, restore_dict};
use super::newline::{LineEnds, Newlines, check_newline};
use super::util::*;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, call, flags, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder, StrData};
use crate::types::tuple::PyTuple;
use crate::{native, raise};

enum Content {
    /// Only written so far, always at the end, which is the present position.
    Collected(StrBuilder),
    /// Characters that can be reached.
    Spread(TryVec<u32>),
}

/// A stream over text in memory.
#[repr(C)]
pub struct PyStringIO {
    base: PyIOBase,
    content: UnsafeCell<Content>,
    pos: Cell<usize>,
    ok: Cell<bool>,
    shut: Cell<bool>,
    /// Line ends are looked at, and perhaps translated, as text is written.
    universal: Cell<bool>,
    newlines: Newlines,
    /// What `\n` becomes when it is written, if anything.
    write_newline: Slot<PyStr>,
    /// The argument, for pickling.
    read_newline: Slot<PyStr>,
}
native!(PyStringIO, STRINGIO_TYPE);

/// `_io.StringIO`.
pub static STRINGIO_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.StringIO",
    basicsize: size_of::<PyStringIO>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&TEXTIOBASE_TYPE),
    doc: "StringIO(initial_value='', newline='\\n')\n--\n\nA stream of text in memory. The newline argument is that of TextIOWrapper, but None\ntranslates for reading only.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        iternext: Some(iternext),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("close", close, "close($self, /)\n--\n\nDrop the text; a second time does nothing."),
        MethodDef::no_args(
            "getvalue",
            |ts, this| stream(ts, this)?.value(ts).map(Ref::into_object),
            "getvalue($self, /)\n--\n\nThe whole text.",
        ),
        MethodDef::positional("read", read, "read($self, size=-1, /)\n--\n\nRead up to size characters, or all."),
        MethodDef::positional(
            "readline",
            readline,
            "readline($self, size=-1, /)\n--\n\nRead a line with its end, at most size characters of it.",
        ),
        MethodDef::no_args(
            "tell",
            |ts, this| size_object(ts, stream(ts, this)?.pos.get()),
            "tell($self, /)\n--\n\nThe present position.",
        ),
        MethodDef::positional(
            "truncate",
            truncate,
            "truncate($self, pos=None, /)\n--\n\nCut the text to that length, or to the present position.",
        ),
        MethodDef::positional(
            "seek",
            seek,
            "seek($self, pos, whence=0, /)\n--\n\nMove to a position, which is returned; only the start, the present place with 0 and the\nend with 0.",
        ),
        MethodDef::one("write", write, "write($self, s, /)\n--\n\nWrite the text; returns its length."),
        MethodDef::no_args("seekable", yes, "seekable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("readable", yes, "readable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("writable", yes, "writable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("__getstate__", getstate, ""),
        MethodDef::one("__setstate__", setstate, ""),
    ],
    getset: &[
        GetSetDef::get(
            "closed",
            |ts, this| {
                usable(ts, this)?;
                Ok(py_bool(this.cast::<PyStringIO>().shut.get()))
            },
            "Whether the stream is closed.",
        ),
        GetSetDef::get(
            "newlines",
            |ts, this| {
                let this = stream(ts, this)?;
                if this.universal.get() { this.newlines.seen(ts) } else { Ok(ts.none()) }
            },
            "The kinds of line ends that were written.",
        ),
        GetSetDef::get(
            "line_buffering",
            |ts, this| {
                stream(ts, this)?;
                Ok(py_bool(false))
            },
            "False.",
        ),
    ],
    ..TypeSpec::EMPTY
});

fn usable(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if !object.cast::<PyStringIO>().ok.get() {
        return raise!(ts, exc::ValueError, "I/O operation on uninitialized object");
    }
    Ok(())
}

/// The stream; ValueError when it is closed or was not initialized.
#[inline]
fn stream<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStringIO> {
    let this = object.cast::<PyStringIO>();
    if !this.ok.get() || this.shut.get() {
        usable(ts, object)?;
        return closed_error(ts, "I/O operation on closed file");
    }
    Ok(this)
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyStringIO>(ts, typ)?;
    // SAFETY: the object is new; the zeroed field is written before anyone reads it.
    unsafe { object.content.get().write(Content::Spread(TryVec::new())) };
    track(ts, object.as_object());
    Ok(object.into_object())
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<2> = Signature::new("StringIO", ["initial_value", "newline"], 0, 2, 0);
    let [value, newline] = SIGNATURE.parse(ts, args)?;
    let newline = match newline {
        None => Some(Ref::from_borrowed(PyStr::latin1_char(b'\n'))),
        Some(newline) => check_newline(ts, None, Some(newline))?,
    };
    let value = match value.filter(|value| !is_none(value)) {
        None => None,
        Some(value) => match value.downcast::<PyStr>() {
            Some(text) => Some(text),
            None => {
                return raise!(ts, exc::TypeError, "initial_value must be str or None, not {}", value.type_name());
            }
        },
    };
    let this = object.cast::<PyStringIO>();
    this.set_up(newline);
    if let Some(value) = value {
        this.write_text(ts, value)?;
        this.pos.set(0);
    }
    Ok(())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe {
        base::end_unfinalized(ts, object, |object| {
            let this = object.cast::<PyStringIO>();
            this.replace(Content::Spread(TryVec::new()));
            this.write_newline.set(None);
            this.read_newline.set(None);
        });
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    object.cast::<PyStringIO>().base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    object.cast::<PyStringIO>().base.clear();
}

impl PyStringIO {
    /// The content, for as long as nothing else is done with the object.
    #[allow(clippy::mut_from_ref, reason = "the content lies in a cell; see the safety comment")]
    #[inline(always)]
    fn content(&self) -> &mut Content {
        // SAFETY: the GIL is held, and no caller runs Python code or calls this again while it has the result.
        unsafe { &mut *self.content.get() }
    }

    fn replace(&self, content: Content) {
        drop(core::mem::replace(self.content(), content));
    }

    /// An empty stream with these line ends.
    fn set_up(&self, newline: Option<Ref<PyStr>>) {
        self.ok.set(false);
        self.base.closed.set(false);
        self.shut.set(false);
        self.pos.set(0);
        let universal = newline.as_ref().is_none_or(|newline| newline.is_empty());
        self.universal.set(universal);
        self.newlines.reset();
        self.newlines.translate.set(newline.is_none());
        self.write_newline
            .set(newline.clone().filter(|newline| newline.len() > 0 && newline.char_at(0) == u32::from(b'\r')));
        self.read_newline.set(newline);
        self.replace(Content::Collected(StrBuilder::new()));
        self.ok.set(true);
    }

    /// The characters; what was collected is spread first.
    #[allow(clippy::mut_from_ref, reason = "as for `content`")]
    fn spread(&self, ts: &ThreadState) -> PyResult<&mut TryVec<u32>> {
        if let Content::Collected(builder) = self.content() {
            let text = core::mem::take(builder).finish(ts)?;
            let mut characters = TryVec::new();
            push_characters(&mut characters, &text)?;
            self.replace(Content::Spread(characters));
        }
        match self.content() {
            Content::Spread(characters) => Ok(characters),
            Content::Collected(_) => unreachable!("the content was spread just now"),
        }
    }

    fn len(&self) -> usize {
        match self.content() {
            Content::Collected(builder) => builder.len(),
            Content::Spread(characters) => characters.len(),
        }
    }

    /// The whole text.
    fn value(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        match self.content() {
            Content::Collected(builder) => {
                // The text is wanted once as a rule; the builder goes on with it.
                let text = core::mem::take(builder).finish(ts)?;
                builder.push(&text)?;
                Ok(text)
            }
            Content::Spread(characters) => PyStr::from_ucs4(ts, characters),
        }
    }

    fn write_text(&self, ts: &ThreadState, text: &PyStr) -> PyResult<()> {
        let mut translated = Ref::from_borrowed(text);
        if self.universal.get() {
            translated = self.newlines.take(ts, translated, true)?;
        }
        if let Some(newline) = self.write_newline.get() {
            translated = translated.replace(ts, PyStr::latin1_char(b'\n'), &newline, usize::MAX)?;
        }
        let pos = self.pos.get();
        let len = translated.len();
        if len == 0 {
            return Ok(());
        }
        let Some(end) = pos.checked_add(len).filter(|end| *end <= isize::MAX as usize) else {
            return raise!(ts, exc::OverflowError, "new position too large");
        };
        if let Content::Collected(builder) = self.content()
            && builder.len() == pos
        {
            builder.push(&translated)?;
            self.pos.set(end);
            return Ok(());
        }
        let characters = self.spread(ts)?;
        if pos > characters.len() {
            characters.try_resize(pos, 0)?;
        }
        if pos == characters.len() {
            push_characters(characters, &translated)?;
        } else {
            if end > characters.len() {
                characters.try_resize(end, 0)?;
            }
            for (place, ch) in characters[pos..end].iter_mut().zip(translated.chars()) {
                *place = ch;
            }
        }
        self.pos.set(end);
        Ok(())
    }

    /// Takes `count` characters from the present position on.
    fn take(&self, ts: &ThreadState, count: usize) -> PyResult<Ref<PyStr>> {
        if count == 0 {
            return Ok(PyStr::empty());
        }
        let pos = self.pos.get();
        let text = PyStr::from_ucs4(ts, &self.spread(ts)?[pos..pos + count])?;
        self.pos.set(pos + count);
        Ok(text)
    }

    fn line(&self, ts: &ThreadState, limit: isize) -> PyResult<Ref<PyStr>> {
        let pos = self.pos.get();
        let left = self.len().saturating_sub(pos);
        let limit = usize::try_from(limit).map_or(left, |limit| limit.min(left));
        if limit == 0 {
            return Ok(PyStr::empty());
        }
        let ends = self.line_ends();
        let characters = &self.spread(ts)?[pos..pos + left];
        let count = line_length(characters, ends).min(limit);
        self.take(ts, count)
    }

    fn line_ends(&self) -> LineEnds {
        if self.newlines.translate.get() {
            return LineEnds::Lf;
        }
        if self.universal.get() {
            return LineEnds::Universal;
        }
        match self.write_newline.get() {
            None => LineEnds::Lf,
            Some(newline) if newline.len() == 2 => LineEnds::CrLf,
            Some(_) => LineEnds::Cr,
        }
    }
}

fn push_characters(to: &mut TryVec<u32>, text: &PyStr) -> PyResult<()> {
    to.try_reserve(text.len())?;
    match text.data() {
        StrData::Ascii(units) | StrData::Latin1(units) => {
            for unit in units {
                to.push_reserved(u32::from(*unit));
            }
        }
        StrData::Ucs2(units) => {
            for unit in units {
                to.push_reserved(u32::from(*unit));
            }
        }
        StrData::Ucs4(units) => to.try_extend_from_copy(units)?,
    }
    Ok(())
}

/// The length of the first line, with its end if it has one.
fn line_length(characters: &[u32], ends: LineEnds) -> usize {
    const CR: u32 = b'\r' as u32;
    const LF: u32 = b'\n' as u32;
    let found = match ends {
        LineEnds::Lf => characters.iter().position(|ch| *ch == LF).map(|at| at + 1),
        LineEnds::Cr => characters.iter().position(|ch| *ch == CR).map(|at| at + 1),
        LineEnds::CrLf => characters.windows(2).position(|pair| pair == [CR, LF]).map(|at| at + 2),
        LineEnds::Universal => characters.iter().position(|ch| *ch == CR || *ch == LF).map(|at| {
            let both = characters[at] == CR && characters.get(at + 1) == Some(&LF);
            at + if both { 2 } else { 1 }
        }),
    };
    found.unwrap_or(characters.len())
}

fn yes(ts: &ThreadState, object: &PyObject) -> PyResult {
    stream(ts, object)?;
    Ok(py_bool(true))
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyStringIO>();
    this.shut.set(true);
    this.replace(Content::Spread(TryVec::new()));
    this.base.closed.set(true);
    Ok(ts.none())
}

fn read(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let size = optional_size(ts, args.first().copied())?;
    let this = stream(ts, object)?;
    let left = this.len().saturating_sub(this.pos.get());
    let count = usize::try_from(size).map_or(left, |size| size.min(left));
    if this.pos.get() == 0 && count == this.len() {
        // The whole text needs no spreading.
        let text = this.value(ts)?;
        this.pos.set(count);
        return Ok(text.into_object());
    }
    this.take(ts, count).map(Ref::into_object)
}

fn readline(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readline", args.len(), 0, 1)?;
    let limit = optional_size(ts, args.first().copied())?;
    stream(ts, object)?.line(ts, limit).map(Ref::into_object)
}

fn iternext(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = stream(ts, object)?;
    let line = if is_exactly(object, &STRINGIO_TYPE) {
        this.line(ts, -1)?.into_object()
    } else {
        let line = call::call_method(ts, object, crate::id!(readline), &[])?;
        if !line.is_a::<PyStr>() {
            return raise!(
                ts,
                exc::OSError,
                "readline() should have returned an str object, not '{}'",
                line.type_name()
            );
        }
        line
    };
    Ok(Some(line).filter(|line| !line.cast::<PyStr>().is_empty()))
}

fn truncate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "truncate", args.len(), 0, 1)?;
    let this = stream(ts, object)?;
    let size = match args.first().filter(|size| !is_none(size)) {
        None => this.pos.get(),
        Some(size) => {
            let size = protocol::as_isize(ts, size)?;
            match usize::try_from(size) {
                Ok(size) => size,
                Err(_) => return raise!(ts, exc::ValueError, "Negative size value {size}"),
            }
        }
    };
    let this = stream(ts, object)?;
    if size < this.len() {
        this.spread(ts)?.truncate(size);
    }
    size_object(ts, size)
}

fn seek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let pos = protocol::as_isize(ts, args[0])?;
    let whence = whence_of(ts, args.get(1).copied())?;
    let this = stream(ts, object)?;
    if !(0..=2).contains(&whence) {
        return raise!(ts, exc::ValueError, "Invalid whence ({whence}, should be 0, 1 or 2)");
    }
    if pos < 0 && whence == 0 {
        return raise!(ts, exc::ValueError, "Negative seek position {pos}");
    }
    if whence != 0 && pos != 0 {
        return raise!(ts, exc::OSError, "Can't do nonzero cur-relative seeks");
    }
    this.pos.set(match whence {
        0 => pos as usize,
        1 => this.pos.get(),
        _ => this.len(),
    });
    size_object(ts, this.pos.get())
}

fn write(ts: &ThreadState, object: &PyObject, text: &PyObject) -> PyResult {
    usable(ts, object)?;
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "string argument expected, got '{}'", text.type_name());
    };
    stream(ts, object)?.write_text(ts, text)?;
    size_object(ts, text.len())
}

fn getstate(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = stream(ts, object)?;
    let value = this.value(ts)?.into_object();
    let newline = this.read_newline.get().map_or_else(|| ts.none(), Ref::into_object);
    let pos = PyInt::from_usize(ts, this.pos.get())?;
    let dict = match this.base.dict() {
        None => ts.none(),
        Some(dict) => dict.copy(ts)?.into_object(),
    };
    Ok(PyTuple::from_array(ts, [value, newline, pos, dict])?.into_object())
}

fn setstate(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    if object.cast::<PyStringIO>().shut.get() {
        return closed_error(ts, "I/O operation on closed file");
    }
    let Some(parts) = state.downcast::<PyTuple>().filter(|state| state.len() >= 4) else {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__setstate__ argument should be 4-tuple, got {}",
            object.ob_type().full_name(),
            state.type_name()
        );
    };
    let [value, newline, pos, dict] = [parts.items()[0], parts.items()[1], parts.items()[2], parts.items()[3]];
    let newline = check_newline(ts, None, Some(newline))?;
    let text = match value.downcast::<PyStr>() {
        Some(text) => Ref::from_borrowed(text),
        None if is_none(value) => PyStr::empty(),
        None => return raise!(ts, exc::TypeError, "initial_value must be str or None, not {}", value.type_name()),
    };
    let this = object.cast::<PyStringIO>();
    this.set_up(newline);
    // The text as it is: its line ends have been translated before.
    if let Content::Collected(builder) = this.content() {
        builder.push(&text)?;
    }
    if !pos.is_a::<PyInt>() {
        return raise!(ts, exc::TypeError, "third item of state must be an integer, got {}", pos.type_name());
    }
    this.pos.set(position_of(ts, pos)?);
    if !is_none(dict) && !dict.is_a::<crate::types::dict::PyDict>() {
        return raise!(ts, exc::TypeError, "fourth item of state should be a dict, got a {}", dict.type_name());
    }
    restore_dict(ts, object, dict)?;
    Ok(ts.none())
}
