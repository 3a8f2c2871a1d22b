//! `tuple`: its items stand behind the header.
//!
//! ```text
//!  ┌───────────┬─────────┬─────────┬─────────┬────────┬────────┬─────
//!  │ ob_refcnt │ ob_type │ ob_size │ ob_hash │ item 0 │ item 1 │ …
//!  └───────────┴─────────┴─────────┴─────────┴────────┴────────┴─────
//! ```
//!
//! I1: an item is null only between [`PyTuple::uninit`] and the caller's last `set_item`.
//! I2: `ob_hash` is 0 (not computed yet) or the hash.

use core::cell::Cell;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::slice::{Indices, PySlice, bound_index, subscript_index};
use crate::object::{
    Args, AsObject, CompareOp, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, PyVarObject, Ref, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, call, flags, gc, header, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::reprguard::ReprGuard;
use crate::types::seqiter::{builtin, reduce_iterator};
use crate::types::str::{PyStr, StrBuilder};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&TUPLE_TYPE, &TUPLE_ITERATOR_TYPE];

/// A tuple; the items follow.
#[repr(C)]
pub struct PyTuple {
    ob_base: PyVarObject,
    ob_hash: Cell<isize>,
}

crate::native!(PyTuple, TUPLE_TYPE, TUPLE_SUBCLASS);

/// `tuple`.
#[unsafe(export_name = "PyTuple_Type")]
pub static TUPLE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"tuple",
    basicsize: size_of::<PyTuple>(),
    itemsize: size_of::<*mut PyObject>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::TUPLE_SUBCLASS | flags::SEQUENCE | flags::MATCH_SELF,
    doc: "tuple(iterable=(), /)\n--\n\nA sequence of objects that does not change. tuple(iterable) has the items of\nthe iterable; tuple() is empty, and tuple(t) is t for a tuple t.",
    slots: TypeSlots {
        new: Some(tuple_new),
        dealloc: Some(tuple_dealloc),
        traverse: Some(tuple_traverse),
        repr: Some(tuple_repr),
        hash: Some(tuple_hash),
        richcompare: Some(tuple_compare),
        iter: Some(tuple_iter),
        sq_length: Some(|_, tuple| Ok(tuple.cast::<PyTuple>().len())),
        mp_length: Some(|_, tuple| Ok(tuple.cast::<PyTuple>().len())),
        sq_concat: Some(tuple_concat),
        sq_repeat: Some(tuple_repeat),
        sq_item: Some(tuple_item),
        sq_contains: Some(tuple_contains),
        mp_subscript: Some(tuple_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__getnewargs__", tuple_getnewargs, "__getnewargs__($self, /)\n--\n\n"),
        MethodDef::positional(
            "index",
            tuple_index,
            "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\nThe index of the first item equal to value; ValueError when there is none.",
        ),
        MethodDef::one("count", tuple_count, "count($self, value, /)\n--\n\nHow many items are equal to value."),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    ..TypeSpec::EMPTY
});

/// The empty tuple, behind room for a collector header that is never used.
#[repr(C)]
struct EmptyTuple {
    gc_head: [Cell<usize>; 2],
    tuple: PyTuple,
}

// SAFETY: the empty tuple is immortal and never written to.
unsafe impl Sync for EmptyTuple {}

static EMPTY: EmptyTuple = EmptyTuple {
    gc_head: [Cell::new(0), Cell::new(0)],
    tuple: PyTuple {
        ob_base: PyVarObject { ob_base: PyObject::immortal(&TUPLE_TYPE.object), ob_size: Cell::new(0) },
        ob_hash: Cell::new(0),
    },
};

impl PyTuple {
    /// A tuple of the given objects.
    pub fn new(ts: &ThreadState, items: &[&PyObject]) -> PyResult<Ref<PyTuple>> {
        if items.is_empty() {
            return Ok(Self::empty());
        }
        let tuple = alloc::var_object::<PyTuple>(ts, &TUPLE_TYPE, items.len())?;
        let place = tuple.item_places();
        for (index, item) in items.iter().enumerate() {
            item.incref();
            // SAFETY: the tuple has room for this many items, and nobody else sees it yet.
            unsafe { place.add(index).write(item.as_ptr()) };
        }
        gc::track(ts, &*tuple);
        Ok(tuple)
    }

