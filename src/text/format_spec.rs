//! The format-spec mini-language: what stands after the colon in `f"{value:>10,.2f}"`.
//!
//! ```text
//! [[fill]align][sign][z][#][0][width][grouping][.precision[grouping]][type]
//! ```
//! As prescribed by the "Format Specification Mini-Language" section of the library reference, 3.14.

use super::message::Message;
use super::{Text, chars};

/// Where the text goes in a field that is wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `>`
    Right,
    /// `^`
    Center,
    /// `=`: padding between the sign and the digits.
    AfterSign,
}

impl Align {
    fn from_char(ch: u32) -> Option<Align> {
        Some(match u8::try_from(ch).ok()? {
            b'<' => Align::Left,
            b'>' => Align::Right,
            b'^' => Align::Center,
            b'=' => Align::AfterSign,
            _ => return None,
        })
    }
}

/// What separates groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Nothing.
    None,
    /// `,` after every three.
    Comma,
    /// `_` after every three.
    Underscore,
    /// `_` after every four: binary, octal and hexadecimal.
    UnderscoreFour,
    /// As the locale says: type `n`.
    Locale,
}

/// A parsed format specifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatSpec {
    /// The padding character.
    pub fill: u32,
    /// Where the text goes.
    pub align: Align,
    /// `+`, `-` or space, 0 when there is none.
    pub sign: u8,
    /// `z`: a negative zero loses its sign.
    pub no_negative_zero: bool,
    /// `#`
    pub alternate: bool,
    /// The least width in code points.
    pub width: Option<usize>,
    /// Separators in the integer part.
    pub grouping: Grouping,
    /// Digits after the point, or the greatest width of a string.
    pub precision: Option<usize>,
    /// Separators in the fraction.
    pub fraction_grouping: Grouping,
    /// The type character, 0 when there is none.
    pub kind: u32,
}

/// What a type takes for granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `str`
    Str,
    /// `int`
    Int,
    /// `float` and `complex`
    Float,
}

const BOTH: Message = Message::Value("Cannot specify both ',' and '_'.");

/// Reads a text from left to right.
struct Reader<'t, T: ?Sized> {
    text: &'t T,
    at: usize,
}

impl<T: Text + ?Sized> Reader<'_, T> {
    fn peek(&self) -> Option<u32> {
        (self.at < self.text.len()).then(|| self.text.at(self.at))
    }
    fn take(&mut self, ch: u8) -> bool {
        let found = self.peek() == Some(u32::from(ch));
        self.at += usize::from(found);
        found
    }
    /// The digits that follow, as a number; `None` when there are none.
    fn number(&mut self) -> Result<Option<usize>, Message> {
        let (value, end) = parse_digits(self.text, self.at, self.text.len())?;
        let found = end > self.at;
        self.at = end;
        Ok(found.then_some(value))
    }
    /// `,` or `_`, but not both.
    fn grouping(&mut self) -> Result<Grouping, Message> {
        let comma = self.take(b',');
        let underscore = self.take(b'_');
        if underscore && (comma || self.peek() == Some(u32::from(b','))) {
            return Err(BOTH);
        }
        Ok(if comma {
            Grouping::Comma
        } else if underscore {
            Grouping::Underscore
        } else {
            Grouping::None
        })
    }
}

/// The number that decimal digits (of any script) from `at` on make, and where they end.
///
/// # Errors
/// "Too many decimal digits in format string" when it does not fit a `Py_ssize_t`.
pub(super) fn parse_digits<T: Text + ?Sized>(text: &T, mut at: usize, end: usize) -> Result<(usize, usize), Message> {
    let mut value: usize = 0;
    while at < end
        && let Some(digit) = chars::decimal_value(text.at(at))
    {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(usize::from(digit)))
            .filter(|&value| value <= isize::MAX as usize)
            .ok_or(Message::Value("Too many decimal digits in format string"))?;
        at += 1;
    }
    Ok((value, at))
}

