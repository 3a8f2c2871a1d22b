//! `complex`: pairs of doubles.

mod arith;
mod methods;
mod new;

use core::cell::Cell;

pub use arith::{abs, divide, multiply, power, power_of_floats};
pub use methods::COMPLEX_TYPE;
pub use new::{from_object, value_of};

use crate::object::{PyObject, PyResult, PyTypeObject, Ref, StaticType, alloc, gc};
use crate::state::ThreadState;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&COMPLEX_TYPE];

/// A complex number: the real and the imaginary part.
pub type Complex = (f64, f64);

/// A `complex`.
#[repr(C)]
pub struct PyComplex {
    ob_base: PyObject,
    real: Cell<f64>,
    imaginary: Cell<f64>,
}
crate::native!(PyComplex, COMPLEX_TYPE);

impl PyComplex {
    /// The complex number with these parts.
    pub fn new(ts: &ThreadState, real: f64, imaginary: f64) -> PyResult {
        PyComplex::of_type(ts, &COMPLEX_TYPE.object, real, imaginary)
    }

    /// An instance of a subtype.
    pub(crate) fn of_type(ts: &ThreadState, typ: &PyTypeObject, real: f64, imaginary: f64) -> PyResult {
        let complex: Ref<PyComplex> = alloc::object::<PyComplex>(ts, typ)?;
        complex.real.set(real);
        complex.imaginary.set(imaginary);
        if typ.is_gc() {
            gc::track(ts, &*complex);
        }
        Ok(complex.into_object())
    }

    /// The real and the imaginary part.
    #[inline]
    pub fn value(&self) -> Complex {
        (self.real.get(), self.imaginary.get())
    }

    /// The real part.
    pub fn real(&self) -> f64 {
        self.real.get()
    }

    /// The imaginary part.
    pub fn imaginary(&self) -> f64 {
        self.imaginary.get()
    }
}
