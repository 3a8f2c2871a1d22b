//! What a heap promises.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::vec::Vec;

use super::{Heap, HeapKind, SMALL_LIMIT, Tag, arena, attach_heap, current_heap};
#[cfg(feature = "pymalloc")]
use crate::domain::PyObjectArenaAllocator;
use crate::domain::{self, Domain, NoMemory, PyMemAllocatorEx};
use crate::fault;
use crate::name::{AllocatorName, SelectError, current_name, heap_kind, select};
use crate::table::{get_allocator, set_allocator};
use crate::testing::{Attached, Random, in_child, is_builtin, turn};

/// One step of a random life of a heap; every block carries a pattern that is checked before it goes.
struct Live {
    tag: Tag,
    p: *mut u8,
    size: usize,
    mark: u8,
}

impl Live {
    fn alloc(heap: &Heap, random: &mut Random) -> Option<Self> {
        let size = match random.below(20) {
            0 => 0,
            1..14 => random.below(SMALL_LIMIT + 1),
            14..19 => random.below(4096),
            _ => random.below(300_000),
        };
        let tag = Tag::ALL[random.below(3)];
        let zeroed = random.below(4) == 0;
        let p = match (tag, zeroed) {
            (Tag::Mem, false) => heap.mem_alloc(size),
            (Tag::Mem, true) => heap.mem_alloc_zeroed(size),
            (Tag::Obj, false) => heap.obj_alloc(size),
            (Tag::Obj, true) => heap.obj_alloc_zeroed(size),
            (Tag::ObjGc, false) => heap.gc_alloc(size),
            (Tag::ObjGc, true) => heap.gc_alloc_zeroed(size),
        };
        if p.is_null() {
            return None;
        }
        assert_eq!(p as usize % 16, 0, "blocks are aligned to 16");
        let mark = random.next() as u8;
        // SAFETY: a fresh block of that size.
        unsafe {
            if zeroed {
                assert!((0..size).all(|i| p.add(i).read() == 0), "zeroed");
            }
            p.write_bytes(mark, size);
        }
        Some(Self { tag, p, size, mark })
    }

    fn check(&self, n: usize) {
        // SAFETY: a live block.
        unsafe {
            assert!((0..n).all(|i| self.p.add(i).read() == self.mark), "nobody else wrote here");
        }
    }

    fn realloc(&mut self, heap: &Heap, random: &mut Random) {
        let size = if random.below(10) == 0 { random.below(50_000) } else { random.below(1200) };
        // SAFETY: a live block.
        unsafe {
            let p = match self.tag {
                Tag::Mem => heap.mem_realloc(self.p, size),
                Tag::Obj => heap.obj_realloc(self.p, size),
                Tag::ObjGc => heap.gc_realloc(self.p, size),
            };
            assert!(!p.is_null());
            self.p = p;
            self.check(self.size.min(size));
            self.size = size;
            p.write_bytes(self.mark, size);
        }
    }

    fn free(self, heap: &Heap, sized: bool) {
        self.check(self.size);
        // SAFETY: a live block, not used afterwards.
        unsafe {
            match (self.tag, sized) {
                (Tag::Mem, false) => heap.mem_free(self.p),
                (Tag::Mem, true) => heap.mem_free_sized(self.p, self.size),
                (Tag::Obj, false) => heap.obj_free(self.p),
                (Tag::Obj, true) => heap.obj_free_sized(self.p, self.size),
                (Tag::ObjGc, false) => heap.gc_free(self.p),
                (Tag::ObjGc, true) => heap.gc_free_sized(self.p, self.size),
            }
        }
    }
}

fn random_life(heap: &Heap, seed: u64, steps: usize) {
    let mut random = Random(seed);
    let mut live: Vec<Live> = Vec::new();
    for step in 0..steps {
        // The number of blocks swings, so that pages and arenas come and go.
        let wanted = if step / 4000 % 2 == 0 { 3000 } else { 50 };
        match random.below(10) {
            0 if !live.is_empty() => {
                let index = random.below(live.len());
                live[index].realloc(heap, &mut random);
            }
            _ if live.len() < wanted && random.below(4) != 0 => {
                live.push(Live::alloc(heap, &mut random).expect("memory"));
            }
            _ if !live.is_empty() => {
                let index = random.below(live.len());
                live.swap_remove(index).free(heap, random.below(2) == 0);
            }
            _ => {}
        }
        if step % 2000 == 1999 {
            heap.validate();
            compare(heap, &live);
        }
    }
    for block in live.drain(..) {
        block.free(heap, false);
    }
    heap.collect();
    heap.validate();
    compare(heap, &live);
    if !heap.kind().counts_held_by_block() {
        assert_eq!(heap.held_bytes(), 0, "nothing is held when nothing lives");
    }
}

