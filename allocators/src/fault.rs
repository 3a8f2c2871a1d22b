//! Allocations that fail on purpose.
//!
//! Once armed, a layer lies over the three tables and counts every request for memory in the chosen
//! domains, from C and from Rust alike: `malloc`, `calloc` and a `realloc` that asks for more than the
//! block has. A [`Plan`] says which of them fail: the k-th, all from the k-th on, or those of which a
//! function says so. While nothing is armed the layer is not there, and costs nothing.
//!
//! A whole program is swept by running it once for each k; see `hognose --oom-sweep`.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering};

use crate::domain::{Domain, PyMemAllocatorEx};
use crate::table::Table;
use crate::{debug, heap, raw, table};

/// Which requests fail.
#[derive(Clone, Copy, Debug)]
pub enum Failing {
    /// None: they are only counted.
    Nothing,
    /// The k-th request from now (the first is 1).
    Once(u64),
    /// The k-th request from now, and all that follow.
    From(u64),
    /// Those of which the function says so. It gets the domain and the request's number, in the thread
    /// of the request, and must not allocate from a domain.
    Asked(fn(Domain, u64) -> bool),
}

/// What is to fail, and where.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The domains whose requests are counted and may fail, as bits `1 << Domain`.
    pub domains: u8,
    /// Which of them fail.
    pub failing: Failing,
}

/// All three domains.
pub const ALL_DOMAINS: u8 = 0b111;

static ARMED: AtomicBool = AtomicBool::new(false);
static DOMAINS: AtomicU8 = AtomicU8::new(ALL_DOMAINS);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// The first request to fail, and the last; 0 for none.
static FIRST: AtomicU64 = AtomicU64::new(0);
static LAST: AtomicU64 = AtomicU64::new(0);
static ASK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static FIRED: AtomicBool = AtomicBool::new(false);

/// Starts counting from zero; with `Some(n)` the n-th request from now (the first is 1) fails, once.
pub fn arm(n: Option<u64>) {
    arm_plan(Plan { domains: ALL_DOMAINS, failing: n.map_or(Failing::Nothing, Failing::Once) });
}

/// Starts counting from zero, and failing as planned.
pub fn arm_plan(plan: Plan) {
    let mut writer = table::WRITER.lock();
    let (first, last, ask) = match plan.failing {
        Failing::Nothing => (0, 0, ptr::null_mut()),
        Failing::Once(k) => (k, k, ptr::null_mut()),
        Failing::From(k) => (k, u64::MAX, ptr::null_mut()),
        Failing::Asked(decide) => (0, 0, decide as *mut ()),
    };
    COUNT.store(0, Ordering::SeqCst);
    FIRED.store(false, Ordering::SeqCst);
    DOMAINS.store(plan.domains, Ordering::SeqCst);
    FIRST.store(first, Ordering::SeqCst);
    LAST.store(last, Ordering::SeqCst);
    ASK.store(ask, Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
    table::publish(&mut writer);
}

/// Takes the layer away. [`count`] and [`fired`] keep their values until something is armed again.
pub fn disarm() {
    let mut writer = table::WRITER.lock();
    ARMED.store(false, Ordering::SeqCst);
    table::publish(&mut writer);
}

/// The number of requests in the chosen domains since they were armed.
#[must_use]
pub fn count() -> u64 {
    COUNT.load(Ordering::SeqCst)
}

/// Whether a request has failed since then.
#[must_use]
pub fn fired() -> bool {
    FIRED.load(Ordering::SeqCst)
}

/// Whether the layer is in place.
#[must_use]
pub fn armed() -> bool {
    ARMED.load(Ordering::Relaxed)
}

/// Counts a request; true if it has to fail.
pub(crate) fn tick(domain: Domain) -> bool {
    if DOMAINS.load(Ordering::SeqCst) & (1 << domain.index()) == 0 {
        return false;
    }
    let n = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    let ask = ASK.load(Ordering::SeqCst);
    let hit = if ask.is_null() {
        let first = FIRST.load(Ordering::SeqCst);
        first != 0 && (first..=LAST.load(Ordering::SeqCst)).contains(&n)
    } else {
        // SAFETY: only `arm_plan` stores here, and it stores such a function.
        let ask = unsafe { core::mem::transmute::<*mut (), fn(Domain, u64) -> bool>(ask) };
        ask(domain, n)
    };
    if hit {
        FIRED.store(true, Ordering::SeqCst);
    }
    hit
}

/// The layer over `inner`.
pub(crate) fn layer(domain: Domain, inner: &'static Table) -> PyMemAllocatorEx {
    let ctx = ptr::from_ref(inner).cast_mut().cast::<c_void>();
    match domain {
        Domain::Raw => layer_of::<0>(ctx),
        Domain::Mem => layer_of::<1>(ctx),
        Domain::Obj => layer_of::<2>(ctx),
    }
}

fn layer_of<const D: usize>(ctx: *mut c_void) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx,
        malloc: Some(fault_malloc::<D>),
        calloc: Some(fault_calloc::<D>),
        realloc: Some(fault_realloc::<D>),
        free: Some(fault_free::<D>),
    }
}

