//! `unicodedata`: the Unicode character database, in its newest version and as it was in version 3.2.
//!
//! The functions of the module and the methods of `UCD` are the same: their `self` says which version is asked.
//! Normalization runs over the characters without a text in between; lone surrogates, which the data does not know,
//! separate runs. So do, for version 3.2, the characters that it had not assigned: composition never crosses them.

use core::fmt::Write;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryString;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use rustpython_unicode::data::membership_3_2;
use rustpython_unicode::{LookupResult, Ucd};
use rustpython_wtf8::CodePoint;

use crate::modules::ModuleSpec;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::bytes_like;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::{PyStr, StrBuilder};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "unicodedata",
    doc: "The Unicode character database: what the standard says about each character.",
    methods: METHODS,
    types: &[&UCD_TYPE],
    exec: Some(exec),
};

const METHODS: &[MethodDef] = &[
    MethodDef::positional(
        "decimal",
        decimal,
        "decimal($self, chr, default=<unrepresentable>, /)\n--\n\nThe decimal digit that a character is, as an int; else the default, or ValueError.",
    ),
    MethodDef::positional(
        "digit",
        digit,
        "digit($self, chr, default=<unrepresentable>, /)\n--\n\nThe digit that a character is, as an int; else the default, or ValueError.",
    ),
    MethodDef::positional(
        "numeric",
        numeric,
        "numeric($self, chr, default=<unrepresentable>, /)\n--\n\nThe number that a character is, as a float; else the default, or ValueError.",
    ),
    MethodDef::one("category", category, "category($self, chr, /)\n--\n\nThe general category of a character."),
    MethodDef::one(
        "bidirectional",
        bidirectional,
        "bidirectional($self, chr, /)\n--\n\nThe bidirectional class of a character; empty when there is none.",
    ),
    MethodDef::one(
        "combining",
        combining,
        "combining($self, chr, /)\n--\n\nThe canonical combining class of a character as an int; 0 when there is none.",
    ),
    MethodDef::one(
        "mirrored",
        mirrored,
        "mirrored($self, chr, /)\n--\n\n1 for a character that is mirrored in text from right to left, else 0.",
    ),
    MethodDef::one(
        "east_asian_width",
        east_asian_width,
        "east_asian_width($self, chr, /)\n--\n\nThe East Asian width of a character.",
    ),
    MethodDef::one(
        "decomposition",
        decomposition,
        "decomposition($self, chr, /)\n--\n\nThe decomposition mapping of a character; empty when there is none.",
    ),
    MethodDef::positional(
        "is_normalized",
        is_normalized_function,
        "is_normalized($self, form, unistr, /)\n--\n\nWhether a string is in a normal form: 'NFC', 'NFKC', 'NFD' or 'NFKD'.",
    ),
    MethodDef::positional(
        "normalize",
        normalize_function,
        "normalize($self, form, unistr, /)\n--\n\nThe normal form of a string: 'NFC', 'NFKC', 'NFD' or 'NFKD'.",
    ),
    MethodDef::positional(
        "name",
        name,
        "name($self, chr, default=<unrepresentable>, /)\n--\n\nThe name of a character; else the default, or ValueError.",
    ),
    MethodDef::one(
        "lookup",
        lookup,
        "lookup($self, name, /)\n--\n\nThe character (or sequence) of a name; KeyError when there is none.",
    ),
];

/// A version of the database: an instance is version 3.2, the module itself the newest.
#[repr(C)]
pub struct PyUcd {
    ob_base: PyObject,
}
crate::native!(PyUcd, UCD_TYPE);

/// `unicodedata.UCD`.
pub static UCD_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"unicodedata.UCD",
    basicsize: size_of::<PyUcd>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: METHODS,
    getset: &[GetSetDef::get("unidata_version", |ts, _| Ok(PyStr::new(ts, "3.2.0")?.into_object()), "")],
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object owns nothing.
    unsafe { alloc::free(ts, object) }
}

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let (major, minor, micro) = char::UNICODE_VERSION;
    let version = PyStr::format(ts, format_args!("{major}.{minor}.{micro}"))?;
    module.add(ts, "unidata_version", version.as_object())?;
    module.add(ts, "ucd_3_2_0", alloc::exact::<PyUcd>(ts)?.as_object())
}

