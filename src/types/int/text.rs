//! Ints from text and to text, in any base.
//!
//! Conversions between binary and other bases take more than linear time, so their sizes are limited
//! (`sys.set_int_max_str_digits`); bases that are powers of two have no limit.

use core::fmt::Write;

use dashu_int::UBig;
use hognose_allocators::collections::TryVec;

use super::{Draft, PyInt, words};
use crate::object::{PyObject, PyRef, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::text::chars;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, StrData};

/// Numbers of so many digits are never refused.
const LIMIT_THRESHOLD: usize = 640;
/// Up to so many words the quadratic way to and from decimal digits is as fast as the library.
const SIMPLE_WORDS: usize = 24;

/// The digits of an int's magnitude, in ASCII and lower case.
pub enum DigitText {
    /// Those of a machine word: the digits are the last ones.
    Short([u8; 64], u8),
    /// Those of any other.
    Long(TryVec<u8>),
}

impl DigitText {
    /// The digits of `int` in a base from 2 to 36. Raises ValueError past the limit for bases that are
    /// no powers of two.
    pub fn new(ts: &ThreadState, int: &PyInt, base: u32) -> PyResult<DigitText> {
        if let Some(value) = int.as_i64() {
            return Ok(DigitText::of_word(value.unsigned_abs(), base));
        }
        DigitText::of_large(ts, int, base)
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            DigitText::Short(buffer, count) => &buffer[64 - usize::from(*count)..],
            DigitText::Long(digits) => digits,
        }
    }

    fn of_word(mut value: u64, base: u32) -> DigitText {
        let mut buffer = [0; 64];
        let mut at = 64;
        loop {
            at -= 1;
            buffer[at] = digit_char((value % u64::from(base)) as u8);
            value /= u64::from(base);
            if value == 0 {
                return DigitText::Short(buffer, 64 - at as u8);
            }
        }
    }

    fn of_large(ts: &ThreadState, int: &PyInt, base: u32) -> PyResult<DigitText> {
        let mut scratch = 0;
        let (_, magnitude) = int.magnitude(&mut scratch);
        let mut digits = TryVec::new();
        if base.is_power_of_two() {
            power_of_two_digits(&mut digits, magnitude, base.trailing_zeros())?;
            return Ok(DigitText::Long(digits));
        }
        let limit = ts.interp().int_max_str_digits.get();
        // log10(2) is a bit more than 0.301.
        if base == 10 && limit > 0 && words::bit_length(magnitude) as f64 * 0.301 > limit as f64 + 1.0 {
            return too_long_to_write(ts, limit);
        }
        if magnitude.len() <= SIMPLE_WORDS {
            simple_digits(&mut digits, magnitude, base)?;
        } else {
            library_digits(&mut digits, magnitude, base)?;
        }
        if base == 10 && limit > 0 && digits.len() > limit.max(LIMIT_THRESHOLD) {
            return too_long_to_write(ts, limit);
        }
        Ok(DigitText::Long(digits))
    }
}

#[cold]
fn too_long_to_write<T>(ts: &ThreadState, limit: usize) -> PyResult<T> {
    raise!(
        ts,
        exc::ValueError,
        "Exceeds the limit ({limit} digits) for integer string conversion; \
         use sys.set_int_max_str_digits() to increase the limit"
    )
}

