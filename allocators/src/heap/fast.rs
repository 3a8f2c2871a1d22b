//! The methods by which the runtime and the C API allocate: what is inlined into them.
//!
//! Each of them asks one question, the *gate* of the domain, which answers two at once: a small size is
//! below the gate's limit, and an address lies in the gate's range, only while the domain has its
//! built-in allocator and the heap has pages. Then it is a pop from, or a push to, a bin. Everything
//! else is a call into `slow`, `foreign` or the domain's table. The price is measured by `benches/`.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::bin::Bin;
use super::page::{self, CLASSES, SMALL_LIMIT};
use super::{Heap, Tag, current_heap, pagemap};
use crate::domain::Domain;

/// What the inlined paths of a domain ask; zeros close them.
#[repr(C)]
pub(super) struct Gate {
    /// A request of that many bytes or less is served from a bin.
    small: AtomicUsize,
    /// How far the reserved range goes.
    range: AtomicUsize,
    /// A block of that many bytes or less that is freed with its size lies in a page.
    sized: AtomicUsize,
    /// Not zero if calls reach the built-in allocator at once, of whatever kind the heap is.
    direct: AtomicUsize,
}

impl Gate {
    pub(super) const fn closed() -> Self {
        Self {
            small: AtomicUsize::new(0),
            range: AtomicUsize::new(0),
            sized: AtomicUsize::new(0),
            direct: AtomicUsize::new(0),
        }
    }

    pub(super) fn is_direct(&self) -> bool {
        self.direct.load(Ordering::Relaxed) != 0
    }

    /// Opens or closes. `pages` is the length of the reserved range if the heap has pages, otherwise 0.
    pub(super) fn set(&self, direct: bool, pages: usize, sized: bool) {
        let small = if direct && pages != 0 { SMALL_LIMIT } else { 0 };
        self.small.store(small, Ordering::Relaxed);
        self.range.store(if direct { pages } else { 0 }, Ordering::Relaxed);
        self.sized.store(if sized { small } else { 0 }, Ordering::Relaxed);
        self.direct.store(usize::from(direct), Ordering::Relaxed);
    }

    pub(super) fn no_sized_free(&self) {
        self.sized.store(0, Ordering::Relaxed);
    }
}

