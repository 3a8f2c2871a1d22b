//! `_ThreadHandle`: what a `threading.Thread` knows its thread by.

use core::cell::Cell;

use super::{lock, seconds};
use crate::object::{
    Args, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, alloc, call,
    flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// How far a thread has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Progress {
    NotStarted = 0,
    Running,
    Done,
}

/// A thread's handle.
#[repr(C)]
pub(super) struct PyThreadHandle {
    ob_base: PyObject,
    ident: Cell<u64>,
    progress: Cell<Progress>,
}

crate::native!(PyThreadHandle, HANDLE_TYPE);

/// `_thread._ThreadHandle`.
pub(super) static HANDLE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_thread._ThreadHandle",
    basicsize: size_of::<PyThreadHandle>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        new: Some(handle_new),
        dealloc: Some(handle_dealloc),
        traverse: Some(|_, _| core::ops::ControlFlow::Continue(())),
        repr: Some(handle_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional("join", join, "join($self, timeout=None, /)\n--\n\nWait until the thread has ended."),
        MethodDef::no_args("_set_done", set_done, "_set_done($self, /)\n--\n\nSay that the thread has ended."),
        MethodDef::no_args(
            "is_done",
            |_, this| Ok(py_bool(this.cast::<PyThreadHandle>().progress.get() == Progress::Done)),
            "is_done($self, /)\n--\n\nWhether the thread has ended.",
        ),
    ],
    getset: &[GetSetDef::get("ident", |ts, this| PyInt::from_u64(ts, this.cast::<PyThreadHandle>().ident.get()), "")],
    ..TypeSpec::EMPTY
});

fn make(ts: &ThreadState, ident: u64, progress: Progress) -> PyResult<Ref<PyThreadHandle>> {
    let handle = alloc::exact::<PyThreadHandle>(ts)?;
    handle.ident.set(ident);
    handle.progress.set(progress);
    gc::track(ts, &*handle);
    Ok(handle)
}

fn handle_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "_ThreadHandle() takes no arguments");
    }
    Ok(make(ts, 0, Progress::NotStarted)?.into_object())
}

/// `_make_thread_handle(ident)`.
pub(super) fn make_thread_handle(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "_make_thread_handle")?;
    call::check_count(ts, "_make_thread_handle", args.len(), 1, 1)?;
    let Some(ident) = args[0].downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "ident must be an integer");
    };
    let ident = ident.to_u64(ts)?;
    Ok(make(ts, ident, Progress::Running)?.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn handle_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a handle whose count is zero.
    unsafe {
        gc::untrack(&*object);
        alloc::free(ts, object);
    }
}

fn join(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "join", args.len(), 0, 1)?;
    let patience = match args.first().filter(|timeout| !is_none(timeout)) {
        None => lock::Patience::Forever,
        Some(timeout) => match seconds(ts, timeout)? {
            Some(seconds) if seconds >= 0.0 => lock::Patience::Seconds(seconds.min(lock::TIMEOUT_MAX)),
            _ => lock::Patience::Forever,
        },
    };
    let handle = object.cast::<PyThreadHandle>();
    if handle.progress.get() == Progress::NotStarted {
        return raise!(ts, exc::RuntimeError, "thread not started");
    }
    if handle.progress.get() != Progress::Done && handle.ident.get() == crate::sync::thread_ident() {
        return raise!(ts, exc::RuntimeError, "Cannot join current thread");
    }
    lock::wait(ts, patience, || handle.progress.get() == Progress::Done)?;
    Ok(ts.none())
}

fn set_done(ts: &ThreadState, object: &PyObject) -> PyResult {
    let handle = object.cast::<PyThreadHandle>();
    if handle.progress.get() == Progress::NotStarted {
        return raise!(ts, exc::RuntimeError, "thread not started");
    }
    handle.progress.set(Progress::Done);
    Ok(ts.none())
}

fn handle_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let ident = object.cast::<PyThreadHandle>().ident.get();
    Ok(PyStr::format(ts, format_args!("<_ThreadHandle object: ident={ident}>"))?.into_object())
}
