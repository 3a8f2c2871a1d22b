//! The methods by which the runtime and the C API allocate: what is inlined into them.
//!
//! Each of them goes through the *gate* of its tag, which refers to the heap's bins only while the domain has
//! its built-in allocator and the heap has pages, and otherwise to bins that are empty and full at once; for an address
//! it has the length of a range. So there is nothing to ask: a block is popped from, or pushed to, a bin, and what fails is a
//! call into `slow`, `foreign` or the domain's table. The price is measured by `benches/`.
//!
//! A gate is opened and closed from any thread (T2), so it is made of atomic words, which cost what others cost.
//! - T4: the rows of a gate are the heap's own or [`SHUT`].

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::bin::{Bin, Row, SHUT};
use super::page::{self, CLASSES, SMALL_LIMIT};
use super::{Heap, Tag, current_heap, pagemap};
use crate::domain::Domain;

/// What the inlined paths of a tag ask.
#[repr(C)]
pub(super) struct Gate {
    /// The bins from which a small request is served: the heap's, or those that are always empty.
    take: AtomicPtr<Row>,
    /// The bins to which a small block goes that is freed with its size: the heap's, or those that are always full.
    give: AtomicPtr<Row>,
    /// As `take`, for who would wait for it: a request of that many bytes or less is served from the heap's bins.
    small: AtomicUsize,
    /// How far the reserved range goes; 0 if no block is to be looked for there.
    range: AtomicUsize,
    /// Not zero if calls reach the built-in allocator at once, of whatever kind the heap is.
    direct: AtomicUsize,
}

