//! `PyCapsule`: a C pointer under a name, handed from one extension module to another.

use core::cell::Cell;
use core::ffi::{CStr, c_char, c_void};
use core::ops::ControlFlow;

use crate::native;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::str::PyStr;

/// What C code calls when a capsule ends.
pub type Destructor = unsafe extern "C" fn(*mut PyObject);

/// A capsule. Its traversal and clearing hooks are set by C code.
#[repr(C)]
pub struct PyCapsule {
    ob_base: PyObject,
    /// The pointer; null is not a valid one.
    pub pointer: Cell<*mut c_void>,
    /// The name, which C code keeps alive; may be null.
    pub name: Cell<*const c_char>,
    /// Whatever C code wants to have at hand.
    pub context: Cell<*mut c_void>,
    /// Called at the end.
    pub destructor: Cell<Option<Destructor>>,
}

native!(PyCapsule, CAPSULE_TYPE);

/// `types.CapsuleType`.
#[unsafe(export_name = "PyCapsule_Type")]
pub static CAPSULE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"PyCapsule",
    basicsize: size_of::<PyCapsule>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "A C pointer in an object, under a name.\n\nExtension modules offer their C functions to others through it.",
    slots: TypeSlots {
        dealloc: Some(capsule_dealloc),
        traverse: Some(|_, _| ControlFlow::Continue(())),
        repr: Some(capsule_repr),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&CAPSULE_TYPE];

impl PyCapsule {
    /// A capsule around a pointer.
    pub fn new(
        ts: &ThreadState,
        pointer: *mut c_void,
        name: *const c_char,
        destructor: Option<Destructor>,
    ) -> PyResult<Ref<PyCapsule>> {
        let capsule = alloc::exact::<PyCapsule>(ts)?;
        capsule.pointer.set(pointer);
        capsule.name.set(name);
        capsule.destructor.set(destructor);
        Ok(capsule)
    }

    /// Whether the capsule's name is the given one; null is equal to null only.
    ///
    /// # Safety
    /// The name is null or NUL-terminated.
    pub unsafe fn has_name(&self, name: *const c_char) -> bool {
        let own = self.name.get();
        if own.is_null() || name.is_null() {
            return own.is_null() && name.is_null();
        }
        // SAFETY: the caller's promise; C code keeps the own name alive.
        unsafe { CStr::from_ptr(own) == CStr::from_ptr(name) }
    }
}

unsafe fn capsule_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a capsule; the destructor is C's, for this capsule.
    unsafe {
        gc::untrack(&*object);
        if let Some(destructor) = (*object).cast_unchecked::<PyCapsule>().destructor.get() {
            destructor(object);
        }
        alloc::free(ts, object);
    }
}

fn capsule_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let name = object.cast::<PyCapsule>().name.get();
    let text = if name.is_null() {
        PyStr::format(ts, format_args!("<capsule object NULL at {:p}>", object.as_ptr()))?
    } else {
        // SAFETY: C code keeps the name alive.
        let name = unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?");
        PyStr::format(ts, format_args!("<capsule object \"{name}\" at {:p}>", object.as_ptr()))?
    };
    Ok(text.into_object())
}