/// Keeps the address of a bin that depends on a size in a register of its own. A load that adds an index
/// does not take the short way from a store that has just been made, on the processors that have one;
/// the head of a bin is such a word. A constant size needs none of it: the address is folded.
#[inline(always)]
fn in_register(bin: &Bin) -> &Bin {
    #[cfg(target_arch = "x86_64")]
    {
        let mut at = core::ptr::from_ref(bin);
        // SAFETY: changes nothing.
        unsafe {
            core::arch::asm!("/* {0} */", inout(reg) at, options(pure, nomem, nostack, preserves_flags));
            &*at
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    bin
}

impl Heap {
    /// Takes a block from a bin; null if it is empty.
    #[inline(always)]
    pub(super) fn pop_from(&self, bin: &Bin) -> *mut u8 {
        let block = bin.pop();
        #[cfg(debug_assertions)]
        if !block.is_null() {
            self.note_taken(block);
        }
        block
    }

    /// Puts a block into a bin.
    ///
    /// # Safety
    /// The bin is one of this heap's; `p` is a small block of this heap that was handed out and is no
    /// longer used, and large enough for the bin's class.
    #[inline(always)]
    pub(crate) unsafe fn push_to(&self, bin: *const Bin, p: *mut u8) {
        #[cfg(debug_assertions)]
        self.note_given(p);
        // SAFETY: the caller's promise.
        unsafe {
            if !(*bin).push(p) {
                super::bin::spill(self, bin, p);
            }
        }
    }

    /// The bin of a small request; its class is in range.
    #[inline(always)]
    fn bin_of(&self, tag: Tag, size: usize) -> &Bin {
        let class = page::class_of(size);
        debug_assert!(class < CLASSES);
        // SAFETY: the callers have compared the size with the limit of small ones.
        in_register(unsafe { self.bins[tag.index()].get_unchecked(class) })
    }

    /// The bin of the page in which `p` lies, if that page is one of this heap's in the range that `gate`
    /// shows.
    #[inline(always)]
    fn bin_of_block(&self, range: usize, p: *mut u8) -> Option<*const Bin> {
        let offset = (p as usize).wrapping_sub(self.range_base);
        if offset < range {
            // SAFETY: the offset lies in the range, and `map` is the map of that range.
            let bin = unsafe { pagemap::get(self.map, offset) };
            if self.owns(bin) {
                return Some(bin);
            }
        }
        None
    }

    /// As `bin_of_block`, whatever the gates say, with the size that blocks of that bin have at least.
    #[inline(always)]
    pub(crate) fn small_block(&self, p: *mut u8) -> Option<(*const Bin, usize)> {
        let bin = self.bin_of_block(self.range_len, p)?;
        Some((bin, (self.bin_index(bin) % CLASSES + 1) * page::STEP))
    }

    /// A block from the built-in allocator.
    #[inline(always)]
    pub(crate) fn alloc_inner(&self, tag: Tag, size: usize) -> *mut u8 {
        if page::class_of(size) < CLASSES {
            let block = self.pop_from(self.bin_of(tag, size));
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
    pub(crate) unsafe fn free_inner(&self, p: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.bin_of_block(self.range_len, p) {
                Some(bin) => self.push_to(bin, p),
                None => self.free_slow(p),
            }
        }
    }

    #[inline(always)]
    fn alloc(&self, tag: Tag, size: usize) -> *mut u8 {
        if size.wrapping_sub(1) < self.gates[tag.domain().index()].small.load(Ordering::Relaxed) {
            // SAFETY: the gate's limit is that of small sizes. Where the size is a constant, so is the place.
            let bin = unsafe { self.bins[tag.index()].get_unchecked(page::class_of(size)) };
            let block = self.pop_from(bin);
            if !block.is_null() {
                return block;
            }
        }
        self.alloc_outside(tag, size)
    }

    #[inline(always)]
    unsafe fn free(&self, tag: Tag, p: *mut u8) {
        let range = self.gates[tag.domain().index()].range.load(Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe {
            match self.bin_of_block(range, p) {
                Some(bin) => self.push_to(bin, p),
                None => self.free_outside(tag, p),
            }
        }
    }

    /// As `free`, for a block whose size the caller knows: a small one needs no look at its page.
    #[inline(always)]
    unsafe fn free_sized(&self, tag: Tag, p: *mut u8, size: usize) {
        if size.wrapping_sub(1) >= self.gates[tag.domain().index()].sized.load(Ordering::Relaxed) {
            // SAFETY: the caller's promise.
            unsafe { self.free(tag, p) };
            return;
        }
        #[cfg(debug_assertions)]
        if !self.fits(tag, p, size) {
            // SAFETY: the caller's promise.
            unsafe { self.free(tag, p) };
            return;
        }
        // SAFETY: the gate's limit is that of small sizes; the caller's promise: a small block of this heap
        // of that size.
        unsafe { self.push_to(self.bins[tag.index()].get_unchecked(page::class_of(size)), p) };
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

/* ---- The C API's way ---- */

/// The tag of what comes through the C API: it says what is collected in another way.
const fn tag_of(domain: Domain) -> Option<Tag> {
    match domain {
        Domain::Raw => None,
        Domain::Mem => Some(Tag::Mem),
        Domain::Obj => Some(Tag::Obj),
    }
}

/// A small block from a bin of the attached heap, without a way through the table; null if that cannot
/// be: then the table is asked.
#[inline(always)]
pub(crate) fn quick_alloc(domain: Domain, size: usize) -> *mut u8 {
    let (Some(tag), heap) = (tag_of(domain), current_heap()) else {
        return core::ptr::null_mut();
    };
    if heap.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: who attaches a heap keeps it alive meanwhile.
    let heap = unsafe { &*heap };
    if size.wrapping_sub(1) < heap.gates[domain.index()].small.load(Ordering::Relaxed) {
        return heap.pop_from(heap.bin_of(tag, size));
    }
    core::ptr::null_mut()
}

/// Puts a small block of the attached heap into its bin. False if that cannot be: then the table is
/// asked.
///
/// # Safety
/// `p` is null or a live block of the domain that is no longer used.
#[inline(always)]
pub(crate) unsafe fn quick_free(domain: Domain, p: *mut u8) -> bool {
    if matches!(domain, Domain::Raw) {
        return false;
    }
    let heap = current_heap();
    if heap.is_null() {
        return false;
    }
    // SAFETY: who attaches a heap keeps it alive meanwhile; the caller's promise for the block.
    unsafe {
        let heap = &*heap;
        match heap.bin_of_block(heap.gates[domain.index()].range.load(Ordering::Relaxed), p) {
            Some(bin) => {
                heap.push_to(bin, p);
                true
            }
            None => false,
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
