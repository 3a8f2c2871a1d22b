//! `range`, with ints of any size; and its iterators: one over machine integers, one over int objects.

use core::cell::Cell;

use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, call, flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::{BOOL_TYPE, py_bool};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::seqiter::builtin;
use crate::types::slice::{Indices, PySlice, any_indices};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::{PyTuple, inherits_init};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&RANGE_TYPE, &RANGE_ITERATOR_TYPE, &LONG_RANGE_ITERATOR_TYPE];

/// A range. The four values are exact ints.
#[repr(C)]
pub struct PyRange {
    ob_base: PyObject,
    start: Slot<PyInt>,
    stop: Slot<PyInt>,
    step: Slot<PyInt>,
    length: Slot<PyInt>,
}

crate::native!(PyRange, RANGE_TYPE);
owns!(PyRange: start, stop, step, length);

/// `range`.
#[unsafe(export_name = "PyRange_Type")]
pub static RANGE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"range",
    basicsize: size_of::<PyRange>(),
    flags: flags::SEQUENCE,
    doc: "range(stop) -> range object\nrange(start, stop[, step]) -> range object\n\nThe ints start, start + step, start + 2 * step, and so on, as long as they do not\nreach stop. start is 0 and step is 1 by default.",
    slots: TypeSlots {
        new: Some(range_new),
        dealloc: Some(PyRange::slot_dealloc),
        repr: Some(range_repr),
        hash: Some(range_hash),
        richcompare: Some(range_compare),
        iter: Some(range_iter),
        nb_bool: Some(|_, range| Ok(range.cast::<PyRange>().value(&range.cast::<PyRange>().length).sign() != 0)),
        sq_length: Some(range_length),
        mp_length: Some(range_length),
        sq_item: Some(range_item),
        sq_contains: Some(range_contains),
        mp_subscript: Some(range_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reversed__", range_reversed, "Iterates from the end."),
        MethodDef::no_args("__reduce__", range_reduce, ""),
        MethodDef::one("count", range_count, "count(value) -> how many items are equal to value"),
        MethodDef::one("index", range_index, "index(value) -> the index of value; ValueError when it is not there"),
    ],
    getset: &[
        GetSetDef::field("start", |_, range| Ok(start_of(range.cast()).into_object()), ""),
        GetSetDef::field("stop", |_, range| Ok(stop_of(range.cast()).into_object()), ""),
        GetSetDef::field("step", |_, range| Ok(step_of(range.cast()).into_object()), ""),
    ],
    ..TypeSpec::EMPTY
});

fn start_of(range: &PyRange) -> Ref<PyInt> {
    range.value(&range.start)
}

fn stop_of(range: &PyRange) -> Ref<PyInt> {
    range.value(&range.stop)
}

fn step_of(range: &PyRange) -> Ref<PyInt> {
    range.value(&range.step)
}

fn length_of(range: &PyRange) -> Ref<PyInt> {
    range.value(&range.length)
}

/// A range whose values are all machine integers.
#[derive(Clone, Copy)]
struct Small {
    start: i64,
    stop: i64,
    step: i64,
    length: i64,
}

impl PyRange {
    /// `range(start, stop, step)`; the step is not zero.
    fn new(ts: &ThreadState, start: Ref<PyInt>, stop: Ref<PyInt>, step: Ref<PyInt>) -> PyResult<Ref<PyRange>> {
        let length = range_len(ts, &start, &stop, &step)?;
        let range = alloc::exact::<PyRange>(ts)?;
        range.start.set(Some(start));
        range.stop.set(Some(stop));
        range.step.set(Some(step));
        range.length.set(Some(length));
        Ok(range)
    }

    fn value(&self, slot: &Slot<PyInt>) -> Ref<PyInt> {
        match slot.get() {
            Some(value) => value,
            // The slots of a range are filled before anyone sees it, and stay so.
            None => unreachable!("a range without its values"),
        }
    }

