//! `Task`: a coroutine that an event loop runs.

use core::cell::Cell;
use core::ops::ControlFlow;

use super::future::{self, FUTURE_TYPE, PyFuture, tell_loop};
use super::registry::{self, Links};
use super::{call_soon, call_with_keyword, step};
use crate::modules::_contextvars::context;
use crate::modules::_contextvars::context::PyContext;
use crate::modules::posix::system::parse;
use crate::object::weakref;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::generator::COROUTINE_TYPE;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::typ::subtype;
use crate::{id, raise};

/// A task.
#[repr(C)]
pub(super) struct PyTask {
    pub(super) future: PyFuture,
    /// What it waits for.
    pub(super) waits_for: Slot<PyObject>,
    pub(super) coroutine: Slot<PyObject>,
    /// A str, or the number for one that nobody has asked for yet.
    name: Slot<PyObject>,
    pub(super) context: Slot<PyObject>,
    pub(super) links: Links,
    cancels_requested: Cell<i64>,
    pub(super) must_cancel: Cell<bool>,
    /// Whether somebody should hear of its end when it is not done.
    logs_destroying: Cell<bool>,
}
crate::native!(PyTask, TASK_TYPE);

/// `_asyncio.Task`.
pub(super) static TASK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_asyncio.Task",
    basicsize: size_of::<PyTask>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::IMMUTABLE,
    base: Some(&FUTURE_TYPE),
    doc: "Task(coro, *, loop=None, name=None, context=None, eager_start=False)\n--\n\nA coroutine that an event loop runs.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        finalize: Some(finalize),
        repr: Some(|ts, this| {
            let function = protocol::import_attr(ts, "asyncio.base_tasks", "_task_repr")?;
            call::call_with(ts, &function, &[this])
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "set_result",
            |ts, _, _| raise!(ts, exc::RuntimeError, "Task does not support set_result operation"),
            "set_result($self, result, /)\n--\n\n",
        ),
        MethodDef::one(
            "set_exception",
            |ts, _, _| raise!(ts, exc::RuntimeError, "Task does not support set_exception operation"),
            "set_exception($self, exception, /)\n--\n\n",
        ),
        MethodDef::keywords(
            "cancel",
            cancel,
            "cancel($self, /, msg=None)\n--\n\nAsk the task to cancel itself: CancelledError is raised in its coroutine at the next occasion, which\nmay catch it. False when the task is done.",
        ),
        MethodDef::no_args(
            "cancelling",
            |ts, this| PyInt::from_i64(ts, task(this).cancels_requested.get()),
            "cancelling($self, /)\n--\n\nHow many requests to cancel the task there are.",
        ),
        MethodDef::no_args(
            "uncancel",
            uncancel,
            "uncancel($self, /)\n--\n\nTake a request to cancel the task back; returns how many are left.",
        ),
        MethodDef::keywords(
            "get_stack",
            get_stack,
            "get_stack($self, /, *, limit=None)\n--\n\nThe frames of the task's coroutine, the oldest first.",
        ),
        MethodDef::keywords(
            "print_stack",
            print_stack,
            "print_stack($self, /, *, limit=None, file=None)\n--\n\nPrint the frames of the task's coroutine.",
        ),
        MethodDef::no_args(
            "_make_cancelled_error",
            |ts, this| task(this).future.make_cancelled_error(ts),
            "_make_cancelled_error($self, /)\n--\n\nThe CancelledError for a task that was cancelled.",
        ),
        MethodDef::no_args("get_name", get_name, "get_name($self, /)\n--\n\nThe task's name."),
        MethodDef::one("set_name", set_name, "set_name($self, value, /)\n--\n\nName the task."),
        MethodDef::no_args(
            "get_coro",
            |ts, this| Ok(task(this).coroutine.get().unwrap_or_else(|| ts.none())),
            "get_coro($self, /)\n--\n\nThe coroutine.",
        ),
        MethodDef::no_args(
            "get_context",
            |ts, this| Ok(task(this).context.get().unwrap_or_else(|| ts.none())),
            "get_context($self, /)\n--\n\nThe context.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "").class(),
    ],
    getset: &[
        GetSetDef::get_set(
            "_log_destroy_pending",
            |_, this| Ok(py_bool(task(this).logs_destroying.get())),
            |ts, this, value| {
                let Some(value) = value else { return raise!(ts, exc::AttributeError, "cannot delete attribute") };
                task(this).logs_destroying.set(protocol::is_true(ts, value)?);
                Ok(())
            },
            "",
        ),
        GetSetDef::get("_must_cancel", |_, this| Ok(py_bool(task(this).must_cancel.get())), ""),
        GetSetDef::get("_coro", |ts, this| Ok(task(this).coroutine.get().unwrap_or_else(|| ts.none())), ""),
        GetSetDef::get("_fut_waiter", |ts, this| Ok(task(this).waits_for.get().unwrap_or_else(|| ts.none())), ""),
    ],
    ..TypeSpec::EMPTY
});

