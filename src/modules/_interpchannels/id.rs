//! `ChannelID`: the number of a channel, and an end of it. A channel lives as long as there is one.

use core::cell::Cell;

use super::channels::{self, Refusal, Which};
use super::refuse;
use crate::object::{
    CompareOp, GetSetDef, PyObject, PyRef, PyResult, Ref, StaticType, TypeSlots, TypeSpec, alloc, flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::{self, PyInt};
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;

/// An ID.
#[repr(C)]
pub struct PyChannelId {
    ob_base: PyObject,
    id: Cell<i64>,
    which: Cell<u8>,
    /// Another interpreter makes an end of Python's of it.
    resolves: Cell<bool>,
    /// Whether the channel counts it: it does not when the object was made without a channel.
    counted: Cell<bool>,
}

crate::native!(PyChannelId, CHANNEL_ID_TYPE);

/// `_interpchannels.ChannelID`.
pub static CHANNEL_ID_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_interpchannels.ChannelID",
    basicsize: size_of::<PyChannelId>(),
    flags: flags::BASETYPE | flags::DISALLOW_INSTANTIATION,
    doc: "The number of a channel, which may be used as an int.",
    slots: TypeSlots {
        dealloc: Some(channel_id_dealloc),
        repr: Some(repr),
        str: Some(|ts, this| {
            PyStr::format(ts, format_args!("{}", this.cast::<PyChannelId>().id())).map(Ref::into_object)
        }),
        hash: Some(|_, this| Ok(int::hash_i64(this.cast::<PyChannelId>().id()))),
        richcompare: Some(compare),
        nb_int: Some(number),
        nb_index: Some(number),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get("end", end, "'send', 'recv' or 'both'"),
        GetSetDef::get("send", |ts, this| of_end(ts, this, Which::Send), "The ID of the channel's sending end."),
        GetSetDef::get("recv", |ts, this| of_end(ts, this, Which::Receive), "The ID of the channel's receiving end."),
    ],
    ..TypeSpec::EMPTY
});

impl PyChannelId {
    /// An ID of a channel. ChannelNotFoundError when there is none, unless forced.
    pub fn new(ts: &ThreadState, id: i64, which: Which, force: bool, resolves: bool) -> PyResult<Ref<PyChannelId>> {
        match channels::add_object(id) {
            Ok(()) => {}
            Err(Refusal::NotFound) if force => return make(ts, id, which, resolves, false),
            Err(refusal) => return refuse(ts, refusal, id),
        }
        let made = make(ts, id, which, resolves, true);
        if made.is_err() {
            channels::drop_object(id);
        }
        made
    }

    /// The first ID of a channel that was just made, and counts it already. The channel is gone when that fails.
    pub fn first(ts: &ThreadState, id: i64) -> PyResult<Ref<PyChannelId>> {
        let made = make(ts, id, Which::Both, false, true);
        if made.is_err() {
            channels::drop_object(id);
        }
        made
    }

    /// The number.
    pub fn id(&self) -> i64 {
        self.id.get()
    }

    /// The ends that it stands for.
    pub fn which(&self) -> Which {
        Which::from_number(self.which.get())
    }

    /// Whether another interpreter makes an end of Python's of it.
    pub fn resolves(&self) -> bool {
        self.resolves.get()
    }
}

fn make(ts: &ThreadState, id: i64, which: Which, resolves: bool, counted: bool) -> PyResult<Ref<PyChannelId>> {
    let this = alloc::exact::<PyChannelId>(ts)?;
    this.id.set(id);
    this.which.set(which as u8);
    this.resolves.set(resolves);
    this.counted.set(counted);
    Ok(this)
}

/// The number that an argument gives.
pub fn from_object(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<i64> {
    let Some(value) = value else { return raise!(ts, exc::TypeError, "a channel's ID is missing") };
    if let Some(id) = value.downcast::<PyChannelId>() {
        return Ok(id.id());
    }
    if !protocol::is_index(value) {
        return raise!(ts, exc::TypeError, "channel ID must be an int, got {}", value.type_name());
    }
    let number = protocol::index(ts, value)?;
    match number.as_i64() {
        Some(id) if id >= 0 => Ok(id),
        _ if number.sign() < 0 => {
            let shown = protocol::repr(ts, value)?;
            raise!(ts, exc::ValueError, "channel ID must be a non-negative int, got {shown}")
        }
        _ => raise!(ts, exc::OverflowError, "int too big to convert"),
    }
}

fn of_end(ts: &ThreadState, this: &PyObject, which: Which) -> PyResult {
    let this = this.cast::<PyChannelId>();
    Ok(PyChannelId::new(ts, this.id(), which, false, this.resolves())?.into_object())
}

fn end(ts: &ThreadState, this: &PyObject) -> PyResult {
    let name = match this.cast::<PyChannelId>().which() {
        Which::Send => "send",
        Which::Receive => "recv",
        Which::Both => "both",
    };
    Ok(PyStr::intern(ts, name)?.into_object())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let end = match this.cast::<PyChannelId>().which() {
        Which::Send => ", send=True",
        Which::Receive => ", recv=True",
        Which::Both => "",
    };
    let name = this.type_name();
    let short = name.rsplit('.').next().unwrap_or(name);
    PyStr::format(ts, format_args!("{short}({}{end})", this.cast::<PyChannelId>().id())).map(Ref::into_object)
}

fn number(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, this.cast::<PyChannelId>().id())
}

fn compare(ts: &ThreadState, this: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne) = op else { return Ok(not_implemented()) };
    let id = this.cast::<PyChannelId>();
    if let Some(other) = other.downcast::<PyChannelId>() {
        let equal = id.id() == other.id() && id.which() == other.which();
        return Ok(py_bool(equal == (op == CompareOp::Eq)));
    }
    if !protocol::is_number(other) {
        return Ok(not_implemented());
    }
    let number: PyRef = PyInt::from_i64(ts, id.id())?;
    protocol::compare(ts, &number, other, op)
}

/// # Safety
/// The object's count is zero.
unsafe fn channel_id_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe {
        let this = (*object).cast::<PyChannelId>();
        if this.counted.get() {
            channels::drop_object(this.id());
        }
        alloc::free(ts, object);
    }
}
