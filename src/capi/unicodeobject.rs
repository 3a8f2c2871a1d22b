//! `str`. Declared in `unicodeobject.h`. The codecs are in `codecs.rs`, `PyUnicode_FromFormat` in `format.rs`.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::convert::{Void, bad_internal_call, name};
use crate::config::WChar;
use crate::object::{AsObject, CompareOp, PyObject, PyRef, PyResult, Ref, protocol};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::{Kind, PyStr};
use crate::{capi, capi_fast, raise};

/// The object as a str; TypeError for anything else.
pub(super) fn check<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "must be str, not {}", object.type_name()),
    }
}

/// The object as a str; `bad argument type for built-in operation` for anything else.
fn expect<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "bad argument type for built-in operation"),
    }
}

capi_fast! {
    /// The number of characters.
    fn PyUnicode_GetLength(ts, text: &PyObject) -> usize {
        Ok(expect(ts, text)?.len())
    }
}

capi! {
    /// The text of a C string in UTF-8.
    fn PyUnicode_FromString(ts, text: &CStr) -> Ref<PyStr> {
        PyStr::from_utf8(ts, text.to_bytes(), "strict")
    }

    /// The text of `len` bytes in UTF-8.
    fn PyUnicode_FromStringAndSize(ts, data: *const c_char, len: isize) -> Ref<PyStr> {
        if len < 0 {
            return raise!(ts, exc::SystemError, "Negative size passed to PyUnicode_FromStringAndSize");
        }
        if data.is_null() && len != 0 {
            return raise!(ts, exc::SystemError, "NULL string with positive size with NULL passed to PyUnicode_FromStringAndSize");
        }
        PyStr::from_utf8(ts, super::bytesobject::slice_of(data.cast(), len), "strict")
    }

    /// The interned text of a C string in UTF-8.
    fn PyUnicode_InternFromString(ts, text: &CStr) -> Ref<PyStr> {
        PyStr::intern_ref(ts, name(ts, text)?)
    }

    /// A str itself, or a str of exactly that type for a subclass's instance.
    fn PyUnicode_FromObject(ts, object: &PyObject) -> Ref<PyStr> {
        match object.downcast::<PyStr>() {
            Some(text) => text.to_exact(ts),
            None => raise!(ts, exc::TypeError, "Can't convert '{}' object to str implicitly", object.type_name()),
        }
    }

    /// The text of a code point.
    fn PyUnicode_FromOrdinal(ts, ordinal: c_int) -> Ref<PyStr> {
        match u32::try_from(ordinal) {
            Ok(ch) if ch <= 0x10_FFFF => PyStr::from_char(ts, ch),
            _ => raise!(ts, exc::ValueError, "chr() arg not in range(0x110000)"),
        }
    }

    /// A string to be filled.
    fn PyUnicode_New(ts, len: isize, max_char: u32) -> Ref<PyStr> {
        if max_char > 0x10_FFFF {
            return raise!(ts, exc::SystemError, "invalid maximum character passed to PyUnicode_New");
        }
        match usize::try_from(len) {
            Ok(len) => PyStr::new_writable(ts, len, max_char),
            Err(_) => raise!(ts, exc::SystemError, "Negative size passed to PyUnicode_New"),
        }
    }

    /// A string of units of 1, 2 or 4 bytes.
    fn PyUnicode_FromKindAndData(ts, kind: c_int, data: *const c_void, len: isize) -> Ref<PyStr> {
        let Ok(len) = usize::try_from(len) else { return raise!(ts, exc::ValueError, "size must be positive") };
        if len == 0 {
            return Ok(PyStr::empty());
        }
        // SAFETY: the caller's units.
        unsafe {
            match kind {
                1 => PyStr::from_latin1(ts, core::slice::from_raw_parts(data.cast::<u8>(), len)),
                2 => PyStr::from_ucs2(ts, core::slice::from_raw_parts(data.cast::<u16>(), len)),
                4 => PyStr::from_ucs4(ts, core::slice::from_raw_parts(data.cast::<u32>(), len)),
                _ => raise!(ts, exc::SystemError, "invalid kind"),
            }
        }
    }

    /// A string of `wchar_t`; up to a NUL for a length of -1.
    fn PyUnicode_FromWideChar(ts, data: *const WChar, len: isize) -> Ref<PyStr> {
        if data.is_null() {
            return if len == 0 { Ok(PyStr::empty()) } else { bad_internal_call(ts, "PyUnicode_FromWideChar") };
        }
        // SAFETY: the caller's units.
        unsafe {
            let len = if len < 0 { crate::config::strings::wide_length(data) } else { len as usize };
            PyStr::from_ucs4(ts, core::slice::from_raw_parts(data, len))
        }
    }

    /// Copies characters into `wchar_t`; returns how many, without a NUL that fits too.
    fn PyUnicode_AsWideChar(ts, text: &PyObject, to: *mut WChar, size: isize) -> isize {
        let text = check(ts, text)?;
        if to.is_null() {
            return Ok(text.len() as isize + 1);
        }
        let count = text.len().min(size.max(0) as usize);
        for (index, ch) in text.chars().take(count).enumerate() {
            // SAFETY: the caller's room.
            unsafe { to.add(index).write(ch) };
        }
        if (count as isize) < size {
            // SAFETY: the caller's room.
            unsafe { to.add(count).write(0) };
        }
        Ok(count as isize)
    }

    /// A copy in `wchar_t` from `PyMem_Malloc`.
    fn PyUnicode_AsWideCharString(ts, text: &PyObject, size: *mut isize) -> *mut WChar {
        let text = check(ts, text)?;
        if size.is_null() && text.contains_nul() {
            return raise!(ts, exc::ValueError, "embedded null character");
        }
        let copy = copy_units(ts, text)?;
        if !size.is_null() {
            // SAFETY: the caller's place.
            unsafe { size.write(text.len() as isize) };
        }
        Ok(copy)
    }

    /// The text in UTF-8, NUL-terminated, kept by the object.
    fn PyUnicode_AsUTF8(ts, text: &PyObject) -> *const c_char {
        let text = expect(ts, text)?;
        Ok(text.utf8_with_nul(ts)?.0)
    }

    /// The same with its length.
    fn PyUnicode_AsUTF8AndSize(ts, text: &PyObject, size: *mut isize) -> *const c_char {
        if !size.is_null() {
            // SAFETY: the caller's place.
            unsafe { size.write(-1) };
        }
        let (data, len) = expect(ts, text)?.utf8_with_nul(ts)?;
        if !size.is_null() {
            // SAFETY: the caller's place.
            unsafe { size.write(len as isize) };
        }
        Ok(data)
    }

    /// A character.
    fn PyUnicode_ReadChar(ts, text: &PyObject, index: isize) -> u32 {
        let text = expect(ts, text)?;
        if index < 0 || index as usize >= text.len() {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        Ok(text.char_at(index as usize))
    }

    /// Overwrites a character of a string that is being made.
    fn PyUnicode_WriteChar(ts, text: &PyObject, index: isize, ch: u32) -> () {
        let text = expect(ts, text)?;
        if index < 0 || index as usize >= text.len() {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        check_modifiable(ts, text)?;
        if ch > text.kind().max_char() {
            return raise!(ts, exc::ValueError, "character out of range");
        }
        // SAFETY: all three conditions were looked at.
        unsafe { text.write_char(index as usize, ch) };
        Ok(())
    }

    /// Overwrites a run of characters with one.
    fn PyUnicode_Fill(ts, text: &PyObject, start: isize, len: isize, ch: u32) -> isize {
        let text = expect(ts, text)?;
        check_modifiable(ts, text)?;
        if start < 0 {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        if ch > text.kind().max_char() {
            return raise!(ts, exc::ValueError, "fill character is bigger than the string maximum character");
        }
        let end = (start.saturating_add(len.max(0)) as usize).min(text.len());
        for index in start as usize..end {
            // SAFETY: all three conditions were looked at.
            unsafe { text.write_char(index, ch) };
        }
        Ok(end.saturating_sub(start as usize) as isize)
    }

    /// Copies characters into a string that is being made.
    fn PyUnicode_CopyCharacters(ts, to: &PyObject, to_start: isize, from: &PyObject, from_start: isize, count: isize) -> isize {
        let (to, from) = (expect(ts, to)?, expect(ts, from)?);
        if from_start < 0 || from_start as usize > from.len() || to_start < 0 || to_start as usize > to.len() {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        if count < 0 {
            return raise!(ts, exc::SystemError, "how_many cannot be negative");
        }
        let count = (count as usize).min(from.len() - from_start as usize);
        if to_start as usize + count > to.len() {
            return raise!(
                ts,
                exc::SystemError,
                "Cannot write {count} characters at {to_start} in a string of {} characters",
                to.len()
            );
        }
        if count == 0 {
            return Ok(0);
        }
        check_modifiable(ts, to)?;
        let from_start = from_start as usize;
        let widest = from.chars_in(from_start..from_start + count).max().unwrap_or(0);
        if widest > to.kind().max_char() {
            return raise!(ts, exc::SystemError, "Cannot copy characters into a string of a narrower kind");
        }
        // SAFETY: the bounds, the widths and that the string is being made were looked at.
        unsafe { to.write_chars(to_start as usize, from, from_start, count) };
        Ok(count as isize)
    }

    /// Part of a string.
    fn PyUnicode_Substring(ts, text: &PyObject, start: isize, end: isize) -> Ref<PyStr> {
        let text = expect(ts, text)?;
        if start < 0 || end < 0 {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        let end = (end as usize).min(text.len());
        let start = (start as usize).min(end);
        if start == 0 && end == text.len() {
            return text.to_exact(ts);
        }
        text.slice(ts, start, end)
    }

    /// Copies the characters into 4-byte units.
    fn PyUnicode_AsUCS4(ts, text: &PyObject, buffer: *mut u32, size: isize, with_nul: c_int) -> *mut u32 {
        let text = expect(ts, text)?;
        if buffer.is_null() || size < 0 {
            return bad_internal_call(ts, "PyUnicode_AsUCS4");
        }
        let nul = usize::from(with_nul != 0);
        if (size as usize) < text.len() + nul {
            return raise!(ts, exc::SystemError, "string is longer than the buffer");
        }
        for (index, ch) in text.chars().enumerate() {
            // SAFETY: the caller's room.
            unsafe { buffer.add(index).write(ch) };
        }
        if nul != 0 {
            // SAFETY: the caller's room.
            unsafe { buffer.add(text.len()).write(0) };
        }
        Ok(buffer)
    }

    /// The same into memory from `PyMem_Malloc`.
    fn PyUnicode_AsUCS4Copy(ts, text: &PyObject) -> *mut u32 {
        copy_units(ts, expect(ts, text)?)
    }

    // Operations.

    /// `left + right`.
    fn PyUnicode_Concat(ts, left: &PyObject, right: &PyObject) -> Ref<PyStr> {
        let (left, right) = (check(ts, left)?, check(ts, right)?);
        PyStr::concat(ts, left, right)
    }

    /// `separator.join(items)`; a blank for null.
    fn PyUnicode_Join(ts, separator: Option<&PyObject>, items: &PyObject) -> PyRef {
        let separator = match separator {
            Some(separator) => Ref::from_borrowed(check(ts, separator)?),
            None => PyStr::new(ts, " ")?,
        };
        protocol::call_named(ts, separator.as_object(), "join", &[items])
    }

    /// `text.split(separator, max)`.
    fn PyUnicode_Split(ts, text: &PyObject, separator: Option<&PyObject>, max: isize) -> Ref<PyList> {
        let separator = separator.map(|s| check(ts, s)).transpose()?;
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        PyList::from_vec(ts, check(ts, text)?.split(ts, separator, max)?)
    }

    /// `text.rsplit(separator, max)`.
    fn PyUnicode_RSplit(ts, text: &PyObject, separator: Option<&PyObject>, max: isize) -> Ref<PyList> {
        let separator = separator.map(|s| check(ts, s)).transpose()?;
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        PyList::from_vec(ts, check(ts, text)?.rsplit(ts, separator, max)?)
    }

    /// `text.splitlines(keep_ends)`.
    fn PyUnicode_Splitlines(ts, text: &PyObject, keep_ends: c_int) -> Ref<PyList> {
        PyList::from_vec(ts, check(ts, text)?.split_lines(ts, keep_ends != 0)?)
    }

    /// `text.partition(separator)`.
    fn PyUnicode_Partition(ts, text: &PyObject, separator: &PyObject) -> PyRef {
        protocol::call_named(ts, check(ts, text)?.as_object(), "partition", &[separator])
    }

    /// `text.rpartition(separator)`.
    fn PyUnicode_RPartition(ts, text: &PyObject, separator: &PyObject) -> PyRef {
        protocol::call_named(ts, check(ts, text)?.as_object(), "rpartition", &[separator])
    }

    /// `text.translate(table)`.
    fn PyUnicode_Translate(ts, text: &PyObject, table: &PyObject, _errors: *const c_char) -> PyRef {
        protocol::call_named(ts, check(ts, text)?.as_object(), "translate", &[table])
    }

    /// `text.replace(old, new, max)`.
    fn PyUnicode_Replace(ts, text: &PyObject, old: &PyObject, new: &PyObject, max: isize) -> Ref<PyStr> {
        let (text, old, new) = (check(ts, text)?, check(ts, old)?, check(ts, new)?);
        text.replace(ts, old, new, usize::try_from(max).unwrap_or(usize::MAX))
    }

    /// Where a part is, from the left or the right; -1 when nowhere, -2 with an exception.
    fn PyUnicode_Find(ts, text: &PyObject, part: &PyObject, start: isize, end: isize, direction: c_int) -> FindResult {
        let (text, part) = (check(ts, text)?, check(ts, part)?);
        let (start, end) = bounds(start, end, text.len());
        if start > text.len() {
            return Ok(FindResult(-1));
        }
        let found = if direction >= 0 { text.find(part, start, end) } else { text.rfind(part, start, end) };
        Ok(FindResult(found.map_or(-1, |at| at as isize)))
    }

    /// Where a character is.
    fn PyUnicode_FindChar(ts, text: &PyObject, ch: u32, start: isize, end: isize, direction: c_int) -> FindResult {
        let text = expect(ts, text)?;
        if start < 0 || end < 0 {
            return raise!(ts, exc::IndexError, "string index out of range");
        }
        let (start, end) = bounds(start, end, text.len());
        if start >= end {
            return Ok(FindResult(-1));
        }
        let mut chars = text.chars_in(start..end);
        let found = if direction > 0 { chars.position(|c| c == ch) } else {
            chars.rev().position(|c| c == ch).map(|at| end - start - 1 - at)
        };
        Ok(FindResult(found.map_or(-1, |at| (start + at) as isize)))
    }

    /// How often a part is in the text.
    fn PyUnicode_Count(ts, text: &PyObject, part: &PyObject, start: isize, end: isize) -> usize {
        let (text, part) = (check(ts, text)?, check(ts, part)?);
        let (start, end) = bounds(start, end, text.len());
        Ok(if start > end { 0 } else { text.count(part, start, end) })
    }

    /// Whether the text begins (-1) or ends (1) with a part.
    fn PyUnicode_Tailmatch(ts, text: &PyObject, part: &PyObject, start: isize, end: isize, direction: c_int) -> bool {
        let (text, part) = (check(ts, text)?, check(ts, part)?);
        let (start, end) = bounds(start, end, text.len());
        if start > end || part.len() > end - start {
            return Ok(false);
        }
        Ok(text.has_at(part, if direction > 0 { end - part.len() } else { start }, end))
    }

    /// Whether a part is in the text.
    fn PyUnicode_Contains(ts, text: &PyObject, part: &PyObject) -> bool {
        let text = check(ts, text)?;
        match part.downcast::<PyStr>() {
            Some(part) => Ok(text.contains(part)),
            None => raise!(ts, exc::TypeError, "'in <string>' requires string as left operand, not {}", part.type_name()),
        }
    }

    /// -1, 0 or 1.
    fn PyUnicode_Compare(ts, left: &PyObject, right: &PyObject) -> i32 {
        let (Some(a), Some(b)) = (left.downcast::<PyStr>(), right.downcast::<PyStr>()) else {
            return raise!(ts, exc::TypeError, "Can't compare {} and {}", left.type_name(), right.type_name());
        };
        Ok(PyStr::compare(a, b) as i32)
    }

    /// Whether both are the same text.
    fn PyUnicode_Equal(ts, left: &PyObject, right: &PyObject) -> bool {
        for object in [left, right] {
            if !object.is_a::<PyStr>() {
                return raise!(ts, exc::TypeError, "first argument must be str, not {}", object.type_name());
            }
        }
        Ok(check(ts, left)?.equals(check(ts, right)?))
    }

    /// A comparison's object.
    fn PyUnicode_RichCompare(ts, left: &PyObject, right: &PyObject, op: c_int) -> PyRef {
        let (Some(a), Some(b)) = (left.downcast::<PyStr>(), right.downcast::<PyStr>()) else {
            return Ok(crate::types::notimplemented::not_implemented());
        };
        match CompareOp::from_c(op) {
            Some(op) => Ok(crate::types::bool::py_bool(op.holds(PyStr::compare(a, b)))),
            None => bad_internal_call(ts, "PyUnicode_RichCompare"),
        }
    }

    /// `format % values`.
    fn PyUnicode_Format(ts, format: &PyObject, values: &PyObject) -> PyRef {
        protocol::remainder(ts, check(ts, format)?.as_object(), values)
    }

    /// Whether the text is an identifier.
    fn PyUnicode_IsIdentifier(ts, text: &PyObject) -> bool {
        Ok(check(ts, text)?.is_identifier())
    }

    /// The default encoding's name: always UTF-8.
    fn PyUnicode_GetDefaultEncoding(_ts) -> *const c_char {
        Ok(c"utf-8".as_ptr())
    }

    /// The map from characters to bytes for a decoding table.
    fn PyUnicode_BuildEncodingMap(ts, table: &PyStr) -> PyRef {
        crate::types::str::codec::build_encoding_map(ts, table)
    }
}

/// A position, -1, or -2 for an exception.
pub struct FindResult(isize);

impl super::convert::IntoC for FindResult {
    type C = isize;
    const FAILED: isize = -2;
    fn into_c(self) -> isize {
        self.0
    }
}

/// Bounds as slices have them.
fn bounds(start: isize, end: isize, len: usize) -> (usize, usize) {
    let len = len as isize;
    let end = if end > len {
        len
    } else if end < 0 {
        (end + len).max(0)
    } else {
        end
    };
    let start = if start < 0 { (start + len).max(0) } else { start };
    (start as usize, end as usize)
}

fn check_modifiable(ts: &ThreadState, text: &PyStr) -> PyResult<()> {
    if text.is_modifiable() { Ok(()) } else { raise!(ts, exc::SystemError, "Cannot modify a string currently used") }
}

/// The characters in 4-byte units with a NUL, in memory from `PyMem_Malloc`.
fn copy_units(ts: &ThreadState, text: &PyStr) -> PyResult<*mut u32> {
    let block = hognose_allocators::malloc(hognose_allocators::Domain::Mem, (text.len() + 1) * 4).cast::<u32>();
    if block.is_null() {
        return Err(ts.raise_no_memory());
    }
    for (index, ch) in text.chars().chain([0]).enumerate() {
        // SAFETY: the block has room for the characters and the NUL.
        unsafe { block.add(index).write(ch) };
    }
    Ok(block)
}

/// Compares with a C string in ASCII, as `strcmp` does. Never fails.
///
/// # Safety
///
/// A thread state is attached; `text` is a str, `other` a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_CompareWithASCIIString(text: *mut PyObject, other: *const c_char) -> c_int {
    // SAFETY: as promised.
    unsafe {
        let Some(text) = text.as_ref().and_then(|t| t.downcast::<PyStr>()) else { return -1 };
        let other = CStr::from_ptr(other).to_bytes().iter().map(|b| u32::from(*b));
        text.chars().cmp(other) as c_int
    }
}

/// Whether the text is that of a C string.
///
/// # Safety
///
/// As for [`PyUnicode_CompareWithASCIIString`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_EqualToUTF8(text: *mut PyObject, other: *const c_char) -> c_int {
    // SAFETY: as promised.
    unsafe { PyUnicode_EqualToUTF8AndSize(text, other, CStr::from_ptr(other).to_bytes().len() as isize) }
}

/// Whether the text is that of `len` bytes of UTF-8.
///
/// # Safety
///
/// A thread state is attached; `text` is a str, `other` has the bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_EqualToUTF8AndSize(text: *mut PyObject, other: *const c_char, len: isize) -> c_int {
    // SAFETY: as promised.
    let Some(text) = (unsafe { text.as_ref() }).and_then(|t| t.downcast::<PyStr>()) else { return 0 };
    let bytes = super::bytesobject::slice_of(other.cast(), len);
    core::str::from_utf8(bytes).is_ok_and(|other| text.equals_str(other)).into()
}

/// Replaces `*place` by the interned string of the same text.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference to a str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_InternInPlace(place: *mut *mut PyObject) {
    super::convert::guard::<Void>("PyUnicode_InternInPlace", |ts| {
        // SAFETY: as promised.
        let Some(text) = (unsafe { (*place).as_ref() }).and_then(|t| t.downcast_exact::<PyStr>()) else {
            return Ok(Void);
        };
        match PyStr::intern_ref(ts, Ref::from_borrowed(text)) {
            // SAFETY: as promised; the old reference is given up.
            Ok(interned) => unsafe {
                let old = core::ptr::replace(place, interned.into_object().into_ptr());
                drop(PyRef::from_owned(old));
            },
            // Interning is an economy: without the memory for it the string stays as it is.
            Err(raised) => ts.clear_raised(raised),
        }
        Ok(Void)
    });
}

/// The same: immortal interned strings go with their interpreter, as all memory does.
///
/// # Safety
///
/// As for [`PyUnicode_InternInPlace`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_InternImmortal(place: *mut *mut PyObject) {
    // SAFETY: as promised.
    unsafe { PyUnicode_InternInPlace(place) }
}

