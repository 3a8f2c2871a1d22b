//! Forks with threads running.
//!
//! The thread that forks holds the GIL, so everything that is changed under the GIL is whole in the child. What is
//! changed without it is under one of the locks below, which are taken over the fork, in this order, and free in both
//! processes afterwards:
//!
//! ```text
//!  import lock ─► queues, channels ─► states ─► types ─► GILs ─► GIL's asking ─► pending calls ─► parking ─► allocators
//! ```
//!
//! In the child the other threads are not there: their states are ended, their records are done, and who waited for
//! them finds that they are.

use core::sync::atomic::Ordering;

use super::subinterp;
use crate::modules::{_thread, xi};
use crate::state::{InterpreterState, Runtime, ThreadState, attach, gils, threads};
use crate::sync::parking;

/// Takes the locks. The import lock may have to be waited for, so Python code of other threads runs meanwhile.
pub fn take_locks(ts: &ThreadState) {
    ts.interp().import_lock.acquire(ts);
    xi::before_fork();
    subinterp::path_0_lock().acquire();
    let runtime = Runtime::get();
    runtime.states.acquire();
    runtime.types.acquire();
    gils::before_fork();
    ts.interp().gil().before_fork();
    runtime.pending_calls.before_fork();
    parking::before_fork();
    crate::tracemalloc::before_fork();
    hognose_allocators::before_fork();
}

/// Gives the locks back in the process that has forked, or has failed to.
pub fn release_locks_in_parent(ts: &ThreadState) {
    hognose_allocators::after_fork_parent();
    crate::tracemalloc::after_fork();
    parking::after_fork_in_parent();
    let runtime = Runtime::get();
    runtime.pending_calls.after_fork_in_parent();
    ts.interp().gil().after_fork_in_parent();
    gils::after_fork_in_parent();
    runtime.types.release();
    runtime.states.release();
    subinterp::path_0_lock().release();
    xi::after_fork_in_parent();
    ts.interp().import_lock.release();
}

/// Frees the locks in the child.
pub fn release_locks_in_child(ts: &ThreadState) {
    hognose_allocators::after_fork_child();
    crate::tracemalloc::after_fork();
    reset_locks_in_child(ts);
    ts.interp().import_lock.release();
}

/// Frees all locks but those of the allocators: a C program that has called `fork` itself comes so far, if no other
/// thread was inside one of them.
pub fn reset_locks_in_child(ts: &ThreadState) {
    parking::after_fork_in_child();
    let runtime = Runtime::get();
    runtime.pending_calls.after_fork_in_child();
    ts.interp().gil().after_fork_in_child(core::ptr::from_ref(ts).cast_mut());
    gils::after_fork_in_child();
    runtime.types.reset();
    forget_interpreters(ts);
    runtime.states.reset();
    subinterp::path_0_lock().reset();
    xi::after_fork_in_child();
    ts.interp().import_lock.free_of_others();
}

/// Takes the interpreters out of the list that may have been in the middle of something: those with a GIL of their own,
/// but the forking one and the main one. Their memory stays as it is. All GILs but the thread's are free.
fn forget_interpreters(ts: &ThreadState) {
    let runtime = Runtime::get();
    let mut place: Option<&InterpreterState> = None;
    let mut at = runtime.interpreters.load(Ordering::Relaxed).cast_const();
    // SAFETY: what is in the list is alive, and there is no other thread.
    while let Some(interp) = unsafe { at.as_ref() } {
        let next = interp.next.get();
        at = next;
        if core::ptr::eq(interp.gil(), ts.interp().gil()) {
            place = Some(interp);
            continue;
        }
        interp.gil().free_in_child();
        if interp.is_main() {
            place = Some(interp);
            continue;
        }
        match place {
            Some(before) => before.next.set(next),
            None => runtime.interpreters.store(next, Ordering::Relaxed),
        }
    }
}

/// Makes the child's one thread the main one, and ends what belongs to the others. The locks are free.
pub fn forget_other_threads(ts: &ThreadState) {
    let runtime = Runtime::get();
    let interp = ts.interp();
    runtime.main_thread.store(crate::sync::thread_ident(), Ordering::Release);
    interp.main_thread_state.set(core::ptr::from_ref(ts).cast_mut());
    runtime.pending_calls.belong_to(core::ptr::null());
    runtime.pending_calls.belong_to(&raw const ts.eval_breaker);
    attach::after_fork_in_child(ts, interp);
    _thread::after_fork_in_child(ts);
    interp.gc.collecting.set(false);
    // SAFETY: the GIL is held, and the threads of the other states are not there.
    unsafe { threads::end_others(ts) };
}
