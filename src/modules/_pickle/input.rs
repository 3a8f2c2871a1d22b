//! What an unpickler reads: bytes that are all there, or a file's, of which some may have been looked at ahead.
//!
//! ```text
//!   buffer:  ──────────────┬───────────────
//!                consumed   ahead
//!           skipped ▲      ▲ position
//! ```
//!
//! Bytes that `peek` has shown are still in the file: those from `skipped` to `position` are read away before the
//! file is asked for more.

use super::state::UNPICKLING_ERROR;
use super::unpickler::PyUnpickler;
use crate::object::buffer::{self, Buffer};
use crate::object::{AsObject, PyObject, PyRef, PyResult, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// How much is looked at ahead.
const AHEAD: usize = 128 * 1024;

/// Bytes that have been read.
pub struct Input {
    buffer: Option<Buffer>,
    position: usize,
    /// Up to where the file itself has been read.
    skipped: usize,
}

impl Input {
    /// Nothing.
    pub const fn new() -> Input {
        Input { buffer: None, position: 0, skipped: 0 }
    }

    /// The bytes of an object. Raises TypeError.
    pub fn of_object(ts: &ThreadState, object: &PyObject) -> PyResult<Input> {
        if object.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "a bytes-like object is required, not 'str'");
        }
        let buffer = Buffer::get(ts, object, buffer::C_CONTIGUOUS)?;
        let skipped = buffer.as_slice().len();
        Ok(Input { buffer: Some(buffer), position: 0, skipped })
    }

    fn rest(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer.as_slice()[self.position..])
    }

    /// Whether so many bytes are there.
    #[inline]
    fn has(&self, count: usize) -> bool {
        self.rest().len() >= count
    }

    /// The next bytes. Raises UnpicklingError when there are not so many.
    #[inline]
    pub fn read(&mut self, ts: &ThreadState, of: &PyUnpickler, count: usize) -> PyResult<&[u8]> {
        if !self.has(count) {
            self.fill(ts, of, count)?;
        }
        let start = self.position;
        self.position += count;
        Ok(self.buffer.as_ref().map_or(&[], |buffer| &buffer.as_slice()[start..start + count]))
    }

    /// The next bytes of a number.
    #[inline]
    pub fn take<const N: usize>(&mut self, ts: &ThreadState, of: &PyUnpickler) -> PyResult<[u8; N]> {
        let mut taken = [0; N];
        taken.copy_from_slice(self.read(ts, of, N)?);
        Ok(taken)
    }

    /// Bytes that stay for now: a frame is read at once, and then looked at in parts.
    pub fn expect(&mut self, ts: &ThreadState, of: &PyUnpickler, count: usize) -> PyResult<()> {
        if self.has(count) { Ok(()) } else { self.fill(ts, of, count) }
    }

    /// The next line, with its end.
    pub fn line(&mut self, ts: &ThreadState, of: &PyUnpickler) -> PyResult<&[u8]> {
        let end = match self.rest().iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None => {
                let Some(readline) = of.readline.get() else { return truncated(ts) };
                self.skip(ts, of)?;
                let line = call::call0(ts, &readline)?;
                self.replace(ts, &line, "readline")?;
                match self.rest() {
                    [.., b'\n'] => self.rest().len(),
                    _ => return truncated(ts),
                }
            }
        };
        let start = self.position;
        self.position += end;
        Ok(self.buffer.as_ref().map_or(&[], |buffer| &buffer.as_slice()[start..start + end]))
    }

    /// Bytes as an object of their own.
    pub fn bytes(&mut self, ts: &ThreadState, of: &PyUnpickler, count: usize) -> PyResult {
        if let (false, Some(read)) = (self.has(count), of.read.get()) {
            self.skip(ts, of)?;
            let data = read_from(ts, &read, count)?;
            self.forget();
            return match data.downcast_exact::<PyBytes>() {
                Some(bytes) if bytes.len() == count => Ok(data),
                _ => {
                    self.replace(ts, &data, "read")?;
                    Ok(PyBytes::new(ts, self.read_here(ts, count)?)?.into_object())
                }
            };
        }
        Ok(PyBytes::new(ts, self.read(ts, of, count)?)?.into_object())
    }

    /// Bytes as a bytearray of their own, read into it where the file can do that.
    pub fn bytearray(&mut self, ts: &ThreadState, of: &PyUnpickler, count: usize) -> PyResult {
        if !self.has(count)
            && let Some(readinto) = of.readinto.get()
        {
            self.skip(ts, of)?;
            self.forget();
            let array = PyByteArray::new(ts, &[])?;
            array.resize(ts, count)?;
            let view = crate::types::memoryview::PyMemoryView::from_object(ts, array.as_object())?;
            let read = call::call_with(ts, &readinto, &[view.as_object()])?;
            view.release_memory(ts)?;
            return match crate::object::protocol::as_isize(ts, &read)? {
                read if read == count as isize => Ok(array.into_object()),
                read if read < 0 || read > count as isize => {
                    raise!(ts, exc::ValueError, "readinto() has returned {read} for {count} bytes")
                }
                _ => truncated(ts),
            };
        }
        let bytes = self.read(ts, of, count)?;
        Ok(PyByteArray::new(ts, bytes)?.into_object())
    }

    /// The next line without its end, which must not be empty.
    pub fn full_line(&mut self, ts: &ThreadState, of: &PyUnpickler) -> PyResult<&[u8]> {
        match self.line(ts, of)? {
            [line @ .., _] if !line.is_empty() => Ok(line),
            _ => truncated(ts),
        }
    }

    fn read_here(&mut self, ts: &ThreadState, count: usize) -> PyResult<&[u8]> {
        if !self.has(count) {
            return truncated(ts);
        }
        let start = self.position;
        self.position += count;
        Ok(self.buffer.as_ref().map_or(&[], |buffer| &buffer.as_slice()[start..start + count]))
    }

    fn forget(&mut self) {
        self.position = 0;
        self.skipped = 0;
        self.buffer = None;
    }

    fn replace(&mut self, ts: &ThreadState, data: &PyObject, method: &str) -> PyResult<()> {
        if !buffer::has_buffer(data) {
            return raise!(ts, exc::TypeError, "{method}() returned non-bytes object ({})", data.type_name());
        }
        let old = core::mem::replace(self, Input::of_object(ts, data)?);
        drop(old);
        Ok(())
    }

    /// Reads away what has been used of the bytes that were looked at ahead.
    pub fn skip(&mut self, ts: &ThreadState, of: &PyUnpickler) -> PyResult<()> {
        let used = self.position.saturating_sub(self.skipped);
        if used > 0 {
            if let Some(read) = of.read.get() {
                read_from(ts, &read, used)?;
            }
            self.skipped = self.position;
        }
        Ok(())
    }

    /// Gets at least so many bytes from the file.
    #[cold]
    fn fill(&mut self, ts: &ThreadState, of: &PyUnpickler, count: usize) -> PyResult<()> {
        let Some(read) = of.read.get() else { return truncated(ts) };
        if count > isize::MAX as usize {
            return raise!(ts, UNPICKLING_ERROR, "read would overflow (invalid bytecode)");
        }
        self.skip(ts, of)?;
        if count < AHEAD
            && let Some(peek) = of.peek.get()
        {
            let ahead = PyInt::from_usize(ts, AHEAD)?;
            match ts.catch(call::call_with(ts, &peek, &[&ahead]), &exc::NotImplementedError)? {
                Some(data) => {
                    self.replace(ts, &data, "peek")?;
                    self.skipped = 0;
                    if self.has(count) {
                        return Ok(());
                    }
                }
                None => of.peek.set(None),
            }
        }
        let data = read_from(ts, &read, count)?;
        self.replace(ts, &data, "read")?;
        if self.has(count) { Ok(()) } else { truncated(ts) }
    }
}

fn read_from(ts: &ThreadState, read: &PyObject, count: usize) -> PyResult<PyRef> {
    let count = PyInt::from_usize(ts, count)?;
    call::call_with(ts, read, &[&count])
}

#[cold]
fn truncated<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, UNPICKLING_ERROR, "pickle data was truncated")
}
