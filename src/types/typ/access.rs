//! Attributes of classes: `Class.name`, and setting and deleting them.

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

use super::update;

/// `tp_getattro` of `type`.
pub fn type_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    // SAFETY: slot of `type`.
    let typ = unsafe { object.cast_unchecked::<PyTypeObject>() };
    match find(ts, typ, name)? {
        Some(value) => Ok(value),
        None => no_attribute(ts, typ, name),
    }
}

#[inline]
fn find(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    let metatype = typ.as_object().ob_type();
    let meta_attribute = attr::lookup_type(ts, metatype, name);
    let mut meta_get = None;
    if let Some(attribute) = &meta_attribute {
        let slots = attribute.ob_type().slots();
        meta_get = slots.descr_get;
        if let Some(get) = meta_get
            && slots.descr_set.is_some()
        {
            return get(ts, attribute, Some(typ.as_object()), Some(metatype.as_object())).map(Some);
        }
    }
    if let Some(attribute) = attr::lookup_type(ts, typ, name) {
        return match attribute.ob_type().slots().descr_get {
            Some(get) => get(ts, &attribute, None, Some(typ.as_object())).map(Some),
            None => Ok(Some(attribute)),
        };
    }
    match (meta_attribute, meta_get) {
        (Some(attribute), Some(get)) => {
            get(ts, &attribute, Some(typ.as_object()), Some(metatype.as_object())).map(Some)
        }
        (found, _) => Ok(found),
    }
}

#[cold]
fn no_attribute<T>(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> PyResult<T> {
    let raised = ts
        .raise_fmt(&exc::AttributeError, format_args!("type object '{}' has no attribute '{}'", typ.full_name(), name));
    Err(exc::add_attribute_context(ts, raised, typ.as_object(), name))
}

/// `tp_setattro` of `type`.
pub fn type_setattro(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    // SAFETY: slot of `type`.
    let typ = unsafe { object.cast_unchecked::<PyTypeObject>() };
    if typ.has_flag(flags::IMMUTABLE) {
        let name = protocol::repr(ts, name.as_object())?;
        return raise!(ts, exc::TypeError, "cannot set {} attribute of immutable type '{}'", &*name, typ.full_name());
    }
    let metatype = object.ob_type();
    if let Some(attribute) = attr::lookup_type(ts, metatype, name)
        && let Some(set) = attribute.ob_type().slots().descr_set
    {
        return set(ts, &attribute, object, value);
    }
    set_own(ts, typ, name, value)
}

/// Sets or deletes an attribute in the class's dictionary, past the metaclass, and tells the subclasses.
pub fn set_own(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    // Names of exact type are interned, so that caches can compare addresses.
    let name =
        if name.is_exact() { PyStr::intern_ref(ts, Ref::from_borrowed(name))? } else { Ref::from_borrowed(name) };
    let Some(dict) = typ.dict(ts) else { return no_attribute(ts, typ, &name) };
    // The cached values are borrowed from the dictionary: the tag goes before the value does.
    update::modified(ts, typ);
    match value {
        Some(value) => dict.set(ts, name.as_object(), value)?,
        None => {
            if dict.remove(ts, name.as_object())?.is_none() {
                return no_attribute(ts, typ, &name);
            }
        }
    }
    // What the old value's end has looked up is out of date again.
    update::modified(ts, typ);
    if slotupdate::is_special(&name) {
        update::update_slots(ts, typ, Some(&name))?;
    }
    Ok(())
}
