//! `combinations_with_replacement`: the multisets of r items, in order.

use core::cell::Cell;

use super::numbers::Numbers;
use super::{emit, iterator_type};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyCombinationsWithReplacement {
    ob_base: PyObject,
    pool: Slot<PyTuple>,
    result: Slot<PyTuple>,
    /// Indices into the pool, none below the one before it.
    indices: Numbers,
    started: Cell<bool>,
    stopped: Cell<bool>,
}

owns!(PyCombinationsWithReplacement: pool, result; numbers indices);
iterator_type!(
    PyCombinationsWithReplacement,
    COMBINATIONS_WITH_REPLACEMENT_TYPE,
    "combinations_with_replacement",
    Some(new),
    next,
    "combinations_with_replacement(iterable, r)\n--\n\nAll ways to choose r items, each as often as you like: of 'ab' and 2, aa, ab, bb."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("combinations_with_replacement", ["iterable", "r"], 0, 2, 2);
    let [iterable, r] = SIGNATURE.parse(ts, args)?;
    let r = protocol::as_isize(ts, r.unwrap_or(none()))?;
    let pool = PyTuple::from_iterable(ts, iterable.unwrap_or(none()))?;
    if r < 0 {
        return raise!(ts, exc::ValueError, "r must be non-negative");
    }
    let this = alloc::object::<PyCombinationsWithReplacement>(ts, of)?;
    this.indices.fill(ts, r as usize, |_| 0)?;
    this.stopped.set(pool.is_empty() && r > 0);
    this.pool.set(Some(pool));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyCombinationsWithReplacement>();
    let Some(pool) = this.pool.get().filter(|_| !this.stopped.get()) else { return Ok(None) };
    // SAFETY: nothing below runs Python code.
    let indices = unsafe { this.indices.get() };
    let mut changed = 0;
    if this.started.replace(true) {
        let Some(at) = (0..indices.len()).rev().find(|at| indices[*at] != pool.len() - 1) else {
            this.stopped.set(true);
            this.result.set(None);
            return Ok(None);
        };
        let index = indices[at] + 1;
        indices[at..].fill(index);
        changed = at;
    }
    Ok(Some(emit(ts, &this.result, &pool, indices, changed)?.into_object()))
}
