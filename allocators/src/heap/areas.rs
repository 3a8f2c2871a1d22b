//! What mimalloc says about the areas of a heap's memory: the figures that it has and the heap has not.

use core::ffi::c_void;

use libmimalloc_sys as mi;

use super::{Heap, Tag};

/// Sizes of mimalloc 3 on 64 bits, and the areas of one heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MimallocAreas {
    /// The largest block, in bytes, that shares a page of 64 KiB with others.
    pub small_limit: usize,
    /// Number of size classes.
    pub size_classes: usize,
    /// The largest block, in bytes, that shares a page of 512 KiB with others.
    pub medium_limit: usize,
    /// The largest block, in bytes, that shares a page of 4 MiB with others.
    pub large_limit: usize,
    /// Bytes in blocks that live, with what mimalloc adds to each.
    pub used: usize,
    /// Bytes of address space in the areas.
    pub reserved: usize,
    /// Bytes of them that can be used at once.
    pub committed: usize,
}

/// A page's first 4 KiB may be lost to alignment, and a page is to hold at least six blocks.
const fn limit(page: usize) -> usize {
    (page - 4096) / 6
}

/// The areas of a heap; zeros in one of another kind.
#[must_use]
pub fn mimalloc_areas(heap: &Heap) -> MimallocAreas {
    unsafe extern "C" fn visit(
        _: *const mi::mi_heap_t,
        area: *const mi::mi_heap_area_t,
        _: *mut c_void,
        _: usize,
        arg: *mut c_void,
    ) -> bool {
        // SAFETY: mimalloc shows an area, and the argument is the one that is passed below.
        let (area, sum) = unsafe { (&*area, &mut *arg.cast::<MimallocAreas>()) };
        sum.used += area.used * area.full_block_size;
        sum.reserved += area.reserved;
        sum.committed += area.committed;
        true
    }
    let mut sum = MimallocAreas {
        small_limit: limit(64 << 10),
        size_classes: 73,
        medium_limit: limit(512 << 10),
        large_limit: (4 << 20) / 8,
        ..MimallocAreas::default()
    };
    heap.drain_foreign();
    for tag in Tag::ALL {
        let at = heap.mimalloc[tag.index()].get();
        if !at.is_null() {
            // SAFETY: a live heap; the visitor fits its argument.
            unsafe { mi::mi_heap_visit_blocks(at.cast(), false, Some(visit), (&raw mut sum).cast()) };
        }
    }
    sum
}
