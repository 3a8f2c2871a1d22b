//! The escapes of bytes literals.

use hognose_allocators::collections::TryVec;

use crate::object::PyResult;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::algorithms::{hex_digit, hex_pair};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// Bytes as they would stand in a literal.
pub(super) fn encode(data: &[u8]) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    out.try_reserve(data.len())?;
    for byte in data {
        match byte {
            b'\'' | b'\\' => out.try_extend_from_copy(&[b'\\', *byte])?,
            b'\t' => out.try_extend_from_copy(b"\\t")?,
            b'\n' => out.try_extend_from_copy(b"\\n")?,
            b'\r' => out.try_extend_from_copy(b"\\r")?,
            b' '..=b'~' => out.try_push(*byte)?,
            _ => {
                out.try_extend_from_copy(b"\\x")?;
                out.try_extend_from_copy(&hex_pair(*byte))?;
            }
        }
    }
    Ok(out)
}

/// The bytes that a literal's text stands for, and the first escape in it that has no meaning: what followed the
/// backslash, or the value of an octal number above 0o377.
pub(super) fn decode(ts: &ThreadState, data: &[u8], errors: &str) -> PyResult<(TryVec<u8>, Option<u32>)> {
    let mut out = TryVec::new();
    out.try_reserve(data.len())?;
    let mut invalid = None;
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.try_push(*byte)?;
            continue;
        }
        let Some(letter) = data.get(at) else {
            return raise!(ts, exc::ValueError, "Trailing \\ in string");
        };
        at += 1;
        let plain = match letter {
            b'\n' => continue,
            b'\\' | b'\'' | b'"' => *letter,
            b'b' => 0x08,
            b'f' => 0x0C,
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'v' => 0x0B,
            b'a' => 0x07,
            b'0'..=b'7' => {
                let digits = data[at - 1..].iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                let value =
                    data[at - 1..at - 1 + digits].iter().fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
                at += digits - 1;
                if value > 0o377 {
                    invalid = invalid.or(Some(value));
                }
                value as u8
            }
            b'x' => {
                let digit = |index: usize| data.get(index).and_then(|digit| hex_digit(*digit));
                if let (Some(high), Some(low)) = (digit(at), digit(at + 1)) {
                    at += 2;
                    high << 4 | low
                } else {
                    let start = at - 2;
                    // One digit that is there is skipped with the rest.
                    at += usize::from(digit(at).is_some());
                    match errors {
                        "strict" => return raise!(ts, exc::ValueError, "invalid \\x escape at position {start}"),
                        "replace" => b'?',
                        "ignore" => continue,
                        _ => {
                            return raise!(
                                ts,
                                exc::ValueError,
                                "decoding error; unknown error handling code: {errors}"
                            );
                        }
                    }
                }
            }
            _ => {
                invalid = invalid.or(Some(u32::from(*letter)));
                out.try_push(b'\\')?;
                *letter
            }
        };
        out.try_push(plain)?;
    }
    Ok((out, invalid))
}

/// Warns about an escape that has no meaning.
#[cold]
pub(super) fn warn_invalid(ts: &ThreadState, invalid: u32) -> PyResult<()> {
    let message = if invalid > 0xFF {
        PyStr::format(
            ts,
            format_args!(
                "\"\\{invalid:o}\" is an invalid octal escape sequence. Such sequences will not work in the future. "
            ),
        )?
    } else {
        let ch = char::from(invalid as u8);
        PyStr::format(
            ts,
            format_args!("\"\\{ch}\" is an invalid escape sequence. Such sequences will not work in the future. "),
        )?
    };
    exc::warn(ts, &exc::DeprecationWarning, message.utf8(ts)?, 1)
}
