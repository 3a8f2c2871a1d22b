//! Subclasses, and what they have to hear of: changed attributes and slots.

use hognose_allocators::collections::TryVec;

use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::weakref::PyWeakref;

/// Where a class keeps its subclasses.
fn subclasses_of<'a>(ts: &'a ThreadState, typ: &'a PyTypeObject) -> Option<&'a Slot<PyDict>> {
    match typ.as_heap_type() {
        Some(heap_type) => Some(&heap_type.ht_subclasses),
        None => ts.interp().static_type(typ).map(|state| &state.subclasses),
    }
}

fn key(ts: &ThreadState, subclass: &PyTypeObject) -> PyResult {
    PyInt::from_usize(ts, core::ptr::from_ref(subclass).addr())
}

/// Enters a class into a base's list of subclasses.
pub fn add_subclass(ts: &ThreadState, base: &PyTypeObject, subclass: &PyTypeObject) -> PyResult<()> {
    let Some(slot) = subclasses_of(ts, base) else { return Ok(()) };
    let dict = match slot.get() {
        Some(dict) => dict,
        None => {
            let dict = PyDict::new(ts)?;
            slot.set(Some(dict.clone()));
            dict
        }
    };
    let reference = PyWeakref::new(ts, subclass.as_object(), None)?;
    dict.set(ts, &*key(ts, subclass)?, reference.as_object())
}

/// Takes a class out of a base's list of subclasses. Never fails: a class that ends is not kept by its key.
pub fn remove_subclass(ts: &ThreadState, base: &PyTypeObject, subclass: &PyTypeObject) {
    let Some(dict) = subclasses_of(ts, base).and_then(|slot| slot.get()) else { return };
    let pending = ts.current_exception.take();
    let removed = match key(ts, subclass) {
        Ok(key) => dict.remove(ts, &key).map(drop),
        Err(raised) => {
            // Without memory for the key, the one in the list serves.
            ts.clear_raised(raised);
            let (mut position, address) = (0, core::ptr::from_ref(subclass).addr() as u64);
            loop {
                match dict.next(&mut position) {
                    Some((key, _)) if key.downcast::<PyInt>().and_then(PyInt::as_u64) == Some(address) => {
                        break dict.remove(ts, &key).map(drop);
                    }
                    Some(_) => {}
                    None => break Ok(()),
                }
            }
        }
    };
    if let Err(raised) = removed {
        // A dead weak reference may stay; readers skip it.
        ts.clear_raised(raised);
    }
    if dict.is_empty()
        && let Some(slot) = subclasses_of(ts, base)
    {
        slot.set(None);
    }
    ts.current_exception.set(pending);
}

/// Takes all classes out of their bases' lists, and calls `f` with each base and class, in the order of their making.
pub(crate) fn take_families(
    ts: &ThreadState,
    f: &mut dyn FnMut(&PyTypeObject, &PyTypeObject) -> PyResult<()>,
) -> PyResult<()> {
    let mut bases = TryVec::<PyRef>::new();
    ts.interp().each_static_type(|typ| Ok::<(), Raised>(bases.try_push(typ.as_object().new_ref())?))?;
    let mut failed = Ok(());
    ts.interp().gc.for_each(&mut |object| {
        if failed.is_ok() && object.is_a::<PyTypeObject>() {
            failed = bases.try_push(object.new_ref());
        }
    });
    failed?;
    for base in bases.iter() {
        let base = base.cast::<PyTypeObject>();
        let Some(dict) = subclasses_of(ts, base).and_then(Slot::take) else { continue };
        let mut position = 0;
        while let Some((_, reference)) = dict.next(&mut position) {
            if let Some(reference) = reference.downcast::<PyWeakref>()
                && let Some(class) = weakref::target(reference)
            {
                f(base, class.cast::<PyTypeObject>())?;
            }
        }
    }
    Ok(())
}

/// Calls `f` with each living direct subclass; `f` does not add or remove subclasses.
pub fn for_each_subclass(
    ts: &ThreadState,
    typ: &PyTypeObject,
    f: &mut dyn FnMut(&PyTypeObject) -> PyResult<()>,
) -> PyResult<()> {
    // Built-in types are in no list: each knows its bases.
    if typ.as_static_type().is_some() {
        ts.interp().each_static_type(
            |other| {
                if ready::is_direct_base(other, typ) { f(&other.object) } else { Ok(()) }
            },
        )?;
    }
    let Some(dict) = subclasses_of(ts, typ).and_then(|slot| slot.get()) else { return Ok(()) };
    let mut position = 0;
    while let Some((_, reference)) = dict.next(&mut position) {
        if let Some(reference) = reference.downcast::<PyWeakref>()
            && let Some(subclass) = weakref::target(reference)
            && let Some(subclass) = subclass.downcast::<PyTypeObject>()
        {
            f(subclass)?;
        }
    }
    Ok(())
}

/// The living direct subclasses, owned, in the order of their making.
pub fn subclasses(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<TryVec<PyRef>> {
    let mut list = TryVec::new();
    for_each_subclass(ts, typ, &mut |subclass| Ok(list.try_push(subclass.new_ref())?))?;
    Ok(list)
}

/// Says that the class's attributes have changed: caches of it and of its subclasses do not hold any more.
pub fn modified(ts: &ThreadState, typ: &PyTypeObject) {
    if typ.tp_version_tag.get() == 0 {
        // A subclass with a tag would have given one to this class.
        return;
    }
    if typ.as_static_type().is_some() {
        // Built-in types keep their tags: they do not change.
        return;
    }
    typ.tp_version_tag.set(0);
    let _ = for_each_subclass(ts, typ, &mut |subclass| {
        modified(ts, subclass);
        Ok(())
    });
}

/// Decides the slots anew after the attribute `name` has changed, in the class and in those subclasses
/// that do not have the attribute themselves; all slots of all of them for `None`.
pub fn update_slots(ts: &ThreadState, typ: &PyTypeObject, name: Option<&PyStr>) -> PyResult<()> {
    if typ.is_heap_type() {
        slotupdate::update_slots(ts, typ, name);
    }
    for_each_subclass(ts, typ, &mut |subclass| {
        if let Some(name) = name
            && let Some(dict) = subclass.dict(ts)
            && dict.get_str(ts, name)?.is_some()
        {
            return Ok(());
        }
        update_slots(ts, subclass, name)
    })
}
