//! Critical sections: locks of objects that a thread has as long as it has the GIL (`PyCriticalSection_Begin`).
//!
//! ```text
//!  ThreadState::critical_section ──► innermost section ──► the one around it ──► …      each on C's stack
//!                                       │ mutex: one of the interpreter's, by the object's address
//! ```
//!
//! A section is *suspended*, its mutex free, while its thread is detached; when the thread comes back its innermost
//! section is resumed, and each other one when it becomes the innermost. So a mutex is held by sections of the
//! attached thread only, and trying to take one fails only when an outer section has it: that is what S1 and S2 are for.
//!
//! S1: bit 0 of `previous` says that this section is the one that holds its mutex.
//! S2: the innermost section of an attached thread is covered: it or one around it holds its mutex.

use core::ptr;

use super::Mutex;

/// `PyCriticalSection`.
#[repr(C)]
pub struct Section {
    previous: usize,
    mutex: *const Mutex,
}

/// `PyCriticalSection2`: the one around for the first object of the two, the inner one for the second.
#[repr(C)]
pub struct Section2 {
    /// The outer.
    pub outer: Section,
    /// The inner.
    pub inner: Section,
}

const HOLDS: usize = 1;

/// How many mutexes an interpreter has for its objects.
pub const MUTEXES: usize = 64;

/// Which mutex is an object's.
pub fn index_of(address: usize) -> usize {
    (address >> 4) % MUTEXES
}

impl Section {
    fn around(&self) -> *mut Section {
        ptr::with_exposed_provenance_mut(self.previous & !HOLDS)
    }

    fn take(&mut self) {
        // SAFETY: the mutex lives as long as the interpreter.
        if unsafe { (*self.mutex).try_lock() } {
            self.previous |= HOLDS;
        }
    }

    fn give_back(&mut self) {
        if self.previous & HOLDS != 0 {
            self.previous &= !HOLDS;
            // SAFETY: as above. S1: it is locked.
            let _ = unsafe { (*self.mutex).unlock() };
        }
    }
}

/// Begins a section inside `innermost`, which becomes it.
///
/// # Safety
/// The place is writable and stays where it is until the section ends; the mutex lives as long.
pub unsafe fn begin(place: *mut Section, mutex: *const Mutex, innermost: *mut Section) {
    // SAFETY: the caller's promise.
    unsafe {
        place.write(Section { previous: innermost.expose_provenance(), mutex });
        (*place).take();
    }
}

/// Ends the innermost section; the one that is the innermost now is returned.
///
/// # Safety
/// The section is the innermost of the attached thread.
pub unsafe fn end(place: *mut Section) -> *mut Section {
    // SAFETY: the caller's promise; sections around are alive.
    unsafe {
        (*place).give_back();
        let around = (*place).around();
        if let Some(around) = around.as_mut()
            && around.previous & HOLDS == 0
        {
            // It may have been suspended, with the inner one covered by it resumed since.
            around.take();
        }
        around
    }
}

/// Suspends a thread's sections: it is about to be detached.
///
/// # Safety
/// The section is the innermost of the attached thread.
#[cold]
pub unsafe fn suspend(innermost: *mut Section) {
    let mut at = innermost;
    // SAFETY: sections around are alive.
    while let Some(section) = unsafe { at.as_mut() } {
        section.give_back();
        at = section.around();
    }
}

/// Resumes the innermost section of a thread that was attached.
///
/// # Safety
/// As above.
#[cold]
pub unsafe fn resume(innermost: *mut Section) {
    // SAFETY: the caller's promise.
    unsafe { (*innermost).take() };
}
