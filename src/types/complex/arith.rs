//! Complex arithmetic. A real operand is not made complex first, so that signs of zeros and infinities
//! come out as the C standard's Annex G wants them.

use super::{Complex, PyComplex};
use crate::object::{CompareOp, PyObject, PyResult, Raised};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::float::{self, PyFloat};
use crate::types::int::{self, PyInt};
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;

/// An operand: real or complex.
#[derive(Clone, Copy)]
enum Operand {
    Real(f64),
    Complex(Complex),
}

impl Operand {
    fn of(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Operand>> {
        if let Some(complex) = object.downcast::<PyComplex>() {
            return Ok(Some(Operand::Complex(complex.value())));
        }
        Ok(float::to_f64(ts, object)?.map(Operand::Real))
    }

    fn widen(self) -> Complex {
        match self {
            Operand::Real(real) => (real, 0.0),
            Operand::Complex(value) => value,
        }
    }
}

/// `a * b`; where the plain formula gives NaNs for infinite operands, the infinities are recovered.
pub fn multiply(a: Complex, b: Complex) -> Complex {
    let (ac, bd, ad, bc) = (a.0 * b.0, a.1 * b.1, a.0 * b.1, a.1 * b.0);
    let result = (ac - bd, ad + bc);
    if result.0.is_nan() && result.1.is_nan() { multiply_nans(a, b, [ac, bd, ad, bc], result) } else { result }
}

/// 1 or 0 with the number's sign, for an infinity or anything else.
fn unit(value: f64) -> f64 {
    (if value.is_infinite() { 1.0f64 } else { 0.0 }).copysign(value)
}

/// The number, a zero of its sign in place of a NaN.
fn no_nan(value: f64) -> f64 {
    if value.is_nan() { 0.0f64.copysign(value) } else { value }
}

#[cold]
fn multiply_nans(mut a: Complex, mut b: Complex, products: [f64; 4], result: Complex) -> Complex {
    let mut recover = false;
    if a.0.is_infinite() || a.1.is_infinite() {
        a = (unit(a.0), unit(a.1));
        b = (no_nan(b.0), no_nan(b.1));
        recover = true;
    }
    if b.0.is_infinite() || b.1.is_infinite() {
        b = (unit(b.0), unit(b.1));
        a = (no_nan(a.0), no_nan(a.1));
        recover = true;
    }
    if !recover && products.iter().any(|product| product.is_infinite()) {
        a = (no_nan(a.0), no_nan(a.1));
        b = (no_nan(b.0), no_nan(b.1));
        recover = true;
    }
    if recover { (f64::INFINITY * (a.0 * b.0 - a.1 * b.1), f64::INFINITY * (a.0 * b.1 + a.1 * b.0)) } else { result }
}

/// `a / b` by Smith's way, which does not overflow in the middle; None for a zero divisor.
pub fn divide(a: Complex, b: Complex) -> Option<Complex> {
    let (real, imaginary) = (b.0.abs(), b.1.abs());
    let result = if real >= imaginary {
        if real == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        ((a.0 + a.1 * ratio) / divisor, (a.1 - a.0 * ratio) / divisor)
    } else if imaginary >= real {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        ((a.0 * ratio + a.1) / divisor, (a.1 * ratio - a.0) / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    if !result.0.is_nan() || !result.1.is_nan() {
        return Some(result);
    }
    let finite = |value: Complex| value.0.is_finite() && value.1.is_finite();
    if (a.0.is_infinite() || a.1.is_infinite()) && finite(b) {
        let (x, y) = (unit(a.0), unit(a.1));
        return Some((f64::INFINITY * (x * b.0 + y * b.1), f64::INFINITY * (y * b.0 - x * b.1)));
    }
    if (real.is_infinite() || imaginary.is_infinite()) && finite(a) {
        let (x, y) = (unit(b.0), unit(b.1));
        return Some((0.0 * (a.0 * x + a.1 * y), 0.0 * (a.1 * x - a.0 * y)));
    }
    Some(result)
}

/// A real number divided by a complex one; None for a zero divisor.
fn divide_real(a: f64, b: Complex) -> Option<Complex> {
    let (real, imaginary) = (b.0.abs(), b.1.abs());
    let result = if real >= imaginary {
        if real == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let divisor = b.0 + b.1 * ratio;
        (a / divisor, -a * ratio / divisor)
    } else if imaginary >= real {
        let ratio = b.0 / b.1;
        let divisor = b.0 * ratio + b.1;
        (a * ratio / divisor, -a / divisor)
    } else {
        (f64::NAN, f64::NAN)
    };
    if result.0.is_nan() && result.1.is_nan() && a.is_finite() && (real.is_infinite() || imaginary.is_infinite()) {
        let (x, y) = (unit(b.0), unit(b.1));
        return Some((0.0 * (a * x), 0.0 * (-a * y)));
    }
    Some(result)
}

/// Why there is no power.
pub enum PowerError {
    /// Zero to a negative or complex power.
    Domain,
    /// The result is too large.
    Range,
}

/// `a ** b`.
pub fn power(a: Complex, b: Complex) -> Result<Complex, PowerError> {
    let result = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        power_small(a, b.0 as i32)?
    } else {
        power_general(a, b)?
    };
    if result.0.is_infinite() || result.1.is_infinite() {
        return Err(PowerError::Range);
    }
    Ok(result)
}

fn power_general(a: Complex, b: Complex) -> Result<Complex, PowerError> {
    if b == (0.0, 0.0) {
        return Ok((1.0, 0.0));
    }
    if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return Err(PowerError::Domain);
        }
        return Ok((0.0, 0.0));
    }
    let magnitude = a.0.hypot(a.1);
    let mut length = magnitude.powf(b.0);
    let angle = a.1.atan2(a.0);
    let mut phase = angle * b.0;
    if b.1 != 0.0 {
        length *= (-angle * b.1).exp();
        phase += b.1 * magnitude.ln();
    }
    Ok((length * phase.cos(), length * phase.sin()))
}

