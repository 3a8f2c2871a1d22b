//! Strings to and from JSON text.

use hognose_allocators::NoMemory;

use super::{decode_error, string_argument};
use crate::object::{PyObject, PyRef, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, StrBuilder, StrData};

/// Which characters are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaping {
    /// All but printable ASCII.
    Ascii,
    /// Quotes, backslashes and control characters.
    Minimal,
}

impl Escaping {
    /// Whether the character stands for itself.
    #[inline(always)]
    fn is_plain(self, ch: u32) -> bool {
        let quoted = ch == u32::from(b'"') || ch == u32::from(b'\\');
        match self {
            Escaping::Ascii => (0x20..0x7f).contains(&ch) && !quoted,
            Escaping::Minimal => ch >= 0x20 && !quoted,
        }
    }
}

/// `encode_basestring` and `encode_basestring_ascii`.
pub(super) fn encode(ts: &ThreadState, text: &PyObject, escaping: Escaping) -> PyResult {
    let text = string_argument(ts, text)?;
    let mut out = StrBuilder::with_capacity(text.len() + 2)?;
    write(&mut out, text, escaping)?;
    Ok(out.finish(ts)?.into_object())
}

/// Appends the JSON text of a string.
pub(super) fn write(out: &mut StrBuilder, text: &PyStr, escaping: Escaping) -> Result<(), NoMemory> {
    out.push_ascii(b"\"")?;
    match text.data() {
        StrData::Ascii(units) => write_units(out, text, units, escaping)?,
        StrData::Latin1(units) => write_units(out, text, units, escaping)?,
        StrData::Ucs2(units) => write_units(out, text, units, escaping)?,
        StrData::Ucs4(units) => write_units(out, text, units, escaping)?,
    }
    out.push_ascii(b"\"")
}

/// Appends runs of plain characters at once, and escapes what is between them.
fn write_units<U: Copy + Into<u32>>(
    out: &mut StrBuilder,
    text: &PyStr,
    units: &[U],
    escaping: Escaping,
) -> Result<(), NoMemory> {
    let mut start = 0;
    while start < units.len() {
        let rest = &units[start..];
        let run = rest.iter().position(|unit| !escaping.is_plain((*unit).into())).unwrap_or(rest.len());
        if run != 0 {
            out.push_slice(text, start, start + run)?;
            start += run;
        }
        if let Some(unit) = units.get(start) {
            write_escape(out, (*unit).into())?;
            start += 1;
        }
    }
    Ok(())
}

fn write_escape(out: &mut StrBuilder, ch: u32) -> Result<(), NoMemory> {
    let short = match ch {
        0x22 => b"\\\"",
        0x5c => b"\\\\",
        0x08 => b"\\b",
        0x09 => b"\\t",
        0x0a => b"\\n",
        0x0c => b"\\f",
        0x0d => b"\\r",
        0x1_0000.. => {
            let beyond = ch - 0x1_0000;
            write_unit(out, 0xd800 | beyond >> 10)?;
            return write_unit(out, 0xdc00 | beyond & 0x3ff);
        }
        _ => return write_unit(out, ch),
    };
    out.push_ascii(short)
}

fn write_unit(out: &mut StrBuilder, unit: u32) -> Result<(), NoMemory> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u32| DIGITS[(unit >> shift & 15) as usize];
    out.push_ascii(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)])
}

/// Reads the string whose text begins at `begin`, behind the quote. Returns it, and where its text ends.
pub(super) fn scan(ts: &ThreadState, text: &PyStr, begin: usize, strict: bool) -> PyResult<(PyRef, usize)> {
    match text.data() {
        StrData::Ascii(units) => scan_units(ts, text, units, begin, strict),
        StrData::Latin1(units) => scan_units(ts, text, units, begin, strict),
        StrData::Ucs2(units) => scan_units(ts, text, units, begin, strict),
        StrData::Ucs4(units) => scan_units(ts, text, units, begin, strict),
    }
}

/// As [`scan`], over the text's units.
#[inline]
pub(super) fn scan_units<U: Copy + Into<u32>>(
    ts: &ThreadState,
    text: &PyStr,
    units: &[U],
    begin: usize,
    strict: bool,
) -> PyResult<(PyRef, usize)> {
    let stop = plain_end(ts, text, units, begin, strict)?;
    if units.get(stop).is_some_and(|unit| (*unit).into() == 0x22) {
        // The usual case: nothing is escaped.
        return Ok((text.slice(ts, begin, stop)?.into_object(), stop + 1));
    }
    scan_escaped(ts, text, units, begin, stop, strict)
}

