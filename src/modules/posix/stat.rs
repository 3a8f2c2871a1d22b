//! What a file is: `stat` and its kin, and file systems.

use core::mem::MaybeUninit;

use super::path::{Accept, Path, dir_fd};
use super::system::{self, blocking, errno, parse, retry, truth};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};

const fn field(name: &'static str, doc: &'static str) -> StructSeqField {
    StructSeqField { name, doc }
}

/// `os.stat_result`.
pub static STAT_RESULT: StructSeqSpec = StructSeqSpec {
    name: "os.stat_result",
    doc: "What os.stat() says of a file: a tuple of mode, inode, device, links, owner, group, size and\nthe times of access, modification and change in whole seconds, with more fields by name.",
    fields: &[
        field("st_mode", "protection bits"),
        field("st_ino", "inode"),
        field("st_dev", "device"),
        field("st_nlink", "number of hard links"),
        field("st_uid", "user ID of owner"),
        field("st_gid", "group ID of owner"),
        field("st_size", "total size, in bytes"),
        field("", ""),
        field("", ""),
        field("", ""),
        field("st_atime", "time of last access"),
        field("st_mtime", "time of last modification"),
        field("st_ctime", "time of last change"),
        field("st_atime_ns", "time of last access in nanoseconds"),
        field("st_mtime_ns", "time of last modification in nanoseconds"),
        field("st_ctime_ns", "time of last change in nanoseconds"),
        field("st_blksize", "blocksize for filesystem I/O"),
        field("st_blocks", "number of blocks allocated"),
        field("st_rdev", "device type (if inode device)"),
    ],
    in_sequence: 10,
};

/// `os.statvfs_result`.
pub static STATVFS_RESULT: StructSeqSpec = StructSeqSpec {
    name: "os.statvfs_result",
    doc: "What os.statvfs() says of a file system.",
    fields: &[
        field("f_bsize", ""),
        field("f_frsize", ""),
        field("f_blocks", ""),
        field("f_bfree", ""),
        field("f_bavail", ""),
        field("f_files", ""),
        field("f_ffree", ""),
        field("f_favail", ""),
        field("f_flag", ""),
        field("f_namemax", ""),
        field("f_fsid", ""),
    ],
    in_sequence: 10,
};

/// The system's information on a file as an object.
pub fn stat_object(ts: &ThreadState, stat: &libc::stat) -> PyResult {
    let int = |value: i64| PyInt::from_i64(ts, value);
    let seconds = |whole: i64, nanos: i64| PyFloat::new(ts, whole as f64 + 1e-9 * nanos as f64);
    let nanos = |whole: i64, nanos: i64| PyInt::from_i128(ts, i128::from(whole) * 1_000_000_000 + i128::from(nanos));
    let values = [
        int(stat.st_mode.into())?,
        PyInt::from_u64(ts, stat.st_ino)?,
        PyInt::from_u64(ts, stat.st_dev)?,
        PyInt::from_u64(ts, stat.st_nlink as u64)?,
        system::id_object(ts, stat.st_uid)?,
        system::id_object(ts, stat.st_gid)?,
        int(stat.st_size)?,
        int(stat.st_atime)?,
        int(stat.st_mtime)?,
        int(stat.st_ctime)?,
        seconds(stat.st_atime, stat.st_atime_nsec)?,
        seconds(stat.st_mtime, stat.st_mtime_nsec)?,
        seconds(stat.st_ctime, stat.st_ctime_nsec)?,
        nanos(stat.st_atime, stat.st_atime_nsec)?,
        nanos(stat.st_mtime, stat.st_mtime_nsec)?,
        nanos(stat.st_ctime, stat.st_ctime_nsec)?,
        int(stat.st_blksize as i64)?,
        int(stat.st_blocks)?,
        PyInt::from_u64(ts, stat.st_rdev)?,
    ];
    structseq::make(ts, &STAT_RESULT, &values)
}

