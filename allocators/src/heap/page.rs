//! A page: 16 KiB that hold blocks of one size class and one tag. Its header lies in the arena.
//!
//! ```text
//!   ┌───────┬───────┬───────┬───────┬──── … ──┬────────────────┐
//!   │ block │ block │ block │ block │         │ never used yet │
//!   └───────┴───────┴───────┴───────┴──── … ──┴────────────────┘
//!   bits  0       1       0       0             1   1   1   1      a bit for each block that is free
//! ```
//!
//! The blocks with the lowest addresses are handed out first, and nothing is written into a block that is free: of a page
//! that is half used, half is resident.
//!
//! Invariants:
//! - P1: the blocks without a bit are `used` in number: those that somebody uses and those that lie in a bin. Blocks from
//!   number `carved` on were never handed out.
//! - P2: a page is current (at most one of its tag and class), partial (on the list of its class, with a free block),
//!   or full (nothing free, on no list).
//! - P3: an unused page is current, or goes back to its arena.
//! - P4: `bin` is null exactly if the page is not in use, so a late free is seen.
//! - P5: in debug builds `live` has a bit for each block that somebody uses.
//!
//! The header of a page that was never used is all zeros, so that an arena's headers take no memory before they are
//! needed.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::Heap;
use super::Tag;
use super::arena::Arena;
use super::bin::{self, Bin};

/// Size of a page, in bytes.
pub const PAGE_SIZE: usize = 16 * 1024;
/// The largest request, in bytes, that is served from a page.
pub const SMALL_LIMIT: usize = 512;
/// Distance between two size classes.
pub(crate) const STEP: usize = 16;
/// Number of size classes.
pub(crate) const CLASSES: usize = SMALL_LIMIT / STEP;
/// The most blocks that a page can have.
const MOST: usize = PAGE_SIZE / STEP;
/// Words of bits that lie in the header. Only pages of the least class have more; those lie in the arena.
const NEAR: usize = 8;
/// Words of bits that lie in the arena.
pub(crate) const FAR: usize = MOST / 64 - NEAR;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    Current = 0,
    Partial = 1,
    Full = 2,
}

/// The header of a page.
#[repr(C, align(128))]
pub(crate) struct Page {
    // What is needed when a block comes back lies in one line of the cache, with the bits of most classes.
    pub(crate) arena: Cell<*mut Arena>,
    pub(crate) bin: Cell<*const Bin>,
    /// See `index_of`.
    inverse: Cell<u32>,
    used: Cell<u16>,
    carved: Cell<u16>,
    capacity: Cell<u16>,
    block_size: Cell<u16>,
    class: Cell<u8>,
    tag: Cell<Tag>,
    pub(crate) state: Cell<State>,
    /// No word before this one has a bit.
    low: Cell<u8>,
    near: [Cell<u64>; NEAR],
    pub(crate) next: Cell<*mut Page>,
    pub(crate) prev: Cell<*mut Page>,
    #[cfg(debug_assertions)]
    live: [Cell<u64>; MOST / 64],
}

#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Page>() == 128);

/// The size class of a request, [`CLASSES`] or more if it is not small. Zero counts as not small here:
/// the slow path turns it into one.
#[inline(always)]
pub(crate) const fn class_of(size: usize) -> usize {
    size.wrapping_sub(1) / STEP
}

impl Page {
    /// The header of a page that is not in use: zeros.
    pub(crate) const fn unused() -> Self {
        Self {
            arena: Cell::new(ptr::null_mut()),
            bin: Cell::new(ptr::null()),
            inverse: Cell::new(0),
            used: Cell::new(0),
            carved: Cell::new(0),
            capacity: Cell::new(0),
            block_size: Cell::new(0),
            class: Cell::new(0),
            tag: Cell::new(Tag::Mem),
            state: Cell::new(State::Current),
            low: Cell::new(0),
            near: [const { Cell::new(0) }; NEAR],
            next: Cell::new(ptr::null_mut()),
            prev: Cell::new(ptr::null_mut()),
            #[cfg(debug_assertions)]
            live: [const { Cell::new(0) }; MOST / 64],
        }
    }

