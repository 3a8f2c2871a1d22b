//! `str.format`: cuts a format string into literal text and replacement fields, and a field's name into its
//! parts. Looking values up, nesting and its depth limit are the caller's.
//!
//! ```text
//!   literal {{ literal { first .attribute [item] ! conversion : spec }
//! ```
//! As prescribed by the "Format String Syntax" section of the library reference.

use core::ops::Range;

use super::Text;
use super::format_spec::parse_digits;
use super::message::Message;

/// The text of the `ValueError` for fields nested deeper than two levels.
pub const RECURSION: Message = Message::Value("Max string recursion exceeded");

/// A replacement field. The ranges are of the whole format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What names the value; [`split_name`] takes it apart.
    pub name: Range<usize>,
    /// The character behind `!`.
    pub conversion: Option<u32>,
    /// The format spec behind `:`.
    pub spec: Range<usize>,
    /// Whether the spec has fields of its own.
    pub nested: bool,
}

/// A stretch of literal text, and the field behind it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markup {
    /// The text to copy; a doubled brace at its end is one character of it.
    pub literal: Range<usize>,
    /// The field.
    pub field: Option<Field>,
}

/// The markup of a format string, from left to right. After an error there is no more.
#[derive(Debug, Clone)]
pub struct Markups<'t, T: ?Sized> {
    text: &'t T,
    at: usize,
    end: usize,
}

fn is(ch: u32, ascii: u8) -> bool {
    ch == u32::from(ascii)
}

impl<'t, T: Text + ?Sized> Markups<'t, T> {
    /// Begins with the first markup of `text[range]`: the whole of it, or a nested spec.
    pub fn new(text: &'t T, range: Range<usize>) -> Self {
        Self { text, at: range.start, end: range.end.min(text.len()) }
    }

    /// Where the next markup begins: an iterator that begins there goes on as this one would.
    pub fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self) -> Option<u32> {
        let ch = (self.at < self.end).then(|| self.text.at(self.at))?;
        self.at += 1;
        Some(ch)
    }

    fn markup(&mut self) -> Result<Markup, Message> {
        let start = self.at;
        let brace = loop {
            match self.take() {
                None => {
                    return Ok(Markup { literal: start..self.at, field: None });
                }
                Some(ch) if is(ch, b'{') || is(ch, b'}') => break ch,
                Some(_) => {}
            }
        };
        let doubled = self.at < self.end && self.text.at(self.at) == brace;
        if doubled {
            let literal = start..self.at;
            self.at += 1;
            return Ok(Markup { literal, field: None });
        }
        if is(brace, b'}') {
            return Err(Message::Value("Single '}' encountered in format string"));
        }
        if self.at >= self.end {
            return Err(Message::Value("Single '{' encountered in format string"));
        }
        let literal = start..self.at - 1;
        Ok(Markup { literal, field: Some(self.field()?) })
    }

    fn field(&mut self) -> Result<Field, Message> {
        let start = self.at;
        let stop = loop {
            let Some(ch) = self.take() else {
                return Err(Message::Value("expected '}' before end of string"));
            };
            match u8::try_from(ch).unwrap_or(0) {
                b'{' => return Err(Message::Value("unexpected '{' in field name")),
                b'[' => {
                    // Whatever stands in brackets is a key, up to and without the closing one.
                    while self.at < self.end && !is(self.text.at(self.at), b']') {
                        self.at += 1;
                    }
                }
                stop @ (b'}' | b':' | b'!') => break stop,
                _ => {}
            }
        };
        let name = start..self.at - 1;
        let mut field = Field { name, conversion: None, spec: self.at..self.at, nested: false };
        if stop == b'}' {
            return Ok(field);
        }
        if stop == b'!' {
            let conversion = self.take();
            field.conversion =
                Some(conversion.ok_or(Message::Value("end of string while looking for conversion specifier"))?);
            match self.take() {
                Some(ch) if is(ch, b'}') => {
                    field.spec = self.at..self.at;
                    return Ok(field);
                }
                Some(ch) if !is(ch, b':') => {
                    return Err(Message::Value("expected ':' after conversion specifier"));
                }
                _ => {}
            }
        }
        let start = self.at;
        let mut depth = 1;
        while let Some(ch) = self.take() {
            if is(ch, b'{') {
                field.nested = true;
                depth += 1;
            } else if is(ch, b'}') {
                depth -= 1;
                if depth == 0 {
                    field.spec = start..self.at - 1;
                    return Ok(field);
                }
            }
        }
        Err(Message::Value("unmatched '{' in format spec"))
    }
}

impl<T: Text + ?Sized> Iterator for Markups<'_, T> {
    type Item = Result<Markup, Message>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let markup = self.markup();
        if markup.is_err() {
            self.at = self.end;
        }
        Some(markup)
    }
}

