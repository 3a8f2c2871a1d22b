//! `property`.

use crate::object::call::{Args, Signature};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::classmethod::is_marked_abstract;
use crate::types::dict::qualified_type_name;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::{id, native, raise};

use core::cell::Cell;

/// A property.
#[repr(C)]
pub struct PyProperty {
    ob_base: PyObject,
    fget: Slot<PyObject>,
    fset: Slot<PyObject>,
    fdel: Slot<PyObject>,
    doc: Slot<PyObject>,
    name: Slot<PyObject>,
    /// The docstring came from the getter, and goes with it.
    getter_doc: Cell<bool>,
}

native!(PyProperty, PROPERTY_TYPE);
owns!(PyProperty: fget, fset, fdel, doc, name);

/// `property`.
#[unsafe(export_name = "PyProperty_Type")]
pub static PROPERTY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"property",
    basicsize: size_of::<PyProperty>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\nAn attribute that is got, set and deleted by functions.\n\n\
          fget gets the value from the instance, fset sets it, fdel deletes it; what is None\nis not allowed. As a \
          decorator, property makes the decorated function the getter;\nthe methods getter, setter and deleter make \
          properties with another function.",
    slots: TypeSlots {
        dealloc: Some(PyProperty::slot_dealloc),
        traverse: Some(PyProperty::slot_traverse),
        clear: Some(PyProperty::slot_clear),
        descr_get: Some(property_get),
        descr_set: Some(property_set),
        init: Some(property_init),
        new: Some(property_new),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("getter", getter, "A copy of the property with another getter."),
        MethodDef::one("setter", setter, "A copy of the property with another setter."),
        MethodDef::one("deleter", deleter, "A copy of the property with another deleter."),
        MethodDef::positional(
            "__set_name__",
            set_name,
            "__set_name__($self, owner, name, /)\n--\n\nNotes the attribute's name.",
        ),
    ],
    getset: &[
        GetSetDef::field("fget", |ts, this| Ok(value_or_none(ts, &fields(this).fget)), ""),
        GetSetDef::field("fset", |ts, this| Ok(value_or_none(ts, &fields(this).fset)), ""),
        GetSetDef::field("fdel", |ts, this| Ok(value_or_none(ts, &fields(this).fdel)), ""),
        GetSetDef::field_set("__doc__", |ts, this| Ok(value_or_none(ts, &fields(this).doc)), set_doc, ""),
        GetSetDef::get_set("__name__", get_name_attribute, set_name_attribute, ""),
        GetSetDef::get("__isabstractmethod__", is_abstract, ""),
    ],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&PROPERTY_TYPE];

impl PyProperty {
    /// The getter; None when there is none.
    #[inline]
    pub fn fget(&self) -> Option<PyRef> {
        self.fget.get()
    }
}

fn fields(this: &PyObject) -> &PyProperty {
    this.cast()
}

fn value_or_none(ts: &ThreadState, slot: &Slot<PyObject>) -> PyRef {
    slot.get().unwrap_or_else(|| ts.none())
}

fn property_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let property = alloc::object::<PyProperty>(ts, typ)?;
    gc::track(ts, &*property);
    Ok(property.into_object())
}

fn given(value: Option<&PyObject>) -> Option<PyRef> {
    value.filter(|value| !is_none(value)).map(|value| value.new_ref())
}

fn property_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<4> = Signature::new("property", ["fget", "fset", "fdel", "doc"], 0, 4, 0);
    let [fget, fset, fdel, doc] = SIGNATURE.parse(ts, args)?;
    let this = fields(object);
    let fget = given(fget);
    this.fget.set(fget.clone());
    this.fset.set(given(fset));
    this.fdel.set(given(fdel));
    this.doc.set(None);
    this.name.set(None);
    this.getter_doc.set(false);
    let mut doc = given(doc);
    if doc.is_none()
        && let Some(fget) = &fget
        && let Some(found) = attr::get_opt(ts, fget, id!(__doc__))?
    {
        doc = Some(found).filter(|doc| !is_none(doc));
        this.getter_doc.set(doc.is_some());
    }
    if core::ptr::eq(object.ob_type(), &PROPERTY_TYPE.object) {
        this.doc.set(doc);
        return Ok(());
    }
    // A subclass has its class's `__doc__` before this type's: the docstring goes into the instance, if that can be.
    let from_getter = this.getter_doc.get();
    if from_getter || doc.is_some() {
        let doc = doc.unwrap_or_else(|| ts.none());
        let result = attr::set(ts, object, id!(__doc__), &doc);
        if from_getter {
            // A docstring that the getter brings along must find its place; one that was given may be dropped.
            result?;
        } else {
            ts.catch(result, &exc::AttributeError)?;
        }
    } else {
        let none = ts.none();
        let result = attr::set(ts, object, id!(__doc__), &none);
        ts.catch(result, &exc::AttributeError)?;
    }
    Ok(())
}

