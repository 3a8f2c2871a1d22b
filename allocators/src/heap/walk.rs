//! Finding every live block by walking pages and lists.
//!
//! Nothing is tracked for it: a page knows its tag and block size, and has a bit for each of its blocks that is
//! free. The rest hangs on the heap's lists of large blocks, or in mimalloc, which can walk
//! its own.

use super::page::Page;
use super::{Heap, Tag, large};
use crate::domain::Domain;
use crate::table;
use crate::{debug, guard};

/// A page with its live blocks, for walks that want to be quick.
pub struct PageView<'a> {
    page: &'a Page,
    /// A bit for each block that is free.
    free: [u64; 16],
}

impl PageView<'_> {
    /// What its blocks are for.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.page.tag()
    }

    /// Bytes of one block.
    #[must_use]
    pub fn block_size(&self) -> usize {
        self.page.block_size()
    }

    /// The address of the page's first block.
    #[must_use]
    pub fn address(&self) -> usize {
        self.page.start().addr()
    }

    /// The address of the arena that the page lies in.
    #[must_use]
    pub fn arena(&self) -> usize {
        self.page.arena.get().addr()
    }

    /// Blocks in use, and blocks that there is room for.
    #[must_use]
    pub fn occupancy(&self) -> (usize, usize) {
        (self.page.used(), self.page.capacity())
    }

    /// Calls `f` with the address of each live block, as the built-in allocator sees it.
    #[inline]
    pub fn for_each_live(&self, mut f: impl FnMut(*mut u8)) {
        let capacity = self.page.capacity();
        for (index, free) in self.free.iter().enumerate().take(capacity.div_ceil(64)) {
            let blocks = (capacity - 64 * index).min(64);
            let mut live = !free & u64::MAX >> (64 - blocks);
            let mut at = self.page.block(64 * index);
            // From one live block to the next it is as far as there are bits between them.
            while live != 0 {
                let step = live.trailing_zeros();
                at = at.wrapping_add(step as usize * self.page.block_size());
                f(at);
                at = at.wrapping_add(self.page.block_size());
                live = live >> step >> 1;
            }
        }
    }
}

/// How a walk shows the blocks of a heap: as the debug hooks' users see them, where there are hooks.
#[derive(Clone, Copy)]
pub struct UserView {
    hooked: [bool; 3],
}

impl UserView {
    /// The view that fits the tables of now.
    #[must_use]
    pub fn current() -> Self {
        Self { hooked: Domain::ALL.map(|domain| !table::is_builtin(domain, table::logical(domain))) }
    }

    /// Whether blocks of a domain may have a head of the hooks.
    #[must_use]
    pub fn is_hooked(&self, domain: Domain) -> bool {
        self.hooked[domain.index()]
    }

    /// The user's address and size of a block that the built-in allocator sees at `inner`.
    ///
    /// # Safety
    /// The block lives and has `size` bytes.
    #[inline]
    #[must_use]
    pub unsafe fn of(&self, tag: Tag, inner: *mut u8, size: usize) -> (*mut u8, usize) {
        let domain = tag.domain();
        if !self.is_hooked(domain) {
            return (inner, size);
        }
        // SAFETY: the caller's promise.
        unsafe { debug::user_view(domain.letter(), inner, size) }.unwrap_or((inner, size))
    }
}

/// A walk found something else than was counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// Of which blocks.
    pub tag: Tag,
    /// Blocks and bytes that the walk found.
    pub walked: (usize, usize),
    /// Blocks and bytes that were counted.
    pub counted: (usize, usize),
}

impl Heap {
    /// Calls `f` with the domain, address and size of every live block of the heap, in no particular
    /// order. Under the debug hooks it is the user's address and the requested size; otherwise the size
    /// is what the block can hold.
    ///
    /// `f` must not allocate from this heap nor free to it.
    pub fn walk(&self, f: &mut dyn FnMut(Domain, *mut u8, usize)) {
        self.walk_tagged(&mut |tag, p, size| f(tag.domain(), p, size));
    }

    /// As [`Heap::walk`], with the tag: blocks of [`Tag::ObjGc`] start with a collector's header.
    pub fn walk_tagged(&self, f: &mut dyn FnMut(Tag, *mut u8, usize)) {
        let view = UserView::current();
        self.walk_inner(&mut |tag, inner, size| {
            // SAFETY: a walk shows live blocks with their size.
            let (p, size) = unsafe { view.of(tag, inner, size) };
            f(tag, p, size);
        });
    }

    /// As [`Heap::walk_tagged`], with the addresses and sizes that the built-in allocator sees.
    pub fn walk_inner(&self, f: &mut dyn FnMut(Tag, *mut u8, usize)) {
        self.walk_pages(&mut |page| {
            let (tag, size) = (page.tag(), page.block_size());
            page.for_each_live(|p| f(tag, p, size));
        });
        self.walk_large(f);
    }

    /// Calls `f` with each page in use, in the order of the arenas.
    pub fn walk_pages(&self, f: &mut dyn FnMut(&PageView<'_>)) {
        self.drain_foreign();
        self.for_each_page(&mut |page| {
            let mut view = PageView { page, free: [0; 16] };
            page.copy_free(&mut view.free);
            f(&view);
        });
    }

    /// Calls `f` with every live block that lies in no page, as the built-in allocator sees it: large
    /// ones, and all of a heap without pages.
    pub fn walk_large(&self, f: &mut dyn FnMut(Tag, *mut u8, usize)) {
        self.drain_foreign();
        guard::for_each_of(self, f);
        for tag in Tag::ALL {
            large::for_each(self, tag, &mut |p, size| f(tag, p, size));
            #[cfg(feature = "mimalloc")]
            super::mimalloc::for_each(self, tag, &mut |p, size| f(tag, p, size));
        }
    }

    /// Calls `f` with the address of each arena, and what each of its 64 pages is good for.
    pub fn walk_arenas(&self, f: &mut dyn FnMut(usize, &[PageUse; 64])) {
        self.drain_foreign();
        self.for_each_arena(&mut |arena| {
            let mut uses = [PageUse::Headers; 64];
            for (index, at) in uses.iter_mut().enumerate() {
                let bit = |bits: u64| bits >> index & 1 == 1;
                if bit(arena.all) {
                    *at = match (bit(arena.free.get()), bit(arena.touched.get())) {
                        (false, _) => PageUse::Blocks,
                        (true, true) => PageUse::Empty,
                        (true, false) => PageUse::Nothing,
                    };
                }
            }
            f(core::ptr::from_ref(arena).addr(), &uses);
        });
    }

    /// Walks all blocks and compares with the counters (D7). Debug builds do it when an interpreter
    /// ends.
    ///
    /// # Errors
    /// The first tag for which they differ.
    pub fn check_counts(&self) -> Result<(), Mismatch> {
        let mut walked = [(0usize, 0usize); 3];
        self.walk_inner(&mut |tag, _, size| {
            let found = &mut walked[tag.index()];
            *found = (found.0 + 1, found.1 + size);
        });
        for tag in Tag::ALL {
            let stats = self.tag_stats(tag);
            let counted = (stats.live_blocks, stats.live_bytes);
            if walked[tag.index()] != counted {
                return Err(Mismatch { tag, walked: walked[tag.index()], counted });
            }
        }
        Ok(())
    }
}

/// What a page of an arena is good for at the moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageUse {
    /// It holds the arena's headers, or is the page that an unaligned arena loses.
    Headers,
    /// It holds blocks.
    Blocks,
    /// It is not in use, but holds memory of the system.
    Empty,
    /// It is not in use and takes no memory.
    Nothing,
}
