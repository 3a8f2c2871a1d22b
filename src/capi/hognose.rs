//! What is Hognose's own. Declared in `hognose.h`.

use core::ffi::{c_int, c_uint};

use hognose_allocators::fault::{self, ALL_DOMAINS, Failing, Plan};
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

/// Lets the k-th request for memory in the domains of a bit set fail, and with `persistent` all that follow; with
/// k = 0 they are counted only. 0, or -1 when the bit set is not one of domains.
#[unsafe(no_mangle)]
pub extern "C" fn Hog_FailAllocation(domains: c_uint, k: u64, persistent: c_int) -> c_int {
    let Some(domains) = u8::try_from(domains).ok().filter(|set| *set != 0 && *set & !ALL_DOMAINS == 0) else {
        return -1;
    };
    let failing = match (k, persistent) {
        (0, _) => Failing::Nothing,
        (k, 0) => Failing::Once(k),
        (k, _) => Failing::From(k),
    };
    fault::arm_plan(Plan { domains, failing });
    0
}

/// Ends failing and counting; the number of requests, and whether one has failed.
///
/// # Safety
///
/// `failed` is null or has room for an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_StopFailing(failed: *mut c_int) -> u64 {
    fault::disarm();
    if !failed.is_null() {
        // SAFETY: as promised.
        unsafe { failed.write(c_int::from(fault::fired())) };
    }
    fault::count()
}
