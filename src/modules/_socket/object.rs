//! The socket type: its life, options, connecting.

use core::cell::Cell;

use super::address::Address;
use super::wait::{self, Failure, Wait};
use super::{audit, message, timeout_object, transfer};
use crate::modules::posix::system::{blocking, errno, int_or, os_error, parse, set_errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A socket.
#[repr(C)]
pub struct PySocket {
    ob_base: PyObject,
    /// -1 once it is closed.
    pub(super) fd: Cell<i32>,
    pub(super) family: Cell<i32>,
    pub(super) kind: Cell<i32>,
    pub(super) proto: Cell<i32>,
    /// In nanoseconds, -1 for none.
    pub(super) timeout: Cell<i64>,
}
crate::native!(PySocket, SOCKET_TYPE);

/// `_socket.socket`.
pub(super) static SOCKET_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_socket.socket",
    basicsize: size_of::<PySocket>(),
    flags: flags::BASETYPE,
    doc: "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\nsocket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\nOpen a socket of an address family, a type and a protocol; or take over a descriptor, which\nis asked for what is not given.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        finalize: Some(finalize),
        repr: Some(repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "_accept",
            accept,
            "_accept() -> (integer, address info)\n\nWait for a connection; the result is its descriptor and the other's address.",
        ),
        MethodDef::one("bind", bind, "bind(address)\n\nGive the socket a local address."),
        MethodDef::no_args("close", close, "close()\n\nClose the socket."),
        MethodDef::one("connect", connect, "connect(address)\n\nConnect the socket to another address."),
        MethodDef::one(
            "connect_ex",
            connect_ex,
            "connect_ex(address) -> errno\n\nLike connect(address), but with an error number for the system's errors.",
        ),
        MethodDef::no_args(
            "detach",
            detach,
            "detach()\n\nClose the object without closing the descriptor, which is returned.",
        ),
        MethodDef::no_args(
            "fileno",
            |ts, this| PyInt::from_i64(ts, this.cast::<PySocket>().fd.get().into()),
            "fileno() -> integer\n\nThe descriptor.",
        ),
        MethodDef::no_args(
            "getpeername",
            getpeername,
            "getpeername() -> address info\n\nThe address of the other side.",
        ),
        MethodDef::no_args("getsockname", getsockname, "getsockname() -> address info\n\nThe local address."),
        MethodDef::positional(
            "getsockopt",
            getsockopt,
            "getsockopt(level, option[, buffersize]) -> value\n\nAn option's value: an int, or so many bytes.",
        ),
        MethodDef::positional(
            "setsockopt",
            setsockopt,
            "setsockopt(level, option, value: int)\nsetsockopt(level, option, value: buffer)\nsetsockopt(level, option, None, optlen: int)\n\nSet an option.",
        ),
        MethodDef::positional("listen", listen, "listen([backlog])\n\nLet others connect, so many waiting at most."),
        MethodDef::one("setblocking", setblocking, "setblocking(flag)\n\nTrue: wait for ever. False: do not wait."),
        MethodDef::no_args(
            "getblocking",
            |_, this| Ok(py_bool(this.cast::<PySocket>().timeout.get() != 0)),
            "getblocking()\n\nWhether operations wait.",
        ),
        MethodDef::one(
            "settimeout",
            settimeout,
            "settimeout(timeout)\n\nHow long operations wait, in seconds; None: for ever.",
        ),
        MethodDef::no_args(
            "gettimeout",
            gettimeout,
            "gettimeout() -> timeout\n\nHow long operations wait, in seconds; None: for ever.",
        ),
        MethodDef::one(
            "shutdown",
            shutdown,
            "shutdown(flag)\n\nEnd reading (SHUT_RD), writing (SHUT_WR) or both (SHUT_RDWR).",
        ),
        MethodDef::positional(
            "recv",
            transfer::recv,
            "recv(buffersize[, flags]) -> data\n\nReceive so many bytes at most.",
        ),
        MethodDef::keywords(
            "recv_into",
            transfer::recv_into,
            "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nReceive into a buffer.",
        ),
        MethodDef::positional(
            "recvfrom",
            transfer::recvfrom,
            "recvfrom(buffersize[, flags]) -> (data, address info)\n\nReceive so many bytes at most, with the sender's address.",
        ),
        MethodDef::keywords(
            "recvfrom_into",
            transfer::recvfrom_into,
            "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\nReceive into a buffer, with the sender's address.",
        ),
        MethodDef::positional(
            "send",
            transfer::send,
            "send(data[, flags]) -> count\n\nSend data; the result is how much of it was sent.",
        ),
        MethodDef::positional("sendall", transfer::sendall, "sendall(data[, flags])\n\nSend all of the data."),
        MethodDef::positional(
            "sendto",
            transfer::sendto,
            "sendto(data[, flags], address) -> count\n\nSend data to an address.",
        ),
        MethodDef::positional(
            "recvmsg",
            message::recvmsg,
            "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceive data and ancillary data.",
        ),
        MethodDef::positional(
            "recvmsg_into",
            message::recvmsg_into,
            "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nReceive data into several buffers, and ancillary data.",
        ),
        MethodDef::positional(
            "sendmsg",
            message::sendmsg,
            "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSend data from several buffers, and ancillary data.",
        ),
        MethodDef::keywords(
            "sendmsg_afalg",
            message::sendmsg_afalg,
            "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\nSend an operation's parameters and data to the kernel's cryptography.",
        ),
    ],
    getset: &[
        GetSetDef::get(
            "family",
            |ts, this| PyInt::from_i64(ts, this.cast::<PySocket>().family.get().into()),
            "the socket family",
        ),
        GetSetDef::get(
            "type",
            |ts, this| PyInt::from_i64(ts, this.cast::<PySocket>().kind.get().into()),
            "the socket type",
        ),
        GetSetDef::get(
            "proto",
            |ts, this| PyInt::from_i64(ts, this.cast::<PySocket>().proto.get().into()),
            "the socket protocol",
        ),
        GetSetDef::get("timeout", gettimeout, "the socket timeout"),
    ],
    ..TypeSpec::EMPTY
});

