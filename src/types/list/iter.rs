//! Iterators over lists, forward and backward. Both see changes of the list while they run.

use core::cell::Cell;

use super::PyList;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol,
};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::seqiter::{builtin, reduce_iterator};

/// `list_iterator`.
#[repr(C)]
pub struct PyListIter {
    ob_base: PyObject,
    /// The list, none when the end has been reached.
    list: Slot<PyList>,
    index: Cell<usize>,
}

crate::native!(PyListIter, LIST_ITERATOR_TYPE);
owns!(PyListIter: list);

/// The type of `iter([])`.
#[unsafe(export_name = "PyListIter_Type")]
pub static LIST_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"list_iterator",
    basicsize: size_of::<PyListIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyListIter::slot_dealloc),
        traverse: Some(PyListIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(|ts, iterator| Ok(iterator.cast::<PyListIter>().next(ts))),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", forward_len, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", forward_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", forward_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyListIter {
    /// The next item; what the iteration's fast path calls.
    #[inline(always)]
    pub fn next(&self, ts: &ThreadState) -> Option<PyRef> {
        // SAFETY: the borrow ends before the slot is emptied.
        let item = unsafe { self.list.borrow() }?.get(self.index.get());
        if item.is_some() {
            self.index.set(self.index.get() + 1);
        } else if let Some(list) = self.list.take() {
            list.release(ts);
        }
        item
    }
}

pub(super) fn list_iter(ts: &ThreadState, list: &PyObject) -> PyResult {
    let iterator = alloc::object::<PyListIter>(ts, &LIST_ITERATOR_TYPE)?;
    iterator.list.set(Some(Ref::from_borrowed(list.cast::<PyList>())));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn forward_len(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListIter>();
    let left = this.list.get().map_or(0, |list| list.len().saturating_sub(this.index.get()));
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn forward_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListIter>();
    let function = builtin(ts, "iter")?;
    match this.list.get() {
        Some(list) => reduce_iterator(ts, function, list.into_object(), Some(this.index.get())),
        None => reduce_iterator(ts, function, PyList::new(ts)?.into_object(), None),
    }
}

fn forward_setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListIter>();
    let index = protocol::as_isize(ts, state)?.max(0) as usize;
    if let Some(list) = this.list.get() {
        this.index.set(index.min(list.len()));
    }
    Ok(ts.none())
}

/// `list_reverseiterator`.
#[repr(C)]
pub struct PyListReverseIter {
    ob_base: PyObject,
    list: Slot<PyList>,
    /// The index of the next item, -1 at the end.
    index: Cell<isize>,
}

crate::native!(PyListReverseIter, LIST_REVERSE_ITERATOR_TYPE);
owns!(PyListReverseIter: list);

/// The type of `reversed([])`.
#[unsafe(export_name = "PyListRevIter_Type")]
pub static LIST_REVERSE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"list_reverseiterator",
    basicsize: size_of::<PyListReverseIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyListReverseIter::slot_dealloc),
        traverse: Some(PyListReverseIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(reverse_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", reverse_len, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", reverse_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", reverse_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

pub(super) fn list_reversed(ts: &ThreadState, list: &PyObject) -> PyResult {
    let list = list.cast::<PyList>();
    let iterator = alloc::object::<PyListReverseIter>(ts, &LIST_REVERSE_ITERATOR_TYPE)?;
    iterator.index.set(list.len() as isize - 1);
    iterator.list.set(Some(Ref::from_borrowed(list)));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn reverse_next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    let this = iterator.cast::<PyListReverseIter>();
    let index = this.index.get();
    // SAFETY: the borrow ends before the slot is emptied.
    let item = match unsafe { this.list.borrow() } {
        Some(list) if index >= 0 => list.get(index as usize),
        _ => None,
    };
    if item.is_some() {
        this.index.set(index - 1);
    } else {
        this.index.set(-1);
        if let Some(list) = this.list.take() {
            list.release(ts);
        }
    }
    Ok(item)
}

fn reverse_len(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListReverseIter>();
    let left = (this.index.get() + 1) as usize;
    let left = match this.list.get() {
        Some(list) if list.len() >= left => left,
        _ => 0,
    };
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn reverse_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListReverseIter>();
    let function = builtin(ts, "reversed")?;
    match this.list.get() {
        Some(list) if this.index.get() >= 0 => {
            reduce_iterator(ts, function, list.into_object(), Some(this.index.get() as usize))
        }
        _ => reduce_iterator(ts, function, PyList::new(ts)?.into_object(), None),
    }
}

fn reverse_setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PyListReverseIter>();
    let index = protocol::as_isize(ts, state)?;
    if let Some(list) = this.list.get() {
        this.index.set(index.clamp(-1, list.len() as isize - 1));
    }
    Ok(ts.none())
}
