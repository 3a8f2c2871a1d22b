//! Memory in any number of dimensions, as a `Py_buffer` describes it: contiguity, walking, copying.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::object::PyResult;
use crate::object::buffer::PyBuffer;

/// The largest number of dimensions.
pub const MAX_DIMENSIONS: usize = 64;

/// In which order items follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The last index runs fastest.
    C,
    /// The first index runs fastest.
    Fortran,
    /// As they are in memory when that is Fortran's order, else C's.
    Any,
}

/// The extents, strides and suboffsets of a view.
#[derive(Clone, Copy)]
pub struct Dimensions<'a> {
    /// Extents.
    pub shape: &'a [isize],
    /// Distances in bytes.
    pub strides: &'a [isize],
    /// What to add after following a pointer, for each dimension; negative for no pointer.
    pub suboffsets: Option<&'a [isize]>,
}

/// A view's dimensions with what it leaves out filled in.
pub struct Complete {
    shape: [isize; MAX_DIMENSIONS],
    strides: [isize; MAX_DIMENSIONS],
    suboffsets: Option<[isize; MAX_DIMENSIONS]>,
    count: usize,
}

impl Complete {
    /// Reads a view's dimensions.
    pub fn of(view: &PyBuffer) -> Complete {
        let count = (view.ndim.max(0) as usize).min(MAX_DIMENSIONS);
        let mut complete =
            Complete { shape: [0; MAX_DIMENSIONS], strides: [0; MAX_DIMENSIONS], suboffsets: None, count };
        if count == 0 {
            return complete;
        }
        // SAFETY: the arrays of a view have an entry for each dimension.
        unsafe {
            if view.shape.is_null() {
                complete.count = 1;
                complete.shape[0] = view.len / view.itemsize.max(1);
            } else {
                core::ptr::copy_nonoverlapping(view.shape, complete.shape.as_mut_ptr(), count);
            }
            if view.strides.is_null() {
                contiguous_strides(&complete.shape[..complete.count], &mut complete.strides, view.itemsize, Order::C);
            } else {
                core::ptr::copy_nonoverlapping(view.strides, complete.strides.as_mut_ptr(), count);
            }
            if !view.suboffsets.is_null() {
                let mut suboffsets = [-1; MAX_DIMENSIONS];
                core::ptr::copy_nonoverlapping(view.suboffsets, suboffsets.as_mut_ptr(), count);
                complete.suboffsets = Some(suboffsets);
            }
        }
        complete
    }

    /// The dimensions.
    pub fn dimensions(&self) -> Dimensions<'_> {
        Dimensions {
            shape: &self.shape[..self.count],
            strides: &self.strides[..self.count],
            suboffsets: self.suboffsets.as_ref().map(|suboffsets| &suboffsets[..self.count]),
        }
    }
}

/// The strides of contiguous memory of a shape.
pub fn contiguous_strides(shape: &[isize], strides: &mut [isize], itemsize: isize, order: Order) {
    let mut stride = itemsize;
    let mut fill = |index: usize| {
        strides[index] = stride;
        stride = stride.wrapping_mul(shape[index]);
    };
    match order {
        Order::Fortran => (0..shape.len()).for_each(&mut fill),
        _ => (0..shape.len()).rev().for_each(&mut fill),
    }
}

/// Whether the items follow each other without gaps in the given order (`PyBuffer_IsContiguous`).
pub fn is_contiguous(view: &PyBuffer, order: Order) -> bool {
    if !view.suboffsets.is_null() {
        return false;
    }
    if view.len == 0 || view.strides.is_null() {
        return order != Order::Fortran || view.ndim <= 1 || view.len == 0 || one_long(view);
    }
    let complete = Complete::of(view);
    let dimensions = complete.dimensions();
    let check = |order: Order| {
        let mut want = view.itemsize;
        let mut holds = |index: usize| {
            let extent = dimensions.shape[index];
            if extent > 1 && dimensions.strides[index] != want {
                return false;
            }
            want = want.wrapping_mul(extent);
            true
        };
        match order {
            Order::Fortran => (0..dimensions.shape.len()).all(&mut holds),
            _ => (0..dimensions.shape.len()).rev().all(&mut holds),
        }
    };
    match order {
        Order::Any => check(Order::C) || check(Order::Fortran),
        order => check(order),
    }
}

/// Whether at most one dimension is longer than 1.
fn one_long(view: &PyBuffer) -> bool {
    if view.shape.is_null() {
        return true;
    }
    Complete::of(view).dimensions().shape.iter().filter(|extent| **extent > 1).count() <= 1
}

/// One step into a dimension.
///
/// # Safety
/// `index` is within the dimension, and `at` is where its items begin.
#[inline]
pub unsafe fn step(at: *mut u8, dimensions: &Dimensions<'_>, dimension: usize, index: isize) -> *mut u8 {
    // SAFETY: the exporter says that this is an item's place, or a pointer's when there is a suboffset.
    unsafe {
        let at = at.offset(dimensions.strides[dimension] * index);
        match dimensions.suboffsets {
            Some(suboffsets) if suboffsets[dimension] >= 0 => {
                at.cast::<*mut u8>().read_unaligned().offset(suboffsets[dimension])
            }
            _ => at,
        }
    }
}

