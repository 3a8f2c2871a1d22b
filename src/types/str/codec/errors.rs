//! What is done about text that cannot be encoded and bytes that cannot be decoded.

use core::fmt::Write as _;

use hognose_allocators::collections::{TryString, TryVec};

use super::super::builder::StrBuilder;
use super::super::layout::PyStr;
use super::Encoder;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions::{self as exc, PyUnicodeError};
use crate::types::int::PyInt;

/// The error handlers that need no look-up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Strict,
    Ignore,
    Replace,
    BackslashReplace,
    SurrogateEscape,
    SurrogatePass,
    XmlCharRefReplace,
    NameReplace,
    Other,
}

impl Known {
    fn from_name(name: &str) -> Known {
        match name {
            "strict" | "" => Known::Strict,
            "ignore" => Known::Ignore,
            "replace" => Known::Replace,
            "backslashreplace" => Known::BackslashReplace,
            "surrogateescape" => Known::SurrogateEscape,
            "surrogatepass" => Known::SurrogatePass,
            "xmlcharrefreplace" => Known::XmlCharRefReplace,
            "namereplace" => Known::NameReplace,
            _ => Known::Other,
        }
    }
}

/// Makes a UnicodeEncodeError.
pub fn new_encode_error(
    ts: &ThreadState,
    encoding: &str,
    text: &PyStr,
    start: usize,
    end: usize,
    reason: &str,
) -> PyResult {
    let encoding = PyStr::new(ts, encoding)?;
    let (start, end) = (PyInt::from_usize(ts, start)?, PyInt::from_usize(ts, end)?);
    let reason = PyStr::new(ts, reason)?;
    let arguments = [encoding.as_object(), text.as_object(), start.as_object(), end.as_object(), reason.as_object()];
    call::call_with(ts, exc::UnicodeEncodeError.as_object(), &arguments)
}

/// Makes a UnicodeDecodeError.
pub fn new_decode_error(
    ts: &ThreadState,
    encoding: &str,
    bytes: &[u8],
    start: usize,
    end: usize,
    reason: &str,
) -> PyResult {
    let encoding = PyStr::new(ts, encoding)?;
    let object = PyBytes::new(ts, bytes)?;
    let (start, end) = (PyInt::from_usize(ts, start)?, PyInt::from_usize(ts, end)?);
    let reason = PyStr::new(ts, reason)?;
    let arguments = [encoding.as_object(), object.as_object(), start.as_object(), end.as_object(), reason.as_object()];
    call::call_with(ts, exc::UnicodeDecodeError.as_object(), &arguments)
}

fn object_of(exception: &PyObject) -> Option<PyRef> {
    exception.downcast::<PyUnicodeError>().and_then(|error| error.object.get())
}

/// The bytes that an exception has now, if they are not those that it was given.
fn other_bytes(given: &Option<PyRef>, exception: &PyObject) -> Option<Ref<PyBytes>> {
    let now = object_of(exception)?;
    if given.as_ref().is_some_and(|given| given.is(&now)) {
        return None;
    }
    now.downcast_into::<PyBytes>().ok()
}

fn raise_made(ts: &ThreadState, made: PyResult) -> Raised {
    match made {
        Ok(exception) => ts.raise(exception),
        Err(raised) => raised,
    }
}

/// Raises what strict UTF-8 says about the surrogates from `index` on.
#[cold]
pub(crate) fn surrogates_not_allowed(ts: &ThreadState, text: &PyStr, index: usize) -> Raised {
    let run = text.chars_in(index..text.len()).take_while(|ch| is_surrogate(*ch)).count();
    raise_made(ts, new_encode_error(ts, "utf-8", text, index, index + run, "surrogates not allowed"))
}

pub(super) fn is_surrogate(ch: u32) -> bool {
    matches!(ch, 0xD800..=0xDFFF)
}

/// Appends `\xNN`, `\uNNNN` or `\UNNNNNNNN`, whichever is the shortest.
pub(super) fn push_escape(out: &mut TryVec<u8>, ch: u32) -> PyResult<()> {
    let (letter, digits) = match ch {
        0..=0xFF => (b'x', 2),
        0x100..=0xFFFF => (b'u', 4),
        _ => (b'U', 8),
    };
    out.try_push(b'\\')?;
    out.try_push(letter)?;
    for digit in (0..digits).rev() {
        out.try_push(b"0123456789abcdef"[(ch >> (4 * digit)) as usize & 15])?;
    }
    Ok(())
}

/// The errors of one encoding run.
pub struct EncodeErrors<'a> {
    text: &'a PyStr,
    errors: &'a str,
    known: Known,
}

