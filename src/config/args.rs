//! Command-line arguments as a C program gives them, bytes or wide, and the scanner that splits them
//! into options.
//!
//! Both are used before pre-initialization, so nothing here allocates or decodes.

use core::ffi::{CStr, c_char, c_int};
use core::marker::PhantomData;

use super::locale;
use super::status::StatusResult;
use super::strings::{WChar, WideString};
use super::table::{Effect, OPTIONS};

/// One argument in bytes: a non-null pointer to a NUL-terminated string.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct BytesArg<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> BytesArg<'a> {
    /// An argument from Rust.
    pub const fn new(text: &'a CStr) -> Self {
        Self(text.as_ptr(), PhantomData)
    }

    /// The argument without its terminator; a null pointer counts as empty.
    pub fn bytes(self) -> &'a [u8] {
        if self.0.is_null() {
            return b"";
        }
        // SAFETY: a non-null pointer is to a NUL-terminated string that lives for `'a`, by `new` or by
        // the contract of `Args::from_c_bytes`.
        unsafe { CStr::from_ptr(self.0) }.to_bytes()
    }
}

/// The arguments, the program's name first.
#[derive(Clone, Copy)]
pub enum Args<'a> {
    Bytes(&'a [BytesArg<'a>]),
    Wide(&'a [WideString]),
}

impl<'a> Args<'a> {
    /// No arguments.
    pub const NONE: Self = Self::Bytes(&[]);

    /// The arguments of a C `main`. A null `argv` or a count that is not positive gives none.
    ///
    /// # Safety
    ///
    /// A non-null `argv` has `argc` pointers, each null or to a NUL-terminated string, alive for `'a`.
    pub unsafe fn from_c_bytes(argc: isize, argv: *const *const c_char) -> Self {
        match usize::try_from(argc) {
            Ok(n) if n > 0 && !argv.is_null() => {
                // SAFETY: promised by the caller; `BytesArg` is a transparent pointer.
                Self::Bytes(unsafe { core::slice::from_raw_parts(argv.cast(), n) })
            }
            _ => Self::NONE,
        }
    }

