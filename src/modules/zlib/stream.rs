//! A stream of the compression library: its memory comes from the interpreter's heap, its failures are exceptions.
//!
//! I1: a stream stays where it was initialized, in an object that does not move.
//! I2: the library runs while the thread holds the interpreter, so its memory may come from the interpreter's heap.

use core::ffi::{CStr, c_int, c_uint, c_void};

use hognose_allocators::Heap;
use libz_rs_sys as z;

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;

/// A stream without a state.
pub(super) fn empty_stream(ts: &ThreadState) -> z::z_stream {
    z::z_stream {
        next_in: core::ptr::null_mut(),
        avail_in: 0,
        total_in: 0,
        next_out: core::ptr::null_mut(),
        avail_out: 0,
        total_out: 0,
        msg: core::ptr::null_mut(),
        state: core::ptr::null_mut(),
        zalloc: Some(allocate),
        zfree: Some(free),
        opaque: core::ptr::from_ref::<Heap>(ts.heap()).cast_mut().cast(),
        data_type: 0,
        adler: 0,
        reserved: 0,
    }
}

unsafe extern "C" fn allocate(heap: *mut c_void, items: c_uint, size: c_uint) -> *mut c_void {
    // Two factors of 32 bits cannot overflow.
    let bytes = items as usize * size as usize;
    // SAFETY: `opaque` is the heap of the interpreter, which outlives its objects; I2.
    unsafe { (*heap.cast::<Heap>()).mem_alloc(bytes).cast() }
}

unsafe extern "C" fn free(heap: *mut c_void, block: *mut c_void) {
    // SAFETY: as above; the block came from there.
    unsafe { (*heap.cast::<Heap>()).mem_free(block.cast()) }
}

/// Raises `zlib.error` for a status, with the library's words where it has some.
#[cold]
pub(super) fn fail<T>(ts: &ThreadState, stream: &z::z_stream, status: c_int, doing: &str) -> PyResult<T> {
    let message = if status == z::Z_VERSION_ERROR {
        "library version mismatch"
    } else if !stream.msg.is_null() {
        // SAFETY: the library's messages are static C strings.
        unsafe { CStr::from_ptr(stream.msg) }.to_str().unwrap_or_default()
    } else {
        match status {
            z::Z_BUF_ERROR => "incomplete or truncated stream",
            z::Z_STREAM_ERROR => "inconsistent stream state",
            z::Z_DATA_ERROR => "invalid input data",
            _ => "",
        }
    };
    if message.is_empty() {
        return raise!(ts, super::ERROR, "Error {status} {doing}");
    }
    raise!(ts, super::ERROR, "Error {status} {doing}: {message}")
}

/// The library's counts are of 32 bits: long data goes to it in parts.
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(data: &'a [u8]) -> Input<'a> {
        Input { rest: data }
    }

    /// Hands the next part to the stream; true when it is the last one.
    pub(super) fn next_part(&mut self, stream: &mut z::z_stream) -> bool {
        let count = self.rest.len().min(c_uint::MAX as usize);
        stream.next_in = self.rest.as_ptr().cast_mut();
        stream.avail_in = count as c_uint;
        self.rest = &self.rest[count..];
        self.rest.is_empty()
    }

    /// What the stream has not taken.
    pub(super) fn left(&self, stream: &z::z_stream) -> usize {
        self.rest.len() + stream.avail_in as usize
    }
}

/// The output, a bytes object that grows up to a limit.
pub(super) struct Output {
    bytes: Ref<PyBytes>,
    room: usize,
    used: usize,
    limit: usize,
}

impl Output {
    /// `room` is the size to begin with.
    pub(super) fn new(ts: &ThreadState, room: usize, limit: usize) -> PyResult<Output> {
        // Two at least, so that the object is none of the static ones.
        let room = room.min(limit).max(2);
        // SAFETY: the object is seen by others only when it has been cut to what was written.
        let bytes = unsafe { PyBytes::uninit(ts, room)? };
        Ok(Output { bytes, room, used: 0, limit })
    }