fn of(this: &PyObject) -> &PySocket {
    this.cast::<PySocket>()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _: Args<'_>) -> PyResult {
    let socket = alloc::object::<PySocket>(ts, typ)?;
    socket.fd.set(-1);
    socket.timeout.set(-1);
    if typ.is_gc() {
        gc::track(ts, &*socket);
    }
    Ok(socket.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero.
    unsafe {
        let this = &*object;
        if of(this).fd.get() >= 0 && !crate::types::typ::subtype::finish(ts, this, finalize) {
            return;
        }
        if this.ob_type().is_gc() {
            gc::untrack(this);
        }
        alloc::free(ts, object);
    }
}

/// Closes a socket that was left open, and warns of it.
fn finalize(ts: &ThreadState, this: &PyObject) {
    if of(this).fd.get() < 0 {
        return;
    }
    let pending = ts.current_exception.take();
    let warned = protocol::repr(ts, this)
        .and_then(|shown| PyStr::format(ts, format_args!("unclosed {shown}")))
        .and_then(|message| {
            let category = exc::ResourceWarning.as_object();
            crate::modules::_warnings::warn_object(ts, category, message.as_object(), 1, Some(this), &[])
        });
    if let Err(raised) = warned {
        if ts.raised_matches(&exc::Warning) {
            exc::write_unraisable(ts, raised, Some("finalizing socket"), this);
        } else {
            ts.clear_raised(raised);
        }
    }
    // The warning may have shown the object to somebody who has closed it.
    let fd = of(this).fd.replace(-1);
    if fd >= 0 {
        // SAFETY: the descriptor was the object's.
        blocking(ts, || unsafe { libc::close(fd) });
    }
    ts.current_exception.set(pending);
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let socket = of(this);
    let (fd, family, kind, proto) = (socket.fd.get(), socket.family.get(), socket.kind.get(), socket.proto.get());
    let text = format_args!("<socket object, fd={fd}, family={family}, type={kind}, proto={proto}>");
    Ok(PyStr::format(ts, text)?.into_object())
}

impl PySocket {
    /// The type itself.
    pub(super) fn class() -> &'static PyTypeObject {
        &SOCKET_TYPE
    }

    /// A socket for a descriptor, which is closed when that fails.
    pub(super) fn adopt(
        ts: &ThreadState,
        typ: &PyTypeObject,
        fd: i32,
        family: i32,
        kind: i32,
        proto: i32,
    ) -> PyResult<Ref<PySocket>> {
        let made = alloc::object::<PySocket>(ts, typ).and_then(|socket| {
            socket.fd.set(-1);
            socket.set_up(ts, fd, family, kind, proto)?;
            Ok(socket)
        });
        if made.is_err() {
            // SAFETY: the descriptor is nobody's.
            unsafe { libc::close(fd) };
        }
        made
    }

    /// Fills the fields; the descriptor is the socket's when this succeeds.
    fn set_up(&self, ts: &ThreadState, fd: i32, family: i32, kind: i32, proto: i32) -> PyResult<()> {
        let timeout = if kind & libc::SOCK_NONBLOCK != 0 {
            0
        } else {
            let timeout = super::default_timeout(ts)?;
            if timeout >= 0 {
                set_nonblocking(ts, fd, true)?;
            }
            timeout
        };
        self.family.set(family);
        self.kind.set(kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC));
        self.proto.set(proto);
        self.timeout.set(timeout);
        self.fd.set(fd);
        Ok(())
    }

    fn set_timeout(&self, ts: &ThreadState, timeout: i64) -> PyResult<()> {
        self.timeout.set(timeout);
        set_nonblocking(ts, self.fd.get(), timeout >= 0)
    }
}

