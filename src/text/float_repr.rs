//! `f64` to and from text: `repr`, the `e`, `f` and `g` formats, `float(text)`, and the hexadecimal pair.
//!
//! The digits come from `core::fmt`, which rounds exactly and to even; what is ours is CPython's choice
//! between notations and its reading of text. Nothing here uses a heap, except for `float` of a long text
//! with underscores or foreign digits.

use core::fmt::Write;

use hognose_allocators::{NoMemory, collections::TryVec};

use super::message::Message;
use super::{Buffer, Text, TextSink, chars, int_text::trim};

/// How a float is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatFormat {
    /// The shortest text that reads back as the same value.
    Repr,
    /// `e`: one digit before the point, an exponent.
    Exponent,
    /// `f`: no exponent.
    Fixed,
    /// `g`: significant digits, with an exponent only where that is shorter.
    General,
}

/// Details of how a float is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FloatFlags {
    /// `#`: keep the point and trailing zeros.
    pub alternate: bool,
    /// Write ".0" after a whole number, as `repr` does.
    pub add_dot_0: bool,
    /// `z`: no sign on what is written as zero.
    pub no_negative_zero: bool,
    /// `E`, `F`, `G`.
    pub upper: bool,
}

/// More digits than any value has, after the point (1074) or significant (767): the rest are zeros.
const MOST_DIGITS: usize = 1100;
/// Room for 309 digits before the point and [`MOST_DIGITS`] behind it.
const ROOM: usize = 1500;

/// A float in text, in the pieces that padding and grouping need.
#[derive(Debug, Clone, Copy)]
pub struct FloatText {
    /// Whether a minus sign belongs before it.
    pub negative: bool,
    digits: Buffer<ROOM>,
    whole: usize,
    /// Whether a decimal point follows the whole digits.
    pub point: bool,
    /// Zeros that follow the digits of the fraction.
    pub fraction_zeros: usize,
    suffix: Buffer<8>,
}

impl FloatText {
    /// The digits before the point; empty for infinity and not-a-number.
    pub fn whole(&self) -> &[u8] {
        &self.digits.as_bytes()[..self.whole]
    }
    /// The digits after the point, without [`FloatText::fraction_zeros`].
    pub fn fraction(&self) -> &[u8] {
        &self.digits.as_bytes()[self.whole..]
    }
    /// The exponent, or "inf" or "nan".
    pub fn suffix(&self) -> &[u8] {
        self.suffix.as_bytes()
    }

    /// Writes it as it is, with a sign where it is negative.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    pub fn write<S: TextSink>(&self, sink: &mut S) -> Result<(), NoMemory> {
        if self.negative {
            sink.push_ascii(b"-")?;
        }
        sink.push_ascii(self.whole())?;
        if self.point {
            sink.push_ascii(b".")?;
        }
        sink.push_ascii(self.fraction())?;
        sink.push_fill(u32::from(b'0'), self.fraction_zeros)?;
        sink.push_ascii(self.suffix())
    }
}

/// Writes `repr(value)`.
///
/// # Errors
/// `NoMemory` when the sink cannot grow.
pub fn repr<S: TextSink>(value: f64, sink: &mut S) -> Result<(), NoMemory> {
    let flags = FloatFlags { add_dot_0: true, ..FloatFlags::default() };
    format_float(value, FloatFormat::Repr, 0, flags).write(sink)
}

/// Significant digits and the place of the point: the value is 0.d1d2d3… × 10^point.
struct Decimal {
    digits: Buffer<ROOM>,
    point: i32,
}

impl Decimal {
    /// From what `core::fmt` writes with an exponent: "d.ddde-x".
    fn from_exponent(text: &[u8]) -> Decimal {
        let mut decimal = Decimal { digits: Buffer::new(), point: 1 };
        let mut exponent = 0i32;
        let mut negative = false;
        let mut behind = false;
        for &byte in text {
            match byte {
                b'e' => behind = true,
                b'-' => negative = true,
                b'0'..=b'9' if behind => exponent = exponent * 10 + i32::from(byte - b'0'),
                b'0'..=b'9' => decimal.digits.push(byte),
                _ => {}
            }
        }
        decimal.point += if negative { -exponent } else { exponent };
        decimal
    }

    fn rounded(magnitude: f64, digits: usize) -> Decimal {
        let precision = digits.clamp(1, MOST_DIGITS) - 1;
        let mut text = Buffer::<ROOM>::new();
        // It fits: the digits are limited, the exponent has at most four characters.
        let _ = write!(text, "{magnitude:.precision$e}");
        Decimal::from_exponent(text.as_bytes())
    }

