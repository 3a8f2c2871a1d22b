//! The type `float` and its methods.

use core::fmt::Write;

use super::hex::{self, Refused};
use super::text::{self, FloatText, StackText};
use super::{PyFloat, float_dealloc, ops};
use crate::object::buffer::{self, Buffer};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec,
    call, flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::{self, PyInt};
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The type `float`.
#[unsafe(export_name = "PyFloat_Type")]
pub static FLOAT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"float",
    basicsize: core::mem::size_of::<PyFloat>(),
    flags: flags::BASETYPE | flags::MATCH_SELF,
    doc: "float(x=0, /)\n--\n\nConvert a string or number to a floating-point number, if possible.",
    slots: TypeSlots {
        new: Some(float_new),
        dealloc: Some(float_dealloc),
        repr: Some(repr_slot),
        hash: Some(hash_slot),
        richcompare: Some(ops::richcompare_slot),
        nb_add: Some(ops::add_slot),
        nb_subtract: Some(ops::sub_slot),
        nb_multiply: Some(ops::mul_slot),
        nb_remainder: Some(ops::remainder_slot),
        nb_divmod: Some(ops::divmod_slot),
        nb_power: Some(ops::power_slot),
        nb_negative: Some(ops::neg_slot),
        nb_positive: Some(ops::pos_slot),
        nb_absolute: Some(ops::abs_slot),
        nb_bool: Some(ops::bool_slot),
        nb_int: Some(ops::int_slot),
        nb_float: Some(ops::exact),
        nb_floor_divide: Some(ops::floor_divide_slot),
        nb_true_divide: Some(ops::true_divide_slot),
        ..TypeSlots::EMPTY
    },
    methods: METHODS,
    getset: GETSET,
    ..TypeSpec::EMPTY
});

static METHODS: &[MethodDef] = &[
    MethodDef::one("from_number", from_number, "from_number($type, number, /)\n--\n\nConvert real number to a floating-point number.").class(),
    MethodDef::no_args("conjugate", ops::exact, "conjugate($self, /)\n--\n\nReturn self, the complex conjugate of any float."),
    MethodDef::no_args("__trunc__", trunc, "__trunc__($self, /)\n--\n\nReturn the Integral closest to x between 0 and x."),
    MethodDef::no_args("__floor__", floor, "__floor__($self, /)\n--\n\nReturn the floor as an Integral."),
    MethodDef::no_args("__ceil__", ceil, "__ceil__($self, /)\n--\n\nReturn the ceiling as an Integral."),
    MethodDef::positional("__round__", round, "__round__($self, ndigits=None, /)\n--\n\nReturn the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, work like built-in round(x, ndigits)."),
    MethodDef::no_args("as_integer_ratio", as_integer_ratio, "as_integer_ratio($self, /)\n--\n\nReturn a pair of integers, whose ratio is exactly equal to the original float."),
    MethodDef::one("fromhex", fromhex, "fromhex($type, string, /)\n--\n\nCreate a floating-point number from a hexadecimal string.").class(),
    MethodDef::no_args("hex", to_hex, "hex($self, /)\n--\n\nReturn a hexadecimal representation of a floating-point number."),
    MethodDef::no_args("is_integer", is_integer, "is_integer($self, /)\n--\n\nReturn True if the float is an integer."),
    MethodDef::no_args("__getnewargs__", getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    MethodDef::one("__getformat__", getformat, "__getformat__($type, typestr, /)\n--\n\nYou probably don't want to use this function.\n\nIt tells how C's double or float is laid out.").class(),
    MethodDef::one("__format__", format, "__format__($self, format_spec, /)\n--\n\nFormats the float according to format_spec."),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::get("real", ops::exact, "the real part of a complex number"),
    GetSetDef::get("imag", |ts, _| PyFloat::new(ts, 0.0), "the imaginary part of a complex number"),
];

fn float_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let exact = core::ptr::eq(typ, &FLOAT_TYPE.object);
    let own_init = typ.slots().init.map(|slot| slot as usize) != FLOAT_TYPE.slots().init.map(|slot| slot as usize);
    if args.has_keywords() && (exact || !own_init) {
        return raise!(ts, exc::TypeError, "float() takes no keyword arguments");
    }
    let value = match *args.positional() {
        [] => 0.0,
        [value] => {
            let float = from_object(ts, value)?;
            if exact {
                return Ok(float);
            }
            float.cast::<PyFloat>().value()
        }
        ref all => return raise!(ts, exc::TypeError, "float expected at most 1 argument, got {}", all.len()),
    };
    PyFloat::of_type(ts, typ, value)
}

