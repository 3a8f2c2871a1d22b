//! The keys of a dict: one block of the mem domain that holds the hash index and the entries.
//!
//! ```text
//!  DictKeys                  index, 2^log2_size numbers      entries, in the order of insertion
//!  ┌────────────────────────┬──────────────────────────────┬───────────┬───────────┬─────────
//!  │ refcnt log2 kind       │ -1  2  -1  0  -2  1  -1  -1  │ key value │ key value │ key …
//!  │ version usable nentries│ i8, i16, i32 or i64          │ 0         │ 1         │ 2
//!  └────────────────────────┴──────────────────────────────┴───────────┴───────────┴─────────
//! ```
//!
//! An index is the number of an entry, -1 (never used) or -2 (the entry was deleted). An entry of
//! general keys has the hash before the key; entries of string-only keys find it in the string.
//!
//! K1: `usable + nentries` never grows; `nentries` entries are initialized, a deleted one has no key.
//! K2: in `Str` and `Split` keys each key is an exact `str`.
//! K3: `Split` keys are shared: they hold no values, lose no entry, and an entry's index is for ever.
//! K4: `version` is 0, or belongs to exactly this set of keys: whatever adds or removes a key sets it to 0.

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr;

use hognose_allocators::NoMemory;

use crate::object::header::decref as decref_object;
use crate::object::{AsObject, PyObject, PyResult, protocol};
use crate::state::ThreadState;
use crate::types::str::PyStr;

/// An index of the table that no entry has used.
pub(crate) const EMPTY: isize = -1;
/// An index of the table whose entry was deleted.
pub(crate) const DUMMY: isize = -2;
/// The smallest table has eight places.
pub(crate) const MIN_LOG2_SIZE: u8 = 3;
/// How many attribute names the instances of a class share at most.
pub const SHARED_KEYS_MAX: usize = 30;
/// Places for [`SHARED_KEYS_MAX`] entries.
const SHARED_LOG2_SIZE: u8 = 6;
const PERTURB_SHIFT: u32 = 5;

/// What the entries look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum KeysKind {
    /// Keys of any type: entries with a hash.
    General = 0,
    /// Only exact strings.
    Str = 1,
    /// Only exact strings, shared by the instances of a class, which have the values.
    Split = 2,
}

/// The head of the block.
#[repr(C)]
pub struct DictKeys {
    refcnt: Cell<isize>,
    log2_size: u8,
    log2_index_bytes: u8,
    kind: KeysKind,
    unused: u8,
    version: Cell<u32>,
    usable: Cell<isize>,
    nentries: Cell<isize>,
}

/// An entry of general keys.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct GeneralEntry {
    pub(crate) hash: isize,
    pub(crate) key: *mut PyObject,
    pub(crate) value: *mut PyObject,
}

/// An entry of string-only keys.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct StrEntry {
    pub(crate) key: *mut PyObject,
    pub(crate) value: *mut PyObject,
}

#[repr(C)]
struct EmptyKeys {
    head: DictKeys,
    index: [i8; 8],
}

// SAFETY: nothing writes to it: no entry fits in, its count and version are left alone.
unsafe impl Sync for EmptyKeys {}

static EMPTY_KEYS: EmptyKeys = EmptyKeys {
    head: DictKeys {
        refcnt: Cell::new(1),
        log2_size: 0,
        log2_index_bytes: 3,
        kind: KeysKind::Str,
        unused: 0,
        version: Cell::new(0),
        usable: Cell::new(0),
        nentries: Cell::new(0),
    },
    index: [-1; 8],
};

/// The keys that all empty dicts share.
#[inline(always)]
pub(crate) fn empty_keys() -> *mut DictKeys {
    (&raw const EMPTY_KEYS).cast_mut().cast()
}

/// The number of entries that a table of `2^log2_size` places takes.
#[inline(always)]
pub(crate) const fn usable_fraction(log2_size: u8) -> usize {
    ((1usize << log2_size) << 1) / 3
}

/// The size of table that takes at least `minimum` places.
#[inline]
pub(crate) const fn log2_for_places(minimum: usize) -> u8 {
    let minimum = if minimum < 8 { 8 } else { minimum };
    (usize::BITS - (minimum - 1).leading_zeros()) as u8
}

/// The size of table that takes `entries` entries without growing.
#[inline]
pub(crate) const fn log2_for_entries(entries: usize) -> u8 {
    log2_for_places(entries.saturating_mul(3).saturating_add(1) / 2)
}

