//! Running code objects.
//!
//! | file | what |
//! |---|---|
//! | `opcode` | instruction numbers, caches, validation |
//! | `datastack`, `frame` | where frames live, and what they are |
//! | `eval` | the evaluation loop |
//! | `evaluator` | a function of C in the loop's place (PEP 523) |
//! | `bind` | arguments into a new frame |
//! | `cache`, `specialize` | inline caches, and when an instruction becomes a special one |
//! | `monitoring/` | events for tools, trace and profile functions |
//! | `unwind` | exception handlers and tracebacks |
//! | `build`, `imports`, `matching`, `names`, `intrinsics` | what instructions do, where that is long |
//!
//! Python-to-Python calls push a frame and go on in the same loop: the native stack grows only where
//! native code calls Python code.

pub mod bind;
pub mod build;
pub mod cache;
pub mod datastack;
pub mod eval;
pub mod evaluator;
pub mod frame;
pub mod imports;
pub mod intrinsics;
pub mod matching;
pub mod monitoring;
pub mod names;
pub mod opcode;
pub mod specialize;
pub mod unwind;

pub use eval::{eval_code, eval_frame};
