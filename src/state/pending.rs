//! Calls that wait for a thread to make them (`Py_AddPendingCall`).

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use super::thread::EvalBreaker;
use crate::sync::Locked;

/// How many calls a queue holds.
pub const CAPACITY: usize = 32;

/// A function that is to be called: 0, or -1 with an exception set.
pub type PendingFn = unsafe extern "C" fn(*mut c_void) -> c_int;

struct Queue {
    calls: [(Option<PendingFn>, *mut c_void); CAPACITY],
    first: usize,
    count: usize,
    /// Whose attention a call is brought to; null while nobody makes calls. It is alive: its thread takes it back under
    /// the lock before it ends.
    breaker: *const EvalBreaker,
    /// A call is being made: no other is begun meanwhile.
    busy: bool,
}

/// A queue of calls. Any thread adds, with a GIL or without; the thread or the interpreter that it belongs to takes out.
pub struct PendingCalls {
    queue: Locked<Queue>,
    /// `count`, for a look without the lock.
    waiting: AtomicU32,
}

impl PendingCalls {
    /// An empty queue that belongs to nobody yet.
    pub const fn new() -> PendingCalls {
        PendingCalls {
            queue: Locked::new(Queue {
                calls: [(None, ptr::null_mut()); CAPACITY],
                first: 0,
                count: 0,
                breaker: ptr::null(),
                busy: false,
            }),
            waiting: AtomicU32::new(0),
        }
    }

    /// Says who makes the calls; null: nobody. What waits is forgotten in that case.
    pub fn belong_to(&self, breaker: *const EvalBreaker) {
        let mut queue = self.queue.lock();
        queue.breaker = breaker;
        queue.busy = false;
        if breaker.is_null() {
            queue.count = 0;
            self.waiting.store(0, Ordering::Relaxed);
        }
    }

    /// Adds a call; false when the queue is full or belongs to nobody.
    pub fn add(&self, function: PendingFn, argument: *mut c_void) -> bool {
        let mut queue = self.queue.lock();
        if queue.count == CAPACITY || queue.breaker.is_null() {
            return false;
        }
        let at = (queue.first + queue.count) % CAPACITY;
        queue.calls[at] = (Some(function), argument);
        queue.count += 1;
        self.waiting.store(queue.count as u32, Ordering::Release);
        // SAFETY: see `Queue::breaker`.
        unsafe { (*queue.breaker).set(EvalBreaker::PENDING_CALLS) };
        true
    }

    /// Whether there are calls.
    #[inline]
    pub fn any(&self) -> bool {
        self.waiting.load(Ordering::Acquire) != 0
    }

    /// Makes the calls that wait, but not those that come meanwhile; false when one has failed. Those behind it wait
    /// on. Does nothing while a call is being made.
    pub fn make(&self) -> bool {
        let mut left = {
            let mut queue = self.queue.lock();
            if queue.busy {
                return true;
            }
            queue.busy = queue.count != 0;
            queue.count
        };
        let mut succeeded = true;
        while left > 0 && succeeded {
            let call = {
                let mut queue = self.queue.lock();
                if queue.count == 0 {
                    break;
                }
                let call = queue.calls[queue.first];
                queue.first = (queue.first + 1) % CAPACITY;
                queue.count -= 1;
                self.waiting.store(queue.count as u32, Ordering::Relaxed);
                call
            };
            left -= 1;
            if let (Some(function), argument) = call {
                // SAFETY: whoever added the call has promised that it may be made with a thread state attached.
                succeeded = unsafe { function(argument) } == 0;
            }
        }
        let mut queue = self.queue.lock();
        queue.busy = false;
        if queue.count != 0
            // SAFETY: see `Queue::breaker`.
            && let Some(breaker) = unsafe { queue.breaker.as_ref() }
        {
            breaker.set(EvalBreaker::PENDING_CALLS);
        }
        succeeded
    }

    /// Before a fork.
    pub fn before_fork(&self) {
        self.queue.lock.acquire();
    }

    /// After a fork, in the process that has forked.
    pub fn after_fork_in_parent(&self) {
        self.queue.lock.release();
    }

    /// After a fork, in the child.
    pub fn after_fork_in_child(&self) {
        self.queue.lock.reset();
    }
}

impl Default for PendingCalls {
    fn default() -> PendingCalls {
        PendingCalls::new()
    }
}
