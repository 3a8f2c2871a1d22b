//! `_struct`: values to bytes and back, by format strings.
//!
//! | file | what |
//! |---|---|
//! | `format` | reading a format |
//! | `values` | objects to bytes and back |
//! | `half` | half-precision floats |
//! | `object` | `Struct` and its iterator |

pub(crate) mod format;
pub(crate) mod half;
mod object;
mod values;

pub(crate) use format::Format;
pub use object::{PyStruct, STRUCT_TYPE, UNPACK_ITERATOR_TYPE};

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyResult, Ref, Signature, StaticType, ready};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_struct",
    doc: "Values to bytes and back, as a format string says.\n\nThe first character of a format says how the data lies: @ native order, size and alignment (the default),\n= native order, standard sizes, < little-endian, > or ! big-endian. Then, each with an optional count:\n  x: pad byte; c: char; b: signed byte; B: unsigned byte; ?: _Bool; h: short; H: unsigned short; i: int;\n  I: unsigned int; l: long; L: unsigned long; q: long long; Q: unsigned long long; n: ssize_t; N: size_t;\n  e: half float; f: float; d: double; F: float complex; D: double complex; s: string; p: Pascal string; P: pointer.",
    methods: &[
        MethodDef::no_args("_clearcache", clear_cache, "_clearcache($module, /)\n--\n\nClear the internal cache."),
        MethodDef::one(
            "calcsize",
            calcsize,
            "calcsize($module, format, /)\n--\n\nThe size in bytes of what the format string describes.",
        ),
        MethodDef::positional(
            "iter_unpack",
            iter_unpack,
            "iter_unpack($module, format, buffer, /)\n--\n\nAn iterator over tuples unpacked from chunks of the buffer.",
        ),
        MethodDef::positional(
            "pack",
            pack,
            "pack(format, v1, v2, ...) -> bytes\n\nThe values as bytes, as the format string says.",
        ),
        MethodDef::positional(
            "pack_into",
            pack_into,
            "pack_into(format, buffer, offset, v1, v2, ...)\n\nWrite the values as bytes to the buffer from offset on.",
        ),
        MethodDef::positional(
            "unpack",
            unpack,
            "unpack($module, format, buffer, /)\n--\n\nThe values that the bytes of the buffer stand for, as a tuple.",
        ),
        MethodDef::keywords(
            "unpack_from",
            unpack_from,
            "unpack_from($module, format, /, buffer, offset=0)\n--\n\nThe values that the bytes from offset on stand for, as a tuple.",
        ),
    ],
    types: &[&STRUCT_TYPE, &STRUCT_ERROR],
    exec: Some(|ts, _| ready::ready_static(ts, &UNPACK_ITERATOR_TYPE)),
};

/// `struct.error`.
pub static STRUCT_ERROR: StaticType = StaticType::new(exc::plain(c"struct.error", &exc::Exception, ""));

/// How many formats are remembered.
const CACHE_SIZE: usize = 100;

/// The formats that have been used, as a dict from format objects to `Struct`s.
fn cache(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let states = match ts.interp().native_state.get() {
        Some(states) => states,
        None => {
            let states = PyDict::new(ts)?;
            ts.interp().native_state.set(Some(states.clone()));
            states
        }
    };
    let name = PyStr::intern(ts, "_struct")?;
    match states.get_str(ts, &name)?.and_then(|cache| cache.downcast_into::<PyDict>().ok()) {
        Some(cache) => Ok(cache),
        None => {
            let cache = PyDict::new(ts)?;
            states.set_str(ts, &name, cache.as_object())?;
            Ok(cache)
        }
    }
}

/// The `Struct` of a format, remembered from before or made.
fn struct_of(ts: &ThreadState, format: &PyObject) -> PyResult<Ref<PyStruct>> {
    let cache = cache(ts)?;
    let known = match cache.get(ts, format) {
        Ok(known) => known,
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            // Not hashable: then it is no format either, and the constructor says so.
            ts.clear_raised(raised);
            None
        }
        Err(raised) => return Err(raised),
    };
    if let Some(known) = known.and_then(|known| known.downcast_into::<PyStruct>().ok()) {
        return Ok(known);
    }
    let made = PyStruct::new(ts, format)?;
    if cache.len() >= CACHE_SIZE {
        cache.clear(ts);
    }
    cache.set(ts, format, made.as_object())?;
    Ok(made)
}

fn clear_cache(ts: &ThreadState, _module: &PyObject) -> PyResult {
    cache(ts)?.clear(ts);
    Ok(ts.none())
}

fn calcsize(ts: &ThreadState, _module: &PyObject, format: &PyObject) -> PyResult {
    PyInt::from_usize(ts, struct_of(ts, format)?.format(ts)?.size())
}

fn two<'a>(ts: &ThreadState, name: &str, args: &[&'a PyObject]) -> PyResult<(&'a PyObject, &'a PyObject)> {
    match *args {
        [format, buffer] => Ok((format, buffer)),
        _ => {
            crate::object::call::check_count(ts, name, args.len(), 2, 2)?;
            raise!(ts, exc::TypeError, "{name} expected 2 arguments, got {}", args.len())
        }
    }
}

fn iter_unpack(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (format, buffer) = two(ts, "iter_unpack", args)?;
    let this = struct_of(ts, format)?;
    object::iter_unpack(ts, this.as_object(), buffer)
}

fn unpack(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (format, buffer) = two(ts, "unpack", args)?;
    let this = struct_of(ts, format)?;
    object::unpack(ts, this.as_object(), buffer)
}

fn unpack_from(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("unpack_from", ["", "buffer", "offset"], 1, 3, 2);
    let [format, buffer, offset] = SIGNATURE.parse(ts, args)?;
    let (Some(format), Some(buffer)) = (format, buffer) else {
        return raise!(ts, exc::TypeError, "unpack_from() missing required argument 'buffer' (pos 2)");
    };
    let this = struct_of(ts, format)?;
    object::unpack_at(ts, &this, buffer, offset)
}

fn pack(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let Some((format, values)) = args.split_first() else {
        return raise!(ts, exc::TypeError, "missing format argument");
    };
    let this = struct_of(ts, format)?;
    object::pack(ts, this.as_object(), values)
}

fn pack_into(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let Some((format, rest)) = args.split_first() else {
        return raise!(ts, exc::TypeError, "missing format argument");
    };
    let this = struct_of(ts, format)?;
    object::pack_into(ts, this.as_object(), rest)
}
