//! `date`: a day of the calendar.

use core::cell::Cell;

use super::calendar::{self, IsoProblem, MAX_ORDINAL, MAX_YEAR, MIN_YEAR, Ymd};
use super::datetime::{DATETIME_TYPE, PyDateTime};
use super::delta::PyDelta;
use super::format::{self, Formatted};
use super::text::{self, DAYS, Hms, MONTHS, Text};
use super::{c_int, int_or, local, pickled_state};
use crate::modules::time::convert::{self, Round};
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Signature, StaticType,
    TypeSlots, TypeSpec, ValueDef, alloc, call, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::hash::hash_bytes;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// A date; C's `PyDateTime_Date`, with which a `datetime` begins.
#[repr(C)]
pub struct PyDate {
    ob_base: PyObject,
    hashcode: Cell<isize>,
    hastzinfo: Cell<u8>,
    /// The year in two bytes, the larger first; month; day.
    data: [Cell<u8>; 4],
}

crate::native!(PyDate, DATE_TYPE);

/// `datetime.date`.
pub static DATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.date",
    basicsize: size_of::<PyDate>(),
    flags: flags::BASETYPE,
    doc: "date(year, month, day) --> date object",
    slots: TypeSlots {
        new: Some(new),
        repr: Some(repr),
        str: Some(|ts, this| call::call_method(ts, this, &*PyStr::intern(ts, "isoformat")?, &[])),
        hash: Some(|_, this| Ok(hash_bytes(&this.cast::<PyDate>().bytes()))),
        richcompare: Some(compare),
        nb_add: Some(add),
        nb_subtract: Some(subtract),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("fromtimestamp", fromtimestamp, "fromtimestamp($type, timestamp, /)\n--\n\nCreate a date from a POSIX timestamp.\n\nThe timestamp is a number, e.g. created via time.time(), that is interpreted\nas local time.").class(),
        MethodDef::one("fromordinal", fromordinal, "int -> date corresponding to a proleptic Gregorian ordinal.").class(),
        MethodDef::one("fromisoformat", fromisoformat, "str -> Construct a date from a string in ISO 8601 format.").class(),
        MethodDef::keywords("fromisocalendar", fromisocalendar, "int, int, int -> Construct a date from the ISO year, week number and weekday.\n\nThis is the inverse of the function date.isocalendar()").class(),
        MethodDef::positional(
            "strptime",
            |ts, class, args| format::strptime(ts, class, args, "_strptime_datetime_date"),
            "string, format -> new date parsed from a string (like time.strptime()).",
        )
        .class(),
        MethodDef::no_args("today", today, "Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).").class(),
        MethodDef::no_args("ctime", |ts, this| ctime(ts, this.cast::<PyDate>().ymd(), Hms::default()), "Return ctime() style string."),
        MethodDef::keywords("strftime", strftime, "format -> strftime() style string."),
        MethodDef::one("__format__", format::format, "Formats self with strftime."),
        MethodDef::no_args("isoformat", isoformat, "Return string in ISO 8601 format, YYYY-MM-DD."),
        MethodDef::no_args(
            "isoweekday",
            |ts, this| PyInt::from_i64(ts, i64::from(this.cast::<PyDate>().ymd().weekday()) + 1),
            "Return the day of the week represented by the date.\nMonday == 1 ... Sunday == 7",
        ),
        MethodDef::no_args(
            "isocalendar",
            |ts, this| super::isocalendar::make(ts, this.cast::<PyDate>().ymd()),
            "Return a named tuple containing ISO year, week number, and weekday.",
        ),
        MethodDef::no_args(
            "timetuple",
            |ts, this| super::time_tuple(ts, this.cast::<PyDate>().ymd(), Hms::default(), -1),
            "Return time tuple, compatible with time.localtime().",
        ),
        MethodDef::no_args(
            "toordinal",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyDate>().ymd().ordinal().into()),
            "Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.",
        ),
        MethodDef::no_args(
            "weekday",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyDate>().ymd().weekday().into()),
            "Return the day of the week represented by the date.\nMonday == 0 ... Sunday == 6",
        ),
        MethodDef::keywords("replace", replace, "replace($self, /, year=unchanged, month=unchanged, day=unchanged)\n--\n\nReturn date with new specified fields."),
        MethodDef::keywords("__replace__", replace, "__replace__($self, /, year=unchanged, month=unchanged, day=unchanged)\n--\n\nThe same as replace()."),
        MethodDef::no_args("__reduce__", reduce, "__reduce__() -> (cls, state)"),
    ],
    getset: &[
        GetSetDef::get("year", |ts, this| PyInt::from_i64(ts, this.cast::<PyDate>().ymd().year.into()), ""),
        GetSetDef::get("month", |ts, this| PyInt::from_i64(ts, this.cast::<PyDate>().ymd().month.into()), ""),
        GetSetDef::get("day", |ts, this| PyInt::from_i64(ts, this.cast::<PyDate>().ymd().day.into()), ""),
    ],
    values: &[
        ValueDef { name: "min", make: |ts| Ok(make(ts, &DATE_TYPE, Ymd::new(1, 1, 1))?.into_object()) },
        ValueDef { name: "max", make: |ts| Ok(make(ts, &DATE_TYPE, Ymd::new(9999, 12, 31))?.into_object()) },
        ValueDef { name: "resolution", make: |ts| Ok(PyDelta::new(ts, 1, 0, 0)?.into_object()) },
    ],
    ..TypeSpec::EMPTY
});

