//! Large blocks: from the C library, with a header, and an entry in their heap's directory.
//!
//! ```text
//!   ┌──────┬──────┬─────────────────────┬───────┐ ┌────────────┐     directory
//!   │ heap │ size │ entry, tag, source  │ check │ │ the user's │     ┌──────────────┐
//!   └──────┴──────┴──────────┬──────────┴───────┘ └────────────┘     │ 2 × 7 + 1    │ free: next is 7
//!   32 bytes, aligned to 16  └──────────────────────────────────────►│ header       │
//!                                                                    └──────────────┘
//! ```
//!
//! The directory finds all blocks of a heap when it is walked or destroyed. To come or to go costs a
//! block one word of it, and no other block is touched: neighbours of a linked list lie anywhere in
//! memory, and to fetch two of them costs more than the C library's own work.
//!
//! The check word right before the block is what tells a large block from any other pointer: the word
//! before a block of the C library can always be read, and it is a size there.
//!
//! Invariants:
//! - L1: `check` of a live block is its address mixed with a constant.
//! - L2: an entry of the directory is the header of a live block, which knows the entry's number, or
//!   twice the number of the next free entry plus one.
//! - L3: the counters of a tag are the number of its live large blocks and their bytes.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::malloc::{self, Source};
use super::own::Memory;
use super::{Heap, Tag};

#[repr(C)]
pub(crate) struct Large {
    pub(crate) heap: *const Heap,
    pub(crate) size: usize,
    entry: u32,
    pub(crate) tag: Tag,
    source: Source,
    check: usize,
}

pub(crate) const HEADER: usize = size_of::<Large>();
const _: () = assert!(HEADER == 32);

/// The queue of foreign frees links blocks by their first word, so each has one.
const LEAST: usize = 8;

const MIX: usize = 0x9E37_79B9_7F4A_7C15;

/// Read as the size word of a block of the C library, it says "mapped by itself, larger than any block
/// can be": so the raw domain recognises a large block by asking for its usable size, which it does
/// anyway.
fn check_of(p: *mut u8) -> usize {
    (p as usize ^ MIX) | 1 << (usize::BITS - 1) | 2
}

/// The header of `p`, if it is a live large block of any heap (L1).
///
/// # Safety
/// The word before `p` is readable: `p` is a block of some allocator.
#[inline]
pub(crate) unsafe fn header(p: *mut u8) -> Option<NonNull<Large>> {
    if !(p as usize).is_multiple_of(16) {
        return None;
    }
    // SAFETY: the caller's promise.
    let check = unsafe { p.sub(size_of::<usize>()).cast::<usize>().read() };
    if check == check_of(p) { NonNull::new(p.wrapping_sub(HEADER).cast()) } else { None }
}

/* ---- The directory ---- */

/// Where a heap finds its large blocks.
pub(super) struct Directory {
    entries: Cell<*mut usize>,
    memory: Cell<Option<Memory>>,
    /// Entries that were ever used.
    len: Cell<u32>,
    room: Cell<u32>,
    /// The first free entry; [`NONE`] if all that were ever used are in use.
    free: Cell<u32>,
}

const NONE: u32 = u32::MAX;
const FIRST_ROOM: u32 = 64;

impl Directory {
    /// Bytes for the first entries, which lie behind the heap.
    pub(super) const FIRST: usize = FIRST_ROOM as usize * size_of::<usize>();

    /// Says where the first entries are.
    pub(super) fn begin(&self, entries: *mut usize) {
        self.entries.set(entries);
        self.room.set(FIRST_ROOM);
    }

    pub(super) const fn new() -> Self {
        Self {
            entries: Cell::new(ptr::null_mut()),
            memory: Cell::new(None),
            len: Cell::new(0),
            room: Cell::new(0),
            free: Cell::new(NONE),
        }
    }

