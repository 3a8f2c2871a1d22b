//! The attributes and methods of classes.

use hognose_allocators::collections::TryVec;

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::descr;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::mappingproxy::PyMappingProxy;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

use super::{TYPE_TYPE, layout, mro, new, update};

/// The methods of `type`.
pub const METHODS: &[MethodDef] = &[
    MethodDef::no_args("mro", mro::mro_method, "mro($self, /)\n--\n\nThe order in which bases are searched."),
    MethodDef::no_args(
        "__subclasses__",
        type_subclasses,
        "__subclasses__($self, /)\n--\n\nThe direct subclasses that live, as a list.",
    ),
    MethodDef::keywords(
        "__prepare__",
        type_prepare,
        "__prepare__($cls, name, bases, /, **kwds)\n--\n\nThe namespace that the class body fills",
    )
    .class(),
    MethodDef::one(
        "__instancecheck__",
        type_instancecheck,
        "__instancecheck__($self, instance, /)\n--\n\nWhether the object is an instance.",
    ),
    MethodDef::one(
        "__subclasscheck__",
        type_subclasscheck,
        "__subclasscheck__($self, subclass, /)\n--\n\nWhether the class is a subclass.",
    ),
    MethodDef::no_args("__dir__", type_dir, "__dir__($self, /)\n--\n\nThe names of the class and of its bases."),
    MethodDef::no_args("__sizeof__", type_sizeof, "__sizeof__($self, /)\n--\n\nHow many bytes the type takes."),
];

/// The computed attributes of `type`.
pub const GETSET: &[GetSetDef] = &[
    GetSetDef::get_set("__name__", get_name, set_name, ""),
    GetSetDef::get_set("__qualname__", get_qualname, set_qualname, ""),
    GetSetDef::get_set("__bases__", get_bases, set_bases, ""),
    GetSetDef::get("__mro__", get_mro, ""),
    GetSetDef::field("__base__", get_base, ""),
    GetSetDef::get_set("__module__", get_module, set_module, ""),
    GetSetDef::get_set("__abstractmethods__", get_abstractmethods, set_abstractmethods, ""),
    GetSetDef::get("__dict__", get_dict, ""),
    GetSetDef::get_set("__doc__", get_doc, set_doc, ""),
    GetSetDef::get("__text_signature__", get_text_signature, ""),
    GetSetDef::get_set("__annotations__", get_annotations, set_annotations, ""),
    GetSetDef::get_set("__annotate__", get_annotate, set_annotate, ""),
    GetSetDef::get_set("__type_params__", get_type_params, set_type_params, ""),
    GetSetDef::field("__basicsize__", |ts, this| PyInt::from_isize(ts, as_type(this).tp_basicsize.get()), ""),
    GetSetDef::field("__itemsize__", |ts, this| PyInt::from_isize(ts, as_type(this).tp_itemsize.get()), ""),
    GetSetDef::field("__flags__", |ts, this| new::flags_object(ts, as_type(this)), ""),
    GetSetDef::field("__weakrefoffset__", |ts, this| PyInt::from_isize(ts, as_type(this).tp_weaklistoffset.get()), ""),
    GetSetDef::field("__dictoffset__", |ts, this| PyInt::from_isize(ts, as_type(this).tp_dictoffset.get()), ""),
];

/// `__dict__` of the instances of a class that gives them a dictionary.
pub static INSTANCE_DICT: GetSetDef =
    GetSetDef::get_set("__dict__", attr::get_dict_attribute, set_instance_dict, "the instance's attributes");

/// A class's instances, unlike native objects, may lose their dictionary: they get an empty one. What a native base
/// gives its instances is set as that base sets it.
fn set_instance_dict(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let native = new::native_base(object.ob_type());
    if let Some(descriptor) = attr::lookup_type(ts, native, id!(__dict__)) {
        return match descriptor.ob_type().slots().descr_set {
            Some(set) => set(ts, &descriptor, object, value),
            None => {
                raise!(ts, exc::TypeError, "this __dict__ descriptor does not support '{}' objects", object.type_name())
            }
        };
    }
    match value {
        Some(_) => attr::set_dict_attribute(ts, object, value),
        None => instance::set_dict(ts, object, None),
    }
}

/// `__weakref__` of the instances of a class that gives them weak references.
pub static INSTANCE_WEAKREF: GetSetDef =
    GetSetDef::get("__weakref__", get_weakref, "the first weak reference to the object");

