//! `super`: attributes of the classes behind a class in an object's method resolution order.

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::code::{KIND_CELL, KIND_FREE};
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// A super object.
#[repr(C)]
pub struct PySuper {
    ob_base: PyObject,
    class: Slot<PyTypeObject>,
    this: Slot<PyObject>,
    /// The class in whose order the search goes.
    this_class: Slot<PyTypeObject>,
}

native!(PySuper, SUPER_TYPE);
owns!(PySuper: class, this, this_class);

/// `super`.
#[unsafe(export_name = "PySuper_Type")]
pub static SUPER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"super",
    basicsize: size_of::<PySuper>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "super() -> what comes behind the class of the method that runs\nsuper(type) -> unbound\nsuper(type, obj) -> \
          bound to an instance of the type\nsuper(type, type2) -> bound to a subclass of the type",
    slots: TypeSlots {
        dealloc: Some(PySuper::slot_dealloc),
        traverse: Some(PySuper::slot_traverse),
        repr: Some(super_repr),
        getattro: Some(super_getattro),
        descr_get: Some(super_descr_get),
        init: Some(super_init),
        new: Some(super_new),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::field(
            "__thisclass__",
            |ts, this| Ok(class_or_none(ts, &this.cast::<PySuper>().class)),
            "the class invoking super()",
        ),
        GetSetDef::field(
            "__self__",
            |ts, this| Ok(this.cast::<PySuper>().this.get().unwrap_or_else(|| ts.none())),
            "the object that the attributes are bound to; may be None",
        ),
        GetSetDef::field(
            "__self_class__",
            |ts, this| Ok(class_or_none(ts, &this.cast::<PySuper>().this_class)),
            "the class of that object; may be None",
        ),
    ],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&SUPER_TYPE];

fn class_or_none(ts: &ThreadState, slot: &Slot<PyTypeObject>) -> PyRef {
    slot.get().map_or_else(|| ts.none(), |class| class.into_object())
}

/// Finds the class in whose order `super(class, this)` searches.
fn check(ts: &ThreadState, class: &PyTypeObject, this: &PyObject) -> PyResult<Ref<PyTypeObject>> {
    if let Some(derived) = this.downcast::<PyTypeObject>()
        && derived.is_subtype(class)
        && (!core::ptr::eq(derived, class) || is_in_own_order(ts, derived))
    {
        return Ok(Ref::from_borrowed(derived));
    }
    if this.ob_type().is_subtype(class) {
        return Ok(Ref::from_borrowed(this.ob_type()));
    }
    // A proxy may say that it is of another class than it is.
    if let Some(said) = attr::get_opt(ts, this, id!(__class__))?
        && let Some(said) = said.downcast::<PyTypeObject>()
        && !core::ptr::eq(said, this.ob_type())
        && said.is_subtype(class)
    {
        return Ok(Ref::from_borrowed(said));
    }
    let (kind, name) = match this.downcast::<PyTypeObject>() {
        Some(derived) => ("type", derived.full_name()),
        None => ("instance of", this.ob_type().full_name()),
    };
    raise!(
        ts,
        exc::TypeError,
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        class.full_name()
    )
}

/// False for a class whose metaclass has left it out of its order.
fn is_in_own_order(ts: &ThreadState, class: &PyTypeObject) -> bool {
    class.mro(ts).is_none_or(|order| order.items().iter().any(|item| core::ptr::addr_eq(*item, class)))
}

