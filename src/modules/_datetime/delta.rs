//! `timedelta`: a duration as days, seconds and microseconds.
//!
//! I1: seconds are in `0..86400`, microseconds in `0..1_000_000`, days in `-MAX_DAYS..=MAX_DAYS`.

use core::cell::Cell;
use core::cmp::Ordering;

use super::text::Text;
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature,
    StaticType, TypeSlots, TypeSpec, ValueDef, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::{self, PyInt};
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::{PyTuple, TupleHasher};

/// The longest duration, in days.
pub const MAX_DAYS: i64 = 999_999_999;
/// Microseconds in a second.
pub const MICROS: i64 = 1_000_000;
/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A duration; C's `PyDateTime_Delta`.
#[repr(C)]
pub struct PyDelta {
    ob_base: PyObject,
    hashcode: Cell<isize>,
    days: Cell<i32>,
    seconds: Cell<i32>,
    microseconds: Cell<i32>,
}

crate::native!(PyDelta, DELTA_TYPE);

/// `datetime.timedelta`.
pub static DELTA_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.timedelta",
    basicsize: size_of::<PyDelta>(),
    flags: flags::BASETYPE,
    doc: "Difference between two datetime values.\n\ntimedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)\n\nAll arguments are optional and default to 0.\nArguments may be integers or floats, and may be positive or negative.",
    slots: TypeSlots {
        new: Some(new),
        repr: Some(repr),
        str: Some(str),
        hash: Some(|_, this| Ok(this.cast::<PyDelta>().hash_value())),
        richcompare: Some(compare),
        nb_add: Some(|ts, a, b| both(ts, a, b, |ts, a, b| a.plus(ts, b, 1))),
        nb_subtract: Some(|ts, a, b| both(ts, a, b, |ts, a, b| a.plus(ts, b, -1))),
        nb_multiply: Some(multiply),
        nb_remainder: Some(remainder),
        nb_divmod: Some(divmod),
        nb_floor_divide: Some(floor_divide),
        nb_true_divide: Some(true_divide),
        nb_negative: Some(|ts, this| Ok(this.cast::<PyDelta>().negated(ts)?.into_object())),
        nb_positive: Some(|ts, this| Ok(PyDelta::ZERO.get().plus(ts, this.cast(), 1)?.into_object())),
        nb_absolute: Some(|ts, this| {
            let this = this.cast::<PyDelta>();
            Ok(PyDelta::ZERO.get().plus(ts, this, if this.days.get() < 0 { -1 } else { 1 })?.into_object())
        }),
        nb_bool: Some(|_, this| Ok(!this.cast::<PyDelta>().is_zero())),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("total_seconds", total_seconds, "Total seconds in the duration."),
        MethodDef::no_args("__reduce__", reduce, "__reduce__() -> (cls, state)"),
    ],
    getset: &[
        GetSetDef::field("days", |ts, this| PyInt::from_i64(ts, this.cast::<PyDelta>().days()), "Number of days."),
        GetSetDef::field(
            "seconds",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyDelta>().seconds()),
            "Number of seconds (>= 0 and less than 1 day).",
        ),
        GetSetDef::field(
            "microseconds",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyDelta>().microseconds()),
            "Number of microseconds (>= 0 and less than 1 second).",
        ),
    ],
    values: &[
        ValueDef { name: "resolution", make: |ts| Ok(PyDelta::new(ts, 0, 0, 1)?.into_object()) },
        ValueDef { name: "min", make: |ts| Ok(PyDelta::new(ts, -MAX_DAYS, 0, 0)?.into_object()) },
        ValueDef { name: "max", make: |ts| Ok(PyDelta::new(ts, MAX_DAYS, DAY - 1, MICROS - 1)?.into_object()) },
    ],
    ..TypeSpec::EMPTY
});

/// A duration that is the same object in all interpreters.
pub struct StaticDelta(PyDelta);

// SAFETY: the object is immortal, and nothing is written to it: its hash is not kept.
unsafe impl Sync for StaticDelta {}

