//! What the runtime does when a heap passes its soft limit, and how limits are told on the command line.
//!
//! ```text
//!   a request for memory passes the soft limit
//!        │ noted, and the eval breaker is set: nothing may run in the middle of a request
//!        ▼
//!   the next loop back-edge, call or resume of the thread
//!        │ 1. a full collection, unless `gc.disable()` was called; unused pages go back to the system
//!        │ 2. the callback of C, then that of Python
//!        ▼
//!   the program goes on; an exception of the callback is raised in it, as of a signal's handler
//! ```
//!
//! The callbacks are called once on the way up, and again after the heap has fallen below 7/8 of the
//! soft limit; the collection is repeated at each quarter of the way from there to the hard limit. A
//! request beyond the hard limit gets no memory, so the program sees `MemoryError`, and may catch it.

use core::cell::Cell;
use core::ffi::c_void;

use hognose_allocators::{Domain, Heap, Limit, Pressure, set_pressure_observer};

use crate::config::args::Text;
use crate::config::{PyConfig, PyStatus, StatusResult};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Slot, call, gc};
use crate::state::{EvalBreaker, InterpreterState, ThreadState};
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// `void (*)(PyInterpreterState *interp, int domain, size_t held, size_t soft, size_t hard, void *ctx)`
pub type PressureFn = unsafe extern "C" fn(*mut InterpreterState, i32, usize, usize, usize, *mut c_void);

/// The number that stands for the whole heap where C wants a domain.
pub const WHOLE_HEAP: i32 = -1;
/// What stands for a limit that is not set in C.
pub const NO_LIMIT: usize = usize::MAX;

/// What an interpreter is to do under pressure.
#[derive(Default)]
pub struct MemoryPolicy {
    /// The callback of Python.
    pub callback: Slot<PyObject>,
    /// The callback of C with its context.
    pub c_callback: Cell<Option<(PressureFn, usize)>>,
    /// Whose soft limit was passed: bit 0 the heap's, bit 1 that of mem, bit 2 that of obj.
    passed: Cell<u8>,
}

/// The scopes that have limits, in the order of the bits.
pub const SCOPES: [Option<Domain>; 3] = [None, Some(Domain::Mem), Some(Domain::Obj)];

/// The name of a scope in Python.
pub fn scope_name(scope: Option<Domain>) -> &'static str {
    scope.map_or("heap", Domain::as_str)
}

/// Makes the runtime hear of the heaps' soft limits.
pub fn start() {
    set_pressure_observer(Some(note));
}

/// Notes that a heap has passed a soft limit; called in the middle of a request for memory.
fn note(heap: &Heap, pressure: Pressure) -> bool {
    // A thread without a state asks again from one that has it.
    let Some(ts) = ThreadState::try_current() else { return false };
    if !core::ptr::eq(ts.heap(), heap) {
        return false;
    }
    let policy = &ts.interp().memory;
    if pressure.first {
        let bit = SCOPES.iter().position(|scope| *scope == pressure.scope).unwrap_or(0);
        policy.passed.set(policy.passed.get() | 1 << bit);
    }
    if !ts.interp().finalizing.get() {
        ts.eval_breaker.set(EvalBreaker::MEMORY);
    }
    true
}

/// Does what was put off (see the module).
pub fn relieve(ts: &ThreadState) -> PyResult<()> {
    let interp = ts.interp();
    let passed = interp.memory.passed.replace(0);
    if interp.gc.enabled.get() {
        gc::collect(ts, gc::GENERATIONS - 1);
        ts.heap().trim();
    }
    for (bit, scope) in SCOPES.into_iter().enumerate() {
        if passed & 1 << bit != 0 {
            tell(ts, scope)?;
        }
    }
    Ok(())
}

