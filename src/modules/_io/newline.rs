//! Line ends: which kinds a text has, their translation, and `IncrementalNewlineDecoder`.

use core::cell::Cell;
use core::mem::size_of;

use super::util::track;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, call, flags, protocol,
};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder, StrData};
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

const SEEN_CR: u8 = 1;
const SEEN_LF: u8 = 2;
const SEEN_CRLF: u8 = 4;
const SEEN_ALL: u8 = 7;

/// What is known about the line ends of a text that comes in pieces.
#[derive(Default)]
pub struct Newlines {
    /// Whether all become `\n`.
    pub translate: Cell<bool>,
    /// The last piece ended with a `\r`, which was held back: a `\n` may follow.
    pub pending_cr: Cell<bool>,
    seen: Cell<u8>,
}

impl Newlines {
    /// Forgets the text.
    pub fn reset(&self) {
        self.pending_cr.set(false);
        self.seen.set(0);
    }

    /// Takes the next piece of the text, and gives back what of it is certain.
    pub fn take(&self, ts: &ThreadState, text: Ref<PyStr>, last: bool) -> PyResult<Ref<PyStr>> {
        let mut text = text;
        if self.pending_cr.get() && (last || !text.is_empty()) {
            text = PyStr::concat(ts, PyStr::latin1_char(b'\r'), &text)?;
            self.pending_cr.set(false);
        }
        let len = text.len();
        if !last && len > 0 && text.char_at(len - 1) == u32::from(b'\r') {
            text = text.slice(ts, 0, len - 1)?;
            self.pending_cr.set(true);
        }
        if text.is_empty() {
            return Ok(text);
        }
        let has_cr = contains(&text, b'\r');
        if !has_cr {
            if self.seen.get() & SEEN_LF == 0 && contains(&text, b'\n') {
                self.seen.set(self.seen.get() | SEEN_LF);
            }
            return Ok(text);
        }
        if !self.translate.get() {
            if self.seen.get() != SEEN_ALL {
                self.scan(&text, |_| Ok(()))?;
            }
            return Ok(text);
        }
        let mut translated = StrBuilder::with_capacity(text.len())?;
        self.scan(&text, |part| match part {
            Part::Text(start, end) => Ok(translated.push_slice(&text, start, end)?),
            Part::LineEnd => Ok(translated.push_ascii(b"\n")?),
        })?;
        translated.finish(ts)
    }

    /// Goes through a text, and notes which line ends it has.
    fn scan(&self, text: &PyStr, mut f: impl FnMut(Part) -> PyResult<()>) -> PyResult<()> {
        let (mut at, mut start, len) = (0, 0, text.len());
        let mut seen = self.seen.get();
        while at < len {
            let ch = text.char_at(at);
            if ch != u32::from(b'\r') && ch != u32::from(b'\n') {
                at += 1;
                continue;
            }
            f(Part::Text(start, at))?;
            at += 1;
            seen |= if ch == u32::from(b'\n') {
                SEEN_LF
            } else if at < len && text.char_at(at) == u32::from(b'\n') {
                at += 1;
                SEEN_CRLF
            } else {
                SEEN_CR
            };
            start = at;
            f(Part::LineEnd)?;
        }
        f(Part::Text(start, len))?;
        self.seen.set(seen);
        Ok(())
    }

    /// The kinds that were seen: None, a string, or a tuple of strings.
    pub fn seen(&self, ts: &ThreadState) -> PyResult {
        let mut kinds: [Option<&str>; 3] = [None; 3];
        let seen = self.seen.get();
        let mut count = 0;
        for (bit, kind) in [(SEEN_CR, "\r"), (SEEN_LF, "\n"), (SEEN_CRLF, "\r\n")] {
            if seen & bit != 0 {
                kinds[count] = Some(kind);
                count += 1;
            }
        }
        let text = |index: usize| PyStr::new(ts, kinds[index].unwrap_or("")).map(Ref::into_object);
        match count {
            0 => Ok(ts.none()),
            1 => text(0),
            2 => Ok(PyTuple::from_array(ts, [text(0)?, text(1)?])?.into_object()),
            _ => Ok(PyTuple::from_array(ts, [text(0)?, text(1)?, text(2)?])?.into_object()),
        }
    }
}

enum Part {
    Text(usize, usize),
    LineEnd,
}

/// Whether a text has an ASCII character.
pub fn contains(text: &PyStr, ch: u8) -> bool {
    find_char(text, 0, ch).is_some()
}

/// Where an ASCII character is, from `from` on.
pub fn find_char(text: &PyStr, from: usize, ch: u8) -> Option<usize> {
    let at = match text.data() {
        StrData::Ascii(units) | StrData::Latin1(units) => {
            let units = &units[from..];
            // SAFETY: the slice has so many bytes.
            let found = unsafe { libc::memchr(units.as_ptr().cast(), ch.into(), units.len()) };
            (!found.is_null()).then(|| found.addr() - units.as_ptr().addr())
        }
        StrData::Ucs2(units) => units[from..].iter().position(|unit| *unit == u16::from(ch)),
        StrData::Ucs4(units) => units[from..].iter().position(|unit| *unit == u32::from(ch)),
    };
    at.map(|at| at + from)
}

