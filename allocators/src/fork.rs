//! What has to be done around `fork`.
//!
//! A heap belongs to a GIL; it is whole in the child if the forking thread holds that GIL. What several
//! threads share (tables, the registry of heaps, the reserved range) is locked over the fork, so the
//! child never finds it half changed by a thread that it does not have.

use crate::{guard, heap, raw, stack, table};

/// Takes the crate's locks. To be followed, in the same thread, by one of the two calls below.
pub fn before_fork() {
    table::WRITER.acquire();
    heap::registry::HEAPS.acquire();
    heap::arena::RESERVE.acquire();
    guard::POOL.acquire();
}

/// Releases the locks in the process that called `fork`, also when `fork` failed.
pub fn after_fork_parent() {
    guard::POOL.release();
    heap::arena::RESERVE.release();
    heap::registry::HEAPS.release();
    table::WRITER.release();
}

/// Releases the locks in the child, and takes over the counters of the threads that it does not have.
pub fn after_fork_child() {
    after_fork_parent();
    heap::registry::forget_lookers_after_fork();
    raw::adopt_shards_after_fork();
    stack::forget_threads_after_fork();
}
