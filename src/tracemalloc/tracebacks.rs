//! Where blocks were allocated: interned frames and tracebacks, each with a number.
//!
//! ```text
//!  frames of the thread ─► pc ─► cache ─► frame number ─┐
//!                                                       ▼
//!  words: … │ total « 16 │ count │ frame │ frame │ …     one run for each different traceback;
//!           ▲ its place is the traceback's number         most recent frame first
//! ```
//!
//! A frame is a file name and a line. The line is worked out once for each instruction that allocates:
//! afterwards the address of the instruction finds the frame's number in the cache (and, where one frame
//! is recorded, with the depth of the stack the traceback's). An address means the same instruction as long
//! as its code lives, so the end of any code object forgets the whole cache, by counting an epoch up.

use hashbrown::HashTable;
use hognose_allocators::watch::Unwatched;
use hognose_allocators::{NoMemory, TryVec};

use crate::object::Ref;
use crate::state::ThreadState;
use crate::types::str::PyStr;
use crate::vm::frame::Frame;
use crate::vm::opcode::op;

/// The most frames that are counted, and that can be recorded.
pub const MOST_FRAMES: usize = u16::MAX as usize;

const CACHE: usize = 4096;

#[derive(Clone, Copy)]
struct Cached {
    pc: usize,
    key: u64,
    epoch: u32,
    number: u32,
}

const NOTHING: Cached = Cached { pc: 0, key: 0, epoch: 0, number: 0 };

/// A file and a line; file 0 is "<unknown>".
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place {
    file: u32,
    /// The line; 0 when it is not known.
    pub line: u32,
}

/// The interned tracebacks of an interpreter.
pub struct Tracebacks {
    limit: usize,
    epoch: u32,
    cache: TryVec<Cached, Unwatched>,
    /// The file names, but for "<unknown>".
    files: TryVec<Ref<PyStr>, Unwatched>,
    file_index: HashTable<u32, Unwatched>,
    places: TryVec<Place, Unwatched>,
    place_index: HashTable<u32, Unwatched>,
    words: TryVec<u32, Unwatched>,
    index: HashTable<u32, Unwatched>,
    /// The frames of the traceback that is being looked up.
    scratch: TryVec<u32, Unwatched>,
}

/// The number of the traceback that says nothing.
pub const UNKNOWN: u32 = 1;

#[inline(always)]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15) * u128::from(b ^ 0xD6E8_FEB8_6659_FD93);
    (product >> 64) as u64 ^ product as u64
}

/// Whether a frame has come to its RESUME: before that it makes its cells, on its caller's account.
fn has_begun(frame: &Frame) -> bool {
    let units = frame.code().units();
    let end = usize::try_from(frame.unit_index() + 1).unwrap_or(0).min(units.len());
    units[..end].iter().any(|unit| matches!(unit.get() as u8, op::RESUME | op::RESUME_CHECK | op::INSTRUMENTED_RESUME))
}

fn place_hash(place: Place) -> u64 {
    mix(u64::from(place.file), u64::from(place.line))
}

fn run_hash(total: usize, frames: &[u32]) -> u64 {
    frames.iter().fold(total as u64, |hash, frame| mix(hash, u64::from(*frame)))
}

impl Tracebacks {
    /// Room for nothing but the unknown traceback; `limit` frames of each are recorded.
    pub fn new(limit: usize) -> Result<Tracebacks, NoMemory> {
        let mut new = Tracebacks {
            limit,
            epoch: 1,
            cache: TryVec::try_with_capacity_in(CACHE, Unwatched)?,
            files: TryVec::new_in(Unwatched),
            file_index: HashTable::new_in(Unwatched),
            places: TryVec::new_in(Unwatched),
            place_index: HashTable::new_in(Unwatched),
            words: TryVec::new_in(Unwatched),
            index: HashTable::new_in(Unwatched),
            scratch: TryVec::new_in(Unwatched),
        };
        for _ in 0..CACHE {
            new.cache.try_push(NOTHING)?;
        }
        // Number 0 is no traceback; number 1 is the unknown one.
        new.words.try_push(0)?;
        new.places.try_push(Place { file: 0, line: 0 })?;
        let unknown = new.intern(1, &[0])?;
        debug_assert_eq!(unknown, UNKNOWN);
        Ok(new)
    }

