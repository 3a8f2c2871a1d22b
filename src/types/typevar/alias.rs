//! `typing.TypeAliasType`: what `type Name = …` makes.

use crate::object::call::{Args, Signature};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::genericalias;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::types::union::type_or;
use crate::{id, native, raise};

use super::generic::{const_evaluator, no_default};
use super::{evaluated, is_type_param, unpack, unpack_typevartuples};

/// A type alias.
#[repr(C)]
pub struct PyTypeAlias {
    ob_base: PyObject,
    name: Slot<PyObject>,
    type_params: Slot<PyTuple>,
    compute_value: Slot<PyObject>,
    value: Slot<PyObject>,
    module: Slot<PyObject>,
}

native!(PyTypeAlias, TYPE_ALIAS_TYPE);
owns!(PyTypeAlias: name, type_params, compute_value, value, module);

/// `typing.TypeAliasType`.
pub static TYPE_ALIAS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.TypeAliasType",
    basicsize: size_of::<PyTypeAlias>(),
    flags: flags::HAVE_GC,
    doc: "TypeAliasType(name, value, *, type_params=())\n--\n\nA name for a type, as the type statement makes it.",
    slots: TypeSlots {
        dealloc: Some(PyTypeAlias::slot_dealloc),
        traverse: Some(PyTypeAlias::slot_traverse),
        clear: Some(PyTypeAlias::slot_clear),
        repr: Some(|ts, this| Ok(name_of(ts, this))),
        iter: Some(alias_iter),
        nb_or: Some(type_or),
        mp_subscript: Some(alias_subscript),
        new: Some(alias_new),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", |ts, this| Ok(name_of(ts, this)), "")],
    getset: &[
        GetSetDef::get("__name__", |ts, this| Ok(name_of(ts, this)), ""),
        GetSetDef::get(
            "__value__",
            |ts, this| {
                let this = this.cast::<PyTypeAlias>();
                evaluated(ts, &this.value, &this.compute_value, || ts.none())
            },
            "",
        ),
        GetSetDef::get("evaluate_value", evaluate_value, ""),
        GetSetDef::get("__type_params__", |_, this| Ok(type_params(this).into_object()), ""),
        GetSetDef::get(
            "__parameters__",
            |ts, this| Ok(unpack_typevartuples(ts, &type_params(this))?.into_object()),
            "",
        ),
        GetSetDef::get("__module__", alias_module, ""),
    ],
    ..TypeSpec::EMPTY
});

fn name_of(ts: &ThreadState, this: &PyObject) -> PyRef {
    this.cast::<PyTypeAlias>().name.get().unwrap_or_else(|| ts.none())
}

fn type_params(this: &PyObject) -> Ref<PyTuple> {
    this.cast::<PyTypeAlias>().type_params.get().unwrap_or_else(PyTuple::empty)
}

/// `type Name[params] = value`, from the instruction's tuple of name, parameters and a function for the value.
pub fn type_alias(ts: &ThreadState, parts: &PyObject) -> PyResult {
    let Some(&[name, params, compute]) = parts.downcast::<PyTuple>().map(|parts| parts.items()) else {
        return raise!(ts, exc::SystemError, "a type alias is made of a tuple of three");
    };
    let alias = alloc::exact::<PyTypeAlias>(ts)?;
    alias.name.set(Some(name.new_ref()));
    alias.type_params.set(params.downcast::<PyTuple>().filter(|params| !params.is_empty()).map(Ref::from_borrowed));
    alias.compute_value.set(Some(compute.new_ref()));
    gc::track(ts, &*alias);
    Ok(alias.into_object())
}

fn alias_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("typealias", ["name", "value", "type_params"], 0, 2, 2);
    let [name, value, params] = SIGNATURE.parse(ts, args)?;
    let (Some(name), Some(value)) = (name, value) else {
        return raise!(ts, exc::TypeError, "typealias() missing a required argument");
    };
    if !name.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "typealias() argument 'name' must be str, not {}", name.type_name());
    }
    let params = match params {
        None => None,
        Some(params) => match params.downcast::<PyTuple>() {
            Some(params) => Some(params),
            None => return raise!(ts, exc::TypeError, "type_params must be a tuple"),
        },
    };
    if let Some(params) = params {
        check_params(ts, params)?;
    }
    let module = match crate::vm::frame::current_globals(ts) {
        Some(globals) => globals.get_str(ts, id!(__name__))?,
        None => None,
    };
    let alias = alloc::exact::<PyTypeAlias>(ts)?;
    alias.name.set(Some(name.new_ref()));
    alias.type_params.set(params.filter(|params| !params.is_empty()).map(Ref::from_borrowed));
    alias.value.set(Some(value.new_ref()));
    alias.module.set(module);
    gc::track(ts, &*alias);
    Ok(alias.into_object())
}

/// Type variables only, and none without a default behind one with it.
fn check_params(ts: &ThreadState, params: &PyTuple) -> PyResult<()> {
    let mut default_seen = false;
    for param in params.items() {
        if !is_type_param(param) {
            return raise!(ts, exc::TypeError, "Expected a type param, got {}", &*protocol::repr(ts, param)?);
        }
        let default = attr::get(ts, param, id!(__default__))?;
        if !default.is(no_default()) {
            default_seen = true;
        } else if default_seen {
            return raise!(
                ts,
                exc::TypeError,
                "non-default type parameter '{}' follows default type parameter",
                &*protocol::repr(ts, param)?
            );
        }
    }
    Ok(())
}

fn evaluate_value(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyTypeAlias>();
    match (this.compute_value.get(), this.value.get()) {
        (Some(compute), _) => Ok(compute),
        (None, Some(value)) => const_evaluator(ts, &value),
        (None, None) => Ok(ts.none()),
    }
}

fn alias_module(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyTypeAlias>();
    if let Some(module) = this.module.get() {
        return Ok(module);
    }
    let module = this.compute_value.get().and_then(|compute| compute.downcast::<PyFunction>()?.func_module.get());
    Ok(module.filter(|module| !is_none(module)).unwrap_or_else(|| ts.none()))
}

fn alias_subscript(ts: &ThreadState, this: &PyObject, args: &PyObject) -> PyResult {
    if !this.cast::<PyTypeAlias>().type_params.is_some() {
        return raise!(ts, exc::TypeError, "Only generic type aliases are subscriptable");
    }
    let args = match args.downcast::<PyTuple>() {
        Some(args) => Ref::from_borrowed(args),
        None => PyTuple::new(ts, &[args])?,
    };
    let args = unpack_typevartuples(ts, &args)?;
    genericalias::new(ts, this, args.as_object())
}

/// `*Alias` in a subscript.
fn alias_iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    let unpacked = unpack(ts, this)?;
    let one = PyTuple::new(ts, &[&unpacked])?;
    protocol::iter(ts, one.as_object())
}
