//! `deque`: a ring of references, which grows and shrinks at both ends.
//!
//! ```text
//!            head                  (head + len) % room
//!  ┌────┬────▼───┬────────┬────────▼─┬────┐
//!  │    │ item 0 │ item 1 │ item 2   │    │   mem domain; room is a power of two
//!  └────┴────────┴────────┴──────────┴────┘
//! ```
//!
//! I1: the `len` places from `head` on, round the end, hold owned references; `len <= room`.
//! I2: `len <= max_len` whenever Python code can run.
//! I3: `state` changes whenever an item is added, removed or moved: iterators see by it that they are lost.
//! I4: a reference is dropped only when the ring is whole again.

mod iter;
mod methods;

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;
use core::ptr;

use hognose_allocators::NoMemory;

use crate::object::header::decref;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec,
    Visitor, alloc, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::genericalias;

pub(super) use iter::{DEQUE_ITERATOR_TYPE, DEQUE_REVERSE_ITERATOR_TYPE};

/// The smallest ring.
const MIN_ROOM: usize = 8;

/// A double-ended queue.
#[repr(C)]
pub(super) struct PyDeque {
    ob_base: PyObject,
    places: Cell<*mut *mut PyObject>,
    room: Cell<usize>,
    head: Cell<usize>,
    len: Cell<usize>,
    state: Cell<usize>,
    /// -1 is no limit.
    max_len: Cell<isize>,
    weakrefs: WeakrefList,
}

crate::native!(PyDeque, DEQUE_TYPE);

/// `collections.deque`.
pub(super) static DEQUE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections.deque",
    basicsize: size_of::<PyDeque>(),
    flags: flags::HAVE_GC | flags::BASETYPE | flags::SEQUENCE,
    doc: "deque([iterable[, maxlen]])\n--\n\nA list-like sequence optimized for data accesses near its endpoints.",
    slots: TypeSlots {
        new: Some(methods::deque_new),
        init: Some(methods::deque_init),
        dealloc: Some(deque_dealloc),
        traverse: Some(deque_traverse),
        clear: Some(|ts, this| this.cast::<PyDeque>().clear(ts)),
        repr: Some(methods::deque_repr),
        richcompare: Some(methods::deque_compare),
        iter: Some(iter::deque_iter),
        nb_bool: Some(|_, this| Ok(this.cast::<PyDeque>().len() != 0)),
        sq_length: Some(|_, this| Ok(this.cast::<PyDeque>().len())),
        sq_concat: Some(methods::deque_concat),
        sq_repeat: Some(methods::deque_repeat),
        sq_item: Some(methods::deque_item),
        sq_ass_item: Some(methods::deque_ass_item),
        sq_contains: Some(methods::deque_contains),
        sq_inplace_concat: Some(methods::deque_inplace_concat),
        sq_inplace_repeat: Some(methods::deque_inplace_repeat),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "append",
            methods::append,
            "append($self, item, /)\n--\n\nAdd an element to the right side of the deque.",
        ),
        MethodDef::one(
            "appendleft",
            methods::append_left,
            "appendleft($self, item, /)\n--\n\nAdd an element to the left side of the deque.",
        ),
        MethodDef::no_args("clear", methods::clear, "clear($self, /)\n--\n\nRemove all elements from the deque."),
        MethodDef::no_args("__copy__", methods::copy, "__copy__($self, /)\n--\n\nReturn a shallow copy of a deque."),
        MethodDef::no_args("copy", methods::copy, "copy($self, /)\n--\n\nReturn a shallow copy of a deque."),
        MethodDef::one("count", methods::count, "count($self, value, /)\n--\n\nReturn number of occurrences of value."),
        MethodDef::one(
            "extend",
            methods::extend,
            "extend($self, iterable, /)\n--\n\nExtend the right side of the deque with elements from the iterable.",
        ),
        MethodDef::one(
            "extendleft",
            methods::extend_left,
            "extendleft($self, iterable, /)\n--\n\nExtend the left side of the deque with elements from the iterable.",
        ),
        MethodDef::positional(
            "index",
            methods::index,
            "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n\
             Return first index of value.\n\nRaises ValueError if the value is not present.",
        ),
        MethodDef::positional(
            "insert",
            methods::insert,
            "insert($self, index, value, /)\n--\n\nInsert value before index.",
        ),
        MethodDef::no_args("pop", methods::pop, "pop($self, /)\n--\n\nRemove and return the rightmost element."),
        MethodDef::no_args(
            "popleft",
            methods::pop_left,
            "popleft($self, /)\n--\n\nRemove and return the leftmost element.",
        ),
        MethodDef::no_args(
            "__reduce__",
            methods::reduce,
            "__reduce__($self, /)\n--\n\nReturn state information for pickling.",
        ),
        MethodDef::one("remove", methods::remove, "remove($self, value, /)\n--\n\nRemove first occurrence of value."),
        MethodDef::no_args(
            "__reversed__",
            iter::deque_reversed,
            "__reversed__($self, /)\n--\n\nReturn a reverse iterator over the deque.",
        ),
        MethodDef::no_args("reverse", methods::reverse, "reverse($self, /)\n--\n\nReverse *IN PLACE*."),
        MethodDef::positional(
            "rotate",
            methods::rotate,
            "rotate($self, n=1, /)\n--\n\nRotate the deque n steps to the right.  If n is negative, rotates left.",
        ),
        MethodDef::no_args(
            "__sizeof__",
            methods::sizeof,
            "__sizeof__($self, /)\n--\n\nReturn the size of the deque in memory, in bytes.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[GetSetDef::get("maxlen", methods::max_len, "maximum size of a deque or None if unbounded")],
    weaklistoffset: offset_of!(PyDeque, weakrefs),
    ..TypeSpec::EMPTY
});

