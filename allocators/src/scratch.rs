//! Scratch memory: blocks that are never freed one by one, in chunks of a domain.
//!
//! ```text
//!   chunks ─► ┌──────┬──────────────────────────┐ ─► ┌──────┬─────────┐ ─► …
//!             │ next │ block │ block │ free     │    │ next │ full    │
//!             └──────┴───────┴───────▲──────────┘    └──────┴─────────┘
//!                                    at, and how much is left
//! ```
//!
//! It is our own and not a crate's, because the chunks are to be a domain's: counted there as they come, refused by the
//! limit of the heap, failing where the fault harness says so. `bumpalo` takes its chunks from Rust's global allocator
//! and can at best be charged afterwards, when there is nothing left to refuse.
//!
//! Invariants:
//! - C1: `left` bytes from `at` on lie in the first chunk and are nobody's.
//! - C2: chunks come from `H` and go back to it when the scratch is dropped, all but the last when it is reset.

use core::alloc::Layout;
use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use allocator_api2::alloc::{AllocError, Allocator};

use crate::domain::{MAX_SIZE, NoMemory};
use crate::handle::{Handle, Raw};

/// The head of a chunk: 16 bytes, so what follows is aligned as the chunk is.
#[repr(C, align(16))]
struct Chunk {
    next: *mut Chunk,
    size: usize,
}

const HEAD: usize = size_of::<Chunk>();
const FIRST: usize = 4 * 1024;
/// Chunks double until they are so large.
const MOST: usize = 256 * 1024;

/// Scratch memory from domain `H`. A reference to it is an allocator; what lies in it lives as long as the reference.
///
/// In the mem and obj domains it is used and dropped while the same heap is attached, as with every handle.
///
/// ```
/// use hognose_allocators::{Raw, Scratch, raw_stats};
///
/// let scratch = Scratch::<Raw>::new();
/// let name = scratch.copy_str("hognose")?;
/// let mut list = allocator_api2::vec::Vec::new_in(&scratch);
/// list.push(name.len());
/// assert_eq!((&*name, list[0]), ("hognose", 7));
/// # Ok::<(), hognose_allocators::NoMemory>(())
/// ```
pub struct Scratch<H: Handle = Raw> {
    chunks: Cell<*mut Chunk>,
    at: Cell<*mut u8>,
    left: Cell<usize>,
    held: Cell<usize>,
    domain: PhantomData<H>,
}