/// The statistics and the walk both find exactly the blocks that live (D7).
fn compare(heap: &Heap, live: &[Live]) {
    for tag in Tag::ALL {
        let count = live.iter().filter(|block| block.tag == tag).count();
        assert_eq!(heap.tag_stats(tag).live_blocks, count);
    }
    let mut found = std::collections::HashSet::new();
    heap.walk_tagged(&mut |tag, p, size| {
        assert!(found.insert((tag, p)), "each block once");
        assert!(size < 400_000);
    });
    assert_eq!(found.len(), live.len());
    for block in live {
        assert!(found.contains(&(block.tag, block.p)));
    }
}

/// D3, D4, D7: every kind of heap keeps blocks apart, counts them, finds them, and gives all back.
#[test]
fn a_random_life_leaves_every_structure_whole() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        for seed in 1..3 {
            let heap = Attached::new(*kind);
            random_life(&heap, seed * 7919, 12_000);
        }
    }
}

/// D6 over D3: the same under the debug hooks.
#[test]
fn a_random_life_under_debug_hooks() {
    let _turn = turn();
    crate::setup_debug_hooks();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        random_life(&heap, 12345, 6000);
    }
}

/* ---- Small blocks ---- */

/// The block that was freed last is used first.
#[test]
#[cfg(feature = "pymalloc")]
fn a_freed_block_is_the_next_one() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let p = heap.obj_alloc(48);
    // SAFETY: a live block.
    unsafe { heap.obj_free_sized(p, 48) };
    assert_eq!(heap.obj_alloc(33), p, "the same class");
    assert_ne!(heap.obj_alloc(33), p);
}

/// D3: domains and collected objects have pages of their own.
#[test]
#[cfg(feature = "pymalloc")]
fn tags_do_not_share_pages() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let pages = [heap.mem_alloc(16), heap.obj_alloc(16), heap.gc_alloc(16)].map(|p| heap.page_of(p));
    assert!(pages.iter().all(Option::is_some));
    assert!(pages[0] != pages[1] && pages[1] != pages[2] && pages[0] != pages[2]);
    assert_eq!(heap.held_bytes(), 3 * super::PAGE_SIZE);
}

/// The tag of a collected object survives the way through a hooked table.
#[test]
fn the_tag_passes_through_the_hooks() {
    let _turn = turn();
    crate::setup_debug_hooks();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let blocks = [heap.gc_alloc(40), heap.gc_alloc_zeroed(700), heap.obj_alloc(40)];
        let mut tags = Vec::new();
        heap.walk_tagged(&mut |tag, p, size| {
            assert!(blocks.contains(&p), "the user's address");
            tags.push((tag, size));
        });
        tags.sort_by_key(|(tag, size)| (*tag as u8, *size));
        assert_eq!(tags, [(Tag::Obj, 40), (Tag::ObjGc, 40), (Tag::ObjGc, 700)], "{kind:?}");
    }
}

/// Realloc stays in place while the block fits and little is lost.
#[test]
#[cfg(feature = "pymalloc")]
fn realloc_moves_only_when_it_pays() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    // SAFETY: live blocks.
    unsafe {
        let p = heap.mem_alloc(100);
        assert_eq!(heap.mem_realloc(p, 112), p);
        assert_eq!(heap.mem_realloc(p, 85), p);
        let q = heap.mem_realloc(p, 84);
        assert_ne!(q, p);
        let large = heap.mem_realloc(q, 5000);
        let small = heap.mem_realloc(large, 0);
        assert!(!small.is_null(), "size zero keeps a live block");
        heap.mem_free_sized(small, 0);
    }
    assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
}

/// D4: a heap that is destroyed gives every arena back, whatever lived in it.
#[test]
fn destruction_returns_everything() {
    let _turn = turn();
    let raw = crate::raw_stats().live_blocks;
    for kind in HeapKind::ALL {
        let before = arena::slots_taken();
        let heap = Attached::new(*kind);
        for i in 0..20_000 {
            assert!(!heap.obj_alloc(i % 700).is_null());
        }
        #[cfg(feature = "pymalloc")]
        if *kind == HeapKind::Pymalloc {
            assert!(arena::slots_taken() > before + 2);
        }
        drop(heap);
        assert_eq!(arena::slots_taken(), before);
    }
    assert_eq!(crate::raw_stats().live_blocks, raw, "a heap's blocks are not the raw domain's");
}

