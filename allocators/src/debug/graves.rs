//! Where large blocks lay that were freed lately.
//!
//! The C library unmaps a very large block when it is freed, so the second free of one would end in a
//! segmentation fault where the hooks look for its head. The addresses of the last such blocks are kept
//! in a small table without locks; only for an address that is found there the system is asked whether
//! the memory still exists. An entry may be stale or overwritten: then the check is as good as without.

use core::sync::atomic::{AtomicUsize, Ordering};

/// Smaller blocks are never unmapped one by one.
pub(super) const LEAST: usize = 32 * 1024;

const SLOTS: usize = 256;
static GRAVES: [AtomicUsize; SLOTS] = [const { AtomicUsize::new(0) }; SLOTS];

fn slot(p: *mut u8) -> &'static AtomicUsize {
    &GRAVES[(p as usize >> 12) % SLOTS]
}

pub(super) fn dig(p: *mut u8) {
    slot(p).store(p as usize, Ordering::Relaxed);
}

pub(super) fn holds(p: *mut u8) -> bool {
    slot(p).load(Ordering::Relaxed) == p as usize
}

pub(super) fn forget(p: *mut u8) {
    slot(p).store(0, Ordering::Relaxed);
}
