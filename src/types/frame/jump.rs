//! Setting `f_lineno`: a debugger's jump to another line.
//!
//! A jump is allowed where the stack at the target is a prefix of the stack at hand, entry by entry. To know
//! that, [`kinds_of_stacks`] runs the code abstractly: what is on the stack before each instruction, as kinds.

use hognose_allocators::collections::TryVec;

use super::PyFrame;
use crate::modules::_opcode::traffic;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::{KIND_CELL, KIND_FREE, PyCode};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::vm::frame::Frame;
use crate::vm::monitoring::legacy;
use crate::vm::opcode::{self, op};

/// What an entry of the stack is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Iterator = 1,
    Except,
    Object,
    Null,
    Lasti,
}

/// The kinds on a stack, the top in the lowest bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stack {
    /// The instruction is never reached, as far as is known yet.
    Unreached,
    /// Deeper than can be described.
    TooDeep,
    /// Three bits for each entry.
    Kinds(u64),
}

const BITS: u32 = 3;
const MASK: u64 = 7;
/// So many entries fit.
const DEEPEST: u32 = 21;

impl Stack {
    fn depth(self) -> u32 {
        match self {
            Stack::Kinds(kinds) => (64 - kinds.leading_zeros()).div_ceil(BITS),
            Stack::Unreached | Stack::TooDeep => 0,
        }
    }

    fn push(self, kind: Kind) -> Stack {
        match self {
            Stack::Kinds(kinds) if self.depth() < DEEPEST => Stack::Kinds(kinds << BITS | kind as u64),
            Stack::Kinds(_) => Stack::TooDeep,
            other => other,
        }
    }

    fn pop(self, count: usize) -> Stack {
        match self {
            Stack::Kinds(kinds) => Stack::Kinds(kinds.checked_shr(BITS * count as u32).unwrap_or(0)),
            other => other,
        }
    }

    /// The kind `depth` entries below the top, which is 1; 0 for none.
    fn peek(self, depth: usize) -> u64 {
        match self {
            Stack::Kinds(kinds) => kinds.checked_shr(BITS * (depth as u32 - 1)).unwrap_or(0) & MASK,
            _ => 0,
        }
    }

    fn push_raw(self, kind: u64) -> Stack {
        match self {
            Stack::Kinds(kinds) if self.depth() < DEEPEST => Stack::Kinds(kinds << BITS | kind),
            Stack::Kinds(_) => Stack::TooDeep,
            other => other,
        }
    }

    fn swap(self, depth: usize) -> Stack {
        let Stack::Kinds(kinds) = self else { return self };
        let shift = BITS * (depth as u32 - 1);
        let (top, other) = (kinds & MASK, kinds >> shift & MASK);
        let cleared = kinds & !MASK & !(MASK << shift);
        Stack::Kinds(cleared | other | top << shift)
    }
}

/// Whether a stack at hand can become one that is wanted, by dropping from its top.
fn fits(from: Stack, to: Stack) -> bool {
    let (Stack::Kinds(_), Stack::Kinds(wanted)) = (from, to) else { return false };
    let Some(extra) = from.depth().checked_sub(to.depth()) else { return false };
    let Stack::Kinds(mut have) = from.pop(extra as usize) else { return false };
    let mut wanted = wanted;
    while wanted != 0 {
        let (a, b) = (have & MASK, wanted & MASK);
        let good = if b == Kind::Object as u64 { a != Kind::Null as u64 } else { b == Kind::Null as u64 || a == b };
        if !good {
            return false;
        }
        (have, wanted) = (have >> BITS, wanted >> BITS);
    }
    true
}

/// Why a jump to a stack like this is not possible.
fn explain(to: Stack) -> &'static str {
    match to {
        Stack::TooDeep => "stack is too deep to analyze",
        Stack::Unreached => "can't jump into an 'except' block, or to unreachable code",
        Stack::Kinds(kinds) => match kinds & MASK {
            k if k == Kind::Except as u64 => "can't jump into an 'except' block as there's no exception",
            k if k == Kind::Lasti as u64 => "can't jump into a re-raising block as there's no location",
            k if k == Kind::Iterator as u64 => "can't jump into the body of a for loop",
            _ => "incompatible stacks",
        },
    }
}

