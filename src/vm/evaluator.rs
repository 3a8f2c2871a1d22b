//! A function of C in the place of the evaluation loop (PEP 523).
//!
//! ```text
//!   call ──► eval_frame ──► the interpreter's evaluator ──► _PyEval_EvalFrameDefault ──► the loop
//!                  └──────────────── none ──────────────────────────────────────────────────┘
//! ```
//!
//! An interpreter that has one runs the watching loop ([`super::monitoring`]), which calls Python functions natively
//! then, one evaluator for each frame. The plain loop knows nothing of it.
//!
//! E1: `ThreadState::handed_over` is the frame that an evaluator has got and that the loop has not begun; what the
//! evaluator leaves so is ended when it returns.

use core::cell::Cell;
use core::ffi::c_int;

use super::eval::{self, Entry};
use super::frame::Frame;
use crate::capi::border;
use crate::object::{PyObject, PyResult};
use crate::state::{InterpreterState, ThreadState};

/// Runs a frame: a new reference to the result, or null with an exception (`_PyFrameEvalFunction`). With a `throwflag`
/// that is not 0 an exception is set, which the frame's current instruction raises.
pub type EvalFunction =
    unsafe extern "C" fn(ts: *mut ThreadState, frame: *mut Frame, throwflag: c_int) -> *mut PyObject;

/// What runs an interpreter's frames.
pub struct Evaluator(Cell<Option<EvalFunction>>);

impl Evaluator {
    /// The evaluation loop.
    pub const fn new() -> Evaluator {
        Evaluator(Cell::new(None))
    }

    /// The function, when there is one.
    #[inline(always)]
    pub fn get(&self) -> Option<EvalFunction> {
        self.0.get()
    }
}

impl Default for Evaluator {
    fn default() -> Evaluator {
        Evaluator::new()
    }
}

/// Has a function run the interpreter's frames, those that are entered from now on; `None`: the loop. The interpreter's
/// GIL is held.
pub fn set(interp: &InterpreterState, function: Option<EvalFunction>) {
    interp.evaluator.0.set(function);
    interp.monitoring.evaluator_changed(interp);
}

/// Has the function run a frame, which is whole, new or suspended.
#[cold]
#[inline(never)]
pub(super) fn run(ts: &ThreadState, frame: *mut Frame, entry: Entry, function: EvalFunction) -> PyResult {
    let thrown = entry == Entry::Throw;
    if let Err(raised) = ts.check_native_stack("") {
        // SAFETY: the frame was not begun.
        unsafe { eval::end_unbegun(ts, frame) };
        return Err(raised);
    }
    // E1.
    let outer = ts.handed_over.replace(frame);
    // SAFETY: the C program has promised that its function can be called.
    let value = unsafe { function(core::ptr::from_ref(ts).cast_mut(), frame, thrown.into()) };
    if core::ptr::eq(ts.handed_over.replace(outer), frame) {
        let pending = ts.current_exception.take();
        // SAFETY: E1: the frame was not begun.
        unsafe { eval::end_unbegun(ts, frame) };
        ts.current_exception.set(pending);
    }
    border::from_c(ts, value, "the frame evaluation function")
}

/// What an evaluator calls to have the loop run a frame.
///
/// # Safety
/// The frame is one that the evaluator has got, and was not run before.
pub unsafe fn run_default(ts: &ThreadState, frame: *mut Frame, entry: Entry) -> PyResult {
    if core::ptr::eq(ts.handed_over.get(), frame) {
        ts.handed_over.set(core::ptr::null_mut());
    }
    eval::eval_frame_in_loop(ts, frame, entry)
}