/// D4: what a heap leaves goes to the next one, for a while, and to the system with the last heap.
#[test]
#[cfg(feature = "pymalloc")]
fn arenas_are_handed_over() {
    let _turn = turn();
    let before = arena::slots_taken();
    let fill = |heap: &Heap| {
        for _ in 0..20_000 {
            // SAFETY: a fresh block of that size.
            unsafe { heap.obj_alloc(500).write_bytes(0xA5, 500) };
        }
        heap.validate();
    };
    let other = Attached::new(HeapKind::Pymalloc);
    for _ in 0..3 {
        let heap = Attached::new(HeapKind::Pymalloc);
        fill(&heap);
        assert!(arena::slots_taken() >= before + 10);
        drop(heap);
        assert_eq!(arena::slots_taken(), before + 4);
    }
    let heap = Attached::new(HeapKind::Pymalloc);
    fill(&heap);
    super::spare::NOW.fetch_add(super::spare::DECAY, Ordering::Relaxed);
    drop(heap);
    assert_eq!(arena::slots_taken(), before + 4, "the last one's");
    other.trim();
    assert_eq!(arena::slots_taken(), before);
    fill(&other);
    drop(other);
    assert_eq!(arena::slots_taken(), before);
}

/// A heap gives back what it does not use before the C library takes more.
#[test]
#[cfg(feature = "pymalloc")]
fn large_blocks_are_paid_for() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let blocks: Vec<_> = (0..20_000).map(|_| heap.obj_alloc(500)).collect();
    for p in blocks {
        // SAFETY: a live block of that size.
        unsafe { heap.obj_free_sized(p, 500) };
    }
    let kept = heap.arena_stats().current;
    assert!(kept >= 9);
    let p = heap.mem_alloc(4 << 20);
    assert_eq!(heap.arena_stats().current, kept - 4);
    // SAFETY: a live block.
    let p = unsafe { heap.mem_realloc(p, 5 << 20) };
    assert_eq!(heap.arena_stats().current, kept - 5);
    // SAFETY: as above.
    unsafe { heap.mem_free(p) };
    heap.validate();
}

/// D3: arenas that are empty are used again for a while, and then given back by themselves; `collect` does not wait.
#[test]
#[cfg(feature = "pymalloc")]
fn empty_arenas_go_back() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let fill = || -> Vec<_> { (0..10_000).map(|_| heap.obj_alloc(512)).collect() };
    let empty = |blocks: Vec<*mut u8>| {
        for p in blocks {
            // SAFETY: a live block.
            unsafe { heap.obj_free(p) };
        }
        heap.validate();
    };
    let blocks = fill();
    let full = heap.arena_stats();
    assert!(full.current >= 5 && full.highwater == full.current);
    empty(blocks);
    let kept = heap.arena_stats();
    assert!(kept.current == full.current && kept.used_pages < 63);
    empty(fill());
    assert_eq!(heap.arena_stats().total, full.total, "they were used again");
    super::spare::NOW.fetch_add(super::spare::DECAY, Ordering::Relaxed);
    assert_eq!(heap.arena_stats().current, full.current);
    // Whoever next takes a page finds that nobody has wanted them; what is used again is not given back.
    let blocks: Vec<_> = (0..100).map(|_| heap.obj_alloc(512)).collect();
    assert!(heap.arena_stats().current <= 2);
    empty(blocks);
    heap.collect();
    assert_eq!(heap.arena_stats().current, 0);
    assert_eq!(heap.arena_stats().reclaimed, heap.arena_stats().total);
}

/// D3: past its limit a heap refuses, and its neighbour does not notice.
#[test]
fn a_limit_holds_for_one_heap() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let other = Attached::new(*kind);
        let heap = Attached::new(*kind);
        let limit = super::limit::Limit { soft: None, hard: Some(1 << 20) };
        heap.set_limit(None, limit).expect("limits");
        let mut blocks = Vec::new();
        loop {
            let p = heap.obj_alloc(100 + blocks.len() % 1000);
            if p.is_null() {
                break;
            }
            blocks.push(p);
        }
        assert!(heap.held_bytes() <= 1 << 20);
        assert!(heap.stats(Domain::Obj).live_bytes > 500_000, "{kind:?}: most of it could be used");
        assert!(!other.obj_alloc(100_000).is_null());
        for p in blocks {
            // SAFETY: a live block.
            unsafe { heap.obj_free(p) };
        }
        heap.collect();
        assert!(!heap.obj_alloc(1000).is_null());
        heap.validate();
    }
}

/// P5: in debug builds a small block that is freed twice is found out, also without the hooks.
#[test]
#[cfg(all(feature = "pymalloc", debug_assertions))]
fn a_double_free_is_found_out() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let (p, q) = (heap.obj_alloc(48), heap.obj_alloc(48));
    // SAFETY: wrong on purpose, in a child.
    let double = || unsafe {
        heap.obj_free(p);
        heap.obj_free(q);
        heap.obj_free(p);
    };
    let (text, signal) = in_child(double);
    assert_eq!(signal, Some(libc::SIGABRT));
    assert!(text.contains("double free"), "{text}");
    // SAFETY: wrong on purpose, in a child.
    let (text, signal) = in_child(|| unsafe { heap.obj_free(p.wrapping_add(16)) });
    assert_eq!(signal, Some(libc::SIGABRT));
    assert!(text.contains("not the start of a block"), "{text}");
}