/// A number of the index table.
trait IndexNumber: Copy {
    fn widen(self) -> isize;
}
impl IndexNumber for i8 {
    #[inline(always)]
    fn widen(self) -> isize {
        self as isize
    }
}
impl IndexNumber for i16 {
    #[inline(always)]
    fn widen(self) -> isize {
        self as isize
    }
}
impl IndexNumber for i32 {
    #[inline(always)]
    fn widen(self) -> isize {
        self as isize
    }
}
impl IndexNumber for i64 {
    #[inline(always)]
    fn widen(self) -> isize {
        self as isize
    }
}

/// The order in which the places of a table are tried for a hash.
pub(crate) struct Probe {
    place: usize,
    perturb: usize,
    mask: usize,
}

impl Probe {
    #[inline(always)]
    pub(crate) fn new(hash: isize, mask: usize) -> Probe {
        Probe { place: hash as usize & mask, perturb: hash as usize, mask }
    }
    #[inline(always)]
    pub(crate) fn place(&self) -> usize {
        self.place
    }
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.perturb >>= PERTURB_SHIFT;
        self.place = self.place.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1) & self.mask;
    }
}

impl DictKeys {
    /// Offset of the version in the block, for whoever checks it inline.
    pub const VERSION_OFFSET: usize = offset_of!(DictKeys, version);

    /// New keys without entries, counted once.
    pub(crate) fn new(ts: &ThreadState, log2_size: u8, kind: KeysKind) -> Result<*mut DictKeys, NoMemory> {
        let usable = if log2_size >= 58 { return Err(NoMemory) } else { usable_fraction(log2_size) };
        DictKeys::with_usable(ts, log2_size, kind, usable)
    }

    /// New keys for the instances of a class, counted once.
    pub(crate) fn new_shared(ts: &ThreadState) -> Result<*mut DictKeys, NoMemory> {
        DictKeys::with_usable(ts, SHARED_LOG2_SIZE, KeysKind::Split, SHARED_KEYS_MAX)
    }

    fn with_usable(ts: &ThreadState, log2_size: u8, kind: KeysKind, usable: usize) -> Result<*mut DictKeys, NoMemory> {
        let log2_index_bytes = match log2_size {
            0..8 => log2_size,
            8..16 => log2_size + 1,
            16..32 => log2_size + 2,
            _ => log2_size + 3,
        };
        let index_bytes = 1usize << log2_index_bytes;
        let entry_size = if kind == KeysKind::General { size_of::<GeneralEntry>() } else { size_of::<StrEntry>() };
        let size = usable
            .checked_mul(entry_size)
            .and_then(|n| n.checked_add(index_bytes + size_of::<DictKeys>()))
            .filter(|n| *n <= isize::MAX as usize)
            .ok_or(NoMemory)?;
        let memory = ts.heap().mem_alloc(size);
        if memory.is_null() {
            return Err(NoMemory);
        }
        let keys = memory.cast::<DictKeys>();
        // SAFETY: the block is `size` bytes large, aligned to 16, and nobody else's; the index, all -1,
        // follows the head.
        unsafe {
            keys.write(DictKeys {
                refcnt: Cell::new(1),
                log2_size,
                log2_index_bytes,
                kind,
                unused: 0,
                version: Cell::new(0),
                usable: Cell::new(usable as isize),
                nentries: Cell::new(0),
            });
            memory.add(size_of::<DictKeys>()).write_bytes(0xff, index_bytes);
        }
        Ok(keys)
    }

    /// Frees the block; the entries' references have been given up or moved.
    ///
    /// # Safety
    /// Nothing uses the block any more, and it is not the shared empty one.
    pub(crate) unsafe fn free_block(ts: &ThreadState, keys: *mut DictKeys) {
        debug_assert!(keys != empty_keys());
        // SAFETY: it came from `mem_alloc` of the same interpreter's heap.
        unsafe { ts.heap().mem_free(keys.cast()) }
    }

    /// Counts one more user of shared keys.
    #[inline]
    pub fn incref(&self) {
        if !ptr::eq(self, empty_keys()) {
            self.refcnt.set(self.refcnt.get() + 1);
        }
    }

