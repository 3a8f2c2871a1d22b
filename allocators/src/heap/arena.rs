//! Arenas: the megabytes from which pages are cut.
//!
//! ```text
//!   reserved range, mapped readable and never written: every read gives zeros and takes no memory
//!   ┌───────┬───────┬───────┬───────┬──── … ────────┐
//!   │ arena │ arena │ zeros │ arena │ zeros         │   64 GiB of addresses, less if the system
//!   └───┬───┴───────┴───────┴───────┴──── … ────────┘   does not give so much
//!       ▼ 1 MiB, writable while a heap has it
//!   ┌──────┬──────┬──── … ─┬──────┐
//!   │ page │ page │        │ page │   64 pages of 16 KiB, a bit in `free` for each
//!   └──────┴──────┴──── … ─┴──────┘
//! ```
//!
//! Because all arenas lie in one range, "is this a small block?" is a subtraction and a comparison. An
//! arena that is returned becomes zeros again, so a block that is freed too late finds a page without a
//! heap (P4) instead of a fault. Arenas of a user's arena allocator, or those that came when the range
//! was used up, lie *outside*; each heap keeps a sorted list of them.
//!
//! Invariants:
//! - A1: the bits of `free` are the pages that are not in use; an arena with a bit set is on the heap's
//!   list of arenas with room, and only such.
//! - A2: at most one arena of a heap has all its pages free: the one kept against thrashing.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::Heap;
use super::page::{PAGE_SIZE, Page};
use crate::domain::PyObjectArenaAllocator;
use crate::lock::{Guard, Lock};

/// Size of an arena, in bytes.
pub const ARENA_SIZE: usize = 1 << 20;
const RESERVE_MAX: usize = 64 << 30;
const RESERVE_MIN: usize = 64 << 20;
const SLOTS: usize = RESERVE_MAX / ARENA_SIZE;

/// What a heap knows about one of its arenas. Kept outside the arena, so that all 64 pages are usable.
pub(crate) struct Arena {
    /// First page.
    pub(crate) base: *mut u8,
    /// What the arena allocator gave; differs from `base` if that was not aligned.
    given: *mut u8,
    /// Where it goes back to; `None` for the reserved range.
    allocator: Option<PyObjectArenaAllocator>,
    /// A bit for each page that is not in use.
    pub(crate) free: Cell<u64>,
    /// The bits of all pages.
    pub(crate) all: u64,
    /// A bit for each page that holds no memory of the system (A3, see `trim`).
    pub(crate) purged: Cell<u64>,
    pub(crate) next: Cell<*mut Arena>,
    pub(crate) prev: Cell<*mut Arena>,
    pub(crate) room_next: Cell<*mut Arena>,
    pub(crate) room_prev: Cell<*mut Arena>,
}

impl Arena {
    pub(crate) fn is_outside(&self) -> bool {
        self.allocator.is_some()
    }

    pub(crate) fn page(&self, index: usize) -> *mut Page {
        self.base.wrapping_add(index * PAGE_SIZE).cast()
    }

    pub(crate) fn contains(&self, p: *mut u8) -> bool {
        let offset = (p as usize).wrapping_sub(self.base as usize);
        offset < ARENA_SIZE && offset / PAGE_SIZE < self.all.count_ones() as usize
    }
}

/* ---- The reserved range ---- */

static BASE: AtomicUsize = AtomicUsize::new(0);
static LEN: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Reserve {
    tried: bool,
    /// A bit for each arena that is taken.
    taken: [u64; SLOTS / 64],
    /// No slot below this word is free.
    hint: usize,
    allocator: PyObjectArenaAllocator,
}
// SAFETY: the allocator's context is the installer's business, who promises that any thread may call.
unsafe impl Send for Reserve {}

pub(crate) static RESERVE: Lock<Reserve> =
    Lock::new(Reserve { tried: false, taken: [0; SLOTS / 64], hint: 0, allocator: DEFAULT });

/// Whether an address lies in the reserved range: then, and only then, its page may be looked at.
#[inline(always)]
pub(crate) fn in_reserve(p: *mut u8) -> bool {
    (p as usize).wrapping_sub(BASE.load(Ordering::Relaxed)) < LEN.load(Ordering::Relaxed)
}

/// Base and length of the reserved range; made on first use.
pub(crate) fn reserve_range() -> (usize, usize) {
    let mut reserve = RESERVE.lock();
    ensure(&mut reserve);
    (BASE.load(Ordering::Relaxed), LEN.load(Ordering::Relaxed))
}

