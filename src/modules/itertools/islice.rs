//! `islice`: a slice of an iterator.

use core::cell::Cell;

use super::{iterator_type, positional};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyISlice {
    ob_base: PyObject,
    /// None when the end has been reached.
    iterator: Slot<PyObject>,
    /// The index of the next item to hand out.
    next: Cell<isize>,
    /// The index to stop at, -1 for none.
    stop: Cell<isize>,
    step: Cell<isize>,
    /// How many items have been read.
    read: Cell<isize>,
}

owns!(PyISlice: iterator);
iterator_type!(
    PyISlice,
    ISLICE_TYPE,
    "islice",
    Some(new),
    next,
    "islice(iterable, stop)\nislice(iterable, start, stop[, step])\n\nThe items that seq[start:stop:step] would have; no index can be negative."
);

/// An index that is an int of the right range, or the default for None.
fn index(ts: &ThreadState, object: &PyObject, default: isize, message: &str) -> PyResult<isize> {
    if is_none(object) {
        return Ok(default);
    }
    match protocol::as_isize(ts, object) {
        Ok(value) if value >= 0 => Ok(value),
        Ok(_) => raise!(ts, exc::ValueError, "{message}"),
        Err(raised) => {
            ts.clear_raised(raised);
            raise!(ts, exc::ValueError, "{message}")
        }
    }
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    const STOP: &str = "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const INDICES: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const STEP: &str = "Step for islice() must be a positive integer or None.";
    let given = positional(ts, of, &ISLICE_TYPE, args, 2, 4)?;
    let (start, stop) = match *given {
        [_, stop] => (0, index(ts, stop, -1, STOP)?),
        _ => {
            let stop = index(ts, given[2], -1, STOP)?;
            (index(ts, given[1], 0, INDICES)?, stop)
        }
    };
    let step = match given.get(3) {
        Some(step) => index(ts, step, 1, STEP)?,
        None => 1,
    };
    if step < 1 {
        return raise!(ts, exc::ValueError, "{STEP}");
    }
    let iterator = protocol::iter(ts, given[0])?;
    let this = alloc::object::<PyISlice>(ts, of)?;
    this.iterator.set(Some(iterator));
    this.next.set(start);
    this.stop.set(stop);
    this.step.set(step);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyISlice>();
    let Some(iterator) = this.iterator.get() else { return Ok(None) };
    let stop = this.stop.get();
    while this.read.get() < this.next.get() {
        match protocol::next(ts, &iterator)? {
            Some(skipped) => skipped.release(ts),
            None => {
                this.iterator.set(None);
                return Ok(None);
            }
        }
        this.read.set(this.read.get() + 1);
    }
    if stop != -1 && this.read.get() >= stop {
        this.iterator.set(None);
        return Ok(None);
    }
    let Some(item) = protocol::next(ts, &iterator)? else {
        this.iterator.set(None);
        return Ok(None);
    };
    this.read.set(this.read.get() + 1);
    let after = this.next.get().checked_add(this.step.get());
    this.next.set(match after {
        Some(after) if stop == -1 || after <= stop => after,
        None if stop == -1 => isize::MAX,
        _ => stop,
    });
    Ok(Some(item))
}
