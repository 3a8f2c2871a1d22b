//! A page: 16 KiB that hold blocks of one size class and one tag. Its header lies in the arena.
//!
//! ```text
//!   ┌───────┬───────┬───────┬───────┬──── … ──┬────────────────┐
//!   │ block │ block │ block │ block │         │ not yet carved │
//!   └───────┴───┬───┴───────┴───┬───┴──── … ──┴────────────────┘
//!               ▲───────────────┘ next free: first word of a free block; header.free ─► the first
//! ```
//!
//! Invariants:
//! - P1: the blocks that are carved and not on the page's free list are `used` in number: those that
//!   somebody uses and those that lie in a bin.
//! - P2: a page is current (at most one of its tag and class; it may have blocks to be carved), partial
//!   (on the list of its class, with a free block), or full (carved, nothing free, on no list).
//! - P3: an unused page is current, or goes back to its arena.
//! - P4: `bin` is null exactly if the page is not in use, so a late free is seen.
//! - P5: in debug builds `live` has a bit for each block that somebody uses.

use core::cell::Cell;
use core::ptr;

use super::Heap;
use super::Tag;
use super::arena::Arena;
use super::bin::{Bin, Block};

/// Size of a page, in bytes.
pub const PAGE_SIZE: usize = 16 * 1024;
/// The largest request, in bytes, that is served from a page.
pub const SMALL_LIMIT: usize = 512;
/// Distance between two size classes.
pub(crate) const STEP: usize = 16;
/// Number of size classes.
pub(crate) const CLASSES: usize = SMALL_LIMIT / STEP;
/// What is carved at once: the next page of the operating system is touched only when it is needed.
const CARVE: usize = 4096;
/// The most blocks that a page can have.
#[cfg(debug_assertions)]
const MOST: usize = PAGE_SIZE / STEP;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Current,
    Partial,
    Full,
}

/// The header of a page.
#[repr(C)]
pub(crate) struct Page {
    pub(crate) free: Cell<*mut Block>,
    pub(crate) bin: Cell<*const Bin>,
    pub(crate) next: Cell<*mut Page>,
    pub(crate) prev: Cell<*mut Page>,
    pub(crate) arena: Cell<*mut Arena>,
    used: Cell<u16>,
    carved: Cell<u16>,
    capacity: Cell<u16>,
    block_size: Cell<u16>,
    class: Cell<u8>,
    tag: Cell<Tag>,
    pub(crate) state: Cell<State>,
    #[cfg(debug_assertions)]
    live: [Cell<u64>; MOST / 64],
}

#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Page>() <= 64);

/// The size class of a request, [`CLASSES`] or more if it is not small. Zero counts as not small here:
/// the slow path turns it into one.
#[inline(always)]
pub(crate) const fn class_of(size: usize) -> usize {
    size.wrapping_sub(1) / STEP
}

impl Page {
    /// The header of a page that is not in use.
    pub(crate) const fn unused() -> Self {
        Self {
            free: Cell::new(ptr::null_mut()),
            bin: Cell::new(ptr::null()),
            next: Cell::new(ptr::null_mut()),
            prev: Cell::new(ptr::null_mut()),
            arena: Cell::new(ptr::null_mut()),
            used: Cell::new(0),
            carved: Cell::new(0),
            capacity: Cell::new(0),
            block_size: Cell::new(0),
            class: Cell::new(0),
            tag: Cell::new(Tag::Mem),
            state: Cell::new(State::Current),
            #[cfg(debug_assertions)]
            live: [const { Cell::new(0) }; MOST / 64],
        }
    }

