//! How the cycle collector looks into an object.

use core::ops::ControlFlow;

use super::header::PyObject;
use super::reference::{Native, Ref, Slot};

/// Receives each reference that an object owns; `traverse` slots call it once per reference.
pub struct Visitor<'a> {
    visit: &'a mut dyn FnMut(&PyObject) -> ControlFlow<()>,
}

impl<'a> Visitor<'a> {
    /// A visitor that calls `visit`; `ControlFlow::Break` ends the traversal.
    pub fn new(visit: &'a mut dyn FnMut(&PyObject) -> ControlFlow<()>) -> Visitor<'a> {
        Visitor { visit }
    }

    /// Shows an owned reference.
    #[inline]
    pub fn object(&mut self, object: &PyObject) -> ControlFlow<()> {
        (self.visit)(object)
    }

    /// Shows an owned reference of a known type.
    #[inline]
    pub fn reference<T: Native>(&mut self, object: &Ref<T>) -> ControlFlow<()> {
        use super::reference::AsObject;
        (self.visit)(object.as_object())
    }

    /// Shows what a slot owns.
    #[inline]
    pub fn slot<T: Native>(&mut self, slot: &Slot<T>) -> ControlFlow<()> {
        use super::reference::AsObject;
        // SAFETY: a traversal runs no Python code, so the slot's content stays.
        match unsafe { slot.borrow() } {
            Some(object) => (self.visit)(object.as_object()),
            None => ControlFlow::Continue(()),
        }
    }

    /// Shows each of the references.
    #[inline]
    pub fn objects<'o>(&mut self, objects: impl IntoIterator<Item = &'o PyObject>) -> ControlFlow<()> {
        for object in objects {
            (self.visit)(object)?;
        }
        ControlFlow::Continue(())
    }
}
