//! Limits: how much a heap may hold, as a whole and for each domain.
//!
//! ```text
//!   held bytes
//!   ──────────────────────────────────────────── hard: a request that would pass it gets null
//!      ▲ told once more, for a collection, at each quarter of the way from here to the hard limit
//!   ──────────────────────────────────────────── soft: passing it is told to the runtime, once
//!   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─  7/8 soft: below it, passing is told anew
//! ```
//!
//! What is held counts in whole pages, and large blocks with what was asked for, so the question is put
//! only when a page or a large block is taken: a limit costs nothing on the fast path, and is exact to
//! a page. In heaps of kind malloc each block is asked about, as it is counted anyway; in those of
//! mimalloc it is asked whenever a budget is used up that is no more than what is left, where a block
//! counts a quarter more than was asked for, since it may be that much larger. What the C library needs
//! besides (its own headers, ours of 32 bytes, free blocks that it keeps) is not counted.
//!
//! Invariants:
//! - M1: as long as no more than `quiet` bytes are held in all, no limit is passed.
//! - M3: `past` says whether anything was told that is not kept again.
//! - M2: `soft <= hard` for each scope; a limit that is not set is `usize::MAX`.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::page::PAGE_SIZE;
use super::{Heap, Tag};
use crate::domain::Domain;

/// The limits of a heap, or of one of its domains.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limit {
    /// Bytes at which the runtime is told; `None` for never.
    pub soft: Option<usize>,
    /// Bytes beyond which requests are refused; `None` for no limit.
    pub hard: Option<usize>,
}

/// Why limits were not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitError {
    /// The raw domain belongs to no heap.
    RawDomain,
    /// The soft limit is higher than the hard one.
    SoftAboveHard,
}

/// What is passed, as the observer hears it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pressure {
    /// Whose soft limit: a domain's, or the whole heap's.
    pub scope: Option<Domain>,
    /// False when the soft limit was told already, and has not been kept since.
    pub first: bool,
}

const NONE: usize = usize::MAX;
/// The whole heap has the place of the raw domain, which no heap serves.
const WHOLE: usize = 0;

pub(crate) struct Limits {
    quiet: Cell<usize>,
    soft: [Cell<usize>; 3],
    hard: [Cell<usize>; 3],
    /// Where the observer is told next.
    next: [Cell<usize>; 3],
    told: [Cell<bool>; 3],
    /// Whether any of them was told.
    past: Cell<bool>,
    refused: Cell<u64>,
}

