//! Floats from text, and their shortest text.

use core::fmt::Write;

use hognose_allocators::collections::TryVec;

use crate::object::PyResult;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::text::{ascii_number_text, strip};
use crate::types::str::{PyStr, StrData};

/// ASCII text on the stack, for `core::fmt` to write into; what does not fit is an error.
pub(in crate::types) struct StackText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> StackText<N> {
    pub(in crate::types) const fn new() -> StackText<N> {
        StackText { bytes: [0; N], length: 0 }
    }

    pub(in crate::types) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(in crate::types) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or("")
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    fn fill(&mut self, byte: u8, count: usize) {
        for _ in 0..count {
            self.push(&[byte]);
        }
    }
}

impl<const N: usize> Write for StackText<N> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        if text.len() > N - self.length {
            return Err(core::fmt::Error);
        }
        self.push(text.as_bytes());
        Ok(())
    }
}

/// The text of a float: at most 24 characters.
pub struct FloatText(StackText<32>);

impl FloatText {
    /// The shortest text that reads back as `value`, as `repr` gives it; without the `.0` of an integral
    /// value unless `point`.
    pub fn new(value: f64, point: bool) -> FloatText {
        let mut text = StackText::new();
        if value.is_nan() {
            text.push(b"nan");
            return FloatText(text);
        }
        if value.is_sign_negative() {
            text.push(b"-");
        }
        if value.is_infinite() {
            text.push(b"inf");
            return FloatText(text);
        }
        let shortest = shortest(value.abs());
        let shortest = shortest.as_bytes();
        let split = shortest.iter().position(|byte| *byte == b'e').unwrap_or(shortest.len());
        let exponent = shortest.get(split + 1..).and_then(|digits| core::str::from_utf8(digits).ok());
        let exponent: i32 = exponent.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let mut digits = StackText::<24>::new();
        for byte in shortest[..split].iter().filter(|byte| **byte != b'.') {
            digits.push(&[*byte]);
        }
        let digits = digits.as_bytes();
        // The digits before the point.
        let whole = exponent + 1;
        if (-3..=16).contains(&whole) {
            if whole <= 0 {
                text.push(b"0.");
                text.fill(b'0', whole.unsigned_abs() as usize);
                text.push(digits);
            } else if digits.len() <= whole as usize {
                text.push(digits);
                text.fill(b'0', whole as usize - digits.len());
                if point {
                    text.push(b".0");
                }
            } else {
                text.push(&digits[..whole as usize]);
                text.push(b".");
                text.push(&digits[whole as usize..]);
            }
            return FloatText(text);
        }
        text.push(&digits[..1]);
        if digits.len() > 1 {
            text.push(b".");
            text.push(&digits[1..]);
        }
        let _ = write!(text, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
        FloatText(text)
    }

    /// The characters.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The fewest digits that read back as the finite `value`, in scientific notation. Where two numbers of
/// that many digits are equally near, it is the even one.
fn shortest(value: f64) -> StackText<40> {
    let mut text = StackText::new();
    // The buffer holds every text that this format has.
    let _ = write!(text, "{value:e}");
    let digits = text.as_bytes().iter().take_while(|byte| **byte != b'e').filter(|byte| **byte != b'.').count();
    // The library rounds such a tie up. It can only come up for long fractions with a small power of two
    // below.
    if digits >= 15 && value < 1e16 && (value * 1048576.0).fract() == 0.0 {
        let mut even = StackText::new();
        let _ = write!(even, "{value:.*e}", digits - 1);
        if even.as_str().parse() == Ok(value) {
            return even;
        }
    }
    text
}

/// Writes `repr(value)`.
pub fn write_repr(value: f64, out: &mut dyn Write) -> core::fmt::Result {
    out.write_str(FloatText::new(value, true).as_str())
}

/// The float that a str stands for. Raises ValueError.
pub fn parse_str(ts: &ThreadState, text: &PyStr) -> PyResult<f64> {
    use crate::object::AsObject;
    let value = match text.data() {
        StrData::Ascii(bytes) => parse_ascii(bytes)?,
        _ => parse_ascii(&ascii_number_text(text)?)?,
    };
    match value {
        Some(value) => Ok(value),
        None => refuse(ts, text.as_object()),
    }
}

#[cold]
pub(super) fn refuse<T>(ts: &ThreadState, text: &crate::object::PyObject) -> PyResult<T> {
    let text = crate::object::protocol::repr(ts, text)?;
    raise!(ts, exc::ValueError, "could not convert string to float: {}", &*text)
}

/// The float that ASCII text stands for, with spaces around and single underscores between digits; None
/// when it stands for none. Fails only for want of memory.
pub fn parse_ascii(text: &[u8]) -> PyResult<Option<f64>> {
    let text = strip(text);
    if text.contains(&b'_') {
        let mut plain = TryVec::<u8>::new();
        plain.try_reserve(text.len())?;
        for (index, byte) in text.iter().enumerate() {
            if *byte != b'_' {
                plain.try_push(*byte)?;
                continue;
            }
            let digit_at = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
            if index == 0 || !digit_at(index - 1) || !digit_at(index + 1) {
                return Ok(None);
            }
        }
        return Ok(parse_plain(&plain));
    }
    Ok(parse_plain(text))
}

fn parse_plain(text: &[u8]) -> Option<f64> {
    match parse_prefix(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => None,
    }
}

/// The float that the longest possible beginning of the text stands for, and that beginning's length.
pub(in crate::types) fn parse_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let negative = text.first() == Some(&b'-');
    let body = &text[sign..];
    for (word, value) in [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)] {
        if body.len() >= word.len() && body[..word.len()].eq_ignore_ascii_case(word) {
            return Some((if negative { -value } else { value }, sign + word.len()));
        }
    }
    let digits_from = |at: usize| body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits_from(0);
    let mut end = whole;
    let mut fraction = 0;
    if body.get(whole) == Some(&b'.') {
        fraction = digits_from(whole + 1);
        end = whole + 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = body.get(end) {
        let signed = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        let exponent = body.get(end + 1 + signed..).map_or(0, |_| digits_from(end + 1 + signed));
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    let number = core::str::from_utf8(&text[..sign + end]).ok()?;
    Some((number.parse().ok()?, sign + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_is_the_shortest_text() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (1234567890123456.0, "1234567890123456.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e22, "1e+22"),
            (5e-324, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (100.25, "100.25"),
            (1290817857350290.25, "1290817857350290.2"),
            (1290817857350290.75, "1290817857350290.8"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(FloatText::new(value, true).as_str(), text);
        }
    }

    #[test]
    fn prefixes_are_as_long_as_possible() {
        assert_eq!(parse_prefix(b"1e5x"), Some((1e5, 3)));
        assert_eq!(parse_prefix(b"1e+"), Some((1.0, 1)));
        assert_eq!(parse_prefix(b".5"), Some((0.5, 2)));
        assert_eq!(parse_prefix(b"5."), Some((5.0, 2)));
        assert_eq!(parse_prefix(b"."), None);
        assert_eq!(parse_prefix(b"-infx").map(|(v, n)| (v, n)), Some((f64::NEG_INFINITY, 4)));
    }
}
