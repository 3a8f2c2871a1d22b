//! Length, items, containment, iteration.

use core::ops::ControlFlow;

use crate::object::call::call_special;
use crate::object::error::PyResult;
use crate::object::header::PyObject;
use crate::object::reference::{AsObject, PyRef, Ref};
use crate::object::typeobj::PyTypeObject;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::notimplemented::is_not_implemented;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// `len(object)`.
#[inline]
pub fn length(ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    let slots = object.ob_type().slots();
    match slots.sq_length.or(slots.mp_length) {
        Some(slot) => slot(ts, object),
        None => raise!(ts, exc::TypeError, "object of type '{}' has no len()", object.type_name()),
    }
}

/// `operator.length_hint(object, default)`.
pub fn length_hint(ts: &ThreadState, object: &PyObject, default: usize) -> PyResult<usize> {
    let slots = object.ob_type().slots();
    if slots.sq_length.is_some() || slots.mp_length.is_some() {
        let length = length(ts, object);
        if let Some(length) = ts.catch(length, &exc::TypeError)? {
            return Ok(length);
        }
    }
    let hint = call_special(ts, object, id!(__length_hint__), &[]);
    let Some(Some(hint)) = ts.catch(hint, &exc::TypeError)? else { return Ok(default) };
    if is_not_implemented(&hint) {
        return Ok(default);
    }
    let Some(hint) = hint.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "__length_hint__ must be an integer, not {}", hint.type_name());
    };
    if hint.sign() < 0 {
        return raise!(ts, exc::ValueError, "__length_hint__() should return >= 0");
    }
    hint.to_isize(ts).map(|n| n as usize)
}

/// `object[key]`.
#[inline]
pub fn getitem(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.mp_subscript {
        return slot(ts, object, key);
    }
    if slots.sq_item.is_some() {
        if super::is_index(key) {
            let index = super::as_item_index(ts, key)?;
            return sequence_item(ts, object, index);
        }
        return raise!(ts, exc::TypeError, "sequence index must be integer, not '{}'", key.type_name());
    }
    if let Some(typ) = object.downcast::<PyTypeObject>() {
        return class_getitem(ts, typ, key);
    }
    raise!(ts, exc::TypeError, "'{}' object is not subscriptable", object.type_name())
}

fn class_getitem(ts: &ThreadState, typ: &PyTypeObject, key: &PyObject) -> PyResult {
    // Subscripting `type` itself is for annotations only.
    if core::ptr::eq(typ, &*crate::types::typ::TYPE_TYPE) {
        return crate::types::genericalias::new(ts, typ.as_object(), key);
    }
    match crate::object::attr::get_opt(ts, typ.as_object(), id!(__class_getitem__))? {
        Some(method) if !is_none(&method) => crate::object::call::call_with(ts, &method, &[key]),
        _ => raise!(ts, exc::TypeError, "type '{}' is not subscriptable", typ.name()),
    }
}

/// `object[index]` through the sequence slots (`PySequence_GetItem`).
pub fn sequence_item(ts: &ThreadState, object: &PyObject, mut index: isize) -> PyResult {
    let slots = object.ob_type().slots();
    let Some(slot) = slots.sq_item else {
        if slots.mp_subscript.is_some() {
            return raise!(ts, exc::TypeError, "{} is not a sequence", object.type_name());
        }
        return raise!(ts, exc::TypeError, "'{}' object does not support indexing", object.type_name());
    };
    if index < 0
        && let Some(length) = slots.sq_length
    {
        index += length(ts, object)? as isize;
    }
    slot(ts, object, index)
}

/// `object[key] = value`.
#[inline]
pub fn setitem(ts: &ThreadState, object: &PyObject, key: &PyObject, value: &PyObject) -> PyResult<()> {
    assign_item(ts, object, key, Some(value))
}