impl PyDeque {
    /// An empty deque of the type.
    fn new(ts: &ThreadState, of: &PyTypeObject, max_len: isize) -> PyResult<Ref<PyDeque>> {
        let this = alloc::object::<PyDeque>(ts, of)?;
        this.max_len.set(max_len);
        gc::track(ts, &*this);
        Ok(this)
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.len.get()
    }

    #[inline(always)]
    fn touch(&self) {
        self.state.set(self.state.get().wrapping_add(1));
    }

    /// The place of an item.
    ///
    /// # Safety
    /// The index is below `room`, which is not zero.
    #[inline(always)]
    unsafe fn place(&self, index: usize) -> *mut *mut PyObject {
        // SAFETY: the mask keeps the offset inside of the ring.
        unsafe { self.places.get().add((self.head.get().wrapping_add(index)) & (self.room.get() - 1)) }
    }

    /// An item, counted.
    #[inline(always)]
    fn get(&self, index: usize) -> Option<PyRef> {
        if index >= self.len() {
            return None;
        }
        // SAFETY: I1.
        Some(unsafe { (**self.place(index)).new_ref() })
    }

    /// Makes room for one more item.
    #[inline(always)]
    fn reserve_one(&self, ts: &ThreadState) -> Result<(), NoMemory> {
        if self.len() == self.room.get() { self.grow(ts) } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, ts: &ThreadState) -> Result<(), NoMemory> {
        self.move_to(ts, (self.room.get() * 2).max(MIN_ROOM))
    }

