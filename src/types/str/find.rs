//! Methods that look for a text: `find`, `count`, `startswith`, `replace` and their relatives.

use hognose_allocators::collections::TryVec;

use super::args;
use super::builder::StrBuilder;
use super::layout::{Kind, PyStr, StrData};
use super::search::{self, Finder};
use super::units::with_units;
use crate::object::call::{Args, Signature, check_count};
use crate::object::{AsObject, PyObject, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

impl PyStr {
    /// The first place of `needle` among the characters from `start` to before `end`.
    pub fn find(&self, needle: &PyStr, start: usize, end: usize) -> Option<usize> {
        if end < start || end - start < needle.len() {
            return None;
        }
        let at = with_units!(self.data(), |text| {
            let text = &text[start..end];
            with_units!(needle.data(), |needle| search::find(text, needle))
        });
        at.map(|at| start + at)
    }

    /// The last place of `needle` among the characters from `start` to before `end`.
    pub fn rfind(&self, needle: &PyStr, start: usize, end: usize) -> Option<usize> {
        if end < start || end - start < needle.len() {
            return None;
        }
        let at = with_units!(self.data(), |text| {
            let text = &text[start..end];
            with_units!(needle.data(), |needle| search::rfind(text, needle))
        });
        at.map(|at| start + at)
    }

    /// Whether `needle` is in the text.
    #[inline]
    pub fn contains(&self, needle: &PyStr) -> bool {
        self.find(needle, 0, self.len()).is_some()
    }

    /// How often `needle` is among the characters from `start` to before `end`, without overlaps.
    pub fn count(&self, needle: &PyStr, start: usize, end: usize) -> usize {
        if end < start || end - start < needle.len() {
            return 0;
        }
        with_units!(self.data(), |text| {
            let text = &text[start..end];
            with_units!(needle.data(), |needle| search::count(text, needle, usize::MAX))
        })
    }

    /// Whether `part` is at `at`, before `end`.
    #[inline]
    pub fn has_at(&self, part: &PyStr, at: usize, end: usize) -> bool {
        if at > end || end - at < part.len() {
            return false;
        }
        with_units!(self.data(), |text| with_units!(part.data(), |part| search::matches_at(text, at, part)))
    }

    /// Whether the text begins with `prefix`.
    pub fn starts_with(&self, prefix: &PyStr) -> bool {
        self.has_at(prefix, 0, self.len())
    }

    /// Whether the text ends with `suffix`.
    pub fn ends_with(&self, suffix: &PyStr) -> bool {
        self.len() >= suffix.len() && self.has_at(suffix, self.len() - suffix.len(), self.len())
    }

    /// The text with up to `max` of the places of `old` replaced by `new`.
    pub fn replace(&self, ts: &ThreadState, old: &PyStr, new: &PyStr, max: usize) -> PyResult<Ref<PyStr>> {
        if max == 0 || old.len() > self.len() || old.kind() > self.kind() || old.equals(new) {
            return self.to_exact(ts);
        }
        if old.is_empty() {
            return self.interleave(ts, new, max);
        }
        let mut places = TryVec::<usize>::new();
        with_units!(self.data(), |text| with_units!(old.data(), |old| {
            let mut finder = Finder::new(old);
            let mut from = 0;
            while places.len() < max {
                match finder.find(text, from) {
                    Some(at) => {
                        places.try_push(at)?;
                        from = at + old.len();
                    }
                    None => break,
                }
            }
        }));
        if places.is_empty() {
            return self.to_exact(ts);
        }
        let removed = places.len() * old.len();
        let len = places.len().checked_mul(new.len()).and_then(|added| (self.len() - removed).checked_add(added));
        let Some(len) = len.filter(|len| *len <= isize::MAX as usize) else {
            return raise!(ts, exc::OverflowError, "replace string is too long");
        };
        if len < 2 || !(self.is_ascii() && new.is_ascii()) {
            return self.replace_any(ts, &places, old.len(), new);
        }
        // SAFETY: all units are written here; they come from two ASCII strings.
        unsafe {
            let made = PyStr::uninit(ts, len, Kind::Ascii)?;
            let (mut from, mut to) = (0, 0);
            for at in places.iter() {
                made.copy_chars(to, self, from, at - from);
                made.copy_chars(to + at - from, new, 0, new.len());
                to += at - from + new.len();
                from = at + old.len();
            }
            made.copy_chars(to, self, from, self.len() - from);
            Ok(made)
        }
    }

    /// [`replace`](PyStr::replace) where the result's width is not known beforehand.
    fn replace_any(&self, ts: &ThreadState, places: &[usize], old: usize, new: &PyStr) -> PyResult<Ref<PyStr>> {
        let mut out = StrBuilder::new();
        let mut from = 0;
        for at in places {
            out.push_slice(self, from, *at)?;
            out.push(new)?;
            from = at + old;
        }
        out.push_slice(self, from, self.len())?;
        out.finish(ts)
    }

    /// The text with `new` before each of the first `max` characters, and at the end when there is room.
    fn interleave(&self, ts: &ThreadState, new: &PyStr, max: usize) -> PyResult<Ref<PyStr>> {
        let times = max.min(self.len() + 1);
        if times.checked_mul(new.len()).and_then(|n| n.checked_add(self.len())).is_none_or(|n| n > isize::MAX as usize)
        {
            return raise!(ts, exc::OverflowError, "replace string is too long");
        }
        let mut out = StrBuilder::with_capacity(times * new.len() + self.len())?;
        for at in 0..times.min(self.len()) {
            out.push(new)?;
            out.push_char(self.char_at(at))?;
        }
        if times > self.len() {
            out.push(new)?;
        } else {
            out.push_slice(self, times, self.len())?;
        }
        out.finish(ts)
    }
}

/// The text to look for and the bounds, for the methods with the signature `(sub[, start[, end]])`.
fn search_arguments<'a>(
    ts: &ThreadState,
    method: &str,
    text: &PyStr,
    arguments: &[&'a PyObject],
) -> PyResult<(&'a PyStr, usize, usize)> {
    check_count(ts, method, arguments.len(), 1, 3)?;
    let needle = args::string(ts, method, "1", arguments[0])?;
    let (start, end) = args::bounds(ts, &arguments[1..], text.len())?;
    Ok((needle, start, end))
}

fn position(ts: &ThreadState, at: Option<usize>) -> PyResult {
    Ok(match at {
        Some(at) => PyInt::from_usize(ts, at)?.into_object(),
        None => PyInt::from_i64(ts, -1)?.into_object(),
    })
}

pub(super) fn find(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyStr>();
    let (needle, start, end) = search_arguments(ts, "find", this, arguments)?;
    position(ts, this.find(needle, start, end))
}

pub(super) fn rfind(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyStr>();
    let (needle, start, end) = search_arguments(ts, "rfind", this, arguments)?;
    position(ts, this.rfind(needle, start, end))
}

pub(super) fn index(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyStr>();
    let (needle, start, end) = search_arguments(ts, "index", this, arguments)?;
    found(ts, this.find(needle, start, end))
}

pub(super) fn rindex(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyStr>();
    let (needle, start, end) = search_arguments(ts, "rindex", this, arguments)?;
    found(ts, this.rfind(needle, start, end))
}

fn found(ts: &ThreadState, at: Option<usize>) -> PyResult {
    match at {
        Some(_) => position(ts, at),
        None => raise!(ts, exc::ValueError, "substring not found"),
    }
}

pub(super) fn count(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyStr>();
    let (needle, start, end) = search_arguments(ts, "count", this, arguments)?;
    position(ts, Some(this.count(needle, start, end)))
}

/// `startswith` and `endswith`: with one text or a tuple of them.
fn affix(
    ts: &ThreadState,
    method: &str,
    this: &PyObject,
    arguments: &[&PyObject],
    test: fn(&PyStr, &PyStr, usize, usize) -> bool,
) -> PyResult {
    let this = this.cast::<PyStr>();
    check_count(ts, method, arguments.len(), 1, 3)?;
    let (start, end) = args::bounds(ts, &arguments[1..], this.len())?;
    let parts = arguments[0];
    if let Some(part) = parts.downcast::<PyStr>() {
        return Ok(py_bool(test(this, part, start, end)));
    }
    let Some(parts) = parts.downcast::<PyTuple>() else {
        return raise!(
            ts,
            exc::TypeError,
            "{method} first arg must be str or a tuple of str, not {}",
            parts.type_name()
        );
    };
    for part in parts.items() {
        let Some(part) = part.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "tuple for {method} must only contain str, not {}", part.type_name());
        };
        if test(this, part, start, end) {
            return Ok(py_bool(true));
        }
    }
    Ok(py_bool(false))
}

