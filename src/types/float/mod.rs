//! `float`: IEEE 754 doubles.

mod hex;
mod methods;
mod ops;
mod text;

use core::cell::Cell;

pub use methods::{FLOAT_TYPE, from_object};
pub use ops::{divmod as divmod_f64, floor_divide as floor_divide_f64, modulo as modulo_f64, power, to_f64};
pub(in crate::types) use text::parse_prefix;
pub use text::{FloatText, parse_ascii, parse_str, write_repr};

use crate::object::{PyObject, PyRef, PyResult, PyTypeObject, Ref, StaticType, alloc, gc, reftrace};
use crate::state::ThreadState;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&FLOAT_TYPE];

/// A `float`.
#[repr(C)]
pub struct PyFloat {
    ob_base: PyObject,
    value: Cell<f64>,
}
crate::native!(PyFloat, FLOAT_TYPE);

impl PyFloat {
    /// The float `value`.
    #[inline(always)]
    pub fn new(ts: &ThreadState, value: f64) -> PyResult {
        let memory = ts.heap().obj_alloc(core::mem::size_of::<PyFloat>()).cast::<PyFloat>();
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        // SAFETY: the memory is new and of a float's size.
        unsafe {
            memory.write(PyFloat {
                ob_base: PyObject::new(core::ptr::from_ref(&FLOAT_TYPE).cast()),
                value: Cell::new(value),
            });
            reftrace::created(memory.cast());
            Ok(PyRef::from_owned(memory.cast()))
        }
    }

    /// The value.
    #[inline(always)]
    pub fn value(&self) -> f64 {
        self.value.get()
    }

    /// Gives the object another value: an operand that dies with its operation lends its memory to the
    /// result. Only for an exact float that nobody else refers to.
    #[inline(always)]
    pub(crate) fn set_value(&self, value: f64) {
        debug_assert!(self.ob_base.is_unique(), "a float that is shared does not change");
        self.value.set(value);
    }

    /// An instance of a subtype.
    pub(crate) fn of_type(ts: &ThreadState, typ: &PyTypeObject, value: f64) -> PyResult {
        if core::ptr::eq(typ, &FLOAT_TYPE.object) {
            return PyFloat::new(ts, value);
        }
        let float: Ref<PyFloat> = alloc::object::<PyFloat>(ts, typ)?;
        float.value.set(value);
        if typ.is_gc() {
            gc::track(ts, &*float);
        }
        Ok(float.into_object())
    }
}

/// Frees a float: nothing but its memory.
///
/// # Safety
/// As for [`DeallocFn`](crate::object::slots::DeallocFn).
unsafe fn float_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is at its end and only ours.
    unsafe {
        if core::ptr::eq((*object).ob_type(), &FLOAT_TYPE.object) {
            ts.heap().obj_free_sized(object.cast(), core::mem::size_of::<PyFloat>());
        } else {
            alloc::free(ts, object);
        }
    }
}

unsafe extern "C" {
    #[link_name = "ldexp"]
    safe fn c_ldexp(value: f64, exponent: i32) -> f64;
    #[link_name = "frexp"]
    fn c_frexp(value: f64, exponent: *mut i32) -> f64;
}

/// `value * 2^exponent`, rounded once.
#[inline]
pub fn ldexp(value: f64, exponent: i32) -> f64 {
    c_ldexp(value, exponent)
}

/// `(m, e)` with `value == m * 2^e` and `0.5 <= |m| < 1`; (value, 0) for zeros, infinities and NaNs.
#[inline]
pub fn frexp(value: f64) -> (f64, i32) {
    if value == 0.0 || !value.is_finite() {
        return (value, 0);
    }
    let mut exponent = 0;
    // SAFETY: the function writes the exponent and nothing else.
    let mantissa = unsafe { c_frexp(value, &raw mut exponent) };
    (mantissa, exponent)
}

/// The hash of a float: that of the int or fraction of the same value.
pub fn hash_f64(object: &PyObject, value: f64) -> isize {
    if !value.is_finite() {
        if value.is_nan() {
            return crate::object::protocol::hash_pointer(object);
        }
        return if value > 0.0 { 314159 } else { -314159 };
    }
    if value == value.trunc() && value.abs() < 9e18 {
        return crate::types::int::hash_i64(value as i64);
    }
    const BITS: u32 = 61;
    const MODULUS: u64 = (1 << BITS) - 1;
    let (mut mantissa, mut exponent) = frexp(value.abs());
    let mut hash = 0u64;
    // 28 bits of the mantissa at a time: multiplying by a power of two is a rotation.
    while mantissa != 0.0 {
        hash = (hash << 28 & MODULUS) | hash >> (BITS - 28);
        mantissa *= 268435456.0;
        exponent -= 28;
        let part = mantissa as u64;
        mantissa -= part as f64;
        hash += part;
        if hash >= MODULUS {
            hash -= MODULUS;
        }
    }
    let rotate = exponent.rem_euclid(BITS as i32) as u32;
    hash = (hash << rotate & MODULUS) | hash >> (BITS - rotate);
    let hash = if value < 0.0 { -(hash as isize) } else { hash as isize };
    if hash == -1 { -2 } else { hash }
}