/// Refuses combinations of arguments that no system call serves.
pub fn check_combination(
    ts: &ThreadState,
    function: &str,
    path: &Path,
    dir_fd: i32,
    follow_symlinks: bool,
) -> PyResult<()> {
    if let Some(fd) = path.fd {
        if dir_fd != libc::AT_FDCWD {
            return raise!(ts, exc::ValueError, "{function}: can't specify dir_fd without matching path");
        }
        if fd > 0 && !follow_symlinks {
            return raise!(ts, exc::ValueError, "{function}: cannot use fd and follow_symlinks together");
        }
    }
    Ok(())
}

/// The information on a file; the inner error is the error number.
pub fn stat_path(ts: &ThreadState, path: &Path, dir_fd: i32, follow_symlinks: bool) -> Result<libc::stat, i32> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    let flags = if follow_symlinks { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    let (status, error) = blocking(ts, || {
        // SAFETY: the name is a C string, the call fills the struct when it succeeds.
        let status = unsafe {
            match path.fd {
                Some(fd) => libc::fstat(fd, stat.as_mut_ptr()),
                None => libc::fstatat(dir_fd, path.as_ptr(), stat.as_mut_ptr(), flags),
            }
        };
        (status, errno())
    });
    if status != 0 {
        return Err(error);
    }
    // SAFETY: the call has filled it.
    Ok(unsafe { stat.assume_init() })
}

fn stat_at(ts: &ThreadState, function: &str, path: &Path, dir_fd: i32, follow_symlinks: bool) -> PyResult {
    check_combination(ts, function, path, dir_fd, follow_symlinks)?;
    match stat_path(ts, path, dir_fd, follow_symlinks) {
        Ok(stat) => stat_object(ts, &stat),
        Err(errno) => path.raise(ts, errno),
    }
}

/// `os.stat`.
pub fn stat(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir, follow] = parse!(ts, args, "stat", ["path", "dir_fd", "follow_symlinks"], 0, 1, 1);
    let path = Path::accept(ts, path, Accept::Descriptor, "stat", "path")?;
    stat_at(ts, "stat", &path, dir_fd(ts, dir)?, truth(ts, follow, true)?)
}

/// `os.lstat`.
pub fn lstat(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir] = parse!(ts, args, "lstat", ["path", "dir_fd"], 0, 1, 1);
    let path = Path::new(ts, path, "lstat", "path")?;
    stat_at(ts, "lstat", &path, dir_fd(ts, dir)?, false)
}

/// `os.fstat`.
pub fn fstat(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "fstat", ["fd"], 0, 1, 1);
    let fd = system::int(ts, fd)?;
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the call fills the struct.
    system::call(ts, || unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    stat_object(ts, &unsafe { stat.assume_init() })
}

fn statvfs_object(ts: &ThreadState, stat: &libc::statvfs) -> PyResult {
    let int = |value: u64| PyInt::from_u64(ts, value);
    let values = [
        int(stat.f_bsize)?,
        int(stat.f_frsize)?,
        int(stat.f_blocks)?,
        int(stat.f_bfree)?,
        int(stat.f_bavail)?,
        int(stat.f_files)?,
        int(stat.f_ffree)?,
        int(stat.f_favail)?,
        int(stat.f_flag)?,
        int(stat.f_namemax)?,
        int(stat.f_fsid)?,
    ];
    structseq::make(ts, &STATVFS_RESULT, &values)
}

/// `os.statvfs`.
pub fn statvfs(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "statvfs", ["path"], 0, 1, 1);
    let path = Path::accept(ts, path, Accept::Descriptor, "statvfs", "path")?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name is a C string, the call fills the struct.
    let result = retry(ts, || unsafe {
        match path.fd {
            Some(fd) => libc::fstatvfs(fd, stat.as_mut_ptr()),
            None => libc::statvfs(path.as_ptr(), stat.as_mut_ptr()),
        }
    })?;
    match result {
        // SAFETY: the call has filled it.
        Ok(_) => statvfs_object(ts, &unsafe { stat.assume_init() }),
        Err(errno) => path.raise(ts, errno),
    }
}

/// `os.fstatvfs`.
pub fn fstatvfs(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the call fills the struct.
    system::call(ts, || unsafe { libc::fstatvfs(fd, stat.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    statvfs_object(ts, &unsafe { stat.assume_init() })
}
