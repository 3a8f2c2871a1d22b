//! Monitoring (PEP 669): the one base under `sys.monitoring`, `sys.settrace`, `sys.setprofile` and their C twins.
//!
//! ```text
//!             nobody watches                        somebody watches
//!        ┌────────────────────────┐  TRACING   ┌──────────────────────────────────┐
//!        │ eval::run::<false>     │ ─────────▶ │ eval::run::<true>                │
//!        │ knows nothing of it    │ ◀───────── │ asks the Watch before each       │
//!        └────────────────────────┘  inactive  │ instruction, and at exceptions   │
//!                                              └──────────────────────────────────┘
//! ```
//!
//! The evaluation loop is compiled twice. The plain one has no word about events; it leaves when its eval
//! breaker carries `TRACING`, and the watching one takes over at the same instruction. Code objects are never
//! rewritten: one that runs under watch gets a table ([`table::CodeTable`]) with a word per code unit that says
//! which tools want which event there.
//!
//! | file | what |
//! |---|---|
//! | `mod` | events, tools, what they asked for, when the loops change over |
//! | `table` | the table of a code object |
//! | `watch` | what the watching loop calls |
//! | `fire` | telling the tools |
//! | `legacy` | trace and profile functions, as tools 7 and 6 |
//!
//! M1: `active` is true exactly while some tool wants some event, and then every thread of the interpreter
//!     has `TRACING` in its eval breaker.
//! M2: a table is valid for one version; whatever changes what tools want makes a new version.
//! M3: while a tool is being told (`ts.tracing` is not 0), nothing is told to anyone in that thread.

pub mod fire;
pub mod legacy;
pub mod table;
pub mod watch;

use core::cell::Cell;

use crate::object::{PyObject, PyRef, PyResult, Slot};
use crate::state::{EvalBreaker, InterpreterState, ThreadState};
use crate::types::code::PyCode;

/// What can happen, in the order of the bits of an event set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Event {
    /// A function begins.
    PyStart = 0,
    /// A generator or coroutine goes on.
    PyResume,
    /// A function returns.
    PyReturn,
    /// A generator or coroutine yields.
    PyYield,
    /// Something is about to be called.
    Call,
    /// An instruction with another line than the one before is about to run.
    Line,
    /// An instruction is about to run.
    Instruction,
    /// An unconditional jump.
    Jump,
    /// A conditional branch goes on behind it.
    BranchLeft,
    /// A conditional branch jumps.
    BranchRight,
    /// A StopIteration that nobody raised: a generator in a `for` has ended.
    StopIteration,
    /// An exception is raised, or goes on in the caller.
    Raise,
    /// An exception has found its handler.
    ExceptionHandled,
    /// An exception ends a function.
    PyUnwind,
    /// An exception is thrown into a generator.
    PyThrow,
    /// An exception goes on after `finally` or a bare `raise`.
    Reraise,
    /// What was called, and is no Python function, has returned.
    CReturn,
    /// What was called, and is no Python function, has raised.
    CRaise,
    /// Both branches, for tools that know only one.
    Branch,
}

/// How many events there are.
pub const EVENTS: usize = 19;
/// The events before this one belong to a place in the code, and can be asked for and switched off there.
pub const LOCAL_EVENTS: usize = Event::Raise as usize;
/// The events from this one on come with others and cannot be asked for alone.
pub const UNGROUPED_EVENTS: usize = Event::CReturn as usize;
/// How many tools there are; the last two are ours.
pub const TOOLS: usize = 8;
/// How many tools programs can be.
pub const USER_TOOLS: usize = 6;
/// The profile function.
pub const PROFILE_TOOL: usize = 6;
/// The trace function.
pub const TRACE_TOOL: usize = 7;

/// The events' names in `sys.monitoring.events`, in their order.
pub const NAMES: [&str; EVENTS] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH_LEFT",
    "BRANCH_RIGHT",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
    "BRANCH",
];

impl Event {
    /// The event's bit in a set.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What the tools of an interpreter want.
pub struct Monitoring {
    /// The tools' names; empty where no tool is.
    pub names: [Slot<PyObject>; TOOLS],
    /// What each tool wants called, by event.
    pub callbacks: [[Slot<PyObject>; EVENTS]; TOOLS],
    /// What each tool wants everywhere: a set of events.
    everywhere: [Cell<u32>; TOOLS],
    /// In how many code objects each tool wants events of that code alone.
    local: [Cell<usize>; TOOLS],
    /// Counts how often each tool was cleared.
    generations: [Cell<u32>; TOOLS],
    /// M2; 0 is no version.
    version: Cell<u32>,
    /// M1.
    active: Cell<bool>,
    /// `sys.monitoring.DISABLE` and `MISSING`, made with the module.
    pub disable: Slot<PyObject>,
    /// See there.
    pub missing: Slot<PyObject>,
}

impl Monitoring {
    /// Nobody watches.
    pub const fn new() -> Monitoring {
        Monitoring {
            names: [const { Slot::empty() }; TOOLS],
            callbacks: [const { [const { Slot::empty() }; EVENTS] }; TOOLS],
            everywhere: [const { Cell::new(0) }; TOOLS],
            local: [const { Cell::new(0) }; TOOLS],
            generations: [const { Cell::new(1) }; TOOLS],
            version: Cell::new(1),
            active: Cell::new(false),
            disable: Slot::empty(),
            missing: Slot::empty(),
        }
    }