    /// Gives up one use; the last one drops the entries and frees the block.
    ///
    /// # Safety
    /// The caller owns a use, which is gone after the call, and no dict or type points here on its behalf.
    pub unsafe fn decref(ts: &ThreadState, keys: *mut DictKeys) {
        if keys == empty_keys() {
            return;
        }
        // SAFETY: the caller's use keeps the block alive here.
        let this = unsafe { &*keys };
        let count = this.refcnt.get() - 1;
        this.refcnt.set(count);
        if count != 0 {
            return;
        }
        for index in 0..this.nentries() {
            // SAFETY: K1; the block is unreachable, so nothing sees the entries being dropped, and
            // each owned reference is given up once.
            unsafe {
                let (key, value) = this.entry(index);
                if !key.is_null() {
                    decref_object(ts, key);
                }
                if !value.is_null() {
                    decref_object(ts, value);
                }
            }
        }
        // SAFETY: that was the last use.
        unsafe { DictKeys::free_block(ts, keys) }
    }

    /// What the entries look like.
    #[inline(always)]
    pub fn kind(&self) -> KeysKind {
        self.kind
    }

    /// The number of entries, deleted ones included.
    #[inline(always)]
    pub fn nentries(&self) -> usize {
        self.nentries.get() as usize
    }

    /// How many more entries fit in.
    #[inline(always)]
    pub fn usable(&self) -> usize {
        self.usable.get() as usize
    }

    /// The logarithm of the number of places.
    #[inline(always)]
    pub(crate) fn log2_size(&self) -> u8 {
        self.log2_size
    }

    /// The number of places less one.
    #[inline(always)]
    pub(crate) fn mask(&self) -> usize {
        (1usize << self.log2_size) - 1
    }

    /// The version as it stands; 0 is none.
    #[inline(always)]
    pub fn version(&self) -> u32 {
        self.version.get()
    }

    /// The version, given now when there was none; 0 when the interpreter has used them up, or for the
    /// empty keys, which all interpreters share.
    pub fn assign_version(&self, ts: &ThreadState) -> u32 {
        if self.version.get() != 0 || ptr::eq(self, empty_keys()) {
            return self.version.get();
        }
        let next = &ts.interp().versions().next_keys;
        let version = next.get();
        if version != 0 {
            // 0 after the last one, and for ever.
            next.set(version.wrapping_add(1));
            self.version.set(version);
        }
        version
    }

    /// K4.
    #[inline(always)]
    pub(crate) fn drop_version(&self) {
        self.version.set(0);
    }

    /// The bytes that the block takes, as `sys.getsizeof` counts them.
    pub(crate) fn byte_size(&self) -> usize {
        let entry_size = if self.kind == KeysKind::General { size_of::<GeneralEntry>() } else { size_of::<StrEntry>() };
        size_of::<DictKeys>() + (1usize << self.log2_index_bytes) + usable_fraction(self.log2_size) * entry_size
    }

    #[inline(always)]
    fn index_table(&self) -> *mut u8 {
        // SAFETY: the index follows the head in the same block.
        unsafe { ptr::from_ref(self).cast_mut().cast::<u8>().add(size_of::<DictKeys>()) }
    }

    #[inline(always)]
    fn entry_table(&self) -> *mut u8 {
        // SAFETY: the entries follow the index in the same block.
        unsafe { self.index_table().add(1 << self.log2_index_bytes) }
    }

    #[inline(always)]
    pub(crate) fn general_entry(&self, index: usize) -> *mut GeneralEntry {
        debug_assert!(self.kind == KeysKind::General);
        // SAFETY: callers name entries of the table.
        unsafe { self.entry_table().cast::<GeneralEntry>().add(index) }
    }

    #[inline(always)]
    pub(crate) fn str_entry(&self, index: usize) -> *mut StrEntry {
        debug_assert!(self.kind != KeysKind::General);
        // SAFETY: callers name entries of the table.
        unsafe { self.entry_table().cast::<StrEntry>().add(index) }
    }

    /// The key and the value of an entry, either may be null.
    ///
    /// # Safety
    /// `index` is below `nentries`.
    #[inline(always)]
    pub(crate) unsafe fn entry(&self, index: usize) -> (*mut PyObject, *mut PyObject) {
        debug_assert!(index < self.nentries());
        // SAFETY: K1.
        unsafe {
            if self.kind == KeysKind::General {
                let entry = self.general_entry(index).read();
                (entry.key, entry.value)
            } else {
                let entry = self.str_entry(index).read();
                (entry.key, entry.value)
            }
        }
    }

