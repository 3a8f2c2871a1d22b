//! Sums and products of many values, with more precision inside than outside.

use hognose_allocators::collections::TryVec;

use super::{double, libm};
use crate::object::call::check_count;
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::{PyFloat, frexp, ldexp};
use crate::types::int::{self, PyInt};

/// A sum of two floats that do not overlap: the rounded value and what rounding left.
#[derive(Clone, Copy)]
struct Double {
    high: f64,
    low: f64,
}

/// The exact sum of two floats.
fn two_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let part = high - a;
    Double { high, low: (a - (high - part)) + (b - part) }
}

/// The same where the first operand is not the smaller one.
fn fast_two_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    Double { high, low: (a - high) + b }
}

/// The exact product of two floats.
fn two_product(a: f64, b: f64) -> Double {
    let high = a * b;
    Double { high, low: libm::fma(a, b, -high) }
}

pub(super) fn fsum(ts: &ThreadState, _module: &PyObject, iterable: &PyObject) -> PyResult {
    // Shewchuk's way: partial sums of growing magnitude that do not overlap, so that nothing is lost.
    let mut partials = TryVec::<f64>::new();
    let mut special = 0.0;
    let mut infinities = 0.0;
    let iterator = protocol::iter(ts, iterable)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        let value = double(ts, &item)?;
        let mut x = value;
        let mut kept = 0;
        for index in 0..partials.len() {
            let mut y = partials[index];
            if x.abs() < y.abs() {
                core::mem::swap(&mut x, &mut y);
            }
            let sum = fast_two_sum(x, y);
            if sum.low != 0.0 {
                partials[kept] = sum.low;
                kept += 1;
            }
            x = sum.high;
        }
        partials.truncate(kept);
        if x != 0.0 {
            if !x.is_finite() {
                if value.is_finite() {
                    return raise!(ts, exc::OverflowError, "intermediate overflow in fsum");
                }
                if value.is_infinite() {
                    infinities += value;
                }
                special += value;
                partials.truncate(0);
            } else {
                partials.try_push(x)?;
            }
        }
    }
    if special != 0.0 {
        if infinities.is_nan() {
            return raise!(ts, exc::ValueError, "-inf + inf in fsum");
        }
        return PyFloat::new(ts, special);
    }
    let mut rest = &partials[..];
    let mut high = 0.0;
    if let [before @ .., last] = rest {
        high = *last;
        rest = before;
        let mut low = 0.0;
        while let [before @ .., next] = rest {
            rest = before;
            let sum = fast_two_sum(high, *next);
            high = sum.high;
            low = sum.low;
            if low != 0.0 {
                break;
            }
        }
        // Half a unit that was rounded to even may have to go the other way, for what lies below it.
        if let [.., below] = rest
            && (low < 0.0 && *below < 0.0 || low > 0.0 && *below > 0.0)
        {
            let twice = low * 2.0;
            let other = high + twice;
            if twice == other - high {
                high = other;
            }
        }
    }
    PyFloat::new(ts, high)
}

/// The length of a vector, nearly always correctly rounded. `largest` is the largest absolute value in it.
fn norm(values: &mut [f64], largest: f64, nan: bool) -> f64 {
    if largest.is_infinite() {
        return largest;
    }
    if nan {
        return f64::NAN;
    }
    if largest == 0.0 || values.len() <= 1 {
        return largest;
    }
    let (_, exponent) = frexp(largest);
    if exponent < -1023 {
        // The scale of a subnormal number cannot be expressed.
        for value in values.iter_mut() {
            *value /= f64::MIN_POSITIVE;
        }
        return f64::MIN_POSITIVE * norm(values, largest / f64::MIN_POSITIVE, nan);
    }
    let scale = ldexp(1.0, -exponent);
    // The sum begins at one, so that it is never smaller than what is added.
    let mut sum = 1.0;
    let (mut low_products, mut low_sums) = (0.0, 0.0);
    let mut add = |product: Double| {
        let next = fast_two_sum(sum, product.high);
        sum = next.high;
        low_products += product.low;
        low_sums += next.low;
        sum - 1.0 + (low_products + low_sums)
    };
    let mut square = 0.0;
    for value in values.iter() {
        let scaled = value * scale;
        square = add(two_product(scaled, scaled));
    }
    let root = square.sqrt();
    // One step of Newton's: the error of the square, exactly.
    let error = add(two_product(-root, root));
    (root + error / (2.0 * root)) / scale
}

pub(super) fn hypot(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    let mut buffer = [0.0; 8];
    let mut heap = TryVec::<f64>::new();
    let values = if args.len() <= buffer.len() {
        &mut buffer[..args.len()]
    } else {
        heap.try_resize(args.len(), 0.0)?;
        &mut heap[..]
    };
    let (mut largest, mut nan) = (0.0f64, false);
    for (place, argument) in values.iter_mut().zip(args) {
        *place = double(ts, argument)?.abs();
        nan |= place.is_nan();
        largest = largest.max(*place);
    }
    PyFloat::new(ts, norm(values, largest, nan))
}

