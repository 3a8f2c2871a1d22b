//! From source text to code objects, and code objects to bytes and back.
//!
//! | file | what |
//! |---|---|
//! | `compile` | source through the front end to a code object; its errors as SyntaxError |
//! | `marshal` | the format of `.pyc` files and of the frozen library |

pub mod compile;
pub mod marshal;