impl<H: Handle> Scratch<H> {
    /// Holds nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chunks: Cell::new(ptr::null_mut()),
            at: Cell::new(ptr::null_mut()),
            left: Cell::new(0),
            held: Cell::new(0),
            domain: PhantomData,
        }
    }

    /// Bytes of the chunks, in the domain.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.get()
    }

    /// Uninitialized memory of a layout whose size is not zero.
    fn take(&self, layout: Layout) -> Result<NonNull<u8>, NoMemory> {
        loop {
            let at = self.at.get();
            let skip = (at as usize).wrapping_neg() & (layout.align() - 1);
            let left = self.left.get();
            if skip <= left && layout.size() <= left - skip {
                let p = at.wrapping_add(skip);
                self.at.set(p.wrapping_add(layout.size()));
                self.left.set(left - skip - layout.size());
                return NonNull::new(p).ok_or(NoMemory);
            }
            self.grow(layout)?;
        }
    }

    /// Takes a chunk in which the layout fits.
    #[cold]
    #[inline(never)]
    fn grow(&self, layout: Layout) -> Result<(), NoMemory> {
        let old = self.chunks.get();
        // SAFETY: null, or the first chunk.
        let usual = unsafe { old.as_ref() }.map_or(FIRST, |chunk| (chunk.size * 2).min(MOST));
        let needed = layout.size().checked_add(layout.align()).and_then(|n| n.checked_add(HEAD));
        let size = needed.filter(|n| *n <= MAX_SIZE).ok_or(NoMemory)?.max(usual);
        let chunk = NonNull::new(H::take(size).cast::<Chunk>()).ok_or(NoMemory)?;
        // SAFETY: fresh, aligned to 16 and larger than the head.
        unsafe { chunk.write(Chunk { next: old, size }) };
        self.chunks.set(chunk.as_ptr());
        self.at.set(chunk.as_ptr().cast::<u8>().wrapping_add(HEAD));
        self.left.set(size - HEAD);
        self.held.set(self.held.get() + size);
        Ok(())
    }

    /// Moves a value in. It is never dropped, so a type that must be is refused when it is compiled.
    #[expect(clippy::mut_from_ref, reason = "each call gives other memory")]
    pub fn put<T>(&self, value: T) -> Result<&mut T, NoMemory> {
        const { assert!(!core::mem::needs_drop::<T>(), "what lies in scratch memory is not dropped") };
        let layout = Layout::new::<T>();
        let p = if layout.size() == 0 { NonNull::dangling() } else { self.take(layout)?.cast::<T>() };
        // SAFETY: fresh memory of that layout, which is nobody else's until the scratch is reset or dropped; that needs it
        // unborrowed.
        unsafe {
            p.write(value);
            Ok(&mut *p.as_ptr())
        }
    }

    /// Copies a slice in.
    #[expect(clippy::mut_from_ref, reason = "each call gives other memory")]
    pub fn copy<T: Copy>(&self, items: &[T]) -> Result<&mut [T], NoMemory> {
        let layout = Layout::for_value(items);
        let p = if layout.size() == 0 { NonNull::dangling() } else { self.take(layout)?.cast::<T>() };
        // SAFETY: fresh memory for so many items; as in `put`.
        unsafe {
            ptr::copy_nonoverlapping(items.as_ptr(), p.as_ptr(), items.len());
            Ok(core::slice::from_raw_parts_mut(p.as_ptr(), items.len()))
        }
    }

    /// A slice of `len` times the same.
    #[expect(clippy::mut_from_ref, reason = "each call gives other memory")]
    pub fn fill<T: Copy>(&self, len: usize, value: T) -> Result<&mut [T], NoMemory> {
        let layout = Layout::array::<T>(len).map_err(|_| NoMemory)?;
        let p = if layout.size() == 0 { NonNull::dangling() } else { self.take(layout)?.cast::<T>() };
        // SAFETY: fresh memory for so many items, each of which is written; as in `put`.
        unsafe {
            for index in 0..len {
                p.add(index).write(value);
            }
            Ok(core::slice::from_raw_parts_mut(p.as_ptr(), len))
        }
    }

    /// Copies a text in.
    #[expect(clippy::mut_from_ref, reason = "each call gives other memory")]
    pub fn copy_str(&self, text: &str) -> Result<&mut str, NoMemory> {
        let bytes = self.copy(text.as_bytes())?;
        // SAFETY: a copy of a text.
        Ok(unsafe { core::str::from_utf8_unchecked_mut(bytes) })
    }

    /// Forgets what lies in it. The last chunk is kept, the others go back to the domain.
    pub fn reset(&mut self) {
        let first = self.chunks.get();
        if first.is_null() {
            return;
        }
        // SAFETY: the first chunk lives, those behind it are used by nobody.
        unsafe {
            self.release((*first).next);
            (*first).next = ptr::null_mut();
            self.held.set((*first).size);
            self.left.set((*first).size - HEAD);
        }
        self.at.set(first.cast::<u8>().wrapping_add(HEAD));
    }

    /// Gives a list of chunks back.
    ///
    /// # Safety
    /// They are this scratch's (C2), and not used any more.
    unsafe fn release(&self, first: *mut Chunk) {
        let mut at = first;
        while !at.is_null() {
            // SAFETY: the caller's promise; the next one is read before this one goes.
            unsafe {
                let next = (*at).next;
                H::give(at.cast());
                at = next;
            }
        }
    }

    /// Whether a block is the last that was handed out.
    fn is_last(&self, p: NonNull<u8>, layout: Layout) -> bool {
        ptr::eq(p.as_ptr().wrapping_add(layout.size()), self.at.get())
    }
}

impl<H: Handle> Default for Scratch<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Handle> Drop for Scratch<H> {
    fn drop(&mut self) {
        // SAFETY: nothing borrows the scratch any more.
        unsafe { self.release(self.chunks.get()) };
    }
}

fn dangling(layout: Layout) -> NonNull<[u8]> {
    let at = NonNull::new(ptr::without_provenance_mut::<u8>(layout.align())).unwrap_or(NonNull::dangling());
    NonNull::slice_from_raw_parts(at, 0)
}

