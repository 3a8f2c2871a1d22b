//! The native codecs as module functions: encoders return (bytes, characters taken), decoders (text, bytes taken).

use super::{escape, utf7};
use crate::object::buffer::{self, Buffer};
use crate::object::{PyObject, PyRef, PyResult, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{BytesLike, PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::str::codec::{self, ByteOrder};
use crate::types::tuple::PyTuple;

fn pair(ts: &ThreadState, value: PyRef, taken: usize) -> PyResult {
    PyTuple::from_array(ts, [value, PyInt::from_usize(ts, taken)?]).map(Ref::into_object)
}

/// The second argument: an error handler's name.
fn errors_of<'a>(ts: &ThreadState, function: &str, args: &[&'a PyObject]) -> PyResult<&'a str> {
    let Some(errors) = args.get(1).filter(|errors| !is_none(errors)) else { return Ok("strict") };
    let Some(text) = errors.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "{function}() argument 2 must be str or None, not {}", errors.type_name());
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    text.utf8(ts)
}

fn text_of<'a>(ts: &ThreadState, function: &str, args: &[&'a PyObject]) -> PyResult<&'a PyStr> {
    match args[0].downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => {
            let given = if is_none(args[0]) { "None" } else { args[0].type_name() };
            raise!(ts, exc::TypeError, "{function}() argument 1 must be str, not {given}")
        }
    }
}

fn flag(ts: &ThreadState, args: &[&PyObject], index: usize, default: bool) -> PyResult<bool> {
    match args.get(index) {
        Some(value) => protocol::is_true(ts, value),
        None => Ok(default),
    }
}

fn order_of(ts: &ThreadState, args: &[&PyObject], index: usize) -> PyResult<ByteOrder> {
    let Some(order) = args.get(index) else { return Ok(ByteOrder::Native) };
    Ok(match protocol::as_i32(ts, order)? {
        0 => ByteOrder::Native,
        ..0 => ByteOrder::Little,
        _ => ByteOrder::Big,
    })
}

type Encoder = fn(&ThreadState, &PyStr, &str) -> PyResult<Ref<PyBytes>>;
/// Text and how many bytes were taken; the flag says that no more input follows.
type Decoder = fn(&ThreadState, &[u8], &str, bool) -> PyResult<(Ref<PyStr>, usize)>;

fn encode(ts: &ThreadState, name: &str, args: &[&PyObject], encoder: Encoder) -> PyResult {
    call::check_count(ts, name, args.len(), 1, 2)?;
    let text = text_of(ts, name, args)?;
    let bytes = encoder(ts, text, errors_of(ts, name, args)?)?;
    pair(ts, bytes.into_object(), text.len())
}

fn decode(ts: &ThreadState, name: &str, args: &[&PyObject], most: usize, last: bool, decoder: Decoder) -> PyResult {
    call::check_count(ts, name, args.len(), 1, most)?;
    let data = bytes_like(ts, args[0])?;
    let last = if most > 2 { flag(ts, args, 2, last)? } else { true };
    let (text, taken) = decoder(ts, &data, errors_of(ts, name, args)?, last)?;
    pair(ts, text.into_object(), taken)
}

macro_rules! encoders {
    ($($name:ident = $encoder:expr;)*) => {
        $(pub(super) fn $name(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
            encode(ts, stringify!($name), args, $encoder)
        })*
    };
}

macro_rules! decoders {
    ($($name:ident, $most:literal = $decoder:expr;)*) => {
        $(pub(super) fn $name(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
            decode(ts, stringify!($name), args, $most, false, $decoder)
        })*
    };
}

encoders! {
    utf_8_encode = codec::encode_utf8;
    utf_7_encode = |ts, text, _| utf7::encode(ts, text);
    utf_16_le_encode = |ts, text, errors| codec::encode_utf16(ts, text, errors, ByteOrder::Little);
    utf_16_be_encode = |ts, text, errors| codec::encode_utf16(ts, text, errors, ByteOrder::Big);
    utf_32_le_encode = |ts, text, errors| codec::encode_utf32(ts, text, errors, ByteOrder::Little);
    utf_32_be_encode = |ts, text, errors| codec::encode_utf32(ts, text, errors, ByteOrder::Big);
    unicode_escape_encode = |ts, text, _| codec::encode_unicode_escape(ts, text);
    raw_unicode_escape_encode = |ts, text, _| codec::encode_raw_unicode_escape(ts, text);
    latin_1_encode = codec::encode_latin1;
    ascii_encode = codec::encode_ascii;
}

/// A decoder of wide characters without its report about the byte order.
fn wide(decoded: PyResult<(Ref<PyStr>, usize, ByteOrder)>) -> PyResult<(Ref<PyStr>, usize)> {
    decoded.map(|(text, taken, _)| (text, taken))
}

decoders! {
    utf_8_decode, 3 = codec::decode_utf8_stateful;
    utf_7_decode, 3 = utf7::decode;
    utf_16_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf16(ts, data, errors, ByteOrder::Native, last));
    utf_16_le_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf16(ts, data, errors, ByteOrder::Little, last));
    utf_16_be_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf16(ts, data, errors, ByteOrder::Big, last));
    utf_32_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf32(ts, data, errors, ByteOrder::Native, last));
    utf_32_le_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf32(ts, data, errors, ByteOrder::Little, last));
    utf_32_be_decode, 3 = |ts, data, errors, last| wide(codec::decode_utf32(ts, data, errors, ByteOrder::Big, last));
    latin_1_decode, 2 = |ts, data, _, _| Ok((codec::decode_latin1(ts, data)?, data.len()));
    ascii_decode, 2 = |ts, data, errors, _| Ok((codec::decode_ascii(ts, data, errors)?, data.len()));
}

