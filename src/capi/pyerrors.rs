//! Exceptions. Declared in `pyerrors.h`. `PyErr_Format` and its like are in `format.rs`.

use core::ffi::{CStr, c_char, c_int};

use super::convert::{Void, bad_internal_call, exception_class, guard, name, utf8};
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{capi, capi_fast, id, raise};

/// The thread's `errno`.
pub(super) fn errno() -> c_int {
    // SAFETY: the thread's own.
    unsafe { *libc::__errno_location() }
}

/// The result of functions that raise and then return null.
pub type Nothing = Option<PyRef>;

/// The class of the raised exception, borrowed, or null.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_Occurred() -> *mut PyObject {
    let Some(ts) = ThreadState::try_current() else { return core::ptr::null_mut() };
    // SAFETY: nothing runs while the exception is looked at.
    match unsafe { ts.current_exception.borrow() } {
        Some(error) => error.ob_type().as_object().as_ptr(),
        None => core::ptr::null_mut(),
    }
}

/// Drops the raised exception.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_Clear() {
    ThreadState::current().current_exception.set(None);
}

fn set<R>(raised: Raised) -> PyResult<R> {
    Err(raised)
}

capi! {
    /// Raises a class with a value.
    fn PyErr_SetObject(ts, class: Option<&PyObject>, value: Option<&PyObject>) -> Void {
        let Some(class) = class else {
            ts.current_exception.set(None);
            return Ok(Void);
        };
        let class = exception_class(ts, class)?;
        set(ts.raise_with(class, value.unwrap_or(none())))
    }

    /// Raises a class with a message in UTF-8.
    fn PyErr_SetString(ts, class: &PyObject, message: &CStr) -> Void {
        let class = exception_class(ts, class)?;
        let text = PyStr::from_utf8(ts, message.to_bytes(), "replace")?;
        set(ts.raise_with(class, text.as_object()))
    }

    /// Raises a class without a value.
    fn PyErr_SetNone(ts, class: &PyObject) -> Void {
        set(ts.raise_type(exception_class(ts, class)?))
    }

    /// Raises MemoryError; allocates nothing.
    fn PyErr_NoMemory(ts) -> Nothing {
        set(ts.raise_no_memory())
    }

    /// TypeError for a bad argument.
    fn PyErr_BadArgument(ts) -> () {
        raise!(ts, exc::TypeError, "bad argument type for built-in operation")
    }

    /// SystemError for a bad argument of a C function.
    fn PyErr_BadInternalCall(ts) -> Void {
        raise!(ts, exc::SystemError, "bad argument to internal function")
    }

    /// The same with a place in C source.
    fn _PyErr_BadInternalCall(ts, file: &CStr, line: c_int) -> Void {
        raise!(
            ts,
            exc::SystemError,
            "{}:{line}: bad argument to internal function",
            file.to_str().unwrap_or("?")
        )
    }

    /// Whether an exception or class is one of a class or of a tuple of classes.
    fn PyErr_GivenExceptionMatches(_ts, error: Option<&PyObject>, class: Option<&PyObject>) -> bool {
        Ok(matches(error, class))
    }

    /// Whether the raised exception is one of a class or of a tuple of classes.
    fn PyErr_ExceptionMatches(ts, class: Option<&PyObject>) -> bool {
        let raised = ts.current_exception.get();
        Ok(matches(raised.as_deref(), class))
    }
}

fn matches(error: Option<&PyObject>, class: Option<&PyObject>) -> bool {
    let (Some(error), Some(class)) = (error, class) else { return false };
    if let Some(classes) = class.downcast::<PyTuple>() {
        return classes.items().iter().any(|class| matches(Some(error), Some(class)));
    }
    let of = error.downcast::<PyTypeObject>().unwrap_or_else(|| error.ob_type());
    match class.downcast::<PyTypeObject>() {
        Some(class) if of.is_subtype(&exc::BaseException) && class.is_subtype(&exc::BaseException) => {
            of.is_subtype(class)
        }
        _ => error.is(class),
    }
}

// The raised exception, taken and put back.

capi_fast! {
    /// Takes the raised exception; null when there is none.
    fn PyErr_GetRaisedException(ts) -> Option<PyRef> {
        Ok(ts.current_exception.take())
    }

    /// Puts an exception back as it is; null clears.
    fn PyErr_SetRaisedException(ts, error: Option<PyRef>) -> Void {
        ts.current_exception.set(error);
        Ok(Void)
    }

    /// The exception being handled; null when there is none.
    fn PyErr_GetHandledException(ts) -> Option<PyRef> {
        Ok(ts.handled_exception())
    }
}

