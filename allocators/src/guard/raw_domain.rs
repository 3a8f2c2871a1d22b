//! The raw domain under `guard`: its own allocator, with one in n of each thread's blocks from the pool.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

use super::intervals::Intervals;
use super::{pool, rate};
use crate::domain::{Domain, PyMemAllocatorEx};
use crate::raw;
use crate::table::Table;

pub(crate) const TABLE: PyMemAllocatorEx = PyMemAllocatorEx {
    ctx: ptr::null_mut(),
    malloc: Some(guard_malloc),
    calloc: Some(guard_calloc),
    realloc: Some(guard_realloc),
    free: Some(guard_free),
};

/// Whether a table is this one.
pub(crate) fn is_table(table: &Table) -> bool {
    table.given == TABLE
}

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(0) };
    static INTERVALS: Intervals = const { Intervals::new() };
}

/// A sampled block, if one is due in this thread.
#[inline]
fn sample(size: usize, zeroed: bool) -> *mut u8 {
    let left = LEFT.get();
    if left > 1 {
        LEFT.set(left - 1);
        return ptr::null_mut();
    }
    take(left, size, zeroed)
}

#[cold]
fn take(left: usize, size: usize, zeroed: bool) -> *mut u8 {
    let rate = rate();
    LEFT.set(if rate == 0 { 0 } else { INTERVALS.with(|intervals| intervals.next(rate)) });
    // The first block of a thread only starts the count, unless every block is wanted.
    if rate == 0 || (left == 0 && rate != 1) {
        return ptr::null_mut();
    }
    let p = pool::alloc(None, None, size, zeroed);
    if !p.is_null() {
        raw::count_block(size);
    }
    p
}

unsafe extern "C" fn guard_malloc(_: *mut c_void, size: usize) -> *mut c_void {
    let p = sample(size, false);
    // SAFETY: any size may be asked for.
    if p.is_null() { unsafe { raw::raw_malloc(ptr::null_mut(), size) } } else { p.cast() }
}

unsafe extern "C" fn guard_calloc(_: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    let p = nelem.checked_mul(elsize).map_or(ptr::null_mut(), |size| sample(size, true));
    // SAFETY: any size may be asked for.
    if p.is_null() { unsafe { raw::raw_calloc(ptr::null_mut(), nelem, elsize) } } else { p.cast() }
}

unsafe extern "C" fn guard_realloc(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    if p.is_null() {
        // SAFETY: the same request.
        return unsafe { guard_malloc(ctx, size) };
    }
    if !pool::in_pool(p.cast()) {
        // SAFETY: the caller vouches for the block.
        return unsafe { raw::raw_realloc(ctx, p, size) };
    }
    // A block that is not what the caller says is reported by the free.
    let old = pool::raw_size(p.cast()).unwrap_or(0);
    // SAFETY: two different blocks with so many bytes, of which the old one is not used afterwards.
    unsafe {
        let new = raw::raw_malloc(ptr::null_mut(), size);
        if !new.is_null() {
            ptr::copy_nonoverlapping(p.cast::<u8>(), new.cast::<u8>(), old.min(size));
            guard_free(ctx, p);
        }
        new
    }
}

unsafe extern "C" fn guard_free(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: the caller vouches for the block.
    unsafe {
        if pool::in_pool(p.cast()) {
            let (size, _) = pool::free(p.cast(), Domain::Raw);
            raw::uncount_block(size);
        } else {
            raw::raw_free(ctx, p);
        }
    }
}
