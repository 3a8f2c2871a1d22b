//! `PYTHONMALLOC=guard`: one block in n lies right before an inaccessible page.
//!
//! A block that is *sampled* gets a slot of the pool instead of a place in a page:
//!
//! ```text
//!   slot, 16 KiB
//!   ┌────────────┬────────────┬────────────┬────────────┐
//!   │ zeros,     │ no access, or data:     │ no access  │
//!   │ read only  │      FD… [ block ] FD…  │            │
//!   └────────────┴─────────────────▲───────┴────────────┘
//!                 aligned to 16, so at most 15 bytes are left behind it
//! ```
//!
//! Reading or writing behind the block faults at once, and so does any use after it was freed: the data pages lose their
//! access, and the slot waits at the end of a queue until all others have been used. The fault comes to the handler of
//! `signal`, which writes a report with the tracebacks of the allocation and the free, and passes the signal on. What
//! stays inside the slot (`FD`) is checked at the free.
//!
//! The first page of a slot is where a heap looks for a page's header when it is told the size of a block (P4 of
//! `heap::page`): it reads "no heap" there, and takes its slow path, which knows the pool.
//!
//! What is not sampled costs nothing more than it did: a heap's page tells its heap when so many blocks have been freed
//! (P3 of `heap::page`), and that is how the countdown runs, beside the refills. See `sampler`. In the raw domain a
//! counter of the thread's goes down with each block.
//!
//! Invariants:
//! - G1: a slot is live, or freed and on the queue, or was never used; the data pages can be accessed exactly while it
//!   is live.
//! - G2: what a live slot holds around its block is `FD`.

mod intervals;
mod pool;
mod raw_domain;
mod report;
mod sampler;
mod signal;
#[cfg(test)]
mod tests;
mod trace;

use core::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use pool::{POOL, for_each_of, forget_heap, free_of_heap, heap_of, in_pool, size_of_heaps};
pub(crate) use raw_domain::{TABLE as RAW_TABLE, is_table};
pub(crate) use sampler::Sampler;
pub use trace::{StackWriter, set_stack_writer};

use crate::domain::NoMemory;

/// One block in so many is sampled in the mean, if nothing else is said.
pub const DEFAULT_RATE: usize = 1000;
/// So many sampled blocks can live at a time, if nothing else is said.
pub const DEFAULT_SLOTS: usize = 1024;
/// More slots would use up the number of mappings that a process may have: each takes four.
pub const MOST_SLOTS: usize = 8 * 1024;
/// Larger blocks are not sampled.
pub const MOST_BYTES: usize = pool::DATA;

static RATE: AtomicUsize = AtomicUsize::new(DEFAULT_RATE);
static SLOTS: AtomicUsize = AtomicUsize::new(DEFAULT_SLOTS);
/// The rate while the allocator is installed, else 0.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Says how often a block is sampled (1 is always), and how many of them can live at a time; 0 leaves a value as it is.
/// For the time before the allocator is selected. False, and nothing changed, for more than [`MOST_SLOTS`] slots.
pub fn set_options(rate: usize, slots: usize) -> bool {
    if slots > MOST_SLOTS {
        return false;
    }
    if rate != 0 {
        RATE.store(rate, Ordering::Relaxed);
    }
    if slots != 0 {
        SLOTS.store(slots, Ordering::Relaxed);
    }
    true
}

/// Reads `RATE` or `RATE:SLOTS`, as `PYTHONMALLOCGUARD` and `-X guard_rate` have it; `None` for anything else.
#[must_use]
pub fn parse_options(text: &[u8]) -> Option<(usize, usize)> {
    let number = |digits: &[u8]| -> Option<usize> {
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = digits.iter().try_fold(0usize, |n, d| n.checked_mul(10)?.checked_add(usize::from(d - b'0')))?;
        (value != 0 && value <= 1 << 40).then_some(value)
    };
    match text.iter().position(|byte| *byte == b':') {
        None => Some((number(text)?, 0)),
        Some(colon) => {
            let slots = number(&text[colon + 1..]).filter(|slots| *slots <= MOST_SLOTS)?;
            Some((number(&text[..colon])?, slots))
        }
    }
}

/// The rate while `guard` is installed; 0 otherwise.
pub(crate) fn rate() -> usize {
    ACTIVE.load(Ordering::Relaxed)
}

/// Makes the pool and the handler, and samples in heaps that are made from now on.
pub(crate) fn start() -> Result<(), NoMemory> {
    pool::make(SLOTS.load(Ordering::Relaxed))?;
    signal::install()?;
    ACTIVE.store(RATE.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(())
}

/// Samples no more. The pool stays: blocks of it may live.
pub(crate) fn stop() {
    ACTIVE.store(0, Ordering::Relaxed);
    signal::remove();
}
