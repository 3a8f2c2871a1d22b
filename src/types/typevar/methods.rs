//! The methods and attributes of type variables.

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

use super::generic::{const_evaluator, no_default};
use super::paramspec;
use super::{PyTypeParam, call_typing, evaluated, fields, unpack};

const PREPARE_DOC: &str = "__typing_prepare_subst__($self, alias, args, /)\n--\n\n";

pub const TYPEVAR_METHODS: &[MethodDef] = &[
    MethodDef::one("__typing_subst__", |ts, this, arg| call_typing(ts, "_typevar_subst", &[this, arg]), ""),
    MethodDef::positional("__typing_prepare_subst__", typevar_prepare_subst, PREPARE_DOC),
    MethodDef::no_args("__reduce__", reduce, ""),
    MethodDef::no_args("has_default", has_default, ""),
    MethodDef::one("__mro_entries__", no_subclass, ""),
];

pub const PARAMSPEC_METHODS: &[MethodDef] = &[
    MethodDef::one("__typing_subst__", |ts, this, arg| call_typing(ts, "_paramspec_subst", &[this, arg]), ""),
    MethodDef::positional(
        "__typing_prepare_subst__",
        |ts, this, args| prepare_by(ts, "_paramspec_prepare_subst", this, args),
        PREPARE_DOC,
    ),
    MethodDef::no_args("__reduce__", reduce, ""),
    MethodDef::no_args("has_default", has_default, ""),
    MethodDef::one("__mro_entries__", no_subclass, ""),
];

pub const TYPEVARTUPLE_METHODS: &[MethodDef] = &[
    MethodDef::one(
        "__typing_subst__",
        |ts, _, _| raise!(ts, exc::TypeError, "Substitution of bare TypeVarTuple is not supported"),
        "",
    ),
    MethodDef::positional(
        "__typing_prepare_subst__",
        |ts, this, args| prepare_by(ts, "_typevartuple_prepare_subst", this, args),
        PREPARE_DOC,
    ),
    MethodDef::no_args("__reduce__", reduce, ""),
    MethodDef::no_args("has_default", has_default, ""),
    MethodDef::one("__mro_entries__", no_subclass, ""),
];

const NAME: GetSetDef = GetSetDef::get("__name__", |ts, this| Ok(name_of(ts, fields(this))), "");
const BOUND: GetSetDef = GetSetDef::get("__bound__", bound, "");
const DEFAULT: GetSetDef = GetSetDef::get("__default__", default, "what stands for the parameter when it is not given");
const EVALUATE_DEFAULT: GetSetDef = GetSetDef::get(
    "evaluate_default",
    |ts, this| {
        let value = fields(this).default.get().filter(|value| !value.is(no_default()));
        evaluator(ts, &fields(this).evaluate_default, value)
    },
    "",
);
const COVARIANT: GetSetDef = GetSetDef::get("__covariant__", |_, this| Ok(py_bool(fields(this).covariant.get())), "");
const CONTRAVARIANT: GetSetDef =
    GetSetDef::get("__contravariant__", |_, this| Ok(py_bool(fields(this).contravariant.get())), "");
const INFER: GetSetDef =
    GetSetDef::get("__infer_variance__", |_, this| Ok(py_bool(fields(this).infer_variance.get())), "");
const DICT: GetSetDef = GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, "");

pub const TYPEVAR_GETSET: &[GetSetDef] = &[
    NAME,
    BOUND,
    GetSetDef::get(
        "__constraints__",
        |ts, this| {
            let this = fields(this);
            evaluated(ts, &this.constraints, &this.evaluate_constraints, || PyTuple::empty().into_object())
        },
        "",
    ),
    DEFAULT,
    COVARIANT,
    CONTRAVARIANT,
    INFER,
    GetSetDef::get(
        "evaluate_bound",
        |ts, this| evaluator(ts, &fields(this).evaluate_bound, fields(this).bound.get()),
        "",
    ),
    GetSetDef::get(
        "evaluate_constraints",
        |ts, this| evaluator(ts, &fields(this).evaluate_constraints, fields(this).constraints.get()),
        "",
    ),
    EVALUATE_DEFAULT,
    DICT,
];

