//! `_interpqueues`: queues between interpreters.
//!
//! The queues belong to the process and lie in the raw domain, under one lock; what is in them is [`Data`], so nothing of
//! an interpreter is under it. A queue ends when nothing is bound to it any more, or with the runtime. An item whose
//! sender ends becomes what was asked for when it was put in.
//!
//! Q1: under the lock no Python code runs and no object is made or dropped.

use hognose_allocators::{Raw, TryVec};

use crate::modules::ModuleSpec;
use crate::modules::posix::system::parse;
use crate::modules::xi::{self, Data, Fallback, Fifo};
use crate::object::{Args, MethodDef, PyObject, PyResult, PyTypeObject, StaticType, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::sync::Locked;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_interpqueues",
    doc: "This module provides primitive operations to manage queues between interpreters.\nThe 'interpreters' module provides a more convenient interface.",
    methods: &[
        MethodDef::keywords(
            "create",
            create,
            "create($module, maxsize, unboundop=-1, fallback=-1)\n--\n\nMakes a queue and returns its ID.",
        ),
        MethodDef::keywords("destroy", destroy, "destroy($module, qid)\n--\n\nEnds a queue."),
        MethodDef::no_args(
            "list_all",
            list_all,
            "list_all($module, /)\n--\n\nThe queues, each as (ID, unboundop, fallback).",
        ),
        MethodDef::keywords("put", put, "put($module, qid, obj, unboundop=-1, fallback=-1)\n--\n\nPuts an object in."),
        MethodDef::keywords(
            "get",
            get,
            "get($module, qid)\n--\n\nTakes the oldest item out: (object, None), or (None, what was to become of an item whose sender is gone).",
        ),
        MethodDef::keywords("bind", bind, "bind($module, qid)\n--\n\nCounts a reference to a queue."),
        MethodDef::keywords(
            "release",
            release,
            "release($module, qid)\n--\n\nGives a reference back; a queue ends with the last one.",
        ),
        MethodDef::keywords(
            "get_maxsize",
            get_maxsize,
            "get_maxsize($module, qid)\n--\n\nHow many items the queue takes; 0 or less: any number.",
        ),
        MethodDef::keywords(
            "get_queue_defaults",
            get_defaults,
            "get_queue_defaults($module, qid)\n--\n\n(unboundop, fallback)",
        ),
        MethodDef::keywords("is_full", is_full, "is_full($module, qid)\n--\n\nWhether the queue takes no more items."),
        MethodDef::keywords("get_count", get_count, "get_count($module, qid)\n--\n\nThe number of items."),
        MethodDef::positional(
            "_register_heap_types",
            register,
            "_register_heap_types($module, queuetype, emptyerror, fullerror, /)\n--\n\nNames the classes of Python's side.",
        ),
    ],
    types: &[&QUEUE_ERROR, &QUEUE_NOT_FOUND_ERROR],
    exec: None,
};

/// `QueueError`.
pub static QUEUE_ERROR: StaticType = StaticType::new(exc::plain(
    c"concurrent.interpreters.QueueError",
    &exc::Exception,
    "Indicates that a queue-related error happened.",
));

/// `QueueNotFoundError`.
pub static QUEUE_NOT_FOUND_ERROR: StaticType =
    StaticType::new(exc::plain(c"concurrent.interpreters.QueueNotFoundError", &QUEUE_ERROR, "A queue was not found."));

/// What becomes of an item whose sender ends: 1 it goes; 2, 3 the receiver is told.
const UNBOUND_REMOVE: i32 = 1;
const UNBOUND_REPLACE: i32 = 3;

struct Item {
    /// `None`: its sender has ended.
    data: Option<Data>,
    sender: i64,
    unbound: i32,
}

struct Queue {
    id: i64,
    maxsize: isize,
    unbound: i32,
    fallback: Fallback,
    bound: usize,
    items: Fifo<Item>,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.maxsize > 0 && self.items.len() >= self.maxsize as usize
    }
}

struct Queues {
    all: TryVec<Queue, Raw>,
    next: i64,
}

static QUEUES: Locked<Queues> = Locked::new(Queues { all: TryVec::new_in(Raw), next: 1 });

/// What a function makes of a queue, under the lock.
fn with<R>(ts: &ThreadState, id: i64, f: impl FnOnce(&mut Queue) -> R) -> PyResult<R> {
    let found = {
        let mut queues = QUEUES.lock();
        queues.all.iter_mut().find(|queue| queue.id == id).map(f)
    };
    match found {
        Some(result) => Ok(result),
        None => raise!(ts, QUEUE_NOT_FOUND_ERROR, "queue {id} not found"),
    }
}

