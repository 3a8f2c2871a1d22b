//! A compiled pattern in the form that runs: fixed-size instructions with resolved targets.

use hognose_allocators::collections::TryVec;

use super::Error;
use super::charset::{Charset, Fold, equals_folded, is_newline};
use super::lower::lower;
use super::opcode::{At, Category};
use super::unit::{Unit, find, run_length};

/// "No such instruction".
pub(super) const NOWHERE: u32 = u32::MAX;

/// One instruction. Targets and `probe`s are indexes of instructions.
///
/// A probe is the instruction that consumes the first unit of what follows, or [`NOWHERE`]: when it rejects
/// the unit at a position, nothing needs to be tried there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inst {
    /// Nothing matches.
    Failure,
    /// The end of the whole pattern.
    Match,
    /// The end of an assertion, an atomic group or a possessive item.
    SubEnd,
    Any,
    AnyAll,
    Literal(u32),
    NotLiteral(u32),
    LiteralIgnore(Fold, u32),
    NotLiteralIgnore(Fold, u32),
    /// A set, by its index.
    In(u32),
    Category(Category),
    At(At),
    Mark(u32),
    /// A group's text again; the group by its index, from 0.
    GroupRef(Fold, u32),
    /// Goes on at `no` when the group has not matched.
    GroupRefExists {
        group: u32,
        no: u32,
    },
    Jump(u32),
    /// An alternative follows; `next` is the one after it.
    Branch {
        next: u32,
        probe: u32,
    },
    /// Opens a loop whose closing instruction is `until`; the body follows.
    Repeat {
        until: u32,
    },
    MaxUntil {
        min: u32,
        max: u32,
        body: u32,
    },
    MinUntil {
        min: u32,
        max: u32,
        body: u32,
    },
    /// Loops over one unit: the item is the next instruction, the tail the one after it.
    RepeatOne {
        min: u32,
        max: u32,
        probe: u32,
    },
    MinRepeatOne {
        min: u32,
        max: u32,
        probe: u32,
    },
    PossessiveRepeatOne {
        min: u32,
        max: u32,
    },
    /// The body follows and ends with a `SubEnd`; `end` comes after that.
    Assert {
        back: u32,
        end: u32,
    },
    AssertNot {
        back: u32,
        end: u32,
    },
    Atomic {
        end: u32,
    },
    PossessiveRepeat {
        min: u32,
        max: u32,
        end: u32,
    },
}

/// What the pattern's header says that helps a search.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Info {
    /// The least number of units that a match has.
    pub(super) min_width: usize,
    /// The literal that a match begins with: where it lies in the code, and its length.
    pub(super) prefix: usize,
    pub(super) prefix_len: usize,
    /// How many of the first instructions are that literal and need not be run after it was found.
    pub(super) prefix_skip: usize,
    /// Whether the pattern is that literal and nothing else.
    pub(super) literal: bool,
    /// The set that the first unit of a match is from.
    pub(super) charset: Option<u32>,
}

/// A pattern ready to run (I1: only code that was wholly understood becomes one).
#[derive(Debug)]
pub struct Program {
    pub(super) code: TryVec<u32>,
    pub(super) insts: TryVec<Inst>,
    pub(super) sets: TryVec<Charset>,
    pub(super) info: Info,
    /// The probe of the whole pattern.
    pub(super) first: u32,
    groups: usize,
}

impl Program {
    /// Understands a code array for a pattern with `groups` groups.
    ///
    /// # Errors
    /// `IllegalCode` for anything that `re._compiler` would not emit, `NoMemory`.
    pub fn new(code: &[u32], groups: usize) -> Result<Self, Error> {
        let mut own = TryVec::new();
        own.try_extend_from_slice(code)?;
        if groups > super::MAX_GROUPS as usize {
            return Err(Error::IllegalCode);
        }
        let lowered = lower(code, groups)?;
        let (insts, sets) = (lowered.insts, lowered.sets);
        let mut program = Self { code: own, insts, sets, info: lowered.info, first: NOWHERE, groups };
        program.place_probes();
        program.trust_prefix();
        Ok(program)
    }

    /// The number of capturing groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The code array that the program was made from; patterns are compared by it.
    pub fn code(&self) -> &[u32] {
        &self.code
    }

    /// Whether the instruction accepts a unit; only for instructions that consume exactly one.
    #[inline(always)]
    pub(super) fn accepts(&self, inst: Inst, ch: u32) -> bool {
        match inst {
            Inst::Literal(wanted) => ch == wanted,
            Inst::In(set) => self.sets[set as usize].contains(&self.code, ch),
            _ => self.accepts_other(inst, ch),
        }
    }

