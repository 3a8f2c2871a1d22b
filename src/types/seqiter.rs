//! The two iterators that need nothing but a protocol: over anything with `__getitem__`, and over the results of a
//! function until it returns a certain value. And what iterators of sequences share for pickling.

use core::cell::Cell;

use crate::object::{
    AsObject, CompareOp, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, call,
    flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&SEQUENCE_ITERATOR_TYPE, &CALLABLE_ITERATOR_TYPE];

/// A function of the builtins module, as it is now.
pub(crate) fn builtin(ts: &ThreadState, name: &str) -> PyResult {
    let name = PyStr::intern(ts, name)?;
    let builtins = match crate::vm::frame::current(ts) {
        Some(frame) => Some(frame.builtins().new_ref()),
        None => ts.interp().builtins.get().map(Ref::into_object),
    };
    let found = match &builtins {
        Some(builtins) => match builtins.downcast_exact::<PyDict>() {
            Some(builtins) => builtins.get(ts, name.as_object())?,
            None => {
                let found = protocol::getitem(ts, builtins, name.as_object());
                ts.catch(found, &exc::KeyError)?
            }
        },
        None => None,
    };
    match found {
        Some(function) => Ok(function),
        None => raise!(ts, exc::AttributeError, "{}", &*name),
    }
}

/// What an iterator's `__reduce__` returns: `(function, (sequence,))`, and the index where there is one.
pub(crate) fn reduce_iterator(ts: &ThreadState, function: PyRef, sequence: PyRef, index: Option<usize>) -> PyResult {
    let arguments = PyTuple::from_array(ts, [sequence])?.into_object();
    let reduced = match index {
        Some(index) => PyTuple::from_array(ts, [function, arguments, PyInt::from_usize(ts, index)?.into_object()])?,
        None => PyTuple::from_array(ts, [function, arguments])?,
    };
    Ok(reduced.into_object())
}

/// `iterator`: over an object by its `__getitem__`.
#[repr(C)]
pub struct PySeqIter {
    ob_base: PyObject,
    /// None when the end has been reached.
    sequence: Slot<PyObject>,
    index: Cell<isize>,
}

crate::native!(PySeqIter, SEQUENCE_ITERATOR_TYPE);
owns!(PySeqIter: sequence);