fn tell(ts: &ThreadState, scope: Option<Domain>) -> PyResult<()> {
    let interp = ts.interp();
    let held = ts.heap().held_bytes_of(scope);
    let limit = ts.heap().limit(scope);
    if let Some((function, context)) = interp.memory.c_callback.get() {
        let domain = scope.map_or(WHOLE_HEAP, |domain| domain as i32);
        let (soft, hard) = (limit.soft.unwrap_or(NO_LIMIT), limit.hard.unwrap_or(NO_LIMIT));
        let interp = core::ptr::from_ref(interp).cast_mut();
        // SAFETY: whoever set the callback promised that it may be called with its context.
        unsafe { function(interp, domain, held, soft, hard, context as *mut c_void) };
        if let Some(error) = ts.current_exception.take() {
            return Err(ts.restore_raised(error));
        }
    }
    if let Some(callback) = interp.memory.callback.get() {
        let name = PyStr::intern(ts, scope_name(scope))?;
        let held = PyInt::from_usize(ts, held)?;
        let (soft, hard) = (limit_object(ts, limit.soft)?, limit_object(ts, limit.hard)?);
        call::call_with(ts, &callback, &[name.as_object(), &held, &soft, &hard])?;
    }
    Ok(())
}

/// A limit as Python sees it: an int, or None.
pub fn limit_object(ts: &ThreadState, limit: Option<usize>) -> PyResult<PyRef> {
    limit.map_or_else(|| Ok(ts.none()), |bytes| PyInt::from_usize(ts, bytes))
}

/// Sets the limits that `-X memlimit` gives.
pub fn set_from_config(heap: &Heap, config: &PyConfig) -> StatusResult {
    let Some(value) = config.xoption("memlimit") else { return Ok(()) };
    let limit = value.and_then(|value| parse(Text::Wide(value))).ok_or(BAD_OPTION)?;
    heap.set_limit(None, limit).map_err(|_| BAD_OPTION)
}

/// What is said about a bad value of `-X memlimit`.
pub const BAD_OPTION: PyStatus = PyStatus::error_in(
    c"config_init_memory_limit",
    c"-X memlimit=[SOFT:]HARD: a size is a positive number of bytes, with K, M, G or T for units of 1024, \
      and SOFT is not above HARD",
);

/// Reads `HARD`, `SOFT:HARD` or `SOFT:`. A hard limit alone gets a soft one at 7/8 of it, so that a
/// collection comes before the first `MemoryError`.
pub fn parse(text: Text<'_>) -> Option<Limit> {
    let Some(colon) = text.units().position(|unit| unit == u32::from(b':')) else {
        let hard = parse_size(text)?;
        return Some(Limit { soft: Some(hard - hard / 8), hard: Some(hard) });
    };
    let (soft, hard) = (parse_size(text.until(colon))?, text.from(colon + 1));
    if hard.is_empty() {
        return Some(Limit { soft: Some(soft), hard: None });
    }
    let hard = parse_size(hard)?;
    (soft <= hard).then_some(Limit { soft: Some(soft), hard: Some(hard) })
}

fn parse_size(text: Text<'_>) -> Option<usize> {
    let last = char::from_u32(text.at(text.len().checked_sub(1)?))?;
    let shift = match last.to_ascii_uppercase() {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => 0,
    };
    let digits = if shift == 0 { text } else { text.until(text.len() - 1) };
    if digits.is_empty() {
        return None;
    }
    let number = digits.units().try_fold(0usize, |value, unit| {
        let digit = char::from_u32(unit)?.to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit as usize)
    })?;
    // All ones is what says that there is no limit.
    number.checked_mul(1 << shift).filter(|&bytes| bytes != 0 && bytes < NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Option<usize>, Option<usize>)> {
        parse(Text::Bytes(text.as_bytes())).map(|limit| (limit.soft, limit.hard))
    }

    #[test]
    fn limits_are_read() {
        assert_eq!(read("1024"), Some((Some(896), Some(1024))));
        assert_eq!(read("256M"), Some((Some(224 << 20), Some(256 << 20))));
        assert_eq!(read("1k:2G"), Some((Some(1 << 10), Some(2 << 30))));
        assert_eq!(read("3T:"), Some((Some(3 << 40), None)));
        assert_eq!(read("5:5"), Some((Some(5), Some(5))));
        for bad in [
            "",
            "0",
            "M",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1.5G",
            "1MB",
            "2:1",
            ":1",
            "1:2:3",
            "99999999999999999999",
            "16777216T",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
