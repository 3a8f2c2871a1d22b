//! The lives of thread states: made, cleared, ended; and the lists that they are in.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use hognose_allocators::collections::TryVec;

use super::attach;
use super::block;
use super::interpreter::InterpreterState;
use super::runtime::{Runtime, is_closed};
use super::thread::ThreadState;
use crate::vm::monitoring::legacy;

/// Why a thread has no state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoState {
    /// It comes too late: the interpreter, or the runtime, ends or is gone.
    Late,
    /// There is no memory.
    Memory,
}

/// Makes a state, which no thread has attached, and puts it first in its interpreter's list. Any thread, with a GIL or
/// without. For the main interpreter a thread comes too late also before there is one.
///
/// # Safety
/// The interpreter is alive, or null for the main one.
pub unsafe fn create(interp: *const InterpreterState) -> Result<NonNull<ThreadState>, NoState> {
    let runtime = Runtime::get();
    let memory = block::take::<ThreadState>();
    if memory.is_null() {
        return Err(NoState::Memory);
    }
    let _states = runtime.states.lock();
    let closed = is_closed(runtime.epoch.load(Ordering::Acquire))
        && runtime.finalizing_thread.load(Ordering::Acquire) != crate::sync::thread_ident();
    // Who does not name an interpreter waits until the main one is made.
    let interp = match interp.is_null() {
        true if runtime.initialized.load(Ordering::Acquire) => {
            runtime.main_interpreter.load(Ordering::Acquire).cast_const()
        }
        _ => interp,
    };
    // SAFETY: the caller's promise; the main one is alive while the lock is held and it is found.
    let interp =
        unsafe { interp.as_ref() }.filter(|interp| !closed && !interp.is_closed_to(crate::sync::thread_ident()));
    let Some(interp) = interp else {
        // SAFETY: allocated above.
        unsafe { block::give(memory) };
        return Err(NoState::Late);
    };
    // SAFETY: the block has the struct's size.
    Ok(unsafe { link(memory, interp) })
}

/// [`create`] in memory that is there already, for the thread that ends the interpreter.
///
/// # Safety
/// The memory came from [`block::take`] and is nobody's; the interpreter is alive.
pub(crate) unsafe fn create_in(memory: *mut ThreadState, interp: &InterpreterState) -> NonNull<ThreadState> {
    let _states = Runtime::get().states.lock();
    // SAFETY: the caller's promise.
    unsafe { link(memory, interp) }
}

/// Writes a state and puts it into the list. The caller has `states`.
///
/// # Safety
/// The memory is nobody's, and as large as a state.
unsafe fn link(memory: *mut ThreadState, interp: &InterpreterState) -> NonNull<ThreadState> {
    let id = Runtime::get().next_thread_id.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the block has the struct's size and is written before it is looked at.
    unsafe {
        memory.write(ThreadState::new(interp, id));
        let ts = &*memory;
        ts.exc_info.set(&raw const ts.exc_base);
        ts.next.set(interp.threads.get());
        interp.threads.set(memory);
        NonNull::new_unchecked(memory)
    }
}

/// Drops everything that a state refers to (`PyThreadState_Clear`). The caller holds the GIL; `ts` is its state, and
/// may be the same.
pub fn clear(ts: &ThreadState, target: &ThreadState) {
    for slot in [
        &target.dict,
        &target.context,
        &target.async_gen_firstiter,
        &target.async_gen_finalizer,
        &target.asyncio_running_task,
        &target.asyncio_running_loop,
        &target.async_exception,
        &target.current_exception,
        &target.exc_base.value,
    ] {
        slot.set(None);
    }
    legacy::drop_hooks(ts, target);
    if target.frame.get().is_null() {
        // SAFETY: no frame is left, and no `repr` runs.
        unsafe {
            (*target.data_stack.get()).free(ts.heap());
            *target.repr_running.get() = TryVec::new();
        }
    }
    target.cleared.set(true);
}

/// Takes a state out of its interpreter's list. The caller has `states`.
fn unlink(target: &ThreadState) {
    let interp = target.interp();
    let mut place = &interp.threads;
    loop {
        let at = place.get();
        if ptr::eq(at, target) {
            place.set(target.next.get());
            return;
        }
        // SAFETY: what is in the list is alive while `states` is held.
        match unsafe { at.as_ref() } {
            Some(state) => place = &state.next,
            None => return,
        }
    }
}

/// Ends a state that no thread has attached.
///
/// # Safety
/// The state is alive, was cleared, and is not used again.
pub unsafe fn delete(target: NonNull<ThreadState>) {
    // SAFETY: the caller's promise.
    let state = unsafe { target.as_ref() };
    {
        let _states = Runtime::get().states.lock();
        unlink(state);
    }
    state.interp().gil().forget(target.as_ptr());
    attach::forget(target.as_ptr(), state.thread_id.get());
    // SAFETY: nobody finds the state any more; it was allocated by `create`.
    unsafe {
        ptr::drop_in_place(target.as_ptr());
        block::give(target.as_ptr());
    }
}

