//! Receiving and sending with ancillary data.

use hognose_allocators::collections::TryVec;

use super::address::Address;
use super::object::PySocket;
use super::transfer::bytes_received;
use super::wait::{self, Wait};
use super::{audit, error};
use crate::modules::posix::system::{int_or, parse};
use crate::object::buffer::{self, Buffer};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// Up to here a header and the data, and up to there the padding besides, fit a `socklen_t`.
const LONGEST: isize = i32::MAX as isize - 16;
const LONGEST_PADDED: isize = i32::MAX as isize - 24;

fn length_argument(ts: &ThreadState, name: &str, length: &PyObject, longest: isize) -> PyResult<u32> {
    let length = protocol::as_isize(ts, length)?;
    if !(0..=longest).contains(&length) {
        return raise!(ts, exc::OverflowError, "{name}() argument out of range");
    }
    Ok(length as u32)
}

pub(super) fn cmsg_len(ts: &ThreadState, _: &PyObject, length: &PyObject) -> PyResult {
    let length = length_argument(ts, "CMSG_LEN", length, LONGEST)?;
    // SAFETY: computes with numbers.
    PyInt::from_i64(ts, unsafe { libc::CMSG_LEN(length) }.into())
}

pub(super) fn cmsg_space(ts: &ThreadState, _: &PyObject, length: &PyObject) -> PyResult {
    let length = length_argument(ts, "CMSG_SPACE", length, LONGEST_PADDED)?;
    // SAFETY: computes with numbers.
    PyInt::from_i64(ts, unsafe { libc::CMSG_SPACE(length) }.into())
}

/// A message of nothing.
fn empty_message() -> libc::msghdr {
    // SAFETY: null pointers and zero lengths.
    unsafe { core::mem::zeroed() }
}

/// The ancillary data that came with a message, as a list of (level, type, data).
fn items_received(ts: &ThreadState, message: &libc::msghdr) -> PyResult {
    let list = PyList::new(ts)?;
    if message.msg_controllen == 0 {
        return Ok(list.into_object());
    }
    let end = message.msg_control as usize + message.msg_controllen;
    // SAFETY: the kernel has filled the control data; each item's length is cut to it.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(message);
        while !next.is_null() {
            let header = &*next;
            let data = libc::CMSG_DATA(next);
            let head = data as usize - next as usize;
            let length = (header.cmsg_len as usize).saturating_sub(head).min(end.saturating_sub(data as usize));
            let bytes = PyBytes::new(ts, core::slice::from_raw_parts(data, length))?;
            let item = [
                PyInt::from_i64(ts, header.cmsg_level.into())?,
                PyInt::from_i64(ts, header.cmsg_type.into())?,
                bytes.into_object(),
            ];
            list.append(ts, PyTuple::from_array(ts, item)?.into_object())?;
            next = libc::CMSG_NXTHDR(message, next);
        }
    }
    Ok(list.into_object())
}

/// Closes the descriptors that came with a message that nobody will get.
fn close_received(message: &libc::msghdr) {
    // SAFETY: as in `items_received`.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(message);
        while !next.is_null() {
            let header = &*next;
            if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS {
                let data = libc::CMSG_DATA(next);
                let length = (header.cmsg_len as usize).saturating_sub(data as usize - next as usize);
                for index in 0..length / size_of::<i32>() {
                    libc::close(data.cast::<i32>().add(index).read_unaligned());
                }
            }
            next = libc::CMSG_NXTHDR(message, next);
        }
    }
}

/// Receives into the parts; what is returned besides the count is (ancillary data, flags, address).
fn receive(
    ts: &ThreadState,
    socket: &PySocket,
    parts: &mut [libc::iovec],
    ancillary: Option<&PyObject>,
    flags: Option<&PyObject>,
) -> PyResult<(usize, [PyRef; 3])> {
    let room = ancillary.map_or(Ok(0), |room| protocol::as_isize(ts, room))?;
    let flags = int_or(ts, flags, 0)?;
    if !(0..=i32::MAX as isize).contains(&room) {
        return raise!(ts, exc::ValueError, "invalid ancillary data buffer length");
    }
    // Whole words, so that the headers are aligned.
    let mut control = TryVec::<u64>::new();
    control.try_resize((room as usize).div_ceil(8), 0)?;
    let mut address = Address::empty();
    let mut message = empty_message();
    let count = wait::call(ts, socket, Wait::Read, |fd| {
        address.len = Address::ROOM;
        message.msg_name = address.as_mut_ptr().cast();
        message.msg_namelen = Address::ROOM;
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len();
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = room as usize;
        // SAFETY: the rooms are there, and stay while the call waits.
        unsafe { libc::recvmsg(fd, &raw mut message, flags) }
    })?;
    address.len = message.msg_namelen;
    let made = (|| {
        Ok([
            items_received(ts, &message)?,
            PyInt::from_i64(ts, message.msg_flags.into())?,
            address.to_object(ts, socket.fd.get(), socket.proto.get())?,
        ])
    })();
    match made {
        Ok(results) => Ok((count as usize, results)),
        Err(raised) => {
            close_received(&message);
            Err(raised)
        }
    }
}

