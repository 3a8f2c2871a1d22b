//! Arenas: the megabytes from which pages are cut.
//!
//! ```text
//!   reserved range, mapped readable and never written: every read gives zeros and takes no memory
//!   ┌───────┬───────┬───────┬───────┬──── … ────────┐
//!   │ arena │ arena │ zeros │ arena │ zeros         │   64 GiB of addresses, less if the system
//!   └───┬───┴───────┴───────┴───────┴──── … ────────┘   does not give so much
//!       ▼ 1 MiB, writable while a heap has it
//!   ┌──────────┬──────┬──── … ─┬──────┐
//!   │ headers  │ page │        │ page │   63 pages of 16 KiB, a bit in `free` for each; the headers
//!   └──────────┴──────┴──── … ─┴──────┘   of arena and pages are where the first page would be (in debug
//!                                         builds the first two)
//! ```
//!
//! Because all arenas lie in one range, "is this a small block?" is a subtraction and a comparison, and
//! the header of a block's page is found by arithmetic. An arena that is returned becomes zeros again,
//! so an address that is looked at too late is no fault. Arenas of a user's arena allocator, or those
//! that came when the range was used up, lie *outside*; each heap keeps a sorted list of them.
//!
//! Invariants:
//! - A1: the bits of `free` are the pages that are not in use; an arena with a bit set is on the heap's
//!   list of arenas with room, and only such; but see A2.
//! - A2: the arenas of a heap that have all their pages free are on its list of spare ones, those that became so last
//!   first, and not on the list of those with room (see `spare`).

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::Heap;
use super::page::{FAR, PAGE_SIZE, Page};
use super::pagemap;
use crate::domain::PyObjectArenaAllocator;
use crate::lock::{Guard, Lock};

/// Size of an arena, in bytes.
pub const ARENA_SIZE: usize = 1 << 20;
const RESERVE_MAX: usize = 64 << 30;
const RESERVE_MIN: usize = 64 << 20;
const SLOTS: usize = RESERVE_MAX / ARENA_SIZE;
/// Pages for which an arena has headers. The first is never used: it holds the headers.
const PAGES: usize = ARENA_SIZE / PAGE_SIZE;
/// Pages that the headers take: those of debug builds are larger.
pub(crate) const HEADER_PAGES: usize = size_of::<Arena>().div_ceil(PAGE_SIZE);
/// The bits of the pages of an arena that is aligned.
const ALL: u64 = !((1 << HEADER_PAGES) - 1);

/// `MADV_POPULATE_WRITE`, since Linux 5.14.
pub(super) const POPULATE: libc::c_int = 23;

/// What a heap knows about one of its arenas: its first bytes.
#[repr(C, align(128))]
pub(crate) struct Arena {
    /// The heap that has the arena.
    pub(crate) heap: Cell<*const Heap>,
    /// What the arena allocator gave; differs from the arena's address if that was not aligned.
    given: *mut u8,
    /// Where it goes back to; `None` for the reserved range.
    allocator: Option<PyObjectArenaAllocator>,
    /// A bit for each page that is not in use.
    pub(crate) free: Cell<u64>,
    /// The bits of all pages.
    pub(crate) all: u64,
    /// A bit for each page that was used since its memory was last given back (A3, see `trim`).
    pub(crate) touched: Cell<u64>,
    pub(crate) next: Cell<*mut Arena>,
    pub(crate) prev: Cell<*mut Arena>,
    pub(crate) room_next: Cell<*mut Arena>,
    pub(crate) room_prev: Cell<*mut Arena>,
    /// When the arena became spare, in milliseconds of a clock that never goes back.
    pub(crate) since: Cell<u64>,
    // What follows is zeros for a page that was never used: fresh memory of the system is not written.
    pages: [Page; PAGES],
    far: [[Cell<u64>; FAR]; PAGES],
}

#[cfg(not(debug_assertions))]
const _: () = assert!(HEADER_PAGES == 1);

impl Arena {
    pub(crate) fn is_outside(&self) -> bool {
        self.allocator.is_some()
    }

    /// Whether its allocator gave an address that costs the arena a page.
    pub(crate) fn is_unaligned(&self) -> bool {
        self.all != ALL
    }

    /// The header of a page.
    pub(crate) fn page(&self, index: usize) -> &Page {
        &self.pages[index]
    }

    /// The number of a page of this arena.
    pub(crate) fn index_of(&self, page: *const Page) -> usize {
        (page as usize - (&raw const self.pages) as usize) / size_of::<Page>()
    }

    /// The bits of a page that do not fit into its header.
    pub(crate) fn far_bits(&self, page: *const Page) -> &[Cell<u64>; FAR] {
        &self.far[self.index_of(page)]
    }

