//! A map as a sequence of bytes.

use super::of;
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::slice::{Indices, PySlice};

pub(super) fn length(ts: &ThreadState, this: &PyObject) -> PyResult<usize> {
    Ok(of(ts, this)?.size.get())
}

fn out_of_range<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::IndexError, "mmap index out of range")
}

pub(super) fn item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    let map = of(ts, this)?;
    // SAFETY: the map is open.
    match usize::try_from(index).ok().and_then(|index| unsafe { map.memory() }.get(index).copied()) {
        Some(byte) => Ok(PyBytes::single(byte).into_object()),
        None => out_of_range(ts),
    }
}

pub(super) fn set_item(ts: &ThreadState, this: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let map = of(ts, this)?;
    let index = match usize::try_from(index) {
        Ok(index) if index < map.size.get() => index,
        _ => return out_of_range(ts),
    };
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "mmap object doesn't support item deletion");
    };
    let byte = match value.downcast::<PyBytes>() {
        Some(byte) if byte.len() == 1 => byte.as_slice()[0],
        _ => return raise!(ts, exc::IndexError, "mmap assignment must be length-1 bytes()"),
    };
    map.check_writable(ts)?;
    // SAFETY: the map is open, writable and large enough.
    unsafe { map.data.get().add(index).write(byte) };
    Ok(())
}

/// An index, counted from the end when negative, while the map is open.
fn index_of(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult<usize> {
    let index = protocol::as_item_index(ts, key)?;
    let size = of(ts, this)?.size.get();
    let index = if index < 0 { index + size as isize } else { index };
    match usize::try_from(index) {
        Ok(index) if index < size => Ok(index),
        _ => out_of_range(ts),
    }
}

pub(super) fn subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    of(ts, this)?;
    if protocol::is_index(key) {
        let index = index_of(ts, this, key)?;
        // SAFETY: the map is open, the index in it.
        return PyInt::from_i64(ts, unsafe { of(ts, this)?.memory()[index] }.into());
    }
    let Some(slice) = key.downcast::<PySlice>() else {
        return raise!(ts, exc::TypeError, "mmap indices must be integers");
    };
    let (start, stop, step) = slice.unpack(ts)?;
    let map = of(ts, this)?;
    let found = Indices::clip(start, stop, step, map.size.get());
    // SAFETY: the map is open; making an object runs no code of its users.
    let memory = unsafe { map.memory() };
    if found.length == 0 {
        return Ok(PyBytes::empty().into_object());
    }
    if found.step == 1 {
        let start = found.start as usize;
        return Ok(PyBytes::new(ts, &memory[start..start + found.length])?.into_object());
    }
    let bytes = PyBytes::build(ts, found.length, |room| {
        for (count, place) in room.iter_mut().enumerate() {
            place.write(memory[(found.start + count as isize * found.step) as usize]);
        }
    })?;
    Ok(bytes.into_object())
}

pub(super) fn set_subscript(
    ts: &ThreadState,
    this: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    of(ts, this)?.check_writable(ts)?;
    if protocol::is_index(key) {
        let index = index_of(ts, this, key)?;
        let Some(value) = value else {
            return raise!(ts, exc::TypeError, "mmap doesn't support item deletion");
        };
        if !protocol::is_index(value) {
            return raise!(ts, exc::TypeError, "mmap item value must be an int");
        }
        let Ok(byte) = u8::try_from(protocol::as_isize_clamped(ts, value)?) else {
            return raise!(ts, exc::ValueError, "mmap item value must be in range(0, 256)");
        };
        let map = of(ts, this)?;
        if index >= map.size.get() {
            return out_of_range(ts);
        }
        // SAFETY: the map is open, writable and large enough.
        unsafe { map.data.get().add(index).write(byte) };
        return Ok(());
    }
    let Some(slice) = key.downcast::<PySlice>() else {
        return raise!(ts, exc::TypeError, "mmap indices must be integers");
    };
    let (start, stop, step) = slice.unpack(ts)?;
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "mmap object doesn't support slice deletion");
    };
    let value = Buffer::get(ts, value, buffer::SIMPLE)?;
    let map = of(ts, this)?;
    let found = Indices::clip(start, stop, step, map.size.get());
    let data = value.as_slice();
    if data.len() != found.length {
        return raise!(ts, exc::IndexError, "mmap slice assignment is wrong size");
    }
    let memory = map.data.get();
    if found.step == 1 {
        // SAFETY: the map is open, writable and large enough; the data may be a part of it.
        unsafe { core::ptr::copy(data.as_ptr(), memory.add(found.start as usize), data.len()) };
        return Ok(());
    }
    for (count, byte) in data.iter().enumerate() {
        // SAFETY: as above.
        unsafe { memory.offset(found.start + count as isize * found.step).write(*byte) };
    }
    Ok(())
}
