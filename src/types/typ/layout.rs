//! Memory layouts: which base gives an instance its layout, and when two layouts are the same.

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::object::OBJECT_TYPE;
use crate::types::tuple::PyTuple;

/// The nearest class, from `typ` on upwards, that adds something to its base's layout.
pub fn solid_base(typ: &PyTypeObject) -> &PyTypeObject {
    let mut at = typ;
    loop {
        let base = at.base().unwrap_or(&OBJECT_TYPE);
        if at.tp_basicsize.get() != base.tp_basicsize.get() || at.tp_itemsize.get() != base.tp_itemsize.get() {
            return at;
        }
        if core::ptr::eq(at, base) {
            return at;
        }
        at = base;
    }
}

/// The base whose layout instances of a class with these bases have.
pub fn best_base<'a>(ts: &ThreadState, bases: &'a PyTuple) -> PyResult<&'a PyTypeObject> {
    let mut best: Option<(&PyTypeObject, &PyTypeObject)> = None;
    for base in bases.items() {
        let Some(base) = base.downcast::<PyTypeObject>() else {
            return raise!(ts, exc::TypeError, "bases must be types");
        };
        if !base.has_flag(flags::BASETYPE) {
            return raise!(ts, exc::TypeError, "type '{}' is not an acceptable base type", base.full_name());
        }
        let candidate = solid_base(base);
        match best {
            None => best = Some((candidate, base)),
            Some((winner, _)) if winner.is_subtype(candidate) => {}
            Some((winner, _)) if candidate.is_subtype(winner) => best = Some((candidate, base)),
            Some(_) => {
                return raise!(ts, exc::TypeError, "multiple bases have instance lay-out conflict");
            }
        }
    }
    match best {
        Some((_, base)) => Ok(base),
        None => raise!(ts, exc::TypeError, "a class needs a base"),
    }
}

/// What stands before an instance or behind its fields.
const AROUND: usize = flags::MANAGED_DICT | flags::MANAGED_WEAKREF | flags::INLINE_VALUES | flags::HAVE_GC;

fn same_shape_as_base(typ: &PyTypeObject) -> bool {
    let Some(base) = typ.base() else { return false };
    typ.tp_basicsize.get() == base.tp_basicsize.get()
        && typ.tp_itemsize.get() == base.tp_itemsize.get()
        && typ.tp_dictoffset.get() == base.tp_dictoffset.get()
        && typ.tp_weaklistoffset.get() == base.tp_weaklistoffset.get()
        && typ.flags() & AROUND == base.flags() & AROUND
}

fn same_slots_added(a: &PyTypeObject, b: &PyTypeObject) -> bool {
    let (Some(a_heap), Some(b_heap)) = (a.as_heap_type(), b.as_heap_type()) else { return false };
    if a.tp_basicsize.get() != b.tp_basicsize.get() || a.tp_itemsize.get() != b.tp_itemsize.get() {
        return false;
    }
    let (a_slots, b_slots) = (a_heap.ht_slots.get(), b_heap.ht_slots.get());
    let names = |slots: &Option<Ref<PyTuple>>| slots.as_ref().map_or(0, |s| s.len());
    if names(&a_slots) != names(&b_slots) {
        return false;
    }
    match (a_slots, b_slots) {
        (Some(a_slots), Some(b_slots)) => a_slots.items().iter().zip(b_slots.items()).all(|(x, y)| {
            match (x.downcast::<crate::types::str::PyStr>(), y.downcast::<crate::types::str::PyStr>()) {
                (Some(x), Some(y)) => x.equals(y),
                _ => false,
            }
        }),
        _ => true,
    }
}

/// TypeError unless instances of `old` have the layout of instances of `new`; `what` is `__class__` or `__bases__`.
pub fn check_compatible(ts: &ThreadState, old: &PyTypeObject, new: &PyTypeObject, what: &str) -> PyResult<()> {
    if old.is_gc() != new.is_gc() {
        return raise!(
            ts,
            exc::TypeError,
            "{what} assignment: '{}' deallocator differs from '{}'",
            new.full_name(),
            old.full_name()
        );
    }
    let (mut old_base, mut new_base) = (old, new);
    while same_shape_as_base(new_base) {
        match new_base.base() {
            Some(base) => new_base = base,
            None => break,
        }
    }
    while same_shape_as_base(old_base) {
        match old_base.base() {
            Some(base) => old_base = base,
            None => break,
        }
    }
    let same = core::ptr::eq(old_base, new_base)
        || (match (old_base.base(), new_base.base()) {
            (Some(a), Some(b)) => core::ptr::eq(a, b),
            _ => false,
        } && same_slots_added(old_base, new_base));
    let around = old.flags() & AROUND == new.flags() & AROUND;
    if same && around {
        return Ok(());
    }
    raise!(
        ts,
        exc::TypeError,
        "{what} assignment: '{}' object layout differs from '{}'",
        new.full_name(),
        old.full_name()
    )
}
