//! The cycle collector.
//!
//! Objects that can be part of a cycle have a [`GcHead`] before them, which links them into one of three
//! generations. A collection of a generation finds the objects that are referred to only from among
//! themselves:
//!
//! ```text
//!  1. refs := ob_refcnt                    for each object in the list
//!  2. refs -= 1                            for each reference from an object in the list
//!  3. what has refs > 0 is reachable from outside, and so is what it refers to; the rest is garbage
//!  4. weak references to garbage are cleared, finalizers run, resurrected objects go back
//!  5. tp_clear breaks the cycles of what is left
//! ```
//!
//! I1: `next` is null when an object is not tracked; otherwise the object is in exactly one list.
//! I2: outside a collection `prev`'s upper bits are the list's link, during one they hold `refs` for the
//!     objects under collection; the low two bits are always flags.
//! I3: bit 0 of `next` is set only for objects in the tentative garbage list of a running collection.

use core::cell::{Cell, UnsafeCell};
use core::ops::ControlFlow;

use super::alloc::GC_HEAD;
use super::header::PyObject;
use super::reference::{AsObject, PyRef, Slot};
use super::visit::Visitor;
use super::{Native, flags, weakref};
use crate::state::{EvalBreaker, ThreadState};
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// What stands before each object that the collector may look at.
#[repr(C)]
pub struct GcHead {
    next: Cell<usize>,
    prev: Cell<usize>,
}

/// `prev`: the finalizer has run.
const FINALIZED: usize = 1;
/// `prev`: in the list under collection.
const COLLECTING: usize = 2;
const FLAGS: usize = 3;
const REFS_SHIFT: u32 = 2;
/// `next`: in the list of tentative garbage.
const UNREACHABLE: usize = 1;

/// The number of generations.
pub const GENERATIONS: usize = 3;

/// A generation's figures (`gc.get_stats`).
#[derive(Clone, Copy, Default)]
pub struct Stats {
    /// How often the generation was collected.
    pub collections: usize,
    /// How many objects were found to be garbage and freed.
    pub collected: usize,
    /// How many were found to be garbage and could not be freed.
    pub uncollectable: usize,
}

/// The collector of one interpreter.
pub struct Collector {
    generations: UnsafeCell<[GcHead; GENERATIONS]>,
    /// What was there when initialization ended: the eldest of the oldest generation. Nothing but a full collection looks
    /// at it, and takes it among the others.
    first: GcHead,
    /// `gc.freeze`'s objects.
    permanent: GcHead,
    /// Allocations less deallocations in the youngest generation since its last collection; collections
    /// of the one below in the others.
    pub counts: [Cell<i32>; GENERATIONS],
    /// A generation is collected when its count passes this.
    pub thresholds: [Cell<i32>; GENERATIONS],
    /// `gc.enable`.
    pub enabled: Cell<bool>,
    /// A collection is running.
    pub collecting: Cell<bool>,
    /// `gc.set_debug`.
    pub debug: Cell<i32>,
    /// `gc.garbage`, a list.
    pub garbage: Slot<PyObject>,
    /// `gc.callbacks`, a list.
    pub callbacks: Slot<PyObject>,
    /// Objects that survived the last full collection.
    pub long_lived_total: Cell<usize>,
    /// Objects that survived a collection of the middle generation since then.
    pub long_lived_pending: Cell<usize>,
    /// Figures by generation.
    pub stats: [Cell<Stats>; GENERATIONS],
}

impl Collector {
    /// A collector whose lists are not linked yet: [`Collector::start`] does that at its final address.
    pub(crate) const fn new() -> Collector {
        const HEAD: GcHead = GcHead { next: Cell::new(0), prev: Cell::new(0) };
        const STATS: Cell<Stats> = Cell::new(Stats { collections: 0, collected: 0, uncollectable: 0 });
        Collector {
            generations: UnsafeCell::new([HEAD, HEAD, HEAD]),
            first: HEAD,
            permanent: HEAD,
            counts: [const { Cell::new(0) }; GENERATIONS],
            thresholds: [Cell::new(2000), Cell::new(10), Cell::new(10)],
            enabled: Cell::new(false),
            collecting: Cell::new(false),
            debug: Cell::new(0),
            garbage: Slot::empty(),
            callbacks: Slot::empty(),
            long_lived_total: Cell::new(0),
            long_lived_pending: Cell::new(0),
            stats: [STATS; GENERATIONS],
        }
    }

