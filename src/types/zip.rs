//! `zip`.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use crate::object::call::Signature;
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots, TypeSpec,
    alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::true_object;
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&ZIP_TYPE];

/// `zip`.
#[repr(C)]
pub struct PyZip {
    ob_base: PyObject,
    iterators: Slot<PyTuple>,
    result: Slot<PyTuple>,
    strict: Cell<bool>,
}

crate::native!(PyZip, ZIP_TYPE);
owns!(PyZip: iterators, result);

/// `zip`.
#[unsafe(export_name = "PyZip_Type")]
pub static ZIP_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"zip",
    basicsize: size_of::<PyZip>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "zip(*iterables, strict=False)\n--\n\nTuples with one item of each iterable, until the shortest is used up. With strict,\niterables of different lengths are a ValueError.",
    slots: TypeSlots {
        new: Some(zip_new),
        dealloc: Some(PyZip::slot_dealloc),
        traverse: Some(PyZip::slot_traverse),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(zip_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", zip_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", zip_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

/// The only keyword of `zip` and `map`.
pub(super) fn strict_keyword(ts: &ThreadState, args: Args<'_>, signature: &Signature<1>) -> PyResult<bool> {
    if !args.has_keywords() {
        return Ok(false);
    }
    let keywords = Args::new(&args.all()[args.len()..], args.keyword_names());
    let [strict] = signature.parse(ts, keywords)?;
    match strict {
        Some(flag) => protocol::is_true(ts, flag),
        None => Ok(false),
    }
}

/// Iterators over each of the iterables.
pub(crate) fn iterators_of(ts: &ThreadState, iterables: &[&PyObject]) -> PyResult<Ref<PyTuple>> {
    let mut iterators = TryVec::<PyRef>::new();
    iterators.try_reserve(iterables.len())?;
    for iterable in iterables {
        iterators.try_push(protocol::iter(ts, iterable)?)?;
    }
    PyTuple::from_vec(ts, iterators)
}

fn zip_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("zip", ["strict"], 0, 0, 0);
    let strict = strict_keyword(ts, args, &SIGNATURE)?;
    let iterators = iterators_of(ts, args.positional())?;
    let this = alloc::object::<PyZip>(ts, of)?;
    this.iterators.set(Some(iterators));
    this.strict.set(strict);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn zip_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyZip>();
    let Some(iterators) = this.iterators.get() else { return Ok(None) };
    let count = iterators.len();
    if count == 0 {
        return Ok(None);
    }
    // The tuple of the last round, when nobody has kept it.
    // SAFETY: the borrow is used only to look at the count.
    let kept = match unsafe { this.result.borrow() } {
        Some(tuple) if tuple.as_object().is_unique() => this.result.get(),
        _ => None,
    };
    if let Some(result) = kept {
        for (index, iterator) in iterators.items().iter().enumerate() {
            match protocol::next(ts, iterator)? {
                // SAFETY: the tuple has as many items as there are iterators, and only this object refers to it.
                Some(item) => unsafe { result.replace_item(index, item) }.release(ts),
                None => return ended(ts, this, &iterators, index),
            }
        }
        gc::track_again(ts, &result);
        return Ok(Some(result.into_object()));
    }
    let result = PyTuple::uninit_untracked(ts, count)?;
    for (index, iterator) in iterators.items().iter().enumerate() {
        match protocol::next(ts, iterator)? {
            // SAFETY: each place is filled once, and until all are nothing sees the tuple.
            Some(item) => unsafe { result.set_item(index, item) },
            None => return ended(ts, this, &iterators, index),
        }
    }
    gc::track(ts, &*result);
    if !this.result.is_some() {
        this.result.set(Some(result.clone()));
    }
    Ok(Some(result.into_object()))
}

/// Iterator number `index` has come to its end.
#[cold]
fn ended(ts: &ThreadState, this: &PyZip, iterators: &PyTuple, index: usize) -> PyResult<Option<PyRef>> {
    if this.strict.get() {
        check_lengths(ts, "zip", iterators, index)?;
    }
    Ok(None)
}

/// With `strict`: raises ValueError unless iterator `index` is the first one and all others are at their end too.
pub(super) fn check_lengths(ts: &ThreadState, name: &str, iterators: &PyTuple, index: usize) -> PyResult<()> {
    let those_before = |index: usize| if index == 1 { " " } else { "s 1-" };
    if index > 0 {
        return raise!(
            ts,
            exc::ValueError,
            "{name}() argument {} is shorter than argument{}{index}",
            index + 1,
            those_before(index)
        );
    }
    for (index, iterator) in iterators.items().iter().enumerate().skip(1) {
        if protocol::next(ts, iterator)?.is_some() {
            return raise!(
                ts,
                exc::ValueError,
                "{name}() argument {} is longer than argument{}{index}",
                index + 1,
                those_before(index)
            );
        }
    }
    Ok(())
}

fn zip_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyZip>();
    let iterators = this.iterators.get().unwrap_or_else(PyTuple::empty);
    let of = object.ob_type().as_object();
    let reduced = if this.strict.get() {
        PyTuple::new(ts, &[of, iterators.as_object(), true_object()])?
    } else {
        PyTuple::pair(ts, of, iterators.as_object())?
    };
    Ok(reduced.into_object())
}

fn zip_setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let strict = protocol::is_true(ts, state)?;
    this.cast::<PyZip>().strict.set(strict);
    Ok(ts.none())
}
