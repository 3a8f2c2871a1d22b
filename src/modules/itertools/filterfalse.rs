//! `filterfalse`: the items for which the predicate is false.

use super::{iterator_type, positional};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::filter::satisfies;
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyFilterFalse {
    ob_base: PyObject,
    predicate: Slot<PyObject>,
    iterator: Slot<PyObject>,
}

owns!(PyFilterFalse: predicate, iterator);
iterator_type!(
    PyFilterFalse,
    FILTERFALSE_TYPE,
    "filterfalse",
    Some(new),
    next,
    "filterfalse(function, iterable, /)\n--\n\nThe items for which function(item) is false; with None, the items that are false."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &FILTERFALSE_TYPE, args, 2, 2)?;
    let iterator = protocol::iter(ts, given[1])?;
    let this = alloc::object::<PyFilterFalse>(ts, of)?;
    this.predicate.set(Some(given[0].new_ref()));
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyFilterFalse>();
    let (Some(predicate), Some(iterator)) = (this.predicate.get(), this.iterator.get()) else { return Ok(None) };
    while let Some(item) = protocol::next(ts, &iterator)? {
        if !satisfies(ts, &predicate, &item)? {
            return Ok(Some(item));
        }
    }
    Ok(None)
}
