//! `repr`: a text as a literal.

use hognose_allocators::NoMemory;

use super::builder::StrBuilder;
use super::layout::{Kind, PyStr, StrData};
use crate::object::{PyObject, PyResult, Ref};
use crate::state::ThreadState;
use crate::text::escape;

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
        escape::str_repr(self, escape::Shown::Printable, &mut out)?;
        out.finish(ts)
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