impl FormatSpec {
    /// Parses a specifier for an object of the given kind.
    ///
    /// # Errors
    /// The `ValueError` to raise. Whether the type character fits the object is not looked at.
    pub fn parse<T: Text + ?Sized>(text: &T, target: Target) -> Result<FormatSpec, Message> {
        let mut spec = FormatSpec {
            fill: u32::from(b' '),
            align: if target == Target::Str { Align::Left } else { Align::Right },
            sign: 0,
            no_negative_zero: false,
            alternate: false,
            width: None,
            grouping: Grouping::None,
            precision: None,
            fraction_grouping: Grouping::None,
            kind: match target {
                Target::Str => u32::from(b's'),
                Target::Int => u32::from(b'd'),
                Target::Float => 0,
            },
        };
        let mut reader = Reader { text, at: 0 };
        let mut fill_given = false;
        let mut align_given = false;

        let second = (text.len() >= 2).then(|| text.at(1)).and_then(Align::from_char);
        if let Some(align) = second {
            spec.fill = text.at(0);
            spec.align = align;
            (fill_given, align_given) = (true, true);
            reader.at = 2;
        } else if let Some(align) = reader.peek().and_then(Align::from_char) {
            spec.align = align;
            align_given = true;
            reader.at = 1;
        }
        if let Some(sign) = reader.peek().and_then(|ch| u8::try_from(ch).ok()).filter(|ch| b"+- ".contains(ch)) {
            spec.sign = sign;
            reader.at += 1;
        }
        spec.no_negative_zero = reader.take(b'z');
        spec.alternate = reader.take(b'#');
        if !fill_given && reader.take(b'0') {
            spec.fill = u32::from(b'0');
            // Zeros go behind the sign, unless the text is one that has none.
            if !align_given && target != Target::Str {
                spec.align = Align::AfterSign;
            }
        }
        spec.width = reader.number()?;
        spec.grouping = reader.grouping()?;
        if reader.take(b'.') {
            spec.precision = reader.number()?;
            spec.fraction_grouping = reader.grouping()?;
            if spec.precision.is_none() && spec.fraction_grouping == Grouping::None {
                return Err(Message::Value("Format specifier missing precision"));
            }
        }
        if text.len() - reader.at > 1 {
            return Err(Message::InvalidSpec);
        }
        if let Some(kind) = reader.peek() {
            spec.kind = kind;
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&mut self) -> Result<(), Message> {
        let kind = u8::try_from(self.kind).unwrap_or(u8::MAX);
        if self.grouping != Grouping::None {
            match kind {
                0 | b'd' | b'e' | b'f' | b'g' | b'E' | b'G' | b'%' | b'F' => {}
                b'b' | b'o' | b'x' | b'X' if self.grouping == Grouping::Underscore => {
                    self.grouping = Grouping::UnderscoreFour;
                }
                _ => return Err(self.cannot_specify(self.grouping)),
            }
        }
        if kind == b'n' && self.fraction_grouping != Grouping::None {
            return Err(self.cannot_specify(self.fraction_grouping));
        }
        Ok(())
    }

    fn cannot_specify(&self, grouping: Grouping) -> Message {
        Message::CannotSpecify(if grouping == Grouping::Comma { b',' } else { b'_' }, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, target: Target) -> Result<FormatSpec, Message> {
        FormatSpec::parse(text.as_bytes(), target)
    }

    #[test]
    fn each_part_is_found_in_its_place() {
        let spec = parse("*^+z#020,.7_f", Target::Float).unwrap();
        assert_eq!((spec.fill, spec.align, spec.sign), (42, Align::Center, b'+'));
        assert!(spec.no_negative_zero && spec.alternate);
        assert_eq!((spec.width, spec.precision), (Some(20), Some(7)));
        assert_eq!((spec.grouping, spec.fraction_grouping), (Grouping::Comma, Grouping::Underscore));
        assert_eq!(spec.kind, u32::from(b'f'));
        let spec = parse(">>5", Target::Str).unwrap();
        assert_eq!((spec.fill, spec.align, spec.width), (62, Align::Right, Some(5)));
    }

    #[test]
    fn what_the_language_does_not_have_is_refused() {
        assert_eq!(parse(",_", Target::Int), Err(BOTH));
        assert_eq!(parse("_,", Target::Int), Err(BOTH));
        assert_eq!(parse("10.", Target::Float), Err(Message::Value("Format specifier missing precision")));
        assert_eq!(parse("10dd", Target::Int), Err(Message::InvalidSpec));
        assert_eq!(parse(",s", Target::Str), Err(Message::CannotSpecify(b',', 115)));
        assert_eq!(parse(",x", Target::Int), Err(Message::CannotSpecify(b',', 120)));
        assert_eq!(parse("._n", Target::Float), Err(Message::CannotSpecify(b'_', 110)));
        let many = "9".repeat(30);
        assert_eq!(parse(&many, Target::Int), Err(Message::Value("Too many decimal digits in format string")));
    }
}
