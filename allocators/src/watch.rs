//! The layer through which allocations are watched: what tracemalloc stands on.
//!
//! ```text
//!   Heap::obj_alloc ──► inlined path        the heap is not watched
//!                  └──► alloc_inner + tell  watched, built-in allocator: no table in between
//!   C, hooked heaps ──► table: watch ► fault ► debug ► user's
//! ```
//!
//! A heap is watched when its interpreter has given it a *mark*; the layer lies over the three tables as
//! long as any heap is watched, above the hooks, so the addresses that are told are those that users
//! see. What happens in a heap is told under its GIL, with its mark; what happens in the raw domain is
//! told in whatever thread it happens.
//!
//! The watcher's own memory comes through [`Unwatched`]: the raw domain below this layer.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::domain::{Domain, MAX_SIZE, PyMemAllocatorEx};
use crate::handle::Handle;
use crate::heap::{Heap, current_heap, registry};
use crate::table::{self, Table};

/// What a raw block was recorded with, while it is being resized.
pub type Record = [usize; 3];

/// What is told. The functions must not allocate but through [`Unwatched`].
pub struct Watcher {
    /// A block of a watched heap came. False refuses it: it is freed, and the allocation fails.
    pub allocated: unsafe fn(mark: *mut c_void, p: *mut u8, size: usize) -> bool,
    /// A block of a watched heap has another size or place.
    pub moved: unsafe fn(mark: *mut c_void, old: *mut u8, new: *mut u8, size: usize),
    /// A block of a watched heap is gone. A stranger's block may be told too.
    pub freed: unsafe fn(mark: *mut c_void, p: *mut u8),
    /// A raw block came; as `allocated`.
    pub raw_allocated: fn(p: *mut u8, size: usize) -> bool,
    /// A raw block is about to be freed or resized; its record is taken out.
    pub raw_taken: fn(p: *mut u8) -> Option<Record>,
    /// A raw block that was to be resized has stayed what it was.
    pub raw_restored: fn(p: *mut u8, record: Record),
}

static WATCHER: AtomicPtr<Watcher> = AtomicPtr::new(ptr::null_mut());
/// How many heaps are watched.
static WATCHED: AtomicUsize = AtomicUsize::new(0);

/// Says who watches. To be called before the first [`watch_heap`].
pub fn set_watcher(watcher: &'static Watcher) {
    WATCHER.store(ptr::from_ref(watcher).cast_mut(), Ordering::Release);
}

/// Begins to watch a heap, whose GIL the caller holds, with a mark that is not null; or, with null, ends it.
///
/// # Safety
/// The mark is what the watcher takes it for until the heap has another one.
pub unsafe fn watch_heap(heap: &Heap, mark: *mut c_void) {
    if heap.mark() == mark {
        return;
    }
    let mut writer = table::WRITER.lock();
    let before = heap.set_mark(mark);
    match (before.is_null(), mark.is_null()) {
        (true, false) => _ = WATCHED.fetch_add(1, Ordering::Relaxed),
        (false, true) => _ = WATCHED.fetch_sub(1, Ordering::Relaxed),
        _ => {}
    }
    table::publish(&mut writer);
    registry::refresh(heap);
}

/// Whether any heap is watched.
pub(crate) fn active() -> bool {
    WATCHED.load(Ordering::Relaxed) != 0
}

#[inline(always)]
fn watcher() -> Option<&'static Watcher> {
    // SAFETY: only `set_watcher` stores here, and it stores a static.
    unsafe { WATCHER.load(Ordering::Relaxed).as_ref() }
}

/* ---- Heaps ---- */

/// Tells of a new block of `heap`; whether it may be handed out.
#[inline(always)]
pub(crate) fn allocated(heap: &Heap, p: *mut u8, size: usize) -> bool {
    match (watcher(), heap.mark()) {
        (Some(_), mark) if mark.is_null() => true,
        // SAFETY: the mark is the watcher's, as `watch_heap` was promised.
        (Some(watcher), mark) => unsafe { (watcher.allocated)(mark, p, size) },
        (None, _) => true,
    }
}

#[inline(always)]
pub(crate) fn moved(heap: &Heap, old: *mut u8, new: *mut u8, size: usize) {
    let mark = heap.mark();
    if let Some(watcher) = watcher()
        && !mark.is_null()
    {
        // SAFETY: as above.
        unsafe { (watcher.moved)(mark, old, new, size) };
    }
}

#[inline(always)]
pub(crate) fn freed(heap: &Heap, p: *mut u8) {
    let mark = heap.mark();
    if let Some(watcher) = watcher()
        && !mark.is_null()
    {
        // SAFETY: as above.
        unsafe { (watcher.freed)(mark, p) };
    }
}

/* ---- The layer over the tables ---- */

