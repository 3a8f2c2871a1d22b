//! The figures of a heap (D7).
//!
//! Pages of small blocks know how many of them are in use, and bins count down with each block that is
//! freed, which they do anyway; everything else follows from that when somebody asks. What comes
//! and goes rarely, pages and large blocks, is counted in [`Numbers`] when it does. Nothing here is
//! atomic: a heap is read and written under its GIL.
//!
//! Peaks count a page as full from the moment it is taken: so they are never less than the true peak,
//! and cost nothing on the fast path. In heaps of kind malloc they are exact; those of mimalloc are
//! looked at when a budget is used up (see there).

use core::cell::Cell;

use super::page::{CLASSES, PAGE_SIZE, Page};
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
    /// The highest number of blocks so far, where a page counts with all that it has room for. In the
    /// raw domain it is sampled, see there.
    pub peak_blocks: usize,
    /// The highest number of bytes so far, where a page counts as a whole; never less than the true
    /// peak.
    pub peak_bytes: usize,
    /// Blocks handed out so far: by `malloc`, by `calloc` and by a `realloc` that moved a small block.
    pub allocations: u64,
    /// Bytes handed out so far, counted as in `live_bytes`, but those of mimalloc as what was asked for.
    /// A `realloc` of a block outside pages counts its new size.
    pub total_bytes: u64,
}

/// What the pages of one size class hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageCensus {
    /// Bytes of one block.
    pub block_size: usize,
    /// Pages of the class.
    pub pages: usize,
    /// The highest number of pages so far; the sum of each tag's.
    pub peak_pages: usize,
    /// Blocks in use.
    pub used: usize,
    /// Blocks that the pages have room for besides.
    pub available: usize,
    /// Blocks handed out so far.
    pub allocations: u64,
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
    /// Pages in them that are in use.
    pub used_pages: usize,
    /// Pages in them that are not in use.
    pub unused_pages: usize,
    /// Of those the ones that hold memory of the system.
    pub dirty_pages: usize,
    /// Arenas that lost a page, because their allocator did not align them.
    pub unaligned: usize,
}

/// Bytes of the arenas that no block uses, by the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LostBytes {
    /// The headers of arenas and pages: a page's room in each arena.
    pub page_headers: usize,
    /// What is left at a page's end, because the block size does not divide it.
    pub page_tails: usize,
    /// Blocks of pages in use that are free: external fragmentation.
    pub free_blocks: usize,
    /// Pages that are not in use.
    pub unused_pages: usize,
    /// A page of each arena that its allocator did not align.
    pub alignment: usize,
}

/// Everything that a heap knows about itself, at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeapStats {
    /// The mem domain.
    pub mem: DomainStats,
    /// The obj domain.
    pub obj: DomainStats,
    /// Bytes taken from the system or the C library: pages in use, and large blocks. What the limits
    /// are compared with.
    pub held_bytes: usize,
    /// The highest value of `held_bytes` so far.
    pub peak_held_bytes: usize,
    /// Blocks that lie in no page.
    pub large_blocks: usize,
    /// Bytes in them.
    pub large_bytes: usize,
    /// Requests that a hard limit has refused.
    pub refused: u64,
    /// The arenas.
    pub arenas: ArenaStats,
    /// What of them is not in blocks.
    pub lost: LostBytes,
    /// The size classes; `block_size` is 0 in all of them in a heap without pages.
    pub classes: [PageCensus; CLASSES],
}

/// What is counted when a page or a large block comes and goes.
pub(crate) struct Numbers {
    /// Pages of each tag and class.
    pages: [[Cell<u32>; CLASSES]; 3],
    peak_pages: [[Cell<u32>; CLASSES]; 3],
    /// Bytes of sampled blocks ever handed out, by tag.
    sampled_total: [Cell<u64>; 3],
    /// Blocks that the pages of a domain have room for.
    room: [Cell<usize>; 3],
    peak_blocks: [Cell<usize>; 3],
    peak_held: Cell<usize>,
}

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self {
            pages: [const { [const { Cell::new(0) }; CLASSES] }; 3],
            peak_pages: [const { [const { Cell::new(0) }; CLASSES] }; 3],
            sampled_total: [const { Cell::new(0) }; 3],
            room: [const { Cell::new(0) }; 3],
            peak_blocks: [const { Cell::new(0) }; 3],
            peak_held: Cell::new(0),
        }
    }
}

