//! `filter`.

use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, StaticType, TypeSlots, TypeSpec, alloc,
    call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::BOOL_TYPE;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::tuple::{PyTuple, inherits_init};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&FILTER_TYPE];

/// `filter`.
#[repr(C)]
pub struct PyFilter {
    ob_base: PyObject,
    function: Slot<PyObject>,
    iterator: Slot<PyObject>,
}

crate::native!(PyFilter, FILTER_TYPE);
owns!(PyFilter: function, iterator);

/// `filter`.
#[unsafe(export_name = "PyFilter_Type")]
pub static FILTER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"filter",
    basicsize: size_of::<PyFilter>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "filter(function, iterable, /)\n--\n\nThe items for which function(item) is true; with None, the items that are true.",
    slots: TypeSlots {
        new: Some(filter_new),
        dealloc: Some(PyFilter::slot_dealloc),
        traverse: Some(PyFilter::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(filter_next),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", filter_reduce, "What pickle needs to make the object again.")],
    ..TypeSpec::EMPTY
});

fn filter_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &FILTER_TYPE) {
        return raise!(ts, exc::TypeError, "filter() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "filter", given.len(), 2, 2)?;
    let iterator = protocol::iter(ts, given[1])?;
    let this = alloc::object::<PyFilter>(ts, of)?;
    this.function.set(Some(given[0].new_ref()));
    this.iterator.set(Some(iterator));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// The truth of `predicate(item)`, or of the item itself when the predicate is None or `bool`.
#[inline]
pub(crate) fn satisfies(ts: &ThreadState, predicate: &PyObject, item: &PyObject) -> PyResult<bool> {
    if is_none(predicate) || core::ptr::addr_eq(predicate, &BOOL_TYPE) {
        return protocol::is_true(ts, item);
    }
    let answer = call::call_with(ts, predicate, &[item])?;
    let truth = protocol::is_true(ts, &answer);
    answer.release(ts);
    truth
}

fn filter_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyFilter>();
    let (Some(function), Some(iterator)) = (this.function.get(), this.iterator.get()) else { return Ok(None) };
    while let Some(item) = protocol::next(ts, &iterator)? {
        if satisfies(ts, &function, &item)? {
            return Ok(Some(item));
        }
        item.release(ts);
    }
    Ok(None)
}

fn filter_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyFilter>();
    let function = this.function.get().unwrap_or_else(|| ts.none());
    let iterator = this.iterator.get().unwrap_or_else(|| ts.none());
    let arguments = PyTuple::from_array(ts, [function, iterator])?;
    Ok(PyTuple::pair(ts, object.ob_type().as_object(), arguments.as_object())?.into_object())
}
