//! Allocations that fail on purpose.
//!
//! Once [`arm`]ed, a layer lies over the three tables and counts every request for memory in any
//! domain, from C and from Rust alike: `malloc`, `calloc` and a `realloc` that asks for more than the
//! block has. The n-th of them fails, once. While nothing is armed the layer is not there, and costs
//! nothing.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::domain::{Domain, PyMemAllocatorEx};
use crate::table::Table;
use crate::{debug, heap, raw, table};

static ARMED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static TARGET: AtomicU64 = AtomicU64::new(0);
static FIRED: AtomicBool = AtomicBool::new(false);

/// Starts counting from zero; with `Some(n)` the n-th request from now (the first is 1) fails.
pub fn arm(n: Option<u64>) {
    let mut writer = table::WRITER.lock();
    COUNT.store(0, Ordering::SeqCst);
    FIRED.store(false, Ordering::SeqCst);
    TARGET.store(n.unwrap_or(0), Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
    table::publish(&mut writer);
}

/// Takes the layer away. [`count`] and [`fired`] keep their values until the next [`arm`].
pub fn disarm() {
    let mut writer = table::WRITER.lock();
    ARMED.store(false, Ordering::SeqCst);
    table::publish(&mut writer);
}

/// The number of requests since [`arm`].
#[must_use]
pub fn count() -> u64 {
    COUNT.load(Ordering::SeqCst)
}

/// Whether the request that had to fail has been made.
#[must_use]
pub fn fired() -> bool {
    FIRED.load(Ordering::SeqCst)
}

/// Whether the layer is in place.
#[must_use]
pub fn armed() -> bool {
    ARMED.load(Ordering::Relaxed)
}

/// Counts a request; true if it is the one that has to fail.
pub(crate) fn tick() -> bool {
    let n = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    let hit = n == TARGET.load(Ordering::SeqCst);
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
    if tick() {
        return ptr::null_mut();
    }
    // SAFETY: `layer` put a table here, and tables live for ever.
    let inner = unsafe { &*ctx.cast::<Table>() };
    // SAFETY: the caller's request, passed on.
    unsafe { (inner.malloc)(inner.ctx, size) }
}

unsafe extern "C" fn fault_calloc<const D: usize>(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    if tick() {
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
    if grows && tick() {
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
