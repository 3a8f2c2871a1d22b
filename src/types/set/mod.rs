//! `set` and `frozenset`: an open table of (key, hash) entries.
//!
//! ```text
//!  PySet                                     entries, a power of two
//!  ┌──────────────────────────┐             ┌──────────┬──────────┬──────────┬─────
//!  │ fill used mask  table ───┼────────────►│ key hash │  0   0   │ DUMMY -1 │ …
//!  │ hash finger              │   or to     └──────────┴──────────┴──────────┴─────
//!  │ small[8]  weak references│◄── itself
//!  └──────────────────────────┘
//! ```
//!
//! A look-up tries a run of neighbours before it jumps, which a processor's cache likes. The order of
//! iteration is the order of the table, so the probing and the growth are visible, and are CPython's.
//!
//! - `algebra.rs`: union, intersection and the like; `methods.rs`: what Python sees; `iter.rs`.
//!
//! S1: `used` keys are there, `fill - used` entries are dummies, and an entry is free: `fill <= mask`.
//! S2: comparing can run Python code; a look-up then checks that the table is still the same, or begins again.

mod algebra;
mod iter;
mod methods;

use core::cell::{Cell, UnsafeCell};
use core::ptr;

use hognose_allocators::NoMemory;

use crate::object::header::decref;
use crate::object::weakref::WeakrefList;
use crate::object::{AsObject, Native, PyObject, PyRef, PyResult, PyTypeObject, Ref, StaticType, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::dict::equal_ints;
use crate::types::dict::{PyDict, unhashable};
use crate::types::str::PyStr;

pub use iter::{PySetIter, SET_ITERATOR_TYPE};
pub use methods::{FROZENSET_TYPE, SET_TYPE};

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&SET_TYPE, &FROZENSET_TYPE, &SET_ITERATOR_TYPE];

/// The entries inside the object.
const SMALL: usize = 8;
/// How many neighbours a look-up tries before it jumps.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;

#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    key: *mut PyObject,
    hash: isize,
}

impl Entry {
    const FREE: Entry = Entry { key: ptr::null_mut(), hash: 0 };

    #[inline(always)]
    fn is_free(&self) -> bool {
        self.key.is_null()
    }
    /// Whether there is a key: neither free nor a dummy.
    #[inline(always)]
    fn is_used(&self) -> bool {
        !self.key.is_null() && self.key != dummy()
    }
}

static DUMMY: u64 = 0;

/// Stands for a key that was removed; never looked into.
#[inline(always)]
fn dummy() -> *mut PyObject {
    (&raw const DUMMY).cast_mut().cast()
}

/// A set or frozenset.
#[repr(C)]
pub struct PySet {
    ob_base: PyObject,
    fill: Cell<usize>,
    used: Cell<usize>,
    mask: Cell<usize>,
    table: Cell<*mut Entry>,
    /// The hash of a frozenset, -1 when it is not known.
    hash: Cell<isize>,
    /// Where `pop` goes on searching.
    finger: Cell<usize>,
    small: UnsafeCell<[Entry; SMALL]>,
    weaklist: WeakrefList,
}

// SAFETY: the struct is `repr(C)` and begins with the header; both types have it as their instances, and
// subtypes only append.
unsafe impl Native for PySet {
    #[inline(always)]
    fn type_object() -> &'static PyTypeObject {
        &SET_TYPE
    }
    #[inline(always)]
    fn check(object: &PyObject) -> bool {
        let typ = object.ob_type();
        ptr::eq(typ, &*SET_TYPE)
            || ptr::eq(typ, &*FROZENSET_TYPE)
            || typ.is_subtype(&SET_TYPE)
            || typ.is_subtype(&FROZENSET_TYPE)
    }
}

/// The hash of a key; raises "cannot use … as a set element" when it has none.
#[inline(always)]
fn key_hash(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    match key.downcast_exact::<PyStr>() {
        Some(string) => Ok(string.hash_value()),
        None => hash_other(ts, key),
    }
}

