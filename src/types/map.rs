//! `map`.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::zip::{check_lengths, iterators_of, strict_keyword};
use crate::object::call::Signature;
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, StaticType, TypeSlots, TypeSpec, alloc,
    call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::true_object;
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&MAP_TYPE];

/// `map`.
#[repr(C)]
pub struct PyMap {
    ob_base: PyObject,
    function: Slot<PyObject>,
    iterators: Slot<PyTuple>,
    strict: Cell<bool>,
}

crate::native!(PyMap, MAP_TYPE);
owns!(PyMap: function, iterators);

/// `map`.
#[unsafe(export_name = "PyMap_Type")]
pub static MAP_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"map",
    basicsize: size_of::<PyMap>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "map(function, iterable, /, *iterables, strict=False)\n--\n\nThe results of the function for the items of the iterables, one of each as its\narguments, until the shortest is used up. With strict, iterables of different\nlengths are a ValueError.",
    slots: TypeSlots {
        new: Some(map_new),
        dealloc: Some(PyMap::slot_dealloc),
        traverse: Some(PyMap::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(map_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", map_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", map_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

fn map_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("map", ["strict"], 0, 0, 0);
    let strict = strict_keyword(ts, args, &SIGNATURE)?;
    let [function, iterables @ ..] = args.positional() else {
        return raise!(ts, exc::TypeError, "map() must have at least two arguments.");
    };
    if iterables.is_empty() {
        return raise!(ts, exc::TypeError, "map() must have at least two arguments.");
    }
    let iterators = iterators_of(ts, iterables)?;
    let this = alloc::object::<PyMap>(ts, of)?;
    this.function.set(Some(function.new_ref()));
    this.iterators.set(Some(iterators));
    this.strict.set(strict);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn map_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyMap>();
    let (Some(function), Some(iterators)) = (this.function.get(), this.iterators.get()) else { return Ok(None) };
    if let [iterator] = iterators.items() {
        let Some(item) = protocol::next(ts, iterator)? else { return Ok(None) };
        let result = call::call_with(ts, &function, &[&item]);
        item.release(ts);
        return result.map(Some);
    }
    let mut arguments = TryVec::<PyRef>::new();
    arguments.try_reserve(iterators.len())?;
    for (index, iterator) in iterators.items().iter().enumerate() {
        match protocol::next(ts, iterator)? {
            Some(item) => arguments.try_push(item)?,
            None => {
                if this.strict.get() {
                    check_lengths(ts, "map", &iterators, index)?;
                }
                return Ok(None);
            }
        }
    }
    call::call_with(ts, &function, call::borrow_all(&arguments)).map(Some)
}

fn map_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyMap>();
    let mut arguments = TryVec::<PyRef>::new();
    arguments.try_push(this.function.get().unwrap_or_else(|| ts.none()))?;
    for iterator in this.iterators.get().unwrap_or_else(PyTuple::empty).items() {
        arguments.try_push(iterator.new_ref())?;
    }
    let arguments = PyTuple::from_vec(ts, arguments)?;
    let of = object.ob_type().as_object();
    let reduced = if this.strict.get() {
        PyTuple::new(ts, &[of, arguments.as_object(), true_object()])?
    } else {
        PyTuple::pair(ts, of, arguments.as_object())?
    };
    Ok(reduced.into_object())
}

fn map_setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let strict = protocol::is_true(ts, state)?;
    this.cast::<PyMap>().strict.set(strict);
    Ok(ts.none())
}
