//! The stacks of threads as text: for fatal errors and `faulthandler`.
//!
//! Nothing here allocates, takes a lock or counts references, so that it works in a signal handler and from a thread
//! without the GIL. What another thread changes meanwhile may be shown wrong.

use core::fmt::{self, Write};

use crate::config::output::Output;
use crate::id;
use crate::object::PyObject;
use crate::state::{InterpreterState, ThreadState};
use crate::types::module::PyModule;
use crate::types::set::{FROZENSET_TYPE, PySet};
use crate::types::str::PyStr;
use crate::vm::frame::Frame;

/// A deeper stack is cut.
const MOST_FRAMES: usize = 100;
/// A longer name is cut.
const LONGEST_NAME: usize = 500;
/// More threads are not shown.
const MOST_THREADS: usize = 100;

/// Writes the stacks of an interpreter's threads, the newest thread first, an empty line between two.
pub fn write_threads(out: &mut Output, interp: &InterpreterState, current: Option<&ThreadState>) -> fmt::Result {
    let mut at = interp.threads.get().cast_const();
    let mut count = 0;
    // SAFETY: thread states are linked as long as they live.
    while let Some(ts) = unsafe { at.as_ref() } {
        if count == MOST_THREADS {
            return out.write_str("...\n");
        }
        if count != 0 {
            out.write_str("\n")?;
        }
        count += 1;
        let is_current = current.is_some_and(|current| core::ptr::eq(current, ts));
        let id = match ts.thread_id.get() {
            // SAFETY: a call without effects.
            0 if is_current => unsafe { libc::pthread_self() as u64 },
            id => id,
        };
        let word = if is_current { "Current thread" } else { "Thread" };
        writeln!(out, "{word} 0x{id:016x} (most recent call first):")?;
        if is_current && interp.gc.collecting.get() {
            out.write_str("  Garbage-collecting\n")?;
        }
        write_frames(out, ts)?;
        at = ts.next.get().cast_const();
    }
    Ok(())
}

/// Writes one thread's stack under a line that names no thread.
pub fn write_stack(out: &mut Output, ts: Option<&ThreadState>) -> fmt::Result {
    out.write_str("Stack (most recent call first):\n")?;
    match ts {
        Some(ts) => write_frames(out, ts),
        None => out.write_str("  <no Python frame>\n"),
    }
}

/// Writes a thread's frames, the innermost first.
fn write_frames(out: &mut Output, ts: &ThreadState) -> fmt::Result {
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

/// Writes a line with the extension modules that are imported and not the standard library's; nothing if there are
/// none.
pub fn write_extension_modules(out: &mut Output, interp: &InterpreterState) -> fmt::Result {
    // SAFETY: the dictionaries are read in place, and nothing runs meanwhile in this thread.
    let (Some(modules), Some(sys)) = (unsafe { interp.modules.borrow() }, unsafe { interp.sys_dict.borrow() }) else {
        return Ok(());
    };
    if !sys.has_str_keys() {
        return Ok(());
    }
    // SAFETY: as above.
    let own = unsafe { sys.lookup_str(id!(stdlib_module_names)) }
        .filter(|names| core::ptr::eq(names.ob_type(), &*FROZENSET_TYPE));
    let mut position = 0;
    let mut count = 0;
    // SAFETY: as above.
    while let Some((name, module, _)) = unsafe { modules.next_borrowed(&mut position) } {
        let Some(name) = name.downcast::<PyStr>() else { continue };
        if !is_extension(name, module) || own.is_some_and(|own| is_known(own.cast::<PySet>(), name)) {
            continue;
        }
        out.write_str(if count == 0 { "\nExtension modules: " } else { ", " })?;
        write_text(out, name)?;
        count += 1;
    }
    if count != 0 {
        writeln!(out, " (total: {count})")?;
    }
    Ok(())
}

fn is_extension(name: &PyStr, module: &PyObject) -> bool {
    module.downcast::<PyModule>().is_some_and(|module| !module.md_def.get().is_null())
        || name.ascii_str().is_some_and(|name| crate::modules::find(name).is_some())
}

/// Whether a name, or the package that it is in, is in the set: found by looking at all, as hashing may need more than
/// a signal handler has.
fn is_known(names: &PySet, name: &PyStr) -> bool {
    let top = name.ascii_str().map(|name| name.split('.').next().unwrap_or(name));
    let mut position = 0;
    // SAFETY: the set is read in place, and nothing runs meanwhile in this thread.
    while let Some((known, _)) = unsafe { names.next_borrowed(&mut position) } {
        if known
            .downcast::<PyStr>()
            .is_some_and(|known| known.equals(name) || top.is_some_and(|top| known.equals_str(top)))
        {
            return true;
        }
    }
    false
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
