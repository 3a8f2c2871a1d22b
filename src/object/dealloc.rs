//! The end of an object.
//!
//! A type's `dealloc` slot drops the object's fields and frees its memory. Containers inside
//! containers would recurse on the native stack: past a depth, or when the stack runs low, a collected
//! object is put on a list instead, which the outermost deallocation empties. The list is linked
//! through the collector's header, which the object does not need any more.

use super::flags;
use super::gc;
use super::header::PyObject;
use crate::state::ThreadState;

/// How deep deallocations nest before containers are put off.
const NESTING_LIMIT: u32 = 100;

/// Ends an object whose reference count has reached zero.
///
/// # Safety
/// The count is zero, and nobody uses the object afterwards.
// A call of its own: inlined wherever a reference is dropped, it would be most of the evaluation loop.
#[inline(never)]
pub unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    super::reftrace::destroyed(object);
    // SAFETY: the object is still whole.
    let typ = unsafe { (*object).ob_type() };
    let Some(slot) = typ.slots().dealloc else {
        missing_dealloc(typ.full_name());
    };
    if !typ.has_flag(flags::HAVE_GC) {
        // SAFETY: the slot is this type's.
        unsafe { slot(ts, object) };
        return;
    }
    let depth = ts.dealloc_depth.get();
    if depth >= NESTING_LIMIT || ts.native_stack_is_low() {
        // SAFETY: the object is dead to all but the list.
        unsafe { put_off(ts, object) };
        return;
    }
    ts.dealloc_depth.set(depth + 1);
    // SAFETY: the slot is this type's.
    unsafe { slot(ts, object) };
    ts.dealloc_depth.set(depth);
    if depth == 0 && !ts.dealloc_later.get().is_null() {
        finish_later(ts);
    }
}

/// [`dealloc`] for where no thread state is at hand.
///
/// # Safety
/// As for [`dealloc`]; a thread state is attached.
#[inline]
pub unsafe fn dealloc_unattended(object: *mut PyObject) {
    // SAFETY: the caller's promise.
    unsafe { dealloc(ThreadState::current(), object) }
}

#[cold]
unsafe fn put_off(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object has a collector header, and is not in any list after `untrack`.
    unsafe {
        gc::untrack(&*object);
        gc::set_link(object, ts.dealloc_later.get());
    }
    ts.dealloc_later.set(object);
}

#[cold]
fn finish_later(ts: &ThreadState) {
    loop {
        let object = ts.dealloc_later.get();
        if object.is_null() {
            return;
        }
        // SAFETY: the list holds dead objects with a collector header; the slot ends each once.
        unsafe {
            ts.dealloc_later.set(gc::take_link(object));
            let Some(slot) = (*object).ob_type().slots().dealloc else { continue };
            ts.dealloc_depth.set(1);
            slot(ts, object);
            ts.dealloc_depth.set(0);
        }
    }
}

#[cold]
fn missing_dealloc(name: &str) -> ! {
    panic!("type {name} has no dealloc slot: it was used before it was ready")
}
