//! The slots of the sampled blocks: one mapping, made once, and what is known about each slot in another.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::report::{self, Crime};
use super::trace::Trace;
use crate::domain::{Domain, NoMemory};
use crate::heap::page::PAGE_SIZE;
use crate::heap::{Heap, Tag};
use crate::lock::{Guard, Lock};

const OS_PAGE: usize = 4096;
/// A slot is as large and as aligned as a heap's page, so that one is taken for the other without harm.
pub(super) const SLOT: usize = PAGE_SIZE;
/// The most bytes of a block.
pub(super) const DATA: usize = 2 * OS_PAGE;
/// Where the block ends, but for its alignment.
const DATA_END: usize = 3 * OS_PAGE;
const FILL: u8 = crate::debug::FORBIDDEN_BYTE;
const CLEAN: u8 = crate::debug::CLEAN_BYTE;
const NONE: usize = usize::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Unused,
    Live,
    Freed,
}

/// What is known about a slot.
pub(super) struct Slot {
    pub(super) state: State,
    pub(super) domain: Domain,
    tag: Tag,
    pub(super) p: *mut u8,
    pub(super) size: usize,
    heap: *const Heap,
    /// The number of the heap's interpreter; -1 for none.
    pub(super) label: i64,
    next: usize,
    pub(super) allocated: Trace,
    pub(super) freed: Trace,
}

/// The queue of slots that are not live: the first has waited longest.
pub(crate) struct Queue {
    first: usize,
    last: usize,
    /// Slots from here on were never used.
    fresh: usize,
}

pub(crate) static POOL: Lock<Queue> = Lock::new(Queue { first: NONE, last: NONE, fresh: 0 });
static BASE: AtomicUsize = AtomicUsize::new(0);
static LEN: AtomicUsize = AtomicUsize::new(0);
static KNOWN: AtomicPtr<UnsafeCell<MaybeUninit<Slot>>> = AtomicPtr::new(ptr::null_mut());

/// Makes the pool, if there is none: with as many slots as were wanted first.
pub(super) fn make(slots: usize) -> Result<(), NoMemory> {
    let _queue = POOL.lock();
    if LEN.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    // SAFETY: a question about the system.
    if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != OS_PAGE as libc::c_long {
        return Err(NoMemory);
    }
    let known = map(slots * size_of::<Slot>(), libc::PROT_READ | libc::PROT_WRITE)?;
    let Ok(at) = map((slots + 1) * SLOT, libc::PROT_READ) else {
        // SAFETY: mapped above, used by nobody.
        unsafe { libc::munmap(known.cast(), slots * size_of::<Slot>()) };
        return Err(NoMemory);
    };
    KNOWN.store(known.cast(), Ordering::Release);
    BASE.store((at as usize).next_multiple_of(SLOT), Ordering::Release);
    LEN.store(slots * SLOT, Ordering::Release);
    Ok(())
}

fn map(size: usize, access: libc::c_int) -> Result<*mut u8, NoMemory> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping at an address of the system's choice.
    let at = unsafe { libc::mmap(ptr::null_mut(), size, access, flags, -1, 0) };
    if at == libc::MAP_FAILED { Err(NoMemory) } else { Ok(at.cast()) }
}

/// Whether an address lies in the pool.
#[inline(always)]
pub(crate) fn in_pool(p: *mut u8) -> bool {
    (p as usize).wrapping_sub(BASE.load(Ordering::Relaxed)) < LEN.load(Ordering::Relaxed)
}

fn slot(index: usize) -> *mut Slot {
    // The index lies in the pool, whose slots are all known.
    KNOWN.load(Ordering::Acquire).wrapping_add(index).cast()
}

fn base(index: usize) -> *mut u8 {
    (BASE.load(Ordering::Relaxed) + index * SLOT) as *mut u8
}

fn index_of(p: *mut u8) -> usize {
    (p as usize - BASE.load(Ordering::Relaxed)) / SLOT
}

/// The slot of an address in the pool, for a report; `None` if it was never used.
pub(super) fn slot_for_report(p: *mut u8) -> Option<&'static Slot> {
    let found = slot(index_of(p));
    // SAFETY: what was never used is zeros, which are `Unused`; the process is about to end, and what another thread
    // changes meanwhile is only shown.
    unsafe { (ptr::read_volatile(&raw const (*found).state) != State::Unused).then_some(&*found) }
}

