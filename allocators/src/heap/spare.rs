//! Arenas that are unused, and are kept for a while.
//!
//! To give an arena back and to take another costs the faults of all its pages: more than everything else that is done
//! with the blocks in it. So an arena that has become unused is kept, and given back when nobody has wanted it for
//! [`DECAY`]. There is no thread that watches the time: who takes a page, or gives back the last one of an arena, has a look, and
//! who wants the memory back at once calls `collect` or `trim`, as `gc.collect()` does.
//!
//! The memory of the process is not to be larger for it: when the heap takes more large blocks from the C library than it
//! ever had, it gives back for them, byte by byte, spare arenas and the memory of pages that are not in use.
//!
//! The arena that became spare last is the first to be used again; the one that has waited longest goes first.

use core::cell::Cell;
use core::ptr;

use super::Heap;
use super::arena::{ARENA_SIZE, Arena};
use super::page::PAGE_SIZE;
use super::trim::purge;

/// Milliseconds for which an arena is kept.
pub(super) const DECAY: u64 = 500;

/// The spare arenas of a heap (A2), linked by `room_next` and `room_prev`.
pub(super) struct Spares {
    newest: Cell<*mut Arena>,
    oldest: Cell<*mut Arena>,
    /// The most that large blocks had when it was last paid for.
    most: Cell<usize>,
    /// Bytes that were taken elsewhere, and for which nothing was given back.
    owed: Cell<usize>,
}

impl Spares {
    pub(super) const fn new() -> Self {
        Self {
            newest: Cell::new(ptr::null_mut()),
            oldest: Cell::new(ptr::null_mut()),
            most: Cell::new(0),
            owed: Cell::new(0),
        }
    }
}

/// Milliseconds of a clock that is cheap to read and never goes back.
#[cfg(not(test))]
pub(super) fn now() -> u64 {
    // SAFETY: zeros are a time.
    let mut time: libc::timespec = unsafe { core::mem::zeroed() };
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    // SAFETY: our own structure.
    unsafe { libc::clock_gettime(CLOCK, &mut time) };
    time.tv_sec.cast_unsigned() * 1000 + time.tv_nsec.cast_unsigned() / 1_000_000
}

/// In tests time passes when the test says so.
#[cfg(test)]
pub(super) static NOW: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(0);
#[cfg(test)]
pub(super) fn now() -> u64 {
    NOW.load(core::sync::atomic::Ordering::Relaxed)
}

impl Heap {
    /// Keeps an arena that has just become unused, and is on no list of those with room.
    pub(super) fn keep_spare(&self, at: *mut Arena) {
        let time = now();
        let newest = self.spares.newest.replace(at);
        // SAFETY: both are arenas of this heap.
        unsafe {
            (*at).since.set(time);
            (*at).room_prev.set(ptr::null_mut());
            (*at).room_next.set(newest);
            if newest.is_null() {
                self.spares.oldest.set(at);
            } else {
                (*newest).room_prev.set(at);
            }
        }
        self.decay(time);
    }

    /// The spare arena that was used last, on the list of those with room; null if there is none.
    pub(super) fn take_spare(&self) -> *mut Arena {
        let at = self.spares.newest.get();
        if !at.is_null() {
            // SAFETY: it is a spare arena.
            unsafe { self.unlink_spare(at) };
            self.link_room(at);
        }
        at
    }

    /// What is done whenever a page is taken.
    #[inline]
    pub(super) fn look_at_spares(&self) {
        if !self.spares.oldest.get().is_null() {
            self.decay(now());
        }
    }

    /// # Safety
    /// It is one of the spare arenas.
    unsafe fn unlink_spare(&self, at: *mut Arena) {
        // SAFETY: the caller's promise; neighbours are spare arenas.
        unsafe {
            let (next, prev) = ((*at).room_next.get(), (*at).room_prev.get());
            if prev.is_null() {
                self.spares.newest.set(next);
            } else {
                (*prev).room_next.set(next);
            }
            if next.is_null() {
                self.spares.oldest.set(prev);
            } else {
                (*next).room_prev.set(prev);
            }
        }
    }

    /// Gives the arenas back that nobody has wanted for so long.
    fn decay(&self, time: u64) {
        loop {
            let at = self.spares.oldest.get();
            // SAFETY: null, or a spare arena.
            if at.is_null() || time.wrapping_sub(unsafe { (*at).since.get() }) < DECAY {
                return;
            }
            // SAFETY: A2.
            unsafe {
                self.unlink_spare(at);
                self.drop_arena(at);
            }
        }
    }

    /// Notes that so many bytes are about to be taken elsewhere. Only what is more than ever before is paid for: a buffer
    /// that comes and goes takes no new memory, and is to cost none.
    #[inline]
    pub(super) fn taken_elsewhere(&self, bytes: usize) {
        /// Less is not worth the calls of the system.
        const STEP: usize = 256 * 1024;
        if self.arenas.get().is_null() {
            return;
        }
        let now = self.counts.iter().map(|counts| counts.bytes()).sum::<usize>().saturating_add(bytes);
        let most = self.spares.most.get();
        if now > most.saturating_add(STEP) {
            self.spares.most.set(now);
            self.pay(now - most);
        }
    }

    #[cold]
    fn pay(&self, bytes: usize) {
        let mut owed = self.spares.owed.get().saturating_add(bytes);
        while owed >= ARENA_SIZE && !self.spares.oldest.get().is_null() {
            let at = self.spares.oldest.get();
            owed -= ARENA_SIZE;
            // SAFETY: A2.
            unsafe {
                self.unlink_spare(at);
                self.drop_arena(at);
            }
        }
        // SAFETY: the list holds arenas of this heap.
        let mut at = unsafe { self.room.get().as_ref() };
        while let Some(arena) = at
            && owed >= PAGE_SIZE
        {
            owed = owed.saturating_sub(purge(arena, owed / PAGE_SIZE * PAGE_SIZE));
            // SAFETY: as above.
            at = unsafe { arena.room_next.get().as_ref() };
        }
        // What could not be paid now is not owed later.
        self.spares.owed.set(owed.min(ARENA_SIZE - 1));
    }

    /// Gives all of them back.
    pub(super) fn drop_spares(&self) {
        loop {
            let at = self.spares.oldest.get();
            if at.is_null() {
                return;
            }
            // SAFETY: A2.
            unsafe {
                self.unlink_spare(at);
                self.drop_arena(at);
            }
        }
    }

    /// Whether an arena is on the list.
    pub(super) fn is_spare(&self, arena: &Arena) -> bool {
        let mut at = self.spares.newest.get();
        while !at.is_null() {
            if ptr::eq(at, arena) {
                return true;
            }
            // SAFETY: the list holds arenas of this heap.
            at = unsafe { (*at).room_next.get() };
        }
        false
    }
}
