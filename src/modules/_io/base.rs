//! The abstract bases: `_IOBase`, `_RawIOBase`, `_BufferedIOBase`, `_TextIOBase`, with the methods that
//! they make of the few that a subclass has to bring, and the finalizer that closes what was left open.
//!
//! ```text
//!  ┌─────────┬──────┬──────────┬────────┬────────────┬──────────────────
//!  │ header  │ dict │ weakrefs │ closed │ finalizing │ the class's own
//!  └─────────┴──────┴──────────┴────────┴────────────┴──────────────────
//! ```
//!
//! I1: every object of a class of this folder begins with a [`PyIOBase`].

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::util::*;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, Visitor, alloc, attr, buffer, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::{py_bool, true_object};
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// What every object of this folder begins with.
#[repr(C)]
pub struct PyIOBase {
    ob_base: PyObject,
    dict: Slot<PyDict>,
    weakrefs: WeakrefList,
    /// `_IOBase.close` has been called.
    pub(super) closed: Cell<bool>,
    /// The object is being closed by its finalizer.
    pub(super) finalizing: Cell<bool>,
}
native!(PyIOBase, IOBASE_TYPE);

/// The slots that the bases have in common.
const SLOTS: TypeSlots = TypeSlots {
    new: Some(new),
    dealloc: Some(dealloc),
    traverse: Some(traverse),
    clear: Some(clear),
    ..TypeSlots::EMPTY
};

/// A base's declaration, to be filled in.
const SPEC: TypeSpec = TypeSpec {
    basicsize: size_of::<PyIOBase>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&IOBASE_TYPE),
    slots: SLOTS,
    dictoffset: offset_of!(PyIOBase, dict),
    weaklistoffset: offset_of!(PyIOBase, weakrefs),
    ..TypeSpec::EMPTY
};

/// `_io._IOBase`.
pub static IOBASE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io._IOBase",
    base: None,
    doc: "The abstract base class of all streams. Methods that a stream cannot offer raise\nUnsupportedOperation; working on a closed one raises ValueError.",
    slots: TypeSlots { finalize: Some(finalize), iter: Some(iter), iternext: Some(iternext), ..SLOTS },
    methods: &[
        MethodDef::positional(
            "seek",
            |ts, _, args| {
                if args.is_empty() {
                    return raise!(ts, exc::TypeError, "seek() takes at least 1 positional argument (0 given)");
                }
                unsupported(ts, "seek")
            },
            "seek($self, offset, whence=os.SEEK_SET, /)\n--\n\nMove to a position, which is returned; whence says what the offset is relative to.",
        ),
        MethodDef::no_args("tell", tell, "tell($self, /)\n--\n\nThe present position."),
        MethodDef::positional(
            "truncate",
            |ts, _, _| unsupported(ts, "truncate"),
            "truncate($self, size=None, /)\n--\n\nMake the file that long, or end it at the present position.",
        ),
        MethodDef::no_args(
            "flush",
            flush,
            "flush($self, /)\n--\n\nWrite what waits in buffers; nothing for streams that are only read.",
        ),
        MethodDef::no_args(
            "close",
            close_method,
            "close($self, /)\n--\n\nFlush and close the stream; a second time does nothing.",
        ),
        MethodDef::no_args(
            "seekable",
            |_, _| Ok(py_bool(false)),
            "seekable($self, /)\n--\n\nWhether seek, tell and truncate can be used.",
        ),
        MethodDef::no_args(
            "readable",
            |_, _| Ok(py_bool(false)),
            "readable($self, /)\n--\n\nWhether the stream can be read.",
        ),
        MethodDef::no_args(
            "writable",
            |_, _| Ok(py_bool(false)),
            "writable($self, /)\n--\n\nWhether the stream can be written.",
        ),
        MethodDef::positional(
            "_checkClosed",
            |ts, this, _| check_closed(ts, this).map(|()| ts.none()),
            "_checkClosed($self, /)\n--\n\n",
        ),
        MethodDef::positional(
            "_checkSeekable",
            |ts, this, _| check_seekable(ts, this).map(|()| ts.none()),
            "_checkSeekable($self, /)\n--\n\n",
        ),
        MethodDef::positional(
            "_checkReadable",
            |ts, this, _| check_readable(ts, this).map(|()| ts.none()),
            "_checkReadable($self, /)\n--\n\n",
        ),
        MethodDef::positional(
            "_checkWritable",
            |ts, this, _| check_writable(ts, this).map(|()| ts.none()),
            "_checkWritable($self, /)\n--\n\n",
        ),
        MethodDef::no_args(
            "fileno",
            |ts, _| unsupported(ts, "fileno"),
            "fileno($self, /)\n--\n\nThe file descriptor; OSError when there is none.",
        ),
        MethodDef::no_args("isatty", isatty, "isatty($self, /)\n--\n\nWhether the stream is interactive."),
        MethodDef::no_args("__enter__", enter, ""),
        MethodDef::positional("__exit__", |ts, this, _| call::call_method(ts, this, id!(close), &[]), ""),
        MethodDef::positional(
            "readline",
            readline,
            "readline($self, size=-1, /)\n--\n\nRead a line with its end, at most size bytes of it.",
        ),
        MethodDef::positional(
            "readlines",
            readlines,
            "readlines($self, hint=-1, /)\n--\n\nRead lines into a list, until their lengths together reach hint.",
        ),
        MethodDef::one(
            "writelines",
            writelines,
            "writelines($self, lines, /)\n--\n\nWrite each of the lines; no separators are added.",
        ),
    ],
    getset: &[
        GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, ""),
        GetSetDef::get("closed", |_, this| Ok(py_bool(base_of(this).closed.get())), ""),
    ],
    ..SPEC
});

