//! `_interpchannels`: channels between interpreters.
//!
//! | file | has |
//! |---|---|
//! | [`channels`] | the channels of the process: items, ends, who waits |
//! | [`id`] | `ChannelID` |
//!
//! A channel is for any number of interpreters at either end. Whoever sends may wait until the item is received: its
//! thread sleeps on a word of its own stack, without the GIL.

pub mod channels;
pub mod id;

use hognose_allocators::TryVec;

use channels::{Item, Progress, Refusal, UNBOUND_REMOVE, UNBOUND_REPLACE, Waiting, Which};
use id::PyChannelId;

use crate::lifecycle::pending;
use crate::modules::_thread;
use crate::modules::ModuleSpec;
use crate::modules::posix::system::parse;
use crate::modules::xi::{self, Data, Fallback};
use crate::object::{Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, StaticType, protocol};
use crate::raise;
use crate::state::{ThreadState, attach};
use crate::sync::futex::Wake;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::memoryview::PyMemoryView;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_interpchannels",
    doc: "This module provides primitive operations to manage channels between interpreters.",
    methods: &[
        MethodDef::keywords(
            "create",
            create,
            "create($module, unboundop=-1, fallback=-1)\n--\n\nMakes a channel and returns its ID.",
        ),
        MethodDef::keywords(
            "destroy",
            destroy,
            "destroy($module, cid)\n--\n\nEnds a channel, as if there had never been one.",
        ),
        MethodDef::no_args(
            "list_all",
            list_all,
            "list_all($module, /)\n--\n\nThe channels that are not closed, each as (ID, unboundop, fallback).",
        ),
        MethodDef::keywords(
            "list_interpreters",
            list_interpreters,
            "list_interpreters($module, cid, *, send)\n--\n\nThe interpreters that use the sending or the receiving end.",
        ),
        MethodDef::keywords(
            "send",
            send,
            "send($module, cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)\n--\n\n\
             Puts an object in, and waits until it is received.",
        ),
        MethodDef::keywords(
            "send_buffer",
            send_buffer,
            "send_buffer($module, cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None)\n--\n\n\
             Puts an object's memory in, and waits until it is received.",
        ),
        MethodDef::keywords(
            "recv",
            recv,
            "recv($module, cid, default=<unrepresentable>)\n--\n\nTakes the oldest item out: (object, None), or (None, what \
             was to become of an item whose sender is gone). ChannelEmptyError when there is none, or the default.",
        ),
        MethodDef::keywords(
            "close",
            close,
            "close($module, cid, *, send=None, recv=None, force=False)\n--\n\n\
             Closes a channel for all interpreters.\n\n\
             One with items is closed with force only; its sending end alone may be closed without: what is in the\n\
             channel can still be received.",
        ),
        MethodDef::keywords(
            "release",
            release,
            "release($module, cid, *, send=None, recv=None, force=True)\n--\n\n\
             Closes ends of a channel, both by default, for the calling interpreter.",
        ),
        MethodDef::keywords("get_count", get_count, "get_count($module, cid)\n--\n\nThe number of items."),
        MethodDef::keywords("get_info", get_info, "get_info($module, cid)\n--\n\nWhat state a channel is in."),
        MethodDef::keywords(
            "get_channel_defaults",
            get_defaults,
            "get_channel_defaults($module, cid)\n--\n\n(unboundop, fallback)",
        ),
        MethodDef::keywords(
            "_channel_id",
            channel_id,
            "_channel_id($module, id, *, send=False, recv=False, force=False)\n--\n\nAn ID object of a number.",
        ),
        MethodDef::keywords(
            "_register_end_types",
            register,
            "_register_end_types($module, send, recv)\n--\n\nNames the classes of Python's side.",
        ),
    ],
    types: &[
        &id::CHANNEL_ID_TYPE,
        &CHANNEL_ERROR,
        &CHANNEL_NOT_FOUND_ERROR,
        &CHANNEL_CLOSED_ERROR,
        &CHANNEL_EMPTY_ERROR,
        &CHANNEL_NOT_EMPTY_ERROR,
    ],
    exec: Some(|ts, module: &PyModule| module.add(ts, "ChannelInfo", structseq::type_of(ts, &INFO)?.as_object())),
};

