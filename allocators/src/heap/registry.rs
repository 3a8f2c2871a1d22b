//! The heaps that exist, for those few who have to look at all of them: the exchange of a table, a
//! free from a thread that has not attached the block's heap, and the search for a block's owner.
//!
//! Invariant R1: a heap is on the list from the end of its construction to the start of its
//! destruction, so a heap that is found on it under the lock can be used under the lock.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::Heap;
use super::arena::Arena;
use super::own::Memory;
use super::page::Page;
use crate::domain::Domain;
use crate::lock::Lock;

pub(crate) struct Heaps {
    first: *const Heap,
}
// SAFETY: the pointers are used under the lock, and then only what several threads may read of a heap.
unsafe impl Send for Heaps {}

pub(crate) static HEAPS: Lock<Heaps> = Lock::new(Heaps { first: ptr::null() });

/// Whether any heap has, or had, an arena outside the reserved range.
static OUTSIDE: AtomicBool = AtomicBool::new(false);

impl Heaps {
    pub(crate) fn iter(&self) -> impl Iterator<Item = *const Heap> {
        let mut at = self.first;
        core::iter::from_fn(move || {
            let heap = at;
            if heap.is_null() {
                return None;
            }
            // SAFETY: R1, and the caller holds the lock, without which there is no `self`.
            at = unsafe { (*heap).registry_next.get() };
            Some(heap)
        })
    }

    pub(crate) fn has(&self, heap: *const Heap) -> bool {
        !heap.is_null() && self.iter().any(|found| ptr::eq(found, heap))
    }
}

/// Adds a heap (R1).
pub(crate) fn add(heap: *const Heap) {
    // No table is exchanged meanwhile: the flags that are read are those that stay (T2).
    let _writer = crate::table::WRITER.lock();
    let mut heaps = HEAPS.lock();
    // SAFETY: the caller has just made the heap.
    unsafe {
        (*heap).registry_next.set(heaps.first);
        (*heap).set_direct(Domain::Mem, crate::table::is_direct(Domain::Mem));
        (*heap).set_direct(Domain::Obj, crate::table::is_direct(Domain::Obj));
    }
    heaps.first = heap;
}

/// Sets a heap's flags again after its mark has changed. The caller holds the lock of the tables.
pub(crate) fn refresh(heap: &Heap) {
    for domain in [Domain::Mem, Domain::Obj] {
        heap.set_direct(domain, crate::table::is_direct(domain));
    }
}

/// Takes a heap off (R1).
pub(crate) fn remove(heap: *const Heap) {
    let mut heaps = HEAPS.lock();
    let mut link: *mut *const Heap = &raw mut heaps.first;
    // SAFETY: the links are the list's head and the fields of heaps on it, under the lock.
    unsafe {
        while !(*link).is_null() {
            if ptr::eq(*link, heap) {
                *link = (*heap).registry_next.get();
                return;
            }
            link = (**link).registry_next.as_ptr();
        }
    }
}

/// Whether there is a heap.
pub(crate) fn any() -> bool {
    HEAPS.lock().iter().next().is_some()
}

/// Whether any heap has, or had, an arena outside the reserved range.
pub(crate) fn any_outside() -> bool {
    OUTSIDE.load(Ordering::Relaxed)
}

/// Tells all heaps whether their inlined paths may be taken in a domain.
pub(crate) fn set_direct(domain: Domain, direct: bool) {
    if domain == Domain::Raw {
        return;
    }
    let heaps = HEAPS.lock();
    for heap in heaps.iter() {
        // SAFETY: R1; the flags are atomic.
        unsafe { (*heap).set_direct(domain, direct) };
    }
}

/* ---- Arenas outside the reserved range ---- */

/// A growing array of arenas, sorted by address. Changed and searched by others only under the lock;
/// its own heap searches without.
pub(crate) struct Outside {
    items: *mut *mut Arena,
    memory: Option<Memory>,
    len: usize,
    room: usize,
}

impl Outside {
    pub(crate) const fn new() -> Self {
        Self { items: ptr::null_mut(), memory: None, len: 0, room: 0 }
    }

