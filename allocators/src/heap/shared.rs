//! Heaps whose blocks may come back from anywhere: for a program that gives each thread a heap, and passes blocks
//! between threads.
//!
//! The runtime has a heap per interpreter, so a block in the wrong hands is rare there, and may even come late, after its
//! heap is gone: it is looked for under the lock of the registry, and the debug hooks report it. Where threads share
//! their blocks it is everyday work. [`share_heaps`] says so, once for the process. From then on:
//!
//! - a small block of another heap goes to that heap's queue without a lock. Its page is in use, since it holds the block;
//!   so the page's arena and its heap are there, if no heap is destroyed any more;
//! - the debug hooks do not call it a crime.
//!
//! A heap still belongs to one thread at a time. Who hands it over to another thread orders the two by a lock or by an
//! atomic of his own.

use core::sync::atomic::{AtomicBool, Ordering};

use super::foreign::{Owner, owner_of};
use super::{Heap, arena};
use crate::debug;
use crate::domain::Domain;

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

/// The living heap of a small block, found without the lock; `None` if it is no such block, or if heaps do not share.
///
/// # Safety
/// `p` is a live block of some allocator.
#[inline]
pub(super) unsafe fn owner_of_small(p: *mut u8) -> Option<&'static Heap> {
    if !are_shared() || !arena::in_reserve(p) {
        return None;
    }
    let page = arena::page_in_reserve(p)?;
    // SAFETY: a page with a live block stays in use, and with it its arena; heaps live for ever, as `share_heaps` was
    // promised.
    unsafe { (*(*page).arena.get()).heap.get().as_ref() }
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
