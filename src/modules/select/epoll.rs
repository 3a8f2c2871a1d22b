//! `select.epoll`.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::Timeout;
use crate::lifecycle::pending;
use crate::modules::posix::path::file_descriptor;
use crate::modules::posix::system::{blocking, errno, int_or, os_error, parse};
use crate::modules::time::convert::{self, Round};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// A descriptor that waits for others.
#[repr(C)]
pub struct PyEpoll {
    ob_base: PyObject,
    /// -1 once it is closed.
    fd: Cell<i32>,
}
crate::native!(PyEpoll, EPOLL_TYPE);

/// `select.epoll`.
pub static EPOLL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"select.epoll",
    basicsize: size_of::<PyEpoll>(),
    flags: flags::BASETYPE,
    doc: "epoll(sizehint=-1, flags=0)\n--\n\nAn object that waits for the descriptors registered with it, inside the kernel.",
    slots: TypeSlots { new: Some(new), dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::one("fromfd", fromfd, "fromfd($type, fd, /)\n--\n\nAn epoll object for a descriptor that is one.")
            .class(),
        MethodDef::no_args(
            "close",
            close,
            "close($self, /)\n--\n\nClose the descriptor; everything else fails afterwards.",
        ),
        MethodDef::no_args("fileno", fileno, "fileno($self, /)\n--\n\nThe descriptor."),
        MethodDef::keywords(
            "register",
            register,
            "register($self, /, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT)\n--\n\nWait for events of a descriptor.",
        ),
        MethodDef::keywords(
            "modify",
            modify,
            "modify($self, /, fd, eventmask)\n--\n\nWait for other events of a registered descriptor.",
        ),
        MethodDef::keywords("unregister", unregister, "unregister($self, /, fd)\n--\n\nForget a descriptor."),
        MethodDef::keywords(
            "poll",
            poll,
            "poll($self, /, timeout=None, maxevents=-1)\n--\n\nWait, for so many seconds at most; a list of (descriptor, events).",
        ),
        MethodDef::no_args("__enter__", enter, ""),
        MethodDef::positional("__exit__", |ts, this, _| close(ts, this), ""),
    ],
    getset: &[GetSetDef::get(
        "closed",
        |_, this| Ok(py_bool(this.cast::<PyEpoll>().fd.get() < 0)),
        "True if the epoll handler is closed",
    )],
    ..TypeSpec::EMPTY
});

fn make(ts: &ThreadState, typ: &PyTypeObject, fd: i32) -> PyResult {
    let epoll = alloc::object::<PyEpoll>(ts, typ)?;
    epoll.fd.set(fd);
    if typ.is_gc() {
        gc::track(ts, &*epoll);
    }
    Ok(epoll.into_object())
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [size, flags] = parse!(ts, args, "epoll", ["sizehint", "flags"], 0, 2, 0);
    let size = int_or(ts, size, -1)?;
    let flags = int_or(ts, flags, 0)?;
    if size < -1 || size == 0 {
        return raise!(ts, exc::ValueError, "negative sizehint");
    }
    if flags != 0 && flags != libc::EPOLL_CLOEXEC {
        return raise!(ts, exc::OSError, "invalid flags");
    }
    // SAFETY: makes a new descriptor.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(os_error(ts, errno()));
    }
    make(ts, typ, fd).inspect_err(|_| {
        // SAFETY: the descriptor is nobody's.
        unsafe { libc::close(fd) };
    })
}

fn fromfd(ts: &ThreadState, class: &PyObject, fd: &PyObject) -> PyResult {
    let fd = protocol::as_i32(ts, fd)?;
    make(ts, class.cast(), fd)
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero; the descriptor is its own.
    unsafe {
        let fd = (*object).cast_unchecked::<PyEpoll>().fd.get();
        if fd >= 0 {
            libc::close(fd);
        }
        if (*object).ob_type().is_gc() {
            gc::untrack(&*object);
        }
        alloc::free(ts, object);
    }
}

/// The descriptor, when it is open.
fn open_fd(ts: &ThreadState, this: &PyObject) -> PyResult<i32> {
    match this.cast::<PyEpoll>().fd.get() {
        fd if fd >= 0 => Ok(fd),
        _ => raise!(ts, exc::ValueError, "I/O operation on closed epoll object"),
    }
}

