//! `slice`, and what a subscript means to a sequence.

use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::tuple::{PyTuple, TupleHasher};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&SLICE_TYPE];

/// A slice: three objects, usually ints or None.
#[repr(C)]
pub struct PySlice {
    ob_base: PyObject,
    start: Slot<PyObject>,
    stop: Slot<PyObject>,
    step: Slot<PyObject>,
}

crate::native!(PySlice, SLICE_TYPE);
owns!(PySlice: start, stop, step);

/// `slice`.
#[unsafe(export_name = "PySlice_Type")]
pub static SLICE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"slice",
    basicsize: size_of::<PySlice>(),
    flags: flags::HAVE_GC,
    doc: "slice(stop)\nslice(start, stop[, step])\n\nWhat a[start:stop:step] hands to the subscripted object.",
    slots: TypeSlots {
        new: Some(slice_new),
        dealloc: Some(PySlice::slot_dealloc),
        traverse: Some(PySlice::slot_traverse),
        repr: Some(slice_repr),
        hash: Some(slice_hash),
        richcompare: Some(slice_compare),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "indices",
            slice_indices,
            "S.indices(len) -> (start, stop, step)\n\nWhat the slice selects of a sequence with len items, as arguments for range().",
        ),
        MethodDef::no_args("__reduce__", slice_reduce, "What pickle needs to make the object again."),
    ],
    getset: &[
        GetSetDef::field("start", |_, slice| Ok(slice.cast::<PySlice>().start()), ""),
        GetSetDef::field("stop", |_, slice| Ok(slice.cast::<PySlice>().stop()), ""),
        GetSetDef::field("step", |_, slice| Ok(slice.cast::<PySlice>().step()), ""),
    ],
    ..TypeSpec::EMPTY
});

/// What a slice selects of a sequence of known length: `start`, `start + step`, … `length` items in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    /// The first index.
    pub start: isize,
    /// The index that is not reached any more.
    pub stop: isize,
    /// The distance; never 0, never the smallest isize.
    pub step: isize,
    /// How many items there are.
    pub length: usize,
}

impl PySlice {
    /// `slice(start, stop, step)`.
    pub fn new(ts: &ThreadState, start: &PyObject, stop: &PyObject, step: &PyObject) -> PyResult<Ref<PySlice>> {
        Self::from_refs(ts, start.new_ref(), stop.new_ref(), step.new_ref())
    }

    /// The same with references that the slice takes over.
    #[inline]
    pub fn from_refs(ts: &ThreadState, start: PyRef, stop: PyRef, step: PyRef) -> PyResult<Ref<PySlice>> {
        let slice = alloc::object::<PySlice>(ts, &SLICE_TYPE)?;
        slice.start.set(Some(start));
        slice.stop.set(Some(stop));
        slice.step.set(Some(step));
        gc::track(ts, &*slice);
        Ok(slice)
    }

    /// `slice.start`.
    pub fn start(&self) -> PyRef {
        self.start.get().unwrap_or_else(|| none().new_ref())
    }

    /// `slice.stop`.
    pub fn stop(&self) -> PyRef {
        self.stop.get().unwrap_or_else(|| none().new_ref())
    }

    /// `slice.step`.
    pub fn step(&self) -> PyRef {
        self.step.get().unwrap_or_else(|| none().new_ref())
    }

    /// The three values as numbers, missing ones filled in, large ones clipped; independent of a length
    /// (`PySlice_Unpack`). Raises ValueError for a step of zero.
    pub fn unpack(&self, ts: &ThreadState) -> PyResult<(isize, isize, isize)> {
        let step = self.step();
        let step = if is_none(&step) { 1 } else { slice_index(ts, &step)? };
        if step == 0 {
            return raise!(ts, exc::ValueError, "slice step cannot be zero");
        }
        // So that the step can be negated.
        let step = step.max(-isize::MAX);
        let start = self.start();
        let start = match is_none(&start) {
            true if step < 0 => isize::MAX,
            true => 0,
            false => slice_index(ts, &start)?,
        };
        let stop = self.stop();
        let stop = match is_none(&stop) {
            true if step < 0 => isize::MIN,
            true => isize::MAX,
            false => slice_index(ts, &stop)?,
        };
        Ok((start, stop, step))
    }

    /// What the slice selects of `len` items: start, stop, step, number of items. Runs `__index__` methods, which
    /// may change the sequence: where that matters, [`unpack`](PySlice::unpack) first, then [`Indices::clip`].
    #[inline]
    pub fn adjust(ts: &ThreadState, slice: &PySlice, len: usize) -> PyResult<(isize, isize, isize, usize)> {
        let (start, stop, step) = slice.unpack(ts)?;
        let found = Indices::clip(start, stop, step, len);
        Ok((found.start, found.stop, found.step, found.length))
    }
}

