//! Directories: `listdir`, `scandir` and its entries.

use core::cell::Cell;
use core::ffi::CStr;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::audit::audit;
use super::path::{Accept, Path, fs_decode, fs_encode};
use super::stat::stat_object;
use super::system::{blocking, errno, os_error, parse, set_errno, truth};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::PyStr;

/// An open directory of the C library.
struct Directory {
    stream: *mut libc::DIR,
    /// The stream's descriptor is a copy of one whose position others share.
    rewind: bool,
}

impl Directory {
    fn open(ts: &ThreadState, path: &Path) -> PyResult<Directory> {
        // SAFETY: the name is a C string; a copied descriptor belongs to the stream once that is open.
        let (stream, error) = blocking(ts, || unsafe {
            let stream = match path.fd {
                None => libc::opendir(path.as_ptr()),
                Some(fd) => {
                    let copy = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0);
                    if copy < 0 {
                        return (core::ptr::null_mut(), errno());
                    }
                    let stream = libc::fdopendir(copy);
                    if stream.is_null() {
                        let error = errno();
                        libc::close(copy);
                        return (stream, error);
                    }
                    stream
                }
            };
            (stream, errno())
        });
        if stream.is_null() {
            return path.raise(ts, error);
        }
        Ok(Directory { stream, rewind: path.fd.is_some() })
    }

    /// The next entry but "." and ".."; the error is the error number.
    fn next(&self, ts: &ThreadState) -> Result<Option<&libc::dirent64>, i32> {
        loop {
            // SAFETY: the stream is open; the entry lives until the next call.
            let (entry, error) = blocking(ts, || unsafe {
                set_errno(0);
                let entry = libc::readdir64(self.stream);
                (entry.as_ref(), errno())
            });
            match entry {
                None if error != 0 => return Err(error),
                None => return Ok(None),
                Some(entry) => {
                    let name = entry_name(entry);
                    if name != b"." && name != b".." {
                        return Ok(Some(entry));
                    }
                }
            }
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // SAFETY: the stream is open and ends here.
        unsafe {
            if self.rewind {
                libc::rewinddir(self.stream);
            }
            libc::closedir(self.stream);
        }
    }
}

fn entry_name(entry: &libc::dirent64) -> &[u8] {
    // SAFETY: the name is a C string.
    unsafe { CStr::from_ptr(entry.d_name.as_ptr()) }.to_bytes()
}

/// `os.listdir`.
pub fn listdir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "listdir", ["path"], 0, 1, 0);
    let path = Path::accept(ts, Some(path.unwrap_or(crate::types::none::none())), Accept::Both, "listdir", "path")?;
    audit!(ts, "os.listdir", path);
    let directory = Directory::open(ts, &path)?;
    let list = PyList::new(ts)?;
    loop {
        match directory.next(ts) {
            Ok(Some(entry)) => list.append(ts, path.result(ts, entry_name(entry))?)?,
            Ok(None) => return Ok(list.into_object()),
            Err(errno) => return path.raise(ts, errno),
        }
    }
}

/// An iterator over a directory's entries.
#[repr(C)]
pub struct PyScandirIterator {
    ob_base: PyObject,
    stream: Cell<*mut libc::DIR>,
    rewind: Cell<bool>,
    wants_bytes: Cell<bool>,
    /// The descriptor that was given, or -1.
    dir_fd: Cell<i32>,
    /// The path as it was given, for the entries' paths and for messages.
    path: Slot<PyObject>,
}
crate::native!(PyScandirIterator, SCANDIR_ITERATOR_TYPE);

/// `posix.ScandirIterator`.
pub static SCANDIR_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"posix.ScandirIterator",
    basicsize: size_of::<PyScandirIterator>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(iterator_dealloc),
        finalize: Some(iterator_finalize),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(iterator_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__enter__", |_, this| Ok(this.new_ref()), ""),
        MethodDef::positional("__exit__", |ts, this, _| close(ts, this), ""),
        MethodDef::no_args("close", close, ""),
    ],
    ..TypeSpec::EMPTY
});

