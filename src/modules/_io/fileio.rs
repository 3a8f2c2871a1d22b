//! `FileIO`: an unbuffered stream over a file descriptor.

use core::cell::Cell;
use core::mem::size_of;
use core::ops::ControlFlow;

use super::base::{self, PyIOBase, RAWIOBASE_TYPE};
use super::util::*;
use crate::modules::posix::path::fs_encode;
use crate::modules::posix::system::blocking;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Signature, StaticType, TypeSlots,
    TypeSpec, Visitor, alloc, attr, call, flags, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// A stream over a descriptor.
#[repr(C)]
pub struct PyFileIO {
    base: PyIOBase,
    /// -1 when closed.
    fd: Cell<i32>,
    created: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    appending: Cell<bool>,
    /// Whether the descriptor can be positioned: -1 while unknown.
    seekable: Cell<i8>,
    closefd: Cell<bool>,
    /// The block size that the file system likes; 0 when unknown.
    block_size: Cell<usize>,
    /// The size that the file had when it was opened, for reading it whole; -1 when that says nothing.
    size_at_open: Cell<i64>,
    /// When it was opened the descriptor was a character device, so it may be a terminal.
    may_be_terminal: Cell<bool>,
}
native!(PyFileIO, FILEIO_TYPE);

/// `_io.FileIO`.
pub static FILEIO_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.FileIO",
    basicsize: size_of::<PyFileIO>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&RAWIOBASE_TYPE),
    doc: "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nOpen a file as a stream of bytes, without a buffer. The mode is one of 'r', 'w', 'x', 'a',\nwith a '+' for both reading and writing. A descriptor is taken as it is; an opener is\ncalled with the name and the flags and returns one.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        repr: Some(repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "read",
            read,
            "read($self, size=-1, /)\n--\n\nRead up to size bytes, or all, with one system call; None when none are there yet.",
        ),
        MethodDef::no_args(
            "readall",
            |ts, this| file(this).readall(ts),
            "readall($self, /)\n--\n\nRead until the end of the file; None when nothing is there yet.",
        ),
        MethodDef::one(
            "readinto",
            readinto,
            "readinto($self, buffer, /)\n--\n\nRead into the buffer; returns how many bytes.",
        ),
        MethodDef::one(
            "write",
            write,
            "write($self, b, /)\n--\n\nWrite with one system call; returns how many bytes, None when none could be written.",
        ),
        MethodDef::positional(
            "seek",
            seek,
            "seek($self, pos, whence=0, /)\n--\n\nMove to a position, which is returned.",
        ),
        MethodDef::no_args("tell", tell, "tell($self, /)\n--\n\nThe present position."),
        MethodDef::positional(
            "truncate",
            truncate,
            "truncate($self, size=None, /)\n--\n\nMake the file that long, or end it at the present position.",
        ),
        MethodDef::no_args("close", close, "close($self, /)\n--\n\nClose the file; a second time does nothing."),
        MethodDef::no_args("seekable", seekable, "seekable($self, /)\n--\n\nWhether the file can be positioned."),
        MethodDef::no_args(
            "readable",
            |ts, this| file(this).flag(ts, &file(this).readable),
            "readable($self, /)\n--\n\nWhether the file was opened for reading.",
        ),
        MethodDef::no_args(
            "writable",
            |ts, this| file(this).flag(ts, &file(this).writable),
            "writable($self, /)\n--\n\nWhether the file was opened for writing.",
        ),
        MethodDef::no_args(
            "fileno",
            |ts, this| PyInt::from_i64(ts, file(this).open_fd(ts)?.into()),
            "fileno($self, /)\n--\n\nThe file descriptor.",
        ),
        MethodDef::no_args("isatty", isatty, "isatty($self, /)\n--\n\nWhether the file is a terminal."),
        MethodDef::no_args("_isatty_open_only", isatty_open_only, ""),
        MethodDef::one(
            "_dealloc_warn",
            |ts, this, source| {
                file(this).warn_unclosed(ts, source);
                Ok(ts.none())
            },
            "",
        ),
        MethodDef::no_args("__reduce__", cannot_pickle, ""),
        MethodDef::one("__reduce_ex__", cannot_pickle_protocol, ""),
    ],
    getset: &[
        GetSetDef::get("closed", |_, this| Ok(py_bool(file(this).fd.get() < 0)), "Whether the file is closed."),
        GetSetDef::get(
            "closefd",
            |_, this| Ok(py_bool(file(this).closefd.get())),
            "Whether closing closes the descriptor.",
        ),
        GetSetDef::get("mode", |ts, this| Ok(PyStr::new(ts, file(this).mode())?.into_object()), "The mode."),
        GetSetDef::get(
            "_blksize",
            |ts, this| size_object(ts, file(this).preferred_size()),
            "The file system's block size.",
        ),
        super::FINALIZING,
    ],
    ..TypeSpec::EMPTY
});