/// The type of `iter(object)` for an object with only `__getitem__`.
#[unsafe(export_name = "PySeqIter_Type")]
pub static SEQUENCE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"iterator",
    basicsize: size_of::<PySeqIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PySeqIter::slot_dealloc),
        traverse: Some(PySeqIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(sequence_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", sequence_len, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", sequence_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", sequence_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

/// An iterator over an object by its `__getitem__` (`PySeqIter_New`).
pub fn sequence_iterator(ts: &ThreadState, sequence: &PyObject) -> PyResult {
    let iterator = alloc::exact::<PySeqIter>(ts)?;
    iterator.sequence.set(Some(sequence.new_ref()));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn sequence_next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    let this = iterator.cast::<PySeqIter>();
    let Some(sequence) = this.sequence.get() else { return Ok(None) };
    let index = this.index.get();
    if index == isize::MAX {
        return raise!(ts, exc::OverflowError, "iter index too large");
    }
    match protocol::sequence_item(ts, &sequence, index) {
        Ok(item) => {
            this.index.set(this.index.get().wrapping_add(1));
            Ok(Some(item))
        }
        Err(raised) if ts.raised_matches(&exc::IndexError) || ts.raised_matches(&exc::StopIteration) => {
            ts.clear_raised(raised);
            this.sequence.set(None);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

fn sequence_len(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PySeqIter>();
    let Some(sequence) = this.sequence.get() else {
        return Ok(PyInt::from_i64(ts, 0)?.into_object());
    };
    let slots = sequence.ob_type().slots();
    if slots.sq_length.is_none() && slots.mp_length.is_none() {
        return Ok(not_implemented());
    }
    let len = protocol::length(ts, &sequence)? as isize;
    Ok(PyInt::from_i64(ts, (len - this.index.get()).max(0) as i64)?.into_object())
}

fn sequence_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PySeqIter>();
    let function = builtin(ts, "iter")?;
    match this.sequence.get() {
        Some(sequence) => reduce_iterator(ts, function, sequence, Some(this.index.get() as usize)),
        None => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

fn sequence_setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PySeqIter>();
    let index = protocol::as_isize(ts, state)?;
    if this.sequence.is_some() {
        this.index.set(index.max(0));
    }
    Ok(ts.none())
}

/// `callable_iterator`: the results of a function until it returns the sentinel.
#[repr(C)]
pub struct PyCallIter {
    ob_base: PyObject,
    /// None when the end has been reached.
    callable: Slot<PyObject>,
    sentinel: Slot<PyObject>,
}

crate::native!(PyCallIter, CALLABLE_ITERATOR_TYPE);
owns!(PyCallIter: callable, sentinel);

/// The type of `iter(function, sentinel)`.
#[unsafe(export_name = "PyCallIter_Type")]
pub static CALLABLE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"callable_iterator",
    basicsize: size_of::<PyCallIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyCallIter::slot_dealloc),
        traverse: Some(PyCallIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(callable_next),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", callable_reduce, "What pickle needs to make the object again.")],
    ..TypeSpec::EMPTY
});

/// `iter(callable, sentinel)` (`PyCallIter_New`).
pub fn callable_iterator(ts: &ThreadState, callable: &PyObject, sentinel: &PyObject) -> PyResult {
    let iterator = alloc::exact::<PyCallIter>(ts)?;
    iterator.callable.set(Some(callable.new_ref()));
    iterator.sentinel.set(Some(sentinel.new_ref()));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn callable_next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    let this = iterator.cast::<PyCallIter>();
    let Some(callable) = this.callable.get() else { return Ok(None) };
    match call::call0(ts, &callable) {
        Ok(value) => {
            // The call may have used the iterator up.
            let Some(sentinel) = this.sentinel.get() else { return Ok(None) };
            if !protocol::compare_bool(ts, &value, &sentinel, CompareOp::Eq)? {
                return Ok(Some(value));
            }
        }
        Err(raised) if ts.raised_matches(&exc::StopIteration) => ts.clear_raised(raised),
        Err(raised) => return Err(raised),
    }
    this.callable.set(None);
    this.sentinel.set(None);
    Ok(None)
}

fn callable_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyCallIter>();
    let function = builtin(ts, "iter")?;
    match (this.callable.get(), this.sentinel.get()) {
        (Some(callable), Some(sentinel)) => {
            let arguments = PyTuple::from_array(ts, [callable, sentinel])?;
            Ok(PyTuple::from_array(ts, [function, arguments.into_object()])?.into_object())
        }
        _ => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

/// Keeps a result tuple that an iterator returns again and again: as long as nobody else has it, it is filled anew
/// instead of being made anew.
pub(crate) fn refill<const N: usize>(
    ts: &ThreadState,
    kept: &Slot<PyTuple>,
    items: [PyRef; N],
) -> PyResult<Ref<PyTuple>> {
    // SAFETY: the borrow is used only for the two counts.
    let unused = unsafe { kept.borrow() }.is_some_and(|tuple| tuple.as_object().is_unique());
    if unused && let Some(tuple) = kept.get() {
        for (index, item) in items.into_iter().enumerate() {
            // SAFETY: the kept tuple has `N` items, and only the iterator refers to it; what drops is dropped after the
            // place has its new item.
            unsafe { tuple.replace_item(index, item) }.release(ts);
        }
        gc::track_again(ts, &tuple);
        return Ok(tuple);
    }
    let tuple = PyTuple::from_array(ts, items)?;
    if !kept.is_some() {
        // From the second item on the first tuple is there to be used again.
        kept.set(Some(tuple.clone()));
    }
    Ok(tuple)
}
