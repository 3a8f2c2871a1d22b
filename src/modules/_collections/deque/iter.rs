//! The two iterators over deques.

use core::cell::Cell;

use super::{DEQUE_TYPE, PyDeque};
use crate::object::{
    Args, AsObject, MethodDef, Native, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

/// An iterator over a deque, forwards or backwards: its type says which.
#[repr(C)]
pub(super) struct PyDequeIter {
    ob_base: PyObject,
    deque: Slot<PyDeque>,
    /// How many items have been handed out.
    index: Cell<usize>,
    /// How many are left.
    left: Cell<usize>,
    /// The deque's state at the start.
    state: Cell<usize>,
}

// SAFETY: the struct is `repr(C)` and begins with the header; both types have it as their instances, and nothing derives
// from them.
unsafe impl Native for PyDequeIter {
    fn type_object() -> &'static PyTypeObject {
        &DEQUE_ITERATOR_TYPE
    }
    fn check(object: &PyObject) -> bool {
        let of = object.ob_type();
        core::ptr::eq(of, &DEQUE_ITERATOR_TYPE.object) || core::ptr::eq(of, &DEQUE_REVERSE_ITERATOR_TYPE.object)
    }
}
owns!(PyDequeIter: deque);

const METHODS: &[MethodDef] = &[
    MethodDef::no_args("__length_hint__", length_hint, "How many items are left, as an estimate."),
    MethodDef::no_args("__reduce__", reduce, "What pickle needs."),
];

const SLOTS: TypeSlots = TypeSlots {
    new: Some(iter_new),
    dealloc: Some(PyDequeIter::slot_dealloc),
    traverse: Some(PyDequeIter::slot_traverse),
    clear: Some(PyDequeIter::slot_clear),
    iter: Some(|_, this| Ok(this.new_ref())),
    ..TypeSlots::EMPTY
};

/// `collections._deque_iterator`.
pub(in crate::modules::_collections) static DEQUE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections._deque_iterator",
    basicsize: size_of::<PyDequeIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots { iternext: Some(next), ..SLOTS },
    methods: METHODS,
    ..TypeSpec::EMPTY
});

/// `collections._deque_reverse_iterator`.
pub(in crate::modules::_collections) static DEQUE_REVERSE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections._deque_reverse_iterator",
    basicsize: size_of::<PyDequeIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots { iternext: Some(next_back), ..SLOTS },
    methods: METHODS,
    ..TypeSpec::EMPTY
});

fn make(ts: &ThreadState, of: &PyTypeObject, deque: &PyDeque, skip: usize) -> PyResult {
    let this = alloc::object::<PyDequeIter>(ts, of)?;
    let skip = skip.min(deque.len());
    this.index.set(skip);
    this.left.set(deque.len() - skip);
    this.state.set(deque.state.get());
    this.deque.set(Some(Ref::from_borrowed(deque)));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

pub(super) fn deque_iter(ts: &ThreadState, deque: &PyObject) -> PyResult {
    make(ts, &DEQUE_ITERATOR_TYPE, deque.cast(), 0)
}

pub(super) fn deque_reversed(ts: &ThreadState, deque: &PyObject) -> PyResult {
    make(ts, &DEQUE_REVERSE_ITERATOR_TYPE, deque.cast(), 0)
}

fn iter_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.positional();
    let (Some(deque), true) = (args.first(), args.len() <= 2) else {
        let (bound, count) = if args.is_empty() { ("at least", "1 argument") } else { ("at most", "2 arguments") };
        return raise!(ts, exc::TypeError, "function takes {bound} {count} ({} given)", args.len());
    };
    let Some(deque) = deque.downcast::<PyDeque>() else {
        return raise!(ts, exc::TypeError, "argument 1 must be {}, not {}", DEQUE_TYPE.full_name(), deque.type_name());
    };
    let skip = match args.get(1) {
        Some(index) => protocol::as_isize(ts, index)?.max(0) as usize,
        None => 0,
    };
    make(ts, of, deque, skip)
}

#[inline(always)]
fn step(ts: &ThreadState, object: &PyObject, reverse: bool) -> PyResult<Option<PyRef>> {
    // SAFETY: only the two types have the slots.
    let this = unsafe { &*core::ptr::from_ref(object).cast::<PyDequeIter>() };
    // SAFETY: the deque stays in the slot, and nothing runs, until its item is counted.
    let Some(deque) = (unsafe { this.deque.borrow() }) else { return Ok(None) };
    if this.state.get() != deque.state.get() {
        this.left.set(0);
        return raise!(ts, exc::RuntimeError, "deque mutated during iteration");
    }
    if this.left.get() == 0 {
        return Ok(None);
    }
    let index = this.index.get();
    let item = deque.get(if reverse { deque.len() - 1 - index } else { index });
    this.index.set(index + 1);
    this.left.set(this.left.get() - 1);
    Ok(item)
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    step(ts, this, false)
}

fn next_back(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    step(ts, this, true)
}

fn length_hint(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_usize(ts, this.cast::<PyDequeIter>().left.get())
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyDequeIter>();
    let Some(deque) = this.deque.get() else {
        return call::call0(ts, object.ob_type().as_object());
    };
    let index = PyInt::from_usize(ts, deque.len().saturating_sub(this.left.get()))?;
    let given = PyTuple::from_array(ts, [deque.into_object(), index])?;
    Ok(PyTuple::pair(ts, object.ob_type().as_object(), given.as_object())?.into_object())
}
