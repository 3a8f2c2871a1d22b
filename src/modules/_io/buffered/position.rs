//! `seek`, `tell` and `truncate` through the buffer.

use super::super::util::*;
use super::{PyBuffered, buffered};
use crate::object::{AsObject, PyObject, PyResult, call};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::{id, raise};

impl PyBuffered {
    fn seek_to(&self, ts: &ThreadState, target: i64, whence: i32) -> PyResult<i64> {
        let mut target = target;
        let _busy = self.enter(ts)?;
        if self.readable.get() && matches!(whence, libc::SEEK_SET | libc::SEEK_CUR) {
            // Within what was read ahead nothing has to be moved.
            let current = match self.abs_pos.get() {
                -1 => self.raw_tell(ts)?,
                known => known,
            };
            let there = self.ahead();
            if there > 0 {
                let here = current - self.raw_offset();
                let offset = if whence == libc::SEEK_SET { target.wrapping_sub(here) } else { target };
                if offset >= -(self.pos.get() as i64) && offset <= there as i64 {
                    self.pos.set(self.pos.get() + offset as isize);
                    // A device may be behind what was read from it.
                    return Ok((here + offset).max(0));
                }
            }
        }
        if self.writable.get() {
            self.flush_written(ts)?;
        }
        if whence == libc::SEEK_CUR {
            target = target.wrapping_sub(self.raw_offset());
        }
        let position = self.raw_seek(ts, target, whence)?;
        self.raw_pos.set(-1);
        if self.readable.get() {
            self.forget_read();
        }
        Ok(position)
    }
}

pub(super) fn seek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let whence = whence_of(ts, args.get(1).copied())?;
    let this = buffered(object);
    this.check(ts)?;
    if !matches!(whence, libc::SEEK_SET | libc::SEEK_CUR | libc::SEEK_END | libc::SEEK_DATA | libc::SEEK_HOLE) {
        return raise!(ts, exc::ValueError, "whence value {whence} unsupported");
    }
    this.check_open(ts, "seek of closed file")?;
    check_seekable(ts, &*this.raw(ts)?)?;
    let target = as_offset(ts, args[0])?;
    PyInt::from_i64(ts, this.seek_to(ts, target, whence)?)
}

pub(super) fn tell(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    let position = this.raw_tell(ts)? - this.raw_offset();
    // A device may be behind what was read from it.
    PyInt::from_i64(ts, position.max(0))
}

pub(super) fn truncate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "truncate", args.len(), 0, 1)?;
    let this = buffered(object);
    this.check(ts)?;
    this.check_open(ts, "truncate of closed file")?;
    if !this.writable.get() {
        return unsupported(ts, "truncate");
    }
    let raw = this.raw(ts)?;
    let _busy = this.enter(ts)?;
    this.flush_and_rewind(ts)?;
    let size = args.first().copied().unwrap_or(none());
    let result = call::call_method(ts, &raw, id!(truncate), &[size])?;
    // The raw stream may have moved.
    if let Err(raised) = this.raw_tell(ts) {
        ts.clear_raised(raised);
    }
    Ok(result.new_ref())
}