pub(super) fn dist(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "dist", args.len(), 2, 2)?;
    let p = protocol::tuple_of(ts, args[0])?;
    let q = protocol::tuple_of(ts, args[1])?;
    if p.len() != q.len() {
        return raise!(ts, exc::ValueError, "both points must have the same number of dimensions");
    }
    let mut values = TryVec::<f64>::new();
    values.try_reserve(p.len())?;
    let (mut largest, mut nan) = (0.0f64, false);
    for (a, b) in p.items().iter().zip(q.items()) {
        let difference = (double(ts, a)? - double(ts, b)?).abs();
        nan |= difference.is_nan();
        largest = largest.max(difference);
        values.try_push(difference)?;
    }
    PyFloat::new(ts, norm(&mut values, largest, nan))
}

pub(super) fn prod(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("prod", ["", "start"], 1, 1, 1);
    let [iterable, start] = SIGNATURE.parse(ts, args)?;
    let mut product = match start {
        Some(start) => start.new_ref(),
        None => PyInt::from_i64(ts, 1)?,
    };
    let Some(iterable) = iterable else {
        return Ok(product);
    };
    let iterator = protocol::iter(ts, iterable)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        product = multiply(ts, &product, &item)?;
    }
    Ok(product)
}

/// A product, the usual types without a detour.
fn multiply(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    if let (Some(x), Some(y)) = (a.downcast_exact::<PyInt>(), b.downcast_exact::<PyInt>()) {
        return int::mul(ts, x, y);
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<PyFloat>(), b.downcast_exact::<PyFloat>()) {
        return PyFloat::new(ts, x.value() * y.value());
    }
    protocol::multiply(ts, a, b)
}

/// A sum in three floats, for the sum of products.
#[derive(Clone, Copy, Default)]
struct Triple {
    high: f64,
    low: f64,
    tiny: f64,
}

impl Triple {
    fn add_product(self, a: f64, b: f64) -> Triple {
        let product = two_product(a, b);
        let high = two_sum(self.high, product.high);
        let low = two_sum(self.low, product.low);
        let middle = two_sum(low.high, high.low);
        Triple { high: high.high, low: middle.high, tiny: self.tiny + low.low + middle.low }
    }

    fn value(self) -> f64 {
        let last = two_sum(self.low, self.tiny);
        let sum = two_sum(self.high, last.high);
        sum.high + (last.low + sum.low)
    }
}

/// The running sum of products: exact ints as long as there is nothing else, then floats in triple length for as long
/// as there is a float in each product, then whatever the objects do.
struct Products<'a> {
    ts: &'a ThreadState,
    total: PyRef,
    stage: Stage,
    ints: Option<i64>,
    floats: Option<Triple>,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Ints,
    Floats,
    Objects,
}

impl Products<'_> {
    fn add(&mut self, a: &PyObject, b: &PyObject) -> PyResult<()> {
        if self.stage == Stage::Ints {
            if let (Some(x), Some(y)) = (a.downcast_exact::<PyInt>(), b.downcast_exact::<PyInt>()) {
                let product = x.as_i64().zip(y.as_i64()).and_then(|(x, y)| x.checked_mul(y));
                if let Some(sum) = product.and_then(|product| self.ints.unwrap_or(0).checked_add(product)) {
                    self.ints = Some(sum);
                    return Ok(());
                }
            }
            self.stage = Stage::Floats;
            self.flush_ints()?;
        }
        if self.stage == Stage::Floats {
            let one_is_float = a.downcast_exact::<PyFloat>().is_some() || b.downcast_exact::<PyFloat>().is_some();
            if let (true, Some(x), Some(y)) = (one_is_float, float_of(a), float_of(b)) {
                let sum = self.floats.unwrap_or_default().add_product(x, y);
                if sum.high.is_finite() {
                    self.floats = Some(sum);
                    return Ok(());
                }
            }
            self.stage = Stage::Objects;
            self.flush_floats()?;
        }
        let product = protocol::multiply(self.ts, a, b)?;
        self.total = protocol::add(self.ts, &self.total, &product)?;
        Ok(())
    }

    fn flush_ints(&mut self) -> PyResult<()> {
        if let Some(sum) = self.ints.take() {
            let sum = PyInt::from_i64(self.ts, sum)?;
            self.total = protocol::add(self.ts, &self.total, &sum)?;
        }
        Ok(())
    }

    fn flush_floats(&mut self) -> PyResult<()> {
        if let Some(sum) = self.floats.take() {
            let sum = PyFloat::new(self.ts, sum.value())?;
            self.total = protocol::add(self.ts, &self.total, &sum)?;
        }
        Ok(())
    }
}

/// A float, or an int or bool that is one exactly enough for a mixed product.
fn float_of(object: &PyObject) -> Option<f64> {
    if let Some(float) = object.downcast_exact::<PyFloat>() {
        return Some(float.value());
    }
    if let Some(truth) = crate::types::bool::as_bool(object) {
        return Some(f64::from(u8::from(truth)));
    }
    object.downcast_exact::<PyInt>().and_then(PyInt::as_f64)
}

pub(super) fn sumprod(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "sumprod", args.len(), 2, 2)?;
    let (p, q) = (protocol::iter(ts, args[0])?, protocol::iter(ts, args[1])?);
    let mut products = Products { ts, total: PyInt::from_i64(ts, 0)?, stage: Stage::Ints, ints: None, floats: None };
    loop {
        match (protocol::next(ts, &p)?, protocol::next(ts, &q)?) {
            (Some(a), Some(b)) => products.add(&a, &b)?,
            (None, None) => break,
            _ => return raise!(ts, exc::ValueError, "Inputs are not the same length"),
        }
    }
    products.flush_ints()?;
    products.flush_floats()?;
    Ok(products.total)
}
