//! `takewhile`: the items before the first one for which the predicate is false.

use core::cell::Cell;

use super::{iterator_type, positional};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, call, gc, protocol};
use crate::state::ThreadState;
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyTakeWhile {
    ob_base: PyObject,
    predicate: Slot<PyObject>,
    iterator: Slot<PyObject>,
    /// Whether the predicate has been false once.
    turned: Cell<bool>,
}

owns!(PyTakeWhile: predicate, iterator);
iterator_type!(
    PyTakeWhile,
    TAKEWHILE_TYPE,
    "takewhile",
    Some(new),
    next,
    "takewhile(predicate, iterable, /)\n--\n\nThe items before the first one for which predicate(item) is false."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &TAKEWHILE_TYPE, args, 2, 2)?;
    let iterator = protocol::iter(ts, given[1])?;
    let this = alloc::object::<PyTakeWhile>(ts, of)?;
    this.predicate.set(Some(given[0].new_ref()));
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyTakeWhile>();
    let (Some(predicate), Some(iterator)) = (this.predicate.get(), this.iterator.get()) else { return Ok(None) };
    if this.turned.get() {
        return Ok(None);
    }
    let Some(item) = protocol::next(ts, &iterator)? else { return Ok(None) };
    let answer = call::call_with(ts, &predicate, &[&item])?;
    if protocol::is_true(ts, &answer)? {
        return Ok(Some(item));
    }
    this.turned.set(true);
    Ok(None)
}
