//! `list`: a header, and a buffer of references in the mem domain that grows ahead of its use.
//!
//! ```text
//!  ┌───────────┬─────────┬─────────┬─────────┬───────────┐
//!  │ ob_refcnt │ ob_type │ ob_size │ ob_item │ allocated │
//!  └───────────┴─────────┴─────────┴────┬────┴───────────┘
//!                                       ▼
//!                            ┌────────┬────────┬────────┬ ─ ─ ─ ┐
//!                            │ item 0 │ item 1 │ …      │ spare    (mem domain)
//!                            └────────┴────────┴────────┴ ─ ─ ─ ┘
//! ```
//!
//! I1: the first `ob_size` places of the buffer hold owned references, none of them null.
//! I2: `ob_size <= allocated`, but while the list is sorted: then it looks empty and `allocated` is -1, which any
//!     change that needs room overwrites; so `sort` finds out.
//! I3: a reference is dropped only when the list is whole again: dropping can run any code, which can see the list.

mod iter;
mod methods;
mod sort;

use core::cell::Cell;
use core::ops::ControlFlow;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

pub use iter::{LIST_ITERATOR_TYPE, LIST_REVERSE_ITERATOR_TYPE, PyListIter, PyListReverseIter};

use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, PyVarObject, Ref, StaticType, TypeSlots, TypeSpec, Visitor, alloc,
    flags, gc, header, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::tuple::PyTuple;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&LIST_TYPE, &LIST_ITERATOR_TYPE, &LIST_REVERSE_ITERATOR_TYPE];

/// A list.
#[repr(C)]
pub struct PyList {
    ob_base: PyVarObject,
    ob_item: Cell<*mut *mut PyObject>,
    allocated: Cell<isize>,
}

crate::native!(PyList, LIST_TYPE, LIST_SUBCLASS);

/// `list`.
#[unsafe(export_name = "PyList_Type")]
pub static LIST_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"list",
    basicsize: size_of::<PyList>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::LIST_SUBCLASS | flags::SEQUENCE | flags::MATCH_SELF,
    doc: "list(iterable=(), /)\n--\n\nA sequence of objects that can be changed. list(iterable) has the items of the\niterable; list() is empty.",
    slots: TypeSlots {
        new: Some(methods::list_new),
        init: Some(methods::list_init),
        dealloc: Some(list_dealloc),
        traverse: Some(list_traverse),
        clear: Some(|ts, list| list.cast::<PyList>().clear(ts)),
        repr: Some(methods::list_repr),
        richcompare: Some(methods::list_compare),
        iter: Some(iter::list_iter),
        sq_length: Some(|_, list| Ok(list.cast::<PyList>().len())),
        mp_length: Some(|_, list| Ok(list.cast::<PyList>().len())),
        sq_concat: Some(methods::list_concat),
        sq_repeat: Some(methods::list_repeat),
        sq_item: Some(methods::list_item),
        sq_ass_item: Some(methods::list_ass_item),
        sq_contains: Some(methods::list_contains),
        sq_inplace_concat: Some(methods::list_inplace_concat),
        sq_inplace_repeat: Some(methods::list_inplace_repeat),
        mp_subscript: Some(methods::list_subscript),
        mp_ass_subscript: Some(methods::list_ass_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "__getitem__",
            methods::list_subscript,
            "__getitem__($self, index, /)\n--\n\nSame as self[index].",
        )
        .coexist(),
        MethodDef::no_args("__reversed__", iter::list_reversed, "__reversed__($self, /)\n--\n\nIterates from the end."),
        MethodDef::no_args(
            "__sizeof__",
            methods::list_sizeof,
            "__sizeof__($self, /)\n--\n\nThe size in memory, in bytes, with the buffer.",
        ),
        MethodDef::no_args("clear", methods::list_clear, "clear($self, /)\n--\n\nTake all items out."),
        MethodDef::no_args("copy", methods::list_copy, "copy($self, /)\n--\n\nA new list of the same items."),
        MethodDef::one("append", methods::list_append, "append($self, object, /)\n--\n\nPut object at the end."),
        MethodDef::positional(
            "insert",
            methods::list_insert,
            "insert($self, index, object, /)\n--\n\nPut object before the item at index.",
        ),
        MethodDef::one(
            "extend",
            methods::list_extend,
            "extend($self, iterable, /)\n--\n\nPut the items of the iterable at the end.",
        ),
        MethodDef::positional(
            "pop",
            methods::list_pop,
            "pop($self, index=-1, /)\n--\n\nTake the item at index out, the last one by default, and return it; IndexError\nwhen there is none.",
        ),
        MethodDef::one(
            "remove",
            methods::list_remove,
            "remove($self, value, /)\n--\n\nTake the first item equal to value out; ValueError when there is none.",
        ),
        MethodDef::positional(
            "index",
            methods::list_index,
            "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\nThe index of the first item equal to value; ValueError when there is none.",
        ),
        MethodDef::one(
            "count",
            methods::list_count,
            "count($self, value, /)\n--\n\nHow many items are equal to value.",
        ),
        MethodDef::no_args(
            "reverse",
            methods::list_reverse,
            "reverse($self, /)\n--\n\nTurn the order of the items round.",
        ),
        MethodDef::keywords(
            "sort",
            methods::list_sort,
            "sort($self, /, *, key=None, reverse=False)\n--\n\nSort the items, by key(item) if a key function is given, in ascending order or, with\nreverse, in descending order. Items that compare equal keep their order.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    ..TypeSpec::EMPTY
});

