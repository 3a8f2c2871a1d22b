//! Guards that keep an interpreter from finalizing (PEP 788).
//!
//! While `InterpreterState::guards` is not 0, finalization waits before it stops the other threads. Once it has found
//! none, `CLOSED` is set, and no guard is given any more: whoever asks comes too late.

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

/// Gives a guard back.
pub fn leave(interp: &InterpreterState) {
    let word: *const AtomicU32 = &raw const interp.guards;
    if interp.guards.fetch_sub(1, Ordering::AcqRel) == 1 {
        // The interpreter may be gone by now; the address is only a name.
        futex::wake(word, i32::MAX);
    }
}

/// Waits until there is no guard, and gives none from then on. Signals are handled and pending calls made meanwhile.
pub fn wait_for_all(ts: &ThreadState) {
    let guards = &ts.interp().guards;
    loop {
        let count = guards.load(Ordering::Acquire);
        if count == 0 {
            if guards.compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return;
            }
            continue;
        }
        if count & CLOSED != 0 {
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
