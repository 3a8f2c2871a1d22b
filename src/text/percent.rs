//! `%`-formatting: cuts a format into literal text and items, and lays out what an item stands for.
//!
//! ```text
//!   % [(key)] [flags] [width | *] [. precision | .*] [h | l | L] conversion
//! ```
//! As prescribed by the "printf-style String Formatting" section of the library reference.

use core::ops::Range;

use hognose_allocators::NoMemory;

use super::float_repr::{FloatFlags, FloatFormat, format_float};
use super::message::{Message, TextError};
use super::{Text, TextSink};

/// A width or precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Not given.
    None,
    /// A number.
    Fixed(usize),
    /// `*`: the next argument says it.
    Argument,
}

/// What stands for a value in the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where in the format the mapping key is.
    pub key: Option<Range<usize>>,
    /// `-`
    pub left: bool,
    /// `+`
    pub plus: bool,
    /// Space.
    pub space: bool,
    /// `#`
    pub alternate: bool,
    /// `0`
    pub zero: bool,
    /// The least width.
    pub width: Size,
    /// Digits, or the greatest width of a string.
    pub precision: Size,
    /// The conversion character. Whether there is such a conversion is for the caller to say, after it has
    /// taken the argument, by [`Item::unsupported`].
    pub conversion: u32,
    /// Where in the format the conversion character is.
    pub index: usize,
}

/// A part of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to copy from this range of the format.
    Literal(Range<usize>),
    /// A value to insert. `%%` is an item too: the conversion `%`, which takes no argument.
    Item(Item),
}

/// The pieces of a format, from left to right. After an error there are no more.
#[derive(Debug, Clone)]
pub struct Pieces<'t, T: ?Sized> {
    text: &'t T,
    at: usize,
}

impl<'t, T: Text + ?Sized> Pieces<'t, T> {
    /// Begins with the first piece of `text`.
    pub fn new(text: &'t T) -> Self {
        Self { text, at: 0 }
    }

    fn next_char(&mut self) -> Result<u8, Message> {
        if self.at >= self.text.len() {
            return Err(Message::Value("incomplete format"));
        }
        self.at += 1;
        // Characters beyond Latin-1 mean nothing here; the conversion is read anew from the text.
        Ok(u8::try_from(self.text.at(self.at - 1)).unwrap_or(0xFF))
    }

    fn number(&mut self, ch: &mut u8, max: usize, error: &'static str) -> Result<Size, Message> {
        if *ch == b'*' {
            *ch = self.next_char()?;
            return Ok(Size::Argument);
        }
        if !ch.is_ascii_digit() {
            return Ok(Size::None);
        }
        let mut value = 0usize;
        while ch.is_ascii_digit() {
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(usize::from(*ch - b'0')))
                .filter(|&value| value <= max)
                .ok_or(Message::Value(error))?;
            *ch = self.next_char()?;
        }
        Ok(Size::Fixed(value))
    }

    fn key(&mut self) -> Result<Range<usize>, Message> {
        let start = self.at;
        let mut depth = 1;
        while self.at < self.text.len() {
            let ch = self.text.at(self.at);
            self.at += 1;
            if ch == u32::from(b'(') {
                depth += 1;
            } else if ch == u32::from(b')') {
                depth -= 1;
                if depth == 0 {
                    return Ok(start..self.at - 1);
                }
            }
        }
        Err(Message::Value("incomplete format key"))
    }

    fn item(&mut self) -> Result<Item, Message> {
        let mut item = Item {
            key: None,
            left: false,
            plus: false,
            space: false,
            alternate: false,
            zero: false,
            width: Size::None,
            precision: Size::None,
            conversion: 0,
            index: 0,
        };
        if self.at < self.text.len() && self.text.at(self.at) == u32::from(b'(') {
            self.at += 1;
            item.key = Some(self.key()?);
        }
        let mut ch = loop {
            let ch = self.next_char()?;
            match ch {
                b'-' => item.left = true,
                b'+' => item.plus = true,
                b' ' => item.space = true,
                b'#' => item.alternate = true,
                b'0' => item.zero = true,
                _ => break ch,
            }
        };
        item.width = self.number(&mut ch, isize::MAX as usize, "width too big")?;
        if ch == b'.' {
            ch = self.next_char()?;
            item.precision = match self.number(&mut ch, i32::MAX as usize, "precision too big")? {
                Size::None => Size::Fixed(0),
                size => size,
            };
        }
        if matches!(ch, b'h' | b'l' | b'L') {
            self.next_char()?;
        }
        item.index = self.at - 1;
        item.conversion = self.text.at(item.index);
        Ok(item)
    }
}

impl<T: Text + ?Sized> Iterator for Pieces<'_, T> {
    type Item = Result<Piece, Message>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let len = self.text.len();
        if start >= len {
            return None;
        }
        while self.at < len && self.text.at(self.at) != u32::from(b'%') {
            self.at += 1;
        }
        if self.at > start {
            return Some(Ok(Piece::Literal(start..self.at)));
        }
        self.at += 1;
        let item = self.item();
        if item.is_err() {
            self.at = len;
        }
        Some(item.map(Piece::Item))
    }
}

impl Item {
    /// The error for a conversion that does not exist.
    pub fn unsupported(&self) -> Message {
        Message::UnsupportedCharacter(self.conversion, self.index)
    }
}