    #[inline]
    fn small(&self) -> Option<Small> {
        // SAFETY: the borrows end before anything else happens.
        unsafe {
            Some(Small {
                start: self.start.borrow()?.as_i64()?,
                stop: self.stop.borrow()?.as_i64()?,
                step: self.step.borrow()?.as_i64()?,
                length: self.length.borrow()?.as_i64()?,
            })
        }
    }

    /// Start, step and number of items, when all of them are machine integers: what a `for` loop needs.
    #[inline]
    pub fn machine_values(&self) -> Option<(i64, i64, i64)> {
        self.small().map(|small| (small.start, small.step, small.length))
    }
}

/// The number of items: by machine arithmetic where that is enough.
fn range_len(ts: &ThreadState, start: &PyInt, stop: &PyInt, step: &PyInt) -> PyResult<Ref<PyInt>> {
    if let (Some(start), Some(stop), Some(step)) = (start.as_i64(), stop.as_i64(), step.as_i64()) {
        let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
        let length = if step > 0 && start < stop {
            (stop - start - 1) / step + 1
        } else if step < 0 && start > stop {
            (start - stop - 1) / -step + 1
        } else {
            0
        };
        return int(ts, length);
    }
    let (low, high, step) = if step.sign() > 0 {
        (start.new_ref(), stop.new_ref(), step.new_ref())
    } else {
        (stop.new_ref(), start.new_ref(), protocol::negative(ts, step.as_object())?)
    };
    if protocol::compare_bool(ts, &low, &high, CompareOp::Ge)? {
        return int(ts, 0);
    }
    let one = PyInt::from_i64(ts, 1)?;
    let distance = protocol::subtract(ts, &*protocol::subtract(ts, &high, &low)?, &one)?;
    let length = protocol::add(ts, &*protocol::floor_divide(ts, &distance, &step)?, &one)?;
    Ok(length.cast_into())
}

/// A new exact int.
fn int(ts: &ThreadState, value: i128) -> PyResult<Ref<PyInt>> {
    Ok(PyInt::from_i128(ts, value)?.cast_into())
}

