//! Error handlers: the registry, and those that are native, as functions that take an exception.
//!
//! The native codecs know the native handlers themselves; the functions here are for codecs written in Python and for
//! whoever asks for them by `lookup_error`.

use core::fmt::Write as _;

use hognose_allocators::collections::TryVec;

use super::registry::name;
use crate::object::{AsObject, MethodDef, PyObject, PyRef, PyResult, Raised, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions::{self as exc, PyBaseException, PyUnicodeError};
use crate::types::int::PyInt;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

static NATIVE: [MethodDef; 8] = [
    MethodDef::one("strict", strict, "Raises the error."),
    MethodDef::one("ignore", ignore, "Goes on after what is wrong."),
    MethodDef::one("replace", replace, "Puts a replacement character in the place of what is wrong."),
    MethodDef::one(
        "xmlcharrefreplace",
        xml_char_ref_replace,
        "Puts an XML character reference in the place of a character.",
    ),
    MethodDef::one("backslashreplace", backslash_replace, "Puts an escape sequence in the place of what is wrong."),
    MethodDef::one("namereplace", name_replace, "Puts a \\N{...} escape in the place of a character."),
    MethodDef::one("surrogatepass", surrogate_pass, "Lets surrogates through."),
    MethodDef::one(
        "surrogateescape",
        surrogate_escape,
        "Keeps bytes that are wrong as lone surrogates, and makes them bytes again.",
    ),
];

fn handlers(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let state = &ts.interp().codecs;
    if let Some(handlers) = state.handlers.get() {
        return Ok(handlers);
    }
    let handlers = PyDict::new(ts)?;
    for def in &NATIVE {
        let name = PyStr::intern(ts, def.name)?;
        let function = PyBuiltinFunction::new(ts, def, None, None)?;
        handlers.set_str(ts, &name, function.as_object())?;
    }
    state.handlers.set(Some(handlers.clone()));
    Ok(handlers)
}

/// Registers an error handler (`PyCodec_RegisterError`).
pub fn register_error(ts: &ThreadState, name: &str, handler: &PyObject) -> PyResult<()> {
    if !call::is_callable(handler) {
        return raise!(ts, exc::TypeError, "handler must be callable");
    }
    let name = PyStr::new(ts, name)?;
    handlers(ts)?.set_str(ts, &name, handler)
}

/// The error handler of that name (`PyCodec_LookupError`).
pub fn lookup_error(ts: &ThreadState, name: &str) -> PyResult {
    let text = PyStr::new(ts, if name.is_empty() { "strict" } else { name })?;
    match handlers(ts)?.get_str(ts, &text)? {
        Some(handler) => Ok(handler),
        None => raise!(ts, exc::LookupError, "unknown error handler name '{name}'"),
    }
}

/// Asks an error handler about an exception: the replacement, text or for an encoder bytes too, and the position to go
/// on at, which is within the exception's object.
pub fn call_error_handler(ts: &ThreadState, errors: &str, exception: &PyObject) -> PyResult<(PyRef, usize)> {
    call_error_handler_with(ts, errors, exception, protocol::as_isize)
}

/// The same for the multibyte codecs, to which a position that no machine number can hold is one out of bounds.
pub fn call_multibyte_error_handler(ts: &ThreadState, errors: &str, exception: &PyObject) -> PyResult<(PyRef, usize)> {
    call_error_handler_with(ts, errors, exception, protocol::as_isize_clamped)
}

fn call_error_handler_with(
    ts: &ThreadState,
    errors: &str,
    exception: &PyObject,
    as_position: fn(&ThreadState, &PyObject) -> PyResult<isize>,
) -> PyResult<(PyRef, usize)> {
    let handler = lookup_error(ts, errors)?;
    let result = call::call_with(ts, &handler, &[exception])?;
    let encoding = exception.ob_type().is_subtype(&exc::UnicodeEncodeError);
    let usable = |value: &PyObject| value.is_a::<PyStr>() || encoding && value.is_a::<PyBytes>();
    let (replacement, position) = match result.downcast::<PyTuple>().map(PyTuple::items) {
        Some([replacement, position]) if usable(replacement) => (replacement.new_ref(), as_position(ts, position)?),
        _ => {
            let message = if encoding {
                "encoding error handler must return (str/bytes, int) tuple"
            } else if exception.ob_type().is_subtype(&exc::UnicodeDecodeError) {
                "decoding error handler must return (str, int) tuple"
            } else {
                "translating error handler must return (str, int) tuple"
            };
            return raise!(ts, exc::TypeError, "{message}");
        }
    };
    let len = subject_len(exception) as isize;
    let at = if position < 0 { position + len } else { position };
    if at < 0 || at > len {
        return raise!(ts, exc::IndexError, "position {position} from error handler out of bounds");
    }
    Ok((replacement, at as usize))
}

/// The length of what the exception is about.
fn subject_len(exception: &PyObject) -> usize {
    let subject = exception.downcast::<PyUnicodeError>().and_then(|error| error.object.get());
    match subject.as_deref() {
        Some(subject) => match subject.downcast::<PyStr>() {
            Some(text) => text.len(),
            None => subject.downcast::<PyBytes>().map_or(0, PyBytes::len),
        },
        None => 0,
    }
}

/// What an exception is about.
enum Subject {
    Encode(Ref<PyStr>),
    Decode(Ref<PyBytes>),
    Translate(Ref<PyStr>),
}

struct Problem<'a> {
    exception: &'a PyObject,
    subject: Subject,
    start: usize,
    end: usize,
}

