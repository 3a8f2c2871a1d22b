//! What the inlined paths leave over: kinds without pages, zeroed and resized blocks, hooked domains.

use core::ptr;

#[cfg(any(feature = "pymalloc", feature = "mimalloc"))]
use super::HeapKind;
#[cfg(feature = "mimalloc")]
use super::mimalloc;
use super::page::SMALL_LIMIT;
use super::{Heap, Tag, arena, attach_heap, foreign, large};
use crate::domain::{self, Domain, MAX_SIZE};
use crate::{guard, watch};

impl Heap {
    /// What the gate does not let in, and what finds its bin empty.
    #[cold]
    #[inline(never)]
    pub(super) fn alloc_outside(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.gate(tag).is_direct() { self.alloc_slow(tag, size) } else { self.alloc_hooked(tag, size) }
    }

    /// # Safety
    /// `p` is null or a live block that is no longer used.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn free_outside(&self, tag: Tag, p: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.gate(tag).is_direct() {
                self.free_unpaged(p);
            } else {
                self.free_hooked(tag, p);
            }
        }
    }

    #[inline]
    pub(super) fn alloc_slow(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.sampler.is_on() {
            return self.alloc_sampling(tag, size);
        }
        self.alloc_plain(tag, size)
    }

    /// As `alloc_plain`, but for the blocks that are sampled.
    #[inline(never)]
    fn alloc_sampling(&self, tag: Tag, size: usize) -> *mut u8 {
        let p = self.sample(tag, size, false);
        if p.is_null() { self.alloc_plain(tag, size) } else { p }
    }

    #[inline]
    fn alloc_plain(&self, tag: Tag, size: usize) -> *mut u8 {
        match self.kind {
            _ if size > MAX_SIZE => ptr::null_mut(),
            #[cfg(feature = "pymalloc")]
            HeapKind::Pymalloc if size <= SMALL_LIMIT => self.refill(tag, super::page::class_of(size.max(1))),
            #[cfg(feature = "mimalloc")]
            HeapKind::Mimalloc => {
                self.drain_queue();
                mimalloc::alloc(self, tag, size, false)
            }
            _ => {
                self.drain_queue();
                large::alloc(self, tag, size, false)
            }
        }
    }

    /// As `alloc_slow`, for a heap that has no pages.
    #[inline(always)]
    pub(super) fn alloc_unpaged(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.sampler.is_on() {
            return self.alloc_sampling(tag, size);
        }
        if size > MAX_SIZE {
            return ptr::null_mut();
        }
        self.drain_queue();
        #[cfg(feature = "mimalloc")]
        if self.kind == HeapKind::Mimalloc {
            return mimalloc::alloc(self, tag, size, false);
        }
        large::alloc(self, tag, size, false)
    }

    pub(super) fn alloc_zeroed_inner(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.sampler.is_on() && !(self.kind.has_pages() && size <= SMALL_LIMIT) {
            let sampled = self.sample(tag, size, true);
            if !sampled.is_null() {
                return sampled;
            }
        }
        match self.kind {
            _ if size > MAX_SIZE => ptr::null_mut(),
            #[cfg(feature = "pymalloc")]
            HeapKind::Pymalloc if size <= SMALL_LIMIT => {
                let p = self.alloc_inner(tag, size);
                if !p.is_null() {
                    // SAFETY: the block has that size.
                    unsafe { p.write_bytes(0, size) };
                }
                p
            }
            #[cfg(feature = "mimalloc")]
            HeapKind::Mimalloc => {
                self.drain_queue();
                mimalloc::alloc(self, tag, size, true)
            }
            _ => {
                self.drain_queue();
                large::alloc(self, tag, size, true)
            }
        }
    }

    /// How many bytes a block of this heap holds, as the built-in allocator sees it; `None` if it is
    /// not one of this heap's.
    ///
    /// # Safety
    /// `p` is a live block of some allocator.
    pub(crate) unsafe fn usable_size(&self, p: *mut u8) -> Option<usize> {
        if let Some(page) = self.page_of(p) {
            // SAFETY: a page in use of this heap.
            return Some(unsafe { (*page).block_size() });
        }
        if arena::in_reserve(p) {
            return None;
        }
        if guard::in_pool(p) {
            return guard::size_of_heaps(self, p);
        }
        #[cfg(feature = "mimalloc")]
        if self.kind == HeapKind::Mimalloc {
            return mimalloc::usable_size(self, p);
        }
        // SAFETY: the caller's promise.
        let header = unsafe { large::header(p) }?;
        // SAFETY: L1: a live large block.
        let (heap, size) = unsafe { (header.as_ref().heap, header.as_ref().size) };
        ptr::eq(heap, self).then_some(size)
    }

    /// # Safety
    /// `p` is null or a live block; after success it is no longer used.
    pub(crate) unsafe fn realloc_inner(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        if p.is_null() {
            return self.alloc_inner(tag, size);
        }
        if size > MAX_SIZE {
            return ptr::null_mut();
        }
        if let Some(page) = self.page_of(p) {
            // SAFETY: a page in use of this heap.
            let (block_size, tag) = unsafe { ((*page).block_size(), (*page).tag()) };
            let wanted = size.max(1);
            // A block stays where it is while it fits and no more than a quarter is lost.
            if wanted <= block_size && 4 * wanted > 3 * block_size {
                return p;
            }
            let new = self.alloc_inner(tag, size);
            if new.is_null() {
                return if wanted <= block_size { p } else { ptr::null_mut() };
            }
            // SAFETY: both blocks have that many bytes and are different; the old one is this heap's.
            unsafe {
                ptr::copy_nonoverlapping(p, new, block_size.min(size));
                self.free_inner(p);
            }
            return new;
        }
        // SAFETY: the caller's promise, in each branch.
        unsafe { self.realloc_outside(tag, p, size) }
    }

    /// # Safety
    /// As for `realloc_inner`; `p` is not null and not in a page of this heap.
    unsafe fn realloc_outside(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise, in each branch.
        unsafe {
            if guard::in_pool(p)
                && let Some(old) = guard::size_of_heaps(self, p)
            {
                let new = self.alloc_inner(tag, size);
                if !new.is_null() {
                    ptr::copy_nonoverlapping(p, new, old.min(size));
                    guard::free_of_heap(self, p);
                }
                return new;
            }
            if !arena::in_reserve(p) {
                #[cfg(feature = "mimalloc")]
                if self.kind == HeapKind::Mimalloc
                    && let Some(tag) = mimalloc::tag_of(self, p)
                {
                    return mimalloc::realloc(self, tag, p, size);
                }
                if let Some(header) = large::header(p)
                    && ptr::eq(header.as_ref().heap, self)
                {
                    let (old, tag) = (header.as_ref().size, header.as_ref().tag);
                    if !self.kind.has_pages() || size > SMALL_LIMIT {
                        return large::realloc(self, header, size);
                    }
                    // It becomes a small one: a sized free relies on that.
                    let new = self.alloc_inner(tag, size);
                    if !new.is_null() {
                        ptr::copy_nonoverlapping(p, new, old.min(size));
                        large::free(self, header);
                        return new;
                    }
                    self.no_sized_free();
                    return large::realloc(self, header, size);
                }
            }
            let old = match foreign::owner_of(p) {
                foreign::Owner::Heap(heap, _) => heap.as_ref().usable_size(p),
                foreign::Owner::Nobody => None,
                foreign::Owner::Unknown => {
                    return domain::realloc(Domain::Raw, p.cast(), size).cast();
                }
            };
            let Some(old) = old else {
                return ptr::null_mut();
            };
            let new = self.alloc_inner(tag, size);
            if !new.is_null() {
                ptr::copy_nonoverlapping(p, new, old.min(size));
                foreign::free_stray(p);
            }
            new
        }
    }

    /// From now on a block of a small size may lie outside pages.
    pub(super) fn no_sized_free(&self) {
        self.fallback.set(true);
        for gate in &self.gates {
            gate.no_sized_free();
        }
    }

    /// Calls the table of a tag's domain with this heap attached.
    #[cold]
    #[inline(never)]
    pub(super) fn hooked<R>(&self, tag: Tag, call: impl FnOnce(Domain) -> R) -> R {
        let before = attach_heap(ptr::from_ref(self).cast_mut());
        if tag == Tag::ObjGc {
            self.hint.set(Tag::ObjGc);
        }
        let result = call(tag.domain());
        self.hint.set(Tag::Obj);
        attach_heap(before);
        result
    }

    /// A new block is told of; null if it is refused.
    #[inline(always)]
    fn tell(&self, p: *mut u8, size: usize) -> *mut u8 {
        if p.is_null() || watch::allocated(self, p, size) {
            return p;
        }
        // SAFETY: the block was just made and nobody has seen it.
        unsafe { self.free_inner(p) };
        ptr::null_mut()
    }

    pub(super) fn alloc_hooked(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.is_watched(tag.domain()) {
            return self.tell(self.alloc_inner(tag, size), size);
        }
        self.hooked(tag, |domain| domain::malloc(domain, size)).cast()
    }

    pub(super) fn alloc_zeroed_hooked(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.is_watched(tag.domain()) {
            return self.tell(self.alloc_zeroed_inner(tag, size), size);
        }
        self.hooked(tag, |domain| domain::calloc(domain, 1, size)).cast()
    }

    pub(super) unsafe fn free_hooked(&self, tag: Tag, p: *mut u8) {
        if self.is_watched(tag.domain()) {
            if !p.is_null() {
                watch::freed(self, p);
                // SAFETY: the caller's promise.
                unsafe { self.free_inner(p) };
            }
            return;
        }
        // SAFETY: the caller's promise.
        self.hooked(tag, |domain| unsafe { domain::free(domain, p.cast()) });
    }

    pub(super) unsafe fn realloc_hooked(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        if self.is_watched(tag.domain()) {
            // SAFETY: the caller's promise.
            let new = unsafe { self.realloc_inner(tag, p, size) };
            if p.is_null() {
                return self.tell(new, size);
            }
            if !new.is_null() {
                watch::moved(self, p, new, size);
            }
            return new;
        }
        // SAFETY: the caller's promise.
        self.hooked(tag, |domain| unsafe { domain::realloc(domain, p.cast(), size) }).cast()
    }

    /// Notes that a block is handed out (P5).
    #[cfg(debug_assertions)]
    pub(super) fn note_taken(&self, p: *mut u8) {
        let page = self.page_of(p).expect("B1: a block of a bin lies in a page");
        // SAFETY: a page in use of this heap.
        assert!(unsafe { (*page).note(p, true) }, "P5: a block that is handed out was free");
    }

    /// Notes that a small block is freed (P5); a fatal error if it was free already.
    #[cfg(debug_assertions)]
    pub(super) fn note_given(&self, p: *mut u8) {
        // SAFETY: a page in use of this heap.
        if !self.page_of(p).is_some_and(|page| unsafe { (*page).note(p, false) }) {
            let mut text = crate::debug::report::Text::new();
            text.put(format_args!("double free, or not the start of a block: {p:p}"));
            crate::debug::report::fatal("free", text.as_str());
        }
    }

    /// Whether a small block is this heap's and has the tag and at least the size that its free says.
    #[cfg(debug_assertions)]
    pub(super) fn fits(&self, tag: Tag, p: *mut u8, size: usize) -> bool {
        self.page_of(p).is_some_and(|page| {
            // SAFETY: a page in use of this heap.
            let page = unsafe { &*page };
            assert!(page.tag() == tag && page.block_size() >= size, "the size at free is the block's");
            true
        })
    }
}