/// `ChannelError`.
pub static CHANNEL_ERROR: StaticType = StaticType::new(exc::plain(
    c"_interpchannels.ChannelError",
    &exc::RuntimeError,
    "Indicates that a channel-related error happened.",
));

/// `ChannelNotFoundError`.
pub static CHANNEL_NOT_FOUND_ERROR: StaticType =
    StaticType::new(exc::plain(c"_interpchannels.ChannelNotFoundError", &CHANNEL_ERROR, "A channel was not found."));

/// `ChannelClosedError`.
pub static CHANNEL_CLOSED_ERROR: StaticType =
    StaticType::new(exc::plain(c"_interpchannels.ChannelClosedError", &CHANNEL_ERROR, "A channel is closed."));

/// `ChannelEmptyError`.
pub static CHANNEL_EMPTY_ERROR: StaticType =
    StaticType::new(exc::plain(c"_interpchannels.ChannelEmptyError", &CHANNEL_ERROR, "A channel has no item."));

/// `ChannelNotEmptyError`.
pub static CHANNEL_NOT_EMPTY_ERROR: StaticType =
    StaticType::new(exc::plain(c"_interpchannels.ChannelNotEmptyError", &CHANNEL_ERROR, "A channel has items."));

static INFO: StructSeqSpec = StructSeqSpec {
    name: "_interpchannels.ChannelInfo",
    doc: "ChannelInfo\n\nA named tuple of a channel's state.",
    fields: &[
        StructSeqField { name: "open", doc: "both ends are open" },
        StructSeqField { name: "closing", doc: "send is closed, recv is non-empty" },
        StructSeqField { name: "closed", doc: "both ends are closed" },
        StructSeqField { name: "count", doc: "queued objects" },
        StructSeqField { name: "num_interp_send", doc: "interpreters bound to the send end" },
        StructSeqField { name: "num_interp_send_released", doc: "interpreters bound to the send end and released" },
        StructSeqField { name: "num_interp_recv", doc: "interpreters bound to the recv end" },
        StructSeqField { name: "num_interp_recv_released", doc: "interpreters bound to the recv end and released" },
        StructSeqField { name: "num_interp_both", doc: "interpreters bound to both ends" },
        StructSeqField {
            name: "num_interp_both_recv_released",
            doc: "interpreters bound to both ends and released from the recv end",
        },
        StructSeqField {
            name: "num_interp_both_send_released",
            doc: "interpreters bound to both ends and released from the send end",
        },
        StructSeqField {
            name: "num_interp_both_released",
            doc: "interpreters bound to both ends and released from both",
        },
        StructSeqField { name: "send_associated", doc: "current interpreter is bound to the send end" },
        StructSeqField { name: "send_released", doc: "current interpreter was bound to the send end" },
        StructSeqField { name: "recv_associated", doc: "current interpreter is bound to the recv end" },
        StructSeqField { name: "recv_released", doc: "current interpreter was bound to the recv end" },
    ],
    in_sequence: 8,
};

/// The exception of a refusal.
pub(super) fn refuse<R>(ts: &ThreadState, refusal: Refusal, id: i64) -> PyResult<R> {
    match refusal {
        Refusal::NotFound => raise!(ts, CHANNEL_NOT_FOUND_ERROR, "channel {id} not found"),
        Refusal::Closed => raise!(ts, CHANNEL_CLOSED_ERROR, "channel {id} is closed"),
        Refusal::Released => raise!(ts, CHANNEL_CLOSED_ERROR, "channel {id} is already closed"),
        Refusal::ClosedMeanwhile => raise!(ts, CHANNEL_CLOSED_ERROR, "channel {id} has closed"),
        Refusal::Empty => raise!(ts, CHANNEL_EMPTY_ERROR, "channel {id} is empty"),
        Refusal::NotEmpty => {
            raise!(ts, CHANNEL_NOT_EMPTY_ERROR, "channel {id} may not be closed if not empty (try force=True)")
        }
        Refusal::NoMemory => Err(ts.raise_no_memory()),
    }
}

fn done<R>(ts: &ThreadState, id: i64, outcome: Result<R, Refusal>) -> PyResult<R> {
    outcome.or_else(|refusal| refuse(ts, refusal, id))
}

