//! Timestamps: seconds of the system's clock, and what the C library says about the local zone.
//!
//! Local seconds are the seconds of a date and time in the calendar, from the beginning of the day before
//! 0001-01-01 on, without regard of any zone.

use super::calendar::{EPOCH_SECONDS, MAX_YEAR, MIN_YEAR, Ymd};
use super::delta::{DAY, MICROS};
use super::text::Hms;
use crate::modules::posix::system::{errno, os_error, set_errno};
use crate::object::{PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;

/// How far the clock may be turned at once.
const MAX_FOLD: i64 = 24 * 3600;

/// A moment as the calendar of the local zone has it. Raises OSError, OverflowError.
pub fn local_time(ts: &ThreadState, seconds: i64) -> PyResult<libc::tm> {
    broken_down(ts, seconds, libc::localtime_r)
}

/// The same in UTC.
pub fn utc_time(ts: &ThreadState, seconds: i64) -> PyResult<libc::tm> {
    broken_down(ts, seconds, libc::gmtime_r)
}

type Breaker = unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm;

fn broken_down(ts: &ThreadState, seconds: i64, by: Breaker) -> PyResult<libc::tm> {
    let mut tm = core::mem::MaybeUninit::<libc::tm>::zeroed();
    set_errno(0);
    // SAFETY: the call reads the number and fills the struct, or returns null.
    unsafe {
        if by(&raw const seconds, tm.as_mut_ptr()).is_null() {
            let error = if errno() == 0 { libc::EINVAL } else { errno() };
            return Err(os_error(ts, error));
        }
        Ok(tm.assume_init())
    }
}

/// The date and the time of day of a broken-down time; a leap second is the second before it.
pub fn date_and_time(tm: &libc::tm, micro: i32) -> (Ymd, Hms) {
    let date = Ymd::new(tm.tm_year.saturating_add(1900), tm.tm_mon + 1, tm.tm_mday);
    (date, Hms { hour: tm.tm_hour, minute: tm.tm_min, second: tm.tm_sec.min(59), micro })
}

/// Local seconds. Raises ValueError for a year that is not ours.
pub fn local_seconds(ts: &ThreadState, date: Ymd, time: Hms) -> PyResult<i64> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&date.year) {
        return raise!(ts, exc::ValueError, "year {} is out of range", date.year);
    }
    Ok(i64::from(date.ordinal()) * DAY + time.seconds())
}

/// The local seconds of a moment that is given in seconds of UTC.
fn local(ts: &ThreadState, utc: i64) -> PyResult<i64> {
    let tm = local_time(ts, utc - EPOCH_SECONDS)?;
    let (date, time) = date_and_time(&tm, 0);
    local_seconds(ts, date, time)
}

/// Whether a local time, whose moment in seconds of the Epoch is known, is the second one of two.
pub fn is_folded(ts: &ThreadState, seconds: i64, date: Ymd, time: Hms) -> PyResult<bool> {
    let result = local_seconds(ts, date, time)?;
    let utc = EPOCH_SECONDS + seconds;
    let before = local(ts, utc - MAX_FOLD)?;
    let transition = result - before - MAX_FOLD;
    Ok(transition < 0 && local(ts, utc + transition)? == result)
}

/// The moment of a local time, in seconds from the Epoch. Of two moments the fold picks one; in a gap of the
/// clock it picks the offset by which the time is read.
pub fn timestamp(ts: &ThreadState, date: Ymd, time: Hms, fold: bool) -> PyResult<i64> {
    let wanted = local_seconds(ts, date, time)?;
    // The offset that holds around that time, and what it leads to.
    let first_offset = local(ts, wanted)? - wanted;
    let first = wanted - first_offset;
    let found = local(ts, first)?;
    let other_offset = if found == wanted {
        // A solution; there may be another one, earlier or later.
        let probe = if fold { first + MAX_FOLD } else { first - MAX_FOLD };
        let offset = local(ts, probe)? - probe;
        if offset == first_offset {
            return Ok(first - EPOCH_SECONDS);
        }
        offset
    } else {
        found - first
    };
    let second = wanted - other_offset;
    let chosen = if local(ts, second)? == wanted {
        second
    } else if found == wanted {
        first
    } else if fold {
        first.min(second)
    } else {
        first.max(second)
    };
    Ok(chosen - EPOCH_SECONDS)
}

/// A number of seconds as whole ones and microseconds, rounded half to even.
pub fn seconds_and_micros(ts: &ThreadState, timestamp: &PyObject) -> PyResult<(i64, i32)> {
    let Some(float) = timestamp.downcast::<PyFloat>() else {
        return match protocol::index(ts, timestamp)?.as_i64() {
            Some(seconds) => Ok((seconds, 0)),
            None => out_of_range(ts),
        };
    };
    let value = float.value();
    if value.is_nan() {
        return raise!(ts, exc::ValueError, "Invalid value NaN (not a number)");
    }
    let mut whole = value.trunc();
    let mut micros = ((value - whole) * MICROS as f64).round_ties_even();
    if micros >= MICROS as f64 {
        micros -= MICROS as f64;
        whole += 1.0;
    } else if micros < 0.0 {
        micros += MICROS as f64;
        whole -= 1.0;
    }
    // Both bounds are powers of two, and so exact.
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
        return out_of_range(ts);
    }
    Ok((whole as i64, micros as i32))
}

#[cold]
fn out_of_range<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::OverflowError, "timestamp out of range for platform time_t")
}
