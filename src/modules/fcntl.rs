//! `fcntl`: what can be asked of descriptors besides reading and writing.

use crate::modules::ModuleSpec;
use crate::modules::posix::path::file_descriptor;
use crate::modules::posix::system::{self, done, int_or, long};
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "fcntl",
    doc: "Control of files and devices through their descriptors.",
    methods: &[
        MethodDef::positional(
            "fcntl",
            fcntl,
            "fcntl($module, fd, cmd, arg=0, /)\n--\n\nThe system call fcntl(): the result for an int, the changed bytes for a buffer.",
        ),
        MethodDef::positional(
            "ioctl",
            ioctl,
            "ioctl($module, fd, request, arg=0, mutate_flag=True, /)\n--\n\nThe system call ioctl(): the result for an int or a buffer that is changed, else the changed bytes.",
        ),
        MethodDef::positional("flock", flock, "flock($module, fd, operation, /)\n--\n\nThe system call flock()."),
        MethodDef::positional(
            "lockf",
            lockf,
            "lockf($module, fd, cmd, len=0, start=0, whence=0, /)\n--\n\nLock or unlock a part of a file, by fcntl().",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static CONSTANTS: &[(&str, i64)] = &[
    ("DN_ACCESS", 1),
    ("DN_ATTRIB", 32),
    ("DN_CREATE", 4),
    ("DN_DELETE", 8),
    ("DN_MODIFY", 2),
    ("DN_MULTISHOT", 2147483648),
    ("DN_RENAME", 16),
    ("FASYNC", 8192),
    ("FD_CLOEXEC", 1),
    ("FICLONE", 1074041865),
    ("FICLONERANGE", 1075876877),
    ("F_ADD_SEALS", 1033),
    ("F_DUPFD", 0),
    ("F_DUPFD_CLOEXEC", 1030),
    ("F_EXLCK", 4),
    ("F_GETFD", 1),
    ("F_GETFL", 3),
    ("F_GETLEASE", 1025),
    ("F_GETLK", 5),
    ("F_GETLK64", 5),
    ("F_GETOWN", 9),
    ("F_GETOWN_EX", 16),
    ("F_GETPIPE_SZ", 1032),
    ("F_GETSIG", 11),
    ("F_GET_FILE_RW_HINT", 1037),
    ("F_GET_RW_HINT", 1035),
    ("F_GET_SEALS", 1034),
    ("F_NOTIFY", 1026),
    ("F_OFD_GETLK", 36),
    ("F_OFD_SETLK", 37),
    ("F_OFD_SETLKW", 38),
    ("F_OWNER_PGRP", 2),
    ("F_OWNER_PID", 1),
    ("F_OWNER_TID", 0),
    ("F_RDLCK", 0),
    ("F_SEAL_FUTURE_WRITE", 16),
    ("F_SEAL_GROW", 4),
    ("F_SEAL_SEAL", 1),
    ("F_SEAL_SHRINK", 2),
    ("F_SEAL_WRITE", 8),
    ("F_SETFD", 2),
    ("F_SETFL", 4),
    ("F_SETLEASE", 1024),
    ("F_SETLK", 6),
    ("F_SETLK64", 6),
    ("F_SETLKW", 7),
    ("F_SETLKW64", 7),
    ("F_SETOWN", 8),
    ("F_SETOWN_EX", 15),
    ("F_SETPIPE_SZ", 1031),
    ("F_SETSIG", 10),
    ("F_SET_FILE_RW_HINT", 1038),
    ("F_SET_RW_HINT", 1036),
    ("F_SHLCK", 8),
    ("F_UNLCK", 2),
    ("F_WRLCK", 1),
    ("LOCK_EX", 2),
    ("LOCK_MAND", 32),
    ("LOCK_NB", 4),
    ("LOCK_READ", 64),
    ("LOCK_RW", 192),
    ("LOCK_SH", 1),
    ("LOCK_UN", 8),
    ("LOCK_WRITE", 128),
    ("RWH_WRITE_LIFE_EXTREME", 5),
    ("RWH_WRITE_LIFE_LONG", 4),
    ("RWH_WRITE_LIFE_MEDIUM", 3),
    ("RWH_WRITE_LIFE_NONE", 1),
    ("RWH_WRITE_LIFE_NOT_SET", 0),
    ("RWH_WRITE_LIFE_SHORT", 2),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// The room for arguments that are structs of unknown size, and what stands behind it to notice that it was not enough.
const ROOM: usize = 1024;
const GUARD: [u8; 8] = *b"\x00\xfa\x69\xc4\x67\xa3\x6c\x58";

/// A struct argument, copied to where the kernel may change it.
struct Scratch([u8; ROOM + GUARD.len()]);

impl Scratch {
    fn new(ts: &ThreadState, function: &str, data: &[u8]) -> PyResult<Scratch> {
        if data.len() > ROOM {
            return raise!(ts, exc::ValueError, "{function} argument 3 is too long");
        }
        let mut scratch = Scratch([0; ROOM + GUARD.len()]);
        scratch.0[..data.len()].copy_from_slice(data);
        scratch.0[data.len()..data.len() + GUARD.len()].copy_from_slice(&GUARD);
        Ok(scratch)
    }

    /// The changed struct.
    fn result(&self, ts: &ThreadState, length: usize) -> PyResult<&[u8]> {
        if self.0[length..length + GUARD.len()] != GUARD {
            return raise!(ts, exc::SystemError, "buffer overflow");
        }
        Ok(&self.0[..length])
    }
}

/// The bytes of a str (in UTF-8) or of a buffer, handed to `f`.
fn with_bytes<R>(ts: &ThreadState, argument: &PyObject, f: impl FnOnce(&[u8]) -> PyResult<R>) -> PyResult<R> {
    match argument.downcast::<PyStr>() {
        Some(text) => f(text.utf8(ts)?.as_bytes()),
        None => {
            let view = Buffer::get(ts, argument, buffer::SIMPLE)?;
            f(view.as_slice())
        }
    }
}

fn fcntl(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "fcntl", args.len(), 2, 3)?;
    let fd = file_descriptor(ts, args[0])?;
    let command = protocol::as_i32(ts, args[1])?;
    match args.get(2) {
        Some(argument) if !protocol::is_index(argument) => {
            if !argument.is_a::<PyStr>() && !buffer::has_buffer(argument) {
                return raise!(
                    ts,
                    exc::TypeError,
                    "fcntl() argument 3 must be an integer, a bytes-like object, or a string"
                );
            }
            with_bytes(ts, argument, |data| {
                let mut scratch = Scratch::new(ts, "fcntl", data)?;
                // SAFETY: the kernel reads and writes what the command says; the guard notices too little room.
                system::call(ts, || unsafe { libc::fcntl(fd, command, scratch.0.as_mut_ptr()) })?;
                Ok(PyBytes::new(ts, scratch.result(ts, data.len())?)?.into_object())
            })
        }
        argument => {
            let argument = match argument {
                Some(argument) => protocol::index(ts, argument)?.wrapping_u64() as i32,
                None => 0,
            };
            // SAFETY: commands with an int take no pointer; for others the caller vouches.
            let result = system::call(ts, || unsafe { libc::fcntl(fd, command, argument) })?;
            PyInt::from_i64(ts, result.into())
        }
    }
}

fn ioctl(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "ioctl", args.len(), 2, 4)?;
    let fd = file_descriptor(ts, args[0])?;
    let request = protocol::index(ts, args[1])?.wrapping_u64();
    let mutate = system::truth(ts, args.get(3).copied(), true)?;
    match args.get(2) {
        Some(argument) if !protocol::is_index(argument) => {
            if !argument.is_a::<PyStr>() && !buffer::has_buffer(argument) {
                return raise!(
                    ts,
                    exc::TypeError,
                    "ioctl() argument 3 must be an integer, a bytes-like object, or a string"
                );
            }
            if mutate && !argument.is_a::<PyStr>() {
                match Buffer::get(ts, argument, buffer::WRITABLE) {
                    Ok(view) => return ioctl_in_place(ts, fd, request, &view),
                    Err(raised) => ts.clear_raised(raised),
                }
            }
            with_bytes(ts, argument, |data| {
                let mut scratch = Scratch::new(ts, "ioctl", data)?;
                // SAFETY: as for `fcntl`.
                system::call(ts, || unsafe { libc::ioctl(fd, request, scratch.0.as_mut_ptr()) })?;
                Ok(PyBytes::new(ts, scratch.result(ts, data.len())?)?.into_object())
            })
        }
        argument => {
            let argument = match argument {
                Some(argument) => protocol::index(ts, argument)?.wrapping_u64() as i32,
                None => 0,
            };
            // SAFETY: as for `fcntl`.
            let result = system::call(ts, || unsafe { libc::ioctl(fd, request, argument) })?;
            PyInt::from_i64(ts, result.into())
        }
    }
}

/// Has the kernel change an object's own memory; a small one by way of the guarded room.
fn ioctl_in_place(ts: &ThreadState, fd: i32, request: u64, view: &Buffer) -> PyResult {
    let length = view.view().len as usize;
    let result = if length <= ROOM {
        let mut scratch = Scratch::new(ts, "ioctl", view.as_slice())?;
        // SAFETY: as for `fcntl`.
        let result = system::call(ts, || unsafe { libc::ioctl(fd, request, scratch.0.as_mut_ptr()) })?;
        let changed = scratch.result(ts, length)?;
        // SAFETY: the view is writable, and nothing else uses the memory here.
        unsafe { view.as_mut_slice() }.copy_from_slice(changed);
        result
    } else {
        let at = view.view().buf;
        // SAFETY: as for `fcntl`; the view keeps the memory.
        system::call(ts, || unsafe { libc::ioctl(fd, request, at) })?
    };
    PyInt::from_i64(ts, result.into())
}

fn flock(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "flock", args.len(), 2, 2)?;
    let fd = file_descriptor(ts, args[0])?;
    let operation = protocol::as_i32(ts, args[1])?;
    // SAFETY: the kernel checks the arguments.
    done(ts, system::call(ts, || unsafe { libc::flock(fd, operation) }))
}

fn lockf(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "lockf", args.len(), 2, 5)?;
    let fd = file_descriptor(ts, args[0])?;
    let operation = protocol::as_i32(ts, args[1])?;
    let kind = if operation & libc::LOCK_UN != 0 {
        libc::F_UNLCK
    } else if operation & libc::LOCK_SH != 0 {
        libc::F_RDLCK
    } else if operation & libc::LOCK_EX != 0 {
        libc::F_WRLCK
    } else {
        return raise!(ts, exc::ValueError, "unrecognized lockf argument");
    };
    // SAFETY: a struct of integers.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    lock.l_type = kind as _;
    lock.l_len = match args.get(2) {
        Some(length) => long(ts, Some(length))?,
        None => 0,
    };
    lock.l_start = match args.get(3) {
        Some(start) => long(ts, Some(start))?,
        None => 0,
    };
    lock.l_whence = int_or(ts, args.get(4).copied(), 0)? as _;
    let command = if operation & libc::LOCK_NB != 0 { libc::F_SETLK } else { libc::F_SETLKW };
    // SAFETY: the struct is whole.
    done(ts, system::call(ts, || unsafe { libc::fcntl(fd, command, &raw const lock) }))
}
