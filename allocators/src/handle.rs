//! Handles: allocators for Rust's collections, one for each domain.
//!
//! [`Mem`] and [`Obj`] allocate from the heap that is attached to the thread; a collection that uses
//! them is dropped while that same heap is attached. [`HeapMem`] and [`HeapObj`] name their heap, and need no care: the
//! compiler sees to it that nothing outlives it. Blocks in the domains are aligned to 16 bytes; a
//! layout that wants more gets a larger block, with the address of its start right before the data.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::ptr::{self, NonNull};

use allocator_api2::alloc::{AllocError, Allocator};

use crate::domain::{self, Domain};
use crate::heap::{Heap, current_heap};
use crate::watch::Unwatched;

/// What every block is aligned to.
const ALIGN: usize = 16;

/// A handle that stands for a domain.
pub trait Handle: Allocator + Copy + 'static {
    /// The handle.
    const HANDLE: Self;
    /// Its domain.
    const DOMAIN: Domain;

    /// Allocates `size` bytes aligned to 16; null on failure.
    #[must_use]
    fn take(size: usize) -> *mut c_void {
        domain::malloc(Self::DOMAIN, size)
    }

    /// Allocates `size` zero bytes aligned to 16; null on failure.
    #[must_use]
    fn take_zeroed(size: usize) -> *mut c_void {
        domain::calloc(Self::DOMAIN, 1, size)
    }

    /// Changes a block's size; null on failure, and then it is as before.
    ///
    /// # Safety
    /// `p` is a live block of this domain.
    #[must_use]
    unsafe fn retake(p: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { domain::realloc(Self::DOMAIN, p, size) }
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// `p` is a live block of this domain that is no longer used.
    unsafe fn give(p: *mut c_void) {
        // SAFETY: the caller's promise.
        unsafe { domain::free(Self::DOMAIN, p) }
    }
}

/// The raw domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw;
/// The mem domain of the attached heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mem;
/// The obj domain of the attached heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obj;

impl Handle for Raw {
    const HANDLE: Self = Self;
    const DOMAIN: Domain = Domain::Raw;
}

macro_rules! heap_handle {
    ($handle:ident, $domain:expr, $alloc:ident, $free:ident) => {
        impl Handle for $handle {
            const HANDLE: Self = Self;
            const DOMAIN: Domain = $domain;

            #[inline]
            fn take(size: usize) -> *mut c_void {
                // SAFETY: who attaches a heap keeps it alive meanwhile.
                match unsafe { current_heap().as_ref() } {
                    Some(heap) => heap.$alloc(size).cast(),
                    None => domain::malloc($domain, size),
                }
            }

            #[inline]
            unsafe fn give(p: *mut c_void) {
                // SAFETY: who attaches a heap keeps it alive meanwhile; the caller vouches for the
                // block.
                unsafe {
                    match current_heap().as_ref() {
                        Some(heap) => heap.$free(p.cast()),
                        None => domain::free($domain, p),
                    }
                }
            }
        }
    };
}

heap_handle!(Mem, Domain::Mem, mem_alloc, mem_free);
heap_handle!(Obj, Domain::Obj, obj_alloc, obj_free);

/// What an allocator does with whole blocks aligned to 16; the layouts are made of it.
trait Blocks {
    fn take(&self, size: usize) -> *mut c_void;
    fn take_zeroed(&self, size: usize) -> *mut c_void;
    /// # Safety
    /// As for [`Handle::retake`].
    unsafe fn retake(&self, p: *mut c_void, size: usize) -> *mut c_void;
    /// # Safety
    /// As for [`Handle::give`].
    unsafe fn give(&self, p: *mut c_void);
}

fn slice(p: *mut u8, size: usize) -> Result<NonNull<[u8]>, AllocError> {
    NonNull::new(ptr::slice_from_raw_parts_mut(p, size)).ok_or(AllocError)
}

fn dangling(layout: Layout) -> NonNull<[u8]> {
    let at = ptr::without_provenance_mut::<u8>(layout.align());
    // An alignment is never zero.
    NonNull::slice_from_raw_parts(NonNull::new(at).unwrap_or(NonNull::dangling()), 0)
}

