//! Decoding and encoding for `TextIOWrapper`: natively for the three encodings that most files have, by the
//! codec's incremental objects for all others.

use super::super::newline::{decoded_text, state_parts};
use super::super::util::*;
use super::PyTextIOWrapper;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::codec::{self, Known};
use crate::types::str::{PyStr, StrData};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// Who decodes or encodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Coder {
    /// Nobody: the stream is not readable, or not writable.
    None = 0,
    /// The native UTF-8 codec.
    Utf8,
    /// The native Latin-1 codec.
    Latin1,
    /// The native ASCII codec.
    Ascii,
    /// An object of the codec's.
    Object,
}

/// What an encoding's name stands for.
pub(super) enum Codec {
    Native(Coder),
    /// A `CodecInfo`.
    Info(PyRef),
}

impl PyTextIOWrapper {
    /// The codec of that name. LookupError when there is none, or none for text.
    pub(super) fn find_codec(&self, ts: &ThreadState, encoding: &PyStr) -> PyResult<Codec> {
        if let Some(known) = encoding.ascii_str().and_then(Known::from_name) {
            return Ok(Codec::Native(match known {
                Known::Utf8 => Coder::Utf8,
                Known::Latin1 => Coder::Latin1,
                Known::Ascii => Coder::Ascii,
            }));
        }
        if encoding.contains_nul() {
            return raise!(ts, exc::LookupError, "unknown encoding: {encoding}");
        }
        let lookup = protocol::import_attr(ts, "_codecs", "lookup")?;
        let info = call::call_with(ts, &lookup, &[encoding.as_object()])?;
        let is_text = match info.downcast_exact::<PyTuple>() {
            // A plain tuple from an old search function says nothing.
            Some(_) => true,
            None => match attr::get_opt(ts, &info, id!(_is_text_encoding))? {
                Some(flag) => protocol::is_true(ts, &flag)?,
                None => true,
            },
        };
        if !is_text {
            return raise!(
                ts,
                exc::LookupError,
                "'{encoding}' is not a text encoding; use codecs.open() to handle arbitrary codecs"
            );
        }
        Ok(Codec::Info(info))
    }

    /// Sets decoder and encoder up for what the buffer can do.
    pub(super) fn set_codec(&self, ts: &ThreadState, buffer: &PyObject, encoding: &PyStr) -> PyResult<()> {
        let found = self.find_codec(ts, encoding)?;
        let can = |name: &PyStr| {
            let answer = call::call_method(ts, buffer, name, &[])?;
            protocol::is_true(ts, &answer)
        };
        let (readable, writable) = (can(id!(readable))?, can(id!(writable))?);
        let make = |info: &PyObject, factory: &PyStr| {
            let errors = self.errors.get();
            let factory = attr::get(ts, info, factory)?;
            match errors {
                Some(errors) => call::call_with(ts, &factory, &[errors.as_object()]),
                None => call::call0(ts, &factory),
            }
        };
        self.begun_len.set(0);
        self.newlines.reset();
        let (decoder, encoder) = match &found {
            Codec::Native(_) => (None, None),
            Codec::Info(info) => (
                if readable { Some(make(info, id!(incrementaldecoder))?) } else { None },
                if writable { Some(make(info, id!(incrementalencoder))?) } else { None },
            ),
        };
        let kind = |wanted: bool| match found {
            _ if !wanted => Coder::None,
            Codec::Native(kind) => kind,
            Codec::Info(_) => Coder::Object,
        };
        self.decoder_kind.set(kind(readable));
        self.encoder_kind.set(kind(writable));
        self.decoder.set(decoder);
        self.encoder.set(encoder);
        Ok(())
    }

    /// In the middle of a file an encoder writes no byte order mark.
    pub(super) fn fix_encoder_state(&self, ts: &ThreadState, buffer: &PyObject) -> PyResult<()> {
        if !self.seekable.get() || self.encoder_kind.get() == Coder::None {
            return Ok(());
        }
        self.at_start.set(true);
        if self.encoder_kind.get() != Coder::Object {
            // The native encodings have no mark, and the position does not matter.
            return Ok(());
        }
        let position = call::call_method(ts, buffer, id!(tell), &[])?;
        if !protocol::equal(ts, &position, PyInt::zero())? {
            self.reset_encoder(ts, false)?;
        }
        Ok(())
    }

    /// Puts the encoder to the start of the stream, or somewhere behind it.
    pub(super) fn reset_encoder(&self, ts: &ThreadState, start: bool) -> PyResult<()> {
        self.at_start.set(start);
        let Some(encoder) = self.encoder.get() else { return Ok(()) };
        if start {
            call::call_method(ts, &encoder, id!(reset), &[])?;
        } else {
            call::call_method(ts, &encoder, id!(setstate), &[PyInt::zero()])?;
        }
        Ok(())
    }

