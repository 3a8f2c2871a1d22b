//! `_tracemalloc`: what the standard library's `tracemalloc` stands on. The work is done in `crate::tracemalloc`.

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::tracemalloc;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_tracemalloc",
    doc: "Which line allocated what is alive: the native part of tracemalloc.",
    methods: &[
        MethodDef::no_args(
            "is_tracing",
            |ts, _| Ok(py_bool(tracemalloc::is_tracing(ts))),
            "is_tracing($module, /)\n--\n\nWhether allocations are recorded.",
        ),
        MethodDef::no_args(
            "clear_traces",
            |ts, _| {
                tracemalloc::clear(ts);
                Ok(ts.none())
            },
            "clear_traces($module, /)\n--\n\nForget what has been recorded so far.",
        ),
        MethodDef::no_args(
            "_get_traces",
            |ts, _| tracemalloc::traces(ts),
            "_get_traces($module, /)\n--\n\nThe recorded blocks: a list of (domain, size, traceback, total_nframe).",
        ),
        MethodDef::one(
            "_get_object_traceback",
            |ts, _, object| tracemalloc::object_traceback(ts, object),
            "_get_object_traceback($module, obj, /)\n--\n\nWhere the memory of an object was allocated; None if it is not known.",
        ),
        MethodDef::positional(
            "start",
            start,
            "start($module, nframe=1, /)\n--\n\nBegin to record allocations, with up to nframe frames each.",
        ),
        MethodDef::no_args(
            "stop",
            |ts, _| {
                tracemalloc::stop(ts);
                Ok(ts.none())
            },
            "stop($module, /)\n--\n\nEnd recording, and forget what has been recorded.",
        ),
        MethodDef::no_args(
            "get_traceback_limit",
            |ts, _| PyInt::from_usize(ts, ts.interp().traceback_limit.get()),
            "get_traceback_limit($module, /)\n--\n\nHow many frames of a traceback are recorded at most.",
        ),
        MethodDef::no_args(
            "get_tracemalloc_memory",
            |ts, _| PyInt::from_usize(ts, tracemalloc::memory(ts)),
            "get_tracemalloc_memory($module, /)\n--\n\nThe bytes that recording itself takes.",
        ),
        MethodDef::no_args(
            "get_traced_memory",
            get_traced_memory,
            "get_traced_memory($module, /)\n--\n\nThe recorded bytes, now and at their peak: (current, peak).",
        ),
        MethodDef::no_args(
            "reset_peak",
            |ts, _| {
                tracemalloc::reset_peak(ts);
                Ok(ts.none())
            },
            "reset_peak($module, /)\n--\n\nMake the peak what is recorded now.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

fn start(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "start", args.len(), 0, 1)?;
    let frames = match args {
        [frames, ..] => protocol::as_i32(ts, frames)?,
        [] => 1,
    };
    start_with(ts, usize::try_from(frames).unwrap_or(0))?;
    Ok(ts.none())
}

/// Begins to trace; ValueError for a number of frames that cannot be.
pub fn start_with(ts: &ThreadState, frames: usize) -> PyResult<()> {
    if !(1..=tracemalloc::MOST_FRAMES).contains(&frames) {
        return raise!(ts, exc::ValueError, "the number of frames must be in range [1; {}]", tracemalloc::MOST_FRAMES);
    }
    if !ts.interp().owns_heap.get() {
        return raise!(ts, exc::RuntimeError, "the main interpreter traces the heap that this interpreter uses");
    }
    Ok(tracemalloc::start(ts, frames)?)
}

fn get_traced_memory(ts: &ThreadState, _: &PyObject) -> PyResult {
    let (current, peak) = tracemalloc::traced_memory(ts);
    let (current, peak) = (PyInt::from_usize(ts, current)?, PyInt::from_usize(ts, peak)?);
    Ok(PyTuple::pair(ts, &current, &peak)?.into_object())
}
