//! `list.sort`: a stable merge sort that finds the runs that are there already, merges them in the order of
//! powersort, and gallops where one side wins for long.
//!
//! What is sorted is an array of entries beside the list: the key in the form that is fastest to compare, and the
//! item's pointer. A look at all keys before the sort chooses the form: all of them ints of 64 bits, floats or
//! one-byte strings are compared without an object in sight; tuples compare by their first members in that
//! way as long as those differ; keys of one type compare by its slot; all others by the protocol.
//!
//! I1: while keys are compared the list is empty (`PyList`'s I2), and the items' buffer belongs to the sort.
//! I2: at every moment that Python code can run, and when the sort ends early, the entries, with those in the merge
//!     buffer put back, are a permutation of those at the start.

mod merge;

use hognose_allocators::collections::TryVec;

use self::merge::{Compares, Entry};
use super::{PyList, drop_buffer};
use crate::object::{CompareOp, PyObject, PyRef, PyResult, PyTypeObject, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::notimplemented::is_not_implemented;
use crate::types::str::{PyStr, StrData};
use crate::types::tuple::PyTuple;

/// Sorts `list` by `key(item)`, or by the items themselves.
pub(super) fn sort(ts: &ThreadState, list: &PyList, key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
    let taken = Taken::from(list);
    let mut result = taken.sort(ts, key, reverse);
    let changed = list.allocated.get() != -1;
    if changed && result.is_ok() {
        result = raise!(ts, exc::ValueError, "list modified during sort");
    }
    taken.give_back(ts, list);
    result
}

/// The buffer of a list that is being sorted.
struct Taken {
    places: *mut *mut PyObject,
    len: usize,
    allocated: isize,
}

impl Taken {
    fn from(list: &PyList) -> Taken {
        Taken {
            len: list.ob_base.ob_size.replace(0) as usize,
            places: list.ob_item.replace(core::ptr::null_mut()),
            allocated: list.allocated.replace(-1),
        }
    }

    /// Puts the buffer back into the list, and drops what the list has got in the meantime.
    fn give_back(self, ts: &ThreadState, list: &PyList) {
        let len = list.ob_base.ob_size.replace(self.len as isize) as usize;
        let places = list.ob_item.replace(self.places);
        list.allocated.set(self.allocated);
        if !places.is_null() {
            // SAFETY: the list has given the interim buffer up.
            unsafe { drop_buffer(ts, places, len) };
        }
    }

    fn items(&self) -> &[&PyObject] {
        if self.places.is_null() {
            return &[];
        }
        // SAFETY: the buffer is this struct's alone, and holds `len` owned references; entries are written back to
        // it only when no such borrow is in use.
        unsafe { core::slice::from_raw_parts(self.places.cast(), self.len) }
    }

    fn sort(&self, ts: &ThreadState, key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
        let Some(key) = key else {
            return self.sort_by(ts, self.items(), reverse);
        };
        let mut keys = TryVec::<PyRef>::new();
        keys.try_reserve(self.len)?;
        for item in self.items() {
            keys.try_push(call::call_with(ts, key, &[item])?)?;
        }
        self.sort_by(ts, call::borrow_all(&keys), reverse)
    }

    fn sort_by(&self, ts: &ThreadState, keys: &[&PyObject], reverse: bool) -> PyResult<()> {
        if keys.len() < 2 {
            return Ok(());
        }
        match Form::of(keys) {
            Form::Int => self.run(keys, reverse, &Plain, int_value),
            Form::Float => self.run(keys, reverse, &Plain, float_value),
            Form::Text => self.run(keys, reverse, &Plain, text_bytes),
            Form::Wide => self.run(keys, reverse, &Wide, |key| key.cast::<PyStr>()),
            Form::OneType(compare) => self.run(keys, reverse, &OneType { ts, compare }, |key| key),
            Form::Tuple(first) => self.run(keys, reverse, &Tuples { ts, first }, |key| key.cast::<PyTuple>()),
            Form::Any => self.run(keys, reverse, &Any { ts }, |key| key),
        }
    }

    /// Sorts entries of the form that `order` compares, and writes the items back in their order.
    fn run<'k, K: Copy>(
        &self,
        keys: &[&'k PyObject],
        reverse: bool,
        order: &impl Compares<K>,
        form: impl Fn(&'k PyObject) -> K,
    ) -> PyResult<()> {
        let mut entries = TryVec::<Entry<K>>::new();
        entries.try_reserve(keys.len())?;
        for (key, item) in keys.iter().zip(self.items()) {
            entries.try_push(Entry { key: form(key), item: item.as_ptr() })?;
        }
        // Stability under `reverse`: equal items keep their order.
        if reverse {
            entries.reverse();
        }
        let result = merge::sort(&mut entries, order);
        if reverse {
            entries.reverse();
        }
        for (index, entry) in entries.iter().enumerate() {
            // SAFETY: I2: as many pointers as before, each of them once; no borrow of `items` is in use.
            unsafe { self.places.add(index).write(entry.item) };
        }
        result
    }
}

type CompareFn = fn(&ThreadState, &PyObject, &PyObject, CompareOp) -> PyResult;

/// What all keys have in common.
#[derive(Clone, Copy)]
enum Form {
    /// `int`, each of at most 64 bits.
    Int,
    /// `float`.
    Float,
    /// `str` with one byte per character: bytes compare as characters do.
    Text,
    /// `str`.
    Wide,
    /// One type, with its comparison.
    OneType(CompareFn),
    /// `tuple`, none empty; and what their first members have in common.
    Tuple(First),
    /// Nothing.
    Any,
}

/// What the first members of tuples have in common.
#[derive(Clone, Copy)]
enum First {
    Int,
    Float,
    Text,
    Any,
}

impl Form {
    fn of(keys: &[&PyObject]) -> Form {
        let of = keys[0].ob_type();
        if !keys.iter().all(|key| core::ptr::eq(key.ob_type(), of)) {
            return Form::Any;
        }
        if is_exact(of, &crate::types::tuple::TUPLE_TYPE.object) {
            return if keys.iter().all(|key| !key.cast::<PyTuple>().is_empty()) {
                Form::Tuple(First::of(keys))
            } else {
                Form::OneType(tuple_slot(of))
            };
        }
        Self::of_type(of, || keys.iter().copied())
    }

    /// The form of objects that are all of type `of`.
    fn of_type<'k, I: Iterator<Item = &'k PyObject>>(of: &PyTypeObject, keys: impl Fn() -> I) -> Form {
        if is_exact(of, &crate::types::int::INT_TYPE.object) {
            if keys().all(|key| key.cast::<PyInt>().as_i64().is_some()) {
                return Form::Int;
            }
        } else if is_exact(of, &crate::types::float::FLOAT_TYPE.object) {
            return Form::Float;
        } else if is_exact(of, &crate::types::str::STR_TYPE.object) {
            return if keys().all(|key| matches!(key.cast::<PyStr>().data(), StrData::Ascii(_) | StrData::Latin1(_))) {
                Form::Text
            } else {
                Form::Wide
            };
        }
        match of.slots().richcompare {
            Some(compare) => Form::OneType(compare),
            None => Form::Any,
        }
    }
}

impl First {
    fn of(tuples: &[&PyObject]) -> First {
        let firsts = || tuples.iter().map(|tuple| tuple.cast::<PyTuple>().items()[0]);
        let of = tuples[0].cast::<PyTuple>().items()[0].ob_type();
        if !firsts().all(|key| core::ptr::eq(key.ob_type(), of)) {
            return First::Any;
        }
        match Form::of_type(of, firsts) {
            Form::Int => First::Int,
            Form::Float => First::Float,
            Form::Text => First::Text,
            _ => First::Any,
        }
    }
}

fn tuple_slot(of: &PyTypeObject) -> CompareFn {
    of.slots().richcompare.unwrap_or(protocol::compare)
}

#[inline(always)]
fn is_exact(of: &PyTypeObject, built_in: &PyTypeObject) -> bool {
    core::ptr::eq(of, built_in)
}

#[inline(always)]
fn int_value(key: &PyObject) -> i64 {
    // `Form::Int` says that there is a value.
    key.cast::<PyInt>().as_i64().unwrap_or(0)
}

#[inline(always)]
fn float_value(key: &PyObject) -> f64 {
    key.cast::<PyFloat>().value()
}

#[inline(always)]
fn text_bytes(key: &PyObject) -> &[u8] {
    match key.cast::<PyStr>().data() {
        StrData::Ascii(bytes) | StrData::Latin1(bytes) => bytes,
        // `Form::Text` says that there is no such key.
        StrData::Ucs2(_) | StrData::Ucs4(_) => &[],
    }
}

/// Keys that compare by themselves.
struct Plain;

/// What [`Plain`] compares.
trait Value: Copy {
    fn less(self, other: Self) -> bool;
}

impl Value for i64 {
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }
}

impl Value for f64 {
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }
}

