//! `mmap`: files as memory.
//!
//! I1: the memory is mapped while `data` is not null; it is neither unmapped nor moved while views of it exist.
//! I2: whatever may run Python code is done before the memory is looked at, or it is checked again.

mod items;

use core::cell::Cell;
use core::mem::offset_of;

use crate::modules::ModuleSpec;
use crate::modules::posix::system::{blocking, errno, int_or, os_error, parse};
use crate::object::buffer::{self, Buffer, PyBuffer};
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::algorithms::{find, rfind};
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::slice::bound_index;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec =
    ModuleSpec { name: "mmap", doc: "Files as memory.", types: &[&MMAP_TYPE], exec: Some(exec), ..ModuleSpec::EMPTY };

static CONSTANTS: &[(&str, i64)] = &[
    ("ACCESS_COPY", 3),
    ("ACCESS_DEFAULT", 0),
    ("ACCESS_READ", 1),
    ("ACCESS_WRITE", 2),
    ("ALLOCATIONGRANULARITY", 4096),
    ("MADV_DODUMP", 17),
    ("MADV_DOFORK", 11),
    ("MADV_DONTDUMP", 16),
    ("MADV_DONTFORK", 10),
    ("MADV_DONTNEED", 4),
    ("MADV_FREE", 8),
    ("MADV_HUGEPAGE", 14),
    ("MADV_HWPOISON", 100),
    ("MADV_MERGEABLE", 12),
    ("MADV_NOHUGEPAGE", 15),
    ("MADV_NORMAL", 0),
    ("MADV_RANDOM", 1),
    ("MADV_REMOVE", 9),
    ("MADV_SEQUENTIAL", 2),
    ("MADV_UNMERGEABLE", 13),
    ("MADV_WILLNEED", 3),
    ("MAP_32BIT", 64),
    ("MAP_ANON", 32),
    ("MAP_ANONYMOUS", 32),
    ("MAP_DENYWRITE", 2048),
    ("MAP_EXECUTABLE", 4096),
    ("MAP_NORESERVE", 16384),
    ("MAP_POPULATE", 32768),
    ("MAP_PRIVATE", 2),
    ("MAP_SHARED", 1),
    ("MAP_STACK", 131072),
    ("PAGESIZE", 4096),
    ("PROT_EXEC", 4),
    ("PROT_READ", 1),
    ("PROT_WRITE", 2),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "error", exc::OSError.as_object())?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// What may be done with the memory.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
enum Access {
    #[default]
    Default = 0,
    Read = 1,
    Write = 2,
    Copy = 3,
}

/// A mapped file, or memory of no file.
#[repr(C)]
pub struct PyMmap {
    ob_base: PyObject,
    /// Null once it is closed.
    data: Cell<*mut u8>,
    size: Cell<usize>,
    position: Cell<usize>,
    offset: Cell<i64>,
    /// A descriptor of the file of its own, -1 for none.
    fd: Cell<i32>,
    /// How many views there are.
    exports: Cell<usize>,
    access: Cell<Access>,
    flags: Cell<i32>,
    /// Whether the file is known.
    tracks_fd: Cell<bool>,
    weakrefs: WeakrefList,
}
crate::native!(PyMmap, MMAP_TYPE);

