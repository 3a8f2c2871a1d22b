//! Values laid out by a format spec: strings, integers, floats and complex numbers.
//!
//! ```text
//!   left fill │ sign │ prefix │ inner fill │ grouped digits │ . │ fraction │ suffix │ right fill
//! ```

use hognose_allocators::NoMemory;

use super::float_repr::{FloatFlags, FloatFormat, FloatText, format_float};
use super::format_spec::{Align, FormatSpec, Grouping};
use super::message::{Message, TextError};
use super::{Text, TextSink};

/// How the locale writes numbers, for type `n`.
#[derive(Debug, Clone, Copy)]
pub struct Locale<'a> {
    /// The decimal point.
    pub point: &'a [u32],
    /// What separates groups of digits.
    pub separator: &'a [u32],
    /// Sizes of the groups from the right, as in C's `struct lconv`: the last is repeated, 127 ends grouping.
    pub grouping: &'a [u8],
}

impl Locale<'static> {
    /// The "C" locale.
    pub const C: Locale<'static> = Locale { point: &[b'.' as u32], separator: &[], grouping: &[] };
}

/// What an integer's type character asks the caller to supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntKind {
    /// Digits in this base: 2, 8, 10 or 16.
    Digits(u32),
    /// A character.
    Char,
    /// The value as a float.
    Float,
}

fn ascii(kind: u32) -> u8 {
    u8::try_from(kind).unwrap_or(u8::MAX)
}

/// Formats a string.
///
/// # Errors
/// `ValueError`s for what strings do not have; `NoMemory`.
pub fn format_str<T, S>(spec: &FormatSpec, text: &T, sink: &mut S) -> Result<(), TextError>
where
    T: Text + ?Sized,
    S: TextSink,
{
    if spec.kind != u32::from(b's') {
        return Err(Message::UnknownCode(spec.kind).into());
    }
    let refused = match spec {
        FormatSpec { sign: b' ', .. } => "Space not allowed in string format specifier",
        FormatSpec { sign: 1.., .. } => "Sign not allowed in string format specifier",
        FormatSpec { no_negative_zero: true, .. } => {
            "Negative zero coercion (z) not allowed in string format specifier"
        }
        FormatSpec { alternate: true, .. } => "Alternate form (#) not allowed in string format specifier",
        FormatSpec { align: Align::AfterSign, .. } => "'=' alignment not allowed in string format specifier",
        _ => "",
    };
    if !refused.is_empty() {
        return Err(Message::Value(refused).into());
    }
    let len = text.len().min(spec.precision.unwrap_or(usize::MAX));
    let (left, _, right) = padding(spec, len);
    sink.push_fill(spec.fill, left)?;
    sink.push_range(text, 0..len)?;
    Ok(sink.push_fill(spec.fill, right)?)
}

/// What an integer's specifier wants to be given.
///
/// # Errors
/// "Unknown format code …", and `ValueError`s for what integers do not have.
pub fn int_kind(spec: &FormatSpec) -> Result<IntKind, Message> {
    let kind = match ascii(spec.kind) {
        b'b' => IntKind::Digits(2),
        b'o' => IntKind::Digits(8),
        b'd' | b'n' => IntKind::Digits(10),
        b'x' | b'X' => IntKind::Digits(16),
        b'c' => IntKind::Char,
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'%' => return Ok(IntKind::Float),
        _ => return Err(Message::UnknownCode(spec.kind)),
    };
    let character = kind == IntKind::Char;
    let refused = match spec {
        FormatSpec { precision: Some(_), .. } => "Precision not allowed in integer format specifier",
        FormatSpec { no_negative_zero: true, .. } => {
            "Negative zero coercion (z) not allowed in integer format specifier"
        }
        FormatSpec { sign: 1.., .. } if character => "Sign not allowed with integer format specifier 'c'",
        FormatSpec { alternate: true, .. } if character => {
            "Alternate form (#) not allowed with integer format specifier 'c'"
        }
        _ => return Ok(kind),
    };
    Err(Message::Value(refused))
}

/// Formats an integer given by its sign and its digits in the base of [`int_kind`], lower case.
///
/// # Errors
/// `NoMemory` when the sink cannot grow.
pub fn format_int<S: TextSink>(
    spec: &FormatSpec,
    negative: bool,
    digits: &[u8],
    locale: &Locale<'_>,
    sink: &mut S,
) -> Result<(), TextError> {
    let kind = ascii(spec.kind);
    let prefix: &[u8] = match kind {
        _ if !spec.alternate => b"",
        b'b' => b"0b",
        b'o' => b"0o",
        b'x' => b"0x",
        b'X' => b"0X",
        _ => b"",
    };
    let parts = Parts { negative, prefix, digits, upper: kind == b'X', ..Parts::default() };
    Ok(number(spec, &parts, locale, sink)?)
}