    /// Whether no page is in use.
    pub(crate) fn is_unused(&self) -> bool {
        self.free.get() == self.all
    }

    /// Where the blocks of a page start.
    pub(crate) fn start_of(&self, page: *const Page) -> *mut u8 {
        let base = ptr::from_ref(self).cast::<u8>().cast_mut();
        base.wrapping_add(self.index_of(page) * PAGE_SIZE)
    }

    /// The pages that are not in use, but hold memory of the system.
    pub(crate) fn dirty(&self) -> u64 {
        self.free.get() & self.touched.get()
    }

    /// Fetches the memory of the first pages that are not in use, as for [`Arena::touch`].
    pub(crate) fn expect(&self, bytes: usize) {
        if self.is_outside() || !cfg!(target_os = "linux") {
            return;
        }
        let untouched = self.free.get() & !self.touched.get();
        let first = untouched.trailing_zeros();
        let run = (untouched >> (first % 64)).trailing_ones().min(bytes.div_ceil(PAGE_SIZE) as u32);
        if untouched == 0 || run == 0 {
            return;
        }
        let bits = (u64::MAX >> (64 - run)) << first;
        let start = self.start_of(&raw const self.pages[first as usize]);
        // SAFETY: the pages are the heap's, and nobody's in it.
        let done = unsafe { libc::madvise(start.cast(), run as usize * PAGE_SIZE, POPULATE) == 0 };
        if done {
            self.touched.set(self.touched.get() | bits);
        }
    }

    /// Notes that a page is used. If its class has many pages, one that was never used is fetched from the
    /// system as a whole: one call is cheaper than the faults that its blocks would make one after the
    /// other. It is advice: if the system declines, the faults come.
    pub(crate) fn touch(&self, index: usize, growing: bool) {
        let bit = 1 << index;
        if self.touched.get() & bit != 0 {
            return;
        }
        self.touched.set(self.touched.get() | bit);
        if growing && cfg!(target_os = "linux") && !self.is_outside() {
            let start = self.start_of(&raw const self.pages[index]);
            // SAFETY: the page is the heap's, and its contents do not change.
            unsafe { libc::madvise(start.cast(), PAGE_SIZE, POPULATE) };
        }
    }