    /// Links the empty lists; the collector does not move afterwards.
    pub(crate) fn start(&self) {
        for generation in 0..GENERATIONS {
            self.list(generation).clear();
        }
        List(&self.first).clear();
        List(&self.permanent).clear();
    }

    fn list(&self, generation: usize) -> List<'_> {
        // SAFETY: the heads are made of cells; the array itself is never replaced.
        List(unsafe { &(*self.generations.get())[generation] })
    }

    /// Calls `f` with each tracked object, oldest generation last.
    pub fn for_each(&self, f: &mut dyn FnMut(&PyObject)) {
        for generation in 0..GENERATIONS {
            self.for_each_of(generation, f);
        }
    }

    /// Calls `f` with each object of a generation.
    pub fn for_each_of(&self, generation: usize, f: &mut dyn FnMut(&PyObject)) {
        if generation == GENERATIONS - 1 {
            List(&self.first).for_each(f);
        }
        self.list(generation).for_each(f);
    }

    /// What there is at the end of initialization is old, and there is no garbage in it worth a search.
    pub(crate) fn settle(&self) {
        for generation in 0..GENERATIONS {
            self.list(generation).append_to(List(&self.first));
            self.counts[generation].set(0);
        }
    }

    /// Moves all tracked objects out of the collector's sight (`gc.freeze`).
    pub fn freeze(&self) {
        self.unsettle();
        for generation in 0..GENERATIONS {
            self.list(generation).append_to(List(&self.permanent));
            self.counts[generation].set(0);
        }
    }

    /// Moves them back (`gc.unfreeze`).
    pub fn unfreeze(&self) {
        List(&self.permanent).append_to(self.list(GENERATIONS - 1));
    }

    /// Takes what was there at the start among the others.
    fn unsettle(&self) {
        List(&self.first).append_to(self.list(GENERATIONS - 1));
    }

    /// How many objects are frozen.
    pub fn frozen_count(&self) -> usize {
        List(&self.permanent).len()
    }
}

/// A circular doubly linked list of objects; the head is not an object.
#[derive(Clone, Copy)]
struct List<'a>(&'a GcHead);

impl GcHead {
    #[inline(always)]
    fn address(&self) -> usize {
        core::ptr::from_ref(self).expose_provenance()
    }

    #[inline(always)]
    unsafe fn at<'a>(address: usize) -> &'a GcHead {
        // SAFETY: the caller hands in the address of a live head, which `address` exposed.
        unsafe { &*core::ptr::with_exposed_provenance::<GcHead>(address) }
    }

    #[inline(always)]
    fn object(&self) -> *mut PyObject {
        core::ptr::with_exposed_provenance_mut(self.address() + GC_HEAD)
    }

    #[inline(always)]
    fn prev_link(&self) -> usize {
        self.prev.get() & !FLAGS
    }

    #[inline(always)]
    fn set_prev_link(&self, link: usize) {
        self.prev.set(link | self.prev.get() & FLAGS);
    }

    fn refs(&self) -> usize {
        self.prev.get() >> REFS_SHIFT
    }

    fn set_refs(&self, refs: usize) {
        self.prev.set(refs << REFS_SHIFT | self.prev.get() & FLAGS);
    }

    fn is_collecting(&self) -> bool {
        self.prev.get() & COLLECTING != 0
    }
}

/// The header of a collected object.
#[inline(always)]
fn head(object: &PyObject) -> &GcHead {
    debug_assert!(object.ob_type().is_gc());
    // SAFETY: objects of collected types have the header right before them.
    unsafe { &*object.as_ptr().cast::<u8>().sub(GC_HEAD).cast::<GcHead>() }
}

