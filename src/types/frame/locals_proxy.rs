//! `FrameLocalsProxy` (PEP 667): the local variables of a function's frame, read and written in place.
//!
//! Names that the function does not have go into a dict of the frame object.

use super::PyFrame;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::code::{KIND_CELL, KIND_FREE, KIND_HIDDEN};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::owned::owns;
use crate::types::reprguard::ReprGuard;
use crate::types::str::PyStr;
use crate::{native, raise};

/// The proxy.
#[repr(C)]
pub struct PyFrameLocalsProxy {
    ob_base: PyObject,
    frame: Slot<PyFrame>,
}

native!(PyFrameLocalsProxy, FRAME_LOCALS_PROXY_TYPE);
owns!(PyFrameLocalsProxy: frame);

/// `FrameLocalsProxy`.
#[unsafe(export_name = "PyFrameLocalsProxy_Type")]
pub static FRAME_LOCALS_PROXY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"FrameLocalsProxy",
    basicsize: size_of::<PyFrameLocalsProxy>(),
    flags: flags::HAVE_GC | flags::MAPPING,
    slots: TypeSlots {
        new: Some(proxy_new),
        dealloc: Some(PyFrameLocalsProxy::slot_dealloc),
        traverse: Some(PyFrameLocalsProxy::slot_traverse),
        clear: Some(PyFrameLocalsProxy::slot_clear),
        repr: Some(repr),
        hash: Some(|ts, object| raise!(ts, exc::TypeError, "unhashable type: '{}'", object.type_name())),
        richcompare: Some(compare),
        iter: Some(|ts, object| protocol::iter(ts, keys(ts, object)?.as_object())),
        nb_or: Some(or),
        nb_inplace_or: Some(inplace_or),
        sq_contains: Some(contains),
        mp_length: Some(length),
        mp_subscript: Some(subscript),
        mp_ass_subscript: Some(assign),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional("get", get, ""),
        MethodDef::no_args("keys", |ts, object| Ok(keys(ts, object)?.into_object()), ""),
        MethodDef::no_args("values", |ts, object| snapshot(ts, object)?.values_list(ts).map(Ref::into_object), ""),
        MethodDef::no_args("items", |ts, object| snapshot(ts, object)?.items_list(ts).map(Ref::into_object), ""),
        MethodDef::no_args("copy", |ts, object| Ok(snapshot(ts, object)?.into_object()), ""),
        MethodDef::no_args("__reversed__", reversed, ""),
        MethodDef::one("update", update, ""),
        MethodDef::positional("setdefault", setdefault, ""),
        MethodDef::positional("pop", pop, ""),
    ],
    ..TypeSpec::EMPTY
});

/// Adds the names that a frame has besides its function's.
pub fn add_extra(ts: &ThreadState, frame: &PyFrame, dict: &PyDict) -> PyResult<()> {
    match frame.f_extra_locals.get() {
        Some(extra) => dict.update(ts, extra.as_object()),
        None => Ok(()),
    }
}

/// The proxy of a frame object.
pub fn new(ts: &ThreadState, frame: &PyFrame) -> PyResult {
    let proxy = alloc::exact::<PyFrameLocalsProxy>(ts)?;
    proxy.frame.set(Some(Ref::from_borrowed(frame)));
    gc::track(ts, &*proxy);
    Ok(proxy.into_object())
}

fn proxy_new(ts: &ThreadState, _class: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.keywords().next().is_some() {
        return raise!(ts, exc::TypeError, "FrameLocalsProxy takes no keyword arguments");
    }
    match args.positional() {
        [frame] => match frame.downcast::<PyFrame>() {
            Some(frame) => new(ts, frame),
            None => raise!(ts, exc::TypeError, "expect frame, not {}", frame.type_name()),
        },
        others => raise!(ts, exc::TypeError, "FrameLocalsProxy expected 1 argument, got {}", others.len()),
    }
}