unsafe extern "C" fn fault_malloc<const D: usize>(ctx: *mut c_void, size: usize) -> *mut c_void {
    if tick(Domain::ALL[D]) {
        return ptr::null_mut();
    }
    // SAFETY: `layer` put a table here, and tables live for ever.
    let inner = unsafe { &*ctx.cast::<Table>() };
    // SAFETY: the caller's request, passed on.
    unsafe { (inner.malloc)(inner.ctx, size) }
}

unsafe extern "C" fn fault_calloc<const D: usize>(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    if tick(Domain::ALL[D]) {
        return ptr::null_mut();
    }
    // SAFETY: `layer` put a table here, and tables live for ever.
    let inner = unsafe { &*ctx.cast::<Table>() };
    // SAFETY: the caller's request, passed on.
    unsafe { (inner.calloc)(inner.ctx, nelem, elsize) }
}

unsafe extern "C" fn fault_realloc<const D: usize>(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: `layer` put a table here, and tables live for ever.
    let inner = unsafe { &*ctx.cast::<Table>() };
    let domain = Domain::ALL[D];
    // SAFETY: the caller vouches that `p` is null or a live block of the domain.
    let grows = p.is_null() || unsafe { known_size(domain, inner, p) }.is_none_or(|old| size > old);
    if grows && tick(domain) {
        return ptr::null_mut();
    }
    // SAFETY: the caller's request, passed on.
    unsafe { (inner.realloc)(inner.ctx, p, size) }
}

unsafe extern "C" fn fault_free<const D: usize>(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: `layer` put a table here, and tables live for ever.
    let inner = unsafe { &*ctx.cast::<Table>() };
    // SAFETY: the caller's block, passed on.
    unsafe { (inner.free)(inner.ctx, p) }
}

/// The size of a block, if the allocator on top is one that knows it.
///
/// # Safety
/// `p` is a live block of `domain`.
unsafe fn known_size(domain: Domain, top: &Table, p: *mut c_void) -> Option<usize> {
    if debug::is_hook(domain, top) {
        // SAFETY: a live block under the hooks has a head.
        return Some(unsafe { debug::requested_size(p.cast()) });
    }
    if !table::is_builtin(domain, top) {
        return None;
    }
    if domain == Domain::Raw {
        // SAFETY: a live block of the built-in raw allocator.
        return Some(unsafe { raw::usable_size(p) });
    }
    let heap = heap::current_heap();
    if heap.is_null() {
        return None;
    }
    // SAFETY: the attached heap is alive, the block is live.
    unsafe { (*heap).usable_size(p.cast()) }
}

#[cfg(test)]
mod tests {
    //! Which requests fail under which plan. (Collections and heaps have their own sweeps.)

    use core::sync::atomic::{AtomicU64, Ordering};

    use super::{Failing, Plan, arm_plan, count, disarm, fired};
    use crate::domain::{self, Domain};
    use crate::heap::HeapKind;
    use crate::testing::{Attached, turn};

    /// Which of eight requests, raw and mem in turn, fail.
    fn outcome(plan: Plan) -> Vec<u64> {
        let _heap = Attached::new(HeapKind::Malloc);
        arm_plan(plan);
        let blocks: Vec<_> = (1..=8u64)
            .map(|n| {
                let domain = if n % 2 == 1 { Domain::Raw } else { Domain::Mem };
                (n, domain, domain::malloc(domain, 16))
            })
            .collect();
        let failed = blocks.iter().filter(|block| block.2.is_null()).map(|block| block.0).collect();
        disarm();
        for (_, domain, p) in blocks {
            // SAFETY: each block goes back to its domain once; null may be freed.
            unsafe { domain::free(domain, p) };
        }
        failed
    }

    #[test]
    fn a_plan_fails_what_it_says_in_the_domains_that_it_says() {
        let _turn = turn();
        let plan = |domains, failing| outcome(Plan { domains, failing });
        assert_eq!(plan(0b111, Failing::Nothing), []);
        assert_eq!((count(), fired()), (8, false));
        assert_eq!(plan(0b111, Failing::Once(3)), [3]);
        assert_eq!(plan(0b111, Failing::From(6)), [6, 7, 8]);
        assert_eq!(plan(0b001, Failing::Once(3)), [5]);
        assert_eq!(plan(0b010, Failing::From(3)), [6, 8]);
        assert_eq!((count(), fired()), (4, true));
        assert_eq!(plan(0b100, Failing::From(1)), []);
        assert!(!fired());
        static ASKED: AtomicU64 = AtomicU64::new(0);
        let odd = |_: Domain, n: u64| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            n == 2 || n == 4
        };
        assert_eq!(plan(0b111, Failing::Asked(odd)), [2, 4]);
        assert_eq!(ASKED.load(Ordering::Relaxed), 8);
    }
}
