//! The iterators of `str`: one for ASCII texts, one for the others, as CPython's types tell them apart.

use core::cell::Cell;
use core::ops::ControlFlow;

use super::args;
use super::layout::PyStr;
use crate::id;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, Visitor, alloc, flags,
    gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// An iterator over a string's characters.
#[repr(C)]
pub struct PyStrIter {
    ob_base: PyObject,
    /// Empty once the end was reached.
    text: Slot<PyStr>,
    index: Cell<usize>,
}
crate::native!(PyStrIter, STR_ITER_TYPE);

/// The same struct under the other type.
#[repr(transparent)]
struct PyStrAsciiIter(PyStrIter);
crate::native!(PyStrAsciiIter, STR_ASCII_ITER_TYPE);

const fn spec(name: &'static core::ffi::CStr) -> TypeSpec {
    TypeSpec {
        name,
        basicsize: size_of::<PyStrIter>(),
        flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
        slots: TypeSlots {
            dealloc: Some(iter_dealloc),
            traverse: Some(iter_traverse),
            clear: Some(iter_clear),
            iter: Some(iter_self),
            iternext: Some(iter_next),
            ..TypeSlots::EMPTY
        },
        methods: METHODS,
        ..TypeSpec::EMPTY
    }
}

const METHODS: &[MethodDef] = &[
    MethodDef::no_args("__length_hint__", iter_length_hint, "How many characters are left."),
    MethodDef::no_args("__reduce__", iter_reduce, "Helps to pickle."),
    MethodDef::one("__setstate__", iter_setstate, "Helps to unpickle: goes to a position."),
];

/// `str_iterator`.
#[unsafe(export_name = "PyUnicodeIter_Type")]
pub static STR_ITER_TYPE: StaticType = StaticType::new(spec(c"str_iterator"));
/// `str_ascii_iterator`.
pub static STR_ASCII_ITER_TYPE: StaticType = StaticType::new(spec(c"str_ascii_iterator"));

/// `iter(text)`.
pub(super) fn iter(ts: &ThreadState, text: &PyObject) -> PyResult {
    let text = text.cast::<PyStr>();
    let made = if text.is_ascii() {
        alloc::exact::<PyStrAsciiIter>(ts)?.into_object()
    } else {
        alloc::exact::<PyStrIter>(ts)?.into_object()
    };
    let iterator = state(&made);
    iterator.text.set(Some(Ref::from_borrowed(text)));
    gc::track(ts, iterator);
    Ok(made)
}

fn state(object: &PyObject) -> &PyStrIter {
    debug_assert!(object.is_a::<PyStrIter>() || object.is_a::<PyStrAsciiIter>());
    // SAFETY: only the two types' slots and methods come here, and both have this struct.
    unsafe { &*core::ptr::from_ref(object).cast::<PyStrIter>() }
}

unsafe fn iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole; its field is dropped before its memory is freed.
    unsafe {
        gc::untrack(&*object);
        state(&*object).text.set(None);
        alloc::free(ts, object);
    }
}

fn iter_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&state(object).text)
}

fn iter_clear(_ts: &ThreadState, object: &PyObject) {
    state(object).text.set(None);
}

fn iter_self(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.new_ref())
}

fn iter_next(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = state(object);
    // SAFETY: nothing runs before the last use of the borrow: making a string runs no Python code.
    let Some(text) = (unsafe { this.text.borrow() }) else {
        return Ok(None);
    };
    let index = this.index.get();
    if index < text.len() {
        let ch = PyStr::from_char(ts, text.char_at(index))?;
        this.index.set(index + 1);
        return Ok(Some(ch.into_object()));
    }
    this.text.set(None);
    Ok(None)
}

fn iter_length_hint(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = state(object);
    let left = this.text.get().map_or(0, |text| text.len().saturating_sub(this.index.get()));
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn iter_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = state(object);
    let builtins = ts.interp().builtins.get();
    let iter = match &builtins {
        Some(builtins) => builtins.get_str(ts, id!(iter))?,
        None => None,
    };
    let Some(iter) = iter else {
        return raise!(ts, exc::AttributeError, "iter");
    };
    // Looking `iter` up may have run the iterator: its state is read only now.
    match this.text.get() {
        Some(text) => {
            let arguments = PyTuple::new(ts, &[text.as_object()])?;
            let index = PyInt::from_usize(ts, this.index.get())?;
            PyTuple::new(ts, &[&iter, arguments.as_object(), index.as_object()]).map(Ref::into_object)
        }
        None => {
            let arguments = PyTuple::new(ts, &[PyStr::empty_static().as_object()])?;
            PyTuple::new(ts, &[&iter, arguments.as_object()]).map(Ref::into_object)
        }
    }
}

fn iter_setstate(ts: &ThreadState, object: &PyObject, position: &PyObject) -> PyResult {
    let position = args::size(ts, position)?;
    let this = state(object);
    if let Some(text) = this.text.get() {
        this.index.set(usize::try_from(position).unwrap_or(0).min(text.len()));
    }
    Ok(ts.none())
}