/// `_io._RawIOBase`.
pub static RAWIOBASE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io._RawIOBase",
    doc: "The base class of unbuffered binary streams.",
    methods: &[
        MethodDef::positional(
            "read",
            raw_read,
            "read($self, size=-1, /)\n--\n\nRead up to size bytes by one call of readinto, or all without a size.",
        ),
        MethodDef::no_args("readall", raw_readall, "readall($self, /)\n--\n\nRead until the end of the file."),
        MethodDef::one("readinto", |ts, _, _| Err(ts.raise_type(&exc::NotImplementedError)), ""),
        MethodDef::one("write", |ts, _, _| Err(ts.raise_type(&exc::NotImplementedError)), ""),
    ],
    ..SPEC
});

/// `_io._BufferedIOBase`.
pub static BUFFEREDIOBASE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io._BufferedIOBase",
    doc: "The base class of binary streams with a buffer: reading and writing are complete,\nwhere those of raw streams do as much as one system call does.",
    methods: &[
        MethodDef::no_args(
            "detach",
            |ts, _| unsupported(ts, "detach"),
            "detach($self, /)\n--\n\nGive the raw stream away; this object cannot be used afterwards.",
        ),
        MethodDef::positional(
            "read",
            |ts, _, _| unsupported(ts, "read"),
            "read($self, size=-1, /)\n--\n\nRead size bytes, or all; fewer only at the end of the file or when that would block.",
        ),
        MethodDef::positional(
            "read1",
            |ts, _, _| unsupported(ts, "read1"),
            "read1($self, size=-1, /)\n--\n\nRead up to size bytes with at most one call of the raw stream.",
        ),
        MethodDef::one(
            "readinto",
            |ts, this, target| readinto(ts, this, target, false),
            "readinto($self, buffer, /)\n--\n\nRead into the buffer; returns how many bytes.",
        ),
        MethodDef::one(
            "readinto1",
            |ts, this, target| readinto(ts, this, target, true),
            "readinto1($self, buffer, /)\n--\n\nThe same with at most one call of the raw stream.",
        ),
        MethodDef::one(
            "write",
            |ts, _, _| unsupported(ts, "write"),
            "write($self, b, /)\n--\n\nWrite the bytes; returns how many.",
        ),
    ],
    ..SPEC
});

/// `_io._TextIOBase`.
pub static TEXTIOBASE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io._TextIOBase",
    doc: "The base class of streams of text.",
    methods: &[
        MethodDef::no_args(
            "detach",
            |ts, _| unsupported(ts, "detach"),
            "detach($self, /)\n--\n\nGive the buffer away; this object cannot be used afterwards.",
        ),
        MethodDef::positional(
            "read",
            |ts, _, _| unsupported(ts, "read"),
            "read($self, size=-1, /)\n--\n\nRead up to size characters, or all.",
        ),
        MethodDef::positional(
            "readline",
            |ts, _, _| unsupported(ts, "readline"),
            "readline($self, size=-1, /)\n--\n\nRead a line, at most size characters of it.",
        ),
        MethodDef::one(
            "write",
            |ts, _, _| unsupported(ts, "write"),
            "write($self, s, /)\n--\n\nWrite the text; returns its length.",
        ),
    ],
    getset: &[
        GetSetDef::get("encoding", |ts, _| Ok(ts.none()), "The name of the encoding."),
        GetSetDef::get("newlines", |ts, _| Ok(ts.none()), "The kinds of line ends that have been read."),
        GetSetDef::get("errors", |ts, _| Ok(ts.none()), "What is done about errors of the encoding."),
    ],
    ..SPEC
});

impl PyIOBase {
    /// Shows the collector what is in the base part.
    pub(super) fn traverse(&self, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
        visitor.slot(&self.dict)
    }

