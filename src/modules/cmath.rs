//! `cmath`: functions of complex numbers.
//!
//! The values for operands that are infinite or NaN are those of the C standard's Annex G, in tables;
//! signed zeros tell the sides of branch cuts apart. All functions commute with conjugation, so the
//! tables have only the upper half plane.

use core::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LN_10, PI, TAU};

use crate::modules::ModuleSpec;
use crate::modules::math::libm;
use crate::object::call::check_count;
use crate::object::{Args, MethodDef, PyObject, PyResult, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::complex::{self, Complex, PyComplex};
use crate::types::exceptions as exc;
use crate::types::float::{PyFloat, ldexp};
use crate::types::module::PyModule;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "cmath",
    doc: "This module provides access to mathematical functions for complex\nnumbers.",
    methods: METHODS,
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let floats = [("pi", PI), ("e", core::f64::consts::E), ("tau", TAU), ("inf", f64::INFINITY), ("nan", f64::NAN)];
    for (name, value) in floats {
        let value = PyFloat::new(ts, value)?;
        module.add(ts, name, &value)?;
    }
    for (name, imaginary) in [("infj", f64::INFINITY), ("nanj", f64::NAN)] {
        let value = PyComplex::new(ts, 0.0, imaginary)?;
        module.add(ts, name, &value)?;
    }
    Ok(())
}

macro_rules! functions {
    ($($name:ident = $doc:literal;)*) => {
        /// The module's functions of one complex number.
        mod unary {
            use super::*;
            $(pub(super) fn $name(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
                finish(ts, super::$name(complex::value_of(ts, z)?))
            })*
        }

        static METHODS: &[MethodDef] = &[
            $(MethodDef::one(stringify!($name), unary::$name, concat!(stringify!($name), "($module, z, /)\n--\n\n", $doc)),)*
            MethodDef::positional("log", log_with_base, "log($module, z, base=<unrepresentable>, /)\n--\n\nlog(z[, base]) -> the logarithm of z to the given base.\n\nIf the base is not specified, returns the natural logarithm (base e) of z."),
            MethodDef::one("phase", phase, "phase($module, z, /)\n--\n\nReturn argument, also known as the phase angle, of a complex."),
            MethodDef::one("polar", polar, "polar($module, z, /)\n--\n\nConvert a complex from rectangular coordinates to polar coordinates.\n\nr is the distance from 0 and phi the phase angle."),
            MethodDef::positional("rect", rect, "rect($module, r, phi, /)\n--\n\nConvert from polar coordinates to rectangular coordinates."),
            MethodDef::one("isfinite", isfinite, "isfinite($module, z, /)\n--\n\nReturn True if both the real and imaginary parts of z are finite, else False."),
            MethodDef::one("isinf", isinf, "isinf($module, z, /)\n--\n\nChecks if the real or imaginary part of z is infinite."),
            MethodDef::one("isnan", isnan, "isnan($module, z, /)\n--\n\nChecks if the real or imaginary part of z not a number (NaN)."),
            MethodDef::keywords("isclose", isclose, "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\nDetermine whether two complex numbers are close in value."),
        ];
    };
}

functions! {
    acos = "Return the arc cosine of z.";
    acosh = "Return the inverse hyperbolic cosine of z.";
    asin = "Return the arc sine of z.";
    asinh = "Return the inverse hyperbolic sine of z.";
    atan = "Return the arc tangent of z.";
    atanh = "Return the inverse hyperbolic tangent of z.";
    cos = "Return the cosine of z.";
    cosh = "Return the hyperbolic cosine of z.";
    exp = "Return the exponential value e**z.";
    log10 = "Return the base-10 logarithm of z.";
    sin = "Return the sine of z.";
    sinh = "Return the hyperbolic sine of z.";
    sqrt = "Return the square root of z.";
    tan = "Return the tangent of z.";
    tanh = "Return the hyperbolic tangent of z.";
}

/// Why a function has no value.
#[derive(Clone, Copy)]
enum Refused {
    Domain,
    Range,
}

type Value = Result<Complex, Refused>;