pub(super) fn startswith(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    affix(ts, "startswith", this, arguments, |text, part, start, end| text.has_at(part, start, end))
}

pub(super) fn endswith(ts: &ThreadState, this: &PyObject, arguments: &[&PyObject]) -> PyResult {
    affix(ts, "endswith", this, arguments, |text, part, start, end| {
        start <= end && end - start >= part.len() && text.has_at(part, end - part.len(), end)
    })
}

pub(super) fn removeprefix(ts: &ThreadState, this: &PyObject, prefix: &PyObject) -> PyResult {
    let this = this.cast::<PyStr>();
    let prefix = args::string(ts, "removeprefix", "", prefix)?;
    let start = if this.starts_with(prefix) { prefix.len() } else { 0 };
    this.slice(ts, start, this.len()).map(Ref::into_object)
}

pub(super) fn removesuffix(ts: &ThreadState, this: &PyObject, suffix: &PyObject) -> PyResult {
    let this = this.cast::<PyStr>();
    let suffix = args::string(ts, "removesuffix", "", suffix)?;
    let end = if this.ends_with(suffix) { this.len() - suffix.len() } else { this.len() };
    this.slice(ts, 0, end).map(Ref::into_object)
}

static REPLACE: Signature<3> = Signature::new("replace", ["old", "new", "count"], 2, 3, 2);

