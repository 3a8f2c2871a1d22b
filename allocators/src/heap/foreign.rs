//! Blocks in the wrong hands: freed by a thread that has another heap attached, or none, or when their
//! heap is gone.
//!
//! A heap is changed only under its GIL, so a block that somebody else frees is put on its heap's
//! queue, one atomic list, which the owner empties when it next takes the slow path. This is the only
//! atomic operation that a heap knows, and no block pays for it that is freed where it belongs. The heap is found without a
//! lock (see `registry`), whatever the block; only arenas of a user's arena allocator are searched under one.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use super::HeapKind;
use super::bin::Block;
use super::registry::{self, HEAPS, Heaps, find_outside_any};
use super::{Heap, Tag, arena, current_heap, large, shared};
use crate::domain::{self, Domain};
use crate::table;
use crate::{debug, guard};

/// Whom a block belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A heap that lives.
    Heap(NonNull<Heap>, Tag),
    /// A page that no heap uses: the block was freed long ago, or its heap is gone.
    Nobody,
    /// No block of a heap: of the raw domain, or of a user's allocator.
    Unknown,
}

/// Finds the owner of a block as the built-in allocators see it, inside the debug hooks.
///
/// # Safety
/// `p` is a block of some allocator, or was a small one.
pub(crate) unsafe fn owner_of(p: *mut u8) -> Owner {
    // SAFETY: the caller's promise.
    unsafe { with_owner(p, |_, owner| owner) }
}

/// Calls `f` with the owner of a block, and whether there is any heap; the owner lives until `f` returns.
///
/// # Safety
/// As for `owner_of`.
unsafe fn with_owner<R>(p: *mut u8, f: impl FnOnce(bool, Owner) -> R) -> R {
    let ask = |heaps: &Heaps, outside: bool| {
        // SAFETY: the caller's promise; what lies outside is searched under the lock.
        let owner = unsafe { owner_among(heaps, p, outside) };
        f(heaps.iter().next().is_some(), owner)
    };
    if registry::any_outside() { ask(&HEAPS.lock(), true) } else { ask(&registry::look(), false) }
}

/// # Safety
/// As for `owner_of`; with `outside` the lock is held.
unsafe fn owner_among(heaps: &Heaps, p: *mut u8, outside: bool) -> Owner {
    if guard::in_pool(p) {
        return match guard::heap_of(p) {
            Some((heap, tag)) if heaps.has(heap.as_ptr()) => Owner::Heap(heap, tag),
            _ => Owner::Nobody,
        };
    }
    let in_reserve = arena::in_reserve(p);
    let page = match (in_reserve, outside) {
        (true, _) => arena::page_in_reserve(p),
        (false, true) => find_outside_any(heaps, p),
        (false, false) => None,
    };
    if let Some(page) = page {
        // SAFETY: a page in use has an arena, whose heap is alive or about to be taken off the list.
        let (used, heap, tag) = unsafe {
            let page = &*page;
            let used = !page.bin.get().is_null();
            (used, if used { (*page.arena.get()).heap.get() } else { ptr::null() }, page.tag())
        };
        return match NonNull::new(heap.cast_mut()) {
            Some(found) if used && heaps.has(heap) => Owner::Heap(found, tag),
            _ => Owner::Nobody,
        };
    }
    if in_reserve {
        return Owner::Nobody;
    }
    if heaps.iter().next().is_none() {
        return Owner::Unknown;
    }
    // SAFETY: the caller's promise.
    if let Some(header) = unsafe { large::header(p) } {
        // SAFETY: L1: a live large block.
        let (heap, tag) = unsafe { (header.as_ref().heap, header.as_ref().tag) };
        return match NonNull::new(heap.cast_mut()) {
            Some(found) if heaps.has(heap) => Owner::Heap(found, tag),
            _ => Owner::Unknown,
        };
    }
    #[cfg(feature = "mimalloc")]
    if let Some((heap, tag)) = super::mimalloc::owner_among(heaps, p) {
        return Owner::Heap(heap, tag);
    }
    Owner::Unknown
}

/// Whether an address lies in a page that no heap uses.
pub(crate) fn is_late(p: *mut u8) -> bool {
    arena::in_reserve(p) && arena::page_in_reserve(p).is_none()
}

/// Frees a block that is not, or may not be, one of the attached heap's.
///
/// What belongs to another living heap goes to its queue; what belongs to no heap is a block of the
/// raw domain and goes there; what lies in a page that nobody uses is left alone.
///
/// # Safety
/// `p` is a block of some allocator that is no longer used, or was a small one.
#[cold]
#[inline(never)]
pub(crate) unsafe fn free_stray(p: *mut u8) {
    // SAFETY: the caller's promise.
    if unsafe { shared::free_shared(p) } {
        return;
    }
    let enqueue = |any: bool, owner: Owner| match owner {
        Owner::Heap(heap, _) => {
            // SAFETY: it lives until this returns; the block is its.
            unsafe { heap.as_ref().enqueue(p) };
            false
        }
        Owner::Nobody => false,
        // After the last heap is gone nothing can be known about the block, and it is left alone.
        Owner::Unknown => any,
    };
    // SAFETY: the caller's promise; in the second case no heap has the block.
    unsafe {
        if with_owner(p, enqueue) {
            domain::free(Domain::Raw, p.cast());
        }
    }
}