    fn errors_text<'a>(&self, ts: &ThreadState, errors: &'a Option<Ref<PyStr>>) -> PyResult<&'a str> {
        match errors {
            None => Ok("strict"),
            Some(errors) => errors.utf8(ts),
        }
    }

    /// Decodes a piece of the input.
    pub(super) fn decode(&self, ts: &ThreadState, input: &PyObject, last: bool) -> PyResult<Ref<PyStr>> {
        let text = match self.decoder_kind.get() {
            Coder::None => return unsupported(ts, "not readable"),
            Coder::Object => {
                let Some(decoder) = self.decoder.get() else { return unsupported(ts, "not readable") };
                let last = py_bool(last);
                decoded_text(ts, call::call_method(ts, &decoder, id!(decode), &[input, &last])?)?
            }
            native => {
                let bytes = crate::types::bytes::shared::bytes_like(ts, input)?;
                self.decode_native(ts, native, &bytes, last)?
            }
        };
        if self.read_universal.get() { self.newlines.take(ts, text, last) } else { Ok(text) }
    }

    #[inline]
    fn decode_native(&self, ts: &ThreadState, kind: Coder, bytes: &[u8], last: bool) -> PyResult<Ref<PyStr>> {
        match kind {
            Coder::Latin1 => return codec::decode_latin1(ts, bytes),
            _ if self.begun_len.get() == 0 && bytes.is_ascii() => return PyStr::from_ascii(ts, bytes),
            _ => {}
        }
        let errors = self.errors.get();
        let errors = self.errors_text(ts, &errors)?;
        if kind == Coder::Ascii {
            return codec::decode_ascii(ts, bytes, errors);
        }
        let begun = self.begun.get();
        let begun = &begun[..self.begun_len.get().into()];
        if begun.is_empty() {
            let (text, taken) = codec::decode_utf8_stateful(ts, bytes, errors, last)?;
            self.keep_begun(&bytes[taken..]);
            return Ok(text);
        }
        let mut whole = hognose_allocators::collections::TryVec::try_with_capacity(begun.len() + bytes.len())?;
        whole.try_extend_from_copy(begun)?;
        whole.try_extend_from_copy(bytes)?;
        let (text, taken) = codec::decode_utf8_stateful(ts, &whole, errors, last)?;
        self.keep_begun(&whole[taken..]);
        Ok(text)
    }

    /// Keeps the bytes of a character that has only begun: three at most.
    fn keep_begun(&self, rest: &[u8]) {
        let mut begun = [0; 4];
        let count = rest.len().min(begun.len());
        begun[..count].copy_from_slice(&rest[..count]);
        self.begun.set(begun);
        self.begun_len.set(count as u8);
    }

    /// The decoder's state: what waits for more input, and its flags.
    pub(super) fn decoder_state(&self, ts: &ThreadState) -> PyResult<(Ref<PyBytes>, u64)> {
        let (input, mut flags) = match self.decoder_kind.get() {
            Coder::Object => {
                let Some(decoder) = self.decoder.get() else { return unsupported(ts, "not readable") };
                state_parts(ts, &*call::call_method(ts, &decoder, id!(getstate), &[])?)?
            }
            _ => {
                let begun = self.begun.get();
                (PyBytes::new(ts, &begun[..self.begun_len.get().into()])?, 0)
            }
        };
        if self.read_universal.get() {
            flags = flags << 1 | u64::from(self.newlines.pending_cr.get());
        }
        Ok((input, flags))
    }

    /// Puts the decoder into a state.
    pub(super) fn set_decoder_state(&self, ts: &ThreadState, input: &PyBytes, flags: u64) -> PyResult<()> {
        let mut flags = flags;
        if self.read_universal.get() {
            self.newlines.pending_cr.set(flags & 1 != 0);
            flags >>= 1;
        }
        match self.decoder_kind.get() {
            Coder::None => {}
            Coder::Object => {
                let Some(decoder) = self.decoder.get() else { return Ok(()) };
                let flags = PyInt::from_u64(ts, flags)?;
                let state = PyTuple::pair(ts, input.as_object(), &flags)?;
                call::call_method(ts, &decoder, id!(setstate), &[state.as_object()])?;
            }
            _ => self.keep_begun(input.as_slice()),
        }
        Ok(())
    }

    /// Makes the decoder forget what it has seen.
    pub(super) fn reset_decoder(&self, ts: &ThreadState) -> PyResult<()> {
        self.begun_len.set(0);
        if self.read_universal.get() {
            self.newlines.reset();
        }
        if let Some(decoder) = self.decoder.get() {
            call::call_method(ts, &decoder, id!(reset), &[])?;
        }
        Ok(())
    }

    /// The bytes of a text that are its very units, if it is that simple.
    #[inline]
    pub(super) fn plain_units<'a>(&self, text: &'a PyStr) -> Option<&'a [u8]> {
        match (self.encoder_kind.get(), text.data()) {
            (Coder::Utf8 | Coder::Latin1 | Coder::Ascii, StrData::Ascii(units)) => Some(units),
            (Coder::Latin1, StrData::Latin1(units)) => Some(units),
            _ => None,
        }
    }

    /// Encodes a text that [`plain_units`](PyTextIOWrapper::plain_units) does not do.
    pub(super) fn encode(&self, ts: &ThreadState, text: &PyStr) -> PyResult<Ref<PyBytes>> {
        let kind = self.encoder_kind.get();
        let errors = self.errors.get();
        let errors = self.errors_text(ts, &errors)?;
        match kind {
            Coder::None => unsupported(ts, "not writable"),
            Coder::Utf8 => codec::encode_utf8(ts, text, errors),
            Coder::Latin1 => codec::encode_latin1(ts, text, errors),
            Coder::Ascii => codec::encode_ascii(ts, text, errors),
            Coder::Object => {
                let Some(encoder) = self.encoder.get() else { return unsupported(ts, "not writable") };
                let bytes = call::call_method(ts, &encoder, id!(encode), &[text.as_object()])?;
                match bytes.downcast_into::<PyBytes>() {
                    Ok(bytes) => Ok(bytes),
                    Err(other) => {
                        let name = other.type_name();
                        raise!(ts, exc::TypeError, "encoder should return a bytes object, not '{name}'")
                    }
                }
            }
        }
    }
}