fn set_nonblocking(ts: &ThreadState, fd: i32, on: bool) -> PyResult<()> {
    let mut value = i32::from(on);
    // SAFETY: the number is there.
    let (status, error) = blocking(ts, || unsafe { (libc::ioctl(fd, libc::FIONBIO, &raw mut value), errno()) });
    if status < 0 { Err(os_error(ts, error)) } else { Ok(()) }
}

/// An option that is a number.
fn number_option(fd: i32, option: i32) -> Result<i32, i32> {
    let mut value = 0i32;
    let mut length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: there is room for a number.
    let status = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, (&raw mut value).cast(), &raw mut length) };
    if status < 0 { Err(errno()) } else { Ok(value) }
}

fn init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    let [family, kind, proto, fileno] = parse!(ts, args, "socket", ["family", "type", "proto", "fileno"], 0, 4, 0);
    let mut family = int_or(ts, family, -1)?;
    let mut kind = int_or(ts, kind, -1)?;
    let mut proto = int_or(ts, proto, -1)?;
    let number = |value: i32| PyInt::from_i64(ts, value.into());
    audit(ts, "socket.__new__", &[this, &*number(family)?, &*number(kind)?, &*number(proto)?])?;
    let fd = match fileno.filter(|fileno| !is_none(fileno)) {
        Some(fileno) => {
            if fileno.is_a::<PyFloat>() {
                return raise!(ts, exc::TypeError, "integer argument expected, got float");
            }
            let fd = protocol::as_i32(ts, fileno)?;
            if fd < 0 {
                return raise!(ts, exc::ValueError, "negative file descriptor");
            }
            let mut address = Address::empty();
            // SAFETY: there is room for any address.
            let status = unsafe { libc::getsockname(fd, address.as_mut_ptr(), &raw mut address.len) };
            let error = errno();
            if status < 0 && (family == -1 || error == libc::EBADF || error == libc::ENOTSOCK) {
                return Err(os_error(ts, error));
            }
            if family == -1 {
                family = address.family();
            }
            let ask = |option| number_option(fd, option).map_err(|error| os_error(ts, error));
            if kind == -1 {
                kind = ask(libc::SO_TYPE)?;
            }
            if proto == -1 {
                proto = ask(libc::SO_PROTOCOL)?;
            }
            fd
        }
        None => {
            family = if family == -1 { libc::AF_INET } else { family };
            kind = if kind == -1 { libc::SOCK_STREAM } else { kind };
            proto = if proto == -1 { 0 } else { proto };
            // SAFETY: makes a new descriptor.
            let (fd, error) =
                blocking(ts, || unsafe { (libc::socket(family, kind | libc::SOCK_CLOEXEC, proto), errno()) });
            if fd < 0 {
                return Err(os_error(ts, error));
            }
            fd
        }
    };
    let made = of(this).set_up(ts, fd, family, kind, proto);
    if made.is_err() && fileno.is_none_or(is_none) {
        // SAFETY: the descriptor is nobody's.
        unsafe { libc::close(fd) };
    }
    made
}

