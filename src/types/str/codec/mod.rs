//! The codecs between strings and bytes, and what they do about errors.
//!
//! ```text
//!  text ──► Encoder::push, character by character ──► bytes      text ◄── a decoder's loop ◄── bytes
//!                     │ a character that it cannot                             │ bytes that it cannot
//!                     ▼                                                        ▼
//!             EncodeErrors::handle                                     DecodeErrors::handle
//!         the known handlers in place, any other through `_codecs`: a replacement and where to go on
//! ```

mod errors;
mod escape;
mod single;
mod utf8;
mod wide;

use hognose_allocators::collections::TryVec;

use super::layout::PyStr;
use super::units::{Unit, with_units};
use crate::object::{PyObject, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;

pub(crate) use errors::surrogates_not_allowed;
pub use errors::{DecodeErrors, EncodeErrors, new_decode_error, new_encode_error};
pub use escape::{
    Unescaped, decode_raw_unicode_escape, decode_unicode_escape, encode_raw_unicode_escape, encode_unicode_escape,
};
pub use single::{
    build_encoding_map, decode_ascii, decode_charmap, decode_latin1, encode_ascii, encode_charmap, encode_latin1,
};
pub use utf8::{decode_utf8, decode_utf8_stateful, encode_utf8};
pub use wide::{ByteOrder, decode_utf16, decode_utf32, encode_utf16, encode_utf32};

/// An encoding of single characters.
pub(super) trait Encoder {
    /// The encoding's name in errors.
    const NAME: &'static str;
    /// Why a character cannot be encoded, in errors.
    const REASON: &'static str;
    /// The number of bytes that a handler's bytes must be a multiple of.
    const UNIT: usize = 1;
    /// Whether an error takes in all the characters in a row that cannot be encoded, or one.
    const RUNS: bool = true;

    /// Appends a character; `false` when the encoding does not have it.
    fn push(&self, ts: &ThreadState, ch: u32, out: &mut TryVec<u8>) -> PyResult<bool>;

    /// What `surrogatepass` makes of a surrogate; `false` where the encoding knows no such thing.
    fn push_surrogate(&self, _ch: u32, _out: &mut TryVec<u8>) -> PyResult<bool> {
        Ok(false)
    }
}

/// Encodes with any encoder and error handler.
pub(super) fn encode_with<E: Encoder>(
    ts: &ThreadState,
    encoder: &E,
    text: &PyStr,
    errors: &str,
    capacity: usize,
) -> PyResult<Ref<PyBytes>> {
    let mut out = TryVec::new();
    out.try_reserve(capacity)?;
    encode_into(ts, encoder, text, errors, &mut out)?;
    PyBytes::new(ts, &out)
}

/// [`encode_with`], after what is in `out`.
pub(super) fn encode_into<E: Encoder>(
    ts: &ThreadState,
    encoder: &E,
    text: &PyStr,
    errors: &str,
    out: &mut TryVec<u8>,
) -> PyResult<()> {
    with_units!(text.data(), |units| encode_units(ts, encoder, text, units, errors, out))
}

fn encode_units<E: Encoder, U: Unit>(
    ts: &ThreadState,
    encoder: &E,
    text: &PyStr,
    units: &[U],
    errors: &str,
    out: &mut TryVec<u8>,
) -> PyResult<()> {
    let handler = EncodeErrors::new(text, errors);
    let mut at = 0;
    while let Some(unit) = units.get(at) {
        if encoder.push(ts, (*unit).into(), out)? {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut probe = TryVec::new();
        while E::RUNS && end < units.len() && !encoder.push(ts, units[end].into(), &mut probe)? {
            end += 1;
        }
        at = handler.handle(ts, encoder, at, end, out)?;
    }
    Ok(())
}

/// An encoding that has a short way, recognised by its name as people write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// UTF-8.
    Utf8,
    /// Latin-1.
    Latin1,
    /// ASCII.
    Ascii,
}

impl Known {
    /// Recognises a name; case and the choice between `-`, `_` and a space do not matter.
    pub fn from_name(name: &str) -> Option<Known> {
        if name == "utf-8" {
            return Some(Known::Utf8);
        }
        let mut buffer = [0; 16];
        let normal = buffer.get_mut(..name.len())?;
        for (place, byte) in normal.iter_mut().zip(name.bytes()) {
            *place = match byte {
                b'-' | b' ' => b'_',
                _ => byte.to_ascii_lowercase(),
            };
        }
        Some(match &*normal {
            b"utf_8" | b"utf8" => Known::Utf8,
            b"latin_1" | b"latin1" | b"iso_8859_1" | b"iso8859_1" => Known::Latin1,
            // The last one is what the C library calls it.
            b"ascii" | b"us_ascii" | b"ansi_x3.4_1968" => Known::Ascii,
            _ => return None,
        })
    }

    /// The name of Python's codec.
    pub fn codec_name(self) -> &'static str {
        match self {
            Known::Utf8 => "utf-8",
            Known::Latin1 => "iso8859-1",
            Known::Ascii => "ascii",
        }
    }
}

/// In development mode unknown names are found out even where nothing needs them.
#[cold]
fn check_names(ts: &ThreadState, encoding: &str, errors: &str) -> PyResult<()> {
    if ts.interp().finalizing.get() {
        return Ok(());
    }
    if Known::from_name(encoding).is_none() {
        crate::modules::_codecs::lookup(ts, encoding)?;
    }
    if errors != "strict" {
        crate::modules::_codecs::lookup_error(ts, errors)?;
    }
    Ok(())
}

/// `str.encode`: by a short way where there is one, else through the codec registry. The result of the
/// registry's codec is checked to be bytes.
pub fn encode(ts: &ThreadState, text: &PyStr, encoding: &str, errors: &str) -> PyResult {
    if ts.interp().config().dev_mode > 0 {
        check_names(ts, encoding, errors)?;
    }
    match Known::from_name(encoding) {
        Some(Known::Utf8) => encode_utf8(ts, text, errors).map(Ref::into_object),
        Some(Known::Latin1) => encode_latin1(ts, text, errors).map(Ref::into_object),
        Some(Known::Ascii) => encode_ascii(ts, text, errors).map(Ref::into_object),
        None => {
            use crate::object::AsObject;
            crate::modules::_codecs::encode(ts, text.as_object(), encoding, errors)
        }
    }
}

/// Decodes a bytes-like object (`bytes.decode`, `str(object, encoding)`) that has been asked for its bytes
/// already: by a short way where there is one, else through the codec registry.
pub fn decode(ts: &ThreadState, object: &PyObject, bytes: &[u8], encoding: &str, errors: &str) -> PyResult {
    if ts.interp().config().dev_mode > 0 {
        check_names(ts, encoding, errors)?;
    }
    match Known::from_name(encoding) {
        Some(Known::Utf8) => decode_utf8(ts, bytes, errors).map(Ref::into_object),
        Some(Known::Latin1) => decode_latin1(ts, bytes).map(Ref::into_object),
        Some(Known::Ascii) => decode_ascii(ts, bytes, errors).map(Ref::into_object),
        None => crate::modules::_codecs::decode(ts, object, encoding, errors),
    }
}
