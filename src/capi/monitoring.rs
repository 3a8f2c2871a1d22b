//! Monitoring events of code that is no Python code. Declared in `monitoring.h`.
//!
//! Whoever runs such code keeps a byte of state for each of its events, enters a scope, which fills the states in, and
//! fires the events whose state is not 0: the macros of the header look at that first.

use crate::object::{PyObject, PyResult, call};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::vm::monitoring::{EVENTS, Event, LOCAL_EVENTS, NAMES, TOOLS, UNGROUPED_EVENTS};
use crate::{capi, raise};

/// C's `PyMonitoringState`: the tools that want an event, one bit each.
#[repr(C)]
pub struct State {
    active: u8,
    opaque: u8,
}

/// The event of a number.
const ALL: [Event; EVENTS] = [
    Event::PyStart,
    Event::PyResume,
    Event::PyReturn,
    Event::PyYield,
    Event::Call,
    Event::Line,
    Event::Instruction,
    Event::Jump,
    Event::BranchLeft,
    Event::BranchRight,
    Event::StopIteration,
    Event::Raise,
    Event::ExceptionHandled,
    Event::PyUnwind,
    Event::PyThrow,
    Event::Reraise,
    Event::CReturn,
    Event::CRaise,
    Event::Branch,
];

/// The tools that want an event; those that want either branch, for both.
fn tools_for(ts: &ThreadState, event: Event) -> u8 {
    let monitoring = &ts.interp().monitoring;
    match event {
        Event::Branch => monitoring.tools_for(Event::BranchLeft) | monitoring.tools_for(Event::BranchRight),
        Event::CReturn | Event::CRaise => monitoring.tools_for(Event::Call),
        _ => monitoring.tools_for(event),
    }
}

/// Tells the tools of an event; `told` comes behind the code and the offset.
fn fire(
    ts: &ThreadState,
    state: *mut State,
    code: &PyObject,
    offset: i32,
    event: Event,
    told: &[&PyObject],
) -> PyResult<()> {
    // SAFETY: the caller's state, which it keeps while it runs.
    let tools = unsafe { (*state).active };
    if ts.tracing.get() != 0 {
        return Ok(());
    }
    if offset < 0 {
        return raise!(ts, exc::ValueError, "offset must be non-negative");
    }
    let offset = PyInt::from_i64(ts, offset.into())?;
    let nothing = none();
    let mut args = [code, &*offset, nothing, nothing];
    args[2..2 + told.len()].copy_from_slice(told);
    let mut args = &args[..2 + told.len()];
    let line = [code, told.first().copied().unwrap_or(nothing)];
    if event == Event::Line {
        // The line comes in the place of the offset.
        args = &line;
    }
    let monitoring = &ts.interp().monitoring;
    for tool in (0..TOOLS).rev().filter(|tool| tools & 1 << tool != 0) {
        let Some(callback) = monitoring.callback(tool, event) else { continue };
        ts.tracing.set(ts.tracing.get() + 1);
        let result = call::call_with(ts, &callback, args);
        ts.tracing.set(ts.tracing.get() - 1);
        let result = result?;
        if !monitoring.disable.get().is_some_and(|disable| disable.is(&result)) {
            continue;
        }
        if event as usize >= LOCAL_EVENTS && (event as usize) < UNGROUPED_EVENTS {
            monitoring.callbacks[tool][event as usize].set(None);
            return raise!(ts, exc::ValueError, "Cannot disable {} events. Callback removed.", NAMES[event as usize]);
        }
        // SAFETY: as above.
        unsafe { (*state).active &= !(1 << tool) };
    }
    Ok(())
}

/// Tells the tools of an event that is about the exception which is set; it stays set.
fn fire_exception(ts: &ThreadState, state: *mut State, code: &PyObject, offset: i32, event: Event) -> PyResult<()> {
    let Some(error) = ts.current_exception.take() else {
        return raise!(ts, exc::ValueError, "Firing event {} with no exception set", event as usize);
    };
    fire(ts, state, code, offset, event, &[&error])?;
    ts.current_exception.set(Some(error));
    Ok(())
}