impl List<'_> {
    fn clear(self) {
        self.0.next.set(self.0.address());
        self.0.prev.set(self.0.address());
    }

    fn is_empty(self) -> bool {
        self.0.next.get() == self.0.address()
    }

    fn first(self) -> Option<&'static GcHead> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: I1: a list's links lead to live heads.
        Some(unsafe { GcHead::at(self.0.next.get()) })
    }

    fn push(self, head: &GcHead) {
        let last = self.0.prev_link();
        head.next.set(self.0.address());
        head.set_prev_link(last);
        // SAFETY: I1.
        unsafe { GcHead::at(last) }.next.set(head.address());
        self.0.prev.set(head.address());
    }

    /// Empties the list into the end of `other`.
    fn append_to(self, other: List<'_>) {
        if self.is_empty() {
            return;
        }
        let (first, last) = (self.0.next.get(), self.0.prev_link());
        let other_last = other.0.prev_link();
        // SAFETY: I1.
        unsafe {
            GcHead::at(other_last).next.set(first);
            GcHead::at(first).set_prev_link(other_last);
            GcHead::at(last).next.set(other.0.address());
        }
        other.0.prev.set(last);
        self.clear();
    }

    fn len(self) -> usize {
        let mut count = 0;
        self.for_each(&mut |_| count += 1);
        count
    }

    fn for_each(self, f: &mut dyn FnMut(&PyObject)) {
        let mut at = self.0.next.get();
        while at != self.0.address() && at != 0 {
            // SAFETY: I1; `f` does not run Python code, so the list stays.
            let head = unsafe { GcHead::at(at) };
            at = head.next.get();
            // SAFETY: as above.
            f(unsafe { &*head.object() });
        }
    }
}

#[inline(always)]
fn unlink(head: &GcHead) {
    let next = head.next.get() & !UNREACHABLE;
    let prev = head.prev_link();
    // SAFETY: I1.
    unsafe {
        GcHead::at(prev).next.set(next);
        GcHead::at(next).set_prev_link(prev);
    }
    head.next.set(0);
    head.prev.set(head.prev.get() & FINALIZED);
}

/// Hands the object to the collector; its fields are all written.
#[inline]
pub fn track_in(ts: &ThreadState, object: &PyObject) {
    let head = head(object);
    debug_assert!(head.next.get() == 0, "tracked twice");
    ts.interp().gc.list(0).push(head);
}

/// [`track_in`] the current interpreter.
#[inline]
pub fn track<T: Native>(ts: &ThreadState, object: &T) {
    track_in(ts, object.as_object());
}

/// Takes the object out of the collector's sight, if it was there.
#[inline]
pub fn untrack(object: &PyObject) {
    let head = head(object);
    if head.next.get() != 0 {
        unlink(head);
    }
}

/// [`track_in`] for a tuple that its owner has filled anew, and a collection may have put out of sight meanwhile.
#[inline]
pub fn track_again(ts: &ThreadState, tuple: &PyTuple) {
    if head(tuple.as_object()).next.get() == 0 {
        track_in(ts, tuple.as_object());
    }
}

/// Takes a tuple out of the collector's sight when only plain values are in it, which no cycle goes through.
pub fn untrack_plain(tuple: &PyTuple) {
    let object = tuple.as_object();
    if is_collected(object) && tuple.all_items(is_plain) {
        untrack(object);
    }
}

/// Whether no cycle goes through an object, now and later. A tuple that is out of sight stays there.
fn is_plain(object: &PyObject) -> bool {
    !is_collected(object) || (object.downcast_exact::<PyTuple>().is_some() && !is_tracked(object))
}

/// Takes the tuples of plain values out of a list: what is not looked at costs nothing. (Nothing is known of subclasses.)
fn untrack_tuples(list: List<'_>) {
    list.for_each(&mut |object| {
        let Some(tuple) = object.downcast_exact::<PyTuple>() else { return };
        // C code may be filling it: until then there is None in its places.
        if !object.is_unique() || tuple.all_items(|item| !is_none(item)) {
            untrack_plain(tuple);
        }
    });
}

/// Whether the collector knows the object.
pub fn is_tracked(object: &PyObject) -> bool {
    object.ob_type().is_gc() && is_collected(object) && head(object).next.get() != 0
}

