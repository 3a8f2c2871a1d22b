//! What is done with file descriptors.

use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use super::audit::audit;
use super::path::{Path, dir_fd, file_descriptor, fs_decode};
use super::system::{self, blocking, call, done, errno, id, int, int_or, long, once, os_error, parse, retry, truth};
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

/// `os.terminal_size`.
pub static TERMINAL_SIZE: StructSeqSpec = StructSeqSpec {
    name: "os.terminal_size",
    doc: "The size of a terminal's window: (columns, lines).",
    fields: &[
        StructSeqField { name: "columns", doc: "width of the terminal window in characters" },
        StructSeqField { name: "lines", doc: "height of the terminal window in characters" },
    ],
    in_sequence: 2,
};

/// The most that one call reads or writes.
const MOST: usize = 0x7fff_f000;

fn fd_pair(ts: &ThreadState, fds: [i32; 2]) -> PyResult {
    let pair = [PyInt::from_i64(ts, fds[0].into())?, PyInt::from_i64(ts, fds[1].into())?];
    Ok(PyTuple::from_array(ts, pair)?.into_object())
}

/// `os.open`.
pub fn open(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, flags, mode, dir] = parse!(ts, args, "open", ["path", "flags", "mode", "dir_fd"], 0, 3, 2);
    let path = Path::new(ts, path, "open", "path")?;
    let flags = int(ts, flags)? | libc::O_CLOEXEC;
    let mode = int_or(ts, mode, 0o777)?;
    let dir = dir_fd(ts, dir)?;
    // SAFETY: the name is a C string.
    match retry(ts, || unsafe { libc::openat(dir, path.as_ptr(), flags, mode) })? {
        Ok(fd) => PyInt::from_i64(ts, fd.into()),
        Err(errno) => path.raise(ts, errno),
    }
}

/// `os.close`.
pub fn close(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "close", ["fd"], 0, 1, 1);
    let fd = int(ts, fd)?;
    // SAFETY: closing what others use is the caller's affair. After an interruption it is closed.
    let (status, error) = blocking(ts, || unsafe { (libc::close(fd), errno()) });
    if status < 0 && error != libc::EINTR {
        return Err(os_error(ts, error));
    }
    Ok(ts.none())
}

/// `os.closerange`.
pub fn closerange(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "closerange", args.len(), 2, 2)?;
    let low = protocol::as_i32(ts, args[0])?;
    let high = protocol::as_i32(ts, args[1])?;
    close_range(low, high);
    Ok(ts.none())
}

/// Closes the descriptors from `low` up to `high`, without it; allocates nothing.
pub fn close_range(low: i32, high: i32) {
    let low = low.max(0);
    if low >= high {
        return;
    }
    // SAFETY: as for `close`. Older kernels do not have the first call.
    unsafe {
        if libc::syscall(libc::SYS_close_range, low, high - 1, 0) != 0 {
            for fd in low..high {
                libc::close(fd);
            }
        }
    }
}

/// `os.read`.
pub fn read(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let length = protocol::as_isize(ts, args[1])?;
    read_bytes(ts, length, |at, room| {
        // SAFETY: the room is handed along.
        unsafe { libc::read(fd, at.cast(), room) }
    })
}

/// Reads up to `length` bytes into a bytes object.
fn read_bytes(ts: &ThreadState, length: isize, mut f: impl FnMut(*mut u8, usize) -> isize) -> PyResult {
    if length < 0 {
        return Err(os_error(ts, libc::EINVAL));
    }
    let room = (length as usize).min(MOST);
    if room <= 1 {
        let mut byte = [0u8; 1];
        let got = call(ts, || f(byte.as_mut_ptr(), room))?;
        return Ok(PyBytes::new(ts, &byte[..got as usize])?.into_object());
    }
    // SAFETY: the bytes that have been read are all that is left after the cut.
    unsafe {
        let bytes = PyBytes::uninit(ts, room)?;
        let at = bytes.data_ptr();
        let got = call(ts, || f(at, room))? as usize;
        if got <= 1 {
            let short = PyBytes::new(ts, core::slice::from_raw_parts(at, got))?;
            return Ok(short.into_object());
        }
        Ok(PyBytes::resize(ts, bytes, got)?.into_object())
    }
}

