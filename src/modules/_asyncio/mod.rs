//! `_asyncio`: futures, tasks and the running event loop; asyncio takes them in place of its own in Python.
//!
//! | file | what |
//! |---|---|
//! | `future` | `Future`: a result that is not there yet |
//! | `awaiting` | what awaiting a future iterates over |
//! | `task` | `Task`: a coroutine that an event loop runs |
//! | `step` | running a task up to its next wait |
//! | `registry` | the running loop and task of a thread, and all tasks |
//!
//! I1: a future that is not initialized has no loop; every method says so.
//! I2: a task that is registered is in the list of its interpreter until it is done or dies.

mod awaiting;
mod future;
mod registry;
mod step;
mod task;

use crate::modules::ModuleSpec;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_asyncio",
    doc: "Futures, tasks and the running event loop, natively.",
    methods: &[
        MethodDef::no_args(
            "get_event_loop",
            registry::get_event_loop,
            "get_event_loop($module, /)\n--\n\nThe running event loop, else the policy's.",
        ),
        MethodDef::no_args(
            "get_running_loop",
            registry::get_running_loop,
            "get_running_loop($module, /)\n--\n\nThe running event loop; RuntimeError when there is none.",
        ),
        MethodDef::no_args(
            "_get_running_loop",
            registry::running_loop_or_none,
            "_get_running_loop($module, /)\n--\n\nThe running event loop, or None.",
        ),
        MethodDef::one(
            "_set_running_loop",
            registry::set_running_loop,
            "_set_running_loop($module, loop, /)\n--\n\nSet the thread's running event loop.",
        ),
        MethodDef::keywords(
            "current_task",
            registry::current_task,
            "current_task($module, /, loop=None)\n--\n\nThe task that the loop runs, or None.",
        ),
        MethodDef::keywords(
            "_register_task",
            registry::register_task,
            "_register_task($module, /, task)\n--\n\nRegister a task that a loop will run.",
        ),
        MethodDef::keywords(
            "_unregister_task",
            registry::unregister_task,
            "_unregister_task($module, /, task)\n--\n\nForget a task.",
        ),
        MethodDef::keywords(
            "_register_eager_task",
            registry::register_eager_task,
            "_register_eager_task($module, /, task)\n--\n\nRegister a task that is about to be run at once.",
        ),
        MethodDef::keywords(
            "_unregister_eager_task",
            registry::unregister_eager_task,
            "_unregister_eager_task($module, /, task)\n--\n\nForget a task that has been run at once.",
        ),
        MethodDef::keywords(
            "_enter_task",
            registry::enter_task_function,
            "_enter_task($module, /, loop, task)\n--\n\nThe loop begins to run the task.",
        ),
        MethodDef::keywords(
            "_leave_task",
            registry::leave_task_function,
            "_leave_task($module, /, loop, task)\n--\n\nThe loop stops running the task.",
        ),
        MethodDef::keywords(
            "_swap_current_task",
            registry::swap_current_task_function,
            "_swap_current_task($module, /, loop, task)\n--\n\nThe loop runs another task; the result is the one before, or None.",
        ),
        MethodDef::keywords(
            "all_tasks",
            registry::all_tasks,
            "all_tasks($module, /, loop=None)\n--\n\nThe loop's tasks that are not done.",
        ),
        MethodDef::positional(
            "future_add_to_awaited_by",
            future::add_to_awaited_by_function,
            "future_add_to_awaited_by($module, fut, waiter, /)\n--\n\nNote that a future is awaited by another.",
        ),
        MethodDef::positional(
            "future_discard_from_awaited_by",
            future::discard_from_awaited_by_function,
            "future_discard_from_awaited_by($module, fut, waiter, /)\n--\n\nNote that a future is not awaited by another any more.",
        ),
    ],
    types: &[&future::FUTURE_TYPE, &task::TASK_TYPE],
    exec: Some(|ts, _| {
        ready::ready_static(ts, &awaiting::FUTURE_ITER_TYPE)?;
        ready::ready_static(ts, &step::STEP_TYPE)?;
        ready::ready_static(ts, &registry::TASK_LIST_TYPE)?;
        Ok(())
    }),
};

/// One of `asyncio.exceptions`.
fn asyncio_exception(ts: &ThreadState, name: &str) -> PyResult {
    protocol::import_attr(ts, "asyncio.exceptions", name)
}

/// Raises `asyncio.InvalidStateError`.
#[cold]
fn invalid_state<T>(ts: &ThreadState, message: core::fmt::Arguments<'_>) -> PyResult<T> {
    let class = asyncio_exception(ts, "InvalidStateError")?;
    let message = PyStr::format(ts, message)?;
    let error = call::call_with(ts, &class, &[message.as_object()])?;
    Err(ts.raise(error))
}

/// `loop.call_soon(callback[, argument], context=context)`.
fn call_soon(
    ts: &ThreadState,
    event_loop: &PyObject,
    callback: &PyObject,
    argument: Option<&PyObject>,
    context: Option<&PyObject>,
) -> PyResult<()> {
    let method = attr::get(ts, event_loop, crate::id!(call_soon))?;
    let mut all = [callback; 3];
    let mut count = 1;
    for more in [argument, context].into_iter().flatten() {
        all[count] = more;
        count += 1;
    }
    let names = match context {
        Some(_) => Some(PyTuple::new(ts, &[crate::id!(context).as_object()])?),
        None => None,
    };
    call::call(ts, &method, Args::new(&all[..count], names.as_deref()))?;
    Ok(())
}

/// Calls a function with one keyword argument after the positional ones.
fn call_with_keyword(
    ts: &ThreadState,
    callable: &PyObject,
    positional: Option<&PyObject>,
    name: &PyStr,
    value: &PyObject,
) -> PyResult {
    let names = PyTuple::new(ts, &[name.as_object()])?;
    match positional {
        Some(first) => call::call(ts, callable, Args::new(&[first, value], Some(&names))),
        None => call::call(ts, callable, Args::new(&[value], Some(&names))),
    }
}

#[cold]
fn not_initialized<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::RuntimeError, "Future object is not initialized.")
}
