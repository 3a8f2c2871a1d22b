//! The built-in tables of mem and obj: they serve from the heap that is attached to the thread.

use core::ffi::c_void;
use core::ptr;

use super::{Heap, Tag, current_heap, foreign};
use crate::domain::{Domain, PyMemAllocatorEx};

pub(crate) const MEM_BUILTIN: PyMemAllocatorEx = builtin::<1>();
pub(crate) const OBJ_BUILTIN: PyMemAllocatorEx = builtin::<2>();

const fn builtin<const D: usize>() -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::null_mut(),
        malloc: Some(heap_malloc::<D>),
        calloc: Some(heap_calloc::<D>),
        realloc: Some(heap_realloc::<D>),
        free: Some(heap_free::<D>),
    }
}

/// The attached heap, and the tag of the block that is asked for.
fn attached<const D: usize>() -> Option<(&'static Heap, Tag)> {
    // SAFETY: who attaches a heap keeps it alive meanwhile; the reference does not leave the call.
    let heap = unsafe { current_heap().as_ref() }?;
    let tag = if D == Domain::Mem as usize { Tag::Mem } else { heap.take_hint() };
    Some((heap, tag))
}

unsafe extern "C" fn heap_malloc<const D: usize>(_: *mut c_void, size: usize) -> *mut c_void {
    match attached::<D>() {
        // What a bin can serve comes here only when that is empty, or below somebody's hooks.
        Some((heap, tag)) if heap.kind.has_pages() => heap.alloc_inner(tag, size).cast(),
        Some((heap, tag)) => heap.alloc_unpaged(tag, size).cast(),
        None => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_calloc<const D: usize>(_: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    match (attached::<D>(), nelem.checked_mul(elsize)) {
        (Some((heap, tag)), Some(size)) => heap.alloc_zeroed_inner(tag, size).cast(),
        _ => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_realloc<const D: usize>(_: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    match attached::<D>() {
        // SAFETY: the caller's promise.
        Some((heap, tag)) => unsafe { heap.realloc_inner(tag, p.cast(), size).cast() },
        None => ptr::null_mut(),
    }
}

unsafe extern "C" fn heap_free<const D: usize>(_: *mut c_void, p: *mut c_void) {
    // SAFETY: who attaches a heap keeps it alive meanwhile; the caller vouches for the block.
    unsafe {
        match current_heap().as_ref() {
            Some(heap) if heap.kind.has_pages() => heap.free_inner(p.cast()),
            Some(heap) => heap.free_unpaged(p.cast()),
            None => foreign::free_detached(p.cast()),
        }
    }
}
