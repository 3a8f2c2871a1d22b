//! What is done with files by name: permissions, links, names, times, extended attributes.

use core::ffi::CStr;

use hognose_allocators::collections::TryVec;

use super::audit::{At, audit};
use super::path::{Accept, Path, dir_fd, fs_decode};
use super::stat::check_combination;
use super::system::{self, blocking, errno, id, int, int_or, long, parse, retry, truth};
use crate::modules::time::convert::{self, Round};
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// Makes a call about a path; a failure names it.
fn on_path(ts: &ThreadState, path: &Path, mut f: impl FnMut() -> i32) -> PyResult {
    let (status, error) = blocking(ts, || {
        let status = f();
        (status, errno())
    });
    if status < 0 { path.raise(ts, error) } else { Ok(ts.none()) }
}

/// Makes a call about two paths; a failure names both.
fn on_paths(ts: &ThreadState, from: &Path, to: &Path, mut f: impl FnMut() -> i32) -> PyResult {
    let (status, error) = blocking(ts, || {
        let status = f();
        (status, errno())
    });
    if status < 0 {
        return Err(exc::raise_os_error_with(ts, &exc::OSError, error, from.object.as_deref(), to.object.as_deref()));
    }
    Ok(ts.none())
}

/// `os.access`.
pub fn access(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, mode, dir, effective, follow] =
        parse!(ts, args, "access", ["path", "mode", "dir_fd", "effective_ids", "follow_symlinks"], 0, 2, 2);
    let path = Path::new(ts, path, "access", "path")?;
    let mode = int(ts, mode)?;
    let dir = dir_fd(ts, dir)?;
    let mut flags = if truth(ts, effective, false)? { libc::AT_EACCESS } else { 0 };
    if !truth(ts, follow, true)? {
        flags |= libc::AT_SYMLINK_NOFOLLOW;
    }
    // SAFETY: the name is a C string.
    let status = blocking(ts, || unsafe {
        if flags == 0 && dir == libc::AT_FDCWD {
            libc::access(path.as_ptr(), mode)
        } else {
            libc::faccessat(dir, path.as_ptr(), mode, flags)
        }
    });
    Ok(py_bool(status == 0))
}

/// `os.chdir`.
pub fn chdir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "chdir", ["path"], 0, 1, 1);
    let path = Path::accept(ts, path, Accept::Descriptor, "chdir", "path")?;
    audit!(ts, "os.chdir", path);
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe {
        match path.fd {
            Some(fd) => libc::fchdir(fd),
            None => libc::chdir(path.as_ptr()),
        }
    })
}

/// `os.chroot`.
pub fn chroot(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "chroot", ["path"], 0, 1, 1);
    let path = Path::new(ts, path, "chroot", "path")?;
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe { libc::chroot(path.as_ptr()) })
}

/// `os.chmod`.
pub fn chmod(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, mode, dir, follow] = parse!(ts, args, "chmod", ["path", "mode", "dir_fd", "follow_symlinks"], 0, 2, 2);
    let path = Path::accept(ts, path, Accept::Descriptor, "chmod", "path")?;
    let mode = int(ts, mode)? as libc::mode_t;
    let dir = dir_fd(ts, dir)?;
    let follow = truth(ts, follow, true)?;
    check_combination(ts, "chmod", &path, dir, follow)?;
    audit!(ts, "os.chmod", path, mode, At(dir));
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the name is a C string.
    let (status, error) = blocking(ts, || unsafe {
        let status = match path.fd {
            Some(fd) => libc::fchmod(fd, mode),
            None => libc::fchmodat(dir, path.as_ptr(), mode, flags),
        };
        (status, errno())
    });
    if status < 0 {
        // Older kernels cannot change a link itself.
        if !follow && (error == libc::ENOTSUP || error == libc::EOPNOTSUPP) && dir != libc::AT_FDCWD {
            return raise!(ts, exc::ValueError, "chmod: cannot use dir_fd and follow_symlinks together");
        }
        if !follow && error == libc::ENOTSUP {
            return raise!(ts, exc::NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
        }
        return path.raise(ts, error);
    }
    Ok(ts.none())
}

