//! What a text consists of: the `is…` methods.

use rustpython_unicode::{case, classify, identifier};

use super::layout::PyStr;
use super::units::with_units;
use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;
use crate::text::chars;
use crate::types::bool::py_bool;

fn test(ch: u32, ascii: impl Fn(&u8) -> bool, beyond: fn(char) -> bool) -> bool {
    if ch < 0x80 { ascii(&(ch as u8)) } else { char::from_u32(ch).is_some_and(beyond) }
}

pub(super) fn is_upper_char(ch: u32) -> bool {
    test(ch, u8::is_ascii_uppercase, case::is_uppercase)
}

pub(super) fn is_lower_char(ch: u32) -> bool {
    test(ch, u8::is_ascii_lowercase, case::is_lowercase)
}

fn is_title_char(ch: u32) -> bool {
    test(ch, |_| false, case::is_titlecase)
}

fn is_alpha_char(ch: u32) -> bool {
    test(ch, u8::is_ascii_alphabetic, classify::is_alpha)
}

fn is_digit_char(ch: u32) -> bool {
    test(ch, u8::is_ascii_digit, classify::is_digit)
}

fn is_numeric_char(ch: u32) -> bool {
    test(ch, u8::is_ascii_digit, classify::is_numeric)
}

/// Whether there is a character, and all of them pass.
#[inline]
fn all(this: &PyObject, predicate: impl Fn(u32) -> bool) -> PyResult {
    let text = this.cast::<PyStr>();
    Ok(py_bool(!text.is_empty() && with_units!(text.data(), |units| units.iter().all(|u| predicate((*u).into())))))
}

impl PyStr {
    /// Whether the text is an identifier; keywords are.
    pub fn is_identifier(&self) -> bool {
        let mut chars = self.chars();
        let starts = |ch| test(ch, |ch| ch.is_ascii_alphabetic() || *ch == b'_', identifier::is_start);
        let continues = |ch| test(ch, |ch| ch.is_ascii_alphanumeric() || *ch == b'_', identifier::is_continue);
        chars.next().is_some_and(starts) && chars.all(continues)
    }
}

pub(super) fn isalnum(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, chars::is_alnum)
}

pub(super) fn isalpha(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, is_alpha_char)
}

pub(super) fn isascii(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(py_bool(this.cast::<PyStr>().is_ascii()))
}

pub(super) fn isdecimal(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, chars::is_decimal)
}

pub(super) fn isdigit(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, is_digit_char)
}

pub(super) fn isidentifier(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(py_bool(this.cast::<PyStr>().is_identifier()))
}

pub(super) fn islower(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut any = false;
    for ch in this.cast::<PyStr>().chars() {
        if is_upper_char(ch) || is_title_char(ch) {
            return Ok(py_bool(false));
        }
        any |= is_lower_char(ch);
    }
    Ok(py_bool(any))
}

pub(super) fn isnumeric(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, is_numeric_char)
}

pub(super) fn isprintable(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(py_bool(this.cast::<PyStr>().chars().all(chars::is_printable)))
}

pub(super) fn isspace(_ts: &ThreadState, this: &PyObject) -> PyResult {
    all(this, chars::is_space)
}

pub(super) fn istitle(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let (mut any, mut in_word) = (false, false);
    for ch in this.cast::<PyStr>().chars() {
        if is_upper_char(ch) || is_title_char(ch) {
            if in_word {
                return Ok(py_bool(false));
            }
            (any, in_word) = (true, true);
        } else if is_lower_char(ch) {
            if !in_word {
                return Ok(py_bool(false));
            }
            any = true;
        } else {
            in_word = false;
        }
    }
    Ok(py_bool(any))
}

pub(super) fn isupper(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut any = false;
    for ch in this.cast::<PyStr>().chars() {
        if is_lower_char(ch) || is_title_char(ch) {
            return Ok(py_bool(false));
        }
        any |= is_upper_char(ch);
    }
    Ok(py_bool(any))
}
