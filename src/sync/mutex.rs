//! A mutex of one byte: `PyMutex`, and what `_thread.lock` is made of.
//!
//! ```text
//!   bit 0  somebody has it
//!   bit 1  somebody may wait: look into the queues
//! ```
//!
//! Whoever comes may take a free mutex, before those who wait: that is fast. A thread that has waited for a
//! millisecond gets it handed over instead, so that nobody starves.

use crate::sync::atomic::{AtomicU8, Ordering};

use super::futex;
use super::parking::{self, Parked};

const LOCKED: u8 = 1;
const PARKED: u8 = 2;

/// What the waking thread tells: "the mutex is yours", or "try again".
const HANDED_OVER: usize = 1;
const TRY_AGAIN: usize = 0;

/// After how many nanoseconds a mutex is handed over.
const FAIR_AFTER: i64 = 1_000_000;
/// How often a thread looks again before it waits.
const SPINS: u32 = 40;

/// How asking for a mutex has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquired {
    /// The caller has it.
    Yes,
    /// The time is over.
    TimedOut,
    /// A signal's handler has run, and the caller wanted to know.
    Interrupted,
}

/// The mutex to be unlocked was not locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLocked;

/// The mutex. Zero is unlocked.
#[repr(transparent)]
#[derive(Default)]
pub struct Mutex(AtomicU8);

impl Mutex {
    /// An unlocked mutex.
    pub const fn new() -> Mutex {
        Mutex(AtomicU8::new(0))
    }

    /// Takes the mutex when it is free.
    #[inline]
    pub fn try_lock(&self) -> bool {
        let mut bits = self.0.load(Ordering::Relaxed);
        while bits & LOCKED == 0 {
            match self.0.compare_exchange_weak(bits, bits | LOCKED, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => bits = now,
            }
        }
        false
    }

    /// Whether somebody has it.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.0.load(Ordering::Acquire) & LOCKED != 0
    }

    /// Waits for the mutex, until a time on the monotonic clock at most. No GIL may be held meanwhile that the holder
    /// of the mutex needs.
    pub fn lock_until(&self, deadline: Option<i64>, interruptible: bool) -> Acquired {
        let key = core::ptr::from_ref(self).addr();
        let mut spins = 0;
        let mut since = None;
        loop {
            let bits = self.0.load(Ordering::Relaxed);
            if bits & LOCKED == 0 {
                if self.0.compare_exchange_weak(bits, bits | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                    return Acquired::Yes;
                }
                continue;
            }
            if bits & PARKED == 0 {
                if spins < SPINS {
                    spins += 1;
                    core::hint::spin_loop();
                    continue;
                }
                if self.0.compare_exchange_weak(bits, bits | PARKED, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                    continue;
                }
            }
            let since = *since.get_or_insert_with(futex::now);
            let valid = || self.0.load(Ordering::Relaxed) == LOCKED | PARKED;
            match parking::park(key, valid, deadline, since) {
                Parked::Unparked(HANDED_OVER) => return Acquired::Yes,
                Parked::Unparked(_) | Parked::Invalid => {}
                Parked::TimedOut => return Acquired::TimedOut,
                Parked::Interrupted if interruptible => return Acquired::Interrupted,
                Parked::Interrupted => {}
            }
        }
    }

    /// Gives the mutex back.
    #[inline]
    pub fn unlock(&self) -> Result<(), NotLocked> {
        match self.0.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(bits) if bits & LOCKED == 0 => Err(NotLocked),
            Err(_) => {
                self.unlock_parked();
                Ok(())
            }
        }
    }

    #[cold]
    fn unlock_parked(&self) {
        parking::unpark_one(core::ptr::from_ref(self).addr(), |waited, more| {
            let hand_over = waited.is_some_and(|waited| waited >= FAIR_AFTER);
            let bits = if hand_over { LOCKED } else { 0 } | if more { PARKED } else { 0 };
            self.0.store(bits, Ordering::Release);
            if hand_over { HANDED_OVER } else { TRY_AGAIN }
        });
    }

    /// Unlocks the mutex of a forked child, where nobody waits.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test")]
mod tests {
    use super::*;
    use core::cell::UnsafeCell;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn one_byte_zero_is_unlocked() {
        assert_eq!(size_of::<Mutex>(), 1);
        assert!(!Mutex::new().is_locked());
        assert_eq!(Mutex::new().unlock(), Err(NotLocked));
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let mutex = Mutex::new();
        assert!(mutex.try_lock());
        assert!(!mutex.try_lock());
        let start = futex::now();
        assert_eq!(mutex.lock_until(Some(start + 2_000_000), false), Acquired::TimedOut);
        assert!(futex::now() - start >= 2_000_000);
        assert_eq!(mutex.unlock(), Ok(()));
        assert_eq!(mutex.lock_until(Some(0), false), Acquired::Yes);
    }

    #[test]
    fn one_thread_at_a_time() {
        struct Shared(Mutex, UnsafeCell<u64>);
        // SAFETY: the number is changed under the mutex only: that is what is tested.
        unsafe impl Sync for Shared {}
        // SAFETY: as above.
        unsafe impl Send for Shared {}
        let shared = Arc::new(Shared(Mutex::new(), UnsafeCell::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    for _ in 0..20_000 {
                        assert_eq!(shared.0.lock_until(None, false), Acquired::Yes);
                        // SAFETY: the mutex is held.
                        unsafe { *shared.1.get() += 1 };
                        assert_eq!(shared.0.unlock(), Ok(()));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        // SAFETY: the threads are gone.
        assert_eq!(unsafe { *shared.1.get() }, 80_000);
    }
}
