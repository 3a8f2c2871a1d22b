//! What makes a `datetime`: numbers, pickles, timestamps, texts, a date with a time.

use super::calendar::{self, Ymd};
use super::date::{self, PyDate};
use super::datetime::{DATETIME_TYPE, PyDateTime};
use super::format;
use super::text::{self, Hms};
use super::time::{PyTime, fold_argument};
use super::tzinfo::{PyTzInfo, argument_type, zone_argument};
use super::{int_or, local, pickled_state, zone_of};
use crate::modules::time::convert::NANOS;
use crate::object::{Args, AsObject, PyObject, PyResult, PyTypeObject, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;

/// A datetime of a class, by calling the class when it is a subclass.
pub fn make_by_class(
    ts: &ThreadState,
    class: &PyObject,
    date: Ymd,
    time: Hms,
    zone: Option<&PyObject>,
    fold: bool,
) -> PyResult {
    if class.is(DATETIME_TYPE.as_object()) {
        return Ok(PyDateTime::new(ts, &DATETIME_TYPE, date, time, zone, fold)?.into_object());
    }
    let int = |value: i32| PyInt::from_i64(ts, value.into());
    let arguments = [
        int(date.year)?,
        int(date.month)?,
        int(date.day)?,
        int(time.hour)?,
        int(time.minute)?,
        int(time.second)?,
        int(time.micro)?,
        zone.map_or_else(|| ts.none(), AsObject::new_ref),
    ];
    let made = call::call_with(ts, class, call::borrow_all(&arguments))?;
    if let Some(made) = made.downcast::<PyDateTime>() {
        made.set_fold(fold);
    }
    Ok(made)
}

/// The type's `new` slot.
pub fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let positional = args.positional();
    if let [state] | [state, _] = positional
        && let Some(mut bytes) =
            pickled_state::<10>(ts, state, "datetime", |bytes| (1..=12).contains(&(bytes[2] & 0x7f)))?
    {
        let zone = positional.get(1).copied().filter(|zone| !is_none(zone));
        if zone.is_some_and(|zone| !zone.is_a::<PyTzInfo>()) {
            return raise!(ts, exc::TypeError, "bad tzinfo state arg");
        }
        let fold = bytes[2] & 0x80 != 0;
        bytes[2] &= 0x7f;
        return Ok(PyDateTime::of_bytes(ts, of, bytes, zone, fold)?.into_object());
    }
    static SIGNATURE: Signature<9> = Signature::new(
        "function",
        ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"],
        0,
        8,
        3,
    );
    let [year, month, day, hour, minute, second, micro, zone, fold] = SIGNATURE.parse(ts, args)?;
    let date = Ymd::new(int_or(ts, year, 0)?, int_or(ts, month, 0)?, int_or(ts, day, 0)?);
    let time = Hms {
        hour: int_or(ts, hour, 0)?,
        minute: int_or(ts, minute, 0)?,
        second: int_or(ts, second, 0)?,
        micro: int_or(ts, micro, 0)?,
    };
    let fold = int_or(ts, fold, 0)?;
    let zone = zone_argument(ts, zone)?;
    date::check(ts, date)?;
    super::time::check(ts, time)?;
    let fold = fold_argument(ts, fold)?;
    Ok(PyDateTime::new(ts, of, date, time, zone, fold)?.into_object())
}

/// The moment of a timestamp: in UTC, or in the system's local zone.
fn of_timestamp(
    ts: &ThreadState,
    class: &PyObject,
    utc: bool,
    seconds: i64,
    micro: i32,
    zone: Option<&PyObject>,
) -> PyResult {
    let tm = if utc { local::utc_time(ts, seconds)? } else { local::local_time(ts, seconds)? };
    let (date, time) = local::date_and_time(&tm, micro);
    let fold = !utc && zone.is_none() && local::is_folded(ts, seconds, date, time)?;
    make_by_class(ts, class, date, time, zone, fold)
}

/// The moment of a timestamp in a zone, by the zone's `fromutc`, or in the local zone without one.
fn in_zone(ts: &ThreadState, class: &PyObject, seconds: i64, micro: i32, zone: Option<&PyObject>) -> PyResult {
    let made = of_timestamp(ts, class, zone.is_some(), seconds, micro, zone)?;
    match zone {
        Some(zone) => protocol::call_named(ts, zone, "fromutc", &[&made]),
        None => Ok(made),
    }
}

