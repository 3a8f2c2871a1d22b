//! The raw domain's own allocator: the C library, counted.
//!
//! Any thread may call it at any time, so counting must not make threads share a cache line: one
//! atomic that all of them change would triple the price of a `malloc` and `free` pair. Each thread
//! owns a *shard* of counters, which it changes with plain loads and stores; reading adds them up.
//! A shard whose thread has ended keeps its sums and is handed to the next thread. Threads that find no
//! shard (more than [`SHARDS`] at once, or inside the destructors of thread-locals) share one, with
//! atomic additions.
//!
//! `live_blocks` and `allocations` are exact when no thread is inside a call. `live_bytes` counts what
//! the C library says a block can hold, at `malloc` and at `free` alike. `peak_bytes` is folded in each
//! time a shard has grown by 64 KiB and at each reading, so it may miss a lower, shorter peak.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use crate::domain::PyMemAllocatorEx;
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
/// A shard looks at the peak when it has grown by this many bytes.
const FOLD: i64 = 64 * 1024;

/// The counters of one thread; the alignment keeps two of them out of one pair of cache lines.
#[repr(align(128))]
struct Shard {
    taken: AtomicBool,
    allocations: AtomicU64,
    frees: AtomicU64,
    bytes: AtomicI64,
    /// The top of the window in which `bytes` may move before the peak is looked at.
    window: AtomicI64,
}

impl Shard {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            allocations: AtomicU64::new(0),
            frees: AtomicU64::new(0),
            bytes: AtomicI64::new(0),
            window: AtomicI64::new(FOLD),
        }
    }
}

static OWNED: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];
static SHARED: Shard = Shard::new();
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Gives the shard back when the thread ends.
struct Return;

impl Drop for Return {
    fn drop(&mut self) {
        let shard = SHARD.replace(Some(&SHARED));
        if let Some(shard) = shard
            && !ptr::eq(shard, &SHARED)
        {
            shard.taken.store(false, Ordering::Release);
        }
    }
}

thread_local! {
    static SHARD: Cell<Option<&'static Shard>> = const { Cell::new(None) };
    static RETURN: Return = const { Return };
}

#[cold]
fn take_shard() -> &'static Shard {
    // Until it is decided, what the registration of the destructor allocates counts as shared.
    SHARD.set(Some(&SHARED));
    if RETURN.try_with(|_| ()).is_ok() {
        for shard in &OWNED {
            if !shard.taken.load(Ordering::Relaxed) && !shard.taken.swap(true, Ordering::Acquire) {
                SHARD.set(Some(shard));
                return shard;
            }
        }
    }
    &SHARED
}

#[inline]
fn shard() -> &'static Shard {
    match SHARD.get() {
        Some(shard) => shard,
        None => take_shard(),
    }
}

/// Counts a block that came.
#[inline]
fn came(bytes: i64) {
    let shard = shard();
    if ptr::eq(shard, &SHARED) {
        shard.allocations.fetch_add(1, Ordering::Relaxed);
        changed_shared(bytes);
        return;
    }
    // Only this thread writes to its shard, so a load and a store lose nothing.
    let allocations = shard.allocations.load(Ordering::Relaxed) + 1;
    shard.allocations.store(allocations, Ordering::Relaxed);
    changed(shard, bytes);
}