fn get_weakref(ts: &ThreadState, object: &PyObject) -> PyResult {
    match weakref::list_of(ts, object) {
        Some(list) => Ok(list.first().map_or_else(|| ts.none(), |first| first.new_ref())),
        None => raise!(ts, exc::AttributeError, "This object has no __weakref__"),
    }
}

fn as_type(this: &PyObject) -> &PyTypeObject {
    this.cast()
}

/// The value under a name in the class's own dictionary.
fn own(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    match typ.dict(ts) {
        Some(dict) => dict.get_str(ts, name),
        None => Ok(None),
    }
}

fn set_own(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr, value: &PyObject) -> PyResult<()> {
    update::modified(ts, typ);
    match typ.dict(ts) {
        Some(dict) => dict.set_str(ts, name, value)?,
        None => return raise!(ts, exc::SystemError, "a class without a dictionary"),
    }
    update::modified(ts, typ);
    Ok(())
}

fn remove_own(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> PyResult<bool> {
    update::modified(ts, typ);
    let removed = match typ.dict(ts) {
        Some(dict) => dict.remove_str(ts, name)?.is_some(),
        None => false,
    };
    update::modified(ts, typ);
    Ok(removed)
}

/// TypeError for classes that cannot be changed, and for deleting.
fn settable<'a>(
    ts: &ThreadState,
    typ: &PyTypeObject,
    value: Option<&'a PyObject>,
    name: &str,
) -> PyResult<&'a PyObject> {
    check_mutable(ts, typ, name)?;
    match value {
        Some(value) => {
            crate::modules::sys::auditing::event_with(ts, "object.__setattr__", || {
                Ok([typ.as_object().new_ref(), PyStr::intern(ts, name)?.into_object(), value.new_ref()])
            })?;
            Ok(value)
        }
        None => raise!(ts, exc::TypeError, "cannot delete '{name}' attribute of immutable type '{}'", typ.full_name()),
    }
}

fn check_mutable(ts: &ThreadState, typ: &PyTypeObject, name: &str) -> PyResult<()> {
    if typ.has_flag(flags::IMMUTABLE) {
        return raise!(ts, exc::TypeError, "cannot set '{name}' attribute of immutable type '{}'", typ.full_name());
    }
    Ok(())
}

// ---- names ----

fn get_name(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    match typ.as_heap_type().and_then(|heap_type| heap_type.ht_name.get()) {
        Some(name) => Ok(name.into_object()),
        None => Ok(PyStr::intern(ts, typ.name())?.into_object()),
    }
}

fn set_name(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__name__")?;
    let Some(name) = value.downcast::<PyStr>() else {
        return raise!(
            ts,
            exc::TypeError,
            "can only assign string to {}.__name__, not '{}'",
            typ.full_name(),
            value.type_name()
        );
    };
    let c_name = new::c_name(ts, name)?;
    let Some(heap_type) = typ.as_heap_type() else { return Ok(()) };
    typ.tp_name.set(c_name);
    let old = heap_type.ht_utf8_name.replace(c_name);
    if !old.is_null() {
        // SAFETY: the old text came from the mem domain, and `tp_name` does not point to it any more.
        unsafe { ts.heap().mem_free(old.cast()) };
    }
    heap_type.ht_name.set(Some(Ref::from_borrowed(name)));
    Ok(())
}

fn get_qualname(ts: &ThreadState, this: &PyObject) -> PyResult {
    match as_type(this).as_heap_type().and_then(|heap_type| heap_type.ht_qualname.get()) {
        Some(name) => Ok(name.into_object()),
        None => get_name(ts, this),
    }
}

fn set_qualname(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__qualname__")?;
    let Some(name) = value.downcast::<PyStr>() else {
        return raise!(
            ts,
            exc::TypeError,
            "can only assign string to {}.__qualname__, not '{}'",
            typ.full_name(),
            value.type_name()
        );
    };
    if let Some(heap_type) = typ.as_heap_type() {
        heap_type.ht_qualname.set(Some(Ref::from_borrowed(name)));
    }
    Ok(())
}

/// `type.__module__`.
pub fn get_module(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    if typ.is_heap_type() {
        return match own(ts, typ, id!(__module__))? {
            Some(module) => Ok(module),
            None => raise!(ts, exc::AttributeError, "__module__"),
        };
    }
    match typ.full_name().rsplit_once('.') {
        Some((module, _)) => Ok(PyStr::intern(ts, module)?.into_object()),
        None => Ok(id!(builtins).new_ref()),
    }
}