fn present(ts: &ThreadState) -> PyResult<(i64, i32)> {
    let now = crate::modules::time::now(ts)?;
    Ok((now.div_euclid(NANOS), (now.rem_euclid(NANOS) / 1000) as i32))
}

/// `now(tz=None)`.
pub fn now(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("now", ["tz"], 0, 1, 0);
    let [zone] = SIGNATURE.parse(ts, args)?;
    let zone = zone_argument(ts, zone)?;
    let (seconds, micro) = present(ts)?;
    in_zone(ts, class, seconds, micro, zone)
}

/// `utcnow()`.
pub fn utcnow(ts: &ThreadState, class: &PyObject) -> PyResult {
    crate::modules::_warnings::warn(
        ts,
        &exc::DeprecationWarning,
        "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
        1,
    )?;
    let (seconds, micro) = present(ts)?;
    of_timestamp(ts, class, true, seconds, micro, None)
}

/// `fromtimestamp(timestamp, tz=None)`.
pub fn fromtimestamp(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("fromtimestamp", ["timestamp", "tz"], 0, 2, 1);
    let [timestamp, zone] = SIGNATURE.parse(ts, args)?;
    let zone = zone_argument(ts, zone)?;
    let (seconds, micro) = local::seconds_and_micros(ts, timestamp.unwrap_or(class))?;
    in_zone(ts, class, seconds, micro, zone)
}

/// `utcfromtimestamp(timestamp)`.
pub fn utcfromtimestamp(ts: &ThreadState, class: &PyObject, timestamp: &PyObject) -> PyResult {
    crate::modules::_warnings::warn(
        ts,
        &exc::DeprecationWarning,
        "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, datetime.UTC).",
        1,
    )?;
    let (seconds, micro) = local::seconds_and_micros(ts, timestamp)?;
    of_timestamp(ts, class, true, seconds, micro, None)
}

/// `combine(date, time, tzinfo=time.tzinfo)`.
pub fn combine(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("combine", ["date", "time", "tzinfo"], 0, 3, 2);
    let [date, time, zone] = SIGNATURE.parse(ts, args)?;
    let (date, time) = (date.unwrap_or(class), time.unwrap_or(class));
    let Some(day) = date.downcast::<PyDate>() else {
        return raise!(ts, exc::TypeError, "combine() argument 1 must be datetime.date, not {}", argument_type(date));
    };
    let Some(clock) = time.downcast::<PyTime>() else {
        return raise!(ts, exc::TypeError, "combine() argument 2 must be datetime.time, not {}", argument_type(time));
    };
    let own = clock.tzinfo();
    let zone = zone_argument(ts, zone.or(own.as_deref()))?;
    make_by_class(ts, class, day.ymd(), clock.hms(), zone, clock.fold())
}

/// `fromisoformat(text)`.
pub fn fromisoformat(ts: &ThreadState, class: &PyObject, argument: &PyObject) -> PyResult {
    let chars = format::characters(ts, argument)?;
    if chars.len() < 7 {
        return format::invalid(ts, argument);
    }
    let Some(end) = text::separator(&chars).filter(|end| *end <= chars.len()) else {
        return format::invalid(ts, argument);
    };
    let Some(mut date) = text::parse_date(&chars[..end]) else { return format::invalid(ts, argument) };
    let mut time = Hms::default();
    let mut zone = None;
    if chars.len() > end + 1 {
        let Some(parsed) = text::parse_time(&chars[end + 1..]) else { return format::invalid(ts, argument) };
        if parsed.past_midnight {
            return raise!(ts, exc::ValueError, "minute, second, and microsecond must be 0 when hour is 24");
        }
        time = parsed.time;
        zone = zone_of(ts, parsed.zone)?;
        if parsed.next_day && date::is_valid(date) {
            date = next_day(date);
        }
    }
    make_by_class(ts, class, date, time, zone.as_deref(), false)
}

fn next_day(date: Ymd) -> Ymd {
    let Ymd { year, month, day } = date;
    if day < calendar::days_in_month(year, month) {
        Ymd::new(year, month, day + 1)
    } else if month < 12 {
        Ymd::new(year, month + 1, 1)
    } else {
        Ymd::new(year + 1, 1, 1)
    }
}
