//! `int(…)`: from numbers, and from text with a base.

use super::{INT_TYPE, PyInt};
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

static SIGNATURE: Signature<2> = Signature::new("int", ["", "base"], 1, 2, 0);

pub(super) fn int_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let (value, base) = match *args.all() {
        [] => (None, None),
        [value] if !args.has_keywords() => (Some(value), None),
        _ => {
            if args.len() > 2 {
                return raise!(ts, exc::TypeError, "int expected at most 2 arguments, got {}", args.len());
            }
            let [value, base] = SIGNATURE.parse(ts, args)?;
            (value, base)
        }
    };
    let int = match (value, base) {
        (None, None) => PyInt::from_i64(ts, 0)?,
        (None, Some(_)) => return raise!(ts, exc::TypeError, "int() missing string argument"),
        (Some(value), None) => from_number(ts, value)?,
        (Some(value), Some(base)) => from_text(ts, value, base)?,
    };
    if core::ptr::eq(typ, &INT_TYPE.object) { Ok(int) } else { int.cast::<PyInt>().to_subtype(ts, typ) }
}

/// `int(object)` (`PyNumber_Long`).
pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyInt>> {
    from_number(ts, object).map(PyRef::cast_into)
}

/// `int(object)`: an exact int.
pub fn from_number(ts: &ThreadState, object: &PyObject) -> PyResult {
    if object.downcast_exact::<PyInt>().is_some() {
        return Ok(object.new_ref());
    }
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.nb_int {
        let value = slot(ts, object)?;
        let Some(int) = value.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "__int__ returned non-int (type {})", value.type_name());
        };
        if value.downcast_exact::<PyInt>().is_none() {
            warn_deprecated(
                ts,
                format_args!(
                    "__int__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int \
                     is deprecated, and may not be supported in a future version of Python.",
                    value.type_name()
                ),
            )?;
        }
        return int.exact(ts);
    }
    if slots.nb_index.is_some() {
        return protocol::index(ts, object)?.exact(ts);
    }
    if let Some(text) = object.downcast::<PyStr>() {
        return PyInt::parse_str(ts, text, 10);
    }
    if buffer::has_buffer(object) {
        let view = Buffer::get(ts, object, buffer::SIMPLE)?;
        return PyInt::parse_bytes(ts, view.as_slice(), object, 10);
    }
    raise!(
        ts,
        exc::TypeError,
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        object.type_name()
    )
}

fn from_text(ts: &ThreadState, text: &PyObject, base: &PyObject) -> PyResult {
    let base = protocol::index(ts, base)?;
    let base = match base.as_i64() {
        Some(base @ (0 | 2..=36)) => base as u32,
        _ => return raise!(ts, exc::ValueError, "int() base must be >= 2 and <= 36, or 0"),
    };
    if let Some(text) = text.downcast::<PyStr>() {
        return PyInt::parse_str(ts, text, base);
    }
    if text.is_a::<PyBytes>() || text.is_a::<PyByteArray>() {
        let view = Buffer::get(ts, text, buffer::SIMPLE)?;
        return PyInt::parse_bytes(ts, view.as_slice(), text, base);
    }
    raise!(ts, exc::TypeError, "int() can't convert non-string with explicit base")
}

/// Raises a DeprecationWarning of the running Python code.
#[cold]
pub(in crate::types) fn warn_deprecated(ts: &ThreadState, message: core::fmt::Arguments<'_>) -> PyResult<()> {
    let mut text = hognose_allocators::collections::TryString::<hognose_allocators::Mem>::new();
    if core::fmt::Write::write_fmt(&mut text, message).is_err() {
        return Err(hognose_allocators::NoMemory.into());
    }
    exc::warn(ts, &exc::DeprecationWarning, text.as_str(), 1)
}