    /// Makes all of it as new, and returns what is to be dropped when nothing is borrowed.
    ///
    /// # Safety
    /// `this` is valid, and nothing else looks at it.
    pub unsafe fn reset(this: *mut Tracebacks) -> (Option<Tracebacks>, TryVec<Ref<PyStr>, Unwatched>) {
        // SAFETY: the caller's promise.
        let this = unsafe { &mut *this };
        if let Ok(fresh) = Tracebacks::new(this.limit) {
            return (Some(core::mem::replace(this, fresh)), TryVec::new_in(Unwatched));
        }
        // Without the memory for new tables the old ones are used again.
        let files = core::mem::replace(&mut this.files, TryVec::new_in(Unwatched));
        this.forget_instructions();
        this.file_index.clear();
        this.place_index.clear();
        this.places.clear();
        this.index.clear();
        this.words.clear();
        // There was room for all of this before.
        let again = this
            .words
            .try_push(0)
            .and_then(|()| this.places.try_push(Place { file: 0, line: 0 }))
            .and_then(|()| this.intern(1, &[0]));
        debug_assert_eq!(again, Ok(UNKNOWN));
        (None, files)
    }

    /// The bytes that all of it takes.
    pub fn memory(&self) -> usize {
        self.cache.capacity() * size_of::<Cached>()
            + self.files.capacity() * size_of::<Ref<PyStr>>()
            + self.places.capacity() * size_of::<Place>()
            + (self.words.capacity() + self.scratch.capacity()) * size_of::<u32>()
            + self.file_index.allocation_size()
            + self.place_index.allocation_size()
            + self.index.allocation_size()
    }

