//! Keeps `repr` of an object that contains itself from going on for ever.

use crate::object::{PyObject, PyResult, protocol};
use crate::state::ThreadState;

/// While it lives, `repr` of the object is known to be in progress in this thread.
pub struct ReprGuard<'a> {
    ts: &'a ThreadState,
    object: &'a PyObject,
}

impl<'a> ReprGuard<'a> {
    /// Notes that the object's `repr` begins; `None` when it is in progress already.
    pub fn enter(ts: &'a ThreadState, object: &'a PyObject) -> PyResult<Option<ReprGuard<'a>>> {
        // Built only on success: dropping one means leaving.
        Ok(protocol::repr_enter(ts, object)?.then(|| ReprGuard { ts, object }))
    }
}

impl Drop for ReprGuard<'_> {
    fn drop(&mut self) {
        protocol::repr_leave(self.ts, self.object);
    }
}
