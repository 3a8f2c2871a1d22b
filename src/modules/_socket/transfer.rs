//! Receiving and sending.

use super::address::Address;
use super::object::PySocket;
use super::wait::{self, Wait};
use crate::lifecycle::pending;
use crate::modules::posix::system::{int_or, parse};
use crate::modules::time::monotonic;
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// A number of bytes to receive.
pub(super) fn size_of_argument(ts: &ThreadState, argument: &PyObject, function: &str) -> PyResult<usize> {
    match usize::try_from(protocol::as_isize(ts, argument)?) {
        Ok(size) => Ok(size),
        Err(_) => raise!(ts, exc::ValueError, "negative buffersize in {function}"),
    }
}

/// A bytes object with what `f` writes, which gets the room and says how much.
pub(super) fn bytes_received<R>(
    ts: &ThreadState,
    room: usize,
    f: impl FnOnce(*mut u8) -> PyResult<(usize, R)>,
) -> PyResult<(Ref<PyBytes>, R)> {
    // Two bytes at least: shorter objects are static.
    // SAFETY: nobody sees the object before it is cut to what has been written.
    let made = unsafe { PyBytes::uninit(ts, room.max(2))? };
    let (count, result) = f(made.data_ptr())?;
    let bytes = if count < 2 {
        // SAFETY: so many bytes have been written.
        PyBytes::new(ts, unsafe { core::slice::from_raw_parts(made.data_ptr(), count) })?
    } else {
        // SAFETY: nobody else has the object.
        unsafe { PyBytes::resize(ts, made, count)? }
    };
    Ok((bytes, result))
}

fn receive(ts: &ThreadState, socket: &PySocket, at: *mut u8, room: usize, flags: i32) -> PyResult<usize> {
    if room == 0 {
        return Ok(0);
    }
    // SAFETY: there is so much room, which stays while the call waits.
    let count = wait::call(ts, socket, Wait::Read, |fd| unsafe { libc::recv(fd, at.cast(), room, flags) })?;
    Ok(count as usize)
}

fn receive_from(ts: &ThreadState, socket: &PySocket, at: *mut u8, room: usize, flags: i32) -> PyResult<(usize, PyRef)> {
    let mut address = Address::empty();
    let count = wait::call(ts, socket, Wait::Read, |fd| {
        address.len = Address::ROOM;
        // SAFETY: there is room for the data, which stays while the call waits, and for any address.
        unsafe { libc::recvfrom(fd, at.cast(), room, flags, address.as_mut_ptr(), &raw mut address.len) }
    })?;
    let sender = address.to_object(ts, socket.fd.get(), socket.proto.get())?;
    Ok((count as usize, sender))
}

pub(super) fn recv(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "recv", args.len(), 1, 2)?;
    let room = size_of_argument(ts, args[0], "recv")?;
    let flags = int_or(ts, args.get(1).copied(), 0)?;
    let socket = this.cast::<PySocket>();
    let (bytes, ()) = bytes_received(ts, room, |at| Ok((receive(ts, socket, at, room, flags)?, ())))?;
    Ok(bytes.into_object())
}

pub(super) fn recvfrom(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "recvfrom", args.len(), 1, 2)?;
    let room = size_of_argument(ts, args[0], "recvfrom")?;
    let flags = int_or(ts, args.get(1).copied(), 0)?;
    let socket = this.cast::<PySocket>();
    let (bytes, sender) = bytes_received(ts, room, |at| receive_from(ts, socket, at, room, flags))?;
    Ok(PyTuple::from_array(ts, [bytes.into_object(), sender])?.into_object())
}