/// A decoder that translates line ends.
#[repr(C)]
pub struct PyNewlineDecoder {
    ob_base: PyObject,
    /// The decoder before it, or None for one that is given text.
    decoder: Slot<PyObject>,
    newlines: Newlines,
}
native!(PyNewlineDecoder, NEWLINE_DECODER_TYPE);
crate::types::owned::owns!(PyNewlineDecoder: decoder);

/// `_io.IncrementalNewlineDecoder`.
pub static NEWLINE_DECODER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.IncrementalNewlineDecoder",
    basicsize: size_of::<PyNewlineDecoder>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    doc: "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\nAn incremental decoder around another one, or around none, that knows the three kinds of\nline ends: it keeps '\\r' and '\\n' together, notes which kinds there were, and makes them\nall '\\n' when told to translate.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(PyNewlineDecoder::slot_dealloc),
        traverse: Some(PyNewlineDecoder::slot_traverse),
        clear: Some(PyNewlineDecoder::slot_clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "decode",
            decode,
            "decode($self, /, input, final=False)\n--\n\nDecode a piece of the input.",
        ),
        MethodDef::no_args(
            "getstate",
            getstate,
            "getstate($self, /)\n--\n\nThe state: what waits for more input, and a number.",
        ),
        MethodDef::one("setstate", setstate, "setstate($self, state, /)\n--\n\nGo back to a state."),
        MethodDef::no_args("reset", reset, "reset($self, /)\n--\n\nBegin anew."),
    ],
    getset: &[GetSetDef::get(
        "newlines",
        |ts, this| this.cast::<PyNewlineDecoder>().newlines.seen(ts),
        "The kinds of line ends that there were.",
    )],
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyNewlineDecoder>(ts, typ)?;
    track(ts, object.as_object());
    Ok(object.into_object())
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<3> =
        Signature::new("IncrementalNewlineDecoder", ["decoder", "translate", "errors"], 0, 3, 2);
    let [decoder, translate, _errors] = SIGNATURE.parse(ts, args)?;
    let this = object.cast::<PyNewlineDecoder>();
    this.decoder.set(decoder.map(|decoder| decoder.new_ref()));
    this.newlines.translate.set(translate.map_or(Ok(false), |flag| protocol::is_true(ts, flag))?);
    this.newlines.reset();
    Ok(())
}

/// The decoder; `None` when there is none to ask.
fn inner(ts: &ThreadState, object: &PyObject) -> PyResult<Option<crate::object::PyRef>> {
    match object.cast::<PyNewlineDecoder>().decoder.get() {
        Some(decoder) if is_none(&decoder) => Ok(None),
        Some(decoder) => Ok(Some(decoder)),
        None => raise!(ts, exc::ValueError, "IncrementalNewlineDecoder.__init__() not called"),
    }
}

/// The text that a decoder has given.
pub fn decoded_text(ts: &ThreadState, text: crate::object::PyRef) -> PyResult<Ref<PyStr>> {
    match text.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => {
            raise!(ts, exc::TypeError, "decoder should return a string result, not '{}'", other.type_name())
        }
    }
}

fn decode(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("decode", ["input", "final"], 0, 2, 1);
    let [input, last] = SIGNATURE.parse(ts, args)?;
    let Some(input) = input else { return raise!(ts, exc::TypeError, "decode() needs an input") };
    let last = last.map_or(Ok(false), |flag| protocol::is_true(ts, flag))?;
    let text = match inner(ts, object)? {
        None => input.new_ref(),
        Some(decoder) => {
            let last = crate::types::bool::py_bool(last);
            call::call_method(ts, &decoder, id!(decode), &[input, &last])?
        }
    };
    let text = decoded_text(ts, text)?;
    object.cast::<PyNewlineDecoder>().newlines.take(ts, text, last).map(Ref::into_object)
}

/// The two parts of a decoder's state.
pub fn state_parts(ts: &ThreadState, state: &PyObject) -> PyResult<(Ref<PyBytes>, u64)> {
    let Some(parts) = state.downcast::<PyTuple>().filter(|parts| parts.len() == 2) else {
        return raise!(ts, exc::TypeError, "illegal decoder state");
    };
    let [input, flags] = [parts.items()[0], parts.items()[1]];
    let Some(input) = input.downcast::<PyBytes>() else {
        return raise!(
            ts,
            exc::TypeError,
            "illegal decoder state: the first item should be a bytes object, not '{}'",
            input.type_name()
        );
    };
    let Some(flags) = flags.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "illegal decoder state");
    };
    Ok((Ref::from_borrowed(input), flags.wrapping_u64()))
}

