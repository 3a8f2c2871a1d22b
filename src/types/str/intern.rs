//! The interned strings of an interpreter.
//!
//! An open-addressing table of borrowed pointers: a mortal string removes itself when it dies, so that
//! being interned keeps nothing alive. The statics of I4 are not in it: they are found by their character.
//!
//! T1: the number of entries is a power of two, or 0 before the first one.
//! T2: at least a quarter of the entries is vacant, so each search ends.

use core::ptr;
use core::sync::atomic::Ordering as Atomic;

use hognose_allocators::collections::TryVec;
use hognose_allocators::{NoMemory, Raw};

use super::layout::{PyStr, state};
use crate::object::{PyResult, Ref};
use crate::state::ThreadState;
use crate::types::hash::hash_bytes;

/// A place in the table: vacant (null), left by a string that was removed (`GONE`), or a string.
type Entry = *const PyStr;
const GONE: Entry = ptr::without_provenance(1);

/// Entries of the first table: enough for the strings that an interpreter has after its start.
const FIRST: usize = 4096;
/// The same for an interpreter that shares those with others.
const FIRST_BESIDE_COMMON: usize = 64;

/// The interned strings of an interpreter.
pub struct InternTable {
    entries: TryVec<Entry>,
    /// The table of strings that all interpreters of an image share; searched when a string is not in the entries.
    common: &'static [Entry],
    /// Strings.
    live: usize,
    /// Strings and `GONE`s.
    used: usize,
}

impl Default for InternTable {
    fn default() -> InternTable {
        InternTable::new()
    }
}

impl InternTable {
    /// An empty table.
    pub const fn new() -> InternTable {
        InternTable { entries: TryVec::new(), common: &[], live: 0, used: 0 }
    }