/// `os.chown`.
pub fn chown(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, uid, gid, dir, follow] =
        parse!(ts, args, "chown", ["path", "uid", "gid", "dir_fd", "follow_symlinks"], 0, 3, 3);
    let path = Path::accept(ts, path, Accept::Descriptor, "chown", "path")?;
    let (uid, gid) = (id(ts, uid, "uid")?, id(ts, gid, "gid")?);
    let dir = dir_fd(ts, dir)?;
    let follow = truth(ts, follow, true)?;
    check_combination(ts, "chown", &path, dir, follow)?;
    audit!(ts, "os.chown", path, uid, gid, At(dir));
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe {
        match path.fd {
            Some(fd) => libc::fchown(fd, uid, gid),
            None => libc::fchownat(dir, path.as_ptr(), uid, gid, flags),
        }
    })
}

/// `os.lchown`.
pub fn lchown(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, uid, gid] = parse!(ts, args, "lchown", ["path", "uid", "gid"], 0, 3, 3);
    let path = Path::new(ts, path, "lchown", "path")?;
    let (uid, gid) = (id(ts, uid, "uid")?, id(ts, gid, "gid")?);
    audit!(ts, "os.chown", path, uid, gid, -1_i32);
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe { libc::lchown(path.as_ptr(), uid, gid) })
}

/// `os.link`.
pub fn link(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [src, dst, src_dir, dst_dir, follow] =
        parse!(ts, args, "link", ["src", "dst", "src_dir_fd", "dst_dir_fd", "follow_symlinks"], 0, 2, 2);
    let src = Path::new(ts, src, "link", "src")?;
    let dst = Path::new(ts, dst, "link", "dst")?;
    let (src_dir, dst_dir) = (dir_fd(ts, src_dir)?, dir_fd(ts, dst_dir)?);
    // The plain call does not follow links here; asked to, the other one does.
    let flags = match follow {
        Some(follow) if protocol::is_true(ts, follow)? => libc::AT_SYMLINK_FOLLOW,
        _ => 0,
    };
    audit!(ts, "os.link", src, dst, At(src_dir), At(dst_dir));
    // SAFETY: the names are C strings.
    on_paths(ts, &src, &dst, || unsafe { libc::linkat(src_dir, src.as_ptr(), dst_dir, dst.as_ptr(), flags) })
}

/// `os.symlink`.
pub fn symlink(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [src, dst, _directory, dir] =
        parse!(ts, args, "symlink", ["src", "dst", "target_is_directory", "dir_fd"], 0, 3, 2);
    let src = Path::new(ts, src, "symlink", "src")?;
    let dst = Path::new(ts, dst, "symlink", "dst")?;
    let dir = dir_fd(ts, dir)?;
    audit!(ts, "os.symlink", src, dst, At(dir));
    // SAFETY: the names are C strings.
    on_paths(ts, &src, &dst, || unsafe { libc::symlinkat(src.as_ptr(), dir, dst.as_ptr()) })
}

/// `os.readlink`.
pub fn readlink(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir] = parse!(ts, args, "readlink", ["path", "dir_fd"], 0, 1, 1);
    let path = Path::new(ts, path, "readlink", "path")?;
    let dir = dir_fd(ts, dir)?;
    let mut buffer = [0u8; libc::PATH_MAX as usize + 1];
    // SAFETY: the name is a C string, and the buffer's size is handed along.
    let (length, error) = blocking(ts, || unsafe {
        let length = libc::readlinkat(dir, path.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len());
        (length, errno())
    });
    if length < 0 {
        return path.raise(ts, error);
    }
    path.result(ts, &buffer[..length as usize])
}

fn rename_as(ts: &ThreadState, function: &'static str, args: [Option<&PyObject>; 4]) -> PyResult {
    let [src, dst, src_dir, dst_dir] = args;
    let src = Path::new(ts, src, function, "src")?;
    let dst = Path::new(ts, dst, function, "dst")?;
    let (src_dir, dst_dir) = (dir_fd(ts, src_dir)?, dir_fd(ts, dst_dir)?);
    audit!(ts, "os.rename", src, dst, At(src_dir), At(dst_dir));
    // SAFETY: the names are C strings.
    on_paths(ts, &src, &dst, || unsafe { libc::renameat(src_dir, src.as_ptr(), dst_dir, dst.as_ptr()) })
}

