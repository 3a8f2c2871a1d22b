//! Guards that keep an interpreter from finalizing (PEP 788).
//!
//! While there are guards, finalization waits before it stops the other threads. When it begins to wait it sets `CLOSED`,
//! and no guard is given any more: whoever asks comes too late. Otherwise threads that come and go would have it wait for
//! ever. What has a guard may copy it still.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::state::{InterpreterState, ThreadState, attach};
use crate::sync::futex;

/// No guard is given any more.
const CLOSED: u32 = 1 << 31;

/// Counts a guard; false when the interpreter finalizes.
pub fn enter(interp: &InterpreterState) -> bool {
    let mut count = interp.guards.load(Ordering::Acquire);
    while count & CLOSED == 0 {
        match interp.guards.compare_exchange_weak(count, count + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return true,
            Err(now) => count = now,
        }
    }
    false
}

/// Counts one more guard for the holder of one.
pub fn enter_again(interp: &InterpreterState) {
    interp.guards.fetch_add(1, Ordering::AcqRel);
}

/// Gives a guard back.
pub fn leave(interp: &InterpreterState) {
    let word: *const AtomicU32 = &raw const interp.guards;
    if interp.guards.fetch_sub(1, Ordering::AcqRel) == CLOSED + 1 {
        // The interpreter may be gone by now; the address is only a name.
        futex::wake(word, i32::MAX);
    }
}

/// Gives no guards any more, and waits until there is none. Signals are handled and pending calls made meanwhile.
pub fn wait_for_all(ts: &ThreadState) {
    let guards = &ts.interp().guards;
    guards.fetch_or(CLOSED, Ordering::AcqRel);
    loop {
        let count = guards.load(Ordering::Acquire);
        if count == CLOSED {
            return;
        }
        // A pending call may be what closes the last guard.
        let soon = futex::now() + 10_000_000;
        attach::without_gil(ts, || futex::wait(guards, count, Some(soon)));
        if let Err(raised) = super::pending::make(ts) {
            crate::types::exceptions::write_unraisable(
                ts,
                raised,
                Some("in a pending call"),
                crate::types::none::none(),
            );
        }
    }
}
