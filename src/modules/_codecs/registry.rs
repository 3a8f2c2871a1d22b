//! Codecs by name: search functions, the cache, and encoding and decoding through them.

use hognose_allocators::collections::TryString;

use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, Raised, Ref, Signature, attr, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The codec's item that encodes.
const ENCODER: usize = 0;
/// The codec's item that decodes.
const DECODER: usize = 1;

fn search_path(ts: &ThreadState) -> PyResult<Ref<PyList>> {
    let state = &ts.interp().codecs;
    match state.search_path.get() {
        Some(path) => Ok(path),
        None => {
            let path = PyList::new(ts)?;
            state.search_path.set(Some(path.clone()));
            Ok(path)
        }
    }
}

fn cache(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let state = &ts.interp().codecs;
    match state.cache.get() {
        Some(cache) => Ok(cache),
        None => {
            let cache = PyDict::new(ts)?;
            state.cache.set(Some(cache.clone()));
            Ok(cache)
        }
    }
}

/// Imports `encodings`, which registers the search function for the encodings of the standard library. It is
/// done at the first look-up when nobody has done it before.
pub fn start(ts: &ThreadState) -> PyResult<()> {
    if !ts.interp().codecs.started.replace(true) {
        crate::import::import_module(ts, "encodings")?;
    }
    Ok(())
}

/// Registers a search function (`PyCodec_Register`).
pub fn register(ts: &ThreadState, function: &PyObject) -> PyResult<()> {
    if !call::is_callable(function) {
        return raise!(ts, exc::TypeError, "argument must be callable");
    }
    search_path(ts)?.append(ts, function.new_ref())
}

/// Takes a search function out, and forgets the codecs that have been found (`PyCodec_Unregister`).
pub fn unregister(ts: &ThreadState, function: &PyObject) -> PyResult<()> {
    let path = search_path(ts)?;
    let at = (0..path.len()).find(|index| path.get(*index).is_some_and(|known| known.is(function)));
    if let Some(at) = at {
        cache(ts)?.clear(ts);
        path.remove_at(ts, at);
    }
    Ok(())
}

/// The name as it is searched for: in lower case, `_` for a run of characters that are neither alphanumeric nor a dot.
fn normalize(ts: &ThreadState, encoding: &str) -> PyResult<Ref<PyStr>> {
    let mut normal = TryString::<hognose_allocators::Mem>::new();
    let mut gap = false;
    for byte in encoding.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'.' {
            if gap && !normal.as_str().is_empty() {
                normal.try_push('_')?;
            }
            normal.try_push(char::from(byte.to_ascii_lowercase()))?;
            gap = false;
        } else {
            gap = true;
        }
    }
    PyStr::intern(ts, normal.as_str())
}

/// The codec of that name, a tuple of four (`_PyCodec_Lookup`); LookupError when there is none.
pub fn lookup(ts: &ThreadState, encoding: &str) -> PyResult<Ref<PyTuple>> {
    start(ts)?;
    let normal = normalize(ts, encoding)?;
    let cache = cache(ts)?;
    if let Some(found) = cache.get_str(ts, &normal)?
        && let Ok(codec) = found.downcast_into::<PyTuple>()
    {
        return Ok(codec);
    }
    let path = search_path(ts)?;
    if path.is_empty() {
        return raise!(ts, exc::LookupError, "no codec search functions registered: can't find encoding");
    }
    let mut index = 0;
    // A search function may register others.
    while let Some(function) = path.get(index) {
        index += 1;
        let found = call::call_with(ts, &function, &[normal.as_object()])?;
        if is_none(&found) {
            continue;
        }
        let Ok(codec) = found.downcast_into::<PyTuple>() else {
            return raise!(ts, exc::TypeError, "codec search functions must return 4-tuples");
        };
        if codec.len() != 4 {
            return raise!(ts, exc::TypeError, "codec search functions must return 4-tuples");
        }
        cache.set_str(ts, &normal, codec.as_object())?;
        return Ok(codec);
    }
    raise!(ts, exc::LookupError, "unknown encoding: {encoding}")
}

/// The codec, which must be one between text and bytes.
fn lookup_text(ts: &ThreadState, encoding: &str, alternative: &str) -> PyResult<Ref<PyTuple>> {
    let codec = lookup(ts, encoding)?;
    // Old codecs are plain tuples, which say nothing.
    if codec.as_object().downcast_exact::<PyTuple>().is_none() {
        let name = PyStr::intern(ts, "_is_text_encoding")?;
        if let Some(is_text) = attr::get_opt(ts, codec.as_object(), &name)?
            && !protocol::is_true(ts, &is_text)?
        {
            return raise!(
                ts,
                exc::LookupError,
                "'{encoding}' is not a text encoding; use {alternative} to handle arbitrary codecs"
            );
        }
    }
    Ok(codec)
}

/// Adds to an exception which codec has failed.
#[cold]
fn note_failure(ts: &ThreadState, raised: Raised, doing: &str, encoding: &str) -> Raised {
    let exception = ts.take_raised(raised);
    let noted = PyStr::format(ts, format_args!("{doing} with '{encoding}' codec failed"))
        .and_then(|note| protocol::call_named(ts, &exception, "add_note", &[note.as_object()]));
    match noted {
        Ok(_) => ts.restore_raised(exception),
        Err(raised) => raised,
    }
}

