//! The C ABI of the domains as `libhognose` exports it: the same calls, in a library without the rest.
//!
//! It is built twice: linked into the benchmark, and as a shared library that the benchmark opens.

use std::ffi::c_void;

use hognose_allocators::{AllocatorName, Domain, Heap, attach_heap, calloc, free, heap_kind, malloc, realloc, select};

macro_rules! domain {
    ($($domain:ident: $malloc:ident $calloc:ident $realloc:ident $free:ident;)*) => {$(
        /// As `libhognose`'s function of that domain.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $malloc(size: usize) -> *mut c_void {
            malloc(Domain::$domain, size)
        }

        /// As `libhognose`'s function of that domain.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $calloc(nelem: usize, elsize: usize) -> *mut c_void {
            calloc(Domain::$domain, nelem, elsize)
        }

        /// As `libhognose`'s function of that domain.
        ///
        /// # Safety
        /// `p` is null or a live block of the domain; after success it is not used.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub unsafe extern "C" fn $realloc(p: *mut c_void, size: usize) -> *mut c_void {
            // SAFETY: the caller's promise.
            unsafe { realloc(Domain::$domain, p, size) }
        }

        /// As `libhognose`'s function of that domain.
        ///
        /// # Safety
        /// `p` is null or a live block of the domain, which is not used afterwards.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub unsafe extern "C" fn $free(p: *mut c_void) {
            // SAFETY: the caller's promise.
            unsafe { free(Domain::$domain, p) }
        }
    )*};
}

domain! {
    Raw: hog_raw_malloc hog_raw_calloc hog_raw_realloc hog_raw_free;
    Mem: hog_mem_malloc hog_mem_calloc hog_mem_realloc hog_mem_free;
    Obj: hog_obj_malloc hog_obj_calloc hog_obj_realloc hog_obj_free;
}

/// Selects an allocator by the number of its name, and attaches a heap of that kind; null if there is no
/// such allocator.
#[unsafe(no_mangle)]
pub extern "C" fn hog_start(name: i32) -> *mut c_void {
    let selected = AllocatorName::from_i32(name).and_then(select);
    match selected.map(|()| Heap::new(heap_kind())) {
        Ok(Ok(heap)) => {
            attach_heap(heap.as_ptr());
            heap.as_ptr().cast()
        }
        _ => std::ptr::null_mut(),
    }
}
