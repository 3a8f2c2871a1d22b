//! Owned references and the places that hold them.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use super::header::{self, PyObject};
use super::typeobj::PyTypeObject;
use crate::state::ThreadState;

/// A Rust struct that is the memory of instances of a Python type.
///
/// # Safety
/// The struct is `#[repr(C)]`, begins with the object header, and every object for which
/// [`check`](Native::check) holds has at least this layout.
pub unsafe trait Native: 'static {
    /// The exact built-in type.
    fn type_object() -> &'static PyTypeObject;

    /// Whether `object` is an instance of the type or of a subclass.
    #[inline(always)]
    fn check(object: &PyObject) -> bool {
        let of = object.ob_type();
        core::ptr::eq(of, Self::type_object()) || of.is_subtype(Self::type_object())
    }
}

/// Declares that a struct is the memory of a built-in type's instances.
///
/// `native!(PyList, LIST_TYPE)` checks by walking the bases; `native!(PyList, LIST_TYPE, LIST_SUBCLASS)`
/// by a flag of the type, which is one test.
#[macro_export]
macro_rules! native {
    ($object:ty, $type_object:expr) => {
        // SAFETY: the struct is `repr(C)` and begins with the header; the static type's basic size is
        // taken from it, and subtypes only append.
        unsafe impl $crate::object::Native for $object {
            #[inline(always)]
            fn type_object() -> &'static $crate::object::PyTypeObject {
                &$type_object
            }
        }
    };
    ($object:ty, $type_object:expr, $flag:ident) => {
        // SAFETY: as above; only the type and its subtypes have the flag.
        unsafe impl $crate::object::Native for $object {
            #[inline(always)]
            fn type_object() -> &'static $crate::object::PyTypeObject {
                &$type_object
            }
            #[inline(always)]
            fn check(object: &$crate::object::PyObject) -> bool {
                object.ob_type().has_flag($crate::object::flags::$flag)
            }
        }
    };
}

// SAFETY: every object is a `PyObject`.
unsafe impl Native for PyObject {
    fn type_object() -> &'static PyTypeObject {
        &crate::types::object::OBJECT_TYPE
    }
    #[inline(always)]
    fn check(_object: &PyObject) -> bool {
        true
    }
}

/// Views of any native object as its header, for structs and references alike.
pub trait AsObject {
    /// The object's header, borrowed.
    fn as_object(&self) -> &PyObject;
    /// A new owned reference to the object, its type forgotten.
    #[inline(always)]
    fn new_ref(&self) -> PyRef {
        PyRef::from_borrowed(self.as_object())
    }
}

impl<T: Native> AsObject for T {
    #[inline(always)]
    fn as_object(&self) -> &PyObject {
        // SAFETY: a `Native` struct begins with the header.
        unsafe { &*core::ptr::from_ref(self).cast::<PyObject>() }
    }
}

impl PyObject {
    /// The object as `T` when it is an instance of `T`'s type or of a subclass.
    #[inline(always)]
    pub fn downcast<T: Native>(&self) -> Option<&T> {
        if T::check(self) {
            // SAFETY: `check` holds, so the object has at least `T`'s layout.
            Some(unsafe { self.cast_unchecked() })
        } else {
            None
        }
    }

    /// The object as `T` when its type is exactly `T`'s.
    #[inline(always)]
    pub fn downcast_exact<T: Native>(&self) -> Option<&T> {
        if core::ptr::eq(self.ob_type(), T::type_object()) {
            // SAFETY: the type is `T`'s, so the object has `T`'s layout.
            Some(unsafe { self.cast_unchecked() })
        } else {
            None
        }
    }

    /// The object as `T`, which the caller knows it to be (a method's `self`, which the method
    /// descriptor has checked). Panics when it is not.
    #[inline(always)]
    #[track_caller]
    pub fn cast<T: Native>(&self) -> &T {
        match self.downcast() {
            Some(object) => object,
            None => cast_failed(),
        }
    }

    /// The object as `T`, unchecked.
    ///
    /// # Safety
    /// `T::check(self)` holds.
    #[inline(always)]
    pub unsafe fn cast_unchecked<T: Native>(&self) -> &T {
        debug_assert!(T::check(self));
        // SAFETY: the caller says that the object has `T`'s layout.
        unsafe { &*core::ptr::from_ref(self).cast::<T>() }
    }

    /// Whether the object is an instance of `T`'s type or of a subclass.
    #[inline(always)]
    pub fn is_a<T: Native>(&self) -> bool {
        T::check(self)
    }
}

#[cold]
#[track_caller]
fn cast_failed() -> ! {
    panic!("an object is not of the type that its caller vouched for")
}

/// An owned reference to an object whose memory is a `T`; dropping it gives the reference up.
#[repr(transparent)]
pub struct Ref<T: Native = PyObject> {
    pointer: NonNull<T>,
    owns: PhantomData<T>,
}

/// An owned reference to any object.
pub type PyRef = Ref<PyObject>;

