//! `BufferedRWPair`: a reader and a writer over two raw streams, as one object.

use core::mem::size_of;
use core::ops::ControlFlow;

use super::super::base::{self, BUFFEREDIOBASE_TYPE, PyIOBase};
use super::super::util::*;
use super::{BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, StaticType, TypeSlots,
    TypeSpec, Visitor, alloc, attr, call, flags,
};
use crate::state::ThreadState;
use crate::types::bool::{py_bool, true_object};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// The pair.
#[repr(C)]
pub struct PyBufferedRWPair {
    base: PyIOBase,
    reader: Slot<PyObject>,
    writer: Slot<PyObject>,
}
native!(PyBufferedRWPair, BUFFERED_RW_PAIR_TYPE);

/// `_io.BufferedRWPair`.
pub static BUFFERED_RW_PAIR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.BufferedRWPair",
    basicsize: size_of::<PyBufferedRWPair>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&BUFFEREDIOBASE_TYPE),
    doc: "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\nA buffered reader and a buffered writer together, for sockets and two-way pipes.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional("read", |ts, this, args| ask(ts, this, false, id!(read), args), ""),
        MethodDef::positional("peek", |ts, this, args| ask(ts, this, false, id!(peek), args), ""),
        MethodDef::positional("read1", |ts, this, args| ask(ts, this, false, id!(read1), args), ""),
        MethodDef::one("readinto", |ts, this, target| ask(ts, this, false, id!(readinto), &[target]), ""),
        MethodDef::one("readinto1", |ts, this, target| ask(ts, this, false, id!(readinto1), &[target]), ""),
        MethodDef::one("write", |ts, this, data| ask(ts, this, true, id!(write), &[data]), ""),
        MethodDef::no_args("flush", |ts, this| ask(ts, this, true, id!(flush), &[]), ""),
        MethodDef::no_args("readable", |ts, this| ask(ts, this, false, id!(readable), &[]), ""),
        MethodDef::no_args("writable", |ts, this| ask(ts, this, true, id!(writable), &[]), ""),
        MethodDef::no_args("close", close, ""),
        MethodDef::no_args("isatty", isatty, ""),
        MethodDef::no_args("__reduce__", cannot_pickle, ""),
        MethodDef::one("__reduce_ex__", cannot_pickle_protocol, ""),
    ],
    getset: &[GetSetDef::get("closed", closed, "Whether the writer is closed.")],
    ..TypeSpec::EMPTY
});

fn pair(object: &PyObject) -> &PyBufferedRWPair {
    object.cast()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyBufferedRWPair>(ts, typ)?;
    track(ts, object.as_object());
    Ok(object.into_object())
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let args = args.no_keywords(ts, "BufferedRWPair")?;
    call::check_count(ts, "BufferedRWPair", args.len(), 2, 3)?;
    let (reader, writer, size) = (args[0], args[1], args.get(2));
    check_readable(ts, reader)?;
    check_writable(ts, writer)?;
    let size = match size {
        Some(size) => size.new_ref(),
        None => PyInt::from_usize(ts, DEFAULT_BUFFER_SIZE)?,
    };
    let reader = call::call_with(ts, BUFFERED_READER_TYPE.as_object(), &[reader, &size])?;
    let writer = call::call_with(ts, BUFFERED_WRITER_TYPE.as_object(), &[writer, &size])?;
    pair(object).reader.set(Some(reader));
    pair(object).writer.set(Some(writer));
    Ok(())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe {
        base::end(ts, object, |object| {
            pair(object).reader.set(None);
            pair(object).writer.set(None);
        });
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&pair(object).reader)?;
    visitor.slot(&pair(object).writer)?;
    pair(object).base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    pair(object).reader.set(None);
    pair(object).writer.set(None);
    pair(object).base.clear();
}

fn half(ts: &ThreadState, object: &PyObject, writer: bool) -> PyResult<PyRef> {
    filled(ts, if writer { &pair(object).writer } else { &pair(object).reader })
}

fn ask(ts: &ThreadState, object: &PyObject, writer: bool, name: &PyStr, args: &[&PyObject]) -> PyResult {
    let half = half(ts, object, writer)?;
    let method = attr::get(ts, &half, name)?;
    call::call_with(ts, &method, args)
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    let written = ask(ts, object, true, id!(close), &[]).map(drop);
    and_then_close(ts, written, || ask(ts, object, false, id!(close), &[]))
}

fn isatty(ts: &ThreadState, object: &PyObject) -> PyResult {
    let writer = ask(ts, object, true, id!(isatty), &[])?;
    if !writer.is(py_bool(false).as_object()) || writer.is(true_object()) {
        return Ok(writer);
    }
    ask(ts, object, false, id!(isatty), &[])
}

fn closed(ts: &ThreadState, object: &PyObject) -> PyResult {
    match pair(object).writer.get() {
        Some(writer) => attr::get(ts, &writer, id!(closed)),
        None => raise!(ts, exc::RuntimeError, "the BufferedRWPair object is being garbage-collected"),
    }
}
