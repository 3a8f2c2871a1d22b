//! `weakref.ProxyType` and `CallableProxyType`: stand-ins that pass everything on to an object that they do not
//! keep alive.

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::qualified_type_name;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::weakref::{PyWeakref, fields, make, weakref_clear, weakref_dealloc, weakref_traverse};
use crate::{id, raise};

const SLOTS: TypeSlots = TypeSlots {
    dealloc: Some(weakref_dealloc),
    traverse: Some(weakref_traverse),
    clear: Some(weakref_clear),
    repr: Some(proxy_repr),
    str: Some(|ts, this| Ok(protocol::str(ts, &*living(ts, this)?)?.into_object())),
    hash: Some(slotdefs::hash_not_implemented),
    getattro: Some(|ts, this, name| attr::get(ts, &*living(ts, this)?, name)),
    setattro: Some(|ts, this, name, value| attr::set_or_delete(ts, &*living(ts, this)?, name, value)),
    richcompare: Some(|ts, a, b, op| protocol::compare(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?, op)),
    iter: Some(|ts, this| protocol::iter(ts, &*living(ts, this)?)),
    iternext: Some(proxy_next),
    nb_add: Some(|ts, a, b| protocol::add(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_subtract: Some(|ts, a, b| protocol::subtract(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_multiply: Some(|ts, a, b| protocol::multiply(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_floor_divide: Some(|ts, a, b| protocol::floor_divide(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_true_divide: Some(|ts, a, b| protocol::true_divide(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_remainder: Some(|ts, a, b| protocol::remainder(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_divmod: Some(|ts, a, b| protocol::divmod(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_power: Some(|ts, a, b, c| protocol::power(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?, &*unwrap(ts, c)?)),
    nb_negative: Some(|ts, this| protocol::negative(ts, &*living(ts, this)?)),
    nb_positive: Some(|ts, this| protocol::positive(ts, &*living(ts, this)?)),
    nb_absolute: Some(|ts, this| protocol::absolute(ts, &*living(ts, this)?)),
    nb_bool: Some(|ts, this| protocol::is_true(ts, &*living(ts, this)?)),
    nb_invert: Some(|ts, this| protocol::invert(ts, &*living(ts, this)?)),
    nb_lshift: Some(|ts, a, b| protocol::lshift(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_rshift: Some(|ts, a, b| protocol::rshift(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_and: Some(|ts, a, b| protocol::and(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_xor: Some(|ts, a, b| protocol::xor(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_or: Some(|ts, a, b| protocol::or(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_int: Some(|ts, this| Ok(protocol::to_int(ts, &*living(ts, this)?)?.into_object())),
    nb_float: Some(|ts, this| Ok(protocol::to_float(ts, &*living(ts, this)?)?.into_object())),
    nb_index: Some(|ts, this| Ok(protocol::index(ts, &*living(ts, this)?)?.into_object())),
    nb_inplace_add: Some(|ts, a, b| protocol::inplace_add(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_subtract: Some(|ts, a, b| protocol::inplace_subtract(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_multiply: Some(|ts, a, b| protocol::inplace_multiply(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_remainder: Some(|ts, a, b| protocol::inplace_remainder(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_power: Some(|ts, a, b, _| protocol::inplace_power(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_lshift: Some(|ts, a, b| protocol::inplace_lshift(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_rshift: Some(|ts, a, b| protocol::inplace_rshift(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_and: Some(|ts, a, b| protocol::inplace_and(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_xor: Some(|ts, a, b| protocol::inplace_xor(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_or: Some(|ts, a, b| protocol::inplace_or(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_floor_divide: Some(|ts, a, b| protocol::inplace_floor_divide(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_true_divide: Some(|ts, a, b| protocol::inplace_true_divide(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_matrix_multiply: Some(|ts, a, b| protocol::matrix_multiply(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)),
    nb_inplace_matrix_multiply: Some(|ts, a, b| {
        protocol::inplace_matrix_multiply(ts, &*unwrap(ts, a)?, &*unwrap(ts, b)?)
    }),
    sq_contains: Some(|ts, this, value| protocol::contains(ts, &*living(ts, this)?, value)),
    mp_length: Some(|ts, this| protocol::length(ts, &*living(ts, this)?)),
    mp_subscript: Some(|ts, this, key| protocol::getitem(ts, &*living(ts, this)?, key)),
    mp_ass_subscript: Some(proxy_set_item),
    ..TypeSlots::EMPTY
};

const METHODS: &[MethodDef] = &[
    MethodDef::no_args("__bytes__", |ts, this| call::call_method(ts, &*living(ts, this)?, id!(__bytes__), &[]), ""),
    MethodDef::no_args(
        "__reversed__",
        |ts, this| call::call_method(ts, &*living(ts, this)?, id!(__reversed__), &[]),
        "",
    ),
];

/// `weakref.ProxyType`.
#[unsafe(export_name = "_PyWeakref_ProxyType")]
pub static PROXY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"weakref.ProxyType",
    basicsize: size_of::<PyWeakref>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: SLOTS,
    methods: METHODS,
    ..TypeSpec::EMPTY
});

/// `weakref.CallableProxyType`.
#[unsafe(export_name = "_PyWeakref_CallableProxyType")]
pub static CALLABLE_PROXY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"weakref.CallableProxyType",
    basicsize: size_of::<PyWeakref>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { call: Some(proxy_call), ..SLOTS },
    methods: METHODS,
    ..TypeSpec::EMPTY
});

/// `weakref.proxy(object, callback)`.
pub fn new(ts: &ThreadState, object: &PyObject, callback: Option<&PyObject>) -> PyResult {
    let typ = if call::is_callable(object) { &CALLABLE_PROXY_TYPE } else { &PROXY_TYPE };
    Ok(make(ts, typ, object, callback)?.into_object())
}

/// Whether the type is one of the two.
pub fn is_proxy_type(typ: &PyTypeObject) -> bool {
    core::ptr::eq(typ, &PROXY_TYPE.object) || core::ptr::eq(typ, &CALLABLE_PROXY_TYPE.object)
}

/// The object that a proxy stands for; ReferenceError when it is gone.
fn living(ts: &ThreadState, proxy: &PyObject) -> PyResult {
    match fields(proxy).get() {
        Some(target) => Ok(target),
        None => raise!(ts, exc::ReferenceError, "weakly-referenced object no longer exists"),
    }
}

/// An operand, or what it stands for.
fn unwrap(ts: &ThreadState, operand: &PyObject) -> PyResult {
    if is_proxy_type(operand.ob_type()) { living(ts, operand) } else { Ok(operand.new_ref()) }
}

fn proxy_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let text = match fields(this).get() {
        Some(target) => {
            let kind = qualified_type_name(ts, &target)?;
            PyStr::format(
                ts,
                format_args!("<weakproxy at {:p}; to '{}' at {:p}>", this.as_ptr(), &*kind, target.as_raw()),
            )?
        }
        None => PyStr::format(ts, format_args!("<weakproxy at {:p}; dead>", this.as_ptr()))?,
    };
    Ok(text.into_object())
}

fn proxy_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let target = living(ts, this)?;
    match target.ob_type().slots().iternext {
        Some(next) => next(ts, &target),
        None => raise!(
            ts,
            exc::TypeError,
            "Weakref proxy referenced a non-iterator '{}' object",
            target.ob_type().full_name()
        ),
    }
}

fn proxy_set_item(ts: &ThreadState, this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let target = living(ts, this)?;
    match value {
        Some(value) => protocol::setitem(ts, &target, key, value),
        None => protocol::delitem(ts, &target, key),
    }
}

fn proxy_call(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    call::call(ts, &*living(ts, this)?, args)
}
