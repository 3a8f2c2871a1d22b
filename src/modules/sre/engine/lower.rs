//! From code words to instructions, checking everything on the way.
//!
//! The words are read once, from left to right. Constructs that contain others are *regions*: each knows
//! where it has to end, and lies inside the one around it. Jumps are not followed but expected: only the
//! places where the compiler puts one are understood, so there is no other way for control to flow than
//! the nesting shows. The stack of regions is explicit; depth costs memory, not native stack.

use hognose_allocators::{NoMemory, collections::TryVec};

use super::Error;
use super::charset::{Charset, Fold};
use super::opcode::{self as op, At, Category};
use super::program::{Info, Inst, NOWHERE};

/// The outcome.
pub(super) struct Lowered {
    pub(super) insts: TryVec<Inst>,
    pub(super) sets: TryVec<Charset>,
    pub(super) info: Info,
}

/// What is open, and what has to be completed when it closes. Fields named after instructions are indexes.
#[derive(Clone, Copy)]
enum Kind {
    Top,
    /// One alternative of a branch. `jumps` chains the jumps to the common end through their targets;
    /// `target` is that end in the code, once the first alternative has told it.
    Alternative {
        branch: u32,
        jumps: u32,
        target: Option<usize>,
    },
    /// The part of a conditional that runs when the group matched.
    Yes {
        cond: u32,
    },
    /// The other part.
    No {
        jump: u32,
    },
    Repeat {
        inst: u32,
        min: u32,
        max: u32,
    },
    /// An assertion, an atomic group or a possessive repeat: closed by SUCCESS.
    Sub {
        inst: u32,
    },
}

#[derive(Clone, Copy)]
struct Region {
    /// Where in the code the contents end.
    end: usize,
    kind: Kind,
}

struct Lowering<'c> {
    code: &'c [u32],
    groups: u32,
    insts: TryVec<Inst>,
    sets: TryVec<Charset>,
    regions: TryVec<Region>,
    at: usize,
}

/// Lowers the code of a pattern with `groups` groups.
///
/// # Errors
/// `IllegalCode` where the code is not what the compiler emits, `NoMemory`.
pub(super) fn lower(code: &[u32], groups: usize) -> Result<Lowered, Error> {
    // Instruction indexes are 32-bit, and no code word makes more than two instructions.
    if code.len() >= (NOWHERE / 2) as usize {
        return Err(Error::IllegalCode);
    }
    let mut lowering = Lowering {
        code,
        groups: groups as u32,
        insts: TryVec::new(),
        sets: TryVec::new(),
        regions: TryVec::new(),
        at: 0,
    };
    let info = lowering.header()?;
    lowering.body()?;
    let Lowering { insts, sets, .. } = lowering;
    Ok(Lowered { insts, sets, info })
}

