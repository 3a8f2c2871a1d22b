//! `dict` and `mappingproxy`. Declared in `dictobject.h`.

use core::ffi::{CStr, c_int};

use super::convert::{Borrowed, bad_internal_call, guard, name};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::dict::{Overlap, PyDict, raise_key_error};
use crate::types::list::PyList;
use crate::types::mappingproxy::PyMappingProxy;
use crate::{capi, capi_fast};

capi_fast! {
    /// An empty dict.
    fn PyDict_New(ts) -> Ref<PyDict> {
        PyDict::new(ts)
    }

    /// The number of keys.
    fn PyDict_Size(ts, dict: &PyDict) -> usize {
        Ok(dict.len())
    }
}

/// Runs a look-up whose errors its callers never hear of: they are dropped, and what was raised before stays.
fn quietly(ts: &ThreadState, look_up: impl FnOnce() -> PyResult<Option<PyRef>>) -> Option<PyRef> {
    let before = ts.current_exception.take();
    let found = look_up();
    let found = match found {
        Ok(found) => found,
        Err(raised) => {
            crate::types::exceptions::write_unraisable(
                ts,
                raised,
                Some("in PyDict_GetItem()"),
                crate::types::none::none(),
            );
            None
        }
    };
    ts.current_exception.set(before);
    found
}

/// Puts an answer where the caller wants it: 1 and a new reference, or 0 and null.
pub(super) fn answer(found: Option<PyRef>, result: *mut *mut PyObject) -> bool {
    let is_there = found.is_some();
    // SAFETY: the header asks for a place for the answer.
    unsafe { result.write(found.map_or(core::ptr::null_mut(), PyRef::into_ptr)) };
    is_there
}

/// Empties the place of an answer, for the failure to come.
pub(super) fn no_answer(result: *mut *mut PyObject) {
    if !result.is_null() {
        // SAFETY: the header asks for a place for the answer.
        unsafe { result.write(core::ptr::null_mut()) };
    }
}

