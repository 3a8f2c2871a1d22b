//! The buffer protocol: `Py_buffer` and its safe handle.

use core::ffi::{c_char, c_int, c_void};

use super::error::PyResult;
use super::header::PyObject;
use super::reference::{AsObject, PyRef};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

/// `PyBUF_SIMPLE`.
pub const SIMPLE: i32 = 0;
/// `PyBUF_WRITABLE`.
pub const WRITABLE: i32 = 0x0001;
/// `PyBUF_FORMAT`.
pub const FORMAT: i32 = 0x0004;
/// `PyBUF_ND`.
pub const ND: i32 = 0x0008;
/// `PyBUF_STRIDES`.
pub const STRIDES: i32 = 0x0010 | ND;
/// `PyBUF_C_CONTIGUOUS`.
pub const C_CONTIGUOUS: i32 = 0x0020 | STRIDES;
/// `PyBUF_F_CONTIGUOUS`.
pub const F_CONTIGUOUS: i32 = 0x0040 | STRIDES;
/// `PyBUF_ANY_CONTIGUOUS`.
pub const ANY_CONTIGUOUS: i32 = 0x0080 | STRIDES;
/// `PyBUF_INDIRECT`.
pub const INDIRECT: i32 = 0x0100 | STRIDES;
/// `PyBUF_FULL_RO`.
pub const FULL_RO: i32 = INDIRECT | FORMAT;
/// `PyBUF_FULL`.
pub const FULL: i32 = FULL_RO | WRITABLE;

/// `Py_buffer`, with C's layout: a view of an object's memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyBuffer {
    /// The memory.
    pub buf: *mut c_void,
    /// The exporter, an owned reference; null for a view of no object.
    pub obj: *mut PyObject,
    /// The size of the memory in bytes.
    pub len: isize,
    /// The size of an item in bytes.
    pub itemsize: isize,
    /// Whether the memory must not be written to.
    pub readonly: c_int,
    /// Number of dimensions.
    pub ndim: c_int,
    /// The item format in `struct` syntax, or null for `B`.
    pub format: *mut c_char,
    /// `ndim` extents.
    pub shape: *mut isize,
    /// `ndim` strides in bytes.
    pub strides: *mut isize,
    /// `ndim` suboffsets, or null.
    pub suboffsets: *mut isize,
    /// The exporter's own.
    pub internal: *mut c_void,
}

impl PyBuffer {
    /// A view of nothing.
    pub const EMPTY: PyBuffer = PyBuffer {
        buf: core::ptr::null_mut(),
        obj: core::ptr::null_mut(),
        len: 0,
        itemsize: 1,
        readonly: 1,
        ndim: 1,
        format: core::ptr::null_mut(),
        shape: core::ptr::null_mut(),
        strides: core::ptr::null_mut(),
        suboffsets: core::ptr::null_mut(),
        internal: core::ptr::null_mut(),
    };

    /// Describes plain memory (`PyBuffer_FillInfo`), but for `obj`.
    ///
    /// # Safety
    /// `data` is valid for `len` bytes as long as the exporter lets the view live; the view itself does
    /// not move while it is in use (its shape points into it).
    pub unsafe fn fill(
        &mut self,
        ts: &ThreadState,
        data: *mut u8,
        len: usize,
        readonly: bool,
        flags: i32,
    ) -> PyResult<()> {
        if flags & WRITABLE != 0 && readonly {
            return raise!(ts, exc::BufferError, "Object is not writable.");
        }
        self.buf = data.cast();
        self.len = len as isize;
        self.itemsize = 1;
        self.readonly = c_int::from(readonly);
        self.ndim = 1;
        self.format = if flags & FORMAT != 0 { c"B".as_ptr().cast_mut() } else { core::ptr::null_mut() };
        self.shape = if flags & ND != 0 { &raw mut self.len } else { core::ptr::null_mut() };
        self.strides = if flags & STRIDES == STRIDES { &raw mut self.itemsize } else { core::ptr::null_mut() };
        self.suboffsets = core::ptr::null_mut();
        self.internal = core::ptr::null_mut();
        Ok(())
    }
}

/// A view that was got from an object, released when dropped.
pub struct Buffer {
    view: hognose_allocators::collections::TryBox<PyBuffer>,
}

impl Buffer {
    /// Gets a view with the given `PyBUF_*` flags; TypeError when the object has no buffer.
    pub fn get(ts: &ThreadState, object: &PyObject, flags: i32) -> PyResult<Buffer> {
        let mut view = hognose_allocators::collections::TryBox::try_new(PyBuffer::EMPTY)?;
        get_into(ts, object, &mut view, flags)?;
        Ok(Buffer { view })
    }

    /// The view.
    pub fn view(&self) -> &PyBuffer {
        &self.view
    }

    /// The memory of a contiguous view.
    pub fn as_slice(&self) -> &[u8] {
        if self.view.len == 0 {
            return &[];
        }
        // SAFETY: the exporter keeps the memory as long as the view is not released.
        unsafe { core::slice::from_raw_parts(self.view.buf.cast::<u8>(), self.view.len as usize) }
    }

    /// The memory of a contiguous view that was got with [`WRITABLE`].
    ///
    /// # Safety
    /// Nothing else reads or writes the memory while the slice is used.
    #[allow(clippy::mut_from_ref, reason = "the memory is the exporter's, not the handle's")]
    pub unsafe fn as_mut_slice(&self) -> &mut [u8] {
        debug_assert!(self.view.readonly == 0);
        if self.view.len == 0 {
            return &mut [];
        }
        // SAFETY: as in `as_slice`, and the caller is alone with it.
        unsafe { core::slice::from_raw_parts_mut(self.view.buf.cast::<u8>(), self.view.len as usize) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        release(ThreadState::current(), &mut self.view);
    }
}

/// Whether the object exports its memory.
pub fn has_buffer(object: &PyObject) -> bool {
    object.ob_type().slots().bf_getbuffer.is_some()
}

/// Fills `view` from the object (`PyObject_GetBuffer`).
pub fn get_into(ts: &ThreadState, object: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    *view = PyBuffer::EMPTY;
    let Some(slot) = object.ob_type().slots().bf_getbuffer else {
        return raise!(ts, exc::TypeError, "a bytes-like object is required, not '{}'", object.type_name());
    };
    slot(ts, object, view, flags)?;
    if view.obj.is_null() {
        view.obj = object.new_ref().into_ptr();
    }
    Ok(())
}

/// Gives a view back (`PyBuffer_Release`); a second time does nothing.
pub fn release(ts: &ThreadState, view: &mut PyBuffer) {
    let object = core::mem::replace(&mut view.obj, core::ptr::null_mut());
    if object.is_null() {
        return;
    }
    // SAFETY: the view owned the reference.
    let object = unsafe { PyRef::from_owned(object) };
    if let Some(slot) = object.ob_type().slots().bf_releasebuffer {
        slot(ts, &object, view);
    }
}
