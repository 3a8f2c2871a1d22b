//! Starting threads, and what a thread does from its start to its end.
//!
//! ```text
//!  starting thread                              new thread
//!  state, record, Start ─► pthread_create ─────► wait for the GIL ─► take Start from the state ─► call
//!                                                 └─ too late: return, having touched nothing       │
//!        joins: waits for `progress` DONE ◄────────── clear the state, DONE, end the state ◄────────┘
//! ```
//!
//! What the new thread runs hangs on its state, so that finalization, which ends the states of threads that never get
//! the GIL any more, frees it as well ([`forget_start`]).

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use hognose_allocators::collections::TryBox;
use hognose_allocators::{NoMemory, Raw};

use super::record::{self, Native, Shared};
use crate::lifecycle::pending;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, call};
use crate::raise;
use crate::state::threads::NoState;
use crate::state::{Runtime, ThreadState, attach, threads};
use crate::sync::futex::{self, Wake};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::tuple::PyTuple;

/// What a thread is to run.
struct Start {
    function: PyRef,
    arguments: Ref<PyTuple>,
    keywords: Option<Ref<PyDict>>,
    record: Shared,
}

/// What a state's thread runs, or is to run.
fn start_of(ts: &ThreadState) -> Option<&Start> {
    // SAFETY: the pointer came from a box in `start_thread`; it is freed by the thread itself at its end, or when the
    // thread never runs again.
    unsafe { ts.start.get().cast::<Start>().as_ref() }
}

/// Takes from a state what its thread was to run.
fn take_start(ts: &ThreadState) -> Option<TryBox<Start, Raw>> {
    let start = NonNull::new(ts.start.replace(ptr::null_mut()).cast::<Start>())?;
    // SAFETY: the pointer came from a box in `start_thread`, and was taken out of its only place.
    Some(unsafe { TryBox::from_raw(start.as_ptr()) })
}

/// Frees what a thread runs that never gets the GIL any more. The caller holds the GIL; `other` is not its state.
pub(crate) fn forget_start(ts: &ThreadState, other: &ThreadState) {
    if let Some(start) = take_start(other) {
        start.record.finish();
        ts.interp().thread_records.remove(&start.record);
    }
}

fn too_late<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::PythonFinalizationError, "can't create new thread at interpreter shutdown")
}

/// Starts a thread that `record` stands for.
pub(super) fn start_thread(
    ts: &ThreadState,
    record: &Shared,
    function: &PyObject,
    arguments: Ref<PyTuple>,
    keywords: Option<Ref<PyDict>>,
    daemon: bool,
) -> PyResult<()> {
    let interp = ts.interp();
    if interp.finalizing.get() {
        return too_late(ts);
    }
    if !interp.allows.threads.get() {
        return raise!(ts, exc::RuntimeError, "thread is not supported for isolated subinterpreters");
    }
    if daemon && !interp.allows.daemon_threads.get() {
        return raise!(ts, exc::RuntimeError, "daemon threads are disabled in this (sub)interpreter");
    }
    if !record.is(record::NOT_STARTED) {
        return raise!(ts, exc::RuntimeError, "thread already started");
    }
    let start = Start { function: function.new_ref(), arguments, keywords, record: record.clone() };
    let start = TryBox::try_new_in(start, Raw)?;
    // SAFETY: the interpreter is the attached state's.
    let state = match unsafe { threads::create(interp) } {
        Ok(state) => state,
        Err(NoState::Memory) => return Err(NoMemory.into()),
        Err(NoState::Late) => return too_late(ts),
    };
    // SAFETY: made just now; nobody else knows it.
    let new = unsafe { state.as_ref() };
    new.start.set(TryBox::into_raw(start).cast());
    record.daemon.set(daemon);
    record.set(record::STARTING);
    interp.thread_records.add(record);
    match create_native(state, interp.thread_stack_size.get()) {
        Some(thread) => {
            // The new thread waits for the GIL, which is ours, before it looks.
            record.ident.set(thread as u64);
            record.set_native(Native::Joinable(thread));
            new.thread_id.set(thread as u64);
            record.set(record::RUNNING);
            Ok(())
        }
        None => {
            interp.thread_records.remove(record);
            record.set(record::NOT_STARTED);
            drop(take_start(new));
            threads::clear(ts, new);
            // SAFETY: no thread has the state.
            unsafe { threads::delete(state) };
            raise!(ts, exc::RuntimeError, "can't start new thread")
        }
    }
}

/// Makes a thread of the system.
fn create_native(state: NonNull<ThreadState>, stack_size: usize) -> Option<libc::pthread_t> {
    // SAFETY: the attributes are initialized before they are used, and destroyed after.
    unsafe {
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let mut failed = stack_size != 0 && libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack_size) != 0;
        let mut thread: libc::pthread_t = 0;
        if !failed {
            failed =
                libc::pthread_create(&raw mut thread, attributes.as_ptr(), thread_main, state.as_ptr().cast()) != 0;
        }
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (!failed).then_some(thread)
    }
}

