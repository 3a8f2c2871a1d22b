//! `bool`. Declared in `boolobject.h`.

use crate::capi_fast;
use crate::object::{PyObject, PyRef};
use crate::types::bool::{false_object, py_bool, true_object};
use crate::types::none::none;

capi_fast! {
    /// True for any number but 0.
    fn PyBool_FromLong(_ts, value: i64) -> PyRef {
        Ok(py_bool(value != 0))
    }
}

fn same(object: *mut PyObject, other: &PyObject) -> core::ffi::c_int {
    core::ptr::eq(object, other).into()
}

/// Whether two pointers are the same object.
#[unsafe(no_mangle)]
pub extern "C" fn Py_Is(object: *mut PyObject, other: *mut PyObject) -> core::ffi::c_int {
    core::ptr::eq(object, other).into()
}

/// Whether the object is None.
#[unsafe(no_mangle)]
pub extern "C" fn Py_IsNone(object: *mut PyObject) -> core::ffi::c_int {
    same(object, none())
}

/// Whether the object is True.
#[unsafe(no_mangle)]
pub extern "C" fn Py_IsTrue(object: *mut PyObject) -> core::ffi::c_int {
    same(object, true_object())
}

/// Whether the object is False.
#[unsafe(no_mangle)]
pub extern "C" fn Py_IsFalse(object: *mut PyObject) -> core::ffi::c_int {
    same(object, false_object())
}
