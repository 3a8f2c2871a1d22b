//! `pairwise`: each item with the one after it.

use super::{iterator_type, positional};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::owned::owns;
use crate::types::seqiter::refill;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyPairwise {
    ob_base: PyObject,
    /// None when the end has been reached.
    iterator: Slot<PyObject>,
    old: Slot<PyObject>,
    result: Slot<PyTuple>,
}

owns!(PyPairwise: iterator, old, result);
iterator_type!(
    PyPairwise,
    PAIRWISE_TYPE,
    "pairwise",
    Some(new),
    next,
    "pairwise(iterable, /)\n--\n\nOverlapping pairs: (s0, s1), (s1, s2), (s2, s3), and so on."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &PAIRWISE_TYPE, args, 1, 1)?;
    let iterator = protocol::iter(ts, given[0])?;
    let this = alloc::object::<PyPairwise>(ts, of)?;
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyPairwise>();
    let Some(mut iterator) = this.iterator.get() else { return Ok(None) };
    let old = match this.old.get() {
        Some(old) => old,
        None => {
            let Some(first) = protocol::next(ts, &iterator)? else {
                this.iterator.set(None);
                return Ok(None);
            };
            this.old.set(Some(first.clone()));
            // Getting it may have used the iterator up.
            match this.iterator.get() {
                Some(again) => iterator = again,
                None => {
                    this.old.set(None);
                    return Ok(None);
                }
            }
            first
        }
    };
    let Some(new) = protocol::next(ts, &iterator)? else {
        this.iterator.set(None);
        this.old.set(None);
        return Ok(None);
    };
    let result = refill(ts, &this.result, [old, new.clone()])?;
    this.old.set(Some(new));
    Ok(Some(result.into_object()))
}