fn digit_char(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

fn power_of_two_digits(digits: &mut TryVec<u8>, magnitude: &[u64], bits: u32) -> PyResult<()> {
    let count = words::bit_length(magnitude).div_ceil(u64::from(bits));
    digits.try_reserve(count as usize)?;
    for index in (0..count).rev() {
        let at = index * u64::from(bits);
        let (word, low) = ((at / 64) as usize, (at % 64) as u32);
        let mut digit = magnitude[word] >> low;
        if low + bits > 64 && word + 1 < magnitude.len() {
            digit |= magnitude[word + 1] << (64 - low);
        }
        digits.try_push(digit_char((digit & ((1 << bits) - 1)) as u8))?;
    }
    Ok(())
}

/// The largest power of the base that fits a word, and its exponent.
fn chunk_of(base: u32) -> (u64, usize) {
    let (mut power, mut count) = (u64::from(base), 1);
    while let Some(next) = power.checked_mul(u64::from(base)) {
        power = next;
        count += 1;
    }
    (power, count)
}

fn simple_digits(digits: &mut TryVec<u8>, magnitude: &[u64], base: u32) -> PyResult<()> {
    let mut rest = [0u64; SIMPLE_WORDS];
    let mut rest = &mut rest[..magnitude.len()];
    rest.copy_from_slice(magnitude);
    let (power, chunk) = chunk_of(base);
    digits.try_reserve(magnitude.len() * 64)?;
    while !rest.is_empty() {
        let mut part = words::div_word(rest, power);
        let length = words::trim(rest).len();
        rest = &mut rest[..length];
        for _ in 0..chunk {
            digits.try_push(digit_char((part % u64::from(base)) as u8))?;
            part /= u64::from(base);
            if part == 0 && rest.is_empty() {
                break;
            }
        }
    }
    digits.reverse();
    Ok(())
}

/// Collects what the library writes.
struct Collect<'a>(&'a mut TryVec<u8>);

impl Write for Collect<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.try_extend_from_slice(text.as_bytes()).map_err(|_| core::fmt::Error)
    }
}

fn library_digits(digits: &mut TryVec<u8>, magnitude: &[u64], base: u32) -> PyResult<()> {
    // Reserving first turns the only failure, no memory, into an error of ours.
    let bits = words::bit_length(magnitude) as f64;
    digits.try_reserve((bits / f64::from(base).log2()) as usize + 2)?;
    let value = words::to_big(magnitude);
    match write!(Collect(digits), "{}", value.in_radix(base as u8)) {
        Ok(()) => Ok(()),
        Err(_) => Err(hognose_allocators::NoMemory.into()),
    }
}

/// Why text is not an int.
enum Refused {
    /// It is not the text of a number.
    Malformed,
    /// It has too many digits.
    TooLong(usize),
    /// An exception is set.
    Raised(crate::object::Raised),
}

impl From<crate::object::Raised> for Refused {
    fn from(raised: crate::object::Raised) -> Refused {
        Refused::Raised(raised)
    }
}

impl PyInt {
    /// The int that the ASCII text stands for: spaces around, a sign, a prefix where the base is 0 or has
    /// one, single underscores between digits. `base` is 0 or from 2 to 36.
    ///
    /// Raises ValueError for anything else, and past the limit of digits.
    pub fn parse(ts: &ThreadState, text: &[u8], base: u32) -> PyResult {
        match parse(ts, text, base) {
            Ok(int) => Ok(int),
            Err(Refused::Malformed) => {
                let object = crate::types::bytes::PyBytes::new(ts, text)?;
                invalid_literal(ts, crate::object::AsObject::as_object(&*object), base)
            }
            Err(refused) => refuse(ts, refused),
        }
    }

    /// The int that a str stands for; digits of any script count.
    pub fn parse_str(ts: &ThreadState, text: &PyStr, base: u32) -> PyResult {
        use crate::object::AsObject;
        let result = match text.data() {
            StrData::Ascii(bytes) => parse(ts, bytes, base),
            _ => parse(ts, &ascii_number_text(text)?, base),
        };
        match result {
            Ok(int) => Ok(int),
            Err(Refused::Malformed) => invalid_literal(ts, text.as_object(), base),
            Err(refused) => refuse(ts, refused),
        }
    }

    /// The int that a bytes-like object's text stands for; `object` is for the message.
    pub(super) fn parse_bytes(ts: &ThreadState, text: &[u8], object: &PyObject, base: u32) -> PyResult {
        match parse(ts, text, base) {
            Ok(int) => Ok(int),
            Err(Refused::Malformed) => {
                if object.is_a::<crate::types::bytes::PyBytes>() {
                    return invalid_literal(ts, object, base);
                }
                let copy = crate::types::bytes::PyBytes::new(ts, text)?;
                invalid_literal(ts, crate::object::AsObject::as_object(&*copy), base)
            }
            Err(refused) => refuse(ts, refused),
        }
    }

