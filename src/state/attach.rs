//! Attaching thread states to threads, and detaching them.
//!
//! ```text
//!              attach: wait for the GIL                     C code, system calls
//!   detached ───────────────────────────► attached ───────────────────────────► detached
//!       │                                    ▲   detach: let the GIL go
//!       └── the runtime has been closed ──► late: never comes back
//! ```
//!
//! A thread can come when the runtime finalizes, or later: its state is freed then. So between detaching and having
//! the GIL again nothing is touched but statics and the thread's own [`Here`]:
//!
//! A1: a thread knows of the state that it used last (`bound`): in which epoch, and which GIL it needs.
//! A2: a state that a thread did not use last is looked up in the list of live ones before it is touched.
//! A3: a state is freed by the thread that has it attached, or by one that holds its GIL, which is counted
//! (`states_ended_elsewhere`) before the GIL is let go. So whoever has the GIL and finds epoch and count unchanged may
//! touch it.
//! A4: an interpreter that ends is closed first, which is counted as well: whoever is about to come in looks again.

use core::cell::Cell;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use super::gil::Gil;
use super::interpreter::InterpreterState;
use super::runtime::{Runtime, is_closed};
use super::thread::{EvalBreaker, ThreadState};
use crate::lifecycle::fatal::fatal_error;
use crate::sync::section;

/// What a thread of the system knows of itself.
struct Here {
    /// The attached state.
    current: Cell<*const ThreadState>,
    /// A1: the state that was attached last, and its id.
    bound: Cell<*const ThreadState>,
    bound_id: Cell<u64>,
    /// The GIL that `bound` needs.
    gil: Cell<*const Gil>,
    /// The epoch in which it was attached.
    epoch: Cell<u32>,
    /// [`Runtime::states_ended_elsewhere`] when `bound` was known to be alive.
    ended_elsewhere: Cell<u32>,
    /// The native stack: lowest and highest address; 0 before it was asked for.
    stack: Cell<(usize, usize)>,
    /// The system's number of the thread; 0 before it was asked for.
    native_id: Cell<i64>,
}

thread_local! {
    static HERE: Here = const {
        Here {
            current: Cell::new(ptr::null()),
            bound: Cell::new(ptr::null()),
            bound_id: Cell::new(0),
            gil: Cell::new(ptr::null()),
            epoch: Cell::new(0),
            ended_elsewhere: Cell::new(0),
            stack: Cell::new((0, 0)),
            native_id: Cell::new(0),
        }
    };
}

/// Why a state was not attached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The runtime, or the interpreter, is on its way down or gone.
    Late,
    /// There is no such state.
    Unknown,
}

/// The attached state of the calling thread, or null.
#[inline(always)]
pub(super) fn current() -> *const ThreadState {
    HERE.with(|here| here.current.get())
}

/// The calling thread's stack.
pub(super) fn native_stack() -> (usize, usize) {
    HERE.with(|here| {
        if here.stack.get().1 == 0 {
            here.stack.set(crate::sync::native_stack_bounds());
        }
        here.stack.get()
    })
}

/// The calling thread's number in the system.
pub(super) fn native_id() -> i64 {
    HERE.with(|here| {
        if here.native_id.get() == 0 {
            here.native_id.set(crate::sync::native_thread_id());
        }
        here.native_id.get()
    })
}

/// The state that the calling thread used last, when it is still alive (`PyGILState_GetThisThreadState`).
pub fn bound() -> Option<NonNull<ThreadState>> {
    let runtime = Runtime::get();
    HERE.with(|here| {
        let ts = NonNull::new(here.bound.get().cast_mut())?;
        let epoch = runtime.epoch.load(Ordering::Acquire);
        if here.epoch.get() != epoch {
            return None;
        }
        let ended = runtime.states_ended_elsewhere.load(Ordering::Acquire);
        if here.ended_elsewhere.get() != ended {
            let _states = runtime.states.lock();
            let Some(found) = find(ts.as_ptr()).filter(|found| found.id == here.bound_id.get()) else {
                here.bound.set(ptr::null());
                return None;
            };
            // Who attaches a state of a closed interpreter has to look again, and is refused.
            if !found.interp().is_closed_to(crate::sync::thread_ident()) {
                here.ended_elsewhere.set(ended);
            }
        }
        Some(ts)
    })
}

/// Looks a state up in the lists. The caller has `states`.
fn find(ts: *const ThreadState) -> Option<&'static ThreadState> {
    let mut interp = Runtime::get().interpreters.load(Ordering::Acquire).cast_const();
    // SAFETY: what is in the lists is alive while `states` is held.
    while let Some(this) = unsafe { interp.as_ref() } {
        let mut at = this.threads.get().cast_const();
        // SAFETY: as above.
        while let Some(state) = unsafe { at.as_ref() } {
            if ptr::eq(at, ts) {
                return Some(state);
            }
            at = state.next.get();
        }
        interp = this.next.get();
    }
    None
}

