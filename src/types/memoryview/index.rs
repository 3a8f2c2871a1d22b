//! Subscripts and slices.

use core::ptr::null_mut;

use hognose_allocators::collections::TryVec;

use super::PyMemoryView;
use super::item;
use super::strided::{self, Complete, Dimensions, Order, format_of, is_contiguous};
use crate::object::buffer::{self, Buffer, PyBuffer};
use crate::object::{AsObject, PyObject, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::ellipsis::ellipsis;
use crate::types::exceptions as exc;
use crate::types::slice::{Indices, PySlice};
use crate::types::tuple::PyTuple;

/// The single native format of the items; NotImplementedError for any other.
pub(super) fn item_format(ts: &ThreadState, view: &PyBuffer) -> PyResult<u8> {
    let format = format_of(view);
    match format.strip_prefix(b"@").unwrap_or(format) {
        [code] => Ok(*code),
        _ => raise!(
            ts,
            exc::NotImplementedError,
            "memoryview: unsupported format {}",
            core::str::from_utf8(format).unwrap_or("?")
        ),
    }
}

/// `sq_length`.
pub(super) fn length(ts: &ThreadState, this: &PyObject) -> PyResult<usize> {
    let this = this.cast::<PyMemoryView>();
    this.check(ts)?;
    let view = this.view();
    if view.ndim == 0 {
        return raise!(ts, exc::TypeError, "0-dim memory has no length");
    }
    // SAFETY: there is an extent for each dimension.
    Ok(unsafe { *view.shape } as usize)
}

/// The place of an index in a dimension that begins at `at`.
fn look_up(
    ts: &ThreadState,
    dimensions: &Dimensions<'_>,
    at: *mut u8,
    dimension: usize,
    mut index: isize,
) -> PyResult<*mut u8> {
    let extent = dimensions.shape[dimension];
    if index < 0 {
        index += extent;
    }
    if index < 0 || index >= extent {
        return raise!(ts, exc::IndexError, "index out of bounds on dimension {}", dimension + 1);
    }
    // SAFETY: the index is within the dimension.
    Ok(unsafe { strided::step(at, dimensions, dimension, index) })
}

/// The place of an item in a one-dimensional view.
#[inline]
pub(super) fn place(ts: &ThreadState, view: &PyBuffer, mut index: isize) -> PyResult<*mut u8> {
    // SAFETY: a memoryview's view has both arrays.
    let (extent, stride) = unsafe { (*view.shape, *view.strides) };
    if index < 0 {
        index += extent;
    }
    if index < 0 || index >= extent {
        return raise!(ts, exc::IndexError, "index out of bounds on dimension 1");
    }
    if view.suboffsets.is_null() {
        // SAFETY: the index is within the dimension.
        return Ok(unsafe { view.buf.cast::<u8>().offset(stride * index) });
    }
    look_up(ts, &Complete::of(view).dimensions(), view.buf.cast(), 0, index)
}

/// `sq_item`.
pub(super) fn item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    let this = this.cast::<PyMemoryView>();
    this.check(ts)?;
    let view = this.view();
    let code = item_format(ts, view)?;
    match view.ndim {
        0 => raise!(ts, exc::TypeError, "invalid indexing of 0-dim memory"),
        1 => {
            let at = place(ts, view, index)?;
            // SAFETY: the place is one of an item of that format, and the view has not been released.
            unsafe { item::unpack(ts, code, at) }
        }
        _ => raise!(ts, exc::NotImplementedError, "multi-dimensional sub-views are not implemented"),
    }
}

/// The place of an item by a tuple of indices.
fn place_by_tuple(ts: &ThreadState, view: &PyBuffer, key: &PyTuple) -> PyResult<*mut u8> {
    if key.len() > view.ndim as usize {
        return raise!(
            ts,
            exc::TypeError,
            "cannot index {}-dimension view with {}-element tuple",
            view.ndim,
            key.len()
        );
    }
    let complete = Complete::of(view);
    let dimensions = complete.dimensions();
    let mut at = view.buf.cast::<u8>();
    for (dimension, index) in key.items().iter().enumerate() {
        let index = protocol::as_item_index(ts, index)?;
        at = look_up(ts, &dimensions, at, dimension, index)?;
    }
    Ok(at)
}