const QUIET: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

fn ensure(reserve: &mut Guard<'_, Reserve>) {
    if reserve.tried {
        return;
    }
    reserve.tried = true;
    let mut size = RESERVE_MAX;
    while size >= RESERVE_MIN {
        // One arena more than needed, to find an aligned start.
        // SAFETY: a fresh mapping at an address of the system's choice.
        let at = unsafe { libc::mmap(ptr::null_mut(), size + ARENA_SIZE, libc::PROT_READ, QUIET, -1, 0) };
        if at != libc::MAP_FAILED {
            BASE.store((at as usize).next_multiple_of(ARENA_SIZE), Ordering::Relaxed);
            LEN.store(size, Ordering::Release);
            return;
        }
        size /= 4;
    }
}

fn take_slot(reserve: &mut Guard<'_, Reserve>) -> *mut u8 {
    ensure(reserve);
    let slots = LEN.load(Ordering::Relaxed) / ARENA_SIZE;
    for word in reserve.hint..slots / 64 {
        let bit = (!reserve.taken[word]).trailing_zeros() as usize;
        if bit == 64 {
            continue;
        }
        reserve.hint = word;
        let at = (BASE.load(Ordering::Relaxed) + (word * 64 + bit) * ARENA_SIZE) as *mut u8;
        // SAFETY: the slot lies in our reserved range and nobody has it.
        let denied = unsafe { libc::mprotect(at.cast(), ARENA_SIZE, libc::PROT_READ | libc::PROT_WRITE) != 0 };
        if denied {
            return ptr::null_mut();
        }
        reserve.taken[word] |= 1 << bit;
        super::trim::advise(at);
        return at;
    }
    ptr::null_mut()
}

fn return_slot(at: *mut u8) {
    let mut reserve = RESERVE.lock();
    // SAFETY: the slot is ours; the new mapping takes its place in one step, so a late reader sees
    // either the old bytes or zeros.
    let mapped = unsafe { libc::mmap(at.cast(), ARENA_SIZE, libc::PROT_READ, QUIET | libc::MAP_FIXED, -1, 0) };
    if mapped == libc::MAP_FAILED {
        // No mapping is left to split off. The memory goes back all the same and reads as zeros.
        // SAFETY: as above.
        unsafe { libc::madvise(at.cast(), ARENA_SIZE, libc::MADV_DONTNEED) };
    }
    let slot = (at as usize - BASE.load(Ordering::Relaxed)) / ARENA_SIZE;
    reserve.taken[slot / 64] &= !(1 << (slot % 64));
    reserve.hint = reserve.hint.min(slot / 64);
}

/// Number of arenas of the reserved range that heaps have now.
#[cfg(test)]
pub(crate) fn slots_taken() -> u32 {
    RESERVE.lock().taken.iter().map(|word| word.count_ones()).sum()
}

/* ---- The arena allocator ---- */

const DEFAULT: PyObjectArenaAllocator =
    PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: Some(default_alloc), free: Some(default_free) };

