//! The checks of the long way, in their order.

use core::cell::Cell;

use super::report::{self, Fault};
use super::{DEAD_BYTE, FORBIDDEN_BYTE, HEAD, OVERHEAD, TAIL, graves, peek, requested_size};
use crate::domain::Domain;
use crate::heap;
use crate::heap::foreign::Owner;
use crate::heap::shared;
use crate::raw;
use crate::table::{self, Table};

thread_local! {
    /// Set while a block is freed on behalf of its interpreter, by a thread that has not attached it.
    static FOREIGN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with the tests of "who may call" off in this thread.
pub(crate) fn as_foreign<R>(f: impl FnOnce() -> R) -> R {
    let before = FOREIGN.replace(true);
    let result = f();
    FOREIGN.set(before);
    result
}

/// Checks that the thread has a heap attached, which it has exactly while it has a thread state attached.
#[inline]
pub(super) fn attached<const D: usize>(function: &str) {
    if D != Domain::Raw as usize && heap::current_heap().is_null() && !FOREIGN.get() {
        report::fatal(function, "Python memory allocator called without holding the GIL");
    }
}

/// Addresses where no user memory lies: below the first 64 KiB, and from the middle of the address space on, where the
/// patterns of the hooks point to when somebody takes them for an address.
const LEAST_ADDRESS: usize = 1 << 16;
const MOST_ADDRESS: usize = 1 << 47;

/// A block may be so large before its end is read with care.
const TRUSTED: usize = 2048;

/// Checks the block at `p`, which must not be null; reports and ends the process if it is damaged.
///
/// # Safety
/// `p` is a live block of the hooks over `next`, or the address of some memory: what is neither is recognised as far as
/// an address tells.
pub(super) unsafe fn block<const D: usize>(function: &str, next: &Table, p: *mut u8) {
    let domain = Domain::ALL[D];
    let strange = !(p as usize).is_multiple_of(8) || !(LEAST_ADDRESS..MOST_ADDRESS).contains(&(p as usize));
    if strange && peek::bytes::<24>(p.wrapping_sub(HEAD)).is_none() {
        report::unreadable(function, domain, p);
    }
    if heap::foreign::is_late(p) {
        report::late(function, domain, p);
    }
    if graves::holds(p) {
        if peek::bytes::<24>(p.wrapping_sub(HEAD)).is_none() {
            report::unmapped(function, domain, p);
        }
        graves::forget(p);
    }
    // SAFETY: the caller's promise.
    let head = unsafe { p.sub(8).cast::<[u8; 8]>().read() };
    if head[0] != domain.letter() {
        let dead = looks_dead(head, p);
        report::bad_block(function, domain, p, Fault::Id(head[0], dead));
    }
    if head[1..] != [FORBIDDEN_BYTE; 7] {
        report::bad_block(function, domain, p, Fault::Leading);
    }
    // SAFETY: letter and guard are right, so the block is one of the hooks'.
    let n = unsafe { requested_size(p) };
    // SAFETY: as above.
    let large_enough = n <= TRUSTED || unsafe { holds(domain, next, p, n) };
    let tail = if large_enough {
        // SAFETY: the block is that large.
        Some(unsafe { p.add(n).cast::<[u8; TAIL]>().read_unaligned() })
    } else {
        peek::bytes::<TAIL>(p.wrapping_add(n))
    };
    if tail != Some([FORBIDDEN_BYTE; TAIL]) {
        report::bad_block(function, domain, p, Fault::Trailing);
    }
    if D != Domain::Raw as usize && table::is_builtin(domain, next) && !FOREIGN.get() && !shared::are_shared() {
        // SAFETY: the head is whole, so the block before it is one of the built-in allocator; the attached heap is alive.
        unsafe { owner(function, domain, p) };
    }
}

/// Whether the allocator below says that the block is large enough for `n` bytes.
///
/// # Safety
/// `p` is a live block of the hooks over `next`.
unsafe fn holds(domain: Domain, next: &Table, p: *mut u8, n: usize) -> bool {
    if !table::is_builtin(domain, next) {
        return false;
    }
    let inner = p.wrapping_sub(HEAD);
    // SAFETY: the caller's promise; who attaches a heap keeps it alive meanwhile.
    let usable = unsafe {
        if domain == Domain::Raw {
            Some(raw::usable_size(inner.cast()))
        } else {
            heap::current_heap().as_ref().and_then(|heap| heap.usable_size(inner))
        }
    };
    usable.is_some_and(|size| size >= OVERHEAD && n <= size - OVERHEAD)
}

/// # Safety
/// `p` is a live block of debug hooks right over the built-in allocator.
unsafe fn owner(function: &str, domain: Domain, p: *mut u8) {
    let inner = p.wrapping_sub(HEAD);
    // SAFETY: the caller's promise; who attaches a heap keeps it alive meanwhile.
    unsafe {
        let Some(heap) = heap::current_heap().as_ref() else {
            return;
        };
        if heap.usable_size(inner).is_some() {
            return;
        }
        if let Owner::Heap(owner, _) = heap::foreign::owner_of(inner) {
            let labels = (owner.as_ref().label(), heap.label());
            report::bad_block(function, domain, p, Fault::Interpreter(labels.0, labels.1));
        }
    }
}

/// Whether a block whose letter is wrong looks as the hooks leave a block that was freed. The inner allocator may have
/// used the first words of the block for a list of its own, but not all of them.
fn looks_dead(head: [u8; 8], p: *const u8) -> bool {
    let dead = [DEAD_BYTE; 8];
    head == dead || peek::bytes::<8>(p) == Some(dead)
}