fn enter(ts: &ThreadState, this: &PyObject) -> PyResult {
    open_fd(ts, this)?;
    Ok(this.new_ref())
}

fn close(ts: &ThreadState, this: &PyObject) -> PyResult {
    let fd = this.cast::<PyEpoll>().fd.replace(-1);
    if fd >= 0 {
        // SAFETY: the descriptor is the object's.
        let (status, error) = blocking(ts, || unsafe { (libc::close(fd), errno()) });
        if status < 0 {
            return Err(os_error(ts, error));
        }
    }
    Ok(ts.none())
}

fn fileno(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, open_fd(ts, this)?.into())
}

fn control(ts: &ThreadState, this: &PyObject, operation: i32, fd: Option<&PyObject>, events: u32) -> PyResult {
    let epoll = open_fd(ts, this)?;
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    let mut event = libc::epoll_event { events, u64: fd as u64 };
    // SAFETY: the event is whole.
    if unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) } < 0 {
        return Err(os_error(ts, errno()));
    }
    Ok(ts.none())
}

fn events_of(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<u32> {
    let Some(argument) = argument else { return Ok((libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32) };
    Ok(protocol::index(ts, argument)?.wrapping_u64() as u32)
}

fn register(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, events] = parse!(ts, args, "register", ["fd", "eventmask"], 0, 2, 1);
    control(ts, this, libc::EPOLL_CTL_ADD, fd, events_of(ts, events)?)
}

fn modify(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, events] = parse!(ts, args, "modify", ["fd", "eventmask"], 0, 2, 2);
    control(ts, this, libc::EPOLL_CTL_MOD, fd, events_of(ts, events)?)
}

fn unregister(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [fd] = parse!(ts, args, "unregister", ["fd"], 0, 1, 1);
    control(ts, this, libc::EPOLL_CTL_DEL, fd, 0)
}

fn poll(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [timeout, most] = parse!(ts, args, "poll", ["timeout", "maxevents"], 0, 2, 0);
    let epoll = open_fd(ts, this)?;
    let timeout = match timeout.filter(|timeout| !is_none(timeout)) {
        None => None,
        Some(timeout) => {
            if !protocol::is_number(timeout) {
                return raise!(ts, exc::TypeError, "timeout must be an integer or None");
            }
            let timeout = convert::nanoseconds(ts, timeout, Round::AwayFromZero)?;
            if timeout / 1_000_000 > i64::from(i32::MAX) {
                return raise!(ts, exc::OverflowError, "timeout is too large");
            }
            Some(timeout).filter(|timeout| *timeout >= 0)
        }
    };
    let most = match int_or(ts, most, -1)? {
        -1 => libc::FD_SETSIZE - 1,
        most if most < 1 => {
            return raise!(ts, exc::ValueError, "maxevents must be greater than 0, got {most}");
        }
        most => most as usize,
    };
    let mut events = TryVec::<libc::epoll_event>::new();
    events.try_reserve(most)?;
    let mut timeout = Timeout::new(ts, timeout)?;
    let count = loop {
        let milliseconds = timeout.milliseconds();
        // SAFETY: there is room for so many events.
        let (count, error) = blocking(ts, || unsafe {
            let count = libc::epoll_wait(epoll, events.as_mut_ptr(), most as i32, milliseconds);
            (count, errno())
        });
        if count >= 0 {
            break count as usize;
        }
        if error != libc::EINTR {
            return Err(os_error(ts, error));
        }
        pending::signals(ts)?;
        if !timeout.go_on(ts)? {
            break 0;
        }
    };
    // SAFETY: the call has written so many.
    unsafe { events.set_len(count) };
    let list = PyList::with_capacity(ts, count)?;
    for event in events.iter() {
        let (fd, bits) = (event.u64 as i32, event.events);
        let pair = [PyInt::from_i64(ts, fd.into())?, PyInt::from_i64(ts, bits.into())?];
        list.append(ts, PyTuple::from_array(ts, pair)?.into_object())?;
    }
    Ok(list.into_object())
}
