//! `datetime`: a day and a time of day, with a zone or without. What makes one is in `construct`.

use core::cell::Cell;

use super::calendar::{EPOCH_ORDINAL, MAX_ORDINAL, Ymd};
use super::date::{self, DATE_TYPE, PyDate};
use super::delta::{DAY, MICROS, PyDelta};
use super::format;
use super::text::{Hms, Text, write_offset};
use super::time::{self, PyTime, TIME_TYPE, fold_argument};
use super::tzinfo::{self, dst, or_none, utc_offset, zone_argument, zone_name};
use super::{construct, int_or, local};
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot,
    StaticType, TypeSlots, TypeSpec, ValueDef, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::hash::hash_bytes;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// A date with a time of day; C's `PyDateTime_DateTime`. It begins as a date does.
#[repr(C)]
pub struct PyDateTime {
    ob_base: PyObject,
    hashcode: Cell<isize>,
    hastzinfo: Cell<u8>,
    /// The four bytes of a date, then the six of a time.
    data: [Cell<u8>; 10],
    fold: Cell<u8>,
    tzinfo: Slot<PyObject>,
}

crate::native!(PyDateTime, DATETIME_TYPE);
owns!(PyDateTime: tzinfo);

const FIRST: Ymd = Ymd::new(1, 1, 1);
const LAST: Ymd = Ymd::new(9999, 12, 31);
const LAST_TIME: Hms = Hms { hour: 23, minute: 59, second: 59, micro: 999_999 };

