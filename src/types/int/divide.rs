//! Division: floor quotients, remainders with the divisor's sign, and quotients as floats.

use dashu_int::ops::DivRem;

use super::arith::int_slot;
use super::{Draft, PyInt, words};
use crate::object::{PyObject, PyRef, PyResult, Raised};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::{PyFloat, ldexp};
use crate::types::notimplemented::not_implemented;
use crate::types::tuple::PyTuple;

/// `a // b`. Raises ZeroDivisionError.
#[inline]
pub fn floor_divide(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        if y == 0 {
            return Err(zero_division(ts));
        }
        if let Some(quotient) = x.checked_div(y) {
            let down = i64::from((x % y != 0) & ((x < 0) != (y < 0)));
            return PyInt::from_i64(ts, quotient - down);
        }
    }
    Ok(divide_large(ts, a, b, true, false)?.0)
}

/// `a % b`. Raises ZeroDivisionError.
#[inline]
pub fn remainder(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        if y == 0 {
            return Err(zero_modulo(ts));
        }
        let rest = x.wrapping_rem(y);
        let up = if rest != 0 && (rest < 0) != (y < 0) { y } else { 0 };
        return PyInt::from_i64(ts, rest + up);
    }
    if b.is_zero() {
        return Err(zero_modulo(ts));
    }
    Ok(divide_large(ts, a, b, false, true)?.1)
}

/// `divmod(a, b)`. Raises ZeroDivisionError.
pub fn divmod(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult<(PyRef, PyRef)> {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        if y != 0 {
            if let Some(quotient) = x.checked_div(y) {
                let rest = x % y;
                let adjust = rest != 0 && (rest < 0) != (y < 0);
                let (quotient, rest) = if adjust { (quotient - 1, rest + y) } else { (quotient, rest) };
                return Ok((PyInt::from_i64(ts, quotient)?, PyInt::from_i64(ts, rest)?));
            }
        }
    }
    divide_large(ts, a, b, true, true)
}

#[cold]
fn zero_division(ts: &ThreadState) -> Raised {
    ts.raise_fmt(&exc::ZeroDivisionError, format_args!("integer division or modulo by zero"))
}

#[cold]
fn zero_modulo(ts: &ThreadState) -> Raised {
    ts.raise_fmt(&exc::ZeroDivisionError, format_args!("integer modulo by zero"))
}

/// The floor quotient and the remainder, each only when it is wanted (zero otherwise).
#[inline(never)]
fn divide_large(
    ts: &ThreadState,
    a: &PyInt,
    b: &PyInt,
    want_quotient: bool,
    want_rest: bool,
) -> PyResult<(PyRef, PyRef)> {
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, a) = a.magnitude(&mut scratch_a);
    let (negative_b, b) = b.magnitude(&mut scratch_b);
    if b.is_empty() {
        return Err(zero_division(ts));
    }
    let zero = || PyInt::from_i64(ts, 0);
    // Truncating division first; where the signs differ and something is left over, the quotient is
    // one further from zero and the remainder is counted from the divisor.
    let differ = negative_a != negative_b;
    if words::compare(a, b).is_lt() {
        if a.is_empty() {
            return Ok((zero()?, zero()?));
        }
        let quotient = PyInt::from_i64(ts, if differ { -1 } else { 0 })?;
        let rest = if !want_rest { zero()? } else { finish_rest(ts, a, b, negative_b, differ)? };
        return Ok((quotient, rest));
    }
    let mut draft = Draft::new(ts, a.len() - b.len() + 2)?;
    if let [divisor] = *b {
        draft.words()[..a.len()].copy_from_slice(a);
        let rest = words::div_word(draft.words(), divisor);
        if differ && rest != 0 {
            words::increment(draft.words());
        }
        let rest = [rest];
        let rest = words::trim(&rest);
        let adjust = differ && !rest.is_empty();
        let rest = if want_rest { finish_rest(ts, rest, b, negative_b, adjust)? } else { zero()? };
        return Ok((draft.finish(ts, differ)?, rest));
    }
    let (dividend, divisor) = (words::to_big(a), words::to_big(b));
    let (quotient, rest) =
        if want_quotient { dividend.div_rem(divisor) } else { (dashu_int::UBig::ZERO, dividend % divisor) };
    let adjust = differ && !rest.is_zero();
    let rest = if want_rest { finish_rest(ts, rest.as_words(), b, negative_b, adjust)? } else { zero()? };
    let from = quotient.as_words();
    draft.words()[..from.len()].copy_from_slice(from);
    if adjust && want_quotient {
        words::increment(draft.words());
    }
    Ok((draft.finish(ts, differ)?, rest))
}

