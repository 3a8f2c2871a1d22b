//! `bytearray`. Declared in `bytearrayobject.h`.

use core::ffi::c_char;

use super::convert::bad_internal_call;
use crate::object::{AsObject, PyObject, PyRef, Ref, protocol};
use crate::types::bytearray::{BYTEARRAY_TYPE, PyByteArray};
use crate::types::exceptions as exc;
use crate::{capi, raise};

capi! {
    /// `bytearray(object)`.
    fn PyByteArray_FromObject(ts, object: &PyObject) -> PyRef {
        crate::object::call::call_with(ts, BYTEARRAY_TYPE.as_object(), &[object])
    }

    /// A copy of `len` bytes; zeros for null.
    fn PyByteArray_FromStringAndSize(ts, data: *const c_char, len: isize) -> Ref<PyByteArray> {
        let Ok(len) = usize::try_from(len) else {
            return raise!(ts, exc::SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
        };
        if data.is_null() {
            let made = PyByteArray::new(ts, &[])?;
            made.resize(ts, len)?;
            // SAFETY: nobody else sees the array, whose bytes are written before they are read.
            unsafe { core::ptr::write_bytes(made.data_ptr(), 0, len) };
            return Ok(made);
        }
        // SAFETY: the caller's bytes.
        PyByteArray::new(ts, unsafe { super::convert::borrowed_bytes(data.cast(), len) })
    }

    /// The number of bytes.
    fn PyByteArray_Size(ts, array: &PyByteArray) -> usize {
        Ok(array.len())
    }

    /// The bytes, NUL-terminated, until the length changes.
    fn PyByteArray_AsString(ts, array: &PyByteArray) -> *mut c_char {
        if array.is_empty() {
            return Ok((&raw const _PyByteArray_empty_string).cast_mut().cast());
        }
        Ok(array.data_ptr().cast())
    }

    /// Changes the length.
    fn PyByteArray_Resize(ts, array: &PyByteArray, len: isize) -> () {
        match usize::try_from(len) {
            Ok(len) => array.resize(ts, len),
            Err(_) => raise!(ts, exc::ValueError, "Can only resize to positive sizes, got {len}"),
        }
    }

    /// `a + b` as a bytearray.
    fn PyByteArray_Concat(ts, left: &PyObject, right: &PyObject) -> PyRef {
        let made = crate::object::call::call_with(ts, BYTEARRAY_TYPE.as_object(), &[left])?;
        if !made.is_a::<PyByteArray>() {
            return bad_internal_call(ts, "PyByteArray_Concat");
        }
        protocol::inplace_add(ts, &made, right)
    }
}

/// What an empty bytearray's `PyByteArray_AS_STRING` shows.
#[unsafe(no_mangle)]
pub static _PyByteArray_empty_string: [u8; 1] = [0];
