//! Small blocks: the slow paths behind the pop and the push (see `bin`).
//!
//! ```text
//!   bin is empty ──► current page's blocks that were used before ──► partial pages' ──► current page's that were not
//!                ──► new page
//!   bin is full  ──► each block back to its page: full becomes partial, unused goes back to its arena
//! ```
//!
//! A bin is given its blocks from as many pages as that takes. Memory that was used
//! before is preferred to memory that was not, so the resident set grows only when nothing is left. All
//! lists of pages are changed here, once in many blocks.

use core::cell::Cell;
use core::ptr;

use super::arena::{self, Arena};
use super::bin::{self, Bin};
use super::page::{self, PAGE_SIZE, Page, State};
use super::{Heap, Tag, large, registry};
use crate::domain::Domain;

/// Bins are emptied each time that many pages have been taken: what lies in them may make a new page
/// unnecessary.
const PAGES_BEFORE_FLUSH: u32 = 16;
/// A class that has so many pages is growing: the next one will be used as a whole.
const GROWING: u32 = 8;

/// The partial pages of a class. The one that became so last is used first: so the others have time to become unused.
pub(crate) struct List {
    head: Cell<*mut Page>,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self { head: Cell::new(ptr::null_mut()) }
    }

    /// # Safety
    /// The page is in use and on no list.
    unsafe fn push_front(&self, page: *mut Page) {
        let head = self.head.get();
        // SAFETY: the caller's promise for the page; the head is a page on this list.
        unsafe {
            (*page).prev.set(ptr::null_mut());
            (*page).next.set(head);
            if let Some(head) = head.as_ref() {
                head.prev.set(page);
            }
        }
        self.head.set(page);
    }

    /// # Safety
    /// The page is on this list.
    unsafe fn remove(&self, page: *mut Page) {
        // SAFETY: the caller's promise; neighbours are pages on this list.
        unsafe {
            let (next, prev) = ((*page).next.get(), (*page).prev.get());
            if prev.is_null() {
                self.head.set(next);
            } else {
                (*prev).next.set(next);
            }
            if !next.is_null() {
                (*next).prev.set(prev);
            }
        }
    }
}

/// Why there are no blocks for a bin.
enum Shortage {
    /// One more page would be beyond the heap's limit.
    Limit,
    /// No arena could be had.
    Arena,
}

impl Heap {
    /// A small block when its bin has none. Null if there is no memory.
    #[cold]
    #[inline(never)]
    pub(crate) fn refill(&self, tag: Tag, class: usize) -> *mut u8 {
        self.drain_queue();
        let bin = &self.bins[tag.index()][class];
        if bin.is_empty() {
            let mut wanted = bin.before_refill(class, &self.sources[self.bin_index(bin)]);
            if self.sampler.is_on() {
                wanted = self.sampler.allow(wanted);
                let moved = bin.move_from(&self.bins[3 + tag.index()][class], wanted);
                if moved != 0 {
                    self.sampler.count_off(moved);
                    return self.pop_from(bin);
                }
            }
            match self.fill(tag, class, bin, wanted) {
                Ok(()) if self.sampler.is_on() => self.sampler.count_off(bin.len()),
                Ok(()) => {}
                Err(Shortage::Limit) => return ptr::null_mut(),
                Err(Shortage::Arena) => {
                    // The request is served as a large one. From now on a block of a small size may lie
                    // outside pages, which a sized free cannot know.
                    self.no_sized_free();
                    return large::alloc(self, tag, (class + 1) * page::STEP, false);
                }
            }
        }
        self.pop_from(bin)
    }

    /// Fills an empty bin with up to `wanted` blocks, at least one; from where is shown at the module.
    fn fill(&self, tag: Tag, class: usize, bin: &Bin, wanted: usize) -> Result<(), Shortage> {
        let (mut filled, mut flushed) = (0, false);
        while filled < wanted {
            let page = match self.next_page(tag, class) {
                Some(page) => page,
                None if filled != 0 => break,
                None => {
                    let within = self.within_limit(tag, PAGE_SIZE);
                    if !flushed && (!within || self.pages_taken.get() >= PAGES_BEFORE_FLUSH) {
                        flushed = true;
                        self.pages_taken.set(0);
                        // It fills no bin, and finds this one empty.
                        self.flush();
                        continue;
                    }
                    if !within {
                        self.refuse();
                        return Err(Shortage::Limit);
                    }
                    self.new_page(tag, class)?
                }
            };
            // SAFETY: the stack has room for what is wanted, more than `filled`.
            filled += unsafe { page.take(bin.stack().add(filled), wanted - filled) };
            if page.is_full() {
                page.state.set(State::Full);
                self.current[tag.index()][class].set(ptr::null_mut());
            }
        }
        // SAFETY: the blocks were just taken from pages (B1).
        unsafe { bin.filled(filled) };
        Ok(())
    }

