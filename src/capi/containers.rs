//! Slices, capsules, weak references and generic aliases. Declared in `sliceobject.h`, `pycapsule.h`,
//! `weakrefobject.h` and `genericaliasobject.h`.

use core::ffi::{CStr, c_char, c_int, c_void};

use super::convert::{Borrowed, Function, utf8};
use crate::object::{PyObject, PyRef, PyResult, Ref, attr};
use crate::state::ThreadState;
use crate::types::capsule::{Destructor, PyCapsule};
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::slice::{Indices, PySlice};
use crate::types::str::PyStr;
use crate::types::weakref::{PyWeakref, proxy};
use crate::{capi, raise};

capi! {
    /// A slice; null stands for None.
    fn PySlice_New(ts, start: Option<&PyObject>, stop: Option<&PyObject>, step: Option<&PyObject>) -> Ref<PySlice> {
        PySlice::new(ts, start.unwrap_or(none()), stop.unwrap_or(none()), step.unwrap_or(none()))
    }

    /// A slice's numbers, out of range clipped.
    fn PySlice_Unpack(ts, slice: &PySlice, start: *mut isize, stop: *mut isize, step: *mut isize) -> () {
        let (from, to, by) = slice.unpack(ts)?;
        // SAFETY: the caller's places.
        unsafe {
            start.write(from);
            stop.write(to);
            step.write(by);
        }
        Ok(())
    }

    /// The same, fitted to a length.
    fn PySlice_GetIndicesEx(
        ts, slice: &PySlice, len: isize, start: *mut isize, stop: *mut isize, step: *mut isize, count: *mut isize,
    ) -> () {
        let (from, to, by, number) = PySlice::adjust(ts, slice, len.max(0) as usize)?;
        // SAFETY: the caller's places.
        unsafe {
            start.write(from);
            stop.write(to);
            step.write(by);
            count.write(number as isize);
        }
        Ok(())
    }
}

/// Fits a slice's numbers to a length; returns how many items it selects.
///
/// # Safety
///
/// The places hold the numbers of `PySlice_Unpack`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PySlice_AdjustIndices(len: isize, start: *mut isize, stop: *mut isize, step: isize) -> isize {
    // SAFETY: as promised.
    unsafe {
        let fitted = Indices::clip(*start, *stop, step, len.max(0) as usize);
        *start = fitted.start;
        *stop = fitted.stop;
        fitted.length as isize
    }
}

fn capsule<'a>(ts: &ThreadState, object: Option<&'a PyObject>, function: &str) -> PyResult<&'a PyCapsule> {
    match object.and_then(|o| o.downcast::<PyCapsule>()).filter(|c| !c.pointer.get().is_null()) {
        Some(capsule) => Ok(capsule),
        None => raise!(ts, exc::ValueError, "{function} called with invalid PyCapsule object"),
    }
}

