//! `classmethod` and `staticmethod`.

use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::method::PyMethod;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// A class method; a static method has the same form.
#[repr(C)]
pub struct PyClassMethod {
    ob_base: PyObject,
    callable: Slot<PyObject>,
    dict: Slot<PyDict>,
}

/// The same under the other type.
#[repr(C)]
pub struct PyStaticMethod(PyClassMethod);

native!(PyClassMethod, CLASSMETHOD_TYPE);
native!(PyStaticMethod, STATICMETHOD_TYPE);

const GETSET: &[GetSetDef] = &[
    GetSetDef::field("__func__", wrapped, ""),
    GetSetDef::field("__wrapped__", wrapped, ""),
    GetSetDef::get("__isabstractmethod__", is_abstract, ""),
    GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, ""),
    GetSetDef::get_set("__annotations__", get_annotations, set_annotations, ""),
    GetSetDef::get_set("__annotate__", get_annotate, set_annotate, ""),
];

/// `classmethod`.
#[unsafe(export_name = "PyClassMethod_Type")]
pub static CLASSMETHOD_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"classmethod",
    basicsize: size_of::<PyClassMethod>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    dictoffset: offset_of!(PyClassMethod, dict),
    doc: "classmethod(function, /)\n--\n\nMakes a function of a class body one that gets the class as its first argument,\n\
          however it is called.",
    slots: TypeSlots {
        descr_get: Some(classmethod_get),
        repr: Some(classmethod_repr),
        init: Some(classmethod_init),
        ..COMMON
    },
    methods: &[MethodDef::one("__class_getitem__", crate::types::genericalias::class_getitem, "").class()],
    getset: GETSET,
    ..TypeSpec::EMPTY
});

/// `staticmethod`.
#[unsafe(export_name = "PyStaticMethod_Type")]
pub static STATICMETHOD_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"staticmethod",
    basicsize: size_of::<PyClassMethod>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    dictoffset: offset_of!(PyClassMethod, dict),
    doc: "staticmethod(function, /)\n--\n\nMakes a function of a class body one that is not bound to anything.",
    slots: TypeSlots {
        descr_get: Some(staticmethod_get),
        repr: Some(staticmethod_repr),
        init: Some(staticmethod_init),
        call: Some(staticmethod_call),
        ..COMMON
    },
    methods: &[MethodDef::one("__class_getitem__", crate::types::genericalias::class_getitem, "").class()],
    getset: GETSET,
    ..TypeSpec::EMPTY
});

const COMMON: TypeSlots = TypeSlots {
    dealloc: Some(common_dealloc),
    traverse: Some(common_traverse),
    clear: Some(common_clear),
    new: Some(common_new),
    ..TypeSlots::EMPTY
};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&CLASSMETHOD_TYPE, &STATICMETHOD_TYPE];

/// `classmethod(function)`.
pub fn classmethod(ts: &ThreadState, function: &PyObject) -> PyResult {
    make(ts, &CLASSMETHOD_TYPE, function)
}

/// `staticmethod(function)`.
pub fn staticmethod(ts: &ThreadState, function: &PyObject) -> PyResult {
    make(ts, &STATICMETHOD_TYPE, function)
}

fn make(ts: &ThreadState, typ: &PyTypeObject, function: &PyObject) -> PyResult {
    let object = common_new(ts, typ, Args::NONE)?;
    fields(&object).callable.set(Some(function.new_ref()));
    Ok(object)
}

impl PyClassMethod {
    /// What is wrapped (for either type).
    pub fn callable(&self) -> Option<PyRef> {
        self.callable.get()
    }
}

fn fields(object: &PyObject) -> &PyClassMethod {
    // SAFETY: the functions of this file are slots of the two types only, whose instances have the same layout.
    unsafe { &*core::ptr::from_ref(object).cast::<PyClassMethod>() }
}

fn common_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let size = typ.basicsize() + instance::inline_size(typ);
    // SAFETY: the size is that of an instance, zeroed: empty slots.
    let object = unsafe { PyRef::from_owned(alloc::raw(ts, typ, size, true)?) };
    gc::track_in(ts, &object);
    Ok(object)
}

unsafe fn common_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an object of one of the types.
    unsafe {
        gc::untrack(&*object);
        let this = fields(&*object);
        this.callable.set(None);
        this.dict.set(None);
        alloc::free(ts, object);
    }
}

fn common_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = fields(object);
    visitor.slot(&this.callable)?;
    visitor.slot(&this.dict)
}

