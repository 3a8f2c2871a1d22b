//! `batched`: tuples of n items.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::iterator_type;
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyBatched {
    ob_base: PyObject,
    iterator: Slot<PyObject>,
    size: Cell<usize>,
    strict: Cell<bool>,
}

owns!(PyBatched: iterator);
iterator_type!(
    PyBatched,
    BATCHED_TYPE,
    "batched",
    Some(new),
    next,
    "batched(iterable, n, *, strict=False)\n--\n\nTuples of n items; the last one may be shorter, unless strict, which then is a ValueError."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("batched", ["iterable", "n", "strict"], 0, 2, 2);
    let [iterable, size, strict] = SIGNATURE.parse(ts, args)?;
    let size = protocol::as_isize(ts, size.unwrap_or(none()))?;
    let strict = match strict {
        Some(flag) => protocol::is_true(ts, flag)?,
        None => false,
    };
    if size < 1 {
        return raise!(ts, exc::ValueError, "n must be at least one");
    }
    let iterator = protocol::iter(ts, iterable.unwrap_or(none()))?;
    let this = alloc::object::<PyBatched>(ts, of)?;
    this.iterator.set(Some(iterator));
    this.size.set(size as usize);
    this.strict.set(strict);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyBatched>();
    let Some(iterator) = this.iterator.get() else { return Ok(None) };
    let size = this.size.get();
    let mut batch = TryVec::<PyRef>::new();
    batch.try_reserve(size)?;
    while batch.len() < size {
        match protocol::next(ts, &iterator)? {
            Some(item) => batch.try_push(item)?,
            None => break,
        }
    }
    if batch.len() < size {
        this.iterator.set(None);
        if batch.is_empty() {
            return Ok(None);
        }
        if this.strict.get() {
            return raise!(ts, exc::ValueError, "batched(): incomplete batch");
        }
    }
    Ok(Some(PyTuple::from_vec(ts, batch)?.into_object()))
}