    /// The page from which blocks are taken next, which becomes the current one; `None` if no page of the class has any.
    fn next_page(&self, tag: Tag, class: usize) -> Option<&Page> {
        let (slot, partial) = (&self.current[tag.index()][class], &self.partial[tag.index()][class]);
        // SAFETY: null or a page of this heap, for both.
        let (current, found) = unsafe { (slot.get().as_ref(), partial.head.get().as_ref()) };
        if let Some(page) = current
            && page.has_used_ones()
        {
            return current;
        }
        let Some(found) = found else {
            return current;
        };
        // SAFETY: it is on that list; P2, P3: the current page is on none, it is not full, and goes back if it is unused.
        unsafe {
            partial.remove(ptr::from_ref(found).cast_mut());
            if let Some(page) = current {
                if page.is_unused() {
                    self.give_page(slot.get());
                } else {
                    page.state.set(State::Partial);
                    partial.push_front(slot.get());
                }
            }
        }
        found.state.set(State::Current);
        slot.set(ptr::from_ref(found).cast_mut());
        Some(found)
    }

    /// A fresh page for a class that has no current one.
    fn new_page(&self, tag: Tag, class: usize) -> Result<&Page, Shortage> {
        let fresh = self.take_page(tag, class);
        self.current[tag.index()][class].set(fresh);
        self.pages_taken.set(self.pages_taken.get() + 1);
        // SAFETY: null, or a page of this heap.
        unsafe { fresh.as_ref() }.ok_or(Shortage::Arena)
    }

    /// Gives a block of a bin back to its page.
    ///
    /// # Safety
    /// The block is as B1 says, and taken out of its bin by the caller.
    #[inline]
    pub(super) unsafe fn give_address(&self, p: *mut u8) {
        match self.page_of(p) {
            // SAFETY: a page in use of this heap, and B1.
            Some(page) => unsafe { self.give_block(page, p) },
            // SAFETY: somebody freed a block to the wrong heap; its own takes it.
            None => unsafe { super::foreign::free_stray(p) },
        }
    }

    /// # Safety
    /// The page is one of this heap's, in use; the block is one of its own, used by nobody, in no bin.
    #[inline]
    unsafe fn give_block(&self, at: *mut Page, p: *mut u8) {
        // SAFETY: the caller's promise.
        let page = unsafe { &*at };
        // SAFETY: the caller's promise.
        unsafe { page.give(p) };
        match page.state.get() {
            State::Current => {}
            State::Full => {
                page.state.set(State::Partial);
                // SAFETY: P2: a full page is on no list. A page has more than one block, so it is not
                // unused yet.
                unsafe { self.partial[page.tag().index()][page.class()].push_front(at) };
            }
            State::Partial => {
                if page.is_unused() {
                    // SAFETY: P2: a partial page is on the list of its class; P3: it is unused.
                    unsafe {
                        self.partial[page.tag().index()][page.class()].remove(at);
                        self.give_page(at);
                    }
                }
            }
        }
    }

    /// The page of a small block, if it is one of this heap's.
    #[inline]
    pub(super) fn page_of(&self, p: *mut u8) -> Option<*mut Page> {
        let page = if arena::in_reserve(p) { arena::page_in_reserve(p) } else { registry::find_outside(self, p) }?;
        // SAFETY: a page in use, or one of this heap's arenas.
        let bin = unsafe { (*page).bin.get() };
        self.owns(bin).then_some(page)
    }

    /// Whether a bin, or null, is one of this heap's.
    #[inline(always)]
    pub(super) fn owns(&self, bin: *const Bin) -> bool {
        (bin as usize).wrapping_sub((&raw const self.bins) as usize) < bin::ALL_BINS * size_of::<Bin>()
    }

