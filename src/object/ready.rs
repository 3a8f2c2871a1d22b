//! Making types usable: inheritance of slots, dictionaries, method resolution orders.
//!
//! A static type is completed once per process ([`ready_static`] with its slots and flags). An interpreter's part of it,
//! dictionary, bases and order, is made when something first looks at it ([`make_dict`], [`make_order`]).

use core::sync::atomic::Ordering;

use super::def::{Binding, GetSetDef, MethodDef};
use super::error::{PyResult, Raised};
use super::reference::{AsObject, Ref};
use super::slotdefs::{SEQUENCE_DEFS, SLOT_DEFS, SlotDef};
use super::slots::TypeSlots;
use super::typeobj::{PyTypeObject, StaticType};
use super::{flags, gc};
use crate::state::{Runtime, ThreadState};
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::descr;
use crate::types::dict::PyDict;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Makes a built-in type usable in the current interpreter; does nothing when it is already.
pub fn ready_static(ts: &ThreadState, typ: &'static StaticType) -> PyResult<()> {
    if let Some(base) = base_of(typ) {
        ready_static(ts, base)?;
    }
    if let Some(mixin) = typ.spec.mixin {
        ready_static(ts, mixin)?;
    }
    ready_in_process(typ);
    ready_in_interpreter(ts, typ)
}

