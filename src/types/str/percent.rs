//! `text % values`.

use core::fmt::Write as _;

use super::builder::StrBuilder;
use super::layout::PyStr;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::message::Message;
use crate::text::percent::{Item, Layout, Piece, Pieces, Size};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::tuple::PyTuple;

/// The values that a format takes one after the other.
struct Values {
    /// A tuple's items, or one value that stands for itself.
    source: PyRef,
    is_tuple: bool,
    taken: usize,
    /// What `%(key)s` looks keys up in.
    mapping: Option<PyRef>,
}

impl Values {
    fn new(values: &PyObject) -> Values {
        let is_tuple = values.is_a::<PyTuple>();
        let is_mapping = !is_tuple && !values.is_a::<PyStr>() && values.ob_type().slots().mp_subscript.is_some();
        Values { source: values.new_ref(), is_tuple, taken: 0, mapping: is_mapping.then(|| values.new_ref()) }
    }

    fn len(&self) -> usize {
        if self.is_tuple { self.source.cast::<PyTuple>().len() } else { 1 }
    }

    fn next(&mut self, ts: &ThreadState) -> PyResult {
        if self.taken >= self.len() {
            return raise!(ts, exc::TypeError, "not enough arguments for format string");
        }
        self.taken += 1;
        Ok(if self.is_tuple {
            self.source.cast::<PyTuple>().items()[self.taken - 1].new_ref()
        } else {
            self.source.clone()
        })
    }

    /// Looks a key up; its value becomes the only one to be taken.
    fn enter(&mut self, ts: &ThreadState, key: &PyStr) -> PyResult<()> {
        let Some(mapping) = &self.mapping else {
            return needs_mapping(ts);
        };
        self.source = protocol::getitem(ts, mapping, key.as_object())?;
        self.is_tuple = false;
        self.taken = 0;
        Ok(())
    }

    /// The int for a `*`, which C keeps in the type `c_type`.
    fn star<T: TryFrom<i64>>(&mut self, ts: &ThreadState, c_type: &str) -> PyResult<T> {
        let value = self.next(ts)?;
        let Some(value) = value.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "* wants int");
        };
        match value.as_i64().map(T::try_from) {
            Some(Ok(value)) => Ok(value),
            _ => raise!(ts, exc::OverflowError, "Python int too large to convert to C {c_type}"),
        }
    }
}

const INCOMPLETE_KEY: Message = Message::Value("incomplete format key");

#[cold]
fn needs_mapping<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::TypeError, "format requires a mapping")
}

/// Whether the item is `%%`; with anything in between, `%` is a conversion that does not exist.
fn is_percent_sign(item: &Item) -> bool {
    item.conversion == u32::from(b'%')
        && item.key.is_none()
        && !(item.left || item.plus || item.space || item.alternate || item.zero)
        && (item.width, item.precision) == (Size::None, Size::None)
}

/// `tp_as_number->nb_remainder`.
pub(super) fn remainder(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    match left.downcast::<PyStr>() {
        Some(format) => format_percent(ts, format, right).map(Ref::into_object),
        None => Ok(not_implemented()),
    }
}

/// `format % values` (`PyUnicode_Format`).
pub fn format_percent(ts: &ThreadState, format: &PyStr, values: &PyObject) -> PyResult<Ref<PyStr>> {
    let mut values = Values::new(values);
    let mut out = StrBuilder::with_capacity(format.len())?;
    for piece in Pieces::new(format) {
        let piece = match piece {
            Ok(piece) => piece,
            // That keys are of no use here counts for more than how they are written.
            Err(INCOMPLETE_KEY) if values.mapping.is_none() => return needs_mapping(ts),
            Err(message) => return Err(super::raise_message(ts, message, format, "str")),
        };
        match piece {
            Piece::Literal(range) => out.push_slice(format, range.start, range.end)?,
            Piece::Item(item) => push_item(ts, format, &item, &mut values, &mut out)?,
        }
    }
    if values.taken < values.len() && values.mapping.is_none() {
        return raise!(ts, exc::TypeError, "not all arguments converted during string formatting");
    }
    out.finish(ts)
}

