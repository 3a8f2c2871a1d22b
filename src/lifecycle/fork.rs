//! Forks with threads running.
//!
//! The thread that forks holds the GIL, so everything that is changed under the GIL is whole in the child. What is
//! changed without it is under one of the locks below, which are taken over the fork, in this order, and free in both
//! processes afterwards:
//!
//! ```text
//!  import lock ─► start image ─► configuration ─► queues, channels ─► states ─► types ─► GILs ─► GIL's asking ─► pending calls
//!              ─► parking ─► panics ─► tracemalloc ─► allocators
//! ```
//!
//! In the child the other threads are not there: their states are ended, their records are done, and who waited for
//! them finds that they are.

use core::sync::atomic::Ordering;

use super::{image, panics, subinterp};
use crate::config::{preconfig, preset};
use crate::modules::{_interpchannels, _interpqueues, _thread};
use crate::state::{InterpreterState, Runtime, ThreadState, attach, gils, threads};
use crate::sync::parking;

/// A lock that is taken over a fork, or several that are.
struct Region {
    #[cfg_attr(not(test), expect(dead_code, reason = "what a test calls it"))]
    name: &'static str,
    take: fn(&ThreadState),
    /// In the process that has forked.
    give_back: fn(&ThreadState),
    /// In the child, whose only thread holds it: frees it, and forgets who waited.
    free: fn(&ThreadState),
}

/// The locks without those of the allocators, in the order in which they are taken.
static REGIONS: [Region; 14] = [
    Region {
        name: "imports",
        take: |ts| ts.interp().import_lock.acquire(ts),
        give_back: |ts| _ = ts.interp().import_lock.release(),
        free: |ts| _ = ts.interp().import_lock.release(),
    },
    Region {
        name: "the start image",
        take: |_| image::lock().acquire(),
        give_back: |_| image::lock().release(),
        free: |_| image::lock().reset(),
    },
    Region {
        name: "settings before initialization",
        take: |_| preset::lock().acquire(),
        give_back: |_| preset::lock().release(),
        free: |_| preset::lock().reset(),
    },
    Region {
        name: "pre-initialization",
        take: |_| preconfig::lock().acquire(),
        give_back: |_| preconfig::lock().release(),
        free: |_| preconfig::lock().reset(),
    },
    Region {
        name: "queues between interpreters",
        take: |_| _interpqueues::before_fork(),
        give_back: |_| _interpqueues::after_fork_in_parent(),
        free: |_| _interpqueues::after_fork_in_child(),
    },
    Region {
        name: "channels",
        take: |_| _interpchannels::channels::before_fork(),
        give_back: |_| _interpchannels::channels::after_fork_in_parent(),
        free: |_| _interpchannels::channels::after_fork_in_child(),
    },
    Region {
        name: "the program's directory",
        take: |_| subinterp::path_0_lock().acquire(),
        give_back: |_| subinterp::path_0_lock().release(),
        free: |_| subinterp::path_0_lock().reset(),
    },
    Region {
        name: "states",
        take: |_| Runtime::get().states.acquire(),
        give_back: |_| Runtime::get().states.release(),
        free: |ts| {
            forget_interpreters(ts);
            Runtime::get().states.reset();
        },
    },
    Region {
        name: "types",
        take: |_| Runtime::get().types.acquire(),
        give_back: |_| Runtime::get().types.release(),
        free: |_| Runtime::get().types.reset(),
    },
    Region {
        name: "places of GILs",
        take: |_| gils::before_fork(),
        give_back: |_| gils::after_fork_in_parent(),
        free: |_| gils::after_fork_in_child(),
    },
    Region {
        name: "who asks for the GIL",
        take: |ts| ts.interp().gil().before_fork(),
        give_back: |ts| ts.interp().gil().after_fork_in_parent(),
        free: |ts| ts.interp().gil().after_fork_in_child(core::ptr::from_ref(ts).cast_mut()),
    },
    Region {
        name: "pending calls",
        take: |_| Runtime::get().pending_calls.before_fork(),
        give_back: |_| Runtime::get().pending_calls.after_fork_in_parent(),
        free: |_| Runtime::get().pending_calls.after_fork_in_child(),
    },
    Region {
        name: "waiting threads",
        take: |_| parking::before_fork(),
        give_back: |_| parking::after_fork_in_parent(),
        free: |_| parking::after_fork_in_child(),
    },
    Region {
        name: "the text of a panic",
        take: |_| panics::lock().acquire(),
        give_back: |_| panics::lock().release(),
        free: |_| panics::lock().reset(),
    },
];

/// Those of the allocators, which code under any of the others may need.
static MEMORY: [Region; 2] = [
    Region {
        name: "traces of memory",
        take: |_| crate::tracemalloc::before_fork(),
        give_back: |_| crate::tracemalloc::after_fork(),
        free: |_| crate::tracemalloc::after_fork(),
    },
    Region {
        name: "allocators",
        take: |_| hognose_allocators::before_fork(),
        give_back: |_| hognose_allocators::after_fork_parent(),
        free: |_| hognose_allocators::after_fork_child(),
    },
];

