//! Numbers of seconds: ints and floats of Python, seconds and nanoseconds of the system.

use crate::object::{PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;

/// Nanoseconds in a second.
pub const NANOS: i64 = 1_000_000_000;

/// How what is finer than the target is rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Down.
    Floor,
    /// Up.
    Ceiling,
    /// Away from zero: for timeouts, which must not end early.
    AwayFromZero,
}

impl Round {
    fn apply(self, value: f64) -> f64 {
        match self {
            Round::Floor => value.floor(),
            Round::Ceiling => value.ceil(),
            Round::AwayFromZero if value >= 0.0 => value.ceil(),
            Round::AwayFromZero => value.floor(),
        }
    }
}

fn not_nan(ts: &ThreadState, value: f64) -> PyResult<f64> {
    if value.is_nan() {
        return raise!(ts, exc::ValueError, "Invalid value NaN (not a number)");
    }
    Ok(value)
}

#[cold]
fn out_of_range<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::OverflowError, "timestamp out of range for platform time_t")
}

/// A number of seconds in nanoseconds (`_PyTime_FromSecondsObject`).
pub fn nanoseconds(ts: &ThreadState, seconds: &PyObject, round: Round) -> PyResult<i64> {
    scaled(ts, seconds, round, NANOS)
}

/// A number of milliseconds in nanoseconds.
pub fn nanoseconds_of_milliseconds(ts: &ThreadState, milliseconds: &PyObject, round: Round) -> PyResult<i64> {
    scaled(ts, milliseconds, round, 1_000_000)
}

fn scaled(ts: &ThreadState, value: &PyObject, round: Round, unit: i64) -> PyResult<i64> {
    if let Some(float) = value.downcast::<PyFloat>() {
        let value = round.apply(not_nan(ts, float.value())? * unit as f64);
        // Both bounds are powers of two, and so exact.
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
            return out_of_range(ts);
        }
        return Ok(value as i64);
    }
    let value = protocol::index(ts, value)?;
    match value.as_i64().and_then(|value| value.checked_mul(unit)) {
        Some(value) => Ok(value),
        None => raise!(ts, exc::OverflowError, "timestamp too large to convert to C PyTime_t"),
    }
}

/// A number of seconds as whole seconds and nanoseconds (`_PyTime_ObjectToTimespec`).
pub fn timespec(ts: &ThreadState, seconds: &PyObject, round: Round) -> PyResult<libc::timespec> {
    let (tv_sec, tv_nsec) = parts(ts, seconds, round, 1e9)?;
    Ok(libc::timespec { tv_sec, tv_nsec })
}

/// A number of seconds as whole seconds and microseconds (`_PyTime_ObjectToTimeval`).
pub fn timeval(ts: &ThreadState, seconds: &PyObject, round: Round) -> PyResult<libc::timeval> {
    let (tv_sec, tv_usec) = parts(ts, seconds, round, 1e6)?;
    Ok(libc::timeval { tv_sec, tv_usec })
}

fn parts(ts: &ThreadState, seconds: &PyObject, round: Round, unit: f64) -> PyResult<(i64, i64)> {
    let Some(float) = seconds.downcast::<PyFloat>() else { return Ok((time_t(ts, seconds, round)?, 0)) };
    let value = not_nan(ts, float.value())?;
    let mut whole = value.trunc();
    let mut rest = round.apply((value - whole) * unit);
    if rest >= unit {
        rest -= unit;
        whole += 1.0;
    } else if rest < 0.0 {
        rest += unit;
        whole -= 1.0;
    }
    Ok((to_time_t(ts, whole)?, rest as i64))
}

/// A number of seconds as whole ones (`_PyTime_ObjectToTime_t`).
pub fn time_t(ts: &ThreadState, seconds: &PyObject, round: Round) -> PyResult<i64> {
    if let Some(float) = seconds.downcast::<PyFloat>() {
        let value = round.apply(not_nan(ts, float.value())?);
        return to_time_t(ts, value);
    }
    match protocol::index(ts, seconds)?.as_i64() {
        Some(value) => Ok(value),
        None => out_of_range(ts),
    }
}

fn to_time_t(ts: &ThreadState, value: f64) -> PyResult<i64> {
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        return out_of_range(ts);
    }
    Ok(value as i64)
}

/// Nanoseconds as seconds.
pub fn to_seconds(nanoseconds: i64) -> f64 {
    if nanoseconds % NANOS == 0 { (nanoseconds / NANOS) as f64 } else { nanoseconds as f64 / 1e9 }
}

/// Nanoseconds as the system has them.
pub fn to_timespec(nanoseconds: i64) -> libc::timespec {
    libc::timespec { tv_sec: nanoseconds.div_euclid(NANOS), tv_nsec: nanoseconds.rem_euclid(NANOS) }
}
