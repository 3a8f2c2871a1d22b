//! Fatal errors: the report, and the end of the process.
//!
//! Nothing here allocates or takes a lock, so that it works whatever has gone wrong, in a signal handler too.

use core::ffi::c_char;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::config::output::Output;
use crate::state::{Runtime, ThreadState};
use crate::types::str::PyStr;
use crate::vm::frame::Frame;

/// A deeper stack is cut.
const MOST_FRAMES: usize = 100;
/// A longer name is cut.
const LONGEST_NAME: usize = 500;
/// More threads are not shown.
const MOST_THREADS: usize = 100;

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
    write_threads(out)
}

fn write_threads(out: &mut Output) -> fmt::Result {
    let Some(current) = ThreadState::try_current() else { return Ok(()) };
    write_thread(out, current, true)?;
    let mut other = current.interp().threads.get().cast_const();
    for _ in 0..MOST_THREADS {
        // SAFETY: thread states are linked as long as they live; the GIL is ours.
        let Some(ts) = (unsafe { other.as_ref() }) else { return Ok(()) };
        if !core::ptr::eq(ts, current) {
            out.write_str("\n")?;
            write_thread(out, ts, false)?;
        }
        other = ts.next.get().cast_const();
    }
    out.write_str("...\n")
}

/// Writes one thread's frames, innermost first.
pub fn write_thread(out: &mut Output, ts: &ThreadState, is_current: bool) -> fmt::Result {
    let id = match ts.thread_id.get() {
        // SAFETY: a call without effects.
        0 if is_current => unsafe { libc::pthread_self() as u64 },
        id => id,
    };
    let word = if is_current { "Current thread" } else { "Thread" };
    writeln!(out, "{word} 0x{id:016x} (most recent call first):")?;
    let mut frame: *const Frame = ts.frame.get();
    let mut count = 0;
    // SAFETY: a thread's frames are linked and whole while it holds the GIL, or waits for it.
    while let Some(this) = unsafe { frame.as_ref() } {
        if count == MOST_FRAMES {
            return out.write_str("  ...\n");
        }
        count += 1;
        out.write_str("  File \"")?;
        write_text(out, this.code().filename())?;
        out.write_str("\", line ")?;
        match this.line() {
            Some(line) => write!(out, "{line}")?,
            None => out.write_str("???")?,
        }
        out.write_str(" in ")?;
        write_text(out, this.code().name())?;
        out.write_str("\n")?;
        frame = this.previous;
    }
    if count == 0 {
        out.write_str("  <no Python frame>\n")?;
    }
    Ok(())
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

/// Writes a string in ASCII.
pub(crate) fn write_text(out: &mut dyn fmt::Write, text: &PyStr) -> fmt::Result {
    for ch in text.chars().take(LONGEST_NAME) {
        match ch {
            0x20..=0x7E => out.write_char(ch as u8 as char)?,
            0..=0xFF => write!(out, "\\x{ch:02x}")?,
            0x100..=0xFFFF => write!(out, "\\u{ch:04x}")?,
            _ => write!(out, "\\U{ch:08x}")?,
        }
    }
    if text.len() > LONGEST_NAME {
        out.write_str("...")?;
    }
    Ok(())
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
