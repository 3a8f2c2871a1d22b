//! What a heap promises.

use std::vec::Vec;

use super::{Heap, HeapKind, SMALL_LIMIT, Tag};

use crate::testing::{Attached, Random, turn};

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
            assert!(
                (0..n).all(|i| self.p.add(i).read() == self.mark),
                "nobody else wrote here"
            );
        }
    }

    fn realloc(&mut self, heap: &Heap, random: &mut Random) {
        let size = if random.below(10) == 0 {
            random.below(50_000)
        } else {
            random.below(1200)
        };
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