impl StaticDelta {
    /// The object.
    pub fn get(&'static self) -> &'static PyDelta {
        &self.0
    }
}

static ZERO: StaticDelta = StaticDelta(PyDelta {
    ob_base: PyObject::immortal(&DELTA_TYPE.object),
    hashcode: Cell::new(-1),
    days: Cell::new(0),
    seconds: Cell::new(0),
    microseconds: Cell::new(0),
});

impl PyDelta {
    /// No time at all.
    pub const ZERO: &'static StaticDelta = &ZERO;

    /// The duration of so many days, seconds and microseconds, each of which may be any number that does not
    /// overflow. Raises OverflowError when there are too many days.
    pub fn new(ts: &ThreadState, days: i64, seconds: i64, microseconds: i64) -> PyResult<Ref<PyDelta>> {
        PyDelta::new_of(ts, &DELTA_TYPE, days, seconds, microseconds)
    }

    /// The same, of a subtype.
    pub fn new_of(
        ts: &ThreadState,
        of: &PyTypeObject,
        days: i64,
        seconds: i64,
        microseconds: i64,
    ) -> PyResult<Ref<PyDelta>> {
        let seconds = seconds + microseconds.div_euclid(MICROS);
        let days = days + seconds.div_euclid(DAY);
        if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
            return raise!(ts, exc::OverflowError, "days={days}; must have magnitude <= {MAX_DAYS}");
        }
        let made = alloc::object::<PyDelta>(ts, of)?;
        made.hashcode.set(-1);
        made.days.set(days as i32);
        made.seconds.set(seconds.rem_euclid(DAY) as i32);
        made.microseconds.set(microseconds.rem_euclid(MICROS) as i32);
        if of.is_gc() {
            gc::track(ts, &*made);
        }
        Ok(made)
    }

    /// The days.
    #[inline(always)]
    pub fn days(&self) -> i64 {
        self.days.get().into()
    }

    /// The seconds of a day.
    #[inline(always)]
    pub fn seconds(&self) -> i64 {
        self.seconds.get().into()
    }

    /// The microseconds of a second.
    #[inline(always)]
    pub fn microseconds(&self) -> i64 {
        self.microseconds.get().into()
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.days.get() == 0 && self.seconds.get() == 0 && self.microseconds.get() == 0
    }

    fn parts(&self) -> (i32, i32, i32) {
        (self.days.get(), self.seconds.get(), self.microseconds.get())
    }

    /// Which of two is longer.
    pub fn compare(&self, other: &PyDelta) -> Ordering {
        self.parts().cmp(&other.parts())
    }

    /// Whether it is shorter than a day, in either direction: what an offset from UTC must be.
    pub fn is_offset(&self) -> bool {
        match self.days.get() {
            0 => true,
            -1 => self.seconds.get() != 0 || self.microseconds.get() != 0,
            _ => false,
        }
    }

    /// The whole seconds.
    pub fn whole_seconds(&self) -> i64 {
        self.days() * DAY + self.seconds()
    }

    /// All of it in microseconds.
    pub fn total_microseconds(&self) -> i128 {
        i128::from(self.whole_seconds()) * i128::from(MICROS) + i128::from(self.microseconds())
    }

    /// The sum, or with a factor of -1 the difference.
    pub fn plus(&self, ts: &ThreadState, other: &PyDelta, factor: i64) -> PyResult<Ref<PyDelta>> {
        PyDelta::new(
            ts,
            self.days() + factor * other.days(),
            self.seconds() + factor * other.seconds(),
            self.microseconds() + factor * other.microseconds(),
        )
    }

    /// The same duration in the other direction.
    pub fn negated(&self, ts: &ThreadState) -> PyResult<Ref<PyDelta>> {
        PyDelta::ZERO.get().plus(ts, self, -1)
    }

    /// The hash, that of the tuple of its three numbers.
    pub fn hash_value(&self) -> isize {
        let mut hasher = TupleHasher::new();
        for part in [self.days(), self.seconds(), self.microseconds()] {
            hasher.add(int::hash_i64(part));
        }
        hasher.finish(3)
    }

    /// All of it in microseconds, as an int.
    fn to_int(&self, ts: &ThreadState) -> PyResult<Ref<PyInt>> {
        Ok(PyInt::from_i128(ts, self.total_microseconds())?.cast_into())
    }

