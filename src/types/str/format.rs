//! `str.format`, `format_map` and `__format__`: fills the fields of a format string with values.

use core::ops::Range;

use super::args;
use super::builder::StrBuilder;
use super::layout::PyStr;
use crate::object::call::Args;
use crate::object::{AsObject, PyObject, PyResult, Raised, Ref, attr, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::format_number::format_str;
use crate::text::format_spec::{FormatSpec, Target};
use crate::text::format_string::{self, AutoNumber, Field, Markups, Step, split_name};
use crate::text::message::{Exception, Message, TextError};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;

/// Raises what the text cores have to say; `spec` and `type_name` are quoted by some of the messages.
#[cold]
pub fn raise_message(ts: &ThreadState, message: Message, spec: &PyStr, type_name: &str) -> Raised {
    let mut out = StrBuilder::new();
    if let Err(no_memory) = message.write(spec, type_name, &mut out) {
        return no_memory.into();
    }
    let exception = match message.exception() {
        Exception::Value => &exc::ValueError,
        Exception::Type => &exc::TypeError,
        Exception::Overflow => &exc::OverflowError,
    };
    match out.finish(ts) {
        Ok(text) => ts.raise_with(exception, text.as_object()),
        Err(raised) => raised,
    }
}

/// [`raise_message`] for what writers return.
#[cold]
pub fn raise_text_error(ts: &ThreadState, error: TextError, spec: &PyStr, type_name: &str) -> Raised {
    match error {
        TextError::NoMemory => hognose_allocators::NoMemory.into(),
        TextError::Raise(message) => raise_message(ts, message, spec, type_name),
    }
}

/// `format(text, spec)` for a string.
pub fn format_text(ts: &ThreadState, text: &PyStr, spec: &PyStr) -> PyResult<Ref<PyStr>> {
    if spec.is_empty() {
        return if text.is_exact() { Ok(Ref::from_borrowed(text)) } else { super::str_of(ts, text.as_object()) };
    }
    let type_name = text.as_object().type_name();
    let mut out = StrBuilder::new();
    let parsed = match FormatSpec::parse(spec, Target::Str) {
        Ok(parsed) => parsed,
        Err(message) => return Err(raise_message(ts, message, spec, type_name)),
    };
    match format_str(&parsed, text, &mut out) {
        Ok(()) => out.finish(ts),
        Err(error) => Err(raise_text_error(ts, error, spec, type_name)),
    }
}

/// `__format__`.
pub(super) fn dunder_format(ts: &ThreadState, this: &PyObject, spec: &PyObject) -> PyResult {
    let spec = args::string(ts, "__format__", "", spec)?;
    format_text(ts, this.cast::<PyStr>(), spec).map(Ref::into_object)
}

/// Where the values come from.
enum Values<'a> {
    Arguments(Args<'a>),
    Mapping(&'a PyObject),
}

impl Values<'_> {
    fn positional(&self, ts: &ThreadState, index: usize) -> PyResult {
        match self {
            Values::Mapping(_) => raise!(ts, exc::ValueError, "Format string contains positional fields"),
            Values::Arguments(arguments) => match arguments.positional().get(index) {
                Some(value) => Ok(value.new_ref()),
                None => raise!(ts, exc::IndexError, "Replacement index {index} out of range for positional args tuple"),
            },
        }
    }

    fn named(&self, ts: &ThreadState, name: &PyStr) -> PyResult {
        match self {
            Values::Mapping(mapping) => protocol::getitem(ts, mapping, name.as_object()),
            Values::Arguments(arguments) => match arguments.keywords().find(|(key, _)| key.equals(name)) {
                Some((_, value)) => Ok(value.new_ref()),
                None => Err(ts.raise_with(&exc::KeyError, name.as_object())),
            },
        }
    }
}

/// How deep specs may have fields with specs.
const DEPTH: u32 = 2;

struct Formatter<'a> {
    text: &'a PyStr,
    values: Values<'a>,
    numbers: AutoNumber,
}

