//! A counter over Rust's global allocator, for the binaries that show what the crates that they use
//! take (`host` in the statistics).

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

static BLOCKS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);
static PEAK_BLOCKS: AtomicUsize = AtomicUsize::new(0);
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// What Rust's global allocator has handed out; zeros if [`CountingAlloc`] is not installed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostStats {
    /// Blocks that live now.
    pub live_blocks: usize,
    /// Bytes that were asked for, of the blocks that live now.
    pub live_bytes: usize,
    /// The highest value of `live_blocks` so far.
    pub peak_blocks: usize,
    /// The highest value of `live_bytes` so far.
    pub peak_bytes: usize,
    /// Blocks handed out so far.
    pub allocations: usize,
    /// Bytes handed out so far; a block that is resized counts with its new size again.
    pub total_bytes: usize,
}

/// The figures of Rust's global allocator.
#[must_use]
pub fn host_stats() -> HostStats {
    HostStats {
        live_blocks: BLOCKS.load(Ordering::Relaxed),
        live_bytes: BYTES.load(Ordering::Relaxed),
        peak_blocks: PEAK_BLOCKS.load(Ordering::Relaxed),
        peak_bytes: PEAK.load(Ordering::Relaxed),
        allocations: CALLS.load(Ordering::Relaxed),
        total_bytes: TOTAL.load(Ordering::Relaxed),
    }
}

/// A global allocator that counts and passes on to `A`.
pub struct CountingAlloc<A>(pub A);

fn grown(bytes: usize) {
    let now = BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
    TOTAL.fetch_add(bytes, Ordering::Relaxed);
}

fn came(bytes: usize) {
    let now = BLOCKS.fetch_add(1, Ordering::Relaxed) + 1;
    PEAK_BLOCKS.fetch_max(now, Ordering::Relaxed);
    CALLS.fetch_add(1, Ordering::Relaxed);
    grown(bytes);
}

// SAFETY: every call is passed on unchanged to `A`, which fulfils the contract.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let p = unsafe { self.0.alloc(layout) };
        if !p.is_null() {
            came(layout.size());
        }
        p
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let p = unsafe { self.0.alloc_zeroed(layout) };
        if !p.is_null() {
            came(layout.size());
        }
        p
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let new = unsafe { self.0.realloc(p, layout, size) };
        if !new.is_null() {
            BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
            grown(size);
        }
        new
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.0.dealloc(p, layout) };
        BLOCKS.fetch_sub(1, Ordering::Relaxed);
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    //! What the counter promises.

    use super::*;

    /// D7: the counter follows blocks and bytes through growth.
    #[test]
    fn the_host_is_counted() {
        let counting = CountingAlloc(std::alloc::System);
        let before = host_stats();
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        // SAFETY: live blocks with their layouts.
        unsafe {
            let p = counting.alloc(layout);
            let p = counting.realloc(p, layout, 300);
            let now = host_stats();
            assert_eq!(now.live_blocks - before.live_blocks, 1);
            assert_eq!(now.live_bytes - before.live_bytes, 300);
            counting.dealloc(p, Layout::from_size_align(300, 8).expect("a layout"));
        }
        let after = host_stats();
        assert_eq!((after.live_blocks, after.live_bytes), (before.live_blocks, before.live_bytes));
        assert_eq!(after.allocations - before.allocations, 1);
        assert_eq!(after.total_bytes - before.total_bytes, 400);
        assert!(after.peak_blocks > before.live_blocks);
        assert!(after.peak_bytes >= 300);
    }
}
