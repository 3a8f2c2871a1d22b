//! What Python code does to lists: the slots and methods of `list`.

use hognose_allocators::collections::TryVec;

use super::{LIST_TYPE, PyList};
use crate::object::call::Signature;
use crate::object::{
    Args, AsObject, CompareOp, PyObject, PyRef, PyResult, PyTypeObject, Ref, alloc, call, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::reprguard::ReprGuard;
use crate::types::slice::{Indices, PySlice, subscript_index};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::{PyTuple, collect, inherits_new, search_bounds};

pub(super) fn list_new(ts: &ThreadState, of: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let list = alloc::object::<PyList>(ts, of)?;
    gc::track(ts, &*list);
    Ok(list.into_object())
}

pub(super) fn list_init(ts: &ThreadState, list: &PyObject, args: Args<'_>) -> PyResult<()> {
    if args.has_keywords() && inherits_new(list.ob_type(), &LIST_TYPE) {
        return raise!(ts, exc::TypeError, "list() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "list", given.len(), 0, 1)?;
    let this = list.cast::<PyList>();
    this.clear(ts);
    match given.first() {
        Some(iterable) => this.extend(ts, iterable),
        None => Ok(()),
    }
}

pub(super) fn list_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let list = object.cast::<PyList>();
    if list.is_empty() {
        return Ok(PyStr::new(ts, "[]")?.into_object());
    }
    let Some(_guard) = ReprGuard::enter(ts, object)? else {
        return Ok(PyStr::new(ts, "[...]")?.into_object());
    };
    let mut text = StrBuilder::new();
    text.push_str("[")?;
    let mut index = 0;
    // The list is looked at anew each time: a repr method may change it.
    while let Some(item) = list.get(index) {
        if index > 0 {
            text.push_str(", ")?;
        }
        text.push_repr(ts, &item)?;
        index += 1;
    }
    text.push_str("]")?;
    Ok(text.finish(ts)?.into_object())
}

pub(super) fn list_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PyList>(), right.downcast::<PyList>()) else {
        return Ok(not_implemented());
    };
    if left.len() != right.len() && matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(py_bool(op == CompareOp::Ne));
    }
    let mut index = 0;
    while let (Some(a), Some(b)) = (left.get(index), right.get(index)) {
        if a.is(&b) || protocol::compare_bool(ts, &a, &b, CompareOp::Eq)? {
            index += 1;
            continue;
        }
        // The comparison may have emptied a list: then their lengths decide.
        if index >= left.len() || index >= right.len() {
            break;
        }
        return match op {
            CompareOp::Eq => Ok(py_bool(false)),
            CompareOp::Ne => Ok(py_bool(true)),
            _ => protocol::compare(ts, &a, &b, op),
        };
    }
    Ok(py_bool(op.holds(left.len().cmp(&right.len()))))
}

pub(super) fn list_contains(ts: &ThreadState, list: &PyObject, value: &PyObject) -> PyResult<bool> {
    Ok(find(ts, list.cast(), value, 0, usize::MAX)?.is_some())
}

/// The index of the first item equal to `value`. Each item is held while it is compared.
#[inline]
fn find(ts: &ThreadState, list: &PyList, value: &PyObject, start: usize, stop: usize) -> PyResult<Option<usize>> {
    let mut index = start;
    while index < stop {
        let Some(item) = list.get(index) else { break };
        let equal = item.is(value) || protocol::compare_bool(ts, &item, value, CompareOp::Eq)?;
        item.release(ts);
        if equal {
            return Ok(Some(index));
        }
        index += 1;
    }
    Ok(None)
}

pub(super) fn list_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some(other) = right.downcast::<PyList>() else {
        return raise!(ts, exc::TypeError, "can only concatenate list (not \"{}\") to list", right.type_name());
    };
    let this = left.cast::<PyList>();
    let total = this.len().checked_add(other.len()).ok_or(hognose_allocators::NoMemory)?;
    let result = PyList::with_capacity(ts, total)?;
    // SAFETY: copying into a list that has room runs no code; if making it ran any, `extend` makes more room.
    unsafe {
        result.extend_from_slice(ts, this.items())?;
        result.extend_from_slice(ts, other.items())?;
    }
    Ok(result.into_object())
}

pub(super) fn list_repeat(ts: &ThreadState, list: &PyObject, times: isize) -> PyResult {
    let this = list.cast::<PyList>();
    let count = this.len();
    if times <= 0 || count == 0 {
        return Ok(PyList::new(ts)?.into_object());
    }
    let total = count.checked_mul(times as usize).ok_or(hognose_allocators::NoMemory)?;
    let result = PyList::with_capacity(ts, total)?;
    if this.len() == count {
        // SAFETY: there is room for all, and counting and copying run no code.
        unsafe { fill_repeated(&result, this.places(), count, times as usize) };
    }
    Ok(result.into_object())
}

