//! `bool`: the two ints that are also truth values.

use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec, flags, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::{self, PyInt, StaticInt};
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&BOOL_TYPE];

/// The type `bool`.
#[unsafe(export_name = "PyBool_Type")]
pub static BOOL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"bool",
    basicsize: core::mem::size_of::<PyInt>(),
    itemsize: 8,
    flags: flags::LONG_SUBCLASS | flags::MATCH_SELF,
    base: Some(&int::INT_TYPE),
    doc: "bool(object=False, /)\n--\n\nTrue when the argument is true, False otherwise.\n\
          The class bool has the instances True and False only, and cannot be subclassed.",
    slots: TypeSlots {
        new: Some(bool_new),
        repr: Some(bool_repr),
        nb_invert: Some(bool_invert),
        nb_and: Some(bool_and),
        nb_xor: Some(bool_xor),
        nb_or: Some(bool_or),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// `False`.
#[unsafe(export_name = "_Py_FalseStruct")]
pub static FALSE: StaticInt = StaticInt::new(core::ptr::from_ref(&BOOL_TYPE).cast(), 0);

/// `True`.
#[unsafe(export_name = "_Py_TrueStruct")]
pub static TRUE: StaticInt = StaticInt::new(core::ptr::from_ref(&BOOL_TYPE).cast(), 1);

/// `True`, borrowed; it is immortal and the same in all interpreters.
#[inline(always)]
pub fn true_object() -> &'static PyObject {
    TRUE.as_object()
}

/// `False`, borrowed; it is immortal and the same in all interpreters.
#[inline(always)]
pub fn false_object() -> &'static PyObject {
    FALSE.as_object()
}

/// The object of a truth value.
#[inline(always)]
pub fn py_bool(value: bool) -> PyRef {
    let object = if value { true_object() } else { false_object() };
    // SAFETY: an immortal object has references to give away.
    unsafe { PyRef::from_owned(object.as_ptr()) }
}

/// The truth value, when the object is True or False.
#[inline(always)]
pub fn as_bool(object: &PyObject) -> Option<bool> {
    if object.is(true_object()) {
        Some(true)
    } else if object.is(false_object()) {
        Some(false)
    } else {
        None
    }
}

fn bool_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    match *args.no_keywords(ts, "bool")? {
        [] => Ok(py_bool(false)),
        [object] => Ok(py_bool(protocol::is_true(ts, object)?)),
        ref all => raise!(ts, exc::TypeError, "bool expected at most 1 argument, got {}", all.len()),
    }
}

fn bool_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(PyStr::intern(ts, if object.is(true_object()) { "True" } else { "False" })?.into_object())
}

fn bool_invert(ts: &ThreadState, object: &PyObject) -> PyResult {
    int::new::warn_deprecated(
        ts,
        format_args!(
            "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns the bitwise \
             inversion of the underlying int object and is usually not what you expect from the negation of a bool \
             object. Use the 'not' operator for boolean negation or ~int(x) for the bitwise inversion of the underlying \
             int."
        ),
    )?;
    PyInt::from_i64(ts, if object.is(true_object()) { -2 } else { -1 })
}

macro_rules! bool_slot {
    ($name:ident, $operator:tt, $of_ints:path) => {
        fn $name(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            if let (Some(a), Some(b)) = (as_bool(left), as_bool(right)) {
                return Ok(py_bool(a $operator b));
            }
            match (left.downcast::<PyInt>(), right.downcast::<PyInt>()) {
                (Some(a), Some(b)) => $of_ints(ts, a, b),
                _ => Ok(not_implemented()),
            }
        }
    };
}

bool_slot!(bool_and, &, int::and);
bool_slot!(bool_or, |, int::or);
bool_slot!(bool_xor, ^, int::xor);

/// Whether the object is True or False.
#[inline(always)]
pub fn is_bool(object: &PyObject) -> bool {
    core::ptr::eq(object.ob_type(), &BOOL_TYPE.object)
}
