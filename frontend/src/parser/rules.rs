//! The rules of `grammar/python.peg` as functions.

// The build script writes what is regular, not what is short.
#![allow(
    unused_labels,
    unreachable_code,
    unused_variables,
    unused_mut,
    unused_assignments,
    clippy::all,
    clippy::pedantic
)]

use super::errors::Targets;
use super::{Found, NIL, Parser, optional};
use crate::tokenizer::kind;
use crate::tree::{Const, Kind, Value};

include!(concat!(env!("OUT_DIR"), "/grammar.rs"));
