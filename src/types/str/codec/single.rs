//! Encodings of one byte per character: ASCII, Latin-1, and those that a mapping describes.

use hognose_allocators::collections::TryVec;

use super::{DecodeErrors, Encoder, encode_with};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none;
use crate::types::str::{PyStr, StrBuilder, StrData};

/// What maps a byte or character to nothing, in a decoding table that is a string.
const UNDEFINED: u32 = 0xFFFE;

/// Decodes ASCII.
pub fn decode_ascii(ts: &ThreadState, bytes: &[u8], errors: &str) -> PyResult<Ref<PyStr>> {
    if bytes.is_ascii() {
        return PyStr::from_ascii(ts, bytes);
    }
    let errors = DecodeErrors::new("ascii", bytes, errors);
    let mut out = StrBuilder::new();
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().take_while(|byte| byte.is_ascii()).count();
        out.push_ascii(&bytes[at..at + plain])?;
        at += plain;
        if at < bytes.len() {
            at = errors.handle(ts, at, at + 1, "ordinal not in range(128)", &mut out)?;
        }
    }
    out.finish(ts)
}

/// Decodes Latin-1, which has no errors.
pub fn decode_latin1(ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyStr>> {
    PyStr::from_latin1(ts, bytes)
}

struct Ascii;

impl Encoder for Ascii {
    const NAME: &'static str = "ascii";
    const REASON: &'static str = "ordinal not in range(128)";

    fn push(&self, _ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
        if ch < 0x80 {
            out.try_push(ch as u8)?;
        }
        Ok(ch < 0x80)
    }
}

struct Latin1;

impl Encoder for Latin1 {
    const NAME: &'static str = "latin-1";
    const REASON: &'static str = "ordinal not in range(256)";

    fn push(&self, _ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
        if ch < 0x100 {
            out.try_push(ch as u8)?;
        }
        Ok(ch < 0x100)
    }
}

/// Encodes to ASCII.
pub fn encode_ascii(ts: &ThreadState, text: &PyStr, errors: &str) -> PyResult<Ref<PyBytes>> {
    match text.data() {
        StrData::Ascii(units) => PyBytes::new(ts, units),
        _ => encode_with(ts, &Ascii, text, errors, text.len()),
    }
}

/// Encodes to Latin-1.
pub fn encode_latin1(ts: &ThreadState, text: &PyStr, errors: &str) -> PyResult<Ref<PyBytes>> {
    match text.data() {
        StrData::Ascii(units) | StrData::Latin1(units) => PyBytes::new(ts, units),
        _ => encode_with(ts, &Latin1, text, errors, text.len()),
    }
}

/// `mapping[key]`; `None` when there is no such key.
fn look_up(ts: &ThreadState, mapping: &PyObject, key: u32) -> PyResult<Option<PyRef>> {
    let key = PyInt::from_usize(ts, key as usize)?;
    let found = match mapping.downcast_exact::<PyDict>() {
        Some(dict) => dict.get(ts, key.as_object())?,
        None => ts.catch(protocol::getitem(ts, mapping, key.as_object()), &exc::LookupError)?,
    };
    Ok(found.filter(|value| !value.is(none::none())))
}

/// Decodes by a mapping from bytes to characters: a string, indexed by the byte, or any mapping from int
/// to int, str or None. Without one it is Latin-1.
pub fn decode_charmap(
    ts: &ThreadState,
    bytes: &[u8],
    errors: &str,
    mapping: Option<&PyObject>,
) -> PyResult<Ref<PyStr>> {
    let Some(mapping) = mapping else {
        return decode_latin1(ts, bytes);
    };
    let errors = DecodeErrors::new("charmap", bytes, errors);
    let table = mapping.downcast_exact::<PyStr>();
    let mut out = StrBuilder::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let defined = match table {
            Some(table) => match usize::from(*byte) {
                index if index < table.len() && table.char_at(index) != UNDEFINED => {
                    out.push_char(table.char_at(index))?;
                    true
                }
                _ => false,
            },
            None => decode_mapped(ts, *byte, mapping, &mut out)?,
        };
        at = if defined { at + 1 } else { errors.handle(ts, at, at + 1, "character maps to <undefined>", &mut out)? };
    }
    out.finish(ts)
}

fn decode_mapped(ts: &ThreadState, byte: u8, mapping: &PyObject, out: &mut StrBuilder) -> PyResult<bool> {
    let Some(value) = look_up(ts, mapping, u32::from(byte))? else {
        return Ok(false);
    };
    if let Some(number) = value.downcast::<PyInt>() {
        return match number.as_i64() {
            Some(number) if number == i64::from(UNDEFINED) => Ok(false),
            Some(number @ 0..=0x10_FFFF) => {
                out.push_char(number as u32)?;
                Ok(true)
            }
            _ => raise!(ts, exc::TypeError, "character mapping must be in range(0x110000)"),
        };
    }
    match value.downcast::<PyStr>() {
        Some(text) if text.len() == 1 && text.char_at(0) == UNDEFINED => Ok(false),
        Some(text) => {
            out.push(text)?;
            Ok(true)
        }
        None => raise!(ts, exc::TypeError, "character mapping must return integer, None or str"),
    }
}

struct Charmap<'a>(&'a PyObject);

impl Encoder for Charmap<'_> {
    const NAME: &'static str = "charmap";
    const REASON: &'static str = "character maps to <undefined>";

    fn push(&self, ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
        let Some(value) = look_up(ts, self.0, ch)? else {
            return Ok(false);
        };
        if let Some(number) = value.downcast::<PyInt>() {
            return match number.as_i64() {
                Some(number @ 0..=0xFF) => {
                    out.try_push(number as u8)?;
                    Ok(true)
                }
                _ => raise!(ts, exc::TypeError, "character mapping must be in range(256)"),
            };
        }
        match value.downcast::<PyBytes>() {
            Some(bytes) => {
                out.try_extend_from_slice(bytes.as_slice())?;
                Ok(true)
            }
            None => raise!(
                ts,
                exc::TypeError,
                "character mapping must return integer, bytes or None, not {}",
                value.type_name()
            ),
        }
    }
}

/// Encodes by a mapping from characters to int, bytes or None. Without one it is Latin-1.
pub fn encode_charmap(
    ts: &ThreadState,
    text: &PyStr,
    errors: &str,
    mapping: Option<&PyObject>,
) -> PyResult<Ref<PyBytes>> {
    match mapping {
        None => encode_latin1(ts, text, errors),
        Some(mapping) => encode_with(ts, &Charmap(mapping), text, errors, text.len()),
    }
}

/// The mapping for [`encode_charmap`] that undoes a decoding table (`_codecs.charmap_build`).
pub fn build_encoding_map(ts: &ThreadState, table: &PyStr) -> PyResult {
    let map = PyDict::new(ts)?;
    for (byte, ch) in table.chars().take(256).enumerate() {
        if ch != UNDEFINED {
            let (key, value) = (PyInt::from_usize(ts, ch as usize)?, PyInt::from_usize(ts, byte)?);
            map.set(ts, key.as_object(), value.as_object())?;
        }
    }
    Ok(map.into_object())
}
