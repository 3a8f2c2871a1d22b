//! The iterator over one-dimensional memory.

use core::cell::Cell;

use super::index::{item_format, place};
use super::{PyMemoryView, item};
use crate::object::{
    AsObject, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::owned::owns;

/// `memory_iterator`.
#[repr(C)]
pub struct PyMemoryIter {
    ob_base: PyObject,
    /// None when the end has been reached.
    memory: Slot<PyMemoryView>,
    index: Cell<isize>,
    length: Cell<isize>,
    code: Cell<u8>,
}

crate::native!(PyMemoryIter, MEMORY_ITERATOR_TYPE);
owns!(PyMemoryIter: memory);

/// The type of `iter(memoryview(b""))`.
pub static MEMORY_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"memory_iterator",
    basicsize: size_of::<PyMemoryIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyMemoryIter::slot_dealloc),
        traverse: Some(PyMemoryIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(next),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// `tp_iter` of `memoryview`.
pub(super) fn memory_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyMemoryView>();
    this.check(ts)?;
    let view = this.view();
    match view.ndim {
        0 => return raise!(ts, exc::TypeError, "invalid indexing of 0-dim memory"),
        1 => {}
        _ => return raise!(ts, exc::NotImplementedError, "multi-dimensional sub-views are not implemented"),
    }
    let code = item_format(ts, view)?;
    let iterator = alloc::exact::<PyMemoryIter>(ts)?;
    iterator.memory.set(Some(Ref::from_borrowed(this)));
    // SAFETY: a one-dimensional view has an extent.
    iterator.length.set(unsafe { *view.shape });
    iterator.code.set(code);
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    let this = iterator.cast::<PyMemoryIter>();
    // SAFETY: the borrow ends before the slot is emptied, and reading an item runs no other code.
    let Some(memory) = (unsafe { this.memory.borrow() }) else { return Ok(None) };
    let index = this.index.get();
    if index >= this.length.get() {
        this.memory.set(None);
        return Ok(None);
    }
    memory.check(ts)?;
    let at = place(ts, memory.view(), index)?;
    this.index.set(index + 1);
    // SAFETY: the place is one of an item of that format.
    unsafe { item::unpack(ts, this.code.get(), at) }.map(Some)
}
