//! Reading through the buffer.

use hognose_allocators::collections::TryVec;

use super::super::base::copy_into;
use super::super::util::*;
use super::{PyBuffered, buffered};
use crate::object::{PyObject, PyResult, Ref, attr, call};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::{id, raise};

impl PyBuffered {
    /// Reads from the raw stream behind what was read; `None` when that would block.
    fn fill(&self, ts: &ThreadState) -> PyResult<Option<usize>> {
        self.have_memory()?;
        let start = if self.has_read() { self.read_end.get() as usize } else { 0 };
        let count = self.raw_read(ts, self.place(start), self.size() - start)?;
        if let Some(count) = count
            && count > 0
        {
            self.read_end.set((start + count) as isize);
            self.raw_pos.set((start + count) as isize);
        }
        Ok(count)
    }

    /// Takes `count` bytes that are there.
    fn take(&self, ts: &ThreadState, count: usize) -> PyResult<Ref<PyBytes>> {
        let pos = self.pos.get() as usize;
        // SAFETY: making a bytes object runs no Python code.
        let bytes = PyBytes::new(ts, unsafe { self.bytes(pos, pos + count) })?;
        self.pos.set((pos + count) as isize);
        Ok(bytes)
    }

    /// `read(count)`.
    pub(super) fn read_bytes(&self, ts: &ThreadState, count: usize) -> PyResult {
        if count <= self.ahead() {
            return self.take(ts, count).map(Ref::into_object);
        }
        let _busy = self.enter(ts)?;
        // Another thread may have read meanwhile.
        if count <= self.ahead() {
            return self.take(ts, count).map(Ref::into_object);
        }
        self.read_more(ts, count)
    }

    /// `read(count)` of more than is there.
    fn read_more(&self, ts: &ThreadState, count: usize) -> PyResult {
        let read = bytes_filled(ts, count, |out| {
            let mut done = self.ahead();
            // SAFETY: `out` has room for `count` bytes, which is more than are there.
            unsafe { self.load(self.pos.get() as usize, out, done) };
            self.pos.set(self.pos.get() + done as isize);
            if self.writable.get() {
                self.flush_and_rewind(ts)?;
            }
            self.forget_read();
            // Whole buffers go past the buffer.
            loop {
                let direct = (count - done) / self.size() * self.size();
                if direct == 0 {
                    break;
                }
                match self.raw_read(ts, out.wrapping_add(done), direct)? {
                    Some(got) if got > 0 => done += got,
                    // The end of the file, or nothing more to be had now.
                    end => return Ok(if end == Some(0) || done > 0 { Some(done) } else { None }),
                }
            }
            self.pos.set(0);
            self.raw_pos.set(0);
            self.read_end.set(0);
            while done < count && (self.read_end.get() as usize) < self.size() {
                match self.fill(ts)? {
                    Some(got) if got > 0 => {
                        let part = got.min(count - done);
                        // SAFETY: there is room for `count` bytes.
                        unsafe { self.load(self.pos.get() as usize, out.wrapping_add(done), part) };
                        self.pos.set(self.pos.get() + part as isize);
                        done += part;
                    }
                    end => return Ok(if end == Some(0) || done > 0 { Some(done) } else { None }),
                }
            }
            Ok(Some(done))
        })?;
        Ok(read.map_or_else(|| ts.none(), Ref::into_object))
    }

