//! Small blocks: the slow paths behind the pop and the push (see `bin`).
//!
//! ```text
//!   bin is empty ──► current page's free list ──► partial page's ──► carve the current page ──► new page
//!   bin is long  ──► each block back to its page: full becomes partial, unused goes back to its arena
//! ```
//!
//! A page's whole free list moves into a bin in a few steps, whatever its length. Memory that was used
//! before is preferred to memory that was not, so the resident set grows only when nothing is left. All
//! lists of pages are changed here, once in many blocks.

use core::cell::Cell;
use core::ptr;

use super::arena::{self, Arena};
use super::bin::{self, Bin, Block};
use super::page::{self, PAGE_SIZE, Page, State};
use super::{Heap, Tag, large, registry};
use crate::domain::Domain;

/// Bins are emptied each time that many pages have been taken: what lies in them may make a new page
/// unnecessary.
const PAGES_BEFORE_FLUSH: u32 = 16;

/// The partial pages of a class.
pub(crate) struct List {
    head: Cell<*mut Page>,
    tail: Cell<*mut Page>,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self { head: Cell::new(ptr::null_mut()), tail: Cell::new(ptr::null_mut()) }
    }

    /// # Safety
    /// The page is in use and on no list.
    unsafe fn push_back(&self, page: *mut Page) {
        let tail = self.tail.get();
        // SAFETY: the caller's promise for the page; the tail is a page on this list.
        unsafe {
            (*page).prev.set(tail);
            (*page).next.set(ptr::null_mut());
            if tail.is_null() {
                self.head.set(page);
            } else {
                (*tail).next.set(page);
            }
        }
        self.tail.set(page);
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
            if next.is_null() {
                self.tail.set(prev);
            } else {
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
            // It was empty, so it is not long: the next beat lies as far ahead as it can.
            self.count_pushes(self.bin_index(bin));
            let list = match self.find_blocks(tag, class) {
                Ok(list) => list,
                Err(Shortage::Limit) => return ptr::null_mut(),
                Err(Shortage::Arena) => {
                    // The request is served as a large one. From now on a block of a small size may lie
                    // outside pages, which a sized free cannot know.
                    self.no_sized_free();
                    return large::alloc(self, tag, (class + 1) * page::STEP, false);
                }
            };
            // `find_blocks` may have emptied the bins, but fills none.
            // SAFETY: the blocks were just taken from a page (B1).
            unsafe { bin.fill(list) };
        }
        self.pop_from(bin)
    }

    /// Blocks for a bin: what is found first on the way that the module shows.
    fn find_blocks(&self, tag: Tag, class: usize) -> Result<*mut Block, Shortage> {
        let current = &self.current[tag.index()][class];
        let (mut flushed, mut growing) = (false, false);
        loop {
            // SAFETY: null or a page of this heap.
            let page = unsafe { current.get().as_ref() };
            if let Some(page) = page
                && !page.free.get().is_null()
            {
                return Ok(page.take_free());
            }
            let partial = &self.partial[tag.index()][class];
            // SAFETY: the list holds pages of this heap.
            if let Some(found) = unsafe { partial.head.get().as_ref() } {
                // SAFETY: it is on that list.
                unsafe { partial.remove(ptr::from_ref(found).cast_mut()) };
                found.state.set(State::Full);
                return Ok(found.take_free());
            }
            if let Some(page) = page {
                let list = page.carve();
                if !list.is_null() {
                    return Ok(list);
                }
                page.state.set(State::Full);
                current.set(ptr::null_mut());
                growing = true;
            }
            let within = self.within_limit(tag, PAGE_SIZE);
            let taken = self.pages_taken.get();
            if !flushed && (!within || taken >= PAGES_BEFORE_FLUSH) {
                flushed = true;
                self.pages_taken.set(0);
                self.flush();
                continue;
            }
            if !within {
                self.refuse();
                return Err(Shortage::Limit);
            }
            let fresh = self.take_page(tag, class, growing);
            if fresh.is_null() {
                return Err(Shortage::Arena);
            }
            self.pages_taken.set(taken + 1);
            current.set(fresh);
        }
    }

    /// Gives a list of blocks back to their pages.
    ///
    /// # Safety
    /// The blocks are as B1 says, and on no other list.
    pub(super) unsafe fn give_blocks(&self, list: *mut Block) {
        let mut at = list;
        while !at.is_null() {
            // SAFETY: B1.
            let next = unsafe { (*at).next };
            match self.page_of(at.cast()) {
                // SAFETY: a page in use of this heap, and B1.
                Some(page) => unsafe { self.give_block(page, at) },
                // SAFETY: somebody freed a block to the wrong heap; its own takes it.
                None => unsafe { super::foreign::free_stray(at.cast()) },
            }
            at = next;
        }
    }

    /// # Safety
    /// The page is one of this heap's, in use; the block is one of its own, used by nobody, on no list.
    #[inline]
    unsafe fn give_block(&self, at: *mut Page, block: *mut Block) {
        // SAFETY: the caller's promise.
        let page = unsafe { &*at };
        // SAFETY: the caller's promise.
        unsafe { page.give(block) };
        match page.state.get() {
            State::Current => {}
            State::Full => {
                page.state.set(State::Partial);
                // SAFETY: P2: a full page is on no list. A page has more than one block, so it is not
                // unused yet.
                unsafe { self.partial[page.tag().index()][page.class()].push_back(at) };
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
        (bin as usize).wrapping_sub((&raw const self.bins) as usize) < bin::BINS * size_of::<Bin>()
    }

    fn take_page(&self, tag: Tag, class: usize, growing: bool) -> *mut Page {
        let mut at = self.room.get();
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
        if ptr::eq(at, self.spare.get()) {
            self.spare.set(ptr::null_mut());
        }
        // SAFETY: an arena of this heap.
        let arena = unsafe { &*at };
        let index = arena.free.get().trailing_zeros() as usize;
        arena.free.set(arena.free.get() & !(1 << index));
        if arena.free.get() == 0 {
            self.unlink_room(at);
        }
        arena.touch(index, growing);
        let page = arena.page(index);
        page.begin(at, &raw const self.bins[tag.index()][class], tag, class);
        arena::map_page(arena, page);
        self.hold_page(page);
        ptr::from_ref(page).cast_mut()
    }

    /// Gives an unused page back to its arena, and an unused arena back to the system unless it is the
    /// only one (A2).
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
        if arena.free.get() == 0 {
            self.link_room(at);
        }
        arena.free.set(arena.free.get() | 1 << index);
        if arena.free.get() == arena.all {
            if self.spare.get().is_null() {
                self.spare.set(at);
                // Others first: so the spare one stays unused as long as possible.
                self.unlink_room(at);
                self.link_room_last(at);
            } else {
                // SAFETY: all its pages are free.
                unsafe { self.drop_arena(at) };
            }
        }
    }

    /// # Safety
    /// All pages of the arena are free.
    unsafe fn drop_arena(&self, at: *mut Arena) {
        self.unlink_room(at);
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

    fn link_room(&self, at: *mut Arena) {
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

    fn link_room_last(&self, at: *mut Arena) {
        let mut last = self.room.get();
        if last.is_null() {
            self.link_room(at);
            return;
        }
        // SAFETY: the list holds arenas of this heap.
        unsafe {
            while !(*last).room_next.get().is_null() {
                last = (*last).room_next.get();
            }
            (*last).room_next.set(at);
            (*at).room_prev.set(last);
            (*at).room_next.set(ptr::null_mut());
        }
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

    /// Gives every unused page and arena back, also those that are kept against thrashing.
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
        let spare = self.spare.replace(ptr::null_mut());
        if !spare.is_null() {
            // SAFETY: A2: all its pages are free.
            unsafe { self.drop_arena(spare) };
        }
        #[cfg(feature = "mimalloc")]
        super::mimalloc::collect(self);
    }

    /// Checks every structure of the heap; panics with the number of the invariant that does not hold.
    pub fn validate(&self) {
        let mut unused_arenas = 0;
        let mut held = [0usize; 3];
        self.for_each_arena(&mut |arena| {
            assert!(ptr::eq(arena.heap.get(), self), "A1: an arena knows its heap");
            unused_arenas += usize::from(arena.free.get() == arena.all);
            let mut at = self.room.get();
            let mut listed = 0;
            while !at.is_null() {
                listed += usize::from(ptr::eq(at, arena));
                // SAFETY: the list holds arenas of this heap.
                at = unsafe { (*at).room_next.get() };
            }
            assert_eq!(listed, usize::from(arena.free.get() != 0), "A1: arenas with room are listed");
            let used = arena.all & !arena.free.get();
            assert_eq!(used & !arena.touched.get(), 0, "A3: a page in use holds memory");
        });
        assert!(unused_arenas <= 1, "A2: one spare arena");
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
