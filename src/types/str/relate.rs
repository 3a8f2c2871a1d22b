//! What two strings are to each other: equality, order, hashes; and reading one as text.

use core::cmp::Ordering;
use core::fmt::{self, Write as _};
use core::sync::atomic::Ordering as Atomic;

use super::layout::{PyStr, StrData};
use super::units::{Unit, with_units};
use crate::object::{Native, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::hash::hash_bytes;

impl PyStr {
    /// Whether both have the same characters.
    #[inline]
    pub fn equals(&self, other: &PyStr) -> bool {
        // I1: equal strings have equal widths, so their bytes decide.
        core::ptr::eq(self, other)
            || self.len() == other.len() && self.width() == other.width() && self.data_bytes() == other.data_bytes()
    }

    /// Whether the string has the characters of a Rust text.
    #[inline]
    pub fn equals_str(&self, other: &str) -> bool {
        match self.data() {
            StrData::Ascii(units) => units == other.as_bytes(),
            _ if other.len() < self.len() => false,
            _ => self.chars().eq(other.chars().map(u32::from)),
        }
    }

    /// The order by code points.
    pub fn compare(a: &PyStr, b: &PyStr) -> Ordering {
        fn mixed<A: Unit, B: Unit>(a: &[A], b: &[B]) -> Ordering {
            a.iter().map(|unit| (*unit).into()).cmp(b.iter().map(|unit| (*unit).into()))
        }
        if core::ptr::eq(a, b) {
            return Ordering::Equal;
        }
        if a.width() == 1 && b.width() == 1 {
            return a.data_bytes().cmp(b.data_bytes());
        }
        with_units!(a.data(), |a| with_units!(b.data(), |b| mixed(a, b)))
    }

    /// The hash; computed once.
    #[inline]
    pub fn hash_value(&self) -> isize {
        match self.hash.load(Atomic::Relaxed) {
            -1 => self.compute_hash(),
            hash => hash,
        }
    }

    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.hash.store(-1, Atomic::Relaxed);
    }

    fn compute_hash(&self) -> isize {
        let hash = hash_bytes(self.data_bytes());
        self.hash.store(hash, Atomic::Relaxed);
        hash
    }

    /// The text in UTF-8, kept with the string.
    ///
    /// Raises UnicodeEncodeError when there are surrogates.
    #[inline]
    pub fn utf8(&self, ts: &ThreadState) -> PyResult<&str> {
        match self.ascii_str() {
            Some(text) => Ok(text),
            None => self.utf8_cached(ts),
        }
    }

    fn utf8_cached(&self, ts: &ThreadState) -> PyResult<&str> {
        let this = self.as_compact();
        if this.utf8.get().is_null() {
            self.make_utf8(ts)?;
        }
        // SAFETY: the buffer has that many bytes of UTF-8, and lives as long as the string.
        unsafe {
            let bytes = core::slice::from_raw_parts(this.utf8.get(), this.utf8_length.get() as usize);
            Ok(core::str::from_utf8_unchecked(bytes))
        }
    }

    #[cold]
    fn make_utf8(&self, ts: &ThreadState) -> PyResult<()> {
        let mut size = 0;
        for (index, ch) in self.chars().enumerate() {
            match char::from_u32(ch) {
                Some(ch) => size += ch.len_utf8(),
                None => return Err(super::codec::surrogates_not_allowed(ts, self, index)),
            }
        }
        let memory = ts.heap().mem_alloc(size + 1);
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        // SAFETY: the block is ours, and is filled to its last byte before anyone reads it.
        unsafe { core::ptr::write_bytes(memory, 0, size + 1) };
        // SAFETY: as above.
        let buffer = unsafe { core::slice::from_raw_parts_mut(memory, size) };
        let mut at = 0;
        for ch in self.chars().filter_map(char::from_u32) {
            at += ch.encode_utf8(&mut buffer[at..]).len();
        }
        self.as_compact().utf8_length.set(size as isize);
        self.as_compact().utf8.set(memory);
        Ok(())
    }

    /// The text in UTF-8, NUL-terminated, with its length (`PyUnicode_AsUTF8AndSize`).
    pub fn utf8_with_nul(&self, ts: &ThreadState) -> PyResult<(*const core::ffi::c_char, usize)> {
        // Both the units and the kept copy are followed by a zero.
        self.utf8(ts).map(|text| (text.as_ptr().cast(), text.len()))
    }

    /// Whether there is a zero character in it, which C cannot take.
    pub fn contains_nul(&self) -> bool {
        with_units!(self.data(), |units| units.contains(&Unit::truncate(0)))
    }
}

impl fmt::Display for PyStr {
    /// Writes the text, surrogates as U+FFFD.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.ascii_str() {
            return f.write_str(text);
        }
        for ch in self.chars() {
            f.write_char(char::from_u32(ch).unwrap_or(char::REPLACEMENT_CHARACTER))?;
        }
        Ok(())
    }
}

impl<T: Native + fmt::Display> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl fmt::Debug for PyStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<str '{self}'>")
    }
}
