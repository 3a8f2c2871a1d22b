//! The running loop and task of a thread, and all tasks.
//!
//! ```text
//!  interpreter's native state ── PyTaskList ⇄ task ⇄ task ⇄ … (a ring; the list does not own the tasks)
//! ```

use core::cell::Cell;

use super::future::State;
use super::task::PyTask;
use crate::modules::posix::system::parse;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::{id, raise};

/// A place in the ring of tasks.
pub(super) struct Links {
    previous: Cell<*const Links>,
    next: Cell<*const Links>,
    /// The task; null for the ring's beginning.
    task: Cell<*const PyTask>,
}

impl Links {
    /// Takes the place out of its ring, if it is in one.
    pub(super) fn unlink(&self) {
        let (previous, next) = (self.previous.replace(core::ptr::null()), self.next.replace(core::ptr::null()));
        if previous.is_null() {
            return;
        }
        // SAFETY: I2 of the module: neighbours are alive, for each takes itself out when it dies.
        unsafe {
            (*previous).next.set(next);
            (*next).previous.set(previous);
        }
    }

    pub(super) fn is_linked(&self) -> bool {
        !self.previous.get().is_null()
    }
}

/// The tasks of an interpreter, and what belongs to all of them.
#[repr(C)]
pub(super) struct PyTaskList {
    ob_base: PyObject,
    ring: Links,
    /// For the names of tasks.
    counter: Cell<u64>,
    /// Tasks that are not native, weakly.
    others: Slot<PyObject>,
    /// Tasks that run before they are registered.
    eager: Slot<PySet>,
}
crate::native!(PyTaskList, TASK_LIST_TYPE);

pub(super) static TASK_LIST_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_asyncio._task_list",
    basicsize: size_of::<PyTaskList>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero. Tasks that outlive it are unlinked.
    unsafe {
        let list = (*object).cast_unchecked::<PyTaskList>();
        while list.ring.next.get() != &raw const list.ring {
            (*list.ring.next.get()).unlink();
        }
        list.others.set(None);
        list.eager.set(None);
        alloc::free(ts, object);
    }
}

/// The interpreter's list, made when it is first asked for.
fn task_list(ts: &ThreadState) -> PyResult<Ref<PyTaskList>> {
    let interp = ts.interp();
    let states = match interp.native_state.get() {
        Some(states) => states,
        None => {
            let states = PyDict::new(ts)?;
            interp.native_state.set(Some(states.clone()));
            states
        }
    };
    let key = PyStr::intern(ts, "_asyncio.tasks")?;
    if let Some(list) = states.get_str(ts, &key)?
        && let Ok(list) = list.downcast_into::<PyTaskList>()
    {
        return Ok(list);
    }
    let list = alloc::exact::<PyTaskList>(ts)?;
    list.ring.next.set(&raw const list.ring);
    list.ring.previous.set(&raw const list.ring);
    states.set_str(ts, &key, list.as_object())?;
    Ok(list)
}

/// The next number for a task's name.
pub(super) fn next_number(ts: &ThreadState) -> PyResult<u64> {
    let list = task_list(ts)?;
    list.counter.set(list.counter.get() + 1);
    Ok(list.counter.get())
}

pub(super) fn register(ts: &ThreadState, task: &PyTask) -> PyResult<()> {
    if task.links.is_linked() {
        return Ok(());
    }
    let list = task_list(ts)?;
    let first = list.ring.next.get();
    task.links.task.set(task);
    task.links.previous.set(&raw const list.ring);
    task.links.next.set(first);
    // SAFETY: a ring always has a first place, its own beginning at least.
    unsafe { (*first).previous.set(&raw const task.links) };
    list.ring.next.set(&raw const task.links);
    Ok(())
}

/// The tasks that are not native, in a weak set.
fn others(ts: &ThreadState) -> PyResult {
    let list = task_list(ts)?;
    if let Some(others) = list.others.get() {
        return Ok(others);
    }
    let class = protocol::import_attr(ts, "weakref", "WeakSet")?;
    let others = call::call0(ts, &class)?;
    list.others.set(Some(others.clone()));
    Ok(others)
}

fn eager(ts: &ThreadState) -> PyResult<Ref<PySet>> {
    let list = task_list(ts)?;
    if let Some(eager) = list.eager.get() {
        return Ok(eager);
    }
    let eager = PySet::new(ts)?;
    list.eager.set(Some(eager.clone()));
    Ok(eager)
}

