//! The type `int` and its methods.

use super::text::DigitText;
use super::{Draft, PyInt, arith, bits, compare, divide, int_dealloc, new, power, words};
use crate::object::buffer::{self, Buffer};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Signature, StaticType, TypeSlots,
    TypeSpec, flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The type `int`.
#[unsafe(export_name = "PyLong_Type")]
pub static INT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"int",
    basicsize: core::mem::size_of::<PyInt>(),
    itemsize: 8,
    flags: flags::BASETYPE | flags::LONG_SUBCLASS | flags::MATCH_SELF,
    doc: DOC,
    slots: TypeSlots {
        new: Some(new::int_new),
        dealloc: Some(int_dealloc),
        repr: Some(repr_slot),
        hash: Some(compare::hash_slot),
        richcompare: Some(compare::richcompare_slot),
        nb_add: Some(arith::add_slot),
        nb_subtract: Some(arith::sub_slot),
        nb_multiply: Some(arith::mul_slot),
        nb_remainder: Some(divide::remainder_slot),
        nb_divmod: Some(divide::divmod_slot),
        nb_power: Some(power::power_slot),
        nb_negative: Some(arith::neg_slot),
        nb_positive: Some(arith::pos_slot),
        nb_absolute: Some(arith::abs_slot),
        nb_bool: Some(arith::bool_slot),
        nb_invert: Some(bits::invert_slot),
        nb_lshift: Some(bits::lshift_slot),
        nb_rshift: Some(bits::rshift_slot),
        nb_and: Some(bits::and_slot),
        nb_xor: Some(bits::xor_slot),
        nb_or: Some(bits::or_slot),
        nb_int: Some(arith::pos_slot),
        nb_float: Some(float_slot),
        nb_floor_divide: Some(divide::floor_divide_slot),
        nb_true_divide: Some(divide::true_divide_slot),
        nb_index: Some(arith::pos_slot),
        ..TypeSlots::EMPTY
    },
    methods: METHODS,
    getset: GETSET,
    ..TypeSpec::EMPTY
});

const DOC: &str = "int([x]) -> integer\nint(x, base=10) -> integer\n\n\
Make an integer of a number or of text; 0 without arguments. A float is cut off towards zero.\n\n\
Text (str, bytes or bytearray) is read in the given base, which is 2 to 36, or 0 to go by the prefix\n\
as in source code: int('0b100', base=0) is 4.";

static METHODS: &[MethodDef] = &[
    MethodDef::no_args("conjugate", exact, "conjugate($self, /)\n--\n\nReturn the int itself, its own complex conjugate."),
    MethodDef::no_args("bit_length", bit_length, "bit_length($self, /)\n--\n\nNumber of bits necessary to represent self in binary."),
    MethodDef::no_args("bit_count", bit_count, "bit_count($self, /)\n--\n\nNumber of ones in the binary representation of the absolute value."),
    MethodDef::keywords("to_bytes", to_bytes, "to_bytes($self, /, length=1, byteorder='big', *, signed=False)\n--\n\nReturn the bytes that represent the integer; OverflowError when length is too small."),
    MethodDef::keywords("from_bytes", from_bytes, "from_bytes($type, /, bytes, byteorder='big', *, signed=False)\n--\n\nReturn the integer that the bytes represent.").class(),
    MethodDef::no_args("as_integer_ratio", as_integer_ratio, "as_integer_ratio($self, /)\n--\n\nReturn the pair (self, 1)."),
    MethodDef::no_args("is_integer", is_integer, "is_integer($self, /)\n--\n\nReturn True: an int is integral."),
    MethodDef::no_args("__trunc__", exact, "__trunc__($self, /)\n--\n\nTruncating an Integral returns itself."),
    MethodDef::no_args("__floor__", exact, "__floor__($self, /)\n--\n\nFlooring an Integral returns itself."),
    MethodDef::no_args("__ceil__", exact, "__ceil__($self, /)\n--\n\nCeiling of an Integral returns itself."),
    MethodDef::positional("__round__", round, "__round__($self, ndigits=None, /)\n--\n\nRound half to even to a power of ten when ndigits is negative."),
    MethodDef::no_args("__getnewargs__", getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    MethodDef::one("__format__", format, "__format__($self, format_spec, /)\n--\n\nConvert to a string according to format_spec."),
    MethodDef::no_args("__sizeof__", sizeof, "__sizeof__($self, /)\n--\n\nReturns size in memory, in bytes."),
];

static GETSET: &[GetSetDef] = &[
    GetSetDef::get("real", exact, "the real part of a complex number"),
    GetSetDef::get("imag", zero, "the imaginary part of a complex number"),
    GetSetDef::get("numerator", exact, "the numerator of a rational number in lowest terms"),
    GetSetDef::get("denominator", one, "the denominator of a rational number in lowest terms"),
];

/// The float of an int. Raises OverflowError when it is out of range.
pub fn to_f64(ts: &ThreadState, int: &PyInt) -> PyResult<f64> {
    int.to_f64(ts)
}

/// The hash of an int.
pub fn hash_of(int: &PyInt) -> isize {
    int.hash_value()
}

fn repr_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.cast::<PyInt>().to_str(ts, 10)?.into_object())
}