pub(super) fn task(this: &PyObject) -> &PyTask {
    this.cast::<PyTask>()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _: Args<'_>) -> PyResult {
    let made = alloc::object::<PyTask>(ts, typ)?;
    gc::track(ts, &*made);
    Ok(made.into_object())
}

/// Whether a task can run it.
fn is_coroutine(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    if core::ptr::eq(object.ob_type(), &*COROUTINE_TYPE) {
        return Ok(true);
    }
    let function = protocol::import_attr(ts, "asyncio.coroutines", "iscoroutine")?;
    let result = call::call_with(ts, &function, &[object])?;
    protocol::is_true(ts, &result)
}

fn init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    let [coroutine, event_loop, name, given_context, eager_start] =
        parse!(ts, args, "Task", ["coro", "loop", "name", "context", "eager_start"], 0, 1, 1);
    let coroutine = coroutine.unwrap_or(none());
    let task = task(this);
    task.links.unlink();
    task.future.initialize(ts, event_loop)?;
    if !is_coroutine(ts, coroutine)? {
        // The end of an object that never was a task is nobody's business.
        task.logs_destroying.set(false);
        let coroutine = protocol::repr(ts, coroutine)?;
        return raise!(ts, exc::TypeError, "a coroutine was expected, got {coroutine}");
    }
    let context = match given_context.filter(|context| !is_none(context)) {
        Some(context) => context.new_ref(),
        None => context::copy_current(ts)?.into_object(),
    };
    task.context.set(Some(context.clone()));
    task.waits_for.set(None);
    task.must_cancel.set(false);
    task.logs_destroying.set(true);
    task.cancels_requested.set(0);
    task.coroutine.set(Some(coroutine.new_ref()));
    let name = match name.filter(|name| !is_none(name)) {
        None => PyInt::from_u64(ts, registry::next_number(ts)?)?,
        Some(name) if name.downcast_exact::<PyStr>().is_some() => name.new_ref(),
        Some(name) => protocol::str(ts, name)?.into_object(),
    };
    task.name.set(Some(name));
    let event_loop = task.future.event_loop(ts)?;
    let is_eager = match eager_start {
        Some(eager_start) => protocol::is_true(ts, eager_start)?,
        None => false,
    };
    if is_eager {
        let running = call::call_method(ts, &event_loop, id!(is_running), &[])?;
        if protocol::is_true(ts, &running)? {
            return eager_start_of(ts, this, &event_loop, &context);
        }
    }
    let callback = step::new(ts, this, None)?;
    call_soon(ts, &event_loop, &callback, None, Some(&context))?;
    registry::register(ts, task)
}

/// Runs the task up to its first wait, in its context.
fn eager_start_of(ts: &ThreadState, this: &PyObject, event_loop: &PyObject, context: &PyObject) -> PyResult<()> {
    let previous = registry::swap_current_task(ts, event_loop, this)?;
    let run = (|| {
        registry::add_eager(ts, this)?;
        let Some(context) = context.downcast::<PyContext>() else {
            return raise!(ts, exc::TypeError, "a Context was expected, not {}", context.type_name());
        };
        context.enter(ts)?;
        let result = step::run(ts, this, None);
        // What leaving raises comes on top of what the step has raised.
        let left = put_aside(ts, result, |ts| context.exit(ts));
        put_aside(ts, left, |ts| registry::remove_eager(ts, this))
    })();
    let run = put_aside(ts, run, |ts| registry::swap_current_task(ts, event_loop, &previous).map(drop));
    let task = task(this);
    if task.future.is_done() {
        task.coroutine.set(None);
    } else if run.is_ok() {
        registry::register(ts, task)?;
    }
    run
}

/// Does what has to be done in any case, with the exception of before kept aside meanwhile.
pub(super) fn put_aside<T>(
    ts: &ThreadState,
    result: PyResult<T>,
    then: impl FnOnce(&ThreadState) -> PyResult<()>,
) -> PyResult<()> {
    match result {
        Ok(_) => then(ts),
        Err(raised) => {
            let error = ts.take_raised(raised);
            match then(ts) {
                Ok(()) => Err(ts.restore_raised(error)),
                Err(newer) => {
                    let newer = ts.take_raised(newer);
                    exc::set_context(&newer, error);
                    Err(ts.restore_raised(newer))
                }
            }
        }
    }
}

