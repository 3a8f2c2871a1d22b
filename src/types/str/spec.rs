//! The type object of `str`: constructor, slots, and the table of methods.

use super::args;
use super::codec;
use super::layout::{self, LegacyStr, PyStr};
use super::{case, classify, find, format, iter, pad, percent, repr, split, translate};
use crate::object::call::{Args, Signature};
use crate::object::{
    AsObject, CompareOp, MethodDef, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, buffer,
    flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::slice::PySlice;
use crate::types::tuple::PyTuple;

/// The type `str`.
#[unsafe(export_name = "PyUnicode_Type")]
pub static STR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"str",
    basicsize: size_of::<LegacyStr>(),
    flags: flags::BASETYPE | flags::UNICODE_SUBCLASS | flags::MATCH_SELF,
    doc: "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\n\
          The text of an object, as its __str__() gives it or, without one, its repr().\n\
          With an encoding or an error handler the object is bytes, and is decoded.",
    slots: TypeSlots {
        new: Some(str_new),
        dealloc: Some(layout::dealloc),
        repr: Some(repr::repr),
        str: Some(str_str),
        hash: Some(str_hash),
        richcompare: Some(str_compare),
        iter: Some(iter::iter),
        nb_remainder: Some(percent::remainder),
        sq_length: Some(str_length),
        sq_concat: Some(str_concat),
        sq_repeat: Some(str_repeat),
        sq_item: Some(str_item),
        sq_contains: Some(find::contains),
        mp_length: Some(str_length),
        mp_subscript: Some(str_subscript),
        ..TypeSlots::EMPTY
    },
    methods: METHODS,
    ..TypeSpec::EMPTY
});