    fn shortest(magnitude: f64) -> Decimal {
        let mut text = Buffer::<32>::new();
        // Seventeen digits, a point and an exponent fit.
        let _ = write!(text, "{magnitude:e}");
        let shortest = Decimal::from_exponent(text.as_bytes());
        let len = shortest.digits.as_bytes().len();
        if len < 16 {
            return shortest;
        }
        // Where two shortest texts are equally near, CPython wants the even one, and that is what rounding to
        // this many digits gives.
        let mut even = Buffer::<32>::new();
        let precision = len - 1;
        let _ = write!(even, "{magnitude:.precision$e}");
        let reads_back = core::str::from_utf8(even.as_bytes())
            .ok()
            .and_then(|text| text.parse::<f64>().ok())
            .is_some_and(|value| value.to_bits() == magnitude.to_bits());
        if reads_back { Decimal::from_exponent(even.as_bytes()) } else { shortest }
    }
}

/// Formats a value. `precision` is the digits after the point for `e` and `f`, the significant digits for
/// `g`, and ignored for `repr`.
pub fn format_float(value: f64, format: FloatFormat, precision: usize, flags: FloatFlags) -> FloatText {
    let mut text = FloatText {
        negative: value.is_sign_negative() && !value.is_nan(),
        digits: Buffer::new(),
        whole: 0,
        point: false,
        fraction_zeros: 0,
        suffix: Buffer::new(),
    };
    if !value.is_finite() {
        text.suffix.extend(match (value.is_nan(), flags.upper) {
            (true, false) => b"nan",
            (true, true) => b"NAN",
            (false, false) => b"inf",
            (false, true) => b"INF",
        });
        return text;
    }
    let magnitude = value.abs();
    match format {
        FloatFormat::Fixed => fixed(&mut text, magnitude, precision, flags),
        FloatFormat::Exponent => {
            let decimal = Decimal::rounded(magnitude, precision.saturating_add(1));
            let shown = precision.saturating_add(1);
            with_exponent(&mut text, &decimal, shown, flags);
        }
        FloatFormat::General => {
            let shown = precision.max(1);
            let decimal = Decimal::rounded(magnitude, shown);
            // With ".0" to be added, the last digit before it would be made up.
            let most = shown - usize::from(flags.add_dot_0);
            let exponent = decimal.point <= -4 || usize::try_from(decimal.point).is_ok_and(|point| point > most);
            general(&mut text, &decimal, shown, exponent, flags);
        }
        FloatFormat::Repr => {
            let decimal = Decimal::shortest(magnitude);
            let exponent = decimal.point <= -4 || decimal.point > 16;
            general(&mut text, &decimal, 0, exponent, flags);
        }
    }
    if flags.no_negative_zero && text.digits.as_bytes().iter().all(|&digit| digit == b'0') {
        text.negative = false;
    }
    text
}

fn fixed(text: &mut FloatText, magnitude: f64, precision: usize, flags: FloatFlags) {
    let written = precision.min(MOST_DIGITS);
    let mut plain = Buffer::<ROOM>::new();
    // At most 309 digits stand before the point.
    let _ = write!(plain, "{magnitude:.written$}");
    let mut parts = plain.as_bytes().split(|&byte| byte == b'.');
    let whole = parts.next().unwrap_or_default();
    text.digits.extend(whole);
    text.whole = whole.len();
    text.digits.extend(parts.next().unwrap_or_default());
    text.fraction_zeros = precision - written;
    text.point = precision > 0 || flags.alternate;
    if flags.add_dot_0 && precision == 0 {
        text.point = true;
        text.fraction_zeros = 1;
    }
}

/// One digit, the rest behind the point, an exponent. `shown` is the number of digits, where that is fixed.
fn with_exponent(text: &mut FloatText, decimal: &Decimal, shown: usize, flags: FloatFlags) {
    let digits = decimal.digits.as_bytes();
    text.digits.extend(digits);
    text.whole = 1;
    text.fraction_zeros = shown.saturating_sub(digits.len());
    text.point = digits.len() + text.fraction_zeros > 1 || flags.alternate;
    // Zero is written with exponent 0 whatever its digits say.
    let exponent = if digits.iter().all(|&digit| digit == b'0') { 0 } else { decimal.point - 1 };
    let _ = write!(text.suffix, "{}{:+03}", if flags.upper { 'E' } else { 'e' }, exponent);
}

