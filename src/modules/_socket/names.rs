//! Names of hosts, services and protocols.

use core::ffi::{CStr, c_char, c_int};

use hognose_allocators::collections::TryVec;

use super::address::{Address, hints, host_name, look_up, resolve, text_or_none};
use super::{HERROR, audit, error, gai_error, raise_named};
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{blocking, errno, int_or, os_error, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

pub(super) fn gethostname(ts: &ThreadState, _: &PyObject) -> PyResult {
    audit(ts, "socket.gethostname", &[])?;
    let mut name = [0u8; 1024];
    // SAFETY: the room is handed along, but for the NUL.
    let (status, error) =
        blocking(ts, || unsafe { (libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1), errno()) });
    if status < 0 {
        return Err(os_error(ts, error));
    }
    let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
    Ok(fs_decode(ts, name.to_bytes())?.into_object())
}

pub(super) fn sethostname(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let name = if let Some(bytes) = name.downcast::<PyBytes>() {
        TryVec::try_from_slice(bytes.as_slice())?
    } else {
        fs_encode(ts, name)?
    };
    // SAFETY: the name is so long.
    if unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } < 0 {
        return Err(os_error(ts, errno()));
    }
    Ok(ts.none())
}

pub(super) fn gethostbyname(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "gethostbyname", args.len(), 1, 1)?;
    let name = host_name(ts, args[0])?;
    audit(ts, "socket.gethostbyname", &[args[0]])?;
    let address = resolve(ts, &name, libc::AF_INET)?.to_object(ts, -1, 0)?;
    protocol::sequence_item(ts, &address, 0)
}

unsafe extern "C" {
    fn gethostbyname_r(
        name: *const c_char,
        result: *mut libc::hostent,
        buffer: *mut c_char,
        room: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
    fn gethostbyaddr_r(
        address: *const core::ffi::c_void,
        length: libc::socklen_t,
        family: c_int,
        result: *mut libc::hostent,
        buffer: *mut c_char,
        room: usize,
        found: *mut *mut libc::hostent,
        error: *mut c_int,
    ) -> c_int;
}

/// Looks a host up with as much room as it needs, and makes (name, aliases, addresses) of it.
fn host_entry(
    ts: &ThreadState,
    f: impl Fn(*mut libc::hostent, *mut c_char, usize, *mut *mut libc::hostent, *mut c_int) -> c_int,
) -> PyResult {
    // SAFETY: null pointers and numbers.
    let mut host = unsafe { core::mem::zeroed::<libc::hostent>() };
    let mut buffer = TryVec::<u8>::new();
    let mut room = 16384;
    loop {
        buffer.try_reserve(room)?;
        let (mut found, mut code) = (core::ptr::null_mut(), 0);
        let status = blocking(ts, || f(&raw mut host, buffer.as_mut_ptr().cast(), room, &raw mut found, &raw mut code));
        if status == libc::ERANGE && room < 1 << 24 {
            room *= 2;
            continue;
        }
        if found.is_null() {
            // SAFETY: any number has a message.
            return Err(raise_named(ts, &HERROR, code, unsafe { libc::hstrerror(code) }));
        }
        return host_object(ts, &host);
    }
}

fn host_object(ts: &ThreadState, host: &libc::hostent) -> PyResult {
    let (aliases, addresses) = (PyList::new(ts)?, PyList::new(ts)?);
    // SAFETY: the entry is whole: C strings, addresses of its family, both in arrays that end with null.
    unsafe {
        let mut alias = host.h_aliases;
        while !alias.is_null() && !(*alias).is_null() {
            aliases.append(ts, fs_decode(ts, CStr::from_ptr(*alias).to_bytes())?.into_object())?;
            alias = alias.add(1);
        }
        let mut address = host.h_addr_list;
        while !address.is_null() && !(*address).is_null() {
            let mut text = [0u8; 64];
            let room = text.len() as libc::socklen_t;
            if super::c_inet_ntop(host.h_addrtype, (*address).cast(), text.as_mut_ptr().cast(), room).is_null() {
                return error(ts, "unsupported address family");
            }
            let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
            addresses.append(ts, PyStr::from_utf8(ts, text.to_bytes(), "strict")?.into_object())?;
            address = address.add(1);
        }
        let name = fs_decode(ts, CStr::from_ptr(host.h_name).to_bytes())?;
        let parts = [name.into_object(), aliases.into_object(), addresses.into_object()];
        Ok(PyTuple::from_array(ts, parts)?.into_object())
    }
}

pub(super) fn gethostbyname_ex(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "gethostbyname_ex", args.len(), 1, 1)?;
    let name = host_name(ts, args[0])?;
    audit(ts, "socket.gethostbyname", &[args[0]])?;
    resolve(ts, &name, libc::AF_INET)?;
    // SAFETY: a C string, and the rooms that `host_entry` hands over.
    host_entry(ts, |host, at, room, found, error| unsafe {
        gethostbyname_r(name.as_ptr().cast(), host, at, room, found, error)
    })
}

