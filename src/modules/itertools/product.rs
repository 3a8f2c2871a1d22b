//! `product`: nested loops as one.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::iterator_type;
use super::numbers::Numbers;
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyProduct {
    ob_base: PyObject,
    /// A tuple of tuples.
    pools: Slot<PyTuple>,
    result: Slot<PyTuple>,
    /// One index per pool.
    indices: Numbers,
    started: Cell<bool>,
    stopped: Cell<bool>,
}

owns!(PyProduct: pools, result; numbers indices);
iterator_type!(
    PyProduct,
    PRODUCT_TYPE,
    "product",
    Some(new),
    next,
    "product(*iterables, repeat=1)\n--\n\nAll tuples with one item of each iterable, the last one changing fastest; repeat counts the iterables that many times.",
    slots {},
    spec {
        methods: &[crate::object::MethodDef::no_args(
            "__sizeof__",
            |ts, this| {
                let count = this.cast::<PyProduct>().pools.get().map_or(0, |pools| pools.len());
                let size = this.ob_type().basicsize() + count * size_of::<usize>();
                Ok(crate::types::int::PyInt::from_usize(ts, size)?.into_object())
            },
            "The size in memory, in bytes.",
        )],
    }
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("product", ["repeat"], 0, 0, 0);
    let mut repeat = 1;
    if args.has_keywords() {
        let keywords = Args::new(&args.all()[args.len()..], args.keyword_names());
        if let [Some(given)] = SIGNATURE.parse(ts, keywords)? {
            repeat = protocol::as_isize(ts, given)?;
            if repeat < 0 {
                return raise!(ts, exc::ValueError, "repeat argument cannot be negative");
            }
        }
    }
    let iterables = if repeat == 0 { &[] } else { args.positional() };
    let repeat = repeat as usize;
    let Some(count) = iterables.len().checked_mul(repeat).filter(|n| *n <= isize::MAX as usize / size_of::<usize>())
    else {
        return raise!(ts, exc::OverflowError, "repeat argument too large");
    };
    let mut pools = TryVec::<PyRef>::new();
    pools.try_reserve(count)?;
    for iterable in iterables {
        pools.try_push(PyTuple::from_iterable(ts, iterable)?.into_object())?;
    }
    for index in iterables.len()..count {
        let again = pools[index - iterables.len()].clone();
        pools.try_push(again)?;
    }
    let empty = pools.iter().any(|pool| pool.cast::<PyTuple>().is_empty());
    let pools = PyTuple::from_vec(ts, pools)?;
    let this = alloc::object::<PyProduct>(ts, of)?;
    this.indices.fill(ts, count, |_| 0)?;
    this.stopped.set(empty);
    this.pools.set(Some(pools));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyProduct>();
    let Some(pools) = this.pools.get().filter(|_| !this.stopped.get()) else { return Ok(None) };
    // SAFETY: nothing below runs Python code.
    let indices = unsafe { this.indices.get() };
    let pool = |at: usize| pools.items()[at].cast::<PyTuple>().items();
    let mut changed = 0;
    if this.started.replace(true) {
        let mut moved = None;
        for at in (0..indices.len()).rev() {
            indices[at] += 1;
            if indices[at] < pool(at).len() {
                moved = Some(at);
                break;
            }
            indices[at] = 0;
        }
        let Some(at) = moved else {
            this.stopped.set(true);
            this.result.set(None);
            return Ok(None);
        };
        changed = at;
    }
    // SAFETY: the borrow is used only to look at the count.
    let unused =
        unsafe { this.result.borrow() }.is_some_and(|tuple| tuple.as_object().is_unique() && !tuple.is_empty());
    if unused && let Some(result) = this.result.get() {
        for at in changed..indices.len() {
            // SAFETY: one item per pool, and only this iterator has the tuple; what drops out is in the pool as well.
            drop(unsafe { result.replace_item(at, pool(at)[indices[at]].new_ref()) });
        }
        gc::track_again(ts, &result);
        return Ok(Some(result.into_object()));
    }
    let result = PyTuple::uninit(ts, indices.len())?;
    for (at, index) in indices.iter().enumerate() {
        // SAFETY: each place is filled once, before anything else happens.
        unsafe { result.set_item(at, pool(at)[*index].new_ref()) };
    }
    this.result.set(Some(result.clone()));
    Ok(Some(result.into_object()))
}
