//! The table of a dict: look-up, insertion, removal, growth.

use core::ops::ControlFlow;
use core::ptr;

use hognose_allocators::NoMemory;

use super::PyDict;
use super::keys::{self, DUMMY, DictKeys, EMPTY, KeysKind, Probe};
use crate::object::header::decref;
use crate::object::visit::Visitor;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, protocol};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// Whether two objects are equal, when both are exact ints that fit a word.
#[inline(always)]
pub(crate) fn equal_ints(a: &PyObject, b: &PyObject) -> Option<bool> {
    Some(a.downcast_exact::<PyInt>()?.as_i64()? == b.downcast_exact::<PyInt>()?.as_i64()?)
}

impl PyDict {
    /// The present keys. The borrow ends with the next insertion, removal or clearing.
    #[inline(always)]
    pub(crate) fn keys(&self) -> &DictKeys {
        // SAFETY: a dict always has keys, at least the empty ones.
        unsafe { &*self.ma_keys.get() }
    }

    /// Where the value of an entry is.
    ///
    /// # Safety
    /// `index` is below the keys' `nentries`.
    #[inline(always)]
    pub(super) unsafe fn value_place(&self, index: usize) -> *mut *mut PyObject {
        let values = self.ma_values.get();
        // SAFETY: D2: the block of a split table has a place for each of the keys.
        unsafe { if values.is_null() { self.keys().value_place(index) } else { (*values).place(index) } }
    }

    /// The value at the index that a look-up gave.
    ///
    /// # Safety
    /// The table is as it was at the look-up, and stays while the result is used.
    #[inline(always)]
    pub(super) unsafe fn value_of_index(&self, index: isize) -> Option<&PyObject> {
        if index < 0 {
            return None;
        }
        // SAFETY: as the caller says; a value lives as long as it is in the table.
        unsafe { (*self.value_place(index as usize)).as_ref() }
    }