/// The stack before each unit.
fn kinds_of_stacks(code: &PyCode) -> PyResult<TryVec<Stack>> {
    let units = code.units();
    let mut stacks = TryVec::new();
    stacks.try_resize(units.len() + 1, Stack::Unreached)?;
    // RETURN_GENERATOR brings the None that a generator is sent when it starts.
    stacks[0] = Stack::Kinds(0);
    let mut again = true;
    while again {
        again = false;
        let mut at = 0;
        while at < units.len() {
            let stack = stacks[at];
            let mut argument = 0usize;
            let mut base;
            loop {
                let unit = units[at].get();
                base = opcode::DEOPTIMIZED[usize::from(unit as u8)];
                argument = argument << 8 | usize::from(unit >> 8);
                if base != op::EXTENDED_ARG || at + 1 >= units.len() {
                    break;
                }
                at += 1;
                stacks[at] = stack;
            }
            let next = at + 1 + usize::from(opcode::CACHES[usize::from(base)]);
            if stack != Stack::Unreached {
                step(&mut stacks, stack, base, argument, at, next, &mut again);
            }
            at = next;
        }
        code.each_exception_range(&mut |start, handler, depth, lasti| {
            if start >= units.len() || handler >= units.len() || stacks[start] == Stack::Unreached {
                return;
            }
            if stacks[handler] == Stack::Unreached {
                again = true;
                let mut stack = stacks[start];
                let extra = (stack.depth() as usize).saturating_sub(depth);
                stack = stack.pop(extra);
                if lasti {
                    stack = stack.push(Kind::Lasti);
                }
                stacks[handler] = stack.push(Kind::Except);
            }
        });
    }
    Ok(stacks)
}

/// What one instruction makes of the stack, for those that come after it.
fn step(stacks: &mut [Stack], stack: Stack, base: u8, argument: usize, at: usize, next: usize, again: &mut bool) {
    let mut set = |index: usize, stack: Stack| {
        if let Some(place) = stacks.get_mut(index) {
            *again |= *place == Stack::Unreached && index < at;
            *place = stack;
        }
    };
    let after = match base {
        op::POP_JUMP_IF_FALSE | op::POP_JUMP_IF_TRUE | op::POP_JUMP_IF_NONE | op::POP_JUMP_IF_NOT_NONE => {
            set(next + argument, stack.pop(1));
            stack.pop(1)
        }
        op::SEND => {
            set(next + argument, stack);
            stack
        }
        op::JUMP_FORWARD => return set(next + argument, stack),
        op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => return set(next.saturating_sub(argument), stack),
        op::GET_ITER | op::GET_AITER => stack.pop(1).push(Kind::Iterator),
        op::FOR_ITER => {
            set(next + argument, stack.push(Kind::Object));
            stack.push(Kind::Object)
        }
        op::END_ASYNC_FOR => stack.pop(2),
        op::PUSH_EXC_INFO => stack.push(Kind::Except),
        op::POP_EXCEPT => stack.pop(1),
        op::RETURN_VALUE | op::RAISE_VARARGS | op::RERAISE => return,
        op::PUSH_NULL => stack.push(Kind::Null),
        op::LOAD_GLOBAL if argument & 1 != 0 => stack.push(Kind::Object).push(Kind::Null),
        op::LOAD_ATTR if argument & 1 != 0 => stack.pop(1).push(Kind::Object).push(Kind::Null),
        op::SWAP => stack.swap(argument),
        op::COPY => stack.push_raw(stack.peek(argument)),
        _ => match traffic(i32::from(base), argument as i64) {
            Some((pushed, popped)) => {
                let mut stack = stack;
                if pushed >= popped {
                    for _ in popped..pushed {
                        stack = stack.push(Kind::Object);
                    }
                    stack
                } else {
                    stack.pop((popped - pushed) as usize)
                }
            }
            None => stack,
        },
    };
    set(next, after);
}