/// Checks a date's numbers. Raises ValueError.
pub fn check(ts: &ThreadState, date: Ymd) -> PyResult<()> {
    let Ymd { year, month, day } = date;
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return raise!(ts, exc::ValueError, "year must be in {MIN_YEAR}..{MAX_YEAR}, not {year}");
    }
    if !(1..=12).contains(&month) {
        return raise!(ts, exc::ValueError, "month must be in 1..12, not {month}");
    }
    let days = calendar::days_in_month(year, month);
    if !(1..=days).contains(&day) {
        return raise!(ts, exc::ValueError, "day {day} must be in range 1..{days} for month {month} in year {year}");
    }
    Ok(())
}

/// The four bytes of a date.
pub fn pack(date: Ymd) -> [u8; 4] {
    [(date.year >> 8) as u8, date.year as u8, date.month as u8, date.day as u8]
}

impl PyDate {
    /// The bytes.
    pub fn bytes(&self) -> [u8; 4] {
        [self.data[0].get(), self.data[1].get(), self.data[2].get(), self.data[3].get()]
    }

    /// Year, month and day.
    pub fn ymd(&self) -> Ymd {
        let [high, low, month, day] = self.bytes();
        Ymd::new(i32::from(high) << 8 | i32::from(low), month.into(), day.into())
    }

    fn fill(&self, bytes: [u8; 4]) {
        self.hashcode.set(-1);
        for (place, byte) in self.data.iter().zip(bytes) {
            place.set(byte);
        }
    }
}

fn of_bytes(ts: &ThreadState, of: &PyTypeObject, bytes: [u8; 4]) -> PyResult<Ref<PyDate>> {
    let made = alloc::object::<PyDate>(ts, of)?;
    made.fill(bytes);
    if of.is_gc() {
        gc::track(ts, &*made);
    }
    Ok(made)
}

/// A date of exactly that type, which is `date` or a subtype, but not one of `datetime`. Raises ValueError.
pub fn make(ts: &ThreadState, of: &PyTypeObject, date: Ymd) -> PyResult<Ref<PyDate>> {
    check(ts, date)?;
    of_bytes(ts, of, pack(date))
}

/// A date of a class, by calling the class when it is a subclass.
pub fn make_by_class(ts: &ThreadState, class: &PyObject, date: Ymd) -> PyResult {
    if class.is(DATE_TYPE.as_object()) {
        return Ok(make(ts, &DATE_TYPE, date)?.into_object());
    }
    if class.is(DATETIME_TYPE.as_object()) {
        return Ok(PyDateTime::new(ts, &DATETIME_TYPE, date, Hms::default(), None, false)?.into_object());
    }
    let numbers = [
        PyInt::from_i64(ts, date.year.into())?,
        PyInt::from_i64(ts, date.month.into())?,
        PyInt::from_i64(ts, date.day.into())?,
    ];
    call::call_with(ts, class, call::borrow_all(&numbers))
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if let [state] = args.positional()
        && let Some(bytes) = pickled_state::<4>(ts, state, "date", |bytes| (1..=12).contains(&bytes[2]))?
    {
        return Ok(of_bytes(ts, of, bytes)?.into_object());
    }
    static SIGNATURE: Signature<3> = Signature::new("function", ["year", "month", "day"], 0, 3, 3);
    let [year, month, day] = SIGNATURE.parse(ts, args)?;
    let date = Ymd::new(int_or(ts, year, 0)?, int_or(ts, month, 0)?, int_or(ts, day, 0)?);
    Ok(make(ts, of, date)?.into_object())
}

