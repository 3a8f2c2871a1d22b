//! `cycle`: the same items again and again.

use core::cell::Cell;

use super::{iterator_type, positional};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::list::PyList;
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyCycle {
    ob_base: PyObject,
    /// The iterator, none when it is used up.
    iterator: Slot<PyObject>,
    saved: Slot<PyList>,
    index: Cell<usize>,
}

owns!(PyCycle: iterator, saved);
iterator_type!(
    PyCycle,
    CYCLE_TYPE,
    "cycle",
    Some(new),
    next,
    "cycle(iterable, /)\n--\n\nThe items, and when they are used up the same ones again, without end."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &CYCLE_TYPE, args, 1, 1)?;
    let iterator = protocol::iter(ts, given[0])?;
    let saved = PyList::new(ts)?;
    let this = alloc::object::<PyCycle>(ts, of)?;
    this.iterator.set(Some(iterator));
    this.saved.set(Some(saved));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyCycle>();
    let Some(saved) = this.saved.get() else { return Ok(None) };
    if let Some(iterator) = this.iterator.get() {
        if let Some(item) = protocol::next(ts, &iterator)? {
            saved.append(ts, item.clone())?;
            return Ok(Some(item));
        }
        this.iterator.set(None);
    }
    let index = this.index.get();
    let item = saved.get(index);
    this.index.set(if index + 1 < saved.len() { index + 1 } else { 0 });
    Ok(item)
}
