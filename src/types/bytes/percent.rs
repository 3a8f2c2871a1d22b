//! `bytes % values`.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use super::PyBytes;
use super::new::by_method;
use super::shared::{BytesLike, bytes_like};
use crate::object::buffer;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::text::TextSink;
use crate::text::message::{Exception, Message, TextError};
use crate::text::percent::{Item, Layout, Piece, Pieces, Size};
use crate::types::bytearray::PyByteArray;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// Bytes under construction, as a place for ASCII text.
struct Bytes(TryVec<u8>);

impl TextSink for Bytes {
    fn push(&mut self, ch: u32) -> Result<(), NoMemory> {
        self.0.try_push(ch as u8)
    }
    fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        self.0.try_extend_from_copy(bytes)
    }
    fn push_fill(&mut self, ch: u32, count: usize) -> Result<(), NoMemory> {
        let len = self.0.len().checked_add(count).ok_or(NoMemory)?;
        self.0.try_resize(len, ch as u8)
    }
}

/// Raises what the text core has to say.
#[cold]
fn fail(ts: &ThreadState, message: Message) -> Raised {
    let mut out = StrBuilder::new();
    if let Err(no_memory) = message.write(&b""[..], "bytes", &mut out) {
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

#[cold]
fn fail_writing(ts: &ThreadState, error: TextError) -> Raised {
    match error {
        TextError::NoMemory => NoMemory.into(),
        TextError::Raise(message) => fail(ts, message),
    }
}

/// The values that a format takes one after the other.
struct Values {
    source: PyRef,
    is_tuple: bool,
    taken: usize,
    mapping: Option<PyRef>,
}

impl Values {
    fn new(values: &PyObject) -> Values {
        let is_tuple = values.is_a::<PyTuple>();
        let is_mapping = !is_tuple
            && !values.is_a::<PyBytes>()
            && !values.is_a::<PyStr>()
            && !values.is_a::<PyByteArray>()
            && values.ob_type().slots().mp_subscript.is_some();
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

    fn enter(&mut self, ts: &ThreadState, key: &[u8]) -> PyResult<()> {
        let Some(mapping) = &self.mapping else {
            return raise!(ts, exc::TypeError, "format requires a mapping");
        };
        let key = PyBytes::new(ts, key)?;
        self.source = protocol::getitem(ts, mapping, key.as_object())?;
        self.is_tuple = false;
        self.taken = 0;
        Ok(())
    }

    fn star(&mut self, ts: &ThreadState) -> PyResult<Ref<PyInt>> {
        match self.next(ts)?.downcast_into::<PyInt>() {
            Ok(value) => Ok(value),
            Err(_) => raise!(ts, exc::TypeError, "* wants int"),
        }
    }
}

/// `nb_remainder`.
pub(super) fn bytes_remainder(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    match left.downcast::<PyBytes>() {
        Some(format) => {
            let out = format_percent(ts, format.as_slice(), right)?;
            PyBytes::new(ts, &out).map(Ref::into_object)
        }
        None => Ok(not_implemented()),
    }
}

/// `format % values`, for `bytes` and `bytearray`. The caller keeps `format` from changing.
pub fn format_percent(ts: &ThreadState, format: &[u8], values: &PyObject) -> PyResult<TryVec<u8>> {
    let mut values = Values::new(values);
    let mut out = Bytes(TryVec::new());
    out.0.try_reserve(format.len().saturating_add(16))?;
    for piece in Pieces::new(format) {
        match piece.map_err(|message| fail(ts, message))? {
            Piece::Literal(range) => out.push_ascii(&format[range])?,
            Piece::Item(item) => push_item(ts, format, &item, &mut values, &mut out)?,
        }
    }
    if values.taken < values.len() && values.mapping.is_none() {
        return raise!(ts, exc::TypeError, "not all arguments converted during bytes formatting");
    }
    Ok(out.0)
}

fn push_item(ts: &ThreadState, format: &[u8], item: &Item, values: &mut Values, out: &mut Bytes) -> PyResult<()> {
    if let Some(key) = &item.key {
        values.enter(ts, &format[key.clone()])?;
    }
    let width = match item.width {
        Size::Argument => Some(values.star(ts)?.to_isize(ts)?),
        _ => None,
    };
    let precision = match item.precision {
        Size::Argument => Some(values.star(ts)?.to_i32(ts)?),
        _ => None,
    };
    // Unlike in a string, nothing may stand between the two.
    if item.conversion == u32::from(b'%') && format[item.index - 1] == b'%' {
        return Ok(out.push(item.conversion)?);
    }
    let value = values.next(ts)?;
    let layout = Layout::new(item, width, precision);
    match layout.conversion {
        b's' | b'b' => push_bytes(ts, &layout, &value, out),
        b'r' | b'a' => {
            let text = protocol::ascii(ts, &value)?;
            Ok(layout.write_str(text.data_bytes(), out)?)
        }
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => push_int(ts, &layout, &value, out),
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let number = float(ts, &value)?;
            layout.write_float(number, out).map_err(|error| fail_writing(ts, error))
        }
        b'c' => {
            let byte = single(ts, &value)?;
            Ok(layout.write_char(u32::from(byte), out)?)
        }
        _ => Err(fail(ts, item.unsupported())),
    }
}

fn push_bytes(ts: &ThreadState, layout: &Layout, value: &PyObject, out: &mut Bytes) -> PyResult<()> {
    let made;
    let bytes = if value.is_a::<PyBytes>() || value.is_a::<PyByteArray>() {
        bytes_like(ts, value)?
    } else if let Some(bytes) = by_method(ts, value)? {
        made = bytes;
        BytesLike::Plain(made.cast::<PyBytes>().as_slice())
    } else if buffer::has_buffer(value) {
        bytes_like(ts, value)?
    } else {
        return raise!(
            ts,
            exc::TypeError,
            "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
            value.type_name()
        );
    };
    if layout.width == 0 && layout.precision.is_none() {
        return Ok(out.push_ascii(&bytes)?);
    }
    Ok(layout.write_str(&*bytes, out)?)
}

fn float(ts: &ThreadState, value: &PyObject) -> PyResult<f64> {
    protocol::as_f64(ts, value).map_err(|raised| {
        if ts.raised_matches(&exc::MemoryError) {
            return raised;
        }
        ts.clear_raised(raised);
        ts.raise_fmt(&exc::TypeError, format_args!("float argument required, not {}", value.type_name()))
    })
}

fn push_int(ts: &ThreadState, layout: &Layout, value: &PyObject, out: &mut Bytes) -> PyResult<()> {
    let exact = matches!(layout.conversion, b'o' | b'x' | b'X');
    let number = match value.downcast::<PyInt>() {
        Some(number) => Ref::from_borrowed(number),
        None => convert(ts, layout.conversion, exact, value)?,
    };
    let text = number.to_str(ts, layout.int_base().unwrap_or(10))?;
    let digits = text.data_bytes();
    let magnitude = digits.strip_prefix(b"-").unwrap_or(digits);
    layout.write_int(magnitude.len() < digits.len(), magnitude, out).map_err(|error| fail_writing(ts, error))
}

fn convert(ts: &ThreadState, conversion: u8, exact: bool, value: &PyObject) -> PyResult<Ref<PyInt>> {
    let wrong_type = || {
        let what = if exact { "an integer" } else { "a real number" };
        let conversion = if conversion == b'i' { 'd' } else { char::from(conversion) };
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

/// The byte for `%c`.
fn single(ts: &ThreadState, value: &PyObject) -> PyResult<u8> {
    if value.is_a::<PyBytes>() || value.is_a::<PyByteArray>() {
        let bytes = bytes_like(ts, value)?;
        return match *bytes {
            [byte] => Ok(byte),
            _ => raise!(
                ts,
                exc::TypeError,
                "%c requires an integer in range(256) or a single byte, not a {} object of length {}",
                if value.is_a::<PyBytes>() { "bytes" } else { "bytearray" },
                bytes.len()
            ),
        };
    }
    if !protocol::is_index(value) {
        return raise!(
            ts,
            exc::TypeError,
            "%c requires an integer in range(256) or a single byte, not {}",
            value.type_name()
        );
    }
    match u8::try_from(protocol::as_isize_clamped(ts, value)?) {
        Ok(byte) => Ok(byte),
        Err(_) => raise!(ts, exc::OverflowError, "%c arg not in range(256)"),
    }
}