#[inline(always)]
fn file(object: &PyObject) -> &PyFileIO {
    object.cast()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyFileIO>(ts, typ)?;
    object.fd.set(-1);
    object.seekable.set(-1);
    object.closefd.set(true);
    object.size_at_open.set(-1);
    track(ts, object.as_object());
    Ok(object.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe { base::end(ts, object, |_| {}) }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    file(object).base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    file(object).base.clear();
}

/// What a mode string asks for.
struct Mode {
    created: bool,
    readable: bool,
    writable: bool,
    appending: bool,
    flags: i32,
}

fn parse_mode(ts: &ThreadState, text: &PyStr) -> PyResult<Mode> {
    let mut mode = Mode { created: false, readable: false, writable: false, appending: false, flags: 0 };
    let (mut plus, mut main) = (false, false);
    for ch in text.chars() {
        let letter = u8::try_from(ch).unwrap_or(0);
        match letter {
            b'b' => {}
            b'+' if !plus => {
                plus = true;
                mode.readable = true;
                mode.writable = true;
            }
            b'x' | b'r' | b'w' | b'a' if !main => {
                main = true;
                mode.created = letter == b'x';
                mode.appending = letter == b'a';
                mode.readable |= letter == b'r';
                mode.writable |= letter != b'r';
                mode.flags |= match letter {
                    b'x' => libc::O_EXCL | libc::O_CREAT,
                    b'w' => libc::O_CREAT | libc::O_TRUNC,
                    b'a' => libc::O_APPEND | libc::O_CREAT,
                    _ => 0,
                };
            }
            b'+' | b'x' | b'r' | b'w' | b'a' => return bad_mode(ts),
            _ => return raise!(ts, exc::ValueError, "invalid mode: {text}"),
        }
    }
    if !main {
        return bad_mode(ts);
    }
    mode.flags |= libc::O_CLOEXEC;
    mode.flags |= match (mode.readable, mode.writable) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    Ok(mode)
}

#[cold]
fn bad_mode<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::ValueError, "Must have exactly one of create/read/write/append mode and at most one plus")
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<4> = Signature::new("FileIO", ["file", "mode", "closefd", "opener"], 0, 4, 1);
    let [name, mode, closefd, opener] = SIGNATURE.parse(ts, args)?;
    let Some(name) = name else { return raise!(ts, exc::TypeError, "FileIO() needs a file") };
    let default_mode = PyStr::latin1_char(b'r');
    let mode = match mode {
        None => default_mode,
        Some(mode) => match mode.downcast::<PyStr>() {
            Some(mode) => mode,
            None => {
                return raise!(ts, exc::TypeError, "FileIO() argument 'mode' must be str, not {}", mode.type_name());
            }
        },
    };
    let closefd = closefd.map_or(Ok(true), |flag| protocol::is_true(ts, flag))?;
    let opener = opener.filter(|opener| !is_none(opener));
    let this = file(object);
    if this.fd.get() >= 0 {
        // Initialized a second time: the first file goes.
        if this.closefd.get() {
            this.close_fd(ts)?;
        } else {
            this.fd.set(-1);
        }
    }
    let given = descriptor_of(ts, name)?;
    let mode_text = mode;
    let mode = parse_mode(ts, mode)?;
    this.created.set(mode.created);
    this.readable.set(mode.readable);
    this.writable.set(mode.writable);
    this.appending.set(mode.appending);
    this.seekable.set(-1);
    this.base.closed.set(false);
    audit_open(ts, name, mode_text, mode.flags)?;
    if let Some(fd) = given {
        this.fd.set(fd);
        this.closefd.set(closefd);
    } else {
        this.closefd.set(true);
        if !closefd {
            return raise!(ts, exc::ValueError, "Cannot use closefd=False with file name");
        }
        let fd = match opener {
            None => open_file(ts, name, mode.flags)?,
            Some(opener) => open_by(ts, opener, name, mode.flags)?,
        };
        this.fd.set(fd);
    }
    let opened = this.look_at(ts, object, name);
    if opened.is_err() {
        if given.is_some() {
            // The caller's descriptor stays the caller's.
            this.fd.set(-1);
        } else if this.fd.get() >= 0 {
            return and_then_close(ts, opened, || this.close_fd(ts));
        }
    }
    opened
}