/// `os.readinto`.
pub fn readinto(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readinto", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let target = Buffer::get(ts, args[1], buffer::WRITABLE)?;
    let (at, room) = (target.view().buf, (target.view().len as usize).min(MOST));
    // SAFETY: the view keeps the memory, which has that much room.
    let got = call(ts, || unsafe { libc::read(fd, at, room) })?;
    PyInt::from_i64(ts, got as i64)
}

/// `os.write`.
pub fn write(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "write", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let data = Buffer::get(ts, args[1], buffer::SIMPLE)?;
    let data = data.as_slice();
    // SAFETY: the data is as long as said.
    let written = call(ts, || unsafe { libc::write(fd, data.as_ptr().cast(), data.len().min(MOST)) })?;
    PyInt::from_i64(ts, written as i64)
}

/// `os.lseek`.
pub fn lseek(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "lseek", args.len(), 3, 3)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let position = long(ts, Some(args[1]))?;
    let whence = protocol::as_i32(ts, args[2])?;
    // SAFETY: the kernel checks all arguments.
    let at = once(ts, || unsafe { libc::lseek(fd, position, whence) })?;
    PyInt::from_i64(ts, at)
}

/// `os.pread`.
pub fn pread(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pread", args.len(), 3, 3)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let length = protocol::as_i32(ts, args[1])?;
    let offset = long(ts, Some(args[2]))?;
    read_bytes(ts, length as isize, |at, room| {
        // SAFETY: the room is handed along.
        unsafe { libc::pread(fd, at.cast(), room, offset) }
    })
}

/// `os.pwrite`.
pub fn pwrite(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pwrite", args.len(), 3, 3)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let data = Buffer::get(ts, args[1], buffer::SIMPLE)?;
    let offset = long(ts, Some(args[2]))?;
    let data = data.as_slice();
    // SAFETY: the data is as long as said.
    let written = call(ts, || unsafe { libc::pwrite(fd, data.as_ptr().cast(), data.len(), offset) })?;
    PyInt::from_i64(ts, written as i64)
}

/// Views of several objects' memory at once.
struct Buffers {
    /// Keep the memory.
    _views: TryVec<Buffer>,
    parts: TryVec<libc::iovec>,
}

impl Buffers {
    fn get(ts: &ThreadState, sequence: &PyObject, flags: i32, function: &str, number: usize) -> PyResult<Buffers> {
        if !protocol::is_sequence(sequence) {
            return raise!(ts, exc::TypeError, "{function}() arg {number} must be a sequence");
        }
        let mut views = TryVec::new();
        let mut parts = TryVec::new();
        protocol::for_each(ts, sequence, |item| {
            let view = Buffer::get(ts, &item, flags)?;
            parts.try_push(libc::iovec { iov_base: view.view().buf, iov_len: view.view().len as usize })?;
            views.try_push(view)?;
            Ok(())
        })?;
        Ok(Buffers { _views: views, parts })
    }

    fn len(&self) -> i32 {
        self.parts.len().min(i32::MAX as usize) as i32
    }
}

fn vector_call(
    ts: &ThreadState,
    function: &'static str,
    args: &[&PyObject],
    positioned: bool,
    flags: i32,
    f: impl Fn(i32, *const libc::iovec, i32, i64, i32) -> isize,
) -> PyResult {
    if positioned {
        call::check_count(ts, function, args.len(), 3, 4)?;
    } else {
        call::check_count(ts, function, args.len(), 2, 2)?;
    }
    let fd = protocol::as_i32(ts, args[0])?;
    let buffers = Buffers::get(ts, args[1], flags, function, 2)?;
    let offset = if positioned { long(ts, Some(args[2]))? } else { 0 };
    let options = int_or(ts, args.get(3).copied(), 0)?;
    let count = call(ts, || f(fd, buffers.parts.as_ptr(), buffers.len(), offset, options))?;
    PyInt::from_i64(ts, count as i64)
}

/// `os.readv`.
pub fn readv(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    // SAFETY: the parts are as many as said, and writable.
    vector_call(ts, "readv", args, false, buffer::WRITABLE, |fd, at, n, _, _| unsafe { libc::readv(fd, at, n) })
}

