//! mimalloc: a first-class heap of its own for each tag of a heap.
//!
//! mimalloc's heaps may be used from any thread, can be asked which heap a block belongs to, and are
//! destroyed as a whole. Each thread has its part of a heap, which mimalloc looks up on every call
//! unless it is the one that was used last; with three heaps it seldom is, so the parts of the thread
//! that used the heap last are kept here, under the thread's number.
//!
//! What is handed out is counted here, with plain integers under the GIL. The blocks and bytes that live are what
//! mimalloc's pages say when somebody asks, and whenever a *budget* of new bytes is used up: then peak and limit are
//! looked at. So a free counts nothing. The budget is never more than what is left to the limit, nor than 256 KiB or an eighth of
//! what is held, so a peak is missed by no more than that.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use libmimalloc_sys as mi;

use super::current::thread_number;
use super::registry::Heaps;
use super::{Heap, HeapKind, Tag};
use crate::domain::NoMemory;

/// A thread's part of a heap.
#[repr(C)]
struct Part {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    /// The heap of a block; null if the address is none of mimalloc's.
    fn mi_heap_of(p: *const c_void) -> *mut mi::mi_heap_t;
    /// The calling thread's part of a heap, made if there is none.
    fn mi_heap_theap(heap: *mut mi::mi_heap_t) -> *mut Part;
    /// Allocates from the calling thread's part of a heap.
    fn mi_theap_malloc(part: *mut Part, size: usize) -> *mut c_void;
    /// The same for at most [`SMALL_MOST`] bytes.
    fn mi_theap_malloc_small(part: *mut Part, size: usize) -> *mut c_void;
    /// As `mi_theap_malloc`, zeroed.
    fn mi_theap_zalloc(part: *mut Part, size: usize) -> *mut c_void;
}

/// `MI_SMALL_SIZE_MAX`: 128 words.
const SMALL_MOST: usize = 128 * size_of::<usize>();

/// The least budget after a look at what is held.
const LEAST_BUDGET: usize = 256 * 1024;

/// What belongs to a tag.
struct Lane {
    heap: Cell<*mut mi::mi_heap_t>,
    /// The part of the thread that used the heap last.
    part: Cell<*mut Part>,
    /// What was counted as held when somebody looked last.
    held: Cell<usize>,
}

/// What a heap of this kind has besides its counters.
pub(super) struct State {
    lanes: [Lane; 3],
    /// Whose parts they are.
    thread: Cell<usize>,
    /// Bytes that may be handed out before somebody looks at what is held.
    budget: Cell<usize>,
}

impl State {
    pub(super) const fn new() -> Self {
        const LANE: Lane =
            Lane { heap: Cell::new(ptr::null_mut()), part: Cell::new(ptr::null_mut()), held: Cell::new(0) };
        Self { lanes: [LANE; 3], thread: Cell::new(0), budget: Cell::new(0) }
    }

    /// The limit was changed.
    pub(super) fn reset_budget(&self) {
        self.budget.set(0);
    }
}

/// mimalloc aligns blocks of 16 bytes and more to 16.
fn rounded(size: usize) -> usize {
    size.max(16)
}

/// Number of heaps of this kind.
static HEAPS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn any_heap() -> bool {
    HEAPS.load(Ordering::Relaxed) != 0
}

/// Whether `p` is a block of mimalloc's.
pub(crate) fn has(p: *mut u8) -> bool {
    // SAFETY: any address may be asked about.
    !unsafe { mi_heap_of(p.cast()) }.is_null()
}

fn heap_of_tag(heap: &Heap, tag: Tag) -> *mut mi::mi_heap_t {
    heap.mimalloc.lanes[tag.index()].heap.get()
}

/// Makes the three heaps.
pub(crate) fn init(heap: &Heap) -> Result<(), NoMemory> {
    HEAPS.fetch_add(1, Ordering::Relaxed);
    for slot in heap.mimalloc.lanes.iter().map(|lane| &lane.heap) {
        // SAFETY: no preconditions; the result is tested.
        let fresh = unsafe { mi::mi_heap_new() };
        if fresh.is_null() {
            destroy(heap);
            return Err(NoMemory);
        }
        slot.set(fresh);
    }
    Ok(())
}

