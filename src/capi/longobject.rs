//! `int`. Declared in `longobject.h`.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::convert::{Size, bad_internal_call, null_argument};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, protocol};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::{capi, capi_fast, raise};

capi_fast! {
    /// An int from a `long`.
    fn PyLong_FromLong(ts, value: i64) -> PyRef {
        PyInt::from_i64(ts, value)
    }

    /// An int from a `long long`.
    fn PyLong_FromLongLong(ts, value: i64) -> PyRef {
        PyInt::from_i64(ts, value)
    }

    /// An int from an `unsigned long`.
    fn PyLong_FromUnsignedLong(ts, value: u64) -> PyRef {
        PyInt::from_u64(ts, value)
    }

    /// An int from an `unsigned long long`.
    fn PyLong_FromUnsignedLongLong(ts, value: u64) -> PyRef {
        PyInt::from_u64(ts, value)
    }

    /// An int from a `Py_ssize_t`.
    fn PyLong_FromSsize_t(ts, value: isize) -> PyRef {
        PyInt::from_isize(ts, value)
    }

    /// An int from a `size_t`.
    fn PyLong_FromSize_t(ts, value: usize) -> PyRef {
        PyInt::from_usize(ts, value)
    }

    /// An int from an `int32_t`.
    fn PyLong_FromInt32(ts, value: i32) -> PyRef {
        PyInt::from_i64(ts, value.into())
    }

    /// An int from a `uint32_t`.
    fn PyLong_FromUInt32(ts, value: u32) -> PyRef {
        PyInt::from_i64(ts, value.into())
    }

    /// An int from an `int64_t`.
    fn PyLong_FromInt64(ts, value: i64) -> PyRef {
        PyInt::from_i64(ts, value)
    }

    /// An int from a `uint64_t`.
    fn PyLong_FromUInt64(ts, value: u64) -> PyRef {
        PyInt::from_u64(ts, value)
    }

    /// The address as an int.
    fn PyLong_FromVoidPtr(ts, value: *mut c_void) -> PyRef {
        PyInt::from_usize(ts, value.addr())
    }
}