impl Formatter<'_> {
    fn fail(&self, ts: &ThreadState, message: Message) -> Raised {
        raise_message(ts, message, self.text, "str")
    }

    /// Appends a part of the format string with its fields filled in.
    fn fill(&mut self, ts: &ThreadState, range: Range<usize>, depth: u32, out: &mut StrBuilder) -> PyResult<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.fail(ts, format_string::RECURSION));
        };
        for markup in Markups::new(self.text, range) {
            let markup = markup.map_err(|message| self.fail(ts, message))?;
            out.push_slice(self.text, markup.literal.start, markup.literal.end)?;
            if let Some(field) = markup.field {
                self.fill_field(ts, field, depth, out)?;
            }
        }
        Ok(())
    }

    fn fill_field(&mut self, ts: &ThreadState, field: Field, depth: u32, out: &mut StrBuilder) -> PyResult<()> {
        let mut value = self.look_up(ts, field.name)?;
        if let Some(conversion) = field.conversion {
            let conversion = format_string::conversion(conversion).map_err(|message| self.fail(ts, message))?;
            value = match conversion {
                b'r' => protocol::repr(ts, &value)?.into_object(),
                b'a' => protocol::ascii(ts, &value)?.into_object(),
                _ => protocol::str(ts, &value)?.into_object(),
            };
        }
        let spec = if field.nested {
            let mut spec = StrBuilder::new();
            self.fill(ts, field.spec, depth, &mut spec)?;
            spec.finish(ts)?
        } else {
            self.text.slice(ts, field.spec.start, field.spec.end)?
        };
        let text = protocol::format(ts, &value, &spec)?;
        Ok(out.push(&text)?)
    }

    fn look_up(&mut self, ts: &ThreadState, name: Range<usize>) -> PyResult {
        let text = self.text;
        let (first, steps) = split_name(text, name.clone()).map_err(|message| self.fail(ts, message))?;
        let index = self.numbers.index(&first).map_err(|message| self.fail(ts, message))?;
        let mut value = match (index, first) {
            (Some(index), _) => self.values.positional(ts, index)?,
            (None, format_string::First::Name(name)) => {
                self.values.named(ts, &*text.slice(ts, name.start, name.end)?)?
            }
            (None, _) => unreachable!("what has no name has an index"),
        };
        for step in steps {
            value = match step.map_err(|message| self.fail(ts, message))? {
                Step::Attribute(name) => {
                    let name = PyStr::intern_ref(ts, text.slice(ts, name.start, name.end)?)?;
                    attr::get(ts, &value, &name)?
                }
                Step::Index(index) => {
                    let index = PyInt::from_usize(ts, index)?;
                    protocol::getitem(ts, &value, index.as_object())?
                }
                Step::Key(key) => {
                    let key = text.slice(ts, key.start, key.end)?;
                    protocol::getitem(ts, &value, key.as_object())?
                }
            };
        }
        Ok(value)
    }
}

fn format_with(ts: &ThreadState, text: &PyStr, values: Values<'_>) -> PyResult {
    let mut out = StrBuilder::with_capacity(text.len())?;
    let mut formatter = Formatter { text, values, numbers: AutoNumber::default() };
    formatter.fill(ts, 0..text.len(), DEPTH, &mut out)?;
    out.finish(ts).map(Ref::into_object)
}

/// `str.format`.
pub(super) fn format_method(ts: &ThreadState, this: &PyObject, arguments: Args<'_>) -> PyResult {
    format_with(ts, this.cast::<PyStr>(), Values::Arguments(arguments))
}

/// `str.format_map`.
pub(super) fn format_map(ts: &ThreadState, this: &PyObject, mapping: &PyObject) -> PyResult {
    format_with(ts, this.cast::<PyStr>(), Values::Mapping(mapping))
}