/// Ends the attached state and lets the GIL go. What comes after touches nothing of the interpreter.
///
/// # Safety
/// `ts` is the attached state, was cleared, and is not used again.
pub unsafe fn delete_current(ts: NonNull<ThreadState>) {
    // SAFETY: the caller's promise.
    unsafe { delete_current_after(ts, || {}) }
}

/// [`delete_current`], with something to do before the GIL is let go.
///
/// # Safety
/// As there.
pub(crate) unsafe fn delete_current_after(ts: NonNull<ThreadState>, last: impl FnOnce()) {
    // SAFETY: the caller's promise.
    let state = unsafe { ts.as_ref() };
    {
        let _states = Runtime::get().states.lock();
        unlink(state);
    }
    let gil = attach::detach_for_end();
    // SAFETY: the GIL is held, so its interpreter is there; nobody finds the state any more.
    unsafe {
        (*gil).forget(ts.as_ptr());
        ptr::drop_in_place(ts.as_ptr());
        block::give(ts.as_ptr());
        last();
        (*gil).release();
    }
}

/// Calls a function with each state of an interpreter, the newest first. The caller holds the GIL, by which states
/// with anything in them are kept; the function may not let it go. States that come meanwhile are left out.
pub fn for_each(interp: &InterpreterState, mut f: impl FnMut(&ThreadState)) {
    let mut below = u64::MAX;
    loop {
        let next = {
            let _states = Runtime::get().states.lock();
            let mut at = interp.threads.get().cast_const();
            loop {
                // SAFETY: what is in the list is alive while `states` is held.
                match unsafe { at.as_ref() } {
                    Some(state) if state.id < below => break Some(state),
                    Some(state) => at = state.next.get(),
                    None => break None,
                }
            }
        };
        let Some(state) = next else { return };
        below = state.id;
        f(state);
    }
}

/// The state of another thread of the interpreter, by that thread's number, and what a function makes of it.
pub fn with_thread<R>(interp: &InterpreterState, thread: u64, mut f: impl FnMut(&ThreadState) -> R) -> Option<R> {
    let mut result = None;
    for_each(interp, |state| {
        if result.is_none() && state.thread_id.get() == thread {
            result = Some(f(state));
        }
    });
    result
}

/// What is left of threads that were stopped for good.
#[derive(Clone, Copy, Default)]
pub struct Stopped {
    /// How many are inside a call from Python code, in the middle of a system call perhaps.
    pub in_calls: usize,
    /// How many have native code on their stacks, which may hold something.
    pub with_native_code: usize,
}

/// Clears and ends all states of an interpreter in which nothing was built and which nobody can enter any more.
pub(crate) fn end_all_of(ts: &ThreadState, interp: &InterpreterState) {
    loop {
        let first = {
            let _states = Runtime::get().states.lock();
            interp.threads.get()
        };
        let Some(first) = NonNull::new(first) else { return };
        // SAFETY: the interpreter is closed, and its GIL, which is the main one, held: nobody else ends the state.
        unsafe {
            clear(ts, first.as_ref());
            delete(first);
        }
    }
}

/// Clears and ends all states of the interpreter but the caller's: their threads will never use them again. Says what
/// is left of them.
///
/// # Safety
/// The caller holds the GIL, and no other thread can attach one of the states any more.
pub unsafe fn end_others(ts: &ThreadState) -> Stopped {
    let mut stopped = Stopped::default();
    loop {
        let other = {
            let _states = Runtime::get().states.lock();
            let mut at = ts.interp().threads.get();
            // SAFETY: what is in the list is alive while `states` is held.
            while let Some(state) = unsafe { at.as_ref() }
                && ptr::eq(state, ts)
            {
                at = state.next.get();
            }
            at
        };
        let Some(other) = NonNull::new(other) else { return stopped };
        // SAFETY: the caller's promise: nobody else uses or ends it.
        let state = unsafe { other.as_ref() };
        if !state.frame.get().is_null() {
            stopped.in_calls += usize::from(!state.between_instructions.get());
            // SAFETY: the caller's promise.
            let native = unsafe { crate::vm::frame::abandon(ts, state) };
            // Below a thread of C's there are C's and our own functions, which hold what they were called with.
            stopped.with_native_code += usize::from(native || state.start.get().is_null());
        }
        // It stays in the list meanwhile: what clearing ends may have to be taken out of the other states.
        crate::modules::_thread::forget_start(ts, state);
        clear(ts, state);
        // SAFETY: as above.
        unsafe { delete(other) };
    }
}