/// `os.writev`.
pub fn writev(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    // SAFETY: the parts are as many as said.
    vector_call(ts, "writev", args, false, buffer::SIMPLE, |fd, at, n, _, _| unsafe { libc::writev(fd, at, n) })
}

/// `os.preadv`.
pub fn preadv(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    // SAFETY: the parts are as many as said, and writable.
    vector_call(ts, "preadv", args, true, buffer::WRITABLE, |fd, at, n, offset, flags| unsafe {
        libc::preadv2(fd, at, n, offset, flags)
    })
}

/// `os.pwritev`.
pub fn pwritev(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    // SAFETY: the parts are as many as said.
    vector_call(ts, "pwritev", args, true, buffer::SIMPLE, |fd, at, n, offset, flags| unsafe {
        libc::pwritev2(fd, at, n, offset, flags)
    })
}

/// `os.sendfile`.
pub fn sendfile(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [out, from, offset, count] = parse!(ts, args, "sendfile", ["out_fd", "in_fd", "offset", "count"], 0, 4, 4);
    let (out, from) = (int(ts, out)?, int(ts, from)?);
    let offset = match offset.filter(|offset| !is_none(offset)) {
        Some(offset) => Some(long(ts, Some(offset))?),
        None => None,
    };
    let count = long(ts, count)? as usize;
    let sent = call(ts, || {
        let mut at = offset.unwrap_or(0);
        let place = if offset.is_some() { &raw mut at } else { core::ptr::null_mut() };
        // SAFETY: the place is null or a number's.
        unsafe { libc::sendfile(out, from, place, count) }
    })?;
    PyInt::from_i64(ts, sent as i64)
}

/// The offset arguments of a copy: none, or a number.
fn offset_of(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<Option<i64>> {
    match argument.filter(|argument| !is_none(argument)) {
        Some(argument) => long(ts, Some(argument)).map(Some),
        None => Ok(None),
    }
}

/// `os.copy_file_range`.
pub fn copy_file_range(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [src, dst, count, from, to] =
        parse!(ts, args, "copy_file_range", ["src", "dst", "count", "offset_src", "offset_dst"], 0, 5, 3);
    copy(ts, "copy_file_range", [src, dst, count, from, to], 0, |src, from, dst, to, count, _| {
        // SAFETY: the offsets' places are null or numbers'.
        unsafe { libc::copy_file_range(src, from, dst, to, count, 0) }
    })
}

/// `os.splice`.
pub fn splice(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [src, dst, count, from, to, flags] =
        parse!(ts, args, "splice", ["src", "dst", "count", "offset_src", "offset_dst", "flags"], 0, 6, 3);
    let flags = int_or(ts, flags, 0)?;
    copy(ts, "splice", [src, dst, count, from, to], flags, |src, from, dst, to, count, flags| {
        // SAFETY: the offsets' places are null or numbers'.
        unsafe { libc::splice(src, from, dst, to, count, flags as u32) }
    })
}

fn copy(
    ts: &ThreadState,
    _function: &str,
    args: [Option<&PyObject>; 5],
    flags: i32,
    f: impl Fn(i32, *mut i64, i32, *mut i64, usize, i32) -> isize,
) -> PyResult {
    let [src, dst, count, from, to] = args;
    let (src, dst, count) = (int(ts, src)?, int(ts, dst)?, long(ts, count)?);
    if count < 0 {
        return raise!(ts, exc::ValueError, "negative value for 'count' not allowed");
    }
    let (from, to) = (offset_of(ts, from)?, offset_of(ts, to)?);
    let copied = call(ts, || {
        let (mut a, mut b) = (from.unwrap_or(0), to.unwrap_or(0));
        let a_at = if from.is_some() { &raw mut a } else { core::ptr::null_mut() };
        let b_at = if to.is_some() { &raw mut b } else { core::ptr::null_mut() };
        f(src, a_at, dst, b_at, count as usize, flags)
    })?;
    PyInt::from_i64(ts, copied as i64)
}

/// `os.dup`.
pub fn dup(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: makes a new descriptor.
    let copy = once(ts, || unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })?;
    PyInt::from_i64(ts, copy.into())
}