/// An item whose `*`s have got their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Pad on the right.
    pub left: bool,
    /// Write a sign before what is not negative.
    pub plus: bool,
    /// Write a space there.
    pub space: bool,
    /// `#`
    pub alternate: bool,
    /// Pad numbers with zeros.
    pub zero: bool,
    /// The least width.
    pub width: usize,
    /// Digits, or the greatest width of a string.
    pub precision: Option<usize>,
    /// The conversion character.
    pub conversion: u8,
}

impl Layout {
    /// Completes an item with the arguments that its `*`s took: a negative width pads on the right, a
    /// negative precision is 0.
    pub fn new(item: &Item, width: Option<isize>, precision: Option<i32>) -> Layout {
        let width_argument = width.unwrap_or(0);
        Layout {
            left: item.left || (item.width == Size::Argument && width_argument < 0),
            plus: item.plus,
            space: item.space,
            alternate: item.alternate,
            zero: item.zero,
            width: match item.width {
                Size::None => 0,
                Size::Fixed(width) => width,
                Size::Argument => width_argument.unsigned_abs(),
            },
            precision: match item.precision {
                Size::None => None,
                Size::Fixed(precision) => Some(precision),
                Size::Argument => Some(usize::try_from(precision.unwrap_or(0)).unwrap_or(0)),
            },
            conversion: u8::try_from(item.conversion).unwrap_or(0),
        }
    }

    /// Writes a string (conversions `s`, `r`, `a`), cut to the precision.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    pub fn write_str<T, S>(&self, text: &T, sink: &mut S) -> Result<(), NoMemory>
    where
        T: Text + ?Sized,
        S: TextSink,
    {
        let len = text.len().min(self.precision.unwrap_or(usize::MAX));
        self.padded(len, sink, |sink| sink.push_range(text, 0..len))
    }

    /// Writes one character (conversion `c`).
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    pub fn write_char<S: TextSink>(&self, ch: u32, sink: &mut S) -> Result<(), NoMemory> {
        self.padded(1, sink, |sink| sink.push(ch))
    }

    /// The base that an integer conversion wants its digits in; `None` for other conversions.
    pub fn int_base(&self) -> Option<u32> {
        match self.conversion {
            b'd' | b'i' | b'u' => Some(10),
            b'o' => Some(8),
            b'x' | b'X' => Some(16),
            _ => None,
        }
    }

    /// Writes an integer, given by its sign and its lower-case digits in [`Layout::int_base`].
    ///
    /// # Errors
    /// "precision too large" as a `ValueError`; `NoMemory`.
    pub fn write_int<S: TextSink>(&self, negative: bool, digits: &[u8], sink: &mut S) -> Result<(), TextError> {
        let precision = self.precision.unwrap_or(0);
        if precision > i32::MAX as usize - 3 {
            return Err(Message::Value("precision too large").into());
        }
        let prefix: &[u8] = match self.conversion {
            b'o' if self.alternate => b"0o",
            b'x' if self.alternate => b"0x",
            b'X' if self.alternate => b"0X",
            _ => b"",
        };
        let zeros = precision.saturating_sub(digits.len());
        let upper = self.conversion == b'X';
        Ok(self.number(negative, prefix, zeros + digits.len(), sink, |sink| {
            sink.push_fill(u32::from(b'0'), zeros)?;
            for &digit in digits {
                sink.push(u32::from(if upper { digit.to_ascii_uppercase() } else { digit }))?;
            }
            Ok(())
        })?)
    }

    /// Writes a float (conversions `e`, `f`, `g` and their upper-case forms).
    ///
    /// # Errors
    /// "precision too big" as a `ValueError`; `NoMemory`.
    pub fn write_float<S: TextSink>(&self, value: f64, sink: &mut S) -> Result<(), TextError> {
        let format = match self.conversion.to_ascii_lowercase() {
            b'e' => FloatFormat::Exponent,
            b'f' => FloatFormat::Fixed,
            _ => FloatFormat::General,
        };
        let flags = FloatFlags {
            alternate: self.alternate,
            upper: self.conversion.is_ascii_uppercase(),
            ..FloatFlags::default()
        };
        let mut text = format_float(value, format, self.precision.unwrap_or(6), flags);
        let negative = core::mem::take(&mut text.negative);
        let point = usize::from(text.point);
        let len = text.whole().len() + point + text.fraction().len() + text.fraction_zeros + text.suffix().len();
        Ok(self.number(negative, b"", len, sink, |sink| text.write(sink))?)
    }

    fn number<S: TextSink>(
        &self,
        negative: bool,
        prefix: &[u8],
        len: usize,
        sink: &mut S,
        body: impl FnOnce(&mut S) -> Result<(), NoMemory>,
    ) -> Result<(), NoMemory> {
        let sign: &[u8] = match (negative, self.plus, self.space) {
            (true, _, _) => b"-",
            (_, true, _) => b"+",
            (_, _, true) => b" ",
            _ => b"",
        };
        let len = sign.len() + prefix.len() + len;
        let zeros = if self.zero && !self.left { self.width.saturating_sub(len) } else { 0 };
        self.padded(len + zeros, sink, |sink| {
            sink.push_ascii(sign)?;
            sink.push_ascii(prefix)?;
            sink.push_fill(u32::from(b'0'), zeros)?;
            body(sink)
        })
    }

    fn padded<S: TextSink>(
        &self,
        len: usize,
        sink: &mut S,
        body: impl FnOnce(&mut S) -> Result<(), NoMemory>,
    ) -> Result<(), NoMemory> {
        let space = self.width.saturating_sub(len);
        if !self.left {
            sink.push_fill(u32::from(b' '), space)?;
        }
        body(sink)?;
        if self.left {
            sink.push_fill(u32::from(b' '), space)?;
        }
        Ok(())
    }
}
