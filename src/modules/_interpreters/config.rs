//! Configurations of interpreters as Python has them: namespaces.

use crate::lifecycle::subinterp::{DEFAULT_GIL, InterpreterConfig, OWN_GIL, SHARED_GIL};
use crate::object::{Args, AsObject, PyObject, PyResult, Ref, attr, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::{as_bool, py_bool};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::namespace::PyNamespace;
use crate::types::none::is_none;
use crate::types::str::PyStr;

const FIELDS: [&str; 6] = [
    "use_main_obmalloc",
    "allow_fork",
    "allow_exec",
    "allow_threads",
    "allow_daemon_threads",
    "check_multi_interp_extensions",
];

fn place<'a>(config: &'a mut InterpreterConfig, field: &str) -> &'a mut core::ffi::c_int {
    match field {
        "use_main_obmalloc" => &mut config.use_main_obmalloc,
        "allow_fork" => &mut config.allow_fork,
        "allow_exec" => &mut config.allow_exec,
        "allow_threads" => &mut config.allow_threads,
        "allow_daemon_threads" => &mut config.allow_daemon_threads,
        _ => &mut config.check_multi_interp_extensions,
    }
}

fn named(ts: &ThreadState, name: &PyStr) -> PyResult<InterpreterConfig> {
    for (known, config) in [
        ("", InterpreterConfig::ISOLATED),
        ("default", InterpreterConfig::ISOLATED),
        ("isolated", InterpreterConfig::ISOLATED),
        ("legacy", InterpreterConfig::LEGACY),
        ("empty", InterpreterConfig::EMPTY),
    ] {
        if name.equals_str(known) {
            return Ok(config);
        }
    }
    raise!(ts, exc::ValueError, "unsupported config name '{name}'")
}

/// The configuration that an argument gives: a name, a namespace, or None for the default.
pub fn from_object(ts: &ThreadState, object: Option<&PyObject>) -> PyResult<InterpreterConfig> {
    let Some(object) = object.filter(|object| !is_none(object)) else { return Ok(InterpreterConfig::ISOLATED) };
    if let Some(name) = object.downcast::<PyStr>() {
        return named(ts, name);
    }
    let Some(attributes) = attr::get_opt(ts, object, crate::id!(__dict__))? else {
        return raise!(ts, exc::TypeError, "expected a config name or a namespace, got {}", object.type_name());
    };
    let Ok(attributes) = attributes.downcast_into::<PyDict>() else {
        return raise!(ts, exc::TypeError, "bad config: its __dict__ is none");
    };
    let mut config = InterpreterConfig::EMPTY;
    let known = update(ts, &mut config, &attributes)?;
    if known != FIELDS.len() + 1 {
        for field in FIELDS.into_iter().chain(["gil"]) {
            if attributes.get_str(ts, &*PyStr::intern(ts, field)?)?.is_none() {
                return raise!(ts, exc::ValueError, "config is missing field '{field}'");
            }
        }
    }
    Ok(config)
}

/// Takes the entries over; how many there were. ValueError for one that is no field.
fn update(ts: &ThreadState, config: &mut InterpreterConfig, entries: &PyDict) -> PyResult<usize> {
    let mut position = 0;
    let mut count = 0;
    while let Some((key, value)) = entries.next(&mut position) {
        let Some(name) = key.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "config fields have names, not {}", key.type_name());
        };
        count += 1;
        if name.equals_str("gil") {
            config.gil = gil(ts, &value)?;
        } else if let Some(field) = FIELDS.into_iter().find(|field| name.equals_str(field)) {
            let Some(flag) = as_bool(&value) else {
                return raise!(
                    ts,
                    exc::TypeError,
                    "invalid config type: '{field}' must be a bool, not {}",
                    value.type_name()
                );
            };
            *place(config, field) = flag.into();
        } else {
            return raise!(ts, exc::ValueError, "config dict has 1 extra item: '{name}'");
        }
    }
    Ok(count)
}

fn gil(ts: &ThreadState, value: &PyObject) -> PyResult<core::ffi::c_int> {
    let Some(name) = value.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "invalid config type: 'gil' must be a str, not {}", value.type_name());
    };
    for (known, number) in [("default", DEFAULT_GIL), ("shared", SHARED_GIL), ("own", OWN_GIL)] {
        if name.equals_str(known) {
            return Ok(number);
        }
    }
    let shown = protocol::repr(ts, value)?;
    raise!(ts, exc::ValueError, "unsupported interpreter config 'gil' value {shown}")
}

/// A configuration as a namespace.
pub fn namespace(ts: &ThreadState, config: &InterpreterConfig) -> PyResult {
    let mut config = *config;
    let dict = PyDict::new(ts)?;
    for field in FIELDS {
        dict.set_str(ts, &*PyStr::intern(ts, field)?, &py_bool(*place(&mut config, field) != 0))?;
    }
    let gil = match config.gil {
        SHARED_GIL => "shared",
        OWN_GIL => "own",
        _ => "default",
    };
    dict.set_str(ts, &*PyStr::intern(ts, "gil")?, PyStr::intern(ts, gil)?.as_object())?;
    Ok(PyNamespace::new(ts, Some(&dict))?.into_object())
}

/// `new_config(name='isolated', /, **overrides)`
pub fn new_config(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    crate::object::call::check_count(ts, "new_config", args.positional().len(), 0, 1)?;
    let mut config = match args.positional().first() {
        Some(name) => match name.downcast::<PyStr>() {
            Some(name) => named(ts, name)?,
            None if is_none(name) => InterpreterConfig::ISOLATED,
            None => return raise!(ts, exc::TypeError, "config name must be a str, not {}", name.type_name()),
        },
        None => InterpreterConfig::ISOLATED,
    };
    let overrides: Ref<PyDict> = PyDict::new(ts)?;
    for (name, value) in args.keywords() {
        overrides.set_str(ts, name, value)?;
    }
    update(ts, &mut config, &overrides)?;
    namespace(ts, &config)
}