/// Calls `f` with the place of every item, the last index running fastest.
///
/// # Safety
/// `at` is the beginning of memory with these dimensions.
pub unsafe fn walk<E>(
    at: *mut u8,
    dimensions: &Dimensions<'_>,
    f: &mut impl FnMut(*mut u8) -> Result<(), E>,
) -> Result<(), E> {
    /// # Safety
    /// As for `walk`.
    unsafe fn go<E>(
        at: *mut u8,
        dimensions: &Dimensions<'_>,
        dimension: usize,
        f: &mut impl FnMut(*mut u8) -> Result<(), E>,
    ) -> Result<(), E> {
        if dimension == dimensions.shape.len() {
            return f(at);
        }
        for index in 0..dimensions.shape[dimension] {
            // SAFETY: the index is within the dimension.
            unsafe { go(step(at, dimensions, dimension, index), dimensions, dimension + 1, f)? };
        }
        Ok(())
    }
    // SAFETY: the caller's promise.
    unsafe { go(at, dimensions, 0, f) }
}

/// The same with the first index running fastest.
///
/// # Safety
/// As for [`walk`].
unsafe fn walk_fortran<E>(
    at: *mut u8,
    dimensions: &Dimensions<'_>,
    f: &mut impl FnMut(*mut u8) -> Result<(), E>,
) -> Result<(), E> {
    let count = dimensions.shape.len();
    if dimensions.shape.contains(&0) {
        return Ok(());
    }
    let mut indices = [0isize; MAX_DIMENSIONS];
    loop {
        let mut place = at;
        for dimension in 0..count {
            // SAFETY: each index is within its dimension.
            place = unsafe { step(place, dimensions, dimension, indices[dimension]) };
        }
        f(place)?;
        let mut dimension = 0;
        loop {
            if dimension == count {
                return Ok(());
            }
            indices[dimension] += 1;
            if indices[dimension] < dimensions.shape[dimension] {
                break;
            }
            indices[dimension] = 0;
            dimension += 1;
        }
    }
}

/// A copy of a view's items, one after the other in the given order.
pub fn copy_in_order(view: &PyBuffer, order: Order) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    let len = view.len.max(0) as usize;
    out.try_reserve_exact(len)?;
    if len == 0 {
        return Ok(out);
    }
    let direct = match order {
        Order::C => is_contiguous(view, Order::C),
        Order::Fortran => is_contiguous(view, Order::Fortran),
        Order::Any => is_contiguous(view, Order::Any),
    };
    if direct {
        // SAFETY: contiguous memory of `len` bytes, which the exporter keeps alive.
        out.try_extend_from_copy(unsafe { core::slice::from_raw_parts(view.buf.cast::<u8>(), len) })?;
        return Ok(out);
    }
    let complete = Complete::of(view);
    let dimensions = complete.dimensions();
    let size = view.itemsize as usize;
    let mut add = |at: *mut u8| -> Result<(), NoMemory> {
        // SAFETY: the walk gives the places of items.
        out.try_extend_from_copy(unsafe { core::slice::from_raw_parts(at, size) })
    };
    // SAFETY: these are the view's own dimensions.
    unsafe {
        match order {
            Order::Fortran => walk_fortran(view.buf.cast(), &dimensions, &mut add)?,
            _ => walk(view.buf.cast(), &dimensions, &mut add)?,
        }
    }
    Ok(out)
}

/// Writes items that follow each other in the given order into a view (`PyBuffer_FromContiguous`); as many
/// as there are.
///
/// # Safety
/// The view is writable, and `bytes` is not part of its memory.
pub unsafe fn write_in_order(view: &PyBuffer, bytes: &[u8], order: Order) {
    let complete = Complete::of(view);
    let dimensions = complete.dimensions();
    let size = view.itemsize.max(1) as usize;
    let mut items = bytes.chunks_exact(size);
    let mut put = |at: *mut u8| match items.next() {
        Some(item) => {
            // SAFETY: the walk gives the places of items.
            unsafe { core::ptr::copy_nonoverlapping(item.as_ptr(), at, size) };
            Ok(())
        }
        None => Err(()),
    };
    // SAFETY: these are the view's own dimensions. Fewer items than places end the walk.
    let _: Result<(), ()> = unsafe {
        match order {
            Order::Fortran => walk_fortran(view.buf.cast(), &dimensions, &mut put),
            _ => walk(view.buf.cast(), &dimensions, &mut put),
        }
    };
}

/// The item format of a view, without the terminator; `B` where it says nothing.
pub fn format_of(view: &PyBuffer) -> &[u8] {
    if view.format.is_null() {
        return b"B";
    }
    // SAFETY: a format is a NUL-terminated string that lives as long as the view.
    unsafe { core::ffi::CStr::from_ptr(view.format) }.to_bytes()
}
