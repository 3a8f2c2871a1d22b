//! The cache of look-ups along method resolution orders.
//!
//! Keyed by a type's version tag and an interned name. An entry's value is borrowed: the type's state that
//! the tag stands for keeps it alive, and a changed type never gets the same tag again (I3 of `typeobj`).

use core::cell::Cell;

use super::header::PyObject;
use super::typeobj::PyTypeObject;
use crate::types::str::PyStr;

const BITS: u32 = 12;
const SIZE: usize = 1 << BITS;

struct Entry {
    version: Cell<u32>,
    name: super::Slot<PyStr>,
    value: Cell<*const PyObject>,
}

/// The cache of one interpreter: 4096 entries.
pub struct TypeCache {
    entries: Cell<*mut Entry>,
}

impl TypeCache {
    /// An empty cache; its table is allocated by [`TypeCache::start`].
    pub(crate) const fn new() -> TypeCache {
        TypeCache { entries: Cell::new(core::ptr::null_mut()) }
    }

    /// Allocates the table.
    pub(crate) fn start(&self, heap: &hognose_allocators::Heap) -> Result<(), hognose_allocators::NoMemory> {
        let table = heap.mem_alloc_zeroed(SIZE * size_of::<Entry>()).cast::<Entry>();
        if table.is_null() {
            return Err(hognose_allocators::NoMemory);
        }
        self.entries.set(table);
        Ok(())
    }

    /// Whether there is a table: the first thing that an interpreter gets which is to run code.
    pub(crate) fn is_started(&self) -> bool {
        !self.entries.get().is_null()
    }

    /// Frees the table.
    pub(crate) fn stop(&self, heap: &hognose_allocators::Heap) {
        self.clear();
        let table = self.entries.replace(core::ptr::null_mut());
        if !table.is_null() {
            // SAFETY: the table came from this heap.
            unsafe { heap.mem_free(table.cast()) };
        }
    }

    #[inline(always)]
    fn entry(&self, version: u32, name: &PyStr) -> Option<&Entry> {
        let address = core::ptr::from_ref(name).addr() >> 4;
        let index = (version as usize).wrapping_mul(31).wrapping_add(address) & (SIZE - 1);
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
    pub fn store(&self, typ: &PyTypeObject, name: &PyStr, value: Option<&PyObject>) {
        let version = typ.tp_version_tag.get();
        if version == 0 || !name.is_interned() {
            return;
        }
        if let Some(entry) = self.entry(version, name) {
            entry.version.set(version);
            entry.name.set(Some(super::Ref::from_borrowed(name)));
            entry.value.set(value.map_or(core::ptr::null(), core::ptr::from_ref));
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let table = self.entries.get();
        if table.is_null() {
            return;
        }
        for index in 0..SIZE {
            // SAFETY: the index is below the table's size.
            let entry = unsafe { &*table.add(index) };
            entry.version.set(0);
            entry.value.set(core::ptr::null());
            entry.name.set(None);
        }
    }
}