fn set_module(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__module__")?;
    set_own(ts, typ, id!(__module__), value)?;
    remove_own(ts, typ, id!(__firstlineno__))?;
    Ok(())
}

/// `<class 'module.Name'>`.
pub fn type_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    if !typ.is_heap_type() {
        return Ok(PyStr::format(ts, format_args!("<class '{}'>", typ.full_name()))?.into_object());
    }
    let qualname = get_qualname(ts, this)?;
    let qualname = protocol::str(ts, &qualname)?;
    let module = own(ts, typ, id!(__module__))?;
    let text = match module.and_then(|module| module.downcast_into::<PyStr>().ok()) {
        Some(module) if !module.equals(id!(builtins)) => {
            PyStr::format(ts, format_args!("<class '{}.{}'>", &*module, &*qualname))?
        }
        _ => PyStr::format(ts, format_args!("<class '{}'>", &*qualname))?,
    };
    Ok(text.into_object())
}

// ---- bases ----

fn get_bases(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(as_type(this).bases(ts).unwrap_or_else(PyTuple::empty).into_object())
}

fn get_mro(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(as_type(this).mro(ts).map_or_else(|| ts.none(), |order| order.into_object()))
}

fn get_base(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(as_type(this).base().map_or_else(|| ts.none(), |base| base.as_object().new_ref()))
}

fn set_bases(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__bases__")?;
    let name = typ.full_name();
    let Some(bases) = value.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "can only assign tuple to {name}.__bases__, not {}", value.type_name());
    };
    if bases.is_empty() {
        return raise!(ts, exc::TypeError, "can only assign non-empty tuple to {name}.__bases__, not ()");
    }
    for base in bases.items() {
        let Some(base) = base.downcast::<PyTypeObject>() else {
            return raise!(ts, exc::TypeError, "{name}.__bases__ must be tuple of classes, not '{}'", base.type_name());
        };
        if base.mro(ts).is_some_and(|order| order.items().iter().any(|class| class.is(this))) || reaches(ts, base, typ)?
        {
            return raise!(ts, exc::TypeError, "a __bases__ item causes an inheritance cycle");
        }
    }
    let new_base = layout::best_base(ts, bases)?;
    if let Some(old_base) = typ.base() {
        layout::check_compatible(ts, old_base, new_base, "__bases__")?;
    }
    let old_bases = typ.tp_bases.replace(Some(Ref::from_borrowed(bases)));
    let new_base_ref = new_base.as_object().new_ref();
    let old_base = typ.tp_base.replace(new_base_ref.into_ptr().cast());
    // SAFETY: the class owned a reference to its base.
    let old_base = unsafe { PyRef::from_owned_or_null(old_base.cast_mut().cast::<PyObject>()) };
    update::modified(ts, typ);
    let mut undo = TryVec::<(PyRef, Option<Ref<PyTuple>>)>::new();
    if let Err(raised) = update_orders(ts, typ, &mut undo) {
        // Back to what it was, unless somebody else has changed it meanwhile.
        let error = ts.take_raised(raised);
        // SAFETY: nothing runs while the bases are compared.
        let unchanged = unsafe { typ.tp_bases.borrow() }.is_some_and(|now| core::ptr::eq(now, bases));
        if unchanged {
            for (class, order) in undo.iter().rev() {
                class.cast::<PyTypeObject>().tp_mro.set(order.clone());
            }
            typ.tp_bases.set(old_bases);
            let failed = typ.tp_base.replace(old_base.map_or(core::ptr::null(), |base| base.into_ptr().cast()));
            // SAFETY: the reference was made above.
            drop(unsafe { PyRef::from_owned_or_null(failed.cast_mut().cast::<PyObject>()) });
        }
        update::modified(ts, typ);
        return Err(ts.restore_raised(error));
    }
    // A metaclass's `mro` may have set other bases meanwhile, and has then done what follows for them.
    let now = typ.bases(ts);
    let is_base = |base: &PyObject| now.as_ref().is_some_and(|now| now.items().iter().any(|class| class.is(base)));
    let unchanged = now.as_ref().is_some_and(|now| core::ptr::eq(&**now, bases));
    for base in old_bases.iter().flat_map(|old| old.items()) {
        if let Some(class) = base.downcast::<PyTypeObject>()
            && (unchanged || !is_base(base))
        {
            update::remove_subclass(ts, class, typ);
        }
    }
    if !unchanged {
        return Ok(());
    }
    for base in bases.items() {
        update::add_subclass(ts, base.cast(), typ)?;
    }
    update::modified(ts, typ);
    update::update_slots(ts, typ, None)
}

