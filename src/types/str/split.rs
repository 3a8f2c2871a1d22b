//! Taking a text apart and putting one together: `split`, `splitlines`, `join` and their relatives.

use hognose_allocators::collections::TryVec;

use super::args;
use super::layout::{Kind, PyStr};
use super::search::{self, Finder};
use super::units::{Unit, with_units};
use crate::object::call::{Args, Signature};
use crate::object::{PyObject, PyRef, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::chars;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none;
use crate::types::tuple::PyTuple;

/// The pieces of a text.
type Pieces = TryVec<PyRef>;

fn push(ts: &ThreadState, pieces: &mut Pieces, text: &PyStr, start: usize, end: usize) -> PyResult<()> {
    Ok(pieces.try_push(text.slice(ts, start, end)?.into_object())?)
}

fn split_space<U: Unit>(ts: &ThreadState, text: &PyStr, units: &[U], max: usize, out: &mut Pieces) -> PyResult<()> {
    let space = |at: usize| chars::is_space(units[at].into());
    let (mut at, len) = (0, units.len());
    loop {
        while at < len && space(at) {
            at += 1;
        }
        if at == len {
            return Ok(());
        }
        if out.len() >= max {
            // What is left keeps the spaces at its end.
            return push(ts, out, text, at, len);
        }
        let start = at;
        while at < len && !space(at) {
            at += 1;
        }
        push(ts, out, text, start, at)?;
    }
}

fn rsplit_space<U: Unit>(ts: &ThreadState, text: &PyStr, units: &[U], max: usize, out: &mut Pieces) -> PyResult<()> {
    let space = |at: usize| chars::is_space(units[at].into());
    let mut end = units.len();
    loop {
        while end > 0 && space(end - 1) {
            end -= 1;
        }
        if end == 0 {
            return Ok(());
        }
        if out.len() >= max {
            return push(ts, out, text, 0, end);
        }
        let mut start = end;
        while start > 0 && !space(start - 1) {
            start -= 1;
        }
        push(ts, out, text, start, end)?;
        end = start;
    }
}

fn split_at<H: Unit, N: Unit>(
    ts: &ThreadState,
    text: &PyStr,
    units: &[H],
    separator: &[N],
    max: usize,
    out: &mut Pieces,
) -> PyResult<()> {
    let mut finder = Finder::new(separator);
    let mut from = 0;
    while out.len() < max && N::WIDTH <= H::WIDTH {
        let Some(at) = finder.find(units, from) else { break };
        push(ts, out, text, from, at)?;
        from = at + separator.len();
    }
    push(ts, out, text, from, units.len())
}

fn rsplit_at<H: Unit, N: Unit>(
    ts: &ThreadState,
    text: &PyStr,
    units: &[H],
    separator: &[N],
    max: usize,
    out: &mut Pieces,
) -> PyResult<()> {
    let mut end = units.len();
    while out.len() < max {
        let Some(at) = search::rfind(&units[..end], separator) else { break };
        push(ts, out, text, at + separator.len(), end)?;
        end = at;
    }
    push(ts, out, text, 0, end)
}

/// The separator (`None` for white space) and the greatest number of cuts.
fn split_arguments<'a>(
    ts: &ThreadState,
    signature: &Signature<2>,
    arguments: Args<'a>,
) -> PyResult<(Option<&'a PyStr>, usize)> {
    let [separator, max] = signature.parse(ts, arguments)?;
    let max = match max {
        Some(max) => usize::try_from(args::size(ts, max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let separator = match separator.filter(|separator| !separator.is(none::none())) {
        None => None,
        Some(separator) => match separator.downcast::<PyStr>() {
            Some(separator) if separator.is_empty() => return raise!(ts, exc::ValueError, "empty separator"),
            Some(separator) => Some(separator),
            None => return raise!(ts, exc::TypeError, "must be str or None, not {}", separator.type_name()),
        },
    };
    Ok((separator, max))
}

static SPLIT: Signature<2> = Signature::new("split", ["sep", "maxsplit"], 0, 2, 0);
static RSPLIT: Signature<2> = Signature::new("rsplit", ["sep", "maxsplit"], 0, 2, 0);

impl PyStr {
    /// The pieces between the places of `separator`, or of white space; at most `max` cuts from the left.
    pub fn split(&self, ts: &ThreadState, separator: Option<&PyStr>, max: usize) -> PyResult<TryVec<PyRef>> {
        let mut pieces = Pieces::new();
        with_units!(self.data(), |units| match separator {
            None => split_space(ts, self, units, max, &mut pieces)?,
            Some(separator) => {
                with_units!(separator.data(), |separator| split_at(ts, self, units, separator, max, &mut pieces)?)
            }
        });
        Ok(pieces)
    }

    /// The same with the cuts from the right.
    pub fn rsplit(&self, ts: &ThreadState, separator: Option<&PyStr>, max: usize) -> PyResult<TryVec<PyRef>> {
        let mut pieces = Pieces::new();
        with_units!(self.data(), |units| match separator {
            None => rsplit_space(ts, self, units, max, &mut pieces)?,
            Some(separator) => {
                with_units!(separator.data(), |separator| rsplit_at(ts, self, units, separator, max, &mut pieces)?)
            }
        });
        pieces.reverse();
        Ok(pieces)
    }

    /// The lines, with their ends when `keep_ends`.
    pub fn split_lines(&self, ts: &ThreadState, keep_ends: bool) -> PyResult<TryVec<PyRef>> {
        let mut pieces = Pieces::new();
        with_units!(self.data(), |units| {
            let mut start = 0;
            while start < units.len() {
                let rest = &units[start..];
                let end = start + rest.iter().position(|u| chars::is_line_break((*u).into())).unwrap_or(rest.len());
                let unit = |at: usize| units.get(at).map(|u| (*u).into());
                let next = match (unit(end), unit(end + 1)) {
                    (None, _) => end,
                    (Some(0x0D), Some(0x0Au32)) => end + 2,
                    _ => end + 1,
                };
                push(ts, &mut pieces, self, start, if keep_ends { next } else { end })?;
                start = next;
            }
        });
        Ok(pieces)
    }

    /// The items, which must be strings, one after the other (`BUILD_STRING`).
    pub fn concat_all(ts: &ThreadState, items: &[&PyObject]) -> PyResult<Ref<PyStr>> {
        PyStr::empty_static().join(ts, items)
    }

    /// The items, which must be strings, with `self` between them.
    pub fn join(&self, ts: &ThreadState, items: &[&PyObject]) -> PyResult<Ref<PyStr>> {
        let Some(between) = items.len().checked_sub(1) else {
            return Ok(PyStr::empty());
        };
        if let [only] = items
            && let Some(only) = only.downcast_exact::<PyStr>()
        {
            return Ok(Ref::from_borrowed(only));
        }
        let mut kind = if between == 0 || self.is_empty() { Kind::Ascii } else { self.kind() };
        let mut total = self.len().checked_mul(between);
        for (index, item) in items.iter().enumerate() {
            let Some(item) = item.downcast::<PyStr>() else {
                return raise!(
                    ts,
                    exc::TypeError,
                    "sequence item {index}: expected str instance, {} found",
                    item.type_name()
                );
            };
            kind = kind.max(item.kind());
            total = total.and_then(|total| total.checked_add(item.len()));
        }
        let Some(len) = total.filter(|total| *total <= isize::MAX as usize) else {
            return raise!(ts, exc::OverflowError, "join() result is too long for a Python string");
        };
        // SAFETY: `downcast` has just succeeded for each of them.
        let texts = items.iter().map(|item| unsafe { item.cast_unchecked::<PyStr>() });
        match len {
            0 => return Ok(PyStr::empty()),
            1 => {
                let ch = texts.chain([self]).find(|text| text.len() == 1).map_or(0, |text| text.char_at(0));
                return PyStr::from_char(ts, ch);
            }
            _ => {}
        }
        // SAFETY: all units are written here: the lengths have just been added up, and one of the texts
        // needs the kind.
        unsafe {
            let made = PyStr::uninit(ts, len, kind)?;
            let mut at = 0;
            for text in texts {
                made.copy_chars(at, text, 0, text.len());
                at += text.len();
                if at < len && !self.is_empty() {
                    let size = self.len().min(len - at);
                    made.copy_chars(at, self, 0, size);
                    at += size;
                }
            }
            Ok(made)
        }
    }
}

fn into_list(ts: &ThreadState, pieces: TryVec<PyRef>) -> PyResult {
    PyList::from_vec(ts, pieces).map(Ref::into_object)
}

pub(super) fn split(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let (separator, max) = split_arguments(ts, &SPLIT, arguments)?;
    into_list(ts, this.cast::<PyStr>().split(ts, separator, max)?)
}

pub(super) fn rsplit(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let (separator, max) = split_arguments(ts, &RSPLIT, arguments)?;
    into_list(ts, this.cast::<PyStr>().rsplit(ts, separator, max)?)
}

static SPLITLINES: Signature<1> = Signature::new("splitlines", ["keepends"], 0, 1, 0);

pub(super) fn splitlines(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let [keep_ends] = SPLITLINES.parse(ts, arguments)?;
    let keep_ends = match keep_ends {
        Some(object) => protocol::is_true(ts, object)?,
        None => false,
    };
    into_list(ts, this.cast::<PyStr>().split_lines(ts, keep_ends)?)
}

pub(super) fn join(ts: &ThreadState, this: &PyObject, iterable: &PyObject) -> PyResult {
    let this = this.cast::<PyStr>();
    if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
        return this.join(ts, tuple.items()).map(Ref::into_object);
    }
    if let Some(list) = iterable.downcast_exact::<PyList>() {
        // SAFETY: joining strings runs no Python code, so the list stays as it is; a wrong item's error is
        // raised after the last use of the items.
        return this.join(ts, unsafe { list.items() }).map(Ref::into_object);
    }
    let iterator = match protocol::iter(ts, iterable) {
        Ok(iterator) => iterator,
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            return raise!(ts, exc::TypeError, "can only join an iterable");
        }
        Err(raised) => return Err(raised),
    };
    let mut items = TryVec::<PyRef>::new();
    while let Some(item) = protocol::next(ts, &iterator)? {
        items.try_push(item)?;
    }
    this.join(ts, crate::object::call::borrow_all(&items)).map(Ref::into_object)
}
