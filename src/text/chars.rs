//! Predicates and simple case maps of single code points, as `str` methods and regular expressions ask them.
//!
//! Latin-1 is answered from a table, the rest by the Unicode data crate. A surrogate has no properties.

use rustpython_unicode::{Ucd, case, classify};

const SPACE: u8 = 1;
const ALNUM: u8 = 2;
const PRINTABLE: u8 = 4;
const LINE_BREAK: u8 = 8;

/// The properties of the first 256 code points.
const LATIN1: [u8; 256] = latin1_table();

const fn latin1_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut ch = 0;
    while ch < 256 {
        let mut bits = 0;
        if matches!(ch, 0x09..=0x0D | 0x1C..=0x20 | 0x85 | 0xA0) {
            bits |= SPACE;
        }
        if matches!(ch, 0x0A..=0x0D | 0x1C..=0x1E | 0x85) {
            bits |= LINE_BREAK;
        }
        if matches!(ch, 0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A | 0xAA | 0xB2 | 0xB3 | 0xB5 | 0xB9 | 0xBA
            | 0xBC..=0xBE | 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0xFF)
        {
            bits |= ALNUM;
        }
        if matches!(ch, 0x20..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) {
            bits |= PRINTABLE;
        }
        table[ch] = bits;
        ch += 1;
    }
    table
}

#[inline]
fn latin1(ch: u32, bit: u8) -> Option<bool> {
    LATIN1.get(ch as usize).map(|bits| bits & bit != 0)
}

fn test(ch: u32, predicate: fn(char) -> bool) -> bool {
    char::from_u32(ch).is_some_and(predicate)
}

/// `str.isspace` of one character.
#[inline]
pub fn is_space(ch: u32) -> bool {
    latin1(ch, SPACE).unwrap_or_else(|| test(ch, classify::is_space))
}

/// Whether `str.splitlines` ends a line here.
#[inline]
pub fn is_line_break(ch: u32) -> bool {
    latin1(ch, LINE_BREAK).unwrap_or(matches!(ch, 0x2028 | 0x2029))
}

/// `str.isalnum` of one character.
#[inline]
pub fn is_alnum(ch: u32) -> bool {
    latin1(ch, ALNUM).unwrap_or_else(|| test(ch, is_alnum_beyond_latin1))
}

fn is_alnum_beyond_latin1(ch: char) -> bool {
    classify::is_alpha(ch) || classify::is_numeric(ch)
}

/// `str.isprintable` of one character.
#[inline]
pub fn is_printable(ch: u32) -> bool {
    latin1(ch, PRINTABLE).unwrap_or_else(|| test(ch, classify::is_printable))
}

/// `str.isdecimal` of one character.
#[inline]
pub fn is_decimal(ch: u32) -> bool {
    if ch < 256 { matches!(ch, 0x30..=0x39) } else { test(ch, classify::is_decimal) }
}

/// The value of a decimal digit of any script: what `int` and `float` accept in text.
#[inline]
pub fn decimal_value(ch: u32) -> Option<u8> {
    if ch < 256 {
        return matches!(ch, 0x30..=0x39).then(|| (ch - 0x30) as u8);
    }
    let ch = char::from_u32(ch)?;
    let value = Ucd::new(true).decimal(ch.into())?;
    u8::try_from(value).ok()
}

/// The one-to-one lower-case mapping; the code point itself when there is none.
#[inline]
pub fn to_lower(ch: u32) -> u32 {
    match ch {
        0x41..=0x5A | 0xC0..=0xD6 | 0xD8..=0xDE => ch + 32,
        0..=0xFF => ch,
        _ => map(ch, case::simple_lowercase),
    }
}

/// The one-to-one upper-case mapping; the code point itself when there is none.
#[inline]
pub fn to_upper(ch: u32) -> u32 {
    match ch {
        0x61..=0x7A | 0xE0..=0xF6 | 0xF8..=0xFE => ch - 32,
        0xB5 => 0x39C,
        0xFF => 0x178,
        0..=0xFF => ch,
        _ => map(ch, case::simple_uppercase),
    }
}

fn map(ch: u32, mapping: fn(char) -> char) -> u32 {
    char::from_u32(ch).map_or(ch, |ch| u32::from(mapping(ch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latin1_shortcuts_agree_with_the_unicode_data() {
        for ch in 0..256u32 {
            let c = char::from_u32(ch).unwrap();
            assert_eq!(is_space(ch), classify::is_space(c), "space {ch:#x}");
            assert_eq!(is_alnum(ch), is_alnum_beyond_latin1(c), "alnum {ch:#x}");
            assert_eq!(is_printable(ch), classify::is_printable(c), "printable {ch:#x}");
            assert_eq!(is_decimal(ch), classify::is_decimal(c), "decimal {ch:#x}");
            assert_eq!(to_lower(ch), u32::from(case::simple_lowercase(c)), "lower {ch:#x}");
            assert_eq!(to_upper(ch), u32::from(case::simple_uppercase(c)), "upper {ch:#x}");
        }
    }

    #[test]
    fn surrogates_have_no_properties() {
        assert!(!is_alnum(0xD800) && !is_printable(0xDFFF) && !is_space(0xD800));
        assert_eq!(to_lower(0xD800), 0xD800);
        assert_eq!(decimal_value(0x0663), Some(3));
    }
}