/// `mmap.mmap`.
static MMAP_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"mmap.mmap",
    basicsize: size_of::<PyMmap>(),
    flags: flags::BASETYPE | flags::IMMUTABLE,
    doc: "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\nMap length bytes of a file, all of it for 0, beginning at offset. Without a file (-1) it is memory\nof its own. access is a simple way to say what flags and prot say.",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(dealloc),
        repr: Some(repr),
        sq_length: Some(items::length),
        sq_item: Some(items::item),
        sq_ass_item: Some(items::set_item),
        mp_length: Some(items::length),
        mp_subscript: Some(items::subscript),
        mp_ass_subscript: Some(items::set_subscript),
        bf_getbuffer: Some(get_buffer),
        bf_releasebuffer: Some(release_buffer),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("close", close, "close($self, /)\n--\n\nUnmap the memory."),
        MethodDef::positional(
            "find",
            |ts, this, args| search(ts, this, "find", args, false),
            "find(sub[, start[, end]])\n\nThe first place of the bytes from the position on, or -1.",
        ),
        MethodDef::positional(
            "rfind",
            |ts, this, args| search(ts, this, "rfind", args, true),
            "rfind(sub[, start[, end]])\n\nThe last place of the bytes from the position on, or -1.",
        ),
        MethodDef::positional("flush", flush, "flush([offset[, size]])\n\nWrite what has changed to the file."),
        MethodDef::positional(
            "madvise",
            madvise,
            "madvise(option[, start[, length]])\n\nTell the kernel how the memory is going to be used.",
        ),
        MethodDef::positional(
            "move",
            move_bytes,
            "move(dest, src, count)\n\nCopy a part of the memory to another place in it.",
        ),
        MethodDef::positional("read", read, "read([n])\n\nRead up to n bytes from the position on, all for None."),
        MethodDef::no_args("read_byte", read_byte, "read_byte($self, /)\n--\n\nRead the byte at the position."),
        MethodDef::no_args("readline", readline, "readline($self, /)\n--\n\nRead a line from the position on."),
        MethodDef::one("resize", resize, "resize(newsize)\n\nResize the map, and the file if there is one."),
        MethodDef::positional("seek", seek, "seek(pos[, whence])\n\nMove the position, which is returned."),
        MethodDef::no_args(
            "seekable",
            |ts, this| {
                of(ts, this)?;
                Ok(py_bool(true))
            },
            "seekable($self, /)\n--\n\nTrue.",
        ),
        MethodDef::no_args("size", size, "size($self, /)\n--\n\nThe size of the file."),
        MethodDef::no_args(
            "tell",
            |ts, this| PyInt::from_usize(ts, of(ts, this)?.position.get()),
            "tell($self, /)\n--\n\nThe position.",
        ),
        MethodDef::one("write", write, "write(bytes)\n\nWrite at the position; returns how much."),
        MethodDef::one("write_byte", write_byte, "write_byte(byte)\n\nWrite a byte at the position."),
        MethodDef::no_args(
            "__enter__",
            |ts, this| {
                of(ts, this)?;
                Ok(this.new_ref())
            },
            "__enter__($self, /)\n--\n\n",
        ),
        MethodDef::positional("__exit__", |ts, this, _| close(ts, this), ""),
    ],
    getset: &[GetSetDef::get("closed", |_, this| Ok(py_bool(this.cast::<PyMmap>().data.get().is_null())), "")],
    weaklistoffset: offset_of!(PyMmap, weakrefs),
    ..TypeSpec::EMPTY
});

/// The map, when it is open.
fn of<'a>(ts: &ThreadState, this: &'a PyObject) -> PyResult<&'a PyMmap> {
    let map = this.cast::<PyMmap>();
    if map.data.get().is_null() {
        return raise!(ts, exc::ValueError, "mmap closed or invalid");
    }
    Ok(map)
}

impl PyMmap {
    /// The memory. The file may change it at any time, so it is copied and searched, and not relied upon.
    ///
    /// # Safety
    /// The map is open, and nothing that closes or resizes it happens while the result is used.
    unsafe fn memory(&self) -> &[u8] {
        // SAFETY: I1, and the caller's promise.
        unsafe { core::slice::from_raw_parts(self.data.get(), self.size.get()) }
    }

    fn check_writable(&self, ts: &ThreadState) -> PyResult<()> {
        if self.access.get() == Access::Read {
            return raise!(ts, exc::TypeError, "mmap can't modify a readonly memory map.");
        }
        Ok(())
    }
}