    /// A tuple that takes over the references in `items`.
    pub fn from_vec(ts: &ThreadState, mut items: TryVec<PyRef>) -> PyResult<Ref<PyTuple>> {
        if items.is_empty() {
            return Ok(Self::empty());
        }
        let tuple = alloc::var_object::<PyTuple>(ts, &TUPLE_TYPE, items.len())?;
        // SAFETY: the references move from the vector, which forgets them, into the tuple, which has room.
        unsafe {
            core::ptr::copy_nonoverlapping(items.as_ptr().cast::<*mut PyObject>(), tuple.item_places(), items.len());
            items.set_len(0);
        }
        gc::track(ts, &*tuple);
        Ok(tuple)
    }

    /// The empty tuple: one immortal object for all interpreters.
    #[inline(always)]
    pub fn empty() -> Ref<PyTuple> {
        Ref::from_borrowed(&EMPTY.tuple)
    }

    /// `(a, b)`.
    #[inline]
    pub fn pair(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult<Ref<PyTuple>> {
        Self::new(ts, &[a, b])
    }

    /// The tuple from references that it takes over, without a vector in between.
    #[inline]
    pub fn from_array<const N: usize>(ts: &ThreadState, items: [PyRef; N]) -> PyResult<Ref<PyTuple>> {
        if N == 0 {
            return Ok(Self::empty());
        }
        let tuple = alloc::var_object::<PyTuple>(ts, &TUPLE_TYPE, N)?;
        for (index, item) in items.into_iter().enumerate() {
            // SAFETY: the tuple has room for `N` items, and nobody else sees it yet.
            unsafe { tuple.item_places().add(index).write(item.into_ptr()) };
        }
        gc::track(ts, &*tuple);
        Ok(tuple)
    }

    /// A tuple with room for `n` items, to be filled by `set_item` before anything else sees it.
    #[inline]
    pub fn uninit(ts: &ThreadState, n: usize) -> PyResult<Ref<PyTuple>> {
        if n == 0 {
            return Ok(Self::empty());
        }
        let tuple = alloc::var_object::<PyTuple>(ts, &TUPLE_TYPE, n)?;
        gc::track(ts, &*tuple);
        Ok(tuple)
    }

    /// The same, hidden from the collector until the caller has filled it and calls `gc::track`: for where Python code
    /// runs in between.
    #[inline]
    pub fn uninit_untracked(ts: &ThreadState, n: usize) -> PyResult<Ref<PyTuple>> {
        if n == 0 {
            return Ok(Self::empty());
        }
        alloc::var_object::<PyTuple>(ts, &TUPLE_TYPE, n)
    }

    /// Fills a place of a tuple that is being made.
    ///
    /// # Safety
    /// `index` is below the length, the place is empty, and the tuple is not in use yet.
    #[inline(always)]
    pub unsafe fn set_item(&self, index: usize, item: PyRef) {
        debug_assert!(index < self.len());
        // SAFETY: the caller vouches for the place.
        unsafe { self.item_places().add(index).write(item.into_ptr()) }
    }

    /// Replaces an item of a tuple that only the caller refers to (a result tuple that an iterator uses again).
    ///
    /// # Safety
    /// `index` is below the length, all items are there, and no borrow of the items is in use.
    #[inline(always)]
    pub unsafe fn replace_item(&self, index: usize, item: PyRef) -> PyRef {
        debug_assert!(index < self.len());
        self.ob_hash.set(0);
        // SAFETY: the caller vouches for the place; the old reference moves out as the new one moves in.
        unsafe { PyRef::from_owned(self.item_places().add(index).replace(item.into_ptr())) }
    }

    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.ob_hash.set(0);
    }

    /// The number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    /// Whether there are no items.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items, borrowed from the tuple.
    #[inline(always)]
    pub fn items(&self) -> &[&PyObject] {
        // SAFETY: the items follow the struct, and by I1 none is null once the tuple is in use.
        unsafe { core::slice::from_raw_parts(self.item_places().cast::<&PyObject>(), self.len()) }
    }