const METHODS: &[MethodDef] = &[
    MethodDef::keywords(
        "encode",
        encode,
        "encode($self, /, encoding='utf-8', errors='strict')\n--\n\nThe text as bytes in an encoding.",
    ),
    MethodDef::keywords(
        "replace",
        find::replace,
        "replace($self, old, new, /, count=-1)\n--\n\nA copy with old replaced by new, at most count times unless that is negative.",
    ),
    MethodDef::keywords(
        "split",
        split::split,
        "split($self, /, sep=None, maxsplit=-1)\n--\n\n\
         The list of the pieces between separators, or between runs of white space; at most maxsplit cuts, from the left.",
    ),
    MethodDef::keywords(
        "rsplit",
        split::rsplit,
        "rsplit($self, /, sep=None, maxsplit=-1)\n--\n\n\
         The list of the pieces between separators, or between runs of white space; at most maxsplit cuts, from the right.",
    ),
    MethodDef::one(
        "join",
        split::join,
        "join($self, iterable, /)\n--\n\nThe strings of an iterable, with this one between them.",
    ),
    MethodDef::no_args(
        "capitalize",
        case::capitalize,
        "capitalize($self, /)\n--\n\nA copy with the first character in title case, the rest in lower case.",
    ),
    MethodDef::no_args(
        "casefold",
        case::casefold,
        "casefold($self, /)\n--\n\nA copy for comparisons that ignore case.",
    ),
    MethodDef::no_args(
        "title",
        case::title,
        "title($self, /)\n--\n\nA copy with each word's first character in title case, the rest in lower case.",
    ),
    MethodDef::positional(
        "center",
        pad::center,
        "center($self, width, fillchar=' ', /)\n--\n\nThe text in the middle of a line of the given width.",
    ),
    MethodDef::positional(
        "count",
        find::count,
        "count($self, sub[, start[, end]], /)\n--\n\nHow often sub is in self[start:end], without overlaps.",
    ),
    MethodDef::keywords(
        "expandtabs",
        pad::expandtabs,
        "expandtabs($self, /, tabsize=8)\n--\n\nA copy with spaces in place of tabs.",
    ),
    MethodDef::positional(
        "find",
        find::find,
        "find($self, sub[, start[, end]], /)\n--\n\nThe first place of sub in self[start:end], or -1.",
    ),
    MethodDef::one(
        "partition",
        find::partition,
        "partition($self, sep, /)\n--\n\nWhat is before the first separator, the separator, and what is after it.",
    ),
    MethodDef::positional(
        "index",
        find::index,
        "index($self, sub[, start[, end]], /)\n--\n\nThe first place of sub in self[start:end]; ValueError when there is none.",
    ),
    MethodDef::positional(
        "ljust",
        pad::ljust,
        "ljust($self, width, fillchar=' ', /)\n--\n\nThe text at the left of a line of the given width.",
    ),
    MethodDef::no_args("lower", case::lower, "lower($self, /)\n--\n\nA copy in lower case."),
    MethodDef::positional(
        "lstrip",
        pad::lstrip,
        "lstrip($self, chars=None, /)\n--\n\nA copy without white space, or the given characters, at its start.",
    ),
    MethodDef::positional(
        "rfind",
        find::rfind,
        "rfind($self, sub[, start[, end]], /)\n--\n\nThe last place of sub in self[start:end], or -1.",
    ),
    MethodDef::positional(
        "rindex",
        find::rindex,
        "rindex($self, sub[, start[, end]], /)\n--\n\nThe last place of sub in self[start:end]; ValueError when there is none.",
    ),
    MethodDef::positional(
        "rjust",
        pad::rjust,
        "rjust($self, width, fillchar=' ', /)\n--\n\nThe text at the right of a line of the given width.",
    ),
    MethodDef::positional(
        "rstrip",
        pad::rstrip,
        "rstrip($self, chars=None, /)\n--\n\nA copy without white space, or the given characters, at its end.",
    ),
    MethodDef::one(
        "rpartition",
        find::rpartition,
        "rpartition($self, sep, /)\n--\n\nWhat is before the last separator, the separator, and what is after it.",
    ),
    MethodDef::keywords(
        "splitlines",
        split::splitlines,
        "splitlines($self, /, keepends=False)\n--\n\nThe list of the lines, with their ends if wanted.",
    ),
    MethodDef::positional(
        "strip",
        pad::strip,
        "strip($self, chars=None, /)\n--\n\nA copy without white space, or the given characters, at both ends.",
    ),
    MethodDef::no_args(
        "swapcase",
        case::swapcase,
        "swapcase($self, /)\n--\n\nA copy with upper case for lower case and the other way round.",
    ),
    MethodDef::one(
        "translate",
        translate::translate,
        "translate($self, table, /)\n--\n\nA copy with each character replaced by what the table has for it.",
    ),
    MethodDef::no_args("upper", case::upper, "upper($self, /)\n--\n\nA copy in upper case."),
    MethodDef::positional(
        "startswith",
        find::startswith,
        "startswith($self, prefix[, start[, end]], /)\n--\n\nWhether self[start:end] begins with prefix, or one of a tuple of them.",
    ),
    MethodDef::positional(
        "endswith",
        find::endswith,
        "endswith($self, suffix[, start[, end]], /)\n--\n\nWhether self[start:end] ends with suffix, or one of a tuple of them.",
    ),
    MethodDef::one(
        "removeprefix",
        find::removeprefix,
        "removeprefix($self, prefix, /)\n--\n\nA copy without the prefix, where it is there.",
    ),
    MethodDef::one(
        "removesuffix",
        find::removesuffix,
        "removesuffix($self, suffix, /)\n--\n\nA copy without the suffix, where it is there.",
    ),
    MethodDef::no_args(
        "isascii",
        classify::isascii,
        "isascii($self, /)\n--\n\nWhether all characters are ASCII; so they are in an empty text.",
    ),
    MethodDef::no_args(
        "islower",
        classify::islower,
        "islower($self, /)\n--\n\nWhether there are characters with a case, all in lower case.",
    ),
    MethodDef::no_args(
        "isupper",
        classify::isupper,
        "isupper($self, /)\n--\n\nWhether there are characters with a case, all in upper case.",
    ),
    MethodDef::no_args(
        "istitle",
        classify::istitle,
        "istitle($self, /)\n--\n\nWhether there are characters with a case, in upper case at the start of words only.",
    ),
    MethodDef::no_args(
        "isspace",
        classify::isspace,
        "isspace($self, /)\n--\n\nWhether there are characters, all of them white space.",
    ),
    MethodDef::no_args(
        "isdecimal",
        classify::isdecimal,
        "isdecimal($self, /)\n--\n\nWhether there are characters, all of them decimal digits.",
    ),
    MethodDef::no_args(
        "isdigit",
        classify::isdigit,
        "isdigit($self, /)\n--\n\nWhether there are characters, all of them digits.",
    ),
    MethodDef::no_args(
        "isnumeric",
        classify::isnumeric,
        "isnumeric($self, /)\n--\n\nWhether there are characters, all of them numeric.",
    ),
    MethodDef::no_args(
        "isalpha",
        classify::isalpha,
        "isalpha($self, /)\n--\n\nWhether there are characters, all of them letters.",
    ),
    MethodDef::no_args(
        "isalnum",
        classify::isalnum,
        "isalnum($self, /)\n--\n\nWhether there are characters, all of them letters or numeric.",
    ),
    MethodDef::no_args(
        "isidentifier",
        classify::isidentifier,
        "isidentifier($self, /)\n--\n\nWhether the text is a valid identifier; keywords count as such.",
    ),
    MethodDef::no_args(
        "isprintable",
        classify::isprintable,
        "isprintable($self, /)\n--\n\nWhether repr() would escape none of the characters.",
    ),
    MethodDef::one(
        "zfill",
        pad::zfill,
        "zfill($self, width, /)\n--\n\nThe text with zeros before it, or after its sign, to the given width.",
    ),
    MethodDef::keywords(
        "format",
        format::format_method,
        "format($self, /, *args, **kwargs)\n--\n\nThe text with its replacement fields filled in from the arguments.",
    ),
    MethodDef::one(
        "format_map",
        format::format_map,
        "format_map($self, mapping, /)\n--\n\nThe text with its replacement fields filled in from a mapping.",
    ),
    MethodDef::one(
        "__format__",
        format::dunder_format,
        "__format__($self, format_spec, /)\n--\n\nThe text laid out by a format specification.",
    ),
    MethodDef::positional(
        "maketrans",
        translate::maketrans,
        "maketrans(x, y=<unrepresentable>, z=<unrepresentable>, /)\n--\n\nMakes a table for translate().",
    )
    .stat(),
    MethodDef::no_args("__sizeof__", sizeof, "__sizeof__($self, /)\n--\n\nThe size of the text in memory, in bytes."),
    MethodDef::no_args("__getnewargs__", getnewargs, ""),
];

