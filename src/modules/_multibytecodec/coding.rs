//! Encoding and decoding whole texts, step by step, and what is done about errors.

use super::{Encoding, Input, Out, State, Step, Text};
use crate::modules::_codecs::call_multibyte_error_handler;
use crate::object::{AsObject, PyObject, PyRef, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, codec};

const ILLEGAL: &str = "illegal multibyte sequence";
const INCOMPLETE: &str = "incomplete multibyte sequence";

/// Encodes from `start` on, and gives how far it got: to the end, unless more must be seen and `last` is false.
pub(super) fn encode(
    ts: &ThreadState,
    encoding: &Encoding,
    state: &mut State,
    text: &PyStr,
    start: usize,
    errors: &str,
    last: bool,
    out: &mut Out,
) -> PyResult<usize> {
    let length = text.len();
    let mut at = start;
    while at < length {
        let next = (at + 1 < length).then(|| text.char_at(at + 1));
        let input = Input { ch: text.char_at(at), next, is_last: last };
        let (count, reason) = match (encoding.encode)(state, input, out)? {
            Step::Done(count) => {
                at += count;
                continue;
            }
            Step::Incomplete if !last => break,
            Step::Invalid(count) => (count, ILLEGAL),
            Step::Incomplete => (length - at, INCOMPLETE),
        };
        at = encode_error(ts, encoding, state, text, [at, at + count], errors, reason, out)?;
    }
    Ok(at)
}

/// [`encode`] and bring the state back to the beginning.
pub(super) fn encode_all(
    ts: &ThreadState,
    encoding: &Encoding,
    state: &mut State,
    text: &PyStr,
    errors: &str,
    out: &mut Out,
) -> PyResult<()> {
    encode(ts, encoding, state, text, 0, errors, true, out)?;
    match encoding.end {
        Some(end) => end(state, out),
        None => Ok(()),
    }
}

fn encode_error(
    ts: &ThreadState,
    encoding: &Encoding,
    state: &mut State,
    text: &PyStr,
    [start, end]: [usize; 2],
    errors: &str,
    reason: &str,
    out: &mut Out,
) -> PyResult<usize> {
    match errors {
        "ignore" => return Ok(end),
        "replace" => {
            let input = Input { ch: '?' as u32, next: None, is_last: true };
            if !matches!((encoding.encode)(state, input, out)?, Step::Done(_)) {
                out.try_push(b'?')?;
            }
            return Ok(end);
        }
        _ => {}
    }
    let error = codec::new_encode_error(ts, encoding.name, text, start, end, reason)?;
    if errors == "strict" {
        return Err(ts.raise(error));
    }
    let (replacement, at) = call_multibyte_error_handler(ts, errors, &error)?;
    match replacement.downcast::<PyStr>() {
        Some(replacement) => {
            encode(ts, encoding, state, replacement, 0, "strict", true, out)?;
        }
        None => out.try_extend_from_slice(replacement.cast::<PyBytes>().as_slice())?,
    }
    Ok(at)
}

/// Decodes, and gives how far it got: to the end, unless more must be seen and `last` is false.
pub(super) fn decode(
    ts: &ThreadState,
    encoding: &Encoding,
    state: &mut State,
    bytes: &[u8],
    errors: &str,
    last: bool,
    text: &mut Text,
) -> PyResult<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let (count, reason) = match (encoding.decode)(state, &bytes[at..], text)? {
            Step::Done(count) => {
                at += count;
                continue;
            }
            Step::Incomplete if !last => break,
            Step::Invalid(count) => (count, ILLEGAL),
            Step::Incomplete => (bytes.len() - at, INCOMPLETE),
        };
        at = decode_error(ts, encoding, bytes, [at, at + count], errors, reason, text)?;
    }
    Ok(at)
}

fn decode_error(
    ts: &ThreadState,
    encoding: &Encoding,
    bytes: &[u8],
    [start, end]: [usize; 2],
    errors: &str,
    reason: &str,
    text: &mut Text,
) -> PyResult<usize> {
    match errors {
        "ignore" => return Ok(end),
        "replace" => {
            text.push_char(char::REPLACEMENT_CHARACTER as u32)?;
            return Ok(end);
        }
        _ => {}
    }
    let error = codec::new_decode_error(ts, encoding.name, bytes, start, end, reason)?;
    if errors == "strict" {
        return Err(ts.raise(error));
    }
    let (replacement, at) = call_multibyte_error_handler(ts, errors, &error)?;
    text.push(replacement.cast::<PyStr>())?;
    Ok(at)
}

/// The argument `errors`: a str, or None for `strict`.
pub(super) fn errors_argument(ts: &ThreadState, errors: Option<&PyObject>) -> PyResult<PyRef> {
    match errors.filter(|errors| !crate::types::none::is_none(errors)) {
        None => Ok(PyStr::intern(ts, "strict")?.into_object()),
        Some(errors) if errors.is_a::<PyStr>() => Ok(errors.new_ref()),
        Some(errors) => raise!(ts, exc::TypeError, "errors must be str or None, not {}", errors.type_name()),
    }
}

/// A text that is to be encoded: a str, or what another object's `str()` is.
pub(super) fn text_of(ts: &ThreadState, object: &PyObject) -> PyResult<PyRef> {
    if object.is_a::<PyStr>() {
        return Ok(object.new_ref());
    }
    let text = crate::object::protocol::str(ts, object)?;
    if text.as_object().is_a::<PyStr>() {
        return Ok(text.as_object().new_ref());
    }
    raise!(ts, exc::TypeError, "couldn't convert the object to str.")
}