    /// An item.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&PyObject> {
        self.items().get(index).copied()
    }

    /// Whether `f` holds for each item; not if one is not there yet (I1).
    pub(crate) fn all_items(&self, f: impl Fn(&PyObject) -> bool) -> bool {
        // SAFETY: within the length; a place holds null or an object.
        (0..self.len()).all(|index| unsafe { (*self.item_places().add(index)).as_ref() }.is_some_and(&f))
    }

    /// Where the items are.
    #[inline(always)]
    pub(crate) fn item_places(&self) -> *mut *mut PyObject {
        // SAFETY: the items follow the struct in the same block.
        unsafe { core::ptr::from_ref(self).add(1).cast::<*mut PyObject>().cast_mut() }
    }

    /// `tuple[start:end]`, bounds within the length.
    pub fn slice(&self, ts: &ThreadState, start: usize, end: usize) -> PyResult<Ref<PyTuple>> {
        let end = end.min(self.len());
        let start = start.min(end);
        if start == 0 && end == self.len() && core::ptr::eq(self.as_object().ob_type(), &TUPLE_TYPE.object) {
            return Ok(Ref::from_borrowed(self));
        }
        Self::new(ts, &self.items()[start..end])
    }

    /// `tuple(iterable)` (`PySequence_Tuple`).
    pub fn from_iterable(ts: &ThreadState, iterable: &PyObject) -> PyResult<Ref<PyTuple>> {
        if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
            return Ok(Ref::from_borrowed(tuple));
        }
        if let Some(list) = iterable.downcast_exact::<PyList>() {
            return list.to_tuple(ts);
        }
        Self::from_vec(ts, collect(ts, iterable)?)
    }

    /// Ends the tuple's memory of itself when it was never filled: used where an error interrupts the filling.
    fn release_items(&self, ts: &ThreadState) {
        let places = self.item_places();
        for index in (0..self.len()).rev() {
            // SAFETY: each place holds an owned reference or null, and is visited once, in the tuple's end.
            unsafe {
                let item = *places.add(index);
                if !item.is_null() {
                    header::decref(ts, item);
                }
            }
        }
    }
}

/// The items of any iterable, as owned references.
pub(crate) fn collect(ts: &ThreadState, iterable: &PyObject) -> PyResult<TryVec<PyRef>> {
    let mut items = TryVec::<PyRef>::new();
    // SAFETY: copying references runs no Python code, so the items stay where they are.
    let ready = match (iterable.downcast_exact::<PyTuple>(), iterable.downcast_exact::<PyList>()) {
        (Some(tuple), _) => Some(tuple.items()),
        // SAFETY: as said above.
        (_, Some(list)) => Some(unsafe { list.items() }),
        _ => None,
    };
    if let Some(ready) = ready {
        items.try_reserve(ready.len())?;
        for item in ready {
            items.try_push(item.new_ref())?;
        }
        return Ok(items);
    }
    let iterator = protocol::iter(ts, iterable)?;
    let hint = protocol::length_hint(ts, iterable, 8)?;
    items.try_reserve(hint)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        items.try_push(item)?;
    }
    Ok(items)
}

/// Computes hashes of sequences: the mixing of xxHash, one round per item.
pub(crate) struct TupleHasher {
    state: u64,
}

impl TupleHasher {
    const PRIME_1: u64 = 11_400_714_785_074_694_791;
    const PRIME_2: u64 = 14_029_467_366_897_019_727;
    const PRIME_5: u64 = 2_870_177_450_012_600_261;

    pub(crate) fn new() -> TupleHasher {
        TupleHasher { state: Self::PRIME_5 }
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, hash: isize) {
        let mixed = self.state.wrapping_add((hash as u64).wrapping_mul(Self::PRIME_2));
        self.state = mixed.rotate_left(31).wrapping_mul(Self::PRIME_1);
    }

    pub(crate) fn finish(self, length: usize) -> isize {
        let state = self.state.wrapping_add(length as u64 ^ (Self::PRIME_5 ^ 3_527_539));
        if state == u64::MAX { 1_546_275_796 } else { state as isize }
    }

    pub(crate) fn finish_without_length(self) -> isize {
        if self.state == u64::MAX { 1_546_275_796 } else { self.state as isize }
    }
}

