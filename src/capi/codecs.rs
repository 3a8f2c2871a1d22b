//! Encoding and decoding of str. Declared in `unicodeobject.h`.

use core::ffi::{CStr, c_char, c_int};

use super::bytesobject::slice_of;
use super::convert::{errors_or_strict, utf8};
use super::unicodeobject::check;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::codec::{self, ByteOrder};
use crate::types::str::{PyStr, decode_object};
use crate::{capi, raise};

/// The encoding's name; UTF-8 for null.
fn encoding_or_utf8<'a>(ts: &ThreadState, encoding: Option<&'a CStr>) -> PyResult<&'a str> {
    encoding.map_or(Ok("utf-8"), |encoding| utf8(ts, encoding))
}

/// Decodes bytes with a codec by name, which sees them as a bytes object.
fn decode(ts: &ThreadState, bytes: &[u8], encoding: &str, errors: &str) -> PyResult<Ref<PyStr>> {
    let object = PyBytes::new(ts, bytes)?;
    match codec::decode(ts, object.as_object(), bytes, encoding, errors)?.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => {
            raise!(ts, exc::TypeError, "'{encoding}' decoder returned '{}' instead of 'str'", other.type_name())
        }
    }
}

/// A byte order that C hands in and wants back; null is native.
fn order_at(place: *mut c_int) -> ByteOrder {
    // SAFETY: the caller's place, or null.
    unsafe { place.as_ref() }.map_or(ByteOrder::Native, |order| ByteOrder::from_c(*order))
}

fn tell_order(place: *mut c_int, order: ByteOrder) {
    // SAFETY: the caller's place, or null.
    if let Some(place) = unsafe { place.as_mut() } {
        *place = order as c_int;
    }
}

fn tell_consumed(place: *mut isize, consumed: usize) {
    // SAFETY: the caller's place, or null.
    if let Some(place) = unsafe { place.as_mut() } {
        *place = consumed as isize;
    }
}

