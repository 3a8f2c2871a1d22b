//! Hognose's memory domains inside an unmodified CPython 3.11 to 3.14.
//!
//! `libhognose_allocators.so` is preloaded, by hand or by `hognose-run`. Before `main` it looks for CPython's
//! `PyMem_SetAllocator`, in the program or in its `libpython`, and installs tables of its own:
//!
//! ```text
//!   LD_PRELOAD ─► constructor ─► PyMem_SetAllocator(mem, obj [, raw]) ─► main ─► pre-initialization, which leaves the
//!                                       │                                        tables alone: PYTHONMALLOC is not set
//!                                       ▼
//!        tables ─► the heap of the thread ──────────────► pages, C library, mimalloc, guard pool
//!           │            ▲ abandoned at its end, adopted
//!           │ free       │ by the next thread
//!           └──────► the queue of the block's own heap, if that is another thread's
//! ```
//!
//! A heap belongs to one thread, not to one GIL: CPython has more than one of them, and frees some blocks of mem and obj
//! when it holds none. No heap is ever destroyed, so the page of a live block always leads to one that lives.
//!
//! Environment: `HOGNOSE_MALLOC` names the allocator (`pymalloc` if it is not set; `debug`, `guard`, `mimalloc`, …, or
//! `off`), `HOGNOSE_GUARD` is `RATE` or `RATE:SLOTS` for `guard`, `HOGNOSE_STATS` is the number of the process that
//! writes figures when it exits, or `all`. A process without CPython is left alone, and so is one in which `PYTHONMALLOC`
//! is set: it has asked for something else.
//!
//! Files: `python` (what is looked up in CPython), `tables`, `threads` (the heap of a thread), `census` (counters),
//! `report`.

mod census;
mod python;
mod report;
mod tables;
mod threads;

use core::ffi::CStr;

use domains::{AllocatorName, Domain, guard, select, set_fatal_handler, share_heaps};
use python::Python;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = construct;

/// A variable of the environment; `None` if it is not set, or empty.
fn variable(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: before `main` nobody changes the environment; the text is used at once.
    let text = unsafe {
        let at = libc::getenv(name.as_ptr());
        if at.is_null() { return None } else { CStr::from_ptr(at) }
    };
    Some(text.to_bytes()).filter(|text| !text.is_empty())
}

/// Says on standard error why nothing can be done, and ends the process: who asked for an allocator must not run without.
fn refuse(why: core::fmt::Arguments<'_>) -> ! {
    report::line(2, format_args!("hognose: {why}\n"));
    // SAFETY: no preconditions. `main` has not begun, so nobody has anything to clean up.
    unsafe { libc::_exit(2) }
}

extern "C" fn construct() {
    let Some(python) = Python::find() else {
        return;
    };
    if variable(c"PYTHONMALLOC").is_some() {
        return;
    }
    let name = variable(c"HOGNOSE_MALLOC").unwrap_or(b"pymalloc");
    if name == b"off" {
        return;
    }
    if let Err(why) = python.check() {
        refuse(format_args!("{why}"));
    }
    let name = match AllocatorName::parse(name) {
        Ok(name) => name.resolve(),
        Err(why) => refuse(format_args!("HOGNOSE_MALLOC: {why}")),
    };
    if let Some(options) = variable(c"HOGNOSE_GUARD") {
        match guard::parse_options(options) {
            Some((rate, slots)) if guard::set_options(rate, slots) => {}
            _ => refuse(format_args!("HOGNOSE_GUARD is RATE or RATE:SLOTS, at most {} slots", guard::MOST_SLOTS)),
        }
    }
    if let Err(why) = select(name) {
        refuse(format_args!("{why}"));
    }
    let Ok(kind) = name.heap_kind() else {
        refuse(format_args!("this build does not have {}", name.as_str()));
    };
    set_fatal_handler(report::fatal);
    // SAFETY: nothing here destroys a heap.
    unsafe { share_heaps() };
    if !threads::start(kind, python) {
        refuse(format_args!("no key for the heaps of threads, or no handler for fork"));
    }
    let counted = variable(c"HOGNOSE_STATS").is_some_and(report::is_for_this_process);
    if counted && !report::at_exit(name, python) {
        refuse(format_args!("no handler for the exit"));
    }
    for domain in [Domain::Mem, Domain::Obj] {
        python.set_allocator(domain, tables::of(domain, counted));
    }
    // The raw domain is the C library's either way; it is ours where that shows.
    if counted || name.has_debug_hooks() || name == AllocatorName::Guard {
        python.set_allocator(Domain::Raw, tables::of(Domain::Raw, counted));
    }
}
