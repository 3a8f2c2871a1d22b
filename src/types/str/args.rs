//! What the methods of `str` ask of their arguments.

use crate::object::{PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none;
use crate::types::slice::slice_index;

use super::layout::PyStr;

/// The argument as a string, or `"{method}() argument {number} must be str, not …"`.
#[inline]
pub(super) fn string<'a>(ts: &ThreadState, method: &str, number: &str, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast() {
        Some(text) => Ok(text),
        None => wrong_type(ts, method, number, object),
    }
}

#[cold]
fn wrong_type<T>(ts: &ThreadState, method: &str, number: &str, object: &PyObject) -> PyResult<T> {
    let gap = if number.is_empty() { "" } else { " " };
    raise!(ts, exc::TypeError, "{method}() argument{gap}{number} must be str, not {}", type_or_none(object))
}

/// The argument as a string, or `"must be str, not …"`.
pub(super) fn plain_string<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "must be str, not {}", object.type_name()),
    }
}

/// The name of an argument's type in clinic messages, which say "None" for None.
pub(super) fn type_or_none(object: &PyObject) -> &str {
    if object.is(none::none()) { "None" } else { object.type_name() }
}

/// The optional `start` and `end` of the searching methods, as positions in a text of `len` characters;
/// `start` may be past `end`, or even past the text.
#[inline]
pub(super) fn bounds(ts: &ThreadState, arguments: &[&PyObject], len: usize) -> PyResult<(usize, usize)> {
    let given = |index: usize| arguments.get(index).filter(|object| !object.is(none::none()));
    let from_end = |index: isize| match index {
        0.. => index as usize,
        _ => (len as isize).saturating_add(index).max(0) as usize,
    };
    let start = match given(0) {
        Some(object) => from_end(slice_index(ts, object)?),
        None => 0,
    };
    let end = match given(1) {
        Some(object) => from_end(slice_index(ts, object)?).min(len),
        None => len,
    };
    Ok((start, end))
}

/// A count: `__index__`, OverflowError when it does not fit.
#[inline]
pub(super) fn size(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    match object.downcast_exact::<PyInt>().and_then(PyInt::as_i64) {
        Some(value) => Ok(value as isize),
        None => protocol::as_isize(ts, object),
    }
}

/// An optional argument that goes on as a C string: TypeError when it is no string, ValueError when it has
/// a zero in it.
pub(super) fn c_string<'a>(
    ts: &ThreadState,
    method: &str,
    name: &str,
    value: Option<&'a PyObject>,
) -> PyResult<Option<&'a str>> {
    let Some(value) = value else { return Ok(None) };
    let Some(text) = value.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "{method}() argument '{name}' must be str, not {}", type_or_none(value));
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    text.utf8(ts).map(Some)
}