/// `del object[key]`.
pub fn delitem(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<()> {
    assign_item(ts, object, key, None)
}

fn assign_item(ts: &ThreadState, object: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.mp_ass_subscript {
        return slot(ts, object, key, value);
    }
    if let Some(slot) = slots.sq_ass_item {
        if super::is_index(key) {
            let mut index = super::as_item_index(ts, key)?;
            if index < 0
                && let Some(length) = slots.sq_length
            {
                index += length(ts, object)? as isize;
            }
            return slot(ts, object, index, value);
        }
        return raise!(ts, exc::TypeError, "sequence index must be integer, not '{}'", key.type_name());
    }
    let what = if value.is_some() { "assignment" } else { "deletion" };
    raise!(ts, exc::TypeError, "'{}' object does not support item {what}", object.type_name())
}

/// `value in object`.
#[inline]
pub fn contains(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<bool> {
    match object.ob_type().slots().sq_contains {
        Some(slot) => slot(ts, object, value),
        None => contains_by_iteration(ts, object, value),
    }
}

/// `value in object` by looking at each item.
pub fn contains_by_iteration(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<bool> {
    let slots = object.ob_type().slots();
    if slots.iter.is_none() && slots.sq_item.is_none() {
        return raise!(ts, exc::TypeError, "argument of type '{}' is not a container or iterable", object.type_name());
    }
    let iterator = iter(ts, object)?;
    while let Some(item) = next(ts, &iterator)? {
        if super::equal(ts, &item, value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `iter(object)`.
#[inline]
pub fn iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.iter {
        let iterator = slot(ts, object)?;
        if iterator.ob_type().slots().iternext.is_none() {
            return raise!(ts, exc::TypeError, "iter() returned non-iterator of type '{}'", iterator.type_name());
        }
        return Ok(iterator);
    }
    if is_sequence(object) {
        return crate::types::seqiter::sequence_iterator(ts, object);
    }
    raise!(ts, exc::TypeError, "'{}' object is not iterable", object.type_name())
}

/// The next item, or None at the end; the object is an iterator.
#[inline]
pub fn next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    // Iterators over iterators are as deep as a program makes them.
    ts.check_native_stack(" while iterating")?;
    match iterator.ob_type().slots().iternext {
        Some(slot) => slot(ts, iterator),
        None => raise!(ts, exc::TypeError, "'{}' object is not an iterator", iterator.type_name()),
    }
}

/// Whether the object has the sequence protocol (`PySequence_Check`).
pub fn is_sequence(object: &PyObject) -> bool {
    !object.is_a::<crate::types::dict::PyDict>() && object.ob_type().slots().sq_item.is_some()
}

/// Whether the object can be iterated over.
pub fn is_iterable(object: &PyObject) -> bool {
    object.ob_type().slots().iter.is_some() || is_sequence(object)
}

/// Whether the object is an iterator (`PyIter_Check`).
pub fn is_iterator(object: &PyObject) -> bool {
    object.ob_type().slots().iternext.is_some()
}

/// Calls `f` with each item; `ControlFlow::Break` ends the iteration early.
pub fn iterate<B>(
    ts: &ThreadState,
    iterable: &PyObject,
    mut f: impl FnMut(PyRef) -> PyResult<ControlFlow<B>>,
) -> PyResult<Option<B>> {
    if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
        for item in tuple.items() {
            if let ControlFlow::Break(value) = f(item.new_ref())? {
                return Ok(Some(value));
            }
        }
        return Ok(None);
    }
    if let Some(list) = iterable.downcast_exact::<PyList>() {
        let mut index = 0;
        while let Some(item) = list.get(index) {
            if let ControlFlow::Break(value) = f(item)? {
                return Ok(Some(value));
            }
            index += 1;
        }
        return Ok(None);
    }
    let iterator = iter(ts, iterable)?;
    while let Some(item) = next(ts, &iterator)? {
        if let ControlFlow::Break(value) = f(item)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Calls `f` with each item.
pub fn for_each(ts: &ThreadState, iterable: &PyObject, mut f: impl FnMut(PyRef) -> PyResult<()>) -> PyResult<()> {
    iterate::<()>(ts, iterable, |item| {
        f(item)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// `list(iterable)`.
pub fn list_of(ts: &ThreadState, iterable: &PyObject) -> PyResult<Ref<PyList>> {
    let list = PyList::new(ts)?;
    list.extend(ts, iterable)?;
    Ok(list)
}

/// `tuple(iterable)`; an exact tuple is returned as it is.
pub fn tuple_of(ts: &ThreadState, iterable: &PyObject) -> PyResult<Ref<PyTuple>> {
    if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
        return Ok(Ref::from_borrowed(tuple));
    }
    if let Some(list) = iterable.downcast_exact::<PyList>() {
        return list.to_tuple(ts);
    }
    let mut items = hognose_allocators::collections::TryVec::<PyRef>::new();
    items.try_reserve(length_hint(ts, iterable, 8)?.min(1 << 16))?;
    for_each(ts, iterable, |item| Ok(items.try_push(item)?))?;
    PyTuple::from_vec(ts, items)
}

/// The items as a list or tuple to look into, TypeError with `message` for what is not iterable (`PySequence_Fast`).
pub fn fast(ts: &ThreadState, object: &PyObject, message: &str) -> PyResult<Ref<PyTuple>> {
    let result = tuple_of(ts, object);
    match result {
        Err(raised) if !is_iterable(object) && ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            raise!(ts, exc::TypeError, "{message}")
        }
        other => other,
    }
}

/// `str(separator).join` and the like want the name of a thing: the `__qualname__`, or its repr.
pub fn name_of(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    match crate::object::attr::get_opt(ts, object, id!(__qualname__))? {
        Some(name) => super::str(ts, &name),
        None => super::str(ts, object),
    }
}

/// The keys, values or items of a mapping as a list (`PyMapping_Keys` …).
pub fn mapping_list(ts: &ThreadState, mapping: &PyObject, method: &PyStr) -> PyResult<Ref<PyList>> {
    let view = crate::object::call::call_method(ts, mapping, method, &[])?;
    if !is_iterable(&view) {
        return raise!(
            ts,
            exc::TypeError,
            "{}.{}() returned a non-iterable (type {})",
            mapping.type_name(),
            method,
            view.type_name()
        );
    }
    list_of(ts, &view)
}