impl Limits {
    pub(crate) const fn new() -> Self {
        Self {
            quiet: Cell::new(NONE),
            soft: [const { Cell::new(NONE) }; 3],
            hard: [const { Cell::new(NONE) }; 3],
            next: [const { Cell::new(NONE) }; 3],
            told: [const { Cell::new(false) }; 3],
            past: Cell::new(false),
            refused: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn is_past_soft(&self) -> bool {
        self.past.get()
    }

    fn has_domain_limits(&self) -> bool {
        (1..3).any(|scope| self.soft[scope].get() != NONE || self.hard[scope].get() != NONE)
    }

    /// Restores M1. What a domain holds may grow while the sum does not, so limits of domains are
    /// always asked.
    fn settle(&self) {
        self.past.set(self.told.iter().any(Cell::get));
        let quiet = if self.has_domain_limits() { 0 } else { self.next[WHOLE].get().min(self.hard[WHOLE].get()) };
        self.quiet.set(quiet);
    }
}

static OBSERVER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says what to call when a heap passes a soft limit: under the heap's GIL, in the middle of a request
/// for memory, so the function must not allocate from the heap, nor free to it; it makes a note of what
/// is to be done. False from it means "tell me again with the next request".
pub fn set_pressure_observer(observer: Option<fn(&Heap, Pressure) -> bool>) {
    let observer = observer.map_or(ptr::null_mut(), |f| f as *mut ());
    OBSERVER.store(observer, Ordering::Release);
}

fn tell(heap: &Heap, pressure: Pressure) -> bool {
    let observer = OBSERVER.load(Ordering::Acquire);
    if observer.is_null() {
        return false;
    }
    // SAFETY: only `set_pressure_observer` stores here, and it stores such a function.
    let observer = unsafe { core::mem::transmute::<*mut (), fn(&Heap, Pressure) -> bool>(observer) };
    observer(heap, pressure)
}

fn index(scope: Option<Domain>) -> usize {
    scope.map_or(WHOLE, Domain::index)
}

impl Heap {
    /// Sets the limits of a domain, or of the whole heap. What is held already stays: a hard limit below
    /// it refuses every request until enough has been given back, and a soft one is told at the next.
    ///
    /// # Errors
    /// [`LimitError`]; then nothing has changed.
    pub fn set_limit(&self, scope: Option<Domain>, limit: Limit) -> Result<(), LimitError> {
        let (soft, hard) = (limit.soft.unwrap_or(NONE), limit.hard.unwrap_or(NONE));
        if scope == Some(Domain::Raw) {
            return Err(LimitError::RawDomain);
        }
        if soft != NONE && soft > hard {
            return Err(LimitError::SoftAboveHard);
        }
        let (at, limits) = (index(scope), &self.limits);
        limits.soft[at].set(soft);
        limits.hard[at].set(hard);
        limits.next[at].set(soft);
        limits.told[at].set(false);
        limits.settle();
        #[cfg(feature = "mimalloc")]
        self.mimalloc.reset_budget();
        Ok(())
    }

    /// The limits of a domain, or of the whole heap.
    #[must_use]
    pub fn limit(&self, scope: Option<Domain>) -> Limit {
        let get = |limit: &[Cell<usize>; 3]| Some(limit[index(scope)].get()).filter(|bytes| *bytes != NONE);
        if scope == Some(Domain::Raw) {
            return Limit::default();
        }
        Limit { soft: get(&self.limits.soft), hard: get(&self.limits.hard) }
    }

    /// The bytes held for a domain, or by the whole heap: what the limits are compared with. 0 for the
    /// raw domain.
    #[must_use]
    pub fn held_bytes_of(&self, scope: Option<Domain>) -> usize {
        #[cfg(feature = "mimalloc")]
        super::mimalloc::recount(self, true);
        self.held_now(scope)
    }

    /// What was counted last: mimalloc is not asked.
    fn held_now(&self, scope: Option<Domain>) -> usize {
        match scope {
            None => self.held(),
            Some(domain) => self.domain_held[domain.index()].get(),
        }
    }

    /// Requests that hard limits have refused so far.
    #[must_use]
    pub fn refused_requests(&self) -> u64 {
        self.limits.refused.get()
    }

    /// Whether `bytes` more for a tag stay within the hard limits.
    #[inline]
    pub(crate) fn within_limit(&self, tag: Tag, bytes: usize) -> bool {
        match self.held().checked_add(bytes) {
            Some(total) if total <= self.limits.quiet.get() => true,
            _ => self.ask_limits(tag, bytes),
        }
    }

    #[cold]
    #[inline(never)]
    fn ask_limits(&self, tag: Tag, bytes: usize) -> bool {
        let scopes = [None, Some(tag.domain())];
        let limits = &self.limits;
        let total_of = |scope| self.held_now(scope).saturating_add(bytes);
        for scope in scopes {
            let (at, total) = (index(scope), total_of(scope));
            if total <= limits.next[at].get() {
                continue;
            }
            let first = !limits.told[at].get();
            if tell(self, Pressure { scope, first }) {
                limits.told[at].set(true);
                // A request that is refused holds nothing: the way goes on from what is held.
                let hard = limits.hard[at].get();
                let from = if total > hard { self.held_now(scope) } else { total };
                let way = if hard == NONE { from / 4 } else { (hard - from.min(hard)) / 4 };
                limits.next[at].set(from.max(limits.soft[at].get()).saturating_add(way.max(4 * PAGE_SIZE)));
            }
        }
        limits.settle();
        scopes.iter().all(|scope| total_of(*scope) <= limits.hard[index(*scope)].get())
    }

    /// Counts a request that is refused; null.
    #[cold]
    pub(crate) fn refuse(&self) -> *mut u8 {
        self.limits.refused.set(self.limits.refused.get() + 1);
        ptr::null_mut()
    }

    /// How many bytes more there can be, for whatever tag, until a limit is to be looked at.
    #[cfg(feature = "mimalloc")]
    pub(super) fn headroom(&self) -> usize {
        let limits = &self.limits;
        let scopes = [None, Some(Domain::Mem), Some(Domain::Obj)];
        let rooms = scopes.map(|scope| {
            let at = index(scope);
            limits.next[at].get().min(limits.hard[at].get()).saturating_sub(self.held_now(scope))
        });
        rooms[0].min(rooms[1]).min(rooms[2])
    }

    /// Arms the soft limits again that are kept by an eighth.
    #[cold]
    pub(super) fn fell_below(&self, domain: Domain) {
        let limits = &self.limits;
        for scope in [None, Some(domain)] {
            let at = index(scope);
            let soft = limits.soft[at].get();
            if limits.told[at].get() && self.held_now(scope) < soft - soft / 8 {
                limits.told[at].set(false);
                limits.next[at].set(soft);
            }
        }
        limits.settle();
    }
}

#[cfg(test)]
mod tests {
    //! What limits promise.

    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::heap::HeapKind;
    use crate::testing::{Attached, turn};

    fn hard(bytes: usize) -> Limit {
        Limit { soft: None, hard: Some(bytes) }
    }

    /// Takes blocks until one is refused.
    fn fill(heap: &Heap, take: impl Fn(&Heap) -> *mut u8) -> Vec<*mut u8> {
        core::iter::from_fn(|| Some(take(heap)).filter(|p| !p.is_null())).collect()
    }

    /// D3: a hard limit is exact to a page, for the heap and for a domain, and is kept by every kind.
    #[test]
    fn a_hard_limit_is_exact_to_a_page() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            for scope in [None, Some(Domain::Mem)] {
                let heap = Attached::new(*kind);
                heap.set_limit(scope, hard(1 << 20)).expect("limits");
                let blocks = fill(&heap, |heap| heap.mem_alloc(100));
                let held = heap.held_bytes_of(scope);
                assert!(held <= 1 << 20 && held + PAGE_SIZE > 1 << 20, "{kind:?} {scope:?}: {held}");
                assert_eq!(heap.refused_requests(), 1);
                assert!(heap.mem_alloc(1 << 20).is_null());
                assert_eq!(heap.obj_alloc(100).is_null(), scope.is_none(), "{kind:?}: the other domain");
                for p in blocks {
                    // SAFETY: a live block.
                    unsafe { heap.mem_free(p) };
                }
                heap.trim();
                assert!(!heap.mem_alloc(1 << 19).is_null(), "{kind:?}: what came back can be used");
                heap.validate();
            }
        }
    }

