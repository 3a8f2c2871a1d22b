//! What is Hognose's own. Declared in `hognose.h`.

use core::ffi::c_int;

use hognose_allocators::{Domain, raw_stats};

use crate::lifecycle::finalize::last_figures;
use crate::state::ThreadState;

/// The live blocks of the domains: `raw` (less what was alive before the last initialization), `mem`, `obj`.
///
/// While the runtime is initialized these are its present figures; afterwards those that finalization has found.
/// 0, or -1 when this thread has neither initialized nor finalized anything.
///
/// # Safety
///
/// `out` has room for three numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_LiveBlocks(out: *mut usize) -> c_int {
    let (mem, obj) = match ThreadState::try_current() {
        Some(ts) => (ts.heap().stats(Domain::Mem).live_blocks, ts.heap().stats(Domain::Obj).live_blocks),
        None => match last_figures() {
            Some(figures) => (figures.mem.live_blocks, figures.obj.live_blocks),
            None => return -1,
        },
    };
    let raw = raw_stats().live_blocks.saturating_sub(super::pylifecycle::raw_start());
    // SAFETY: as promised.
    unsafe { out.cast::<[usize; 3]>().write([raw, mem, obj]) };
    0
}

/// Asks the next finalization of this thread to name on standard error what is still alive.
#[unsafe(no_mangle)]
pub extern "C" fn Hog_ReportLiveBlocks(on: c_int) {
    crate::lifecycle::finalize::report_live_blocks(on != 0);
}
