//! Reading text.

use super::super::buffered::BUFFERED_READER_TYPE;
use super::super::buffered::PyBuffered;
use super::super::newline::line_end;
use super::super::util::*;
use super::codec::Coder;
use super::{PyTextIOWrapper, TEXT_IO_WRAPPER_TYPE, wrapper};
use crate::object::{PyObject, PyRef, PyResult, Ref, call, protocol};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, StrBuilder};
use crate::{id, raise};

impl PyTextIOWrapper {
    /// Decodes the next piece of the file; false at its end.
    pub(super) fn read_chunk(&self, ts: &ThreadState, size_hint: usize) -> PyResult<bool> {
        if self.decoder_kind.get() == Coder::None {
            return unsupported(ts, "not readable");
        }
        let before = if self.telling.get() { Some(self.decoder_state(ts)?) } else { None };
        let wanted = (self.ratio.get().max(1.0) * size_hint as f64) as usize;
        let size = self.chunk_size.get().max(wanted);
        let buffer = self.attached(ts)?;
        let input = if is_exactly(&buffer, &BUFFERED_READER_TYPE) {
            buffer.cast::<PyBuffered>().read_once(ts, size as isize)?
        } else {
            let size = size_object(ts, size)?;
            let name: &PyStr = if self.has_read1.get() { id!(read1) } else { id!(read) };
            call::call_method(ts, &buffer, name, &[&size])?
        };
        let held;
        let bytes: &[u8] = match input.downcast_exact::<PyBytes>() {
            Some(bytes) => bytes.as_slice(),
            None => {
                held = match crate::types::bytes::shared::bytes_like(ts, &input) {
                    Ok(bytes) => bytes,
                    Err(raised) => {
                        ts.clear_raised(raised);
                        return raise!(
                            ts,
                            exc::TypeError,
                            "underlying {}() should have returned a bytes-like object, not '{}'",
                            if self.has_read1.get() { "read1" } else { "read" },
                            input.type_name()
                        );
                    }
                };
                &held
            }
        };
        let count = bytes.len();
        let end = count == 0;
        let text = self.decode(ts, &input, end)?;
        let length = text.len();
        self.ratio.set(if length > 0 { count as f64 / length as f64 } else { 0.0 });
        let end = end && length == 0;
        self.used.set(0);
        self.decoded.set(Some(text));
        if let Some((waiting, flags)) = before {
            // What the decoder waits for is decoded again with the piece when a position is looked for.
            let piece = if waiting.is_empty() {
                match input.downcast_exact::<PyBytes>() {
                    Some(piece) => Ref::from_borrowed(piece),
                    None => PyBytes::new(ts, bytes)?,
                }
            } else {
                let mut piece = hognose_allocators::collections::TryVec::try_from_slice(waiting.as_slice())?;
                piece.try_extend_from_copy(bytes)?;
                PyBytes::new(ts, &piece)?
            };
            self.snapshot_flags.set(flags);
            self.snapshot_input.set(Some(piece));
        }
        Ok(!end)
    }

    /// Takes up to `count` decoded characters.
    fn take_decoded(&self, ts: &ThreadState, count: usize) -> PyResult<Ref<PyStr>> {
        let Some(text) = self.decoded.get() else { return Ok(PyStr::empty()) };
        let used = self.used.get();
        let count = count.min(text.len() - used);
        let part = text.slice(ts, used, used + count)?;
        self.used.set(used + count);
        Ok(part)
    }

    /// `read()`.
    fn read_all(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        let buffer = self.attached(ts)?;
        let input = call::call_method(ts, &buffer, id!(read), &[])?;
        if self.decoder_kind.get() != Coder::Object && crate::types::none::is_none(&input) {
            return raise!(
                ts,
                exc::TypeError,
                "underlying read() should have returned a bytes-like object, not '{}'",
                input.type_name()
            );
        }
        let rest = self.decode(ts, &input, true)?;
        let first = self.take_decoded(ts, usize::MAX)?;
        let all = if first.is_empty() { rest } else { PyStr::concat(ts, &first, &rest)? };
        if self.snapshot_input.is_some() {
            self.forget_decoded();
            self.snapshot_input.set(None);
        }
        Ok(all)
    }

    /// `read(count)`.
    fn read_characters(&self, ts: &ThreadState, count: usize) -> PyResult<Ref<PyStr>> {
        let first = self.take_decoded(ts, count)?;
        let mut remaining = count - first.len();
        if remaining == 0 {
            return Ok(first);
        }
        let mut text = StrBuilder::new();
        text.push(&first)?;
        while remaining > 0 {
            loop {
                match self.read_chunk(ts, remaining) {
                    Ok(true) => break,
                    Ok(false) => return text.finish(ts),
                    Err(raised) => trap_interruption(ts, raised)?,
                }
            }
            let part = self.take_decoded(ts, remaining)?;
            remaining -= part.len();
            text.push(&part)?;
        }
        text.finish(ts)
    }

