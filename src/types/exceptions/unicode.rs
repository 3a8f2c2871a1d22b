//! The Unicode errors: what could not be encoded, decoded or translated, and where.

use core::cell::Cell;
use core::fmt::Write as _;
use core::mem::offset_of;

use super::base::{self, PyBaseException};
use super::fields::{FLAGS, family, member};
use super::hierarchy as exc;
use crate::object::buffer::Buffer;
use crate::object::{
    Args, AsObject, GetSetDef, PyObject, PyRef, PyResult, Slot, StaticType, TypeSlots, TypeSpec, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, StrBuilder};

/// UnicodeEncodeError, UnicodeDecodeError and UnicodeTranslateError, which share C's struct.
#[repr(C)]
pub struct PyUnicodeError {
    pub(super) base: PyBaseException,
    /// `encoding`.
    pub encoding: Slot<PyObject>,
    /// `object`: the text or bytes.
    pub object: Slot<PyObject>,
    /// `start`, as it was given.
    pub start: Cell<isize>,
    /// `end`, as it was given.
    pub end: Cell<isize>,
    /// `reason`.
    pub reason: Slot<PyObject>,
}
// SAFETY: the struct is `repr(C)` and begins with the header; the three types and their subtypes have it.
unsafe impl crate::object::Native for PyUnicodeError {
    fn type_object() -> &'static crate::object::PyTypeObject {
        &exc::UnicodeEncodeError
    }
    fn check(object: &PyObject) -> bool {
        let typ = object.ob_type();
        typ.is_subtype(&exc::UnicodeDecodeError)
            || typ.is_subtype(&exc::UnicodeEncodeError)
            || typ.is_subtype(&exc::UnicodeTranslateError)
    }
}
family!(PyUnicodeError: encoding, object, reason);

const GETSET: &[GetSetDef] = &[
    member!(PyUnicodeError, encoding, "encoding", "exception encoding"),
    member!(PyUnicodeError, object, "object", "exception object"),
    GetSetDef::field_set(
        "start",
        |ts, o| PyInt::from_i64(ts, this(o).start.get() as i64),
        |ts, o, v| set_number(ts, &this(o).start, v),
        "exception start",
    ),
    GetSetDef::field_set(
        "end",
        |ts, o| PyInt::from_i64(ts, this(o).end.get() as i64),
        |ts, o, v| set_number(ts, &this(o).end, v),
        "exception end",
    ),
    member!(PyUnicodeError, reason, "reason", "exception reason"),
];

const fn spec(
    name: &'static core::ffi::CStr,
    doc: &'static str,
    slots: TypeSlots,
    getset: &'static [GetSetDef],
) -> TypeSpec {
    const UNICODE_ERROR: &StaticType = &exc::UnicodeError;
    TypeSpec {
        name,
        basicsize: size_of::<PyUnicodeError>(),
        flags: FLAGS,
        base: Some(UNICODE_ERROR),
        doc,
        slots: TypeSlots {
            new: Some(base::new),
            dealloc: Some(PyUnicodeError::slot_dealloc),
            traverse: Some(PyUnicodeError::slot_traverse),
            clear: Some(PyUnicodeError::slot_clear),
            ..slots
        },
        getset,
        dictoffset: offset_of!(PyBaseException, dict),
        ..TypeSpec::EMPTY
    }
}

pub(super) const ENCODE_SPEC: TypeSpec = spec(
    c"UnicodeEncodeError",
    "Unicode encoding error.",
    TypeSlots { init: Some(encode_init), str: Some(encode_str), ..TypeSlots::EMPTY },
    GETSET,
);
pub(super) const DECODE_SPEC: TypeSpec = spec(
    c"UnicodeDecodeError",
    "Unicode decoding error.",
    TypeSlots { init: Some(decode_init), str: Some(decode_str), ..TypeSlots::EMPTY },
    GETSET,
);
pub(super) const TRANSLATE_SPEC: TypeSpec = spec(
    c"UnicodeTranslateError",
    "Unicode translation error.",
    TypeSlots { init: Some(translate_init), str: Some(translate_str), ..TypeSlots::EMPTY },
    GETSET.split_at(1).1,
);

fn this(object: &PyObject) -> &PyUnicodeError {
    debug_assert!(object.is_a::<PyUnicodeError>());
    // SAFETY: the three types' slots and attributes are used with instances of them only.
    unsafe { &*object.as_ptr().cast::<PyUnicodeError>() }
}

fn set_number(ts: &ThreadState, cell: &Cell<isize>, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "can't delete numeric/char attribute");
    };
    let Some(value) = value.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "an integer is required");
    };
    cell.set(value.to_isize(ts)?);
    Ok(())
}

fn count(ts: &ThreadState, args: &[&PyObject], expected: usize) -> PyResult<()> {
    if args.len() != expected {
        return raise!(ts, exc::TypeError, "function takes exactly {expected} arguments ({} given)", args.len());
    }
    Ok(())
}

fn text_argument(ts: &ThreadState, args: &[&PyObject], index: usize) -> PyResult {
    if !args[index].is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "argument {} must be str, not {}", index + 1, args[index].type_name());
    }
    Ok(args[index].new_ref())
}

fn number_argument(ts: &ThreadState, value: &PyObject) -> PyResult<isize> {
    protocol::as_isize(ts, value)
}

fn encode_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let args = args.positional();
    count(ts, args, 5)?;
    let (encoding, text) = (text_argument(ts, args, 0)?, text_argument(ts, args, 1)?);
    fill(ts, object, Some(encoding), text, args, 2)
}