    /// The duration of so many microseconds. Raises OverflowError.
    fn from_micros(ts: &ThreadState, of: &PyTypeObject, microseconds: i128) -> PyResult<Ref<PyDelta>> {
        let day = i128::from(DAY * MICROS);
        let Ok(days) = i32::try_from(microseconds.div_euclid(day)) else { return too_large(ts) };
        let rest = microseconds.rem_euclid(day) as i64;
        PyDelta::new_of(ts, of, days.into(), rest / MICROS, rest % MICROS)
    }

    /// The same of an int.
    fn from_int(ts: &ThreadState, of: &PyTypeObject, microseconds: &PyInt) -> PyResult<Ref<PyDelta>> {
        match to_i128(microseconds) {
            Some(microseconds) => PyDelta::from_micros(ts, of, microseconds),
            None => too_large(ts),
        }
    }
}

#[cold]
fn too_large<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::OverflowError, "Python int too large to convert to C int")
}

/// An int of at most 126 bits.
fn to_i128(value: &PyInt) -> Option<i128> {
    if value.bits() > 126 {
        return None;
    }
    let mut scratch = 0;
    let (negative, words) = value.magnitude(&mut scratch);
    let magnitude = words.iter().rev().fold(0i128, |sum, word| sum << 64 | i128::from(*word));
    Some(if negative { -magnitude } else { magnitude })
}

/// A sum of microseconds: whole ones, and the fractions that floats leave.
struct Sum {
    /// Small numbers, which cannot overflow this type: 7 products of 64 and 40 bits.
    whole: i128,
    /// What does not fit there.
    large: Option<Ref<PyInt>>,
    fraction: f64,
}

impl Sum {
    fn add_product(&mut self, ts: &ThreadState, value: &PyInt, unit: i64) -> PyResult<()> {
        if let Some(value) = value.as_i64() {
            self.whole += i128::from(value) * i128::from(unit);
            return Ok(());
        }
        let unit = PyInt::from_i64(ts, unit)?;
        let mut sum = int::mul(ts, value, unit.cast())?;
        if let Some(before) = &self.large {
            sum = int::add(ts, before, sum.cast())?;
        }
        self.large = Some(sum.cast_into());
        Ok(())
    }

    fn add(&mut self, ts: &ThreadState, name: &str, value: &PyObject, unit: i64) -> PyResult<()> {
        if let Some(value) = value.downcast::<PyInt>() {
            return self.add_product(ts, value, unit);
        }
        let Some(value) = value.downcast::<PyFloat>() else {
            return raise!(
                ts,
                exc::TypeError,
                "unsupported type for timedelta {name} component: {}",
                value.ob_type().full_name()
            );
        };
        let value = value.value();
        let whole = PyInt::from_f64(ts, value.trunc())?;
        self.add_product(ts, whole.cast(), unit)?;
        let fraction = (value - value.trunc()) * unit as f64;
        self.whole += fraction.trunc() as i128;
        self.fraction += fraction - fraction.trunc();
        Ok(())
    }

    fn finish(mut self, ts: &ThreadState, of: &PyTypeObject) -> PyResult<Ref<PyDelta>> {
        if let Some(large) = self.large.take() {
            let small = PyInt::from_i128(ts, self.whole)?;
            let sum = int::add(ts, &large, small.cast())?;
            match to_i128(sum.cast()) {
                Some(sum) => self.whole = sum,
                None => return too_large(ts),
            }
        }
        if self.fraction != 0.0 {
            let mut rounded = self.fraction.round();
            if (rounded - self.fraction).abs() == 0.5 {
                // Half-way: to the even one of the whole sum.
                let odd = if self.whole & 1 == 1 { 1.0 } else { 0.0 };
                rounded = 2.0 * ((self.fraction + odd) * 0.5).round() - odd;
            }
            self.whole += rounded as i128;
        }
        PyDelta::from_micros(ts, of, self.whole)
    }
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<7> = Signature::new(
        "__new__",
        ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"],
        0,
        7,
        0,
    );
    let [days, seconds, microseconds, milliseconds, minutes, hours, weeks] = SIGNATURE.parse(ts, args)?;
    let mut sum = Sum { whole: 0, large: None, fraction: 0.0 };
    let second = MICROS;
    for (name, value, unit) in [
        ("microseconds", microseconds, 1),
        ("milliseconds", milliseconds, 1000),
        ("seconds", seconds, second),
        ("minutes", minutes, 60 * second),
        ("hours", hours, 3600 * second),
        ("days", days, DAY * second),
        ("weeks", weeks, 7 * DAY * second),
    ] {
        if let Some(value) = value {
            sum.add(ts, name, value, unit)?;
        }
    }
    Ok(sum.finish(ts, of)?.into_object())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let delta = this.cast::<PyDelta>();
    let mut text = StrBuilder::with_capacity(64)?;
    text.push_str(this.ob_type().full_name())?;
    text.push_ascii(b"(")?;
    let mut separator = "";
    for (name, value) in [("days", delta.days()), ("seconds", delta.seconds()), ("microseconds", delta.microseconds())]
    {
        if value != 0 {
            let mut part = Text::<48>::new();
            part.write(format_args!("{separator}{name}={value}"));
            text.push_ascii(part.as_bytes())?;
            separator = ", ";
        }
    }
    text.push_ascii(if separator.is_empty() { b"0)" } else { b")" })?;
    Ok(text.finish(ts)?.into_object())
}

