//! `type`: classes and what makes them.
//!
//! | file | what |
//! |---|---|
//! | `mod` | the type object, calling a class, the end of a class |
//! | `attributes` | `__name__`, `__bases__`, `__doc__` … |
//! | `access` | attribute look-up and assignment on classes |
//! | `new` | the `class` statement: from name, bases and namespace to a class |
//! | `slots_decl` | `__slots__` |
//! | `layout` | which base gives the memory layout; whether an object can change its class |
//! | `mro` | method resolution orders |
//! | `subtype` | the end, traversal and clearing of instances of classes |
//! | `update` | subclasses, and what they have to hear of |
//!
//! I1: a class is in the `subclasses` of each of its bases as a weak reference, until it ends.
//! I2: a class's instances are traversed and freed by `subtype`'s functions, which call those of the nearest
//!     native base; a native base is one whose `dealloc` is another function.

use core::ops::ControlFlow;

use crate::object::call::Args;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

pub mod access;
pub mod attributes;
pub mod layout;
pub mod mro;
pub mod new;
pub mod slots_decl;
pub mod subtype;
pub mod update;

pub use access::{type_getattro, type_setattro};
pub use new::{calculate_metaclass, new_class, type_new};
pub(crate) use update::take_families;
pub use update::{add_subclass, for_each_subclass, modified, remove_subclass};

/// `type`.
#[unsafe(export_name = "PyType_Type")]
pub static TYPE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"type",
    basicsize: size_of::<PyHeapType>(),
    itemsize: 40,
    flags: flags::BASETYPE | flags::HAVE_GC | flags::TYPE_SUBCLASS | flags::ITEMS_AT_END,
    dictoffset: core::mem::offset_of!(PyTypeObject, tp_dict),
    weaklistoffset: core::mem::offset_of!(PyTypeObject, tp_weaklist),
    doc: "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    slots: TypeSlots {
        dealloc: Some(type_dealloc),
        traverse: Some(type_traverse),
        clear: Some(type_clear),
        repr: Some(attributes::type_repr),
        call: Some(type_call),
        getattro: Some(type_getattro),
        setattro: Some(type_setattro),
        init: Some(type_init),
        new: Some(type_new),
        nb_or: Some(crate::types::union::type_or),
        ..TypeSlots::EMPTY
    },
    methods: attributes::METHODS,
    getset: attributes::GETSET,
    ..TypeSpec::EMPTY
});

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&TYPE_TYPE];

/// `Class(…)`: makes an instance and initializes it.
fn type_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    // SAFETY: slot of `type`.
    let typ = unsafe { callable.cast_unchecked::<PyTypeObject>() };
    if core::ptr::eq(typ, &TYPE_TYPE.object) {
        let count = args.len();
        if count == 1 && !args.has_keywords() {
            return Ok(args.positional()[0].ob_type().new_ref());
        }
        if count != 3 {
            return raise!(ts, exc::TypeError, "type() takes 1 or 3 arguments");
        }
    }
    let Some(new) = typ.slots().new else {
        return raise!(ts, exc::TypeError, "cannot create '{}' instances", typ.full_name());
    };
    let object = new(ts, typ, args)?;
    let made = object.ob_type();
    if !core::ptr::eq(made, typ) && !made.is_subtype(typ) {
        return Ok(object);
    }
    track_instance(ts, made, &object);
    if let Some(init) = made.slots().init {
        init(ts, &object, args)?;
    }
    Ok(object)
}

fn type_init(ts: &ThreadState, _this: &PyObject, args: Args<'_>) -> PyResult<()> {
    if args.len() == 1 && args.has_keywords() {
        return raise!(ts, exc::TypeError, "type.__init__() takes no keyword arguments");
    }
    if args.len() != 1 && args.len() != 3 {
        return raise!(ts, exc::TypeError, "type.__init__() takes 1 or 3 arguments");
    }
    Ok(())
}

/// Whether the object is a class (`PyType_Check`).
#[inline(always)]
pub fn is_type(object: &PyObject) -> bool {
    object.ob_type().has_flag(flags::TYPE_SUBCLASS)
}

/// Ends a class.
unsafe fn type_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a class; static types never come here.
    let typ = unsafe { (*object).cast_unchecked::<PyTypeObject>() };
    let Some(heap_type) = typ.as_heap_type() else { return };
    // SAFETY: the object is whole.
    gc::untrack(unsafe { &*object });
    weakref::clear_all(ts, typ.as_object());
    if let Some(bases) = typ.tp_bases.get() {
        for base in bases.items() {
            if let Some(base) = base.downcast::<PyTypeObject>() {
                remove_subclass(ts, base, typ);
            }
        }
    }
    typ.tp_version_tag.set(0);
    heap_type.ht_subclasses.set(None);
    heap_type.ht_slots.set(None);
    heap_type.ht_module.set(None);
    typ.tp_dict.set(None);
    typ.tp_mro.set(None);
    typ.tp_bases.set(None);
    instance::drop_shared_keys(ts, heap_type);
    let base = typ.tp_base.replace(core::ptr::null());
    // SAFETY: a class owns a reference to its base; the texts are of the mem domain.
    unsafe {
        if let Some(base) = PyRef::from_owned_or_null(base.cast_mut().cast::<PyObject>()) {
            base.release(ts);
        }
        let name = heap_type.ht_utf8_name.replace(core::ptr::null_mut());
        if !name.is_null() {
            ts.heap().mem_free(name.cast());
        }
        let doc = heap_type.ht_doc.replace(core::ptr::null_mut());
        if !doc.is_null() {
            ts.heap().mem_free(doc.cast());
        }
    }
    heap_type.ht_name.set(None);
    heap_type.ht_qualname.set(None);
    // SAFETY: the fields are empty.
    unsafe { alloc::free(ts, object) };
}

fn type_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: slot of `type`.
    let typ = unsafe { object.cast_unchecked::<PyTypeObject>() };
    let Some(heap_type) = typ.as_heap_type() else { return ControlFlow::Continue(()) };
    visitor.slot(&typ.tp_dict)?;
    visitor.slot(&typ.tp_mro)?;
    visitor.slot(&typ.tp_bases)?;
    if let Some(base) = typ.base() {
        visitor.object(base.as_object())?;
    }
    visitor.slot(&heap_type.ht_module)
}

fn type_clear(ts: &ThreadState, object: &PyObject) {
    // SAFETY: slot of `type`.
    let typ = unsafe { object.cast_unchecked::<PyTypeObject>() };
    let Some(heap_type) = typ.as_heap_type() else { return };
    // The base and the names stay: instances may still be freed through them.
    modified(ts, typ);
    if let Some(dict) = typ.tp_dict.get() {
        dict.clear(ts);
    }
    heap_type.ht_module.set(None);
    typ.tp_mro.set(None);
}

/// Hands a new instance of a class to the collector: the native base's instances may not be collected, those of
/// its subclasses are.
pub(crate) fn track_instance(ts: &ThreadState, made: &PyTypeObject, object: &PyObject) {
    if made.is_heap_type()
        && made.is_gc()
        && core::ptr::eq(object.ob_type(), made)
        && !made.has_flag(flags::TYPE_SUBCLASS)
        && !gc::is_tracked(object)
    {
        gc::track_in(ts, object);
    }
}
