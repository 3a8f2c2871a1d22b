//! The memory's figures: what `-X memstats` prints at the end, what `sys._hognose.memory_stats()` and
//! `Hog_GetStats` tell in between, and the report of what is still alive.
//!
//! [`Figures::describe`] is the one list of names and numbers; the JSON text and the dictionary of Python
//! are two ways to write it down.

use core::fmt::{self, Write};

use hognose_allocators::host::HostStats;
use hognose_allocators::{
    ARENA_SIZE, Domain, DomainStats, Heap, HeapKind, HeapStats, Limit, PAGE_SIZE, PageCensus, host_stats, raw_stats,
    resident_bytes,
};

use crate::object::census::Census;
use crate::state::ThreadState;

/// The version of the names in [`Figures::describe`].
pub const VERSION: u64 = 1;

/// The memory's figures at one moment.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    /// The interpreter whose heap this is.
    pub interpreter: i64,
    /// Who serves the heap; `None` before there was one.
    pub kind: Option<HeapKind>,
    /// `raw`: of the process. At the end of a run, less what was alive before pre-initialization.
    pub raw: DomainStats,
    /// `mem`.
    pub mem: DomainStats,
    /// `obj`.
    pub obj: DomainStats,
    /// Rust's global allocator, which serves the crates that the runtime uses.
    pub host: HostStats,
    /// The heap.
    pub heap: HeapStats,
    /// The limits of the heap, of mem and of obj.
    pub limits: [Limit; 3],
    /// Daemon threads that were stopped with native code on their stacks: what that holds is never given back.
    pub stopped_threads: usize,
    /// Blocks that ended sub-interpreters have left alive in their own heaps.
    pub left_by_interpreters: u64,
}

/// Somebody to whom figures are told, as a tree of names.
pub trait Listener {
    /// What can go wrong.
    type Error;
    /// A number.
    fn number(&mut self, name: &str, value: u64) -> Result<(), Self::Error>;
    /// A number, or none.
    fn optional(&mut self, name: &str, value: Option<u64>) -> Result<(), Self::Error>;
    /// A text.
    fn text(&mut self, name: &str, value: &str) -> Result<(), Self::Error>;
    /// What follows is inside `name`; in a list the name is empty.
    fn open(&mut self, name: &str) -> Result<(), Self::Error>;
    /// What follows is a list that is called `name`.
    fn open_list(&mut self, name: &str) -> Result<(), Self::Error>;
    /// The end of what was opened last.
    fn close(&mut self) -> Result<(), Self::Error>;
}

fn kind_name(kind: Option<HeapKind>) -> &'static str {
    match kind {
        None => "none",
        Some(HeapKind::Malloc) => "malloc",
        #[cfg(feature = "pymalloc")]
        Some(HeapKind::Pymalloc) => "pymalloc",
        #[cfg(feature = "mimalloc")]
        Some(HeapKind::Mimalloc) => "mimalloc",
    }
}

impl Figures {
    /// The figures of the thread's interpreter, now.
    pub fn now(ts: &ThreadState) -> Figures {
        let mut figures = Figures { raw: raw_stats(), host: host_stats(), ..Figures::default() };
        figures.note_heap(ts.interp().id, ts.heap());
        figures
    }

    /// Whether anything is still alive that nobody holds: where threads were stopped, that cannot be told.
    pub fn has_live(&self) -> bool {
        self.left_by_interpreters != 0
            || self.stopped_threads == 0 && [self.raw, self.mem, self.obj].iter().any(|s| s.live_blocks != 0)
    }

    /// Takes the figures of an interpreter's heap over, before it is destroyed.
    pub fn note_heap(&mut self, interpreter: i64, heap: &Heap) {
        self.interpreter = interpreter;
        self.kind = Some(heap.kind());
        self.heap = heap.heap_stats();
        self.mem = self.heap.mem;
        self.obj = self.heap.obj;
        self.limits = [None, Some(Domain::Mem), Some(Domain::Obj)].map(|scope| heap.limit(scope));
    }

    /// Takes the raw domain's figures, less what was alive at `start`, and those of the host.
    pub fn note_raw(&mut self, start: &DomainStats) {
        let mut now = raw_stats();
        now.live_blocks = now.live_blocks.saturating_sub(start.live_blocks);
        now.live_bytes = now.live_bytes.saturating_sub(start.live_bytes);
        now.allocations = now.allocations.saturating_sub(start.allocations);
        now.total_bytes = now.total_bytes.saturating_sub(start.total_bytes);
        self.raw = now;
        self.host = host_stats();
    }

