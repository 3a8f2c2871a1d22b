//! `tell` and `seek`. A position in decoded text is a place in the file where the decoder's state is known,
//! and how to go on from there; all of it packed into one int:
//!
//! ```text
//!  bit 0          64           96              128            160
//!  ├─ position ────┼─ flags ────┼─ bytes to feed ┼─ characters ─┼─ need end ┤
//! ```
//!
//! With simple encodings all but the position is zero, and the int is the position itself.

use super::super::util::*;
use super::codec::Coder;
use super::{PyTextIOWrapper, wrapper};
use crate::object::{AsObject, PyObject, PyResult, Ref, call, protocol};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::{id, raise};

/// A position.
#[derive(Default)]
struct Cookie {
    /// Where in the file the decoder starts.
    start: i64,
    /// The decoder's flags there.
    flags: u32,
    /// How many bytes it is fed.
    bytes_to_feed: u32,
    /// How many of the characters that come of it are skipped.
    skip: u32,
    /// The decoder is told that the file ends there.
    need_end: bool,
}

/// The bytes of a cookie.
const SIZE: usize = 8 + 4 + 4 + 4 + 1;

impl Cookie {
    fn from_object(ts: &ThreadState, object: &PyInt) -> PyResult<Cookie> {
        let mut bytes = [0; SIZE];
        object.write_bytes(ts, &mut bytes, true, false)?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(Cookie {
            start: (u64::from(word(0)) | u64::from(word(4)) << 32) as i64,
            flags: word(8),
            bytes_to_feed: word(12),
            skip: word(16),
            need_end: bytes[20] != 0,
        })
    }

    fn to_object(&self, ts: &ThreadState) -> PyResult {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.flags.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.bytes_to_feed.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.skip.to_le_bytes());
        bytes[20] = u8::from(self.need_end);
        PyInt::from_bytes(ts, &bytes, true, false)
    }
}

impl PyTextIOWrapper {
    /// Puts the decoder to where a cookie starts.
    fn rewind_decoder(&self, ts: &ThreadState, cookie: &Cookie) -> PyResult<()> {
        if cookie.start == 0 && cookie.flags == 0 {
            return self.reset_decoder(ts);
        }
        self.set_decoder_state(ts, &PyBytes::empty(), cookie.flags.into())
    }

    /// The same, when only the flags matter: `tell` tries states out.
    fn try_state(&self, ts: &ThreadState, cookie: &Cookie) -> PyResult<()> {
        self.rewind_decoder(ts, cookie)
    }

    /// How many characters the bytes decode to.
    fn decoded_length(&self, ts: &ThreadState, input: &PyBytes, from: usize, to: usize, last: bool) -> PyResult<usize> {
        let piece = input.slice(ts, from, to)?;
        Ok(self.decode(ts, piece.as_object(), last)?.len())
    }

    /// Finds the cookie of the position `skip` characters into what `input` decodes to.
    fn find_cookie(&self, ts: &ThreadState, cookie: &mut Cookie, input: &PyBytes, skip: usize) -> PyResult<()> {
        let mut skip = skip;
        // Look for a place before the position where the decoder waits for nothing: first where it should be by
        // the ratio of bytes to characters, then further back.
        let mut skip_bytes = ((self.ratio.get() * skip as f64) as usize).min(input.len());
        let mut back = 1;
        loop {
            if skip_bytes == 0 {
                self.try_state(ts, cookie)?;
                break;
            }
            self.try_state(ts, cookie)?;
            let length = self.decoded_length(ts, input, 0, skip_bytes, false)?;
            if length <= skip {
                let (waiting, flags) = self.decoder_state(ts)?;
                if waiting.is_empty() {
                    cookie.flags = flags as u32;
                    skip -= length;
                    break;
                }
                skip_bytes = skip_bytes.saturating_sub(waiting.len());
                back = 1;
            } else {
                skip_bytes = skip_bytes.saturating_sub(back);
                back *= 2;
            }
        }
        cookie.start += skip_bytes as i64;
        cookie.skip = skip as u32;
        if skip == 0 {
            return Ok(());
        }
        // Feed byte by byte, and note each place where the decoder waits for nothing.
        let mut length = 0;
        let mut at = skip_bytes;
        while at < input.len() {
            length += self.decoded_length(ts, input, at, at + 1, false)?;
            at += 1;
            cookie.bytes_to_feed += 1;
            let (waiting, flags) = self.decoder_state(ts)?;
            if waiting.is_empty() && length <= skip {
                cookie.start += i64::from(cookie.bytes_to_feed);
                skip -= length;
                cookie.flags = flags as u32;
                cookie.bytes_to_feed = 0;
                length = 0;
            }
            if length >= skip {
                cookie.skip = skip as u32;
                return Ok(());
            }
        }
        // The rest comes only at the end of the file.
        let end = PyBytes::empty();
        length += self.decode(ts, end.as_object(), true)?.len();
        cookie.need_end = true;
        if length < skip {
            return raise!(ts, exc::OSError, "can't reconstruct logical file position");
        }
        cookie.skip = skip as u32;
        Ok(())
    }
}

