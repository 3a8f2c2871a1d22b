//! Making the memory of objects, and giving it back.
//!
//! ```text
//!  plain               [object]
//!  collected           [GC head 16][object]
//!  managed dict/weak   [weakrefs 8][dict 8][GC head 16][object][inline values]
//! ```
//!
//! I1: a type with `MANAGED_DICT` or `MANAGED_WEAKREF` has `HAVE_GC` too, and its instances both words.

use core::cell::Cell;
use core::mem::size_of;

use super::gc::GcHead;
use super::header::{PyObject, PyVarObject};
use super::reference::{Native, Ref, Slot};
use super::typeobj::PyTypeObject;
use super::weakref::WeakrefList;
use super::{PyResult, flags};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use hognose_allocators::NoMemory;

/// The bytes before an object of a type with managed dict or weak references.
const MANAGED: usize = 16;
/// The bytes of the collector's header.
pub(super) const GC_HEAD: usize = size_of::<GcHead>();

/// How many bytes stand before an object of this type.
#[inline(always)]
pub fn prefix_size(typ: &PyTypeObject) -> usize {
    let flags = typ.flags();
    if flags & flags::HAVE_GC == 0 {
        0
    } else if flags & (flags::MANAGED_DICT | flags::MANAGED_WEAKREF) == 0 {
        GC_HEAD
    } else {
        GC_HEAD + MANAGED
    }
}