#[inline(never)]
fn hash_other(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    protocol::hash(ts, key).map_err(|raised| unhashable(ts, key, raised, "a set element"))
}

/// The hash of a key to look for: a set, which has none, is looked for as a frozenset.
fn sought_hash(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    match key_hash(ts, key) {
        Ok(hash) => Ok(hash),
        Err(raised) => match key.downcast::<PySet>() {
            Some(set) if set.is_set() && ts.raised_matches(&crate::types::exceptions::TypeError) => {
                ts.clear_raised(raised);
                Ok(set.content_hash())
            }
            _ => Err(raised),
        },
    }
}

impl PySet {
    /// A new, empty set.
    #[inline]
    pub fn new(ts: &ThreadState) -> PyResult<Ref<PySet>> {
        PySet::new_of(ts, &SET_TYPE)
    }

    /// A new frozenset of the items of an iterable.
    pub fn frozen(ts: &ThreadState, iterable: &PyObject) -> PyResult<Ref<PySet>> {
        PySet::from_iterable(ts, &FROZENSET_TYPE, iterable)
    }

    /// A new, empty instance of `set`, `frozenset` or a subtype.
    pub fn new_of(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PySet>> {
        let set = if ptr::eq(typ, &*SET_TYPE) { alloc::exact::<PySet>(ts)? } else { new_object(ts, typ)? };
        set.mask.set(SMALL - 1);
        set.table.set(set.small.get().cast());
        set.hash.set(-1);
        if !gc::is_tracked(set.as_object()) {
            gc::track(ts, &*set);
        }
        Ok(set)
    }

    /// A new instance of a type with the items of an iterable.
    pub fn from_iterable(ts: &ThreadState, typ: &PyTypeObject, iterable: &PyObject) -> PyResult<Ref<PySet>> {
        let set = PySet::new_of(ts, typ)?;
        set.update(ts, iterable)?;
        Ok(set)
    }

    /// The number of keys.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.used.get()
    }