fn add<T: Copy + core::ops::Add<Output = T>>(cell: &Cell<T>, n: T) -> T {
    let sum = cell.get() + n;
    cell.set(sum);
    sum
}

impl DomainStats {
    fn plus(self, other: Self) -> Self {
        Self {
            live_blocks: self.live_blocks + other.live_blocks,
            live_bytes: self.live_bytes + other.live_bytes,
            peak_blocks: self.peak_blocks.max(other.peak_blocks),
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
            allocations: self.allocations + other.allocations,
            total_bytes: self.total_bytes.wrapping_add(other.total_bytes),
        }
    }
}

impl Heap {
    /// The figures of a domain of this heap; for [`Domain::Raw`] those of the process. Never allocates.
    #[must_use]
    pub fn stats(&self, domain: Domain) -> DomainStats {
        match domain {
            Domain::Raw => raw_stats(),
            Domain::Mem => self.tag_stats(Tag::Mem),
            Domain::Obj => {
                let mut both = self.tag_stats(Tag::Obj).plus(self.tag_stats(Tag::ObjGc));
                both.peak_bytes = both.peak_bytes.max(both.live_bytes);
                both.peak_blocks = both.peak_blocks.max(both.live_blocks);
                both
            }
        }
    }

    /// The figures of the blocks of one tag. The peaks are those of the tag's domain.
    #[must_use]
    pub fn tag_stats(&self, tag: Tag) -> DomainStats {
        self.drain_foreign();
        let mut stats = self.unpaged_stats(tag);
        self.for_each_page(&mut |page| {
            if page.tag() == tag {
                stats = stats.plus(page_stats(page));
            }
        });
        stats.peak_bytes = self.peak(tag.domain()).max(stats.live_bytes);
        stats.peak_blocks = self.numbers.peak_blocks[tag.domain().index()].get().max(stats.live_blocks);
        stats
    }

    /// What is counted for a tag outside its pages: large and sampled blocks, and small ones that were
    /// freed.
    fn unpaged_stats(&self, tag: Tag) -> DomainStats {
        let counts = &self.counts[tag.index()];
        let (blocks, bytes, sampled) = self.sampler.counts(tag);
        let mut stats = DomainStats {
            live_blocks: counts.blocks() + blocks,
            live_bytes: counts.bytes() + bytes,
            peak_blocks: 0,
            peak_bytes: 0,
            allocations: counts.came.get() + sampled,
            total_bytes: counts.came_bytes.get().wrapping_add(self.numbers.sampled_total[tag.index()].get()),
        };
        for class in 0..CLASSES {
            let freed = self.pushed(tag, class);
            stats.allocations += freed;
            stats.total_bytes = stats.total_bytes.wrapping_add(freed.wrapping_mul(size_of_class(class)));
        }
        stats
    }

    /// Everything in one pass over the pages' headers. Never allocates.
    #[must_use]
    pub fn heap_stats(&self) -> HeapStats {
        self.drain_foreign();
        let mut tags = Tag::ALL.map(|tag| self.unpaged_stats(tag));
        let mut all = HeapStats {
            held_bytes: self.held(),
            peak_held_bytes: self.numbers.peak_held.get(),
            refused: self.refused_requests(),
            arenas: self.arena_stats(),
            ..HeapStats::default()
        };
        for tag in Tag::ALL {
            let (blocks, bytes, _) = self.sampler.counts(tag);
            all.large_blocks += self.counts[tag.index()].blocks() + blocks;
            all.large_bytes += self.counts[tag.index()].bytes() + bytes;
        }
        if self.kind.has_pages() {
            for (class, row) in all.classes.iter_mut().enumerate() {
                *row = self.unpaged_class(class);
            }
        }
        let lost = &mut all.lost;
        self.for_each_page(&mut |page| {
            let tag = &mut tags[page.tag().index()];
            *tag = tag.plus(page_stats(page));
            count_page(&mut all.classes[page.class()], page);
            lost.page_tails += PAGE_SIZE - page.capacity() * page.block_size();
            lost.free_blocks += (page.capacity() - page.used()) * page.block_size();
        });
        lost.unused_pages = all.arenas.unused_pages * PAGE_SIZE;
        lost.page_headers = all.arenas.current * arena::HEADER_PAGES * PAGE_SIZE;
        lost.alignment = all.arenas.unaligned * PAGE_SIZE;
        let [mem, plain, gc] = tags;
        for (place, mut stats, domain) in
            [(&mut all.mem, mem, Domain::Mem), (&mut all.obj, plain.plus(gc), Domain::Obj)]
        {
            stats.peak_bytes = self.peak(domain).max(stats.live_bytes);
            stats.peak_blocks = self.numbers.peak_blocks[domain.index()].get().max(stats.live_blocks);
            *place = stats;
        }
        all
    }