fn float_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyFloat::new(ts, object.cast::<PyInt>().to_f64(ts)?)
}

fn exact(ts: &ThreadState, this: &PyObject) -> PyResult {
    this.cast::<PyInt>().exact(ts)
}

fn zero(ts: &ThreadState, _this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, 0)
}

fn one(ts: &ThreadState, _this: &PyObject) -> PyResult {
    PyInt::from_i64(ts, 1)
}

fn bit_length(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyInt::from_u64(ts, this.cast::<PyInt>().bits())
}

fn bit_count(ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut scratch = 0;
    let (_, magnitude) = this.cast::<PyInt>().magnitude(&mut scratch);
    PyInt::from_u64(ts, magnitude.iter().map(|word| u64::from(word.count_ones())).sum())
}

fn is_integer(_ts: &ThreadState, _this: &PyObject) -> PyResult {
    Ok(py_bool(true))
}

fn as_integer_ratio(ts: &ThreadState, this: &PyObject) -> PyResult {
    let value = exact(ts, this)?;
    Ok(PyTuple::pair(ts, &value, PyInt::one())?.into_object())
}

fn getnewargs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let value = this.cast::<PyInt>().copy_exact(ts)?;
    Ok(PyTuple::new(ts, &[&value])?.into_object())
}

fn sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let words = this.cast::<PyInt>().tag.get().unsigned_abs().max(1);
    PyInt::from_usize(ts, this.ob_type().basicsize() + words * 8)
}

/// The byte order that an argument names; big without one. Tells whether it is little.
fn is_little(ts: &ThreadState, order: Option<&PyObject>, function: &str) -> PyResult<bool> {
    let Some(order) = order else {
        return Ok(false);
    };
    let Some(order) = order.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "{function}() argument 'byteorder' must be str, not {}", order.type_name());
    };
    if order.equals_str("little") {
        Ok(true)
    } else if order.equals_str("big") {
        Ok(false)
    } else {
        raise!(ts, exc::ValueError, "byteorder must be either 'little' or 'big'")
    }
}

fn to_bytes(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("to_bytes", ["length", "byteorder", "signed"], 0, 2, 0);
    let [length, order, signed] = SIGNATURE.parse(ts, args)?;
    let length = match length {
        Some(length) => protocol::as_isize(ts, length)?,
        None => 1,
    };
    let little = is_little(ts, order, "to_bytes")?;
    let signed = match signed {
        Some(signed) => protocol::is_true(ts, signed)?,
        None => false,
    };
    let Ok(length) = usize::try_from(length) else {
        return raise!(ts, exc::ValueError, "length argument must be non-negative");
    };
    let int = this.cast::<PyInt>();
    if length <= 64 {
        let mut buffer = [0u8; 64];
        int.write_bytes(ts, &mut buffer[..length], little, signed)?;
        return Ok(PyBytes::new(ts, &buffer[..length])?.into_object());
    }
    let mut buffer = hognose_allocators::collections::TryVec::<u8>::new();
    buffer.try_resize(length, 0)?;
    int.write_bytes(ts, &mut buffer, little, signed)?;
    Ok(PyBytes::new(ts, &buffer)?.into_object())
}