impl Indices {
    /// Clips unpacked values to a sequence of `len` items (`PySlice_AdjustIndices`).
    #[inline]
    pub fn clip(start: isize, stop: isize, step: isize, len: usize) -> Indices {
        let len = len as isize;
        let clip = |at: isize| {
            if at < 0 {
                let at = at.saturating_add(len);
                if at < 0 { if step < 0 { -1 } else { 0 } } else { at }
            } else if at >= len {
                if step < 0 { len - 1 } else { len }
            } else {
                at
            }
        };
        let (start, stop) = (clip(start), clip(stop));
        let length = if step < 0 {
            if stop < start { (start - stop - 1) / -step + 1 } else { 0 }
        } else if start < stop {
            (stop - start - 1) / step + 1
        } else {
            0
        };
        Indices { start, stop, step, length: length as usize }
    }

    /// The selected indices in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..self.length).map(move |i| (self.start + i as isize * self.step) as usize)
    }
}

/// A slice bound as a number, clipped to the range of isize. TypeError when it is no integer.
#[inline]
pub fn slice_index(ts: &ThreadState, bound: &PyObject) -> PyResult<isize> {
    if let Some(int) = bound.downcast_exact::<PyInt>() {
        return Ok(clipped(int));
    }
    if bound.ob_type().slots().nb_index.is_none() {
        return raise!(ts, exc::TypeError, "slice indices must be integers or None or have an __index__ method");
    }
    Ok(clipped(&*protocol::index(ts, bound)?))
}

/// The same for the bounds of `index` methods, which may not be None.
pub fn bound_index(ts: &ThreadState, bound: &PyObject) -> PyResult<isize> {
    if let Some(int) = bound.downcast_exact::<PyInt>() {
        return Ok(clipped(int));
    }
    if bound.ob_type().slots().nb_index.is_none() {
        return raise!(ts, exc::TypeError, "slice indices must be integers or have an __index__ method");
    }
    Ok(clipped(&*protocol::index(ts, bound)?))
}

fn clipped(int: &PyInt) -> isize {
    match int.as_i64() {
        Some(value) => value as isize,
        None if int.sign() < 0 => isize::MIN,
        None => isize::MAX,
    }
}

/// A subscript as an index that may be negative; IndexError when it is out of all range. The caller has seen that
/// the key has `__index__`.
#[inline]
pub fn subscript_index(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    if let Some(value) = key.downcast_exact::<PyInt>().and_then(PyInt::as_i64) {
        return Ok(value as isize);
    }
    subscript_index_slow(ts, key)
}

#[cold]
fn subscript_index_slow(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    match protocol::index(ts, key)?.as_i64() {
        Some(value) => Ok(value as isize),
        None => raise!(ts, exc::IndexError, "cannot fit '{}' into an index-sized integer", key.type_name()),
    }
}

fn slice_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && core::ptr::eq(of, &SLICE_TYPE.object) {
        return raise!(ts, exc::TypeError, "slice() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "slice", given.len(), 1, 3)?;
    let slice = match *given {
        [stop] => PySlice::new(ts, none(), stop, none())?,
        [start, stop] => PySlice::new(ts, start, stop, none())?,
        _ => PySlice::new(ts, given[0], given[1], given[2])?,
    };
    Ok(slice.into_object())
}

fn slice_repr(ts: &ThreadState, slice: &PyObject) -> PyResult {
    let slice = slice.cast::<PySlice>();
    let mut text = crate::types::str::StrBuilder::new();
    text.push_str("slice(")?;
    text.push_repr(ts, &slice.start())?;
    text.push_str(", ")?;
    text.push_repr(ts, &slice.stop())?;
    text.push_str(", ")?;
    text.push_repr(ts, &slice.step())?;
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn slice_hash(ts: &ThreadState, slice: &PyObject) -> PyResult<isize> {
    let slice = slice.cast::<PySlice>();
    let mut hasher = TupleHasher::new();
    for part in [slice.start(), slice.stop(), slice.step()] {
        hasher.add(protocol::hash(ts, &part)?);
    }
    // Unlike a tuple's, a slice's hash leaves the length out.
    Ok(hasher.finish_without_length())
}

fn slice_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PySlice>(), right.downcast::<PySlice>()) else {
        return Ok(not_implemented());
    };
    if core::ptr::eq(left, right) {
        return Ok(py_bool(matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge)));
    }
    let left = PyTuple::new(ts, &[&left.start(), &left.stop(), &left.step()])?;
    let right = PyTuple::new(ts, &[&right.start(), &right.stop(), &right.step()])?;
    protocol::compare(ts, left.as_object(), right.as_object(), op)
}

