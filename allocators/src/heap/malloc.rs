//! The C library as a heap's source of blocks.
//!
//! A heap of kind malloc takes every block from here, the other kinds what they do not serve
//! themselves. The blocks are linked into their heap by the header of `large`, so that they are counted,
//! found by a walk and freed with the heap.
//!
//! When somebody's own allocator serves the raw domain, it gets these requests too: who caps or
//! observes the raw domain means them as well. A block remembers which way it came.

use core::ffi::c_void;

use crate::domain::{self, Domain};
use crate::table;

/// Where a block came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Source {
    /// The C library itself, not counted in the raw domain.
    Library,
    /// The raw domain's table.
    RawTable,
}

/// Allocates `size` bytes, which are zero if `zeroed`; null on failure.
pub(crate) fn alloc(size: usize, zeroed: bool) -> (*mut c_void, Source) {
    if table::raw_is_ours() {
        // SAFETY: any size may be asked for.
        let p = unsafe { if zeroed { libc::calloc(1, size) } else { libc::malloc(size) } };
        (p, Source::Library)
    } else if zeroed {
        (domain::calloc(Domain::Raw, 1, size), Source::RawTable)
    } else {
        (domain::malloc(Domain::Raw, size), Source::RawTable)
    }
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
            Source::RawTable => domain::realloc(Domain::Raw, p, size),
        }
    }
}

/// Gives a block back.
///
/// # Safety
/// `p` is a live block that came from `source`.
pub(crate) unsafe fn free(p: *mut c_void, source: Source) {
    // SAFETY: the caller's promise.
    unsafe {
        match source {
            Source::Library => libc::free(p),
            Source::RawTable => domain::free(Domain::Raw, p),
        }
    }
}