/// A number that must not be negative.
fn unsigned(ts: &ThreadState, value: i64, what: &str) -> PyResult<u64> {
    match u64::try_from(value) {
        Ok(value) => Ok(value),
        Err(_) => raise!(ts, exc::OverflowError, "memory mapped {what} must be positive"),
    }
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [fileno, length, flags, protection, access, offset, tracks] =
        parse!(ts, args, "mmap", ["fileno", "length", "flags", "prot", "access", "offset", "trackfd"], 0, 6, 2);
    let fd = int_or(ts, fileno, -1)?;
    let length = protocol::as_isize(ts, length.unwrap_or(PyInt::zero()))?;
    let mut flags = int_or(ts, flags, libc::MAP_SHARED)?;
    let mut protection = int_or(ts, protection, libc::PROT_READ | libc::PROT_WRITE)?;
    let access = int_or(ts, access, 0)?;
    let offset = offset.map_or(Ok(0), |offset| protocol::index(ts, offset)?.to_i64(ts))?;
    let tracks = tracks.map_or(Ok(true), |tracks| protocol::is_true(ts, tracks))?;
    let mut size = unsigned(ts, length as i64, "length")? as usize;
    unsigned(ts, offset, "offset")?;
    if access != 0 && (flags != libc::MAP_SHARED || protection != libc::PROT_READ | libc::PROT_WRITE) {
        return raise!(ts, exc::ValueError, "mmap can't specify both access and flags, prot.");
    }
    let access_number = access;
    let access = match access {
        1 => {
            (flags, protection) = (libc::MAP_SHARED, libc::PROT_READ);
            Access::Read
        }
        2 => {
            (flags, protection) = (libc::MAP_SHARED, libc::PROT_READ | libc::PROT_WRITE);
            Access::Write
        }
        3 => {
            (flags, protection) = (libc::MAP_PRIVATE, libc::PROT_READ | libc::PROT_WRITE);
            Access::Copy
        }
        // What flags and prot mean in these words.
        0 => match (protection & libc::PROT_READ != 0, protection & libc::PROT_WRITE != 0) {
            (true, true) => Access::Default,
            (false, true) => Access::Write,
            _ => Access::Read,
        },
        _ => return raise!(ts, exc::ValueError, "mmap invalid access parameter."),
    };
    crate::modules::sys::auditing::event_with(ts, "mmap.__new__", || {
        let number = |value: i64| PyInt::from_i64(ts, value);
        Ok([number(fd.into())?, PyInt::from_usize(ts, size)?, number(access_number.into())?, number(offset)?])
    })?;
    if fd != -1 {
        // SAFETY: numbers, which the call fills in.
        let mut status = unsafe { core::mem::zeroed::<libc::stat>() };
        // SAFETY: there is room for the result.
        let (result, _) = blocking(ts, || unsafe { (libc::fstat(fd, &raw mut status), errno()) });
        if result == 0 && status.st_mode & libc::S_IFMT == libc::S_IFREG {
            if size == 0 {
                if status.st_size == 0 {
                    return raise!(ts, exc::ValueError, "cannot mmap an empty file");
                }
                if offset >= status.st_size {
                    return raise!(ts, exc::ValueError, "mmap offset is greater than file size");
                }
                size = (status.st_size - offset) as usize;
            } else if offset > status.st_size || ((status.st_size - offset) as u64) < size as u64 {
                return raise!(ts, exc::ValueError, "mmap length is greater than file size");
            }
        }
    }
    let map = alloc::object::<PyMmap>(ts, typ)?;
    map.fd.set(-1);
    if typ.is_gc() {
        gc::track(ts, &*map);
    }
    if fd == -1 {
        flags |= libc::MAP_ANONYMOUS;
    } else if tracks {
        // SAFETY: makes a new descriptor.
        let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        if own < 0 {
            return Err(os_error(ts, errno()));
        }
        map.fd.set(own);
    }
    // SAFETY: a new mapping, at an address that the kernel chooses.
    let (data, error) =
        blocking(ts, || unsafe { (libc::mmap(core::ptr::null_mut(), size, protection, flags, fd, offset), errno()) });
    if data == libc::MAP_FAILED {
        return Err(os_error(ts, error));
    }
    map.data.set(data.cast());
    map.size.set(size);
    map.offset.set(offset);
    map.access.set(access);
    map.flags.set(flags);
    map.tracks_fd.set(tracks);
    Ok(map.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero; views would hold references to it.
    unsafe {
        let map = (*object).cast_unchecked::<PyMmap>();
        if (*object).ob_type().is_gc() {
            gc::untrack(&*object);
        }
        weakref::clear_all(ts, &*object);
        unmap(ts, map);
        alloc::free(ts, object);
    }
}

fn unmap(ts: &ThreadState, map: &PyMmap) {
    let (fd, data, size) = (map.fd.replace(-1), map.data.replace(core::ptr::null_mut()), map.size.get());
    blocking(ts, || {
        // SAFETY: the descriptor and the mapping were the map's, and nothing leads to them any more (I1).
        unsafe {
            if fd >= 0 {
                libc::close(fd);
            }
            if !data.is_null() {
                libc::munmap(data.cast(), size);
            }
        }
    });
}

fn close(ts: &ThreadState, this: &PyObject) -> PyResult {
    let map = this.cast::<PyMmap>();
    if map.exports.get() > 0 {
        return raise!(ts, exc::BufferError, "cannot close exported pointers exist");
    }
    unmap(ts, map);
    Ok(ts.none())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let map = this.cast::<PyMmap>();
    let name = this.ob_type().full_name();
    if map.data.get().is_null() {
        return Ok(PyStr::format(ts, format_args!("<{name} closed=True>"))?.into_object());
    }
    let access = match map.access.get() {
        Access::Default => "ACCESS_DEFAULT",
        Access::Read => "ACCESS_READ",
        Access::Write => "ACCESS_WRITE",
        Access::Copy => "ACCESS_COPY",
    };
    let (size, position, offset) = (map.size.get(), map.position.get(), map.offset.get());
    let text = format_args!("<{name} closed=False, access={access}, length={size}, pos={position}, offset={offset}>");
    Ok(PyStr::format(ts, text)?.into_object())
}

fn get_buffer(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    let map = of(ts, this)?;
    // SAFETY: the memory stays while there are views (I1).
    unsafe { view.fill(ts, map.data.get(), map.size.get(), map.access.get() == Access::Read, flags)? };
    map.exports.set(map.exports.get() + 1);
    Ok(())
}

fn release_buffer(_: &ThreadState, this: &PyObject, _: &mut PyBuffer) {
    let map = this.cast::<PyMmap>();
    map.exports.set(map.exports.get() - 1);
}

/// A part of the memory as an object; the position moves behind it.
fn take(ts: &ThreadState, map: &PyMmap, end: usize) -> PyResult {
    let start = map.position.get();
    // SAFETY: the map is open; making an object runs no code of its users.
    let bytes = PyBytes::new(ts, unsafe { &map.memory()[start..end] })?;
    map.position.set(end);
    Ok(bytes.into_object())
}

fn read(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let count = match args.first().filter(|count| !is_none(count)) {
        None => -1,
        Some(count) if protocol::is_index(count) => protocol::as_isize_clamped(ts, count)?,
        Some(count) => {
            return raise!(ts, exc::TypeError, "argument should be integer or None, not '{}'", count.type_name());
        }
    };
    let map = of(ts, this)?;
    let rest = map.size.get().saturating_sub(map.position.get());
    let count = usize::try_from(count).map_or(rest, |count| count.min(rest));
    if rest == 0 {
        return Ok(PyBytes::empty().into_object());
    }
    take(ts, map, map.position.get() + count)
}

fn read_byte(ts: &ThreadState, this: &PyObject) -> PyResult {
    let map = of(ts, this)?;
    let position = map.position.get();
    if position >= map.size.get() {
        return raise!(ts, exc::ValueError, "read byte out of range");
    }
    map.position.set(position + 1);
    // SAFETY: the map is open.
    PyInt::from_i64(ts, unsafe { map.memory()[position] }.into())
}

fn readline(ts: &ThreadState, this: &PyObject) -> PyResult {
    let map = of(ts, this)?;
    let (start, size) = (map.position.get(), map.size.get());
    if start >= size {
        return Ok(PyBytes::empty().into_object());
    }
    // SAFETY: the map is open.
    let end = unsafe { find(map.memory(), b"\n", start, size) }.map_or(size, |at| at + 1);
    take(ts, map, end)
}

fn write(ts: &ThreadState, this: &PyObject, data: &PyObject) -> PyResult {
    of(ts, this)?;
    let data = bytes_like(ts, data)?;
    let map = of(ts, this)?;
    map.check_writable(ts)?;
    let position = map.position.get();
    if position > map.size.get() || data.len() > map.size.get() - position {
        return raise!(ts, exc::ValueError, "data out of range");
    }
    // SAFETY: the map is open, writable and large enough; the data may be a part of it.
    unsafe { core::ptr::copy(data.as_ptr(), map.data.get().add(position), data.len()) };
    map.position.set(position + data.len());
    PyInt::from_usize(ts, data.len())
}

/// A number from 0 to 255.
fn byte_of(ts: &ThreadState, value: &PyObject) -> PyResult<u8> {
    let value = protocol::index(ts, value)?;
    match value.as_i64() {
        Some(byte @ 0..=255) => Ok(byte as u8),
        _ if value.sign() < 0 => raise!(ts, exc::OverflowError, "unsigned byte integer is less than minimum"),
        _ => raise!(ts, exc::OverflowError, "unsigned byte integer is greater than maximum"),
    }
}

fn write_byte(ts: &ThreadState, this: &PyObject, value: &PyObject) -> PyResult {
    let byte = byte_of(ts, value)?;
    let map = of(ts, this)?;
    map.check_writable(ts)?;
    let position = map.position.get();
    if position >= map.size.get() {
        return raise!(ts, exc::ValueError, "write byte out of range");
    }
    // SAFETY: the map is open, writable and large enough.
    unsafe { map.data.get().add(position).write(byte) };
    map.position.set(position + 1);
    Ok(ts.none())
}

fn search(ts: &ThreadState, this: &PyObject, name: &str, args: &[&PyObject], from_end: bool) -> PyResult {
    of(ts, this)?;
    call::check_count(ts, name, args.len(), 1, 3)?;
    let needle = Buffer::get(ts, args[0], buffer::SIMPLE)?;
    let bound = |index: usize| args.get(index).filter(|arg| !is_none(arg)).map(|arg| bound_index(ts, arg)).transpose();
    let (start, end) = (bound(1)?, bound(2)?);
    let map = of(ts, this)?;
    let size = map.size.get();
    let clip = |at: Option<isize>, default: usize| match at {
        Some(at) if at < 0 => size.saturating_sub(at.unsigned_abs()),
        Some(at) => (at as usize).min(size),
        None => default,
    };
    let (start, end) = (clip(start, map.position.get().min(size)), clip(end, size));
    // SAFETY: the map is open.
    let memory = unsafe { map.memory() };
    let found = if from_end {
        rfind(memory, needle.as_slice(), start, end)
    } else {
        find(memory, needle.as_slice(), start, end)
    };
    PyInt::from_isize(ts, found.map_or(-1, |at| at as isize))
}

fn seek(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let distance = protocol::as_isize(ts, args[0])?;
    let whence = int_or(ts, args.get(1).copied(), 0)?;
    let map = of(ts, this)?;
    let from = match whence {
        0 => 0,
        1 => map.position.get(),
        2 => map.size.get(),
        _ => return raise!(ts, exc::ValueError, "unknown seek type"),
    };
    match (from as isize).checked_add(distance) {
        Some(to) if to >= 0 && to as usize <= map.size.get() => {
            map.position.set(to as usize);
            PyInt::from_isize(ts, to)
        }
        _ => raise!(ts, exc::ValueError, "seek out of range"),
    }
}

fn size(ts: &ThreadState, this: &PyObject) -> PyResult {
    let map = of(ts, this)?;
    let fd = map.fd.get();
    // SAFETY: numbers, which the call fills in.
    let mut status = unsafe { core::mem::zeroed::<libc::stat>() };
    // SAFETY: there is room for the result.
    let (result, error) = blocking(ts, || unsafe { (libc::fstat(fd, &raw mut status), errno()) });
    if result < 0 {
        return Err(os_error(ts, error));
    }
    PyInt::from_i64(ts, status.st_size)
}

fn move_bytes(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "move", args.len(), 3, 3)?;
    let mut numbers = [0usize; 3];
    let mut in_range = true;
    for (number, argument) in numbers.iter_mut().zip(args) {
        match usize::try_from(protocol::as_isize(ts, argument)?) {
            Ok(value) => *number = value,
            Err(_) => in_range = false,
        }
    }
    let [to, from, count] = numbers;
    let map = of(ts, this)?;
    map.check_writable(ts)?;
    let size = map.size.get();
    if !in_range || to > size || from > size || size - to < count || size - from < count {
        return raise!(ts, exc::ValueError, "source, destination, or count out of range");
    }
    // SAFETY: the map is open and writable, and both parts are in it; they may overlap.
    unsafe { core::ptr::copy(map.data.get().add(from), map.data.get().add(to), count) };
    Ok(ts.none())
}