/// B3: a bin that is only pushed to gives its blocks back, and whole arenas with them, without a call of
/// `collect`.
#[test]
#[cfg(feature = "pymalloc")]
fn a_long_bin_is_cut() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    for size in [16, 48, 512] {
        let blocks: Vec<_> = (0..(16 << 20) / size).map(|_| heap.obj_alloc(size)).collect();
        let full = heap.held_bytes();
        for p in blocks {
            // SAFETY: a live block of that size.
            unsafe { heap.obj_free_sized(p, size) };
        }
        assert!(heap.held_bytes() < full / 16, "{size}: {} of {full}", heap.held_bytes());
        heap.validate();
    }
}

/// Blocks that were freed are used before memory that was not: a heap whose blocks change their classes
/// does not grow without bound.
#[test]
#[cfg(feature = "pymalloc")]
fn freed_memory_is_used_again() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Pymalloc);
    let mut held = 0;
    for round in 0..40usize {
        let size = 16 + round * 7 % 32 * 16;
        let blocks: Vec<_> = (0..(4 << 20) / size).map(|_| heap.obj_alloc(size)).collect();
        for p in blocks {
            // SAFETY: a live block of that size.
            unsafe { heap.obj_free(p) };
        }
        held = held.max(heap.held_bytes());
    }
    assert!(held < 8 << 20, "{held}");
}

/// D7: blocks of mimalloc that another thread has freed under the GIL are counted as freed, and a thread's
/// part of the heap is never used by another.
#[test]
#[cfg(feature = "mimalloc")]
fn threads_take_turns_with_mimalloc() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Mimalloc);
    let mut blocks: Vec<usize> = Vec::new();
    for round in 0..8usize {
        let address = heap.0.as_ptr() as usize;
        let before = core::mem::take(&mut blocks);
        blocks = std::thread::spawn(move || {
            // SAFETY: the heap outlives the thread, and nobody else uses it meanwhile.
            let heap = unsafe { &*(address as *const Heap) };
            for p in before {
                // SAFETY: a live block.
                unsafe { heap.obj_free(p as *mut u8) };
            }
            (0..1000 + round).map(|i| heap.obj_alloc(16 + i % 700) as usize).collect()
        })
        .join()
        .unwrap();
        let stats = heap.stats(Domain::Obj);
        assert_eq!(stats.live_blocks, blocks.len());
        let mut walked = 0;
        heap.walk(&mut |_, _, size| walked += size);
        assert_eq!(walked, stats.live_bytes);
    }
}

/* ---- Figures ---- */

/// D7: totals are exact at each reading, also of blocks that came and went in one page.
#[test]
fn every_block_is_counted() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        for i in 0..5000usize {
            // SAFETY: a live block.
            unsafe { heap.mem_free(heap.mem_alloc(i % 600)) };
        }
        let stats = heap.stats(Domain::Mem);
        assert_eq!((stats.live_blocks, stats.allocations), (0, 5000), "{kind:?}");
        assert!(stats.peak_bytes > 0);
        let p = heap.gc_alloc(64);
        let stats = heap.stats(Domain::Obj);
        assert_eq!((stats.live_blocks, stats.allocations), (1, 1));
        assert!(stats.live_bytes >= 64 && stats.peak_bytes >= stats.live_bytes);
        // SAFETY: a live block.
        unsafe { heap.gc_free(p) };
        assert_eq!(heap.stats(Domain::Obj).live_bytes, 0);
    }
}

/// D7: the raw domain's shards add up over threads that are gone.
#[test]
fn raw_counts_are_exact_over_threads() {
    let _turn = turn();
    let before = crate::raw_stats();
    let blocks: Vec<usize> = (0..8)
        .map(|_| {
            std::thread::spawn(|| {
                for i in 0..1000 {
                    // SAFETY: a live block.
                    unsafe { domain::raw_free(domain::raw_malloc(i)) };
                }
                domain::raw_malloc(100) as usize
            })
        })
        .map(|thread| thread.join().unwrap())
        .collect();
    let during = crate::raw_stats();
    assert_eq!(during.live_blocks - before.live_blocks, 8);
    assert_eq!(during.allocations - before.allocations, 8008);
    assert!(during.live_bytes >= before.live_bytes + 800);
    for p in blocks {
        // SAFETY: live blocks.
        unsafe { domain::raw_free(p as *mut _) };
    }
    let after = crate::raw_stats();
    assert_eq!((after.live_blocks, after.live_bytes), (before.live_blocks, before.live_bytes));
}

