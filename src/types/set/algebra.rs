//! Union, intersection, difference and comparison of sets with sets, dicts and iterables.

use super::{FROZENSET_TYPE, PySet, SET_TYPE, key_hash};
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;

impl PySet {
    /// `set` or `frozenset`, whichever this is an instance of: what operations on subclasses give.
    pub(super) fn base_type(&self) -> &'static PyTypeObject {
        if self.is_set() { &SET_TYPE } else { &FROZENSET_TYPE }
    }

    /// A new set of the base type with the same keys.
    pub fn copy(&self, ts: &ThreadState) -> PyResult<Ref<PySet>> {
        let copy = PySet::new_of(ts, self.base_type())?;
        copy.merge(ts, self)?;
        Ok(copy)
    }

    /// What this has in common with any iterable.
    pub fn intersection(&self, ts: &ThreadState, other: &PyObject) -> PyResult<Ref<PySet>> {
        if self.as_object().is(other) {
            return self.copy(ts);
        }
        let result = PySet::new_of(ts, self.base_type())?;
        if let Some(other) = other.downcast::<PySet>() {
            let (fewer, more) = if other.len() > self.len() { (self, other) } else { (other, self) };
            let mut position = 0;
            while let Some((key, hash)) = fewer.next_with_hash(&mut position) {
                if more.contains_known_hash(ts, &key, hash)? {
                    result.add_known_hash(ts, &key, hash)?;
                }
            }
            return Ok(result);
        }
        let iterator = protocol::iter(ts, other)?;
        while let Some(key) = protocol::next(ts, &iterator)? {
            let hash = protocol::hash(ts, &key)?;
            if self.contains_known_hash(ts, &key, hash)? {
                result.add_known_hash(ts, &key, hash)?;
            }
        }
        Ok(result)
    }

    /// Keeps what this has in common with an iterable.
    pub fn intersection_update(&self, ts: &ThreadState, other: &PyObject) -> PyResult<()> {
        let common = self.intersection(ts, other)?;
        self.swap_content(&common);
        Ok(())
    }

    /// The keys that are not in an iterable.
    pub fn difference(&self, ts: &ThreadState, other: &PyObject) -> PyResult<Ref<PySet>> {
        let set = other.downcast::<PySet>();
        let dict = other.downcast_exact::<PyDict>();
        let size = match (set, dict) {
            (Some(set), _) => set.len(),
            (_, Some(dict)) => dict.len(),
            _ => 0,
        };
        // Much smaller, or not to be asked for its content: begin with a copy.
        if (set.is_none() && dict.is_none()) || self.len() >> 2 > size {
            let result = self.copy(ts)?;
            result.difference_update(ts, other)?;
            return Ok(result);
        }
        let result = PySet::new_of(ts, self.base_type())?;
        let mut position = 0;
        while let Some((key, hash)) = self.next_with_hash(&mut position) {
            let there = match (set, dict) {
                (Some(set), _) => set.contains_known_hash(ts, &key, hash)?,
                (_, Some(dict)) => dict.contains_known_hash(ts, &key, hash)?,
                _ => false,
            };
            if !there {
                result.add_known_hash(ts, &key, hash)?;
            }
        }
        Ok(result)
    }

    /// Removes the keys that are in an iterable.
    pub fn difference_update(&self, ts: &ThreadState, other: &PyObject) -> PyResult<()> {
        if self.as_object().is(other) {
            self.clear(ts);
            return Ok(());
        }
        if let Some(set) = other.downcast::<PySet>() {
            let common;
            let mut keys = set;
            if set.len() >> 3 > self.len() {
                common = set.intersection(ts, self.as_object())?;
                keys = &common;
            }
            let mut position = 0;
            while let Some((key, hash)) = keys.next_with_hash(&mut position) {
                self.discard_known_hash(ts, &key, hash)?;
            }
        } else {
            let iterator = protocol::iter(ts, other)?;
            while let Some(key) = protocol::next(ts, &iterator)? {
                self.discard(ts, &key)?;
            }
        }
        // More than a quarter of dummies slows down every look-up.
        if self.fill.get() - self.used.get() > self.mask.get() / 4 {
            self.resize(ts, self.growth())?;
        }
        Ok(())
    }

    /// The keys that only one of both has.
    pub fn symmetric_difference(&self, ts: &ThreadState, other: &PyObject) -> PyResult<Ref<PySet>> {
        let result = PySet::from_iterable(ts, self.base_type(), other)?;
        result.symmetric_difference_update(ts, self.as_object())?;
        Ok(result)
    }

    /// Removes the keys that are in the other, and adds those that were only there.
    pub fn symmetric_difference_update(&self, ts: &ThreadState, other: &PyObject) -> PyResult<()> {
        if self.as_object().is(other) {
            self.clear(ts);
            return Ok(());
        }
        if let Some(dict) = other.downcast_exact::<PyDict>() {
            let mut position = 0;
            while let Some((key, _, hash)) = dict.next_with_hash(&mut position) {
                self.toggle(ts, &key, hash)?;
            }
            return Ok(());
        }
        let made;
        let keys = match other.downcast::<PySet>() {
            Some(set) => set,
            None => {
                // A key that an iterable gives twice counts once.
                made = PySet::from_iterable(ts, self.base_type(), other)?;
                &made
            }
        };
        let mut position = 0;
        while let Some((key, hash)) = keys.next_with_hash(&mut position) {
            self.toggle(ts, &key, hash)?;
        }
        Ok(())
    }

    fn toggle(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<()> {
        if !self.discard_known_hash(ts, key, hash)? {
            self.add_known_hash(ts, key, hash)?;
        }
        Ok(())
    }

    /// Whether an iterable has all our keys.
    pub fn is_subset(&self, ts: &ThreadState, other: &PyObject) -> PyResult<bool> {
        let Some(other) = other.downcast::<PySet>() else {
            return Ok(self.intersection(ts, other)?.len() == self.len());
        };
        if self.len() > other.len() {
            return Ok(false);
        }
        let mut position = 0;
        while let Some((key, hash)) = self.next_with_hash(&mut position) {
            if !other.contains_known_hash(ts, &key, hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this has all that an iterable gives.
    pub fn is_superset(&self, ts: &ThreadState, other: &PyObject) -> PyResult<bool> {
        if let Some(other) = other.downcast::<PySet>() {
            return other.is_subset(ts, self.as_object());
        }
        let iterator = protocol::iter(ts, other)?;
        while let Some(key) = protocol::next(ts, &iterator)? {
            if !self.contains(ts, &key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this has nothing of what an iterable gives.
    pub fn is_disjoint(&self, ts: &ThreadState, other: &PyObject) -> PyResult<bool> {
        if self.as_object().is(other) {
            return Ok(self.is_empty());
        }
        if let Some(other) = other.downcast::<PySet>() {
            let (fewer, more) = if other.len() > self.len() { (self, other) } else { (other, self) };
            let mut position = 0;
            while let Some((key, hash)) = fewer.next_with_hash(&mut position) {
                if more.contains_known_hash(ts, &key, hash)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let iterator = protocol::iter(ts, other)?;
        while let Some(key) = protocol::next(ts, &iterator)? {
            let hash = key_hash(ts, &key)?;
            if self.contains_known_hash(ts, &key, hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether both have the same keys.
    pub fn equals(&self, ts: &ThreadState, other: &PySet) -> PyResult<bool> {
        let (ours, theirs) = (self.hash.get(), other.hash.get());
        if self.len() != other.len() || (ours != -1 && theirs != -1 && ours != theirs) {
            return Ok(false);
        }
        self.is_subset(ts, other.as_object())
    }
}