/// Whether the system takes a stack of that size.
pub(crate) fn is_stack_size(size: usize) -> bool {
    // SAFETY: as above.
    unsafe {
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
            return false;
        }
        let taken = libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), size) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        taken
    }
}

/// What every thread of ours runs.
extern "C" fn thread_main(state: *mut c_void) -> *mut c_void {
    let Some(state) = NonNull::new(state.cast::<ThreadState>()) else { return ptr::null_mut() };
    // Nothing was touched yet: a thread that comes too late simply ends.
    if attach::try_attach(state).is_err() {
        return ptr::null_mut();
    }
    // SAFETY: it is attached.
    let ts = unsafe { state.as_ref() };
    let Some(start) = start_of(ts) else {
        crate::lifecycle::fatal::fatal_error("thread_main", "a thread without anything to run")
    };
    let records = &ts.interp().thread_records;
    records.running.set(records.running.get() + 1);
    let result = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| run(ts, start)));
    if result.is_err() {
        crate::lifecycle::panics::fatal("thread_main");
    }
    let record = start.record.clone();
    drop(take_start(ts));
    threads::clear(ts, ts);
    records.running.set(records.running.get().saturating_sub(1));
    // Who joins sees the end now, and then waits for the system's thread, which no longer needs anything of ours.
    record.finish();
    records.remove(&record);
    drop(record);
    // SAFETY: it is the attached state, and nothing runs in it any more.
    unsafe { threads::delete_current(state) };
    ptr::null_mut()
}

/// Calls the function and reports what it raises.
fn run(ts: &ThreadState, start: &Start) {
    let result = call::call_tuple_dict(ts, &start.function, &start.arguments, start.keywords.as_deref());
    if let Err(raised) = result {
        if ts.raised_matches(&exc::SystemExit) {
            ts.clear_raised(raised);
        } else {
            report(ts, raised, &start.function);
        }
    }
}

fn report(ts: &ThreadState, raised: Raised, function: &PyObject) {
    exc::write_unraisable_in(ts, raised, "in thread started by", function);
}

/// Waits for a thread's end, without the GIL; false when the time is over. Handlers of signals run meanwhile.
pub(super) fn join(ts: &ThreadState, record: &Shared, deadline: Option<i64>) -> PyResult<bool> {
    if record.is(record::NOT_STARTED) {
        return raise!(ts, exc::RuntimeError, "thread not started");
    }
    if !record.is(record::DONE) && record.ident.get() == crate::sync::thread_ident() {
        // Two threads that join each other cannot be found out so; this one can.
        return raise!(ts, exc::RuntimeError, "Cannot join current thread");
    }
    if !record.is(record::DONE) && record.daemon.get() && Runtime::get().finalizing.load(Ordering::Acquire) {
        return raise!(ts, exc::PythonFinalizationError, "cannot join a daemon thread at interpreter shutdown");
    }
    loop {
        let progress = record.progress.load(Ordering::Acquire);
        if progress == record::DONE {
            break;
        }
        if deadline.is_some_and(|deadline| futex::now() >= deadline) {
            return Ok(false);
        }
        let ended = attach::without_gil(ts, || futex::wait(&record.progress, progress, deadline));
        if ended == Wake::Interrupted {
            pending::make(ts)?;
        }
    }
    if let Native::Joinable(thread) = record.native() {
        if record.ident.get() == crate::sync::thread_ident() {
            // The thread's last lines, in which it drops what is its own.
            return Ok(true);
        }
        record.set_native(Native::Joining);
        // SAFETY: the thread is neither joined nor let go by anybody else.
        attach::without_gil(ts, || unsafe { libc::pthread_join(thread, ptr::null_mut()) });
        record.set_native(Native::None);
    }
    Ok(true)
}

/// Waits for the end of all threads that are no daemons (`_thread._shutdown`).
pub(crate) fn join_all(ts: &ThreadState) -> PyResult<()> {
    let me = crate::sync::thread_ident();
    let waits = |record: &record::Record| {
        !record.daemon.get() && !record.adopted.get() && record.ident.get() != me && !record.is(record::DONE)
    };
    while let Some(record) = ts.interp().thread_records.find(waits) {
        join(ts, &record, None)?;
    }
    Ok(())
}

/// Says of all threads but the calling one that they are at their end: they never get the GIL again.
pub(crate) fn give_up_others(ts: &ThreadState) {
    record::Records::end_others(ts.interp(), crate::sync::thread_ident());
}

/// The same in the child of a fork, where the system's threads are not there either.
pub(crate) fn after_fork_in_child(ts: &ThreadState) {
    record::forked();
    give_up_others(ts);
}
