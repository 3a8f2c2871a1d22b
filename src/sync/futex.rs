//! Waiting for a word of memory to change: the system's futex, with a time on the monotonic clock.

use core::sync::atomic::AtomicU32;

/// How a wait has ended. A wait may end for no reason: who waits looks again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// The word was not, or is no more, what was expected; or someone has called [`wake`].
    Woken,
    /// The time has come.
    TimedOut,
    /// A signal's handler has run.
    Interrupted,
}

/// Nanoseconds on the monotonic clock.
#[inline]
pub fn now() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is writable; the clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec)
}

/// Waits while the word has the expected value: until it is woken, a time on the monotonic clock, or a signal.
/// The thread's error number stays as it is.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<i64>) -> Wake {
    let time = deadline.map(|deadline| {
        let deadline = deadline.max(0);
        libc::timespec { tv_sec: deadline / 1_000_000_000, tv_nsec: deadline % 1_000_000_000 }
    });
    let time_ptr = time.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the word lives over the call, as it is borrowed; the time is valid or null. The error number is the
    // thread's own.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        let status = libc::syscall(
            libc::SYS_futex,
            core::ptr::from_ref(word),
            libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
            expected,
            time_ptr,
            core::ptr::null::<u32>(),
            u32::MAX,
        );
        let error = if status < 0 { *errno } else { 0 };
        *errno = saved;
        match error {
            libc::ETIMEDOUT => Wake::TimedOut,
            libc::EINTR => Wake::Interrupted,
            _ => Wake::Woken,
        }
    }
}

/// Wakes at most `count` threads that wait for a word. The word itself is not looked at: it may be gone already.
pub fn wake(word: *const AtomicU32, count: i32) {
    // SAFETY: the system only takes the address as a name. The error number is the thread's own.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count);
        *errno = saved;
    }
}
