//! How a heap comes to sample: the countdown.
//!
//! The inlined paths have no counter of their own. But a page counts what it hands out (`allocs`) and what comes back
//! (`frees`), and calls its heap when `frees` reaches `wake`. So while `guard` is installed, the current page of each
//! class wakes its heap after as many frees as blocks are left until the next sample; and where nothing is freed, the
//! page runs dry and the heap refills. In both cases the blocks that were handed out since are counted down. When the
//! count is at zero, the current page is put aside (`stash`): the next request of its class comes to the slow path, gets
//! the sampled block, and the page goes back.
//!
//! Invariant G3: at most one of a class's current page and its stash is a page in use, and both are in state `Current`.

use core::cell::Cell;
use core::ptr;

use super::{pool, rate};
use crate::heap::page::{self, CLASSES, Page};
use crate::heap::{Heap, Tag};

/// With a rate up to this a page is put aside after each block: every request comes to the slow path, and is counted.
const DENSE: i64 = 64;

/// What a heap knows about its samples.
pub(crate) struct Sampler {
    /// 0 if the heap does not sample.
    rate: i64,
    /// Blocks until the next sample.
    left: Cell<i64>,
    /// Set while the slow path changes the current page: it is not put aside then.
    busy: Cell<bool>,
    /// `allocs` of the current page when it was last counted.
    seen: [[Cell<u64>; CLASSES]; 3],
    stash: [[Cell<*mut Page>; CLASSES]; 3],
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
            seen: [const { [const { Cell::new(0) }; CLASSES] }; 3],
            stash: [const { [const { Cell::new(ptr::null_mut()) }; CLASSES] }; 3],
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

    /// Whether the page was put aside.
    pub(crate) fn has_aside(&self, page: &Page) -> bool {
        ptr::eq(self.stash[page.tag().index()][page.class()].get(), page)
    }

    fn came(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() + 1);
        bytes.set(bytes.get() + size);
        self.allocations[tag.index()].set(self.allocations[tag.index()].get() + 1);
        heap.hold(tag, size);
    }

    pub(super) fn went(&self, heap: &Heap, tag: Tag, size: usize) {
        let (blocks, bytes) = (&self.blocks[tag.index()], &self.bytes[tag.index()]);
        blocks.set(blocks.get() - 1);
        bytes.set(bytes.get() - size);
        heap.unhold(tag, size);
    }

    /// Counts what the page has handed out since it was last looked at; true if a sample is due.
    fn count(&self, page: &Page) -> bool {
        let seen = &self.seen[page.tag().index()][page.class()];
        let now = page.allocs.get();
        let passed = i64::try_from(now.saturating_sub(seen.replace(now))).unwrap_or(i64::MAX);
        self.left.set(self.left.get().saturating_sub(passed));
        self.left.get() <= 0
    }
}

impl Heap {
    /// A sampled block, if one is due: called by the slow path of a heap that samples, before it serves the request.
    pub(crate) fn sample(&self, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
        let sampler = &self.sampler;
        sampler.busy.set(true);
        self.drain_foreign();
        let class = page::class_of(size.max(1));
        let due = if class < CLASSES && self.kind().has_pages() {
            let (current, stash) = (self.current_slot(tag, class), &sampler.stash[tag.index()][class]);
            if !stash.get().is_null() && ptr::eq(current.get(), page::empty()) {
                current.set(stash.replace(ptr::null_mut()));
            }
            // SAFETY: the current page is a page of this heap or the empty page.
            let page = unsafe { &*current.get() };
            let due = if ptr::eq(page, page::empty()) { sampler.left.get() <= 0 } else { sampler.count(page) };
            due || sampler.rate == 1
        } else {
            sampler.left.set(sampler.left.get() - 1);
            sampler.left.get() <= 0
        };
        sampler.busy.set(false);
        if !due {
            return ptr::null_mut();
        }
        sampler.left.set(sampler.rate);
        if !self.within_limit(size) {
            return ptr::null_mut();
        }
        let p = pool::alloc(Some(self), Some(tag), size, zeroed);
        if !p.is_null() {
            sampler.came(self, tag, size);
        }
        p
    }

    /// Sets the alarm of the class's current page: called by the slow path of a heap that samples, after it has served
    /// the request.
    pub(crate) fn watch(&self, tag: Tag, class: usize) {
        let sampler = &self.sampler;
        let current = self.current_slot(tag, class);
        if ptr::eq(current.get(), page::empty()) {
            return;
        }
        // SAFETY: a page of this heap.
        let page = unsafe { &*current.get() };
        // What has just been served counts when it is next looked at.
        sampler.seen[tag.index()][class]
            .set(page.allocs.get().saturating_sub(u64::from(sampler.left.get() != sampler.rate)));
        if sampler.rate <= DENSE {
            page.wake.set(u64::MAX);
            sampler.stash[tag.index()][class].set(current.replace(page::empty()));
        } else {
            page.wake.set(page.frees.get() + sampler.left.get().max(1).cast_unsigned());
        }
    }

    /// What a current page does when its alarm goes off.
    pub(crate) fn alarm(&self, page: &Page) {
        let sampler = &self.sampler;
        page.wake.set(u64::MAX);
        let current = self.current_slot(page.tag(), page.class());
        if sampler.busy.get() || !ptr::eq(current.get(), page) {
            return;
        }
        if sampler.count(page) {
            sampler.stash[page.tag().index()][page.class()].set(current.replace(page::empty()));
        } else {
            page.wake.set(page.frees.get() + sampler.left.get().cast_unsigned());
        }
    }

    /// Puts all pages back that were put aside.
    pub(crate) fn fetch_stash(&self) {
        for tag in Tag::ALL {
            for class in 0..CLASSES {
                let (current, stash) = (self.current_slot(tag, class), &self.sampler.stash[tag.index()][class]);
                if !stash.get().is_null() && ptr::eq(current.get(), page::empty()) {
                    current.set(stash.replace(ptr::null_mut()));
                }
            }
        }
    }
}
