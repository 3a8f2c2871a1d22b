//! A heap: what serves the mem and obj domains of one interpreter (D3).
//!
//! ```text
//!                    ┌──────────────── Heap ────────────────┐
//!   mem_alloc ──────►│ current[mem   ][class] ► page        │
//!   obj_alloc ──────►│ current[obj   ][class] ► page        │──► arenas, 1 MiB each
//!   gc_alloc  ──────►│ current[obj-gc][class] ► page        │
//!                    │ large[tag] ◄► block ◄► block         │──► C library
//!                    │ three mimalloc heaps (that kind)     │──► mimalloc
//!                    │ foreign ◄── freed by other threads   │
//!                    └──────────────────────────────────────┘
//! ```
//!
//! A heap belongs to one GIL: whoever calls it holds that GIL, so its paths have neither atomic
//! operations nor locks. What others may do to a heap is listed in `foreign` and `registry`.
//!
//! Blocks of collected objects have a tag of their own beside the domain, and so pages of their own:
//! a walk can tell which blocks start with a collector's header.
//!
//! Files: `page` and `small` (blocks up to 512 bytes), `arena`, `large`, `malloc` (the C library),
//! `mimalloc`, `foreign` (blocks in the wrong hands), `registry` (all heaps), `stats`, `walk`.

#![cfg_attr(
    not(feature = "pymalloc"),
    allow(dead_code, reason = "pages exist only for pymalloc")
)]

pub(crate) mod arena;
pub(crate) mod foreign;
mod large;
mod malloc;
#[cfg(feature = "mimalloc")]
mod mimalloc;
mod page;
pub(crate) mod registry;
mod small;
pub(crate) mod stats;
#[cfg(test)]
mod tests;
mod walk;

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, Ordering};

pub use arena::ARENA_SIZE;
pub use page::{PAGE_SIZE, SMALL_LIMIT};

use crate::domain::{self, Domain, MAX_SIZE, NoMemory, PyMemAllocatorEx};
use crate::fault;
use page::{Block, CLASSES, Page};

/// Who serves the blocks of a heap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeapKind {
    /// The C library, each block linked into the heap.
    Malloc,
    /// The small-object allocator of this crate; blocks of more than [`SMALL_LIMIT`] bytes come from
    /// the C library.
    #[cfg(feature = "pymalloc")]
    Pymalloc,
    /// mimalloc.
    #[cfg(feature = "mimalloc")]
    Mimalloc,
}

impl HeapKind {
    /// All kinds of this build.
    pub const ALL: &'static [Self] = &[
        Self::Malloc,
        #[cfg(feature = "pymalloc")]
        Self::Pymalloc,
        #[cfg(feature = "mimalloc")]
        Self::Mimalloc,
    ];

    fn has_pages(self) -> bool {
        #[cfg(feature = "pymalloc")]
        return self == Self::Pymalloc;
        #[cfg(not(feature = "pymalloc"))]
        false
    }

    /// Whether the counters say something else than the lists: mimalloc keeps its blocks itself.
    fn counts_held_by_block(self) -> bool {
        #[cfg(feature = "mimalloc")]
        return self == Self::Mimalloc;
        #[cfg(not(feature = "mimalloc"))]
        false
    }
}

/// What a block is for: its domain, and whether a collector's header comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Tag {
    /// A buffer.
    Mem = 0,
    /// An object without a collector's header.
    Obj = 1,
    /// An object behind a collector's header.
    ObjGc = 2,
}

impl Tag {
    /// All tags, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Mem, Self::Obj, Self::ObjGc];