fn slice_reduce(ts: &ThreadState, slice: &PyObject) -> PyResult {
    let this = slice.cast::<PySlice>();
    let arguments = PyTuple::new(ts, &[&this.start(), &this.stop(), &this.step()])?;
    Ok(PyTuple::pair(ts, slice.ob_type().as_object(), arguments.as_object())?.into_object())
}

/// `slice.indices`: with ints of any size.
fn slice_indices(ts: &ThreadState, slice: &PyObject, length: &PyObject) -> PyResult {
    let slice = slice.cast::<PySlice>();
    let length = protocol::index(ts, length)?;
    if length.sign() < 0 {
        return raise!(ts, exc::ValueError, "length should not be negative");
    }
    Ok(any_indices(ts, slice, length)?.into_object())
}

/// What a slice selects of a sequence of any length: a tuple of start, stop and step.
pub(crate) fn any_indices(ts: &ThreadState, slice: &PySlice, length: Ref<PyInt>) -> PyResult<Ref<PyTuple>> {
    let parts = (small_bound(ts, &slice.start())?, small_bound(ts, &slice.stop())?, small_bound(ts, &slice.step())?);
    if let (Some(start), Some(stop), Some(step), Some(len)) = (parts.0, parts.1, parts.2, length.as_i64()) {
        let step = step.unwrap_or(1);
        if step == 0 {
            return raise!(ts, exc::ValueError, "slice step cannot be zero");
        }
        if step > i64::MIN && len < i64::MAX {
            let start = start.unwrap_or(if step < 0 { i64::MAX } else { 0 }) as isize;
            let stop = stop.unwrap_or(if step < 0 { i64::MIN } else { i64::MAX }) as isize;
            let found = Indices::clip(start, stop, step as isize, len as usize);
            return three(
                ts,
                PyInt::from_i64(ts, found.start as i64)?.into_object(),
                PyInt::from_i64(ts, found.stop as i64)?.into_object(),
                PyInt::from_i64(ts, step)?.into_object(),
            );
        }
    }
    long_indices(ts, slice, length)
}

/// A bound as a machine integer: the outer None says that it does not fit, the inner that it is absent.
fn small_bound(ts: &ThreadState, bound: &PyObject) -> PyResult<Option<Option<i64>>> {
    if is_none(bound) {
        return Ok(Some(None));
    }
    Ok(long_bound(ts, bound)?.as_i64().map(Some))
}

fn long_bound(ts: &ThreadState, bound: &PyObject) -> PyResult<Ref<PyInt>> {
    if bound.ob_type().slots().nb_index.is_none() {
        return raise!(ts, exc::TypeError, "slice indices must be integers or None or have an __index__ method");
    }
    protocol::index(ts, bound)
}

fn three(ts: &ThreadState, a: PyRef, b: PyRef, c: PyRef) -> PyResult<Ref<PyTuple>> {
    PyTuple::from_array(ts, [a, b, c])
}

/// `indices` by int objects: the way for values beyond 64 bits.
#[cold]
fn long_indices(ts: &ThreadState, slice: &PySlice, length: Ref<PyInt>) -> PyResult<Ref<PyTuple>> {
    let length = length.into_object();
    let step = match slice.step() {
        step if is_none(&step) => PyInt::from_i64(ts, 1)?.into_object(),
        step => long_bound(ts, &step)?.into_object(),
    };
    let zero: PyRef = PyInt::from_i64(ts, 0)?.into_object();
    let sign = step.cast::<PyInt>().sign();
    if sign == 0 {
        return raise!(ts, exc::ValueError, "slice step cannot be zero");
    }
    let (lower, upper) = if sign < 0 {
        let minus_one: PyRef = PyInt::from_i64(ts, -1)?.into_object();
        let upper = protocol::add(ts, &length, &minus_one)?;
        (minus_one, upper)
    } else {
        (zero.clone(), length.clone())
    };
    let clip = |bound: PyRef, absent: &PyRef| -> PyResult {
        if is_none(&bound) {
            return Ok(absent.clone());
        }
        let bound = long_bound(ts, &bound)?.into_object();
        if bound.cast::<PyInt>().sign() < 0 {
            let moved = protocol::add(ts, &bound, &length)?;
            let below = protocol::compare_bool(ts, &moved, &lower, CompareOp::Lt)?;
            return Ok(if below { lower.clone() } else { moved });
        }
        let above = protocol::compare_bool(ts, &bound, &upper, CompareOp::Gt)?;
        Ok(if above { upper.clone() } else { bound })
    };
    let start = clip(slice.start(), if sign < 0 { &upper } else { &lower })?;
    let stop = clip(slice.stop(), if sign < 0 { &lower } else { &upper })?;
    three(ts, start, stop, step)
}