/// `os.dup2`.
pub fn dup2(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, fd2, inheritable] = parse!(ts, args, "dup2", ["fd", "fd2", "inheritable"], 0, 3, 2);
    let (fd, fd2) = (int(ts, fd)?, int(ts, fd2)?);
    let inheritable = truth(ts, inheritable, true)?;
    if fd < 0 || fd2 < 0 {
        return Err(os_error(ts, libc::EBADF));
    }
    // SAFETY: replacing what others use is the caller's affair.
    let result = call(ts, || unsafe {
        if inheritable || fd == fd2 { libc::dup2(fd, fd2) } else { libc::dup3(fd, fd2, libc::O_CLOEXEC) }
    })?;
    if !inheritable && fd == fd2 {
        set_inheritable_flag(ts, fd, false)?;
    }
    PyInt::from_i64(ts, result.into())
}

/// `os.pipe`.
pub fn pipe(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut fds = [0; 2];
    // SAFETY: there is room for two descriptors.
    once(ts, || unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
    fd_pair(ts, fds)
}

/// `os.pipe2`.
pub fn pipe2(ts: &ThreadState, _: &PyObject, flags: &PyObject) -> PyResult {
    let flags = protocol::as_i32(ts, flags)?;
    let mut fds = [0; 2];
    // SAFETY: there is room for two descriptors.
    once(ts, || unsafe { libc::pipe2(fds.as_mut_ptr(), flags) })?;
    fd_pair(ts, fds)
}

/// `os.isatty`.
pub fn isatty(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: only looks.
    Ok(py_bool(blocking(ts, || unsafe { libc::isatty(fd) }) != 0))
}

/// `os.ttyname`.
pub fn ttyname(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: the room is handed along.
    c_text(ts, |at, room| unsafe { libc::ttyname_r(fd, at.cast(), room) })
}

/// `os.ptsname`.
pub fn ptsname(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    // SAFETY: the room is handed along.
    c_text(ts, |at, room| unsafe { libc::ptsname_r(fd, at.cast(), room) })
}

/// Text that a call writes as a C string; it returns an error number.
fn c_text(ts: &ThreadState, f: impl Fn(*mut u8, usize) -> i32) -> PyResult {
    let mut buffer = [0u8; 512];
    let error = f(buffer.as_mut_ptr(), buffer.len());
    if error != 0 {
        return Err(os_error(ts, error));
    }
    let text = core::ffi::CStr::from_bytes_until_nul(&buffer).unwrap_or(c"").to_bytes();
    Ok(fs_decode(ts, text)?.into_object())
}

/// `os.ctermid`.
pub fn ctermid(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(PyStr::new(ts, "/dev/tty")?.into_object())
}

/// `os.get_terminal_size`.
pub fn get_terminal_size(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get_terminal_size", args.len(), 0, 1)?;
    let fd = int_or(ts, args.first().copied(), 1)?;
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the call fills the struct.
    once(ts, || unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, size.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    let size = unsafe { size.assume_init() };
    let values = [PyInt::from_i64(ts, size.ws_col.into())?, PyInt::from_i64(ts, size.ws_row.into())?];
    structseq::make(ts, &TERMINAL_SIZE, &values)
}

/// `os.fsync`.
pub fn fsync(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "fsync", ["fd"], 0, 1, 1);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    // SAFETY: the kernel checks the descriptor.
    done(ts, call(ts, || unsafe { libc::fsync(fd) }))
}

/// `os.fdatasync`.
pub fn fdatasync(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "fdatasync", ["fd"], 0, 1, 1);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    // SAFETY: the kernel checks the descriptor.
    done(ts, call(ts, || unsafe { libc::fdatasync(fd) }))
}

/// `os.fchdir`.
pub fn fchdir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "fchdir", ["fd"], 0, 1, 1);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    audit!(ts, "os.chdir", fd);
    // SAFETY: the kernel checks the descriptor.
    done(ts, call(ts, || unsafe { libc::fchdir(fd) }))
}

/// `os.sync`.
pub fn sync(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: always succeeds.
    blocking(ts, || unsafe { libc::sync() });
    Ok(ts.none())
}

