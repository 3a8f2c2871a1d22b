//! `chain`: one iterable after the other.

use super::{iterator_type, positional};
use crate::object::AsObject;
use crate::object::{Args, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::genericalias;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyChain {
    ob_base: PyObject,
    /// Iterates over the iterables; none when they are used up.
    source: Slot<PyObject>,
    /// Iterates over one of them.
    active: Slot<PyObject>,
}

owns!(PyChain: source, active);
iterator_type!(
    PyChain,
    CHAIN_TYPE,
    "chain",
    Some(new),
    next,
    "chain(*iterables)\n--\n\nThe items of the first iterable, then those of the second, and so on.",
    slots {},
    spec {
        methods: &[
            MethodDef::one(
                "from_iterable",
                from_iterable,
                "from_iterable($type, iterable, /)\n--\n\nThe same with the iterables taken from an iterable, one when it is needed.",
            )
            .class(),
            MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
        ],
    }
);

fn make(ts: &ThreadState, of: &PyTypeObject, iterables: &PyObject) -> PyResult {
    let source = protocol::iter(ts, iterables)?;
    let this = alloc::object::<PyChain>(ts, of)?;
    this.source.set(Some(source));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let iterables = positional(ts, of, &CHAIN_TYPE, args, 0, usize::MAX)?;
    make(ts, of, PyTuple::new(ts, iterables)?.as_object())
}

fn from_iterable(ts: &ThreadState, class: &PyObject, iterables: &PyObject) -> PyResult {
    make(ts, class.cast::<PyTypeObject>(), iterables)
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyChain>();
    while let Some(source) = this.source.get() {
        let active = match this.active.get() {
            Some(active) => active,
            None => {
                let iterable = match protocol::next(ts, &source) {
                    Ok(Some(iterable)) => iterable,
                    other => {
                        this.source.set(None);
                        return other;
                    }
                };
                match protocol::iter(ts, &iterable) {
                    Ok(active) => {
                        this.active.set(Some(active.clone()));
                        active
                    }
                    Err(raised) => {
                        // The exception stays set while the source is dropped.
                        let exception = ts.take_raised(raised);
                        this.source.set(None);
                        return Err(ts.restore_raised(exception));
                    }
                }
            }
        };
        if let Some(item) = protocol::next(ts, &active)? {
            return Ok(Some(item));
        }
        this.active.set(None);
    }
    Ok(None)
}