/// Whether a type makes its instances as `base` does: then `base`'s `__init__` refuses keywords.
pub(crate) fn inherits_new(of: &PyTypeObject, base: &'static StaticType) -> bool {
    of.slots().new.map(|slot| slot as usize) == base.object.slots().new.map(|slot| slot as usize)
}

/// Whether a type initializes its instances as `base` does: then `base`'s constructor refuses keywords.
pub(crate) fn inherits_init(of: &PyTypeObject, base: &'static StaticType) -> bool {
    if core::ptr::eq(of, &base.object) {
        return true;
    }
    match (of.slots().init, base.object.slots().init) {
        (Some(own), Some(inherited)) => own as usize == inherited as usize,
        (None, None) => true,
        _ => false,
    }
}

fn tuple_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &TUPLE_TYPE) {
        return raise!(ts, exc::TypeError, "tuple() takes no keyword arguments");
    }
    let given = args.positional();
    call::check_count(ts, "tuple", given.len(), 0, 1)?;
    let plain = match given.first() {
        Some(iterable) => PyTuple::from_iterable(ts, iterable)?,
        None => PyTuple::empty(),
    };
    if core::ptr::eq(of, &TUPLE_TYPE.object) {
        return Ok(plain.into_object());
    }
    let tuple = alloc::var_object::<PyTuple>(ts, of, plain.len())?;
    for (index, item) in plain.items().iter().enumerate() {
        // SAFETY: the new tuple has as many places, all empty, and is not in use yet.
        unsafe { tuple.set_item(index, item.new_ref()) };
    }
    gc::track(ts, &*tuple);
    Ok(tuple.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn tuple_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a tuple whose count is zero.
    unsafe {
        gc::untrack(&*object);
        (*object).cast_unchecked::<PyTuple>().release_items(ts);
        alloc::free(ts, object);
    }
}

fn tuple_traverse(tuple: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let tuple = tuple.cast::<PyTuple>();
    let places = tuple.item_places();
    for index in 0..tuple.len() {
        // SAFETY: within the length; a place may still be null by I1.
        if let Some(item) = unsafe { (*places.add(index)).as_ref() } {
            visitor.object(item)?;
        }
    }
    ControlFlow::Continue(())
}

fn tuple_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let tuple = object.cast::<PyTuple>();
    if tuple.is_empty() {
        return Ok(PyStr::new(ts, "()")?.into_object());
    }
    let Some(_guard) = ReprGuard::enter(ts, object)? else {
        return Ok(PyStr::new(ts, "(...)")?.into_object());
    };
    let mut text = StrBuilder::new();
    text.push_str("(")?;
    for (index, item) in tuple.items().iter().enumerate() {
        if index > 0 {
            text.push_str(", ")?;
        }
        text.push_repr(ts, item)?;
    }
    text.push_str(if tuple.len() == 1 { ",)" } else { ")" })?;
    Ok(text.finish(ts)?.into_object())
}

fn tuple_hash(ts: &ThreadState, tuple: &PyObject) -> PyResult<isize> {
    let tuple = tuple.cast::<PyTuple>();
    let known = tuple.ob_hash.get();
    if known != 0 {
        return Ok(known);
    }
    let mut hasher = TupleHasher::new();
    for item in tuple.items() {
        hasher.add(protocol::hash(ts, item)?);
    }
    let hash = hasher.finish(tuple.len());
    if !tuple.is_empty() {
        tuple.ob_hash.set(hash);
    }
    Ok(hash)
}

fn tuple_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PyTuple>(), right.downcast::<PyTuple>()) else {
        return Ok(not_implemented());
    };
    let (left, right) = (left.items(), right.items());
    for (a, b) in left.iter().zip(right) {
        if a.is(b) || protocol::compare_bool(ts, a, b, CompareOp::Eq)? {
            continue;
        }
        return match op {
            CompareOp::Eq => Ok(py_bool(false)),
            CompareOp::Ne => Ok(py_bool(true)),
            _ => protocol::compare(ts, a, b, op),
        };
    }
    Ok(py_bool(op.holds(left.len().cmp(&right.len()))))
}

