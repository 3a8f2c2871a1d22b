//! Instances of classes: their end, their traversal, their clearing.
//!
//! ```text
//!  [weakrefs][dict][GC head][ native base's fields │ places of __slots__ … │ inline values ]
//! ```

use core::ops::ControlFlow;

use crate::object::header::decref;
use crate::object::*;
use crate::state::ThreadState;

/// Calls `f` with each place that `__slots__` has added between the native base's fields and the instance's end.
#[inline]
fn for_each_place<B>(object: &PyObject, f: &mut dyn FnMut(&Slot<PyObject>) -> ControlFlow<B>) -> ControlFlow<B> {
    let mut at = Some(object.ob_type());
    while let Some(typ) = at
        && let Some(heap_type) = typ.as_heap_type()
    {
        let base = typ.base();
        // SAFETY: the tuple of names is set while the class is made and stays.
        let count = unsafe { heap_type.ht_slots.borrow() }.map_or(0, |names| names.len());
        if count != 0 {
            let start = places_start(base);
            for index in 0..count {
                let offset = start + index * size_of::<Slot<PyObject>>();
                // SAFETY: the class has made its instances larger by a place for each name.
                f(unsafe { &*object.as_ptr().cast::<u8>().add(offset).cast::<Slot<PyObject>>() })?;
            }
        }
        at = base;
    }
    ControlFlow::Continue(())
}

/// Where the places of a class's own `__slots__` begin.
#[inline]
pub fn places_start(base: Option<&PyTypeObject>) -> usize {
    base.map_or(size_of::<PyObject>(), |base| base.basicsize()).next_multiple_of(size_of::<usize>())
}

/// The end of an instance of a class.
///
/// # Safety
/// As for each dealloc slot.
pub unsafe fn subtype_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is whole, and its own memory until the native dealloc.
    let this = unsafe { &*object };
    if let Some(finalize) = this.ob_type().slots().finalize
        && !finish(ts, this, finalize)
    {
        return;
    }
    // The finalizer may have given the object another class.
    let typ = this.ob_type();
    if typ.is_gc() {
        gc::untrack(this);
    }
    let mut has_slots = false;
    let mut base = typ;
    while base.slots().dealloc.is_some_and(|f| f as usize == subtype_dealloc as *const () as usize) {
        if let Some(heap_type) = base.as_heap_type() {
            has_slots |= heap_type.ht_slots.is_some();
        }
        match base.base() {
            Some(next) => base = next,
            None => break,
        }
    }
    if typ.has_flag(flags::MANAGED_WEAKREF) {
        weakref::clear_all(ts, this);
    }
    if has_slots {
        let _ = for_each_place::<()>(this, &mut |place| {
            if let Some(value) = place.take() {
                value.release(ts);
            }
            ControlFlow::Continue(())
        });
    }
    if typ.has_flag(flags::MANAGED_DICT | flags::INLINE_VALUES) {
        instance::clear(ts, this);
    }
    let Some(native) = base.slots().dealloc else { return };
    // SAFETY: the native base ends what is its own and frees the memory; the class is held until after that.
    unsafe {
        native(ts, object);
        decref(ts, typ.as_object().as_ptr());
    }
}

/// Runs the finalizer; false when it has brought the object back to life.
#[cold]
pub(crate) fn finish(ts: &ThreadState, object: &PyObject, finalize: fn(&ThreadState, &PyObject)) -> bool {
    let collected = object.ob_type().is_gc();
    if collected {
        if gc::is_finalized(object) {
            return true;
        }
        if !gc::is_tracked(object) && !object.ob_type().has_flag(flags::TYPE_SUBCLASS) {
            gc::track_in(ts, object);
        }
        gc::set_finalized(object);
    }
    object.ob_refcnt.set(1);
    finalize(ts, object);
    let count = object.ob_refcnt.get() - 1;
    object.ob_refcnt.set(count);
    count == 0
}

/// Shows the collector what an instance of a class owns.
pub fn subtype_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let typ = object.ob_type();
    let mut base = typ;
    let mut has_slots = false;
    while base.slots().traverse.is_some_and(|f| f as usize == subtype_traverse as *const () as usize) {
        if let Some(heap_type) = base.as_heap_type() {
            has_slots |= heap_type.ht_slots.is_some();
        }
        match base.base() {
            Some(next) => base = next,
            None => break,
        }
    }
    if has_slots {
        for_each_place(object, &mut |place| visitor.slot(place))?;
    }
    if typ.has_flag(flags::MANAGED_DICT | flags::INLINE_VALUES) {
        instance::traverse(object, visitor)?;
    }
    // The instance's reference to its class.
    visitor.object(typ.as_object())?;
    match base.slots().traverse {
        Some(native) if native as usize != subtype_traverse as *const () as usize => native(object, visitor),
        _ => ControlFlow::Continue(()),
    }
}

/// Empties an instance of a class, to break a cycle.
pub fn subtype_clear(ts: &ThreadState, object: &PyObject) {
    let typ = object.ob_type();
    let _ = for_each_place::<()>(object, &mut |place| {
        place.set(None);
        ControlFlow::Continue(())
    });
    if typ.has_flag(flags::MANAGED_DICT | flags::INLINE_VALUES) {
        instance::clear(ts, object);
    }
    let mut base = typ;
    while base.slots().clear.is_some_and(|f| f as usize == subtype_clear as *const () as usize) {
        match base.base() {
            Some(next) => base = next,
            None => break,
        }
    }
    if let Some(native) = base.slots().clear
        && native as usize != subtype_clear as *const () as usize
    {
        native(ts, object);
    }
}