    /// The arguments of a C `wmain`.
    ///
    /// # Safety
    ///
    /// As for `from_c_bytes`, with wide strings.
    pub unsafe fn from_c_wide(argc: isize, argv: *const *const WChar) -> Self {
        match usize::try_from(argc) {
            Ok(n) if n > 0 && !argv.is_null() => {
                // SAFETY: promised by the caller; `WideString` is a transparent pointer, and shared
                // references never free it.
                Self::Wide(unsafe { core::slice::from_raw_parts(argv.cast(), n) })
            }
            _ => Self::NONE,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(all) => all.len(),
            Self::Wide(all) => all.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Argument `index`; empty past the end.
    pub fn get(&self, index: usize) -> Text<'a> {
        match self {
            Self::Bytes(all) => Text::Bytes(all.get(index).map_or(b"", |arg| arg.bytes())),
            Self::Wide(all) => Text::Wide(all.get(index).map_or(&[], WideString::as_slice)),
        }
    }
}

/// A text that is still as it came: bytes or wide characters.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    Bytes(&'a [u8]),
    Wide(&'a [WChar]),
}

impl<'a> Text<'a> {
    /// Number of bytes or characters.
    pub fn len(self) -> usize {
        match self {
            Self::Bytes(text) => text.len(),
            Self::Wide(text) => text.len(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The byte or character at `index`; 0 past the end.
    pub fn at(self, index: usize) -> WChar {
        match self {
            Self::Bytes(text) => text.get(index).map_or(0, |&byte| byte.into()),
            Self::Wide(text) => text.get(index).map_or(0, |&character| character),
        }
    }

    /// The part from `index` on.
    pub fn from(self, index: usize) -> Self {
        match self {
            Self::Bytes(text) => Self::Bytes(text.get(index..).unwrap_or_default()),
            Self::Wide(text) => Self::Wide(text.get(index..).unwrap_or_default()),
        }
    }

    /// The part before `index`.
    pub fn until(self, index: usize) -> Self {
        match self {
            Self::Bytes(text) => Self::Bytes(text.get(..index).unwrap_or(text)),
            Self::Wide(text) => Self::Wide(text.get(..index).unwrap_or(text)),
        }
    }

    /// The bytes or characters as numbers.
    pub fn units(self) -> impl Iterator<Item = WChar> + 'a {
        (0..self.len()).map(move |index| self.at(index))
    }

    /// Whether it is this ASCII text.
    pub fn is(self, ascii: &str) -> bool {
        self.units().eq(ascii.bytes().map(WChar::from))
    }

    /// Splits `key=value`; without `=` there is no value.
    pub fn split_value(self) -> (Self, Option<Self>) {
        match self.units().position(|unit| unit == WChar::from(b'=')) {
            Some(at) => (self.until(at), Some(self.from(at + 1))),
            None => (self, None),
        }
    }

    /// The whole text as a decimal number, with spaces and a sign before it as `strtol` has them.
    pub fn number(self) -> Option<i64> {
        let mut units = self.units().skip_while(|&unit| matches!(unit, 9..=13 | 32)).peekable();
        let negative = match units.peek() {
            Some(0x2D) => units.next().is_some(),
            Some(0x2B) => units.next().is_none(),
            _ => false,
        };
        units.peek()?;
        let magnitude = units.try_fold(0i64, |value, unit| {
            let digit = char::from_u32(unit)?.to_digit(10)?;
            value.checked_mul(10)?.checked_add(digit.into())
        })?;
        Some(if negative { -magnitude } else { magnitude })
    }

    /// The number when a C int can hold it.
    pub fn int(self) -> Option<c_int> {
        self.number()?.try_into().ok()
    }

    /// The text decoded and owned.
    pub fn decode(self) -> StatusResult<WideString> {
        match self {
            Self::Bytes(text) => locale::decode(text),
            Self::Wide(text) => Ok(WideString::copy_of(text)?),
        }
    }
}

/// An option that the scanner found.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A letter, known to be one.
    Letter(u8),
    /// A letter with its argument.
    Argument(u8, Text<'a>),
    /// `--name`, one of [`LONG_OPTIONS`].
    Long(&'static str),
    /// `--check-hash-based-pycs` with its argument.
    CheckHash(Text<'a>),
    /// The letter of a known option whose argument is missing.
    MissingArgument(u8),
    /// A known long option lacks its argument.
    MissingLongArgument(&'static str),
    /// A letter that is no option.
    UnknownLetter(WChar),
    /// A `--name` that is no option.
    UnknownLong(Text<'a>),
}

/// The option that says how hash-based `.pyc` files are checked.
pub const CHECK_HASH: &str = "--check-hash-based-pycs";

/// The long options without argument.
pub const LONG_OPTIONS: [&str; 5] = ["--help", "--help-all", "--help-env", "--help-xoptions", "--version"];

/// Letters without a row in the table: help, version, and two kept for other programs' sake.
pub const PLAIN_LETTERS: &[u8] = b"h?VJt";

/// Splits arguments into options, up to the first that is not one.
pub struct Scanner<'a> {
    args: Args<'a>,
    /// The argument that comes next.
    index: usize,
    /// The letters that remain of a group like `-bc`.
    group: Text<'a>,
    finished: bool,
}

impl<'a> Scanner<'a> {
    /// Starts behind the program's name.
    pub fn new(args: Args<'a>) -> Self {
        Self { args, index: 1, group: Text::Bytes(b""), finished: false }
    }

    /// Where the arguments that are not options begin.
    pub fn rest(&self) -> usize {
        self.index.min(self.args.len())
    }

    fn long_option(&mut self, text: Text<'a>) -> Found<'a> {
        if text.is(CHECK_HASH) {
            if self.index >= self.args.len() {
                return Found::MissingLongArgument(CHECK_HASH);
            }
            self.index += 1;
            return Found::CheckHash(self.args.get(self.index - 1));
        }
        match LONG_OPTIONS.iter().find(|name| text.is(name)) {
            Some(name) => Found::Long(name),
            None => Found::UnknownLong(text),
        }
    }

    fn letter(&mut self) -> Found<'a> {
        let unit = self.group.at(0);
        self.group = self.group.from(1);
        let Some(letter) = u8::try_from(unit).ok().filter(u8::is_ascii) else {
            return Found::UnknownLetter(unit);
        };
        let flag = OPTIONS.iter().filter_map(|row| row.flag).find(|flag| flag.letter == letter);
        match flag.map(|flag| flag.effect) {
            Some(Effect::Argument(_)) => {
                // The code and the module name end the options.
                self.finished = matches!(letter, b'c' | b'm');
                if !self.group.is_empty() {
                    let argument = self.group;
                    self.group = Text::Bytes(b"");
                    return Found::Argument(letter, argument);
                }
                if self.index >= self.args.len() {
                    return Found::MissingArgument(letter);
                }
                self.index += 1;
                Found::Argument(letter, self.args.get(self.index - 1))
            }
            Some(_) => Found::Letter(letter),
            None if PLAIN_LETTERS.contains(&letter) => Found::Letter(letter),
            None => Found::UnknownLetter(unit),
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        if !self.group.is_empty() {
            return Some(self.letter());
        }
        if self.finished || self.index >= self.args.len() {
            return None;
        }
        let text = self.args.get(self.index);
        if text.at(0) != WChar::from(b'-') || text.len() == 1 {
            self.finished = true;
            return None;
        }
        self.index += 1;
        if text.is("--") {
            self.finished = true;
            return None;
        }
        if text.at(1) == WChar::from(b'-') {
            return Some(self.long_option(text));
        }
        self.group = text.from(1);
        Some(self.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(args: &[&CStr]) -> (std::string::String, usize) {
        let args: std::vec::Vec<_> = args.iter().map(|arg| BytesArg::new(arg)).collect();
        let mut scanner = Scanner::new(Args::Bytes(&args));
        let mut seen = std::string::String::new();
        for found in &mut scanner {
            seen += &match found {
                Found::Letter(letter) => std::format!("{} ", char::from(letter)),
                Found::Argument(letter, Text::Bytes(text)) => {
                    std::format!("{}={} ", char::from(letter), std::str::from_utf8(text).unwrap())
                }
                Found::Long(name) => std::format!("{name} "),
                other => std::format!("{other:?} "),
            };
        }
        (seen, scanner.rest())
    }

    #[test]
    fn letters_may_be_grouped_and_take_arguments() {
        assert_eq!(scan(&[c"p", c"-bBv", c"-Wx", c"-X", c"y=1", c"file", c"-v"]), ("b B v W=x X=y=1 ".into(), 5));
        assert_eq!(scan(&[c"p", c"-Ecpass", c"-v"]), ("E c=pass ".into(), 2));
        assert_eq!(scan(&[c"p", c"-m", c"mod", c"-v"]), ("m=mod ".into(), 3));
    }

    #[test]
    fn options_end_at_a_dash_two_dashes_or_a_file() {
        assert_eq!(scan(&[c"p", c"-"]), ("".into(), 1));
        assert_eq!(scan(&[c"p", c"--", c"-v"]), ("".into(), 2));
        assert_eq!(scan(&[c"p", c"", c"-v"]), ("".into(), 1));
        assert_eq!(scan(&[]), ("".into(), 0));
    }

    #[test]
    fn what_is_unknown_or_missing_is_told() {
        assert!(scan(&[c"p", c"-Z"]).0.starts_with("UnknownLetter(90)"));
        assert!(scan(&[c"p", c"-c"]).0.starts_with("MissingArgument(99)"));
        assert!(scan(&[c"p", c"--bogus"]).0.starts_with("UnknownLong"));
        assert!(scan(&[c"p", c"--check-hash-based-pycs"]).0.starts_with("MissingLongArgument"));
        assert_eq!(scan(&[c"p", c"--help-env", c"-?"]).0, "--help-env ? ");
    }

    #[test]
    fn numbers_are_read_as_strtol_does() {
        let number = |text: &'static str| Text::Bytes(text.as_bytes()).int();
        assert_eq!(number("12"), Some(12));
        assert_eq!(number(" +7"), Some(7));
        assert_eq!(number("-3"), Some(-3));
        for bad in ["", " ", "-", "1x", "x", "1 ", "2147483648", "99999999999999999999"] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn values_are_split_at_the_first_sign() {
        let (key, value) = Text::Bytes(b"a=b=c").split_value();
        assert!(key.is("a") && value.unwrap().is("b=c"));
        assert!(Text::Bytes(b"a").split_value().1.is_none());
    }
}
