//! The iterator over a bytearray.

use core::cell::Cell;

use super::PyByteArray;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol,
};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::seqiter::{builtin, reduce_iterator};
use crate::types::tuple::PyTuple;

/// `bytearray_iterator`.
#[repr(C)]
pub struct PyByteArrayIter {
    ob_base: PyObject,
    /// The bytearray, none when the end has been reached.
    array: Slot<PyByteArray>,
    index: Cell<usize>,
}

crate::native!(PyByteArrayIter, BYTEARRAY_ITERATOR_TYPE);
owns!(PyByteArrayIter: array);

/// The type of `iter(bytearray())`.
#[unsafe(export_name = "PyByteArrayIter_Type")]
pub static BYTEARRAY_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"bytearray_iterator",
    basicsize: size_of::<PyByteArrayIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyByteArrayIter::slot_dealloc),
        traverse: Some(PyByteArrayIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(|ts, iterator| iterator.cast::<PyByteArrayIter>().next(ts)),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", length_hint, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyByteArrayIter {
    /// The next byte as an int.
    #[inline]
    pub fn next(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        let index = self.index.get();
        // SAFETY: the borrow ends before the slot is emptied.
        let byte = unsafe { self.array.borrow() }.and_then(|array| array.get(index));
        match byte {
            Some(byte) => {
                self.index.set(index + 1);
                PyInt::from_i64(ts, i64::from(byte)).map(Some)
            }
            None => {
                self.array.set(None);
                Ok(None)
            }
        }
    }
}

/// `tp_iter` of `bytearray`.
pub(super) fn bytearray_iter(ts: &ThreadState, array: &PyObject) -> PyResult {
    let iterator = alloc::exact::<PyByteArrayIter>(ts)?;
    iterator.array.set(Some(Ref::from_borrowed(array.cast::<PyByteArray>())));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn length_hint(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyByteArrayIter>();
    let left = this.array.get().map_or(0, |array| array.len().saturating_sub(this.index.get()));
    PyInt::from_usize(ts, left)
}

fn reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyByteArrayIter>();
    let function = builtin(ts, "iter")?;
    match this.array.get() {
        Some(array) => reduce_iterator(ts, function, array.into_object(), Some(this.index.get())),
        None => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

fn setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PyByteArrayIter>();
    let index = protocol::as_isize(ts, state)?.max(0) as usize;
    if let Some(array) = this.array.get() {
        this.index.set(index.min(array.len()));
    }
    Ok(ts.none())
}