    /// Puts the page to use for blocks of a tag and class.
    pub(crate) fn begin(&self, arena: *mut Arena, bin: *const Bin, tag: Tag, class: usize) {
        let block_size = (class + 1) * STEP;
        self.free.set(ptr::null_mut());
        self.bin.set(bin);
        self.next.set(ptr::null_mut());
        self.prev.set(ptr::null_mut());
        self.arena.set(arena);
        self.used.set(0);
        self.carved.set(0);
        #[allow(clippy::cast_possible_truncation, reason = "at most 1024 blocks of at most 512 bytes, 32 classes")]
        {
            self.capacity.set((PAGE_SIZE / block_size) as u16);
            self.block_size.set(block_size as u16);
            self.class.set(class as u8);
        }
        self.tag.set(tag);
        self.state.set(State::Current);
        #[cfg(debug_assertions)]
        self.live.iter().for_each(|word| word.set(0));
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

    /// Blocks in use, those in bins included.
    pub(crate) fn used(&self) -> usize {
        usize::from(self.used.get())
    }

    /// Whether no block of the page is in use.
    pub(crate) fn is_unused(&self) -> bool {
        self.used.get() == 0
    }

    /// Whether the page has blocks that were never used.
    pub(crate) fn can_carve(&self) -> bool {
        self.carved.get() < self.capacity.get()
    }

    /// The address of a block. The page is in use.
    pub(crate) fn block(&self, index: usize) -> *mut u8 {
        self.start().wrapping_add(index * self.block_size())
    }

    /// The address of the first block.
    pub(crate) fn start(&self) -> *mut u8 {
        // SAFETY: P4: a page in use has an arena, which holds this header.
        unsafe { (*self.arena.get()).start_of(self) }
    }

    /// Hands out all blocks that are free, as a list.
    pub(crate) fn take_free(&self) -> *mut Block {
        self.used.set(self.carved.get());
        self.free.replace(ptr::null_mut())
    }

    /// Hands out the next blocks of the page that were never used, as a list in the order of their
    /// addresses; null if there are none.
    pub(crate) fn carve(&self) -> *mut Block {
        let (carved, capacity) = (self.carved(), self.capacity());
        let count = (CARVE / self.block_size()).min(capacity - carved);
        if count == 0 {
            return ptr::null_mut();
        }
        let (first, size) = (self.block(carved), self.block_size());
        let mut at = first.cast::<Block>();
        for _ in 1..count {
            let next = at.wrapping_byte_add(size);
            // SAFETY: the block lies inside the page and was never handed out.
            unsafe { (*at).next = next };
            at = next;
        }
        // SAFETY: as above.
        unsafe { (*at).next = ptr::null_mut() };
        #[allow(clippy::cast_possible_truncation, reason = "at most the capacity")]
        let count = count as u16;
        self.carved.set(self.carved.get() + count);
        self.used.set(self.used.get() + count);
        first.cast()
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The block is one of this page's, on no list, and nobody uses it.
    #[inline]
    pub(crate) unsafe fn give(&self, block: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe { (*block).next = self.free.get() };
        self.free.set(block);
        self.used.set(self.used.get() - 1);
    }

    /// Sets a bit for each carved block that is free.
    pub(crate) fn mark_free(&self, bits: &mut [u64; 16]) {
        let base = self.start() as usize;
        let mut at = self.free.get();
        while !at.is_null() {
            let index = (at as usize - base) / self.block_size();
            bits[index / 64] |= 1 << (index % 64);
            // SAFETY: P1.
            at = unsafe { (*at).next };
        }
    }

    /// Notes that somebody uses a block, or that nobody does any more (P5). False if that is not news:
    /// a block that is freed twice, or an address that is no block's.
    #[cfg(debug_assertions)]
    pub(crate) fn note(&self, p: *mut u8, live: bool) -> bool {
        let offset = p as usize - self.start() as usize;
        let index = offset / self.block_size();
        if !offset.is_multiple_of(self.block_size()) || index >= self.carved() {
            return false;
        }
        let word = &self.live[index / 64];
        let bit = 1 << (index % 64);
        if (word.get() & bit != 0) == live {
            return false;
        }
        word.set(word.get() ^ bit);
        true
    }

    /// Checks P1 to P5 and the geometry.
    pub(crate) fn validate(&self, heap: &Heap) {
        assert_eq!(heap.bin_index(self.bin.get()), self.tag() as usize * CLASSES + self.class(), "P4: its heap's bin");
        assert_eq!(self.block_size(), (self.class() + 1) * STEP, "geometry");
        assert!(self.carved() <= self.capacity(), "geometry");
        let base = self.start() as usize;
        let (mut free, mut at) = (0, self.free.get());
        while !at.is_null() {
            let offset = (at as usize).wrapping_sub(base);
            assert!(offset < PAGE_SIZE, "P1: the free list stays in its page");
            assert_eq!(offset % self.block_size(), 0, "P1: the free list holds blocks");
            assert!(offset / self.block_size() < self.carved(), "P1: a free block is carved");
            free += 1;
            assert!(free <= self.carved(), "P1: the free list ends");
            // SAFETY: just checked to be a block of this page.
            at = unsafe { (*at).next };
        }
        assert_eq!(self.carved() - free, self.used(), "P1: the rest is in use");
        match self.state.get() {
            State::Current => {}
            State::Partial => {
                assert!(!self.is_unused(), "P3: an unused page is not partial");
                assert!(free > 0, "P2: a partial page has a free block");
            }
            State::Full => assert!(free == 0 && !self.can_carve(), "P2: a full page has no free block"),
        }
        #[cfg(debug_assertions)]
        {
            let live: u32 = self.live.iter().map(|word| word.get().count_ones()).sum();
            assert!(live as usize <= self.used(), "P5: what is live is in use");
        }
    }
}
