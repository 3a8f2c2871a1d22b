//! What Python sees of `deque`.

use super::{DEQUE_TYPE, PyDeque};
use crate::object::{Args, AsObject, CompareOp, PyObject, PyResult, PyTypeObject, Ref, Signature, call, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::reprguard::ReprGuard;
use crate::types::slice::bound_index;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

fn this(object: &PyObject) -> &PyDeque {
    object.cast()
}

#[cold]
fn mutated<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::RuntimeError, "deque mutated during iteration")
}

#[cold]
fn out_of_range<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::IndexError, "deque index out of range")
}

pub(super) fn deque_new(ts: &ThreadState, of: &PyTypeObject, _args: Args<'_>) -> PyResult {
    Ok(PyDeque::new(ts, of, -1)?.into_object())
}

pub(super) fn deque_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<2> = Signature::new("deque", ["iterable", "maxlen"], 0, 2, 0);
    if args.all().len() > 2 {
        return raise!(ts, exc::TypeError, "deque() takes at most 2 arguments ({} given)", args.all().len());
    }
    let [iterable, max_len] = SIGNATURE.parse(ts, args)?;
    let max_len = match max_len.filter(|max_len| !is_none(max_len)) {
        None => -1,
        Some(max_len) => {
            let Some(max_len) = max_len.downcast::<PyInt>() else {
                return raise!(ts, exc::TypeError, "an integer is required");
            };
            match max_len.to_isize(ts)? {
                ..=-1 => return raise!(ts, exc::ValueError, "maxlen must be non-negative"),
                max_len => max_len,
            }
        }
    };
    let deque = this(object);
    deque.max_len.set(max_len);
    if deque.len() > 0 {
        deque.clear(ts);
    }
    match iterable {
        Some(iterable) => deque.extend_with(ts, iterable, false),
        None => Ok(()),
    }
}

pub(super) fn append(ts: &ThreadState, object: &PyObject, item: &PyObject) -> PyResult {
    drop(this(object).push(ts, item.new_ref())?);
    Ok(ts.none())
}

pub(super) fn append_left(ts: &ThreadState, object: &PyObject, item: &PyObject) -> PyResult {
    drop(this(object).push_left(ts, item.new_ref())?);
    Ok(ts.none())
}

pub(super) fn pop(ts: &ThreadState, object: &PyObject) -> PyResult {
    let deque = this(object);
    match deque.take_last(ts) {
        Some(item) => {
            deque.shrink(ts);
            Ok(item)
        }
        None => raise!(ts, exc::IndexError, "pop from an empty deque"),
    }
}

pub(super) fn pop_left(ts: &ThreadState, object: &PyObject) -> PyResult {
    let deque = this(object);
    match deque.take_first(ts) {
        Some(item) => {
            deque.shrink(ts);
            Ok(item)
        }
        None => raise!(ts, exc::IndexError, "pop from an empty deque"),
    }
}

pub(super) fn clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    this(object).clear(ts);
    Ok(ts.none())
}

/// A deque of the same type, limit and items.
fn duplicate(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyDeque>> {
    let deque = this(object);
    let of = object.ob_type();
    if core::ptr::eq(of, &DEQUE_TYPE.object) {
        let copy = PyDeque::new(ts, of, deque.max_len.get())?;
        copy.extend_with(ts, object, false)?;
        return Ok(copy);
    }
    let max_len = deque.max_len.get();
    let copy = if max_len < 0 {
        call::call_with(ts, of.as_object(), &[object])?
    } else {
        let max_len = PyInt::from_isize(ts, max_len)?;
        call::call_with(ts, of.as_object(), &[object, &max_len])?
    };
    match copy.downcast_into::<PyDeque>() {
        Ok(copy) => Ok(copy),
        Err(other) => raise!(ts, exc::TypeError, "{}() must return a deque, not {}", of.name(), other.type_name()),
    }
}

pub(super) fn copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(duplicate(ts, object)?.into_object())
}

pub(super) fn extend(ts: &ThreadState, object: &PyObject, iterable: &PyObject) -> PyResult {
    this(object).extend_with(ts, iterable, false)?;
    Ok(ts.none())
}

pub(super) fn extend_left(ts: &ThreadState, object: &PyObject, iterable: &PyObject) -> PyResult {
    this(object).extend_with(ts, iterable, true)?;
    Ok(ts.none())
}

