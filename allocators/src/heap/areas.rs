//! What mimalloc says about the areas of a heap's memory: the figures that it has and the heap has not.

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
    let mut sum = MimallocAreas {
        small_limit: limit(64 << 10),
        size_classes: 73,
        medium_limit: limit(512 << 10),
        large_limit: (4 << 20) / 8,
        ..MimallocAreas::default()
    };
    heap.drain_foreign();
    for tag in Tag::ALL {
        super::mimalloc::for_each_area(heap, tag, &mut |area| {
            sum.used += area.used * area.full_block_size;
            sum.reserved += area.reserved;
            sum.committed += area.committed;
        });
    }
    sum
}
