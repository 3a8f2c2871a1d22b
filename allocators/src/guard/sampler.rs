//! How a heap comes to sample: the countdown.
//!
//! The inlined paths have no counter of their own for this. But a bin counts down with each block that is freed, and
//! calls its heap on a beat (B2 of `heap::bin`), and it calls when it is empty. So while `guard` is installed, beats come
//! after as many frees as blocks are left until the next sample at the latest, and what was handed out since is counted
//! off: the frees, and the blocks with which the bin was filled. When the count is at zero, the bin's blocks are put
//! aside: the next request of its class comes to the slow path, gets the sampled block, and the others go back.
//!
//! Invariant G3: what is put aside is as B1 of `heap::bin` has it: handed out by its page, used by nobody.

use core::cell::Cell;
use core::ptr;

use super::{pool, rate};
use crate::heap::bin::{BINS, Block, beat_of};
use crate::heap::page::{self, CLASSES};
use crate::heap::{Heap, Tag};

/// With a rate up to this the blocks are put aside after each request: every request comes to the slow path, and is
/// counted.
const DENSE: i64 = 64;

/// What a heap knows about its samples.
pub(crate) struct Sampler {
    /// 0 if the heap does not sample.
    rate: i64,
    /// Blocks until the next sample.
    left: Cell<i64>,
    /// Set while the slow path serves a request: nothing is put aside then.
    busy: Cell<bool>,
    /// Pushes to each bin when it was last counted.
    seen: [Cell<u64>; BINS],
    /// Blocks in each bin when it was last filled and not counted off yet.
    filled: [Cell<usize>; BINS],
    aside: [Cell<*mut Block>; BINS],
    blocks: [Cell<usize>; 3],
    bytes: [Cell<usize>; 3],
    allocations: [Cell<u64>; 3],
}

impl Sampler {
    pub(crate) fn new() -> Self {
        let rate = i64::try_from(rate()).unwrap_or(i64::MAX);
        Self {
            rate,
            left: Cell::new(rate),
            busy: Cell::new(false),
            seen: [const { Cell::new(0) }; BINS],
            filled: [const { Cell::new(0) }; BINS],
            aside: [const { Cell::new(ptr::null_mut()) }; BINS],
            blocks: [const { Cell::new(0) }; 3],
            bytes: [const { Cell::new(0) }; 3],
            allocations: [const { Cell::new(0) }; 3],
        }
    }

    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.rate != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.iter().all(|blocks| blocks.get() == 0)
    }

    /// Blocks, bytes and all allocations of a tag, of sampled blocks only.
    pub(crate) fn counts(&self, tag: Tag) -> (usize, usize, u64) {
        let tag = tag.index();
        (self.blocks[tag].get(), self.bytes[tag].get(), self.allocations[tag].get())
    }

    /// The blocks of a bin that were put aside; they are so no more.
    pub(crate) fn take_aside(&self, index: usize) -> *mut Block {
        self.aside[index].replace(ptr::null_mut())
    }

    fn put_aside(&self, index: usize, list: *mut Block) {
        let old = self.aside[index].replace(list);
        let mut last = list;
        if list.is_null() {
            self.aside[index].set(old);
        } else if !old.is_null() {
            // SAFETY: G3: nobody uses the blocks of either list.
            unsafe {
                while !(*last).next.is_null() {
                    last = (*last).next;
                }
                (*last).next = old;
            }
        }
    }

    fn count_off(&self, blocks: u64) {
        self.left.set(self.left.get().saturating_sub(i64::try_from(blocks).unwrap_or(i64::MAX)));
    }

    fn came(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() + 1);
        bytes.set(bytes.get() + size);
        self.allocations[tag.index()].set(self.allocations[tag.index()].get() + 1);
        heap.hold(tag, size);
        heap.hand_out(tag, size);
    }

    pub(super) fn went(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() - 1);
        bytes.set(bytes.get() - size);
        heap.unhold(tag, size);
    }
}

impl Heap {
    /// The blocks that were freed to a bin since it was last asked.
    fn freed_since(&self, index: usize) -> u64 {
        let now = self.pushed(Tag::ALL[index / CLASSES], index % CLASSES);
        now - self.sampler.seen[index].replace(now)
    }

    /// A sampled block, if one is due: called by the slow path of a heap that samples, before it serves the request.
    pub(crate) fn sample(&self, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
        let sampler = &self.sampler;
        sampler.busy.set(true);
        self.drain_queue();
        let class = page::class_of(size.max(1));
        if class < CLASSES && self.kind().has_pages() {
            let index = tag.index() * CLASSES + class;
            let freed = self.freed_since(index);
            let filled = sampler.filled[index].replace(0) as u64;
            let bin = self.bin(index);
            if bin.is_empty() {
                // SAFETY: G3.
                unsafe { bin.fill(sampler.take_aside(index)) };
            }
            // With a dense rate each request is counted by itself.
            sampler.count_off(if sampler.rate <= DENSE { 1 } else { freed + filled + 1 });
        } else {
            sampler.count_off(1);
        }
        if sampler.left.get() > 0 {
            return ptr::null_mut();
        }
        sampler.left.set(sampler.rate);
        if !self.within_limit(tag, size) {
            // The request goes on to the pages, which may have a block left.
            return ptr::null_mut();
        }
        let p = pool::alloc(Some(self), Some(tag), size, zeroed);
        if !p.is_null() {
            sampler.came(self, tag, size);
        }
        p
    }

    /// Sets the alarm of a class's bin: called by the slow path of a heap that samples, after it has served the request.
    pub(crate) fn watch(&self, tag: Tag, size: usize) {
        let sampler = &self.sampler;
        sampler.busy.set(false);
        let class = page::class_of(size.max(1));
        if class >= CLASSES || !self.kind().has_pages() {
            return;
        }
        let index = tag.index() * CLASSES + class;
        let bin = self.bin(index);
        if sampler.rate <= DENSE {
            sampler.put_aside(index, bin.take());
        } else {
            sampler.filled[index].set(bin.len());
        }
        self.set_alarm(index);
    }

    fn set_alarm(&self, index: usize) {
        let most = if self.sampler.rate <= DENSE { 1 } else { self.sampler.left.get() };
        let beat = beat_of(index % CLASSES);
        self.set_beat(index, usize::try_from(most).unwrap_or(1).clamp(1, beat));
    }

    /// What a bin does on a beat: true if its blocks were put aside, so that it need not be measured.
    pub(crate) fn alarm(&self, index: usize) -> bool {
        let sampler = &self.sampler;
        let freed = self.freed_since(index);
        if sampler.busy.get() {
            self.set_beat(index, beat_of(index % CLASSES));
            return true;
        }
        let dense = sampler.rate <= DENSE;
        if !dense {
            sampler.count_off(freed);
        }
        let due = dense || sampler.left.get() <= 0;
        if due {
            sampler.filled[index].set(0);
            sampler.put_aside(index, self.bin(index).take());
        }
        self.set_alarm(index);
        due
    }
}
