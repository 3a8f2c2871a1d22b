//! Weak references: the list that an object heads, and what happens to it when the object dies.
//!
//! ```text
//!  object ── WeakrefList ──► PyWeakref ◄──► PyWeakref ◄──► …
//! ```
//!
//! I1: a reference is in its object's list as long as it is alive and has not been cleared.
//! I2: a list's references are not owned by it; a dying reference takes itself out.

use core::cell::Cell;

use super::alloc;
use super::gc;
use super::header::PyObject;
use super::reference::{AsObject, PyRef, Ref, Slot};
use crate::state::ThreadState;
use crate::types::weakref::PyWeakref;

/// The head of an object's list of weak references; it stands inside the object or before it.
#[repr(transparent)]
pub struct WeakrefList {
    head: Cell<*const PyWeakref>,
}

impl WeakrefList {
    /// An empty list.
    pub const fn new() -> WeakrefList {
        WeakrefList { head: Cell::new(core::ptr::null()) }
    }

    /// The first reference, if any.
    pub fn first(&self) -> Option<&PyWeakref> {
        // SAFETY: I1 and I2: what is in the list is alive.
        unsafe { self.head.get().as_ref() }
    }

    /// Whether there is no reference.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.head.get().is_null()
    }

    /// The references, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &PyWeakref> {
        core::iter::successors(self.first(), |reference| {
            // SAFETY: as in `first`.
            unsafe { reference.links.next.get().as_ref() }
        })
    }

    /// Puts a new reference in: those without a callback first, so that they are found and shared.
    pub fn insert(&self, reference: &PyWeakref, at_front: bool) {
        let links = &reference.links;
        let first = self.head.get();
        if at_front || first.is_null() {
            links.prev.set(core::ptr::null());
            links.next.set(first);
            // SAFETY: I1.
            if let Some(first) = unsafe { first.as_ref() } {
                first.links.prev.set(reference);
            }
            self.head.set(reference);
        } else {
            // SAFETY: I1.
            let first = unsafe { &*first };
            let second = first.links.next.get();
            links.prev.set(first);
            links.next.set(second);
            // SAFETY: I1.
            if let Some(second) = unsafe { second.as_ref() } {
                second.links.prev.set(reference);
            }
            first.links.next.set(reference);
        }
    }

    fn remove(&self, reference: &PyWeakref) {
        let links = &reference.links;
        let (prev, next) = (links.prev.get(), links.next.get());
        // SAFETY: I1.
        unsafe {
            match prev.as_ref() {
                Some(prev) => prev.links.next.set(next),
                None => self.head.set(next),
            }
            if let Some(next) = next.as_ref() {
                next.links.prev.set(prev);
            }
        }
        links.prev.set(core::ptr::null());
        links.next.set(core::ptr::null());
    }
}

impl Default for WeakrefList {
    fn default() -> WeakrefList {
        WeakrefList::new()
    }
}

/// A reference's place in its object's list.
pub struct Links {
    prev: Cell<*const PyWeakref>,
    next: Cell<*const PyWeakref>,
}

/// The list that belongs to an object, wherever it stands: static types keep theirs per interpreter.
pub fn list_of<'a>(ts: &'a ThreadState, object: &'a PyObject) -> Option<&'a WeakrefList> {
    if let Some(typ) = object.downcast::<super::PyTypeObject>() {
        if let Some(heap_type) = typ.as_heap_type() {
            return Some(&heap_type.ht_weaklist);
        }
        return ts.interp().static_type(typ).map(|state| &state.weaklist);
    }
    alloc::weaklist(object)
}

/// Cuts a reference off its object; both go on living.
pub fn detach(ts: &ThreadState, reference: &PyWeakref) {
    let target = reference.target.replace(core::ptr::null());
    // SAFETY: a target that has not been cleared is alive: its dealloc clears its references first.
    let Some(target) = (unsafe { target.as_ref() }) else { return };
    if let Some(list) = list_of(ts, target) {
        list.remove(reference);
    }
}

