//! Characters against categories and sets, and the case mappings of the three case-insensitive modes.

use core::ffi::c_int;

use super::Error;
use super::opcode::{self as op, Category, Class, Words};
use crate::text::chars;

/// How a character is folded before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    None,
    Ascii,
    Unicode,
    Locale,
}

/// A set of characters: a bitmap for Latin-1, the code itself for the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charset {
    /// Whether characters below 256 are in the set, folding included. Meaningless when `dynamic`.
    latin1: [u32; 8],
    /// Where the set's operators begin in the program's code.
    start: u32,
    fold: Fold,
    /// Whether the answer depends on the locale of the moment.
    dynamic: bool,
}

impl Charset {
    /// Checks the set at `code[start..end]` and prepares it.
    ///
    /// # Errors
    /// `IllegalCode` when the operators do not end exactly at `end`.
    pub(super) fn new(code: &[u32], start: usize, end: usize, fold: Fold) -> Result<Self, Error> {
        let dynamic = check(code, start, end)? || fold == Fold::Locale;
        let start = u32::try_from(start).map_err(|_| Error::IllegalCode)?;
        let mut set = Self { latin1: [0; 8], start, fold, dynamic };
        if !dynamic {
            for ch in 0..256 {
                if set.evaluate(code, ch) {
                    set.latin1[ch as usize / 32] |= 1 << (ch % 32);
                }
            }
        }
        Ok(set)
    }

    /// Whether `ch` is in the set.
    #[inline(always)]
    pub(super) fn contains(&self, code: &[u32], ch: u32) -> bool {
        if ch < 256 && !self.dynamic {
            return self.latin1[ch as usize / 32] >> (ch % 32) & 1 != 0;
        }
        self.evaluate(code, ch)
    }

    #[inline(never)]
    fn evaluate(&self, code: &[u32], ch: u32) -> bool {
        let start = self.start as usize;
        match self.fold {
            Fold::None => member(code, start, ch),
            Fold::Ascii => member(code, start, ascii_lower(ch)),
            Fold::Unicode => member(code, start, unicode_lower(ch)),
            Fold::Locale => {
                let (lower, upper) = (locale_lower(ch), locale_upper(ch));
                member(code, start, lower) || (upper != lower && member(code, start, upper))
            }
        }
    }
}

/// Words of a bitmap of 256 characters.
const BITMAP: usize = 8;
/// Words of a big set's index: one byte for each of 256 blocks.
const INDEX: usize = 64;

/// Walks over a set's operators; tells whether one of them depends on the locale.
fn check(code: &[u32], start: usize, end: usize) -> Result<bool, Error> {
    let code = code.get(..end).ok_or(Error::IllegalCode)?;
    let mut at = start;
    let mut dynamic = false;
    loop {
        let operator = *code.get(at).ok_or(Error::IllegalCode)?;
        let operand = code.get(at + 1).copied();
        at += match operator {
            op::FAILURE => {
                return if at + 1 == end { Ok(dynamic) } else { Err(Error::IllegalCode) };
            }
            op::NEGATE => 1,
            op::LITERAL => 2,
            op::RANGE | op::RANGE_UNI_IGNORE => 3,
            op::CATEGORY => {
                let category = operand.and_then(Category::from_code).ok_or(Error::IllegalCode)?;
                dynamic |= category.class == Class::LocaleWord;
                2
            }
            op::CHARSET => 1 + BITMAP,
            op::BIGCHARSET => {
                let blocks = operand.ok_or(Error::IllegalCode)?;
                let index = code.get(at + 2..at + 2 + INDEX).ok_or(Error::IllegalCode)?;
                if blocks > 256 || index.iter().any(|word| word.to_ne_bytes().iter().any(|&b| u32::from(b) >= blocks)) {
                    return Err(Error::IllegalCode);
                }
                2 + INDEX + blocks as usize * BITMAP
            }
            _ => return Err(Error::IllegalCode),
        };
    }
}

fn bit(code: &[u32], bitmap: usize, ch: u32) -> bool {
    code[bitmap + ch as usize / 32] >> (ch % 32) & 1 != 0
}

/// Whether `ch` is in the set whose (checked) operators begin at `at`.
fn member(code: &[u32], mut at: usize, ch: u32) -> bool {
    let mut answer = true;
    loop {
        match code[at] {
            op::LITERAL => {
                if ch == code[at + 1] {
                    return answer;
                }
                at += 2;
            }
            op::RANGE => {
                if code[at + 1] <= ch && ch <= code[at + 2] {
                    return answer;
                }
                at += 3;
            }
            op::RANGE_UNI_IGNORE => {
                let range = code[at + 1]..=code[at + 2];
                if range.contains(&ch) || range.contains(&chars::to_upper(ch)) {
                    return answer;
                }
                at += 3;
            }
            op::CATEGORY => {
                if Category::from_code(code[at + 1]).is_some_and(|category| category.contains(ch)) {
                    return answer;
                }
                at += 2;
            }
            op::CHARSET => {
                if ch < 256 && bit(code, at + 1, ch) {
                    return answer;
                }
                at += 1 + BITMAP;
            }
            op::BIGCHARSET => {
                let blocks = at + 2 + INDEX;
                if ch < 0x1_0000 {
                    let high = ch as usize / 256;
                    let block = code[at + 2 + high / 4].to_ne_bytes()[high % 4];
                    if bit(code, blocks + usize::from(block) * BITMAP, ch % 256) {
                        return answer;
                    }
                }
                at = blocks + code[at + 1] as usize * BITMAP;
            }
            op::NEGATE => {
                answer = !answer;
                at += 1;
            }
            // FAILURE: `check` let nothing else pass.
            _ => return !answer,
        }
    }
}

