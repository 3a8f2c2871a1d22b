//! Float arithmetic: Python's rules where they are not the processor's.

use super::PyFloat;
use crate::object::{AsObject, CompareOp, PyObject, PyRef, PyResult, Raised};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::{self, PyInt};
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The operand as a double, when it is a float or an int; OverflowError for an int out of range.
#[inline(always)]
pub fn to_f64(ts: &ThreadState, object: &PyObject) -> PyResult<Option<f64>> {
    if let Some(float) = object.downcast_exact::<PyFloat>() {
        return Ok(Some(float.value()));
    }
    to_f64_other(ts, object)
}

#[inline]
fn to_f64_other(ts: &ThreadState, object: &PyObject) -> PyResult<Option<f64>> {
    if let Some(int) = object.downcast::<PyInt>() {
        return int.to_f64(ts).map(Some);
    }
    Ok(object.downcast::<PyFloat>().map(PyFloat::value))
}

macro_rules! float_slot {
    ($name:ident, |$ts:ident, $a:ident, $b:ident| $result:expr) => {
        pub(super) fn $name($ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            let (Some($a), Some($b)) = (to_f64($ts, left)?, to_f64($ts, right)?) else {
                return Ok(not_implemented());
            };
            $result
        }
    };
}

float_slot!(add_slot, |ts, a, b| PyFloat::new(ts, a + b));
float_slot!(sub_slot, |ts, a, b| PyFloat::new(ts, a - b));
float_slot!(mul_slot, |ts, a, b| PyFloat::new(ts, a * b));
float_slot!(true_divide_slot, |ts, a, b| if b == 0.0 { Err(zero_division(ts)) } else { PyFloat::new(ts, a / b) });
float_slot!(remainder_slot, |ts, a, b| if b == 0.0 { Err(zero_division(ts)) } else { PyFloat::new(ts, modulo(a, b)) });
float_slot!(floor_divide_slot, |ts, a, b| if b == 0.0 {
    Err(zero_division(ts))
} else {
    PyFloat::new(ts, floor_divide(a, b))
});
float_slot!(divmod_slot, |ts, a, b| {
    if b == 0.0 {
        return Err(zero_division(ts));
    }
    let (quotient, rest) = divmod(a, b);
    let quotient = PyFloat::new(ts, quotient)?;
    let rest = PyFloat::new(ts, rest)?;
    Ok(PyTuple::pair(ts, &quotient, &rest)?.into_object())
});

#[cold]
pub(super) fn zero_division(ts: &ThreadState) -> Raised {
    ts.raise_fmt(&exc::ZeroDivisionError, format_args!("division by zero"))
}

/// `a % b` for `b != 0`: the result has the divisor's sign.
#[inline]
pub fn modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0.0f64.copysign(b)
    } else if (b < 0.0) != (rest < 0.0) {
        rest + b
    } else {
        rest
    }
}

/// `(a // b, a % b)` for `b != 0`.
pub fn divmod(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    // a - rest is a multiple of b but for rounding, so the quotient is an integer or very near to one.
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// `a // b` for `b != 0`.
#[inline]
pub fn floor_divide(a: f64, b: f64) -> f64 {
    divmod(a, b).0
}

/// `a ** b`: a complex number for a negative base and a fractional exponent. Raises ZeroDivisionError for
/// zero to a negative power, OverflowError when the result is out of range.
pub fn power(ts: &ThreadState, a: f64, b: f64) -> PyResult {
    if a == 0.0 && b < 0.0 {
        return raise!(ts, exc::ZeroDivisionError, "zero to a negative power");
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return crate::types::complex::power_of_floats(ts, a, b);
    }
    // C's rules for infinities, NaNs, zeros and ones are Python's.
    let result = a.powf(b);
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(out_of_range(ts));
    }
    PyFloat::new(ts, result)
}

/// The OverflowError with C's error number and text.
#[cold]
fn out_of_range(ts: &ThreadState) -> Raised {
    let arguments = || -> PyResult {
        let number = PyInt::from_i64(ts, i64::from(libc::ERANGE))?;
        let text = PyStr::new(ts, "Numerical result out of range")?;
        Ok(PyTuple::pair(ts, &number, text.as_object())?.into_object())
    };
    match arguments() {
        Ok(arguments) => ts.raise_with(&exc::OverflowError, &arguments),
        Err(raised) => raised,
    }
}

pub(super) fn power_slot(ts: &ThreadState, left: &PyObject, right: &PyObject, third: &PyObject) -> PyResult {
    if !is_none(third) {
        return raise!(ts, exc::TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
    }
    match (to_f64(ts, left)?, to_f64(ts, right)?) {
        (Some(a), Some(b)) => power(ts, a, b),
        _ => Ok(not_implemented()),
    }
}

pub(super) fn neg_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyFloat::new(ts, -object.cast::<PyFloat>().value())
}

pub(super) fn pos_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    exact(ts, object)
}

pub(super) fn abs_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyFloat::new(ts, object.cast::<PyFloat>().value().abs())
}

pub(super) fn bool_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    Ok(object.cast::<PyFloat>().value() != 0.0)
}

pub(super) fn int_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_f64(ts, object.cast::<PyFloat>().value())
}

/// The same value as an exact float.
pub(super) fn exact(ts: &ThreadState, object: &PyObject) -> PyResult {
    if object.downcast_exact::<PyFloat>().is_some() {
        return Ok(PyRef::from_borrowed(object));
    }
    PyFloat::new(ts, object.cast::<PyFloat>().value())
}

pub(super) fn richcompare_slot(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let Some(a) = left.downcast::<PyFloat>() else {
        return Ok(not_implemented());
    };
    let ordering = if let Some(b) = right.downcast::<PyFloat>() {
        a.value().partial_cmp(&b.value())
    } else if let Some(b) = right.downcast::<PyInt>() {
        int::compare_f64(b, a.value()).map(core::cmp::Ordering::reverse)
    } else {
        return Ok(not_implemented());
    };
    Ok(py_bool(match ordering {
        Some(ordering) => op.holds(ordering),
        // A NaN is unequal to everything, and in no other relation to it.
        None => op == CompareOp::Ne,
    }))
}