pub(super) fn tell(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    let buffer = this.attached(ts)?;
    this.check_open(ts)?;
    if !this.seekable.get() {
        return unsupported(ts, "underlying stream is not seekable");
    }
    if !this.telling.get() {
        return raise!(ts, exc::OSError, "telling position disabled by next() call");
    }
    this.write_pending(ts)?;
    call::call_method(ts, object, id!(flush), &[])?;
    let position = call::call_method(ts, &buffer, id!(tell), &[])?;
    let snapshot = this.snapshot_input.get().filter(|_| this.decoder_kind.get() != Coder::None);
    let Some(input) = snapshot else { return Ok(position) };
    let mut cookie = Cookie {
        start: as_offset(ts, &position)? - input.len() as i64,
        flags: this.snapshot_flags.get() as u32,
        ..Cookie::default()
    };
    let skip = this.used.get();
    if skip == 0 || !this.decoded.is_some() {
        return cookie.to_object(ts);
    }
    let (waiting, flags) = this.decoder_state(ts)?;
    let found = this.find_cookie(ts, &mut cookie, &input, skip);
    // The decoder goes back to where it was in any case.
    and_then_close(ts, found, || this.set_decoder_state(ts, &waiting, flags))?;
    cookie.to_object(ts)
}

pub(super) fn seek(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "seek", args.len(), 1, 2)?;
    let whence = whence_of(ts, args.get(1).copied())?;
    let this = wrapper(object);
    let buffer = this.attached(ts)?;
    this.check_open(ts)?;
    if !this.seekable.get() {
        return unsupported(ts, "underlying stream is not seekable");
    }
    let mut target = args[0].new_ref();
    match whence {
        libc::SEEK_SET => {}
        libc::SEEK_CUR => {
            if !protocol::equal(ts, &target, PyInt::zero())? {
                return unsupported(ts, "can't do nonzero cur-relative seeks");
            }
            // Seeking to where it is brings buffer and text together.
            call::call_method(ts, object, id!(flush), &[])?;
            target = call::call_method(ts, object, id!(tell), &[])?;
        }
        libc::SEEK_END => {
            if !protocol::equal(ts, &target, PyInt::zero())? {
                return unsupported(ts, "can't do nonzero end-relative seeks");
            }
            call::call_method(ts, object, id!(flush), &[])?;
            this.forget_decoded();
            this.snapshot_input.set(None);
            this.reset_decoder(ts)?;
            let two = PyInt::from_i64(ts, 2)?;
            let position = call::call_method(ts, &buffer, id!(seek), &[PyInt::zero(), &two])?;
            if this.encoder_kind.get() != Coder::None {
                let start = protocol::equal(ts, &position, PyInt::zero())?;
                this.reset_encoder(ts, start)?;
            }
            return Ok(position);
        }
        _ => {
            return raise!(ts, exc::ValueError, "invalid whence ({whence}, should be 0, 1 or 2)");
        }
    }
    let target = protocol::index(ts, &target)?;
    if target.sign() < 0 {
        let shown = protocol::repr(ts, target.as_object())?;
        return raise!(ts, exc::ValueError, "negative seek position {shown}");
    }
    call::call_method(ts, object, id!(flush), &[])?;
    let cookie = Cookie::from_object(ts, &target)?;
    let start = PyInt::from_i64(ts, cookie.start)?;
    call::call_method(ts, &buffer, id!(seek), &[&start])?;
    this.forget_decoded();
    this.snapshot_input.set(None);
    if this.decoder_kind.get() != Coder::None {
        this.rewind_decoder(ts, &cookie)?;
    }
    if cookie.skip > 0 {
        let count = PyInt::from_i64(ts, cookie.bytes_to_feed.into())?;
        let input = call::call_method(ts, &buffer, id!(read), &[&count])?;
        let input = match input.downcast_into::<PyBytes>() {
            Ok(input) => input,
            Err(other) => {
                let name = other.type_name();
                return raise!(
                    ts,
                    exc::TypeError,
                    "underlying read() should have returned a bytes object, not '{name}'"
                );
            }
        };
        this.snapshot_flags.set(cookie.flags.into());
        this.snapshot_input.set(Some(input.clone()));
        let text = this.decode(ts, input.as_object(), cookie.need_end)?;
        if text.len() < cookie.skip as usize {
            return raise!(ts, exc::OSError, "can't restore logical file position");
        }
        this.decoded.set(Some(text));
        this.used.set(cookie.skip as usize);
    } else {
        this.snapshot_flags.set(cookie.flags.into());
        this.snapshot_input.set(Some(PyBytes::empty()));
    }
    if this.encoder_kind.get() != Coder::None {
        this.reset_encoder(ts, cookie.start == 0 && cookie.flags == 0)?;
    }
    Ok(Ref::into_object(target))
}
