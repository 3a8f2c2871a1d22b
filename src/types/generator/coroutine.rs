//! `coroutine`: what an `async def` function returns, and the iterator that its `__await__` gives.

use super::attributes::{self, this};
use super::{PyGenerator, SLOTS, SPEC, resume};
use crate::native;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::types::tuple::PyTuple;
use crate::vm::frame::Frame;

const SEND_DOC: &str = "send(value) -> the next value that is yielded, or StopIteration with the result.";
const THROW_DOC: &str = "throw(exception) -> the next value that is yielded, or StopIteration with the result.";
const CLOSE_DOC: &str = "close()\n\nRaises GeneratorExit where the coroutine is suspended.";

/// `coroutine`.
#[unsafe(export_name = "PyCoro_Type")]
pub static COROUTINE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"coroutine",
    slots: TypeSlots {
        am_await: Some(wrapper),
        am_send: Some(|ts, o, value| resume::resume(ts, this(o), value)),
        ..SLOTS
    },
    methods: &[
        MethodDef::one("send", |ts, o, value| resume::send(ts, this(o), value), SEND_DOC),
        MethodDef::positional("throw", |ts, o, args| resume::throw_method(ts, this(o), args), THROW_DOC),
        MethodDef::no_args("close", |ts, o| resume::close(ts, this(o)), CLOSE_DOC),
        attributes::CLASS_GETITEM,
    ],
    getset: &[
        attributes::NAME,
        attributes::QUALNAME,
        GetSetDef::get("cr_await", attributes::delegate, "the object that is awaited, or None"),
        GetSetDef::get("cr_running", attributes::running, ""),
        GetSetDef::get("cr_frame", attributes::frame, ""),
        GetSetDef::get("cr_code", attributes::code, ""),
        GetSetDef::get("cr_suspended", attributes::suspended, ""),
        GetSetDef::get("cr_origin", |ts, o| Ok(this(o).origin_or_finalizer.get().unwrap_or_else(|| ts.none())), ""),
    ],
    ..SPEC
});

/// Where a coroutine is made, for `cr_origin`: (file, line, name) of the frames from `frame` down, as many
/// as `sys.set_coroutine_origin_tracking_depth` says.
#[cold]
pub(super) fn origin(ts: &ThreadState, frame: *const Frame) -> PyResult {
    let mut entries = hognose_allocators::collections::TryVec::<PyRef>::new();
    let mut at = frame;
    while entries.len() < ts.coroutine_origin_depth.get() as usize {
        // SAFETY: the frames below a running one are alive.
        let Some(frame) = (unsafe { at.as_ref() }) else { break };
        let line = PyInt::from_i64(ts, frame.line().unwrap_or(-1).into())?;
        let code = frame.code();
        let entry = PyTuple::new(ts, &[code.filename().as_object(), &line, code.name().as_object()])?;
        entries.try_push(entry.into_object())?;
        at = frame.previous;
    }
    Ok(PyTuple::from_vec(ts, entries)?.into_object())
}

/// Warns that a coroutine dies without having begun; through `warnings`, which shows its origin.
#[cold]
pub(super) fn warn_never_awaited(ts: &ThreadState, coroutine: &PyGenerator) {
    let object = coroutine.as_object();
    let mut warned = false;
    if let Ok(function) = attr_of_warnings(ts) {
        match call::call_with(ts, &function, &[object]) {
            Ok(_) => warned = true,
            Err(raised) => {
                warned = ts.raised_matches(&exc::RuntimeWarning);
                exc::write_unraisable(ts, raised, Some("finalizing coroutine"), object);
            }
        }
    }
    if !warned {
        let result = match coroutine.qualname.get() {
            Some(name) => super::async_gen::warn_text(ts, format_args!("coroutine '{}' was never awaited", &*name)),
            None => Ok(()),
        };
        if let Err(raised) = result {
            exc::write_unraisable(ts, raised, Some("finalizing coroutine"), object);
        }
    }
}

fn attr_of_warnings(ts: &ThreadState) -> Result<PyRef, ()> {
    protocol::import_attr(ts, "warnings", "_warn_unawaited_coroutine").map_err(|raised| ts.clear_raised(raised))
}

/// The iterator behind `coroutine.__await__()`.
#[repr(C)]
pub struct PyCoroutineWrapper {
    ob_base: PyObject,
    coroutine: Slot<PyGenerator>,
}

native!(PyCoroutineWrapper, COROUTINE_WRAPPER_TYPE);
crate::types::owned::owns!(PyCoroutineWrapper: coroutine);

/// `coroutine_wrapper`.
#[unsafe(export_name = "_PyCoroWrapper_Type")]
pub static COROUTINE_WRAPPER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"coroutine_wrapper",
    basicsize: size_of::<PyCoroutineWrapper>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "The iterator that a coroutine's __await__ returns.",
    slots: TypeSlots {
        dealloc: Some(PyCoroutineWrapper::slot_dealloc),
        traverse: Some(PyCoroutineWrapper::slot_traverse),
        clear: Some(PyCoroutineWrapper::slot_clear),
        iter: Some(|_ts, o| Ok(o.new_ref())),
        iternext: Some(|ts, o| resume::resume(ts, &wrapped(o), none()).map(resume::to_item)),
        am_send: Some(|ts, o, value| resume::resume(ts, &wrapped(o), value)),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__next__", resume::next_value, "Implement next(self).").coexist(),
        MethodDef::one("send", |ts, o, value| resume::send(ts, &wrapped(o), value), SEND_DOC),
        MethodDef::positional("throw", |ts, o, args| resume::throw_method(ts, &wrapped(o), args), THROW_DOC),
        MethodDef::no_args("close", |ts, o| resume::close(ts, &wrapped(o)), CLOSE_DOC),
    ],
    ..TypeSpec::EMPTY
});

fn wrapper(ts: &ThreadState, coroutine: &PyObject) -> PyResult {
    let made = alloc::exact::<PyCoroutineWrapper>(ts)?;
    made.coroutine.set(Some(Ref::from_borrowed(this(coroutine))));
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn wrapped(object: &PyObject) -> Ref<PyGenerator> {
    match object.cast::<PyCoroutineWrapper>().coroutine.get() {
        Some(coroutine) => coroutine,
        None => unreachable!("only garbage is without its coroutine"),
    }
}
