//! Modules that an embedding program has added (`PyImport_AppendInittab`).

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicPtr, Ordering};

use hognose_allocators::NoMemory;

use crate::object::PyObject;

/// A C module's initialization function.
pub type InitFunction = unsafe extern "C" fn() -> *mut PyObject;

/// A module of the table; lives until the process ends or the table is cleared.
struct Entry {
    name: *const c_char,
    init: Option<InitFunction>,
    next: *mut Entry,
    /// Whether the entry is for one initialization, and owns its name.
    once: bool,
}

/// The first entry. Programs add before initialization, so there is no race to lose; the exchange makes
/// one harmless all the same.
static FIRST: AtomicPtr<Entry> = AtomicPtr::new(core::ptr::null_mut());

/// Adds a module; -1 when memory is wanting.
///
/// # Safety
/// `name` is a C string that outlives the process's use of Python, as `PyImport_AppendInittab` demands.
pub unsafe fn append(name: *const c_char, init: Option<InitFunction>) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { insert(name, init, false) }
}

/// Adds a module for the next initialization only; its name is copied.
pub fn append_once(name: &CStr, init: InitFunction) -> Result<(), NoMemory> {
    // SAFETY: a C string; the copy is the entry's.
    unsafe {
        let copy = libc::strdup(name.as_ptr());
        if copy.is_null() {
            return Err(NoMemory);
        }
        if insert(copy, Some(init), true) < 0 {
            libc::free(copy.cast());
            return Err(NoMemory);
        }
    }
    Ok(())
}

/// Forgets the modules that were for one initialization; called when that has failed or is over.
pub fn forget_once() {
    let mut kept = FIRST.swap(core::ptr::null_mut(), Ordering::AcqRel);
    let mut first: *mut Entry = core::ptr::null_mut();
    let mut last: *mut Entry = core::ptr::null_mut();
    // SAFETY: nothing is being imported; the entries are this table's, and each is unlinked once.
    unsafe {
        while !kept.is_null() {
            let next = (*kept).next;
            if (*kept).once {
                libc::free((*kept).name.cast_mut().cast());
                libc::free(kept.cast());
            } else {
                (*kept).next = core::ptr::null_mut();
                if last.is_null() {
                    first = kept;
                } else {
                    (*last).next = kept;
                }
                last = kept;
            }
            kept = next;
        }
    }
    FIRST.store(first, Ordering::Release);
}

/// # Safety
/// As for [`append`], but for the names of entries for one initialization, which they own.
unsafe fn insert(name: *const c_char, init: Option<InitFunction>, once: bool) -> i32 {
    // From the C library, not from a domain: the table is there before any domain is chosen, and C programs
    // expect it to survive finalization.
    // SAFETY: a plain allocation.
    let entry = unsafe { libc::malloc(size_of::<Entry>()) }.cast::<Entry>();
    if entry.is_null() {
        return -1;
    }
    loop {
        let next = FIRST.load(Ordering::Acquire);
        // SAFETY: the memory is the entry's own.
        unsafe { entry.write(Entry { name, init, next, once }) };
        if FIRST.compare_exchange(next, entry, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            return 0;
        }
    }
}

/// The initialization function of a module of that name, if one was added.
pub fn find(name: &str) -> Option<InitFunction> {
    let mut at = FIRST.load(Ordering::Acquire);
    // SAFETY: entries are never freed, and names live as long as they do.
    while let Some(entry) = unsafe { at.as_ref() } {
        // SAFETY: as above.
        if unsafe { CStr::from_ptr(entry.name) }.to_bytes() == name.as_bytes() {
            return entry.init;
        }
        at = entry.next;
    }
    None
}

/// Whether no module was added.
pub fn is_empty() -> bool {
    FIRST.load(Ordering::Acquire).is_null()
}

/// Calls `f` with each added name.
pub fn for_each(f: &mut dyn FnMut(&CStr)) {
    let mut at = FIRST.load(Ordering::Acquire);
    // SAFETY: as in `find`.
    while let Some(entry) = unsafe { at.as_ref() } {
        // SAFETY: as in `find`.
        f(unsafe { CStr::from_ptr(entry.name) });
        at = entry.next;
    }
}
