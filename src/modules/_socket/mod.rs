//! `_socket`: the network as the operating system has it; `socket` is built on it.
//!
//! | file | what |
//! |---|---|
//! | `object` | the socket type: its life, options, connecting |
//! | `wait` | timeouts: waiting until a call can go on |
//! | `transfer` | receiving and sending |
//! | `message` | receiving and sending with ancillary data |
//! | `address` | addresses: Python's tuples and the system's structs |
//! | `names` | names of hosts, services and protocols |
//! | `numbers` | byte order, packed addresses, interfaces |
//! | `constants` | the numbers that have names |
//!
//! I1: whatever may wait runs inside `posix::system::blocking`, on memory that an owned reference or a buffer holds.
//! I2: a socket with a timeout is not blocking for the system; it is waited for with `poll`.

mod address;
mod constants;
mod message;
mod names;
mod numbers;
mod object;
mod transfer;
mod wait;

use crate::modules::ModuleSpec;
use crate::modules::posix::system::{errno, int_or, os_error, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_socket",
    doc: "The operating system's sockets; programs use them through socket.",
    methods: &[
        MethodDef::positional(
            "gethostbyname",
            names::gethostbyname,
            "gethostbyname(host) -> address\n\nThe IPv4 address of a host.",
        ),
        MethodDef::positional(
            "gethostbyname_ex",
            names::gethostbyname_ex,
            "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nEverything that is known of a host.",
        ),
        MethodDef::positional(
            "gethostbyaddr",
            names::gethostbyaddr,
            "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nEverything that is known of a host with an address.",
        ),
        MethodDef::no_args("gethostname", names::gethostname, "gethostname() -> string\n\nThe name of this machine."),
        MethodDef::one("sethostname", names::sethostname, "sethostname(name)\n\nName this machine."),
        MethodDef::positional(
            "getservbyname",
            names::getservbyname,
            "getservbyname(servicename[, protocolname]) -> integer\n\nThe port of a service.",
        ),
        MethodDef::positional(
            "getservbyport",
            names::getservbyport,
            "getservbyport(port[, protocolname]) -> string\n\nThe name of a port's service.",
        ),
        MethodDef::positional(
            "getprotobyname",
            names::getprotobyname,
            "getprotobyname(name) -> integer\n\nThe number of a protocol.",
        ),
        MethodDef::keywords(
            "getaddrinfo",
            names::getaddrinfo,
            "getaddrinfo(host, port [, family, type, proto, flags])\n    -> list of (family, type, proto, canonname, sockaddr)\n\nThe addresses of a host and service.",
        ),
        MethodDef::positional(
            "getnameinfo",
            names::getnameinfo,
            "getnameinfo(sockaddr, flags) --> (host, port)\n\nThe names of a host and port.",
        ),
        MethodDef::one("close", close, "close(integer) -> None\n\nClose a socket's descriptor."),
        MethodDef::one(
            "dup",
            dup,
            "dup(integer) -> integer\n\nDuplicate a socket's descriptor; the new one is not inherited.",
        ),
        MethodDef::keywords(
            "socketpair",
            socketpair,
            "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nTwo connected sockets.",
        ),
        MethodDef::one(
            "ntohs",
            numbers::ntohs,
            "ntohs($module, x, /)\n--\n\nA 16-bit number from network to host byte order.",
        ),
        MethodDef::one(
            "ntohl",
            numbers::ntohl,
            "ntohl(integer) -> integer\n\nA 32-bit number from network to host byte order.",
        ),
        MethodDef::one(
            "htons",
            numbers::htons,
            "htons($module, x, /)\n--\n\nA 16-bit number from host to network byte order.",
        ),
        MethodDef::one(
            "htonl",
            numbers::htonl,
            "htonl(integer) -> integer\n\nA 32-bit number from host to network byte order.",
        ),
        MethodDef::one(
            "inet_aton",
            numbers::inet_aton,
            "inet_aton($module, ip_addr, /)\n--\n\nAn IPv4 address in text as 4 bytes.",
        ),
        MethodDef::one(
            "inet_ntoa",
            numbers::inet_ntoa,
            "inet_ntoa($module, packed_ip, /)\n--\n\nAn IPv4 address of 4 bytes as text.",
        ),
        MethodDef::positional(
            "inet_pton",
            numbers::inet_pton,
            "inet_pton(af, ip) -> packed IP address string\n\nAn IP address in text as bytes.",
        ),
        MethodDef::positional(
            "inet_ntop",
            numbers::inet_ntop,
            "inet_ntop(af, packed_ip) -> string formatted IP address\n\nAn IP address in bytes as text.",
        ),
        MethodDef::no_args(
            "if_nameindex",
            numbers::if_nameindex,
            "if_nameindex()\n\nThe network interfaces as (index, name).",
        ),
        MethodDef::one(
            "if_nametoindex",
            numbers::if_nametoindex,
            "if_nametoindex($module, oname, /)\n--\n\nThe index of an interface.",
        ),
        MethodDef::one(
            "if_indextoname",
            numbers::if_indextoname,
            "if_indextoname(if_index)\n\nThe name of an interface.",
        ),
        MethodDef::no_args(
            "getdefaulttimeout",
            getdefaulttimeout,
            "getdefaulttimeout() -> timeout\n\nThe timeout of new sockets in seconds; None for none.",
        ),
        MethodDef::one(
            "setdefaulttimeout",
            setdefaulttimeout,
            "setdefaulttimeout(timeout)\n\nSet the timeout of new sockets in seconds; None for none.",
        ),
        MethodDef::one(
            "CMSG_LEN",
            message::cmsg_len,
            "CMSG_LEN(length) -> control message length\n\nThe length of an ancillary data item with so much data.",
        ),
        MethodDef::one(
            "CMSG_SPACE",
            message::cmsg_space,
            "CMSG_SPACE(length) -> buffer size\n\nThe room for an ancillary data item with so much data.",
        ),
    ],
    types: &[&object::SOCKET_TYPE],
    exec: Some(exec),
};

