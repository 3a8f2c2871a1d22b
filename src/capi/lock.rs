//! `PyMutex` and critical sections. Declared in `lock.h`.

use core::ffi::c_int;

use crate::lifecycle::fatal::fatal_error;
use crate::object::PyObject;
use crate::state::{ThreadState, attach};
use crate::sync::Mutex;
use crate::sync::section::{self, Section, Section2};

/// Takes a mutex. While it waits, the GIL is let go if the thread has it. Any thread, at any time.
///
/// # Safety
///
/// The mutex is live, and not this thread's already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_Lock(mutex: *mut Mutex) {
    // SAFETY: as promised.
    let mutex = unsafe { &*mutex };
    if mutex.try_lock() {
        return;
    }
    match ThreadState::try_current() {
        Some(ts) => attach::without_gil(ts, || mutex.lock_until(None, false)),
        None => mutex.lock_until(None, false),
    };
}

/// Gives a mutex back; fatal error when it is not locked.
///
/// # Safety
///
/// The mutex is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_Unlock(mutex: *mut Mutex) {
    // SAFETY: as promised.
    if unsafe { (*mutex).unlock() }.is_err() {
        fatal_error("PyMutex_Unlock", "unlocking a mutex that is not locked");
    }
}

/// Whether a mutex is locked, at this moment. Since 3.14.
///
/// # Safety
///
/// The mutex is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMutex_IsLocked(mutex: *mut Mutex) -> c_int {
    // SAFETY: as promised.
    unsafe { (*mutex).is_locked() }.into()
}

fn attached(function: &str) -> &'static ThreadState {
    match ThreadState::try_current() {
        Some(ts) => ts,
        None => fatal_error(function, "no thread state is attached"),
    }
}

/// Begins a section with a mutex inside the thread's innermost one.
///
/// # Safety
/// As for [`section::begin`].
unsafe fn begin(ts: &ThreadState, place: *mut Section, mutex: *const Mutex) {
    let innermost = ts.critical_section.get().cast();
    // SAFETY: the caller's promise.
    unsafe { section::begin(place, mutex, innermost) };
    ts.critical_section.set(place.cast());
}

fn end(function: &str, ts: &ThreadState, place: *mut Section) {
    if !core::ptr::eq(ts.critical_section.get().cast(), place) {
        fatal_error(function, "the critical section is not the innermost one of this thread");
    }
    // SAFETY: checked.
    let around = unsafe { section::end(place) };
    ts.critical_section.set(around.cast());
}

fn mutex_of(ts: &ThreadState, object: *mut PyObject) -> *const Mutex {
    &raw const ts.interp().object_mutexes[section::index_of(object.addr())]
}

/// Locks an object until [`PyCriticalSection_End`], or until the thread lets the GIL go.
///
/// # Safety
///
/// The place is writable, and stays where it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection_Begin(place: *mut Section, object: *mut PyObject) {
    let ts = attached("PyCriticalSection_Begin");
    // SAFETY: as promised.
    unsafe { begin(ts, place, mutex_of(ts, object)) };
}

/// The same with a mutex of the caller's. Since 3.14.
///
/// # Safety
///
/// As there; the mutex is live, and is used by critical sections of one interpreter only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection_BeginMutex(place: *mut Section, mutex: *mut Mutex) {
    let ts = attached("PyCriticalSection_BeginMutex");
    // SAFETY: as promised.
    unsafe { begin(ts, place, mutex) };
}

/// Ends the innermost critical section.
///
/// # Safety
///
/// It was begun in this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection_End(place: *mut Section) {
    end("PyCriticalSection_End", attached("PyCriticalSection_End"), place);
}

/// Locks two objects, the one with the lower address first.
///
/// # Safety
///
/// As for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection2_Begin(place: *mut Section2, a: *mut PyObject, b: *mut PyObject) {
    let ts = attached("PyCriticalSection2_Begin");
    let (first, second) = (a.min(b), a.max(b));
    // SAFETY: as promised.
    unsafe {
        begin(ts, &raw mut (*place).outer, mutex_of(ts, first));
        begin(ts, &raw mut (*place).inner, mutex_of(ts, second));
    }
}

/// The same with mutexes of the caller's. Since 3.14.
///
/// # Safety
///
/// As for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection2_BeginMutex(place: *mut Section2, a: *mut Mutex, b: *mut Mutex) {
    let ts = attached("PyCriticalSection2_BeginMutex");
    // SAFETY: as promised.
    unsafe {
        begin(ts, &raw mut (*place).outer, a.min(b));
        begin(ts, &raw mut (*place).inner, a.max(b));
    }
}

/// Ends a section of two objects.
///
/// # Safety
///
/// It is the innermost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCriticalSection2_End(place: *mut Section2) {
    let ts = attached("PyCriticalSection2_End");
    // SAFETY: only the addresses of the parts are taken.
    let (outer, inner) = unsafe { (&raw mut (*place).outer, &raw mut (*place).inner) };
    end("PyCriticalSection2_End", ts, inner);
    end("PyCriticalSection2_End", ts, outer);
}
