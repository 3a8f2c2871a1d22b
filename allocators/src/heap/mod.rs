//! A heap: what serves the mem and obj domains of one interpreter (D3).
//!
//! ```text
//!                    ┌──────────────── Heap ────────────────┐
//!   mem_alloc ──────►│ bins[mem   ][class] ◄► pages         │
//!   obj_alloc ──────►│ bins[obj   ][class] ◄► pages         │──► arenas, 1 MiB each
//!   gc_alloc  ──────►│ bins[obj-gc][class] ◄► pages         │
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
//! Files: `current` (the heap of the thread), `fast` (what is inlined into the runtime), `slow` (what it
//! leaves over), `builtin` (the tables of mem and obj), `bin`, `small`, `page`, `arena`, `spare` and `pagemap` (blocks
//! up to 512 bytes), `owned` (a heap by Rust's rules), `large`, `malloc` (the C library), `mimalloc`, `foreign` (blocks
//! in the wrong hands), `shared` (where that is everyday work), `registry` (all heaps), `limit`, `stats` (figures) with
//! `areas`, `trim`, `walk`.

#![cfg_attr(not(feature = "pymalloc"), allow(dead_code, reason = "pages exist only for pymalloc"))]

#[cfg(feature = "mimalloc")]
pub(crate) mod areas;
pub(crate) mod arena;
pub(crate) mod bin;
mod builtin;
mod current;
mod fast;
pub(crate) mod foreign;
mod large;
pub(crate) mod limit;
mod malloc;
#[cfg(feature = "mimalloc")]
mod mimalloc;
pub(crate) mod own;
pub(crate) mod owned;
pub(crate) mod page;
mod pagemap;
pub(crate) mod registry;
#[cfg(test)]
mod sequences;
pub(crate) mod shared;
mod slow;
mod small;
mod spare;
pub(crate) mod stats;
#[cfg(test)]
mod tests;
pub(crate) mod trim;
pub(crate) mod walk;

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, Ordering};

pub use arena::ARENA_SIZE;
pub(crate) use builtin::{MEM_BUILTIN, OBJ_BUILTIN};
pub(crate) use current::thread_word;
pub use current::{attach_heap, current_heap};
pub(crate) use fast::{quick_alloc, quick_free};
pub use page::{PAGE_SIZE, SMALL_LIMIT};

