//! `reversed`.

use core::cell::Cell;

use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Slot, StaticType, TypeSlots, TypeSpec, alloc,
    attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::seqiter::reduce_iterator;
use crate::types::tuple::{PyTuple, inherits_init};
use crate::{id, raise};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&REVERSED_TYPE];

/// `reversed`: over a sequence from its end.
#[repr(C)]
pub struct PyReversed {
    ob_base: PyObject,
    sequence: Slot<PyObject>,
    /// The index of the next item, -1 at the end.
    index: Cell<isize>,
}

crate::native!(PyReversed, REVERSED_TYPE);
owns!(PyReversed: sequence);

/// `reversed`.
#[unsafe(export_name = "PyReversed_Type")]
pub static REVERSED_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"reversed",
    basicsize: size_of::<PyReversed>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "reversed(object, /)\n--\n\nThe items of a sequence, the last one first.",
    slots: TypeSlots {
        new: Some(reversed_new),
        dealloc: Some(PyReversed::slot_dealloc),
        traverse: Some(PyReversed::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(reversed_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", reversed_len, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", reversed_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", reversed_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

fn reversed_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &REVERSED_TYPE) {
        return raise!(ts, exc::TypeError, "reversed() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "reversed", given.len(), 1, 1)?;
    let sequence = given[0];
    if let Some(method) = attr::bind_special(ts, sequence, id!(__reversed__))? {
        if is_none(&method) {
            return raise!(ts, exc::TypeError, "'{}' object is not reversible", sequence.type_name());
        }
        return call::call0(ts, &method);
    }
    if !protocol::is_sequence(sequence) {
        return raise!(ts, exc::TypeError, "'{}' object is not reversible", sequence.type_name());
    }
    let len = protocol::length(ts, sequence)?;
    let this = alloc::object::<PyReversed>(ts, of)?;
    this.index.set(len as isize - 1);
    this.sequence.set(Some(sequence.new_ref()));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn reversed_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyReversed>();
    let index = this.index.get();
    if index >= 0
        && let Some(sequence) = this.sequence.get()
    {
        match protocol::sequence_item(ts, &sequence, index) {
            Ok(item) => {
                this.index.set(index - 1);
                return Ok(Some(item));
            }
            Err(raised) if ts.raised_matches(&exc::IndexError) || ts.raised_matches(&exc::StopIteration) => {
                ts.clear_raised(raised);
            }
            Err(raised) => return Err(raised),
        }
    }
    this.index.set(-1);
    this.sequence.set(None);
    Ok(None)
}

fn reversed_len(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyReversed>();
    let left = match this.sequence.get() {
        Some(sequence) => {
            let wanted = this.index.get() + 1;
            if (protocol::length(ts, &sequence)? as isize) < wanted { 0 } else { wanted }
        }
        None => 0,
    };
    Ok(PyInt::from_i64(ts, left as i64)?.into_object())
}

fn reversed_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyReversed>();
    let of = object.ob_type().new_ref();
    match this.sequence.get() {
        Some(sequence) => {
            let arguments = PyTuple::from_array(ts, [sequence])?.into_object();
            let index = PyInt::from_i64(ts, this.index.get() as i64)?.into_object();
            Ok(PyTuple::from_array(ts, [of, arguments, index])?.into_object())
        }
        None => reduce_iterator(ts, of, PyTuple::empty().into_object(), None),
    }
}

fn reversed_setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let this = this.cast::<PyReversed>();
    let index = protocol::as_isize(ts, state)?;
    if let Some(sequence) = this.sequence.get() {
        let len = protocol::length(ts, &sequence)? as isize;
        this.index.set(index.clamp(-1, (len - 1).max(-1)));
    }
    Ok(ts.none())
}