/// Destroys the three heaps with all their blocks.
pub(crate) fn destroy(heap: &Heap) {
    if heap.kind() != HeapKind::Mimalloc {
        return;
    }
    HEAPS.fetch_sub(1, Ordering::Relaxed);
    for slot in heap.mimalloc.lanes.iter().map(|lane| &lane.heap) {
        let old = slot.replace(ptr::null_mut());
        if !old.is_null() {
            // SAFETY: made by `init`, destroyed once; the heap's owner says that no block is used.
            unsafe { mi::mi_heap_destroy(old) };
        }
    }
}

/// Gives unused memory back.
pub(crate) fn collect(heap: &Heap) {
    for slot in heap.mimalloc.lanes.iter().map(|lane| &lane.heap) {
        if !slot.get().is_null() {
            // SAFETY: a live heap.
            unsafe { mi::mi_heap_collect(slot.get(), true) };
        }
    }
}

/// The calling thread's part of the heap of a tag; null if there is no memory for it.
#[inline]
fn part(heap: &Heap, tag: Tag) -> *mut Part {
    let state = &heap.mimalloc;
    let part = state.lanes[tag.index()].part.get();
    if state.thread.get() == thread_number() && !part.is_null() { part } else { find_part(heap, tag) }
}

#[cold]
#[inline(never)]
fn find_part(heap: &Heap, tag: Tag) -> *mut Part {
    let state = &heap.mimalloc;
    if state.thread.replace(thread_number()) != thread_number() {
        for lane in &state.lanes {
            lane.part.set(ptr::null_mut());
        }
    }
    let lane = &state.lanes[tag.index()];
    // SAFETY: a live heap.
    lane.part.set(unsafe { mi_heap_theap(lane.heap.get()) });
    lane.part.get()
}

/// Whether `size` bytes more stay within the limit. Looks at what is held when the budget is used up.
#[inline]
fn may_take(heap: &Heap, tag: Tag, size: usize) -> bool {
    // A block may be larger than what was asked for.
    let size = size + size / 4;
    let budget = heap.mimalloc.budget.get();
    if size <= budget {
        heap.mimalloc.budget.set(budget - size);
        return true;
    }
    look(heap, tag, size)
}

#[cold]
#[inline(never)]
fn look(heap: &Heap, tag: Tag, size: usize) -> bool {
    recount(heap, false);
    if !heap.within_limit(tag, size) {
        // What other threads have freed may count as held until it is collected.
        recount(heap, true);
        if !heap.within_limit(tag, size) {
            heap.refuse();
            return false;
        }
    }
    // What comes now counts in the peak.
    heap.expect_peak(tag, size);
    let free = heap.headroom().saturating_sub(size);
    heap.mimalloc.budget.set(free.min(LEAST_BUDGET.max(heap.held() / 8)));
    true
}

/// Finds out how many bytes are held, and notes the peak. Block by block it is exact; page by page it
/// may count blocks that another thread has freed.
pub(super) fn recount(heap: &Heap, by_block: bool) {
    if heap.kind() != HeapKind::Mimalloc {
        return;
    }
    let held = Tag::ALL.map(|tag| {
        let (mut blocks, mut bytes) = (0, 0);
        if by_block {
            for_each(heap, tag, &mut |_, size| {
                blocks += 1;
                bytes += size;
            });
        } else {
            for_each_area(heap, tag, &mut |area| {
                blocks += area.used;
                bytes += area.used * area.block_size;
            });
        }
        // What was handed out and does not live was freed.
        heap.counts[tag.index()].say_live(blocks, bytes);
        bytes
    });
    // The peaks are looked at when all tags are counted.
    for (tag, bytes) in Tag::ALL.into_iter().zip(held) {
        heap.reheld(tag, heap.mimalloc.lanes[tag.index()].held.replace(bytes), bytes);
    }
}

/// Allocates; null on failure or beyond the limit.
#[inline]
pub(crate) fn alloc(heap: &Heap, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
    let size = rounded(size);
    if !may_take(heap, tag, size) {
        return ptr::null_mut();
    }
    let part = part(heap, tag);
    if part.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: this thread's part of a live heap; any size may be asked for, and of the short way any small one.
    let p = unsafe {
        if zeroed {
            mi_theap_zalloc(part, size)
        } else if size <= SMALL_MOST {
            mi_theap_malloc_small(part, size)
        } else {
            mi_theap_malloc(part, size)
        }
    };
    if !p.is_null() {
        heap.counts[tag.index()].add(size);
    }
    p.cast()
}

