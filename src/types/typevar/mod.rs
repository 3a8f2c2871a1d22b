//! The native half of `typing`: type variables, type aliases, `Generic`, `NoDefault`.
//!
//! | file | what |
//! |---|---|
//! | `mod` | `TypeVar`, `ParamSpec`, `TypeVarTuple`, and what instructions make of them |
//! | `methods` | their methods and attributes |
//! | `paramspec` | `P.args` and `P.kwargs` |
//! | `alias` | `TypeAliasType` |
//! | `generic` | `Generic`, `NoDefault`, evaluators of constants |
//!
//! Bounds, constraints, defaults and values of aliases are evaluated when they are asked for: an
//! `evaluate_…` field has the function, the field beside it the result.

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::call::{Args, Signature};
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{NONE_TYPE, is_none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

pub mod alias;
pub mod generic;
mod methods;
pub mod paramspec;

pub use alias::{TYPE_ALIAS_TYPE, type_alias};
pub use generic::{NO_DEFAULT_TYPE, generic_type, no_default, subscript_generic};

/// A type variable of one of the three kinds; fields that a kind has no use for are empty.
#[repr(C)]
pub struct PyTypeParam {
    ob_base: PyObject,
    name: Slot<PyObject>,
    bound: Slot<PyObject>,
    evaluate_bound: Slot<PyObject>,
    constraints: Slot<PyObject>,
    evaluate_constraints: Slot<PyObject>,
    default: Slot<PyObject>,
    evaluate_default: Slot<PyObject>,
    dict: Slot<PyDict>,
    weakrefs: WeakrefList,
    covariant: Cell<bool>,
    contravariant: Cell<bool>,
    infer_variance: Cell<bool>,
}

native!(PyTypeParam, TYPEVAR_TYPE);

const COMMON: TypeSlots = TypeSlots {
    dealloc: Some(param_dealloc),
    traverse: Some(param_traverse),
    clear: Some(param_clear),
    nb_or: Some(param_or),
    ..TypeSlots::EMPTY
};

const SPEC: TypeSpec = TypeSpec {
    basicsize: size_of::<PyTypeParam>(),
    flags: flags::HAVE_GC,
    dictoffset: offset_of!(PyTypeParam, dict),
    weaklistoffset: offset_of!(PyTypeParam, weakrefs),
    values: &[ValueDef { name: "__module__", make: |ts| Ok(PyStr::intern(ts, "typing")?.into_object()) }],
    ..TypeSpec::EMPTY
};

/// `typing.TypeVar`.
pub static TYPEVAR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.TypeVar",
    doc: "A type variable: class C[T] and def f[T]() make one, and so does TypeVar('T').\n\nIts bound or its constraints \
          are evaluated when they are asked for.",
    slots: TypeSlots { new: Some(typevar_new), repr: Some(methods::variance_repr), ..COMMON },
    methods: methods::TYPEVAR_METHODS,
    getset: methods::TYPEVAR_GETSET,
    ..SPEC
});

/// `typing.ParamSpec`.
pub static PARAMSPEC_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.ParamSpec",
    doc: "A variable for the parameters of a callable: class C[**P] makes one, and so does ParamSpec('P').",
    slots: TypeSlots { new: Some(paramspec_new), repr: Some(methods::variance_repr), ..COMMON },
    methods: methods::PARAMSPEC_METHODS,
    getset: methods::PARAMSPEC_GETSET,
    ..SPEC
});