/// Attaches a state, of which nothing needs to be alive, to the calling thread, which has none attached. Waits for
/// the GIL. The thread's error number stays as it is.
#[inline]
pub fn try_attach(ts: NonNull<ThreadState>) -> Result<(), Refused> {
    HERE.with(|here| attach_here(here, ts, None))
}

/// [`try_attach`] for a state that the thread has had attached and has not given away: another one that has come to
/// lie in the same place is not it.
#[inline]
fn attach_again(ts: NonNull<ThreadState>) -> Result<(), Refused> {
    HERE.with(|here| attach_here(here, ts, Some(here.bound_id.get())))
}

#[inline]
fn attach_here(here: &Here, ts: NonNull<ThreadState>, id: Option<u64>) -> Result<(), Refused> {
    let runtime = Runtime::get();
    loop {
        let epoch = runtime.epoch.load(Ordering::Acquire);
        let known = ptr::eq(here.bound.get(), ts.as_ptr())
            && here.epoch.get() == epoch
            && here.ended_elsewhere.get() == runtime.states_ended_elsewhere.load(Ordering::Acquire);
        if !known {
            bind(here, ts, epoch, id)?;
        }
        let ended = here.ended_elsewhere.get();
        let late = || runtime.epoch.load(Ordering::Acquire) != epoch;
        let ended_elsewhere = || runtime.states_ended_elsewhere.load(Ordering::Acquire) != ended;
        // SAFETY: the memory of a GIL is one for ever.
        let gil = unsafe { &*here.gil.get() };
        let taken = gil.take(|| late() || ended_elsewhere());
        if late() {
            if taken {
                gil.release();
            }
            return Err(Refused::Late);
        }
        if !taken || ended_elsewhere() {
            // A3, A4: perhaps it was this one, perhaps its interpreter is closed: another look.
            if taken {
                gil.release();
            }
            continue;
        }
        gil.held_by(ts.as_ptr());
        // SAFETY: A3.
        let state = unsafe { ts.as_ref() };
        if !known {
            state.moved_to_this_thread();
        }
        here.current.set(ts.as_ptr());
        hognose_allocators::attach_heap(state.heap_ptr());
        let section = state.critical_section.get();
        if !section.is_null() {
            // SAFETY: a thread's sections live until it ends them.
            unsafe { section::resume(section.cast()) };
        }
        if state.eval_breaker.get_relaxed() & EvalBreaker::DROP_GIL != 0 {
            // Whoever asked has had its turn.
            state.eval_breaker.clear(EvalBreaker::DROP_GIL);
        }
        return Ok(());
    }
}

/// Looks up a state that the thread did not use last (A2), and notes it in [`Here`].
#[cold]
fn bind(here: &Here, ts: NonNull<ThreadState>, epoch: u32, id: Option<u64>) -> Result<(), Refused> {
    let runtime = Runtime::get();
    let me = crate::sync::thread_ident();
    if is_closed(epoch) && runtime.finalizing_thread.load(Ordering::Acquire) != me {
        return Err(Refused::Late);
    }
    if ptr::eq(here.bound.get(), ts.as_ptr()) && here.epoch.get() != epoch {
        return Err(Refused::Late);
    }
    let _states = runtime.states.lock();
    if runtime.epoch.load(Ordering::Acquire) != epoch {
        return Err(Refused::Late);
    }
    let Some(state) = find(ts.as_ptr()) else {
        // It was this thread's: its interpreter has ended meanwhile.
        return Err(if ptr::eq(here.bound.get(), ts.as_ptr()) { Refused::Late } else { Refused::Unknown });
    };
    if id.is_some_and(|id| id != state.id) || state.interp().is_closed_to(me) {
        return Err(Refused::Late);
    }
    here.bound.set(ts.as_ptr());
    here.bound_id.set(state.id);
    here.gil.set(state.interp().gil_ptr());
    here.epoch.set(epoch);
    here.ended_elsewhere.set(runtime.states_ended_elsewhere.load(Ordering::Acquire));
    Ok(())
}

/// Attaches a state; a thread that comes too late never comes back from here.
#[inline]
pub fn attach(ts: NonNull<ThreadState>, function: &str) {
    match try_attach(ts) {
        Ok(()) => {}
        Err(Refused::Late) => hang(),
        Err(Refused::Unknown) => unknown(function),
    }
}

/// Attaches the state again that the thread has detached in `function`.
#[inline]
fn come_back(ts: NonNull<ThreadState>, function: &str) {
    match attach_again(ts) {
        Ok(()) => {}
        Err(Refused::Late) => hang(),
        Err(Refused::Unknown) => unknown(function),
    }
}

/// The end of the process for a state that is none.
#[cold]
pub fn unknown(function: &str) -> ! {
    fatal_error(function, "the thread state is none of this runtime's: it was deleted, or never made")
}