fn finish(ts: &ThreadState, value: Value) -> PyResult {
    match value {
        Ok((real, imaginary)) => PyComplex::new(ts, real, imaginary),
        Err(refused) => refuse(ts, refused),
    }
}

#[cold]
fn refuse<T>(ts: &ThreadState, refused: Refused) -> PyResult<T> {
    match refused {
        Refused::Domain => raise!(ts, exc::ValueError, "math domain error"),
        Refused::Range => raise!(ts, exc::OverflowError, "math range error"),
    }
}

/// A row for each kind of real part: -inf, negative, -0, 0, positive, inf, NaN; a column for each kind of
/// imaginary part: 0, positive, inf, NaN.
type Special = [[Complex; 4]; 7];

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const P14: f64 = FRAC_PI_4;
const P12: f64 = FRAC_PI_2;
const P34: f64 = 3.0 * FRAC_PI_4;
const NN: Complex = (NAN, NAN);
/// The value of finite operands, which is computed.
const UU: Complex = NN;

static ACOS: Special = [
    [(PI, -INF), (PI, -INF), (P34, -INF), (NAN, INF)],
    [UU, UU, (P12, -INF), NN],
    [(P12, -0.0), UU, (P12, -INF), (P12, NAN)],
    [(P12, -0.0), UU, (P12, -INF), (P12, NAN)],
    [UU, UU, (P12, -INF), NN],
    [(0.0, -INF), (0.0, -INF), (P14, -INF), (NAN, INF)],
    [NN, NN, (NAN, -INF), NN],
];
static ACOSH: Special = [
    [(INF, PI), (INF, PI), (INF, P34), (INF, NAN)],
    [UU, UU, (INF, P12), NN],
    [(0.0, P12), UU, (INF, P12), (NAN, P12)],
    [(0.0, P12), UU, (INF, P12), (NAN, P12)],
    [UU, UU, (INF, P12), NN],
    [(INF, 0.0), (INF, 0.0), (INF, P14), (INF, NAN)],
    [NN, NN, (INF, NAN), NN],
];
static ASINH: Special = [
    [(-INF, 0.0), (-INF, 0.0), (-INF, P14), (-INF, NAN)],
    [UU, UU, (-INF, P12), NN],
    [(-0.0, 0.0), UU, (-INF, P12), NN],
    [(0.0, 0.0), UU, (INF, P12), NN],
    [UU, UU, (INF, P12), NN],
    [(INF, 0.0), (INF, 0.0), (INF, P14), (INF, NAN)],
    [(NAN, 0.0), NN, (INF, NAN), NN],
];
static ATANH: Special = [
    [(-0.0, P12), (-0.0, P12), (-0.0, P12), (-0.0, NAN)],
    [UU, UU, (-0.0, P12), NN],
    [(-0.0, 0.0), UU, (-0.0, P12), (-0.0, NAN)],
    [(0.0, 0.0), UU, (0.0, P12), (0.0, NAN)],
    [UU, UU, (0.0, P12), NN],
    [(0.0, P12), (0.0, P12), (0.0, P12), (0.0, NAN)],
    [NN, NN, (0.0, P12), NN],
];
static COSH: Special = [
    [(INF, -0.0), UU, (INF, NAN), (INF, NAN)],
    [UU, UU, NN, NN],
    [(1.0, -0.0), UU, (NAN, 0.0), (NAN, 0.0)],
    [(1.0, 0.0), UU, (NAN, 0.0), (NAN, 0.0)],
    [UU, UU, NN, NN],
    [(INF, 0.0), UU, (INF, NAN), (INF, NAN)],
    [(NAN, 0.0), NN, NN, NN],
];
static EXP: Special = [
    [(0.0, 0.0), UU, (0.0, 0.0), (0.0, 0.0)],
    [UU, UU, NN, NN],
    [(1.0, 0.0), UU, NN, NN],
    [(1.0, 0.0), UU, NN, NN],
    [UU, UU, NN, NN],
    [(INF, 0.0), UU, (INF, NAN), (INF, NAN)],
    [(NAN, 0.0), NN, NN, NN],
];
static LOG: Special = [
    [(INF, PI), (INF, PI), (INF, P34), (INF, NAN)],
    [UU, UU, (INF, P12), NN],
    [(-INF, PI), UU, (INF, P12), NN],
    [(-INF, 0.0), UU, (INF, P12), NN],
    [UU, UU, (INF, P12), NN],
    [(INF, 0.0), (INF, 0.0), (INF, P14), (INF, NAN)],
    [NN, NN, (INF, NAN), NN],
];
static SINH: Special = [
    [(-INF, 0.0), UU, (INF, NAN), (INF, NAN)],
    [UU, UU, NN, NN],
    [(-0.0, 0.0), UU, (0.0, NAN), (0.0, NAN)],
    [(0.0, 0.0), UU, (0.0, NAN), (0.0, NAN)],
    [UU, UU, NN, NN],
    [(INF, 0.0), UU, (INF, NAN), (INF, NAN)],
    [(NAN, 0.0), NN, NN, NN],
];
static SQRT: Special = [
    [(0.0, INF), (0.0, INF), (INF, INF), (NAN, INF)],
    [UU, UU, (INF, INF), NN],
    [(0.0, 0.0), UU, (INF, INF), NN],
    [(0.0, 0.0), UU, (INF, INF), NN],
    [UU, UU, (INF, INF), NN],
    [(INF, 0.0), (INF, 0.0), (INF, INF), (INF, NAN)],
    [NN, NN, (INF, INF), NN],
];
static TANH: Special = [
    [(-1.0, 0.0), UU, (-1.0, 0.0), (-1.0, 0.0)],
    [UU, UU, NN, NN],
    [(-0.0, 0.0), UU, (-0.0, NAN), (-0.0, NAN)],
    [(0.0, 0.0), UU, (0.0, NAN), (0.0, NAN)],
    [UU, UU, NN, NN],
    [(1.0, 0.0), UU, (1.0, 0.0), (1.0, 0.0)],
    [(NAN, 0.0), NN, NN, NN],
];
static RECT: Special = [
    [(-INF, -0.0), UU, (INF, NAN), (INF, NAN)],
    [UU, UU, NN, NN],
    [(-0.0, -0.0), UU, (0.0, 0.0), (0.0, 0.0)],
    [(0.0, 0.0), UU, (0.0, 0.0), (0.0, 0.0)],
    [UU, UU, NN, NN],
    [(INF, 0.0), UU, (INF, NAN), (INF, NAN)],
    [(NAN, 0.0), NN, NN, NN],
];