fn traverse(this: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let task = task(this);
    visitor.slot(&task.waits_for)?;
    visitor.slot(&task.coroutine)?;
    visitor.slot(&task.name)?;
    visitor.slot(&task.context)?;
    task.future.traverse(visitor)
}

fn clear(_: &ThreadState, this: &PyObject) {
    let task = task(this);
    task.waits_for.set(None);
    task.coroutine.set(None);
    task.name.set(None);
    task.context.set(None);
    task.future.clear();
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero.
    unsafe {
        if !subtype::finish(ts, &*object, finalize) {
            return;
        }
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        (*object).cast_unchecked::<PyTask>().links.unlink();
        clear(ts, &*object);
        alloc::free(ts, object);
    }
}

/// Reports a task that has not come to its end, and an exception that nobody has asked for.
fn finalize(ts: &ThreadState, this: &PyObject) {
    let task = task(this);
    if !task.future.is_done()
        && task.logs_destroying.get()
        && let Some(event_loop) = task.future.event_loop.get()
    {
        let pending = ts.current_exception.take();
        let made = (|| {
            let context = PyDict::new(ts)?;
            context.set_str(ts, id!(task), this)?;
            let message = PyStr::new(ts, "Task was destroyed but it is pending!")?;
            context.set_str(ts, id!(message), message.as_object())?;
            if let Some(source) = task.future.source_traceback() {
                context.set_str(ts, id!(source_traceback), &source)?;
            }
            Ok(context)
        })();
        match made {
            Ok(context) => tell_loop(ts, this, &event_loop, &context),
            Err(raised) => exc::write_unraisable(ts, raised, None, this),
        }
        ts.current_exception.set(pending);
    }
    future::finalize(ts, this);
}

fn cancel(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [message] = parse!(ts, args, "cancel", ["msg"], 0, 1, 0);
    let message = message.unwrap_or(none());
    let task = task(this);
    task.future.logs_traceback.set(false);
    if task.future.is_done() {
        return Ok(py_bool(false));
    }
    task.cancels_requested.set(task.cancels_requested.get() + 1);
    if let Some(waits_for) = task.waits_for.get()
        && cancel_other(ts, &waits_for, message)?
    {
        // It stays: it may be a task that catches the cancellation, which has to be cancelled again then.
        return Ok(py_bool(true));
    }
    task.must_cancel.set(true);
    task.future.cancel_message.set(Some(message.new_ref()));
    Ok(py_bool(true))
}

/// `future.cancel(msg=message)`, as a truth value.
pub(super) fn cancel_other(ts: &ThreadState, future: &PyObject, message: &PyObject) -> PyResult<bool> {
    let method = attr::get(ts, future, id!(cancel))?;
    let result = call_with_keyword(ts, &method, None, id!(msg), message)?;
    protocol::is_true(ts, &result)
}

fn uncancel(ts: &ThreadState, this: &PyObject) -> PyResult {
    let task = task(this);
    if task.cancels_requested.get() > 0 {
        task.cancels_requested.set(task.cancels_requested.get() - 1);
        if task.cancels_requested.get() == 0 {
            task.must_cancel.set(false);
        }
    }
    PyInt::from_i64(ts, task.cancels_requested.get())
}

fn get_stack(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [limit] = parse!(ts, args, "get_stack", ["limit"], 0, 0, 0);
    let function = protocol::import_attr(ts, "asyncio.base_tasks", "_task_get_stack")?;
    call::call_with(ts, &function, &[this, limit.unwrap_or(none())])
}

fn print_stack(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [limit, file] = parse!(ts, args, "print_stack", ["limit", "file"], 0, 0, 0);
    let function = protocol::import_attr(ts, "asyncio.base_tasks", "_task_print_stack")?;
    call::call_with(ts, &function, &[this, limit.unwrap_or(none()), file.unwrap_or(none())])
}

fn get_name(ts: &ThreadState, this: &PyObject) -> PyResult {
    let task = task(this);
    let Some(name) = task.name.get() else { return Ok(ts.none()) };
    let Some(number) = name.downcast::<PyInt>().and_then(PyInt::as_i64) else { return Ok(name) };
    let text = PyStr::format(ts, format_args!("Task-{number}"))?.into_object();
    task.name.set(Some(text.clone()));
    Ok(text)
}

fn set_name(ts: &ThreadState, this: &PyObject, name: &PyObject) -> PyResult {
    let name = match name.downcast_exact::<PyStr>() {
        Some(_) => name.new_ref(),
        None => protocol::str(ts, name)?.into_object(),
    };
    task(this).name.set(Some(name));
    Ok(ts.none())
}
