//! Bins: the free blocks of one tag and size class that are at hand.
//!
//! ```text
//!                     top ─────────────────────────────┐    push: store there, step on
//!   bins[tag][class] ─┤                                ▼    pop: load the word below, step back
//!                     base ─────────►┌────┬────┬────┬─ … ─┐
//!                               null │ p  │ p  │ p  │     │ end
//!                               ─────┴────┴────┴────┴─ … ─┘
//!     spill: the older half goes      ▲
//!     back to its pages               refill: addresses of free blocks, from the pages' bits
//! ```
//!
//! A bin is a stack of addresses. A push or a pop moves `top` and touches one word of the stack; the
//! block itself is neither read nor written, so a block that nobody has looked at for a long time costs
//! nothing when it goes, and one that is handed out is fetched by its user, who need not wait for it. (A
//! list through the blocks would wait for each of them in turn.) To a page all blocks of a bin are in use;
//! whoever wants exact figures calls `settle` first, which empties the bins.
//!
//! `top` is an address and not a number, so that the word of the stack is found without an index: a load without one takes
//! the short way from the store that was just made to the same place, on the processors that have such a way. So a push and
//! the pop that follows it do not wait for the memory. No way depends on how many blocks there are, as long as there are
//! any and there is room.
//!
//! A stack begins small, in memory that comes with the heap. It is doubled when its bin has spilled and
//! ran empty since, so when what comes and goes there is more than it holds, and when its bin is refilled again, up to
//! [`WARM`].
//!
//! A class that is only freed to has no need of room, and would be harmed by it: its blocks come in any order, and the few
//! that are handed out again from a long stack would each keep a page from becoming unused. So a bin that spills is narrow,
//! [`NARROW`] blocks, until it is refilled: then its blocks come from one page after the other.
//!
//! Invariants:
//! - B1: a block of a bin is handed out by its page and used by nobody.
//! - B2: `pushed` is the number of blocks that were ever pushed to the bin.
//! - B3: `base <= top <= end`; the words of the stack below `top` are the blocks, the last pushed one the highest, and below
//!   `base` is a word of zero, which a pop of an empty bin finds. There is room for at most [`most_of`] blocks: 1024 or
//!   64 KiB of them, whichever is less; `end` may be less far than there is room. Without a stack all three point behind
//!   [`NOTHING`].
//!
//! A row of bins that are empty and full at once is [`SHUT`]: who takes from it and who gives to it comes to the slow paths,
//! and nobody ever writes to it.

use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::own::Memory;
use super::page::{self, CLASSES};
use super::{Heap, Tag};
use crate::table::Table;

/// A block that is free and on a list: its first word links it.
pub(crate) struct Block {
    pub(crate) next: *mut Block,
}

/// See the module.
#[repr(C, align(32))]
pub(crate) struct Bin {
    top: Cell<*mut *mut u8>,
    base: Cell<*mut *mut u8>,
    end: Cell<*mut *mut u8>,
    pushed: Cell<u64>,
}

const _: () = assert!(size_of::<Bin>() == 32);

/// The bins of one tag.
pub(crate) type Row = [Bin; CLASSES];

/// The word below the stack of a bin that has none.
static NOTHING: usize = 0;

/// See the module.
#[repr(transparent)]
pub(crate) struct Shut(pub(crate) Row);

// SAFETY: a pop from it finds nothing and a push no room, so nothing of it ever changes.
unsafe impl Sync for Shut {}

/// The row that is always empty and always full.
pub(crate) static SHUT: Shut = Shut([const { Bin::new() }; CLASSES]);

/// What a bin has besides that only the slow paths look at.
pub(crate) struct Source {
    /// Where the stack came from, if it is not the first one.
    table: Cell<Option<&'static Table>>,
    /// Blocks for which the stack has room.
    room: Cell<usize>,
    /// Whether the bin was ever refilled.
    begun: Cell<bool>,
    /// Whether it has spilled since it was refilled.
    spilled: Cell<bool>,
}

impl Source {
    pub(crate) const fn new() -> Self {
        Self { table: Cell::new(None), room: Cell::new(0), begun: Cell::new(false), spilled: Cell::new(false) }
    }
}

/// Number of bins of a heap from which blocks are taken.
pub(crate) const BINS: usize = 3 * CLASSES;
/// A heap that samples has as many more, to which blocks are freed (see `guard::sampler`).
pub(crate) const ALL_BINS: usize = 2 * BINS;