impl PyList {
    /// An empty list.
    #[inline]
    pub fn new(ts: &ThreadState) -> PyResult<Ref<PyList>> {
        let list = alloc::object::<PyList>(ts, &LIST_TYPE)?;
        gc::track(ts, &*list);
        Ok(list)
    }

    /// An empty list with room for `n` items.
    #[inline]
    pub fn with_capacity(ts: &ThreadState, n: usize) -> PyResult<Ref<PyList>> {
        let list = Self::new(ts)?;
        list.reserve_exact(ts, n)?;
        Ok(list)
    }

    /// A list that takes over the references in `items`.
    pub fn from_vec(ts: &ThreadState, items: TryVec<PyRef>) -> PyResult<Ref<PyList>> {
        let list = Self::new(ts)?;
        if items.capacity() > 0 {
            // A vector's buffer is what a list's is: a block of the mem domain, full of references.
            let (places, len, capacity) = items.into_raw_parts();
            list.ob_item.set(places.cast());
            list.allocated.set(capacity as isize);
            list.ob_base.ob_size.set(len as isize);
        }
        Ok(list)
    }

    /// A list of new references to `items`.
    pub fn from_slice(ts: &ThreadState, items: &[&PyObject]) -> PyResult<Ref<PyList>> {
        let list = Self::with_capacity(ts, items.len())?;
        // SAFETY: the list has room for them.
        unsafe { list.push_all_unchecked(items) };
        Ok(list)
    }

    /// `list(iterable)`.
    pub fn from_iterable(ts: &ThreadState, iterable: &PyObject) -> PyResult<Ref<PyList>> {
        let list = Self::new(ts)?;
        list.extend(ts, iterable)?;
        Ok(list)
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

    /// A new reference to an item.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<PyRef> {
        if index < self.len() {
            // SAFETY: I1.
            Some(PyRef::from_borrowed(unsafe { &**self.ob_item.get().add(index) }))
        } else {
            None
        }
    }

    /// The items, borrowed.
    ///
    /// # Safety
    /// The list is not changed while the result is used: nothing that can run Python code happens in between.
    #[inline(always)]
    pub unsafe fn items(&self) -> &[&PyObject] {
        let places = self.ob_item.get();
        if places.is_null() {
            return &[];
        }
        // SAFETY: I1, and the caller says that the list stays.
        unsafe { core::slice::from_raw_parts(places.cast::<&PyObject>(), self.len()) }
    }

