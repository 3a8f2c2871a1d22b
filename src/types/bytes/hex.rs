//! `hex` and `fromhex`.

use hognose_allocators::collections::TryVec;

use super::PyBytes;
use super::algorithms::{self, BadHex, hex_pair};
use super::shared::{ByteString, bytes_like, of};
use crate::object::{Args, AsObject, PyObject, PyResult, Ref, Signature, buffer, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The digits of `data`, with the separator between groups of `group` bytes: counted from the end when it is
/// positive, from the beginning when it is negative.
pub fn hex_text(data: &[u8], separator: Option<u8>, group: isize) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    let group_len = group.unsigned_abs();
    let separator = separator.filter(|_| group != 0 && group_len < data.len());
    let Some(separator) = separator else {
        out.try_reserve_exact(data.len().saturating_mul(2))?;
        for byte in data {
            out.try_extend_from_copy(&hex_pair(*byte))?;
        }
        return Ok(out);
    };
    out.try_reserve_exact(data.len().saturating_mul(2).saturating_add((data.len() - 1) / group_len))?;
    for (index, byte) in data.iter().enumerate() {
        let cut = if group > 0 { data.len() - index } else { index };
        if index > 0 && cut.is_multiple_of(group_len) {
            out.try_push(separator)?;
        }
        out.try_extend_from_copy(&hex_pair(*byte))?;
    }
    Ok(out)
}

/// The separator argument of the `hex` functions.
fn separator_byte(ts: &ThreadState, separator: &PyObject) -> PyResult<u8> {
    if protocol::length(ts, separator)? != 1 {
        return raise!(ts, exc::ValueError, "sep must be length 1.");
    }
    let byte = if let Some(text) = separator.downcast::<PyStr>() {
        u8::try_from(text.char_at(0)).unwrap_or(0xFF)
    } else if let Some(bytes) = separator.downcast::<PyBytes>() {
        bytes.as_slice().first().copied().unwrap_or(0xFF)
    } else {
        return raise!(ts, exc::TypeError, "sep must be str or bytes.");
    };
    if !byte.is_ascii() {
        return raise!(ts, exc::ValueError, "sep must be ASCII.");
    }
    Ok(byte)
}

/// The text of a `hex` function's result for its two optional arguments.
pub fn hex_of(
    ts: &ThreadState,
    data: &[u8],
    separator: Option<&PyObject>,
    group: Option<&PyObject>,
) -> PyResult<TryVec<u8>> {
    let group = match group {
        Some(group) => protocol::as_i32(ts, group)? as isize,
        None => 1,
    };
    let separator = match separator {
        Some(separator) => Some(separator_byte(ts, separator)?),
        None => None,
    };
    hex_text(data, separator, group)
}

/// `hex`.
pub(crate) fn hex<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("hex", ["sep", "bytes_per_sep"], 0, 2, 0);
    let [separator, group] = SIGNATURE.parse(ts, args)?;
    let data = of::<B>(this);
    let text = hex_of(ts, &data, separator, group)?;
    PyStr::from_ascii(ts, &text).map(Ref::into_object)
}

/// The bytes that a string or bytes-like object of hexadecimal digits stands for.
pub(crate) fn parse_hex(ts: &ThreadState, object: &PyObject) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    let result = if let Some(text) = object.downcast::<PyStr>() {
        match text.ascii_str() {
            Some(ascii) => algorithms::parse_hex(ascii.as_bytes(), &mut out),
            None => Err(BadHex::At(text.chars().position(|ch| ch >= 128).unwrap_or(0))),
        }
    } else if buffer::has_buffer(object) {
        let text = bytes_like(ts, object)?;
        algorithms::parse_hex(&text, &mut out)
    } else {
        return raise!(ts, exc::TypeError, "fromhex() argument must be str or bytes-like, not {}", object.type_name());
    };
    match result {
        Ok(()) => Ok(out),
        Err(BadHex::At(at)) => {
            raise!(ts, exc::ValueError, "non-hexadecimal number found in fromhex() arg at position {at}")
        }
        Err(BadHex::Odd) => {
            raise!(ts, exc::ValueError, "fromhex() arg must contain an even number of hexadecimal digits")
        }
        Err(BadHex::NoMemory) => Err(ts.raise_no_memory()),
    }
}

/// `fromhex`.
pub(crate) fn fromhex<B: ByteString>(ts: &ThreadState, class: &PyObject, text: &PyObject) -> PyResult {
    let data = parse_hex(ts, text)?;
    let made = B::make(ts, &data)?;
    if core::ptr::addr_eq(class, B::type_object().as_object()) {
        return Ok(made);
    }
    call::call_with(ts, class, &[&made])
}