/// `os.rename`.
pub fn rename(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    rename_as(ts, "rename", parse!(ts, args, "rename", ["src", "dst", "src_dir_fd", "dst_dir_fd"], 0, 2, 2))
}

/// `os.replace`.
pub fn replace(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    rename_as(ts, "replace", parse!(ts, args, "replace", ["src", "dst", "src_dir_fd", "dst_dir_fd"], 0, 2, 2))
}

/// `os.mkdir`.
pub fn mkdir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, mode, dir] = parse!(ts, args, "mkdir", ["path", "mode", "dir_fd"], 0, 2, 1);
    let path = Path::new(ts, path, "mkdir", "path")?;
    let mode = int_or(ts, mode, 0o777)? as libc::mode_t;
    let dir = dir_fd(ts, dir)?;
    audit!(ts, "os.mkdir", path, mode, At(dir));
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe { libc::mkdirat(dir, path.as_ptr(), mode) })
}

/// `os.rmdir`.
pub fn rmdir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir] = parse!(ts, args, "rmdir", ["path", "dir_fd"], 0, 1, 1);
    let path = Path::new(ts, path, "rmdir", "path")?;
    let dir = dir_fd(ts, dir)?;
    audit!(ts, "os.rmdir", path, At(dir));
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe { libc::unlinkat(dir, path.as_ptr(), libc::AT_REMOVEDIR) })
}

fn unlink_as(ts: &ThreadState, function: &'static str, path: Option<&PyObject>, dir: Option<&PyObject>) -> PyResult {
    let path = Path::new(ts, path, function, "path")?;
    let dir = dir_fd(ts, dir)?;
    audit!(ts, "os.remove", path, At(dir));
    // SAFETY: the name is a C string.
    on_path(ts, &path, || unsafe { libc::unlinkat(dir, path.as_ptr(), 0) })
}

/// `os.unlink`.
pub fn unlink(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir] = parse!(ts, args, "unlink", ["path", "dir_fd"], 0, 1, 1);
    unlink_as(ts, "unlink", path, dir)
}

/// `os.remove`.
pub fn remove(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, dir] = parse!(ts, args, "remove", ["path", "dir_fd"], 0, 1, 1);
    unlink_as(ts, "remove", path, dir)
}

/// `os.mkfifo`.
pub fn mkfifo(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, mode, dir] = parse!(ts, args, "mkfifo", ["path", "mode", "dir_fd"], 0, 2, 1);
    let path = Path::new(ts, path, "mkfifo", "path")?;
    let mode = int_or(ts, mode, 0o666)? as libc::mode_t;
    let dir = dir_fd(ts, dir)?;
    // SAFETY: the name is a C string.
    match retry(ts, || unsafe { libc::mkfifoat(dir, path.as_ptr(), mode) })? {
        Ok(_) => Ok(ts.none()),
        Err(errno) => path.raise(ts, errno),
    }
}

/// `os.mknod`.
pub fn mknod(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, mode, device, dir] = parse!(ts, args, "mknod", ["path", "mode", "device", "dir_fd"], 0, 3, 1);
    let path = Path::new(ts, path, "mknod", "path")?;
    let mode = int_or(ts, mode, 0o600)? as libc::mode_t;
    let device = long(ts, device)? as libc::dev_t;
    let dir = dir_fd(ts, dir)?;
    // SAFETY: the name is a C string.
    match retry(ts, || unsafe { libc::mknodat(dir, path.as_ptr(), mode, device) })? {
        Ok(_) => Ok(ts.none()),
        Err(errno) => path.raise(ts, errno),
    }
}

/// `os.truncate`.
pub fn truncate(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, length] = parse!(ts, args, "truncate", ["path", "length"], 0, 2, 2);
    let path = Path::accept(ts, path, Accept::Descriptor, "truncate", "path")?;
    let length = long(ts, length)?;
    audit!(ts, "os.truncate", path, length);
    // SAFETY: the name is a C string.
    let result = retry(ts, || unsafe {
        match path.fd {
            Some(fd) => libc::ftruncate(fd, length),
            None => libc::truncate(path.as_ptr(), length),
        }
    })?;
    match result {
        Ok(_) => Ok(ts.none()),
        Err(errno) => path.raise(ts, errno),
    }
}

