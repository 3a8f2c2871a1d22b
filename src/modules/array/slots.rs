//! The slots of `array`.

use hognose_allocators::collections::TryVec;

use super::new::{copy, extend};
use super::{ARRAY_TYPE, PyArray};
use crate::object::{AsObject, CompareOp, PyObject, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;
use crate::types::slice::{Indices, PySlice, subscript_index};
use crate::types::str::StrBuilder;

fn this(object: &PyObject) -> &PyArray {
    object.cast::<PyArray>()
}

/// `tp_repr`.
pub(super) fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    let mut out = StrBuilder::new();
    out.push_str(object.ob_type().name())?;
    out.push_str("('")?;
    out.push_char(u32::from(array.kind().code()))?;
    out.push_str("'")?;
    if array.len() > 0 {
        let items = if array.kind().is_text() {
            super::methods::tounicode(ts, object)?
        } else {
            super::methods::tolist(ts, object)?
        };
        out.push_str(", ")?;
        out.push_repr(ts, &items)?;
    }
    out.push_str(")")?;
    out.finish(ts).map(Ref::into_object)
}

/// `tp_richcompare`.
pub(super) fn compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyArray>(), right.downcast::<PyArray>()) else {
        return Ok(not_implemented());
    };
    if a.len() != b.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(py_bool(op == CompareOp::Ne));
    }
    if a.kind() == b.kind() && !a.kind().is_float() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        // SAFETY: nothing runs while the memory is compared.
        let equal = unsafe { a.bytes() == b.bytes() };
        return Ok(py_bool(equal == (op == CompareOp::Eq)));
    }
    let mut index = 0;
    while let (Some(x), Some(y)) = (a.get(ts, index)?, b.get(ts, index)?) {
        if !equal_items(ts, &x, &y)? {
            return match op {
                CompareOp::Eq => Ok(py_bool(false)),
                CompareOp::Ne => Ok(py_bool(true)),
                op => protocol::compare(ts, &x, &y, op),
            };
        }
        index += 1;
    }
    Ok(py_bool(op.holds(a.len().cmp(&b.len()))))
}

/// `sq_contains`.
pub(super) fn contains(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<bool> {
    let array = this(object);
    let mut index = 0;
    while let Some(item) = array.get(ts, index)? {
        if protocol::equal(ts, &item, value)? {
            return Ok(true);
        }
        index += 1;
    }
    Ok(false)
}

/// `sq_concat`.
pub(super) fn concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let a = this(left);
    let Some(b) = right.downcast::<PyArray>() else {
        return raise!(ts, exc::TypeError, "can only append array (not \"{}\") to array", right.type_name());
    };
    if a.kind() != b.kind() {
        return raise!(ts, exc::TypeError, "bad argument type for built-in operation");
    }
    let made = PyArray::new(ts, &ARRAY_TYPE, a.kind(), a.len() + b.len())?;
    // SAFETY: the new array is another one, and nothing runs while the items are copied.
    unsafe {
        let (first, second) = made.bytes_mut().split_at_mut(a.bytes().len());
        first.copy_from_slice(a.bytes());
        second.copy_from_slice(b.bytes());
    }
    Ok(made.into_object())
}

fn repeated_len(ts: &ThreadState, array: &PyArray, count: isize) -> PyResult<usize> {
    let len = array.len().checked_mul(count.max(0) as usize);
    match len.filter(|len| *len <= isize::MAX as usize / array.kind().size()) {
        Some(len) => Ok(len),
        None => Err(ts.raise_no_memory()),
    }
}

/// Fills what is behind the first `one` bytes with copies of them.
fn fill_up(bytes: &mut [u8], one: usize) {
    let mut done = one;
    while done > 0 && done < bytes.len() {
        let more = done.min(bytes.len() - done);
        bytes.copy_within(..more, done);
        done += more;
    }
}

/// `sq_repeat`.
pub(super) fn repeat(ts: &ThreadState, object: &PyObject, count: isize) -> PyResult {
    let array = this(object);
    let len = repeated_len(ts, array, count)?;
    let made = PyArray::new(ts, &ARRAY_TYPE, array.kind(), len)?;
    if len > 0 {
        // SAFETY: the new array is another one, and nothing runs while the items are copied.
        unsafe {
            let one = array.bytes();
            made.bytes_mut()[..one.len()].copy_from_slice(one);
            fill_up(made.bytes_mut(), one.len());
        }
    }
    Ok(made.into_object())
}

/// `sq_inplace_repeat`.
pub(super) fn inplace_repeat(ts: &ThreadState, object: &PyObject, count: isize) -> PyResult {
    let array = this(object);
    let one = array.len() * array.kind().size();
    let len = repeated_len(ts, array, count)?;
    array.resize(ts, len)?;
    // SAFETY: nothing runs while the items are copied.
    fill_up(unsafe { array.bytes_mut() }, one);
    Ok(object.new_ref())
}

/// `sq_inplace_concat`.
pub(super) fn inplace_concat(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    if !other.is_a::<PyArray>() {
        return raise!(ts, exc::TypeError, "can only extend with array (not \"{}\")", other.type_name());
    }
    extend_any(ts, this(object), other)?;
    Ok(object.new_ref())
}

/// Extends with an array of the same kind or any other iterable.
pub(super) fn extend_any(ts: &ThreadState, array: &PyArray, other: &PyObject) -> PyResult<()> {
    let Some(other) = other.downcast::<PyArray>() else { return extend(ts, array, other) };
    if other.kind() != array.kind() {
        return raise!(ts, exc::TypeError, "can only extend with array of same kind");
    }
    let (old, added, size) = (array.len(), other.len(), array.kind().size());
    array.resize(ts, old + added)?;
    // SAFETY: the source's items stand before the new places even when it is the same array.
    unsafe { core::ptr::copy_nonoverlapping(other.data_ptr(), array.data_ptr().add(old * size), added * size) };
    Ok(())
}

