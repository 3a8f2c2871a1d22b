//! Bins: the free blocks of one tag and size class that are at hand.
//!
//! ```text
//!   bins[tag][class] ─► head ─► block ─► block ─► block      last freed, first used
//!        ▲ push, pop                                ▲ refill: a page's whole free list at a time
//!        │                                          ▼ flush: what is too much goes back to its pages
//!      the runtime                                pages
//! ```
//!
//! A pop is two loads and a store, a push a load and three stores, and neither touches a page. To a
//! page all blocks of a bin are in use; whoever wants exact figures calls `settle` first, which
//! empties the bins.
//!
//! A bin does not count its blocks: a push counts down to the next *beat*, on which the bin is measured
//! and, if it has become long, cut. So the price of measuring is shared by thousands of frees, and a
//! bin that runs empty now and then is never measured at all.
//!
//! Invariants:
//! - B1: a block of a bin is handed out by its page and used by nobody.
//! - B2: `mark - left` blocks were pushed since the mark was set, and `left` is never 0.
//! - B3: a bin holds at most what was refilled plus [`beat_of`] blocks.

use core::cell::Cell;
use core::ptr;

use super::page::{self, CLASSES};
use super::{Heap, Tag};

/// A block that is free: its first word links the list that it is on.
pub(crate) struct Block {
    pub(crate) next: *mut Block,
}

/// See the module.
#[repr(C)]
pub(crate) struct Bin {
    head: Cell<*mut Block>,
    left: Cell<usize>,
}

/// What is counted for a bin, apart from it: the fast path has no use for it.
pub(crate) struct Pushes {
    /// What `left` was set to.
    mark: Cell<usize>,
    /// Blocks that were pushed before that.
    total: Cell<u64>,
}

impl Pushes {
    pub(crate) const fn new(class: usize) -> Self {
        Self { mark: Cell::new(beat_of(class)), total: Cell::new(0) }
    }
}

/// Number of bins of a heap.
pub(crate) const BINS: usize = 3 * CLASSES;

/// Blocks that a bin keeps on a beat: 64 KiB of them, but not more than 1024.
const fn keep_of(class: usize) -> usize {
    let fitting = 64 * 1024 / ((class + 1) * page::STEP);
    if fitting > 1024 { 1024 } else { fitting }
}

/// Pushes between two beats. Four times what is measured then, so that measuring stays cheap.
pub(crate) const fn beat_of(class: usize) -> usize {
    4 * keep_of(class)
}

impl Bin {
    pub(crate) const fn new(class: usize) -> Self {
        Self { head: Cell::new(ptr::null_mut()), left: Cell::new(beat_of(class)) }
    }

    /// Takes the first block; null if there is none.
    #[inline(always)]
    pub(crate) fn pop(&self) -> *mut u8 {
        let block = self.head.get();
        if !block.is_null() {
            // SAFETY: B1: the block is used by nobody but the list.
            self.head.set(unsafe { (*block).next });
        }
        block.cast()
    }

    /// Puts a block back. True if a beat is due.
    ///
    /// # Safety
    /// `p` is a small block of the bin's heap that was handed out and is no longer used.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push(&self, p: *mut u8) -> bool {
        let block = p.cast::<Block>();
        // SAFETY: the caller's promise.
        unsafe { (*block).next = self.head.get() };
        self.head.set(block);
        let left = self.left.get() - 1;
        self.left.set(left);
        left == 0
    }

    /// How many blocks there are.
    pub(crate) fn len(&self) -> usize {
        let (mut at, mut len) = (self.head.get(), 0);
        while !at.is_null() {
            // SAFETY: B1.
            at = unsafe { (*at).next };
            len += 1;
        }
        len
    }

    /// Takes the list as a whole.
    pub(crate) fn take(&self) -> *mut Block {
        self.head.replace(ptr::null_mut())
    }

    /// Gives an empty bin its blocks.
    ///
    /// # Safety
    /// The list is of blocks as B1 wants them.
    pub(crate) unsafe fn fill(&self, list: *mut Block) {
        debug_assert!(self.head.get().is_null(), "B1: only an empty bin is filled");
        self.head.set(list);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.get().is_null()
    }

    /// Cuts the list behind its first `keep` blocks; the rest.
    fn cut(&self, keep: usize) -> *mut Block {
        let mut at = self.head.get();
        for _ in 1..keep {
            if at.is_null() {
                return at;
            }
            // SAFETY: B1.
            at = unsafe { (*at).next };
        }
        if at.is_null() {
            return at;
        }
        // SAFETY: B1.
        unsafe { core::mem::replace(&mut (*at).next, ptr::null_mut()) }
    }
}

