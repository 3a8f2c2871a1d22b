//! Making bytes from any object.

use hognose_allocators::collections::TryVec;

use super::PyBytes;
use crate::id;
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// For whom an iterable's ints are collected: only the words of errors differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ByteItems {
    /// For `bytes`.
    Bytes,
    /// For `bytearray`.
    ByteArray,
}

impl ByteItems {
    fn type_name(self) -> &'static str {
        match self {
            ByteItems::Bytes => "bytes",
            ByteItems::ByteArray => "bytearray",
        }
    }

    /// An item's value.
    #[inline]
    pub(crate) fn byte(self, ts: &ThreadState, item: &PyObject) -> PyResult<u8> {
        if let Some(int) = item.downcast_exact::<PyInt>()
            && let Some(byte) = int.as_i64().and_then(|value| u8::try_from(value).ok())
        {
            return Ok(byte);
        }
        match u8::try_from(protocol::as_isize_clamped(ts, item)?) {
            Ok(byte) => Ok(byte),
            Err(_) => {
                let what = if self == ByteItems::Bytes { "bytes" } else { "byte" };
                raise!(ts, exc::ValueError, "{what} must be in range(0, 256)")
            }
        }
    }
}

/// The bytes of a bytes-like object, or those that an iterable of ints gives.
pub fn collect_bytes(ts: &ThreadState, object: &PyObject, items: ByteItems) -> PyResult<TryVec<u8>> {
    if buffer::has_buffer(object) {
        let view = Buffer::get(ts, object, buffer::FULL_RO)?;
        return crate::types::memoryview::copy_bytes(view.view());
    }
    let mut bytes = TryVec::new();
    each_byte(ts, object, items, |byte| Ok(bytes.try_push(byte)?))?;
    Ok(bytes)
}

/// Calls `f` with each of the bytes that an iterable of ints gives.
pub(crate) fn each_byte(
    ts: &ThreadState,
    object: &PyObject,
    items: ByteItems,
    mut f: impl FnMut(u8) -> PyResult<()>,
) -> PyResult<()> {
    if let Some(list) = object.downcast_exact::<PyList>() {
        let mut index = 0;
        // An item's `__index__` may change the list.
        while let Some(item) = list.get(index) {
            f(items.byte(ts, &item)?)?;
            index += 1;
        }
        return Ok(());
    }
    if let Some(tuple) = object.downcast_exact::<PyTuple>() {
        for item in tuple.items() {
            f(items.byte(ts, item)?)?;
        }
        return Ok(());
    }
    if object.is_a::<PyStr>() {
        return cannot_convert(ts, object, items);
    }
    let iterator = match protocol::iter(ts, object) {
        Ok(iterator) => iterator,
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            return cannot_convert(ts, object, items);
        }
        Err(raised) => return Err(raised),
    };
    while let Some(item) = protocol::next(ts, &iterator)? {
        f(items.byte(ts, &item)?)?;
    }
    Ok(())
}

#[cold]
fn cannot_convert<T>(ts: &ThreadState, object: &PyObject, items: ByteItems) -> PyResult<T> {
    raise!(ts, exc::TypeError, "cannot convert '{}' object to {}", object.type_name(), items.type_name())
}

/// `__bytes__()` of an object that has it.
pub(crate) fn by_method(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    match call::call_special(ts, object, id!(__bytes__), &[])? {
        Some(bytes) if bytes.is_a::<PyBytes>() => Ok(Some(bytes)),
        Some(other) => {
            raise!(ts, exc::TypeError, "__bytes__ returned non-bytes (type {})", other.type_name())
        }
        None => Ok(None),
    }
}

/// The object as bytes: itself, by `__bytes__`, a copy of its buffer, or from the ints that it gives
/// (`PyObject_Bytes`).
pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult {
    if object.downcast_exact::<PyBytes>().is_some() {
        return Ok(object.new_ref());
    }
    if let Some(bytes) = by_method(ts, object)? {
        return Ok(bytes);
    }
    to_bytes(ts, object).map(Ref::into_object)
}

