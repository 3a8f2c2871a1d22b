//! The regular-expression engine: runs the code that `re._compiler` emits, on text of any unit width.
//!
//! It knows nothing about Python objects. The pure-Python half of `re` parses and compiles a pattern to an
//! array of 32-bit words; here that array becomes a [`Program`] once, and a [`State`] runs it over a text.
//!
//! ```text
//!   code words ── lower ──► Program { instructions, charsets, info }
//!                                │
//!        Request { text, pos… }  ▼
//!                └────────────► State ── search / match_at ──► group spans
//! ```
//!
//! Invariants:
//! - I1: a [`Program`] exists only for code that was wholly understood. Each jump lands on an instruction,
//!   each group and set index exists, regions nest. So code from an untrusted source can make a program
//!   that matches nonsense, but not one that reads outside its text or tables.
//! - I2: matching never recurses. What may still be tried lies on the choice stack, what must be undone on
//!   the trail, both from a memory domain; running out is an error, not an abort.
//! - I3: a mark set since a choice was pushed is restored when that choice is taken up. Cutting choices away
//!   (atomic groups, assertions) keeps the trail, so older choices still restore it.
//! - I4: every loop that can run long counts steps and asks the interrupt from time to time.

mod charset;
mod lower;
mod opcode;
mod program;
mod run;
mod search;
mod unit;

#[cfg(test)]
mod tests;

use hognose_allocators::{NoMemory, collections::TryVec};

pub use charset::{ascii_is_cased, ascii_lower, unicode_is_cased, unicode_lower};
pub use opcode::{CODE_SIZE, MAGIC, MAX_GROUPS, MAX_REPEAT};
pub use program::Program;
pub use unit::Unit;

use run::{Choice, Rep, Trail};

/// Why a match could not be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The choice stack or the trail could not grow.
    NoMemory,
    /// The request's interrupt asked to stop.
    Interrupted,
    /// The code array is not what `re._compiler` emits.
    IllegalCode,
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Error::NoMemory
    }
}

/// What to match against: the arguments of `Pattern.match(string, pos, endpos)` and its siblings.
#[derive(Clone, Copy)]
pub struct Request<'a, U> {
    /// The whole text: look-behind sees what lies before `start`.
    pub text: &'a [U],
    /// The first position to try, in units. Clamped to the text.
    pub start: usize,
    /// The position at which the text is taken to end. Clamped to the text.
    pub end: usize,
    /// Whether an empty match at `start` does not count (the match before it ended there).
    pub must_advance: bool,
    /// Whether the match has to reach `end` (`fullmatch`).
    pub match_all: bool,
    /// Asked every few thousand steps; `true` ends the match with [`Error::Interrupted`].
    pub interrupt: Option<&'a dyn Fn() -> bool>,
}

impl<'a, U: Unit> Request<'a, U> {
    /// The request for the whole of `text`.
    pub fn new(text: &'a [U]) -> Self {
        Self { text, start: 0, end: text.len(), must_advance: false, match_all: false, interrupt: None }
    }
}

/// The working memory of a [`State`], which may serve one match after another without being allocated anew.
#[derive(Default)]
pub struct Workspace {
    marks: TryVec<usize>,
    choices: TryVec<Choice>,
    trail: TryVec<Trail>,
    reps: TryVec<Rep>,
}

impl Workspace {
    /// The working memory, unless it has grown to more than is worth keeping.
    pub fn if_small(self) -> Self {
        const WORTH_KEEPING: usize = 256;
        let entries = self.choices.capacity() + self.trail.capacity() + self.reps.capacity();
        if entries > WORTH_KEEPING { Self::default() } else { self }
    }
}

/// "Not set", for marks and other positions.
pub(crate) const UNSET: usize = usize::MAX;

/// A text under examination: the outcome of the last match, and the working memory for the next one.
pub struct State<'a, U> {
    /// The text up to the request's end.
    text: &'a [U],
    interrupt: Option<&'a dyn Fn() -> bool>,
    match_all: bool,
    /// Where a match must not end: where it begins, when it has to advance. [`UNSET`] when it need not.
    barred: usize,
    /// Where the match starts, or where the next search begins.
    start: usize,
    /// Where the match ends.
    ptr: usize,
    /// Mark `2 * g` is the start of group `g + 1`, the next one its end. Valid below `last_mark`.
    marks: TryVec<usize>,
    last_mark: usize,
    last_index: u32,
    choices: TryVec<Choice>,
    trail: TryVec<Trail>,
    reps: TryVec<Rep>,
    steps: u64,
}

impl<'a, U: Unit> State<'a, U> {
    /// Prepares to match `program` as `request` says.
    ///
    /// # Errors
    /// [`Error::NoMemory`] when there is no room for the marks.
    pub fn new(program: &Program, request: Request<'a, U>) -> Result<Self, Error> {
        Self::with_workspace(program, request, Workspace::default())
    }

    /// As [`State::new`], in working memory that is there already.
    ///
    /// # Errors
    /// [`Error::NoMemory`] when there is no room for the marks.
    pub fn with_workspace(program: &Program, request: Request<'a, U>, workspace: Workspace) -> Result<Self, Error> {
        let end = request.end.min(request.text.len());
        let Workspace { mut marks, choices, trail, reps } = workspace;
        marks.clear();
        marks.try_reserve(2 * program.groups())?;
        for _ in 0..2 * program.groups() {
            marks.try_push(UNSET)?;
        }
        let start = request.start.min(request.text.len());
        Ok(Self {
            text: &request.text[..end],
            interrupt: request.interrupt,
            match_all: request.match_all,
            barred: if request.must_advance { start } else { UNSET },
            start,
            ptr: 0,
            marks,
            last_mark: 0,
            last_index: 0,
            choices,
            trail,
            reps,
            steps: 0,
        })
    }

    /// The working memory, for the next state; what was found is gone.
    pub fn into_workspace(self) -> Workspace {
        Workspace { marks: self.marks, choices: self.choices, trail: self.trail, reps: self.reps }
    }

    /// Where the match starts; before a match, where the next one is looked for.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the match ends.
    pub fn end(&self) -> usize {
        self.ptr
    }

    /// The span of a group, `None` when it did not take part. Group 0 is the whole match.
    pub fn group(&self, index: usize) -> Option<(usize, usize)> {
        if index == 0 {
            return Some((self.start, self.ptr));
        }
        let first = (index - 1) * 2;
        if first + 1 >= self.last_mark {
            return None;
        }
        let span = (self.marks[first], self.marks[first + 1]);
        (span.0 != UNSET && span.1 != UNSET && span.0 <= span.1).then_some(span)
    }

    /// `Match.lastindex`: the group that was closed last.
    pub fn last_index(&self) -> Option<usize> {
        (self.last_index != 0).then_some(self.last_index as usize)
    }

    /// Goes on from the end of the match that was found: the next one starts there, and is not empty there
    /// when this one was empty.
    pub fn advance(&mut self) {
        self.barred = if self.ptr == self.start { self.ptr } else { UNSET };
        self.start = self.ptr;
    }

    /// Steps made so far, as counted for the interrupt.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}
