//! The pure-Python standard library, compiled when Hognose is built.
//!
//! Each module is kept as the marshal form of its code object, uncompressed in the library's read-only
//! data, so that importing one copies nothing but the objects; its source text lies beside it for
//! tracebacks and `inspect`.

/// A module of the standard library.
#[derive(Debug, Clone, Copy)]
pub struct Frozen {
    /// The dotted name.
    pub name: &'static str,
    /// The code object in CPython 3.14's marshal form.
    pub code: &'static [u8],
    /// Whether other modules live inside it.
    pub is_package: bool,
    /// The module whose file it was frozen from, differs from `name` for the frozen importers.
    pub origname: &'static str,
}

/// Looks `name` up.
#[must_use]
pub fn find(_name: &str) -> Option<Frozen> {
    None
}

/// The source text of module `name`, UTF-8.
#[must_use]
pub fn source(_name: &str) -> Option<&'static [u8]> {
    None
}

/// All module names in byte order.
pub fn modules() -> impl Iterator<Item = &'static str> {
    std::iter::empty()
}
