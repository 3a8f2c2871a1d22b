//! PEP 788: guards, views, `PyThreadState_Ensure`. Declared in `pystate.h`. Since 3.15.
//!
//! | what | holds | made with a thread state |
//! |---|---|---|
//! | view | an interpreter's name, which may be gone | yes, but the main interpreter's |
//! | guard | an interpreter's life: finalization waits for it | yes, or from a view |
//! | token | what `PyThreadState_Release` restores | |
//!
//! All three are blocks of the raw domain. None of the functions hangs: a thread that comes too late gets NULL.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use hognose_allocators::NoMemory;

use super::convert::guard;
use crate::lifecycle::fatal::fatal_error;
use crate::lifecycle::guards;
use crate::raise;
use crate::state::{InterpreterState, Runtime, ThreadState, attach, block, runtime, threads};
use crate::types::exceptions as exc;

/// `PyInterpreterGuard`.
pub struct Guard {
    /// Alive as long as the guard is.
    interp: NonNull<InterpreterState>,
}

/// `PyInterpreterView`.
pub struct View {
    /// The interpreter's number.
    id: i64,
    /// The life of the runtime in which it has that number; 0 for the main interpreter of any.
    epoch: u32,
}

/// `PyThreadStateToken`.
pub struct Token {
    /// The state that was attached before, when it was another one.
    previous: *mut ThreadState,
    /// The state was attached before.
    was_attached: bool,
    /// The guard that the token has for itself, or null.
    guard: *mut Guard,
}

fn new_block<T>(value: T) -> Result<*mut T, NoMemory> {
    let block = block::take::<T>();
    if block.is_null() {
        return Err(NoMemory);
    }
    // SAFETY: the block has the type's size.
    unsafe { block.write(value) };
    Ok(block)
}

/// Counts a guard of an interpreter that is known to be alive.
fn guard_of(interp: &InterpreterState) -> Option<*mut Guard> {
    let block = new_block(Guard { interp: NonNull::from(interp) }).ok()?;
    if !guards::enter(interp) {
        // SAFETY: allocated above.
        unsafe { block::give(block) };
        return None;
    }
    Some(block)
}

/// A guard of the attached interpreter; null with an exception when it finalizes.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterGuard_FromCurrent() -> *mut Guard {
    guard::<*mut Guard>("PyInterpreterGuard_FromCurrent", |ts| {
        let block = new_block(Guard { interp: NonNull::from(ts.interp()) })?;
        if !guards::enter(ts.interp()) {
            // SAFETY: allocated above.
            unsafe { block::give(block) };
            return raise!(ts, exc::PythonFinalizationError, "cannot acquire a guard of an interpreter that finalizes");
        }
        Ok(block)
    })
}

/// A guard of a view's interpreter; null, without an exception, when it finalizes or is gone. Any thread.
///
/// # Safety
///
/// The view is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterGuard_FromView(view: *mut View) -> *mut Guard {
    // SAFETY: as promised.
    let view = unsafe { &*view };
    let runtime = Runtime::get();
    let _states = runtime.states.lock();
    let epoch = runtime.epoch.load(Ordering::Acquire);
    if runtime::is_closed(epoch)
        || !runtime.initialized.load(Ordering::Acquire)
        || (view.epoch != 0 && view.epoch != epoch)
    {
        return ptr::null_mut();
    }
    let mut at = runtime.interpreters.load(Ordering::Acquire).cast_const();
    // SAFETY: what is in the list is alive while `states` is held.
    while let Some(interp) = unsafe { at.as_ref() } {
        if interp.id == view.id {
            return guard_of(interp).unwrap_or(ptr::null_mut());
        }
        at = interp.next.get();
    }
    ptr::null_mut()
}

/// The interpreter that a guard keeps; it lives as long as the guard.
///
/// # Safety
///
/// The guard is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterGuard_GetInterpreter(guard: *mut Guard) -> *mut InterpreterState {
    // SAFETY: as promised.
    unsafe { (*guard).interp.as_ptr() }
}

/// One more guard of the same interpreter; null without memory. Any thread.
///
/// # Safety
///
/// The guard is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterGuard_Copy(guard: *mut Guard) -> *mut Guard {
    // SAFETY: as promised, and the guard keeps the interpreter.
    let interp = unsafe { (*guard).interp.as_ref() };
    match new_block(Guard { interp: NonNull::from(interp) }) {
        Ok(block) => {
            guards::enter_again(interp);
            block
        }
        Err(_) => ptr::null_mut(),
    }
}

/// Ends a guard. Any thread; cannot fail.
///
/// # Safety
///
/// The guard is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterGuard_Close(guard: *mut Guard) {
    // SAFETY: as promised: the interpreter is alive until it is told.
    unsafe {
        let interp = (*guard).interp;
        // The block first: when the interpreter is told, the runtime may count what is left.
        block::give(guard);
        guards::leave(interp.as_ref());
    }
}

