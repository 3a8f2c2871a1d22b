//! One attempt: runs a program from one position of the text.
//!
//! The machine keeps a position in the program and one in the text. Where there is more than one way to go
//! on it pushes a *choice* and takes the first; when the current way fails, the youngest choice says where
//! to go on instead. Three stacks carry this:
//!
//! - `choices`: what may still be tried. *Barriers* among them stand for an assertion, an atomic group or a
//!   possessive item that is being matched; when that succeeds, all choices above the barrier are dropped.
//! - `trail`: old values of the marks (I3).
//! - `reps`: iterations of general loops. An iteration is a record that never changes and knows the one
//!   around it, so a choice needs to remember only which one was current.

use super::charset::{is_newline, same_folded};
use super::opcode::{At, MAX_REPEAT};
use super::program::{Inst, NOWHERE, Program};
use super::unit::Unit;
use super::{Error, State, UNSET};

/// "No loop is open", "no barrier stands".
const NONE: u32 = u32::MAX;
/// Steps between two questions to the interrupt, less one.
const INTERRUPT_MASK: u64 = 0xFFF;

/// What a choice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Go on at `pc`, another alternative.
    Alternative,
    /// `pc` is a greedy loop over one unit that reached `at`; it may give back down to `value`.
    GiveBack,
    /// `pc` is a lazy loop over one unit that reached `at` after `value` units; it may take more.
    TakeMore,
    /// `pc` is a greedy loop's end; its tail is to be tried at `at`.
    Leave,
    /// `pc` is a lazy loop's end; one more iteration is to be tried at `at`.
    Enter,
    /// Barriers; `pc` is the construct, `at` where it began, `outer` the barrier around it.
    Assert,
    AssertNot,
    Atomic,
    /// A possessive loop's item that began at `at`, after `value` complete ones.
    Possessive,
}

/// A way that may still be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    way: Way,
    pc: u32,
    repeat: u32,
    reps: u32,
    trail: u32,
    outer: u32,
    at: usize,
    value: usize,
}

/// An old value of a mark, and of what goes with the marks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trail {
    mark: u32,
    last_index: u32,
    last_mark: usize,
    value: usize,
}

/// An iteration of a general loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rep {
    /// Complete iterations before it.
    count: u32,
    /// The iteration of the loop around this one.
    outer: u32,
    /// Where the last optional iteration began: one that does not get further is not repeated.
    last: usize,
}

/// The machine's registers besides the two positions.
struct Context {
    repeat: u32,
    barrier: u32,
}

fn index(len: usize) -> Result<u32, Error> {
    // A stack of four billion entries counts as out of memory.
    match u32::try_from(len) {
        Ok(index) if index != NONE => Ok(index),
        _ => Err(Error::NoMemory),
    }
}