/// `datetime.datetime`.
pub static DATETIME_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.datetime",
    basicsize: size_of::<PyDateTime>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&DATE_TYPE),
    doc: "datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])\n\nThe year, month and day arguments are required. tzinfo may be None, or an\ninstance of a tzinfo subclass. The remaining arguments may be ints.",
    slots: TypeSlots {
        new: Some(construct::new),
        dealloc: Some(PyDateTime::slot_dealloc),
        traverse: Some(PyDateTime::slot_traverse),
        repr: Some(repr),
        str: Some(|ts, this| {
            let space = PyStr::latin1_char(b' ');
            call::call_method(ts, this, &*PyStr::intern(ts, "isoformat")?, &[space.as_object()])
        }),
        hash: Some(hash),
        richcompare: Some(compare),
        nb_add: Some(add),
        nb_subtract: Some(subtract),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords("now", construct::now, "now($type, /, tz=None)\n--\n\nReturns new datetime object representing current time local to tz.\n\n  tz\n    Timezone object.\n\nIf no tz is specified, uses local timezone.").class(),
        MethodDef::no_args("utcnow", construct::utcnow, "Return a new datetime representing UTC day and time.").class(),
        MethodDef::keywords("fromtimestamp", construct::fromtimestamp, "timestamp[, tz] -> tz's local time from POSIX timestamp.").class(),
        MethodDef::one("utcfromtimestamp", construct::utcfromtimestamp, "Construct a naive UTC datetime from a POSIX timestamp.").class(),
        MethodDef::positional(
            "strptime",
            |ts, class, args| format::strptime(ts, class, args, "_strptime_datetime_datetime"),
            "string, format -> new datetime parsed from a string (like time.strptime()).",
        )
        .class(),
        MethodDef::keywords("combine", construct::combine, "date, time -> datetime with same date and time fields").class(),
        MethodDef::one("fromisoformat", construct::fromisoformat, "string -> datetime from a string in most ISO 8601 formats").class(),
        MethodDef::no_args(
            "date",
            |ts, this| Ok(date::make(ts, &DATE_TYPE, this.cast::<PyDateTime>().ymd())?.into_object()),
            "Return date object with same year, month and day.",
        ),
        MethodDef::no_args(
            "time",
            |ts, this| {
                let this = this.cast::<PyDateTime>();
                Ok(PyTime::new(ts, &TIME_TYPE, this.hms(), None, this.fold())?.into_object())
            },
            "Return time object with same time but with tzinfo=None.",
        ),
        MethodDef::no_args(
            "timetz",
            |ts, this| {
                let this = this.cast::<PyDateTime>();
                let zone = this.tzinfo();
                Ok(PyTime::new(ts, &TIME_TYPE, this.hms(), zone.as_deref(), this.fold())?.into_object())
            },
            "Return time object with same time and tzinfo.",
        ),
        MethodDef::no_args(
            "ctime",
            |ts, this| date::ctime(ts, this.cast::<PyDateTime>().ymd(), this.cast::<PyDateTime>().hms()),
            "Return ctime() style string.",
        ),
        MethodDef::no_args("timetuple", timetuple, "Return time tuple, compatible with time.localtime()."),
        MethodDef::no_args("timestamp", timestamp, "Return POSIX timestamp as float."),
        MethodDef::no_args("utctimetuple", utctimetuple, "Return UTC time tuple, compatible with time.localtime()."),
        MethodDef::keywords("isoformat", isoformat, "[sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\nsep is used to separate the year from the time, and defaults to 'T'.\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.\n"),
        MethodDef::no_args(
            "utcoffset",
            |ts, this| Ok(or_none(ts, this.cast::<PyDateTime>().offset(ts)?)),
            "Return self.tzinfo.utcoffset(self).",
        ),
        MethodDef::no_args(
            "tzname",
            |ts, this| {
                let zone = this.cast::<PyDateTime>().tzinfo();
                Ok(zone_name(ts, zone.as_deref(), this)?.map_or_else(|| ts.none(), Ref::into_object))
            },
            "Return self.tzinfo.tzname(self).",
        ),
        MethodDef::no_args(
            "dst",
            |ts, this| Ok(or_none(ts, dst(ts, this.cast::<PyDateTime>().tzinfo().as_deref(), this)?)),
            "Return self.tzinfo.dst(self).",
        ),
        MethodDef::keywords("replace", replace, "replace($self, /, year=unchanged, month=unchanged, day=unchanged,\n        hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)\n--\n\nReturn datetime with new specified fields."),
        MethodDef::keywords("__replace__", replace, "__replace__($self, /, year=unchanged, month=unchanged, day=unchanged,\n            hour=unchanged, minute=unchanged, second=unchanged,\n            microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)\n--\n\nThe same as replace()."),
        MethodDef::keywords("astimezone", astimezone, "tz -> convert to local time in new timezone tz\n"),
        MethodDef::one(
            "__reduce_ex__",
            |ts, this, protocol| reduced(ts, this, super::c_int(ts, protocol)?),
            "__reduce_ex__(proto) -> (cls, state)",
        ),
        MethodDef::no_args("__reduce__", |ts, this| reduced(ts, this, 2), "__reduce__() -> (cls, state)"),
    ],
    getset: &[
        GetSetDef::get("hour", |ts, this| PyInt::from_i64(ts, this.cast::<PyDateTime>().hms().hour.into()), ""),
        GetSetDef::get("minute", |ts, this| PyInt::from_i64(ts, this.cast::<PyDateTime>().hms().minute.into()), ""),
        GetSetDef::get("second", |ts, this| PyInt::from_i64(ts, this.cast::<PyDateTime>().hms().second.into()), ""),
        GetSetDef::get("microsecond", |ts, this| PyInt::from_i64(ts, this.cast::<PyDateTime>().hms().micro.into()), ""),
        GetSetDef::get("tzinfo", |ts, this| Ok(this.cast::<PyDateTime>().tzinfo().unwrap_or_else(|| ts.none())), ""),
        GetSetDef::get("fold", |ts, this| PyInt::from_i64(ts, this.cast::<PyDateTime>().fold().into()), ""),
    ],
    values: &[
        ValueDef {
            name: "min",
            make: |ts| Ok(PyDateTime::new(ts, &DATETIME_TYPE, FIRST, Hms::default(), None, false)?.into_object()),
        },
        ValueDef {
            name: "max",
            make: |ts| Ok(PyDateTime::new(ts, &DATETIME_TYPE, LAST, LAST_TIME, None, false)?.into_object()),
        },
        ValueDef { name: "resolution", make: |ts| Ok(PyDelta::new(ts, 0, 0, 1)?.into_object()) },
    ],
    ..TypeSpec::EMPTY
});

