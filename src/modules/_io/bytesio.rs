//! `BytesIO`: a binary stream in memory.
//!
//! The content is the beginning of a bytes object, so that `BytesIO(data)` and `getvalue()` copy nothing:
//! the object is copied when it has to be written to while someone else has it too.
//!
//! I1: `size` is at most the length of `content`.
//! I2: while `exports` is not zero the content's object is this stream's alone and is not replaced.

use core::cell::Cell;
use core::mem::size_of;
use core::ops::ControlFlow;

use super::base::{self, BUFFEREDIOBASE_TYPE, PyIOBase, copy_into};
use super::buffered::find_newline;
use super::util::*;
use crate::object::buffer::PyBuffer;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::{is_none, none};
use crate::types::tuple::PyTuple;
use crate::{native, raise};

/// A stream over bytes in memory.
#[repr(C)]
pub struct PyBytesIO {
    base: PyIOBase,
    /// None when closed.
    content: Slot<PyBytes>,
    size: Cell<usize>,
    pos: Cell<usize>,
    /// How many buffers are given out.
    exports: Cell<usize>,
}
native!(PyBytesIO, BYTESIO_TYPE);

/// `_io.BytesIO`.
pub static BYTESIO_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.BytesIO",
    basicsize: size_of::<PyBytesIO>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&BUFFEREDIOBASE_TYPE),
    doc: "BytesIO(initial_bytes=b'')\n--\n\nA binary stream in memory.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(iternext),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("readable", yes, "readable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("seekable", yes, "seekable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("writable", yes, "writable($self, /)\n--\n\nTrue, while the stream is open."),
        MethodDef::no_args("close", close, "close($self, /)\n--\n\nDrop the content; a second time does nothing."),
        MethodDef::no_args(
            "flush",
            |ts, this| stream(this).open(ts).map(|_| ts.none()),
            "flush($self, /)\n--\n\nNothing: there is nothing to write to.",
        ),
        MethodDef::no_args(
            "isatty",
            |ts, this| stream(this).open(ts).map(|_| py_bool(false)),
            "isatty($self, /)\n--\n\nFalse.",
        ),
        MethodDef::no_args(
            "tell",
            |ts, this| {
                stream(this).open(ts)?;
                size_object(ts, stream(this).pos.get())
            },
            "tell($self, /)\n--\n\nThe present position.",
        ),
        MethodDef::one("write", write, "write($self, b, /)\n--\n\nWrite the bytes; returns how many."),
        MethodDef::one(
            "writelines",
            writelines,
            "writelines($self, lines, /)\n--\n\nWrite each of the bytes-like objects.",
        ),
        MethodDef::positional(
            "read1",
            |ts, this, args| read(ts, this, args, "read1"),
            "read1($self, size=-1, /)\n--\n\nRead up to size bytes, or all.",
        ),
        MethodDef::one(
            "readinto",
            readinto,
            "readinto($self, buffer, /)\n--\n\nRead into the buffer; returns how many bytes.",
        ),
        MethodDef::positional(
            "readline",
            readline,
            "readline($self, size=-1, /)\n--\n\nRead a line with its end, at most size bytes of it.",
        ),
        MethodDef::positional(
            "readlines",
            readlines,
            "readlines($self, size=None, /)\n--\n\nRead lines into a list, until their lengths together reach size.",
        ),
        MethodDef::positional(
            "read",
            |ts, this, args| read(ts, this, args, "read"),
            "read($self, size=-1, /)\n--\n\nRead up to size bytes, or all.",
        ),
        MethodDef::no_args(
            "getbuffer",
            getbuffer,
            "getbuffer($self, /)\n--\n\nA view of the content, through which it can be changed.",
        ),
        MethodDef::no_args("getvalue", getvalue, "getvalue($self, /)\n--\n\nThe whole content."),
        MethodDef::positional(
            "seek",
            seek,
            "seek($self, pos, whence=0, /)\n--\n\nMove to a position, which is returned.",
        ),
        MethodDef::positional(
            "truncate",
            truncate,
            "truncate($self, size=None, /)\n--\n\nCut the content to that size, or to the present position.",
        ),
        MethodDef::no_args("__getstate__", getstate, ""),
        MethodDef::one("__setstate__", setstate, ""),
        MethodDef::no_args(
            "__sizeof__",
            sizeof,
            "__sizeof__($self, /)\n--\n\nThe size in memory with the content, in bytes.",
        ),
    ],
    getset: &[GetSetDef::get(
        "closed",
        |_, this| Ok(py_bool(!stream(this).content.is_some())),
        "Whether the stream is closed.",
    )],
    ..TypeSpec::EMPTY
});

