//! `_ThreadHandle`: what a `threading.Thread` knows its thread by.

use core::mem::ManuallyDrop;

use super::record::{self, Shared};
use super::{lock, seconds, start};
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

/// A thread's handle.
#[repr(C)]
pub(super) struct PyThreadHandle {
    ob_base: PyObject,
    /// Dropped by `dealloc`.
    record: ManuallyDrop<Shared>,
}

impl PyThreadHandle {
    pub(super) fn record(&self) -> &Shared {
        &self.record
    }
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
            |_, this| Ok(py_bool(this.cast::<PyThreadHandle>().record.is(record::DONE))),
            "is_done($self, /)\n--\n\nWhether the thread has ended.",
        ),
    ],
    getset: &[GetSetDef::get(
        "ident",
        |ts, this| PyInt::from_u64(ts, this.cast::<PyThreadHandle>().record.ident.get()),
        "",
    )],
    ..TypeSpec::EMPTY
});

/// A handle of a thread that was not started.
pub(super) fn make(ts: &ThreadState) -> PyResult<Ref<PyThreadHandle>> {
    let record = Shared::new()?;
    let handle = alloc::exact::<PyThreadHandle>(ts)?;
    // SAFETY: the field is written before anybody sees the object; its memory has no value yet.
    unsafe { (&raw const handle.record).cast_mut().write(ManuallyDrop::new(record)) };
    gc::track(ts, &*handle);
    Ok(handle)
}

fn handle_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "_ThreadHandle() takes no arguments");
    }
    Ok(make(ts)?.into_object())
}

/// `_make_thread_handle(ident)`.
pub(super) fn make_thread_handle(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "_make_thread_handle")?;
    call::check_count(ts, "_make_thread_handle", args.len(), 1, 1)?;
    let Some(ident) = args[0].downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "ident must be an integer");
    };
    let ident = ident.to_u64(ts)?;
    let handle = make(ts)?;
    handle.record.ident.set(ident);
    handle.record.set(record::RUNNING);
    // In the child of a fork that another thread made, the thread is not there any more.
    handle.record.adopted.set(true);
    ts.interp().thread_records.add(&handle.record);
    Ok(handle.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn handle_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a handle whose count is zero.
    unsafe {
        gc::untrack(&*object);
        let record = &raw mut (*object.cast::<PyThreadHandle>()).record;
        let known: &record::Record = &*record;
        if known.adopted.get() {
            ts.interp().thread_records.remove(known);
        }
        ManuallyDrop::drop(&mut *record);
        alloc::free(ts, object);
    }
}

fn join(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "join", args.len(), 0, 1)?;
    let deadline = match args.first().filter(|timeout| !is_none(timeout)) {
        None => None,
        Some(timeout) => match seconds(ts, timeout)? {
            Some(seconds) if seconds >= 0.0 => Some(lock::deadline(seconds.min(lock::TIMEOUT_MAX))),
            _ => None,
        },
    };
    // The handle may go while the thread waits.
    let record = object.cast::<PyThreadHandle>().record().clone();
    start::join(ts, &record, deadline)?;
    Ok(ts.none())
}

fn set_done(ts: &ThreadState, object: &PyObject) -> PyResult {
    let record = &object.cast::<PyThreadHandle>().record;
    if record.is(record::NOT_STARTED) {
        return raise!(ts, exc::RuntimeError, "thread not started");
    }
    record.finish();
    ts.interp().thread_records.remove(record);
    Ok(ts.none())
}

fn handle_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let ident = object.cast::<PyThreadHandle>().record.ident.get();
    Ok(PyStr::format(ts, format_args!("<_ThreadHandle object: ident={ident}>"))?.into_object())
}
