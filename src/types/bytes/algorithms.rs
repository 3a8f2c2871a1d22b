//! Byte strings without objects: what the methods of `bytes` and `bytearray` compute.

use core::ops::Range;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::types::str::search::{self, Finder};

/// ASCII white space as `bytes` sees it: the six characters of C's `isspace`.
#[inline(always)]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The first place of `needle` in `data[start..end]`; an empty one is found at `start` when that is in bounds.
#[inline]
pub(crate) fn find(data: &[u8], needle: &[u8], start: usize, end: usize) -> Option<usize> {
    if start > end {
        return None;
    }
    search::find(&data[start..end], needle).map(|at| start + at)
}

/// The last place of `needle` in `data[start..end]`.
#[inline]
pub(crate) fn rfind(data: &[u8], needle: &[u8], start: usize, end: usize) -> Option<usize> {
    if start > end {
        return None;
    }
    search::rfind(&data[start..end], needle).map(|at| start + at)
}

/// How often `needle` is in `data[start..end]`.
#[inline]
pub(crate) fn count(data: &[u8], needle: &[u8], start: usize, end: usize) -> usize {
    if start > end {
        return 0;
    }
    search::count(&data[start..end], needle, usize::MAX)
}

/// What is left of `data` without the bytes that `drop` takes at the given ends.
pub(crate) fn strip(data: &[u8], left: bool, right: bool, drop: impl Fn(u8) -> bool) -> Range<usize> {
    let start = if left { data.iter().position(|b| !drop(*b)).unwrap_or(data.len()) } else { 0 };
    let end = if right { data.iter().rposition(|b| !drop(*b)).map_or(start, |at| at + 1) } else { data.len() };
    start..end.max(start)
}

/// The parts between separators, at most `max` cuts from the left. `part` gets each.
pub(crate) fn split<E>(
    data: &[u8],
    separator: &[u8],
    max: usize,
    mut part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut finder = Finder::new(separator);
    let mut from = 0;
    for _ in 0..max {
        let Some(at) = finder.find(data, from) else { break };
        part(from..at)?;
        from = at + separator.len();
    }
    part(from..data.len())
}

/// The same with cuts from the right; the parts come from the last to the first.
pub(crate) fn rsplit<E>(
    data: &[u8],
    separator: &[u8],
    max: usize,
    mut part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut end = data.len();
    for _ in 0..max {
        let Some(at) = search::rfind(&data[..end], separator) else { break };
        part(at + separator.len()..end)?;
        end = at;
    }
    part(0..end)
}

/// The parts between runs of white space, at most `max` cuts from the left.
pub(crate) fn split_space<E>(
    data: &[u8],
    max: usize,
    mut part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = 0;
    let mut cuts = 0;
    loop {
        while at < data.len() && is_space(data[at]) {
            at += 1;
        }
        if at == data.len() {
            return Ok(());
        }
        if cuts == max {
            // What is not cut keeps the white space at its end.
            return part(at..data.len());
        }
        let start = at;
        while at < data.len() && !is_space(data[at]) {
            at += 1;
        }
        part(start..at)?;
        cuts += 1;
    }
}

/// The same with cuts from the right; the parts come from the last to the first.
pub(crate) fn rsplit_space<E>(
    data: &[u8],
    max: usize,
    mut part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut end = data.len();
    let mut cuts = 0;
    loop {
        while end > 0 && is_space(data[end - 1]) {
            end -= 1;
        }
        if end == 0 {
            return Ok(());
        }
        if cuts == max {
            return part(0..end);
        }
        let last = end;
        while end > 0 && !is_space(data[end - 1]) {
            end -= 1;
        }
        part(end..last)?;
        cuts += 1;
    }
}

