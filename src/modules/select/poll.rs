//! `select.poll()`.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::Timeout;
use crate::lifecycle::pending;
use crate::modules::posix::path::file_descriptor;
use crate::modules::posix::system::{blocking, errno, os_error};
use crate::modules::time::convert::{self, Round};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::{PyDict, raise_key_error};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// What waits: descriptors with the events that are waited for.
#[repr(C)]
pub struct PyPoll {
    ob_base: PyObject,
    /// Events by descriptor.
    registered: Slot<PyDict>,
    running: Cell<bool>,
}
crate::native!(PyPoll, POLL_TYPE);

/// `select.poll`, which has no name in the module.
pub static POLL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"select.poll",
    basicsize: size_of::<PyPoll>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::positional(
            "register",
            register,
            "register($self, fd, eventmask=select.POLLIN | select.POLLPRI | select.POLLOUT, /)\n--\n\nWait for events of a descriptor.",
        ),
        MethodDef::positional(
            "modify",
            modify,
            "modify($self, fd, eventmask, /)\n--\n\nWait for other events of a registered descriptor.",
        ),
        MethodDef::one(
            "unregister",
            unregister,
            "unregister($self, fd, /)\n--\n\nForget a descriptor; KeyError when it is not registered.",
        ),
        MethodDef::positional(
            "poll",
            poll,
            "poll($self, timeout=None, /)\n--\n\nWait, for so many milliseconds at most; a list of (descriptor, events).",
        ),
    ],
    ..TypeSpec::EMPTY
});

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero.
    unsafe {
        (*object).cast_unchecked::<PyPoll>().registered.set(None);
        alloc::free(ts, object);
    }
}

pub fn new(ts: &ThreadState, _: &PyObject) -> PyResult {
    let poll = alloc::exact::<PyPoll>(ts)?;
    poll.registered.set(Some(PyDict::new(ts)?));
    Ok(poll.into_object())
}

fn registered(ts: &ThreadState, this: &PyObject) -> PyResult<Ref<PyDict>> {
    match this.cast::<PyPoll>().registered.get() {
        Some(registered) => Ok(registered),
        None => PyDict::new(ts),
    }
}

/// The argument of events as the system's 16 bits.
fn events(ts: &ThreadState, argument: &PyObject) -> PyResult<u16> {
    let int = protocol::index(ts, argument)?;
    match int.as_i64() {
        Some(value) if value < 0 => raise!(ts, exc::ValueError, "value must be positive"),
        Some(value) if value <= i64::from(u16::MAX) => Ok(value as u16),
        _ => raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned short"),
    }
}

fn register(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "register", args.len(), 1, 2)?;
    let fd = file_descriptor(ts, args[0])?;
    let events = match args.get(1) {
        Some(argument) => events(ts, argument)?,
        None => (libc::POLLIN | libc::POLLPRI | libc::POLLOUT) as u16,
    };
    let (fd, events) = (PyInt::from_i64(ts, fd.into())?, PyInt::from_i64(ts, events.into())?);
    registered(ts, this)?.set(ts, &fd, &events)?;
    Ok(ts.none())
}

fn modify(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "modify", args.len(), 2, 2)?;
    let fd = PyInt::from_i64(ts, file_descriptor(ts, args[0])?.into())?;
    let events = PyInt::from_i64(ts, events(ts, args[1])?.into())?;
    let registered = registered(ts, this)?;
    if !registered.contains(ts, &fd)? {
        return Err(os_error(ts, libc::ENOENT));
    }
    registered.set(ts, &fd, &events)?;
    Ok(ts.none())
}

fn unregister(ts: &ThreadState, this: &PyObject, fd: &PyObject) -> PyResult {
    let fd = PyInt::from_i64(ts, file_descriptor(ts, fd)?.into())?;
    match registered(ts, this)?.remove(ts, &fd)? {
        Some(_) => Ok(ts.none()),
        None => Err(raise_key_error(ts, &fd)),
    }
}

fn poll(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "poll", args.len(), 0, 1)?;
    let timeout = match args.first().filter(|timeout| !is_none(timeout)) {
        None => None,
        Some(timeout) => {
            if !protocol::is_number(timeout) {
                return raise!(ts, exc::TypeError, "timeout must be an integer or None");
            }
            let timeout = convert::nanoseconds_of_milliseconds(ts, timeout, Round::AwayFromZero)?;
            if timeout / 1_000_000 > i64::from(i32::MAX) {
                return raise!(ts, exc::OverflowError, "timeout is too large");
            }
            // A negative one waits for ever.
            Some(timeout).filter(|timeout| *timeout >= 0)
        }
    };
    let mut timeout = Timeout::new(ts, timeout)?;
    let this_poll = this.cast::<PyPoll>();
    if this_poll.running.get() {
        return raise!(ts, exc::RuntimeError, "concurrent poll() invocation");
    }
    let mut fds = TryVec::<libc::pollfd>::new();
    let all = registered(ts, this)?;
    let mut position = 0;
    while let Some((fd, events)) = all.next(&mut position) {
        let (fd, events) = (fd.cast::<PyInt>().to_i32(ts)?, events.cast::<PyInt>().to_i32(ts)?);
        fds.try_push(libc::pollfd { fd, events: events as u16 as i16, revents: 0 })?;
    }
    this_poll.running.set(true);
    let status = wait(ts, &mut fds, &mut timeout);
    this_poll.running.set(false);
    let list = PyList::new(ts)?;
    if status? > 0 {
        for fd in fds.iter().filter(|fd| fd.revents != 0) {
            let pair = [PyInt::from_i64(ts, fd.fd.into())?, PyInt::from_i64(ts, i64::from(fd.revents as u16))?];
            list.append(ts, PyTuple::from_array(ts, pair)?.into_object())?;
        }
    }
    Ok(list.into_object())
}

fn wait(ts: &ThreadState, fds: &mut TryVec<libc::pollfd>, timeout: &mut Timeout) -> PyResult<i32> {
    loop {
        let milliseconds = timeout.milliseconds();
        // SAFETY: the list is as long as said.
        let (status, error) = blocking(ts, || unsafe {
            let status = libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, milliseconds);
            (status, errno())
        });
        if status >= 0 {
            return Ok(status);
        }
        if error != libc::EINTR {
            return Err(os_error(ts, error));
        }
        pending::signals(ts)?;
        if !timeout.go_on(ts)? {
            return Ok(0);
        }
    }
}
