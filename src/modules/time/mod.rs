//! `time`: clocks, sleeping, and the calendar of the C library.
//!
//! | file | what |
//! |---|---|
//! | `convert` | numbers of seconds between Python and the system |
//! | `calendar` | `struct_time`, `localtime`, `strftime`, time zones |

pub mod calendar;
pub mod convert;

use core::mem::MaybeUninit;

use crate::lifecycle::pending;
use crate::modules::ModuleSpec;
use crate::modules::posix::system::{self, blocking, errno, os_error};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use convert::{NANOS, Round};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "time",
    doc: "Functions for the time: clocks that count seconds, and the calendar's time tuples\n(year, month, day, hour, minute, second, weekday, day of the year, DST flag).",
    methods: &[
        MethodDef::no_args(
            "time",
            |ts, _| seconds(ts, libc::CLOCK_REALTIME),
            "time($module, /)\n--\n\nSeconds since the Epoch.",
        ),
        MethodDef::no_args(
            "time_ns",
            |ts, _| nanoseconds(ts, libc::CLOCK_REALTIME),
            "time_ns($module, /)\n--\n\nNanoseconds since the Epoch.",
        ),
        MethodDef::no_args(
            "monotonic",
            |ts, _| seconds(ts, libc::CLOCK_MONOTONIC),
            "monotonic($module, /)\n--\n\nSeconds on a clock that is never set back.",
        ),
        MethodDef::no_args(
            "monotonic_ns",
            |ts, _| nanoseconds(ts, libc::CLOCK_MONOTONIC),
            "monotonic_ns($module, /)\n--\n\nNanoseconds on a clock that is never set back.",
        ),
        MethodDef::no_args(
            "perf_counter",
            |ts, _| seconds(ts, libc::CLOCK_MONOTONIC),
            "perf_counter($module, /)\n--\n\nSeconds on the finest clock, for measuring.",
        ),
        MethodDef::no_args(
            "perf_counter_ns",
            |ts, _| nanoseconds(ts, libc::CLOCK_MONOTONIC),
            "perf_counter_ns($module, /)\n--\n\nNanoseconds on the finest clock, for measuring.",
        ),
        MethodDef::no_args(
            "process_time",
            |ts, _| seconds(ts, libc::CLOCK_PROCESS_CPUTIME_ID),
            "process_time($module, /)\n--\n\nSeconds of processor time that the process has used.",
        ),
        MethodDef::no_args(
            "process_time_ns",
            |ts, _| nanoseconds(ts, libc::CLOCK_PROCESS_CPUTIME_ID),
            "process_time_ns($module, /)\n--\n\nNanoseconds of processor time that the process has used.",
        ),
        MethodDef::no_args(
            "thread_time",
            |ts, _| seconds(ts, libc::CLOCK_THREAD_CPUTIME_ID),
            "thread_time($module, /)\n--\n\nSeconds of processor time that the thread has used.",
        ),
        MethodDef::no_args(
            "thread_time_ns",
            |ts, _| nanoseconds(ts, libc::CLOCK_THREAD_CPUTIME_ID),
            "thread_time_ns($module, /)\n--\n\nNanoseconds of processor time that the thread has used.",
        ),
        MethodDef::one(
            "clock_gettime",
            |ts, _, id| seconds(ts, clock_id(ts, id)?),
            "clock_gettime($module, clk_id, /)\n--\n\nWhat a clock of the system says, in seconds.",
        ),
        MethodDef::one(
            "clock_gettime_ns",
            |ts, _, id| nanoseconds(ts, clock_id(ts, id)?),
            "clock_gettime_ns($module, clk_id, /)\n--\n\nWhat a clock of the system says, in nanoseconds.",
        ),
        MethodDef::positional("clock_settime", clock_settime, "Set a clock of the system, in seconds."),
        MethodDef::positional("clock_settime_ns", clock_settime_ns, "Set a clock of the system, in nanoseconds."),
        MethodDef::one("clock_getres", clock_getres, "How fine a clock of the system is, in seconds."),
        MethodDef::one("pthread_getcpuclockid", pthread_getcpuclockid, "The clock of the processor time of a thread."),
        MethodDef::one(
            "sleep",
            sleep,
            "sleep($module, object, /)\n--\n\nWait so many seconds, which may be a fraction.",
        ),
        MethodDef::one("get_clock_info", get_clock_info, "What is known of a clock, by its function's name."),
        MethodDef::positional("gmtime", calendar::gmtime, "A time in seconds as a time tuple in UTC; now by default."),
        MethodDef::positional(
            "localtime",
            calendar::localtime,
            "A time in seconds as a time tuple of the local zone; now by default.",
        ),
        MethodDef::positional(
            "asctime",
            calendar::asctime,
            "A time tuple as text, like 'Sat Jun 06 16:26:11 1998'; now by default.",
        ),
        MethodDef::positional("ctime", calendar::ctime, "A time in seconds as text of the local zone; now by default."),
        MethodDef::one("mktime", calendar::mktime, "A time tuple of the local zone in seconds since the Epoch."),
        MethodDef::positional("strftime", calendar::strftime, "A time tuple as text in a given form; now by default."),
        MethodDef::positional("strptime", calendar::strptime, "The time tuple in a text of a given form."),
        MethodDef::no_args(
            "tzset",
            calendar::tzset,
            "tzset($module, /)\n--\n\nTake the local zone anew from the environment variable TZ.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, value) in [
        ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
        ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
        ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
        ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
        ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
        ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
        ("CLOCK_TAI", libc::CLOCK_TAI),
        ("_STRUCT_TM_ITEMS", 11),
    ] {
        module.add_int(ts, name, value.into())?;
    }
    let typ = crate::types::structseq::type_of(ts, &calendar::STRUCT_TIME)?;
    module.add(ts, "struct_time", typ.as_object())?;
    calendar::set_zone(ts, module)
}