pub(super) fn replace(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let [Some(old), Some(new), max] = REPLACE.parse(ts, arguments)? else { unreachable!("both are required") };
    let old = args::string(ts, "replace", "1", old)?;
    let new = args::string(ts, "replace", "2", new)?;
    let max = match max {
        Some(max) => usize::try_from(args::size(ts, max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    this.cast::<PyStr>().replace(ts, old, new, max).map(Ref::into_object)
}

/// `(head, separator, tail)`.
fn three(ts: &ThreadState, a: Ref<PyStr>, b: &PyStr, c: Ref<PyStr>) -> PyResult {
    PyTuple::new(ts, &[a.as_object(), b.as_object(), c.as_object()]).map(Ref::into_object)
}

pub(super) fn partition(ts: &ThreadState, this: &PyObject, separator: &PyObject) -> PyResult {
    let (this, separator) = (this.cast::<PyStr>(), args::plain_string(ts, separator)?);
    if separator.is_empty() {
        return raise!(ts, exc::ValueError, "empty separator");
    }
    match this.find(separator, 0, this.len()) {
        Some(at) => {
            let tail = this.slice(ts, at + separator.len(), this.len())?;
            three(ts, this.slice(ts, 0, at)?, separator, tail)
        }
        None => three(ts, this.to_exact(ts)?, PyStr::empty_static(), PyStr::empty()),
    }
}

pub(super) fn rpartition(ts: &ThreadState, this: &PyObject, separator: &PyObject) -> PyResult {
    let (this, separator) = (this.cast::<PyStr>(), args::plain_string(ts, separator)?);
    if separator.is_empty() {
        return raise!(ts, exc::ValueError, "empty separator");
    }
    match this.rfind(separator, 0, this.len()) {
        Some(at) => {
            let tail = this.slice(ts, at + separator.len(), this.len())?;
            three(ts, this.slice(ts, 0, at)?, separator, tail)
        }
        None => three(ts, PyStr::empty(), PyStr::empty_static(), this.to_exact(ts)?),
    }
}

/// `sq_contains`.
pub(super) fn contains(ts: &ThreadState, this: &PyObject, needle: &PyObject) -> PyResult<bool> {
    let Some(needle) = needle.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "'in <string>' requires string as left operand, not {}", needle.type_name());
    };
    let this = this.cast::<PyStr>();
    if let (StrData::Ascii(text), StrData::Ascii([unit])) = (this.data(), needle.data()) {
        return Ok(search::find_unit(text, *unit).is_some());
    }
    Ok(this.contains(needle))
}
