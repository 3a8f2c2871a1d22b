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
//! What is done in each call is in `hooks`, with a short way for small blocks of a heap's pages: there the block's
//! owner, head and tail are three comparisons, and nothing is called. Everything else, and every doubt, goes to `check`.
//! `fill` writes the patterns, `peek` reads what may not be there, `report` says what was found.
//!
//! Checks at `free` and `realloc`, in this order: a thread state is attached (mem, obj); the block's
//! interpreter still exists; the block is not already dead; its letter is the domain's; the guards are
//! whole; the block belongs to the attached interpreter. The first that fails is reported and ends the
//! process.

mod check;
mod fill;
mod graves;
mod hooks;
mod peek;
pub(crate) mod report;
#[cfg(test)]
mod tests;

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

pub(crate) use check::as_foreign;

use crate::domain::{Domain, PyMemAllocatorEx};
use crate::stack;
use crate::table::{self, Locked, Table};

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
        if !is_hook(domain, table::logical(domain)) {
            install(&mut writer, domain);
            SET_UP.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether [`setup_debug_hooks`] changed a table since the last selection of an allocator.
static SET_UP: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_set_up() -> bool {
    SET_UP.load(Ordering::Relaxed)
}

pub(crate) fn forget_set_up() {
    SET_UP.store(false, Ordering::Relaxed);
}

pub(crate) fn install(writer: &mut Locked<'_>, domain: Domain) {
    let top = table::logical(domain);
    if !is_hook(domain, top) {
        table::install(writer, domain, over(domain, top));
    }
}

fn over(domain: Domain, inner: &'static Table) -> PyMemAllocatorEx {
    // The hooks refer to what is below them for ever.
    stack::pin(inner);
    let ctx = ptr::from_ref(inner).cast_mut().cast::<c_void>();
    hook(domain, ctx)
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

/// The hooks of a domain over the table at `ctx`.
pub(crate) const fn hook(domain: Domain, ctx: *mut c_void) -> PyMemAllocatorEx {
    match domain {
        Domain::Raw => hooks::table::<0>(ctx),
        Domain::Mem => hooks::table::<1>(ctx),
        Domain::Obj => hooks::table::<2>(ctx),
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