/// The pages of a slot that its block needs.
fn data(index: usize, size: usize) -> (*mut u8, usize) {
    let pages = if size.next_multiple_of(16).max(16) <= OS_PAGE { OS_PAGE } else { DATA };
    (base(index).wrapping_add(DATA_END - pages), pages)
}

fn take_slot(queue: &mut Guard<'_, Queue>) -> Option<usize> {
    if (queue.fresh + 1) * SLOT <= LEN.load(Ordering::Relaxed) {
        queue.fresh += 1;
        return Some(queue.fresh - 1);
    }
    let index = queue.first;
    if index == NONE {
        return None;
    }
    // SAFETY: under the lock; what is on the queue was used.
    queue.first = unsafe { (*slot(index)).next };
    if queue.first == NONE {
        queue.last = NONE;
    }
    Some(index)
}

fn queue_slot(queue: &mut Guard<'_, Queue>, index: usize) {
    // SAFETY: under the lock; both slots were used.
    unsafe {
        (*slot(index)).next = NONE;
        if queue.last == NONE {
            queue.first = index;
        } else {
            (*slot(queue.last)).next = index;
        }
    }
    queue.last = index;
}

/// A block before an inaccessible page; null if all slots live, or the system gives no access.
pub(super) fn alloc(heap: Option<&Heap>, tag: Option<Tag>, size: usize, zeroed: bool) -> *mut u8 {
    if size > DATA {
        return ptr::null_mut();
    }
    let mut queue = POOL.lock();
    let Some(index) = take_slot(&mut queue) else {
        return ptr::null_mut();
    };
    let (pages, len) = data(index, size);
    // SAFETY: under the lock; zeros or a slot that was used are both a `Slot`.
    let at = unsafe { &mut *slot(index) };
    // SAFETY: the slot is ours: nobody uses its pages. The last page never gives access; of the data pages those that
    // are not needed neither. A slot that was freed has access to none of them.
    let opened = unsafe {
        let closed = at.state == State::Freed
            || libc::mprotect(base(index).add(OS_PAGE).cast(), SLOT - OS_PAGE, libc::PROT_NONE) == 0;
        closed && libc::mprotect(pages.cast(), len, libc::PROT_READ | libc::PROT_WRITE) == 0
    };
    if !opened {
        // A slot that could not even be closed is lost: it must not be taken for one that is.
        if at.state == State::Freed {
            queue_slot(&mut queue, index);
        }
        return ptr::null_mut();
    }
    let room = size.next_multiple_of(16).max(16);
    let p = pages.wrapping_add(len - room);
    // SAFETY: all of it lies in the pages that were just opened.
    unsafe {
        pages.write_bytes(FILL, len - room);
        p.write_bytes(if zeroed { 0 } else { CLEAN }, size);
        p.add(size).write_bytes(FILL, room - size);
    }
    at.state = State::Live;
    at.domain = tag.map_or(Domain::Raw, Tag::domain);
    at.tag = tag.unwrap_or(Tag::Mem);
    at.p = p;
    at.size = size;
    at.heap = heap.map_or(ptr::null(), ptr::from_ref);
    at.label = heap.map_or(-1, Heap::label);
    at.allocated.take();
    at.freed.clear();
    p
}

/// Takes a block back, after the checks; its size, and for a heap's block the tag.
///
/// # Safety
/// `p` lies in the pool; the block is no longer used.
pub(super) unsafe fn free(p: *mut u8, called: Domain) -> (usize, Tag) {
    let mut queue = POOL.lock();
    let index = index_of(p);
    // SAFETY: under the lock; zeros or a slot that was used are both a `Slot`.
    let at = unsafe { &mut *slot(index) };
    let crime = match at.state {
        State::Unused => Some(Crime::NoBlock),
        State::Freed => Some(Crime::DoubleFree),
        State::Live if at.p != p => Some(Crime::NoBlock),
        State::Live if (at.domain == Domain::Raw) != (called == Domain::Raw) => Some(Crime::WrongDomain(called)),
        // SAFETY: G1: the slot is live, so its pages can be read.
        State::Live => unsafe { damage(index, at) },
    };
    if let Some(crime) = crime {
        drop(queue);
        report::crime(crime, p);
    }
    close(&mut queue, index, at);
    (at.size, at.tag)
}