/// Whether this very object has a collector header: static types have none, though `type` has the flag.
#[inline]
pub fn is_collected(object: &PyObject) -> bool {
    let typ = object.ob_type();
    if !typ.is_gc() {
        return false;
    }
    if typ.has_flag(flags::TYPE_SUBCLASS) {
        return object.cast::<super::PyTypeObject>().is_heap_type();
    }
    // Static instances of collected types: the empty tuple.
    !(object.is_immortal() && typ.has_flag(flags::TUPLE_SUBCLASS))
}

/// Whether the object's finalizer has run (`gc.is_finalized`).
pub fn is_finalized(object: &PyObject) -> bool {
    is_collected(object) && head(object).prev.get() & FINALIZED != 0
}

/// Notes that the finalizer has run.
pub fn set_finalized(object: &PyObject) {
    let head = head(object);
    head.prev.set(head.prev.get() | FINALIZED);
}

/// Links a dead, untracked object into the list of put-off deallocations.
pub(super) unsafe fn set_link(object: *mut PyObject, next: *mut PyObject) {
    // SAFETY: the caller's object has a collector header.
    let head = head(unsafe { &*object });
    head.prev.set(next.expose_provenance() | head.prev.get() & FINALIZED);
}

/// Reads that link, and removes it.
pub(super) unsafe fn take_link(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: as in `set_link`.
    let head = head(unsafe { &*object });
    let next = head.prev_link();
    head.prev.set(head.prev.get() & FINALIZED);
    core::ptr::with_exposed_provenance_mut(next)
}

/// Counts an allocation; when enough have been made, asks the thread to collect at its next boundary.
#[inline(always)]
pub(super) fn note_allocation(ts: &ThreadState) {
    let gc = &ts.interp().gc;
    let count = gc.counts[0].get() + 1;
    gc.counts[0].set(count);
    if count > gc.thresholds[0].get() {
        due(ts);
    }
}

#[cold]
#[inline(never)]
fn due(ts: &ThreadState) {
    let gc = &ts.interp().gc;
    if gc.enabled.get() && !gc.collecting.get() && gc.thresholds[0].get() != 0 {
        ts.eval_breaker.set(EvalBreaker::COLLECT);
    }
}

/// Counts a deallocation.
#[inline(always)]
pub(super) fn note_deallocation(ts: &ThreadState) {
    let counter = &ts.interp().gc.counts[0];
    let count = counter.get();
    if count > 0 {
        counter.set(count - 1);
    }
}

/// Collects the oldest generation that is due; called where the eval breaker asks for it.
pub fn collect_due(ts: &ThreadState) {
    let gc = &ts.interp().gc;
    if !gc.enabled.get() || gc.collecting.get() {
        return;
    }
    for generation in (0..GENERATIONS).rev() {
        if gc.counts[generation].get() <= gc.thresholds[generation].get() {
            continue;
        }
        // A full collection costs as much as there are objects: it waits until a quarter of them are new.
        if generation == GENERATIONS - 1 && gc.long_lived_pending.get() < gc.long_lived_total.get() / 4 {
            continue;
        }
        collect(ts, generation);
        return;
    }
}

/// Collects a generation and all younger ones; returns how many objects were garbage.
pub fn collect(ts: &ThreadState, generation: usize) -> usize {
    if generation == GENERATIONS - 1 && !ts.interp().gc.collecting.get() {
        ts.interp().gc.unsettle();
    }
    collect_listed(ts, generation)
}

/// Collects what has come since initialization, unless a full collection was made since then: that has all in one.
pub(crate) fn collect_since_start(ts: &ThreadState) {
    collect_listed(ts, GENERATIONS - 1);
}

fn collect_listed(ts: &ThreadState, generation: usize) -> usize {
    let gc = &ts.interp().gc;
    if gc.collecting.replace(true) {
        return 0;
    }
    // An exception that is on its way stays what it was.
    let pending = ts.current_exception.take();
    let collected = collect_generation(ts, generation);
    ts.current_exception.set(pending);
    gc.collecting.set(false);
    collected
}