capi! {
    /// A capsule around a pointer, which is not null.
    fn PyCapsule_New(ts, pointer: *mut c_void, name: *const c_char, destructor: Function<Destructor>) -> Ref<PyCapsule> {
        if pointer.is_null() {
            return raise!(ts, exc::ValueError, "PyCapsule_New called with null pointer");
        }
        PyCapsule::new(ts, pointer, name, destructor.0)
    }

    /// The pointer; the name must be the capsule's.
    fn PyCapsule_GetPointer(ts, object: Option<&PyObject>, name: *const c_char) -> *mut c_void {
        let capsule = capsule(ts, object, "PyCapsule_GetPointer")?;
        // SAFETY: the caller's C string, or null; the capsule's own stays, as the header asks.
        if !unsafe { capsule.has_name(name) } {
            return raise!(ts, exc::ValueError, "PyCapsule_GetPointer called with incorrect name");
        }
        Ok(capsule.pointer.get())
    }

    /// The name, or null.
    fn PyCapsule_GetName(ts, object: Option<&PyObject>) -> *const c_char {
        Ok(capsule(ts, object, "PyCapsule_GetName")?.name.get())
    }

    /// The context, or null.
    fn PyCapsule_GetContext(ts, object: Option<&PyObject>) -> *mut c_void {
        Ok(capsule(ts, object, "PyCapsule_GetContext")?.context.get())
    }

    /// Changes the pointer.
    fn PyCapsule_SetPointer(ts, object: Option<&PyObject>, pointer: *mut c_void) -> () {
        if pointer.is_null() {
            return raise!(ts, exc::ValueError, "PyCapsule_SetPointer called with null pointer");
        }
        capsule(ts, object, "PyCapsule_SetPointer")?.pointer.set(pointer);
        Ok(())
    }

    /// Changes the name.
    fn PyCapsule_SetName(ts, object: Option<&PyObject>, name: *const c_char) -> () {
        capsule(ts, object, "PyCapsule_SetName")?.name.set(name);
        Ok(())
    }

    /// Changes the context.
    fn PyCapsule_SetContext(ts, object: Option<&PyObject>, context: *mut c_void) -> () {
        capsule(ts, object, "PyCapsule_SetContext")?.context.set(context);
        Ok(())
    }

    /// Changes the destructor.
    fn PyCapsule_SetDestructor(ts, object: Option<&PyObject>, destructor: Function<Destructor>) -> () {
        capsule(ts, object, "PyCapsule_SetDestructor")?.destructor.set(destructor.0);
        Ok(())
    }

    /// The pointer of the capsule that is the attribute `module.name…`, which is imported.
    fn PyCapsule_Import(ts, full_name: &CStr, _no_block: c_int) -> *mut c_void {
        let text = utf8(ts, full_name)?;
        let mut parts = text.split('.');
        let mut object = crate::import::import_module(ts, parts.next().unwrap_or(""))?;
        for part in parts {
            object = attr::get(ts, &object, &*PyStr::intern(ts, part)?)?;
        }
        match object.downcast::<PyCapsule>() {
            // SAFETY: as above.
            Some(capsule) if unsafe { capsule.has_name(full_name.as_ptr()) } => Ok(capsule.pointer.get()),
            _ => raise!(ts, exc::AttributeError, "PyCapsule_Import \"{text}\" is not valid"),
        }
    }
}

/// Whether the object is a capsule with that name and a pointer.
///
/// # Safety
///
/// `object` is an object or null, `name` a C string or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyCapsule_IsValid(object: *mut PyObject, name: *const c_char) -> c_int {
    // SAFETY: as promised.
    let capsule = unsafe { object.as_ref() }.and_then(|o| o.downcast_exact::<PyCapsule>());
    // SAFETY: as promised.
    capsule.is_some_and(|c| !c.pointer.get().is_null() && unsafe { c.has_name(name) }).into()
}

fn callback(object: Option<&PyObject>) -> Option<&PyObject> {
    object.filter(|o| !o.is(none()))
}

capi! {
    /// A weak reference.
    fn PyWeakref_NewRef(ts, object: &PyObject, on_end: Option<&PyObject>) -> Ref<PyWeakref> {
        PyWeakref::new(ts, object, callback(on_end))
    }

    /// A proxy.
    fn PyWeakref_NewProxy(ts, object: &PyObject, on_end: Option<&PyObject>) -> PyRef {
        proxy::new(ts, object, callback(on_end))
    }

    /// 1 and what a weak reference refers to, or 0 when that is gone.
    fn PyWeakref_GetRef(ts, reference: &PyObject, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(target(ts, reference)?, result))
    }

    /// What a weak reference refers to, borrowed; None when that is gone.
    fn PyWeakref_GetObject(ts, reference: &PyObject) -> Borrowed {
        Ok(target(ts, reference)?.map_or_else(|| Borrowed::of(none()), Borrowed::kept))
    }

    /// Whether a weak reference's object is gone.
    fn PyWeakref_IsDead(ts, reference: &PyObject) -> bool {
        Ok(target(ts, reference)?.is_none())
    }

    /// `origin[args]`.
    fn Py_GenericAlias(ts, origin: &PyObject, args: &PyObject) -> PyRef {
        crate::types::genericalias::new(ts, origin, args)
    }
}

fn target(ts: &ThreadState, reference: &PyObject) -> PyResult<Option<PyRef>> {
    if let Some(reference) = reference.downcast::<PyWeakref>() {
        return Ok(reference.get());
    }
    if proxy::is_proxy_type(reference.ob_type()) {
        // SAFETY: proxies are weak references with another type.
        let reference = unsafe { &*reference.as_ptr().cast::<PyWeakref>() };
        return Ok(reference.get());
    }
    raise!(ts, exc::TypeError, "expected a weakref")
}
