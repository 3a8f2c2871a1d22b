//! Printing exceptions, natively, so that it works at start-up, in finalization and with next to no memory.
//!
//! | file | what |
//! |---|---|
//! | `chain` | an exception's report: chains, groups, messages, notes, syntax errors |
//! | `stack`, `anchors`, `source` | a traceback's entries, what they point at, the lines of source text |
//! | `paint` | colours, and whether they are wanted |
//! | `suggest` | "Did you mean" |
//!
//! The text of a whole report is made first and written then. What is left without memory is the
//! exception's name, straight to the file descriptor.

mod anchors;
mod chain;
mod paint;
mod source;
mod stack;
mod suggest;

use core::fmt::Write as _;

use crate::config::output::Output;
use crate::id;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, call, protocol};
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException, PySystemExit};
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::traceback::PyTraceback;

pub use exc::default_unraisablehook as display_unraisable;
pub use paint::Paint;
pub use source::remember_source;
pub use stack::{Detail, push_stack};
pub use suggest::suggest;

/// Where reports go.
pub enum Sink {
    /// A Python file.
    File(PyRef),
    /// The file descriptor, while there is no `sys.stderr`.
    Descriptor,
    /// Nowhere: `sys.stderr` is None.
    Nothing,
}

impl Sink {
    /// `sys.stderr`, or what stands in for it.
    pub fn stderr(ts: &ThreadState) -> Sink {
        match source::sys_value(ts, id!(stderr)) {
            Ok(Some(file)) if is_none(&file) => Sink::Nothing,
            Ok(Some(file)) => Sink::File(file),
            Ok(None) => Sink::Descriptor,
            Err(raised) => {
                ts.clear_raised(raised);
                Sink::Descriptor
            }
        }
    }

    /// Writes a text.
    pub fn write(&self, ts: &ThreadState, text: &PyStr) -> PyResult<()> {
        match self {
            Sink::File(file) => call::call_method(ts, file, id!(write), &[text.as_object()]).map(drop),
            Sink::Descriptor => {
                let mut output = Output::stderr();
                for ch in text.chars() {
                    // As the error handler of the stream would do it.
                    let _ = match char::from_u32(ch) {
                        Some(ch) => output.write_char(ch),
                        None => write!(output, "\\u{ch:04x}"),
                    };
                }
                Ok(())
            }
            Sink::Nothing => Ok(()),
        }
    }

    /// Writes out what the file holds back; failures are nobody's business.
    pub fn flush(&self, ts: &ThreadState) {
        if let Sink::File(file) = self {
            flush(ts, file);
        }
    }

    fn write_str(&self, ts: &ThreadState, text: &str) -> PyResult<()> {
        let text = PyStr::new(ts, text)?;
        self.write(ts, &text)
    }
}

fn flush(ts: &ThreadState, file: &PyObject) {
    if let Err(raised) = call::call_method(ts, file, id!(flush), &[]) {
        ts.clear_raised(raised);
    }
}

/// Flushes `sys.stdout`, so that the report stands behind what was printed before it.
pub fn flush_stdout(ts: &ThreadState) {
    match source::sys_value(ts, id!(stdout)) {
        Ok(Some(file)) if !is_none(&file) => flush(ts, &file),
        Ok(_) => {}
        Err(raised) => ts.clear_raised(raised),
    }
}

/// Appends a line of a file, stripped and indented, as reports of warnings have it; nothing when there is none.
pub fn push_source_line(ts: &ThreadState, out: &mut StrBuilder, filename: &PyStr, line: i32) -> PyResult<()> {
    let filename = Ref::from_borrowed(filename);
    let Some(line) = source::Sources::new().line(ts, &filename, line)? else { return Ok(()) };
    let start = line.iter().take_while(|ch| source::is_space(**ch)).count();
    if start == line.len() {
        return Ok(());
    }
    out.push_str("  ")?;
    for ch in &line[start..] {
        out.push_char(*ch)?;
    }
    Ok(out.push_str("\n")?)
}

/// The report of an exception as text, as the module `traceback` would format it.
pub fn format_exception(ts: &ThreadState, error: &PyObject) -> PyResult<Ref<PyStr>> {
    chain::Report::of(ts, error, Paint::PLAIN)
}

/// Prints an exception to `sys.stderr`, past `sys.excepthook` (`PyErr_DisplayException`). When that fails,
/// the exception is named on the file descriptor at least, and the failure is passed on.
pub fn print_exception(ts: &ThreadState, error: &PyObject) -> PyResult<()> {
    let sink = Sink::stderr(ts);
    let printed = chain::Report::of(ts, error, Paint::of(ts, &sink)).and_then(|text| sink.write(ts, &text));
    if printed.is_err() && !matches!(sink, Sink::Nothing) {
        raw_fallback(error);
    }
    if let Err(raised) = printed {
        // Flushing must not meet a raised exception.
        let failure = ts.take_raised(raised);
        sink.flush(ts);
        return Err(ts.restore_raised(failure));
    }
    sink.flush(ts);
    Ok(())
}

/// [`print_exception`] where a failure is nobody's business.
fn show(ts: &ThreadState, error: &PyObject) {
    if let Err(raised) = print_exception(ts, error) {
        ts.clear_raised(raised);
    }
}

/// Writes a text to `sys.stderr`; failures are nobody's business.
pub fn write_to_stderr(ts: &ThreadState, text: &PyStr) {
    let sink = Sink::stderr(ts);
    if let Err(raised) = sink.write(ts, text) {
        ts.clear_raised(raised);
    }
    sink.flush(ts);
}

