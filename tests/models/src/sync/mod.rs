//! As in the runtime, over the scheduler's atomics and the model's futex.

/// The scheduler's atomics.
pub mod atomic {
    pub use shuttle::sync::atomic::*;
}

pub mod futex;
#[path = "../../../../src/sync/lock.rs"]
mod lock;
#[path = "../../../../src/sync/mutex.rs"]
mod mutex;
#[path = "../../../../src/sync/parking.rs"]
pub mod parking;

pub use lock::{Held, Locked, RawLock};
pub use mutex::{Acquired, Mutex, NotLocked};
