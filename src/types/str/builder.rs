//! A string under construction: grows, and widens when a wide character comes.

use core::fmt;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use super::layout::{Kind, PyStr, StrData};
use super::units::Unit;
use crate::object::{PyObject, PyResult, Ref};
use crate::state::ThreadState;

enum Buffer {
    One(TryVec<u8>),
    Two(TryVec<u16>),
    Four(TryVec<u32>),
}

/// Collects characters and makes a string of them.
pub struct StrBuilder {
    buffer: Buffer,
    /// All characters are below 128.
    ascii: bool,
}

impl Default for StrBuilder {
    fn default() -> StrBuilder {
        StrBuilder::new()
    }
}

fn widen<F: Unit, T: Unit>(from: &TryVec<F>, more: usize) -> Result<TryVec<T>, NoMemory> {
    let mut wide = TryVec::new();
    wide.try_reserve(from.len() + more)?;
    for unit in from.iter() {
        wide.try_push(T::truncate((*unit).into()))?;
    }
    Ok(wide)
}

impl StrBuilder {
    /// An empty one.
    pub const fn new() -> StrBuilder {
        StrBuilder { buffer: Buffer::One(TryVec::new()), ascii: true }
    }

    /// An empty one with room for `count` one-byte characters.
    pub fn with_capacity(count: usize) -> Result<StrBuilder, NoMemory> {
        let mut units = TryVec::new();
        units.try_reserve(count)?;
        Ok(StrBuilder { buffer: Buffer::One(units), ascii: true })
    }

    /// How many characters there are.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.buffer {
            Buffer::One(units) => units.len(),
            Buffer::Two(units) => units.len(),
            Buffer::Four(units) => units.len(),
        }
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for `count` more characters of the present width.
    pub fn reserve(&mut self, count: usize) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::One(units) => units.try_reserve(count),
            Buffer::Two(units) => units.try_reserve(count),
            Buffer::Four(units) => units.try_reserve(count),
        }
    }

    /// Appends a character.
    #[inline]
    pub fn push_char(&mut self, ch: u32) -> Result<(), NoMemory> {
        match &mut self.buffer {
            Buffer::One(units) if ch < 0x100 => {
                self.ascii &= ch < 0x80;
                units.try_push(ch as u8)
            }
            Buffer::Two(units) if ch < 0x1_0000 => units.try_push(ch as u16),
            Buffer::Four(units) => units.try_push(ch),
            _ => self.push_wider(ch),
        }
    }

    #[cold]
    fn push_wider(&mut self, ch: u32) -> Result<(), NoMemory> {
        self.widen_for(Kind::of(ch), 1)?;
        self.push_char(ch)
    }

    /// Makes the buffer wide enough for characters of `kind`, `more` of which are to come.
    fn widen_for(&mut self, kind: Kind, more: usize) -> Result<(), NoMemory> {
        self.ascii &= kind == Kind::Ascii;
        let wide = match (&self.buffer, kind.width()) {
            (Buffer::One(units), 2) => Buffer::Two(widen(units, more)?),
            (Buffer::One(units), 4) => Buffer::Four(widen(units, more)?),
            (Buffer::Two(units), 4) => Buffer::Four(widen(units, more)?),
            _ => return Ok(()),
        };
        self.buffer = wide;
        Ok(())
    }

    /// Appends a character `count` times.
    pub fn push_fill(&mut self, ch: u32, count: usize) -> Result<(), NoMemory> {
        if count == 0 {
            return Ok(());
        }
        self.widen_for(Kind::of(ch), count)?;
        self.reserve(count)?;
        for _ in 0..count {
            self.push_char(ch)?;
        }
        Ok(())
    }

    /// Appends ASCII bytes, which the caller has checked to be that.
    #[inline]
    pub fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        debug_assert!(bytes.is_ascii());
        self.push_units(bytes)
    }

    /// Appends units that fit the buffer's present width, or fewer.
    fn push_units<U: Unit>(&mut self, units: &[U]) -> Result<(), NoMemory> {
        fn append<T: Unit, U: Unit>(to: &mut TryVec<T>, units: &[U]) -> Result<(), NoMemory> {
            to.try_reserve(units.len())?;
            for unit in units {
                to.try_push(T::truncate((*unit).into()))?;
            }
            Ok(())
        }
        match &mut self.buffer {
            Buffer::One(to) if U::WIDTH == 1 => {
                // SAFETY: units of one byte are bytes.
                let bytes = unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u8>(), units.len()) };
                to.try_extend_from_slice(bytes)
            }
            Buffer::One(to) => append(to, units),
            Buffer::Two(to) => append(to, units),
            Buffer::Four(to) => append(to, units),
        }
    }

    /// Appends a Rust text.
    pub fn push_str(&mut self, text: &str) -> Result<(), NoMemory> {
        if text.is_ascii() {
            return self.push_ascii(text.as_bytes());
        }
        for ch in text.chars() {
            self.push_char(u32::from(ch))?;
        }
        Ok(())
    }

    /// Appends a string.
    #[inline]
    pub fn push(&mut self, text: &PyStr) -> Result<(), NoMemory> {
        self.push_slice(text, 0, text.len())
    }

    /// Appends a part of a string. Panics when it is not in the string.
    pub fn push_slice(&mut self, text: &PyStr, start: usize, end: usize) -> Result<(), NoMemory> {
        match text.data() {
            StrData::Ascii(units) => self.push_units(&units[start..end]),
            StrData::Latin1(units) => self.push_measured(&units[start..end]),
            StrData::Ucs2(units) => self.push_measured(&units[start..end]),
            StrData::Ucs4(units) => self.push_measured(&units[start..end]),
        }
    }

    fn push_measured<U: Unit>(&mut self, units: &[U]) -> Result<(), NoMemory> {
        self.widen_for(Kind::of(U::bits(units)), units.len())?;
        self.push_units(units)
    }

    /// Appends `repr(object)`.
    pub fn push_repr(&mut self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
        let text = crate::object::protocol::repr(ts, object)?;
        Ok(self.push(&text)?)
    }

    /// Appends `str(object)`.
    pub fn push_object(&mut self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
        let text = super::str_of(ts, object)?;
        Ok(self.push(&text)?)
    }

    /// The string.
    pub fn finish(self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        match &self.buffer {
            Buffer::One(units) if self.ascii => PyStr::from_ascii(ts, units),
            Buffer::One(units) => PyStr::from_units(ts, &units[..]),
            Buffer::Two(units) => PyStr::from_units(ts, &units[..]),
            Buffer::Four(units) => PyStr::from_units(ts, &units[..]),
        }
    }
}

impl fmt::Write for StrBuilder {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|NoMemory| fmt::Error)
    }
    fn write_char(&mut self, ch: char) -> fmt::Result {
        self.push_char(u32::from(ch)).map_err(|NoMemory| fmt::Error)
    }
}

impl crate::text::TextSink for StrBuilder {
    fn push(&mut self, ch: u32) -> Result<(), NoMemory> {
        self.push_char(ch)
    }
    fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        StrBuilder::push_ascii(self, bytes)
    }
    fn push_fill(&mut self, ch: u32, count: usize) -> Result<(), NoMemory> {
        StrBuilder::push_fill(self, ch, count)
    }
}

impl crate::text::Text for PyStr {
    fn len(&self) -> usize {
        PyStr::len(self)
    }
    #[inline]
    fn at(&self, index: usize) -> u32 {
        self.char_at(index)
    }
}
