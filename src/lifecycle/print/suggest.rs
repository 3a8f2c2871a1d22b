//! "Did you mean": the name that is nearest to one that was not found.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use super::source::is_stdlib_module;
use crate::id;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions::{PyAttributeError, PyBaseException, PyImportError, PyNameError};
use crate::types::str::{PyStr, StrBuilder};

/// With more candidates than this, looking takes too long.
const MOST_CANDIDATES: usize = 750;
/// Longer names are not compared.
const LONGEST: usize = 40;
/// The price of a character too many, too few or different.
const MOVE: usize = 2;
/// The price of a letter in the other case.
const CASE: usize = 1;

/// The candidate that is nearest to `name` without being it, if one is near enough.
pub fn suggest(ts: &ThreadState, candidates: &[PyRef], name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    let _ = ts;
    if candidates.len() >= MOST_CANDIDATES || name.len() > LONGEST {
        return Ok(None);
    }
    let mut best = usize::MAX;
    let mut found = None;
    for candidate in candidates {
        let Some(candidate) = candidate.downcast::<PyStr>() else { continue };
        if candidate.equals(name) {
            continue;
        }
        // No more than a third of the characters may need a change, and it has to be better than the best.
        let most = ((name.len() + candidate.len() + 3) * MOVE / 6).min(best.wrapping_sub(1));
        let distance = distance(name, candidate, most)?;
        if distance <= most && distance < best {
            best = distance;
            found = Some(Ref::from_borrowed(candidate));
        }
    }
    Ok(found)
}

fn substitution(a: u32, b: u32) -> usize {
    if a == b {
        return 0;
    }
    let lower = |ch: u32| if (0x41..=0x5A).contains(&ch) { ch + 0x20 } else { ch };
    if lower(a) == lower(b) { CASE } else { MOVE }
}

/// The Levenshtein distance in the prices above; something above `most` when it is more than that.
fn distance(a: &PyStr, b: &PyStr, most: usize) -> Result<usize, NoMemory> {
    let mut long = TryVec::<u32>::try_from_iter(a.chars())?;
    let mut short = TryVec::<u32>::try_from_iter(b.chars())?;
    if long.len() < short.len() {
        core::mem::swap(&mut long, &mut short);
    }
    let same = long.iter().zip(short.iter()).take_while(|(a, b)| a == b).count();
    let (long, short) = (&long[same..], &short[same..]);
    let same = long.iter().rev().zip(short.iter().rev()).take_while(|(a, b)| a == b).count();
    let (long, short) = (&long[..long.len() - same], &short[..short.len() - same]);
    if short.is_empty() {
        return Ok(long.len() * MOVE);
    }
    if long.len() > LONGEST || (long.len() - short.len()) * MOVE > most {
        return Ok(most.saturating_add(1));
    }
    // One row of the table at a time.
    let mut row = [0usize; LONGEST];
    for (index, place) in row.iter_mut().enumerate() {
        *place = (index + 1) * MOVE;
    }
    let mut result = 0;
    for (index, ch) in long.iter().enumerate() {
        let mut diagonal = index * MOVE;
        result = diagonal;
        let mut smallest = usize::MAX;
        for (other, place) in short.iter().zip(row.iter_mut()) {
            let substituted = diagonal + substitution(*ch, *other);
            diagonal = *place;
            result = substituted.min(result.min(diagonal) + MOVE);
            *place = result;
            smallest = smallest.min(result);
        }
        if smallest > most {
            return Ok(most.saturating_add(1));
        }
    }
    Ok(result)
}

/// What an exception's message is continued by: the suggestion with its words, or nothing.
pub(super) fn push_hint(ts: &ThreadState, out: &mut StrBuilder, error: &PyObject) -> PyResult<()> {
    if let Some(import_error) = error.downcast::<PyImportError>() {
        let Some(name) = text_of(import_error.name_from.get()) else { return Ok(()) };
        let found = for_import(ts, import_error, &name)?;
        return push_found(out, found.as_deref());
    }
    if let Some(attribute_error) = error.downcast::<PyAttributeError>() {
        let Some(name) = text_of(attribute_error.name.get()) else { return Ok(()) };
        let found = for_attribute(ts, attribute_error, &name)?;
        return push_found(out, found.as_deref());
    }
    if let Some(name_error) = error.downcast::<PyNameError>() {
        let Some(name) = text_of(name_error.name.get()) else { return Ok(()) };
        let found = for_name(ts, error, &name)?;
        push_found(out, found.as_deref())?;
        if is_stdlib_module(ts, &name)? {
            out.push_str(if found.is_some() { " Or did" } else { ". Did" })?;
            out.push_str(" you forget to import '")?;
            out.push(&name)?;
            out.push_str("'?")?;
        }
    }
    Ok(())
}