fn is_tuple_of<'a>(key: &'a PyObject, test: impl Fn(&PyObject) -> bool) -> Option<&'a PyTuple> {
    key.downcast::<PyTuple>().filter(|tuple| tuple.items().iter().all(|item| test(item)))
}

/// Whether the key is `...` or `()`, which mean the one item of a view without dimensions.
fn is_whole(key: &PyObject) -> bool {
    key.is(ellipsis()) || key.downcast::<PyTuple>().is_some_and(PyTuple::is_empty)
}

/// Narrows the first dimension of a view, whose arrays are the caller's to write, to a slice.
///
/// # Safety
/// The arrays behind the view's pointers are not used by anyone else.
unsafe fn narrow(view: &mut PyBuffer, found: Indices) {
    // SAFETY: the caller's promise.
    unsafe {
        let stride = *view.strides;
        // With pointers in this dimension too, the slice moves along the pointers.
        view.buf = view.buf.cast::<u8>().wrapping_offset(stride.wrapping_mul(found.start)).cast();
        *view.shape = found.length as isize;
        *view.strides = stride.wrapping_mul(found.step);
    }
}

/// Recomputes a view's length in bytes.
fn init_len(view: &mut PyBuffer) {
    let complete = Complete::of(view);
    view.len = complete.dimensions().shape.iter().product::<isize>() * view.itemsize;
}

/// `mp_subscript`.
pub(super) fn subscript(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    let this = object.cast::<PyMemoryView>();
    this.check(ts)?;
    let view = this.view();
    if view.ndim == 0 {
        if key.is(ellipsis()) {
            return Ok(object.new_ref());
        }
        if is_whole(key) {
            let code = item_format(ts, view)?;
            // SAFETY: a view without dimensions is one item.
            return unsafe { item::unpack(ts, code, view.buf.cast()) };
        }
        return raise!(ts, exc::TypeError, "invalid indexing of 0-dim memory");
    }
    if protocol::is_index(key) {
        let index = protocol::as_item_index(ts, key)?;
        return item(ts, object, index);
    }
    if let Some(slice) = key.downcast::<PySlice>() {
        let (start, stop, step) = slice.unpack(ts)?;
        let sliced = this.again(ts)?;
        // SAFETY: nobody else has the new view.
        unsafe {
            let view = &mut *sliced.view.get();
            narrow(view, Indices::clip(start, stop, step, *view.shape as usize));
            init_len(view);
        }
        sliced.init_flags();
        return Ok(sliced.into_object());
    }
    if let Some(indices) = is_tuple_of(key, protocol::is_index) {
        let code = item_format(ts, view)?;
        if indices.len() < view.ndim as usize {
            return raise!(ts, exc::NotImplementedError, "sub-views are not implemented");
        }
        let at = place_by_tuple(ts, view, indices)?;
        // The indices' methods may have released the view.
        this.check(ts)?;
        // SAFETY: the place is one of an item of that format.
        return unsafe { item::unpack(ts, code, at) };
    }
    if is_tuple_of(key, |item| item.is_a::<PySlice>()).is_some() {
        return raise!(ts, exc::NotImplementedError, "multi-dimensional slicing is not implemented");
    }
    raise!(ts, exc::TypeError, "memoryview: invalid slice key")
}

/// Writes an object into an item's place.
fn store(ts: &ThreadState, this: &PyMemoryView, code: u8, at: *mut u8, value: &PyObject) -> PyResult<()> {
    let packed = item::pack(ts, code, value)?;
    this.check(ts)?;
    let bytes = packed.as_slice();
    // SAFETY: the place is one of an item of that format, and the view has not been released meanwhile.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) };
    Ok(())
}