    /// The bytes that the heap has taken from the system or the C library, over both domains: what a
    /// limit is compared with.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes_of(None)
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
            let free = arena.free.get();
            stats.used_pages += (arena.all & !free).count_ones() as usize;
            stats.unused_pages += free.count_ones() as usize;
            stats.dirty_pages += arena.dirty().count_ones() as usize;
            stats.unaligned += usize::from(arena.is_unaligned());
        });
        stats
    }

    /// What the pages of size class `class` (0 for 16 bytes, 31 for 512) hold, over all tags.
    #[must_use]
    pub fn census(&self, class: usize) -> PageCensus {
        self.drain_foreign();
        let mut census = self.unpaged_class(class);
        self.for_each_page(&mut |page| {
            if page.class() == class {
                count_page(&mut census, page);
            }
        });
        census
    }

    fn unpaged_class(&self, class: usize) -> PageCensus {
        let mut census = PageCensus { block_size: (class + 1) * page::STEP, ..PageCensus::default() };
        for tag in Tag::ALL {
            census.peak_pages += self.numbers.peak_pages[tag.index()][class].get() as usize;
            census.allocations += self.pushed(tag, class);
        }
        census
    }

    fn peak(&self, domain: Domain) -> usize {
        self.peaks[domain.index()].get()
    }

    /// Pages that a tag and class have.
    pub(crate) fn pages_of(&self, tag: Tag, class: usize) -> u32 {
        self.numbers.pages[tag.index()][class].get()
    }

    /// Notes a page that was taken.
    pub(crate) fn hold_page(&self, page: &Page) {
        let (tag, class) = (page.tag(), page.class());
        let pages = add(&self.numbers.pages[tag.index()][class], 1);
        let peak = &self.numbers.peak_pages[tag.index()][class];
        peak.set(peak.get().max(pages));
        add(&self.numbers.room[tag.domain().index()], page.capacity());
        self.grew(tag, PAGE_SIZE);
    }

    /// Notes a page that is given back.
    pub(crate) fn unhold_page(&self, page: &Page) {
        let (tag, class) = (page.tag(), page.class());
        let pages = &self.numbers.pages[tag.index()][class];
        pages.set(pages.get() - 1);
        let room = &self.numbers.room[tag.domain().index()];
        room.set(room.get() - page.capacity());
        self.unhold(tag, PAGE_SIZE);
    }

    /// Notes that a sampled block was handed out.
    pub(crate) fn hand_out_sampled(&self, tag: Tag, bytes: usize) {
        let total = &self.numbers.sampled_total[tag.index()];
        total.set(total.get().wrapping_add(bytes as u64));
    }

    /// What both domains hold.
    #[inline(always)]
    pub(crate) fn held(&self) -> usize {
        self.domain_held[Domain::Mem.index()].get() + self.domain_held[Domain::Obj.index()].get()
    }

    /// Notes that `bytes` more are held for a tag, whose counts have the block already.
    #[inline]
    pub(crate) fn hold(&self, tag: Tag, bytes: usize) {
        self.grew(tag, bytes);
    }

    /// Notes that `new` bytes are held for a tag in place of `old` ones.
    pub(crate) fn reheld(&self, tag: Tag, old: usize, new: usize) {
        if new >= old {
            self.grew(tag, new - old);
        } else {
            self.unhold(tag, old - new);
        }
    }

    #[inline]
    fn grew(&self, tag: Tag, bytes: usize) {
        add(&self.domain_held[tag.domain().index()], bytes);
        self.expect_peak(tag, 0);
    }

    /// Notes the peaks as if `bytes` more were held for a tag.
    #[inline]
    pub(crate) fn expect_peak(&self, tag: Tag, bytes: usize) {
        let domain = tag.domain().index();
        let held = self.domain_held[domain].get() + bytes;
        if held > self.peaks[domain].get() {
            self.peaks[domain].set(held);
        }
        let all = self.held() + bytes;
        if all > self.numbers.peak_held.get() {
            self.numbers.peak_held.set(all);
        }
        let large = match tag {
            Tag::Mem => self.counts[Tag::Mem.index()].blocks(),
            Tag::Obj | Tag::ObjGc => self.counts[Tag::Obj.index()].blocks() + self.counts[Tag::ObjGc.index()].blocks(),
        };
        let blocks = self.numbers.room[domain].get() + large;
        if blocks > self.numbers.peak_blocks[domain].get() {
            self.numbers.peak_blocks[domain].set(blocks);
        }
    }

    /// Notes that `bytes` are no longer held for a tag.
    #[inline]
    pub(crate) fn unhold(&self, tag: Tag, bytes: usize) {
        let domain = tag.domain().index();
        self.domain_held[domain].set(self.domain_held[domain].get() - bytes);
        if self.limits.is_past_soft() {
            self.fell_below(tag.domain());
        }
    }

    /// Checks that the pages are as many as were counted.
    pub(crate) fn validate_numbers(&self) {
        let mut pages = [[0u32; CLASSES]; 3];
        let mut room = [0usize; 3];
        self.for_each_page(&mut |page| {
            pages[page.tag().index()][page.class()] += 1;
            room[page.tag().domain().index()] += page.capacity();
        });
        for tag in Tag::ALL {
            for (class, counted) in self.numbers.pages[tag.index()].iter().enumerate() {
                assert_eq!(pages[tag.index()][class], counted.get(), "D7: pages of {tag:?}, class {class}");
            }
        }
        for (domain, counted) in self.numbers.room.iter().enumerate() {
            assert_eq!(room[domain], counted.get(), "D7: room in the pages of domain {domain}");
        }
    }
}

