//! `PyStatus`: the one error type of everything that happens before there is a thread state.
//!
//! Inside the runtime it is the `Err` of a [`StatusResult`]; a success is `Ok(())` and becomes a status of
//! type OK only where a C function returns it.

use core::ffi::{CStr, c_char, c_int};
use core::{fmt, ptr};

use hognose_allocators::NoMemory;

use super::output::{Lossy, Output};

/// What an operation before initialization gives: a value, or the error or exit that ends it.
pub type StatusResult<T = ()> = Result<T, PyStatus>;

const OK: c_int = 0;
const ERROR: c_int = 1;
const EXIT: c_int = 2;

/// The text of every out-of-memory status.
const NO_MEMORY: &CStr = c"memory allocation failed";

/// Success, an error with its text, or the wish to exit with a code; passed by value.
///
/// The texts are not owned: they are static, or belong to the C program that made the status.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyStatus {
    _type: c_int,
    func: *const c_char,
    err_msg: *const c_char,
    exitcode: c_int,
}

const _: () = assert!(size_of::<PyStatus>() == 32);
const _: () = assert!(core::mem::offset_of!(PyStatus, exitcode) == 24);

impl PyStatus {
    /// Success.
    pub const fn ok() -> Self {
        Self { _type: OK, func: ptr::null(), err_msg: ptr::null(), exitcode: 0 }
    }

    /// An error that no particular function raised.
    pub const fn error(message: &'static CStr) -> Self {
        Self { _type: ERROR, func: ptr::null(), err_msg: message.as_ptr(), exitcode: 0 }
    }

    /// An error raised by the step that CPython names `func`.
    pub const fn error_in(func: &'static CStr, message: &'static CStr) -> Self {
        Self { _type: ERROR, func: func.as_ptr(), err_msg: message.as_ptr(), exitcode: 0 }
    }

    /// An allocation failed.
    pub const fn no_memory() -> Self {
        Self::error(NO_MEMORY)
    }

    /// An allocation failed in the step that CPython names `func`.
    pub const fn no_memory_in(func: &'static CStr) -> Self {
        Self::error_in(func, NO_MEMORY)
    }

    /// The program is to end with `exitcode`, which may be 0 or negative.
    pub const fn exit(exitcode: c_int) -> Self {
        Self { _type: EXIT, func: ptr::null(), err_msg: ptr::null(), exitcode }
    }

    /// An error whose text belongs to a C program.
    ///
    /// # Safety
    ///
    /// `message` is null, or a NUL-terminated string that lives as long as the status and its copies.
    pub const unsafe fn error_from_c(message: *const c_char) -> Self {
        Self { _type: ERROR, func: ptr::null(), err_msg: message, exitcode: 0 }
    }

    /// Neither an error nor an exit.
    pub const fn is_ok(&self) -> bool {
        self._type == OK
    }

    /// An error.
    pub const fn is_error(&self) -> bool {
        self._type == ERROR
    }

    /// A wish to exit.
    pub const fn is_exit(&self) -> bool {
        self._type == EXIT
    }

    /// The exit code of an exit status, else 0.
    pub const fn exitcode(&self) -> c_int {
        self.exitcode
    }

    /// The function that raised the error, when one is named.
    pub fn func(&self) -> Option<&CStr> {
        text(self.func)
    }

    /// The error's text; `None` for other statuses.
    pub fn message(&self) -> Option<&CStr> {
        text(self.err_msg)
    }

    /// The status as a result: an OK status is `Ok`.
    pub fn into_result(self) -> StatusResult {
        if self.is_ok() { Ok(()) } else { Err(self) }
    }

    /// The status that a C function returns for `result`.
    pub fn from_result(result: StatusResult) -> Self {
        match result {
            Ok(()) => Self::ok(),
            Err(status) => status,
        }
    }
}

/// A text of a status, read for as long as the status is borrowed.
fn text<'a>(pointer: *const c_char) -> Option<&'a CStr> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the constructors accept only null, `&'static CStr`, or (`error_from_c`) a string whose
    // owner promised that it outlives the status; the callers borrow the status for the result's life.
    Some(unsafe { CStr::from_ptr(pointer) })
}

impl From<NoMemory> for PyStatus {
    fn from(_: NoMemory) -> Self {
        Self::no_memory()
    }
}

impl fmt::Display for PyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exit() {
            return write!(f, "exit code {}", self.exitcode);
        }
        if let Some(func) = self.func() {
            write!(f, "{}: ", Lossy(func.to_bytes()))?;
        }
        match self.message() {
            Some(message) => write!(f, "{}", Lossy(message.to_bytes())),
            None if self.is_ok() => f.write_str("ok"),
            None => f.write_str("unknown error"),
        }
    }
}

impl fmt::Debug for PyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PyStatus({self})")
    }
}

/// Ends the process as `status` says: an exit with its code, an error with a report on stderr and code 1.
///
/// A status that is neither is a mistake of the caller; it ends by `abort`. `state` is the runtime's
/// state for the report's second line, such as `preinitialized`.
pub fn exit_with(status: PyStatus, state: &str) -> ! {
    let known = status.is_exit() || status.is_error();
    let code = report(status, state);
    if known {
        // SAFETY: `exit` may be called at any time by a thread that holds no lock of the C library.
        unsafe { libc::exit(code) }
    }
    // SAFETY: `abort` has no precondition.
    unsafe { libc::abort() }
}

/// Writes the report of a status that is no exit to stderr; the exit status that it stands for.
pub fn report(status: PyStatus, state: &str) -> i32 {
    use fmt::Write;

    if status.is_exit() {
        return status.exitcode;
    }
    let mut stderr = Output::stderr();
    // A report that cannot be written has nobody left to be reported to.
    let _ = if status.is_error() {
        writeln!(stderr, "Fatal Python error: {status}\nPython runtime state: {state}\n")
    } else {
        writeln!(
            stderr,
            "Fatal Python error: Py_ExitStatusException: the status is neither an error nor an exit\n\
             Python runtime state: {state}\n"
        )
    };
    stderr.flush();
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_constructor_gives_its_type() {
        assert!(PyStatus::ok().is_ok() && !PyStatus::ok().is_error() && !PyStatus::ok().is_exit());
        assert!(PyStatus::error(c"x").is_error());
        assert!(PyStatus::no_memory().is_error());
        assert!(PyStatus::exit(0).is_exit() && !PyStatus::exit(0).is_error());
        assert_eq!(PyStatus::exit(-3).exitcode(), -3);
    }

    #[test]
    fn texts_are_kept_by_pointer() {
        let status = PyStatus::error_in(c"step", c"it failed");
        assert_eq!(status.func(), Some(c"step"));
        assert_eq!(status.message(), Some(c"it failed"));
        assert_eq!(std::format!("{status}"), "step: it failed");
        assert_eq!(PyStatus::no_memory().message(), Some(c"memory allocation failed"));
        assert_eq!(PyStatus::no_memory().func(), None);
        assert_eq!(PyStatus::exit(2).message(), None);
    }

    #[test]
    fn results_and_statuses_convert_both_ways() {
        assert!(PyStatus::from_result(Ok(())).is_ok());
        assert!(PyStatus::ok().into_result().is_ok());
        let back = PyStatus::exit(2).into_result().unwrap_err();
        assert_eq!(back.exitcode(), 2);
    }
}
