//! A heap with an owner: made, borrowed and destroyed by Rust's rules.
//!
//! The runtime keeps its heaps in its interpreters and speaks of them by address. Everybody else has an [`OwnedHeap`]: its
//! handles borrow it, so nothing that lies in it is used when it is gone, and it moves to another thread only while
//! nothing does.

use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use super::{Heap, HeapKind, attach_heap};
use crate::domain::NoMemory;
use crate::handle::{HeapMem, HeapObj};

/// A heap that is destroyed, with all that is left in it, when this is dropped.
///
/// ```
/// use allocator_api2::vec::Vec;
/// use hognose_allocators::{Domain, HeapKind, OwnedHeap};
///
/// let heap = OwnedHeap::new(HeapKind::ALL[0])?;
/// let mut list = Vec::new_in(heap.mem());
/// list.try_reserve(1000).expect("memory");
/// list.push(42u64);
/// assert_eq!(heap.stats(Domain::Mem).live_blocks, 1);
/// # Ok::<(), hognose_allocators::NoMemory>(())
/// ```
///
/// What lies in a heap cannot outlive it:
///
/// ```compile_fail,E0505
/// # use hognose_allocators::{HeapKind, OwnedHeap};
/// let heap = OwnedHeap::new(HeapKind::Malloc).unwrap();
/// let mut list = allocator_api2::vec::Vec::<u8, _>::new_in(heap.mem());
/// drop(heap);
/// list.push(1);
/// ```
pub struct OwnedHeap(NonNull<Heap>);

// SAFETY: a heap belongs to nobody but its owner, and it is sent only while nothing borrows it. What mimalloc keeps for a
// thread is looked up again in the next one.
unsafe impl Send for OwnedHeap {}

impl OwnedHeap {
    /// Makes an empty heap.
    pub fn new(kind: HeapKind) -> Result<Self, NoMemory> {
        Heap::new(kind).map(Self)
    }

    /// Calls `f` with the heap attached to the thread: [`Mem`](crate::Mem), [`Obj`](crate::Obj) and the calls that name a
    /// domain are served from it meanwhile.
    ///
    /// # Safety
    /// What `f` allocates by these ways is not used after the heap is gone, nor freed when it is not attached.
    pub unsafe fn attached<R>(&self, f: impl FnOnce(&Heap) -> R) -> R {
        /// Attaches what was attached before, also when `f` panics.
        struct Before(*mut Heap);
        impl Drop for Before {
            fn drop(&mut self) {
                attach_heap(self.0);
            }
        }
        let _before = Before(attach_heap(self.0.as_ptr()));
        f(self)
    }

    /// Gives the heap up: it is destroyed by [`Heap::destroy`], or never.
    #[must_use]
    pub fn into_raw(self) -> NonNull<Heap> {
        ManuallyDrop::new(self).0
    }
}

impl Deref for OwnedHeap {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        // SAFETY: the heap is destroyed in `drop` only.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for OwnedHeap {
    fn drop(&mut self) {
        // SAFETY: made by `new`. Whoever borrowed it is gone, and it is attached nowhere: `attached` has returned.
        unsafe { Heap::destroy(self.0) }
    }
}

impl Heap {
    /// The mem domain of this heap as an allocator for collections.
    #[must_use]
    pub fn mem(&self) -> HeapMem<'_> {
        HeapMem(self)
    }

    /// The obj domain of this heap as an allocator for collections.
    #[must_use]
    pub fn obj(&self) -> HeapObj<'_> {
        HeapObj(self)
    }
}

#[cfg(test)]
mod tests {
    //! What an owned heap promises.

    use super::OwnedHeap;
    use crate::domain::{Domain, free, malloc};
    use crate::heap::{HeapKind, current_heap};
    use crate::testing::turn;

    /// D3: a heap that nothing borrows goes to another thread, with its blocks.
    #[test]
    fn a_heap_moves_between_threads() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = OwnedHeap::new(*kind).expect("memory for a heap");
            let p = heap.mem_alloc(40) as usize;
            let heap = std::thread::spawn(move || {
                // SAFETY: a block of this heap.
                unsafe { heap.mem_free(p as *mut u8) };
                assert!(!heap.mem_alloc(40).is_null());
                heap
            });
            let heap = heap.join().expect("the thread ends");
            assert_eq!(heap.stats(Domain::Mem).live_blocks, 1);
            heap.validate();
        }
    }

    /// A heap is attached for the time of the call, also when that panics.
    #[test]
    fn attached_for_the_time_of_a_call() {
        let _turn = turn();
        let heap = OwnedHeap::new(HeapKind::Malloc).expect("memory for a heap");
        // SAFETY: what is allocated is freed inside.
        unsafe {
            heap.attached(|heap| {
                let p = malloc(Domain::Obj, 100);
                assert_eq!(heap.stats(Domain::Obj).live_blocks, 1);
                free(Domain::Obj, p);
            });
        }
        assert!(current_heap().is_null());
        let call = std::panic::AssertUnwindSafe(|| {
            // SAFETY: nothing is allocated.
            unsafe { heap.attached(|_| std::panic::resume_unwind(Box::new(()))) }
        });
        assert!(std::panic::catch_unwind(call).is_err());
        assert!(current_heap().is_null());
    }
}