/// `sq_item`.
pub(super) fn item(ts: &ThreadState, object: &PyObject, index: isize) -> PyResult {
    let found = match usize::try_from(index) {
        Ok(index) => this(object).get(ts, index)?,
        Err(_) => None,
    };
    match found {
        Some(item) => Ok(item),
        None => raise!(ts, exc::IndexError, "array index out of range"),
    }
}

/// `sq_ass_item`.
pub(super) fn ass_item(ts: &ThreadState, object: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let array = this(object);
    // The conversion may change the array: it comes before the look at the length.
    let word = match value {
        Some(value) => Some(array.kind().convert(ts, value)?),
        None => None,
    };
    let index = match usize::try_from(index) {
        Ok(index) if index < array.len() => index,
        _ => return raise!(ts, exc::IndexError, "array assignment index out of range"),
    };
    match word {
        Some(word) => array.put(index, &word),
        None => array.splice(ts, index, index + 1, b"")?,
    }
    Ok(())
}

#[cold]
fn wrong_key<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::TypeError, "array indices must be integers")
}

/// `mp_subscript`.
pub(super) fn subscript(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    let array = this(object);
    if protocol::is_index(key) {
        let mut index = subscript_index(ts, key)?;
        if index < 0 {
            index += array.len() as isize;
        }
        return item(ts, object, index);
    }
    let Some(slice) = key.downcast::<PySlice>() else { return wrong_key(ts) };
    let (start, stop, step) = slice.unpack(ts)?;
    let found = Indices::clip(start, stop, step, array.len());
    let made = PyArray::new(ts, &ARRAY_TYPE, array.kind(), found.length)?;
    let size = array.kind().size();
    // SAFETY: the new array is another one, the indices are in bounds, and nothing runs while the items are copied.
    unsafe {
        let (from, to) = (array.bytes(), made.bytes_mut());
        if step == 1 && found.length > 0 {
            let start = found.start as usize * size;
            to.copy_from_slice(&from[start..start + to.len()]);
        } else {
            for (place, index) in to.chunks_exact_mut(size).zip(found.iter()) {
                place.copy_from_slice(&from[index * size..][..size]);
            }
        }
    }
    Ok(made.into_object())
}

/// `mp_ass_subscript`.
pub(super) fn ass_subscript(
    ts: &ThreadState,
    object: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let array = this(object);
    if protocol::is_index(key) {
        let mut index = subscript_index(ts, key)?;
        if index < 0 {
            index += array.len() as isize;
        }
        return ass_item(ts, object, index, value);
    }
    let Some(slice) = key.downcast::<PySlice>() else { return wrong_key(ts) };
    let (start, stop, step) = slice.unpack(ts)?;
    let mut source: Option<Ref<PyArray>> = None;
    if let Some(value) = value {
        let Some(other) = value.downcast::<PyArray>() else {
            return raise!(ts, exc::TypeError, "can only assign array (not \"{}\") to array slice", value.type_name());
        };
        if other.kind() != array.kind() {
            return raise!(ts, exc::TypeError, "bad argument type for built-in operation");
        }
        source = Some(if value.is(object) { copy(ts, other)? } else { Ref::from_borrowed(other) });
    }
    let found = Indices::clip(start, stop, step, array.len());
    // SAFETY: the source is another array; nothing runs while its items are read.
    let bytes = source.as_ref().map(|source| unsafe { source.bytes() });
    let size = array.kind().size();
    let needed = bytes.map_or(0, |bytes| bytes.len() / size);
    if found.step == 1 {
        let start = found.start as usize;
        return array.splice(ts, start, start + found.length, bytes.unwrap_or_default());
    }
    if needed == 0 {
        return delete(ts, array, found);
    }
    if needed != found.length {
        return raise!(
            ts,
            exc::ValueError,
            "attempt to assign array of size {needed} to extended slice of size {}",
            found.length
        );
    }
    // SAFETY: as above.
    let to = unsafe { array.bytes_mut() };
    for (index, item) in found.iter().zip(bytes.unwrap_or_default().chunks_exact(size)) {
        to[index * size..][..size].copy_from_slice(item);
    }
    Ok(())
}

/// Takes the items of an extended slice out.
fn delete(ts: &ThreadState, array: &PyArray, found: Indices) -> PyResult<()> {
    if found.length == 0 {
        return Ok(());
    }
    let size = array.kind().size();
    let mut rest: TryVec<u8> = TryVec::new();
    // SAFETY: nothing runs while the items are copied.
    let bytes = unsafe { array.bytes() };
    rest.try_reserve(bytes.len())?;
    let (first, step) = if found.step < 0 {
        (found.start + found.step * (found.length as isize - 1), -found.step)
    } else {
        (found.start, found.step)
    };
    let (first, step) = (first as usize, step as usize);
    for (index, item) in bytes.chunks_exact(size).enumerate() {
        let taken = index >= first && (index - first).is_multiple_of(step) && (index - first) / step < found.length;
        if !taken {
            rest.try_extend_from_copy(item)?;
        }
    }
    array.splice(ts, 0, array.len(), &rest)
}

/// Whether two items are equal; not by identity, so that a NaN is not equal to itself.
fn equal_items(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult<bool> {
    protocol::is_true(ts, &*protocol::compare(ts, a, b, CompareOp::Eq)?)
}
