//! Running a task up to its next wait.

use super::future::PyFuture;
use super::registry;
use super::task::{PyTask, cancel_other, put_aside, task};
use super::{asyncio_exception, call_soon, call_with_keyword, invalid_state};
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::generator::{GENERATOR_TYPE, send_to};
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::{id, raise};

/// What the event loop calls to let a task go on: with an exception, or without.
#[repr(C)]
pub(super) struct PyStep {
    ob_base: PyObject,
    task: Slot<PyTask>,
    error: Slot<PyObject>,
}
crate::native!(PyStep, STEP_TYPE);
owns!(PyStep: task, error);

/// `TaskStepMethWrapper`.
pub(super) static STEP_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_asyncio.TaskStepMethWrapper",
    basicsize: size_of::<PyStep>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots {
        dealloc: Some(PyStep::slot_dealloc),
        traverse: Some(PyStep::slot_traverse),
        clear: Some(PyStep::slot_clear),
        call: Some(call_step),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get(
            "__self__",
            |ts, this| Ok(this.cast::<PyStep>().task.get().map_or_else(|| ts.none(), Ref::into_object)),
            "",
        ),
        GetSetDef::get(
            "__qualname__",
            |ts, this| match this.cast::<PyStep>().task.get() {
                Some(task) => protocol::repr(ts, task.as_object()).map(Ref::into_object),
                None => Ok(ts.none()),
            },
            "",
        ),
    ],
    ..TypeSpec::EMPTY
});

pub(super) fn new(ts: &ThreadState, this: &PyObject, error: Option<PyRef>) -> PyResult {
    let made = alloc::exact::<PyStep>(ts)?;
    made.task.set(Some(Ref::from_borrowed(task(this))));
    made.error.set(error);
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn call_step(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() {
        return raise!(ts, exc::TypeError, "function takes no keyword arguments");
    }
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "function takes no positional arguments");
    }
    let this = this.cast::<PyStep>();
    match this.task.get() {
        Some(task) => step(ts, task.as_object(), this.error.get()),
        None => Ok(ts.none()),
    }
}

/// One step, with the task as the one that its loop runs.
fn step(ts: &ThreadState, this: &PyObject, error: Option<PyRef>) -> PyResult {
    let event_loop = task(this).future.event_loop(ts)?;
    registry::enter_task(ts, &event_loop, this)?;
    let result = run(ts, this, error);
    put_aside(ts, result, |ts| registry::leave_task(ts, &event_loop, this))?;
    Ok(ts.none())
}

static WAKEUP: MethodDef = MethodDef::one("task_wakeup", wakeup, "");

/// The object as a future whose methods are the native ones: a subclass may have others.
fn exact_future(object: &PyObject) -> Option<&PyFuture> {
    if object.downcast_exact::<PyFuture>().is_some() || object.downcast_exact::<PyTask>().is_some() {
        return object.downcast::<PyFuture>();
    }
    None
}

/// The callback of what a task waits for.
fn wakeup_function(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyBuiltinFunction::new(ts, &WAKEUP, Some(this), None)
}

fn wakeup(ts: &ThreadState, this: &PyObject, waited_for: &PyObject) -> PyResult {
    if let Some(future) = waited_for.downcast::<PyFuture>() {
        future.discard_awaited_by(ts, this)?;
    }
    let result = match exact_future(waited_for) {
        Some(future) => future.event_loop(ts).and_then(|_| future.take_result(ts)),
        None => call::call_method(ts, waited_for, id!(result), &[]),
    };
    match result {
        Ok(_) => step(ts, this, None),
        Err(raised) => {
            let error = ts.take_raised(raised);
            step(ts, this, Some(error))
        }
    }
}

/// Lets the coroutine go on up to what it waits for next, or to its end.
pub(super) fn run(ts: &ThreadState, this: &PyObject, error: Option<PyRef>) -> PyResult<()> {
    let task = task(this);
    if task.future.is_done() {
        let shown = protocol::repr(ts, this)?;
        let error = protocol::repr(ts, error.as_deref().unwrap_or(none()))?;
        return invalid_state(ts, format_args!("__step(): already done: {shown} {error}"));
    }
    let mut error = error;
    if task.must_cancel.get() {
        let class = asyncio_exception(ts, "CancelledError")?;
        let is_cancelled = match &error {
            Some(error) => protocol::isinstance(ts, error, &class)?,
            None => false,
        };
        if !is_cancelled {
            error = Some(task.future.make_cancelled_error(ts)?);
        }
        task.must_cancel.set(false);
    }
    task.waits_for.set(None);
    let Some(coroutine) = task.coroutine.get() else {
        return raise!(ts, exc::RuntimeError, "uninitialized Task object");
    };
    let sent = match error {
        None => send_to(ts, &coroutine, none()),
        Some(error) => call::call_method(ts, &coroutine, id!(throw), &[&error]).map(Sent::Yielded),
    };
    match sent {
        Ok(Sent::Yielded(item)) => wait_for(ts, this, &item),
        Ok(Sent::Returned(value)) => finish(ts, this, &value),
        Err(raised) if ts.raised_matches(&exc::StopIteration) => {
            let stop = ts.take_raised(raised);
            let value = exc::stop_iteration_value(ts, &stop);
            finish(ts, this, &value)
        }
        Err(raised) => fail(ts, this, raised),
    }
}