pub(super) fn gethostbyaddr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "gethostbyaddr", args.len(), 1, 1)?;
    let name = host_name(ts, args[0])?;
    audit(ts, "socket.gethostbyaddr", &[args[0]])?;
    let address = resolve(ts, &name, libc::AF_UNSPEC)?;
    let family = address.family();
    // SAFETY: the struct is that of the family.
    let (at, length) = unsafe {
        match family {
            libc::AF_INET => ((&raw const (*address.as_ptr().cast::<libc::sockaddr_in>()).sin_addr).cast(), 4),
            libc::AF_INET6 => {
                let at: *const core::ffi::c_void =
                    (&raw const (*address.as_ptr().cast::<libc::sockaddr_in6>()).sin6_addr).cast();
                (at, 16)
            }
            _ => return error(ts, "unsupported address family"),
        }
    };
    // SAFETY: the address is so long, and the rooms are those that `host_entry` hands over.
    host_entry(ts, |host, room_at, room, found, error| unsafe {
        gethostbyaddr_r(at, length, family, host, room_at, room, found, error)
    })
}

/// A str argument as a C string.
fn text(ts: &ThreadState, function: &str, place: usize, argument: &PyObject) -> PyResult<TryVec<u8>> {
    let Some(text) = argument.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "{function}() argument {place} must be str, not {}", argument.type_name());
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    let mut bytes = TryVec::new();
    bytes.try_extend_from_copy(text.utf8(ts)?.as_bytes())?;
    bytes.try_push(0)?;
    Ok(bytes)
}

unsafe extern "C" {
    #[link_name = "getservbyport"]
    fn c_getservbyport(port: c_int, protocol: *const c_char) -> *mut libc::servent;
}

pub(super) fn getservbyname(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getservbyname", args.len(), 1, 2)?;
    let name = text(ts, "getservbyname", 1, args[0])?;
    let protocol = args.get(1).map(|protocol| text(ts, "getservbyname", 2, protocol)).transpose()?;
    audit(ts, "socket.getservbyname", args)?;
    let protocol = protocol.as_ref().map_or(core::ptr::null(), |protocol| protocol.as_ptr().cast());
    // SAFETY: C strings, the protocol may be null; the entry lives until the next such call, and is read at once.
    unsafe {
        let entry = libc::getservbyname(name.as_ptr().cast(), protocol);
        if entry.is_null() {
            return error(ts, "service/proto not found");
        }
        PyInt::from_i64(ts, u16::from_be((*entry).s_port as u16).into())
    }
}

