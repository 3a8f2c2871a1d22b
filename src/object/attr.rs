//! Attributes: look-up on types, the generic get and set, and methods about to be called.

use super::alloc::dict_slot;
use super::error::PyResult;
use super::flags;
use super::header::PyObject;
use super::instance;
use super::reference::{AsObject, PyRef};
use super::typeobj::PyTypeObject;
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use hognose_allocators::NoMemory;

/// A method about to be called.
pub enum Method {
    /// A function that wants the object as its first argument.
    Unbound(PyRef),
    /// Anything else that the attribute is.
    Bound(PyRef),
}

/// Looks a name up along the type's method resolution order, past the metatype and past descriptors
/// (`_PyType_Lookup`). Runs no Python code: names are strings, and so are the keys of type dictionaries.
#[inline]
pub fn lookup_type(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> Option<PyRef> {
    // SAFETY: cloned before anything can run.
    unsafe { lookup_type_borrowed(ts, typ, name) }.map(PyRef::from_borrowed)
}

/// [`lookup_type`] without counting.
///
/// # Safety
/// The result is used only until any code can run that might change the type.
#[inline(always)]
pub unsafe fn lookup_type_borrowed<'a>(
    ts: &'a ThreadState,
    typ: &'a PyTypeObject,
    name: &PyStr,
) -> Option<&'a PyObject> {
    match ts.interp().type_cache.find(typ, name) {
        Some(known) => known,
        // SAFETY: passed on to the caller.
        None => unsafe { lookup_slowly(ts, typ, name) },
    }
}

#[inline(never)]
unsafe fn lookup_slowly<'a>(ts: &'a ThreadState, typ: &'a PyTypeObject, name: &PyStr) -> Option<&'a PyObject> {
    let mro = typ.mro(ts)?;
    let mut found = None;
    let mut whole = true;
    for base in mro.items() {
        let base = base.cast::<PyTypeObject>();
        let Some(dict) = base.dict(ts) else {
            whole = false;
            continue;
        };
        // SAFETY: the dictionary belongs to a type that `typ` keeps alive, and the caller uses the
        // result only until the type can change.
        if let Some(value) = unsafe { dict.lookup_str(name) } {
            // SAFETY: as above; this unties the result from the counted reference to the dictionary.
            found = Some(unsafe { &*core::ptr::from_ref(value) });
            break;
        }
    }
    if whole && ts.interp().static_types_in_making.get() == 0 && assign_version(ts, typ) {
        ts.interp().type_cache.store(ts.heap(), typ, name, found);
    }
    found
}

/// Whether one type is among the bases of the other, or of those.
#[cold]
fn has_base(ts: &ThreadState, typ: &PyTypeObject, wanted: &PyTypeObject) -> bool {
    let Some(bases) = typ.bases(ts) else { return false };
    bases.items().iter().any(|base| {
        let base = base.cast::<PyTypeObject>();
        core::ptr::eq(base, wanted) || has_base(ts, base, wanted)
    })
}

/// How many version tags a class may use up: one that changes all the time is not worth caching.
const VERSIONS_PER_CLASS: u16 = 1000;

/// Gives the type a version tag if it has none; false when none is to be had.
pub fn assign_version(ts: &ThreadState, typ: &PyTypeObject) -> bool {
    if typ.tp_version_tag.get() != 0 {
        return true;
    }
    let Some(mro) = typ.mro(ts) else { return false };
    let plain = core::ptr::eq(typ.as_object().ob_type(), &*crate::types::typ::TYPE_TYPE);
    // A change of a base must reach this type, which it does only through a base with a tag.
    for base in mro.items().iter().skip(1) {
        let base = base.cast::<PyTypeObject>();
        // A metaclass's `mro()` may have put in what is no base, whose changes do not come here.
        if !plain && (core::ptr::eq(base, typ) || !has_base(ts, typ, base)) {
            return false;
        }
        if base.tp_version_tag.get() == 0 && !assign_version(ts, base) {
            return false;
        }
    }
    let next = ts.interp().versions().next_type.get();
    if next == u32::MAX || typ.tp_versions_used.get() >= VERSIONS_PER_CLASS {
        return false;
    }
    // Those of built-in types do not change.
    if typ.is_heap_type() {
        typ.tp_versions_used.set(typ.tp_versions_used.get() + 1);
    }
    ts.interp().versions().next_type.set(next + 1);
    typ.tp_version_tag.set(next);
    true
}