/// `os.ftruncate`.
pub fn ftruncate(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "ftruncate", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let length = long(ts, Some(args[1]))?;
    audit!(ts, "os.truncate", fd, length);
    // SAFETY: the kernel checks the arguments.
    done(ts, call(ts, || unsafe { libc::ftruncate(fd, length) }))
}

/// `os.fchmod`.
pub fn fchmod(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, mode] = parse!(ts, args, "fchmod", ["fd", "mode"], 0, 2, 2);
    let (fd, mode) = (int(ts, fd)?, int(ts, mode)?);
    audit!(ts, "os.chmod", fd, mode, -1_i32);
    // SAFETY: the kernel checks the arguments.
    done(ts, call(ts, || unsafe { libc::fchmod(fd, mode as libc::mode_t) }))
}

/// `os.fchown`.
pub fn fchown(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, uid, gid] = parse!(ts, args, "fchown", ["fd", "uid", "gid"], 0, 3, 3);
    let fd = int(ts, fd)?;
    let (uid, gid) = (id(ts, uid, "uid")?, id(ts, gid, "gid")?);
    audit!(ts, "os.chown", fd, uid, gid, -1_i32);
    // SAFETY: the kernel checks the arguments.
    done(ts, call(ts, || unsafe { libc::fchown(fd, uid, gid) }))
}

/// `os.get_inheritable`.
pub fn get_inheritable(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: only looks.
    let flags = once(ts, || unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    Ok(py_bool(flags & libc::FD_CLOEXEC == 0))
}

/// Says whether child programs get a descriptor.
pub fn set_inheritable_flag(ts: &ThreadState, fd: i32, inheritable: bool) -> PyResult<()> {
    // SAFETY: the kernel checks the descriptor.
    once(ts, || unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFD);
        if flags < 0 {
            return flags;
        }
        let wanted = if inheritable { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
        if wanted == flags { 0 } else { libc::fcntl(fd, libc::F_SETFD, wanted) }
    })
    .map(drop)
}

/// `os.set_inheritable`.
pub fn set_inheritable(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "set_inheritable", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let inheritable = protocol::as_i32(ts, args[1])? != 0;
    done(ts, set_inheritable_flag(ts, fd, inheritable))
}

/// `os.get_blocking`.
pub fn get_blocking(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: only looks.
    let flags = once(ts, || unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    Ok(py_bool(flags & libc::O_NONBLOCK == 0))
}

/// `os.set_blocking`.
pub fn set_blocking(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "set_blocking", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let wait = protocol::is_true(ts, args[1])?;
    // SAFETY: the kernel checks the descriptor.
    let result = once(ts, || unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags < 0 {
            return flags;
        }
        libc::fcntl(fd, libc::F_SETFL, if wait { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK })
    });
    done(ts, result)
}

/// `os.lockf`.
pub fn lockf(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "lockf", args.len(), 3, 3)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let command = protocol::as_i32(ts, args[1])?;
    let length = long(ts, Some(args[2]))?;
    audit!(ts, "os.lockf", fd, command, length);
    // SAFETY: the kernel checks the arguments.
    done(ts, once(ts, || unsafe { libc::lockf(fd, command, length) }))
}

/// Calls that return an error number; an interruption makes them go on.
fn by_error(ts: &ThreadState, mut f: impl FnMut() -> i32) -> PyResult {
    loop {
        match blocking(ts, &mut f) {
            0 => return Ok(ts.none()),
            libc::EINTR => crate::lifecycle::pending::signals(ts)?,
            error => return Err(os_error(ts, error)),
        }
    }
}

/// `os.posix_fallocate`.
pub fn posix_fallocate(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "posix_fallocate", args.len(), 3, 3)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let (offset, length) = (long(ts, Some(args[1]))?, long(ts, Some(args[2]))?);
    // SAFETY: the kernel checks the arguments.
    by_error(ts, || unsafe { libc::posix_fallocate(fd, offset, length) })
}

/// `os.posix_fadvise`.
pub fn posix_fadvise(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "posix_fadvise", args.len(), 4, 4)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let (offset, length) = (long(ts, Some(args[1]))?, long(ts, Some(args[2]))?);
    let advice = protocol::as_i32(ts, args[3])?;
    // SAFETY: the kernel checks the arguments.
    by_error(ts, || unsafe { libc::posix_fadvise(fd, offset, length, advice) })
}

