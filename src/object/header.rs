//! The object header and its reference count.
//!
//! ```text
//!           ┌─────────────────────┬─────────────────────┬───────────────
//!  (GC head)│ ob_refcnt   8 bytes │ ob_type     8 bytes │ the type's own
//!           └─────────────────────┴─────────────────────┴───────────────
//!           ▲ *mut PyObject
//! ```
//!
//! The layout is CPython's, because extension modules built for the stable ABI count references
//! inline. An object is **immortal** when bit 31 of its count is set: counting leaves it alone, and
//! code that counts without looking (old stable-ABI modules) stays within a margin of 2^30.

use core::cell::Cell;

use super::typeobj::PyTypeObject;
use crate::state::ThreadState;

/// The reference count that immortal objects are born with: bit 31 set, 2^30 away from clearing it.
pub const IMMORTAL_REFCNT: isize = 0xC000_0000;

/// The header that every Python object begins with.
///
/// A `&PyObject` is a borrowed reference; [`Ref`](super::Ref) is an owned one.
#[repr(C)]
pub struct PyObject {
    pub(crate) ob_refcnt: Cell<isize>,
    pub(crate) ob_type: Cell<*const PyTypeObject>,
}

// SAFETY: an object is touched only by the thread that holds its interpreter's GIL; the objects that
// interpreters share are immortal, and their headers are never written.
unsafe impl Sync for PyObject {}

/// The header of objects of variable size: `ob_size` counts the items (its meaning is the type's own).
#[repr(C)]
pub struct PyVarObject {
    pub(crate) ob_base: PyObject,
    pub(crate) ob_size: Cell<isize>,
}

// SAFETY: as for `PyObject`.
unsafe impl Sync for PyVarObject {}

impl PyObject {
    /// A header for a static, immortal object.
    pub const fn immortal(ob_type: *const PyTypeObject) -> PyObject {
        PyObject { ob_refcnt: Cell::new(IMMORTAL_REFCNT), ob_type: Cell::new(ob_type) }
    }

    /// A header with one reference, for an object being made.
    pub const fn new(ob_type: *const PyTypeObject) -> PyObject {
        PyObject { ob_refcnt: Cell::new(1), ob_type: Cell::new(ob_type) }
    }

    /// The object's type (`Py_TYPE`), borrowed from the object.
    #[inline(always)]
    pub fn ob_type(&self) -> &PyTypeObject {
        // SAFETY: `ob_type` points to a live type as long as the object lives: a static one, or a
        // heap type of which each instance owns a reference.
        unsafe { &*self.ob_type.get() }
    }

    /// The reference count as it stands; meaningless for immortal objects.
    #[inline(always)]
    pub fn refcnt(&self) -> isize {
        self.ob_refcnt.get()
    }

    /// Whether counting leaves the object alone.
    #[inline(always)]
    pub fn is_immortal(&self) -> bool {
        (self.ob_refcnt.get() as i32) < 0
    }

    /// Whether the caller's reference is the only one.
    #[inline(always)]
    pub fn is_unique(&self) -> bool {
        self.ob_refcnt.get() == 1
    }

    /// Whether both are the same object (`is`).
    #[inline(always)]
    pub fn is(&self, other: &PyObject) -> bool {
        core::ptr::eq(self, other)
    }

    /// Counts one more reference (`Py_INCREF`).
    #[inline(always)]
    pub fn incref(&self) {
        let count = self.ob_refcnt.get();
        if count as i32 >= 0 {
            self.ob_refcnt.set(count + 1);
        }
    }

    /// The pointer that C calls `PyObject *`.
    #[inline(always)]
    pub fn as_ptr(&self) -> *mut PyObject {
        core::ptr::from_ref(self).cast_mut()
    }
}

/// Gives up one reference to `object` (`Py_DECREF`); the last one deallocates it.
///
/// # Safety
/// The caller owns a reference, which is gone after the call.
#[inline(always)]
pub unsafe fn decref(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the caller's reference keeps the object alive here.
    let header = unsafe { &*object };
    let count = header.ob_refcnt.get();
    if count as i32 >= 0 {
        header.ob_refcnt.set(count - 1);
        if count == 1 {
            // SAFETY: that was the last reference.
            unsafe { super::dealloc::dealloc(ts, object) };
        }
    }
}

/// [`decref`] where no thread state is at hand: looks it up when the object dies.
///
/// # Safety
/// As for [`decref`]; a thread state is attached.
#[inline(always)]
pub unsafe fn decref_unattended(object: *mut PyObject) {
    // SAFETY: the caller's reference keeps the object alive here.
    let header = unsafe { &*object };
    let count = header.ob_refcnt.get();
    if count as i32 >= 0 {
        header.ob_refcnt.set(count - 1);
        if count == 1 {
            // SAFETY: that was the last reference.
            unsafe { super::dealloc::dealloc_unattended(object) };
        }
    }
}