fn allocate(blocks: &impl Blocks, layout: Layout, zeroed: bool) -> Result<NonNull<[u8]>, AllocError> {
    let (size, align) = (layout.size(), layout.align());
    if size == 0 {
        return Ok(dangling(layout));
    }
    let take = |size| if zeroed { blocks.take_zeroed(size) } else { blocks.take(size) };
    if align <= ALIGN {
        let p = if size > domain::MAX_SIZE { ptr::null_mut() } else { take(size) };
        return slice(p.cast(), size);
    }
    let total = size.checked_add(align).filter(|n| *n <= domain::MAX_SIZE).ok_or(AllocError)?;
    let start = take(total).cast::<u8>();
    if start.is_null() {
        return Err(AllocError);
    }
    // The block is aligned to 16 and the address wanted lies at least 16 bytes behind it.
    let p = start.wrapping_add(align - (start as usize & (align - 1)));
    // SAFETY: the word before `p` and `size` bytes from there lie inside the block.
    unsafe { p.cast::<*mut u8>().sub(1).write(start) };
    slice(p, size)
}

/// # Safety
/// `p` was allocated with this layout.
unsafe fn deallocate(blocks: &impl Blocks, p: NonNull<u8>, layout: Layout) {
    if layout.size() == 0 {
        return;
    }
    // SAFETY: the caller's promise; an over-aligned block has its start before it.
    unsafe {
        let start = if layout.align() <= ALIGN { p.as_ptr() } else { p.as_ptr().cast::<*mut u8>().sub(1).read() };
        blocks.give(start.cast());
    }
}

/// # Safety
/// `p` was allocated with `old`; the new layout has the same alignment.
unsafe fn resize(blocks: &impl Blocks, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
    if old.size() != 0 && new.size() != 0 && old.align() <= ALIGN && new.align() <= ALIGN {
        if new.size() > domain::MAX_SIZE {
            return Err(AllocError);
        }
        // SAFETY: the caller's promise.
        let moved = unsafe { blocks.retake(p.as_ptr().cast(), new.size()) };
        return slice(moved.cast(), new.size());
    }
    let fresh = allocate(blocks, new, false)?;
    // SAFETY: both blocks have that many bytes and are different.
    unsafe {
        let n = old.size().min(new.size());
        ptr::copy_nonoverlapping(p.as_ptr(), fresh.cast().as_ptr(), n);
        deallocate(blocks, p, old);
    }
    Ok(fresh)
}

macro_rules! allocator {
    ($handle:ty) => {
        // SAFETY: blocks stay valid until they are freed, wherever the handle moves: it has no state but at most a
        // reference to a heap, which outlives it.
        unsafe impl Allocator for $handle {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate(self, layout, false)
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate(self, layout, true)
            }

            #[inline]
            unsafe fn deallocate(&self, p: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller's promise.
                unsafe { deallocate(self, p, layout) }
            }

            unsafe fn grow(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                unsafe { resize(self, p, old, new) }
            }

            unsafe fn grow_zeroed(
                &self,
                p: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise; the bytes behind the old ones are inside the new block.
                unsafe {
                    let grown = resize(self, p, old, new)?;
                    let rest = grown.cast::<u8>().as_ptr().add(old.size());
                    rest.write_bytes(0, new.size() - old.size());
                    Ok(grown)
                }
            }

            unsafe fn shrink(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                if new.size() == 0 {
                    // SAFETY: the caller's promise.
                    unsafe { deallocate(self, p, old) };
                    return Ok(dangling(new));
                }
                // SAFETY: the caller's promise.
                unsafe { resize(self, p, old, new) }
            }
        }
    };
}

