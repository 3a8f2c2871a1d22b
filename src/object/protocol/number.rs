//! Unary and binary operators, conversions to numbers.

use core::mem::offset_of;

use crate::object::error::PyResult;
use crate::object::header::PyObject;
use crate::object::reference::{AsObject, Ref};
use crate::object::slots::{BinaryFn, TernaryFn, TypeSlots};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::types::notimplemented::{is_not_implemented, not_implemented};

/// An operator's symbol and slots.
struct Operator {
    symbol: &'static str,
    slot: usize,
    inplace: usize,
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident, $inplace:ident = $symbol:literal, $slot:ident, $inplace_slot:ident;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub fn $name(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
                const OPERATOR: Operator = Operator {
                    symbol: $symbol,
                    slot: offset_of!(TypeSlots, $slot),
                    inplace: offset_of!(TypeSlots, $inplace_slot),
                };
                binary(ts, left, right, &OPERATOR)
            }
            /// The same in place: what the left operand makes of it, or a new object.
            #[inline]
            pub fn $inplace(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
                const OPERATOR: Operator = Operator {
                    symbol: concat!($symbol, "="),
                    slot: offset_of!(TypeSlots, $slot),
                    inplace: offset_of!(TypeSlots, $inplace_slot),
                };
                inplace(ts, left, right, &OPERATOR)
            }
        )*
    };
}

operators! {
    /// `left + right`.
    add, inplace_add = "+", nb_add, nb_inplace_add;
    /// `left - right`.
    subtract, inplace_subtract = "-", nb_subtract, nb_inplace_subtract;
    /// `left * right`.
    multiply, inplace_multiply = "*", nb_multiply, nb_inplace_multiply;
    /// `left % right`.
    remainder, inplace_remainder = "%", nb_remainder, nb_inplace_remainder;
    /// `left << right`.
    lshift, inplace_lshift = "<<", nb_lshift, nb_inplace_lshift;
    /// `left >> right`.
    rshift, inplace_rshift = ">>", nb_rshift, nb_inplace_rshift;
    /// `left & right`.
    and, inplace_and = "&", nb_and, nb_inplace_and;
    /// `left ^ right`.
    xor, inplace_xor = "^", nb_xor, nb_inplace_xor;
    /// `left | right`.
    or, inplace_or = "|", nb_or, nb_inplace_or;
    /// `left // right`.
    floor_divide, inplace_floor_divide = "//", nb_floor_divide, nb_inplace_floor_divide;
    /// `left / right`.
    true_divide, inplace_true_divide = "/", nb_true_divide, nb_inplace_true_divide;
    /// `left @ right`.
    matrix_multiply, inplace_matrix_multiply = "@", nb_matrix_multiply, nb_inplace_matrix_multiply;
}

#[inline(always)]
fn slot_of(object: &PyObject, offset: usize) -> Option<BinaryFn> {
    let word = object.ob_type().slots().word(offset);
    // SAFETY: the offsets in this file are those of binary slots; null is `None`.
    unsafe { core::mem::transmute::<*const (), Option<BinaryFn>>(word) }
}

