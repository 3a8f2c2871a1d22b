//! `repr`: a text as a literal.

use hognose_allocators::NoMemory;

use super::builder::StrBuilder;
use super::layout::{Kind, PyStr, StrData};
use crate::object::{PyObject, PyResult, Ref};
use crate::state::ThreadState;
use crate::text::chars;

const QUOTE: u32 = b'\'' as u32;
const DOUBLE_QUOTE: u32 = b'"' as u32;
const BACKSLASH: u32 = b'\\' as u32;

/// Appends `\xNN`, `\uNNNN` or `\UNNNNNNNN`.
fn push_escape(out: &mut StrBuilder, ch: u32) -> Result<(), NoMemory> {
    let (letter, digits) = match ch {
        0..=0xFF => (b'x', 2),
        0x100..=0xFFFF => (b'u', 4),
        _ => (b'U', 8),
    };
    let mut text = [0; 10];
    text[0] = b'\\';
    text[1] = letter;
    for (index, place) in text[2..2 + digits].iter_mut().enumerate() {
        *place = b"0123456789abcdef"[(ch >> (4 * (digits - 1 - index))) as usize & 15];
    }
    out.push_ascii(&text[..2 + digits])
}

impl PyStr {
    /// The text as a literal, in quotes: single ones, unless it has single and no double quotes in it.
    pub fn repr(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        if let StrData::Ascii(units) = self.data() {
            let plain = |unit: &u8| matches!(unit, b' '..=b'~') & !matches!(unit, b'\'' | b'\\');
            if units.iter().all(plain) {
                // SAFETY: all units are written here, and are ASCII.
                unsafe {
                    let made = PyStr::uninit(ts, units.len() + 2, Kind::Ascii)?;
                    let place = made.units_mut::<u8>();
                    place[0].write(b'\'');
                    place[1..=units.len()].write_copy_of_slice(units);
                    place[units.len() + 1].write(b'\'');
                    return Ok(made);
                }
            }
        }
        let mut out = StrBuilder::with_capacity(self.len() + 2)?;
        self.push_repr_to(&mut out)?;
        out.finish(ts)
    }

    /// Appends the text as a literal.
    pub fn push_repr_to(&self, out: &mut StrBuilder) -> Result<(), NoMemory> {
        let has = |quote: u32| self.chars().any(|ch| ch == quote);
        let quote = if has(QUOTE) && !has(DOUBLE_QUOTE) { DOUBLE_QUOTE } else { QUOTE };
        out.push_char(quote)?;
        for ch in self.chars() {
            match ch {
                _ if ch == quote || ch == BACKSLASH => {
                    out.push_char(BACKSLASH)?;
                    out.push_char(ch)?;
                }
                0x09 => out.push_ascii(b"\\t")?,
                0x0A => out.push_ascii(b"\\n")?,
                0x0D => out.push_ascii(b"\\r")?,
                _ if chars::is_printable(ch) => out.push_char(ch)?,
                _ => push_escape(out, ch)?,
            }
        }
        out.push_char(quote)
    }
}

/// The text with everything beyond ASCII escaped: the last step of `ascii()`.
pub fn escape_non_ascii(ts: &ThreadState, text: &PyStr) -> PyResult<Ref<PyStr>> {
    let mut out = StrBuilder::with_capacity(text.len())?;
    for ch in text.chars() {
        if ch < 0x80 { out.push_char(ch)? } else { push_escape(&mut out, ch)? }
    }
    out.finish(ts)
}

/// `tp_repr`.
pub(super) fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    this.cast::<PyStr>().repr(ts).map(Ref::into_object)
}