    /// Puts `item` at an index, and drops what was there. IndexError past the end.
    #[inline]
    pub fn set(&self, ts: &ThreadState, index: usize, item: PyRef) -> PyResult<()> {
        if index >= self.len() {
            return raise!(ts, exc::IndexError, "list assignment index out of range");
        }
        // SAFETY: I1: the old reference moves out as the new one moves in.
        let old = unsafe { PyRef::from_owned(self.ob_item.get().add(index).replace(item.into_ptr())) };
        old.release(ts);
        Ok(())
    }

    /// Adds `item` at the end.
    #[inline(always)]
    pub fn append(&self, ts: &ThreadState, item: PyRef) -> PyResult<()> {
        let len = self.len();
        if (len as isize) < self.allocated.get() {
            // SAFETY: I2: there is a spare place at `len`.
            unsafe { self.ob_item.get().add(len).write(item.into_ptr()) };
            self.ob_base.ob_size.set(len as isize + 1);
            return Ok(());
        }
        self.append_growing(ts, item)
    }

    #[cold]
    #[inline(never)]
    fn append_growing(&self, ts: &ThreadState, item: PyRef) -> PyResult<()> {
        let len = self.len();
        self.resize(ts, len + 1)?;
        // SAFETY: `resize` made the place.
        unsafe { self.ob_item.get().add(len).write(item.into_ptr()) };
        Ok(())
    }

    /// Puts `item` before the one at `index`, or at the end.
    pub fn insert(&self, ts: &ThreadState, index: usize, item: PyRef) -> PyResult<()> {
        let len = self.len();
        let index = index.min(len);
        self.resize(ts, len + 1)?;
        // SAFETY: there are `len + 1` places, of which the last is spare: the items from `index` on move up by one.
        unsafe {
            let place = self.ob_item.get().add(index);
            core::ptr::copy(place, place.add(1), len - index);
            place.write(item.into_ptr());
        }
        Ok(())
    }

    /// Takes the last item off.
    pub fn pop(&self, ts: &ThreadState) -> Option<PyRef> {
        self.remove_at(ts, self.len().checked_sub(1)?)
    }

    /// Takes an item out.
    pub fn remove_at(&self, ts: &ThreadState, index: usize) -> Option<PyRef> {
        let len = self.len();
        if index >= len {
            return None;
        }
        // SAFETY: I1: the reference moves out, and those behind it move down by one.
        let item = unsafe {
            let place = self.ob_item.get().add(index);
            let item = PyRef::from_owned(*place);
            core::ptr::copy(place.add(1), place, len - index - 1);
            item
        };
        self.shrink(ts, len - 1);
        Some(item)
    }

    /// Appends the items of any iterable.
    pub fn extend(&self, ts: &ThreadState, iterable: &PyObject) -> PyResult<()> {
        if let Some(tuple) = iterable.downcast_exact::<PyTuple>() {
            return self.extend_from_slice(ts, tuple.items());
        }
        if let Some(list) = iterable.downcast_exact::<PyList>() {
            let count = list.len();
            self.reserve_for_more(ts, count)?;
            // SAFETY: there is room, so nothing moves and no code runs; the list may be this one, whose first `count`
            // items stay.
            unsafe { self.push_all_unchecked(core::slice::from_raw_parts(list.places_or_dangling().cast(), count)) };
            return Ok(());
        }
        let iterator = protocol::iter(ts, iterable)?;
        let hint = protocol::length_hint(ts, iterable, 8)?;
        let len = self.len();
        match len.checked_add(hint).filter(|wanted| *wanted <= isize::MAX as usize) {
            Some(wanted) if self.ob_item.get().is_null() && hint > 0 => self.reserve_exact(ts, wanted)?,
            Some(wanted) if self.allocated.get() < wanted as isize => {
                self.resize(ts, wanted)?;
                self.ob_base.ob_size.set(len as isize);
            }
            _ => {}
        }
        let next = iterator.ob_type().slots().iternext;
        loop {
            let item = match next {
                Some(next) => next(ts, &iterator)?,
                None => protocol::next(ts, &iterator)?,
            };
            let Some(item) = item else { break };
            self.append(ts, item)?;
        }
        // What was made ready in vain is given back.
        let len = self.len();
        if self.allocated.get() > len as isize {
            self.shrink(ts, len);
        }
        Ok(())
    }