    /// Whether there is no key.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.used.get() == 0
    }

    /// Whether this is a `set` (or an instance of a subclass), not a `frozenset`.
    #[inline]
    pub fn is_set(&self) -> bool {
        let typ = self.ob_base.ob_type();
        ptr::eq(typ, &*SET_TYPE) || (!ptr::eq(typ, &*FROZENSET_TYPE) && typ.is_subtype(&SET_TYPE))
    }

    /// Whether the type is exactly `set` or `frozenset`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        ptr::eq(self.ob_base.ob_type(), &*SET_TYPE) || self.is_exact_frozenset()
    }

    /// Whether the type is exactly `frozenset`.
    #[inline(always)]
    pub fn is_exact_frozenset(&self) -> bool {
        ptr::eq(self.ob_base.ob_type(), &*FROZENSET_TYPE)
    }

    /// Adds a key, if it is not there.
    #[inline]
    pub fn add(&self, ts: &ThreadState, key: &PyObject) -> PyResult<()> {
        let hash = key_hash(ts, key)?;
        self.add_known_hash(ts, key, hash)
    }

    /// Whether the key is there; a set is looked for as the frozenset equal to it.
    #[inline]
    pub fn contains(&self, ts: &ThreadState, key: &PyObject) -> PyResult<bool> {
        let hash = sought_hash(ts, key)?;
        self.contains_known_hash(ts, key, hash)
    }

    /// Whether the key, whose hash is known, is there.
    #[inline]
    pub fn contains_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<bool> {
        // SAFETY: the entry is looked at before anything else happens.
        Ok(unsafe { !(*self.lookup(ts, key, hash)?).is_free() })
    }

    /// Removes a key; tells whether it was there. A set is looked for as the frozenset equal to it.
    #[inline]
    pub fn discard(&self, ts: &ThreadState, key: &PyObject) -> PyResult<bool> {
        let hash = sought_hash(ts, key)?;
        self.discard_known_hash(ts, key, hash)
    }

    /// Removes a key whose hash is known; tells whether it was there.
    pub fn discard_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<bool> {
        let entry = self.lookup(ts, key, hash)?;
        // SAFETY: nothing has happened since the look-up; the key is dropped when the table is whole.
        unsafe {
            if (*entry).is_free() {
                return Ok(false);
            }
            let old = (*entry).key;
            *entry = Entry { key: dummy(), hash: -1 };
            self.used.set(self.used.get() - 1);
            decref(ts, old);
        }
        Ok(true)
    }

    /// Removes some key and gives it out; `None` when the set is empty.
    pub fn pop(&self) -> Option<PyRef> {
        if self.is_empty() {
            return None;
        }
        let mask = self.mask.get();
        let mut place = self.finger.get() & mask;
        // SAFETY: places are within the table; as the set is not empty, a key comes.
        unsafe {
            while !(*self.entry(place)).is_used() {
                place = (place + 1) & mask;
            }
            let entry = self.entry(place);
            let key = (*entry).key;
            *entry = Entry { key: dummy(), hash: -1 };
            self.used.set(self.used.get() - 1);
            self.finger.set(place + 1);
            Some(Ref::from_owned(key))
        }
    }

    /// The next key; `position` begins at 0 and means nothing to the caller. The set may be changed
    /// between calls: what comes then is unspecified, but whole.
    #[inline]
    pub fn next(&self, position: &mut usize) -> Option<PyRef> {
        self.next_with_hash(position).map(|(key, _)| key)
    }

    /// As [`next`](PySet::next), with the key's hash.
    #[inline]
    pub fn next_with_hash(&self, position: &mut usize) -> Option<(PyRef, isize)> {
        // SAFETY: the reference is counted before anything else happens.
        unsafe { self.next_borrowed(position) }.map(|(key, hash)| (key.new_ref(), hash))
    }

    /// As [`next_with_hash`](PySet::next_with_hash), borrowed.
    ///
    /// # Safety
    /// The set is not changed while the result is used.
    #[inline]
    pub unsafe fn next_borrowed(&self, position: &mut usize) -> Option<(&PyObject, isize)> {
        let mask = self.mask.get();
        while *position <= mask {
            // SAFETY: the place is within the table.
            let entry = unsafe { *self.entry(*position) };
            *position += 1;
            if entry.is_used() {
                // SAFETY: the entry owns its key.
                return Some((unsafe { &*entry.key }, entry.hash));
            }
        }
        None
    }

    /// Removes all keys.
    pub fn clear(&self, ts: &ThreadState) {
        let table = self.table.get();
        let mask = self.mask.get();
        let used = self.fill.get();
        if used == 0 && self.has_small_table() {
            return;
        }
        let mut copy = [Entry::FREE; SMALL];
        let was_small = self.has_small_table();
        if was_small {
            // SAFETY: the small table is whole, and nobody borrows it.
            unsafe { copy = *self.small.get() };
        }
        self.reset_to_small();
        self.hash.set(-1);
        let entries = if was_small { copy.as_mut_ptr() } else { table };
        // SAFETY: the set has let go of these entries; each key is dropped once.
        unsafe {
            for place in 0..=mask {
                let entry = *entries.add(place);
                if entry.is_used() {
                    decref(ts, entry.key);
                }
            }
            if !was_small {
                ts.heap().mem_free(table.cast());
            }
        }
    }

    fn reset_to_small(&self) {
        // SAFETY: nobody borrows the small table.
        unsafe { *self.small.get() = [Entry::FREE; SMALL] };
        self.table.set(self.small.get().cast());
        self.mask.set(SMALL - 1);
        self.fill.set(0);
        self.used.set(0);
        self.finger.set(0);
    }

    #[inline(always)]
    fn has_small_table(&self) -> bool {
        self.table.get() == self.small.get().cast()
    }

    /// # Safety
    /// `place` is not above the mask.
    #[inline(always)]
    unsafe fn entry(&self, place: usize) -> *mut Entry {
        debug_assert!(place <= self.mask.get());
        // SAFETY: the table has `mask + 1` entries.
        unsafe { self.table.get().add(place) }
    }

    /// The entry of a key, or the free one where it would go. Good until something else happens.
    #[inline]
    fn lookup(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<*mut Entry> {
        let string = key.downcast_exact::<PyStr>();
        'again: loop {
            let mask = self.mask.get();
            let table = self.table.get();
            let mut perturb = hash as usize;
            let mut place = perturb & mask;
            loop {
                let last = if place + LINEAR_PROBES <= mask { place + LINEAR_PROBES } else { place };
                for neighbour in place..=last {
                    // SAFETY: `last` is not above the mask, and the table is still the set's.
                    let entry = unsafe { table.add(neighbour) };
                    // SAFETY: the entry is initialized.
                    let Entry { key: found, hash: found_hash } = unsafe { *entry };
                    if found.is_null() || ptr::eq(found, key) {
                        return Ok(entry);
                    }
                    if found_hash != hash || found == dummy() {
                        continue;
                    }
                    // SAFETY: the entry owns its key.
                    let found_key = unsafe { &*found };
                    let known = match string {
                        Some(a) => found_key.downcast_exact::<PyStr>().map(|b| a.equals(b)),
                        None => equal_ints(found_key, key),
                    };
                    match known {
                        Some(true) => return Ok(entry),
                        Some(false) => {}
                        None => {
                            let kept = found_key.new_ref();
                            let equal = protocol::equal(ts, &kept, key);
                            kept.release(ts);
                            let equal = equal?;
                            // S2. The entry is only looked at in a table of the same shape.
                            if self.table.get() != table
                                || self.mask.get() != mask
                                // SAFETY: just checked.
                                || unsafe { (*entry).key } != found
                            {
                                continue 'again;
                            }
                            if equal {
                                return Ok(entry);
                            }
                        }
                    }
                }
                perturb >>= PERTURB_SHIFT;
                place = place.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
            }
        }
    }

    /// Adds a key whose hash is known.
    pub fn add_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<()> {
        let entry = self.lookup(ts, key, hash)?;
        // SAFETY: nothing has happened since the look-up.
        unsafe {
            if !(*entry).is_free() {
                return Ok(());
            }
            // Growing comes after the insertion. When it fails and a free entry is left (S1), the set is
            // merely fuller than it should be; otherwise the key is taken out again.
            key.incref();
            *entry = Entry { key: key.as_ptr(), hash };
        }
        self.fill.set(self.fill.get() + 1);
        self.used.set(self.used.get() + 1);
        if self.fill.get() * 5 < self.mask.get() * 3 {
            return Ok(());
        }
        if let Err(error) = self.resize(ts, self.growth()) {
            if self.fill.get() < self.mask.get() {
                return Ok(());
            }
            // SAFETY: the entry was filled just now.
            unsafe { *entry = Entry::FREE };
            self.fill.set(self.fill.get() - 1);
            self.used.set(self.used.get() - 1);
            // SAFETY: the table's reference; the caller has another.
            unsafe { decref(ts, key.as_ptr()) };
            return Err(error.into());
        }
        Ok(())
    }

    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.hash.set(-1);
    }

    /// How many entries the table has.
    pub(crate) fn places(&self) -> usize {
        self.mask.get() + 1
    }

    /// Puts the keys where their hashes of now lead to, without the dummies. `room` has a word for each entry of the
    /// table; no two keys are equal. When a key cannot be hashed, it and those behind it are in no set any more, and live on.
    pub(crate) fn rehash(&self, ts: &ThreadState, room: &mut [usize]) -> PyResult<()> {
        let places = self.places();
        let mut count = 0;
        for place in 0..places {
            // SAFETY: the place is within the table.
            let entry = unsafe { self.entry(place) };
            // SAFETY: the entry is initialized.
            let found = unsafe { *entry };
            if found.is_used() {
                room[count] = found.key.expose_provenance();
                count += 1;
            }
            // SAFETY: as above.
            unsafe { *entry = Entry::FREE };
        }
        self.fill.set(0);
        self.used.set(0);
        for key in &room[..count] {
            let key = core::ptr::with_exposed_provenance_mut::<PyObject>(*key);
            // SAFETY: the set owns its keys.
            let hash = key_hash(ts, unsafe { &*key })?;
            // SAFETY: the table has as many free entries as there were keys.
            unsafe { insert_clean(self.table.get(), self.mask.get(), Entry { key, hash }) };
            self.fill.set(self.fill.get() + 1);
            self.used.set(self.used.get() + 1);
        }
        Ok(())
    }

    #[inline]
    fn growth(&self) -> usize {
        let used = self.used.get();
        if used > 50_000 { used.saturating_mul(2) } else { used * 4 }
    }

    /// Moves the keys into a table that has more than `minimum` entries, without the dummies.
    fn resize(&self, ts: &ThreadState, minimum: usize) -> Result<(), NoMemory> {
        let mut size = SMALL;
        while size <= minimum {
            size = size.checked_mul(2).ok_or(NoMemory)?;
        }
        let old_table = self.table.get();
        let old_mask = self.mask.get();
        let old_is_small = self.has_small_table();
        // The small table goes through a copy when it is both the old one and the new one.
        let mut copy = [Entry::FREE; SMALL];
        let mut source = old_table;
        let table = if size == SMALL {
            if old_is_small {
                if self.fill.get() == self.used.get() {
                    return Ok(());
                }
                // SAFETY: nobody borrows the small table.
                copy.copy_from_slice(unsafe { &*self.small.get() });
                source = copy.as_mut_ptr();
            }
            let table = self.small.get().cast::<Entry>();
            // SAFETY: as above.
            unsafe { *self.small.get() = [Entry::FREE; SMALL] };
            table
        } else {
            let bytes = size.checked_mul(size_of::<Entry>()).filter(|n| *n <= isize::MAX as usize).ok_or(NoMemory)?;
            let table = ts.heap().mem_alloc_zeroed(bytes).cast::<Entry>();
            if table.is_null() {
                return Err(NoMemory);
            }
            table
        };
        // SAFETY: the new table has `size` free entries, more than there are keys; each key moves once.
        unsafe {
            for place in 0..=old_mask {
                let entry = *source.add(place);
                if entry.is_used() {
                    insert_clean(table, size - 1, entry);
                }
            }
            if !old_is_small {
                ts.heap().mem_free(old_table.cast());
            }
        }
        self.table.set(table);
        self.mask.set(size - 1);
        self.fill.set(self.used.get());
        Ok(())
    }

    /// Adds the items of any iterable.
    pub fn update(&self, ts: &ThreadState, iterable: &PyObject) -> PyResult<()> {
        if let Some(other) = iterable.downcast::<PySet>() {
            return self.merge(ts, other);
        }
        if let Some(dict) = iterable.downcast_exact::<PyDict>() {
            self.reserve(ts, dict.len())?;
            let mut position = 0;
            while let Some((key, _, hash)) = dict.next_with_hash(&mut position) {
                self.add_known_hash(ts, &key, hash)?;
            }
            return Ok(());
        }
        let iterator = protocol::iter(ts, iterable)?;
        while let Some(item) = protocol::next(ts, &iterator)? {
            self.add(ts, &item)?;
        }
        Ok(())
    }

    /// Grows for `more` keys that are about to be added.
    fn reserve(&self, ts: &ThreadState, more: usize) -> Result<(), NoMemory> {
        if self.fill.get().saturating_add(more).saturating_mul(5) >= self.mask.get() * 3 {
            self.resize(ts, self.used.get().saturating_add(more).saturating_mul(2))?;
        }
        Ok(())
    }

    /// Adds the keys of another set.
    fn merge(&self, ts: &ThreadState, other: &PySet) -> PyResult<()> {
        if ptr::eq(self, other) || other.is_empty() {
            return Ok(());
        }
        self.reserve(ts, other.len())?;
        if self.fill.get() == 0 {
            // No comparison is needed, so nothing runs in between.
            let same_shape = self.mask.get() == other.mask.get() && other.fill.get() == other.used.get();
            let mask = self.mask.get();
            // SAFETY: places are within the tables; our table is free, and large enough.
            unsafe {
                for place in 0..=other.mask.get() {
                    let entry = *other.entry(place);
                    if !entry.is_used() {
                        continue;
                    }
                    (*entry.key).incref();
                    if same_shape {
                        *self.entry(place) = entry;
                    } else {
                        insert_clean(self.table.get(), mask, entry);
                    }
                }
            }
            self.fill.set(other.used.get());
            self.used.set(other.used.get());
            return Ok(());
        }
        let mut position = 0;
        while let Some((key, hash)) = other.next_with_hash(&mut position) {
            self.add_known_hash(ts, &key, hash)?;
        }
        Ok(())
    }

    /// Takes over the other set's content and gives it ours; hashes that were known are forgotten.
    fn swap_content(&self, other: &PySet) {
        // SAFETY: nobody borrows the small tables; a table pointer to the small one of its set is set anew.
        unsafe { ptr::swap(self.small.get(), other.small.get()) };
        let (ours_small, theirs_small) = (self.has_small_table(), other.has_small_table());
        self.table.swap(&other.table);
        if theirs_small {
            self.table.set(self.small.get().cast());
        }
        if ours_small {
            other.table.set(other.small.get().cast());
        }
        self.fill.swap(&other.fill);
        self.used.swap(&other.used);
        self.mask.swap(&other.mask);
        self.finger.set(0);
        other.finger.set(0);
        self.hash.set(-1);
        other.hash.set(-1);
    }

    /// The hash of the content, as a frozenset has it. Runs no Python code.
    fn content_hash(&self) -> isize {
        if self.hash.get() != -1 {
            return self.hash.get();
        }
        let mut hash = 0usize;
        let mut position = 0;
        // SAFETY: nothing changes the set here.
        while let Some((_, key_hash)) = unsafe { self.next_borrowed(&mut position) } {
            hash ^= shuffle(key_hash as usize);
        }
        hash ^= self.len().wrapping_add(1).wrapping_mul(1_927_868_237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        if hash as isize == -1 {
            hash = 590_923_713;
        }
        hash as isize
    }

    /// The bytes of a table outside the object.
    fn table_size(&self) -> usize {
        if self.has_small_table() { 0 } else { (self.mask.get() + 1) * size_of::<Entry>() }
    }

    /// Checks S1; for debug builds and tests.
    #[cfg(any(test, debug_assertions))]
    #[allow(dead_code, reason = "called by tests and while looking for a fault")]
    pub(crate) fn validate(&self) {
        let (mut used, mut dummies) = (0, 0);
        for place in 0..=self.mask.get() {
            // SAFETY: the place is within the table.
            let entry = unsafe { *self.entry(place) };
            used += usize::from(entry.is_used());
            dummies += usize::from(entry.key == dummy());
        }
        assert_eq!(used, self.used.get(), "S1");
        assert_eq!(used + dummies, self.fill.get(), "S1");
        assert!(self.fill.get() <= self.mask.get(), "S1");
    }
}

/// Spreads the bits of a key's hash, as keys are often near each other.
#[inline(always)]
fn shuffle(hash: usize) -> usize {
    ((hash ^ 89_869_747) ^ (hash << 16)).wrapping_mul(3_644_798_167)
}

/// Puts an entry in a table without dummies in which the key is not.
///
/// # Safety
/// The table has `mask + 1` entries, one of them free.
#[inline]
unsafe fn insert_clean(table: *mut Entry, mask: usize, entry: Entry) {
    let mut perturb = entry.hash as usize;
    let mut place = perturb & mask;
    loop {
        let last = if place + LINEAR_PROBES <= mask { place + LINEAR_PROBES } else { place };
        for neighbour in place..=last {
            // SAFETY: `last` is not above the mask.
            unsafe {
                if (*table.add(neighbour)).is_free() {
                    *table.add(neighbour) = entry;
                    return;
                }
            }
        }
        perturb >>= PERTURB_SHIFT;
        place = place.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
    }
}

/// Memory for an instance of `frozenset` or of a subtype of either.
fn new_object(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PySet>> {
    alloc::object::<PySet>(ts, typ)
}
