//! The type `complex` and its methods.

use hognose_allocators::collections::TryVec;

use super::{PyComplex, arith, new};
use crate::object::{GetSetDef, MethodDef, PyObject, PyResult, StaticType, TypeSlots, TypeSpec, alloc, flags};
use crate::state::ThreadState;
use crate::types::float::{FloatText, PyFloat};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The type `complex`.
#[unsafe(export_name = "PyComplex_Type")]
pub static COMPLEX_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"complex",
    basicsize: core::mem::size_of::<PyComplex>(),
    flags: flags::BASETYPE,
    doc: "complex(real=0, imag=0)\n--\n\nCreate a complex number from a string or numbers.\n\n\
If a string is given, parse it as a complex number.\nIf a single number is given, convert it to a complex number.\n\
If the 'real' or 'imag' arguments are given, create a complex number\nwith the specified real and imaginary components.",
    slots: TypeSlots {
        new: Some(new::complex_new),
        dealloc: Some(complex_dealloc),
        repr: Some(repr_slot),
        hash: Some(arith::hash_slot),
        richcompare: Some(arith::richcompare_slot),
        nb_add: Some(arith::add_slot),
        nb_subtract: Some(arith::sub_slot),
        nb_multiply: Some(arith::mul_slot),
        nb_true_divide: Some(arith::divide_slot),
        nb_power: Some(arith::power_slot),
        nb_negative: Some(arith::neg_slot),
        nb_positive: Some(arith::pos_slot),
        nb_absolute: Some(arith::abs_slot),
        nb_bool: Some(arith::bool_slot),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "from_number",
            new::from_number,
            "from_number($type, number, /)\n--\n\nConvert number to a complex floating-point number.",
        )
        .class(),
        MethodDef::no_args(
            "conjugate",
            conjugate,
            "conjugate($self, /)\n--\n\nReturn the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.",
        ),
        MethodDef::no_args(
            "__complex__",
            arith::pos_slot,
            "__complex__($self, /)\n--\n\nConvert this value to exact type complex.",
        ),
        MethodDef::no_args("__getnewargs__", getnewargs, "__getnewargs__($self, /)\n--\n\n"),
        MethodDef::one(
            "__format__",
            format,
            "__format__($self, format_spec, /)\n--\n\nConvert to a string according to format_spec.",
        ),
    ],
    getset: &[
        GetSetDef::field(
            "real",
            |ts, this| PyFloat::new(ts, this.cast::<PyComplex>().real()),
            "the real part of a complex number",
        ),
        GetSetDef::field(
            "imag",
            |ts, this| PyFloat::new(ts, this.cast::<PyComplex>().imaginary()),
            "the imaginary part of a complex number",
        ),
    ],
    ..TypeSpec::EMPTY
});

unsafe fn complex_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is at its end and owns nothing but its memory.
    unsafe { alloc::free(ts, object) }
}

fn repr_slot(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (real, imaginary) = object.cast::<PyComplex>().value();
    let imaginary_text = FloatText::new(imaginary, false);
    let mut text = TryVec::<u8>::new();
    text.try_reserve(64)?;
    let only_imaginary = real == 0.0 && real.is_sign_positive();
    if !only_imaginary {
        text.try_push(b'(')?;
        text.try_extend_from_slice(FloatText::new(real, false).as_bytes())?;
        if !imaginary_text.as_bytes().starts_with(b"-") {
            text.try_push(b'+')?;
        }
    }
    text.try_extend_from_slice(imaginary_text.as_bytes())?;
    text.try_extend_from_slice(if only_imaginary { b"j" } else { b"j)" })?;
    Ok(PyStr::from_latin1(ts, &text)?.into_object())
}

fn conjugate(ts: &ThreadState, this: &PyObject) -> PyResult {
    let (real, imaginary) = this.cast::<PyComplex>().value();
    PyComplex::new(ts, real, -imaginary)
}

fn getnewargs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let (real, imaginary) = this.cast::<PyComplex>().value();
    let (real, imaginary) = (PyFloat::new(ts, real)?, PyFloat::new(ts, imaginary)?);
    Ok(PyTuple::pair(ts, &real, &imaginary)?.into_object())
}

fn format(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    crate::types::numeric_format::format_complex(ts, this, spec)
}