/// Blocks for which each of the first bins has room from the start.
const FIRST: usize = 16;
/// Room up to which a bin is doubled when it is refilled.
const WARM: usize = 128;
/// Blocks that a bin takes which has spilled and was not refilled since; it spills the older half of them again.
const NARROW: usize = 32;
/// Bytes with which a bin is filled at most. At least 16 blocks of any class.
const REFILL: usize = 8 * 1024;
/// Bytes of the first stacks, with the word of zero that each of them begins with.
pub(crate) const FIRST_STACKS: usize = BINS * (1 + FIRST) * size_of::<usize>();

/// The most blocks that a bin of a class has room for.
const fn most_of(class: usize) -> usize {
    let fitting = 64 * 1024 / ((class + 1) * page::STEP);
    if fitting > 1024 { 1024 } else { fitting }
}

impl Bin {
    pub(crate) const fn new() -> Self {
        let nowhere = Self::nowhere();
        Self { top: Cell::new(nowhere), base: Cell::new(nowhere), end: Cell::new(nowhere), pushed: Cell::new(0) }
    }

    /// Where the stack is of a bin that has none.
    const fn nowhere() -> *mut *mut u8 {
        (&raw const NOTHING).wrapping_add(1).cast_mut().cast()
    }

    /// Takes the block that was pushed last; null if there is none.
    #[inline(always)]
    pub(crate) fn pop(&self) -> *mut u8 {
        let top = self.top.get();
        if ptr::eq(top, self.base.get()) {
            return ptr::null_mut();
        }
        // SAFETY: B3: there is a block below the top, and no block has the address 0.
        unsafe {
            let last = top.sub(1);
            self.top.set(last);
            let p = *last;
            core::hint::assert_unchecked(!p.is_null());
            p
        }
    }

    /// As `pop`, with a load less: for a bin whose place is known beforehand, so that the block is there at once. (Through the C
    /// ABI, where it is not, this takes two cycles more.)
    #[inline(always)]
    pub(crate) fn pop_at_once(&self) -> *mut u8 {
        let top = self.top.get();
        // SAFETY: B3: below the top is a block, or the word of zero below all of them.
        let p = unsafe { *top.sub(1) };
        if !p.is_null() {
            self.top.set(top.wrapping_sub(1));
        }
        p
    }

    /// Puts a block back, which the caller counts. False if there is no room.
    ///
    /// # Safety
    /// `p` is a small block of the bin's heap that was handed out and is no longer used.
    #[inline(always)]
    #[must_use]
    pub(crate) unsafe fn push(&self, p: *mut u8) -> bool {
        let top = self.top.get();
        if ptr::eq(top, self.end.get()) {
            return false;
        }
        // SAFETY: B3: there is room at the top.
        unsafe {
            top.write(p);
            self.top.set(top.add(1));
        }
        true
    }

    /// Counts a block that was pushed (B2).
    #[inline(always)]
    pub(crate) fn count(&self) {
        self.pushed.set(self.pushed.get() + 1);
    }

    /// As `count`, by a load, an addition and a store: a processor that hands a stored value on to a load hands none on to an
    /// addition in memory, and of a last-in-first-out pair that is what takes longest.
    #[inline(always)]
    pub(crate) fn count_apart(&self) {
        #[cfg(target_arch = "x86_64")]
        {
            let mut count = self.pushed.get();
            // SAFETY: changes nothing.
            unsafe { core::arch::asm!("/* {0} */", inout(reg) count, options(pure, nomem, nostack, preserves_flags)) };
            self.pushed.set(count + 1);
        }
        #[cfg(not(target_arch = "x86_64"))]
        self.count();
    }

    /// How many blocks there are.
    pub(crate) fn len(&self) -> usize {
        (self.top.get() as usize - self.base.get() as usize) / size_of::<*mut u8>()
    }

    pub(crate) fn is_empty(&self) -> bool {
        ptr::eq(self.top.get(), self.base.get())
    }

    /// How many it takes at the moment.
    pub(crate) fn limit(&self) -> usize {
        (self.end.get() as usize - self.base.get() as usize) / size_of::<*mut u8>()
    }

    fn set_limit(&self, blocks: usize) {
        self.end.set(self.base.get().wrapping_add(blocks));
    }