/// The `f_lineno` setter.
///
/// # Errors
/// ValueError, which says why the frame cannot go there; AttributeError for `del`.
pub fn set_lineno(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let this = object.cast::<PyFrame>();
    let Some(value) = value else { return raise!(ts, exc::AttributeError, "cannot delete attribute") };
    let Some(line) = value.downcast_exact::<PyInt>() else {
        return raise!(ts, exc::ValueError, "lineno must be an integer");
    };
    let Some(frame) = this.frame() else {
        return raise!(ts, exc::ValueError, "f_lineno can only be set in a trace function");
    };
    let code = this.code();
    let base = |frame: &Frame| {
        let index = frame.unit_index().max(0) as usize;
        opcode::DEOPTIMIZED[usize::from(code.units()[index].get() as u8)]
    };
    match ts.what_event.get() {
        legacy::LINE | legacy::OPCODE => {}
        legacy::CALL => return raise!(ts, exc::ValueError, "can't jump from the 'call' trace event of a new frame"),
        legacy::RETURN if base(frame) == op::YIELD_VALUE => {}
        -1 => return raise!(ts, exc::ValueError, "f_lineno can only be set in a trace function"),
        _ => return raise!(ts, exc::ValueError, "can only jump from a 'line' trace event"),
    }
    if !this.has_trace() {
        return raise!(ts, exc::ValueError, "f_lineno can only be set by a trace function");
    }
    let Some(wanted) = line.as_i64().and_then(|line| i32::try_from(line).ok()) else {
        return raise!(ts, exc::ValueError, "lineno out of range");
    };
    if wanted < code.co_firstlineno {
        return raise!(ts, exc::ValueError, "line {wanted} comes before the current code block");
    }
    let lines = first_units_of_lines(&code)?;
    let Some(line) = lines.iter().copied().filter(|line| *line >= wanted).min() else {
        return raise!(ts, exc::ValueError, "line {wanted} comes after the current code block");
    };
    let stacks = kinds_of_stacks(&code)?;
    let start = stacks[frame.unit_index().max(0) as usize];
    let mut best: Option<(u32, usize)> = None;
    let mut why = "cannot find bytecode for specified line";
    for (unit, found) in lines.iter().enumerate() {
        if *found != line {
            continue;
        }
        let target = stacks[unit];
        if fits(start, target) {
            if best.is_none_or(|(depth, _)| target.depth() > depth) {
                best = Some((target.depth(), unit));
            }
        } else if best.is_none() {
            why = match start {
                Stack::TooDeep => "stack to deep to analyze",
                Stack::Unreached => "can't jump from unreachable code",
                Stack::Kinds(_) => explain(target),
            };
        }
    }
    let Some((depth, unit)) = best else { return raise!(ts, exc::ValueError, "{why}") };
    fill_unbound(ts, frame, &code)?;
    let mut stack = start;
    // A `return` event after a `yield` comes with the value that was yielded still on the stack.
    while stack.depth() > depth {
        drop_entry(ts, frame, stack.peek(1));
        stack = stack.pop(1);
    }
    // SAFETY: the unit is one of the code's.
    unsafe { frame.pc = code.units().as_ptr().add(unit) };
    this.set_current_line(0);
    Ok(())
}

/// Takes the top off a frame's stack. Leaving a handler ends its exception.
fn drop_entry(ts: &ThreadState, frame: &mut Frame, kind: u64) {
    // SAFETY: the stack has an entry of this kind at its top.
    let entry = unsafe {
        frame.sp = frame.sp.sub(1);
        PyRef::from_owned_or_null(frame.sp.replace(core::ptr::null_mut()))
    };
    if kind == Kind::Except as u64 {
        // SAFETY: the thread's entry for what is being handled.
        let info = unsafe { &*ts.exc_info.get() };
        info.value.set(entry.filter(|entry| !is_none(entry)));
    } else {
        drop(entry);
    }
}

/// For each unit at which a line begins, that line; else -1.
fn first_units_of_lines(code: &PyCode) -> PyResult<TryVec<i32>> {
    let mut lines = TryVec::new();
    lines.try_resize(code.units().len(), -1)?;
    let mut last = -1;
    for location in code.locations() {
        let line = location.line.unwrap_or(-1);
        if line != last && line != -1 && location.start < lines.len() {
            lines[location.start] = line;
        }
        last = line;
    }
    Ok(lines)
}

/// Variables without a value become None: the code at the target may take it for granted that they have one.
fn fill_unbound(ts: &ThreadState, frame: &Frame, code: &PyCode) -> PyResult<()> {
    let unbound = |index: usize, kind: u8| {
        // SAFETY: the place is one of the frame's.
        kind & (KIND_CELL | KIND_FREE) == 0 && unsafe { (*frame.localsplus().add(index)).is_null() }
    };
    let count = code.kinds().iter().enumerate().filter(|(index, kind)| unbound(*index, **kind)).count();
    if count == 0 {
        return Ok(());
    }
    let mut text = hognose_allocators::TryString::new();
    text.try_push_fmt(format_args!("assigning None to {count} unbound local{}", if count == 1 { "" } else { "s" }))?;
    exc::warn(ts, &exc::RuntimeWarning, text.as_str(), 0)?;
    for (index, kind) in code.kinds().iter().enumerate() {
        if unbound(index, *kind) {
            // SAFETY: as above.
            unsafe { *frame.localsplus().add(index) = none().new_ref().into_ptr() };
        }
    }
    Ok(())
}