/// Whether a class is above another by the bases as they stand. The order of resolution may be of the time before an outer
/// assignment, which has set the bases already.
fn reaches(ts: &ThreadState, from: &PyTypeObject, typ: &PyTypeObject) -> PyResult<bool> {
    let mut seen = TryVec::<PyRef>::new();
    seen.try_push(from.as_object().new_ref())?;
    let mut next = 0;
    while let Some(class) = seen.get(next).cloned() {
        next += 1;
        if class.is(typ.as_object()) {
            return Ok(true);
        }
        let Some(bases) = class.cast::<PyTypeObject>().bases(ts) else { continue };
        for base in bases.items() {
            if base.is_a::<PyTypeObject>() && !seen.iter().any(|known| known.is(base)) {
                seen.try_push(base.new_ref())?;
            }
        }
    }
    Ok(false)
}

/// Computes the orders of a class and of all that are below it, noting what they were.
fn update_orders(
    ts: &ThreadState,
    typ: &PyTypeObject,
    undo: &mut TryVec<(PyRef, Option<Ref<PyTuple>>)>,
) -> PyResult<()> {
    ts.check_native_stack(" while setting the bases of a class")?;
    let order = mro::compute(ts, typ)?;
    undo.try_push((typ.as_object().new_ref(), typ.tp_mro.get()))?;
    typ.tp_mro.set(Some(order));
    for subclass in update::subclasses(ts, typ)?.iter() {
        update_orders(ts, subclass.cast(), undo)?;
    }
    Ok(())
}

fn type_subclasses(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(PyList::from_vec(ts, update::subclasses(ts, as_type(this))?)?.into_object())
}

// ---- the dictionary and what is in it ----

fn get_dict(ts: &ThreadState, this: &PyObject) -> PyResult {
    match as_type(this).dict(ts) {
        Some(dict) => Ok(PyMappingProxy::new(ts, dict.as_object())?.into_object()),
        None => Ok(ts.none()),
    }
}

fn get_doc(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    // The dictionary of `type` has this very attribute under the name.
    if let Some(typ) = typ.as_static_type()
        && !typ.spec.doc.is_empty()
    {
        return descr::doc_without_signature(ts, typ.spec.doc);
    }
    let Some(doc) = own(ts, typ, id!(__doc__))? else { return Ok(ts.none()) };
    match doc.ob_type().slots().descr_get {
        Some(get) => get(ts, &doc, None, Some(this)),
        None => Ok(doc),
    }
}

fn set_doc(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__doc__")?;
    set_own(ts, typ, id!(__doc__), value)
}

fn get_text_signature(ts: &ThreadState, this: &PyObject) -> PyResult {
    match as_type(this).as_static_type() {
        Some(typ) => descr::text_signature(ts, typ.object.name(), typ.spec.doc),
        None => Ok(ts.none()),
    }
}

fn get_abstractmethods(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    // `type` has a descriptor under the name, which is not what is asked for.
    let value = if core::ptr::eq(typ, &TYPE_TYPE.object) { None } else { own(ts, typ, id!(__abstractmethods__))? };
    match value {
        Some(value) => Ok(value),
        None => raise!(ts, exc::AttributeError, "__abstractmethods__"),
    }
}

fn set_abstractmethods(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let is_abstract = match value {
        Some(value) => {
            let is_abstract = protocol::is_true(ts, value)?;
            check_mutable(ts, typ, "__abstractmethods__")?;
            set_own(ts, typ, id!(__abstractmethods__), value)?;
            is_abstract
        }
        None => {
            if !remove_own(ts, typ, id!(__abstractmethods__))? {
                return raise!(ts, exc::AttributeError, "__abstractmethods__");
            }
            false
        }
    };
    typ.set_flag(flags::IS_ABSTRACT, is_abstract);
    Ok(())
}

fn unknown<T>(ts: &ThreadState, typ: &PyTypeObject, name: &str) -> PyResult<T> {
    raise!(ts, exc::AttributeError, "type object '{}' has no attribute '{name}'", typ.full_name())
}