/// Writes `times` copies of the items into an empty list that has room, in doubling steps.
///
/// # Safety
/// `result` is empty with room for `count * times` items; `source` has `count` items.
unsafe fn fill_repeated(result: &PyList, source: *mut *mut PyObject, count: usize, times: usize) {
    let total = count * times;
    let places = result.places();
    // SAFETY: by the caller's word all places are there; each item is counted once per copy.
    unsafe {
        for index in 0..count {
            let item = &**source.add(index);
            if !item.is_immortal() {
                item.ob_refcnt.set(item.ob_refcnt.get() + times as isize);
            }
            places.add(index).write(item.as_ptr());
        }
        let mut done = count;
        while done < total {
            let step = done.min(total - done);
            core::ptr::copy_nonoverlapping(places, places.add(done), step);
            done += step;
        }
        result.set_len(total);
    }
}

pub(super) fn list_item(ts: &ThreadState, list: &PyObject, index: isize) -> PyResult {
    match usize::try_from(index).ok().and_then(|index| list.cast::<PyList>().get(index)) {
        Some(item) => Ok(item),
        None => out_of_range(ts, "list index out of range"),
    }
}

#[cold]
fn out_of_range<T>(ts: &ThreadState, what: &str) -> PyResult<T> {
    raise!(ts, exc::IndexError, "{what}")
}

pub(super) fn list_ass_item(ts: &ThreadState, list: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let this = list.cast::<PyList>();
    let Some(index) = usize::try_from(index).ok().filter(|index| *index < this.len()) else {
        return out_of_range(ts, "list assignment index out of range");
    };
    match value {
        Some(value) => this.set(ts, index, value.new_ref()),
        None => {
            drop(this.remove_at(ts, index));
            Ok(())
        }
    }
}

pub(super) fn list_inplace_concat(ts: &ThreadState, list: &PyObject, other: &PyObject) -> PyResult {
    list.cast::<PyList>().extend(ts, other)?;
    Ok(list.new_ref())
}

pub(super) fn list_inplace_repeat(ts: &ThreadState, list: &PyObject, times: isize) -> PyResult {
    let this = list.cast::<PyList>();
    let count = this.len();
    if count == 0 || times == 1 {
        return Ok(list.new_ref());
    }
    if times <= 0 {
        this.clear(ts);
        return Ok(list.new_ref());
    }
    let total = count.checked_mul(times as usize).ok_or(hognose_allocators::NoMemory)?;
    this.reserve_for_more(ts, total - count)?;
    for _ in 1..times {
        // SAFETY: the room is there, so the buffer stays where it is while its head is copied to its end.
        unsafe { this.push_all_unchecked(core::slice::from_raw_parts(this.places().cast(), count)) };
    }
    Ok(list.new_ref())
}

pub(super) fn list_subscript(ts: &ThreadState, list: &PyObject, key: &PyObject) -> PyResult {
    let this = list.cast::<PyList>();
    if key.ob_type().slots().nb_index.is_some() {
        let index = subscript_index(ts, key)?;
        return list_item(ts, list, if index < 0 { index + this.len() as isize } else { index });
    }
    let Some(slice) = key.downcast_exact::<PySlice>() else {
        return raise!(ts, exc::TypeError, "list indices must be integers or slices, not {}", key.type_name());
    };
    let (start, stop, step) = slice.unpack(ts)?;
    let found = Indices::clip(start, stop, step, this.len());
    if found.step == 1 {
        let start = found.start as usize;
        return Ok(this.slice(ts, start, start + found.length)?.into_object());
    }
    let result = PyList::with_capacity(ts, found.length)?;
    for index in found.iter() {
        if let Some(item) = this.get(index) {
            result.append(ts, item)?;
        }
    }
    Ok(result.into_object())
}

pub(super) fn list_ass_subscript(
    ts: &ThreadState,
    list: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let this = list.cast::<PyList>();
    if key.ob_type().slots().nb_index.is_some() {
        let index = subscript_index(ts, key)?;
        return list_ass_item(ts, list, if index < 0 { index + this.len() as isize } else { index }, value);
    }
    let Some(slice) = key.downcast_exact::<PySlice>() else {
        return raise!(ts, exc::TypeError, "list indices must be integers or slices, not {}", key.type_name());
    };
    let (start, stop, step) = slice.unpack(ts)?;
    match value {
        None => delete_slice(ts, this, Indices::clip(start, stop, step, this.len())),
        Some(value) if step == 1 => {
            let items = sequence_items(ts, value, "can only assign an iterable")?;
            // Taking the items of an iterator may have changed the list: its length is looked at only now.
            let found = Indices::clip(start, stop, 1, this.len());
            replace_range(ts, this, found.start as usize, found.start as usize + found.length, items)
        }
        Some(value) => {
            let items = sequence_items(ts, value, "must assign iterable to extended slice")?;
            assign_extended(ts, this, Indices::clip(start, stop, step, this.len()), items)
        }
    }
}