fn common_clear(_ts: &ThreadState, object: &PyObject) {
    let this = fields(object);
    this.callable.set(None);
    this.dict.set(None);
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>, name: &str) -> PyResult<()> {
    let args = args.no_keywords(ts, name)?;
    call::check_count(ts, name, args.len(), 1, 1)?;
    let callable = args[0];
    fields(object).callable.set(Some(callable.new_ref()));
    // It looks like the function that it wraps.
    for name in [id!(__module__), id!(__name__), id!(__qualname__), id!(__doc__)] {
        if let Some(value) = attr::get_opt(ts, callable, name)? {
            attr::set(ts, object, name, &value)?;
        }
    }
    Ok(())
}

fn classmethod_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    init(ts, object, args, "classmethod")
}

fn staticmethod_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    init(ts, object, args, "staticmethod")
}

fn callable_of(ts: &ThreadState, object: &PyObject, name: &str) -> PyResult {
    match fields(object).callable.get() {
        Some(callable) => Ok(callable),
        None => raise!(ts, exc::RuntimeError, "uninitialized {name} object"),
    }
}

fn classmethod_get(
    ts: &ThreadState,
    this: &PyObject,
    instance: Option<&PyObject>,
    owner: Option<&PyObject>,
) -> PyResult {
    let callable = callable_of(ts, this, "classmethod")?;
    let class = match (owner, instance) {
        (Some(owner), _) => owner,
        (None, Some(instance)) => instance.ob_type().as_object(),
        (None, None) => return Ok(callable),
    };
    Ok(PyMethod::new(ts, &callable, class)?.into_object())
}

fn staticmethod_get(
    ts: &ThreadState,
    this: &PyObject,
    _instance: Option<&PyObject>,
    _owner: Option<&PyObject>,
) -> PyResult {
    callable_of(ts, this, "staticmethod")
}

fn staticmethod_call(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let callable = callable_of(ts, this, "staticmethod")?;
    call::call(ts, &callable, args)
}

fn repr(ts: &ThreadState, object: &PyObject, name: &str) -> PyResult {
    ts.check_native_stack(" while getting the repr of an object")?;
    let callable = fields(object).callable.get().unwrap_or_else(|| ts.none());
    let callable = protocol::repr(ts, &callable)?;
    Ok(PyStr::format(ts, format_args!("<{name}({})>", &*callable))?.into_object())
}

fn classmethod_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    repr(ts, object, "classmethod")
}

fn staticmethod_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    repr(ts, object, "staticmethod")
}

fn wrapped(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(fields(object).callable.get().unwrap_or_else(|| ts.none()))
}

/// Whether a function or the like is marked as abstract (`_PyObject_IsAbstract`).
pub fn is_marked_abstract(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    match attr::get_opt(ts, object, id!(__isabstractmethod__))? {
        Some(flag) => protocol::is_true(ts, &flag),
        None => Ok(false),
    }
}

fn is_abstract(ts: &ThreadState, object: &PyObject) -> PyResult {
    match fields(object).callable.get() {
        Some(callable) => Ok(py_bool(is_marked_abstract(ts, &callable)?)),
        None => Ok(py_bool(false)),
    }
}

/// An attribute that is the wrapped function's until it is asked for or set.
fn get_through(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let Some(dict) = attr::instance_dict(ts, object)? else { return attr::no_attribute(ts, object, name) };
    if let Some(value) = dict.get_str(ts, name)? {
        return Ok(value);
    }
    let callable = callable_of(ts, object, object.type_name())?;
    let value = attr::get(ts, &callable, name)?;
    dict.set_str(ts, name, &value)?;
    Ok(value)
}

fn set_through(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    let Some(dict) = attr::instance_dict(ts, object)? else { return attr::no_attribute(ts, object, name) };
    match value {
        Some(value) => dict.set_str(ts, name, value),
        None => match dict.remove_str(ts, name)? {
            Some(_) => Ok(()),
            None => raise!(ts, exc::AttributeError, "'{}' object has no attribute '{name}'", object.type_name()),
        },
    }
}

fn get_annotations(ts: &ThreadState, object: &PyObject) -> PyResult {
    get_through(ts, object, id!(__annotations__))
}

fn set_annotations(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    set_through(ts, object, id!(__annotations__), value)
}

fn get_annotate(ts: &ThreadState, object: &PyObject) -> PyResult {
    get_through(ts, object, id!(__annotate__))
}

fn set_annotate(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    set_through(ts, object, id!(__annotate__), value)
}