fn push_item(ts: &ThreadState, format: &PyStr, item: &Item, values: &mut Values, out: &mut StrBuilder) -> PyResult<()> {
    if let Some(key) = &item.key {
        let key = format.slice(ts, key.start, key.end)?;
        values.enter(ts, &key)?;
    }
    let width = match item.width {
        Size::Argument => Some(values.star::<isize>(ts, "ssize_t")?),
        _ => None,
    };
    let precision = match item.precision {
        Size::Argument => Some(values.star::<i32>(ts, "int")?),
        _ => None,
    };
    if is_percent_sign(item) {
        return Ok(out.push_char(item.conversion)?);
    }
    let value = values.next(ts)?;
    let layout = Layout::new(item, width, precision);
    let plain = layout.width == 0 && layout.precision.is_none();
    match layout.conversion {
        b's' | b'r' | b'a' => {
            let text = match layout.conversion {
                b's' => protocol::str(ts, &value)?,
                b'r' => protocol::repr(ts, &value)?,
                _ => protocol::ascii(ts, &value)?,
            };
            if plain {
                out.push(&text)?
            } else {
                layout.write_str(&*text, out)?
            }
            Ok(())
        }
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => push_int(ts, format, &layout, &value, out),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let number = protocol::as_f64(ts, &value)?;
            layout.write_float(number, out).map_err(|error| super::raise_text_error(ts, error, format, "str"))
        }
        b'c' => {
            let ch = character(ts, &value)?;
            Ok(layout.write_char(ch, out)?)
        }
        _ => Err(super::raise_message(ts, item.unsupported(), format, "str")),
    }
}

/// The integer that an integer conversion shows.
fn integer(ts: &ThreadState, conversion: u8, value: &PyObject) -> PyResult<Ref<PyInt>> {
    if let Some(number) = value.downcast::<PyInt>() {
        return Ok(Ref::from_borrowed(number));
    }
    let exact = matches!(conversion, b'o' | b'x' | b'X');
    let wrong_type = || -> Raised {
        let what = if exact { "an integer" } else { "a real number" };
        let conversion = char::from(conversion);
        ts.raise_fmt(
            &exc::TypeError,
            format_args!("%{conversion} format: {what} is required, not {}", value.type_name()),
        )
    };
    if !protocol::is_number(value) {
        return Err(wrong_type());
    }
    let made = if exact { protocol::index(ts, value) } else { protocol::to_int(ts, value) };
    match made {
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            Err(wrong_type())
        }
        made => made,
    }
}

fn push_int(ts: &ThreadState, format: &PyStr, layout: &Layout, value: &PyObject, out: &mut StrBuilder) -> PyResult<()> {
    let number = integer(ts, layout.conversion, value)?;
    let base = layout.int_base().unwrap_or(10);
    let fail = |error| super::raise_text_error(ts, error, format, "str");
    let Some(small) = number.as_i64() else {
        let text = number.to_str(ts, base)?;
        let digits = text.ascii_str().unwrap_or("").as_bytes();
        let magnitude = digits.strip_prefix(b"-").unwrap_or(digits);
        return layout.write_int(magnitude.len() < digits.len(), magnitude, out).map_err(fail);
    };
    let simple = !(layout.plus || layout.space || layout.alternate) && layout.width == 0 && layout.precision.is_none();
    if simple && base == 10 {
        return match write!(out, "{small}") {
            Ok(()) => Ok(()),
            Err(core::fmt::Error) => Err(ts.raise_no_memory()),
        };
    }
    // 64 bits make at most 22 digits in the smallest base here, which is 8.
    let mut digits = [0; 22];
    let mut at = digits.len();
    let mut rest = small.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(rest % u64::from(base)) as usize];
        rest /= u64::from(base);
        if rest == 0 {
            break;
        }
    }
    layout.write_int(small < 0, &digits[at..], out).map_err(fail)
}

/// The character for `%c`.
fn character(ts: &ThreadState, value: &PyObject) -> PyResult<u32> {
    if let Some(text) = value.downcast::<PyStr>() {
        if text.len() == 1 {
            return Ok(text.char_at(0));
        }
        return raise!(
            ts,
            exc::TypeError,
            "%c requires an int or a unicode character, not a string of length {}",
            text.len()
        );
    }
    if !protocol::is_index(value) {
        return raise!(ts, exc::TypeError, "%c requires an int or a unicode character, not {}", value.type_name());
    }
    match protocol::index(ts, value)?.as_i64() {
        Some(ch @ 0..=0x10_FFFF) => Ok(ch as u32),
        _ => raise!(ts, exc::OverflowError, "%c arg not in range(0x110000)"),
    }
}