/// `os.scandir`.
pub fn scandir(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "scandir", ["path"], 0, 1, 0);
    let path = Path::accept(ts, Some(path.unwrap_or(crate::types::none::none())), Accept::Both, "scandir", "path")?;
    audit!(ts, "os.scandir", path);
    let iterator = alloc::exact::<PyScandirIterator>(ts)?;
    let directory = Directory::open(ts, &path)?;
    iterator.rewind.set(directory.rewind);
    iterator.stream.set(directory.stream);
    // The iterator closes it.
    core::mem::forget(directory);
    iterator.wants_bytes.set(path.wants_bytes);
    iterator.dir_fd.set(path.fd.unwrap_or(-1));
    iterator.path.set(path.object.clone());
    Ok(iterator.into_object())
}

impl PyScandirIterator {
    /// Takes the directory out, if it is still open.
    fn take(&self) -> Option<Directory> {
        let stream = self.stream.replace(core::ptr::null_mut());
        (!stream.is_null()).then(|| Directory { stream, rewind: self.rewind.get() })
    }
}

fn close(ts: &ThreadState, this: &PyObject) -> PyResult {
    drop(this.cast::<PyScandirIterator>().take());
    Ok(ts.none())
}

/// Tells of a directory that nobody has closed or read to its end.
fn iterator_finalize(ts: &ThreadState, this: &PyObject) {
    let iterator = this.cast::<PyScandirIterator>();
    if iterator.stream.get().is_null() {
        return;
    }
    let pending = ts.current_exception.take();
    let warned = protocol::repr(ts, this)
        .and_then(|shown| PyStr::format(ts, format_args!("unclosed scandir iterator {shown}")))
        .and_then(|message| {
            let category = exc::ResourceWarning.as_object();
            crate::modules::_warnings::warn_object(ts, category, message.as_object(), 1, Some(this), &[])
        });
    if let Err(raised) = warned {
        if ts.raised_matches(&exc::Warning) {
            exc::write_unraisable(ts, raised, Some("finalizing scandir iterator"), this);
        } else {
            ts.clear_raised(raised);
        }
    }
    drop(iterator.take());
    ts.current_exception.set(pending);
}

unsafe fn iterator_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called with an iterator whose count is zero.
    unsafe {
        let this = (*object).cast_unchecked::<PyScandirIterator>();
        let is_open = !this.stream.get().is_null();
        if is_open && !crate::types::typ::subtype::finish(ts, &*object, iterator_finalize) {
            return;
        }
        drop(this.take());
        this.path.set(None);
        alloc::free(ts, object);
    }
}

fn iterator_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyScandirIterator>();
    // While it is read the directory is out of the iterator, so that nobody closes it meanwhile.
    let Some(directory) = this.take() else { return Ok(None) };
    match directory.next(ts) {
        Ok(None) => Ok(None),
        Ok(Some(entry)) => {
            let entry = new_entry(ts, this, entry);
            this.stream.set(directory.stream);
            core::mem::forget(directory);
            entry.map(Some)
        }
        Err(errno) => Err(exc::raise_os_error(ts, errno, this.path.get().as_deref())),
    }
}

/// A directory's entry.
#[repr(C)]
pub struct PyDirEntry {
    ob_base: PyObject,
    name: Slot<PyObject>,
    path: Slot<PyObject>,
    stat: Slot<PyObject>,
    lstat: Slot<PyObject>,
    inode: Cell<u64>,
    /// `DT_*`.
    kind: Cell<u8>,
    /// The directory's descriptor, or -1.
    dir_fd: Cell<i32>,
}
crate::native!(PyDirEntry, DIR_ENTRY_TYPE);