// SAFETY: a block stays where it is until the scratch is reset or dropped, and neither can be while this reference lives;
// copies of the reference are the same scratch.
unsafe impl<H: Handle> Allocator for &Scratch<H> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            return Ok(dangling(layout));
        }
        let p = self.take(layout).map_err(|NoMemory| AllocError)?;
        Ok(NonNull::slice_from_raw_parts(p, layout.size()))
    }

    unsafe fn deallocate(&self, p: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 && self.is_last(p, layout) {
            self.at.set(p.as_ptr());
            self.left.set(self.left.get() + layout.size());
        }
    }

    unsafe fn grow(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let more = new.size() - old.size();
        let fits = (p.as_ptr() as usize).is_multiple_of(new.align());
        if old.size() != 0 && fits && self.is_last(p, old) && more <= self.left.get() {
            self.at.set(self.at.get().wrapping_add(more));
            self.left.set(self.left.get() - more);
            return Ok(NonNull::slice_from_raw_parts(p, new.size()));
        }
        let fresh = self.allocate(new)?;
        // SAFETY: the old block has so many bytes, the new one more, and they are different.
        unsafe { ptr::copy_nonoverlapping(p.as_ptr(), fresh.cast().as_ptr(), old.size()) };
        Ok(fresh)
    }

    unsafe fn shrink(&self, p: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if !(p.as_ptr() as usize).is_multiple_of(new.align()) {
            let fresh = self.allocate(new)?;
            // SAFETY: both blocks have so many bytes, and they are different.
            unsafe { ptr::copy_nonoverlapping(p.as_ptr(), fresh.cast().as_ptr(), new.size()) };
            return Ok(fresh);
        }
        if old.size() != 0 && self.is_last(p, old) {
            self.at.set(p.as_ptr().wrapping_add(new.size()));
            self.left.set(self.left.get() + old.size() - new.size());
        }
        Ok(NonNull::slice_from_raw_parts(p, new.size()))
    }
}

#[cfg(test)]
mod tests {
    //! What scratch memory promises.

    use core::alloc::Layout;

    use allocator_api2::alloc::Allocator;
    use allocator_api2::vec::Vec;

    use super::Scratch;
    use crate::domain::{Domain, NoMemory};
    use crate::handle::{Mem, Raw};
    use crate::heap::HeapKind;
    use crate::testing::{Attached, turn};
    use crate::{fault, raw_stats};

    /// C2: the chunks count in their domain while they are held, and go back.
    #[test]
    fn chunks_are_the_domains() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            let mut scratch = Scratch::<Mem>::new();
            for round in 0..3 {
                for i in 0..20_000u64 {
                    assert_eq!(*scratch.put(i).expect("memory"), i);
                }
                assert!(scratch.held_bytes() >= 160_000);
                assert!(heap.stats(Domain::Mem).live_bytes >= scratch.held_bytes());
                scratch.reset();
                assert_eq!(heap.stats(Domain::Mem).live_blocks, 1, "round {round}: the last chunk is kept");
            }
            drop(scratch);
            assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
        }
    }

    /// A layout of any size and alignment is served, beside the others.
    #[test]
    fn every_layout() {
        let _turn = turn();
        let scratch = Scratch::<Raw>::new();
        let at = &scratch;
        let mut given = std::vec::Vec::new();
        for shift in 0..13 {
            for size in [1usize, 7, 100, 5000, 300_000] {
                let layout = Layout::from_size_align(size, 1 << shift).expect("a layout");
                let p = at.allocate(layout).expect("memory").cast::<u8>();
                assert_eq!(p.as_ptr() as usize % layout.align(), 0);
                // SAFETY: so many bytes were just handed out.
                unsafe { p.as_ptr().write_bytes(shift as u8, size) };
                given.push((p, size, shift as u8));
            }
        }
        for (p, size, byte) in given {
            // SAFETY: nothing was reset.
            assert!((0..size).all(|i| unsafe { p.add(i).read() } == byte));
        }
    }

    /// The last block grows and shrinks where it is.
    #[test]
    fn the_last_block_grows_in_place() {
        let _turn = turn();
        let scratch = Scratch::<Raw>::new();
        let mut list = Vec::with_capacity_in(8, &scratch);
        list.push(1u64);
        let start = list.as_ptr();
        list.reserve_exact(200);
        assert_eq!(list.as_ptr(), start);
        list.shrink_to_fit();
        drop(list);
        assert_eq!(scratch.copy(&[2u64]).expect("memory").as_ptr(), start);
        assert_eq!(scratch.fill(3, 7u16).expect("memory"), [7, 7, 7]);
        assert!(scratch.fill(usize::MAX, 7u16).is_err());
        assert_eq!(scratch.held_bytes(), super::FIRST);
    }

    /// D2: no memory for a chunk is an error, and what was there stays.
    #[test]
    fn a_chunk_can_fail() {
        let _turn = turn();
        let before = raw_stats().live_blocks;
        let scratch = Scratch::<Raw>::new();
        let text = scratch.copy_str("stays").expect("memory");
        fault::arm(Some(1));
        let refused = scratch.copy(&[0u8; 5000]).map(|_| ());
        fault::disarm();
        assert_eq!(refused, Err(NoMemory));
        assert_eq!(text, "stays");
        drop(scratch);
        assert_eq!(raw_stats().live_blocks, before);
    }
}
