//! Writing through the buffer.

use super::super::util::*;
use super::{PyBuffered, buffered};
use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::exceptions as exc;

const WOULD_BLOCK: &str = "write could not complete without blocking";

impl PyBuffered {
    /// Writes what waits in the buffer. Afterwards nothing does, unless it fails.
    pub(super) fn flush_written(&self, ts: &ThreadState) -> PyResult<()> {
        if self.has_written() && self.write_pos.get() < self.write_end.get() {
            // First back to where the waiting bytes belong.
            let back = self.raw_offset() + (self.pos.get() - self.write_pos.get()) as i64;
            if back != 0 {
                self.raw_seek(ts, -back, libc::SEEK_CUR)?;
                self.raw_pos.set(self.raw_pos.get() - back as isize);
            }
            while self.write_pos.get() < self.write_end.get() {
                let (from, to) = (self.write_pos.get() as usize, self.write_end.get() as usize);
                // SAFETY: `busy` keeps everybody else from the buffer.
                let Some(count) = self.raw_write(ts, unsafe { self.bytes(from, to) })? else {
                    return blocking_error(ts, WOULD_BLOCK, 0);
                };
                // The user's position stays: it may be elsewhere in what was read ahead.
                self.write_pos.set((from + count) as isize);
                self.raw_pos.set((from + count) as isize);
                // A write that was cut short may have been by a signal.
                crate::lifecycle::pending::signals(ts)?;
            }
        }
        self.forget_written();
        Ok(())
    }

    /// `write(bytes)`; the bytes are held by the caller. Tells how many were taken.
    pub(super) fn write_bytes(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<usize> {
        let _busy = self.enter(ts)?;
        // Another call may have closed the file while this one waited.
        self.check_open(ts, "write to closed file")?;
        if self.have_memory().is_err() {
            return self.write_past(ts, bytes);
        }
        if !self.has_read() && !self.has_written() {
            self.pos.set(0);
            self.raw_pos.set(0);
        }
        let size = self.size();
        let room = size - self.pos.get() as usize;
        if bytes.len() <= room && bytes.len() < size {
            self.store(self.pos.get() as usize, bytes);
            if !self.has_written() || self.write_pos.get() > self.pos.get() {
                self.write_pos.set(self.pos.get());
            }
            self.move_to(self.pos.get() + bytes.len() as isize);
            if self.write_end.get() < self.pos.get() {
                self.write_end.set(self.pos.get());
            }
            return Ok(bytes.len());
        }
        self.write_through(ts, bytes)
    }

    /// [`write_bytes`](PyBuffered::write_bytes) for callers that have not looked at the state of the object.
    pub(in super::super) fn write_checked(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<usize> {
        self.check(ts)?;
        self.write_bytes(ts, bytes)
    }

    /// Writes without a buffer, for which there is no memory: a report of that very failure still comes out.
    #[cold]
    fn write_past(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<usize> {
        let mut done = 0;
        while done < bytes.len() {
            match self.raw_write(ts, &bytes[done..])? {
                Some(count) => done += count,
                None => return blocking_error(ts, WOULD_BLOCK, done),
            }
            crate::lifecycle::pending::signals(ts)?;
        }
        Ok(done)
    }

    #[inline(never)]
    fn write_through(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<usize> {
        let size = self.size();
        if let Err(raised) = self.flush_written(ts) {
            if !ts.raised_matches(&exc::BlockingIOError) {
                return Err(raised);
            }
            if self.readable.get() {
                self.forget_read();
            }
            return self.keep_what_fits(ts, raised, bytes);
        }
        // What was read ahead is given back.
        let offset = self.raw_offset();
        if offset != 0 {
            self.raw_seek(ts, -offset, libc::SEEK_CUR)?;
            self.raw_pos.set(self.raw_pos.get() - offset as isize);
        }
        let mut done = 0;
        while bytes.len() - done > size {
            match self.raw_write(ts, &bytes[done..])? {
                Some(count) => done += count,
                None => {
                    // As much as there is room for waits in the buffer.
                    self.store(0, &bytes[done..done + size]);
                    self.raw_pos.set(0);
                    self.move_to(size as isize);
                    self.write_pos.set(0);
                    self.write_end.set(size as isize);
                    return blocking_error(ts, WOULD_BLOCK, done + size);
                }
            }
            crate::lifecycle::pending::signals(ts)?;
        }
        if self.readable.get() {
            self.forget_read();
        }
        let rest = &bytes[done..];
        self.store(0, rest);
        self.write_pos.set(0);
        self.write_end.set(rest.len() as isize);
        self.move_to(rest.len() as isize);
        self.raw_pos.set(0);
        Ok(bytes.len())
    }

    /// The raw stream takes nothing now: what still fits waits in the buffer.
    #[cold]
    fn keep_what_fits(&self, ts: &ThreadState, raised: crate::object::Raised, bytes: &[u8]) -> PyResult<usize> {
        let from = self.write_pos.get();
        let waiting = (self.write_end.get() - from) as usize;
        // SAFETY: both are places of the buffer, which `busy` keeps for us.
        unsafe { core::ptr::copy(self.place(from as usize), self.place(0), waiting) };
        self.write_end.set(waiting as isize);
        self.raw_pos.set(self.raw_pos.get() - from);
        self.pos.set(self.pos.get() - from);
        self.write_pos.set(0);
        let room = self.size() - waiting;
        let taken = bytes.len().min(room);
        self.store(waiting, &bytes[..taken]);
        self.write_end.set((waiting + taken) as isize);
        self.pos.set(self.pos.get() + taken as isize);
        ts.clear_raised(raised);
        if taken == bytes.len() {
            return Ok(taken);
        }
        blocking_error(ts, WOULD_BLOCK, taken)
    }
}

pub(super) fn write(ts: &ThreadState, object: &PyObject, data: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    let data = crate::types::bytes::shared::bytes_like(ts, data)?;
    let count = this.write_bytes(ts, &data)?;
    size_object(ts, count)
}