/// Formats the character that an integer stands for (type `c`).
///
/// # Errors
/// "%c arg not in range(0x110000)" when it stands for none (`None`, or too large); `NoMemory`.
pub fn format_char<S: TextSink>(spec: &FormatSpec, ch: Option<u32>, sink: &mut S) -> Result<(), TextError> {
    let Some(ch) = ch.filter(|&ch| ch < 0x11_0000) else {
        return Err(Message::Overflow("%c arg not in range(0x110000)").into());
    };
    let (left, inner, right) = padding(spec, 1);
    sink.push_fill(spec.fill, left + inner)?;
    sink.push(ch)?;
    Ok(sink.push_fill(spec.fill, right)?)
}

/// Formats a float.
///
/// # Errors
/// "Unknown format code …", "precision too big"; `NoMemory`.
pub fn format_f64<S: TextSink>(
    spec: &FormatSpec,
    value: f64,
    locale: &Locale<'_>,
    sink: &mut S,
) -> Result<(), TextError> {
    let percent = spec.kind == u32::from(b'%');
    let text = if percent { float_text(spec, value * 100.0, true)? } else { float_text(spec, value, false)? };
    let mut parts = Parts::of_float(&text);
    parts.percent = percent;
    Ok(number(spec, &parts, locale, sink)?)
}

/// Formats a complex number.
///
/// # Errors
/// "Unknown format code …", `ValueError`s for what complex numbers do not have; `NoMemory`.
pub fn format_complex<S: TextSink>(
    spec: &FormatSpec,
    real: f64,
    imaginary: f64,
    locale: &Locale<'_>,
    sink: &mut S,
) -> Result<(), TextError> {
    if ascii(spec.kind) == b'%' {
        return Err(Message::UnknownCode(spec.kind).into());
    }
    let (re, im) = (float_text_of_complex(spec, real)?, float_text_of_complex(spec, imaginary)?);
    if spec.fill == u32::from(b'0') {
        return Err(Message::Value("Zero padding is not allowed in complex format specifier").into());
    }
    if spec.align == Align::AfterSign {
        return Err(Message::Value("'=' alignment flag is not allowed in complex format specifier").into());
    }
    // Without a type it looks as `str` shows it: a positive zero real part is left out.
    let plain = spec.kind == 0;
    let only_imaginary = plain && real == 0.0 && real.is_sign_positive();
    let parentheses = plain && !only_imaginary;

    let inner = FormatSpec { fill: 0, align: Align::Left, width: None, ..*spec };
    let signed = FormatSpec { sign: if only_imaginary { spec.sign } else { b'+' }, ..inner };
    let (re, im) = (Parts::of_float(&re), Parts::of_float(&im));
    let re_len = if only_imaginary { 0 } else { Layout::new(&inner, &re, locale).total() };
    let len = re_len + Layout::new(&signed, &im, locale).total() + 1 + 2 * usize::from(parentheses);
    let (left, _, right) = padding(spec, len);
    sink.push_fill(spec.fill, left)?;
    if parentheses {
        sink.push_ascii(b"(")?;
    }
    if !only_imaginary {
        number(&inner, &re, locale, sink)?;
    }
    number(&signed, &im, locale, sink)?;
    sink.push_ascii(b"j")?;
    if parentheses {
        sink.push_ascii(b")")?;
    }
    Ok(sink.push_fill(spec.fill, right)?)
}

fn float_text_of_complex(spec: &FormatSpec, value: f64) -> Result<FloatText, Message> {
    // What a float shows with ".0" a complex number shows without.
    float_text_with(spec, value, false, false)
}

fn float_text(spec: &FormatSpec, value: f64, percent: bool) -> Result<FloatText, Message> {
    float_text_with(spec, value, percent, true)
}

fn float_text_with(spec: &FormatSpec, value: f64, percent: bool, add_dot_0: bool) -> Result<FloatText, Message> {
    let kind = ascii(spec.kind);
    let format = match kind {
        b'e' | b'E' => FloatFormat::Exponent,
        b'f' | b'F' => FloatFormat::Fixed,
        b'g' | b'G' | b'n' => FloatFormat::General,
        b'%' if percent => FloatFormat::Fixed,
        // With a precision, no type is much like `g`.
        0 if spec.precision.is_some() => FloatFormat::General,
        0 => FloatFormat::Repr,
        _ => return Err(Message::UnknownCode(spec.kind)),
    };
    let precision = spec.precision.unwrap_or(6);
    if precision > i32::MAX as usize {
        return Err(Message::Value("precision too big"));
    }
    let flags = FloatFlags {
        alternate: spec.alternate,
        add_dot_0: kind == 0 && add_dot_0,
        no_negative_zero: spec.no_negative_zero,
        upper: kind.is_ascii_uppercase(),
    };
    Ok(format_float(value, format, precision, flags))
}