static NEW: Signature<3> = Signature::new("str", ["object", "encoding", "errors"], 0, 3, 0);

fn str_new(ts: &ThreadState, of: &PyTypeObject, arguments: Args<'_>) -> PyResult {
    if let ([object], true) = (arguments.all(), core::ptr::eq(of, &*STR_TYPE))
        && !arguments.has_keywords()
    {
        return protocol::str(ts, object).map(Ref::into_object);
    }
    let [object, encoding, errors] = NEW.parse(ts, arguments)?;
    let text = make(ts, object, encoding, errors)?;
    if core::ptr::eq(of, &*STR_TYPE) {
        return Ok(text);
    }
    let text = text.cast_into::<PyStr>();
    PyStr::subclass_instance(ts, of, &text).map(Ref::into_object)
}

fn make(
    ts: &ThreadState,
    object: Option<&PyObject>,
    encoding: Option<&PyObject>,
    errors: Option<&PyObject>,
) -> PyResult {
    let encoding = args::c_string(ts, "str", "encoding", encoding)?;
    let errors = args::c_string(ts, "str", "errors", errors)?;
    let Some(object) = object else {
        return Ok(PyStr::empty().into_object());
    };
    if encoding.is_none() && errors.is_none() {
        return protocol::str(ts, object).map(Ref::into_object);
    }
    decode_object(ts, object, encoding.unwrap_or("utf-8"), errors.unwrap_or("strict")).map(Ref::into_object)
}