pub(super) fn add_eager(ts: &ThreadState, task: &PyObject) -> PyResult<()> {
    eager(ts)?.add(ts, task)
}

pub(super) fn remove_eager(ts: &ThreadState, task: &PyObject) -> PyResult<()> {
    eager(ts)?.discard(ts, task).map(drop)
}

/// The thread's running loop, else the policy's.
pub(super) fn event_loop(ts: &ThreadState) -> PyResult {
    if let Some(event_loop) = ts.asyncio_running_loop.get() {
        return Ok(event_loop);
    }
    let policy = call::call0(ts, &*protocol::import_attr(ts, "asyncio.events", "_get_event_loop_policy")?)?;
    call::call_method(ts, &policy, id!(get_event_loop), &[])
}

pub(super) fn get_event_loop(ts: &ThreadState, _: &PyObject) -> PyResult {
    event_loop(ts)
}

fn no_running_loop<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::RuntimeError, "no running event loop")
}

pub(super) fn get_running_loop(ts: &ThreadState, _: &PyObject) -> PyResult {
    match ts.asyncio_running_loop.get() {
        Some(event_loop) => Ok(event_loop),
        None => no_running_loop(ts),
    }
}

pub(super) fn running_loop_or_none(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(ts.asyncio_running_loop.get().unwrap_or_else(|| ts.none()))
}

pub(super) fn set_running_loop(ts: &ThreadState, _: &PyObject, event_loop: &PyObject) -> PyResult {
    ts.asyncio_running_loop.set(Some(event_loop).filter(|event_loop| !is_none(event_loop)).map(AsObject::new_ref));
    Ok(ts.none())
}

/// Whether it is the loop that this thread runs.
fn is_running_here(ts: &ThreadState, event_loop: &PyObject) -> bool {
    ts.asyncio_running_loop.get().is_some_and(|running| running.is(event_loop))
}

fn check_running(ts: &ThreadState, event_loop: &PyObject) -> PyResult<()> {
    if !is_running_here(ts, event_loop) {
        let event_loop = protocol::repr(ts, event_loop)?;
        return raise!(ts, exc::RuntimeError, "loop {event_loop} is not the running loop");
    }
    Ok(())
}

pub(super) fn enter_task(ts: &ThreadState, event_loop: &PyObject, task: &PyObject) -> PyResult<()> {
    check_running(ts, event_loop)?;
    if let Some(other) = ts.asyncio_running_task.get() {
        let (task, other) = (protocol::repr(ts, task)?, protocol::repr(ts, &other)?);
        return raise!(
            ts,
            exc::RuntimeError,
            "Cannot enter into task {task} while another task {other} is being executed."
        );
    }
    ts.asyncio_running_task.set(Some(task.new_ref()));
    Ok(())
}

pub(super) fn leave_task(ts: &ThreadState, event_loop: &PyObject, task: &PyObject) -> PyResult<()> {
    check_running(ts, event_loop)?;
    let current = ts.asyncio_running_task.get();
    if !current.as_ref().is_some_and(|current| current.is(task)) {
        let task = protocol::repr(ts, task)?;
        let current = protocol::repr(ts, current.as_deref().unwrap_or(none()))?;
        return raise!(ts, exc::RuntimeError, "Leaving task {task} does not match the current task {current}.");
    }
    ts.asyncio_running_task.set(None);
    Ok(())
}

pub(super) fn swap_current_task(ts: &ThreadState, event_loop: &PyObject, task: &PyObject) -> PyResult {
    check_running(ts, event_loop)?;
    let next = Some(task).filter(|task| !is_none(task)).map(AsObject::new_ref);
    Ok(ts.asyncio_running_task.replace(next).unwrap_or_else(|| ts.none()))
}

pub(super) fn current_task(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [event_loop] = parse!(ts, args, "current_task", ["loop"], 0, 1, 0);
    let event_loop = match event_loop.filter(|event_loop| !is_none(event_loop)) {
        Some(event_loop) => event_loop.new_ref(),
        None => match ts.asyncio_running_loop.get() {
            Some(event_loop) => event_loop,
            None => return no_running_loop(ts),
        },
    };
    // The loop may be one that another thread runs.
    let mut found = None;
    ts.interp().for_each_thread(|other| {
        if is_running_here(other, &event_loop) {
            found = other.asyncio_running_task.get();
        }
    });
    Ok(found.unwrap_or_else(|| ts.none()))
}

