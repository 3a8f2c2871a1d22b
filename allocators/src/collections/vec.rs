//! A vector whose growth can fail.

use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};
use core::slice;

use crate::domain::NoMemory;
use crate::handle::{Handle, Mem};

/// A growable array in a domain: three words, and no method that allocates without a `Result`.
///
/// `TryVec<T>` lives in the mem domain; `TryVec<T, Raw>` in the raw one. It is dropped while the heap is
/// attached that it was filled under.
pub struct TryVec<T, A: Handle = Mem> {
    ptr: NonNull<T>,
    cap: usize,
    len: usize,
    own: PhantomData<(T, A)>,
}

// SAFETY: the vector owns its items; the memory may be freed from any thread that has the heap attached.
unsafe impl<T: Send, A: Handle> Send for TryVec<T, A> {}
// SAFETY: sharing the vector shares its items only.
unsafe impl<T: Sync, A: Handle> Sync for TryVec<T, A> {}

impl<T> TryVec<T, Mem> {
    /// An empty vector in the mem domain. Takes no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self::new_in(Mem)
    }

    /// An empty vector in the mem domain with room for `capacity` items.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, NoMemory> {
        Self::try_with_capacity_in(capacity, Mem)
    }

    /// A vector in the mem domain with the items of an iterator.
    pub fn try_from_iter(items: impl IntoIterator<Item = T>) -> Result<Self, NoMemory> {
        let mut vec = Self::new();
        vec.try_extend(items)?;
        Ok(vec)
    }

    /// A vector in the mem domain with copies of the items of a slice.
    pub fn try_from_slice(items: &[T]) -> Result<Self, NoMemory>
    where
        T: Clone,
    {
        let mut vec = Self::new();
        vec.try_extend_from_slice(items)?;
        Ok(vec)
    }
}

impl TryVec<u8, Mem> {
    /// `len` zero bytes in the mem domain. Many of them take no memory of the system's until they are written to.
    pub fn try_zeroed(len: usize) -> Result<Self, NoMemory> {
        if len == 0 {
            return Ok(Self::new());
        }
        let zeros = NonNull::new(Mem::take_zeroed(len).cast()).ok_or(NoMemory)?;
        Ok(Self { ptr: zeros, cap: len, len, own: PhantomData })
    }
}

impl<T, A: Handle> TryVec<T, A> {
    const SIZED: bool = size_of::<T>() != 0;

    /// An empty vector in the handle's domain. Takes no memory.
    #[must_use]
    pub const fn new_in(_handle: A) -> Self {
        let cap = if size_of::<T>() == 0 { usize::MAX } else { 0 };
        Self { ptr: NonNull::dangling(), cap, len: 0, own: PhantomData }
    }

    /// An empty vector in the handle's domain with room for `capacity` items.
    pub fn try_with_capacity_in(capacity: usize, handle: A) -> Result<Self, NoMemory> {
        let mut vec = Self::new_in(handle);
        vec.try_reserve_exact(capacity)?;
        Ok(vec)
    }

