//! Strings that are there before any interpreter, and outlive all of them.

use core::cell::Cell;
use core::ops::Deref;
use core::sync::atomic::{AtomicIsize, Ordering};

use super::layout::{CompactStr, Kind, PyStr, state};
use crate::object::{PyObject, Ref};

/// An immortal ASCII string of `N` characters in a static; `id!` names the ones of the runtime.
#[repr(C)]
pub struct StaticStr<const N: usize> {
    head: PyStr,
    data: [u8; N],
    nul: u8,
}

// SAFETY: as for `PyStr`.
unsafe impl<const N: usize> Sync for StaticStr<N> {}

const fn head(len: usize, kind: Kind) -> PyStr {
    PyStr {
        ob_base: PyObject::immortal(core::ptr::from_ref(&super::STR_TYPE).cast()),
        length: Cell::new(len as isize),
        hash: AtomicIsize::new(-1),
        state: Cell::new(kind.state() | state::COMPACT | state::STATIC | state::INTERNED_STATIC),
    }
}

impl PyStr {
    /// Makes a string what a static one is: nobody writes to it any more. It is in a table for all interpreters when it
    /// was in one's.
    ///
    /// # Safety
    /// The string is ASCII, nobody else refers to it, and it stays until the last interpreter has ended.
    pub(crate) unsafe fn outlive_interpreters(&self) {
        let interned = if self.is_interned() { state::INTERNED_STATIC } else { 0 };
        self.state.set(self.state.get() & !state::INTERNED | state::STATIC | interned);
    }

    /// Whether it is such a string, or a static one.
    pub(super) fn outlives_interpreters(&self) -> bool {
        self.state.get() & state::STATIC != 0
    }
}

impl<const N: usize> StaticStr<N> {
    /// The string of an ASCII text of two characters or more: shorter ones exist already.
    ///
    /// Whoever declares one registers it with every interpreter's intern table, as `object/ids.rs` does.
    pub const fn new(text: &str) -> StaticStr<N> {
        assert!(N >= 2, "one-character strings are in a table of their own");
        StaticStr::any(text)
    }

    const fn any(text: &str) -> StaticStr<N> {
        let bytes = text.as_bytes();
        assert!(bytes.len() == N && bytes.is_ascii());
        let mut data = [0; N];
        let mut index = 0;
        while index < N {
            data[index] = bytes[index];
            index += 1;
        }
        StaticStr { head: head(N, Kind::Ascii), data, nul: 0 }
    }

    /// The string of an ASCII text of up to `N` characters, and of two or more.
    ///
    /// It is no interpreter's: whoever uses it asks [`PyStr::intern_static`] for the interpreter's own.
    pub(crate) const fn within(text: &str) -> StaticStr<N> {
        let bytes = text.as_bytes();
        assert!(bytes.len() >= 2 && bytes.len() <= N && bytes.is_ascii());
        let mut data = [0; N];
        let mut index = 0;
        while index < bytes.len() {
            data[index] = bytes[index];
            index += 1;
        }
        StaticStr { head: head(bytes.len(), Kind::Ascii), data, nul: 0 }
    }

    /// The string.
    #[inline(always)]
    pub const fn get(&'static self) -> &'static PyStr {
        &self.head
    }
}

impl<const N: usize> Deref for StaticStr<N> {
    type Target = PyStr;
    #[inline(always)]
    fn deref(&self) -> &PyStr {
        &self.head
    }
}

/// A one-character string from U+0080 to U+00FF.
#[repr(C)]
struct StaticLatin1 {
    head: CompactStr,
    data: [u8; 2],
}

static EMPTY: StaticStr<0> = StaticStr::any("");
static ASCII: [StaticStr<1>; 128] = ascii_table();
static LATIN1: [StaticLatin1; 128] = latin1_table();
/// The texts of `LATIN1` in UTF-8.
static LATIN1_UTF8: [[u8; 3]; 128] = latin1_utf8();

const fn ascii_table() -> [StaticStr<1>; 128] {
    let mut table = [const { StaticStr::<1>::any("?") }; 128];
    let mut ch = 0;
    while ch < 128 {
        table[ch].data[0] = ch as u8;
        ch += 1;
    }
    table
}

const fn latin1_table() -> [StaticLatin1; 128] {
    let mut table = [const {
        StaticLatin1 {
            head: CompactStr {
                ascii: head(1, Kind::Latin1),
                utf8_length: Cell::new(2),
                utf8: Cell::new(core::ptr::null_mut()),
            },
            data: [0; 2],
        }
    }; 128];
    let mut index = 0;
    while index < 128 {
        table[index].data[0] = 128 + index as u8;
        table[index].head.utf8 = Cell::new((&raw const LATIN1_UTF8[index]).cast_mut().cast());
        index += 1;
    }
    table
}

const fn latin1_utf8() -> [[u8; 3]; 128] {
    let mut table = [[0; 3]; 128];
    let mut index = 0;
    while index < 128 {
        let ch = 128 + index as u8;
        table[index] = [0xC0 | (ch >> 6), 0x80 | (ch & 0x3F), 0];
        index += 1;
    }
    table
}

impl PyStr {
    /// The empty string.
    #[inline(always)]
    pub fn empty_static() -> &'static PyStr {
        &EMPTY.head
    }

    /// The empty string, as an owned reference (it is immortal, so this counts nothing).
    #[inline(always)]
    pub fn empty() -> Ref<PyStr> {
        Ref::from_borrowed(PyStr::empty_static())
    }

    /// The one-character string of a Latin-1 character.
    #[inline(always)]
    pub fn latin1_char(ch: u8) -> &'static PyStr {
        if ch < 128 { &ASCII[usize::from(ch)].head } else { &LATIN1[usize::from(ch - 128)].head.ascii }
    }
}

/// Forgets the hashes of all static strings: to be called when the hash key has been set, before the first
/// interpreter is made.
pub fn forget_static_hashes() {
    let tables = ASCII.iter().map(|s| &s.head).chain(LATIN1.iter().map(|s| &s.head.ascii));
    for string in tables.chain(crate::object::ids::ALL.iter().copied()).chain(crate::code::words::take_used()) {
        string.hash.store(-1, Ordering::Relaxed);
    }
}