    /// `read()`.
    fn read_all(&self, ts: &ThreadState) -> PyResult {
        let _busy = self.enter(ts)?;
        let there = self.ahead();
        let mut all = TryVec::<u8>::new();
        if there > 0 {
            let pos = self.pos.get() as usize;
            // SAFETY: copying runs no Python code.
            all.try_extend_from_copy(unsafe { self.bytes(pos, pos + there) })?;
            self.pos.set((pos + there) as isize);
        }
        if self.writable.get() {
            self.flush_and_rewind(ts)?;
        }
        self.forget_read();
        let raw = filled(ts, &self.raw)?;
        if let Some(readall) = attr::get_opt(ts, &raw, id!(readall))? {
            let rest = call::call0(ts, &readall)?;
            self.abs_pos.set(-1);
            if !is_none(&rest) && !rest.is_a::<PyBytes>() {
                return raise!(ts, exc::TypeError, "readall() should return bytes");
            }
            if all.is_empty() {
                return Ok(rest);
            }
            if let Some(rest) = rest.downcast::<PyBytes>() {
                all.try_extend_from_copy(rest.as_slice())?;
            }
            return PyBytes::new(ts, &all).map(Ref::into_object);
        }
        loop {
            let part = call::call_method(ts, &raw, id!(read), &[])?;
            if !is_none(&part) && !part.is_a::<PyBytes>() {
                return raise!(ts, exc::TypeError, "read() should return bytes");
            }
            match part.downcast::<PyBytes>() {
                Some(bytes) if !bytes.is_empty() => {
                    all.try_extend_from_copy(bytes.as_slice())?;
                    self.advance(bytes.len());
                }
                _ if all.is_empty() => return Ok(part),
                _ => return PyBytes::new(ts, &all).map(Ref::into_object),
            }
        }
    }

    /// `peek()`: what is there, or what one read of the raw stream brings.
    fn peek_bytes(&self, ts: &ThreadState) -> PyResult {
        let _busy = self.enter(ts)?;
        if self.writable.get() {
            self.flush_and_rewind(ts)?;
        }
        let there = self.ahead();
        if there > 0 {
            let pos = self.pos.get() as usize;
            // SAFETY: making a bytes object runs no Python code.
            return PyBytes::new(ts, unsafe { self.bytes(pos, pos + there) }).map(Ref::into_object);
        }
        self.forget_read();
        self.pos.set(0);
        self.raw_pos.set(0);
        let count = self.fill(ts)?.unwrap_or(0);
        // SAFETY: as above.
        PyBytes::new(ts, unsafe { self.bytes(0, count) }).map(Ref::into_object)
    }

    /// `read1(count)`.
    pub(in super::super) fn read_once(&self, ts: &ThreadState, count: isize) -> PyResult {
        self.check(ts)?;
        let count = if count < 0 { self.size() } else { count as usize };
        self.check_open(ts, "read of closed file")?;
        if count == 0 {
            return Ok(PyBytes::empty().into_object());
        }
        let there = self.ahead();
        if there > 0 {
            return self.take(ts, count.min(there)).map(Ref::into_object);
        }
        let _busy = self.enter(ts)?;
        // Another thread may have read meanwhile.
        let there = self.ahead();
        if there > 0 {
            return self.take(ts, count.min(there)).map(Ref::into_object);
        }
        if self.writable.get() {
            self.flush_and_rewind(ts)?;
        }
        let read = bytes_filled(ts, count, |out| {
            self.forget_read();
            Ok(Some(self.raw_read(ts, out, count)?.unwrap_or(0)))
        })?;
        Ok(read.map_or_else(|| ts.none(), Ref::into_object))
    }

    fn read_into(&self, ts: &ThreadState, target: &PyObject, once: bool) -> PyResult {
        let view = readinto_buffer(ts, if once { "readinto1() argument" } else { "readinto() argument" }, target)?;
        self.check_open(ts, "readinto of closed file")?;
        let _busy = self.enter(ts)?;
        let len = view.view().len as usize;
        let mut done = self.ahead().min(len);
        if done > 0 {
            let pos = self.pos.get() as usize;
            // SAFETY: copying runs no Python code.
            copy_into(&view, 0, unsafe { self.bytes(pos, pos + done) });
            self.pos.set((pos + done) as isize);
        }
        if done == len {
            return size_object(ts, done);
        }
        if self.writable.get() {
            self.flush_and_rewind(ts)?;
        }
        self.forget_read();
        self.pos.set(0);
        while done < len {
            let remaining = len - done;
            let got = if remaining > self.size() {
                // SAFETY: the view has room for what remains.
                let place = unsafe { view.view().buf.cast::<u8>().add(done) };
                self.raw_read(ts, place, remaining)?
            } else if once && done > 0 {
                break;
            } else {
                let got = self.fill(ts)?;
                if let Some(got) = got
                    && got > 0
                {
                    let part = got.min(remaining);
                    let pos = self.pos.get() as usize;
                    // SAFETY: as above.
                    copy_into(&view, done, unsafe { self.bytes(pos, pos + part) });
                    self.pos.set((pos + part) as isize);
                    done += part;
                    continue;
                }
                got
            };
            match got {
                None if done == 0 => return Ok(ts.none()),
                None | Some(0) => break,
                Some(got) => done += got,
            }
            if once {
                break;
            }
        }
        size_object(ts, done)
    }