/// Takes the raised exception apart; nulls when there is none.
///
/// # Safety
///
/// A thread state is attached; the places are the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_Fetch(
    class: *mut *mut PyObject,
    value: *mut *mut PyObject,
    traceback: *mut *mut PyObject,
) {
    let error = ThreadState::current().current_exception.take();
    let parts = error.map(|error| {
        let traceback = error.downcast::<PyBaseException>().and_then(|e| e.traceback.get());
        (error.ob_type().as_object().new_ref(), error, traceback)
    });
    // SAFETY: as promised.
    unsafe {
        match parts {
            Some((of, error, trace)) => {
                class.write(of.into_ptr());
                value.write(error.into_ptr());
                traceback.write(trace.map_or(core::ptr::null_mut(), PyRef::into_ptr));
            }
            None => {
                class.write(core::ptr::null_mut());
                value.write(core::ptr::null_mut());
                traceback.write(core::ptr::null_mut());
            }
        }
    }
}

capi! {
    /// Raises from the parts that `PyErr_Fetch` gave; takes the references over.
    fn PyErr_Restore(ts, class: Option<PyRef>, value: Option<PyRef>, traceback: Option<PyRef>) -> Void {
        let Some(class) = class else {
            ts.current_exception.set(None);
            return Ok(Void);
        };
        let error = exc::normalize(ts, exception_class(ts, &class)?, value.as_deref())?;
        if let Some(base) = error.downcast::<PyBaseException>() {
            base.traceback.set(traceback.filter(|t| !is_none(t)));
        }
        set(ts.restore_raised(error))
    }
}

/// Makes the value of fetched parts an instance of the class.
///
/// # Safety
///
/// A thread state is attached; the places hold owned references or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_NormalizeException(
    class: *mut *mut PyObject,
    value: *mut *mut PyObject,
    traceback: *mut *mut PyObject,
) {
    guard::<Void>("PyErr_NormalizeException", |ts| {
        // SAFETY: as promised: the references are taken out, and others are put in.
        unsafe {
            let Some(of) = PyRef::from_owned_or_null(*class) else { return Ok(Void) };
            let old = PyRef::from_owned_or_null(*value);
            class.write(core::ptr::null_mut());
            value.write(core::ptr::null_mut());
            let made = exception_class(ts, &of).and_then(|of| exc::normalize(ts, of, old.as_deref()));
            let error = match made {
                Ok(error) => error,
                // What goes wrong while the exception is made is the exception.
                Err(raised) => ts.take_raised(raised),
            };
            class.write(error.ob_type().as_object().new_ref().into_ptr());
            if !traceback.is_null() && (*traceback).is_null() {
                let trace = error.downcast::<PyBaseException>().and_then(|e| e.traceback.get());
                traceback.write(trace.map_or(core::ptr::null_mut(), PyRef::into_ptr));
            }
            value.write(error.into_ptr());
        }
        Ok(Void)
    });
}

/// The exception being handled, in parts.
///
/// # Safety
///
/// A thread state is attached; the places are the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_GetExcInfo(
    class: *mut *mut PyObject,
    value: *mut *mut PyObject,
    traceback: *mut *mut PyObject,
) {
    let error = ThreadState::current().handled_exception();
    let trace = error.as_ref().and_then(|e| e.downcast::<PyBaseException>()).and_then(|e| e.traceback.get());
    // SAFETY: as promised.
    unsafe {
        class.write(error.as_ref().map_or(core::ptr::null_mut(), |e| e.ob_type().as_object().new_ref().into_ptr()));
        traceback.write(trace.map_or(core::ptr::null_mut(), PyRef::into_ptr));
        value.write(error.map_or(core::ptr::null_mut(), PyRef::into_ptr));
    }
}

fn set_handled(ts: &ThreadState, error: Option<PyRef>) {
    // SAFETY: the top of the stack of handled exceptions lives while the thread state does.
    if let Some(info) = unsafe { ts.exc_info.get().as_ref() } {
        info.value.set(error.filter(|e| !is_none(e)));
    }
}

capi! {
    /// Says which exception is being handled; takes the references over.
    fn PyErr_SetExcInfo(ts, class: Option<PyRef>, value: Option<PyRef>, traceback: Option<PyRef>) -> Void {
        drop((class, traceback));
        set_handled(ts, value);
        Ok(Void)
    }

    /// The same, with its own reference.
    fn PyErr_SetHandledException(ts, error: Option<&PyObject>) -> Void {
        set_handled(ts, error.map(PyRef::from_borrowed));
        Ok(Void)
    }

    /// Makes the raised exception the context of one that was raised before, and raises that again.
    fn _PyErr_ChainExceptions1(ts, error: Option<PyRef>) -> Void {
        let Some(error) = error else { return Ok(Void) };
        match ts.current_exception.take() {
            Some(second) => {
                exc::set_context(&second, error);
                set(ts.restore_raised(second))
            }
            None => set(ts.restore_raised(error)),
        }
    }
}

