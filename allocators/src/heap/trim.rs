//! Giving memory back to the system.
//!
//! A heap keeps empty arenas for a while, and the memory of pages that are not in use, since they will be wanted
//! again soon. [`Heap::trim`] gives these back: empty arenas as a whole, and single pages by advice, so
//! that they read as zeros afterwards, which is what a page that nobody uses has to look like (P4).
//! `gc.collect()` ends with it.
//!
//! Invariant A3: a page whose bit in its arena's `touched` is not set is not in use and holds no memory
//! of the system.

use core::sync::atomic::{AtomicBool, Ordering};

use super::arena::{self, Arena};
use super::page::PAGE_SIZE;
use super::{Heap, HeapKind};

impl Heap {
    /// Gives back what the heap does not use: unused pages and arenas, and with mimalloc what its heaps
    /// keep. Returns the bytes: exact for pages; for the C library and mimalloc, which do not say, as
    /// many as the resident memory of the process has fallen by.
    pub fn trim(&self) -> usize {
        if !self.kind().has_pages() {
            return resident_fall(|| {
                self.collect();
                if self.kind() == HeapKind::Malloc {
                    trim_library();
                }
            });
        }
        arena::drop_kept();
        let before = self.held_pages();
        self.collect();
        self.for_each_arena(&mut |arena| _ = purge(arena, arena::ARENA_SIZE));
        (before - self.held_pages()) * PAGE_SIZE
    }

    /// Says that about so many bytes will be asked for in small blocks: their memory is fetched from the system in one call
    /// instead of a fault for each 4 KiB, as far as the heap has an arena to take them from. It is advice, and never fails.
    pub fn expect(&self, bytes: usize) {
        if !self.kind().has_pages() {
            return;
        }
        let mut is_first = true;
        self.for_each_arena(&mut |arena| {
            if is_first {
                arena.expect(bytes);
            }
            is_first = false;
        });
    }

    /// Pages of the arenas that hold memory of the system.
    fn held_pages(&self) -> usize {
        let mut pages = 0;
        self.for_each_arena(&mut |arena| pages += (arena.all & arena.touched.get()).count_ones() as usize);
        pages
    }
}

/// Gives the memory of an arena's unused pages back. What a user's arena allocator gave is left alone:
/// it need not be memory that can be taken from under it.
/// It begins with the last ones, as the first ones are wanted first, and ends when `most` bytes are given back. Returns the
/// bytes.
pub(super) fn purge(arena: &Arena, most: usize) -> usize {
    if arena.is_outside() {
        return 0;
    }
    let before = arena.touched.get().count_ones();
    let mut dirty = arena.dirty();
    let mut left = most.div_ceil(PAGE_SIZE);
    while dirty != 0 && left != 0 {
        let last = 63 - dirty.leading_zeros();
        let count = (dirty << (63 - last)).leading_ones().min(u32::try_from(left).unwrap_or(64));
        let first = last + 1 - count;
        let run = if count == 64 { u64::MAX } else { ((1 << count) - 1) << first };
        dirty &= !run;
        left -= count as usize;
        let at = arena.start_of(arena.page(first as usize)).cast();
        // SAFETY: A1: nobody uses the pages; they lie in the reserved range, which is ours.
        let denied = unsafe { libc::madvise(at, count as usize * PAGE_SIZE, libc::MADV_DONTNEED) != 0 };
        if !denied {
            arena.touched.set(arena.touched.get() & !run);
        }
    }
    (before - arena.touched.get().count_ones()) as usize * PAGE_SIZE
}

/// Has the system provide the memory of a block in one call, instead of a fault for each 4 KiB when they are first written.
/// It is advice, and never fails.
///
/// # Safety
/// The block is the caller's, and as large.
pub unsafe fn populate(block: *mut u8, size: usize) {
    const PAGE: usize = 4096;
    let start = block.wrapping_add(block.align_offset(PAGE));
    let whole = size.saturating_sub(start.addr() - block.addr()) / PAGE * PAGE;
    if whole != 0 && cfg!(target_os = "linux") {
        // SAFETY: the pages lie in the block; their contents do not change.
        unsafe { libc::madvise(start.cast(), whole, arena::POPULATE) };
    }
}

