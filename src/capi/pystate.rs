//! Thread and interpreter states. Declared in `pystate.h`. What takes and gives up the GIL is in [`gilstate`](super::gilstate).

use core::ffi::{c_int, c_ulong};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::convert::{Borrowed, guard};
use crate::lifecycle::fatal::fatal_error;
use crate::lifecycle::subinterp;
use crate::object::{AsObject, PyObject, PyRef, Ref};
use crate::state::{EvalBreaker, InterpreterState, Runtime, ThreadState, threads};
use crate::types::dict::PyDict;

pub(super) fn as_mut(ts: &ThreadState) -> *mut ThreadState {
    core::ptr::from_ref(ts).cast_mut()
}

// Thread states.

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

/// Makes a state, which is not attached; null without memory, or when the runtime finalizes.
///
/// # Safety
///
/// `interp` is live. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_New(interp: *mut InterpreterState) -> *mut ThreadState {
    if interp.is_null() {
        fatal_error("PyThreadState_New", "interp is NULL");
    }
    // SAFETY: as promised.
    unsafe { threads::create(interp) }.map_or(core::ptr::null_mut(), NonNull::as_ptr)
}

/// Drops what a state refers to.
///
/// # Safety
///
/// `ts` is live; a state of its interpreter is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Clear(ts: *mut ThreadState) {
    // SAFETY: as promised.
    let Some(target) = (unsafe { ts.as_ref() }) else { fatal_error("PyThreadState_Clear", "tstate is NULL") };
    guard::<()>("PyThreadState_Clear", |current| {
        threads::clear(current, target);
        Ok(())
    });
}

fn check_cleared(function: &str, ts: &ThreadState) {
    if !ts.cleared.get() && (ts.dict.is_some() || !ts.frame.get().is_null() || ts.current_exception.is_some()) {
        fatal_error(function, "the thread state was not cleared: PyThreadState_Clear comes first");
    }
}

/// Ends a state that was cleared and is not attached.
///
/// # Safety
///
/// `ts` is live, and is not used again. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Delete(ts: *mut ThreadState) {
    let Some(place) = NonNull::new(ts) else { fatal_error("PyThreadState_Delete", "tstate is NULL") };
    if ThreadState::try_current().is_some_and(|current| core::ptr::eq(current, ts)) {
        fatal_error(
            "PyThreadState_Delete",
            "the thread state is still attached: PyThreadState_DeleteCurrent is for that",
        );
    }
    // SAFETY: as promised.
    unsafe {
        check_cleared("PyThreadState_Delete", place.as_ref());
        threads::delete(place);
    }
}

/// Ends the attached state, which was cleared, and lets the GIL go.
///
/// # Safety
///
/// The state is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_DeleteCurrent() {
    let Some(ts) = ThreadState::try_current() else {
        fatal_error("PyThreadState_DeleteCurrent", "no thread state is attached");
    };
    check_cleared("PyThreadState_DeleteCurrent", ts);
    // SAFETY: as promised.
    unsafe { threads::delete_current(NonNull::from(ts)) }
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

/// The frame that a state's thread runs, as a new reference; null when there is none.
///
/// # Safety
///
/// `ts` is live, and a state of its interpreter is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_GetFrame(ts: *mut ThreadState) -> *mut PyObject {
    guard::<Option<PyRef>>("PyThreadState_GetFrame", |current| {
        // SAFETY: as promised; the GIL is held, so the other thread's frames are whole.
        let target = unsafe { &*ts };
        match crate::vm::frame::current(target).map(|frame| frame.object(current)).transpose() {
            Ok(frame) => Ok(frame),
            Err(raised) => {
                current.clear_raised(raised);
                Ok(None)
            }
        }
    })
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

/// Suspends tracing and profiling in a thread, once more.
///
/// # Safety
///
/// `ts` is live, and a state of its interpreter is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_EnterTracing(ts: *mut ThreadState) {
    // SAFETY: as promised.
    let count = unsafe { &(*ts).tracing };
    count.set(count.get() + 1);
}

/// Undoes one [`PyThreadState_EnterTracing`].
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_LeaveTracing(ts: *mut ThreadState) {
    // SAFETY: as promised.
    let count = unsafe { &(*ts).tracing };
    if count.get() == 0 {
        fatal_error("PyThreadState_LeaveTracing", "PyThreadState_EnterTracing was not called as often");
    }
    count.set(count.get() - 1);
}

