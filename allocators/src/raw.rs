//! The raw domain's own allocator: the C library, counted.
//!
//! Any thread may call it at any time, so counting must not make threads share a cache line: one
//! atomic that all of them change would triple the price of a `malloc` and `free` pair. Each thread
//! owns a *shard* of counters, which it changes with plain loads and stores; reading adds them up.
//! A shard whose thread has ended keeps its sums and is handed to the next thread. Threads that find no
//! shard (more than [`SHARDS`] at once, or inside the destructors of thread-locals) share one, with
//! atomic additions.
//!
//! ```text
//!   bytes of one shard           high: the most since the window began
//!        │          ┌────────────── base + FOLD: the window ends above, and is folded in
//!        │   ╱╲  ╱╲ │
//!        │  ╱  ╲╱  ╲│
//!        │ ╱        base
//!        │╱         └────────────── base - FOLD: the window ends below as well
//!        └──────────────────────► time
//! ```
//!
//! `live_blocks` and `allocations` are exact when no thread is inside a call. `live_bytes` counts what
//! the C library says a block can hold, at `malloc` and at `free` alike.
//!
//! Invariant R2: `peak_bytes` is never less than what was live at any time. Whenever a shard's window
//! ends, and at each reading, the sum of all shards' `high` is a candidate; as every moment lies in a
//! window of each shard, the sum that ends it is at least what was live then. With one thread it is
//! exact, with more it is too high by at most [`FOLD`] for each of the others. `peak_blocks` is built in
//! the same way from the blocks that live when a shard's `high` moves: it may miss a moment with more
//! but smaller blocks.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use crate::domain::{Domain, PyMemAllocatorEx};
use crate::guard;
use crate::heap::stats::DomainStats;
use crate::heap::{self, arena};

pub(crate) const BUILTIN: PyMemAllocatorEx = PyMemAllocatorEx {
    ctx: ptr::null_mut(),
    malloc: Some(raw_malloc),
    calloc: Some(raw_calloc),
    realloc: Some(raw_realloc),
    free: Some(raw_free),
};

const SHARDS: usize = 128;
/// A window ends when its shard has moved by this many bytes.
const FOLD: i64 = 64 * 1024;

/// The counters of one thread; the alignment keeps two of them out of one pair of cache lines.
#[repr(align(128))]
struct Shard {
    taken: AtomicBool,
    allocations: AtomicU64,
    frees: AtomicU64,
    /// All bytes that were ever handed out, and all that came back: the difference is what the thread holds, less than
    /// nothing if it frees the blocks of others.
    total: AtomicU64,
    gone: AtomicU64,
    /// The most that was held since the window began.
    high: AtomicI64,
    /// What was held when the window began.
    base: AtomicI64,
    /// The most blocks that were counted when `high` moved.
    high_blocks: AtomicI64,
}

impl Shard {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            allocations: AtomicU64::new(0),
            frees: AtomicU64::new(0),
            total: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            high: AtomicI64::new(0),
            base: AtomicI64::new(0),
            high_blocks: AtomicI64::new(0),
        }
    }
}

static OWNED: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];
static SHARED: Shard = Shard::new();
/// Shards from this one on were never taken: sums leave them out.
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static PEAK_BLOCKS: AtomicUsize = AtomicUsize::new(0);

impl Shard {
    #[inline]
    fn bytes(&self) -> i64 {
        self.total.load(Ordering::Relaxed).wrapping_sub(self.gone.load(Ordering::Relaxed)).cast_signed()
    }
}

/// Gives the shard back when the thread ends.
struct Return;

impl Drop for Return {
    fn drop(&mut self) {
        let shard = own_shard();
        word::set(&raw const SHARED as usize);
        if let Some(shard) = shard
            && !ptr::eq(shard, &SHARED)
        {
            // What it has reached is noted, so that it counts no more than what it holds from now on.
            fold(shard, shard.bytes());
            shard.taken.store(false, Ordering::Release);
        }
    }
}

// The address of the thread's shard, or 0.
crate::heap::thread_word!(word, "hognose_raw_shard_0_1");

thread_local! {
    static RETURN: Return = const { Return };
}

#[inline]
fn own_shard() -> Option<&'static Shard> {
    // SAFETY: only shards are stored there, which are static.
    unsafe { (word::get() as *const Shard).as_ref() }
}

