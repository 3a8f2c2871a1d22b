//! Telling the tools that something has happened.

use super::table::{self, Field};
use super::{Event, LOCAL_EVENTS, NAMES, PROFILE_TOOL, TOOLS, legacy};
use crate::object::{AsObject, PyObject, PyRef, PyResult, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::vm::frame::Frame;

/// What an event's callbacks get behind the code object.
pub enum Told<'a> {
    /// The offset of the instruction.
    Offset,
    /// A line's number.
    Line(i32),
    /// The offset, and a value: what is returned, or an exception.
    Value(&'a PyObject),
    /// The offset, and where it goes on, in units.
    Destination(usize),
    /// The offset, what is called, and its first argument if there is one.
    Call(&'a PyObject, Option<&'a PyObject>),
}

/// Tells each of `tools` of an event at a unit of the frame's code.
///
/// # Errors
/// What the first failing callback raised.
#[cold]
#[inline(never)]
pub fn tell(
    ts: &ThreadState,
    frame: *mut Frame,
    event: Event,
    tools: u8,
    unit: usize,
    told: &Told<'_>,
) -> PyResult<()> {
    if ts.tracing.get() != 0 {
        return Ok(());
    }
    for tool in (0..TOOLS).rev() {
        if tools & 1 << tool == 0 {
            continue;
        }
        if tool >= PROFILE_TOOL {
            legacy::tell(ts, frame, tool, event, unit, told)?;
        } else {
            tell_one(ts, frame, tool, event, unit, told)?;
        }
    }
    Ok(())
}

fn tell_one(
    ts: &ThreadState,
    frame: *mut Frame,
    tool: usize,
    event: Event,
    unit: usize,
    told: &Told<'_>,
) -> PyResult<()> {
    let monitoring = &ts.interp().monitoring;
    // A tool without a callback for both branches may have one for either.
    let branch = matches!(event, Event::BranchLeft | Event::BranchRight)
        .then(|| monitoring.callback(tool, Event::Branch))
        .flatten();
    let is_legacy_branch = branch.is_some() && monitoring.callback(tool, event).is_none();
    let Some(callback) = monitoring.callback(tool, event).or(branch) else { return Ok(()) };
    // SAFETY: the frame runs; its code is kept while it does.
    let code = unsafe { (*frame).code().new_ref() };
    let offset = PyInt::from_i64(ts, unit as i64 * 2)?;
    let missing = monitoring.missing.get();
    let extra: Option<PyRef> = match told {
        Told::Line(line) => Some(PyInt::from_i64(ts, (*line).into())?),
        Told::Destination(unit) => Some(PyInt::from_i64(ts, *unit as i64 * 2)?),
        _ => None,
    };
    let nothing = crate::types::none::none();
    let extra = extra.as_deref().unwrap_or(nothing);
    let code_object: &PyObject = &code;
    ts.tracing.set(ts.tracing.get() + 1);
    let result = match told {
        Told::Offset => call::call_with(ts, &callback, &[code_object, &offset]),
        Told::Line(_) => call::call_with(ts, &callback, &[code_object, extra]),
        Told::Value(value) => call::call_with(ts, &callback, &[code_object, &offset, value]),
        Told::Destination(_) => call::call_with(ts, &callback, &[code_object, &offset, extra]),
        Told::Call(callable, argument) => {
            let argument = argument.or(missing.as_deref()).unwrap_or(nothing);
            call::call_with(ts, &callback, &[code_object, &offset, callable, argument])
        }
    };
    ts.tracing.set(ts.tracing.get() - 1);
    let result = result?;
    if !monitoring.disable.get().is_some_and(|disable| disable.is(&result)) {
        return Ok(());
    }
    if event as usize >= LOCAL_EVENTS && !matches!(event, Event::CReturn | Event::CRaise) {
        monitoring.callbacks[tool][event as usize].set(None);
        return raise!(ts, exc::ValueError, "Cannot disable {} events. Callback removed.", NAMES[event as usize]);
    }
    // SAFETY: as above.
    let table = table::of(ts, unsafe { (*frame).code() })?;
    match event {
        Event::Line => table.switch_off(unit, Field::Line, tool),
        Event::Instruction => table.switch_off(unit, Field::Instruction, tool),
        _ if is_legacy_branch => {
            table.switch_off(unit, Field::Event, tool);
            table.switch_off(unit, Field::Left, tool);
        }
        Event::BranchLeft => table.switch_off(unit, Field::Left, tool),
        _ => table.switch_off(unit, Field::Event, tool),
    }
    Ok(())
}
