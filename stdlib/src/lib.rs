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
        let frozen = record(middle);
        match frozen.name.cmp(name) {
            core::cmp::Ordering::Less => low = middle + 1,
            core::cmp::Ordering::Greater => high = middle,
            core::cmp::Ordering::Equal => return Some(frozen),
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
    entries().map(|frozen| frozen.name)
}

/// All modules in the order of their names.
pub fn entries() -> impl Iterator<Item = Frozen> {
    (0..len()).map(record)
}

fn record(index: usize) -> Frozen {
    let record = &INDEX[index * RECORD..(index + 1) * RECORD];
    let number = |field: usize| {
        let at = field * 4;
        u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize
    };
    let span = |file: &'static [u8], field: usize| &file[number(field)..number(field) + number(field + 1)];
    let name = |field| core::str::from_utf8(span(TEXT, field)).unwrap_or("");
    Frozen { name: name(0), origname: name(2), code: span(CODE, 4), source: span(TEXT, 6), is_package: number(8) != 0 }
}