// Reports.

/// Ends the process as SystemExit asks.
fn leave(status: c_int) -> ! {
    super::pylifecycle::exit(status)
}

/// Prints the raised exception and clears it; SystemExit ends the process.
///
/// # Safety
///
/// A thread state is attached, and an exception is raised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_PrintEx(set_sys_last_vars: c_int) {
    let mut status = None;
    guard::<Void>("PyErr_PrintEx", |ts| {
        status = crate::lifecycle::print::print_and_clear(ts, set_sys_last_vars != 0);
        Ok(Void)
    });
    if let Some(status) = status {
        leave(status);
    }
}

/// [`PyErr_PrintEx`] that sets `sys.last_exc` and its like.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyErr_Print() {
    // SAFETY: as promised.
    unsafe { PyErr_PrintEx(1) }
}

capi! {
    /// Prints an exception with its traceback to `sys.stderr`.
    fn PyErr_DisplayException(ts, error: &PyObject) -> Void {
        let traceback = error.downcast::<PyBaseException>().and_then(|e| e.traceback.get()).unwrap_or_else(|| ts.none());
        crate::lifecycle::print::display(ts, error, &traceback)?;
        Ok(Void)
    }

    /// The same from parts.
    fn PyErr_Display(ts, _class: Option<&PyObject>, value: &PyObject, traceback: Option<&PyObject>) -> Void {
        crate::lifecycle::print::display(ts, value, traceback.unwrap_or(none()))?;
        Ok(Void)
    }

    /// Reports the raised exception as one that nobody can receive, and clears it.
    fn PyErr_WriteUnraisable(ts, object: Option<&PyObject>) -> Void {
        if ts.current_exception.is_some() {
            exc::write_unraisable(ts, Raised::already_set(), None, object.unwrap_or(none()));
        }
        Ok(Void)
    }

    /// Runs the handlers of signals that have arrived.
    fn PyErr_CheckSignals(ts) -> () {
        crate::lifecycle::pending::signals(ts)
    }
}

/// Notes that SIGINT has arrived. Any thread, signal handlers too.
#[unsafe(no_mangle)]
pub extern "C" fn PyErr_SetInterrupt() {
    PyErr_SetInterruptEx(libc::SIGINT);
}

/// Notes that a signal has arrived; -1 for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn PyErr_SetInterruptEx(number: c_int) -> c_int {
    if !(1..=64).contains(&number) {
        return -1;
    }
    crate::modules::_signal::simulate(number);
    0
}

// New classes.

capi! {
    /// A new exception class `module.name`.
    fn PyErr_NewException(ts, full_name: &CStr, base: Option<&PyObject>, dict: Option<&PyObject>) -> PyRef {
        new_exception(ts, full_name, None, base, dict)
    }

    /// The same with a docstring.
    fn PyErr_NewExceptionWithDoc(
        ts, full_name: &CStr, doc: Option<&CStr>, base: Option<&PyObject>, dict: Option<&PyObject>,
    ) -> PyRef {
        new_exception(ts, full_name, doc, base, dict)
    }
}

fn new_exception(
    ts: &ThreadState,
    full_name: &CStr,
    doc: Option<&CStr>,
    base: Option<&PyObject>,
    dict: Option<&PyObject>,
) -> PyResult {
    let Some((module, class_name)) = utf8(ts, full_name)?.rsplit_once('.') else {
        return raise!(ts, exc::SystemError, "PyErr_NewException: name must be module.class");
    };
    let contents = match dict {
        None => PyDict::new(ts)?,
        Some(dict) => match dict.downcast::<PyDict>() {
            Some(dict) => Ref::from_borrowed(dict),
            None => return bad_internal_call(ts, "PyErr_NewException"),
        },
    };
    if !contents.contains_str(ts, id!(__module__))? {
        contents.set_str(ts, id!(__module__), PyStr::new(ts, module)?.as_object())?;
    }
    if let Some(doc) = doc {
        contents.set_str(ts, id!(__doc__), PyStr::from_utf8(ts, doc.to_bytes(), "strict")?.as_object())?;
    }
    match base.map(|base| (base, base.downcast::<PyTuple>())) {
        Some((_, Some(bases))) => crate::types::typ::new_class(ts, class_name, bases.items(), &contents),
        Some((base, None)) => crate::types::typ::new_class(ts, class_name, &[base], &contents),
        None => crate::types::typ::new_class(ts, class_name, &[exc::Exception.as_object()], &contents),
    }
}

