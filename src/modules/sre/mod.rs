//! `_sre`: the native half of `re`.
//!
//! | file | what |
//! |---|---|
//! | `engine` | matches; it knows text and compiled code, and no Python objects |
//! | `pattern` | `re.Pattern`: a compiled pattern and everything that it can be asked to do |
//! | `matched` | `re.Match`: where a pattern was found |
//! | `scanner` | the object behind `finditer` and `Pattern.scanner` |
//! | `substitute` | `sub`, `subn`, `expand` and replacement templates |
//! | `subject` | the text that is looked through, a `str` or the bytes of any object |

pub mod engine;
mod matched;
mod pattern;
mod scanner;
mod subject;
mod substitute;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::object::{Args, MethodDef, PyObject, PyResult, Raised, Signature, call, protocol, ready};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;
use engine::Program;
use pattern::PyPattern;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_sre",
    doc: "The native half of re: patterns, matches and the engine that finds them.",
    methods: &[
        MethodDef::keywords(
            "compile",
            compile,
            "compile($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)\n--\n\nA Pattern that runs the given code.",
        ),
        MethodDef::positional(
            "template",
            substitute::template,
            "template($module, pattern, template, /)\n--\n\nA replacement, from a list of literals and group numbers in turn.",
        ),
        MethodDef::no_args(
            "getcodesize",
            |ts, _| PyInt::from_i64(ts, i64::from(engine::CODE_SIZE)),
            "getcodesize($module, /)\n--\n\nThe bytes in a word of compiled code.",
        ),
        MethodDef::keywords(
            "ascii_iscased",
            |ts, _, args| Ok(py_bool(engine::ascii_is_cased(character(ts, "ascii_iscased", args)?))),
            "ascii_iscased($module, character, /)\n--\n\nWhether the character has two cases, in ASCII.",
        ),
        MethodDef::keywords(
            "unicode_iscased",
            |ts, _, args| Ok(py_bool(engine::unicode_is_cased(character(ts, "unicode_iscased", args)?))),
            "unicode_iscased($module, character, /)\n--\n\nWhether the character has several cases, in Unicode.",
        ),
        MethodDef::keywords(
            "ascii_tolower",
            |ts, _, args| PyInt::from_i64(ts, i64::from(engine::ascii_lower(character(ts, "ascii_tolower", args)?))),
            "ascii_tolower($module, character, /)\n--\n\nThe character in lower case, by ASCII's rules.",
        ),
        MethodDef::keywords(
            "unicode_tolower",
            |ts, _, args| {
                PyInt::from_i64(ts, i64::from(engine::unicode_lower(character(ts, "unicode_tolower", args)?)))
            },
            "unicode_tolower($module, character, /)\n--\n\nThe character in lower case, by Unicode's rules.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    // The types are found through their instances only.
    ready::ready_static(ts, &pattern::PATTERN_TYPE)?;
    ready::ready_static(ts, &matched::MATCH_TYPE)?;
    ready::ready_static(ts, &scanner::SCANNER_TYPE)?;
    ready::ready_static(ts, &substitute::TEMPLATE_TYPE)?;
    module.add_int(ts, "MAGIC", i64::from(engine::MAGIC))?;
    module.add_int(ts, "CODESIZE", i64::from(engine::CODE_SIZE))?;
    module.add_int(ts, "MAXREPEAT", i64::from(engine::MAX_REPEAT))?;
    module.add_int(ts, "MAXGROUPS", i64::from(engine::MAX_GROUPS))
}

fn character(ts: &ThreadState, name: &str, args: Args<'_>) -> PyResult<u32> {
    let args = args.no_keywords(ts, name)?;
    call::check_count(ts, name, args.len(), 1, 1)?;
    Ok(protocol::as_i32(ts, args[0])? as u32)
}

/// `_sre.compile`: what `re._compiler` ends with.
fn compile(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<6> =
        Signature::new("compile", ["pattern", "flags", "code", "groups", "groupindex", "indexgroup"], 0, 6, 6);
    let [Some(pattern), Some(flags), Some(code), Some(groups), Some(groupindex), Some(indexgroup)] =
        SIGNATURE.parse(ts, args)?
    else {
        return raise!(ts, exc::TypeError, "compile() takes 6 arguments");
    };
    let flags = protocol::as_i32(ts, flags)?;
    let Some(code) = code.downcast::<PyList>() else { return wrong_argument(ts, "code", "list", code) };
    let groups = protocol::as_isize(ts, groups)?;
    let Some(groupindex) = groupindex.downcast::<PyDict>() else {
        return wrong_argument(ts, "groupindex", "dict", groupindex);
    };
    let Some(indexgroup) = indexgroup.downcast::<PyTuple>() else {
        return wrong_argument(ts, "indexgroup", "tuple", indexgroup);
    };
    let words = code_words(ts, code)?;
    let Ok(groups) = usize::try_from(groups) else { return raise_error(ts, engine::Error::IllegalCode) };
    let program = match Program::new(&words, groups) {
        Ok(program) => program,
        Err(error) => return raise_error(ts, error),
    };
    let is_bytes = if is_none(pattern) { None } else { Some(subject::Subject::new(ts, pattern)?.is_bytes()) };
    Ok(PyPattern::new(ts, pattern, flags as u32, program, groupindex, indexgroup, is_bytes)?.into_object())
}

#[cold]
fn wrong_argument<T>(ts: &ThreadState, name: &str, wanted: &str, given: &PyObject) -> PyResult<T> {
    let given = if is_none(given) { "None" } else { given.type_name() };
    raise!(ts, exc::TypeError, "compile() argument '{name}' must be {wanted}, not {given}")
}

/// The code as 32-bit words.
fn code_words(ts: &ThreadState, code: &PyList) -> PyResult<TryVec<u32>> {
    let mut words = TryVec::new();
    words.try_reserve(code.len())?;
    let mut index = 0;
    while let Some(item) = code.get(index) {
        let Some(int) = item.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "an integer is required");
        };
        let word = match int.as_i64() {
            Some(value) if value < 0 => {
                return raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int");
            }
            Some(value) => u32::try_from(value).ok(),
            None => None,
        };
        let Some(word) = word else {
            return raise!(ts, exc::OverflowError, "regular expression code size limit exceeded");
        };
        words.try_push(word)?;
        index += 1;
    }
    Ok(words)
}

/// The engine's failure as an exception.
#[cold]
fn error(ts: &ThreadState, error: engine::Error) -> Raised {
    match error {
        engine::Error::NoMemory => NoMemory.into(),
        // The interrupt has raised what ends the match.
        engine::Error::Interrupted => Raised::already_set(),
        engine::Error::IllegalCode => ts.raise_fmt(&exc::RuntimeError, format_args!("invalid SRE code")),
    }
}

#[cold]
fn raise_error<T>(ts: &ThreadState, failure: engine::Error) -> PyResult<T> {
    Err(error(ts, failure))
}

/// What the engine asks from time to time: whether a signal's handler has raised.
fn interrupted(ts: &ThreadState) -> bool {
    ts.eval_breaker.any() && crate::lifecycle::pending::signals(ts).is_err()
}
