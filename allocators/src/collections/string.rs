//! A string whose growth can fail.

use core::fmt;
use core::ops::Deref;

use super::TryVec;
use crate::domain::NoMemory;
use crate::handle::{Handle, Mem};

/// Growable UTF-8 text in a domain, by default mem.
///
/// It implements [`core::fmt::Write`]; there, running out of memory is a `fmt::Error`. [`try_format!`]
/// tells the two kinds of failure apart.
///
/// [`try_format!`]: crate::try_format
pub struct TryString<A: Handle = Mem> {
    bytes: TryVec<u8, A>,
}

impl TryString<Mem> {
    /// An empty string in the mem domain. Takes no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self::new_in(Mem)
    }

    /// A copy of a text in the mem domain.
    pub fn try_from_str(text: &str) -> Result<Self, NoMemory> {
        Self::try_from_str_in(text, Mem)
    }

    /// What `try_format!` calls. A formatter that fails by itself ends the text where it is.
    pub fn try_from_fmt(arguments: fmt::Arguments<'_>) -> Result<Self, NoMemory> {
        let mut string = Self::new();
        string.try_push_fmt(arguments)?;
        Ok(string)
    }
}

impl<A: Handle> TryString<A> {
    /// An empty string in the handle's domain. Takes no memory.
    #[must_use]
    pub const fn new_in(handle: A) -> Self {
        Self { bytes: TryVec::new_in(handle) }
    }

    /// A copy of a text in the handle's domain.
    pub fn try_from_str_in(text: &str, handle: A) -> Result<Self, NoMemory> {
        let mut string = Self { bytes: TryVec::try_with_capacity_in(text.len(), handle)? };
        string.try_push_str(text)?;
        Ok(string)
    }

    /// The string of UTF-8 bytes; gives them back if they are not UTF-8.
    pub fn from_utf8(bytes: TryVec<u8, A>) -> Result<Self, TryVec<u8, A>> {
        if core::str::from_utf8(&bytes).is_ok() { Ok(Self { bytes }) } else { Err(bytes) }
    }

    /// Makes room for `additional` more bytes.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), NoMemory> {
        self.bytes.try_reserve(additional)
    }

    /// Adds a text.
    pub fn try_push_str(&mut self, text: &str) -> Result<(), NoMemory> {
        self.bytes.try_extend_from_copy(text.as_bytes())
    }

    /// Adds a character.
    pub fn try_push(&mut self, character: char) -> Result<(), NoMemory> {
        self.try_push_str(character.encode_utf8(&mut [0; 4]))
    }

    /// Adds formatted text. A formatter that fails by itself ends the text where it is.
    pub fn try_push_fmt(&mut self, arguments: fmt::Arguments<'_>) -> Result<(), NoMemory> {
        struct Adapter<'a, A: Handle>(&'a mut TryString<A>, Result<(), NoMemory>);
        impl<A: Handle> fmt::Write for Adapter<'_, A> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.1 = self.0.try_push_str(text);
                self.1.map_err(|_| fmt::Error)
            }
        }
        let mut adapter = Adapter(self, Ok(()));
        // Whether memory ran out is in the adapter; any other failure is the formatter's own.
        let _ = fmt::write(&mut adapter, arguments);
        adapter.1
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: only UTF-8 is ever put in, and cut at the ends of characters.
        unsafe { core::str::from_utf8_unchecked(&self.bytes) }
    }

    /// Drops the text; the room is kept.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Drops the bytes from `len` on.
    ///
    /// # Panics
    /// If that would cut a character in two.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            assert!(self.is_char_boundary(len), "the cut lies between characters");
            self.bytes.truncate(len);
        }
    }

    /// Takes the last character away.
    pub fn pop(&mut self) -> Option<char> {
        let last = self.chars().next_back()?;
        self.bytes.truncate(self.len() - last.len_utf8());
        Some(last)
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> TryVec<u8, A> {
        self.bytes
    }

    /// A copy.
    pub fn try_clone(&self) -> Result<Self, NoMemory> {
        Self::try_from_str_in(self, A::HANDLE)
    }
}

impl<A: Handle> Default for TryString<A> {
    fn default() -> Self {
        Self::new_in(A::HANDLE)
    }
}

impl<A: Handle> Deref for TryString<A> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<A: Handle> AsRef<str> for TryString<A> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<A: Handle> core::borrow::Borrow<str> for TryString<A> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<A: Handle> fmt::Write for TryString<A> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_push_str(text).map_err(|_| fmt::Error)
    }
}

impl<A: Handle> fmt::Display for TryString<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<A: Handle> fmt::Debug for TryString<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<A: Handle> PartialEq for TryString<A> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<A: Handle> PartialEq<str> for TryString<A> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<A: Handle> PartialEq<&str> for TryString<A> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<A: Handle> Eq for TryString<A> {}

impl<A: Handle> PartialOrd for TryString<A> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<A: Handle> Ord for TryString<A> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<A: Handle> core::hash::Hash for TryString<A> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