/// A power with an integer exponent, by squaring.
fn power_small(a: Complex, exponent: i32) -> Result<Complex, PowerError> {
    if exponent == 0 {
        return Ok((1.0, 0.0));
    }
    // One factor is there from the start, so that it is not multiplied by a one with a zero imaginary part.
    let mut rest = exponent.unsigned_abs() - 1;
    let (mut result, mut square) = (a, a);
    while rest != 0 {
        if rest & 1 != 0 {
            result = multiply(result, square);
        }
        rest >>= 1;
        square = multiply(square, square);
    }
    if exponent > 0 {
        return Ok(result);
    }
    divide_real(1.0, result).ok_or(PowerError::Domain)
}

/// The absolute value; None when it is too large.
pub fn abs(value: Complex) -> Option<f64> {
    let result = value.0.hypot(value.1);
    let finite = value.0.is_finite() && value.1.is_finite();
    (result.is_finite() || !finite).then_some(result)
}

/// `a ** b` for a negative real base and a fractional exponent.
pub fn power_of_floats(ts: &ThreadState, a: f64, b: f64) -> PyResult {
    finish_power(ts, power((a, 0.0), (b, 0.0)))
}

fn finish_power(ts: &ThreadState, result: Result<Complex, PowerError>) -> PyResult {
    match result {
        Ok((real, imaginary)) => PyComplex::new(ts, real, imaginary),
        Err(PowerError::Domain) => raise!(ts, exc::ZeroDivisionError, "zero to a negative or complex power"),
        Err(PowerError::Range) => raise!(ts, exc::OverflowError, "complex exponentiation"),
    }
}

fn make(ts: &ThreadState, value: Complex) -> PyResult {
    PyComplex::new(ts, value.0, value.1)
}

#[cold]
fn zero_division(ts: &ThreadState) -> Raised {
    ts.raise_fmt(&exc::ZeroDivisionError, format_args!("division by zero"))
}

