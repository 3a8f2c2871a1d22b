//! The debug hooks: an allocator that lies over any other and finds misuse (D6).
//!
//! ```text
//!   inner block                p (what the user gets)
//!   │                          │
//!   ▼ 8 bytes      1   7       ▼ N bytes                 8 bytes
//!   ┌────────────┬───┬───────┬─────────────────────────┬───────────┐
//!   │ N, big     │ o │ FD×7  │ CD… (malloc), 0… (calloc)│ FD×8      │
//!   │ endian     │   │       │                         │           │
//!   └────────────┴───┴───────┴─────────────────────────┴───────────┘
//!                 └ API letter: r, m or o
//! ```
//!
//! A freed block is filled with `DD` as a whole before it goes to the inner allocator. The hooks of a
//! domain carry the inner table as their context, so several layers (hooks over a wrapper over hooks)
//! are independent of each other, and setting them up when they are on top changes nothing.
//!
//! Checks at `free` and `realloc`, in this order: a thread state is attached (mem, obj); the block's
//! interpreter still exists; the block is not already dead; its letter is the domain's; the guards are
//! whole; the block belongs to the attached interpreter. The first that fails is reported and ends the
//! process.

mod graves;
pub(crate) mod report;
#[cfg(test)]
mod tests;

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::domain::{Domain, MAX_SIZE, PyMemAllocatorEx};
use crate::heap;
use crate::heap::foreign::Owner;
use crate::lock::Guard;
use crate::table::{self, Table, Writer};

/// Fill of fresh memory.
pub const CLEAN_BYTE: u8 = 0xCD;
/// Fill of freed memory.
pub const DEAD_BYTE: u8 = 0xDD;
/// Fill of the guards.
pub const FORBIDDEN_BYTE: u8 = 0xFD;

/// Bytes before the user's: the size, the letter, the leading guard.
pub(crate) const HEAD: usize = 16;
/// Bytes after the user's: the trailing guard.
pub(crate) const TAIL: usize = 8;
const OVERHEAD: usize = HEAD + TAIL;

/// Puts the debug hooks over the allocator of each domain that does not have them on top already.
pub fn setup_debug_hooks() {
    let mut writer = table::WRITER.lock();
    for domain in Domain::ALL {
        install(&mut writer, domain);
    }
}

pub(crate) fn install(writer: &mut Guard<'_, Writer>, domain: Domain) {
    let top = table::logical(domain);
    if !is_hook(domain, top) {
        table::install(writer, domain, over(domain, top));
    }
}

fn over(domain: Domain, inner: &'static Table) -> PyMemAllocatorEx {
    let ctx = ptr::from_ref(inner).cast_mut().cast::<c_void>();
    hook(domain, ctx)
}

fn hook_of<const D: usize>(ctx: *mut c_void) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx,
        malloc: Some(debug_malloc::<D>),
        calloc: Some(debug_calloc::<D>),
        realloc: Some(debug_realloc::<D>),
        free: Some(debug_free::<D>),
    }
}

/// Whether the debug hooks are on top of a domain's allocator.
#[must_use]
pub fn has_debug_hooks(domain: Domain) -> bool {
    is_hook(domain, table::logical(domain))
}

/// Whether a table is the debug hooks of the domain.
pub(crate) fn is_hook(domain: Domain, table: &Table) -> bool {
    hook(domain, table.ctx) == table.given
}

fn hook(domain: Domain, ctx: *mut c_void) -> PyMemAllocatorEx {
    match domain {
        Domain::Raw => hook_of::<0>(ctx),
        Domain::Mem => hook_of::<1>(ctx),
        Domain::Obj => hook_of::<2>(ctx),
    }
}