impl<'a> Problem<'a> {
    fn of(ts: &ThreadState, exception: &'a PyObject) -> PyResult<Problem<'a>> {
        let Some(error) = exception.downcast::<PyUnicodeError>() else {
            return wrong(ts, exception);
        };
        let object = error.object.get();
        let text = || object.clone().and_then(|object| object.downcast_into::<PyStr>().ok());
        let typ = exception.ob_type();
        let subject = if typ.is_subtype(&exc::UnicodeEncodeError) {
            text().map(Subject::Encode)
        } else if typ.is_subtype(&exc::UnicodeDecodeError) {
            object.clone().and_then(|object| object.downcast_into::<PyBytes>().ok()).map(Subject::Decode)
        } else {
            text().map(Subject::Translate)
        };
        let Some(subject) = subject else {
            let wanted = if typ.is_subtype(&exc::UnicodeDecodeError) { "bytes" } else { "str" };
            return match object {
                Some(_) => raise!(ts, exc::TypeError, "UnicodeError 'object' attribute must be a {wanted}"),
                None => raise!(ts, exc::TypeError, "UnicodeError 'object' attribute is not set"),
            };
        };
        let (start, end) = (error.start_index(), error.end_index());
        Ok(Problem { exception, subject, start, end: end.max(start) })
    }

    /// What the handler returns: a replacement, and where to go on.
    fn answer(&self, ts: &ThreadState, replacement: PyRef, at: usize) -> PyResult {
        PyTuple::from_array(ts, [replacement, PyInt::from_usize(ts, at)?]).map(Ref::into_object)
    }

    fn raise(&self, ts: &ThreadState) -> Raised {
        ts.raise(self.exception.new_ref())
    }
}

#[cold]
fn wrong<T>(ts: &ThreadState, exception: &PyObject) -> PyResult<T> {
    raise!(ts, exc::TypeError, "don't know how to handle {} in error callback", exception.type_name())
}

fn strict(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    if exception.is_a::<PyBaseException>() {
        return Err(ts.raise(exception.new_ref()));
    }
    raise!(ts, exc::TypeError, "codec must pass exception instance")
}

fn ignore(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    let problem = Problem::of(ts, exception)?;
    problem.answer(ts, PyStr::empty().into_object(), problem.end)
}

fn replace(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    let problem = Problem::of(ts, exception)?;
    let (ch, count) = match problem.subject {
        Subject::Encode(_) => (u32::from(b'?'), problem.end - problem.start),
        Subject::Decode(_) => (0xFFFD, 1),
        Subject::Translate(_) => (0xFFFD, problem.end - problem.start),
    };
    let mut text = StrBuilder::new();
    text.push_fill(ch, count)?;
    problem.answer(ts, text.finish(ts)?.into_object(), problem.end)
}

/// A handler that replaces each character of an encoding error by some ASCII text.
fn by_character(
    ts: &ThreadState,
    problem: &Problem<'_>,
    text: &PyStr,
    mut push: impl FnMut(&mut StrBuilder, u32) -> PyResult<()>,
) -> PyResult {
    let mut out = StrBuilder::new();
    for ch in text.chars_in(problem.start..problem.end) {
        push(&mut out, ch)?;
    }
    problem.answer(ts, out.finish(ts)?.into_object(), problem.end)
}

fn xml_char_ref_replace(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    if !exception.ob_type().is_subtype(&exc::UnicodeEncodeError) {
        return wrong(ts, exception);
    }
    let problem = Problem::of(ts, exception)?;
    let Subject::Encode(text) = &problem.subject else { return wrong(ts, exception) };
    by_character(ts, &problem, text, |out, ch| write!(out, "&#{ch};").map_err(|_| ts.raise_no_memory()))
}

fn push_escape(ts: &ThreadState, out: &mut StrBuilder, ch: u32) -> PyResult<()> {
    let written = match ch {
        0..=0xFF => write!(out, "\\x{ch:02x}"),
        0x100..=0xFFFF => write!(out, "\\u{ch:04x}"),
        _ => write!(out, "\\U{ch:08x}"),
    };
    written.map_err(|_| ts.raise_no_memory())
}

fn backslash_replace(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    let problem = Problem::of(ts, exception)?;
    match &problem.subject {
        Subject::Decode(bytes) => {
            let mut out = StrBuilder::new();
            for byte in &bytes.as_slice()[problem.start..problem.end] {
                push_escape(ts, &mut out, u32::from(*byte))?;
            }
            problem.answer(ts, out.finish(ts)?.into_object(), problem.end)
        }
        Subject::Encode(text) | Subject::Translate(text) => {
            by_character(ts, &problem, text, |out, ch| push_escape(ts, out, ch))
        }
    }
}

fn name_replace(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    if !exception.ob_type().is_subtype(&exc::UnicodeEncodeError) {
        return wrong(ts, exception);
    }
    let problem = Problem::of(ts, exception)?;
    let Subject::Encode(text) = &problem.subject else { return wrong(ts, exception) };
    by_character(ts, &problem, text, |out, ch| match char::from_u32(ch).and_then(rustpython_unicode::character_name) {
        Some(name) => write!(out, "\\N{{{}}}", &*name).map_err(|_| ts.raise_no_memory()),
        None => push_escape(ts, out, ch),
    })
}

/// An encoding whose surrogates can be told apart, by its name.
#[derive(Clone, Copy)]
enum Wide {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
}

impl Wide {
    fn from_name(name: &str) -> Option<Wide> {
        let mut normal = [0; 12];
        let mut len = 0;
        for byte in name.bytes().filter(|byte| !matches!(byte, b'-' | b'_')) {
            *normal.get_mut(len)? = byte.to_ascii_lowercase();
            len += 1;
        }
        let native = cfg!(target_endian = "big");
        Some(match &normal[..len] {
            b"utf8" | b"cputf8" => Wide::Utf8,
            b"utf16" => Wide::Utf16 { big: native },
            b"utf16le" => Wide::Utf16 { big: false },
            b"utf16be" => Wide::Utf16 { big: true },
            b"utf32" => Wide::Utf32 { big: native },
            b"utf32le" => Wide::Utf32 { big: false },
            b"utf32be" => Wide::Utf32 { big: true },
            _ => return None,
        })
    }

