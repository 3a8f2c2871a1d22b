//! `-X importtime`: how long each import takes, one line on standard error when it ends.
//!
//! ```text
//! import time: self [us] | cumulative | imported package
//! import time:       121 |        121 |   _io
//! import time:       940 |       1061 | io
//! ```
//!
//! A module's own time is its whole time without that of the imports that it began; it stands two columns to the right
//! of the one that has imported it. Level 2 tells of modules too that were there already.

use core::cell::Cell;
use core::fmt::Write;

use crate::config::output::Output;
use crate::state::ThreadState;
use crate::sync::futex;
use crate::types::str::PyStr;

/// What an interpreter keeps for it.
#[derive(Default)]
pub struct ImportTimes {
    /// The line above the columns is written.
    headed: Cell<bool>,
    /// How many imports go on inside one another.
    depth: Cell<usize>,
    /// The whole time of the imports that have ended in the present one, in nanoseconds.
    inner: Cell<i64>,
}

fn head(ts: &ThreadState, out: &mut Output) {
    if !ts.interp().import_times.headed.replace(true) {
        // Writing to `Output` cannot fail.
        let _ = out.write_str("import time: self [us] | cumulative | imported package\n");
    }
}

/// Two columns for each import around it, then the name.
fn name(ts: &ThreadState, out: &mut Output, name: &PyStr) {
    let depth = ts.interp().import_times.depth.get();
    // As above.
    let _ = writeln!(out, "{:width$}{name}", "", width = depth * 2);
}

/// Whole microseconds; what is less than one is one.
fn microseconds(nanoseconds: i64) -> i64 {
    nanoseconds.max(0).saturating_add(999) / 1000
}

/// Runs an import, and tells how long it took if that is wanted. A failed one counts too.
pub(super) fn measured<R>(ts: &ThreadState, module: &PyStr, import: impl FnOnce() -> R) -> R {
    if ts.interp().config().import_time <= 0 {
        return import();
    }
    let times = &ts.interp().import_times;
    head(ts, &mut Output::stderr());
    let outer = times.inner.replace(0);
    times.depth.set(times.depth.get() + 1);
    let begin = futex::now();
    let result = import();
    let whole = futex::now() - begin;
    times.depth.set(times.depth.get().saturating_sub(1));
    let own = whole - times.inner.get();
    times.inner.set(outer + whole);
    let mut out = Output::stderr();
    // As above.
    let _ = write!(out, "import time: {:9} | {:10} | ", microseconds(own), microseconds(whole));
    name(ts, &mut out, module);
    result
}

/// Tells of an import of what was there already, at level 2.
pub(super) fn found(ts: &ThreadState, module: &PyStr) {
    if ts.interp().config().import_time == 2 {
        let mut out = Output::stderr();
        head(ts, &mut out);
        // As above.
        let _ = out.write_str("import time: cached    | cached     | ");
        name(ts, &mut out, module);
    }
}
