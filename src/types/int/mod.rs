//! `int`: integers of any size.
//!
//! ```text
//!             ┌───────────┬─────────┬──────────┬──────────┬─────
//!  compact    │ header 16 │ tag = 0 │ i64      │
//!             ├───────────┼─────────┼──────────┼──────────┼─────
//!  large      │ header 16 │ tag = n │ word 0   │ word 1   │ …      |n| words of magnitude,
//!             └───────────┴─────────┴──────────┴──────────┴─────   n's sign is the number's
//! ```
//!
//! I1: a value that fits an `i64` is compact; a large one's last word is not zero. Two equal ints
//!     have therefore the same form.
//! I2: the words of an object never change after it was handed out.
//! I3: the ints from -5 to 1024 are immortal, and exact ints of these values are always those objects.
//!
//! Addition, subtraction and the bit operations on large operands are our own (`words`), as is
//! multiplication of operands up to a few dozen words; larger products, division, powers and
//! conversions of many digits go to the `dashu-int` crate, whose operands and results are copied.
//! Room for a result is taken from the interpreter's heap before the crate is asked to compute it,
//! so a size that the heap refuses is a MemoryError.

mod arith;
mod bits;
mod bytes;
mod compare;
mod divide;
mod methods;
pub(in crate::types) mod new;
mod power;
pub(in crate::types) mod text;
pub mod words;

use core::cell::Cell;

pub use arith::{add, fast_add, fast_mul, fast_sub, mul, neg, sub};
pub use bits::{and, fast_and, fast_or, fast_xor, lshift, or, rshift, xor};
pub use compare::{compare, compare_f64, fast_compare, hash_i64, hash_words};
pub use divide::{divmod, floor_divide, remainder, true_divide};
pub use methods::{INT_TYPE, decimal_digits, hash_of, new_of_type, shift_left, to_f64};
pub use new::{from_number, from_object};
pub use power::{gcd, gcd_u64, power, power_modulo};
pub use text::DigitText;

use crate::object::header::IMMORTAL_REFCNT;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, alloc, gc, reftrace};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

/// An `int`.
#[repr(C)]
pub struct PyInt {
    ob_base: PyObject,
    tag: Cell<isize>,
    words: [u64; 0],
}
crate::native!(PyInt, INT_TYPE, LONG_SUBCLASS);

/// An int in a static: immortal and compact. `bool`'s two instances are such, too.
#[repr(C)]
pub struct StaticInt {
    ob_base: PyObject,
    tag: Cell<isize>,
    value: i64,
}

// SAFETY: the object is immortal, so its count is never written, and nothing else of it changes.
unsafe impl Sync for StaticInt {}

impl StaticInt {
    /// An instance of `typ`, which is `int` or a subtype without fields of its own.
    pub const fn new(typ: *const PyTypeObject, value: i64) -> StaticInt {
        StaticInt { ob_base: PyObject::immortal(typ), tag: Cell::new(0), value }
    }

    /// The object.
    #[inline(always)]
    pub fn as_object(&'static self) -> &'static PyObject {
        // SAFETY: the struct is `repr(C)`, begins with the header and has the layout of a compact int;
        // the cast is of the whole static, so that the word behind the header can be reached.
        unsafe { &*core::ptr::from_ref(self).cast::<PyObject>() }
    }
}

const SMALL_MIN: i64 = -5;
const SMALL_COUNT: usize = 1030;

static SMALL_INTS: [StaticInt; SMALL_COUNT] = {
    let typ: *const PyTypeObject = core::ptr::from_ref(&INT_TYPE).cast();
    let mut ints = [const { StaticInt::new(core::ptr::null(), 0) }; SMALL_COUNT];
    let mut i = 0;
    while i < SMALL_COUNT {
        ints[i] = StaticInt::new(typ, SMALL_MIN + i as i64);
        i += 1;
    }
    ints
};

/// The immortal object of a value from -5 to 1024, which the caller vouches for (others give an arbitrary
/// one): a borrowed pointer that may be given away as an owned one.
#[inline(always)]
pub fn small_int_ptr(value: i64) -> *mut PyObject {
    debug_assert!((SMALL_MIN..SMALL_MIN + SMALL_COUNT as i64).contains(&value), "{value} is not a small int");
    let index = (value.wrapping_sub(SMALL_MIN) as u64 as usize).min(SMALL_COUNT - 1);
    SMALL_INTS[index].as_object().as_ptr()
}

/// The size of a compact int.
const COMPACT_SIZE: usize = core::mem::size_of::<PyInt>() + 8;

/// The most words of a magnitude: no address space of today has room for more.
const MAX_WORDS: usize = 1 << 44;

impl PyInt {
    /// The int `value`.
    #[inline]
    pub fn from_i64(ts: &ThreadState, value: i64) -> PyResult {
        match PyInt::small(value) {
            Some(small) => Ok(small),
            None => PyInt::new_compact(ts, value),
        }
    }