/// The tag of a block of this heap's.
#[inline]
pub(crate) fn tag_of(heap: &Heap, p: *mut u8) -> Option<Tag> {
    // SAFETY: any address may be asked about.
    let owner = unsafe { mi_heap_of(p.cast()) };
    if owner.is_null() {
        return None;
    }
    Tag::ALL.into_iter().find(|tag| ptr::eq(heap_of_tag(heap, *tag), owner))
}

/// Frees a block if it is one of this heap's.
///
/// # Safety
/// If it is, nobody uses it any more.
#[inline]
pub(crate) unsafe fn free(heap: &Heap, p: *mut u8) -> bool {
    if tag_of(heap, p).is_none() {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe { mi::mi_free(p.cast()) };
    true
}

/// Frees a block of any heap, in whatever thread.
///
/// # Safety
/// It is a live block of mimalloc's that nobody uses any more.
pub(super) unsafe fn free_anywhere(p: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { mi::mi_free(p.cast()) };
}

/// The size of a block, if it is one of this heap's.
pub(crate) fn usable_size(heap: &Heap, p: *mut u8) -> Option<usize> {
    tag_of(heap, p)?;
    // SAFETY: a live block of mimalloc's.
    Some(unsafe { mi::mi_usable_size(p.cast()) })
}

/// Changes the size of a block of this heap's; null on failure, and then the block is as before.
///
/// # Safety
/// `p` is a live block of this heap with that tag.
pub(crate) unsafe fn realloc(heap: &Heap, tag: Tag, p: *mut u8, size: usize) -> *mut u8 {
    let size = rounded(size);
    // SAFETY: the caller's promise.
    let old = unsafe { mi::mi_usable_size(p.cast()) };
    if size > old && !may_take(heap, tag, size - old) {
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    let new = unsafe { mi::mi_heap_realloc(heap_of_tag(heap, tag), p.cast(), size) };
    if !new.is_null() {
        heap.counts[tag.index()].resize(old, size);
    }
    new.cast()
}

/// The heap and tag of a block of any mimalloc heap that is on the list.
pub(crate) fn owner_among(heaps: &Heaps, p: *mut u8) -> Option<(NonNull<Heap>, Tag)> {
    heaps.iter().find_map(|at| {
        // SAFETY: R1: it is on the list, and the caller holds the lock. The kind and the three
        // pointers do not change while it is.
        let heap = unsafe { &*at };
        if heap.kind() != HeapKind::Mimalloc {
            return None;
        }
        Some((NonNull::from(heap), tag_of(heap, p)?))
    })
}

type Visitor<'a> = &'a mut dyn FnMut(*mut u8, usize);

/// Calls `f` with address and size of each live block of a tag.
pub(crate) fn for_each(heap: &Heap, tag: Tag, f: Visitor<'_>) {
    unsafe extern "C" fn visit(
        _: *const mi::mi_heap_t,
        _: *const mi::mi_heap_area_t,
        block: *mut c_void,
        size: usize,
        arg: *mut c_void,
    ) -> bool {
        if !block.is_null() {
            // SAFETY: the argument is the visitor that is passed below, for the time of the call.
            let f = unsafe { &mut *arg.cast::<Visitor<'_>>() };
            f(block.cast(), size);
        }
        true
    }
    let at = heap_of_tag(heap, tag);
    if !at.is_null() {
        let mut f = f;
        // SAFETY: a live heap; the visitor fits the argument.
        unsafe { mi::mi_heap_visit_blocks(at, true, Some(visit), (&raw mut f).cast()) };
    }
}

type AreaVisitor<'a> = &'a mut dyn FnMut(&mi::mi_heap_area_t);

/// Calls `f` with each page of a tag.
pub(super) fn for_each_area(heap: &Heap, tag: Tag, f: AreaVisitor<'_>) {
    unsafe extern "C" fn visit(
        _: *const mi::mi_heap_t,
        area: *const mi::mi_heap_area_t,
        _: *mut c_void,
        _: usize,
        arg: *mut c_void,
    ) -> bool {
        // SAFETY: the argument is the visitor that is passed below, for the time of the call; the page's
        // description is good for the same time.
        unsafe {
            let f = &mut *arg.cast::<AreaVisitor<'_>>();
            f(&*area);
        }
        true
    }
    let at = heap_of_tag(heap, tag);
    if !at.is_null() {
        let mut f = f;
        // SAFETY: a live heap; the visitor fits the argument.
        unsafe { mi::mi_heap_visit_blocks(at, false, Some(visit), (&raw mut f).cast()) };
    }
}
