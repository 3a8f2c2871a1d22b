//! UTF-7 (RFC 2152): ASCII as it is, everything else in UTF-16 and modified base 64 between `+` and `-`.

use hognose_allocators::collections::TryVec;

use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::str::codec::DecodeErrors;
use crate::types::str::{PyStr, StrBuilder};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_value(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Whether an encoder writes the character as it is: all printable ASCII and white space but `+`, `\` and `~`.
fn is_direct(ch: u32) -> bool {
    matches!(ch, 0x20..=0x7D | 0x09 | 0x0A | 0x0D) && ch != u32::from(b'+') && ch != u32::from(b'\\')
}

/// Whether a decoder takes the byte as it is.
fn decodes_direct(byte: u8) -> bool {
    byte <= 127 && byte != b'+'
}

/// Encodes; there are no errors, since surrogates are UTF-16 units.
pub(super) fn encode(ts: &ThreadState, text: &PyStr) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(text.len().saturating_mul(2))?;
    let (mut buffer, mut bits, mut shifted) = (0u32, 0u32, false);
    let digit = |value: u32| ALPHABET[(value & 63) as usize];
    for ch in text.chars() {
        if shifted {
            if is_direct(ch) {
                if bits > 0 {
                    out.try_push(digit(buffer << (6 - bits)))?;
                    bits = 0;
                    buffer = 0;
                }
                shifted = false;
                // Only what could be read as more base 64 needs the end marked.
                if base64_value(ch as u8).is_some() || ch == u32::from(b'-') {
                    out.try_push(b'-')?;
                }
                out.try_push(ch as u8)?;
                continue;
            }
        } else if ch == u32::from(b'+') {
            out.try_extend_from_copy(b"+-")?;
            continue;
        } else if is_direct(ch) {
            out.try_push(ch as u8)?;
            continue;
        } else {
            out.try_push(b'+')?;
            shifted = true;
        }
        let mut units = [0u16; 2];
        let units: &[u16] = match char::from_u32(ch) {
            Some(ch) => ch.encode_utf16(&mut units),
            None => {
                units[0] = ch as u16;
                &units[..1]
            }
        };
        for unit in units {
            buffer = (buffer << 16 | u32::from(*unit)) & 0x3F_FFFF;
            bits += 16;
            while bits >= 6 {
                bits -= 6;
                out.try_push(digit(buffer >> bits))?;
            }
            buffer &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        out.try_push(digit(buffer << (6 - bits)))?;
    }
    if shifted {
        out.try_push(b'-')?;
    }
    PyBytes::new(ts, &out)
}

/// Decodes, and tells how many bytes were taken: unless this is the `last` part of the input, an open shift sequence
/// is left for the next.
pub(super) fn decode(ts: &ThreadState, data: &[u8], errors: &str, last: bool) -> PyResult<(Ref<PyStr>, usize)> {
    let handler = DecodeErrors::new("utf7", data, errors);
    let mut out = StrBuilder::new();
    let mut at = 0;
    'text: while at < data.len() {
        let byte = data[at];
        if decodes_direct(byte) {
            out.push_char(u32::from(byte))?;
            at += 1;
            continue;
        }
        if byte != b'+' {
            at = handler.handle(ts, at, at + 1, "unexpected special character", &mut out)?;
            continue;
        }
        let start = at;
        at += 1;
        match data.get(at) {
            Some(b'-') => {
                out.push_char(u32::from(b'+'))?;
                at += 1;
                continue;
            }
            Some(next) if base64_value(*next).is_none() => {
                at = handler.handle(ts, start, at + 1, "ill-formed sequence", &mut out)?;
                continue;
            }
            _ => {}
        }
        // The characters of an unfinished sequence are given back, so they are kept apart.
        let mut units: TryVec<u16> = TryVec::new();
        let (mut buffer, mut bits) = (0u32, 0u32);
        loop {
            let Some(next) = data.get(at) else {
                if !last {
                    return Ok((out.finish(ts)?, start));
                }
                // A sequence that is whole needs no end mark here; half a surrogate pair is not whole.
                let half = units.last().is_some_and(|unit| matches!(unit, 0xD800..=0xDBFF));
                push_units(&units[..units.len() - usize::from(half)], &mut out)?;
                at = data.len();
                if half || bits >= 6 || buffer != 0 {
                    at = handler.handle(ts, start, at, "unterminated shift sequence", &mut out)?;
                }
                continue 'text;
            };
            if let Some(value) = base64_value(*next) {
                at += 1;
                buffer = buffer << 6 | value;
                bits += 6;
                if bits >= 16 {
                    bits -= 16;
                    units.try_push((buffer >> bits) as u16)?;
                    buffer &= (1 << bits) - 1;
                }
                continue;
            }
            let problem = if bits >= 6 {
                Some("partial character in base64 sequence")
            } else if buffer != 0 {
                Some("non-zero padding bits in base64 sequence")
            } else {
                None
            };
            // With an error at its end, half a surrogate pair is a part of what is wrong.
            let half = problem.is_some() && units.last().is_some_and(|unit| matches!(unit, 0xD800..=0xDBFF));
            push_units(&units[..units.len() - usize::from(half)], &mut out)?;
            if let Some(problem) = problem {
                at = handler.handle(ts, start, at + 1, problem, &mut out)?;
            } else if *next == b'-' {
                at += 1;
            }
            continue 'text;
        }
    }
    Ok((out.finish(ts)?, at))
}

/// Appends UTF-16; a surrogate without its other half stays what it is.
fn push_units(units: &[u16], out: &mut StrBuilder) -> PyResult<()> {
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(ch) => out.push_char(u32::from(ch))?,
            Err(lone) => out.push_char(u32::from(lone.unpaired_surrogate()))?,
        }
    }
    Ok(())
}