allocator!(Raw);
allocator!(Mem);
allocator!(Obj);
allocator!(Unwatched);
allocator!(HeapMem<'_>);
allocator!(HeapObj<'_>);

macro_rules! blocks_of_handle {
    ($handle:ident) => {
        impl Blocks for $handle {
            #[inline]
            fn take(&self, size: usize) -> *mut c_void {
                <Self as Handle>::take(size)
            }

            #[inline]
            fn take_zeroed(&self, size: usize) -> *mut c_void {
                <Self as Handle>::take_zeroed(size)
            }

            #[inline]
            unsafe fn retake(&self, p: *mut c_void, size: usize) -> *mut c_void {
                // SAFETY: the caller's promise.
                unsafe { <Self as Handle>::retake(p, size) }
            }

            #[inline]
            unsafe fn give(&self, p: *mut c_void) {
                // SAFETY: the caller's promise.
                unsafe { <Self as Handle>::give(p) }
            }
        }
    };
}

blocks_of_handle!(Raw);
blocks_of_handle!(Mem);
blocks_of_handle!(Obj);
blocks_of_handle!(Unwatched);

macro_rules! blocks_of_heap {
    ($handle:ident, $alloc:ident, $zeroed:ident, $realloc:ident, $free:ident) => {
        impl Blocks for $handle<'_> {
            #[inline]
            fn take(&self, size: usize) -> *mut c_void {
                self.0.$alloc(size).cast()
            }

            #[inline]
            fn take_zeroed(&self, size: usize) -> *mut c_void {
                self.0.$zeroed(size).cast()
            }

            #[inline]
            unsafe fn retake(&self, p: *mut c_void, size: usize) -> *mut c_void {
                // SAFETY: the caller's promise: a block of this handle's, so of this heap.
                unsafe { self.0.$realloc(p.cast(), size).cast() }
            }

            #[inline]
            unsafe fn give(&self, p: *mut c_void) {
                // SAFETY: as above.
                unsafe { self.0.$free(p.cast()) }
            }
        }
    };
}

blocks_of_heap!(HeapMem, mem_alloc, mem_alloc_zeroed, mem_realloc, mem_free);
blocks_of_heap!(HeapObj, obj_alloc, obj_alloc_zeroed, obj_realloc, obj_free);

/// The mem domain of one heap, attached or not. It borrows the heap, so no collection on it outlives that.
#[derive(Clone, Copy)]
pub struct HeapMem<'heap>(pub(crate) &'heap Heap);
/// The obj domain of one heap; see [`HeapMem`].
#[derive(Clone, Copy)]
pub struct HeapObj<'heap>(pub(crate) &'heap Heap);

/// The raw domain as Rust's global allocator. Its blocks come from whatever allocator the domain has when they are asked
/// for; exchange that for a wrapper only.
// SAFETY: the domain's blocks stay until they are freed and fit their layouts; nothing here unwinds.
unsafe impl GlobalAlloc for Raw {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate(self, layout, false).map_or(ptr::null_mut(), |block| block.cast().as_ptr())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocate(self, layout, true).map_or(ptr::null_mut(), |block| block.cast().as_ptr())
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        if let Some(p) = NonNull::new(p) {
            // SAFETY: the caller's promise.
            unsafe { deallocate(self, p, layout) }
        }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (Some(p), Ok(new)) = (NonNull::new(p), Layout::from_size_align(size, layout.align())) else {
            return ptr::null_mut();
        };
        // SAFETY: the caller's promise; the new layout has the alignment of the old one.
        unsafe { resize(self, p, layout, new) }.map_or(ptr::null_mut(), |block| block.cast().as_ptr())
    }
}

#[cfg(test)]
mod tests {
    //! What the handles promise.

    use core::alloc::{GlobalAlloc, Layout};

    use super::{Handle, Mem, Obj, Raw};
    use crate::OwnedHeap;
    use crate::domain::Domain;
    use crate::heap::{HeapKind, current_heap};
    use crate::raw_stats;
    use crate::testing::{Attached, turn};

    fn live<H: Handle>() -> usize {
        if H::DOMAIN == Domain::Raw {
            return raw_stats().live_blocks;
        }
        // SAFETY: the tests have a heap attached.
        unsafe { (*current_heap()).stats(H::DOMAIN).live_blocks }
    }

