//! `math`: C's mathematical functions, and exact ones on ints.
//!
//! Elementary functions are the C library's, so that results are those of other Pythons on the
//! platform, bit for bit; what C signals by `errno` is found out from the result: a NaN that did not
//! come in is a domain error, an infinity from finite operands a domain or a range error.

mod elementary;
pub(in crate::modules) mod gamma;
mod integers;
pub(in crate::modules) mod libm;
mod sums;

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::{FloatText, PyFloat};
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "math",
    doc: "This module provides access to the mathematical functions\ndefined by the C standard.",
    methods: METHODS,
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let constants = [
        ("pi", core::f64::consts::PI),
        ("e", core::f64::consts::E),
        ("tau", core::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ];
    for (name, value) in constants {
        let value = PyFloat::new(ts, value)?;
        module.add(ts, name, &value)?;
    }
    Ok(())
}

macro_rules! methods {
    ($($kind:ident $name:literal = $function:path, $doc:literal;)*) => {
        &[$(MethodDef::$kind($name, $function, $doc)),*]
    };
}

static METHODS: &[MethodDef] = methods! {
    one "acos" = elementary::acos, "acos($module, x, /)\n--\n\nReturn the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi.";
    one "acosh" = elementary::acosh, "acosh($module, x, /)\n--\n\nReturn the inverse hyperbolic cosine of x.";
    one "asin" = elementary::asin, "asin($module, x, /)\n--\n\nReturn the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    one "asinh" = elementary::asinh, "asinh($module, x, /)\n--\n\nReturn the inverse hyperbolic sine of x.";
    one "atan" = elementary::atan, "atan($module, x, /)\n--\n\nReturn the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    positional "atan2" = elementary::atan2, "atan2($module, y, x, /)\n--\n\nReturn the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both x and y are considered.";
    one "atanh" = elementary::atanh, "atanh($module, x, /)\n--\n\nReturn the inverse hyperbolic tangent of x.";
    one "cbrt" = elementary::cbrt, "cbrt($module, x, /)\n--\n\nReturn the cube root of x.";
    one "ceil" = elementary::ceil, "ceil($module, x, /)\n--\n\nReturn the ceiling of x as an Integral.\n\nThis is the smallest integer >= x.";
    positional "copysign" = elementary::copysign, "copysign($module, x, y, /)\n--\n\nReturn a float with the magnitude (absolute value) of x but the sign of y.";
    one "cos" = elementary::cos, "cos($module, x, /)\n--\n\nReturn the cosine of x (measured in radians).";
    one "cosh" = elementary::cosh, "cosh($module, x, /)\n--\n\nReturn the hyperbolic cosine of x.";
    one "degrees" = elementary::degrees, "degrees($module, x, /)\n--\n\nConvert angle x from radians to degrees.";
    positional "dist" = sums::dist, "dist($module, p, q, /)\n--\n\nReturn the Euclidean distance between two points p and q.\n\nThe points should be specified as sequences (or iterables) of\ncoordinates.  Both inputs must have the same dimension.";
    one "erf" = elementary::erf, "erf($module, x, /)\n--\n\nError function at x.";
    one "erfc" = elementary::erfc, "erfc($module, x, /)\n--\n\nComplementary error function at x.";
    one "exp" = elementary::exp, "exp($module, x, /)\n--\n\nReturn e raised to the power of x.";
    one "exp2" = elementary::exp2, "exp2($module, x, /)\n--\n\nReturn 2 raised to the power of x.";
    one "expm1" = elementary::expm1, "expm1($module, x, /)\n--\n\nReturn exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.";
    one "fabs" = elementary::fabs, "fabs($module, x, /)\n--\n\nReturn the absolute value of the float x.";
    one "factorial" = integers::factorial, "factorial($module, n, /)\n--\n\nFind n!.";
    one "floor" = elementary::floor, "floor($module, x, /)\n--\n\nReturn the floor of x as an Integral.\n\nThis is the largest integer <= x.";
    positional "fma" = elementary::fma, "fma($module, x, y, z, /)\n--\n\nFused multiply-add operation.\n\nCompute (x * y) + z with a single round.";
    positional "fmod" = elementary::fmod, "fmod($module, x, y, /)\n--\n\nReturn fmod(x, y), according to platform C.\n\nx % y may differ.";
    one "frexp" = elementary::frexp, "frexp($module, x, /)\n--\n\nReturn the mantissa and exponent of x, as pair (m, e).\n\nm is a float and e is an int, such that x = m * 2.**e.\nIf x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.";
    one "fsum" = sums::fsum, "fsum($module, seq, /)\n--\n\nReturn an accurate floating-point sum of values in the iterable seq.\n\nAssumes IEEE-754 floating-point arithmetic.";
    one "gamma" = elementary::gamma, "gamma($module, x, /)\n--\n\nGamma function at x.";
    positional "gcd" = integers::gcd, "gcd($module, /, *integers)\n--\n\nGreatest Common Divisor.";
    positional "hypot" = sums::hypot, "hypot(*coordinates) -> value\n\nMultidimensional Euclidean distance from the origin to a point.";
    keywords "isclose" = elementary::isclose, "isclose($module, /, a, b, *, rel_tol=1e-09, abs_tol=0.0)\n--\n\nDetermine whether two floating-point numbers are close in value.\n\n  rel_tol\n    maximum difference for being considered \"close\", relative to the\n    magnitude of the input values\n  abs_tol\n    maximum difference for being considered \"close\", regardless of the\n    magnitude of the input values";
    one "isfinite" = elementary::isfinite, "isfinite($module, x, /)\n--\n\nReturn True if x is neither an infinity nor a NaN, and False otherwise.";
    one "isinf" = elementary::isinf, "isinf($module, x, /)\n--\n\nReturn True if x is a positive or negative infinity, and False otherwise.";
    one "isnan" = elementary::isnan, "isnan($module, x, /)\n--\n\nReturn True if x is a NaN (not a number), and False otherwise.";
    one "isqrt" = integers::isqrt, "isqrt($module, n, /)\n--\n\nReturn the integer part of the square root of the input.";
    positional "lcm" = integers::lcm, "lcm($module, /, *integers)\n--\n\nLeast Common Multiple.";
    positional "ldexp" = elementary::ldexp, "ldexp($module, x, i, /)\n--\n\nReturn x * (2**i).\n\nThis is essentially the inverse of frexp().";
    one "lgamma" = elementary::lgamma, "lgamma($module, x, /)\n--\n\nNatural logarithm of absolute value of Gamma function at x.";
    positional "log" = elementary::log, "log(x, [base=math.e])\nReturn the logarithm of x to the given base.\n\nIf the base is not specified, returns the natural logarithm (base e) of x.";
    one "log10" = elementary::log10, "log10($module, x, /)\n--\n\nReturn the base 10 logarithm of x.";
    one "log1p" = elementary::log1p, "log1p($module, x, /)\n--\n\nReturn the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero.";
    one "log2" = elementary::log2, "log2($module, x, /)\n--\n\nReturn the base 2 logarithm of x.";
    one "modf" = elementary::modf, "modf($module, x, /)\n--\n\nReturn the fractional and integer parts of x.\n\nBoth results carry the sign of x and are floats.";
    keywords "nextafter" = elementary::nextafter, "nextafter($module, x, y, /, *, steps=None)\n--\n\nReturn the floating-point value the given number of steps after x towards y.\n\nIf steps is not specified or is None, it defaults to 1.";
    positional "perm" = integers::perm, "perm($module, n, k=None, /)\n--\n\nNumber of ways to choose k items from n items without repetition and with order.";
    positional "comb" = integers::comb, "comb($module, n, k, /)\n--\n\nNumber of ways to choose k items from n items without repetition and without order.";
    positional "pow" = elementary::pow, "pow($module, x, y, /)\n--\n\nReturn x**y (x to the power of y).";
    keywords "prod" = sums::prod, "prod($module, iterable, /, *, start=1)\n--\n\nCalculate the product of all the elements in the input iterable.\n\nThe default start value for the product is 1.";
    one "radians" = elementary::radians, "radians($module, x, /)\n--\n\nConvert angle x from degrees to radians.";
    positional "remainder" = elementary::remainder, "remainder($module, x, y, /)\n--\n\nDifference between x and the closest integer multiple of y.";
    one "sin" = elementary::sin, "sin($module, x, /)\n--\n\nReturn the sine of x (measured in radians).";
    one "sinh" = elementary::sinh, "sinh($module, x, /)\n--\n\nReturn the hyperbolic sine of x.";
    one "sqrt" = elementary::sqrt, "sqrt($module, x, /)\n--\n\nReturn the square root of x.";
    positional "sumprod" = sums::sumprod, "sumprod($module, p, q, /)\n--\n\nReturn the sum of products of values from two iterables p and q.\n\nRoughly equivalent to:\n\n    sum(map(operator.mul, p, q, strict=True))\n\nFor float and mixed int/float inputs, the intermediate products\nand sums are computed with extended precision.";
    one "tan" = elementary::tan, "tan($module, x, /)\n--\n\nReturn the tangent of x (measured in radians).";
    one "tanh" = elementary::tanh, "tanh($module, x, /)\n--\n\nReturn the hyperbolic tangent of x.";
    one "trunc" = elementary::trunc, "trunc($module, x, /)\n--\n\nTruncates the Real x to the nearest Integral toward 0.\n\nUses the __trunc__ magic method.";
    one "ulp" = elementary::ulp, "ulp($module, x, /)\n--\n\nReturn the value of the least significant bit of the float x.";
};

/// An argument as a double: floats and small ints without a detour.
#[inline(always)]
fn double(ts: &ThreadState, object: &PyObject) -> PyResult<f64> {
    if let Some(float) = object.downcast_exact::<PyFloat>() {
        return Ok(float.value());
    }
    protocol::as_f64(ts, object)
}

#[cold]
fn domain_error<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::ValueError, "math domain error")
}

#[cold]
fn range_error<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::OverflowError, "math range error")
}

/// The domain error that says what was expected and what came.
#[cold]
fn unexpected<T>(ts: &ThreadState, expected: &str, value: f64) -> PyResult<T> {
    let text = FloatText::new(value, true);
    raise!(ts, exc::ValueError, "{expected}, got {}", text.as_str())
}
