//! Syntax trees as bytes: how they cross the border to the runtime.
//!
//! ```text
//!   0            nothing
//!   1 kind …     a node: four places (line, column, end line, end column) if its kind has them, then its fields
//!   2 n …        a list of n values
//!   3 n bytes    a name or a comment
//!   4 n          a number that is no constant
//!   16 … 26      a constant: None, True, False, Ellipsis, int (base, n, digits), float, complex, str (n, UTF-8 that
//!                may hold surrogates), bytes, tuple (n, constants), frozenset
//! ```
//!
//! Counts are little-endian base 128; numbers with a sign are folded to even and odd.

use crate::asdl::Located;
use crate::error::CompileError;
use crate::tree::{Const, Kind, MAX_FIELDS, Node, Place, Tree, Value};

/// What a value begins with.
pub mod tag {
    pub const NOTHING: u8 = 0;
    pub const NODE: u8 = 1;
    pub const LIST: u8 = 2;
    pub const TEXT: u8 = 3;
    pub const NUMBER: u8 = 4;
    pub const NONE: u8 = 16;
    pub const TRUE: u8 = 17;
    pub const FALSE: u8 = 18;
    pub const ELLIPSIS: u8 = 19;
    pub const INT: u8 = 20;
    pub const FLOAT: u8 = 21;
    pub const COMPLEX: u8 = 22;
    pub const STR: u8 = 23;
    pub const BYTES: u8 = 24;
    pub const TUPLE: u8 = 25;
    pub const FROZENSET: u8 = 26;
}

/// A number with a sign as one without.
#[must_use]
pub const fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The number that [`fold`] folded.
#[must_use]
pub const fn unfold(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

/// The bytes of a tree.
#[must_use]
pub fn encode(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, tree, Value::Node(tree.root), false);
    out
}

pub fn write_count(out: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_count(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn write_value(out: &mut Vec<u8>, tree: &Tree, value: Value, list: bool) {
    match value {
        Value::Node(_) => stacker::maybe_grow(256 << 10, 4 << 20, || write_node(out, tree, value)),
        Value::List(_) => {
            let items = tree.list(value);
            out.push(tag::LIST);
            write_count(out, items.len() as u64);
            for &item in items {
                write_value(out, tree, item, false);
            }
        }
        Value::Text(_) => {
            out.push(tag::TEXT);
            write_bytes(out, tree.text(value).unwrap_or("").as_bytes());
        }
        Value::Int(number) => {
            out.push(tag::NUMBER);
            write_count(out, fold(number.into()));
        }
        Value::Constant(_) => write_constant(out, tree.constant(value).unwrap_or(&Const::None)),
        Value::None | Value::Token(_) if list => out.extend_from_slice(&[tag::LIST, 0]),
        Value::None | Value::Token(_) => out.push(tag::NOTHING),
    }
}

fn write_node(out: &mut Vec<u8>, tree: &Tree, value: Value) {
    let Some(node) = tree.node(value) else { return };
    out.extend_from_slice(&[tag::NODE, node.kind as u8]);
    if node.kind.rule().2 != Located::No {
        for number in [node.start.line, node.start.column, node.end.line, node.end.column] {
            write_count(out, fold(number.into()));
        }
    }
    for (field, &value) in node.kind.fields().zip(&node.fields) {
        write_value(out, tree, value, crate::tree::is_list(&field));
    }
}

fn write_constant(out: &mut Vec<u8>, constant: &Const) {
    match constant {
        Const::None => out.push(tag::NONE),
        Const::True => out.push(tag::TRUE),
        Const::False => out.push(tag::FALSE),
        Const::Ellipsis => out.push(tag::ELLIPSIS),
        Const::Int(base, digits) => {
            out.extend_from_slice(&[tag::INT, *base as u8]);
            write_bytes(out, digits.as_bytes());
        }
        Const::Float(value) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Const::Complex(real, imaginary) => {
            out.push(tag::COMPLEX);
            out.extend_from_slice(&real.to_le_bytes());
            out.extend_from_slice(&imaginary.to_le_bytes());
        }
        Const::Str(text) => {
            out.push(tag::STR);
            write_bytes(out, text);
        }
        Const::Bytes(bytes) => {
            out.push(tag::BYTES);
            write_bytes(out, bytes);
        }
        Const::Tuple(items) | Const::Frozenset(items) => {
            out.push(if matches!(constant, Const::Tuple(_)) { tag::TUPLE } else { tag::FROZENSET });
            write_count(out, items.len() as u64);
            for item in items {
                write_constant(out, item);
            }
        }
    }
}

/// The tree of bytes.
///
/// # Errors
/// [`CompileError::Internal`] for bytes that are no tree.
pub fn decode(bytes: &[u8]) -> Result<Tree, CompileError> {
    let mut reader = Reader { bytes, at: 0, tree: Tree::default() };
    match reader.value() {
        Some(Value::Node(root)) => {
            reader.tree.root = root;
            Ok(reader.tree)
        }
        _ => Err(CompileError::Internal("the bytes are no syntax tree".into())),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    tree: Tree,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn count(&mut self) -> Option<u64> {
        let (mut count, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            count |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(count);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        self.take(usize::try_from(count).ok()?)
    }

    fn number(&mut self) -> Option<i32> {
        i32::try_from(unfold(self.count()?)).ok()
    }

    fn real(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn value(&mut self) -> Option<Value> {
        match self.byte()? {
            tag::NOTHING => Some(Value::None),
            tag::NODE => stacker::maybe_grow(256 << 10, 4 << 20, || self.node()),
            tag::LIST => {
                let count = self.count()?;
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.value()?);
                }
                Some(self.tree.add_list(items))
            }
            tag::TEXT => {
                let text = String::from_utf8(self.text()?.to_vec()).ok()?;
                Some(self.tree.add_text(text))
            }
            tag::NUMBER => Some(Value::Int(self.number()?)),
            found => {
                let constant = self.constant(found)?;
                Some(self.tree.add_constant(constant))
            }
        }
    }

    fn node(&mut self) -> Option<Value> {
        let kind = Kind::from_number(self.byte()?)?;
        let (mut start, mut end) = (Place::default(), Place::default());
        if kind.rule().2 != Located::No {
            start = Place { line: self.number()?, column: self.number()? };
            end = Place { line: self.number()?, column: self.number()? };
        }
        let mut fields = [Value::None; MAX_FIELDS];
        for index in 0..kind.fields().count() {
            fields[index] = self.value()?;
        }
        Some(self.tree.add_node(Node { kind, start, end, fields }))
    }

    fn constant(&mut self, found: u8) -> Option<Const> {
        Some(match found {
            tag::NONE => Const::None,
            tag::TRUE => Const::True,
            tag::FALSE => Const::False,
            tag::ELLIPSIS => Const::Ellipsis,
            tag::INT => {
                let base = self.byte()?;
                Const::Int(base.into(), String::from_utf8(self.text()?.to_vec()).ok()?)
            }
            tag::FLOAT => Const::Float(self.real()?),
            tag::COMPLEX => Const::Complex(self.real()?, self.real()?),
            tag::STR => Const::Str(self.text()?.to_vec()),
            tag::BYTES => Const::Bytes(self.text()?.to_vec()),
            tag::TUPLE | tag::FROZENSET => {
                let count = self.count()?;
                let mut items = Vec::new();
                for _ in 0..count {
                    let next = self.byte()?;
                    items.push(self.constant(next)?);
                }
                if found == tag::TUPLE { Const::Tuple(items) } else { Const::Frozenset(items) }
            }
            _ => return None,
        })
    }
}
