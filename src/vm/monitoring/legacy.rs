//! Trace and profile functions (`PyEval_SetTrace`, `sys.settrace`, `PyEval_SetProfile`, `sys.setprofile`): tools 7
//! and 6 of the monitoring, whose callbacks are a C function of the thread.

use core::cell::Cell;
use core::ffi::c_int;

use super::fire::Told;
use super::{Event, PROFILE_TOOL, TRACE_TOOL};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Slot, call};
use crate::state::ThreadState;
use crate::types::builtin_function::BUILTIN_FUNCTION_TYPE;
use crate::types::descr::METHOD_DESCR_TYPE;
use crate::types::exceptions as exc;
use crate::types::frame::PyFrame;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::vm::frame::Frame;
use crate::vm::opcode::{self, op};

/// `Py_tracefunc`: the hook's object, the frame, what has happened, and its argument or null; -1 with an exception.
pub type TraceFunction = unsafe extern "C" fn(*mut PyObject, *mut PyObject, c_int, *mut PyObject) -> c_int;

/// `PyTrace_CALL`.
pub const CALL: c_int = 0;
/// `PyTrace_EXCEPTION`.
pub const EXCEPTION: c_int = 1;
/// `PyTrace_LINE`.
pub const LINE: c_int = 2;
/// `PyTrace_RETURN`.
pub const RETURN: c_int = 3;
/// `PyTrace_C_CALL`.
pub const C_CALL: c_int = 4;
/// `PyTrace_C_EXCEPTION`.
pub const C_EXCEPTION: c_int = 5;
/// `PyTrace_C_RETURN`.
pub const C_RETURN: c_int = 6;
/// `PyTrace_OPCODE`.
pub const OPCODE: c_int = 7;

const NAMES: [&str; 8] = ["call", "exception", "line", "return", "c_call", "c_exception", "c_return", "opcode"];

/// A thread's trace or profile function.
pub struct Hook {
    function: Cell<Option<TraceFunction>>,
    object: Slot<PyObject>,
}

impl Hook {
    /// None.
    pub const fn new() -> Hook {
        Hook { function: Cell::new(None), object: Slot::empty() }
    }

    /// The object that the function gets first: for `sys.gettrace`, the Python function.
    pub fn object(&self) -> Option<PyRef> {
        self.object.get()
    }

    /// Whether there is a function.
    pub fn is_set(&self) -> bool {
        self.function.get().is_some()
    }

    /// Drops the object, at the thread's end.
    pub fn clear(&self) {
        self.function.set(None);
        self.object.set(None);
    }
}

impl Default for Hook {
    fn default() -> Hook {
        Hook::new()
    }
}

const START_AND_END: u32 = Event::PyStart.bit()
    | Event::PyResume.bit()
    | Event::PyReturn.bit()
    | Event::PyYield.bit()
    | Event::PyUnwind.bit()
    | Event::PyThrow.bit();
const PROFILED: u32 = START_AND_END | Event::Call.bit();
const TRACED: u32 =
    START_AND_END | Event::Line.bit() | Event::Jump.bit() | Event::Raise.bit() | Event::StopIteration.bit();

/// Sets (or with `None` removes) the trace function of a thread (`PyEval_SetTrace`).
pub fn set_trace(ts: &ThreadState, thread: &ThreadState, function: Option<TraceFunction>, object: Option<PyRef>) {
    install(&thread.trace, function, object);
    let interp = ts.interp();
    let mut events = 0;
    let mut opcodes = false;
    interp.for_each_thread(|thread| {
        if thread.trace.is_set() {
            events = TRACED;
        }
        opcodes |= thread.trace_opcodes.get();
    });
    if opcodes && events != 0 {
        events |= Event::Instruction.bit();
    }
    interp.monitoring.set_events(interp, TRACE_TOOL, events);
}

/// A frame of this thread wants to be told of each instruction (`f_trace_opcodes`).
pub fn want_opcodes(ts: &ThreadState) {
    ts.trace_opcodes.set(true);
    let interp = ts.interp();
    let events = interp.monitoring.events_of(TRACE_TOOL);
    if events != 0 {
        interp.monitoring.set_events(interp, TRACE_TOOL, events | Event::Instruction.bit());
    }
}

