//! The table of each domain, and how it is exchanged (D5).
//!
//! ```text
//!   EFFECTIVE[obj] ──► Table { ctx, malloc, calloc, realloc, free }   immutable, never freed
//!                        │ ctx, when the functions are debug's or fault's
//!                        ▼
//!                      Table { … }  the next allocator of the stack
//! ```
//!
//! A reader loads one pointer and makes one indirect call; since a table is never changed nor freed
//! while the process lives, it always sees a whole one. Tables are *interned*: installing an allocator
//! that was installed before finds its old table, so exchanging two allocators for ever takes no
//! memory. The first ones lie in a static pool, later ones in a chain from the C library that stays
//! reachable: a user may still hold a copy of the hooks that point to it.
//!
//! Invariants:
//! - T1: `UNWATCHED[d]` is `LOGICAL[d]`, or the fault table over it while faults are armed; `EFFECTIVE[d]` is
//!   that, or the watch over it while a heap is watched.
//! - T2: a heap's `direct` flag is set only if `UNWATCHED[d]` is the built-in table and the heap is not watched;
//!   its `watched` flag if the table is and the heap is.
//! - T3: no two tables are equal.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::domain::{CallocFn, Domain, FreeFn, MallocFn, PyMemAllocatorEx, ReallocFn};
use crate::lock::{Guard, Lock};
use crate::{debug, fault, guard, heap, raw, stack, watch};

/// An allocator in the form in which it is called: without a test for missing functions.
pub(crate) struct Table {
    pub(crate) ctx: *mut c_void,
    pub(crate) malloc: MallocFn,
    pub(crate) calloc: CallocFn,
    pub(crate) realloc: ReallocFn,
    pub(crate) free: FreeFn,
    /// What was installed, to be shown by `get_allocator`.
    pub(crate) given: PyMemAllocatorEx,
    next: *const Table,
}

// SAFETY: a table is immutable once published; what `ctx` points to is the installer's business, who
// promises that the functions may be called from any thread.
unsafe impl Sync for Table {}
// SAFETY: as above.
unsafe impl Send for Table {}

impl Table {
    pub(crate) const fn new(given: PyMemAllocatorEx, next: *const Self) -> Self {
        Self {
            ctx: given.ctx,
            malloc: match given.malloc {
                Some(f) => f,
                None => missing_malloc,
            },
            calloc: match given.calloc {
                Some(f) => f,
                None => missing_calloc,
            },
            realloc: match given.realloc {
                Some(f) => f,
                None => missing_realloc,
            },
            free: match given.free {
                Some(f) => f,
                None => missing_free,
            },
            given,
            next,
        }
    }
}

static BUILTIN: [Table; 3] = [
    Table::new(raw::BUILTIN, ptr::null()),
    Table::new(heap::MEM_BUILTIN, ptr::null()),
    Table::new(heap::OBJ_BUILTIN, ptr::null()),
];

/// The debug hooks right over the built-in tables: what a debug build starts with.
static HOOKED: [Table; 3] = [
    Table::new(debug::hook(Domain::Raw, (&raw const BUILTIN[0]).cast_mut().cast()), ptr::null()),
    Table::new(debug::hook(Domain::Mem, (&raw const BUILTIN[1]).cast_mut().cast()), ptr::null()),
    Table::new(debug::hook(Domain::Obj, (&raw const BUILTIN[2]).cast_mut().cast()), ptr::null()),
];

const fn first(domain: usize) -> AtomicPtr<Table> {
    let table = if crate::name::DEBUG_BUILD { &raw const HOOKED[domain] } else { &raw const BUILTIN[domain] };
    AtomicPtr::new(table.cast_mut())
}

static EFFECTIVE: [AtomicPtr<Table>; 3] = [first(0), first(1), first(2)];

static UNWATCHED: [AtomicPtr<Table>; 3] = [first(0), first(1), first(2)];

static LOGICAL: [AtomicPtr<Table>; 3] = [first(0), first(1), first(2)];

/// Whether the raw domain ends in the C library, under our own hooks at most: then large blocks of a
/// heap go to the C library directly.
static RAW_IS_OURS: AtomicBool = AtomicBool::new(true);

const POOL: usize = 128;

struct Pool(UnsafeCell<[MaybeUninit<Table>; POOL]>);
// SAFETY: slots are written once, under the writer's lock, before a pointer to them is published.
unsafe impl Sync for Pool {}
static STATIC_POOL: Pool = Pool(UnsafeCell::new([const { MaybeUninit::uninit() }; POOL]));

pub(crate) struct Writer {
    pool_used: usize,
    chain: *const Table,
}
// SAFETY: the chain's tables are `Send` and `Sync`.
unsafe impl Send for Writer {}

/// The right to exchange tables.
pub(crate) type Locked<'a> = Guard<'a, Writer>;

pub(crate) static WRITER: Lock<Writer> = Lock::new(Writer { pool_used: 0, chain: ptr::null() });

/// The table through which a call into `domain` goes.
#[inline(always)]
pub(crate) fn current(domain: Domain) -> &'static Table {
    // SAFETY: the pointer is never null and its table is never changed nor freed.
    unsafe { &*EFFECTIVE[domain.index()].load(Ordering::Acquire) }
}

/// The table below the watch.
#[inline(always)]
pub(crate) fn unwatched(domain: Domain) -> &'static Table {
    // SAFETY: as for `current`.
    unsafe { &*UNWATCHED[domain.index()].load(Ordering::Acquire) }
}

/// The table that was installed, without the fault layer.
pub(crate) fn logical(domain: Domain) -> &'static Table {
    // SAFETY: as for `current`.
    unsafe { &*LOGICAL[domain.index()].load(Ordering::Acquire) }
}