fn bound(ts: &ThreadState, value: PyRef, typ: &PyTypeObject) -> PyResult {
    match value.ob_type().slots().descr_get {
        Some(get) => get(ts, &value, None, Some(typ.as_object())),
        None => Ok(value),
    }
}

fn get_annotate(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    if !typ.is_heap_type() {
        return unknown(ts, typ, "__annotate__");
    }
    let found = match own(ts, typ, id!(__annotate__))? {
        Some(found) => Some(found),
        None => own(ts, typ, id!(__annotate_func__))?,
    };
    match found {
        Some(annotate) => bound(ts, annotate, typ),
        None => {
            set_own(ts, typ, id!(__annotate_func__), none())?;
            Ok(ts.none())
        }
    }
}

fn set_annotate(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "cannot delete __annotate__ attribute");
    };
    check_mutable(ts, typ, "__annotate__")?;
    if !is_none(value) && !call::is_callable(value) {
        return raise!(ts, exc::TypeError, "__annotate__ must be callable or None");
    }
    set_own(ts, typ, id!(__annotate_func__), value)?;
    if !is_none(value) {
        remove_own(ts, typ, id!(__annotations_cache__))?;
    }
    Ok(())
}

fn get_annotations(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    if !typ.is_heap_type() {
        return unknown(ts, typ, "__annotations__");
    }
    let found = match own(ts, typ, id!(__annotations__))? {
        Some(found) => Some(found),
        None => own(ts, typ, id!(__annotations_cache__))?,
    };
    if let Some(annotations) = found {
        return bound(ts, annotations, typ);
    }
    let annotate = attr::get(ts, this, id!(__annotate__))?;
    let annotations = if call::is_callable(&annotate) {
        let one = PyInt::from_i64(ts, 1)?;
        let made = call::call_with(ts, &annotate, &[&one])?;
        if !made.is_a::<PyDict>() {
            return raise!(ts, exc::TypeError, "__annotate__() must return a dict, not {}", made.type_name());
        }
        made
    } else {
        PyDict::new(ts)?.into_object()
    };
    set_own(ts, typ, id!(__annotations_cache__), &annotations)?;
    Ok(annotations)
}

fn set_annotations(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    check_mutable(ts, typ, "__annotations__")?;
    match value {
        Some(value) => {
            let name = match own(ts, typ, id!(__annotations__))? {
                Some(_) => id!(__annotations__),
                None => id!(__annotations_cache__),
            };
            set_own(ts, typ, name, value)?;
        }
        None => {
            if !remove_own(ts, typ, id!(__annotations__))? && !remove_own(ts, typ, id!(__annotations_cache__))? {
                return raise!(ts, exc::AttributeError, "__annotations__");
            }
        }
    }
    remove_own(ts, typ, id!(__annotate_func__))?;
    remove_own(ts, typ, id!(__annotate__))?;
    Ok(())
}

fn get_type_params(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    if core::ptr::eq(typ, &TYPE_TYPE.object) {
        return Ok(PyTuple::empty().into_object());
    }
    Ok(own(ts, typ, id!(__type_params__))?.unwrap_or_else(|| PyTuple::empty().into_object()))
}

fn set_type_params(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let typ = as_type(this);
    let value = settable(ts, typ, value, "__type_params__")?;
    set_own(ts, typ, id!(__type_params__), value)
}

// ---- methods ----

fn type_prepare(ts: &ThreadState, _class: &PyObject, _args: Args<'_>) -> PyResult {
    Ok(PyDict::new(ts)?.into_object())
}

fn type_instancecheck(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    Ok(py_bool(protocol::is_instance_of_class(ts, object, this)?))
}

fn type_subclasscheck(ts: &ThreadState, this: &PyObject, derived: &PyObject) -> PyResult {
    Ok(py_bool(protocol::is_subclass_of_class(ts, derived, this)?))
}

fn type_dir(ts: &ThreadState, this: &PyObject) -> PyResult {
    let names = PyDict::new(ts)?;
    protocol::merged_class_dict(ts, &names, this)?;
    Ok(names.keys_list(ts)?.into_object())
}

fn type_sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let typ = as_type(this);
    let mut size = if typ.is_heap_type() { this.ob_type().basicsize() } else { size_of::<PyTypeObject>() };
    if let Some(keys) = instance::shared_keys(typ) {
        size += keys.byte_size();
    }
    PyInt::from_usize(ts, size)
}