    /// The key of an entry, null when it was deleted.
    ///
    /// # Safety
    /// As for [`entry`](DictKeys::entry).
    #[inline(always)]
    pub(crate) unsafe fn key(&self, index: usize) -> *mut PyObject {
        // SAFETY: as the caller says.
        unsafe { self.entry(index).0 }
    }

    /// The key of an entry and its hash; the key is not null.
    ///
    /// # Safety
    /// As for [`entry`](DictKeys::entry), and the entry is not a deleted one.
    #[inline(always)]
    pub(crate) unsafe fn key_and_hash(&self, index: usize) -> (*mut PyObject, isize) {
        // SAFETY: K1; by K2 the key of string-only keys is a string.
        unsafe {
            if self.kind == KeysKind::General {
                let entry = self.general_entry(index);
                ((*entry).key, (*entry).hash)
            } else {
                let key = (*self.str_entry(index)).key;
                (key, (*key.cast::<PyStr>()).hash_value())
            }
        }
    }

    /// Where an entry's value is.
    ///
    /// # Safety
    /// As for [`entry`](DictKeys::entry).
    #[inline(always)]
    pub(crate) unsafe fn value_place(&self, index: usize) -> *mut *mut PyObject {
        // SAFETY: K1.
        unsafe {
            if self.kind == KeysKind::General {
                &raw mut (*self.general_entry(index)).value
            } else {
                &raw mut (*self.str_entry(index)).value
            }
        }
    }

    /// The number in a place of the index.
    #[inline(always)]
    pub(crate) fn index_at(&self, place: usize) -> isize {
        debug_assert!(place <= self.mask());
        let table = self.index_table();
        // SAFETY: `place` is within the table, whose numbers have the width that its size says.
        unsafe {
            match self.log2_size {
                0..8 => *table.cast::<i8>().add(place) as isize,
                8..16 => *table.cast::<i16>().add(place) as isize,
                16..32 => *table.cast::<i32>().add(place) as isize,
                _ => *table.cast::<i64>().add(place) as isize,
            }
        }
    }

    #[inline(always)]
    pub(crate) fn set_index(&self, place: usize, index: isize) {
        debug_assert!(place <= self.mask());
        let table = self.index_table();
        // SAFETY: as in `index_at`; numbers of entries of a table of this size fit.
        unsafe {
            match self.log2_size {
                0..8 => *table.cast::<i8>().add(place) = index as i8,
                8..16 => *table.cast::<i16>().add(place) = index as i16,
                16..32 => *table.cast::<i32>().add(place) = index as i32,
                _ => *table.cast::<i64>().add(place) = index as i64,
            }
        }
    }

    /// The first place for a new entry.
    #[inline]
    fn free_place(&self, hash: isize) -> usize {
        let mut probe = Probe::new(hash, self.mask());
        while self.index_at(probe.place()) >= 0 {
            probe.advance();
        }
        probe.place()
    }

    /// The place that holds the number of an entry.
    pub(crate) fn place_of(&self, hash: isize, index: isize) -> usize {
        let mut probe = Probe::new(hash, self.mask());
        while self.index_at(probe.place()) != index {
            debug_assert!(self.index_at(probe.place()) != EMPTY);
            probe.advance();
        }
        probe.place()
    }

    /// Appends an entry, which takes over the references; there is room, and the key is not there yet.
    #[inline]
    pub(crate) fn append(&self, key: *mut PyObject, hash: isize, value: *mut PyObject) -> usize {
        debug_assert!(self.usable.get() > 0);
        let index = self.nentries();
        self.set_index(self.free_place(hash), index as isize);
        // SAFETY: `usable` says that there is room behind the last entry.
        unsafe {
            if self.kind == KeysKind::General {
                self.general_entry(index).write(GeneralEntry { hash, key, value });
            } else {
                self.str_entry(index).write(StrEntry { key, value });
            }
        }
        self.usable.set(self.usable.get() - 1);
        self.nentries.set(index as isize + 1);
        index
    }

    /// Makes the index anew, when hashes are no longer what they were.
    pub(crate) fn rehash(&self, ts: &ThreadState) -> PyResult<()> {
        // SAFETY: the index has that many bytes.
        unsafe { self.index_table().write_bytes(0xff, 1 << self.log2_index_bytes) };
        for index in 0..self.nentries() {
            // SAFETY: K1; a key that is there is owned.
            let Some(key) = (unsafe { self.key(index).as_ref() }) else { continue };
            let hash = if self.kind == KeysKind::General {
                let hash = protocol::hash(ts, key)?;
                // SAFETY: K1.
                unsafe { (*self.general_entry(index)).hash = hash };
                hash
            } else {
                // K2.
                key.cast::<PyStr>().hash_value()
            };
            self.set_index(self.free_place(hash), index as isize);
        }
        Ok(())
    }

