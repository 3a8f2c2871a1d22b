//! Time tuples: what the C library knows of years, months, days and time zones.

use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use super::convert::{self, Round};
use crate::modules::posix::path::fs_decode;
use crate::modules::posix::system::{errno, os_error, set_errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

const fn field(name: &'static str, doc: &'static str) -> StructSeqField {
    StructSeqField { name, doc }
}

/// `time.struct_time`.
pub static STRUCT_TIME: StructSeqSpec = StructSeqSpec {
    name: "time.struct_time",
    doc: "A time as gmtime(), localtime() and strptime() return it, and asctime(), mktime() and strftime()\naccept it: a sequence of 9 integers. tm_year is the whole year, tm_mon counts from 1.",
    fields: &[
        field("tm_year", "year, for example, 1993"),
        field("tm_mon", "month of year, range [1, 12]"),
        field("tm_mday", "day of month, range [1, 31]"),
        field("tm_hour", "hours, range [0, 23]"),
        field("tm_min", "minutes, range [0, 59]"),
        field("tm_sec", "seconds, range [0, 61])"),
        field("tm_wday", "day of week, range [0, 6], Monday is 0"),
        field("tm_yday", "day of year, range [1, 366]"),
        field("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        field("tm_zone", "abbreviation of timezone name"),
        field("tm_gmtoff", "offset from UTC in seconds"),
    ],
    in_sequence: 9,
};

/// A broken-down time as a `struct_time`; `zone` and `offset` in place of the struct's own.
fn to_struct_time(ts: &ThreadState, tm: &libc::tm, zone: &[u8], offset: i64) -> PyResult {
    let int = |value: i64| PyInt::from_i64(ts, value);
    let values = [
        int(i64::from(tm.tm_year) + 1900)?,
        int(i64::from(tm.tm_mon) + 1)?,
        int(tm.tm_mday.into())?,
        int(tm.tm_hour.into())?,
        int(tm.tm_min.into())?,
        int(tm.tm_sec.into())?,
        int(i64::from((tm.tm_wday + 6) % 7))?,
        int(i64::from(tm.tm_yday) + 1)?,
        int(tm.tm_isdst.into())?,
        fs_decode(ts, zone)?.into_object(),
        int(offset)?,
    ];
    structseq::make(ts, &STRUCT_TIME, &values)
}

/// The zone's name in a broken-down time.
fn zone_name(tm: &libc::tm) -> &[u8] {
    if tm.tm_zone.is_null() {
        return b"";
    }
    // SAFETY: the C library's string, which lives until the zone is set anew.
    unsafe { core::ffi::CStr::from_ptr(tm.tm_zone) }.to_bytes()
}

fn local(ts: &ThreadState, time: i64) -> PyResult<libc::tm> {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    set_errno(0);
    // SAFETY: the call fills the struct, or returns null.
    unsafe {
        if libc::localtime_r(&raw const time, tm.as_mut_ptr()).is_null() {
            return invalid(ts);
        }
        Ok(tm.assume_init())
    }
}

#[cold]
fn invalid<T>(ts: &ThreadState) -> PyResult<T> {
    let error = if errno() == 0 { libc::EINVAL } else { errno() };
    Err(os_error(ts, error))
}

/// The optional argument of a conversion: seconds since the Epoch, the present by default.
fn moment(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult<i64> {
    if args.len() > 1 {
        return raise!(ts, exc::TypeError, "{name}() takes at most 1 argument ({} given)", args.len());
    }
    match args.first().filter(|a| !is_none(a)) {
        Some(seconds) => convert::time_t(ts, seconds, Round::Floor),
        None => Ok(super::now(ts)?.div_euclid(convert::NANOS)),
    }
}

/// `time.gmtime`.
pub fn gmtime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let time = moment(ts, "gmtime", args)?;
    let mut tm = MaybeUninit::<libc::tm>::zeroed();
    set_errno(0);
    // SAFETY: the call fills the struct, or returns null.
    let tm = unsafe {
        if libc::gmtime_r(&raw const time, tm.as_mut_ptr()).is_null() {
            return invalid(ts);
        }
        tm.assume_init()
    };
    to_struct_time(ts, &tm, zone_name(&tm), 0)
}

/// `time.localtime`.
pub fn localtime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let tm = local(ts, moment(ts, "localtime", args)?)?;
    to_struct_time(ts, &tm, zone_name(&tm), tm.tm_gmtoff)
}

/// A time tuple as the C library's, which borrows the zone's name from the tuple.
struct TimeTuple<'a> {
    tm: libc::tm,
    /// Keeps the name alive.
    _zone: Option<&'a PyStr>,
}