    /// The index of a key's entry, or -1. The entry of a split table may be without a value.
    #[inline]
    pub(crate) fn lookup(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<isize> {
        let keys = self.keys();
        if keys.kind() != KeysKind::General
            && let Some(string) = key.downcast_exact::<PyStr>()
        {
            return Ok(keys.lookup_str(string, hash));
        }
        self.lookup_general(ts, key, hash)
    }

    /// As [`lookup`](PyDict::lookup), for any keys; comparing can run Python code (D3).
    fn lookup_general(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<isize> {
        let string = key.downcast_exact::<PyStr>();
        'again: loop {
            let table = self.ma_keys.get();
            // SAFETY: the table is the dict's; after each comparison it is checked that it still is.
            let keys = unsafe { &*table };
            let log2_size = keys.log2_size();
            let mut probe = Probe::new(hash, keys.mask());
            loop {
                let index = keys.index_at(probe.place());
                if index == EMPTY {
                    return Ok(EMPTY);
                }
                if index >= 0 {
                    // SAFETY: K1; a number in the index names an entry that is there.
                    let (found, found_hash) = unsafe { keys.key_and_hash(index as usize) };
                    if ptr::eq(found, key) {
                        return Ok(index);
                    }
                    if found_hash == hash {
                        // SAFETY: the entry owns its key.
                        let found_key = unsafe { &*found };
                        let known = match string {
                            Some(a) => found_key.downcast_exact::<PyStr>().map(|b| a.equals(b)),
                            None => equal_ints(found_key, key),
                        };
                        if let Some(equal) = known {
                            if equal {
                                return Ok(index);
                            }
                        } else {
                            let kept = found_key.new_ref();
                            let equal = protocol::equal(ts, &kept, key);
                            // SAFETY: when the table is still the dict's, it is a live one; the index is
                            // checked against it, as a new table may lie where the old one was.
                            let same = self.ma_keys.get() == table
                                && keys.log2_size() == log2_size
                                && (index as usize) < keys.nentries()
                                && unsafe { keys.key(index as usize) } == found;
                            kept.release(ts);
                            if equal? {
                                if same && self.ma_keys.get() == table {
                                    return Ok(index);
                                }
                                continue 'again;
                            }
                            if !same || self.ma_keys.get() != table {
                                continue 'again;
                            }
                        }
                    }
                }
                probe.advance();
            }
        }
    }

    /// Adds an entry, or replaces its value.
    #[inline]
    pub(super) fn insert(&self, ts: &ThreadState, key: &PyObject, hash: isize, value: &PyObject) -> PyResult<()> {
        let index = self.lookup(ts, key, hash)?;
        // SAFETY: nothing has happened since the look-up.
        unsafe { self.insert_at(ts, index, key, hash, value) }
    }

    /// Puts a value where a look-up found the key, or adds the entry when it found none.
    ///
    /// # Safety
    /// The table is as it was at the look-up, whose result `index` is.
    #[inline]
    pub(super) unsafe fn insert_at(
        &self,
        ts: &ThreadState,
        index: isize,
        key: &PyObject,
        hash: isize,
        value: &PyObject,
    ) -> PyResult<()> {
        if index < 0 {
            return Ok(self.insert_new(ts, key, hash, value)?);
        }
        value.incref();
        let values = self.ma_values.get();
        // SAFETY: the index is good; the old value is dropped after the new one is in place.
        unsafe {
            let old = if values.is_null() {
                ptr::replace(self.keys().value_place(index as usize), value.as_ptr())
            } else {
                (*values).replace(index as usize, value.as_ptr())
            };
            if old.is_null() {
                self.ma_used.set(self.ma_used.get() + 1);
            } else {
                decref(ts, old);
            }
        }
        Ok(())
    }

    /// Adds an entry that is not there. Runs no Python code.
    pub(super) fn insert_new(
        &self,
        ts: &ThreadState,
        key: &PyObject,
        hash: isize,
        value: &PyObject,
    ) -> Result<(), NoMemory> {
        let is_str = key.downcast_exact::<PyStr>().is_some();
        let values = self.ma_values.get();
        if !values.is_null() {
            if let Some(name) = key.downcast_exact::<PyStr>()
                && let Some(index) = self.keys().add_shared(name, hash)
            {
                value.incref();
                // SAFETY: D2: the block has room for whatever the shared keys take.
                let old = unsafe { (*values).replace(index, value.as_ptr()) };
                debug_assert!(old.is_null());
                self.ma_used.set(self.ma_used.get() + 1);
                return Ok(());
            }
            self.resize(ts, self.growth(), if is_str { KeysKind::Str } else { KeysKind::General })?;
        } else {
            let keys = self.keys();
            let wanted = if is_str { keys.kind() } else { KeysKind::General };
            if self.ma_keys.get() == keys::empty_keys() {
                let kind = if is_str { KeysKind::Str } else { KeysKind::General };
                self.ma_keys.set(DictKeys::new(ts, keys::MIN_LOG2_SIZE, kind)?);
            } else if keys.usable() == 0 || wanted != keys.kind() {
                self.resize(ts, self.growth(), wanted)?;
            }
        }
        key.incref();
        value.incref();
        let keys = self.keys();
        keys.drop_version();
        keys.append(key.as_ptr(), hash, value.as_ptr());
        self.ma_used.set(self.ma_used.get() + 1);
        Ok(())
    }

    /// The size of the table that the present entries grow into.
    #[inline]
    fn growth(&self) -> u8 {
        keys::log2_for_places(self.len().saturating_mul(3))
    }

    /// Grows the table so that `more` entries go in without growing again.
    pub(super) fn reserve(&self, ts: &ThreadState, more: usize, strings: bool) -> Result<(), NoMemory> {
        if keys::usable_fraction(self.keys().log2_size()) >= more {
            return Ok(());
        }
        let kind = if strings { KeysKind::Str } else { KeysKind::General };
        self.resize(ts, keys::log2_for_entries(self.len().saturating_add(more)), kind)
    }

    /// Moves the entries into a new table of the dict's own; general keys stay general.
    pub(super) fn resize(&self, ts: &ThreadState, log2_size: u8, kind: KeysKind) -> Result<(), NoMemory> {
        let old_table = self.ma_keys.get();
        let old = self.keys();
        let kind = if old.kind() == KeysKind::General { KeysKind::General } else { kind };
        debug_assert!(kind != KeysKind::Split);
        let new_table = DictKeys::new(ts, log2_size, kind)?;
        // SAFETY: the new block is whole; entries are moved, not copied, and the old block is freed
        // without dropping them. Values of a split table move as well, while its keys are counted.
        unsafe {
            let new = &*new_table;
            let values = self.ma_values.get();
            if values.is_null() {
                for index in 0..old.nentries() {
                    let (key, value) = old.entry(index);
                    if !key.is_null() {
                        let (_, hash) = old.key_and_hash(index);
                        new.append(key, hash, value);
                    }
                }
                self.ma_keys.set(new_table);
                if old_table != keys::empty_keys() {
                    DictKeys::free_block(ts, old_table);
                }
            } else {
                let block = &*values;
                for nth in 0..block.size() {
                    let index = block.nth(nth);
                    let (key, hash) = old.key_and_hash(index);
                    (*key).incref();
                    new.append(key, hash, *block.place(index));
                }
                block.abandon();
                self.ma_values.set(ptr::null_mut());
                self.ma_keys.set(new_table);
                DictKeys::decref(ts, old_table);
            }
        }
        Ok(())
    }

    /// Gives a split dict a table of its own, with the values from its object's inline block, which is
    /// invalid afterwards. When there is no memory, the values are dropped and the dict is empty.
    #[cold]
    pub(crate) fn unsplit(&self, ts: &ThreadState) -> Result<(), NoMemory> {
        let result = self.try_unsplit(ts);
        if result.is_err() {
            self.abandon_values(ts);
        }
        result
    }

    /// As [`unsplit`](PyDict::unsplit), but everything stays as it was when there is no memory.
    pub(crate) fn try_unsplit(&self, ts: &ThreadState) -> Result<(), NoMemory> {
        debug_assert!(!self.ma_values.get().is_null());
        self.resize(ts, keys::log2_for_entries(self.len()), KeysKind::Str)
    }

    /// Empties a split dict and its object's inline block, which is invalid afterwards.
    pub(crate) fn abandon_values(&self, ts: &ThreadState) {
        let values = self.ma_values.replace(ptr::null_mut());
        let old_table = self.ma_keys.replace(keys::empty_keys());
        self.ma_used.set(0);
        // SAFETY: D2; the block and the dict do not know each other any more when the values go.
        unsafe {
            DictKeys::decref(ts, old_table);
            (*values).clear(ts, false);
        }
    }

    /// The block of inline values that the dict shows, or null.
    #[inline(always)]
    pub(crate) fn inline_values(&self) -> *mut crate::object::instance::InlineValues {
        self.ma_values.get()
    }

    /// Counts a value that was added to the inline block (`1`) or removed from it (`-1`).
    #[inline(always)]
    pub(crate) fn count_inline_value(&self, change: isize) {
        self.ma_used.set(self.ma_used.get() + change);
    }

    /// Takes the value of an entry out, and removes the entry.
    ///
    /// # Safety
    /// `index` is what a look-up of a key with this hash found, and the table is as it was.
    pub(super) unsafe fn take_index(&self, ts: &ThreadState, index: usize, hash: isize) -> Option<PyRef> {
        let values = self.ma_values.get();
        // SAFETY: the index is good. References are dropped when the table is whole again.
        unsafe {
            if !values.is_null() {
                let old = Ref::from_owned_or_null((*values).replace(index, ptr::null_mut()))?;
                self.ma_used.set(self.ma_used.get() - 1);
                return Some(old);
            }
            let keys = self.keys();
            let (key, value) = keys.entry(index);
            keys.set_index(keys.place_of(hash, index as isize), DUMMY);
            self.forget_entry(index);
            keys.drop_version();
            self.ma_used.set(self.ma_used.get() - 1);
            let value = Ref::from_owned(value);
            decref(ts, key);
            Some(value)
        }
    }

    /// # Safety
    /// The entry's references have been taken over; `index` is below `nentries`.
    unsafe fn forget_entry(&self, index: usize) {
        let keys = self.keys();
        // SAFETY: as the caller says.
        unsafe {
            if keys.kind() == KeysKind::General {
                let entry = keys.general_entry(index);
                (*entry).key = ptr::null_mut();
                (*entry).value = ptr::null_mut();
                (*entry).hash = 0;
            } else {
                let entry = keys.str_entry(index);
                (*entry).key = ptr::null_mut();
                (*entry).value = ptr::null_mut();
            }
        }
    }

    /// Removes the last entry; `None` when there is none.
    pub fn pop_last(&self, ts: &ThreadState) -> Result<Option<(PyRef, PyRef)>, NoMemory> {
        if self.is_empty() {
            return Ok(None);
        }
        if !self.ma_values.get().is_null() {
            self.resize(ts, self.growth(), KeysKind::Str)?;
        }
        let keys = self.keys();
        let mut index = keys.nentries();
        // SAFETY: indices stay below `nentries`; as the dict is not empty, an entry with a key comes.
        unsafe {
            loop {
                index -= 1;
                if !keys.key(index).is_null() {
                    break;
                }
            }
            let (key, hash) = keys.key_and_hash(index);
            let value = keys.entry(index).1;
            keys.set_index(keys.place_of(hash, index as isize), DUMMY);
            self.forget_entry(index);
            // The places behind are free for new entries, but `usable` stays: their numbers are in the
            // index as dummies.
            keys.set_nentries(index);
            keys.drop_version();
            self.ma_used.set(self.ma_used.get() - 1);
            Ok(Some((Ref::from_owned(key), Ref::from_owned(value))))
        }
    }

    /// Removes all entries.
    pub fn clear(&self, ts: &ThreadState) {
        let values = self.ma_values.get();
        if !values.is_null() {
            self.ma_used.set(0);
            // SAFETY: D2; the values are dropped after the block is empty.
            unsafe { (*values).clear(ts, true) };
            return;
        }
        let table = self.ma_keys.replace(keys::empty_keys());
        self.ma_used.set(0);
        // SAFETY: the dict has let go of the table.
        unsafe { DictKeys::decref(ts, table) };
    }

    /// The next entry with its hash, borrowed.
    ///
    /// # Safety
    /// The dict is not changed while the result is used.
    #[inline]
    pub unsafe fn next_borrowed(&self, position: &mut usize) -> Option<(&PyObject, &PyObject, isize)> {
        let keys = self.keys();
        let values = self.ma_values.get();
        // SAFETY: indices are checked; entries own what they point to.
        unsafe {
            if !values.is_null() {
                let block = &*values;
                if *position >= block.size() {
                    return None;
                }
                let index = block.nth(*position);
                *position += 1;
                let (key, hash) = keys.key_and_hash(index);
                return Some((&*key, &**block.place(index), hash));
            }
            let nentries = keys.nentries();
            while *position < nentries {
                let index = *position;
                *position += 1;
                let (key, value) = keys.entry(index);
                if !key.is_null() {
                    let (_, hash) = keys.key_and_hash(index);
                    return Some((&*key, &*value, hash));
                }
            }
        }
        None
    }

    /// Shows the collector the values, and the keys where they may be in a cycle: strings are in none.
    pub(super) fn traverse(&self, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
        let keys = self.keys();
        let values = self.ma_values.get();
        // SAFETY: indices are below the numbers of entries; entries own what they point to, and a traversal changes
        // nothing.
        unsafe {
            if !values.is_null() {
                let block = &*values;
                for nth in 0..block.size() {
                    visitor.object(&**block.place(block.nth(nth)))?;
                }
            } else if self.has_str_keys() {
                for index in 0..keys.nentries() {
                    let value = (*keys.str_entry(index)).value;
                    if !value.is_null() {
                        visitor.object(&*value)?;
                    }
                }
            } else {
                for index in 0..keys.nentries() {
                    let (key, value) = keys.entry(index);
                    if !key.is_null() {
                        visitor.object(&*key)?;
                        visitor.object(&*value)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The entry before `position` (which begins at [`reverse_start`](PyDict::reverse_start)), borrowed.
    ///
    /// # Safety
    /// As for [`next_borrowed`](PyDict::next_borrowed).
    pub(super) unsafe fn previous_borrowed(&self, position: &mut usize) -> Option<(&PyObject, &PyObject)> {
        let keys = self.keys();
        let values = self.ma_values.get();
        // SAFETY: indices are checked; entries own what they point to.
        unsafe {
            if !values.is_null() {
                let block = &*values;
                *position = (*position).min(block.size());
                if *position == 0 {
                    return None;
                }
                *position -= 1;
                let index = block.nth(*position);
                return Some((&*keys.key(index), &**block.place(index)));
            }
            *position = (*position).min(keys.nentries());
            while *position > 0 {
                *position -= 1;
                let (key, value) = keys.entry(*position);
                if !key.is_null() {
                    return Some((&*key, &*value));
                }
            }
        }
        None
    }

    /// Where a walk from the end begins.
    pub(super) fn reverse_start(&self) -> usize {
        let values = self.ma_values.get();
        if values.is_null() {
            self.keys().nentries()
        } else {
            // SAFETY: D2.
            unsafe { (*values).size() }
        }
    }

    /// Whether copying the table as it is makes sense: it is the dict's own, and not mostly deleted.
    pub(super) fn can_clone_table(&self) -> bool {
        self.ma_values.get().is_null() && self.len() >= self.keys().nentries() * 2 / 3
    }

    /// A copy of the dict's own table, not empty, with all references counted.
    pub(super) fn clone_keys(&self, ts: &ThreadState) -> Result<*mut DictKeys, NoMemory> {
        let keys = self.keys();
        let table = keys.duplicate(ts)?;
        for index in 0..keys.nentries() {
            // SAFETY: the index is below `nentries`; the copy owns what is counted here.
            unsafe {
                let (key, value) = keys.entry(index);
                if !key.is_null() {
                    (*key).incref();
                    (*value).incref();
                }
            }
        }
        Ok(table)
    }

    /// Takes the copy of another dict's table over; the dict is empty and not split.
    pub(super) fn adopt_clone(&self, ts: &ThreadState, other: &PyDict) -> Result<(), NoMemory> {
        let table = other.clone_keys(ts)?;
        let old = self.ma_keys.replace(table);
        self.ma_used.set(other.ma_used.get());
        // SAFETY: the dict has let go of the old table.
        unsafe { DictKeys::decref(ts, old) };
        Ok(())
    }

    /// The bytes of the table (`dict.__sizeof__` less the head).
    pub(super) fn table_size(&self) -> usize {
        if self.ma_keys.get() == keys::empty_keys() || !self.ma_values.get().is_null() {
            return 0;
        }
        self.keys().byte_size()
    }

    /// Checks D1 and the keys' invariants; for debug builds and tests.
    #[cfg(any(test, debug_assertions))]
    #[allow(dead_code, reason = "called by tests and while looking for a fault")]
    pub(crate) fn validate(&self) {
        self.keys().validate();
        let mut position = 0;
        let mut count = 0;
        // SAFETY: nothing changes the dict here.
        while unsafe { self.next_borrowed(&mut position) }.is_some() {
            count += 1;
        }
        assert_eq!(count, self.len(), "D1");
        debug_assert!(self.ma_values.get().is_null() == (self.keys().kind() != KeysKind::Split), "D2");
    }
}