unsafe extern "C" {
    #[link_name = "inet_ntop"]
    fn c_inet_ntop(
        family: i32,
        packed: *const core::ffi::c_void,
        text: *mut core::ffi::c_char,
        room: libc::socklen_t,
    ) -> *const core::ffi::c_char;
    #[link_name = "inet_pton"]
    fn c_inet_pton(family: i32, text: *const core::ffi::c_char, packed: *mut core::ffi::c_void) -> i32;
}

/// `socket.herror`.
pub(super) static HERROR: StaticType = StaticType::new(exc::plain(c"socket.herror", &exc::OSError, ""));
/// `socket.gaierror`.
pub(super) static GAIERROR: StaticType = StaticType::new(exc::plain(c"socket.gaierror", &exc::OSError, ""));

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "SocketType", object::SOCKET_TYPE.as_object())?;
    module.add(ts, "error", exc::OSError.as_object())?;
    module.add(ts, "timeout", exc::TimeoutError.as_object())?;
    module.add_type(ts, &HERROR)?;
    module.add_type(ts, &GAIERROR)?;
    module.add(ts, "has_ipv6", &py_bool(true))?;
    for (name, value) in constants::CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// Tells the audit hooks, if there are any, what is about to happen.
fn audit(ts: &ThreadState, event: &str, args: &[&PyObject]) -> PyResult<()> {
    crate::modules::sys::auditing::event(ts, event, args)
}

/// The interpreter's state of native modules, in which the default timeout is kept in nanoseconds.
fn native_state(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    match interp.native_state.get() {
        Some(all) => Ok(all),
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            Ok(all)
        }
    }
}

const DEFAULT_TIMEOUT: &str = "_socket.defaulttimeout";