    /// Instructions seen so far may be gone.
    #[inline]
    pub fn forget_instructions(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.cache.as_mut_slice().fill(NOTHING);
            self.epoch = 1;
        }
    }

    /// The number of the thread's current traceback.
    #[inline(always)]
    pub fn current(&mut self, ts: &ThreadState) -> Result<u32, NoMemory> {
        // SAFETY: the thread's frames are alive as long as they are linked.
        let Some(frame) = (unsafe { ts.frame.get().as_ref() }) else { return Ok(UNKNOWN) };
        if self.limit != 1 {
            return self.walk(ts, frame);
        }
        let pc = frame.pc.addr();
        // The same instruction at another depth of the stack, or in a thread with another limit of
        // recursion, has another traceback: their total counts of frames differ.
        let key = (ts.id << 32) ^ u64::from(ts.recursion_remaining.get() as u32);
        let slot = (mix(pc as u64, key) >> 32) as usize % CACHE;
        let cached = &self.cache.as_slice()[slot];
        if cached.pc == pc && cached.key == key && cached.epoch == self.epoch {
            return Ok(cached.number);
        }
        let number = self.walk(ts, frame)?;
        self.cache.as_mut_slice()[slot] = Cached { pc, key, epoch: self.epoch, number };
        Ok(number)
    }

    /// Collects the frames and looks their traceback up.
    #[inline(never)]
    fn walk(&mut self, ts: &ThreadState, innermost: &Frame) -> Result<u32, NoMemory> {
        let mut scratch = core::mem::replace(&mut self.scratch, TryVec::new_in(Unwatched));
        scratch.clear();
        let result = self.collect(ts, innermost, &mut scratch);
        let result = result.and_then(|total| match total {
            0 => Ok(UNKNOWN),
            _ => self.intern(total, scratch.as_slice()),
        });
        self.scratch = scratch;
        result
    }

    fn collect(
        &mut self,
        ts: &ThreadState,
        innermost: &Frame,
        out: &mut TryVec<u32, Unwatched>,
    ) -> Result<usize, NoMemory> {
        let mut total = 0;
        let mut at = Some(innermost);
        while let Some(frame) = at {
            if total != 0 || has_begun(frame) {
                if out.len() < self.limit {
                    out.try_push(self.frame_number(ts, frame)?)?;
                }
                total += 1;
            }
            // SAFETY: as in `current`.
            at = unsafe { frame.previous.as_ref() };
        }
        Ok(total.min(MOST_FRAMES))
    }

    fn frame_number(&mut self, ts: &ThreadState, frame: &Frame) -> Result<u32, NoMemory> {
        let pc = frame.pc.addr();
        let slot = (mix(pc as u64, u64::MAX) >> 32) as usize % CACHE;
        let cached = &self.cache.as_slice()[slot];
        if cached.pc == pc && cached.key == u64::MAX && cached.epoch == self.epoch {
            return Ok(cached.number);
        }
        let file = self.file_number(ts, frame.code().filename())?;
        let line = frame.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
        let place = Place { file, line };
        let hash = place_hash(place);
        let places = self.places.as_slice();
        let number = match self.place_index.find(hash, |at| places[*at as usize] == place) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(places.len()).map_err(|_| NoMemory)?;
                let hash_of = |at: &u32| place_hash(places[*at as usize]);
                self.place_index.try_reserve(1, hash_of).map_err(|_| NoMemory)?;
                self.places.try_push(place)?;
                self.place_index.insert_unique(hash, number, |_| hash);
                number
            }
        };
        self.cache.as_mut_slice()[slot] = Cached { pc, key: u64::MAX, epoch: self.epoch, number };
        Ok(number)
    }

    fn file_number(&mut self, _: &ThreadState, name: &PyStr) -> Result<u32, NoMemory> {
        let hash_of = |name: &PyStr| mix(name.hash_value() as u64, 0);
        let files = self.files.as_slice();
        let hash = hash_of(name);
        if let Some(number) = self.file_index.find(hash, |at| files[*at as usize - 1].equals(name)) {
            return Ok(*number);
        }
        let number = u32::try_from(files.len() + 1).map_err(|_| NoMemory)?;
        self.file_index.try_reserve(1, |at| hash_of(&files[*at as usize - 1])).map_err(|_| NoMemory)?;
        self.files.try_push(Ref::from_borrowed(name))?;
        self.file_index.insert_unique(hash, number, |_| hash);
        Ok(number)
    }

    /// The number of the traceback of these frames.
    fn intern(&mut self, total: usize, frames: &[u32]) -> Result<u32, NoMemory> {
        let hash = run_hash(total, frames);
        let words = self.words.as_slice();
        let run = |at: u32| {
            let at = at as usize;
            let count = words[at] as usize & MOST_FRAMES;
            (words[at] as usize >> 16, &words[at + 1..at + 1 + count])
        };
        if let Some(number) = self.index.find(hash, |at| run(*at) == (total, frames)) {
            return Ok(*number);
        }
        let number = u32::try_from(words.len()).map_err(|_| NoMemory)?;
        self.index
            .try_reserve(1, |at| {
                let (total, frames) = run(*at);
                run_hash(total, frames)
            })
            .map_err(|_| NoMemory)?;
        self.words.try_reserve(frames.len() + 1)?;
        self.words.try_push((total << 16 | frames.len()) as u32)?;
        self.words.try_extend_from_slice(frames)?;
        self.index.insert_unique(hash, number, |_| hash);
        Ok(number)
    }

    /// A traceback's count of frames, those that were not recorded included.
    pub fn total(&self, number: u32) -> usize {
        self.words.as_slice()[number as usize] as usize >> 16
    }

    /// A traceback's frames, the most recent first.
    pub fn frames(&self, number: u32) -> &[u32] {
        let words = self.words.as_slice();
        let at = number as usize;
        &words[at + 1..at + 1 + (words[at] as usize & MOST_FRAMES)]
    }

    /// A frame's file (none: unknown) and line.
    pub fn place(&self, frame: u32) -> (Option<&Ref<PyStr>>, u32) {
        let place = self.places.as_slice()[frame as usize];
        (place.file.checked_sub(1).map(|file| &self.files.as_slice()[file as usize]), place.line)
    }
}