impl PyDateTime {
    /// A datetime of exactly that type. Raises ValueError.
    pub fn new(
        ts: &ThreadState,
        of: &PyTypeObject,
        date: Ymd,
        time: Hms,
        zone: Option<&PyObject>,
        fold: bool,
    ) -> PyResult<Ref<PyDateTime>> {
        date::check(ts, date)?;
        time::check(ts, time)?;
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&date::pack(date));
        bytes[4..].copy_from_slice(&time::pack(time));
        PyDateTime::of_bytes(ts, of, bytes, zone, fold)
    }

    /// The same from its bytes, which are not checked.
    pub fn of_bytes(
        ts: &ThreadState,
        of: &PyTypeObject,
        bytes: [u8; 10],
        zone: Option<&PyObject>,
        fold: bool,
    ) -> PyResult<Ref<PyDateTime>> {
        let made = alloc::object::<PyDateTime>(ts, of)?;
        made.hashcode.set(-1);
        for (place, byte) in made.data.iter().zip(bytes) {
            place.set(byte);
        }
        made.set_fold(fold);
        made.set_zone(zone);
        // Only a zone, or what a subclass adds, can lead back to the object.
        if zone.is_some() || of.is_heap_type() {
            gc::track(ts, &*made);
        }
        Ok(made)
    }

    fn bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes.iter_mut().zip(&self.data).for_each(|(byte, place)| *byte = place.get());
        bytes
    }

    /// The day.
    pub fn ymd(&self) -> Ymd {
        self.as_object().cast::<PyDate>().ymd()
    }

    /// The time of day.
    pub fn hms(&self) -> Hms {
        let [_, _, _, _, time @ ..] = self.bytes();
        time::unpack(time)
    }

    /// Whether it is the second one of two equal times.
    pub fn fold(&self) -> bool {
        self.fold.get() != 0
    }

    /// The zone.
    pub fn tzinfo(&self) -> Option<PyRef> {
        self.tzinfo.get()
    }

    /// Sets the fold of an object that is being made.
    pub fn set_fold(&self, fold: bool) {
        self.fold.set(fold.into());
    }

    fn set_zone(&self, zone: Option<&PyObject>) {
        self.hastzinfo.set(zone.is_some().into());
        self.tzinfo.set(zone.map(AsObject::new_ref));
    }

    fn offset(&self, ts: &ThreadState) -> PyResult<Option<Ref<PyDelta>>> {
        utc_offset(ts, self.tzinfo().as_deref(), self.as_object())
    }

    /// The days, seconds and microseconds in the calendar.
    fn moment(&self) -> (i64, i64, i64) {
        let time = self.hms();
        (self.ymd().ordinal().into(), time.seconds(), time.micro.into())
    }

    /// The same instant of the calendar with another zone and fold, of exactly `datetime`.
    fn with(&self, ts: &ThreadState, zone: Option<&PyObject>, fold: bool) -> PyResult<Ref<PyDateTime>> {
        PyDateTime::of_bytes(ts, &DATETIME_TYPE, self.bytes(), zone, fold)
    }

    /// The difference of two, without regard of zones.
    fn minus(&self, ts: &ThreadState, other: &PyDateTime) -> PyResult<Ref<PyDelta>> {
        let (days, seconds, micros) = self.moment();
        let (other_days, other_seconds, other_micros) = other.moment();
        PyDelta::new(ts, days - other_days, seconds - other_seconds, micros - other_micros)
    }

    /// Whether the offset from UTC depends on the fold.
    fn depends_on_fold(&self, ts: &ThreadState, offset: Option<&PyDelta>) -> PyResult<bool> {
        let flipped = self.with(ts, self.tzinfo().as_deref(), !self.fold())?;
        let flipped = flipped.offset(ts)?;
        Ok(match (flipped.as_deref(), offset) {
            (None, None) => false,
            (Some(a), Some(b)) => !a.compare(b).is_eq(),
            _ => true,
        })
    }
}

/// The sum of a datetime and a duration, by its class. Raises OverflowError.
pub fn add_delta(ts: &ThreadState, when: &PyDateTime, delta: &PyDelta, factor: i64) -> PyResult {
    let (days, seconds, micros) = when.moment();
    let micros = micros + factor * delta.microseconds();
    let seconds = seconds + factor * delta.seconds() + micros.div_euclid(MICROS);
    let ordinal = days + factor * delta.days() + seconds.div_euclid(DAY);
    if !(1..=i64::from(MAX_ORDINAL)).contains(&ordinal) {
        return raise!(ts, exc::OverflowError, "date value out of range");
    }
    let seconds = seconds.rem_euclid(DAY) as i32;
    let time = Hms {
        hour: seconds / 3600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        micro: micros.rem_euclid(MICROS) as i32,
    };
    let zone = when.tzinfo();
    let class = when.as_object().ob_type().as_object();
    construct::make_by_class(ts, class, Ymd::from_ordinal(ordinal as i32), time, zone.as_deref(), false)
}