fn text_of(value: Option<PyRef>) -> Option<Ref<PyStr>> {
    value?.downcast_into().ok()
}

fn push_found(out: &mut StrBuilder, found: Option<&PyStr>) -> PyResult<()> {
    if let Some(found) = found {
        out.push_str(". Did you mean: '")?;
        out.push(found)?;
        out.push_str("'?")?;
    }
    Ok(())
}

/// `dir(object)`, perhaps without the names that begin with an underscore.
fn names_of(ts: &ThreadState, object: &PyObject, hide_private: bool) -> PyResult<TryVec<PyRef>> {
    let names = protocol::dir(ts, object)?;
    let mut kept = TryVec::new();
    let mut index = 0;
    while let Some(name) = names.get(index) {
        index += 1;
        let Some(text) = name.downcast::<PyStr>() else { continue };
        if !hide_private || text.chars().next() != Some(u32::from(b'_')) {
            kept.try_push(name)?;
        }
    }
    Ok(kept)
}

fn is_private(name: &PyStr) -> bool {
    name.chars().next() == Some(u32::from(b'_'))
}

fn for_attribute(ts: &ThreadState, error: &PyAttributeError, name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    let object = error.obj.get().unwrap_or_else(|| ts.none());
    let mut hide_private = !is_private(name);
    if hide_private && let Some(own) = innermost_self(ts, error)? {
        // A method may be told of its own object's private attributes.
        hide_private = !own.is(&object);
    }
    let names = names_of(ts, &object, hide_private)?;
    suggest(ts, &names, name)
}

/// The local variable `self` of the frame that raised the exception.
fn innermost_self(ts: &ThreadState, error: &PyBaseException) -> PyResult<Option<PyRef>> {
    let Some(frame) = error.traceback().and_then(|t| t.last().frame()) else { return Ok(None) };
    let locals = attr::get(ts, frame.as_object(), id!(f_locals))?;
    if !protocol::contains(ts, &locals, id!(self_).as_object())? {
        return Ok(None);
    }
    protocol::getitem(ts, &locals, id!(self_).as_object()).map(Some)
}

fn for_import(ts: &ThreadState, error: &PyImportError, name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    let Some(module) = text_of(error.name.get()) else { return Ok(None) };
    let Some(modules) = ts.interp().modules.get() else { return Ok(None) };
    let Some(module) = modules.get_str(ts, &module)? else { return Ok(None) };
    let names = names_of(ts, &module, !is_private(name))?;
    suggest(ts, &names, name)
}

fn for_name(ts: &ThreadState, error: &PyObject, name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    let Some(traceback) = error.cast::<PyBaseException>().traceback() else { return Ok(None) };
    let Some(frame) = traceback.last().frame() else { return Ok(None) };
    let mut names = TryVec::<PyRef>::new();
    for part in [id!(f_locals), id!(f_globals), id!(f_builtins)] {
        let part = attr::get(ts, frame.as_object(), part)?;
        match part.downcast::<PyDict>() {
            Some(dict) => {
                let mut position = 0;
                while let Some((key, _)) = dict.next(&mut position) {
                    if key.is_a::<PyStr>() {
                        names.try_push(key)?;
                    }
                }
            }
            None => protocol::for_each(ts, &part, |key| {
                if key.is_a::<PyStr>() {
                    names.try_push(key)?;
                }
                Ok(())
            })?,
        }
    }
    if let Some(this) = innermost_self(ts, error.cast::<PyBaseException>())? {
        let has = attr::has(ts, &this, name);
        match has {
            Ok(true) => {
                return PyStr::format(ts, format_args!("self.{name}")).map(Some);
            }
            Ok(false) => {}
            Err(raised) => ts.clear_raised(raised),
        }
    }
    suggest(ts, &names, name)
}
