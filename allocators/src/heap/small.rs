//! Small blocks: the slow paths behind the pop and the push (see `page`).
//!
//! ```text
//!   current[tag][class] ──► page with blocks to pop, or the empty page
//!   partial[tag][class] ──► page ◄──► page ◄──► page      an eighth of each was free when it came here
//!   full pages             on no list; the free that makes one roomy puts it on the partial list
//! ```
//!
//! All lists are changed here, on the slow path, once in many blocks.

use core::cell::Cell;
use core::ptr;

use super::arena::{self, Arena};
use super::page::{self, PAGE_SIZE, Page, State};
use super::{Heap, Tag, large};
use crate::domain::Domain;

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

impl Heap {
    /// A small block when the current page has none. Null if there is no memory.
    #[cold]
    #[inline(never)]
    pub(crate) fn refill(&self, tag: Tag, class: usize) -> *mut u8 {
        self.drain_foreign();
        let current = &self.current[tag.index()][class];
        let partial = &self.partial[tag.index()][class];
        loop {
            let at = current.get();
            // SAFETY: the current page is a page of this heap or the empty page.
            let page = unsafe { &*at };
            let block = page.pop();
            if !block.is_null() {
                return block;
            }
            if !ptr::eq(at, page::empty()) {
                if page.carve() {
                    continue;
                }
                page.wake.set(page.wake_when_roomy());
                page.state.set(State::Full);
                current.set(page::empty());
            }
            let next = partial.head.get();
            if !next.is_null() {
                // SAFETY: it is on that list.
                unsafe {
                    partial.remove(next);
                    (*next).wake.set(u64::MAX);
                    (*next).state.set(State::Current);
                }
                current.set(next);
                continue;
            }
            if !self.within_limit(tag, PAGE_SIZE) {
                return ptr::null_mut();
            }
            let fresh = self.take_page(tag, class);
            if fresh.is_null() {
                // Without an arena the request is served as a large one. From now on a block of a small
                // size may lie outside pages, which a sized free cannot know.
                self.no_sized_free();
                return large::alloc(self, tag, (class + 1) * page::STEP, false);
            }
            current.set(fresh);
        }
    }

    /// Does what became due with a push (P3).
    ///
    /// # Safety
    /// The page is one of this heap's, and its `wake` was just reached.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn woken(&self, at: *mut Page) {
        // SAFETY: the caller's promise.
        let page = unsafe { &*at };
        let partial = &self.partial[page.tag().index()][page.class()];
        match page.state.get() {
            State::Current => {}
            State::Full => {
                page.state.set(State::Partial);
                page.wake.set(page.allocs.get());
                // SAFETY: P2: a full page is on no list.
                unsafe { partial.push_back(at) };
                if page.is_unused() {
                    // SAFETY: it is on the list, and it is unused.
                    unsafe {
                        partial.remove(at);
                        self.give_page(at);
                    }
                }
            }
            State::Partial => {
                // SAFETY: P2: a partial page is on the list of its class; P3: it is unused.
                unsafe {
                    partial.remove(at);
                    self.give_page(at);
                }
            }
        }
    }

    fn take_page(&self, tag: Tag, class: usize) -> *mut Page {
        let mut at = self.room.get();
        if at.is_null() {
            arena::tell_observer(self);
            at = arena::new();
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
        arena.purged.set(arena.purged.get() & !(1 << index));
        // SAFETY: A1: the page was free, so nobody uses it.
        let page = unsafe { Page::init(arena.page(index).cast(), self, at, tag, class) };
        // SAFETY: just made.
        self.hold_page(unsafe { &*page });
        page
    }

    /// Gives an unused page back to its arena, and an unused arena back to the system unless it is the
    /// only one (A2).
    ///
    /// # Safety
    /// The page is one of this heap's, unused, and on no list.
    unsafe fn give_page(&self, page: *mut Page) {
        // SAFETY: the caller's promise.
        let at = unsafe {
            (*page).heap.set(ptr::null());
            let total = &self.counts[(*page).tag().index()].allocations;
            total.set(total.get() + (*page).allocs.get());
            (*page).arena.get()
        };
        // SAFETY: the caller's promise.
        self.unhold_page(unsafe { &*page });
        // SAFETY: a page's arena lives as long as the page.
        let arena = unsafe { &*at };
        let index = (page as usize - arena.base as usize) / PAGE_SIZE;
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

    /// Gives every unused page and arena back, also those that are kept against thrashing.
    pub fn collect(&self) {
        self.drain_foreign();
        for tag in Tag::ALL {
            for class in 0..page::CLASSES {
                let current = &self.current[tag.index()][class];
                let at = current.get();
                // SAFETY: a page of this heap or the empty page.
                if !ptr::eq(at, page::empty()) && unsafe { (*at).is_unused() } {
                    current.set(page::empty());
                    // SAFETY: unused, and a current page is on no list.
                    unsafe { self.give_page(at) };
                }
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
            unused_arenas += usize::from(arena.free.get() == arena.all);
            let mut at = self.room.get();
            let mut listed = 0;
            while !at.is_null() {
                listed += usize::from(ptr::eq(at, arena));
                // SAFETY: the list holds arenas of this heap.
                at = unsafe { (*at).room_next.get() };
            }
            assert_eq!(listed, usize::from(arena.free.get() != 0), "A1: arenas with room are listed");
            assert_eq!(arena.purged.get() & !arena.free.get(), 0, "A3: a page in use is not purged");
        });
        assert!(unused_arenas <= 1, "A2: one spare arena");
        self.for_each_page(&mut |page| {
            page.validate(self);
            held[page.tag().domain().index()] += PAGE_SIZE;
            let current = self.current[page.tag().index()][page.class()].get();
            assert_eq!(ptr::eq(current, page), page.state.get() == State::Current, "P2: the current page is current");
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
            held[tag.domain().index()] += large::validate(self, tag);
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
