//! The four functions of the debug hooks.
//!
//! The short way, for blocks of a heap's pages when the built-in allocator lies right below: one thread-local look-up,
//! no call, no lock. What is not plain to see there is left to the long way, which every other block takes.

use core::ffi::c_void;
use core::ptr;

use super::{CLEAN_BYTE, DEAD_BYTE, FORBIDDEN_BYTE, HEAD, OVERHEAD, TAIL, check, fill, graves, requested_size};
use crate::domain::{Domain, MAX_SIZE, PyMemAllocatorEx};
use crate::heap::{self, Heap, SMALL_LIMIT, Tag};
use crate::table::{self, Table};

/// The hooks of domain `D` over the table at `ctx`.
pub(super) const fn table<const D: usize>(ctx: *mut c_void) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx,
        malloc: Some(debug_malloc::<D>),
        calloc: Some(debug_calloc::<D>),
        realloc: Some(debug_realloc::<D>),
        free: Some(debug_free::<D>),
    }
}

const GUARD: u64 = u64::from_ne_bytes([FORBIDDEN_BYTE; 8]);

/// The word right before the user's bytes: the letter and the leading guard.
#[inline(always)]
const fn mark<const D: usize>() -> u64 {
    let letter = Domain::ALL[D].letter();
    let fd = FORBIDDEN_BYTE;
    u64::from_ne_bytes([letter, fd, fd, fd, fd, fd, fd, fd])
}

/// Writes head and tail around `n` user bytes; returns the user's pointer.
///
/// # Safety
/// `inner` is a live block of at least `n + OVERHEAD` bytes.
#[inline(always)]
unsafe fn dress<const D: usize>(inner: *mut u8, n: usize) -> *mut u8 {
    // SAFETY: all of it lies inside the block.
    unsafe {
        inner.cast::<u64>().write_unaligned((n as u64).to_be());
        inner.add(8).cast::<u64>().write_unaligned(mark::<D>());
        let p = inner.add(HEAD);
        p.add(n).cast::<u64>().write_unaligned(GUARD);
        p
    }
}

#[inline(always)]
fn inner_of(ctx: *mut c_void) -> &'static Table {
    // SAFETY: the context of our hooks is a table, and tables live for ever.
    unsafe { &*ctx.cast::<Table>() }
}

/// The attached heap, if the short way may be taken: the built-in allocator of mem or obj lies right below.
#[inline(always)]
fn short_way<const D: usize>(ctx: *mut c_void) -> Option<&'static Heap> {
    if D == Domain::Raw as usize || !ptr::eq(inner_of(ctx), table::builtin(Domain::ALL[D])) {
        return None;
    }
    // SAFETY: who attaches a heap keeps it alive meanwhile; the reference does not leave the call.
    unsafe { heap::current_heap().as_ref() }
}

unsafe extern "C" fn debug_malloc<const D: usize>(ctx: *mut c_void, n: usize) -> *mut c_void {
    if n <= SMALL_LIMIT - OVERHEAD
        && let Some(heap) = short_way::<D>(ctx)
    {
        let tag = if D == Domain::Mem as usize { Tag::Mem } else { heap.take_hint() };
        let inner = heap.alloc_inner(tag, n + OVERHEAD);
        if inner.is_null() || !heap.kind().has_pages() {
            // SAFETY: null, or a fresh block of that size.
            return unsafe { dress_fresh::<D>(inner, n) };
        }
        // SAFETY: a heap with pages gives whole units of 16 bytes, aligned to that. The head is one of them, and what
        // the last one has too much for the user is no more than the tail needs.
        return unsafe {
            fill::units::<CLEAN_BYTE>(inner.add(HEAD), n);
            dress::<D>(inner, n).cast()
        };
    }
    // SAFETY: the same call.
    unsafe { malloc_long::<D>(ctx, n) }
}

#[inline(never)]
unsafe fn malloc_long<const D: usize>(ctx: *mut c_void, n: usize) -> *mut c_void {
    check::attached::<D>("_PyMem_DebugMalloc");
    if n > MAX_SIZE - OVERHEAD {
        return ptr::null_mut();
    }
    let next = inner_of(ctx);
    // SAFETY: an allocator's function with its own context.
    let inner = unsafe { (next.malloc)(next.ctx, n + OVERHEAD) }.cast::<u8>();
    // SAFETY: the inner allocator gave that many bytes, or null.
    unsafe { dress_fresh::<D>(inner, n) }
}