    /// Number of items.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no items.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of items that there is room for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.cap
    }

    /// The items.
    #[must_use]
    pub const fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` items are initialized.
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// The items, to be changed.
    #[must_use]
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: the first `len` items are initialized.
        unsafe { slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }

    /// The address of the first item.
    #[must_use]
    pub const fn as_ptr(&self) -> *const T {
        self.ptr.as_ptr()
    }

    /// The address of the first item, to be written to.
    #[must_use]
    pub const fn as_mut_ptr(&mut self) -> *mut T {
        self.ptr.as_ptr()
    }

    /// Sets the number of items.
    ///
    /// # Safety
    /// It is at most the capacity, and that many items are initialized.
    pub const unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.cap);
        self.len = len;
    }

    fn layout(cap: usize) -> Result<Layout, NoMemory> {
        Layout::array::<T>(cap).map_err(|_| NoMemory)
    }

    /// Changes the capacity to `cap`, which is at least the length.
    fn resize_buffer(&mut self, cap: usize) -> Result<(), NoMemory> {
        debug_assert!(cap >= self.len);
        if !Self::SIZED || cap == self.cap {
            return Ok(());
        }
        let (old, new) = (Self::layout(self.cap)?, Self::layout(cap)?);
        let at = self.ptr.cast::<u8>();
        // SAFETY: the buffer was allocated with `old` (or is dangling, when that is empty).
        let buffer = unsafe {
            if cap == 0 {
                A::HANDLE.deallocate(at, old);
                NonNull::slice_from_raw_parts(NonNull::<T>::dangling().cast(), 0)
            } else if self.cap == 0 {
                A::HANDLE.allocate(new)?
            } else if cap > self.cap {
                A::HANDLE.grow(at, old, new)?
            } else {
                A::HANDLE.shrink(at, old, new)?
            }
        };
        self.ptr = buffer.cast();
        self.cap = cap;
        Ok(())
    }

    /// Makes room for `additional` more items, and for more than that, so that many small requests cost
    /// little.
    #[inline]
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), NoMemory> {
        if additional <= self.cap - self.len { Ok(()) } else { self.grow(additional) }
    }

    /// Makes room for exactly `additional` more items, if there is not room for them already.
    pub fn try_reserve_exact(&mut self, additional: usize) -> Result<(), NoMemory> {
        if additional <= self.cap - self.len {
            return Ok(());
        }
        self.resize_buffer(self.len.checked_add(additional).ok_or(NoMemory)?)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) -> Result<(), NoMemory> {
        let needed = self.len.checked_add(additional).ok_or(NoMemory)?;
        let least = if size_of::<T>() <= 16 { 4 } else { 1 };
        self.resize_buffer(needed.max(self.cap.saturating_add(self.cap / 2)).max(least))
    }

    /// Gives the room back that is not used. What cannot be given back is kept.
    pub fn shrink_to_fit(&mut self) {
        // A buffer that cannot be made smaller is still good.
        let _ = self.resize_buffer(self.len);
    }

    /// Adds an item at the end. On failure the item is dropped.
    #[inline]
    pub fn try_push(&mut self, item: T) -> Result<(), NoMemory> {
        self.try_reserve(1)?;
        // SAFETY: there is room for one more.
        unsafe { self.ptr.as_ptr().add(self.len).write(item) };
        self.len += 1;
        Ok(())
    }

    /// Adds an item for which there is room.
    ///
    /// # Panics
    /// If there is none: the caller has reserved it.
    #[inline]
    pub fn push_reserved(&mut self, item: T) {
        assert!(self.len < self.cap, "room was reserved");
        // SAFETY: there is room for one more, as just tested.
        unsafe { self.ptr.as_ptr().add(self.len).write(item) };
        self.len += 1;
    }

    /// Takes the last item away.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        // SAFETY: the item was initialized, and no longer counts.
        Some(unsafe { self.ptr.as_ptr().add(self.len).read() })
    }

    /// Adds the items of an iterator. On failure those that came before stay.
    pub fn try_extend(&mut self, items: impl IntoIterator<Item = T>) -> Result<(), NoMemory> {
        let items = items.into_iter();
        self.try_reserve(items.size_hint().0)?;
        for item in items {
            self.try_push(item)?;
        }
        Ok(())
    }

    /// Adds clones of the items of a slice.
    pub fn try_extend_from_slice(&mut self, items: &[T]) -> Result<(), NoMemory>
    where
        T: Clone,
    {
        self.try_reserve(items.len())?;
        for item in items {
            // SAFETY: there is room for all of them. A clone that panics leaves the length right.
            unsafe { self.ptr.as_ptr().add(self.len).write(item.clone()) };
            self.len += 1;
        }
        Ok(())
    }

    /// Adds copies of the items of a slice, in one go.
    #[inline]
    pub fn try_extend_from_copy(&mut self, items: &[T]) -> Result<(), NoMemory>
    where
        T: Copy,
    {
        self.try_reserve(items.len())?;
        // SAFETY: there is room for all of them, and `items` is not this vector: that is borrowed
        // mutably.
        unsafe {
            let end = self.ptr.as_ptr().add(self.len);
            ptr::copy_nonoverlapping(items.as_ptr(), end, items.len());
        }
        self.len += items.len();
        Ok(())
    }

    /// Puts an item at `index`, and those from there on one place further.
    ///
    /// # Panics
    /// If `index` is beyond the end.
    pub fn try_insert(&mut self, index: usize, item: T) -> Result<(), NoMemory> {
        assert!(index <= self.len, "the index lies inside");
        self.try_reserve(1)?;
        // SAFETY: there is room for one more, and the index lies inside.
        unsafe {
            let at = self.ptr.as_ptr().add(index);
            ptr::copy(at, at.add(1), self.len - index);
            at.write(item);
        }
        self.len += 1;
        Ok(())
    }

    /// Takes the item at `index` away, and moves those behind it one place nearer.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn remove(&mut self, index: usize) -> T {
        assert!(index < self.len, "the index lies inside");
        self.len -= 1;
        // SAFETY: the index lies inside.
        unsafe {
            let at = self.ptr.as_ptr().add(index);
            let item = at.read();
            ptr::copy(at.add(1), at, self.len - index);
            item
        }
    }

    /// Takes the item at `index` away, and puts the last one in its place.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn swap_remove(&mut self, index: usize) -> T {
        assert!(index < self.len, "the index lies inside");
        self.len -= 1;
        // SAFETY: both items lie inside; they may be the same.
        unsafe {
            let at = self.ptr.as_ptr().add(index);
            let item = at.read();
            ptr::copy(self.ptr.as_ptr().add(self.len), at, 1);
            item
        }
    }

    /// Drops the items from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        let rest = ptr::slice_from_raw_parts_mut(self.ptr.as_ptr().wrapping_add(len), self.len - len);
        self.len = len;
        // SAFETY: the items were initialized, and no longer count.
        unsafe { ptr::drop_in_place(rest) };
    }

    /// Drops all items; the room is kept.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Makes the length `len`: drops items, or adds clones of `item`.
    pub fn try_resize(&mut self, len: usize, item: T) -> Result<(), NoMemory>
    where
        T: Clone,
    {
        self.truncate(len);
        self.try_reserve(len - self.len)?;
        let places = self.ptr.as_ptr();
        for index in self.len..len {
            // SAFETY: there is room for `len` items. A plain store in a loop is what the compiler makes a fill of.
            unsafe { places.add(index).write(item.clone()) };
        }
        // After all of them: a clone that panics leaves the new items behind, which is safe.
        self.len = len;
        Ok(())
    }

    /// Keeps the items for which `keep` says so, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let len = core::mem::replace(&mut self.len, 0);
        let base = self.ptr.as_ptr();
        for index in 0..len {
            // SAFETY: the item is initialized; those before `self.len` are the kept ones. If `keep` or
            // a drop panics, the rest is leaked, not dropped twice.
            unsafe {
                let at = base.add(index);
                if keep(&*at) {
                    ptr::copy(at, base.add(self.len), 1);
                    self.len += 1;
                } else {
                    ptr::drop_in_place(at);
                }
            }
        }
    }

    /// Takes all items, and leaves an empty vector without a buffer.
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::replace(self, Self::new_in(A::HANDLE))
    }

    /// A vector with clones of the items.
    pub fn try_clone(&self) -> Result<Self, NoMemory>
    where
        T: Clone,
    {
        let mut copy = Self::try_with_capacity_in(self.len, A::HANDLE)?;
        copy.try_extend_from_slice(self)?;
        Ok(copy)
    }

    /// Address, length and capacity, which the caller now owns.
    #[must_use]
    pub fn into_raw_parts(self) -> (*mut T, usize, usize) {
        let this = ManuallyDrop::new(self);
        (this.ptr.as_ptr(), this.len, this.cap)
    }

    /// The vector of what [`TryVec::into_raw_parts`] gave.
    ///
    /// # Safety
    /// The parts came from there, for the same type and domain, and are used once.
    #[must_use]
    pub unsafe fn from_raw_parts(ptr: *mut T, len: usize, cap: usize) -> Self {
        // SAFETY: a vector's address is never null.
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Self { ptr, cap, len, own: PhantomData }
    }
}

impl<T, A: Handle> Drop for TryVec<T, A> {
    fn drop(&mut self) {
        self.clear();
        self.shrink_to_fit();
    }
}

impl<T, A: Handle> Default for TryVec<T, A> {
    fn default() -> Self {
        Self::new_in(A::HANDLE)
    }
}

impl<T, A: Handle> Deref for TryVec<T, A> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T, A: Handle> DerefMut for TryVec<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

impl<T, A: Handle> AsRef<[T]> for TryVec<T, A> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: fmt::Debug, A: Handle> fmt::Debug for TryVec<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: PartialEq, A: Handle, B: Handle> PartialEq<TryVec<T, B>> for TryVec<T, A> {
    fn eq(&self, other: &TryVec<T, B>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq, A: Handle> Eq for TryVec<T, A> {}

impl<'a, T, A: Handle> IntoIterator for &'a TryVec<T, A> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T, A: Handle> IntoIterator for &'a mut TryVec<T, A> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T, A: Handle> IntoIterator for TryVec<T, A> {
    type Item = T;
    type IntoIter = IntoIter<T, A>;
    fn into_iter(self) -> IntoIter<T, A> {
        let mut rest = self;
        let end = core::mem::replace(&mut rest.len, 0);
        IntoIter { rest, at: 0, end }
    }
}

/// The items of a [`TryVec`], by value.
pub struct IntoIter<T, A: Handle = Mem> {
    /// The buffer; its length is zero, so it drops no items.
    rest: TryVec<T, A>,
    at: usize,
    end: usize,
}

impl<T, A: Handle> Iterator for IntoIter<T, A> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        self.at += 1;
        // SAFETY: the item is initialized, and is read once.
        Some(unsafe { self.rest.ptr.as_ptr().add(self.at - 1).read() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}

impl<T, A: Handle> DoubleEndedIterator for IntoIter<T, A> {
    fn next_back(&mut self) -> Option<T> {
        if self.at == self.end {
            return None;
        }
        self.end -= 1;
        // SAFETY: the item is initialized, and is read once.
        Some(unsafe { self.rest.ptr.as_ptr().add(self.end).read() })
    }
}

impl<T, A: Handle> ExactSizeIterator for IntoIter<T, A> {}

impl<T, A: Handle> Drop for IntoIter<T, A> {
    fn drop(&mut self) {
        for item in self.by_ref() {
            drop(item);
        }
    }
}
