//! `complex(…)`: from numbers and from text.

use hognose_allocators::collections::TryVec;

use super::{COMPLEX_TYPE, Complex, PyComplex};
use crate::id;
use crate::object::attr::{Method, lookup_special};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::{PyFloat, parse_prefix};
use crate::types::int::PyInt;
use crate::types::int::new::warn_deprecated;
use crate::types::int::text::{ascii_number_text, strip};
use crate::types::str::{PyStr, StrData};

pub(super) fn complex_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    if let [only] = *args.all()
        && !args.has_keywords()
    {
        return from_one(ts, typ, only);
    }
    if args.all().len() > 2 {
        let given = args.all().len();
        return raise!(ts, exc::TypeError, "complex() takes at most 2 arguments ({given} given)");
    }
    static SIGNATURE: Signature<2> = Signature::new("complex", ["real", "imag"], 0, 2, 0);
    let [real, imaginary] = SIGNATURE.parse(ts, args)?;
    // Either may be complex for compatibility's sake: real + imag * 1j.
    let mut value = match real {
        Some(real) => part(ts, real, "real")?,
        None => Part { value: (0.0, 0.0), complex: false },
    };
    if let Some(imaginary) = imaginary {
        let second = part(ts, imaginary, "imag")?;
        let (real, imaginary) = second.value;
        if second.complex {
            value.value.0 -= imaginary;
        }
        value.value.1 = if value.complex { value.value.1 + real } else { real };
    }
    PyComplex::of_type(ts, typ, value.value.0, value.value.1)
}

/// A part of a complex number to be made, which may itself be complex.
struct Part {
    value: Complex,
    complex: bool,
}

fn part(ts: &ThreadState, object: &PyObject, name: &str) -> PyResult<Part> {
    // Only the real part may be given through `__complex__`.
    if name == "real"
        && object.downcast::<PyComplex>().is_none()
        && let Some(converted) = through_complex(ts, object)?
    {
        let value = converted.cast::<PyComplex>().value();
        warn_of_complex(ts, object, name)?;
        return Ok(Part { value, complex: true });
    }
    if let Some(complex) = object.downcast::<PyComplex>() {
        warn_of_complex(ts, object, name)?;
        return Ok(Part { value: complex.value(), complex: true });
    }
    let slots = object.ob_type().slots();
    if slots.nb_float.is_none() && slots.nb_index.is_none() {
        return raise!(
            ts,
            exc::TypeError,
            "complex() argument '{name}' must be a real number, not {}",
            object.type_name()
        );
    }
    Ok(Part { value: (protocol::as_f64(ts, object)?, 0.0), complex: false })
}

#[cold]
fn warn_of_complex(ts: &ThreadState, object: &PyObject, name: &str) -> PyResult<()> {
    warn_deprecated(ts, format_args!("complex() argument '{name}' must be a real number, not {}", object.type_name()))
}

fn from_one(ts: &ThreadState, typ: &PyTypeObject, object: &PyObject) -> PyResult {
    let exact = core::ptr::eq(typ, &COMPLEX_TYPE.object);
    if exact && object.downcast_exact::<PyComplex>().is_some() {
        return Ok(object.new_ref());
    }
    if let Some(text) = object.downcast::<PyStr>() {
        let (real, imaginary) = parse_str(ts, text)?;
        return PyComplex::of_type(ts, typ, real, imaginary);
    }
    match number(ts, object)? {
        Some((real, imaginary)) => PyComplex::of_type(ts, typ, real, imaginary),
        None => {
            raise!(ts, exc::TypeError, "complex() argument must be a string or a number, not {}", object.type_name())
        }
    }
}

/// What `__complex__` gives, which is a complex or an instance of a subclass; None without such a method.
fn through_complex(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    if object.downcast_exact::<PyComplex>().is_some() {
        return Ok(Some(object.new_ref()));
    }
    if object.downcast_exact::<PyFloat>().is_some() || object.downcast_exact::<PyInt>().is_some() {
        return Ok(None);
    }
    let result = match lookup_special(ts, object, id!(__complex__))? {
        None => return Ok(None),
        Some(Method::Unbound(function)) => call::call_with(ts, &function, &[object])?,
        Some(Method::Bound(method)) => call::call0(ts, &method)?,
    };
    if !result.is_a::<PyComplex>() {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__complex__() must return a complex, not {}",
            object.type_name(),
            result.type_name()
        );
    }
    if result.downcast_exact::<PyComplex>().is_none() {
        warn_deprecated(
            ts,
            format_args!(
                "{}.__complex__() must return a complex, not {}.  The ability to return an instance of a strict subclass \
                 of complex is deprecated, and may not be supported in a future version of Python.",
                object.type_name(),
                result.type_name()
            ),
        )?;
    }
    Ok(Some(result))
}