/// The notation of `g` and `repr`; `shown` is the precision that `#` fills up to.
fn general(text: &mut FloatText, decimal: &Decimal, shown: usize, exponent: bool, flags: FloatFlags) {
    let all = decimal.digits.as_bytes();
    let kept = if flags.alternate {
        all.len()
    } else {
        all.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1)
    };
    let shown = if flags.alternate { shown.max(kept) } else { kept };
    let digits = &all[..kept];
    if exponent {
        let mut decimal = Decimal { digits: Buffer::new(), point: decimal.point };
        decimal.digits.extend(digits);
        with_exponent(text, &decimal, shown, flags);
        return;
    }
    match usize::try_from(decimal.point) {
        Ok(point @ 1..) => {
            for place in 0..point {
                text.digits.push(digits.get(place).copied().unwrap_or(b'0'));
            }
            text.whole = point;
            text.digits.extend(digits.get(point..).unwrap_or_default());
            text.fraction_zeros = shown.saturating_sub(kept.max(point));
        }
        _ => {
            text.digits.push(b'0');
            text.whole = 1;
            for _ in decimal.point..0 {
                text.digits.push(b'0');
            }
            text.digits.extend(digits);
            text.fraction_zeros = shown - kept;
        }
    }
    let has_fraction = text.digits.as_bytes().len() + text.fraction_zeros > text.whole;
    text.point = has_fraction || flags.alternate;
    if flags.add_dot_0 && !has_fraction {
        text.point = true;
        text.fraction_zeros = 1;
    }
}

/// `float(text)`: white space around it, underscores between digits, digits of any script, infinities and
/// not-a-number in any case. `None` when the text is not a number.
///
/// # Errors
/// `NoMemory` when a long text has no room for its plain form.
pub fn parse_float<T: Text + ?Sized>(text: &T) -> Result<Option<f64>, NoMemory> {
    let (start, end) = trim(text);
    let mut short = Buffer::<64>::new();
    if end - start <= 64 {
        let mut put = |byte| {
            short.push(byte);
            Ok(())
        };
        return Ok(match plain(text, start, end, &mut put)? {
            true => parse_plain(short.as_bytes()),
            false => None,
        });
    }
    let mut long = TryVec::new();
    long.try_reserve(end - start)?;
    Ok(match plain(text, start, end, &mut |byte| long.try_push(byte))? {
        true => parse_plain(&long),
        false => None,
    })
}

/// Puts the text into plain ASCII; `false` when it has an underscore in a wrong place or a foreign character.
fn plain<T: Text + ?Sized>(
    text: &T,
    start: usize,
    end: usize,
    put: &mut dyn FnMut(u8) -> Result<(), NoMemory>,
) -> Result<bool, NoMemory> {
    let mut after_digit = false;
    for at in start..end {
        let ch = text.at(at);
        let digit = chars::decimal_value(ch);
        if ch == u32::from(b'_') {
            let before_digit = at + 1 < end && chars::decimal_value(text.at(at + 1)).is_some();
            if !after_digit || !before_digit {
                return Ok(false);
            }
        } else if let Some(digit) = digit {
            put(b'0' + digit)?;
        } else if let Ok(byte @ 0..0x80) = u8::try_from(ch) {
            put(byte)?;
        } else {
            return Ok(false);
        }
        after_digit = digit.is_some();
    }
    Ok(true)
}