/// `typing.TypeVarTuple`.
pub static TYPEVARTUPLE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.TypeVarTuple",
    doc: "A variable for any number of types: class C[*Ts] makes one, and so does TypeVarTuple('Ts').",
    slots: TypeSlots {
        new: Some(typevartuple_new),
        repr: Some(methods::name_repr),
        iter: Some(methods::typevartuple_iter),
        nb_or: None,
        ..COMMON
    },
    methods: methods::TYPEVARTUPLE_METHODS,
    getset: methods::TYPEVARTUPLE_GETSET,
    ..SPEC
});

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[
    &TYPEVAR_TYPE,
    &PARAMSPEC_TYPE,
    &TYPEVARTUPLE_TYPE,
    &paramspec::PARAMSPEC_ARGS_TYPE,
    &paramspec::PARAMSPEC_KWARGS_TYPE,
    &alias::TYPE_ALIAS_TYPE,
    &generic::NO_DEFAULT_TYPE,
    &generic::CONST_EVALUATOR_TYPE,
];

/// The fields of a type variable of any kind.
fn fields(object: &PyObject) -> &PyTypeParam {
    debug_assert!(is_type_param(object));
    // SAFETY: called for objects of the three types only, which share the layout.
    unsafe { &*core::ptr::from_ref(object).cast::<PyTypeParam>() }
}

/// Whether the object is a type variable of one of the three kinds.
pub fn is_type_param(object: &PyObject) -> bool {
    let typ = object.ob_type();
    [&TYPEVAR_TYPE, &PARAMSPEC_TYPE, &TYPEVARTUPLE_TYPE].iter().any(|kind| core::ptr::eq(typ, &kind.object))
}

fn is_typevartuple(object: &PyObject) -> bool {
    core::ptr::eq(object.ob_type(), &TYPEVARTUPLE_TYPE.object)
}

unsafe fn param_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a type variable.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        param_clear(ts, &*object);
        fields(&*object).name.set(None);
        alloc::free(ts, object);
    }
}

fn param_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = fields(object);
    visitor.slot(&this.bound)?;
    visitor.slot(&this.evaluate_bound)?;
    visitor.slot(&this.constraints)?;
    visitor.slot(&this.evaluate_constraints)?;
    visitor.slot(&this.default)?;
    visitor.slot(&this.evaluate_default)?;
    visitor.slot(&this.dict)
}

fn param_clear(_ts: &ThreadState, object: &PyObject) {
    let this = fields(object);
    for slot in [
        &this.bound,
        &this.evaluate_bound,
        &this.constraints,
        &this.evaluate_constraints,
        &this.default,
        &this.evaluate_default,
    ] {
        slot.set(None);
    }
    this.dict.set(None);
}

/// `T | int`.
fn param_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let args = PyTuple::pair(ts, left, right)?;
    crate::types::union::from_args(ts, args.as_object())
}

fn make(ts: &ThreadState, typ: &'static StaticType, name: &PyObject) -> PyResult {
    // SAFETY: the size is that of an instance of each of the types, zeroed: empty slots.
    let object = unsafe { PyRef::from_owned(alloc::raw(ts, typ, size_of::<PyTypeParam>(), true)?) };
    fields(&object).name.set(Some(name.new_ref()));
    gc::track_in(ts, &object);
    Ok(object)
}

/// Gives a variable that a call has made the module of its caller.
fn set_module(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    let module = match crate::vm::frame::current_globals(ts) {
        Some(globals) => globals.get_str(ts, id!(__name__))?,
        None => None,
    };
    match module {
        Some(module) => attr::set(ts, object, id!(__module__), &module),
        // Code that is in no module.
        None => attr::set(ts, object, id!(__module__), crate::types::none::none()),
    }
}