    fn push(self, ch: u32, out: &mut TryVec<u8>) -> PyResult<()> {
        match self {
            Wide::Utf8 => {
                out.try_extend_from_copy(&[
                    0xE0 | (ch >> 12) as u8,
                    0x80 | (ch >> 6 & 0x3F) as u8,
                    0x80 | (ch & 0x3F) as u8,
                ])?;
            }
            Wide::Utf16 { big } => {
                let unit = ch as u16;
                out.try_extend_from_copy(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() })?;
            }
            Wide::Utf32 { big } => {
                out.try_extend_from_copy(&if big { ch.to_be_bytes() } else { ch.to_le_bytes() })?;
            }
        }
        Ok(())
    }

    /// The surrogate at the beginning of `bytes`, and its size.
    fn surrogate(self, bytes: &[u8]) -> Option<(u32, usize)> {
        let (ch, size) = match self {
            Wide::Utf8 => match bytes {
                [a, b, c, ..] if a & 0xF0 == 0xE0 && b & 0xC0 == 0x80 && c & 0xC0 == 0x80 => {
                    (u32::from(a & 0x0F) << 12 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F), 3)
                }
                _ => return None,
            },
            Wide::Utf16 { big } => {
                let unit = *bytes.first_chunk()?;
                (u32::from(if big { u16::from_be_bytes(unit) } else { u16::from_le_bytes(unit) }), 2)
            }
            Wide::Utf32 { big } => {
                let unit = *bytes.first_chunk()?;
                (if big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) }, 4)
            }
        };
        matches!(ch, 0xD800..=0xDFFF).then_some((ch, size))
    }
}

