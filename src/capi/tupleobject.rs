//! `tuple` and struct sequences' access. Declared in `tupleobject.h`.

use core::ffi::c_int;

use super::convert::{Borrowed, bad_internal_call};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, gc};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::tuple::PyTuple;
use crate::{capi, capi_fast, raise};

/// A tuple of `len` places, None in each until it is filled: what reads an unfilled place finds an object.
fn new_tuple(ts: &ThreadState, len: usize) -> PyResult<Ref<PyTuple>> {
    let tuple = PyTuple::uninit(ts, len)?;
    for index in 0..len {
        // SAFETY: the place is in the tuple, which nobody else sees; None is immortal, so that overwriting it
        // without a decref, as C macros do, loses nothing.
        unsafe { tuple.set_item(index, PyRef::from_borrowed(none())) };
    }
    Ok(tuple)
}

capi_fast! {
    /// A tuple to be filled.
    fn PyTuple_New(ts, len: isize) -> Ref<PyTuple> {
        if len < 0 {
            return bad_internal_call(ts, "PyTuple_New");
        }
        new_tuple(ts, len as usize)
    }

    /// The number of items.
    fn PyTuple_Size(ts, tuple: &PyTuple) -> usize {
        Ok(tuple.len())
    }

    /// An item, borrowed.
    fn PyTuple_GetItem(ts, tuple: &PyTuple, index: isize) -> Borrowed {
        match usize::try_from(index).ok().and_then(|index| tuple.get(index)) {
            Some(item) => Ok(Borrowed::of(item)),
            None => raise!(ts, exc::IndexError, "tuple index out of range"),
        }
    }
}

capi! {
    /// Fills a place of a tuple that nobody else has a reference to; takes the reference over.
    fn PyTuple_SetItem(ts, tuple: &PyObject, index: isize, item: Option<PyRef>) -> () {
        let Some(of) = tuple.downcast::<PyTuple>().filter(|_| tuple.is_unique()) else {
            drop(item);
            return bad_internal_call(ts, "PyTuple_SetItem");
        };
        if index < 0 || index as usize >= of.len() {
            drop(item);
            return raise!(ts, exc::IndexError, "tuple assignment index out of range");
        }
        let item = item.unwrap_or_else(|| ts.none());
        // SAFETY: the index is in range, the places are filled, and the tuple has one owner, the caller.
        let old = unsafe { of.replace_item(index as usize, item) };
        gc::track_again(ts, of);
        drop(old);
        Ok(())
    }

    /// The items from `low` up to `high`.
    fn PyTuple_GetSlice(ts, tuple: &PyTuple, low: isize, high: isize) -> Ref<PyTuple> {
        tuple.slice(ts, low.max(0) as usize, high.max(0) as usize)
    }
}

/// Changes the length of a tuple that only the caller refers to; on failure `*place` becomes null.
///
/// # Safety
///
/// A thread state is attached; `place` holds an owned reference to a tuple.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyTuple_Resize(place: *mut *mut PyObject, len: isize) -> c_int {
    super::convert::guard::<()>("_PyTuple_Resize", |ts| {
        // SAFETY: the caller's place, whose reference is taken over.
        let old = unsafe { PyRef::from_owned_or_null(core::ptr::replace(place, core::ptr::null_mut())) };
        let Some(old) = old.and_then(|old| old.downcast_into::<PyTuple>().ok()) else {
            return bad_internal_call(ts, "_PyTuple_Resize");
        };
        if len < 0 || (!old.is_empty() && !old.as_object().is_unique()) {
            return bad_internal_call(ts, "_PyTuple_Resize");
        }
        let made = new_tuple(ts, len as usize)?;
        for (index, item) in old.items().iter().take(len as usize).enumerate() {
            // SAFETY: the place is in the new tuple and holds None.
            unsafe { made.set_item(index, item.new_ref()) };
        }
        // SAFETY: the caller's place.
        unsafe { place.write(made.into_object().into_ptr()) };
        Ok(())
    })
}
