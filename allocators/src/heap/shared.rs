//! Heaps whose blocks may come back from anywhere: for a program that gives each thread a heap, and passes blocks
//! between threads.
//!
//! The runtime has a heap per interpreter, so a block in the wrong hands is rare there, and may even come late, after its
//! heap is gone: it is looked for under the lock of the registry, and the debug hooks report it. Where threads share
//! their blocks it is everyday work. [`share_heaps`] says so, once for the process. From then on:
//!
//! - a block of another heap goes to that heap's queue without a lock. The page of a small one is in use, since it holds
//!   the block; so the page's arena and its heap are there, if no heap is destroyed any more. A large one names its heap in
//!   its header. mimalloc has queues of its own;
//! - the debug hooks do not call it a crime.
//!
//! A heap still belongs to one thread at a time. Who hands it over to another thread orders the two by a lock or by an
//! atomic of his own.

use core::sync::atomic::{AtomicBool, Ordering};

use super::foreign::{Owner, owner_of};
use super::{Heap, arena, large, registry};
use crate::domain::Domain;
use crate::{debug, guard};

static SHARED: AtomicBool = AtomicBool::new(false);

/// Says that heaps share their blocks from now on: any thread may free a block of any heap. There is no way back.
///
/// # Safety
/// No heap is destroyed any more.
pub unsafe fn share_heaps() {
    SHARED.store(true, Ordering::Release);
}

/// Whether heaps share their blocks.
#[inline]
pub(crate) fn are_shared() -> bool {
    SHARED.load(Ordering::Relaxed)
}

/// The living heap of a block, found without the lock; `None` if it must be looked for, or if heaps do not share. Blocks of
/// mimalloc's are left to `free_shared`.
///
/// # Safety
/// `p` is a live block of some allocator.
#[inline]
unsafe fn owner_at_sight(p: *mut u8) -> Option<&'static Heap> {
    if guard::in_pool(p) {
        return None;
    }
    // SAFETY: a page with a live block stays in use, and with it its arena; heaps live for ever, as `share_heaps` was
    // promised. Where no arena lies outside the range, what is not in it has a word before it.
    unsafe {
        if arena::in_reserve(p) {
            let page = arena::page_in_reserve(p)?;
            return (*(*page).arena.get()).heap.get().as_ref();
        }
        if registry::any_outside() {
            return None;
        }
        large::header(p)?.as_ref().heap.as_ref()
    }
}

/// Frees a block of another heap without the lock, if heaps share their blocks. False if it must be looked for.
///
/// # Safety
/// `p` is a live block of some allocator that is no longer used.
#[inline]
pub(super) unsafe fn free_shared(p: *mut u8) -> bool {
    if !are_shared() {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(heap) = owner_at_sight(p) {
            heap.enqueue(p);
            return true;
        }
        // Its blocks may be freed by any thread, and nothing is counted when they are.
        #[cfg(feature = "mimalloc")]
        if super::is_mimallocs(p) && !guard::in_pool(p) {
            super::mimalloc::free_anywhere(p);
            return true;
        }
    }
    false
}

impl Heap {
    /// Whether others have freed blocks of this heap that it has not taken back yet. Any thread may ask.
    #[must_use]
    pub fn has_foreign(&self) -> bool {
        !self.foreign.load(Ordering::Relaxed).is_null()
    }
}

/// The bytes of a live block of mem or obj: what it can hold, or under the debug hooks what was asked for. `None` if no
/// heap has it. Any thread may ask.
///
/// # Safety
/// `p` is a live block of the domain, and its heap is not destroyed meanwhile.
#[must_use]
pub unsafe fn block_size(domain: Domain, p: *mut u8) -> Option<usize> {
    if debug::has_debug_hooks(domain) {
        // SAFETY: a block of the hooks has a head.
        return Some(unsafe { debug::requested_size(p) });
    }
    if arena::in_reserve(p) {
        // SAFETY: the page of a live block is in use.
        return arena::page_in_reserve(p).map(|page| unsafe { (*page).block_size() });
    }
    // SAFETY: the caller's promise.
    unsafe {
        match owner_of(p) {
            Owner::Heap(heap, _) => heap.as_ref().usable_size(p),
            Owner::Nobody | Owner::Unknown => None,
        }
    }
}
