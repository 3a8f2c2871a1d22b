//! Merging other mappings and iterables of pairs into a dict.

use hognose_allocators::NoMemory;

use super::{PyDict, keys};
use crate::object::call::call_method;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, attr, protocol};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::{id, raise};

/// What happens to a key that is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overlap {
    /// Its value is replaced.
    Replace,
    /// It keeps its value.
    Keep,
    /// The merge fails.
    Fail,
}

/// Why [`PyDict::merge_unique`] failed.
pub enum MergeFailure {
    /// The key is in both; no exception is set.
    Duplicate(PyRef),
    /// An exception is set.
    Raised(Raised),
}

impl From<Raised> for MergeFailure {
    fn from(raised: Raised) -> MergeFailure {
        MergeFailure::Raised(raised)
    }
}

impl From<NoMemory> for MergeFailure {
    fn from(error: NoMemory) -> MergeFailure {
        MergeFailure::Raised(error.into())
    }
}

/// A duplicate as CPython's `_PyDict_MergeEx` reports it.
fn as_raised(ts: &ThreadState, failure: MergeFailure) -> Raised {
    match failure {
        MergeFailure::Raised(raised) => raised,
        MergeFailure::Duplicate(key) => super::raise_key_error(ts, &key),
    }
}

impl PyDict {
    /// `self.update(other)`: from a mapping (whatever has `keys`) or an iterable of pairs.
    pub fn update(&self, ts: &ThreadState, other: &PyObject) -> PyResult<()> {
        if let Some(other) = other.downcast_exact::<PyDict>() {
            return self.merge_dict(ts, other, Overlap::Replace);
        }
        if attr::has(ts, other, id!(keys))? {
            return self.merge(ts, other, Overlap::Replace);
        }
        self.merge_pairs(ts, other, Overlap::Replace)
    }

    /// Merges a mapping (`PyDict_Merge`); with `Overlap::Fail` a duplicate raises KeyError.
    pub fn merge(&self, ts: &ThreadState, other: &PyObject, overlap: Overlap) -> PyResult<()> {
        self.merge_mapping(ts, other, overlap).map_err(|failure| as_raised(ts, failure))
    }

    /// Merges a mapping whose keys must be new (`DICT_MERGE`).
    pub fn merge_unique(&self, ts: &ThreadState, other: &PyObject) -> Result<(), MergeFailure> {
        self.merge_mapping(ts, other, Overlap::Fail)
    }

    /// Merges a dict by its table, whatever its type says.
    pub(super) fn merge_dict(&self, ts: &ThreadState, other: &PyDict, overlap: Overlap) -> PyResult<()> {
        self.merge_table(ts, other, overlap).map_err(|failure| as_raised(ts, failure))
    }

    fn merge_mapping(&self, ts: &ThreadState, other: &PyObject, overlap: Overlap) -> Result<(), MergeFailure> {
        if let Some(other) = other.downcast::<PyDict>()
            && (other.is_exact() || super::methods::iterates_as_dict(other.as_object()))
        {
            return self.merge_table(ts, other, overlap);
        }
        let names = call_method(ts, other, id!(keys), &[])?;
        let iterator = protocol::iter(ts, &names)?;
        while let Some(key) = protocol::next(ts, &iterator)? {
            if overlap != Overlap::Replace && self.contains(ts, &key)? {
                if overlap == Overlap::Fail {
                    return Err(MergeFailure::Duplicate(key));
                }
                continue;
            }
            let value = protocol::getitem(ts, other, &key)?;
            self.set(ts, &key, &value)?;
        }
        Ok(())
    }

    fn merge_table(&self, ts: &ThreadState, other: &PyDict, mut overlap: Overlap) -> Result<(), MergeFailure> {
        if core::ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        if self.is_empty() {
            overlap = Overlap::Replace;
            let theirs = other.keys();
            let dense = other.len() == theirs.nentries()
                && (theirs.log2_size() == keys::MIN_LOG2_SIZE
                    || keys::usable_fraction(theirs.log2_size() - 1) < other.len());
            if dense && self.inline_values().is_null() && other.inline_values().is_null() {
                return Ok(self.adopt_clone(ts, other)?);
            }
        }
        self.reserve(ts, other.len(), other.has_str_keys())?;
        let entries = other.keys().nentries();
        let mut position = 0;
        while let Some((key, value, hash)) = other.next_with_hash(&mut position) {
            if overlap == Overlap::Replace {
                self.insert(ts, &key, hash, &value)?;
            } else {
                let index = self.lookup(ts, &key, hash)?;
                // SAFETY: nothing has happened since the look-up.
                unsafe {
                    if self.value_of_index(index).is_none() {
                        self.insert_at(ts, index, &key, hash, &value)?;
                    } else if overlap == Overlap::Fail {
                        return Err(MergeFailure::Duplicate(key));
                    }
                }
            }
            if other.keys().nentries() != entries {
                return raise!(ts, exc::RuntimeError, "dict mutated during update").map_err(MergeFailure::Raised);
            }
        }
        Ok(())
    }

    /// Merges an iterable of pairs (`PyDict_MergeFromSeq2`).
    pub fn merge_pairs(&self, ts: &ThreadState, pairs: &PyObject, overlap: Overlap) -> PyResult<()> {
        let iterator = protocol::iter(ts, pairs)?;
        let mut number = 0usize;
        while let Some(item) = protocol::next(ts, &iterator)? {
            let pair = match protocol::fast(ts, &item, "object is not iterable") {
                Ok(pair) => pair,
                Err(raised) => return Err(note_element(ts, raised, number)),
            };
            let &[key, value] = pair.items() else {
                return raise!(
                    ts,
                    exc::ValueError,
                    "dictionary update sequence element #{number} has length {}; 2 is required",
                    pair.len()
                );
            };
            match overlap {
                Overlap::Replace => self.set(ts, key, value)?,
                Overlap::Keep => drop(self.setdefault(ts, key, value)?),
                Overlap::Fail => {
                    if self.setdefault_ref(ts, key, value)?.1 {
                        return Err(super::raise_key_error(ts, key));
                    }
                }
            }
            number += 1;
        }
        Ok(())
    }
}

/// Tells with a TypeError which of the elements it was.
#[cold]
fn note_element(ts: &ThreadState, raised: Raised, number: usize) -> Raised {
    if !ts.raised_matches(&exc::TypeError) {
        return raised;
    }
    let error = ts.take_raised(raised);
    let note =
        PyStr::format(ts, format_args!("Cannot convert dictionary update sequence element #{number} to a sequence"))
            .and_then(|text| call_method(ts, &error, id!(add_note), &[text.as_object()]));
    match note {
        Ok(_) => ts.restore_raised(error),
        Err(raised) => raised,
    }
}
