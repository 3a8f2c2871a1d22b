//! The global interpreter lock.
//!
//! ```text
//!   word   bit 0: held          bits 1…: how many threads wait for it (the word that they sleep on)
//!   holder the thread state that had it last
//! ```
//!
//! A thread that waits sleeps for the switch interval. When the lock has not changed hands meanwhile it asks the
//! holder, through its eval breaker, to let go. A holder that was asked waits until another thread has had the lock:
//! otherwise it would, being awake, take it again before the other is.
//!
//! G1: `holder` and `switches` are written by the thread that has the lock, once it knows that its state is alive.
//! G2: `holder` is null, or a state that is alive for whoever has `asking`: the end of a state takes that lock.
//! G3: the memory of a lock is one for ever: a thread that comes too late takes one that may serve another interpreter
//!     by now, sees that its state is gone, and lets it go.

use crate::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use core::ptr;

use super::thread::{EvalBreaker, ThreadState};
use crate::sync::RawLock;
use crate::sync::futex::{self, Wake};

const HELD: u32 = 1;
const WAITER: u32 = 2;

/// `sys.getswitchinterval()` at the start, in microseconds.
pub const DEFAULT_INTERVAL: u64 = 5000;

/// A GIL, alone in its cache lines: the processor next door fetches them in pairs.
#[repr(align(128))]
pub struct Gil {
    word: AtomicU32,
    /// Counts how often the lock has changed hands.
    switches: AtomicU32,
    /// How many threads have let go because they were asked to, and wait for the lock to change hands.
    yielding: AtomicU32,
    holder: AtomicPtr<ThreadState>,
    asking: RawLock,
    /// The switch interval, in microseconds.
    interval: AtomicU64,
}

impl Gil {
    /// A lock that nobody has.
    pub const fn new() -> Gil {
        Gil {
            word: AtomicU32::new(0),
            switches: AtomicU32::new(0),
            yielding: AtomicU32::new(0),
            holder: AtomicPtr::new(ptr::null_mut()),
            asking: RawLock::new(),
            interval: AtomicU64::new(DEFAULT_INTERVAL),
        }
    }

    /// The switch interval in microseconds.
    pub fn interval(&self) -> u64 {
        self.interval.load(Ordering::Relaxed)
    }

    /// Sets the switch interval in microseconds.
    pub fn set_interval(&self, microseconds: u64) {
        self.interval.store(microseconds.max(1), Ordering::Relaxed);
    }

    /// Whether some thread has the lock.
    pub fn is_held(&self) -> bool {
        self.word.load(Ordering::Acquire) & HELD != 0
    }

    /// Takes the lock. False, without it, when `too_late` says so while the thread waits. The caller says with
    /// [`held_by`](Gil::held_by) for whom, or lets it go again.
    #[inline]
    pub fn take(&self, too_late: impl Fn() -> bool) -> bool {
        self.word.compare_exchange(0, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok() || self.wait(too_late)
    }

    /// Says whose the lock is that the caller has just taken: that of a state that is alive.
    #[inline]
    pub fn held_by(&self, ts: *mut ThreadState) {
        if self.holder.load(Ordering::Relaxed) != ts {
            self.changed_hands(ts);
        }
    }

    /// G1.
    fn changed_hands(&self, ts: *mut ThreadState) {
        // Who asks the holder sees a whole state.
        self.holder.store(ts, Ordering::Release);
        self.switches.store(self.switches.load(Ordering::Relaxed).wrapping_add(1), Ordering::SeqCst);
        if self.yielding.load(Ordering::SeqCst) != 0 {
            futex::wake(&raw const self.switches, i32::MAX);
        }
    }

    #[cold]
    fn wait(&self, too_late: impl Fn() -> bool) -> bool {
        self.word.fetch_add(WAITER, Ordering::Relaxed);
        let due = || futex::now().saturating_add(self.interval().min(1 << 40) as i64 * 1000);
        let mut deadline = due();
        let mut switches = self.switches.load(Ordering::Relaxed);
        loop {
            let word = self.word.load(Ordering::Relaxed);
            if word & HELD == 0 {
                let taken = (word | HELD) - WAITER;
                if self.word.compare_exchange(word, taken, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                    return true;
                }
                continue;
            }
            if too_late() {
                self.word.fetch_sub(WAITER, Ordering::Relaxed);
                return false;
            }
            let ended = futex::wait(&self.word, word, Some(deadline));
            let now = self.switches.load(Ordering::Relaxed);
            if now != switches {
                switches = now;
                deadline = due();
            } else if ended == Wake::TimedOut {
                self.ask_holder();
                deadline = due();
            }
        }
    }

    /// Asks the holder to let go.
    fn ask_holder(&self) {
        let _asking = self.asking.lock();
        if self.is_held()
            // SAFETY: G2.
            && let Some(holder) = unsafe { self.holder.load(Ordering::Acquire).as_ref() }
        {
            holder.eval_breaker.set(EvalBreaker::DROP_GIL);
        }
    }

    /// Lets the lock go. The caller has it.
    #[inline]
    pub fn release(&self) {
        let word = &raw const self.word;
        let before = self.word.fetch_sub(HELD, Ordering::Release);
        debug_assert!(before & HELD != 0, "a GIL that nobody has is let go");
        if before >= WAITER {
            futex::wake(word, 1);
        }
    }

    /// Lets the lock go because another thread has asked for it, and comes back when one has had it. The caller has
    /// it, and has to take it again.
    #[cold]
    pub fn release_to_another(&self) {
        let switches = self.switches.load(Ordering::Relaxed);
        self.yielding.fetch_add(1, Ordering::SeqCst);
        self.release();
        // Who waits may have gone away, so the wait is not for ever.
        while self.word.load(Ordering::Relaxed) >= WAITER && self.switches.load(Ordering::SeqCst) == switches {
            futex::wait(&self.switches, switches, Some(futex::now() + 1_000_000));
        }
        self.yielding.fetch_sub(1, Ordering::SeqCst);
    }

    /// Forgets a state that is about to end.
    pub fn forget(&self, ts: *mut ThreadState) {
        let _asking = self.asking.lock();
        let _ = self.holder.compare_exchange(ts, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Before a fork: nobody else is inside.
    pub fn before_fork(&self) {
        self.asking.acquire();
    }

    /// After a fork, in the process that has forked.
    pub fn after_fork_in_parent(&self) {
        self.asking.release();
    }

    /// After a fork, in the child: the lock is its only thread's.
    pub fn after_fork_in_child(&self, ts: *mut ThreadState) {
        self.word.store(HELD, Ordering::Relaxed);
        self.yielding.store(0, Ordering::Relaxed);
        self.holder.store(ts, Ordering::Relaxed);
        self.asking.reset();
    }
}

impl Gil {
    /// After a fork, in the child: the lock of another interpreter, whose threads are not there.
    pub fn free_in_child(&self) {
        self.word.store(0, Ordering::Relaxed);
        self.yielding.store(0, Ordering::Relaxed);
        self.holder.store(ptr::null_mut(), Ordering::Relaxed);
        self.asking.reset();
    }
}

impl Default for Gil {
    fn default() -> Gil {
        Gil::new()
    }
}
