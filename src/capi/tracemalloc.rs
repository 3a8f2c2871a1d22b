//! Blocks that tracemalloc is told of by C. Declared in `tracemalloc.h`.

use core::ffi::{c_int, c_uint};

use crate::tracemalloc::{self, Untracked};

fn answer(result: Result<(), Untracked>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(Untracked::NoMemory) => -1,
        Err(Untracked::NotTracing) => -2,
    }
}

/// Records a block of `domain` at `ptr`, with the calling thread's traceback, in place of what was known of it:
/// 0; -1 when there is no memory for it; -2 when tracemalloc does not trace. Any thread, no GIL.
#[unsafe(no_mangle)]
pub extern "C" fn PyTraceMalloc_Track(domain: c_uint, ptr: usize, size: usize) -> c_int {
    answer(tracemalloc::track(domain, ptr, size))
}

/// Forgets a block: 0, known or not; -2 when tracemalloc does not trace. Any thread, no GIL.
#[unsafe(no_mangle)]
pub extern "C" fn PyTraceMalloc_Untrack(domain: c_uint, ptr: usize) -> c_int {
    answer(tracemalloc::untrack(domain, ptr))
}
