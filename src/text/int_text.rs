//! Integers in text, as `int(text, base)` reads them: sign, prefix, digits, underscores.
//!
//! The digits come out checked and plain; turning many of them into a big integer is the object layer's.

use hognose_allocators::{NoMemory, collections::TryVec};

use super::{Text, chars};

/// An integer that was found in text.
#[derive(Debug)]
pub struct IntText {
    /// Whether a minus sign stands before it.
    pub negative: bool,
    /// The base, after a prefix was considered.
    pub base: u32,
    /// How many digits there are, leading zeros included: what the limit on conversions counts.
    pub digit_count: usize,
    /// The magnitude, when it fits.
    pub small: Option<u64>,
    /// The digits as lower-case ASCII without underscores; empty when `small` has the value.
    pub digits: TryVec<u8>,
}

/// The value of a digit in bases up to 36, in ASCII or a decimal digit of any script.
fn digit_value(ch: u32) -> Option<u32> {
    match ch {
        0x30..=0x39 => Some(ch - 0x30),
        0x41..=0x5A => Some(ch - 0x41 + 10),
        0x61..=0x7A => Some(ch - 0x61 + 10),
        _ => chars::decimal_value(ch).map(u32::from),
    }
}

/// Where the text without the white space around it begins and ends.
pub(super) fn trim<T: Text + ?Sized>(text: &T) -> (usize, usize) {
    let (mut start, mut end) = (0, text.len());
    while start < end && chars::is_space(text.at(start)) {
        start += 1;
    }
    while end > start && chars::is_space(text.at(end - 1)) {
        end -= 1;
    }
    (start, end)
}

/// Reads an integer. `base` is 0, to go by the prefix, or from 2 to 36. `None` when the text is not one.
///
/// # Errors
/// `NoMemory` when there is no room for the digits.
pub fn parse_int<T: Text + ?Sized>(text: &T, base: u32) -> Result<Option<IntText>, NoMemory> {
    let (mut at, end) = trim(text);
    let peek = |at: usize| if at < end { text.at(at) } else { 0 };
    let negative = peek(at) == u32::from(b'-');
    if negative || peek(at) == u32::from(b'+') {
        at += 1;
    }
    // A prefix is read when the base is open, or agrees with it.
    let mut actual = base;
    let mut only_zeros = false;
    let mut after_prefix = false;
    if peek(at) == u32::from(b'0') {
        let named = match peek(at + 1) {
            0x78 | 0x58 => Some(16),
            0x6F | 0x4F => Some(8),
            0x62 | 0x42 => Some(2),
            _ => None,
        };
        match named {
            Some(named) if base == 0 || base == named => {
                actual = named;
                at += 2;
                after_prefix = true;
            }
            // Without a prefix "010" could be meant as octal, so it is nothing.
            _ if base == 0 => only_zeros = true,
            _ => {}
        }
    }
    if actual == 0 {
        actual = 10;
    }
    if after_prefix && peek(at) == u32::from(b'_') {
        at += 1;
    }

    let first = at;
    let mut small = Some(0u64);
    let mut digit_count = 0;
    let mut after_digit = false;
    while at < end {
        let ch = text.at(at);
        at += 1;
        if ch == u32::from(b'_') {
            if !after_digit {
                return Ok(None);
            }
            after_digit = false;
            continue;
        }
        let Some(digit) = digit_value(ch).filter(|&digit| digit < actual) else {
            return Ok(None);
        };
        if only_zeros && digit != 0 {
            return Ok(None);
        }
        after_digit = true;
        digit_count += 1;
        small = small
            .and_then(|value| value.checked_mul(u64::from(actual)))
            .and_then(|value| value.checked_add(u64::from(digit)));
    }
    if !after_digit {
        return Ok(None);
    }
    let mut digits = TryVec::new();
    if small.is_none() {
        digits.try_reserve(digit_count)?;
        for at in first..end {
            if let Some(digit) = digit_value(text.at(at)) {
                digits.try_push(super::digit_char(digit as u8))?;
            }
        }
    }
    Ok(Some(IntText { negative, base: actual, digit_count, small, digits }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing::{TestHeap, with_too_little_memory};

    fn value(text: &str, base: u32) -> Option<i128> {
        let units: Vec<u32> = text.chars().map(u32::from).collect();
        let found = parse_int(units.as_slice(), base).unwrap()?;
        let magnitude = match found.small {
            Some(small) => i128::from(small),
            None => i128::from_str_radix(std::str::from_utf8(&found.digits).unwrap(), found.base).unwrap(),
        };
        Some(if found.negative { -magnitude } else { magnitude })
    }

    #[test]
    fn reads_what_int_reads() {
        let _heap = TestHeap::new();
        assert_eq!(value(" -12_3\n", 10), Some(-123));
        assert_eq!(value("0x_fF", 0), Some(255));
        assert_eq!(value("0xff", 16), Some(255));
        assert_eq!(value("0b1", 16), Some(0xb1));
        assert_eq!(value("0b1", 0), Some(1));
        assert_eq!(value("z", 36), Some(35));
        assert_eq!(value("00_0", 0), Some(0));
        assert_eq!(value("\u{663}\u{661}", 10), Some(31));
        assert_eq!(value("1_00000000000000000000000", 10), Some(100_000_000_000_000_000_000_000));
    }

    #[test]
    fn refuses_what_int_refuses() {
        let _heap = TestHeap::new();
        for (text, base) in [
            ("", 10),
            ("-", 10),
            ("_1", 10),
            ("1_", 10),
            ("1__0", 10),
            ("010", 0),
            ("0x", 16),
            ("0x", 0),
            ("2", 2),
            ("1 2", 10),
            ("+ 1", 10),
            ("0x__1", 16),
            ("0b2", 0),
            ("0x1", 10),
            ("--1", 10),
        ] {
            assert_eq!(value(text, base), None, "{text:?} in base {base}");
        }
    }

    #[test]
    fn running_out_of_memory_is_an_error() {
        let digits = "123456789".repeat(30);
        with_too_little_memory(NoMemory, || parse_int(digits.as_bytes(), 10));
    }
}