/// `float(object)`: an exact float of a number, or of a str's or bytes-like object's text.
pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult {
    if let Some(text) = object.downcast_exact::<PyStr>() {
        return PyFloat::new(ts, text::parse_str(ts, text)?);
    }
    if let Some(value) = number_value(ts, object)? {
        return value.into_object(ts);
    }
    if let Some(text) = object.downcast::<PyStr>() {
        return PyFloat::new(ts, text::parse_str(ts, text)?);
    }
    if buffer::has_buffer(object) {
        let view = Buffer::get(ts, object, buffer::SIMPLE)?;
        return match text::parse_ascii(view.as_slice())? {
            Some(value) => PyFloat::new(ts, value),
            None => text::refuse(ts, object),
        };
    }
    raise!(ts, exc::TypeError, "float() argument must be a string or a real number, not '{}'", object.type_name())
}

/// A number's float: the object itself where it is one.
enum Number {
    Object(PyRef),
    Value(f64),
}

impl Number {
    fn into_object(self, ts: &ThreadState) -> PyResult {
        match self {
            Number::Object(object) => Ok(object),
            Number::Value(value) => PyFloat::new(ts, value),
        }
    }
}

fn number_value(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Number>> {
    if object.downcast_exact::<PyFloat>().is_some() {
        return Ok(Some(Number::Object(object.new_ref())));
    }
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.nb_float {
        let value = slot(ts, object)?;
        if value.downcast_exact::<PyFloat>().is_some() {
            return Ok(Some(Number::Object(value)));
        }
        let Some(float) = value.downcast::<PyFloat>() else {
            return raise!(
                ts,
                exc::TypeError,
                "{}.__float__() must return a float, not {}",
                object.type_name(),
                value.type_name()
            );
        };
        int::new::warn_deprecated(
            ts,
            format_args!(
                "{}.__float__() must return a float, not {}.  The ability to return an instance of a strict subclass of \
                 float is deprecated, and may not be supported in a future version of Python.",
                object.type_name(),
                value.type_name()
            ),
        )?;
        return Ok(Some(Number::Value(float.value())));
    }
    if slots.nb_index.is_some() {
        return Ok(Some(Number::Value(protocol::index(ts, object)?.to_f64(ts)?)));
    }
    Ok(object.downcast::<PyFloat>().map(|float| Number::Value(float.value())))
}

fn from_number(ts: &ThreadState, class: &PyObject, number: &PyObject) -> PyResult {
    let exact = core::ptr::addr_eq(class, &FLOAT_TYPE);
    let float = match number_value(ts, number)? {
        Some(value) => value.into_object(ts)?,
        None => return raise!(ts, exc::TypeError, "must be real number, not {}", number.type_name()),
    };
    if exact { Ok(float) } else { call::call_with(ts, class, &[&float]) }
}

fn repr_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    let text = FloatText::new(object.cast::<PyFloat>().value(), true);
    Ok(PyStr::from_latin1(ts, text.as_bytes())?.into_object())
}

fn hash_slot(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    Ok(super::hash_f64(object, object.cast::<PyFloat>().value()))
}

fn value(this: &PyObject) -> f64 {
    this.cast::<PyFloat>().value()
}

fn trunc(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_f64(ts, value(this))
}

fn floor(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_f64(ts, value(this).floor())
}

fn ceil(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_f64(ts, value(this).ceil())
}

fn is_integer(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(py_bool(value(this).is_finite() && value(this).fract() == 0.0))
}

fn round(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "__round__", args.len(), 0, 1)?;
    let value = value(this);
    let Some(digits) = args.first().filter(|digits| !is_none(digits)) else {
        return PyInt::from_f64(ts, value.round_ties_even());
    };
    let digits = protocol::index(ts, digits)?.saturating_isize();
    // Past these limits rounding changes nothing, or leaves nothing.
    if !value.is_finite() || digits > 323 {
        return PyFloat::new(ts, value);
    }
    if digits < -308 {
        return PyFloat::new(ts, 0.0 * value);
    }
    let rounded = round_decimal(value, digits as i32);
    if rounded.is_infinite() {
        return raise!(ts, exc::OverflowError, "rounded value too large to represent");
    }
    PyFloat::new(ts, rounded)
}

