//! `strftime` and `strptime`: what this module knows better than the C library, and who does the rest.

use hognose_allocators::collections::TryVec;

use super::text::{Text, write_offset};
use super::tzinfo::{argument_type, utc_offset, zone_name};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, StrBuilder};

/// What a format can ask of the object that is formatted.
pub struct Formatted<'a> {
    /// `%Y`
    pub year: i32,
    /// `%m`
    pub month: i32,
    /// `%d`
    pub day: i32,
    /// `%f`
    pub micro: i32,
    /// Says `%z` and `%Z`.
    pub zone: Option<PyRef>,
    /// What the zone is asked about.
    pub when: &'a PyObject,
}

/// A format as a str, with the words of an argument's check.
pub fn format_argument<'a>(ts: &ThreadState, function: &str, format: &'a PyObject) -> PyResult<&'a PyStr> {
    match format.downcast::<PyStr>() {
        Some(format) => Ok(format),
        None => raise!(ts, exc::TypeError, "{function}() argument 1 must be str, not {}", argument_type(format)),
    }
}

impl Formatted<'_> {
    /// The text in a form, with a time tuple for what the C library does.
    pub fn strftime(&self, ts: &ThreadState, format: &PyStr, time: &PyObject) -> PyResult {
        let strftime = protocol::import_attr(ts, "time", "strftime")?;
        let mut chars = TryVec::<u32>::try_with_capacity(format.len())?;
        chars.try_extend(format.chars())?;
        let mut out = StrBuilder::with_capacity(chars.len() + 16)?;
        let mut at = 0;
        while let Some(&ch) = chars.get(at) {
            at += 1;
            if ch != u32::from('%') {
                out.push_char(ch)?;
                continue;
            }
            let Some(&directive) = chars.get(at) else {
                out.push_ascii(b"%")?;
                break;
            };
            at += 1;
            match char::from_u32(directive) {
                Some('f') => self.push(&mut out, format_args!("{:06}", self.micro))?,
                Some('z') => self.push_offset(ts, &mut out, "")?,
                Some(':') if chars.get(at) == Some(&u32::from('z')) => {
                    at += 1;
                    self.push_offset(ts, &mut out, ":")?;
                }
                Some('Z') => {
                    if let Some(name) = zone_name(ts, self.zone.as_deref(), self.when)? {
                        // The C library will look at it again, so that a percent sign has to be doubled.
                        let [single, double] = [PyStr::new(ts, "%")?, PyStr::new(ts, "%%")?];
                        let replace = PyStr::intern(ts, "replace")?;
                        let arguments = [single.as_object(), double.as_object()];
                        let name = call::call_method(ts, name.as_object(), &replace, &arguments)?;
                        match name.downcast::<PyStr>() {
                            Some(name) => out.push(name)?,
                            None => return raise!(ts, exc::TypeError, "tzname.replace() did not return a string"),
                        }
                    }
                }
                // The C library does not fill small years up to four digits.
                Some('Y') if self.year < 1000 => self.push(&mut out, format_args!("{:04}", self.year))?,
                Some('C') if self.year < 1000 => self.push(&mut out, format_args!("{:02}", self.year / 100))?,
                Some('F') if self.year < 1000 => {
                    let date = format_args!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
                    self.push(&mut out, date)?;
                }
                Some('G') if self.year < 1000 => {
                    let form = PyStr::new(ts, "%G")?;
                    let year = call::call_with(ts, &strftime, &[form.as_object(), time])?;
                    let year = match year.downcast::<PyStr>() {
                        Some(year) => PyInt::parse_str(ts, year, 10)?,
                        None => return raise!(ts, exc::TypeError, "strftime() has not returned a str"),
                    };
                    let year = year.cast::<PyInt>().to_i64(ts)?;
                    self.push(&mut out, format_args!("{year:04}"))?;
                }
                _ => {
                    out.push_ascii(b"%")?;
                    out.push_char(directive)?;
                }
            }
        }
        let format = out.finish(ts)?;
        call::call_with(ts, &strftime, &[format.as_object(), time])
    }

    fn push(&self, out: &mut StrBuilder, text: core::fmt::Arguments<'_>) -> PyResult<()> {
        let mut short = Text::<32>::new();
        short.write(text);
        Ok(out.push_ascii(short.as_bytes())?)
    }

    fn push_offset(&self, ts: &ThreadState, out: &mut StrBuilder, separator: &str) -> PyResult<()> {
        if let Some(offset) = utc_offset(ts, self.zone.as_deref(), self.when)? {
            let mut text = Text::<32>::new();
            write_offset(&mut text, offset.total_microseconds(), separator);
            out.push_ascii(text.as_bytes())?;
        }
        Ok(())
    }
}

/// `__format__`: `strftime` with the format, or `str` without.
pub fn format(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    let spec = format_argument(ts, "__format__", spec)?;
    if spec.is_empty() {
        return Ok(protocol::str(ts, this)?.into_object());
    }
    protocol::call_named(ts, this, "strftime", &[spec.as_object()])
}

/// `strptime`, which is Python's, by one of the functions of `_strptime`.
pub fn strptime(ts: &ThreadState, class: &PyObject, args: &[&PyObject], function: &str) -> PyResult {
    if args.len() != 2 {
        return raise!(ts, exc::TypeError, "strptime() takes exactly 2 arguments ({} given)", args.len());
    }
    for (index, argument) in args.iter().enumerate() {
        if !argument.is_a::<PyStr>() {
            return raise!(
                ts,
                exc::TypeError,
                "strptime() argument {} must be str, not {}",
                index + 1,
                argument_type(argument)
            );
        }
    }
    let function = protocol::import_attr(ts, "_strptime", function)?;
    call::call_with(ts, &function, &[class, args[0], args[1]])
}

/// The text of ISO 8601, of a form by its name.
pub fn time_spec(ts: &ThreadState, name: Option<&PyObject>) -> PyResult<super::text::TimeSpec> {
    let Some(name) = name else { return Ok(super::text::TimeSpec::Auto) };
    let Some(text) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "isoformat() argument 'timespec' must be str, not {}", argument_type(name));
    };
    // Names with other characters than ASCII are unknown ones.
    match text.ascii_str().and_then(super::text::TimeSpec::from_name) {
        Some(spec) => Ok(spec),
        None => raise!(ts, exc::ValueError, "Unknown timespec value"),
    }
}

/// The characters of a text to be read.
pub fn characters(ts: &ThreadState, text: &PyObject) -> PyResult<TryVec<u32>> {
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "fromisoformat: argument must be str");
    };
    let mut chars = TryVec::<u32>::try_with_capacity(text.len())?;
    chars.try_extend(text.chars())?;
    Ok(chars)
}

/// Raises ValueError for a text that cannot be read.
#[cold]
pub fn invalid<T>(ts: &ThreadState, text: &PyObject) -> PyResult<T> {
    let text: Ref<PyStr> = protocol::repr(ts, text)?;
    raise!(ts, exc::ValueError, "Invalid isoformat string: {}", &*text)
}
