//! What is known of a thread from its start to its end: shared by its handle, the thread itself and the interpreter.
//!
//! R1: a record is in its interpreter's list while its thread is between start and end (of a thread that was there
//! already, while there is a handle of it); that counts as one reference.
//! R2: everything but `progress` is changed under the interpreter's GIL. `progress` can be waited for without it.

use core::cell::Cell;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use hognose_allocators::{NoMemory, raw_free, raw_malloc};

use crate::state::InterpreterState;
use crate::sync::futex;

/// How far a thread has come; the values are in order.
pub(super) const NOT_STARTED: u32 = 0;
pub(super) const STARTING: u32 = 1;
pub(super) const RUNNING: u32 = 2;
pub(super) const DONE: u32 = 3;

/// How often the process is the child of a fork since the runtime has known it: a system's thread of before is not
/// there any more, and its number means nothing.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// This is the child of a fork.
pub(super) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// What has become of the system's thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Native {
    /// There is none that this record has to do with.
    None,
    /// Somebody has to join it, or let it go.
    Joinable(libc::pthread_t),
    /// A thread waits for its end; others wait for `progress_joined`.
    Joining,
}

/// The record.
pub(super) struct Record {
    references: AtomicUsize,
    pub(super) progress: AtomicU32,
    pub(super) ident: Cell<u64>,
    pub(super) daemon: Cell<bool>,
    /// Of a thread that `_thread` has not started: nobody waits for it, and its handle takes it off the list.
    pub(super) adopted: Cell<bool>,
    native: Cell<Native>,
    /// [`FORKS`] when the system's thread was made.
    forks: Cell<u32>,
    next: Cell<*const Record>,
    listed: Cell<bool>,
}

/// The list of an interpreter.
pub struct Records {
    first: Cell<*const Record>,
    /// How many threads run (`_thread._count`).
    pub(super) running: Cell<usize>,
}

impl Records {
    /// No threads.
    pub const fn new() -> Records {
        Records { first: Cell::new(ptr::null()), running: Cell::new(0) }
    }

    /// How many threads that `_thread` has started run.
    pub fn running(&self) -> usize {
        self.running.get()
    }

    /// R1: lists a record.
    pub(super) fn add(&self, record: &Shared) {
        let mine = record.clone();
        mine.listed.set(true);
        mine.next.set(self.first.get());
        self.first.set(mine.into_raw());
    }

    /// R1: the end of a listed thread.
    pub(super) fn remove(&self, record: &Record) {
        if !record.listed.replace(false) {
            return;
        }
        let mut place = &self.first;
        // SAFETY: what is listed is alive.
        while let Some(at) = unsafe { place.get().as_ref() } {
            if ptr::eq(at, record) {
                place.set(at.next.get());
                // SAFETY: the list's reference is given up.
                drop(unsafe { Shared::from_raw(at) });
                return;
            }
            place = &at.next;
        }
    }

    /// The first record that fits.
    pub(super) fn find(&self, fits: impl Fn(&Record) -> bool) -> Option<Shared> {
        let mut at = self.first.get();
        // SAFETY: what is listed is alive.
        while let Some(record) = unsafe { at.as_ref() } {
            if fits(record) {
                record.references.fetch_add(1, Ordering::Relaxed);
                // SAFETY: counted just now.
                return Some(unsafe { Shared::from_raw(at) });
            }
            at = record.next.get();
        }
        None
    }

    /// Says that all threads but one are at their end: they were not taken over into a forked child, or will never
    /// get the GIL again.
    pub(super) fn end_others(interp: &InterpreterState, but: u64) {
        let records = &interp.thread_records;
        while let Some(record) = records.find(|record| record.ident.get() != but) {
            record.finish();
            records.remove(&record);
        }
        records.running.set(usize::from(records.find(|record| !record.adopted.get()).is_some()));
    }
}

impl Default for Records {
    fn default() -> Records {
        Records::new()
    }
}

impl Record {
    pub(super) fn is(&self, progress: u32) -> bool {
        self.progress.load(Ordering::Acquire) == progress
    }

    pub(super) fn set(&self, progress: u32) {
        self.progress.store(progress, Ordering::Release);
        futex::wake(&raw const self.progress, i32::MAX);
    }

    /// The system's thread, as far as it is there.
    pub(super) fn native(&self) -> Native {
        if self.forks.get() == FORKS.load(Ordering::Relaxed) { self.native.get() } else { Native::None }
    }

    pub(super) fn set_native(&self, native: Native) {
        self.forks.set(FORKS.load(Ordering::Relaxed));
        self.native.set(native);
    }

    /// The thread is at its end.
    pub(super) fn finish(&self) {
        self.set(DONE);
    }
}

/// A counted reference to a record.
pub(super) struct Shared(NonNull<Record>);

impl Shared {
    /// A record of a thread that was not started.
    pub(super) fn new() -> Result<Shared, NoMemory> {
        let memory = raw_malloc(size_of::<Record>()).cast::<Record>();
        let place = NonNull::new(memory).ok_or(NoMemory)?;
        let record = Record {
            references: AtomicUsize::new(1),
            progress: AtomicU32::new(NOT_STARTED),
            ident: Cell::new(0),
            daemon: Cell::new(true),
            adopted: Cell::new(false),
            native: Cell::new(Native::None),
            forks: Cell::new(0),
            next: Cell::new(ptr::null()),
            listed: Cell::new(false),
        };
        // SAFETY: the block has the struct's size.
        unsafe { place.write(record) };
        Ok(Shared(place))
    }

    pub(super) fn into_raw(self) -> *const Record {
        let raw = self.0.as_ptr();
        core::mem::forget(self);
        raw
    }

    /// # Safety
    /// `raw` came from `into_raw`, or was counted.
    pub(super) unsafe fn from_raw(raw: *const Record) -> Shared {
        // SAFETY: the caller's promise: not null.
        Shared(unsafe { NonNull::new_unchecked(raw.cast_mut()) })
    }
}

impl Clone for Shared {
    fn clone(&self) -> Shared {
        self.references.fetch_add(1, Ordering::Relaxed);
        Shared(self.0)
    }
}

impl core::ops::Deref for Shared {
    type Target = Record;
    fn deref(&self) -> &Record {
        // SAFETY: counted.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.references.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        if let Native::Joinable(thread) = self.native() {
            // SAFETY: the thread was neither joined nor let go before.
            unsafe { libc::pthread_detach(thread) };
        }
        // SAFETY: that was the last reference; nothing in it needs to be dropped.
        unsafe { raw_free(self.0.as_ptr().cast()) };
    }
}
