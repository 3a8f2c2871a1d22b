//! Interpreters by number.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use hognose_allocators::TryVec;

use crate::lifecycle::{guards, subinterp};
use crate::modules::xi;
use crate::object::{PyObject, PyResult, protocol};
use crate::raise;
use crate::state::{InterpreterState, Runtime, ThreadState, Whence, attach, threads};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// An interpreter that does not end while it is pinned (PEP 788's guard).
pub struct Pinned(NonNull<InterpreterState>);

impl Pinned {
    /// The interpreter of an ID. InterpreterNotFoundError when there is none; InterpreterError for one that was not made
    /// by this module when `restrict` says so. `doing` completes "cannot … interpreter".
    pub fn of(ts: &ThreadState, id: &PyObject, restrict: bool, doing: &str) -> PyResult<Pinned> {
        let number = number(ts, id)?;
        let found = subinterp::with_id(number, |interp| {
            let ready = interp.is_main() || interp.type_cache.is_started();
            let whence = interp.whence.get();
            (guards::enter(interp).then(|| Pinned(NonNull::from(interp))), ready, whence)
        });
        let Some((Some(pinned), ready, whence)) = found else {
            return raise!(ts, xi::INTERPRETER_NOT_FOUND_ERROR, "unrecognized interpreter ID {number}");
        };
        if !ready {
            return raise!(ts, xi::INTERPRETER_ERROR, "cannot {doing} interpreter {number} (not ready)");
        }
        if restrict && whence != Whence::Stdlib {
            return raise!(ts, xi::INTERPRETER_ERROR, "cannot {doing} unrecognized interpreter {number}");
        }
        Ok(pinned)
    }

    /// The interpreter.
    pub fn interp(&self) -> &InterpreterState {
        // SAFETY: pinned.
        unsafe { self.0.as_ref() }
    }

    /// Its number.
    pub fn id(&self) -> i64 {
        self.interp().id
    }

    /// Says that code runs in `__main__` from now on; false when some does already.
    pub fn begin_to_run(&self) -> bool {
        self.interp().runs_main.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Attaches a new state of the interpreter in place of the caller's, which is returned as well. The interpreter may
    /// be ended by others from then on, as any with a thread inside.
    pub fn enter(self, ts: &ThreadState) -> PyResult<(NonNull<ThreadState>, NonNull<ThreadState>)> {
        // SAFETY: pinned.
        let Ok(state) = (unsafe { threads::create(self.0.as_ptr()) }) else {
            self.interp().runs_main.store(false, Ordering::Release);
            return Err(ts.raise_no_memory());
        };
        drop(self);
        attach::detach();
        attach::attach(state, "_interpreters");
        Ok((state, NonNull::from(ts)))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        guards::leave(self.interp());
    }
}

/// The number of an interpreter.
fn number(ts: &ThreadState, id: &PyObject) -> PyResult<i64> {
    if !protocol::is_index(id) {
        return raise!(ts, exc::TypeError, "interpreter ID must be an int, got {}", id.type_name());
    }
    let number = protocol::index(ts, id)?;
    if number.sign() < 0 {
        let shown = protocol::repr(ts, id)?;
        return raise!(ts, exc::ValueError, "interpreter ID must be a non-negative int, got {shown}");
    }
    match number.as_i64() {
        Some(number) => Ok(number),
        None => raise!(ts, exc::OverflowError, "max interpreter ID is {}", i64::MAX),
    }
}

/// (ID, whence)
pub fn pair(ts: &ThreadState, id: i64, whence: Whence) -> PyResult {
    let (id, whence) = (PyInt::from_i64(ts, id)?, PyInt::from_i64(ts, i64::from(whence as i32))?);
    Ok(PyTuple::pair(ts, &id, &whence)?.into_object())
}

/// All interpreters, the oldest first.
pub fn all(ready_only: bool) -> PyResult<TryVec<(i64, Whence)>> {
    let mut all = TryVec::new();
    loop {
        // What is allocated may not be so under the lock.
        let runtime = Runtime::get();
        let states = runtime.states.lock();
        all.clear();
        let mut left_out = 0;
        let mut at = runtime.interpreters.load(Ordering::Acquire).cast_const();
        // SAFETY: what is in the list is alive while `states` is held.
        while let Some(interp) = unsafe { at.as_ref() } {
            if !ready_only || interp.is_main() || interp.type_cache.is_started() {
                if all.len() == all.capacity() {
                    left_out += 1;
                } else {
                    all.push_reserved((interp.id, interp.whence.get()));
                }
            }
            at = interp.next.get();
        }
        drop(states);
        if left_out == 0 {
            all.reverse();
            return Ok(all);
        }
        let room = all.len() + left_out;
        all.clear();
        all.try_reserve(room)?;
    }
}
