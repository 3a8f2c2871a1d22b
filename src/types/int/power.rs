//! Powers, powers modulo a number, and common divisors.

use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::Gcd;

use super::{Draft, MAX_WORDS, PyInt, divide, words};
use crate::object::{PyObject, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;

/// `a ** b`. A negative exponent gives a float.
pub fn power(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if b.sign() < 0 {
        return crate::types::float::power(ts, a.to_f64(ts)?, b.to_f64(ts)?);
    }
    if let (Some(base), Some(exponent)) = (a.as_i64(), b.as_u64()) {
        if let Ok(exponent) = u32::try_from(exponent) {
            if let Some(value) = base.checked_pow(exponent) {
                return PyInt::from_i64(ts, value);
            }
        }
        if let 0 | 1 | -1 = base {
            let odd = exponent & 1 != 0;
            return PyInt::from_i64(ts, if base == -1 && !odd { 1 } else { base });
        }
    }
    power_large(ts, a, b)
}

#[inline(never)]
fn power_large(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    let negative = a.sign() < 0 && b.is_odd();
    let mut scratch = 0;
    let (_, magnitude) = a.magnitude(&mut scratch);
    if let [0 | 1] | [] = magnitude {
        let value = i64::from(!magnitude.is_empty());
        return PyInt::from_i64(ts, if negative { -value } else { value });
    }
    let Some(exponent) = b.as_u64() else {
        return Err(ts.raise_no_memory());
    };
    let bits = words::bit_length(magnitude);
    let result_words = bits.checked_mul(exponent).map(|bits| bits / 64 + 1);
    let result_words = match result_words.and_then(|count| usize::try_from(count).ok()) {
        Some(count) if count < MAX_WORDS => count,
        _ => return Err(ts.raise_no_memory()),
    };
    let mut draft = Draft::new(ts, result_words + 1)?;
    if let [word] = magnitude
        && word.is_power_of_two()
    {
        words::shl(draft.words(), &[1], u64::from(word.trailing_zeros()) * exponent);
        return draft.finish(ts, negative);
    }
    let value = words::to_big(magnitude).pow(exponent as usize);
    draft.finish_big(ts, negative, &value)
}

/// `pow(a, b, modulus)`. Raises ValueError for a modulus of zero, and for a negative exponent of a base
/// that has no inverse.
pub fn power_modulo(ts: &ThreadState, a: &PyInt, b: &PyInt, modulus: &PyInt) -> PyResult {
    if modulus.is_zero() {
        return raise!(ts, exc::ValueError, "pow() 3rd argument cannot be 0");
    }
    let negative = modulus.sign() < 0;
    let modulus = if negative { super::neg(ts, modulus)? } else { modulus.exact(ts)? };
    let modulus: &PyInt = modulus.cast();
    if modulus.as_i64() == Some(1) {
        return PyInt::from_i64(ts, 0);
    }
    let base = divide::remainder(ts, a, modulus)?;
    let base: &PyInt = base.cast();
    let mut scratch = 0;
    let (_, exponent) = b.magnitude(&mut scratch);
    let result = if let (Some(m), Some(x)) = (modulus.as_u64(), base.as_u64()) {
        let x = if b.sign() < 0 { inverse_u64(x, m) } else { Some(x) };
        match x {
            Some(x) => PyInt::from_u64(ts, power_u64(x, exponent, m))?,
            None => return not_invertible(ts),
        }
    } else {
        power_modulo_large(ts, base, exponent, b.sign() < 0, modulus)?
    };
    if negative && !result.cast::<PyInt>().is_zero() {
        return super::sub(ts, result.cast(), modulus);
    }
    Ok(result)
}

#[cold]
fn not_invertible(ts: &ThreadState) -> PyResult {
    raise!(ts, exc::ValueError, "base is not invertible for the given modulus")
}

#[inline(never)]
fn power_modulo_large(ts: &ThreadState, base: &PyInt, exponent: &[u64], invert: bool, modulus: &PyInt) -> PyResult {
    let (mut scratch_base, mut scratch_modulus) = (0, 0);
    let (_, base) = base.magnitude(&mut scratch_base);
    let (_, modulus) = modulus.magnitude(&mut scratch_modulus);
    let draft = Draft::new(ts, modulus.len())?;
    let ring = ConstDivisor::new(words::to_big(modulus));
    let mut reduced = ring.reduce(words::to_big(base));
    if invert {
        match reduced.inv() {
            Some(inverse) => reduced = inverse,
            None => return not_invertible(ts),
        }
    }
    let result: UBig = reduced.pow(&words::to_big(exponent)).residue();
    draft.finish_big(ts, false, &result)
}

fn power_u64(base: u64, exponent: &[u64], modulus: u64) -> u64 {
    let multiply = |x: u64, y: u64| (u128::from(x) * u128::from(y) % u128::from(modulus)) as u64;
    let mut result = 1 % modulus;
    for index in (0..words::bit_length(exponent)).rev() {
        result = multiply(result, result);
        if words::bit(exponent, index) {
            result = multiply(result, base);
        }
    }
    result
}

/// The inverse of `value` modulo `modulus`, by Euclid's algorithm.
fn inverse_u64(value: u64, modulus: u64) -> Option<u64> {
    let modulus = i128::from(modulus);
    let (mut r0, mut r1) = (modulus, i128::from(value));
    let (mut t0, mut t1) = (0i128, 1i128);
    while r1 != 0 {
        let quotient = r0 / r1;
        (r0, r1) = (r1, r0 - quotient * r1);
        (t0, t1) = (t1, t0 - quotient * t1);
    }
    (r0 == 1).then(|| t0.rem_euclid(modulus) as u64)
}

/// The greatest common divisor, never negative.
pub fn gcd(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (_, a) = a.magnitude(&mut scratch_a);
    let (_, b) = b.magnitude(&mut scratch_b);
    match (a, b) {
        ([], other) | (other, []) => PyInt::from_words(ts, false, other),
        ([x], [y]) => PyInt::from_u64(ts, gcd_u64(*x, *y)),
        ([word], large) | (large, [word]) => PyInt::from_u64(ts, gcd_u64(*word, words::rem_word(large, *word))),
        _ => {
            let draft = Draft::new(ts, a.len().min(b.len()))?;
            let divisor = words::to_big(a).gcd(words::to_big(b));
            draft.finish_big(ts, false, &divisor)
        }
    }
}

/// The greatest common divisor of two words, by halving.
pub fn gcd_u64(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    let twos = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        if a > b {
            core::mem::swap(&mut a, &mut b);
        }
        b -= a;
    }
    a << twos
}

pub(super) fn power_slot(ts: &ThreadState, left: &PyObject, right: &PyObject, third: &PyObject) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyInt>(), right.downcast::<PyInt>()) else {
        return Ok(not_implemented());
    };
    if is_none(third) {
        return power(ts, a, b);
    }
    match third.downcast::<PyInt>() {
        Some(modulus) => power_modulo(ts, a, b, modulus),
        None => Ok(not_implemented()),
    }
}
