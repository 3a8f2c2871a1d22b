//! Byte order, packed addresses, network interfaces.

use core::ffi::CStr;

use super::error;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{blocking, errno, os_error};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

fn short(ts: &ThreadState, name: &str, argument: &PyObject) -> PyResult<u16> {
    let value = protocol::index(ts, argument)?;
    match value.as_i64() {
        Some(number @ 0..=0xFFFF) => Ok(number as u16),
        _ if value.sign() < 0 => {
            raise!(ts, exc::OverflowError, "{name}: can't convert negative Python int to C 16-bit unsigned integer")
        }
        _ => raise!(ts, exc::OverflowError, "{name}: Python int too large to convert to C 16-bit unsigned integer"),
    }
}

fn long(ts: &ThreadState, argument: &PyObject) -> PyResult<u32> {
    let Some(value) = argument.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "expected int, {} found", argument.type_name());
    };
    if value.sign() < 0 {
        return raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int");
    }
    match value.as_i64().and_then(|value| u32::try_from(value).ok()) {
        Some(value) => Ok(value),
        None => raise!(ts, exc::OverflowError, "int larger than 32 bits"),
    }
}

pub(super) fn ntohs(ts: &ThreadState, _: &PyObject, value: &PyObject) -> PyResult {
    PyInt::from_i64(ts, u16::from_be(short(ts, "ntohs", value)?).into())
}

pub(super) fn htons(ts: &ThreadState, _: &PyObject, value: &PyObject) -> PyResult {
    PyInt::from_i64(ts, short(ts, "htons", value)?.to_be().into())
}

pub(super) fn ntohl(ts: &ThreadState, _: &PyObject, value: &PyObject) -> PyResult {
    PyInt::from_i64(ts, u32::from_be(long(ts, value)?).into())
}

pub(super) fn htonl(ts: &ThreadState, _: &PyObject, value: &PyObject) -> PyResult {
    PyInt::from_i64(ts, long(ts, value)?.to_be().into())
}

/// A str argument as a C string.
fn c_text(
    ts: &ThreadState,
    function: &str,
    place: &str,
    argument: &PyObject,
) -> PyResult<hognose_allocators::collections::TryVec<u8>> {
    let Some(text) = argument.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "{function}() argument{place} must be str, not {}", argument.type_name());
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    let mut bytes = hognose_allocators::collections::TryVec::new();
    bytes.try_extend_from_copy(text.utf8(ts)?.as_bytes())?;
    bytes.try_push(0)?;
    Ok(bytes)
}

unsafe extern "C" {
    #[link_name = "inet_aton"]
    fn c_inet_aton(text: *const core::ffi::c_char, address: *mut libc::in_addr) -> i32;
}

pub(super) fn inet_aton(ts: &ThreadState, _: &PyObject, text: &PyObject) -> PyResult {
    let text = c_text(ts, "inet_aton", "", text)?;
    let mut address = libc::in_addr { s_addr: 0 };
    // SAFETY: a C string and room for an address.
    if unsafe { c_inet_aton(text.as_ptr().cast(), &raw mut address) } == 0 {
        return error(ts, "illegal IP address string passed to inet_aton");
    }
    Ok(PyBytes::new(ts, &address.s_addr.to_ne_bytes())?.into_object())
}

pub(super) fn inet_ntoa(ts: &ThreadState, _: &PyObject, packed: &PyObject) -> PyResult {
    let packed = bytes_like(ts, packed)?;
    let [a, b, c, d] = *packed else { return error(ts, "packed IP wrong length") };
    Ok(PyStr::format(ts, format_args!("{a}.{b}.{c}.{d}"))?.into_object())
}

