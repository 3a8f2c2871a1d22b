//! `Generic`, `NoDefault`, and evaluators of values that are known already.

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::classmethod::classmethod;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::types::typ;
use crate::{id, native, raise};

use super::{call_typing, unpack_typevartuples};

/// The key of `Generic` in the interpreter's native state.
const GENERIC: &str = "typing.Generic";

/// `typing.Generic` of this interpreter: a class, as `typing` sets attributes of it.
pub fn generic_type(ts: &ThreadState) -> PyResult {
    let key = PyStr::intern(ts, GENERIC)?;
    let state = match ts.interp().native_state.get() {
        Some(state) => state,
        None => {
            let state = PyDict::new(ts)?;
            ts.interp().native_state.set(Some(state.clone()));
            state
        }
    };
    if let Some(generic) = state.get_str(ts, &key)? {
        return Ok(generic);
    }
    let dict = PyDict::new(ts)?;
    let module = PyStr::intern(ts, "typing")?;
    let doc =
        PyStr::new(ts, "The base of generic classes: class C[T] has it by itself, class C(Generic[T]) names it.")?;
    dict.set_str(ts, id!(__module__), module.as_object())?;
    dict.set_str(ts, id!(__doc__), doc.as_object())?;
    dict.set_str(ts, id!(__slots__), PyTuple::empty().as_object())?;
    for def in &GENERIC_METHODS {
        let name = PyStr::intern(ts, def.name)?;
        let function = PyBuiltinFunction::new(ts, def, None, None)?;
        dict.set_str(ts, &name, &*classmethod(ts, &function)?)?;
    }
    let generic = typ::new_class(ts, "Generic", &[], &dict)?;
    state.set_str(ts, &key, &generic)?;
    Ok(generic)
}

/// The class comes as the first argument: these functions are wrapped as class methods.
static GENERIC_METHODS: [MethodDef; 2] = [
    MethodDef::keywords(
        "__class_getitem__",
        |ts, _, args| forward(ts, "_generic_class_getitem", args),
        "Makes the class with these arguments for its type variables.",
    ),
    MethodDef::keywords(
        "__init_subclass__",
        |ts, _, args| forward(ts, "_generic_init_subclass", args),
        "Notes the type variables of a new generic class.",
    ),
];

fn forward(ts: &ThreadState, function: &str, args: Args<'_>) -> PyResult {
    let function = protocol::import_attr(ts, "typing", function)?;
    call::call(ts, &function, args)
}

/// `Generic[params]`, the base that `class C[params]` has.
pub fn subscript_generic(ts: &ThreadState, params: &PyObject) -> PyResult {
    let params = protocol::tuple_of(ts, params)?;
    let params = unpack_typevartuples(ts, &params)?;
    let generic = generic_type(ts)?;
    call_typing(ts, "_GenericAlias", &[&generic, params.as_object()])
}

// ---- NoDefault ----

/// `type(typing.NoDefault)`.
pub static NO_DEFAULT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.NoDefaultType",
    basicsize: size_of::<PyObject>(),
    doc: "The type of the NoDefault singleton.",
    slots: TypeSlots {
        dealloc: Some(no_default_dealloc),
        repr: Some(|ts, _| Ok(PyStr::intern(ts, "typing.NoDefault")?.into_object())),
        new: Some(no_default_new),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", |ts, _| Ok(PyStr::intern(ts, "NoDefault")?.into_object()), "")],
    ..TypeSpec::EMPTY
});

static NO_DEFAULT: PyObject = PyObject::immortal(&raw const NO_DEFAULT_TYPE.object);

/// `typing.NoDefault`.
#[inline]
pub fn no_default() -> &'static PyObject {
    &NO_DEFAULT
}

fn no_default_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "NoDefaultType takes no arguments");
    }
    Ok(no_default().new_ref())
}

unsafe fn no_default_dealloc(_ts: &ThreadState, object: *mut PyObject) {
    // C code may have given up one reference too many to the singleton.
    // SAFETY: the singleton is static.
    unsafe { (*object).ob_refcnt.set(header::IMMORTAL_REFCNT) };
}

// ---- evaluators ----

/// A function that returns one value, for whoever asks how a bound, a default or an alias is evaluated.
#[repr(C)]
pub struct PyConstEvaluator {
    ob_base: PyObject,
    value: Slot<PyObject>,
}

native!(PyConstEvaluator, CONST_EVALUATOR_TYPE);
owns!(PyConstEvaluator: value);

/// `_typing._ConstEvaluator`.
pub static CONST_EVALUATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_typing._ConstEvaluator",
    basicsize: size_of::<PyConstEvaluator>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "Returns the same value whenever it is called.",
    slots: TypeSlots {
        dealloc: Some(PyConstEvaluator::slot_dealloc),
        traverse: Some(PyConstEvaluator::slot_traverse),
        clear: Some(PyConstEvaluator::slot_clear),
        repr: Some(evaluator_repr),
        call: Some(evaluator_call),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// An evaluator that returns `value`.
pub fn const_evaluator(ts: &ThreadState, value: &PyObject) -> PyResult {
    let evaluator = alloc::exact::<PyConstEvaluator>(ts)?;
    evaluator.value.set(Some(value.new_ref()));
    gc::track(ts, &*evaluator);
    Ok(evaluator.into_object())
}

fn value_of(ts: &ThreadState, this: &PyObject) -> PyRef {
    this.cast::<PyConstEvaluator>().value.get().unwrap_or_else(|| ts.none())
}

fn evaluator_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let value = protocol::repr(ts, &value_of(ts, this))?;
    Ok(PyStr::format(ts, format_args!("<constevaluator {}>", &*value))?.into_object())
}

/// The format that asks for the value as source text.
const STRING_FORMAT: i32 = 4;

fn evaluator_call(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "constevaluator.__call__")?;
    call::check_count(ts, "constevaluator.__call__", args.len(), 1, 1)?;
    let value = value_of(ts, this);
    if protocol::as_i32(ts, args[0])? != STRING_FORMAT {
        return Ok(value);
    }
    let mut text = StrBuilder::new();
    match value.downcast::<PyTuple>() {
        Some(values) => {
            text.push_str("(")?;
            for (index, value) in values.items().iter().enumerate() {
                if index > 0 {
                    text.push_str(", ")?;
                }
                crate::types::genericalias::push_type_repr(ts, &mut text, value)?;
            }
            text.push_str(")")?;
        }
        None => crate::types::genericalias::push_type_repr(ts, &mut text, &value)?,
    }
    Ok(text.finish(ts)?.into_object())
}