/// The descriptor that an int is; `None` for a path.
fn descriptor_of(ts: &ThreadState, name: &PyObject) -> PyResult<Option<i32>> {
    if !name.is_a::<PyInt>() && !protocol::is_index(name) {
        return Ok(None);
    }
    if crate::types::bool::is_bool(name) {
        crate::modules::_warnings::warn(ts, &exc::RuntimeWarning, "bool is used as a file descriptor", 1)?;
    }
    let fd = match protocol::as_i32(ts, name) {
        Ok(fd) => fd,
        // Too large for a descriptor: it is no path either, which is what is said.
        Err(raised) if ts.raised_matches(&exc::OverflowError) => {
            ts.clear_raised(raised);
            return Ok(None);
        }
        Err(raised) => return Err(raised),
    };
    if fd < 0 {
        return raise!(ts, exc::ValueError, "negative file descriptor");
    }
    Ok(Some(fd))
}

/// Tells the audit hooks, if there are any, what is about to be opened.
fn audit_open(ts: &ThreadState, name: &PyObject, mode: &PyStr, flags: i32) -> PyResult<()> {
    crate::modules::sys::auditing::event_with(ts, "open", || {
        Ok([name.new_ref(), mode.as_object().new_ref(), PyInt::from_i64(ts, flags.into())?])
    })
}

fn open_file(ts: &ThreadState, name: &PyObject, flags: i32) -> PyResult<i32> {
    let mut path = fs_encode(ts, name)?;
    path.try_push(0)?;
    loop {
        // SAFETY: the path ends with a NUL.
        let (fd, error) = blocking(ts, || unsafe { (libc::open(path.as_ptr().cast(), flags, 0o666), last_error()) });
        if fd >= 0 {
            return Ok(fd);
        }
        match error {
            libc::EINTR => crate::lifecycle::pending::signals(ts)?,
            errno => return Err(exc::raise_os_error(ts, errno, Some(name))),
        }
    }
}

fn open_by(ts: &ThreadState, opener: &PyObject, name: &PyObject, flags: i32) -> PyResult<i32> {
    let flags = PyInt::from_i64(ts, flags.into())?;
    let fd = call::call_with(ts, opener, &[name, &flags])?;
    if !fd.is_a::<PyInt>() {
        return raise!(ts, exc::TypeError, "expected integer from opener");
    }
    let fd = protocol::as_i32(ts, &fd)?;
    if fd < 0 {
        return raise!(ts, exc::ValueError, "opener returned {fd}");
    }
    // SAFETY: the call changes nothing but the descriptor's flag.
    if unsafe { libc::ioctl(fd, libc::FIOCLEX) } < 0 {
        return Err(exc::raise_os_error(ts, last_error(), None));
    }
    Ok(fd)
}

