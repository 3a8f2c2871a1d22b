//! The slots of `bytearray`.

use hognose_allocators::collections::TryVec;

use super::PyByteArray;
use crate::object::{AsObject, CompareOp, PyObject, PyRef, PyResult, Ref, buffer, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::escape;
use crate::types::bool::py_bool;
use crate::types::bytes::shared::{bytes_like, of};
use crate::types::bytes::{ByteItems, collect_bytes, format_percent};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::slice::{Indices, PySlice, subscript_index};
use crate::types::str::{PyStr, StrBuilder};

/// `tp_repr`.
pub(super) fn bytearray_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = of::<PyByteArray>(this);
    let mut out = StrBuilder::with_capacity(data.len().saturating_add(14))?;
    out.push_str(this.ob_type().name())?;
    out.push_str("(")?;
    escape::bytes_repr(&data, &mut out)?;
    out.push_str(")")?;
    out.finish(ts).map(Ref::into_object)
}

/// `tp_str`.
pub(super) fn bytearray_str(ts: &ThreadState, this: &PyObject) -> PyResult {
    crate::types::bytes::warn_of_mix(ts, "str() on a bytearray instance")?;
    bytearray_repr(ts, this)
}

/// `tp_richcompare`: with anything that has a buffer.
pub(super) fn bytearray_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !buffer::has_buffer(left) || !buffer::has_buffer(right) {
        if matches!(op, CompareOp::Eq | CompareOp::Ne) && (left.is_a::<PyStr>() || right.is_a::<PyStr>()) {
            crate::types::bytes::warn_of_mix(ts, "Comparison between bytearray and string")?;
        }
        return Ok(not_implemented());
    }
    let (a, b) = match (bytes_like(ts, left), bytes_like(ts, right)) {
        (Ok(a), Ok(b)) => (a, b),
        (a, b) => {
            for raised in [a.err(), b.err()].into_iter().flatten() {
                if ts.raised_matches(&exc::MemoryError) {
                    return Err(raised);
                }
                ts.clear_raised(raised);
            }
            return Ok(not_implemented());
        }
    };
    let (a, b): (&[u8], &[u8]) = (&a, &b);
    Ok(py_bool(match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        _ => op.holds(a.cmp(b)),
    }))
}

/// `nb_remainder`.
pub(super) fn bytearray_remainder(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if !left.is_a::<PyByteArray>() {
        return Ok(not_implemented());
    }
    let format = of::<PyByteArray>(left);
    let out = format_percent(ts, &format, right)?;
    PyByteArray::new(ts, &out).map(Ref::into_object)
}

#[cold]
fn cannot_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "can't concat {} to {}", right.type_name(), left.type_name())
}

/// `sq_concat`.
pub(super) fn bytearray_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if !buffer::has_buffer(left) || !buffer::has_buffer(right) {
        return cannot_concat(ts, left, right);
    }
    let a = bytes_like(ts, left)?;
    let b = bytes_like(ts, right)?;
    let Some(len) = a.len().checked_add(b.len()) else { return Err(ts.raise_no_memory()) };
    PyByteArray::build(ts, len, |place| {
        let (first, second) = place.split_at_mut(a.len());
        first.write_copy_of_slice(&a);
        second.write_copy_of_slice(&b);
    })
    .map(Ref::into_object)
}

/// `sq_inplace_concat`.
pub(super) fn bytearray_inplace_concat(ts: &ThreadState, this: &PyObject, other: &PyObject) -> PyResult {
    if !buffer::has_buffer(other) {
        return cannot_concat(ts, this, other);
    }
    let bytes = bytes_like(ts, other)?;
    this.cast::<PyByteArray>().extend(ts, &bytes)?;
    Ok(this.new_ref())
}

fn repeated_len(ts: &ThreadState, len: usize, count: isize) -> PyResult<usize> {
    match len.checked_mul(count.max(0) as usize).filter(|len| *len <= isize::MAX as usize) {
        Some(len) => Ok(len),
        None => Err(ts.raise_no_memory()),
    }
}

/// `sq_repeat`.
pub(super) fn bytearray_repeat(ts: &ThreadState, this: &PyObject, count: isize) -> PyResult {
    let data = of::<PyByteArray>(this);
    let len = repeated_len(ts, data.len(), count)?;
    PyByteArray::build(ts, len, |place| crate::types::bytes::fill_with_copies(place, &data)).map(Ref::into_object)
}

/// `sq_inplace_repeat`.
pub(super) fn bytearray_inplace_repeat(ts: &ThreadState, this: &PyObject, count: isize) -> PyResult {
    let array = this.cast::<PyByteArray>();
    let one = array.len();
    let len = repeated_len(ts, one, count)?;
    if len == 0 {
        array.resize(ts, 0)?;
        return Ok(this.new_ref());
    }
    // SAFETY: each copy doubles what is there already, within the new length.
    unsafe {
        array.resize_uninit(ts, len)?;
        let data = array.data_ptr();
        let mut done = one;
        while done < len {
            let more = done.min(len - done);
            core::ptr::copy_nonoverlapping(data, data.add(done), more);
            done += more;
        }
    }
    Ok(this.new_ref())
}

#[cold]
fn out_of_range<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::IndexError, "bytearray index out of range")
}

/// `sq_item`.
pub(super) fn bytearray_item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    match usize::try_from(index).ok().and_then(|index| this.cast::<PyByteArray>().get(index)) {
        Some(byte) => PyInt::from_i64(ts, i64::from(byte)),
        None => out_of_range(ts),
    }
}