impl<U: Unit> State<'_, U> {
    /// Tries to match at `start`, beginning with instruction `entry`. The end of the match, if there is one.
    pub(super) fn run(&mut self, program: &Program, entry: usize, start: usize) -> Result<Option<usize>, Error> {
        let text = self.text;
        let insts: &[Inst] = &program.insts;
        let mut context = Context { repeat: NONE, barrier: NONE };
        let mut pc = entry;
        let mut ptr = start;
        self.choices.clear();
        self.trail.clear();
        self.reps.clear();

        'run: loop {
            // Leaving this block means that the current way has failed.
            {
                let inst = insts[pc];
                match inst {
                    Inst::Literal(wanted) => {
                        if ptr < text.len() && text[ptr].code() == wanted {
                            ptr += 1;
                            pc += 1;
                            continue 'run;
                        }
                    }
                    Inst::In(set) => {
                        if ptr < text.len() && program.sets[set as usize].contains(&program.code, text[ptr].code()) {
                            ptr += 1;
                            pc += 1;
                            continue 'run;
                        }
                    }
                    Inst::Any
                    | Inst::AnyAll
                    | Inst::NotLiteral(_)
                    | Inst::LiteralIgnore(..)
                    | Inst::NotLiteralIgnore(..)
                    | Inst::Category(_) => {
                        if ptr < text.len() && program.accepts(inst, text[ptr].code()) {
                            ptr += 1;
                            pc += 1;
                            continue 'run;
                        }
                    }
                    Inst::Mark(mark) => {
                        self.set_mark(mark, ptr)?;
                        pc += 1;
                        continue 'run;
                    }
                    Inst::Jump(target) => {
                        pc = target as usize;
                        continue 'run;
                    }
                    Inst::Branch { next, probe } => {
                        if self.may_begin(program, probe, ptr) {
                            self.push(Way::Alternative, next, ptr, 0, &context)?;
                            pc += 1;
                        } else {
                            pc = next as usize;
                        }
                        continue 'run;
                    }
                    Inst::At(at) => {
                        if holds(at, text, ptr) {
                            pc += 1;
                            continue 'run;
                        }
                    }
                    Inst::RepeatOne { min, max, probe } => {
                        let rest = text.len() - ptr;
                        if min as usize <= rest {
                            let most = rest.min(bound(max));
                            let count = program.count(insts[pc + 1], &text[ptr..ptr + most]);
                            let floor = ptr + min as usize;
                            if let Some(place) = self.give_back(program, probe, floor, ptr + count) {
                                if place > floor {
                                    self.push(Way::GiveBack, pc as u32, place, floor, &context)?;
                                }
                                ptr = place;
                                pc += 2;
                                continue 'run;
                            }
                        }
                    }
                    Inst::MinRepeatOne { min, max, probe } => {
                        let least = min as usize;
                        let rest = text.len() - ptr;
                        if least <= rest && program.count(insts[pc + 1], &text[ptr..ptr + least]) == least {
                            let item = insts[pc + 1];
                            if let Some((place, count)) =
                                self.take_more(program, item, probe, ptr + least, least, bound(max))
                            {
                                if count < bound(max) {
                                    self.push(Way::TakeMore, pc as u32, place, count, &context)?;
                                }
                                ptr = place;
                                pc += 2;
                                continue 'run;
                            }
                        }
                    }
                    Inst::PossessiveRepeatOne { min, max } => {
                        let most = (text.len() - ptr).min(bound(max));
                        let count = program.count(insts[pc + 1], &text[ptr..ptr + most]);
                        if count >= min as usize {
                            ptr += count;
                            pc += 2;
                            continue 'run;
                        }
                    }
                    Inst::Repeat { until } => {
                        // Counted from -1: the end of the loop, where it is entered, adds one.
                        context.repeat = self.push_rep(Rep { count: u32::MAX, outer: context.repeat, last: UNSET })?;
                        pc = until as usize;
                        continue 'run;
                    }
                    Inst::MaxUntil { min, max, body } => {
                        self.step()?;
                        let rep = self.rep(context.repeat)?;
                        let count = rep.count.wrapping_add(1);
                        if count < min {
                            context.repeat = self.push_rep(Rep { count, ..rep })?;
                            pc = body as usize;
                        } else if (count < max || max == MAX_REPEAT) && ptr != rep.last {
                            self.push(Way::Leave, pc as u32, ptr, 0, &context)?;
                            // A loop that is known to be past its minimum need not be counted further.
                            let count = if max == MAX_REPEAT { min } else { count };
                            context.repeat = self.push_rep(Rep { count, outer: rep.outer, last: ptr })?;
                            pc = body as usize;
                        } else {
                            context.repeat = rep.outer;
                            pc += 1;
                        }
                        continue 'run;
                    }
                    Inst::MinUntil { min, max, body } => {
                        self.step()?;
                        let rep = self.rep(context.repeat)?;
                        let count = rep.count.wrapping_add(1);
                        if count < min {
                            context.repeat = self.push_rep(Rep { count, ..rep })?;
                            pc = body as usize;
                        } else {
                            if (count < max || max == MAX_REPEAT) && ptr != rep.last {
                                self.push(Way::Enter, pc as u32, ptr, 0, &context)?;
                            }
                            context.repeat = rep.outer;
                            pc += 1;
                        }
                        continue 'run;
                    }
                    Inst::Assert { back, end: _ } => {
                        if back as usize <= ptr {
                            self.push_barrier(Way::Assert, pc, ptr, 0, &mut context)?;
                            ptr -= back as usize;
                            pc += 1;
                            continue 'run;
                        }
                    }
                    Inst::AssertNot { back, end } => {
                        if back as usize <= ptr {
                            self.push_barrier(Way::AssertNot, pc, ptr, 0, &mut context)?;
                            ptr -= back as usize;
                            pc += 1;
                        } else {
                            // What cannot stand before this place does not.
                            pc = end as usize;
                        }
                        continue 'run;
                    }
                    Inst::Atomic { .. } => {
                        self.push_barrier(Way::Atomic, pc, ptr, 0, &mut context)?;
                        pc += 1;
                        continue 'run;
                    }
                    Inst::PossessiveRepeat { max, end, .. } => {
                        if max == 0 {
                            pc = end as usize;
                        } else {
                            self.push_barrier(Way::Possessive, pc, ptr, 0, &mut context)?;
                            pc += 1;
                        }
                        continue 'run;
                    }
                    Inst::SubEnd => {
                        self.step()?;
                        let barrier = self.cut(&mut context)?;
                        match insts[barrier.pc as usize] {
                            Inst::Assert { end, .. } => {
                                ptr = barrier.at;
                                pc = end as usize;
                                continue 'run;
                            }
                            Inst::Atomic { end } => {
                                pc = end as usize;
                                continue 'run;
                            }
                            Inst::PossessiveRepeat { min, max, end } => {
                                let count = barrier.value + 1;
                                let stuck = ptr == barrier.at;
                                // An item that matched nothing matches it as often as is wanted.
                                if !stuck && (count < min as usize || count < bound(max)) {
                                    self.push_barrier(Way::Possessive, barrier.pc as usize, ptr, count, &mut context)?;
                                    pc = barrier.pc as usize + 1;
                                } else {
                                    pc = end as usize;
                                }
                                continue 'run;
                            }
                            // The negative assertion's contents matched: what they marked is undone, it fails.
                            _ => self.unwind(barrier.trail as usize),
                        }
                    }
                    Inst::GroupRef(fold, group) => {
                        if let Some((from, to)) = self.reference(group) {
                            let len = to - from;
                            if len <= text.len() - ptr {
                                let again = &text[ptr..ptr + len];
                                let same = text[from..to]
                                    .iter()
                                    .zip(again)
                                    .all(|(a, b)| a == b || same_folded(fold, a.code(), b.code()));
                                if same {
                                    ptr += len;
                                    pc += 1;
                                    continue 'run;
                                }
                            }
                        }
                    }
                    Inst::GroupRefExists { group, no } => {
                        pc = if self.reference(group).is_some() { pc + 1 } else { no as usize };
                        continue 'run;
                    }
                    Inst::Match => {
                        let whole = !self.match_all || ptr == text.len();
                        if whole && ptr != self.barred {
                            return Ok(Some(ptr));
                        }
                    }
                    Inst::Failure => {}
                }
            }

            // The youngest choice says how to go on.
            loop {
                self.step()?;
                let Some(&choice) = self.choices.last() else {
                    return Ok(None);
                };
                self.unwind(choice.trail as usize);
                self.reps.truncate(choice.reps as usize);
                context.repeat = choice.repeat;
                pc = choice.pc as usize;
                ptr = choice.at;
                match choice.way {
                    Way::Alternative => {
                        self.choices.pop();
                        continue 'run;
                    }
                    Way::GiveBack => {
                        let Inst::RepeatOne { probe, .. } = insts[pc] else {
                            return Err(Error::IllegalCode);
                        };
                        // The last attempt was at `at`, above the floor.
                        let place = self.give_back(program, probe, choice.value, ptr - 1);
                        match place {
                            Some(place) if place > choice.value => self.revise(place, choice.value),
                            _ => {
                                self.choices.pop();
                            }
                        }
                        if let Some(place) = place {
                            ptr = place;
                            pc += 2;
                            continue 'run;
                        }
                    }
                    Way::TakeMore => {
                        let Inst::MinRepeatOne { max, probe, .. } = insts[pc] else {
                            return Err(Error::IllegalCode);
                        };
                        let item = insts[pc + 1];
                        let more = match text.get(ptr) {
                            Some(unit) if program.accepts(item, unit.code()) => {
                                self.take_more(program, item, probe, ptr + 1, choice.value + 1, bound(max))
                            }
                            _ => None,
                        };
                        match more {
                            Some((place, count)) if count < bound(max) => self.revise(place, count),
                            _ => {
                                self.choices.pop();
                            }
                        }
                        if let Some((place, _)) = more {
                            ptr = place;
                            pc += 2;
                            continue 'run;
                        }
                    }
                    Way::Leave => {
                        self.choices.pop();
                        context.repeat = self.rep(choice.repeat)?.outer;
                        pc += 1;
                        continue 'run;
                    }
                    Way::Enter => {
                        self.choices.pop();
                        let Inst::MinUntil { body, .. } = insts[pc] else {
                            return Err(Error::IllegalCode);
                        };
                        let rep = self.rep(choice.repeat)?;
                        context.repeat =
                            self.push_rep(Rep { count: rep.count.wrapping_add(1), outer: rep.outer, last: ptr })?;
                        pc = body as usize;
                        continue 'run;
                    }
                    Way::Assert | Way::Atomic => {
                        self.choices.pop();
                        context.barrier = choice.outer;
                    }
                    Way::AssertNot => {
                        self.choices.pop();
                        context.barrier = choice.outer;
                        let Inst::AssertNot { end, .. } = insts[pc] else {
                            return Err(Error::IllegalCode);
                        };
                        pc = end as usize;
                        continue 'run;
                    }
                    Way::Possessive => {
                        self.choices.pop();
                        context.barrier = choice.outer;
                        let Inst::PossessiveRepeat { min, end, .. } = insts[pc] else {
                            return Err(Error::IllegalCode);
                        };
                        if choice.value >= min as usize {
                            pc = end as usize;
                            continue 'run;
                        }
                    }
                }
            }
        }
    }

    /// Whether what `probe` stands for can begin at `ptr`.
    #[inline(always)]
    fn may_begin(&self, program: &Program, probe: u32, ptr: usize) -> bool {
        match program.insts.get(probe as usize) {
            None => true,
            Some(&inst) => self.text.get(ptr).is_some_and(|unit| program.accepts(inst, unit.code())),
        }
    }

    /// The highest place from `ceiling` down to `floor` where the tail may begin.
    #[inline]
    fn give_back(&self, program: &Program, probe: u32, floor: usize, ceiling: usize) -> Option<usize> {
        if ceiling < floor {
            return None;
        }
        if probe == NOWHERE {
            return Some(ceiling);
        }
        let inst = program.insts[probe as usize];
        // At the end of the text there is no unit for the tail to begin with.
        let text = &self.text[floor..self.text.len().min(ceiling + 1)];
        let place = match inst {
            Inst::Literal(wanted) => text.iter().rposition(|unit| unit.code() == wanted),
            _ => text.iter().rposition(|unit| program.accepts(inst, unit.code())),
        };
        place.map(|offset| floor + offset)
    }

    /// The next place from `ptr` on where the tail may begin, taking items on the way; with it the number of
    /// items taken, `count` of them before `ptr`.
    #[inline]
    fn take_more(
        &self,
        program: &Program,
        item: Inst,
        probe: u32,
        ptr: usize,
        count: usize,
        max: usize,
    ) -> Option<(usize, usize)> {
        if probe == NOWHERE {
            return Some((ptr, count));
        }
        let first = program.insts[probe as usize];
        for (taken, unit) in self.text[ptr..].iter().enumerate() {
            let count = count + taken;
            let ch = unit.code();
            if program.accepts(first, ch) {
                return Some((ptr + taken, count));
            }
            if count >= max || !program.accepts(item, ch) {
                return None;
            }
        }
        // The tail needs a unit and there is none left.
        None
    }

    #[inline]
    fn push(&mut self, way: Way, pc: u32, at: usize, value: usize, context: &Context) -> Result<(), Error> {
        let choice = Choice {
            way,
            pc,
            repeat: context.repeat,
            reps: self.reps.len() as u32,
            trail: index(self.trail.len())?,
            outer: context.barrier,
            at,
            value,
        };
        Ok(self.choices.try_push(choice)?)
    }

    fn push_barrier(
        &mut self,
        way: Way,
        pc: usize,
        at: usize,
        value: usize,
        context: &mut Context,
    ) -> Result<(), Error> {
        let barrier = index(self.choices.len())?;
        self.push(way, pc as u32, at, value, context)?;
        context.barrier = barrier;
        Ok(())
    }

    /// Drops the innermost barrier and all choices above it: what it stands for has matched.
    fn cut(&mut self, context: &mut Context) -> Result<Choice, Error> {
        let place = context.barrier as usize;
        let barrier = *self.choices.get(place).ok_or(Error::IllegalCode)?;
        self.choices.truncate(place);
        // Loops opened since are closed; nothing that is left knows their iterations.
        self.reps.truncate(barrier.reps as usize);
        context.repeat = barrier.repeat;
        context.barrier = barrier.outer;
        Ok(barrier)
    }

    /// Keeps the youngest choice for another time, with new values.
    #[inline]
    fn revise(&mut self, at: usize, value: usize) {
        if let Some(choice) = self.choices.last_mut() {
            choice.at = at;
            choice.value = value;
        }
    }

    #[inline]
    fn push_rep(&mut self, rep: Rep) -> Result<u32, Error> {
        let place = index(self.reps.len())?;
        self.reps.try_push(rep)?;
        Ok(place)
    }

    #[inline]
    fn rep(&self, repeat: u32) -> Result<Rep, Error> {
        self.reps.get(repeat as usize).copied().ok_or(Error::IllegalCode)
    }

    #[inline]
    fn set_mark(&mut self, mark: u32, ptr: usize) -> Result<(), Error> {
        let place = mark as usize;
        if !self.choices.is_empty() {
            let value = if place < self.last_mark { self.marks[place] } else { UNSET };
            let entry = Trail { mark, last_index: self.last_index, last_mark: self.last_mark, value };
            self.trail.try_push(entry)?;
        }
        if mark % 2 == 1 {
            self.last_index = mark / 2 + 1;
        }
        if place >= self.last_mark {
            self.marks[self.last_mark..place].fill(UNSET);
            self.last_mark = place + 1;
        }
        self.marks[place] = ptr;
        Ok(())
    }

    /// Takes back what was marked since the trail had `height` entries.
    #[inline]
    fn unwind(&mut self, height: usize) {
        while self.trail.len() > height {
            let Some(old) = self.trail.pop() else { return };
            self.marks[old.mark as usize] = old.value;
            self.last_mark = old.last_mark;
            self.last_index = old.last_index;
        }
    }

    /// The text of a group, for a reference to it; an open group has none.
    fn reference(&self, group: u32) -> Option<(usize, usize)> {
        let first = group as usize * 2;
        if first + 1 >= self.last_mark {
            return None;
        }
        let (from, to) = (self.marks[first], self.marks[first + 1]);
        (from != UNSET && to != UNSET && from <= to).then_some((from, to))
    }

    /// Counts a step, and from time to time asks whether to stop (I4).
    #[inline(always)]
    pub(super) fn step(&mut self) -> Result<(), Error> {
        self.steps += 1;
        if self.steps & INTERRUPT_MASK == 0 { self.ask_interrupt() } else { Ok(()) }
    }

    #[cold]
    fn ask_interrupt(&self) -> Result<(), Error> {
        match self.interrupt {
            Some(stop) if stop() => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }
}

/// An upper bound in units; no bound is one that no text reaches.
#[inline]
fn bound(max: u32) -> usize {
    if max == MAX_REPEAT { usize::MAX } else { max as usize }
}

/// Whether the position `ptr` is one that `at` asks for.
fn holds<U: Unit>(at: At, text: &[U], ptr: usize) -> bool {
    let is_newline_at = |index: usize| text.get(index).is_some_and(|unit| is_newline(unit.code()));
    match at {
        At::Beginning => ptr == 0,
        At::BeginningLine => ptr == 0 || is_newline_at(ptr - 1),
        At::End => ptr == text.len() || (ptr + 1 == text.len() && is_newline_at(ptr)),
        At::EndLine => ptr == text.len() || is_newline_at(ptr),
        At::EndString => ptr == text.len(),
        At::Boundary(words) | At::NonBoundary(words) => {
            let is_word = |unit: Option<&U>| unit.is_some_and(|unit| words.contains(unit.code()));
            let before = is_word(ptr.checked_sub(1).and_then(|index| text.get(index)));
            let boundary = before != is_word(text.get(ptr));
            boundary == matches!(at, At::Boundary(_))
        }
    }
}
