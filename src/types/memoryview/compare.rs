//! Equality and hash.

use super::item::{self, is_byte_format, native};
use super::strided::{self, Complete, Dimensions, Order, format_of, is_contiguous};
use super::{C, PyMemoryView};
use crate::modules::_struct::Format;
use crate::object::buffer::{self, Buffer, PyBuffer};
use crate::object::{CompareOp, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::hash::hash_bytes;
use crate::types::notimplemented::not_implemented;

/// `tp_hash`.
pub(super) fn hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let this = object.cast::<PyMemoryView>();
    let known = this.hash.get();
    if known != -1 {
        return Ok(known);
    }
    this.check(ts)?;
    let view = this.view();
    if view.readonly == 0 {
        return raise!(ts, exc::ValueError, "cannot hash writable memoryview object");
    }
    if !native(format_of(view)).is_some_and(|(code, _)| is_byte_format(code)) {
        return raise!(ts, exc::ValueError, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
    }
    let kept = this.keep();
    // SAFETY: the exporter lives as long as the view is not released, which `kept` sees to.
    if let Some(exporter) = unsafe { view.obj.as_ref() } {
        protocol::hash(ts, exporter)?;
    }
    drop(kept);
    let hash = if this.has(C) {
        // SAFETY: contiguous memory of `len` bytes.
        hash_bytes(unsafe { memory(view) })
    } else {
        hash_bytes(&strided::copy_in_order(view, Order::C)?)
    };
    this.hash.set(hash);
    Ok(hash)
}

/// # Safety
/// The view is contiguous and not released.
unsafe fn memory(view: &PyBuffer) -> &[u8] {
    if view.len == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(view.buf.cast::<u8>(), view.len as usize) }
}

/// `tp_richcompare`.
pub(super) fn compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne) = op else { return Ok(not_implemented()) };
    let Some(this) = left.downcast::<PyMemoryView>() else { return Ok(not_implemented()) };
    let answer = |equal: bool| Ok(py_bool(equal == (op == CompareOp::Eq)));
    if this.is_released() {
        return answer(left.is(right));
    }
    let held;
    let other_kept;
    let other = match right.downcast::<PyMemoryView>() {
        Some(other) if other.is_released() => return answer(left.is(right)),
        Some(other) => {
            other_kept = Some(other.keep());
            other.view()
        }
        None => match Buffer::get(ts, right, buffer::FULL_RO) {
            Ok(buffer) => {
                held = buffer;
                other_kept = None;
                held.view()
            }
            Err(raised) if ts.raised_matches(&exc::MemoryError) => return Err(raised),
            Err(raised) => {
                ts.clear_raised(raised);
                return Ok(not_implemented());
            }
        },
    };
    let _kept = (this.keep(), other_kept);
    answer(equal(ts, this.view(), other)?)
}

/// Whether two views have the same shape and equal items.
fn equal(ts: &ThreadState, a: &PyBuffer, b: &PyBuffer) -> PyResult<bool> {
    let (complete_a, complete_b) = (Complete::of(a), Complete::of(b));
    let (da, db) = (complete_a.dimensions(), complete_b.dimensions());
    if da.shape.len() != db.shape.len() {
        return Ok(false);
    }
    for (extent_a, extent_b) in da.shape.iter().zip(db.shape) {
        if extent_a != extent_b {
            return Ok(false);
        }
        if *extent_a == 0 {
            break;
        }
    }
    match (native(format_of(a)), native(format_of(b))) {
        (Some((code, _)), Some((other, _))) if code == other => {
            let plain = !matches!(code, b'f' | b'd' | b'e' | b'?');
            if plain && is_contiguous(a, Order::C) && is_contiguous(b, Order::C) {
                // SAFETY: both are contiguous and kept.
                return Ok(unsafe { memory(a) == memory(b) });
            }
            let mut same = |x: *mut u8, y: *mut u8| {
                // SAFETY: the walk gives places of items of that format.
                Ok(unsafe { item::equal(code, x, y) })
            };
            // SAFETY: these are the views' own dimensions, of the same shape.
            unsafe { walk_two(a.buf.cast(), &da, b.buf.cast(), &db, 0, &mut same) }
        }
        _ => {
            let (Some(fa), Some(fb)) = (unpacker(ts, a)?, unpacker(ts, b)?) else { return Ok(false) };
            let mut same = |x: *mut u8, y: *mut u8| {
                // SAFETY: the walk gives places of items of the formats' sizes.
                let (x, y) = unsafe {
                    (
                        fa.unpack_one(ts, core::slice::from_raw_parts(x, a.itemsize as usize))?,
                        fb.unpack_one(ts, core::slice::from_raw_parts(y, b.itemsize as usize))?,
                    )
                };
                protocol::compare_bool(ts, &x, &y, CompareOp::Eq)
            };
            // SAFETY: as above.
            unsafe { walk_two(a.buf.cast(), &da, b.buf.cast(), &db, 0, &mut same) }
        }
    }
}

/// The struct format of a view's items; none for one that is not known, whose items are equal to nothing.
fn unpacker(ts: &ThreadState, view: &PyBuffer) -> PyResult<Option<Format>> {
    match Format::parse(ts, format_of(view)) {
        Ok(format) if format.size() == view.itemsize as usize => Ok(Some(format)),
        Ok(_) => Ok(None),
        Err(raised) if ts.raised_matches(&exc::MemoryError) => Err(raised),
        Err(raised) => {
            ts.clear_raised(raised);
            Ok(None)
        }
    }
}

/// Whether `same` holds for all pairs of items.
///
/// # Safety
/// Both places begin memory of their dimensions, which have the same shape.
unsafe fn walk_two(
    a: *mut u8,
    da: &Dimensions<'_>,
    b: *mut u8,
    db: &Dimensions<'_>,
    dimension: usize,
    same: &mut impl FnMut(*mut u8, *mut u8) -> PyResult<bool>,
) -> PyResult<bool> {
    if dimension == da.shape.len() {
        return same(a, b);
    }
    for index in 0..da.shape[dimension] {
        // SAFETY: the index is within both dimensions.
        let equal = unsafe {
            let (a, b) = (strided::step(a, da, dimension, index), strided::step(b, db, dimension, index));
            walk_two(a, da, b, db, dimension + 1, same)?
        };
        if !equal {
            return Ok(false);
        }
    }
    Ok(true)
}
