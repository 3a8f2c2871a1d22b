//! The memory domains. Declared in `pymem.h`.
//!
//! Functions on `raw` work at any time, in any thread; those on `mem` and `obj` want an attached thread state, and
//! give null without one.

use core::ffi::{c_int, c_void};

use hognose_allocators::{
    Domain, HookToken, LiveBlocksFn, PyMemAllocatorEx, PyObjectArenaAllocator, calloc, free, malloc, pop_allocator,
    push_allocator, realloc,
};

use crate::config::PyStatus;

macro_rules! domain {
    ($($domain:ident: $malloc:ident $calloc:ident $realloc:ident $free:ident;)*) => {
        $(
            /// A block of at least `size` bytes (1 for 0), or null.
            #[unsafe(no_mangle)]
            pub extern "C" fn $malloc(size: usize) -> *mut c_void {
                malloc(Domain::$domain, size)
            }

            /// A zeroed block for `nelem` items of `elsize` bytes, or null.
            #[unsafe(no_mangle)]
            pub extern "C" fn $calloc(nelem: usize, elsize: usize) -> *mut c_void {
                calloc(Domain::$domain, nelem, elsize)
            }

            /// A block with another size; on failure null, and the old one stays.
            ///
            /// # Safety
            ///
            /// `p` is null or a live block of this domain; it is not used after a success.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $realloc(p: *mut c_void, new_size: usize) -> *mut c_void {
                // SAFETY: as promised.
                unsafe { realloc(Domain::$domain, p, new_size) }
            }

            /// Frees a block; null does nothing.
            ///
            /// # Safety
            ///
            /// `p` is null or a live block of this domain; it is not used afterwards.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $free(p: *mut c_void) {
                // SAFETY: as promised.
                unsafe { free(Domain::$domain, p) }
            }
        )*
    };
}

domain! {
    Raw: PyMem_RawMalloc PyMem_RawCalloc PyMem_RawRealloc PyMem_RawFree;
    Mem: PyMem_Malloc PyMem_Calloc PyMem_Realloc PyMem_Free;
    Obj: PyObject_Malloc PyObject_Calloc PyObject_Realloc PyObject_Free;
}

/// The table of a domain; for an unknown one a table of null.
///
/// # Safety
///
/// `allocator` has room for a table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMem_GetAllocator(domain: c_int, allocator: *mut PyMemAllocatorEx) {
    // SAFETY: as promised; an unknown domain leaves five words of null, which the struct allows.
    unsafe {
        match Domain::from_i32(domain) {
            Some(domain) => allocator.write(hognose_allocators::get_allocator(domain)),
            None => core::ptr::write_bytes(allocator, 0, 1),
        }
    }
}

/// Exchanges the table of a domain; an unknown domain is left alone.
///
/// # Safety
///
/// The table's functions obey the domain's contract, and its context lives until they are replaced.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMem_SetAllocator(domain: c_int, allocator: *const PyMemAllocatorEx) {
    if let Some(domain) = Domain::from_i32(domain) {
        // SAFETY: as promised; the table is copied.
        unsafe { hognose_allocators::set_allocator(domain, *allocator) }
    }
}

/// Puts the debug hooks over the domains; a second call does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn PyMem_SetupDebugHooks() {
    crate::lifecycle::fatal::install();
    hognose_allocators::setup_debug_hooks();
}

/// The functions from which pymalloc gets its arenas.
///
/// # Safety
///
/// `allocator` has room for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GetArenaAllocator(allocator: *mut PyObjectArenaAllocator) {
    // SAFETY: as promised.
    unsafe { allocator.write(hognose_allocators::get_arena_allocator()) }
}

/// Exchanges them; arenas that are there go back to those that they came from.
///
/// # Safety
///
/// The functions give page-aligned memory of the asked size, and the context lives as long as they are used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_SetArenaAllocator(allocator: *const PyObjectArenaAllocator) {
    // SAFETY: as promised.
    unsafe { hognose_allocators::set_arena_allocator(*allocator) }
}

/// What [`Hog_PushAllocator`] gives for [`Hog_PopAllocator`].
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct Hog_AllocatorToken {
    words: [u64; 2],
}

/// Puts a hook over a domain's allocator, at any time. Declared in `hognose.h`, which has the contract.
///
/// # Safety
///
/// `hook` points to a table whose functions obey the domain's contract from any thread until the hook is popped;
/// `below` is null or has room for a table, `token` has room for a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_PushAllocator(
    domain: c_int,
    hook: *const PyMemAllocatorEx,
    live_blocks: Option<LiveBlocksFn>,
    below: *mut PyMemAllocatorEx,
    token: *mut Hog_AllocatorToken,
) -> PyStatus {
    const FUNC: &core::ffi::CStr = c"Hog_PushAllocator";
    let Some(domain) = Domain::from_i32(domain) else { return PyStatus::error_in(FUNC, c"unknown domain") };
    if hook.is_null() || token.is_null() {
        return PyStatus::error_in(FUNC, c"hook or token is NULL");
    }
    // SAFETY: as promised.
    match unsafe { push_allocator(domain, *hook, live_blocks, below) } {
        Ok(pushed) => {
            // SAFETY: as promised.
            unsafe { token.write(Hog_AllocatorToken { words: pushed.to_words() }) };
            PyStatus::ok()
        }
        Err(error) => PyStatus::error_in(FUNC, error.as_c_str()),
    }
}

/// Takes a hook away again, or says why not. Declared in `hognose.h`.
#[unsafe(no_mangle)]
pub extern "C" fn Hog_PopAllocator(token: Hog_AllocatorToken) -> PyStatus {
    match pop_allocator(HookToken::from_words(token.words)) {
        Ok(()) => PyStatus::ok(),
        Err(error) => PyStatus::error_in(c"Hog_PopAllocator", error.as_c_str()),
    }
}
