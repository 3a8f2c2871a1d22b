//! Making an array from a type code and an initializer.

use super::kind::Kind;
use super::{ARRAY_TYPE, PyArray};
use crate::object::{Args, AsObject, PyObject, PyResult, PyTypeObject, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::{PyTuple, inherits_init};

/// `tp_new`.
pub(super) fn array_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &ARRAY_TYPE) {
        return raise!(ts, exc::TypeError, "array.array() takes no keyword arguments");
    }
    let (code, initializer) = match *args.positional() {
        [code] => (code, None),
        [code, initializer] => (code, Some(initializer)),
        [] => return raise!(ts, exc::TypeError, "array() takes at least 1 argument (0 given)"),
        ref more => return raise!(ts, exc::TypeError, "array() takes at most 2 arguments ({} given)", more.len()),
    };
    let code = match code.downcast::<PyStr>() {
        Some(text) if text.len() == 1 => text.char_at(0),
        Some(text) => {
            return raise!(
                ts,
                exc::TypeError,
                "array() argument 1 must be a unicode character, not a string of length {}",
                text.len()
            );
        }
        None => {
            return raise!(
                ts,
                exc::TypeError,
                "array() argument 1 must be a unicode character, not {}",
                code.type_name()
            );
        }
    };
    if code == u32::from(b'u') {
        exc::warn(
            ts,
            &exc::DeprecationWarning,
            "The 'u' type code is deprecated and will be removed in Python 3.16",
            1,
        )?;
    }
    let is_text = code == u32::from(b'u') || code == u32::from(b'w');
    let shown = char::from_u32(code).unwrap_or('?');
    if let Some(initializer) = initializer
        && !is_text
    {
        if initializer.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "cannot use a str to initialize an array with typecode '{shown}'");
        }
        if initializer.downcast::<PyArray>().is_some_and(|array| array.kind().is_text()) {
            return raise!(
                ts,
                exc::TypeError,
                "cannot use a unicode array to initialize an array with typecode '{shown}'"
            );
        }
    }
    let Some(kind) = Kind::from_code(code) else {
        return raise!(ts, exc::ValueError, "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)");
    };
    let array = PyArray::new(ts, of, kind, 0)?;
    if let Some(initializer) = initializer {
        fill(ts, &array, initializer)?;
    }
    Ok(array.into_object())
}

fn fill(ts: &ThreadState, array: &PyArray, initializer: &PyObject) -> PyResult<()> {
    if let Some(other) = initializer.downcast::<PyArray>()
        && (other.kind() == array.kind() || other.kind().is_text() && array.kind().is_text())
    {
        array.resize(ts, other.len())?;
        // SAFETY: the two are different arrays, and nothing runs while the items are copied.
        unsafe { array.bytes_mut().copy_from_slice(other.bytes()) };
        return Ok(());
    }
    if initializer.is_a::<PyBytes>() || initializer.is_a::<PyByteArray>() {
        let bytes = bytes_like(ts, initializer)?;
        return array.push_bytes(ts, &bytes);
    }
    if let Some(text) = initializer.downcast::<PyStr>() {
        return push_text(ts, array, text);
    }
    let len = initializer
        .downcast_exact::<PyList>()
        .map(PyList::len)
        .or_else(|| initializer.downcast_exact::<PyTuple>().map(PyTuple::len));
    match len {
        Some(len) => fill_known(ts, array, initializer, len),
        None => extend(ts, array, initializer),
    }
}

/// The items of a list or tuple, whose number is known: memory for exactly so many.
fn fill_known(ts: &ThreadState, array: &PyArray, initializer: &PyObject, len: usize) -> PyResult<()> {
    array.resize(ts, len)?;
    let mut index = 0;
    // An item's conversion may change the list.
    loop {
        let value = match initializer.downcast::<PyList>() {
            Some(list) => list.get(index),
            None => initializer.downcast::<PyTuple>().and_then(|tuple| tuple.get(index)).map(AsObject::new_ref),
        };
        let Some(value) = value else { break };
        if index < array.len() {
            let word = array.kind().convert(ts, &value)?;
            if index < array.len() {
                array.put(index, &word);
            }
        } else {
            array.push(ts, &value)?;
        }
        index += 1;
    }
    array.resize(ts, index.min(array.len()))
}

/// Puts the characters of a string at the end.
pub(super) fn push_text(ts: &ThreadState, array: &PyArray, text: &PyStr) -> PyResult<()> {
    let old = array.len();
    array.resize(ts, old + text.len())?;
    for (index, ch) in text.chars().enumerate() {
        let mut word = [0; 8];
        word[..4].copy_from_slice(&ch.to_ne_bytes());
        array.put(old + index, &word);
    }
    Ok(())
}

/// Puts the items of an iterable at the end.
pub(super) fn extend(ts: &ThreadState, array: &PyArray, iterable: &PyObject) -> PyResult<()> {
    if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
        for value in tuple.items() {
            array.push(ts, value)?;
        }
        return Ok(());
    }
    if let Some(list) = iterable.downcast_exact::<PyList>() {
        let mut index = 0;
        // An item's conversion may change the list.
        while let Some(value) = list.get(index) {
            array.push(ts, &value)?;
            index += 1;
        }
        return Ok(());
    }
    let iterator = protocol::iter(ts, iterable)?;
    while let Some(value) = protocol::next(ts, &iterator)? {
        array.push(ts, &value)?;
    }
    Ok(())
}

/// A copy of an array, exactly of the built-in type.
pub(super) fn copy(ts: &ThreadState, array: &PyArray) -> PyResult<Ref<PyArray>> {
    let made = PyArray::new(ts, &ARRAY_TYPE, array.kind(), array.len())?;
    // SAFETY: the two are different arrays, and nothing runs while the items are copied.
    unsafe { made.bytes_mut().copy_from_slice(array.bytes()) };
    Ok(made)
}
