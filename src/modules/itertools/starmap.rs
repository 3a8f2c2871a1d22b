//! `starmap`: a function of each item, which is a tuple of its arguments.

use super::{iterator_type, positional};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, call, gc, protocol};
use crate::state::ThreadState;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyStarMap {
    ob_base: PyObject,
    function: Slot<PyObject>,
    iterator: Slot<PyObject>,
}

owns!(PyStarMap: function, iterator);
iterator_type!(
    PyStarMap,
    STARMAP_TYPE,
    "starmap",
    Some(new),
    next,
    "starmap(function, iterable, /)\n--\n\nfunction(*item) for each item."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &STARMAP_TYPE, args, 2, 2)?;
    let iterator = protocol::iter(ts, given[1])?;
    let this = alloc::object::<PyStarMap>(ts, of)?;
    this.function.set(Some(given[0].new_ref()));
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyStarMap>();
    let (Some(function), Some(iterator)) = (this.function.get(), this.iterator.get()) else { return Ok(None) };
    let Some(item) = protocol::next(ts, &iterator)? else { return Ok(None) };
    let arguments = PyTuple::from_iterable(ts, &item)?;
    call::call_with(ts, &function, arguments.items()).map(Some)
}
