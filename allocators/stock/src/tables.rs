//! The tables that CPython gets: the domains' own calls, with a heap for the thread that has none.
//!
//! Each table is there twice, with and without counting. What is not counted costs what the domain costs, and the test
//! whether the thread has a heap.

use core::ffi::c_void;
use core::ptr;

use domains::{Domain, PyMemAllocatorEx, calloc, current_heap, free, malloc, realloc};

use crate::{census, threads};

/// The table of a domain.
pub(crate) fn of(domain: Domain, counted: bool) -> PyMemAllocatorEx {
    match (domain, counted) {
        (Domain::Raw, _) => table::<0, false>(),
        (Domain::Mem, false) => table::<1, false>(),
        (Domain::Mem, true) => table::<1, true>(),
        (Domain::Obj, false) => table::<2, false>(),
        (Domain::Obj, true) => table::<2, true>(),
    }
}

const fn table<const D: usize, const COUNTED: bool>() -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::null_mut(),
        malloc: Some(table_malloc::<D, COUNTED>),
        calloc: Some(table_calloc::<D, COUNTED>),
        realloc: Some(table_realloc::<D, COUNTED>),
        free: Some(table_free::<D, COUNTED>),
    }
}

/// Whether the thread has what it needs to be served.
#[inline(always)]
fn has_heap<const D: usize>() -> bool {
    D == Domain::Raw as usize || !current_heap().is_null()
}

/// As `has_heap`, once the thread has been given a heap.
#[inline(always)]
fn is_ready<const D: usize>() -> bool {
    has_heap::<D>() || threads::attach()
}

unsafe extern "C" fn table_malloc<const D: usize, const COUNTED: bool>(_: *mut c_void, size: usize) -> *mut c_void {
    if !has_heap::<D>() {
        return first_malloc::<D, COUNTED>(size);
    }
    let p = malloc(Domain::ALL[D], size);
    if COUNTED {
        // SAFETY: null or a fresh block of the domain.
        unsafe { census::came(Domain::ALL[D], p) };
    }
    p
}

/// The first of a thread. It is called last, so that the others need no frame.
#[cold]
#[inline(never)]
fn first_malloc<const D: usize, const COUNTED: bool>(size: usize) -> *mut c_void {
    if !threads::attach() {
        return ptr::null_mut();
    }
    // SAFETY: any size may be asked for; the thread has a heap now.
    unsafe { table_malloc::<D, COUNTED>(ptr::null_mut(), size) }
}

unsafe extern "C" fn table_calloc<const D: usize, const COUNTED: bool>(
    _: *mut c_void,
    nelem: usize,
    elsize: usize,
) -> *mut c_void {
    if !is_ready::<D>() {
        return ptr::null_mut();
    }
    let p = calloc(Domain::ALL[D], nelem, elsize);
    if COUNTED {
        // SAFETY: null or a fresh block of the domain.
        unsafe { census::came(Domain::ALL[D], p) };
    }
    p
}

unsafe extern "C" fn table_realloc<const D: usize, const COUNTED: bool>(
    _: *mut c_void,
    p: *mut c_void,
    size: usize,
) -> *mut c_void {
    if !is_ready::<D>() {
        return ptr::null_mut();
    }
    if !COUNTED {
        // SAFETY: the caller vouches for the block.
        return unsafe { realloc(Domain::ALL[D], p, size) };
    }
    // SAFETY: the caller vouches for the block; after success the new one is asked.
    unsafe {
        let old = census::size(Domain::ALL[D], p);
        let new = realloc(Domain::ALL[D], p, size);
        if let Some(size) = census::size(Domain::ALL[D], new) {
            census::changed(Domain::ALL[D], old, size, p != new);
        }
        new
    }
}

unsafe extern "C" fn table_free<const D: usize, const COUNTED: bool>(_: *mut c_void, p: *mut c_void) {
    if COUNTED {
        // SAFETY: null or a live block of the domain.
        unsafe { census::goes(Domain::ALL[D], p) };
    } else if !has_heap::<D>() {
        // SAFETY: the caller's promise.
        unsafe { first_free::<D>(p) };
        return;
    }
    // SAFETY: the caller vouches for the block.
    unsafe { free(Domain::ALL[D], p) };
}

/// The free of a thread that never allocated. Under the debug hooks it needs a heap to be heard; without them, and if
/// there is none to be had, the block finds its own.
///
/// # Safety
/// `p` is null or a live block of the domain that is no longer used.
#[cold]
#[inline(never)]
unsafe fn first_free<const D: usize>(p: *mut c_void) {
    threads::attach();
    // SAFETY: the caller's promise.
    unsafe { free(Domain::ALL[D], p) };
}