    fn every_alignment<H: Handle>() {
        let before = live::<H>();
        for shift in 0..13 {
            for size in [0usize, 1, 24, 1000, 70_000] {
                let layout = Layout::from_size_align(size, 1 << shift).unwrap();
                let larger = Layout::from_size_align(size + 100, 1 << shift).unwrap();
                let smaller = Layout::from_size_align(size / 2, 1 << shift).unwrap();
                let p = H::HANDLE.allocate_zeroed(layout).unwrap().cast::<u8>();
                // SAFETY: live blocks with their layouts.
                unsafe {
                    assert!((0..size).all(|i| p.add(i).read() == 0));
                    p.as_ptr().write_bytes(7, size);
                    let p = H::HANDLE.grow_zeroed(p, layout, larger).unwrap().cast::<u8>();
                    assert!((0..size).all(|i| p.add(i).read() == 7));
                    assert!((size..size + 100).all(|i| p.add(i).read() == 0));
                    let p = H::HANDLE.shrink(p, larger, smaller).unwrap().cast::<u8>();
                    assert!((0..size / 2).all(|i| p.add(i).read() == 7));
                    assert_eq!(p.as_ptr() as usize % layout.align(), 0);
                    H::HANDLE.deallocate(p, smaller);
                }
            }
        }
        assert_eq!(live::<H>(), before);
    }

    /// D1: a handle serves any layout, and gives everything back.
    #[test]
    fn handles_serve_every_alignment() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let _heap = Attached::new(*kind);
            every_alignment::<Raw>();
            every_alignment::<Mem>();
            every_alignment::<Obj>();
        }
    }

    /// D1: Rust's collections live on a handle, and give everything back.
    #[test]
    fn collections_live_on_a_handle() {
        use allocator_api2::boxed::Box;
        use allocator_api2::vec::Vec;

        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = OwnedHeap::new(*kind).expect("memory for a heap");
            {
                let (mem, obj) = (heap.mem(), heap.obj());
                let mut list = Vec::new_in(mem);
                let mut map = hashbrown::HashMap::<u32, Box<u64, _>, std::hash::RandomState, _>::with_hasher_in(
                    Default::default(),
                    mem,
                );
                for i in 0..3000u32 {
                    list.try_reserve(1).expect("memory");
                    list.push(i);
                    map.insert(i, Box::new_in(u64::from(i), obj));
                }
                assert!(list.iter().all(|i| *map[i] == u64::from(*i)));
                assert_eq!(heap.stats(Domain::Obj).live_blocks, 3000);
                assert!(current_heap().is_null(), "the heap is not attached");
                heap.validate();
            }
            assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
            assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
        }
    }

    /// D2: a collection whose heap is at its limit says so, and stays as it was.
    #[test]
    fn a_limit_reaches_collections() {
        let _turn = turn();
        let heap = OwnedHeap::new(HeapKind::Malloc).expect("memory for a heap");
        let limit = crate::Limit { hard: Some(64 * 1024), ..Default::default() };
        heap.set_limit(None, limit).expect("a limit of the whole heap");
        let mut list = allocator_api2::vec::Vec::<u8, _>::new_in(heap.mem());
        list.try_reserve_exact(60_000).expect("within the limit");
        assert!(list.try_reserve_exact(80_000).is_err());
        assert!(list.capacity() < 80_000);
    }

    /// The raw domain fulfils the contract of a global allocator.
    #[test]
    fn raw_is_a_global_allocator() {
        let _turn = turn();
        let before = raw_stats().live_blocks;
        for align in [1usize, 16, 64, 4096] {
            let layout = Layout::from_size_align(100, align).expect("a layout");
            // SAFETY: live blocks with their layouts.
            unsafe {
                let p = Raw.alloc_zeroed(layout);
                assert!(!p.is_null() && p as usize % align == 0);
                assert!((0..100).all(|i| p.add(i).read() == 0));
                p.write_bytes(3, 100);
                let p = GlobalAlloc::realloc(&Raw, p, layout, 5000);
                assert!(p as usize % align == 0 && (0..100).all(|i| p.add(i).read() == 3));
                Raw.dealloc(p, Layout::from_size_align(5000, align).expect("a layout"));
            }
        }
        assert_eq!(raw_stats().live_blocks, before);
    }
}