fn tuple_iter(ts: &ThreadState, tuple: &PyObject) -> PyResult {
    let iterator = alloc::object::<PyTupleIter>(ts, &TUPLE_ITERATOR_TYPE)?;
    iterator.tuple.set(Some(Ref::from_borrowed(tuple.cast::<PyTuple>())));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn tuple_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let left = left.cast::<PyTuple>();
    if left.is_empty() && right.downcast_exact::<PyTuple>().is_some() {
        return Ok(right.new_ref());
    }
    let Some(right) = right.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "can only concatenate tuple (not \"{}\") to tuple", right.type_name());
    };
    if right.is_empty() && core::ptr::eq(left.as_object().ob_type(), &TUPLE_TYPE.object) {
        return Ok(left.new_ref());
    }
    let tuple = PyTuple::uninit(ts, left.len() + right.len())?;
    for (index, item) in left.items().iter().chain(right.items()).enumerate() {
        // SAFETY: the new tuple has a place for each item of both, and is not in use yet.
        unsafe { tuple.set_item(index, item.new_ref()) };
    }
    Ok(tuple.into_object())
}

fn tuple_repeat(ts: &ThreadState, tuple: &PyObject, times: isize) -> PyResult {
    let this = tuple.cast::<PyTuple>();
    if (this.is_empty() || times == 1) && tuple.downcast_exact::<PyTuple>().is_some() {
        return Ok(tuple.new_ref());
    }
    if this.is_empty() || times <= 0 {
        return Ok(PyTuple::empty().into_object());
    }
    let len = match this.len().checked_mul(times as usize) {
        Some(len) if len <= isize::MAX as usize / size_of::<*mut PyObject>() => len,
        _ => return Err(ts.raise_no_memory()),
    };
    let result = PyTuple::uninit(ts, len)?;
    let items = this.items();
    let mut index = 0;
    for _ in 0..times {
        for item in items {
            // SAFETY: the new tuple has `times` times as many places, and is not in use yet.
            unsafe { result.set_item(index, item.new_ref()) };
            index += 1;
        }
    }
    Ok(result.into_object())
}

fn tuple_item(ts: &ThreadState, tuple: &PyObject, index: isize) -> PyResult {
    match usize::try_from(index).ok().and_then(|index| tuple.cast::<PyTuple>().get(index)) {
        Some(item) => Ok(item.new_ref()),
        None => out_of_range(ts),
    }
}

#[cold]
fn out_of_range(ts: &ThreadState) -> PyResult {
    raise!(ts, exc::IndexError, "tuple index out of range")
}