/// Searches behind `class` in `this_class`'s order; the attribute as it stands in the dictionary.
fn find(ts: &ThreadState, class: &PyTypeObject, this_class: &PyTypeObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    // The attribute `__class__` of a super object is its own.
    if name.equals(id!(__class__)) {
        return Ok(None);
    }
    let Some(order) = this_class.mro(ts) else { return Ok(None) };
    let mut behind = order.items().iter().skip_while(|item| !core::ptr::addr_eq(**item, class));
    behind.next();
    for item in behind {
        let Some(dict) = item.downcast::<PyTypeObject>().and_then(|item| item.dict(ts)) else { continue };
        if let Some(found) = dict.get_str(ts, name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn bind(ts: &ThreadState, found: PyRef, this: &PyObject, this_class: &PyTypeObject) -> PyResult {
    match found.ob_type().slots().descr_get {
        Some(get) => {
            // Bound to the class itself there is no instance.
            let instance = Some(this).filter(|this| !core::ptr::addr_eq(*this, this_class));
            get(ts, &found, instance, Some(this_class.as_object()))
        }
        None => Ok(found),
    }
}

/// `super(class, this).name` without a super object. With `wants_method`, a function is not bound: the second
/// result is what it is to be called with.
pub fn lookup(
    ts: &ThreadState,
    class: &PyTypeObject,
    this: &PyObject,
    name: &PyStr,
    wants_method: bool,
) -> PyResult<(PyRef, Option<PyRef>)> {
    let this_class = check(ts, class, this)?;
    match find(ts, class, &this_class, name)? {
        Some(found) => {
            if wants_method
                && found.ob_type().has_flag(flags::METHOD_DESCRIPTOR)
                && !core::ptr::addr_eq(this, &*this_class)
            {
                return Ok((found, Some(this.new_ref())));
            }
            Ok((bind(ts, found, this, &this_class)?, None))
        }
        None => {
            let proxy = make(ts, &SUPER_TYPE)?;
            let fields = proxy.cast::<PySuper>();
            fields.class.set(Some(Ref::from_borrowed(class)));
            fields.this.set(Some(this.new_ref()));
            fields.this_class.set(Some(this_class));
            Ok((attr::generic_get(ts, &proxy, name)?, None))
        }
    }
}

fn make(ts: &ThreadState, typ: &PyTypeObject) -> PyResult {
    let object = alloc::object::<PySuper>(ts, typ)?;
    gc::track(ts, &*object);
    Ok(object.into_object())
}

fn super_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    make(ts, typ)
}

fn super_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let args = args.no_keywords(ts, "super")?;
    call::check_count(ts, "super", args.len(), 0, 2)?;
    let (class, this) = match args {
        [] => {
            let (class, this) = from_frame(ts)?;
            (class, Some(this))
        }
        [class, rest @ ..] => {
            let Some(class) = class.downcast::<PyTypeObject>() else {
                return raise!(ts, exc::TypeError, "super() argument 1 must be a type, not {}", class.type_name());
            };
            (Ref::from_borrowed(class), rest.first().filter(|this| !is_none(this)).map(|this| this.new_ref()))
        }
    };
    let this_class = match &this {
        Some(this) => Some(check(ts, &class, this)?),
        None => None,
    };
    let fields = object.cast::<PySuper>();
    fields.class.set(Some(class));
    fields.this.set(this);
    fields.this_class.set(this_class);
    Ok(())
}

/// The class and the first argument of the method that runs, for `super()`.
fn from_frame(ts: &ThreadState) -> PyResult<(Ref<PyTypeObject>, PyRef)> {
    let Some(frame) = crate::vm::frame::current(ts) else {
        return raise!(ts, exc::RuntimeError, "super(): no current frame");
    };
    let code = frame.code();
    if code.co_argcount == 0 {
        return raise!(ts, exc::RuntimeError, "super(): no arguments");
    }
    let local = |index: usize| {
        // SAFETY: the frame's locals are owned references or null, and the index is one of the code's.
        unsafe { (*frame.localsplus().add(index)).as_ref() }.map(|object| object.new_ref())
    };
    let kinds = code.kinds();
    let mut first = local(0);
    if kinds.first().is_some_and(|kind| kind & KIND_CELL != 0)
        && let Some(cell) = &first
        && let Some(cell) = cell.downcast_exact::<PyCell>()
    {
        // Before the cell is made, the argument itself is there.
        first = cell.get();
    }
    let Some(first) = first else {
        return raise!(ts, exc::RuntimeError, "super(): arg[0] deleted");
    };
    for (index, kind) in kinds.iter().enumerate() {
        if kind & KIND_FREE == 0 || !code.local_name(index).equals(id!(__class__)) {
            continue;
        }
        let Some(cell) = local(index) else {
            return raise!(ts, exc::RuntimeError, "super(): bad __class__ cell");
        };
        let Some(cell) = cell.downcast_exact::<PyCell>() else {
            return raise!(ts, exc::RuntimeError, "super(): bad __class__ cell");
        };
        let Some(class) = cell.get() else {
            return raise!(ts, exc::RuntimeError, "super(): empty __class__ cell");
        };
        return match class.downcast_into::<PyTypeObject>() {
            Ok(class) => Ok((class, first)),
            Err(other) => {
                raise!(ts, exc::RuntimeError, "super(): __class__ is not a type ({})", other.type_name())
            }
        };
    }
    raise!(ts, exc::RuntimeError, "super(): __class__ cell not found")
}

fn super_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let this = object.cast::<PySuper>();
    if let (Some(class), Some(instance), Some(this_class)) = (this.class.get(), this.this.get(), this.this_class.get())
        && let Some(found) = find(ts, &class, &this_class, name)?
    {
        return bind(ts, found, &instance, &this_class);
    }
    attr::generic_get(ts, object, name)
}

fn super_descr_get(
    ts: &ThreadState,
    object: &PyObject,
    instance: Option<&PyObject>,
    _owner: Option<&PyObject>,
) -> PyResult {
    let this = object.cast::<PySuper>();
    let Some(instance) = instance.filter(|instance| !is_none(instance)) else { return Ok(object.new_ref()) };
    if this.this.is_some() {
        return Ok(object.new_ref());
    }
    let Some(class) = this.class.get() else {
        return raise!(ts, exc::RuntimeError, "super(): uninitialized super object");
    };
    let typ = object.ob_type();
    if !core::ptr::eq(typ, &SUPER_TYPE.object) {
        // A subclass binds by being called, as it may have its own ideas of that.
        return call::call_with(ts, typ.as_object(), &[class.as_object(), instance]);
    }
    let this_class = check(ts, &class, instance)?;
    let bound = make(ts, &SUPER_TYPE)?;
    let fields = bound.cast::<PySuper>();
    fields.class.set(Some(class));
    fields.this.set(Some(instance.new_ref()));
    fields.this_class.set(Some(this_class));
    Ok(bound)
}

fn super_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PySuper>();
    let class = this.class.get();
    let class = class.as_ref().map_or("NULL", |class| class.full_name());
    let text = match this.this_class.get() {
        Some(this_class) => {
            PyStr::format(ts, format_args!("<super: <class '{class}'>, <{} object>>", this_class.full_name()))?
        }
        None => PyStr::format(ts, format_args!("<super: <class '{class}'>, NULL>"))?,
    };
    Ok(text.into_object())
}
