//! What is still alive when the heap is about to go, as data: `Hog_FinalizeEx`, and `-X leakreport` on standard error.
//!
//! ```text
//!   tracer still traces ──► note: address, traceback's text of each block ──► tracer stops (its file names go)
//!                                                                              │
//!   walk of the heap ──► domain, size, type, module of the type ──► row  ◄─────┘ by address
//! ```
//!
//! The rows live in the raw domain, as the heap stays as it is while it is walked. A module that leaks is known by its
//! types: a block that is an object of a type with a module's name in front is that module's.

use core::cell::Cell;
use core::ffi::{c_char, c_int};
use core::fmt::{self, Write};
use core::ptr;

use hognose_allocators::{Domain, Heap, NoMemory, Raw, TryString, TryVec, raw_free, raw_malloc};

use super::memstats::Figures;
use crate::object::PyTypeObject;
use crate::object::census::Census;
use crate::state::ThreadState;
use crate::tracemalloc;

/// `Hog_LiveBlock`: one block that is still alive.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LiveBlock {
    /// `PyMemAllocatorDomain`.
    pub domain: c_int,
    /// Bytes.
    pub size: usize,
    /// The type of the object in it, or null.
    pub typ: *const c_char,
    /// The extension module that the type belongs to, or null.
    pub module: *const c_char,
    /// Where it was allocated, or null when that was not traced.
    pub traceback: *const c_char,
}

/// `Hog_FinalizeReport`.
#[repr(C)]
pub struct FinalizeReport {
    /// In: the size of the caller's struct. Out: how much of it was filled in.
    pub size: usize,
    /// What `Py_FinalizeEx` would have returned.
    pub status: c_int,
    /// Live blocks of raw, mem and obj.
    pub live_blocks: [usize; 3],
    /// Their bytes.
    pub live_bytes: [usize; 3],
    /// Daemon threads that were stopped in native code: what that holds is alive and no leak.
    pub stopped_threads: usize,
    /// How many rows follow.
    pub count: usize,
    /// The rows, in one raw block with their texts.
    pub blocks: *mut LiveBlock,
    /// Blocks of mem and obj that are not among the rows, for want of memory.
    pub unlisted: usize,
}

/// A block as it is found: texts are places in the pool, 0 for none.
struct Row {
    domain: c_int,
    size: usize,
    texts: [usize; 3],
}

/// What was found alive.
pub struct Leaks {
    rows: TryVec<Row, Raw>,
    /// Texts with NULs between; the first byte is one, so that place 0 is none.
    pool: TryString<Raw>,
    unlisted: usize,
}

thread_local! {
    /// What the finalization that runs in this thread is to leave behind.
    static WANTED: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<Option<Leaks>> = const { Cell::new(None) };
    /// `-X leakreport`.
    static PRINT: Cell<bool> = const { Cell::new(false) };
}

/// Has this thread's next finalization print what is alive.
pub fn print_at_end(on: bool) {
    PRINT.set(on);
}

/// The tracebacks of what is alive, before the tracer lets its own memory go.
pub struct Places {
    /// Address of a block, and the place of its text in the pool.
    known: TryVec<(usize, usize), Raw>,
    pool: TryString<Raw>,
}

/// Notes where the live blocks were allocated, if that is traced and wanted, and ends tracing.
pub fn note_places(ts: &ThreadState) -> Option<Places> {
    let wanted = WANTED.get() || PRINT.get();
    let places = if wanted && tracemalloc::is_tracing(ts) { collect_places(ts).ok() } else { None };
    tracemalloc::stop(ts);
    places
}

fn collect_places(ts: &ThreadState) -> Result<Places, NoMemory> {
    let mut places = Places { known: TryVec::new_in(Raw), pool: TryString::new_in(Raw) };
    places.pool.try_push_str("\0")?;
    let mut result = Ok(());
    ts.heap().walk_tagged(&mut |_, block, _| {
        if result.is_ok() {
            let at = places.pool.len();
            result = match tracemalloc::write_place(ts, block.addr(), &mut places.pool) {
                Some(Ok(())) => places.pool.try_push_str("\0").and_then(|()| places.known.try_push((block.addr(), at))),
                Some(Err(fmt::Error)) => Err(NoMemory),
                None => Ok(()),
            };
        }
    });
    result.map(|()| places)
}

impl Places {
    /// The text for a block, if any.
    fn text(&self, block: usize) -> Option<&str> {
        let (_, at) = self.known.iter().find(|(known, _)| *known == block)?;
        self.pool.as_str().get(*at..)?.split('\0').next()
    }
}

impl Leaks {
    fn new() -> Result<Leaks, NoMemory> {
        let mut pool = TryString::new_in(Raw);
        pool.try_push_str("\0")?;
        Ok(Leaks { rows: TryVec::new_in(Raw), pool, unlisted: 0 })
    }

    /// Puts a text into the pool; its place.
    fn keep(&mut self, text: Option<&str>) -> Result<usize, NoMemory> {
        let Some(text) = text else { return Ok(0) };
        let at = self.pool.len();
        self.pool.try_push_str(text)?;
        self.pool.try_push_str("\0")?;
        Ok(at)
    }

    fn text(&self, at: usize) -> Option<&str> {
        if at == 0 { None } else { self.pool.as_str().get(at..)?.split('\0').next() }
    }