    /// Empties the base part.
    pub(super) fn clear(&self) {
        self.dict.set(None);
    }

    /// The instance's dictionary, if it has been made.
    pub(super) fn dict(&self) -> Option<Ref<PyDict>> {
        self.dict.get()
    }
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyIOBase>(ts, typ)?;
    track(ts, object.as_object());
    Ok(object.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe { end(ts, object, |_| {}) }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    base_of(object).traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    base_of(object).clear();
}

/// The end of an object of this folder: its finalizer runs, unless it has; `fields` drops what the class adds.
///
/// # Safety
/// As for every `DeallocFn`; the object is a [`PyIOBase`].
pub(super) unsafe fn end(ts: &ThreadState, object: *mut PyObject, fields: impl FnOnce(&PyObject)) {
    // SAFETY: the object is whole until `free`.
    unsafe {
        if finish_dying(ts, &*object) {
            end_unfinalized(ts, object, fields);
        }
    }
}

/// The end of an object that has nothing to close.
///
/// # Safety
/// As for [`end`].
pub(super) unsafe fn end_unfinalized(ts: &ThreadState, object: *mut PyObject, fields: impl FnOnce(&PyObject)) {
    // SAFETY: the object is whole until `free`.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        fields(&*object);
        base_of(&*object).clear();
        alloc::free(ts, object);
    }
}

/// Runs the finalizer of a dying object, once in its life; false when it has brought the object back.
fn finish_dying(ts: &ThreadState, object: &PyObject) -> bool {
    let Some(finalize) = object.ob_type().slots().finalize else { return true };
    if gc::is_finalized(object) {
        return true;
    }
    gc::set_finalized(object);
    object.ob_refcnt.set(1);
    finalize(ts, object);
    let count = object.ob_refcnt.get() - 1;
    object.ob_refcnt.set(count);
    if count == 0 {
        return true;
    }
    if !gc::is_tracked(object) {
        gc::track_in(ts, object);
    }
    false
}

/// Closes what was left open. An object whose `closed` cannot be found out is left alone.
fn finalize(ts: &ThreadState, object: &PyObject) {
    let pending = ts.current_exception.take();
    match attr::get(ts, object, id!(closed)).and_then(|closed| protocol::is_true(ts, &closed)) {
        Ok(true) => {}
        Ok(false) => {
            // Python classes look for the attribute; the classes of this folder have it as a flag.
            base_of(object).finalizing.set(true);
            if object.ob_type().is_heap_type()
                && let Err(raised) = attr::set(ts, object, id!(_finalizing), true_object())
            {
                ts.clear_raised(raised);
            }
            if let Err(raised) = call::call_method(ts, object, id!(close), &[]) {
                exc::write_unraisable(ts, raised, Some("finalizing file"), object);
            }
        }
        Err(raised) => ts.clear_raised(raised),
    }
    ts.current_exception.set(pending);
}

fn tell(ts: &ThreadState, this: &PyObject) -> PyResult {
    let one = PyInt::one();
    call::call_method(ts, this, id!(seek), &[PyInt::zero(), one])
}

fn flush(ts: &ThreadState, this: &PyObject) -> PyResult {
    if base_of(this).closed.get() {
        return closed_error(ts, "I/O operation on closed file.");
    }
    Ok(ts.none())
}

/// `_IOBase.close`, for the classes that override it as well.
pub(super) fn close(ts: &ThreadState, this: &PyObject) -> PyResult<()> {
    if base_of(this).closed.get() {
        return Ok(());
    }
    let flushed = call::call_method(ts, this, id!(flush), &[]).map(drop);
    base_of(this).closed.set(true);
    flushed
}

fn close_method(ts: &ThreadState, this: &PyObject) -> PyResult {
    close(ts, this)?;
    Ok(ts.none())
}

fn isatty(ts: &ThreadState, this: &PyObject) -> PyResult {
    check_closed(ts, this)?;
    Ok(py_bool(false))
}

fn enter(ts: &ThreadState, this: &PyObject) -> PyResult {
    check_closed(ts, this)?;
    Ok(this.new_ref())
}

fn iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    check_closed(ts, this)?;
    Ok(this.new_ref())
}

fn iternext(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let line = call::call_method(ts, this, id!(readline), &[])?;
    if protocol::length(ts, &line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line))
}