/* ---- Tables ---- */

/// The rules for sizes hold before any table is asked.
#[test]
fn sizes_out_of_range_are_refused() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        for domain in Domain::ALL {
            assert!(domain::malloc(domain, usize::MAX).is_null());
            assert!(domain::malloc(domain, domain::MAX_SIZE).is_null(), "no such memory");
            assert!(domain::calloc(domain, usize::MAX / 2, 3).is_null());
            let (p, q) = (domain::malloc(domain, 0), domain::calloc(domain, 9, 0));
            assert!(!p.is_null() && !q.is_null() && p != q, "distinct blocks");
            // SAFETY: live blocks.
            unsafe {
                assert!(domain::realloc(domain, p, usize::MAX).is_null());
                let p = domain::realloc(domain, p, 0);
                domain::free(domain, p);
                domain::free(domain, q);
                domain::free(domain, ptr::null_mut());
            }
        }
        assert!(heap.obj_alloc(usize::MAX).is_null());
        assert!(heap.mem_alloc_zeroed(usize::MAX).is_null());
        heap.validate();
    }
}

/// Without a heap, mem and obj have a defined answer.
#[test]
fn without_a_heap_there_is_no_memory() {
    let _turn = turn();
    assert!(current_heap().is_null());
    for domain in [Domain::Mem, Domain::Obj] {
        assert!(domain::malloc(domain, 1).is_null());
        assert!(domain::calloc(domain, 1, 1).is_null());
        // SAFETY: null.
        unsafe {
            assert!(domain::realloc(domain, ptr::null_mut(), 1).is_null());
            domain::free(domain, ptr::null_mut());
        }
    }
}

struct Count {
    below: PyMemAllocatorEx,
    calls: AtomicUsize,
}

unsafe extern "C" fn count_malloc(ctx: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: the tests pass a `Count` with a whole table.
    unsafe {
        let count = &*ctx.cast::<Count>();
        count.calls.fetch_add(1, Ordering::Relaxed);
        count.below.malloc.unwrap()(count.below.ctx, n)
    }
}
unsafe extern "C" fn count_calloc(ctx: *mut c_void, a: usize, b: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe {
        let count = &*ctx.cast::<Count>();
        count.calls.fetch_add(1, Ordering::Relaxed);
        count.below.calloc.unwrap()(count.below.ctx, a, b)
    }
}
unsafe extern "C" fn count_realloc(ctx: *mut c_void, p: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe {
        let count = &*ctx.cast::<Count>();
        count.calls.fetch_add(1, Ordering::Relaxed);
        count.below.realloc.unwrap()(count.below.ctx, p, n)
    }
}
unsafe extern "C" fn count_free(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: as above.
    unsafe {
        let count = &*ctx.cast::<Count>();
        count.calls.fetch_add(1, Ordering::Relaxed);
        count.below.free.unwrap()(count.below.ctx, p);
    }
}

fn counting(count: &Count) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::from_ref(count).cast_mut().cast(),
        malloc: Some(count_malloc),
        calloc: Some(count_calloc),
        realloc: Some(count_realloc),
        free: Some(count_free),
    }
}

/// D5: a wrapper sees what the runtime allocates itself, and nothing once it is taken away.
#[test]
fn a_wrapper_sees_every_call() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let old = heap.obj_alloc(20);
        let below = get_allocator(Domain::Obj);
        let count = Count { below, calls: AtomicUsize::new(0) };
        // SAFETY: the wrapper passes everything on, and is taken away before it is gone.
        unsafe {
            set_allocator(Domain::Obj, counting(&count));
            assert_eq!(get_allocator(Domain::Obj), counting(&count));
            let p = heap.gc_alloc(20);
            let p = heap.gc_realloc(p, 900);
            heap.gc_free(p);
            heap.obj_free_sized(old, 20);
            heap.obj_free(heap.obj_alloc_zeroed(5));
            assert!(!heap.mem_alloc(1).is_null(), "another domain");
            set_allocator(Domain::Obj, below);
            heap.obj_free(heap.obj_alloc(20));
        }
        assert_eq!(count.calls.load(Ordering::Relaxed), 6, "{kind:?}");
        assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
    }
}