impl Category {
    /// Whether `ch` belongs to the category.
    pub(super) fn contains(self, ch: u32) -> bool {
        let member = match self.class {
            Class::Digit => matches!(ch, 0x30..=0x39),
            Class::Space => matches!(ch, 0x09..=0x0D | 0x20),
            Class::Word => Words::Ascii.contains(ch),
            Class::LineBreak => is_newline(ch),
            Class::LocaleWord => Words::Locale.contains(ch),
            Class::UnicodeDigit => chars::is_decimal(ch),
            Class::UnicodeSpace => chars::is_space(ch),
            Class::UnicodeWord => Words::Unicode.contains(ch),
            Class::UnicodeLineBreak => chars::is_line_break(ch),
        };
        member != self.inverted
    }
}

impl Words {
    /// Whether `ch` is a word character.
    pub(super) fn contains(self, ch: u32) -> bool {
        let alphanumeric = match self {
            Words::Ascii => matches!(ch, 0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A),
            Words::Locale => locale_is_alnum(ch),
            Words::Unicode => chars::is_alnum(ch),
        };
        alphanumeric || ch == u32::from(b'_')
    }
}

/// Whether a line ends at `ch` for `^`, `$` and `.`.
#[inline(always)]
pub(super) fn is_newline(ch: u32) -> bool {
    ch == u32::from(b'\n')
}

/// Whether `ch`, folded, is the (already folded) `wanted`.
#[inline]
pub(super) fn equals_folded(fold: Fold, ch: u32, wanted: u32) -> bool {
    match fold {
        Fold::None => ch == wanted,
        Fold::Ascii => ascii_lower(ch) == wanted,
        Fold::Unicode => unicode_lower(ch) == wanted,
        // The compiler cannot fold for a locale that is known only now, so the pattern is as written.
        Fold::Locale => ch == wanted || locale_lower(ch) == wanted || locale_upper(ch) == wanted,
    }
}

/// Whether two characters of the text are the same under `fold`.
#[inline]
pub(super) fn same_folded(fold: Fold, left: u32, right: u32) -> bool {
    match fold {
        Fold::None => left == right,
        Fold::Ascii => ascii_lower(left) == ascii_lower(right),
        Fold::Unicode => unicode_lower(left) == unicode_lower(right),
        Fold::Locale => locale_lower(left) == locale_lower(right),
    }
}

/// `_sre.ascii_tolower`.
#[inline]
pub fn ascii_lower(ch: u32) -> u32 {
    if matches!(ch, 0x41..=0x5A) { ch + 32 } else { ch }
}

/// `_sre.ascii_iscased`.
pub fn ascii_is_cased(ch: u32) -> bool {
    matches!(ch, 0x41..=0x5A | 0x61..=0x7A)
}

/// `_sre.unicode_tolower`.
#[inline]
pub fn unicode_lower(ch: u32) -> u32 {
    chars::to_lower(ch)
}

/// `_sre.unicode_iscased`.
pub fn unicode_is_cased(ch: u32) -> bool {
    // Ligatures have an upper case only of several characters.
    let several = |ch: u32| char::from_u32(ch).is_some_and(|ch| ch.to_uppercase().len() > 1);
    chars::to_lower(ch) != ch || chars::to_upper(ch) != ch || several(ch)
}

fn locale_lower(ch: u32) -> u32 {
    locale_map(ch, |byte| {
        // SAFETY: the argument is between 0 and 255, the values of `unsigned char` that the function is
        // defined for.
        unsafe { libc::tolower(byte) }
    })
}

fn locale_upper(ch: u32) -> u32 {
    locale_map(ch, |byte| {
        // SAFETY: the argument is between 0 and 255, the values of `unsigned char` that the function is
        // defined for.
        unsafe { libc::toupper(byte) }
    })
}

fn locale_map(ch: u32, mapping: impl Fn(c_int) -> c_int) -> u32 {
    match u8::try_from(ch) {
        Ok(byte) => u32::try_from(mapping(c_int::from(byte))).unwrap_or(ch),
        Err(_) => ch,
    }
}

fn locale_is_alnum(ch: u32) -> bool {
    u8::try_from(ch).is_ok_and(|byte| {
        // SAFETY: the argument is between 0 and 255, the values of `unsigned char` that the function is
        // defined for.
        unsafe { libc::isalnum(c_int::from(byte)) != 0 }
    })
}