    /// Appends new references.
    pub fn extend_from_slice(&self, ts: &ThreadState, items: &[&PyObject]) -> PyResult<()> {
        self.reserve_for_more(ts, items.len())?;
        // SAFETY: there is room now.
        unsafe { self.push_all_unchecked(items) };
        Ok(())
    }

    /// The items as a tuple.
    pub fn to_tuple(&self, ts: &ThreadState) -> PyResult<Ref<PyTuple>> {
        // SAFETY: making a tuple can run a collection, whose finalizers could change the list, only before the items
        // are read: the memory comes first.
        let tuple = PyTuple::uninit(ts, self.len())?;
        let count = tuple.len();
        if count != self.len() {
            return self.to_tuple(ts);
        }
        // SAFETY: nothing runs from here on.
        for (index, item) in unsafe { self.items() }.iter().enumerate() {
            // SAFETY: the tuple has as many places, and is not in use yet.
            unsafe { tuple.set_item(index, item.new_ref()) };
        }
        Ok(tuple)
    }

    /// A copy of the items from `start` to `end`, bounds within the length.
    pub fn slice(&self, ts: &ThreadState, start: usize, end: usize) -> PyResult<Ref<PyList>> {
        let wanted = end.min(self.len()).saturating_sub(start);
        let copy = Self::with_capacity(ts, wanted)?;
        let end = end.min(self.len()).min(start + wanted);
        // SAFETY: nothing runs from here on, and the copy has room.
        unsafe { copy.push_all_unchecked(self.items().get(start..end).unwrap_or(&[])) };
        Ok(copy)
    }

    /// Removes all items.
    pub fn clear(&self, ts: &ThreadState) {
        let places = self.ob_item.replace(core::ptr::null_mut());
        if places.is_null() {
            return;
        }
        let len = self.len();
        self.ob_base.ob_size.set(0);
        self.allocated.set(0);
        // SAFETY: the list has forgotten the buffer, so it and its references are this function's alone.
        unsafe { drop_buffer(ts, places, len) };
    }

    /// Sorts the list; see [`sort`].
    pub fn sort(&self, ts: &ThreadState, key: Option<&PyObject>, reverse: bool) -> PyResult<()> {
        sort::sort(ts, self, key, reverse)
    }

    /// Reverses the order of the items.
    pub fn reverse(&self) {
        let places = self.ob_item.get();
        if !places.is_null() {
            // SAFETY: I1; nothing else looks at the buffer during the exchange.
            unsafe { core::slice::from_raw_parts_mut(places, self.len()) }.reverse();
        }
    }

    /// The buffer, for iteration's and subscription's fast paths.
    #[inline(always)]
    pub(crate) fn places(&self) -> *mut *mut PyObject {
        self.ob_item.get()
    }

    fn places_or_dangling(&self) -> *mut *mut PyObject {
        let places = self.ob_item.get();
        if places.is_null() { core::ptr::dangling_mut() } else { places }
    }

    /// # Safety
    /// The first `len` places hold owned references.
    unsafe fn set_len(&self, len: usize) {
        self.ob_base.ob_size.set(len as isize);
    }

    /// # Safety
    /// There is room for the items, which may be in this list's own buffer.
    unsafe fn push_all_unchecked(&self, items: &[&PyObject]) {
        let len = self.len();
        for (index, item) in items.iter().enumerate() {
            item.incref();
            // SAFETY: the caller vouches for the room.
            unsafe { self.ob_item.get().add(len + index).write(item.as_ptr()) };
        }
        self.ob_base.ob_size.set((len + items.len()) as isize);
    }

