//! Functions of one, two or three doubles.

use super::gamma::{self, GammaError};
use super::{domain_error, double, libm, range_error, unexpected};
use crate::id;
use crate::object::attr::{Method, lookup_special};
use crate::object::call::{call_with, call0, check_count};
use crate::object::{Args, AsObject, PyObject, PyResult, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::float::{self, PyFloat};
use crate::types::int::{self, PyInt};
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A function of C's whose errors show in its result. `expected` is what a domain error says.
#[inline(always)]
fn unary(
    ts: &ThreadState,
    object: &PyObject,
    function: impl Fn(f64) -> f64,
    can_overflow: bool,
    expected: &str,
) -> PyResult {
    let x = double(ts, object)?;
    let result = function(x);
    if !result.is_finite() {
        let domain = if result.is_nan() { !x.is_nan() } else { x.is_finite() && !can_overflow };
        if domain {
            return if expected.is_empty() { domain_error(ts) } else { unexpected(ts, expected, x) };
        }
        if result.is_infinite() && x.is_finite() {
            return range_error(ts);
        }
    }
    PyFloat::new(ts, result)
}

macro_rules! unary_functions {
    ($($name:ident, $overflow:literal, $expected:literal;)*) => {
        $(pub(super) fn $name(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
            unary(ts, x, |x| libm::$name(x), $overflow, $expected)
        })*
    };
}

unary_functions! {
    acos, false, "expected a number in range from -1 up to 1";
    acosh, false, "expected argument value not less than 1";
    asin, false, "expected a number in range from -1 up to 1";
    asinh, false, "";
    atan, false, "";
    atanh, false, "expected a number between -1 and 1";
    cbrt, false, "";
    cos, false, "expected a finite input";
    cosh, true, "";
    erf, false, "";
    erfc, false, "";
    exp, true, "";
    exp2, true, "";
    expm1, true, "";
    log1p, false, "expected argument value > -1";
    sin, false, "expected a finite input";
    sinh, true, "";
    sqrt, false, "expected a nonnegative input";
    tan, false, "expected a finite input";
    tanh, false, "";
}

pub(super) fn fabs(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    PyFloat::new(ts, double(ts, x)?.abs())
}

pub(super) fn degrees(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    PyFloat::new(ts, double(ts, x)? * (180.0 / core::f64::consts::PI))
}

pub(super) fn radians(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    PyFloat::new(ts, double(ts, x)? * (core::f64::consts::PI / 180.0))
}

fn finish_gamma(ts: &ThreadState, x: f64, result: Result<f64, GammaError>) -> PyResult {
    match result {
        Ok(value) => PyFloat::new(ts, value),
        Err(GammaError::Domain) => unexpected(ts, "expected a noninteger or positive integer", x),
        Err(GammaError::Range) => range_error(ts),
    }
}

pub(super) fn gamma(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    let x = double(ts, x)?;
    finish_gamma(ts, x, gamma::gamma(x))
}

pub(super) fn lgamma(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    let x = double(ts, x)?;
    finish_gamma(ts, x, gamma::log_gamma(x))
}

pub(super) fn isfinite(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    Ok(py_bool(double(ts, x)?.is_finite()))
}

pub(super) fn isinf(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    Ok(py_bool(double(ts, x)?.is_infinite()))
}

pub(super) fn isnan(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    Ok(py_bool(double(ts, x)?.is_nan()))
}

fn two(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult<(f64, f64)> {
    check_count(ts, name, args.len(), 2, 2)?;
    Ok((double(ts, args[0])?, double(ts, args[1])?))
}

pub(super) fn atan2(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (y, x) = two(ts, "atan2", args)?;
    PyFloat::new(ts, libm::atan2(y, x))
}

pub(super) fn copysign(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (x, y) = two(ts, "copysign", args)?;
    PyFloat::new(ts, x.copysign(y))
}

pub(super) fn fmod(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (x, y) = two(ts, "fmod", args)?;
    let result = libm::fmod(x, y);
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return domain_error(ts);
    }
    PyFloat::new(ts, result)
}

pub(super) fn remainder(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (x, y) = two(ts, "remainder", args)?;
    let result = libm::remainder(x, y);
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return domain_error(ts);
    }
    PyFloat::new(ts, result)
}

