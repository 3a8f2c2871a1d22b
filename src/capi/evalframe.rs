//! The function that runs an interpreter's frames (PEP 523). Declared in `pystate.h`.

use core::ffi::c_int;

use super::convert::guard;
use crate::object::{AsObject, PyObject, PyRef};
use crate::state::{InterpreterState, ThreadState};
use crate::vm::eval::Entry;
use crate::vm::evaluator::{self, EvalFunction};
use crate::vm::frame::Frame;

/// What runs an interpreter's frames; never null.
///
/// # Safety
///
/// `interp` is live, its GIL is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyInterpreterState_GetEvalFrameFunc(interp: *mut InterpreterState) -> EvalFunction {
    // SAFETY: as promised.
    unsafe { (*interp).evaluator.get() }.unwrap_or(_PyEval_EvalFrameDefault)
}

/// Has a function run the frames of an interpreter that are entered from now on; null, or the default, is the loop.
///
/// # Safety
///
/// `interp` is live, its GIL is held; the function can be called as long as it is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyInterpreterState_SetEvalFrameFunc(
    interp: *mut InterpreterState,
    function: Option<EvalFunction>,
) {
    let function = function.filter(|function| *function as usize != _PyEval_EvalFrameDefault as *const () as usize);
    // SAFETY: as promised.
    evaluator::set(unsafe { &*interp }, function);
}

/// Runs a frame in the evaluation loop.
///
/// # Safety
///
/// `ts` is the attached state; `frame` and `throwflag` are what a function that was set has got, and were not run before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyEval_EvalFrameDefault(
    _ts: *mut ThreadState,
    frame: *mut Frame,
    throwflag: c_int,
) -> *mut PyObject {
    guard::<PyRef>("_PyEval_EvalFrameDefault", |ts| {
        let entry = if throwflag == 0 { Entry::Run } else { Entry::Throw };
        // SAFETY: as promised.
        unsafe { evaluator::run_default(ts, frame, entry) }
    })
}

/// A frame's code object, as a new reference.
///
/// # Safety
///
/// The frame runs, or is about to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_InterpreterFrame_GetCode(frame: *mut Frame) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { (*frame).code() }.as_object().new_ref().into_ptr()
}

/// The offset of a frame's current instruction in bytes.
///
/// # Safety
///
/// The frame runs, or is about to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_InterpreterFrame_GetLasti(frame: *mut Frame) -> c_int {
    // SAFETY: as promised.
    unsafe { (*frame).lasti() }
}

/// The line of a frame's current instruction; -1 when it has none.
///
/// # Safety
///
/// The frame runs, or is about to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_InterpreterFrame_GetLine(frame: *mut Frame) -> c_int {
    // SAFETY: as promised.
    unsafe { (*frame).line() }.unwrap_or(-1)
}
