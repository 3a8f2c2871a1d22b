//! The heaps that exist, for those few who have to look at all of them: the exchange of a table, a
//! free from a thread that has not attached the block's heap, and the search for a block's owner.
//!
//! Invariant R1: a heap is on the list from the end of its construction to the start of its
//! destruction, so a heap that is found on it under the lock can be used under the lock.
//!
//! A free by another thread is not to wait for the lock. So who only looks may do that without: between [`look`] and the
//! end of the [`Look`] no heap that he can find is destroyed. Lookers count themselves in one of two counters, and a
//! heap that was taken off the list waits until the counter that was in use then is at zero; from then on lookers use
//! the other one, so it does not wait for those who come later and cannot find it any more.

use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use super::Heap;
use super::arena::Arena;
use super::own::Memory;
use super::page::Page;
use crate::domain::Domain;
use crate::lock::Lock;

/// The right to look at the list: who has a reference holds the lock, or has a [`Look`].
pub(crate) struct Heaps(());

/// To be held by who changes the list, or looks at what changes under the lock.
pub(crate) static HEAPS: Lock<Heaps> = Lock::new(Heaps(()));

static FIRST: AtomicPtr<Heap> = AtomicPtr::new(ptr::null_mut());

/// Which of the two counters lookers use, in the lowest bit.
static TURN: AtomicUsize = AtomicUsize::new(0);
static LOOKERS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// As long as it exists no heap that was found by it is destroyed. Not to be held over a call of somebody else's code.
pub(crate) struct Look {
    side: usize,
}

/// Looks at the list without the lock.
pub(crate) fn look() -> Look {
    loop {
        let turn = TURN.load(Ordering::SeqCst);
        let side = turn & 1;
        LOOKERS[side].fetch_add(1, Ordering::SeqCst);
        // If the turn is still the same, who ends it will see this looker.
        if TURN.load(Ordering::SeqCst) == turn {
            return Look { side };
        }
        LOOKERS[side].fetch_sub(1, Ordering::Release);
    }
}

impl Deref for Look {
    type Target = Heaps;
    fn deref(&self) -> &Heaps {
        &Heaps(())
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        LOOKERS[self.side].fetch_sub(1, Ordering::Release);
    }
}

/// Waits until nobody looks who may have found what is not on the list any more. The caller holds the lock.
fn wait_for_lookers() {
    let before = TURN.fetch_add(1, Ordering::SeqCst) & 1;
    let mut spins = 0u32;
    while LOOKERS[before].load(Ordering::SeqCst) != 0 {
        spins += 1;
        if spins.is_multiple_of(64) {
            // SAFETY: `sched_yield` has no preconditions.
            unsafe { libc::sched_yield() };
        } else {
            core::hint::spin_loop();
        }
    }
}

/// In the child of a fork nobody looks: the thread that forked did not, and there is no other.
pub(crate) fn forget_lookers_after_fork() {
    for lookers in &LOOKERS {
        lookers.store(0, Ordering::SeqCst);
    }
}

/// Whether any heap has, or had, an arena outside the reserved range.
static OUTSIDE: AtomicBool = AtomicBool::new(false);

impl Heaps {
    pub(crate) fn iter(&self) -> impl Iterator<Item = *const Heap> {
        let mut at = FIRST.load(Ordering::Acquire).cast_const();
        core::iter::from_fn(move || {
            let heap = at;
            if heap.is_null() {
                return None;
            }
            // SAFETY: R1, and who has `self` holds the lock or looks.
            at = unsafe { (*heap).registry_next.load(Ordering::Acquire) };
            Some(heap)
        })
    }

    pub(crate) fn has(&self, heap: *const Heap) -> bool {
        !heap.is_null() && self.iter().any(|found| ptr::eq(found, heap))
    }
}

/// Adds a heap (R1).
pub(crate) fn add(heap: *const Heap) {
    // No table is exchanged meanwhile: the flags that are read are those that stay (T2).
    let _writer = crate::table::WRITER.lock();
    let _heaps = HEAPS.lock();
    // SAFETY: the caller has just made the heap.
    unsafe {
        (*heap).registry_next.store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed);
        (*heap).set_direct(Domain::Mem, crate::table::is_direct(Domain::Mem));
        (*heap).set_direct(Domain::Obj, crate::table::is_direct(Domain::Obj));
    }
    FIRST.store(heap.cast_mut(), Ordering::Release);
}