/// Decodes a bytes-like object (`PyUnicode_FromEncodedObject`).
pub fn decode_object(ts: &ThreadState, object: &PyObject, encoding: &str, errors: &str) -> PyResult<Ref<PyStr>> {
    if object.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "decoding str is not supported");
    }
    if object.ob_type().slots().bf_getbuffer.is_none() {
        return raise!(ts, exc::TypeError, "decoding to str: need a bytes-like object, {} found", object.type_name());
    }
    let view = buffer::Buffer::get(ts, object, buffer::SIMPLE)?;
    match codec::decode(ts, object, view.as_slice(), encoding, errors)?.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => raise!(
            ts,
            exc::TypeError,
            "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
            other.type_name()
        ),
    }
}

static ENCODE: Signature<2> = Signature::new("encode", ["encoding", "errors"], 0, 2, 0);

fn encode(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    let text = this.cast::<PyStr>();
    let [encoding, errors] = ENCODE.parse(ts, arguments)?;
    let encoding = args::c_string(ts, "encode", "encoding", encoding)?.unwrap_or("utf-8");
    let errors = args::c_string(ts, "encode", "errors", errors)?.unwrap_or("strict");
    codec::encode(ts, text, encoding, errors)
}

fn str_str(ts: &ThreadState, this: &PyObject) -> PyResult {
    this.cast::<PyStr>().to_exact(ts).map(Ref::into_object)
}

fn str_hash(_ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    Ok(this.cast::<PyStr>().hash_value())
}

fn str_compare(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PyStr>(), right.downcast::<PyStr>()) else {
        return Ok(not_implemented());
    };
    Ok(py_bool(match op {
        CompareOp::Eq => left.equals(right),
        CompareOp::Ne => !left.equals(right),
        _ => op.holds(PyStr::compare(left, right)),
    }))
}

fn str_length(_ts: &ThreadState, this: &PyObject) -> PyResult<usize> {
    Ok(this.cast::<PyStr>().len())
}

fn str_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let left = left.cast::<PyStr>();
    match right.downcast::<PyStr>() {
        Some(right) => PyStr::concat(ts, left, right).map(Ref::into_object),
        None => raise!(ts, exc::TypeError, "can only concatenate str (not \"{}\") to str", right.type_name()),
    }
}

fn str_repeat(ts: &ThreadState, this: &PyObject, count: isize) -> PyResult {
    this.cast::<PyStr>().repeat(ts, count).map(Ref::into_object)
}

fn str_item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    let text = this.cast::<PyStr>();
    match usize::try_from(index) {
        Ok(index) if index < text.len() => PyStr::from_char(ts, text.char_at(index)).map(Ref::into_object),
        _ => raise!(ts, exc::IndexError, "string index out of range"),
    }
}

/// `text[index]` for an index that may be negative.
#[inline]
pub fn get_item(ts: &ThreadState, text: &PyStr, index: isize) -> PyResult {
    let index = if index < 0 { index + text.len() as isize } else { index };
    str_item(ts, text.as_object(), index)
}

fn str_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    if let Some(index) = key.downcast_exact::<PyInt>().and_then(PyInt::as_i64) {
        return get_item(ts, text, index as isize);
    }
    if let Some(slice) = key.downcast::<PySlice>() {
        let (start, _stop, step, count) = PySlice::adjust(ts, slice, text.len())?;
        return match (count, step) {
            (0, _) => Ok(PyStr::empty().into_object()),
            (_, 1) => text.slice(ts, start as usize, start as usize + count).map(Ref::into_object),
            _ => {
                let at = |n: usize| text.char_at((start + n as isize * step) as usize);
                let bits = match text.is_ascii() {
                    true => 0,
                    false => (0..count).fold(0, |bits, n| bits | at(n)),
                };
                PyStr::from_chars(ts, count, bits, (0..count).map(at)).map(Ref::into_object)
            }
        };
    }
    if !protocol::is_index(key) {
        return raise!(ts, exc::TypeError, "string indices must be integers, not '{}'", key.type_name());
    }
    get_item(ts, text, protocol::as_item_index(ts, key)?)
}

fn sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(PyInt::from_usize(ts, this.cast::<PyStr>().size_in_bytes())?.into_object())
}

fn getnewargs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let copy = this.cast::<PyStr>().copy(ts)?;
    PyTuple::new(ts, &[copy.as_object()]).map(Ref::into_object)
}