capi! {
    /// Fills in the states of a scope's events, unless nothing has changed since `version`.
    fn PyMonitoring_EnterScope(ts, states: *mut State, version: *mut u64, events: *const u8, length: isize) -> () {
        // SAFETY: the caller's number.
        let known = unsafe { &mut *version };
        let current = u64::from(ts.interp().monitoring.version());
        if *known == current {
            return Ok(());
        }
        for index in 0..usize::try_from(length).unwrap_or(0) {
            // SAFETY: the caller has `length` events and states.
            let (event, state) = unsafe { (*events.add(index), &mut *states.add(index)) };
            let Some(event) = ALL.get(usize::from(event)) else {
                return raise!(ts, exc::ValueError, "invalid event {event}");
            };
            state.active = tools_for(ts, *event);
        }
        *known = current;
        Ok(())
    }

    /// Ends a scope.
    fn PyMonitoring_ExitScope(_ts) -> () {
        Ok(())
    }

    /// A function begins.
    fn _PyMonitoring_FirePyStartEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire(ts, state, code, offset, Event::PyStart, &[])
    }

    /// A generator goes on.
    fn _PyMonitoring_FirePyResumeEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire(ts, state, code, offset, Event::PyResume, &[])
    }

    /// A function returns.
    fn _PyMonitoring_FirePyReturnEvent(ts, state: *mut State, code: &PyObject, offset: i32, value: &PyObject) -> () {
        fire(ts, state, code, offset, Event::PyReturn, &[value])
    }

    /// A generator yields.
    fn _PyMonitoring_FirePyYieldEvent(ts, state: *mut State, code: &PyObject, offset: i32, value: &PyObject) -> () {
        fire(ts, state, code, offset, Event::PyYield, &[value])
    }

    /// Something is called.
    fn _PyMonitoring_FireCallEvent(
        ts, state: *mut State, code: &PyObject, offset: i32, callable: &PyObject, argument: &PyObject,
    ) -> () {
        fire(ts, state, code, offset, Event::Call, &[callable, argument])
    }

    /// A line is reached.
    fn _PyMonitoring_FireLineEvent(ts, state: *mut State, code: &PyObject, offset: i32, line: i32) -> () {
        let line = PyInt::from_i64(ts, line.into())?;
        fire(ts, state, code, offset, Event::Line, &[&line])
    }

    /// A jump.
    fn _PyMonitoring_FireJumpEvent(ts, state: *mut State, code: &PyObject, offset: i32, target: &PyObject) -> () {
        fire(ts, state, code, offset, Event::Jump, &[target])
    }

    /// A branch, of either kind.
    fn _PyMonitoring_FireBranchEvent(ts, state: *mut State, code: &PyObject, offset: i32, target: &PyObject) -> () {
        fire(ts, state, code, offset, Event::Branch, &[target])
    }

    /// A branch that goes on behind it.
    fn _PyMonitoring_FireBranchLeftEvent(ts, state: *mut State, code: &PyObject, offset: i32, target: &PyObject) -> () {
        fire(ts, state, code, offset, Event::BranchLeft, &[target])
    }

    /// A branch that jumps.
    fn _PyMonitoring_FireBranchRightEvent(ts, state: *mut State, code: &PyObject, offset: i32, target: &PyObject) -> () {
        fire(ts, state, code, offset, Event::BranchRight, &[target])
    }

    /// What was called has returned.
    fn _PyMonitoring_FireCReturnEvent(ts, state: *mut State, code: &PyObject, offset: i32, value: &PyObject) -> () {
        fire(ts, state, code, offset, Event::CReturn, &[value])
    }

    /// The exception that is set is thrown into a generator.
    fn _PyMonitoring_FirePyThrowEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::PyThrow)
    }

    /// The exception that is set is raised.
    fn _PyMonitoring_FireRaiseEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::Raise)
    }

    /// The exception that is set is raised again.
    fn _PyMonitoring_FireReraiseEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::Reraise)
    }

    /// The exception that is set has found its handler.
    fn _PyMonitoring_FireExceptionHandledEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::ExceptionHandled)
    }

    /// What was called has raised the exception that is set.
    fn _PyMonitoring_FireCRaiseEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::CRaise)
    }

    /// The exception that is set ends a function.
    fn _PyMonitoring_FirePyUnwindEvent(ts, state: *mut State, code: &PyObject, offset: i32) -> () {
        fire_exception(ts, state, code, offset, Event::PyUnwind)
    }

    /// A generator in a loop has ended with a value, or with the StopIteration itself.
    fn _PyMonitoring_FireStopIterationEvent(
        ts, state: *mut State, code: &PyObject, offset: i32, value: Option<&PyObject>,
    ) -> () {
        let value = value.unwrap_or(none());
        let error = exc::normalize(ts, &exc::StopIteration, Some(value))?;
        fire(ts, state, code, offset, Event::StopIteration, &[&error])
    }
}
