//! `-v`: what is told of start and end on standard error. What importing tells, importlib itself says.

use core::fmt::{Arguments, Write};

use crate::config::output::Output;
use crate::state::ThreadState;

/// Writes a line, with `-v` once for level 1 and twice for level 2.
#[inline]
pub fn note(ts: &ThreadState, level: i32, line: Arguments<'_>) {
    if ts.interp().config().verbose >= level {
        write(line);
    }
}

#[cold]
fn write(line: Arguments<'_>) {
    // Writing to `Output` cannot fail.
    let _ = writeln!(Output::stderr(), "{line}");
}