fn frame_of(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyFrame>> {
    match object.cast::<PyFrameLocalsProxy>().frame.get() {
        Some(frame) => Ok(frame),
        None => raise!(ts, exc::RuntimeError, "the frame is gone"),
    }
}

/// Where the frame keeps a variable of that name. Any key that is equal to the name, with its hash, will do.
fn place(ts: &ThreadState, frame: &PyFrame, key: &PyObject) -> PyResult<Option<usize>> {
    let code = frame.code();
    let visible = |kind: &u8| kind & KIND_HIDDEN == 0;
    if let Some(key) = key.downcast_exact::<PyStr>() {
        for (index, kind) in code.kinds().iter().enumerate() {
            let name = code.local_name(index);
            if visible(kind) && (core::ptr::eq(name, key) || name.equals(key)) {
                return Ok(Some(index));
            }
        }
        return Ok(None);
    }
    let hash = protocol::hash(ts, key)?;
    for (index, kind) in code.kinds().iter().enumerate() {
        let name = code.local_name(index).as_object();
        if visible(kind) && protocol::hash(ts, name)? == hash && protocol::equal(ts, name, key)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// The variable's value; None when it has none.
fn value_at(frame: &PyFrame, index: usize) -> Option<PyRef> {
    let inner = frame.frame()?;
    let kind = frame.code().kinds().get(index).copied()?;
    // SAFETY: the index is one of the frame's places.
    let value = unsafe { (*inner.localsplus().add(index)).as_ref() }?;
    if kind & (KIND_CELL | KIND_FREE) != 0
        && let Some(cell) = value.downcast_exact::<PyCell>()
    {
        return cell.get();
    }
    Some(value.new_ref())
}

/// Gives the variable another value.
fn set_at(ts: &ThreadState, frame: &PyFrame, index: usize, value: &PyObject) {
    let Some(inner) = frame.frame() else { return };
    let kind = frame.code().kinds().get(index).copied().unwrap_or(0);
    // SAFETY: the index is one of the frame's places, which owns a reference or none.
    unsafe {
        let place = inner.localsplus().add(index);
        if kind & (KIND_CELL | KIND_FREE) != 0
            && let Some(cell) = (*place).as_ref().and_then(|v| v.downcast_exact::<PyCell>())
        {
            cell.set(Some(value.new_ref()));
            return;
        }
        let old = place.replace(value.new_ref().into_ptr());
        if !old.is_null() {
            header::decref(ts, old);
        }
    }
}

fn lookup(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<Option<PyRef>> {
    let frame = frame_of(ts, object)?;
    if let Some(index) = place(ts, &frame, key)?
        && let Some(value) = value_at(&frame, index)
    {
        return Ok(Some(value));
    }
    match frame.f_extra_locals.get() {
        Some(extra) => extra.get(ts, key),
        None => Ok(None),
    }
}

/// A dict of all variables that have values.
fn snapshot(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyDict>> {
    let frame = frame_of(ts, object)?;
    let dict = PyDict::new(ts)?;
    let code = frame.code();
    for (index, kind) in code.kinds().iter().enumerate() {
        if kind & KIND_HIDDEN == 0
            && let Some(value) = value_at(&frame, index)
        {
            dict.set(ts, code.local_name(index).as_object(), &value)?;
        }
    }
    add_extra(ts, &frame, &dict)?;
    Ok(dict)
}

fn keys(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyList>> {
    snapshot(ts, object)?.keys_list(ts)
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(_guard) = ReprGuard::enter(ts, object)? else { return Ok(PyStr::new(ts, "{...}")?.into_object()) };
    Ok(protocol::repr(ts, snapshot(ts, object)?.as_object())?.into_object())
}

fn compare(ts: &ThreadState, object: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(crate::types::notimplemented::not_implemented());
    }
    let equal = if let Some(other_proxy) = other.downcast::<PyFrameLocalsProxy>() {
        let same = frame_of(ts, object)?.as_object().is(frame_of(ts, other_proxy.as_object())?.as_object());
        same == matches!(op, CompareOp::Eq)
    } else if other.is_a::<PyDict>() {
        return protocol::compare(ts, snapshot(ts, object)?.as_object(), other, op);
    } else {
        return Ok(crate::types::notimplemented::not_implemented());
    };
    Ok(crate::types::bool::py_bool(equal))
}

fn contains(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<bool> {
    Ok(lookup(ts, object, key)?.is_some())
}

fn length(ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    Ok(snapshot(ts, object)?.len())
}

fn subscript(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    match lookup(ts, object, key)? {
        Some(value) => Ok(value),
        None => raise!(ts, exc::KeyError, "local variable '{}' is not defined", protocol::repr(ts, key)?),
    }
}

fn assign(ts: &ThreadState, object: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let frame = frame_of(ts, object)?;
    let index = place(ts, &frame, key)?;
    match (index, value) {
        (Some(index), Some(value)) => {
            set_at(ts, &frame, index, value);
            Ok(())
        }
        (Some(_), None) => raise!(ts, exc::ValueError, "cannot remove local variables from FrameLocalsProxy"),
        (None, Some(value)) => {
            let extra = match frame.f_extra_locals.get() {
                Some(extra) => extra,
                None => {
                    let extra = PyDict::new(ts)?;
                    frame.f_extra_locals.set(Some(extra.clone()));
                    extra
                }
            };
            extra.set(ts, key, value)
        }
        (None, None) => {
            let removed = match frame.f_extra_locals.get() {
                Some(extra) => extra.remove(ts, key)?,
                None => None,
            };
            match removed {
                Some(_) => Ok(()),
                None => Err(exc::raise_key_error(ts, key)),
            }
        }
    }
}

fn get(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get", args.len(), 1, 2)?;
    Ok(lookup(ts, object, args[0])?.unwrap_or_else(|| args.get(1).copied().unwrap_or(none()).new_ref()))
}

fn setdefault(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setdefault", args.len(), 1, 2)?;
    if let Some(value) = lookup(ts, object, args[0])? {
        return Ok(value);
    }
    let value = args.get(1).copied().unwrap_or(none());
    assign(ts, object, args[0], Some(value))?;
    Ok(value.new_ref())
}

fn pop(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pop", args.len(), 1, 2)?;
    let frame = frame_of(ts, object)?;
    if place(ts, &frame, args[0])?.is_some() {
        return raise!(ts, exc::ValueError, "cannot remove local variables from FrameLocalsProxy");
    }
    let removed = match frame.f_extra_locals.get() {
        Some(extra) => extra.remove(ts, args[0])?,
        None => None,
    };
    match (removed, args.get(1)) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(exc::raise_key_error(ts, args[0])),
    }
}

fn update(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    let dict = PyDict::new(ts)?;
    if other.downcast::<PyDict>().is_none() && !other.is_a::<PyFrameLocalsProxy>() {
        return raise!(ts, exc::TypeError, "update() argument must be dict or another FrameLocalsProxy");
    }
    dict.update(ts, other)?;
    store_all(ts, object, &dict)?;
    Ok(ts.none())
}

fn store_all(ts: &ThreadState, object: &PyObject, dict: &PyDict) -> PyResult<()> {
    let mut position = 0;
    while let Some((key, value)) = dict.next(&mut position) {
        assign(ts, object, &key, Some(&value))?;
    }
    Ok(())
}

fn reversed(ts: &ThreadState, object: &PyObject) -> PyResult {
    let keys = keys(ts, object)?;
    keys.reverse();
    Ok(keys.into_object())
}

fn or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let is_mapping = |o: &PyObject| o.is_a::<PyDict>() || o.is_a::<PyFrameLocalsProxy>();
    if !is_mapping(left) || !is_mapping(right) {
        return Ok(crate::types::notimplemented::not_implemented());
    }
    let dict = PyDict::new(ts)?;
    dict.update(ts, left)?;
    dict.update(ts, right)?;
    Ok(dict.into_object())
}

fn inplace_or(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    if !other.is_a::<PyDict>() && !other.is_a::<PyFrameLocalsProxy>() {
        return Ok(crate::types::notimplemented::not_implemented());
    }
    update(ts, object, other)?;
    Ok(object.new_ref())
}