    /// Moves the items into a ring of another size.
    fn move_to(&self, ts: &ThreadState, room: usize) -> Result<(), NoMemory> {
        debug_assert!(room.is_power_of_two() && room >= self.len());
        let bytes =
            room.checked_mul(size_of::<*mut PyObject>()).filter(|b| *b <= isize::MAX as usize).ok_or(NoMemory)?;
        let new = ts.heap().mem_alloc(bytes).cast::<*mut PyObject>();
        if new.is_null() {
            return Err(NoMemory);
        }
        let old = self.places.get();
        if !old.is_null() {
            // SAFETY: I1: the items lie in one or two pieces; the new block has room for them; the old one is freed once.
            unsafe {
                let first = (self.room.get() - self.head.get()).min(self.len());
                ptr::copy_nonoverlapping(old.add(self.head.get()), new, first);
                ptr::copy_nonoverlapping(old, new.add(first), self.len() - first);
                ts.heap().mem_free(old.cast());
            }
        }
        self.places.set(new);
        self.room.set(room);
        self.head.set(0);
        Ok(())
    }

    /// Gives memory back when most of it is unused.
    #[inline(always)]
    fn shrink(&self, ts: &ThreadState) {
        if self.room.get() > 64 && self.len() < self.room.get() / 8 {
            // When there is no memory for the smaller one, the ring stays as it is.
            let _ = self.move_to(ts, self.room.get() / 4);
        }
    }

    /// Puts an item at the end; what a limit pushes out at the other one is returned.
    #[inline]
    fn push(&self, ts: &ThreadState, item: PyRef) -> PyResult<Option<PyRef>> {
        if self.len() as isize == self.max_len.get() {
            if self.len() == 0 {
                return Ok(Some(item));
            }
            let old = self.take_first(ts);
            // SAFETY: a place has just become free.
            unsafe { *self.place(self.len()) = item.into_ptr() };
            self.len.set(self.len() + 1);
            return Ok(old);
        }
        self.reserve_one(ts)?;
        // SAFETY: there is room.
        unsafe { *self.place(self.len()) = item.into_ptr() };
        self.len.set(self.len() + 1);
        self.touch();
        Ok(None)
    }

    /// Puts an item at the beginning; what a limit pushes out at the other end is returned.
    #[inline]
    fn push_left(&self, ts: &ThreadState, item: PyRef) -> PyResult<Option<PyRef>> {
        let mut old = None;
        if self.len() as isize == self.max_len.get() {
            if self.len() == 0 {
                return Ok(Some(item));
            }
            old = self.take_last(ts);
        } else {
            self.reserve_one(ts)?;
        }
        self.head.set(self.head.get().wrapping_sub(1) & (self.room.get() - 1));
        // SAFETY: there is room before the first item.
        unsafe { *self.place(0) = item.into_ptr() };
        self.len.set(self.len() + 1);
        self.touch();
        Ok(old)
    }

    /// Takes the last item out, without giving memory back.
    #[inline]
    fn take_last(&self, _ts: &ThreadState) -> Option<PyRef> {
        let last = self.len().checked_sub(1)?;
        self.len.set(last);
        self.touch();
        // SAFETY: I1: the reference was the ring's.
        Some(unsafe { Ref::from_owned(*self.place(last)) })
    }

    /// Takes the first item out, without giving memory back.
    #[inline]
    fn take_first(&self, _ts: &ThreadState) -> Option<PyRef> {
        let rest = self.len().checked_sub(1)?;
        // SAFETY: I1: the reference was the ring's.
        let item = unsafe { Ref::from_owned(*self.place(0)) };
        self.head.set((self.head.get() + 1) & (self.room.get() - 1));
        self.len.set(rest);
        self.touch();
        Some(item)
    }

    /// Turns the ring by `steps`, to the right when positive.
    fn rotate(&self, steps: isize) {
        let len = self.len();
        if len < 2 {
            return;
        }
        let steps = steps.rem_euclid(len as isize) as usize;
        if steps == 0 {
            return;
        }
        self.touch();
        let mask = self.room.get() - 1;
        if len == self.room.get() {
            // A full ring needs no move at all.
            self.head.set(self.head.get().wrapping_sub(steps) & mask);
        } else if steps <= len - steps {
            for _ in 0..steps {
                // SAFETY: the last item moves before the first one, where there is room.
                unsafe {
                    let item = *self.place(len - 1);
                    self.head.set(self.head.get().wrapping_sub(1) & mask);
                    *self.place(0) = item;
                }
            }
        } else {
            for _ in 0..len - steps {
                // SAFETY: the first item moves behind the last one, where there is room.
                unsafe {
                    let item = *self.place(0);
                    self.head.set((self.head.get() + 1) & mask);
                    *self.place(len - 1) = item;
                }
            }
        }
    }