fn str(ts: &ThreadState, this: &PyObject) -> PyResult {
    let delta = this.cast::<PyDelta>();
    let (days, seconds, micros) = (delta.days(), delta.seconds(), delta.microseconds());
    let mut text = Text::<64>::new();
    if days != 0 {
        let plural = if days.abs() == 1 { "" } else { "s" };
        text.write(format_args!("{days} day{plural}, "));
    }
    text.write(format_args!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if micros != 0 {
        text.write(format_args!(".{micros:06}"));
    }
    Ok(PyStr::from_ascii(ts, text.as_bytes())?.into_object())
}

fn compare(ts: &ThreadState, a: &PyObject, b: &PyObject, op: CompareOp) -> PyResult {
    let _ = ts;
    match (a.downcast::<PyDelta>(), b.downcast::<PyDelta>()) {
        (Some(a), Some(b)) => Ok(py_bool(op.holds(a.compare(b)))),
        _ => Ok(not_implemented()),
    }
}

fn both(
    ts: &ThreadState,
    a: &PyObject,
    b: &PyObject,
    f: fn(&ThreadState, &PyDelta, &PyDelta) -> PyResult<Ref<PyDelta>>,
) -> PyResult {
    match (a.downcast::<PyDelta>(), b.downcast::<PyDelta>()) {
        (Some(a), Some(b)) => Ok(f(ts, a, b)?.into_object()),
        _ => Ok(not_implemented()),
    }
}

/// A float as numerator and denominator, by its method, which a subclass may have changed.
fn ratio(ts: &ThreadState, value: &PyObject) -> PyResult<(Ref<PyInt>, Ref<PyInt>)> {
    let ratio = protocol::call_named(ts, value, "as_integer_ratio", &[])?;
    let Some(pair) = ratio.downcast::<PyTuple>() else {
        return raise!(
            ts,
            exc::TypeError,
            "unexpected return type from as_integer_ratio(): expected tuple, not '{}'",
            ratio.type_name()
        );
    };
    let &[numerator, denominator] = pair.items() else {
        return raise!(ts, exc::ValueError, "as_integer_ratio() must return a 2-tuple");
    };
    match (numerator.downcast::<PyInt>(), denominator.downcast::<PyInt>()) {
        (Some(a), Some(b)) => Ok((Ref::from_borrowed(a), Ref::from_borrowed(b))),
        _ => raise!(ts, exc::TypeError, "non-integer arguments in division"),
    }
}

/// The quotient of two ints, rounded to the nearest, half to even.
fn divide_nearest(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult<Ref<PyInt>> {
    let (quotient, rest) = int::divmod(ts, a, b)?;
    let quotient = quotient.cast_into::<PyInt>();
    // The rest has the divisor's sign, so that twice its size says on which side of the half it is.
    let twice = int::add(ts, rest.cast(), rest.cast())?;
    let twice = twice.cast::<PyInt>();
    let order = if b.sign() < 0 { int::compare(b, twice) } else { int::compare(twice, b) };
    if order.is_gt() || order.is_eq() && quotient.is_odd() {
        return Ok(int::add(ts, &quotient, PyInt::one().cast())?.cast_into());
    }
    Ok(quotient)
}

fn multiply(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    let (delta, factor) = match (a.downcast::<PyDelta>(), b.downcast::<PyDelta>()) {
        (Some(delta), None) => (delta, b),
        (None, Some(delta)) => (delta, a),
        _ => return Ok(not_implemented()),
    };
    let product = if let Some(factor) = factor.downcast::<PyInt>() {
        if let Some(product) =
            factor.as_i64().and_then(|factor| delta.total_microseconds().checked_mul(i128::from(factor)))
        {
            return Ok(PyDelta::from_micros(ts, &DELTA_TYPE, product)?.into_object());
        }
        int::mul(ts, &*delta.to_int(ts)?, factor)?.cast_into::<PyInt>()
    } else if factor.is_a::<PyFloat>() {
        let (numerator, denominator) = ratio(ts, factor)?;
        let product = int::mul(ts, &*delta.to_int(ts)?, &numerator)?;
        divide_nearest(ts, product.cast(), &denominator)?
    } else {
        return Ok(not_implemented());
    };
    Ok(PyDelta::from_int(ts, &DELTA_TYPE, &product)?.into_object())
}

fn floor_divide(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    let Some(left) = a.downcast::<PyDelta>() else { return Ok(not_implemented()) };
    if let Some(right) = b.downcast::<PyDelta>() {
        return int::floor_divide(ts, &*left.to_int(ts)?, &*right.to_int(ts)?);
    }
    let Some(right) = b.downcast::<PyInt>() else { return Ok(not_implemented()) };
    let quotient = int::floor_divide(ts, &*left.to_int(ts)?, right)?;
    Ok(PyDelta::from_int(ts, &DELTA_TYPE, quotient.cast())?.into_object())
}

fn true_divide(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    let Some(left) = a.downcast::<PyDelta>() else { return Ok(not_implemented()) };
    let micros = left.to_int(ts)?;
    if let Some(right) = b.downcast::<PyDelta>() {
        return int::true_divide(ts, &micros, &*right.to_int(ts)?);
    }
    let quotient = if let Some(right) = b.downcast::<PyInt>() {
        divide_nearest(ts, &micros, right)?
    } else if b.is_a::<PyFloat>() {
        let (numerator, denominator) = ratio(ts, b)?;
        divide_nearest(ts, int::mul(ts, &micros, &denominator)?.cast(), &numerator)?
    } else {
        return Ok(not_implemented());
    };
    Ok(PyDelta::from_int(ts, &DELTA_TYPE, &quotient)?.into_object())
}

/// Quotient and rest of two durations, if these are two.
fn quotient_and_rest(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult<Option<(PyRef, PyRef)>> {
    let (Some(left), Some(right)) = (a.downcast::<PyDelta>(), b.downcast::<PyDelta>()) else { return Ok(None) };
    let (quotient, rest) = int::divmod(ts, &*left.to_int(ts)?, &*right.to_int(ts)?)?;
    let rest = PyDelta::from_int(ts, &DELTA_TYPE, rest.cast())?;
    Ok(Some((quotient, rest.into_object())))
}

fn remainder(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    Ok(quotient_and_rest(ts, a, b)?.map_or_else(not_implemented, |(_, rest)| rest))
}

fn divmod(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    match quotient_and_rest(ts, a, b)? {
        Some((quotient, rest)) => Ok(PyTuple::from_array(ts, [quotient, rest])?.into_object()),
        None => Ok(not_implemented()),
    }
}

/// `total_seconds`.
pub fn total_seconds(ts: &ThreadState, this: &PyObject) -> PyResult {
    let unit = PyInt::from_i64(ts, MICROS)?;
    int::true_divide(ts, &*this.cast::<PyDelta>().to_int(ts)?, unit.cast())
}

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let delta = this.cast::<PyDelta>();
    let state = PyTuple::from_array(
        ts,
        [
            PyInt::from_i64(ts, delta.days())?,
            PyInt::from_i64(ts, delta.seconds())?,
            PyInt::from_i64(ts, delta.microseconds())?,
        ],
    )?;
    Ok(PyTuple::from_array(ts, [this.ob_type().new_ref(), state.into_object()])?.into_object())
}