impl<T: Native> Ref<T> {
    /// Takes over a reference that the caller owns.
    ///
    /// # Safety
    /// `pointer` is a live object of `T`'s layout, and the caller gives up one reference to it.
    #[inline(always)]
    pub unsafe fn from_owned(pointer: *mut T) -> Ref<T> {
        debug_assert!(!pointer.is_null());
        // SAFETY: a live object is not null.
        Ref { pointer: unsafe { NonNull::new_unchecked(pointer) }, owns: PhantomData }
    }

    /// Takes over a reference from C, where null says that there is none.
    ///
    /// # Safety
    /// As for [`from_owned`](Ref::from_owned), or null.
    #[inline(always)]
    pub unsafe fn from_owned_or_null(pointer: *mut T) -> Option<Ref<T>> {
        NonNull::new(pointer).map(|pointer| Ref { pointer, owns: PhantomData })
    }

    /// A new reference to a borrowed object.
    #[inline(always)]
    pub fn from_borrowed(object: &T) -> Ref<T> {
        object.as_object().incref();
        Ref { pointer: NonNull::from(object), owns: PhantomData }
    }

    /// The pointer, with the ownership of the reference: the caller must give it up some day.
    #[inline(always)]
    pub fn into_ptr(self) -> *mut T {
        ManuallyDrop::new(self).pointer.as_ptr()
    }

    /// The pointer, the reference stays with `self`.
    #[inline(always)]
    pub fn as_raw(&self) -> *mut T {
        self.pointer.as_ptr()
    }

    /// The same reference, the type forgotten.
    #[inline(always)]
    pub fn into_object(self) -> PyRef {
        let pointer = ManuallyDrop::new(self).pointer.cast();
        Ref { pointer, owns: PhantomData }
    }

    /// Gives the reference up through a thread state that is at hand, which spares a look-up.
    #[inline(always)]
    pub fn release(self, ts: &ThreadState) {
        // SAFETY: `into_ptr` hands over the reference that `self` owned.
        unsafe { header::decref(ts, self.into_ptr().cast()) }
    }
}

impl PyRef {
    /// The reference as one to a `T`, or back unchanged when the object is none.
    #[inline(always)]
    pub fn downcast_into<T: Native>(self) -> Result<Ref<T>, PyRef> {
        if T::check(&self) {
            let pointer = ManuallyDrop::new(self).pointer.cast();
            Ok(Ref { pointer, owns: PhantomData })
        } else {
            Err(self)
        }
    }

    /// The reference as one to a `T`, which the caller knows it to be. Panics when it is not.
    #[inline(always)]
    #[track_caller]
    pub fn cast_into<T: Native>(self) -> Ref<T> {
        match self.downcast_into() {
            Ok(object) => object,
            Err(_) => cast_failed(),
        }
    }
}

impl<T: Native> Deref for Ref<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the reference keeps the object alive.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T: Native> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Ref<T> {
        Ref::from_borrowed(self)
    }
}

impl<T: Native> Drop for Ref<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `self` owns a reference and is gone after this.
        unsafe { header::decref_unattended(self.pointer.as_ptr().cast()) }
    }
}

/// A place inside an object that holds an owned reference or none.
///
/// Reading clones, so that what was read survives whatever replaces it; replacing drops the old
/// object only after the new one is in place, so that a finalizer sees a whole object.
#[repr(transparent)]
pub struct Slot<T: Native = PyObject> {
    value: UnsafeCell<Option<Ref<T>>>,
}

impl<T: Native> Slot<T> {
    /// A slot that holds `value`.
    #[inline(always)]
    pub const fn new(value: Option<Ref<T>>) -> Slot<T> {
        Slot { value: UnsafeCell::new(value) }
    }

    /// An empty slot.
    #[inline(always)]
    pub const fn empty() -> Slot<T> {
        Slot::new(None)
    }

    /// A new reference to what the slot holds.
    #[inline(always)]
    pub fn get(&self) -> Option<Ref<T>> {
        // SAFETY: no reference to the inside of the cell outlives this expression, and cloning a
        // reference runs no other code.
        unsafe { (*self.value.get()).clone() }
    }

    /// Whether the slot holds an object.
    #[inline(always)]
    pub fn is_some(&self) -> bool {
        // SAFETY: as in `get`.
        unsafe { (*self.value.get()).is_some() }
    }

    /// What the slot holds, borrowed.
    ///
    /// # Safety
    /// Nothing replaces the content while the result is used: no Python code runs in between.
    #[inline(always)]
    pub unsafe fn borrow(&self) -> Option<&T> {
        // SAFETY: the caller says that the content stays.
        unsafe { (*self.value.get()).as_deref() }
    }

    /// Puts `value` in, and drops what was there before.
    #[inline(always)]
    pub fn set(&self, value: Option<Ref<T>>) {
        drop(self.replace(value));
    }

    /// Puts `value` in, and returns what was there before.
    #[inline(always)]
    pub fn replace(&self, value: Option<Ref<T>>) -> Option<Ref<T>> {
        // SAFETY: no reference to the inside of the cell exists beyond single expressions.
        unsafe { core::mem::replace(&mut *self.value.get(), value) }
    }

    /// Empties the slot, and returns what was there.
    #[inline(always)]
    pub fn take(&self) -> Option<Ref<T>> {
        self.replace(None)
    }
}

impl<T: Native> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot::empty()
    }
}