impl Value for &[u8] {
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }
}

impl<V: Value> Compares<V> for Plain {
    #[inline(always)]
    fn less(&self, a: V, b: V) -> PyResult<bool> {
        Ok(a.less(b))
    }
}

/// Strings of any width.
struct Wide;

impl<'k> Compares<&'k PyStr> for Wide {
    fn less(&self, a: &'k PyStr, b: &'k PyStr) -> PyResult<bool> {
        Ok(PyStr::compare(a, b).is_lt())
    }
}

/// Keys of one type.
struct OneType<'a> {
    ts: &'a ThreadState,
    compare: CompareFn,
}

impl<'k> Compares<&'k PyObject> for OneType<'_> {
    fn less(&self, a: &'k PyObject, b: &'k PyObject) -> PyResult<bool> {
        // The type's comparison may be replaced while the keys are compared.
        if a.ob_type().slots().richcompare.map(|slot| slot as usize) != Some(self.compare as usize) {
            return protocol::compare_bool(self.ts, a, b, CompareOp::Lt);
        }
        let answer = (self.compare)(self.ts, a, b, CompareOp::Lt)?;
        if is_not_implemented(&answer) {
            return protocol::compare_bool(self.ts, a, b, CompareOp::Lt);
        }
        protocol::is_true(self.ts, &answer)
    }
}

