//! `list`. Declared in `listobject.h`.

use super::convert::{Borrowed, bad_internal_call};
use crate::object::{PyObject, PyRef, Ref};
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::tuple::PyTuple;
use crate::{capi, capi_fast, raise};

capi_fast! {
    /// The number of items.
    fn PyList_Size(ts, list: &PyList) -> usize {
        Ok(list.len())
    }

    /// An item, borrowed.
    fn PyList_GetItem(ts, list: &PyList, index: isize) -> Borrowed {
        match usize::try_from(index).ok().and_then(|index| list.get(index)) {
            Some(item) => Ok(Borrowed::kept(item)),
            None => raise!(ts, exc::IndexError, "list index out of range"),
        }
    }

    /// An item, as a new reference.
    fn PyList_GetItemRef(ts, list: &PyObject, index: isize) -> PyRef {
        let Some(list) = list.downcast::<PyList>() else {
            return raise!(ts, exc::TypeError, "expected a list");
        };
        match usize::try_from(index).ok().and_then(|index| list.get(index)) {
            Some(item) => Ok(item),
            None => raise!(ts, exc::IndexError, "list index out of range"),
        }
    }

    /// Adds a new reference at the end.
    fn PyList_Append(ts, list: &PyList, item: &PyObject) -> () {
        list.append(ts, PyRef::from_borrowed(item))
    }
}

/// A position as slices have it: counted from the end when negative, and cut to the list.
fn clamp(index: isize, len: usize) -> usize {
    let index = if index < 0 { index + len as isize } else { index };
    index.clamp(0, len as isize) as usize
}

capi! {
    /// A list with `len` places, None in each until it is filled.
    fn PyList_New(ts, len: isize) -> Ref<PyList> {
        if len < 0 {
            return bad_internal_call(ts, "PyList_New");
        }
        let list = PyList::with_capacity(ts, len as usize)?;
        for _ in 0..len {
            list.append(ts, ts.none())?;
        }
        Ok(list)
    }

    /// Puts an item in a place; takes the reference over.
    fn PyList_SetItem(ts, list: &PyObject, index: isize, item: Option<PyRef>) -> () {
        let Some(list) = list.downcast::<PyList>() else {
            drop(item);
            return bad_internal_call(ts, "PyList_SetItem");
        };
        if index < 0 || index as usize >= list.len() {
            drop(item);
            return raise!(ts, exc::IndexError, "list assignment index out of range");
        }
        list.set(ts, index as usize, item.unwrap_or_else(|| ts.none()))
    }

    /// Inserts a new reference before an index.
    fn PyList_Insert(ts, list: &PyList, index: isize, item: &PyObject) -> () {
        list.insert(ts, clamp(index, list.len()), PyRef::from_borrowed(item))
    }

    /// The items from `low` up to `high`.
    fn PyList_GetSlice(ts, list: &PyList, low: isize, high: isize) -> Ref<PyList> {
        let low = low.clamp(0, list.len() as isize);
        let high = high.clamp(low, list.len() as isize);
        list.slice(ts, low as usize, high as usize)
    }

    /// Replaces the items from `low` up to `high` by those of an iterable, or deletes them.
    fn PyList_SetSlice(ts, list: &PyList, low: isize, high: isize, items: Option<&PyObject>) -> () {
        let low = low.clamp(0, list.len() as isize);
        let high = high.clamp(low, list.len() as isize);
        super::abstract_::set_slice(ts, crate::object::AsObject::as_object(list), low, high, items)
    }

    /// Sorts in place.
    fn PyList_Sort(ts, list: &PyList) -> () {
        list.sort(ts, None, false)
    }

    /// Turns the order round.
    fn PyList_Reverse(ts, list: &PyList) -> () {
        list.reverse();
        Ok(())
    }

    /// The items as a tuple.
    fn PyList_AsTuple(ts, list: &PyList) -> Ref<PyTuple> {
        list.to_tuple(ts)
    }

    /// Adds the items of an iterable at the end.
    fn PyList_Extend(ts, list: &PyList, items: &PyObject) -> () {
        list.extend(ts, items)
    }

    /// Empties the list.
    fn PyList_Clear(ts, list: &PyList) -> () {
        list.clear(ts);
        Ok(())
    }
}
