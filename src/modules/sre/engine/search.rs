//! Matching at one position, and looking for the first position that matches.

use super::opcode::At;
use super::program::{Info, Inst, NOWHERE, Program};
use super::unit::{Unit, find};
use super::{Error, State};

impl<U: Unit> State<'_, U> {
    fn reset(&mut self) {
        self.last_mark = 0;
        self.last_index = 0;
    }

    /// One attempt at `place`, beginning with instruction `entry` at `ptr`.
    #[inline]
    fn attempt(&mut self, program: &Program, place: usize, entry: usize, ptr: usize) -> Result<bool, Error> {
        self.step()?;
        self.reset();
        self.start = place;
        match self.run(program, entry, ptr)? {
            Some(end) => {
                self.ptr = end;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Matches at the start position only: `match`, or `fullmatch` when the request says so.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Interrupted`].
    pub fn match_at(&mut self, program: &Program) -> Result<bool, Error> {
        self.reset();
        if self.start > self.text.len() {
            return Ok(false);
        }
        self.attempt(program, self.start, 0, self.start)
    }

    /// Looks for the first match at the start position or after it.
    ///
    /// When there is none the start position is spent: create a new state to search again.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Interrupted`].
    pub fn search(&mut self, program: &Program) -> Result<bool, Error> {
        self.reset();
        let info = program.info;
        let start = self.start;
        if start > self.text.len() || self.text.len() - start < info.min_width {
            return Ok(false);
        }
        if info.prefix_len > 0 {
            return if info.prefix_len == 1 {
                self.search_literal(program, info, start)
            } else {
                self.search_prefix(program, info, start)
            };
        }
        if let Some(set) = info.charset {
            let set = program.sets[set as usize];
            return self.search_where(program, start, |ch| set.contains(&program.code, ch));
        }
        if program.first != NOWHERE {
            let first = program.insts[program.first as usize];
            if !matches!(program.insts[0], Inst::At(At::Beginning)) {
                return self.search_where(program, start, |ch| program.accepts(first, ch));
            }
        }
        self.search_everywhere(program, info, start)
    }

    /// The pattern begins with a known unit.
    fn search_literal(&mut self, program: &Program, info: Info, start: usize) -> Result<bool, Error> {
        let Some(wanted) = U::from_code(program.code[info.prefix]) else {
            return Ok(false);
        };
        let text = self.text;
        let mut place = start;
        loop {
            place += find(&text[place..], wanted);
            if place >= text.len() {
                return Ok(false);
            }
            if self.found_prefix(program, info, place)? {
                return Ok(true);
            }
            place += 1;
        }
    }

    /// The pattern begins with a known literal of some length. The overlap table says how much of it has
    /// been seen already where a comparison fails, so no unit is looked at twice.
    fn search_prefix(&mut self, program: &Program, info: Info, start: usize) -> Result<bool, Error> {
        let len = info.prefix_len;
        let prefix = &program.code[info.prefix..info.prefix + len];
        let overlap = &program.code[info.prefix + len..info.prefix + 2 * len];
        let Some(first) = U::from_code(prefix[0]) else {
            return Ok(false);
        };
        let text = self.text;
        let mut ptr = start;
        // How many units of the prefix stand directly before `ptr`.
        let mut seen = 0;
        while ptr < text.len() {
            if seen == 0 {
                ptr += find(&text[ptr..], first);
                if ptr >= text.len() {
                    break;
                }
            } else if text[ptr].code() != prefix[seen] {
                seen = overlap[seen - 1] as usize;
                continue;
            }
            ptr += 1;
            seen += 1;
            if seen == len {
                if self.found_prefix(program, info, ptr - len)? {
                    return Ok(true);
                }
                seen = overlap[len - 1] as usize;
            }
        }
        Ok(false)
    }

    fn found_prefix(&mut self, program: &Program, info: Info, place: usize) -> Result<bool, Error> {
        if info.literal {
            self.reset();
            self.start = place;
            self.ptr = place + info.prefix_len;
            return Ok(true);
        }
        self.attempt(program, place, info.prefix_skip, place + info.prefix_skip)
    }

    /// The pattern begins with a unit that `accept` knows.
    #[inline(always)]
    fn search_where(&mut self, program: &Program, start: usize, accept: impl Fn(u32) -> bool) -> Result<bool, Error> {
        let text = self.text;
        let mut place = start;
        loop {
            match text[place..].iter().position(|unit| accept(unit.code())) {
                Some(offset) => place += offset,
                None => return Ok(false),
            }
            if self.attempt(program, place, 0, place)? {
                return Ok(true);
            }
            place += 1;
        }
    }

    fn search_everywhere(&mut self, program: &Program, info: Info, start: usize) -> Result<bool, Error> {
        // Behind this place not enough is left; at least one attempt is made.
        let last = (self.text.len() - info.min_width).max(start);
        let only_here = matches!(program.insts[0], Inst::At(At::Beginning));
        let mut place = start;
        loop {
            if self.attempt(program, place, 0, place)? {
                return Ok(true);
            }
            if only_here || place >= last {
                return Ok(false);
            }
            place += 1;
        }
    }
}
