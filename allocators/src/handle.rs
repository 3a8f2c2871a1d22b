//! Handles: zero-sized allocators for Rust's collections, one for each domain.
//!
//! [`Mem`] and [`Obj`] allocate from the heap that is attached to the thread; a collection that uses
//! them is dropped while that same heap is attached. Blocks in the domains are aligned to 16 bytes; a
//! layout that wants more gets a larger block, with the address of its start right before the data.

use core::alloc::Layout;
use core::ffi::c_void;
use core::ptr::{self, NonNull};

use allocator_api2::alloc::{AllocError, Allocator};

use crate::domain::{self, Domain};
use crate::heap::current_heap;
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

fn slice(p: *mut u8, size: usize) -> Result<NonNull<[u8]>, AllocError> {
    NonNull::new(ptr::slice_from_raw_parts_mut(p, size)).ok_or(AllocError)
}

fn dangling(layout: Layout) -> NonNull<[u8]> {
    let at = ptr::without_provenance_mut::<u8>(layout.align());
    // An alignment is never zero.
    NonNull::slice_from_raw_parts(NonNull::new(at).unwrap_or(NonNull::dangling()), 0)
}

fn allocate<H: Handle>(layout: Layout, zeroed: bool) -> Result<NonNull<[u8]>, AllocError> {
    let (size, align) = (layout.size(), layout.align());
    if size == 0 {
        return Ok(dangling(layout));
    }
    let take = if zeroed { H::take_zeroed } else { H::take };
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
unsafe fn deallocate<H: Handle>(p: NonNull<u8>, layout: Layout) {
    if layout.size() == 0 {
        return;
    }
    // SAFETY: the caller's promise; an over-aligned block has its start before it.
    unsafe {
        let start = if layout.align() <= ALIGN { p.as_ptr() } else { p.as_ptr().cast::<*mut u8>().sub(1).read() };
        H::give(start.cast());
    }
}

/// # Safety
/// `p` was allocated with `old`; the new layout has the same alignment.
unsafe fn resize<H: Handle>(p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
    if old.size() != 0 && new.size() != 0 && old.align() <= ALIGN && new.align() <= ALIGN {
        if new.size() > domain::MAX_SIZE {
            return Err(AllocError);
        }
        // SAFETY: the caller's promise.
        let moved = unsafe { H::retake(p.as_ptr().cast(), new.size()) };
        return slice(moved.cast(), new.size());
    }
    let fresh = allocate::<H>(new, false)?;
    // SAFETY: both blocks have that many bytes and are different.
    unsafe {
        let n = old.size().min(new.size());
        ptr::copy_nonoverlapping(p.as_ptr(), fresh.cast().as_ptr(), n);
        deallocate::<H>(p, old);
    }
    Ok(fresh)
}

macro_rules! allocator {
    ($handle:ident) => {
        // SAFETY: blocks stay valid until they are freed, wherever the handle moves: it has no state.
        unsafe impl Allocator for $handle {
            #[inline]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate::<Self>(layout, false)
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate::<Self>(layout, true)
            }

            #[inline]
            unsafe fn deallocate(&self, p: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller's promise.
                unsafe { deallocate::<Self>(p, layout) }
            }

            unsafe fn grow(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                unsafe { resize::<Self>(p, old, new) }
            }

            unsafe fn grow_zeroed(
                &self,
                p: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise; the bytes behind the old ones are inside the new block.
                unsafe {
                    let grown = resize::<Self>(p, old, new)?;
                    let rest = grown.cast::<u8>().as_ptr().add(old.size());
                    rest.write_bytes(0, new.size() - old.size());
                    Ok(grown)
                }
            }

            unsafe fn shrink(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                if new.size() == 0 {
                    // SAFETY: the caller's promise.
                    unsafe { deallocate::<Self>(p, old) };
                    return Ok(dangling(new));
                }
                // SAFETY: the caller's promise.
                unsafe { resize::<Self>(p, old, new) }
            }
        }
    };
}

allocator!(Raw);
allocator!(Mem);
allocator!(Obj);
allocator!(Unwatched);

#[cfg(test)]
mod tests {
    //! What the handles promise.

    use core::alloc::Layout;

    use super::{Handle, Mem, Obj, Raw};
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
}
