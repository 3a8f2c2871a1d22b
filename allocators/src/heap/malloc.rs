//! The C library as a heap's source of blocks.
//!
//! A heap of kind malloc takes every block from here, the other kinds what they do not serve
//! themselves. The blocks are linked into their heap by the header of `large`, so that they are counted,
//! found by a walk and freed with the heap.
//!
//! When somebody's own allocator serves the raw domain, it gets these requests too: who caps or
//! observes the raw domain means them as well. A block remembers which way it came.

use core::ffi::c_void;

use crate::handle::Handle;
use crate::table;
use crate::watch::Unwatched;

/// Where a block came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Source {
    /// The C library itself, not counted in the raw domain.
    Library,
    /// The raw domain, below the watch: it is the user's block that is watched.
    RawTable,
}

/// Allocates `size` bytes, which are zero if `zeroed`; null on failure.
#[inline]
pub(crate) fn alloc(size: usize, zeroed: bool) -> (*mut c_void, Source) {
    if table::raw_is_ours() {
        // SAFETY: any size may be asked for.
        let p = unsafe { if zeroed { libc::calloc(1, size) } else { libc::malloc(size) } };
        (p, Source::Library)
    } else {
        (from_table(size, zeroed), Source::RawTable)
    }
}

#[cold]
#[inline(never)]
fn from_table(size: usize, zeroed: bool) -> *mut c_void {
    if zeroed { Unwatched::take_zeroed(size) } else { Unwatched::take(size) }
}

/// Changes a block's size; null on failure, and then the block is as before.
///
/// # Safety
/// `p` is a live block that came from `source`.
pub(crate) unsafe fn realloc(p: *mut c_void, size: usize, source: Source) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe {
        match source {
            Source::Library => libc::realloc(p, size),
            Source::RawTable => Unwatched::retake(p, size),
        }
    }
}

/// Gives a block back.
///
/// # Safety
/// `p` is a live block that came from `source`.
#[inline]
pub(crate) unsafe fn free(p: *mut c_void, source: Source) {
    // SAFETY: the caller's promise.
    unsafe {
        match source {
            Source::Library => libc::free(p),
            Source::RawTable => to_table(p),
        }
    }
}

/// # Safety
/// `p` is a live block of the raw domain.
#[cold]
#[inline(never)]
unsafe fn to_table(p: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { Unwatched::give(p) };
}
