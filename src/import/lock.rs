//! The import lock: held around what must not happen to `sys.modules` twice at a time. A thread may take it again.

use core::cell::Cell;

use crate::state::{ThreadState, attach};
use crate::sync::{Mutex, thread_ident};

/// An interpreter's import lock. Its fields are changed under the GIL.
pub struct ImportLock {
    mutex: Mutex,
    owner: Cell<u64>,
    depth: Cell<usize>,
}

impl ImportLock {
    /// A free lock.
    pub const fn new() -> ImportLock {
        ImportLock { mutex: Mutex::new(), owner: Cell::new(0), depth: Cell::new(0) }
    }

    /// Whether some thread has the lock.
    pub fn is_held(&self) -> bool {
        self.depth.get() != 0
    }

    /// Takes the lock, once more if it is this thread's; lets the GIL go while it waits.
    pub fn acquire(&self, ts: &ThreadState) {
        let me = thread_ident();
        if self.depth.get() == 0 || self.owner.get() != me {
            if !self.mutex.try_lock() {
                attach::without_gil(ts, || self.mutex.lock_until(None, false));
            }
            self.owner.set(me);
        }
        self.depth.set(self.depth.get() + 1);
    }

    /// Releases the lock once; false when it is not this thread's.
    pub fn release(&self) -> bool {
        if self.depth.get() == 0 || self.owner.get() != thread_ident() {
            return false;
        }
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 {
            self.owner.set(0);
            // The thread has it: it cannot be unlocked already.
            let _ = self.mutex.unlock();
        }
        true
    }

    /// Frees the lock when its thread is gone: in a forked child, or in finalization.
    pub fn free_of_others(&self) {
        if self.depth.get() != 0 && self.owner.get() != thread_ident() {
            self.depth.set(0);
            self.owner.set(0);
            self.mutex.reset();
        }
    }
}

impl Default for ImportLock {
    fn default() -> ImportLock {
        ImportLock::new()
    }
}