/// One of the times in `ns`: whole seconds and nanoseconds of an int.
fn nanoseconds(ts: &ThreadState, value: &PyObject) -> PyResult<libc::timespec> {
    let billion = PyInt::from_i64(ts, convert::NANOS)?;
    let int = protocol::index(ts, value)?;
    let (quotient, rest) = crate::types::int::divmod(ts, &int, billion.cast())?;
    Ok(libc::timespec { tv_sec: quotient.cast::<PyInt>().to_i64(ts)?, tv_nsec: rest.cast::<PyInt>().to_i64(ts)? })
}

fn pair(object: &PyObject) -> Option<[&PyObject; 2]> {
    object.downcast_exact::<PyTuple>().and_then(|pair| pair.items().try_into().ok())
}

/// `os.utime`.
pub fn utime(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, times, ns, dir, follow] =
        parse!(ts, args, "utime", ["path", "times", "ns", "dir_fd", "follow_symlinks"], 0, 2, 1);
    let path = Path::accept(ts, path, Accept::Descriptor, "utime", "path")?;
    let dir = dir_fd(ts, dir)?;
    let follow = truth(ts, follow, true)?;
    let times = times.filter(|times| !is_none(times));
    let given = (times, ns);
    let times = match (times, ns) {
        (Some(_), Some(_)) => {
            return raise!(ts, exc::ValueError, "utime: you may specify either 'times' or 'ns' but not both");
        }
        (Some(times), None) => match pair(times) {
            Some([access, modification]) => {
                Some([convert::timespec(ts, access, Round::Floor)?, convert::timespec(ts, modification, Round::Floor)?])
            }
            None => {
                return raise!(ts, exc::TypeError, "utime: 'times' must be either a tuple of two ints or None");
            }
        },
        (None, Some(ns)) => match pair(ns) {
            Some([access, modification]) => Some([nanoseconds(ts, access)?, nanoseconds(ts, modification)?]),
            None => return raise!(ts, exc::TypeError, "utime: 'ns' must be a tuple of two ints"),
        },
        (None, None) => None,
    };
    check_combination(ts, "utime", &path, dir, follow)?;
    audit!(ts, "os.utime", path, given.0, given.1, At(dir));
    let at = times.as_ref().map_or(core::ptr::null(), |times| times.as_ptr());
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: the name is a C string, the times are null or two.
    on_path(ts, &path, || unsafe {
        match path.fd {
            Some(fd) => libc::futimens(fd, at),
            None => libc::utimensat(dir, path.as_ptr(), at, flags),
        }
    })
}

/// `os.pathconf`.
pub fn pathconf(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, name] = parse!(ts, args, "pathconf", ["path", "name"], 0, 2, 2);
    let path = Path::accept(ts, path, Accept::Descriptor, "pathconf", "path")?;
    let name = super::sysinfo::limit(ts, name, super::constants::PATHCONF)?;
    system::set_errno(0);
    // SAFETY: the name is a C string.
    let limit = unsafe {
        match path.fd {
            Some(fd) => libc::fpathconf(fd, name),
            None => libc::pathconf(path.as_ptr(), name),
        }
    };
    if limit == -1 && errno() != 0 {
        let error = errno();
        return if error == libc::EINVAL { Err(system::os_error(ts, error)) } else { path.raise(ts, error) };
    }
    PyInt::from_i64(ts, limit)
}

// ---- extended attributes ----

/// The path and `follow_symlinks` of a function about extended attributes.
fn attribute_path(
    ts: &ThreadState,
    function: &'static str,
    path: Option<&PyObject>,
    accept: Accept,
    follow: Option<&PyObject>,
) -> PyResult<(Path, bool)> {
    let path = Path::accept(ts, path, accept, function, "path")?;
    let follow = truth(ts, follow, true)?;
    check_combination(ts, function, &path, libc::AT_FDCWD, follow)?;
    Ok((path, follow))
}

/// Reads a value whose size is not known before, with growing room.
fn read_growing(ts: &ThreadState, path: &Path, f: impl Fn(*mut u8, usize) -> isize) -> PyResult<TryVec<u8>> {
    let mut buffer = TryVec::<u8>::new();
    for room in [256, 65536, 1 << 20] {
        buffer.try_reserve(room)?;
        let (length, error) = blocking(ts, || {
            let length = f(buffer.as_mut_ptr(), room);
            (length, errno())
        });
        if length >= 0 {
            // SAFETY: the call has written so many bytes.
            unsafe { buffer.set_len(length as usize) };
            return Ok(buffer);
        }
        if error != libc::ERANGE {
            return path.raise(ts, error);
        }
    }
    path.raise(ts, libc::ERANGE)
}