/// Detaches the attached state, which is returned, and lets the GIL go.
#[inline]
pub fn detach() -> Option<NonNull<ThreadState>> {
    HERE.with(|here| {
        let ts = NonNull::new(here.current.replace(ptr::null()).cast_mut())?;
        hognose_allocators::attach_heap(ptr::null_mut());
        // SAFETY: the state was attached until now, and its sections live until the thread ends them.
        unsafe { suspend_sections(ts.as_ref()) };
        // SAFETY: the memory of a GIL is one for ever.
        unsafe { (*here.gil.get()).release() };
        Some(ts)
    })
}

/// # Safety
/// The state is attached.
#[inline(always)]
unsafe fn suspend_sections(ts: &ThreadState) {
    let section = ts.critical_section.get();
    if !section.is_null() {
        // SAFETY: a thread's sections live until it ends them.
        unsafe { section::suspend(section.cast()) };
    }
}

/// Takes the attached state from the thread for its end, without letting the GIL go: which one that is is returned.
pub(super) fn detach_for_end() -> *const Gil {
    HERE.with(|here| {
        here.current.set(ptr::null());
        here.bound.set(ptr::null());
        hognose_allocators::attach_heap(ptr::null_mut());
        here.gil.get()
    })
}

/// Forgets a state that ends, when the thread used it last; else says that others may have to look.
pub(super) fn forget(ts: *const ThreadState, thread: u64) {
    HERE.with(|here| {
        if ptr::eq(here.bound.get(), ts) {
            here.bound.set(ptr::null());
        } else if thread != 0 {
            Runtime::get().states_ended_elsewhere.fetch_add(1, Ordering::AcqRel);
        }
    });
}

/// The calling thread, which has a state attached, lives on in a new epoch: it is the one that finalizes.
pub(crate) fn adopt_epoch(epoch: u32) {
    HERE.with(|here| here.epoch.set(epoch));
}

/// Runs what may wait without the GIL.
#[inline]
pub fn without_gil<R>(ts: &ThreadState, f: impl FnOnce() -> R) -> R {
    /// Attaches the state again, also when `f` panics.
    struct Again(NonNull<ThreadState>);
    impl Drop for Again {
        #[inline]
        fn drop(&mut self) {
            come_back(self.0, "a blocking call");
        }
    }
    debug_assert!(ptr::eq(current(), ts));
    detach();
    let _again = Again(NonNull::from(ts));
    f()
}

/// Runs `f` with another state in place of the attached one, whose GIL stays held. Nobody else knows of the other state and
/// its interpreter, which are in no list; `f` does not let the GIL go.
pub(crate) fn in_place_of<R>(ts: &ThreadState, other: &ThreadState, f: impl FnOnce() -> R) -> R {
    /// Puts the state back, also when `f` panics.
    struct Back<'a>(&'a ThreadState);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            HERE.with(|here| here.current.set(self.0));
            hognose_allocators::attach_heap(self.0.heap_ptr());
        }
    }
    debug_assert!(ptr::eq(current(), ts));
    other.moved_to_this_thread();
    let _back = Back(ts);
    HERE.with(|here| here.current.set(other));
    hognose_allocators::attach_heap(other.heap_ptr());
    f()
}

/// Lets another thread have the GIL, because it has asked for it. The caller is between two instructions.
#[cold]
pub fn let_another_run(ts: &ThreadState) {
    let gil: &Gil = ts.interp().gil();
    let state = NonNull::from(ts);
    // SAFETY: as in `detach`.
    unsafe { suspend_sections(ts) };
    ts.between_instructions.set(true);
    HERE.with(|here| here.current.set(ptr::null()));
    hognose_allocators::attach_heap(ptr::null_mut());
    gil.release_to_another();
    come_back(state, "a switch of threads");
    ts.between_instructions.set(false);
}

/// What a thread does that comes too late and has nowhere to go: everything that it holds on its stack belongs to a
/// runtime that is gone, so it can neither return nor unwind. It sleeps until the process ends, deaf to signals.
#[cold]
pub fn hang() -> ! {
    // SAFETY: a full set of signals is blocked for this thread, which then waits.
    unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, ptr::null_mut());
        loop {
            libc::pause();
        }
    }
}

/// The main interpreter's GIL, and that of all that share it.
pub(super) fn shared_gil() -> *const Gil {
    &raw const Runtime::get().gil
}

/// After a fork, in the child: what the thread knows of itself holds, but for its number in the system.
pub(crate) fn after_fork_in_child(ts: &ThreadState, interp: &InterpreterState) {
    HERE.with(|here| {
        here.native_id.set(0);
        here.ended_elsewhere.set(Runtime::get().states_ended_elsewhere.load(Ordering::Acquire));
        here.gil.set(interp.gil_ptr());
        debug_assert!(ptr::eq(here.current.get(), ts));
    });
    ts.moved_to_this_thread();
}