// Errors of the operating system and of imports.

/// Raises OSError (or a class) for the thread's `errno`.
fn from_errno(
    ts: &ThreadState,
    class: &PyObject,
    first: Option<&PyObject>,
    second: Option<&PyObject>,
) -> PyResult<Nothing> {
    let number = errno();
    if number == libc::EINTR {
        crate::lifecycle::pending::signals(ts)?;
    }
    set(exc::raise_os_error_with(ts, exception_class(ts, class)?, number, first, second))
}

capi! {
    /// Raises for `errno`.
    fn PyErr_SetFromErrno(ts, class: &PyObject) -> Nothing {
        from_errno(ts, class, None, None)
    }

    /// Raises for `errno` with a file's name.
    fn PyErr_SetFromErrnoWithFilenameObject(ts, class: &PyObject, first: Option<&PyObject>) -> Nothing {
        from_errno(ts, class, first, None)
    }

    /// Raises for `errno` with two files' names.
    fn PyErr_SetFromErrnoWithFilenameObjects(ts, class: &PyObject, first: Option<&PyObject>, second: Option<&PyObject>) -> Nothing {
        from_errno(ts, class, first, second)
    }

    /// Raises for `errno` with a file's name as the system has it.
    fn PyErr_SetFromErrnoWithFilename(ts, class: &PyObject, filename: Option<&CStr>) -> Nothing {
        let number = errno();
        let filename = match filename {
            Some(filename) => Some(crate::types::str::codec::decode_utf8(ts, filename.to_bytes(), "surrogateescape")?),
            None => None,
        };
        // SAFETY: the thread's own; decoding may have changed it.
        unsafe { *libc::__errno_location() = number };
        from_errno(ts, class, filename.as_deref().map(AsObject::as_object), None)
    }

    /// Raises ImportError with a module's name and path.
    fn PyErr_SetImportError(ts, message: &PyObject, module: Option<&PyObject>, path: Option<&PyObject>) -> Nothing {
        import_error(ts, &exc::ImportError, message, module, path)
    }

    /// The same of a subclass.
    fn PyErr_SetImportErrorSubclass(
        ts, class: &PyObject, message: &PyObject, module: Option<&PyObject>, path: Option<&PyObject>,
    ) -> Nothing {
        let class = exception_class(ts, class)?;
        if !class.is_subtype(&exc::ImportError) {
            return raise!(ts, exc::TypeError, "expected a subclass of ImportError");
        }
        import_error(ts, class, message, module, path)
    }

    /// Adds the place of a syntax error to the raised exception.
    fn PyErr_SyntaxLocationEx(ts, filename: Option<&CStr>, line: c_int, column: c_int) -> Void {
        let filename = match filename {
            Some(filename) => Some(crate::types::str::codec::decode_utf8(ts, filename.to_bytes(), "surrogateescape")?),
            None => None,
        };
        syntax_location(ts, filename.as_deref().map(AsObject::as_object), line, column);
        Ok(Void)
    }

    /// The same.
    fn PyErr_SyntaxLocation(ts, filename: Option<&CStr>, line: c_int) -> Void {
        let filename = match filename {
            Some(filename) => Some(crate::types::str::codec::decode_utf8(ts, filename.to_bytes(), "surrogateescape")?),
            None => None,
        };
        syntax_location(ts, filename.as_deref().map(AsObject::as_object), line, -1);
        Ok(Void)
    }

    /// The same.
    fn PyErr_SyntaxLocationObject(ts, filename: Option<&PyObject>, line: c_int, column: c_int) -> Void {
        syntax_location(ts, filename, line, column);
        Ok(Void)
    }
}

fn import_error(
    ts: &ThreadState,
    class: &PyTypeObject,
    message: &PyObject,
    module: Option<&PyObject>,
    path: Option<&PyObject>,
) -> PyResult<Nothing> {
    let text = protocol::str(ts, message)?;
    let error = exc::new_import_error(ts, class, &text, module, path, None)?;
    set(ts.raise(error))
}