/// The buffer, how much of it is to be filled, and the flags.
fn into_arguments(
    ts: &ThreadState,
    function: &str,
    too_small: &str,
    arguments: [Option<&PyObject>; 3],
) -> PyResult<(Buffer, usize, i32)> {
    let [target, count, flags] = arguments;
    let target = target.unwrap_or(PyInt::zero());
    if !buffer::has_buffer(target) {
        let found = target.type_name();
        return raise!(ts, exc::TypeError, "{function}() argument 1 must be read-write bytes-like object, not {found}");
    }
    let target = match ts.catch(Buffer::get(ts, target, buffer::WRITABLE), &exc::BufferError)? {
        Some(target) => target,
        None => {
            let found = target.type_name();
            return raise!(
                ts,
                exc::TypeError,
                "{function}() argument 1 must be read-write bytes-like object, not {found}"
            );
        }
    };
    let count = count.map_or(Ok(0), |count| size_of_argument(ts, count, function))?;
    let flags = int_or(ts, flags, 0)?;
    let room = target.view().len as usize;
    if count > room {
        return raise!(ts, exc::ValueError, "{too_small}");
    }
    Ok((target, if count == 0 { room } else { count }, flags))
}

pub(super) fn recv_into(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let arguments = parse!(ts, args, "recv_into", ["buffer", "nbytes", "flags"], 0, 3, 1);
    let (target, room, flags) = into_arguments(ts, "recv_into", "buffer too small for requested bytes", arguments)?;
    let count = receive(ts, this.cast::<PySocket>(), target.view().buf.cast(), room, flags)?;
    PyInt::from_usize(ts, count)
}

pub(super) fn recvfrom_into(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let arguments = parse!(ts, args, "recvfrom_into", ["buffer", "nbytes", "flags"], 0, 3, 1);
    let message = "nbytes is greater than the length of the buffer";
    let (target, room, flags) = into_arguments(ts, "recvfrom_into", message, arguments)?;
    let (count, sender) = receive_from(ts, this.cast::<PySocket>(), target.view().buf.cast(), room, flags)?;
    Ok(PyTuple::from_array(ts, [PyInt::from_usize(ts, count)?, sender])?.into_object())
}

pub(super) fn send(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "send", args.len(), 1, 2)?;
    let data = bytes_like(ts, args[0])?;
    let flags = int_or(ts, args.get(1).copied(), 0)?;
    let count = wait::call(ts, this.cast::<PySocket>(), Wait::Write, |fd| {
        // SAFETY: the data is so long, and stays while the call waits.
        unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) }
    })?;
    PyInt::from_isize(ts, count)
}

pub(super) fn sendall(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sendall", args.len(), 1, 2)?;
    let data = bytes_like(ts, args[0])?;
    let flags = int_or(ts, args.get(1).copied(), 0)?;
    let socket = this.cast::<PySocket>();
    // The timeout is for all of the data.
    let timeout = socket.timeout.get();
    let end = if timeout > 0 { Some(monotonic(ts)?.saturating_add(timeout)) } else { None };
    let mut rest = &data[..];
    loop {
        let timeout = match end {
            Some(end) => match end - monotonic(ts)? {
                left if left > 0 => left,
                _ => return wait::timed_out(ts),
            },
            None => timeout,
        };
        let sent = wait::call_within(ts, socket, Wait::Write, timeout, |fd| {
            // SAFETY: the data is so long, and stays while the call waits.
            unsafe { libc::send(fd, rest.as_ptr().cast(), rest.len(), flags) }
        });
        rest = match sent {
            Ok(count) => &rest[count as usize..],
            Err(failure) => return failure.raise(ts),
        };
        // A part that went without an interruption is a place for handlers too.
        pending::signals(ts)?;
        if rest.is_empty() {
            return Ok(ts.none());
        }
    }
}

pub(super) fn sendto(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (data, flags, address) = match args {
        [data, address] => (data, None, address),
        [data, flags, address] => (data, Some(*flags), address),
        _ => return raise!(ts, exc::TypeError, "sendto() takes 2 or 3 arguments ({} given)", args.len()),
    };
    let data = bytes_like(ts, data)?;
    let flags = int_or(ts, flags, 0)?;
    let socket = this.cast::<PySocket>();
    let native = Address::from_object(ts, socket, address, "sendto")?;
    super::audit(ts, "socket.sendto", &[this, address])?;
    let count = wait::call(ts, socket, Wait::Write, |fd| {
        // SAFETY: the data is so long, and stays while the call waits; the address is whole.
        unsafe { libc::sendto(fd, data.as_ptr().cast(), data.len(), flags, native.as_ptr(), native.len) }
    })?;
    PyInt::from_isize(ts, count)
}