fn getstate(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (input, flags) = match inner(ts, object)? {
        None => (PyBytes::empty(), 0),
        Some(decoder) => {
            let state = call::call_method(ts, &decoder, id!(getstate), &[])?;
            match state.downcast::<PyTuple>() {
                Some(parts) if parts.len() == 2 && !parts.items()[0].is_a::<PyBytes>() => {
                    // Not ours to judge: whoever made the state gets it back.
                    let flags = match parts.items()[1].downcast::<PyInt>() {
                        Some(flags) => flags.wrapping_u64(),
                        None => return raise!(ts, exc::TypeError, "illegal decoder state"),
                    };
                    let flags = PyInt::from_u64(ts, with_cr(object, flags))?;
                    return Ok(PyTuple::pair(ts, parts.items()[0], &flags)?.into_object());
                }
                _ => state_parts(ts, &state)?,
            }
        }
    };
    let flags = PyInt::from_u64(ts, with_cr(object, flags))?;
    Ok(PyTuple::pair(ts, input.as_object(), &flags)?.into_object())
}

fn with_cr(object: &PyObject, flags: u64) -> u64 {
    flags << 1 | u64::from(object.cast::<PyNewlineDecoder>().newlines.pending_cr.get())
}

fn setstate(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    let decoder = inner(ts, object)?;
    let Some(parts) = state.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "state argument must be a tuple");
    };
    let flags = match parts.items() {
        [_, flags] if flags.is_a::<PyInt>() => flags.cast::<PyInt>().wrapping_u64(),
        _ => return raise!(ts, exc::TypeError, "setstate(): illegal state argument"),
    };
    object.cast::<PyNewlineDecoder>().newlines.pending_cr.set(flags & 1 != 0);
    let Some(decoder) = decoder else { return Ok(ts.none()) };
    let flags = PyInt::from_u64(ts, flags >> 1)?;
    let state = PyTuple::pair(ts, parts.items()[0], &flags)?;
    call::call_method(ts, &decoder, id!(setstate), &[state.as_object()])
}

fn reset(ts: &ThreadState, object: &PyObject) -> PyResult {
    let decoder = inner(ts, object)?;
    object.cast::<PyNewlineDecoder>().newlines.reset();
    match decoder {
        Some(decoder) => call::call_method(ts, &decoder, id!(reset), &[]),
        None => Ok(ts.none()),
    }
}

/// How the lines of a text end, for reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// `\n` only: all are that, or have been made that.
    Lf,
    /// Any of the three.
    Universal,
    /// `\r` only.
    Cr,
    /// `\r\n` only.
    CrLf,
}

/// Where the line that begins at `start` ends (behind its end), or how far the text can be given out as
/// part of an unfinished line.
pub fn line_end(text: &PyStr, start: usize, ends: LineEnds) -> Result<usize, usize> {
    let len = text.len();
    match ends {
        LineEnds::Lf => find_char(text, start, b'\n').map(|at| at + 1).ok_or(len),
        LineEnds::Cr => find_char(text, start, b'\r').map(|at| at + 1).ok_or(len),
        LineEnds::Universal => {
            let lf = find_char(text, start, b'\n');
            let cr = match find_char(text, start, b'\r') {
                Some(cr) if lf.is_none_or(|lf| cr < lf) => cr,
                _ => return lf.map(|at| at + 1).ok_or(len),
            };
            let with_lf = cr + 1 < len && text.char_at(cr + 1) == u32::from(b'\n');
            Ok(cr + if with_lf { 2 } else { 1 })
        }
        LineEnds::CrLf => {
            let mut from = start;
            while let Some(cr) = find_char(text, from, b'\r') {
                if cr + 1 == len {
                    // The other half may come.
                    return Err(cr);
                }
                if text.char_at(cr + 1) == u32::from(b'\n') {
                    return Ok(cr + 2);
                }
                from = cr + 1;
            }
            Err(len)
        }
    }
}

/// The `newline` argument of the text streams: None, or one of the known strings.
///
/// `function` is the one whose argument it is; without, errors name nobody and quote the value.
pub fn check_newline(
    ts: &ThreadState,
    function: Option<&str>,
    newline: Option<&PyObject>,
) -> PyResult<Option<Ref<PyStr>>> {
    let Some(newline) = newline.filter(|newline| !is_none(newline)) else { return Ok(None) };
    let Some(text) = newline.downcast::<PyStr>() else {
        let name = newline.type_name();
        return match function {
            Some(function) => {
                raise!(ts, exc::TypeError, "{function}() argument 'newline' must be str or None, not {name}")
            }
            None => raise!(ts, exc::TypeError, "newline must be str or None, not {name}"),
        };
    };
    if !["", "\n", "\r", "\r\n"].iter().any(|known| text.equals_str(known)) {
        let shown = match function {
            Some(_) => Ref::from_borrowed(text),
            None => protocol::repr(ts, newline)?,
        };
        return raise!(ts, exc::ValueError, "illegal newline value: {shown}");
    }
    Ok(Some(Ref::from_borrowed(text)))
}
