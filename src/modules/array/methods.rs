//! The methods of `array`.

use super::PyArray;
use super::new::{copy as copied, push_text};
use super::slots::extend_any;
use crate::object::{AsObject, PyObject, PyResult, Ref, alloc, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::slice::bound_index;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

fn this(object: &PyObject) -> &PyArray {
    object.cast::<PyArray>()
}

pub(super) fn append(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    this(object).push(ts, value)?;
    Ok(ts.none())
}

pub(super) fn buffer_info(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    let address = PyInt::from_usize(ts, array.ob_item.get().addr())?;
    PyTuple::from_array(ts, [address, PyInt::from_usize(ts, array.len())?]).map(Ref::into_object)
}

pub(super) fn byteswap(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    // SAFETY: nothing runs while the bytes are exchanged.
    let bytes = unsafe { array.bytes_mut() };
    for item in bytes.chunks_exact_mut(array.kind().size()) {
        item.reverse();
    }
    Ok(ts.none())
}

pub(super) fn clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    this(object).resize(ts, 0)?;
    Ok(ts.none())
}

pub(super) fn copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    copied(ts, this(object)).map(Ref::into_object)
}

pub(super) fn count(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let array = this(object);
    let (mut index, mut count) = (0, 0);
    while let Some(item) = array.get(ts, index)? {
        count += usize::from(protocol::equal(ts, &item, value)?);
        index += 1;
    }
    PyInt::from_usize(ts, count)
}

pub(super) fn extend(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    extend_any(ts, this(object), other)?;
    Ok(ts.none())
}

pub(super) fn fromfile(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "fromfile", args.len(), 2, 2)?;
    let array = this(object);
    let count = protocol::as_isize(ts, args[1])?;
    let Ok(count) = usize::try_from(count) else {
        return raise!(ts, exc::ValueError, "negative count");
    };
    let Some(size) = count.checked_mul(array.kind().size()).filter(|size| *size <= isize::MAX as usize) else {
        return Err(ts.raise_no_memory());
    };
    let size_object = PyInt::from_usize(ts, size)?;
    let read = protocol::call_named(ts, args[0], "read", &[&size_object])?;
    let Some(bytes) = read.downcast::<PyBytes>() else {
        return raise!(ts, exc::TypeError, "read() didn't return bytes");
    };
    array.push_bytes(ts, bytes.as_slice())?;
    if bytes.len() != size {
        return raise!(ts, exc::EOFError, "read() didn't return enough bytes");
    }
    Ok(ts.none())
}

pub(super) fn fromlist(ts: &ThreadState, object: &PyObject, list: &PyObject) -> PyResult {
    let Some(list) = list.downcast::<PyList>() else {
        return raise!(ts, exc::TypeError, "arg must be list");
    };
    let array = this(object);
    let (old, count) = (array.len(), list.len());
    for index in 0..count {
        let pushed = match list.get(index) {
            Some(value) if list.len() == count => array.push(ts, &value),
            _ => raise!(ts, exc::RuntimeError, "list changed size during iteration"),
        };
        if let Err(raised) = pushed {
            // All or nothing, unless there are exports, which could not be before.
            let pending = ts.take_raised(raised);
            if let Err(raised) = array.resize(ts, old) {
                ts.clear_raised(raised);
            }
            return Err(ts.restore_raised(pending));
        }
    }
    Ok(ts.none())
}

pub(super) fn frombytes(ts: &ThreadState, object: &PyObject, bytes: &PyObject) -> PyResult {
    let bytes = bytes_like(ts, bytes)?;
    this(object).push_bytes(ts, &bytes)?;
    Ok(ts.none())
}

pub(super) fn fromunicode(ts: &ThreadState, object: &PyObject, text: &PyObject) -> PyResult {
    let array = this(object);
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "fromunicode() argument must be str, not {}", text.type_name());
    };
    if !array.kind().is_text() {
        return raise!(ts, exc::ValueError, "fromunicode() may only be called on unicode type arrays ('u' or 'w')");
    }
    push_text(ts, array, text)?;
    Ok(ts.none())
}

