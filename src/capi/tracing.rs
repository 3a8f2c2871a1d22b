//! Trace and profile functions (`ceval.h`).

use super::convert::Void;
use crate::capi;
use crate::object::{PyObject, PyRef};
use crate::vm::monitoring::legacy::{self, TraceFunction};

capi! {
    /// Sets the thread's trace function, with the object that it gets first; null removes it.
    fn PyEval_SetTrace(ts, function: Option<TraceFunction>, object: Option<&PyObject>) -> Void {
        legacy::set_trace(ts, ts, function, object.map(PyRef::from_borrowed));
        Ok(Void)
    }

    /// Sets the thread's profile function, with the object that it gets first; null removes it.
    fn PyEval_SetProfile(ts, function: Option<TraceFunction>, object: Option<&PyObject>) -> Void {
        legacy::set_profile(ts, ts, function, object.map(PyRef::from_borrowed));
        Ok(Void)
    }

    /// [`PyEval_SetTrace`] for each thread of the interpreter.
    fn PyEval_SetTraceAllThreads(ts, function: Option<TraceFunction>, object: Option<&PyObject>) -> Void {
        ts.interp().for_each_thread(|thread| {
            legacy::set_trace(ts, thread, function, object.map(PyRef::from_borrowed));
        });
        Ok(Void)
    }

    /// [`PyEval_SetProfile`] for each thread of the interpreter.
    fn PyEval_SetProfileAllThreads(ts, function: Option<TraceFunction>, object: Option<&PyObject>) -> Void {
        ts.interp().for_each_thread(|thread| {
            legacy::set_profile(ts, thread, function, object.map(PyRef::from_borrowed));
        });
        Ok(Void)
    }
}
