//! The memory of objects of C types, and the collector. Declared in `objimpl.h`.

use core::ffi::{c_int, c_void};

use super::convert::{guard, null_argument};
use crate::capi;
use crate::object::{PyObject, PyRef, PyTypeObject, PyVarObject, alloc, gc};
use crate::state::ThreadState;

fn as_type<'a>(typ: *mut PyTypeObject) -> &'a PyTypeObject {
    // SAFETY: the header asks for a type.
    unsafe { &*typ }
}

/// Memory for an instance, with a complete header; zeroed behind it, and not tracked.
fn make(ts: &ThreadState, typ: *mut PyTypeObject, items: Option<isize>, extra: usize) -> crate::object::PyResult {
    let typ = as_type(typ);
    let Ok(items_len) = usize::try_from(items.unwrap_or(0)) else {
        return super::convert::bad_internal_call(ts, "_PyObject_NewVar");
    };
    let size = typ.itemsize().checked_mul(items_len).and_then(|n| n.checked_add(typ.basicsize() + extra));
    let Some(size) = size else { return Err(ts.raise_no_memory()) };
    if extra == 0 && items.is_none() {
        return alloc::object::<PyObject>(ts, typ);
    }
    // SAFETY: the size is that of an instance with so many items; all of it is zeroed.
    unsafe {
        let object = alloc::raw(ts, typ, size, true)?;
        if items.is_some() {
            (*object.cast::<PyVarObject>()).ob_size.set(items_len as isize);
        }
        Ok(PyRef::from_owned(object))
    }
}

capi! {
    /// A new instance of a type without items.
    fn _PyObject_New(ts, typ: *mut PyTypeObject) -> PyRef {
        make(ts, typ, None, 0)
    }

    /// A new instance with items.
    fn _PyObject_NewVar(ts, typ: *mut PyTypeObject, items: isize) -> PyRef {
        make(ts, typ, Some(items), 0)
    }

    /// A new instance of a collected type.
    fn _PyObject_GC_New(ts, typ: *mut PyTypeObject) -> PyRef {
        make(ts, typ, None, 0)
    }

    /// A new instance of a collected type, with items.
    fn _PyObject_GC_NewVar(ts, typ: *mut PyTypeObject, items: isize) -> PyRef {
        make(ts, typ, Some(items), 0)
    }

    /// A new instance of a collected type, with zeroed bytes behind it.
    fn PyUnstable_Object_GC_NewWithExtraData(ts, typ: *mut PyTypeObject, extra: usize) -> PyRef {
        make(ts, typ, None, extra)
    }
}

/// Writes the header of an object whose memory the caller has allocated.
///
/// # Safety
///
/// A thread state is attached; `object` has room for an instance, or is null (MemoryError).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_Init(object: *mut PyObject, typ: *mut PyTypeObject) -> *mut PyObject {
    if object.is_null() {
        let _raised = ThreadState::current().raise_no_memory();
        return object;
    }
    // SAFETY: as promised.
    unsafe {
        object.write(PyObject::new(typ));
        if (*typ).is_heap_type() {
            crate::object::AsObject::as_object(&*typ).incref();
        }
    }
    crate::object::reftrace::created(object);
    object
}

/// The same with `ob_size`.
///
/// # Safety
///
/// As for [`PyObject_Init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_InitVar(object: *mut PyObject, typ: *mut PyTypeObject, size: isize) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe {
        let object = PyObject_Init(object, typ);
        if !object.is_null() {
            (*object.cast::<PyVarObject>()).ob_size.set(size);
        }
        object
    }
}

/// Frees the memory of a collected object.
///
/// # Safety
///
/// A thread state is attached; the object is one of `PyObject_GC_New`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_Del(object: *mut c_void) {
    let ts = ThreadState::current();
    let object = object.cast::<PyObject>();
    // SAFETY: as promised.
    unsafe {
        gc::untrack(&*object);
        alloc::free(ts, object);
    }
}