    /// Enters a block; the number of its entry. `None` if there is no memory for one.
    #[inline]
    fn enter(&self, at: *mut Large) -> Option<u32> {
        let entry = self.free.get();
        if entry == NONE {
            return self.enter_last(at);
        }
        // SAFETY: L2: a free entry holds the number of the next one.
        unsafe {
            let place = self.entries.get().add(entry as usize);
            #[allow(clippy::cast_possible_truncation, reason = "L2: it was made from 32 bits")]
            self.free.set((place.read() >> 1) as u32);
            place.write(at as usize);
        }
        Some(entry)
    }

    /// The same when all entries that were ever used are in use.
    fn enter_last(&self, at: *mut Large) -> Option<u32> {
        let entry = self.len.get();
        if entry == self.room.get() && !self.grow() {
            return None;
        }
        // SAFETY: the entry is below the room.
        unsafe { self.entries.get().add(entry as usize).write(at as usize) };
        self.len.set(entry + 1);
        Some(entry)
    }

    #[cold]
    #[inline(never)]
    fn grow(&self) -> bool {
        let room = self.room.get();
        // Numbers are below the half of 32 bits: more blocks do not fit into the address space of today.
        let Some(wanted) = room.checked_mul(2).filter(|wanted| *wanted < NONE / 2) else {
            return false;
        };
        let Some(memory) = Memory::take(wanted as usize * size_of::<usize>()) else {
            return false;
        };
        let fresh = memory.at.as_ptr().cast::<usize>();
        // SAFETY: the old entries are that many, the new ones more.
        unsafe { ptr::copy_nonoverlapping(self.entries.get(), fresh, room as usize) };
        self.entries.set(fresh);
        self.room.set(wanted);
        if let Some(old) = self.memory.replace(Some(memory)) {
            // SAFETY: nobody has an address of an entry.
            unsafe { old.give() };
        }
        true
    }

    /// # Safety
    /// The entry is in use.
    #[inline]
    unsafe fn clear(&self, entry: u32) {
        // SAFETY: the caller's promise.
        unsafe { self.entries.get().add(entry as usize).write((self.free.get() as usize) << 1 | 1) };
        self.free.set(entry);
    }

    /// # Safety
    /// The entry is in use, and the header at `at` is that of the block, which has moved.
    unsafe fn moved(&self, entry: u32, at: *mut Large) {
        // SAFETY: the caller's promise.
        unsafe { self.entries.get().add(entry as usize).write(at as usize) };
    }

    fn iter(&self) -> impl Iterator<Item = *mut Large> {
        (0..self.len.get() as usize).filter_map(|entry| {
            // SAFETY: entries below `len` are initialized.
            let word = unsafe { self.entries.get().add(entry).read() };
            (word & 1 == 0).then_some(word as *mut Large)
        })
    }
}

/* ---- Blocks ---- */

/// Allocates a large block; null on failure or beyond the heap's limit.
pub(crate) fn alloc(heap: &Heap, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
    let Some(total) = size.max(LEAST).checked_add(HEADER) else {
        return ptr::null_mut();
    };
    if !heap.within_limit(tag, size) {
        return heap.refuse();
    }
    heap.taken_elsewhere(size);
    let (at, source) = malloc::alloc(total, zeroed || heap.blank.get());
    if at.is_null() {
        return ptr::null_mut();
    }
    let at = at.cast::<Large>();
    let Some(entry) = heap.directory.enter(at) else {
        // SAFETY: just allocated, and nobody has seen it.
        unsafe { malloc::free(at.cast(), source) };
        return ptr::null_mut();
    };
    let p = at.wrapping_add(1).cast();
    let header = Large { heap, size, entry, tag, source, check: check_of(p) };
    // SAFETY: the block is fresh, aligned to 16 and larger than the header.
    unsafe { at.write(header) };
    heap.counts[tag.index()].add(size);
    heap.hold(tag, size);
    p
}

