//! From nothing to a running Python and back: initialization, running a program, finalization.
//!
//! ```text
//!   nothing ──preinitialize──► allocator chosen ──initialize──► running ──finalize──► nothing
//! ```
//!
//! | file | what |
//! |---|---|
//! | `init` | the steps up, each undone when a later one fails |
//! | `finalize` | the steps down |
//! | `run` | what the command does: a script, a module, a command, standard input |
//! | `repl` | the interactive prompt |
//! | `subinterp` | sub-interpreters |
//! | `image` | what a sub-interpreter is copied from |
//! | `pending` | what the eval breaker asks for |
//! | `print`, `fatal`, `stacks` | exceptions, fatal errors and threads' stacks on standard error |
//! | `panics` | what becomes of a panic |
//! | `verbose` | what `-v` tells of start and end |
//! | `fork` | the runtime's locks and threads around a fork |
//! | `guards` | what keeps an interpreter from finalizing |
//! | `memstats` | the memory's figures: at the end, and in between |
//! | `leaks` | what is still alive at the end |
//! | `mallocstats` | the same as CPython prints them |
//! | `pressure` | what happens past a soft limit |

pub mod fatal;
pub mod finalize;
pub mod fork;
pub mod guards;
pub mod image;
pub mod init;
pub mod leaks;
pub mod mallocstats;
pub mod memstats;
pub mod panics;
pub mod pending;
pub mod pressure;
pub mod print;
pub mod repl;
pub mod run;
pub mod stacks;
pub mod subinterp;
pub mod verbose;

pub use finalize::finalize;
pub use init::initialize;
