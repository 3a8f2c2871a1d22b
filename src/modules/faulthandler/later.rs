//! `dump_traceback_later`: a thread of the system's own that waits, and shows the stacks when nobody has said that it
//! should not. It needs no GIL, so it also shows threads that hold it for ever.

use core::ffi::{c_int, c_void};
use core::fmt::Write;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, Ordering};

use super::{keep, main_interpreter, target};
use crate::config::output::Output;
use crate::lifecycle::stacks;
use crate::modules::posix::system::{blocking, parse};
use crate::modules::time::convert::{self, Round};
use crate::object::{Args, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::sync::futex::{self, Wake};
use crate::types::exceptions as exc;

const IDLE: u32 = 0;
const WAITING: u32 = 1;
const CANCELLED: u32 = 2;

/// What the thread waits on.
static STATE: AtomicU32 = AtomicU32::new(IDLE);
/// The thread, while the state is not [`IDLE`]. Changed under the GIL.
static THREAD: AtomicI64 = AtomicI64::new(0);
static FD: AtomicI32 = AtomicI32::new(-1);
static NANOSECONDS: AtomicI64 = AtomicI64::new(0);
static REPEAT: AtomicBool = AtomicBool::new(false);
static EXIT: AtomicBool = AtomicBool::new(false);

/// Longer than this no clock runs.
const LONGEST: i64 = i64::MAX / 2;

pub(super) fn start(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [timeout, repeat, file, exit] =
        parse!(ts, args, "dump_traceback_later", ["timeout", "repeat", "file", "exit"], 0, 4, 1);
    let Some(timeout) = timeout else {
        return raise!(ts, exc::TypeError, "dump_traceback_later() missing required argument 'timeout' (pos 1)");
    };
    let nanoseconds = convert::nanoseconds(ts, timeout, Round::Ceiling)?;
    if nanoseconds <= 0 {
        return raise!(ts, exc::ValueError, "timeout must be greater than 0");
    }
    if nanoseconds > LONGEST {
        return raise!(ts, exc::OverflowError, "timeout value is too large");
    }
    let repeat = repeat.map_or(Ok(false), |repeat| protocol::is_true(ts, repeat))?;
    let exit = exit.map_or(Ok(false), |exit| protocol::is_true(ts, exit))?;
    let target = target(ts, file)?;
    cancel(ts);
    keep(ts, "later", target.file)?;
    FD.store(target.fd, Ordering::Release);
    // Whole microseconds are what the text shows.
    NANOSECONDS.store((nanoseconds + 999) / 1000 * 1000, Ordering::Release);
    REPEAT.store(repeat, Ordering::Release);
    EXIT.store(exit, Ordering::Release);
    STATE.store(WAITING, Ordering::Release);
    match create() {
        Ok(thread) => THREAD.store(thread as i64, Ordering::Release),
        Err(_) => {
            STATE.store(IDLE, Ordering::Release);
            keep(ts, "later", None)?;
            return raise!(ts, exc::RuntimeError, "unable to start watchdog thread");
        }
    }
    Ok(ts.none())
}

/// Makes the thread, which takes no signals.
fn create() -> Result<libc::pthread_t, c_int> {
    // SAFETY: the sets are filled in before they are used; the thread's function takes no argument.
    unsafe {
        let mut all = core::mem::zeroed();
        let mut before = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let mut thread = 0;
        let status = libc::pthread_create(&raw mut thread, core::ptr::null(), watch, core::ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, core::ptr::null_mut());
        if status == 0 { Ok(thread) } else { Err(status) }
    }
}

/// Takes it back, and waits until the thread is gone.
pub(super) fn cancel(ts: &ThreadState) {
    if STATE.load(Ordering::Acquire) == IDLE {
        return;
    }
    STATE.store(CANCELLED, Ordering::Release);
    futex::wake(&raw const STATE, 1);
    let thread = THREAD.swap(0, Ordering::AcqRel) as libc::pthread_t;
    // SAFETY: the thread was made by `create`, and is joined once: the number was taken away.
    blocking(ts, || unsafe { libc::pthread_join(thread, core::ptr::null_mut()) });
    STATE.store(IDLE, Ordering::Release);
    if let Err(raised) = keep(ts, "later", None) {
        // The file stays open until the interpreter ends.
        ts.clear_raised(raised);
    }
}

extern "C" fn watch(_: *mut c_void) -> *mut c_void {
    let length = NANOSECONDS.load(Ordering::Acquire);
    let mut deadline = futex::now().saturating_add(length);
    loop {
        while STATE.load(Ordering::Acquire) == WAITING {
            if futex::wait(&STATE, WAITING, Some(deadline)) == Wake::TimedOut {
                break;
            }
        }
        if STATE.load(Ordering::Acquire) != WAITING {
            return core::ptr::null_mut();
        }
        show(length);
        if EXIT.load(Ordering::Acquire) {
            // SAFETY: ends the process, as was asked.
            unsafe { libc::_exit(1) }
        }
        if !REPEAT.load(Ordering::Acquire) {
            // Who cancels joins the thread.
            return core::ptr::null_mut();
        }
        deadline = futex::now().saturating_add(length);
    }
}

fn show(length: i64) {
    let mut out = Output::descriptor(FD.load(Ordering::Acquire));
    let seconds = length / 1_000_000_000;
    let microseconds = length % 1_000_000_000 / 1000;
    // A text that cannot be written has nobody to be told of.
    let _ = write!(out, "Timeout ({}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if microseconds != 0 {
        let _ = write!(out, ".{microseconds:06}");
    }
    let _ = out.write_str(")!\n");
    if let Some(interp) = main_interpreter() {
        let _ = stacks::write_threads(&mut out, interp, None);
    }
    out.flush();
}