impl Gate {
    pub(super) const fn closed() -> Self {
        Self {
            take: AtomicPtr::new(shut()),
            give: AtomicPtr::new(shut()),
            small: AtomicUsize::new(0),
            range: AtomicUsize::new(0),
            direct: AtomicUsize::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn is_direct(&self) -> bool {
        self.direct.load(Ordering::Relaxed) != 0
    }

    /// Opens or closes. `pages` is the length of the reserved range if the heap has pages, otherwise 0.
    pub(super) fn set(&self, row: &Row, direct: bool, pages: usize, sized: bool) {
        let open = direct && pages != 0;
        let row = if open { ptr::from_ref(row).cast_mut() } else { shut() };
        self.take.store(row, Ordering::Relaxed);
        self.small.store(if open { SMALL_LIMIT } else { 0 }, Ordering::Relaxed);
        self.range.store(if direct { pages } else { 0 }, Ordering::Relaxed);
        self.give.store(if sized { row } else { shut() }, Ordering::Relaxed);
        self.direct.store(usize::from(direct), Ordering::Relaxed);
    }

    pub(super) fn no_sized_free(&self) {
        self.give.store(shut(), Ordering::Relaxed);
    }

    /// The bin of a small block to take from.
    ///
    /// # Safety
    /// `size` is from 1 to [`SMALL_LIMIT`], and the heap of the gate lives.
    #[inline(always)]
    unsafe fn bin_to_take(&self, size: usize) -> &Bin {
        // SAFETY: T4; the caller's promise.
        unsafe { (*self.take.load(Ordering::Relaxed)).get_unchecked(page::class_of(size)) }
    }

    /// The bin of a small block to give to.
    ///
    /// # Safety
    /// As for `bin_to_take`.
    #[inline(always)]
    unsafe fn bin_to_give(&self, size: usize) -> &Bin {
        // SAFETY: T4; the caller's promise.
        unsafe { (*self.give.load(Ordering::Relaxed)).get_unchecked(page::class_of(size)) }
    }
}

/// As a gate refers to it. Nobody writes through the pointer: see [`SHUT`].
const fn shut() -> *mut Row {
    (&raw const SHUT.0).cast_mut()
}

/// Whether a request of that many bytes can be served from a bin.
#[inline(always)]
fn is_small(size: usize) -> bool {
    size.wrapping_sub(1) < SMALL_LIMIT
}

/// Keeps the address of a bin that depends on a size in a register of its own. A load that adds an index
/// does not take the short way from a store that has just been made, on the processors that have one;
/// the head of a bin is such a word. A constant size needs none of it: the address is folded.
#[inline(always)]
fn in_register(bin: &Bin) -> &Bin {
    #[cfg(target_arch = "x86_64")]
    {
        let mut at = ptr::from_ref(bin);
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
        self.taken(bin.pop())
    }

    /// Notes in debug builds that a block, or none, was popped.
    #[inline(always)]
    fn taken(&self, block: *mut u8) -> *mut u8 {
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
            if (*bin).push(p) {
                (*bin).count();
            } else {
                super::bin::spill(self, bin, p);
            }
        }
    }

    #[inline(always)]
    pub(super) fn gate(&self, tag: Tag) -> &Gate {
        &self.gates[tag.index()]
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
            let block = self.pop_from(&self.bins[tag.index()][page::class_of(size)]);
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
        if is_small(size) {
            // SAFETY: a small size. Where it is a constant, so is the place in the row.
            let block = self.taken(unsafe { self.gate(tag).bin_to_take(size) }.pop_at_once());
            if !block.is_null() {
                return block;
            }
        }
        self.alloc_outside(tag, size)
    }

    #[inline(always)]
    unsafe fn free(&self, tag: Tag, p: *mut u8) {
        let range = self.gate(tag).range.load(Ordering::Relaxed);
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
        if !is_small(size) {
            // SAFETY: the caller's promise.
            unsafe { self.free(tag, p) };
            return;
        }
        // SAFETY: a small size.
        let bin = unsafe { self.gate(tag).bin_to_give(size) };
        #[cfg(debug_assertions)]
        if self.owns(bin) {
            if !self.fits(tag, p, size) {
                // SAFETY: the caller's promise.
                unsafe { self.free(tag, p) };
                return;
            }
            self.note_given(p);
        }
        // SAFETY: the caller's promise, and who opened the gate's: a small block of this heap of that size.
        unsafe {
            if bin.push(p) {
                bin.count_apart();
            } else {
                self.free_refused(tag, bin, p);
            }
        }
    }

    /// A block that is freed with its size, for which there was no room: the bin is full, or none of the heap's.
    ///
    /// # Safety
    /// As for `free`.
    #[cold]
    #[inline(never)]
    unsafe fn free_refused(&self, tag: Tag, bin: &Bin, p: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.owns(bin) {
                super::bin::spill(self, bin, p);
            } else {
                self.free(tag, p);
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe {
            if self.gate(tag).is_direct() {
                self.realloc_inner(tag, p, size)
            } else {
                self.realloc_hooked(tag, p, size)
            }
        }
    }

    #[inline]
    fn alloc_zeroed(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.gate(tag).is_direct() {
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
        return ptr::null_mut();
    };
    if heap.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: who attaches a heap keeps it alive meanwhile.
    let heap = unsafe { &*heap };
    if size.wrapping_sub(1) < heap.gate(tag).small.load(Ordering::Relaxed) {
        // SAFETY: the gate's limit is that of small sizes.
        return heap.pop_from(in_register(unsafe { heap.bins[tag.index()].get_unchecked(page::class_of(size)) }));
    }
    ptr::null_mut()
}

/// Puts a small block of the attached heap into its bin. False if that cannot be: then the table is
/// asked.
///
/// # Safety
/// `p` is null or a live block of the domain that is no longer used.
#[inline(always)]
pub(crate) unsafe fn quick_free(domain: Domain, p: *mut u8) -> bool {
    let (Some(tag), heap) = (tag_of(domain), current_heap()) else {
        return false;
    };
    if heap.is_null() {
        return false;
    }
    // SAFETY: who attaches a heap keeps it alive meanwhile; the caller's promise for the block.
    unsafe {
        let heap = &*heap;
        match heap.bin_of_block(heap.gate(tag).range.load(Ordering::Relaxed), p) {
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