pub(super) fn getservbyport(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getservbyport", args.len(), 1, 2)?;
    let port = protocol::as_i32(ts, args[0])?;
    let protocol = args.get(1).map(|protocol| text(ts, "getservbyport", 2, protocol)).transpose()?;
    let Ok(port) = u16::try_from(port) else {
        return raise!(ts, exc::OverflowError, "getservbyport: port must be 0-65535.");
    };
    audit(ts, "socket.getservbyport", args)?;
    let protocol = protocol.as_ref().map_or(core::ptr::null(), |protocol| protocol.as_ptr().cast());
    // SAFETY: null or a C string; the entry lives until the next such call, and is read at once.
    unsafe {
        let entry = c_getservbyport(port.to_be().into(), protocol);
        if entry.is_null() {
            return error(ts, "port/proto not found");
        }
        Ok(fs_decode(ts, CStr::from_ptr((*entry).s_name).to_bytes())?.into_object())
    }
}

pub(super) fn getprotobyname(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getprotobyname", args.len(), 1, 1)?;
    let name = text(ts, "getprotobyname", 1, args[0])?;
    // SAFETY: a C string; the entry lives until the next such call, and is read at once.
    unsafe {
        let entry = libc::getprotobyname(name.as_ptr().cast());
        if entry.is_null() {
            return error(ts, "protocol not found");
        }
        PyInt::from_i64(ts, (*entry).p_proto.into())
    }
}

/// A service argument as the system has it: a name or a number.
fn service(ts: &ThreadState, port: &PyObject) -> PyResult<Option<TryVec<u8>>> {
    let mut bytes = TryVec::new();
    if is_none(port) {
        return Ok(None);
    } else if let Some(number) = port.downcast::<PyInt>() {
        let digits = number.to_str(ts, 10)?;
        bytes.try_extend_from_copy(digits.utf8(ts)?.as_bytes())?;
    } else if let Some(name) = port.downcast::<PyStr>() {
        bytes.try_extend_from_copy(name.utf8(ts)?.as_bytes())?;
    } else if let Some(name) = port.downcast::<PyBytes>() {
        bytes.try_extend_from_copy(name.as_slice())?;
    } else {
        return error(ts, "Int or String expected");
    }
    bytes.try_push(0)?;
    Ok(Some(bytes))
}

pub(super) fn getaddrinfo(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [host, port, family, kind, proto, flags] =
        parse!(ts, args, "getaddrinfo", ["host", "port", "family", "type", "proto", "flags"], 0, 6, 2);
    let (host, port) = (host.unwrap_or(PyInt::zero()), port.unwrap_or(PyInt::zero()));
    let (given_family, given_kind) = (family, kind);
    let family = int_or(ts, family, libc::AF_UNSPEC)?;
    let kind = int_or(ts, kind, 0)?;
    let proto_number = int_or(ts, proto, 0)?;
    let flags_number = int_or(ts, flags, 0)?;
    let name = if let Some(text) = host.downcast::<PyStr>() {
        // Unlike elsewhere even what is ASCII goes through the encoding, which checks the lengths of labels.
        let encoded = codec::encode(ts, text, "idna", "strict")?;
        let mut bytes = TryVec::new();
        bytes.try_extend_from_copy(&crate::types::bytes::bytes_like(ts, &encoded)?)?;
        bytes.try_push(0)?;
        Some(bytes)
    } else if is_none(host) || host.is_a::<PyBytes>() {
        text_or_none(ts, host)?
    } else {
        return raise!(ts, exc::TypeError, "getaddrinfo() argument 1 must be string or None");
    };
    let service = service(ts, port)?;
    let zero = PyInt::zero();
    audit(
        ts,
        "socket.getaddrinfo",
        &[
            host,
            port,
            given_family.unwrap_or(zero),
            given_kind.unwrap_or(zero),
            proto.unwrap_or(zero),
            flags.unwrap_or(zero),
        ],
    )?;
    let pointer = |text: &Option<TryVec<u8>>| text.as_ref().map_or(core::ptr::null(), |text| text.as_ptr().cast());
    let hints = hints(family, kind, proto_number, flags_number);
    let found = look_up(ts, pointer(&name), pointer(&service), &hints)?;
    let list = PyList::new(ts)?;
    let mut next = found.0;
    while !next.is_null() {
        // SAFETY: one of the list's entries, with an address and a name that is null or a C string.
        let entry = unsafe { &*next };
        // SAFETY: as above.
        let (address, canonical) = unsafe {
            let canonical = if entry.ai_canonname.is_null() { c"" } else { CStr::from_ptr(entry.ai_canonname) };
            (Address::from_info(next), canonical)
        };
        let parts = [
            PyInt::from_i64(ts, entry.ai_family.into())?,
            PyInt::from_i64(ts, entry.ai_socktype.into())?,
            PyInt::from_i64(ts, entry.ai_protocol.into())?,
            fs_decode(ts, canonical.to_bytes())?.into_object(),
            address.to_object(ts, -1, entry.ai_protocol)?,
        ];
        list.append(ts, PyTuple::from_array(ts, parts)?.into_object())?;
        next = entry.ai_next;
    }
    Ok(list.into_object())
}

