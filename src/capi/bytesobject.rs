//! `bytes`. Declared in `bytesobject.h`.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::convert::{bad_internal_call, guard};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, buffer, protocol};
use crate::state::ThreadState;
use crate::types::bytes::{self, PyBytes};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::{capi, capi_fast, raise};

fn check<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyBytes> {
    match object.downcast::<PyBytes>() {
        Some(bytes) => Ok(bytes),
        None => raise!(ts, exc::TypeError, "expected bytes, {} found", object.type_name()),
    }
}

capi_fast! {
    /// The number of bytes.
    fn PyBytes_Size(ts, object: &PyObject) -> usize {
        Ok(check(ts, object)?.len())
    }

    /// The bytes, NUL-terminated, for as long as the object lives.
    fn PyBytes_AsString(ts, object: &PyObject) -> *mut c_char {
        Ok(check(ts, object)?.data_ptr().cast())
    }

    /// A copy of a C string's bytes.
    fn PyBytes_FromString(ts, text: &CStr) -> Ref<PyBytes> {
        PyBytes::new(ts, text.to_bytes())
    }
}

capi! {
    /// A copy of `len` bytes; for null, bytes that the caller writes.
    fn PyBytes_FromStringAndSize(ts, data: *const c_char, len: isize) -> Ref<PyBytes> {
        let Ok(len) = usize::try_from(len) else {
            return raise!(ts, exc::SystemError, "Negative size passed to PyBytes_FromStringAndSize");
        };
        if !data.is_null() {
            // SAFETY: the caller's bytes.
            return PyBytes::new(ts, unsafe { super::convert::borrowed_bytes(data.cast(), len) });
        }
        if len == 0 {
            return Ok(PyBytes::empty());
        }
        // A static one-byte object must not be written to: this one is always new.
        // SAFETY: every byte is written here, so that nothing uninitialized is ever read.
        unsafe {
            let made = PyBytes::uninit(ts, len)?;
            core::ptr::write_bytes(made.data_ptr(), 0, len);
            Ok(made)
        }
    }

    /// The bytes of any object with the buffer protocol or `__bytes__`, or of integers.
    fn PyBytes_FromObject(ts, object: &PyObject) -> PyRef {
        if object.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "cannot convert 'str' object to bytes");
        }
        bytes::from_object(ts, object)
    }

    /// `bytes(object)`.
    fn PyObject_Bytes(ts, object: Option<&PyObject>) -> PyRef {
        let Some(object) = object else { return Ok(PyBytes::new(ts, b"<NULL>")?.into_object()) };
        if let Some(bytes) = object.downcast_exact::<PyBytes>() {
            return Ok(bytes.new_ref());
        }
        let method = PyStr::intern(ts, "__bytes__")?;
        if let Some(result) = crate::object::call::call_special(ts, object, &method, &[])? {
            if !result.is_a::<PyBytes>() {
                return raise!(ts, exc::TypeError, "__bytes__ returned non-bytes (type {})", result.type_name());
            }
            return Ok(result);
        }
        if object.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "cannot convert 'str' object to bytes");
        }
        bytes::from_object(ts, object)
    }

    /// The representation, `b'…'`.
    fn PyBytes_Repr(ts, object: &PyObject, _smart_quotes: c_int) -> Ref<PyStr> {
        protocol::repr(ts, check(ts, object)?.as_object())
    }

    /// The pointer and the length; without a place for the length, bytes with a NUL inside are an error.
    fn PyBytes_AsStringAndSize(ts, object: &PyObject, data: *mut *mut c_char, len: *mut isize) -> () {
        if data.is_null() {
            return bad_internal_call(ts, "PyBytes_AsStringAndSize");
        }
        let bytes = check(ts, object)?;
        // SAFETY: the caller's places.
        unsafe {
            data.write(bytes.data_ptr().cast());
            if !len.is_null() {
                len.write(bytes.len() as isize);
                return Ok(());
            }
        }
        if bytes.as_slice().contains(&0) {
            return raise!(ts, exc::ValueError, "embedded null byte");
        }
        Ok(())
    }

    /// `sep.join(iterable)`.
    fn PyBytes_Join(ts, separator: &PyObject, items: &PyObject) -> PyRef {
        protocol::call_named(ts, check(ts, separator)?.as_object(), "join", &[items])
    }
}

