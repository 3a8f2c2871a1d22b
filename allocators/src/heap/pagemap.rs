//! The page map: for each page of the reserved range, the bin that its blocks go to.
//!
//! ```text
//!   p ─► (p - base) / PAGE_SIZE ─► entry ─► Bin of the page's heap, tag and class; null: not in use
//! ```
//!
//! One load says whether a page is in use, of which heap it is (its bins lie in it) and where a block
//! goes when it is freed, without touching the page: the headers of pages would all fall into the same
//! few lines of the cache. The map has a word for each page of the range, and takes memory only where
//! there are arenas: 8 bytes for 16 KiB.
//!
//! Invariant M1: the entry of a page is the bin in its header while the page is in use, otherwise null.
//!
//! An entry is written by the owner of its heap and read by anybody, hence the relaxed atomics, which
//! are plain loads and stores.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::bin::Bin;
use super::page::PAGE_SIZE;

type Entry = AtomicPtr<Bin>;

static MAP: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// Makes the map for a range of `len` bytes. False if there are no addresses left for it.
pub(crate) fn reserve(len: usize) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let bytes = len / PAGE_SIZE * size_of::<Entry>();
    // SAFETY: a fresh mapping at an address of the system's choice; zeros are null entries.
    let at = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return false;
    }
    MAP.store(at.cast(), Ordering::Release);
    true
}

/// The map's first entry.
#[inline(always)]
pub(crate) fn base() -> *const Entry {
    MAP.load(Ordering::Relaxed)
}

/// The bin of the page at `offset` bytes from the start of the range.
///
/// # Safety
/// `map` is [`base`] and the offset lies inside the range.
#[inline(always)]
pub(crate) unsafe fn get(map: *const Entry, offset: usize) -> *const Bin {
    // SAFETY: the map has an entry for each page of the range.
    unsafe { (*map.add(offset / PAGE_SIZE)).load(Ordering::Relaxed) }
}

/// Enters the bin of the page at `offset` (M1).
///
/// # Safety
/// The offset lies inside the range, and the caller owns the page.
pub(crate) unsafe fn set(offset: usize, bin: *const Bin) {
    // SAFETY: as in `get`.
    unsafe { (*base().add(offset / PAGE_SIZE)).store(bin.cast_mut(), Ordering::Relaxed) }
}
