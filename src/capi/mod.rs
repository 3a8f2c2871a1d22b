//! The C interface: every `extern "C"` function and nothing else, one file per header subject.
//!
//! A function checks its arguments, calls the runtime, and turns the result into C's convention.

pub mod config;
pub mod preconfig;
pub mod status;