macro_rules! complex_slot {
    ($name:ident, |$ts:ident| $($pattern:pat => $result:expr,)*) => {
        pub(super) fn $name($ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            use Operand::{Complex as C, Real as R};
            let (Some(left), Some(right)) = (Operand::of($ts, left)?, Operand::of($ts, right)?) else {
                return Ok(not_implemented());
            };
            match (left, right) {
                $($pattern => $result,)*
                (R(_), R(_)) => Ok(not_implemented()),
            }
        }
    };
}

complex_slot!(add_slot, |ts|
    (C(a), C(b)) => make(ts, (a.0 + b.0, a.1 + b.1)),
    (C(a), R(b)) => make(ts, (a.0 + b, a.1)),
    (R(a), C(b)) => make(ts, (a + b.0, b.1)),
);
complex_slot!(sub_slot, |ts|
    (C(a), C(b)) => make(ts, (a.0 - b.0, a.1 - b.1)),
    (C(a), R(b)) => make(ts, (a.0 - b, a.1)),
    (R(a), C(b)) => make(ts, (a - b.0, -b.1)),
);
complex_slot!(mul_slot, |ts|
    (C(a), C(b)) => make(ts, multiply(a, b)),
    (C(a), R(b)) => make(ts, (a.0 * b, a.1 * b)),
    (R(a), C(b)) => make(ts, (a * b.0, a * b.1)),
);
complex_slot!(divide_slot, |ts|
    (C(a), C(b)) => match divide(a, b) {
        Some(value) => make(ts, value),
        None => Err(zero_division(ts)),
    },
    (C(_), R(0.0)) => Err(zero_division(ts)),
    (C(a), R(b)) => make(ts, (a.0 / b, a.1 / b)),
    (R(a), C(b)) => match divide_real(a, b) {
        Some(value) => make(ts, value),
        None => Err(zero_division(ts)),
    },
);

pub(super) fn power_slot(ts: &ThreadState, left: &PyObject, right: &PyObject, third: &PyObject) -> PyResult {
    let (Some(a), Some(b)) = (Operand::of(ts, left)?, Operand::of(ts, right)?) else {
        return Ok(not_implemented());
    };
    if !is_none(third) {
        return raise!(ts, exc::ValueError, "complex modulo");
    }
    finish_power(ts, power(a.widen(), b.widen()))
}

fn value(object: &PyObject) -> Complex {
    object.cast::<PyComplex>().value()
}

pub(super) fn neg_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (real, imaginary) = value(object);
    PyComplex::new(ts, -real, -imaginary)
}

pub(super) fn pos_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    if object.downcast_exact::<PyComplex>().is_some() {
        return Ok(crate::object::PyRef::from_borrowed(object));
    }
    make(ts, value(object))
}

pub(super) fn abs_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    match abs(value(object)) {
        Some(value) => PyFloat::new(ts, value),
        None => raise!(ts, exc::OverflowError, "absolute value too large"),
    }
}

pub(super) fn bool_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    Ok(value(object) != (0.0, 0.0))
}

pub(super) fn richcompare_slot(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (true, Some(a)) = (matches!(op, CompareOp::Eq | CompareOp::Ne), left.downcast::<PyComplex>()) else {
        return Ok(not_implemented());
    };
    let (real, imaginary) = a.value();
    let equal = if let Some(b) = right.downcast::<PyComplex>() {
        (real, imaginary) == b.value()
    } else if let Some(b) = right.downcast::<PyFloat>() {
        imaginary == 0.0 && real == b.value()
    } else if let Some(b) = right.downcast::<PyInt>() {
        imaginary == 0.0 && int::compare_f64(b, real).is_some_and(core::cmp::Ordering::is_eq)
    } else {
        return Ok(not_implemented());
    };
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

pub(super) fn hash_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let (real, imaginary) = value(object);
    let hash = float::hash_f64(object, real).wrapping_add(float::hash_f64(object, imaginary).wrapping_mul(1000003));
    Ok(if hash == -1 { -2 } else { hash })
}