/// `os.DirEntry`.
pub static DIR_ENTRY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"posix.DirEntry",
    basicsize: size_of::<PyDirEntry>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(entry_dealloc),
        traverse: Some(entry_traverse),
        repr: Some(entry_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "is_dir",
            is_dir,
            "is_dir($self, /, *, follow_symlinks=True)\n--\n\nWhether the entry is a directory; kept once it is known.",
        ),
        MethodDef::keywords(
            "is_file",
            is_file,
            "is_file($self, /, *, follow_symlinks=True)\n--\n\nWhether the entry is a regular file; kept once it is known.",
        ),
        MethodDef::no_args(
            "is_symlink",
            |ts, this| Ok(py_bool(is_symlink(ts, this.cast())?)),
            "is_symlink($self, /)\n--\n\nWhether the entry is a symbolic link; kept once it is known.",
        ),
        MethodDef::no_args(
            "is_junction",
            |_, _| Ok(py_bool(false)),
            "is_junction($self, /)\n--\n\nFalse: this system has no junctions.",
        ),
        MethodDef::keywords(
            "stat",
            entry_stat,
            "stat($self, /, *, follow_symlinks=True)\n--\n\nWhat os.stat() says of the entry; kept once it is known.",
        ),
        MethodDef::no_args(
            "inode",
            |ts, this| PyInt::from_u64(ts, this.cast::<PyDirEntry>().inode.get()),
            "inode($self, /)\n--\n\nThe entry's inode number.",
        ),
        MethodDef::no_args("__fspath__", entry_path, "__fspath__($self, /)\n--\n\nThe entry's path."),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::get(
            "name",
            |ts, this| Ok(this.cast::<PyDirEntry>().name.get().unwrap_or_else(|| ts.none())),
            "the entry's base filename, relative to scandir() \"path\" argument",
        ),
        GetSetDef::get(
            "path",
            entry_path,
            "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)",
        ),
    ],
    ..TypeSpec::EMPTY
});

unsafe fn entry_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an entry whose count is zero.
    unsafe {
        let this = (*object).cast_unchecked::<PyDirEntry>();
        for slot in [&this.name, &this.path, &this.stat, &this.lstat] {
            slot.set(None);
        }
        alloc::free(ts, object);
    }
}

fn entry_traverse(_: &PyObject, _: &mut Visitor<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn new_entry(ts: &ThreadState, of: &PyScandirIterator, entry: &libc::dirent64) -> PyResult {
    let made = alloc::exact::<PyDirEntry>(ts)?;
    let name = entry_name(entry);
    made.inode.set(entry.d_ino);
    made.kind.set(entry.d_type);
    made.dir_fd.set(of.dir_fd.get());
    let object = |bytes: &[u8]| -> PyResult {
        if of.wants_bytes.get() {
            Ok(PyBytes::new(ts, bytes)?.into_object())
        } else {
            Ok(fs_decode(ts, bytes)?.into_object())
        }
    };
    let name_object = object(name)?;
    if of.dir_fd.get() >= 0 {
        made.path.set(Some(name_object.clone()));
    } else {
        let mut path = match of.path.get() {
            Some(path) => fs_encode(ts, &path)?,
            None => TryVec::try_from_slice(b".")?,
        };
        if path.last().is_some_and(|last| *last != b'/') {
            path.try_push(b'/')?;
        }
        path.try_extend_from_slice(name)?;
        made.path.set(Some(object(&path)?));
    }
    made.name.set(Some(name_object));
    Ok(made.into_object())
}

fn entry_path(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyDirEntry>().path.get().unwrap_or_else(|| ts.none()))
}

fn entry_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let name = this.cast::<PyDirEntry>().name.get().unwrap_or_else(|| ts.none());
    let name = protocol::repr(ts, &name)?;
    Ok(PyStr::format(ts, format_args!("<DirEntry {name}>"))?.into_object())
}