/// Closes a descriptor. A connection that the other side has reset is closed nevertheless.
pub(super) fn close_descriptor(ts: &ThreadState, fd: i32) -> PyResult<()> {
    // SAFETY: the caller gives the descriptor up.
    let (status, error) = blocking(ts, || unsafe { (libc::close(fd), errno()) });
    if status < 0 && error != libc::ECONNRESET { Err(os_error(ts, error)) } else { Ok(()) }
}

fn close(ts: &ThreadState, this: &PyObject) -> PyResult {
    let fd = of(this).fd.replace(-1);
    if fd >= 0 {
        close_descriptor(ts, fd)?;
    }
    Ok(ts.none())
}

fn detach(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, of(this).fd.replace(-1).into())
}

fn settimeout(ts: &ThreadState, this: &PyObject, timeout: &PyObject) -> PyResult {
    let timeout = wait::timeout_of(ts, timeout)?;
    of(this).set_timeout(ts, timeout)?;
    Ok(ts.none())
}

fn gettimeout(ts: &ThreadState, this: &PyObject) -> PyResult {
    timeout_object(ts, of(this).timeout.get())
}

fn setblocking(ts: &ThreadState, this: &PyObject, flag: &PyObject) -> PyResult {
    let blocks = protocol::is_true(ts, flag)?;
    of(this).set_timeout(ts, if blocks { -1 } else { 0 })?;
    Ok(ts.none())
}

fn accept(ts: &ThreadState, this: &PyObject) -> PyResult {
    let socket = of(this);
    let mut address = Address::empty();
    let fd = wait::call(ts, socket, Wait::Read, |fd| {
        address.len = Address::ROOM;
        // SAFETY: there is room for any address.
        unsafe { libc::accept4(fd, address.as_mut_ptr(), &raw mut address.len, libc::SOCK_CLOEXEC) as isize }
    })?;
    let made = (|| {
        let fd = PyInt::from_isize(ts, fd)?;
        let address = address.to_object(ts, fd_of(&fd), socket.proto.get())?;
        Ok(PyTuple::from_array(ts, [fd, address])?.into_object())
    })();
    if made.is_err() {
        // SAFETY: nobody has got the descriptor.
        unsafe { libc::close(fd as i32) };
    }
    made
}

fn fd_of(fd: &PyObject) -> i32 {
    fd.downcast::<PyInt>().and_then(PyInt::as_i64).unwrap_or(-1) as i32
}