/// The float nearest to the decimal rounding of a finite value's exact decimal expansion.
fn round_decimal(value: f64, digits: i32) -> f64 {
    let mut text = StackText::<700>::new();
    // The buffer holds 309 digits before the point and 323 behind it.
    if digits >= 0 {
        let _ = write!(text, "{:.*}", digits as usize, value);
        return text.as_str().parse().unwrap_or(value);
    }
    let drop = digits.unsigned_abs() as usize;
    let magnitude = value.abs();
    let _ = write!(text, "{:.0}", magnitude.trunc());
    let all = text.as_bytes();
    let zero = 0.0f64.copysign(value);
    if all.len() < drop {
        return zero;
    }
    let (kept, dropped) = all.split_at(all.len() - drop);
    let tail = dropped[1..].iter().any(|digit| *digit != b'0') || magnitude.fract() != 0.0;
    let odd = kept.last().is_some_and(|digit| digit % 2 != 0);
    let up = dropped[0] > b'5' || dropped[0] == b'5' && (tail || odd);
    let mut rounded = StackText::<400>::new();
    // Rounding up adds one in the last place that is kept; carries run through nines.
    let nines = if up { kept.iter().rev().take_while(|digit| **digit == b'9').count() } else { 0 };
    let fixed = &kept[..kept.len() - nines];
    let _ = match (up, fixed) {
        (false, _) => write!(rounded, "0{}", core::str::from_utf8(kept).unwrap_or("")),
        (true, []) => write!(rounded, "1"),
        (true, [front @ .., last]) => {
            write!(rounded, "{}{}", core::str::from_utf8(front).unwrap_or(""), (last + 1) as char)
        }
    };
    let _ = write!(rounded, "{:0<1$}e{drop}", "", nines);
    rounded.as_str().parse::<f64>().unwrap_or(magnitude).copysign(value)
}

fn as_integer_ratio(ts: &ThreadState, this: &PyObject) -> PyResult {
    let value = value(this);
    if value.is_infinite() {
        return raise!(ts, exc::OverflowError, "cannot convert Infinity to integer ratio");
    }
    if value.is_nan() {
        return raise!(ts, exc::ValueError, "cannot convert NaN to integer ratio");
    }
    let (mantissa, exponent) = super::frexp(value);
    let mut mantissa = super::ldexp(mantissa, 53) as i64;
    let mut exponent = exponent - 53;
    if mantissa != 0 {
        let zeros = mantissa.trailing_zeros();
        mantissa >>= zeros;
        exponent += zeros as i32;
    } else {
        exponent = 0;
    }
    let numerator = PyInt::from_i64(ts, mantissa)?;
    let (numerator, denominator) = if exponent >= 0 {
        (int::shift_left(ts, numerator.cast(), exponent as u64)?, PyInt::from_i64(ts, 1)?)
    } else {
        let one = PyInt::from_i64(ts, 1)?;
        (numerator, int::shift_left(ts, one.cast(), u64::from(exponent.unsigned_abs()))?)
    };
    Ok(PyTuple::pair(ts, &numerator, &denominator)?.into_object())
}

fn to_hex(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(PyStr::from_latin1(ts, hex::to_hex(value(this)).as_bytes())?.into_object())
}

fn fromhex(ts: &ThreadState, class: &PyObject, text: &PyObject) -> PyResult {
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "fromhex() argument must be str, not {}", text.type_name());
    };
    let value = match hex::from_hex(text.utf8(ts)?.as_bytes()) {
        Ok(value) => value,
        Err(Refused::Malformed) => return raise!(ts, exc::ValueError, "invalid hexadecimal floating-point string"),
        Err(Refused::Overflow) => {
            return raise!(ts, exc::OverflowError, "hexadecimal value too large to represent as a float");
        }
    };
    let float = PyFloat::new(ts, value)?;
    if core::ptr::addr_eq(class, &FLOAT_TYPE) {
        return Ok(float);
    }
    call::call_with(ts, class, &[&float])
}

fn getnewargs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let value = PyFloat::new(ts, value(this))?;
    Ok(PyTuple::new(ts, &[&value])?.into_object())
}

fn getformat(ts: &ThreadState, _class: &PyObject, of: &PyObject) -> PyResult {
    let Some(of) = of.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__getformat__() argument must be str, not {}", of.type_name());
    };
    if !of.equals_str("double") && !of.equals_str("float") {
        return raise!(ts, exc::ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
    }
    let text = if cfg!(target_endian = "little") { "IEEE, little-endian" } else { "IEEE, big-endian" };
    Ok(PyStr::new(ts, text)?.into_object())
}

fn format(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    crate::types::numeric_format::format_float(ts, this, spec)
}
