//! The methods that only `bytearray` has.

use super::PyByteArray;
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, AsObject, PyObject, PyResult, Ref, Signature, alloc as memory, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::shared::of;
use crate::types::bytes::{ByteItems, PyBytes, collect_bytes, each_byte, encoded, size_argument};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// `tp_init`.
pub(super) fn bytearray_init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<3> = Signature::new("bytearray", ["source", "encoding", "errors"], 0, 3, 0);
    let [source, encoding, errors] = SIGNATURE.parse(ts, args)?;
    let array = this.cast::<PyByteArray>();
    if !array.is_empty() {
        array.resize(ts, 0)?;
    }
    let Some(source) = source else {
        encoded(ts, None, encoding, errors, "bytearray")?;
        return Ok(());
    };
    if let Some(bytes) = encoded(ts, Some(source), encoding, errors, "bytearray")? {
        return array.extend(ts, bytes.cast::<PyBytes>().as_slice());
    }
    if let Some(count) = size_argument(ts, source)? {
        if count < 0 {
            return raise!(ts, exc::ValueError, "negative count");
        }
        return array.resize(ts, count as usize);
    }
    if let Some(bytes) = source.downcast::<PyBytes>() {
        return array.extend(ts, bytes.as_slice());
    }
    if !buffer::has_buffer(source) {
        // What there is so far can be seen while the iterable runs.
        return each_byte(ts, source, ByteItems::ByteArray, |byte| array.push(ts, byte));
    }
    let bytes = collect_bytes(ts, source, ByteItems::ByteArray)?;
    array.resize(ts, 0)?;
    array.extend(ts, &bytes)
}

/// `__alloc__`.
pub(super) fn alloc(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, this.cast::<PyByteArray>().ob_alloc.get() as i64)
}

/// `__sizeof__`.
pub(super) fn sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let array = this.cast::<PyByteArray>();
    PyInt::from_usize(ts, memory::object_size(this) + array.ob_alloc.get() as usize)
}

fn reduced(ts: &ThreadState, this: &PyObject, protocol: i32) -> PyResult {
    let state = protocol::call_named(ts, this, "__getstate__", &[])?;
    let data = of::<PyByteArray>(this);
    let arguments = if protocol < 3 {
        let text = PyStr::from_latin1(ts, &data)?.into_object();
        PyTuple::from_array(ts, [text, PyStr::new(ts, "latin-1")?.into_object()])?
    } else if data.is_empty() {
        PyTuple::empty()
    } else {
        PyTuple::from_array(ts, [PyBytes::new(ts, &data)?.into_object()])?
    };
    PyTuple::from_array(ts, [this.ob_type().new_ref(), arguments.into_object(), state]).map(Ref::into_object)
}

/// `__reduce__`.
pub(super) fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    reduced(ts, this, 2)
}

/// `__reduce_ex__`.
pub(super) fn reduce_ex(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "__reduce_ex__", args.len(), 0, 1)?;
    let protocol = match args.first() {
        Some(protocol) => protocol::as_i32(ts, protocol)?,
        None => 0,
    };
    reduced(ts, this, protocol)
}

/// `append`.
pub(super) fn append(ts: &ThreadState, this: &PyObject, item: &PyObject) -> PyResult {
    let byte = ByteItems::ByteArray.byte(ts, item)?;
    this.cast::<PyByteArray>().push(ts, byte)?;
    Ok(ts.none())
}

/// `clear`.
pub(super) fn clear(ts: &ThreadState, this: &PyObject) -> PyResult {
    this.cast::<PyByteArray>().resize(ts, 0)?;
    Ok(ts.none())
}

/// `copy`.
pub(super) fn copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyByteArray::new(ts, &of::<PyByteArray>(this)).map(Ref::into_object)
}

/// `extend`.
pub(super) fn extend(ts: &ThreadState, this: &PyObject, iterable: &PyObject) -> PyResult {
    let array = this.cast::<PyByteArray>();
    if let Some(bytes) = iterable.downcast::<PyBytes>() {
        array.extend(ts, bytes.as_slice())?;
        return Ok(ts.none());
    }
    if buffer::has_buffer(iterable) {
        if iterable.is(this) {
            let bytes = collect_bytes(ts, iterable, ByteItems::ByteArray)?;
            array.extend(ts, &bytes)?;
        } else {
            let bytes = Buffer::get(ts, iterable, buffer::SIMPLE)?;
            array.extend(ts, bytes.as_slice())?;
        }
        return Ok(ts.none());
    }
    if iterable.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "expected iterable of integers; got: 'str'");
    }
    if !protocol::is_iterable(iterable) {
        return raise!(ts, exc::TypeError, "can't extend bytearray with {}", iterable.type_name());
    }
    // A `__len__` or `__length_hint__` that fails makes this fail.
    protocol::length_hint(ts, iterable, 32)?;
    let bytes = collect_bytes(ts, iterable, ByteItems::ByteArray)?;
    array.extend(ts, &bytes)?;
    Ok(ts.none())
}

/// `insert`.
pub(super) fn insert(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "insert", args.len(), 2, 2)?;
    let array = this.cast::<PyByteArray>();
    let index = protocol::as_isize(ts, args[0])?;
    let byte = ByteItems::ByteArray.byte(ts, args[1])?;
    let len = array.len() as isize;
    let index = if index < 0 { (index + len).max(0) } else { index.min(len) } as usize;
    array.splice(ts, index, index, &[byte])?;
    Ok(ts.none())
}

/// `pop`.
pub(super) fn pop(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pop", args.len(), 0, 1)?;
    let array = this.cast::<PyByteArray>();
    let mut index = match args.first() {
        Some(index) => protocol::as_isize(ts, index)?,
        None => -1,
    };
    if array.is_empty() {
        return raise!(ts, exc::IndexError, "pop from empty bytearray");
    }
    if index < 0 {
        index += array.len() as isize;
    }
    let Some(byte) = usize::try_from(index).ok().and_then(|index| array.get(index)) else {
        return raise!(ts, exc::IndexError, "pop index out of range");
    };
    array.splice(ts, index as usize, index as usize + 1, b"")?;
    PyInt::from_i64(ts, i64::from(byte))
}

/// `remove`.
pub(super) fn remove(ts: &ThreadState, this: &PyObject, value: &PyObject) -> PyResult {
    let array = this.cast::<PyByteArray>();
    let byte = ByteItems::ByteArray.byte(ts, value)?;
    let at = of::<PyByteArray>(this).iter().position(|b| *b == byte);
    match at {
        Some(at) => array.splice(ts, at, at + 1, b"")?,
        None => return raise!(ts, exc::ValueError, "value not found in bytearray"),
    }
    Ok(ts.none())
}

/// `resize`.
pub(super) fn resize(ts: &ThreadState, this: &PyObject, size: &PyObject) -> PyResult {
    let size = protocol::as_isize(ts, size)?;
    if size < 0 {
        return raise!(ts, exc::ValueError, "bytearray.resize(): new size must be >= 0, got {size}");
    }
    this.cast::<PyByteArray>().resize(ts, size as usize)?;
    Ok(ts.none())
}

/// `reverse`.
pub(super) fn reverse(ts: &ThreadState, this: &PyObject) -> PyResult {
    // SAFETY: nothing runs while the bytes are exchanged.
    unsafe { this.cast::<PyByteArray>().as_mut_slice() }.reverse();
    Ok(ts.none())
}
