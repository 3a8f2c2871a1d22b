//! Buffers and `memoryview`. Declared in `memoryobject.h` and `pybuffer.h`.

use core::ffi::{c_char, c_int, c_void};

use super::convert::guard;
use crate::object::buffer::{self, PyBuffer};
use crate::object::{AsObject, PyObject, PyRef, Ref};
use crate::types::exceptions as exc;
use crate::types::memoryview::{self, PyMemoryView};
use crate::{capi, raise};

capi! {
    /// Fills a view of an object's memory.
    fn PyObject_GetBuffer(ts, object: &PyObject, view: *mut PyBuffer, flags: c_int) -> () {
        if view.is_null() {
            return raise!(ts, exc::BufferError, "PyObject_GetBuffer: view==NULL argument is obsolete");
        }
        // SAFETY: the caller's view, which need not be initialized.
        let result = unsafe { buffer::get_into(ts, object, &mut *view, flags) };
        if result.is_err() {
            // SAFETY: the same.
            unsafe { (*view).obj = core::ptr::null_mut() };
        }
        result
    }

    /// Copies a view's memory, whatever its layout, to contiguous memory.
    fn PyBuffer_ToContiguous(ts, to: *mut c_void, view: *const PyBuffer, len: isize, _order: c_char) -> () {
        // SAFETY: the caller's view.
        let view = unsafe { &*view };
        if len != view.len {
            return raise!(ts, exc::ValueError, "PyBuffer_ToContiguous: len != view->len");
        }
        let copy = memoryview::copy_bytes(view)?;
        // SAFETY: the caller's room of `len` bytes.
        unsafe { core::ptr::copy_nonoverlapping(copy.as_ptr(), to.cast::<u8>(), copy.len()) };
        Ok(())
    }

    /// Describes plain memory of an exporter.
    fn PyBuffer_FillInfo(
        ts, view: *mut PyBuffer, object: Option<&PyObject>, memory: *mut c_void, len: isize, readonly: c_int, flags: c_int,
    ) -> () {
        if view.is_null() {
            return raise!(ts, exc::BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
        }
        // SAFETY: the caller's view and memory.
        unsafe {
            (*view).obj = core::ptr::null_mut();
            (*view).fill(ts, memory.cast(), len.max(0) as usize, readonly != 0, flags)?;
            (*view).obj = object.map_or(core::ptr::null_mut(), |o| o.new_ref().into_ptr());
        }
        Ok(())
    }

    /// A memoryview of an object's memory.
    fn PyMemoryView_FromObject(ts, object: &PyObject) -> Ref<PyMemoryView> {
        PyMemoryView::from_object(ts, object)
    }

    /// A memoryview of C's memory; `flags` is `PyBUF_READ` or `PyBUF_WRITE`.
    fn PyMemoryView_FromMemory(ts, memory: *mut c_char, len: isize, flags: c_int) -> Ref<PyMemoryView> {
        const WRITE: c_int = 0x200;
        // SAFETY: the caller keeps the memory as long as the view.
        unsafe { memoryview::from_memory(ts, memory.cast(), len.max(0) as usize, flags & WRITE == 0) }
    }

    /// A memoryview of what a view describes.
    fn PyMemoryView_FromBuffer(ts, view: *const PyBuffer) -> Ref<PyMemoryView> {
        // SAFETY: the caller keeps what the view describes.
        unsafe { memoryview::from_buffer(ts, &*view) }
    }

    /// A memoryview of contiguous memory: the object's, or a copy of it.
    fn PyMemoryView_GetContiguous(ts, object: &PyObject, access: c_int, order: c_char) -> PyRef {
        const WRITE: c_int = 0x200;
        let view = PyMemoryView::from_object(ts, object)?;
        if access & WRITE != 0 && view.view().readonly != 0 {
            return raise!(ts, exc::BufferError, "underlying buffer is not writable");
        }
        // SAFETY: the view is live.
        if unsafe { PyBuffer_IsContiguous(view.view(), order) } != 0 {
            return Ok(view.into_object());
        }
        if access & WRITE != 0 {
            return raise!(ts, exc::BufferError, "writable contiguous buffer requested for a non-contiguous object.");
        }
        let copy = memoryview::copy_bytes(view.view())?;
        let bytes = crate::types::bytes::PyBytes::new(ts, &copy)?;
        PyMemoryView::from_object(ts, bytes.as_object()).map(Ref::into_object)
    }
}

/// Gives a view back; a second time does nothing.
///
/// # Safety
///
/// A thread state is attached; `view` is one of `PyObject_GetBuffer`, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBuffer_Release(view: *mut PyBuffer) {
    // SAFETY: as promised.
    if let Some(view) = unsafe { view.as_mut() } {
        guard::<super::convert::Void>("PyBuffer_Release", |ts| {
            buffer::release(ts, view);
            Ok(super::convert::Void)
        });
    }
}