    /// Walks a heap.
    fn take(heap: &Heap, places: Option<&Places>) -> Result<Leaks, NoMemory> {
        let mut leaks = Leaks::new()?;
        // Without memory for the table the blocks have no types.
        let mut types = Census::of_no_objects(heap).ok();
        heap.walk_tagged(&mut |tag, block, size| {
            let typ = types.as_mut().and_then(|types| types.type_of(tag, block, size));
            let place = places.and_then(|places| places.text(block.addr()));
            let added = leaks.keep(typ.map(PyTypeObject::full_name)).and_then(|name| {
                let module = leaks.keep(typ.and_then(module_of))?;
                let traceback = leaks.keep(place)?;
                let domain = if tag.domain() == Domain::Mem { 1 } else { 2 };
                leaks.rows.try_push(Row { domain, size, texts: [name, module, traceback] })
            });
            if added.is_err() {
                leaks.unlisted += 1;
            }
        });
        Ok(leaks)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        for row in self.rows.iter() {
            let domain = if row.domain == 1 { "mem" } else { "obj" };
            write!(out, "hognose-leakreport: {domain} block of {} bytes", row.size)?;
            if let Some(name) = self.text(row.texts[0]) {
                write!(out, ", type {name}")?;
            }
            if let Some(module) = self.text(row.texts[1]) {
                write!(out, ", leaked by module {module}")?;
            }
            out.write_str("\n")?;
            if let Some(traceback) = self.text(row.texts[2]) {
                out.write_str(traceback)?;
            }
        }
        if self.unlisted != 0 {
            writeln!(out, "hognose-leakreport: {} blocks more, without the memory to name them", self.unlisted)?;
        }
        Ok(())
    }

    /// The rows as C has them: one raw block, the texts behind the rows. The size of that block.
    fn into_c(self, report: &mut FinalizeReport) -> usize {
        let rows = self.rows.len();
        let texts = rows * size_of::<LiveBlock>();
        report.unlisted = self.unlisted;
        if rows == 0 {
            return 0;
        }
        let size = texts + self.pool.len();
        let memory = raw_malloc(size).cast::<u8>();
        if memory.is_null() {
            report.unlisted += rows;
            return 0;
        }
        // SAFETY: the block has room for the rows and, behind them, for the texts, and is aligned for the rows.
        unsafe {
            let pool = memory.add(texts);
            ptr::copy_nonoverlapping(self.pool.as_str().as_ptr(), pool, self.pool.len());
            let text = |at: usize| if at == 0 { ptr::null() } else { pool.add(at).cast::<c_char>().cast_const() };
            for (index, row) in self.rows.iter().enumerate() {
                memory.cast::<LiveBlock>().add(index).write(LiveBlock {
                    domain: row.domain,
                    size: row.size,
                    typ: text(row.texts[0]),
                    module: text(row.texts[1]),
                    traceback: text(row.texts[2]),
                });
            }
        }
        report.count = rows;
        report.blocks = memory.cast();
        size
    }
}

/// The extension module that a type belongs to: what stands before the last dot of the name that a C program gave it.
fn module_of(typ: &PyTypeObject) -> Option<&str> {
    let (module, _) = typ.full_name().rsplit_once('.')?;
    // What is built in leaks by no fault of a module.
    if typ.as_static_type().is_some() || crate::modules::find(module).is_some() { None } else { Some(module) }
}

/// Looks at the heap for whoever wants to know, right before it goes.
pub fn look(heap: &Heap, places: Option<Places>) {
    let stats = heap.heap_stats();
    if (!WANTED.get() && !PRINT.get()) || stats.mem.live_blocks + stats.obj.live_blocks == 0 {
        return;
    }
    let lost = Leaks { rows: TryVec::new_in(Raw), pool: TryString::new_in(Raw), unlisted: 0 };
    let leaks = Leaks::take(heap, places.as_ref())
        .unwrap_or(Leaks { unlisted: stats.mem.live_blocks + stats.obj.live_blocks, ..lost });
    if PRINT.get() {
        // A report that cannot be written has no one to tell.
        let _ = leaks.write(&mut super::finalize::StandardError);
    }
    if WANTED.get() {
        FOUND.set(Some(leaks));
    }
}

/// Finalizes, and fills a report in (`Hog_FinalizeEx`); `raw` tells the raw domain's live blocks and bytes that have
/// come since initialization.
pub fn finalize_with(
    report: &mut FinalizeReport,
    finalize: impl FnOnce() -> c_int,
    raw: impl FnOnce() -> (usize, usize),
) {
    WANTED.set(true);
    report.status = finalize();
    WANTED.set(false);
    let figures: Figures = super::finalize::last_figures().unwrap_or_default();
    let found = FOUND.take();
    report.count = 0;
    report.blocks = ptr::null_mut();
    report.unlisted = 0;
    let own = found.map_or(0, |found| found.into_c(report));
    let (blocks, bytes) = raw();
    // The rows are a raw block themselves.
    let raw = [blocks.saturating_sub(usize::from(own != 0)), bytes.saturating_sub(own)];
    report.live_blocks = [raw[0], figures.mem.live_blocks, figures.obj.live_blocks];
    report.live_bytes = [raw[1], figures.mem.live_bytes, figures.obj.live_bytes];
    report.stopped_threads = figures.stopped_threads;
}

/// Frees a report's rows (`Hog_ClearFinalizeReport`).
///
/// # Safety
/// The rows are those of [`finalize_with`], and not freed yet.
pub unsafe fn clear(report: &mut FinalizeReport) {
    // SAFETY: the caller's promise.
    unsafe { raw_free(report.blocks.cast()) };
    report.blocks = ptr::null_mut();
    report.count = 0;
}