fn flush(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "flush", args.len(), 0, 2)?;
    let offset = args.first().map_or(Ok(0), |offset| protocol::as_isize(ts, offset))?;
    let given = args.get(1).map(|size| protocol::as_isize(ts, size)).transpose()?;
    let map = of(ts, this)?;
    let (Ok(offset), Ok(size)) = (usize::try_from(offset), usize::try_from(given.unwrap_or(map.size.get() as isize)))
    else {
        return raise!(ts, exc::ValueError, "flush values out of range");
    };
    if size > map.size.get() || map.size.get() - size < offset {
        return raise!(ts, exc::ValueError, "flush values out of range");
    }
    if matches!(map.access.get(), Access::Read | Access::Copy) {
        return Ok(ts.none());
    }
    // So that nobody unmaps the memory meanwhile.
    map.exports.set(map.exports.get() + 1);
    let at = map.data.get().wrapping_add(offset);
    // SAFETY: a part of the map.
    let (status, error) = blocking(ts, || unsafe { (libc::msync(at.cast(), size, libc::MS_SYNC), errno()) });
    map.exports.set(map.exports.get() - 1);
    if status < 0 { Err(os_error(ts, error)) } else { Ok(ts.none()) }
}

fn madvise(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "madvise", args.len(), 1, 3)?;
    let option = protocol::as_i32(ts, args[0])?;
    let start = args.get(1).map_or(Ok(0), |start| protocol::as_isize(ts, start))?;
    let length = args.get(2).map(|length| protocol::as_isize(ts, length)).transpose()?;
    let map = of(ts, this)?;
    let size = map.size.get();
    let length = length.unwrap_or(size as isize);
    let start = match usize::try_from(start) {
        Ok(start) if start < size => start,
        _ => return raise!(ts, exc::ValueError, "madvise start out of bounds"),
    };
    let Ok(length) = usize::try_from(length) else {
        return raise!(ts, exc::ValueError, "madvise length invalid");
    };
    if isize::MAX as usize - start < length {
        return raise!(ts, exc::OverflowError, "madvise length too large");
    }
    let length = length.min(size - start);
    // SAFETY: a part of the map.
    let status = unsafe { libc::madvise(map.data.get().add(start).cast(), length, option) };
    if status < 0 { Err(os_error(ts, errno())) } else { Ok(ts.none()) }
}