/// An argument as an exact int.
fn exact_index(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyInt>> {
    let int = protocol::index(ts, object)?;
    exact(ts, int)
}

fn exact(ts: &ThreadState, int: Ref<PyInt>) -> PyResult<Ref<PyInt>> {
    if int.as_object().downcast_exact::<PyInt>().is_some() {
        return Ok(int);
    }
    match int.as_i64() {
        Some(value) => Ok(PyInt::from_i64(ts, value)?.cast_into()),
        None => {
            let zero = PyInt::from_i64(ts, 0)?;
            // int's own addition, whatever the subclass says.
            match crate::types::int::INT_TYPE.slots().nb_add {
                Some(add) => Ok(add(ts, int.as_object(), zero.as_object())?.cast_into()),
                None => Ok(int),
            }
        }
    }
}

fn range_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &RANGE_TYPE) {
        return raise!(ts, exc::TypeError, "range() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "range", given.len(), 1, 3)?;
    let one = || int(ts, 1);
    let range = match *given {
        [stop] => PyRange::new(ts, int(ts, 0)?, exact_index(ts, stop)?, one()?)?,
        [start, stop] => PyRange::new(ts, exact_index(ts, start)?, exact_index(ts, stop)?, one()?)?,
        _ => {
            let (start, stop, step) =
                (exact_index(ts, given[0])?, exact_index(ts, given[1])?, exact_index(ts, given[2])?);
            if step.sign() == 0 {
                return raise!(ts, exc::ValueError, "range() arg 3 must not be zero");
            }
            PyRange::new(ts, start, stop, step)?
        }
    };
    Ok(range.into_object())
}

fn range_repr(ts: &ThreadState, range: &PyObject) -> PyResult {
    let range = range.cast::<PyRange>();
    if let Some(small) = range.small() {
        return Ok(match small.step {
            1 => PyStr::format(ts, format_args!("range({}, {})", small.start, small.stop))?,
            step => PyStr::format(ts, format_args!("range({}, {}, {step})", small.start, small.stop))?,
        }
        .into_object());
    }
    let mut text = StrBuilder::new();
    text.push_str("range(")?;
    text.push_repr(ts, start_of(range).as_object())?;
    text.push_str(", ")?;
    text.push_repr(ts, stop_of(range).as_object())?;
    if step_of(range).as_i64() != Some(1) {
        text.push_str(", ")?;
        text.push_repr(ts, step_of(range).as_object())?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn range_hash(ts: &ThreadState, range: &PyObject) -> PyResult<isize> {
    let range = range.cast::<PyRange>();
    let length = length_of(range);
    let (start, step) = (start_of(range), step_of(range));
    // Ranges are equal when their items are: what does not show in the items does not count.
    let values: [&PyObject; 3] = match length.as_i64() {
        Some(0) => [length.as_object(), none(), none()],
        Some(1) => [length.as_object(), start.as_object(), none()],
        _ => [length.as_object(), start.as_object(), step.as_object()],
    };
    protocol::hash(ts, PyTuple::new(ts, &values)?.as_object())
}

fn range_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PyRange>(), right.downcast::<PyRange>()) else {
        return Ok(not_implemented());
    };
    match op {
        CompareOp::Eq => Ok(py_bool(equal(ts, left, right)?)),
        CompareOp::Ne => Ok(py_bool(!equal(ts, left, right)?)),
        _ => Ok(not_implemented()),
    }
}

fn equal(ts: &ThreadState, left: &PyRange, right: &PyRange) -> PyResult<bool> {
    if core::ptr::eq(left, right) {
        return Ok(true);
    }
    let same = |a: Ref<PyInt>, b: Ref<PyInt>| protocol::compare_bool(ts, a.as_object(), b.as_object(), CompareOp::Eq);
    if !same(length_of(left), length_of(right))? {
        return Ok(false);
    }
    match length_of(left).as_i64() {
        Some(0) => Ok(true),
        Some(1) => same(start_of(left), start_of(right)),
        _ => Ok(same(start_of(left), start_of(right))? && same(step_of(left), step_of(right))?),
    }
}

fn range_length(ts: &ThreadState, range: &PyObject) -> PyResult<usize> {
    length_of(range.cast()).to_isize(ts).map(|length| length as usize)
}

/// `range[index]` for an index that is not negative and below the length.
fn item(ts: &ThreadState, range: &PyRange, index: &PyInt) -> PyResult {
    if let (Some(small), Some(index)) = (range.small(), index.as_i64()) {
        let value = i128::from(small.start) + i128::from(index) * i128::from(small.step);
        return PyInt::from_i128(ts, value);
    }
    let offset = protocol::multiply(ts, index.as_object(), step_of(range).as_object())?;
    protocol::add(ts, start_of(range).as_object(), &offset)
}

fn range_item(ts: &ThreadState, range: &PyObject, index: isize) -> PyResult {
    any_item(ts, range.cast(), int(ts, index as i128)?, false)
}

fn any_item(ts: &ThreadState, range: &PyRange, index: Ref<PyInt>, from_end: bool) -> PyResult {
    let length = length_of(range);
    let index = if from_end && index.sign() < 0 {
        protocol::add(ts, index.as_object(), length.as_object())?.cast_into::<PyInt>()
    } else {
        index
    };
    if index.sign() < 0 || protocol::compare_bool(ts, index.as_object(), length.as_object(), CompareOp::Ge)? {
        return raise!(ts, exc::IndexError, "range object index out of range");
    }
    item(ts, range, &index)
}

fn range_subscript(ts: &ThreadState, range: &PyObject, key: &PyObject) -> PyResult {
    let this = range.cast::<PyRange>();
    if key.ob_type().slots().nb_index.is_some() {
        return any_item(ts, this, exact_index(ts, key)?, true);
    }
    let Some(slice) = key.downcast_exact::<PySlice>() else {
        return raise!(ts, exc::TypeError, "range indices must be integers or slices, not {}", key.type_name());
    };
    if let Some(small) = this.small() {
        let (start, stop, step) = slice.unpack(ts)?;
        let found = Indices::clip(start, stop, step, small.length as usize);
        let value = |index: isize| int(ts, i128::from(small.start) + index as i128 * i128::from(small.step));
        // A clipped step beyond 64 bits shows in the result: that case takes the long way.
        if found.step.unsigned_abs() != isize::MAX as usize {
            let step = int(ts, found.step as i128 * i128::from(small.step))?;
            return Ok(PyRange::new(ts, value(found.start)?, value(found.stop)?, step)?.into_object());
        }
    }
    let indices = any_indices(ts, slice, length_of(this))?;
    let [start, stop, step] = indices.items() else { return Ok(not_implemented()) };
    let base = start_of(this);
    let factor = step_of(this);
    let moved = |index: &PyObject| -> PyResult<Ref<PyInt>> {
        let offset = protocol::multiply(ts, index, factor.as_object())?;
        exact(ts, protocol::add(ts, base.as_object(), &offset)?.cast_into())
    };
    let step = exact(ts, protocol::multiply(ts, step, factor.as_object())?.cast_into())?;
    Ok(PyRange::new(ts, moved(start)?, moved(stop)?, step)?.into_object())
}

fn is_plain_int(value: &PyObject) -> bool {
    value.downcast_exact::<PyInt>().is_some() || core::ptr::eq(value.ob_type(), &BOOL_TYPE.object)
}

/// Whether an int is among the items, without looking at them.
fn contains_int(ts: &ThreadState, range: &PyRange, value: &PyObject) -> PyResult<bool> {
    let int = value.cast::<PyInt>();
    if let (Some(small), Some(value)) = (range.small(), int.as_i64()) {
        let inside = if small.step > 0 {
            small.start <= value && value < small.stop
        } else {
            small.stop < value && value <= small.start
        };
        return Ok(inside && (i128::from(value) - i128::from(small.start)) % i128::from(small.step) == 0);
    }
    let (start, stop, step) = (start_of(range), stop_of(range), step_of(range));
    let inside = if step.sign() > 0 {
        protocol::compare_bool(ts, start.as_object(), value, CompareOp::Le)?
            && protocol::compare_bool(ts, value, stop.as_object(), CompareOp::Lt)?
    } else {
        protocol::compare_bool(ts, value, start.as_object(), CompareOp::Le)?
            && protocol::compare_bool(ts, stop.as_object(), value, CompareOp::Lt)?
    };
    if !inside {
        return Ok(false);
    }
    let distance = protocol::subtract(ts, value, start.as_object())?;
    let rest = protocol::remainder(ts, &distance, step.as_object())?;
    Ok(!protocol::is_true(ts, &rest)?)
}

fn range_contains(ts: &ThreadState, range: &PyObject, value: &PyObject) -> PyResult<bool> {
    if is_plain_int(value) {
        return contains_int(ts, range.cast(), value);
    }
    protocol::contains_by_iteration(ts, range, value)
}

fn range_count(ts: &ThreadState, range: &PyObject, value: &PyObject) -> PyResult {
    if is_plain_int(value) {
        let count = i64::from(contains_int(ts, range.cast(), value)?);
        return Ok(PyInt::from_i64(ts, count)?.into_object());
    }
    let count = crate::modules::_operator::count_of(ts, range, value)?;
    Ok(PyInt::from_usize(ts, count)?.into_object())
}

fn range_index(ts: &ThreadState, range: &PyObject, value: &PyObject) -> PyResult {
    if !is_plain_int(value) {
        let index = crate::modules::_operator::index_of(ts, range, value)?;
        return Ok(PyInt::from_usize(ts, index)?.into_object());
    }
    let this = range.cast::<PyRange>();
    if !contains_int(ts, this, value)? {
        return raise!(ts, exc::ValueError, "range.index(x): x not in range");
    }
    let distance = protocol::subtract(ts, value, start_of(this).as_object())?;
    protocol::floor_divide(ts, &distance, step_of(this).as_object())
}

fn range_reduce(ts: &ThreadState, range: &PyObject) -> PyResult {
    let this = range.cast::<PyRange>();
    let values = [start_of(this).into_object(), stop_of(this).into_object(), step_of(this).into_object()];
    let arguments = PyTuple::from_array(ts, values)?;
    Ok(PyTuple::pair(ts, range.ob_type().as_object(), arguments.as_object())?.into_object())
}

fn range_iter(ts: &ThreadState, range: &PyObject) -> PyResult {
    let range = range.cast::<PyRange>();
    if let Some(small) = range.small()
        && has_machine_end(small.start, small.step, small.length)
    {
        return PyRangeIter::new(ts, small.start, small.step, small.length);
    }
    PyLongRangeIter::new(ts, start_of(range), step_of(range), length_of(range))
}

/// Whether what comes behind the last number is a machine integer too: a pickled iterator is a range up to there.
fn has_machine_end(start: i64, step: i64, length: i64) -> bool {
    step.checked_mul(length).and_then(|distance| start.checked_add(distance)).is_some()
}

fn range_reversed(ts: &ThreadState, range: &PyObject) -> PyResult {
    let this = range.cast::<PyRange>();
    if let Some(small) = this.small()
        && let Some(step) = small.step.checked_neg()
    {
        let last = i128::from(small.start) + (i128::from(small.length) - 1) * i128::from(small.step);
        if let Ok(last) = i64::try_from(last)
            && has_machine_end(last, step, small.length)
        {
            return PyRangeIter::new(ts, last, step, small.length);
        }
    }
    let (start, step, length) = (start_of(this), step_of(this), length_of(this));
    let one = PyInt::from_i64(ts, 1)?;
    let index = protocol::subtract(ts, length.as_object(), one.as_object())?;
    let offset = protocol::multiply(ts, &index, step.as_object())?;
    let last = protocol::add(ts, start.as_object(), &offset)?;
    let step = protocol::negative(ts, step.as_object())?;
    PyLongRangeIter::new(ts, last.cast_into(), step.cast_into(), length)
}

/// `range_iterator`: over machine integers. The evaluation loop steps it in place.
#[repr(C)]
pub struct PyRangeIter {
    ob_base: PyObject,
    /// The next item.
    pub start: Cell<i64>,
    /// The distance to the one after it.
    pub step: Cell<i64>,
    /// How many items there still are.
    pub len: Cell<i64>,
}

crate::native!(PyRangeIter, RANGE_ITERATOR_TYPE);

/// The type of `iter(range(1))`.
#[unsafe(export_name = "PyRangeIter_Type")]
pub static RANGE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"range_iterator",
    basicsize: size_of::<PyRangeIter>(),
    slots: TypeSlots {
        dealloc: Some(range_iter_dealloc),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(|ts, this| match this.cast::<PyRangeIter>().next() {
            Some(value) => Ok(Some(PyInt::from_i64(ts, value)?.into_object())),
            None => Ok(None),
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "__length_hint__",
            |ts, this| Ok(PyInt::from_i64(ts, this.cast::<PyRangeIter>().len.get())?.into_object()),
            "How many items are left, as far as can be told.",
        ),
        MethodDef::no_args("__reduce__", range_iter_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", range_iter_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyRangeIter {
    /// An iterator over `len` numbers.
    #[inline]
    pub fn new(ts: &ThreadState, start: i64, step: i64, len: i64) -> PyResult {
        let this = alloc::exact::<PyRangeIter>(ts)?;
        this.start.set(start);
        this.step.set(step);
        this.len.set(len);
        Ok(this.into_object())
    }

    /// The next number.
    #[inline(always)]
    pub fn next(&self) -> Option<i64> {
        let len = self.len.get();
        if len <= 0 {
            return None;
        }
        let value = self.start.get();
        // Behind the last number it may wrap; that value is never used.
        self.start.set(value.wrapping_add(self.step.get()));
        self.len.set(len - 1);
        Some(value)
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn range_iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the iterator owns no references.
    unsafe { alloc::free(ts, object) }
}

/// `(iter, (range(start, start + len * step, step),), None)`.
fn reduce_as_range(ts: &ThreadState, start: Ref<PyInt>, step: Ref<PyInt>, len: Ref<PyInt>) -> PyResult {
    let offset = protocol::multiply(ts, len.as_object(), step.as_object())?;
    let stop = protocol::add(ts, start.as_object(), &offset)?;
    let range = PyRange::new(ts, start, stop.cast_into(), step)?;
    let arguments = PyTuple::from_array(ts, [range.into_object()])?;
    Ok(PyTuple::from_array(ts, [builtin(ts, "iter")?, arguments.into_object(), ts.none()])?.into_object())
}

fn range_iter_reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyRangeIter>();
    let int = |value: i64| int(ts, i128::from(value));
    reduce_as_range(ts, int(this.start.get())?, int(this.step.get())?, int(this.len.get())?)
}

fn range_iter_setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let this = this.cast::<PyRangeIter>();
    let index = protocol::index(ts, state)?.to_i64(ts)?.clamp(0, this.len.get().max(0));
    this.start.set(this.start.get().wrapping_add(index.wrapping_mul(this.step.get())));
    this.len.set(this.len.get() - index);
    Ok(ts.none())
}

/// `longrange_iterator`: over ints of any size.
#[repr(C)]
pub struct PyLongRangeIter {
    ob_base: PyObject,
    start: Slot<PyInt>,
    step: Slot<PyInt>,
    len: Slot<PyInt>,
}

crate::native!(PyLongRangeIter, LONG_RANGE_ITERATOR_TYPE);
owns!(PyLongRangeIter: start, step, len);

/// The type of `iter(range(2 ** 64))`.
#[unsafe(export_name = "PyLongRangeIter_Type")]
pub static LONG_RANGE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"longrange_iterator",
    basicsize: size_of::<PyLongRangeIter>(),
    slots: TypeSlots {
        dealloc: Some(PyLongRangeIter::slot_dealloc),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(long_next),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "__length_hint__",
            |ts, this| Ok(this.cast::<PyLongRangeIter>().values(ts)?.2.into_object()),
            "How many items are left, as far as can be told.",
        ),
        MethodDef::no_args("__reduce__", long_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", long_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyLongRangeIter {
    fn new(ts: &ThreadState, start: Ref<PyInt>, step: Ref<PyInt>, len: Ref<PyInt>) -> PyResult {
        let this = alloc::exact::<PyLongRangeIter>(ts)?;
        this.start.set(Some(start));
        this.step.set(Some(step));
        this.len.set(Some(len));
        Ok(this.into_object())
    }

    fn values(&self, ts: &ThreadState) -> PyResult<(Ref<PyInt>, Ref<PyInt>, Ref<PyInt>)> {
        match (self.start.get(), self.step.get(), self.len.get()) {
            (Some(start), Some(step), Some(len)) => Ok((start, step, len)),
            _ => raise!(ts, exc::SystemError, "a range iterator without its values"),
        }
    }
}

fn long_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyLongRangeIter>();
    let (start, step, len) = this.values(ts)?;
    if len.sign() <= 0 {
        return Ok(None);
    }
    let one = PyInt::from_i64(ts, 1)?;
    let next = protocol::add(ts, start.as_object(), step.as_object())?;
    let len = protocol::subtract(ts, len.as_object(), one.as_object())?;
    this.start.set(Some(next.cast_into()));
    this.len.set(Some(len.cast_into()));
    Ok(Some(start.into_object()))
}

fn long_reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let (start, step, len) = this.cast::<PyLongRangeIter>().values(ts)?;
    reduce_as_range(ts, start, step, len)
}

fn long_setstate(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let this = this.cast::<PyLongRangeIter>();
    let Some(state) = state.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "state must be an int, not {}", state.type_name());
    };
    let (start, step, len) = this.values(ts)?;
    if state.sign() < 0 {
        return Ok(ts.none());
    }
    let index = match protocol::compare_bool(ts, state.as_object(), len.as_object(), CompareOp::Gt)? {
        true => len.clone(),
        false => exact(ts, Ref::from_borrowed(state))?,
    };
    let offset = protocol::multiply(ts, index.as_object(), step.as_object())?;
    let start = protocol::add(ts, start.as_object(), &offset)?;
    let len = protocol::subtract(ts, len.as_object(), index.as_object())?;
    this.start.set(Some(start.cast_into()));
    this.len.set(Some(len.cast_into()));
    Ok(ts.none())
}