impl PyFileIO {
    /// Looks at the new descriptor: what kind of file it is. Sets the attribute `name`.
    fn look_at(&self, ts: &ThreadState, object: &PyObject, name: &PyObject) -> PyResult<()> {
        let mut status = core::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the call fills the structure, or fails.
        if unsafe { libc::fstat(self.fd.get(), status.as_mut_ptr()) } < 0 {
            let errno = last_error();
            if errno == libc::EBADF {
                return Err(exc::raise_os_error(ts, errno, None));
            }
            self.block_size.set(0);
            self.size_at_open.set(-1);
            self.may_be_terminal.set(true);
        } else {
            // SAFETY: the call has filled it.
            let status = unsafe { status.assume_init() };
            if status.st_mode & libc::S_IFMT == libc::S_IFDIR {
                return Err(exc::raise_os_error(ts, libc::EISDIR, Some(name)));
            }
            self.block_size.set(usize::try_from(status.st_blksize).unwrap_or(0));
            self.size_at_open.set(status.st_size);
            self.may_be_terminal.set(status.st_mode & libc::S_IFMT == libc::S_IFCHR);
        }
        attr::set(ts, object, id!(name), name)?;
        if self.appending.get() {
            // Where the file's end is, `tell` says the truth. A pipe has none.
            if let Err(raised) = self.seek_fd(ts, 0, libc::SEEK_END) {
                if !ts.raised_matches(&exc::OSError) || self.seekable.get() == 1 {
                    return Err(raised);
                }
                ts.clear_raised(raised);
            }
        }
        Ok(())
    }

    /// The size for a buffer over this file.
    pub(super) fn preferred_size(&self) -> usize {
        if self.block_size.get() > 1 { self.block_size.get() } else { DEFAULT_BUFFER_SIZE }
    }

