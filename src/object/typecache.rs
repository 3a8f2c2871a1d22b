//! The cache of look-ups along method resolution orders.
//!
//! Keyed by a type's version tag and an interned name. An entry's value is borrowed: the type's state that
//! the tag stands for keeps it alive, and a changed type never gets the same tag again (I3 of `typeobj`).

use core::cell::Cell;

use hognose_allocators::{Heap, NoMemory};

use super::header::PyObject;
use super::typeobj::PyTypeObject;
use crate::types::str::PyStr;

/// Entries of the first table, and of the largest one.
const FIRST: usize = 256;
const LARGEST: usize = 4096;

struct Entry {
    version: Cell<u32>,
    name: super::Slot<PyStr>,
    value: Cell<*const PyObject>,
}

/// The cache of one interpreter. It grows as look-ups displace each other.
pub struct TypeCache {
    entries: Cell<*mut Entry>,
    /// The number of entries, a power of two, less one.
    mask: Cell<usize>,
    /// How many entries were displaced in this table.
    displaced: Cell<usize>,
}

impl TypeCache {
    /// An empty cache; its table is allocated by [`TypeCache::start`].
    pub(crate) const fn new() -> TypeCache {
        TypeCache { entries: Cell::new(core::ptr::null_mut()), mask: Cell::new(0), displaced: Cell::new(0) }
    }

    /// Allocates the table.
    pub(crate) fn start(&self, heap: &Heap) -> Result<(), NoMemory> {
        let table = heap.mem_alloc_zeroed(FIRST * size_of::<Entry>()).cast::<Entry>();
        if table.is_null() {
            return Err(NoMemory);
        }
        self.entries.set(table);
        self.mask.set(FIRST - 1);
        Ok(())
    }

    /// Takes a larger table, if there is memory for one.
    #[cold]
    fn grow(&self, heap: &Heap) {
        self.displaced.set(0);
        let (old, size) = (self.entries.get(), self.mask.get() + 1);
        let table = heap.mem_alloc_zeroed(4 * size * size_of::<Entry>()).cast::<Entry>();
        if table.is_null() {
            return;
        }
        self.entries.set(table);
        self.mask.set(4 * size - 1);
        for index in 0..size {
            // SAFETY: the index is below the old table's size. No code runs in here that could look at either table:
            // each name is still held, by its type's dictionary or by the new entry.
            let entry = unsafe { &*old.add(index) };
            let name = entry.name.take();
            if let (Some(name), true) = (&name, entry.version.get() != 0)
                && let Some(new) = self.entry(entry.version.get(), name)
            {
                new.version.set(entry.version.get());
                new.value.set(entry.value.get());
                let _ = new.name.replace(Some(name.clone()));
            }
            drop(name);
        }
        // SAFETY: the old table came from this heap, and is empty.
        unsafe { heap.mem_free(old.cast()) };
    }

    /// Whether there is a table: the first thing that an interpreter gets which is to run code.
    pub(crate) fn is_started(&self) -> bool {
        !self.entries.get().is_null()
    }

    /// Frees the table.
    pub(crate) fn stop(&self, heap: &Heap) {
        self.clear();
        let table = self.entries.replace(core::ptr::null_mut());
        self.mask.set(0);
        self.displaced.set(0);
        if !table.is_null() {
            // SAFETY: the table came from this heap.
            unsafe { heap.mem_free(table.cast()) };
        }
    }

    #[inline(always)]
    fn entry(&self, version: u32, name: &PyStr) -> Option<&Entry> {
        let address = core::ptr::from_ref(name).addr() >> 4;
        let index = (version as usize).wrapping_mul(31).wrapping_add(address) & self.mask.get();
        let table = self.entries.get();
        if table.is_null() {
            return None;
        }
        // SAFETY: the index is masked to the table's size.
        Some(unsafe { &*table.add(index) })
    }

    /// What the cache knows: `Some(None)` is "the type has no such attribute".
    #[inline(always)]
    pub fn find(&self, typ: &PyTypeObject, name: &PyStr) -> Option<Option<&PyObject>> {
        let version = typ.tp_version_tag.get();
        let entry = self.entry(version, name)?;
        // SAFETY: the borrow ends with the comparison.
        let same_name = || unsafe { entry.name.borrow() }.is_some_and(|n| core::ptr::eq(n, name));
        if version != 0 && entry.version.get() == version && same_name() {
            // SAFETY: the type is in the state of the tag, which keeps the value alive.
            return Some(unsafe { entry.value.get().as_ref() });
        }
        None
    }

    /// Remembers a look-up of an interned name (which the cache keeps alive) in a type that has a version tag.
    pub fn store(&self, heap: &Heap, typ: &PyTypeObject, name: &PyStr, value: Option<&PyObject>) {
        let version = typ.tp_version_tag.get();
        if version == 0 || !name.is_interned() {
            return;
        }
        if let Some(entry) = self.entry(version, name) {
            if entry.version.get() != 0 && self.displace() {
                self.grow(heap);
                return;
            }
            entry.version.set(version);
            entry.name.set(Some(super::Ref::from_borrowed(name)));
            entry.value.set(value.map_or(core::ptr::null(), core::ptr::from_ref));
        }
    }

    /// Counts an entry that is displaced; whether it is time for a larger table.
    fn displace(&self) -> bool {
        self.displaced.set(self.displaced.get() + 1);
        self.displaced.get() > self.mask.get() / 4 && self.mask.get() + 1 < LARGEST
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let table = self.entries.get();
        if table.is_null() {
            return;
        }
        for index in 0..=self.mask.get() {
            // SAFETY: the index is below the table's size.
            let entry = unsafe { &*table.add(index) };
            if entry.version.replace(0) == 0 {
                continue;
            }
            entry.value.set(core::ptr::null());
            entry.name.set(None);
        }
    }
}