/// Names an exception on the file descriptor, when nothing else is possible any more.
pub(crate) fn raw_fallback(error: &PyObject) {
    let _ = writeln!(Output::stderr(), "{}", error.ob_type().name());
}

/// `sys.excepthook`'s default (`PyErr_Display`).
pub fn display(ts: &ThreadState, value: &PyObject, traceback: &PyObject) -> PyResult<()> {
    let Some(error) = value.downcast::<PyBaseException>() else {
        let mut text = StrBuilder::new();
        text.push_str("TypeError: print_exception(): Exception expected for value, ")?;
        text.push_str(value.type_name())?;
        text.push_str(" found\n")?;
        let text = text.finish(ts)?;
        return Sink::stderr(ts).write(ts, &text);
    };
    if traceback.is_a::<PyTraceback>() && !error.traceback.is_some() {
        error.traceback.set(Some(traceback.new_ref()));
    }
    show(ts, value);
    Ok(())
}

/// The status that a SystemExit asks for, after printing what it has to say; None, and nothing done, when
/// the raised exception is no SystemExit, or the program is to be inspected after its end (`-i`).
pub fn handle_system_exit(ts: &ThreadState) -> Option<i32> {
    let is_exit = ts.raised_matches(&exc::SystemExit);
    if !is_exit || ts.interp().config().inspect != 0 {
        return None;
    }
    let error = ts.current_exception.take()?;
    Some(system_exit_status(ts, &error))
}

/// The status that a SystemExit asks for: its code if that is a number, 0 for None, and 1 for anything else,
/// which is printed.
pub fn system_exit_status(ts: &ThreadState, error: &PyObject) -> i32 {
    flush_stdout(ts);
    let code = error.downcast::<PySystemExit>().and_then(|exit| exit.code.get());
    let Some(code) = code.filter(|code| !is_none(code)) else { return 0 };
    if let Some(number) = code.downcast::<PyInt>() {
        // As C does it: a number that does not fit is -1.
        return number.as_i64().map_or(-1, |number| number as i32);
    }
    let sink = Sink::stderr(ts);
    let written = protocol::str(ts, &code).and_then(|text| {
        sink.write(ts, &text)?;
        sink.write_str(ts, "\n")
    });
    if let Err(raised) = written {
        ts.clear_raised(raised);
    }
    sink.flush(ts);
    1
}

/// Prints the raised exception through `sys.excepthook` and clears it (`PyErr_PrintEx`). For SystemExit
/// (the exception's or the hook's) gives the status that the process is to end with instead.
pub fn print_and_clear(ts: &ThreadState, set_sys_last_vars: bool) -> Option<i32> {
    if let Some(status) = handle_system_exit(ts) {
        return Some(status);
    }
    let error = ts.current_exception.take()?;
    let traceback = error.cast::<PyBaseException>().traceback.get().unwrap_or_else(|| ts.none());
    if set_sys_last_vars && let Err(raised) = note_last(ts, &error, &traceback) {
        ts.clear_raised(raised);
    }
    let hook = match source::sys_value(ts, id!(excepthook)) {
        Ok(hook) => hook,
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    };
    let Some(hook) = hook else {
        note(ts, "sys.excepthook is missing\n");
        show(ts, &error);
        return None;
    };
    let class = error.ob_type().as_object();
    let audited = crate::modules::sys::auditing::event(ts, "sys.excepthook", &[&hook, class, &error, &traceback]);
    if let Err(raised) = audited {
        // As CPython has it, RuntimeError means to go on without the hook.
        if ts.raised_matches(&exc::RuntimeError) {
            ts.clear_raised(raised);
            show(ts, &error);
            return None;
        }
        exc::write_unraisable_in(ts, raised, "in audit hook", &hook);
    }
    let Err(raised) = call::call_with(ts, &hook, &[class, &error, &traceback]) else { return None };
    if let Some(status) = handle_system_exit(ts) {
        return Some(status);
    }
    let second = ts.take_raised(raised);
    note(ts, "Error in sys.excepthook:\n");
    show(ts, &second);
    note(ts, "\nOriginal exception was:\n");
    show(ts, &error);
    None
}

fn note(ts: &ThreadState, text: &str) {
    if let Err(raised) = Sink::stderr(ts).write_str(ts, text) {
        ts.clear_raised(raised);
    }
}

fn note_last(ts: &ThreadState, error: &PyObject, traceback: &PyObject) -> PyResult<()> {
    let Some(dict) = ts.interp().sys_dict.get() else { return Ok(()) };
    dict.set_str(ts, id!(last_exc), error)?;
    dict.set_str(ts, id!(last_type), error.ob_type().as_object())?;
    dict.set_str(ts, id!(last_value), error)?;
    dict.set_str(ts, id!(last_traceback), traceback)
}

/// Whether the raised exception is a KeyboardInterrupt, which ends the process as the signal would.
pub fn is_keyboard_interrupt(ts: &ThreadState) -> bool {
    ts.raised_matches(&exc::KeyboardInterrupt)
}

/// Ends the process by SIGINT, so that whoever started it sees why; the status to exit with (130) where the
/// signal does not end it.
pub fn exit_by_sigint() -> i32 {
    // SAFETY: resetting a handler and signalling oneself have no memory effects here.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_DFL);
        libc::kill(libc::getpid(), libc::SIGINT);
    }
    libc::SIGINT + 128
}