/// A clock's reading in nanoseconds.
fn read(ts: &ThreadState, clock: libc::clockid_t) -> PyResult<i64> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call fills the struct when it succeeds.
    let time = unsafe {
        if libc::clock_gettime(clock, time.as_mut_ptr()) != 0 {
            return Err(os_error(ts, errno()));
        }
        time.assume_init()
    };
    match time.tv_sec.checked_mul(NANOS).and_then(|t| t.checked_add(time.tv_nsec)) {
        Some(time) => Ok(time),
        None => raise!(ts, exc::OverflowError, "timestamp too large to convert to C PyTime_t"),
    }
}

/// The present, in nanoseconds since the Epoch.
pub fn now(ts: &ThreadState) -> PyResult<i64> {
    read(ts, libc::CLOCK_REALTIME)
}

/// The monotonic clock, in nanoseconds.
pub fn monotonic(ts: &ThreadState) -> PyResult<i64> {
    read(ts, libc::CLOCK_MONOTONIC)
}

fn seconds(ts: &ThreadState, clock: libc::clockid_t) -> PyResult {
    PyFloat::new(ts, convert::to_seconds(read(ts, clock)?))
}

fn nanoseconds(ts: &ThreadState, clock: libc::clockid_t) -> PyResult {
    PyInt::from_i64(ts, read(ts, clock)?)
}

fn clock_id(ts: &ThreadState, id: &PyObject) -> PyResult<libc::clockid_t> {
    if !protocol::is_index(id) {
        return raise!(ts, exc::TypeError, "clk_id should be integer, not {}", id.type_name());
    }
    protocol::as_i32(ts, id)
}

fn set_clock(ts: &ThreadState, id: &PyObject, time: i64) -> PyResult {
    let clock = clock_id(ts, id)?;
    let time = convert::to_timespec(time);
    // SAFETY: the call only reads the struct.
    system::once(ts, || unsafe { libc::clock_settime(clock, &raw const time) })?;
    Ok(ts.none())
}

fn clock_settime(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "clock_settime", args.len(), 2, 2)?;
    let time = convert::nanoseconds(ts, args[1], Round::Floor)?;
    set_clock(ts, args[0], time)
}

fn clock_settime_ns(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "clock_settime_ns", args.len(), 2, 2)?;
    let time = protocol::index(ts, args[1])?.to_i64(ts)?;
    set_clock(ts, args[0], time)
}

/// A clock's resolution in seconds.
fn resolution(ts: &ThreadState, clock: libc::clockid_t) -> PyResult<f64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the struct.
    if unsafe { libc::clock_getres(clock, &raw mut time) } != 0 {
        return Err(os_error(ts, errno()));
    }
    Ok(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

fn clock_getres(ts: &ThreadState, _: &PyObject, id: &PyObject) -> PyResult {
    let resolution = resolution(ts, clock_id(ts, id)?)?;
    PyFloat::new(ts, resolution)
}

fn pthread_getcpuclockid(ts: &ThreadState, _: &PyObject, thread: &PyObject) -> PyResult {
    let thread = protocol::index(ts, thread)?.wrapping_u64();
    let mut clock = 0;
    // SAFETY: the caller vouches for the thread, as with every function that takes one.
    let error = unsafe { libc::pthread_getcpuclockid(thread as libc::pthread_t, &raw mut clock) };
    if error != 0 {
        return Err(os_error(ts, error));
    }
    PyInt::from_i64(ts, clock.into())
}

fn sleep(ts: &ThreadState, _: &PyObject, duration: &PyObject) -> PyResult {
    crate::modules::sys::auditing::event(ts, "time.sleep", &[duration])?;
    let duration = convert::nanoseconds(ts, duration, Round::AwayFromZero)?;
    if duration < 0 {
        return raise!(ts, exc::ValueError, "sleep length must be non-negative");
    }
    let end = convert::to_timespec(monotonic(ts)?.saturating_add(duration));
    loop {
        // SAFETY: the call only reads the end; with an absolute time there is no remainder to report.
        let error = blocking(ts, || unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const end, core::ptr::null_mut())
        });
        match error {
            0 => return Ok(ts.none()),
            // A signal's handler may raise; else the rest is slept.
            libc::EINTR => pending::signals(ts)?,
            error => return Err(os_error(ts, error)),
        }
    }
}

fn get_clock_info(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let Some(name) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "get_clock_info() argument 1 must be str, not {}", name.type_name());
    };
    let (implementation, clock, monotonic) = match name.utf8(ts)? {
        "time" => ("clock_gettime(CLOCK_REALTIME)", libc::CLOCK_REALTIME, false),
        "monotonic" | "perf_counter" => ("clock_gettime(CLOCK_MONOTONIC)", libc::CLOCK_MONOTONIC, true),
        "process_time" => ("clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", libc::CLOCK_PROCESS_CPUTIME_ID, true),
        "thread_time" => ("clock_gettime(CLOCK_THREAD_CPUTIME_ID)", libc::CLOCK_THREAD_CPUTIME_ID, true),
        _ => return raise!(ts, exc::ValueError, "unknown clock"),
    };
    let info = PyDict::new(ts)?;
    let add = |name: &str, value: &PyObject| info.set_str(ts, &*PyStr::intern(ts, name)?, value);
    add("implementation", PyStr::new(ts, implementation)?.as_object())?;
    add("monotonic", &py_bool(monotonic))?;
    add("adjustable", &py_bool(!monotonic))?;
    add("resolution", &*PyFloat::new(ts, resolution(ts, clock)?)?)?;
    crate::types::namespace::new(ts, &info)
}