/// What `getbuffer` makes a view of.
#[repr(C)]
pub struct PyBytesIOBuffer {
    ob_base: PyObject,
    source: Slot<PyBytesIO>,
}
native!(PyBytesIOBuffer, BYTESIO_BUFFER_TYPE);
crate::types::owned::owns!(PyBytesIOBuffer: source);

/// `_io._BytesIOBuffer`.
pub static BYTESIO_BUFFER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io._BytesIOBuffer",
    basicsize: size_of::<PyBytesIOBuffer>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyBytesIOBuffer::slot_dealloc),
        traverse: Some(PyBytesIOBuffer::slot_traverse),
        clear: Some(PyBytesIOBuffer::slot_clear),
        bf_getbuffer: Some(export),
        bf_releasebuffer: Some(release),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

#[inline(always)]
fn stream(object: &PyObject) -> &PyBytesIO {
    object.cast()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyBytesIO>(ts, typ)?;
    object.content.set(Some(PyBytes::empty()));
    track(ts, object.as_object());
    Ok(object.into_object())
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<1> = Signature::new("BytesIO", ["initial_bytes"], 0, 1, 0);
    let [initial] = SIGNATURE.parse(ts, args)?;
    let this = stream(object);
    this.check_exports(ts)?;
    this.content.set(Some(PyBytes::empty()));
    this.size.set(0);
    this.pos.set(0);
    let Some(initial) = initial.filter(|initial| !is_none(initial)) else { return Ok(()) };
    if let Some(bytes) = initial.downcast_exact::<PyBytes>() {
        this.content.set(Some(Ref::from_borrowed(bytes)));
        this.size.set(bytes.len());
        return Ok(());
    }
    let data = crate::types::bytes::shared::bytes_like(ts, initial)?;
    this.write_bytes(ts, &data)?;
    this.pos.set(0);
    Ok(())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe {
        base::end_unfinalized(ts, object, |object| {
            if stream(object).exports.get() > 0 {
                let message = "deallocated BytesIO object has exported buffers";
                let raised = ts.raise_fmt(&exc::SystemError, format_args!("{message}"));
                exc::write_unraisable(ts, raised, None, none());
            }
            stream(object).content.set(None);
        });
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    stream(object).base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    stream(object).base.clear();
    if stream(object).exports.get() == 0 {
        stream(object).content.set(None);
    }
}

impl PyBytesIO {
    /// The content; ValueError when the stream is closed.
    #[inline]
    fn open(&self, ts: &ThreadState) -> PyResult<Ref<PyBytes>> {
        match self.content.get() {
            Some(content) => Ok(content),
            None => closed_error(ts, "I/O operation on closed file."),
        }
    }

    fn check_exports(&self, ts: &ThreadState) -> PyResult<()> {
        if self.exports.get() > 0 {
            return raise!(ts, exc::BufferError, "Existing exports of data: object cannot be re-sized");
        }
        Ok(())
    }

    /// Makes the content this stream's alone, in an object of `capacity` bytes, which is at least `size`.
    fn own(&self, ts: &ThreadState, capacity: usize) -> PyResult<()> {
        self.open(ts)?;
        let size = self.size.get();
        let capacity = capacity.max(size).max(2);
        let Some(content) = self.content.take() else { return Ok(()) };
        if content.as_object().is_unique() && content.is_exact() && content.len() >= 2 {
            if content.len() == capacity {
                self.content.set(Some(content));
                return Ok(());
            }
            // On failure the content is lost with the object: the stream is empty then.
            // SAFETY: exact, not a static (those are never unique), and nobody else's.
            match unsafe { PyBytes::resize(ts, content, capacity) } {
                Ok(content) => self.content.set(Some(content)),
                Err(raised) => {
                    self.content.set(Some(PyBytes::empty()));
                    self.size.set(0);
                    return Err(raised);
                }
            }
            return Ok(());
        }
        // SAFETY: what is not copied here is written before it can be read: `size` says how much is valid.
        let made = match unsafe { PyBytes::uninit(ts, capacity) } {
            Ok(made) => made,
            Err(raised) => {
                self.content.set(Some(content));
                return Err(raised);
            }
        };
        // SAFETY: both have so many bytes (I1).
        unsafe { core::ptr::copy_nonoverlapping(content.as_slice().as_ptr(), made.data_ptr(), size) };
        self.content.set(Some(made));
        Ok(())
    }

    /// Whether the content can be written to in place.
    fn is_own(&self) -> bool {
        // SAFETY: the look runs nothing.
        unsafe { self.content.borrow() }.is_some_and(|content| content.as_object().is_unique() && content.len() >= 2)
    }

    /// Where the content begins, for writing.
    fn data(&self) -> *mut u8 {
        // SAFETY: the pointer stays good as long as the object, which its user sees to.
        unsafe { self.content.borrow() }.map_or(core::ptr::null_mut(), PyBytes::data_ptr)
    }

    /// Makes room for `size` bytes in all, with some to spare.
    fn make_room(&self, ts: &ThreadState, size: usize) -> PyResult<()> {
        // SAFETY: the length is read, nothing else.
        let capacity = unsafe { self.content.borrow() }.map_or(0, PyBytes::len);
        if size <= capacity && self.is_own() {
            return Ok(());
        }
        let wanted = if size <= capacity {
            capacity
        } else if size < capacity + capacity / 8 {
            size + (size >> 3) + if size < 9 { 3 } else { 6 }
        } else {
            size
        };
        self.own(ts, wanted)
    }

    fn write_bytes(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<usize> {
        self.open(ts)?;
        self.check_exports(ts)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let (pos, size) = (self.pos.get(), self.size.get());
        let Some(end) = pos.checked_add(bytes.len()).filter(|end| *end <= isize::MAX as usize) else {
            return raise!(ts, exc::OverflowError, "new position too large");
        };
        self.make_room(ts, end)?;
        let data = self.data();
        // SAFETY: there is room for `end` bytes, and the object is this stream's alone, so that the source is elsewhere.
        unsafe {
            if pos > size {
                core::ptr::write_bytes(data.add(size), 0, pos - size);
            }
            core::ptr::copy(bytes.as_ptr(), data.add(pos), bytes.len());
        }
        self.pos.set(end);
        self.size.set(size.max(end));
        Ok(bytes.len())
    }

    /// Takes `count` bytes from the present position on.
    fn take(&self, ts: &ThreadState, count: usize) -> PyResult<Ref<PyBytes>> {
        let content = self.open(ts)?;
        let pos = self.pos.get();
        if count == 0 {
            return Ok(PyBytes::empty());
        }
        self.pos.set(pos + count);
        if pos == 0
            && count == content.len()
            && count == self.size.get()
            && content.is_exact()
            && self.exports.get() == 0
        {
            return Ok(content);
        }
        PyBytes::new(ts, &content.as_slice()[pos..pos + count])
    }

    /// How many bytes are left.
    fn left(&self) -> usize {
        self.size.get().saturating_sub(self.pos.get())
    }

    /// The length of the next line, with its end.
    fn line_length(&self, ts: &ThreadState, limit: isize) -> PyResult<usize> {
        let content = self.open(ts)?;
        let mut left = self.left();
        if let Ok(limit) = usize::try_from(limit) {
            left = left.min(limit);
        }
        if left == 0 {
            return Ok(0);
        }
        let pos = self.pos.get();
        Ok(find_newline(&content.as_slice()[pos..pos + left]).map_or(left, |at| at + 1))
    }
}

fn yes(ts: &ThreadState, object: &PyObject) -> PyResult {
    stream(object).open(ts)?;
    Ok(py_bool(true))
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    stream(object).check_exports(ts)?;
    stream(object).content.set(None);
    Ok(ts.none())
}

fn write(ts: &ThreadState, object: &PyObject, data: &PyObject) -> PyResult {
    let this = stream(object);
    this.open(ts)?;
    this.check_exports(ts)?;
    let data = crate::types::bytes::shared::bytes_like(ts, data)?;
    let count = this.write_bytes(ts, &data)?;
    size_object(ts, count)
}

fn writelines(ts: &ThreadState, object: &PyObject, lines: &PyObject) -> PyResult {
    stream(object).open(ts)?;
    let iterator = protocol::iter(ts, lines)?;
    while let Some(line) = protocol::next(ts, &iterator)? {
        let data = crate::types::bytes::shared::bytes_like(ts, &line)?;
        stream(object).write_bytes(ts, &data)?;
    }
    Ok(ts.none())
}

fn read(ts: &ThreadState, object: &PyObject, args: &[&PyObject], name: &str) -> PyResult {
    call::check_count(ts, name, args.len(), 0, 1)?;
    let size = optional_size(ts, args.first().copied())?;
    let this = stream(object);
    this.open(ts)?;
    let left = this.left();
    let count = usize::try_from(size).map_or(left, |size| size.min(left));
    this.take(ts, count).map(Ref::into_object)
}

fn readinto(ts: &ThreadState, object: &PyObject, target: &PyObject) -> PyResult {
    let view = readinto_buffer(ts, "readinto() argument", target)?;
    let this = stream(object);
    let content = this.open(ts)?;
    let count = this.left().min(view.view().len as usize);
    if count > 0 {
        let pos = this.pos.get();
        copy_into(&view, 0, &content.as_slice()[pos..pos + count]);
        this.pos.set(pos + count);
    }
    size_object(ts, count)
}

fn readline(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readline", args.len(), 0, 1)?;
    let limit = optional_size(ts, args.first().copied())?;
    let this = stream(object);
    let count = this.line_length(ts, limit)?;
    this.take(ts, count).map(Ref::into_object)
}

fn readlines(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readlines", args.len(), 0, 1)?;
    let most = match args.first().filter(|size| !is_none(size)) {
        None => 0,
        Some(size) if protocol::is_index(size) => protocol::as_isize(ts, size)?,
        Some(size) => {
            return raise!(ts, exc::TypeError, "integer argument expected, got '{}'", size.type_name());
        }
    };
    let this = stream(object);
    this.open(ts)?;
    let lines = PyList::new(ts)?;
    let mut total = 0;
    loop {
        let count = this.line_length(ts, -1)?;
        if count == 0 {
            break;
        }
        let line = this.take(ts, count)?;
        lines.append(ts, line.into_object())?;
        total += count;
        if most > 0 && total >= most as usize {
            break;
        }
    }
    Ok(lines.into_object())
}

fn iternext(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = stream(object);
    let count = this.line_length(ts, -1)?;
    if count == 0 {
        return Ok(None);
    }
    this.take(ts, count).map(|line| Some(line.into_object()))
}

fn getvalue(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = stream(object);
    let content = this.open(ts)?;
    let size = this.size.get();
    if size == content.len() && content.is_exact() && this.exports.get() == 0 {
        return Ok(content.into_object());
    }
    if size < 2 || this.exports.get() > 0 {
        return PyBytes::new(ts, &content.as_slice()[..size]).map(Ref::into_object);
    }
    drop(content);
    // What was to spare is given back, so that the object itself can be handed out.
    this.own(ts, size)?;
    this.open(ts).map(Ref::into_object)
}

fn getbuffer(ts: &ThreadState, object: &PyObject) -> PyResult {
    stream(object).open(ts)?;
    let exporter = alloc::exact::<PyBytesIOBuffer>(ts)?;
    exporter.source.set(Some(Ref::from_borrowed(stream(object))));
    gc::track(ts, &*exporter);
    memory_view(ts, exporter.as_object())
}

fn export(ts: &ThreadState, object: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    let Some(source) = object.cast::<PyBytesIOBuffer>().source.get() else {
        return closed_error(ts, "I/O operation on closed file.");
    };
    source.open(ts)?;
    if source.exports.get() == 0 && !source.is_own() {
        source.own(ts, source.size.get())?;
    }
    // SAFETY: I2 keeps the memory in place until the view is released.
    unsafe { view.fill(ts, source.data(), source.size.get(), false, flags)? };
    source.exports.set(source.exports.get() + 1);
    Ok(())
}

fn release(_ts: &ThreadState, object: &PyObject, _view: &mut PyBuffer) {
    if let Some(source) = object.cast::<PyBytesIOBuffer>().source.get() {
        source.exports.set(source.exports.get() - 1);
    }
}

fn seek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let pos = protocol::as_isize(ts, args[0])?;
    let whence = whence_of(ts, args.get(1).copied())?;
    let this = stream(object);
    this.open(ts)?;
    if pos < 0 && whence == 0 {
        return raise!(ts, exc::ValueError, "negative seek value {pos}");
    }
    let from = match whence {
        0 => 0,
        1 => this.pos.get() as isize,
        2 => this.size.get() as isize,
        _ => return raise!(ts, exc::ValueError, "invalid whence ({whence}, should be 0, 1 or 2)"),
    };
    let Some(pos) = from.checked_add(pos) else {
        return raise!(ts, exc::OverflowError, "new position too large");
    };
    this.pos.set(pos.max(0) as usize);
    size_object(ts, this.pos.get())
}

fn truncate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "truncate", args.len(), 0, 1)?;
    let this = stream(object);
    this.open(ts)?;
    this.check_exports(ts)?;
    let size = match args.first().filter(|size| !is_none(size)) {
        None => this.pos.get(),
        Some(size) => {
            let size = protocol::as_isize(ts, size)?;
            match usize::try_from(size) {
                Ok(size) => size,
                Err(_) => return raise!(ts, exc::ValueError, "negative size value {size}"),
            }
        }
    };
    if size < this.size.get() {
        this.size.set(size);
        this.own(ts, size)?;
    }
    size_object(ts, size)
}