fn syntax_location(ts: &ThreadState, filename: Option<&PyObject>, line: c_int, column: c_int) {
    let Some(error) = ts.current_exception.take() else { return };
    let set = |attribute: &str, value: PyResult| -> PyResult<()> {
        attr::set(ts, &error, &*PyStr::intern(ts, attribute)?, &*value?)
    };
    let done = set("lineno", crate::types::int::PyInt::from_i64(ts, line.into()))
        .and_then(|()| {
            let offset =
                if column >= 0 { crate::types::int::PyInt::from_i64(ts, i64::from(column) + 1) } else { Ok(ts.none()) };
            set("offset", offset)
        })
        .and_then(|()| match filename {
            Some(filename) => set("filename", Ok(filename.new_ref())),
            None => Ok(()),
        });
    if let Err(raised) = done {
        ts.clear_raised(raised);
    }
    ts.current_exception.set(Some(error));
}

// Attributes of exceptions.

fn base<'a>(ts: &ThreadState, error: &'a PyObject) -> PyResult<&'a PyBaseException> {
    match error.downcast::<PyBaseException>() {
        Some(error) => Ok(error),
        None => bad_internal_call(ts, "PyException_GetTraceback"),
    }
}

capi! {
    /// `__traceback__`; null when there is none.
    fn PyException_GetTraceback(ts, error: &PyObject) -> Option<PyRef> {
        Ok(base(ts, error)?.traceback.get())
    }

    /// Sets `__traceback__`; None removes it.
    fn PyException_SetTraceback(ts, error: &PyObject, traceback: Option<&PyObject>) -> () {
        let error = base(ts, error)?;
        match traceback {
            Some(trace) if is_none(trace) => error.traceback.set(None),
            Some(trace) if trace.is_a::<crate::types::traceback::PyTraceback>() => error.traceback.set(Some(trace.new_ref())),
            _ => return raise!(ts, exc::TypeError, "__traceback__ must be a traceback or None"),
        }
        Ok(())
    }

    /// `__cause__`; null when there is none.
    fn PyException_GetCause(ts, error: &PyObject) -> Option<PyRef> {
        Ok(base(ts, error)?.cause.get())
    }

    /// Sets `__cause__`; takes the reference over.
    fn PyException_SetCause(ts, error: &PyObject, cause: Option<PyRef>) -> Void {
        let error = base(ts, error)?;
        error.suppress_context.set(true);
        error.cause.set(cause);
        Ok(Void)
    }

    /// `__context__`; null when there is none.
    fn PyException_GetContext(ts, error: &PyObject) -> Option<PyRef> {
        Ok(base(ts, error)?.context.get())
    }

    /// Sets `__context__`; takes the reference over.
    fn PyException_SetContext(ts, error: &PyObject, context: Option<PyRef>) -> Void {
        base(ts, error)?.context.set(context);
        Ok(Void)
    }

    /// `args`.
    fn PyException_GetArgs(ts, error: &PyObject) -> PyRef {
        Ok(base(ts, error)?.args().into_object())
    }

    /// Sets `args`.
    fn PyException_SetArgs(ts, error: &PyObject, args: &PyObject) -> Void {
        attr::set(ts, error, &*PyStr::intern(ts, "args")?, args)?;
        Ok(Void)
    }
}

/// The name of an exception class, for as long as it lives.
///
/// # Safety
///
/// `class` is a class.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyExceptionClass_Name(class: *mut PyObject) -> *const c_char {
    // SAFETY: as promised.
    unsafe { (*class).cast_unchecked::<PyTypeObject>() }.tp_name.get()
}

capi! {
    /// A UnicodeDecodeError.
    fn PyUnicodeDecodeError_Create(
        ts, encoding: &CStr, data: *const c_char, len: isize, start: isize, end: isize, reason: &CStr,
    ) -> PyRef {
        let bytes = crate::types::bytes::PyBytes::new(ts, super::bytesobject::slice_of(data.cast(), len))?;
        let start = crate::types::int::PyInt::from_isize(ts, start)?;
        let end = crate::types::int::PyInt::from_isize(ts, end)?;
        let (encoding, reason) = (name(ts, encoding)?, name(ts, reason)?);
        let args = [encoding.as_object(), bytes.as_object(), &*start, &*end, reason.as_object()];
        call::call_with(ts, exc::UnicodeDecodeError.as_object(), &args)
    }

    /// The file and line of the place of a program in its source, for messages; null when it cannot be read.
    fn PyErr_ProgramText(ts, filename: &CStr, line: c_int) -> Nothing {
        let linecache = crate::import::import_module(ts, "linecache")?;
        let filename = crate::types::str::codec::decode_utf8(ts, filename.to_bytes(), "surrogateescape")?;
        let line = crate::types::int::PyInt::from_i64(ts, line.into())?;
        let text = protocol::call_named(ts, &linecache, "getline", &[filename.as_object(), &line])?;
        Ok(text.downcast::<PyStr>().filter(|t| !t.is_empty()).map(AsObject::new_ref))
    }
}