capi! {
    /// Decodes bytes by a codec's name.
    fn PyUnicode_Decode(ts, data: *const c_char, len: isize, encoding: Option<&CStr>, errors: Option<&CStr>) -> Ref<PyStr> {
        decode(ts, slice_of(data.cast(), len), encoding_or_utf8(ts, encoding)?, errors_or_strict(ts, errors)?)
    }

    /// Decodes an object with a buffer.
    fn PyUnicode_FromEncodedObject(ts, object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> Ref<PyStr> {
        if object.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "decoding str is not supported");
        }
        decode_object(ts, object, encoding_or_utf8(ts, encoding)?, errors_or_strict(ts, errors)?)
    }

    /// Encodes by a codec's name.
    fn PyUnicode_AsEncodedString(ts, text: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyRef {
        let encoding = encoding_or_utf8(ts, encoding)?;
        let made = codec::encode(ts, check_argument(ts, text)?, encoding, errors_or_strict(ts, errors)?)?;
        if !made.is_a::<PyBytes>() {
            return raise!(ts, exc::TypeError, "'{encoding}' encoder returned '{}' instead of 'bytes'", made.type_name());
        }
        Ok(made)
    }

    /// Decodes UTF-8.
    fn PyUnicode_DecodeUTF8(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        codec::decode_utf8(ts, slice_of(data.cast(), len), errors_or_strict(ts, errors)?)
    }

    /// Decodes UTF-8 up to a character that is cut off.
    fn PyUnicode_DecodeUTF8Stateful(
        ts, data: *const c_char, len: isize, errors: Option<&CStr>, consumed: *mut isize,
    ) -> Ref<PyStr> {
        let bytes = slice_of(data.cast(), len);
        let (text, used) = codec::decode_utf8_stateful(ts, bytes, errors_or_strict(ts, errors)?, consumed.is_null())?;
        tell_consumed(consumed, used);
        Ok(text)
    }

    /// Encodes as UTF-8.
    fn PyUnicode_AsUTF8String(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_utf8(ts, check_argument(ts, text)?, "strict")
    }

    /// Decodes UTF-16.
    fn PyUnicode_DecodeUTF16(ts, data: *const c_char, len: isize, errors: Option<&CStr>, order: *mut c_int) -> Ref<PyStr> {
        let bytes = slice_of(data.cast(), len);
        let (text, _, found) = codec::decode_utf16(ts, bytes, errors_or_strict(ts, errors)?, order_at(order), true)?;
        tell_order(order, found);
        Ok(text)
    }

    /// Decodes UTF-16 up to a character that is cut off.
    fn PyUnicode_DecodeUTF16Stateful(
        ts, data: *const c_char, len: isize, errors: Option<&CStr>, order: *mut c_int, consumed: *mut isize,
    ) -> Ref<PyStr> {
        let bytes = slice_of(data.cast(), len);
        let errors = errors_or_strict(ts, errors)?;
        let (text, used, found) = codec::decode_utf16(ts, bytes, errors, order_at(order), consumed.is_null())?;
        tell_order(order, found);
        tell_consumed(consumed, used);
        Ok(text)
    }

    /// Encodes as UTF-16 with a byte order mark.
    fn PyUnicode_AsUTF16String(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_utf16(ts, check_argument(ts, text)?, "strict", ByteOrder::Native)
    }

    /// Decodes UTF-32.
    fn PyUnicode_DecodeUTF32(ts, data: *const c_char, len: isize, errors: Option<&CStr>, order: *mut c_int) -> Ref<PyStr> {
        let bytes = slice_of(data.cast(), len);
        let (text, _, found) = codec::decode_utf32(ts, bytes, errors_or_strict(ts, errors)?, order_at(order), true)?;
        tell_order(order, found);
        Ok(text)
    }

    /// Decodes UTF-32 up to a character that is cut off.
    fn PyUnicode_DecodeUTF32Stateful(
        ts, data: *const c_char, len: isize, errors: Option<&CStr>, order: *mut c_int, consumed: *mut isize,
    ) -> Ref<PyStr> {
        let bytes = slice_of(data.cast(), len);
        let errors = errors_or_strict(ts, errors)?;
        let (text, used, found) = codec::decode_utf32(ts, bytes, errors, order_at(order), consumed.is_null())?;
        tell_order(order, found);
        tell_consumed(consumed, used);
        Ok(text)
    }

    /// Encodes as UTF-32 with a byte order mark.
    fn PyUnicode_AsUTF32String(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_utf32(ts, check_argument(ts, text)?, "strict", ByteOrder::Native)
    }

    /// Decodes UTF-7.
    fn PyUnicode_DecodeUTF7(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        decode(ts, slice_of(data.cast(), len), "utf-7", errors_or_strict(ts, errors)?)
    }

    /// Decodes Latin-1.
    fn PyUnicode_DecodeLatin1(ts, data: *const c_char, len: isize, _errors: Option<&CStr>) -> Ref<PyStr> {
        codec::decode_latin1(ts, slice_of(data.cast(), len))
    }

    /// Encodes as Latin-1.
    fn PyUnicode_AsLatin1String(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_latin1(ts, check_argument(ts, text)?, "strict")
    }

    /// Decodes ASCII.
    fn PyUnicode_DecodeASCII(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        codec::decode_ascii(ts, slice_of(data.cast(), len), errors_or_strict(ts, errors)?)
    }

    /// Encodes as ASCII.
    fn PyUnicode_AsASCIIString(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_ascii(ts, check_argument(ts, text)?, "strict")
    }

    /// Decodes the escapes of a string literal.
    fn PyUnicode_DecodeUnicodeEscape(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        decode(ts, slice_of(data.cast(), len), "unicode_escape", errors_or_strict(ts, errors)?)
    }

    /// Encodes with the escapes of a string literal.
    fn PyUnicode_AsUnicodeEscapeString(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_unicode_escape(ts, check_argument(ts, text)?)
    }

    /// Decodes the escapes of a raw string literal of old.
    fn PyUnicode_DecodeRawUnicodeEscape(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        decode(ts, slice_of(data.cast(), len), "raw_unicode_escape", errors_or_strict(ts, errors)?)
    }

    /// Encodes with them.
    fn PyUnicode_AsRawUnicodeEscapeString(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_raw_unicode_escape(ts, check_argument(ts, text)?)
    }

    /// Decodes a file name: in UTF-8, undecodable bytes as surrogates.
    fn PyUnicode_DecodeFSDefault(ts, text: &CStr) -> Ref<PyStr> {
        codec::decode_utf8(ts, text.to_bytes(), FS_ERRORS)
    }

    /// The same with a length.
    fn PyUnicode_DecodeFSDefaultAndSize(ts, data: *const c_char, len: isize) -> Ref<PyStr> {
        codec::decode_utf8(ts, slice_of(data.cast(), len), FS_ERRORS)
    }

    /// Encodes a file name.
    fn PyUnicode_EncodeFSDefault(ts, text: &PyObject) -> Ref<PyBytes> {
        codec::encode_utf8(ts, check_argument(ts, text)?, FS_ERRORS)
    }

    /// Decodes a text of the C library: as file names are, with `strict` or `surrogateescape` for null.
    fn PyUnicode_DecodeLocale(ts, text: &CStr, errors: Option<&CStr>) -> Ref<PyStr> {
        codec::decode_utf8(ts, text.to_bytes(), locale_errors(ts, errors)?)
    }

    /// The same with a length.
    fn PyUnicode_DecodeLocaleAndSize(ts, data: *const c_char, len: isize, errors: Option<&CStr>) -> Ref<PyStr> {
        codec::decode_utf8(ts, slice_of(data.cast(), len), locale_errors(ts, errors)?)
    }

    /// Encodes a text for the C library.
    fn PyUnicode_EncodeLocale(ts, text: &PyObject, errors: Option<&CStr>) -> Ref<PyBytes> {
        codec::encode_utf8(ts, check_argument(ts, text)?, locale_errors(ts, errors)?)
    }
}