/// The timeout of new sockets in nanoseconds, -1 for none.
fn default_timeout(ts: &ThreadState) -> PyResult<i64> {
    let value = native_state(ts)?.get_str(ts, &*PyStr::intern(ts, DEFAULT_TIMEOUT)?)?;
    Ok(value.and_then(|value| value.downcast::<PyInt>().and_then(PyInt::as_i64)).unwrap_or(-1))
}

fn getdefaulttimeout(ts: &ThreadState, _: &PyObject) -> PyResult {
    timeout_object(ts, default_timeout(ts)?)
}

fn setdefaulttimeout(ts: &ThreadState, _: &PyObject, timeout: &PyObject) -> PyResult {
    let timeout = PyInt::from_i64(ts, wait::timeout_of(ts, timeout)?)?;
    native_state(ts)?.set_str(ts, &*PyStr::intern(ts, DEFAULT_TIMEOUT)?, &timeout)?;
    Ok(ts.none())
}

fn timeout_object(ts: &ThreadState, timeout: i64) -> PyResult {
    if timeout < 0 { Ok(ts.none()) } else { PyFloat::new(ts, crate::modules::time::convert::to_seconds(timeout)) }
}

/// A descriptor argument.
fn descriptor(ts: &ThreadState, argument: &PyObject) -> PyResult<i32> {
    protocol::as_i32(ts, argument)
}

fn close(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = descriptor(ts, fd)?;
    object::close_descriptor(ts, fd)?;
    Ok(ts.none())
}

fn dup(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = descriptor(ts, fd)?;
    // SAFETY: makes a new descriptor.
    let new = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if new < 0 {
        return Err(os_error(ts, errno()));
    }
    PyInt::from_i64(ts, new.into())
}

fn socketpair(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [family, kind, proto] = parse!(ts, args, "socketpair", ["family", "type", "proto"], 3, 3, 0);
    let family = int_or(ts, family, libc::AF_UNIX)?;
    let kind = int_or(ts, kind, libc::SOCK_STREAM)?;
    let proto = int_or(ts, proto, 0)?;
    let mut fds = [-1; 2];
    // SAFETY: there is room for two descriptors.
    if unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, fds.as_mut_ptr()) } < 0 {
        return Err(os_error(ts, errno()));
    }
    let second = object::PySocket::adopt(ts, object::PySocket::class(), fds[1], family, kind, proto);
    let first = object::PySocket::adopt(ts, object::PySocket::class(), fds[0], family, kind, proto);
    Ok(PyTuple::from_array(ts, [first?.into_object(), second?.into_object()])?.into_object())
}

/// The error of one of the system's functions that have numbers and messages of their own.
#[cold]
fn raise_named(ts: &ThreadState, class: &'static StaticType, code: i32, message: *const core::ffi::c_char) -> Raised {
    // SAFETY: the system's messages are static C strings.
    let message = unsafe { core::ffi::CStr::from_ptr(message) };
    let made = (|| {
        let code = PyInt::from_i64(ts, code.into())?;
        let message = PyStr::from_utf8(ts, message.to_bytes(), "surrogateescape")?;
        PyTuple::from_array(ts, [code, message.into_object()])
    })();
    match made {
        Ok(pair) => ts.raise_with(class, pair.as_object()),
        Err(raised) => raised,
    }
}

/// The error of `getaddrinfo` and `getnameinfo`.
#[cold]
fn gai_error(ts: &ThreadState, code: i32, error: i32) -> Raised {
    if code == libc::EAI_SYSTEM {
        return os_error(ts, error);
    }
    // SAFETY: any number has a message.
    raise_named(ts, &GAIERROR, code, unsafe { libc::gai_strerror(code) })
}

/// A plain OSError with a message.
#[cold]
fn error<T>(ts: &ThreadState, message: &str) -> PyResult<T> {
    raise!(ts, exc::OSError, "{message}")
}
