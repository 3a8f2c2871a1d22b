//! `__format__` of the numbers: their values and digits, laid out by `crate::text`.

use core::ffi::CStr;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::TextSink;
use crate::text::format_number::{self, IntKind, Locale};
use crate::text::format_spec::{FormatSpec, Target};
use crate::text::message::{Exception, Message, TextError};
use crate::types::complex::PyComplex;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::{DigitText, PyInt};
use crate::types::str::{PyStr, StrData};

/// Collects text that is ASCII.
struct AsciiSink(TryVec<u8>);

impl TextSink for AsciiSink {
    fn push(&mut self, ch: u32) -> Result<(), NoMemory> {
        debug_assert!(ch < 128, "only ASCII is written here");
        self.0.try_push(ch as u8)
    }
    fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        self.0.try_extend_from_slice(bytes)
    }
}

/// The specifier's characters.
enum SpecText<'a> {
    Bytes(&'a [u8]),
    Wide(TryVec<u32>),
}

macro_rules! with_text {
    ($text:expr, |$name:ident| $body:expr) => {
        match &$text {
            SpecText::Bytes($name) => $body(*$name),
            SpecText::Wide($name) => $body(&**$name),
        }
    };
}

fn spec_text(spec: &PyStr) -> PyResult<SpecText<'_>> {
    if let StrData::Ascii(bytes) = spec.data() {
        return Ok(SpecText::Bytes(bytes));
    }
    let mut wide = TryVec::new();
    wide.try_reserve(spec.len())?;
    for index in 0..spec.len() {
        wide.try_push(spec.char_at(index))?;
    }
    Ok(SpecText::Wide(wide))
}

/// The locale's ways, copied from C: `localeconv`'s answer lives in C's static memory.
#[derive(Default)]
struct OwnLocale {
    point: TryVec<u32>,
    separator: TryVec<u32>,
    grouping: TryVec<u8>,
}

impl OwnLocale {
    fn current() -> Result<OwnLocale, NoMemory> {
        let mut locale = OwnLocale::default();
        // SAFETY: the result points to C's static structure, whose members are NUL-terminated strings;
        // nothing sets the locale while they are copied, because that needs the GIL.
        unsafe {
            let conv = &*libc::localeconv();
            decode_into(&mut locale.point, CStr::from_ptr(conv.decimal_point).to_bytes())?;
            decode_into(&mut locale.separator, CStr::from_ptr(conv.thousands_sep).to_bytes())?;
            locale.grouping.try_extend_from_slice(CStr::from_ptr(conv.grouping).to_bytes())?;
        }
        Ok(locale)
    }

    fn view(&self) -> Locale<'_> {
        Locale { point: &self.point, separator: &self.separator, grouping: &self.grouping }
    }
}

/// UTF-8 where the bytes are that, Latin-1 otherwise.
fn decode_into(out: &mut TryVec<u32>, bytes: &[u8]) -> Result<(), NoMemory> {
    match core::str::from_utf8(bytes) {
        Ok(text) => text.chars().try_for_each(|ch| out.try_push(u32::from(ch))),
        Err(_) => bytes.iter().try_for_each(|byte| out.try_push(u32::from(*byte))),
    }
}

/// What is to be laid out.
enum Value<'a> {
    Int(&'a PyInt),
    Float(f64),
    Complex(f64, f64),
}

/// `int.__format__`.
pub fn format_int(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    format(ts, this, spec, Target::Int, Value::Int(this.cast()))
}

/// `float.__format__`.
pub fn format_float(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    format(ts, this, spec, Target::Float, Value::Float(this.cast::<PyFloat>().value()))
}

/// `complex.__format__`.
pub fn format_complex(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    let (real, imaginary) = this.cast::<PyComplex>().value();
    format(ts, this, spec, Target::Float, Value::Complex(real, imaginary))
}

fn format(ts: &ThreadState, this: &PyObject, spec: &PyObject, target: Target, value: Value<'_>) -> PyResult {
    let Some(spec) = spec.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__format__() argument must be str, not {}", spec.type_name());
    };
    if spec.len() == 0 {
        return Ok(protocol::str(ts, this)?.into_object());
    }
    let text = spec_text(spec)?;
    let parsed = match with_text!(text, |text| |t| FormatSpec::parse(t, target)) {
        Ok(parsed) => parsed,
        Err(message) => return refuse(ts, this, &text, message),
    };
    let locale = if parsed.kind == u32::from(b'n') { Some(OwnLocale::current()?) } else { None };
    let locale_view = locale.as_ref().map_or(Locale::C, OwnLocale::view);
    let ascii = parsed.fill < 128 && parsed.kind != u32::from(b'c') && locale.is_none();
    if ascii {
        let mut sink = AsciiSink(TryVec::new());
        return match write(ts, &parsed, value, &locale_view, &mut sink)? {
            Ok(()) => Ok(PyStr::from_latin1(ts, &sink.0)?.into_object()),
            Err(error) => refuse_error(ts, this, &text, error),
        };
    }
    let mut sink = TryVec::<u32>::new();
    match write(ts, &parsed, value, &locale_view, &mut sink)? {
        Ok(()) => Ok(PyStr::from_ucs4(ts, &sink)?.into_object()),
        Err(error) => refuse_error(ts, this, &text, error),
    }
}

fn write<S: TextSink>(
    ts: &ThreadState,
    spec: &FormatSpec,
    value: Value<'_>,
    locale: &Locale<'_>,
    sink: &mut S,
) -> PyResult<Result<(), TextError>> {
    let int = match value {
        Value::Float(value) => return Ok(format_number::format_f64(spec, value, locale, sink)),
        Value::Complex(real, imaginary) => {
            return Ok(format_number::format_complex(spec, real, imaginary, locale, sink));
        }
        Value::Int(int) => int,
    };
    Ok(match format_number::int_kind(spec) {
        Err(message) => Err(message.into()),
        Ok(IntKind::Float) => format_number::format_f64(spec, int.to_f64(ts)?, locale, sink),
        Ok(IntKind::Char) => {
            let ch = int.as_u64().and_then(|value| u32::try_from(value).ok());
            format_number::format_char(spec, ch, sink)
        }
        Ok(IntKind::Digits(base)) => {
            let digits = DigitText::new(ts, int, base)?;
            format_number::format_int(spec, int.sign() < 0, digits.as_bytes(), locale, sink)
        }
    })
}

#[cold]
fn refuse_error(ts: &ThreadState, this: &PyObject, spec: &SpecText<'_>, error: TextError) -> PyResult {
    match error {
        TextError::NoMemory => Err(NoMemory.into()),
        TextError::Raise(message) => refuse(ts, this, spec, message),
    }
}

#[cold]
fn refuse(ts: &ThreadState, this: &PyObject, spec: &SpecText<'_>, message: Message) -> PyResult {
    let mut sink = TryVec::<u32>::new();
    with_text!(*spec, |text| |t| message.write(t, this.type_name(), &mut sink))?;
    let text = PyStr::from_ucs4(ts, &sink)?;
    let exception = match message.exception() {
        Exception::Value => &exc::ValueError,
        Exception::Type => &exc::TypeError,
        Exception::Overflow => &exc::OverflowError,
    };
    Err(ts.raise_with(exception, text.as_object()))
}