macro_rules! task_function {
    ($function:ident, $name:literal, |$ts:ident, $task:ident| $body:expr) => {
        pub(super) fn $function($ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
            let [$task] = parse!($ts, args, $name, ["task"], 0, 1, 1);
            let $task = $task.unwrap_or(none());
            $body?;
            Ok($ts.none())
        }
    };
}

task_function!(register_task, "_register_task", |ts, task| match task.downcast::<PyTask>() {
    Some(task) => register(ts, task),
    None => call::call_method(ts, &*others(ts)?, id!(add), &[task]).map(drop),
});
task_function!(unregister_task, "_unregister_task", |ts, task| match task.downcast::<PyTask>() {
    Some(task) => {
        task.links.unlink();
        PyResult::Ok(())
    }
    None => call::call_method(ts, &*others(ts)?, id!(discard), &[task]).map(drop),
});
task_function!(register_eager_task, "_register_eager_task", |ts, task| add_eager(ts, task));
task_function!(unregister_eager_task, "_unregister_eager_task", |ts, task| remove_eager(ts, task));

pub(super) fn enter_task_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [event_loop, task] = parse!(ts, args, "_enter_task", ["loop", "task"], 0, 2, 2);
    enter_task(ts, event_loop.unwrap_or(none()), task.unwrap_or(none()))?;
    Ok(ts.none())
}

pub(super) fn leave_task_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [event_loop, task] = parse!(ts, args, "_leave_task", ["loop", "task"], 0, 2, 2);
    leave_task(ts, event_loop.unwrap_or(none()), task.unwrap_or(none()))?;
    Ok(ts.none())
}

pub(super) fn swap_current_task_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [event_loop, task] = parse!(ts, args, "_swap_current_task", ["loop", "task"], 0, 2, 2);
    swap_current_task(ts, event_loop.unwrap_or(none()), task.unwrap_or(none()))
}

/// Adds a task of unknown make when it belongs to the loop and is not done.
fn add_unless_done(ts: &ThreadState, tasks: &PySet, task: &PyObject, event_loop: &PyObject) -> PyResult<()> {
    let done = call::call_method(ts, task, id!(done), &[])?;
    if protocol::is_true(ts, &done)? {
        return Ok(());
    }
    let of = super::step::loop_of(ts, task)?;
    if of.is(event_loop) { tasks.add(ts, task) } else { Ok(()) }
}

pub(super) fn all_tasks(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [event_loop] = parse!(ts, args, "all_tasks", ["loop"], 0, 1, 0);
    let event_loop = match event_loop.filter(|event_loop| !is_none(event_loop)) {
        Some(event_loop) => event_loop.new_ref(),
        None => match ts.asyncio_running_loop.get() {
            Some(event_loop) => event_loop,
            None => return no_running_loop(ts),
        },
    };
    let tasks = PySet::new(ts)?;
    let list = task_list(ts)?;
    // First the references, for a set's hashing may run Python code that changes the ring.
    let mut found = hognose_allocators::collections::TryVec::<PyRef>::new();
    let mut next = list.ring.next.get();
    while next != &raw const list.ring {
        // SAFETY: I2 of the module: what is in the ring is alive, and has its task.
        let (task, after) = unsafe { (&*(*next).task.get(), (*next).next.get()) };
        if task.future.state.get() == State::Pending
            && task.future.event_loop.get().is_some_and(|of| of.is(&event_loop))
        {
            found.try_push(task.new_ref())?;
        }
        next = after;
    }
    for task in found.iter() {
        tasks.add(ts, task)?;
    }
    if let Some(eager) = list.eager.get() {
        for task in
            PySet::frozen(ts, eager.as_object()).and_then(|all| protocol::tuple_of(ts, all.as_object()))?.items()
        {
            add_unless_done(ts, &tasks, task, &event_loop)?;
        }
    }
    if let Some(others) = list.others.get() {
        for task in protocol::tuple_of(ts, &others)?.items() {
            add_unless_done(ts, &tasks, task, &event_loop)?;
        }
    }
    Ok(tasks.into_object())
}
