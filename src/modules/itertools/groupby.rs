//! `groupby`: runs of items with the same key.

use core::cell::Cell;

use super::{iterator_type, positional};
use crate::object::{
    Args, AsObject, CompareOp, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, alloc, call, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyGroupBy {
    ob_base: PyObject,
    iterator: Slot<PyObject>,
    /// None is the item itself.
    key_function: Slot<PyObject>,
    /// The key of the group that was handed out last.
    target_key: Slot<PyObject>,
    /// The key of the item that was read last.
    current_key: Slot<PyObject>,
    /// That item, unless a group has handed it out.
    current_value: Slot<PyObject>,
    /// The group that may still read on; only its address is looked at.
    current_grouper: Cell<*const PyObject>,
}

owns!(PyGroupBy: iterator, key_function, target_key, current_key, current_value);
iterator_type!(
    PyGroupBy,
    GROUPBY_TYPE,
    "groupby",
    Some(new),
    next,
    "groupby(iterable, key=None)\n--\n\nA pair of key and iterator for each run of items with that key; key(item) is the item itself by default."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("groupby", ["iterable", "key"], 0, 2, 1);
    let [iterable, key] = SIGNATURE.parse(ts, args)?;
    let iterator = protocol::iter(ts, iterable.unwrap_or(none()))?;
    let this = alloc::object::<PyGroupBy>(ts, of)?;
    this.iterator.set(Some(iterator));
    this.key_function.set(key.filter(|key| !is_none(key)).map(AsObject::new_ref));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

impl PyGroupBy {
    /// Reads an item; false at the end.
    fn step(&self, ts: &ThreadState) -> PyResult<bool> {
        let Some(iterator) = self.iterator.get() else { return Ok(false) };
        let Some(value) = protocol::next(ts, &iterator)? else { return Ok(false) };
        let key = match self.key_function.get() {
            Some(function) => call::call_with(ts, &function, &[&value])?,
            None => value.clone(),
        };
        self.current_value.set(Some(value));
        self.current_key.set(Some(key));
        Ok(true)
    }
}

fn next(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = object.cast::<PyGroupBy>();
    this.current_grouper.set(core::ptr::null());
    // What is left of the last group is passed over.
    loop {
        match (this.current_key.get(), this.target_key.get()) {
            (None, _) => {}
            (Some(_), None) => break,
            (Some(current), Some(target)) => {
                if !protocol::compare_bool(ts, &target, &current, CompareOp::Eq)? {
                    break;
                }
            }
        }
        if !this.step(ts)? {
            return Ok(None);
        }
    }
    let Some(key) = this.current_key.get() else { return Ok(None) };
    this.target_key.set(Some(key.clone()));
    let grouper = make_grouper(ts, &GROUPER_TYPE, Ref::from_borrowed(this), key.clone())?;
    Ok(Some(PyTuple::from_array(ts, [key, grouper])?.into_object()))
}

#[repr(C)]
pub(super) struct PyGrouper {
    ob_base: PyObject,
    parent: Slot<PyGroupBy>,
    target_key: Slot<PyObject>,
}

owns!(PyGrouper: parent, target_key);
iterator_type!(
    PyGrouper,
    GROUPER_TYPE,
    "_grouper",
    Some(grouper_new),
    grouper_next,
    "_grouper(parent, tgtkey, /)\n--\n\nThe items of one group."
);

fn make_grouper(ts: &ThreadState, of: &PyTypeObject, parent: Ref<PyGroupBy>, key: PyRef) -> PyResult {
    let this = alloc::object::<PyGrouper>(ts, of)?;
    parent.current_grouper.set(this.as_object());
    this.parent.set(Some(parent));
    this.target_key.set(Some(key));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn grouper_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &GROUPER_TYPE, args, 2, 2)?;
    let Some(parent) = given[0].downcast::<PyGroupBy>() else {
        return raise!(
            ts,
            exc::TypeError,
            "_grouper() argument 1 must be itertools.groupby, not {}",
            given[0].type_name()
        );
    };
    make_grouper(ts, of, Ref::from_borrowed(parent), given[1].new_ref())
}

fn grouper_next(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = object.cast::<PyGrouper>();
    let (Some(parent), Some(target)) = (this.parent.get(), this.target_key.get()) else { return Ok(None) };
    if !core::ptr::eq(parent.current_grouper.get(), object) {
        return Ok(None);
    }
    if !parent.current_value.is_some() && !parent.step(ts)? {
        return Ok(None);
    }
    let Some(current) = parent.current_key.get() else { return Ok(None) };
    if !protocol::compare_bool(ts, &target, &current, CompareOp::Eq)? {
        return Ok(None);
    }
    // Reading on is for the next call.
    parent.current_key.set(None);
    Ok(parent.current_value.take())
}
