//! Pending calls. Declared in `ceval.h`.

use core::ffi::{c_int, c_void};

use super::convert::guard;
use crate::state::pending::PendingFn;
use crate::state::{EvalBreaker, Runtime, ThreadState, threads};

/// Has a function called soon: in the main thread; or, when a state of another interpreter is attached, in a thread of
/// that one. 0, or -1 without an exception when 32 calls wait already, or the runtime is not there. Any thread.
///
/// # Safety
///
/// The function may be called with the argument, with a thread state attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_AddPendingCall(function: Option<PendingFn>, argument: *mut c_void) -> c_int {
    let Some(function) = function else { return -1 };
    let added = match ThreadState::try_current() {
        Some(ts) if ts.interp().id != 0 => {
            let added = ts.interp().pending_calls.add(function, argument);
            if added {
                threads::for_each(ts.interp(), |thread| thread.eval_breaker.set(EvalBreaker::PENDING_CALLS));
            }
            added
        }
        _ => Runtime::get().pending_calls.add(function, argument),
    };
    if added { 0 } else { -1 }
}

/// Makes the calls that wait and runs the handlers of signals that have come, those that are this thread's business.
/// 0, or -1 with an exception.
#[unsafe(no_mangle)]
pub extern "C" fn Py_MakePendingCalls() -> c_int {
    guard::<()>("Py_MakePendingCalls", crate::lifecycle::pending::make)
}
