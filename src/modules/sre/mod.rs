//! `_sre`: the native half of `re`.
//!
//! `engine` matches; it knows text and compiled code, and no Python objects.

pub mod engine;