/// Sets a heap's flags again after its mark has changed. The caller holds the lock of the tables.
pub(crate) fn refresh(heap: &Heap) {
    for domain in [Domain::Mem, Domain::Obj] {
        heap.set_direct(domain, crate::table::is_direct(domain));
    }
}

/// Takes a heap off (R1). When it is off, nobody has found it any more.
pub(crate) fn remove(heap: *const Heap) {
    let _heaps = HEAPS.lock();
    let mut link: *const AtomicPtr<Heap> = &raw const FIRST;
    // SAFETY: the links are the list's head and the fields of heaps on it, under the lock.
    unsafe {
        while !(*link).load(Ordering::Relaxed).is_null() {
            let at = (*link).load(Ordering::Relaxed).cast_const();
            if ptr::eq(at, heap) {
                // The heap's own link stays, for those who are just looking at it.
                (*link).store((*heap).registry_next.load(Ordering::Relaxed), Ordering::SeqCst);
                wait_for_lookers();
                return;
            }
            link = &raw const (*at).registry_next;
        }
    }
}

/// Whether there is a heap.
pub(crate) fn any() -> bool {
    HEAPS.lock().iter().next().is_some()
}

/// Whether any heap has, or had, an arena outside the reserved range.
pub(crate) fn any_outside() -> bool {
    OUTSIDE.load(Ordering::Relaxed)
}

/// Tells all heaps whether their inlined paths may be taken in a domain.
pub(crate) fn set_direct(domain: Domain, direct: bool) {
    if domain == Domain::Raw {
        return;
    }
    let heaps = HEAPS.lock();
    for heap in heaps.iter() {
        // SAFETY: R1; the flags are atomic.
        unsafe { (*heap).set_direct(domain, direct) };
    }
}

/* ---- Arenas outside the reserved range ---- */

/// A growing array of arenas, sorted by address. Changed and searched by others only under the lock;
/// its own heap searches without.
pub(crate) struct Outside {
    items: *mut *mut Arena,
    memory: Option<Memory>,
    len: usize,
    room: usize,
}

impl Outside {
    pub(crate) const fn new() -> Self {
        Self { items: ptr::null_mut(), memory: None, len: 0, room: 0 }
    }

    fn as_slice(&self) -> &[*mut Arena] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the first `len` items are initialized.
        unsafe { core::slice::from_raw_parts(self.items, self.len) }
    }

    fn position(&self, at: *mut u8) -> usize {
        self.as_slice().partition_point(|arena| arena.cast::<u8>() <= at)
    }

    fn find(&self, p: *mut u8) -> Option<*mut Page> {
        let arena = *self.as_slice().get(self.position(p).checked_sub(1)?)?;
        // SAFETY: the items are live arenas of the heap.
        unsafe { (*arena).find(p).map(|page| ptr::from_ref(page).cast_mut()) }
    }

    /// Takes over an array with more room; the old one.
    fn extend(&mut self, memory: Memory, room: usize) -> Option<Memory> {
        let items = memory.at.as_ptr().cast::<*mut Arena>();
        if self.len != 0 {
            // SAFETY: the old items are that many, and the new array has room for more.
            unsafe { ptr::copy_nonoverlapping(self.items, items, self.len) };
        }
        self.items = items;
        self.room = room;
        self.memory.replace(memory)
    }

    /// Enters an arena; there is room for it.
    fn insert(&mut self, arena: *mut Arena) {
        // SAFETY: the arena is live; there is room for one more.
        unsafe {
            let index = self.position(arena.cast());
            let at = self.items.add(index);
            ptr::copy(at, at.add(1), self.len - index);
            at.write(arena);
        }
        self.len += 1;
    }

    fn remove(&mut self, arena: *mut Arena) {
        if let Some(index) = self.as_slice().iter().position(|found| ptr::eq(*found, arena)) {
            // SAFETY: the items behind it are initialized.
            unsafe {
                let at = self.items.add(index);
                ptr::copy(at.add(1), at, self.len - index - 1);
            }
            self.len -= 1;
        }
    }

    pub(crate) fn release(&mut self) {
        if let Some(memory) = self.memory.take() {
            // SAFETY: nobody looks into the array any more.
            unsafe { memory.give() };
        }
        *self = Self::new();
    }
}