/// `os.fpathconf`.
pub fn fpathconf(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "fpathconf", args.len(), 2, 2)?;
    let fd = file_descriptor(ts, args[0])?;
    let name = super::sysinfo::limit(ts, Some(args[1]), super::constants::PATHCONF)?;
    system::set_errno(0);
    // SAFETY: only looks.
    let limit = unsafe { libc::fpathconf(fd, name) };
    if limit == -1 && errno() != 0 {
        return Err(os_error(ts, errno()));
    }
    PyInt::from_i64(ts, limit)
}

/// `os.device_encoding`.
pub fn device_encoding(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "device_encoding", ["fd"], 0, 1, 1);
    let fd = int(ts, fd)?;
    // SAFETY: only looks.
    if unsafe { libc::isatty(fd) } == 0 {
        return Ok(ts.none());
    }
    Ok(PyStr::new(ts, "utf-8")?.into_object())
}

// ---- terminals ----

/// `os.openpty`.
pub fn openpty(ts: &ThreadState, _: &PyObject) -> PyResult {
    let (mut main, mut other) = (0, 0);
    // SAFETY: there is room for the descriptors; the rest is not asked for.
    once(ts, || unsafe {
        libc::openpty(&raw mut main, &raw mut other, core::ptr::null_mut(), core::ptr::null(), core::ptr::null())
    })?;
    set_inheritable_flag(ts, main, false)?;
    set_inheritable_flag(ts, other, false)?;
    fd_pair(ts, [main, other])
}

/// `os.posix_openpt`.
pub fn posix_openpt(ts: &ThreadState, _: &PyObject, flags: &PyObject) -> PyResult {
    let flags = protocol::as_i32(ts, flags)?;
    // SAFETY: makes a new descriptor.
    let fd = once(ts, || unsafe { libc::posix_openpt(flags | libc::O_CLOEXEC) })?;
    PyInt::from_i64(ts, fd.into())
}

/// `os.grantpt`.
pub fn grantpt(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    // SAFETY: the kernel checks the descriptor.
    done(ts, once(ts, || unsafe { libc::grantpt(fd) }))
}

/// `os.unlockpt`.
pub fn unlockpt(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    // SAFETY: the kernel checks the descriptor.
    done(ts, once(ts, || unsafe { libc::unlockpt(fd) }))
}

/// `os.login_tty`.
pub fn login_tty(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    // SAFETY: the kernel checks the descriptor.
    done(ts, once(ts, || unsafe { libc::login_tty(fd) }))
}

/// `os.tcgetpgrp`.
pub fn tcgetpgrp(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    // SAFETY: only looks.
    let group = once(ts, || unsafe { libc::tcgetpgrp(fd) })?;
    PyInt::from_i64(ts, group.into())
}

/// `os.tcsetpgrp`.
pub fn tcsetpgrp(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "tcsetpgrp", args.len(), 2, 2)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let group = protocol::as_i32(ts, args[1])?;
    // SAFETY: the kernel checks the arguments.
    done(ts, once(ts, || unsafe { libc::tcsetpgrp(fd, group) }))
}

// ---- descriptors of other things ----

/// `os.memfd_create`.
pub fn memfd_create(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [name, flags] = parse!(ts, args, "memfd_create", ["name", "flags"], 0, 2, 1);
    let name = Path::new(ts, name, "memfd_create", "name")?;
    let flags = int_or(ts, flags, libc::MFD_CLOEXEC as i32)?;
    // SAFETY: the name is a C string.
    let fd = once(ts, || unsafe { libc::memfd_create(name.as_ptr(), flags as u32) })?;
    PyInt::from_i64(ts, fd.into())
}

/// `os.eventfd`.
pub fn eventfd(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [initial, flags] = parse!(ts, args, "eventfd", ["initval", "flags"], 0, 2, 1);
    let initial = long(ts, initial)?;
    let Ok(initial) = u32::try_from(initial) else {
        return raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned int");
    };
    let flags = int_or(ts, flags, libc::EFD_CLOEXEC)?;
    // SAFETY: makes a new descriptor.
    let fd = once(ts, || unsafe { libc::eventfd(initial, flags) })?;
    PyInt::from_i64(ts, fd.into())
}