    /// The immortal object of a value from -5 to 1024.
    #[inline(always)]
    pub fn small(value: i64) -> Option<PyRef> {
        let index = value.wrapping_sub(SMALL_MIN) as u64 as usize;
        let int = SMALL_INTS.get(index)?;
        debug_assert!(int.as_object().refcnt() == IMMORTAL_REFCNT);
        // SAFETY: an immortal object has references to give away.
        Some(unsafe { PyRef::from_owned(int.as_object().as_ptr()) })
    }

    /// The int zero.
    #[inline]
    pub fn zero() -> &'static PyObject {
        SMALL_INTS[(-SMALL_MIN) as usize].as_object()
    }

    /// The int one.
    #[inline]
    pub fn one() -> &'static PyObject {
        SMALL_INTS[(1 - SMALL_MIN) as usize].as_object()
    }

    #[inline(always)]
    fn new_compact(ts: &ThreadState, value: i64) -> PyResult {
        let memory = ts.heap().obj_alloc(COMPACT_SIZE).cast::<PyInt>();
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        // SAFETY: the memory is new and has room for the header, the tag and a word.
        unsafe {
            (&raw mut (*memory).ob_base).write(PyObject::new(core::ptr::from_ref(&INT_TYPE).cast()));
            (&raw mut (*memory).tag).write(Cell::new(0));
            (&raw mut (*memory).words).cast::<i64>().write(value);
            reftrace::created(memory.cast());
            Ok(PyRef::from_owned(memory.cast()))
        }
    }

    /// The int `value`.
    #[inline]
    pub fn from_u64(ts: &ThreadState, value: u64) -> PyResult {
        match i64::try_from(value) {
            Ok(value) => PyInt::from_i64(ts, value),
            Err(_) => PyInt::from_words(ts, false, &[value]),
        }
    }

    /// The int `value`.
    #[inline]
    pub fn from_usize(ts: &ThreadState, value: usize) -> PyResult {
        PyInt::from_u64(ts, value as u64)
    }

    /// The int `value`.
    #[inline]
    pub fn from_isize(ts: &ThreadState, value: isize) -> PyResult {
        PyInt::from_i64(ts, value as i64)
    }

    /// The int `value`.
    #[inline]
    pub fn from_i128(ts: &ThreadState, value: i128) -> PyResult {
        match i64::try_from(value) {
            Ok(value) => PyInt::from_i64(ts, value),
            Err(_) => {
                let magnitude = value.unsigned_abs();
                PyInt::from_words(ts, value < 0, &[magnitude as u64, (magnitude >> 64) as u64])
            }
        }
    }

    /// The integer part of `value`. Raises OverflowError for an infinity, ValueError for a NaN.
    pub fn from_f64(ts: &ThreadState, value: f64) -> PyResult {
        const LIMIT: f64 = 9223372036854775808.0;
        if value > -LIMIT && value < LIMIT {
            return PyInt::from_i64(ts, value as i64);
        }
        if value.is_infinite() {
            return raise!(ts, exc::OverflowError, "cannot convert float infinity to integer");
        }
        if value.is_nan() {
            return raise!(ts, exc::ValueError, "cannot convert float NaN to integer");
        }
        let (words, length) = words::from_f64(value);
        PyInt::from_words(ts, value < 0.0, &words[..length])
    }

    /// The int with the given magnitude, least significant word first, which need not be trimmed.
    pub fn from_words(ts: &ThreadState, negative: bool, magnitude: &[u64]) -> PyResult {
        let magnitude = words::trim(magnitude);
        if let Some(value) = compact_value(negative, magnitude) {
            return PyInt::from_i64(ts, value);
        }
        let mut draft = Draft::new(ts, magnitude.len())?;
        draft.words().copy_from_slice(magnitude);
        draft.finish(ts, negative)
    }

    /// The value, when it fits.
    #[inline(always)]
    pub fn as_i64(&self) -> Option<i64> {
        if self.tag.get() == 0 { Some(self.first_word() as i64) } else { None }
    }

    /// Whether the value fits an `i64`.
    #[inline(always)]
    pub fn is_compact(&self) -> bool {
        self.tag.get() == 0
    }

    #[inline(always)]
    fn first_word(&self) -> u64 {
        // SAFETY: every int has at least one word.
        unsafe { core::ptr::from_ref(self).cast::<u64>().add(3).read() }
    }

    /// The sign, and the trimmed magnitude, for which a compact int needs `scratch`.
    #[inline]
    pub fn magnitude<'a>(&'a self, scratch: &'a mut u64) -> (bool, &'a [u64]) {
        let tag = self.tag.get();
        if tag == 0 {
            let value = self.first_word() as i64;
            *scratch = value.unsigned_abs();
            let words = core::slice::from_ref(&*scratch);
            return (value < 0, if value == 0 { &[] } else { words });
        }
        // SAFETY: I1: a large int has as many words as its tag says.
        let words =
            unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast::<u64>().add(3), tag.unsigned_abs()) };
        (tag < 0, words)
    }

    /// -1, 0 or 1.
    #[inline]
    pub fn sign(&self) -> i32 {
        match self.tag.get() {
            0 => (self.first_word() as i64).signum() as i32,
            tag => tag.signum() as i32,
        }
    }

    /// Whether the value is zero.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.as_i64() == Some(0)
    }

    /// Whether the value is odd.
    #[inline]
    pub fn is_odd(&self) -> bool {
        self.first_word() & 1 != 0
    }

    /// The number of bits of the magnitude.
    pub fn bits(&self) -> u64 {
        let mut scratch = 0;
        words::bit_length(self.magnitude(&mut scratch).1)
    }

    /// The nearest float; None when the value is out of a float's range.
    #[inline]
    pub fn as_f64(&self) -> Option<f64> {
        match self.as_i64() {
            Some(value) => Some(value as f64),
            None => {
                let mut scratch = 0;
                let (negative, words) = self.magnitude(&mut scratch);
                words::to_f64(words).map(|value| if negative { -value } else { value })
            }
        }
    }

    /// The nearest float. Raises OverflowError when the value is out of range.
    #[inline]
    pub fn to_f64(&self, ts: &ThreadState) -> PyResult<f64> {
        match self.as_f64() {
            Some(value) => Ok(value),
            None => raise!(ts, exc::OverflowError, "int too large to convert to float"),
        }
    }

    /// The value. Raises OverflowError when it does not fit C's `long`.
    #[inline]
    pub fn to_i64(&self, ts: &ThreadState) -> PyResult<i64> {
        match self.as_i64() {
            Some(value) => Ok(value),
            None => raise!(ts, exc::OverflowError, "Python int too large to convert to C long"),
        }
    }

    /// The value. Raises OverflowError when it does not fit `Py_ssize_t`.
    #[inline]
    pub fn to_isize(&self, ts: &ThreadState) -> PyResult<isize> {
        match self.as_i64() {
            Some(value) => Ok(value as isize),
            None => raise!(ts, exc::OverflowError, "Python int too large to convert to C ssize_t"),
        }
    }

    /// The value. Raises OverflowError when it is negative or does not fit `size_t`.
    pub fn to_usize(&self, ts: &ThreadState) -> PyResult<usize> {
        match self.as_u64() {
            Some(value) => Ok(value as usize),
            None if self.sign() < 0 => raise!(ts, exc::OverflowError, "can't convert negative value to size_t"),
            None => raise!(ts, exc::OverflowError, "Python int too large to convert to C size_t"),
        }
    }

    /// The value. Raises OverflowError when it is negative or does not fit C's `unsigned long`.
    pub fn to_u64(&self, ts: &ThreadState) -> PyResult<u64> {
        match self.as_u64() {
            Some(value) => Ok(value),
            None if self.sign() < 0 => raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int"),
            None => raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned long"),
        }
    }

    /// The value. Raises OverflowError when it does not fit C's `int`.
    pub fn to_i32(&self, ts: &ThreadState) -> PyResult<i32> {
        match self.as_i64().and_then(|value| i32::try_from(value).ok()) {
            Some(value) => Ok(value),
            None => raise!(ts, exc::OverflowError, "Python int too large to convert to C int"),
        }
    }

    /// The value, when it is not negative and fits.
    #[inline]
    pub fn as_u64(&self) -> Option<u64> {
        match self.tag.get() {
            0 => u64::try_from(self.first_word() as i64).ok(),
            1 => Some(self.first_word()),
            _ => None,
        }
    }

    /// The value modulo 2^64 (`PyLong_AsUnsignedLongMask`).
    pub fn wrapping_u64(&self) -> u64 {
        if self.tag.get() < 0 { self.first_word().wrapping_neg() } else { self.first_word() }
    }

    /// The value as an `isize`, the nearest limit when it is out of range.
    #[inline]
    pub fn saturating_isize(&self) -> isize {
        match self.as_i64() {
            Some(value) => value as isize,
            None if self.tag.get() < 0 => isize::MIN,
            None => isize::MAX,
        }
    }

    /// The same value as an exact int: the object itself unless it is a subclass's.
    #[inline]
    pub fn exact(&self, ts: &ThreadState) -> PyResult {
        if core::ptr::eq(self.as_object().ob_type(), &INT_TYPE.object) {
            return Ok(self.new_ref());
        }
        self.copy_exact(ts)
    }

    #[cold]
    fn copy_exact(&self, ts: &ThreadState) -> PyResult {
        let mut scratch = 0;
        let (negative, words) = self.magnitude(&mut scratch);
        PyInt::from_words(ts, negative, words)
    }

    /// An instance of a subtype with the value of `self`.
    pub(crate) fn to_subtype(&self, ts: &ThreadState, typ: &PyTypeObject) -> PyResult {
        let count = self.tag.get().unsigned_abs().max(1);
        let copy: Ref<PyInt> = alloc::var_object::<PyInt>(ts, typ, count)?;
        copy.tag.set(self.tag.get());
        // SAFETY: the copy was made with room for as many words, and nobody else has it yet.
        unsafe {
            let from = core::ptr::from_ref(self).cast::<u64>().add(3);
            let to = copy.as_raw().cast::<u64>().add(3);
            core::ptr::copy_nonoverlapping(from, to, count);
        }
        if typ.is_gc() {
            gc::track(ts, &*copy);
        }
        Ok(copy.into_object())
    }
}

