//! The table of a code object that runs under watch: for each code unit, which tools want what there.
//!
//! ```text
//!  word of a unit:   line (8)  │ instruction (8) │ event (8)  │ other branch (8)     tools, one bit each
//! ```
//!
//! *event* is the one that belongs to the instruction (`RESUME`: start or resume; `CALL`: call; …); a conditional
//! branch has two, right in *event* and left in *other branch*.

use core::cell::Cell;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::{TryBox, TryVec};

use super::{Event, LOCAL_EVENTS, Monitoring, TOOLS};
use crate::object::PyResult;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::vm::opcode::{self, op};

/// Line of a unit without one.
const NO_LINE: i32 = -1;

/// See the file's documentation.
pub struct CodeTable {
    /// The version of the tools' wishes for which the words were made; 0: not made yet.
    version: Cell<u32>,
    /// What each tool wants in this code object alone.
    /// With the tool's generation at that time: a tool that has ended wants nothing any more.
    local: [Cell<(u32, u32)>; TOOLS],
    words: TryVec<Cell<u32>>,
    lines: TryVec<i32>,
}

/// A field of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Field {
    /// Line events.
    Line = 0,
    /// Instruction events.
    Instruction = 8,
    /// The event of the instruction itself.
    Event = 16,
    /// A branch that does not jump.
    Left = 24,
}

impl CodeTable {
    /// The tools of a field of a unit.
    #[inline]
    pub fn tools(&self, unit: usize, field: Field) -> u8 {
        self.words.get(unit).map_or(0, |word| (word.get() >> field as u32) as u8)
    }

    /// Whether nobody wants anything of a unit.
    #[inline]
    pub fn is_quiet(&self, unit: usize) -> bool {
        self.words.get(unit).is_none_or(|word| word.get() == 0)
    }

    /// The line of a unit.
    #[inline]
    pub fn line(&self, unit: usize) -> i32 {
        self.lines.get(unit).copied().unwrap_or(NO_LINE)
    }

    /// A tool does not want to hear of this place again.
    pub fn switch_off(&self, unit: usize, field: Field, tool: usize) {
        if let Some(word) = self.words.get(unit) {
            word.set(word.get() & !(1 << (field as u32 + tool as u32)));
        }
    }

    fn local_of(&self, monitoring: &Monitoring, tool: usize) -> u32 {
        let (generation, events) = self.local[tool].get();
        if generation == monitoring.generation(tool) { events } else { 0 }
    }

    fn tools_for(&self, ts: &ThreadState, event: Event) -> u32 {
        let mut tools = u32::from(ts.interp().monitoring.tools_for(event));
        if (event as usize) < LOCAL_EVENTS {
            for tool in 0..TOOLS {
                if self.local_of(&ts.interp().monitoring, tool) & event.bit() != 0 {
                    tools |= 1 << tool;
                }
            }
        }
        tools
    }

    /// Makes the words anew.
    fn fill(&self, ts: &ThreadState, code: &PyCode) {
        let units = code.units();
        let wanted = |event: Event| self.tools_for(ts, event);
        let line_tools = wanted(Event::Line);
        let instruction_tools = wanted(Event::Instruction);
        let mut by_event = [0u32; LOCAL_EVENTS];
        for (index, tools) in by_event.iter_mut().enumerate() {
            *tools = wanted(LOCAL[index]);
        }
        for word in &*self.words {
            word.set(0);
        }
        let add = |unit: usize, field: Field, tools: u32| {
            if let Some(word) = self.words.get(unit) {
                word.set(word.get() | tools << field as u32);
            }
        };
        let begins = |unit: usize| {
            if self.line(unit) != NO_LINE && !never_a_line(units[unit].get()) {
                add(unit, Field::Line, line_tools);
            }
        };
        let mut current_line = NO_LINE;
        let mut at = 0;
        // The unit at which the instruction with its prefixes begins.
        let mut first = 0;
        let mut argument = 0usize;
        while at < units.len() {
            let unit = units[at].get();
            let base = opcode::DEOPTIMIZED[usize::from(unit as u8)];
            let next = at + 1 + usize::from(opcode::CACHES[usize::from(base)]);
            argument = argument << 8 | usize::from(unit >> 8);
            if base == op::EXTENDED_ARG {
                at = next;
                continue;
            }
            if at >= code.co_firsttraceable.get() as usize {
                // The start of a function has an event of its own.
                if at != code.co_firsttraceable.get() as usize {
                    add(first, Field::Instruction, instruction_tools);
                }
                let line = self.line(first);
                if !never_a_line(unit) {
                    if line != current_line && line != NO_LINE {
                        begins(first);
                    }
                    current_line = line;
                }
                match event_of(base, argument) {
                    Some(Event::BranchRight) => {
                        add(at, Field::Event, by_event[Event::BranchRight as usize]);
                        add(at, Field::Left, by_event[Event::BranchLeft as usize]);
                    }
                    Some(event) => add(at, Field::Event, by_event[event as usize]),
                    None => {}
                }
                let target = match base {
                    op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => next.checked_sub(argument),
                    _ if opcode::is_forward_jump(base) => Some(next + argument),
                    _ => None,
                };
                if let Some(target) = target.filter(|&target| target < units.len()) {
                    begins(target);
                }
            }
            argument = 0;
            at = next;
            first = next;
        }
        code.each_handler(&mut |handler| {
            if handler < units.len() {
                begins(handler);
            }
        });
    }
}

