//! The figures of a domain (D7).
//!
//! Pages of small blocks know how many of them are in use, and bins count down with each block that is
//! freed, which they do anyway; everything else follows from that when somebody asks. Large blocks
//! and foreign allocators are counted per heap with plain integers. Nothing here is atomic: a heap is
//! read and written under its GIL.

use super::{Heap, Tag, arena, page};
use crate::domain::Domain;
use crate::raw::raw_stats;

/// The figures of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DomainStats {
    /// Blocks that live now. Exact.
    pub live_blocks: usize,
    /// Bytes in the blocks that live now. A small block counts as its size class, a large one as what
    /// was asked for, a block of the C library or mimalloc as what it can hold; the debug hooks'
    /// guards count too.
    pub live_bytes: usize,
    /// The highest number of bytes so far. In pymalloc heaps it counts whole pages when they are taken,
    /// so it is never less than the true peak; in the raw domain it is sampled, see there.
    pub peak_bytes: usize,
    /// Blocks handed out so far: by `malloc`, by `calloc` and by a `realloc` that moved a small block.
    pub allocations: u64,
}

/// What the pages of one size class hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageCensus {
    /// Bytes of one block.
    pub block_size: usize,
    /// Pages of the class.
    pub pages: usize,
    /// Blocks in use.
    pub used: usize,
    /// Blocks that the pages have room for besides.
    pub available: usize,
}

/// The figures of a heap's arenas.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArenaStats {
    /// Arenas that were ever taken.
    pub total: usize,
    /// Arenas that were given back.
    pub reclaimed: usize,
    /// The highest number of arenas at a time.
    pub highwater: usize,
    /// Arenas that the heap has now.
    pub current: usize,
    /// Pages in them that are not in use.
    pub unused_pages: usize,
    /// Arenas that lost a page, because their allocator did not align them.
    pub unaligned: usize,
}

impl Heap {
    /// The figures of a domain of this heap; for [`Domain::Raw`] those of the process. Never allocates.
    #[must_use]
    pub fn stats(&self, domain: Domain) -> DomainStats {
        match domain {
            Domain::Raw => raw_stats(),
            Domain::Mem => self.tag_stats(Tag::Mem),
            Domain::Obj => {
                let (plain, gc) = (self.tag_stats(Tag::Obj), self.tag_stats(Tag::ObjGc));
                DomainStats {
                    live_blocks: plain.live_blocks + gc.live_blocks,
                    live_bytes: plain.live_bytes + gc.live_bytes,
                    peak_bytes: self.peak(Domain::Obj).max(plain.live_bytes + gc.live_bytes),
                    allocations: plain.allocations + gc.allocations,
                }
            }
        }
    }

    /// The figures of the blocks of one tag. `peak_bytes` is that of the tag's domain.
    #[must_use]
    pub fn tag_stats(&self, tag: Tag) -> DomainStats {
        self.drain_foreign();
        let counts = &self.counts[tag.index()];
        let mut stats = DomainStats {
            live_blocks: counts.large_blocks.get(),
            live_bytes: counts.large_bytes.get(),
            peak_bytes: 0,
            // What was handed out lives, or was freed.
            allocations: counts.freed.get() + counts.large_blocks.get() as u64,
        };
        for class in 0..page::CLASSES {
            stats.allocations += self.pushed(tag, class);
        }
        self.for_each_page(&mut |page| {
            if page.tag() == tag {
                stats.live_blocks += page.used();
                stats.live_bytes += page.used() * page.block_size();
                stats.allocations += page.used() as u64;
            }
        });
        let (blocks, bytes, allocations) = self.sampler.counts(tag);
        stats.live_blocks += blocks;
        stats.live_bytes += bytes;
        stats.allocations += allocations;
        stats.peak_bytes = self.peak(tag.domain()).max(stats.live_bytes);
        stats
    }

    /// The bytes that the heap has taken from the system or the C library, over both domains: what a
    /// limit is compared with.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        #[cfg(feature = "mimalloc")]
        super::mimalloc::recount(self, true);
        self.held.get()
    }

    /// The figures of the arenas.
    #[must_use]
    pub fn arena_stats(&self) -> ArenaStats {
        let mut stats = ArenaStats {
            total: self.arena_counts.total.get(),
            reclaimed: self.arena_counts.reclaimed.get(),
            highwater: self.arena_counts.highwater.get(),
            ..ArenaStats::default()
        };
        stats.current = stats.total - stats.reclaimed;
        self.for_each_arena(&mut |arena: &arena::Arena| {
            stats.unused_pages += arena.free.get().count_ones() as usize;
            stats.unaligned += usize::from(arena.is_unaligned());
        });
        stats
    }

    /// What the pages of size class `class` (0 for 16 bytes, 31 for 512) hold, over all tags.
    #[must_use]
    pub fn census(&self, class: usize) -> PageCensus {
        self.drain_foreign();
        let mut census = PageCensus { block_size: (class + 1) * page::STEP, ..PageCensus::default() };
        self.for_each_page(&mut |page| {
            if page.class() == class {
                census.pages += 1;
                census.used += page.used();
                census.available += page.capacity() - page.used();
            }
        });
        census
    }

    fn peak(&self, domain: Domain) -> usize {
        self.peaks[domain.index()].get()
    }

    /// Notes that `bytes` more are held for a tag.
    pub(crate) fn hold(&self, tag: Tag, bytes: usize) {
        let domain = tag.domain().index();
        let held = self.domain_held[domain].get() + bytes;
        self.domain_held[domain].set(held);
        self.held.set(self.held.get() + bytes);
        if held > self.peaks[domain].get() {
            self.peaks[domain].set(held);
        }
    }

    /// Notes that `bytes` are no longer held for a tag.
    pub(crate) fn unhold(&self, tag: Tag, bytes: usize) {
        let domain = tag.domain().index();
        self.domain_held[domain].set(self.domain_held[domain].get() - bytes);
        self.held.set(self.held.get() - bytes);
    }

    /// Whether `bytes` more stay within the limit.
    pub(crate) fn within_limit(&self, bytes: usize) -> bool {
        bytes <= self.limit.get() && self.held.get() <= self.limit.get() - bytes
    }
}