/// Makes a live slot a freed one.
fn close(queue: &mut Guard<'_, Queue>, index: usize, at: &mut Slot) {
    at.state = State::Freed;
    at.freed.take();
    let (pages, len) = data(index, at.size);
    // SAFETY: the pages are the slot's, whose block nobody uses. When the system refuses to split a mapping, the
    // memory goes back and the access stays: the block is then only less well guarded.
    unsafe {
        libc::madvise(pages.cast(), len, libc::MADV_DONTNEED);
        libc::mprotect(pages.cast(), len, libc::PROT_NONE);
    }
    queue_slot(queue, index);
}

/// What of G2 does not hold.
///
/// # Safety
/// The slot is live.
unsafe fn damage(index: usize, at: &Slot) -> Option<Crime> {
    let (pages, len) = data(index, at.size);
    let end = pages.wrapping_add(len);
    let clean = |from: *mut u8, to: *mut u8| {
        // SAFETY: both lie in the slot's data pages.
        let bytes = unsafe { core::slice::from_raw_parts(from, to as usize - from as usize) };
        bytes.iter().position(|byte| *byte != FILL).map(|at| from.wrapping_add(at))
    };
    let behind = at.p.wrapping_add(at.size);
    if let Some(found) = clean(behind, end) {
        return Some(Crime::WrittenBehind(found as usize - behind as usize));
    }
    // Of what was written before the block the byte next to it says most.
    // SAFETY: from the first data page to the block.
    let before = unsafe { core::slice::from_raw_parts(pages, at.p as usize - pages as usize) };
    before.iter().rposition(|byte| *byte != FILL).map(|found| Crime::WrittenBefore(before.len() - found))
}

/// The size of a live block of this heap's; `None` for any other.
pub(crate) fn size_of_heaps(heap: &Heap, p: *mut u8) -> Option<usize> {
    let _queue = POOL.lock();
    // SAFETY: under the lock.
    let at = unsafe { &*slot(index_of(p)) };
    (at.state == State::Live && at.p == p && ptr::eq(at.heap, heap)).then_some(at.size)
}

/// The size of a live block of the raw domain.
pub(super) fn raw_size(p: *mut u8) -> Option<usize> {
    let _queue = POOL.lock();
    // SAFETY: under the lock.
    let at = unsafe { &*slot(index_of(p)) };
    (at.state == State::Live && at.p == p && at.domain == Domain::Raw).then_some(at.size)
}

/// The heap and tag of a live block of any heap.
pub(crate) fn heap_of(p: *mut u8) -> Option<(NonNull<Heap>, Tag)> {
    if !in_pool(p) {
        return None;
    }
    let _queue = POOL.lock();
    // SAFETY: under the lock.
    let at = unsafe { &*slot(index_of(p)) };
    (at.state == State::Live && at.p == p).then_some((NonNull::new(at.heap.cast_mut())?, at.tag))
}

/// Frees a block that lies in the pool: one of `heap`, or a crime.
///
/// # Safety
/// `p` lies in the pool; if it is a block, nobody uses it any more. If it is one of another heap's, it is for the caller
/// to see (`heap_of`).
pub(crate) unsafe fn free_of_heap(heap: &Heap, p: *mut u8) {
    // SAFETY: the caller's promise.
    let (size, tag) = unsafe { free(p, Domain::Obj) };
    heap.sampler.went(heap, tag, size);
}

/// Calls `f` with tag, address and size of each live block of a heap.
pub(crate) fn for_each_of(heap: &Heap, f: &mut dyn FnMut(Tag, *mut u8, usize)) {
    if heap.sampler.is_empty() {
        return;
    }
    let used = POOL.lock().fresh;
    for index in 0..used {
        // SAFETY: blocks of this heap come and go only under its GIL, which the caller holds; the others are not shown.
        let at = unsafe { &*slot(index) };
        if at.state == State::Live && ptr::eq(at.heap, heap) {
            f(at.tag, at.p, at.size);
        }
    }
}

/// Takes back all blocks of a heap that is destroyed.
pub(crate) fn forget_heap(heap: &Heap) {
    if heap.sampler.is_empty() {
        return;
    }
    let mut queue = POOL.lock();
    for index in 0..queue.fresh {
        // SAFETY: under the lock.
        let at = unsafe { &mut *slot(index) };
        if at.state == State::Live && ptr::eq(at.heap, heap) {
            close(&mut queue, index, at);
        }
    }
}