/// Takes a queue out, whose items are dropped by the caller, not under the lock.
fn remove(id: i64, unless: impl FnOnce(&mut Queue) -> bool) -> Option<Option<Queue>> {
    let mut queues = QUEUES.lock();
    let index = queues.all.iter().position(|queue| queue.id == id)?;
    if unless(&mut queues.all[index]) {
        return Some(None);
    }
    Some(Some(queues.all.remove(index)))
}

fn id_of(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<i64> {
    let Some(value) = value else { return raise!(ts, exc::TypeError, "a queue's ID is missing") };
    if !protocol::is_index(value) {
        return raise!(ts, exc::TypeError, "queue ID must be an int, got {}", value.type_name());
    }
    let number = protocol::index(ts, value)?;
    match number.as_i64() {
        Some(id) if id >= 0 => Ok(id),
        _ if number.sign() < 0 => {
            let shown = protocol::repr(ts, value)?;
            raise!(ts, exc::ValueError, "queue ID must be a non-negative int, got {shown}")
        }
        _ => raise!(ts, exc::OverflowError, "max queue ID is {}", i64::MAX),
    }
}

/// A number with -1 for "not given".
fn number_or(ts: &ThreadState, value: Option<&PyObject>, default: i32) -> PyResult<i32> {
    match value.map(|value| protocol::as_i32(ts, value)).transpose()? {
        None | Some(-1) => Ok(default),
        Some(number) => Ok(number),
    }
}

fn unbound(ts: &ThreadState, value: Option<&PyObject>, default: i32) -> PyResult<i32> {
    match number_or(ts, value, default)? {
        number @ UNBOUND_REMOVE..=UNBOUND_REPLACE => Ok(number),
        number => raise!(ts, exc::ValueError, "unsupported unboundop {number}"),
    }
}

fn create(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [maxsize, op, fallback] = parse!(ts, args, "create", ["maxsize", "unboundop", "fallback"], 0, 3, 1);
    let maxsize = maxsize.map_or(Ok(0), |maxsize| protocol::as_isize(ts, maxsize))?;
    let unbound = unbound(ts, op, UNBOUND_REPLACE)?;
    let fallback = Fallback::from_number(ts, number_or(ts, fallback, Fallback::Full.number())?)?;
    let made = {
        let mut queues = QUEUES.lock();
        let id = queues.next;
        let queue = Queue { id, maxsize, unbound, fallback, bound: 0, items: Fifo::new() };
        queues.all.try_push(queue).map(|()| {
            queues.next += 1;
            id
        })
    };
    PyInt::from_i64(ts, made?)
}

fn destroy(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "destroy", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    match remove(id, |_| false) {
        Some(_) => Ok(ts.none()),
        None => raise!(ts, QUEUE_NOT_FOUND_ERROR, "queue {id} not found"),
    }
}

fn list_all(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    let mut after = 0;
    loop {
        let next = {
            let queues = QUEUES.lock();
            queues.all.iter().find(|queue| queue.id > after).map(|queue| (queue.id, queue.unbound, queue.fallback))
        };
        let Some((id, op, fallback)) = next else { return Ok(list.into_object()) };
        after = id;
        let row =
            [PyInt::from_i64(ts, id)?, PyInt::from_i64(ts, op.into())?, PyInt::from_i64(ts, fallback.number().into())?];
        list.append(ts, PyTuple::from_array(ts, row)?.into_object())?;
    }
}

fn put(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, object, op, fallback] = parse!(ts, args, "put", ["qid", "obj", "unboundop", "fallback"], 0, 4, 2);
    let id = id_of(ts, id)?;
    let Some(object) = object else { return raise!(ts, exc::TypeError, "put() misses an object") };
    let (default_op, default_fallback) = with(ts, id, |queue| (queue.unbound, queue.fallback))?;
    let unbound = unbound(ts, op, default_op)?;
    let fallback = Fallback::from_number(ts, number_or(ts, fallback, default_fallback.number())?)?;
    let data = Data::encode(ts, object, fallback)?;
    let sender = ts.interp().id;
    let mut item = Some(Item { data: Some(data), sender, unbound });
    let outcome = with(ts, id, |queue| {
        if queue.is_full() {
            return Ok(false);
        }
        queue.items.push(&mut item).map(|()| true)
    })?;
    // One that was not put in is dropped outside of the lock.
    drop(item);
    if outcome? {
        return Ok(ts.none());
    }
    refuse(ts, "QueueFull", id, "full")
}

