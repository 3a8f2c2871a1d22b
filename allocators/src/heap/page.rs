//! A page: 16 KiB, aligned to its size, that holds blocks of one size class and one tag.
//!
//! ```text
//!   page address = block address & !(PAGE_SIZE - 1)
//!   ┌──────────────┬───────┬───────┬───────┬──── … ──┬────────────────┐
//!   │ header, 80 B │ block │ block │ block │         │ not yet carved │
//!   └──────────────┴───────┴───────┴───────┴──── … ──┴────────────────┘
//!          │ free ─────────────┘▲ next free: first word of a free block
//! ```
//!
//! Invariants:
//! - P1: the blocks that are carved and not on the free list are `allocs - frees` in number.
//! - P2: a page is current, on the partial list of its class, or full and on no list.
//! - P3: `wake` is the value of `frees` at which the slow path has something to do: for a current page
//!   never (under `guard` when a sample may be due), for a partial page when it is empty, for a full page when an eighth of it is free again.
//! - P4: `heap` is null exactly if the page is not in use, so a late free is seen.

use core::cell::Cell;
use core::ptr;

use super::Heap;
use super::Tag;
use super::arena::Arena;

/// Size and alignment of a page, in bytes.
pub const PAGE_SIZE: usize = 16 * 1024;
/// The largest request, in bytes, that is served from a page.
pub const SMALL_LIMIT: usize = 512;
/// Distance between two size classes.
pub(crate) const STEP: usize = 16;
/// Number of size classes.
pub(crate) const CLASSES: usize = SMALL_LIMIT / STEP;
/// What is carved at once: the next page of the operating system is touched only when it is needed.
const CARVE: usize = 4096;

/// A block that is free: its first word links the page's free list.
pub(crate) struct Block {
    pub(crate) next: *mut Block,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Current,
    Partial,
    Full,
}

#[repr(C)]
pub(crate) struct Page {
    pub(crate) free: Cell<*mut Block>,
    pub(crate) heap: Cell<*const Heap>,
    pub(crate) frees: Cell<u64>,
    pub(crate) wake: Cell<u64>,
    pub(crate) allocs: Cell<u64>,
    pub(crate) next: Cell<*mut Page>,
    pub(crate) prev: Cell<*mut Page>,
    pub(crate) arena: Cell<*mut Arena>,
    block_size: Cell<u16>,
    capacity: Cell<u16>,
    carved: Cell<u16>,
    class: Cell<u8>,
    tag: Cell<Tag>,
    pub(crate) state: Cell<State>,
}

pub(crate) const HEADER: usize = 80;
const _: () = assert!(size_of::<Page>() <= HEADER && HEADER.is_multiple_of(16));

/// The page that never has a block: what a class without a page points to, so that the fast path needs
/// no test for it.
pub(crate) struct Empty(Page);
// SAFETY: the empty page is only read.
unsafe impl Sync for Empty {}

pub(crate) static EMPTY: Empty = Empty(Page {
    free: Cell::new(ptr::null_mut()),
    heap: Cell::new(ptr::null()),
    frees: Cell::new(0),
    wake: Cell::new(u64::MAX),
    allocs: Cell::new(0),
    next: Cell::new(ptr::null_mut()),
    prev: Cell::new(ptr::null_mut()),
    arena: Cell::new(ptr::null_mut()),
    block_size: Cell::new(0),
    capacity: Cell::new(0),
    carved: Cell::new(0),
    class: Cell::new(0),
    tag: Cell::new(Tag::Mem),
    state: Cell::new(State::Current),
});

/// The address of the empty page.
pub(crate) fn empty() -> *mut Page {
    (&raw const EMPTY.0).cast_mut()
}

/// The address of the page of a small block.
#[inline(always)]
pub(crate) fn of(p: *mut u8) -> *mut Page {
    (p as usize & !(PAGE_SIZE - 1)) as *mut Page
}

/// The size class of a request, [`CLASSES`] or more if it is not small. Zero counts as not small here:
/// the slow path turns it into one.
#[inline(always)]
pub(crate) const fn class_of(size: usize) -> usize {
    size.wrapping_sub(1) / STEP
}

impl Page {
    /// Makes the fresh memory at `at` a page.
    ///
    /// # Safety
    /// `at` is aligned to, and writable for, [`PAGE_SIZE`] bytes that nobody uses.
    pub(crate) unsafe fn init(at: *mut u8, heap: *const Heap, arena: *mut Arena, tag: Tag, class: usize) -> *mut Self {
        let block_size = (class + 1) * STEP;
        let page = at.cast::<Self>();
        #[allow(clippy::cast_possible_truncation, reason = "at most 1019 blocks of 512 bytes, 32 classes")]
        let header = Self {
            free: Cell::new(ptr::null_mut()),
            heap: Cell::new(heap),
            frees: Cell::new(0),
            wake: Cell::new(u64::MAX),
            allocs: Cell::new(0),
            next: Cell::new(ptr::null_mut()),
            prev: Cell::new(ptr::null_mut()),
            arena: Cell::new(arena),
            block_size: Cell::new(block_size as u16),
            capacity: Cell::new(((PAGE_SIZE - HEADER) / block_size) as u16),
            carved: Cell::new(0),
            class: Cell::new(class as u8),
            tag: Cell::new(tag),
            state: Cell::new(State::Current),
        };
        // SAFETY: the caller's promise.
        unsafe { page.write(header) };
        page
    }