fn collect_generation(ts: &ThreadState, generation: usize) -> usize {
    let gc = &ts.interp().gc;
    if generation + 1 < GENERATIONS {
        gc.counts[generation + 1].set(gc.counts[generation + 1].get() + 1);
    }
    for younger in 0..=generation {
        gc.counts[younger].set(0);
    }
    for younger in 0..generation {
        gc.list(younger).append_to(gc.list(generation));
    }
    let young = gc.list(generation);
    let garbage_head = GcHead { next: Cell::new(0), prev: Cell::new(0) };
    let garbage = List(&garbage_head);
    find_garbage(young, garbage);
    untrack_tuples(young);

    // The survivors grow older.
    if generation + 1 < GENERATIONS {
        if generation + 2 == GENERATIONS {
            gc.long_lived_pending.set(gc.long_lived_pending.get() + young.len());
        }
        young.append_to(gc.list(generation + 1));
    } else {
        gc.long_lived_pending.set(0);
        gc.long_lived_total.set(young.len());
    }
    let old = gc.list((generation + 1).min(GENERATIONS - 1));

    unmark(garbage);
    weakref::handle_garbage(ts, &mut |f| garbage.for_each(f));
    end_collecting(garbage);
    finalize(ts, garbage);
    let still_head = GcHead { next: Cell::new(0), prev: Cell::new(0) };
    let still = List(&still_head);
    find_garbage(garbage, still);
    // What a finalizer has brought back to life lives on.
    garbage.append_to(old);
    unmark(still);
    end_collecting(still);
    let count = still.len();
    delete(ts, still, old);

    let stats = &gc.stats[generation];
    let mut figures = stats.get();
    figures.collections += 1;
    figures.collected += count;
    stats.set(figures);
    count
}

/// Moves what is referred to only from within `base` to `garbage`, where each `next` has the mark of I3.
fn find_garbage(base: List<'_>, garbage: List<'_>) {
    garbage.clear();
    // refs := ob_refcnt
    let mut at = base.0.next.get();
    while at != base.0.address() {
        // SAFETY: I1.
        let head = unsafe { GcHead::at(at) };
        // SAFETY: as above.
        let refcnt = unsafe { (*head.object()).refcnt() } as usize;
        head.prev.set(refcnt << REFS_SHIFT | head.prev.get() & FINALIZED | COLLECTING);
        at = head.next.get();
    }
    // refs -= references from within
    at = base.0.next.get();
    while at != base.0.address() {
        // SAFETY: I1.
        let head = unsafe { GcHead::at(at) };
        traverse(head, &mut |object| {
            if is_collected(object) {
                let target = self::head(object);
                if target.is_collecting() {
                    debug_assert!(target.refs() > 0, "more references inside than counted");
                    target.set_refs(target.refs().saturating_sub(1));
                }
            }
            ControlFlow::Continue(())
        });
        at = head.next.get();
    }
    // What is left with references is reachable, and so is what it refers to.
    let mut previous = base.0.address();
    at = base.0.next.get();
    while at != base.0.address() {
        // SAFETY: I1.
        let head = unsafe { GcHead::at(at) };
        if head.refs() > 0 {
            traverse(head, &mut |object| {
                if is_collected(object) {
                    mark_reachable(base, self::head(object));
                }
                ControlFlow::Continue(())
            });
            head.prev.set(previous | head.prev.get() & FINALIZED);
            previous = at;
            at = head.next.get();
        } else {
            // Perhaps garbage: what comes later in the list may still refer to it.
            let next = head.next.get();
            // SAFETY: `previous` is the head or an object already passed.
            unsafe { GcHead::at(previous) }.next.set(next);
            let last = garbage.0.prev.get();
            // SAFETY: I1; the low bits are marks.
            let last_head = unsafe { GcHead::at(last) };
            last_head.next.set(head.address() | if last == garbage.0.address() { 0 } else { UNREACHABLE });
            head.prev.set(last | head.prev.get() & FLAGS);
            head.next.set(garbage.0.address() | UNREACHABLE);
            garbage.0.prev.set(head.address());
            at = next;
        }
    }
    base.0.prev.set(previous);
}