impl<'a> EncodeErrors<'a> {
    /// The errors in `text` go to the handler of that name.
    pub fn new(text: &'a PyStr, errors: &'a str) -> EncodeErrors<'a> {
        EncodeErrors { text, errors, known: Known::from_name(errors) }
    }

    /// Handles that the characters from `start` to before `end` cannot be encoded: appends their
    /// replacement, and returns where to go on.
    pub(in super::super) fn handle<E: Encoder>(
        &self,
        ts: &ThreadState,
        encoder: &E,
        start: usize,
        end: usize,
        out: &mut TryVec<u8>,
    ) -> PyResult<usize> {
        let fail = |at: usize| raise_made(ts, new_encode_error(ts, E::NAME, self.text, at, end, E::REASON));
        let mut text = TryVec::new();
        match self.known {
            Known::Strict => return Err(fail(start)),
            Known::Ignore => return Ok(end),
            Known::Replace => text.try_resize(end - start, b'?')?,
            Known::BackslashReplace => {
                for ch in self.text.chars_in(start..end) {
                    push_escape(&mut text, ch)?;
                }
            }
            Known::XmlCharRefReplace => {
                for ch in self.text.chars_in(start..end) {
                    let mut number = TryString::<hognose_allocators::Mem>::new();
                    if write!(number, "&#{ch};").is_err() {
                        return Err(ts.raise_no_memory());
                    }
                    text.try_extend_from_slice(number.as_str().as_bytes())?;
                }
            }
            Known::NameReplace => {
                for ch in self.text.chars_in(start..end) {
                    match char::from_u32(ch).and_then(rustpython_unicode::character_name) {
                        Some(name) => {
                            text.try_extend_from_slice(b"\\N{")?;
                            text.try_extend_from_slice(name.as_bytes())?;
                            text.try_push(b'}')?;
                        }
                        None => push_escape(&mut text, ch)?,
                    }
                }
            }
            Known::SurrogateEscape => return self.surrogate_escape::<E>(start, end, out, fail),
            Known::SurrogatePass => {
                for (at, ch) in (start..end).zip(self.text.chars_in(start..end)) {
                    if !is_surrogate(ch) || !encoder.push_surrogate(ch, out)? {
                        return Err(fail(at));
                    }
                }
                return Ok(end);
            }
            Known::Other => return self.ask(ts, encoder, start, end, out),
        }
        for byte in text.iter() {
            if !encoder.push(ts, u32::from(*byte), out)? {
                return Err(fail(start));
            }
        }
        Ok(end)
    }

    fn surrogate_escape<E: Encoder>(
        &self,
        start: usize,
        end: usize,
        out: &mut TryVec<u8>,
        fail: impl Fn(usize) -> Raised,
    ) -> PyResult<usize> {
        let is_escape = |ch: &u32| matches!(ch, 0xDC80..=0xDCFF);
        let count = self.text.chars_in(start..end).take_while(is_escape).count();
        let all = count == end - start;
        // The bytes are whole units, or they cannot stand in the result.
        if count == 0 || E::UNIT > 1 && (!all || count % E::UNIT != 0) {
            return Err(fail(start));
        }
        for ch in self.text.chars_in(start..start + count) {
            out.try_push((ch - 0xDC00) as u8)?;
        }
        Ok(start + count)
    }

    #[cold]
    fn ask<E: Encoder>(
        &self,
        ts: &ThreadState,
        encoder: &E,
        start: usize,
        end: usize,
        out: &mut TryVec<u8>,
    ) -> PyResult<usize> {
        let exception = new_encode_error(ts, E::NAME, self.text, start, end, E::REASON)?;
        let (replacement, at) = crate::modules::_codecs::call_error_handler(ts, self.errors, exception.as_object())?;
        if at > self.text.len() {
            return raise!(ts, exc::IndexError, "position {at} from error handler out of bounds");
        }
        if let Some(bytes) = replacement.downcast::<PyBytes>() {
            if bytes.as_slice().len() % E::UNIT != 0 {
                return Err(ts.raise(exception));
            }
            out.try_extend_from_slice(bytes.as_slice())?;
            return Ok(at);
        }
        let Some(text) = replacement.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "encoding error handler must return (str/bytes, int) tuple");
        };
        // The encodings of all of Unicode could take any text, but are held to what each encoding has.
        if E::NAME.starts_with("utf-") && !text.is_ascii() {
            return Err(ts.raise(exception));
        }
        for ch in text.chars() {
            if !encoder.push(ts, ch, out)? {
                return Err(ts.raise(exception));
            }
        }
        Ok(at)
    }
}

/// The errors of one decoding run.
pub struct DecodeErrors<'a> {
    encoding: &'a str,
    bytes: &'a [u8],
    errors: &'a str,
    known: Known,
}