/// What lies below the debug hooks, or the table itself if it is none.
pub(crate) fn below(domain: Domain, table: &'static Table) -> &'static Table {
    if is_hook(domain, table) {
        // SAFETY: the context of our hooks is a table, and tables live for ever.
        unsafe { &*table.ctx.cast::<Table>() }
    } else {
        table
    }
}

/// The number of bytes that were asked for.
///
/// # Safety
/// `p` was handed out by debug hooks and lives.
pub(crate) unsafe fn requested_size(p: *const u8) -> usize {
    // SAFETY: the head lies before `p`.
    usize::from_be_bytes(unsafe { p.sub(HEAD).cast::<[u8; 8]>().read_unaligned() })
}

/// If the built-in block at `inner` of `size` bytes carries the head of the debug hooks of `letter`:
/// the user's pointer and the requested size.
///
/// # Safety
/// The block is live and readable for `size` bytes.
pub(crate) unsafe fn user_view(letter: u8, inner: *mut u8, size: usize) -> Option<(*mut u8, usize)> {
    if size < OVERHEAD {
        return None;
    }
    // SAFETY: the head lies inside the block, as just tested.
    let p = unsafe { inner.add(HEAD) };
    // SAFETY: as above.
    let (found, n) = unsafe { (p.sub(8).read(), requested_size(p)) };
    // SAFETY: as above.
    let guard = unsafe { p.sub(7).cast::<[u8; 7]>().read() };
    (found == letter && guard == [FORBIDDEN_BYTE; 7] && n <= size - OVERHEAD).then_some((p, n))
}

/* ---- Who may call ---- */

static ATTACHED: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says how to find out whether the calling thread has a thread state attached. Without it, the test
/// is whether a heap is attached.
pub fn set_attached_predicate(predicate: fn() -> bool) {
    ATTACHED.store(predicate as *mut (), Ordering::Release);
}

thread_local! {
    /// Set while a block is freed on behalf of its interpreter, by a thread that has not attached it.
    static FOREIGN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with the tests of "who may call" off in this thread.
pub(crate) fn as_foreign<R>(f: impl FnOnce() -> R) -> R {
    let before = FOREIGN.replace(true);
    let result = f();
    FOREIGN.set(before);
    result
}

fn check_attached<const D: usize>(function: &str) {
    if D == Domain::Raw as usize || FOREIGN.get() {
        return;
    }
    let predicate = ATTACHED.load(Ordering::Acquire);
    let attached = if predicate.is_null() {
        !heap::current_heap().is_null()
    } else {
        // SAFETY: only `set_attached_predicate` stores here, and it stores such a function.
        let predicate = unsafe { core::mem::transmute::<*mut (), fn() -> bool>(predicate) };
        predicate()
    };
    if !attached {
        report::fatal(function, "Python memory allocator called without holding the GIL");
    }
}

/* ---- The four functions ---- */

/// Writes head and tail around `n` user bytes; returns the user's pointer.
///
/// # Safety
/// `inner` is a live block of at least `n + OVERHEAD` bytes.
unsafe fn dress<const D: usize>(inner: *mut u8, n: usize) -> *mut u8 {
    // SAFETY: all of it lies inside the block.
    unsafe {
        inner.cast::<[u8; 8]>().write_unaligned(n.to_be_bytes());
        inner.add(8).write(Domain::ALL[D].letter());
        inner.add(9).write_bytes(FORBIDDEN_BYTE, 7);
        let p = inner.add(HEAD);
        p.add(n).write_bytes(FORBIDDEN_BYTE, TAIL);
        p
    }
}

fn inner_of(ctx: *mut c_void) -> &'static Table {
    // SAFETY: the context of our hooks is a table, and tables live for ever.
    unsafe { &*ctx.cast::<Table>() }
}

unsafe extern "C" fn debug_malloc<const D: usize>(ctx: *mut c_void, n: usize) -> *mut c_void {
    check_attached::<D>("_PyMem_DebugMalloc");
    if n > MAX_SIZE - OVERHEAD {
        return ptr::null_mut();
    }
    let next = inner_of(ctx);
    // SAFETY: an allocator's function with its own context.
    let inner = unsafe { (next.malloc)(next.ctx, n + OVERHEAD) }.cast::<u8>();
    if inner.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the inner allocator gave that many bytes.
    unsafe {
        let p = dress::<D>(inner, n);
        p.write_bytes(CLEAN_BYTE, n);
        p.cast()
    }
}

unsafe extern "C" fn debug_calloc<const D: usize>(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    check_attached::<D>("_PyMem_DebugCalloc");
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
    check_attached::<D>("_PyMem_DebugRealloc");
    if p.is_null() {
        // SAFETY: the same request.
        return unsafe { debug_malloc::<D>(ctx, n) };
    }
    let p = p.cast::<u8>();
    let next = inner_of(ctx);
    // SAFETY: the caller says that `p` is a block of this domain; that is what is checked.
    unsafe { check_block::<D>("_PyMem_DebugRawRealloc", next, p) };
    if n > MAX_SIZE - OVERHEAD {
        return ptr::null_mut();
    }
    // SAFETY: checked.
    let old = unsafe { requested_size(p) };
    if n < old {
        // The block is made a whole smaller one first: the bytes that are cut off may be gone after
        // the inner call. If that refuses to move it, the block is good where it is.
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
    check_attached::<D>("_PyMem_DebugFree");
    if p.is_null() {
        return;
    }
    let p = p.cast::<u8>();
    let next = inner_of(ctx);
    // SAFETY: the caller says that `p` is a block of this domain; that is what is checked.
    unsafe {
        check_block::<D>("_PyMem_DebugRawFree", next, p);
        let n = requested_size(p);
        if n >= graves::LEAST {
            graves::dig(p);
        }
        p.sub(HEAD).write_bytes(DEAD_BYTE, n + OVERHEAD);
        (next.free)(next.ctx, p.sub(HEAD).cast());
    }
}

/// Checks the block at `p`, which must not be null; reports and ends the process if it is damaged.
///
/// # Safety
/// If `p` is not a live block, reading around it must be possible: that is beyond what can be checked.
unsafe fn check_block<const D: usize>(function: &str, next: &Table, p: *mut u8) {
    let domain = Domain::ALL[D];
    let builtin = D != Domain::Raw as usize && table::is_builtin(domain, next);
    if heap::foreign::is_late(p) {
        report::late(function, domain, p);
    }
    if graves::holds(p) {
        if !report::is_mapped(p.wrapping_sub(HEAD), HEAD + TAIL) {
            report::unmapped(function, domain, p);
        }
        graves::forget(p);
    }
    // SAFETY: the caller's promise.
    let head = unsafe { p.sub(8).cast::<[u8; 8]>().read() };
    if head[0] != domain.letter() {
        // SAFETY: as above; a dead block has at least eight bytes behind `p`.
        let dead = unsafe { looks_dead(head, p) };
        report::bad_block(function, domain, p, report::Fault::Id(head[0], dead));
    }
    if head[1..] != [FORBIDDEN_BYTE; 7] {
        report::bad_block(function, domain, p, report::Fault::Leading);
    }
    // SAFETY: letter and guard are right, so the size is believed.
    let tail = unsafe { p.add(requested_size(p)).cast::<[u8; TAIL]>().read() };
    if tail != [FORBIDDEN_BYTE; TAIL] {
        report::bad_block(function, domain, p, report::Fault::Trailing);
    }
    if builtin && !FOREIGN.get() {
        // SAFETY: the head is whole, so the block before it is one of the built-in allocator; the
        // attached heap is alive.
        unsafe { check_owner(function, domain, p) };
    }
}

/// # Safety
/// `p` is a live block of debug hooks right over the built-in allocator.
unsafe fn check_owner(function: &str, domain: Domain, p: *mut u8) {
    let inner = p.wrapping_sub(HEAD);
    // SAFETY: the caller's promise; who attaches a heap keeps it alive meanwhile.
    unsafe {
        let Some(heap) = heap::current_heap().as_ref() else {
            return;
        };
        if heap.usable_size(inner).is_some() {
            return;
        }
        if let Owner::Heap(owner, _) = heap::foreign::owner_of(inner) {
            let labels = (owner.as_ref().label(), heap.label());
            report::bad_block(function, domain, p, report::Fault::Interpreter(labels.0, labels.1));
        }
    }
}

/// Whether a block whose letter is wrong looks as the hooks leave a block that was freed. The inner
/// allocator may have used the first words of the block for a list of its own, but not all of them.
///
/// # Safety
/// `p` is readable for eight bytes.
unsafe fn looks_dead(head: [u8; 8], p: *const u8) -> bool {
    let dead = [DEAD_BYTE; 8];
    // SAFETY: the caller's promise.
    head == dead || unsafe { p.cast::<[u8; 8]>().read_unaligned() } == dead
}