impl Lowering<'_> {
    fn word(&self, at: usize) -> Result<u32, Error> {
        self.code.get(at).copied().ok_or(Error::IllegalCode)
    }

    /// The innermost region; the outermost one stays open until the end.
    fn region(&self) -> Result<Region, Error> {
        self.regions.last().copied().ok_or(Error::IllegalCode)
    }

    /// The next operand of the operator at hand.
    fn operand(&mut self) -> Result<u32, Error> {
        if self.at >= self.region()?.end {
            return Err(Error::IllegalCode);
        }
        let word = self.word(self.at)?;
        self.at += 1;
        Ok(word)
    }

    /// A skip operand, as the place it leads to: relative to itself, and inside the region.
    fn skip(&mut self) -> Result<usize, Error> {
        let from = self.at;
        let skip = self.operand()? as usize;
        let to = from.checked_add(skip).ok_or(Error::IllegalCode)?;
        if to < self.at || to > self.region()?.end {
            return Err(Error::IllegalCode);
        }
        Ok(to)
    }

    fn emit(&mut self, inst: Inst) -> Result<u32, NoMemory> {
        let index = self.insts.len() as u32;
        self.insts.try_push(inst)?;
        Ok(index)
    }

    /// The index of the instruction that comes next.
    fn here(&self) -> u32 {
        self.insts.len() as u32
    }

    fn open(&mut self, end: usize, kind: Kind) -> Result<(), Error> {
        // The contents begin behind the operands and end inside the region around them.
        let fits = match self.regions.last() {
            Some(outer) => end <= outer.end,
            None => end < self.code.len(),
        };
        if end < self.at || !fits {
            return Err(Error::IllegalCode);
        }
        Ok(self.regions.try_push(Region { end, kind })?)
    }

    fn header(&mut self) -> Result<Info, Error> {
        let mut info = Info::default();
        if self.code.first() != Some(&op::INFO) {
            return Ok(info);
        }
        let end = 1 + self.word(1)? as usize;
        if end < 5 || end >= self.code.len() {
            return Err(Error::IllegalCode);
        }
        let flags = self.word(2)?;
        info.min_width = self.word(3)? as usize;
        match flags {
            0 => {
                if end != 5 {
                    return Err(Error::IllegalCode);
                }
            }
            op::INFO_CHARSET => info.charset = Some(self.set(5, end, Fold::None)?),
            _ if flags & !op::INFO_LITERAL == op::INFO_PREFIX => {
                let (len, skip) = (self.word(5)? as usize, self.word(6)? as usize);
                if len == 0 || skip > len || end - 5 < 2 || (end - 7) / 2 != len || !(end - 7).is_multiple_of(2) {
                    return Err(Error::IllegalCode);
                }
                // Each entry of the overlap table leads back, so a search makes progress.
                let overlap = &self.code[7 + len..end];
                if overlap.iter().enumerate().any(|(index, &back)| back as usize > index) {
                    return Err(Error::IllegalCode);
                }
                info.prefix = 7;
                info.prefix_len = len;
                info.prefix_skip = skip;
                info.literal = flags & op::INFO_LITERAL != 0;
            }
            _ => return Err(Error::IllegalCode),
        }
        self.at = end;
        Ok(info)
    }

    fn body(&mut self) -> Result<(), Error> {
        let end = self.code.len().checked_sub(1).ok_or(Error::IllegalCode)?;
        self.open(end, Kind::Top)?;
        loop {
            let region = self.region()?;
            if self.at != region.end {
                self.operator(region)?;
                continue;
            }
            if self.close(region)? {
                return Ok(());
            }
        }
    }

    /// Ends the innermost region; tells whether it was the outermost.
    fn close(&mut self, region: Region) -> Result<bool, Error> {
        let end = region.end;
        self.regions.pop();
        match region.kind {
            Kind::Top => {
                self.expect(end, op::SUCCESS)?;
                self.emit(Inst::Match)?;
                return Ok(true);
            }
            Kind::Yes { cond } => self.land(cond),
            Kind::No { jump } => self.land(jump),
            Kind::Sub { inst } => {
                self.expect(end, op::SUCCESS)?;
                self.emit(Inst::SubEnd)?;
                self.land(inst);
                self.at = end + 1;
            }
            Kind::Repeat { inst, min, max } => {
                let body = inst + 1;
                let until = match self.word(end)? {
                    op::MAX_UNTIL => Inst::MaxUntil { min, max, body },
                    op::MIN_UNTIL => Inst::MinUntil { min, max, body },
                    _ => return Err(Error::IllegalCode),
                };
                self.land(inst);
                self.emit(until)?;
                self.at = end + 1;
            }
            Kind::Alternative { branch, jumps, target } => {
                self.expect(end, op::JUMP)?;
                let to = (end + 1).checked_add(self.word(end + 1)? as usize).ok_or(Error::IllegalCode)?;
                if target.is_some_and(|target| target != to) {
                    return Err(Error::IllegalCode);
                }
                let mut jumps = self.emit(Inst::Jump(jumps))?;
                self.at = end + 2;
                if self.word(self.at)? != op::FAILURE {
                    self.land(branch);
                    self.alternative(jumps, Some(to))?;
                } else {
                    self.at += 1;
                    if to != self.at {
                        return Err(Error::IllegalCode);
                    }
                    while let Some(Inst::Jump(before)) = self.insts.get(jumps as usize).copied() {
                        self.land(jumps);
                        jumps = before;
                    }
                }
            }
        }
        // Closing constructs have a word behind their contents: it belongs to the region around them.
        if self.at > self.region()?.end {
            return Err(Error::IllegalCode);
        }
        Ok(false)
    }

    fn expect(&self, at: usize, operator: u32) -> Result<(), Error> {
        if self.word(at)? == operator { Ok(()) } else { Err(Error::IllegalCode) }
    }

    /// Completes an instruction's target: it is here.
    fn land(&mut self, inst: u32) {
        let here = self.here();
        // The last alternative has no branch instruction to complete.
        if let Some(
            Inst::Jump(target)
            | Inst::Branch { next: target, .. }
            | Inst::Repeat { until: target }
            | Inst::GroupRefExists { no: target, .. }
            | Inst::Assert { end: target, .. }
            | Inst::AssertNot { end: target, .. }
            | Inst::Atomic { end: target }
            | Inst::PossessiveRepeat { end: target, .. },
        ) = self.insts.get_mut(inst as usize)
        {
            *target = here;
        }
    }

    /// Opens the alternative whose skip operand is next.
    fn alternative(&mut self, jumps: u32, target: Option<usize>) -> Result<(), Error> {
        let next = self.skip()?;
        // The alternative ends with a jump; the word behind it is the next skip, or 0.
        let end = next.checked_sub(2).ok_or(Error::IllegalCode)?;
        if next >= self.region()?.end {
            return Err(Error::IllegalCode);
        }
        let branch = if self.word(next)? == op::FAILURE {
            NOWHERE
        } else {
            self.emit(Inst::Branch { next: NOWHERE, probe: NOWHERE })?
        };
        self.open(end, Kind::Alternative { branch, jumps, target })
    }

    fn set(&mut self, start: usize, end: usize, fold: Fold) -> Result<u32, Error> {
        let index = self.sets.len() as u32;
        self.sets.try_push(Charset::new(self.code, start, end, fold)?)?;
        Ok(index)
    }

    fn group(&mut self) -> Result<u32, Error> {
        let group = self.operand()?;
        if group < self.groups { Ok(group) } else { Err(Error::IllegalCode) }
    }

    /// Lowers one operator that consumes one unit, `None` when `operator` is not one.
    fn unit(&mut self, operator: u32) -> Result<Option<Inst>, Error> {
        let fold = match operator {
            op::IN_IGNORE | op::LITERAL_IGNORE | op::NOT_LITERAL_IGNORE => Fold::Ascii,
            op::IN_UNI_IGNORE | op::LITERAL_UNI_IGNORE | op::NOT_LITERAL_UNI_IGNORE => Fold::Unicode,
            op::IN_LOC_IGNORE | op::LITERAL_LOC_IGNORE | op::NOT_LITERAL_LOC_IGNORE => Fold::Locale,
            _ => Fold::None,
        };
        Ok(Some(match operator {
            op::ANY => Inst::Any,
            op::ANY_ALL => Inst::AnyAll,
            op::LITERAL => Inst::Literal(self.operand()?),
            op::NOT_LITERAL => Inst::NotLiteral(self.operand()?),
            op::LITERAL_IGNORE | op::LITERAL_UNI_IGNORE | op::LITERAL_LOC_IGNORE => {
                Inst::LiteralIgnore(fold, self.operand()?)
            }
            op::NOT_LITERAL_IGNORE | op::NOT_LITERAL_UNI_IGNORE | op::NOT_LITERAL_LOC_IGNORE => {
                Inst::NotLiteralIgnore(fold, self.operand()?)
            }
            op::CATEGORY => Inst::Category(Category::from_code(self.operand()?).ok_or(Error::IllegalCode)?),
            op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
                let end = self.skip()?;
                let set = self.set(self.at, end, fold)?;
                self.at = end;
                Inst::In(set)
            }
            _ => return Ok(None),
        }))
    }

    fn operator(&mut self, region: Region) -> Result<(), Error> {
        let operator = self.operand()?;
        if let Some(inst) = self.unit(operator)? {
            self.emit(inst)?;
            return Ok(());
        }
        match operator {
            op::FAILURE => {
                self.emit(Inst::Failure)?;
            }
            op::AT => {
                let at = At::from_code(self.operand()?).ok_or(Error::IllegalCode)?;
                self.emit(Inst::At(at))?;
            }
            op::MARK => {
                let mark = self.operand()?;
                if mark / 2 >= self.groups {
                    return Err(Error::IllegalCode);
                }
                self.emit(Inst::Mark(mark))?;
            }
            op::GROUPREF | op::GROUPREF_IGNORE | op::GROUPREF_UNI_IGNORE | op::GROUPREF_LOC_IGNORE => {
                let fold = match operator {
                    op::GROUPREF => Fold::None,
                    op::GROUPREF_IGNORE => Fold::Ascii,
                    op::GROUPREF_UNI_IGNORE => Fold::Unicode,
                    _ => Fold::Locale,
                };
                let group = self.group()?;
                self.emit(Inst::GroupRef(fold, group))?;
            }
            op::GROUPREF_EXISTS => {
                let from = self.at;
                let group = self.group()?;
                // This skip is relative to the operand before it.
                let end = from.checked_add(self.operand()? as usize).ok_or(Error::IllegalCode)?;
                let cond = self.emit(Inst::GroupRefExists { group, no: NOWHERE })?;
                self.open(end, Kind::Yes { cond })?;
            }
            op::JUMP => {
                // Only the end of a conditional's first part is left: alternatives look for theirs.
                let Kind::Yes { cond } = region.kind else {
                    return Err(Error::IllegalCode);
                };
                if self.at + 1 != region.end {
                    return Err(Error::IllegalCode);
                }
                let end = self.at.checked_add(self.operand()? as usize).ok_or(Error::IllegalCode)?;
                let jump = self.emit(Inst::Jump(NOWHERE))?;
                self.land(cond);
                self.regions.pop();
                self.open(end, Kind::No { jump })?;
            }
            op::BRANCH => {
                if self.word(self.at)? == op::FAILURE {
                    // No alternative at all.
                    self.operand()?;
                    self.emit(Inst::Failure)?;
                } else {
                    self.alternative(NOWHERE, None)?;
                }
            }
            op::REPEAT => {
                let end = self.skip()?;
                let (min, max) = self.bounds()?;
                let inst = self.emit(Inst::Repeat { until: NOWHERE })?;
                self.open(end, Kind::Repeat { inst, min, max })?;
            }
            op::POSSESSIVE_REPEAT => {
                let end = self.skip()?;
                let (min, max) = self.bounds()?;
                let inst = self.emit(Inst::PossessiveRepeat { min, max, end: NOWHERE })?;
                self.open(end, Kind::Sub { inst })?;
            }
            op::ASSERT | op::ASSERT_NOT | op::ATOMIC_GROUP => {
                let end = self.skip()?;
                let inst = if operator == op::ATOMIC_GROUP {
                    Inst::Atomic { end: NOWHERE }
                } else {
                    let back = self.operand()?;
                    match operator {
                        op::ASSERT => Inst::Assert { back, end: NOWHERE },
                        _ => Inst::AssertNot { back, end: NOWHERE },
                    }
                };
                let inst = self.emit(inst)?;
                // Here the skip includes the closing word.
                self.open(end.checked_sub(1).ok_or(Error::IllegalCode)?, Kind::Sub { inst })?;
            }
            op::REPEAT_ONE | op::MIN_REPEAT_ONE | op::POSSESSIVE_REPEAT_ONE => {
                let end = self.skip()?;
                let (min, max) = self.bounds()?;
                self.emit(match operator {
                    op::REPEAT_ONE => Inst::RepeatOne { min, max, probe: NOWHERE },
                    op::MIN_REPEAT_ONE => Inst::MinRepeatOne { min, max, probe: NOWHERE },
                    _ => Inst::PossessiveRepeatOne { min, max },
                })?;
                let item = self.operand()?;
                let item = match self.unit(item)? {
                    Some(inst) => inst,
                    None if item == op::FAILURE => Inst::Failure,
                    None => return Err(Error::IllegalCode),
                };
                self.emit(item)?;
                if self.operand()? != op::SUCCESS || self.at != end {
                    return Err(Error::IllegalCode);
                }
            }
            _ => return Err(Error::IllegalCode),
        }
        Ok(())
    }

    fn bounds(&mut self) -> Result<(u32, u32), Error> {
        let (min, max) = (self.operand()?, self.operand()?);
        if min <= max { Ok((min, max)) } else { Err(Error::IllegalCode) }
    }
}
