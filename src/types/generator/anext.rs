//! The awaitable that `anext(iterator, default)` returns.

use super::awaiting::awaitable_iter;
use super::resume;
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// An awaitable that gives a default where another one raises StopAsyncIteration.
#[repr(C)]
pub struct PyAnextAwaitable {
    ob_base: PyObject,
    wrapped: Slot<PyObject>,
    default: Slot<PyObject>,
}

native!(PyAnextAwaitable, ANEXT_AWAITABLE_TYPE);
crate::types::owned::owns!(PyAnextAwaitable: wrapped, default);

/// `anext_awaitable`.
#[unsafe(export_name = "_PyAnextAwaitable_Type")]
pub static ANEXT_AWAITABLE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"anext_awaitable",
    basicsize: size_of::<PyAnextAwaitable>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyAnextAwaitable::slot_dealloc),
        traverse: Some(PyAnextAwaitable::slot_traverse),
        clear: Some(PyAnextAwaitable::slot_clear),
        iter: Some(|_ts, o| Ok(o.new_ref())),
        iternext: Some(|ts, o| send(ts, o, none()).map(resume::to_item)),
        am_await: Some(|_ts, o| Ok(o.new_ref())),
        am_send: Some(send),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__next__", resume::next_value, "Implement next(self).").coexist(),
        MethodDef::positional("send", |ts, o, args| pass_on(ts, o, id!(send), args), ""),
        MethodDef::positional("throw", |ts, o, args| pass_on(ts, o, id!(throw), args), ""),
        MethodDef::positional("close", |ts, o, args| pass_on(ts, o, id!(close), args), ""),
    ],
    ..TypeSpec::EMPTY
});

/// `anext` with a default: an awaitable around the one that `__anext__` has returned.
pub fn anext_awaitable(ts: &ThreadState, awaitable: &PyObject, default: &PyObject) -> PyResult {
    let made = alloc::exact::<PyAnextAwaitable>(ts)?;
    made.wrapped.set(Some(awaitable.new_ref()));
    made.default.set(Some(default.new_ref()));
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn this(object: &PyObject) -> &PyAnextAwaitable {
    object.cast()
}

/// The iterator to run: coroutines have one only through their `__await__`.
fn iterator(ts: &ThreadState, object: &PyObject) -> PyResult {
    let wrapped = this(object).wrapped.get().unwrap_or_else(|| ts.none());
    let awaitable = awaitable_iter(ts, &wrapped)?;
    if protocol::is_iterator(&awaitable) {
        return Ok(awaitable);
    }
    let Some(getter) = awaitable.ob_type().slots().am_await else { return Ok(awaitable) };
    let iterator = getter(ts, &awaitable)?;
    if !protocol::is_iterator(&iterator) {
        return raise!(ts, exc::TypeError, "__await__() must return an iterable");
    }
    Ok(iterator)
}

/// The default, where the raised exception is StopAsyncIteration.
fn or_default(ts: &ThreadState, object: &PyObject, raised: Raised) -> PyResult {
    if !ts.raised_matches(&exc::StopAsyncIteration) {
        return Err(raised);
    }
    ts.clear_raised(raised);
    Ok(this(object).default.get().unwrap_or_else(|| ts.none()))
}

fn send(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<Sent> {
    let iterator = iterator(ts, object)?;
    match resume::send_to(ts, &iterator, value) {
        Ok(sent) => Ok(sent),
        Err(raised) => or_default(ts, object, raised).map(Sent::Returned),
    }
}

fn pass_on(ts: &ThreadState, object: &PyObject, method: &PyStr, args: &[&PyObject]) -> PyResult {
    let iterator = iterator(ts, object)?;
    match call::call_method(ts, &iterator, method, args) {
        Ok(value) => Ok(value),
        Err(raised) => {
            let value = or_default(ts, object, raised)?;
            Err(resume::stop_iteration(ts, &value))
        }
    }
}
