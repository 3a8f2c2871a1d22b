//! Filling an OrderedDict from mappings, pairs and keywords.

use super::{ORDERED_DICT_TYPE, PyOrderedDict};
use crate::id;
use crate::object::{Args, AsObject, PyObject, PyResult, attr, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;

pub(super) fn ordered_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    if args.len() > 1 {
        return raise!(ts, exc::TypeError, "expected at most 1 arguments, got {}", args.len());
    }
    update(ts, object, args)
}

pub(super) fn update_method(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    if args.len() > 1 {
        return raise!(ts, exc::TypeError, "update() takes at most 1 positional argument ({} given)", args.len());
    }
    update(ts, object, args)?;
    Ok(ts.none())
}

fn update(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    if let Some(other) = args.positional().first() {
        update_from(ts, object, other)?;
    }
    for (name, value) in args.keywords() {
        protocol::setitem(ts, object, name.as_object(), value)?;
    }
    Ok(())
}

/// `MutableMapping.update` with one argument: through the object's own `__setitem__`.
fn update_from(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult<()> {
    if let Some(dict) = other.downcast_exact::<PyDict>() {
        let items = dict.items_list(ts)?;
        return add_pairs(ts, object, items.as_object());
    }
    if let Some(keys) = attr::get_opt(ts, other, id!(keys))? {
        let keys = call::call0(ts, &keys)?;
        let keys = protocol::iter(ts, &keys)?;
        while let Some(key) = protocol::next(ts, &keys)? {
            let value = protocol::getitem(ts, other, &key)?;
            protocol::setitem(ts, object, &key, &value)?;
        }
        return Ok(());
    }
    if let Some(items) = attr::get_opt(ts, other, id!(items))? {
        let items = call::call0(ts, &items)?;
        return add_pairs(ts, object, &items);
    }
    add_pairs(ts, object, other)
}

fn add_pairs(ts: &ThreadState, object: &PyObject, pairs: &PyObject) -> PyResult<()> {
    let pairs = protocol::iter(ts, pairs)?;
    while let Some(pair) = protocol::next(ts, &pairs)? {
        let parts = protocol::iter(ts, &pair)?;
        let Some(key) = protocol::next(ts, &parts)? else {
            return raise!(ts, exc::ValueError, "need more than 0 values to unpack");
        };
        let Some(value) = protocol::next(ts, &parts)? else {
            return raise!(ts, exc::ValueError, "need more than 1 value to unpack");
        };
        if protocol::next(ts, &parts)?.is_some() {
            return raise!(ts, exc::ValueError, "too many values to unpack (expected 2)");
        }
        protocol::setitem(ts, object, &key, &value)?;
    }
    Ok(())
}

pub(super) fn ordered_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let (of, other) = match left.downcast::<PyOrderedDict>() {
        Some(_) => (left.ob_type(), right),
        None if right.is_a::<PyOrderedDict>() => (right.ob_type(), left),
        None => (&*ORDERED_DICT_TYPE, left),
    };
    if !other.is_a::<PyDict>() {
        return Ok(not_implemented());
    }
    let merged = call::call_with(ts, of.as_object(), &[left])?;
    update_from(ts, &merged, right)?;
    Ok(merged)
}

pub(super) fn ordered_inplace_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    update_from(ts, left, right)?;
    Ok(left.new_ref())
}
