//! The iterator over sets and frozensets.

use core::cell::Cell;
use core::ops::ControlFlow;

use super::PySet;
use crate::object::def::{MethodDef, TypeSpec};
use crate::object::slots::TypeSlots;
use crate::object::visit::Visitor;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, Slot, StaticType, alloc, flags, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::reduce_to_iter;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;

/// An iterator over a set.
#[repr(C)]
pub struct PySetIter {
    ob_base: PyObject,
    /// The set; none at the end.
    set: Slot<PySet>,
    /// The set's size at the start; `usize::MAX` once it has changed.
    used: Cell<usize>,
    position: Cell<usize>,
    remaining: Cell<usize>,
}
crate::native!(PySetIter, SET_ITERATOR_TYPE);

/// `set_iterator`.
#[unsafe(export_name = "PySetIter_Type")]
pub static SET_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"set_iterator",
    basicsize: size_of::<PySetIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(iter_dealloc),
        traverse: Some(iter_traverse),
        iter: Some(iter_self),
        iternext: Some(iter_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", iter_length_hint, "How many items are left, as an estimate."),
        MethodDef::no_args("__reduce__", iter_reduce, "What pickle needs."),
    ],
    ..TypeSpec::EMPTY
});

impl PySetIter {
    /// A new iterator over a set.
    pub fn new(ts: &ThreadState, set: &PySet) -> PyResult {
        let iterator = alloc::exact::<PySetIter>(ts)?;
        iterator.set.set(Some(Ref::from_borrowed(set)));
        iterator.used.set(set.len());
        iterator.remaining.set(set.len());
        gc::track(ts, &*iterator);
        Ok(iterator.into_object())
    }
}

fn iter_next(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    // SAFETY: the slot is only in this type, which nothing derives from.
    let iterator = unsafe { object.cast_unchecked::<PySetIter>() };
    // SAFETY: nothing runs before the last use of the set but counting.
    let Some(set) = (unsafe { iterator.set.borrow() }) else { return Ok(None) };
    if iterator.used.get() != set.len() {
        return changed_size(ts, iterator);
    }
    let mut position = iterator.position.get();
    match set.next(&mut position) {
        Some(key) => {
            iterator.position.set(position);
            iterator.remaining.set(iterator.remaining.get().saturating_sub(1));
            Ok(Some(key))
        }
        None => {
            iterator.set.set(None);
            Ok(None)
        }
    }
}

#[cold]
fn changed_size(ts: &ThreadState, iterator: &PySetIter) -> PyResult<Option<PyRef>> {
    // It stays so, whatever the set's size becomes.
    iterator.used.set(usize::MAX);
    raise!(ts, exc::RuntimeError, "Set changed size during iteration")
}

unsafe fn iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the memory goes last.
    unsafe {
        gc::untrack(&*object);
        if let Some(set) = (*object.cast::<PySetIter>()).set.take() {
            set.release(ts);
        }
        alloc::free(ts, object);
    }
}

fn iter_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PySetIter>().set)
}

fn iter_self(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.new_ref())
}

fn iter_length_hint(ts: &ThreadState, object: &PyObject) -> PyResult {
    let iterator = object.cast::<PySetIter>();
    let left = match iterator.set.get() {
        Some(set) if iterator.used.get() == set.len() => iterator.remaining.get(),
        _ => 0,
    };
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn iter_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let iterator = object.cast::<PySetIter>();
    // A copy of the iterator is used up, so that this one stays where it is.
    let copy = alloc::exact::<PySetIter>(ts)?;
    copy.set.set(iterator.set.get());
    copy.used.set(iterator.used.get());
    copy.position.set(iterator.position.get());
    copy.remaining.set(iterator.remaining.get());
    gc::track(ts, &*copy);
    let rest = protocol::list_of(ts, copy.as_object())?;
    reduce_to_iter(ts, rest.as_object())
}
