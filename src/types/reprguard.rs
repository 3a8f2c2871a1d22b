//! Keeps `repr` of an object that contains itself from going on for ever.

use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;

/// While it lives, `repr` of the object is known to be in progress in this thread.
pub struct ReprGuard<'a> {
    ts: &'a ThreadState,
    object: *const PyObject,
}

impl<'a> ReprGuard<'a> {
    /// Notes that the object's `repr` begins; `None` when it is in progress already (`Py_ReprEnter`).
    pub fn enter(ts: &'a ThreadState, object: &PyObject) -> PyResult<Option<ReprGuard<'a>>> {
        let object: *const PyObject = object;
        // SAFETY: the list is touched only by this thread, and for single steps: no Python code runs here.
        let running = unsafe { &mut *ts.repr_running.get() };
        if running.iter().any(|other| core::ptr::eq(*other, object)) {
            return Ok(None);
        }
        running.try_push(object)?;
        Ok(Some(ReprGuard { ts, object }))
    }
}

impl Drop for ReprGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `enter`.
        let running = unsafe { &mut *self.ts.repr_running.get() };
        if let Some(place) = running.iter().rposition(|other| core::ptr::eq(*other, self.object)) {
            running.truncate(place);
        }
    }
}