/// Enters an arena that lies outside. False if there is no memory for the entry.
pub(crate) fn add_outside(heap: &Heap, arena: *mut Arena) -> bool {
    // SAFETY: only the heap's owner, who calls, changes the array.
    let (len, room) = unsafe { ((*heap.outside.get()).len, (*heap.outside.get()).room) };
    // The raw domain may be anybody's, so it is called without the lock.
    let mut more = None;
    if len == room {
        let room = (room * 2).max(8);
        match Memory::take(room * size_of::<*mut Arena>()) {
            Some(memory) => more = Some((memory, room)),
            None => return false,
        }
    }
    let old = {
        let _heaps = HEAPS.lock();
        OUTSIDE.store(true, Ordering::Relaxed);
        // SAFETY: as above, and under the lock, since others search the array.
        let outside = unsafe { &mut *heap.outside.get() };
        let old = more.and_then(|(memory, room)| outside.extend(memory, room));
        outside.insert(arena);
        old
    };
    if let Some(old) = old {
        // SAFETY: the array was exchanged under the lock.
        unsafe { old.give() };
    }
    true
}

pub(crate) fn remove_outside(heap: &Heap, arena: *mut Arena) {
    let _heaps = HEAPS.lock();
    // SAFETY: as in `add_outside`.
    unsafe { (*heap.outside.get()).remove(arena) }
}

/// The page of a small block of this heap in an arena that lies outside.
#[inline]
pub(crate) fn find_outside(heap: &Heap, p: *mut u8) -> Option<*mut Page> {
    // SAFETY: the heap's owner asks, and only the owner changes the array.
    unsafe { if (*heap.outside.get()).len == 0 { None } else { (*heap.outside.get()).find(p) } }
}

/// The same for all heaps. The caller holds the lock.
pub(crate) fn find_outside_any(heaps: &Heaps, p: *mut u8) -> Option<*mut Page> {
    if !OUTSIDE.load(Ordering::Relaxed) {
        return None;
    }
    // SAFETY: R1, and the arrays change only under the lock that the caller holds.
    heaps.iter().find_map(|heap| unsafe { (*(*heap).outside.get()).find(p) })
}

#[cfg(test)]
mod tests {
    //! What finding a heap without the lock promises.

    use core::ffi::c_void;

    use crate::domain::{self, Domain};
    use crate::heap::{Heap, HeapKind};
    use crate::testing::{Attached, turn};

    /// R1: what other threads free reaches its heap, of whatever size and kind, while other heaps come and go.
    #[test]
    fn heaps_come_and_go_while_others_free() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            let blocks: Vec<usize> = (0..3000).map(|i| heap.mem_alloc(16 + i % 1000) as usize).collect();
            std::thread::scope(|scope| {
                for part in blocks.chunks(1000) {
                    scope.spawn(move || {
                        for p in part {
                            // SAFETY: a live block, freed once; the heap outlives the thread.
                            unsafe { domain::free(Domain::Mem, *p as *mut c_void) };
                        }
                    });
                }
                for _ in 0..100 {
                    let other = Heap::new(*kind).expect("memory for a heap");
                    // SAFETY: nobody uses it.
                    unsafe { Heap::destroy(other) };
                }
            });
            assert_eq!(heap.stats(Domain::Mem).live_blocks, 0, "{kind:?}");
            heap.validate();
        }
    }

    /// Who looks when a heap is taken off the list is waited for.
    #[test]
    fn a_heap_waits_for_those_who_look() {
        let _turn = turn();
        let heap = Heap::new(HeapKind::ALL[0]).expect("memory for a heap");
        let look = super::look();
        assert!(look.has(heap.as_ptr()));
        let address = heap.as_ptr() as usize;
        let gone = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: the heap is used by nobody but who looks.
                unsafe { Heap::destroy(core::ptr::NonNull::new_unchecked(address as *mut Heap)) };
                gone.store(true, core::sync::atomic::Ordering::SeqCst);
            });
            // Once it is off the list, newcomers do not find it; but it is still there.
            while super::look().has(heap.as_ptr()) {
                std::thread::yield_now();
            }
            // SAFETY: it is not destroyed before the look ends.
            assert_eq!(unsafe { heap.as_ref().kind() }, HeapKind::ALL[0]);
            assert!(!gone.load(core::sync::atomic::Ordering::SeqCst));
            drop(look);
        });
        assert!(gone.into_inner());
    }
}