#[cold]
fn take_shard() -> &'static Shard {
    // Until it is decided, what the registration of the destructor allocates counts as shared.
    word::set(&raw const SHARED as usize);
    if RETURN.try_with(|_| ()).is_ok() {
        for (index, shard) in OWNED.iter().enumerate() {
            if !shard.taken.load(Ordering::Relaxed) && !shard.taken.swap(true, Ordering::Acquire) {
                USED.fetch_max(index + 1, Ordering::Release);
                word::set(ptr::from_ref(shard) as usize);
                return shard;
            }
        }
    }
    &SHARED
}

#[inline]
fn shard() -> &'static Shard {
    match own_shard() {
        Some(shard) => shard,
        None => take_shard(),
    }
}

/// Adds to a counter that only this thread changes, so a load and a store lose nothing.
#[inline]
fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

/// Counts a block that came.
#[inline]
fn came(bytes: u64) {
    let shard = shard();
    if ptr::eq(shard, &SHARED) {
        shard.allocations.fetch_add(1, Ordering::Relaxed);
        changed_shared(bytes, 0);
        return;
    }
    add(&shard.allocations, 1);
    grew(shard, bytes);
}

/// Counts a block that went.
#[inline]
fn went(bytes: u64) {
    let shard = shard();
    if ptr::eq(shard, &SHARED) {
        shard.frees.fetch_add(1, Ordering::Relaxed);
        changed_shared(0, bytes);
        return;
    }
    add(&shard.frees, 1);
    shrank(shard, bytes);
}

/// Counts a block whose size has changed.
fn resized(before: u64, now: u64) {
    let shard = shard();
    let (more, less) = (now.saturating_sub(before), before.saturating_sub(now));
    if ptr::eq(shard, &SHARED) {
        changed_shared(more, less);
    } else if more != 0 {
        grew(shard, more);
    } else {
        shrank(shard, less);
    }
}

/// Adds to the bytes of a shard that this thread owns.
#[inline]
fn grew(shard: &Shard, bytes: u64) {
    add(&shard.total, bytes);
    let now = shard.bytes();
    // Below the highest value nothing is to be done.
    if now > shard.high.load(Ordering::Relaxed) {
        moved(shard, now);
    }
}

/// Takes from the bytes of a shard that this thread owns.
#[inline]
fn shrank(shard: &Shard, bytes: u64) {
    add(&shard.gone, bytes);
    let now = shard.bytes();
    // Not far below the base nothing is to be done.
    if now < shard.base.load(Ordering::Relaxed) - FOLD {
        moved(shard, now);
    }
}

#[cold]
fn changed_shared(more: u64, less: u64) {
    SHARED.total.fetch_add(more, Ordering::Relaxed);
    SHARED.gone.fetch_add(less, Ordering::Relaxed);
    let now = SHARED.bytes();
    SHARED.high.fetch_max(now, Ordering::Relaxed);
    SHARED.high_blocks.fetch_max(blocks_of(&SHARED), Ordering::Relaxed);
    if (now - SHARED.base.load(Ordering::Relaxed)).abs() > FOLD {
        fold(&SHARED, now);
    }
}

#[inline(never)]
fn moved(shard: &Shard, now: i64) {
    let high = shard.high.load(Ordering::Relaxed).max(now);
    shard.high.store(high, Ordering::Relaxed);
    let blocks = shard.high_blocks.load(Ordering::Relaxed).max(blocks_of(shard));
    shard.high_blocks.store(blocks, Ordering::Relaxed);
    if (now - shard.base.load(Ordering::Relaxed)).abs() > FOLD {
        fold(shard, now);
    }
}

/// What a shard's thread has taken more than it has freed; negative if it freed others' blocks.
fn blocks_of(shard: &Shard) -> i64 {
    shard.allocations.load(Ordering::Relaxed).wrapping_sub(shard.frees.load(Ordering::Relaxed)).cast_signed()
}

/// Ends a shard's window (R2).
#[cold]
fn fold(shard: &Shard, now: i64) {
    let sums = sum();
    PEAK.fetch_max(sums.peak_bytes, Ordering::Relaxed);
    PEAK_BLOCKS.fetch_max(sums.peak_blocks, Ordering::Relaxed);
    shard.high_blocks.store(blocks_of(shard), Ordering::Relaxed);
    shard.high.store(now, Ordering::Relaxed);
    shard.base.store(now, Ordering::Relaxed);
}