pub(super) fn getnameinfo(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getnameinfo", args.len(), 2, 2)?;
    let flags = protocol::as_i32(ts, args[1])?;
    let Some(parts) = args[0].downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "getnameinfo() argument 1 must be a tuple");
    };
    let items = parts.items();
    if !(2..=4).contains(&items.len()) || !items[0].is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "getnameinfo(): illegal sockaddr argument");
    }
    let host = host_name(ts, items[0])?;
    let port = protocol::as_i32(ts, items[1])?;
    let number = |index: usize| -> PyResult<u32> {
        items.get(index).map_or(Ok(0), |item| Ok(protocol::index(ts, item)?.wrapping_u64() as u32))
    };
    let (flow, scope) = (number(2)?, number(3)?);
    if flow > 0xF_FFFF {
        return raise!(ts, exc::OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
    }
    audit(ts, "socket.getnameinfo", &[args[0]])?;
    let digits = PyInt::from_i64(ts, port.into())?;
    let port = service(ts, &digits)?;
    let port = port.as_ref().map_or(core::ptr::null(), |port| port.as_ptr().cast());
    let hints = hints(libc::AF_UNSPEC, libc::SOCK_DGRAM, 0, libc::AI_NUMERICHOST);
    let found = look_up(ts, host.as_ptr().cast(), port, &hints)?;
    // SAFETY: there is a result.
    let mut address = unsafe {
        if !(*found.0).ai_next.is_null() {
            return error(ts, "sockaddr resolved to multiple addresses");
        }
        Address::from_info(found.0)
    };
    match address.family() {
        libc::AF_INET if items.len() != 2 => return error(ts, "IPv4 sockaddr must be 2 tuple"),
        libc::AF_INET6 => {
            // SAFETY: the address is one of IPv6.
            let native = unsafe { &mut *address.as_mut_ptr().cast::<libc::sockaddr_in6>() };
            native.sin6_flowinfo = flow.to_be();
            native.sin6_scope_id = scope;
        }
        _ => {}
    }
    let (mut name, mut service) = ([0u8; 1025], [0u8; 32]);
    // SAFETY: the address is whole, the rooms are handed along.
    let (status, error) = blocking(ts, || unsafe {
        let status = libc::getnameinfo(
            address.as_ptr(),
            address.len,
            name.as_mut_ptr().cast(),
            name.len() as libc::socklen_t,
            service.as_mut_ptr().cast(),
            service.len() as libc::socklen_t,
            flags,
        );
        (status, errno())
    });
    if status != 0 {
        return Err(gai_error(ts, status, error));
    }
    let text = |bytes: &[u8]| fs_decode(ts, CStr::from_bytes_until_nul(bytes).unwrap_or_default().to_bytes());
    let pair = [text(&name)?.into_object(), text(&service)?.into_object()];
    Ok(PyTuple::from_array(ts, pair)?.into_object())
}