capi! {
    /// The value of a key, borrowed; null without an exception when there is none or the look-up fails.
    fn PyDict_GetItem(ts, dict: &PyObject, key: &PyObject) -> Borrowed {
        let Some(dict) = dict.downcast::<PyDict>() else { return Ok(Borrowed::NONE) };
        Ok(Borrowed::kept_or_none(quietly(ts, || dict.get(ts, key))))
    }

    /// The value of a key, borrowed; null without an exception when there is none.
    fn PyDict_GetItemWithError(ts, dict: &PyDict, key: &PyObject) -> Borrowed {
        Ok(Borrowed::kept_or_none(dict.get(ts, key)?))
    }

    /// The value of a string key, borrowed; null without an exception when there is none or the look-up fails.
    fn PyDict_GetItemString(ts, dict: &PyObject, key: &CStr) -> Borrowed {
        let Some(dict) = dict.downcast::<PyDict>() else { return Ok(Borrowed::NONE) };
        Ok(Borrowed::kept_or_none(quietly(ts, || dict.get_str(ts, &*name(ts, key)?))))
    }

    /// 1 and the value of a key, or 0.
    fn PyDict_GetItemRef(ts, dict: &PyObject, key: &PyObject, result: *mut *mut PyObject) -> bool {
        no_answer(result);
        let Some(dict) = dict.downcast::<PyDict>() else { return bad_internal_call(ts, "PyDict_GetItemRef") };
        Ok(answer(dict.get(ts, key)?, result))
    }

    /// 1 and the value of a string key, or 0.
    fn PyDict_GetItemStringRef(ts, dict: &PyObject, key: &CStr, result: *mut *mut PyObject) -> bool {
        no_answer(result);
        let Some(dict) = dict.downcast::<PyDict>() else { return bad_internal_call(ts, "PyDict_GetItemStringRef") };
        Ok(answer(dict.get_str(ts, &*name(ts, key)?)?, result))
    }

    /// Sets a key; counts its own references.
    fn PyDict_SetItem(ts, dict: &PyDict, key: &PyObject, value: &PyObject) -> () {
        dict.set(ts, key, value)
    }

    /// Sets a string key.
    fn PyDict_SetItemString(ts, dict: &PyDict, key: &CStr, value: &PyObject) -> () {
        let key = name(ts, key)?;
        dict.set_str(ts, &key, value)
    }

    /// Deletes a key; KeyError when there is none.
    fn PyDict_DelItem(ts, dict: &PyDict, key: &PyObject) -> () {
        match dict.remove(ts, key)? {
            Some(_) => Ok(()),
            None => Err(raise_key_error(ts, key)),
        }
    }

    /// Deletes a string key; KeyError when there is none.
    fn PyDict_DelItemString(ts, dict: &PyDict, key: &CStr) -> () {
        let key = name(ts, key)?;
        match dict.remove_str(ts, &key)? {
            Some(_) => Ok(()),
            None => Err(raise_key_error(ts, key.as_object())),
        }
    }

    /// Whether the key is there.
    fn PyDict_Contains(ts, dict: &PyDict, key: &PyObject) -> bool {
        dict.contains(ts, key)
    }

    /// Whether the string key is there.
    fn PyDict_ContainsString(ts, dict: &PyDict, key: &CStr) -> bool {
        let key = name(ts, key)?;
        dict.contains_str(ts, &key)
    }

    /// A copy of the same keys and values.
    fn PyDict_Copy(ts, dict: &PyDict) -> Ref<PyDict> {
        dict.copy_by_protocol(ts)
    }

    /// The keys as a list.
    fn PyDict_Keys(ts, dict: &PyDict) -> Ref<PyList> {
        dict.keys_list(ts)
    }

    /// The values as a list.
    fn PyDict_Values(ts, dict: &PyDict) -> Ref<PyList> {
        dict.values_list(ts)
    }

    /// The pairs as a list of tuples.
    fn PyDict_Items(ts, dict: &PyDict) -> Ref<PyList> {
        dict.items_list(ts)
    }

    /// Adds the pairs of another mapping, over those that are there or not.
    fn PyDict_Merge(ts, dict: &PyDict, other: &PyObject, replace: c_int) -> () {
        dict.merge(ts, other, if replace != 0 { Overlap::Replace } else { Overlap::Keep })
    }

    /// Adds the pairs of another mapping over those that are there.
    fn PyDict_Update(ts, dict: &PyDict, other: &PyObject) -> () {
        dict.merge(ts, other, Overlap::Replace)
    }

    /// Adds the pairs of an iterable of pairs.
    fn PyDict_MergeFromSeq2(ts, dict: &PyDict, pairs: &PyObject, replace: c_int) -> () {
        dict.merge_pairs(ts, pairs, if replace != 0 { Overlap::Replace } else { Overlap::Keep })
    }

    /// The value of a key, set to a default before when there is none; borrowed.
    fn PyDict_SetDefault(ts, dict: &PyDict, key: &PyObject, default: &PyObject) -> Borrowed {
        Ok(Borrowed::kept(dict.setdefault(ts, key, default)?))
    }

    /// The same as a new reference; 1 when the key was there.
    fn PyDict_SetDefaultRef(ts, dict: &PyObject, key: &PyObject, default: &PyObject, result: *mut *mut PyObject) -> bool {
        no_answer(result);
        let Some(dict) = dict.downcast::<PyDict>() else { return bad_internal_call(ts, "PyDict_SetDefaultRef") };
        let (value, was_there) = dict.setdefault_ref(ts, key, default)?;
        if !result.is_null() {
            answer(Some(value), result);
        }
        Ok(was_there)
    }

    /// Takes a key out: 1 and its value, or 0.
    fn PyDict_Pop(ts, dict: &PyObject, key: &PyObject, result: *mut *mut PyObject) -> bool {
        no_answer(result);
        let Some(dict) = dict.downcast::<PyDict>() else { return bad_internal_call(ts, "PyDict_Pop") };
        let found = dict.remove(ts, key)?;
        Ok(if result.is_null() { found.is_some() } else { answer(found, result) })
    }

    /// The same for a string key.
    fn PyDict_PopString(ts, dict: &PyObject, key: &CStr, result: *mut *mut PyObject) -> bool {
        no_answer(result);
        let Some(dict) = dict.downcast::<PyDict>() else { return bad_internal_call(ts, "PyDict_PopString") };
        let found = dict.remove_str(ts, &*name(ts, key)?)?;
        Ok(if result.is_null() { found.is_some() } else { answer(found, result) })
    }

    /// A view of a mapping that cannot change it.
    fn PyDictProxy_New(ts, mapping: &PyObject) -> Ref<PyMappingProxy> {
        PyMappingProxy::new(ts, mapping)
    }
}

/// Empties the dict; anything else is left alone.
///
/// # Safety
///
/// A thread state is attached; `dict` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyDict_Clear(dict: *mut PyObject) {
    guard::<super::convert::Void>("PyDict_Clear", |ts| {
        // SAFETY: an object or null.
        if let Some(dict) = unsafe { dict.as_ref() }.and_then(|d| d.downcast::<PyDict>()) {
            dict.clear(ts);
        }
        Ok(super::convert::Void)
    });
}

/// Steps through the dict: 1 and the next pair, borrowed, or 0 at the end.
///
/// # Safety
///
/// A thread state is attached; `pos` is 0 at first and left alone afterwards; the dict keeps its keys meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyDict_Next(
    dict: *mut PyObject,
    pos: *mut isize,
    key: *mut *mut PyObject,
    value: *mut *mut PyObject,
) -> c_int {
    // SAFETY: an object or null.
    let Some(dict) = (unsafe { dict.as_ref() }).and_then(|d| d.downcast::<PyDict>()) else { return 0 };
    // SAFETY: the caller's places; negative positions are none of ours.
    unsafe {
        let Ok(mut at) = usize::try_from(*pos) else { return 0 };
        let Some((next_key, next_value, _)) = dict.next_borrowed(&mut at) else { return 0 };
        *pos = at as isize;
        if !key.is_null() {
            *key = next_key.as_ptr();
        }
        if !value.is_null() {
            *value = next_value.as_ptr();
        }
    }
    1
}
