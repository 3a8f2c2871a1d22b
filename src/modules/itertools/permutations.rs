//! `permutations`: the orders of r items.

use core::cell::Cell;

use super::numbers::Numbers;
use super::{emit, iterator_type};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyPermutations {
    ob_base: PyObject,
    pool: Slot<PyTuple>,
    result: Slot<PyTuple>,
    /// A permutation of all indices of the pool; the result shows the first `cycles` many.
    indices: Numbers,
    /// For each place, how many more items are to stand there before the place to its left moves on.
    cycles: Numbers,
    started: Cell<bool>,
    stopped: Cell<bool>,
}

owns!(PyPermutations: pool, result; numbers indices, cycles);
iterator_type!(
    PyPermutations,
    PERMUTATIONS_TYPE,
    "permutations",
    Some(new),
    next,
    "permutations(iterable, r=None)\n--\n\nAll orders of r of the items, of all of them by default: permutations('abc', 2) gives ab, ac, ba, bc, ca, cb."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("permutations", ["iterable", "r"], 0, 2, 1);
    let [iterable, r] = SIGNATURE.parse(ts, args)?;
    let pool = PyTuple::from_iterable(ts, iterable.unwrap_or(none()))?;
    let n = pool.len();
    let r = match r.filter(|r| !is_none(r)) {
        Some(r) if !r.is_a::<PyInt>() => return raise!(ts, exc::TypeError, "Expected int as r"),
        Some(r) => protocol::as_isize(ts, r)?,
        None => n as isize,
    };
    if r < 0 {
        return raise!(ts, exc::ValueError, "r must be non-negative");
    }
    let r = r as usize;
    let this = alloc::object::<PyPermutations>(ts, of)?;
    this.stopped.set(r > n);
    if r <= n {
        this.indices.fill(ts, n, |index| index)?;
        this.cycles.fill(ts, r, |index| n - index)?;
    }
    this.pool.set(Some(pool));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyPermutations>();
    let Some(pool) = this.pool.get().filter(|_| !this.stopped.get()) else { return Ok(None) };
    // SAFETY: nothing below runs Python code.
    let (indices, cycles) = unsafe { (this.indices.get(), this.cycles.get()) };
    let (n, r) = (indices.len(), cycles.len());
    let mut changed = 0;
    if this.started.replace(true) {
        let mut moved = None;
        for at in (0..r).rev() {
            cycles[at] -= 1;
            if cycles[at] == 0 {
                // All items have been here: the first one comes back, behind those it has made room for.
                indices[at..].rotate_left(1);
                cycles[at] = n - at;
            } else {
                indices.swap(at, n - cycles[at]);
                moved = Some(at);
                break;
            }
        }
        let Some(at) = moved else {
            this.stopped.set(true);
            this.result.set(None);
            return Ok(None);
        };
        changed = at;
    }
    Ok(Some(emit(ts, &this.result, &pool, &indices[..r], changed)?.into_object()))
}