fn fromtimestamp(ts: &ThreadState, class: &PyObject, timestamp: &PyObject) -> PyResult {
    let seconds = convert::time_t(ts, timestamp, Round::Floor)?;
    let tm = local::local_time(ts, seconds)?;
    make_by_class(ts, class, Ymd::new(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday))
}

fn today(ts: &ThreadState, class: &PyObject) -> PyResult {
    if class.is(DATE_TYPE.as_object()) {
        let seconds = crate::modules::time::now(ts)?.div_euclid(convert::NANOS);
        let tm = local::local_time(ts, seconds)?;
        return make_by_class(ts, class, Ymd::new(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday));
    }
    let time = crate::object::protocol::import_attr(ts, "time", "time")?;
    let time = call::call0(ts, &time)?;
    crate::object::protocol::call_named(ts, class, "fromtimestamp", &[&time])
}

fn fromordinal(ts: &ThreadState, class: &PyObject, ordinal: &PyObject) -> PyResult {
    let ordinal = c_int(ts, ordinal)?;
    if ordinal < 1 {
        return raise!(ts, exc::ValueError, "ordinal must be >= 1");
    }
    make_by_class(ts, class, Ymd::from_ordinal(ordinal))
}

fn fromisoformat(ts: &ThreadState, class: &PyObject, text: &PyObject) -> PyResult {
    let chars = format::characters(ts, text)?;
    let Some(date) = text::parse_date(&chars).filter(|date| is_valid(*date)) else { return format::invalid(ts, text) };
    make_by_class(ts, class, date)
}

/// Whether a date's numbers are those of a day.
pub fn is_valid(date: Ymd) -> bool {
    (MIN_YEAR..=MAX_YEAR).contains(&date.year)
        && (1..=12).contains(&date.month)
        && (1..=calendar::days_in_month(date.year, date.month)).contains(&date.day)
}

fn fromisocalendar(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("fromisocalendar", ["year", "week", "day"], 0, 3, 3);
    let [year, week, day] = SIGNATURE.parse(ts, args)?;
    let part = |value: Option<&PyObject>| -> PyResult<i32> {
        let value = match value {
            Some(value) => crate::object::protocol::index(ts, value)?,
            None => return Ok(0),
        };
        match value.as_i64().and_then(|value| i32::try_from(value).ok()) {
            Some(value) => Ok(value),
            None => raise!(ts, exc::ValueError, "ISO calendar component out of range"),
        }
    };
    let (year, week, day) = (part(year)?, part(week)?, part(day)?);
    match calendar::from_iso(year, week, day) {
        Ok(date) => make_by_class(ts, class, date),
        Err(IsoProblem::Year) => {
            raise!(ts, exc::ValueError, "year must be in {MIN_YEAR}..{MAX_YEAR}, not {year}")
        }
        Err(IsoProblem::Week) => raise!(ts, exc::ValueError, "Invalid week: {week}"),
        Err(IsoProblem::Day) => raise!(ts, exc::ValueError, "Invalid weekday: {day} (range is [1, 7])"),
    }
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let Ymd { year, month, day } = this.cast::<PyDate>().ymd();
    let mut text = StrBuilder::with_capacity(40)?;
    text.push_str(this.ob_type().full_name())?;
    let mut rest = Text::<32>::new();
    rest.write(format_args!("({year}, {month}, {day})"));
    text.push_ascii(rest.as_bytes())?;
    Ok(text.finish(ts)?.into_object())
}

