//! From source text to code objects, and code objects to bytes and back.
//!
//! | file | what |
//! |---|---|
//! | `compile` | source through the front end to a code object; its errors as SyntaxError |
//! | `marshal` | the format of `.pyc` files |
//! | `frozen` | the form of the frozen library, whose functions are read when they are first called |
//! | `words` | the names of the modules that every start reads, as static strings |

pub mod compile;
pub mod frozen;
pub mod marshal;
pub mod words;
