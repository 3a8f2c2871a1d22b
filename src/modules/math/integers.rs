//! Exact functions of ints.

use dashu_int::ops::SquareRoot;

use crate::object::call::check_count;
use crate::object::{PyObject, PyRef, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::{self, PyInt, words};
use crate::types::none::is_none;

/// The product of the ints from `low` to `high`, both included, which are not zero.
///
/// Halving the range keeps the factors of each multiplication about equally long.
fn product(ts: &ThreadState, low: u64, high: u64) -> PyResult {
    const LEAF: u64 = 32;
    if high < low {
        return PyInt::from_i64(ts, 1);
    }
    if high - low >= LEAF {
        let middle = low + (high - low) / 2;
        let left = product(ts, low, middle)?;
        let right = product(ts, middle + 1, high)?;
        return int::mul(ts, left.cast(), right.cast());
    }
    let mut word = 1u64;
    let mut result: Option<PyRef> = None;
    for factor in low..=high {
        word = match word.checked_mul(factor) {
            Some(product) => product,
            None => {
                result = Some(times(ts, result, word)?);
                factor
            }
        };
    }
    times(ts, result, word)
}

fn times(ts: &ThreadState, value: Option<PyRef>, factor: u64) -> PyResult {
    let factor = PyInt::from_u64(ts, factor)?;
    match value {
        Some(value) => int::mul(ts, value.cast(), factor.cast()),
        None => Ok(factor),
    }
}

pub(super) fn factorial(ts: &ThreadState, _module: &PyObject, n: &PyObject) -> PyResult {
    let n = protocol::index(ts, n)?;
    if n.sign() < 0 {
        return raise!(ts, exc::ValueError, "factorial() not defined for negative values");
    }
    match n.as_i64() {
        Some(n) => product(ts, 2, n as u64),
        None => raise!(ts, exc::OverflowError, "factorial() argument should not exceed {}", i64::MAX),
    }
}

pub(super) fn perm(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "perm", args.len(), 1, 2)?;
    let Some(k) = args.get(1).filter(|k| !is_none(k)) else {
        return factorial(ts, module, args[0]);
    };
    let n = protocol::index(ts, args[0])?;
    let k = protocol::index(ts, k)?;
    if n.sign() < 0 {
        return raise!(ts, exc::ValueError, "n must be a non-negative integer");
    }
    if k.sign() < 0 {
        return raise!(ts, exc::ValueError, "k must be a non-negative integer");
    }
    if int::compare(&n, &k).is_lt() {
        return PyInt::from_i64(ts, 0);
    }
    let Some(k) = k.as_i64() else {
        return raise!(ts, exc::OverflowError, "k must not exceed {}", i64::MAX);
    };
    falling_product(ts, &n, k as u64)
}

/// n (n-1) … (n-k+1), where k is at most n.
fn falling_product(ts: &ThreadState, n: &PyInt, k: u64) -> PyResult {
    if k == 0 {
        return PyInt::from_i64(ts, 1);
    }
    if let Some(n) = n.as_u64() {
        return product(ts, n - k + 1, n);
    }
    if k == 1 {
        return n.exact(ts);
    }
    let half = k / 2;
    let left = falling_product(ts, n, half)?;
    let half = PyInt::from_u64(ts, half)?;
    let rest = int::sub(ts, n, half.cast())?;
    let right = falling_product(ts, rest.cast(), k - k / 2)?;
    int::mul(ts, left.cast(), right.cast())
}

pub(super) fn comb(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "comb", args.len(), 2, 2)?;
    let (n, k) = (protocol::index(ts, args[0])?, protocol::index(ts, args[1])?);
    if n.sign() < 0 {
        return raise!(ts, exc::ValueError, "n must be a non-negative integer");
    }
    if k.sign() < 0 {
        return raise!(ts, exc::ValueError, "k must be a non-negative integer");
    }
    // Choosing k is leaving n - k.
    let rest = int::sub(ts, &n, &k)?;
    let rest: &PyInt = rest.cast();
    if rest.sign() < 0 {
        return PyInt::from_i64(ts, 0);
    }
    let smaller = if int::compare(rest, &k).is_lt() { rest } else { &*k };
    let Some(k) = smaller.as_i64() else {
        return raise!(ts, exc::OverflowError, "min(n - k, k) must not exceed {}", i64::MAX);
    };
    choose(ts, &n, k as u64)
}

/// The binomial coefficient; k is at most half of n.
fn choose(ts: &ThreadState, n: &PyInt, k: u64) -> PyResult {
    if k == 0 {
        return PyInt::from_i64(ts, 1);
    }
    if let Some(n) = n.as_u64()
        && let Some(value) = choose_word(n, k)
    {
        return PyInt::from_u64(ts, value);
    }
    if k <= 16 {
        let top = falling_product(ts, n, k)?;
        let bottom = product(ts, 2, k)?;
        return int::floor_divide(ts, top.cast(), bottom.cast());
    }
    // C(n, k) = C(n, j) C(n - j, k - j) / C(k, j), which keeps the numbers as short as can be.
    let j = k / 2;
    let left = choose(ts, n, j)?;
    let j_object = PyInt::from_u64(ts, j)?;
    let rest = int::sub(ts, n, j_object.cast())?;
    let right = choose(ts, rest.cast(), k - j)?;
    let top = int::mul(ts, left.cast(), right.cast())?;
    let k_object = PyInt::from_u64(ts, k)?;
    let bottom = choose(ts, k_object.cast(), j)?;
    int::floor_divide(ts, top.cast(), bottom.cast())
}

/// The same in machine words, as long as all of it fits.
fn choose_word(n: u64, k: u64) -> Option<u64> {
    if k > 40 {
        return None;
    }
    let mut result = 1u64;
    for i in 0..k {
        // The division is exact: the result so far is a binomial coefficient.
        result = result.checked_mul(n - i)? / (i + 1);
    }
    Some(result)
}

pub(super) fn gcd(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let mut result = PyInt::from_i64(ts, 0)?;
    for argument in args {
        let value = protocol::index(ts, argument)?;
        result = int::gcd(ts, result.cast(), &value)?;
    }
    Ok(result)
}

pub(super) fn lcm(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let mut result = PyInt::from_i64(ts, 1)?;
    for argument in args {
        let value = protocol::index(ts, argument)?;
        if result.cast::<PyInt>().is_zero() {
            continue;
        }
        if value.is_zero() {
            result = PyInt::from_i64(ts, 0)?;
            continue;
        }
        let divisor = int::gcd(ts, result.cast(), &value)?;
        let part = int::floor_divide(ts, result.cast(), divisor.cast())?;
        let product = int::mul(ts, part.cast(), &value)?;
        result = if product.cast::<PyInt>().sign() < 0 { int::neg(ts, product.cast())? } else { product };
    }
    Ok(result)
}

pub(super) fn isqrt(ts: &ThreadState, _module: &PyObject, n: &PyObject) -> PyResult {
    let n = protocol::index(ts, n)?;
    if n.sign() < 0 {
        return raise!(ts, exc::ValueError, "isqrt() argument must be nonnegative");
    }
    if let Some(n) = n.as_u64() {
        return PyInt::from_u64(ts, n.isqrt());
    }
    let mut scratch = 0;
    let (_, magnitude) = n.magnitude(&mut scratch);
    let draft = int::Draft::new(ts, magnitude.len().div_ceil(2) + 1)?;
    let root = words::to_big(magnitude).sqrt();
    draft.finish_big(ts, false, &root)
}