/// The int that the object is, or that its `__index__` gives.
fn index(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyInt>> {
    match object.downcast::<PyInt>() {
        Some(int) => Ok(Ref::from_borrowed(int)),
        None => protocol::index(ts, object),
    }
}

/// The int that the object is; TypeError for anything else.
fn exact_int<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyInt> {
    match object.downcast::<PyInt>() {
        Some(int) => Ok(int),
        None => raise!(ts, exc::TypeError, "an integer is required"),
    }
}

#[cold]
fn too_large<T>(ts: &ThreadState, what: &str) -> PyResult<T> {
    raise!(ts, exc::OverflowError, "Python int too large to convert to C {what}")
}

fn signed(ts: &ThreadState, object: &PyObject, what: &str) -> PyResult<i64> {
    match index(ts, object)?.as_i64() {
        Some(value) => Ok(value),
        None => too_large(ts, what),
    }
}

/// The value as an `i64`, or which way it overflows.
fn with_overflow(ts: &ThreadState, object: &PyObject, overflow: *mut c_int) -> PyResult<i64> {
    // SAFETY: the header asks for a place for the answer.
    let overflow = unsafe { &mut *overflow };
    *overflow = 0;
    let int = index(ts, object)?;
    match int.as_i64() {
        Some(value) => Ok(value),
        None => {
            *overflow = int.sign();
            Ok(-1)
        }
    }
}

fn unsigned(ts: &ThreadState, object: &PyObject, kind: &str, negative: &str) -> PyResult<u64> {
    let int = exact_int(ts, object)?;
    match int.as_u64() {
        Some(value) => Ok(value),
        None if int.sign() < 0 => raise!(ts, exc::OverflowError, "can't convert negative value to {negative}"),
        None => too_large(ts, kind),
    }
}

/// Writes a number of a width where the caller wants it.
fn store<T>(place: *mut T, value: T) -> PyResult<()> {
    // SAFETY: the header asks for a place for the answer.
    unsafe { place.write(value) };
    Ok(())
}

capi! {
    /// The value as a `long`.
    fn PyLong_AsLong(ts, object: &PyObject) -> i64 {
        signed(ts, object, "long")
    }

    /// The value as an `int`.
    fn PyLong_AsInt(ts, object: &PyObject) -> i32 {
        match i32::try_from(signed(ts, object, "int")?) {
            Ok(value) => Ok(value),
            Err(_) => too_large(ts, "int"),
        }
    }

    /// The value as a `long long`.
    fn PyLong_AsLongLong(ts, object: &PyObject) -> i64 {
        match index(ts, object)?.as_i64() {
            Some(value) => Ok(value),
            None => raise!(ts, exc::OverflowError, "int too big to convert"),
        }
    }

    /// The value as a `long`; out of range is told by `overflow`, not by an exception.
    fn PyLong_AsLongAndOverflow(ts, object: &PyObject, overflow: *mut c_int) -> i64 {
        with_overflow(ts, object, overflow)
    }

    /// The value as a `long long`; out of range is told by `overflow`, not by an exception.
    fn PyLong_AsLongLongAndOverflow(ts, object: &PyObject, overflow: *mut c_int) -> i64 {
        with_overflow(ts, object, overflow)
    }

    /// The value as a `Py_ssize_t`.
    fn PyLong_AsSsize_t(ts, object: &PyObject) -> isize {
        match exact_int(ts, object)?.as_i64() {
            Some(value) => Ok(value as isize),
            None => too_large(ts, "ssize_t"),
        }
    }

    /// The value as a `size_t`.
    fn PyLong_AsSize_t(ts, object: &PyObject) -> Size {
        Ok(Size(unsigned(ts, object, "size_t", "size_t")? as usize))
    }

    /// The value as an `unsigned long`.
    fn PyLong_AsUnsignedLong(ts, object: &PyObject) -> u64 {
        unsigned(ts, object, "unsigned long", "unsigned int")
    }

    /// The value as an `unsigned long long`.
    fn PyLong_AsUnsignedLongLong(ts, object: &PyObject) -> u64 {
        let int = exact_int(ts, object)?;
        match int.as_u64() {
            Some(value) => Ok(value),
            None if int.sign() < 0 => raise!(ts, exc::OverflowError, "can't convert negative int to unsigned"),
            None => raise!(ts, exc::OverflowError, "int too big to convert"),
        }
    }

    /// The value modulo 2^64.
    fn PyLong_AsUnsignedLongMask(ts, object: &PyObject) -> u64 {
        Ok(index(ts, object)?.wrapping_u64())
    }

    /// The value modulo 2^64.
    fn PyLong_AsUnsignedLongLongMask(ts, object: &PyObject) -> u64 {
        Ok(index(ts, object)?.wrapping_u64())
    }

    /// Writes the value as an `int32_t`.
    fn PyLong_AsInt32(ts, object: &PyObject, value: *mut i32) -> () {
        match index(ts, object)?.as_i64().and_then(|n| i32::try_from(n).ok()) {
            Some(number) => store(value, number),
            None => too_large(ts, "int32_t"),
        }
    }

    /// Writes the value as an `int64_t`.
    fn PyLong_AsInt64(ts, object: &PyObject, value: *mut i64) -> () {
        store(value, signed(ts, object, "int64_t")?)
    }

    /// Writes the value as a `uint32_t`.
    fn PyLong_AsUInt32(ts, object: &PyObject, value: *mut u32) -> () {
        let int = index(ts, object)?;
        if int.sign() < 0 {
            return raise!(ts, exc::ValueError, "Cannot convert negative int");
        }
        match int.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(number) => store(value, number),
            None => too_large(ts, "uint32_t"),
        }
    }

    /// Writes the value as a `uint64_t`.
    fn PyLong_AsUInt64(ts, object: &PyObject, value: *mut u64) -> () {
        let int = index(ts, object)?;
        if int.sign() < 0 {
            return raise!(ts, exc::ValueError, "Cannot convert negative int");
        }
        match int.as_u64() {
            Some(number) => store(value, number),
            None => too_large(ts, "uint64_t"),
        }
    }

    /// The value as a `double`.
    fn PyLong_AsDouble(ts, object: &PyObject) -> f64 {
        match object.downcast::<PyInt>() {
            Some(int) => int.to_f64(ts),
            None => raise!(ts, exc::TypeError, "an integer is required"),
        }
    }

    /// The int of a float's whole part.
    fn PyLong_FromDouble(ts, value: f64) -> PyRef {
        PyInt::from_f64(ts, value)
    }

    /// The address that an int holds.
    fn PyLong_AsVoidPtr(ts, object: &PyObject) -> *mut c_void {
        let int = exact_int(ts, object)?;
        match int.as_u64().or(int.as_i64().map(|n| n as u64)) {
            Some(address) => Ok(core::ptr::with_exposed_provenance_mut(address as usize)),
            None => raise!(ts, exc::OverflowError, "int too big to convert"),
        }
    }

    /// The int that a text in a base from 2 to 36 says, 0 for a base by its prefix.
    fn PyLong_FromString(ts, text: &CStr, end: *mut *mut c_char, base: c_int) -> PyRef {
        if base != 0 && !(2..=36).contains(&base) {
            return raise!(ts, exc::ValueError, "int() arg 2 must be >= 2 and <= 36");
        }
        let bytes = text.to_bytes();
        if !end.is_null() {
            // SAFETY: the place is the caller's; the end of the text is where its terminator stands.
            unsafe { end.write(text.as_ptr().add(bytes.len()).cast_mut()) };
        }
        PyInt::parse(ts, bytes, base as u32)
    }

    /// The same for a str.
    fn PyLong_FromUnicodeObject(ts, text: &PyStr, base: c_int) -> PyRef {
        PyInt::parse_str(ts, text, base as u32)
    }

    /// Writes 1, 0 or -1.
    fn PyLong_GetSign(ts, object: &PyObject, sign: *mut c_int) -> () {
        match object.downcast::<PyInt>() {
            Some(int) => store(sign, int.sign()),
            None => raise!(ts, exc::TypeError, "expect int, got {}", object.type_name()),
        }
    }

    /// Whether the int is above 0.
    fn PyLong_IsPositive(ts, object: &PyObject) -> bool {
        sign_is(ts, object, 1)
    }

    /// Whether the int is below 0.
    fn PyLong_IsNegative(ts, object: &PyObject) -> bool {
        sign_is(ts, object, -1)
    }

    /// Whether the int is 0.
    fn PyLong_IsZero(ts, object: &PyObject) -> bool {
        sign_is(ts, object, 0)
    }

    /// Writes the value in two's complement; returns how many bytes it needs.
    fn PyLong_AsNativeBytes(ts, object: &PyObject, buffer: *mut c_void, size: isize, flags: c_int) -> isize {
        as_native_bytes(ts, object, buffer, size, flags)
    }

    /// An int from its bytes in two's complement.
    fn PyLong_FromNativeBytes(ts, buffer: *const c_void, size: usize, flags: c_int) -> PyRef {
        if buffer.is_null() {
            return null_argument(ts);
        }
        // SAFETY: the caller's bytes.
        let bytes = unsafe { super::convert::borrowed_bytes(buffer, size) };
        let signed = flags == -1 || flags & NATIVE_UNSIGNED_BUFFER == 0;
        PyInt::from_bytes(ts, bytes, is_little(flags), signed)
    }

    /// An int from its bytes without a sign.
    fn PyLong_FromUnsignedNativeBytes(ts, buffer: *const c_void, size: usize, flags: c_int) -> PyRef {
        if buffer.is_null() {
            return null_argument(ts);
        }
        // SAFETY: the caller's bytes.
        let bytes = unsafe { super::convert::borrowed_bytes(buffer, size) };
        PyInt::from_bytes(ts, bytes, is_little(flags), false)
    }
}

