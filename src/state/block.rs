//! The memory of thread states and interpreters.
//!
//! What the thread of one interpreter writes to at every step is not to lie in a line of the cache in which the thread of
//! another one has something, too: each write would take the line away from the other processor. So these structures are
//! aligned to pairs of lines, which is what processors fetch, and as large as whole pairs.

use core::alloc::Layout;
use core::ptr;

use allocator_api2::alloc::Allocator;
use hognose_allocators::Raw;

/// A block of the raw domain for a `T`, with its alignment; null without memory.
pub(crate) fn take<T>() -> *mut T {
    Raw.allocate(Layout::new::<T>()).map_or(ptr::null_mut(), |block| block.as_ptr().cast())
}

/// Gives a block back. Null is allowed.
///
/// # Safety
/// It came from [`take`] for the same type, and what was in it was dropped.
pub(crate) unsafe fn give<T>(at: *mut T) {
    if let Some(at) = ptr::NonNull::new(at) {
        // SAFETY: the caller's promise.
        unsafe { Raw.deallocate(at.cast(), Layout::new::<T>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::gil::Gil;
    use crate::state::{InterpreterState, ThreadState};

    /// Bytes of a line of the cache.
    const LINE: usize = 64;

    #[test]
    fn states_share_no_line() {
        fn check<T>() {
            assert!(align_of::<T>() >= LINE && size_of::<T>().is_multiple_of(LINE));
            let blocks: Vec<*mut T> = (0..8).map(|_| take()).collect();
            for at in blocks {
                assert!(!at.is_null() && at.addr().is_multiple_of(align_of::<T>()));
                // SAFETY: taken above, and nothing is in it.
                unsafe { give(at) };
            }
        }
        check::<ThreadState>();
        check::<InterpreterState>();
        check::<Gil>();
    }
}
