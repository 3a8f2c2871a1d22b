//! Thread and interpreter states, and the GIL. Declared in `pystate.h`.
//!
//! One thread runs Python in this version: its state is detached and attached again, and a second thread that
//! asks for one ends the process with a fatal error that says so.

use core::ffi::{c_int, c_ulong};
use core::ptr::NonNull;

use super::convert::{Borrowed, guard};
use super::pylifecycle::main_thread_state;
use crate::lifecycle::fatal::fatal_error;
use crate::object::{AsObject, PyObject, Ref};
use crate::state::{InterpreterState, ThreadState};
use crate::types::dict::PyDict;

fn as_mut(ts: &ThreadState) -> *mut ThreadState {
    core::ptr::from_ref(ts).cast_mut()
}

/// The attached thread state; fatal error when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_Get() -> *mut ThreadState {
    as_mut(ThreadState::current())
}

/// The attached thread state, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_GetUnchecked() -> *mut ThreadState {
    ThreadState::try_current().map_or(core::ptr::null_mut(), as_mut)
}

/// Attaches another state (or none) in place of the attached one, which is returned.
///
/// # Safety
///
/// `ts` is null or a live state of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Swap(ts: *mut ThreadState) -> *mut ThreadState {
    if !ts.is_null() {
        check_thread("PyThreadState_Swap", ts);
    }
    ThreadState::attach(NonNull::new(ts)).map_or(core::ptr::null_mut(), NonNull::as_ptr)
}

/// A state belongs to the thread that made it, as long as there is but one.
fn check_thread(function: &str, ts: *mut ThreadState) {
    // SAFETY: the callers' promise.
    if unsafe { (*ts).thread_id.get() } != crate::sync::thread_ident() {
        fatal_error(function, "only one thread can run Python in this version of Hognose, and this is another one");
    }
}

/// Detaches the thread state, and returns it for [`PyEval_RestoreThread`].
#[unsafe(no_mangle)]
pub extern "C" fn PyEval_SaveThread() -> *mut ThreadState {
    match ThreadState::attach(None) {
        Some(ts) => ts.as_ptr(),
        None => fatal_error("PyEval_SaveThread", "the function must be called with an active thread state"),
    }
}

/// Attaches a thread state again.
///
/// # Safety
///
/// `ts` is a live state of this thread; none is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_RestoreThread(ts: *mut ThreadState) {
    if ts.is_null() {
        fatal_error("PyEval_RestoreThread", "tstate is NULL");
    }
    check_thread("PyEval_RestoreThread", ts);
    ThreadState::attach(NonNull::new(ts));
}

/// [`PyEval_RestoreThread`]: the name of old.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_AcquireThread(ts: *mut ThreadState) {
    // SAFETY: as promised.
    unsafe { PyEval_RestoreThread(ts) }
}

/// Detaches a thread state, which must be the attached one.
///
/// # Safety
///
/// `ts` is the attached state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_ReleaseThread(ts: *mut ThreadState) {
    if !core::ptr::eq(PyEval_SaveThread(), ts) {
        fatal_error("PyEval_ReleaseThread", "wrong thread state");
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

/// `PyGILState_STATE`: a state was attached already.
const LOCKED: c_int = 0;
/// `PyGILState_STATE`: none was.
const UNLOCKED: c_int = 1;

/// Makes sure that the thread can use Python; the result is for [`PyGILState_Release`].
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Ensure() -> c_int {
    if ThreadState::try_current().is_some() {
        return LOCKED;
    }
    let ts = main_thread_state();
    if ts.is_null() {
        fatal_error("PyGILState_Ensure", "the runtime is not initialized");
    }
    check_thread("PyGILState_Ensure", ts);
    ThreadState::attach(NonNull::new(ts));
    UNLOCKED
}

/// Undoes an [`PyGILState_Ensure`].
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Release(state: c_int) {
    if ThreadState::try_current().is_none() {
        fatal_error("PyGILState_Release", "auto-releasing thread-state, but no thread-state for this thread");
    }
    if state == UNLOCKED {
        ThreadState::attach(None);
    }
}

/// Whether a thread state is attached.
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_Check() -> c_int {
    ThreadState::try_current().is_some().into()
}

/// The thread state of this thread, attached or not, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyGILState_GetThisThreadState() -> *mut ThreadState {
    let ts = main_thread_state();
    // SAFETY: a live state or null.
    match unsafe { ts.as_ref() } {
        Some(state) if state.thread_id.get() == crate::sync::thread_ident() => ts,
        _ => core::ptr::null_mut(),
    }
}

