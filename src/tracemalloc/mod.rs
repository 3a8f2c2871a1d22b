//! tracemalloc: which line allocated what is alive.
//!
//! ```text
//!   heap, watched ──► allocated(mark, p, size) ──► Tracer ─┬─ tracebacks   where: interned, numbered
//!                                                          └─ shadow       what: address ─► number, size
//!   raw domain, PyTraceMalloc_Track ─────────────► raw     the same, for any thread, under a lock
//! ```
//!
//! Each interpreter traces by itself: its tracer exists from `start` to `stop`, marks the interpreter's heap
//! (see `hognose_allocators::watch`), and is used under its GIL. A heap that is not marked keeps its inlined paths.
//! All of this lies in the raw domain, below the watch, and is gone with `stop`.
//!
//! I1: the tracer runs no Python code and touches no object's count but those of file names, which it keeps.
//! I2: a record's traceback number is one of its owner's table; both are forgotten together.

mod raw;
mod shadow;
mod tracebacks;

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashTable;
use hognose_allocators::watch::{self, Unwatched, Watcher};
use hognose_allocators::{Domain, Handle, NoMemory, TryVec};

use crate::config::output::Output;
use crate::object::{PyObject, PyRef, PyResult, alloc};
use crate::state::{InterpreterState, ThreadState};
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

pub use raw::{after_fork, before_fork};
use shadow::{Record, Shadow};
use tracebacks::{Tracebacks, UNKNOWN};

/// The most frames that a traceback can have.
pub const MOST_FRAMES: usize = tracebacks::MOST_FRAMES;

/// The tracing of one interpreter.
pub struct Tracer {
    interp: *const InterpreterState,
    /// While positive, nothing new is recorded: a snapshot is being made.
    paused: Cell<u32>,
    tracebacks: UnsafeCell<Tracebacks>,
    shadow: UnsafeCell<Shadow>,
    /// Blocks that the shadow does not take: huge ones, and those of a user's allocator with odd addresses.
    odd: UnsafeCell<HashTable<Odd, Unwatched>>,
    /// The bytes of shadow and odd blocks.
    bytes: Cell<usize>,
    raw_bytes: AtomicUsize,
    peak: AtomicUsize,
}

#[derive(Clone, Copy)]
struct Odd {
    p: usize,
    size: usize,
    traceback: u32,
}