pub(crate) fn builtin(domain: Domain) -> &'static Table {
    &BUILTIN[domain.index()]
}

pub(crate) fn is_builtin(domain: Domain, table: &Table) -> bool {
    ptr::eq(table, builtin(domain))
}

/// Whether a table is the built-in one, or the one that samples for `guard`.
pub(crate) fn is_own(domain: Domain, table: &Table) -> bool {
    is_builtin(domain, table) || (domain == Domain::Raw && guard::is_table(table))
}

/// Whether calls into `domain` reach the built-in allocator at once, but for the watch (T2).
pub(crate) fn is_direct(domain: Domain) -> bool {
    is_builtin(domain, unwatched(domain))
}

pub(crate) fn raw_is_ours() -> bool {
    RAW_IS_OURS.load(Ordering::Relaxed)
}

/// The allocator of `domain`.
#[must_use]
pub fn get_allocator(domain: Domain) -> PyMemAllocatorEx {
    let _writer = WRITER.lock();
    let top = logical(domain);
    // The caller has a copy now, and may use it for ever.
    stack::pin(top);
    top.given
}

/// Installs an allocator for `domain`, at any time and from any thread.
///
/// A fatal error if there is no memory left for the table itself, which can happen only after more
/// than a hundred different allocators.
///
/// # Safety
/// The functions fulfil the contract of an allocator, from any thread, for as long as blocks of theirs
/// live. Blocks that the previous allocator handed out must be known to the new one, or gone.
pub unsafe fn set_allocator(domain: Domain, allocator: PyMemAllocatorEx) {
    let mut writer = WRITER.lock();
    install(&mut writer, domain, allocator);
}

/// Installs under the lock: for those who change several tables in one go.
pub(crate) fn install(writer: &mut Locked<'_>, domain: Domain, allocator: PyMemAllocatorEx) {
    let table = intern(writer, allocator);
    LOGICAL[domain.index()].store(ptr::from_ref(table).cast_mut(), Ordering::Release);
    publish(writer);
}

/// Makes the readers see what is installed, with the fault and the watch layer if they are on, and tells the heaps.
pub(crate) fn publish(writer: &mut Locked<'_>) {
    for domain in Domain::ALL {
        let logical = logical(domain);
        let below = if fault::armed() { intern(writer, fault::layer(domain, logical)) } else { logical };
        let effective = if watch::active() { intern(writer, watch::layer(domain, below)) } else { below };
        // A heap must not take its inlined path once hooks are visible, so its flag goes first.
        if !is_builtin(domain, below) {
            heap::registry::set_direct(domain, false);
        }
        UNWATCHED[domain.index()].store(ptr::from_ref(below).cast_mut(), Ordering::Release);
        EFFECTIVE[domain.index()].store(ptr::from_ref(effective).cast_mut(), Ordering::Release);
        if is_builtin(domain, below) {
            heap::registry::set_direct(domain, true);
        }
    }
    let raw = debug::below(Domain::Raw, self::logical(Domain::Raw));
    RAW_IS_OURS.store(is_own(Domain::Raw, raw), Ordering::Relaxed);
}

/// The table of an allocator, made if there is none yet (T3).
fn intern(writer: &mut Locked<'_>, allocator: PyMemAllocatorEx) -> &'static Table {
    if let Some(found) = find(writer, &allocator) {
        return found;
    }
    match make(writer, allocator) {
        Some(table) => table,
        None => debug::report::fatal("set_allocator", "out of memory for the table of an allocator"),
    }
}

fn find(writer: &Locked<'_>, allocator: &PyMemAllocatorEx) -> Option<&'static Table> {
    let allocator = *allocator;
    if let Some(table) = BUILTIN.iter().chain(&HOOKED).find(|table| table.given == allocator) {
        return Some(table);
    }
    let mut at = writer.chain;
    while !at.is_null() {
        // SAFETY: the chain holds published tables, which live for ever.
        let table = unsafe { &*at };
        if table.given == allocator {
            return Some(table);
        }
        at = table.next;
    }
    None
}

/// As [`intern`], but `None` if there is no memory for the table.
pub(crate) fn try_intern(writer: &mut Locked<'_>, allocator: PyMemAllocatorEx) -> Option<&'static Table> {
    find(writer, &allocator).or_else(|| make(writer, allocator))
}

fn make(writer: &mut Locked<'_>, allocator: PyMemAllocatorEx) -> Option<&'static Table> {
    let slot: *mut Table = if writer.pool_used < POOL {
        let first = STATIC_POOL.0.get().cast::<Table>();
        writer.pool_used += 1;
        // SAFETY: the index is below the pool's length.
        unsafe { first.add(writer.pool_used - 1) }
    } else {
        // SAFETY: plain allocation; the result is tested.
        let fresh = unsafe { libc::malloc(size_of::<Table>()) }.cast::<Table>();
        if fresh.is_null() {
            return None;
        }
        fresh
    };
    // SAFETY: the slot is fresh, aligned (static, or from malloc) and not yet visible to anyone.
    unsafe { slot.write(Table::new(allocator, writer.chain)) };
    writer.chain = slot;
    // SAFETY: written above; tables are never freed.
    Some(unsafe { &*slot })
}

unsafe extern "C" fn missing_malloc(_: *mut c_void, _: usize) -> *mut c_void {
    ptr::null_mut()
}
unsafe extern "C" fn missing_calloc(_: *mut c_void, _: usize, _: usize) -> *mut c_void {
    ptr::null_mut()
}
unsafe extern "C" fn missing_realloc(_: *mut c_void, _: *mut c_void, _: usize) -> *mut c_void {
    ptr::null_mut()
}
unsafe extern "C" fn missing_free(_: *mut c_void, _: *mut c_void) {}