/// The value of a number: a complex one, or through `__complex__`, `__float__` or `__index__`; None for
/// what is no number.
fn number(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Complex>> {
    if let Some(result) = through_complex(ts, object)? {
        return Ok(Some(result.cast::<PyComplex>().value()));
    }
    if let Some(complex) = object.downcast::<PyComplex>() {
        return Ok(Some(complex.value()));
    }
    let slots = object.ob_type().slots();
    if slots.nb_float.is_none() && slots.nb_index.is_none() && !object.is_a::<PyFloat>() {
        return Ok(None);
    }
    Ok(Some((protocol::as_f64(ts, object)?, 0.0)))
}

/// The value of a number (`PyComplex_AsCComplex`). Raises TypeError for what is none.
pub fn value_of(ts: &ThreadState, object: &PyObject) -> PyResult<Complex> {
    match number(ts, object)? {
        Some(value) => Ok(value),
        None => raise!(ts, exc::TypeError, "must be real number, not {}", object.type_name()),
    }
}

/// `complex(object)`.
pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult {
    from_one(ts, &COMPLEX_TYPE.object, object)
}

pub(super) fn from_number(ts: &ThreadState, class: &PyObject, object: &PyObject) -> PyResult {
    let exact = core::ptr::addr_eq(class, &COMPLEX_TYPE);
    if exact && object.downcast_exact::<PyComplex>().is_some() {
        return Ok(object.new_ref());
    }
    let (real, imaginary) = value_of(ts, object)?;
    let value = PyComplex::new(ts, real, imaginary)?;
    if exact { Ok(value) } else { call::call_with(ts, class, &[&value]) }
}

fn parse_str(ts: &ThreadState, text: &PyStr) -> PyResult<Complex> {
    let value = match text.data() {
        StrData::Ascii(bytes) => parse(bytes)?,
        _ => parse(&ascii_number_text(text)?)?,
    };
    match value {
        Parsed::Value(value) => Ok(value),
        Parsed::Malformed => raise!(ts, exc::ValueError, "complex() arg is a malformed string"),
        Parsed::Underscores => {
            let text = protocol::repr(ts, text.as_object())?;
            raise!(ts, exc::ValueError, "could not convert string to complex: {}", &*text)
        }
    }
}

enum Parsed {
    Value(Complex),
    Malformed,
    Underscores,
}

fn parse(text: &[u8]) -> PyResult<Parsed> {
    if !text.contains(&b'_') {
        return Ok(parse_plain(text).map_or(Parsed::Malformed, Parsed::Value));
    }
    let mut plain = TryVec::<u8>::new();
    plain.try_reserve(text.len())?;
    for (index, byte) in text.iter().enumerate() {
        if *byte != b'_' {
            plain.try_push(*byte)?;
            continue;
        }
        let digit_at = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
        if index == 0 || !digit_at(index - 1) || !digit_at(index + 1) {
            return Ok(Parsed::Underscores);
        }
    }
    Ok(parse_plain(&plain).map_or(Parsed::Malformed, Parsed::Value))
}

/// The forms are: a float; a float and `j`; a float, a signed float and `j`; where before the `j` only a
/// sign may be left of a float, or nothing. All of it may be in parentheses.
fn parse_plain(text: &[u8]) -> Option<Complex> {
    let mut text = strip(text);
    if let [b'(', inner @ .., b')'] = text {
        text = strip(inner);
    }
    let is_j = |byte: Option<&u8>| matches!(byte, Some(b'j' | b'J'));
    let Some((first, length)) = parse_prefix(text) else {
        // No float: `j`, `+j` or `-j`.
        return match text {
            [b'+', j] | [j] if is_j(Some(j)) => Some((0.0, 1.0)),
            [b'-', j] if is_j(Some(j)) => Some((0.0, -1.0)),
            _ => None,
        };
    };
    let rest = &text[length..];
    match rest {
        [] => return Some((first, 0.0)),
        [j] if is_j(Some(j)) => return Some((0.0, first)),
        [b'+', j] if is_j(Some(j)) => return Some((first, 1.0)),
        [b'-', j] if is_j(Some(j)) => return Some((first, -1.0)),
        [b'+' | b'-', ..] => {}
        _ => return None,
    }
    let (second, length) = parse_prefix(rest)?;
    match rest[length..] {
        [j] if is_j(Some(&j)) => Some((first, second)),
        _ => None,
    }
}
