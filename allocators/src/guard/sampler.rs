//! How a heap comes to sample: the countdown.
//!
//! The inlined paths have no counter of their own for this. But while `guard` is installed the blocks that are freed go to
//! other bins than those from which blocks are taken (the page map says which): so what is handed out was filled into a
//! bin before, by the slow path, which counts it off and fills in no more than there are until the next sample. When the
//! count is at zero the bins run empty, and the next request gets the sampled block.
//!
//! Invariant G3: the blocks that lie in bins to be handed out, and those that were handed out since the last sample, are
//! as many as the distance to the next sample (see `intervals`) was, less `left + 1`, if there was room for that sample.

use core::cell::Cell;

use super::intervals::Intervals;
use super::{pool, rate};
use crate::heap::{Heap, SMALL_LIMIT, Tag};

/// What a heap knows about its samples.
pub(crate) struct Sampler {
    /// 0 if the heap does not sample.
    rate: Cell<usize>,
    intervals: Intervals,
    /// Blocks before the next sample that are not counted off yet.
    left: Cell<i64>,
    blocks: [Cell<usize>; 3],
    bytes: [Cell<usize>; 3],
    allocations: [Cell<u64>; 3],
}

impl Sampler {
    pub(crate) fn new() -> Self {
        let sampler = Self {
            rate: Cell::new(rate()),
            intervals: Intervals::new(),
            left: Cell::new(0),
            blocks: [const { Cell::new(0) }; 3],
            bytes: [const { Cell::new(0) }; 3],
            allocations: [const { Cell::new(0) }; 3],
        };
        if sampler.is_on() {
            sampler.start_count();
        }
        sampler
    }

    fn start_count(&self) {
        self.left.set(i64::try_from(self.intervals.next(self.rate.get()) - 1).unwrap_or(i64::MAX));
    }

    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.rate.get() != 0
    }

    /// No block of the heap is sampled any more.
    pub(crate) fn stop(&self) {
        self.rate.set(0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.iter().all(|blocks| blocks.get() == 0)
    }

    /// Blocks, bytes and all allocations of a tag, of sampled blocks only.
    pub(crate) fn counts(&self, tag: Tag) -> (usize, usize, u64) {
        let tag = tag.index();
        (self.blocks[tag].get(), self.bytes[tag].get(), self.allocations[tag].get())
    }

    /// How many blocks a bin may be filled with: at most `wanted`, and at least the one that is asked for.
    pub(crate) fn allow(&self, wanted: usize) -> usize {
        wanted.min(usize::try_from(self.left.get()).unwrap_or(0)).max(1)
    }

    /// Counts off what was handed out, or filled into a bin for it.
    pub(crate) fn count_off(&self, blocks: usize) {
        self.left.set((self.left.get() - i64::try_from(blocks).unwrap_or(i64::MAX)).max(0));
    }

    fn came(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() + 1);
        bytes.set(bytes.get() + size);
        self.allocations[tag.index()].set(self.allocations[tag.index()].get() + 1);
        heap.hold(tag, size);
        heap.hand_out_sampled(tag, size);
    }

    pub(super) fn went(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() - 1);
        bytes.set(bytes.get() - size);
        heap.unhold(tag, size);
    }
}

impl Heap {
    /// A sampled block, if one is due: called by the slow path of a heap that samples, before it serves the request.
    pub(crate) fn sample(&self, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
        let sampler = &self.sampler;
        self.drain_queue();
        if sampler.left.get() > 0 {
            // What goes to a bin is counted off when that is filled.
            if !self.kind().has_pages() || size > SMALL_LIMIT {
                sampler.count_off(1);
            }
            return core::ptr::null_mut();
        }
        sampler.start_count();
        if !self.within_limit(tag, size) {
            // The request goes on to the pages, which may have a block left.
            return core::ptr::null_mut();
        }
        let p = pool::alloc(Some(self), Some(tag), size, zeroed);
        if !p.is_null() {
            sampler.came(self, tag, size);
        }
        p
    }
}
