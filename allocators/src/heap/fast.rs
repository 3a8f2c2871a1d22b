//! The methods by which the runtime allocates: what is inlined into it.
//!
//! Each of them asks one flag, whether the domain has its built-in allocator, and then pops from or
//! pushes to a page. Everything else is a call into `slow`, `foreign` or the domain's table. The price
//! is measured by `benches/pair.rs`.

use core::ptr;
use core::sync::atomic::Ordering;

use super::page::{self, CLASSES};
use super::{Heap, Tag};

impl Heap {
    /// A block from the built-in allocator.
    #[inline(always)]
    pub(crate) fn alloc_inner(&self, tag: Tag, size: usize) -> *mut u8 {
        let class = page::class_of(size);
        if class < CLASSES {
            let at = self.current[tag.index()][class].get();
            // SAFETY: the current page is a page of this heap or the empty page.
            let block = unsafe { (*at).pop() };
            if !block.is_null() {
                return block;
            }
        }
        self.alloc_slow(tag, size)
    }

    /// Gives a block back to the built-in allocator.
    ///
    /// # Safety
    /// `p` is null or a live block that is no longer used.
    #[inline(always)]
    pub(crate) unsafe fn free_inner(&self, _tag: Tag, p: *mut u8) {
        if (p as usize).wrapping_sub(self.range_base) < self.range_len {
            // SAFETY: the reserved range can always be read (A1, P4).
            let page = unsafe { &*page::of(p) };
            if ptr::eq(page.heap.get(), self) {
                // SAFETY: the caller's promise; the page is this heap's.
                if unsafe { page.push(p) } {
                    // SAFETY: `push` just said so.
                    unsafe { self.woken(page::of(p)) };
                }
                return;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.free_slow(p) }
    }

    #[inline(always)]
    fn alloc(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.is_direct(tag.domain()) { self.alloc_inner(tag, size) } else { self.alloc_hooked(tag, size) }
    }

    #[inline(always)]
    unsafe fn free(&self, tag: Tag, p: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.is_direct(tag.domain()) {
                self.free_inner(tag, p);
            } else {
                self.free_hooked(tag, p);
            }
        }
    }

    /// As `free`, for a block whose size the caller knows: a small one needs no look at the range.
    #[inline(always)]
    unsafe fn free_sized(&self, tag: Tag, p: *mut u8, size: usize) {
        let domain = tag.domain().index();
        // The flag of the sized path is set only where the direct one is.
        if page::class_of(size) >= CLASSES || !self.sized[domain].load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            unsafe { self.free(tag, p) };
            return;
        }
        // SAFETY: a block of a small size lies in a page, as the flag says: of this heap, or of another
        // one that lives.
        let page = unsafe { &*page::of(p) };
        if !ptr::eq(page.heap.get(), self) {
            // SAFETY: the caller's promise.
            unsafe { self.free_slow(p) };
            return;
        }
        debug_assert!(page.block_size() >= size, "the size at free fits the block");
        // SAFETY: the caller's promise; the page is this heap's.
        if unsafe { page.push(p) } {
            // SAFETY: `push` just said so.
            unsafe { self.woken(page::of(p)) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe {
            if self.is_direct(tag.domain()) {
                self.realloc_inner(tag, p, size)
            } else {
                self.realloc_hooked(tag, p, size)
            }
        }
    }

    #[inline]
    fn alloc_zeroed(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.is_direct(tag.domain()) {
            self.alloc_zeroed_inner(tag, size)
        } else {
            self.alloc_zeroed_hooked(tag, size)
        }
    }
}

/// The methods of one tag.
macro_rules! tag_methods {
    ($tag:expr, $what:literal, $alloc:ident, $zeroed:ident, $free:ident, $sized:ident, $realloc:ident) => {
        impl Heap {
            #[doc = concat!("Allocates ", $what, " of `size` bytes; null on failure.")]
            #[inline(always)]
            #[must_use]
            pub fn $alloc(&self, size: usize) -> *mut u8 {
                self.alloc($tag, size)
            }

            #[doc = concat!("Allocates ", $what, " of `size` zero bytes; null on failure.")]
            #[inline]
            #[must_use]
            pub fn $zeroed(&self, size: usize) -> *mut u8 {
                self.alloc_zeroed($tag, size)
            }

            #[doc = concat!("Frees ", $what, ". Null is allowed.")]
            ///
            /// # Safety
            /// The block was allocated from this heap by the methods of the same name, and is no longer
            /// used.
            #[inline(always)]
            pub unsafe fn $free(&self, p: *mut u8) {
                // SAFETY: the caller's promise.
                unsafe { self.free($tag, p) }
            }

            #[doc = concat!("Frees ", $what, " whose size is known. Null is not allowed.")]
            ///
            /// # Safety
            /// As for the method without a size; `size` is the last size that was asked for.
            #[inline(always)]
            pub unsafe fn $sized(&self, p: *mut u8, size: usize) {
                // SAFETY: the caller's promise.
                unsafe { self.free_sized($tag, p, size) }
            }

            #[doc = concat!("Changes the size of ", $what, "; null on failure, and then it is as before.")]
            ///
            /// # Safety
            /// `p` is null or was allocated from this heap by the methods of the same name; after
            /// success it is no longer used.
            #[inline]
            #[must_use]
            pub unsafe fn $realloc(&self, p: *mut u8, new: usize) -> *mut u8 {
                // SAFETY: the caller's promise.
                unsafe { self.realloc($tag, p, new) }
            }
        }
    };
}

tag_methods!(Tag::Mem, "a buffer", mem_alloc, mem_alloc_zeroed, mem_free, mem_free_sized, mem_realloc);
tag_methods!(
    Tag::Obj,
    "an object without a collector's header",
    obj_alloc,
    obj_alloc_zeroed,
    obj_free,
    obj_free_sized,
    obj_realloc
);
tag_methods!(
    Tag::ObjGc,
    "an object with its collector's header in front",
    gc_alloc,
    gc_alloc_zeroed,
    gc_free,
    gc_free_sized,
    gc_realloc
);