/// The sums over the shards; the peaks are those of the windows.
fn sum() -> DomainStats {
    let used = USED.load(Ordering::Acquire).min(SHARDS);
    let shards = || OWNED[..used].iter().chain([&SHARED]);
    let (mut allocations, mut frees, mut total) = (0u64, 0u64, 0u64);
    let (mut bytes, mut high, mut high_blocks) = (0i64, 0i64, 0i64);
    for shard in shards() {
        // Frees first: a block that comes and goes meanwhile must not make the difference negative.
        frees += shard.frees.load(Ordering::Acquire);
        let now = shard.bytes();
        bytes += now;
        high += shard.high.load(Ordering::Relaxed).max(now);
        high_blocks += shard.high_blocks.load(Ordering::Relaxed).max(blocks_of(shard));
        total = total.wrapping_add(shard.total.load(Ordering::Relaxed));
    }
    for shard in shards() {
        allocations += shard.allocations.load(Ordering::Acquire);
    }
    let live_blocks = usize::try_from(allocations.saturating_sub(frees)).unwrap_or(usize::MAX);
    DomainStats {
        live_blocks,
        live_bytes: usize::try_from(bytes).unwrap_or(0),
        peak_blocks: usize::try_from(high_blocks).unwrap_or(0).max(live_blocks),
        peak_bytes: usize::try_from(high).unwrap_or(0),
        allocations,
        total_bytes: total,
    }
}

/// The figures of the raw domain's built-in allocator, over all threads. Never allocates.
#[must_use]
pub fn raw_stats() -> DomainStats {
    let mut stats = sum();
    stats.peak_bytes = PEAK.fetch_max(stats.peak_bytes, Ordering::Relaxed).max(stats.peak_bytes);
    stats.peak_blocks = PEAK_BLOCKS.fetch_max(stats.peak_blocks, Ordering::Relaxed).max(stats.peak_blocks);
    stats
}

/// In the child of a fork the other threads are gone: their shards are free again.
pub(crate) fn adopt_shards_after_fork() {
    let own = own_shard();
    for shard in &OWNED {
        if !own.is_some_and(|own| ptr::eq(own, shard)) {
            shard.taken.store(false, Ordering::Release);
        }
    }
}

/// Counts a block of `bytes` that comes from elsewhere.
pub(crate) fn count_block(bytes: usize) {
    came(bytes as u64);
}

/// Counts the end of such a block.
pub(crate) fn uncount_block(bytes: usize) {
    went(bytes as u64);
}

/// How many bytes the block holds.
///
/// # Safety
/// `p` is a live block of the C library.
pub(crate) unsafe fn usable_size(p: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { libc::malloc_usable_size(p) }
}

pub(crate) unsafe extern "C" fn raw_malloc(_: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let p = unsafe { libc::malloc(size.max(1)) };
    if !p.is_null() {
        // SAFETY: just allocated.
        came(unsafe { usable_size(p) } as u64);
    }
    p
}

pub(crate) unsafe extern "C" fn raw_calloc(_: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    let (nelem, elsize) = if nelem == 0 || elsize == 0 { (1, 1) } else { (nelem, elsize) };
    // SAFETY: any size may be asked for.
    let p = unsafe { libc::calloc(nelem, elsize) };
    if !p.is_null() {
        // SAFETY: just allocated.
        came(unsafe { usable_size(p) } as u64);
    }
    p
}

pub(crate) unsafe extern "C" fn raw_realloc(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        // SAFETY: the same request.
        return unsafe { raw_malloc(ctx, size) };
    }
    // SAFETY: the caller vouches for the block.
    let Some(before) = (unsafe { checked_size("PyMem_RawRealloc", p) }) else {
        let hooks = former_hooks();
        let Some(realloc) = hooks.realloc else { return ptr::null_mut() };
        // SAFETY: the hooks made the block.
        return unsafe { realloc(hooks.ctx, p, size) };
    };
    // SAFETY: as above; the size is not zero, so this never frees.
    let new = unsafe { libc::realloc(p, size.max(1)) };
    if !new.is_null() {
        // SAFETY: just allocated.
        resized(before, unsafe { usable_size(new) } as u64);
    }
    new
}

pub(crate) unsafe extern "C" fn raw_free(_: *mut c_void, p: *mut c_void) {
    if p.is_null() {
        return;
    }
    // SAFETY: the caller vouches for the block.
    match unsafe { checked_size("PyMem_RawFree", p) } {
        Some(size) => {
            went(size);
            // SAFETY: as above.
            unsafe { libc::free(p) };
        }
        None => {
            let hooks = former_hooks();
            let Some(free) = hooks.free else { return };
            // SAFETY: the hooks made the block.
            unsafe { free(hooks.ctx, p) };
        }
    }
}

/// The debug hooks as they were over this allocator.
#[cold]
fn former_hooks() -> PyMemAllocatorEx {
    let ctx = ptr::from_ref(crate::table::builtin(Domain::Raw)).cast_mut().cast::<c_void>();
    crate::debug::hook(Domain::Raw, ctx)
}