    fn as_slice(&self) -> &[*mut Arena] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the first `len` items are initialized.
        unsafe { core::slice::from_raw_parts(self.items, self.len) }
    }

    fn position(&self, at: *mut u8) -> usize {
        self.as_slice().partition_point(|arena| arena.cast::<u8>() <= at)
    }

    fn find(&self, p: *mut u8) -> Option<*mut Page> {
        let arena = *self.as_slice().get(self.position(p).checked_sub(1)?)?;
        // SAFETY: the items are live arenas of the heap.
        unsafe { (*arena).find(p).map(|page| ptr::from_ref(page).cast_mut()) }
    }

    /// Takes over an array with more room; the old one.
    fn extend(&mut self, memory: Memory, room: usize) -> Option<Memory> {
        let items = memory.at.as_ptr().cast::<*mut Arena>();
        if self.len != 0 {
            // SAFETY: the old items are that many, and the new array has room for more.
            unsafe { ptr::copy_nonoverlapping(self.items, items, self.len) };
        }
        self.items = items;
        self.room = room;
        self.memory.replace(memory)
    }

    /// Enters an arena; there is room for it.
    fn insert(&mut self, arena: *mut Arena) {
        // SAFETY: the arena is live; there is room for one more.
        unsafe {
            let index = self.position(arena.cast());
            let at = self.items.add(index);
            ptr::copy(at, at.add(1), self.len - index);
            at.write(arena);
        }
        self.len += 1;
    }

    fn remove(&mut self, arena: *mut Arena) {
        if let Some(index) = self.as_slice().iter().position(|found| ptr::eq(*found, arena)) {
            // SAFETY: the items behind it are initialized.
            unsafe {
                let at = self.items.add(index);
                ptr::copy(at.add(1), at, self.len - index - 1);
            }
            self.len -= 1;
        }
    }

    pub(crate) fn release(&mut self) {
        if let Some(memory) = self.memory.take() {
            // SAFETY: nobody looks into the array any more.
            unsafe { memory.give() };
        }
        *self = Self::new();
    }
}

/// Enters an arena that lies outside. False if there is no memory for the entry.
pub(crate) fn add_outside(heap: &Heap, arena: *mut Arena) -> bool {
    // SAFETY: only the heap's owner, who calls, changes the array.
    let (len, room) = unsafe { ((*heap.outside.get()).len, (*heap.outside.get()).room) };
    // The raw domain may be anybody's, so it is called without the lock.
    let mut more = None;
    if len == room {
        let room = (room * 2).max(8);
        match Memory::take(room * size_of::<*mut Arena>()) {
            Some(memory) => more = Some((memory, room)),
            None => return false,
        }
    }
    let old = {
        let _heaps = HEAPS.lock();
        OUTSIDE.store(true, Ordering::Relaxed);
        // SAFETY: as above, and under the lock, since others search the array.
        let outside = unsafe { &mut *heap.outside.get() };
        let old = more.and_then(|(memory, room)| outside.extend(memory, room));
        outside.insert(arena);
        old
    };
    if let Some(old) = old {
        // SAFETY: the array was exchanged under the lock.
        unsafe { old.give() };
    }
    true
}

pub(crate) fn remove_outside(heap: &Heap, arena: *mut Arena) {
    let _heaps = HEAPS.lock();
    // SAFETY: as in `add_outside`.
    unsafe { (*heap.outside.get()).remove(arena) }
}

/// The page of a small block of this heap in an arena that lies outside.
#[inline]
pub(crate) fn find_outside(heap: &Heap, p: *mut u8) -> Option<*mut Page> {
    // SAFETY: the heap's owner asks, and only the owner changes the array.
    unsafe { if (*heap.outside.get()).len == 0 { None } else { (*heap.outside.get()).find(p) } }
}

/// The same for all heaps.
pub(crate) fn find_outside_any(heaps: &Heaps, p: *mut u8) -> Option<*mut Page> {
    if !OUTSIDE.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: R1, and the arrays change only under the lock that the caller holds.
    heaps.iter().find_map(|heap| unsafe { (*(*heap).outside.get()).find(p) })
}
