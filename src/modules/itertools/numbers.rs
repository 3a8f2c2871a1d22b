//! A fixed array of indices inside an object.

use core::cell::Cell;

use hognose_allocators::NoMemory;

use crate::state::ThreadState;

/// An array of numbers in the mem domain. All zero bytes are an empty one, so a new object has it without ado; its
/// owner's dealloc frees it.
pub(super) struct Numbers {
    places: Cell<*mut usize>,
    len: Cell<usize>,
}

impl Numbers {
    /// Makes it an array of `len` numbers; it is empty before.
    pub(super) fn fill(&self, ts: &ThreadState, len: usize, value: impl Fn(usize) -> usize) -> Result<(), NoMemory> {
        debug_assert!(self.places.get().is_null());
        if len == 0 {
            return Ok(());
        }
        let bytes =
            len.checked_mul(size_of::<usize>()).filter(|bytes| *bytes <= isize::MAX as usize).ok_or(NoMemory)?;
        let places = ts.heap().mem_alloc(bytes).cast::<usize>();
        if places.is_null() {
            return Err(NoMemory);
        }
        for index in 0..len {
            // SAFETY: the block has room for `len` numbers.
            unsafe { places.add(index).write(value(index)) };
        }
        self.places.set(places);
        self.len.set(len);
        Ok(())
    }

    /// The numbers.
    ///
    /// # Safety
    /// The result is gone before anything can run that calls this again or frees the array.
    #[allow(clippy::mut_from_ref, reason = "the numbers lie behind a pointer; the caller keeps borrows apart")]
    pub(super) unsafe fn get(&self) -> &mut [usize] {
        if self.len.get() == 0 {
            return &mut [];
        }
        // SAFETY: the block holds `len` numbers, and the caller has the only borrow.
        unsafe { core::slice::from_raw_parts_mut(self.places.get(), self.len.get()) }
    }

    /// Frees the array: it is empty afterwards.
    pub(super) fn free(&self, ts: &ThreadState) {
        let places = self.places.replace(core::ptr::null_mut());
        self.len.set(0);
        if !places.is_null() {
            // SAFETY: the block came from the same heap, and nothing refers to it any more.
            unsafe { ts.heap().mem_free(places.cast()) };
        }
    }
}
