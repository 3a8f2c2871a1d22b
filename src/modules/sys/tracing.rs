//! `settrace`, `setprofile` and what belongs to them.

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;
use crate::vm::monitoring::legacy::{self, TraceFunction};

/// What a Python function becomes: the C function that calls it, and itself.
fn hook(function: &PyObject, call: TraceFunction) -> (Option<TraceFunction>, Option<PyRef>) {
    if is_none(function) { (None, None) } else { (Some(call), Some(function.new_ref())) }
}

fn audit(ts: &ThreadState, event: &str) -> PyResult<()> {
    super::auditing::event(ts, event, &[])
}

/// `sys.settrace(function)`.
pub fn settrace(ts: &ThreadState, _: &PyObject, function: &PyObject) -> PyResult {
    audit(ts, "sys.settrace")?;
    let (call, object) = hook(function, legacy::trace_python);
    legacy::set_trace(ts, ts, call, object);
    Ok(ts.none())
}

/// `sys.gettrace()`.
pub fn gettrace(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(ts.trace.object().unwrap_or_else(|| ts.none()))
}

/// `sys.setprofile(function)`.
pub fn setprofile(ts: &ThreadState, _: &PyObject, function: &PyObject) -> PyResult {
    audit(ts, "sys.setprofile")?;
    let (call, object) = hook(function, legacy::profile_python);
    legacy::set_profile(ts, ts, call, object);
    Ok(ts.none())
}

/// `sys.getprofile()`.
pub fn getprofile(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(ts.profile.object().unwrap_or_else(|| ts.none()))
}

/// `sys._settraceallthreads(function)`.
pub fn settrace_all_threads(ts: &ThreadState, _: &PyObject, function: &PyObject) -> PyResult {
    audit(ts, "sys.settrace")?;
    ts.interp().for_each_thread(|thread| {
        let (call, object) = hook(function, legacy::trace_python);
        legacy::set_trace(ts, thread, call, object);
    });
    Ok(ts.none())
}

/// `sys._setprofileallthreads(function)`.
pub fn setprofile_all_threads(ts: &ThreadState, _: &PyObject, function: &PyObject) -> PyResult {
    audit(ts, "sys.setprofile")?;
    ts.interp().for_each_thread(|thread| {
        let (call, object) = hook(function, legacy::profile_python);
        legacy::set_profile(ts, thread, call, object);
    });
    Ok(ts.none())
}

/// `sys.call_tracing(function, args)`: from within a trace function, a call that is traced.
pub fn call_tracing(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "call_tracing", args.len(), 2, 2)?;
    let Some(arguments) = args[1].downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "call_tracing() argument 2 must be tuple, not {}", args[1].type_name());
    };
    let tracing = ts.tracing.replace(0);
    let what = ts.what_event.replace(-1);
    let result = call::call_tuple_dict(ts, args[0], arguments, None);
    ts.what_event.set(what);
    ts.tracing.set(tracing);
    result
}