fn is_finite(z: Complex) -> bool {
    z.0.is_finite() && z.1.is_finite()
}

/// The table's value for an operand that is not finite.
fn special(table: &Special, z: Complex) -> Complex {
    let row = match z.0 {
        x if x.is_nan() => 6,
        x if x == -INF => 0,
        x if x < 0.0 => 1,
        0.0 if z.0.is_sign_negative() => 2,
        0.0 => 3,
        x if x == INF => 5,
        _ => 4,
    };
    let column = match z.1.abs() {
        y if y.is_nan() => 3,
        0.0 => 0,
        y if y == INF => 2,
        _ => 1,
    };
    let value = table[row][column];
    if z.1.is_sign_negative() && !z.1.is_nan() { (value.0, -value.1) } else { value }
}

/// From here on the sum of two squares could overflow.
const LARGE: f64 = f64::MAX / 4.0;

fn sqrt_of_large() -> f64 {
    LARGE.sqrt()
}

/// From here on the exponential function could overflow.
fn log_of_large() -> f64 {
    libm::log(LARGE)
}

fn is_large(z: Complex) -> bool {
    z.0.abs() > LARGE || z.1.abs() > LARGE
}

/// The logarithm of twice the absolute value of a large number.
fn log_of_twice(z: Complex) -> f64 {
    libm::log(libm::hypot(z.0 / 2.0, z.1 / 2.0)) + LN_2 * 2.0
}

fn in_range(z: Complex) -> Value {
    if z.0.is_infinite() || z.1.is_infinite() { Err(Refused::Range) } else { Ok(z) }
}

