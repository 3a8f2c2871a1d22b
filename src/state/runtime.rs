//! The one per process: what exists before and after interpreters.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::gil::Gil;
use super::interpreter::InterpreterState;
use super::pending::PendingCalls;
use crate::sync::RawLock;

/// The process-wide state. It is a static, because C calls can come before any initialization and after every
/// finalization, from threads that nobody can stop; everything in it is atomic or under a lock of its own.
pub struct Runtime {
    /// Pre-initialization is done.
    pub preinitialized: AtomicBool,
    /// `Py_IsInitialized`.
    pub initialized: AtomicBool,
    /// `Py_IsFinalizing`.
    pub finalizing: AtomicBool,
    /// The thread that finalizes: the only one that may attach while `epoch` is closed.
    pub finalizing_thread: AtomicU64,
    /// Odd while no thread may attach: before initialization, and from the cut-off in finalization on. Each life of
    /// the runtime has another number, by which a thread sees that its state belongs to an earlier one.
    pub epoch: AtomicU32,
    /// The main interpreter, or null.
    pub main_interpreter: AtomicPtr<InterpreterState>,
    /// The list of interpreters, the newest first. Changed under `states`.
    pub interpreters: AtomicPtr<InterpreterState>,
    /// The lists of interpreters and of thread states, and their members' lives.
    pub states: RawLock,
    /// How many thread states were ended by other threads than the one that had used them last.
    pub states_ended_elsewhere: AtomicU32,
    /// The main interpreter's GIL, and that of all that share it.
    pub gil: Gil,
    /// Held while a built-in type gets what all interpreters share.
    pub types: RawLock,
    /// Set when finalization begins to end the sub-interpreters that are left: no other is made from then on.
    pub no_more_interpreters: AtomicBool,
    /// What ended sub-interpreters have left alive in their heaps, in blocks.
    pub left_by_interpreters: AtomicU64,
    /// The thread that has initialized the runtime.
    pub main_thread: AtomicU64,
    /// What is to be called in the main thread.
    pub pending_calls: PendingCalls,
    /// What becomes of threads that come too late: `HOG_LATE_*`.
    pub late_thread_policy: AtomicU32,
    /// The next interpreter's id.
    pub next_interpreter_id: AtomicI64,
    /// The next thread state's id.
    pub next_thread_id: AtomicU64,
    /// The key of string and bytes hashing (SipHash), set by pre-initialization.
    pub hash_key: [AtomicU64; 2],
    /// How many built-in types have an index so far.
    pub static_type_count: AtomicU32,
    /// Signals that have arrived, as a bit set of numbers 1 to 64.
    pub signals_pending: AtomicU64,
}

/// The process's runtime.
pub static RUNTIME: Runtime = Runtime {
    preinitialized: AtomicBool::new(false),
    initialized: AtomicBool::new(false),
    finalizing: AtomicBool::new(false),
    finalizing_thread: AtomicU64::new(0),
    epoch: AtomicU32::new(1),
    main_interpreter: AtomicPtr::new(ptr::null_mut()),
    interpreters: AtomicPtr::new(ptr::null_mut()),
    states: RawLock::new(),
    states_ended_elsewhere: AtomicU32::new(0),
    gil: Gil::new(),
    types: RawLock::new(),
    no_more_interpreters: AtomicBool::new(false),
    left_by_interpreters: AtomicU64::new(0),
    main_thread: AtomicU64::new(0),
    pending_calls: PendingCalls::new(),
    late_thread_policy: AtomicU32::new(0),
    next_interpreter_id: AtomicI64::new(0),
    next_thread_id: AtomicU64::new(1),
    hash_key: [AtomicU64::new(0), AtomicU64::new(0)],
    static_type_count: AtomicU32::new(0),
    signals_pending: AtomicU64::new(0),
};

impl Runtime {
    /// The process's runtime.
    #[inline(always)]
    pub fn get() -> &'static Runtime {
        &RUNTIME
    }

    /// The key of string hashing.
    #[inline]
    pub fn hash_key(&self) -> [u64; 2] {
        [self.hash_key[0].load(Ordering::Relaxed), self.hash_key[1].load(Ordering::Relaxed)]
    }

    /// Whether the calling thread is the one that has initialized the runtime.
    pub fn is_main_thread(&self) -> bool {
        self.main_thread.load(Ordering::Relaxed) == crate::sync::thread_ident()
    }

    /// Lets threads attach: a life of the runtime begins.
    pub(crate) fn open(&self) {
        let _states = self.states.lock();
        debug_assert!(is_closed(self.epoch.load(Ordering::Relaxed)));
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Lets no thread attach any more but the calling one, which holds the GIL; returns the new epoch.
    pub(crate) fn close(&self) -> u32 {
        let _states = self.states.lock();
        self.finalizing_thread.store(crate::sync::thread_ident(), Ordering::Release);
        let epoch = self.epoch.load(Ordering::Relaxed);
        if is_closed(epoch) {
            return epoch;
        }
        self.epoch.store(epoch + 1, Ordering::Release);
        epoch + 1
    }
}

/// Whether an epoch is one in which no thread may attach.
#[inline]
pub fn is_closed(epoch: u32) -> bool {
    epoch & 1 != 0
}