fn getstate(ts: &ThreadState, object: &PyObject) -> PyResult {
    let value = getvalue(ts, object)?;
    let this = stream(object);
    let pos = PyInt::from_usize(ts, this.pos.get())?;
    let dict = match this.base.dict() {
        None => ts.none(),
        Some(dict) => dict.copy(ts)?.into_object(),
    };
    Ok(PyTuple::from_array(ts, [value, pos, dict])?.into_object())
}

fn setstate(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    stream(object).open(ts)?;
    let Some(parts) = state.downcast::<PyTuple>().filter(|state| state.len() >= 3) else {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__setstate__ argument should be 3-tuple, got {}",
            object.ob_type().full_name(),
            state.type_name()
        );
    };
    let this = stream(object);
    this.check_exports(ts)?;
    this.content.set(Some(PyBytes::empty()));
    this.size.set(0);
    this.pos.set(0);
    {
        let data = crate::types::bytes::shared::bytes_like(ts, parts.items()[0])?;
        this.write_bytes(ts, &data)?;
    }
    this.pos.set(position_of(ts, parts.items()[1])?);
    restore_dict(ts, object, parts.items()[2])?;
    Ok(ts.none())
}

/// The position in a pickled state.
pub(super) fn position_of(ts: &ThreadState, pos: &PyObject) -> PyResult<usize> {
    if !pos.is_a::<PyInt>() {
        return raise!(ts, exc::TypeError, "second item of state must be an integer, not {}", pos.type_name());
    }
    match usize::try_from(protocol::as_isize(ts, pos)?) {
        Ok(pos) => Ok(pos),
        Err(_) => raise!(ts, exc::ValueError, "position value cannot be negative"),
    }
}

/// Puts the dictionary of a pickled state back.
pub(super) fn restore_dict(ts: &ThreadState, object: &PyObject, dict: &PyObject) -> PyResult<()> {
    if is_none(dict) {
        return Ok(());
    }
    let Some(saved) = dict.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "third item of state should be a dict, got a {}", dict.type_name());
    };
    match crate::object::instance::get_dict(ts, object)? {
        Some(own) => own.update(ts, saved.as_object()),
        None => Ok(()),
    }
}

fn sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    let mut size = alloc::object_size(object);
    if let Some(content) = stream(object).content.get()
        && !content.as_object().is_immortal()
        && content.as_object().refcnt() == 2
    {
        size += alloc::object_size(content.as_object()) + 1;
    }
    size_object(ts, size)
}
