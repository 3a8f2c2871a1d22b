//! Ways to crash, for tests.

use core::ffi::c_void;
use core::hint::black_box;

use crate::modules::posix::system::blocking;
use crate::object::{PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

/// Raises a signal; if the process outlives it, so does the call.
fn raise_signal(number: i32) {
    // SAFETY: whatever the signal's action is was set by the program; the struct is filled in by the call.
    unsafe {
        libc::raise(number);
        // Rust's own handler, which looks for overflows of the stack, lets the first one pass and steps back.
        let mut action = core::mem::zeroed::<libc::sigaction>();
        if libc::sigaction(number, core::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_DFL {
            libc::raise(number);
        }
    }
}

pub(super) fn read_null(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: none: this is what the function is for. C's function reads, so that no check of Rust's comes before.
    let length = unsafe { libc::strlen(black_box(core::ptr::null())) };
    crate::types::int::PyInt::from_usize(ts, length)
}

pub(super) fn sigsegv(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::object::call::check_count(ts, "_sigsegv", args.len(), 0, 1)?;
    let release = args.first().map_or(Ok(false), |release| protocol::is_true(ts, release))?;
    if release {
        blocking(ts, || raise_signal(libc::SIGSEGV));
    } else {
        raise_signal(libc::SIGSEGV);
    }
    Ok(ts.none())
}

pub(super) fn sigabrt(_: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}

pub(super) fn sigfpe(ts: &ThreadState, _: &PyObject) -> PyResult {
    raise_signal(libc::SIGFPE);
    Ok(ts.none())
}

extern "C" fn fatal_thread(_: *mut c_void) -> *mut c_void {
    crate::lifecycle::fatal::fatal_error("faulthandler_fatal_error_thread", "in new thread")
}

pub(super) fn fatal_error_in_thread(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut thread = 0;
    // SAFETY: the function takes no argument; the process ends in it.
    unsafe {
        if libc::pthread_create(&raw mut thread, core::ptr::null(), fatal_thread, core::ptr::null_mut()) != 0 {
            return raise!(ts, exc::RuntimeError, "unable to start the thread");
        }
        // The stack is shown as it is here: the GIL stays.
        libc::pthread_join(thread, core::ptr::null_mut());
    }
    Ok(ts.none())
}

/// A stack is seldom larger than this.
const MOST: usize = 100 << 20;

#[inline(never)]
#[allow(unconditional_recursion, reason = "that is what the function is for")]
fn overflow(start: usize, depth: usize) -> usize {
    let room = black_box([depth as u8; 4096]);
    let here = room.as_ptr().addr();
    if here.abs_diff(start) > MOST {
        return depth;
    }
    let deepest = overflow(start, depth + 1);
    // The room is looked at afterwards, so that no call is the last thing that happens.
    deepest + usize::from(black_box(room)[0] & 0)
}

pub(super) fn stack_overflow(ts: &ThreadState, _: &PyObject) -> PyResult {
    let here = 0u8;
    let depth = overflow(core::ptr::from_ref(&here).addr(), 1);
    raise!(
        ts,
        exc::RuntimeError,
        "unable to raise a stack overflow (allocated {MOST} bytes on the stack, {depth} recursive calls)"
    )
}