fn from_bytes(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("from_bytes", ["bytes", "byteorder", "signed"], 0, 2, 1);
    let [bytes, order, signed] = SIGNATURE.parse(ts, args)?;
    let little = is_little(ts, order, "from_bytes")?;
    let signed = match signed {
        Some(signed) => protocol::is_true(ts, signed)?,
        None => false,
    };
    let Some(bytes) = bytes else {
        return raise!(ts, exc::TypeError, "from_bytes() missing required argument 'bytes' (pos 1)");
    };
    let int = if let Some(bytes) = bytes.downcast_exact::<PyBytes>() {
        PyInt::from_bytes(ts, bytes.as_slice(), little, signed)?
    } else {
        // An object with `__bytes__`, a buffer, or an iterable of ints.
        let bytes = crate::types::bytes::from_object(ts, bytes)?;
        let view = Buffer::get(ts, (*bytes).as_object(), buffer::SIMPLE)?;
        PyInt::from_bytes(ts, view.as_slice(), little, signed)?
    };
    if core::ptr::addr_eq(class, &INT_TYPE) {
        return Ok(int);
    }
    crate::object::call::call_with(ts, class, &[&int])
}

fn round(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::object::call::check_count(ts, "__round__", args.len(), 0, 1)?;
    let int = this.cast::<PyInt>();
    let Some(digits) = args.first().filter(|digits| !is_none(digits)) else {
        return int.exact(ts);
    };
    let digits = protocol::index(ts, digits)?;
    if digits.sign() >= 0 {
        return int.exact(ts);
    }
    // The nearest multiple of the power of ten: the value less a remainder of at most half of it.
    let digits = super::neg(ts, &digits)?;
    let digits: &PyInt = digits.cast();
    // A power far larger than the value rounds it to zero; nobody has to compute it.
    if digits.as_i64().is_none_or(|digits| digits as f64 > int.bits() as f64 * 0.302 + 2.0) {
        return PyInt::from_i64(ts, 0);
    }
    let ten = PyInt::from_i64(ts, 10)?;
    let unit = power::power(ts, ten.cast(), digits)?;
    let unit: &PyInt = unit.cast();
    let (quotient, rest) = divide::divmod(ts, int, unit)?;
    let twice = arith::add(ts, rest.cast(), rest.cast())?;
    let up = match compare::compare(twice.cast(), unit) {
        core::cmp::Ordering::Less => false,
        core::cmp::Ordering::Equal => quotient.cast::<PyInt>().is_odd(),
        core::cmp::Ordering::Greater => true,
    };
    let down = arith::sub(ts, int, rest.cast())?;
    if up { arith::add(ts, down.cast(), unit) } else { Ok(down) }
}

fn format(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    crate::types::numeric_format::format_int(ts, this, spec)
}

/// An int of the type's own, from a C `PyTypeObject` and a value: for subclasses made natively.
pub fn new_of_type(ts: &ThreadState, typ: &PyTypeObject, value: &PyInt) -> PyResult {
    value.to_subtype(ts, typ)
}

/// The decimal digits of an int, for text that is put together elsewhere.
pub fn decimal_digits(ts: &ThreadState, int: &PyInt) -> PyResult<DigitText> {
    DigitText::new(ts, int, 10)
}

/// `a << count` for a count that is known to be small.
pub fn shift_left(ts: &ThreadState, a: &PyInt, count: u64) -> PyResult<PyRef> {
    let mut scratch = 0;
    let (negative, magnitude) = a.magnitude(&mut scratch);
    let mut draft = Draft::new(ts, magnitude.len() + (count / 64) as usize + 1)?;
    words::shl(draft.words(), magnitude, count);
    draft.finish(ts, negative)
}

const _: () = assert!(core::mem::size_of::<PyInt>() == 24);