pub(super) fn deque_inplace_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    this(left).extend_with(ts, right, false)?;
    Ok(left.new_ref())
}

pub(super) fn deque_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if !left.is_a::<PyDeque>() {
        return Ok(not_implemented());
    }
    if !right.is_a::<PyDeque>() {
        return raise!(ts, exc::TypeError, "can only concatenate deque (not \"{}\") to deque", right.type_name());
    }
    let sum = duplicate(ts, left)?;
    sum.extend_with(ts, right, false)?;
    Ok(sum.into_object())
}

/// Repeats the items in place. Of a limited deque only the last `max_len` items of the result are kept.
fn repeat_in_place(ts: &ThreadState, deque: &PyDeque, times: isize) -> PyResult<()> {
    let len = deque.len();
    if len == 0 || times == 1 {
        return Ok(());
    }
    if times <= 0 {
        deque.clear(ts);
        return Ok(());
    }
    let mut times = times as usize;
    let max_len = deque.max_len.get();
    if max_len >= 0 {
        // More repetitions than fill the deque only push out what they put in.
        let enough = (max_len as usize).div_ceil(len) + 1;
        times = times.min(enough);
    }
    if len.checked_mul(times).is_none_or(|total| total > isize::MAX as usize / 8) {
        return Err(hognose_allocators::NoMemory.into());
    }
    let items = protocol::list_of(ts, deque.as_object())?;
    for _ in 1..times {
        let mut index = 0;
        while let Some(item) = items.get(index) {
            drop(deque.push(ts, item)?);
            index += 1;
        }
    }
    Ok(())
}

pub(super) fn deque_inplace_repeat(ts: &ThreadState, object: &PyObject, times: isize) -> PyResult {
    repeat_in_place(ts, this(object), times)?;
    Ok(object.new_ref())
}

pub(super) fn deque_repeat(ts: &ThreadState, object: &PyObject, times: isize) -> PyResult {
    let copy = duplicate(ts, object)?;
    repeat_in_place(ts, &copy, times)?;
    Ok(copy.into_object())
}

pub(super) fn deque_item(ts: &ThreadState, object: &PyObject, index: isize) -> PyResult {
    match this(object).get(index as usize) {
        Some(item) => Ok(item),
        None => out_of_range(ts),
    }
}

pub(super) fn deque_ass_item(
    ts: &ThreadState,
    object: &PyObject,
    index: isize,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let deque = this(object);
    let index = index as usize;
    if index >= deque.len() {
        return out_of_range(ts);
    }
    drop(match value {
        Some(value) => deque.replace(index, value.new_ref()),
        None => deque.take(index),
    });
    Ok(())
}

