//! `_csv.Dialect`: how values are separated and quoted.

use core::cell::Cell;

use super::PyCsvState;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, attr, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::PyStr;

/// When fields are quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Quoting {
    Minimal = 0,
    All = 1,
    NonNumeric = 2,
    None = 3,
    Strings = 4,
    NotNull = 5,
}

impl Quoting {
    /// The module's constants.
    pub(super) const NAMES: [(&'static str, Quoting); 6] = [
        ("QUOTE_MINIMAL", Quoting::Minimal),
        ("QUOTE_ALL", Quoting::All),
        ("QUOTE_NONNUMERIC", Quoting::NonNumeric),
        ("QUOTE_NONE", Quoting::None),
        ("QUOTE_STRINGS", Quoting::Strings),
        ("QUOTE_NOTNULL", Quoting::NotNull),
    ];

    fn from_number(number: i64) -> Option<Quoting> {
        Quoting::NAMES.iter().map(|(_, quoting)| *quoting).find(|quoting| *quoting as i64 == number)
    }
}

/// A dialect's characters and switches, as plain values.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) delimiter: u32,
    pub(super) quotechar: Option<u32>,
    pub(super) escapechar: Option<u32>,
    pub(super) quoting: Quoting,
    pub(super) doublequote: bool,
    pub(super) skipinitialspace: bool,
    pub(super) strict: bool,
}

#[repr(C)]
pub(super) struct PyDialect {
    ob_base: PyObject,
    pub(super) lineterminator: Slot<PyStr>,
    pub(super) settings: Cell<Settings>,
}

crate::native!(PyDialect, DIALECT_TYPE);
owns!(PyDialect: lineterminator);

fn settings(dialect: &PyObject) -> Settings {
    dialect.cast::<PyDialect>().settings.get()
}

fn character(ts: &ThreadState, ch: Option<u32>) -> PyResult {
    match ch {
        Some(ch) => Ok(PyStr::from_char(ts, ch)?.into_object()),
        None => Ok(ts.none()),
    }
}

/// `_csv.Dialect`.
pub(super) static DIALECT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_csv.Dialect",
    basicsize: size_of::<PyDialect>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "CSV dialect\n\nThe Dialect type records CSV dialect options.",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(PyDialect::slot_dealloc),
        traverse: Some(PyDialect::slot_traverse),
        clear: Some(PyDialect::slot_clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional("__reduce__", no_pickle, "raises an exception to avoid pickling"),
        MethodDef::positional("__reduce_ex__", no_pickle, "raises an exception to avoid pickling"),
    ],
    getset: &[
        GetSetDef::get("delimiter", |ts, this| character(ts, Some(settings(this).delimiter)), ""),
        GetSetDef::get("escapechar", |ts, this| character(ts, settings(this).escapechar), ""),
        GetSetDef::get("quotechar", |ts, this| character(ts, settings(this).quotechar), ""),
        GetSetDef::get("quoting", |ts, this| PyInt::from_i64(ts, settings(this).quoting as i64), ""),
        GetSetDef::get("doublequote", |_, this| Ok(py_bool(settings(this).doublequote)), ""),
        GetSetDef::get("skipinitialspace", |_, this| Ok(py_bool(settings(this).skipinitialspace)), ""),
        GetSetDef::get("strict", |_, this| Ok(py_bool(settings(this).strict)), ""),
        GetSetDef::get(
            "lineterminator",
            |ts, this| Ok(this.cast::<PyDialect>().lineterminator.get().map_or_else(|| ts.none(), Ref::into_object)),
            "",
        ),
    ],
    ..TypeSpec::EMPTY
});

fn no_pickle(ts: &ThreadState, this: &PyObject, _: &[&PyObject]) -> PyResult {
    raise!(ts, exc::TypeError, "cannot pickle '{}' instances", this.ob_type().name())
}

/// The settings' names, in the order of the constructor's arguments; the dialect is before them.
const NAMES: [&str; 8] =
    ["delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace", "strict"];

