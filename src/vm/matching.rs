//! Class and mapping patterns (PEP 634).

use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, attr, call, flags, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The values for a tuple of keys, or None when one is missing.
pub fn match_keys(ts: &ThreadState, subject: &PyObject, keys: &PyObject) -> PyResult {
    let keys = keys.cast::<PyTuple>();
    let mut values = TryVec::<PyRef>::new();
    values.try_reserve(keys.len())?;
    if keys.len() == 0 {
        return Ok(PyTuple::empty().into_object());
    }
    let seen = PySet::new(ts)?;
    let exact = subject.downcast_exact::<PyDict>();
    // A mapping with defaults must not make any: `get` with a sentinel asks without making.
    let get = if exact.is_none() { Some(attr::get(ts, subject, id!(get))?) } else { None };
    let sentinel = crate::types::object::new_plain(ts)?;
    for key in keys.items() {
        if seen.contains(ts, key)? {
            return raise!(ts, exc::ValueError, "mapping pattern checks duplicate key ({})", protocol::repr(ts, key)?);
        }
        seen.add(ts, key)?;
        let value = match (exact, &get) {
            (Some(dict), _) => dict.get(ts, key)?,
            (None, Some(get)) => Some(call::call_with(ts, get, &[key, &sentinel])?).filter(|v| !v.is(&sentinel)),
            (None, None) => None,
        };
        match value {
            Some(value) => values.try_push(value)?,
            None => return Ok(ts.none()),
        }
    }
    Ok(PyTuple::from_vec(ts, values)?.into_object())
}

/// The attributes that a class pattern looks at, or None when the subject is not an instance or lacks one.
pub fn match_class(
    ts: &ThreadState,
    subject: &PyObject,
    class: &PyObject,
    positional: usize,
    names: &PyObject,
) -> PyResult {
    let Some(class_type) = class.downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "called match pattern must be a class");
    };
    if !protocol::isinstance(ts, subject, class)? {
        return Ok(ts.none());
    }
    let names = names.cast::<PyTuple>();
    let seen = PySet::new(ts)?;
    let mut values = TryVec::<PyRef>::new();
    if positional > 0 {
        let mut match_self = false;
        let match_args = match attr::get_opt(ts, class, id!(__match_args__))? {
            Some(args) => args,
            None => {
                match_self = class_type.has_flag(flags::MATCH_SELF);
                PyTuple::empty().into_object()
            }
        };
        let Some(match_args) = match_args.downcast_exact::<PyTuple>() else {
            return raise!(
                ts,
                exc::TypeError,
                "{}.__match_args__ must be a tuple (got {})",
                class_type.name(),
                match_args.type_name()
            );
        };
        let allowed = if match_self { 1 } else { match_args.len() };
        if allowed < positional {
            let plural = if allowed == 1 { "" } else { "s" };
            return raise!(
                ts,
                exc::TypeError,
                "{}() accepts {allowed} positional sub-pattern{plural} ({positional} given)",
                class_type.name()
            );
        }
        if match_self {
            values.try_push(subject.new_ref())?;
        } else {
            for name in &match_args.items()[..positional] {
                let Some(name) = name.downcast_exact::<PyStr>() else {
                    return raise!(
                        ts,
                        exc::TypeError,
                        "__match_args__ elements must be strings (got {})",
                        name.type_name()
                    );
                };
                match match_attribute(ts, subject, class_type, name, &seen)? {
                    Some(value) => values.try_push(value)?,
                    None => return Ok(ts.none()),
                }
            }
        }
    }
    for name in names.items() {
        match match_attribute(ts, subject, class_type, name.cast::<PyStr>(), &seen)? {
            Some(value) => values.try_push(value)?,
            None => return Ok(ts.none()),
        }
    }
    Ok(PyTuple::from_vec(ts, values)?.into_object())
}

fn match_attribute(
    ts: &ThreadState,
    subject: &PyObject,
    class: &PyTypeObject,
    name: &PyStr,
    seen: &PySet,
) -> PyResult<Option<PyRef>> {
    if seen.contains(ts, name.as_object())? {
        return raise!(
            ts,
            exc::TypeError,
            "{}() got multiple sub-patterns for attribute {}",
            class.name(),
            protocol::repr(ts, name.as_object())?
        );
    }
    seen.add(ts, name.as_object())?;
    attr::get_opt(ts, subject, name)
}