fn odd_hash(p: usize) -> u64 {
    (p as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(20)
}

static WATCHER: Watcher = Watcher { allocated, moved, freed, raw_allocated, raw_taken, raw_restored };

/* ---- Start and stop ---- */

/// The tracer of an interpreter, while it traces.
#[inline]
fn tracer(interp: &InterpreterState) -> Option<&Tracer> {
    // SAFETY: the tracer lives until `stop`, which needs the GIL that the caller holds.
    unsafe { interp.tracer.get().as_ref() }
}

/// Whether the interpreter traces.
pub fn is_tracing(ts: &ThreadState) -> bool {
    tracer(ts.interp()).is_some()
}

/// Begins to trace, with so many frames (1 to [`MOST_FRAMES`]) for each block; nothing when it traces already.
pub fn start(ts: &ThreadState, frames: usize) -> Result<(), NoMemory> {
    let interp = ts.interp();
    if is_tracing(ts) {
        return Ok(());
    }
    let tracebacks = Tracebacks::new(frames)?;
    let memory = Unwatched::take(size_of::<Tracer>()).cast::<Tracer>();
    if memory.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: the block is fresh and large enough.
    unsafe {
        memory.write(Tracer {
            interp,
            paused: Cell::new(0),
            tracebacks: UnsafeCell::new(tracebacks),
            shadow: UnsafeCell::new(Shadow::new()),
            odd: UnsafeCell::new(HashTable::new_in(Unwatched)),
            bytes: Cell::new(0),
            raw_bytes: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        });
    }
    interp.tracer.set(memory);
    interp.traceback_limit.set(frames);
    if interp.id == 0 || core::ptr::eq(crate::state::Runtime::get().main_interpreter.load(Ordering::Acquire), interp) {
        raw::set_main(memory);
    }
    hognose_allocators::set_traceback_printer(print_traceback);
    watch::set_watcher(&WATCHER);
    // SAFETY: the mark is a tracer, which lives until `stop` takes the mark away.
    unsafe { watch::watch_heap(ts.heap(), memory.cast()) };
    Ok(())
}

/// Ends tracing and forgets everything; nothing when it does not trace.
pub fn stop(ts: &ThreadState) {
    let interp = ts.interp();
    let Some(this) = tracer(interp) else { return };
    // SAFETY: no mark is always a good one.
    unsafe { watch::watch_heap(ts.heap(), core::ptr::null_mut()) };
    if is_main(this) {
        raw::set_main(core::ptr::null());
    }
    let memory = interp.tracer.replace(core::ptr::null_mut());
    raw::forget(this);
    // SAFETY: nobody refers to the tracer any more: neither heap, nor interpreter, nor a raw record.
    unsafe {
        core::ptr::drop_in_place(memory);
        Unwatched::give(memory.cast());
    }
}

fn is_main(this: &Tracer) -> bool {
    let main = crate::state::Runtime::get().main_interpreter.load(Ordering::Acquire);
    core::ptr::eq(this.interp, main)
}

/// Whether a tracer that a record was taken from still exists: the main one, or the calling thread's.
fn is_tracer(of: *const Tracer, main: *const Tracer) -> bool {
    let own = ThreadState::try_current().map_or(core::ptr::null_mut(), |ts| ts.interp().tracer.get());
    core::ptr::eq(of, main) || core::ptr::eq(of, own)
}

/// Forgets what has been recorded so far.
pub fn clear(ts: &ThreadState) {
    let Some(this) = tracer(ts.interp()) else { return };
    raw::forget(this);
    // SAFETY: nothing else has a borrow of these: nothing below runs other code before the old ones are dropped,
    // which happens when nothing of them is reachable.
    let (old, shadow, odd) = unsafe {
        (
            Tracebacks::reset(this.tracebacks.get()),
            core::mem::replace(&mut *this.shadow.get(), Shadow::new()),
            core::mem::replace(&mut *this.odd.get(), HashTable::new_in(Unwatched)),
        )
    };
    this.bytes.set(0);
    this.peak.store(0, Ordering::Relaxed);
    drop((shadow, odd));
    drop(old);
}

/// The current and the highest sum of the sizes of what is recorded.
pub fn traced_memory(ts: &ThreadState) -> (usize, usize) {
    tracer(ts.interp()).map_or((0, 0), |this| (this.total(), this.peak.load(Ordering::Relaxed)))
}

/// Makes the current sum the highest.
pub fn reset_peak(ts: &ThreadState) {
    if let Some(this) = tracer(ts.interp()) {
        this.peak.store(this.total(), Ordering::Relaxed);
    }
}

/// The bytes that tracing itself takes.
pub fn memory(ts: &ThreadState) -> usize {
    let Some(this) = tracer(ts.interp()) else { return 0 };
    // SAFETY: a short look under the GIL.
    let own = unsafe {
        (*this.shadow.get()).memory() + (*this.tracebacks.get()).memory() + (*this.odd.get()).allocation_size()
    };
    own + size_of::<Tracer>() + raw::memory()
}

/// Instructions may be gone: a code object ends.
#[inline(always)]
pub fn code_ends(ts: &ThreadState) {
    if let Some(this) = tracer(ts.interp()) {
        // SAFETY: a short look under the GIL.
        unsafe { (*this.tracebacks.get()).forget_instructions() };
    }
}

/* ---- Recording ---- */

impl Tracer {
    fn total(&self) -> usize {
        self.bytes.get().wrapping_add(self.raw_bytes.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn note_peak(&self, total: usize) {
        if total > self.peak.load(Ordering::Relaxed) {
            self.peak.store(total, Ordering::Relaxed);
        }
    }

    fn count_raw(&self, size: usize) {
        self.raw_bytes.fetch_add(size, Ordering::Relaxed);
        let total = self.total();
        self.peak.fetch_max(total, Ordering::Relaxed);
    }

    fn forget_raw(&self, size: usize) {
        self.raw_bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// The number of the calling thread's traceback.
    #[inline(always)]
    fn here(&self) -> Result<u32, NoMemory> {
        match ThreadState::try_current() {
            Some(ts) if core::ptr::eq(ts.interp(), self.interp) => {
                // SAFETY: I1: nothing else looks at the tracebacks meanwhile.
                unsafe { (*self.tracebacks.get()).current(ts) }
            }
            _ => Ok(UNKNOWN),
        }
    }

    /// Records a block of the heap.
    #[inline(always)]
    fn record(&self, p: usize, size: usize) -> Result<(), NoMemory> {
        let traceback = self.here()?;
        if !Shadow::takes(p, size) {
            return self.record_odd(Odd { p, size, traceback });
        }
        // SAFETY: I1.
        let before = unsafe { (*self.shadow.get()).insert(p, Record { traceback, size: size as u32 }) }?;
        let before = before.map_or(0, |record| record.size as usize);
        self.bytes.set(self.bytes.get().wrapping_add(size).wrapping_sub(before));
        self.note_peak(self.total());
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn record_odd(&self, block: Odd) -> Result<(), NoMemory> {
        self.forget(block.p);
        // SAFETY: I1.
        let odd = unsafe { &mut *self.odd.get() };
        odd.try_reserve(1, |block| odd_hash(block.p)).map_err(|_| NoMemory)?;
        odd.insert_unique(odd_hash(block.p), block, |block| odd_hash(block.p));
        self.bytes.set(self.bytes.get().wrapping_add(block.size));
        self.note_peak(self.total());
        Ok(())
    }

    /// Forgets a block of the heap; whether it was recorded.
    #[inline(always)]
    fn forget(&self, p: usize) -> bool {
        // SAFETY: I1.
        if let Some(record) = unsafe { (*self.shadow.get()).remove(p) } {
            self.bytes.set(self.bytes.get().wrapping_sub(record.size as usize));
            return true;
        }
        // SAFETY: I1.
        let odd = unsafe { &mut *self.odd.get() };
        !odd.is_empty() && self.forget_odd(odd, p)
    }

    #[cold]
    #[inline(never)]
    fn forget_odd(&self, odd: &mut HashTable<Odd, Unwatched>, p: usize) -> bool {
        let Ok(entry) = odd.find_entry(odd_hash(p), |block| block.p == p) else { return false };
        let size = entry.remove().0.size;
        self.bytes.set(self.bytes.get().wrapping_sub(size));
        true
    }

    /// The traceback number of a block of domain 0 (heap or raw).
    fn find(&self, p: usize) -> Option<u32> {
        // SAFETY: I1.
        let (shadow, odd) = unsafe { (&*self.shadow.get(), &*self.odd.get()) };
        shadow
            .get(p)
            .map(|record| record.traceback)
            .or_else(|| odd.find(odd_hash(p), |block| block.p == p).map(|block| block.traceback))
            .or_else(|| raw::find(0, p, self))
    }
}

/// # Safety
/// For the watcher's functions on heaps: the mark is a live tracer whose GIL is held.
unsafe fn of_mark<'a>(mark: *mut c_void) -> &'a Tracer {
    // SAFETY: the caller's promise.
    unsafe { &*mark.cast::<Tracer>() }
}

unsafe fn allocated(mark: *mut c_void, p: *mut u8, size: usize) -> bool {
    // SAFETY: `start` has set the mark.
    let this = unsafe { of_mark(mark) };
    this.paused.get() != 0 || this.record(p.addr(), size).is_ok()
}

unsafe fn moved(mark: *mut c_void, old: *mut u8, new: *mut u8, size: usize) {
    // SAFETY: as above.
    let this = unsafe { of_mark(mark) };
    this.forget(old.addr());
    if this.paused.get() == 0 {
        // The block has been resized already; without room for its record it goes unrecorded.
        let _ = this.record(new.addr(), size);
    }
}

unsafe fn freed(mark: *mut c_void, p: *mut u8) {
    // SAFETY: as above.
    unsafe { of_mark(mark) }.forget(p.addr());
}

/// Whose a raw block of the calling thread is, and where it is allocated: nobody's when the thread's interpreter
/// does not trace; with a null owner the main interpreter's.
fn raw_owner() -> Result<Option<(*const Tracer, u32)>, NoMemory> {
    let Some(ts) = ThreadState::try_current() else { return Ok(Some((core::ptr::null(), UNKNOWN))) };
    match tracer(ts.interp()) {
        Some(this) if this.paused.get() == 0 => Ok(Some((this, this.here()?))),
        _ => Ok(None),
    }
}

fn raw_allocated(p: *mut u8, size: usize) -> bool {
    let recorded = raw_owner().and_then(|owner| match owner {
        Some((owner, traceback)) => raw::record(raw::Block { domain: 0, p: p.addr(), size, traceback, owner }),
        None => Ok(false),
    });
    recorded.is_ok()
}

fn raw_taken(p: *mut u8) -> Option<watch::Record> {
    let block = raw::take(0, p.addr(), None).ok().flatten()?;
    Some([block.size, block.traceback as usize, block.owner.expose_provenance()])
}

fn raw_restored(p: *mut u8, [size, traceback, owner]: watch::Record) {
    let owner = core::ptr::with_exposed_provenance(owner);
    raw::restore(raw::Block { domain: 0, p: p.addr(), size, traceback: traceback as u32, owner });
}

/* ---- PyTraceMalloc_Track and PyTraceMalloc_Untrack ---- */

/// Why a block has not been tracked.
pub enum Untracked {
    /// There is no room for the record.
    NoMemory,
    /// The interpreter does not trace.
    NotTracing,
}

/// Records a block of any domain, in any thread; without a thread state, for the main interpreter.
pub fn track(domain: u32, p: usize, size: usize) -> Result<(), Untracked> {
    let no_memory = |_: NoMemory| Untracked::NoMemory;
    let (owner, traceback) = match ThreadState::try_current() {
        None => (core::ptr::null(), UNKNOWN),
        Some(ts) => {
            let this = tracer(ts.interp()).ok_or(Untracked::NotTracing)?;
            // A block of the heap is known there already.
            if domain == 0 && this.forget(p) {
                return this.record(p, size).map_err(no_memory);
            }
            (core::ptr::from_ref(this), this.here().map_err(no_memory)?)
        }
    };
    match raw::record(raw::Block { domain, p, size, traceback, owner }) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Untracked::NotTracing),
        Err(NoMemory) => Err(Untracked::NoMemory),
    }
}

/// Forgets a block of any domain; nothing if it is not known.
pub fn untrack(domain: u32, p: usize) -> Result<(), Untracked> {
    let owner = match ThreadState::try_current() {
        None if !raw::main_traces() => return Err(Untracked::NotTracing),
        None => None,
        Some(ts) => {
            let this = tracer(ts.interp()).ok_or(Untracked::NotTracing)?;
            if domain == 0 && this.forget(p) {
                return Ok(());
            }
            Some(core::ptr::from_ref(this))
        }
    };
    raw::take(domain, p, owner).map(drop).map_err(|()| Untracked::NotTracing)
}

/* ---- What Python sees ---- */

/// Records nothing while it lives.
struct Pause<'a>(&'a Tracer);

impl<'a> Pause<'a> {
    fn new(this: &'a Tracer) -> Pause<'a> {
        this.paused.set(this.paused.get() + 1);
        Pause(this)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.paused.set(self.0.paused.get() - 1);
    }
}

/// A traceback as a tuple of (file name, line), the most recent first.
fn traceback_tuple(ts: &ThreadState, this: &Tracer, number: u32) -> PyResult {
    // The numbers are taken out first: making objects may free others, and so come back here.
    let mut frames = TryVec::<u32, Unwatched>::new_in(Unwatched);
    // SAFETY: I1, and the borrow ends with the statement.
    frames.try_extend_from_slice(unsafe { (*this.tracebacks.get()).frames(number) })?;
    let mut items = TryVec::<PyRef>::new();
    for frame in frames.as_slice() {
        let (file, line) = {
            // SAFETY: as above.
            let (file, line) = unsafe { (*this.tracebacks.get()).place(*frame) };
            (file.cloned(), line)
        };
        let file: PyRef = match file {
            Some(file) => file.into_object(),
            None => PyStr::intern(ts, "<unknown>")?.into_object(),
        };
        let line = PyInt::from_u64(ts, u64::from(line))?;
        items.try_push(PyTuple::pair(ts, &file, &line)?.into_object())?;
    }
    Ok(PyTuple::from_vec(ts, items)?.into_object())
}

/// A block in a snapshot.
struct Found {
    domain: u32,
    traceback: u32,
    size: usize,
}

/// All records: a list of (domain, size, traceback, count of all frames).
pub fn traces(ts: &ThreadState) -> PyResult {
    let list = PyList::new(ts)?;
    let Some(this) = tracer(ts.interp()) else { return Ok(list.into_object()) };
    let _pause = Pause::new(this);
    let mut found = TryVec::<Found, Unwatched>::new_in(Unwatched);
    // SAFETY: I1: collecting touches no object.
    let (shadow, odd) = unsafe { (&*this.shadow.get(), &*this.odd.get()) };
    shadow.for_each(|record| {
        found.try_push(Found { domain: 0, traceback: record.traceback, size: record.size as usize })
    })?;
    for block in odd.iter() {
        found.try_push(Found { domain: 0, traceback: block.traceback, size: block.size })?;
    }
    raw::for_each(this, |block| {
        found.try_push(Found { domain: block.domain, traceback: block.traceback, size: block.size })
    })?;
    // Traces with the same traceback share the tuple.
    let mut tuples: HashTable<(u32, PyRef), Unwatched> = HashTable::new_in(Unwatched);
    let hash = |number: u32| odd_hash(number as usize);
    for block in found.as_slice() {
        let known = tuples.find(hash(block.traceback), |(number, _)| *number == block.traceback);
        let tuple = match known {
            Some((_, tuple)) => tuple.clone(),
            None => {
                let tuple = traceback_tuple(ts, this, block.traceback)?;
                tuples.try_reserve(1, |(number, _)| hash(*number)).map_err(|_| NoMemory)?;
                tuples.insert_unique(hash(block.traceback), (block.traceback, tuple.clone()), |(n, _)| hash(*n));
                tuple
            }
        };
        // SAFETY: I1.
        let total = unsafe { (*this.tracebacks.get()).total(block.traceback) };
        let domain = PyInt::from_u64(ts, u64::from(block.domain))?;
        let trace = PyTuple::from_array(
            ts,
            [domain, PyInt::from_usize(ts, block.size)?, tuple, PyInt::from_usize(ts, total)?],
        )?;
        list.append(ts, trace.into_object())?;
    }
    Ok(list.into_object())
}

/// Where the object's memory was allocated, as `traces` shows it; None when that is not known.
pub fn object_traceback(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(this) = tracer(ts.interp()) else { return Ok(ts.none()) };
    let block = object.as_ptr().addr() - alloc::prefix_size(object.ob_type());
    match this.find(block) {
        Some(number) => traceback_tuple(ts, this, number),
        None => Ok(PyRef::from_borrowed(none())),
    }
}

/// Writes where a block of the interpreter's heap was allocated; None when that is not known.
pub fn write_place(ts: &ThreadState, block: usize, out: &mut dyn fmt::Write) -> Option<fmt::Result> {
    let this = tracer(ts.interp())?;
    let number = this.find(block)?;
    Some(write_traceback(out, this, number))
}

/// Prints where a block was allocated, for the debug hooks' report; false when that is not known.
fn print_traceback(domain: Domain, p: *mut u8) -> bool {
    let Some(this) = ThreadState::try_current().and_then(|ts| tracer(ts.interp())) else { return false };
    let number = if domain == Domain::Raw { raw::find(0, p.addr(), this) } else { this.find(p.addr()) };
    let Some(number) = number else { return false };
    let mut out = Output::stderr();
    let result = write_traceback(&mut out, this, number);
    out.flush();
    result.is_ok()
}

fn write_traceback(out: &mut dyn fmt::Write, this: &Tracer, number: u32) -> fmt::Result {
    // SAFETY: a short look under the GIL: writing runs no other code of the tracer's.
    let tracebacks = unsafe { &*this.tracebacks.get() };
    writeln!(out, "Memory block allocated at (most recent call first):")?;
    for frame in tracebacks.frames(number) {
        let (file, line) = tracebacks.place(*frame);
        out.write_str("  File \"")?;
        match file {
            Some(file) => crate::lifecycle::stacks::write_text(out, file)?,
            None => out.write_str("<unknown>")?,
        }
        writeln!(out, "\", line {line}")?;
    }
    out.write_str("\n")
}
