//! Calling the operating system: blocking calls, interruption, errors, and the arguments of calls.

use crate::lifecycle::pending;
use crate::object::{PyObject, PyResult, Raised, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;

/// Sorts a call's arguments: names of the parameters, how many are positional only, from which on they are
/// keyword only, how many are required.
macro_rules! parse {
    ($ts:expr, $args:expr, $name:literal, [$($parameter:literal),*], $positional:expr, $keyword:expr, $required:expr) => {{
        static SIGNATURE: $crate::object::Signature<{ [$($parameter),*].len() }> =
            $crate::object::Signature::new($name, [$($parameter),*], $positional, $keyword, $required);
        SIGNATURE.parse($ts, $args)?
    }};
}
pub(crate) use parse;

/// The calling thread's error number.
pub fn errno() -> i32 {
    // SAFETY: the thread's own error number is always there.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's error number.
pub fn set_errno(value: i32) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

/// Runs what may wait: other threads get the interpreter meanwhile.
#[inline]
pub fn blocking<R>(ts: &ThreadState, f: impl FnOnce() -> R) -> R {
    crate::state::attach::without_gil(ts, f)
}

/// What a system call returns: negative for a failure that `errno` explains.
pub trait Status: Copy {
    /// Whether the call has failed.
    fn failed(self) -> bool;
}

impl Status for i32 {
    fn failed(self) -> bool {
        self < 0
    }
}
impl Status for i64 {
    fn failed(self) -> bool {
        self < 0
    }
}
impl Status for isize {
    fn failed(self) -> bool {
        self < 0
    }
}

/// Calls the system, again after each interruption by a signal whose handler does not raise (PEP 475). The inner
/// error is the error number.
pub fn retry<S: Status>(ts: &ThreadState, mut f: impl FnMut() -> S) -> PyResult<Result<S, i32>> {
    loop {
        let (status, error) = blocking(ts, || {
            let status = f();
            (status, errno())
        });
        if !status.failed() {
            return Ok(Ok(status));
        }
        if error != libc::EINTR {
            return Ok(Err(error));
        }
        pending::signals(ts)?;
    }
}

/// [`retry`] with the failure as an OSError without a file name.
pub fn call<S: Status>(ts: &ThreadState, f: impl FnMut() -> S) -> PyResult<S> {
    match retry(ts, f)? {
        Ok(status) => Ok(status),
        Err(errno) => Err(os_error(ts, errno)),
    }
}

/// Calls the system once; the failure is an OSError without a file name.
pub fn once<S: Status>(ts: &ThreadState, f: impl FnOnce() -> S) -> PyResult<S> {
    let (status, error) = blocking(ts, || {
        let status = f();
        (status, errno())
    });
    if status.failed() { Err(os_error(ts, error)) } else { Ok(status) }
}

/// Raises OSError.
#[cold]
pub fn os_error(ts: &ThreadState, errno: i32) -> Raised {
    exc::raise_os_error(ts, errno, None)
}

/// An argument as a C `int`.
pub fn int(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<i32> {
    protocol::as_i32(ts, argument.unwrap_or(PyInt::zero()))
}

/// An argument as a C `int`, with a default.
pub fn int_or(ts: &ThreadState, argument: Option<&PyObject>, default: i32) -> PyResult<i32> {
    argument.map_or(Ok(default), |a| protocol::as_i32(ts, a))
}

/// An argument as an `off_t` and its like.
pub fn long(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<i64> {
    protocol::index(ts, argument.unwrap_or(PyInt::zero()))?.to_i64(ts)
}

/// An argument as a truth value, with a default.
pub fn truth(ts: &ThreadState, argument: Option<&PyObject>, default: bool) -> PyResult<bool> {
    argument.map_or(Ok(default), |a| protocol::is_true(ts, a))
}

/// An argument as a user's or group's number; -1 means "leave it". `what` is `uid` or `gid`.
pub fn id(ts: &ThreadState, argument: Option<&PyObject>, what: &str) -> PyResult<u32> {
    let argument = argument.unwrap_or(PyInt::zero());
    if !protocol::is_index(argument) {
        return raise!(ts, exc::TypeError, "{what} should be integer, not {}", argument.type_name());
    }
    let int = protocol::index(ts, argument)?;
    match int.as_i64() {
        Some(-1) => Ok(u32::MAX),
        Some(value) if value < 0 => raise!(ts, exc::OverflowError, "{what} is less than minimum"),
        Some(value) if value < i64::from(u32::MAX) => Ok(value as u32),
        None if int.sign() < 0 => raise!(ts, exc::OverflowError, "{what} is less than minimum"),
        _ => raise!(ts, exc::OverflowError, "{what} is greater than maximum"),
    }
}

/// A user's or group's number as an object: -1 for the largest.
pub fn id_object(ts: &ThreadState, id: u32) -> PyResult {
    if id == u32::MAX { PyInt::from_i64(ts, -1) } else { PyInt::from_i64(ts, id.into()) }
}

/// What functions return that return nothing.
pub fn done<S>(ts: &ThreadState, result: PyResult<S>) -> PyResult {
    result.map(|_| ts.none())
}