    /// The domain whose figures the block counts in.
    #[must_use]
    pub const fn domain(self) -> Domain {
        match self {
            Self::Mem => Domain::Mem,
            Self::Obj | Self::ObjGc => Domain::Obj,
        }
    }

    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// The figures of one tag that pages do not keep.
struct Counts {
    large: Cell<*mut large::Large>,
    large_blocks: Cell<usize>,
    large_bytes: Cell<usize>,
    /// Blocks handed out: large ones, and small ones from pages that were given back.
    allocations: Cell<u64>,
}

/// How many arenas came and went.
struct ArenaCounts {
    total: Cell<usize>,
    reclaimed: Cell<usize>,
    highwater: Cell<usize>,
}

/// A heap of one interpreter; see the module.
#[repr(C)]
pub struct Heap {
    // What the fast path reads comes first.
    direct: [AtomicBool; 3],
    sized: [AtomicBool; 3],
    kind: HeapKind,
    /// The tag of the next object that comes through the table.
    hint: Cell<Tag>,
    range_base: usize,
    range_len: usize,
    current: [[Cell<*mut Page>; CLASSES]; 3],
    partial: [[small::List; CLASSES]; 3],
    arenas: Cell<*mut arena::Arena>,
    room: Cell<*mut arena::Arena>,
    spare: Cell<*mut arena::Arena>,
    outside: UnsafeCell<registry::Outside>,
    counts: [Counts; 3],
    arena_counts: ArenaCounts,
    label: AtomicI64,
    domain_held: [Cell<usize>; 3],
    peaks: [Cell<usize>; 3],
    held: Cell<usize>,
    limit: Cell<usize>,
    fallback: Cell<bool>,
    mimalloc: [Cell<*mut c_void>; 3],
    foreign: AtomicPtr<Block>,
    registry_next: Cell<*const Heap>,
}

/* ---- The current heap ---- */

thread_local! {
    static CURRENT: Cell<*mut Heap> = const { Cell::new(ptr::null_mut()) };
}

/// Makes `heap` (null for none) the one that serves mem and obj in this thread; the previous one.
///
/// The heap must stay alive for as long as it is attached, and the thread must hold its GIL whenever it
/// allocates.
#[inline]
pub fn attach_heap(heap: *mut Heap) -> *mut Heap {
    CURRENT.replace(heap)
}

/// The heap that serves mem and obj in this thread; null if none does.
#[inline]
#[must_use]
pub fn current_heap() -> *mut Heap {
    CURRENT.get()
}

/* ---- Life ---- */

impl Heap {
    /// Makes an empty heap. It takes memory for its blocks when the first of them is allocated.
    pub fn new(kind: HeapKind) -> Result<NonNull<Self>, NoMemory> {
        if !fault::allows() {
            return Err(NoMemory);
        }
        // SAFETY: plain allocation; the result is tested.
        let at = unsafe { libc::malloc(size_of::<Self>()) }.cast::<Self>();
        let at = NonNull::new(at).ok_or(NoMemory)?;
        let (range_base, range_len) = if kind.has_pages() {
            arena::reserve_range()
        } else {
            (0, 0)
        };
        let heap = Self {
            direct: [const { AtomicBool::new(false) }; 3],
            sized: [const { AtomicBool::new(false) }; 3],
            kind,
            hint: Cell::new(Tag::Obj),
            range_base,
            range_len,
            current: [const { [const { Cell::new(ptr::null_mut()) }; CLASSES] }; 3],
            partial: [const { [const { small::List::new() }; CLASSES] }; 3],
            arenas: Cell::new(ptr::null_mut()),
            room: Cell::new(ptr::null_mut()),
            spare: Cell::new(ptr::null_mut()),
            outside: UnsafeCell::new(registry::Outside::new()),
            counts: [const {
                Counts {
                    large: Cell::new(ptr::null_mut()),
                    large_blocks: Cell::new(0),
                    large_bytes: Cell::new(0),
                    allocations: Cell::new(0),
                }
            }; 3],
            arena_counts: ArenaCounts {
                total: Cell::new(0),
                reclaimed: Cell::new(0),
                highwater: Cell::new(0),
            },
            label: AtomicI64::new(-1),
            domain_held: [const { Cell::new(0) }; 3],
            peaks: [const { Cell::new(0) }; 3],
            held: Cell::new(0),
            limit: Cell::new(usize::MAX),
            fallback: Cell::new(false),
            mimalloc: [const { Cell::new(ptr::null_mut()) }; 3],
            foreign: AtomicPtr::new(ptr::null_mut()),
            registry_next: Cell::new(ptr::null()),
        };
        for slot in heap.current.iter().flatten() {
            slot.set(page::empty());
        }
        // SAFETY: fresh, aligned by malloc, and large enough.
        unsafe { at.write(heap) };
        #[cfg(feature = "mimalloc")]
        if kind == HeapKind::Mimalloc {
            // SAFETY: written above.
            if let Err(error) = mimalloc::init(unsafe { at.as_ref() }) {
                // SAFETY: allocated above, on no list.
                unsafe { libc::free(at.as_ptr().cast()) };
                return Err(error);
            }
        }
        registry::add(at.as_ptr());
        Ok(at)
    }

