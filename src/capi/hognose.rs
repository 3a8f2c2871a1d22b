//! What is Hognose's own. Declared in `hognose.h`.

use core::ffi::{c_char, c_int, c_uint, c_void};

use hognose_allocators::fault::{self, ALL_DOMAINS, Failing, Plan};
use hognose_allocators::{Domain, DomainStats, Limit, PageCensus, raw_stats};

use super::convert::{Function, Size};
use crate::lifecycle::finalize::last_figures;
use crate::lifecycle::leaks;
use crate::lifecycle::memstats::Figures;
use crate::lifecycle::pressure::{NO_LIMIT, PressureFn};
use crate::modules::_hognose as own;
use crate::object::PyResult;
use crate::state::{InterpreterState, ThreadState};
use crate::types::exceptions as exc;
use crate::{capi, raise};

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
    let raw = raw_stats().live_blocks.saturating_sub(super::pylifecycle::raw_start().0);
    // SAFETY: as promised.
    unsafe { out.cast::<[usize; 3]>().write([raw, mem, obj]) };
    0
}

/// Asks the next finalization of this thread to name on standard error what is still alive.
#[unsafe(no_mangle)]
pub extern "C" fn Hog_ReportLiveBlocks(on: c_int) {
    crate::lifecycle::finalize::report_live_blocks(on != 0);
}

/* ---- The start ---- */

/// Writes what the runtime consists of after its start into a copy of the file that it is in, for faster starts from it:
/// of the shared library, or of a program that the static library is linked into. 0, or -1 after a line on standard error,
/// when the file is as it was.
///
/// The runtime is initialized and finalized meanwhile.
///
/// # Safety
///
/// `path` is a C string; the runtime is not initialized, and no other thread does so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_StoreStartImage(path: *const c_char) -> c_int {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: as promised.
    let path = unsafe { core::ffi::CStr::from_ptr(path) };
    match crate::lifecycle::image::store(std::ffi::OsStr::from_bytes(path.to_bytes()).as_ref()) {
        Ok(()) => 0,
        Err(status) => {
            std::eprintln!("{status}");
            -1
        }
    }
}

/* ---- The end ---- */

/// `Py_FinalizeEx` that tells what is still alive. Its result; the report is filled in as far as its size goes.
///
/// # Safety
///
/// As for `Py_FinalizeEx`; `report` is a struct whose `size` was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_FinalizeEx(report: *mut leaks::FinalizeReport) -> c_int {
    // SAFETY: as promised.
    let finalize = || unsafe { super::pylifecycle::Py_FinalizeEx() };
    if report.is_null() {
        return finalize();
    }
    let mut own = leaks::FinalizeReport {
        size: 0,
        status: 0,
        live_blocks: [0; 3],
        live_bytes: [0; 3],
        stopped_threads: 0,
        count: 0,
        blocks: core::ptr::null_mut(),
        unlisted: 0,
    };
    leaks::finalize_with(&mut own, finalize, || {
        let raw = raw_stats();
        let (blocks, bytes) = super::pylifecycle::raw_start();
        (raw.live_blocks.saturating_sub(blocks), raw.live_bytes.saturating_sub(bytes))
    });
    // SAFETY: as promised: the caller's struct has that many bytes, of which the first word is the number.
    unsafe {
        let size = (*report).size.min(size_of::<leaks::FinalizeReport>());
        own.size = size;
        if size < size_of::<leaks::FinalizeReport>() {
            // A caller who has no place for the rows is not given what it could not free.
            let status = own.status;
            leaks::clear(&mut own);
            own.status = status;
        }
        core::ptr::copy_nonoverlapping((&raw const own).cast::<u8>(), report.cast::<u8>(), size);
    }
    own.status
}

/// Frees what `Hog_FinalizeEx` has put into a report. Any thread, at any time.
///
/// # Safety
///
/// `report` is null or was filled in by `Hog_FinalizeEx`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_ClearFinalizeReport(report: *mut leaks::FinalizeReport) {
    // SAFETY: as promised; a struct of an older size has no rows.
    if let Some(report) = unsafe { report.as_mut() }
        && report.size >= size_of::<leaks::FinalizeReport>()
    {
        // SAFETY: as promised.
        unsafe { leaks::clear(report) };
    }
}

/* ---- Figures ---- */

