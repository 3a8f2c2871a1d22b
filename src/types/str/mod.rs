//! `str`: immutable text, stored as narrowly as its widest character allows (PEP 393).
//!
//! ```text
//!  ASCII            ┌ ob_base ┬ length ┬ hash ┬ state ┐ data … NUL
//!  (compact)        └─────────┴────────┴──────┴───────┘ 1 byte per character
//!
//!  anything else    ┌ ob_base ┬ length ┬ hash ┬ state ┬ utf8_length ┬ utf8 ┐ data … NUL
//!  (compact)        └─────────┴────────┴──────┴───────┴─────────────┴──────┘ 1, 2 or 4 bytes per character
//!
//!  a subclass       ┌ … the same …                    ┬ utf8_length ┬ utf8 ┬ data pointer ┐ the subclass's own
//!  (not compact)    └─────────────────────────────────┴─────────────┴──────┴──────────────┘
//! ```
//!
//! Invariants:
//! I1: the width is the narrowest that holds every character, so equal strings have equal data.
//! I2: the data is followed by a zero unit.
//! I3: a string does not change once another reference to it can exist (but for the caches `hash` and `utf8`).
//! I4: the empty string and the 256 one-character Latin-1 strings exist once, as statics.
//! I5: an interned string is the only one of its text whose state says so, in its interpreter.

mod args;
mod builder;
mod case;
mod classify;
pub mod codec;
mod find;
mod format;
mod intern;
mod iter;
mod layout;
mod make;
mod pad;
mod percent;
mod raw;
mod relate;
mod repr;
pub(crate) mod search;
mod spec;
mod split;
mod statics;
mod translate;
mod units;

pub use builder::StrBuilder;
pub use format::{format_text, raise_message, raise_text_error};
pub use intern::{InternTable, intern_statics};
pub use iter::{PyStrIter, STR_ASCII_ITER_TYPE, STR_ITER_TYPE};
pub use layout::{Kind, PyStr, StrData};
pub use make::concat_in_place;
pub use percent::format_percent;
pub use repr::escape_non_ascii;
pub use spec::{STR_TYPE, decode_object, get_item};
pub use statics::{StaticStr, forget_static_hashes};

use crate::object::{PyObject, PyResult, Ref, StaticType};
use crate::state::ThreadState;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&STR_TYPE, &STR_ITER_TYPE, &STR_ASCII_ITER_TYPE];

/// `str(object)`.
pub fn str_of(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    crate::object::protocol::str(ts, object)
}