/// The coroutine has returned.
fn finish(ts: &ThreadState, this: &PyObject, value: &PyObject) -> PyResult<()> {
    let task = task(this);
    let done = if task.must_cancel.replace(false) {
        // It was cancelled right before its end.
        let message = task.future.cancel_message.get();
        task.future.cancel(ts, this, message.as_deref()).map(drop)
    } else {
        task.future.set_result(ts, this, value)
    };
    task.links.unlink();
    done
}

/// The coroutine has raised.
fn fail(ts: &ThreadState, this: &PyObject, raised: Raised) -> PyResult<()> {
    let task = task(this);
    let error = ts.take_raised(raised);
    let class = asyncio_exception(ts, "CancelledError")?;
    task.links.unlink();
    if protocol::isinstance(ts, &error, &class)? {
        // Kept, so that it is chained later.
        task.future.cancelled_error.set(Some(error));
        return task.future.cancel(ts, this, None).map(drop);
    }
    task.future.set_exception(ts, this, &error)?;
    let typ = error.ob_type();
    if typ.is_subtype(&exc::KeyboardInterrupt) || typ.is_subtype(&exc::SystemExit) {
        return Err(ts.restore_raised(error));
    }
    Ok(())
}

/// Has the task go on with a RuntimeError.
#[cold]
fn go_on_with_error(ts: &ThreadState, this: &PyObject, message: core::fmt::Arguments<'_>) -> PyResult<()> {
    let message = PyStr::format(ts, message)?;
    let error = call::call_with(ts, exc::RuntimeError.as_object(), &[message.as_object()])?;
    debug_assert!(error.is_a::<PyBaseException>());
    go_on_soon(ts, this, Some(error))
}

fn go_on_soon(ts: &ThreadState, this: &PyObject, error: Option<PyRef>) -> PyResult<()> {
    let task = task(this);
    let callback = new(ts, this, error)?;
    call_soon(ts, &*task.future.event_loop(ts)?, &callback, None, task.context.get().as_deref())
}

/// The loop of a future of any make.
pub(super) fn loop_of(ts: &ThreadState, future: &PyObject) -> PyResult {
    if let Some(future) = future.downcast::<PyFuture>() {
        return future.event_loop(ts);
    }
    match attr::get_opt(ts, future, id!(get_loop))? {
        Some(method) => call::call0(ts, &method),
        None => attr::get(ts, future, id!(_loop)),
    }
}

/// The coroutine has yielded: usually a future to wait for.
fn wait_for(ts: &ThreadState, this: &PyObject, item: &PyObject) -> PyResult<()> {
    let task = task(this);
    if is_none(item) {
        // A bare yield gives way for one round of the loop.
        return go_on_soon(ts, this, None);
    }
    if item.is(this) {
        let shown = protocol::repr(ts, this)?;
        return go_on_with_error(ts, this, format_args!("Task cannot await on itself: {shown}"));
    }
    let native = exact_future(item);
    let is_blocking = match native {
        Some(future) => future.is_blocking.get(),
        None => match attr::get_opt(ts, item, id!(_asyncio_future_blocking))?.filter(|value| !is_none(value)) {
            Some(value) => protocol::is_true(ts, &value)?,
            None if core::ptr::eq(item.ob_type(), &*GENERATOR_TYPE) => {
                let (shown, item) = (protocol::repr(ts, this)?, protocol::repr(ts, item)?);
                return go_on_with_error(
                    ts,
                    this,
                    format_args!("yield was used instead of yield from for generator in task {shown} with {item}"),
                );
            }
            None => {
                let item = protocol::repr(ts, item)?;
                return go_on_with_error(ts, this, format_args!("Task got bad yield: {item}"));
            }
        },
    };
    let own_loop = task.future.event_loop(ts)?;
    if !loop_of(ts, item)?.is(&own_loop) {
        let (shown, item) = (protocol::repr(ts, this)?, protocol::repr(ts, item)?);
        return go_on_with_error(ts, this, format_args!("Task {shown} got Future {item} attached to a different loop"));
    }
    if !is_blocking {
        let (shown, item) = (protocol::repr(ts, this)?, protocol::repr(ts, item)?);
        return go_on_with_error(
            ts,
            this,
            format_args!("yield was used instead of yield from in task {shown} with {item}"),
        );
    }
    if let Some(future) = item.downcast::<PyFuture>() {
        future.add_awaited_by(ts, this)?;
    }
    let callback = wakeup_function(ts, this)?;
    let context = task.context.get().unwrap_or_else(|| ts.none());
    match native {
        Some(future) => {
            future.is_blocking.set(false);
            future.add_callback(ts, item, &callback, &context)?;
        }
        None => {
            attr::set(ts, item, id!(_asyncio_future_blocking), &crate::types::bool::py_bool(false))?;
            let method = attr::get(ts, item, id!(add_done_callback))?;
            call_with_keyword(ts, &method, Some(&callback), id!(context), &context)?;
        }
    }
    task.waits_for.set(Some(item.new_ref()));
    if task.must_cancel.get() {
        let message = task.future.cancel_message.get().unwrap_or_else(|| ts.none());
        if cancel_other(ts, item, &message)? {
            task.must_cancel.set(false);
        }
    }
    Ok(())
}
