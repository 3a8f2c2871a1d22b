//! `PickleBuffer`: an object's memory, which a pickle may leave out.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::buffer::{self, PyBuffer};
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, StaticType, TypeSlots,
    TypeSpec, alloc, flags, gc, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::memoryview;
use crate::types::memoryview::strided::{Order, is_contiguous};

/// A buffer for pickling.
///
/// I1: `view` is either empty (released: without object) or a view that its exporter has filled and not got back.
#[repr(C)]
pub struct PyPickleBuffer {
    ob_base: PyObject,
    view: UnsafeCell<PyBuffer>,
    weaklist: WeakrefList,
}

crate::native!(PyPickleBuffer, PICKLE_BUFFER_TYPE);

/// `pickle.PickleBuffer`.
#[unsafe(export_name = "PyPickleBuffer_Type")]
pub static PICKLE_BUFFER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"pickle.PickleBuffer",
    basicsize: size_of::<PyPickleBuffer>(),
    flags: flags::HAVE_GC,
    doc: "Wrapper for potentially out-of-band buffers",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(dealloc),
        traverse: Some(|this, visitor| match this.cast::<PyPickleBuffer>().exporter() {
            Some(exporter) => visitor.object(exporter),
            None => ControlFlow::Continue(()),
        }),
        clear: Some(|ts, this| this.cast::<PyPickleBuffer>().release_view(ts)),
        bf_getbuffer: Some(get_buffer),
        bf_releasebuffer: None,
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "raw",
            raw,
            "raw($self, /)\n--\n\nReturn a memoryview of the raw memory underlying this buffer.\n\nWill raise BufferError is the buffer isn't contiguous.",
        ),
        MethodDef::no_args(
            "release",
            |ts, this| {
                this.cast::<PyPickleBuffer>().release_view(ts);
                Ok(ts.none())
            },
            "release($self, /)\n--\n\nRelease the underlying buffer held by the PickleBuffer object.",
        ),
    ],
    weaklistoffset: offset_of!(PyPickleBuffer, weaklist),
    ..TypeSpec::EMPTY
});

impl PyPickleBuffer {
    /// A buffer of an object's memory. Raises TypeError when it has none.
    pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyPickleBuffer>> {
        // C can make one before the module is imported.
        ready::ready_static(ts, &PICKLE_BUFFER_TYPE)?;
        let made = alloc::exact::<PyPickleBuffer>(ts)?;
        // SAFETY: nobody else has the object yet; an empty view is a released one (I1).
        let view = unsafe {
            made.view.get().write(PyBuffer::EMPTY);
            &mut *made.view.get()
        };
        buffer::get_into(ts, object, view, buffer::FULL_RO)?;
        gc::track(ts, &*made);
        Ok(made)
    }

    fn exporter(&self) -> Option<&PyObject> {
        // SAFETY: I1: the object lives as long as the view has it.
        unsafe { (*self.view.get()).obj.as_ref() }
    }

    /// Gives the view back; a second time does nothing.
    pub fn release_view(&self, ts: &ThreadState) {
        // SAFETY: the view is moved out before anything else can run.
        let mut view = unsafe { core::mem::replace(&mut *self.view.get(), PyBuffer::EMPTY) };
        buffer::release(ts, &mut view);
    }

    /// The view. Raises ValueError when it has been released.
    pub fn view(&self, ts: &ThreadState) -> PyResult<&PyBuffer> {
        if self.exporter().is_none() {
            return raise!(ts, exc::ValueError, "operation forbidden on released PickleBuffer object");
        }
        // SAFETY: the view is there (I1); callers do not keep it over what can release it.
        Ok(unsafe { &*self.view.get() })
    }

    /// The object whose memory it is.
    pub fn base(&self, ts: &ThreadState) -> PyResult<PyRef> {
        self.view(ts)?;
        match self.exporter() {
            Some(exporter) => Ok(exporter.new_ref()),
            None => raise!(ts, exc::ValueError, "operation forbidden on released PickleBuffer object"),
        }
    }
}

fn new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("PickleBuffer", ["object"], 1, 1, 1);
    let [object] = SIGNATURE.parse(ts, args)?;
    Ok(PyPickleBuffer::from_object(ts, object.unwrap_or(ts.none().as_object()))?.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a pickle buffer.
    unsafe {
        let this = (*object).cast_unchecked::<PyPickleBuffer>();
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        this.release_view(ts);
        alloc::free(ts, object);
    }
}

/// Views of it are views of the object itself.
fn get_buffer(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    let base = this.cast::<PyPickleBuffer>().base(ts)?;
    buffer::get_into(ts, &base, view, flags)
}

/// The memory as bytes in one row.
fn raw(ts: &ThreadState, this: &PyObject) -> PyResult {
    let view = this.cast::<PyPickleBuffer>().view(ts)?;
    if !is_contiguous(view, Order::C) && !is_contiguous(view, Order::Fortran) {
        return raise!(ts, exc::BufferError, "cannot extract raw buffer from non-contiguous buffer");
    }
    memoryview::from_slot(ts, this, buffer::FULL_RO, raw_buffer)
}

fn raw_buffer(ts: &ThreadState, this: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    get_buffer(ts, this, view, flags)?;
    view.format = c"B".as_ptr().cast_mut();
    view.ndim = 1 as c_int;
    view.itemsize = 1;
    view.shape = &raw mut view.len;
    view.strides = &raw mut view.itemsize;
    view.suboffsets = core::ptr::null_mut();
    Ok(())
}