/// The index of the first item equal to `value` from `start` on and before `stop`.
fn find(ts: &ThreadState, deque: &PyDeque, value: &PyObject, start: usize, stop: usize) -> PyResult<Option<usize>> {
    let state = deque.state.get();
    for index in start..stop {
        let Some(item) = deque.get(index) else { return Ok(None) };
        let equal = protocol::compare_bool(ts, &item, value, CompareOp::Eq)?;
        if state != deque.state.get() {
            return mutated(ts);
        }
        if equal {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

pub(super) fn deque_contains(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<bool> {
    let deque = this(object);
    Ok(find(ts, deque, value, 0, deque.len())?.is_some())
}

pub(super) fn count(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let deque = this(object);
    let len = deque.len();
    let mut count = 0;
    let mut start = 0;
    while let Some(index) = find(ts, deque, value, start, len)? {
        count += 1;
        start = index + 1;
    }
    PyInt::from_usize(ts, count)
}

#[cold]
fn not_there<T>(ts: &ThreadState, value: &PyObject) -> PyResult<T> {
    let mut text = StrBuilder::new();
    text.push_repr(ts, value)?;
    text.push_str(" is not in deque")?;
    let text = text.finish(ts)?;
    Err(ts.raise_with(&exc::ValueError, text.as_object()))
}

pub(super) fn index(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "index", args.len(), 1, 3)?;
    let deque = this(object);
    let clip = |bound: isize| {
        let len = deque.len();
        if bound < 0 { bound.saturating_add(len as isize).max(0) as usize } else { (bound as usize).min(len) }
    };
    let start = args.get(1).map_or(Ok(0), |bound| bound_index(ts, bound))?;
    let stop = args.get(2).map_or(Ok(isize::MAX), |bound| bound_index(ts, bound))?;
    match find(ts, deque, args[0], clip(start), clip(stop))? {
        Some(index) => PyInt::from_usize(ts, index),
        None => not_there(ts, args[0]),
    }
}

pub(super) fn remove(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let deque = this(object);
    let state = deque.state.get();
    for index in 0..deque.len() {
        let Some(item) = deque.get(index) else { break };
        let equal = protocol::compare_bool(ts, &item, value, CompareOp::Eq)?;
        if state != deque.state.get() {
            return raise!(ts, exc::IndexError, "deque mutated during iteration");
        }
        if equal {
            drop(deque.take(index));
            return Ok(ts.none());
        }
    }
    not_there(ts, value)
}

pub(super) fn insert(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "insert", args.len(), 2, 2)?;
    let index = protocol::as_isize(ts, args[0])?;
    let deque = this(object);
    let len = deque.len();
    if len as isize == deque.max_len.get() {
        return raise!(ts, exc::IndexError, "deque already at its maximum size");
    }
    let index = if index < 0 { index.saturating_add(len as isize).max(0) } else { index.min(len as isize) };
    deque.put(ts, index as usize, args[1].new_ref())?;
    Ok(ts.none())
}

pub(super) fn reverse(ts: &ThreadState, object: &PyObject) -> PyResult {
    let deque = this(object);
    let len = deque.len();
    for index in 0..len / 2 {
        // SAFETY: both indices are below the length.
        unsafe { core::ptr::swap(deque.place(index), deque.place(len - 1 - index)) };
    }
    Ok(ts.none())
}

pub(super) fn rotate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "rotate", args.len(), 0, 1)?;
    let steps = match args.first() {
        Some(steps) => protocol::as_isize(ts, steps)?,
        None => 1,
    };
    this(object).rotate(steps);
    Ok(ts.none())
}

pub(super) fn sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    let size = object.ob_type().basicsize() + this(object).room.get() * size_of::<*mut PyObject>();
    PyInt::from_usize(ts, size)
}

pub(super) fn max_len(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).max_len.get() {
        ..=-1 => Ok(ts.none()),
        max_len => PyInt::from_isize(ts, max_len),
    }
}

pub(super) fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = call::call_method(ts, object, id!(__getstate__), &[])?;
    let items = protocol::iter(ts, object)?;
    let given = match this(object).max_len.get() {
        ..=-1 => PyTuple::empty(),
        max_len => {
            let max_len = PyInt::from_isize(ts, max_len)?;
            PyTuple::from_array(ts, [PyTuple::empty().into_object(), max_len])?
        }
    };
    Ok(PyTuple::new(ts, &[object.ob_type().as_object(), given.as_object(), &state, &items])?.into_object())
}

pub(super) fn deque_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(_guard) = ReprGuard::enter(ts, object)? else {
        return Ok(PyStr::new(ts, "[...]")?.into_object());
    };
    let items = protocol::list_of(ts, object)?;
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().name())?;
    text.push_str("(")?;
    text.push_repr(ts, items.as_object())?;
    let max_len = this(object).max_len.get();
    if max_len >= 0 {
        let max_len = PyInt::from_isize(ts, max_len)?;
        text.push_str(", maxlen=")?;
        text.push_repr(ts, &max_len)?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

pub(super) fn deque_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyDeque>(), right.downcast::<PyDeque>()) else {
        return Ok(not_implemented());
    };
    if left.is(right) {
        match op {
            CompareOp::Eq => return Ok(py_bool(true)),
            CompareOp::Ne => return Ok(py_bool(false)),
            _ => {}
        }
    }
    if a.len() != b.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(py_bool(op == CompareOp::Ne));
    }
    let (a_state, b_state) = (a.state.get(), b.state.get());
    let mut index = 0;
    while let (Some(x), Some(y)) = (a.get(index), b.get(index)) {
        if !protocol::compare_bool(ts, &x, &y, CompareOp::Eq)? {
            return match op {
                CompareOp::Eq => Ok(py_bool(false)),
                CompareOp::Ne => Ok(py_bool(true)),
                _ => protocol::compare(ts, &x, &y, op),
            };
        }
        if a_state != a.state.get() || b_state != b.state.get() {
            return mutated(ts);
        }
        index += 1;
    }
    Ok(py_bool(op.holds(a.len().cmp(&b.len()))))
}
