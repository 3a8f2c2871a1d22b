//! `set` and `frozenset`. Declared in `setobject.h`.

use super::convert::bad_internal_call;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::set::{FROZENSET_TYPE, PySet, SET_TYPE};
use crate::{capi, raise};

fn changeable<'a>(ts: &ThreadState, object: &'a PyObject, function: &str) -> PyResult<&'a PySet> {
    match object.downcast::<PySet>().filter(|set| set.is_set()) {
        Some(set) => Ok(set),
        None => bad_internal_call(ts, function),
    }
}

capi! {
    /// A set of the items of an iterable, empty without one.
    fn PySet_New(ts, iterable: Option<&PyObject>) -> Ref<PySet> {
        match iterable {
            Some(iterable) => PySet::from_iterable(ts, &SET_TYPE, iterable),
            None => PySet::new(ts),
        }
    }

    /// A frozenset of the items of an iterable, empty without one.
    fn PyFrozenSet_New(ts, iterable: Option<&PyObject>) -> Ref<PySet> {
        match iterable {
            Some(iterable) => PySet::frozen(ts, iterable),
            None => PySet::new_of(ts, &FROZENSET_TYPE),
        }
    }

    /// The number of items.
    fn PySet_Size(ts, set: &PySet) -> usize {
        Ok(set.len())
    }

    /// Whether the item is there.
    fn PySet_Contains(ts, set: &PySet, item: &PyObject) -> bool {
        set.contains(ts, item)
    }

    /// Adds an item; to a frozenset only while nobody else has seen it.
    fn PySet_Add(ts, set: &PySet, item: &PyObject) -> () {
        if !set.is_set() && !set.as_object().is_unique() {
            return bad_internal_call(ts, "PySet_Add");
        }
        set.add(ts, item)
    }

    /// Takes an item out; 0 when it is not there.
    fn PySet_Discard(ts, set: &PyObject, item: &PyObject) -> bool {
        changeable(ts, set, "PySet_Discard")?.discard(ts, item)
    }

    /// Takes any item out; KeyError for an empty set.
    fn PySet_Pop(ts, set: &PyObject) -> PyRef {
        match changeable(ts, set, "PySet_Pop")?.pop() {
            Some(item) => Ok(item),
            None => raise!(ts, exc::KeyError, "pop from an empty set"),
        }
    }

    /// Empties the set.
    fn PySet_Clear(ts, set: &PyObject) -> () {
        changeable(ts, set, "PySet_Clear")?.clear(ts);
        Ok(())
    }
}