/// Raises QueueEmpty or QueueFull, which are Python's.
fn refuse(ts: &ThreadState, class: &str, id: i64, what: &str) -> PyResult {
    let name = PyStr::intern(ts, class)?;
    let classes = xi::state_dict(ts, xi::data::QUEUE_CLASSES)?;
    let class = match classes.get_str(ts, &name)? {
        Some(class) => class,
        None => xi::imported(ts, "concurrent.interpreters._queues", class)?,
    };
    match class.downcast::<PyTypeObject>() {
        Some(class) => Err(ts.raise_fmt(class, format_args!("queue {id} is {what}"))),
        None => raise!(ts, exc::TypeError, "the class of queue errors is none"),
    }
}

fn get(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    let Some(item) = with(ts, id, |queue| queue.items.take())? else { return refuse(ts, "QueueEmpty", id, "empty") };
    let (object, op) = match &item.data {
        Some(data) => (data.decode(ts)?, ts.none()),
        None => (ts.none(), PyInt::from_i64(ts, item.unbound.into())?),
    };
    Ok(PyTuple::pair(ts, &object, &op)?.into_object())
}

fn bind(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "bind", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    with(ts, id, |queue| queue.bound += 1)?;
    Ok(ts.none())
}

fn release(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "release", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    let mut was_bound = true;
    let removed = remove(id, |queue| {
        was_bound = queue.bound != 0;
        queue.bound = queue.bound.saturating_sub(1);
        queue.bound != 0 || !was_bound
    });
    match removed {
        Some(_) if was_bound => Ok(ts.none()),
        Some(_) => raise!(ts, QUEUE_ERROR, "queue {id} not bound"),
        None => raise!(ts, QUEUE_NOT_FOUND_ERROR, "queue {id} not found"),
    }
}

fn get_maxsize(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_maxsize", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    PyInt::from_isize(ts, with(ts, id, |queue| queue.maxsize)?)
}

fn get_defaults(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_queue_defaults", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    let (op, fallback) = with(ts, id, |queue| (queue.unbound, queue.fallback))?;
    let (op, fallback) = (PyInt::from_i64(ts, op.into())?, PyInt::from_i64(ts, fallback.number().into())?);
    Ok(PyTuple::pair(ts, &op, &fallback)?.into_object())
}

fn is_full(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "is_full", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    Ok(py_bool(with(ts, id, |queue| queue.is_full())?))
}

fn get_count(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_count", ["qid"], 0, 1, 1);
    let id = id_of(ts, id)?;
    PyInt::from_usize(ts, with(ts, id, |queue| queue.items.len())?)
}

fn register(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::object::call::check_count(ts, "_register_heap_types", args.len(), 3, 3)?;
    let classes = xi::state_dict(ts, xi::data::QUEUE_CLASSES)?;
    for (name, class) in ["Queue", "QueueEmpty", "QueueFull"].into_iter().zip(args) {
        if is_none(class) || !class.is_a::<PyTypeObject>() {
            return raise!(ts, exc::TypeError, "expected a type for '{name}', got {}", class.type_name());
        }
        classes.set_str(ts, &*PyStr::intern(ts, name)?, class)?;
    }
    Ok(ts.none())
}

/// The items of an interpreter that ends become what was asked for. It has its state attached.
pub fn forget_interpreter(id: i64) {
    loop {
        // One at a time: what is dropped may give back memory of other interpreters.
        let dropped = {
            let mut queues = QUEUES.lock();
            queues.all.iter_mut().find_map(|queue| {
                let removed = queue.items.take_where(|item| item.sender == id && item.unbound == UNBOUND_REMOVE);
                if removed.is_some() {
                    return removed;
                }
                let item = queue.items.iter_mut().find(|item| item.sender == id)?;
                item.sender = -1;
                Some(Item { data: item.data.take(), sender: -1, unbound: 0 })
            })
        };
        if dropped.is_none() {
            return;
        }
    }
}

/// Takes the lock over a fork.
pub fn before_fork() {
    QUEUES.lock.acquire();
}

/// Gives the lock back in the process that has forked.
pub fn after_fork_in_parent() {
    QUEUES.lock.release();
}

/// Frees the lock in a forked child.
pub fn after_fork_in_child() {
    QUEUES.lock.reset();
}

/// Forgets all queues, at the end of the runtime.
pub fn forget_all() {
    let all = {
        let mut queues = QUEUES.lock();
        queues.next = 1;
        core::mem::take(&mut queues.all)
    };
    drop(all);
}