    /// Gives the stream room to write to; false when the limit has been reached.
    pub(super) fn give_room(&mut self, ts: &ThreadState, stream: &mut z::z_stream) -> PyResult<bool> {
        if self.used >= self.limit {
            return Ok(false);
        }
        if self.used == self.room {
            let room = self.room.saturating_mul(2).min(self.limit).min(isize::MAX as usize / 2);
            if room <= self.room {
                return Err(ts.raise_no_memory());
            }
            let grown = core::mem::replace(&mut self.bytes, PyBytes::empty());
            // SAFETY: nobody else has the object.
            self.bytes = unsafe { PyBytes::resize(ts, grown, room)? };
            self.room = room;
        }
        let count = (self.room.min(self.limit) - self.used).min(c_uint::MAX as usize);
        stream.next_out = self.bytes.data_ptr().wrapping_add(self.used);
        stream.avail_out = count as c_uint;
        Ok(true)
    }

    /// Notes what the stream has written.
    pub(super) fn take(&mut self, stream: &z::z_stream) {
        self.used = stream.next_out as usize - self.bytes.data_ptr() as usize;
    }

    /// The output as an object.
    pub(super) fn finish(self, ts: &ThreadState) -> PyResult {
        // Nothing and a single byte are static objects.
        if self.used < 2 {
            // SAFETY: so many bytes have been written.
            let written = unsafe { core::slice::from_raw_parts(self.bytes.data_ptr(), self.used) };
            return Ok(PyBytes::new(ts, written)?.into_object());
        }
        // SAFETY: nobody else has the object.
        Ok(unsafe { PyBytes::resize(ts, self.bytes, self.used)? }.into_object())
    }
}

/// Initializes a stream for compressing.
pub(super) fn start_deflate(
    stream: &mut z::z_stream,
    level: c_int,
    method: c_int,
    wbits: c_int,
    mem_level: c_int,
    strategy: c_int,
) -> c_int {
    // SAFETY: the stream is whole, and the version and size are those of the library that is linked.
    unsafe {
        z::deflateInit2_(
            stream,
            level,
            method,
            wbits,
            mem_level,
            strategy,
            z::zlibVersion(),
            size_of::<z::z_stream>() as c_int,
        )
    }
}

/// Initializes a stream for decompressing.
pub(super) fn start_inflate(stream: &mut z::z_stream, wbits: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { z::inflateInit2_(stream, wbits, z::zlibVersion(), size_of::<z::z_stream>() as c_int) }
}

/// [`start_inflate`] for an object of its own.
///
/// # Errors
/// ValueError for window bits that are none, MemoryError, `zlib.error`.
pub(super) fn begin_inflate(ts: &ThreadState, stream: &mut z::z_stream, wbits: c_int) -> PyResult<()> {
    match start_inflate(stream, wbits) {
        z::Z_OK => Ok(()),
        z::Z_STREAM_ERROR => raise!(ts, exc::ValueError, "Invalid initialization option"),
        z::Z_MEM_ERROR => raise!(ts, exc::MemoryError, "Can't allocate memory for decompression object"),
        status => fail(ts, stream, status, "while creating decompression object"),
    }
}

/// Sets the dictionary of a stream that decompresses.
pub(super) fn set_inflate_dictionary(ts: &ThreadState, stream: &mut z::z_stream, dictionary: &[u8]) -> PyResult<()> {
    let Ok(length) = c_uint::try_from(dictionary.len()) else {
        return raise!(ts, exc::OverflowError, "zdict length does not fit in an unsigned int");
    };
    // SAFETY: the stream is initialized, the dictionary is read only.
    let status = unsafe { z::inflateSetDictionary(stream, dictionary.as_ptr(), length) };
    if status != z::Z_OK {
        return fail(ts, stream, status, "while setting zdict");
    }
    Ok(())
}
