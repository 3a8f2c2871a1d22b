//! What the watching loop calls: before each instruction, and where an exception passes.
//!
//! Some events are known only afterwards: where a branch went, and whether a native call came back. They are
//! kept in the [`Watch`] until the loop comes to the next instruction of the frame, or to the exception.

use core::cell::Cell;

use super::fire::{Told, tell};
use super::table::{self, Field};
use super::{Event, legacy};
use crate::object::{AsObject, Native, PyObject, PyRef, PyResult};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::generator::{self, PyGenerator};
use crate::types::method::PyMethod;
use crate::types::tuple::PyTuple;
use crate::vm::frame::Frame;
use crate::vm::opcode::{self, op};

/// What the loop does next.
pub enum Step {
    /// It runs the instruction.
    Run,
    /// A trace function has moved the frame to another instruction.
    Moved,
    /// Nobody watches any more: the plain loop takes over.
    Leave,
}

/// What will be known later.
enum Pending {
    Nothing,
    Branch { frame: *mut Frame, unit: usize },
    NativeCall { frame: *mut Frame, unit: usize, tools: u8, callable: PyRef, first: Option<PyRef> },
}

/// The state of a watching loop.
pub struct Watch {
    pending: Pending,
}

impl Watch {
    /// Nothing is pending.
    pub fn new() -> Watch {
        Watch { pending: Pending::Nothing }
    }

    /// Whether a branch is pending: then its instruction must not turn to another frame.
    #[inline]
    pub fn awaits_branch(&self) -> bool {
        matches!(self.pending, Pending::Branch { .. })
    }

    /// Before the instruction at `pc`, whose argument is `oparg`. Stores `pc` and `sp` in the frame.
    ///
    /// # Errors
    /// What a callback raised.
    ///
    /// # Safety
    /// The frame runs in the calling loop, `pc` and `sp` are its.
    #[inline]
    pub unsafe fn before(
        &mut self,
        ts: &ThreadState,
        frame: *mut Frame,
        pc: *const Cell<u16>,
        sp: *mut *mut PyObject,
        oparg: usize,
        prefixed: bool,
    ) -> PyResult<Step> {
        // SAFETY: the caller's promise.
        unsafe {
            let came_from = (*frame).unit_index();
            (*frame).pc = pc;
            (*frame).sp = sp;
            if !ts.interp().monitoring.is_active() && !prefixed {
                return Ok(Step::Leave);
            }
            if ts.tracing.get() != 0 {
                return Ok(Step::Run);
            }
            let unit = (*frame).unit_index() as usize;
            if !matches!(self.pending, Pending::Nothing) {
                self.settle(ts, frame, unit)?;
            }
            if table::of(ts, (*frame).code())?.is_quiet(unit) {
                return Ok(Step::Run);
            }
            self.at_event(ts, frame, unit, came_from, oparg)?;
            if (*frame).pc != pc {
                self.pending = Pending::Nothing;
                return Ok(Step::Moved);
            }
        }
        Ok(Step::Run)
    }

