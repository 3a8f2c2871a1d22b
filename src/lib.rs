//! Hognose: an embeddable Python 3.14 runtime whose every byte lives in a pluggable memory domain.
//!
//! The rooms, from the ground up (ARCHITECTURE.md draws them):
//!
//! | module | what |
//! |---|---|
//! | [`sync`] | threads and the operating system |
//! | [`state`] | runtime, interpreter, thread state |
//! | [`object`] | objects, types, references, calls, collection |
//! | [`text`] | number and format texts, without objects |
//! | [`tracemalloc`] | which line allocated what is alive |
//! | [`types`] | the built-in types |
//! | [`code`] | source to code objects, marshal |
//! | [`vm`] | frames and the evaluation loop |
//! | [`import`] | importing |
//! | [`modules`] | the native modules |
//! | [`config`] | status and configuration |
//! | [`lifecycle`] | initialization, running, finalization |
//! | [`capi`] | the C API |

pub mod capi;
pub mod code;
pub mod config;
pub mod import;
pub mod lifecycle;
pub mod modules;
#[macro_use]
pub mod object;
pub mod state;
pub mod sync;
pub mod text;
pub mod tracemalloc;
pub mod types;
pub mod vm;