fn from_tuple<'a>(ts: &ThreadState, time: &'a PyObject, function: &str) -> PyResult<TimeTuple<'a>> {
    let Some(tuple) = time.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "Tuple or struct_time argument required");
    };
    if tuple.len() != 9 {
        return raise!(ts, exc::TypeError, "{function}(): illegal time tuple argument");
    }
    let mut values = [0i32; 9];
    for (value, item) in values.iter_mut().zip(tuple.items()) {
        *value = c_int(ts, item)?;
    }
    let [year, month, day, hour, minute, second, weekday, yearday, dst] = values;
    let Some(tm_year) = year.checked_sub(1900) else {
        return raise!(ts, exc::OverflowError, "year out of range");
    };
    // SAFETY: a struct of integers and a pointer that may be null.
    let mut tm: libc::tm = unsafe { core::mem::zeroed() };
    tm.tm_year = tm_year;
    tm.tm_mon = month.wrapping_sub(1);
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    tm.tm_wday = weekday.wrapping_add(1) % 7;
    tm.tm_yday = yearday.wrapping_sub(1);
    tm.tm_isdst = dst;
    let mut zone = None;
    let typ = structseq::type_of(ts, &STRUCT_TIME)?;
    if core::ptr::eq(time.ob_type(), &*typ) {
        // SAFETY: an instance of the type has the two hidden fields behind its nine items, none of them null.
        let hidden = unsafe { [&**tuple.item_places().add(9), &**tuple.item_places().add(10)] };
        if let Some(name) = hidden[0].downcast::<PyStr>() {
            tm.tm_zone = name.utf8_with_nul(ts)?.0;
            zone = Some(name);
        }
        if let Some(offset) = hidden[1].downcast::<PyInt>() {
            tm.tm_gmtoff = offset.to_i64(ts)?;
        }
    }
    Ok(TimeTuple { tm, _zone: zone })
}

/// An int with the words of `PyArg_ParseTuple`'s `i`.
fn c_int(ts: &ThreadState, item: &PyObject) -> PyResult<i32> {
    let int = protocol::index(ts, item)?;
    match int.as_i64() {
        Some(value) if value > i64::from(i32::MAX) => {
            raise!(ts, exc::OverflowError, "signed integer is greater than maximum")
        }
        Some(value) if value < i64::from(i32::MIN) => {
            raise!(ts, exc::OverflowError, "signed integer is less than minimum")
        }
        Some(value) => Ok(value as i32),
        None => raise!(ts, exc::OverflowError, "Python int too large to convert to C long"),
    }
}

/// Checks a tuple's values, and corrects zeros that stand for the first.
fn check(ts: &ThreadState, tm: &mut libc::tm) -> PyResult<()> {
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    let problem = match () {
        () if !(0..=11).contains(&tm.tm_mon) => "month",
        () if !(0..=31).contains(&tm.tm_mday) => "day of month",
        () if !(0..=23).contains(&tm.tm_hour) => "hour",
        () if !(0..=59).contains(&tm.tm_min) => "minute",
        () if !(0..=61).contains(&tm.tm_sec) => "seconds",
        () if tm.tm_wday < 0 => "day of week",
        () if !(0..=365).contains(&tm.tm_yday) => "day of year",
        () => return Ok(()),
    };
    raise!(ts, exc::ValueError, "{problem} out of range")
}

fn ascii_time(ts: &ThreadState, tm: &libc::tm) -> PyResult {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = PyStr::format(
        ts,
        format_args!(
            "{} {}{:3} {:02}:{:02}:{:02} {}",
            DAYS[tm.tm_wday as usize % 7],
            MONTHS[tm.tm_mon as usize % 12],
            tm.tm_mday,
            tm.tm_hour,
            tm.tm_min,
            tm.tm_sec,
            1900 + i64::from(tm.tm_year)
        ),
    )?;
    Ok(text.into_object())
}

/// `time.asctime`.
pub fn asctime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "asctime", args.len(), 0, 1)?;
    match args.first() {
        None => {
            let tm = local(ts, moment(ts, "asctime", &[])?)?;
            ascii_time(ts, &tm)
        }
        Some(time) => {
            let mut time = from_tuple(ts, time, "asctime")?;
            check(ts, &mut time.tm)?;
            ascii_time(ts, &time.tm)
        }
    }
}

/// `time.ctime`.
pub fn ctime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let tm = local(ts, moment(ts, "ctime", args)?)?;
    ascii_time(ts, &tm)
}

