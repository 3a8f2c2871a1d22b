//! `tee`: several iterators over one.
//!
//! What has been read stands in a chain of blocks. Each iterator holds the block that it is in, each block the next
//! one: what all have passed goes by itself.
//!
//! ```text
//!          ┌──────────┐   ┌──────────┐   ┌──────────┐
//!          │ 57 items ├──►│ 57 items ├──►│ 12 items │──► the iterator
//!          └────▲─────┘   └──────────┘   └────▲─────┘
//!             slow one                     fast one
//! ```

use core::cell::Cell;
use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use super::{iterator_type, positional};
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots, TypeSpec,
    Visitor, alloc, attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// How many items a block has room for: with its header it fills whole cache lines.
const BLOCK: usize = 57;

#[repr(C)]
pub(super) struct PyTeeData {
    ob_base: PyObject,
    iterator: Slot<PyObject>,
    items: Slot<PyList>,
    next: Slot<PyTeeData>,
    /// The iterator is being asked for an item.
    running: Cell<bool>,
}

crate::native!(PyTeeData, TEE_DATA_TYPE);

/// `itertools._tee_dataobject`.
pub(super) static TEE_DATA_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"itertools._tee_dataobject",
    basicsize: size_of::<PyTeeData>(),
    flags: flags::HAVE_GC,
    doc: "teedataobject(iterable, values, next, /)\n--\n\nItems that several iterators share.",
    slots: TypeSlots {
        dealloc: Some(data_dealloc),
        traverse: Some(data_traverse),
        clear: Some(|ts, this| data_clear(ts, this.cast())),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

impl PyTeeData {
    fn new(ts: &ThreadState, iterator: PyRef) -> PyResult<Ref<PyTeeData>> {
        let items = PyList::new(ts)?;
        let this = alloc::exact::<PyTeeData>(ts)?;
        this.iterator.set(Some(iterator));
        this.items.set(Some(items));
        gc::track(ts, &*this);
        Ok(this)
    }

    /// The block behind this one, made when it is missing.
    fn next_block(&self, ts: &ThreadState) -> PyResult<Ref<PyTeeData>> {
        if let Some(next) = self.next.get() {
            return Ok(next);
        }
        let next = PyTeeData::new(ts, self.iterator.get().unwrap_or_else(|| ts.none()))?;
        self.next.set(Some(next.clone()));
        Ok(next)
    }

    /// An item of the block, read from the iterator when it is the next one.
    fn item(&self, ts: &ThreadState, index: usize) -> PyResult<Option<PyRef>> {
        let (Some(items), Some(iterator)) = (self.items.get(), self.iterator.get()) else { return Ok(None) };
        if let Some(item) = items.get(index) {
            return Ok(Some(item));
        }
        if self.running.get() {
            return raise!(ts, exc::RuntimeError, "cannot re-enter the tee iterator");
        }
        self.running.set(true);
        let item = protocol::next(ts, &iterator);
        self.running.set(false);
        let Some(item) = item? else { return Ok(None) };
        items.append(ts, item.clone())?;
        Ok(Some(item))
    }
}

/// Drops what the block owns. A chain of blocks that nobody else holds is taken apart one by one, without recursion.
fn data_clear(ts: &ThreadState, this: &PyTeeData) {
    this.iterator.set(None);
    this.items.set(None);
    let mut next = this.next.take();
    while let Some(block) = next {
        next = if block.as_object().is_unique() { block.next.take() } else { None };
        block.release(ts);
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn data_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a block whose count is zero.
    unsafe {
        gc::untrack(&*object);
        data_clear(ts, (*object).cast_unchecked::<PyTeeData>());
        alloc::free(ts, object);
    }
}

fn data_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyTeeData>();
    visitor.slot(&this.iterator)?;
    visitor.slot(&this.items)?;
    visitor.slot(&this.next)
}

#[repr(C)]
pub(super) struct PyTee {
    ob_base: PyObject,
    block: Slot<PyTeeData>,
    /// The index of the next item in the block.
    index: Cell<usize>,
    weakrefs: WeakrefList,
}

impl PyTee {
    unsafe fn slot_dealloc(ts: &ThreadState, object: *mut PyObject) {
        // SAFETY: the slot is called with a tee iterator whose count is zero.
        unsafe {
            gc::untrack(&*object);
            weakref::clear_all(ts, &*object);
            (*object).cast_unchecked::<PyTee>().block.set(None);
            alloc::free(ts, object);
        }
    }

    fn slot_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
        visitor.slot(&object.cast::<PyTee>().block)
    }

    fn slot_clear(_ts: &ThreadState, object: &PyObject) {
        object.cast::<PyTee>().block.set(None);
    }

    fn at(ts: &ThreadState, block: Option<Ref<PyTeeData>>, index: usize) -> PyResult {
        let this = alloc::exact::<PyTee>(ts)?;
        this.block.set(block);
        this.index.set(index);
        gc::track(ts, &*this);
        Ok(this.into_object())
    }
}

iterator_type!(
    PyTee,
    TEE_TYPE,
    "_tee",
    Some(tee_new),
    tee_next,
    "_tee(iterable, /)\n--\n\nAn iterator that can be copied.",
    slots {},
    spec {
        methods: &[MethodDef::no_args("__copy__", tee_copy, "An independent iterator at the same place.")],
        weaklistoffset: offset_of!(PyTee, weakrefs),
    }
);

fn from_iterable(ts: &ThreadState, iterable: &PyObject) -> PyResult {
    let iterator = protocol::iter(ts, iterable)?;
    if iterator.is_a::<PyTee>() {
        return tee_copy(ts, &iterator);
    }
    let block = PyTeeData::new(ts, iterator)?;
    PyTee::at(ts, Some(block), 0)
}

fn tee_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = positional(ts, of, &TEE_TYPE, args, 1, 1)?;
    from_iterable(ts, given[0])
}

fn tee_copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyTee>();
    PyTee::at(ts, this.block.get(), this.index.get())
}

fn tee_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyTee>();
    let Some(mut block) = this.block.get() else { return Ok(None) };
    if this.index.get() >= BLOCK {
        block = block.next_block(ts)?;
        this.block.set(Some(block.clone()));
        this.index.set(0);
    }
    let Some(item) = block.item(ts, this.index.get())? else { return Ok(None) };
    this.index.set(this.index.get() + 1);
    Ok(Some(item))
}

/// `itertools.tee`.
pub(super) fn tee(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "tee", args.len(), 1, 2)?;
    let count = match args.get(1) {
        Some(count) => protocol::as_isize(ts, count)?,
        None => 2,
    };
    if count < 0 {
        return raise!(ts, exc::ValueError, "n must be >= 0");
    }
    let mut copies = TryVec::<PyRef>::new();
    copies.try_reserve(count as usize)?;
    if count > 0 {
        let iterator = protocol::iter(ts, args[0])?;
        let (first, copy) = match attr::get_opt(ts, &iterator, id!(__copy__))? {
            Some(copy) if !iterator.is_a::<PyTee>() => (iterator, copy),
            _ => {
                let first = from_iterable(ts, &iterator)?;
                let copy = attr::get(ts, &first, id!(__copy__))?;
                (first, copy)
            }
        };
        copies.try_push(first)?;
        for _ in 1..count {
            copies.try_push(call::call0(ts, &copy)?)?;
        }
    }
    Ok(PyTuple::from_vec(ts, copies)?.into_object())
}
