//! Taking and giving up the GIL: `PyEval_*Thread`, `PyThreadState_Swap`, `PyGILState_*`. Declared in `pystate.h` and `ceval.h`.
//!
//! A thread that comes when the runtime finalizes or is gone is *late*. What becomes of it, `Hog_SetLateThreadPolicy`
//! says: it sleeps for ever, as in Python 3.14; or it ends, as in Python 3.13; or `PyGILState_Ensure` returns
//! [`LATE`], for callers that know of it. A call that returns nothing cannot fail: there the thread sleeps also under
//! the last policy.

use core::ffi::c_int;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::pystate::as_mut;
use crate::lifecycle::fatal::fatal_error;
use crate::state::attach::{self, Refused};
use crate::state::threads::NoState;
use crate::state::{Runtime, ThreadState, threads};

/// `HOG_LATE_HANG`.
const POLICY_HANG: u32 = 0;
/// `HOG_LATE_EXIT`.
const POLICY_EXIT: u32 = 1;
/// `HOG_LATE_ERROR`.
const POLICY_ERROR: u32 = 2;

/// Says what becomes of threads that come too late; -1 for a policy that there is not. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn Hog_SetLateThreadPolicy(policy: c_int) -> c_int {
    match u32::try_from(policy) {
        Ok(policy @ POLICY_HANG..=POLICY_ERROR) => {
            Runtime::get().late_thread_policy.store(policy, Ordering::Relaxed);
            0
        }
        _ => -1,
    }
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut core::ffi::c_void) -> !;
}

/// The end of a thread that comes too late. The frames between here and C have nothing to drop: the C library may
/// unwind them.
#[cold]
extern "C-unwind" fn late() -> ! {
    if Runtime::get().late_thread_policy.load(Ordering::Relaxed) == POLICY_EXIT {
        // SAFETY: the thread is C's; only frames without destructors are above.
        unsafe { pthread_exit(core::ptr::null_mut()) }
    }
    attach::hang()
}

/// Attaches a state that the caller names.
#[inline(always)]
fn attach_at_border(ts: NonNull<ThreadState>) -> Result<(), Refused> {
    attach::try_attach(ts)
}

/// Attaches another state (or none) in place of the attached one, which is returned. The GIL of the new state's
/// interpreter is held afterwards, that of the old one's is not, unless it is the same.
///
/// # Safety
///
/// `ts` is null or a state that no thread has attached.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PyThreadState_Swap(ts: *mut ThreadState) -> *mut ThreadState {
    if ThreadState::try_current().is_some_and(|current| core::ptr::eq(current, ts)) {
        return ts;
    }
    let old = attach::detach().map_or(core::ptr::null_mut(), NonNull::as_ptr);
    if let Some(ts) = NonNull::new(ts) {
        match attach_at_border(ts) {
            Ok(()) => {}
            Err(Refused::Late) => late(),
            Err(Refused::Unknown) => attach::unknown("PyThreadState_Swap"),
        }
    }
    old
}

/// Detaches the thread state, and returns it for [`PyEval_RestoreThread`].
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_SaveThread() -> *mut ThreadState {
    match attach::detach() {
        Some(ts) => ts.as_ptr(),
        None => fatal_error("PyEval_SaveThread", "no thread state is attached, so there is none to detach"),
    }
}

/// Attaches a thread state. The error number stays as it is.
///
/// # Safety
///
/// `ts` is a state that no thread has attached, or belongs to a runtime that is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PyEval_RestoreThread(ts: *mut ThreadState) {
    let Some(ts) = NonNull::new(ts) else { fatal_error("PyEval_RestoreThread", "tstate is NULL") };
    if ThreadState::try_current().is_some() {
        fatal_error("PyEval_RestoreThread", "a thread state is attached already: this would wait for ever");
    }
    match attach_at_border(ts) {
        Ok(()) => {}
        Err(Refused::Late) => late(),
        Err(Refused::Unknown) => attach::unknown("PyEval_RestoreThread"),
    }
}

/// [`PyEval_RestoreThread`] under the name of the lower level.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PyEval_AcquireThread(ts: *mut ThreadState) {
    let Some(ts) = NonNull::new(ts) else { fatal_error("PyEval_AcquireThread", "tstate is NULL") };
    if ThreadState::try_current().is_some() {
        fatal_error("PyEval_AcquireThread", "a thread state is attached already: this would wait for ever");
    }
    match attach_at_border(ts) {
        Ok(()) => {}
        Err(Refused::Late) => late(),
        Err(Refused::Unknown) => attach::unknown("PyEval_AcquireThread"),
    }
}

/// Detaches a thread state, which must be the attached one.
///
/// # Safety
///
/// `ts` is the attached state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_ReleaseThread(ts: *mut ThreadState) {
    if ts.is_null() {
        fatal_error("PyEval_ReleaseThread", "tstate is NULL");
    }
    if !ThreadState::try_current().is_some_and(|current| core::ptr::eq(current, ts)) {
        fatal_error("PyEval_ReleaseThread", "the thread state is not the attached one");
    }
    attach::detach();
}