/// The value of a trimmed magnitude with a sign, when it fits an `i64`.
#[inline]
fn compact_value(negative: bool, magnitude: &[u64]) -> Option<i64> {
    match *magnitude {
        [] => Some(0),
        [word] if negative && word <= 1 << 63 => Some((word as i64).wrapping_neg()),
        [word] if !negative && word < 1 << 63 => Some(word as i64),
        _ => None,
    }
}

/// A large int being made: its words are written, then it is finished.
pub(crate) struct Draft {
    object: Ref<PyInt>,
}

impl Draft {
    /// Room for a magnitude of `count` words, which are zero.
    pub(crate) fn new(ts: &ThreadState, count: usize) -> PyResult<Draft> {
        let count = count.max(1);
        if count > MAX_WORDS {
            return Err(ts.raise_no_memory());
        }
        let memory = ts.heap().obj_alloc(core::mem::size_of::<PyInt>() + count * 8).cast::<PyInt>();
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        // SAFETY: the memory is new and has room for the header, the tag and `count` words.
        unsafe {
            (&raw mut (*memory).ob_base).write(PyObject::new(core::ptr::from_ref(&INT_TYPE).cast()));
            (&raw mut (*memory).tag).write(Cell::new(count as isize));
            (&raw mut (*memory).words).cast::<u64>().write_bytes(0, count);
            reftrace::created(memory.cast());
            Ok(Draft { object: Ref::from_owned(memory) })
        }
    }

