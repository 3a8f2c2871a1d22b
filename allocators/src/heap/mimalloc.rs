//! mimalloc: a first-class heap of its own for each tag of a heap.
//!
//! mimalloc's heaps may be used from any thread, can be asked which heap a block belongs to, and are
//! destroyed as a whole. Its pages do not know at once what another thread has freed, so blocks and
//! bytes are counted here, with plain integers under the GIL.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use libmimalloc_sys as mi;

use super::registry::Heaps;
use super::{Heap, HeapKind, Tag};
use crate::domain::NoMemory;

unsafe extern "C" {
    /// The heap of a block; null if the address is none of mimalloc's.
    fn mi_heap_of(p: *const c_void) -> *mut mi::mi_heap_t;
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
    heap.mimalloc[tag.index()].get().cast()
}

/// Makes the three heaps.
pub(crate) fn init(heap: &Heap) -> Result<(), NoMemory> {
    HEAPS.fetch_add(1, Ordering::Relaxed);
    for slot in &heap.mimalloc {
        // SAFETY: no preconditions; the result is tested.
        let fresh = unsafe { mi::mi_heap_new() };
        if fresh.is_null() {
            destroy(heap);
            return Err(NoMemory);
        }
        slot.set(fresh.cast());
    }
    Ok(())
}

/// Destroys the three heaps with all their blocks.
pub(crate) fn destroy(heap: &Heap) {
    if heap.kind() != HeapKind::Mimalloc {
        return;
    }
    HEAPS.fetch_sub(1, Ordering::Relaxed);
    for slot in &heap.mimalloc {
        let old = slot.replace(ptr::null_mut());
        if !old.is_null() {
            // SAFETY: made by `init`, destroyed once; the heap's owner says that no block is used.
            unsafe { mi::mi_heap_destroy(old.cast()) };
        }
    }
}

/// Gives unused memory back.
pub(crate) fn collect(heap: &Heap) {
    for slot in &heap.mimalloc {
        if !slot.get().is_null() {
            // SAFETY: a live heap.
            unsafe { mi::mi_heap_collect(slot.get().cast(), true) };
        }
    }
}

fn came(heap: &Heap, tag: Tag, bytes: usize) {
    let counts = &heap.counts[tag.index()];
    counts.large_blocks.set(counts.large_blocks.get() + 1);
    counts.large_bytes.set(counts.large_bytes.get() + bytes);
    heap.hold(tag, bytes);
}

fn went(heap: &Heap, tag: Tag, bytes: usize) {
    let counts = &heap.counts[tag.index()];
    counts.large_blocks.set(counts.large_blocks.get() - 1);
    counts.large_bytes.set(counts.large_bytes.get() - bytes);
    heap.unhold(tag, bytes);
}

/// Allocates; null on failure or beyond the limit.
pub(crate) fn alloc(heap: &Heap, tag: Tag, size: usize, zeroed: bool) -> *mut u8 {
    let size = rounded(size);
    if !heap.within_limit(tag, size) {
        return ptr::null_mut();
    }
    // SAFETY: the heap is live; any size may be asked for.
    let p = unsafe {
        if zeroed {
            mi::mi_heap_zalloc(heap_of_tag(heap, tag), size)
        } else {
            mi::mi_heap_malloc(heap_of_tag(heap, tag), size)
        }
    };
    if !p.is_null() {
        // SAFETY: just allocated.
        came(heap, tag, unsafe { mi::mi_usable_size(p) });
        let counts = &heap.counts[tag.index()];
        counts.allocations.set(counts.allocations.get() + 1);
    }
    p.cast()
}

/// The tag of a block of this heap's.
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
pub(crate) unsafe fn free(heap: &Heap, p: *mut u8) -> bool {
    let Some(tag) = tag_of(heap, p) else {
        return false;
    };
    // SAFETY: a live block of mimalloc's.
    went(heap, tag, unsafe { mi::mi_usable_size(p.cast()) });
    // SAFETY: the caller's promise.
    unsafe { mi::mi_free(p.cast()) };
    true
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
    if size > old && !heap.within_limit(tag, size - old) {
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    let new = unsafe { mi::mi_heap_realloc(heap_of_tag(heap, tag), p.cast(), size) };
    if !new.is_null() {
        went(heap, tag, old);
        // SAFETY: just allocated.
        came(heap, tag, unsafe { mi::mi_usable_size(new) });
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
