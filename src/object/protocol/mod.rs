//! What can be done with any object: the operations behind operators, built-in functions and the abstract C API.
//!
//! | file | operations |
//! |---|---|
//! | `basic` | repr, str, hash, truth, comparison, isinstance, format, dir |
//! | `number` | unary and binary operators, conversions to numbers |
//! | `sequence` | length, items, containment, iteration |

mod basic;
mod number;
mod sequence;

pub use basic::*;
pub use number::*;
pub use sequence::*;