    /// The blocks that were ever pushed (B2).
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed.get()
    }

    fn set_len(&self, len: usize) {
        debug_assert!(len <= self.limit(), "B3: the stack has room");
        self.top.set(self.base.get().wrapping_add(len));
    }

    /// The blocks, the oldest first. The bin is not to be changed while they are looked at.
    fn blocks(&self) -> &[*mut u8] {
        if self.is_empty() {
            return &[];
        }
        // SAFETY: B3: so many words are filled.
        unsafe { core::slice::from_raw_parts(self.base.get(), self.len()) }
    }

    /// Where who fills an empty bin puts the blocks, before he says so by `filled`.
    pub(crate) fn stack(&self) -> *mut NonNull<u8> {
        self.base.get().cast()
    }

    /// Says that an empty bin has blocks now: the first `len` of its stack, in the order in which they are to be
    /// used.
    ///
    /// # Safety
    /// So many slots are filled with blocks as B1 wants them, no more than there is room for.
    pub(crate) unsafe fn filled(&self, len: usize) {
        debug_assert!(self.is_empty() && len <= self.limit(), "B1: only an empty bin is filled");
        // SAFETY: the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.stack(), len).reverse() };
        self.set_len(len);
    }

    /// Moves up to `most` blocks of another bin into this one, which is empty and has room for them. They do not count
    /// as pushed. How many there were.
    pub(crate) fn move_from(&self, other: &Self, most: usize) -> usize {
        let mut count = 0;
        while count < most
            && let Some(p) = NonNull::new(other.pop())
        {
            // SAFETY: B3: there is room.
            unsafe { self.stack().add(count).write(p) };
            count += 1;
        }
        if count != 0 {
            // SAFETY: filled right now; blocks of a bin.
            unsafe { self.filled(count) };
        }
        count
    }

    /// Gives the bin its first stack.
    ///
    /// # Safety
    /// There are 1 + [`FIRST`] words, which live as long as the bin.
    unsafe fn begin(&self, words: *mut *mut u8, source: &Source) {
        // SAFETY: the caller's promise.
        let slots = unsafe {
            words.write(ptr::null_mut());
            words.add(1)
        };
        self.base.set(slots);
        self.top.set(slots);
        self.set_limit(FIRST);
        source.room.set(FIRST);
    }

    /// Doubles the stack. It stays as it is if there is no memory.
    #[cold]
    #[inline(never)]
    fn grow(&self, class: usize, source: &Source) {
        let room = source.room.get();
        let wanted = (room * 2).clamp(FIRST, most_of(class).max(FIRST));
        if wanted <= room {
            return;
        }
        let Some(memory) = Memory::take((1 + wanted) * size_of::<usize>()) else {
            return;
        };
        let (at, table) = memory.into_parts();
        let words = at.as_ptr().cast::<*mut u8>();
        // SAFETY: so many words were taken, and one more.
        let fresh = unsafe {
            words.write(ptr::null_mut());
            words.add(1)
        };
        let (old, len) = (self.base.get(), self.len());
        if len != 0 {
            // SAFETY: B3, and the new stack is larger.
            unsafe { ptr::copy_nonoverlapping(old, fresh, len) };
        }
        self.base.set(fresh);
        self.top.set(fresh.wrapping_add(len));
        self.set_limit(wanted);
        source.room.set(wanted);
        give_stack(old, source.table.replace(Some(table)));
    }

    /// Gives the stack back; the bin is not used any more.
    fn end(&self, source: &Source) {
        let old = self.base.replace(Self::nowhere());
        self.top.set(Self::nowhere());
        self.end.set(Self::nowhere());
        source.room.set(0);
        give_stack(old, source.table.take());
    }

    /// What is done before a bin that ran empty is filled: how many blocks it is to get. That is the half of its room, but
    /// no more than [`REFILL`] bytes: what lies in a bin is at no other class's hand.
    pub(crate) fn before_refill(&self, class: usize, source: &Source) -> usize {
        let (begun, spilled) = (source.begun.replace(true), source.spilled.replace(false));
        if spilled || (begun && source.room.get() < WARM) {
            self.grow(class, source);
        }
        self.set_limit(source.room.get());
        (REFILL / ((class + 1) * page::STEP)).min(self.limit() / 2)
    }
}