/// Pushes between two beats, and blocks that are kept then, while a bin is only freed to. What goes back
/// to the pages is still in the first cache, which it has left after thousands of pushes.
const DRAIN_BEAT: usize = 128;
const DRAIN_KEEP: usize = 16;

/// Measures a bin that has had many pushes without running empty, and cuts it if it is long.
///
/// A bin that was too long once is probably being drained: until it runs empty the beats are short.
///
/// It has C's calling convention because C's `free` ends in it: such a function does not unwind, so it can
/// be jumped to.
#[cold]
#[inline(never)]
pub(super) extern "C" fn beat(heap: &Heap, bin: *const Bin) {
    let index = heap.bin_index(bin);
    let (tag, class) = (index / CLASSES, index % CLASSES);
    // Sampling has a beat of its own.
    let sampling = heap.sampler.is_on();
    if sampling && heap.alarm(index) {
        return;
    }
    let draining = !sampling && heap.pushes[tag][class].mark.get() == DRAIN_BEAT;
    let keep = if draining { DRAIN_KEEP } else { keep_of(class) };
    let rest = heap.bins[tag][class].cut(keep);
    if !sampling {
        heap.set_beat(index, if rest.is_null() { beat_of(class) } else { DRAIN_BEAT });
    }
    if !rest.is_null() {
        // SAFETY: B1.
        unsafe { heap.give_blocks(rest) };
    }
}

impl Heap {
    /// Counts what was pushed to a bin since the last time (B2), and sets its next beat as far ahead as it
    /// may lie.
    pub(super) fn count_pushes(&self, index: usize) {
        self.set_beat(index, beat_of(index % CLASSES));
    }

    /// As `count_pushes`; the next beat comes after `pushes` more, at least one.
    pub(crate) fn set_beat(&self, index: usize, pushes: usize) {
        let (tag, class) = (index / CLASSES, index % CLASSES);
        let left = self.bins[tag][class].left.replace(pushes);
        let counted = &self.pushes[tag][class];
        let since = counted.mark.replace(pushes) - left;
        counted.total.set(counted.total.get() + since as u64);
    }

    /// Blocks that were ever pushed to the bin of a tag and class.
    pub(crate) fn pushed(&self, tag: Tag, class: usize) -> u64 {
        let counted = &self.pushes[tag.index()][class];
        counted.total.get() + (counted.mark.get() - self.bins[tag.index()][class].left.get()) as u64
    }

    /// The number of a bin of this heap: `tag * CLASSES + class`.
    #[inline(always)]
    pub(super) fn bin_index(&self, bin: *const Bin) -> usize {
        (bin as usize - (&raw const self.bins) as usize) / size_of::<Bin>()
    }

    /// Gives the blocks of all bins back to their pages.
    pub(super) fn flush(&self) {
        for index in 0..BINS {
            let bin = &self.bins[index / CLASSES][index % CLASSES];
            self.count_pushes(index);
            for list in [bin.take(), self.sampler.take_aside(index)] {
                if list.is_null() {
                    continue;
                }
                // SAFETY: B1.
                unsafe { self.give_blocks(list) };
            }
        }
    }

    /// Checks B1 and B2.
    pub(super) fn validate_bins(&self) {
        for index in 0..BINS {
            let class = index % CLASSES;
            let bin = &self.bins[index / CLASSES][class];
            let mark = self.pushes[index / CLASSES][class].mark.get();
            assert!((1..=mark).contains(&bin.left.get()) && mark <= beat_of(class), "B2: a beat lies ahead");
            let mut at = bin.head.get();
            let mut count = 0usize;
            while !at.is_null() {
                let found = self.page_of(at.cast()).expect("B1: a block of a bin lies in a page");
                // SAFETY: a page in use of this heap.
                let page = unsafe { &*found };
                assert_eq!(page.tag() as usize, index / CLASSES, "B1: of the bin's tag");
                assert!(page.class() >= class, "B1: large enough for the bin's class");
                count += 1;
                assert!(count < 1 << 24, "B3: the list of a bin ends");
                // SAFETY: B1.
                at = unsafe { (*at).next };
            }
        }
    }
}
