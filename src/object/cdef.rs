//! Definitions that C programs hand in: layouts of `methodobject.h`, `descrobject.h`, `structmember.h`, `moduleobject.h`.

use core::ffi::{c_char, c_int, c_void};

use super::header::PyObject;

/// `PyCFunction`: the one type under which C's method functions of every calling form are stored.
pub type PyCFunction = unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;

/// `PyMethodDef`.
#[repr(C)]
pub struct PyMethodDef {
    /// The Python name; null ends a table.
    pub ml_name: *const c_char,
    /// The function, cast to `PyCFunction`.
    pub ml_meth: Option<PyCFunction>,
    /// `METH_*`.
    pub ml_flags: c_int,
    /// The docstring or null.
    pub ml_doc: *const c_char,
}

/// `METH_VARARGS`.
pub const METH_VARARGS: c_int = 0x0001;
/// `METH_KEYWORDS`.
pub const METH_KEYWORDS: c_int = 0x0002;
/// `METH_NOARGS`.
pub const METH_NOARGS: c_int = 0x0004;
/// `METH_O`.
pub const METH_O: c_int = 0x0008;
/// `METH_CLASS`.
pub const METH_CLASS: c_int = 0x0010;
/// `METH_STATIC`.
pub const METH_STATIC: c_int = 0x0020;
/// `METH_COEXIST`.
pub const METH_COEXIST: c_int = 0x0040;
/// `METH_FASTCALL`.
pub const METH_FASTCALL: c_int = 0x0080;
/// `METH_METHOD`.
pub const METH_METHOD: c_int = 0x0200;

/// `PyGetSetDef`.
#[repr(C)]
pub struct PyGetSetDef {
    /// The Python name; null ends a table.
    pub name: *const c_char,
    /// `getter`.
    pub get: Option<unsafe extern "C" fn(*mut PyObject, *mut c_void) -> *mut PyObject>,
    /// `setter`.
    pub set: Option<unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut c_void) -> c_int>,
    /// The docstring or null.
    pub doc: *const c_char,
    /// Handed to both.
    pub closure: *mut c_void,
}

/// `PyMemberDef`.
#[repr(C)]
pub struct PyMemberDef {
    /// The Python name; null ends a table.
    pub name: *const c_char,
    /// `Py_T_*`.
    pub type_: c_int,
    /// Offset in the instance.
    pub offset: isize,
    /// `Py_READONLY` and the like.
    pub flags: c_int,
    /// The docstring or null.
    pub doc: *const c_char,
}