#[allow(clippy::cast_lossless, reason = "a size class is at most 512 bytes")]
fn size_of_class(class: usize) -> u64 {
    ((class + 1) * page::STEP) as u64
}

fn page_stats(page: &Page) -> DomainStats {
    DomainStats {
        live_blocks: page.used(),
        live_bytes: page.used() * page.block_size(),
        peak_blocks: 0,
        peak_bytes: 0,
        allocations: page.used() as u64,
        total_bytes: (page.used() * page.block_size()) as u64,
    }
}

fn count_page(census: &mut PageCensus, page: &Page) {
    census.pages += 1;
    census.used += page.used();
    census.available += page.capacity() - page.used();
    census.allocations += page.used() as u64;
}

#[cfg(test)]
mod tests {
    //! What the figures promise.

    use super::*;
    use crate::PageUse;
    use crate::heap::HeapKind;
    use crate::name::{AllocatorName, select};
    use crate::testing::{Attached, Random, turn};

    /// Compares every figure with every other that says the same.
    fn agree(heap: &Heap) {
        heap.validate();
        heap.check_counts().expect("D7: the walk finds what was counted");
        let all = heap.heap_stats();
        assert_eq!(all.mem, heap.stats(Domain::Mem));
        assert_eq!(all.obj, heap.stats(Domain::Obj));
        for stats in [all.mem, all.obj] {
            assert!(stats.peak_blocks >= stats.live_blocks && stats.peak_bytes >= stats.live_bytes);
            assert!(stats.allocations >= stats.live_blocks as u64);
            // mimalloc's blocks are counted as what was asked for when they are handed out.
            assert!(stats.total_bytes >= stats.live_bytes as u64 || heap.kind().counts_held_by_block());
        }
        assert!(all.peak_held_bytes >= all.held_bytes);
        if !heap.kind().has_pages() {
            assert_eq!(all.arenas, ArenaStats::default());
            assert_eq!(all.mem.live_bytes + all.obj.live_bytes, all.held_bytes);
            return;
        }
        let mut small = (0, 0);
        for (class, row) in all.classes.iter().enumerate() {
            assert_eq!(*row, heap.census(class));
            small = (small.0 + row.used, small.1 + row.used * row.block_size);
        }
        assert_eq!(small.0 + all.large_blocks, all.mem.live_blocks + all.obj.live_blocks);
        assert_eq!(small.1 + all.large_bytes, all.mem.live_bytes + all.obj.live_bytes);
        assert_eq!(all.arenas.used_pages * PAGE_SIZE + all.large_bytes, all.held_bytes);
        let lost = all.lost;
        let not_used = lost.page_headers + lost.page_tails + lost.free_blocks + lost.unused_pages + lost.alignment;
        assert_eq!(small.1 + not_used, all.arenas.current * arena::ARENA_SIZE, "every byte of the arenas is told");
        let mut pages = (0, 0);
        heap.walk_arenas(&mut |_, uses| {
            pages.0 += uses.iter().filter(|at| **at == PageUse::Blocks).count();
            pages.1 += uses.iter().filter(|at| **at == PageUse::Empty).count();
        });
        assert_eq!(pages, (all.arenas.used_pages, all.arenas.dirty_pages));
    }