/// The attribute's name: as noted, or the getter's.
fn name_of(ts: &ThreadState, this: &PyProperty) -> PyResult<Option<PyRef>> {
    if let Some(name) = this.name.get() {
        return Ok(Some(name));
    }
    match this.fget.get() {
        Some(fget) => attr::get_opt(ts, &fget, id!(__name__)),
        None => Ok(None),
    }
}

#[cold]
fn not_allowed<T>(ts: &ThreadState, this: &PyProperty, object: &PyObject, what: &str) -> PyResult<T> {
    let class = match attr::get_opt(ts, object.ob_type().as_object(), id!(__qualname__))? {
        Some(name) => protocol::repr(ts, &name)?,
        None => qualified_type_name(ts, object)?,
    };
    match name_of(ts, this)? {
        Some(name) => {
            let name = protocol::repr(ts, &name)?;
            raise!(ts, exc::AttributeError, "property {} of {} object has no {what}", &*name, &*class)
        }
        None => raise!(ts, exc::AttributeError, "property of {} object has no {what}", &*class),
    }
}

fn property_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance.filter(|instance| !is_none(instance)) else { return Ok(this.new_ref()) };
    // SAFETY: slot of this type.
    let property = unsafe { this.cast_unchecked::<PyProperty>() };
    match property.fget.get() {
        Some(fget) => call::call_with(ts, &fget, &[instance]),
        None => not_allowed(ts, property, instance, "getter"),
    }
}

fn property_set(ts: &ThreadState, this: &PyObject, instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    // SAFETY: slot of this type.
    let property = unsafe { this.cast_unchecked::<PyProperty>() };
    match value {
        Some(value) => match property.fset.get() {
            Some(fset) => call::call_with(ts, &fset, &[instance, value]).map(drop),
            None => not_allowed(ts, property, instance, "setter"),
        },
        None => match property.fdel.get() {
            Some(fdel) => call::call_with(ts, &fdel, &[instance]).map(drop),
            None => not_allowed(ts, property, instance, "deleter"),
        },
    }
}

fn copy(
    ts: &ThreadState,
    this: &PyObject,
    fget: Option<&PyObject>,
    fset: Option<&PyObject>,
    fdel: Option<&PyObject>,
) -> PyResult {
    let old = fields(this);
    let replace = |new: Option<&PyObject>, old: &Slot<PyObject>| match new {
        Some(new) if !is_none(new) => new.new_ref(),
        _ => value_or_none(ts, old),
    };
    let new_get = replace(fget, &old.fget);
    let new_set = replace(fset, &old.fset);
    let new_del = replace(fdel, &old.fdel);
    // A docstring that came from the getter is taken from the new getter.
    let doc = if old.getter_doc.get() && !is_none(&new_get) { ts.none() } else { value_or_none(ts, &old.doc) };
    let typ = this.ob_type();
    let new = call::call_with(ts, typ.as_object(), &[&new_get, &new_set, &new_del, &doc])?;
    if let Some(new) = new.downcast::<PyProperty>() {
        new.name.set(old.name.get());
    }
    Ok(new)
}

fn getter(ts: &ThreadState, this: &PyObject, function: &PyObject) -> PyResult {
    copy(ts, this, Some(function), None, None)
}

fn setter(ts: &ThreadState, this: &PyObject, function: &PyObject) -> PyResult {
    copy(ts, this, None, Some(function), None)
}

fn deleter(ts: &ThreadState, this: &PyObject, function: &PyObject) -> PyResult {
    copy(ts, this, None, None, Some(function))
}

fn set_name(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let &[_, name] = args else {
        return raise!(ts, exc::TypeError, "__set_name__() takes 2 positional arguments but {} were given", args.len());
    };
    fields(this).name.set(Some(name.new_ref()));
    Ok(ts.none())
}

fn set_doc(_ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    fields(this).doc.set(value.map(PyRef::from_borrowed));
    Ok(())
}

fn get_name_attribute(ts: &ThreadState, this: &PyObject) -> PyResult {
    match name_of(ts, fields(this))? {
        Some(name) => Ok(name),
        None => raise!(ts, exc::AttributeError, "'property' object has no attribute '__name__'"),
    }
}

fn set_name_attribute(_ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    fields(this).name.set(value.map(PyRef::from_borrowed));
    Ok(())
}

fn is_abstract(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = fields(this);
    for function in [this.fget.get(), this.fset.get(), this.fdel.get()].into_iter().flatten() {
        if is_marked_abstract(ts, &function)? {
            return Ok(py_bool(true));
        }
    }
    Ok(py_bool(false))
}
