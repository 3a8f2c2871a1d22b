//! `_json`: what makes `json` fast: reading and writing of strings, a scanner and an encoder.

mod encoder;
mod scanner;
mod strings;

use crate::modules::ModuleSpec;
use crate::object::{AsObject, MethodDef, PyObject, PyRef, PyResult, call, protocol, ready};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use strings::Escaping;

/// The module's functions; an encoder recognises the first two and does without calling them.
static FUNCTIONS: [MethodDef; 3] = [
    MethodDef::one(
        "encode_basestring_ascii",
        |ts, _, text| strings::encode(ts, text, Escaping::Ascii),
        "encode_basestring_ascii(string) -> string\n\nThe JSON text of a string, of ASCII characters only.",
    ),
    MethodDef::one(
        "encode_basestring",
        |ts, _, text| strings::encode(ts, text, Escaping::Minimal),
        "encode_basestring(string) -> string\n\nThe JSON text of a string.",
    ),
    MethodDef::positional(
        "scanstring",
        scanstring,
        "scanstring(string, end, strict=True) -> (string, end)\n\nThe string whose text begins at end, behind its quote, and where that text ends.\nUnless strict, control characters may stand in it.",
    ),
];

/// The module.
pub static MODULE: ModuleSpec =
    ModuleSpec { name: "_json", doc: "json's speedups.", methods: &FUNCTIONS, exec: Some(exec), ..ModuleSpec::EMPTY };

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &scanner::SCANNER_TYPE)?;
    ready::ready_static(ts, &encoder::ENCODER_TYPE)?;
    module.add(ts, "make_scanner", scanner::SCANNER_TYPE.as_object())?;
    module.add(ts, "make_encoder", encoder::ENCODER_TYPE.as_object())
}

/// The string argument of the functions.
fn string_argument<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "first argument must be a string, not {}", object.type_name()),
    }
}

fn scanstring(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    if args.len() < 2 || args.len() > 3 {
        let bound = if args.len() < 2 { "at least 2" } else { "at most 3" };
        return raise!(ts, exc::TypeError, "scanstring() takes {bound} arguments ({} given)", args.len());
    }
    let end = protocol::as_isize(ts, args[1])?;
    let strict = args.get(2).map_or(Ok(true), |strict| protocol::is_true(ts, strict))?;
    let text = string_argument(ts, args[0])?;
    let begin = match usize::try_from(end) {
        Ok(begin) if begin <= text.len() => begin,
        _ => return raise!(ts, exc::ValueError, "end is out of bounds"),
    };
    let (value, end) = strings::scan(ts, text, begin, strict)?;
    Ok(PyTuple::from_array(ts, [value, PyInt::from_usize(ts, end)?])?.into_object())
}

/// Raises `json.JSONDecodeError(message, text, position)`.
#[cold]
fn decode_error<T>(ts: &ThreadState, message: &str, text: &PyStr, position: isize) -> PyResult<T> {
    let class = protocol::import_attr(ts, "json.decoder", "JSONDecodeError")?;
    let message = PyStr::new(ts, message)?;
    let position: PyRef = PyInt::from_isize(ts, position)?;
    let error = call::call_with(ts, &class, &[message.as_object(), text.as_object(), &position])?;
    Err(ts.raise(error))
}