/// Hands an object to the collector; its fields are all written.
///
/// # Safety
///
/// A thread state is attached; the object is of a collected type, and not tracked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_Track(object: *mut c_void) {
    // SAFETY: as promised.
    let object = unsafe { &*object.cast::<PyObject>() };
    if !gc::is_tracked(object) {
        gc::track_in(ThreadState::current(), object);
    }
}

/// Takes it back.
///
/// # Safety
///
/// A thread state is attached; the object is of a collected type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_UnTrack(object: *mut c_void) {
    // SAFETY: as promised.
    gc::untrack(unsafe { &*object.cast::<PyObject>() });
}

/// Whether the collector knows the object.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_IsTracked(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    gc::is_tracked(unsafe { &*object }).into()
}

/// Whether the object's finalizer has run.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GC_IsFinalized(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    gc::is_finalized(unsafe { &*object }).into()
}

/// Whether objects of the object's type have a collector header.
///
/// # Safety
///
/// `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_IS_GC(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { (*object).ob_type().is_gc() }.into()
}

/// Collects all generations, if the collector is enabled; returns how many objects were garbage.
#[unsafe(no_mangle)]
pub extern "C" fn PyGC_Collect() -> isize {
    guard::<isize>("PyGC_Collect", |ts| {
        if !ts.interp().gc.enabled.get() {
            return Ok(0);
        }
        Ok(gc::collect(ts, gc::GENERATIONS - 1) as isize)
    })
}

/// Enables the collector; returns whether it was.
#[unsafe(no_mangle)]
pub extern "C" fn PyGC_Enable() -> c_int {
    ThreadState::current().interp().gc.enabled.replace(true).into()
}

/// Disables the collector; returns whether it was enabled.
#[unsafe(no_mangle)]
pub extern "C" fn PyGC_Disable() -> c_int {
    ThreadState::current().interp().gc.enabled.replace(false).into()
}

/// Whether the collector is enabled.
#[unsafe(no_mangle)]
pub extern "C" fn PyGC_IsEnabled() -> c_int {
    ThreadState::current().interp().gc.enabled.get().into()
}

/// Calls a function with each tracked object until it returns 0.
///
/// # Safety
///
/// A thread state is attached; the callback takes an object and `arg`, and makes no objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyUnstable_GC_VisitObjects(
    callback: Option<unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int>,
    arg: *mut c_void,
) {
    let Some(callback) = callback else { return };
    let mut go_on = true;
    ThreadState::current().interp().gc.for_each(&mut |object| {
        // SAFETY: as promised.
        go_on = go_on && unsafe { callback(object.as_ptr(), arg) } != 0;
    });
}

capi! {
    /// Changes the number of items of a collected object that is not tracked.
    fn _PyObject_GC_Resize(ts, object: *mut PyObject, items: isize) -> *mut PyObject {
        // SAFETY: an object or null.
        let Some(old) = (unsafe { object.as_ref() }) else { return null_argument(ts) };
        let typ = old.ob_type();
        let made = make(ts, core::ptr::from_ref(typ).cast_mut(), Some(items), 0)?;
        // SAFETY: both have the type's layout; the contents move, and only the old memory is freed. The new
        // header's reference to a heap type replaces the old one's.
        unsafe {
            let keep = (*object.cast::<PyVarObject>()).ob_size.get().min(items).max(0) as usize;
            let size = typ.basicsize() + typ.itemsize() * keep - size_of::<PyVarObject>();
            let from = object.cast::<u8>().add(size_of::<PyVarObject>());
            core::ptr::copy_nonoverlapping(from, made.as_raw().cast::<u8>().add(size_of::<PyVarObject>()), size);
            let typ_object = crate::object::AsObject::as_object(typ).as_ptr();
            let is_heap = typ.is_heap_type();
            alloc::free(ts, object);
            if is_heap {
                crate::object::header::decref(ts, typ_object);
            }
        }
        Ok(made.into_ptr())
    }
}