fn add(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    match (a.downcast::<PyDateTime>(), b.downcast::<PyDateTime>()) {
        (Some(when), None) => match b.downcast::<PyDelta>() {
            Some(delta) => add_delta(ts, when, delta, 1),
            None => Ok(not_implemented()),
        },
        (None, Some(when)) => match a.downcast::<PyDelta>() {
            Some(delta) => add_delta(ts, when, delta, 1),
            None => Ok(not_implemented()),
        },
        _ => Ok(not_implemented()),
    }
}

fn same_zone(a: &PyDateTime, b: &PyDateTime) -> bool {
    match (a.tzinfo(), b.tzinfo()) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is(&b),
        _ => false,
    }
}

fn subtract(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult {
    let Some(left) = a.downcast::<PyDateTime>() else { return Ok(not_implemented()) };
    if let Some(right) = b.downcast::<PyDateTime>() {
        return Ok(difference(ts, left, right)?.into_object());
    }
    match b.downcast::<PyDelta>() {
        Some(delta) => add_delta(ts, left, delta, -1),
        None => Ok(not_implemented()),
    }
}

fn difference(ts: &ThreadState, left: &PyDateTime, right: &PyDateTime) -> PyResult<Ref<PyDelta>> {
    let (mut left_offset, mut right_offset) = (None, None);
    if !same_zone(left, right) {
        left_offset = left.offset(ts)?;
        right_offset = right.offset(ts)?;
        if left_offset.is_some() != right_offset.is_some() {
            return raise!(ts, exc::TypeError, "can't subtract offset-naive and offset-aware datetimes");
        }
    }
    let plain = left.minus(ts, right)?;
    match (left_offset, right_offset) {
        (Some(a), Some(b)) if !a.compare(&b).is_eq() => plain.plus(ts, &*a.plus(ts, &b, -1)?, -1),
        _ => Ok(plain),
    }
}

fn compare(ts: &ThreadState, a: &PyObject, b: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (a.downcast::<PyDateTime>(), b.downcast::<PyDateTime>()) else {
        return Ok(not_implemented());
    };
    let by_bytes = || left.bytes().cmp(&right.bytes());
    if same_zone(left, right) {
        return Ok(py_bool(op.holds(by_bytes())));
    }
    let (left_offset, right_offset) = (left.offset(ts)?, right.offset(ts)?);
    let mut order = match (left_offset.as_deref(), right_offset.as_deref()) {
        (None, None) => by_bytes(),
        (Some(a), Some(b)) if a.compare(b).is_eq() => by_bytes(),
        (Some(_), Some(_)) => difference(ts, left, right)?.compare(PyDelta::ZERO.get()),
        _ => {
            return match op {
                CompareOp::Eq => Ok(py_bool(false)),
                CompareOp::Ne => Ok(py_bool(true)),
                _ => raise!(ts, exc::TypeError, "can't compare offset-naive and offset-aware datetimes"),
            };
        }
    };
    // A time that the fold decides about is not equal to any of another zone (PEP 495).
    if matches!(op, CompareOp::Eq | CompareOp::Ne)
        && order.is_eq()
        && (left.depends_on_fold(ts, left_offset.as_deref())? || right.depends_on_fold(ts, right_offset.as_deref())?)
    {
        order = core::cmp::Ordering::Greater;
    }
    Ok(py_bool(op.holds(order)))
}

fn hash(ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    let when = this.cast::<PyDateTime>();
    if when.hashcode.get() != -1 {
        return Ok(when.hashcode.get());
    }
    // Equal times have equal hashes, whichever of two they are.
    let offset =
        if when.fold() { when.with(ts, when.tzinfo().as_deref(), false)?.offset(ts)? } else { when.offset(ts)? };
    let hash = match offset {
        None => hash_bytes(&when.bytes()),
        Some(offset) => {
            let (days, seconds, micros) = when.moment();
            PyDelta::new(ts, days, seconds, micros)?.plus(ts, &offset, -1)?.hash_value()
        }
    };
    when.hashcode.set(hash);
    Ok(hash)
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let when = this.cast::<PyDateTime>();
    let (Ymd { year, month, day }, Hms { hour, minute, second, micro }) = (when.ymd(), when.hms());
    let mut text = StrBuilder::with_capacity(80)?;
    text.push_str(this.ob_type().full_name())?;
    let mut numbers = Text::<48>::new();
    numbers.write(format_args!("({year}, {month}, {day}, {hour}, {minute}"));
    match (second, micro) {
        (0, 0) => {}
        (_, 0) => numbers.write(format_args!(", {second}")),
        _ => numbers.write(format_args!(", {second}, {micro}")),
    }
    text.push_ascii(numbers.as_bytes())?;
    if when.fold() {
        text.push_ascii(b", fold=1")?;
    }
    if let Some(zone) = when.tzinfo() {
        text.push_ascii(b", tzinfo=")?;
        text.push_repr(ts, &zone)?;
    }
    text.push_ascii(b")")?;
    Ok(text.finish(ts)?.into_object())
}

fn isoformat(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("isoformat", ["sep", "timespec"], 0, 2, 0);
    let [separator, spec] = SIGNATURE.parse(ts, args)?;
    let separator = match separator {
        None => u32::from('T'),
        Some(separator) => match separator.downcast::<PyStr>() {
            Some(text) if text.len() == 1 => text.char_at(0),
            Some(text) => {
                return raise!(
                    ts,
                    exc::TypeError,
                    "isoformat() argument 1 must be a unicode character, not a string of length {}",
                    text.len()
                );
            }
            None => {
                return raise!(
                    ts,
                    exc::TypeError,
                    "isoformat() argument 1 must be a unicode character, not {}",
                    tzinfo::argument_type(separator)
                );
            }
        },
    };
    let spec = format::time_spec(ts, spec)?;
    let when = this.cast::<PyDateTime>();
    let Ymd { year, month, day } = when.ymd();
    let mut out = StrBuilder::with_capacity(40)?;
    let mut text = Text::<48>::new();
    text.write(format_args!("{year:04}-{month:02}-{day:02}"));
    out.push_ascii(text.as_bytes())?;
    out.push_char(separator)?;
    let mut text = Text::<48>::new();
    when.hms().write(&mut text, spec);
    if let Some(offset) = when.offset(ts)? {
        write_offset(&mut text, offset.total_microseconds(), ":");
    }
    out.push_ascii(text.as_bytes())?;
    Ok(out.finish(ts)?.into_object())
}

fn timetuple(ts: &ThreadState, this: &PyObject) -> PyResult {
    let when = this.cast::<PyDateTime>();
    let dst = match dst(ts, when.tzinfo().as_deref(), this)? {
        None => -1,
        Some(dst) => i32::from(!dst.is_zero()),
    };
    super::time_tuple(ts, when.ymd(), when.hms(), dst)
}

fn utctimetuple(ts: &ThreadState, this: &PyObject) -> PyResult {
    let when = this.cast::<PyDateTime>();
    let (days, seconds, _) = when.moment();
    let (mut days, mut seconds) = (days, seconds);
    if let Some(offset) = when.offset(ts)? {
        seconds -= offset.seconds();
        days += seconds.div_euclid(DAY) - offset.days();
        seconds = seconds.rem_euclid(DAY);
    }
    if !(1..=i64::from(MAX_ORDINAL)).contains(&days) {
        return raise!(ts, exc::OverflowError, "date value out of range");
    }
    let seconds = seconds as i32;
    let time = Hms { hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60, micro: 0 };
    super::time_tuple(ts, Ymd::from_ordinal(days as i32), time, 0)
}

/// The seconds from the Epoch of a datetime with an offset.
fn since_epoch(ts: &ThreadState, when: &PyDateTime, offset: &PyDelta) -> PyResult<Ref<PyDelta>> {
    let (days, seconds, micros) = when.moment();
    PyDelta::new(ts, days - i64::from(EPOCH_ORDINAL), seconds, micros)?.plus(ts, offset, -1)
}

fn timestamp(ts: &ThreadState, this: &PyObject) -> PyResult {
    let when = this.cast::<PyDateTime>();
    let time = when.hms();
    if when.tzinfo().is_none() {
        let seconds = local::timestamp(ts, when.ymd(), time, when.fold())?;
        return PyFloat::new(ts, seconds as f64 + f64::from(time.micro) / 1e6);
    }
    match when.offset(ts)? {
        Some(offset) => super::delta::total_seconds(ts, since_epoch(ts, when, &offset)?.as_object()),
        None => raise!(ts, exc::TypeError, "can't subtract offset-naive and offset-aware datetimes"),
    }
}

/// The zone of fixed offset that the system's local zone is at a moment.
fn local_zone(ts: &ThreadState, seconds: i64) -> PyResult {
    let tm = local::local_time(ts, seconds)?;
    let name = if tm.tm_zone.is_null() {
        None
    } else {
        // SAFETY: the C library's string, which lives until the zone is set anew.
        let name = unsafe { core::ffi::CStr::from_ptr(tm.tm_zone) };
        Some(crate::modules::posix::path::fs_decode(ts, name.to_bytes())?)
    };
    tzinfo::make(ts, &*PyDelta::new(ts, 0, tm.tm_gmtoff, 0)?, name.as_deref())
}

/// The same for a local time; in a gap of the clock the fold says on which side of it.
fn zone_of_local(ts: &ThreadState, when: &PyDateTime) -> PyResult {
    let (date, time) = (when.ymd(), when.hms());
    let seconds = local::timestamp(ts, date, time, when.fold())?;
    let other = local::timestamp(ts, date, time, !when.fold())?;
    local_zone(ts, if other != seconds && (other > seconds) == when.fold() { other } else { seconds })
}

fn astimezone(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("astimezone", ["tz"], 0, 1, 0);
    let [zone] = SIGNATURE.parse(ts, args)?;
    let zone = zone_argument(ts, zone)?;
    let when = this.cast::<PyDateTime>();
    let (mut own_zone, mut offset) = (when.tzinfo(), None);
    if let Some(own) = &own_zone {
        if zone.is_some_and(|zone| zone.is(own)) {
            return Ok(this.new_ref());
        }
        offset = utc_offset(ts, Some(own), this)?;
    }
    let offset = match offset {
        Some(offset) => offset,
        None => {
            // Without an offset it is a time of the local zone.
            let local = zone_of_local(ts, when)?;
            if zone.is_some_and(|zone| zone.is(&local)) {
                return Ok(this.new_ref());
            }
            let offset = utc_offset(ts, Some(&local), this)?;
            own_zone = Some(local);
            match offset {
                Some(offset) => offset,
                None => return raise!(ts, exc::TypeError, "the local time zone has no offset"),
            }
        }
    };
    drop(own_zone);
    let utc = add_delta(ts, when, &offset, -1)?;
    let Some(in_utc) = utc.downcast::<PyDateTime>() else {
        return raise!(ts, exc::TypeError, "a datetime is expected, not '{}'", utc.type_name());
    };
    let zone = match zone {
        Some(zone) => zone.new_ref(),
        None => {
            let since = since_epoch(ts, in_utc, PyDelta::ZERO.get())?;
            local_zone(ts, since.whole_seconds())?
        }
    };
    if in_utc.tzinfo().is_none() && !utc.ob_type().is_heap_type() {
        gc::track(ts, in_utc);
    }
    in_utc.set_zone(Some(&zone));
    in_utc.hashcode.set(-1);
    protocol::call_named(ts, &zone, "fromutc", &[&utc])
}

fn replace(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<9> = Signature::new(
        "replace",
        ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"],
        0,
        8,
        0,
    );
    let [year, month, day, hour, minute, second, micro, zone, fold] = SIGNATURE.parse(ts, args)?;
    let own = this.cast::<PyDateTime>();
    let (date, time) = (own.ymd(), own.hms());
    let date = Ymd::new(int_or(ts, year, date.year)?, int_or(ts, month, date.month)?, int_or(ts, day, date.day)?);
    let time = Hms {
        hour: int_or(ts, hour, time.hour)?,
        minute: int_or(ts, minute, time.minute)?,
        second: int_or(ts, second, time.second)?,
        micro: int_or(ts, micro, time.micro)?,
    };
    let fold = fold_argument(ts, int_or(ts, fold, own.fold().into())?)?;
    let kept = own.tzinfo();
    let zone = zone_argument(ts, zone.or(kept.as_deref()))?;
    construct::make_by_class(ts, this.ob_type().as_object(), date, time, zone, fold)
}

fn reduced(ts: &ThreadState, this: &PyObject, protocol: i32) -> PyResult {
    let when = this.cast::<PyDateTime>();
    let mut bytes = when.bytes();
    if protocol > 3 && when.fold() {
        bytes[2] |= 0x80;
    }
    let state = PyBytes::new(ts, &bytes)?.into_object();
    let arguments = match when.tzinfo() {
        Some(zone) if !is_none(&zone) => PyTuple::from_array(ts, [state, zone])?,
        _ => PyTuple::from_array(ts, [state])?,
    };
    Ok(PyTuple::from_array(ts, [this.ob_type().new_ref(), arguments.into_object()])?.into_object())
}
