//! The encodings that spell characters as Python's literals do: `unicode_escape` and `raw_unicode_escape`.

use hognose_allocators::collections::TryVec;

use super::DecodeErrors;
use super::errors::push_escape;
use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::str::{PyStr, StrBuilder};

/// What [`decode_unicode_escape`] made.
pub struct Unescaped {
    /// The text.
    pub text: Ref<PyStr>,
    /// How many bytes it took.
    pub consumed: usize,
    /// The first escape that has no meaning and was left as it is: what followed the backslash, an ASCII
    /// character or the value of an octal number above 0o377. The caller warns about it.
    pub first_invalid: Option<u32>,
}

/// Up to `count` hexadecimal digits: their value, and how many there were.
fn hex(bytes: &[u8], count: usize) -> (u32, usize) {
    let digits = bytes.iter().take(count).map_while(|byte| char::from(*byte).to_digit(16));
    digits.fold((0, 0), |(value, used), digit| (value << 4 | digit, used + 1))
}

/// Decodes the escapes of string literals, all other bytes as Latin-1. Unless this is the `last` part of
/// the input, an incomplete escape is left for the next.
pub fn decode_unicode_escape(ts: &ThreadState, bytes: &[u8], errors: &str, last: bool) -> PyResult<Unescaped> {
    let handler = DecodeErrors::new("unicodeescape", bytes, errors);
    let mut out = StrBuilder::new();
    let mut first_invalid = None;
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().take_while(|byte| **byte != b'\\').count();
        for byte in &bytes[at..at + plain] {
            out.push_char(u32::from(*byte))?;
        }
        at += plain;
        if at == bytes.len() {
            break;
        }
        let start = at;
        let rest = &bytes[start + 1..];
        let (digits, truncated) = match rest.first() {
            None if !last => break,
            None => {
                at = handler.handle(ts, start, start + 1, "\\ at end of string", &mut out)?;
                continue;
            }
            Some(b'x') => (2, "truncated \\xXX escape"),
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            Some(b'N') => {
                match decode_name(ts, &handler, bytes, start, last, &mut out)? {
                    Some(next) => at = next,
                    None => break,
                }
                continue;
            }
            Some(digit @ b'0'..=b'7') => {
                let more = rest[1..].iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                if !last && more < 2 && rest.len() == 1 + more {
                    // Further digits may come.
                    break;
                }
                let value = rest[1..=more]
                    .iter()
                    .fold(u32::from(digit - b'0'), |value, byte| value << 3 | u32::from(byte - b'0'));
                if value > 0o377 {
                    first_invalid.get_or_insert(value);
                }
                out.push_char(value)?;
                at = start + 2 + more;
                continue;
            }
            Some(simple) => {
                match simple {
                    b'\n' => {}
                    b'\\' | b'\'' | b'"' => out.push_char(u32::from(*simple))?,
                    b'a' => out.push_char(7)?,
                    b'b' => out.push_char(8)?,
                    b't' => out.push_char(9)?,
                    b'n' => out.push_char(10)?,
                    b'v' => out.push_char(11)?,
                    b'f' => out.push_char(12)?,
                    b'r' => out.push_char(13)?,
                    other => {
                        first_invalid.get_or_insert(u32::from(*other));
                        out.push_char(u32::from(b'\\'))?;
                        out.push_char(u32::from(*other))?;
                    }
                }
                at = start + 2;
                continue;
            }
        };
        let (value, used) = hex(&rest[1..], digits);
        let end = start + 2 + used;
        at = if used == digits && value <= 0x10_FFFF {
            out.push_char(value)?;
            end
        } else if used == digits {
            handler.handle(ts, start, end, "illegal Unicode character", &mut out)?
        } else if end == bytes.len() && !last {
            break;
        } else {
            handler.handle(ts, start, end, truncated, &mut out)?
        };
    }
    Ok(Unescaped { text: out.finish(ts)?, consumed: at, first_invalid })
}

