//! `float` and `complex`. Declared in `floatobject.h` and `complexobject.h`.

use core::ffi::c_int;

use super::convert::guard;
use crate::object::{AsObject, PyObject, PyRef, PyResult, protocol};
use crate::state::ThreadState;
use crate::types::complex::{self, PyComplex};
use crate::types::exceptions as exc;
use crate::types::float::{self, PyFloat};
use crate::types::str::PyStr;
use crate::{capi, capi_fast, raise};

capi_fast! {
    /// A float.
    fn PyFloat_FromDouble(ts, value: f64) -> PyRef {
        PyFloat::new(ts, value)
    }
}

capi! {
    /// The value of a float, or of what `__float__` or `__index__` gives.
    fn PyFloat_AsDouble(ts, object: &PyObject) -> f64 {
        match object.downcast::<PyFloat>() {
            Some(float) => Ok(float.value()),
            None => protocol::as_f64(ts, object),
        }
    }

    /// The float that a str or bytes says.
    fn PyFloat_FromString(ts, text: &PyObject) -> PyRef {
        if let Some(text) = text.downcast::<PyStr>() {
            return PyFloat::new(ts, float::parse_str(ts, text)?);
        }
        float::from_object(ts, text)
    }

    /// `sys.float_info`.
    fn PyFloat_GetInfo(ts) -> PyRef {
        let sys = crate::import::import_module(ts, "sys")?;
        crate::object::attr::get(ts, &sys, &*PyStr::intern(ts, "float_info")?)
    }

    /// A complex number.
    fn PyComplex_FromDoubles(ts, real: f64, imaginary: f64) -> PyRef {
        PyComplex::new(ts, real, imaginary)
    }

    /// The real part.
    fn PyComplex_RealAsDouble(ts, object: &PyObject) -> f64 {
        Ok(parts(ts, object)?.0)
    }

    /// The imaginary part, 0.0 for what is not complex.
    fn PyComplex_ImagAsDouble(ts, object: &PyObject) -> f64 {
        Ok(parts(ts, object)?.1)
    }
}

/// The largest finite float.
#[unsafe(no_mangle)]
pub extern "C" fn PyFloat_GetMax() -> f64 {
    f64::MAX
}

/// The smallest normal float above 0.
#[unsafe(no_mangle)]
pub extern "C" fn PyFloat_GetMin() -> f64 {
    f64::MIN_POSITIVE
}

fn parts(ts: &ThreadState, object: &PyObject) -> PyResult<(f64, f64)> {
    if object.is_a::<PyFloat>() {
        return Ok((protocol::as_f64(ts, object)?, 0.0));
    }
    let value = complex::value_of(ts, object)?;
    Ok((value.0, value.1))
}

/// `Py_complex`, by value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PyComplexValue {
    /// The real part.
    pub real: f64,
    /// The imaginary part.
    pub imag: f64,
}

/// A complex number.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyComplex_FromCComplex(value: PyComplexValue) -> *mut PyObject {
    guard::<PyRef>("PyComplex_FromCComplex", |ts| PyComplex::new(ts, value.real, value.imag))
}

/// Both parts; (-1, 0) with an exception.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyComplex_AsCComplex(object: *mut PyObject) -> PyComplexValue {
    let mut value = PyComplexValue { real: -1.0, imag: 0.0 };
    guard::<()>("PyComplex_AsCComplex", |ts| {
        let object = <&PyObject as super::convert::FromC>::from_c(ts, object, "PyComplex_AsCComplex")?;
        let (real, imag) = parts(ts, object)?;
        value = PyComplexValue { real, imag };
        Ok(())
    });
    value
}

macro_rules! pack {
    ($($pack:ident $unpack:ident $float:ty, $size:literal;)*) => {
        $(
            /// Writes the float in IEEE 754 form; OverflowError when it is too large for the width.
            ///
            /// # Safety
            ///
            /// A thread state is attached; `data` has room.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $pack(value: f64, data: *mut core::ffi::c_char, little: c_int) -> c_int {
                guard::<()>(stringify!($pack), |ts| {
                    let narrow = value as $float;
                    if narrow.is_infinite() && value.is_finite() {
                        return raise!(ts, exc::OverflowError, "float too large to pack with {} format", if $size == 4 { "f" } else { "d" });
                    }
                    let bytes = if little != 0 { narrow.to_le_bytes() } else { narrow.to_be_bytes() };
                    // SAFETY: the caller's room.
                    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), $size) };
                    Ok(())
                })
            }

            /// Reads a float in IEEE 754 form.
            ///
            /// # Safety
            ///
            /// `data` has the bytes.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $unpack(data: *const core::ffi::c_char, little: c_int) -> f64 {
                let mut bytes = [0u8; $size];
                // SAFETY: the caller's bytes.
                unsafe { core::ptr::copy_nonoverlapping(data.cast(), bytes.as_mut_ptr(), $size) };
                let value = if little != 0 { <$float>::from_le_bytes(bytes) } else { <$float>::from_be_bytes(bytes) };
                value.into()
            }
        )*
    };
}

pack! {
    PyFloat_Pack4 PyFloat_Unpack4 f32, 4;
    PyFloat_Pack8 PyFloat_Unpack8 f64, 8;
}

/// The float of an object, for `PyNumber_Float`.
pub(crate) fn to_float(ts: &ThreadState, object: &PyObject) -> PyResult {
    match object.downcast_exact::<PyFloat>() {
        Some(float) => Ok(float.new_ref()),
        None => float::from_object(ts, object),
    }
}