    /// Writes one line for each domain.
    pub fn write(&self, out: &mut dyn Write) -> fmt::Result {
        for (name, stats) in [("raw", self.raw), ("mem", self.mem), ("obj", self.obj)] {
            writeln!(
                out,
                "hognose-memstats: {name} live_blocks={} live_bytes={} peak_bytes={} allocations={}",
                stats.live_blocks, stats.live_bytes, stats.peak_bytes, stats.allocations
            )?;
        }
        if self.stopped_threads != 0 {
            writeln!(
                out,
                "hognose-memstats: stopped_threads={}: daemon threads inside native code keep what it uses",
                self.stopped_threads
            )?;
        }
        if self.left_by_interpreters != 0 {
            writeln!(out, "hognose-memstats: left_by_interpreters={}", self.left_by_interpreters)?;
        }
        Ok(())
    }

    /// Writes everything as one JSON object on a line of its own.
    pub fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        let mut json = Json { out, first: true, lists: 0 };
        json.out.write_char('{')?;
        self.describe(&mut json)?;
        json.out.write_str("}\n")
    }

    /// Tells every figure. Counts are of blocks, pages or arenas, as their names say; everything else is
    /// in bytes.
    pub fn describe<L: Listener + ?Sized>(&self, to: &mut L) -> Result<(), L::Error> {
        to.number("version", VERSION)?;
        to.number("interpreter", self.interpreter.unsigned_abs())?;
        to.text("allocator", kind_name(self.kind))?;
        to.optional("resident_bytes", resident_bytes().map(|bytes| bytes as u64))?;
        for (name, stats) in [("raw", &self.raw), ("mem", &self.mem), ("obj", &self.obj)] {
            describe_domain(to, name, stats)?;
        }
        to.open("host")?;
        to.number("live_blocks", self.host.live_blocks as u64)?;
        to.number("live_bytes", self.host.live_bytes as u64)?;
        to.number("peak_blocks", self.host.peak_blocks as u64)?;
        to.number("peak_bytes", self.host.peak_bytes as u64)?;
        to.number("allocations", self.host.allocations as u64)?;
        to.number("total_bytes", self.host.total_bytes as u64)?;
        to.close()?;
        self.describe_heap(to)?;
        to.open("limits")?;
        for (name, limit) in ["heap", "mem", "obj"].iter().zip(&self.limits) {
            to.open(name)?;
            to.optional("soft", limit.soft.map(|bytes| bytes as u64))?;
            to.optional("hard", limit.hard.map(|bytes| bytes as u64))?;
            to.close()?;
        }
        to.number("refused", self.heap.refused)?;
        to.close()
    }

    fn describe_heap<L: Listener + ?Sized>(&self, to: &mut L) -> Result<(), L::Error> {
        let heap = &self.heap;
        to.open("heap")?;
        to.number("held_bytes", heap.held_bytes as u64)?;
        to.number("peak_held_bytes", heap.peak_held_bytes as u64)?;
        to.number("large_blocks", heap.large_blocks as u64)?;
        to.number("large_bytes", heap.large_bytes as u64)?;
        to.close()?;
        let arenas = &heap.arenas;
        to.open("arenas")?;
        to.number("live", arenas.current as u64)?;
        to.number("peak", arenas.highwater as u64)?;
        to.number("total", arenas.total as u64)?;
        to.number("reclaimed", arenas.reclaimed as u64)?;
        to.number("bytes", (arenas.current * ARENA_SIZE) as u64)?;
        to.number("page_size", PAGE_SIZE as u64)?;
        to.number("used_pages", arenas.used_pages as u64)?;
        to.number("unused_pages", arenas.unused_pages as u64)?;
        to.number("dirty_pages", arenas.dirty_pages as u64)?;
        to.close()?;
        let lost = &heap.lost;
        to.open("lost")?;
        to.number("free_blocks", lost.free_blocks as u64)?;
        to.number("page_headers", lost.page_headers as u64)?;
        to.number("page_tails", lost.page_tails as u64)?;
        to.number("unused_pages", lost.unused_pages as u64)?;
        to.number("alignment", lost.alignment as u64)?;
        to.close()?;
        to.open_list("classes")?;
        for class in heap.classes.iter().filter(|class| class.peak_pages != 0) {
            describe_class(to, class)?;
        }
        to.close()
    }
}

fn describe_domain<L: Listener + ?Sized>(to: &mut L, name: &str, stats: &DomainStats) -> Result<(), L::Error> {
    to.open(name)?;
    to.number("live_blocks", stats.live_blocks as u64)?;
    to.number("live_bytes", stats.live_bytes as u64)?;
    to.number("peak_blocks", stats.peak_blocks as u64)?;
    to.number("peak_bytes", stats.peak_bytes as u64)?;
    to.number("allocations", stats.allocations)?;
    to.number("total_bytes", stats.total_bytes)?;
    to.close()
}