/// The items to be assigned: owned, so that a list can be assigned to a part of itself.
fn sequence_items(ts: &ThreadState, value: &PyObject, message: &str) -> PyResult<TryVec<PyRef>> {
    if value.is_a::<PyList>() || value.is_a::<PyTuple>() {
        // Subclasses too: the items are taken as they are, without a call of `__iter__`.
        let mut items = TryVec::new();
        let tuple = match value.downcast::<PyList>() {
            Some(list) => list.to_tuple(ts)?,
            None => Ref::from_borrowed(value.cast::<PyTuple>()),
        };
        items.try_reserve(tuple.len())?;
        for item in tuple.items() {
            items.try_push(item.new_ref())?;
        }
        return Ok(items);
    }
    let iterator = match protocol::iter(ts, value) {
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            return raise!(ts, exc::TypeError, "{message}");
        }
        other => other?,
    };
    collect(ts, &iterator)
}

/// `list[start:end] = items`.
pub(super) fn replace_range(
    ts: &ThreadState,
    list: &PyList,
    start: usize,
    end: usize,
    mut items: TryVec<PyRef>,
) -> PyResult<()> {
    let (len, end) = (list.len(), end.max(start));
    let (removed, added) = (end - start, items.len());
    // The references that leave, to be dropped when the list is whole (I3).
    let mut leaving = TryVec::<PyRef>::new();
    leaving.try_reserve(removed)?;
    if added > removed {
        list.reserve_for_more(ts, added - removed)?;
    }
    // SAFETY: the leaving references move out, the tail moves to its new place (there is room), and the new references
    // move in from the vector, which forgets them; nothing runs in between.
    unsafe {
        let places = list.places();
        if len > 0 || added > 0 {
            let at = places.add(start);
            core::ptr::copy_nonoverlapping(at.cast::<PyRef>(), leaving.as_mut_ptr(), removed);
            leaving.set_len(removed);
            core::ptr::copy(at.add(removed), at.add(added), len - end);
            core::ptr::copy_nonoverlapping(items.as_ptr().cast::<*mut PyObject>(), at, added);
            items.set_len(0);
        }
        list.set_len(len - removed + added);
    }
    if added < removed {
        list.shrink(ts, len - removed + added);
    }
    drop_last_first(ts, leaving);
    Ok(())
}

fn drop_last_first(ts: &ThreadState, mut leaving: TryVec<PyRef>) {
    while let Some(item) = leaving.pop() {
        item.release(ts);
    }
}

/// `del list[slice]`.
fn delete_slice(ts: &ThreadState, list: &PyList, found: Indices) -> PyResult<()> {
    if found.length == 0 {
        return Ok(());
    }
    if found.length == list.len() {
        list.clear(ts);
        return Ok(());
    }
    // Ascending order is as good: the same items go.
    let (first, step) = match found.step < 0 {
        true => ((found.start + (found.length as isize - 1) * found.step) as usize, found.step.unsigned_abs()),
        false => (found.start as usize, found.step as usize),
    };
    if step == 1 {
        return replace_range(ts, list, first, first + found.length, TryVec::new());
    }
    let mut leaving = TryVec::<PyRef>::new();
    leaving.try_reserve(found.length)?;
    let len = list.len();
    // SAFETY: each place is read once: its reference moves to the vector, which has room, or down to the next free place.
    unsafe {
        let places = list.places();
        let mut free = first;
        let mut next = first;
        for index in first..len {
            if index == next && leaving.len() < found.length {
                let gone = leaving.len();
                leaving.as_mut_ptr().add(gone).write(PyRef::from_owned(*places.add(index)));
                leaving.set_len(gone + 1);
                next = next.saturating_add(step);
            } else {
                places.add(free).write(*places.add(index));
                free += 1;
            }
        }
        list.set_len(free);
    }
    list.shrink(ts, len - found.length);
    drop_last_first(ts, leaving);
    Ok(())
}