    /// M1.
    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.active.get()
    }

    /// M2.
    #[inline(always)]
    pub fn version(&self) -> u32 {
        self.version.get()
    }

    /// What a tool wants everywhere.
    pub fn events_of(&self, tool: usize) -> u32 {
        self.everywhere[tool].get()
    }

    /// The tools that want an event everywhere, one bit each.
    pub fn tools_for(&self, event: Event) -> u8 {
        let mut tools = 0;
        for (tool, events) in self.everywhere.iter().enumerate() {
            if events.get() & event.bit() != 0 {
                tools |= 1 << tool;
            }
        }
        tools
    }

    /// A tool wants these events everywhere from now on.
    pub fn set_events(&self, interp: &InterpreterState, tool: usize, events: u32) {
        if self.everywhere[tool].replace(events) != events {
            self.changed(interp);
        }
    }

    /// A tool wants these events, in addition to those of everywhere, in one code object.
    ///
    /// # Errors
    /// MemoryError when there is no room for the code's table.
    pub fn set_local_events(&self, ts: &ThreadState, code: &PyCode, tool: usize, events: u32) -> PyResult<()> {
        let before = table::local_events(ts, code, tool);
        if before == events {
            return Ok(());
        }
        table::set_local_events(ts, code, tool, events)?;
        let count = &self.local[tool];
        match (before != 0, events != 0) {
            (false, true) => count.set(count.get() + 1),
            (true, false) => count.set(count.get() - 1),
            _ => {}
        }
        self.changed(ts.interp());
        Ok(())
    }

    /// A code object ends.
    pub fn forget_code(&self, interp: &InterpreterState, code: &PyCode) {
        let tools = table::local_tools(self, code);
        if tools != 0 {
            for tool in (0..TOOLS).filter(|tool| tools & 1 << tool != 0) {
                self.local[tool].set(self.local[tool].get() - 1);
            }
            self.changed(interp);
        }
    }

    /// See [`table::CodeTable`].
    pub fn generation(&self, tool: usize) -> u32 {
        self.generations[tool].get()
    }

    /// Events that were switched off at their places are on again.
    pub fn restart(&self, interp: &InterpreterState) {
        self.changed(interp);
    }

    /// Takes everything of a tool away.
    pub fn clear_tool(&self, interp: &InterpreterState, tool: usize) {
        for callback in &self.callbacks[tool] {
            callback.set(None);
        }
        self.everywhere[tool].set(0);
        self.local[tool].set(0);
        self.generations[tool].set(self.generations[tool].get().wrapping_add(1).max(1));
        self.changed(interp);
    }

    /// M1, M2.
    fn changed(&self, interp: &InterpreterState) {
        self.version.set(self.version.get().wrapping_add(1).max(1));
        self.evaluator_changed(interp);
    }

    /// M1: another function runs the interpreter's frames, or the loop again.
    pub fn evaluator_changed(&self, interp: &InterpreterState) {
        let active = interp.evaluator.get().is_some()
            || (0..TOOLS).any(|tool| self.local[tool].get() != 0 || self.everywhere[tool].get() != 0);
        self.active.set(active);
        interp.for_each_thread(|thread| {
            if active {
                thread.eval_breaker.set(EvalBreaker::TRACING);
            } else {
                thread.eval_breaker.clear(EvalBreaker::TRACING);
            }
        });
    }

    /// Lets everything go, at the interpreter's end.
    pub fn clear(&self, interp: &InterpreterState) {
        for tool in 0..TOOLS {
            self.clear_tool(interp, tool);
            self.names[tool].set(None);
        }
        self.disable.set(None);
        self.missing.set(None);
    }

    /// The callback of a tool for an event.
    pub fn callback(&self, tool: usize, event: Event) -> Option<PyRef> {
        self.callbacks[tool][event as usize].get()
    }
}

impl Default for Monitoring {
    fn default() -> Monitoring {
        Monitoring::new()
    }
}