/// Takes the locks. The import lock may have to be waited for, so Python code of other threads runs meanwhile.
pub fn take_locks(ts: &ThreadState) {
    REGIONS.iter().chain(&MEMORY).for_each(|region| (region.take)(ts));
}

/// Gives the locks back in the process that has forked, or has failed to.
pub fn release_locks_in_parent(ts: &ThreadState) {
    REGIONS.iter().chain(&MEMORY).rev().for_each(|region| (region.give_back)(ts));
}

/// Frees the locks in the child.
pub fn release_locks_in_child(ts: &ThreadState) {
    REGIONS.iter().chain(&MEMORY).rev().for_each(|region| (region.free)(ts));
    ts.interp().import_lock.free_of_others();
}

/// Frees all locks but those of the allocators: a C program that has called `fork` itself comes so far, if no other
/// thread was inside one of them.
pub fn reset_locks_in_child(ts: &ThreadState) {
    // The import lock was not taken: it may be somebody's who is not there, or this thread's own.
    REGIONS[1..].iter().rev().for_each(|region| (region.free)(ts));
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

#[cfg(test)]
mod tests {
    use core::mem::MaybeUninit;
    use core::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::capi::config::{PyConfig_Clear, PyConfig_InitIsolatedConfig};
    use crate::capi::pylifecycle::{Py_FinalizeEx, Py_InitializeFromConfig};
    use crate::capi::pythonrun::PyRun_SimpleString;
    use crate::modules::posix::process;

    /// What a child does that has found each lock free, and what it guards whole.
    const USE: &core::ffi::CStr = c"
import _interpreters, _interpqueues, _interpchannels, _thread, sys, tracemalloc
def run(done, kept):
    kept += [bytes(n) for n in range(3000)]
    import textwrap
    done.release()
tracemalloc.start()
for _ in range(3):
    done, kept = _thread.allocate_lock(), []
    done.acquire()
    _thread.start_new_thread(run, (done, kept))
    done.acquire()
assert tracemalloc.get_traced_memory()[0] > 1000
tracemalloc.stop()
number = _interpreters.create('isolated')
_interpreters.exec(number, 'import _thread; x = [str(n) for n in range(1000)]')
_interpreters.destroy(number)
queue = _interpqueues.create(2, 3, 1)
_interpqueues.put(queue, (1, b'2'), 3, 1)
assert _interpqueues.get(queue)[0] == (1, b'2')
_interpqueues.destroy(queue)
_interpchannels.destroy(_interpchannels.create(1))
";

    const BEGUN: u32 = 0;
    const TAKEN: u32 = 1;
    const FORKING: u32 = 2;
    const GIVEN_BACK: u32 = 3;

    /// Forks while another thread holds a lock for a while; the child has to find everything free and whole.
    fn fork_inside(ts: &ThreadState, region: &Region) {
        let stage = AtomicU32::new(BEGUN);
        let address = core::ptr::from_ref(ts) as usize;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: the state lives as long as the test; only its interpreter is looked for, which does not change.
                let ts = unsafe { &*(address as *const ThreadState) };
                (region.take)(ts);
                stage.store(TAKEN, Ordering::SeqCst);
                while stage.load(Ordering::SeqCst) != FORKING {
                    std::thread::yield_now();
                }
                // Time for the other one to come to the lock.
                std::thread::sleep(Duration::from_millis(20));
                stage.store(GIVEN_BACK, Ordering::SeqCst);
                (region.give_back)(ts);
            });
            while stage.load(Ordering::SeqCst) != TAKEN {
                std::thread::yield_now();
            }
            stage.store(FORKING, Ordering::SeqCst);
            process::before_fork(ts);
            assert_eq!(stage.load(Ordering::SeqCst), GIVEN_BACK, "{}: the fork did not wait", region.name);
            // SAFETY: all locks of the runtime are ours.
            let child = unsafe { libc::fork() };
            if child == 0 {
                process::after_fork_in_child(ts);
                // SAFETY: the state is attached; the child leaves without running anybody's destructors. One that
                // waits for ever is ended.
                unsafe {
                    libc::alarm(300);
                    libc::_exit(if PyRun_SimpleString(USE.as_ptr()) == 0 { 0 } else { 1 });
                }
            }
            process::after_fork_in_parent(ts);
            assert!(child > 0);
            let mut status = 0;
            // SAFETY: our own child.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0, "{}: the child's status", region.name);
        });
    }

    #[test]
    fn a_fork_waits_for_each_lock() {
        let mut config = MaybeUninit::uninit();
        // SAFETY: the configuration is set up, used and cleared; this thread has the runtime for itself.
        unsafe {
            PyConfig_InitIsolatedConfig(config.as_mut_ptr());
            (*config.as_mut_ptr()).site_import = 0;
            let status = Py_InitializeFromConfig(config.as_ptr());
            PyConfig_Clear(config.as_mut_ptr());
            assert!(status.is_ok());
            let ts = ThreadState::current();
            assert_eq!(PyRun_SimpleString(USE.as_ptr()), 0);
            // The import lock belongs to a thread with a state: see tests/py/fork_with_threads.py.
            for region in REGIONS[1..].iter().chain(&MEMORY) {
                fork_inside(ts, region);
            }
            assert_eq!(Py_FinalizeEx(), 0);
        }
    }
}
