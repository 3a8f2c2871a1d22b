//! `_contextvars`: contexts, their variables, and the tokens that undo a setting.
//!
//! ```text
//!  ThreadState.context ──► PyContext ──► PyDict { var: value, … }   copied before it is changed, if anyone else has it
//!                              │ previous
//!                              ▼
//!                          the context that was entered before
//! ```
//!
//! Copying a context copies nothing: both share the dict until one of them sets a variable. What iterates over a context
//! shares it as well, and so walks over the context as it was.

pub mod context;
pub mod token;
pub mod var;

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, ready};
use crate::state::ThreadState;
use crate::types::module::PyModule;

pub use context::PyContext;
pub use token::PyToken;
pub use var::PyContextVar;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_contextvars",
    doc: "Context Variables",
    methods: &[MethodDef::no_args(
        "copy_context",
        |ts, _| Ok(context::copy_current(ts)?.into_object()),
        "copy_context($module, /)\n--\n\nA copy of the current context.",
    )],
    types: &[&context::CONTEXT_TYPE, &var::CONTEXT_VAR_TYPE, &token::TOKEN_TYPE],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, _module: &PyModule) -> crate::object::PyResult<()> {
    ready::ready_static(ts, &token::MISSING_TYPE)
}
