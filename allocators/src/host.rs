//! A counter over any global allocator.
//!
//! [`Counted`] is for any program, over the system's allocator, another crate's or the raw domain. [`CountingAlloc`] is
//! the one of the binaries that show what the crates that they use take: its figures are the process's (`host` in the
//! statistics), so that the library can show them without knowing the program.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering};

/// What a counting allocator has handed out.
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

#[derive(Debug, Default)]
struct Counters {
    blocks: AtomicUsize,
    bytes: AtomicUsize,
    peak_blocks: AtomicUsize,
    peak: AtomicUsize,
    calls: AtomicUsize,
    total: AtomicUsize,
}

impl Counters {
    const fn new() -> Self {
        Self {
            blocks: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            peak_blocks: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
        }
    }

    fn stats(&self) -> HostStats {
        HostStats {
            live_blocks: self.blocks.load(Ordering::Relaxed),
            live_bytes: self.bytes.load(Ordering::Relaxed),
            peak_blocks: self.peak_blocks.load(Ordering::Relaxed),
            peak_bytes: self.peak.load(Ordering::Relaxed),
            allocations: self.calls.load(Ordering::Relaxed),
            total_bytes: self.total.load(Ordering::Relaxed),
        }
    }

    fn grown(&self, bytes: usize) {
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn came(&self, p: *mut u8, bytes: usize) {
        if !p.is_null() {
            let now = self.blocks.fetch_add(1, Ordering::Relaxed) + 1;
            self.peak_blocks.fetch_max(now, Ordering::Relaxed);
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.grown(bytes);
        }
    }

    fn resized(&self, p: *mut u8, old: usize, new: usize) {
        if !p.is_null() {
            self.bytes.fetch_sub(old, Ordering::Relaxed);
            self.grown(new);
        }
    }

    fn went(&self, bytes: usize) {
        self.blocks.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
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
    counters: Counters,
}

impl<A> Counted<A> {
    /// Counts from zero what passes to `inner`.
    pub const fn new(inner: A) -> Self {
        Self { inner, counters: Counters::new() }
    }

    /// The allocator below.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The figures. They are exact when no other thread is inside a call.
    #[must_use]
    pub fn stats(&self) -> HostStats {
        self.counters.stats()
    }
}

static HOST: Counters = Counters::new();

/// The figures of Rust's global allocator; zeros if [`CountingAlloc`] is not installed.
#[must_use]
pub fn host_stats() -> HostStats {
    HOST.stats()
}

/// A global allocator that counts in [`host_stats`] and passes on to `A`. A process has one.
pub struct CountingAlloc<A>(pub A);

macro_rules! counting {
    ($name:ident, $self:ident, $inner:expr, $counters:expr) => {
        // SAFETY: every call is passed on unchanged to `A`, which fulfils the contract.
        unsafe impl<A: GlobalAlloc> GlobalAlloc for $name<A> {
            unsafe fn alloc(&$self, layout: Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                let p = unsafe { $inner.alloc(layout) };
                $counters.came(p, layout.size());
                p
            }

            unsafe fn alloc_zeroed(&$self, layout: Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                let p = unsafe { $inner.alloc_zeroed(layout) };
                $counters.came(p, layout.size());
                p
            }

            unsafe fn realloc(&$self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
                // SAFETY: the caller's promise.
                let new = unsafe { $inner.realloc(p, layout, size) };
                $counters.resized(new, layout.size(), size);
                new
            }

            unsafe fn dealloc(&$self, p: *mut u8, layout: Layout) {
                // SAFETY: the caller's promise.
                unsafe { $inner.dealloc(p, layout) };
                $counters.went(layout.size());
            }
        }
    };
}

counting!(Counted, self, self.inner, self.counters);
counting!(CountingAlloc, self, self.0, HOST);

#[cfg(test)]
mod tests {
    //! What the counters promise.

    use super::*;

    fn a_block_comes_grows_and_goes(allocator: &impl GlobalAlloc, stats: impl Fn() -> HostStats) {
        let before = stats();
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        // SAFETY: live blocks with their layouts.
        unsafe {
            let p = allocator.alloc(layout);
            let p = allocator.realloc(p, layout, 300);
            let now = stats();
            assert_eq!(now.live_blocks - before.live_blocks, 1);
            assert_eq!(now.live_bytes - before.live_bytes, 300);
            allocator.dealloc(p, Layout::from_size_align(300, 8).expect("a layout"));
        }
        let after = stats();
        assert_eq!((after.live_blocks, after.live_bytes), (before.live_blocks, before.live_bytes));
        assert_eq!(after.allocations - before.allocations, 1);
        assert_eq!(after.total_bytes - before.total_bytes, 400);
        assert!(after.peak_blocks > before.live_blocks);
        assert!(after.peak_bytes >= 300);
    }

    /// D7: the counter follows blocks and bytes through growth.
    #[test]
    fn the_host_is_counted() {
        a_block_comes_grows_and_goes(&CountingAlloc(std::alloc::System), host_stats);
    }

    /// D7: each counted allocator has counters of its own.
    #[test]
    fn each_counts_its_own() {
        let (counted, other) = (Counted::new(std::alloc::System), Counted::new(std::alloc::System));
        a_block_comes_grows_and_goes(&counted, || counted.stats());
        assert_eq!(counted.stats().peak_bytes, 300);
        assert_eq!(other.stats(), HostStats::default());
    }
}