/// A view of the attached interpreter; null with an exception.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterView_FromCurrent() -> *mut View {
    guard::<*mut View>("PyInterpreterView_FromCurrent", |ts| {
        let epoch = Runtime::get().epoch.load(Ordering::Acquire);
        Ok(new_block(View { id: ts.interp().id, epoch })?)
    })
}

/// A view of the main interpreter, whichever it will be; null without memory. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn PyInterpreterView_FromMain() -> *mut View {
    new_block(View { id: 0, epoch: 0 }).unwrap_or(ptr::null_mut())
}

/// One more view of the same interpreter; null without memory. Any thread, at any time.
///
/// # Safety
///
/// The view is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterView_Copy(view: *mut View) -> *mut View {
    // SAFETY: as promised.
    let View { id, epoch } = *unsafe { &*view };
    new_block(View { id, epoch }).unwrap_or(ptr::null_mut())
}

/// Ends a view. Any thread, at any time.
///
/// # Safety
///
/// The view is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInterpreterView_Close(view: *mut View) {
    // SAFETY: as promised.
    unsafe { block::give(view) }
}

/// Attaches a state of an interpreter that a guard keeps.
///
/// # Safety
/// The interpreter stays alive.
unsafe fn ensure(interp: NonNull<InterpreterState>, own_guard: *mut Guard) -> *mut Token {
    let Ok(token) = new_block(Token { previous: ptr::null_mut(), was_attached: false, guard: own_guard }) else {
        return ptr::null_mut();
    };
    let current = ThreadState::try_current();
    if let Some(current) = current
        && ptr::eq(current.interp(), interp.as_ptr())
    {
        current.ensured.set(current.ensured.get() + 1);
        // SAFETY: allocated above.
        unsafe { (*token).was_attached = true };
        return token;
    }
    // The thread's own state of the interpreter, if it has one; else a new one.
    let own = if current.is_none() { attach::bound() } else { None };
    // SAFETY: a bound state is alive, and the guard keeps its interpreter from ending it.
    let own = own.filter(|own| unsafe { ptr::eq(own.as_ref().interp(), interp.as_ptr()) });
    let (state, is_new) = match own {
        Some(own) => (own, false),
        // SAFETY: the caller's promise.
        None => match unsafe { threads::create(interp.as_ptr()) } {
            Ok(state) => (state, true),
            Err(_) => {
                // SAFETY: allocated above.
                unsafe { block::give(token) };
                return ptr::null_mut();
            }
        },
    };
    let previous = attach::detach();
    // SAFETY: allocated above.
    unsafe { (*token).previous = previous.map_or(ptr::null_mut(), NonNull::as_ptr) };
    // The guard keeps the interpreter from being closed to this thread.
    attach::attach(state, "PyThreadState_Ensure");
    let attached = ThreadState::current();
    attached.ensured.set(if is_new { 1 } else { attached.ensured.get() + 1 });
    token
}

/// Attaches a state of a guard's interpreter to the calling thread, making one when it has none; null without memory.
/// The token is for [`PyThreadState_Release`], in the same thread, while the guard is open.
///
/// # Safety
///
/// The guard is open until the release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Ensure(guard: *mut Guard) -> *mut Token {
    // SAFETY: as promised.
    unsafe { ensure((*guard).interp, ptr::null_mut()) }
}

/// The same from a view, with a guard that the token has; null also when the interpreter finalizes or is gone.
///
/// # Safety
///
/// The view is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_EnsureFromView(view: *mut View) -> *mut Token {
    // SAFETY: as promised.
    unsafe {
        let guard = PyInterpreterGuard_FromView(view);
        if guard.is_null() {
            return ptr::null_mut();
        }
        let token = ensure((*guard).interp, guard);
        if token.is_null() {
            PyInterpreterGuard_Close(guard);
        }
        token
    }
}

/// Undoes a [`PyThreadState_Ensure`]: what was attached before is attached again.
///
/// # Safety
///
/// The token is this thread's latest, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThreadState_Release(token: *mut Token) {
    // SAFETY: as promised.
    let Token { previous, was_attached, guard } = unsafe { token.read() };
    if ThreadState::try_current().is_none() {
        fatal_error("PyThreadState_Release", "no thread state is attached");
    }
    // SAFETY: allocated by `ensure`.
    unsafe { block::give(token) };
    super::gilstate::release("PyThreadState_Release", was_attached);
    if !guard.is_null() {
        // SAFETY: the token's own.
        unsafe { PyInterpreterGuard_Close(guard) };
    }
    if let Some(previous) = NonNull::new(previous) {
        attach::attach(previous, "PyThreadState_Release");
    }
}