/// A number with -1 for "not given".
fn number_or(ts: &ThreadState, value: Option<&PyObject>, default: i32) -> PyResult<i32> {
    match value.map(|value| protocol::as_i32(ts, value)).transpose()? {
        None | Some(-1) => Ok(default),
        Some(number) => Ok(number),
    }
}

fn unbound_or(ts: &ThreadState, value: Option<&PyObject>, default: i32) -> PyResult<i32> {
    match number_or(ts, value, default)? {
        number @ UNBOUND_REMOVE..=UNBOUND_REPLACE => Ok(number),
        number => raise!(ts, exc::ValueError, "unsupported unboundop {number}"),
    }
}

/// A truth value, `None` when it is not given.
fn truth(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<Option<bool>> {
    value.map(|value| protocol::is_true(ts, value)).transpose()
}

fn create(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [op, fallback] = parse!(ts, args, "create", ["unboundop", "fallback"], 0, 2, 0);
    let unbound = unbound_or(ts, op, UNBOUND_REPLACE)?;
    let fallback = Fallback::from_number(ts, number_or(ts, fallback, Fallback::Full.number())?)?;
    let id = channels::create(unbound, fallback)?;
    Ok(PyChannelId::first(ts, id)?.into_object())
}

fn destroy(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "channel_destroy", ["cid"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    drop(done(ts, id, channels::destroy(id))?);
    Ok(ts.none())
}

fn list_all(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    let mut from = 0;
    while let Some((number, op, fallback)) = channels::next_from(from) {
        from = number + 1;
        let id = match PyChannelId::new(ts, number, Which::Both, false, false) {
            Ok(id) => id,
            // It has gone meanwhile.
            Err(raised) if ts.raised_matches(&CHANNEL_NOT_FOUND_ERROR) => {
                ts.clear_raised(raised);
                continue;
            }
            Err(raised) => return Err(raised),
        };
        let row = [id.into_object(), PyInt::from_i64(ts, op.into())?, PyInt::from_i64(ts, fallback.number().into())?];
        list.append(ts, PyTuple::from_array(ts, row)?.into_object())?;
    }
    Ok(list.into_object())
}

fn list_interpreters(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, send] = parse!(ts, args, "channel_list_interpreters", ["cid", "send"], 0, 1, 2);
    let (id, send) = (id::from_object(ts, id)?, truth(ts, send)?.unwrap_or(false));
    let mut found = TryVec::<i64>::new();
    loop {
        found.clear();
        let count = done(ts, id, channels::with(id, |channel| channel.interpreters(send, &mut found)))?;
        if count <= found.len() {
            break;
        }
        // What is allocated may not be so under the lock.
        found.try_reserve(count)?;
    }
    let list = PyList::new(ts)?;
    for number in found.iter() {
        list.append(ts, PyInt::from_i64(ts, *number)?)?;
    }
    Ok(list.into_object())
}

fn send(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let arguments =
        parse!(ts, args, "channel_send", ["cid", "obj", "unboundop", "fallback", "blocking", "timeout"], 0, 4, 2);
    send_with(ts, arguments, |_, object| Ok(object.new_ref()))
}

fn send_buffer(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let arguments = parse!(
        ts,
        args,
        "channel_send_buffer",
        ["cid", "obj", "unboundop", "fallback", "blocking", "timeout"],
        0,
        4,
        2
    );
    send_with(ts, arguments, |ts, object| Ok(PyMemoryView::from_object(ts, object)?.into_object()))
}

/// Sends what a function makes of the object.
fn send_with(
    ts: &ThreadState,
    arguments: [Option<&PyObject>; 6],
    of: impl FnOnce(&ThreadState, &PyObject) -> PyResult,
) -> PyResult {
    let [id, object, op, fallback, blocking, timeout] = arguments;
    let id = id::from_object(ts, id)?;
    let Some(object) = object else { return raise!(ts, exc::TypeError, "send() misses an object") };
    let blocking = truth(ts, blocking)?.unwrap_or(true);
    let deadline = deadline(ts, timeout, blocking)?;
    let object = of(ts, object)?;
    let defaults = |channel: &mut channels::Channel| {
        channel.check_open()?;
        Ok((channel.unbound, channel.fallback))
    };
    let (default_op, default_fallback) = done(ts, id, channels::with(id, defaults))?;
    let unbound = unbound_or(ts, op, default_op)?;
    let fallback = Fallback::from_number(ts, number_or(ts, fallback, default_fallback.number())?)?;
    let data = Data::encode(ts, &object, fallback)?;
    let interp = ts.interp().id;
    let waiting = Waiting::new();
    let mut item = Some(Item::new(data, unbound, interp, blocking.then_some(&waiting)));
    let outcome = channels::with(id, |channel| channel.send(interp, &mut item));
    // One that was not put in is dropped outside of the lock.
    drop(item);
    done(ts, id, outcome)?;
    if blocking {
        wait(ts, id, &waiting, deadline)?;
    }
    Ok(ts.none())
}

/// When a wait ends.
fn deadline(ts: &ThreadState, timeout: Option<&PyObject>, blocking: bool) -> PyResult<Option<i64>> {
    let Some(timeout) = timeout.filter(|timeout| !is_none(timeout)) else { return Ok(None) };
    let Some(time) = _thread::wait_time(ts, timeout)? else {
        return raise!(ts, exc::ValueError, "timeout value must be a non-negative number");
    };
    if !blocking {
        return raise!(ts, exc::ValueError, "can't specify a timeout for a non-blocking call");
    }
    Ok(Some(time))
}

/// Waits until the item is received. When it returns, nobody knows `waiting` any more.
fn wait(ts: &ThreadState, id: i64, waiting: &Waiting, deadline: Option<i64>) -> PyResult<()> {
    loop {
        match waiting.progress() {
            Progress::Received => return Ok(()),
            Progress::Lost => return refuse(ts, Refusal::ClosedMeanwhile, id),
            Progress::Underway => {}
        }
        let raised = match attach::without_gil(ts, || waiting.wait(deadline)) {
            Wake::Woken => continue,
            Wake::Interrupted => match pending::make(ts) {
                Ok(()) => continue,
                Err(raised) => Some(ts.take_raised(raised)),
            },
            Wake::TimedOut => None,
        };
        let withdrawn = channels::with_any(id, |channel| channel.withdraw(waiting));
        let nobody_took_it = matches!(withdrawn, Ok(Some(_)));
        drop(withdrawn);
        if !nobody_took_it {
            // Somebody makes an object of it just now, or has closed the channel: that is waited for to the end.
            while waiting.progress() == Progress::Underway {
                attach::without_gil(ts, || waiting.wait(None));
            }
        }
        match raised {
            Some(error) => return Err(ts.restore_raised(error)),
            None if nobody_took_it => return raise!(ts, exc::TimeoutError, "timed out"),
            None => {}
        }
    }
}

fn recv(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, default] = parse!(ts, args, "channel_recv", ["cid", "default"], 0, 2, 1);
    let id = id::from_object(ts, id)?;
    let interp = ts.interp().id;
    let item = match (channels::with(id, |channel| channel.receive(interp)), default) {
        (Err(Refusal::Empty), Some(default)) => {
            return Ok(PyTuple::pair(ts, default, &ts.none())?.into_object());
        }
        (taken, _) => done(ts, id, taken)?,
    };
    let (data, unbound, sender) = item.into_parts();
    let (object, op): (PyRef, PyRef) = match &data {
        Some(data) => (data.decode(ts)?, ts.none()),
        None => (ts.none(), PyInt::from_i64(ts, unbound.into())?),
    };
    sender.received();
    Ok(PyTuple::pair(ts, &object, &op)?.into_object())
}

