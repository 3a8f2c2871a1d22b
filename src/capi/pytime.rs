//! Clocks. Declared in `pytime.h`.

use core::ffi::c_int;

use super::convert::guard;
use crate::types::exceptions as exc;

/// Nanoseconds of a clock, and what went wrong.
fn read(clock: libc::clockid_t) -> Result<i64, i32> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the struct is ours.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(super::pyerrors::errno());
    }
    Ok(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec))
}

macro_rules! clocks {
    ($($name:ident $raw:ident = $clock:expr;)*) => {
        $(
            /// Writes the clock's nanoseconds; -1 with OSError when it cannot be read.
            ///
            /// # Safety
            ///
            /// A thread state is attached; `result` is a place.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(result: *mut i64) -> c_int {
                let time = read($clock);
                // SAFETY: as promised.
                unsafe { result.write(time.unwrap_or(0)) };
                match time {
                    Ok(_) => 0,
                    Err(number) => guard::<()>(stringify!($name), |ts| Err(exc::raise_os_error(ts, number, None))),
                }
            }

            /// The same without a thread state, and without an exception.
            ///
            /// # Safety
            ///
            /// `result` is a place.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $raw(result: *mut i64) -> c_int {
                let time = read($clock);
                // SAFETY: as promised.
                unsafe { result.write(time.unwrap_or(0)) };
                if time.is_ok() { 0 } else { -1 }
            }
        )*
    };
}

clocks! {
    PyTime_Time PyTime_TimeRaw = libc::CLOCK_REALTIME;
    PyTime_Monotonic PyTime_MonotonicRaw = libc::CLOCK_MONOTONIC;
    PyTime_PerfCounter PyTime_PerfCounterRaw = libc::CLOCK_MONOTONIC;
}

/// Nanoseconds as seconds.
#[unsafe(no_mangle)]
pub extern "C" fn PyTime_AsSecondsDouble(time: i64) -> f64 {
    time as f64 / 1e9
}
