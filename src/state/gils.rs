//! Where the GILs of interpreters' own come from.
//!
//! A thread that waits for a GIL, or is about to, touches nothing else of an interpreter, which may end meanwhile. So the
//! memory of GILs is never given back, and never becomes anything else: a GIL that is returned is lent again.
//!
//! ```text
//!   page ┌─────┬─────┬─────┬─ … ─┐      FREE ──► slot ──► slot ──► …
//!        │ Gil │ Gil │ Gil │     │      one slot for each interpreter with a GIL of its own that
//!        └─────┴─────┴─────┴─ … ─┘      there was at the busiest moment
//! ```

use core::ptr::{self, NonNull};

use hognose_allocators::NoMemory;

use super::gil::{DEFAULT_INTERVAL, Gil};
use crate::sync::Locked;

/// A GIL and its place in the list of those that are not lent.
#[repr(C)]
struct GilSlot {
    gil: Gil,
    next: *mut GilSlot,
}

/// The bytes that are taken from the system at once.
const PAGE: usize = 16 * 1024;

static FREE: Locked<*mut GilSlot> = Locked::new(ptr::null_mut());

/// A GIL that nobody has; a thread that comes too late for an earlier interpreter may take it for a moment.
pub(crate) fn lend() -> Result<NonNull<Gil>, NoMemory> {
    let mut free = FREE.lock();
    if free.is_null() {
        *free = more()?;
    }
    let slot = *free;
    // SAFETY: what is in the list is a slot.
    unsafe {
        *free = (*slot).next;
        (*slot).gil.set_interval(DEFAULT_INTERVAL);
        Ok(NonNull::new_unchecked(&raw mut (*slot).gil))
    }
}

/// Takes a GIL back, which no living interpreter uses. It is free, or somebody has it who comes too late.
pub(crate) fn give_back(gil: NonNull<Gil>) {
    let slot = gil.as_ptr().cast::<GilSlot>();
    let mut free = FREE.lock();
    // SAFETY: the GIL came from `lend`, so it is the first field of a slot.
    unsafe { (*slot).next = *free };
    *free = slot;
}

/// Slots from the system, linked.
fn more() -> Result<*mut GilSlot, NoMemory> {
    // SAFETY: fresh memory, which nobody else has.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return Err(NoMemory);
    }
    let slots = page.cast::<GilSlot>();
    let mut first = ptr::null_mut();
    for index in 0..PAGE / size_of::<GilSlot>() {
        // SAFETY: inside the page, which is aligned to more than a slot.
        unsafe {
            let slot = slots.add(index);
            slot.write(GilSlot { gil: Gil::new(), next: first });
            first = slot;
        }
    }
    Ok(first)
}

/// Before a fork.
pub(crate) fn before_fork() {
    FREE.lock.acquire();
}

/// After a fork, in the process that has forked.
pub(crate) fn after_fork_in_parent() {
    FREE.lock.release();
}

/// After a fork, in the child.
pub(crate) fn after_fork_in_child() {
    FREE.lock.reset();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_returned_is_lent_again() {
        let first = lend().unwrap();
        let second = lend().unwrap();
        assert_ne!(first, second);
        // SAFETY: the memory of a GIL is one for ever.
        assert!(unsafe { first.as_ref() }.take(|| false));
        // SAFETY: as above.
        unsafe { first.as_ref() }.release();
        give_back(first);
        assert_eq!(lend().unwrap(), first);
        give_back(first);
        give_back(second);
    }
}
