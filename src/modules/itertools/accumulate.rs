//! `accumulate`: running totals.

use super::iterator_type;
use crate::object::{
    Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, call, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::none::{is_none, none};
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyAccumulate {
    ob_base: PyObject,
    /// What has been reached so far; none before the first item.
    total: Slot<PyObject>,
    iterator: Slot<PyObject>,
    /// None is addition.
    function: Slot<PyObject>,
    /// A first item that has not been handed out yet.
    initial: Slot<PyObject>,
}

owns!(PyAccumulate: total, iterator, function, initial);
iterator_type!(
    PyAccumulate,
    ACCUMULATE_TYPE,
    "accumulate",
    Some(new),
    next,
    "accumulate(iterable, func=None, *, initial=None)\n--\n\nThe first item, then func of the last result and each next item; func is addition by default."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("accumulate", ["iterable", "func", "initial"], 0, 2, 1);
    let [iterable, function, initial] = SIGNATURE.parse(ts, args)?;
    let iterator = protocol::iter(ts, iterable.unwrap_or(none()))?;
    let this = alloc::object::<PyAccumulate>(ts, of)?;
    this.iterator.set(Some(iterator));
    this.function.set(function.filter(|function| !is_none(function)).map(AsObject::new_ref));
    this.initial.set(initial.filter(|initial| !is_none(initial)).map(AsObject::new_ref));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyAccumulate>();
    if let Some(initial) = this.initial.take() {
        this.total.set(Some(initial.clone()));
        return Ok(Some(initial));
    }
    let Some(iterator) = this.iterator.get() else { return Ok(None) };
    let Some(item) = protocol::next(ts, &iterator)? else { return Ok(None) };
    let total = match (this.total.get(), this.function.get()) {
        (None, _) => item,
        (Some(total), None) => protocol::add(ts, &total, &item)?,
        (Some(total), Some(function)) => call::call_with(ts, &function, &[&total, &item])?,
    };
    this.total.set(Some(total.clone()));
    Ok(Some(total))
}
