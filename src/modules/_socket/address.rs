//! Addresses: Python's tuples and the system's structs.

use core::ffi::{CStr, c_char};
use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use super::numbers::interface_index;
use super::object::PySocket;
use super::{error, gai_error};
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{blocking, errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// An address as the system has it: room for any of them, and how much is used.
pub(super) struct Address {
    storage: libc::sockaddr_storage,
    pub(super) len: libc::socklen_t,
}

/// `struct sockaddr_qrtr`.
#[repr(C)]
struct SockaddrQrtr {
    family: u16,
    node: u32,
    port: u32,
}

/// `struct sockaddr_tipc`: the union of the three kinds of addresses is three numbers.
#[repr(C)]
struct SockaddrTipc {
    family: u16,
    kind: u8,
    scope: i8,
    numbers: [u32; 3],
}

/// `struct sockaddr_can` with the parts of the protocols ISOTP and J1939.
#[repr(C)]
struct SockaddrCan {
    family: u16,
    interface: i32,
    part: CanPart,
}

#[repr(C)]
union CanPart {
    isotp: [u32; 2],
    j1939: J1939,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct J1939 {
    name: u64,
    pgn: u32,
    address: u8,
}

const AF_QIPCRTR: i32 = 42;
const CAN_RAW: i32 = 1;
const CAN_BCM: i32 = 2;
const CAN_ISOTP: i32 = 6;
const CAN_J1939: i32 = 7;

impl Address {
    /// The room for any address.
    pub(super) const ROOM: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;

    /// Room for an address that the system fills in.
    pub(super) fn empty() -> Address {
        // SAFETY: an address of nothing but zeros is valid.
        Address { storage: unsafe { core::mem::zeroed() }, len: Self::ROOM }
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    pub(super) fn family(&self) -> i32 {
        self.storage.ss_family.into()
    }

    /// An address of the struct of its family.
    fn from<T>(address: T) -> Address {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut made = Address::empty();
        made.len = size_of::<T>() as libc::socklen_t;
        // SAFETY: there is room for the struct, and the alignment is the largest of all.
        unsafe { made.as_mut_ptr().cast::<T>().write(address) };
        made
    }

    /// The struct of the family.
    ///
    /// # Safety
    /// The family is that of `T`, which consists of numbers.
    unsafe fn view<T>(&self) -> &T {
        // SAFETY: there is room for any address, aligned, and what was not written is zero.
        unsafe { &*self.as_ptr().cast::<T>() }
    }

    /// Copies what `getaddrinfo` has found.
    ///
    /// # Safety
    /// `info` is one of its results.
    pub(super) unsafe fn from_info(info: *const libc::addrinfo) -> Address {
        let mut made = Address::empty();
        // SAFETY: the result's address is so long.
        unsafe {
            made.len = (*info).ai_addrlen.min(Self::ROOM);
            core::ptr::copy_nonoverlapping(
                (*info).ai_addr.cast::<u8>(),
                made.as_mut_ptr().cast::<u8>(),
                made.len as usize,
            );
        }
        made
    }

    /// An IP address as text.
    fn ip_text(&self, ts: &ThreadState) -> PyResult {
        let mut text = [0u8; 64];
        // SAFETY: the address belongs to the family, and the room is handed along.
        let found = unsafe {
            let from = match self.family() {
                libc::AF_INET => (&raw const self.view::<libc::sockaddr_in>().sin_addr).cast(),
                _ => (&raw const self.view::<libc::sockaddr_in6>().sin6_addr).cast(),
            };
            super::c_inet_ntop(self.family(), from, text.as_mut_ptr().cast(), text.len() as libc::socklen_t)
        };
        if found.is_null() {
            return Err(crate::modules::posix::system::os_error(ts, errno()));
        }
        let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
        Ok(PyStr::from_utf8(ts, text.to_bytes(), "strict")?.into_object())
    }

    /// The Python form; None for no address. `fd` is a socket, which names of interfaces are asked of.
    pub(super) fn to_object(&self, ts: &ThreadState, fd: i32, proto: i32) -> PyResult {
        if self.len == 0 {
            return Ok(ts.none());
        }
        let int = |value: u32| PyInt::from_i64(ts, value.into());
        // SAFETY: each struct is that of its family.
        unsafe {
            match self.family() {
                libc::AF_INET => {
                    let address = self.view::<libc::sockaddr_in>();
                    let parts = [self.ip_text(ts)?, int(u16::from_be(address.sin_port).into())?];
                    Ok(PyTuple::from_array(ts, parts)?.into_object())
                }
                libc::AF_INET6 => {
                    let address = self.view::<libc::sockaddr_in6>();
                    let parts = [
                        self.ip_text(ts)?,
                        int(u16::from_be(address.sin6_port).into())?,
                        int(u32::from_be(address.sin6_flowinfo))?,
                        int(address.sin6_scope_id)?,
                    ];
                    Ok(PyTuple::from_array(ts, parts)?.into_object())
                }
                libc::AF_UNIX => self.unix_path(ts),
                libc::AF_NETLINK => {
                    let address = self.view::<libc::sockaddr_nl>();
                    Ok(PyTuple::from_array(ts, [int(address.nl_pid)?, int(address.nl_groups)?])?.into_object())
                }
                libc::AF_VSOCK => {
                    let address = self.view::<libc::sockaddr_vm>();
                    Ok(PyTuple::from_array(ts, [int(address.svm_cid)?, int(address.svm_port)?])?.into_object())
                }
                AF_QIPCRTR => {
                    let address = self.view::<SockaddrQrtr>();
                    Ok(PyTuple::from_array(ts, [int(address.node)?, int(address.port)?])?.into_object())
                }
                libc::AF_TIPC => {
                    let address = self.view::<SockaddrTipc>();
                    let [a, b, c] = address.numbers;
                    // A name is (type, instance), of the others it is as it stands; the last number of a port is void.
                    let c = if address.kind == 3 { 0 } else { c };
                    let parts = [
                        int(address.kind.into())?,
                        int(a)?,
                        int(b)?,
                        int(c)?,
                        PyInt::from_i64(ts, address.scope.into())?,
                    ];
                    Ok(PyTuple::from_array(ts, parts)?.into_object())
                }
                libc::AF_PACKET => {
                    let address = self.view::<libc::sockaddr_ll>();
                    let length = usize::from(address.sll_halen).min(address.sll_addr.len());
                    let parts = [
                        interface_name(ts, fd, address.sll_ifindex)?,
                        int(u16::from_be(address.sll_protocol).into())?,
                        int(address.sll_pkttype.into())?,
                        int(address.sll_hatype.into())?,
                        PyBytes::new(ts, &address.sll_addr[..length])?.into_object(),
                    ];
                    Ok(PyTuple::from_array(ts, parts)?.into_object())
                }
                libc::AF_CAN => {
                    let address = self.view::<SockaddrCan>();
                    let name = interface_name(ts, fd, address.interface)?;
                    match proto {
                        CAN_ISOTP => {
                            let [receive, transmit] = address.part.isotp;
                            let parts = [name, int(receive)?, int(transmit)?];
                            Ok(PyTuple::from_array(ts, parts)?.into_object())
                        }
                        CAN_J1939 => {
                            let part = address.part.j1939;
                            let parts =
                                [name, PyInt::from_u64(ts, part.name)?, int(part.pgn)?, int(part.address.into())?];
                            Ok(PyTuple::from_array(ts, parts)?.into_object())
                        }
                        _ => Ok(PyTuple::from_array(ts, [name])?.into_object()),
                    }
                }
                libc::AF_ALG => {
                    let address = self.view::<libc::sockaddr_alg>();
                    let text = |bytes: &[u8]| -> PyResult {
                        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                        Ok(PyStr::from_utf8(ts, &bytes[..end], "strict")?.into_object())
                    };
                    let parts = [
                        text(&address.salg_type)?,
                        text(&address.salg_name)?,
                        int(address.salg_feat)?,
                        int(address.salg_mask)?,
                    ];
                    Ok(PyTuple::from_array(ts, parts)?.into_object())
                }
                // What is not known is shown as it is.
                family => {
                    let head = offset_of!(libc::sockaddr, sa_data);
                    let length = (self.len as usize).min(size_of::<libc::sockaddr_storage>()).max(head);
                    let bytes = core::slice::from_raw_parts(self.as_ptr().cast::<u8>(), length);
                    let data = PyBytes::new(ts, &bytes[head..])?;
                    Ok(PyTuple::from_array(ts, [int(family as u32)?, data.into_object()])?.into_object())
                }
            }
        }
    }

    /// A path as text, a name that is not in the file system as bytes.
    fn unix_path(&self, ts: &ThreadState) -> PyResult {
        let head = offset_of!(libc::sockaddr_un, sun_path);
        let length = (self.len as usize).clamp(head, size_of::<libc::sockaddr_un>());
        // SAFETY: the storage is longer than that.
        let path = unsafe { core::slice::from_raw_parts(self.as_ptr().cast::<u8>().add(head), length - head) };
        if path.first() == Some(&0) {
            return Ok(PyBytes::new(ts, path)?.into_object());
        }
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        Ok(fs_decode(ts, &path[..end])?.into_object())
    }

    /// The system's form of an address of the socket's family. `caller` is for messages.
    pub(super) fn from_object(
        ts: &ThreadState,
        socket: &PySocket,
        address: &PyObject,
        caller: &str,
    ) -> PyResult<Address> {
        let family = socket.family.get();
        match family {
            libc::AF_INET => {
                let parts = tuple_of(ts, address, caller, "AF_INET")?;
                let [host, port] = parts.items() else {
                    return raise!(ts, exc::TypeError, "{caller}(): AF_INET address must be a pair (host, port)");
                };
                let host = host_name(ts, host)?;
                let port = port_of(ts, caller, port)?;
                let mut made = resolve(ts, &host, libc::AF_INET)?;
                // SAFETY: the address is one of IPv4.
                unsafe { (*made.as_mut_ptr().cast::<libc::sockaddr_in>()).sin_port = port.to_be() };
                Ok(made)
            }
            libc::AF_INET6 => {
                let parts = tuple_of(ts, address, caller, "AF_INET6")?;
                let items = parts.items();
                if !(2..=4).contains(&items.len()) {
                    return raise!(
                        ts,
                        exc::TypeError,
                        "{caller}(): AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
                    );
                }
                let host = host_name(ts, items[0])?;
                let port = port_of(ts, caller, items[1])?;
                let number = |index: usize| -> PyResult<u32> {
                    items.get(index).map_or(Ok(0), |item| Ok(protocol::index(ts, item)?.wrapping_u64() as u32))
                };
                let (flow, scope) = (number(2)?, number(3)?);
                if flow > 0xF_FFFF {
                    return raise!(ts, exc::OverflowError, "{caller}(): flowinfo must be 0-1048575.");
                }
                let mut made = resolve(ts, &host, libc::AF_INET6)?;
                // SAFETY: the address is one of IPv6.
                unsafe {
                    let native = &mut *made.as_mut_ptr().cast::<libc::sockaddr_in6>();
                    native.sin6_port = port.to_be();
                    native.sin6_flowinfo = flow.to_be();
                    native.sin6_scope_id = scope;
                }
                Ok(made)
            }
            libc::AF_UNIX => unix_address(ts, address),
            libc::AF_NETLINK => {
                let [pid, groups] = pair_of(ts, address, caller, "AF_NETLINK", "(pid, groups)")?;
                // SAFETY: numbers.
                let mut native = unsafe { core::mem::zeroed::<libc::sockaddr_nl>() };
                native.nl_family = libc::AF_NETLINK as u16;
                (native.nl_pid, native.nl_groups) = (pid, groups);
                Ok(Address::from(native))
            }
            libc::AF_VSOCK => {
                let [cid, port] = pair_of(ts, address, caller, "AF_VSOCK", "(CID, port)")?;
                // SAFETY: numbers.
                let mut native = unsafe { core::mem::zeroed::<libc::sockaddr_vm>() };
                native.svm_family = libc::AF_VSOCK as u16;
                (native.svm_cid, native.svm_port) = (cid, port);
                Ok(Address::from(native))
            }
            AF_QIPCRTR => {
                let [node, port] = pair_of(ts, address, caller, "AF_QIPCRTR", "(node, port)")?;
                Ok(Address::from(SockaddrQrtr { family: AF_QIPCRTR as u16, node, port }))
            }
            libc::AF_TIPC => tipc_address(ts, address, caller),
            libc::AF_PACKET => packet_address(ts, socket, address, caller),
            libc::AF_CAN => can_address(ts, socket, address, caller),
            libc::AF_ALG => alg_address(ts, address, caller),
            _ => error(ts, "getsockaddrarg: bad family"),
        }
    }
}

fn tuple_of(ts: &ThreadState, address: &PyObject, caller: &str, family: &str) -> PyResult<Ref<PyTuple>> {
    match address.downcast::<PyTuple>() {
        Some(parts) => Ok(Ref::from_borrowed(parts)),
        None => {
            raise!(ts, exc::TypeError, "{caller}(): {family} address must be tuple, not {}", address.type_name())
        }
    }
}

fn pair_of(ts: &ThreadState, address: &PyObject, caller: &str, family: &str, shape: &str) -> PyResult<[u32; 2]> {
    let parts = tuple_of(ts, address, caller, family)?;
    let [first, second] = parts.items() else {
        return raise!(ts, exc::TypeError, "{caller}(): {family} address must be a pair {shape}");
    };
    let number = |item: &PyObject| -> PyResult<u32> { Ok(protocol::index(ts, item)?.wrapping_u64() as u32) };
    Ok([number(first)?, number(second)?])
}

/// A port, which must be one.
pub(super) fn port_of(ts: &ThreadState, caller: &str, port: &PyObject) -> PyResult<u16> {
    let port = protocol::index(ts, port)?;
    match port.as_i64().and_then(|port| u16::try_from(port).ok()) {
        Some(port) => Ok(port),
        None => raise!(ts, exc::OverflowError, "{caller}(): port must be 0-65535."),
    }
}

/// A host's name as the system has it, with a NUL at its end: str (in the encoding for host names), bytes or bytearray.
pub(super) fn host_name(ts: &ThreadState, host: &PyObject) -> PyResult<TryVec<u8>> {
    let mut name = TryVec::new();
    if let Some(bytes) = host.downcast::<PyBytes>() {
        name.try_extend_from_copy(bytes.as_slice())?;
    } else if host.is_a::<PyByteArray>() {
        name.try_extend_from_copy(&bytes_like(ts, host)?)?;
    } else if let Some(text) = host.downcast::<PyStr>() {
        match text.ascii_str() {
            Some(text) => name.try_extend_from_copy(text.as_bytes())?,
            None => match ts.catch(codec::encode(ts, text, "idna", "strict"), &exc::UnicodeError)? {
                Some(encoded) => name.try_extend_from_copy(&bytes_like(ts, &encoded)?)?,
                None => return raise!(ts, exc::TypeError, "encoding of hostname failed"),
            },
        }
    } else {
        return raise!(ts, exc::TypeError, "str, bytes or bytearray expected, not {}", host.type_name());
    }
    if name.contains(&0) {
        return raise!(ts, exc::TypeError, "host name must not contain null character");
    }
    name.try_push(0)?;
    Ok(name)
}

/// Results of `getaddrinfo`, given back when dropped.
pub(super) struct Found(pub(super) *mut libc::addrinfo);

impl Drop for Found {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the list is this object's.
            unsafe { libc::freeaddrinfo(self.0) };
        }
    }
}

/// `getaddrinfo`, with its failure raised.
pub(super) fn look_up(
    ts: &ThreadState,
    host: *const c_char,
    port: *const c_char,
    hints: &libc::addrinfo,
) -> PyResult<Found> {
    let mut found = core::ptr::null_mut();
    // SAFETY: the caller's names are null or C strings that stay; the hints are whole.
    let (status, error) = blocking(ts, || unsafe { (libc::getaddrinfo(host, port, hints, &raw mut found), errno()) });
    if status != 0 { Err(gai_error(ts, status, error)) } else { Ok(Found(found)) }
}

pub(super) fn hints(family: i32, kind: i32, proto: i32, flags: i32) -> libc::addrinfo {
    libc::addrinfo {
        ai_flags: flags,
        ai_family: family,
        ai_socktype: kind,
        ai_protocol: proto,
        ai_addrlen: 0,
        ai_addr: core::ptr::null_mut(),
        ai_canonname: core::ptr::null_mut(),
        ai_next: core::ptr::null_mut(),
    }
}

/// The IP address of a host by its name (with a NUL at its end), whose family may be `AF_UNSPEC`.
pub(super) fn resolve(ts: &ThreadState, host: &[u8], family: i32) -> PyResult<Address> {
    let name = &host[..host.len() - 1];
    if name.is_empty() {
        let hints = hints(family, libc::SOCK_DGRAM, 0, libc::AI_PASSIVE);
        let found = look_up(ts, core::ptr::null(), c"0".as_ptr(), &hints)?;
        // SAFETY: there is a result.
        return unsafe {
            if !(*found.0).ai_next.is_null() {
                return error(ts, "wildcard resolved to multiple address");
            }
            Ok(Address::from_info(found.0))
        };
    }
    // SAFETY: numbers.
    let mut v4 = unsafe { core::mem::zeroed::<libc::sockaddr_in>() };
    v4.sin_family = libc::AF_INET as u16;
    if name == b"255.255.255.255" || name == b"<broadcast>" {
        if family != libc::AF_INET && family != libc::AF_UNSPEC {
            return error(ts, "address family mismatched");
        }
        v4.sin_addr.s_addr = u32::MAX;
        return Ok(Address::from(v4));
    }
    // What is an address already needs no look-up.
    if (family == libc::AF_INET || family == libc::AF_UNSPEC)
        // SAFETY: a C string, and room for an address of the family.
        && unsafe { super::c_inet_pton(libc::AF_INET, host.as_ptr().cast(), (&raw mut v4.sin_addr).cast()) } > 0
    {
        return Ok(Address::from(v4));
    }
    if (family == libc::AF_INET6 || family == libc::AF_UNSPEC) && !name.contains(&b'%') {
        // SAFETY: numbers.
        let mut v6 = unsafe { core::mem::zeroed::<libc::sockaddr_in6>() };
        v6.sin6_family = libc::AF_INET6 as u16;
        // SAFETY: a C string, and room for an address of the family.
        if unsafe { super::c_inet_pton(libc::AF_INET6, host.as_ptr().cast(), (&raw mut v6.sin6_addr).cast()) } > 0 {
            return Ok(Address::from(v6));
        }
    }
    let found = look_up(ts, host.as_ptr().cast(), core::ptr::null(), &hints(family, 0, 0, 0))?;
    // SAFETY: there is a result.
    Ok(unsafe { Address::from_info(found.0) })
}

fn unix_address(ts: &ThreadState, address: &PyObject) -> PyResult<Address> {
    let mut path = TryVec::new();
    match address.downcast::<PyStr>() {
        // A name out of the file system may contain NULs, as bytes; a str may not.
        Some(text) if !text.contains_nul() => path.try_extend_from_copy(&fs_encode(ts, address)?)?,
        Some(text) => {
            let encoded = codec::encode_utf8(ts, text, "surrogateescape")?;
            path.try_extend_from_copy(encoded.as_slice())?;
        }
        None => path.try_extend_from_copy(&bytes_like(ts, address)?)?,
    }
    let head = offset_of!(libc::sockaddr_un, sun_path);
    let room = size_of::<libc::sockaddr_un>() - head;
    let is_abstract = path.first().is_none_or(|byte| *byte == 0);
    if path.len() > room || !is_abstract && path.len() == room {
        return error(ts, "AF_UNIX path too long");
    }
    let mut made = Address::empty();
    made.storage.ss_family = libc::AF_UNIX as u16;
    // SAFETY: there is room for the path; the NUL behind it is there.
    unsafe {
        core::ptr::copy_nonoverlapping(path.as_ptr(), made.as_mut_ptr().cast::<u8>().add(head), path.len());
    }
    made.len = (head + path.len() + usize::from(!is_abstract)) as libc::socklen_t;
    Ok(made)
}

/// The index of the interface that a str or bytes names; 0 for an empty name.
fn interface_of(ts: &ThreadState, name: &PyObject) -> PyResult<i32> {
    let mut bytes = fs_encode(ts, name)?;
    if bytes.is_empty() {
        return Ok(0);
    }
    if bytes.len() >= libc::IFNAMSIZ {
        return error(ts, "interface name too long");
    }
    bytes.try_push(0)?;
    Ok(interface_index(ts, &bytes)? as i32)
}

/// The name of an interface; empty when there is none.
fn interface_name(ts: &ThreadState, _fd: i32, index: i32) -> PyResult {
    let mut name = [0u8; libc::IFNAMSIZ];
    // SAFETY: there is room for a name.
    let found = index != 0 && unsafe { !libc::if_indextoname(index as u32, name.as_mut_ptr().cast()).is_null() };
    let name = if found { CStr::from_bytes_until_nul(&name).unwrap_or_default() } else { c"" };
    Ok(fs_decode(ts, name.to_bytes())?.into_object())
}

fn tipc_address(ts: &ThreadState, address: &PyObject, caller: &str) -> PyResult<Address> {
    let parts = tuple_of(ts, address, caller, "AF_TIPC")?;
    let items = parts.items();
    if !(4..=5).contains(&items.len()) {
        return raise!(
            ts,
            exc::TypeError,
            "{caller}(): AF_TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])"
        );
    }
    let mut numbers = [0u32; 4];
    for (number, item) in numbers.iter_mut().zip(items) {
        *number = protocol::index(ts, item)?.wrapping_u64() as u32;
    }
    const CLUSTER: i32 = 2;
    let scope = items.get(4).map_or(Ok(CLUSTER), |scope| protocol::as_i32(ts, scope))?;
    let [kind, a, b, c] = numbers;
    let numbers = match kind {
        // A range of names; a name, whose domain is the last number; a port.
        1 => [a, b, c],
        2 => [a, b, 0],
        3 => [a, b, 0],
        _ => return raise!(ts, exc::TypeError, "{caller}(): Invalid address type"),
    };
    // In a port the reference comes before the node.
    let numbers = if kind == 3 { [numbers[0], numbers[1], 0] } else { numbers };
    Ok(Address::from(SockaddrTipc { family: libc::AF_TIPC as u16, kind: kind as u8, scope: scope as i8, numbers }))
}

fn packet_address(ts: &ThreadState, socket: &PySocket, address: &PyObject, caller: &str) -> PyResult<Address> {
    let _ = socket;
    let parts = tuple_of(ts, address, caller, "AF_PACKET")?;
    let items = parts.items();
    if !(2..=5).contains(&items.len()) {
        return raise!(ts, exc::TypeError, "{caller}(): AF_PACKET address must be a tuple of two to five elements");
    }
    let interface = interface_of(ts, items[0])?;
    let protocol_number = match protocol::index(ts, items[1])?.as_i64().and_then(|value| u16::try_from(value).ok()) {
        Some(number) => number,
        None => return raise!(ts, exc::OverflowError, "{caller}(): proto must be 0-65535."),
    };
    let number = |index: usize| items.get(index).map_or(Ok(0), |item| protocol::as_i32(ts, item));
    let (packet, hardware) = (number(2)?, number(3)?);
    // SAFETY: numbers.
    let mut native = unsafe { core::mem::zeroed::<libc::sockaddr_ll>() };
    if let Some(bytes) = items.get(4) {
        let bytes = bytes_like(ts, bytes)?;
        if bytes.len() > 8 {
            return raise!(ts, exc::ValueError, "Hardware address must be 8 bytes or less");
        }
        native.sll_addr[..bytes.len()].copy_from_slice(&bytes);
        native.sll_halen = bytes.len() as u8;
    }
    native.sll_family = libc::AF_PACKET as u16;
    native.sll_protocol = protocol_number.to_be();
    native.sll_ifindex = interface;
    native.sll_pkttype = packet as u8;
    native.sll_hatype = hardware as u16;
    Ok(Address::from(native))
}

fn can_address(ts: &ThreadState, socket: &PySocket, address: &PyObject, caller: &str) -> PyResult<Address> {
    let parts = tuple_of(ts, address, caller, "AF_CAN")?;
    let items = parts.items();
    let number = |item: &PyObject| -> PyResult<u64> { Ok(protocol::index(ts, item)?.wrapping_u64()) };
    let (interface, part) = match (socket.proto.get(), items) {
        (CAN_RAW | CAN_BCM, [name]) => (interface_of(ts, name)?, CanPart { isotp: [0; 2] }),
        (CAN_ISOTP, [name, receive, transmit]) => {
            (interface_of(ts, name)?, CanPart { isotp: [number(receive)? as u32, number(transmit)? as u32] })
        }
        (CAN_J1939, [name, j1939, pgn, address]) => {
            let part = J1939 { name: number(j1939)?, pgn: number(pgn)? as u32, address: number(address)? as u8 };
            (interface_of(ts, name)?, CanPart { j1939: part })
        }
        (CAN_RAW | CAN_BCM | CAN_ISOTP | CAN_J1939, _) => {
            return raise!(ts, exc::TypeError, "{caller}(): AF_CAN address must be a tuple of the protocol's parts");
        }
        _ => return error(ts, "getsockaddrarg: unsupported CAN protocol"),
    };
    Ok(Address::from(SockaddrCan { family: libc::AF_CAN as u16, interface, part }))
}

fn alg_address(ts: &ThreadState, address: &PyObject, caller: &str) -> PyResult<Address> {
    let parts = tuple_of(ts, address, caller, "AF_ALG")?;
    let items = parts.items();
    if !(2..=4).contains(&items.len()) {
        return raise!(ts, exc::TypeError, "{caller}(): AF_ALG address must be a tuple (type, name[, feat[, mask]])");
    }
    // SAFETY: numbers.
    let mut native = unsafe { core::mem::zeroed::<libc::sockaddr_alg>() };
    native.salg_family = libc::AF_ALG as u16;
    let fill = |room: &mut [u8], item: &PyObject, message: &str| -> PyResult<()> {
        let Some(text) = item.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "{caller}(): AF_ALG names must be str, not {}", item.type_name());
        };
        let text = text.utf8(ts)?;
        if text.len() >= room.len() {
            return raise!(ts, exc::ValueError, "{message}");
        }
        room[..text.len()].copy_from_slice(text.as_bytes());
        Ok(())
    };
    fill(&mut native.salg_type, items[0], "AF_ALG type too long.")?;
    fill(&mut native.salg_name, items[1], "AF_ALG name too long.")?;
    let number = |index: usize| -> PyResult<u32> {
        items.get(index).map_or(Ok(0), |item| Ok(protocol::index(ts, item)?.wrapping_u64() as u32))
    };
    (native.salg_feat, native.salg_mask) = (number(2)?, number(3)?);
    Ok(Address::from(native))
}

/// The text of a name, or None.
pub(super) fn text_or_none(ts: &ThreadState, argument: &PyObject) -> PyResult<Option<TryVec<u8>>> {
    if is_none(argument) { Ok(None) } else { host_name(ts, argument).map(Some) }
}