pub(super) fn index(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "index", args.len(), 1, 3)?;
    let array = this(object);
    let bound = |at: usize, default: isize| match args.get(at) {
        Some(bound) => bound_index(ts, bound),
        None => Ok(default),
    };
    let (start, stop) = (bound(1, 0)?, bound(2, isize::MAX)?);
    let len = array.len() as isize;
    let clip = |bound: isize| if bound < 0 { bound.saturating_add(len).max(0) } else { bound } as usize;
    let (mut at, stop) = (clip(start), clip(stop));
    while at < stop {
        let Some(item) = array.get(ts, at)? else { break };
        if protocol::equal(ts, &item, args[0])? {
            return PyInt::from_usize(ts, at);
        }
        at += 1;
    }
    raise!(ts, exc::ValueError, "array.index(x): x not in array")
}

pub(super) fn insert(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "insert", args.len(), 2, 2)?;
    let array = this(object);
    let at = protocol::as_isize(ts, args[0])?;
    let word = array.kind().convert(ts, args[1])?;
    let len = array.len() as isize;
    let at = if at < 0 { at.saturating_add(len).max(0) } else { at.min(len) } as usize;
    array.splice(ts, at, at, &word[..array.kind().size()])?;
    Ok(ts.none())
}

pub(super) fn pop(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pop", args.len(), 0, 1)?;
    let array = this(object);
    let mut at = match args.first() {
        Some(at) => protocol::as_isize(ts, at)?,
        None => -1,
    };
    if array.len() == 0 {
        return raise!(ts, exc::IndexError, "pop from empty array");
    }
    if at < 0 {
        at += array.len() as isize;
    }
    let found = match usize::try_from(at) {
        Ok(at) => array.get(ts, at)?,
        Err(_) => None,
    };
    let Some(item) = found else {
        return raise!(ts, exc::IndexError, "pop index out of range");
    };
    array.splice(ts, at as usize, at as usize + 1, b"")?;
    Ok(item)
}

pub(super) fn remove(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let array = this(object);
    let mut at = 0;
    while let Some(item) = array.get(ts, at)? {
        if protocol::equal(ts, &item, value)? {
            // The comparison may have changed the array.
            if at < array.len() {
                array.splice(ts, at, at + 1, b"")?;
            }
            return Ok(ts.none());
        }
        at += 1;
    }
    raise!(ts, exc::ValueError, "array.remove(x): x not in array")
}

pub(super) fn reverse(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    // SAFETY: nothing runs while the items are exchanged.
    let bytes = unsafe { array.bytes_mut() };
    // The bytes of everything turned round, then those of each item.
    bytes.reverse();
    for item in bytes.chunks_exact_mut(array.kind().size()) {
        item.reverse();
    }
    Ok(ts.none())
}

pub(super) fn tofile(ts: &ThreadState, object: &PyObject, file: &PyObject) -> PyResult {
    const BLOCK: usize = 64 * 1024;
    let array = this(object);
    let mut at = 0;
    loop {
        // SAFETY: the slice is gone before the file is written.
        let all = unsafe { array.bytes() };
        if at >= all.len() {
            return Ok(ts.none());
        }
        let block = PyBytes::new(ts, &all[at..all.len().min(at + BLOCK)])?;
        at += BLOCK;
        protocol::call_named(ts, file, "write", &[block.as_object()])?;
    }
}

pub(super) fn tolist(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    let list = PyList::with_capacity(ts, array.len())?;
    let mut index = 0;
    while let Some(item) = array.get(ts, index)? {
        list.append(ts, item)?;
        index += 1;
    }
    Ok(list.into_object())
}

pub(super) fn tobytes(ts: &ThreadState, object: &PyObject) -> PyResult {
    // SAFETY: nothing runs while the bytes are copied.
    PyBytes::new(ts, unsafe { this(object).bytes() }).map(Ref::into_object)
}

pub(super) fn tounicode(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    if !array.kind().is_text() {
        return raise!(ts, exc::ValueError, "tounicode() may only be called on unicode type arrays ('u' or 'w')");
    }
    // SAFETY: the items are aligned u32, because the allocator aligns to eight; nothing runs while they are read.
    let characters = unsafe { core::slice::from_raw_parts(array.data_ptr().cast::<u32>(), array.len()) };
    PyStr::from_ucs4(ts, characters).map(Ref::into_object)
}

pub(super) fn sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    let array = this(object);
    PyInt::from_usize(ts, alloc::object_size(object) + array.allocated.get() * array.kind().size())
}
