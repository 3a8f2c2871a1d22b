//! The C API: every `extern "C"` symbol, one file per header in `include/`.
//!
//! A function here checks its arguments, calls the runtime, and turns the result into C's convention: null
//! or -1 with an exception set. [`border`] has the other direction: C functions called by the runtime.

pub mod border;
pub mod config;
pub mod preconfig;
pub mod status;
