//! Text cores: what the built-in types say in words and digits, without knowing any Python object.
//!
//! Everything here reads text through [`Text`] (code points of any storage width) and writes through
//! [`TextSink`], which can run out of memory. The object layer supplies both: a string's units are a
//! [`Text`], a string under construction is a [`TextSink`].
//!
//! | file | concept |
//! |---|---|
//! | `chars` | predicates and simple case maps of single code points |
//! | `message` | error texts as values, written out only when somebody reads them |
//! | `float_repr` | `f64` to and from text, decimal and hexadecimal |
//! | `int_text` | digits of an integer literal, validated, with the underscores gone |
//! | `format_spec` | the format-spec mini-language |
//! | `format_number` | strings, integers, floats and complex numbers laid out by a format spec |
//! | `percent` | items of `%`-formatting |
//! | `format_string` | fields of `str.format` |
//! | `escape` | `repr` of strings and bytes |

pub mod chars;
pub mod escape;
pub mod float_repr;
pub mod format_number;
pub mod format_spec;
pub mod format_string;
pub mod int_text;
pub mod message;
pub mod percent;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use core::ops::Range;

use hognose_allocators::{NoMemory, collections::TryVec};

/// A sequence of code points, indexable in constant time.
///
/// Surrogates are allowed: a Python string is not a sequence of scalar values.
pub trait Text {
    /// The number of code points.
    fn len(&self) -> usize;
    /// The code point at `index`, which must be below [`Text::len`].
    fn at(&self, index: usize) -> u32;

    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! text_of_units {
    ($($unit:ty),*) => {$(
        impl Text for [$unit] {
            fn len(&self) -> usize {
                <[$unit]>::len(self)
            }
            fn at(&self, index: usize) -> u32 {
                u32::from(self[index])
            }
        }
    )*};
}
text_of_units!(u8, u16, u32);

impl<T: Text + ?Sized> Text for &T {
    fn len(&self) -> usize {
        T::len(self)
    }
    fn at(&self, index: usize) -> u32 {
        T::at(self, index)
    }
}

/// Where text is written to, code point by code point.
pub trait TextSink {
    /// Appends one code point.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    fn push(&mut self, ch: u32) -> Result<(), NoMemory>;

    /// Appends bytes that are ASCII.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    fn push_ascii(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        for &byte in bytes {
            self.push(u32::from(byte))?;
        }
        Ok(())
    }

    /// Appends `count` times `ch`: padding.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    fn push_fill(&mut self, ch: u32, count: usize) -> Result<(), NoMemory> {
        for _ in 0..count {
            self.push(ch)?;
        }
        Ok(())
    }

    /// Appends a part of another text.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    fn push_range<T: Text + ?Sized>(&mut self, text: &T, range: Range<usize>) -> Result<(), NoMemory>
    where
        Self: Sized,
    {
        for index in range {
            self.push(text.at(index))?;
        }
        Ok(())
    }
}

/// The plainest sink: a vector of code points.
impl TextSink for TryVec<u32> {
    fn push(&mut self, ch: u32) -> Result<(), NoMemory> {
        self.try_push(ch)
    }
}

/// A sink that only measures: with the length and the largest code point known, a compact string can be
/// allocated once at its final width and then be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// Code points written so far.
    pub len: usize,
    /// The largest of them.
    pub max_char: u32,
}

impl TextSink for Measure {
    fn push(&mut self, ch: u32) -> Result<(), NoMemory> {
        self.len += 1;
        self.max_char = self.max_char.max(ch);
        Ok(())
    }
    fn push_fill(&mut self, ch: u32, count: usize) -> Result<(), NoMemory> {
        if count > 0 {
            self.len = self.len.checked_add(count).ok_or(NoMemory)?;
            self.max_char = self.max_char.max(ch);
        }
        Ok(())
    }
}

/// Digits that the decimal and hexadecimal writers share.
pub(crate) fn digit_char(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

/// A small formatted piece of ASCII on the stack, for `core::fmt` to write into without a heap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
    /// Appends one byte. What does not fit is dropped: each user's `N` is the largest that can be written.
    pub(crate) fn push(&mut self, byte: u8) {
        debug_assert!(self.len < N, "a stack buffer is too small for its use");
        if self.len < N {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte);
        }
    }
}

impl<const N: usize> core::fmt::Write for Buffer<N> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        if text.len() > N - self.len {
            return Err(core::fmt::Error);
        }
        self.extend(text.as_bytes());
        Ok(())
    }
}