    /// The text in a base from 2 to 36, without a prefix. Raises ValueError past the limit of digits.
    pub fn to_str(&self, ts: &ThreadState, base: u32) -> PyResult<Ref<PyStr>> {
        if base == 10
            && let Some(value) = self.as_i64()
        {
            return decimal_str(ts, value);
        }
        let digits = DigitText::new(ts, self, base)?;
        signed_str(ts, self.sign() < 0, "", digits.as_bytes())
    }

    /// The text in base 2, 8 or 16, with `0b`, `0o` or `0x` after the sign.
    pub fn to_prefixed_str(&self, ts: &ThreadState, base: u32) -> PyResult<Ref<PyStr>> {
        let digits = DigitText::new(ts, self, base)?;
        let prefix = match base {
            2 => "0b",
            8 => "0o",
            16 => "0x",
            _ => "",
        };
        signed_str(ts, self.sign() < 0, prefix, digits.as_bytes())
    }
}

fn decimal_str(ts: &ThreadState, value: i64) -> PyResult<Ref<PyStr>> {
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    PyStr::from_latin1(ts, &buffer[at..])
}

fn signed_str(ts: &ThreadState, negative: bool, prefix: &str, digits: &[u8]) -> PyResult<Ref<PyStr>> {
    if !negative && prefix.is_empty() {
        return PyStr::from_latin1(ts, digits);
    }
    let mut text = TryVec::<u8>::new();
    text.try_reserve(digits.len() + prefix.len() + 1)?;
    if negative {
        text.try_push(b'-')?;
    }
    text.try_extend_from_slice(prefix.as_bytes())?;
    text.try_extend_from_slice(digits)?;
    PyStr::from_latin1(ts, &text)
}

/// A number's text in ASCII: decimal digits of any script become ASCII ones, white space a space, and
/// what cannot be part of a number a question mark.
pub(in crate::types) fn ascii_number_text(text: &PyStr) -> PyResult<TryVec<u8>> {
    let mut ascii = TryVec::new();
    ascii.try_reserve(text.len())?;
    for index in 0..text.len() {
        let ch = text.char_at(index);
        let byte = if ch < 0x80 && !chars::is_space(ch) {
            ch as u8
        } else if chars::is_space(ch) {
            b' '
        } else {
            chars::decimal_value(ch).map_or(b'?', |digit| b'0' + digit)
        };
        ascii.try_push(byte)?;
    }
    Ok(ascii)
}

#[cold]
fn invalid_literal(ts: &ThreadState, text: &PyObject, base: u32) -> PyResult {
    let text = crate::object::protocol::repr(ts, text)?;
    let text = if text.len() > 200 { text.slice(ts, 0, 200)? } else { text };
    raise!(ts, exc::ValueError, "invalid literal for int() with base {base}: {}", &*text)
}

#[cold]
fn refuse(ts: &ThreadState, refused: Refused) -> PyResult {
    match refused {
        Refused::Raised(raised) => Err(raised),
        Refused::Malformed => raise!(ts, exc::ValueError, "invalid literal for int()"),
        Refused::TooLong(count) => {
            let limit = ts.interp().int_max_str_digits.get();
            raise!(
                ts,
                exc::ValueError,
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {count} digits; \
                 use sys.set_int_max_str_digits() to increase the limit"
            )
        }
    }
}

/// White space around numbers in C's sense.
pub(in crate::types) fn is_c_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The text without white space around.
pub(in crate::types) fn strip(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_c_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_c_space(*last)
    {
        text = rest;
    }
    text
}

fn digit_value(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' => byte - b'A' + 10,
        _ => 255,
    }
}