/// Takes the GIL again with the state that the thread used last. Deprecated since 3.2: it does not say which state is
/// to be attached, so it can only be undone by [`PyEval_ReleaseLock`] before.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn PyEval_AcquireLock() {
    if ThreadState::try_current().is_some() {
        fatal_error("PyEval_AcquireLock", "a thread state is attached already: this would wait for ever");
    }
    let Some(ts) = attach::bound() else {
        fatal_error("PyEval_AcquireLock", "the thread has no thread state");
    };
    match attach_at_border(ts) {
        Ok(()) => {}
        Err(Refused::Late) => late(),
        Err(Refused::Unknown) => attach::unknown("PyEval_AcquireLock"),
    }
}

/// Lets the GIL go; the thread has the same state when it takes it again. Deprecated since 3.2.
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_ReleaseLock() {
    if attach::detach().is_none() {
        fatal_error("PyEval_ReleaseLock", "no thread state is attached, so the GIL is not this thread's");
    }
}

/// Does nothing: initialization has made what there is to make.
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_InitThreads() {}

/// 1: from initialization on.
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_ThreadsInitialized() -> c_int {
    super::pylifecycle::Py_IsInitialized()
}

/// Brings the locks of a forked child in order. `os.fork` and [`PyOS_AfterFork_Child`](super::fork::PyOS_AfterFork_Child)
/// do so already; the name is of old.
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_ReInitThreads() {
    crate::lifecycle::fork::reset_locks_in_child(ThreadState::current());
}

/// `PyGILState_STATE`: a state was attached already.
const LOCKED: c_int = 0;
/// `PyGILState_STATE`: none was.
const UNLOCKED: c_int = 1;
/// `HOG_GILSTATE_LATE`: nothing is attached, as the runtime finalizes or is gone.
const LATE: c_int = 2;

/// Attaches a state of the main interpreter (or the one that the thread used last), which is made when the thread has
/// none; says whether it was attached before. To be undone by [`release`].
pub(super) fn ensure() -> Result<bool, NoState> {
    if let Some(current) = ThreadState::try_current() {
        current.ensured.set(current.ensured.get() + 1);
        return Ok(true);
    }
    let ts = match attach::bound() {
        Some(ts) => ts,
        None => {
            // SAFETY: null stands for the main interpreter.
            let ts = unsafe { threads::create(core::ptr::null()) }?;
            // SAFETY: made just now, and nobody else uses it: but finalization may end it as soon as it is in the
            // list, so it is marked as being ours when it is attached.
            return match attach::try_attach(ts) {
                Ok(()) => {
                    ThreadState::current().ensured.set(1);
                    Ok(false)
                }
                Err(_) => Err(NoState::Late),
            };
        }
    };
    match attach::try_attach(ts) {
        Ok(()) => {
            let current = ThreadState::current();
            current.ensured.set(current.ensured.get() + 1);
            Ok(false)
        }
        Err(_) => Err(NoState::Late),
    }
}

/// Undoes an [`ensure`].
pub(super) fn release(function: &str, was_attached: bool) {
    let Some(ts) = ThreadState::try_current() else {
        fatal_error(function, "no thread state is attached: the thread is not in the state that Ensure left it in");
    };
    let count = ts.ensured.get();
    if count == 0 {
        fatal_error(function, "there was no Ensure that this undoes");
    }
    ts.ensured.set(count - 1);
    if count == 1 {
        if was_attached {
            fatal_error(function, "the last Release of a thread state that was attached before its first Ensure");
        }
        super::convert::guard::<()>("PyGILState_Release", |ts| {
            // While it is cleared, Python code may run that ensures again.
            ts.ensured.set(1);
            threads::clear(ts, ts);
            Ok(())
        });
        // SAFETY: cleared, and made by `ensure` for this thread.
        unsafe { threads::delete_current(NonNull::from(ts)) }
    } else if !was_attached {
        attach::detach();
    }
}

/// Makes sure that the thread can use Python; the result is for [`PyGILState_Release`].
#[unsafe(no_mangle)]
pub extern "C-unwind" fn PyGILState_Ensure() -> c_int {
    match ensure() {
        Ok(true) => LOCKED,
        Ok(false) => UNLOCKED,
        Err(NoState::Late) => {
            if Runtime::get().late_thread_policy.load(Ordering::Relaxed) == POLICY_ERROR {
                return LATE;
            }
            late()
        }
        Err(NoState::Memory) => fatal_error("PyGILState_Ensure", "there is no memory for a thread state"),
    }
}

/// Undoes an [`PyGILState_Ensure`].
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Release(state: c_int) {
    match state {
        LOCKED | UNLOCKED => release("PyGILState_Release", state == LOCKED),
        // Nothing was done.
        LATE => {}
        _ => fatal_error("PyGILState_Release", "the argument is not what PyGILState_Ensure returned"),
    }
}

/// Whether a thread state is attached. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Check() -> c_int {
    ThreadState::try_current().is_some().into()
}

/// The thread state that this thread used last, attached or not, or null. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_GetThisThreadState() -> *mut ThreadState {
    match ThreadState::try_current() {
        Some(current) => as_mut(current),
        None => attach::bound().map_or(core::ptr::null_mut(), NonNull::as_ptr),
    }
}
