//! As in the runtime, but for the thread state.

#[path = "../../../../src/state/gil.rs"]
pub mod gil;

/// What the GIL knows of a thread state.
pub mod thread {
    use crate::sync::atomic::{AtomicU32, Ordering};

    /// The requests to a thread.
    #[derive(Default)]
    pub struct EvalBreaker(AtomicU32);

    impl EvalBreaker {
        /// Another thread wants the GIL.
        pub const DROP_GIL: u32 = 1;

        /// Adds a request.
        pub fn set(&self, bit: u32) {
            self.0.fetch_or(bit, Ordering::AcqRel);
        }

        /// Removes a request; tells whether it was there.
        pub fn clear(&self, bit: u32) -> bool {
            self.0.fetch_and(!bit, Ordering::AcqRel) & bit != 0
        }
    }

    /// A thread state.
    #[derive(Default)]
    pub struct ThreadState {
        /// The requests.
        pub eval_breaker: EvalBreaker,
    }
}
