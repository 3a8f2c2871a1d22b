//! The memory's figures at the end: what `-X memstats` prints, and the report of what is still alive.

use core::fmt::{self, Write};

use hognose_allocators::{Domain, DomainStats, Heap, Tag, raw_stats};

use crate::object::flags;
use crate::object::header::PyObject;
use crate::object::typeobj::PyTypeObject;

/// The figures of the domains at the end of a run.
#[derive(Clone, Copy, Default)]
pub struct Figures {
    /// `raw`, less what was alive before pre-initialization.
    pub raw: DomainStats,
    /// `mem`.
    pub mem: DomainStats,
    /// `obj`.
    pub obj: DomainStats,
    /// Daemon threads that were stopped with native code on their stacks: what that holds is never given back.
    pub stopped_threads: usize,
}

impl Figures {
    /// Whether anything is still alive that nobody holds: where threads were stopped, that cannot be told.
    pub fn has_live(&self) -> bool {
        self.stopped_threads == 0 && [self.raw, self.mem, self.obj].iter().any(|s| s.live_blocks != 0)
    }

    /// Takes the figures of an interpreter's heap over, before it is destroyed.
    pub fn note_heap(&mut self, heap: &Heap) {
        self.mem = heap.stats(Domain::Mem);
        self.obj = heap.stats(Domain::Obj);
    }

    /// Takes the raw domain's figures, less what was alive at `start`.
    pub fn note_raw(&mut self, start: &DomainStats) {
        let mut now = raw_stats();
        now.live_blocks = now.live_blocks.saturating_sub(start.live_blocks);
        now.live_bytes = now.live_bytes.saturating_sub(start.live_bytes);
        now.allocations = now.allocations.saturating_sub(start.allocations);
        self.raw = now;
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
        Ok(())
    }
}

/// Writes a line for each block that is still alive in a heap: domain, size, and the type of an object.
///
/// Types may be half torn down: only what a type struct itself holds is looked at.
pub fn write_live(heap: &Heap, out: &mut dyn Write) -> fmt::Result {
    let mut result = Ok(());
    let mut shown = 0usize;
    heap.walk_tagged(&mut |tag, block, size| {
        shown += 1;
        if result.is_err() || shown > MOST_SHOWN {
            return;
        }
        let domain = if tag == Tag::Mem { "mem" } else { "obj" };
        result = match type_name(tag, block, size) {
            Some(name) => writeln!(out, "hognose-memstats: alive: {domain} block of {size} bytes, type {name}"),
            None => writeln!(out, "hognose-memstats: alive: {domain} block of {size} bytes"),
        };
    });
    result?;
    if shown > MOST_SHOWN {
        writeln!(out, "hognose-memstats: alive: … and {} more", shown - MOST_SHOWN)?;
    }
    Ok(())
}

/// How many blocks the report names.
const MOST_SHOWN: usize = 100;

/// The name of the type of the object in a block, when it can be told.
fn type_name(tag: Tag, block: *mut u8, size: usize) -> Option<&'static str> {
    let prefixes: &[usize] = match tag {
        Tag::Mem => return None,
        Tag::Obj => &[0],
        Tag::ObjGc => &[16, 32],
    };
    for prefix in prefixes {
        if size < prefix + size_of::<PyObject>() {
            continue;
        }
        // SAFETY: the block is alive and has that many bytes.
        let typ = unsafe { (*block.add(*prefix).cast::<PyObject>()).ob_type.get() };
        if let Some(name) = name_of_type(typ) {
            return Some(name);
        }
    }
    None
}

/// The name of a type, if the pointer is one to a built-in type; heap types of a torn-down interpreter are
/// looked at only when the pointer leads into a live block, which static types tell by their address range.
fn name_of_type(typ: *const PyTypeObject) -> Option<&'static str> {
    if typ.is_null() || !typ.is_aligned() {
        return None;
    }
    let is_static = crate::types::is_known_type(typ);
    if !is_static {
        return None;
    }
    // SAFETY: built-in types are statics.
    let typ = unsafe { &*typ };
    if !typ.has_flag(flags::READY) {
        return None;
    }
    Some(typ.full_name())
}
