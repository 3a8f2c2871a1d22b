//! Sequences of operations, made up and, when one fails, shortened by proptest.
//!
//! A model knows which blocks live, of which tag and size and with what in them. After every few steps
//! each invariant of the heap is checked, and its figures are compared with the model's.

#![allow(clippy::disallowed_types, reason = "proptest macros use the standard library")]

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use std::vec::Vec;

use super::{Heap, HeapKind, Tag};
use crate::testing::{Attached, turn};

#[derive(Clone, Debug)]
enum Step {
    /// Allocate so many blocks of a tag and size, zeroed or not.
    Alloc {
        tag: usize,
        size: usize,
        count: usize,
        zeroed: bool,
    },
    /// Free so many, from an index on, with their size or without.
    Free {
        from: usize,
        count: usize,
        sized: bool,
    },
    Realloc {
        index: usize,
        size: usize,
    },
    /// Free one from a thread that has no heap attached.
    Foreign {
        index: usize,
    },
    Settle,
    Collect,
    /// Nothing larger than this may be held from now on.
    Limit {
        room: usize,
    },
    NoLimit,
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..=512, 2 => 513usize..4096, 1 => 4096usize..200_000]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0usize..3, sizes(), 1usize..200, any::<bool>())
            .prop_map(|(tag, size, count, zeroed)| Step::Alloc { tag, size, count: if size > 4096 { 1 } else { count }, zeroed }),
        8 => (any::<usize>(), 1usize..300, any::<bool>()).prop_map(|(from, count, sized)| Step::Free { from, count, sized }),
        4 => (any::<usize>(), sizes()).prop_map(|(index, size)| Step::Realloc { index, size }),
        2 => any::<usize>().prop_map(|index| Step::Foreign { index }),
        1 => Just(Step::Settle),
        1 => Just(Step::Collect),
        1 => (0usize..300_000).prop_map(|room| Step::Limit { room }),
        1 => Just(Step::NoLimit),
    ];
    vec(step, 1..60)
}

struct Block {
    tag: Tag,
    p: *mut u8,
    size: usize,
    mark: u8,
}

struct Model<'a> {
    heap: &'a Heap,
    live: Vec<Block>,
    next: u8,
}

impl Model<'_> {
    fn alloc(&mut self, tag: Tag, size: usize, zeroed: bool) {
        let heap = self.heap;
        let p = match (tag, zeroed) {
            (Tag::Mem, false) => heap.mem_alloc(size),
            (Tag::Mem, true) => heap.mem_alloc_zeroed(size),
            (Tag::Obj, false) => heap.obj_alloc(size),
            (Tag::Obj, true) => heap.obj_alloc_zeroed(size),
            (Tag::ObjGc, false) => heap.gc_alloc(size),
            (Tag::ObjGc, true) => heap.gc_alloc_zeroed(size),
        };
        if p.is_null() {
            assert!(heap.limit(None).hard.is_some(), "only a limit refuses");
            return;
        }
        assert_eq!(p as usize % 16, 0);
        self.next = self.next.wrapping_add(1);
        // SAFETY: a fresh block of that size.
        unsafe {
            assert!(!zeroed || (0..size).all(|i| p.add(i).read() == 0));
            p.write_bytes(self.next, size);
        }
        self.live.push(Block { tag, p, size, mark: self.next });
    }

    fn take(&mut self, index: usize) -> Option<Block> {
        if self.live.is_empty() {
            return None;
        }
        let index = index % self.live.len();
        let block = self.live.swap_remove(index);
        // SAFETY: a live block.
        assert!((0..block.size).all(|i| unsafe { block.p.add(i).read() } == block.mark), "nobody else wrote here");
        Some(block)
    }

    fn free(&self, block: &Block, sized: bool) {
        let (heap, p, size) = (self.heap, block.p, block.size);
        // SAFETY: a live block, with its size.
        unsafe {
            match (block.tag, sized) {
                (Tag::Mem, false) => heap.mem_free(p),
                (Tag::Mem, true) => heap.mem_free_sized(p, size),
                (Tag::Obj, false) => heap.obj_free(p),
                (Tag::Obj, true) => heap.obj_free_sized(p, size),
                (Tag::ObjGc, false) => heap.gc_free(p),
                (Tag::ObjGc, true) => heap.gc_free_sized(p, size),
            }
        }
    }

    fn realloc(&mut self, index: usize, size: usize) {
        let Some(mut block) = self.take(index) else { return };
        // SAFETY: a live block; what it held is kept up to the smaller size.
        unsafe {
            let p = match block.tag {
                Tag::Mem => self.heap.mem_realloc(block.p, size),
                Tag::Obj => self.heap.obj_realloc(block.p, size),
                Tag::ObjGc => self.heap.gc_realloc(block.p, size),
            };
            if !p.is_null() {
                assert!((0..size.min(block.size)).all(|i| p.add(i).read() == block.mark));
                p.write_bytes(block.mark, size);
                (block.p, block.size) = (p, size);
            }
        }
        self.live.push(block);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Alloc { tag, size, count, zeroed } => {
                (0..count).for_each(|_| self.alloc(Tag::ALL[tag], size, zeroed))
            }
            Step::Free { from, count, sized } => {
                for _ in 0..count {
                    let Some(block) = self.take(from) else { return };
                    self.free(&block, sized);
                }
            }
            Step::Realloc { index, size } => self.realloc(index, size),
            Step::Foreign { index } => {
                if let Some(block) = self.take(index) {
                    // SAFETY: a live block of the heap, which is alive.
                    unsafe { self.heap.free_foreign(block.p) };
                }
            }
            Step::Settle => self.heap.drain_foreign(),
            Step::Collect => self.heap.collect(),
            Step::Limit { room } => set_hard(self.heap, Some(self.heap.held_bytes() + room)),
            Step::NoLimit => set_hard(self.heap, None),
        }
    }

    fn agree(&self) {
        self.heap.validate();
        for tag in Tag::ALL {
            let mine = self.live.iter().filter(|block| block.tag == tag);
            let stats = self.heap.tag_stats(tag);
            assert_eq!(stats.live_blocks, mine.clone().count());
            assert!(stats.live_bytes >= mine.map(|block| block.size).sum());
        }
    }
}

/// Limits the whole heap.
fn set_hard(heap: &Heap, hard: Option<usize>) {
    heap.set_limit(None, crate::heap::limit::Limit { soft: None, hard }).expect("limits");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// D3, D7: whatever is done in whatever order, blocks are kept apart, every invariant holds, and the
    /// figures are those of the model.
    #[test]
    fn any_sequence_leaves_the_heap_whole(steps in steps()) {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            let mut model = Model { heap: &heap, live: Vec::new(), next: 0 };
            for (number, step) in steps.iter().enumerate() {
                model.step(step);
                if number % 8 == 7 {
                    model.agree();
                }
            }
            model.agree();
            while let Some(block) = model.take(0) {
                model.free(&block, true);
            }
            set_hard(&heap, None);
            heap.collect();
            model.agree();
        }
    }
}