/// The events of places, in their order.
const LOCAL: [Event; LOCAL_EVENTS] = [
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
];

/// Instructions that come and go with what is around them do not begin a line.
fn never_a_line(unit: u16) -> bool {
    matches!(
        opcode::DEOPTIMIZED[usize::from(unit as u8)],
        op::END_ASYNC_FOR | op::END_FOR | op::END_SEND | op::RESUME | op::POP_ITER
    )
}

/// The event that an instruction is; `BranchRight` stands for both branches.
pub fn event_of(base: u8, argument: usize) -> Option<Event> {
    Some(match base {
        op::RESUME if argument & 3 == 0 => Event::PyStart,
        op::RESUME => Event::PyResume,
        op::RETURN_VALUE => Event::PyReturn,
        op::YIELD_VALUE => Event::PyYield,
        op::CALL | op::CALL_KW | op::CALL_FUNCTION_EX | op::LOAD_SUPER_ATTR => Event::Call,
        op::JUMP_FORWARD | op::JUMP_BACKWARD => Event::Jump,
        op::POP_JUMP_IF_FALSE
        | op::POP_JUMP_IF_TRUE
        | op::POP_JUMP_IF_NONE
        | op::POP_JUMP_IF_NOT_NONE
        | op::FOR_ITER => Event::BranchRight,
        op::END_FOR | op::END_SEND => Event::StopIteration,
        _ => return None,
    })
}

/// The code's table, valid now.
///
/// # Errors
/// MemoryError when there is no room for it.
#[inline]
pub fn of<'a>(ts: &ThreadState, code: &'a PyCode) -> PyResult<&'a CodeTable> {
    let version = ts.interp().monitoring.version();
    if let Some(table) = code.table()
        && table.version.get() == version
    {
        return Ok(table);
    }
    renew(ts, code, version)
}

#[cold]
#[inline(never)]
fn renew<'a>(ts: &ThreadState, code: &'a PyCode, version: u32) -> PyResult<&'a CodeTable> {
    code.make_whole(ts)?;
    let table = match code.table() {
        Some(table) => table,
        None => code.set_table(new_table(code)?),
    };
    table.fill(ts, code);
    table.version.set(version);
    Ok(table)
}

fn new_table(code: &PyCode) -> Result<TryBox<CodeTable>, NoMemory> {
    let units = code.units().len();
    let mut words = TryVec::new();
    words.try_reserve_exact(units)?;
    for _ in 0..units {
        words.try_push(Cell::new(0))?;
    }
    let mut lines = TryVec::new();
    lines.try_resize(units, NO_LINE)?;
    for location in code.locations() {
        for line in lines.iter_mut().take(location.end).skip(location.start) {
            *line = location.line.unwrap_or(NO_LINE);
        }
    }
    TryBox::try_new(CodeTable { version: Cell::new(0), local: [const { Cell::new((0, 0)) }; TOOLS], words, lines })
}

/// What a tool wants in this code object alone.
pub fn local_events(ts: &ThreadState, code: &PyCode, tool: usize) -> u32 {
    code.table().map_or(0, |table| table.local_of(&ts.interp().monitoring, tool))
}

/// The tools that want something in this code object alone, one bit each.
pub fn local_tools(monitoring: &Monitoring, code: &PyCode) -> u8 {
    let Some(table) = code.table() else { return 0 };
    (0..TOOLS).filter(|&tool| table.local_of(monitoring, tool) != 0).fold(0, |tools, tool| tools | 1 << tool)
}

/// Sets what a tool wants in this code object alone; returns what it wanted before.
pub fn set_local_events(ts: &ThreadState, code: &PyCode, tool: usize, events: u32) -> PyResult<u32> {
    let monitoring = &ts.interp().monitoring;
    let table = of(ts, code)?;
    let before = table.local_of(monitoring, tool);
    table.local[tool].set((monitoring.generation(tool), events));
    Ok(before)
}