/// `mp_ass_subscript`.
pub(super) fn ass_subscript(
    ts: &ThreadState,
    object: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let this = object.cast::<PyMemoryView>();
    this.check(ts)?;
    let view = this.view();
    let code = item_format(ts, view)?;
    if view.readonly != 0 {
        return raise!(ts, exc::TypeError, "cannot modify read-only memory");
    }
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "cannot delete memory");
    };
    if view.ndim == 0 {
        if !is_whole(key) {
            return raise!(ts, exc::TypeError, "invalid indexing of 0-dim memory");
        }
        return store(ts, this, code, view.buf.cast(), value);
    }
    if protocol::is_index(key) {
        if view.ndim > 1 {
            return raise!(ts, exc::NotImplementedError, "sub-views are not implemented");
        }
        let index = protocol::as_item_index(ts, key)?;
        this.check(ts)?;
        let at = place(ts, view, index)?;
        return store(ts, this, code, at, value);
    }
    if let Some(slice) = key.downcast::<PySlice>()
        && view.ndim == 1
    {
        return assign_slice(ts, this, slice, value);
    }
    if let Some(indices) = is_tuple_of(key, protocol::is_index) {
        if indices.len() < view.ndim as usize {
            return raise!(ts, exc::NotImplementedError, "sub-views are not implemented");
        }
        let at = place_by_tuple(ts, view, indices)?;
        return store(ts, this, code, at, value);
    }
    if key.is_a::<PySlice>() || is_tuple_of(key, |item| item.is_a::<PySlice>()).is_some() {
        return raise!(
            ts,
            exc::NotImplementedError,
            "memoryview slice assignments are currently restricted to ndim = 1"
        );
    }
    raise!(ts, exc::TypeError, "memoryview: invalid slice key")
}

fn same_format(a: &PyBuffer, b: &PyBuffer) -> bool {
    fn plain(view: &PyBuffer) -> &[u8] {
        let format = format_of(view);
        format.strip_prefix(b"@").unwrap_or(format)
    }
    plain(a) == plain(b) && a.itemsize == b.itemsize
}

fn assign_slice(ts: &ThreadState, this: &PyMemoryView, slice: &PySlice, value: &PyObject) -> PyResult<()> {
    let source = Buffer::get(ts, value, buffer::FULL_RO)?;
    let (start, stop, step) = slice.unpack(ts)?;
    this.check(ts)?;
    let whole = this.view();
    // SAFETY: a one-dimensional view has one of each.
    let (mut shape, mut strides) = unsafe { ([*whole.shape], [*whole.strides]) };
    let mut suboffsets = if whole.suboffsets.is_null() {
        [-1]
    } else {
        // SAFETY: as above.
        [unsafe { *whole.suboffsets }]
    };
    let mut target = PyBuffer {
        shape: shape.as_mut_ptr(),
        strides: strides.as_mut_ptr(),
        suboffsets: if whole.suboffsets.is_null() { null_mut() } else { suboffsets.as_mut_ptr() },
        ..*whole
    };
    let extent = shape[0] as usize;
    // SAFETY: the arrays are on this stack.
    unsafe { narrow(&mut target, Indices::clip(start, stop, step, extent)) };
    target.len = shape[0] * target.itemsize;
    let from = source.view();
    let one_dimension = from.ndim == 1 && Complete::of(from).dimensions().shape == [shape[0]];
    if !one_dimension || !same_format(from, &target) {
        return raise!(ts, exc::ValueError, "memoryview assignment: lvalue and rvalue have different structures");
    }
    if is_contiguous(from, Order::C) && is_contiguous(&target, Order::C) {
        // SAFETY: both have `len` bytes, and may overlap.
        unsafe { core::ptr::copy(from.buf.cast::<u8>(), target.buf.cast::<u8>(), target.len as usize) };
        return Ok(());
    }
    let items: TryVec<u8> = strided::copy_in_order(from, Order::C)?;
    // SAFETY: the items are a copy, and the target is writable.
    unsafe { strided::write_in_order(&target, &items, Order::C) };
    Ok(())
}

/// The items from one dimension on as nested lists.
pub(super) fn nested(
    ts: &ThreadState,
    dimensions: &Dimensions<'_>,
    dimension: usize,
    at: *mut u8,
    code: u8,
) -> PyResult {
    if dimension == dimensions.shape.len() {
        // SAFETY: the walk ends at an item's place.
        return unsafe { item::unpack(ts, code, at) };
    }
    let list = crate::types::list::PyList::new(ts)?;
    for index in 0..dimensions.shape[dimension] {
        // SAFETY: the index is within the dimension.
        let place = unsafe { strided::step(at, dimensions, dimension, index) };
        list.append(ts, nested(ts, dimensions, dimension + 1, place, code)?)?;
    }
    Ok(Ref::into_object(list))
}