/// The first quote or backslash from `start` on, or the end.
#[inline]
fn plain_end<U: Copy + Into<u32>>(
    ts: &ThreadState,
    text: &PyStr,
    units: &[U],
    start: usize,
    strict: bool,
) -> PyResult<usize> {
    for (offset, unit) in units[start..].iter().enumerate() {
        match (*unit).into() {
            0x22 | 0x5c => return Ok(start + offset),
            0..0x20 if strict => {
                return decode_error(ts, "Invalid control character at", text, (start + offset) as isize);
            }
            _ => {}
        }
    }
    Ok(units.len())
}

fn scan_escaped<U: Copy + Into<u32>>(
    ts: &ThreadState,
    text: &PyStr,
    units: &[U],
    begin: usize,
    mut stop: usize,
    strict: bool,
) -> PyResult<(PyRef, usize)> {
    let mut out = StrBuilder::new();
    let mut start = begin;
    // Messages point to the quote.
    let unterminated = |ts| decode_error(ts, "Unterminated string starting at", text, begin as isize - 1);
    loop {
        out.push_slice(text, start, stop)?;
        match units.get(stop).map(|unit| (*unit).into()) {
            Some(0x22) => return Ok((out.finish(ts)?.into_object(), stop + 1)),
            None => return unterminated(ts),
            Some(_) => {}
        }
        let at = stop + 1;
        let Some(escape) = units.get(at).map(|unit| (*unit).into()) else { return unterminated(ts) };
        let (ch, next) = match u8::try_from(escape) {
            Ok(ch @ (b'"' | b'\\' | b'/')) => (u32::from(ch), at + 1),
            Ok(b'b') => (0x08, at + 1),
            Ok(b'f') => (0x0c, at + 1),
            Ok(b'n') => (0x0a, at + 1),
            Ok(b'r') => (0x0d, at + 1),
            Ok(b't') => (0x09, at + 1),
            Ok(b'u') => scan_unicode(ts, text, units, at + 1)?,
            _ => return decode_error(ts, "Invalid \\escape", text, at as isize - 1),
        };
        out.push_char(ch)?;
        start = next;
        stop = plain_end(ts, text, units, start, strict)?;
    }
}

/// The character of a `\u` escape whose digits begin at `at`, and where the escape ends.
fn scan_unicode<U: Copy + Into<u32>>(ts: &ThreadState, text: &PyStr, units: &[U], at: usize) -> PyResult<(u32, usize)> {
    let invalid = |at: usize| decode_error(ts, "Invalid \\uXXXX escape", text, at as isize - 1);
    let hex = |at: usize| -> Option<u32> {
        units.get(at..at + 4)?.iter().try_fold(0, |value, unit| {
            let ch: u32 = (*unit).into();
            Some(value << 4 | char::from_u32(ch)?.to_digit(16)?)
        })
    };
    // Something has to follow, the closing quote at least.
    if at + 4 >= units.len() {
        return invalid(at);
    }
    let Some(first) = hex(at) else { return invalid(at) };
    let next = at + 4;
    let pair_follows = (0xd800..0xdc00).contains(&first)
        && next + 6 < units.len()
        && units[next].into() == u32::from(b'\\')
        && units[next + 1].into() == u32::from(b'u');
    if !pair_follows {
        return Ok((first, next));
    }
    let Some(second) = hex(next + 2) else { return invalid(next + 2) };
    if (0xdc00..0xe000).contains(&second) {
        return Ok((0x1_0000 + ((first & 0x3ff) << 10 | second & 0x3ff), next + 6));
    }
    Ok((first, next))
}

/// The text of a string by a function that stands in for the module's own.
pub(super) fn encode_by(ts: &ThreadState, encoder: &PyObject, text: &PyObject) -> PyResult<crate::object::Ref<PyStr>> {
    match crate::object::call::call_with(ts, encoder, &[text])?.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => raise!(ts, exc::TypeError, "encoder() must return a string, not {}", other.type_name()),
    }
}