/// Gives back what the C library keeps: the raw domain's free blocks, and those of large blocks.
/// Returns as many bytes as the resident memory of the process has fallen by.
pub fn trim_raw() -> usize {
    resident_fall(trim_library)
}

fn trim_library() {
    // SAFETY: any thread may call it.
    unsafe { libc::malloc_trim(0) };
}

fn resident_fall(f: impl FnOnce()) -> usize {
    let before = resident_bytes();
    f();
    before.unwrap_or(0).saturating_sub(resident_bytes().unwrap_or(usize::MAX))
}

/// The resident memory of the process in bytes; `None` if the system does not tell. Does not allocate.
#[must_use]
pub fn resident_bytes() -> Option<usize> {
    let mut text = [0u8; 128];
    // SAFETY: a NUL-terminated path, and our own buffer and descriptor.
    let length = unsafe {
        let file = libc::open(c"/proc/self/statm".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if file < 0 {
            return None;
        }
        let length = libc::read(file, text.as_mut_ptr().cast(), text.len());
        libc::close(file);
        usize::try_from(length).ok()?
    };
    // The second number is the resident pages.
    let text = core::str::from_utf8(&text[..length]).ok()?;
    let pages: usize = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: the call only asks.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    pages.checked_mul(page)
}

/* ---- Huge pages ---- */

static ADVISE: AtomicBool = AtomicBool::new(false);

/// Says whether the system is advised to back arenas by transparent huge pages; off at the start. The
/// advice is given for arenas that are taken from now on, and is all that is ever done about huge pages:
/// nothing is mapped as such, so none can be missing. Neighbouring arenas share one, and a trim may split
/// it.
pub fn advise_huge_pages(on: bool) {
    ADVISE.store(on, Ordering::Relaxed);
}

/// Whether that advice is given.
#[must_use]
pub fn huge_pages_advised() -> bool {
    ADVISE.load(Ordering::Relaxed)
}

/// Gives the advice for a fresh arena of the reserved range. A system without such pages declines, and
/// nothing is lost.
pub(super) fn advise(at: *mut u8) {
    if huge_pages_advised() {
        // SAFETY: an arena that was just taken; advice does not change what it holds.
        unsafe { libc::madvise(at.cast(), arena::ARENA_SIZE, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(test)]
mod tests {
    //! What a trim promises.

    use super::*;
    use crate::heap::Tag;
    use crate::testing::{Attached, turn};

    /// D4: memory that was used goes back to the system: the resident memory falls, for every kind.
    #[test]
    fn a_trim_lowers_the_resident_memory() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            let blocks: Vec<_> = (0..200_000).map(|_| heap.obj_alloc(256)).collect();
            for p in &blocks {
                // SAFETY: a live block.
                unsafe { p.write_bytes(1, 256) };
            }
            // One block in 64 stays: no arena is empty, most pages are.
            for (index, p) in blocks.iter().enumerate() {
                if index % (64 * 63) != 0 {
                    // SAFETY: a live block.
                    unsafe { heap.obj_free(*p) };
                }
            }
            let before = resident_bytes().expect("the system tells");
            let given = heap.trim();
            let after = resident_bytes().expect("the system tells");
            assert!(after + (30 << 20) < before, "{kind:?}: {before} -> {after}");
            assert!(given > 30 << 20, "{kind:?}: {given}");
            assert_eq!(heap.arena_stats().dirty_pages, 0);
            heap.validate();
            heap.check_counts().expect("the walk agrees");
            // What was given back can be used again, and reads as nobody's page until then.
            let again: Vec<_> = (0..20_000).map(|_| heap.obj_alloc(256)).collect();
            for p in again.iter().chain(blocks.iter().step_by(64 * 63)) {
                // SAFETY: a live block.
                unsafe { heap.obj_free(*p) };
            }
            heap.trim();
            assert_eq!(heap.tag_stats(Tag::Obj).live_blocks, 0);
            heap.validate();
        }
    }

    #[test]
    fn the_resident_memory_is_known() {
        assert!(resident_bytes().expect("the system tells") > 100_000);
        trim_raw();
    }
}