/// Changes the length of a string that is being made; on failure `*place` stays.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference to a str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_Resize(place: *mut *mut PyObject, len: isize) -> c_int {
    super::convert::guard::<()>("PyUnicode_Resize", |ts| {
        // SAFETY: as promised.
        let text = (unsafe { (*place).as_ref() }).and_then(|t| t.downcast::<PyStr>());
        let (Some(text), Ok(len)) = (text, usize::try_from(len)) else {
            return bad_internal_call(ts, "PyUnicode_Resize");
        };
        // The reference moves into `resize`, which looks at the count.
        // SAFETY: as promised.
        let owned = unsafe { Ref::<PyStr>::from_owned(core::ptr::from_ref(text).cast_mut()) };
        // SAFETY: the place is filled again below, with null where the string was given up.
        unsafe { place.write(core::ptr::null_mut()) };
        let resized = PyStr::resize(ts, owned, len)?;
        // SAFETY: as promised.
        unsafe { place.write(resized.into_object().into_ptr()) };
        Ok(())
    })
}

/// Replaces `*place` by `*place + right`; on failure by null.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference or null, `right` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_Append(place: *mut *mut PyObject, right: *mut PyObject) {
    super::convert::guard::<Void>("PyUnicode_Append", |ts| {
        // SAFETY: as promised.
        let left = unsafe { PyRef::from_owned_or_null(core::ptr::replace(place, core::ptr::null_mut())) };
        // SAFETY: as promised.
        let (Some(mut left), Some(right)) = (left, unsafe { right.as_ref() }) else { return Ok(Void) };
        check(ts, &left)?;
        let right = check(ts, right)?;
        crate::types::str::concat_in_place(ts, &mut left, right)?;
        // SAFETY: as promised.
        unsafe { place.write(left.into_ptr()) };
        Ok(Void)
    });
}

/// The same, giving up the reference to `right`.
///
/// # Safety
///
/// As for [`PyUnicode_Append`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnicode_AppendAndDel(place: *mut *mut PyObject, right: *mut PyObject) {
    // SAFETY: as promised.
    unsafe {
        PyUnicode_Append(place, right);
        drop(PyRef::from_owned_or_null(right));
    }
}

/// The address of a string's units: what `PyUnicode_DATA` of the header asks for.
///
/// # Safety
///
/// `text` is a str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_UnicodeData(text: *mut PyObject) -> *mut c_void {
    // SAFETY: as promised.
    unsafe { (*text).cast_unchecked::<PyStr>() }.data_ptr().cast_mut().cast()
}

/// The largest character that a string of this kind holds.
///
/// # Safety
///
/// `text` is a str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_UnicodeMaxChar(text: *mut PyObject) -> u32 {
    // SAFETY: as promised.
    let kind: Kind = unsafe { (*text).cast_unchecked::<PyStr>() }.kind();
    kind.max_char()
}
