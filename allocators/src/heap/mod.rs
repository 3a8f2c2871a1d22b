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
//! Files: `fast` (what is inlined into the runtime), `slow` (what it leaves over), `builtin` (the tables
//! of mem and obj), `page` and `small` (blocks up to 512 bytes), `arena`, `large`, `malloc` (the C library),
//! `mimalloc`, `foreign` (blocks in the wrong hands), `registry` (all heaps), `stats`, `walk`.

#![cfg_attr(not(feature = "pymalloc"), allow(dead_code, reason = "pages exist only for pymalloc"))]

pub(crate) mod arena;
mod builtin;
mod fast;
pub(crate) mod foreign;
mod large;
mod malloc;
#[cfg(feature = "mimalloc")]
mod mimalloc;
mod page;
pub(crate) mod registry;
mod slow;
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
pub(crate) use builtin::{MEM_BUILTIN, OBJ_BUILTIN};
pub use page::{PAGE_SIZE, SMALL_LIMIT};

use crate::domain::{Domain, NoMemory};
use crate::{fault, watch};
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
    /// Whether a domain has its built-in allocator, and the heap is watched.
    watched: [AtomicBool; 3],
    kind: HeapKind,
    /// What the watcher knows the heap by; null when it is not watched.
    watch: Cell<*mut c_void>,
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
        let (range_base, range_len) = if kind.has_pages() { arena::reserve_range() } else { (0, 0) };
        let heap = Self {
            direct: [const { AtomicBool::new(false) }; 3],
            sized: [const { AtomicBool::new(false) }; 3],
            watched: [const { AtomicBool::new(false) }; 3],
            kind,
            watch: Cell::new(ptr::null_mut()),
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
            arena_counts: ArenaCounts { total: Cell::new(0), reclaimed: Cell::new(0), highwater: Cell::new(0) },
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
        // SAFETY: no mark is always a good one.
        unsafe { watch::watch_heap(heap.as_ref(), ptr::null_mut()) };
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

    #[inline(always)]
    pub(crate) fn is_watched(&self, domain: Domain) -> bool {
        self.watched[domain.index()].load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn watch(&self) -> *mut c_void {
        self.watch.get()
    }

    /// Sets the mark; the caller refreshes the flags. Returns the mark before.
    pub(crate) fn set_watch(&self, mark: *mut c_void) -> *mut c_void {
        self.watch.replace(mark)
    }

    /// Sets the flags of a domain that has, or has not, its built-in allocator (T2).
    pub(crate) fn set_direct(&self, domain: Domain, builtin: bool) {
        let watched = !self.watch.get().is_null();
        let direct = builtin && !watched;
        self.watched[domain.index()].store(builtin && watched, Ordering::Relaxed);
        self.direct[domain.index()].store(direct, Ordering::Relaxed);
        let sized = direct && self.kind.has_pages() && !self.fallback.get();
        self.sized[domain.index()].store(sized, Ordering::Relaxed);
    }
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
