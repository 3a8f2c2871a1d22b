//! OSError: what the operating system refused, as the subclass that its errno asks for.

use core::cell::Cell;
use core::mem::offset_of;

use super::base::{self, PyBaseException};
use super::fields::{FLAGS, family, member};
use super::hierarchy as exc;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Raised, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, call, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{native, raise};

/// OSError.
#[repr(C)]
pub struct PyOSError {
    pub(super) base: PyBaseException,
    /// `errno`.
    pub errno: Slot<PyObject>,
    /// `strerror`.
    pub strerror: Slot<PyObject>,
    /// `filename`.
    pub filename: Slot<PyObject>,
    /// `filename2`.
    pub filename2: Slot<PyObject>,
    /// `characters_written`, -1 without.
    pub written: Cell<isize>,
}
native!(PyOSError, exc::OSError);
family!(PyOSError: errno, strerror, filename, filename2);

pub(super) const SPEC: TypeSpec = TypeSpec {
    name: c"OSError",
    basicsize: size_of::<PyOSError>(),
    flags: FLAGS,
    base: Some(&exc::Exception),
    doc: "Base class for I/O related errors.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(PyOSError::slot_dealloc),
        traverse: Some(PyOSError::slot_traverse),
        clear: Some(PyOSError::slot_clear),
        str: Some(str),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", reduce, "")],
    getset: &[
        member!(PyOSError, errno, "errno", "POSIX exception code"),
        member!(PyOSError, strerror, "strerror", "exception strerror"),
        member!(PyOSError, filename, "filename", "exception filename"),
        member!(PyOSError, filename2, "filename2", "second exception filename"),
        GetSetDef::get_set("characters_written", get_written, set_written, ""),
    ],
    dictoffset: offset_of!(PyBaseException, dict),
    ..TypeSpec::EMPTY
};

fn this(object: &PyObject) -> &PyOSError {
    debug_assert!(object.is_a::<PyOSError>());
    // SAFETY: OSError's slots and methods are called with OSErrors only.
    unsafe { &*object.as_ptr().cast::<PyOSError>() }
}

/// The subclass for an errno.
fn class_of(errno: i64) -> Option<&'static StaticType> {
    let Ok(errno) = i32::try_from(errno) else { return None };
    Some(match errno {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => &exc::BlockingIOError,
        #[allow(unreachable_patterns, reason = "the two are one on most systems")]
        libc::EWOULDBLOCK => &exc::BlockingIOError,
        libc::EPIPE | libc::ESHUTDOWN => &exc::BrokenPipeError,
        libc::ECHILD => &exc::ChildProcessError,
        libc::ECONNABORTED => &exc::ConnectionAbortedError,
        libc::ECONNREFUSED => &exc::ConnectionRefusedError,
        libc::ECONNRESET => &exc::ConnectionResetError,
        libc::EEXIST => &exc::FileExistsError,
        libc::ENOENT => &exc::FileNotFoundError,
        libc::EISDIR => &exc::IsADirectoryError,
        libc::ENOTDIR => &exc::NotADirectoryError,
        libc::EINTR => &exc::InterruptedError,
        libc::EACCES | libc::EPERM => &exc::PermissionError,
        libc::ESRCH => &exc::ProcessLookupError,
        libc::ETIMEDOUT => &exc::TimeoutError,
        _ => return None,
    })
}

/// Whether the arguments are taken in `__init__`: for a subclass with an `__init__` of its own and
/// without a `__new__`, whose arguments `__new__` cannot know.
fn init_takes_arguments(typ: &PyTypeObject) -> bool {
    let slots = typ.slots();
    slots.init.is_some_and(|f| f as usize != init as *const () as usize)
        && slots.new.is_some_and(|f| f as usize == new as *const () as usize)
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    if init_takes_arguments(typ) {
        let object = alloc::object::<PyObject>(ts, typ)?;
        this(&object).written.set(-1);
        this(&object).base.args.set(Some(PyTuple::empty()));
        gc::track(ts, &*object);
        return Ok(object);
    }
    let positional = args.no_keywords(ts, typ.name())?;
    let mut class = typ;
    if (2..=5).contains(&positional.len())
        && core::ptr::eq(typ, &*exc::OSError)
        && let Some(errno) = positional[0].downcast::<PyInt>().and_then(PyInt::as_i64)
        && let Some(subclass) = class_of(errno)
    {
        class = subclass;
    }
    let object = alloc::object::<PyObject>(ts, class)?;
    this(&object).written.set(-1);
    gc::track(ts, &*object);
    take(ts, &object, positional)?;
    Ok(object)
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    if !init_takes_arguments(object.ob_type()) {
        return Ok(());
    }
    let positional = args.no_keywords(ts, object.type_name())?;
    take(ts, object, positional)
}