fn resize(ts: &ThreadState, this: &PyObject, size: &PyObject) -> PyResult {
    let size = protocol::as_isize(ts, size)?;
    let map = of(ts, this)?;
    if map.exports.get() > 0 {
        return raise!(ts, exc::BufferError, "mmap can't resize with extant buffers exported.");
    }
    if !map.tracks_fd.get() {
        return raise!(ts, exc::ValueError, "mmap can't resize with trackfd=False.");
    }
    if matches!(map.access.get(), Access::Read | Access::Copy) {
        return raise!(ts, exc::TypeError, "mmap can't resize a readonly or copy-on-write memory map.");
    }
    if size < 0 || i64::MAX - (size as i64) < map.offset.get() {
        return raise!(ts, exc::ValueError, "new size out of range");
    }
    let size = size as usize;
    if map.fd.get() == -1 && map.flags.get() & libc::MAP_PRIVATE == 0 && size > map.size.get() {
        return raise!(ts, exc::ValueError, "mmap: can't expand a shared anonymous mapping on Linux");
    }
    // SAFETY: a number.
    if map.fd.get() != -1 && unsafe { libc::ftruncate(map.fd.get(), map.offset.get() + size as i64) } < 0 {
        return Err(os_error(ts, errno()));
    }
    // SAFETY: the mapping is the map's, and there is no view of it.
    let data = unsafe { libc::mremap(map.data.get().cast(), map.size.get(), size, libc::MREMAP_MAYMOVE) };
    if data == libc::MAP_FAILED {
        return Err(os_error(ts, errno()));
    }
    map.data.set(data.cast());
    map.size.set(size);
    Ok(ts.none())
}
