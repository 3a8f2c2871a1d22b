//! Order and hash.

use core::cmp::Ordering;

use super::{PyInt, words};
use crate::object::{AsObject, CompareOp, PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::notimplemented::not_implemented;

/// Compares two ints that fit an `i64`.
#[inline(always)]
pub fn fast_compare(a: &PyInt, b: &PyInt) -> Option<Ordering> {
    Some(a.as_i64()?.cmp(&b.as_i64()?))
}

/// Compares two ints.
#[inline]
pub fn compare(a: &PyInt, b: &PyInt) -> Ordering {
    match fast_compare(a, b) {
        Some(ordering) => ordering,
        None => compare_large(a, b),
    }
}

#[inline(never)]
fn compare_large(a: &PyInt, b: &PyInt) -> Ordering {
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, magnitude_a) = a.magnitude(&mut scratch_a);
    let (negative_b, magnitude_b) = b.magnitude(&mut scratch_b);
    match (negative_a, negative_b) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => words::compare(magnitude_a, magnitude_b),
        (true, true) => words::compare(magnitude_b, magnitude_a),
    }
}

/// Compares an int with a float exactly; None when the float is a NaN.
#[inline]
pub fn compare_f64(a: &PyInt, b: f64) -> Option<Ordering> {
    const EXACT: i64 = 1 << 53;
    match a.as_i64() {
        Some(value) if (-EXACT..=EXACT).contains(&value) => (value as f64).partial_cmp(&b),
        _ => compare_f64_large(a, b),
    }
}

#[inline(never)]
fn compare_f64_large(a: &PyInt, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.is_infinite() {
        return Some(if b > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let negative_b = b < 0.0;
    let mut scratch = 0;
    let (negative_a, magnitude_a) = a.magnitude(&mut scratch);
    if negative_a != negative_b {
        // The int is not zero here, so the signs decide even when the float is zero.
        return Some(if negative_a { Ordering::Less } else { Ordering::Greater });
    }
    let (buffer, length) = words::from_f64(b);
    let mut ordering = words::compare(magnitude_a, &buffer[..length]);
    if ordering.is_eq() && b.fract() != 0.0 {
        ordering = Ordering::Less;
    }
    Some(if negative_a { ordering.reverse() } else { ordering })
}

pub(super) fn richcompare_slot(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    match (left.downcast::<PyInt>(), right.downcast::<PyInt>()) {
        (Some(a), Some(b)) => Ok(py_bool(op.holds(compare(a, b)))),
        _ => Ok(not_implemented()),
    }
}

/// The hash of the int `value`.
#[inline]
pub fn hash_i64(value: i64) -> isize {
    let magnitude = value.unsigned_abs();
    let mut hash = (magnitude & words::HASH_MODULUS) + (magnitude >> 61);
    if hash >= words::HASH_MODULUS {
        hash -= words::HASH_MODULUS;
    }
    with_sign(value < 0, hash)
}

/// The hash of an int by its sign and magnitude.
pub fn hash_words(negative: bool, magnitude: &[u64]) -> isize {
    with_sign(negative, words::hash(magnitude))
}

#[inline(always)]
fn with_sign(negative: bool, hash: u64) -> isize {
    let hash = if negative { -(hash as isize) } else { hash as isize };
    if hash == -1 { -2 } else { hash }
}

impl PyInt {
    /// The hash of the value.
    #[inline]
    pub fn hash_value(&self) -> isize {
        match self.as_i64() {
            Some(value) => hash_i64(value),
            None => {
                let mut scratch = 0;
                let (negative, magnitude) = self.magnitude(&mut scratch);
                hash_words(negative, magnitude)
            }
        }
    }

    /// Whether both have the same value.
    #[inline]
    pub fn equals(&self, other: &PyInt) -> bool {
        compare(self, other).is_eq()
    }
}

pub(super) fn hash_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    Ok(object.as_object().cast::<PyInt>().hash_value())
}
