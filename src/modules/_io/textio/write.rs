//! Writing text.

use hognose_allocators::collections::TryVec;

use super::super::buffered::{BUFFERED_WRITER_TYPE, PyBuffered};
use super::super::newline::contains;
use super::super::util::*;
use super::codec::Coder;
use super::{PyTextIOWrapper, wrapper};
use crate::object::{AsObject, PyObject, PyResult, Ref, call};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::{id, raise};

impl PyTextIOWrapper {
    /// Hands the pending bytes to the buffer.
    pub(super) fn write_pending(&self, ts: &ThreadState) -> PyResult<()> {
        if self.pending().is_empty() {
            return Ok(());
        }
        // They are taken off first: whatever happens, they are not written twice.
        let pending = core::mem::replace(self.pending(), TryVec::new());
        self.write_out(ts, &pending)?;
        // The memory serves again, unless something was written meanwhile.
        if self.pending().is_empty() {
            let mut memory = pending;
            memory.clear();
            *self.pending() = memory;
        }
        Ok(())
    }

    fn write_out(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<()> {
        let buffer = self.attached(ts)?;
        if is_exactly(&buffer, &BUFFERED_WRITER_TYPE) {
            let buffered = buffer.cast::<PyBuffered>();
            loop {
                match buffered.write_checked(ts, bytes) {
                    Ok(_) => return Ok(()),
                    Err(raised) => trap_interruption(ts, raised)?,
                }
            }
        }
        let bytes = PyBytes::new(ts, bytes)?;
        call_uninterrupted(ts, &buffer, id!(write), &[bytes.as_object()])?;
        Ok(())
    }

    /// `write(text)`.
    fn write_text(&self, ts: &ThreadState, text: &PyStr) -> PyResult<()> {
        let buffer = self.attached(ts)?;
        self.check_open(ts)?;
        if self.encoder_kind.get() == Coder::None {
            return unsupported(ts, "not writable");
        }
        let translates = self.write_newline.is_some();
        let line_buffering = self.line_buffering.get();
        let has_newline = (translates || line_buffering) && contains(text, b'\n');
        let mut translated = Ref::from_borrowed(text);
        if has_newline && let Some(newline) = self.write_newline.get() {
            translated = text.replace(ts, PyStr::latin1_char(b'\n'), &newline, usize::MAX)?;
        }
        let needs_flush = line_buffering && (has_newline || contains(text, b'\r'));
        let chunk = self.chunk_size.get();
        let encoded;
        let bytes = match self.plain_units(&translated) {
            Some(units) => units,
            None => {
                encoded = self.encode(ts, &translated)?;
                encoded.as_slice()
            }
        };
        self.at_start.set(false);
        // Whoever is written to may write in turn, and comes first then.
        while !self.pending().is_empty() && self.pending().len() + bytes.len() > chunk {
            self.write_pending(ts)?;
        }
        self.pending().try_extend_from_copy(bytes)?;
        if self.pending().len() >= chunk || needs_flush || self.write_through.get() {
            self.write_pending(ts)?;
        }
        if needs_flush {
            call::call_method(ts, &buffer, id!(flush), &[])?;
        }
        if self.snapshot_input.is_some() {
            self.forget_decoded();
            self.snapshot_input.set(None);
        }
        if self.decoder_kind.get() != Coder::None {
            self.reset_decoder(ts)?;
        }
        Ok(())
    }
}

pub(super) fn write(ts: &ThreadState, object: &PyObject, text: &PyObject) -> PyResult {
    let this = wrapper(object);
    this.attached(ts)?;
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "write() argument must be str, not {}", text.type_name());
    };
    this.write_text(ts, text)?;
    size_object(ts, text.len())
}