/// The dialect for the arguments `dialect=None, **settings` of the module's functions.
pub(super) fn make(ts: &ThreadState, args: Args<'_>) -> PyResult<Ref<PyDialect>> {
    match call::call(ts, DIALECT_TYPE.as_object(), args)?.downcast_into::<PyDialect>() {
        Ok(dialect) => Ok(dialect),
        Err(_) => raise!(ts, exc::TypeError, "a dialect is expected"),
    }
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let (base, mut values) = arguments(ts, args)?;
    if let Some(base) = &base {
        if base.is_a::<PyDialect>() && values.iter().all(Option::is_none) {
            return Ok(base.clone());
        }
        for (name, value) in NAMES.iter().zip(&mut values) {
            if value.is_none() {
                let name = PyStr::intern(ts, name)?;
                *value = match attr::get(ts, base, &name) {
                    Ok(value) => Some(value),
                    // Whatever keeps an attribute from being read, the default holds.
                    Err(raised) => {
                        ts.clear_raised(raised);
                        None
                    }
                };
            }
        }
    }
    let [delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skipinitialspace, strict] = values;
    let delimiter_or_none = one_character(ts, "delimiter", delimiter.as_deref(), Some(u32::from(',')), false)?;
    let doublequote = switch(ts, doublequote.as_deref(), true)?;
    let escapechar = one_character(ts, "escapechar", escapechar.as_deref(), None, true)?;
    let lineterminator = line_end(ts, lineterminator.as_deref())?;
    let quotechar_given = quotechar;
    let quotechar = one_character(ts, "quotechar", quotechar_given.as_deref(), Some(u32::from('"')), true)?;
    let mut style = quoting_style(ts, quoting.as_deref())?;
    let skipinitialspace = switch(ts, skipinitialspace.as_deref(), false)?;
    let strict = switch(ts, strict.as_deref(), false)?;
    let Some(delimiter) = delimiter_or_none else {
        return raise!(ts, exc::TypeError, "\"delimiter\" must be a 1-character string");
    };
    if quoting.is_none() && quotechar_given.as_deref().is_some_and(is_none) {
        style = Quoting::None;
    }
    if style != Quoting::None && quotechar.is_none() {
        return raise!(ts, exc::TypeError, "quotechar must be set if quoting enabled");
    }
    let Some(lineterminator) = lineterminator else {
        return raise!(ts, exc::TypeError, "lineterminator must be set");
    };
    let settings = Settings { delimiter, quotechar, escapechar, quoting: style, doublequote, skipinitialspace, strict };
    check(ts, &settings, &lineterminator)?;
    let this = alloc::object::<PyDialect>(ts, of)?;
    this.settings.set(settings);
    this.lineterminator.set(Some(lineterminator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// The dialect to start from, and the settings that were given.
fn arguments(ts: &ThreadState, args: Args<'_>) -> PyResult<(Option<PyRef>, [Option<PyRef>; 8])> {
    let mut values = [const { None }; 8];
    let mut base = None;
    if args.len() > 9 {
        return raise!(ts, exc::TypeError, "function takes at most 9 arguments ({} given)", args.len());
    }
    for (index, value) in args.positional().iter().enumerate() {
        match index {
            0 => base = Some(value.new_ref()),
            _ => values[index - 1] = Some(value.new_ref()),
        }
    }
    for (name, value) in args.keywords() {
        let place = match NAMES.iter().position(|known| name.equals_str(known)) {
            Some(index) => &mut values[index],
            None if name.equals_str("dialect") => &mut base,
            None => return raise!(ts, exc::TypeError, "this function got an unexpected keyword argument '{}'", name),
        };
        if place.is_some() {
            return raise!(ts, exc::TypeError, "argument for function given by name ('{}') and position", name);
        }
        *place = Some(value.new_ref());
    }
    // A name stands for what is registered by it.
    if let Some(name) = base.take_if(|base| base.is_a::<PyStr>()) {
        base = Some(PyCsvState::current(ts)?.dialect(ts, &name)?);
    }
    Ok((base, values))
}

fn one_character(
    ts: &ThreadState,
    name: &str,
    given: Option<&PyObject>,
    default: Option<u32>,
    may_be_none: bool,
) -> PyResult<Option<u32>> {
    let Some(given) = given else { return Ok(default) };
    if may_be_none && is_none(given) {
        return Ok(None);
    }
    let or_none = if may_be_none { " or None" } else { "" };
    let Some(text) = given.downcast::<PyStr>() else {
        return raise!(
            ts,
            exc::TypeError,
            "\"{name}\" must be a unicode character{or_none}, not {}",
            given.type_name()
        );
    };
    if text.len() != 1 {
        return raise!(
            ts,
            exc::TypeError,
            "\"{name}\" must be a unicode character{or_none}, not a string of length {}",
            text.len()
        );
    }
    Ok(Some(text.char_at(0)))
}

fn switch(ts: &ThreadState, given: Option<&PyObject>, default: bool) -> PyResult<bool> {
    given.map_or(Ok(default), |given| protocol::is_true(ts, given))
}

fn line_end(ts: &ThreadState, given: Option<&PyObject>) -> PyResult<Option<Ref<PyStr>>> {
    let Some(given) = given else { return PyStr::new(ts, "\r\n").map(Some) };
    if is_none(given) {
        return Ok(None);
    }
    match given.downcast::<PyStr>() {
        Some(text) => Ok(Some(Ref::from_borrowed(text))),
        None => raise!(ts, exc::TypeError, "\"lineterminator\" must be a string, not {}", given.type_name()),
    }
}

fn quoting_style(ts: &ThreadState, given: Option<&PyObject>) -> PyResult<Quoting> {
    let Some(given) = given else { return Ok(Quoting::Minimal) };
    let Some(number) = given.downcast_exact::<PyInt>() else {
        return raise!(ts, exc::TypeError, "\"quoting\" must be an integer, not {}", given.type_name());
    };
    match Quoting::from_number(i64::from(number.to_i32(ts)?)) {
        Some(quoting) => Ok(quoting),
        None => raise!(ts, exc::TypeError, "bad \"quoting\" value"),
    }
}

/// Refuses characters that would mean two things.
fn check(ts: &ThreadState, settings: &Settings, lineterminator: &PyStr) -> PyResult<()> {
    let named = [
        ("delimiter", Some(settings.delimiter), true),
        ("escapechar", settings.escapechar, !settings.skipinitialspace),
        ("quotechar", settings.quotechar, !settings.skipinitialspace),
    ];
    for (name, ch, may_be_space) in named {
        let Some(ch) = ch else { continue };
        if matches!(ch, 0x0d | 0x0a) || ch == 0x20 && !may_be_space {
            return raise!(ts, exc::ValueError, "bad {name} value");
        }
        if lineterminator.chars().any(|other| other == ch) {
            return raise!(ts, exc::ValueError, "bad {name} or lineterminator value");
        }
    }
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
        let ((one, a, _), (other, b, _)) = (named[first], named[second]);
        if a.is_some() && a == b {
            return raise!(ts, exc::ValueError, "bad {one} or {other} value");
        }
    }
    Ok(())
}