/// The same without `__bytes__` (`PyBytes_FromObject`).
pub fn to_bytes(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyBytes>> {
    if let Some(bytes) = object.downcast_exact::<PyBytes>() {
        return Ok(Ref::from_borrowed(bytes));
    }
    let bytes = collect_bytes(ts, object, ByteItems::Bytes)?;
    PyBytes::new(ts, &bytes)
}

/// A new object of zeros.
fn zeros(ts: &ThreadState, count: isize) -> PyResult {
    if count < 0 {
        return raise!(ts, exc::ValueError, "negative count");
    }
    PyBytes::build(ts, count as usize, |place| {
        super::split::set(place, 0);
    })
    .map(Ref::into_object)
}

/// What a string becomes when `bytes` or `bytearray` is called with it, for the checks that both share:
/// `None` when there is neither encoding nor errors.
pub(crate) fn encoded(
    ts: &ThreadState,
    source: Option<&PyObject>,
    encoding: Option<&PyObject>,
    errors: Option<&PyObject>,
    name: &str,
) -> PyResult<Option<PyRef>> {
    let text = source.and_then(|source| source.downcast::<PyStr>());
    if encoding.is_none() && errors.is_none() {
        return match text {
            Some(_) => raise!(ts, exc::TypeError, "string argument without an encoding"),
            None => Ok(None),
        };
    }
    let word = |argument: &str, value: Option<&PyObject>| match value {
        None => Ok(()),
        Some(value) if value.is_a::<PyStr>() => Ok(()),
        Some(value) => {
            let given = if is_none(value) { "None" } else { value.type_name() };
            raise!(ts, exc::TypeError, "{name}() argument '{argument}' must be str, not {given}")
        }
    };
    word("encoding", encoding)?;
    word("errors", errors)?;
    if text.is_some() && encoding.is_none() {
        return raise!(ts, exc::TypeError, "string argument without an encoding");
    }
    let Some(text) = text else {
        return if encoding.is_some() {
            raise!(ts, exc::TypeError, "encoding without a string argument")
        } else {
            raise!(ts, exc::TypeError, "errors without a string argument")
        };
    };
    let utf8 = |value: Option<&'_ PyObject>| match value {
        Some(value) if value.cast::<PyStr>().contains_nul() => {
            raise!(ts, exc::ValueError, "embedded null character")
        }
        _ => Ok(()),
    };
    utf8(encoding)?;
    utf8(errors)?;
    let encoding = match encoding {
        Some(encoding) => encoding.cast::<PyStr>().utf8(ts)?,
        None => "utf-8",
    };
    let errors = match errors {
        Some(errors) => errors.cast::<PyStr>().utf8(ts)?,
        None => "strict",
    };
    codec::encode(ts, text, encoding, errors).map(Some)
}

/// A count of zeros that a constructor was given, if it was: `None` for an object that is no integer.
pub(crate) fn size_argument(ts: &ThreadState, source: &PyObject) -> PyResult<Option<isize>> {
    if !protocol::is_index(source) {
        return Ok(None);
    }
    match protocol::as_isize(ts, source) {
        Ok(count) => Ok(Some(count)),
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

fn new_exact(ts: &ThreadState, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("bytes", ["source", "encoding", "errors"], 0, 3, 0);
    let [source, encoding, errors] = match *args.all() {
        [] => [None, None, None],
        [source] if !args.has_keywords() => [Some(source), None, None],
        _ => SIGNATURE.parse(ts, args)?,
    };
    let Some(source) = source else {
        encoded(ts, None, encoding, errors, "bytes")?;
        return Ok(PyBytes::empty().into_object());
    };
    if encoding.is_none() && errors.is_none() && source.downcast_exact::<PyInt>().is_none() {
        if source.downcast_exact::<PyBytes>().is_some() {
            return Ok(source.new_ref());
        }
        if let Some(bytes) = by_method(ts, source)? {
            return Ok(bytes);
        }
    }
    if let Some(bytes) = encoded(ts, Some(source), encoding, errors, "bytes")? {
        return Ok(bytes);
    }
    match size_argument(ts, source)? {
        Some(count) => zeros(ts, count),
        None => to_bytes(ts, source).map(Ref::into_object),
    }
}

/// `tp_new`.
pub(super) fn bytes_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let bytes = new_exact(ts, args)?;
    if core::ptr::eq(of, &raw const super::BYTES_TYPE.object) {
        return Ok(bytes);
    }
    PyBytes::of_subtype(ts, of, bytes.cast::<PyBytes>().as_slice()).map(Ref::into_object)
}