/// Tries both operands' slots, the right one's first when its type is a subtype with a slot of its own.
#[inline]
fn try_slots(ts: &ThreadState, left: &PyObject, right: &PyObject, offset: usize) -> PyResult {
    let left_slot = slot_of(left, offset);
    let mut right_slot = None;
    if !core::ptr::eq(left.ob_type(), right.ob_type()) {
        right_slot = slot_of(right, offset);
        if let (Some(l), Some(r)) = (left_slot, right_slot)
            && l as usize == r as usize
        {
            right_slot = None;
        }
    }
    if let Some(slot) = left_slot {
        if let Some(reflected) = right_slot
            && right.ob_type().is_subtype(left.ob_type())
        {
            let value = reflected(ts, left, right)?;
            if !is_not_implemented(&value) {
                return Ok(value);
            }
            right_slot = None;
        }
        let value = slot(ts, left, right)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    match right_slot {
        Some(slot) => slot(ts, left, right),
        None => Ok(not_implemented()),
    }
}

#[inline]
fn binary(ts: &ThreadState, left: &PyObject, right: &PyObject, operator: &Operator) -> PyResult {
    let value = try_slots(ts, left, right, operator.slot)?;
    if !is_not_implemented(&value) {
        return Ok(value);
    }
    match operator.slot {
        ADD => {
            if let Some(concat) = left.ob_type().slots().sq_concat {
                let value = concat(ts, left, right)?;
                if !is_not_implemented(&value) {
                    return Ok(value);
                }
            }
        }
        MULTIPLY => {
            if let Some(value) = repeat(ts, left, right, false)? {
                return Ok(value);
            }
        }
        _ => {}
    }
    unsupported(ts, left, right, operator.symbol)
}

const ADD: usize = offset_of!(TypeSlots, nb_add);
const MULTIPLY: usize = offset_of!(TypeSlots, nb_multiply);

/// A sequence times a number, either way round.
fn repeat(
    ts: &ThreadState,
    left: &PyObject,
    right: &PyObject,
    in_place: bool,
) -> PyResult<Option<crate::object::PyRef>> {
    let slots = left.ob_type().slots();
    let left_slot = if in_place { slots.sq_inplace_repeat.or(slots.sq_repeat) } else { slots.sq_repeat };
    let (slot, sequence, count) = match (left_slot, right.ob_type().slots().sq_repeat) {
        (Some(slot), _) => (slot, left, right),
        (None, Some(slot)) => (slot, right, left),
        (None, None) => return Ok(None),
    };
    if count.ob_type().slots().nb_index.is_none() {
        return raise!(ts, exc::TypeError, "can't multiply sequence by non-int of type '{}'", count.type_name());
    }
    slot(ts, sequence, as_isize(ts, count)?).map(Some)
}

#[inline]
fn inplace(ts: &ThreadState, left: &PyObject, right: &PyObject, operator: &Operator) -> PyResult {
    if let Some(slot) = slot_of(left, operator.inplace) {
        let value = slot(ts, left, right)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    let value = try_slots(ts, left, right, operator.slot)?;
    if !is_not_implemented(&value) {
        return Ok(value);
    }
    match operator.slot {
        ADD => {
            let slots = left.ob_type().slots();
            if let Some(concat) = slots.sq_inplace_concat.or(slots.sq_concat) {
                let value = concat(ts, left, right)?;
                if !is_not_implemented(&value) {
                    return Ok(value);
                }
            }
        }
        MULTIPLY => {
            if let Some(value) = repeat(ts, left, right, true)? {
                return Ok(value);
            }
        }
        _ => {}
    }
    unsupported(ts, left, right, operator.symbol)
}

#[cold]
fn unsupported(ts: &ThreadState, left: &PyObject, right: &PyObject, symbol: &str) -> PyResult {
    if symbol == ">>"
        && left
            .downcast_exact::<crate::types::builtin_function::PyBuiltinFunction>()
            .is_some_and(|function| function.def().name == "print")
    {
        return raise!(
            ts,
            exc::TypeError,
            "unsupported operand type(s) for {symbol}: '{}' and '{}'. Did you mean \"print(<message>, \
             file=<output_stream>)\"?",
            left.type_name(),
            right.type_name()
        );
    }
    raise!(
        ts,
        exc::TypeError,
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        left.type_name(),
        right.type_name()
    )
}

/// `divmod(left, right)`.
pub fn divmod(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let operator = Operator {
        symbol: "divmod()",
        slot: offset_of!(TypeSlots, nb_divmod),
        inplace: offset_of!(TypeSlots, nb_divmod),
    };
    binary(ts, left, right, &operator)
}

/// `pow(base, exponent, modulus)`; `base ** exponent` with None as modulus.
pub fn power(ts: &ThreadState, base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
    power_with(ts, base, exponent, modulus, "** or pow()")
}

fn power_with(ts: &ThreadState, base: &PyObject, exponent: &PyObject, modulus: &PyObject, symbol: &str) -> PyResult {
    let base_slot = base.ob_type().slots().nb_power;
    let mut exponent_slot = None;
    if !core::ptr::eq(base.ob_type(), exponent.ob_type()) {
        exponent_slot = exponent.ob_type().slots().nb_power;
        if base_slot.map(|f| f as usize) == exponent_slot.map(|f| f as usize) {
            exponent_slot = None;
        }
    }
    let call = |slot: Option<TernaryFn>| match slot {
        Some(slot) => slot(ts, base, exponent, modulus),
        None => Ok(not_implemented()),
    };
    let mut exponent_first = false;
    if base_slot.is_some() && exponent_slot.is_some() && exponent.ob_type().is_subtype(base.ob_type()) {
        exponent_first = true;
        let value = call(exponent_slot)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    let value = call(base_slot)?;
    if !is_not_implemented(&value) {
        return Ok(value);
    }
    if !exponent_first {
        let value = call(exponent_slot)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    if let Some(slot) = modulus.ob_type().slots().nb_power
        && !modulus.is(none())
        && Some(slot as usize) != base_slot.map(|f| f as usize)
        && Some(slot as usize) != exponent_slot.map(|f| f as usize)
    {
        let value = slot(ts, base, exponent, modulus)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    if modulus.is(none()) {
        return unsupported(ts, base, exponent, symbol);
    }
    raise!(
        ts,
        exc::TypeError,
        "unsupported operand type(s) for {symbol}: '{}', '{}', '{}'",
        base.type_name(),
        exponent.type_name(),
        modulus.type_name()
    )
}

/// `base **= exponent`.
pub fn inplace_power(ts: &ThreadState, base: &PyObject, exponent: &PyObject) -> PyResult {
    if let Some(slot) = base.ob_type().slots().nb_inplace_power {
        let value = slot(ts, base, exponent, none())?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    power_with(ts, base, exponent, none(), "**=")
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal, $slot:ident;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub fn $name(ts: &ThreadState, object: &PyObject) -> PyResult {
                match object.ob_type().slots().$slot {
                    Some(slot) => slot(ts, object),
                    None => raise!(ts, exc::TypeError, concat!("bad operand type for ", $symbol, ": '{}'"), object.type_name()),
                }
            }
        )*
    };
}

unary! {
    /// `-object`.
    negative = "unary -", nb_negative;
    /// `+object`.
    positive = "unary +", nb_positive;
    /// `~object`.
    invert = "unary ~", nb_invert;
    /// `abs(object)`.
    absolute = "abs()", nb_absolute;
}

/// The object as an int, without loss (`operator.index`); an exact int or one of a subclass.
pub fn index(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyInt>> {
    if let Some(int) = object.downcast::<PyInt>() {
        return Ok(Ref::from_borrowed(int));
    }
    let Some(slot) = object.ob_type().slots().nb_index else {
        return raise!(ts, exc::TypeError, "'{}' object cannot be interpreted as an integer", object.type_name());
    };
    match slot(ts, object)?.downcast_into::<PyInt>() {
        Ok(int) => {
            if AsObject::as_object(&*int).downcast_exact::<PyInt>().is_none() {
                warn_of_subclass(ts, "__index__", AsObject::as_object(&*int))?;
            }
            Ok(int)
        }
        Err(other) => {
            raise!(ts, exc::TypeError, "__index__ returned non-int (type {})", other.type_name())
        }
    }
}

/// A conversion has returned an instance of a subclass of int.
#[cold]
fn warn_of_subclass(ts: &ThreadState, method: &str, result: &PyObject) -> PyResult<()> {
    let mut text = hognose_allocators::TryString::new();
    text.try_push_fmt(format_args!(
        "{method} returned non-int (type {}).  The ability to return an instance of a strict subclass of int is \
         deprecated, and may not be supported in a future version of Python.",
        result.type_name()
    ))?;
    exc::warn(ts, &exc::DeprecationWarning, text.as_str(), 1)
}

/// Whether the object can be an index.
#[inline]
pub fn is_index(object: &PyObject) -> bool {
    object.ob_type().slots().nb_index.is_some()
}

/// The object as an index or a count: OverflowError when it does not fit.
#[inline]
pub fn as_isize(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    if let Some(int) = object.downcast_exact::<PyInt>()
        && let Some(value) = int.as_i64()
    {
        return Ok(value as isize);
    }
    let int = index(ts, object)?;
    match int.as_i64() {
        Some(value) => Ok(value as isize),
        None => raise!(ts, exc::OverflowError, "cannot fit '{}' into an index-sized integer", object.type_name()),
    }
}

/// The object as an index for an item: IndexError when it does not fit.
#[inline]
pub fn as_item_index(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    if let Some(int) = object.downcast_exact::<PyInt>()
        && let Some(value) = int.as_i64()
    {
        return Ok(value as isize);
    }
    let int = index(ts, object)?;
    match int.as_i64() {
        Some(value) => Ok(value as isize),
        None => raise!(ts, exc::IndexError, "cannot fit '{}' into an index-sized integer", object.type_name()),
    }
}

/// The object as an index that is cut to the representable range: for slices.
pub fn as_isize_clamped(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let int = index(ts, object)?;
    Ok(match int.as_i64() {
        Some(value) => value as isize,
        None if int.sign() < 0 => isize::MIN,
        None => isize::MAX,
    })
}

/// The object as a double: a float, or through `__float__`, or through `__index__` (`PyFloat_AsDouble`).
pub fn as_f64(ts: &ThreadState, object: &PyObject) -> PyResult<f64> {
    if let Some(float) = object.downcast::<PyFloat>() {
        return Ok(float.value());
    }
    if let Some(slot) = object.ob_type().slots().nb_float {
        let value = slot(ts, object)?;
        return match value.downcast::<PyFloat>() {
            Some(float) => Ok(float.value()),
            None => raise!(
                ts,
                exc::TypeError,
                "{}.__float__() must return a float, not {}",
                object.type_name(),
                value.type_name()
            ),
        };
    }
    if is_index(object) {
        let int = index(ts, object)?;
        return crate::types::int::to_f64(ts, &int);
    }
    raise!(ts, exc::TypeError, "must be real number, not {}", object.type_name())
}

/// Whether the object can be turned into a number (`PyNumber_Check`).
pub fn is_number(object: &PyObject) -> bool {
    let slots = object.ob_type().slots();
    slots.nb_index.is_some()
        || slots.nb_int.is_some()
        || slots.nb_float.is_some()
        || object.is_a::<crate::types::complex::PyComplex>()
}

/// `int(object)` (`PyNumber_Long`).
pub fn to_int(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyInt>> {
    crate::types::int::from_object(ts, object)
}

/// `float(object)` (`PyNumber_Float`).
pub fn to_float(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyFloat>> {
    if let Some(float) = object.downcast_exact::<PyFloat>() {
        return Ok(Ref::from_borrowed(float));
    }
    crate::types::float::from_object(ts, object).map(|f| f.cast_into())
}

/// The truth of `isinstance(object, int)` and its value: for flags and options.
pub fn as_i32(ts: &ThreadState, object: &PyObject) -> PyResult<i32> {
    let int = index(ts, object)?;
    int.to_i32(ts)
}