fn bind(ts: &ThreadState, this: &PyObject, address: &PyObject) -> PyResult {
    let socket = of(this);
    let native = Address::from_object(ts, socket, address, "bind")?;
    audit(ts, "socket.bind", &[this, address])?;
    let fd = socket.fd.get();
    // SAFETY: a whole address.
    let (status, error) = blocking(ts, || unsafe { (libc::bind(fd, native.as_ptr(), native.len), errno()) });
    if status < 0 { Err(os_error(ts, error)) } else { Ok(ts.none()) }
}

/// Connects; waits for it when there is a timeout or when a signal interrupts.
fn connect_to(ts: &ThreadState, socket: &PySocket, address: &Address) -> Result<(), Failure> {
    let fd = socket.fd.get();
    // SAFETY: a whole address.
    let (status, error) = blocking(ts, || unsafe { (libc::connect(fd, address.as_ptr(), address.len), errno()) });
    if status >= 0 {
        return Ok(());
    }
    let timeout = socket.timeout.get();
    let waits = if error == libc::EINTR {
        crate::lifecycle::pending::signals(ts).map_err(Failure::Raised)?;
        timeout != 0
    } else {
        timeout > 0 && error == libc::EINPROGRESS
    };
    if !waits {
        return Err(Failure::Error(error));
    }
    let connected = |fd| match number_option(fd, libc::SO_ERROR) {
        Ok(0 | libc::EISCONN) => 0,
        Ok(error) | Err(error) => {
            set_errno(error);
            -1
        }
    };
    wait::call_within(ts, socket, Wait::Connect, timeout, connected).map(drop)
}

fn connect(ts: &ThreadState, this: &PyObject, address: &PyObject) -> PyResult {
    let native = Address::from_object(ts, of(this), address, "connect")?;
    audit(ts, "socket.connect", &[this, address])?;
    match connect_to(ts, of(this), &native) {
        Ok(()) => Ok(ts.none()),
        Err(failure) => failure.raise(ts),
    }
}

fn connect_ex(ts: &ThreadState, this: &PyObject, address: &PyObject) -> PyResult {
    let native = Address::from_object(ts, of(this), address, "connect_ex")?;
    audit(ts, "socket.connect", &[this, address])?;
    let error = match connect_to(ts, of(this), &native) {
        Ok(()) => 0,
        Err(Failure::Error(error)) => error,
        Err(Failure::TimedOut) => libc::EWOULDBLOCK,
        Err(Failure::Raised(raised)) => return Err(raised),
    };
    PyInt::from_i64(ts, error.into())
}

fn name_of(
    ts: &ThreadState,
    this: &PyObject,
    f: unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32,
) -> PyResult {
    let socket = of(this);
    let fd = socket.fd.get();
    let mut address = Address::empty();
    // SAFETY: there is room for any address.
    let (status, error) = blocking(ts, || unsafe { (f(fd, address.as_mut_ptr(), &raw mut address.len), errno()) });
    if status < 0 {
        return Err(os_error(ts, error));
    }
    address.to_object(ts, fd, socket.proto.get())
}

fn getsockname(ts: &ThreadState, this: &PyObject) -> PyResult {
    name_of(ts, this, libc::getsockname)
}

fn getpeername(ts: &ThreadState, this: &PyObject) -> PyResult {
    name_of(ts, this, libc::getpeername)
}

fn listen(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "listen", args.len(), 0, 1)?;
    let backlog = int_or(ts, args.first().copied(), 128)?.max(0);
    let fd = of(this).fd.get();
    // SAFETY: numbers.
    let (status, error) = blocking(ts, || unsafe { (libc::listen(fd, backlog), errno()) });
    if status < 0 { Err(os_error(ts, error)) } else { Ok(ts.none()) }
}

fn shutdown(ts: &ThreadState, this: &PyObject, how: &PyObject) -> PyResult {
    let how = protocol::as_i32(ts, how)?;
    let fd = of(this).fd.get();
    // SAFETY: numbers.
    let (status, error) = blocking(ts, || unsafe { (libc::shutdown(fd, how), errno()) });
    if status < 0 { Err(os_error(ts, error)) } else { Ok(ts.none()) }
}