fn encoding_of(exception: &PyObject) -> Option<Wide> {
    let encoding = exception.downcast::<PyUnicodeError>()?.encoding.get()?;
    Wide::from_name(encoding.downcast::<PyStr>()?.ascii_str()?)
}

fn surrogate_pass(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    let problem = Problem::of(ts, exception)?;
    match &problem.subject {
        Subject::Encode(text) => {
            let Some(wide) = encoding_of(exception) else { return Err(problem.raise(ts)) };
            let mut out = TryVec::new();
            for ch in text.chars_in(problem.start..problem.end) {
                if !matches!(ch, 0xD800..=0xDFFF) {
                    return Err(problem.raise(ts));
                }
                wide.push(ch, &mut out)?;
            }
            problem.answer(ts, PyBytes::new(ts, &out)?.into_object(), problem.end)
        }
        Subject::Decode(bytes) => {
            let Some((ch, size)) = encoding_of(exception)
                .and_then(|wide| wide.surrogate(bytes.as_slice().get(problem.start..).unwrap_or_default()))
            else {
                return Err(problem.raise(ts));
            };
            problem.answer(ts, PyStr::from_char(ts, ch)?.into_object(), problem.start + size)
        }
        Subject::Translate(_) => wrong(ts, exception),
    }
}

fn surrogate_escape(ts: &ThreadState, _module: &PyObject, exception: &PyObject) -> PyResult {
    let problem = Problem::of(ts, exception)?;
    match &problem.subject {
        Subject::Encode(text) => {
            let mut out = TryVec::new();
            for ch in text.chars_in(problem.start..problem.end) {
                match ch {
                    0xDC80..=0xDCFF => out.try_push((ch - 0xDC00) as u8)?,
                    _ => return Err(problem.raise(ts)),
                }
            }
            problem.answer(ts, PyBytes::new(ts, &out)?.into_object(), problem.end)
        }
        Subject::Decode(bytes) => {
            let bytes = &bytes.as_slice()[problem.start..problem.end];
            let count = bytes.iter().take(4).take_while(|byte| **byte >= 0x80).count();
            if count == 0 {
                return Err(problem.raise(ts));
            }
            let mut out = StrBuilder::new();
            for byte in &bytes[..count] {
                out.push_char(0xDC00 + u32::from(*byte))?;
            }
            problem.answer(ts, out.finish(ts)?.into_object(), problem.start + count)
        }
        Subject::Translate(_) => wrong(ts, exception),
    }
}

pub(super) fn register_error_function(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "register_error", args.len(), 2, 2)?;
    register_error(ts, name(ts, "register_error", " 1", args[0])?, args[1])?;
    Ok(ts.none())
}

pub(super) fn unregister_error_function(ts: &ThreadState, _module: &PyObject, errors: &PyObject) -> PyResult {
    let name = name(ts, "_unregister_error", "", errors)?;
    if NATIVE.iter().any(|def| def.name == name) {
        return raise!(ts, exc::ValueError, "cannot un-register built-in error handler '{name}'");
    }
    let name = PyStr::new(ts, name)?;
    Ok(py_bool(handlers(ts)?.remove_str(ts, &name)?.is_some()))
}

pub(super) fn lookup_error_function(ts: &ThreadState, _module: &PyObject, errors: &PyObject) -> PyResult {
    lookup_error(ts, name(ts, "lookup_error", "", errors)?)
}