    /// Makes room for `more` items behind the present ones.
    fn reserve_for_more(&self, ts: &ThreadState, more: usize) -> Result<(), NoMemory> {
        let len = self.len();
        let wanted = len.checked_add(more).ok_or(NoMemory)?;
        if self.ob_item.get().is_null() {
            return self.reserve_exact(ts, wanted);
        }
        if self.allocated.get() < wanted as isize {
            self.resize(ts, wanted)?;
            self.ob_base.ob_size.set(len as isize);
        }
        Ok(())
    }

    /// Makes room for `n` items in all, and no more; for lists whose length is known when they are made.
    fn reserve_exact(&self, ts: &ThreadState, n: usize) -> Result<(), NoMemory> {
        if self.allocated.get() < n as isize {
            // An even number, as the allocators round up anyway.
            self.reallocate(ts, if n < 4 { n } else { n.checked_add(1).ok_or(NoMemory)? & !1 })?;
        }
        Ok(())
    }

    /// Sets the length, and grows or shrinks the buffer to a size that makes appending cheap in the long run: an eighth
    /// ahead. New places are not filled: the caller writes them before anything else happens.
    fn resize(&self, ts: &ThreadState, len: usize) -> Result<(), NoMemory> {
        let allocated = self.allocated.get();
        if allocated >= len as isize && len as isize >= allocated >> 1 {
            self.ob_base.ob_size.set(len as isize);
            return Ok(());
        }
        let mut room = len.checked_add((len >> 3) + 6).ok_or(NoMemory)? & !3;
        // A big step is likely the last one.
        if len.saturating_sub(self.len()) > room - len {
            room = len.checked_add(3).ok_or(NoMemory)? & !3;
        }
        if len == 0 {
            room = 0;
        }
        self.reallocate(ts, room)?;
        self.ob_base.ob_size.set(len as isize);
        Ok(())
    }

    /// Sets a smaller length; the buffer shrinks with it when it can.
    fn shrink(&self, ts: &ThreadState, len: usize) {
        if self.resize(ts, len).is_err() {
            // The buffer keeps its size: that is enough.
            self.ob_base.ob_size.set(len as isize);
        }
    }

    fn reallocate(&self, ts: &ThreadState, room: usize) -> Result<(), NoMemory> {
        let old = self.ob_item.get();
        if room == 0 {
            if !old.is_null() {
                // SAFETY: the buffer came from the same heap, and is forgotten in the next line.
                unsafe { ts.heap().mem_free(old.cast()) };
            }
            self.ob_item.set(core::ptr::null_mut());
            self.allocated.set(0);
            return Ok(());
        }
        let bytes =
            room.checked_mul(size_of::<*mut PyObject>()).filter(|b| *b <= isize::MAX as usize).ok_or(NoMemory)?;
        let new = if old.is_null() {
            ts.heap().mem_alloc(bytes)
        } else {
            // SAFETY: the buffer came from the same heap; when this fails it stays as it is.
            unsafe { ts.heap().mem_realloc(old.cast(), bytes) }
        };
        if new.is_null() {
            return Err(NoMemory);
        }
        self.ob_item.set(new.cast());
        self.allocated.set(room as isize);
        Ok(())
    }
}

/// Drops the references in a buffer, last first, and frees it.
///
/// # Safety
/// `places` is a list's buffer that no list has any more, with `len` owned references.
unsafe fn drop_buffer(ts: &ThreadState, places: *mut *mut PyObject, len: usize) {
    for index in (0..len).rev() {
        // SAFETY: each reference is given up once.
        unsafe { header::decref(ts, *places.add(index)) };
    }
    // SAFETY: the buffer came from the interpreter's heap, and nobody has it any more.
    unsafe { ts.heap().mem_free(places.cast()) };
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn list_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a list whose count is zero.
    unsafe {
        gc::untrack(&*object);
        let list = (*object).cast_unchecked::<PyList>();
        let places = list.ob_item.get();
        if !places.is_null() {
            drop_buffer(ts, places, list.len());
        }
        alloc::free(ts, object);
    }
}

fn list_traverse(list: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: a traversal runs no Python code.
    visitor.objects(unsafe { list.cast::<PyList>().items() }.iter().copied())
}
