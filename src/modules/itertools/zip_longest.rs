//! `zip_longest`: tuples until the last iterable is used up.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::iterator_type;
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyZipLongest {
    ob_base: PyObject,
    /// The iterators; None in the places of those that are used up.
    iterators: Slot<PyList>,
    fill: Slot<PyObject>,
    /// How many iterators are not used up.
    active: Cell<usize>,
}

owns!(PyZipLongest: iterators, fill);
iterator_type!(
    PyZipLongest,
    ZIP_LONGEST_TYPE,
    "zip_longest",
    Some(new),
    next,
    "zip_longest(*iterables, fillvalue=None)\n--\n\nTuples with one item of each iterable, until the longest is used up; fillvalue stands in for the others."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("zip_longest", ["fillvalue"], 0, 0, 0);
    let mut fill = None;
    if args.has_keywords() {
        let keywords = Args::new(&args.all()[args.len()..], args.keyword_names());
        let [given] = SIGNATURE.parse(ts, keywords)?;
        fill = given;
    }
    let iterators = PyList::with_capacity(ts, args.len())?;
    for iterable in args.positional() {
        iterators.append(ts, protocol::iter(ts, iterable)?)?;
    }
    let this = alloc::object::<PyZipLongest>(ts, of)?;
    this.active.set(iterators.len());
    this.iterators.set(Some(iterators));
    this.fill.set(Some(fill.map_or_else(|| ts.none(), AsObject::new_ref)));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyZipLongest>();
    let (Some(iterators), Some(fill)) = (this.iterators.get(), this.fill.get()) else { return Ok(None) };
    if iterators.is_empty() || this.active.get() == 0 {
        return Ok(None);
    }
    let mut items = TryVec::<PyRef>::new();
    items.try_reserve(iterators.len())?;
    for index in 0..iterators.len() {
        let iterator = iterators.get(index).filter(|iterator| !is_none(iterator));
        let item = match iterator {
            None => None,
            Some(iterator) => match protocol::next(ts, &iterator) {
                Ok(Some(item)) => Some(item),
                Ok(None) => {
                    this.active.set(this.active.get().saturating_sub(1));
                    if this.active.get() == 0 {
                        return Ok(None);
                    }
                    iterators.set(ts, index, ts.none())?;
                    None
                }
                Err(raised) => {
                    this.active.set(0);
                    return Err(raised);
                }
            },
        };
        items.try_push(item.unwrap_or_else(|| fill.clone()))?;
    }
    Ok(Some(PyTuple::from_vec(ts, items)?.into_object()))
}
