//! The text that is looked through: a `str`, or the bytes of any object that exports them.

use crate::object::buffer::{self, Buffer};
use crate::object::{PyObject, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, StrData};

/// A text, kept as it is while the subject lives: strings never change, and a view keeps its exporter from moving.
pub(super) enum Subject<'a> {
    Str(&'a PyStr),
    Bytes(&'a PyBytes),
    View(Buffer),
}

/// A subject's units.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    One(&'a [u8]),
    Two(&'a [u16]),
    Four(&'a [u32]),
}

/// Evaluates an expression with a subject's units, whatever their width.
macro_rules! with_text {
    ($subject:expr, |$units:ident| $body:expr) => {
        match $subject.text() {
            $crate::modules::sre::subject::Text::One($units) => $body,
            $crate::modules::sre::subject::Text::Two($units) => $body,
            $crate::modules::sre::subject::Text::Four($units) => $body,
        }
    };
}
pub(super) use with_text;

impl<'a> Subject<'a> {
    /// The text of an object. TypeError when it has none.
    #[inline]
    pub(super) fn new(ts: &ThreadState, object: &'a PyObject) -> PyResult<Subject<'a>> {
        if let Some(text) = object.downcast::<PyStr>() {
            return Ok(Subject::Str(text));
        }
        if let Some(bytes) = object.downcast_exact::<PyBytes>() {
            return Ok(Subject::Bytes(bytes));
        }
        match Buffer::get(ts, object, buffer::SIMPLE) {
            Ok(view) => Ok(Subject::View(view)),
            Err(raised) => {
                if ts.raised_matches(&exc::MemoryError) {
                    return Err(raised);
                }
                ts.clear_raised(raised);
                raise!(ts, exc::TypeError, "expected string or bytes-like object, got '{}'", object.type_name())
            }
        }
    }

    pub(super) fn is_bytes(&self) -> bool {
        !matches!(self, Subject::Str(_))
    }

    #[inline]
    pub(super) fn text(&self) -> Text<'_> {
        match self {
            Subject::Str(text) => match text.data() {
                StrData::Ascii(units) | StrData::Latin1(units) => Text::One(units),
                StrData::Ucs2(units) => Text::Two(units),
                StrData::Ucs4(units) => Text::Four(units),
            },
            Subject::Bytes(bytes) => Text::One(bytes.as_slice()),
            Subject::View(view) => Text::One(view.as_slice()),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Subject::Str(text) => text.len(),
            Subject::Bytes(bytes) => bytes.len(),
            Subject::View(view) => view.as_slice().len(),
        }
    }

    /// The units from `start` to before `end` as a new `str` or `bytes`; what lies past the end is not there.
    #[inline]
    pub(super) fn slice(&self, ts: &ThreadState, start: usize, end: usize) -> PyResult {
        let end = end.min(self.len());
        let start = start.min(end);
        match self {
            Subject::Str(text) => Ok(text.slice(ts, start, end)?.into_object()),
            Subject::Bytes(bytes) => Ok(bytes.slice(ts, start, end)?.into_object()),
            Subject::View(view) => Ok(PyBytes::new(ts, &view.as_slice()[start..end])?.into_object()),
        }
    }

    /// Whether the character is in the text.
    pub(super) fn contains(&self, ch: u8) -> bool {
        match self.text() {
            Text::One(units) => units.contains(&ch),
            Text::Two(units) => units.contains(&u16::from(ch)),
            Text::Four(units) => units.contains(&u32::from(ch)),
        }
    }
}
