//! Large blocks: from the C library, with a header that links them into their heap.
//!
//! ```text
//!   ┌──────┬──────┬──────┬──────┬───────────────┬───────┐ ┌────────────┐
//!   │ prev │ next │ heap │ size │ tag, source   │ check │ │ the user's │
//!   └──────┴──────┴──────┴──────┴───────────────┴───────┘ └────────────┘
//!   48 bytes, so the alignment of 16 is kept              p
//! ```
//!
//! The check word right before the block is what tells a large block from any other pointer: the word
//! before a block of the C library can always be read, and it is a size there.
//!
//! Invariants:
//! - L1: `check` of a live block is its address mixed with a constant.
//! - L2: the list of a tag holds its live large blocks, and the counters are their number and bytes.

use core::ptr;

use super::malloc::{self, Source};
use super::{Heap, Tag};

#[repr(C)]
pub(crate) struct Large {
    prev: *mut Large,
    next: *mut Large,
    pub(crate) heap: *const Heap,
    pub(crate) size: usize,
    pub(crate) tag: Tag,
    source: Source,
    check: usize,
}

pub(crate) const HEADER: usize = size_of::<Large>();
const _: () = assert!(HEADER == 48);

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
pub(crate) unsafe fn header(p: *mut u8) -> Option<ptr::NonNull<Large>> {
    if !(p as usize).is_multiple_of(16) {
        return None;
    }
    // SAFETY: the caller's promise.
    let check = unsafe { p.sub(size_of::<usize>()).cast::<usize>().read() };
    if check == check_of(p) { ptr::NonNull::new(p.wrapping_sub(HEADER).cast()) } else { None }
}

/// Allocates a large block; null on failure or beyond the heap's limit.
pub(crate) fn alloc(heap: &Heap, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
    let Some(total) = size.max(LEAST).checked_add(HEADER) else {
        return ptr::null_mut();
    };
    if !heap.within_limit(tag, size) {
        return ptr::null_mut();
    }
    let (at, source) = malloc::alloc(total, zeroed);
    if at.is_null() {
        return ptr::null_mut();
    }
    let at = at.cast::<Large>();
    let header = Large {
        prev: ptr::null_mut(),
        next: ptr::null_mut(),
        heap,
        size,
        tag,
        source,
        check: check_of(at.wrapping_add(1).cast()),
    };
    // SAFETY: the block is fresh, aligned to 16 and larger than the header.
    unsafe {
        at.write(header);
        link(heap, at);
    }
    let counts = &heap.counts[tag.index()];
    counts.allocations.set(counts.allocations.get() + 1);
    at.wrapping_add(1).cast()
}

/// # Safety
/// `at` is a complete header on no list, of a block of this heap.
unsafe fn link(heap: &Heap, at: *mut Large) {
    // SAFETY: the caller's promise; the head is a live block (L2).
    let (tag, size) = unsafe {
        let counts = &heap.counts[(*at).tag.index()];
        let head = counts.large.get();
        (*at).prev = ptr::null_mut();
        (*at).next = head;
        if !head.is_null() {
            (*head).prev = at;
        }
        counts.large.set(at);
        ((*at).tag, (*at).size)
    };
    let counts = &heap.counts[tag.index()];
    counts.large_blocks.set(counts.large_blocks.get() + 1);
    counts.large_bytes.set(counts.large_bytes.get() + size);
    heap.hold(tag, size);
}

/// # Safety
/// `at` is the header of a live block of this heap.
unsafe fn unlink(heap: &Heap, at: *mut Large) {
    // SAFETY: the caller's promise; neighbours are live blocks (L2).
    let (tag, size) = unsafe {
        let counts = &heap.counts[(*at).tag.index()];
        let (prev, next) = ((*at).prev, (*at).next);
        if prev.is_null() {
            counts.large.set(next);
        } else {
            (*prev).next = next;
        }
        if !next.is_null() {
            (*next).prev = prev;
        }
        ((*at).tag, (*at).size)
    };
    let counts = &heap.counts[tag.index()];
    counts.large_blocks.set(counts.large_blocks.get() - 1);
    counts.large_bytes.set(counts.large_bytes.get() - size);
    heap.unhold(tag, size);
}