/// Whether the functions ask the newest version.
fn is_modern(this: &PyObject) -> bool {
    !this.is_a::<PyUcd>()
}

/// A character that the asked version knows; None for one that version 3.2 had not assigned.
fn known(this: &PyObject, ch: u32) -> Option<(Ucd, CodePoint)> {
    let modern = is_modern(this);
    let ch = CodePoint::from_u32(ch)?;
    (modern || ch.to_char().is_none() || membership_3_2(ch.to_u32())).then_some((Ucd::new(modern), ch))
}

fn one_character(ts: &ThreadState, function: &str, place: &str, argument: &PyObject) -> PyResult<u32> {
    let Some(text) = argument.downcast::<PyStr>() else {
        return raise!(
            ts,
            exc::TypeError,
            "{function}() argument{place} must be a unicode character, not {}",
            argument.type_name()
        );
    };
    if text.len() != 1 {
        return raise!(
            ts,
            exc::TypeError,
            "{function}(): argument{place} must be a unicode character, not a string of length {}",
            text.len()
        );
    }
    Ok(text.char_at(0))
}

/// The character and the default of the functions that have one.
fn with_default<'a>(ts: &ThreadState, function: &str, args: &[&'a PyObject]) -> PyResult<(u32, Option<&'a PyObject>)> {
    call::check_count(ts, function, args.len(), 1, 2)?;
    Ok((one_character(ts, function, " 1", args[0])?, args.get(1).copied()))
}

fn or_default(ts: &ThreadState, found: Option<PyRef>, default: Option<&PyObject>, message: &str) -> PyResult {
    match (found, default) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => raise!(ts, exc::ValueError, "{message}"),
    }
}

fn decimal(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (ch, default) = with_default(ts, "decimal", args)?;
    let value = known(this, ch).and_then(|(ucd, ch)| ucd.decimal(ch));
    or_default(ts, value.map(|value| PyInt::from_u64(ts, value)).transpose()?, default, "not a decimal")
}

fn digit(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let (ch, default) = with_default(ts, "digit", args)?;
    // CPython answers from the newest version whichever is asked.
    let value = CodePoint::from_u32(ch).and_then(|ch| Ucd::new(true).digit(ch));
    or_default(ts, value.map(|value| PyInt::from_u64(ts, value)).transpose()?, default, "not a digit")
}

fn numeric(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (ch, default) = with_default(ts, "numeric", args)?;
    // CPython knows the Bengali fractions by their later values in both versions.
    let later = matches!(ch, 0x9F4..=0x9F7);
    let value = known(this, ch).and_then(|(ucd, ch)| if later { Ucd::new(true).numeric(ch) } else { ucd.numeric(ch) });
    or_default(ts, value.map(|value| PyFloat::new(ts, value)).transpose()?, default, "not a numeric character")
}

fn category(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "category", "", argument)?;
    let category = known(this, ch).map_or("Cn", |(ucd, ch)| ucd.category(ch));
    Ok(PyStr::intern(ts, category)?.into_object())
}

fn bidirectional(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "bidirectional", "", argument)?;
    let class = match known(this, ch) {
        // An unassigned character has a class by default only, which the database does not list.
        Some((ucd, ch)) if ucd.category(ch) != "Cn" => match ch.to_char() {
            Some(_) => ucd.bidirectional(ch),
            None => "L",
        },
        _ => "",
    };
    Ok(PyStr::intern(ts, class)?.into_object())
}

fn combining(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "combining", "", argument)?;
    PyInt::from_i64(ts, known(this, ch).map_or(0, |(ucd, ch)| ucd.combining(ch)).into())
}

