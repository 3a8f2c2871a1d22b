//! Floats in hexadecimal: `float.hex` and `float.fromhex`.

use core::fmt::Write;

use super::ldexp;
use super::text::StackText;
use crate::types::int::text::strip;

/// The hexadecimal text of a float.
pub(super) fn to_hex(value: f64) -> StackText<32> {
    let mut text = StackText::new();
    // The buffer holds every text that is written here.
    let _ = if !value.is_finite() {
        write!(text, "{}", super::FloatText::new(value, true).as_str())
    } else {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let exponent = (bits >> 52 & 0x7ff) as i32;
        match (exponent, fraction) {
            (0, 0) => write!(text, "{sign}0x0.0p+0"),
            (0, _) => write!(text, "{sign}0x0.{fraction:013x}p-1022"),
            _ => write!(text, "{sign}0x1.{fraction:013x}p{:+}", exponent - 1023),
        }
    };
    text
}

/// Why hexadecimal text is not a float.
pub(super) enum Refused {
    /// It is not a number's.
    Malformed,
    /// The number is too large.
    Overflow,
}

/// The float that the text stands for, rounded half to even.
pub(super) fn from_hex(text: &[u8]) -> Result<f64, Refused> {
    let mut text = strip(text);
    let mut sign = 1.0;
    if let [byte @ (b'+' | b'-'), rest @ ..] = text {
        sign = if *byte == b'-' { -1.0 } else { 1.0 };
        text = rest;
    }
    for (word, value) in [(&b"inf"[..], f64::INFINITY), (b"infinity", f64::INFINITY), (b"nan", f64::NAN)] {
        if text.eq_ignore_ascii_case(word) {
            return Ok(value.copysign(sign));
        }
    }
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        text = rest;
    }
    // The leading 60 bits of the digits; whatever follows leaves a mark.
    let mut mantissa = 0u64;
    let mut sticky = false;
    let mut exponent = 0i64;
    let mut digits = 0;
    let mut point = false;
    while let [byte, rest @ ..] = text {
        if *byte == b'.' && !point {
            point = true;
            text = rest;
            continue;
        }
        let Some(digit) = (*byte as char).to_digit(16) else { break };
        digits += 1;
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if point { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
        text = rest;
    }
    if digits == 0 {
        return Err(Refused::Malformed);
    }
    if let [b'p' | b'P', rest @ ..] = text {
        let (negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Refused::Malformed);
        }
        let value = digits.iter().fold(0i64, |value, byte| (value * 10 + i64::from(byte - b'0')).min(1 << 50));
        exponent += if negative { -value } else { value };
        text = &[];
    }
    if !text.is_empty() {
        return Err(Refused::Malformed);
    }
    if mantissa == 0 {
        return Ok(0.0f64.copysign(sign));
    }
    let bits = 64 - i64::from(mantissa.leading_zeros());
    if exponent + bits > 1024 {
        return Err(Refused::Overflow);
    }
    // The exponent of the last bit that is kept.
    let last = (exponent + bits - 53).max(-1074);
    let shift = last - exponent;
    if shift > 63 {
        return Ok(0.0f64.copysign(sign));
    }
    let (kept, last) = if shift > 0 {
        let half = 1u64 << (shift - 1);
        let low = mantissa & (2 * half - 1);
        let kept = mantissa >> shift;
        let up = low > half || low == half && (sticky || kept & 1 != 0);
        (kept + u64::from(up), last)
    } else {
        (mantissa, exponent)
    };
    let value = ldexp(kept as f64, last as i32);
    if value.is_infinite() {
        return Err(Refused::Overflow);
    }
    Ok(value.copysign(sign))
}