/// How the C library's texts treat what cannot be encoded or decoded: ValueError for what it could not be told.
fn locale_errors<'a>(ts: &ThreadState, errors: Option<&'a CStr>) -> PyResult<&'a str> {
    let errors = errors_or_strict(ts, errors)?;
    if !matches!(errors, "strict" | "surrogateescape" | "surrogatepass") {
        return raise!(
            ts,
            exc::ValueError,
            "only 'strict' and 'surrogateescape' error handlers are supported, not '{errors}'"
        );
    }
    Ok(errors)
}

/// How file names treat what is not UTF-8.
const FS_ERRORS: &str = "surrogateescape";

fn check_argument<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "bad argument type for built-in operation"),
    }
}

/// A path as bytes for `PyArg_ParseTuple("O&")`; null releases it.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null, `place` a `PyObject **`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_FSConverter(object: *mut PyObject, place: *mut core::ffi::c_void) -> c_int {
    // SAFETY: as promised.
    unsafe {
        path_converter(object, place.cast(), |ts, path| {
            let path = match path.downcast::<PyStr>() {
                Some(text) => codec::encode_utf8(ts, text, FS_ERRORS)?.into_object(),
                None => path.new_ref(),
            };
            if path.downcast::<PyBytes>().is_some_and(|b| b.as_slice().contains(&0)) {
                return raise!(ts, exc::ValueError, "embedded null byte");
            }
            Ok(path)
        })
    }
}

/// A path as str, the same way.
///
/// # Safety
///
/// As for [`PyUnicode_FSConverter`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_FSDecoder(object: *mut PyObject, place: *mut core::ffi::c_void) -> c_int {
    // SAFETY: as promised.
    unsafe {
        path_converter(object, place.cast(), |ts, path| {
            let text = match path.downcast::<PyBytes>() {
                Some(bytes) => codec::decode_utf8(ts, bytes.as_slice(), FS_ERRORS)?,
                None => Ref::from_borrowed(check(ts, path)?),
            };
            if text.contains_nul() {
                return raise!(ts, exc::ValueError, "embedded null character");
            }
            Ok(text.into_object())
        })
    }
}

/// What `Py_CLEANUP_SUPPORTED` is in C.
const CLEANUP_SUPPORTED: c_int = 0x20000;

unsafe fn path_converter(
    object: *mut PyObject,
    place: *mut *mut PyObject,
    convert: impl FnOnce(&ThreadState, &PyObject) -> PyResult,
) -> c_int {
    // SAFETY: the callers' promises.
    let Some(object) = (unsafe { object.as_ref() }) else {
        // SAFETY: as above; the converter's own earlier result is released.
        unsafe { drop(PyRef::from_owned_or_null(core::ptr::replace(place, core::ptr::null_mut()))) };
        return 1;
    };
    let done = super::convert::guard::<()>("PyUnicode_FSConverter", |ts| {
        let path = super::abstract_::fs_path(ts, object)?;
        let made = convert(ts, &path)?;
        // SAFETY: as above.
        unsafe { place.write(made.into_ptr()) };
        Ok(())
    });
    if done == 0 { CLEANUP_SUPPORTED } else { 0 }
}