    /// Takes the last entry number away; used by `popitem` and while instances are made.
    #[inline]
    pub(crate) fn set_nentries(&self, nentries: usize) {
        self.nentries.set(nentries as isize);
    }

    /// Lowers the room of shared keys by one (but the last), see `object::instance`.
    #[inline]
    pub(crate) fn shrink_shared(&self) {
        debug_assert!(self.kind == KeysKind::Split);
        if self.usable.get() > 1 {
            self.usable.set(self.usable.get() - 1);
        }
    }

    /// Adds a name to shared keys; `None` when there is no room.
    pub(crate) fn add_shared(&self, name: &PyStr, hash: isize) -> Option<usize> {
        debug_assert!(self.kind == KeysKind::Split);
        if self.usable.get() <= 0 {
            return None;
        }
        self.drop_version();
        name.as_object().incref();
        Some(self.append(name.as_object().as_ptr(), hash, ptr::null_mut()))
    }

    /// Looks a string up in string-only keys: the number of its entry, or -1. Runs no other code.
    #[inline]
    pub(crate) fn lookup_str(&self, key: &PyStr, hash: isize) -> isize {
        debug_assert!(self.kind != KeysKind::General);
        match self.log2_size {
            0..8 => self.probe_str::<i8>(key, hash),
            8..16 => self.probe_str::<i16>(key, hash),
            16..32 => self.probe_str::<i32>(key, hash),
            _ => self.probe_str::<i64>(key, hash),
        }
    }

    #[inline(always)]
    fn probe_str<I: IndexNumber>(&self, key: &PyStr, hash: isize) -> isize {
        let table = self.index_table().cast::<I>();
        let mut probe = Probe::new(hash, self.mask());
        loop {
            // SAFETY: the place is within the table, and the caller chose `I` by the table's size.
            let index = unsafe { *table.add(probe.place()) }.widen();
            if index >= 0 {
                // SAFETY: K1, K2; a number in the index names an entry that is there.
                let found = unsafe { &*(*self.str_entry(index as usize)).key.cast::<PyStr>() };
                if ptr::eq(found, key) || (found.hash_value() == hash && found.equals(key)) {
                    return index;
                }
            } else if index == EMPTY {
                return EMPTY;
            }
            probe.advance();
        }
    }

    /// A copy of the block, counted once; the caller counts what the entries refer to.
    pub(crate) fn duplicate(&self, ts: &ThreadState) -> Result<*mut DictKeys, NoMemory> {
        debug_assert!(self.kind != KeysKind::Split && !ptr::eq(self, empty_keys()));
        let table = DictKeys::new(ts, self.log2_size, self.kind)?;
        let entry_size = if self.kind == KeysKind::General { size_of::<GeneralEntry>() } else { size_of::<StrEntry>() };
        // SAFETY: both blocks have the same shape.
        unsafe {
            let copy = &*table;
            ptr::copy_nonoverlapping(self.index_table(), copy.index_table(), 1 << self.log2_index_bytes);
            ptr::copy_nonoverlapping(self.entry_table(), copy.entry_table(), self.nentries() * entry_size);
            copy.usable.set(self.usable.get());
            copy.nentries.set(self.nentries.get());
        }
        Ok(table)
    }

    /// Checks K1 and K2; for debug builds and tests.
    #[cfg(any(test, debug_assertions))]
    pub(crate) fn validate(&self) {
        let mut indexed = 0;
        for place in 0..=self.mask() {
            let index = self.index_at(place);
            assert!(index >= DUMMY && index < self.nentries.get(), "K1: index {index} of {}", self.nentries.get());
            indexed += usize::from(index >= 0);
        }
        let mut present = 0;
        for index in 0..self.nentries() {
            // SAFETY: `index` is below `nentries`.
            let key = unsafe { self.key(index) };
            if key.is_null() {
                continue;
            }
            present += 1;
            if self.kind != KeysKind::General {
                // SAFETY: an entry owns its key.
                assert!(unsafe { &*key }.downcast_exact::<PyStr>().is_some(), "K2");
            }
        }
        assert_eq!(indexed, present, "K1: each entry has one place");
    }
}

const _: () = assert!(size_of::<DictKeys>() == 32);
