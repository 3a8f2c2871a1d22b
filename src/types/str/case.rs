//! Changing case: `lower`, `upper`, `title`, `capitalize`, `swapcase`, `casefold`.
//!
//! The full mappings are used: one character may become up to three, and a capital sigma becomes another
//! letter at the end of a word. ASCII takes a short way.

use hognose_allocators::NoMemory;
use rustpython_unicode::case;

use super::builder::StrBuilder;
use super::layout::{Kind, PyStr, StrData};
use crate::object::{PyObject, PyResult, Ref};
use crate::state::ThreadState;

const CAPITAL_SIGMA: u32 = 0x3A3;
const SIGMA: u32 = 0x3C3;
const FINAL_SIGMA: u32 = 0x3C2;

fn is(ch: u32, predicate: fn(char) -> bool) -> bool {
    char::from_u32(ch).is_some_and(predicate)
}

/// Whether the character has a case (`Cased`).
pub(super) fn is_cased(ch: u32) -> bool {
    if ch < 0x80 { (ch as u8).is_ascii_alphabetic() } else { is(ch, case::is_cased) }
}

fn push_all(out: &mut StrBuilder, chars: impl Iterator<Item = char>) -> Result<(), NoMemory> {
    for ch in chars {
        out.push_char(u32::from(ch))?;
    }
    Ok(())
}

/// Appends the lower-case mapping of the character at `index`.
fn push_lower(out: &mut StrBuilder, text: &PyStr, index: usize) -> Result<(), NoMemory> {
    match text.char_at(index) {
        ch @ 0..0x80 => out.push_char(u32::from((ch as u8).to_ascii_lowercase())),
        CAPITAL_SIGMA => out.push_char(lower_sigma(text, index)),
        ch => match char::from_u32(ch) {
            // One character's mappings come from the same data as the predicates.
            Some(ch) if ch.to_lowercase().len() == 1 => out.push_char(u32::from(case::simple_lowercase(ch))),
            Some(ch) => push_all(out, ch.to_lowercase()),
            None => out.push_char(ch),
        },
    }
}

/// A capital sigma's lower case: the final form after a cased character and not before one, where
/// characters without influence on case are looked past.
fn lower_sigma(text: &PyStr, index: usize) -> u32 {
    let is_relevant = |ch: &u32| !is(*ch, case::is_case_ignorable);
    let before = text.chars_in(0..index).rev().find(is_relevant);
    let after = text.chars_in(index + 1..text.len()).find(is_relevant);
    if before.is_some_and(is_cased) && !after.is_some_and(is_cased) { FINAL_SIGMA } else { SIGMA }
}

fn push_upper(out: &mut StrBuilder, ch: u32) -> Result<(), NoMemory> {
    match ch {
        0..0x80 => out.push_char(u32::from((ch as u8).to_ascii_uppercase())),
        _ => match char::from_u32(ch) {
            Some(ch) if ch.to_uppercase().len() == 1 => out.push_char(u32::from(case::simple_uppercase(ch))),
            Some(ch) => push_all(out, ch.to_uppercase()),
            None => out.push_char(ch),
        },
    }
}

fn push_title(out: &mut StrBuilder, ch: u32) -> Result<(), NoMemory> {
    let Some(ch) = char::from_u32(ch) else {
        return out.push_char(ch);
    };
    if ch.is_ascii() {
        return out.push_char(u32::from(ch.to_ascii_uppercase()));
    }
    if ch.to_uppercase().len() == 1 {
        return out.push_char(u32::from(case::simple_titlecase(ch)));
    }
    push_all(out, case::capitalize_str(ch.encode_utf8(&mut [0; 4])).chars())
}