/// D5: tables change under threads that allocate, and each of them always sees a whole one.
#[test]
fn tables_change_under_threads() {
    let _turn = turn();
    let before = crate::raw_stats().live_blocks;
    let below = get_allocator(Domain::Raw);
    let count = Count { below, calls: AtomicUsize::new(0) };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 1..4 {
            let stop = &stop;
            scope.spawn(move || {
                let mut random = Random(seed);
                let heap = Attached::new(HeapKind::ALL[seed as usize % HeapKind::ALL.len()]);
                while !stop.load(Ordering::Relaxed) {
                    // SAFETY: live blocks.
                    unsafe {
                        let p = domain::raw_malloc(random.below(100));
                        let p = domain::raw_realloc(p, random.below(100));
                        domain::raw_free(p);
                        let q = heap.mem_alloc(random.below(1000));
                        heap.mem_free(q);
                    }
                }
                heap.validate();
            });
        }
        for _ in 0..2000 {
            // SAFETY: the wrapper passes everything on, and lives longer than the threads.
            unsafe {
                set_allocator(Domain::Raw, counting(&count));
                set_allocator(Domain::Mem, get_allocator(Domain::Mem));
                set_allocator(Domain::Raw, below);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(crate::raw_stats().live_blocks, before);
}

/// A user's raw allocator gets a heap's large blocks too, and gets them back.
#[test]
fn large_blocks_go_to_a_users_raw_allocator() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Malloc);
    let before_hook = heap.mem_alloc(10_000);
    let below = get_allocator(Domain::Raw);
    let count = Count { below, calls: AtomicUsize::new(0) };
    // SAFETY: the wrapper passes everything on.
    unsafe {
        set_allocator(Domain::Raw, counting(&count));
        let p = heap.mem_alloc(10_000);
        heap.mem_free(p);
        assert_eq!(count.calls.load(Ordering::Relaxed), 2);
        heap.mem_free(before_hook);
        assert_eq!(count.calls.load(Ordering::Relaxed), 2, "it goes back where it came from");
        set_allocator(Domain::Raw, below);
    }
}

/* ---- Arenas of a user's ---- */

struct Arenas {
    live: AtomicUsize,
    refuse: AtomicBool,
    shift: usize,
}

unsafe extern "C" fn arena_alloc(ctx: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the tests pass an `Arenas`; the block is larger than the shift.
    unsafe {
        let arenas = &*ctx.cast::<Arenas>();
        if arenas.refuse.load(Ordering::Relaxed) {
            return ptr::null_mut();
        }
        arenas.live.fetch_add(1, Ordering::Relaxed);
        let p = libc::memalign(super::PAGE_SIZE, size + arenas.shift).cast::<u8>();
        p.write_bytes(0xA5, size + arenas.shift);
        p.add(arenas.shift).cast()
    }
}
unsafe extern "C" fn arena_free(ctx: *mut c_void, p: *mut c_void, size: usize) {
    assert_eq!(size, super::ARENA_SIZE);
    // SAFETY: as above.
    unsafe {
        let arenas = &*ctx.cast::<Arenas>();
        arenas.live.fetch_sub(1, Ordering::Relaxed);
        libc::free(p.byte_sub(arenas.shift));
    }
}

/// Arenas of a user's allocator serve a whole life, aligned or not; when it refuses, the C library
/// steps in.
#[test]
#[cfg(feature = "pymalloc")]
fn a_users_arenas() {
    let _turn = turn();
    let old = arena::get_arena_allocator();
    for shift in [0, 4096] {
        let arenas = Arenas { live: AtomicUsize::new(0), refuse: AtomicBool::new(false), shift };
        let mine = PyObjectArenaAllocator {
            ctx: (&raw const arenas).cast_mut().cast(),
            alloc: Some(arena_alloc),
            free: Some(arena_free),
        };
        // SAFETY: the functions fulfil the contract; every arena is back before they go.
        unsafe { arena::set_arena_allocator(mine) };
        let heap = Attached::new(HeapKind::Pymalloc);
        random_life(&heap, 77, 6000);
        assert_eq!(arenas.live.load(Ordering::Relaxed), 0);

        let p = heap.obj_alloc(30);
        assert_eq!(arenas.live.load(Ordering::Relaxed), 1);
        let two = Attached::new(HeapKind::Pymalloc);
        // SAFETY: the block of the other heap finds its way.
        unsafe { two.obj_free(p) };
        assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
        drop(two);
        attach_heap(heap.0.as_ptr());

        arenas.refuse.store(true, Ordering::Relaxed);
        let blocks: Vec<_> = (0..5000).map(|_| heap.obj_alloc(512)).collect();
        assert!(blocks.iter().all(|p| !p.is_null()));
        random_life_of_the_rest(&heap, blocks);
        drop(heap);
        assert_eq!(arenas.live.load(Ordering::Relaxed), 0);
    }
    // SAFETY: the allocator from before.
    unsafe { arena::set_arena_allocator(old) };
}