pub const PARAMSPEC_GETSET: &[GetSetDef] = &[
    NAME,
    BOUND,
    DEFAULT,
    COVARIANT,
    CONTRAVARIANT,
    INFER,
    EVALUATE_DEFAULT,
    GetSetDef::get(
        "args",
        |ts, this| paramspec::new(ts, &paramspec::PARAMSPEC_ARGS_TYPE, this),
        "the positional arguments",
    ),
    GetSetDef::get(
        "kwargs",
        |ts, this| paramspec::new(ts, &paramspec::PARAMSPEC_KWARGS_TYPE, this),
        "the keyword arguments",
    ),
    DICT,
];

pub const TYPEVARTUPLE_GETSET: &[GetSetDef] = &[NAME, DEFAULT, EVALUATE_DEFAULT, DICT];

fn name_of(ts: &ThreadState, this: &PyTypeParam) -> PyRef {
    this.name.get().unwrap_or_else(|| ts.none())
}

fn bound(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = fields(this);
    evaluated(ts, &this.bound, &this.evaluate_bound, || ts.none())
}

fn default(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = fields(this);
    evaluated(ts, &this.default, &this.evaluate_default, || no_default().new_ref())
}

/// The function that evaluates a field; one that returns the value where only that is there; None without.
fn evaluator(ts: &ThreadState, evaluate: &Slot<PyObject>, value: Option<PyRef>) -> PyResult {
    match (evaluate.get(), value) {
        (Some(evaluate), _) => Ok(evaluate),
        (None, Some(value)) => const_evaluator(ts, &value),
        (None, None) => Ok(ts.none()),
    }
}

fn has_default(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = fields(this);
    let has = this.evaluate_default.is_some() || this.default.get().is_some_and(|value| !value.is(no_default()));
    Ok(py_bool(has))
}

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(name_of(ts, fields(this)))
}

fn no_subclass(ts: &ThreadState, this: &PyObject, _bases: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "Cannot subclass an instance of {}", this.ob_type().name())
}

pub fn name_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(name_of(ts, fields(this)))
}

/// `~T`, `+T_co`, `-T_contra`, or just the name where the variance is inferred.
pub fn variance_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let fields = fields(this);
    let name = name_of(ts, fields);
    if fields.infer_variance.get() {
        return Ok(name);
    }
    let sign = match () {
        () if fields.covariant.get() => '+',
        () if fields.contravariant.get() => '-',
        () => '~',
    };
    let name = protocol::str(ts, &name)?;
    Ok(PyStr::format(ts, format_args!("{sign}{}", &*name))?.into_object())
}

/// `*Ts` in a subscript: one `Unpack[Ts]`.
pub fn typevartuple_iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    let unpacked = unpack(ts, this)?;
    let one = PyTuple::new(ts, &[&unpacked])?;
    protocol::iter(ts, one.as_object())
}

fn two<'a>(ts: &ThreadState, args: &[&'a PyObject]) -> PyResult<(&'a PyObject, &'a PyObject)> {
    match args {
        &[alias, args] => Ok((alias, args)),
        _ => raise!(
            ts,
            exc::TypeError,
            "__typing_prepare_subst__() takes exactly 2 positional arguments ({} given)",
            args.len()
        ),
    }
}

fn prepare_by(ts: &ThreadState, function: &str, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (alias, args) = two(ts, args)?;
    call_typing(ts, function, &[this, alias, args])
}

/// Adds the variable's default where the subscript has too few arguments.
fn typevar_prepare_subst(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let (alias, args) = two(ts, args)?;
    let params = attr::get(ts, alias, crate::id!(__parameters__))?;
    let params = protocol::tuple_of(ts, &params)?;
    let count = protocol::length(ts, args)?;
    let index = params.items().iter().position(|param| param.is(this));
    match index {
        Some(index) if index < count => return Ok(args.new_ref()),
        Some(index) if index == count => {
            let default = default(ts, this)?;
            if !default.is(no_default()) {
                let one = PyTuple::new(ts, &[&default])?;
                return protocol::add(ts, args, one.as_object());
            }
        }
        _ => {}
    }
    raise!(ts, exc::TypeError, "Too few arguments for {}", &*protocol::str(ts, alias)?)
}