fn mirrored(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "mirrored", "", argument)?;
    PyInt::from_i64(ts, known(this, ch).map_or(0, |(ucd, ch)| ucd.mirrored(ch)).into())
}

fn east_asian_width(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "east_asian_width", "", argument)?;
    let width = match known(this, ch) {
        Some((ucd, ch)) => ucd.east_asian_width(ch),
        // The planes of ideographs are wide whether a character is assigned or not.
        None if matches!(ch, 0x20000..=0x2FFFD | 0x30000..=0x3FFFD) => "W",
        None => CodePoint::from_u32(ch).map_or("N", |ch| Ucd::new(false).east_asian_width(ch)),
    };
    Ok(PyStr::intern(ts, width)?.into_object())
}

/// How many columns of a terminal a character takes.
pub(crate) fn columns_of(ch: u32) -> usize {
    let Some(ch) = CodePoint::from_u32(ch) else { return 1 };
    let ucd = Ucd::new(false);
    if ucd.combining(ch) != 0 {
        return 0;
    }
    if matches!(ucd.east_asian_width(ch), "W" | "F") { 2 } else { 1 }
}

fn decomposition(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let ch = one_character(ts, "decomposition", "", argument)?;
    // The mappings of syllables are computed, and not in the database.
    if (0xAC00..=0xD7A3).contains(&ch) {
        return Ok(PyStr::empty().into_object());
    }
    match known(this, ch) {
        // The mappings that were corrected after version 3.2 are listed as corrected for both versions.
        Some((_, ch)) => Ok(PyStr::new(ts, &Ucd::new(false).decomposition(ch))?.into_object()),
        None => Ok(PyStr::empty().into_object()),
    }
}

/// Characters by code, as names for characters that have none of their own.
fn name(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (ch, default) = with_default(ts, "name", args)?;
    let name = known(this, ch).and_then(|(_, ch)| rustpython_unicode::character_name(ch.to_char()?));
    let name = name.map(|name| PyStr::new(ts, &name)).transpose()?;
    or_default(ts, name.map(Ref::into_object), default, "no such name")
}

/// No name is longer.
const LONGEST_NAME: usize = 256;

fn lookup(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult {
    let mut folded = TryString::<hognose_allocators::Mem>::new();
    let name = match argument.downcast::<PyStr>() {
        Some(text) => {
            write!(folded, "{text}").map_err(|_| NoMemory)?;
            folded.as_str().as_bytes()
        }
        None => {
            let bytes = bytes_like(ts, argument)?;
            for byte in bytes.iter() {
                folded.try_push(char::from(*byte))?;
            }
            folded.as_str().as_bytes()
        }
    };
    if name.len() > LONGEST_NAME {
        return raise!(ts, exc::KeyError, "name too long");
    }
    let found = core::str::from_utf8(name).ok().and_then(|name| Ucd::new(is_modern(this)).lookup(name));
    match found {
        Some(LookupResult::Character(ch)) => Ok(PyStr::from_char(ts, ch.into())?.into_object()),
        Some(LookupResult::Sequence(text)) => Ok(PyStr::new(ts, text)?.into_object()),
        None => raise!(ts, exc::KeyError, "undefined character name '{}'", folded.as_str()),
    }
}

/// The normal forms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Composed,
    CompatibilityComposed,
    Decomposed,
    CompatibilityDecomposed,
}

/// The form and the text.
fn form_and_text<'a>(ts: &ThreadState, function: &str, args: &[&'a PyObject]) -> PyResult<(&'a PyStr, &'a PyStr)> {
    call::check_count(ts, function, args.len(), 2, 2)?;
    let mut texts = [None; 2];
    for (index, argument) in args.iter().enumerate() {
        texts[index] = argument.downcast::<PyStr>();
        if texts[index].is_none() {
            return raise!(
                ts,
                exc::TypeError,
                "{function}() argument {} must be str, not {}",
                index + 1,
                argument.type_name()
            );
        }
    }
    match texts {
        [Some(form), Some(text)] => Ok((form, text)),
        _ => raise!(ts, exc::SystemError, "arguments were not checked"),
    }
}

