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
mod stack;
mod table;
#[cfg(test)]
mod testing;

pub use collections::{TryBox, TryString, TryVec};
pub use debug::report::{fatal, set_fatal_handler, set_traceback_printer};
pub use debug::{has_debug_hooks, setup_debug_hooks};
pub use domain::{
    ArenaAllocFn, ArenaFreeFn, CallocFn, Domain, FreeFn, MAX_SIZE, MallocFn, NoMemory, PyMemAllocatorEx,
    PyObjectArenaAllocator, ReallocFn, calloc, free, malloc, raw_calloc, raw_free, raw_malloc, raw_realloc, realloc,
};
pub use fork::{after_fork_child, after_fork_parent, before_fork};
pub use handle::{Handle, Mem, Obj, Raw};
pub use heap::arena::{get_arena_allocator, set_arena_allocator, set_arena_observer};
pub use heap::shared::{block_size, share_heaps};
pub use heap::stats::{ArenaStats, DomainStats, PageCensus};
pub use heap::{ARENA_SIZE, Heap, HeapKind, PAGE_SIZE, SMALL_LIMIT, Tag, attach_heap, current_heap};
pub use host::{CountingAlloc, host_stats};
pub use name::{AllocatorName, SelectError, current_name, heap_kind, select};
pub use raw::raw_stats;
pub use stack::{HookError, HookToken, LiveBlocksFn, pop_allocator, push_allocator};
pub use table::{get_allocator, set_allocator};