/// Counts a block that went.
#[inline]
fn went(bytes: i64) {
    let shard = shard();
    if ptr::eq(shard, &SHARED) {
        shard.frees.fetch_add(1, Ordering::Relaxed);
        changed_shared(-bytes);
        return;
    }
    shard.frees.store(shard.frees.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    changed(shard, -bytes);
}

/// Counts a block whose size has changed.
fn resized(bytes: i64) {
    let shard = shard();
    if ptr::eq(shard, &SHARED) {
        changed_shared(bytes);
    } else {
        changed(shard, bytes);
    }
}

/// Adds to the bytes of a shard that this thread owns.
#[inline]
fn changed(shard: &Shard, bytes: i64) {
    let now = shard.bytes.load(Ordering::Relaxed) + bytes;
    shard.bytes.store(now, Ordering::Relaxed);
    // Within the window nothing is to be done. It follows the bytes down, so that the next growth is
    // folded in again.
    let top = shard.window.load(Ordering::Relaxed);
    if !(top - 2 * FOLD..=top).contains(&now) {
        move_window(shard, now);
    }
}

#[cold]
fn changed_shared(bytes: i64) {
    let now = SHARED.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
    let top = SHARED.window.load(Ordering::Relaxed);
    if !(top - 2 * FOLD..=top).contains(&now) {
        move_window(&SHARED, now);
    }
}

#[cold]
#[inline(never)]
fn move_window(shard: &Shard, now: i64) {
    let grown = now > shard.window.load(Ordering::Relaxed);
    shard.window.store(now + FOLD, Ordering::Relaxed);
    if grown {
        PEAK.fetch_max(sum().live_bytes, Ordering::Relaxed);
    }
}

fn sum() -> DomainStats {
    let (mut allocations, mut frees, mut bytes) = (0u64, 0u64, 0i64);
    for shard in OWNED.iter().chain([&SHARED]) {
        // Frees first: a block that comes and goes meanwhile must not make the difference negative.
        frees += shard.frees.load(Ordering::Acquire);
        bytes += shard.bytes.load(Ordering::Relaxed);
    }
    for shard in OWNED.iter().chain([&SHARED]) {
        allocations += shard.allocations.load(Ordering::Acquire);
    }
    DomainStats {
        live_blocks: usize::try_from(allocations.saturating_sub(frees)).unwrap_or(usize::MAX),
        live_bytes: usize::try_from(bytes).unwrap_or(0),
        peak_bytes: 0,
        allocations,
    }
}

/// The figures of the raw domain's built-in allocator, over all threads. Never allocates.
#[must_use]
pub fn raw_stats() -> DomainStats {
    let mut stats = sum();
    stats.peak_bytes = PEAK.fetch_max(stats.live_bytes, Ordering::Relaxed).max(stats.live_bytes);
    stats
}

/// In the child of a fork the other threads are gone: their shards are free again.
pub(crate) fn adopt_shards_after_fork() {
    let own = SHARD.get();
    for shard in &OWNED {
        if !own.is_some_and(|own| ptr::eq(own, shard)) {
            shard.taken.store(false, Ordering::Release);
        }
    }
}

/// Counts a block of `bytes` that comes from elsewhere.
#[allow(clippy::cast_possible_wrap, reason = "a block is at most isize::MAX bytes")]
pub(crate) fn count_block(bytes: usize) {
    came(bytes as i64);
}

/// Counts the end of such a block.
#[allow(clippy::cast_possible_wrap, reason = "a block is at most isize::MAX bytes")]
pub(crate) fn uncount_block(bytes: usize) {
    went(bytes as i64);
}

/// How many bytes the block holds.
///
/// # Safety
/// `p` is a live block of the C library.
pub(crate) unsafe fn usable_size(p: *mut c_void) -> usize {
    // SAFETY: the caller's promise.
    unsafe { libc::malloc_usable_size(p) }
}

#[allow(clippy::cast_possible_wrap, reason = "a block is at most isize::MAX bytes")]
unsafe fn signed_size(p: *mut c_void) -> i64 {
    // SAFETY: the callers pass live blocks.
    unsafe { usable_size(p) as i64 }
}

pub(crate) unsafe extern "C" fn raw_malloc(_: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let p = unsafe { libc::malloc(size.max(1)) };
    if !p.is_null() {
        // SAFETY: just allocated.
        came(unsafe { signed_size(p) });
    }
    p
}

pub(crate) unsafe extern "C" fn raw_calloc(_: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    let (nelem, elsize) = if nelem == 0 || elsize == 0 { (1, 1) } else { (nelem, elsize) };
    // SAFETY: any size may be asked for.
    let p = unsafe { libc::calloc(nelem, elsize) };
    if !p.is_null() {
        // SAFETY: just allocated.
        came(unsafe { signed_size(p) });
    }
    p
}

pub(crate) unsafe extern "C" fn raw_realloc(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        // SAFETY: the same request.
        return unsafe { raw_malloc(ctx, size) };
    }
    // SAFETY: the caller vouches for the block.
    let before = unsafe { checked_size("PyMem_RawRealloc", p) };
    // SAFETY: as above; the size is not zero, so this never frees.
    let new = unsafe { libc::realloc(p, size.max(1)) };
    if !new.is_null() {
        // SAFETY: just allocated.
        resized(unsafe { signed_size(new) } - before);
    }
    new
}

pub(crate) unsafe extern "C" fn raw_free(_: *mut c_void, p: *mut c_void) {
    if p.is_null() {
        return;
    }
    // SAFETY: the caller vouches for the block.
    went(unsafe { checked_size("PyMem_RawFree", p) });
    // SAFETY: as above.
    unsafe { libc::free(p) };
}

/// Whether a small block, or one of mimalloc's, is given to the raw domain. A large block of a heap is
/// recognised by its size, see [`checked_size`].
#[inline]
fn is_a_heaps(p: *mut u8) -> bool {
    arena::in_reserve(p) || guard::in_pool(p) || heap::is_mimallocs(p)
}

/// The size of a block that is given back.
///
/// # Safety
/// `p` is a live block of the C library, or a block of a heap: that is refused.
unsafe fn checked_size(function: &str, p: *mut c_void) -> i64 {
    if is_a_heaps(p.cast()) {
        wrong_domain(function, p);
    }
    // SAFETY: the caller's promise; for a large block of a heap the C library finds the check word,
    // which makes it say a size that no block has.
    match i64::try_from(unsafe { usable_size(p) }) {
        Ok(size) => size,
        Err(_) => wrong_domain(function, p),
    }
}

#[cold]
fn wrong_domain(function: &str, p: *mut c_void) -> ! {
    let mut text = crate::debug::report::Text::new();
    text.put(format_args!("the block at {p:p} belongs to the mem or obj domain of an interpreter"));
    crate::debug::report::fatal(function, text.as_str())
}
