//! The iterator over an array.

use core::cell::Cell;

use super::PyArray;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol,
};
use crate::state::ThreadState;
use crate::types::owned::owns;
use crate::types::seqiter::{builtin, reduce_iterator};
use crate::types::tuple::PyTuple;

/// `arrayiterator`.
#[repr(C)]
pub struct PyArrayIter {
    ob_base: PyObject,
    /// None when the end has been reached.
    array: Slot<PyArray>,
    index: Cell<usize>,
}

crate::native!(PyArrayIter, ARRAY_ITERATOR_TYPE);
owns!(PyArrayIter: array);

/// The type of `iter(array('b'))`.
pub static ARRAY_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"array.arrayiterator",
    basicsize: size_of::<PyArrayIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyArrayIter::slot_dealloc),
        traverse: Some(PyArrayIter::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "__reduce__",
            reduce,
            "__reduce__($self, /)\n--\n\nWhat pickle needs to make the object again.",
        ),
        MethodDef::one(
            "__setstate__",
            setstate,
            "__setstate__($self, state, /)\n--\n\nGoes on from a state that __reduce__ has given.",
        ),
    ],
    ..TypeSpec::EMPTY
});

/// `tp_iter`.
pub(super) fn array_iter(ts: &ThreadState, array: &PyObject) -> PyResult {
    let made = alloc::exact::<PyArrayIter>(ts)?;
    made.array.set(Some(Ref::from_borrowed(array.cast::<PyArray>())));
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyArrayIter>();
    // SAFETY: the borrow ends before the slot is emptied.
    let Some(array) = (unsafe { this.array.borrow() }) else { return Ok(None) };
    let item = array.get(ts, this.index.get())?;
    match item {
        Some(_) => this.index.set(this.index.get() + 1),
        None => this.array.set(None),
    }
    Ok(item)
}

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyArrayIter>();
    let function = builtin(ts, "iter")?;
    match this.array.get() {
        Some(array) => reduce_iterator(ts, function, array.into_object(), Some(this.index.get())),
        None => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

fn setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let this = this.cast::<PyArrayIter>();
    let index = protocol::as_isize(ts, state)?.max(0) as usize;
    if let Some(array) = this.array.get() {
        this.index.set(index.min(array.len()));
    }
    Ok(ts.none())
}