/// What a field's name begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// Nothing: the next positional argument.
    Next,
    /// A positional argument.
    Index(usize),
    /// A keyword argument.
    Name(Range<usize>),
}

/// A step from a value to one that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.name`
    Attribute(Range<usize>),
    /// `[digits]`
    Index(usize),
    /// `[key]`
    Key(Range<usize>),
}

/// The steps of a field's name. After an error there are no more.
#[derive(Debug, Clone)]
pub struct Steps<'t, T: ?Sized> {
    text: &'t T,
    at: usize,
    end: usize,
}

/// The number that `text[range]` is, `None` when it is not one.
fn integer<T: Text + ?Sized>(text: &T, range: &Range<usize>) -> Result<Option<usize>, Message> {
    let (value, end) = parse_digits(text, range.start, range.end)?;
    Ok((end == range.end && !range.is_empty()).then_some(value))
}

/// Splits a field's name into what it begins with and the steps from there.
///
/// # Errors
/// "Too many decimal digits in format string".
pub fn split_name<T: Text + ?Sized>(text: &T, name: Range<usize>) -> Result<(First, Steps<'_, T>), Message> {
    let mut at = name.start;
    while at < name.end && !is(text.at(at), b'.') && !is(text.at(at), b'[') {
        at += 1;
    }
    let first = name.start..at;
    let first = match integer(text, &first)? {
        _ if first.is_empty() => First::Next,
        Some(index) => First::Index(index),
        None => First::Name(first),
    };
    Ok((first, Steps { text, at, end: name.end }))
}

impl<'t, T: Text + ?Sized> Steps<'t, T> {
    /// Begins with the first step of `text[range]`.
    pub fn new(text: &'t T, range: Range<usize>) -> Self {
        Steps { text, at: range.start, end: range.end.min(text.len()) }
    }

    /// Where the next step begins: an iterator that begins there goes on as this one would.
    pub fn position(&self) -> usize {
        self.at
    }

    fn step(&mut self) -> Result<Step, Message> {
        let opening = self.text.at(self.at);
        self.at += 1;
        let start = self.at;
        let empty = Message::Value("Empty attribute in format string");
        if is(opening, b'.') {
            while self.at < self.end && !is(self.text.at(self.at), b'.') && !is(self.text.at(self.at), b'[') {
                self.at += 1;
            }
            if self.at == start { Err(empty) } else { Ok(Step::Attribute(start..self.at)) }
        } else if is(opening, b'[') {
            while self.at < self.end && !is(self.text.at(self.at), b']') {
                self.at += 1;
            }
            if self.at == self.end {
                return Err(Message::Value("Missing ']' in format string"));
            }
            let key = start..self.at;
            self.at += 1;
            if key.is_empty() {
                return Err(empty);
            }
            Ok(match integer(self.text, &key)? {
                Some(index) => Step::Index(index),
                None => Step::Key(key),
            })
        } else {
            Err(Message::Value("Only '.' or '[' may follow ']' in format field specifier"))
        }
    }
}

impl<T: Text + ?Sized> Iterator for Steps<'_, T> {
    type Item = Result<Step, Message>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.at = self.end;
        }
        Some(step)
    }
}

/// Numbers fields that have no name, and keeps the two ways of numbering apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AutoNumber {
    mode: Mode,
    next: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Undecided,
    Automatic,
    Manual,
}

impl AutoNumber {
    /// The positional index that a name's beginning stands for, `None` when it is a keyword.
    ///
    /// # Errors
    /// The `ValueError` for mixing numbered and unnumbered fields.
    pub fn index(&mut self, first: &First) -> Result<Option<usize>, Message> {
        let wanted = match first {
            First::Name(_) => return Ok(None),
            First::Next => Mode::Automatic,
            First::Index(_) => Mode::Manual,
        };
        if self.mode == Mode::Undecided {
            self.mode = wanted;
        }
        match (self.mode, first) {
            (Mode::Manual, First::Index(index)) => Ok(Some(*index)),
            (Mode::Automatic, First::Next) => {
                self.next += 1;
                Ok(Some(self.next - 1))
            }
            (Mode::Manual, _) => {
                Err(Message::Value("cannot switch from manual field specification to automatic field numbering"))
            }
            _ => Err(Message::Value("cannot switch from automatic field numbering to manual field specification")),
        }
    }
}

/// A conversion (`!r`, `!s`, `!a`), checked.
///
/// # Errors
/// "Unknown conversion specifier …".
pub fn conversion(ch: u32) -> Result<u8, Message> {
    match u8::try_from(ch) {
        Ok(ch @ (b'r' | b's' | b'a')) => Ok(ch),
        _ => Err(Message::UnknownConversion(ch)),
    }
}
