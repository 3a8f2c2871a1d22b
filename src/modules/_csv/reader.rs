//! `_csv.reader`: lines to rows.

use core::cell::Cell;

use super::dialect::{self, PyDialect, Quoting, Settings};
use super::{CSV_ERROR, PyCsvState};
use crate::object::{
    Args, AsObject, GetSetDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, call,
    flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};

#[repr(C)]
pub(super) struct PyReader {
    ob_base: PyObject,
    lines: Slot<PyObject>,
    dialect: Slot<PyDialect>,
    state: Slot<PyCsvState>,
    line_num: Cell<u64>,
}

crate::native!(PyReader, READER_TYPE);
owns!(PyReader: lines, dialect, state);

/// `_csv.reader`, which the module calls `Reader`.
pub(super) static READER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_csv.reader",
    basicsize: size_of::<PyReader>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\nin CSV format.\n",
    slots: TypeSlots {
        dealloc: Some(PyReader::slot_dealloc),
        traverse: Some(PyReader::slot_traverse),
        clear: Some(PyReader::slot_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(next),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get(
            "dialect",
            |ts, this| Ok(this.cast::<PyReader>().dialect.get().map_or_else(|| ts.none(), Ref::into_object)),
            "",
        ),
        GetSetDef::get("line_num", |ts, this| PyInt::from_u64(ts, this.cast::<PyReader>().line_num.get()), ""),
    ],
    ..TypeSpec::EMPTY
});

/// `reader(iterable, dialect='excel', **settings)`.
pub(super) fn reader(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    call::check_count(ts, "", args.len(), 1, 2)?;
    let lines = protocol::iter(ts, args.positional()[0])?;
    let dialect = dialect::make(ts, args.skip_first())?;
    let state = PyCsvState::current(ts)?;
    let this = alloc::exact::<PyReader>(ts)?;
    this.lines.set(Some(lines));
    this.dialect.set(Some(dialect));
    this.state.set(Some(state));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// Where in a row the parser is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    RowStart,
    FieldStart,
    Escaped,
    AfterEscapedLineEnd,
    InField,
    InQuotes,
    EscapedInQuotes,
    /// Behind a quote in a quoted field: the field's end, or the first half of a doubled quote.
    QuoteInQuotes,
    /// Behind a line end: only more of it may follow.
    LineEnd,
}

/// A row being read. It belongs to one call, so an iterator of lines that asks the reader itself does no harm.
struct Row<'a> {
    ts: &'a ThreadState,
    settings: Settings,
    limit: i64,
    fields: Ref<PyList>,
    field: StrBuilder,
    /// No quote has been seen in the field.
    unquoted: bool,
    place: Place,
}

/// What follows the last character of a line.
const END: Option<u32> = None;

fn is_line_end(ch: Option<u32>) -> bool {
    matches!(ch, None | Some(0x0a | 0x0d))
}

