//! The pure-Python standard library, compiled when Hognose is built.
//!
//! Each module is kept as its code objects (see `build/freeze.rs`), uncompressed in the binary's read-only data, so
//! that importing one copies nothing but the objects; its source text lies beside it for tracebacks and
//! `inspect`. Nothing here allocates, and nothing needs relocation when the binary is loaded.
//!
//! ```text
//!   INDEX   record 0, record 1, …   sorted by name; a record is nine little-endian u32:
//!             name, origin (offset, length in TEXT)   code (offset, length in CODE)
//!             source (offset, length in TEXT)         1 for a package
//! ```

#![no_std]

static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/index.bin"));
static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/code.bin"));
static TEXT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/text.bin"));

/// The names to which code objects refer by number: those of the modules that a start reads. ASCII, of two to
/// [`LONGEST_WORD`] characters.
pub const WORDS: &[&str] = include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// The most characters of a word.
pub const LONGEST_WORD: usize = 31;

/// The licence under which the library is distributed.
pub static LICENSE: &str = include_str!("../PSF-LICENSE");

const RECORD: usize = 36;

/// A module of the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frozen {
    /// The dotted name.
    pub name: &'static str,
    /// The code object in the form that `build/freeze.rs` describes; its file name is `<frozen origname>`.
    pub code: &'static [u8],
    /// Whether other modules live inside it.
    pub is_package: bool,
    /// The module whose file it is: differs from `name` for `_frozen_importlib` and its like.
    pub origname: &'static str,
    /// The source text, UTF-8.
    pub source: &'static [u8],
}

/// Looks `name` up, by binary search.
#[must_use]
pub fn find(name: &str) -> Option<Frozen> {
    let (mut low, mut high) = (0, len());
    while low < high {
        let middle = low + (high - low) / 2;
        match name_at(middle).cmp(name) {
            core::cmp::Ordering::Less => low = middle + 1,
            core::cmp::Ordering::Greater => high = middle,
            core::cmp::Ordering::Equal => return Some(record(middle)),
        }
    }
    None
}

/// The source text of module `name`, UTF-8.
#[must_use]
pub fn source(name: &str) -> Option<&'static [u8]> {
    Some(find(name)?.source)
}

/// How many modules there are.
#[must_use]
pub fn len() -> usize {
    INDEX.len() / RECORD
}

/// All module names in byte order.
pub fn modules() -> impl Iterator<Item = &'static str> {
    (0..len()).map(name_at)
}

/// All modules in the order of their names.
pub fn entries() -> impl Iterator<Item = Frozen> {
    (0..len()).map(record)
}

/// A field of a record.
fn number(index: usize, field: usize) -> usize {
    let at = index * RECORD + field * 4;
    u32::from_le_bytes([INDEX[at], INDEX[at + 1], INDEX[at + 2], INDEX[at + 3]]) as usize
}

/// What an offset and a length in a record say.
fn span(file: &'static [u8], index: usize, field: usize) -> &'static [u8] {
    &file[number(index, field)..][..number(index, field + 1)]
}

fn text(index: usize, field: usize) -> &'static str {
    core::str::from_utf8(span(TEXT, index, field)).unwrap_or("")
}

fn name_at(index: usize) -> &'static str {
    text(index, 0)
}

fn record(index: usize) -> Frozen {
    Frozen {
        name: name_at(index),
        origname: text(index, 2),
        code: span(CODE, index, 4),
        source: span(TEXT, index, 6),
        is_package: number(index, 8) != 0,
    }
}