/// `os.getxattr`.
pub fn getxattr(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, name, follow] = parse!(ts, args, "getxattr", ["path", "attribute", "follow_symlinks"], 0, 2, 2);
    let (path, follow) = attribute_path(ts, "getxattr", path, Accept::Descriptor, follow)?;
    let name = Path::new(ts, name, "getxattr", "attribute")?;
    audit!(ts, "os.getxattr", path, name);
    // SAFETY: the names are C strings, and the room is handed along.
    let value = read_growing(ts, &path, |at, room| unsafe {
        match path.fd {
            Some(fd) => libc::fgetxattr(fd, name.as_ptr(), at.cast(), room),
            None if follow => libc::getxattr(path.as_ptr(), name.as_ptr(), at.cast(), room),
            None => libc::lgetxattr(path.as_ptr(), name.as_ptr(), at.cast(), room),
        }
    })?;
    Ok(PyBytes::new(ts, &value)?.into_object())
}

/// `os.setxattr`.
pub fn setxattr(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, name, value, flags, follow] =
        parse!(ts, args, "setxattr", ["path", "attribute", "value", "flags", "follow_symlinks"], 0, 4, 3);
    let (path, follow) = attribute_path(ts, "setxattr", path, Accept::Descriptor, follow)?;
    let name = Path::new(ts, name, "setxattr", "attribute")?;
    let value = Buffer::get(ts, value.unwrap_or(crate::types::none::none()), buffer::SIMPLE)?;
    let flags = int_or(ts, flags, 0)?;
    audit!(ts, "os.setxattr", path, name, value.as_slice(), flags);
    let data = value.as_slice();
    let (at, length) = (data.as_ptr().cast(), data.len());
    // SAFETY: the names are C strings, the value is as long as said.
    on_path(ts, &path, || unsafe {
        match path.fd {
            Some(fd) => libc::fsetxattr(fd, name.as_ptr(), at, length, flags),
            None if follow => libc::setxattr(path.as_ptr(), name.as_ptr(), at, length, flags),
            None => libc::lsetxattr(path.as_ptr(), name.as_ptr(), at, length, flags),
        }
    })
}

/// `os.removexattr`.
pub fn removexattr(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, name, follow] = parse!(ts, args, "removexattr", ["path", "attribute", "follow_symlinks"], 0, 2, 2);
    let (path, follow) = attribute_path(ts, "removexattr", path, Accept::Descriptor, follow)?;
    let name = Path::new(ts, name, "removexattr", "attribute")?;
    audit!(ts, "os.removexattr", path, name);
    // SAFETY: the names are C strings.
    on_path(ts, &path, || unsafe {
        match path.fd {
            Some(fd) => libc::fremovexattr(fd, name.as_ptr()),
            None if follow => libc::removexattr(path.as_ptr(), name.as_ptr()),
            None => libc::lremovexattr(path.as_ptr(), name.as_ptr()),
        }
    })
}

/// `os.listxattr`.
pub fn listxattr(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, follow] = parse!(ts, args, "listxattr", ["path", "follow_symlinks"], 0, 1, 0);
    let (path, follow) = attribute_path(ts, "listxattr", path, Accept::Both, follow)?;
    audit!(ts, "os.listxattr", path);
    // SAFETY: the name is a C string, and the room is handed along.
    let names = read_growing(ts, &path, |at, room| unsafe {
        match path.fd {
            Some(fd) => libc::flistxattr(fd, at.cast(), room),
            None if follow => libc::listxattr(path.as_ptr(), at.cast(), room),
            None => libc::llistxattr(path.as_ptr(), at.cast(), room),
        }
    })?;
    let list = PyList::new(ts)?;
    for name in names.split_inclusive(|byte| *byte == 0) {
        let name = CStr::from_bytes_until_nul(name).unwrap_or(c"").to_bytes();
        list.append(ts, fs_decode(ts, name)?.into_object())?;
    }
    Ok(list.into_object())
}
