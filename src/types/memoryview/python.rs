//! Buffers of classes written in Python: `__buffer__` and `__release_buffer__` (PEP 688).

use super::{PyMemoryView, RELEASED, RESTRICTED, from_buffer};
use crate::id;
use crate::object::buffer::{self, PyBuffer};
use crate::object::{
    AsObject, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, attr, call, flags,
    gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;

/// What a view got through `__buffer__` belongs to: the memoryview that the method returned, and its object.
#[repr(C)]
pub struct PyBufferWrapper {
    ob_base: PyObject,
    memory: Slot<PyMemoryView>,
    object: Slot<PyObject>,
}

crate::native!(PyBufferWrapper, BUFFER_WRAPPER_TYPE);
owns!(PyBufferWrapper: memory, object);

/// The type of the exporter that stands for an object with `__buffer__`.
pub static BUFFER_WRAPPER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_buffer_wrapper",
    basicsize: size_of::<PyBufferWrapper>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyBufferWrapper::slot_dealloc),
        traverse: Some(PyBufferWrapper::slot_traverse),
        clear: Some(PyBufferWrapper::slot_clear),
        bf_releasebuffer: Some(wrapper_release),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// `bf_getbuffer` of a class with `__buffer__`.
pub fn buffer_from_python(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    let flags_object = PyInt::from_i64(ts, i64::from(flags))?;
    let Some(returned) = call::call_special(ts, this, id!(__buffer__), &[&flags_object])? else {
        return raise!(ts, exc::AttributeError, "__buffer__");
    };
    let Ok(memory) = returned.downcast_into::<PyMemoryView>() else {
        return raise!(ts, exc::TypeError, "__buffer__ returned non-memoryview object");
    };
    buffer::get_into(ts, memory.as_object(), view, flags)?;
    let wrapper = match alloc::exact::<PyBufferWrapper>(ts) {
        Ok(wrapper) => wrapper,
        Err(raised) => {
            buffer::release(ts, view);
            return Err(raised);
        }
    };
    wrapper.memory.set(Some(memory));
    wrapper.object.set(Some(this.new_ref()));
    gc::track(ts, &*wrapper);
    // SAFETY: the view owns the reference to the memoryview, which the wrapper replaces.
    let memory: Ref<PyObject> = unsafe { Ref::from_owned(view.obj) };
    view.obj = wrapper.into_object().into_ptr();
    drop(memory);
    Ok(())
}

fn wrapper_release(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer) {
    let wrapper = this.cast::<PyBufferWrapper>();
    let (Some(memory), Some(object)) = (wrapper.memory.get(), wrapper.object.get()) else { return };
    memory.exports.set(memory.exports.get() - 1);
    // A native `bf_releasebuffer` is called when the memoryview is released.
    if !core::ptr::eq(memory.view().obj, object.as_raw()) && has_python_release(&object) {
        call_release(ts, &object, view, Some(&memory));
    }
}

/// Whether the class's release slot is the one that calls `__release_buffer__`.
fn has_python_release(object: &PyObject) -> bool {
    object.ob_type().slots().bf_releasebuffer.is_some_and(|slot| {
        slot as usize
            == crate::object::slotdefs::generic_releasebuffer as fn(&ThreadState, &PyObject, &mut PyBuffer) as usize
    })
}

/// Calls `__release_buffer__` with the memoryview that `__buffer__` has returned, or else with one that cannot outlive
/// the call.
fn call_release(ts: &ThreadState, this: &PyObject, view: &PyBuffer, returned: Option<&PyMemoryView>) {
    let pending = ts.current_exception.take();
    if let Err(raised) = try_release(ts, this, view, returned) {
        exc::write_unraisable_in(ts, raised, "in __release_buffer__", this.ob_type().as_object());
    }
    ts.current_exception.set(pending);
}

fn try_release(ts: &ThreadState, this: &PyObject, view: &PyBuffer, returned: Option<&PyMemoryView>) -> PyResult<()> {
    if attr::lookup_type(ts, this.ob_type(), id!(__release_buffer__)).is_none() {
        return Ok(());
    }
    if let Some(returned) = returned {
        call::call_special(ts, this, id!(__release_buffer__), &[returned.as_object()])?;
        return Ok(());
    }
    // SAFETY: what the view describes is valid until the release is done; then the memoryview is released.
    let memory = unsafe { from_buffer(ts, view)? };
    memory.flags.set(memory.flags.get() | RESTRICTED);
    let result = call::call_special(ts, this, id!(__release_buffer__), &[memory.as_object()]);
    let released = memory.release_memory(ts);
    result?;
    released
}

/// `bf_releasebuffer` of a class with `__release_buffer__`.
pub fn release_from_python(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer) {
    call_release(ts, this, view, None);
    // A built-in base keeps count of its exports.
    let mut base: Option<&PyTypeObject> = Some(this.ob_type());
    while let Some(typ) = base {
        if let Some(slot) = typ.as_static_type().and_then(|typ| typ.object.slots().bf_releasebuffer) {
            slot(ts, this, view);
            return;
        }
        base = typ.base();
    }
}

/// `__release_buffer__` of a native type: gives back what its `__buffer__` returned.
pub fn release_for(ts: &ThreadState, this: &PyObject, argument: &PyObject) -> PyResult<()> {
    let Some(memory) = argument.downcast::<PyMemoryView>() else {
        return raise!(ts, exc::TypeError, "expected a memoryview object");
    };
    let owner = memory.view().obj;
    if owner.is_null() {
        return Ok(());
    }
    if !core::ptr::eq(owner, this.as_ptr()) {
        return raise!(ts, exc::ValueError, "memoryview's buffer is not this object");
    }
    if memory.flags.get() & RELEASED != 0 {
        return raise!(ts, exc::ValueError, "memoryview's buffer has already been released");
    }
    memory.release_memory(ts)?;
    // SAFETY: the released view's owner is looked at by nobody else; a second call finds nothing to do.
    unsafe { (*memory.view.get()).obj = core::ptr::null_mut() };
    Ok(())
}