    /// Begins the use of a page for blocks of a tag and class.
    pub(crate) fn begin(&self, arena: *mut Arena, bin: *const Bin, tag: Tag, class: usize) {
        let block_size = (class + 1) * STEP;
        let capacity = PAGE_SIZE / block_size;
        self.arena.set(arena);
        self.bin.set(bin);
        self.used.set(0);
        self.carved.set(0);
        #[allow(clippy::cast_possible_truncation, reason = "at most 1024 blocks of at most 512 bytes, 32 classes")]
        {
            self.inverse.set((1 << 16) / (class as u32 + 1) + 1);
            self.capacity.set(capacity as u16);
            self.block_size.set(block_size as u16);
            self.class.set(class as u8);
        }
        self.tag.set(tag);
        self.state.set(State::Current);
        self.low.set(0);
        for (index, word) in self.words().enumerate() {
            let blocks = capacity.saturating_sub(64 * index);
            word.set(if blocks >= 64 { u64::MAX } else { (1 << blocks) - 1 });
        }
        #[cfg(debug_assertions)]
        self.live.iter().for_each(|word| word.set(0));
    }

    /// The word of bits of a number. The page is in use.
    #[inline(always)]
    fn word(&self, index: usize) -> &Cell<u64> {
        if index < NEAR { &self.near[index] } else { self.far(index - NEAR) }
    }

    #[cold]
    fn far(&self, index: usize) -> &Cell<u64> {
        // SAFETY: P4: a page in use has an arena, which holds this header.
        unsafe { &(*self.arena.get()).far_bits(self)[index] }
    }

    /// All words that have a block. The page is in use.
    fn words(&self) -> impl Iterator<Item = &Cell<u64>> {
        (0..self.capacity().div_ceil(64)).map(|index| self.word(index))
    }

    pub(crate) fn block_size(&self) -> usize {
        usize::from(self.block_size.get())
    }

