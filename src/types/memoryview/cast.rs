//! `cast`: other formats and shapes for the same memory.

use super::item::{is_byte_format, native, native_c_str};
use super::strided::{MAX_DIMENSIONS, Order, contiguous_strides, format_of};
use super::{C, PyMemoryView};
use crate::object::call::borrow_all;
use crate::object::{Args, PyObject, PyRef, PyResult, Ref, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// `cast`.
pub(super) fn cast(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("cast", ["format", "shape"], 0, 2, 1);
    let [format, shape] = SIGNATURE.parse(ts, args)?;
    let this = object.cast::<PyMemoryView>();
    let Some(format) = format else {
        return raise!(ts, exc::TypeError, "cast() missing required argument 'format' (pos 1)");
    };
    let Some(format) = format.downcast::<PyStr>() else {
        let given = if is_none(format) { "None" } else { format.type_name() };
        return raise!(ts, exc::TypeError, "cast() argument 'format' must be str, not {given}");
    };
    this.check_for_new(ts)?;
    if !this.has(C) {
        return raise!(ts, exc::TypeError, "memoryview: casts are restricted to C-contiguous views");
    }
    let view = this.view();
    let count = view.ndim as usize;
    if (shape.is_some() || count != 1)
        && (0..count).any(|index| {
            // SAFETY: there is an extent for each dimension.
            unsafe { *view.shape.add(index) == 0 }
        })
    {
        return raise!(ts, exc::TypeError, "memoryview: cannot cast view with zeros in shape or strides");
    }
    let shape = match shape {
        None => None,
        Some(shape) => {
            if !shape.is_a::<PyList>() && !shape.is_a::<PyTuple>() {
                return raise!(ts, exc::TypeError, "shape must be a list or a tuple");
            }
            let shape = protocol::tuple_of(ts, shape)?;
            if shape.len() > MAX_DIMENSIONS {
                return raise!(
                    ts,
                    exc::ValueError,
                    "memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}"
                );
            }
            if count != 1 && shape.len() != 1 {
                return raise!(ts, exc::TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
            }
            Some(shape)
        }
    };
    let Some(mbuf) = this.mbuf.get() else {
        return raise!(ts, exc::ValueError, "operation forbidden on released memoryview object");
    };
    let made = PyMemoryView::incomplete(ts, &mbuf, view, shape.as_ref().map_or(1, |shape| shape.len().max(1)))?;
    to_one_dimension(ts, &made, format)?;
    if let Some(shape) = shape {
        to_shape(ts, &made, &shape)?;
    }
    Ok(made.into_object())
}

fn to_one_dimension(ts: &ThreadState, made: &PyMemoryView, format: &PyStr) -> PyResult<()> {
    if !format.is_ascii() {
        // As the ASCII codec says it.
        crate::types::str::codec::encode_ascii(ts, format, "strict")?;
    }
    let name = format.ascii_str().unwrap_or("").as_bytes();
    let (Some((code, size)), Some(stored)) = (native(name), native_c_str(name)) else {
        return raise!(
            ts,
            exc::ValueError,
            "memoryview: destination format must be a native single character format prefixed with an optional '@'"
        );
    };
    let from = made.view();
    let from_bytes = native(format_of(from)).is_some_and(|(code, _)| is_byte_format(code));
    if !from_bytes && !is_byte_format(code) {
        return raise!(ts, exc::TypeError, "memoryview: cannot cast between two non-byte formats");
    }
    if from.len % size as isize != 0 {
        return raise!(ts, exc::TypeError, "memoryview: length is not a multiple of itemsize");
    }
    // SAFETY: nobody else has the new view, which has room for a dimension.
    unsafe {
        let view = &mut *made.view.get();
        view.format = stored.as_ptr().cast_mut();
        view.itemsize = size as isize;
        view.ndim = 1;
        *view.shape = view.len / view.itemsize;
        *view.strides = view.itemsize;
        view.suboffsets = core::ptr::null_mut();
    }
    made.init_flags();
    Ok(())
}

fn to_shape(ts: &ThreadState, made: &PyMemoryView, shape: &PyTuple) -> PyResult<()> {
    let itemsize = made.view().itemsize;
    let mut extents = [0isize; MAX_DIMENSIONS];
    let mut len = itemsize;
    for (extent, given) in extents.iter_mut().zip(shape.items()) {
        let Some(int) = given.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "memoryview.cast(): elements of shape must be integers");
        };
        let value = int.to_isize(ts)?;
        if value <= 0 {
            return raise!(ts, exc::ValueError, "memoryview.cast(): elements of shape must be integers > 0");
        }
        len = match len.checked_mul(value) {
            Some(len) => len,
            None => return raise!(ts, exc::ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX"),
        };
        *extent = value;
    }
    if made.view().len != len {
        return raise!(ts, exc::TypeError, "memoryview: product(shape) * itemsize != buffer size");
    }
    let count = shape.len();
    // SAFETY: nobody else has the new view, which has room for the dimensions.
    unsafe {
        let view = &mut *made.view.get();
        view.ndim = count as i32;
        if count == 0 {
            view.shape = core::ptr::null_mut();
            view.strides = core::ptr::null_mut();
        } else {
            core::ptr::copy_nonoverlapping(extents.as_ptr(), view.shape, count);
            let strides = core::slice::from_raw_parts_mut(view.strides, count);
            contiguous_strides(&extents[..count], strides, itemsize, Order::C);
        }
    }
    made.init_flags();
    Ok(())
}

/// A tuple of ints, as `shape` and its like are shown.
pub(super) fn int_tuple(ts: &ThreadState, numbers: &[isize]) -> PyResult {
    let mut items = hognose_allocators::collections::TryVec::<PyRef>::new();
    for number in numbers {
        items.try_push(PyInt::from_i64(ts, *number as i64)?)?;
    }
    PyTuple::new(ts, borrow_all(&items)).map(Ref::into_object)
}
