//! `_tuplegetter`: the fields of named tuples.

use core::cell::Cell;

use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Slot, StaticType, TypeSlots, TypeSpec,
    alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::StrBuilder;
use crate::types::tuple::PyTuple;

/// A descriptor that reads an item of a tuple.
#[repr(C)]
pub(super) struct PyTupleGetter {
    ob_base: PyObject,
    index: Cell<isize>,
    doc: Slot<PyObject>,
}

crate::native!(PyTupleGetter, TUPLEGETTER_TYPE);
owns!(PyTupleGetter: doc);

/// `collections._tuplegetter`.
pub(super) static TUPLEGETTER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections._tuplegetter",
    basicsize: size_of::<PyTupleGetter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        new: Some(getter_new),
        dealloc: Some(PyTupleGetter::slot_dealloc),
        traverse: Some(PyTupleGetter::slot_traverse),
        clear: Some(PyTupleGetter::slot_clear),
        repr: Some(getter_repr),
        descr_get: Some(getter_get),
        descr_set: Some(getter_set),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", getter_reduce, "What pickle needs.")],
    getset: &[GetSetDef::get_set(
        "__doc__",
        |ts, this| Ok(this.cast::<PyTupleGetter>().doc.get().unwrap_or_else(|| ts.none())),
        |_, this, value| {
            this.cast::<PyTupleGetter>().doc.set(value.map(AsObject::new_ref));
            Ok(())
        },
        "",
    )],
    ..TypeSpec::EMPTY
});

fn getter_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "_tuplegetter")?;
    call::check_count(ts, "_tuplegetter", args.len(), 2, 2)?;
    let index = protocol::as_isize(ts, args[0])?;
    let this = alloc::object::<PyTupleGetter>(ts, of)?;
    this.index.set(index);
    this.doc.set(Some(args[1].new_ref()));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn getter_get(ts: &ThreadState, object: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance else { return Ok(object.new_ref()) };
    let index = object.cast::<PyTupleGetter>().index.get();
    match instance.downcast::<PyTuple>() {
        Some(tuple) => match tuple.get(index as usize) {
            Some(item) => Ok(item.new_ref()),
            None => raise!(ts, exc::IndexError, "tuple index out of range"),
        },
        None if is_none(instance) => Ok(object.new_ref()),
        None => raise!(
            ts,
            exc::TypeError,
            "descriptor for index '{index}' for tuple subclasses doesn't apply to '{}' object",
            instance.type_name()
        ),
    }
}

fn getter_set(ts: &ThreadState, _object: &PyObject, _instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(_) => raise!(ts, exc::AttributeError, "can't set attribute"),
        None => raise!(ts, exc::AttributeError, "can't delete attribute"),
    }
}

fn getter_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyTupleGetter>();
    let index = PyInt::from_isize(ts, this.index.get())?;
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().name())?;
    text.push_str("(")?;
    text.push_repr(ts, &index)?;
    text.push_str(", ")?;
    text.push_repr(ts, &this.doc.get().unwrap_or_else(|| ts.none()))?;
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn getter_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyTupleGetter>();
    let index = PyInt::from_isize(ts, this.index.get())?;
    let given = PyTuple::from_array(ts, [index, this.doc.get().unwrap_or_else(|| ts.none())])?;
    Ok(PyTuple::pair(ts, object.ob_type().as_object(), given.as_object())?.into_object())
}
