//! The one per process: what exists before and after interpreters.

use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::interpreter::InterpreterState;

/// The process-wide state. It is a static, because C calls can come before any initialization; everything
/// in it is atomic or written while the process has one thread in the runtime.
pub struct Runtime {
    /// Pre-initialization is done.
    pub preinitialized: AtomicBool,
    /// `Py_IsInitialized`.
    pub initialized: AtomicBool,
    /// `Py_IsFinalizing`.
    pub finalizing: AtomicBool,
    /// The main interpreter, or null.
    pub main_interpreter: AtomicPtr<InterpreterState>,
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
    main_interpreter: AtomicPtr::new(core::ptr::null_mut()),
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
}
