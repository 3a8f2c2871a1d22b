//! What the tests of these cores, and of the engines built on them, share: a heap to allocate from.

use core::ptr::NonNull;

use hognose_allocators::{Domain, Heap, HeapKind, Limit, attach_heap};

/// A heap that serves the thread's allocations while it lives. At its end nothing may be left in it.
pub(crate) struct TestHeap(NonNull<Heap>);

impl TestHeap {
    pub(crate) fn new() -> Self {
        Self::of_kind(HeapKind::Pymalloc)
    }

    fn of_kind(kind: HeapKind) -> Self {
        let heap = Heap::new(kind).expect("memory for a heap");
        attach_heap(heap.as_ptr());
        Self(heap)
    }

    fn heap(&self) -> &Heap {
        // SAFETY: the heap is destroyed by `drop` only, which ends the borrow.
        unsafe { self.0.as_ref() }
    }

    fn live_blocks(&self) -> usize {
        self.heap().stats(Domain::Mem).live_blocks
    }
}

impl Drop for TestHeap {
    fn drop(&mut self) {
        let left = self.live_blocks();
        // SAFETY: made in `of_kind`; nothing else knows it, and its blocks are not used again.
        unsafe { Heap::destroy(self.0) };
        if !std::thread::panicking() {
            assert_eq!(left, 0, "blocks are left");
        }
    }
}

/// Runs `work` with room for nothing, then for a little more each time, until it succeeds. It must fail with
/// `no_memory` before that, and leave no block behind.
pub(crate) fn with_too_little_memory<T, E>(no_memory: E, work: impl Fn() -> Result<T, E>)
where
    E: PartialEq + core::fmt::Debug,
{
    let heap = TestHeap::of_kind(HeapKind::Malloc);
    let mut failures = 0;
    for room in (0..).step_by(8) {
        let hard = Some(heap.heap().held_bytes() + room);
        heap.heap().set_limit(None, Limit { soft: None, hard }).expect("a limit");
        let outcome = work().map(drop);
        assert_eq!(heap.live_blocks(), 0, "with room for {room} bytes");
        match outcome {
            Ok(()) => break,
            Err(error) => assert_eq!(error, no_memory),
        }
        failures += 1;
    }
    assert!(failures > 0, "it never needed memory");
}