    /// The header of the page in which an address lies, if it lies in this arena; the page may be out of
    /// use.
    pub(crate) fn find(&self, p: *mut u8) -> Option<&Page> {
        let index = (p as usize).wrapping_sub(ptr::from_ref(self) as usize) / PAGE_SIZE;
        (index < PAGES && self.all & 1 << index != 0).then(|| &self.pages[index])
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
    /// Arenas of heaps that are gone; see [`release_all`].
    kept: [*mut Arena; KEPT],
    kept_count: usize,
    /// When the last of them came.
    kept_since: u64,
}
// SAFETY: the allocator's context is the installer's business, who promises that any thread may call; the arenas are
// nobody's.
unsafe impl Send for Reserve {}

/// The most arenas that are kept for the next heap.
const KEPT: usize = 4;

pub(crate) static RESERVE: Lock<Reserve> = Lock::new(Reserve {
    tried: false,
    taken: [0; SLOTS / 64],
    hint: 0,
    allocator: DEFAULT,
    kept: [ptr::null_mut(); KEPT],
    kept_count: 0,
    kept_since: 0,
});

/// Whether an address lies in the reserved range.
#[inline(always)]
pub(crate) fn in_reserve(p: *mut u8) -> bool {
    (p as usize).wrapping_sub(BASE.load(Ordering::Relaxed)) < LEN.load(Ordering::Relaxed)
}

/// The header of the page of an address in the reserved range, if the page is in use (M1).
pub(crate) fn page_in_reserve(p: *mut u8) -> Option<*mut Page> {
    let base = BASE.load(Ordering::Relaxed);
    let offset = p as usize - base;
    // SAFETY: the address lies in the range, as the caller found out.
    let bin = unsafe { pagemap::get(pagemap::base(), offset) };
    if bin.is_null() {
        return None;
    }
    let arena = (base + offset / ARENA_SIZE * ARENA_SIZE) as *const Arena;
    // SAFETY: M1: the page is in use, so its arena's headers are there.
    Some(ptr::from_ref(unsafe { (*arena).page(offset % ARENA_SIZE / PAGE_SIZE) }).cast_mut())
}

/// Enters a page of an arena in the page map, or takes it off (M1).
pub(crate) fn map_page(arena: &Arena, page: &Page) {
    if !arena.is_outside() {
        let offset = arena.start_of(page) as usize - BASE.load(Ordering::Relaxed);
        // SAFETY: the arena is one of the range, and the heap that has it calls.
        unsafe { pagemap::set(offset, page.bin.get()) };
    }
}

/// Takes a page of an arena off the page map (M1). Its header is not looked at.
fn unmap_page(arena: &Arena, index: usize) {
    if !arena.is_outside() {
        let offset = ptr::from_ref(arena) as usize - BASE.load(Ordering::Relaxed) + index * PAGE_SIZE;
        // SAFETY: the arena is one of the range, and the heap that has it calls.
        unsafe { pagemap::set(offset, ptr::null()) };
    }
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
            if !pagemap::reserve(size) {
                // SAFETY: mapped above, and nobody knows of it.
                unsafe { libc::munmap(at, size + ARENA_SIZE) };
                return;
            }
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

/// Gives neighbouring slots back.
fn return_slots(at: *mut u8, count: usize) {
    let mut reserve = RESERVE.lock();
    let bytes = count * ARENA_SIZE;
    // SAFETY: the slots are ours; the new mapping takes their place in one step, so a late reader sees
    // either the old bytes or zeros.
    let mapped = unsafe { libc::mmap(at.cast(), bytes, libc::PROT_READ, QUIET | libc::MAP_FIXED, -1, 0) };
    if mapped == libc::MAP_FAILED {
        // No mapping is left to split off. The memory goes back all the same and reads as zeros.
        // SAFETY: as above.
        unsafe { libc::madvise(at.cast(), bytes, libc::MADV_DONTNEED) };
    }
    let first = (at as usize - BASE.load(Ordering::Relaxed)) / ARENA_SIZE;
    for slot in first..first + count {
        reserve.taken[slot / 64] &= !(1 << (slot % 64));
    }
    reserve.hint = reserve.hint.min(first / 64);
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

/// A new arena of a heap with all pages free, on no list; null if there is no memory.
pub(crate) fn new(heap: &Heap) -> *mut Arena {
    let allocator = {
        let mut reserve = RESERVE.lock();
        let allocator = reserve.allocator;
        if is_default(&allocator) && reserve.kept_count != 0 {
            reserve.kept_count -= 1;
            let at = reserve.kept[reserve.kept_count];
            drop(reserve);
            // SAFETY: the arena was kept whole, and nobody else has it; it still holds the memory that it held.
            return unsafe {
                let touched = (*at).touched.get();
                let at = describe(heap, at.cast(), ALL, at.cast(), None);
                (*at).touched.set(touched);
                at
            };
        }
        let slot = if is_default(&allocator) { take_slot(&mut reserve) } else { ptr::null_mut() };
        if !slot.is_null() {
            drop(reserve);
            // SAFETY: nobody else has the slot, which is aligned and has room.
            return unsafe { describe(heap, slot, ALL, slot, None) };
        }
        allocator
    };
    // SAFETY: the installer's promise.
    let given = allocator.alloc.map_or(ptr::null_mut(), |f| unsafe { f(allocator.ctx, ARENA_SIZE) });
    if given.is_null() {
        return ptr::null_mut();
    }
    let given = given.cast::<u8>();
    let shift = given.align_offset(align_of::<Arena>());
    let all = if shift == 0 { ALL } else { ALL >> 1 & ALL };
    // SAFETY: the arena allocator gave that many bytes.
    unsafe { describe(heap, given.wrapping_add(shift), all, given, Some(allocator)) }
}

/// Writes the headers of an arena. Those of the pages are left as they are if it is one of the range, which is zeros where
/// it was not written, and where it was has the headers of pages that are not in use any more.
///
/// # Safety
/// `at` is aligned and nobody uses the memory of the pages in `all` and of the first one.
unsafe fn describe(
    heap: &Heap,
    at: *mut u8,
    all: u64,
    given: *mut u8,
    allocator: Option<PyObjectArenaAllocator>,
) -> *mut Arena {
    let arena = at.cast::<Arena>();
    // SAFETY: the caller's promise, for all fields; a reference is made when all of them have values.
    unsafe {
        (&raw mut (*arena).heap).write(Cell::new(heap));
        (&raw mut (*arena).given).write(given);
        (&raw mut (*arena).allocator).write(allocator);
        (&raw mut (*arena).free).write(Cell::new(all));
        (&raw mut (*arena).all).write(all);
        (&raw mut (*arena).touched).write(Cell::new(0));
        for link in
            [&raw mut (*arena).next, &raw mut (*arena).prev, &raw mut (*arena).room_next, &raw mut (*arena).room_prev]
        {
            link.write(Cell::new(ptr::null_mut()));
        }
        (&raw mut (*arena).since).write(Cell::new(0));
        if allocator.is_some() {
            (&raw mut (*arena).pages).write([const { Page::unused() }; PAGES]);
            (&raw mut (*arena).far).write([const { [const { Cell::new(0) }; FAR] }; PAGES]);
        }
    }
    arena
}

/// Takes the pages of an arena off the page map, and if it is to be kept, out of use. Returns the slot that it has in the
/// reserved range; an arena outside goes back to its allocator at once, and the answer is null.
///
/// # Safety
/// It came from [`new`], is on no list any more, and nothing in it is used.
unsafe fn clear(arena: *mut Arena, keep: bool) -> *mut u8 {
    // SAFETY: the caller's promise.
    let (given, allocator) = unsafe {
        let mut used = (*arena).all & !(*arena).free.get();
        while used != 0 {
            let index = used.trailing_zeros() as usize;
            used &= used - 1;
            if keep {
                (*arena).page(index).bin.set(ptr::null());
            }
            unmap_page(&*arena, index);
        }
        ((*arena).given, (*arena).allocator)
    };
    let Some(allocator) = allocator else {
        return given;
    };
    if let Some(free) = allocator.free {
        // SAFETY: it goes back to the functions that made it.
        unsafe { free(allocator.ctx, given.cast(), ARENA_SIZE) };
    }
    ptr::null_mut()
}

/// Gives an arena back.
///
/// # Safety
/// It came from [`new`], is on no list any more, and nothing in it is used.
pub(crate) unsafe fn release(arena: *mut Arena) {
    // SAFETY: the caller's promise.
    let slot = unsafe { clear(arena, false) };
    if !slot.is_null() {
        return_slots(slot, 1);
    }
}

/// Gives a list of arenas back, linked by `next`. Neighbours go in one call of the system.
///
/// With `keep` up to [`KEPT`] of them stay as they are, for the heap that next wants an arena: that takes and gives no
/// memory of the system, which is nearly all that a heap of some megabytes costs at its beginning and at its end. They go
/// back when nobody has wanted them for a while and an arena is given back again, with [`drop_kept`], and with the last
/// heap.
///
/// # Safety
/// As for [`release`], for each of them.
pub(crate) unsafe fn release_all(first: *mut Arena, keep: bool) {
    if keep && time_to_drop() {
        drop_kept();
    }
    let mut at = first;
    let (mut low, mut count) = (ptr::null_mut::<u8>(), 0);
    while !at.is_null() {
        // SAFETY: the caller's promise; the next one is read before this one goes.
        let next = unsafe { (*at).next.get() };
        // SAFETY: as above.
        let kept = keep && unsafe { keep_arena(at) };
        // SAFETY: as above.
        let slot = if kept { ptr::null_mut() } else { unsafe { clear(at, false) } };
        at = next;
        if slot.is_null() {
            continue;
        }
        if slot.wrapping_add(ARENA_SIZE) == low {
            low = slot;
            count += 1;
        } else if count != 0 && slot == low.wrapping_add(count * ARENA_SIZE) {
            count += 1;
        } else {
            if count != 0 {
                return_slots(low, count);
            }
            (low, count) = (slot, 1);
        }
    }
    if count != 0 {
        return_slots(low, count);
    }
}

/// Keeps an arena of the range, if there is room for it.
///
/// # Safety
/// As for [`release`].
unsafe fn keep_arena(at: *mut Arena) -> bool {
    // SAFETY: the caller's promise.
    if unsafe { (*at).is_outside() } || RESERVE.lock().kept_count == KEPT {
        return false;
    }
    // SAFETY: the caller's promise.
    unsafe { clear(at, true) };
    let mut reserve = RESERVE.lock();
    let count = reserve.kept_count;
    if count == KEPT {
        // Somebody else was quicker. Its pages are out of use already.
        drop(reserve);
        return_slots(at.cast(), 1);
        return true;
    }
    reserve.kept[count] = at;
    reserve.kept_count = count + 1;
    reserve.kept_since = super::spare::now();
    true
}

fn time_to_drop() -> bool {
    let reserve = RESERVE.lock();
    reserve.kept_count != 0 && super::spare::now().wrapping_sub(reserve.kept_since) >= super::spare::DECAY
}

/// Gives back what is kept for the next heap.
pub(crate) fn drop_kept() {
    loop {
        let at = {
            let mut reserve = RESERVE.lock();
            if reserve.kept_count == 0 {
                return;
            }
            reserve.kept_count -= 1;
            reserve.kept[reserve.kept_count]
        };
        return_slots(at.cast(), 1);
    }
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
                f(arena.page(index));
            }
        });
    }
}