    /// Frees a heap with all its blocks: the arenas go back to the system as a whole, large blocks one
    /// by one.
    ///
    /// # Safety
    /// `heap` came from [`Heap::new`], is attached to no other thread, and neither it nor a block of it
    /// is used again.
    pub unsafe fn destroy(heap: NonNull<Self>) {
        registry::remove(heap.as_ptr());
        if ptr::eq(current_heap(), heap.as_ptr()) {
            attach_heap(ptr::null_mut());
        }
        // SAFETY: the caller's promise: this is the only use of the heap.
        unsafe {
            let this = heap.as_ref();
            large::free_all(this);
            #[cfg(feature = "mimalloc")]
            mimalloc::destroy(this);
            let mut at = this.arenas.get();
            while !at.is_null() {
                let next = (*at).next.get();
                arena::release(at);
                at = next;
            }
            (*this.outside.get()).release();
            libc::free(heap.as_ptr().cast());
        }
    }

    /// Who serves the blocks.
    #[must_use]
    pub fn kind(&self) -> HeapKind {
        self.kind
    }

    /// The number of the interpreter in reports; -1 until it is set.
    #[must_use]
    pub fn label(&self) -> i64 {
        self.label.load(Ordering::Relaxed)
    }

    /// Sets the number of the interpreter that the heap belongs to.
    pub fn set_label(&self, interpreter: i64) {
        self.label.store(interpreter, Ordering::Relaxed);
    }

    /// Sets the highest value that [`Heap::held_bytes`] may reach; `None` for no limit. Beyond it
    /// allocations fail. Pages count as a whole when they are taken, so the limit costs nothing on the
    /// fast path; what is held already stays.
    pub fn set_limit(&self, bytes: Option<usize>) {
        self.limit.set(bytes.unwrap_or(usize::MAX));
    }

    /// The limit; `None` if there is none.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        Some(self.limit.get()).filter(|limit| *limit != usize::MAX)
    }

    #[inline(always)]
    pub(crate) fn is_direct(&self, domain: Domain) -> bool {
        self.direct[domain.index()].load(Ordering::Relaxed)
    }

    pub(crate) fn set_direct(&self, domain: Domain, direct: bool) {
        self.direct[domain.index()].store(direct, Ordering::Relaxed);
        let sized = direct && self.kind.has_pages() && !self.fallback.get();
        self.sized[domain.index()].store(sized, Ordering::Relaxed);
    }
}