fn push_folded(out: &mut StrBuilder, ch: u32) -> Result<(), NoMemory> {
    let Some(ch) = char::from_u32(ch) else {
        return out.push_char(ch);
    };
    if ch.is_ascii() {
        return out.push_char(u32::from(ch.to_ascii_lowercase()));
    }
    // Only what has a mapping to several characters in one direction folds to several.
    if ch.to_uppercase().len() == 1 && ch.to_lowercase().len() == 1 && ch != '\u{1E9E}' {
        return out.push_char(u32::from(case::simple_fold(ch)));
    }
    push_all(out, case::casefold_str(ch.encode_utf8(&mut [0; 4])).chars())
}

/// Maps an ASCII text byte by byte.
fn map_ascii(ts: &ThreadState, units: &[u8], mut map: impl FnMut(u8) -> u8) -> PyResult {
    match units {
        [] => return Ok(PyStr::empty().into_object()),
        [one] => return PyStr::from_char(ts, u32::from(map(*one))).map(Ref::into_object),
        _ => {}
    }
    // SAFETY: all units are written here, and case does not lead out of ASCII.
    unsafe {
        let made = PyStr::uninit(ts, units.len(), Kind::Ascii)?;
        for (place, unit) in made.units_mut::<u8>().iter_mut().zip(units) {
            place.write(map(*unit));
        }
        Ok(made.into_object())
    }
}

/// Builds a text from the characters' positions.
fn map_any(
    ts: &ThreadState,
    text: &PyStr,
    mut map: impl FnMut(&mut StrBuilder, usize) -> Result<(), NoMemory>,
) -> PyResult {
    let mut out = StrBuilder::with_capacity(text.len())?;
    for index in 0..text.len() {
        map(&mut out, index)?;
    }
    out.finish(ts).map(Ref::into_object)
}

pub(super) fn lower(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    match text.data() {
        StrData::Ascii(units) => map_ascii(ts, units, |unit| unit.to_ascii_lowercase()),
        _ => map_any(ts, text, |out, index| push_lower(out, text, index)),
    }
}

pub(super) fn upper(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    match text.data() {
        StrData::Ascii(units) => map_ascii(ts, units, |unit| unit.to_ascii_uppercase()),
        _ => map_any(ts, text, |out, index| push_upper(out, text.char_at(index))),
    }
}

pub(super) fn casefold(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    match text.data() {
        StrData::Ascii(units) => map_ascii(ts, units, |unit| unit.to_ascii_lowercase()),
        _ => map_any(ts, text, |out, index| push_folded(out, text.char_at(index))),
    }
}

pub(super) fn swapcase(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    if let StrData::Ascii(units) = text.data() {
        return map_ascii(ts, units, |unit| if unit.is_ascii_alphabetic() { unit ^ 0x20 } else { unit });
    }
    map_any(ts, text, |out, index| match text.char_at(index) {
        ch if is(ch, case::is_uppercase) => push_lower(out, text, index),
        ch if is(ch, case::is_lowercase) => push_upper(out, ch),
        ch => out.push_char(ch),
    })
}

pub(super) fn capitalize(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    if let StrData::Ascii(units) = text.data() {
        let mut first = true;
        return map_ascii(ts, units, |unit| {
            if core::mem::take(&mut first) { unit.to_ascii_uppercase() } else { unit.to_ascii_lowercase() }
        });
    }
    map_any(ts, text, |out, index| match index {
        0 => push_title(out, text.char_at(0)),
        _ => push_lower(out, text, index),
    })
}

pub(super) fn title(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    let mut in_word = false;
    if let StrData::Ascii(units) = text.data() {
        return map_ascii(ts, units, |unit| {
            if core::mem::replace(&mut in_word, unit.is_ascii_alphabetic()) {
                unit.to_ascii_lowercase()
            } else {
                unit.to_ascii_uppercase()
            }
        });
    }
    map_any(ts, text, |out, index| {
        let ch = text.char_at(index);
        if core::mem::replace(&mut in_word, is_cased(ch)) { push_lower(out, text, index) } else { push_title(out, ch) }
    })
}