/// A number in the pieces that it is laid out from.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    negative: bool,
    prefix: &'a [u8],
    digits: &'a [u8],
    upper: bool,
    point: bool,
    fraction: &'a [u8],
    fraction_zeros: usize,
    suffix: &'a [u8],
    percent: bool,
}

impl<'a> Parts<'a> {
    fn of_float(text: &'a FloatText) -> Self {
        Parts {
            negative: text.negative,
            digits: text.whole(),
            point: text.point,
            fraction: text.fraction(),
            fraction_zeros: text.fraction_zeros,
            suffix: text.suffix(),
            ..Parts::default()
        }
    }
}

/// The sizes of groups of digits, from the point outwards, and what stands between them.
#[derive(Clone, Copy)]
struct Groups<'a> {
    separator: &'a [u32],
    sizes: &'a [u8],
}

const COMMA: &[u32] = &[b',' as u32];
const UNDERSCORE: &[u32] = &[b'_' as u32];

impl<'a> Groups<'a> {
    fn of(grouping: Grouping, is_n: bool, locale: &Locale<'a>) -> Self {
        match grouping {
            _ if is_n => Groups { separator: locale.separator, sizes: locale.grouping },
            Grouping::Comma => Groups { separator: COMMA, sizes: &[3] },
            Grouping::Underscore => Groups { separator: UNDERSCORE, sizes: &[3] },
            Grouping::UnderscoreFour => Groups { separator: UNDERSCORE, sizes: &[4] },
            Grouping::Locale => Groups { separator: locale.separator, sizes: locale.grouping },
            Grouping::None => Groups { separator: &[], sizes: &[] },
        }
    }

    /// The size of the `index`th group: `usize::MAX` when it takes all the rest.
    fn size(&self, index: usize) -> usize {
        let size = match self.sizes.get(index) {
            // A zero repeats the group before it.
            None | Some(0) => self.sizes[..index.min(self.sizes.len())].iter().rev().find(|&&size| size != 0),
            size => size,
        };
        match size {
            None | Some(127) => usize::MAX,
            Some(&size) => usize::from(size),
        }
    }

    /// How many digits (zeros among them) `count` digits become when at least `min_width` is to be filled,
    /// and how wide they are with their separators.
    fn measure(&self, count: usize, min_width: usize) -> (usize, usize) {
        let (mut left, mut missing) = (count, min_width);
        let (mut digits, mut width) = (0, 0);
        for index in 0.. {
            let size = self.size(index).min(left.max(missing).max(1));
            digits += size;
            width += size;
            left = left.saturating_sub(size);
            missing = missing.saturating_sub(size);
            if left == 0 && missing == 0 {
                break;
            }
            width += self.separator.len();
            missing = missing.saturating_sub(self.separator.len());
        }
        (digits, width)
    }

    /// Whether a separator stands `distance` digits away from the point.
    fn is_boundary(&self, distance: usize) -> bool {
        let mut sum = 0usize;
        for index in 0.. {
            let size = self.size(index);
            // Only one size is left: it repeats from here.
            if index >= self.sizes.len() {
                return distance > sum && size != usize::MAX && (distance - sum).is_multiple_of(size);
            }
            sum = sum.saturating_add(size);
            if sum >= distance {
                return sum == distance && sum != 0;
            }
        }
        false
    }
}

struct Layout<'a> {
    sign: Option<u8>,
    whole: Groups<'a>,
    fraction: Groups<'a>,
    /// Digits to write before the point, leading zeros included, and their width.
    digits: usize,
    digits_width: usize,
    point: &'a [u32],
    others: usize,
}

impl<'a> Layout<'a> {
    fn new(spec: &FormatSpec, parts: &Parts<'_>, locale: &Locale<'a>) -> Self {
        let is_n = spec.kind == u32::from(b'n');
        let whole = Groups::of(spec.grouping, is_n, locale);
        let fraction = Groups::of(spec.fraction_grouping, false, locale);
        let point: &[u32] = match (parts.point, is_n) {
            (false, _) => &[],
            (true, true) => locale.point,
            (true, false) => Locale::C.point,
        };
        let sign = match (parts.negative, spec.sign) {
            (true, _) => Some(b'-'),
            (false, b'+' | b' ') => Some(spec.sign),
            _ => None,
        };
        let fraction_len = parts.fraction.len() + parts.fraction_zeros;
        let fraction_width = if fraction_len == 0 { 0 } else { fraction.measure(fraction_len, 0).1 };
        let others = usize::from(sign.is_some())
            + parts.prefix.len()
            + point.len()
            + fraction_width
            + parts.suffix.len()
            + usize::from(parts.percent);
        // Zeros that fill are digits, and take part in the grouping.
        let zeros = spec.fill == u32::from(b'0') && spec.align == Align::AfterSign;
        let min_width = if zeros { spec.width.unwrap_or(0).saturating_sub(others) } else { 0 };
        let (digits, digits_width) =
            if parts.digits.is_empty() { (0, 0) } else { whole.measure(parts.digits.len(), min_width) };
        Layout { sign, whole, fraction, digits, digits_width, point, others }
    }

