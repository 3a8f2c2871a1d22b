//! Functions that only old documents have, for what a configuration sets today. Declared in `pylifecycle.h`,
//! `sysmodule.h` and `ceval.h`.

use core::ffi::{c_char, c_int, c_void};

use crate::config::preset;
use crate::config::strings::{WChar, wide_length};
use crate::object::{PyObject, PyRef};
use crate::state::{InterpreterState, ThreadState};
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::{capi, raise};

/// Sets the module search path of the next initialization from a text with colons, which is copied; null takes it
/// back. `sys.prefix` and `sys.exec_prefix` become empty. Ends the process without the memory for it, as it has no
/// other way to say so.
///
/// # Safety
///
/// `path` is null or a wide string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_SetPath(path: *const WChar) {
    let text = if path.is_null() {
        None
    } else {
        // SAFETY: as promised.
        Some(unsafe { core::slice::from_raw_parts(path, wide_length(path)) })
    };
    if preset::set_path(text).is_err() {
        crate::lifecycle::fatal::fatal_error("Py_SetPath", "out of memory");
    }
}

/// The module search path as initialization has computed it, with colons; later changes of `sys.path` are not in it.
/// Null when nothing is initialized. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetPath() -> *const WChar {
    preset::joined_path()
}

/// What a frozen program defines and calls itself before initialization, to add its extension modules to the table of
/// built-in ones. The library has none to add; a program's own function takes the place of this one.
#[unsafe(no_mangle)]
pub extern "C" fn PyInitFrozenExtensions() {}

/// Sets encoding and error handler of the standard streams of the next initialization; null leaves one as it is. 0;
/// -1 when the runtime is initialized, -2 when a text cannot be decoded or there is no memory.
///
/// # Safety
///
/// Both are null or C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_SetStandardStreamEncoding(encoding: *const c_char, errors: *const c_char) -> c_int {
    if crate::lifecycle::init::is_initialized() {
        return -1;
    }
    // SAFETY: as promised.
    match unsafe { (preset::decoded(encoding), preset::decoded(errors)) } {
        (Ok(encoding), Ok(errors)) => {
            preset::set_stdio(encoding, errors);
            0
        }
        (Err(status), _) | (_, Err(status)) => status,
    }
}

/// What `PyUnstable_AtExit` takes.
pub type ExitCallback = unsafe extern "C" fn(*mut c_void);

/// Registers a call for the end of an interpreter, after Python's own `atexit` functions and its modules are gone;
/// calls are made in the order in which they were registered, with the interpreter's thread state attached. 0; -1
/// with MemoryError. Since 3.13.
///
/// # Safety
///
/// `interp` is the interpreter of the attached thread state; the function may be called with `data` until then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_AtExit(
    interp: *mut InterpreterState,
    callback: Option<ExitCallback>,
    data: *mut c_void,
) -> c_int {
    super::convert::guard::<()>("PyUnstable_AtExit", |ts| {
        let Some(callback) = callback else {
            return raise!(ts, exc::SystemError, "PyUnstable_AtExit: the function is NULL");
        };
        if !core::ptr::eq(interp, ts.interp()) {
            return raise!(ts, exc::SystemError, "PyUnstable_AtExit: not the interpreter of this thread state");
        }
        Ok(ts.interp().exit_callbacks.push(callback, data)?)
    })
}

/// Empties `sys.warnoptions`. Before initialization there is nothing that it could empty.
#[unsafe(no_mangle)]
pub extern "C" fn PySys_ResetWarnOptions() {
    let Some(ts) = ThreadState::try_current() else { return };
    let pending = ts.current_exception.take();
    let emptied = crate::object::protocol::import_attr(ts, "sys", "warnoptions").map(|options| {
        if let Some(options) = options.downcast::<PyList>() {
            options.clear(ts);
        }
    });
    if let Err(raised) = emptied {
        // Without the list there is nothing to be emptied.
        ts.clear_raised(raised);
    }
    ts.current_exception.set(pending);
}

capi! {
    /// None: calls are not counted by kind, as in a CPython that was built without it.
    fn PyEval_GetCallStats(ts, _object: Option<&PyObject>) -> PyRef {
        Ok(ts.none())
    }
}