/// # Safety
/// `inner` is null or a fresh block of at least `n + OVERHEAD` bytes.
unsafe fn dress_fresh<const D: usize>(inner: *mut u8, n: usize) -> *mut c_void {
    if inner.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise.
    unsafe {
        let p = dress::<D>(inner, n);
        p.write_bytes(CLEAN_BYTE, n);
        p.cast()
    }
}

unsafe extern "C" fn debug_calloc<const D: usize>(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    check::attached::<D>("_PyMem_DebugCalloc");
    let Some(n) = nelem.checked_mul(elsize).filter(|n| *n <= MAX_SIZE - OVERHEAD) else {
        return ptr::null_mut();
    };
    let next = inner_of(ctx);
    // SAFETY: an allocator's function with its own context.
    let inner = unsafe { (next.calloc)(next.ctx, 1, n + OVERHEAD) }.cast::<u8>();
    if inner.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the inner allocator gave that many bytes.
    unsafe { dress::<D>(inner, n).cast() }
}

unsafe extern "C" fn debug_realloc<const D: usize>(ctx: *mut c_void, p: *mut c_void, n: usize) -> *mut c_void {
    check::attached::<D>("_PyMem_DebugRealloc");
    if p.is_null() {
        // SAFETY: the same request.
        return unsafe { debug_malloc::<D>(ctx, n) };
    }
    let p = p.cast::<u8>();
    let next = inner_of(ctx);
    // SAFETY: the caller says that `p` is a block of this domain; that is what is checked.
    unsafe { check::block::<D>("_PyMem_DebugRawRealloc", next, p) };
    if n > MAX_SIZE - OVERHEAD {
        return ptr::null_mut();
    }
    // SAFETY: checked.
    let old = unsafe { requested_size(p) };
    if n < old {
        // The block is made a whole smaller one first: the bytes that are cut off may be gone after the inner call. If
        // that refuses to move it, the block is good where it is.
        // SAFETY: all of it lies inside the old block.
        unsafe {
            dress::<D>(p.sub(HEAD), n);
            p.add(n + TAIL).write_bytes(DEAD_BYTE, old - n);
        }
    }
    // SAFETY: an allocator's function with its own context and its own block.
    let inner = unsafe { (next.realloc)(next.ctx, p.sub(HEAD).cast(), n + OVERHEAD) }.cast::<u8>();
    if inner.is_null() {
        return if n < old { p.cast() } else { ptr::null_mut() };
    }
    // SAFETY: the inner allocator gave that many bytes.
    unsafe {
        let new = dress::<D>(inner, n);
        if n > old {
            new.add(old).write_bytes(CLEAN_BYTE, n - old);
        }
        new.cast()
    }
}

unsafe extern "C" fn debug_free<const D: usize>(ctx: *mut c_void, p: *mut c_void) {
    if let Some(heap) = short_way::<D>(ctx) {
        let p = p.cast::<u8>();
        let inner = p.wrapping_sub(HEAD);
        if let Some((bin, room)) = heap.small_block(inner) {
            // SAFETY: the block lies in a page that this heap uses, so its head can be read. The tail and the fill stay
            // inside the block, as its size was compared.
            unsafe {
                let n = requested_size(p);
                if p.sub(8).cast::<u64>().read_unaligned() == mark::<D>()
                    && n.saturating_add(OVERHEAD) <= room
                    && p.add(n).cast::<u64>().read_unaligned() == GUARD
                    && p as usize & 15 == 0
                {
                    fill::units::<DEAD_BYTE>(inner, n + OVERHEAD);
                    heap.push_to(bin, inner);
                    return;
                }
            }
        }
    }
    // SAFETY: the same call.
    unsafe { free_long::<D>(ctx, p) }
}

#[inline(never)]
unsafe fn free_long<const D: usize>(ctx: *mut c_void, p: *mut c_void) {
    check::attached::<D>("_PyMem_DebugFree");
    if p.is_null() {
        return;
    }
    let p = p.cast::<u8>();
    let next = inner_of(ctx);
    // SAFETY: the caller says that `p` is a block of this domain; that is what is checked.
    unsafe {
        check::block::<D>("_PyMem_DebugRawFree", next, p);
        let n = requested_size(p);
        if n >= graves::LEAST {
            graves::dig(p);
        }
        p.sub(HEAD).write_bytes(DEAD_BYTE, n + OVERHEAD);
        (next.free)(next.ctx, p.sub(HEAD).cast());
    }
}