    fn total(&self) -> usize {
        self.others + self.digits_width
    }
}

/// Fill on the left, after the sign, and on the right of something `len` wide.
fn padding(spec: &FormatSpec, len: usize) -> (usize, usize, usize) {
    let space = spec.width.unwrap_or(0).saturating_sub(len);
    match spec.align {
        Align::Left => (0, 0, space),
        Align::Right => (space, 0, 0),
        Align::Center => (space / 2, 0, space - space / 2),
        Align::AfterSign => (0, space, 0),
    }
}

fn number<S: TextSink>(
    spec: &FormatSpec,
    parts: &Parts<'_>,
    locale: &Locale<'_>,
    sink: &mut S,
) -> Result<(), NoMemory> {
    let layout = Layout::new(spec, parts, locale);
    let (left, inner, right) = padding(spec, layout.total());
    sink.push_fill(spec.fill, left)?;
    if let Some(sign) = layout.sign {
        sink.push_ascii(&[sign])?;
    }
    sink.push_ascii(parts.prefix)?;
    sink.push_fill(spec.fill, inner)?;
    let zeros = layout.digits - parts.digits.len();
    for index in 0..layout.digits {
        if index > 0 && !layout.whole.separator.is_empty() && layout.whole.is_boundary(layout.digits - index) {
            push_all(sink, layout.whole.separator)?;
        }
        let digit = if index < zeros { b'0' } else { parts.digits[index - zeros] };
        sink.push(u32::from(if parts.upper { digit.to_ascii_uppercase() } else { digit }))?;
    }
    push_all(sink, layout.point)?;
    let grouped = !layout.fraction.separator.is_empty();
    for index in 0..parts.fraction.len() + parts.fraction_zeros {
        if grouped && index > 0 && layout.fraction.is_boundary(index) {
            push_all(sink, layout.fraction.separator)?;
        }
        sink.push(u32::from(parts.fraction.get(index).copied().unwrap_or(b'0')))?;
    }
    sink.push_ascii(parts.suffix)?;
    if parts.percent {
        sink.push_ascii(b"%")?;
    }
    sink.push_fill(spec.fill, right)
}

fn push_all<S: TextSink>(sink: &mut S, text: &[u32]) -> Result<(), NoMemory> {
    for &ch in text {
        sink.push(ch)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::format_spec::Target;
    use crate::text::testing::TestHeap;
    use hognose_allocators::collections::TryVec;

    fn shown(spec: &str, value: f64, locale: &Locale<'_>) -> String {
        let spec = FormatSpec::parse(spec.as_bytes(), Target::Float).unwrap();
        let mut sink = TryVec::new();
        format_f64(&spec, value, locale, &mut sink).unwrap();
        sink.iter().map(|&ch| char::from_u32(ch).unwrap()).collect()
    }

    #[test]
    fn fractions_are_grouped_from_the_point_on() {
        let _heap = TestHeap::new();
        assert_eq!(shown(",.7_f", 1234567.1234567, &Locale::C), "1,234,567.123_456_7");
        assert_eq!(shown(".6,f", 0.5, &Locale::C), "0.500,000");
        assert_eq!(shown("._", 0.12345, &Locale::C), "0.123_45");
        assert_eq!(shown("020_.6_f", 1234.5, &Locale::C), "0_000_001_234.500_000");
    }

    #[test]
    fn type_n_asks_the_locale() {
        let _heap = TestHeap::new();
        let swiss = Locale { point: &[u32::from(b',')], separator: &[0x2019], grouping: &[3, 3, 0] };
        assert_eq!(shown("n", 12345.5, &swiss), "12\u{2019}345,5");
        assert_eq!(shown(".10n", 1234567.5, &swiss), "1\u{2019}234\u{2019}567,5");
        let indian = Locale { point: &[u32::from(b'.')], separator: &[u32::from(b',')], grouping: &[3, 2, 0] };
        assert_eq!(shown(".12n", 123456789.0, &indian), "12,34,56,789");
        let once = Locale { point: &[u32::from(b'.')], separator: &[u32::from(b',')], grouping: &[3, 127] };
        assert_eq!(shown(".12n", 123456789.0, &once), "123456,789");
        assert_eq!(shown("n", 1234.0, &Locale::C), "1234");
    }
}