/// Asks the system for an entry's information; it is kept.
fn fetch(ts: &ThreadState, entry: &PyDirEntry, follow_symlinks: bool) -> PyResult {
    let slot = if follow_symlinks { &entry.stat } else { &entry.lstat };
    if let Some(known) = slot.get() {
        return Ok(known);
    }
    if follow_symlinks && !is_symlink(ts, entry)? {
        // There is nothing to follow, so both are one.
        let stat = fetch(ts, entry, false)?;
        entry.stat.set(Some(stat.clone()));
        return Ok(stat);
    }
    let object = entry.path.get();
    let path = Path::new(ts, object.as_deref(), "DirEntry", "path")?;
    let dir_fd = if entry.dir_fd.get() >= 0 { entry.dir_fd.get() } else { libc::AT_FDCWD };
    match super::stat::stat_path(ts, &path, dir_fd, follow_symlinks) {
        Ok(stat) => {
            let stat = stat_object(ts, &stat)?;
            slot.set(Some(stat.clone()));
            Ok(stat)
        }
        Err(errno) => path.raise(ts, errno),
    }
}

fn entry_stat(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [follow] = parse!(ts, args, "stat", ["follow_symlinks"], 0, 0, 0);
    fetch(ts, this.cast(), truth(ts, follow, true)?)
}

fn is_symlink(ts: &ThreadState, entry: &PyDirEntry) -> PyResult<bool> {
    if entry.kind.get() != libc::DT_UNKNOWN {
        return Ok(entry.kind.get() == libc::DT_LNK);
    }
    has_mode(ts, entry, false, libc::S_IFLNK)
}

/// Whether the mode's type is `wanted`; a file that is not there has none.
fn has_mode(ts: &ThreadState, entry: &PyDirEntry, follow_symlinks: bool, wanted: u32) -> PyResult<bool> {
    let stat = match ts.catch(fetch(ts, entry, follow_symlinks), &exc::FileNotFoundError)? {
        Some(stat) => stat,
        None => return Ok(false),
    };
    let mode = protocol::sequence_item(ts, &stat, 0)?;
    Ok(protocol::as_i32(ts, &mode)? as u32 & libc::S_IFMT == wanted)
}

fn test_kind(ts: &ThreadState, entry: &PyDirEntry, follow_symlinks: bool, kind: u8, mode: u32) -> PyResult {
    let known = entry.kind.get();
    let link = is_symlink(ts, entry)?;
    if known == libc::DT_UNKNOWN || (follow_symlinks && link) {
        return Ok(py_bool(has_mode(ts, entry, follow_symlinks, mode)?));
    }
    Ok(py_bool(known == kind))
}

fn is_dir(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [follow] = parse!(ts, args, "is_dir", ["follow_symlinks"], 0, 0, 0);
    test_kind(ts, this.cast(), truth(ts, follow, true)?, libc::DT_DIR, libc::S_IFDIR)
}

fn is_file(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [follow] = parse!(ts, args, "is_file", ["follow_symlinks"], 0, 0, 0);
    test_kind(ts, this.cast(), truth(ts, follow, true)?, libc::DT_REG, libc::S_IFREG)
}

/// `os.getcwd` and `os.getcwdb`.
pub fn current_directory(ts: &ThreadState, bytes: bool) -> PyResult {
    let mut buffer = TryVec::<u8>::new();
    let mut room = 512;
    loop {
        buffer.try_reserve(room)?;
        // SAFETY: the buffer has that much room.
        let (ok, error) =
            blocking(ts, || unsafe { (!libc::getcwd(buffer.as_mut_ptr().cast(), room).is_null(), errno()) });
        if ok {
            // SAFETY: the call has written a C string.
            let name = unsafe { CStr::from_ptr(buffer.as_ptr().cast()) }.to_bytes();
            return if bytes {
                Ok(PyBytes::new(ts, name)?.into_object())
            } else {
                Ok(fs_decode(ts, name)?.into_object())
            };
        }
        if error != libc::ERANGE {
            return Err(os_error(ts, error));
        }
        room *= 2;
        if room > 1 << 24 {
            return raise!(ts, exc::OSError, "the current directory's name is too long");
        }
    }
}
