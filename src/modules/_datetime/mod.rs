//! `_datetime`: dates, times, durations and time zones. `datetime` takes everything from here.
//!
//! | file | what |
//! |---|---|
//! | `calendar` | the proleptic Gregorian calendar in numbers |
//! | `text` | texts of dates and times, written and read, without objects |
//! | `local` | timestamps and the system's local zone |
//! | `delta`, `date`, `time`, `datetime`, `tzinfo`, `isocalendar` | the types |
//! | `construct` | what makes a `datetime` |
//! | `format` | `strftime` and `strptime` |
//!
//! The objects have the layout of C's `datetime.h`, whose macros read years and hours out of them; the
//! functions that C calls are in `capi/datetime.rs`, behind the capsule `datetime_CAPI`.
//!
//! I1: the bytes of an object are those of a valid date or time, unless they come from a pickle.
//! I2: `hastzinfo` says whether there is a zone; None is none.

pub mod calendar;
pub mod construct;
pub mod date;
pub mod datetime;
pub mod delta;
mod format;
mod isocalendar;
mod local;
pub mod text;
pub mod time;
pub mod tzinfo;

use crate::modules::ModuleSpec;
use crate::modules::time::calendar::STRUCT_TIME;
use crate::object::{AsObject, PyObject, PyRef, PyResult, protocol, ready};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::structseq;
use calendar::Ymd;
use delta::PyDelta;
use text::{Hms, Zone};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_datetime",
    doc: "Fast implementation of the datetime type.",
    types: &[
        &delta::DELTA_TYPE,
        &date::DATE_TYPE,
        &tzinfo::TZINFO_TYPE,
        &time::TIME_TYPE,
        &datetime::DATETIME_TYPE,
        &tzinfo::TIMEZONE_TYPE,
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &isocalendar::ISO_CALENDAR_DATE_TYPE)?;
    module.add_int(ts, "MINYEAR", calendar::MIN_YEAR.into())?;
    module.add_int(ts, "MAXYEAR", calendar::MAX_YEAR.into())?;
    module.add(ts, "UTC", tzinfo::UTC.get().as_object())?;
    let capsule = crate::capi::datetime::capsule(ts)?;
    module.add(ts, "datetime_CAPI", capsule.as_object())
}

/// A C int, with the words of `PyArg_Parse`'s `i`.
fn c_int(ts: &ThreadState, value: &PyObject) -> PyResult<i32> {
    match protocol::index(ts, value)?.as_i64() {
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

/// The same for an argument that may be missing.
fn int_or(ts: &ThreadState, value: Option<&PyObject>, default: i32) -> PyResult<i32> {
    value.map_or(Ok(default), |value| c_int(ts, value))
}

/// The bytes that a pickle has as the only or first argument: `N` bytes, or a str of `N` characters that Python 2
/// has pickled; None when it is another argument. `sane` says whether the bytes can be what they should be.
fn pickled_state<const N: usize>(
    ts: &ThreadState,
    state: &PyObject,
    what: &str,
    sane: fn(&[u8; N]) -> bool,
) -> PyResult<Option<[u8; N]>> {
    if let Some(bytes) = state.downcast::<PyBytes>() {
        return Ok(<[u8; N]>::try_from(bytes.as_slice()).ok().filter(sane));
    }
    let Some(text) = state.downcast::<PyStr>().filter(|text| text.len() == N) else { return Ok(None) };
    let mut bytes = [0; N];
    let mut fits = true;
    for (byte, ch) in bytes.iter_mut().zip(text.chars()) {
        fits &= ch < 0x100;
        *byte = ch as u8;
    }
    // Of a character beyond the first 256 only those are told to decode otherwise that could have been meant.
    if !sane(&bytes) {
        return Ok(None);
    }
    if !fits {
        return raise!(
            ts,
            exc::ValueError,
            "Failed to encode latin1 string when unpickling a {what} object. pickle.load(data, encoding='latin1') is assumed."
        );
    }
    Ok(Some(bytes))
}

/// The zone that a text has named.
fn zone_of(ts: &ThreadState, zone: Zone) -> PyResult<Option<PyRef>> {
    Ok(match zone {
        Zone::Naive => None,
        Zone::Utc => Some(tzinfo::UTC.get().new_ref()),
        Zone::Offset(micros) => Some(tzinfo::make(ts, &*PyDelta::new(ts, 0, 0, micros)?, None)?),
    })
}

/// A `time.struct_time`.
fn time_tuple(ts: &ThreadState, date: Ymd, time: Hms, dst: i32) -> PyResult {
    let int = |value: i32| PyInt::from_i64(ts, value.into());
    structseq::make(
        ts,
        &STRUCT_TIME,
        &[
            int(date.year)?,
            int(date.month)?,
            int(date.day)?,
            int(time.hour)?,
            int(time.minute)?,
            int(time.second)?,
            int(date.weekday())?,
            int(date.day_of_year())?,
            int(dst)?,
        ],
    )
}