    /// Whether the file is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.fd.get() < 0
    }

    /// The descriptor; ValueError when the file is closed.
    #[inline]
    fn open_fd(&self, ts: &ThreadState) -> PyResult<i32> {
        match self.fd.get() {
            fd if fd >= 0 => Ok(fd),
            _ => closed_error(ts, "I/O operation on closed file"),
        }
    }

    fn flag(&self, ts: &ThreadState, flag: &Cell<bool>) -> PyResult {
        self.open_fd(ts)?;
        Ok(py_bool(flag.get()))
    }

    fn mode(&self) -> &'static str {
        match (self.created.get(), self.appending.get(), self.readable.get(), self.writable.get()) {
            (true, _, true, _) => "xb+",
            (true, ..) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, ..) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        }
    }

    /// Reads into memory of `len` bytes; `None` when that would block.
    #[inline]
    pub(super) fn read_into(&self, ts: &ThreadState, place: *mut u8, len: usize) -> PyResult<Option<usize>> {
        let fd = self.open_fd(ts)?;
        if !self.readable.get() {
            return unsupported(ts, "File not open for reading");
        }
        read_fd(ts, fd, place, len)
    }

    /// Writes; `None` when that would block.
    #[inline]
    pub(super) fn write_bytes(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<Option<usize>> {
        let fd = self.open_fd(ts)?;
        if !self.writable.get() {
            return unsupported(ts, "File not open for writing");
        }
        write_fd(ts, fd, bytes)
    }

    /// Moves the descriptor's position.
    pub(super) fn seek_fd(&self, ts: &ThreadState, offset: i64, whence: i32) -> PyResult<i64> {
        let fd = self.open_fd(ts)?;
        // SAFETY: the call takes numbers only.
        let position = unsafe { libc::lseek(fd, offset, whence) };
        if self.seekable.get() < 0 {
            self.seekable.set(i8::from(position >= 0));
        }
        if position < 0 {
            return Err(exc::raise_os_error(ts, last_error(), None));
        }
        Ok(position)
    }

    /// Reads to the end.
    fn readall(&self, ts: &ThreadState) -> PyResult {
        let fd = self.open_fd(ts)?;
        if !self.readable.get() {
            return unsupported(ts, "File not open for reading");
        }
        let mut capacity = match self.size_at_open.get() {
            size if size > 0 => {
                let position = if size > 65_536 {
                    // SAFETY: the call takes numbers only.
                    unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }.max(0)
                } else {
                    0
                };
                // One byte more, so that the end is found without growing.
                usize::try_from(size.saturating_sub(position).max(0)).unwrap_or(0).saturating_add(1)
            }
            _ => 8192,
        };
        capacity = capacity.max(64);
        // SAFETY: the object is cut to what has been read before anyone sees it.
        let mut made = unsafe { PyBytes::uninit(ts, capacity)? };
        let mut count = 0;
        loop {
            if count == capacity {
                // Grows fast while small, by an eighth later.
                let more = if count > 65_536 { count >> 3 } else { 256 + count };
                let Some(larger) = capacity.checked_add(more).filter(|size| *size < isize::MAX as usize) else {
                    return raise!(
                        ts,
                        exc::OverflowError,
                        "unbounded read returned more bytes than a Python bytes object can hold"
                    );
                };
                capacity = larger;
                // SAFETY: nobody else has the object, which is exact and no static.
                made = unsafe { PyBytes::resize(ts, made, capacity)? };
            }
            let place = made.data_ptr().wrapping_add(count);
            match read_fd(ts, fd, place, capacity - count)? {
                Some(0) => break,
                Some(got) => count += got,
                None if count > 0 => break,
                None => return Ok(ts.none()),
            }
        }
        if count < 2 {
            // SAFETY: so many bytes have been read.
            let bytes = unsafe { core::slice::from_raw_parts(made.data_ptr(), count) };
            return PyBytes::new(ts, bytes).map(Ref::into_object);
        }
        // SAFETY: as above.
        unsafe { PyBytes::resize(ts, made, count).map(Ref::into_object) }
    }

    /// Closes the descriptor itself.
    fn close_fd(&self, ts: &ThreadState) -> PyResult<()> {
        let fd = self.fd.replace(-1);
        if fd < 0 {
            return Ok(());
        }
        // SAFETY: the descriptor is this object's to close.
        let (status, error) = blocking(ts, || unsafe { (libc::close(fd), last_error()) });
        if status < 0 {
            return Err(exc::raise_os_error(ts, error, None));
        }
        Ok(())
    }

    /// Warns that a file was left open by whoever had `source`, the outermost stream on it.
    pub(super) fn warn_unclosed(&self, ts: &ThreadState, source: &PyObject) {
        if self.fd.get() < 0 || !self.closefd.get() {
            return;
        }
        let pending = ts.current_exception.take();
        let warned = protocol::repr(ts, source)
            .and_then(|shown| PyStr::format(ts, format_args!("unclosed file {shown}")))
            .and_then(|message| {
                let category = exc::ResourceWarning.as_object();
                crate::modules::_warnings::warn_object(ts, category, message.as_object(), 1, Some(source), &[])
            });
        if let Err(raised) = warned {
            if ts.raised_matches(&exc::Warning) {
                exc::write_unraisable(ts, raised, Some("finalizing file"), source);
            } else {
                ts.clear_raised(raised);
            }
        }
        ts.current_exception.set(pending);
    }
}

fn read(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let this = file(object);
    this.open_fd(ts)?;
    if !this.readable.get() {
        return unsupported(ts, "File not open for reading");
    }
    let size = optional_size(ts, args.first().copied())?;
    if size < 0 {
        return this.readall(ts);
    }
    let read = bytes_filled(ts, (size as usize).min(0x7fff_f000), |place| this.read_into(ts, place, size as usize))?;
    Ok(read.map_or_else(|| ts.none(), Ref::into_object))
}