fn parse_plain(text: &[u8]) -> Option<f64> {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    let named = [b"inf".as_slice(), b"infinity", b"nan"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    // The standard parser reads the same numbers; what else it takes must not reach it.
    if !named && !unsigned.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Writes `float.hex()`.
///
/// # Errors
/// `NoMemory` when the sink cannot grow.
pub fn write_hex<S: TextSink>(value: f64, sink: &mut S) -> Result<(), NoMemory> {
    if !value.is_finite() {
        return repr(value, sink);
    }
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let biased = (bits >> 52 & 0x7FF) as i32;
    let mut text = Buffer::<32>::new();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    // A sign, thirteen digits and an exponent fit.
    let _ = match (biased, fraction) {
        (0, 0) => write!(text, "{sign}0x0.0p+0"),
        (0, _) => write!(text, "{sign}0x0.{fraction:013x}p-1022"),
        _ => write!(text, "{sign}0x1.{fraction:013x}p{:+}", biased - 1023),
    };
    sink.push_ascii(text.as_bytes())
}

const NOT_HEX: Message = Message::Value("invalid hexadecimal floating-point string");
const TOO_LARGE: Message = Message::Overflow("hexadecimal value too large to represent as a float");

/// `float.fromhex(text)`.
///
/// # Errors
/// The `ValueError` or `OverflowError` to raise.
pub fn parse_hex<T: Text + ?Sized>(text: &T) -> Result<f64, Message> {
    let (mut at, end) = trim(text);
    let peek = |at: usize| {
        if at < end { u8::try_from(text.at(at)).unwrap_or(0) } else { 0 }
    };
    let negative = peek(at) == b'-';
    if negative || peek(at) == b'+' {
        at += 1;
    }
    let signed = |value: f64| Ok(if negative { -value } else { value });
    let rest_is = |name: &[u8]| {
        end - at == name.len() && name.iter().enumerate().all(|(i, b)| peek(at + i).eq_ignore_ascii_case(b))
    };
    if rest_is(b"inf") || rest_is(b"infinity") {
        return signed(f64::INFINITY);
    }
    if rest_is(b"nan") {
        return signed(f64::NAN);
    }
    if peek(at) == b'0' && peek(at + 1).eq_ignore_ascii_case(&b'x') {
        at += 2;
    }

    // The leading bits of the digits; what does not fit is only remembered as "something".
    let mut mantissa: u64 = 0;
    let mut sticky = false;
    let mut exponent: i64 = 0;
    let mut any = false;
    let mut behind_point = false;
    loop {
        match peek(at) {
            b'.' if !behind_point => behind_point = true,
            byte => {
                let Some(digit) = char::from(byte).to_digit(16) else {
                    break;
                };
                any = true;
                if mantissa >> 60 == 0 {
                    mantissa = mantissa << 4 | u64::from(digit);
                    exponent -= if behind_point { 4 } else { 0 };
                } else {
                    sticky |= digit != 0;
                    exponent += if behind_point { 0 } else { 4 };
                }
            }
        }
        at += 1;
    }
    if !any {
        return Err(NOT_HEX);
    }
    if peek(at).eq_ignore_ascii_case(&b'p') {
        at += 1;
        let minus = peek(at) == b'-';
        if minus || peek(at) == b'+' {
            at += 1;
        }
        let mut power: i64 = 0;
        let first = at;
        while peek(at).is_ascii_digit() {
            power = power.saturating_mul(10).saturating_add(i64::from(peek(at) - b'0')).min(i64::MAX / 4);
            at += 1;
        }
        if at == first {
            return Err(NOT_HEX);
        }
        exponent += if minus { -power } else { power };
    }
    if at != end {
        return Err(NOT_HEX);
    }
    if mantissa == 0 {
        return signed(0.0);
    }
    signed(assemble(mantissa, sticky, exponent)?)
}

/// `mantissa × 2^exponent`, rounded to even; `sticky` says that a little more is meant.
fn assemble(mantissa: u64, sticky: bool, exponent: i64) -> Result<f64, Message> {
    let shift = i64::from(mantissa.leading_zeros());
    let mantissa = mantissa << shift;
    // The value is mantissa / 2^63 × 2^top, between 1 and 2 times 2^top.
    let top = exponent - shift + 63;
    if top > 1023 {
        return Err(TOO_LARGE);
    }
    // Normal numbers keep 53 bits, subnormal ones fewer.
    let dropped = if top >= -1022 { 11 } else { 11 + (-1022 - top) };
    if dropped > 64 {
        return Ok(0.0);
    }
    let kept = if dropped == 64 { 0 } else { mantissa >> dropped };
    let half = 1u64 << (dropped - 1);
    let rest = mantissa & (half | (half - 1));
    let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
    let kept = kept + u64::from(up);
    // The exponent field is added, so that a carry out of the fraction moves into it.
    let bits = if top >= -1022 { kept + ((top + 1022) as u64) * (1 << 52) } else { kept };
    let value = f64::from_bits(bits);
    if value.is_finite() { Ok(value) } else { Err(TOO_LARGE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing::{TestHeap, with_too_little_memory};

    fn text(write: impl FnOnce(&mut TryVec<u32>) -> Result<(), NoMemory>) -> String {
        let mut sink = TryVec::new();
        write(&mut sink).unwrap();
        sink.iter().map(|&ch| char::from_u32(ch).unwrap()).collect()
    }

    fn format(value: f64, format: FloatFormat, precision: usize, flags: FloatFlags) -> String {
        text(|sink| format_float(value, format, precision, flags).write(sink))
    }

    #[test]
    fn repr_is_cpythons() {
        let _heap = TestHeap::new();
        for (value, expected) in [
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
            (0.1, "0.1"),
            (123456.789, "123456.789"),
            (5e-324, "5e-324"),
            (2f64.powi(-25), "2.9802322387695312e-08"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (f64::from_bits(0x42e2_6687_db6b_9b04), "161852602146008.12"),
            (1e22, "1e+22"),
            (9007199254740993.0, "9007199254740992.0"),
        ] {
            assert_eq!(text(|sink| repr(value, sink)), expected);
        }
    }

    #[test]
    fn the_formats_choose_notation_and_zeros_as_cpython_does() {
        let _heap = TestHeap::new();
        use FloatFormat::{Exponent, Fixed, General};
        let plain = FloatFlags::default();
        let alternate = FloatFlags { alternate: true, ..plain };
        let dot = FloatFlags { add_dot_0: true, ..plain };
        for (value, kind, precision, flags, expected) in [
            (0.5, Fixed, 0, plain, "0"),
            (2.5, Fixed, 0, alternate, "2."),
            (1e100, Fixed, 1, plain, &*(format!("{:.1}", 1e100))),
            (0.0, Exponent, 2, plain, "0.00e+00"),
            (12345.678, Exponent, 0, plain, "1e+04"),
            (1.0, Exponent, 0, alternate, "1.e+00"),
            (100000.0, General, 6, plain, "100000"),
            (1000000.0, General, 6, plain, "1e+06"),
            (0.0001, General, 6, plain, "0.0001"),
            (0.00001, General, 6, alternate, "1.00000e-05"),
            (1.0, General, 6, alternate, "1.00000"),
            (0.0, General, 3, alternate, "0.00"),
            (100.0, General, 3, dot, "1e+02"),
            (10.0, General, 3, dot, "10.0"),
            (-0.0, General, 6, plain, "-0"),
        ] {
            assert_eq!(format(value, kind, precision, flags), expected, "{value} {kind:?} {precision}");
        }
        let zero = FloatFlags { no_negative_zero: true, ..plain };
        assert_eq!(format(-0.001, Fixed, 1, zero), "0.0");
        assert_eq!(format(-0.06, Fixed, 1, zero), "-0.1");
        assert_eq!(format(0.1, Fixed, 70_000, plain).len(), 70_002);
    }

    #[test]
    fn float_reads_what_it_reads_and_no_more() {
        let _heap = TestHeap::new();
        let parse = |text: &str| {
            let units: Vec<u32> = text.chars().map(u32::from).collect();
            parse_float(units.as_slice()).unwrap()
        };
        for (text, value) in [
            (" 1_0.5_0e1_0\n", 10.5e10),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("INF", f64::INFINITY),
            ("\u{661}\u{662}.\u{663}", 12.3),
            ("1e400", f64::INFINITY),
            ("1E-400", 0.0),
        ] {
            assert_eq!(parse(text), Some(value), "{text:?}");
        }
        assert!(parse("-nan").unwrap().is_nan());
        assert_eq!(parse(&format!("0.{}1", "0_0".repeat(40))), Some(1e-81));
        for text in [
            "", " ", ".", "e5", "1e", "_1", "1_", "1__0", "1_.5", "1._5", "0x10", "infin", "1 2", "1e5.0", "nan(1)",
            "--1", "é",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        let _heap = TestHeap::new();
        for (value, expected) in [
            (0.0, "0x0.0p+0"),
            (-0.1, "-0x1.999999999999ap-4"),
            (1.0, "0x1.0000000000000p+0"),
            (5e-324, "0x0.0000000000001p-1022"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
            (f64::INFINITY, "inf"),
        ] {
            let written = text(|sink| write_hex(value, sink));
            assert_eq!(written, expected);
            assert_eq!(parse_hex(written.as_bytes()), Ok(value));
        }
        let parse = |text: &str| parse_hex(text.as_bytes());
        for (text, value) in [
            ("a", 10.0),
            (" 0x.8p1 ", 1.0),
            ("1.8", 1.5),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000080001p0", 1.0 + f64::EPSILON),
            ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("0x1p-5000", 0.0),
            ("0x0p99999999999999999999", 0.0),
            ("0x0.fffffffffffffcp-1022", f64::MIN_POSITIVE),
        ] {
            assert_eq!(parse(text), Ok(value), "{text:?}");
        }
        for text in ["", "0x", "p3", "0x1p", "0x1.2.3", "1g", "0x 1"] {
            assert_eq!(parse(text), Err(NOT_HEX), "{text:?}");
        }
        assert_eq!(parse("0x1p1024"), Err(TOO_LARGE));
        assert_eq!(parse("0x1.fffffffffffff8p1023"), Err(TOO_LARGE));
    }

    #[test]
    fn running_out_of_memory_is_an_error() {
        let long = "1_0".repeat(40);
        with_too_little_memory(NoMemory, || parse_float(long.as_bytes()));
        with_too_little_memory(NoMemory, || {
            let mut sink = TryVec::new();
            repr(0.1, &mut sink)
        });
    }
}