/// `list[slice] = items` with a step other than 1.
fn assign_extended(ts: &ThreadState, list: &PyList, found: Indices, mut items: TryVec<PyRef>) -> PyResult<()> {
    if items.len() != found.length {
        return raise!(
            ts,
            exc::ValueError,
            "attempt to assign sequence of size {} to extended slice of size {}",
            items.len(),
            found.length
        );
    }
    // The references change places, then the old ones are dropped with the vector (I3).
    for (place, index) in items.iter_mut().zip(found.iter()) {
        // SAFETY: the indices are within the list, and both places hold owned references.
        unsafe { core::ptr::swap(core::ptr::from_mut(place).cast::<*mut PyObject>(), list.places().add(index)) };
    }
    drop(items);
    Ok(())
}

pub(super) fn list_append(ts: &ThreadState, list: &PyObject, item: &PyObject) -> PyResult {
    list.cast::<PyList>().append(ts, item.new_ref())?;
    Ok(ts.none())
}

pub(super) fn list_insert(ts: &ThreadState, list: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "insert", args.len(), 2, 2)?;
    let index = protocol::as_isize(ts, args[0])?;
    let this = list.cast::<PyList>();
    let index = if index < 0 { index.saturating_add(this.len() as isize).max(0) } else { index };
    this.insert(ts, index as usize, args[1].new_ref())?;
    Ok(ts.none())
}

pub(super) fn list_extend(ts: &ThreadState, list: &PyObject, iterable: &PyObject) -> PyResult {
    list.cast::<PyList>().extend(ts, iterable)?;
    Ok(ts.none())
}

pub(super) fn list_pop(ts: &ThreadState, list: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pop", args.len(), 0, 1)?;
    let index = match args.first() {
        Some(index) => protocol::as_isize(ts, index)?,
        None => -1,
    };
    let this = list.cast::<PyList>();
    if this.is_empty() {
        return out_of_range(ts, "pop from empty list");
    }
    let index = if index < 0 { index + this.len() as isize } else { index };
    match usize::try_from(index).ok().and_then(|index| this.remove_at(ts, index)) {
        Some(item) => Ok(item),
        None => out_of_range(ts, "pop index out of range"),
    }
}

pub(super) fn list_remove(ts: &ThreadState, list: &PyObject, value: &PyObject) -> PyResult {
    let this = list.cast::<PyList>();
    match find(ts, this, value, 0, usize::MAX)? {
        Some(index) => {
            drop(this.remove_at(ts, index));
            Ok(ts.none())
        }
        None => raise!(ts, exc::ValueError, "list.remove(x): x not in list"),
    }
}

pub(super) fn list_index(ts: &ThreadState, list: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "index", args.len(), 1, 3)?;
    let this = list.cast::<PyList>();
    let (start, stop) = search_bounds(ts, &args[1..], this.len())?;
    match find(ts, this, args[0], start, stop)? {
        Some(index) => Ok(PyInt::from_usize(ts, index)?.into_object()),
        None => raise!(ts, exc::ValueError, "list.index(x): x not in list"),
    }
}

pub(super) fn list_count(ts: &ThreadState, list: &PyObject, value: &PyObject) -> PyResult {
    let this = list.cast::<PyList>();
    let (mut count, mut index) = (0, 0);
    while let Some(item) = this.get(index) {
        if item.is(value) || protocol::compare_bool(ts, &item, value, CompareOp::Eq)? {
            count += 1;
        }
        index += 1;
    }
    Ok(PyInt::from_usize(ts, count)?.into_object())
}

pub(super) fn list_clear(ts: &ThreadState, list: &PyObject) -> PyResult {
    list.cast::<PyList>().clear(ts);
    Ok(ts.none())
}

pub(super) fn list_copy(ts: &ThreadState, list: &PyObject) -> PyResult {
    let this = list.cast::<PyList>();
    Ok(this.slice(ts, 0, this.len())?.into_object())
}

pub(super) fn list_reverse(ts: &ThreadState, list: &PyObject) -> PyResult {
    list.cast::<PyList>().reverse();
    Ok(ts.none())
}

pub(super) fn list_sort(ts: &ThreadState, list: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("sort", ["key", "reverse"], 0, 0, 0);
    let [key, reverse] = SIGNATURE.parse(ts, args)?;
    let reverse = match reverse {
        Some(flag) => protocol::is_true(ts, flag)?,
        None => false,
    };
    list.cast::<PyList>().sort(ts, key.filter(|key| !is_none(key)), reverse)?;
    Ok(ts.none())
}

pub(super) fn list_sizeof(ts: &ThreadState, list: &PyObject) -> PyResult {
    let this = list.cast::<PyList>();
    let size = list.ob_type().basicsize() + this.allocated.get().max(0) as usize * size_of::<*mut PyObject>();
    Ok(PyInt::from_usize(ts, size)?.into_object())
}