    /// D7: counters, lists and walks tell the same at every moment of a heap's life, for each allocator.
    #[test]
    fn all_figures_agree() {
        let _turn = turn();
        for name in ["malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"] {
            let name = AllocatorName::parse(name.as_bytes()).expect("a name of the list");
            if select(name).is_err() {
                // Not in this build.
                continue;
            }
            let heap = Attached::new(crate::name::heap_kind());
            let mut random = Random(7);
            let mut blocks: Vec<(Tag, *mut u8)> = Vec::new();
            let (mut handed_out, mut most) = (0u64, 0);
            for round in 0..20_000 {
                let tag = Tag::ALL[random.below(3)];
                // It grows in the first half, and shrinks in the second.
                if blocks.is_empty() || random.below(100) < if round < 10_000 { 70 } else { 30 } {
                    let size = if random.below(20) == 0 { random.below(5000) } else { random.below(600) };
                    let p = match tag {
                        Tag::Mem => heap.mem_alloc(size),
                        Tag::Obj => heap.obj_alloc(size),
                        Tag::ObjGc => heap.gc_alloc(size),
                    };
                    assert!(!p.is_null());
                    handed_out += 1;
                    blocks.push((tag, p));
                } else {
                    let (tag, p) = blocks.swap_remove(random.below(blocks.len()));
                    // SAFETY: a live block of that tag.
                    unsafe {
                        match tag {
                            Tag::Mem => heap.mem_free(p),
                            Tag::Obj => heap.obj_free(p),
                            Tag::ObjGc => heap.gc_free(p),
                        }
                    }
                }
                most = most.max(blocks.len());
                if round % 2500 == 0 {
                    agree(&heap);
                }
            }
            let stats = heap.heap_stats();
            assert_eq!(stats.mem.live_blocks + stats.obj.live_blocks, blocks.len());
            assert_eq!(stats.mem.allocations + stats.obj.allocations, handed_out);
            let is_sampled = heap.kind().counts_held_by_block();
            assert!(is_sampled || stats.mem.peak_blocks + stats.obj.peak_blocks >= most);
            heap.trim();
            agree(&heap);
            for (tag, p) in blocks {
                // SAFETY: a live block of that tag.
                unsafe {
                    match tag {
                        Tag::Mem => heap.mem_free(p),
                        Tag::Obj => heap.obj_free(p),
                        Tag::ObjGc => heap.gc_free(p),
                    }
                }
            }
            agree(&heap);
            assert_eq!(heap.heap_stats().held_bytes, heap.heap_stats().arenas.used_pages * PAGE_SIZE);
        }
    }

    /// Without pages the peaks are exact.
    #[test]
    fn peaks_are_exact_without_pages() {
        let _turn = turn();
        let heap = Attached::new(HeapKind::Malloc);
        let blocks: Vec<_> = (0..100).map(|_| heap.obj_alloc(50)).collect();
        for p in blocks {
            // SAFETY: a live block.
            unsafe { heap.obj_free(p) };
        }
        let stats = heap.stats(Domain::Obj);
        assert_eq!((stats.peak_blocks, stats.peak_bytes, stats.total_bytes), (100, 5000, 5000));
    }
}