fn readinto(ts: &ThreadState, object: &PyObject, target: &PyObject) -> PyResult {
    let this = file(object);
    let view = readinto_buffer(ts, "readinto() argument 1", target)?;
    match this.read_into(ts, view.view().buf.cast(), view.view().len as usize)? {
        Some(count) => size_object(ts, count),
        None => Ok(ts.none()),
    }
}

fn write(ts: &ThreadState, object: &PyObject, data: &PyObject) -> PyResult {
    let this = file(object);
    let data = writable_bytes(ts, data)?;
    match this.write_bytes(ts, data.as_slice())? {
        Some(count) => size_object(ts, count),
        None => Ok(ts.none()),
    }
}

fn seek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let whence = whence_of(ts, args.get(1).copied())?;
    let this = file(object);
    this.open_fd(ts)?;
    let offset = protocol::as_isize(ts, args[0])?;
    PyInt::from_i64(ts, this.seek_fd(ts, offset as i64, whence)?)
}

fn tell(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_i64(ts, file(object).seek_fd(ts, 0, libc::SEEK_CUR)?)
}

fn truncate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "truncate", args.len(), 0, 1)?;
    let this = file(object);
    let fd = this.open_fd(ts)?;
    if !this.writable.get() {
        return unsupported(ts, "File not open for writing");
    }
    let size = match args.first().filter(|size| !is_none(size)) {
        Some(size) => size.new_ref(),
        None => tell(ts, object)?,
    };
    let length = protocol::as_isize(ts, &size)?;
    // What is in the file now says nothing about its size any more.
    this.size_at_open.set(-1);
    // SAFETY: the call takes numbers only.
    if system_call(ts, || unsafe { libc::ftruncate(fd, length as i64) as isize })?.is_none() {
        return Err(exc::raise_os_error(ts, libc::EAGAIN, None));
    }
    Ok(size)
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = file(object);
    let flushed = base::close(ts, object);
    if !this.closefd.get() {
        this.fd.set(-1);
        flushed?;
        return Ok(ts.none());
    }
    and_then_close(ts, flushed, || {
        if this.base.finalizing.get() {
            this.warn_unclosed(ts, object);
        }
        this.close_fd(ts)
    })?;
    Ok(ts.none())
}

fn seekable(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = file(object);
    this.open_fd(ts)?;
    if this.seekable.get() < 0
        && let Err(raised) = this.seek_fd(ts, 0, libc::SEEK_CUR)
    {
        ts.clear_raised(raised);
    }
    Ok(py_bool(this.seekable.get() == 1))
}

fn isatty(ts: &ThreadState, object: &PyObject) -> PyResult {
    let fd = file(object).open_fd(ts)?;
    // SAFETY: the call only looks.
    Ok(py_bool(unsafe { libc::isatty(fd) } != 0))
}

/// `isatty` for a file that was just opened: most are no device, and need no system call.
fn isatty_open_only(ts: &ThreadState, object: &PyObject) -> PyResult {
    if !file(object).may_be_terminal.get() {
        return Ok(py_bool(false));
    }
    isatty(ts, object)
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = file(object);
    let type_name = object.ob_type().full_name();
    if this.is_closed() {
        return PyStr::format(ts, format_args!("<{type_name} [closed]>")).map(Ref::into_object);
    }
    let closefd = if this.closefd.get() { "True" } else { "False" };
    let mode = this.mode();
    let text = match name_for_repr(ts, object)? {
        None => PyStr::format(ts, format_args!("<{type_name} fd={} mode='{mode}' closefd={closefd}>", this.fd.get()))?,
        Some(name) => {
            let Some(_guard) = crate::types::reprguard::ReprGuard::enter(ts, object)? else {
                return raise!(ts, exc::RuntimeError, "reentrant call inside {type_name}.__repr__");
            };
            let name = protocol::repr(ts, &name)?;
            PyStr::format(ts, format_args!("<{type_name} name={name} mode='{mode}' closefd={closefd}>"))?
        }
    };
    Ok(text.into_object())
}