    pub(crate) fn capacity(&self) -> usize {
        usize::from(self.capacity.get())
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

    /// Whether no block of the page is free.
    pub(crate) fn is_full(&self) -> bool {
        self.used.get() == self.capacity.get()
    }

    /// Whether there is a free block that was used before.
    pub(crate) fn has_used_ones(&self) -> bool {
        self.used.get() < self.carved.get()
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

    /// The number of the block that starts at `p`, which lies in the page. An address inside a block gives the number of
    /// that block.
    #[inline(always)]
    fn index_of(&self, p: *mut u8) -> usize {
        // Pages lie at multiples of their size from the arena's start, which need not be aligned to it.
        self.index_of_unit((p as usize - self.arena.get() as usize) % PAGE_SIZE / STEP)
    }

    /// A division by the number of units in a block. There are less than 2^10 units, and the inverse is too large by at
    /// most 2^-16: the product is too large by less than a 64th, and the next whole number is a 32nd away.
    #[inline(always)]
    fn index_of_unit(&self, unit: usize) -> usize {
        unit * self.inverse.get() as usize >> 16
    }

    /// Whether a block is free.
    pub(crate) fn is_free(&self, p: *mut u8) -> bool {
        let index = self.index_of(p);
        self.word(index / 64).get() >> (index % 64) & 1 == 1
    }

    /// Hands out up to `most` blocks, those with the lowest addresses; how many there were.
    ///
    /// # Safety
    /// `to` has room for so many.
    pub(crate) unsafe fn take(&self, to: *mut NonNull<u8>, most: usize) -> usize {
        let most = most.min(self.capacity() - self.used());
        let (start, size) = (self.start(), self.block_size());
        let (mut at, mut taken) = (usize::from(self.low.get()), 0);
        let mut last = 0;
        while taken < most {
            let word = self.word(at);
            let mut bits = word.get();
            while bits != 0 && taken < most {
                last = 64 * at + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                // SAFETY: the caller's promise; a block is not at address 0.
                unsafe { to.add(taken).write(NonNull::new_unchecked(start.add(last * size))) };
                taken += 1;
            }
            word.set(bits);
            if bits == 0 {
                at += 1;
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 1024 blocks in 16 words")]
        if taken != 0 {
            self.low.set(at as u8);
            self.used.set(self.used.get() + taken as u16);
            self.carved.set(self.carved.get().max(last as u16 + 1));
        }
        taken
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The block is one of this page's, in no bin, and nobody uses it.
    #[inline]
    pub(crate) unsafe fn give(&self, p: *mut u8) {
        let index = self.index_of(p);
        let word = self.word(index / 64);
        debug_assert!(word.get() >> (index % 64) & 1 == 0, "P1: a block comes back once");
        word.set(word.get() | 1 << (index % 64));
        #[allow(clippy::cast_possible_truncation, reason = "16 words")]
        self.low.set(self.low.get().min((index / 64) as u8));
        self.used.set(self.used.get() - 1);
    }

    /// Copies the bits of the free blocks.
    pub(crate) fn copy_free(&self, bits: &mut [u64; MOST / 64]) {
        for (to, word) in bits.iter_mut().zip(self.words()) {
            *to = word.get();
        }
    }

    /// Notes that somebody uses a block, or that nobody does any more (P5). False if that is not news:
    /// a block that is freed twice, or an address that is no block's.
    #[cfg(debug_assertions)]
    pub(crate) fn note(&self, p: *mut u8, live: bool) -> bool {
        let offset = p as usize - self.start() as usize;
        let index = offset / self.block_size();
        if !offset.is_multiple_of(self.block_size()) || index >= usize::from(self.carved.get()) {
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
        let index = heap.bin_index(self.bin.get());
        assert_eq!(index % bin::BINS, self.tag() as usize * CLASSES + self.class(), "P4: its heap's bin");
        assert_eq!(self.block_size(), (self.class() + 1) * STEP, "geometry");
        assert!(usize::from(self.carved.get()) <= self.capacity(), "geometry");
        let mut free = 0;
        for (index, word) in self.words().enumerate() {
            let blocks = (self.capacity() - 64 * index).min(64);
            assert!(blocks == 64 || word.get() >> blocks == 0, "P1: bits are of blocks");
            assert!(word.get() == 0 || index >= usize::from(self.low.get()), "P1: no bit is below the lowest word");
            free += word.get().count_ones() as usize;
        }
        assert_eq!(self.capacity() - free, self.used(), "P1: the rest is in use");
        for index in usize::from(self.carved.get())..self.capacity() {
            assert!(self.is_free(self.block(index)), "P1: what was never handed out is free");
        }
        match self.state.get() {
            State::Current => {}
            State::Partial => {
                assert!(!self.is_unused(), "P3: an unused page is not partial");
                assert!(free > 0, "P2: a partial page has a free block");
            }
            State::Full => assert!(free == 0, "P2: a full page has no free block"),
        }
        #[cfg(debug_assertions)]
        {
            let live: u32 = self.live.iter().map(|word| word.get().count_ones()).sum();
            assert!(live as usize <= self.used(), "P5: what is live is in use");
        }
    }
}

#[cfg(test)]
mod tests {
    //! The arithmetic of pages.

    use super::*;

    #[test]
    fn a_block_knows_its_number() {
        for class in 0..CLASSES {
            let page = Page::unused();
            let size = (class + 1) * STEP;
            page.inverse.set((1 << 16) / (class as u32 + 1) + 1);
            for unit in 0..MOST {
                assert_eq!(page.index_of_unit(unit), unit * STEP / size, "{class} {unit}");
            }
        }
    }
}