    #[inline(never)]
    fn accepts_other(&self, inst: Inst, ch: u32) -> bool {
        match inst {
            Inst::Any => !is_newline(ch),
            Inst::AnyAll => true,
            Inst::NotLiteral(wanted) => ch != wanted,
            Inst::LiteralIgnore(fold, wanted) => equals_folded(fold, ch, wanted),
            Inst::NotLiteralIgnore(fold, wanted) => !equals_folded(fold, ch, wanted),
            Inst::Category(category) => category.contains(ch),
            _ => false,
        }
    }

    /// How many units at the beginning of `text` the instruction accepts one after the other.
    #[inline]
    pub(super) fn count<U: Unit>(&self, inst: Inst, text: &[U]) -> usize {
        match inst {
            Inst::AnyAll => text.len(),
            Inst::Any => U::from_code(u32::from(b'\n')).map_or(text.len(), |newline| find(text, newline)),
            Inst::Literal(wanted) => run_length(text, |ch| ch == wanted),
            Inst::NotLiteral(wanted) => U::from_code(wanted).map_or(text.len(), |unit| find(text, unit)),
            Inst::In(set) => {
                let set = &self.sets[set as usize];
                run_length(text, |ch| set.contains(&self.code, ch))
            }
            Inst::Category(category) => run_length(text, |ch| category.contains(ch)),
            _ => run_length(text, |ch| self.accepts_other(inst, ch)),
        }
    }

    fn place_probes(&mut self) {
        self.first = self.probe(0);
        for index in 0..self.insts.len() {
            let (alternative, tail) = (index as u32 + 1, index as u32 + 2);
            match self.insts[index] {
                Inst::Branch { next, .. } => {
                    let probe = self.probe(alternative);
                    self.insts[index] = Inst::Branch { next, probe };
                }
                Inst::RepeatOne { min, max, .. } => {
                    let probe = self.probe(tail);
                    self.insts[index] = Inst::RepeatOne { min, max, probe };
                }
                Inst::MinRepeatOne { min, max, .. } => {
                    let probe = self.probe(tail);
                    self.insts[index] = Inst::MinRepeatOne { min, max, probe };
                }
                _ => {}
            }
        }
    }

    /// The instruction that consumes the first unit when running from `pc`: what is empty is stepped over.
    fn probe(&self, mut pc: u32) -> u32 {
        // A few steps find it in nearly all patterns; the limit keeps the preparation linear.
        for _ in 0..8 {
            pc = match self.insts[pc as usize] {
                inst if inst.consumes_one() => return pc,
                Inst::Mark(_) | Inst::At(_) => pc + 1,
                Inst::Jump(target) => target,
                Inst::Assert { end, .. } | Inst::AssertNot { end, .. } => end,
                Inst::Atomic { .. } => pc + 1,
                Inst::PossessiveRepeat { min: 1.., .. }
                | Inst::RepeatOne { min: 1.., .. }
                | Inst::MinRepeatOne { min: 1.., .. }
                | Inst::PossessiveRepeatOne { min: 1.., .. } => pc + 1,
                Inst::Repeat { until } => match self.insts[until as usize] {
                    Inst::MaxUntil { min: 1.., body, .. } | Inst::MinUntil { min: 1.., body, .. } => body,
                    _ => return NOWHERE,
                },
                _ => return NOWHERE,
            };
        }
        NOWHERE
    }

    /// Believes the header about the prefix only as far as the instructions bear it out: what a search skips
    /// must be what it has already compared.
    fn trust_prefix(&mut self) {
        let Info { prefix, prefix_len, prefix_skip, .. } = self.info;
        let literals = self.insts.iter().zip(&self.code[prefix..prefix + prefix_len]);
        let borne_out =
            literals.take_while(|(inst, ch)| matches!(inst, Inst::Literal(wanted) if wanted == *ch)).count();
        if borne_out < prefix_skip {
            self.info.prefix_skip = 0;
        }
        let ends_there = matches!(self.insts.get(prefix_len), Some(Inst::Match));
        self.info.literal &= borne_out == prefix_len && ends_there;
    }
}

impl Inst {
    /// Whether the instruction consumes exactly one unit or fails, and does nothing else.
    pub(super) fn consumes_one(self) -> bool {
        matches!(
            self,
            Inst::Any
                | Inst::AnyAll
                | Inst::Literal(_)
                | Inst::NotLiteral(_)
                | Inst::LiteralIgnore(..)
                | Inst::NotLiteralIgnore(..)
                | Inst::In(_)
                | Inst::Category(_)
        )
    }
}
