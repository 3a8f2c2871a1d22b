//! The iterator over bytes.

use core::cell::Cell;

use super::PyBytes;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol,
};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::seqiter::{builtin, reduce_iterator};
use crate::types::tuple::PyTuple;

/// `bytes_iterator`.
#[repr(C)]
pub struct PyBytesIter {
    ob_base: PyObject,
    /// The bytes, none when the end has been reached.
    bytes: Slot<PyBytes>,
    index: Cell<usize>,
}

crate::native!(PyBytesIter, BYTES_ITERATOR_TYPE);
owns!(PyBytesIter: bytes);

/// The type of `iter(b"")`.
#[unsafe(export_name = "PyBytesIter_Type")]
pub static BYTES_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"bytes_iterator",
    basicsize: size_of::<PyBytesIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyBytesIter::slot_dealloc),
        traverse: Some(PyBytesIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(|ts, iterator| iterator.cast::<PyBytesIter>().next(ts)),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", length_hint, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyBytesIter {
    /// The next byte as an int.
    #[inline]
    pub fn next(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        let index = self.index.get();
        // SAFETY: the borrow ends before the slot is emptied.
        let byte = unsafe { self.bytes.borrow() }.and_then(|bytes| bytes.as_slice().get(index).copied());
        match byte {
            Some(byte) => {
                self.index.set(index + 1);
                PyInt::from_i64(ts, i64::from(byte)).map(Some)
            }
            None => {
                self.bytes.set(None);
                Ok(None)
            }
        }
    }
}

/// `tp_iter` of `bytes`.
pub(super) fn bytes_iter(ts: &ThreadState, bytes: &PyObject) -> PyResult {
    let iterator = alloc::exact::<PyBytesIter>(ts)?;
    iterator.bytes.set(Some(Ref::from_borrowed(bytes.cast::<PyBytes>())));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn length_hint(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyBytesIter>();
    let left = this.bytes.get().map_or(0, |bytes| bytes.len().saturating_sub(this.index.get()));
    PyInt::from_usize(ts, left)
}

fn reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyBytesIter>();
    let function = builtin(ts, "iter")?;
    match this.bytes.get() {
        Some(bytes) => reduce_iterator(ts, function, bytes.into_object(), Some(this.index.get())),
        None => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

fn setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PyBytesIter>();
    let index = protocol::as_isize(ts, state)?.max(0) as usize;
    if let Some(bytes) = this.bytes.get() {
        this.index.set(index.min(bytes.len()));
    }
    Ok(ts.none())
}