impl Heap {
    /// Frees a block of this heap from a thread that does not hold its GIL: the block is checked and
    /// filled by the debug hooks at once, and goes back to its page when the owner next takes the slow
    /// path.
    ///
    /// # Safety
    /// `p` is null or a live block of this heap's mem or obj domain as the runtime sees it, and is no
    /// longer used. The heap is alive.
    pub unsafe fn free_foreign(&self, p: *mut u8) {
        if p.is_null() {
            return;
        }
        let mut domain = Domain::Obj;
        for found in [Domain::Mem, Domain::Obj] {
            if debug::is_hook(found, table::logical(found)) {
                // SAFETY: under the hooks a block has a head, which names its domain.
                let letter = unsafe { p.sub(8).read() };
                if letter == found.letter() {
                    domain = found;
                }
            }
        }
        if self.is_direct(domain) {
            // SAFETY: the block is this heap's.
            unsafe { self.enqueue(p) };
        } else {
            // The hooks have their turn; below them the built-in allocator finds a block that is not
            // the attached heap's, and puts it on the queue.
            let before = super::attach_heap(ptr::null_mut());
            // SAFETY: the caller's promise.
            debug::as_foreign(|| unsafe { domain::free(domain, p.cast()) });
            super::attach_heap(before);
        }
    }

    /// Puts a block on the queue.
    ///
    /// # Safety
    /// The block is this heap's, as the built-in allocator sees it, and nobody uses it.
    pub(super) unsafe fn enqueue(&self, p: *mut u8) {
        let block = p.cast::<Block>();
        let mut head = self.foreign.load(Ordering::Relaxed);
        loop {
            // SAFETY: a block of a heap has at least one word, and nobody uses it.
            unsafe { (*block).next = head };
            let swapped = self.foreign.compare_exchange_weak(head, block, Ordering::Release, Ordering::Relaxed);
            match swapped {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Frees what others have queued.
    #[inline]
    pub(crate) fn drain_queue(&self) {
        if !self.foreign.load(Ordering::Relaxed).is_null() {
            self.drain_queue_now();
        }
    }

    #[cold]
    fn drain_queue_now(&self) {
        let mut at = self.foreign.swap(ptr::null_mut(), Ordering::Acquire);
        while !at.is_null() {
            // SAFETY: the queue holds blocks of this heap that nobody uses.
            unsafe {
                let next = (*at).next;
                self.free_inner(at.cast());
                at = next;
            }
        }
    }

    /// Frees a block of a heap that has no pages, on the short way if it is plain to see that it is this heap's.
    ///
    /// # Safety
    /// As for [`free_stray`].
    #[inline(always)]
    pub(crate) unsafe fn free_unpaged(&self, p: *mut u8) {
        // SAFETY: the caller's promise. What does not lie in the pool of `guard` has a word before it: a small block lies
        // behind its arena's headers, and every other allocator keeps one.
        unsafe {
            match self.kind() {
                #[cfg(feature = "mimalloc")]
                HeapKind::Mimalloc if super::mimalloc::free(self, p) => return,
                HeapKind::Malloc if !p.is_null() && !guard::in_pool(p) => {
                    if let Some(header) = large::header(p)
                        && ptr::eq(header.as_ref().heap, self)
                    {
                        large::free(self, header);
                        return;
                    }
                }
                _ => {}
            }
            self.free_slow(p);
        }
    }

    /// Frees a block that is not in the reserved range, or is not this heap's.
    ///
    /// # Safety
    /// As for [`free_stray`].
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn free_slow(&self, p: *mut u8) {
        if p.is_null() {
            return;
        }
        // SAFETY: the caller's promise, in each branch.
        unsafe {
            if guard::in_pool(p) {
                match guard::heap_of(p) {
                    Some((heap, _)) if !ptr::eq(heap.as_ptr(), self) => free_stray(p),
                    _ => guard::free_of_heap(self, p),
                }
                return;
            }
            #[cfg(feature = "mimalloc")]
            if self.kind() == HeapKind::Mimalloc && super::mimalloc::free(self, p) {
                return;
            }
            if !arena::in_reserve(p) {
                if let Some(page) = super::registry::find_outside(self, p) {
                    let bin = (*page).bin.get();
                    if !bin.is_null() {
                        self.push_to(bin, p);
                    }
                    return;
                }
                if let Some(header) = large::header(p)
                    && ptr::eq(header.as_ref().heap, self)
                {
                    large::free(self, header);
                    return;
                }
            }
            free_stray(p);
        }
    }
}

/// What a `free` without an attached heap does: the block finds its owner by itself.
///
/// # Safety
/// As for [`free_stray`].
pub(crate) unsafe fn free_detached(p: *mut u8) {
    debug_assert!(current_heap().is_null());
    if !p.is_null() {
        // SAFETY: the caller's promise.
        unsafe { free_stray(p) };
    }
}
