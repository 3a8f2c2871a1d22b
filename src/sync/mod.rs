//! Waiting, locking and the operating system's threads. Nothing here knows about Python objects.
//!
//! ```text
//!  Mutex (one byte)  ──► parking: a table of queues, by address     PyMutex, `_thread.lock`, the locks of streams
//!  RawLock (a word)  ──► futex                                      the runtime's own short sections
//! ```
//!
//! | what | who waits | fork |
//! |---|---|---|
//! | [`RawLock`] | a thread that needs a few instructions' worth of the runtime's lists; never while it waits for a GIL | taken before, free in both processes after |
//! | [`Mutex`] | whoever asks; the GIL is given up by the caller meanwhile | the queues are emptied in the child |
//!
//! Nothing is allocated: who waits has its place in a queue on its own stack.

/// Atomics, under a name by which `tests/models` puts a scheduler's in their place.
pub mod atomic {
    pub use core::sync::atomic::*;
}

pub mod futex;
mod lock;
mod mutex;
pub mod parking;
pub mod section;
mod system;

pub use lock::{Guard, Locked, RawLock};
pub use mutex::{Acquired, Mutex, NotLocked};
pub use system::{environment_variable, native_stack_bounds, native_thread_id, random_bytes, thread_ident};
