//! Making a text wider or narrower at its ends: `center`, `ljust`, `zfill`, `strip`, `expandtabs`.

use super::args;
use super::builder::StrBuilder;
use super::layout::PyStr;
use super::units::with_units;
use crate::object::call::{Args, Signature, check_count};
use crate::object::{PyObject, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::text::chars;
use crate::types::exceptions as exc;
use crate::types::none;

/// The text with `left` and `right` times `fill` around it.
fn pad(ts: &ThreadState, text: &PyStr, left: usize, right: usize, fill: u32) -> PyResult {
    if left == 0 && right == 0 {
        return text.to_exact(ts).map(Ref::into_object);
    }
    let len = text.len().checked_add(left).and_then(|n| n.checked_add(right)).filter(|n| *n <= isize::MAX as usize);
    let Some(len) = len else {
        return raise!(ts, exc::OverflowError, "padded string is too long");
    };
    let bits = text.kind().max_char() | fill;
    // The bits are an upper bound of the characters': the kinds' limits are powers of two, less one.
    let chars = core::iter::repeat_n(fill, left).chain(text.chars()).chain(core::iter::repeat_n(fill, right));
    PyStr::from_chars(ts, len, bits, chars).map(Ref::into_object)
}

/// The width, and the character to fill up with.
fn pad_arguments(ts: &ThreadState, method: &str, arguments: &[&PyObject]) -> PyResult<(isize, u32)> {
    check_count(ts, method, arguments.len(), 1, 2)?;
    let width = args::size(ts, arguments[0])?;
    let Some(fill) = arguments.get(1) else {
        return Ok((width, u32::from(b' ')));
    };
    match fill.downcast::<PyStr>() {
        None => raise!(ts, exc::TypeError, "The fill character must be a unicode character, not {}", fill.type_name()),
        Some(fill) if fill.len() != 1 => {
            raise!(ts, exc::TypeError, "The fill character must be exactly one character long")
        }
        Some(fill) => Ok((width, fill.char_at(0))),
    }
}

/// How many characters are missing to `width`.
fn missing(text: &PyStr, width: isize) -> usize {
    usize::try_from(width).map_or(0, |width| width.saturating_sub(text.len()))
}

pub(super) fn center(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let text = this.cast::<PyStr>();
    let (width, fill) = pad_arguments(ts, "center", arguments)?;
    let missing = missing(text, width);
    // The odd one goes to the left when the width is odd.
    let left = missing / 2 + (missing & width as usize & 1);
    pad(ts, text, left, missing - left, fill)
}

pub(super) fn ljust(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let text = this.cast::<PyStr>();
    let (width, fill) = pad_arguments(ts, "ljust", arguments)?;
    pad(ts, text, 0, missing(text, width), fill)
}

pub(super) fn rjust(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let text = this.cast::<PyStr>();
    let (width, fill) = pad_arguments(ts, "rjust", arguments)?;
    pad(ts, text, missing(text, width), 0, fill)
}

pub(super) fn zfill(ts: &ThreadState, this: &PyObject, width: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    let width = args::size(ts, width)?;
    let zeros = missing(text, width);
    if zeros == 0 {
        return text.to_exact(ts).map(Ref::into_object);
    }
    let sign = usize::from(!text.is_empty() && matches!(text.char_at(0), 0x2B | 0x2D));
    let mut out = StrBuilder::with_capacity(text.len() + zeros)?;
    out.push_slice(text, 0, sign)?;
    out.push_fill(u32::from(b'0'), zeros)?;
    out.push_slice(text, sign, text.len())?;
    out.finish(ts).map(Ref::into_object)
}

impl PyStr {
    /// The text without the characters at its ends for which `gone` holds.
    fn strip_where(
        &self,
        ts: &ThreadState,
        left: bool,
        right: bool,
        gone: impl Fn(u32) -> bool,
    ) -> PyResult<Ref<PyStr>> {
        let (start, end) = with_units!(self.data(), |units| {
            let keep = |unit: &_| !gone(u32::from(*unit));
            let start = if left { units.iter().position(keep).unwrap_or(units.len()) } else { 0 };
            let end = if right {
                units[start..].iter().rposition(keep).map_or(start, |last| start + last + 1)
            } else {
                units.len()
            };
            (start, end)
        });
        self.slice(ts, start, end)
    }

    /// The text without white space, or the characters of `set`, at its ends.
    pub fn strip(&self, ts: &ThreadState, set: Option<&PyStr>, left: bool, right: bool) -> PyResult<Ref<PyStr>> {
        match set {
            None => self.strip_where(ts, left, right, chars::is_space),
            Some(set) if set.len() == 1 => {
                let only = set.char_at(0);
                self.strip_where(ts, left, right, |ch| ch == only)
            }
            Some(set) => {
                // A character whose bit is not set is not among them; most texts are decided by that.
                let bit = |ch: u32| 1u64 << (ch & 63);
                let bits = set.chars().fold(0, |bits, ch| bits | bit(ch));
                self.strip_where(ts, left, right, |ch| {
                    bits & bit(ch) != 0 && with_units!(set.data(), |set| set.iter().any(|u| u32::from(*u) == ch))
                })
            }
        }
    }
}

fn strip_ends(
    ts: &ThreadState,
    method: &str,
    this: &PyObject,
    arguments: &[&PyObject],
    left: bool,
    right: bool,
) -> PyResult {
    check_count(ts, method, arguments.len(), 0, 1)?;
    let set = match arguments.first().filter(|set| !set.is(none::none())) {
        None => None,
        Some(set) => match set.downcast::<PyStr>() {
            Some(set) => Some(set),
            None => return raise!(ts, exc::TypeError, "{method} arg must be None or str"),
        },
    };
    this.cast::<PyStr>().strip(ts, set, left, right).map(Ref::into_object)
}

pub(super) fn strip(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    strip_ends(ts, "strip", this, arguments, true, true)
}

pub(super) fn lstrip(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    strip_ends(ts, "lstrip", this, arguments, true, false)
}

pub(super) fn rstrip(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    strip_ends(ts, "rstrip", this, arguments, false, true)
}

static EXPANDTABS: Signature<1> = Signature::new("expandtabs", ["tabsize"], 0, 1, 0);

pub(super) fn expandtabs(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let [size] = EXPANDTABS.parse(ts, arguments)?;
    let size = match size {
        // A C int, by the method's signature.
        Some(size) => match i32::try_from(args::size(ts, size)?) {
            Ok(size) => usize::try_from(size).unwrap_or(0),
            Err(_) => return raise!(ts, exc::OverflowError, "Python int too large to convert to C int"),
        },
        None => 8,
    };
    let text = this.cast::<PyStr>();
    if !text.chars().any(|ch| ch == 0x09) {
        return Ok(text.to_exact(ts)?.into_object());
    }
    let mut out = StrBuilder::with_capacity(text.len())?;
    let mut column = 0;
    for ch in text.chars() {
        match ch {
            0x09 if size == 0 => {}
            0x09 => {
                let spaces = size - column % size;
                if out.len() > isize::MAX as usize - spaces {
                    return raise!(ts, exc::OverflowError, "new string is too long");
                }
                out.push_fill(u32::from(b' '), spaces)?;
                column += spaces;
            }
            _ => {
                out.push_char(ch)?;
                column = if matches!(ch, 0x0A | 0x0D) { 0 } else { column + 1 };
            }
        }
    }
    out.finish(ts).map(Ref::into_object)
}