    pub(crate) fn block_size(&self) -> usize {
        usize::from(self.block_size.get())
    }

    pub(crate) fn capacity(&self) -> usize {
        usize::from(self.capacity.get())
    }

    pub(crate) fn carved(&self) -> usize {
        usize::from(self.carved.get())
    }

    pub(crate) fn class(&self) -> usize {
        usize::from(self.class.get())
    }

    pub(crate) fn tag(&self) -> Tag {
        self.tag.get()
    }

    /// Blocks in use.
    pub(crate) fn used(&self) -> usize {
        (self.allocs.get() - self.frees.get()) as usize
    }

    /// Whether no block of the page is in use.
    pub(crate) fn is_unused(&self) -> bool {
        self.allocs.get() == self.frees.get()
    }

    pub(crate) fn block(&self, index: usize) -> *mut u8 {
        let base = ptr::from_ref(self).cast::<u8>().cast_mut();
        base.wrapping_add(HEADER + index * self.block_size())
    }

    /// Puts the next blocks of the page that were never used on its free list, in the order of their
    /// addresses. False if there are none.
    pub(crate) fn carve(&self) -> bool {
        let (carved, capacity) = (self.carved(), self.capacity());
        let count = (CARVE / self.block_size()).min(capacity - carved);
        if count == 0 {
            return false;
        }
        let mut next = self.free.get();
        for index in (carved..carved + count).rev() {
            let block = self.block(index).cast::<Block>();
            // SAFETY: the block lies inside the page and was never handed out.
            unsafe { (*block).next = next };
            next = block;
        }
        self.free.set(next);
        #[allow(clippy::cast_possible_truncation, reason = "at most the capacity")]
        self.carved.set((carved + count) as u16);
        true
    }

    /// Takes the first free block; null if there is none.
    #[inline(always)]
    pub(crate) fn pop(&self) -> *mut u8 {
        let block = self.free.get();
        if !block.is_null() {
            // SAFETY: P1: what is on the free list is a block of this page that nobody uses.
            self.free.set(unsafe { (*block).next });
            self.allocs.set(self.allocs.get() + 1);
        }
        block.cast()
    }

    /// Puts a block back. True if the slow path has something to do (P3).
    ///
    /// # Safety
    /// `p` is a block of this page that was handed out and is no longer used.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, p: *mut u8) -> bool {
        let block = p.cast::<Block>();
        // SAFETY: the caller's promise.
        unsafe { (*block).next = self.free.get() };
        self.free.set(block);
        let frees = self.frees.get() + 1;
        self.frees.set(frees);
        frees == self.wake.get()
    }

    /// The value of `wake` for a page that is full now (P3).
    pub(crate) fn wake_when_roomy(&self) -> u64 {
        self.frees.get() + (u64::from(self.capacity.get()) / 8).max(1)
    }

    /// Sets a bit for each carved block that is free.
    pub(crate) fn mark_free(&self, bits: &mut [u64; 16]) {
        let base = self.block(0) as usize;
        let mut at = self.free.get();
        while !at.is_null() {
            let index = (at as usize - base) / self.block_size();
            bits[index / 64] |= 1 << (index % 64);
            // SAFETY: P1.
            at = unsafe { (*at).next };
        }
    }

    /// Checks P1, P3 and P4 and the geometry.
    pub(crate) fn validate(&self, heap: *const Heap) {
        assert!(ptr::eq(self.heap.get(), heap), "P4: a page in use points to its heap");
        assert_eq!(self.block_size(), (self.class() + 1) * STEP, "geometry");
        assert!(self.carved() <= self.capacity(), "geometry");
        let base = self.block(0) as usize;
        let (mut free, mut at) = (0, self.free.get());
        while !at.is_null() {
            let offset = at as usize - base;
            assert!(ptr::eq(of(at.cast()), self), "P1: the free list stays in its page");
            assert_eq!(offset % self.block_size(), 0, "P1: the free list holds blocks");
            assert!(offset / self.block_size() < self.carved(), "P1: a free block is carved");
            free += 1;
            assert!(free <= self.carved(), "P1: the free list ends");
            // SAFETY: just checked to be a block of this page.
            at = unsafe { (*at).next };
        }
        assert_eq!(self.carved() - free, self.used(), "P1: allocs - frees are in use");
        match self.state.get() {
            State::Current => assert!(self.frees.get() < self.wake.get(), "P3: current"),
            State::Partial => {
                assert_eq!(self.wake.get(), self.allocs.get(), "P3: partial");
                assert!(!self.is_unused(), "P3: an empty page is not partial");
                assert!(free > 0, "P2: a partial page has a free block");
            }
            State::Full => assert!(self.frees.get() < self.wake.get(), "P3: full"),
        }
    }
}
