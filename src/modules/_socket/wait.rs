//! Timeouts: waiting until a socket is ready, and calling again what was interrupted.

use super::object::PySocket;
use crate::lifecycle::pending;
use crate::modules::posix::system::{blocking, errno, os_error};
use crate::modules::time::convert::{self, Round};
use crate::modules::time::monotonic;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Read,
    Write,
    Connect,
}

/// A timeout argument in nanoseconds, -1 for None.
pub(super) fn timeout_of(ts: &ThreadState, argument: &PyObject) -> PyResult<i64> {
    if is_none(argument) {
        return Ok(-1);
    }
    let timeout = convert::nanoseconds(ts, argument, Round::AwayFromZero)?;
    if timeout < 0 {
        return raise!(ts, exc::ValueError, "Timeout value out of range");
    }
    if timeout / 1_000_000 > i64::from(i32::MAX) {
        return raise!(ts, exc::OverflowError, "timeout doesn't fit into C timeval");
    }
    Ok(timeout)
}

#[cold]
pub(super) fn timed_out<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::TimeoutError, "timed out")
}

/// Why a call did not succeed.
pub(super) enum Failure {
    /// The error number.
    Error(i32),
    /// The time is over.
    TimedOut,
    /// A signal handler raised.
    Raised(Raised),
}

impl Failure {
    pub(super) fn raise<T>(self, ts: &ThreadState) -> PyResult<T> {
        match self {
            Failure::Error(error) => Err(os_error(ts, error)),
            Failure::TimedOut => timed_out(ts),
            Failure::Raised(raised) => Err(raised),
        }
    }
}

/// Waits until the descriptor is ready or so many nanoseconds (negative: for ever) are over. The inner error is a number.
fn poll(ts: &ThreadState, fd: i32, wait: Wait, timeout: i64) -> Result<bool, i32> {
    let events = match wait {
        Wait::Read => libc::POLLIN,
        Wait::Write => libc::POLLOUT,
        Wait::Connect => libc::POLLOUT | libc::POLLERR,
    };
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    let milliseconds = if timeout < 0 { -1 } else { ((timeout + 999_999) / 1_000_000).min(i32::MAX.into()) as i32 };
    let (count, error) = blocking(ts, || {
        // SAFETY: one whole entry.
        let count = unsafe { libc::poll(&raw mut entry, 1, milliseconds) };
        (count, errno())
    });
    if count < 0 { Err(error) } else { Ok(count > 0) }
}

/// Calls the system when the socket is ready, within a timeout in nanoseconds (negative: none), and again after
/// interruptions (PEP 475). For [`Wait::Connect`] there is always a wait first.
pub(super) fn call_within(
    ts: &ThreadState,
    socket: &PySocket,
    wait: Wait,
    timeout: i64,
    mut f: impl FnMut(i32) -> isize,
) -> Result<isize, Failure> {
    let fd = socket.fd.get();
    let mut end = None;
    'ready: loop {
        if timeout > 0 || wait == Wait::Connect {
            let mut rest = timeout;
            if timeout >= 0 {
                let now = monotonic(ts).map_err(Failure::Raised)?;
                match end {
                    None => end = Some(now + timeout),
                    Some(end) => rest = end - now,
                }
                if rest < 0 {
                    return Err(Failure::TimedOut);
                }
            }
            match poll(ts, fd, wait, rest) {
                Ok(true) => {}
                Ok(false) => return Err(Failure::TimedOut),
                Err(libc::EINTR) => {
                    pending::signals(ts).map_err(Failure::Raised)?;
                    continue;
                }
                Err(error) => return Err(Failure::Error(error)),
            }
        }
        loop {
            let (result, error) = blocking(ts, || {
                let result = f(fd);
                (result, errno())
            });
            if result >= 0 {
                return Ok(result);
            }
            if error == libc::EINTR {
                pending::signals(ts).map_err(Failure::Raised)?;
                continue;
            }
            if timeout > 0 && (error == libc::EAGAIN || error == libc::EWOULDBLOCK) {
                // It was ready for somebody else, or not really (see select(2)).
                continue 'ready;
            }
            return Err(Failure::Error(error));
        }
    }
}

/// [`call_within`] the socket's own timeout; failures are raised.
pub(super) fn call(ts: &ThreadState, socket: &PySocket, wait: Wait, f: impl FnMut(i32) -> isize) -> PyResult<isize> {
    call_within(ts, socket, wait, socket.timeout.get(), f).or_else(|failure| failure.raise(ts))
}