    /// The next instruction of the frame tells how the one before went.
    #[cold]
    unsafe fn settle(&mut self, ts: &ThreadState, frame: *mut Frame, unit: usize) -> PyResult<()> {
        match core::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Branch { frame: of, unit: from } if of == frame => {
                // SAFETY: the frame runs.
                let code = unsafe { (*frame).code() };
                let units = code.units();
                let base = opcode::DEOPTIMIZED[usize::from(units[from].get() as u8)];
                let behind = from + 1 + usize::from(opcode::CACHES[usize::from(base)]);
                let table = table::of(ts, code)?;
                let left = unit == behind;
                let (event, field) =
                    if left { (Event::BranchLeft, Field::Left) } else { (Event::BranchRight, Field::Event) };
                let tools = table.tools(from, field);
                // Where it goes on behind the marker of the branch.
                let marker = units.get(unit).map_or(0, |u| u.get() as u8);
                let destination = unit + usize::from(matches!(marker, op::NOT_TAKEN | op::POP_ITER));
                if tools != 0 {
                    tell(ts, frame, event, tools, from, &Told::Destination(destination))?;
                }
                Ok(())
            }
            Pending::NativeCall { frame: of, unit: from, tools, callable, first } if of == frame => {
                tell(ts, frame, Event::CReturn, tools, from, &Told::Call(&callable, first.as_deref()))
            }
            other => {
                self.pending = other;
                Ok(())
            }
        }
    }

    #[cold]
    unsafe fn at_event(
        &mut self,
        ts: &ThreadState,
        frame: *mut Frame,
        unit: usize,
        came_from: isize,
        oparg: usize,
    ) -> PyResult<()> {
        // SAFETY: the frame runs, `pc` and `sp` are stored.
        unsafe {
            let code = (*frame).code();
            let pc = (*frame).pc;
            let table = table::of(ts, code)?;
            let tools = table.tools(unit, Field::Line);
            if tools != 0 {
                let line = table.line(unit);
                let before = usize::try_from(came_from).ok().filter(|&before| before != unit);
                // The line is no news when the instruction before was on it, unless the frame just began.
                let same = before.is_some_and(|before| {
                    let base = opcode::DEOPTIMIZED[usize::from(code.units()[before].get() as u8)];
                    table.line(before) == line && base != op::RESUME
                });
                if !same {
                    tell(ts, frame, Event::Line, tools, unit, &Told::Line(line))?;
                    if (*frame).pc != pc {
                        return Ok(());
                    }
                }
            }
            let tools = table::of(ts, code)?.tools(unit, Field::Instruction);
            if tools != 0 {
                tell(ts, frame, Event::Instruction, tools, unit, &Told::Offset)?;
            }
            let table = table::of(ts, code)?;
            let (tools, left) = (table.tools(unit, Field::Event), table.tools(unit, Field::Left));
            if tools | left != 0 {
                self.own_event(ts, frame, unit, tools, oparg)?;
            }
        }
        Ok(())
    }

    /// The event that the instruction itself is.
    unsafe fn own_event(
        &mut self,
        ts: &ThreadState,
        frame: *mut Frame,
        unit: usize,
        tools: u8,
        oparg: usize,
    ) -> PyResult<()> {
        // SAFETY: the operands of the instruction are on the frame's stack.
        unsafe {
            let code = (*frame).code();
            let base = opcode::DEOPTIMIZED[usize::from(code.units()[unit].get() as u8)];
            let sp = (*frame).sp;
            let Some(event) = table::event_of(base, oparg) else { return Ok(()) };
            match event {
                Event::PyStart | Event::PyResume => tell(ts, frame, event, tools, unit, &Told::Offset),
                Event::PyReturn | Event::PyYield => tell(ts, frame, event, tools, unit, &Told::Value(&**sp.sub(1))),
                Event::Jump => {
                    let behind = unit + 1 + usize::from(opcode::CACHES[usize::from(base)]);
                    let to = if base == op::JUMP_FORWARD { behind + oparg } else { behind - oparg };
                    tell(ts, frame, event, tools, unit, &Told::Destination(to))
                }
                Event::BranchRight => {
                    self.pending = Pending::Branch { frame, unit };
                    Ok(())
                }
                Event::StopIteration => {
                    let (receiver, value) = (&**sp.sub(2), &**sp.sub(1));
                    let is_generator = core::ptr::eq(receiver.ob_type(), PyGenerator::type_object())
                        || generator::inlinable(receiver).is_some();
                    if !is_generator {
                        return Ok(());
                    }
                    let raised = exc::raise_stop_iteration(ts, value.new_ref());
                    let error = ts.take_raised(raised);
                    tell(ts, frame, event, tools, unit, &Told::Value(&error))
                }
                _ => self.call_event(ts, frame, unit, tools, base, oparg),
            }
        }
    }

    unsafe fn call_event(
        &mut self,
        ts: &ThreadState,
        frame: *mut Frame,
        unit: usize,
        tools: u8,
        base: u8,
        oparg: usize,
    ) -> PyResult<()> {
        // SAFETY: the operands of the instruction are on the frame's stack.
        unsafe {
            let sp = (*frame).sp;
            let (callable, first): (&PyObject, Option<&PyObject>) = match base {
                op::CALL | op::CALL_KW => {
                    let bottom = sp.sub(oparg + if base == op::CALL { 2 } else { 3 });
                    let callable = &**bottom;
                    match (*bottom.add(1)).as_ref() {
                        Some(this) => (callable, Some(this)),
                        None => (callable, if oparg > 0 { (*bottom.add(2)).as_ref() } else { None }),
                    }
                }
                op::CALL_FUNCTION_EX => {
                    let args = (*sp.sub(2)).as_ref().and_then(|args| args.downcast::<PyTuple>());
                    (&**sp.sub(4), args.and_then(|args| args.get(0)))
                }
                _ => (&**sp.sub(3), if oparg & 2 != 0 { (*sp.sub(2)).as_ref() } else { None }),
            };
            let mut callable = callable.new_ref();
            let mut first = first.map(AsObject::new_ref);
            if matches!(base, op::CALL | op::CALL_KW)
                && let Some(method) = callable.downcast_exact::<PyMethod>()
            {
                let (function, this) = method.parts();
                (callable, first) = (function, Some(this));
            }
            tell(ts, frame, Event::Call, tools, unit, &Told::Call(&callable, first.as_deref()))?;
            let is_python = callable.downcast_exact::<PyFunction>().is_some()
                || base == op::CALL_FUNCTION_EX && callable.downcast_exact::<PyMethod>().is_some();
            if !is_python {
                self.pending = Pending::NativeCall { frame, unit, tools, callable, first };
            }
            Ok(())
        }
    }

    /// An exception is set, and the frame's current instruction has raised it or lets it through.
    ///
    /// # Safety
    /// The frame runs.
    #[cold]
    pub unsafe fn raised(&mut self, ts: &ThreadState, frame: *mut Frame, again: bool) {
        if ts.tracing.get() != 0 {
            return;
        }
        if let Pending::NativeCall { frame: of, unit, tools, callable, first } =
            core::mem::replace(&mut self.pending, Pending::Nothing)
            && of == frame
        {
            let Some(error) = ts.current_exception.take() else { return };
            // SAFETY: the caller's promise.
            let told = tell(ts, frame, Event::CRaise, tools, unit, &Told::Call(&callable, first.as_deref()));
            settle_exception(ts, error, told);
        }
        // SAFETY: the caller's promise.
        unsafe { exception_event(ts, frame, if again { Event::Reraise } else { Event::Raise }) };
    }

    /// The exception has found a handler, and is on top of the frame's stack.
    ///
    /// # Errors
    /// What a callback raised.
    ///
    /// # Safety
    /// The frame runs; `error` is the exception.
    #[cold]
    pub unsafe fn handled(&mut self, ts: &ThreadState, frame: *mut Frame) -> PyResult<()> {
        let tools = ts.interp().monitoring.tools_for(Event::ExceptionHandled);
        if tools == 0 {
            return Ok(());
        }
        // SAFETY: the handler's first operand is the exception.
        unsafe {
            let error = (**(*frame).sp.sub(1)).new_ref();
            let unit = (*frame).unit_index().max(0) as usize;
            tell(ts, frame, Event::ExceptionHandled, tools, unit, &Told::Value(&error))
        }
    }

    /// The exception ends the frame.
    ///
    /// # Safety
    /// The frame runs.
    #[cold]
    pub unsafe fn unwinds(&mut self, ts: &ThreadState, frame: *mut Frame) {
        self.pending = Pending::Nothing;
        // SAFETY: the caller's promise.
        unsafe { exception_event(ts, frame, Event::PyUnwind) };
    }

    /// The frame goes on with an exception that was thrown into it.
    ///
    /// # Safety
    /// The frame runs.
    #[cold]
    pub unsafe fn thrown(&mut self, ts: &ThreadState, frame: *mut Frame) {
        // SAFETY: the caller's promise.
        unsafe { exception_event(ts, frame, Event::PyThrow) };
    }
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

/// Tells of the exception that is set; what a callback raises takes its place.
unsafe fn exception_event(ts: &ThreadState, frame: *mut Frame, event: Event) {
    let tools = ts.interp().monitoring.tools_for(event);
    if tools == 0 || ts.tracing.get() != 0 {
        return;
    }
    let Some(error) = ts.current_exception.take() else { return };
    // SAFETY: the frame runs.
    let unit = unsafe { (*frame).unit_index().max(0) as usize };
    let told = tell(ts, frame, event, tools, unit, &Told::Value(&error));
    settle_exception(ts, error, told);
}

/// Puts the exception back, unless telling of it has raised another.
fn settle_exception(ts: &ThreadState, error: PyRef, told: PyResult<()>) {
    if let Ok(()) = told {
        let _ = ts.restore_raised(error);
    }
}

/// See [`legacy`]: whether a thread is being told of a line, so that its frame may be moved.
pub fn may_move(ts: &ThreadState) -> bool {
    ts.what_event.get() == legacy::LINE && ts.tracing.get() != 0
}