pub(super) fn recvmsg(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "recvmsg", args.len(), 1, 3)?;
    let room = match usize::try_from(protocol::as_isize(ts, args[0])?) {
        Ok(room) => room,
        Err(_) => return raise!(ts, exc::ValueError, "negative buffer size in recvmsg()"),
    };
    let socket = this.cast::<PySocket>();
    let (bytes, [items, flags, address]) = bytes_received(ts, room, |at| {
        let mut parts = [libc::iovec { iov_base: at.cast(), iov_len: room }];
        receive(ts, socket, &mut parts, args.get(1).copied(), args.get(2).copied())
    })?;
    Ok(PyTuple::from_array(ts, [bytes.into_object(), items, flags, address])?.into_object())
}

pub(super) fn recvmsg_into(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "recvmsg_into", args.len(), 1, 3)?;
    if !protocol::is_iterable(args[0]) {
        return raise!(ts, exc::TypeError, "recvmsg_into() argument 1 must be an iterable");
    }
    let targets = protocol::tuple_of(ts, args[0])?;
    if targets.len() > i32::MAX as usize {
        return error(ts, "recvmsg_into() argument 1 is too long");
    }
    let mut buffers = TryVec::<Buffer>::new();
    let mut parts = TryVec::<libc::iovec>::new();
    for target in targets.items() {
        let view = match buffer::has_buffer(target) {
            true => ts.catch(Buffer::get(ts, target, buffer::WRITABLE), &exc::BufferError)?,
            false => None,
        };
        let Some(target) = view else {
            return raise!(
                ts,
                exc::TypeError,
                "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers"
            );
        };
        parts.try_push(libc::iovec { iov_base: target.view().buf, iov_len: target.view().len as usize })?;
        buffers.try_push(target)?;
    }
    let socket = this.cast::<PySocket>();
    let (count, [items, flags, address]) = receive(ts, socket, &mut parts, args.get(1).copied(), args.get(2).copied())?;
    Ok(PyTuple::from_array(ts, [PyInt::from_usize(ts, count)?, items, flags, address])?.into_object())
}

/// The buffers of an iterable, and their places.
fn parts_of(ts: &ThreadState, function: &str, data: &PyObject) -> PyResult<(TryVec<Buffer>, TryVec<libc::iovec>)> {
    if !protocol::is_iterable(data) {
        return raise!(ts, exc::TypeError, "{function}() argument 1 must be an iterable");
    }
    let all = protocol::tuple_of(ts, data)?;
    if all.len() > i32::MAX as usize {
        return error(ts, "sendmsg() argument 1 is too long");
    }
    let mut buffers = TryVec::new();
    let mut parts = TryVec::new();
    for item in all.items() {
        let view = Buffer::get(ts, item, buffer::SIMPLE)?;
        parts.try_push(libc::iovec { iov_base: view.view().buf, iov_len: view.view().len as usize })?;
        buffers.try_push(view)?;
    }
    Ok((buffers, parts))
}

/// Ancillary data being put together: items in whole words, each with its header.
struct Control {
    words: TryVec<u64>,
}

impl Control {
    /// Adds an item.
    fn push(&mut self, ts: &ThreadState, level: i32, kind: i32, data: &[&[u8]]) -> PyResult<()> {
        let length: usize = data.iter().map(|part| part.len()).sum();
        if length > LONGEST_PADDED as usize {
            return error(ts, "ancillary data item too large");
        }
        let start = self.words.len();
        // SAFETY: computes with numbers.
        let (space, whole) = unsafe { (libc::CMSG_SPACE(length as u32), libc::CMSG_LEN(length as u32)) };
        self.words.try_resize(start + (space as usize).div_ceil(8), 0)?;
        // SAFETY: there is room for the item, which begins at a word.
        unsafe {
            let header = self.words.as_mut_ptr().add(start).cast::<libc::cmsghdr>();
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            (*header).cmsg_len = whole as usize;
            let mut at = libc::CMSG_DATA(header);
            for part in data {
                core::ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at = at.add(part.len());
            }
        }
        Ok(())
    }