/// Calls a function of the module `typing`.
pub(crate) fn call_typing(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult {
    let function = protocol::import_attr(ts, "typing", name)?;
    call::call_with(ts, &function, args)
}

fn type_check(ts: &ThreadState, arg: &PyObject, message: &str) -> PyResult {
    if is_none(arg) {
        return Ok(NONE_TYPE.as_object().new_ref());
    }
    let message = PyStr::new(ts, message)?;
    call_typing(ts, "_type_check", &[arg, message.as_object()])
}

/// `typing.Unpack[variable]`.
fn unpack(ts: &ThreadState, variable: &PyObject) -> PyResult {
    let unpack = protocol::import_attr(ts, "typing", "Unpack")?;
    protocol::getitem(ts, &unpack, variable)
}

/// The parameters with each TypeVarTuple unpacked.
fn unpack_typevartuples(ts: &ThreadState, params: &PyTuple) -> PyResult<Ref<PyTuple>> {
    if !params.items().iter().any(|param| is_typevartuple(param)) {
        return Ok(Ref::from_borrowed(params));
    }
    let mut unpacked = hognose_allocators::collections::TryVec::<PyRef>::new();
    for param in params.items() {
        unpacked.try_push(if is_typevartuple(param) { unpack(ts, param)? } else { param.new_ref() })?;
    }
    PyTuple::from_vec(ts, unpacked)
}

/// What a field is worth: its value, or what its evaluator says, which is kept; `otherwise` without either.
fn evaluated(
    ts: &ThreadState,
    value: &Slot<PyObject>,
    evaluate: &Slot<PyObject>,
    otherwise: impl FnOnce() -> PyRef,
) -> PyResult {
    if let Some(value) = value.get() {
        return Ok(value);
    }
    let Some(evaluate) = evaluate.get() else { return Ok(otherwise()) };
    // Format 1 asks for the value itself.
    let format = PyInt::from_i64(ts, 1)?;
    let made = call::call_with(ts, &evaluate, &[&format])?;
    value.set(Some(made.clone()));
    Ok(made)
}

// ---- what instructions make ----

/// `def f[T]`.
pub fn new_typevar(ts: &ThreadState, name: &PyObject) -> PyResult {
    let object = make(ts, &TYPEVAR_TYPE, name)?;
    fields(&object).infer_variance.set(true);
    Ok(object)
}

/// `def f[T: bound]`; the bound comes as a function.
pub fn typevar_with_bound(ts: &ThreadState, name: &PyObject, evaluate: &PyObject) -> PyResult {
    let object = new_typevar(ts, name)?;
    fields(&object).evaluate_bound.set(Some(evaluate.new_ref()));
    Ok(object)
}

/// `def f[T: (constraint, …)]`; the constraints come as a function.
pub fn typevar_with_constraints(ts: &ThreadState, name: &PyObject, evaluate: &PyObject) -> PyResult {
    let object = new_typevar(ts, name)?;
    fields(&object).evaluate_constraints.set(Some(evaluate.new_ref()));
    Ok(object)
}

/// `def f[**P]`.
pub fn new_paramspec(ts: &ThreadState, name: &PyObject) -> PyResult {
    let object = make(ts, &PARAMSPEC_TYPE, name)?;
    fields(&object).infer_variance.set(true);
    Ok(object)
}

/// `def f[*Ts]`.
pub fn new_typevartuple(ts: &ThreadState, name: &PyObject) -> PyResult {
    make(ts, &TYPEVARTUPLE_TYPE, name)
}

/// `def f[T = default]`; the default comes as a function. The variable is the result.
pub fn set_typeparam_default(ts: &ThreadState, param: &PyObject, evaluate: &PyObject) -> PyResult {
    if !is_type_param(param) {
        return raise!(ts, exc::TypeError, "Expected a type param, got {}", &*protocol::repr(ts, param)?);
    }
    fields(param).evaluate_default.set(Some(evaluate.new_ref()));
    Ok(param.new_ref())
}

// ---- what calls make ----

fn name_argument<'a>(ts: &ThreadState, class: &str, name: Option<&'a PyObject>) -> PyResult<&'a PyObject> {
    match name {
        Some(name) if name.is_a::<PyStr>() => Ok(name),
        Some(name) => {
            raise!(ts, exc::TypeError, "{class}() argument 'name' must be str, not {}", name.type_name())
        }
        None => raise!(ts, exc::TypeError, "{class}() missing required argument 'name' (pos 1)"),
    }
}