/// A new instance of `typ`, which is `T`'s type or a subtype; all of it but the header is zeroed.
///
/// The result is not tracked by the collector yet. Fails with MemoryError.
#[inline]
pub fn object<T: Native>(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<T>> {
    if core::ptr::eq(typ, T::type_object()) {
        return exact(ts);
    }
    let size = typ.basicsize() + crate::object::instance::inline_size(typ);
    debug_assert!(size >= size_of::<T>());
    // SAFETY: the size is that of an instance of the type.
    unsafe {
        let object = raw(ts, typ, size, true)?;
        // The block of inline values is as large as was asked for just now.
        crate::object::instance::init(&*object);
        Ok(Ref::from_owned(object.cast()))
    }
}

/// A new instance of exactly `T`'s built-in type, zeroed behind the header.
#[inline(always)]
pub fn exact<T: Native>(ts: &ThreadState) -> PyResult<Ref<T>> {
    let typ = T::type_object();
    // SAFETY: a built-in type's instance is a `T`.
    unsafe { raw(ts, typ, size_of::<T>(), true).map(|p| Ref::from_owned(p.cast())) }
}

/// A new instance of exactly `T`'s built-in type of which the caller writes every field behind the header.
///
/// # Safety
/// The caller initializes the fields before anything else can look at the object.
#[inline(always)]
pub unsafe fn exact_uninit<T: Native>(ts: &ThreadState) -> PyResult<*mut T> {
    // SAFETY: a built-in type's instance is a `T`.
    unsafe { raw(ts, T::type_object(), size_of::<T>(), false).map(|p| p.cast()) }
}

/// A new instance of `typ` with `items` items and `ob_size` set to that; zeroed behind the header.
#[inline]
pub fn var_object<T: Native>(ts: &ThreadState, typ: &PyTypeObject, items: usize) -> PyResult<Ref<T>> {
    // SAFETY: the items are zeroed.
    unsafe { var_object_with(ts, typ, items, true).map(|p| Ref::from_owned(p)) }
}

/// As [`var_object`], with the memory behind the header left as it is.
///
/// # Safety
/// The caller initializes everything before anything else can look at the object.
#[inline]
pub unsafe fn var_object_uninit<T: Native>(ts: &ThreadState, typ: &PyTypeObject, items: usize) -> PyResult<*mut T> {
    // SAFETY: the caller's promise.
    unsafe { var_object_with(ts, typ, items, false) }
}

#[inline(always)]
unsafe fn var_object_with<T: Native>(
    ts: &ThreadState,
    typ: &PyTypeObject,
    items: usize,
    zero: bool,
) -> PyResult<*mut T> {
    let Some(size) = typ.itemsize().checked_mul(items).and_then(|n| n.checked_add(typ.basicsize())) else {
        return Err(NoMemory.into());
    };
    // SAFETY: the size is that of an instance with so many items.
    unsafe {
        let object = raw(ts, typ, size, zero)?;
        (*object.cast::<PyVarObject>()).ob_size.set(items as isize);
        Ok(object.cast())
    }
}

/// Memory of `size` bytes for an object of `typ`, with its header complete.
///
/// # Safety
/// `size` is at least the type's basic size; unless `zero`, the caller initializes what is behind the header.
#[inline(always)]
pub unsafe fn raw(ts: &ThreadState, typ: &PyTypeObject, size: usize, zero: bool) -> PyResult<*mut PyObject> {
    let prefix = prefix_size(typ);
    if size > isize::MAX as usize - GC_HEAD - MANAGED {
        return Err(NoMemory.into());
    }
    let block = if prefix == 0 { ts.heap().obj_alloc(size) } else { ts.heap().gc_alloc(size + prefix) };
    if block.is_null() {
        return Err(NoMemory.into());
    }
    // SAFETY: the block has prefix + size bytes.
    unsafe {
        if prefix != 0 {
            // The managed words are empty, and the collector's header says "not tracked".
            core::ptr::write_bytes(block, 0, prefix);
        }
        let object = block.add(prefix).cast::<PyObject>();
        if zero {
            core::ptr::write_bytes(object.cast::<u8>().add(size_of::<PyObject>()), 0, size - size_of::<PyObject>());
        }
        (*object).ob_refcnt = Cell::new(1);
        (*object).ob_type = Cell::new(typ);
        if typ.is_heap_type() {
            crate::object::AsObject::as_object(typ).incref();
        }
        if prefix != 0 {
            super::gc::note_allocation(ts);
        }
        super::reftrace::created(object);
        Ok(object)
    }
}

/// Frees the memory of an object whose fields have been dropped and which is not tracked any more.
///
/// An instance's reference to its heap type is the business of the type's own dealloc (see
/// `types::typ`), not of this function.
///
/// # Safety
/// Nothing uses the object afterwards.
#[inline(always)]
pub unsafe fn free(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is whole up to here.
    let prefix = prefix_size(unsafe { (*object).ob_type() });
    // SAFETY: the block begins a prefix before the object.
    unsafe {
        let block = object.cast::<u8>().sub(prefix);
        if prefix == 0 {
            ts.heap().obj_free(block);
        } else {
            super::gc::note_deallocation(ts);
            ts.heap().gc_free(block);
        }
    }
}

/// Where an instance keeps its `__dict__`, if its type gives it one.
#[inline(always)]
pub fn dict_slot(object: &PyObject) -> Option<&Slot<PyDict>> {
    let typ = object.ob_type();
    if typ.has_flag(flags::MANAGED_DICT) {
        // SAFETY: I1: the word stands before the collector's header.
        return Some(unsafe { &*object.as_ptr().cast::<u8>().sub(GC_HEAD + 8).cast::<Slot<PyDict>>() });
    }
    let offset = typ.tp_dictoffset.get();
    if offset <= 0 {
        return None;
    }
    // SAFETY: the type says that a dict slot is there.
    Some(unsafe { &*object.as_ptr().cast::<u8>().offset(offset).cast::<Slot<PyDict>>() })
}

/// Where an instance keeps its list of weak references, if its type gives it one.
#[inline(always)]
pub fn weaklist(object: &PyObject) -> Option<&WeakrefList> {
    let typ = object.ob_type();
    if typ.has_flag(flags::MANAGED_WEAKREF) {
        // SAFETY: I1.
        return Some(unsafe { &*object.as_ptr().cast::<u8>().sub(GC_HEAD + 16).cast::<WeakrefList>() });
    }
    let offset = typ.tp_weaklistoffset.get();
    if offset <= 0 {
        return None;
    }
    // SAFETY: the type says that a list head is there.
    Some(unsafe { &*object.as_ptr().cast::<u8>().offset(offset).cast::<WeakrefList>() })
}

/// The size of an object's memory in bytes, without what stands before it (`object.__sizeof__`).
pub fn object_size(object: &PyObject) -> usize {
    let typ = object.ob_type();
    let mut size = typ.basicsize() + crate::object::instance::block_size(object);
    if typ.itemsize() != 0 {
        // SAFETY: only variable-size objects have an item size.
        let items = unsafe { (*object.as_ptr().cast::<PyVarObject>()).ob_size.get() };
        size += typ.itemsize() * items.unsigned_abs();
    }
    size
}