/// Has an exception raised in the thread of the given number; null takes back one that was not raised yet. How many
/// states were changed: 0 when there is no such thread.
///
/// # Safety
///
/// `error` is null or an exception class.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_SetAsyncExc(id: c_ulong, error: *mut PyObject) -> c_int {
    let Some(ts) = ThreadState::try_current() else {
        fatal_error("PyThreadState_SetAsyncExc", "no thread state is attached");
    };
    // SAFETY: as promised.
    let error = unsafe { error.as_ref() }.map(PyObject::new_ref);
    let mut old = None;
    let found = threads::with_thread(ts.interp(), id, |target| {
        old = target.async_exception.replace(error.clone());
        if error.is_some() {
            target.eval_breaker.set(EvalBreaker::ASYNC_EXCEPTION);
        } else {
            target.eval_breaker.clear(EvalBreaker::ASYNC_EXCEPTION);
        }
    });
    // What was set before may run Python code when it goes: not before the lists are left.
    drop(old);
    found.is_some().into()
}

// Interpreter states.

/// The attached thread state's interpreter.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Get() -> *mut InterpreterState {
    core::ptr::from_ref(ThreadState::current().interp()).cast_mut()
}

/// An interpreter in which nothing is built; null without memory, or when nothing is initialized.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_New() -> *mut InterpreterState {
    subinterp::create_bare().map_or(core::ptr::null_mut(), NonNull::as_ptr)
}

/// Drops everything that an interpreter refers to.
///
/// # Safety
///
/// `interp` is live, and nothing of it is used afterwards but its states.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_Clear(interp: *mut InterpreterState) {
    // SAFETY: as promised.
    let Some(interp) = (unsafe { interp.as_ref() }) else { fatal_error("PyInterpreterState_Clear", "interp is NULL") };
    if interp.is_main() {
        fatal_error("PyInterpreterState_Clear", "the main interpreter is cleared by Py_FinalizeEx");
    }
    guard::<()>("PyInterpreterState_Clear", |ts| {
        if !subinterp::clear(ts, interp) {
            fatal_error("PyInterpreterState_Clear", "no thread state of the interpreter is attached");
        }
        Ok(())
    });
}

/// Ends an interpreter that was cleared.
///
/// # Safety
///
/// `interp` is live, and nothing of it is used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_Delete(interp: *mut InterpreterState) {
    let Some(place) = NonNull::new(interp) else { fatal_error("PyInterpreterState_Delete", "interp is NULL") };
    // SAFETY: as promised.
    let interp = unsafe { place.as_ref() };
    if interp.is_main() {
        fatal_error("PyInterpreterState_Delete", "the main interpreter is ended by Py_FinalizeEx");
    }
    if !interp.cleared.get() {
        fatal_error(
            "PyInterpreterState_Delete",
            "the interpreter was not cleared: PyInterpreterState_Clear comes first",
        );
    }
    // SAFETY: as promised.
    if !unsafe { subinterp::delete(place) } {
        fatal_error("PyInterpreterState_Delete", "the interpreter has thread states, and no thread state is attached");
    }
}

/// The main interpreter, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Main() -> *mut InterpreterState {
    Runtime::get().main_interpreter.load(Ordering::Acquire)
}

/// The newest interpreter, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterState_Head() -> *mut InterpreterState {
    Runtime::get().interpreters.load(Ordering::Acquire)
}

/// The one made before an interpreter, or null.
///
/// # Safety
///
/// `interp` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_Next(interp: *mut InterpreterState) -> *mut InterpreterState {
    // SAFETY: as promised.
    unsafe { (*interp).next.get() }
}

/// An interpreter's number; -1 with RuntimeError for null.
///
/// # Safety
///
/// `interp` is live or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_GetID(interp: *mut InterpreterState) -> i64 {
    guard::<i64>("PyInterpreterState_GetID", |ts| {
        // SAFETY: as promised.
        match unsafe { interp.as_ref() } {
            Some(interp) => Ok(interp.id),
            None => {
                crate::raise!(ts, crate::types::exceptions::RuntimeError, "no interpreter provided")
            }
        }
    })
}

/// `__main__` of an interpreter, as a new reference; null with RuntimeError when it has none.
///
/// # Safety
///
/// `interp` is the attached state's interpreter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_InterpreterState_GetMainModule(interp: *mut InterpreterState) -> *mut PyObject {
    guard::<PyRef>("PyUnstable_InterpreterState_GetMainModule", |ts| {
        // SAFETY: as promised.
        let modules = unsafe { interp.as_ref() }.and_then(|interp| interp.modules.get());
        match modules.map(|modules| modules.get_str(ts, crate::id!(__main__))).transpose()? {
            Some(Some(main)) => Ok(main),
            _ => {
                crate::raise!(ts, crate::types::exceptions::RuntimeError, "interpreter __main__ module not initialized")
            }
        }
    })
}

/// An interpreter's newest thread state.
///
/// # Safety
///
/// `interp` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterState_ThreadHead(interp: *mut InterpreterState) -> *mut ThreadState {
    // SAFETY: as promised.
    unsafe { (*interp).threads.get() }
}

/// The thread state made before another, or null.
///
/// # Safety
///
/// `ts` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Next(ts: *mut ThreadState) -> *mut ThreadState {
    // SAFETY: as promised.
    unsafe { (*ts).next.get() }
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
