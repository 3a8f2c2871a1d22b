//! `select`: waiting for descriptors, in the three ways that the system has.

mod epoll;
mod poll;

use hognose_allocators::collections::TryVec;

use crate::lifecycle::pending;
use crate::modules::ModuleSpec;
use crate::modules::posix::path::file_descriptor;
use crate::modules::posix::system::{blocking, errno, os_error};
use crate::modules::time::convert::{self, Round};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "select",
    doc: "Waiting until descriptors are ready: select(), poll() and epoll().",
    methods: &[
        MethodDef::positional(
            "select",
            select,
            "select($module, rlist, wlist, xlist, timeout=None, /)\n--\n\nWait until one of the descriptors is ready: those to read from, those to write to, those with\nsomething exceptional. The result is the ready ones of each list; all empty after the timeout.",
        ),
        MethodDef::no_args(
            "poll",
            poll::new,
            "poll($module, /)\n--\n\nAn object that waits for the descriptors registered with it.",
        ),
    ],
    types: &[&epoll::EPOLL_TYPE],
    exec: Some(exec),
};

static CONSTANTS: &[(&str, i64)] = &[
    ("PIPE_BUF", libc::PIPE_BUF as i64),
    ("POLLIN", libc::POLLIN as i64),
    ("POLLPRI", libc::POLLPRI as i64),
    ("POLLOUT", libc::POLLOUT as i64),
    ("POLLERR", libc::POLLERR as i64),
    ("POLLHUP", libc::POLLHUP as i64),
    ("POLLNVAL", libc::POLLNVAL as i64),
    ("POLLRDNORM", libc::POLLRDNORM as i64),
    ("POLLRDBAND", libc::POLLRDBAND as i64),
    ("POLLWRNORM", libc::POLLWRNORM as i64),
    ("POLLWRBAND", libc::POLLWRBAND as i64),
    ("POLLMSG", 0x400),
    ("POLLRDHUP", libc::POLLRDHUP as i64),
    ("EPOLLIN", libc::EPOLLIN as i64),
    ("EPOLLOUT", libc::EPOLLOUT as i64),
    ("EPOLLPRI", libc::EPOLLPRI as i64),
    ("EPOLLERR", libc::EPOLLERR as i64),
    ("EPOLLHUP", libc::EPOLLHUP as i64),
    ("EPOLLRDHUP", libc::EPOLLRDHUP as i64),
    ("EPOLLET", 1 << 31),
    ("EPOLLONESHOT", libc::EPOLLONESHOT as i64),
    ("EPOLLEXCLUSIVE", libc::EPOLLEXCLUSIVE as i64),
    ("EPOLLWAKEUP", libc::EPOLLWAKEUP as i64),
    ("EPOLLRDNORM", libc::EPOLLRDNORM as i64),
    ("EPOLLRDBAND", libc::EPOLLRDBAND as i64),
    ("EPOLLWRNORM", libc::EPOLLWRNORM as i64),
    ("EPOLLWRBAND", libc::EPOLLWRBAND as i64),
    ("EPOLLMSG", libc::EPOLLMSG as i64),
    ("EPOLL_CLOEXEC", libc::EPOLL_CLOEXEC as i64),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &poll::POLL_TYPE)?;
    module.add(ts, "error", exc::OSError.as_object())?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// A timeout, and when it is over.
pub(super) struct Timeout {
    /// In nanoseconds; None waits for ever.
    pub rest: Option<i64>,
    end: i64,
}

impl Timeout {
    /// None waits for ever.
    pub fn new(ts: &ThreadState, nanoseconds: Option<i64>) -> PyResult<Timeout> {
        let end = match nanoseconds {
            Some(nanoseconds) if nanoseconds > 0 => crate::modules::time::monotonic(ts)?.saturating_add(nanoseconds),
            _ => 0,
        };
        Ok(Timeout { rest: nanoseconds, end })
    }

    /// After an interruption: whether there is time left.
    pub fn go_on(&mut self, ts: &ThreadState) -> PyResult<bool> {
        if self.rest.is_some() {
            let rest = self.end - crate::modules::time::monotonic(ts)?;
            self.rest = Some(rest.max(0));
            return Ok(rest > 0);
        }
        Ok(true)
    }

