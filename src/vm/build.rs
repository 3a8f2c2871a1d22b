//! Building and taking apart: displays, star-arguments, unpacking, slices, strings.

use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::list::PyList;
use crate::types::set::PySet;
use crate::types::slice::PySlice;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// `container[start:stop]`.
pub fn binary_slice(ts: &ThreadState, container: &PyObject, start: &PyObject, stop: &PyObject) -> PyResult {
    let slice = PySlice::new(ts, start, stop, crate::types::none::none())?;
    protocol::getitem(ts, container, slice.as_object())
}

/// `"".join` of strings.
pub fn build_string(ts: &ThreadState, pieces: &[&PyObject]) -> PyResult<Ref<PyStr>> {
    let mut builder = StrBuilder::new();
    for piece in pieces {
        builder.push(piece.cast::<PyStr>())?;
    }
    builder.finish(ts)
}

/// `format(value, spec)` where `spec` comes from an f-string.
pub fn format_with_spec(ts: &ThreadState, value: &PyObject, spec: &PyObject) -> PyResult<Ref<PyStr>> {
    match spec.downcast::<PyStr>() {
        Some(spec) => protocol::format(ts, value, spec),
        None => raise!(ts, exc::TypeError, "format spec must be str, not {}", spec.type_name()),
    }
}

/// An interpolation of a t-string.
pub fn interpolation(
    ts: &ThreadState,
    value: &PyObject,
    expression: &PyObject,
    conversion: usize,
    spec: Option<&PyObject>,
) -> PyResult {
    let conversion = match conversion {
        0 => None,
        1 => Some('s'),
        2 => Some('r'),
        3 => Some('a'),
        _ => return raise!(ts, exc::SystemError, "t-string conversion flag must be between 0 and 3"),
    };
    let empty = PyStr::empty();
    let spec = spec.unwrap_or(empty.as_object());
    Ok(crate::types::template::PyInterpolation::new(ts, value, expression, conversion, spec)?.into_object())
}

/// The attribute of a new function that SET_FUNCTION_ATTRIBUTE's argument names.
pub fn set_function_attribute(function: &PyFunction, value: PyRef, which: usize) {
    match which {
        1 => function.func_defaults.set(value.downcast_into::<PyTuple>().ok()),
        2 => function.func_kwdefaults.set(value.downcast_into::<PyDict>().ok()),
        4 => function.func_annotations.set(Some(value)),
        8 => function.func_closure.set(value.downcast_into::<PyTuple>().ok()),
        16 => function.func_annotate.set(Some(value)),
        _ => {}
    }
}

/// What a function is called in a message: `f()`, `mod.f()`, or its str.
fn function_text(ts: &ThreadState, function: &PyObject) -> PyResult<Ref<PyStr>> {
    let Some(qualname) = attr::get_opt(ts, function, id!(__qualname__))? else {
        return protocol::str(ts, function);
    };
    let qualname = protocol::str(ts, &qualname)?;
    if let Some(module) = attr::get_opt(ts, function, id!(__module__))?
        && let Some(module) = module.downcast::<PyStr>()
        && !module.equals_str("builtins")
    {
        return PyStr::format(ts, format_args!("{module}.{qualname}()"));
    }
    PyStr::format(ts, format_args!("{qualname}()"))
}

/// The tuple for `f(*iterable)`.
pub fn star_args(ts: &ThreadState, function: &PyObject, iterable: &PyObject) -> PyResult<Ref<PyTuple>> {
    let result = protocol::tuple_of(ts, iterable);
    match result {
        Err(raised) if !protocol::is_iterable(iterable) && ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            let text = function_text(ts, function)?;
            raise!(ts, exc::TypeError, "{text} argument after * must be an iterable, not {}", iterable.type_name())
        }
        other => other,
    }
}

/// `[*iterable]`.
pub fn list_extend(ts: &ThreadState, list: &PyList, iterable: &PyObject) -> PyResult<()> {
    let result = list.extend(ts, iterable);
    match result {
        Err(raised) if !protocol::is_iterable(iterable) && ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            raise!(ts, exc::TypeError, "Value after * must be an iterable, not {}", iterable.type_name())
        }
        other => other,
    }
}

/// `{*iterable}`.
pub fn set_update(ts: &ThreadState, set: &PySet, iterable: &PyObject) -> PyResult<()> {
    protocol::for_each(ts, iterable, |item| set.add(ts, &item).map(drop))
}

/// `{**mapping}`.
pub fn dict_update(ts: &ThreadState, dict: &PyDict, mapping: &PyObject) -> PyResult<()> {
    if !mapping.is_a::<PyDict>() && attr::get_opt(ts, mapping, id!(keys))?.is_none() {
        return raise!(ts, exc::TypeError, "'{}' object is not a mapping", mapping.type_name());
    }
    dict.update(ts, mapping)
}