fn tuple_contains(ts: &ThreadState, tuple: &PyObject, value: &PyObject) -> PyResult<bool> {
    for item in tuple.cast::<PyTuple>().items() {
        if item.is(value) || protocol::compare_bool(ts, item, value, CompareOp::Eq)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tuple_subscript(ts: &ThreadState, tuple: &PyObject, key: &PyObject) -> PyResult {
    let this = tuple.cast::<PyTuple>();
    if key.ob_type().slots().nb_index.is_some() {
        let index = subscript_index(ts, key)?;
        let index = if index < 0 { index + this.len() as isize } else { index };
        return tuple_item(ts, tuple, index);
    }
    let Some(slice) = key.downcast_exact::<PySlice>() else {
        return raise!(ts, exc::TypeError, "tuple indices must be integers or slices, not {}", key.type_name());
    };
    let (start, stop, step) = slice.unpack(ts)?;
    let found = Indices::clip(start, stop, step, this.len());
    if found.length == 0 {
        return Ok(PyTuple::empty().into_object());
    }
    let items = this.items();
    if found.step == 1 {
        let start = found.start as usize;
        return Ok(this.slice(ts, start, start + found.length)?.into_object());
    }
    let result = PyTuple::uninit(ts, found.length)?;
    for (place, index) in found.iter().enumerate() {
        // SAFETY: the new tuple has a place for each selected item, and is not in use yet.
        unsafe { result.set_item(place, items[index].new_ref()) };
    }
    Ok(result.into_object())
}

fn tuple_getnewargs(ts: &ThreadState, tuple: &PyObject) -> PyResult {
    let copy = PyTuple::new(ts, tuple.cast::<PyTuple>().items())?;
    Ok(PyTuple::from_array(ts, [copy.into_object()])?.into_object())
}

fn tuple_index(ts: &ThreadState, tuple: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "index", args.len(), 1, 3)?;
    let this = tuple.cast::<PyTuple>();
    let (start, stop) = search_bounds(ts, &args[1..], this.len())?;
    for index in start..stop.min(this.len()) {
        let item = this.items()[index];
        if item.is(args[0]) || protocol::compare_bool(ts, item, args[0], CompareOp::Eq)? {
            return Ok(PyInt::from_usize(ts, index)?.into_object());
        }
    }
    raise!(ts, exc::ValueError, "tuple.index(x): x not in tuple")
}

/// The optional start and stop of an `index` method.
pub(crate) fn search_bounds(ts: &ThreadState, given: &[&PyObject], len: usize) -> PyResult<(usize, usize)> {
    let clip =
        |bound: isize| if bound < 0 { bound.saturating_add(len as isize).max(0) as usize } else { bound as usize };
    let start = match given.first() {
        Some(bound) => clip(bound_index(ts, bound)?),
        None => 0,
    };
    let stop = match given.get(1) {
        Some(bound) => clip(bound_index(ts, bound)?),
        None => isize::MAX as usize,
    };
    Ok((start, stop))
}

fn tuple_count(ts: &ThreadState, tuple: &PyObject, value: &PyObject) -> PyResult {
    let mut count = 0;
    for item in tuple.cast::<PyTuple>().items() {
        if item.is(value) || protocol::compare_bool(ts, item, value, CompareOp::Eq)? {
            count += 1;
        }
    }
    Ok(PyInt::from_usize(ts, count)?.into_object())
}

/// `tuple_iterator`.
#[repr(C)]
pub struct PyTupleIter {
    ob_base: PyObject,
    /// The tuple, none when the end has been reached.
    tuple: Slot<PyTuple>,
    index: Cell<usize>,
}

crate::native!(PyTupleIter, TUPLE_ITERATOR_TYPE);
owns!(PyTupleIter: tuple);

/// The type of `iter(())`.
#[unsafe(export_name = "PyTupleIter_Type")]
pub static TUPLE_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"tuple_iterator",
    basicsize: size_of::<PyTupleIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(PyTupleIter::slot_dealloc),
        traverse: Some(PyTupleIter::slot_traverse),
        iter: Some(|_, iterator| Ok(iterator.new_ref())),
        iternext: Some(|ts, iterator| Ok(iterator.cast::<PyTupleIter>().next(ts))),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__length_hint__", tuple_iter_len, "How many items are left, as far as can be told."),
        MethodDef::no_args("__reduce__", tuple_iter_reduce, "What pickle needs to make the object again."),
        MethodDef::one("__setstate__", tuple_iter_setstate, "Goes on from a state that __reduce__ has given."),
    ],
    ..TypeSpec::EMPTY
});

impl PyTupleIter {
    /// The next item; what the iteration's fast path calls.
    #[inline(always)]
    pub fn next(&self, ts: &ThreadState) -> Option<PyRef> {
        // SAFETY: the borrow ends before the slot is emptied.
        let item = unsafe { self.tuple.borrow() }?.get(self.index.get()).map(AsObject::new_ref);
        if item.is_some() {
            self.index.set(self.index.get() + 1);
        } else if let Some(tuple) = self.tuple.take() {
            tuple.release(ts);
        }
        item
    }
}

fn tuple_iter_len(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyTupleIter>();
    let left = this.tuple.get().map_or(0, |tuple| tuple.len().saturating_sub(this.index.get()));
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn tuple_iter_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let this = iterator.cast::<PyTupleIter>();
    // The look-up can run Python code, and that can move the iterator: first it, then the state.
    let function = builtin(ts, "iter")?;
    match this.tuple.get() {
        Some(tuple) => reduce_iterator(ts, function, tuple.into_object(), Some(this.index.get())),
        None => reduce_iterator(ts, function, PyTuple::empty().into_object(), None),
    }
}

fn tuple_iter_setstate(ts: &ThreadState, iterator: &PyObject, state: &PyObject) -> PyResult {
    let this = iterator.cast::<PyTupleIter>();
    let index = protocol::as_isize(ts, state)?;
    if let Some(tuple) = this.tuple.get() {
        this.index.set((index.max(0) as usize).min(tuple.len()));
    }
    Ok(ts.none())
}
