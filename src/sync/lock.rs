//! The lock of the runtime's own short sections.

use crate::sync::atomic::{AtomicU32, Ordering};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

use super::futex;

const FREE: u32 = 0;
const HELD: u32 = 1;
/// Held, and somebody may wait.
const CONTENDED: u32 = 2;

/// A lock without a value. It can be taken by hand around a fork and released in both processes.
///
/// L1: who holds one neither runs Python code nor waits for a GIL.
pub struct RawLock(AtomicU32);

impl RawLock {
    /// A free lock.
    pub const fn new() -> RawLock {
        RawLock(AtomicU32::new(FREE))
    }

    /// Takes the lock; it is released when the result is dropped.
    #[inline]
    pub fn lock(&self) -> Held<'_> {
        self.acquire();
        Held(self)
    }

    /// Takes the lock, to be released by [`release`](RawLock::release).
    #[inline]
    pub fn acquire(&self) {
        if self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.acquire_slowly();
        }
    }

    #[cold]
    fn acquire_slowly(&self) {
        for _ in 0..64 {
            if self.0.load(Ordering::Relaxed) == FREE
                && self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
            core::hint::spin_loop();
        }
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.0, CONTENDED, None);
        }
    }

    /// Releases the lock.
    #[inline]
    pub fn release(&self) {
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake(&raw const self.0, 1);
        }
    }

    /// Frees the lock of a forked child, whose parent's other threads are not there to be woken.
    pub fn reset(&self) {
        self.0.store(FREE, Ordering::Release);
    }
}

impl Default for RawLock {
    fn default() -> RawLock {
        RawLock::new()
    }
}

/// A lock that is held.
pub struct Held<'a>(&'a RawLock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A value under a lock.
pub struct Locked<T> {
    /// The lock, for the time of a fork.
    pub lock: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, of which there is one at a time; what is kept so are numbers and
// pointers that any thread may hold.
unsafe impl<T> Sync for Locked<T> {}

impl<T> Locked<T> {
    /// A value behind a free lock.
    pub const fn new(value: T) -> Locked<T> {
        Locked { lock: RawLock::new(), value: UnsafeCell::new(value) }
    }

    /// Takes the lock for as long as the result lives.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        Guard { _held: self.lock.lock(), value: &self.value }
    }

    /// The value, of whoever has taken the lock by hand.
    ///
    /// # Safety
    /// The caller holds the lock, and uses no other way to the value.
    #[allow(clippy::mut_from_ref, reason = "the lock that the caller holds makes it exclusive")]
    pub unsafe fn held(&self) -> &mut T {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.value.get() }
    }
}

/// The value of a lock that is held.
pub struct Guard<'a, T> {
    _held: Held<'a>,
    value: &'a UnsafeCell<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is held for as long as the guard lives.
        unsafe { &*self.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed for changing.
        unsafe { &mut *self.value.get() }
    }
}