fn random_life_of_the_rest(heap: &Heap, blocks: Vec<*mut u8>) {
    heap.validate();
    assert_eq!(heap.stats(Domain::Obj).live_blocks, blocks.len());
    for p in blocks {
        // SAFETY: live blocks; a sized free must know that some lie outside pages.
        unsafe { heap.obj_free_sized(p, 512) };
    }
    assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
    heap.validate();
}

/* ---- Wrong hands ---- */

/// A block that is freed under another heap, or under none, goes back to its own.
#[test]
fn a_block_finds_its_heap() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let owner = Attached::new(*kind);
        let blocks = [owner.obj_alloc(0), owner.mem_alloc(40), owner.gc_alloc(5000)];
        for other_kind in HeapKind::ALL {
            let p = owner.obj_alloc(24);
            let large = owner.obj_alloc(2400);
            let moved = owner.mem_alloc(50);
            // SAFETY: live blocks.
            unsafe {
                moved.write_bytes(9, 50);
                let other = Attached::new(*other_kind);
                other.obj_free(p);
                other.obj_free_sized(large, 2400);
                let moved = other.mem_realloc(moved, 5000);
                assert!((0..50).all(|i| moved.add(i).read() == 9));
                assert_eq!(other.stats(Domain::Mem).live_blocks, 1);
                other.mem_free(moved);
                other.validate();
            }
        }
        attach_heap(ptr::null_mut());
        for p in blocks {
            // SAFETY: live blocks.
            unsafe { domain::free(Domain::Obj, p.cast()) };
        }
        for domain in [Domain::Mem, Domain::Obj] {
            assert_eq!(owner.stats(domain).live_blocks, 0, "{kind:?}");
        }
        owner.validate();
    }
}

/// Threads free at once what one heap has handed out, while that heap goes on.
#[test]
fn foreign_frees_race_with_the_owner() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let address = heap.0.as_ptr() as usize;
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let blocks: Vec<usize> = (0..1000).map(|i| heap.obj_alloc((i * 7 + n) % 800) as usize).collect();
                std::thread::spawn(move || {
                    for p in blocks {
                        // SAFETY: the heap lives; nobody else uses the block.
                        unsafe { (*(address as *const Heap)).free_foreign(p as *mut u8) };
                    }
                })
            })
            .collect();
        for i in 0..20_000 {
            // SAFETY: a live block.
            unsafe { heap.obj_free(heap.obj_alloc(i % 800)) };
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
        heap.validate();
    }
}

/// A small block that is freed after its heap is gone is left alone.
#[test]
fn a_late_free_does_nothing() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let p = heap.obj_alloc(40);
        drop(heap);
        // SAFETY: wrong on purpose: there is no heap left, and no heap is asked.
        unsafe { domain::free(Domain::Obj, p.cast()) };
    }
    #[cfg(feature = "pymalloc")]
    {
        let heap = Attached::new(HeapKind::Pymalloc);
        let p = heap.obj_alloc(40);
        drop(heap);
        let next = Attached::new(HeapKind::Pymalloc);
        // SAFETY: wrong on purpose: the page belongs to no heap.
        unsafe { next.obj_free(p) };
        next.validate();
    }
}

/// A block of the raw domain that is freed in mem goes to raw; the other way round is fatal.
#[test]
fn domains_do_not_mix() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let before = crate::raw_stats().live_blocks;
        for n in [10, 1000, 1_000_000] {
            // SAFETY: live blocks.
            unsafe {
                heap.mem_free(domain::raw_malloc(n).cast());
                let p = heap.mem_realloc(domain::raw_malloc(n).cast(), n + 1);
                heap.mem_free(p);
            }
            assert_eq!(crate::raw_stats().live_blocks, before, "{kind:?}");
            let p = heap.mem_alloc(n);
            // SAFETY: wrong on purpose, in a child.
            let (text, signal) = in_child(|| unsafe { domain::raw_free(p.cast()) });
            assert_eq!(signal, Some(libc::SIGABRT), "{kind:?} {n}");
            assert!(text.starts_with("Fatal Python error: PyMem_RawFree: the block at"), "{text}");
        }
    }
}

/* ---- Faults, forks, names ---- */

/// D2: with the n-th allocation failing, for every n, nothing leaks and nothing breaks.
#[test]
fn every_allocation_can_fail() {
    let _turn = turn();
    for kind in HeapKind::ALL {
        let mut n = 1;
        loop {
            fault::arm(Some(n));
            let worked = Heap::new(*kind).and_then(|heap| {
                attach_heap(heap.as_ptr());
                // SAFETY: made above, destroyed below.
                let result = scenario(unsafe { heap.as_ref() });
                // SAFETY: nothing of it is used any more.
                unsafe { Heap::destroy(heap) };
                result
            });
            let fired = fault::fired();
            fault::disarm();
            assert_eq!(worked.is_err(), fired, "{kind:?}: the {n}th");
            if !fired {
                break;
            }
            n += 1;
        }
        assert_eq!(n, 8 + 1, "seven requests and the heap");
    }
}