/* ---- The fast paths ---- */

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

    /// As `free_inner`, for a block whose size the caller knows.
    ///
    /// # Safety
    /// As for `free_inner`; `size` is the last size that was asked for.
    #[inline(always)]
    unsafe fn free_inner_sized(&self, tag: Tag, p: *mut u8, size: usize) {
        if page::class_of(size) < CLASSES
            && self.sized[tag.domain().index()].load(Ordering::Relaxed)
        {
            // SAFETY: a block of a small size lies in a page, as the flag says: of this heap, or of
            // another one that lives.
            let page = unsafe { &*page::of(p) };
            if ptr::eq(page.heap.get(), self) {
                debug_assert!(page.block_size() >= size, "the size at free fits the block");
                // SAFETY: the caller's promise; the page is this heap's.
                if unsafe { page.push(p) } {
                    // SAFETY: `push` just said so.
                    unsafe { self.woken(page::of(p)) };
                }
                return;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.free_inner(tag, p) }
    }

    #[inline(always)]
    fn alloc(&self, tag: Tag, size: usize) -> *mut u8 {
        if self.is_direct(tag.domain()) {
            self.alloc_inner(tag, size)
        } else {
            self.alloc_hooked(tag, size)
        }
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

    #[inline(always)]
    unsafe fn free_sized(&self, tag: Tag, p: *mut u8, size: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.is_direct(tag.domain()) {
                self.free_inner_sized(tag, p, size);
            } else {
                self.free_hooked(tag, p);
            }
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
            self.hooked(tag, |domain| domain::calloc(domain, 1, size))
                .cast()
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

tag_methods!(
    Tag::Mem,
    "a buffer",
    mem_alloc,
    mem_alloc_zeroed,
    mem_free,
    mem_free_sized,
    mem_realloc
);
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

/* ---- The slow paths ---- */

impl Heap {
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, tag: Tag, size: usize) -> *mut u8 {
        match self.kind {
            _ if size > MAX_SIZE => ptr::null_mut(),
            #[cfg(feature = "pymalloc")]
            HeapKind::Pymalloc if size <= SMALL_LIMIT => {
                self.refill(tag, page::class_of(size.max(1)))
            }
            #[cfg(feature = "mimalloc")]
            HeapKind::Mimalloc => {
                self.drain_foreign();
                mimalloc::alloc(self, tag, size, false)
            }
            _ => {
                self.drain_foreign();
                large::alloc(self, tag, size, false)
            }
        }
    }

    fn alloc_zeroed_inner(&self, tag: Tag, size: usize) -> *mut u8 {
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
                self.drain_foreign();
                mimalloc::alloc(self, tag, size, true)
            }
            _ => {
                self.drain_foreign();
                large::alloc(self, tag, size, true)
            }
        }
    }

    /// The page of a block, if it is a small one of this heap.
    fn own_page(&self, p: *mut u8) -> Option<*mut Page> {
        if arena::in_reserve(p) {
            let page = page::of(p);
            // SAFETY: the reserved range can always be read.
            return unsafe { ptr::eq((*page).heap.get(), self) }.then_some(page);
        }
        registry::find_outside(self, p)
    }

    /// How many bytes a block of this heap holds, as the built-in allocator sees it; `None` if it is
    /// not one of this heap's.
    ///
    /// # Safety
    /// `p` is a live block of some allocator.
    pub(crate) unsafe fn usable_size(&self, p: *mut u8) -> Option<usize> {
        if let Some(page) = self.own_page(p) {
            // SAFETY: a page in use of this heap.
            return Some(unsafe { (*page).block_size() });
        }
        if arena::in_reserve(p) {
            return None;
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
        if let Some(page) = self.own_page(p) {
            // SAFETY: a page in use of this heap.
            let (block_size, tag) = unsafe { ((*page).block_size(), (*page).tag()) };
            let wanted = size.max(1);
            // A block stays where it is while it fits and no more than a quarter is lost.
            if wanted <= block_size && 4 * wanted > 3 * block_size {
                return p;
            }
            let new = self.alloc_inner(tag, size);
            if new.is_null() {
                return if wanted <= block_size {
                    p
                } else {
                    ptr::null_mut()
                };
            }
            // SAFETY: both blocks have that many bytes and are different; the old one is this heap's.
            unsafe {
                ptr::copy_nonoverlapping(p, new, block_size.min(size));
                self.free_inner(tag, p);
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
    fn no_sized_free(&self) {
        self.fallback.set(true);
        for sized in &self.sized {
            sized.store(false, Ordering::Relaxed);
        }
    }

    /// Calls the table of a tag's domain with this heap attached.
    #[cold]
    #[inline(never)]
    fn hooked<R>(&self, tag: Tag, call: impl FnOnce(Domain) -> R) -> R {
        let before = attach_heap(ptr::from_ref(self).cast_mut());
        if tag == Tag::ObjGc {
            self.hint.set(Tag::ObjGc);
        }
        let result = call(tag.domain());
        self.hint.set(Tag::Obj);
        attach_heap(before);
        result
    }

    fn alloc_hooked(&self, tag: Tag, size: usize) -> *mut u8 {
        self.hooked(tag, |domain| domain::malloc(domain, size))
            .cast()
    }

    unsafe fn free_hooked(&self, tag: Tag, p: *mut u8) {
        // SAFETY: the caller's promise.
        self.hooked(tag, |domain| unsafe { domain::free(domain, p.cast()) });
    }

    unsafe fn realloc_hooked(&self, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.hooked(tag, |domain| unsafe {
            domain::realloc(domain, p.cast(), size)
        })
        .cast()
    }
}

/// Whether `p` is a live large block of a heap.
///
/// # Safety
/// The word before `p` is readable: `p` is a block of some allocator.
pub(crate) unsafe fn is_large(p: *mut u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { large::header(p) }.is_some()
}

/// Whether `p` is a block of mimalloc's, as long as there is a heap of that kind.
#[inline]
pub(crate) fn is_mimallocs(p: *mut u8) -> bool {
    #[cfg(feature = "mimalloc")]
    return mimalloc::any_heap() && mimalloc::has(p);
    #[cfg(not(feature = "mimalloc"))]
    {
        let _ = p;
        false
    }
}

/* ---- The built-in tables of mem and obj ---- */

pub(crate) const MEM_BUILTIN: PyMemAllocatorEx = builtin::<1>();
pub(crate) const OBJ_BUILTIN: PyMemAllocatorEx = builtin::<2>();

const fn builtin<const D: usize>() -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::null_mut(),
        malloc: Some(heap_malloc::<D>),
        calloc: Some(heap_calloc::<D>),
        realloc: Some(heap_realloc::<D>),
        free: Some(heap_free::<D>),
    }
}

/// The attached heap, and the tag of the block that is asked for.
fn attached<const D: usize>() -> Option<(&'static Heap, Tag)> {
    // SAFETY: who attaches a heap keeps it alive meanwhile; the reference does not leave the call.
    let heap = unsafe { current_heap().as_ref() }?;
    let tag = if D == Domain::Mem as usize {
        Tag::Mem
    } else {
        heap.hint.replace(Tag::Obj)
    };
    Some((heap, tag))
}

unsafe extern "C" fn heap_malloc<const D: usize>(_: *mut c_void, size: usize) -> *mut c_void {
    match attached::<D>() {
        Some((heap, tag)) => heap.alloc_inner(tag, size).cast(),
        None => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_calloc<const D: usize>(
    _: *mut c_void,
    nelem: usize,
    elsize: usize,
) -> *mut c_void {
    match (attached::<D>(), nelem.checked_mul(elsize)) {
        (Some((heap, tag)), Some(size)) => heap.alloc_zeroed_inner(tag, size).cast(),
        _ => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_realloc<const D: usize>(
    _: *mut c_void,
    p: *mut c_void,
    size: usize,
) -> *mut c_void {
    match attached::<D>() {
        // SAFETY: the caller's promise.
        Some((heap, tag)) => unsafe { heap.realloc_inner(tag, p.cast(), size).cast() },
        None => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_free<const D: usize>(_: *mut c_void, p: *mut c_void) {
    // SAFETY: who attaches a heap keeps it alive meanwhile; the caller vouches for the block.
    unsafe {
        match current_heap().as_ref() {
            Some(heap) => heap.free_inner(Tag::Obj, p.cast()),
            None => foreign::free_detached(p.cast()),
        }
    }
}