/// `time.mktime`.
pub fn mktime(ts: &ThreadState, _: &PyObject, time: &PyObject) -> PyResult {
    let mut time = from_tuple(ts, time, "mktime")?;
    // The call sets the day of the week when it succeeds; -1 is a time as well.
    time.tm.tm_wday = -1;
    // SAFETY: the struct is whole.
    let result = unsafe { libc::mktime(&raw mut time.tm) };
    if result == -1 && time.tm.tm_wday == -1 {
        return raise!(ts, exc::OverflowError, "mktime argument out of range");
    }
    PyFloat::new(ts, result as f64)
}

/// `time.strftime`.
pub fn strftime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "strftime", args.len(), 1, 2)?;
    let Some(format) = args[0].downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "strftime() argument 1 must be str, not {}", args[0].type_name());
    };
    let mut time = match args.get(1) {
        None => TimeTuple { tm: local(ts, moment(ts, "strftime", &[])?)?, _zone: None },
        Some(time) => from_tuple(ts, time, "strftime")?,
    };
    check(ts, &mut time.tm)?;
    time.tm.tm_isdst = time.tm.tm_isdst.clamp(-1, 1);
    // Lone surrogates pass through as three bytes each; NULs end a piece.
    let format = codec::encode_utf8(ts, format, "surrogatepass")?;
    let mut out = TryVec::<u8>::new();
    for (index, piece) in format.as_slice().split(|byte| *byte == 0).enumerate() {
        if index > 0 {
            out.try_push(0)?;
        }
        format_piece(&mut out, piece, &time.tm)?;
    }
    let text = match PyStr::from_utf8(ts, &out, "surrogatepass") {
        Ok(text) => text,
        // The locale's words may be in another encoding.
        Err(raised) => {
            ts.clear_raised(raised);
            fs_decode(ts, &out)?
        }
    };
    Ok(text.into_object())
}

/// Appends a formatted time; the C library says only that room was wanting, or that the result is empty.
fn format_piece(out: &mut TryVec<u8>, piece: &[u8], tm: &libc::tm) -> PyResult<()> {
    if piece.is_empty() {
        return Ok(());
    }
    let mut format = TryVec::<u8>::new();
    // A leading character tells an empty result from a failure.
    format.try_push(b'.')?;
    format.try_extend_from_copy(piece)?;
    format.try_push(0)?;
    let mut room = piece.len() * 4 + 256;
    loop {
        out.try_reserve(room)?;
        // SAFETY: the vector has that much room behind its items, and the format ends with a NUL.
        let written = unsafe {
            libc::strftime(
                out.as_mut_ptr().add(out.len()).cast(),
                room,
                format.as_ptr().cast(),
                core::ptr::from_ref(tm),
            )
        };
        if written > 0 {
            let start = out.len();
            // SAFETY: so many bytes have been written; the first is the leading character.
            unsafe {
                let at = out.as_mut_ptr().add(start);
                core::ptr::copy(at.add(1), at, written - 1);
                out.set_len(start + written - 1);
            }
            return Ok(());
        }
        if room > 1 << 24 {
            return Err(hognose_allocators::NoMemory.into());
        }
        room *= 4;
    }
}

/// `time.strptime`, which is Python's.
pub fn strptime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let module = crate::import::import_module(ts, "_strptime")?;
    let function = attr::get(ts, &module, &*PyStr::intern(ts, "_strptime_time")?)?;
    call::call_with(ts, &function, args)
}

/// `time.tzset`.
pub fn tzset(ts: &ThreadState, module: &PyObject) -> PyResult {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: reads the environment, which nothing changes without the interpreter.
    unsafe { tzset() };
    set_zone(ts, module.cast())?;
    Ok(ts.none())
}

/// Sets `timezone`, `altzone`, `daylight` and `tzname` by what January and July have.
pub fn set_zone(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let start = super::now(ts)? / convert::NANOS / YEAR * YEAR;
    let january = local(ts, start)?;
    let july = local(ts, start + YEAR / 2)?;
    let (west_january, west_july) = (-january.tm_gmtoff, -july.tm_gmtoff);
    // South of the equator summer time is in January.
    let reversed = west_january < west_july;
    let (standard, summer) = if reversed { (&july, &january) } else { (&january, &july) };
    module.add_int(ts, "timezone", -standard.tm_gmtoff)?;
    module.add_int(ts, "altzone", -summer.tm_gmtoff)?;
    module.add_int(ts, "daylight", (west_january != west_july).into())?;
    let names = PyTuple::pair(
        ts,
        fs_decode(ts, zone_name(standard))?.as_object(),
        fs_decode(ts, zone_name(summer))?.as_object(),
    )?;
    module.add(ts, "tzname", names.as_object())
}