fn sign_is(ts: &ThreadState, object: &PyObject, sign: i32) -> PyResult<bool> {
    match object.downcast::<PyInt>() {
        Some(int) => Ok(int.sign() == sign),
        None => raise!(ts, exc::TypeError, "expected int, got {}", object.type_name()),
    }
}

const NATIVE_LITTLE_ENDIAN: c_int = 1;
const NATIVE_ENDIAN: c_int = 3;
const NATIVE_UNSIGNED_BUFFER: c_int = 4;
const NATIVE_REJECT_NEGATIVE: c_int = 8;
const NATIVE_ALLOW_INDEX: c_int = 16;

fn is_little(flags: c_int) -> bool {
    if flags == -1 || flags & 3 == NATIVE_ENDIAN {
        cfg!(target_endian = "little")
    } else {
        flags & NATIVE_LITTLE_ENDIAN != 0
    }
}

fn as_native_bytes(
    ts: &ThreadState,
    object: &PyObject,
    buffer: *mut c_void,
    size: isize,
    flags: c_int,
) -> PyResult<isize> {
    if size < 0 || (buffer.is_null() && size > 0) {
        return bad_internal_call(ts, "PyLong_AsNativeBytes");
    }
    let int = match object.downcast::<PyInt>() {
        Some(int) => Ref::from_borrowed(int),
        None if flags != -1 && flags & NATIVE_ALLOW_INDEX != 0 => protocol::index(ts, object)?,
        None => return raise!(ts, exc::TypeError, "expect int, got {}", object.type_name()),
    };
    if flags != -1 && flags & NATIVE_REJECT_NEGATIVE != 0 && int.sign() < 0 {
        return raise!(ts, exc::ValueError, "Cannot convert negative int");
    }
    if size > 0 {
        // SAFETY: the caller's buffer has that many bytes.
        let bytes = unsafe { core::slice::from_raw_parts_mut(buffer.cast::<u8>(), size as usize) };
        // Bits that do not fit are cut off, which the result tells.
        let _fits = int.write_bytes_wrapping(bytes, is_little(flags), true);
    }
    let unsigned_buffer = flags == -1 || flags & NATIVE_UNSIGNED_BUFFER != 0;
    let bits = int.bits();
    let needed = if unsigned_buffer && int.sign() >= 0 {
        bits.div_ceil(8).max(1)
    } else if int.sign() < 0 && is_power_of_two(ts, &int)? {
        // The smallest number of a width, -128 or the like, has no positive counterpart in it.
        bits.div_ceil(8)
    } else {
        bits / 8 + 1
    };
    // Callers that leave the flags to us ask with a signed buffer, too: a number that fits exactly fits.
    Ok(if flags == -1 && size > 0 && bits.div_ceil(8) == size as u64 { size } else { needed as isize })
}

fn is_power_of_two(_ts: &ThreadState, int: &PyInt) -> PyResult<bool> {
    let mut scratch = 0;
    let (_, words) = int.magnitude(&mut scratch);
    Ok(words.iter().map(|w| w.count_ones()).sum::<u32>() == 1 && int.bits() % 8 == 0)
}

/// `sys.int_info` as an object.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyLong_GetInfo() -> *mut PyObject {
    super::convert::guard::<PyRef>("PyLong_GetInfo", |ts| {
        let sys = crate::import::import_module(ts, "sys")?;
        crate::object::attr::get(ts, &sys, &*PyStr::intern(ts, "int_info")?)
    })
}

/// `int(object)` in full: what `PyNumber_Long` calls.
pub(crate) fn to_int(ts: &ThreadState, object: &PyObject) -> PyResult {
    match object.downcast_exact::<PyInt>() {
        Some(int) => Ok(int.new_ref()),
        None => crate::types::int::from_number(ts, object),
    }
}