fn parse(ts: &ThreadState, text: &[u8], base: u32) -> Result<PyRef, Refused> {
    let mut text = strip(text);
    let mut negative = false;
    if let [sign @ (b'+' | b'-'), rest @ ..] = text {
        negative = *sign == b'-';
        text = rest;
    }
    let (base, text) = split_prefix(text, base)?;
    // The common case is done in the scan: the value fits a word.
    let mut value = Some(0u64);
    let mut count = 0;
    let mut after_digit = false;
    for byte in text {
        if *byte == b'_' {
            if !after_digit {
                return Err(Refused::Malformed);
            }
            after_digit = false;
            continue;
        }
        let digit = digit_value(*byte);
        if u32::from(digit) >= base {
            return Err(Refused::Malformed);
        }
        value = match value {
            Some(value) => value.checked_mul(u64::from(base)).and_then(|v| v.checked_add(u64::from(digit))),
            None => None,
        };
        count += 1;
        after_digit = true;
    }
    if !after_digit {
        return Err(Refused::Malformed);
    }
    if !base.is_power_of_two() && count > LIMIT_THRESHOLD {
        let limit = ts.interp().int_max_str_digits.get();
        if limit > 0 && count > limit {
            return Err(Refused::TooLong(count));
        }
    }
    match value {
        Some(value) => Ok(PyInt::from_words(ts, negative, &[value])?),
        None => Ok(parse_large(ts, text, base, count, negative)?),
    }
}

/// Finds the base, and takes its prefix away.
fn split_prefix(text: &[u8], base: u32) -> Result<(u32, &[u8]), Refused> {
    let prefixed = match text {
        [b'0', b'x' | b'X', rest @ ..] => Some((16, rest)),
        [b'0', b'o' | b'O', rest @ ..] => Some((8, rest)),
        [b'0', b'b' | b'B', rest @ ..] => Some((2, rest)),
        _ => None,
    };
    if let Some((of_prefix, rest)) = prefixed
        && (base == 0 || base == of_prefix)
    {
        // One underscore may stand between the prefix and the digits.
        return Ok((of_prefix, if let [b'_', rest @ ..] = rest { rest } else { rest }));
    }
    if base == 0 {
        // "01" could be meant to be octal, so only zeros may begin with one.
        if text.first() == Some(&b'0') && text.iter().any(|byte| !matches!(byte, b'0' | b'_')) {
            return Err(Refused::Malformed);
        }
        return Ok((10, text));
    }
    Ok((base, text))
}

fn parse_large(ts: &ThreadState, text: &[u8], base: u32, count: usize, negative: bool) -> PyResult {
    let bits_per_digit = f64::from(base).log2();
    let capacity = (count as f64 * bits_per_digit / 64.0) as usize + 2;
    let mut draft = Draft::new(ts, capacity)?;
    let digits = text.iter().filter(|byte| **byte != b'_');
    if base.is_power_of_two() {
        let bits = base.trailing_zeros();
        let words = draft.words();
        for (index, byte) in digits.rev().enumerate() {
            let at = index as u64 * u64::from(bits);
            let (word, low) = ((at / 64) as usize, (at % 64) as u32);
            let digit = u64::from(digit_value(*byte));
            words[word] |= digit << low;
            if low + bits > 64 {
                words[word + 1] |= digit >> (64 - low);
            }
        }
        return draft.finish(ts, negative);
    }
    if capacity <= SIMPLE_WORDS {
        let (power, chunk) = chunk_of(base);
        let mut used = 0;
        let (mut part, mut factor, mut length) = (0u64, 1u64, 0);
        let words = draft.words();
        let mut flush = |part: u64, factor: u64| {
            let carry = words::mul_add_word(&mut words[..used], factor, part);
            if carry != 0 {
                words[used] = carry;
                used += 1;
            }
        };
        for byte in digits {
            part = part * u64::from(base) + u64::from(digit_value(*byte));
            factor = factor.wrapping_mul(u64::from(base));
            length += 1;
            if length == chunk {
                flush(part, power);
                (part, factor, length) = (0, 1, 0);
            }
        }
        if length > 0 {
            flush(part, factor);
        }
        return draft.finish(ts, negative);
    }
    let mut plain = TryVec::<u8>::new();
    plain.try_reserve(count)?;
    for byte in digits {
        plain.try_push(*byte)?;
    }
    let value = match core::str::from_utf8(&plain).ok().and_then(|text| UBig::from_str_radix(text, base).ok()) {
        Some(value) => value,
        None => return raise!(ts, exc::SystemError, "digits that were checked are no number"),
    };
    draft.finish_big(ts, negative, &value)
}