fn form_of(ts: &ThreadState, form: &PyStr) -> PyResult<Form> {
    Ok(match form.ascii_str() {
        Some("NFC") => Form::Composed,
        Some("NFKC") => Form::CompatibilityComposed,
        Some("NFD") => Form::Decomposed,
        Some("NFKD") => Form::CompatibilityDecomposed,
        _ => return raise!(ts, exc::ValueError, "invalid normalization form"),
    })
}

/// What the correction of version 3.2 decomposed otherwise than later versions do: character and mapping.
static MAPPED_OTHERWISE_IN_3_2: &[(u32, u32)] =
    &[(0x2F868, 0x2136A), (0x2F874, 0x5F33), (0x2F91F, 0x43AB), (0x2F95F, 0x7AAE), (0x2F9BF, 0x4D57)];

/// Hands the characters of a string's normal form to `out`.
fn normalize_into<E>(
    form: Form,
    modern: bool,
    text: &PyStr,
    mut out: impl FnMut(u32) -> Result<(), E>,
) -> Result<(), E> {
    let normal = |ch: u32| -> Option<char> {
        if modern {
            return char::from_u32(ch);
        }
        if !membership_3_2(ch) {
            return None;
        }
        let mapped = MAPPED_OTHERWISE_IN_3_2.iter().find(|(from, _)| *from == ch);
        char::from_u32(mapped.map_or(ch, |(_, to)| *to))
    };
    let mut start = 0;
    while start < text.len() {
        let end = text.chars_in(start..text.len()).position(|ch| normal(ch).is_none());
        let end = end.map_or(text.len(), |count| start + count);
        let run = text.chars_in(start..end).filter_map(normal);
        match form {
            Form::Composed => {
                ComposingNormalizerBorrowed::new_nfc().normalize_iter(run).try_for_each(|ch| out(ch.into()))?
            }
            Form::CompatibilityComposed => {
                ComposingNormalizerBorrowed::new_nfkc().normalize_iter(run).try_for_each(|ch| out(ch.into()))?
            }
            Form::Decomposed => {
                DecomposingNormalizerBorrowed::new_nfd().normalize_iter(run).try_for_each(|ch| out(ch.into()))?
            }
            Form::CompatibilityDecomposed => {
                DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(run).try_for_each(|ch| out(ch.into()))?
            }
        }
        if end < text.len() {
            out(text.char_at(end))?;
        }
        start = end + 1;
    }
    Ok(())
}

/// Whether a string is in a normal form, without making it.
fn is_normalized(form: Form, modern: bool, text: &PyStr) -> bool {
    // A composed form leaves Latin-1 as it is.
    if text.is_ascii() || form == Form::Composed && text.width() == 1 {
        return true;
    }
    let mut place = 0;
    let same = normalize_into(form, modern, text, |ch| {
        place += 1;
        if place <= text.len() && text.char_at(place - 1) == ch { Ok(()) } else { Err(()) }
    });
    same.is_ok() && place == text.len()
}

fn is_normalized_function(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (form, text) = form_and_text(ts, "is_normalized", args)?;
    // No text is in no form at all, so CPython looks at the form first here, and at the text first below.
    let form = form_of(ts, form)?;
    Ok(py_bool(is_normalized(form, is_modern(this), text)))
}

fn normalize_function(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (form, text) = form_and_text(ts, "normalize", args)?;
    if text.len() == 0 {
        return Ok(text.new_ref());
    }
    let form = form_of(ts, form)?;
    if is_normalized(form, is_modern(this), text) {
        return Ok(text.new_ref());
    }
    let mut builder = StrBuilder::with_capacity(text.len())?;
    normalize_into(form, is_modern(this), text, |ch| builder.push_char(ch))?;
    Ok(builder.finish(ts)?.into_object())
}
