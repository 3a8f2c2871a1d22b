//! Models of the runtime's waiting.
//!
//! The sources of the locks and of the GIL, as they are, over the atomics and threads of a scheduler that tries one
//! interleaving after another. Only what is below them is a model: the futex ([`sync::futex`]), a clock that goes on
//! with each look, and a thread state of one field.
//!
//! ```text
//!  src/sync/{lock,mutex,parking}.rs   src/state/gil.rs        the runtime's files
//!  ─────────────────────────────────────────────────
//!  atomics, threads: the scheduler's  futex: `sync/futex.rs`   the model's
//! ```
//!
//! The scheduler's memory is sequentially consistent: what a weaker order would allow is not tried.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, which no domain counts")]

pub mod state;
pub mod sync;
