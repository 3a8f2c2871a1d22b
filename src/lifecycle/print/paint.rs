//! Colours of reports on a terminal: those of the module `traceback`, which asks `_colorize` for them. Here the same
//! questions are asked without a Python module, so that a report costs no import.

use core::ffi::CStr;

use super::Sink;
use crate::id;
use crate::object::{PyObject, PyResult, attr, call, protocol};
use crate::state::ThreadState;
use crate::sync::environment_variable;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// What stands before each part of a report, and behind it.
#[derive(Clone, Copy)]
pub struct Paint {
    /// A file's name.
    pub filename: &'static str,
    /// A line's number.
    pub line: &'static str,
    /// A function's name.
    pub frame: &'static str,
    /// What is pointed at.
    pub highlight: &'static str,
    /// What is around it, and belongs to the failing expression.
    pub range: &'static str,
    /// The exception's class.
    pub class: &'static str,
    /// Its message.
    pub message: &'static str,
    /// Back to plain text.
    pub reset: &'static str,
}

impl Paint {
    /// No colours.
    pub const PLAIN: Paint =
        Paint { filename: "", line: "", frame: "", highlight: "", range: "", class: "", message: "", reset: "" };

    const COLOURED: Paint = Paint {
        filename: "\x1b[35m",
        line: "\x1b[35m",
        frame: "\x1b[35m",
        highlight: "\x1b[1;31m",
        range: "\x1b[31m",
        class: "\x1b[1;35m",
        message: "\x1b[35m",
        reset: "\x1b[0m",
    };

    /// The colours for what is written to a sink.
    pub fn of(ts: &ThreadState, sink: &Sink) -> Paint {
        let Sink::File(file) = sink else { return Paint::PLAIN };
        match wants_colours(ts, file) {
            Ok(true) => Paint::COLOURED,
            Ok(false) => Paint::PLAIN,
            Err(raised) => {
                // A file that cannot say what it is gets plain text.
                ts.clear_raised(raised);
                Paint::PLAIN
            }
        }
    }
}

fn wants_colours(ts: &ThreadState, file: &PyObject) -> PyResult<bool> {
    let is_set = |name: &CStr| environment_variable(name).is_some_and(|value| !value.is_empty());
    let is = |name: &CStr, wanted: &CStr| environment_variable(name) == Some(wanted);
    if ts.interp().config().use_environment != 0 {
        if is(c"PYTHON_COLORS", c"0") {
            return Ok(false);
        }
        if is(c"PYTHON_COLORS", c"1") {
            return Ok(true);
        }
    }
    if is_set(c"NO_COLOR") {
        return Ok(false);
    }
    if is_set(c"FORCE_COLOR") {
        return Ok(true);
    }
    if is(c"TERM", c"dumb") {
        return Ok(false);
    }
    let Some(fileno) = attr::get_opt(ts, file, id!(fileno))? else { return Ok(false) };
    let number = match call::call0(ts, &fileno) {
        Ok(number) => number,
        Err(raised) => {
            if !ts.raised_matches(&exc::OSError) {
                return Err(raised);
            }
            ts.clear_raised(raised);
            let isatty = PyStr::intern(ts, "isatty")?;
            let Some(isatty) = attr::get_opt(ts, file, &isatty)? else { return Ok(false) };
            return protocol::is_true(ts, &*call::call0(ts, &isatty)?);
        }
    };
    let fd = protocol::as_i32(ts, &number)?;
    // SAFETY: only looks at the descriptor.
    Ok(unsafe { libc::isatty(fd) } == 1)
}
