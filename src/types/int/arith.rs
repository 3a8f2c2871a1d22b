//! Sums, differences, products and signs.

use super::{Draft, PyInt, words};
use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::notimplemented::not_implemented;

/// Up to so many words in the shorter factor, the schoolbook is as fast as the library.
const SCHOOLBOOK_WORDS: usize = 32;

/// `a + b` when both and the sum fit an `i64`; None leaves the work to [`add`].
#[inline(always)]
pub fn fast_add(ts: &ThreadState, a: &PyInt, b: &PyInt) -> Option<PyResult> {
    let sum = a.as_i64()?.checked_add(b.as_i64()?)?;
    Some(PyInt::from_i64(ts, sum))
}

/// `a - b` when both and the difference fit an `i64`; None leaves the work to [`sub`].
#[inline(always)]
pub fn fast_sub(ts: &ThreadState, a: &PyInt, b: &PyInt) -> Option<PyResult> {
    let difference = a.as_i64()?.checked_sub(b.as_i64()?)?;
    Some(PyInt::from_i64(ts, difference))
}

/// `a * b` when both and the product fit an `i64`; None leaves the work to [`mul`].
#[inline(always)]
pub fn fast_mul(ts: &ThreadState, a: &PyInt, b: &PyInt) -> Option<PyResult> {
    let product = a.as_i64()?.checked_mul(b.as_i64()?)?;
    Some(PyInt::from_i64(ts, product))
}

/// `a + b`.
#[inline]
pub fn add(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    match fast_add(ts, a, b) {
        Some(result) => result,
        None => add_large(ts, a, b, false),
    }
}

/// `a - b`.
#[inline]
pub fn sub(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    match fast_sub(ts, a, b) {
        Some(result) => result,
        None => add_large(ts, a, b, true),
    }
}

/// `a * b`.
#[inline]
pub fn mul(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    match fast_mul(ts, a, b) {
        Some(result) => result,
        None => mul_large(ts, a, b),
    }
}

/// `-a`.
#[inline]
pub fn neg(ts: &ThreadState, a: &PyInt) -> PyResult {
    match a.as_i64().and_then(i64::checked_neg) {
        Some(value) => PyInt::from_i64(ts, value),
        None => {
            let mut scratch = 0;
            let (negative, magnitude) = a.magnitude(&mut scratch);
            PyInt::from_words(ts, !negative, magnitude)
        }
    }
}

#[inline(never)]
fn add_large(ts: &ThreadState, a: &PyInt, b: &PyInt, subtract: bool) -> PyResult {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        let (x, y) = (i128::from(x), i128::from(y));
        return PyInt::from_i128(ts, if subtract { x - y } else { x + y });
    }
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, a) = a.magnitude(&mut scratch_a);
    let (negative_b, b) = b.magnitude(&mut scratch_b);
    let negative_b = negative_b != subtract;
    if negative_a == negative_b {
        let mut draft = Draft::new(ts, a.len().max(b.len()) + 1)?;
        words::add(draft.words(), a, b);
        return draft.finish(ts, negative_a);
    }
    let mut draft = Draft::new(ts, a.len().max(b.len()))?;
    if words::compare(a, b).is_ge() {
        words::sub(draft.words(), a, b);
        draft.finish(ts, negative_a)
    } else {
        words::sub(draft.words(), b, a);
        draft.finish(ts, negative_b)
    }
}

#[inline(never)]
fn mul_large(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        return PyInt::from_i128(ts, i128::from(x) * i128::from(y));
    }
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, a) = a.magnitude(&mut scratch_a);
    let (negative_b, b) = b.magnitude(&mut scratch_b);
    if a.is_empty() || b.is_empty() {
        return PyInt::from_i64(ts, 0);
    }
    let mut draft = Draft::new(ts, a.len() + b.len())?;
    let negative = negative_a != negative_b;
    if a.len().min(b.len()) <= SCHOOLBOOK_WORDS {
        words::mul(draft.words(), a, b);
        return draft.finish(ts, negative);
    }
    let product = if core::ptr::eq(a, b) {
        let a = words::to_big(a);
        &a * &a
    } else {
        words::to_big(a) * words::to_big(b)
    };
    draft.finish_big(ts, negative, &product)
}

/// Makes a binary slot of a function of two ints.
macro_rules! int_slot {
    ($name:ident, $operation:path) => {
        pub(super) fn $name(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            match (left.downcast::<PyInt>(), right.downcast::<PyInt>()) {
                (Some(a), Some(b)) => $operation(ts, a, b),
                _ => Ok(not_implemented()),
            }
        }
    };
}
pub(super) use int_slot;

int_slot!(add_slot, add);
int_slot!(sub_slot, sub);
int_slot!(mul_slot, mul);

pub(super) fn neg_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    neg(ts, object.cast())
}

pub(super) fn pos_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    object.cast::<PyInt>().exact(ts)
}

pub(super) fn abs_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    let int = object.cast::<PyInt>();
    if int.sign() < 0 { neg(ts, int) } else { int.exact(ts) }
}

pub(super) fn bool_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    Ok(!object.cast::<PyInt>().is_zero())
}
