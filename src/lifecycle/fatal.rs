//! Fatal errors: the report, and the end of the process.
//!
//! Nothing here allocates or takes a lock, so that it works whatever has gone wrong, in a signal handler too.

use core::ffi::c_char;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, Ordering};

use super::stacks::{self, write_text};
use crate::config::output::Output;
use crate::state::{Runtime, ThreadState, attach};
use crate::vm::frame::Frame;

/// Reports a fatal error and aborts the process (`Py_FatalError`).
#[cold]
pub fn fatal_error(function: &str, message: &str) -> ! {
    report(function, message);
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

/// Reports a fatal error and ends the process with a status (`Py_ExitStatusException` for an error).
#[cold]
pub fn fatal_exit(function: &str, message: &str, status: i32) -> ! {
    report(function, message);
    // SAFETY: ends the process.
    unsafe { libc::exit(status) }
}

fn report(function: &str, message: &str) {
    static REPORTING: AtomicBool = AtomicBool::new(false);
    if REPORTING.swap(true, Ordering::AcqRel) {
        // An error inside the report: what is out is out.
        return;
    }
    let mut out = Output::stderr();
    let _ = write_report(&mut out, function, message);
    out.flush();
    REPORTING.store(false, Ordering::Release);
}

fn write_report(out: &mut Output, function: &str, message: &str) -> fmt::Result {
    out.write_str("Fatal Python error: ")?;
    if !function.is_empty() {
        write!(out, "{function}: ")?;
    }
    writeln!(out, "{message}")?;
    let runtime = Runtime::get();
    out.write_str("Python runtime state: ")?;
    if runtime.finalizing.load(Ordering::Acquire) {
        let current = ThreadState::try_current().map_or(0, |ts| core::ptr::from_ref(ts).addr());
        write!(out, "finalizing (tstate=0x{current:016x})")?;
    } else if runtime.initialized.load(Ordering::Acquire) {
        out.write_str("initialized")?;
    } else if !runtime.main_interpreter.load(Ordering::Acquire).is_null() {
        out.write_str("core initialized")?;
    } else if runtime.preinitialized.load(Ordering::Acquire) {
        out.write_str("preinitialized")?;
    } else {
        out.write_str("unknown")?;
    }
    out.write_str("\n\n")?;
    // SAFETY: the main interpreter lives while the pointer is set.
    let main = unsafe { runtime.main_interpreter.load(Ordering::Acquire).as_ref() };
    // The calling thread's own, also while it has given the GIL up: nobody else moves its frames.
    // SAFETY: a bound state is alive.
    let current = ThreadState::try_current().or_else(|| attach::bound().map(|bound| unsafe { bound.as_ref() }));
    let Some(interp) = current.map(ThreadState::interp).or(main) else { return Ok(()) };
    stacks::write_threads(out, interp, current)?;
    stacks::write_extension_modules(out, interp)
}

/// Tells the allocators how fatal errors are reported here, and how to find the Python stack.
pub fn install() {
    hognose_allocators::set_fatal_handler(fatal_error);
    hognose_allocators::guard::set_stack_writer(Some(write_stack));
}

/// Fewer frames are enough to find the place that allocated.
const STACK_FRAMES: usize = 16;

/// Writes the frames of the calling thread, the innermost first; false if it has none.
fn write_stack(out: &mut dyn fmt::Write) -> bool {
    let Some(ts) = ThreadState::try_current() else { return false };
    let mut frame: *const Frame = ts.frame.get();
    let mut count = 0;
    // SAFETY: a thread's frames are linked and whole while it holds the GIL.
    while let Some(this) = unsafe { frame.as_ref() }
        && count < STACK_FRAMES
    {
        let line = this.line().unwrap_or(0);
        let written = out
            .write_str("  File \"")
            .and_then(|()| write_text(out, this.code().filename()))
            .and_then(|()| write!(out, "\", line {line} in "))
            .and_then(|()| write_text(out, this.code().name()))
            .and_then(|()| out.write_str("\n"));
        if written.is_err() {
            // The room is full; what is there are the innermost frames.
            break;
        }
        count += 1;
        frame = this.previous;
    }
    count != 0
}

/// [`fatal_error`] with C's strings; null is no text.
///
/// # Safety
/// Each pointer is null or a NUL-terminated string.
pub unsafe fn fatal_error_c(function: *const c_char, message: *const c_char) -> ! {
    let text = |pointer: *const c_char| {
        if pointer.is_null() {
            return "";
        }
        // SAFETY: the caller's promise.
        unsafe { core::ffi::CStr::from_ptr(pointer) }.to_str().unwrap_or("?")
    };
    fatal_error(text(function), text(message))
}
