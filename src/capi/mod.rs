//! The C API: every `extern "C"` symbol, one file per header in `include/`.
//!
//! A function here checks its arguments, calls the runtime, and turns the result into C's convention: null
//! or -1 with an exception set. [`border`] has the other direction: C functions called by the runtime.

pub mod convert;

pub mod abstract_;
pub mod boolobject;
pub mod border;
pub mod build_value;
pub mod bytearrayobject;
pub mod bytesobject;
pub mod ceval;
pub mod codecs;
pub mod config;
pub mod containers;
pub mod datetime;
pub mod dictobject;
pub mod evalframe;
pub mod floatobject;
pub mod fork;
pub mod format;
pub mod gilstate;
pub mod hognose;
pub mod import;
pub mod initconfig;
pub mod interpguard;
pub mod legacy_init;
pub mod listobject;
pub mod lock;
pub mod longobject;
pub mod memoryobject;
pub mod methodobject;
pub mod moduleobject;
pub mod object;
pub mod objimpl;
pub mod parse_args;
pub mod pending;
pub mod picklebufobject;
pub mod preconfig;
pub mod pyerrors;
pub mod pylifecycle;
pub mod pymem;
pub mod pystate;
pub mod pythonrun;
pub mod pythread;
pub mod pytime;
pub mod reftrace;
pub mod setobject;
pub mod status;
pub mod sysmodule;
pub mod traceback;
pub mod tracemalloc;
pub mod tracing;
pub mod tupleobject;
pub mod unicodeobject;
pub mod variadic;
pub mod variadic_args;