/// Whether the object exports its memory.
///
/// # Safety
///
/// `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_CheckBuffer(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { object.as_ref() }.is_some_and(buffer::has_buffer).into()
}

/// Whether a view is contiguous in C's (`C`), Fortran's (`F`) or any (`A`) order.
///
/// # Safety
///
/// `view` is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBuffer_IsContiguous(view: *const PyBuffer, order: c_char) -> c_int {
    // SAFETY: as promised; `ndim` extents and strides are there when their pointers are not null.
    unsafe {
        let view = &*view;
        if !view.suboffsets.is_null() {
            return 0;
        }
        let fits = |reversed: bool| {
            if view.ndim == 0 || view.shape.is_null() || view.strides.is_null() || view.len == 0 {
                return !reversed || view.ndim <= 1;
            }
            let mut expected = view.itemsize;
            for step in 0..view.ndim as usize {
                let dimension = if reversed { step } else { view.ndim as usize - 1 - step };
                let extent = *view.shape.add(dimension);
                if extent > 1 && *view.strides.add(dimension) != expected {
                    return false;
                }
                expected *= extent;
            }
            true
        };
        match order as u8 {
            b'C' => fits(false).into(),
            b'F' => fits(true).into(),
            b'A' => (fits(false) || fits(true)).into(),
            _ => 0,
        }
    }
}

/// The address of an item.
///
/// # Safety
///
/// `view` is live and has strides; there is an index for each dimension.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBuffer_GetPointer(view: *const PyBuffer, indices: *const isize) -> *mut c_void {
    // SAFETY: as promised.
    unsafe {
        let view = &*view;
        let mut at = view.buf.cast::<u8>();
        for dimension in 0..view.ndim.max(0) as usize {
            at = at.offset(*view.strides.add(dimension) * *indices.add(dimension));
            if !view.suboffsets.is_null() && *view.suboffsets.add(dimension) >= 0 {
                at = (*at.cast::<*mut u8>()).offset(*view.suboffsets.add(dimension));
            }
        }
        at.cast()
    }
}

/// The strides of contiguous memory.
///
/// # Safety
///
/// Both arrays have `ndim` places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyBuffer_FillContiguousStrides(
    ndim: c_int,
    shape: *const isize,
    strides: *mut isize,
    itemsize: c_int,
    order: c_char,
) {
    // SAFETY: as promised.
    unsafe {
        let mut stride = itemsize as isize;
        for step in 0..ndim.max(0) as usize {
            let dimension = if order as u8 == b'F' { step } else { ndim as usize - 1 - step };
            *strides.add(dimension) = stride;
            stride *= *shape.add(dimension);
        }
    }
}

/// The view inside a memoryview: what `PyMemoryView_GET_BUFFER` of the header asks for.
///
/// # Safety
///
/// `object` is a memoryview.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_MemoryViewBuffer(object: *mut PyObject) -> *mut PyBuffer {
    // SAFETY: as promised.
    core::ptr::from_ref(unsafe { (*object).cast_unchecked::<PyMemoryView>() }.view()).cast_mut()
}
