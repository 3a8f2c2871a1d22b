//! The methods that look for something.

use super::algorithms;
use super::shared::{Bounds, ByteString, bytes_like, needle, of, part};
use crate::object::{PyObject, PyRef, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// The place of the first argument in `this`, by one of the two searches.
#[inline]
fn look<B: ByteString>(
    ts: &ThreadState,
    name: &str,
    this: &PyObject,
    args: &[&PyObject],
    search: fn(&[u8], &[u8], usize, usize) -> Option<usize>,
) -> PyResult<Option<usize>> {
    call::check_count(ts, name, args.len(), 1, 3)?;
    let bounds = Bounds::read(ts, &args[1..])?;
    let needle = needle(ts, args[0])?;
    let data = of::<B>(this);
    let (start, end) = bounds.clip(data.len());
    Ok(search(&data, &needle, start, end))
}

fn or_minus_one(ts: &ThreadState, at: Option<usize>) -> PyResult {
    PyInt::from_i64(ts, at.map_or(-1, |at| at as i64))
}

fn or_error(ts: &ThreadState, at: Option<usize>) -> PyResult {
    match at {
        Some(at) => PyInt::from_usize(ts, at),
        None => raise!(ts, exc::ValueError, "subsection not found"),
    }
}

/// `find`.
pub(crate) fn find<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    or_minus_one(ts, look::<B>(ts, "find", this, args, algorithms::find)?)
}

/// `rfind`.
pub(crate) fn rfind<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    or_minus_one(ts, look::<B>(ts, "rfind", this, args, algorithms::rfind)?)
}

/// `index`.
pub(crate) fn index<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    or_error(ts, look::<B>(ts, "index", this, args, algorithms::find)?)
}

/// `rindex`.
pub(crate) fn rindex<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    or_error(ts, look::<B>(ts, "rindex", this, args, algorithms::rfind)?)
}

/// `count`.
pub(crate) fn count<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "count", args.len(), 1, 3)?;
    let bounds = Bounds::read(ts, &args[1..])?;
    let needle = needle(ts, args[0])?;
    let data = of::<B>(this);
    let (start, end) = bounds.clip(data.len());
    PyInt::from_usize(ts, algorithms::count(&data, &needle, start, end))
}

/// `sq_contains`.
pub(crate) fn contains<B: ByteString>(ts: &ThreadState, this: &PyObject, value: &PyObject) -> PyResult<bool> {
    if protocol::is_index(value) {
        match protocol::as_isize_clamped(ts, value) {
            Ok(byte) => match u8::try_from(byte) {
                Ok(byte) => return Ok(algorithms::find(&of::<B>(this), &[byte], 0, of::<B>(this).len()).is_some()),
                Err(_) => return raise!(ts, exc::ValueError, "byte must be in range(0, 256)"),
            },
            Err(raised) if ts.raised_matches(&exc::MemoryError) => return Err(raised),
            Err(raised) => ts.clear_raised(raised),
        }
    }
    let needle = bytes_like(ts, value)?;
    let data = of::<B>(this);
    Ok(algorithms::find(&data, &needle, 0, data.len()).is_some())
}

fn matches<B: ByteString>(
    ts: &ThreadState,
    this: &PyObject,
    what: &PyObject,
    bounds: Bounds,
    at_end: bool,
) -> PyResult<bool> {
    let what = bytes_like(ts, what)?;
    let data = of::<B>(this);
    let (start, end) = bounds.clip(data.len());
    if start > end {
        return Ok(false);
    }
    let data = &data[start..end];
    Ok(if at_end { data.ends_with(&what) } else { data.starts_with(&what) })
}

fn tail_match<B: ByteString>(
    ts: &ThreadState,
    name: &str,
    this: &PyObject,
    args: &[&PyObject],
    at_end: bool,
) -> PyResult {
    call::check_count(ts, name, args.len(), 1, 3)?;
    let bounds = Bounds::read(ts, &args[1..])?;
    if let Some(tuple) = args[0].downcast::<PyTuple>() {
        for what in tuple.items() {
            if matches::<B>(ts, this, what, bounds, at_end)? {
                return Ok(py_bool(true));
            }
        }
        return Ok(py_bool(false));
    }
    match matches::<B>(ts, this, args[0], bounds, at_end) {
        Ok(found) => Ok(py_bool(found)),
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            raise!(
                ts,
                exc::TypeError,
                "{name} first arg must be bytes or a tuple of bytes, not {}",
                args[0].type_name()
            )
        }
        Err(raised) => Err(raised),
    }
}

/// `startswith`.
pub(crate) fn startswith<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    tail_match::<B>(ts, "startswith", this, args, false)
}

/// `endswith`.
pub(crate) fn endswith<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    tail_match::<B>(ts, "endswith", this, args, true)
}

/// `removeprefix`.
pub(crate) fn removeprefix<B: ByteString>(ts: &ThreadState, this: &PyObject, prefix: &PyObject) -> PyResult<PyRef> {
    let prefix = bytes_like(ts, prefix)?;
    let data = of::<B>(this);
    let start = if data.starts_with(&prefix) { prefix.len() } else { 0 };
    part::<B>(ts, this, &data, start, data.len())
}

/// `removesuffix`.
pub(crate) fn removesuffix<B: ByteString>(ts: &ThreadState, this: &PyObject, suffix: &PyObject) -> PyResult<PyRef> {
    let suffix = bytes_like(ts, suffix)?;
    let data = of::<B>(this);
    let end = if data.ends_with(&suffix) { data.len() - suffix.len() } else { data.len() };
    part::<B>(ts, this, &data, 0, end)
}