fn plain_sqrt(z: Complex) -> Complex {
    if !is_finite(z) {
        return special(&SQRT, z);
    }
    if z == (0.0, 0.0) {
        return (0.0, z.1);
    }
    let (x, y) = (z.0.abs(), z.1.abs());
    let root = if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        let x = ldexp(x, 53);
        ldexp((x + libm::hypot(x, ldexp(y, 53))).sqrt(), -27)
    } else {
        let x = x / 8.0;
        2.0 * (x + libm::hypot(x, y / 8.0)).sqrt()
    };
    let other = y / (2.0 * root);
    if z.0 >= 0.0 { (root, other.copysign(z.1)) } else { (other, root.copysign(z.1)) }
}

fn sqrt(z: Complex) -> Value {
    Ok(plain_sqrt(z))
}

fn acos(z: Complex) -> Value {
    if !is_finite(z) {
        return Ok(special(&ACOS, z));
    }
    if is_large(z) {
        let log = log_of_twice(z);
        let imaginary = if z.0 < 0.0 { -log.copysign(z.1) } else { log.copysign(-z.1) };
        return Ok((libm::atan2(z.1.abs(), z.0), imaginary));
    }
    let a = plain_sqrt((1.0 - z.0, -z.1));
    let b = plain_sqrt((1.0 + z.0, z.1));
    Ok((2.0 * libm::atan2(a.0, b.0), libm::asinh(b.0 * a.1 - b.1 * a.0)))
}

fn acosh(z: Complex) -> Value {
    if !is_finite(z) {
        return Ok(special(&ACOSH, z));
    }
    if is_large(z) {
        return Ok((log_of_twice(z), libm::atan2(z.1, z.0)));
    }
    let a = plain_sqrt((z.0 - 1.0, z.1));
    let b = plain_sqrt((z.0 + 1.0, z.1));
    Ok((libm::asinh(a.0 * b.0 + a.1 * b.1), 2.0 * libm::atan2(a.1, b.0)))
}

fn asinh(z: Complex) -> Value {
    if !is_finite(z) {
        return Ok(special(&ASINH, z));
    }
    if is_large(z) {
        return Ok((log_of_twice(z).copysign(z.0), libm::atan2(z.1, z.0.abs())));
    }
    let a = plain_sqrt((1.0 + z.1, -z.0));
    let b = plain_sqrt((1.0 - z.1, z.0));
    Ok((libm::asinh(a.0 * b.1 - b.0 * a.1), libm::atan2(z.1, a.0 * b.0 - a.1 * b.1)))
}

/// `-i f(i z)`: the circular function of a hyperbolic one, where that is odd.
fn turned(z: Complex, function: fn(Complex) -> Value) -> Value {
    let (real, imaginary) = function((-z.1, z.0))?;
    Ok((imaginary, -real))
}

fn asin(z: Complex) -> Value {
    turned(z, asinh)
}

fn atan(z: Complex) -> Value {
    turned(z, atanh)
}

fn sin(z: Complex) -> Value {
    turned(z, sinh)
}

fn tan(z: Complex) -> Value {
    turned(z, tanh)
}

fn cos(z: Complex) -> Value {
    cosh((-z.1, z.0))
}

fn atanh(z: Complex) -> Value {
    if !is_finite(z) {
        return Ok(special(&ATANH, z));
    }
    if z.0.is_sign_negative() {
        let (real, imaginary) = atanh((-z.0, -z.1))?;
        return Ok((-real, -imaginary));
    }
    let y = z.1.abs();
    if z.0 > sqrt_of_large() || y > sqrt_of_large() {
        let h = libm::hypot(z.0 / 2.0, z.1 / 2.0);
        return Ok((z.0 / 4.0 / h / h, -P12.copysign(-z.1)));
    }
    if z.0 == 1.0 && y < f64::MIN_POSITIVE.sqrt() {
        if y == 0.0 {
            return Err(Refused::Domain);
        }
        let real = -libm::log(y.sqrt() / libm::hypot(y, 2.0).sqrt());
        return Ok((real, (libm::atan2(2.0, -y) / 2.0).copysign(z.1)));
    }
    let rest = 1.0 - z.0;
    let real = libm::log1p(4.0 * z.0 / (rest * rest + y * y)) / 4.0;
    Ok((real, -libm::atan2(-2.0 * z.1, rest * (1.0 + z.0) - y * y) / 2.0))
}