impl<'a> DecodeErrors<'a> {
    /// The errors in `bytes` go to the handler of that name.
    pub fn new(encoding: &'a str, bytes: &'a [u8], errors: &'a str) -> DecodeErrors<'a> {
        DecodeErrors { encoding, bytes, errors, known: Known::from_name(errors) }
    }

    /// Handles that the bytes from `start` to before `end` cannot be decoded: appends their replacement,
    /// and returns where to go on.
    pub fn handle(
        &self,
        ts: &ThreadState,
        start: usize,
        end: usize,
        reason: &str,
        out: &mut StrBuilder,
    ) -> PyResult<usize> {
        let bytes = &self.bytes[start..end];
        match self.known {
            Known::Ignore => return Ok(end),
            Known::Replace => {
                out.push_char(0xFFFD)?;
                return Ok(end);
            }
            Known::BackslashReplace => {
                let mut text = TryVec::new();
                for byte in bytes {
                    push_escape(&mut text, u32::from(*byte))?;
                }
                out.push_ascii(&text)?;
                return Ok(end);
            }
            Known::SurrogateEscape => {
                let count = bytes.iter().take(4).take_while(|byte| **byte >= 0x80).count();
                for byte in &bytes[..count] {
                    out.push_char(0xDC00 + u32::from(*byte))?;
                }
                if count != 0 {
                    return Ok(start + count);
                }
            }
            Known::SurrogatePass => {
                if let Some((surrogate, size)) = self.surrogate_at(start) {
                    out.push_char(surrogate)?;
                    return Ok(start + size);
                }
            }
            Known::XmlCharRefReplace | Known::NameReplace => {
                return raise!(ts, exc::TypeError, "don't know how to handle UnicodeDecodeError in error callback");
            }
            Known::Other => return self.ask(ts, start, end, reason, out),
            Known::Strict => {}
        }
        Err(raise_made(ts, new_decode_error(ts, self.encoding, self.bytes, start, end, reason)))
    }

    /// The surrogate that the bytes at `start` spell in the encoding, and its size.
    fn surrogate_at(&self, start: usize) -> Option<(u32, usize)> {
        let bytes = &self.bytes[start..];
        let (ch, size) = match self.encoding {
            "utf-8" => match bytes {
                [0xED, b @ 0xA0..=0xBF, c @ 0x80..=0xBF, ..] => {
                    (0xD000 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F), 3)
                }
                _ => return None,
            },
            "utf-16-le" => (u32::from(u16::from_le_bytes(*bytes.first_chunk()?)), 2),
            "utf-16-be" => (u32::from(u16::from_be_bytes(*bytes.first_chunk()?)), 2),
            "utf-32-le" => (u32::from_le_bytes(*bytes.first_chunk()?), 4),
            "utf-32-be" => (u32::from_be_bytes(*bytes.first_chunk()?), 4),
            _ => return None,
        };
        is_surrogate(ch).then_some((ch, size))
    }

    #[cold]
    fn ask(&self, ts: &ThreadState, start: usize, end: usize, reason: &str, out: &mut StrBuilder) -> PyResult<usize> {
        let exception = new_decode_error(ts, self.encoding, self.bytes, start, end, reason)?;
        let given = object_of(&exception);
        let (replacement, at): (PyRef, usize) =
            crate::modules::_codecs::call_error_handler(ts, self.errors, exception.as_object())?;
        match replacement.downcast::<PyStr>() {
            Some(text) => out.push(text)?,
            None => return raise!(ts, exc::TypeError, "decoding error handler must return (str, int) tuple"),
        }
        if let Some(other) = other_bytes(&given, &exception) {
            return self.decode_others(ts, &other, at, out);
        }
        if at > self.bytes.len() {
            return raise!(ts, exc::IndexError, "position {at} from error handler out of bounds");
        }
        Ok(at)
    }

    /// The handler has given the exception other bytes: they are what is decoded from now on.
    #[cold]
    fn decode_others(&self, ts: &ThreadState, bytes: &PyBytes, at: usize, out: &mut StrBuilder) -> PyResult<usize> {
        ts.check_native_stack(" while handling an encoding error")?;
        let rest = PyBytes::new(ts, bytes.as_slice().get(at..).unwrap_or(&[]))?;
        let encoding = match self.encoding {
            "unicodeescape" => "unicode_escape",
            "rawunicodeescape" => "raw_unicode_escape",
            encoding => encoding,
        };
        let text = super::decode(ts, rest.as_object(), rest.as_slice(), encoding, self.errors)?;
        match text.downcast::<PyStr>() {
            Some(text) => out.push(text)?,
            None => return raise!(ts, exc::TypeError, "decoder must return str"),
        }
        Ok(self.bytes.len())
    }
}