pub(super) fn utf_16_encode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "utf_16_encode", args.len(), 1, 3)?;
    let text = text_of(ts, "utf_16_encode", args)?;
    let bytes = codec::encode_utf16(ts, text, errors_of(ts, "utf_16_encode", args)?, order_of(ts, args, 2)?)?;
    pair(ts, bytes.into_object(), text.len())
}

pub(super) fn utf_32_encode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "utf_32_encode", args.len(), 1, 3)?;
    let text = text_of(ts, "utf_32_encode", args)?;
    let bytes = codec::encode_utf32(ts, text, errors_of(ts, "utf_32_encode", args)?, order_of(ts, args, 2)?)?;
    pair(ts, bytes.into_object(), text.len())
}

type WideDecoder = fn(&ThreadState, &[u8], &str, ByteOrder, bool) -> PyResult<(Ref<PyStr>, usize, ByteOrder)>;

fn ex_decode(ts: &ThreadState, name: &str, args: &[&PyObject], decoder: WideDecoder) -> PyResult {
    call::check_count(ts, name, args.len(), 1, 4)?;
    let data = bytes_like(ts, args[0])?;
    let (order, last) = (order_of(ts, args, 2)?, flag(ts, args, 3, false)?);
    let (text, taken, order) = decoder(ts, &data, errors_of(ts, name, args)?, order, last)?;
    let (taken, order) = (PyInt::from_usize(ts, taken)?, PyInt::from_i64(ts, order as i64)?);
    PyTuple::from_array(ts, [text.into_object(), taken, order]).map(Ref::into_object)
}

pub(super) fn utf_16_ex_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    ex_decode(ts, "utf_16_ex_decode", args, codec::decode_utf16)
}

pub(super) fn utf_32_ex_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    ex_decode(ts, "utf_32_ex_decode", args, codec::decode_utf32)
}

/// The bytes of an argument that may be a string, too, which stands for its UTF-8.
fn text_or_bytes<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<BytesLike<'a>> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(BytesLike::Plain(text.utf8(ts)?.as_bytes())),
        None => Ok(BytesLike::Held(Buffer::get(ts, object, buffer::SIMPLE)?)),
    }
}

pub(super) fn unicode_escape_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "unicode_escape_decode", args.len(), 1, 3)?;
    let data = text_or_bytes(ts, args[0])?;
    let last = flag(ts, args, 2, true)?;
    let errors = errors_of(ts, "unicode_escape_decode", args)?;
    let decoded = codec::decode_unicode_escape(ts, &data, errors, last)?;
    if let Some(invalid) = decoded.first_invalid {
        escape::warn_invalid(ts, invalid)?;
    }
    pair(ts, decoded.text.into_object(), decoded.consumed)
}

pub(super) fn raw_unicode_escape_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "raw_unicode_escape_decode", args.len(), 1, 3)?;
    let data = text_or_bytes(ts, args[0])?;
    let last = flag(ts, args, 2, true)?;
    let errors = errors_of(ts, "raw_unicode_escape_decode", args)?;
    let (text, taken) = codec::decode_raw_unicode_escape(ts, &data, errors, last)?;
    pair(ts, text.into_object(), taken)
}

pub(super) fn escape_encode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "escape_encode", args.len(), 1, 2)?;
    let Some(bytes) = args[0].downcast::<PyBytes>() else {
        return raise!(ts, exc::TypeError, "escape_encode() argument 1 must be bytes, not {}", args[0].type_name());
    };
    errors_of(ts, "escape_encode", args)?;
    let out = escape::encode(bytes.as_slice())?;
    pair(ts, PyBytes::new(ts, &out)?.into_object(), bytes.len())
}

pub(super) fn escape_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "escape_decode", args.len(), 1, 2)?;
    let data = text_or_bytes(ts, args[0])?;
    let errors = errors_of(ts, "escape_decode", args)?;
    let (out, invalid) = escape::decode(ts, &data, errors)?;
    if let Some(invalid) = invalid {
        escape::warn_invalid(ts, invalid)?;
    }
    pair(ts, PyBytes::new(ts, &out)?.into_object(), data.len())
}

fn mapping<'a>(args: &[&'a PyObject]) -> Option<&'a PyObject> {
    args.get(2).copied().filter(|mapping| !is_none(mapping))
}

pub(super) fn charmap_encode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "charmap_encode", args.len(), 1, 3)?;
    let text = text_of(ts, "charmap_encode", args)?;
    let bytes = codec::encode_charmap(ts, text, errors_of(ts, "charmap_encode", args)?, mapping(args))?;
    pair(ts, bytes.into_object(), text.len())
}

pub(super) fn charmap_decode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "charmap_decode", args.len(), 1, 3)?;
    let data = bytes_like(ts, args[0])?;
    let text = codec::decode_charmap(ts, &data, errors_of(ts, "charmap_decode", args)?, mapping(args))?;
    pair(ts, text.into_object(), data.len())
}

pub(super) fn charmap_build(ts: &ThreadState, _module: &PyObject, map: &PyObject) -> PyResult {
    codec::build_encoding_map(ts, text_of(ts, "charmap_build", &[map])?)
}

pub(super) fn readbuffer_encode(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "readbuffer_encode", args.len(), 1, 2)?;
    let data = text_or_bytes(ts, args[0])?;
    errors_of(ts, "readbuffer_encode", args)?;
    pair(ts, PyBytes::new(ts, &data)?.into_object(), data.len())
}