/// Sets (or with `None` removes) the profile function of a thread (`PyEval_SetProfile`).
pub fn set_profile(ts: &ThreadState, thread: &ThreadState, function: Option<TraceFunction>, object: Option<PyRef>) {
    install(&thread.profile, function, object);
    let interp = ts.interp();
    let mut events = 0;
    interp.for_each_thread(|thread| {
        if thread.profile.is_set() {
            events = PROFILED;
        }
    });
    interp.monitoring.set_events(interp, PROFILE_TOOL, events);
}

/// The thread ends: its functions go.
pub fn drop_hooks(ts: &ThreadState, thread: &ThreadState) {
    if thread.trace.is_set() {
        set_trace(ts, thread, None, None);
    }
    if thread.profile.is_set() {
        set_profile(ts, thread, None, None);
    }
}

fn install(hook: &Hook, function: Option<TraceFunction>, object: Option<PyRef>) {
    // The old object may run code when it goes: by then the hook is whole.
    hook.function.set(None);
    let old = hook.object.replace(object.filter(|_| function.is_some()));
    hook.function.set(function);
    drop(old);
}

/// Tells the thread's function of an event of the monitoring.
pub fn tell(
    ts: &ThreadState,
    frame: *mut Frame,
    tool: usize,
    event: Event,
    unit: usize,
    told: &Told<'_>,
) -> PyResult<()> {
    let hook = if tool == TRACE_TOOL { &ts.trace } else { &ts.profile };
    if !hook.is_set() {
        return Ok(());
    }
    match event {
        Event::PyStart | Event::PyResume | Event::PyThrow => notify(ts, hook, frame, CALL, None),
        Event::PyReturn | Event::PyYield => {
            let Told::Value(value) = told else { return Ok(()) };
            notify(ts, hook, frame, RETURN, Some(value))
        }
        Event::PyUnwind => notify(ts, hook, frame, RETURN, None),
        Event::Call | Event::CReturn | Event::CRaise => {
            let Told::Call(callable, first) = told else { return Ok(()) };
            let what = match event {
                Event::Call => C_CALL,
                Event::CReturn => C_RETURN,
                _ => C_EXCEPTION,
            };
            if core::ptr::eq(callable.ob_type(), &*BUILTIN_FUNCTION_TYPE) {
                return notify(ts, hook, frame, what, Some(callable));
            }
            if core::ptr::eq(callable.ob_type(), &*METHOD_DESCR_TYPE)
                && let Some(first) = first
            {
                let bind = callable.ob_type().slots().descr_get;
                let Some(bind) = bind else { return Ok(()) };
                // A method that cannot be bound is not called either: the call itself says so.
                return match bind(ts, callable, Some(first), Some(first.ob_type().as_object())) {
                    Ok(bound) => notify(ts, hook, frame, what, Some(&bound)),
                    Err(raised) => {
                        ts.clear_raised(raised);
                        Ok(())
                    }
                };
            }
            Ok(())
        }
        Event::Line => {
            let Told::Line(line) = told else { return Ok(()) };
            trace_line(ts, hook, frame, *line)
        }
        Event::Jump => {
            let Told::Destination(to) = told else { return Ok(()) };
            // SAFETY: the frame runs.
            let code = unsafe { (*frame).code() };
            if *to >= unit || !wants_lines(ts, frame)? {
                return Ok(());
            }
            // Back to the same line: the line's own event will not come, since the line does not change.
            let (from, line) = (code.line_at(unit as i32 * 2), code.line_at(*to as i32 * 2));
            match line {
                Some(line) if from == Some(line) => trace_line(ts, hook, frame, line),
                _ => Ok(()),
            }
        }
        Event::Instruction => {
            let object = frame_object(ts, frame)?;
            if object.f_trace_opcodes() && object.has_trace() {
                return notify(ts, hook, frame, OPCODE, None);
            }
            Ok(())
        }
        Event::Raise | Event::StopIteration => {
            let Told::Value(error) = told else { return Ok(()) };
            // The end of a `for` over a generator is nobody's exception to a trace function, but for one that has
            // returned something.
            // SAFETY: the frame runs.
            let at = unsafe { (*frame).code().units()[unit].get() as u8 };
            if event == Event::StopIteration
                && opcode::DEOPTIMIZED[usize::from(at)] == op::END_FOR
                && is_none(&exc::stop_iteration_value(ts, error))
            {
                return Ok(());
            }
            let traceback = error.cast::<exc::PyBaseException>().traceback.get();
            let traceback = traceback.as_deref().unwrap_or(none());
            let triple = PyTuple::new(ts, &[error.ob_type().as_object(), error, traceback])?;
            notify(ts, hook, frame, EXCEPTION, Some(triple.as_object()))
        }
        _ => Ok(()),
    }
}