/// The ends that two truth values name; both when neither is true.
fn ends(send: Option<bool>, recv: Option<bool>) -> Which {
    match (send.unwrap_or(false), recv.unwrap_or(false)) {
        (true, false) => Which::Send,
        (false, true) => Which::Receive,
        _ => Which::Both,
    }
}

fn close(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, send, recv, force] = parse!(ts, args, "channel_close", ["cid", "send", "recv", "force"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    let which = ends(truth(ts, send)?, truth(ts, recv)?);
    let force = truth(ts, force)?.unwrap_or(false);
    drop(done(ts, id, channels::with(id, |channel| channel.close(which, force)))?);
    Ok(ts.none())
}

fn release(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, send, recv, force] = parse!(ts, args, "channel_release", ["cid", "send", "recv", "force"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    let which = ends(truth(ts, send)?, truth(ts, recv)?);
    // Ends are released with what is in the channel, whether that is forced or not.
    truth(ts, force)?;
    let interp = ts.interp().id;
    drop(done(ts, id, channels::with(id, |channel| channel.release(interp, which)))?);
    Ok(ts.none())
}

fn get_count(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_count", ["cid"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    PyInt::from_usize(ts, done(ts, id, channels::with(id, |channel| Ok(channel.count())))?)
}

fn get_defaults(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_channel_defaults", ["cid"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    let (op, fallback) = done(ts, id, channels::with(id, |channel| Ok((channel.unbound, channel.fallback))))?;
    let (op, fallback) = (PyInt::from_i64(ts, op.into())?, PyInt::from_i64(ts, fallback.number().into())?);
    Ok(PyTuple::pair(ts, &op, &fallback)?.into_object())
}

fn get_info(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "get_info", ["cid"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    let interp = ts.interp().id;
    let info = done(ts, id, channels::with_any(id, |channel| channel.info(interp)))?;
    let mut values = TryVec::<PyRef>::try_with_capacity(INFO.fields.len())?;
    for truth in [info.open, info.closing, info.closed] {
        values.push_reserved(py_bool(truth));
    }
    let counts = [info.count].into_iter().chain(info.send).chain(info.receive).chain(info.both);
    for count in counts {
        values.try_push(PyInt::from_usize(ts, count)?)?;
    }
    for truth in info.own_send.into_iter().chain(info.own_receive) {
        values.try_push(py_bool(truth))?;
    }
    structseq::make(ts, &INFO, &values)
}

fn channel_id(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, send, recv, force, resolve] =
        parse!(ts, args, "ChannelID.__new__", ["id", "send", "recv", "force", "_resolve"], 0, 1, 1);
    let id = id::from_object(ts, id)?;
    let which = match (truth(ts, send)?, truth(ts, recv)?) {
        (Some(false), Some(false)) => {
            return raise!(ts, exc::ValueError, "'send' and 'recv' cannot both be False");
        }
        (send, recv) => ends(send, recv),
    };
    let force = truth(ts, force)?.unwrap_or(false);
    let resolve = truth(ts, resolve)?.unwrap_or(false);
    Ok(PyChannelId::new(ts, id, which, force, resolve)?.into_object())
}

/// Under what name the interpreter's state has the classes of Python's side.
const END_CLASSES: &str = "_interpchannels.classes";

fn end_name(which: Which) -> &'static str {
    if which == Which::Send { "send" } else { "recv" }
}

fn register(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [send, recv] = parse!(ts, args, "_register_end_types", ["send", "recv"], 0, 2, 2);
    let classes = xi::state_dict(ts, END_CLASSES)?;
    for (which, class) in [(Which::Send, send), (Which::Receive, recv)] {
        match class {
            Some(class) if class.is_a::<PyTypeObject>() => {}
            _ => return raise!(ts, exc::TypeError, "expected a type for '{}'", end_name(which)),
        }
    }
    for (which, class) in [(Which::Send, send), (Which::Receive, recv)] {
        if let Some(class) = class {
            classes.set_str(ts, &*PyStr::intern(ts, end_name(which))?, class)?;
        }
    }
    Ok(ts.none())
}

/// Which end an object is whose class was registered.
pub fn registered_end(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Which>> {
    let classes = xi::state_dict(ts, END_CLASSES)?;
    for which in [Which::Send, Which::Receive] {
        let class = classes.get_str(ts, &*PyStr::intern(ts, end_name(which))?)?;
        if class.is_some_and(|class| core::ptr::addr_eq(class.as_ptr(), object.ob_type())) {
            return Ok(Some(which));
        }
    }
    Ok(None)
}

/// The class that was registered for an end.
pub fn end_class(ts: &ThreadState, which: Which) -> PyResult<Option<PyRef>> {
    xi::state_dict(ts, END_CLASSES)?.get_str(ts, &*PyStr::intern(ts, end_name(which))?)
}