impl Row<'_> {
    fn add(&mut self, ch: u32) -> PyResult<()> {
        if self.field.len() as i64 >= self.limit {
            return raise!(self.ts, CSV_ERROR, "field larger than field limit ({})", self.limit);
        }
        Ok(self.field.push_char(ch)?)
    }

    fn save(&mut self) -> PyResult<()> {
        use Quoting::{NonNumeric, NotNull, Strings};
        let (empty, quoting) = (self.field.is_empty(), self.settings.quoting);
        let field = core::mem::take(&mut self.field);
        let unquoted = core::mem::replace(&mut self.unquoted, true);
        let value: PyRef = match quoting {
            NotNull | Strings if unquoted && empty => self.ts.none(),
            NonNumeric | Strings if unquoted && !empty => {
                let text = field.finish(self.ts)?;
                protocol::to_float(self.ts, text.as_object())?.into_object()
            }
            _ => field.finish(self.ts)?.into_object(),
        };
        self.fields.append(self.ts, value)
    }

    /// Ends the field and the line.
    fn end_line(&mut self, ch: Option<u32>) -> PyResult<()> {
        self.save()?;
        self.place = if ch == END { Place::RowStart } else { Place::LineEnd };
        Ok(())
    }

    /// Takes the next character of a line, or its end.
    #[inline]
    fn take(&mut self, ch: Option<u32>) -> PyResult<()> {
        let settings = self.settings;
        let is_quote = ch.is_some() && ch == settings.quotechar && settings.quoting != Quoting::None;
        let is_escape = ch.is_some() && ch == settings.escapechar;
        let is_delimiter = ch == Some(settings.delimiter);
        match self.place {
            Place::RowStart if ch == END => return Ok(()),
            Place::RowStart if is_line_end(ch) => {
                self.place = Place::LineEnd;
                return Ok(());
            }
            Place::AfterEscapedLineEnd if ch == END => return Ok(()),
            _ => {}
        }
        match (self.place, ch) {
            (Place::RowStart | Place::FieldStart, _) => match ch {
                _ if is_line_end(ch) => self.end_line(ch)?,
                _ if is_quote => {
                    self.unquoted = false;
                    self.place = Place::InQuotes;
                }
                _ if is_escape => self.place = Place::Escaped,
                Some(0x20) if settings.skipinitialspace => self.place = Place::FieldStart,
                _ if is_delimiter => {
                    self.save()?;
                    self.place = Place::FieldStart;
                }
                Some(ch) => {
                    self.add(ch)?;
                    self.place = Place::InField;
                }
                None => {}
            },
            (Place::Escaped, Some(ch)) => {
                self.add(ch)?;
                self.place = if is_line_end(Some(ch)) { Place::AfterEscapedLineEnd } else { Place::InField };
            }
            (Place::Escaped, END) => {
                self.add(0x0a)?;
                self.place = Place::InField;
            }
            (Place::AfterEscapedLineEnd | Place::InField, _) => match ch {
                _ if is_line_end(ch) => self.end_line(ch)?,
                _ if is_escape => self.place = Place::Escaped,
                _ if is_delimiter => {
                    self.save()?;
                    self.place = Place::FieldStart;
                }
                Some(ch) => {
                    self.add(ch)?;
                    self.place = Place::InField;
                }
                None => {}
            },
            (Place::InQuotes, END) => {}
            (Place::InQuotes, Some(ch)) => {
                if is_escape {
                    self.place = Place::EscapedInQuotes;
                } else if is_quote {
                    self.place = if settings.doublequote { Place::QuoteInQuotes } else { Place::InField };
                } else {
                    self.add(ch)?;
                }
            }
            (Place::EscapedInQuotes, _) => {
                self.add(ch.unwrap_or(0x0a))?;
                self.place = Place::InQuotes;
            }
            (Place::QuoteInQuotes, _) => match ch {
                Some(ch) if is_quote => {
                    self.add(ch)?;
                    self.place = Place::InQuotes;
                }
                _ if is_delimiter => {
                    self.save()?;
                    self.place = Place::FieldStart;
                }
                _ if is_line_end(ch) => self.end_line(ch)?,
                Some(ch) if !settings.strict => {
                    self.add(ch)?;
                    self.place = Place::InField;
                }
                _ => return self.misplaced(),
            },
            (Place::LineEnd, END) => self.place = Place::RowStart,
            (Place::LineEnd, Some(0x0a | 0x0d)) => {}
            (Place::LineEnd, Some(_)) => {
                return raise!(
                    self.ts,
                    CSV_ERROR,
                    "new-line character seen in unquoted field - do you need to open the file with newline=''?"
                );
            }
        }
        Ok(())
    }

    #[cold]
    fn misplaced(&self) -> PyResult<()> {
        let delimiter = PyStr::from_char(self.ts, self.settings.delimiter)?;
        let quote = PyStr::from_char(self.ts, self.settings.quotechar.unwrap_or(0))?;
        raise!(self.ts, CSV_ERROR, "'{}' expected after '{}'", &*delimiter, &*quote)
    }
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyReader>();
    let (Some(lines), Some(dialect), Some(state)) = (this.lines.get(), this.dialect.get(), this.state.get()) else {
        return Ok(None);
    };
    let mut row = Row {
        ts,
        settings: dialect.settings.get(),
        limit: state.field_limit.get(),
        fields: PyList::new(ts)?,
        field: StrBuilder::new(),
        unquoted: true,
        place: Place::RowStart,
    };
    loop {
        let Some(line) = protocol::next(ts, &lines)? else {
            if row.field.is_empty() && row.place != Place::InQuotes {
                return Ok(None);
            }
            if row.settings.strict {
                return raise!(ts, CSV_ERROR, "unexpected end of data");
            }
            row.save()?;
            break;
        };
        let Some(text) = line.downcast::<PyStr>() else {
            return raise!(
                ts,
                CSV_ERROR,
                "iterator should return strings, not {} (the file should be opened in text mode)",
                line.type_name()
            );
        };
        this.line_num.set(this.line_num.get() + 1);
        for ch in text.chars() {
            row.take(Some(ch))?;
        }
        row.take(END)?;
        if row.place == Place::RowStart {
            break;
        }
    }
    Ok(Some(row.fields.into_object()))
}
