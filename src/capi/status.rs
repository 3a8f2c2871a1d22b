//! `PyStatus_*`: making and asking statuses. Declared in `initconfig.h`.

use core::ffi::{c_char, c_int};

use crate::config::PyStatus;
use crate::config::preconfig::preinitialized;
use crate::config::status;

/// A success.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_Ok() -> PyStatus {
    PyStatus::ok()
}

/// An error with a text that the caller keeps alive.
///
/// # Safety
///
/// `err_msg` is null, or a string that lives as long as the status and its copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyStatus_Error(err_msg: *const c_char) -> PyStatus {
    // SAFETY: the C interface asks the same of its caller.
    unsafe { PyStatus::error_from_c(err_msg) }
}

/// The out-of-memory error.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_NoMemory() -> PyStatus {
    PyStatus::no_memory()
}

/// The wish to exit with a code.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_Exit(exitcode: c_int) -> PyStatus {
    PyStatus::exit(exitcode)
}

/// 1 for an error.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_IsError(status: PyStatus) -> c_int {
    status.is_error().into()
}

/// 1 for an exit.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_IsExit(status: PyStatus) -> c_int {
    status.is_exit().into()
}

/// 1 for an error or an exit.
#[unsafe(no_mangle)]
pub extern "C" fn PyStatus_Exception(status: PyStatus) -> c_int {
    (status.is_error() || status.is_exit()).into()
}

/// Ends the process as the status says.
#[unsafe(no_mangle)]
pub extern "C" fn Py_ExitStatusException(status: PyStatus) -> ! {
    let state = if preinitialized().is_some() { "preinitialized" } else { "unknown" };
    status::exit_with(status, state)
}
