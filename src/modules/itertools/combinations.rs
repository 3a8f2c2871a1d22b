//! `combinations`: the subsets of r items, in order.

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
pub(super) struct PyCombinations {
    ob_base: PyObject,
    pool: Slot<PyTuple>,
    result: Slot<PyTuple>,
    /// Ascending indices into the pool.
    indices: Numbers,
    started: Cell<bool>,
    stopped: Cell<bool>,
}

owns!(PyCombinations: pool, result; numbers indices);
iterator_type!(
    PyCombinations,
    COMBINATIONS_TYPE,
    "combinations",
    Some(new),
    next,
    "combinations(iterable, r)\n--\n\nAll ways to choose r of the items, as tuples: combinations('abc', 2) gives ab, ac, bc."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("combinations", ["iterable", "r"], 0, 2, 2);
    let [iterable, r] = SIGNATURE.parse(ts, args)?;
    let r = protocol::as_isize(ts, r.unwrap_or(none()))?;
    let pool = PyTuple::from_iterable(ts, iterable.unwrap_or(none()))?;
    if r < 0 {
        return raise!(ts, exc::ValueError, "r must be non-negative");
    }
    let r = r as usize;
    let this = alloc::object::<PyCombinations>(ts, of)?;
    this.stopped.set(r > pool.len());
    if r <= pool.len() {
        this.indices.fill(ts, r, |index| index)?;
    }
    this.pool.set(Some(pool));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyCombinations>();
    let Some(pool) = this.pool.get().filter(|_| !this.stopped.get()) else { return Ok(None) };
    // SAFETY: nothing below runs Python code.
    let indices = unsafe { this.indices.get() };
    let mut changed = 0;
    if this.started.replace(true) {
        let (n, r) = (pool.len(), indices.len());
        // The last index that can still move up.
        let Some(at) = (0..r).rev().find(|at| indices[*at] != at + n - r) else {
            this.stopped.set(true);
            this.result.set(None);
            return Ok(None);
        };
        indices[at] += 1;
        for later in at + 1..r {
            indices[later] = indices[later - 1] + 1;
        }
        changed = at;
    }
    Ok(Some(emit(ts, &this.result, &pool, indices, changed)?.into_object()))
}