/// The lines, ended by `\n`, `\r` or both.
pub(crate) fn split_lines<E>(
    data: &[u8],
    keep_ends: bool,
    mut part: impl FnMut(Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = 0;
    while at < data.len() {
        let end = data[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(data.len(), |n| at + n);
        let mut next = end;
        if end < data.len() {
            next += if data[end] == b'\r' && data.get(end + 1) == Some(&b'\n') { 2 } else { 1 };
        }
        part(at..if keep_ends { next } else { end })?;
        at = next;
    }
    Ok(())
}

/// How many replacements [`replace_into`] makes, and how long its result is; `None` when that is too long.
pub(crate) fn replaced_len(data: &[u8], old: &[u8], new: &[u8], max: usize) -> Option<(usize, usize)> {
    let count = search::count(data, old, max);
    let removed = count * old.len();
    let added = count.checked_mul(new.len())?;
    let len = (data.len() - removed).checked_add(added)?;
    (len <= isize::MAX as usize).then_some((count, len))
}

/// Writes `data` with the first `count` occurrences of `old` replaced; `write` gets the pieces in order.
pub(crate) fn replace_into(data: &[u8], old: &[u8], new: &[u8], count: usize, mut write: impl FnMut(&[u8])) {
    if old.is_empty() {
        for at in 0..count {
            write(new);
            if at < data.len() {
                write(&data[at..at + 1]);
            }
        }
        if count < data.len() {
            write(&data[count..]);
        }
        return;
    }
    let mut finder = Finder::new(old);
    let mut from = 0;
    for _ in 0..count {
        let Some(at) = finder.find(data, from) else { break };
        write(&data[from..at]);
        write(new);
        from = at + old.len();
    }
    write(&data[from..]);
}

/// How long [`expand_tabs`]' result is; `None` when that is too long.
pub(crate) fn expanded_len(data: &[u8], tab_size: usize) -> Option<usize> {
    let (mut len, mut column) = (0usize, 0usize);
    for byte in data {
        match byte {
            b'\t' => {
                if tab_size > 0 {
                    let fill = tab_size - column % tab_size;
                    column = column.checked_add(fill)?;
                    len = len.checked_add(fill)?;
                }
            }
            _ => {
                len = len.checked_add(1)?;
                column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
            }
        }
    }
    (len <= isize::MAX as usize).then_some(len)
}

/// Gives each byte of `data` with its tabs expanded to `write`.
pub(crate) fn expand_tabs(data: &[u8], tab_size: usize, mut write: impl FnMut(u8, usize)) {
    let mut column = 0;
    for byte in data {
        match byte {
            b'\t' => {
                if tab_size > 0 {
                    let fill = tab_size - column % tab_size;
                    column += fill;
                    write(b' ', fill);
                }
            }
            _ => {
                write(*byte, 1);
                column = if matches!(byte, b'\n' | b'\r') { 0 } else { column + 1 };
            }
        }
    }
}

/// `title`: a letter after a letter is in lower case, any other in upper case.
pub(crate) fn title(data: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut in_word = false;
    data.iter().map(move |byte| {
        let mapped = if in_word { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        in_word = byte.is_ascii_alphabetic();
        mapped
    })
}

/// Appends the value of hexadecimal digits, with white space skipped between the bytes.
///
/// # Errors
/// `BadHex::At` with the place of what is no digit, `BadHex::Odd` when one digit is left over.
pub(crate) fn parse_hex(text: &[u8], out: &mut TryVec<u8>) -> Result<(), BadHex> {
    let mut at = 0;
    while at < text.len() {
        if is_space(text[at]) {
            at += 1;
            continue;
        }
        let Some(high) = hex_digit(text[at]) else { return Err(BadHex::At(at)) };
        at += 1;
        let Some(low) = text.get(at) else { return Err(BadHex::Odd) };
        let Some(low) = hex_digit(*low) else { return Err(BadHex::At(at)) };
        at += 1;
        out.try_push(high << 4 | low).map_err(|_| BadHex::NoMemory)?;
    }
    Ok(())
}

/// Why text is not hexadecimal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadHex {
    /// No digit at this place.
    At(usize),
    /// A digit is missing at the end.
    Odd,
    /// No memory for the result.
    NoMemory,
}

impl From<NoMemory> for BadHex {
    fn from(_: NoMemory) -> BadHex {
        BadHex::NoMemory
    }
}

/// The value of a hexadecimal digit.
#[inline]
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The hexadecimal digits of a byte.
#[inline(always)]
pub(crate) fn hex_pair(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(f: impl FnOnce(&mut dyn FnMut(Range<usize>) -> Result<(), ()>) -> Result<(), ()>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        f(&mut |range| {
            found.push(range);
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn white_space_is_split_off_from_both_sides() {
        assert_eq!(parts(|p| split_space(b" a  b c ", 1, p)), [1..2, 4..8]);
        assert_eq!(parts(|p| rsplit_space(b" a  b c ", 1, p)), [6..7, 0..5]);
        assert_eq!(parts(|p| split_space(b"  ", usize::MAX, p)), []);
    }

    #[test]
    fn a_line_ends_at_either_end_or_both() {
        assert_eq!(parts(|p| split_lines(b"a\r\nb\rc\nd", false, p)), [0..1, 3..4, 5..6, 7..8]);
        assert_eq!(parts(|p| split_lines(b"a\r\nb", true, p)), [0..3, 3..4]);
    }

    #[test]
    fn replacing_nothing_interleaves() {
        let (count, len) = replaced_len(b"ab", b"", b"-", usize::MAX).unwrap();
        let mut out = Vec::new();
        replace_into(b"ab", b"", b"-", count, |piece| out.extend_from_slice(piece));
        assert_eq!(out, b"-a-b-");
        assert_eq!(out.len(), len);
    }

    #[test]
    fn what_is_no_digit_is_told_by_its_place() {
        let mut out = TryVec::new();
        assert_eq!(parse_hex(b"0a ff", &mut out), Ok(()));
        assert_eq!(&*out, [10, 255]);
        assert_eq!(parse_hex(b"0a f ", &mut out), Err(BadHex::At(4)));
        assert_eq!(parse_hex(b"0", &mut out), Err(BadHex::Odd));
    }
}