fn readline(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readline", args.len(), 0, 1)?;
    let limit = optional_size(ts, args.first().copied())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let peek = attr::get_opt(ts, this, id!(peek))?;
    let mut line = TryVec::<u8>::new();
    while line.len() < limit {
        let mut count = 1;
        if let Some(peek) = &peek {
            let ahead = loop {
                match call::call_with(ts, peek, &[PyInt::one()]) {
                    Ok(ahead) => break ahead,
                    Err(raised) => trap_interruption(ts, raised)?,
                }
            };
            let Some(ahead) = ahead.downcast::<PyBytes>() else {
                return raise!(
                    ts,
                    exc::OSError,
                    "peek() should have returned a bytes object, not '{}'",
                    ahead.type_name()
                );
            };
            if !ahead.is_empty() {
                let bytes = ahead.as_slice();
                let most = bytes.len().min(limit - line.len());
                count = bytes[..most].iter().position(|byte| *byte == b'\n').map_or(most, |at| at + 1);
            }
        }
        let count = size_object(ts, count)?;
        let part = call_uninterrupted(ts, this, id!(read), &[&count])?;
        let Some(part) = part.downcast::<PyBytes>() else {
            return raise!(ts, exc::OSError, "read() should have returned a bytes object, not '{}'", part.type_name());
        };
        if part.is_empty() {
            break;
        }
        line.try_extend_from_copy(part.as_slice())?;
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    PyBytes::new(ts, &line).map(Ref::into_object)
}

fn readlines(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readlines", args.len(), 0, 1)?;
    let hint = optional_size(ts, args.first().copied())?;
    if hint <= 0 {
        return PyList::from_iterable(ts, this).map(Ref::into_object);
    }
    let lines = PyList::new(ts)?;
    let iterator = protocol::iter(ts, this)?;
    let mut length = 0usize;
    while let Some(line) = protocol::next(ts, &iterator)? {
        let size = protocol::length(ts, &line)?;
        lines.append(ts, line)?;
        if size > (hint as usize).saturating_sub(length) {
            break;
        }
        length += size;
    }
    Ok(lines.into_object())
}

fn writelines(ts: &ThreadState, this: &PyObject, lines: &PyObject) -> PyResult {
    check_closed(ts, this)?;
    let iterator = protocol::iter(ts, lines)?;
    while let Some(line) = protocol::next(ts, &iterator)? {
        call_uninterrupted(ts, this, id!(write), &[&line])?;
    }
    Ok(ts.none())
}

fn raw_read(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let size = optional_size(ts, args.first().copied())?;
    if size < 0 {
        return call::call_method(ts, this, id!(readall), &[]);
    }
    let target = PyByteArray::new(ts, &[])?;
    target.resize(ts, size as usize)?;
    let count = call_uninterrupted(ts, this, id!(readinto), &[target.as_object()])?;
    if is_none(&count) {
        return Ok(count);
    }
    let count = as_offset(ts, &count)?;
    if count < 0 || count as usize > target.len() {
        return raise!(ts, exc::ValueError, "readinto returned {count} outside buffer size {}", target.len());
    }
    // SAFETY: copying the bytes runs no Python code.
    PyBytes::new(ts, unsafe { &target.as_slice()[..count as usize] }).map(Ref::into_object)
}

fn raw_readall(ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut all = TryVec::<u8>::new();
    let size = size_object(ts, DEFAULT_BUFFER_SIZE)?;
    let mut first = true;
    loop {
        let part = call_uninterrupted(ts, this, id!(read), &[&size])?;
        if is_none(&part) {
            if first {
                return Ok(part);
            }
            break;
        }
        let Some(part) = part.downcast::<PyBytes>() else {
            return raise!(ts, exc::TypeError, "read() should return bytes");
        };
        if part.is_empty() {
            break;
        }
        first = false;
        all.try_extend_from_copy(part.as_slice())?;
    }
    PyBytes::new(ts, &all).map(Ref::into_object)
}

fn readinto(ts: &ThreadState, this: &PyObject, target: &PyObject, once: bool) -> PyResult {
    let name: &PyStr = if once { id!(read1) } else { id!(read) };
    let view = readinto_buffer(ts, if once { "readinto1() argument" } else { "readinto() argument" }, target)?;
    let room = view.view().len as usize;
    let size = size_object(ts, room)?;
    let data = call::call_method(ts, this, name, &[&size])?;
    let Some(data) = data.downcast::<PyBytes>() else {
        return raise!(ts, exc::TypeError, "read() should return bytes");
    };
    if data.len() > room {
        return raise!(
            ts,
            exc::ValueError,
            "read() returned too much data: {room} bytes requested, {} returned",
            data.len()
        );
    }
    copy_into(&view, 0, data.as_slice());
    size_object(ts, data.len())
}

/// Copies bytes into a writable view, where there is room for them.
pub(super) fn copy_into(view: &buffer::Buffer, at: usize, bytes: &[u8]) {
    debug_assert!(at + bytes.len() <= view.view().len as usize);
    // SAFETY: the view is writable and has room; the source may be the same memory.
    unsafe { core::ptr::copy(bytes.as_ptr(), view.view().buf.cast::<u8>().add(at), bytes.len()) };
}