/// The layer over `inner`.
pub(crate) fn layer(domain: Domain, inner: &'static Table) -> PyMemAllocatorEx {
    let ctx = ptr::from_ref(inner).cast_mut().cast::<c_void>();
    match domain {
        Domain::Raw => layer_of::<0>(ctx),
        Domain::Mem => layer_of::<1>(ctx),
        Domain::Obj => layer_of::<2>(ctx),
    }
}

fn layer_of<const D: usize>(ctx: *mut c_void) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx,
        malloc: Some(watch_malloc::<D>),
        calloc: Some(watch_calloc::<D>),
        realloc: Some(watch_realloc::<D>),
        free: Some(watch_free::<D>),
    }
}

fn inner_of(ctx: *mut c_void) -> &'static Table {
    // SAFETY: `layer` put a table here, and tables live for ever.
    unsafe { &*ctx.cast::<Table>() }
}

/// Tells of a new block; null if it is refused.
fn note<const D: usize>(inner: &Table, p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        return p;
    }
    let kept = if D == Domain::Raw as usize {
        watcher().is_none_or(|watcher| (watcher.raw_allocated)(p.cast(), size))
    } else {
        // SAFETY: who attaches a heap keeps it alive meanwhile.
        unsafe { current_heap().as_ref() }.is_none_or(|heap| allocated(heap, p.cast(), size))
    };
    if kept {
        return p;
    }
    // SAFETY: the block was just made and nobody has seen it.
    unsafe { (inner.free)(inner.ctx, p) };
    ptr::null_mut()
}

unsafe extern "C" fn watch_malloc<const D: usize>(ctx: *mut c_void, size: usize) -> *mut c_void {
    let inner = inner_of(ctx);
    // SAFETY: the caller's request, passed on.
    note::<D>(inner, unsafe { (inner.malloc)(inner.ctx, size) }, size)
}

unsafe extern "C" fn watch_calloc<const D: usize>(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    let inner = inner_of(ctx);
    // SAFETY: the caller's request, passed on; the product is in range, or there is no block.
    note::<D>(inner, unsafe { (inner.calloc)(inner.ctx, nelem, elsize) }, nelem.wrapping_mul(elsize))
}

unsafe extern "C" fn watch_realloc<const D: usize>(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    let inner = inner_of(ctx);
    if p.is_null() {
        // SAFETY: the caller's request, passed on.
        return note::<D>(inner, unsafe { (inner.realloc)(inner.ctx, p, size) }, size);
    }
    if D == Domain::Raw as usize {
        // The record goes before the block does: from then on another thread may have the address.
        let record = watcher().and_then(|watcher| (watcher.raw_taken)(p.cast()));
        // SAFETY: the caller's request, passed on.
        let new = unsafe { (inner.realloc)(inner.ctx, p, size) };
        if let Some(watcher) = watcher() {
            match record {
                Some(record) if new.is_null() => (watcher.raw_restored)(p.cast(), record),
                // The block has been resized; without room for its record it goes unrecorded.
                _ if !new.is_null() => _ = (watcher.raw_allocated)(new.cast(), size),
                _ => {}
            }
        }
        return new;
    }
    // SAFETY: the caller's request, passed on.
    let new = unsafe { (inner.realloc)(inner.ctx, p, size) };
    // SAFETY: who attaches a heap keeps it alive meanwhile.
    if let Some(heap) = unsafe { current_heap().as_ref() }
        && !new.is_null()
    {
        moved(heap, p.cast(), new.cast(), size);
    }
    new
}

unsafe extern "C" fn watch_free<const D: usize>(ctx: *mut c_void, p: *mut c_void) {
    let inner = inner_of(ctx);
    if D == Domain::Raw as usize && !p.is_null() {
        watcher().and_then(|watcher| (watcher.raw_taken)(p.cast()));
    }
    // The hooks below may want to say where a bad block was allocated, so a heap's record goes last.
    // SAFETY: the caller's block, passed on.
    unsafe { (inner.free)(inner.ctx, p) };
    if D != Domain::Raw as usize && !p.is_null() {
        // SAFETY: who attaches a heap keeps it alive meanwhile.
        if let Some(heap) = unsafe { current_heap().as_ref() } {
            freed(heap, p.cast());
        }
    }
}

/* ---- The watcher's own memory ---- */

/// The raw domain below the watch: counted, hooked and failing like the rest of it, but not watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unwatched;

impl Handle for Unwatched {
    const HANDLE: Self = Self;
    const DOMAIN: Domain = Domain::Raw;

    fn take(size: usize) -> *mut c_void {
        if size > MAX_SIZE {
            return ptr::null_mut();
        }
        let table = table::unwatched(Domain::Raw);
        // SAFETY: an allocator's function; the size is in range.
        unsafe { (table.malloc)(table.ctx, size) }
    }