/// Decodes `\N{name}` at `start`; `None` when the rest of it is still to come.
fn decode_name(
    ts: &ThreadState,
    handler: &DecodeErrors<'_>,
    bytes: &[u8],
    start: usize,
    last: bool,
    out: &mut StrBuilder,
) -> PyResult<Option<usize>> {
    let malformed = "malformed \\N character escape";
    let after = &bytes[start + 2..];
    if after.is_empty() && !last {
        return Ok(None);
    }
    if after.first() != Some(&b'{') {
        return handler.handle(ts, start, start + 2, malformed, out).map(Some);
    }
    let name = &after[1..];
    let Some(size) = name.iter().position(|byte| *byte == b'}') else {
        if !last {
            return Ok(None);
        }
        return handler.handle(ts, start, bytes.len(), malformed, out).map(Some);
    };
    if size == 0 {
        return handler.handle(ts, start, start + 3, malformed, out).map(Some);
    }
    let end = start + 4 + size;
    match core::str::from_utf8(&name[..size]).ok().and_then(rustpython_unicode::lookup_character) {
        Some(ch) => {
            out.push_char(u32::from(ch))?;
            Ok(Some(end))
        }
        None => handler.handle(ts, start, end, "unknown Unicode character name", out).map(Some),
    }
}

/// Decodes `\uXXXX` and `\UXXXXXXXX`, all other bytes as Latin-1; returns the text and how many bytes it took.
pub fn decode_raw_unicode_escape(
    ts: &ThreadState,
    bytes: &[u8],
    errors: &str,
    last: bool,
) -> PyResult<(Ref<PyStr>, usize)> {
    let handler = DecodeErrors::new("rawunicodeescape", bytes, errors);
    let mut out = StrBuilder::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'\\' {
            out.push_char(u32::from(*byte))?;
            at += 1;
            continue;
        }
        let (digits, truncated) = match bytes.get(at + 1) {
            None if !last => break,
            Some(b'u') => (4, "truncated \\uXXXX escape"),
            Some(b'U') => (8, "truncated \\UXXXXXXXX escape"),
            other => {
                out.push_char(u32::from(b'\\'))?;
                if let Some(other) = other {
                    out.push_char(u32::from(*other))?;
                }
                at = bytes.len().min(at + 2);
                continue;
            }
        };
        let (value, used) = hex(&bytes[at + 2..], digits);
        let end = at + 2 + used;
        at = if used == digits && value <= 0x10_FFFF {
            out.push_char(value)?;
            end
        } else if used == digits {
            handler.handle(ts, at, end, "\\Uxxxxxxxx out of range", &mut out)?
        } else if end == bytes.len() && !last {
            break;
        } else {
            handler.handle(ts, at, end, truncated, &mut out)?
        };
    }
    Ok((out.finish(ts)?, at))
}

/// Encodes to ASCII, with the escapes of string literals.
pub fn encode_unicode_escape(ts: &ThreadState, text: &PyStr) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(text.len())?;
    for ch in text.chars() {
        match ch {
            0x5C => out.try_extend_from_slice(b"\\\\")?,
            0x09 => out.try_extend_from_slice(b"\\t")?,
            0x0A => out.try_extend_from_slice(b"\\n")?,
            0x0D => out.try_extend_from_slice(b"\\r")?,
            0x20..=0x7E => out.try_push(ch as u8)?,
            _ => push_escape(&mut out, ch)?,
        }
    }
    PyBytes::new(ts, &out)
}

/// Encodes to Latin-1, with `\uXXXX` and `\UXXXXXXXX` for what Latin-1 does not have.
pub fn encode_raw_unicode_escape(ts: &ThreadState, text: &PyStr) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(text.len())?;
    for ch in text.chars() {
        match u8::try_from(ch) {
            Ok(byte) => out.try_push(byte)?,
            Err(_) => push_escape(&mut out, ch)?,
        }
    }
    PyBytes::new(ts, &out)
}
