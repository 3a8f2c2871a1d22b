//! UTF-8.

use hognose_allocators::collections::TryVec;

use super::errors::is_surrogate;
use super::{DecodeErrors, Encoder, encode_with};
use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::str::{PyStr, StrBuilder, StrData};

/// Decodes UTF-8.
#[inline]
pub fn decode_utf8(ts: &ThreadState, bytes: &[u8], errors: &str) -> PyResult<Ref<PyStr>> {
    if bytes.is_ascii() {
        return PyStr::from_ascii(ts, bytes);
    }
    decode_utf8_stateful(ts, bytes, errors, true).map(|(text, _)| text)
}

/// Decodes UTF-8, and tells how many bytes it took: unless this is the `last` part of the input, a
/// character that has only begun is left for the next.
pub fn decode_utf8_stateful(ts: &ThreadState, bytes: &[u8], errors: &str, last: bool) -> PyResult<(Ref<PyStr>, usize)> {
    if let Ok(text) = core::str::from_utf8(bytes) {
        return Ok((PyStr::new(ts, text)?, bytes.len()));
    }
    let errors = DecodeErrors::new("utf-8", bytes, errors);
    let mut out = StrBuilder::new();
    let mut at = 0;
    while at < bytes.len() {
        let error = match core::str::from_utf8(&bytes[at..]) {
            Ok(text) => {
                out.push_str(text)?;
                at = bytes.len();
                break;
            }
            Err(error) => error,
        };
        let start = at + error.valid_up_to();
        // SAFETY: `valid_up_to` bytes are valid.
        out.push_str(unsafe { core::str::from_utf8_unchecked(&bytes[at..start]) })?;
        at = match error.error_len() {
            None if !last => {
                at = start;
                break;
            }
            // A surrogate may be coming, which an error handler can take as a whole.
            Some(_) if !last && matches!(bytes[start..], [0xED, 0xA0..=0xBF]) => {
                at = start;
                break;
            }
            None => errors.handle(ts, start, bytes.len(), "unexpected end of data", &mut out)?,
            Some(size) => {
                let starts = matches!(bytes[start], 0xC2..=0xF4);
                let reason = if starts { "invalid continuation byte" } else { "invalid start byte" };
                errors.handle(ts, start, start + size, reason, &mut out)?
            }
        };
    }
    Ok((out.finish(ts)?, at))
}

struct Utf8;

impl Encoder for Utf8 {
    const NAME: &'static str = "utf-8";
    const REASON: &'static str = "surrogates not allowed";

    #[inline]
    fn push(&self, _ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
        if ch < 0x80 {
            out.try_push(ch as u8)?;
            return Ok(true);
        }
        let Some(ch) = char::from_u32(ch) else { return Ok(false) };
        out.try_extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes())?;
        Ok(true)
    }

    fn push_surrogate(&self, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
        debug_assert!(is_surrogate(ch));
        out.try_extend_from_slice(&[0xED, 0x80 | (ch >> 6 & 0x3F) as u8, 0x80 | (ch & 0x3F) as u8])?;
        Ok(true)
    }
}

/// Encodes to UTF-8.
pub fn encode_utf8(ts: &ThreadState, text: &PyStr, errors: &str) -> PyResult<Ref<PyBytes>> {
    match text.data() {
        StrData::Ascii(units) => PyBytes::new(ts, units),
        StrData::Latin1(units) => encode_with(ts, &Utf8, text, errors, units.len() + units.len() / 2),
        StrData::Ucs2(units) => encode_with(ts, &Utf8, text, errors, units.len() * 2),
        StrData::Ucs4(units) => encode_with(ts, &Utf8, text, errors, units.len() * 3),
    }
}