    /// The arena from which a page is taken next: one whose page holds memory already, if there is one near the head of the
    /// list. Null if no arena has a page.
    fn arena_with_room(&self) -> *mut Arena {
        /// Arenas that are looked at.
        const NEAR: usize = 8;
        let first = self.room.get();
        let mut at = first;
        for _ in 0..NEAR {
            // SAFETY: the list holds arenas of this heap.
            let Some(arena) = (unsafe { at.as_ref() }) else {
                break;
            };
            if arena.dirty() != 0 {
                return at;
            }
            at = arena.room_next.get();
        }
        let spare = self.take_spare();
        if spare.is_null() { first } else { spare }
    }

    fn take_page(&self, tag: Tag, class: usize) -> *mut Page {
        let mut at = self.arena_with_room();
        if at.is_null() {
            arena::tell_observer(self);
            at = arena::new(self);
            if at.is_null() {
                return ptr::null_mut();
            }
            // SAFETY: a new arena is on no list.
            unsafe {
                if (*at).is_outside() && !super::registry::add_outside(self, at) {
                    arena::release(at);
                    return ptr::null_mut();
                }
                self.link_arena(at);
            }
        }
        self.look_at_spares();
        // SAFETY: an arena of this heap.
        let arena = unsafe { &*at };
        let dirty = arena.dirty();
        let index = if dirty == 0 { arena.free.get() } else { dirty }.trailing_zeros() as usize;
        arena.free.set(arena.free.get() & !(1 << index));
        if arena.free.get() == 0 {
            self.unlink_room(at);
        }
        arena.touch(index, self.pages_of(tag, class) >= GROWING);
        let page = arena.page(index);
        // Where samples are taken, blocks are freed to other bins than they are taken from.
        let side = if self.sampler.is_on() { 3 } else { 0 };
        page.begin(at, &raw const self.bins[side + tag.index()][class], tag, class);
        arena::map_page(arena, page);
        self.hold_page(page);
        ptr::from_ref(page).cast_mut()
    }

    /// Gives an unused page back to its arena; an arena that is unused then becomes a spare one.
    ///
    /// # Safety
    /// The page is one of this heap's, unused, and on no list.
    unsafe fn give_page(&self, page: *mut Page) {
        // SAFETY: the caller's promise.
        let page = unsafe { &*page };
        let at = page.arena.get();
        // SAFETY: a page's arena lives as long as the page.
        let arena = unsafe { &*at };
        self.unhold_page(page);
        page.bin.set(ptr::null());
        arena::map_page(arena, page);
        let index = arena.index_of(page);
        // Its page is the next one to be used again, so it comes first.
        if arena.free.get() != 0 && !ptr::eq(self.room.get(), at) {
            self.unlink_room(at);
        }
        if !ptr::eq(self.room.get(), at) {
            self.link_room(at);
        }
        arena.free.set(arena.free.get() | 1 << index);
        if arena.is_unused() {
            self.unlink_room(at);
            self.keep_spare(at);
        }
    }

    /// # Safety
    /// All pages of the arena are free, and it is on none of the lists of arenas with pages.
    pub(super) unsafe fn drop_arena(&self, at: *mut Arena) {
        self.arena_counts.reclaimed.set(self.arena_counts.reclaimed.get() + 1);
        // SAFETY: it is on the list of all arenas.
        unsafe {
            let (next, prev) = ((*at).next.get(), (*at).prev.get());
            if prev.is_null() {
                self.arenas.set(next);
            } else {
                (*prev).next.set(next);
            }
            if !next.is_null() {
                (*next).prev.set(prev);
            }
            if (*at).is_outside() {
                super::registry::remove_outside(self, at);
            }
            arena::release(at);
        }
    }

    /// # Safety
    /// The arena is new: on no list.
    unsafe fn link_arena(&self, at: *mut Arena) {
        let head = self.arenas.get();
        // SAFETY: the caller's promise; the head is an arena of this heap.
        unsafe {
            (*at).next.set(head);
            if !head.is_null() {
                (*head).prev.set(at);
            }
        }
        self.arenas.set(at);
        self.link_room(at);
        let counts = &self.arena_counts;
        counts.total.set(counts.total.get() + 1);
        let current = counts.total.get() - counts.reclaimed.get();
        counts.highwater.set(counts.highwater.get().max(current));
    }

