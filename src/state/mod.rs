//! The state of a running Python: [`Runtime`] > [`InterpreterState`] > [`ThreadState`].
//!
//! ```text
//!  Runtime (one per process)
//!    └── InterpreterState          heap, GIL, modules, builtins, types' mutable parts, collector
//!          └── ThreadState         current frame, raised exception, data stack, recursion limits
//! ```
//!
//! Whatever runs Python code is handed the current `&ThreadState`; holding one is the proof that the
//! GIL is held. Nothing of an interpreter is in a global variable.
//!
//! | file | what |
//! |---|---|
//! | `gil` | the lock, its hand-over |
//! | `gils` | where the locks of interpreters' own come from |
//! | `attach` | a thread takes and gives up a state; threads that come too late |
//! | `threads` | states are made and ended |
//! | `block` | their memory, which shares no line of the cache |
//! | `pending` | calls that wait for a thread |

pub mod attach;
pub(crate) mod block;
pub mod gil;
pub mod gils;
mod interpreter;
pub mod pending;
pub mod runtime;
mod thread;
pub mod threads;

pub use interpreter::{InterpreterState, StaticTypeState, Versions, Whence};
pub use runtime::Runtime;
pub use thread::{EvalBreaker, ExcInfo, ThreadState};