fn getsockopt(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getsockopt", args.len(), 2, 3)?;
    let socket = of(this);
    let level = protocol::as_i32(ts, args[0])?;
    let option = protocol::as_i32(ts, args[1])?;
    let room = int_or(ts, args.get(2).copied(), 0)?;
    let is_vsock = socket.family.get() == libc::AF_VSOCK;
    if room == 0 {
        // The numbers of AF_VSOCK have 64 bits.
        let mut value = 0u64;
        let mut length = (if is_vsock { size_of::<u64>() } else { size_of::<i32>() }) as libc::socklen_t;
        // SAFETY: there is room for the number.
        let status =
            unsafe { libc::getsockopt(socket.fd.get(), level, option, (&raw mut value).cast(), &raw mut length) };
        if status < 0 {
            return Err(os_error(ts, errno()));
        }
        if is_vsock {
            return PyInt::from_u64(ts, value);
        }
        let bytes = value.to_ne_bytes();
        return PyInt::from_i64(ts, i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into());
    }
    if is_vsock {
        return super::error(ts, "getsockopt string buffer not allowed");
    }
    if !(1..=1024).contains(&room) {
        return super::error(ts, "getsockopt buflen out of range");
    }
    let mut value = [0u8; 1024];
    let mut length = room as libc::socklen_t;
    // SAFETY: there is room for so many bytes.
    let status =
        unsafe { libc::getsockopt(socket.fd.get(), level, option, value.as_mut_ptr().cast(), &raw mut length) };
    if status < 0 {
        return Err(os_error(ts, errno()));
    }
    Ok(PyBytes::new(ts, &value[..length as usize])?.into_object())
}

fn setsockopt(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    if !(3..=4).contains(&args.len()) {
        let bound = if args.len() < 3 { "at least 3" } else { "at most 4" };
        return raise!(ts, exc::TypeError, "setsockopt() takes {bound} arguments ({} given)", args.len());
    }
    let socket = of(this);
    let fd = socket.fd.get();
    let level = protocol::as_i32(ts, args[0])?;
    let option = protocol::as_i32(ts, args[1])?;
    let set = |value: *const u8, length: usize| -> PyResult {
        // SAFETY: the value is so long, or null.
        let status = unsafe { libc::setsockopt(fd, level, option, value.cast(), length as libc::socklen_t) };
        if status < 0 { Err(os_error(ts, errno())) } else { Ok(ts.none()) }
    };
    if args.len() == 4 {
        if !is_none(args[2]) {
            let found = args[2].type_name();
            return raise!(ts, exc::TypeError, "setsockopt() argument 3 must be None, not {found}");
        }
        let length = protocol::index(ts, args[3])?.to_i64(ts)?;
        return match u32::try_from(length) {
            Ok(length) => set(core::ptr::null(), length as usize),
            Err(_) => raise!(ts, exc::OverflowError, "optlen does not fit in an unsigned int"),
        };
    }
    if is_none(args[2]) {
        return raise!(ts, exc::TypeError, "setsockopt() takes 4 arguments when argument 3 is None (3 given)");
    }
    if protocol::is_index(args[2]) {
        let value = protocol::index(ts, args[2])?;
        if socket.family.get() == libc::AF_VSOCK {
            let bytes = value.to_u64(ts)?.to_ne_bytes();
            return set(bytes.as_ptr(), bytes.len());
        }
        let bytes = value.to_i32(ts)?.to_ne_bytes();
        return set(bytes.as_ptr(), bytes.len());
    }
    let value = bytes_like(ts, args[2])?;
    if value.len() > i32::MAX as usize {
        return raise!(ts, exc::OverflowError, "socket option is larger than {} bytes", i32::MAX);
    }
    set(value.as_ptr(), value.len())
}
