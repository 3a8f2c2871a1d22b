//! What methods written once for `bytes` and `bytearray` know of both, and how they read their arguments.

use core::mem::MaybeUninit;
use core::ops::Deref;

use super::PyBytes;
use crate::object::buffer::{self, Buffer};
use crate::object::{AsObject, Native, PyObject, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::slice::slice_index;

/// The methods, under one name.
pub(crate) mod m {
    pub(crate) use super::super::change::*;
    pub(crate) use super::super::classify::*;
    pub(crate) use super::super::hex::{fromhex, hex};
    pub(crate) use super::super::search::*;
    pub(crate) use super::super::split::*;
}

/// `bytes` or `bytearray`.
pub(crate) trait ByteString: Native {
    /// Whether results may be the object itself.
    const IMMUTABLE: bool;
    /// The bytes, kept from moving.
    type Held<'a>: Deref<Target = [u8]>
    where
        Self: 'a;

    /// The bytes; they do not move while the result lives.
    fn hold(&self) -> Self::Held<'_>;
    /// An object of exactly this type.
    fn make(ts: &ThreadState, bytes: &[u8]) -> PyResult;
    /// An object of `len` bytes that `fill` writes, all of them.
    fn build(ts: &ThreadState, len: usize, fill: impl FnOnce(&mut [MaybeUninit<u8>])) -> PyResult;
}

impl ByteString for PyBytes {
    const IMMUTABLE: bool = true;
    type Held<'a> = &'a [u8];

    #[inline(always)]
    fn hold(&self) -> &[u8] {
        self.as_slice()
    }
    #[inline]
    fn make(ts: &ThreadState, bytes: &[u8]) -> PyResult {
        PyBytes::new(ts, bytes).map(Ref::into_object)
    }
    #[inline]
    fn build(ts: &ThreadState, len: usize, fill: impl FnOnce(&mut [MaybeUninit<u8>])) -> PyResult {
        PyBytes::build(ts, len, fill).map(Ref::into_object)
    }
}

/// A method's `self`.
#[inline(always)]
pub(crate) fn of<B: ByteString>(this: &PyObject) -> B::Held<'_> {
    this.cast::<B>().hold()
}

/// A part of `this`, whose data is `data`; `this` itself when that is all and the type allows it.
#[inline]
pub(crate) fn part<B: ByteString>(
    ts: &ThreadState,
    this: &PyObject,
    data: &[u8],
    start: usize,
    end: usize,
) -> PyResult {
    if start == 0 && end == data.len() {
        return unchanged::<B>(ts, this, data);
    }
    B::make(ts, &data[start..end])
}

/// What a method returns that has nothing to change.
#[inline]
pub(crate) fn unchanged<B: ByteString>(ts: &ThreadState, this: &PyObject, data: &[u8]) -> PyResult {
    if B::IMMUTABLE && this.downcast_exact::<B>().is_some() {
        return Ok(this.new_ref());
    }
    B::make(ts, data)
}

/// The bytes of an argument.
pub enum BytesLike<'a> {
    /// Of a bytes object, which keeps them.
    Plain(&'a [u8]),
    /// Of any other object with a buffer.
    Held(Buffer),
    /// An int, where one stands for a byte.
    One([u8; 1]),
}

impl Deref for BytesLike<'_> {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        match self {
            BytesLike::Plain(bytes) => bytes,
            BytesLike::Held(buffer) => buffer.as_slice(),
            BytesLike::One(byte) => byte,
        }
    }
}

/// The bytes of a bytes-like object; TypeError when it is none.
#[inline]
pub fn bytes_like<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<BytesLike<'a>> {
    match object.downcast::<PyBytes>() {
        Some(bytes) if bytes.is_exact() => Ok(BytesLike::Plain(bytes.as_slice())),
        _ => Ok(BytesLike::Held(Buffer::get(ts, object, buffer::SIMPLE)?)),
    }
}

/// What is looked for: a bytes-like object, or an int for one byte.
#[inline]
pub(crate) fn needle<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<BytesLike<'a>> {
    if buffer::has_buffer(object) {
        return bytes_like(ts, object);
    }
    if !protocol::is_index(object) {
        return raise!(
            ts,
            exc::TypeError,
            "argument should be integer or bytes-like object, not '{}'",
            object.type_name()
        );
    }
    match u8::try_from(protocol::as_isize_clamped(ts, object)?) {
        Ok(byte) => Ok(BytesLike::One([byte])),
        Err(_) => raise!(ts, exc::ValueError, "byte must be in range(0, 256)"),
    }
}

/// The optional `start` and `end` of the searching methods, still to be clipped to the length.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    start: isize,
    end: isize,
}

impl Bounds {
    /// Reads the two arguments, which may run Python code.
    #[inline]
    pub(crate) fn read(ts: &ThreadState, arguments: &[&PyObject]) -> PyResult<Bounds> {
        let given = |index: usize, default: isize| match arguments.get(index) {
            Some(object) if !is_none(object) => slice_index(ts, object),
            _ => Ok(default),
        };
        Ok(Bounds { start: given(0, 0)?, end: given(1, isize::MAX)? })
    }

    /// Positions in `len` bytes; the start may be past the end, or even past the data.
    #[inline]
    pub(crate) fn clip(self, len: usize) -> (usize, usize) {
        let from_end = |index: isize| match index {
            0.. => index as usize,
            _ => (len as isize).saturating_add(index).max(0) as usize,
        };
        (from_end(self.start), from_end(self.end).min(len))
    }
}
