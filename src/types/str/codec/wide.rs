//! UTF-16 and UTF-32, in either byte order.

use hognose_allocators::collections::TryVec;

use super::errors::is_surrogate;
use super::{DecodeErrors, Encoder, encode_into};
use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::str::{PyStr, StrBuilder};

/// The order of the bytes of a unit, with C's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum ByteOrder {
    /// The low byte first.
    Little = -1,
    /// As the byte order mark says, and without one as the machine has it.
    Native = 0,
    /// The high byte first.
    Big = 1,
}

impl ByteOrder {
    /// The order of C's number.
    pub const fn from_c(number: i32) -> ByteOrder {
        match number {
            0 => ByteOrder::Native,
            1.. => ByteOrder::Big,
            _ => ByteOrder::Little,
        }
    }

    const fn is_big(self) -> bool {
        match self {
            ByteOrder::Big => true,
            ByteOrder::Little => false,
            ByteOrder::Native => cfg!(target_endian = "big"),
        }
    }
}

/// Decodes UTF-16; returns the text, how many bytes it took, and the byte order that the input turned out
/// to have. Unless this is the `last` part of the input, an incomplete character is left for the next.
pub fn decode_utf16(
    ts: &ThreadState,
    bytes: &[u8],
    errors: &str,
    order: ByteOrder,
    last: bool,
) -> PyResult<(Ref<PyStr>, usize, ByteOrder)> {
    let (order, mut at) = match (order, bytes.first_chunk()) {
        (ByteOrder::Native, Some([0xFF, 0xFE])) => (ByteOrder::Little, 2),
        (ByteOrder::Native, Some([0xFE, 0xFF])) => (ByteOrder::Big, 2),
        _ => (order, 0),
    };
    let big = order.is_big();
    let errors = DecodeErrors::new(if big { "utf-16-be" } else { "utf-16-le" }, bytes, errors);
    let unit_at = |at: usize| -> Option<u32> {
        let unit = *bytes.get(at..)?.first_chunk()?;
        Some(u32::from(if big { u16::from_be_bytes(unit) } else { u16::from_le_bytes(unit) }))
    };
    let mut out = StrBuilder::new();
    while at < bytes.len() {
        let (end, reason) = match unit_at(at) {
            None if !last => break,
            None => (bytes.len(), "truncated data"),
            Some(unit) if !is_surrogate(unit) => {
                out.push_char(unit)?;
                at += 2;
                continue;
            }
            Some(0xDC00..) => (at + 2, "illegal encoding"),
            Some(high) => match unit_at(at + 2) {
                None if !last => break,
                None => (bytes.len(), "unexpected end of data"),
                Some(low @ 0xDC00..=0xDFFF) => {
                    out.push_char(0x1_0000 + ((high & 0x3FF) << 10 | low & 0x3FF))?;
                    at += 4;
                    continue;
                }
                Some(_) => (at + 2, "illegal UTF-16 surrogate"),
            },
        };
        at = errors.handle(ts, at, end, reason, &mut out)?;
    }
    Ok((out.finish(ts)?, at, order))
}

/// Decodes UTF-32, like [`decode_utf16`].
pub fn decode_utf32(
    ts: &ThreadState,
    bytes: &[u8],
    errors: &str,
    order: ByteOrder,
    last: bool,
) -> PyResult<(Ref<PyStr>, usize, ByteOrder)> {
    let (order, mut at) = match (order, bytes.first_chunk()) {
        (ByteOrder::Native, Some([0xFF, 0xFE, 0, 0])) => (ByteOrder::Little, 4),
        (ByteOrder::Native, Some([0, 0, 0xFE, 0xFF])) => (ByteOrder::Big, 4),
        _ => (order, 0),
    };
    let big = order.is_big();
    let errors = DecodeErrors::new(if big { "utf-32-be" } else { "utf-32-le" }, bytes, errors);
    let mut out = StrBuilder::new();
    while at < bytes.len() {
        let (end, reason) = match bytes[at..].first_chunk() {
            None if !last => break,
            None => (bytes.len(), "truncated data"),
            Some(unit) => match if big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) } {
                ch if is_surrogate(ch) => (at + 4, "code point in surrogate code point range(0xd800, 0xe000)"),
                0x11_0000.. => (at + 4, "code point not in range(0x110000)"),
                ch => {
                    out.push_char(ch)?;
                    at += 4;
                    continue;
                }
            },
        };
        at = errors.handle(ts, at, end, reason, &mut out)?;
    }
    Ok((out.finish(ts)?, at, order))
}