/// Clears the weak references to a dying object and calls their callbacks; every dealloc of a type with
/// weak references begins with this.
#[inline(always)]
pub fn clear_all(ts: &ThreadState, object: &PyObject) {
    if let Some(list) = list_of(ts, object)
        && !list.is_empty()
    {
        clear_list(ts, list);
    }
}

#[cold]
fn clear_list(ts: &ThreadState, list: &WeakrefList) {
    let mut waiting = Waiting::new();
    while let Some(reference) = list.first() {
        list.remove(reference);
        reference.target.set(core::ptr::null());
        // A reference that is dying itself has no one to call back.
        if reference.callback.is_some() && reference.as_object().refcnt() > 0 {
            waiting.push(reference);
        }
    }
    let pending = ts.current_exception.take();
    waiting.call(ts);
    ts.current_exception.set(pending);
}

/// Clears the weak references to the objects that a collection has found to be garbage, before any
/// finalizer could reach them, and calls the callbacks of those references that are not garbage themselves.
pub(super) fn handle_garbage(ts: &ThreadState, for_each: &mut dyn FnMut(&mut dyn FnMut(&PyObject))) {
    let mut waiting = Waiting::new();
    for_each(&mut |object| {
        let Some(list) = list_of(ts, object) else { return };
        while let Some(reference) = list.first() {
            list.remove(reference);
            reference.target.set(core::ptr::null());
            if reference.callback.is_some() && !gc::is_garbage(reference.as_object()) {
                waiting.push(reference);
            }
        }
    });
    waiting.call(ts);
}

/// References whose callbacks wait to be called: a list that needs no memory, linked through the
/// references, which it owns.
struct Waiting {
    first: *const PyWeakref,
    last: *const PyWeakref,
}

impl Waiting {
    fn new() -> Waiting {
        Waiting { first: core::ptr::null(), last: core::ptr::null() }
    }

    fn push(&mut self, reference: &PyWeakref) {
        reference.as_object().incref();
        // SAFETY: the list owns its references.
        match unsafe { self.last.as_ref() } {
            Some(last) => last.links.next.set(reference),
            None => self.first = reference,
        }
        self.last = reference;
    }

    fn call(self, ts: &ThreadState) {
        let mut at = self.first;
        // SAFETY: as above.
        while let Some(reference) = unsafe { at.as_ref() } {
            at = reference.links.next.replace(core::ptr::null());
            // SAFETY: `push` made this reference.
            let reference: Ref<PyWeakref> = unsafe { Ref::from_owned(core::ptr::from_ref(reference).cast_mut()) };
            if let Some(callback) = reference.callback.take() {
                call_back(ts, &reference, callback);
            }
        }
    }
}

fn call_back(ts: &ThreadState, reference: &PyWeakref, callback: PyRef) {
    match super::call::call_with(ts, &callback, &[reference.as_object()]) {
        Ok(result) => drop(result),
        Err(raised) => {
            crate::types::exceptions::write_unraisable(ts, raised, Some("calling weakref callback"), &callback)
        }
    }
}

impl Links {
    /// In no list.
    pub const fn new() -> Links {
        Links { prev: Cell::new(core::ptr::null()), next: Cell::new(core::ptr::null()) }
    }
}

impl Default for Links {
    fn default() -> Links {
        Links::new()
    }
}

/// The object that the reference leads to, if it still lives.
#[inline]
pub fn target(reference: &PyWeakref) -> Option<PyRef> {
    // SAFETY: a target that has not been cleared is alive.
    let target = unsafe { reference.target.get().as_ref() }?;
    // An object in its dealloc has a count of zero until its references are cleared.
    (target.refcnt() > 0).then(|| target.new_ref())
}

/// A slot of a callback, for the type's own use.
pub type Callback = Slot<PyObject>;
