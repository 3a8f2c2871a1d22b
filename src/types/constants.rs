//! Interning of a code object's constants: strings that could be names are one object each, in tuples and frozen
//! sets, too, so that looking one up in a dictionary compares addresses.

use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::list::PyList;
use crate::types::set::{FROZENSET_TYPE, PySet};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Interns the strings among the constants.
pub fn intern(ts: &ThreadState, constants: &PyTuple) -> PyResult<()> {
    for (index, constant) in constants.items().iter().enumerate() {
        if let Some(other) = interned(ts, constant)? {
            // SAFETY: the constants become those of a code object that nobody else has yet; what takes a constant's
            // place is equal to it, and the tuple's own reference to the old one ends here.
            unsafe { constants.replace_item(index, other) };
        }
    }
    Ok(())
}

/// What takes a constant's place; None when it stays.
fn interned(ts: &ThreadState, constant: &PyObject) -> PyResult<Option<PyRef>> {
    if let Some(text) = constant.downcast_exact::<PyStr>() {
        if text.is_interned() || !could_be_name(text) {
            return Ok(None);
        }
        return Ok(Some(PyStr::intern_ref(ts, Ref::from_borrowed(text))?.into_object()));
    }
    if let Some(tuple) = constant.downcast_exact::<PyTuple>() {
        ts.check_native_stack(" while interning constants")?;
        intern(ts, tuple)?;
        return Ok(None);
    }
    match constant.downcast::<PySet>() {
        Some(set) if core::ptr::eq(constant.ob_type(), &*FROZENSET_TYPE) => interned_set(ts, set),
        _ => Ok(None),
    }
}

/// Another frozen set, with the interned items, if any was not.
fn interned_set(ts: &ThreadState, set: &PySet) -> PyResult<Option<PyRef>> {
    let mut items = TryVec::<PyRef>::new();
    let (mut at, mut changed) = (0, false);
    while let Some(item) = set.next(&mut at) {
        let other = interned(ts, &item)?;
        changed |= other.is_some();
        items.try_push(other.unwrap_or(item))?;
    }
    if !changed {
        return Ok(None);
    }
    let items = PyList::from_vec(ts, items)?;
    Ok(Some(PySet::frozen(ts, items.as_object())?.into_object()))
}

/// Whether all characters are such as names are made of.
fn could_be_name(text: &PyStr) -> bool {
    text.ascii_str().is_some_and(|text| text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
}