/// `Hog_DomainStats`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(missing_docs, reason = "described in the header, and in `DomainStats`")]
pub struct CDomainStats {
    pub live_blocks: usize,
    pub live_bytes: usize,
    pub peak_blocks: usize,
    pub peak_bytes: usize,
    pub total_blocks: u64,
    pub total_bytes: u64,
}

/// `Hog_ClassStats`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(missing_docs, reason = "described in the header, and in `PageCensus`")]
pub struct CClassStats {
    pub block_size: usize,
    pub pages: usize,
    pub peak_pages: usize,
    pub live_blocks: usize,
    pub free_blocks: usize,
    pub total_blocks: u64,
}

/// `Hog_Stats`, version 1. Fields are only ever added at the end.
#[repr(C)]
#[derive(Clone, Copy, Default)]
#[allow(missing_docs, reason = "described in the header, and in `HeapStats`")]
pub struct CStats {
    pub size: usize,
    pub version: c_uint,
    pub class_count: c_uint,
    pub raw: CDomainStats,
    pub mem: CDomainStats,
    pub obj: CDomainStats,
    pub host: CDomainStats,
    pub held_bytes: usize,
    pub peak_held_bytes: usize,
    pub soft_limit: usize,
    pub hard_limit: usize,
    pub refused_requests: u64,
    pub large_blocks: usize,
    pub large_bytes: usize,
    pub page_size: usize,
    pub arena_size: usize,
    pub arenas: usize,
    pub peak_arenas: usize,
    pub total_arenas: usize,
    pub used_pages: usize,
    pub unused_pages: usize,
    pub dirty_pages: usize,
    pub lost_free_blocks: usize,
    pub lost_page_headers: usize,
    pub lost_page_tails: usize,
    pub lost_unused_pages: usize,
    pub lost_alignment: usize,
    pub classes: [CClassStats; 32],
}

const VERSION: c_uint = 1;
/// Where the fields end that every version has.
const LEAST: usize = core::mem::offset_of!(CStats, raw);

impl From<DomainStats> for CDomainStats {
    fn from(stats: DomainStats) -> Self {
        Self {
            live_blocks: stats.live_blocks,
            live_bytes: stats.live_bytes,
            peak_blocks: stats.peak_blocks,
            peak_bytes: stats.peak_bytes,
            total_blocks: stats.allocations,
            total_bytes: stats.total_bytes,
        }
    }
}

impl From<PageCensus> for CClassStats {
    fn from(class: PageCensus) -> Self {
        Self {
            block_size: class.block_size,
            pages: class.pages,
            peak_pages: class.peak_pages,
            live_blocks: class.used,
            free_blocks: class.available,
            total_blocks: class.allocations,
        }
    }
}

impl From<&Figures> for CStats {
    fn from(figures: &Figures) -> Self {
        let (heap, host) = (&figures.heap, &figures.host);
        let has_classes = heap.classes.iter().any(|class| class.block_size != 0);
        Self {
            size: size_of::<CStats>(),
            version: VERSION,
            class_count: if has_classes { heap.classes.len() as c_uint } else { 0 },
            raw: figures.raw.into(),
            mem: figures.mem.into(),
            obj: figures.obj.into(),
            host: CDomainStats {
                live_blocks: host.live_blocks,
                live_bytes: host.live_bytes,
                peak_blocks: host.peak_blocks,
                peak_bytes: host.peak_bytes,
                total_blocks: host.allocations as u64,
                total_bytes: host.total_bytes as u64,
            },
            held_bytes: heap.held_bytes,
            peak_held_bytes: heap.peak_held_bytes,
            soft_limit: figures.limits[0].soft.unwrap_or(NO_LIMIT),
            hard_limit: figures.limits[0].hard.unwrap_or(NO_LIMIT),
            refused_requests: heap.refused,
            large_blocks: heap.large_blocks,
            large_bytes: heap.large_bytes,
            page_size: hognose_allocators::PAGE_SIZE,
            arena_size: hognose_allocators::ARENA_SIZE,
            arenas: heap.arenas.current,
            peak_arenas: heap.arenas.highwater,
            total_arenas: heap.arenas.total,
            used_pages: heap.arenas.used_pages,
            unused_pages: heap.arenas.unused_pages,
            dirty_pages: heap.arenas.dirty_pages,
            lost_free_blocks: heap.lost.free_blocks,
            lost_page_headers: heap.lost.page_headers,
            lost_page_tails: heap.lost.page_tails,
            lost_unused_pages: heap.lost.unused_pages,
            lost_alignment: heap.lost.alignment,
            classes: heap.classes.map(CClassStats::from),
        }
    }
}