fn isoformat(ts: &ThreadState, this: &PyObject) -> PyResult {
    let Ymd { year, month, day } = this.cast::<PyDate>().ymd();
    let mut text = Text::<16>::new();
    text.write(format_args!("{year:04}-{month:02}-{day:02}"));
    Ok(PyStr::from_ascii(ts, text.as_bytes())?.into_object())
}

/// The text of C's `ctime`.
pub fn ctime(ts: &ThreadState, date: Ymd, time: Hms) -> PyResult {
    let mut text = Text::<40>::new();
    text.write(format_args!(
        "{} {} {:2} {:02}:{:02}:{:02} {:04}",
        DAYS[date.weekday() as usize],
        MONTHS[(date.month - 1) as usize % 12],
        date.day,
        time.hour,
        time.minute,
        time.second,
        date.year
    ));
    Ok(PyStr::from_ascii(ts, text.as_bytes())?.into_object())
}

fn strftime(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("strftime", ["format"], 0, 1, 1);
    let [format] = SIGNATURE.parse(ts, args)?;
    let format = format::format_argument(ts, "strftime", format.unwrap_or(this))?;
    let time = crate::object::protocol::call_named(ts, this, "timetuple", &[])?;
    let date = this.cast::<PyDate>().ymd();
    let full = this.downcast::<PyDateTime>();
    let formatted = Formatted {
        year: date.year,
        month: date.month,
        day: date.day,
        micro: full.map_or(0, |full| full.hms().micro),
        zone: full.and_then(PyDateTime::tzinfo),
        when: this,
    };
    formatted.strftime(ts, format, &time)
}

fn replace(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("replace", ["year", "month", "day"], 0, 3, 0);
    let [year, month, day] = SIGNATURE.parse(ts, args)?;
    let own = this.cast::<PyDate>().ymd();
    let date = Ymd::new(int_or(ts, year, own.year)?, int_or(ts, month, own.month)?, int_or(ts, day, own.day)?);
    make_by_class(ts, this.ob_type().as_object(), date)
}

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let state = PyBytes::new(ts, &this.cast::<PyDate>().bytes())?;
    let arguments = PyTuple::from_array(ts, [state.into_object()])?;
    Ok(PyTuple::from_array(ts, [this.ob_type().new_ref(), arguments.into_object()])?.into_object())
}

fn compare(_ts: &ThreadState, a: &PyObject, b: &PyObject, op: CompareOp) -> PyResult {
    match (a.downcast::<PyDate>(), b.downcast::<PyDate>()) {
        (Some(left), Some(right)) if !a.is_a::<PyDateTime>() && !b.is_a::<PyDateTime>() => {
            Ok(py_bool(op.holds(left.bytes().cmp(&right.bytes()))))
        }
        _ => Ok(not_implemented()),
    }
}

fn plus_days(ts: &ThreadState, date: &PyObject, days: i64) -> PyResult {
    let ordinal = i64::from(date.cast::<PyDate>().ymd().ordinal()) + days;
    if !(1..=i64::from(MAX_ORDINAL)).contains(&ordinal) {
        return raise!(ts, exc::OverflowError, "date value out of range");
    }
    make_by_class(ts, date.ob_type().as_object(), Ymd::from_ordinal(ordinal as i32))
}

fn add(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    if a.is_a::<PyDateTime>() || b.is_a::<PyDateTime>() {
        return Ok(not_implemented());
    }
    let (date, delta) = if a.is_a::<PyDate>() { (a, b) } else { (b, a) };
    match delta.downcast::<PyDelta>() {
        Some(delta) => plus_days(ts, date, delta.days()),
        None => Ok(not_implemented()),
    }
}

fn subtract(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    if a.is_a::<PyDateTime>() || b.is_a::<PyDateTime>() {
        return Ok(not_implemented());
    }
    let Some(left) = a.downcast::<PyDate>() else { return Ok(not_implemented()) };
    if let Some(right) = b.downcast::<PyDate>() {
        let days = left.ymd().ordinal() - right.ymd().ordinal();
        return Ok(PyDelta::new(ts, days.into(), 0, 0)?.into_object());
    }
    match b.downcast::<PyDelta>() {
        Some(delta) => plus_days(ts, a, -delta.days()),
        None => Ok(not_implemented()),
    }
}