    /// How many strings are interned.
    pub fn len(&self) -> usize {
        self.live + self.common.iter().filter(|entry| !entry.is_null()).count()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The places in a table of that size that a hash leads to, in the order of the search.
    #[inline]
    fn probe(size: usize, hash: isize) -> impl Iterator<Item = usize> + use<> {
        let mask = size.wrapping_sub(1);
        let mut at = hash as usize;
        let mut step = 0;
        core::iter::from_fn(move || {
            at = at.wrapping_add(step);
            step += 1;
            Some(at & mask)
        })
    }

    #[inline]
    fn find(&self, hash: isize, matches: impl Fn(&PyStr) -> bool) -> Option<&PyStr> {
        match InternTable::find_in(&self.entries, hash, &matches) {
            None => InternTable::find_in(self.common, hash, &matches),
            found => found,
        }
    }

    #[inline]
    fn find_in(entries: &[Entry], hash: isize, matches: impl Fn(&PyStr) -> bool) -> Option<&PyStr> {
        if entries.is_empty() {
            return None;
        }
        for index in InternTable::probe(entries.len(), hash) {
            let entry = entries[index];
            if entry.is_null() {
                return None;
            }
            if entry != GONE {
                // SAFETY: the strings in the table live: each removes itself when it dies.
                let candidate = unsafe { &*entry };
                if candidate.hash_value() == hash && matches(candidate) {
                    return Some(candidate);
                }
            }
        }
        None
    }

    /// The interned string of this text.
    #[inline]
    pub fn get(&self, text: &PyStr) -> Option<&PyStr> {
        self.find(text.hash_value(), |candidate| candidate.equals(text))
    }

    /// Puts a string in that is not there.
    pub(crate) fn insert(&mut self, text: &PyStr) -> Result<(), NoMemory> {
        if (self.used + 1) * 4 > self.entries.len() * 3 {
            self.rebuild()?;
        }
        for index in InternTable::probe(self.entries.len(), text.hash_value()) {
            let entry = self.entries[index];
            if entry.is_null() || entry == GONE {
                self.used += usize::from(entry.is_null());
                self.live += 1;
                self.entries[index] = text;
                break;
            }
        }
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), NoMemory> {
        let first = if self.common.is_empty() { FIRST } else { FIRST_BESIDE_COMMON };
        let size = ((self.live + 1) * 2).next_power_of_two().max(first);
        let mut entries = TryVec::new();
        entries.try_resize(size, ptr::null())?;
        let old = core::mem::replace(&mut self.entries, entries);
        self.used = self.live;
        for entry in old.iter().copied().filter(|entry| !entry.is_null() && *entry != GONE) {
            // SAFETY: as in `find`.
            let hash = unsafe { &*entry }.hash_value();
            for index in InternTable::probe(self.entries.len(), hash) {
                if self.entries[index].is_null() {
                    self.entries[index] = entry;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Registers a static string of the runtime.
    pub fn add_static(&mut self, text: &'static PyStr) -> Result<(), NoMemory> {
        if self.get(text).is_none() { self.insert(text) } else { Ok(()) }
    }

    /// Takes a dying string out.
    pub(super) fn remove(&mut self, text: &PyStr) {
        if self.entries.is_empty() {
            return;
        }
        for index in InternTable::probe(self.entries.len(), text.hash_value()) {
            let entry = self.entries[index];
            if entry.is_null() {
                return;
            }
            if ptr::eq(entry, text) {
                self.entries[index] = GONE;
                self.live -= 1;
                return;
            }
        }
    }

    /// Empties the table at the end of its interpreter: strings that are still alive are not interned any more.
    pub fn clear(&mut self) {
        for entry in self.entries.iter().copied().filter(|entry| !entry.is_null() && *entry != GONE) {
            // SAFETY: as in `find`.
            let text = unsafe { &*entry };
            if text.state.get() & state::STATIC == 0 {
                text.state.set(text.state.get() & !state::INTERNED);
            }
        }
        *self = InternTable::new();
    }

    /// Where the entries are.
    pub(crate) fn address(&self) -> usize {
        self.entries.as_ptr().addr()
    }

    /// The strings of the table.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PyStr> {
        let strings = self.entries.iter().filter(|entry| !entry.is_null() && **entry != GONE);
        // SAFETY: as in `find`.
        strings.map(|entry| unsafe { &**entry })
    }

    /// A table that others can share ([`InternTable::beside`]), of strings that outlive them.
    pub(crate) fn table_of(texts: &[*const PyStr]) -> Result<TryVec<*const PyStr, Raw>, NoMemory> {
        let mut table = TryVec::<*const PyStr, Raw>::new_in(Raw);
        // T2.
        table.try_resize((texts.len() * 4 / 3 + 1).next_power_of_two(), ptr::null())?;
        for text in texts {
            // SAFETY: the caller's strings live.
            let hash = unsafe { &**text }.hash_value();
            if let Some(index) = InternTable::probe(table.len(), hash).find(|index| table[*index].is_null()) {
                table[index] = *text;
            }
        }
        Ok(table)
    }

    /// An empty table beside a common one.
    ///
    /// # Safety
    /// The common one was made by [`InternTable::table_of`], and outlives this with its strings.
    pub(crate) unsafe fn beside(common: &[*const PyStr]) -> InternTable {
        // SAFETY: the caller's promise.
        let common = unsafe { core::slice::from_raw_parts(common.as_ptr(), common.len()) };
        InternTable { common, ..InternTable::new() }
    }

    /// Checks the table's invariants.
    #[cfg(debug_assertions)]
    pub fn validate(&self) {
        let live = self.entries.iter().filter(|entry| !entry.is_null() && **entry != GONE).count();
        let used = self.entries.iter().filter(|entry| !entry.is_null()).count();
        assert!(self.entries.is_empty() || self.entries.len().is_power_of_two(), "T1");
        assert!(live == self.live && used == self.used, "counts");
        assert!(used * 4 <= self.entries.len() * 3, "T2");
    }
}

/// Registers the runtime's static strings with an interpreter, as the first thing in its life.
pub fn intern_statics(ts: &ThreadState) -> Result<(), NoMemory> {
    // SAFETY: the table is used under the GIL, and never across other code.
    let table = unsafe { &mut *ts.interp().interned.get() };
    crate::object::ids::ALL.iter().try_for_each(|text| table.add_static(text))
}

impl PyStr {
    /// The interned string of a Rust text.
    pub fn intern(ts: &ThreadState, text: &str) -> PyResult<Ref<PyStr>> {
        if text.len() > 1 && text.is_ascii() {
            let hash = hash_bytes(text.as_bytes());
            // SAFETY: the table is used under the GIL, and never across other code.
            let table = unsafe { &*ts.interp().interned.get() };
            if let Some(found) = table.find(hash, |candidate| candidate.equals_str(text)) {
                return Ok(Ref::from_borrowed(found));
            }
            let before = table.live;
            let made = PyStr::new(ts, text)?;
            made.hash.store(hash, Atomic::Relaxed);
            // SAFETY: as above. Who watches new objects may have interned the same text.
            if unsafe { &*ts.interp().interned.get() }.live == before {
                return PyStr::keep(ts, made);
            }
            return PyStr::intern_ref(ts, made);
        }
        PyStr::intern_ref(ts, PyStr::new(ts, text)?)
    }

    /// The interned string with the text of a static one that the interpreter may not know yet.
    pub(crate) fn intern_static(ts: &ThreadState, text: &'static PyStr) -> PyResult<Ref<PyStr>> {
        // SAFETY: the table is used under the GIL, and never across other code.
        let table = unsafe { &mut *ts.interp().interned.get() };
        if let Some(found) = table.get(text) {
            return Ok(Ref::from_borrowed(found));
        }
        table.insert(text)?;
        Ok(Ref::from_borrowed(text))
    }

    /// The interned string of the same text: the string itself when it is the first one.
    ///
    /// An instance of a subclass comes back as it is.
    pub fn intern_ref(ts: &ThreadState, text: Ref<PyStr>) -> PyResult<Ref<PyStr>> {
        if text.is_interned() || !text.is_exact() {
            return Ok(text);
        }
        match text.len() {
            0 => return Ok(PyStr::empty()),
            // I4: a string made elsewhere, as a C program can, may be a twin of the static one.
            1 if text.width() == 1 => return PyStr::from_char(ts, text.char_at(0)),
            _ => {}
        }
        // SAFETY: the table is used under the GIL, and never across other code: comparing and hashing
        // strings runs none.
        let table = unsafe { &mut *ts.interp().interned.get() };
        if let Some(found) = table.get(&text) {
            return Ok(Ref::from_borrowed(found));
        }
        if text.outlives_interpreters() {
            // What others share is nobody's to intern.
            let own = text.copy(ts)?;
            return PyStr::keep(ts, own);
        }
        PyStr::keep(ts, text)
    }

    /// Puts a string into the table that has none of its text.
    fn keep(ts: &ThreadState, text: Ref<PyStr>) -> PyResult<Ref<PyStr>> {
        // SAFETY: the table is used under the GIL, and never across other code: hashing a string runs none.
        unsafe { &mut *ts.interp().interned.get() }.insert(&text)?;
        text.state.set(text.state.get() | state::INTERNED_MORTAL);
        Ok(text)
    }

    /// Whether the string is interned and never dies.
    pub fn is_interned_immortal(&self) -> bool {
        self.state.get() & state::INTERNED >= state::INTERNED_IMMORTAL
    }
}