    /// `readline(limit)`.
    fn read_line(&self, ts: &ThreadState, limit: isize) -> PyResult<Ref<PyStr>> {
        self.check_open(ts)?;
        self.write_pending(ts)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let ends = self.line_ends();
        // What was taken from pieces that are used up, and the end of the last of them that may belong to a line end.
        let mut before: Option<StrBuilder> = None;
        let mut rest: Option<Ref<PyStr>> = None;
        loop {
            let piece = loop {
                if let Some(text) = self.decoded.get()
                    && self.used.get() < text.len()
                {
                    break Some(text);
                }
                match self.read_chunk(ts, 0) {
                    Ok(true) => {}
                    Ok(false) => break None,
                    Err(raised) => trap_interruption(ts, raised)?,
                }
            };
            let Some(piece) = piece else {
                // The end of the file ends the line.
                self.forget_decoded();
                self.snapshot_input.set(None);
                self.used.set(0);
                return finish_line(ts, before, rest.as_deref(), None);
            };
            // `carried` characters at the front are not of this piece.
            let (line, start, carried) = match rest.take() {
                None => (piece, self.used.get(), 0),
                Some(rest) => {
                    let used = self.used.get();
                    let fresh = if used == 0 { piece } else { piece.slice(ts, used, piece.len())? };
                    let carried = rest.len();
                    (PyStr::concat(ts, &rest, &fresh)?, 0, carried)
                }
            };
            let used_before = if carried > 0 { self.used.get() } else { 0 };
            let done = before.as_ref().map_or(0, StrBuilder::len);
            let found = line_end(&line, start, ends);
            let (mut end, mut complete) = match found {
                Ok(end) => (end, true),
                Err(end) => (end, false),
            };
            if end - start >= limit - done {
                end = start + (limit - done);
                complete = true;
            }
            if complete {
                self.used.set((used_before + end).saturating_sub(carried));
                if before.is_none() {
                    return line.slice(ts, start, end);
                }
                return finish_line(ts, before, None, Some((&line, start, end)));
            }
            if end > start {
                let text = before.get_or_insert_with(StrBuilder::new);
                text.push_slice(&line, start, end)?;
            }
            if end < line.len() {
                rest = Some(line.slice(ts, end, line.len())?);
            }
            self.forget_decoded();
        }
    }
}

/// The parts of a line as one string.
fn finish_line(
    ts: &ThreadState,
    before: Option<StrBuilder>,
    rest: Option<&PyStr>,
    last: Option<(&PyStr, usize, usize)>,
) -> PyResult<Ref<PyStr>> {
    let mut text = before.unwrap_or_default();
    if let Some(rest) = rest {
        text.push(rest)?;
    }
    if let Some((line, start, end)) = last {
        text.push_slice(line, start, end)?;
    }
    text.finish(ts)
}

pub(super) fn read(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "read", args.len(), 0, 1)?;
    let size = optional_size(ts, args.first().copied())?;
    let this = wrapper(object);
    this.attached(ts)?;
    this.check_open(ts)?;
    if this.decoder_kind.get() == Coder::None {
        return unsupported(ts, "not readable");
    }
    this.write_pending(ts)?;
    let text = match usize::try_from(size) {
        Ok(size) => this.read_characters(ts, size)?,
        Err(_) => this.read_all(ts)?,
    };
    Ok(text.into_object())
}

pub(super) fn readline(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readline", args.len(), 0, 1)?;
    let limit = args.first().map_or(Ok(-1), |limit| protocol::as_isize(ts, limit))?;
    let this = wrapper(object);
    this.attached(ts)?;
    this.read_line(ts, limit).map(Ref::into_object)
}

pub(super) fn iternext(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = wrapper(object);
    this.attached(ts)?;
    this.telling.set(false);
    let line = if is_exactly(object, &TEXT_IO_WRAPPER_TYPE) {
        this.read_line(ts, -1)?
    } else {
        let line = call::call_method(ts, object, id!(readline), &[])?;
        match line.downcast_into::<PyStr>() {
            Ok(line) => line,
            Err(other) => {
                let name = other.type_name();
                return raise!(ts, exc::OSError, "readline() should have returned a str object, not '{name}'");
            }
        }
    };
    if line.is_empty() {
        // The end: positions can be asked for again.
        this.snapshot_input.set(None);
        this.telling.set(this.seekable.get());
        return Ok(None);
    }
    Ok(Some(line.into_object()))
}