/// Replaces `*place` by `*place + part`; on failure by null.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference or null, `part` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBytes_Concat(place: *mut *mut PyObject, part: *mut PyObject) {
    guard::<super::convert::Void>("PyBytes_Concat", |ts| {
        // SAFETY: the caller's place, whose reference is taken over.
        let old = unsafe { PyRef::from_owned_or_null(core::ptr::replace(place, core::ptr::null_mut())) };
        // SAFETY: an object or null.
        let (Some(old), Some(part)) = (old, unsafe { part.as_ref() }) else { return Ok(super::convert::Void) };
        let left = buffer::Buffer::get(ts, &old, buffer::SIMPLE)?;
        let right = buffer::Buffer::get(ts, part, buffer::SIMPLE)?;
        let mut joined = hognose_allocators::TryVec::<u8>::new();
        joined.try_extend_from_slice(left.as_slice())?;
        joined.try_extend_from_slice(right.as_slice())?;
        let made = PyBytes::new(ts, &joined)?;
        // SAFETY: the caller's place.
        unsafe { place.write(made.into_object().into_ptr()) };
        Ok(super::convert::Void)
    });
}

/// [`PyBytes_Concat`] that takes the reference to `part` over.
///
/// # Safety
///
/// As there; the caller gives up its reference to `part`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBytes_ConcatAndDel(place: *mut *mut PyObject, part: *mut PyObject) {
    // SAFETY: as promised; the reference is dropped after its use.
    unsafe {
        PyBytes_Concat(place, part);
        drop(PyRef::from_owned_or_null(part));
    }
}

/// Changes the length of bytes that only the caller refers to; on failure `*place` becomes null.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyBytes_Resize(place: *mut *mut PyObject, len: isize) -> c_int {
    guard::<()>("_PyBytes_Resize", |ts| {
        // SAFETY: the caller's place, whose reference is taken over.
        let old = unsafe { PyRef::from_owned_or_null(core::ptr::replace(place, core::ptr::null_mut())) };
        let Some(old) = old.and_then(|old| old.downcast_into::<PyBytes>().ok()) else {
            return bad_internal_call(ts, "_PyBytes_Resize");
        };
        let Ok(len) = usize::try_from(len) else { return bad_internal_call(ts, "_PyBytes_Resize") };
        let made = if len == old.len() {
            old
        } else if old.is_exact() && old.as_object().is_unique() && len != 0 {
            let used = old.len();
            // SAFETY: nobody else refers to the object; bytes that are added are written here.
            unsafe {
                let made = PyBytes::resize(ts, old, len)?;
                if len > used {
                    core::ptr::write_bytes(made.data_ptr().add(used), 0, len - used);
                }
                made
            }
        } else if old.is_empty() {
            // SAFETY: every byte is written here.
            unsafe {
                let made = PyBytes::uninit(ts, len)?;
                core::ptr::write_bytes(made.data_ptr(), 0, len);
                made
            }
        } else if len == 0 && old.as_object().is_unique() {
            PyBytes::empty()
        } else {
            return bad_internal_call(ts, "_PyBytes_Resize");
        };
        // SAFETY: the caller's place.
        unsafe { place.write(made.into_object().into_ptr()) };
        Ok(())
    })
}

/// The length of bytes from C that a `void *` points to, for functions that take both.
pub(crate) fn slice_of<'a>(data: *const c_void, len: isize) -> &'a [u8] {
    // SAFETY: the callers of the API hand in that many bytes.
    unsafe { super::convert::borrowed_bytes(data, len.max(0) as usize) }
}
