//! A counter over any global allocator.
//!
//! Hognose's binaries install it to show what the crates that they use take (`host` in the statistics); any program may,
//! over the system's allocator, over another crate's, or over the raw domain.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

/// What a [`Counted`] allocator has handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostStats {
    /// Blocks that live now.
    pub live_blocks: usize,
    /// Bytes that were asked for, of the blocks that live now.
    pub live_bytes: usize,
    /// The highest value of `live_bytes` so far.
    pub peak_bytes: usize,
    /// Blocks handed out so far.
    pub allocations: usize,
}

/// A global allocator that counts and passes on to `A`. Each one has its own counters.
///
/// ```
/// use hognose_allocators::{Counted, Raw};
///
/// #[global_allocator]
/// static GLOBAL: Counted<Raw> = Counted::new(Raw);
///
/// fn main() {
///     let before = GLOBAL.stats().live_bytes;
///     let text = vec![0u8; 1000];
///     assert_eq!(GLOBAL.stats().live_bytes - before, 1000);
///     drop(text);
///     assert_eq!(GLOBAL.stats().live_bytes, before);
/// }
/// ```
#[derive(Debug, Default)]
pub struct Counted<A> {
    inner: A,
    blocks: AtomicUsize,
    bytes: AtomicUsize,
    peak: AtomicUsize,
    calls: AtomicUsize,
}

impl<A> Counted<A> {
    /// Counts from zero what passes to `inner`.
    pub const fn new(inner: A) -> Self {
        Self {
            inner,
            blocks: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
        }
    }

    /// The allocator below.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The figures. They are exact when no other thread is inside a call.
    #[must_use]
    pub fn stats(&self) -> HostStats {
        HostStats {
            live_blocks: self.blocks.load(Ordering::Relaxed),
            live_bytes: self.bytes.load(Ordering::Relaxed),
            peak_bytes: self.peak.load(Ordering::Relaxed),
            allocations: self.calls.load(Ordering::Relaxed),
        }
    }

    fn grown(&self, bytes: usize) {
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    fn came(&self, p: *mut u8, bytes: usize) -> *mut u8 {
        if !p.is_null() {
            self.blocks.fetch_add(1, Ordering::Relaxed);
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.grown(bytes);
        }
        p
    }
}

// SAFETY: every call is passed on unchanged to `A`, which fulfils the contract.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.came(unsafe { self.inner.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        self.came(unsafe { self.inner.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let new = unsafe { self.inner.realloc(p, layout, size) };
        if !new.is_null() {
            self.bytes.fetch_sub(layout.size(), Ordering::Relaxed);
            self.grown(size);
        }
        new
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.dealloc(p, layout) };
        self.blocks.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(layout.size(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    //! What the counter promises.

    use super::*;

    /// D7: the counter follows blocks and bytes through growth, each one its own.
    #[test]
    fn what_passes_is_counted() {
        let (counted, other) = (Counted::new(std::alloc::System), Counted::new(std::alloc::System));
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        // SAFETY: live blocks with their layouts.
        unsafe {
            let p = counted.alloc(layout);
            let p = counted.realloc(p, layout, 300);
            let expected = HostStats { live_blocks: 1, live_bytes: 300, peak_bytes: 300, allocations: 1 };
            assert_eq!(counted.stats(), expected);
            counted.dealloc(p, Layout::from_size_align(300, 8).expect("a layout"));
        }
        let expected = HostStats { live_blocks: 0, live_bytes: 0, peak_bytes: 300, allocations: 1 };
        assert_eq!(counted.stats(), expected);
        assert_eq!(other.stats(), HostStats::default());
    }
}