fn scenario(heap: &Heap) -> Result<(), NoMemory> {
    let some = |p: *mut u8| if p.is_null() { Err(NoMemory) } else { Ok(p) };
    let mut blocks = Vec::new();
    let mut run = || {
        blocks.push(some(heap.obj_alloc(10))?);
        blocks.push(some(heap.gc_alloc_zeroed(600))?);
        blocks.push(some(domain::malloc(Domain::Obj, 0).cast())?);
        let p = crate::TryBox::try_new_in([0u8; 100], crate::Raw)?;
        let mut v = crate::TryVec::try_with_capacity(4)?;
        v.try_extend([1u64, 2, 3, 4, 5])?;
        drop(p);
        // SAFETY: a live block, which is replaced.
        unsafe {
            let last = blocks.pop().unwrap_or(ptr::null_mut());
            let grown = heap.obj_realloc(last, 2000);
            blocks.push(if grown.is_null() { last } else { grown });
            some(grown)?;
        }
        Ok(())
    };
    let result = run();
    for p in blocks {
        // SAFETY: live blocks.
        unsafe { heap.obj_free(p) };
    }
    for domain in [Domain::Mem, Domain::Obj] {
        assert_eq!(heap.stats(domain).live_blocks, 0);
    }
    result
}

/// A fault costs nothing once it is disarmed: the inlined path is back.
#[test]
fn disarming_restores_the_fast_path() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::Malloc);
    assert!(heap.is_direct(Domain::Obj));
    let shown = get_allocator(Domain::Obj);
    fault::arm(None);
    assert!(!heap.is_direct(Domain::Obj));
    assert_eq!(get_allocator(Domain::Obj), shown, "the layer is not shown");
    // SAFETY: live blocks.
    unsafe { heap.obj_free(heap.obj_alloc(1)) };
    fault::disarm();
    assert!(heap.is_direct(Domain::Obj));
    assert_eq!((fault::count(), fault::fired()), (1, false));
}

/// D3: the heap is whole in the child of a fork, whatever other threads did meanwhile.
#[test]
fn a_fork_finds_everything_whole() {
    let _turn = turn();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let heap = Attached::new(*HeapKind::ALL.last().unwrap());
                // SAFETY: a live block.
                unsafe { domain::raw_free(domain::raw_malloc(10)) };
                assert!(!heap.obj_alloc(10).is_null());
            }
        });
        for kind in &HeapKind::ALL[..HeapKind::ALL.len().min(2)] {
            let heap = Attached::new(*kind);
            let blocks: Vec<_> = (0..100).map(|i| heap.obj_alloc(i * 10)).collect();
            for _ in 0..20 {
                let (text, signal) = in_child(|| {
                    heap.validate();
                    let one = Attached::new(HeapKind::ALL[0]);
                    drop(one);
                    for p in &blocks {
                        // SAFETY: live blocks.
                        unsafe { heap.obj_free(*p) };
                    }
                    assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
                });
                assert_eq!(signal, None, "{text}");
            }
            heap.validate();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn names_are_read_and_installed() {
    let _turn = turn();
    assert_eq!(AllocatorName::parse(b"pymalloc_debug"), Ok(AllocatorName::PymallocDebug));
    assert_eq!(AllocatorName::parse(b""), Ok(AllocatorName::NotSet));
    assert_eq!(AllocatorName::parse(b"Malloc"), Err(SelectError::UnknownName));
    assert_eq!(AllocatorName::from_i32(7), Ok(AllocatorName::Mimalloc));
    assert_eq!(AllocatorName::from_i32(9), Err(SelectError::UnknownNumber));
    for number in 1..9 {
        let name = AllocatorName::from_i32(number).unwrap();
        match select(name) {
            Ok(()) => {
                assert_eq!(current_name(), Some(name.resolve()));
                assert_eq!(Ok(heap_kind()), name.heap_kind());
                assert_eq!(crate::has_debug_hooks(Domain::Obj), name.has_debug_hooks());
                assert_eq!(is_builtin(Domain::Raw), !name.has_debug_hooks());
            }
            Err(error) => assert_eq!(error, SelectError::NotBuilt(name.resolve())),
        }
    }
    let below = get_allocator(Domain::Obj);
    let count = Count { below, calls: AtomicUsize::new(0) };
    // SAFETY: nothing is allocated meanwhile.
    unsafe { set_allocator(Domain::Obj, counting(&count)) };
    assert_eq!(current_name(), None, "somebody else's table has no name");
}