/// `sq_ass_item`.
pub(super) fn bytearray_ass_item(
    ts: &ThreadState,
    this: &PyObject,
    index: isize,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let array = this.cast::<PyByteArray>();
    // The value's `__index__` may change the length: it comes first.
    let byte = match value {
        Some(value) => Some(ByteItems::ByteArray.byte(ts, value)?),
        None => None,
    };
    let index = match usize::try_from(index) {
        Ok(index) if index < array.len() => index,
        _ => return out_of_range(ts),
    };
    match byte {
        // SAFETY: the index is in bounds.
        Some(byte) => unsafe { array.data_ptr().add(index).write(byte) },
        None => array.splice(ts, index, index + 1, b"")?,
    }
    Ok(())
}

#[cold]
fn wrong_key<T>(ts: &ThreadState, key: &PyObject) -> PyResult<T> {
    raise!(ts, exc::TypeError, "bytearray indices must be integers or slices, not {}", key.type_name())
}

/// `mp_subscript`.
pub(super) fn bytearray_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    let array = this.cast::<PyByteArray>();
    if protocol::is_index(key) {
        let mut index = subscript_index(ts, key)?;
        if index < 0 {
            index += array.len() as isize;
        }
        return bytearray_item(ts, this, index);
    }
    let Some(slice) = key.downcast::<PySlice>() else { return wrong_key(ts, key) };
    let (start, stop, step) = slice.unpack(ts)?;
    let found = Indices::clip(start, stop, step, array.len());
    let data = of::<PyByteArray>(this);
    if found.length == 0 || step == 1 {
        let start = found.start as usize;
        return PyByteArray::new(ts, &data[start.min(data.len())..][..found.length]).map(Ref::into_object);
    }
    PyByteArray::build(ts, found.length, |place| {
        for (place, index) in place.iter_mut().zip(found.iter()) {
            place.write(data[index]);
        }
    })
    .map(Ref::into_object)
}

/// What is assigned to a slice: bytes that are not in the bytearray's own buffer, or are exported from it.
enum Assigned {
    Copy(TryVec<u8>),
    Other(PyRef),
}

/// `mp_ass_subscript`.
pub(super) fn bytearray_ass_subscript(
    ts: &ThreadState,
    this: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let array = this.cast::<PyByteArray>();
    if protocol::is_index(key) {
        let mut index = subscript_index(ts, key)?;
        if index < 0 {
            index += array.len() as isize;
        }
        return bytearray_ass_item(ts, this, index, value);
    }
    let Some(slice) = key.downcast::<PySlice>() else { return wrong_key(ts, key) };
    let (start, stop, step) = slice.unpack(ts)?;
    let assigned = match value {
        None => None,
        Some(value) if value.is_a::<PyByteArray>() && !value.is(this) => Some(Assigned::Other(value.new_ref())),
        Some(value) => {
            if protocol::is_number(value) || value.is_a::<PyStr>() {
                return raise!(
                    ts,
                    exc::TypeError,
                    "can assign only bytes, buffers, or iterables of ints in range(0, 256)"
                );
            }
            Some(Assigned::Copy(collect_bytes(ts, value, ByteItems::ByteArray)?))
        }
    };
    let found = Indices::clip(start, stop, step, array.len());
    match assigned {
        None => delete_slice(ts, array, found),
        Some(Assigned::Copy(bytes)) => assign_slice(ts, array, found, &bytes),
        Some(Assigned::Other(other)) => assign_slice(ts, array, found, &of::<PyByteArray>(&other)),
    }
}

fn assign_slice(ts: &ThreadState, array: &PyByteArray, found: Indices, bytes: &[u8]) -> PyResult<()> {
    if found.step == 1 {
        let start = found.start as usize;
        // An empty range is a place: `b[5:2] = …` inserts before 5.
        return array.splice(ts, start, start + found.length, bytes);
    }
    if bytes.is_empty() {
        return delete_slice(ts, array, found);
    }
    if bytes.len() != found.length {
        return raise!(
            ts,
            exc::ValueError,
            "attempt to assign bytes of size {} to extended slice of size {}",
            bytes.len(),
            found.length
        );
    }
    // SAFETY: nothing else has the bytes: `bytes` is another object's or a copy.
    let data = unsafe { array.as_mut_slice() };
    for (index, byte) in found.iter().zip(bytes) {
        data[index] = *byte;
    }
    Ok(())
}

fn delete_slice(ts: &ThreadState, array: &PyByteArray, found: Indices) -> PyResult<()> {
    if found.length == 0 {
        return Ok(());
    }
    if found.step == 1 {
        let start = found.start as usize;
        return array.splice(ts, start, start + found.length, b"");
    }
    array.check_resizable(ts)?;
    let (first, step) = if found.step < 0 {
        (found.start + found.step * (found.length as isize - 1), -found.step)
    } else {
        (found.start, found.step)
    };
    let (first, step) = (first as usize, step as usize);
    // SAFETY: nothing else has the bytes, and nothing runs while they move.
    let data = unsafe { array.as_mut_slice() };
    let mut to = first;
    for index in 0..found.length {
        let from = first + index * step + 1;
        let end = if index + 1 == found.length { data.len() } else { from + step - 1 };
        data.copy_within(from..end, to);
        to += end - from;
    }
    array.resize(ts, to)
}