    pub(super) fn link_room(&self, at: *mut Arena) {
        let head = self.room.get();
        // SAFETY: both are arenas of this heap.
        unsafe {
            (*at).room_prev.set(ptr::null_mut());
            (*at).room_next.set(head);
            if !head.is_null() {
                (*head).room_prev.set(at);
            }
        }
        self.room.set(at);
    }

    fn unlink_room(&self, at: *mut Arena) {
        // SAFETY: the list holds arenas of this heap, and `at` is on it.
        unsafe {
            let (next, prev) = ((*at).room_next.get(), (*at).room_prev.get());
            if prev.is_null() {
                self.room.set(next);
            } else {
                (*prev).room_next.set(next);
            }
            if !next.is_null() {
                (*next).room_prev.set(prev);
            }
            (*at).room_next.set(ptr::null_mut());
            (*at).room_prev.set(ptr::null_mut());
        }
    }

    /// Makes the figures of the pages exact: what others have freed and what lies in bins goes back.
    pub(crate) fn settle(&self) {
        self.drain_queue();
        self.flush();
        #[cfg(feature = "mimalloc")]
        super::mimalloc::recount(self, true);
    }

    /// What figures and walks do first: see `settle`.
    pub(crate) fn drain_foreign(&self) {
        self.settle();
    }

    /// Gives every unused page and arena back, also those that are kept for a while.
    pub fn collect(&self) {
        self.settle();
        for current in self.current.iter().flatten() {
            let at = current.get();
            // SAFETY: null or a page of this heap.
            if let Some(page) = unsafe { at.as_ref() }
                && page.is_unused()
            {
                current.set(ptr::null_mut());
                // SAFETY: unused, and a current page is on no list.
                unsafe { self.give_page(at) };
            }
        }
        self.drop_spares();
        #[cfg(feature = "mimalloc")]
        super::mimalloc::collect(self);
    }

    /// Checks every structure of the heap; panics with the number of the invariant that does not hold.
    pub fn validate(&self) {
        let mut held = [0usize; 3];
        self.for_each_arena(&mut |arena| {
            assert!(ptr::eq(arena.heap.get(), self), "A1: an arena knows its heap");
            let mut at = self.room.get();
            let mut listed = 0;
            while !at.is_null() {
                listed += usize::from(ptr::eq(at, arena));
                // SAFETY: the list holds arenas of this heap.
                at = unsafe { (*at).room_next.get() };
            }
            let wanted = arena.free.get() != 0 && !arena.is_unused();
            assert_eq!(listed, usize::from(wanted), "A1: arenas with room are listed");
            assert_eq!(self.is_spare(arena), arena.is_unused(), "A2: unused arenas are spare");
            let used = arena.all & !arena.free.get();
            assert_eq!(used & !arena.touched.get(), 0, "A3: a page in use holds memory");
        });
        self.validate_bins();
        self.for_each_page(&mut |page| {
            page.validate(self);
            held[page.tag().domain().index()] += PAGE_SIZE;
            let current = self.current[page.tag().index()][page.class()].get();
            assert_eq!(ptr::eq(current, page), page.state.get() == State::Current, "P2: the current page is current");
            // SAFETY: a page in use has an arena.
            if !unsafe { (*page.arena.get()).is_outside() } {
                let mapped = arena::page_in_reserve(page.start());
                assert!(mapped.is_some_and(|mapped| ptr::eq(mapped, page)), "M1: a page in use is mapped");
            }
        });
        for tag in Tag::ALL {
            for class in 0..page::CLASSES {
                let mut at = self.partial[tag.index()][class].head.get();
                while !at.is_null() {
                    // SAFETY: the list holds pages of this heap.
                    let page = unsafe { &*at };
                    assert_eq!(page.state.get(), State::Partial, "P2: a listed page is partial");
                    assert_eq!((page.tag(), page.class()), (tag, class), "P2: on its own list");
                    at = page.next.get();
                }
            }
            held[tag.domain().index()] += large::validate(self, tag) + self.sampler.counts(tag).1;
        }
        self.validate_numbers();
        if self.kind().counts_held_by_block() {
            return;
        }
        for domain in [Domain::Mem, Domain::Obj] {
            assert_eq!(held[domain.index()], self.domain_held[domain.index()].get(), "D7: what is held is counted");
        }
    }
}