/// An object under collection turned out to be referred to from a reachable one.
fn mark_reachable(base: List<'_>, target: &GcHead) {
    if !target.is_collecting() {
        return;
    }
    if target.next.get() & UNREACHABLE != 0 {
        // It was put aside as perhaps garbage: bring it back to the end of the list.
        let next = target.next.get() & !UNREACHABLE;
        let prev = target.prev_link();
        // SAFETY: I1; marks of the neighbours are kept.
        unsafe {
            let prev_head = GcHead::at(prev);
            prev_head.next.set(next | prev_head.next.get() & UNREACHABLE);
            let next_head = GcHead::at(next);
            next_head.prev.set(prev | next_head.prev.get() & FLAGS);
        }
        let last = base.0.prev.get();
        // SAFETY: I1. While the list is walked only `next` links and the head's `prev` count.
        unsafe { GcHead::at(last) }.next.set(target.address());
        target.next.set(base.0.address());
        base.0.prev.set(target.address());
        target.set_refs(1);
    } else if target.refs() == 0 {
        // Not looked at yet: it will be found to be reachable.
        target.set_refs(1);
    }
}

/// Removes the marks of I3 from the list, whose links are whole then.
fn unmark(list: List<'_>) {
    let mut at = list.0.next.get() & !UNREACHABLE;
    list.0.next.set(at);
    while at != list.0.address() {
        // SAFETY: I1.
        let head = unsafe { GcHead::at(at) };
        head.next.set(head.next.get() & !UNREACHABLE);
        at = head.next.get();
    }
}

/// Forgets that the objects in the list were under collection.
fn end_collecting(list: List<'_>) {
    list.for_each(&mut |object| {
        let head = head(object);
        head.prev.set(head.prev.get() & !COLLECTING);
    });
}

/// Whether the running collection has found the object to be garbage.
pub(super) fn is_garbage(object: &PyObject) -> bool {
    is_collected(object) && head(object).is_collecting()
}

fn traverse(head: &GcHead, visit: &mut dyn FnMut(&PyObject) -> ControlFlow<()>) {
    // SAFETY: a tracked object is whole.
    let object = unsafe { &*head.object() };
    visit_referents(object, visit);
}

/// Shows each object that `object` owns a reference to (`gc.get_referents`).
pub fn visit_referents(object: &PyObject, visit: &mut dyn FnMut(&PyObject) -> ControlFlow<()>) {
    if let Some(traverse) = object.ob_type().slots().traverse {
        let _ = traverse(object, &mut Visitor::new(visit));
    }
}

/// Runs the finalizers of the objects in the list, each once in its life.
fn finalize(ts: &ThreadState, list: List<'_>) {
    let seen_head = GcHead { next: Cell::new(0), prev: Cell::new(0) };
    let seen = List(&seen_head);
    seen.clear();
    while let Some(head) = list.first() {
        unlink(head);
        seen.push(head);
        // SAFETY: the list's objects are alive: a reference among the garbage holds each.
        let object = unsafe { PyRef::from_borrowed(&*head.object()) };
        if head.prev.get() & FINALIZED == 0
            && let Some(slot) = object.ob_type().slots().finalize
        {
            head.prev.set(head.prev.get() | FINALIZED);
            slot(ts, &object);
        }
        object.release(ts);
    }
    seen.append_to(list);
}

/// Breaks the cycles of garbage; what does not die of it goes to `old`.
fn delete(ts: &ThreadState, list: List<'_>, old: List<'_>) {
    let save_all = ts.interp().gc.debug.get() & DEBUG_SAVEALL != 0;
    while let Some(head) = list.first() {
        // SAFETY: as in `finalize`.
        let object = unsafe { PyRef::from_borrowed(&*head.object()) };
        if save_all {
            if let Some(list) = ts.interp().gc.garbage.get()
                && let Err(raised) = list.cast::<crate::types::list::PyList>().append(ts, object.clone())
            {
                ts.clear_raised(raised);
            }
        } else if let Some(clear) = object.ob_type().slots().clear {
            clear(ts, &object);
        }
        // Alive and still first in the list: it goes on living among the old ones.
        if list.first().is_some_and(|first| core::ptr::eq(first, head)) {
            unlink(head);
            old.push(head);
        }
        object.release(ts);
    }
}

/// `gc.DEBUG_SAVEALL`.
pub const DEBUG_SAVEALL: i32 = 32;
