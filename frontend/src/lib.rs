//! From Python source text to CPython 3.14 code objects.
//!
//! This package is the only place that knows the compiler crates. What goes in is bytes, what comes out is
//! the marshal form (version 5) of a CPython 3.14 code object, or an error in CPython's own terms: class,
//! message, place. It runs on Rust's global allocator and gives all memory back before it returns.
//!
//! ```text
//!   bytes ──source──▶ text ──shape──▶ limits, stack size ──▶ parser, compiler ──▶ marshal bytes
//!           PEP 263          strings and comments            on a stack of that     │
//!           newlines         known, nesting counted          size, panics caught    └▶ message, place, class
//! ```
//!
//! Invariants:
//! - F1: no panic leaves this package; one inside the compiler becomes [`CompileError::Internal`].
//! - F2: the compiler crates never see text that nests deeper than the stack they run on allows.
//! - F3: warnings are delivered on the caller's thread, after the compiler is done with the text.

pub mod asdl;
mod driver;
pub mod encode;
mod error;
mod escapes;
mod lines;
mod lower;
mod mend;
mod messages;
mod names;
mod parser;
mod preprocess;
mod shape;
mod source;
mod stack;
mod symbols;
pub mod tokenizer;
pub mod tree;
mod validate;

pub use error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind, Warning, WarningAction, WarningCategory};
pub use source::{Encoding, decode_file, decode_source, detect_encoding};

/// Source is UTF-8 text; a coding cookie is not looked at (`PyCF_SOURCE_IS_UTF8` and `PyCF_IGNORE_COOKIE`).
pub const PYCF_IGNORE_COOKIE: u32 = 0x0800;
/// Keep an indented block open until a newline closes it.
pub const PYCF_DONT_IMPLY_DEDENT: u32 = 0x0200;
/// Stop after the syntax tree.
pub const PYCF_ONLY_AST: u32 = 0x0400;
/// Type comments are part of the syntax tree.
pub const PYCF_TYPE_COMMENTS: u32 = 0x1000;
/// The syntax tree as the compiler would see it, with constants folded.
pub const PYCF_OPTIMIZED_AST: u32 = 0x8000 | PYCF_ONLY_AST;
/// `from __future__ import barry_as_FLUFL`.
pub const CO_FUTURE_BARRY_AS_BDFL: u32 = 0x40_0000;
/// Allow `await`, `async for` and `async with` outside of functions.
pub const PYCF_ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;
/// Tell input that ends too early (`_IncompleteInputError`) from input that is wrong.
pub const PYCF_ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;

/// What the front end hands out: bytes on Rust's allocator, to be read and dropped at once.
pub type FrontEndBytes = Vec<u8>;

/// What kind of text this is (`compile()`'s mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression.
    Eval,
    /// One interactive statement, whose value is shown.
    Single,
    /// The type of a function in a type comment; only as a tree.
    FuncType,
}

/// How to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// 0 keeps `assert`, 1 drops it, 2 drops docstrings too.
    pub optimize: u8,
    /// `PyCF_*` and `CO_FUTURE_*` flags, as `PyCompilerFlags.cf_flags` has them.
    pub flags: u32,
    /// Keep column numbers in the line table.
    pub debug_ranges: bool,
    /// The longest decimal integer literal; 0 is no limit.
    pub int_max_str_digits: usize,
    /// The bytes are a file's: changes the words of encoding errors.
    pub is_file: bool,
    /// Texts longer than this many bytes are refused with [`CompileError::TooLarge`].
    pub max_source: usize,
    /// The bytes of native stack that are left, when the caller knows; to find out takes a while.
    pub stack_left: Option<usize>,
    /// The minor version of Python 3 whose grammar a syntax tree is made by.
    pub feature_version: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            optimize: 0,
            flags: 0,
            debug_ranges: true,
            int_max_str_digits: 4300,
            is_file: false,
            max_source: 128 << 20,
            stack_left: None,
            feature_version: 14,
        }
    }
}

/// Compiles `source` to the marshal form of a code object.
///
/// `source` is decoded as PEP 263 prescribes, unless `flags` has [`PYCF_IGNORE_COOKIE`]. `filename` goes
/// into `co_filename`. `warn` gets each warning in source order and says how to go on.
///
/// # Errors
/// See [`CompileError`].
pub fn compile(
    source: &[u8],
    filename: &str,
    mode: Mode,
    options: &Options,
    warn: &mut dyn FnMut(Warning) -> WarningAction,
) -> Result<Vec<u8>, CompileError> {
    let text = text_of(source, filename, options)?;
    driver::compile_text(&text, filename, mode, options, warn)
}

fn text_of(source: &[u8], filename: &str, options: &Options) -> Result<String, CompileError> {
    if options.flags & PYCF_IGNORE_COOKIE != 0 {
        source::accept_text(source)
    } else if options.is_file {
        source::decode_file(source, filename)
    } else {
        source::decode_source(source)
    }
}

/// Parses `source` to a syntax tree, in the form that [`encode`] describes.
///
/// # Errors
/// See [`CompileError`].
pub fn parse(
    source: &[u8],
    filename: &str,
    mode: Mode,
    options: &Options,
    warn: &mut dyn FnMut(Warning) -> WarningAction,
) -> Result<Vec<u8>, CompileError> {
    let text = text_of(source, filename, options)?;
    driver::parse_text(&text, mode, options, warn)
}

/// Checks a syntax tree and, if `options` ask for it, optimizes it.
///
/// # Errors
/// [`CompileError::Value`] and [`CompileError::Type`] for a tree that cannot be one.
pub fn check_tree(tree: &[u8], options: &Options) -> Result<Vec<u8>, CompileError> {
    driver::check_tree(tree, options)
}

/// Compiles a syntax tree to the marshal form of a code object.
///
/// # Errors
/// As [`compile`], and as [`check_tree`].
pub fn compile_tree(
    tree: &[u8],
    filename: &str,
    options: &Options,
    warn: &mut dyn FnMut(Warning) -> WarningAction,
) -> Result<Vec<u8>, CompileError> {
    driver::compile_tree(tree, filename, options, warn)
}

/// The symbol tables of `source`, in the form that `symbols` describes.
///
/// # Errors
/// See [`CompileError`].
pub fn symbol_table(source: &[u8], filename: &str, mode: Mode, options: &Options) -> Result<Vec<u8>, CompileError> {
    let text = text_of(source, filename, options)?;
    driver::symbol_table(&text, filename, mode, options)
}