pub(super) fn pow(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let (x, y) = two(ts, "pow", args)?;
    let result = libm::pow(x, y);
    if !result.is_finite() && x.is_finite() && y.is_finite() {
        // A NaN comes of a negative base and a fractional exponent, an infinity of zero to a negative
        // power or of a result too large.
        return if result.is_nan() || x == 0.0 { domain_error(ts) } else { range_error(ts) };
    }
    PyFloat::new(ts, result)
}

pub(super) fn fma(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "fma", args.len(), 3, 3)?;
    let (x, y, z) = (double(ts, args[0])?, double(ts, args[1])?, double(ts, args[2])?);
    let result = libm::fma(x, y, z);
    if result.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return raise!(ts, exc::ValueError, "invalid operation in fma");
    }
    if result.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return raise!(ts, exc::OverflowError, "overflow in fma");
    }
    PyFloat::new(ts, result)
}

pub(super) fn frexp(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    let (mantissa, exponent) = float::frexp(double(ts, x)?);
    let mantissa = PyFloat::new(ts, mantissa)?;
    let exponent = PyInt::from_i64(ts, i64::from(exponent))?;
    Ok(PyTuple::pair(ts, &mantissa, &exponent)?.into_object())
}

pub(super) fn modf(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    let x = double(ts, x)?;
    let fraction = if x.is_infinite() { 0.0 } else { x - x.trunc() };
    let fraction = PyFloat::new(ts, if x.is_nan() { x } else { fraction.copysign(x) })?;
    let whole = PyFloat::new(ts, x.trunc())?;
    Ok(PyTuple::pair(ts, &fraction, &whole)?.into_object())
}

pub(super) fn ldexp(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "ldexp", args.len(), 2, 2)?;
    let x = double(ts, args[0])?;
    let Some(exponent) = args[1].downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "Expected an int as second argument to ldexp.");
    };
    if x == 0.0 || !x.is_finite() {
        return PyFloat::new(ts, x);
    }
    let exponent = exponent.saturating_isize().clamp(-5000, 5000) as i32;
    let result = float::ldexp(x, exponent);
    if result.is_infinite() {
        return range_error(ts);
    }
    PyFloat::new(ts, result)
}

/// A logarithm: of a float, or of an int of any size.
fn logarithm(ts: &ThreadState, object: &PyObject, function: extern "C" fn(f64) -> f64) -> PyResult<f64> {
    if let Some(int) = object.downcast::<PyInt>() {
        if int.sign() <= 0 {
            return raise!(ts, exc::ValueError, "expected a positive input");
        }
        if let Some(value) = int.as_f64() {
            return Ok(function(value));
        }
        // Too large for a float: the logarithm of a fraction and that of a power of two.
        let mut scratch = 0;
        let (fraction, exponent) = int::words::to_fraction(int.magnitude(&mut scratch).1);
        return Ok(function(fraction) + function(2.0) * exponent as f64);
    }
    let x = double(ts, object)?;
    if x > 0.0 || x.is_nan() {
        return Ok(function(x));
    }
    unexpected(ts, "expected a positive input", x)
}

pub(super) fn log(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "log", args.len(), 1, 2)?;
    let value = logarithm(ts, args[0], libm::log)?;
    let Some(base) = args.get(1) else {
        return PyFloat::new(ts, value);
    };
    let base = logarithm(ts, base, libm::log)?;
    if base == 0.0 {
        return raise!(ts, exc::ZeroDivisionError, "division by zero");
    }
    PyFloat::new(ts, value / base)
}

pub(super) fn log2(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    PyFloat::new(ts, logarithm(ts, x, libm::log2)?)
}

pub(super) fn log10(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    PyFloat::new(ts, logarithm(ts, x, libm::log10)?)
}