/// The interpreter that an argument means: null is the thread's own. Another one's heap belongs to another GIL.
fn own_interpreter(ts: &ThreadState, interp: *mut InterpreterState) -> PyResult<()> {
    if interp.is_null() || core::ptr::eq(interp, ts.interp()) {
        return Ok(());
    }
    raise!(ts, exc::ValueError, "the interpreter is not that of the attached thread state, whose GIL is held")
}

capi! {
    /// The figures of an interpreter, of which as many bytes are written as `stats->size` says.
    fn Hog_GetStats(ts, interp: *mut InterpreterState, stats: *mut CStats) -> () {
        own_interpreter(ts, interp)?;
        // SAFETY: the caller's struct has at least this field, as the header says.
        let size = unsafe { (&raw const (*stats).size).read() };
        if size < LEAST {
            return raise!(ts, exc::ValueError, "Hog_GetStats: the size field is to be sizeof(Hog_Stats)");
        }
        let mut known = CStats::from(&Figures::now(ts));
        known.size = size.min(size_of::<CStats>());
        // SAFETY: the caller's struct has `size` bytes; no more are written.
        unsafe { core::ptr::copy_nonoverlapping((&raw const known).cast::<u8>(), stats.cast::<u8>(), known.size) };
        Ok(())
    }

    /// Sets the limits of a domain, or of the whole heap.
    fn Hog_SetMemoryLimit(ts, interp: *mut InterpreterState, domain: c_int, soft: usize, hard: usize) -> () {
        own_interpreter(ts, interp)?;
        let given = |bytes: usize| Some(bytes).filter(|bytes| *bytes != NO_LIMIT);
        let scope = own::scope_of_number(ts, domain)?;
        own::set_limit(ts, scope, Limit { soft: given(soft), hard: given(hard) })
    }

    /// The limits of a domain, or of the whole heap.
    fn Hog_GetMemoryLimit(ts, interp: *mut InterpreterState, domain: c_int, soft: *mut usize, hard: *mut usize) -> () {
        own_interpreter(ts, interp)?;
        let limit = ts.heap().limit(own::scope_of_number(ts, domain)?);
        for (place, value) in [(soft, limit.soft), (hard, limit.hard)] {
            if !place.is_null() {
                // SAFETY: the caller's places are null or for a number.
                unsafe { place.write(value.unwrap_or(NO_LIMIT)) };
            }
        }
        Ok(())
    }

    /// Sets what is called past a soft limit.
    fn Hog_SetPressureCallback(
        ts,
        interp: *mut InterpreterState,
        callback: Function<PressureFn>,
        ctx: *mut c_void,
    ) -> () {
        own_interpreter(ts, interp)?;
        ts.interp().memory.c_callback.set(callback.0.map(|function| (function, ctx as usize)));
        Ok(())
    }

    /// Calls a function with each type, the number of its objects and their bytes.
    fn Hog_Census(
        ts,
        interp: *mut InterpreterState,
        visit: Function<unsafe extern "C" fn(*const c_char, usize, usize, *mut c_void) -> c_int>,
        ctx: *mut c_void,
    ) -> i32 {
        own_interpreter(ts, interp)?;
        let Some(visit) = visit.0 else {
            return raise!(ts, exc::SystemError, "Hog_Census: the function is NULL");
        };
        let rows = own::rows(ts)?;
        for row in rows.iter() {
            let mut name = own::qualified_name(ts, row)?;
            name.try_push('\0')?;
            // SAFETY: the name ends with a NUL, and the caller's function takes these arguments.
            let status = unsafe { visit(name.as_str().as_ptr().cast(), row.objects, row.bytes, ctx) };
            if status != 0 {
                return Ok(status);
            }
        }
        Ok(0)
    }

    /// Gives unused memory back; the bytes.
    fn Hog_Trim(ts, domain: c_int) -> Size {
        Ok(Size(own::trim_domain(ts, own::scope_of_number(ts, domain)?)))
    }
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
