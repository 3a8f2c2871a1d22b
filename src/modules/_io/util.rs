//! What the classes of this folder share: checks, errors, arguments, and the system calls on descriptors.

use super::UNSUPPORTED_OPERATION_TYPE;
use super::base::PyIOBase;
use crate::modules::posix::system::blocking;
use crate::object::buffer::Buffer;
use crate::object::{
    AsObject, PyObject, PyRef, PyResult, Raised, Ref, Slot, StaticType, attr, buffer, call, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions::{self as exc, PyOSError};
use crate::types::int::PyInt;
use crate::types::memoryview;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, raise};

/// The size of a buffer when nobody asks for another (`io.DEFAULT_BUFFER_SIZE`).
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

/// The most that one system call reads or writes.
const SYSTEM_MAX: usize = 0x7fff_f000;

/// Raises UnsupportedOperation.
#[cold]
pub fn unsupported<T>(ts: &ThreadState, message: &str) -> PyResult<T> {
    raise!(ts, UNSUPPORTED_OPERATION_TYPE, "{message}")
}

/// Raises ValueError about a closed file.
#[cold]
pub fn closed_error<T>(ts: &ThreadState, message: &str) -> PyResult<T> {
    raise!(ts, exc::ValueError, "{message}")
}

/// Raises BlockingIOError that knows how much was written all the same.
#[cold]
pub fn blocking_error<T>(ts: &ThreadState, message: &str, written: usize) -> PyResult<T> {
    let number = PyInt::from_i64(ts, libc::EAGAIN.into())?;
    let message = PyStr::new(ts, message)?;
    let written = PyInt::from_usize(ts, written)?;
    let error = exc::instantiate(ts, &exc::BlockingIOError, &[&number, message.as_object(), &written])?;
    Err(ts.raise(error))
}

/// Whether `object.closed` is true.
pub fn is_closed(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    let closed = attr::get(ts, object, id!(closed))?;
    protocol::is_true(ts, &closed)
}

/// Raises ValueError when `object.closed` is true.
pub fn check_closed(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if is_closed(ts, object)? {
        return closed_error(ts, "I/O operation on closed file.");
    }
    Ok(())
}

