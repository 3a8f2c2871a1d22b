//! The memory of thread states, of interpreters, and of what threads have of them, or of locks and keys, from outside.
//!
//! Some of it is taken before the runtime has chosen its allocators, and given back when it has: by a thread that comes too
//! early or too late, or has a view of an interpreter. So it goes back the way it came.
//!
//! What the thread of one interpreter writes to at every step is not to lie in a line of the cache in which the thread of
//! another one has something, too: each write would take the line away from the other processor. So these structures are
//! aligned to pairs of lines, which is what processors fetch, and as large as whole pairs.

use core::ptr;

use hognose_allocators::BoundMemory;

/// Bytes that say where a block came from.
const HEAD: usize = size_of::<BoundMemory>();

/// Memory of the raw domain for a `T`, with its alignment; null if there is none. Any thread, at any time.
pub(crate) fn take<T>() -> *mut T {
    // Before the `T` there is room for where it came from.
    let align = const { if align_of::<T>() > HEAD { align_of::<T>() } else { HEAD } };
    let Some(memory) = BoundMemory::take(2 * align + size_of::<T>()) else {
        return ptr::null_mut();
    };
    let start = memory.address().as_ptr();
    let at = start.wrapping_add(align);
    let at = at.wrapping_add(at.align_offset(align)).cast::<T>();
    // SAFETY: the place lies inside the block, at least an alignment behind its start.
    unsafe { at.cast::<BoundMemory>().sub(1).write(memory) };
    at
}

/// Gives the memory back. Null is allowed.
///
/// # Safety
/// It came from [`take`] for the same type, and what was in it was dropped.
pub(crate) unsafe fn give<T>(at: *mut T) {
    if !at.is_null() {
        // SAFETY: the caller's promise; `take` has written it there.
        unsafe { at.cast::<BoundMemory>().sub(1).read().give() };
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