/// Takes the arguments in: `(errno, strerror[, filename[, winerror[, filename2]]])`, or whatever they are.
fn take(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult<()> {
    let error = this(object);
    let mut kept = args;
    if (2..=5).contains(&args.len()) {
        let given = |index: usize| args.get(index).copied().filter(|value| !is_none(value));
        if let Some(filename) = given(2) {
            let numeric = core::ptr::eq(object.ob_type(), &*exc::BlockingIOError)
                && (protocol::is_index(filename) || filename.ob_type().slots().nb_int.is_some());
            if numeric {
                let written = written_of(ts, filename)?;
                error.written.set(written);
            } else {
                error.filename.set(Some(filename.new_ref()));
                error.filename2.set(given(4).map(|value| value.new_ref()));
                kept = &args[..2];
            }
        }
        error.errno.set(Some(args[0].new_ref()));
        error.strerror.set(Some(args[1].new_ref()));
    }
    error.base.args.set(Some(PyTuple::new(ts, kept)?));
    Ok(())
}

/// A count of characters; what does not fit is a ValueError.
fn written_of(ts: &ThreadState, value: &PyObject) -> PyResult<isize> {
    let index = protocol::index(ts, value)?;
    match index.as_i64() {
        Some(written) => Ok(written as isize),
        None => raise!(ts, exc::ValueError, "cannot fit '{}' into an index-sized integer", value.type_name()),
    }
}

fn str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    let (errno, strerror) = (error.errno.get(), error.strerror.get());
    let filename = error.filename.get();
    if filename.is_none() && (errno.is_none() || strerror.is_none()) {
        return base::str(ts, object);
    }
    let or_none = |value: Option<PyRef>| value.unwrap_or_else(|| ts.none());
    let mut text = StrBuilder::new();
    text.push_str("[Errno ")?;
    text.push_object(ts, &*or_none(errno))?;
    text.push_str("] ")?;
    text.push_object(ts, &*or_none(strerror))?;
    if let Some(filename) = filename {
        text.push_str(": ")?;
        text.push_repr(ts, &filename)?;
        if let Some(filename2) = error.filename2.get() {
            text.push_str(" -> ")?;
            text.push_repr(ts, &filename2)?;
        }
    }
    Ok(text.finish(ts)?.into_object())
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    let args = error.base.args();
    // The file names are not among the arguments any more.
    let full = match (args.items(), error.filename.get()) {
        ([errno, strerror], Some(filename)) => match error.filename2.get() {
            Some(filename2) => PyTuple::new(ts, &[errno, strerror, &filename, none(), &filename2])?,
            None => PyTuple::new(ts, &[errno, strerror, &filename])?,
        },
        _ => args,
    };
    base::reduce_with(ts, object, &full)
}

fn get_written(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).written.get() {
        -1 => raise!(ts, exc::AttributeError, "characters_written"),
        written => PyInt::from_i64(ts, written as i64),
    }
}

fn set_written(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let error = this(object);
    match value {
        Some(value) => error.written.set(written_of(ts, value)?),
        None if error.written.get() == -1 => return raise!(ts, exc::AttributeError, "characters_written"),
        None => error.written.set(-1),
    }
    Ok(())
}

/// Raises the OSError for an errno, with up to two file names (`PyErr_SetFromErrnoWithFilenameObjects`).
#[cold]
pub fn raise_os_error(ts: &ThreadState, errno: i32, filename: Option<&PyObject>) -> Raised {
    raise_os_error_with(ts, &exc::OSError, errno, filename, None)
}

/// [`raise_os_error`] of a class and with a second file name. An interruption by a signal lets its
/// handler run, whose exception goes first; that is the caller's business.
#[cold]
pub fn raise_os_error_with(
    ts: &ThreadState,
    class: &PyTypeObject,
    errno: i32,
    filename: Option<&PyObject>,
    filename2: Option<&PyObject>,
) -> Raised {
    let made = (|| {
        let number = PyInt::from_i64(ts, errno.into())?;
        let message = error_text(ts, errno)?;
        match (filename, filename2) {
            (None, _) => call::call_with(ts, class.as_object(), &[&number, message.as_object()]),
            (Some(name), None) => call::call_with(ts, class.as_object(), &[&number, message.as_object(), name]),
            (Some(name), Some(second)) => {
                let zero = PyInt::zero();
                call::call_with(ts, class.as_object(), &[&number, message.as_object(), name, zero, second])
            }
        }
    })();
    match made {
        Ok(error) => ts.raise(error),
        Err(raised) => raised,
    }
}

/// `os.strerror`.
pub(crate) fn error_text(ts: &ThreadState, errno: i32) -> PyResult<crate::object::Ref<PyStr>> {
    if errno == 0 {
        return PyStr::new(ts, "Error");
    }
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer's length is handed along; the XSI form of the function fills it.
    let status = unsafe { libc::strerror_r(errno, buffer.as_mut_ptr().cast(), buffer.len()) };
    let text = core::ffi::CStr::from_bytes_until_nul(&buffer).unwrap_or(c"");
    if status != 0 && text.is_empty() {
        return PyStr::format(ts, format_args!("Unknown error {errno}"));
    }
    PyStr::from_utf8(ts, text.to_bytes(), "surrogateescape")
}