/// Whether `object.name()` gives True itself: other true values are not believed.
fn says_true(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<bool> {
    Ok(call::call_method(ts, object, name, &[])?.is(crate::types::bool::true_object()))
}

/// Raises UnsupportedOperation unless `object.readable()`.
pub fn check_readable(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if !says_true(ts, object, id!(readable))? {
        return unsupported(ts, "File or stream is not readable.");
    }
    Ok(())
}

/// Raises UnsupportedOperation unless `object.writable()`.
pub fn check_writable(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if !says_true(ts, object, id!(writable))? {
        return unsupported(ts, "File or stream is not writable.");
    }
    Ok(())
}

/// Raises UnsupportedOperation unless `object.seekable()`.
pub fn check_seekable(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if !says_true(ts, object, id!(seekable))? {
        return unsupported(ts, "File or stream is not seekable.");
    }
    Ok(())
}

/// An optional size: -1 when absent or None.
pub fn optional_size(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<isize> {
    match argument {
        None => Ok(-1),
        Some(object) if is_none(object) => Ok(-1),
        Some(object) if protocol::is_index(object) => protocol::as_isize(ts, object),
        Some(object) => {
            raise!(ts, exc::TypeError, "argument should be integer or None, not '{}'", object.type_name())
        }
    }
}

/// A position in a file; ValueError when it does not fit.
pub fn as_offset(ts: &ThreadState, object: &PyObject) -> PyResult<i64> {
    let int = protocol::index(ts, object)?;
    match int.as_i64() {
        Some(offset) => Ok(offset),
        None => raise!(ts, exc::ValueError, "cannot fit '{}' into an index-sized integer", object.type_name()),
    }
}

/// The `whence` argument, 0 by default.
pub fn whence_of(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<i32> {
    argument.map_or(Ok(0), |object| protocol::as_i32(ts, object))
}

/// A size as an object.
pub fn size_object(ts: &ThreadState, size: usize) -> PyResult {
    PyInt::from_usize(ts, size)
}

/// Runs `then` although `first` may have failed; when both fail, the first failure is the context of the second.
pub fn and_then_close<T>(ts: &ThreadState, first: PyResult<()>, then: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let Err(raised) = first else { return then() };
    let error = ts.take_raised(raised);
    match then() {
        Ok(_) => Err(ts.restore_raised(error)),
        Err(raised) => {
            let second = ts.take_raised(raised);
            exc::set_context(&second, error);
            Err(ts.restore_raised(second))
        }
    }
}

/// Whether the raised exception is an OSError for EINTR: it is dropped then, and the operation tried again.
pub fn trap_interruption(ts: &ThreadState, raised: Raised) -> PyResult<()> {
    if !ts.raised_matches(&exc::OSError) {
        return Err(raised);
    }
    let error = ts.take_raised(raised);
    let interrupted = error
        .downcast::<PyOSError>()
        .and_then(|error| error.errno.get())
        .and_then(|errno| errno.downcast::<PyInt>().and_then(PyInt::as_i64))
        == Some(libc::EINTR.into());
    if interrupted {
        return Ok(());
    }
    Err(ts.restore_raised(error))
}

/// Calls a method, again after each interruption by a signal.
pub fn call_uninterrupted(ts: &ThreadState, object: &PyObject, name: &PyStr, arguments: &[&PyObject]) -> PyResult {
    loop {
        match call::call_method(ts, object, name, arguments) {
            Ok(result) => return Ok(result),
            Err(raised) => trap_interruption(ts, raised)?,
        }
    }
}

/// A view of an object's memory, for handing to a `readinto` or `write`.
pub fn memory_view(ts: &ThreadState, object: &PyObject) -> PyResult {
    memoryview::from_object_with_flags(ts, object, buffer::FULL_RO)
}

/// The contiguous bytes to be written of an argument; TypeError for a str and whatever else is none.
pub fn writable_bytes(ts: &ThreadState, object: &PyObject) -> PyResult<Buffer> {
    Buffer::get(ts, object, buffer::SIMPLE)
}

/// The writable memory of a `readinto` argument.
///
/// `argument` says in errors which one it is.
pub fn readinto_buffer(ts: &ThreadState, argument: &str, object: &PyObject) -> PyResult<Buffer> {
    match Buffer::get(ts, object, buffer::WRITABLE) {
        Ok(buffer) => Ok(buffer),
        Err(raised) => {
            if !ts.raised_matches(&exc::TypeError) && !ts.raised_matches(&exc::BufferError) {
                return Err(raised);
            }
            ts.clear_raised(raised);
            raise!(ts, exc::TypeError, "{argument} must be read-write bytes-like object, not {}", object.type_name())
        }
    }
}

/// Makes a bytes object of the first `len` bytes that `fill` has written into `capacity`.
pub fn bytes_filled(
    ts: &ThreadState,
    capacity: usize,
    fill: impl FnOnce(*mut u8) -> PyResult<Option<usize>>,
) -> PyResult<Option<Ref<PyBytes>>> {
    if capacity < 2 {
        // There are statics for these.
        let mut byte = [0u8];
        let filled = fill(byte.as_mut_ptr())?;
        return filled.map(|count| PyBytes::new(ts, &byte[..count.min(capacity)])).transpose();
    }
    // SAFETY: the object is cut to what has been written before anyone sees it.
    let made = unsafe { PyBytes::uninit(ts, capacity)? };
    let Some(count) = fill(made.data_ptr())? else { return Ok(None) };
    debug_assert!(count <= capacity);
    if count < 2 {
        // SAFETY: so many bytes are written.
        let bytes = unsafe { core::slice::from_raw_parts(made.data_ptr(), count) };
        return PyBytes::new(ts, bytes).map(Some);
    }
    // SAFETY: the object is exact, no static, and nobody else has it.
    unsafe { PyBytes::resize(ts, made, count).map(Some) }
}

/// `repr` for messages and the `<_io.Name name='…'>` forms: `name` of the object when it has a usable one.
pub fn name_for_repr(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    match attr::get_opt(ts, object, id!(name)) {
        Ok(name) => Ok(name),
        Err(raised) if ts.raised_matches(&exc::ValueError) => {
            ts.clear_raised(raised);
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// "cannot pickle": for `__reduce__`, `__reduce_ex__` and `__getstate__` of whatever holds a descriptor.
pub fn cannot_pickle(ts: &ThreadState, this: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "cannot pickle '{}' instances", this.ob_type().name())
}

/// [`cannot_pickle`] as a method with an argument.
pub fn cannot_pickle_protocol(ts: &ThreadState, this: &PyObject, _protocol: &PyObject) -> PyResult {
    cannot_pickle(ts, this)
}

/// Tells the collector of a new object, when its type is collected.
pub fn track(ts: &ThreadState, object: &PyObject) {
    if object.ob_type().is_gc() {
        gc::track_in(ts, object);
    }
}

/// Whether the object is exactly of that native type.
#[inline(always)]
pub fn is_exactly(object: &PyObject, typ: &'static StaticType) -> bool {
    core::ptr::eq(object.ob_type(), &raw const typ.object)
}

/// The base part of any object of this folder.
#[inline(always)]
pub fn base_of(object: &PyObject) -> &PyIOBase {
    object.cast()
}

/// The content of a slot that is always filled while the object is usable.
pub fn filled(ts: &ThreadState, slot: &Slot<PyObject>) -> PyResult {
    match slot.get() {
        Some(object) => Ok(object),
        None => raise!(ts, exc::ValueError, "I/O operation on uninitialized object"),
    }
}

/// The system's last error.
pub fn last_error() -> i32 {
    // SAFETY: the place is this thread's own.
    unsafe { *libc::__errno_location() }
}

/// A system call that may block: other threads would run meanwhile, and after a signal its handler runs
/// and the call is tried again. `None` when the descriptor would have blocked.
pub fn system_call(ts: &ThreadState, mut f: impl FnMut() -> isize) -> PyResult<Option<usize>> {
    loop {
        let (result, error) = blocking(ts, || (f(), last_error()));
        if result >= 0 {
            return Ok(Some(result as usize));
        }
        match error {
            libc::EINTR => crate::lifecycle::pending::signals(ts)?,
            libc::EAGAIN => return Ok(None),
            errno => return Err(exc::raise_os_error(ts, errno, None)),
        }
    }
}

/// Reads up to `len` bytes from a descriptor into memory that stays valid; 0 at the end of the file.
pub fn read_fd(ts: &ThreadState, fd: i32, place: *mut u8, len: usize) -> PyResult<Option<usize>> {
    let len = len.min(SYSTEM_MAX);
    // SAFETY: the caller's memory has room for so many bytes.
    system_call(ts, || unsafe { libc::read(fd, place.cast(), len) })
}

/// Writes to a descriptor; tells how much.
pub fn write_fd(ts: &ThreadState, fd: i32, bytes: &[u8]) -> PyResult<Option<usize>> {
    let len = bytes.len().min(SYSTEM_MAX);
    // SAFETY: the slice has so many bytes.
    system_call(ts, || unsafe { libc::write(fd, bytes.as_ptr().cast(), len) })
}