    /// `readline(limit)`.
    pub(super) fn read_line(&self, ts: &ThreadState, limit: isize) -> PyResult {
        self.check_open(ts, "readline of closed file")?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // The usual case: the whole line is there.
        if let Some(count) = self.line_ahead(limit) {
            return self.take(ts, count).map(Ref::into_object);
        }
        let _busy = self.enter(ts)?;
        // Another thread may have read meanwhile.
        if let Some(count) = self.line_ahead(limit) {
            return self.take(ts, count).map(Ref::into_object);
        }
        let mut line = TryVec::<u8>::new();
        let there = self.ahead();
        if there > 0 {
            let pos = self.pos.get() as usize;
            // SAFETY: copying runs no Python code.
            line.try_extend_from_copy(unsafe { self.bytes(pos, pos + there) })?;
            self.pos.set((pos + there) as isize);
        }
        if self.writable.get() {
            self.flush_and_rewind(ts)?;
        }
        loop {
            self.forget_read();
            self.pos.set(0);
            match self.fill(ts)? {
                Some(count) if count > 0 => {}
                _ => break,
            }
            let found = self.line_ahead(limit - line.len());
            let count = found.unwrap_or_else(|| self.ahead());
            // SAFETY: as above.
            line.try_extend_from_copy(unsafe { self.bytes(0, count) })?;
            self.pos.set(count as isize);
            if found.is_some() {
                break;
            }
        }
        PyBytes::new(ts, &line).map(Ref::into_object)
    }

    /// The length of the line that is there, its end included, or the limit when the line is not shorter.
    fn line_ahead(&self, limit: usize) -> Option<usize> {
        let pos = self.pos.get() as usize;
        let there = self.ahead().min(limit);
        // SAFETY: the search runs no Python code.
        let bytes = unsafe { self.bytes(pos, pos + there) };
        match find_newline(bytes) {
            Some(at) => Some(at + 1),
            None => (there == limit).then_some(limit),
        }
    }
}

/// The first `\n`.
pub(in super::super) fn find_newline(bytes: &[u8]) -> Option<usize> {
    // SAFETY: the slice has so many bytes.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), b'\n'.into(), bytes.len()) };
    (!found.is_null()).then(|| found.addr() - bytes.as_ptr().addr())
}

pub(super) fn read(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let size = optional_size(ts, args.first().copied())?;
    let this = buffered(object);
    this.check(ts)?;
    if size < -1 {
        return raise!(ts, exc::ValueError, "read length must be non-negative or -1");
    }
    this.check_open(ts, "read of closed file")?;
    if size == -1 {
        return this.read_all(ts);
    }
    this.read_bytes(ts, size as usize)
}

pub(super) fn peek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "peek", args.len(), 0, 1)?;
    if let Some(size) = args.first() {
        crate::object::protocol::as_isize(ts, size)?;
    }
    let this = buffered(object);
    this.check(ts)?;
    this.check_open(ts, "peek of closed file")?;
    this.peek_bytes(ts)
}

pub(super) fn read1(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read1", args.len(), 0, 1)?;
    let size = args.first().map_or(Ok(-1), |size| crate::object::protocol::as_isize(ts, size))?;
    buffered(object).read_once(ts, size)
}

pub(super) fn readinto(ts: &ThreadState, object: &PyObject, target: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    this.read_into(ts, target, false)
}

pub(super) fn readinto1(ts: &ThreadState, object: &PyObject, target: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    this.read_into(ts, target, true)
}

pub(super) fn readline(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readline", args.len(), 0, 1)?;
    let limit = optional_size(ts, args.first().copied())?;
    let this = buffered(object);
    this.check(ts)?;
    this.read_line(ts, limit)
}