fn decode_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let args = args.positional();
    count(ts, args, 5)?;
    let encoding = text_argument(ts, args, 0)?;
    let bytes = if args[1].is_a::<PyBytes>() {
        args[1].new_ref()
    } else {
        let buffer = Buffer::get(ts, args[1], 0)?;
        PyBytes::new(ts, buffer.as_slice())?.into_object()
    };
    fill(ts, object, Some(encoding), bytes, args, 2)
}

fn translate_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let args = args.positional();
    count(ts, args, 4)?;
    let text = text_argument(ts, args, 0)?;
    fill(ts, object, None, text, args, 1)
}

/// Fills the fields in, with start, end and reason from `args[from..]`.
fn fill(
    ts: &ThreadState,
    object: &PyObject,
    encoding: Option<PyRef>,
    subject: PyRef,
    args: &[&PyObject],
    from: usize,
) -> PyResult<()> {
    let (start, end) = (number_argument(ts, args[from])?, number_argument(ts, args[from + 1])?);
    let reason = text_argument(ts, args, from + 2)?;
    let error = this(object);
    error.encoding.set(encoding);
    error.object.set(Some(subject));
    error.start.set(start);
    error.end.set(end);
    error.reason.set(Some(reason));
    Ok(())
}

impl PyUnicodeError {
    /// The length of the text or bytes.
    fn size(&self) -> usize {
        // SAFETY: nothing runs between the borrow and its last use.
        match unsafe { self.object.borrow() } {
            Some(object) => {
                if let Some(text) = object.downcast::<PyStr>() {
                    text.len()
                } else {
                    object.downcast::<PyBytes>().map_or(0, |bytes| bytes.as_slice().len())
                }
            }
            None => 0,
        }
    }

    /// The start, made an index of the object.
    pub fn start_index(&self) -> usize {
        let size = self.size() as isize;
        self.start.get().clamp(0, (size - 1).max(0)) as usize
    }

    /// The end, made to lie behind a character of the object.
    pub fn end_index(&self) -> usize {
        let size = self.size() as isize;
        self.end.get().max(1).min(size) as usize
    }
}

/// Writes "position 3: reason", or "position 3-5: reason" for more than one.
fn push_where(
    ts: &ThreadState,
    text: &mut StrBuilder,
    (start, end): (isize, isize),
    one: bool,
    reason: &PyStr,
) -> PyResult<()> {
    let written = if one {
        write!(text, " in position {start}: ")
    } else {
        write!(text, "s in position {start}-{}: ", end.wrapping_sub(1))
    };
    if written.is_err() {
        return Err(ts.raise_no_memory());
    }
    Ok(text.push(reason)?)
}

/// Writes `'\xe9'` and the like.
fn push_character(ts: &ThreadState, text: &mut StrBuilder, ch: u32) -> PyResult<()> {
    let written = match ch {
        0..=0xFF => write!(text, " '\\x{ch:02x}'"),
        0x100..=0xFFFF => write!(text, " '\\u{ch:04x}'"),
        _ => write!(text, " '\\U{ch:08x}'"),
    };
    written.map_err(|_| ts.raise_no_memory())
}

fn str_or_none(ts: &ThreadState, slot: &Slot<PyObject>) -> PyResult<crate::object::Ref<PyStr>> {
    let value = slot.get().unwrap_or_else(|| ts.none());
    protocol::str(ts, &value)
}

fn encode_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    if !error.object.is_some() {
        return Ok(PyStr::empty().into_object());
    }
    let (reason, encoding) = (str_or_none(ts, &error.reason)?, str_or_none(ts, &error.encoding)?);
    let mut text = StrBuilder::new();
    text.push_str("'")?;
    text.push(&encoding)?;
    text.push_str("' codec can't encode character")?;
    push_text_place(ts, &mut text, error, &reason)?;
    Ok(text.finish(ts)?.into_object())
}

fn translate_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    if !error.object.is_some() {
        return Ok(PyStr::empty().into_object());
    }
    let reason = str_or_none(ts, &error.reason)?;
    let mut text = StrBuilder::new();
    text.push_str("can't translate character")?;
    push_text_place(ts, &mut text, error, &reason)?;
    Ok(text.finish(ts)?.into_object())
}

fn push_text_place(ts: &ThreadState, text: &mut StrBuilder, error: &PyUnicodeError, reason: &PyStr) -> PyResult<()> {
    let (start, end) = (error.start.get(), error.end.get());
    let subject = error.object.get();
    let subject = subject.as_deref().and_then(|s| s.downcast::<PyStr>());
    let one = match (subject, usize::try_from(start)) {
        (Some(subject), Ok(at)) if at < subject.len() && end.checked_sub(1) == Some(start) => {
            push_character(ts, text, subject.char_at(at))?;
            true
        }
        _ => false,
    };
    push_where(ts, text, (start, end), one, reason)
}

fn decode_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    if !error.object.is_some() {
        return Ok(PyStr::empty().into_object());
    }
    let (reason, encoding) = (str_or_none(ts, &error.reason)?, str_or_none(ts, &error.encoding)?);
    let (start, end) = (error.start.get(), error.end.get());
    let mut text = StrBuilder::new();
    text.push_str("'")?;
    text.push(&encoding)?;
    text.push_str("' codec can't decode byte")?;
    let subject = error.object.get();
    let bytes = subject.as_deref().and_then(|s| s.downcast::<PyBytes>());
    let byte = bytes.zip(usize::try_from(start).ok()).and_then(|(bytes, at)| bytes.as_slice().get(at).copied());
    let one = match byte {
        Some(byte) if end.checked_sub(1) == Some(start) => {
            if write!(text, " 0x{byte:02x}").is_err() {
                return Err(ts.raise_no_memory());
            }
            true
        }
        _ => false,
    };
    push_where(ts, &mut text, (start, end), one, &reason)?;
    Ok(text.finish(ts)?.into_object())
}