/// Calls the special method of that name; None when the object's type has none.
fn special(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<crate::object::PyRef>> {
    match lookup_special(ts, object, name)? {
        None => Ok(None),
        Some(Method::Unbound(function)) => call_with(ts, &function, &[object]).map(Some),
        Some(Method::Bound(method)) => call0(ts, &method).map(Some),
    }
}

pub(super) fn floor(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    if let Some(float) = x.downcast_exact::<PyFloat>() {
        return PyInt::from_f64(ts, float.value().floor());
    }
    if x.downcast_exact::<PyInt>().is_some() {
        return Ok(x.new_ref());
    }
    match special(ts, x, id!(__floor__))? {
        Some(result) => Ok(result),
        None => PyInt::from_f64(ts, double(ts, x)?.floor()),
    }
}

pub(super) fn ceil(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    if let Some(float) = x.downcast_exact::<PyFloat>() {
        return PyInt::from_f64(ts, float.value().ceil());
    }
    if x.downcast_exact::<PyInt>().is_some() {
        return Ok(x.new_ref());
    }
    match special(ts, x, id!(__ceil__))? {
        Some(result) => Ok(result),
        None => PyInt::from_f64(ts, double(ts, x)?.ceil()),
    }
}

pub(super) fn trunc(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    if let Some(float) = x.downcast_exact::<PyFloat>() {
        return PyInt::from_f64(ts, float.value());
    }
    match special(ts, x, id!(__trunc__))? {
        Some(result) => Ok(result),
        None => raise!(ts, exc::TypeError, "type {} doesn't define __trunc__ method", x.type_name()),
    }
}

pub(super) fn ulp(ts: &ThreadState, _module: &PyObject, x: &PyObject) -> PyResult {
    let x = double(ts, x)?.abs();
    if !x.is_finite() {
        return PyFloat::new(ts, x);
    }
    let above = libm::nextafter(x, f64::INFINITY);
    // The greatest float has none above it, so its last bit is counted from below.
    let bit = if above.is_infinite() { x - libm::nextafter(x, f64::NEG_INFINITY) } else { above - x };
    PyFloat::new(ts, bit)
}

pub(super) fn isclose(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> = Signature::new("isclose", ["a", "b", "rel_tol", "abs_tol"], 0, 2, 2);
    let [a, b, relative, absolute] = SIGNATURE.parse(ts, args)?;
    let or = |object: Option<&PyObject>, default: f64| object.map_or(Ok(default), |object| double(ts, object));
    let (a, b) = (or(a, 0.0)?, or(b, 0.0)?);
    let (relative, absolute) = (or(relative, 1e-9)?, or(absolute, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return raise!(ts, exc::ValueError, "tolerances must be non-negative");
    }
    if a == b {
        return Ok(py_bool(true));
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(py_bool(false));
    }
    let difference = (b - a).abs();
    let close = difference <= (relative * b).abs() || difference <= (relative * a).abs() || difference <= absolute;
    Ok(py_bool(close))
}

pub(super) fn nextafter(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("nextafter", ["", "", "steps"], 2, 2, 2);
    let [x, y, steps] = SIGNATURE.parse(ts, args)?;
    let or_nan = |object: Option<&PyObject>| object.map_or(Ok(f64::NAN), |object| double(ts, object));
    let (x, y) = (or_nan(x)?, or_nan(y)?);
    let Some(steps) = steps.filter(|steps| !is_none(steps)) else {
        return PyFloat::new(ts, libm::nextafter(x, y));
    };
    let steps = protocol::index(ts, steps)?;
    if steps.sign() < 0 {
        return raise!(ts, exc::ValueError, "steps must be a non-negative integer");
    }
    let steps = steps.as_u64().unwrap_or(u64::MAX);
    if steps == 0 || x.is_nan() {
        return PyFloat::new(ts, x);
    }
    if y.is_nan() || x == y {
        return PyFloat::new(ts, y);
    }
    // As integers of sign and magnitude, neighbouring floats are one apart.
    let ordinal = |value: f64| {
        let magnitude = (value.to_bits() & !(1 << 63)) as i64;
        if value.is_sign_negative() { -magnitude } else { magnitude }
    };
    let (from, to) = (ordinal(x), ordinal(y));
    let distance = from.abs_diff(to);
    if steps >= distance {
        return PyFloat::new(ts, y);
    }
    let reached = if to > from { from.wrapping_add_unsigned(steps) } else { from.wrapping_sub_unsigned(steps) };
    let value = f64::from_bits(reached.unsigned_abs());
    // A zero keeps the sign of the side that it was reached from.
    let negative = reached < 0 || reached == 0 && x.is_sign_negative();
    PyFloat::new(ts, if negative { -value } else { value })
}