fn give_stack(slots: *mut *mut u8, source: Option<&'static Table>) {
    if let (Some(table), Some(at)) = (source, NonNull::new(slots.wrapping_sub(1).cast())) {
        // SAFETY: it was taken from that table by `grow`, and nobody uses it any more.
        unsafe { Memory::from_parts(at, table).give() };
    }
}

/// A push for which a bin has no room: all but the newest of its blocks go back to the pages.
///
/// It has C's calling convention because C's `free` ends in it: such a function does not unwind, so it can
/// be jumped to.
///
/// # Safety
/// As for [`Bin::push`]; the bin is one of the heap's.
#[cold]
#[inline(never)]
pub(super) unsafe extern "C" fn spill(heap: &Heap, bin: *const Bin, p: *mut u8) {
    // SAFETY: the caller's promise.
    let bin = unsafe { &*bin };
    let (len, index) = (bin.len(), heap.bin_index(bin));
    let source = &heap.sources[index];
    source.spilled.set(true);
    if source.room.get() == 0 {
        bin.grow(index % CLASSES, source);
    }
    let old = len - (len / 2).min(NARROW / 2);
    for p in &bin.blocks()[..old] {
        // SAFETY: B1; the pages of this heap are not looked for in the bin.
        unsafe { heap.give_address(*p) };
    }
    if old != 0 {
        // SAFETY: B3: the others move down by so many slots.
        unsafe { ptr::copy(bin.base.get().add(old), bin.base.get(), len - old) };
    }
    bin.set_len(len - old);
    bin.set_limit(source.room.get().min(NARROW));
    bin.count();
    // SAFETY: the caller's promise.
    if unsafe { !bin.push(p) } {
        // There was no memory for a first stack.
        // SAFETY: the caller's promise.
        unsafe { heap.give_address(p) };
    }
}

impl Heap {
    /// Gives the first bins their first stacks.
    ///
    /// # Safety
    /// `at` points to [`FIRST_STACKS`] bytes, aligned, that live as long as the heap.
    pub(super) unsafe fn begin_bins(&self, at: *mut u8) {
        for (index, bin) in self.bins.iter().flatten().take(BINS).enumerate() {
            // SAFETY: the caller's promise.
            unsafe { bin.begin(at.cast::<*mut u8>().add(index * (1 + FIRST)), &self.sources[index]) };
        }
    }

    /// Gives the stacks back; the heap is not used any more.
    pub(super) fn end_bins(&self) {
        for (bin, source) in self.bins.iter().flatten().zip(&self.sources) {
            bin.end(source);
        }
    }

    /// Blocks that were ever pushed to the bins of a tag and class.
    pub(crate) fn pushed(&self, tag: Tag, class: usize) -> u64 {
        self.bins[tag.index()][class].pushed() + self.bins[3 + tag.index()][class].pushed()
    }

    /// The number of a bin of this heap: `tag * CLASSES + class`, and for one of the second half [`BINS`] more.
    #[inline(always)]
    pub(super) fn bin_index(&self, bin: *const Bin) -> usize {
        (bin as usize - (&raw const self.bins) as usize) / size_of::<Bin>()
    }

    /// Gives the blocks of all bins back to their pages.
    pub(super) fn flush(&self) {
        for bin in self.bins.iter().flatten() {
            for p in bin.blocks() {
                // SAFETY: B1; the pages of this heap are not looked for in the bin.
                unsafe { self.give_address(*p) };
            }
            bin.set_len(0);
        }
    }

    /// Checks B1 and B3.
    pub(super) fn validate_bins(&self) {
        for (index, bin) in self.bins.iter().flatten().enumerate() {
            let class = index % CLASSES;
            let room = self.sources[index].room.get();
            assert!(bin.len() <= bin.limit() && bin.limit() <= room, "B3: the stack has room");
            assert!(room <= most_of(class).max(FIRST), "B3: no more than is good");
            // SAFETY: B3.
            assert!(unsafe { *bin.base.get().sub(1) }.is_null(), "B3: below the stack is nothing");
            for p in bin.blocks().iter().copied() {
                let found = self.page_of(p).expect("B1: a block of a bin lies in a page");
                // SAFETY: a page in use of this heap.
                let page = unsafe { &*found };
                assert_eq!(page.tag() as usize, index % BINS / CLASSES, "B1: of the bin's tag");
                assert!(page.class() >= class, "B1: large enough for the bin's class");
                assert!(!page.is_free(p), "B1: handed out by its page");
            }
        }
    }
}