/// The attached thread state's interpreter.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Get() -> *mut InterpreterState {
    core::ptr::from_ref(ThreadState::current().interp()).cast_mut()
}

/// The main interpreter, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Main() -> *mut InterpreterState {
    crate::state::Runtime::get().main_interpreter.load(core::sync::atomic::Ordering::Acquire)
}

/// The first interpreter, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Head() -> *mut InterpreterState {
    PyInterpreterState_Main()
}

/// The one after an interpreter, or null.
///
/// # Safety
///
/// `interp` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_Next(interp: *mut InterpreterState) -> *mut InterpreterState {
    // SAFETY: as promised.
    unsafe { (*interp).next.get() }
}

/// An interpreter's number.
///
/// # Safety
///
/// `interp` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_GetID(interp: *mut InterpreterState) -> i64 {
    // SAFETY: as promised.
    unsafe { (*interp).id }
}

/// An interpreter's first thread state.
///
/// # Safety
///
/// `interp` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_ThreadHead(interp: *mut InterpreterState) -> *mut ThreadState {
    // SAFETY: as promised.
    unsafe { (*interp).threads.get() }
}

/// The thread state after another, or null.
///
/// # Safety
///
/// `ts` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Next(ts: *mut ThreadState) -> *mut ThreadState {
    // SAFETY: as promised.
    unsafe { (*ts).next.get() }
}

/// A thread state's interpreter.
///
/// # Safety
///
/// `ts` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetInterpreter(ts: *mut ThreadState) -> *mut InterpreterState {
    // SAFETY: as promised.
    core::ptr::from_ref(unsafe { (*ts).interp() }).cast_mut()
}

/// A thread state's number, which no other of the process has.
///
/// # Safety
///
/// `ts` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetID(ts: *mut ThreadState) -> u64 {
    // SAFETY: as promised.
    unsafe { (*ts).id }
}

/// The frame that runs, as a new reference; null when there is none.
///
/// # Safety
///
/// `ts` is the attached state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetFrame(_ts: *mut ThreadState) -> *mut PyObject {
    guard::<Option<crate::object::PyRef>>("PyThreadState_GetFrame", super::ceval::frame)
}

/// A dict for the thread's own use, borrowed; null without an exception when none can be made.
#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_GetDict() -> *mut PyObject {
    if ThreadState::try_current().is_none() {
        return core::ptr::null_mut();
    }
    guard::<Borrowed>("PyThreadState_GetDict", |ts| {
        if let Some(dict) = ts.dict.get() {
            return Ok(Borrowed::kept(dict));
        }
        match PyDict::new(ts) {
            Ok(dict) => {
                ts.dict.set(Some(dict.new_ref()));
                Ok(Borrowed::kept(dict))
            }
            Err(raised) => {
                ts.clear_raised(raised);
                Ok(Borrowed::NONE)
            }
        }
    })
}

/// A dict for the use of extension modules in an interpreter, borrowed.
///
/// # Safety
///
/// `interp` is the attached state's interpreter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_GetDict(interp: *mut InterpreterState) -> *mut PyObject {
    guard::<Borrowed>("PyInterpreterState_GetDict", |ts| {
        // SAFETY: as promised.
        let slot = unsafe { &(*interp).native_state };
        let all = match slot.get() {
            Some(all) => all,
            None => {
                let all = PyDict::new(ts)?;
                slot.set(Some(all.clone()));
                all
            }
        };
        let key = crate::types::str::PyStr::intern(ts, "capi.interpreter_dict")?;
        if let Some(dict) = all.get_str(ts, &key)? {
            return Ok(Borrowed::kept(dict));
        }
        let dict: Ref<PyDict> = PyDict::new(ts)?;
        all.set_str(ts, &key, dict.as_object())?;
        Ok(Borrowed::kept(dict))
    })
}

/// Raising an exception in another thread: there is no other thread that could be found, so 0 unless it is
/// this one's number.
#[unsafe(no_mangle)]
pub extern "C" fn PyThreadState_SetAsyncExc(_id: c_ulong, _error: *mut PyObject) -> c_int {
    guard::<i32>("PyThreadState_SetAsyncExc", |ts| {
        crate::raise!(
            ts,
            crate::types::exceptions::NotImplementedError,
            "this version of Hognose cannot raise exceptions in other threads"
        )
    })
}