/// Frees a large block.
///
/// # Safety
/// `at` is the header of a live block of this heap.
pub(crate) unsafe fn free(heap: &Heap, at: ptr::NonNull<Large>) {
    let at = at.as_ptr();
    // SAFETY: the caller's promise. The check word is spoilt, so a second free does not find it as
    // long as the C library does not give the memory away.
    unsafe {
        unlink(heap, at);
        (*at).check = 0;
        malloc::free(at.cast(), (*at).source);
    }
}

/// Changes the size of a large block; null on failure, and then the block is as before.
///
/// # Safety
/// `at` is the header of a live block of this heap.
pub(crate) unsafe fn realloc(heap: &Heap, at: ptr::NonNull<Large>, size: usize) -> *mut u8 {
    let at = at.as_ptr();
    let Some(total) = size.max(LEAST).checked_add(HEADER) else {
        return ptr::null_mut();
    };
    // SAFETY: the caller's promise.
    let (old, source, tag) = unsafe { ((*at).size, (*at).source, (*at).tag) };
    if size > old && !heap.within_limit(tag, size - old) {
        return ptr::null_mut();
    }
    // The block leaves the list meanwhile, because its neighbours point to it and it may move.
    // SAFETY: the caller's promise; what is linked again is the block that lives then.
    unsafe {
        unlink(heap, at);
        (*at).check = 0;
        let new = malloc::realloc(at.cast(), total, source).cast::<Large>();
        let kept = if new.is_null() { at } else { new };
        if !new.is_null() {
            (*kept).size = size;
        }
        (*kept).check = check_of(kept.wrapping_add(1).cast());
        link(heap, kept);
        if new.is_null() { ptr::null_mut() } else { new.wrapping_add(1).cast() }
    }
}

/// Frees all large blocks of a heap.
///
/// # Safety
/// None of them is used any more.
pub(crate) unsafe fn free_all(heap: &Heap) {
    for tag in Tag::ALL {
        while let Some(at) = ptr::NonNull::new(heap.counts[tag.index()].large.get()) {
            // SAFETY: L2, and the caller's promise.
            unsafe { free(heap, at) };
        }
    }
}

/// Calls `f` with address and size of each large block of a tag.
pub(crate) fn for_each(heap: &Heap, tag: Tag, f: &mut dyn FnMut(*mut u8, usize)) {
    let mut at = heap.counts[tag.index()].large.get();
    while !at.is_null() {
        // SAFETY: L2.
        let (next, size) = unsafe { ((*at).next, (*at).size) };
        f(at.wrapping_add(1).cast(), size);
        at = next;
    }
}

/// Checks L1 and L2; the bytes of the tag's large blocks.
pub(crate) fn validate(heap: &Heap, tag: Tag) -> usize {
    let counts = &heap.counts[tag.index()];
    let (mut blocks, mut bytes, mut prev) = (0, 0, ptr::null_mut());
    let mut at = counts.large.get();
    while !at.is_null() {
        // SAFETY: L2.
        let block = unsafe { &*at };
        assert_eq!(block.check, check_of(at.wrapping_add(1).cast()), "L1: the check word");
        assert!(ptr::eq(block.heap, heap), "L2: a block is on its heap's list");
        assert_eq!(block.prev, prev, "L2: the list is doubly linked");
        assert_eq!(block.tag, tag, "L2: a block is on its tag's list");
        blocks += 1;
        bytes += block.size;
        prev = at;
        at = block.next;
    }
    if heap.kind().counts_held_by_block() {
        return bytes;
    }
    assert_eq!((blocks, bytes), (counts.large_blocks.get(), counts.large_bytes.get()), "L2: counted");
    bytes
}
