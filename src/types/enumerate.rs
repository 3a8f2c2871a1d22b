//! `enumerate`.

use core::cell::Cell;

use crate::object::call::Signature;
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, StaticType, TypeSlots, TypeSpec, alloc,
    flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::seqiter::refill;
use crate::types::tuple::PyTuple;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&ENUMERATE_TYPE];

/// `enumerate`.
#[repr(C)]
pub struct PyEnumerate {
    ob_base: PyObject,
    iterator: Slot<PyObject>,
    result: Slot<PyTuple>,
    /// The next number when it is too large for `index`.
    long_index: Slot<PyObject>,
    index: Cell<i64>,
}

crate::native!(PyEnumerate, ENUMERATE_TYPE);
owns!(PyEnumerate: iterator, result, long_index);

/// `enumerate`.
#[unsafe(export_name = "PyEnum_Type")]
pub static ENUMERATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"enumerate",
    basicsize: size_of::<PyEnumerate>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "enumerate(iterable, start=0)\n--\n\nPairs of a number, counted from start, and an item.",
    slots: TypeSlots {
        new: Some(enumerate_new),
        dealloc: Some(PyEnumerate::slot_dealloc),
        traverse: Some(PyEnumerate::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(enumerate_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", enumerate_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    ..TypeSpec::EMPTY
});

fn enumerate_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("enumerate", ["iterable", "start"], 0, 2, 1);
    let [iterable, start] = SIGNATURE.parse(ts, args)?;
    let mut index = 0;
    let mut long_index = None;
    if let Some(start) = start {
        let start = protocol::index(ts, start)?;
        match start.as_i64().filter(|start| *start < i64::MAX) {
            Some(start) => index = start,
            None => long_index = Some(start.into_object()),
        }
    }
    // `Signature` has seen to it that there is an iterable.
    let iterator = protocol::iter(ts, iterable.unwrap_or(crate::types::none::none()))?;
    let this = alloc::object::<PyEnumerate>(ts, of)?;
    this.index.set(if long_index.is_some() { i64::MAX } else { index });
    this.long_index.set(long_index);
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn enumerate_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyEnumerate>();
    let Some(iterator) = this.iterator.get() else { return Ok(None) };
    let Some(item) = protocol::next(ts, &iterator)? else { return Ok(None) };
    let index = this.index.get();
    let number = if index == i64::MAX {
        next_long(ts, this)?
    } else {
        this.index.set(index + 1);
        PyInt::from_i64(ts, index)?.into_object()
    };
    Ok(Some(refill(ts, &this.result, [number, item])?.into_object()))
}

#[cold]
fn next_long(ts: &ThreadState, this: &PyEnumerate) -> PyResult {
    let number = match this.long_index.get() {
        Some(number) => number,
        None => PyInt::from_i64(ts, i64::MAX)?.into_object(),
    };
    let one = PyInt::from_i64(ts, 1)?;
    let next = protocol::add(ts, &number, one.as_object())?;
    this.long_index.set(Some(next));
    Ok(number)
}

fn enumerate_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyEnumerate>();
    let number = match this.long_index.get() {
        Some(number) => number,
        None => PyInt::from_i64(ts, this.index.get())?.into_object(),
    };
    let iterator = this.iterator.get().unwrap_or_else(|| ts.none());
    let arguments = PyTuple::from_array(ts, [iterator, number])?;
    Ok(PyTuple::pair(ts, object.ob_type().as_object(), arguments.as_object())?.into_object())
}