fn cosh(z: Complex) -> Value {
    if !is_finite(z) {
        if z.1.is_infinite() && !z.0.is_nan() {
            return Err(Refused::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let imaginary = INF.copysign(libm::sin(z.1));
            return Ok((INF.copysign(libm::cos(z.1)), if z.0 > 0.0 { imaginary } else { -imaginary }));
        }
        return Ok(special(&COSH, z));
    }
    let (cos, sin) = (libm::cos(z.1), libm::sin(z.1));
    if z.0.abs() > log_of_large() {
        // One less in the exponent, and a factor of e afterwards.
        let x = z.0 - 1.0f64.copysign(z.0);
        let e = core::f64::consts::E;
        return in_range((cos * libm::cosh(x) * e, sin * libm::sinh(x) * e));
    }
    in_range((cos * libm::cosh(z.0), sin * libm::sinh(z.0)))
}

fn sinh(z: Complex) -> Value {
    if !is_finite(z) {
        if z.1.is_infinite() && !z.0.is_nan() {
            return Err(Refused::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let real = INF.copysign(libm::cos(z.1));
            return Ok((if z.0 > 0.0 { real } else { -real }, INF.copysign(libm::sin(z.1))));
        }
        return Ok(special(&SINH, z));
    }
    let (cos, sin) = (libm::cos(z.1), libm::sin(z.1));
    if z.0.abs() > log_of_large() {
        let x = z.0 - 1.0f64.copysign(z.0);
        let e = core::f64::consts::E;
        return in_range((cos * libm::sinh(x) * e, sin * libm::cosh(x) * e));
    }
    in_range((cos * libm::sinh(z.0), sin * libm::cosh(z.0)))
}

fn tanh(z: Complex) -> Value {
    if !is_finite(z) {
        if z.1.is_infinite() && z.0.is_finite() {
            return Err(Refused::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let zero = 0.0f64.copysign(2.0 * libm::sin(z.1) * libm::cos(z.1));
            return Ok((1.0f64.copysign(z.0), zero));
        }
        return Ok(special(&TANH, z));
    }
    if z.0.abs() > log_of_large() {
        let imaginary = 4.0 * libm::sin(z.1) * libm::cos(z.1) * libm::exp(-2.0 * z.0.abs());
        return Ok((1.0f64.copysign(z.0), imaginary));
    }
    let (tx, ty, cx) = (libm::tanh(z.0), libm::tan(z.1), 1.0 / libm::cosh(z.0));
    let both = tx * ty;
    let divisor = 1.0 + both * both;
    Ok((tx * (1.0 + ty * ty) / divisor, ty / divisor * cx * cx))
}

fn exp(z: Complex) -> Value {
    if !is_finite(z) {
        if z.1.is_infinite() && (z.0.is_finite() || z.0 == INF) {
            return Err(Refused::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let length = if z.0 > 0.0 { INF } else { 0.0 };
            return Ok((length.copysign(libm::cos(z.1)), length.copysign(libm::sin(z.1))));
        }
        return Ok(special(&EXP, z));
    }
    let (cos, sin) = (libm::cos(z.1), libm::sin(z.1));
    if z.0 > log_of_large() {
        let length = libm::exp(z.0 - 1.0);
        let e = core::f64::consts::E;
        return in_range((length * cos * e, length * sin * e));
    }
    let length = libm::exp(z.0);
    in_range((length * cos, length * sin))
}

fn log(z: Complex) -> Value {
    if !is_finite(z) {
        return Ok(special(&LOG, z));
    }
    let (x, y) = (z.0.abs(), z.1.abs());
    let real = if x > LARGE || y > LARGE {
        libm::log(libm::hypot(x / 2.0, y / 2.0)) + LN_2
    } else if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        if x == 0.0 && y == 0.0 {
            return Err(Refused::Domain);
        }
        libm::log(libm::hypot(ldexp(x, 53), ldexp(y, 53))) - 53.0 * LN_2
    } else {
        let h = libm::hypot(x, y);
        if (0.71..=1.73).contains(&h) {
            // Near one the logarithm is small, and the absolute value has lost what matters.
            let (more, less) = if x > y { (x, y) } else { (y, x) };
            libm::log1p((more - 1.0) * (more + 1.0) + less * less) / 2.0
        } else {
            libm::log(h)
        }
    };
    Ok((real, libm::atan2(z.1, z.0)))
}

fn log10(z: Complex) -> Value {
    let (real, imaginary) = log(z)?;
    Ok((real / LN_10, imaginary / LN_10))
}

fn log_with_base(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "log", args.len(), 1, 2)?;
    let z = complex::value_of(ts, args[0])?;
    let Some(base) = args.get(1) else {
        return finish(ts, log(z));
    };
    let base = complex::value_of(ts, base)?;
    let quotient = || complex::divide(log(z)?, log(base)?).ok_or(Refused::Domain);
    finish(ts, quotient())
}

fn phase(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
    let z = complex::value_of(ts, z)?;
    PyFloat::new(ts, libm::atan2(z.1, z.0))
}

fn polar(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
    let z = complex::value_of(ts, z)?;
    let Some(length) = complex::abs(z) else {
        return refuse(ts, Refused::Range);
    };
    let length = PyFloat::new(ts, length)?;
    let angle = PyFloat::new(ts, libm::atan2(z.1, z.0))?;
    Ok(PyTuple::pair(ts, &length, &angle)?.into_object())
}

fn rect(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "rect", args.len(), 2, 2)?;
    let (length, angle) = (protocol::as_f64(ts, args[0])?, protocol::as_f64(ts, args[1])?);
    finish(ts, rect_value(length, angle))
}

fn rect_value(length: f64, angle: f64) -> Value {
    if !length.is_finite() || !angle.is_finite() {
        if length != 0.0 && !length.is_nan() && angle.is_infinite() {
            return Err(Refused::Domain);
        }
        if length.is_infinite() && angle.is_finite() && angle != 0.0 {
            let (real, imaginary) = (INF.copysign(libm::cos(angle)), INF.copysign(libm::sin(angle)));
            return Ok(if length > 0.0 { (real, imaginary) } else { (-real, -imaginary) });
        }
        return Ok(special(&RECT, (length, angle)));
    }
    if angle == 0.0 {
        // The product would lose the sign of the zero.
        return Ok((length, length * angle));
    }
    Ok((length * libm::cos(angle), length * libm::sin(angle)))
}

fn isfinite(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
    Ok(py_bool(is_finite(complex::value_of(ts, z)?)))
}

fn isinf(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
    let z = complex::value_of(ts, z)?;
    Ok(py_bool(z.0.is_infinite() || z.1.is_infinite()))
}

fn isnan(ts: &ThreadState, _module: &PyObject, z: &PyObject) -> PyResult {
    let z = complex::value_of(ts, z)?;
    Ok(py_bool(z.0.is_nan() || z.1.is_nan()))
}

fn isclose(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> = Signature::new("isclose", ["a", "b", "rel_tol", "abs_tol"], 0, 2, 2);
    let [a, b, relative, absolute] = SIGNATURE.parse(ts, args)?;
    let value = |object: Option<&PyObject>| object.map_or(Ok((0.0, 0.0)), |object| complex::value_of(ts, object));
    let or = |object: Option<&PyObject>, default| object.map_or(Ok(default), |object| protocol::as_f64(ts, object));
    let (a, b) = (value(a)?, value(b)?);
    let (relative, absolute) = (or(relative, 1e-9)?, or(absolute, 0.0)?);
    if relative < 0.0 || absolute < 0.0 {
        return raise!(ts, exc::ValueError, "tolerances must be non-negative");
    }
    if a == b {
        return Ok(py_bool(true));
    }
    let infinite = |z: Complex| z.0.is_infinite() || z.1.is_infinite();
    if infinite(a) || infinite(b) {
        return Ok(py_bool(false));
    }
    let length = |z: Complex| libm::hypot(z.0, z.1);
    let difference = length((a.0 - b.0, a.1 - b.1));
    let close = difference <= relative * length(b) || difference <= relative * length(a) || difference <= absolute;
    Ok(py_bool(close))
}
