//! What is counted for `--stats`: blocks by domain and size, in counters of each thread's heap.
//!
//! Only the owner of a heap writes its counters, by a load and a store, so nothing is lost and no thread waits for another.
//! A block may go in another heap's counters than it came in; only the sums mean something.

use core::ffi::c_void;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domains::{Domain, SMALL_LIMIT, block_size, current_heap};

use crate::threads;

/// Size classes of 16 bytes up to [`SMALL_LIMIT`], then one for each power of two.
const SMALL: usize = SMALL_LIMIT / 16;
pub(crate) const CLASSES: usize = SMALL + 40;
/// A heap looks at the peak of all when it has grown by so much.
const FOLD: i64 = 64 * 1024;

/// The figures of one domain and class.
#[derive(Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) allocations: u64,
    pub(crate) frees: u64,
    /// Bytes of those that live.
    pub(crate) bytes: i64,
}

/// See the module. All zeros to begin with.
pub(crate) struct Counters {
    cells: [[[AtomicU64; CLASSES]; 2]; 2],
    bytes: [[AtomicI64; CLASSES]; 2],
    total: AtomicI64,
    folded: AtomicI64,
}

static PEAK: AtomicI64 = AtomicI64::new(0);

/// The class of a size.
fn class_of(size: usize) -> usize {
    if size <= SMALL_LIMIT {
        return size.saturating_sub(1) / 16;
    }
    let bits = (size - 1).ilog2() as usize;
    (SMALL + bits - SMALL_LIMIT.ilog2() as usize).min(CLASSES - 1)
}

/// The largest size of a class.
pub(crate) fn size_of_class(class: usize) -> usize {
    if class < SMALL { (class + 1) * 16 } else { SMALL_LIMIT << (class - SMALL + 1) }
}

const fn index(domain: Domain) -> usize {
    match domain {
        Domain::Raw | Domain::Mem => 0,
        Domain::Obj => 1,
    }
}

const CAME: usize = 0;
const WENT: usize = 1;

/// The size of a block; `None` for null, 0 for one that is no heap's.
///
/// # Safety
/// `p` is null or a live block of the domain.
pub(crate) unsafe fn size(domain: Domain, p: *mut c_void) -> Option<usize> {
    // SAFETY: the caller's promise; heaps are not destroyed.
    (!p.is_null()).then(|| unsafe { block_size(domain, p.cast()) }.unwrap_or(0))
}

fn count(domain: Domain, what: usize, size: usize, bytes: i64) {
    if current_heap().is_null() && !threads::attach() {
        return;
    }
    let Some(member) = threads::member() else {
        return;
    };
    let (counters, class) = (&member.counters, class_of(size));
    let cell = &counters.cells[index(domain)][what][class];
    cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let cell = &counters.bytes[index(domain)][class];
    cell.store(cell.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    let total = counters.total.load(Ordering::Relaxed) + bytes;
    counters.total.store(total, Ordering::Relaxed);
    let folded = counters.folded.load(Ordering::Relaxed);
    if total > folded + FOLD {
        counters.folded.store(total, Ordering::Relaxed);
        fold();
    } else if total < folded - FOLD {
        counters.folded.store(total, Ordering::Relaxed);
    }
}

#[cold]
fn fold() {
    let now = threads::members().map(|member| member.counters.total.load(Ordering::Relaxed)).sum::<i64>();
    PEAK.fetch_max(now, Ordering::Relaxed);
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Counts a block that came.
///
/// # Safety
/// `p` is null or a fresh block of the domain.
pub(crate) unsafe fn came(domain: Domain, p: *mut c_void) {
    // SAFETY: the caller's promise.
    if let Some(size) = unsafe { size(domain, p) } {
        count(domain, CAME, size, signed(size));
    }
}

/// Counts a block that goes.
///
/// # Safety
/// `p` is null or a live block of the domain.
pub(crate) unsafe fn goes(domain: Domain, p: *mut c_void) {
    // SAFETY: the caller's promise.
    if let Some(size) = unsafe { size(domain, p) } {
        count(domain, WENT, size, -signed(size));
    }
}

/// Counts a block that had `old` bytes, or was not there, and has `new` ones now, at another place if it `moved`.
pub(crate) fn changed(domain: Domain, old: Option<usize>, new: usize, moved: bool) {
    match old {
        None => count(domain, CAME, new, signed(new)),
        Some(old) if moved || old != new => {
            count(domain, WENT, old, -signed(old));
            count(domain, CAME, new, signed(new));
        }
        Some(_) => {}
    }
}

/// The figures of a domain and class, over all threads. They are exact if nobody allocates meanwhile.
pub(crate) fn figures(domain: Domain, class: usize) -> Figures {
    let mut sum = Figures::default();
    for member in threads::members() {
        let [came, went] = &member.counters.cells[index(domain)];
        sum.allocations += came[class].load(Ordering::Relaxed);
        sum.frees += went[class].load(Ordering::Relaxed);
        sum.bytes += member.counters.bytes[index(domain)][class].load(Ordering::Relaxed);
    }
    sum
}

/// The highest number of bytes in mem and obj together, but for what each thread has had for less than [`FOLD`].
pub(crate) fn peak() -> i64 {
    fold();
    PEAK.load(Ordering::Relaxed)
}