unsafe extern "C" fn default_alloc(_: *mut c_void, size: usize) -> *mut c_void {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping at an address of the system's choice.
    let at = unsafe { libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if at == libc::MAP_FAILED { ptr::null_mut() } else { at }
}

unsafe extern "C" fn default_free(_: *mut c_void, p: *mut c_void, size: usize) {
    // SAFETY: the caller gives back what `default_alloc` gave.
    unsafe { libc::munmap(p, size) };
}

/// The allocator of arenas.
#[must_use]
pub fn get_arena_allocator() -> PyObjectArenaAllocator {
    RESERVE.lock().allocator
}

/// Installs an allocator of arenas, for those that are made from now on; an arena goes back to the
/// allocator that made it. Arenas of another allocator than the default lie outside the reserved range,
/// which makes `free` search them.
///
/// # Safety
/// The functions fulfil the contract, from any thread, for as long as arenas of theirs live.
pub unsafe fn set_arena_allocator(allocator: PyObjectArenaAllocator) {
    RESERVE.lock().allocator = allocator;
}

static OBSERVER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says what to call when a heap is about to take a new arena (`PYTHONMALLOCSTATS`). The function must
/// not allocate from that heap.
pub fn set_arena_observer(observer: Option<fn(&Heap)>) {
    let observer = observer.map_or(ptr::null_mut(), |f| f as *mut ());
    OBSERVER.store(observer, Ordering::Release);
}

pub(crate) fn tell_observer(heap: &Heap) {
    let observer = OBSERVER.load(Ordering::Acquire);
    if !observer.is_null() {
        // SAFETY: only `set_arena_observer` stores here, and it stores such a function.
        let observer = unsafe { core::mem::transmute::<*mut (), fn(&Heap)>(observer) };
        observer(heap);
    }
}

fn is_default(allocator: &PyObjectArenaAllocator) -> bool {
    allocator.ctx.is_null() && allocator.alloc.map(|f| f as usize) == DEFAULT.alloc.map(|f| f as usize)
}

/* ---- Arenas of a heap ---- */

/// A new arena with all pages free, on no list; null if there is no memory.
pub(crate) fn new() -> *mut Arena {
    // SAFETY: plain allocation; the result is tested.
    let arena = unsafe { libc::calloc(1, size_of::<Arena>()) }.cast::<Arena>();
    if arena.is_null() {
        return arena;
    }
    let allocator = {
        let mut reserve = RESERVE.lock();
        let allocator = reserve.allocator;
        let slot = if is_default(&allocator) { take_slot(&mut reserve) } else { ptr::null_mut() };
        if !slot.is_null() {
            drop(reserve);
            // SAFETY: fresh, and large enough.
            unsafe { arena.write(describe(slot, ARENA_SIZE / PAGE_SIZE, slot, None)) };
            return arena;
        }
        allocator
    };
    // SAFETY: the installer's promise.
    let given = allocator.alloc.map_or(ptr::null_mut(), |f| unsafe { f(allocator.ctx, ARENA_SIZE) });
    if given.is_null() {
        // SAFETY: allocated above and not used.
        unsafe { libc::free(arena.cast()) };
        return ptr::null_mut();
    }
    let given = given.cast::<u8>();
    let shift = given.align_offset(PAGE_SIZE);
    let pages = (ARENA_SIZE - shift) / PAGE_SIZE;
    // SAFETY: fresh, and large enough.
    unsafe { arena.write(describe(given.wrapping_add(shift), pages, given, Some(allocator))) };
    for index in 0..pages {
        // What a user's allocator gives may hold anything, P4 wants null.
        // SAFETY: the page is ours.
        unsafe { (&raw mut (*(*arena).page(index)).heap).write(Cell::new(ptr::null())) };
    }
    arena
}

fn describe(base: *mut u8, pages: usize, given: *mut u8, allocator: Option<PyObjectArenaAllocator>) -> Arena {
    let all = if pages == 64 { u64::MAX } else { (1 << pages) - 1 };
    Arena {
        base,
        given,
        allocator,
        free: Cell::new(all),
        all,
        purged: Cell::new(all),
        next: Cell::new(ptr::null_mut()),
        prev: Cell::new(ptr::null_mut()),
        room_next: Cell::new(ptr::null_mut()),
        room_prev: Cell::new(ptr::null_mut()),
    }
}

/// Gives an arena back.
///
/// # Safety
/// It came from [`new`], is on no list any more, and nothing in it is used.
pub(crate) unsafe fn release(arena: *mut Arena) {
    // SAFETY: the caller's promise.
    let (given, allocator) = unsafe { ((*arena).given, (*arena).allocator) };
    match allocator {
        None => return_slot(given),
        Some(allocator) => {
            if let Some(free) = allocator.free {
                // SAFETY: it goes back to the functions that made it.
                unsafe { free(allocator.ctx, given.cast(), ARENA_SIZE) };
            }
        }
    }
    // SAFETY: allocated by `new`.
    unsafe { libc::free(arena.cast()) };
}

impl Heap {
    /// Calls `f` with each arena.
    pub(crate) fn for_each_arena(&self, f: &mut dyn FnMut(&Arena)) {
        let mut at = self.arenas.get();
        while !at.is_null() {
            // SAFETY: the list holds this heap's arenas, which live until they are taken off.
            let arena = unsafe { &*at };
            at = arena.next.get();
            f(arena);
        }
    }

    /// Calls `f` with each page in use.
    pub(crate) fn for_each_page(&self, f: &mut dyn FnMut(&Page)) {
        self.for_each_arena(&mut |arena| {
            let mut used = arena.all & !arena.free.get();
            while used != 0 {
                let index = used.trailing_zeros() as usize;
                used &= used - 1;
                // SAFETY: A1: the page is in use, so it has been initialized.
                f(unsafe { &*arena.page(index) });
            }
        });
    }
}