/// The remainder with the divisor's sign: as it is, or counted down from the divisor.
fn finish_rest(ts: &ThreadState, rest: &[u64], divisor: &[u64], negative: bool, adjust: bool) -> PyResult {
    if !adjust {
        return PyInt::from_words(ts, negative, rest);
    }
    let mut draft = Draft::new(ts, divisor.len())?;
    words::sub(draft.words(), divisor, rest);
    draft.finish(ts, negative)
}

/// `a / b`, correctly rounded. Raises ZeroDivisionError, and OverflowError when the quotient is out of range.
#[inline]
pub fn true_divide(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    const EXACT: i64 = 1 << 53;
    let exact = |value: &i64| (-EXACT..=EXACT).contains(value);
    if let (Some(x), Some(y)) = (a.as_i64().filter(exact), b.as_i64().filter(exact)) {
        if y == 0 {
            return raise!(ts, exc::ZeroDivisionError, "division by zero");
        }
        return PyFloat::new(ts, x as f64 / y as f64);
    }
    PyFloat::new(ts, true_divide_large(ts, a, b)?)
}

/// The bits of a float's significand.
const DIGITS: i64 = 53;
/// The exponents `e` of the least normal number `2^(e-1)` and the least power of two out of range.
const EXPONENT_MIN: i64 = -1021;
const EXPONENT_MAX: i64 = 1024;

#[inline(never)]
fn true_divide_large(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult<f64> {
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, a) = a.magnitude(&mut scratch_a);
    let (negative_b, b) = b.magnitude(&mut scratch_b);
    if b.is_empty() {
        return raise!(ts, exc::ZeroDivisionError, "division by zero");
    }
    let sign = if negative_a != negative_b { -1.0 } else { 1.0 };
    if a.is_empty() {
        return Ok(sign * 0.0);
    }
    let difference = words::bit_length(a) as i64 - words::bit_length(b) as i64;
    if difference > EXPONENT_MAX {
        return raise!(ts, exc::OverflowError, "integer division result too large for a float");
    }
    if difference < EXPONENT_MIN - DIGITS - 1 {
        return Ok(sign * 0.0);
    }
    // Scale so that the quotient has two or three bits more than are kept, and fewer for a
    // subnormal result; whatever is cut off leaves a mark in the lowest bit.
    let shift = difference.max(EXPONENT_MIN) - DIGITS - 2;
    let mut inexact = false;
    let dividend = if shift <= 0 {
        words::to_big(a) << shift.unsigned_abs() as usize
    } else {
        inexact = words::any_low_bits(a, shift as u64);
        words::to_big(a) >> shift as usize
    };
    let (quotient, rest) = dividend.div_rem(words::to_big(b));
    inexact |= !rest.is_zero();
    let [quotient] = *quotient.as_words() else {
        return Ok(sign * 0.0);
    };
    let bits = 64 - i64::from(quotient.leading_zeros());
    let extra = bits.max(EXPONENT_MIN - shift) - DIGITS;
    debug_assert!(extra >= 2 && bits <= DIGITS + 3, "the quotient has two or three bits to round");
    let half = 1u64 << (extra - 1);
    let mut low = quotient | u64::from(inexact);
    if low & half != 0 && low & (3 * half - 1) != 0 {
        low += half;
    }
    let rounded = low & !(2 * half - 1);
    let result = ldexp(rounded as f64, shift as i32);
    if result.is_infinite() {
        return raise!(ts, exc::OverflowError, "integer division result too large for a float");
    }
    Ok(sign * result)
}

int_slot!(floor_divide_slot, floor_divide);
int_slot!(remainder_slot, remainder);
int_slot!(true_divide_slot, true_divide);

pub(super) fn divmod_slot(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    match (left.downcast::<PyInt>(), right.downcast::<PyInt>()) {
        (Some(a), Some(b)) => {
            let (quotient, rest) = divmod(ts, a, b)?;
            Ok(PyTuple::pair(ts, &quotient, &rest)?.into_object())
        }
        _ => Ok(not_implemented()),
    }
}
