//! What `await`, `async for`, `async with` and `yield from` find in an object.

use super::{ASYNC_GEN_TYPE, COROUTINE_TYPE, PyGenerator, is_iterable_coroutine};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::{CO_COROUTINE, CO_ITERABLE_COROUTINE, PyCode};
use crate::types::exceptions::{self as exc, PyBaseException};

fn is_coroutine(object: &PyObject) -> bool {
    core::ptr::eq(object.ob_type(), &*COROUTINE_TYPE)
}

/// The iterator that awaiting an object runs: a coroutine itself, or what its `__await__` returns.
pub(super) fn awaitable_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    if is_coroutine(object) || is_iterable_coroutine(object) {
        return Ok(object.new_ref());
    }
    let Some(getter) = object.ob_type().slots().am_await else {
        return raise!(ts, exc::TypeError, "'{}' object can't be awaited", object.type_name());
    };
    let iterator = getter(ts, object)?;
    if is_coroutine(&iterator) || is_iterable_coroutine(&iterator) {
        return raise!(ts, exc::TypeError, "__await__() returned a coroutine");
    }
    if !protocol::is_iterator(&iterator) {
        return raise!(ts, exc::TypeError, "__await__() returned non-iterator of type '{}'", iterator.type_name());
    }
    Ok(iterator)
}

/// GET_AWAITABLE. `place` is 1 for the result of `__aenter__`, 2 for that of `__aexit__`, for better messages.
#[inline]
pub fn get_awaitable(ts: &ThreadState, object: &PyObject, place: usize) -> PyResult {
    if is_coroutine(object) {
        if object.cast::<PyGenerator>().yield_from().is_some() {
            return raise!(ts, exc::RuntimeError, "coroutine is being awaited already");
        }
        return Ok(object.new_ref());
    }
    if (place == 1 || place == 2) && object.ob_type().slots().am_await.is_none() && !is_iterable_coroutine(object) {
        let method = if place == 1 { "__aenter__" } else { "__aexit__" };
        return raise!(
            ts,
            exc::TypeError,
            "'async with' received an object from {method} that does not implement __await__: {}",
            object.type_name()
        );
    }
    awaitable_iter(ts, object)
}

/// GET_AITER: the asynchronous iterator of an object.
pub fn get_aiter(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(getter) = object.ob_type().slots().am_aiter else {
        return raise!(
            ts,
            exc::TypeError,
            "'async for' requires an object with __aiter__ method, got {}",
            object.type_name()
        );
    };
    let iterator = getter(ts, object)?;
    if iterator.ob_type().slots().am_anext.is_none() {
        return raise!(
            ts,
            exc::TypeError,
            "'async for' received an object from __aiter__ that does not implement __anext__: {}",
            iterator.type_name()
        );
    }
    Ok(iterator)
}

/// GET_ANEXT: what to await for the next item.
pub fn get_anext(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    if core::ptr::eq(iterator.ob_type(), &*ASYNC_GEN_TYPE) {
        return super::async_gen::anext(ts, iterator);
    }
    let Some(getter) = iterator.ob_type().slots().am_anext else {
        return raise!(
            ts,
            exc::TypeError,
            "'async for' requires an iterator with __anext__ method, got {}",
            iterator.type_name()
        );
    };
    let next = getter(ts, iterator)?;
    match awaitable_iter(ts, &next) {
        Ok(awaitable) => Ok(awaitable),
        Err(raised) => {
            let cause = ts.take_raised(raised);
            let raised = ts.raise_fmt(
                &exc::TypeError,
                format_args!("'async for' received an invalid object from __anext__: {}", next.type_name()),
            );
            Err(from_cause(ts, raised, cause))
        }
    }
}

/// Adds a cause to a raised exception.
fn from_cause(ts: &ThreadState, raised: Raised, cause: PyRef) -> Raised {
    let error = ts.take_raised(raised);
    if let Some(base) = error.downcast::<PyBaseException>() {
        base.cause.set(Some(cause.clone()));
        base.context.set(Some(cause));
        base.suppress_context.set(true);
    }
    ts.restore_raised(error)
}

/// GET_YIELD_FROM_ITER: what a `yield from` in `code` iterates.
pub fn yield_from_iter(ts: &ThreadState, object: &PyObject, code: &PyCode) -> PyResult {
    if is_coroutine(object) {
        if code.co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) == 0 {
            return raise!(ts, exc::TypeError, "cannot 'yield from' a coroutine object in a non-coroutine generator");
        }
        return Ok(object.new_ref());
    }
    if object.downcast_exact::<PyGenerator>().is_some() {
        return Ok(object.new_ref());
    }
    protocol::iter(ts, object)
}