use crate::domain::{Domain, NoMemory};
use crate::{guard, watch};
use bin::{Bin, Block};
use page::{CLASSES, Page};

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

    pub(crate) fn has_pages(self) -> bool {
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
///
/// What comes and what goes are counted apart. The two that change together lie together, so that they may be changed at
/// once and are read as they were written: a processor waits long for a value that two stores have made.
#[repr(C, align(16))]
struct Counts {
    /// Blocks outside pages that were ever handed out, and what was asked for with them.
    came: Cell<u64>,
    came_bytes: Cell<u64>,
    /// Those that went.
    gone: Cell<u64>,
    gone_bytes: Cell<u64>,
}

impl Counts {
    const fn new() -> Self {
        Self { came: Cell::new(0), came_bytes: Cell::new(0), gone: Cell::new(0), gone_bytes: Cell::new(0) }
    }

    #[inline(always)]
    fn add(&self, bytes: usize) {
        self.came.set(self.came.get().wrapping_add(1));
        self.came_bytes.set(self.came_bytes.get().wrapping_add(bytes as u64));
    }

    #[inline(always)]
    fn remove(&self, bytes: usize) {
        self.gone.set(self.gone.get().wrapping_add(1));
        self.gone_bytes.set(self.gone_bytes.get().wrapping_add(bytes as u64));
    }

    /// A block's size has changed. Its new size counts as handed out.
    fn resize(&self, old: usize, new: usize) {
        self.came_bytes.set(self.came_bytes.get().wrapping_add(new as u64));
        self.gone_bytes.set(self.gone_bytes.get().wrapping_add(old as u64));
    }

    /// Says how many blocks and bytes live, whatever went.
    #[cfg(feature = "mimalloc")]
    fn say_live(&self, blocks: usize, bytes: usize) {
        self.gone.set(self.came.get().wrapping_sub(blocks as u64));
        self.gone_bytes.set(self.came_bytes.get().wrapping_sub(bytes as u64));
    }

    /// The blocks that live.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "as many fit into the address space")]
    fn blocks(&self) -> usize {
        self.came.get().wrapping_sub(self.gone.get()) as usize
    }

    /// Their bytes.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "as many fit into the address space")]
    fn bytes(&self) -> usize {
        self.came_bytes.get().wrapping_sub(self.gone_bytes.get()) as usize
    }
}

/// How many arenas came and went.
struct ArenaCounts {
    total: Cell<usize>,
    reclaimed: Cell<usize>,
    highwater: Cell<usize>,
}

/// Two lines of the cache, which processors fetch together. Heaps are whole pairs of them, so that the thread of one takes
/// none away from the thread of another; and each bin lies in one line.
const LINE: usize = 128;

/// A heap of one interpreter; see the module.
#[repr(C)]
pub struct Heap {
    // What the fast path reads comes first.
    gates: [fast::Gate; 3],
    range_base: usize,
    range_len: usize,
    map: *const AtomicPtr<Bin>,
    /// Three from which blocks are taken; if the heap samples, three to which they are freed.
    bins: [[Bin; CLASSES]; 6],
    kind: HeapKind,
    /// What the watcher knows the heap by; null when it is not watched.
    mark: Cell<*mut c_void>,
    /// Whether a domain has its built-in allocator, and the heap is watched.
    watched: [AtomicBool; 3],
    /// The tag of the next object that comes through the table.
    hint: Cell<Tag>,
    current: [[Cell<*mut Page>; CLASSES]; 3],
    partial: [[small::List; CLASSES]; 3],
    arenas: Cell<*mut arena::Arena>,
    room: Cell<*mut arena::Arena>,
    spares: spare::Spares,
    outside: UnsafeCell<registry::Outside>,
    directory: large::Directory,
    sources: [bin::Source; bin::ALL_BINS],
    /// Where the heap itself lies.
    memory: own::Memory,
    counts: [Counts; 3],
    arena_counts: ArenaCounts,
    label: AtomicI64,
    domain_held: [Cell<usize>; 3],
    peaks: [Cell<usize>; 3],
    /// Pages that were taken since the bins were emptied.
    pages_taken: Cell<u32>,
    limits: limit::Limits,
    numbers: stats::Numbers,
    fallback: Cell<bool>,
    /// See [`Heap::start_blank`].
    blank: Cell<bool>,
    #[cfg(feature = "mimalloc")]
    mimalloc: mimalloc::State,
    foreign: AtomicPtr<Block>,
    registry_next: AtomicPtr<Heap>,
    pub(crate) sampler: guard::Sampler,
}

/* ---- Life ---- */

impl Heap {
    /// Makes an empty heap. It takes memory for its blocks when the first of them is allocated.
    pub fn new(kind: HeapKind) -> Result<NonNull<Self>, NoMemory> {
        let room = size_of::<Self>() + large::Directory::FIRST + bin::FIRST_STACKS;
        let memory = own::Memory::take(room.next_multiple_of(LINE) + LINE).ok_or(NoMemory)?;
        // SAFETY: there are so many bytes more.
        let at = unsafe { memory.at.add(memory.at.align_offset(LINE)) }.cast::<Self>();
        let (range_base, range_len) = if kind.has_pages() { arena::reserve_range() } else { (0, 0) };
        let heap = Self {
            gates: [const { fast::Gate::closed() }; 3],
            range_base,
            range_len,
            map: pagemap::base(),
            bins: [const { [const { Bin::new() }; CLASSES] }; 6],
            kind,
            mark: Cell::new(ptr::null_mut()),
            watched: [const { AtomicBool::new(false) }; 3],
            hint: Cell::new(Tag::Obj),
            current: [const { [const { Cell::new(ptr::null_mut()) }; CLASSES] }; 3],
            partial: [const { [const { small::List::new() }; CLASSES] }; 3],
            arenas: Cell::new(ptr::null_mut()),
            room: Cell::new(ptr::null_mut()),
            spares: spare::Spares::new(),
            outside: UnsafeCell::new(registry::Outside::new()),
            directory: large::Directory::new(),
            sources: [const { bin::Source::new() }; bin::ALL_BINS],
            memory,
            counts: [const { Counts::new() }; 3],
            arena_counts: ArenaCounts { total: Cell::new(0), reclaimed: Cell::new(0), highwater: Cell::new(0) },
            label: AtomicI64::new(-1),
            domain_held: [const { Cell::new(0) }; 3],
            peaks: [const { Cell::new(0) }; 3],
            pages_taken: Cell::new(0),
            limits: limit::Limits::new(),
            numbers: stats::Numbers::new(),
            fallback: Cell::new(false),
            blank: Cell::new(false),
            #[cfg(feature = "mimalloc")]
            mimalloc: mimalloc::State::new(),
            foreign: AtomicPtr::new(ptr::null_mut()),
            registry_next: AtomicPtr::new(ptr::null_mut()),
            sampler: guard::Sampler::new(),
        };
        // SAFETY: fresh, aligned, and large enough.
        unsafe {
            at.write(heap);
            let behind = at.as_ptr().wrapping_add(1).cast::<u8>();
            at.as_ref().directory.begin(behind.cast());
            at.as_ref().begin_bins(behind.add(large::Directory::FIRST));
        }
        #[cfg(feature = "mimalloc")]
        if kind == HeapKind::Mimalloc {
            // SAFETY: written above.
            if let Err(error) = mimalloc::init(unsafe { at.as_ref() }) {
                // SAFETY: taken above, on no list.
                unsafe { memory.give() };
                return Err(error);
            }
        }
        registry::add(at.as_ptr());
        Ok(at)
    }

    /// Frees a heap with all its blocks: the arenas go back to the system as a whole, large blocks one
    /// by one. As long as there is another heap, a few arenas are kept for the next one, for half a second.
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
            guard::forget_heap(this);
            large::free_all(this);
            #[cfg(feature = "mimalloc")]
            mimalloc::destroy(this);
            arena::release_all(this.arenas.get(), registry::any());
            // Asked again: another heap may have gone meanwhile.
            if !registry::any() {
                arena::drop_kept();
            }
            (*this.outside.get()).release();
            this.end_bins();
            let memory = this.memory;
            memory.give();
        }
    }

    /// From now on each new block of this heap, which the C library serves, is zeros where nobody has written to it, and
    /// none is a guarded one. So two heaps in which the same is done hold the same.
    pub fn start_blank(&self) {
        debug_assert_eq!(self.kind, HeapKind::Malloc);
        self.blank.set(true);
        self.sampler.stop();
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

    /// The tag of the object that is asked for next, through the table.
    #[inline(always)]
    pub(crate) fn take_hint(&self) -> Tag {
        self.hint.replace(Tag::Obj)
    }

    pub(crate) fn is_direct(&self, domain: Domain) -> bool {
        // Tags of one domain have the same answer.
        self.gates.iter().zip(Tag::ALL).any(|(gate, tag)| tag.domain() == domain && gate.is_direct())
    }

    #[inline(always)]
    pub(crate) fn is_watched(&self, domain: Domain) -> bool {
        self.watched[domain.index()].load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn mark(&self) -> *mut c_void {
        self.mark.get()
    }

    /// Sets the mark; the caller refreshes the flags. Returns the mark before.
    pub(crate) fn set_mark(&self, mark: *mut c_void) -> *mut c_void {
        self.mark.replace(mark)
    }

    /// Sets the flags of a domain that has, or has not, its built-in allocator (T2).
    pub(crate) fn set_direct(&self, domain: Domain, builtin: bool) {
        let watched = !self.mark.get().is_null();
        let direct = builtin && !watched;
        self.watched[domain.index()].store(builtin && watched, Ordering::Relaxed);
        // A sampled block lies outside pages, whatever its size.
        let sized = !self.fallback.get() && !self.sampler.is_on();
        for tag in Tag::ALL.into_iter().filter(|tag| tag.domain() == domain) {
            self.gates[tag.index()].set(&self.bins[tag.index()], direct, self.range_len, sized);
        }
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