/// Keys of any types.
struct Any<'a> {
    ts: &'a ThreadState,
}

impl<'k> Compares<&'k PyObject> for Any<'_> {
    fn less(&self, a: &'k PyObject, b: &'k PyObject) -> PyResult<bool> {
        protocol::is_true(self.ts, &*protocol::compare(self.ts, a, b, CompareOp::Lt)?)
    }
}

/// Tuples that are not empty.
struct Tuples<'a> {
    ts: &'a ThreadState,
    first: First,
}

impl<'k> Compares<&'k PyTuple> for Tuples<'_> {
    fn less(&self, a: &'k PyTuple, b: &'k PyTuple) -> PyResult<bool> {
        let (a, b) = (a.items(), b.items());
        let decided = match self.first {
            First::Int => Some(int_value(a[0]).cmp(&int_value(b[0]))),
            First::Text => Some(text_bytes(a[0]).cmp(text_bytes(b[0]))),
            First::Float => {
                let (x, y) = (float_value(a[0]), float_value(b[0]));
                // A NaN is equal to itself only as an object.
                if a[0].is(b[0]) { Some(core::cmp::Ordering::Equal) } else { x.partial_cmp(&y) }
            }
            First::Any => {
                if !protocol::compare_bool(self.ts, a[0], b[0], CompareOp::Eq)? {
                    return self.objects_less(a[0], b[0]);
                }
                Some(core::cmp::Ordering::Equal)
            }
        };
        match decided {
            Some(core::cmp::Ordering::Equal) => {}
            Some(ordering) => return Ok(ordering.is_lt()),
            None => return Ok(false),
        }
        for (x, y) in a[1..].iter().zip(&b[1..]) {
            if !protocol::compare_bool(self.ts, x, y, CompareOp::Eq)? {
                return self.objects_less(x, y);
            }
        }
        Ok(a.len() < b.len())
    }
}

impl Tuples<'_> {
    fn objects_less(&self, a: &PyObject, b: &PyObject) -> PyResult<bool> {
        protocol::is_true(self.ts, &*protocol::compare(self.ts, a, b, CompareOp::Lt)?)
    }
}