fn describe_class<L: Listener + ?Sized>(to: &mut L, class: &PageCensus) -> Result<(), L::Error> {
    to.open("")?;
    to.number("block_size", class.block_size as u64)?;
    to.number("pages", class.pages as u64)?;
    to.number("peak_pages", class.peak_pages as u64)?;
    to.number("live_blocks", class.used as u64)?;
    to.number("live_bytes", (class.used * class.block_size) as u64)?;
    to.number("free_blocks", class.available as u64)?;
    to.number("peak_bytes", (class.peak_pages * PAGE_SIZE) as u64)?;
    to.number("allocations", class.allocations)?;
    to.number("total_bytes", class.allocations.wrapping_mul(class.block_size as u64))?;
    to.close()
}

/// Writes JSON. The names are ours and the texts are names of allocators, so nothing is to be escaped.
struct Json<'a> {
    out: &'a mut dyn Write,
    /// Nothing was written since the last bracket was opened.
    first: bool,
    /// A bit for each open bracket, the innermost lowest: set for a list.
    lists: u64,
}

impl Json<'_> {
    fn name(&mut self, name: &str) -> fmt::Result {
        if !core::mem::take(&mut self.first) {
            self.out.write_char(',')?;
        }
        if name.is_empty() { Ok(()) } else { write!(self.out, "\"{name}\":") }
    }

    fn bracket(&mut self, name: &str, bracket: char) -> fmt::Result {
        self.name(name)?;
        self.first = true;
        self.lists = self.lists << 1 | u64::from(bracket == '[');
        self.out.write_char(bracket)
    }
}

impl Listener for Json<'_> {
    type Error = fmt::Error;

    fn number(&mut self, name: &str, value: u64) -> fmt::Result {
        self.name(name)?;
        write!(self.out, "{value}")
    }

    fn optional(&mut self, name: &str, value: Option<u64>) -> fmt::Result {
        match value {
            Some(value) => self.number(name, value),
            None => {
                self.name(name)?;
                self.out.write_str("null")
            }
        }
    }

    fn text(&mut self, name: &str, value: &str) -> fmt::Result {
        self.name(name)?;
        write!(self.out, "\"{value}\"")
    }

    fn open(&mut self, name: &str) -> fmt::Result {
        self.bracket(name, '{')
    }

    fn open_list(&mut self, name: &str) -> fmt::Result {
        self.bracket(name, '[')
    }

    fn close(&mut self) -> fmt::Result {
        let bracket = if self.lists & 1 == 1 { ']' } else { '}' };
        self.lists >>= 1;
        self.first = false;
        self.out.write_char(bracket)
    }
}

/// As many blocks the report of what is alive names one by one.
const MOST_SHOWN: usize = 100;

/// Writes what is still alive in a heap: a line for each block with domain, size, and the type of an object; or,
/// when there are many, a line for each type.
///
/// Types may be half torn down: a class is named by what its own struct holds.
pub fn write_live(heap: &Heap, out: &mut dyn Write) -> fmt::Result {
    let (mem, obj) = (heap.stats(Domain::Mem), heap.stats(Domain::Obj));
    if mem.live_blocks + obj.live_blocks > MOST_SHOWN
        && let Ok(census) = Census::take(heap)
    {
        return write_types(&mem, &census, out);
    }
    // Without memory for the table the blocks are named without their types.
    let mut types = Census::of_no_objects(heap).ok();
    let mut result = Ok(());
    heap.walk_tagged(&mut |tag, block, size| {
        if result.is_err() {
            return;
        }
        let domain = tag.domain().as_str();
        let typ = types.as_mut().and_then(|types| types.type_of(tag, block, size));
        result = match typ {
            Some(typ) => {
                writeln!(out, "hognose-memstats: alive: {domain} block of {size} bytes, type {}", typ.full_name())
            }
            None => writeln!(out, "hognose-memstats: alive: {domain} block of {size} bytes"),
        };
    });
    result
}

fn write_types(mem: &DomainStats, census: &Census, out: &mut dyn Write) -> fmt::Result {
    let blocks = [("mem", mem.live_blocks, mem.live_bytes), ("obj", census.unknown.0, census.unknown.1)];
    for (domain, blocks, bytes) in blocks.into_iter().filter(|(_, blocks, _)| *blocks != 0) {
        writeln!(out, "hognose-memstats: alive: {blocks} {domain} blocks of {bytes} bytes in all")?;
    }
    for row in census.rows() {
        // SAFETY: one of its objects lives, so the type does.
        let name = unsafe { &*row.typ }.full_name();
        writeln!(
            out,
            "hognose-memstats: alive: {} obj blocks of {} bytes in all, type {name}",
            row.objects, row.bytes
        )?;
    }
    Ok(())
}
