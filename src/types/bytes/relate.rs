//! The slots of `bytes`: comparison, concatenation, subscripts, text.

use super::PyBytes;
use super::shared::bytes_like;
use super::split::{put, set};
use crate::object::{AsObject, CompareOp, PyObject, PyResult, Ref, buffer, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::escape;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::slice::{Indices, PySlice, subscript_index};
use crate::types::str::StrBuilder;
use crate::types::tuple::PyTuple;

/// `tp_repr`.
pub(super) fn bytes_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = this.cast::<PyBytes>().as_slice();
    let mut out = StrBuilder::with_capacity(data.len().saturating_add(3))?;
    escape::bytes_repr(data, &mut out)?;
    out.finish(ts).map(Ref::into_object)
}

/// `tp_str`: the repr, with a warning when the configuration asks for it.
pub(super) fn bytes_str(ts: &ThreadState, this: &PyObject) -> PyResult {
    warn_of_mix(ts, "str() on a bytes instance")?;
    bytes_repr(ts, this)
}

/// Issues a BytesWarning under `-b`.
#[inline]
pub(crate) fn warn_of_mix(ts: &ThreadState, message: &str) -> PyResult<()> {
    if ts.interp().config().bytes_warning > 0 {
        return exc::warn(ts, &exc::BytesWarning, message, 1);
    }
    Ok(())
}

/// `tp_richcompare`.
pub(super) fn bytes_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyBytes>(), right.downcast::<PyBytes>()) else {
        if ts.interp().config().bytes_warning > 0 && matches!(op, CompareOp::Eq | CompareOp::Ne) {
            let has = |check: fn(&PyObject) -> bool| check(left) || check(right);
            if has(PyObject::is_a::<crate::types::str::PyStr>) {
                warn_of_mix(ts, "Comparison between bytes and string")?;
            } else if has(PyObject::is_a::<PyInt>) {
                warn_of_mix(ts, "Comparison between bytes and int")?;
            }
        }
        return Ok(not_implemented());
    };
    let (a, b) = (a.as_slice(), b.as_slice());
    Ok(py_bool(match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        _ => op.holds(a.cmp(b)),
    }))
}

/// `sq_concat`.
pub(super) fn bytes_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if !buffer::has_buffer(left) || !buffer::has_buffer(right) {
        return raise!(ts, exc::TypeError, "can't concat {} to {}", right.type_name(), left.type_name());
    }
    let a = bytes_like(ts, left)?;
    let b = bytes_like(ts, right)?;
    if b.is_empty() && left.downcast_exact::<PyBytes>().is_some() {
        return Ok(left.new_ref());
    }
    if a.is_empty() && right.downcast_exact::<PyBytes>().is_some() {
        return Ok(right.new_ref());
    }
    let Some(len) = a.len().checked_add(b.len()).filter(|len| *len <= isize::MAX as usize) else {
        return Err(ts.raise_no_memory());
    };
    PyBytes::build(ts, len, |place| {
        put(put(place, &a), &b);
    })
    .map(Ref::into_object)
}

/// Writes as many copies of `data` as the place has room for.
pub(crate) fn fill_with_copies(place: &mut [core::mem::MaybeUninit<u8>], data: &[u8]) {
    if let [byte] = data {
        set(place, *byte);
        return;
    }
    let total = place.len();
    let mut done = data.len().min(total);
    put(place, &data[..done]);
    while done < total {
        let more = done.min(total - done);
        place.copy_within(..more, done);
        done += more;
    }
}

/// `sq_repeat`.
pub(super) fn bytes_repeat(ts: &ThreadState, this: &PyObject, count: isize) -> PyResult {
    let bytes = this.cast::<PyBytes>();
    let data = bytes.as_slice();
    if count == 1 && bytes.is_exact() {
        return Ok(this.new_ref());
    }
    let count = count.max(0) as usize;
    let Some(len) = data.len().checked_mul(count).filter(|len| *len <= isize::MAX as usize) else {
        return raise!(ts, exc::OverflowError, "repeated bytes are too long");
    };
    if len == 0 && !data.is_empty() {
        // A new object, as in CPython: tools that look for where it was allocated rely on it.
        // SAFETY: there is no byte to write.
        return unsafe { PyBytes::uninit(ts, 0) }.map(Ref::into_object);
    }
    PyBytes::build(ts, len, |place| fill_with_copies(place, data)).map(Ref::into_object)
}

/// `sq_item`.
pub(super) fn bytes_item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    let byte = usize::try_from(index).ok().and_then(|index| this.cast::<PyBytes>().as_slice().get(index));
    match byte {
        Some(byte) => PyInt::from_i64(ts, i64::from(*byte)),
        None => raise!(ts, exc::IndexError, "index out of range"),
    }
}

/// `mp_subscript`.
pub(super) fn bytes_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    let bytes = this.cast::<PyBytes>();
    if protocol::is_index(key) {
        let mut index = subscript_index(ts, key)?;
        if index < 0 {
            index += bytes.len() as isize;
        }
        return bytes_item(ts, this, index);
    }
    let Some(slice) = key.downcast::<PySlice>() else {
        return raise!(ts, exc::TypeError, "byte indices must be integers or slices, not {}", key.type_name());
    };
    let (start, stop, step) = slice.unpack(ts)?;
    let found = Indices::clip(start, stop, step, bytes.len());
    if found.length == 0 {
        return Ok(PyBytes::empty().into_object());
    }
    let data = bytes.as_slice();
    if step == 1 {
        let start = found.start as usize;
        return bytes.slice(ts, start, start + found.length).map(Ref::into_object);
    }
    PyBytes::build(ts, found.length, |place| {
        for (place, index) in place.iter_mut().zip(found.iter()) {
            place.write(data[index]);
        }
    })
    .map(Ref::into_object)
}

/// `__getnewargs__`.
pub(super) fn bytes_getnewargs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let plain = PyBytes::new(ts, this.cast::<PyBytes>().as_slice())?;
    PyTuple::from_array(ts, [plain.into_object()]).map(Ref::into_object)
}

/// `__bytes__`.
pub(super) fn bytes_bytes(ts: &ThreadState, this: &PyObject) -> PyResult {
    let bytes = this.cast::<PyBytes>();
    if bytes.is_exact() {
        return Ok(this.new_ref());
    }
    PyBytes::new(ts, bytes.as_slice()).map(Ref::into_object)
}