/// Frees a large block.
///
/// # Safety
/// `at` is the header of a live block of this heap.
#[inline]
pub(crate) unsafe fn free(heap: &Heap, at: NonNull<Large>) {
    let at = at.as_ptr();
    // SAFETY: the caller's promise. The check word is spoilt, so a second free does not find it as
    // long as the C library does not give the memory away.
    unsafe {
        let (tag, size) = ((*at).tag, (*at).size);
        heap.directory.clear((*at).entry);
        (*at).check = 0;
        malloc::free(at.cast(), (*at).source);
        heap.counts[tag.index()].remove(size);
        heap.unhold(tag, size);
    }
}

/// Changes the size of a large block; null on failure, and then the block is as before.
///
/// # Safety
/// `at` is the header of a live block of this heap.
pub(crate) unsafe fn realloc(heap: &Heap, at: NonNull<Large>, size: usize) -> *mut u8 {
    let at = at.as_ptr();
    let Some(total) = size.max(LEAST).checked_add(HEADER) else {
        return ptr::null_mut();
    };
    // SAFETY: the caller's promise.
    let (old, source, tag, entry) = unsafe { ((*at).size, (*at).source, (*at).tag, (*at).entry) };
    if size > old && !heap.within_limit(tag, size - old) {
        return heap.refuse();
    }
    heap.taken_elsewhere(size.saturating_sub(old));
    // SAFETY: the caller's promise; what the directory names is the block that lives then.
    unsafe {
        (*at).check = 0;
        let new = malloc::realloc(at.cast(), total, source).cast::<Large>();
        let kept = if new.is_null() { at } else { new };
        let p = kept.wrapping_add(1).cast::<u8>();
        (*kept).check = check_of(p);
        if new.is_null() {
            return ptr::null_mut();
        }
        (*kept).size = size;
        if heap.blank.get() && size > old {
            p.add(old).write_bytes(0, size - old);
        }
        heap.directory.moved(entry, kept);
        heap.counts[tag.index()].resize(old, size);
        heap.reheld(tag, old, size);
        p
    }
}

/// Frees all large blocks of a heap, and the directory.
///
/// # Safety
/// None of them is used any more.
pub(crate) unsafe fn free_all(heap: &Heap) {
    for at in heap.directory.iter() {
        // SAFETY: L2, and the caller's promise.
        unsafe {
            (*at).check = 0;
            malloc::free(at.cast(), (*at).source);
        }
    }
    heap.directory.len.set(0);
    if let Some(memory) = heap.directory.memory.take() {
        // SAFETY: it is empty.
        unsafe { memory.give() };
    }
}

/// Calls `f` with address and size of each large block of a tag.
pub(crate) fn for_each(heap: &Heap, tag: Tag, f: &mut dyn FnMut(*mut u8, usize)) {
    for at in heap.directory.iter() {
        // SAFETY: L2.
        let (found, size) = unsafe { ((*at).tag, (*at).size) };
        if found == tag {
            f(at.wrapping_add(1).cast(), size);
        }
    }
}

/// Checks L1 to L3; the bytes of the tag's large blocks.
pub(crate) fn validate(heap: &Heap, tag: Tag) -> usize {
    let directory = &heap.directory;
    let (mut blocks, mut bytes) = (0, 0);
    for entry in 0..directory.len.get() {
        // SAFETY: entries below `len` are initialized.
        let word = unsafe { directory.entries.get().add(entry as usize).read() };
        if word & 1 == 1 {
            let next = word >> 1;
            assert!(next == NONE as usize || next < directory.len.get() as usize, "L2: the free entries are linked");
            continue;
        }
        let at = word as *mut Large;
        // SAFETY: L2.
        let block = unsafe { &*at };
        assert_eq!(block.check, check_of(at.wrapping_add(1).cast()), "L1: the check word");
        assert!(ptr::eq(block.heap, heap), "L2: a block is in its heap's directory");
        assert_eq!(block.entry, entry, "L2: a block knows its entry");
        if block.tag == tag {
            blocks += 1;
            bytes += block.size;
        }
    }
    if heap.kind().counts_held_by_block() {
        return bytes;
    }
    let counts = &heap.counts[tag.index()];
    assert_eq!((blocks, bytes), (counts.blocks(), counts.bytes()), "L3: counted");
    bytes
}