fn frame_object<'a>(ts: &ThreadState, frame: *mut Frame) -> PyResult<&'a PyFrame> {
    // SAFETY: the frame runs, and owns its object from now on.
    let object = unsafe { (*frame).object(ts)? };
    // SAFETY: as above: the reference that the frame holds outlives this event.
    Ok(unsafe { &*object.as_raw().cast::<PyFrame>() })
}

fn wants_lines(ts: &ThreadState, frame: *mut Frame) -> PyResult<bool> {
    let object = frame_object(ts, frame)?;
    Ok(object.f_trace_lines())
}

fn trace_line(ts: &ThreadState, hook: &Hook, frame: *mut Frame, line: i32) -> PyResult<()> {
    let object = frame_object(ts, frame)?;
    if !object.f_trace_lines() {
        return Ok(());
    }
    object.set_current_line(line);
    let result = notify(ts, hook, frame, LINE, None);
    object.set_current_line(0);
    result
}

/// Calls the function of a hook.
fn notify(ts: &ThreadState, hook: &Hook, frame: *mut Frame, what: c_int, argument: Option<&PyObject>) -> PyResult<()> {
    let Some(function) = hook.function.get() else { return Ok(()) };
    let object = hook.object();
    // SAFETY: the frame runs.
    let frame_object = unsafe { (*frame).object(ts)? };
    let what_before = ts.what_event.replace(what);
    ts.tracing.set(ts.tracing.get() + 1);
    // SAFETY: whoever set the hook has given a function of this kind.
    let status = unsafe {
        function(
            object.as_ref().map_or(core::ptr::null_mut(), |o| o.as_ptr()),
            frame_object.as_ptr(),
            what,
            argument.map_or(core::ptr::null_mut(), |a| a.as_ptr()),
        )
    };
    ts.tracing.set(ts.tracing.get() - 1);
    ts.what_event.set(what_before);
    if status != 0 {
        return Err(Raised::already_set());
    }
    Ok(())
}

fn call_python(ts: &ThreadState, function: &PyObject, frame: &PyObject, what: c_int, argument: &PyObject) -> PyResult {
    let name = PyStr::intern(ts, NAMES[what as usize])?;
    call::call_with(ts, function, &[frame, name.as_object(), argument])
}

/// The function behind `sys.settrace`: `object` is the global trace function.
///
/// # Safety
/// As for [`TraceFunction`]; the GIL is held.
pub unsafe extern "C" fn trace_python(
    object: *mut PyObject,
    frame: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
) -> c_int {
    let ts = ThreadState::current();
    // SAFETY: the caller's promise.
    let (object, frame, argument) = unsafe { (&*object, &*frame, argument.as_ref()) };
    let this = frame.cast::<PyFrame>();
    let function = if what == CALL { Some(object.new_ref()) } else { this.trace() };
    let Some(function) = function else { return 0 };
    match call_python(ts, &function, frame, what, argument.unwrap_or(none())) {
        Ok(result) => {
            if !is_none(&result) {
                this.set_trace(Some(result));
            }
            0
        }
        Err(raised) => {
            // Tracing ends with the first error.
            let pending = ts.take_raised(raised);
            set_trace(ts, ts, None, None);
            this.set_trace(None);
            let _ = ts.restore_raised(pending);
            -1
        }
    }
}

/// The function behind `sys.setprofile`.
///
/// # Safety
/// As for [`trace_python`].
pub unsafe extern "C" fn profile_python(
    object: *mut PyObject,
    frame: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
) -> c_int {
    let ts = ThreadState::current();
    // SAFETY: the caller's promise.
    let (object, frame, argument) = unsafe { (&*object, &*frame, argument.as_ref()) };
    match call_python(ts, object, frame, what, argument.unwrap_or(none())) {
        Ok(_) => 0,
        Err(raised) => {
            let pending = ts.take_raised(raised);
            set_profile(ts, ts, None, None);
            let _ = ts.restore_raised(pending);
            -1
        }
    }
}
