//! The memory domains of Hognose.
//!
//! Everything that the runtime keeps lives in one of three *domains*. Each domain is served by a table
//! of five words that can be exchanged at any time; the built-in tables serve `raw` from the C library
//! and `mem` and `obj` from the *heap* of the current interpreter.
//!
//! ```text
//!   C caller / Rust handle                 the runtime, which knows its heap
//!        │                                          │
//!        ▼                                          ▼
//!   ┌─────────────────────────┐   hooks on?  ┌──────────────┐
//!   │ table[raw | mem | obj]  │◄─────────────┤ Heap::obj_*  │
//!   │  fault ► debug ► user's │              │ Heap::mem_*  │
//!   └──────┬───────────┬──────┘              └──────┬───────┘
//!          │raw        │mem, obj                    │ inlined pop and push
//!          ▼           ▼                            ▼
//!   ┌────────────┐  ┌───────────────────────────────────────┐
//!   │ C library, │  │ Heap: malloc, pymalloc or mimalloc    │
//!   │ counted    │  │ pages ► arenas ► reserved range, mmap │
//!   └────────────┘  └───────────────────────────────────────┘
//! ```
//!
//! Rust's collections live in a domain by its handle ([`Raw`], [`Mem`], [`Obj`], or [`HeapMem`] and [`HeapObj`] for a heap
//! that one has at hand), with every allocation fallible:
//!
//! ```
//! use allocator_api2::vec::Vec;
//! use hognose_allocators::{Domain, HeapKind, Limit, NoMemory, OwnedHeap};
//!
//! fn squares(heap: &OwnedHeap, n: u64) -> Result<u64, NoMemory> {
//!     let mut list = Vec::new_in(heap.mem());
//!     list.try_reserve_exact(n as usize).map_err(|_| NoMemory)?;
//!     list.extend((0..n).map(|i| i * i));
//!     Ok(list.iter().sum())
//! }
//!
//! let heap = OwnedHeap::new(HeapKind::Malloc)?;
//! heap.set_limit(None, Limit { soft: None, hard: Some(1 << 20) }).expect("a limit of the whole heap");
//! assert_eq!(squares(&heap, 1000), Ok(332_833_500));
//! assert_eq!(squares(&heap, 1_000_000), Err(NoMemory));
//! assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
//! # Ok::<(), NoMemory>(())
//! ```
//!
//! | for | there is |
//! |---|---|
//! | a heap per task, thread or interpreter | [`OwnedHeap`], [`Heap`] |
//! | memory that goes as a whole | [`Scratch`] |
//! | to see or to change every call | [`push_allocator`], [`set_allocator`] |
//! | to find misuse | [`setup_debug_hooks`], [`guard`] |
//! | to let the n-th allocation fail | [`fault`] |
//! | figures | [`Heap::stats`], [`raw_stats`], [`Counted`] over Rust's global allocator |
//!
//! The crate knows nothing about Python objects. Its contracts (D1 to D7 of the design) are each held
//! by a test that names the number.

#![deny(missing_docs)]

pub mod collections;
pub mod debug;
mod domain;
pub mod fault;
mod fork;
pub mod guard;
mod handle;
mod heap;
pub mod host;
mod lock;
mod name;
mod raw;
mod scratch;
mod stack;
mod table;
#[cfg(test)]
mod testing;
pub mod watch;

pub use collections::{TryBox, TryString, TryVec};
pub use debug::report::{fatal, set_fatal_handler, set_traceback_printer};
pub use debug::{has_debug_hooks, setup_debug_hooks};
pub use domain::{
    ArenaAllocFn, ArenaFreeFn, CallocFn, Domain, FreeFn, MAX_SIZE, MallocFn, NoMemory, PyMemAllocatorEx,
    PyObjectArenaAllocator, ReallocFn, calloc, free, malloc, raw_calloc, raw_free, raw_malloc, raw_realloc, realloc,
};
pub use fork::{after_fork_child, after_fork_parent, before_fork};
pub use handle::{Handle, HeapMem, HeapObj, Mem, Obj, Raw};
#[cfg(feature = "mimalloc")]
pub use heap::areas::{MimallocAreas, mimalloc_areas};
pub use heap::arena::{get_arena_allocator, set_arena_allocator, set_arena_observer};
pub use heap::limit::{Limit, LimitError, Pressure, set_pressure_observer};
pub use heap::own::Memory as BoundMemory;
pub use heap::owned::OwnedHeap;
pub use heap::shared::{block_size, share_heaps};
pub use heap::stats::{ArenaStats, DomainStats, HeapStats, LostBytes, PageCensus};
pub use heap::trim::{advise_huge_pages, huge_pages_advised, populate, resident_bytes, trim_raw};
pub use heap::walk::{Mismatch, PageUse, PageView, UserView};
pub use heap::{ARENA_SIZE, Heap, HeapKind, PAGE_SIZE, SMALL_LIMIT, Tag, attach_heap, current_heap};
pub use host::{Counted, CountingAlloc, HostStats, host_stats};
pub use lock::{Guard, Lock};
pub use name::{AllocatorName, SelectError, current_name, heap_kind, select};
pub use raw::raw_stats;
pub use scratch::Scratch;
pub use stack::{HookError, HookToken, LiveBlocksFn, pop_allocator, push_allocator};
pub use table::{get_allocator, set_allocator};