    /// Takes the item at an index out; the shorter side moves up.
    fn take(&self, index: usize) -> PyRef {
        let len = self.len();
        debug_assert!(index < len);
        self.touch();
        // SAFETY: I1: the indices are below the length; each reference ends up in one place.
        unsafe {
            let item = *self.place(index);
            if index < len / 2 {
                for at in (0..index).rev() {
                    *self.place(at + 1) = *self.place(at);
                }
                self.head.set((self.head.get() + 1) & (self.room.get() - 1));
            } else {
                for at in index + 1..len {
                    *self.place(at - 1) = *self.place(at);
                }
            }
            self.len.set(len - 1);
            Ref::from_owned(item)
        }
    }

    /// Puts an item before the one at the index, which is not beyond the end.
    fn put(&self, ts: &ThreadState, index: usize, item: PyRef) -> Result<(), NoMemory> {
        self.reserve_one(ts)?;
        let len = self.len();
        debug_assert!(index <= len);
        self.touch();
        // SAFETY: there is room for one more at either end; each reference ends up in one place.
        unsafe {
            if index < len / 2 {
                self.head.set(self.head.get().wrapping_sub(1) & (self.room.get() - 1));
                for at in 0..index {
                    *self.place(at) = *self.place(at + 1);
                }
            } else {
                for at in (index..len).rev() {
                    *self.place(at + 1) = *self.place(at);
                }
            }
            *self.place(index) = item.into_ptr();
        }
        self.len.set(len + 1);
        Ok(())
    }

    /// Puts an item in place of another one, which is returned.
    fn replace(&self, index: usize, item: PyRef) -> PyRef {
        debug_assert!(index < self.len());
        // SAFETY: I1.
        unsafe { Ref::from_owned(ptr::replace(self.place(index), item.into_ptr())) }
    }

    /// Takes everything out.
    fn clear(&self, ts: &ThreadState) {
        let (places, room, head, len) =
            (self.places.replace(ptr::null_mut()), self.room.replace(0), self.head.replace(0), self.len.replace(0));
        if places.is_null() {
            return;
        }
        self.touch();
        for index in 0..len {
            // SAFETY: I1; the deque has forgotten the ring, so each reference is given up once.
            unsafe { decref(ts, *places.add((head + index) & (room - 1))) };
        }
        // SAFETY: the block came from the interpreter's heap, and nobody has it any more.
        unsafe { ts.heap().mem_free(places.cast()) };
    }

    /// Adds the items of an iterable, at the end or at the beginning.
    fn extend_with(&self, ts: &ThreadState, iterable: &PyObject, left: bool) -> PyResult<()> {
        if iterable.is(self.as_object()) {
            let items = protocol::list_of(ts, iterable)?;
            return self.extend_with(ts, items.as_object(), left);
        }
        let iterator = protocol::iter(ts, iterable)?;
        while let Some(item) = protocol::next(ts, &iterator)? {
            let old = if left { self.push_left(ts, item)? } else { self.push(ts, item)? };
            if let Some(old) = old {
                old.release(ts);
            }
        }
        Ok(())
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn deque_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a deque whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        (*object).cast_unchecked::<PyDeque>().clear(ts);
        alloc::free(ts, object);
    }
}

fn deque_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: only deques have the slot.
    let this = unsafe { object.cast_unchecked::<PyDeque>() };
    for index in 0..this.len() {
        // SAFETY: I1; a traversal changes nothing.
        visitor.object(unsafe { &**this.place(index) })?;
    }
    ControlFlow::Continue(())
}
