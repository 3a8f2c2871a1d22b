//! A box whose making can fail.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::domain::NoMemory;
use crate::handle::{Handle, Mem};

/// A value in a block of a domain, by default mem.
pub struct TryBox<T: ?Sized, A: Handle = Mem> {
    ptr: NonNull<T>,
    own: PhantomData<(A, T)>,
}

// SAFETY: the box owns its value; the memory may be freed from any thread that has the heap attached.
unsafe impl<T: ?Sized + Send, A: Handle> Send for TryBox<T, A> {}
// SAFETY: sharing the box shares its value only.
unsafe impl<T: ?Sized + Sync, A: Handle> Sync for TryBox<T, A> {}

impl<T> TryBox<T, Mem> {
    /// Puts a value into a block of the mem domain. On failure the value is dropped.
    pub fn try_new(value: T) -> Result<Self, NoMemory> {
        Self::try_new_in(value, Mem)
    }
}

impl<T, A: Handle> TryBox<T, A> {
    /// Puts a value into a block of the handle's domain. On failure the value is dropped.
    pub fn try_new_in(value: T, handle: A) -> Result<Self, NoMemory> {
        let ptr = handle.allocate(Layout::new::<T>())?.cast::<T>();
        // SAFETY: the block is fresh and has the value's layout.
        unsafe { ptr.write(value) };
        Ok(Self { ptr, own: PhantomData })
    }

    /// Takes the value out.
    #[must_use]
    pub fn into_inner(this: Self) -> T {
        let this = ManuallyDrop::new(this);
        // SAFETY: the box is not dropped, so the value is read once and the block freed once.
        unsafe {
            let value = this.ptr.read();
            A::HANDLE.deallocate(this.ptr.cast(), Layout::new::<T>());
            value
        }
    }
}

impl<T: ?Sized, A: Handle> TryBox<T, A> {
    /// The address of the value, which the caller now owns.
    #[must_use]
    pub fn into_raw(this: Self) -> *mut T {
        ManuallyDrop::new(this).ptr.as_ptr()
    }

    /// The box of what [`TryBox::into_raw`] gave; its pointer may have been made one to a trait object
    /// or a slice meanwhile.
    ///
    /// # Safety
    /// The address came from there, for the same domain, and is used once.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: a box's address is never null.
        let ptr = unsafe { NonNull::new_unchecked(raw) };
        Self { ptr, own: PhantomData }
    }

    /// The address of the value; the box stays its owner.
    #[must_use]
    pub fn as_ptr(this: &Self) -> *mut T {
        this.ptr.as_ptr()
    }
}

impl<T: ?Sized, A: Handle> Drop for TryBox<T, A> {
    fn drop(&mut self) {
        // SAFETY: the value lives, and nobody uses the box any more.
        unsafe {
            let layout = Layout::for_value(self.ptr.as_ref());
            self.ptr.drop_in_place();
            A::HANDLE.deallocate(self.ptr.cast(), layout);
        }
    }
}

impl<T: ?Sized, A: Handle> Deref for TryBox<T, A> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the box owns a live value.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: ?Sized, A: Handle> DerefMut for TryBox<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the box owns a live value and is borrowed mutably.
        unsafe { self.ptr.as_mut() }
    }
}

impl<T: ?Sized + fmt::Debug, A: Handle> fmt::Debug for TryBox<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
