//! Numbers.

use super::{EOF, Token, Tokenizer, b, is_digit, is_name_byte, kind};

/// Which digits a number of base 2, 8 or 16 has.
struct Radix {
    name: &'static str,
    is_digit: fn(i32) -> bool,
    /// Other digits have an error of their own.
    decimal_is_wrong: bool,
}

const HEXADECIMAL: Radix = Radix {
    name: "hexadecimal",
    is_digit: |c| u8::try_from(c).is_ok_and(|byte| byte.is_ascii_hexdigit()),
    decimal_is_wrong: false,
};
const OCTAL: Radix = Radix { name: "octal", is_digit: |c| matches!(c, 0x30..=0x37), decimal_is_wrong: true };
const BINARY: Radix = Radix { name: "binary", is_digit: |c| matches!(c, 0x30 | 0x31), decimal_is_wrong: true };

impl Tokenizer {
    /// A number that begins with the digit `c`.
    pub(super) fn number(&mut self, text: &[u8], start: usize, c: i32) -> Option<Token> {
        if c != b(b'0') {
            let c = self.decimal_digits(text)?;
            return self.behind_digits(text, start, c, false);
        }
        let mut c = self.next(text);
        let radix = match u8::try_from(c).map(|byte| byte.to_ascii_lowercase()) {
            Ok(b'x') => Some(HEXADECIMAL),
            Ok(b'o') => Some(OCTAL),
            Ok(b'b') => Some(BINARY),
            _ => None,
        };
        if let Some(radix) = radix {
            return self.based(text, start, &radix);
        }
        loop {
            if c == b(b'_') {
                c = self.next(text);
                if !is_digit(c) {
                    self.back(c);
                    return self.fail(text, format_args!("invalid decimal literal"));
                }
            }
            if c != b(b'0') {
                break;
            }
            c = self.next(text);
        }
        let zeros_end = self.cur;
        let mut significant = false;
        if is_digit(c) {
            significant = true;
            c = self.decimal_digits(text)?;
        }
        let goes_on = matches!(u8::try_from(c), Ok(b'.' | b'e' | b'E' | b'j' | b'J'));
        if significant && !goes_on && !self.flavor.extra_tokens {
            self.back(c);
            let range = ((start + 1 - self.line_start) as i32, (zeros_end - self.line_start) as i32);
            return self.fail_range(
                text,
                Some(range),
                format_args!(
                    "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers"
                ),
            );
        }
        self.behind_digits(text, start, c, true)
    }

    fn based(&mut self, text: &[u8], start: usize, radix: &Radix) -> Option<Token> {
        let name = radix.name;
        let mut c = self.next(text);
        loop {
            if c == b(b'_') {
                c = self.next(text);
            }
            if !(radix.is_digit)(c) {
                if radix.decimal_is_wrong && is_digit(c) {
                    let digit = char::from(c as u8);
                    return self.fail(text, format_args!("invalid digit '{digit}' in {name} literal"));
                }
                self.back(c);
                return self.fail(text, format_args!("invalid {name} literal"));
            }
            while (radix.is_digit)(c) {
                c = self.next(text);
            }
            if c != b(b'_') {
                break;
            }
        }
        if radix.decimal_is_wrong && is_digit(c) {
            let digit = char::from(c as u8);
            return self.fail(text, format_args!("invalid digit '{digit}' in {name} literal"));
        }
        self.number_end(text, c, name)?;
        self.finish(start, c)
    }

    /// Behind the digits of a decimal number, where `c` has been read.
    fn behind_digits(&mut self, text: &[u8], start: usize, mut c: i32, _zero: bool) -> Option<Token> {
        if c == b(b'.') {
            c = self.next(text);
            return self.fraction(text, start, c);
        }
        self.exponent(text, start, c)
    }

    /// Behind the point.
    pub(super) fn fraction(&mut self, text: &[u8], start: usize, mut c: i32) -> Option<Token> {
        if is_digit(c) {
            c = self.decimal_digits(text)?;
        }
        self.exponent(text, start, c)
    }

    fn exponent(&mut self, text: &[u8], start: usize, mut c: i32) -> Option<Token> {
        if c == b(b'e') || c == b(b'E') {
            let letter = c;
            c = self.next(text);
            if c == b(b'+') || c == b(b'-') {
                c = self.next(text);
                if !is_digit(c) {
                    self.back(c);
                    return self.fail(text, format_args!("invalid decimal literal"));
                }
            } else if !is_digit(c) {
                self.back(c);
                self.number_end(text, letter, "decimal")?;
                self.back(letter);
                return self.make(kind::NUMBER, start, self.cur);
            }
            c = self.decimal_digits(text)?;
        }
        if c == b(b'j') || c == b(b'J') {
            c = self.next(text);
            self.number_end(text, c, "imaginary")?;
        } else {
            self.number_end(text, c, "decimal")?;
        }
        self.finish(start, c)
    }

    fn finish(&mut self, start: usize, c: i32) -> Option<Token> {
        self.back(c);
        self.make(kind::NUMBER, start, self.cur)
    }

    /// The digits from here on, with underscores between them; the byte behind them.
    fn decimal_digits(&mut self, text: &[u8]) -> Option<i32> {
        loop {
            let mut c = self.next(text);
            while is_digit(c) {
                c = self.next(text);
            }
            if c != b(b'_') {
                return Some(c);
            }
            c = self.next(text);
            if !is_digit(c) {
                self.back(c);
                return self.fail(text, format_args!("invalid decimal literal"));
            }
        }
    }

    /// What may follow a number: `c` has been read. A keyword gives a warning, another name is an error.
    fn number_end(&mut self, text: &[u8], c: i32, name: &'static str) -> Option<()> {
        if self.flavor.extra_tokens || c == EOF {
            return Some(());
        }
        let rest = &text[self.cur - 1..self.inp];
        let word = |word: &[u8]| {
            rest.starts_with(word) && !rest.get(word.len()).is_some_and(|&byte| is_name_byte(i32::from(byte)))
        };
        let keyword = [&b"and"[..], b"else", b"for", b"or", b"not"].iter().any(|found| word(found))
            || matches!(rest, [b'i', b'f' | b'n' | b's', ..]);
        if keyword {
            self.back(c);
            self.doubt(text, name);
            self.next(text);
        } else if c < 128 && is_name_byte(c) {
            self.back(c);
            return self.fail(text, format_args!("invalid {name} literal"));
        }
        Some(())
    }
}