    /// D3: a realloc that would pass the limit is refused, and the block is as before.
    #[test]
    fn a_realloc_is_limited() {
        let _turn = turn();
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            let p = heap.mem_alloc(100_000);
            heap.set_limit(None, hard(150_000)).expect("limits");
            // SAFETY: a live block.
            unsafe {
                assert!(heap.mem_realloc(p, 200_000).is_null(), "{kind:?}");
                let p = heap.mem_realloc(p, 120_000);
                assert!(!p.is_null(), "{kind:?}");
                heap.mem_free(p);
            }
        }
    }

    #[test]
    fn wrong_limits_are_refused() {
        let _turn = turn();
        let heap = Attached::new(HeapKind::ALL[0]);
        let wrong = Limit { soft: Some(2), hard: Some(1) };
        assert_eq!(heap.set_limit(None, wrong), Err(LimitError::SoftAboveHard));
        assert_eq!(heap.set_limit(Some(Domain::Raw), hard(1)), Err(LimitError::RawDomain));
        assert_eq!(heap.limit(None), Limit::default());
    }

    static FIRST: AtomicUsize = AtomicUsize::new(0);
    static AGAIN: AtomicUsize = AtomicUsize::new(0);

    fn note(_: &Heap, pressure: Pressure) -> bool {
        let counter = if pressure.first { &FIRST } else { &AGAIN };
        counter.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// D3: the soft limit is told once on the way up, and again after the heap has kept it.
    #[test]
    fn a_soft_limit_is_told() {
        let _turn = turn();
        set_pressure_observer(Some(note));
        for kind in HeapKind::ALL {
            let heap = Attached::new(*kind);
            FIRST.store(0, Ordering::Relaxed);
            AGAIN.store(0, Ordering::Relaxed);
            heap.set_limit(None, Limit { soft: Some(1 << 20), hard: Some(4 << 20) }).expect("limits");
            for round in 1..=3 {
                let blocks = fill(&heap, |heap| heap.obj_alloc(400));
                assert_eq!(FIRST.load(Ordering::Relaxed), round, "{kind:?}");
                let again = AGAIN.load(Ordering::Relaxed);
                assert!(again >= round && again <= 20 * round, "{kind:?}: {again} times again");
                assert!(heap.held_bytes() > 3 << 20, "{kind:?}");
                for p in blocks {
                    // SAFETY: a live block.
                    unsafe { heap.obj_free(p) };
                }
                heap.trim();
            }
        }
        set_pressure_observer(None);
    }
}