fn flag(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<bool> {
    match value {
        Some(value) => protocol::is_true(ts, value),
        None => Ok(false),
    }
}

fn set_variance(
    ts: &ThreadState,
    object: &PyObject,
    covariant: Option<&PyObject>,
    contravariant: Option<&PyObject>,
    infer: Option<&PyObject>,
) -> PyResult<()> {
    let (covariant, contravariant, infer) = (flag(ts, covariant)?, flag(ts, contravariant)?, flag(ts, infer)?);
    if covariant && contravariant {
        return raise!(ts, exc::ValueError, "Bivariant types are not supported.");
    }
    if infer && (covariant || contravariant) {
        return raise!(ts, exc::ValueError, "Variance cannot be specified with infer_variance.");
    }
    let this = fields(object);
    this.covariant.set(covariant);
    this.contravariant.set(contravariant);
    this.infer_variance.set(infer);
    Ok(())
}

fn set_default(object: &PyObject, default: Option<&PyObject>) {
    fields(object).default.set(Some(default.unwrap_or(no_default()).new_ref()));
}

fn typevar_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<6> = Signature::new(
        "typevar",
        ["name", "bound", "default", "covariant", "contravariant", "infer_variance"],
        0,
        1,
        0,
    );
    let positional = args.positional();
    let constraints = positional.get(1..).unwrap_or(&[]);
    // What is positional behind the name are constraints; the rest goes by name.
    let mut few = hognose_allocators::collections::TryVec::<&PyObject>::new();
    few.try_extend_from_slice(&positional[..positional.len().min(1)])?;
    few.try_extend_from_slice(&args.all()[args.len()..])?;
    let [name, bound, default, covariant, contravariant, infer] =
        SIGNATURE.parse(ts, Args::new(&few, args.keyword_names()))?;
    let name = name_argument(ts, "typevar", name)?;
    let object = make(ts, &TYPEVAR_TYPE, name)?;
    set_variance(ts, &object, covariant, contravariant, infer)?;
    let this = fields(&object);
    if let Some(bound) = bound.filter(|bound| !is_none(bound)) {
        this.bound.set(Some(type_check(ts, bound, "Bound must be a type.")?));
    }
    match constraints.len() {
        0 => {}
        1 => return raise!(ts, exc::TypeError, "A single constraint is not allowed"),
        _ if this.bound.is_some() => {
            return raise!(ts, exc::TypeError, "Constraints cannot be combined with bound=...");
        }
        _ => {
            let mut checked = hognose_allocators::collections::TryVec::<PyRef>::new();
            for constraint in constraints {
                checked.try_push(type_check(
                    ts,
                    constraint,
                    "TypeVar(name, constraint, ...): constraints must be types.",
                )?)?;
            }
            this.constraints.set(Some(PyTuple::from_vec(ts, checked)?.into_object()));
        }
    }
    set_default(&object, default);
    set_module(ts, &object)?;
    Ok(object)
}

fn paramspec_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<6> = Signature::new(
        "paramspec",
        ["name", "bound", "default", "covariant", "contravariant", "infer_variance"],
        0,
        1,
        1,
    );
    let [name, bound, default, covariant, contravariant, infer] = SIGNATURE.parse(ts, args)?;
    let name = name_argument(ts, "paramspec", name)?;
    let object = make(ts, &PARAMSPEC_TYPE, name)?;
    set_variance(ts, &object, covariant, contravariant, infer)?;
    if let Some(bound) = bound.filter(|bound| !is_none(bound)) {
        fields(&object).bound.set(Some(type_check(ts, bound, "Bound must be a type.")?));
    }
    set_default(&object, default);
    set_module(ts, &object)?;
    Ok(object)
}

fn typevartuple_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("typevartuple", ["name", "default"], 0, 1, 1);
    let [name, default] = SIGNATURE.parse(ts, args)?;
    let name = name_argument(ts, "typevartuple", name)?;
    let object = make(ts, &TYPEVARTUPLE_TYPE, name)?;
    set_default(&object, default);
    set_module(ts, &object)?;
    Ok(object)
}