/// Calls a codec's function; the result's first item.
fn apply(
    ts: &ThreadState,
    codec: &PyTuple,
    which: usize,
    object: &PyObject,
    encoding: &str,
    errors: Option<&str>,
) -> PyResult {
    let Some(function) = codec.get(which) else {
        return raise!(ts, exc::TypeError, "codec search functions must return 4-tuples");
    };
    let (doing, wrong) = if which == ENCODER {
        ("encoding", "encoder must return a tuple (object, integer)")
    } else {
        ("decoding", "decoder must return a tuple (object,integer)")
    };
    let result = match errors {
        Some(errors) => {
            let errors = PyStr::new(ts, errors)?;
            call::call_with(ts, function, &[object, errors.as_object()])
        }
        None => call::call_with(ts, function, &[object]),
    };
    let result = result.map_err(|raised| note_failure(ts, raised, doing, encoding))?;
    match result.downcast::<PyTuple>().map(PyTuple::items) {
        Some([value, _]) => Ok(value.new_ref()),
        _ => raise!(ts, exc::TypeError, "{wrong}"),
    }
}

/// What a codec is told about errors: nothing when it is the default.
fn unless_strict(errors: &str) -> Option<&str> {
    Some(errors).filter(|errors| *errors != "strict" && !errors.is_empty())
}

/// Encodes with any codec (`PyCodec_Encode`).
pub fn encode_any(ts: &ThreadState, object: &PyObject, encoding: &str, errors: Option<&str>) -> PyResult {
    let codec = lookup(ts, encoding)?;
    apply(ts, &codec, ENCODER, object, encoding, errors)
}

/// Decodes with any codec (`PyCodec_Decode`).
pub fn decode_any(ts: &ThreadState, object: &PyObject, encoding: &str, errors: Option<&str>) -> PyResult {
    let codec = lookup(ts, encoding)?;
    apply(ts, &codec, DECODER, object, encoding, errors)
}

/// Encodes text to bytes; LookupError for a codec that is for something else, TypeError when it gives something else.
pub fn encode(ts: &ThreadState, text: &PyObject, encoding: &str, errors: &str) -> PyResult {
    let codec = lookup_text(ts, encoding, "codecs.encode()")?;
    let value = apply(ts, &codec, ENCODER, text, encoding, unless_strict(errors))?;
    if value.is_a::<PyBytes>() {
        return Ok(value);
    }
    if value.is_a::<PyByteArray>() {
        exc::warn(
            ts,
            &exc::RuntimeWarning,
            message(ts, format_args!("encoder {encoding} returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types"))?.utf8(ts)?,
            1,
        )?;
        return crate::types::bytes::to_bytes(ts, &value).map(Ref::into_object);
    }
    raise!(
        ts,
        exc::TypeError,
        "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
        value.type_name()
    )
}

fn message(ts: &ThreadState, text: core::fmt::Arguments<'_>) -> PyResult<Ref<PyStr>> {
    PyStr::format(ts, text)
}

/// Decodes a bytes-like object to text, with the same checks.
pub fn decode(ts: &ThreadState, object: &PyObject, encoding: &str, errors: &str) -> PyResult {
    let codec = lookup_text(ts, encoding, "codecs.decode()")?;
    let value = apply(ts, &codec, DECODER, object, encoding, unless_strict(errors))?;
    if value.is_a::<PyStr>() {
        return Ok(value);
    }
    raise!(
        ts,
        exc::TypeError,
        "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
        value.type_name()
    )
}

/// A string argument in UTF-8, without zeros.
pub(super) fn name<'a>(ts: &ThreadState, function: &str, argument: &str, value: &'a PyObject) -> PyResult<&'a str> {
    let Some(text) = value.downcast::<PyStr>() else {
        let given = if is_none(value) { "None" } else { value.type_name() };
        return raise!(ts, exc::TypeError, "{function}() argument{argument} must be str, not {given}");
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    text.utf8(ts)
}

pub(super) fn register_function(ts: &ThreadState, _module: &PyObject, function: &PyObject) -> PyResult {
    register(ts, function)?;
    Ok(ts.none())
}

pub(super) fn unregister_function(ts: &ThreadState, _module: &PyObject, function: &PyObject) -> PyResult {
    unregister(ts, function)?;
    Ok(ts.none())
}

pub(super) fn lookup_function(ts: &ThreadState, _module: &PyObject, encoding: &PyObject) -> PyResult {
    lookup(ts, name(ts, "lookup", "", encoding)?).map(Ref::into_object)
}

type Coder = fn(&ThreadState, &PyObject, &str, Option<&str>) -> PyResult;

fn code(ts: &ThreadState, function: &'static str, args: Args<'_>, coder: Coder) -> PyResult<PyRef> {
    let signature = Signature::new(function, ["obj", "encoding", "errors"], 0, 3, 1);
    let [object, encoding, errors] = signature.parse(ts, args)?;
    let Some(object) = object else {
        return raise!(ts, exc::TypeError, "{function}() missing required argument 'obj' (pos 1)");
    };
    let encoding = match encoding {
        Some(encoding) => name(ts, function, " 'encoding'", encoding)?,
        None => "utf-8",
    };
    let errors = match errors {
        Some(errors) => Some(name(ts, function, " 'errors'", errors)?),
        None => None,
    };
    coder(ts, object, encoding, errors)
}

pub(super) fn encode_function(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    code(ts, "encode", args, encode_any)
}

pub(super) fn decode_function(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    code(ts, "decode", args, decode_any)
}