/// `f(**mapping)`: TypeError for what is no mapping, for names given twice.
pub fn dict_merge(ts: &ThreadState, dict: &PyDict, mapping: &PyObject, function: &PyObject) -> PyResult<()> {
    use crate::types::dict::MergeFailure;
    if !mapping.is_a::<PyDict>() && attr::get_opt(ts, mapping, id!(keys))?.is_none() {
        let text = function_text(ts, function)?;
        return raise!(ts, exc::TypeError, "{text} argument after ** must be a mapping, not {}", mapping.type_name());
    }
    match dict.merge_unique(ts, mapping) {
        Ok(()) => Ok(()),
        Err(MergeFailure::Raised(raised)) => Err(raised),
        Err(MergeFailure::Duplicate(key)) => {
            let text = function_text(ts, function)?;
            match key.downcast::<PyStr>() {
                Some(key) => {
                    raise!(ts, exc::TypeError, "{text} got multiple values for keyword argument '{key}'")
                }
                None => raise!(ts, exc::TypeError, "keywords must be strings"),
            }
        }
    }
}

/// The top of a value stack, as the instructions that push many items give it back. (Were it changed in place, the
/// evaluation loop could not keep it in a register.)
pub type StackTop = *mut *mut PyObject;

/// Pushes the items of a sequence that must have exactly `count`, the first on top.
///
/// # Safety
/// The stack has room for `count` items above `sp`.
pub unsafe fn unpack(ts: &ThreadState, sequence: &PyObject, count: usize, sp: StackTop) -> PyResult<StackTop> {
    let items = take_items(ts, sequence, count)?;
    // SAFETY: the caller's promise.
    Ok(unsafe { push_reversed(items, sp) })
}

/// # Safety
/// The stack has room for the items above `sp`.
unsafe fn push_reversed(mut items: TryVec<PyRef>, mut sp: StackTop) -> StackTop {
    while let Some(item) = items.pop() {
        // SAFETY: the caller's promise.
        unsafe {
            *sp = item.into_ptr();
            sp = sp.add(1);
        }
    }
    sp
}

fn iterator_to_unpack(ts: &ThreadState, sequence: &PyObject) -> PyResult {
    if !protocol::is_iterable(sequence) {
        return raise!(ts, exc::TypeError, "cannot unpack non-iterable {} object", sequence.type_name());
    }
    protocol::iter(ts, sequence)
}

fn take_items(ts: &ThreadState, sequence: &PyObject, count: usize) -> PyResult<TryVec<PyRef>> {
    let mut items = TryVec::new();
    items.try_reserve(count)?;
    if let Some(list) = sequence.downcast_exact::<PyList>() {
        if list.len() == count {
            for index in 0..count {
                if let Some(item) = list.get(index) {
                    items.try_push(item)?;
                }
            }
            return Ok(items);
        }
        return wrong_length(ts, list.len(), count);
    }
    if let Some(tuple) = sequence.downcast_exact::<PyTuple>()
        && tuple.len() != count
    {
        return wrong_length(ts, tuple.len(), count);
    }
    let iterator = iterator_to_unpack(ts, sequence)?;
    while items.len() < count {
        match protocol::next(ts, &iterator)? {
            Some(item) => items.try_push(item)?,
            None => return wrong_length(ts, items.len(), count),
        }
    }
    if protocol::next(ts, &iterator)?.is_some() {
        if sequence.is_a::<PyDict>() {
            return wrong_length(ts, protocol::length(ts, sequence)?, count);
        }
        return raise!(ts, exc::ValueError, "too many values to unpack (expected {count})");
    }
    Ok(items)
}

#[cold]
fn wrong_length<T>(ts: &ThreadState, got: usize, count: usize) -> PyResult<T> {
    if got < count {
        return raise!(ts, exc::ValueError, "not enough values to unpack (expected {count}, got {got})");
    }
    raise!(ts, exc::ValueError, "too many values to unpack (expected {count}, got {got})")
}

/// `a, *b, c = sequence`: `before` items, a list, `after` items.
///
/// # Safety
/// The stack has room for them above `sp`.
pub unsafe fn unpack_ex(
    ts: &ThreadState,
    sequence: &PyObject,
    before: usize,
    after: usize,
    mut sp: StackTop,
) -> PyResult<StackTop> {
    let iterator = iterator_to_unpack(ts, sequence)?;
    let mut first = TryVec::<PyRef>::new();
    let mut rest = TryVec::<PyRef>::new();
    while first.len() < before {
        match protocol::next(ts, &iterator)? {
            Some(item) => first.try_push(item)?,
            None => {
                return raise!(
                    ts,
                    exc::ValueError,
                    "not enough values to unpack (expected at least {}, got {})",
                    before + after,
                    first.len()
                );
            }
        }
    }
    while let Some(item) = protocol::next(ts, &iterator)? {
        rest.try_push(item)?;
    }
    if rest.len() < after {
        return raise!(
            ts,
            exc::ValueError,
            "not enough values to unpack (expected at least {}, got {})",
            before + after,
            before + rest.len()
        );
    }
    let mut last = TryVec::<PyRef>::new();
    last.try_reserve(after)?;
    for _ in 0..after {
        if let Some(item) = rest.pop() {
            last.try_push(item)?;
        }
    }
    last.reverse();
    let middle = PyList::from_vec(ts, rest)?;
    // SAFETY: the caller's promise.
    unsafe {
        sp = push_reversed(last, sp);
        *sp = middle.into_ptr().cast();
        Ok(push_reversed(first, sp.add(1)))
    }
}