    /// In milliseconds, rounded up; -1 for ever.
    pub fn milliseconds(&self) -> i32 {
        match self.rest {
            None => -1,
            Some(rest) => ((rest + 999_999) / 1_000_000).clamp(0, i32::MAX.into()) as i32,
        }
    }
}

/// The objects of one of the lists, with their descriptors.
struct Watched {
    objects: TryVec<PyRef>,
    fds: TryVec<i32>,
    set: libc::fd_set,
}

impl Watched {
    fn new(ts: &ThreadState, sequence: &PyObject, highest: &mut i32) -> PyResult<Watched> {
        if !protocol::is_iterable(sequence) {
            return raise!(ts, exc::TypeError, "arguments 1-3 must be sequences");
        }
        // A list is looked at as it is at each step: asking for descriptors may change it.
        let list = sequence.downcast::<PyList>();
        let items = if list.is_some() { PyTuple::empty() } else { protocol::tuple_of(ts, sequence)? };
        // SAFETY: a set of bits, none set.
        let mut watched = Watched { objects: TryVec::new(), fds: TryVec::new(), set: unsafe { core::mem::zeroed() } };
        for index in 0.. {
            let next = match list {
                Some(list) => list.get(index),
                None => items.get(index).map(AsObject::new_ref),
            };
            let Some(item) = next else { break };
            let fd = file_descriptor(ts, &item)?;
            if fd as usize >= libc::FD_SETSIZE {
                return raise!(ts, exc::ValueError, "filedescriptor out of range in select()");
            }
            // SAFETY: within the set.
            unsafe { libc::FD_SET(fd, &raw mut watched.set) };
            *highest = (*highest).max(fd);
            watched.objects.try_push(item)?;
            watched.fds.try_push(fd)?;
        }
        Ok(watched)
    }

    fn ready(&self, ts: &ThreadState, set: &libc::fd_set) -> PyResult {
        let list = PyList::new(ts)?;
        for (object, fd) in self.objects.iter().zip(self.fds.iter()) {
            // SAFETY: within the set.
            if unsafe { libc::FD_ISSET(*fd, set) } {
                list.append(ts, object.clone())?;
            }
        }
        Ok(list.into_object())
    }
}

fn select(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "select", args.len(), 3, 4)?;
    let timeout = match args.get(3).copied().unwrap_or(none()) {
        timeout if is_none(timeout) => None,
        timeout => {
            if !protocol::is_number(timeout) {
                return raise!(ts, exc::TypeError, "timeout must be a float or None");
            }
            let timeout = convert::nanoseconds(ts, timeout, Round::AwayFromZero)?;
            if timeout < 0 {
                return raise!(ts, exc::ValueError, "timeout must be non-negative");
            }
            Some(timeout)
        }
    };
    let mut highest = -1;
    let read = Watched::new(ts, args[0], &mut highest)?;
    let write = Watched::new(ts, args[1], &mut highest)?;
    let except = Watched::new(ts, args[2], &mut highest)?;
    let mut timeout = Timeout::new(ts, timeout)?;
    loop {
        let (mut r, mut w, mut x) = (read.set, write.set, except.set);
        let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
        let at = match timeout.rest {
            Some(rest) => {
                time.tv_sec = rest / convert::NANOS;
                time.tv_usec = (rest % convert::NANOS + 999) / 1000;
                if time.tv_usec == 1_000_000 {
                    time.tv_sec += 1;
                    time.tv_usec = 0;
                }
                &raw mut time
            }
            None => core::ptr::null_mut(),
        };
        // SAFETY: the sets are whole, the time is null or whole.
        let (status, error) = blocking(ts, || unsafe {
            let status = libc::select(highest + 1, &raw mut r, &raw mut w, &raw mut x, at);
            (status, errno())
        });
        if status < 0 {
            if error != libc::EINTR {
                return Err(os_error(ts, error));
            }
            pending::signals(ts)?;
            if timeout.go_on(ts)? {
                continue;
            }
        }
        if status <= 0 {
            // SAFETY: sets of bits, none set.
            (r, w, x) = unsafe { (core::mem::zeroed(), core::mem::zeroed(), core::mem::zeroed()) };
        }
        let lists = [read.ready(ts, &r)?, write.ready(ts, &w)?, except.ready(ts, &x)?];
        return Ok(PyTuple::from_array(ts, lists)?.into_object());
    }
}