fn base_of(typ: &'static StaticType) -> Option<&'static StaticType> {
    match typ.spec.base {
        Some(base) => Some(base),
        None if core::ptr::eq(typ, &raw const crate::types::object::OBJECT_TYPE) => None,
        None => Some(&crate::types::object::OBJECT_TYPE),
    }
}

/// The part of [`ready_static`] that all interpreters share. Before the first type gets its dictionary, all the
/// types that dictionaries are made of need theirs.
///
/// Two interpreters may come here at once; a type that is not ready is no one's but that of who holds the lock.
pub fn ready_in_process(typ: &'static StaticType) {
    let _types = Runtime::get().types.lock();
    complete(typ);
}

/// The caller has `Runtime::types`.
fn complete(typ: &'static StaticType) {
    if typ.has_flag(flags::READY) {
        return;
    }
    typ.object.tp_cache.set(typ.slots.get());
    if let Some(base) = base_of(typ) {
        complete(base);
        typ.object.tp_base.set(&raw const base.object);
        // SAFETY: the type is not in use yet.
        inherit(&typ.object, &base.object, unsafe { typ.object.slots_mut() });
        if typ.basicsize() == 0 {
            typ.object.tp_basicsize.set(base.object.tp_basicsize.get());
        }
        if typ.itemsize() == 0 {
            typ.object.tp_itemsize.set(base.object.tp_itemsize.get());
        }
        if typ.object.tp_dictoffset.get() == 0 {
            typ.object.tp_dictoffset.set(base.object.tp_dictoffset.get());
        }
        if typ.object.tp_weaklistoffset.get() == 0 {
            typ.object.tp_weaklistoffset.set(base.object.tp_weaklistoffset.get());
        }
    }
    let count = &Runtime::get().static_type_count;
    if count.load(Ordering::Relaxed) == 0 {
        count.store(crate::lifecycle::image::ready_types_in_file(), Ordering::Relaxed);
    }
    let index = count.fetch_add(1, Ordering::Relaxed) as usize + 1;
    typ.object.tp_subclasses.set(core::ptr::without_provenance_mut(index));
    typ.object.tp_version_tag.set(index as u32);
    typ.object.set_flag(flags::READY | flags::VALID_VERSION_TAG, true);
}

/// Whether patterns take it for a sequence or a mapping: one of them, as the first base that says so.
pub fn inherit_pattern(typ: &PyTypeObject, base: &PyTypeObject) {
    if !typ.has_flag(flags::SEQUENCE | flags::MAPPING) {
        let pattern = base.flags() & (flags::SEQUENCE | flags::MAPPING);
        typ.tp_flags.set(typ.tp_flags.get() | pattern as core::ffi::c_ulong);
    }
}

/// Fills in what `typ` takes over from its (first) base.
pub fn inherit(typ: &PyTypeObject, base: &PyTypeObject, slots: &mut TypeSlots) {
    let from = *base.slots();
    typ.tp_flags.set(typ.tp_flags.get() | (base.flags() & flags::INHERITED) as core::ffi::c_ulong);
    inherit_pattern(typ, base);
    // Comparison and hash go together: a type that defines one of them has lost the other.
    if slots.richcompare.is_none() && slots.hash.is_none() {
        slots.richcompare = from.richcompare;
        slots.hash = from.hash;
    } else if slots.hash.is_none() && !typ.is_heap_type() {
        slots.hash = Some(super::slotdefs::hash_not_implemented);
    }
    if !typ.is_gc() && base.is_gc() && slots.traverse.is_none() && slots.clear.is_none() {
        typ.set_flag(flags::HAVE_GC, true);
    }
    if slots.traverse.is_none() && slots.clear.is_none() {
        slots.traverse = from.traverse;
        slots.clear = from.clear;
    }
    // `object`'s own `__new__` is not for types that say nothing and cannot be made.
    let new = slots.new;
    slots.inherit_simple(&from);
    if new.is_none() && typ.has_flag(flags::DISALLOW_INSTANTIATION) && !typ.is_heap_type() {
        slots.new = None;
    }
}

/// Enters a type among those of the interpreter. Its order and its dictionary are made when they are first asked
/// for: most programs look at few of the types.
fn ready_in_interpreter(ts: &ThreadState, typ: &'static StaticType) -> PyResult<()> {
    let index = typ.object.tp_subclasses.get().addr();
    ts.interp().add_static_type(index)?;
    match ts.interp().static_type(&typ.object) {
        Some(state) => {
            state.typ.set(Some(typ));
            Ok(())
        }
        None => Err(hognose_allocators::NoMemory.into()),
    }
}

/// What [`PyTypeObject::mro`] and [`PyTypeObject::bases`] give for a static type of this interpreter, made now. None
/// without the memory for it, which the next exception says (see [`note_failure`]).
#[cold]
pub fn make_order(ts: &ThreadState, typ: &PyTypeObject) -> Option<()> {
    let state = ts.interp().static_type(typ)?;
    let typ = state.typ.get().filter(|_| !ts.interp().static_types_closed.get())?;
    let made = order_of(ts, typ).and_then(|order| Ok((order, bases_of(ts, typ)?)));
    match made {
        Ok((order, bases)) => {
            let state = ts.interp().static_type(&typ.object)?;
            state.mro.set(Some(order));
            state.bases.set(Some(bases));
            Some(())
        }
        Err(raised) => note_failure(ts, raised),
    }
}

/// What [`PyTypeObject::dict`] gives for a static type of this interpreter, made now; None as for [`make_order`].
#[cold]
pub fn make_dict(ts: &ThreadState, typ: &PyTypeObject) -> Option<Ref<PyDict>> {
    let interp = ts.interp();
    let state = interp.static_type(typ)?;
    let typ = state.typ.get().filter(|_| !interp.static_types_closed.get())?;
    // What is looked up meanwhile is not to be remembered: the dictionary is not whole.
    interp.static_types_in_making.set(interp.static_types_in_making.get() + 1);
    let pending = ts.current_exception.take();
    let room = typ.spec.methods.len() + typ.spec.getset.len() + typ.spec.values.len() + 4;
    // Looked up each time: another type that becomes ready meanwhile may move the states.
    let set = |dict: Option<Ref<PyDict>>| {
        if let Some(state) = interp.static_type(&typ.object) {
            state.dict.set(dict);
        }
    };
    let made = PyDict::with_capacity(ts, room, true).and_then(|dict| {
        set(Some(dict.clone()));
        fill(ts, typ, &dict)?;
        // It never changes, and what it holds refers to nothing but the type: a collection need not look there.
        gc::untrack(dict.as_object());
        let mut position = 0;
        while let Some((_, value)) = dict.next(&mut position) {
            if descr::is_descriptor(&value) {
                gc::untrack(&value);
            }
        }
        Ok(dict)
    });
    interp.static_types_in_making.set(interp.static_types_in_making.get() - 1);
    let result = match made {
        Ok(dict) => Some(dict),
        Err(raised) => {
            set(None);
            note_failure(ts, raised)
        }
    };
    ts.current_exception.set(pending);
    result
}

/// Who looks at a type cannot always raise. So the want of memory is kept: the exception that follows from what was
/// not found becomes a MemoryError.
fn note_failure<T>(ts: &ThreadState, raised: Raised) -> Option<T> {
    ts.clear_raised(raised);
    ts.interp().static_type_failed.set(true);
    None
}

fn order_of(ts: &ThreadState, typ: &'static StaticType) -> PyResult<Ref<PyTuple>> {
    let object: &PyTypeObject = &typ.object;
    let Some(base) = base_of(typ) else { return PyTuple::new(ts, &[object.as_object()]) };
    let Some(of_base) = base.object.mro(ts) else { return Err(hognose_allocators::NoMemory.into()) };
    let of_mixin = match typ.spec.mixin {
        Some(mixin) => match mixin.object.mro(ts) {
            Some(order) => order,
            None => return Err(hognose_allocators::NoMemory.into()),
        },
        None => PyTuple::empty(),
    };
    // What both bases have in common comes last.
    let only_base = || of_base.items().iter().filter(|item| !of_mixin.items().iter().any(|other| other.is(item)));
    let tuple = PyTuple::uninit(ts, 1 + only_base().count() + of_mixin.len())?;
    // SAFETY: each place of the new tuple is filled once.
    unsafe {
        tuple.set_item(0, object.as_object().new_ref());
        for (place, item) in only_base().chain(of_mixin.items()).enumerate() {
            tuple.set_item(place + 1, item.new_ref());
        }
    }
    Ok(tuple)
}

fn bases_of(ts: &ThreadState, typ: &'static StaticType) -> PyResult<Ref<PyTuple>> {
    match (base_of(typ), typ.spec.mixin) {
        (None, _) => Ok(PyTuple::empty()),
        (Some(base), Some(mixin)) => PyTuple::pair(ts, base.object.as_object(), mixin.object.as_object()),
        (Some(base), None) => PyTuple::new(ts, &[base.object.as_object()]),
    }
}

/// Whether `base` is a direct base of the built-in type.
pub fn is_direct_base(typ: &'static StaticType, base: &PyTypeObject) -> bool {
    base_of(typ).is_some_and(|own| core::ptr::eq(&own.object, base))
        || typ.spec.mixin.is_some_and(|mixin| core::ptr::eq(&mixin.object, base))
}

fn fill(ts: &ThreadState, typ: &'static StaticType, dict: &PyDict) -> PyResult<()> {
    let object: &PyTypeObject = &typ.object;
    let declared = &typ.spec.slots;
    add_wrappers(ts, object, declared, dict)?;
    if declared.new.is_some() {
        let new = PyBuiltinFunction::new_of_type(ts, object)?;
        dict.set(ts, crate::id!(__new__).as_object(), &new)?;
    }
    add_methods(ts, object, typ.spec.methods, dict)?;
    add_getset(ts, object, typ.spec.getset, dict)?;
    for value in typ.spec.values {
        let name = PyStr::intern(ts, value.name)?;
        let made = (value.make)(ts)?;
        dict.set(ts, name.as_object(), &made)?;
    }
    // A type that compares without hashing says so.
    if declared.richcompare.is_some() && declared.hash.is_none() {
        dict.set(ts, crate::id!(__hash__).as_object(), none())?;
    }
    if dict.get_str(ts, crate::id!(__doc__))?.is_none() {
        let doc = descr::doc_without_signature(ts, typ.spec.doc)?;
        dict.set(ts, crate::id!(__doc__).as_object(), &doc)?;
    }
    Ok(())
}

/// Puts a wrapper for each native slot of `slots` into the dictionary.
pub fn add_wrappers(ts: &ThreadState, typ: &PyTypeObject, slots: &TypeSlots, dict: &PyDict) -> PyResult<()> {
    for def in SLOT_DEFS.iter().chain(SEQUENCE_DEFS) {
        add_wrapper(ts, typ, slots, def, dict)?;
    }
    Ok(())
}

fn add_wrapper(
    ts: &ThreadState,
    typ: &PyTypeObject,
    slots: &TypeSlots,
    def: &'static SlotDef,
    dict: &PyDict,
) -> PyResult<()> {
    let raw = slots.word(def.offset);
    let name = def.name;
    if raw.is_null() || dict.get_str(ts, name)?.is_some() {
        return Ok(());
    }
    // `tp_hash` of the unhashable: `__hash__` is None.
    if core::ptr::eq(name, crate::id!(__hash__)) && raw == super::slotdefs::hash_not_implemented as *const () {
        return dict.set(ts, name.as_object(), none());
    }
    let wrapper = descr::PyWrapperDescr::new(ts, typ, def, raw)?;
    dict.set(ts, name.as_object(), &wrapper)
}

/// Puts methods into the dictionary.
pub fn add_methods(ts: &ThreadState, typ: &PyTypeObject, methods: &'static [MethodDef], dict: &PyDict) -> PyResult<()> {
    for method in methods {
        let name = PyStr::intern(ts, method.name)?;
        if method.binding == Binding::Instance && dict.get_str(ts, &name)?.is_some() {
            continue;
        }
        let object = match method.binding {
            Binding::Instance | Binding::Coexist => descr::method_descriptor(ts, typ, method)?,
            Binding::Class => descr::classmethod_descriptor(ts, typ, method)?,
            Binding::Static => {
                let function = PyBuiltinFunction::new(ts, method, Some(typ.as_object()), None)?;
                crate::types::classmethod::staticmethod(ts, &function)?
            }
        };
        dict.set(ts, name.as_object(), &object)?;
    }
    Ok(())
}

/// Puts computed attributes into the dictionary.
pub fn add_getset(ts: &ThreadState, typ: &PyTypeObject, getset: &'static [GetSetDef], dict: &PyDict) -> PyResult<()> {
    for def in getset {
        let name = PyStr::intern(ts, def.name)?;
        let object = descr::getset_descriptor(ts, typ, def)?;
        dict.set(ts, name.as_object(), &object)?;
    }
    Ok(())
}