/// `os.eventfd_read`.
pub fn eventfd_read(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "eventfd_read", ["fd"], 0, 1, 1);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    let mut value = 0;
    // SAFETY: there is room for the value.
    once(ts, || unsafe { libc::eventfd_read(fd, &raw mut value) })?;
    PyInt::from_u64(ts, value)
}

/// `os.eventfd_write`.
pub fn eventfd_write(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, value] = parse!(ts, args, "eventfd_write", ["fd", "value"], 0, 2, 2);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    let value = protocol::index(ts, value.unwrap_or(PyInt::zero()))?.to_u64(ts)?;
    // SAFETY: the kernel checks the arguments.
    done(ts, once(ts, || unsafe { libc::eventfd_write(fd, value) }))
}

/// `os.timerfd_create`.
pub fn timerfd_create(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [clock, flags] = parse!(ts, args, "timerfd_create", ["", "flags"], 1, 1, 1);
    let (clock, flags) = (int(ts, clock)?, int_or(ts, flags, libc::TFD_CLOEXEC)?);
    // SAFETY: makes a new descriptor, which like all others no child inherits.
    let fd = once(ts, || unsafe { libc::timerfd_create(clock, flags | libc::TFD_CLOEXEC) })?;
    PyInt::from_i64(ts, fd.into())
}

fn timer_object(ts: &ThreadState, timer: &libc::itimerspec, nanoseconds: bool) -> PyResult {
    let object = |time: libc::timespec| -> PyResult {
        let total = time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec);
        if nanoseconds {
            PyInt::from_i64(ts, total)
        } else {
            crate::types::float::PyFloat::new(ts, crate::modules::time::convert::to_seconds(total))
        }
    };
    Ok(PyTuple::from_array(ts, [object(timer.it_value)?, object(timer.it_interval)?])?.into_object())
}

fn timerfd_set(ts: &ThreadState, args: [Option<&PyObject>; 4], nanoseconds: bool) -> PyResult {
    use crate::modules::time::convert::{self, Round};
    let [fd, flags, initial, interval] = args;
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    let flags = int_or(ts, flags, 0)?;
    let time = |argument: Option<&PyObject>| -> PyResult<libc::timespec> {
        let argument = argument.unwrap_or(PyInt::zero());
        Ok(convert::to_timespec(if nanoseconds {
            protocol::index(ts, argument)?.to_i64(ts)?
        } else {
            convert::nanoseconds(ts, argument, Round::AwayFromZero)?
        }))
    };
    let new = libc::itimerspec { it_value: time(initial)?, it_interval: time(interval)? };
    let mut old = new;
    // SAFETY: both structs are whole.
    once(ts, || unsafe { libc::timerfd_settime(fd, flags, &raw const new, &raw mut old) })?;
    timer_object(ts, &old, nanoseconds)
}

/// `os.timerfd_settime`.
pub fn timerfd_settime(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let args = parse!(ts, args, "timerfd_settime", ["", "flags", "initial", "interval"], 1, 1, 1);
    timerfd_set(ts, args, false)
}

/// `os.timerfd_settime_ns`.
pub fn timerfd_settime_ns(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let args = parse!(ts, args, "timerfd_settime_ns", ["", "flags", "initial", "interval"], 1, 1, 1);
    timerfd_set(ts, args, true)
}

fn timerfd_get(ts: &ThreadState, fd: &PyObject, nanoseconds: bool) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    let mut timer = MaybeUninit::<libc::itimerspec>::zeroed();
    // SAFETY: the call fills the struct.
    once(ts, || unsafe { libc::timerfd_gettime(fd, timer.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    timer_object(ts, &unsafe { timer.assume_init() }, nanoseconds)
}

/// `os.timerfd_gettime`.
pub fn timerfd_gettime(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    timerfd_get(ts, fd, false)
}

/// `os.timerfd_gettime_ns`.
pub fn timerfd_gettime_ns(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    timerfd_get(ts, fd, true)
}