    fn attach(&mut self, message: &mut libc::msghdr) {
        if !self.words.is_empty() {
            message.msg_control = self.words.as_mut_ptr().cast();
            message.msg_controllen = self.words.len() * 8;
        }
    }
}

fn control_of(ts: &ThreadState, ancillary: Option<&PyObject>) -> PyResult<Control> {
    let mut control = Control { words: TryVec::new() };
    let Some(ancillary) = ancillary else { return Ok(control) };
    if !protocol::is_iterable(ancillary) {
        return raise!(ts, exc::TypeError, "sendmsg() argument 2 must be an iterable");
    }
    let items = protocol::tuple_of(ts, ancillary)?;
    for item in items.items() {
        let parts = item.downcast::<PyTuple>().map(PyTuple::items);
        let Some([level, kind, data]) = parts else {
            return raise!(ts, exc::TypeError, "[sendmsg() ancillary data items] must be 3-item tuples");
        };
        let (level, kind) = (protocol::as_i32(ts, level)?, protocol::as_i32(ts, kind)?);
        let data = Buffer::get(ts, data, buffer::SIMPLE)?;
        control.push(ts, level, kind, &[data.as_slice()])?;
    }
    Ok(control)
}

fn send(ts: &ThreadState, socket: &PySocket, message: &libc::msghdr, flags: i32) -> PyResult {
    let count = wait::call(ts, socket, Wait::Write, |fd| {
        // SAFETY: what the message points to stays while the call waits.
        unsafe { libc::sendmsg(fd, message, flags) }
    })?;
    PyInt::from_isize(ts, count)
}

pub(super) fn sendmsg(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sendmsg", args.len(), 1, 4)?;
    let socket = this.cast::<PySocket>();
    let flags = int_or(ts, args.get(2).copied(), 0)?;
    let address = match args.get(3).filter(|address| !is_none(address)) {
        Some(address) => {
            let native = Address::from_object(ts, socket, address, "sendmsg")?;
            audit(ts, "socket.sendmsg", &[this, address])?;
            Some(native)
        }
        None => {
            audit(ts, "socket.sendmsg", &[this, &*ts.none()])?;
            None
        }
    };
    let (buffers, mut parts) = parts_of(ts, "sendmsg", args[0])?;
    let mut control = control_of(ts, args.get(1).copied())?;
    let mut message = empty_message();
    if let Some(address) = &address {
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.len;
    }
    message.msg_iov = parts.as_mut_ptr();
    message.msg_iovlen = parts.len();
    control.attach(&mut message);
    let sent = send(ts, socket, &message, flags);
    drop(buffers);
    sent
}

pub(super) fn sendmsg_afalg(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [data, operation, iv, length, flags] =
        parse!(ts, args, "sendmsg_afalg", ["msg", "op", "iv", "assoclen", "flags"], 0, 1, 0);
    let socket = this.cast::<PySocket>();
    if socket.family.get() != libc::AF_ALG {
        return error(ts, "algset is only supported for AF_ALG");
    }
    let operation = int_or(ts, operation, -1)?;
    if operation < 0 {
        return raise!(ts, exc::ValueError, "Invalid or missing argument 'op'");
    }
    let length = match length.filter(|length| !is_none(length)) {
        Some(length) => match protocol::as_i32(ts, length)? {
            length if length < 0 => return raise!(ts, exc::TypeError, "assoclen must be positive"),
            length => Some(length),
        },
        None => None,
    };
    let flags = int_or(ts, flags, 0)?;
    let mut control = Control { words: TryVec::new() };
    control.push(ts, libc::SOL_ALG, libc::ALG_SET_OP, &[&operation.to_ne_bytes()])?;
    if let Some(iv) = iv.filter(|iv| !is_none(iv)) {
        let iv = Buffer::get(ts, iv, buffer::SIMPLE)?;
        let length = (iv.as_slice().len() as u32).to_ne_bytes();
        control.push(ts, libc::SOL_ALG, libc::ALG_SET_IV, &[&length, iv.as_slice()])?;
    }
    if let Some(length) = length {
        control.push(ts, libc::SOL_ALG, libc::ALG_SET_AEAD_ASSOCLEN, &[&length.to_ne_bytes()])?;
    }
    let (buffers, mut parts) = match data.filter(|data| !is_none(data)) {
        Some(data) => parts_of(ts, "sendmsg_afalg", data)?,
        None => (TryVec::new(), TryVec::new()),
    };
    let mut message = empty_message();
    if !parts.is_empty() {
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len();
    }
    control.attach(&mut message);
    let sent = send(ts, socket, &message, flags);
    drop(buffers);
    sent
}