/// An encoder of one width, order and name.
macro_rules! encoder {
    ($type:ident, $name:literal, $unit:literal, $put:ident, $big:expr) => {
        struct $type;

        impl Encoder for $type {
            const NAME: &'static str = $name;
            const REASON: &'static str = "surrogates not allowed";
            const UNIT: usize = $unit;
            const RUNS: bool = false;

            fn push(&self, _ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
                if is_surrogate(ch) {
                    return Ok(false);
                }
                $put(ch, $big, out)?;
                Ok(true)
            }

            fn push_surrogate(&self, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool> {
                $put(ch, $big, out)?;
                Ok(true)
            }
        }
    };
}
const NATIVE_BIG: bool = cfg!(target_endian = "big");
encoder!(Utf16, "utf-16", 2, put16, NATIVE_BIG);
encoder!(Utf16Le, "utf-16-le", 2, put16, false);
encoder!(Utf16Be, "utf-16-be", 2, put16, true);
encoder!(Utf32, "utf-32", 4, put32, NATIVE_BIG);
encoder!(Utf32Le, "utf-32-le", 4, put32, false);
encoder!(Utf32Be, "utf-32-be", 4, put32, true);

fn put16(ch: u32, big: bool, out: &mut TryVec<u8>) -> PyResult<()> {
    let mut unit = |unit: u32| {
        let unit = unit as u16;
        out.try_extend_from_slice(&if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
    };
    if ch < 0x1_0000 {
        unit(ch)?;
    } else {
        unit(0xD7C0 + (ch >> 10))?;
        unit(0xDC00 | ch & 0x3FF)?;
    }
    Ok(())
}

fn put32(ch: u32, big: bool, out: &mut TryVec<u8>) -> PyResult<()> {
    Ok(out.try_extend_from_slice(&if big { ch.to_be_bytes() } else { ch.to_le_bytes() })?)
}

/// Encodes to UTF-16; in native order with a byte order mark.
pub fn encode_utf16(ts: &ThreadState, text: &PyStr, errors: &str, order: ByteOrder) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(text.len() * 2 + 2)?;
    match order {
        ByteOrder::Native => {
            put16(0xFEFF, NATIVE_BIG, &mut out)?;
            encode_into(ts, &Utf16, text, errors, &mut out)?;
        }
        ByteOrder::Little => encode_into(ts, &Utf16Le, text, errors, &mut out)?,
        ByteOrder::Big => encode_into(ts, &Utf16Be, text, errors, &mut out)?,
    }
    PyBytes::new(ts, &out)
}

/// Encodes to UTF-32; in native order with a byte order mark.
pub fn encode_utf32(ts: &ThreadState, text: &PyStr, errors: &str, order: ByteOrder) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(text.len().saturating_mul(4).saturating_add(4))?;
    match order {
        ByteOrder::Native => {
            put32(0xFEFF, NATIVE_BIG, &mut out)?;
            encode_into(ts, &Utf32, text, errors, &mut out)?;
        }
        ByteOrder::Little => encode_into(ts, &Utf32Le, text, errors, &mut out)?,
        ByteOrder::Big => encode_into(ts, &Utf32Be, text, errors, &mut out)?,
    }
    PyBytes::new(ts, &out)
}
