//! `_csv.writer`: rows to lines.

use super::CSV_ERROR;
use super::dialect::{self, PyDialect, Quoting, Settings};
use crate::object::AsObject;
use crate::object::{
    Args, GetSetDef, MethodDef, PyObject, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, attr, call,
    flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};

#[repr(C)]
pub(super) struct PyWriter {
    ob_base: PyObject,
    /// The file's `write`.
    write: Slot<PyObject>,
    dialect: Slot<PyDialect>,
}

crate::native!(PyWriter, WRITER_TYPE);
owns!(PyWriter: write, dialect);

/// `_csv.writer`, which the module calls `Writer`.
pub(super) static WRITER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_csv.writer",
    basicsize: size_of::<PyWriter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "CSV writer\n\nWriter objects are responsible for generating tabular data\nin CSV format from sequence input.\n",
    slots: TypeSlots {
        dealloc: Some(PyWriter::slot_dealloc),
        traverse: Some(PyWriter::slot_traverse),
        clear: Some(PyWriter::slot_clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "writerow",
            write_row,
            "writerow($self, row, /)\n--\n\nWrites a row: an iterable of fields. Returns what write() returns.",
        ),
        MethodDef::one("writerows", write_rows, "writerows($self, rows, /)\n--\n\nWrites each row of an iterable."),
    ],
    getset: &[GetSetDef::get(
        "dialect",
        |ts, this| Ok(this.cast::<PyWriter>().dialect.get().map_or_else(|| ts.none(), Ref::into_object)),
        "",
    )],
    ..TypeSpec::EMPTY
});

/// `writer(fileobj, dialect='excel', **settings)`.
pub(super) fn writer(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    call::check_count(ts, "", args.len(), 1, 2)?;
    let dialect = dialect::make(ts, args.skip_first())?;
    let name = PyStr::intern(ts, "write")?;
    let write = match attr::get_opt(ts, args.positional()[0], &name)? {
        Some(write) if call::is_callable(&write) => write,
        _ => return raise!(ts, exc::TypeError, "argument 1 must have a \"write\" method"),
    };
    let this = alloc::exact::<PyWriter>(ts)?;
    this.write.set(Some(write));
    this.dialect.set(Some(dialect));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// A line being put together.
struct Line<'a> {
    ts: &'a ThreadState,
    settings: Settings,
    lineterminator: Ref<PyStr>,
    text: StrBuilder,
    fields: usize,
}

impl Line<'_> {
    /// Whether a character in a field cannot stand there as it is.
    #[inline]
    fn is_special(&self, ch: u32) -> bool {
        let settings = &self.settings;
        ch == settings.delimiter
            || matches!(ch, 0x0a | 0x0d)
            || Some(ch) == settings.escapechar
            || Some(ch) == settings.quotechar
            || self.lineterminator.chars().any(|end| end == ch)
    }

    /// Appends a field; none is null.
    fn push(&mut self, field: Option<&PyStr>, mut quoted: bool) -> PyResult<()> {
        let settings = self.settings;
        let is_empty = field.is_none_or(PyStr::is_empty);
        if is_empty && settings.delimiter == 0x20 && settings.skipinitialspace {
            let unquotable = settings.quoting == Quoting::None
                || field.is_none() && matches!(settings.quoting, Quoting::Strings | Quoting::NotNull);
            if unquotable {
                return raise!(
                    self.ts,
                    CSV_ERROR,
                    "empty field must be quoted if delimiter is a space and skipinitialspace is true"
                );
            }
            quoted = true;
        }
        if self.fields > 0 {
            self.text.push_char(settings.delimiter)?;
        }
        self.fields += 1;
        let Some(field) = field else { return if quoted { self.push_quotes() } else { Ok(()) } };
        let plain = !field.chars().any(|ch| self.is_special(ch));
        if plain {
            if quoted {
                self.push_quote()?;
            }
            self.text.push(field)?;
            return if quoted { self.push_quote() } else { Ok(()) };
        }
        quoted |= field.chars().any(|ch| self.is_special(ch) && !self.is_escaped(ch));
        if quoted {
            self.push_quote()?;
        }
        for ch in field.chars() {
            if self.is_special(ch) {
                if self.is_escaped(ch) {
                    let Some(escape) = settings.escapechar else {
                        return raise!(self.ts, CSV_ERROR, "need to escape, but no escapechar set");
                    };
                    self.text.push_char(escape)?;
                } else if Some(ch) == settings.quotechar {
                    self.text.push_char(ch)?;
                }
            }
            self.text.push_char(ch)?;
        }
        if quoted { self.push_quote() } else { Ok(()) }
    }

    /// Whether a special character has the escape character before it; else the field is quoted.
    fn is_escaped(&self, ch: u32) -> bool {
        let settings = &self.settings;
        if settings.quoting == Quoting::None {
            return true;
        }
        if Some(ch) == settings.quotechar { !settings.doublequote } else { Some(ch) == settings.escapechar }
    }

    fn push_quote(&mut self) -> PyResult<()> {
        match self.settings.quotechar {
            Some(quote) => Ok(self.text.push_char(quote)?),
            None => Ok(()),
        }
    }

    fn push_quotes(&mut self) -> PyResult<()> {
        self.push_quote()?;
        self.push_quote()
    }
}

fn write_row(ts: &ThreadState, this: &PyObject, row: &PyObject) -> PyResult {
    let this = this.cast::<PyWriter>();
    let (Some(write), Some(dialect)) = (this.write.get(), this.dialect.get()) else { return Ok(ts.none()) };
    let Some(fields) = ts.catch(protocol::iter(ts, row), &exc::TypeError)? else {
        return raise!(ts, CSV_ERROR, "iterable expected, not {}", row.type_name());
    };
    let settings = dialect.settings.get();
    let lineterminator = dialect.lineterminator.get().unwrap_or_else(PyStr::empty);
    let mut line = Line { ts, settings, lineterminator, text: StrBuilder::new(), fields: 0 };
    let mut null = false;
    while let Some(field) = protocol::next(ts, &fields)? {
        null = is_none(&field);
        let text = field.downcast::<PyStr>();
        let quoted = match settings.quoting {
            Quoting::NonNumeric => !protocol::is_number(&field),
            Quoting::All => true,
            Quoting::Strings => text.is_some(),
            Quoting::NotNull => !null,
            Quoting::Minimal | Quoting::None => false,
        };
        match text {
            Some(text) => line.push(Some(text), quoted)?,
            None if null => line.push(None, quoted)?,
            None => {
                let text = protocol::str(ts, &field)?;
                line.push(Some(&text), quoted)?;
            }
        }
    }
    if line.fields > 0 && line.text.is_empty() {
        // A lone empty field would be read back as an empty row.
        let unquotable = settings.quoting == Quoting::None
            || null && matches!(settings.quoting, Quoting::Strings | Quoting::NotNull);
        if unquotable {
            return raise!(ts, CSV_ERROR, "single empty field record must be quoted");
        }
        line.fields -= 1;
        line.push(None, true)?;
    }
    let end = line.lineterminator.clone();
    line.text.push(&end)?;
    let text = line.text.finish(ts)?;
    call::call_with(ts, &write, &[text.as_object()])
}

fn write_rows(ts: &ThreadState, this: &PyObject, rows: &PyObject) -> PyResult {
    protocol::for_each(ts, rows, |row| write_row(ts, this, &row).map(drop))?;
    Ok(ts.none())
}
