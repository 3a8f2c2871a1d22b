//! Configuration: what the runtime is told before it runs.
//!
//! ```text
//!   environment ─┐                      ┌─> preconfig  (allocator, LC_CTYPE, UTF-8 mode)
//!   command line ┼─> table of options ──┤
//!   C globals ───┘   (one row each)     └─> config     (everything else)
//!                                              │
//!                                       paths ─┴─> runtime
//! ```
//!
//! Two steps, because text cannot be decoded and blocks cannot be freed before the first is done:
//! pre-initialization ([`preinitialize`]) settles the locale, the UTF-8 mode and the allocator and
//! allocates nothing; reading ([`PyConfig::read`]) settles the rest.
//!
//! Invariants:
//! 1. Every field of [`PyConfig`] and [`PyPreConfig`] has exactly one row in [`table::OPTIONS`]; defaults,
//!    environment, command line, help, copying and clearing go through the rows.
//! 2. Every string belongs to the raw domain and is owned by the field that holds it.
//! 3. Pre-initialization happens at most once between two finalizations and allocates no memory.
//! 4. Nothing here but `runtime` needs a thread state, a Python object or a lock held by the caller.
//!
//! Errors are a [`PyStatus`], which is the `Err` of [`StatusResult`].

pub mod args;
#[allow(clippy::module_inception, reason = "the file is named for the C struct that it implements")]
pub mod config;
pub mod env;
pub mod help;
pub mod initconfig;
pub mod layout;
pub mod legacy;
pub mod locale;
pub mod output;
pub mod paths;
pub mod preconfig;
pub mod preset;
pub mod runtime;
pub mod status;
pub mod strings;
pub mod table;

mod cmdline;
mod read;
mod special;

pub use args::Args;
pub use layout::{ConfigKind, PyConfig, PyPreConfig};
pub use preconfig::{forget_preinitialization, preinitialize, preinitialized, utf8_mode};
pub use status::{PyStatus, StatusResult};
pub use strings::{PyWideStringList, WChar, WideString};
