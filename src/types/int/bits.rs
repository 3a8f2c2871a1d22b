//! The bit operations: ints behave as two's complement numbers of unlimited width.

use super::arith::int_slot;
use super::{Draft, MAX_WORDS, PyInt, words};
use crate::object::{PyObject, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;

macro_rules! fast {
    ($(#[$doc:meta])* $name:ident, $slow:ident, $operator:tt) => {
        $(#[$doc])*
        #[inline(always)]
        pub fn $name(ts: &ThreadState, a: &PyInt, b: &PyInt) -> Option<PyResult> {
            Some(PyInt::from_i64(ts, a.as_i64()? $operator b.as_i64()?))
        }

        /// The same for ints of any size.
        #[inline]
        pub fn $slow(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
            match $name(ts, a, b) {
                Some(result) => result,
                None => large(ts, a, b, |x, y| x $operator y),
            }
        }
    };
}

fast!(
    /// `a & b` of ints that fit an `i64`.
    fast_and, and, &
);
fast!(
    /// `a | b` of ints that fit an `i64`.
    fast_or, or, |
);
fast!(
    /// `a ^ b` of ints that fit an `i64`.
    fast_xor, xor, ^
);

/// The words of a number in two's complement, with as many sign words as are asked for.
struct TwosComplement<'a> {
    magnitude: core::slice::Iter<'a, u64>,
    negative: bool,
    carry: bool,
}

impl<'a> TwosComplement<'a> {
    fn new(negative: bool, magnitude: &'a [u64]) -> TwosComplement<'a> {
        TwosComplement { magnitude: magnitude.iter(), negative, carry: true }
    }

    #[inline(always)]
    fn next_word(&mut self) -> u64 {
        let word = self.magnitude.next().copied().unwrap_or(0);
        if !self.negative {
            return word;
        }
        let (word, carry) = (!word).overflowing_add(u64::from(self.carry));
        self.carry = carry;
        word
    }
}

#[inline(never)]
fn large(ts: &ThreadState, a: &PyInt, b: &PyInt, operation: impl Fn(u64, u64) -> u64) -> PyResult {
    let (mut scratch_a, mut scratch_b) = (0, 0);
    let (negative_a, a) = a.magnitude(&mut scratch_a);
    let (negative_b, b) = b.magnitude(&mut scratch_b);
    let mut a_words = TwosComplement::new(negative_a, a);
    let mut b_words = TwosComplement::new(negative_b, b);
    let mut draft = Draft::new(ts, a.len().max(b.len()) + 1)?;
    for place in draft.words() {
        *place = operation(a_words.next_word(), b_words.next_word());
    }
    let negative = draft.words().last().is_some_and(|top| top >> 63 != 0);
    if negative {
        words::negate(draft.words());
    }
    draft.finish(ts, negative)
}

/// `~a`.
pub(super) fn invert_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    let int = object.cast::<PyInt>();
    match int.as_i64() {
        Some(value) => PyInt::from_i64(ts, !value),
        None => xor(ts, int, minus_one()),
    }
}

fn minus_one() -> &'static PyInt {
    super::SMALL_INTS[(-1 - super::SMALL_MIN) as usize].as_object().cast()
}

/// The shift count; an error when it is negative, None when it is too large for any result.
fn shift_count(ts: &ThreadState, count: &PyInt) -> PyResult<Option<u64>> {
    if count.sign() < 0 {
        return raise!(ts, exc::ValueError, "negative shift count");
    }
    Ok(count.as_u64())
}

/// `a << b`. Raises ValueError for a negative count, OverflowError for a result that no memory has room for.
#[inline]
pub fn lshift(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if let (Some(value), Some(count @ 0..=62)) = (a.as_i64(), b.as_i64()) {
        let shifted = value << count;
        if shifted >> count == value {
            return PyInt::from_i64(ts, shifted);
        }
    }
    lshift_large(ts, a, b)
}

#[inline(never)]
fn lshift_large(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    let count = shift_count(ts, b)?;
    if a.is_zero() {
        return PyInt::from_i64(ts, 0);
    }
    match count {
        Some(count) if count / 64 < MAX_WORDS as u64 => {
            let mut scratch = 0;
            let (negative, magnitude) = a.magnitude(&mut scratch);
            let mut draft = Draft::new(ts, magnitude.len() + (count / 64) as usize + 1)?;
            words::shl(draft.words(), magnitude, count);
            draft.finish(ts, negative)
        }
        // No memory is large enough for it.
        _ => raise!(ts, exc::OverflowError, "too many digits in integer"),
    }
}

/// `a >> b`, rounded down. Raises ValueError for a negative count.
#[inline]
pub fn rshift(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    if let (Some(value), Some(count @ 0..)) = (a.as_i64(), b.as_i64()) {
        return PyInt::from_i64(ts, value >> count.min(63));
    }
    rshift_large(ts, a, b)
}

#[inline(never)]
fn rshift_large(ts: &ThreadState, a: &PyInt, b: &PyInt) -> PyResult {
    let count = shift_count(ts, b)?;
    let mut scratch = 0;
    let (negative, magnitude) = a.magnitude(&mut scratch);
    match count {
        Some(count) if count / 64 < magnitude.len() as u64 => {
            let mut draft = Draft::new(ts, magnitude.len() - (count / 64) as usize + 1)?;
            words::shr(draft.words(), magnitude, count);
            if negative && words::any_low_bits(magnitude, count) {
                words::increment(draft.words());
            }
            draft.finish(ts, negative)
        }
        _ => PyInt::from_i64(ts, if negative { -1 } else { 0 }),
    }
}

int_slot!(and_slot, and);
int_slot!(or_slot, or);
int_slot!(xor_slot, xor);
int_slot!(lshift_slot, lshift);
int_slot!(rshift_slot, rshift);
