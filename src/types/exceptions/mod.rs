//! The built-in exceptions: what they are, how they are raised, and what is ready when memory is not.
//!
//! | file | what |
//! |---|---|
//! | `hierarchy` | every exception type, in one table, and C's `PyExc_*` variables |
//! | `base` | BaseException and all that adds no field to it; MemoryError's stock |
//! | `fields` | macros for the families that add fields |
//! | `simple` | StopIteration, SystemExit, KeyError, ImportError, NameError, AttributeError |
//! | `os_error` | OSError and the choice of its subclass by errno |
//! | `syntax` | SyntaxError |
//! | `unicode` | the Unicode errors |
//! | `group` | BaseExceptionGroup and ExceptionGroup, `except*` |
//! | `raise` | raising: contexts, ready-made errors |
//! | `unraisable` | errors that nobody can receive: `sys.unraisablehook` |
//!
//! ```text
//!  ┌───────────┬──────┬──────┬───────┬───────────┬─────────┬───────┬──────────────────┬──────────────┐
//!  │ ob_base   │ dict │ args │ notes │ traceback │ context │ cause │ suppress_context │ the family's │
//!  └───────────┴──────┴──────┴───────┴───────────┴─────────┴───────┴──────────────────┴──────────────┘
//! ```
//!
//! I1: a MemoryError in the stock is untracked, and linked to the next one through `notes`, which is
//!     otherwise unused (the notes themselves are the attribute `__notes__`).
//! I2: an interpreter between `prepare_spare` and `drop_spare` has at least one MemoryError in its stock.

mod base;
mod fields;
mod group;
mod hierarchy;
mod os_error;
mod raise;
mod simple;
mod syntax;
mod unicode;
mod unraisable;

pub use base::PyBaseException;
pub use group::{PyBaseExceptionGroup, prepare_reraise_star};
pub use hierarchy::*;
pub use os_error::{PyOSError, raise_os_error, raise_os_error_with};
pub use raise::{
    add_attribute_context, add_name_context, drop_spare, end_of_iteration, import_error, instantiate,
    missing_exception, name_error, new_import_error, normalize, prepare_spare, raise, raise_key_error, raise_no_memory,
    raise_stop_iteration, raise_type, raise_with, set_context, spare_count, stop_iteration_value,
};
pub use simple::{PyAttributeError, PyImportError, PyNameError, PyStopIteration, PySystemExit};
pub use syntax::PySyntaxError;
pub use unicode::PyUnicodeError;
pub use unraisable::{
    UNRAISABLE_ARGS_TYPE, default_unraisablehook, write_unraisable, write_unraisable_in, write_unraisable_message,
};

pub use crate::modules::_warnings::warn;
