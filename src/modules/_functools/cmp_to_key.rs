//! `cmp_to_key`: objects that compare by a function.

use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, PyObject, PyResult, Ref, Signature, Slot, StaticType, TypeSlots, TypeSpec,
    alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::str::PyStr;

/// What `cmp_to_key` returns, and what that returns when it is called: the latter has an object.
#[repr(C)]
pub(super) struct PyKey {
    ob_base: PyObject,
    compare: Slot<PyObject>,
    object: Slot<PyObject>,
}

crate::native!(PyKey, KEY_TYPE);
owns!(PyKey: compare, object);

/// `functools.KeyWrapper`.
pub(super) static KEY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools.KeyWrapper",
    basicsize: size_of::<PyKey>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyKey::slot_dealloc),
        traverse: Some(PyKey::slot_traverse),
        clear: Some(PyKey::slot_clear),
        call: Some(key_call),
        richcompare: Some(key_compare),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get_set("obj", get_obj, set_obj, "Value wrapped by a key function."),
        GetSetDef::get("__text_signature__", |ts, _| Ok(PyStr::intern(ts, "(obj)")?.into_object()), ""),
    ],
    ..TypeSpec::EMPTY
});

fn make(ts: &ThreadState, compare: &PyObject, object: Option<&PyObject>) -> PyResult<Ref<PyKey>> {
    let key = alloc::exact::<PyKey>(ts)?;
    key.compare.set(Some(compare.new_ref()));
    key.object.set(object.map(AsObject::new_ref));
    gc::track(ts, &*key);
    Ok(key)
}

pub(super) fn cmp_to_key(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("cmp_to_key", ["mycmp"], 0, 1, 1);
    match SIGNATURE.parse(ts, args)? {
        [Some(compare)] => Ok(make(ts, compare, None)?.into_object()),
        [None] => raise!(ts, exc::TypeError, "cmp_to_key() needs a function"),
    }
}

fn key_call(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("K", ["obj"], 0, 1, 1);
    let [object] = SIGNATURE.parse(ts, args)?;
    let Some(compare) = this.cast::<PyKey>().compare.get() else { return Ok(ts.none()) };
    Ok(make(ts, &compare, object)?.into_object())
}

fn key_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast_exact::<PyKey>(), right.downcast_exact::<PyKey>()) else {
        return raise!(ts, exc::TypeError, "other argument must be K instance");
    };
    let (Some(x), Some(y), Some(compare)) = (a.object.get(), b.object.get(), a.compare.get()) else {
        return raise!(ts, exc::AttributeError, "object");
    };
    let result = call::call_with(ts, &compare, &[&x, &y])?;
    protocol::compare(ts, &result, PyInt::zero(), op)
}

fn get_obj(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyKey>().object.get().unwrap_or_else(|| ts.none()))
}

fn set_obj(_ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    this.cast::<PyKey>().object.set(value.map(AsObject::new_ref));
    Ok(())
}