    /// The words.
    #[inline]
    pub(crate) fn words(&mut self) -> &mut [u64] {
        let count = self.object.tag.get() as usize;
        // SAFETY: the object has as many words, and only the draft refers to it.
        unsafe { core::slice::from_raw_parts_mut(self.object.as_raw().cast::<u64>().add(3), count) }
    }

    /// The int with the words as its magnitude.
    pub(crate) fn finish(mut self, ts: &ThreadState, negative: bool) -> PyResult {
        let words = words::trim(self.words());
        let length = words.len() as isize;
        if let Some(value) = compact_value(negative, words) {
            return PyInt::from_i64(ts, value);
        }
        self.object.tag.set(if negative { -length } else { length });
        Ok(self.object.into_object())
    }

    /// The int with the magnitude `value`, which fits the draft.
    pub(crate) fn finish_big(mut self, ts: &ThreadState, negative: bool, value: &dashu_int::UBig) -> PyResult {
        let from = value.as_words();
        let words = self.words();
        if from.len() > words.len() {
            return PyInt::from_words(ts, negative, from);
        }
        words[..from.len()].copy_from_slice(from);
        words[from.len()..].fill(0);
        self.finish(ts, negative)
    }
}

/// Frees an int: nothing but its memory.
///
/// # Safety
/// As for [`DeallocFn`](crate::object::slots::DeallocFn).
unsafe fn int_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is at its end and only ours.
    unsafe {
        if core::ptr::eq((*object).ob_type(), &INT_TYPE.object) {
            // I1: a compact int of this very type has the size of its one word.
            if (*object).cast_unchecked::<PyInt>().is_compact() {
                ts.heap().obj_free_sized(object.cast(), COMPACT_SIZE);
            } else {
                ts.heap().obj_free(object.cast());
            }
        } else {
            alloc::free(ts, object);
        }
    }
}

/// The types of this folder.
pub static TYPES: &[&crate::object::StaticType] = &[&INT_TYPE];