/// `object.name` (`PyObject_GetAttr`).
#[inline]
pub fn get(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    match object.ob_type().slots().getattro {
        Some(slot) => match slot(ts, object, name) {
            // A class's own `__getattr__` may have said nothing of the place.
            Err(raised) => Err(exc::add_attribute_context(ts, raised, object, name)),
            found => found,
        },
        None => no_attribute(ts, object, name),
    }
}

/// `object.name`, or None where that raises AttributeError (`PyObject_GetOptionalAttr`).
pub fn get_opt(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    match object.ob_type().slots().getattro {
        Some(slot) if slot as usize == generic_get as *const () as usize => {
            let found = generic_get_opt(ts, object, name)?;
            if found.is_none() && ts.interp().static_type_failed.replace(false) {
                return Err(NoMemory.into());
            }
            Ok(found)
        }
        Some(slot) => {
            let result = slot(ts, object, name);
            ts.catch(result, &exc::AttributeError)
        }
        None => Ok(None),
    }
}

/// Whether the object has the attribute; only AttributeError counts as no.
pub fn has(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<bool> {
    Ok(get_opt(ts, object, name)?.is_some())
}

/// `object.name = value` (`PyObject_SetAttr`).
#[inline]
pub fn set(ts: &ThreadState, object: &PyObject, name: &PyStr, value: &PyObject) -> PyResult<()> {
    set_or_delete(ts, object, name, Some(value))
}

/// `del object.name` (`PyObject_DelAttr`).
pub fn delete(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<()> {
    set_or_delete(ts, object, name, None)
}

/// Sets the attribute, or deletes it.
#[inline]
pub fn set_or_delete(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    match object.ob_type().slots().setattro {
        Some(slot) => slot(ts, object, name, value),
        None => raise!(
            ts,
            exc::TypeError,
            "'{}' object has no attributes ({} .{})",
            object.type_name(),
            if value.is_some() { "assign to" } else { "del" },
            name
        ),
    }
}

/// The `tp_getattro` of ordinary objects (`PyObject_GenericGetAttr`).
pub fn generic_get(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    match generic_find(ts, object, name)? {
        Some(value) => Ok(value),
        None => no_attribute(ts, object, name),
    }
}

/// [`generic_get`] that says None instead of raising AttributeError (one raised by a descriptor counts).
pub fn generic_get_opt(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    let found = generic_find(ts, object, name);
    Ok(ts.catch(found, &exc::AttributeError)?.flatten())
}

/// The search behind [`generic_get`]: None when there is no such attribute anywhere.
fn generic_find(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    let typ = object.ob_type();
    let attribute = lookup_type(ts, typ, name);
    let mut getter = None;
    if let Some(attribute) = &attribute {
        getter = attribute.ob_type().slots().descr_get;
        if let Some(getter) = getter
            && attribute.ob_type().slots().descr_set.is_some()
        {
            return getter(ts, attribute, Some(object), Some(typ.as_object())).map(Some);
        }
    }
    if let Some(value) = instance_attribute(ts, object, name)? {
        return Ok(Some(value));
    }
    match attribute {
        Some(attribute) => match getter {
            Some(getter) => getter(ts, &attribute, Some(object), Some(typ.as_object())).map(Some),
            None => Ok(Some(attribute)),
        },
        None => Ok(None),
    }
}

/// The object's own attribute: from its inline values or its dictionary.
#[inline]
pub fn instance_attribute(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    if object.ob_type().has_flag(flags::INLINE_VALUES) {
        return instance::get_attr(ts, object, name);
    }
    match dict_slot(object).and_then(|slot| slot.get()) {
        Some(dict) => dict.get_str(ts, name),
        None => Ok(None),
    }
}

/// The `tp_setattro` of ordinary objects (`PyObject_GenericSetAttr`).
pub fn generic_set(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    let typ = object.ob_type();
    let attribute = lookup_type(ts, typ, name);
    if let Some(attribute) = &attribute
        && let Some(setter) = attribute.ob_type().slots().descr_set
    {
        return setter(ts, attribute, object, value);
    }
    if !has_instance_dict(object) {
        return cannot_set(ts, object, name, attribute.is_some(), value.is_none());
    }
    if instance::set_attr(ts, object, name, value)? {
        return Ok(());
    }
    no_attribute(ts, object, name)
}

fn has_instance_dict(object: &PyObject) -> bool {
    object.ob_type().has_flag(flags::INLINE_VALUES) || dict_slot(object).is_some()
}

#[cold]
fn cannot_set(ts: &ThreadState, object: &PyObject, name: &PyStr, known: bool, deleting: bool) -> PyResult<()> {
    let type_name = object.type_name();
    let raised = if known {
        ts.raise_fmt(&exc::AttributeError, format_args!("'{type_name}' object attribute '{name}' is read-only"))
    } else if object.ob_type().slots().setattro.is_some_and(|slot| slot as usize == generic_set as *const () as usize)
        && !deleting
    {
        ts.raise_fmt(
            &exc::AttributeError,
            format_args!("'{type_name}' object has no attribute '{name}' and no __dict__ for setting new attributes"),
        )
    } else {
        ts.raise_fmt(&exc::AttributeError, format_args!("'{type_name}' object has no attribute '{name}'"))
    };
    Err(exc::add_attribute_context(ts, raised, object, name))
}

/// Raises AttributeError: `'T' object has no attribute 'name'`, with `name` and `obj` for suggestions.
#[cold]
pub fn no_attribute<T>(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<T> {
    let raised =
        ts.raise_fmt(&exc::AttributeError, format_args!("'{}' object has no attribute '{}'", object.type_name(), name));
    Err(exc::add_attribute_context(ts, raised, object, name))
}

/// Looks a method up for a call: a plain function of the type is returned unbound, which spares the
/// bound method (`_PyObject_GetMethod`).
#[inline]
pub fn load_method(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Method> {
    let typ = object.ob_type();
    if typ.slots().getattro.is_none_or(|slot| slot as usize != generic_get as *const () as usize) {
        return get(ts, object, name).map(Method::Bound);
    }
    let attribute = lookup_type(ts, typ, name);
    let mut getter = None;
    let mut is_method = false;
    if let Some(attribute) = &attribute {
        let attribute_type = attribute.ob_type();
        if attribute_type.has_flag(flags::METHOD_DESCRIPTOR) {
            is_method = true;
        } else {
            getter = attribute_type.slots().descr_get;
            if let Some(getter) = getter
                && attribute_type.slots().descr_set.is_some()
            {
                return getter(ts, attribute, Some(object), Some(typ.as_object())).map(Method::Bound);
            }
        }
    }
    if let Some(value) = instance_attribute(ts, object, name)? {
        return Ok(Method::Bound(value));
    }
    match attribute {
        Some(attribute) if is_method => Ok(Method::Unbound(attribute)),
        Some(attribute) => match getter {
            Some(getter) => getter(ts, &attribute, Some(object), Some(typ.as_object())).map(Method::Bound),
            None => Ok(Method::Bound(attribute)),
        },
        None => no_attribute(ts, object, name),
    }
}

/// Looks a special method up on the object's type, past the instance (`_PyObject_LookupSpecial`).
pub fn lookup_special(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<Method>> {
    let typ = object.ob_type();
    let Some(attribute) = lookup_type(ts, typ, name) else { return Ok(None) };
    if attribute.ob_type().has_flag(flags::METHOD_DESCRIPTOR) {
        return Ok(Some(Method::Unbound(attribute)));
    }
    match attribute.ob_type().slots().descr_get {
        Some(getter) => Ok(Some(Method::Bound(getter(ts, &attribute, Some(object), Some(typ.as_object()))?))),
        None => Ok(Some(Method::Bound(attribute))),
    }
}

/// Looks a special method up and binds it: for where it is called later (`__exit__`).
pub fn bind_special(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    match lookup_special(ts, object, name)? {
        None => Ok(None),
        Some(Method::Bound(method)) => Ok(Some(method)),
        Some(Method::Unbound(function)) => {
            let typ = object.ob_type();
            match function.ob_type().slots().descr_get {
                Some(getter) => getter(ts, &function, Some(object), Some(typ.as_object())).map(Some),
                None => Ok(Some(function)),
            }
        }
    }
}

/// The instance's dictionary, made when it is missing; None when the type gives none (`_PyObject_GetDictPtr`).
pub fn instance_dict(ts: &ThreadState, object: &PyObject) -> PyResult<Option<super::Ref<PyDict>>> {
    if !has_instance_dict(object) {
        return Ok(None);
    }
    instance::get_dict(ts, object)
}

/// The `__dict__` getter of ordinary types.
pub fn get_dict_attribute(ts: &ThreadState, object: &PyObject) -> PyResult {
    match instance_dict(ts, object)? {
        Some(dict) => Ok(dict.into_object()),
        None => raise!(ts, exc::AttributeError, "'{}' object has no attribute '__dict__'", object.type_name()),
    }
}

/// The `__dict__` setter of ordinary types.
pub fn set_dict_attribute(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "cannot delete __dict__");
    };
    match value.downcast::<PyDict>() {
        Some(dict) => instance::set_dict(ts, object, Some(super::Ref::from_borrowed(dict))),
        None => {
            raise!(ts, exc::TypeError, "__dict__ must be set to a dictionary, not a '{}'", value.type_name())
        }
    }
}