pub(super) fn inet_pton(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "inet_pton", args.len(), 2, 2)?;
    let family = protocol::as_i32(ts, args[0])?;
    let text = c_text(ts, "inet_pton", " 2", args[1])?;
    let mut packed = [0u8; 16];
    // SAFETY: a C string and room for the longest address.
    match unsafe { super::c_inet_pton(family, text.as_ptr().cast(), packed.as_mut_ptr().cast()) } {
        status if status < 0 => Err(os_error(ts, errno())),
        0 => error(ts, "illegal IP address string passed to inet_pton"),
        _ => match family {
            libc::AF_INET => Ok(PyBytes::new(ts, &packed[..4])?.into_object()),
            libc::AF_INET6 => Ok(PyBytes::new(ts, &packed)?.into_object()),
            _ => error(ts, "unknown address family"),
        },
    }
}

pub(super) fn inet_ntop(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "inet_ntop", args.len(), 2, 2)?;
    let family = protocol::as_i32(ts, args[0])?;
    let packed = bytes_like(ts, args[1])?;
    let length = match family {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => return raise!(ts, exc::ValueError, "unknown address family {family}"),
    };
    if packed.len() != length {
        return raise!(ts, exc::ValueError, "invalid length of packed IP address string");
    }
    let mut text = [0u8; 64];
    // SAFETY: the address is as long as the family's are, and the room is handed along.
    let found = unsafe {
        super::c_inet_ntop(family, packed.as_ptr().cast(), text.as_mut_ptr().cast(), text.len() as libc::socklen_t)
    };
    if found.is_null() {
        return Err(os_error(ts, errno()));
    }
    let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
    Ok(PyStr::from_utf8(ts, text.to_bytes(), "strict")?.into_object())
}

/// The index of the interface of that name (with a NUL at its end).
pub(super) fn interface_index(ts: &ThreadState, name: &[u8]) -> PyResult<u32> {
    // SAFETY: a C string.
    match blocking(ts, || unsafe { (libc::if_nametoindex(name.as_ptr().cast()), errno()) }) {
        (0, error) => Err(os_error(ts, error)),
        (index, _) => Ok(index),
    }
}

pub(super) fn if_nametoindex(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let mut name = fs_encode(ts, name)?;
    name.try_push(0)?;
    PyInt::from_i64(ts, interface_index(ts, &name)?.into())
}

pub(super) fn if_indextoname(ts: &ThreadState, _: &PyObject, index: &PyObject) -> PyResult {
    let index = protocol::index(ts, index)?;
    let index = match index.as_i64().map(u32::try_from) {
        Some(Ok(index)) => index,
        _ if index.sign() < 0 => {
            return raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int");
        }
        _ => return raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned int"),
    };
    let mut name = [0u8; libc::IFNAMSIZ];
    // SAFETY: there is room for a name.
    if unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) }.is_null() {
        return Err(os_error(ts, errno()));
    }
    let name = CStr::from_bytes_until_nul(&name).unwrap_or_default();
    Ok(fs_decode(ts, name.to_bytes())?.into_object())
}

/// The system's list of interfaces, given back when dropped.
struct Interfaces(*mut libc::if_nameindex);

impl Drop for Interfaces {
    fn drop(&mut self) {
        // SAFETY: the list is this object's.
        unsafe { libc::if_freenameindex(self.0) };
    }
}

pub(super) fn if_nameindex(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: makes a list.
    let all = unsafe { libc::if_nameindex() };
    if all.is_null() {
        return Err(os_error(ts, errno()));
    }
    let all = Interfaces(all);
    let list = PyList::new(ts)?;
    let mut next = all.0;
    // SAFETY: the list ends with index 0 or without a name.
    unsafe {
        while (*next).if_index != 0 && !(*next).if_name.is_null() {
            let name = fs_decode(ts, CStr::from_ptr((*next).if_name).to_bytes())?;
            let pair = [PyInt::from_i64(ts, (*next).if_index.into())?, name.into_object()];
            list.append(ts, PyTuple::from_array(ts, pair)?.into_object())?;
            next = next.add(1);
        }
    }
    Ok(list.into_object())
}
