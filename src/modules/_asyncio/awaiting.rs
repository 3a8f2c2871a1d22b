//! What awaiting a future iterates over: the future itself once, then its result.

use super::future::{PyFuture, future};
use super::not_initialized;
use crate::object::slots::Sent;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::traceback::PyTraceback;

/// An iterator over a future.
#[repr(C)]
pub(super) struct PyFutureIter {
    ob_base: PyObject,
    /// None once it has ended.
    future: Slot<PyFuture>,
}
crate::native!(PyFutureIter, FUTURE_ITER_TYPE);
owns!(PyFutureIter: future);

/// `_asyncio.FutureIter`.
pub(super) static FUTURE_ITER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_asyncio.FutureIter",
    basicsize: size_of::<PyFutureIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots {
        dealloc: Some(PyFutureIter::slot_dealloc),
        traverse: Some(PyFutureIter::slot_traverse),
        clear: Some(PyFutureIter::slot_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(|ts, this| match send(ts, this, none())? {
            Sent::Yielded(item) => Ok(Some(item)),
            Sent::Returned(_) => Ok(None),
        }),
        am_send: Some(send),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__next__", |ts, this| to_object(ts, send(ts, this, none())?), "Implement next(self).")
            .coexist(),
        MethodDef::one("send", |ts, this, value| to_object(ts, send(ts, this, value)?), ""),
        MethodDef::positional("throw", throw, ""),
        MethodDef::no_args(
            "close",
            |ts, this| {
                this.cast::<PyFutureIter>().future.set(None);
                Ok(ts.none())
            },
            "",
        ),
    ],
    ..TypeSpec::EMPTY
});

/// `iter(future)` and `await future`.
pub(super) fn iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    if !future(this).event_loop.is_some() {
        return not_initialized(ts);
    }
    let made = alloc::exact::<PyFutureIter>(ts)?;
    made.future.set(Some(Ref::from_borrowed(future(this))));
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn send(ts: &ThreadState, this: &PyObject, _: &PyObject) -> PyResult<Sent> {
    let this = this.cast::<PyFutureIter>();
    let Some(fut) = this.future.get() else { return Ok(Sent::Returned(ts.none())) };
    if !fut.is_done() {
        if fut.is_blocking.replace(true) {
            fut.is_blocking.set(true);
            return raise!(ts, exc::RuntimeError, "await wasn't used with future");
        }
        return Ok(Sent::Yielded(fut.into_object()));
    }
    this.future.set(None);
    fut.take_result(ts).map(Sent::Returned)
}

fn to_object(ts: &ThreadState, sent: Sent) -> PyResult {
    match sent {
        Sent::Yielded(item) => Ok(item),
        Sent::Returned(value) => Err(exc::raise_stop_iteration(ts, value)),
    }
}

fn throw(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "throw", args.len(), 1, 3)?;
    if args.len() > 1 {
        crate::modules::_warnings::warn(
            ts,
            &exc::DeprecationWarning,
            "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
            1,
        )?;
    }
    let value = args.get(1).filter(|value| !is_none(value));
    let traceback = args.get(2).filter(|traceback| !is_none(traceback));
    if traceback.is_some_and(|traceback| !traceback.is_a::<PyTraceback>()) {
        return raise!(ts, exc::TypeError, "throw() third argument must be a traceback");
    }
    this.cast::<PyFutureIter>().future.set(None);
    let error = if let Some(class) = args[0].downcast::<PyTypeObject>()
        && class.is_subtype(&exc::BaseException)
    {
        exc::normalize(ts, class, value.copied())?
    } else if args[0].is_a::<PyBaseException>() {
        if value.is_some() {
            return raise!(ts, exc::TypeError, "instance exception may not have a separate value");
        }
        args[0].new_ref()
    } else {
        let found = args[0].type_name();
        return raise!(
            ts,
            exc::TypeError,
            "exceptions must be classes deriving BaseException or instances of such a class, not {found}"
        );
    };
    if let Some(traceback) = traceback.and_then(|traceback| traceback.downcast::<PyTraceback>()) {
        error.cast::<PyBaseException>().traceback.set(Some(traceback.new_ref()));
    }
    Err(ts.restore_raised(error))
}