    fn take_zeroed(size: usize) -> *mut c_void {
        if size > MAX_SIZE {
            return ptr::null_mut();
        }
        let table = table::unwatched(Domain::Raw);
        // SAFETY: as above.
        unsafe { (table.calloc)(table.ctx, 1, size) }
    }

    unsafe fn retake(p: *mut c_void, size: usize) -> *mut c_void {
        if size > MAX_SIZE {
            return ptr::null_mut();
        }
        let table = table::unwatched(Domain::Raw);
        // SAFETY: as above; the caller vouches for the block.
        unsafe { (table.realloc)(table.ctx, p, size) }
    }

    unsafe fn give(p: *mut c_void) {
        let table = table::unwatched(Domain::Raw);
        // SAFETY: the caller vouches for the block.
        unsafe { (table.free)(table.ctx, p) };
    }
}

#[cfg(test)]
mod tests {
    //! What is told, and that nothing is without a mark.

    use core::cell::Cell;
    use core::ffi::c_void;
    use core::ptr;

    use super::{Record, Unwatched, Watcher, set_watcher, watch_heap};
    use crate::domain::{self, Domain};
    use crate::handle::Handle;
    use crate::heap::{HeapKind, current_heap};
    use crate::testing::{Attached, turn};

    thread_local! {
        static LIVE: Cell<isize> = const { Cell::new(0) };
        static RAW: Cell<isize> = const { Cell::new(0) };
        static REFUSE: Cell<bool> = const { Cell::new(false) };
    }

    unsafe fn allocated(_: *mut c_void, _: *mut u8, _: usize) -> bool {
        LIVE.set(LIVE.get() + 1);
        if REFUSE.get() {
            LIVE.set(LIVE.get() - 1);
        }
        !REFUSE.get()
    }
    unsafe fn moved(_: *mut c_void, _: *mut u8, _: *mut u8, _: usize) {}
    unsafe fn freed(_: *mut c_void, _: *mut u8) {
        LIVE.set(LIVE.get() - 1);
    }
    fn raw_allocated(_: *mut u8, _: usize) -> bool {
        RAW.set(RAW.get() + 1);
        true
    }
    fn raw_taken(_: *mut u8) -> Option<Record> {
        RAW.set(RAW.get() - 1);
        Some([0; 3])
    }
    fn raw_restored(_: *mut u8, _: Record) {
        RAW.set(RAW.get() + 1);
    }
    static TEST: Watcher = Watcher { allocated, moved, freed, raw_allocated, raw_taken, raw_restored };

    #[test]
    fn a_watched_heap_tells_of_every_block_on_every_way() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            for hooks in [false, true] {
                let _heap = Attached::new(*kind);
                // SAFETY: attached above.
                let heap = unsafe { &*current_heap() };
                if hooks {
                    crate::setup_debug_hooks();
                }
                set_watcher(&TEST);
                let unseen = heap.obj_alloc(40);
                // SAFETY: the test's watcher takes any mark.
                unsafe { watch_heap(heap, ptr::without_provenance_mut(1)) };
                let blocks = [heap.obj_alloc(48), heap.gc_alloc_zeroed(700), heap.mem_alloc(3)];
                let table = domain::malloc(Domain::Obj, 5).cast::<u8>();
                assert_eq!((LIVE.get(), RAW.get()), (4, 0), "{kind:?} {hooks}");
                let raw = domain::raw_calloc(3, 4);
                let unwatched = Unwatched::take(9);
                assert_eq!(RAW.get(), 1);
                REFUSE.set(true);
                assert!(heap.obj_alloc(16).is_null() && domain::malloc(Domain::Mem, 4).is_null());
                REFUSE.set(false);
                // SAFETY: each block goes back where it came from, once.
                unsafe {
                    let raw = domain::raw_realloc(raw, 10_000);
                    assert!(!raw.is_null() && domain::raw_realloc(raw, domain::MAX_SIZE).is_null());
                    assert_eq!(RAW.get(), 1);
                    domain::raw_free(raw);
                    Unwatched::give(unwatched);
                    heap.obj_free(blocks[0]);
                    heap.gc_free(blocks[1]);
                    heap.mem_free(heap.mem_realloc(blocks[2], 4000));
                    domain::free(Domain::Obj, table.cast());
                    assert_eq!((LIVE.get(), RAW.get()), (0, 0), "{kind:?} {hooks}");
                    watch_heap(heap, ptr::null_mut());
                    heap.obj_free(unseen);
                    heap.obj_free(heap.obj_alloc(48));
                }
                assert_eq!((LIVE.get(), RAW.get()), (0, 0));
            }
        }
    }
}