/// Whether a small block, or one of mimalloc's, is given to the raw domain. A large block of a heap is
/// recognised by its size, see [`checked_size`].
#[inline]
fn is_a_heaps(p: *mut u8) -> bool {
    arena::in_reserve(p) || guard::in_pool(p) || heap::is_mimallocs(p)
}

/// The size of a block that is given back. `None`: it is one of the debug hooks', from before the allocator
/// without them was chosen (a program may hold raw blocks across pre-initialization).
///
/// # Safety
/// `p` is a live block of the C library or of the hooks over it, or a block of a heap: that is refused.
unsafe fn checked_size(function: &str, p: *mut c_void) -> Option<u64> {
    if is_a_heaps(p.cast()) {
        wrong_domain(function, p);
    }
    // SAFETY: the caller's promise; for a large block of a heap the C library finds the check word,
    // which makes it say a size that no block has, and so do the guard bytes of the hooks.
    match unsafe { usable_size(p) } as u64 {
        size if size <= i64::MAX.cast_unsigned() => Some(size),
        // SAFETY: the word before any of these blocks is readable.
        _ if unsafe { p.cast::<[u8; 8]>().sub(1).read() } == RAW_HEAD => None,
        _ => wrong_domain(function, p),
    }
}

/// The word that the debug hooks of this domain put before a block.
const RAW_HEAD: [u8; 8] = {
    let mut head = [crate::debug::FORBIDDEN_BYTE; 8];
    head[0] = b'r';
    head
};

#[cold]
fn wrong_domain(function: &str, p: *mut c_void) -> ! {
    let mut text = crate::debug::report::Text::new();
    text.put(format_args!("the block at {p:p} belongs to the mem or obj domain of an interpreter"));
    crate::debug::report::fatal(function, text.as_str())
}

#[cfg(test)]
mod tests {
    //! What the counters promise; other tests take and free raw blocks at the same time only in turns.

    use super::*;
    use crate::domain::{raw_free, raw_malloc};
    use crate::testing::turn;

    /// D7, R2: a peak is seen however short and small it is.
    #[test]
    fn the_peak_is_at_least_what_was_live() {
        let _turn = turn();
        let mut most = 0;
        for n in [1usize, 7, 300, 70_000, 5] {
            let blocks: Vec<_> = (0..n).map(|i| raw_malloc(16 + i % 400)).collect();
            let full = raw_stats();
            assert!(full.live_blocks >= n);
            most = most.max(full.live_bytes);
            for p in blocks {
                // SAFETY: a live block.
                unsafe { raw_free(p) };
            }
            assert!(raw_stats().peak_bytes >= most, "after {n}");
            assert!(raw_stats().peak_blocks >= n, "after {n}");
        }
    }

    /// D7, R2: a peak between two readings is seen too, and not overstated by one thread.
    #[test]
    fn one_threads_peak_is_exact() {
        let _turn = turn();
        let before = raw_stats();
        let size = before.peak_bytes + (3 << 20);
        let p = raw_malloc(size);
        // SAFETY: a live block.
        let held = unsafe { usable_size(p) };
        // SAFETY: as above.
        unsafe { raw_free(p) };
        let after = raw_stats();
        let most = before.live_bytes + held;
        // The shared shard, which other tests' threads have used as they ended, may add its window.
        assert!(
            after.peak_bytes >= most && after.peak_bytes <= most + FOLD as usize,
            "{} for {most}",
            after.peak_bytes
        );
        assert_eq!(after.total_bytes - before.total_bytes, held as u64);
        assert_eq!(after.live_bytes, before.live_bytes);
    }

    /// D7: blocks that one thread takes and another frees leave nothing, and do not add up in the peak.
    #[test]
    fn threads_that_pass_blocks_on_are_counted() {
        let _turn = turn();
        let before = raw_stats();
        for _ in 0..50 {
            let blocks: Vec<usize> = (0..100).map(|_| raw_malloc(4000) as usize).collect();
            let freeing = std::thread::spawn(move || {
                for p in blocks {
                    // SAFETY: a live block.
                    unsafe { raw_free(p as *mut c_void) };
                }
            });
            freeing.join().expect("the thread ends");
        }
        let after = raw_stats();
        assert_eq!((after.live_blocks, after.live_bytes), (before.live_blocks, before.live_bytes));
        let grown = after.peak_bytes.saturating_sub(before.peak_bytes.max(before.live_bytes));
        assert!(grown <= 100 * 4100 + 4 * FOLD as usize, "{grown}");
    }
}
