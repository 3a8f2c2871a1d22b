//! Python's tokens, as CPython's tokenizer finds them, with its errors.
//!
//! The parser crate has a tokenizer of its own, written for editors: it recovers, and it does not see what CPython
//! sees first. Whatever has to agree with CPython token by token comes through this one: the places of syntax
//! errors, syntax trees, type comments, and the module `_tokenize`.
//!
//! A [`Tokenizer`] is plain data of fixed size. The text is the caller's and is given to each step, so that it can
//! live in the caller's memory and can grow: a tokenizer that is told that more text may come stops with
//! [`Step::NeedMore`] and begins the token anew when it is asked again.
//!
//! | file | what |
//! |---|---|
//! | `kind` | the numbers of the tokens |
//! | `normal` | indentation, names, operators, comments, newlines |
//! | `number` | numbers |
//! | `string` | string literals, and the inside of f-strings and t-strings |
//!
//! Invariants:
//! - T1: `line_start <= cur <= inp <= text.len()`; `inp` is behind a newline or at the end of the text.
//! - T2: `level` brackets are open, `mode_depth` interpolated strings are.

pub mod kind;
mod normal;
mod number;
mod string;

use crate::error::SyntaxErrorKind;

/// The most blocks inside each other.
const MAX_INDENT: usize = 100;
/// The most brackets inside each other.
const MAX_LEVEL: usize = 200;
/// The most interpolated strings inside each other.
const MAX_STRINGS: usize = 150;
/// The most replacement fields inside each other, in one string.
const MAX_FIELDS: i32 = 3;
const TAB_SIZE: u32 = 8;

/// The end of the text, in place of a byte.
const EOF: i32 = -1;

/// How the tokenizer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It goes on.
    Ok,
    /// The text is at its end.
    Eof,
    /// The text ended within a triple-quoted string.
    EofInString,
    /// The text ended within a string.
    EndOfLineInString,
    /// There is an error with a sentence of its own.
    Error,
    /// A line is indented as no block around it is.
    Dedent,
    /// Indentation depends on the width of a tab.
    TabSpace,
    /// There are too many blocks inside each other.
    TooDeep,
    /// A backslash is followed by something else than a newline.
    LineContinuation,
}

/// A token: its kind, its bytes, its place. Lines count from 1, columns in bytes from 0; -1 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: u8,
    /// Where the text of the token begins; `start == end` for tokens without text.
    pub start: usize,
    pub end: usize,
    pub line: i32,
    pub column: i32,
    pub end_line: i32,
    pub end_column: i32,
    /// The text of the expression that a replacement field shows, given to the token that ends it.
    pub shown: Option<(usize, usize)>,
}

/// An error with a sentence of the tokenizer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    pub kind: SyntaxErrorKind,
    pub message: String,
    pub line: i32,
    /// In characters, from 1.
    pub column: i32,
    pub end_column: i32,
    /// The bytes of the line, without its newline.
    pub text: (usize, usize),
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Token(Token),
    /// No token: [`Tokenizer::done`] says why, and [`Tokenizer::take_error`] has the sentence if there is one.
    Failed,
    /// The text so far is used up; ask again with more, or with `last`.
    NeedMore,
}

/// A doubt of the tokenizer's: a number with a keyword at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberWarning {
    pub kind: &'static str,
    pub line: i32,
    pub column: i32,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
pub struct Bracket {
    pub byte: u8,
    pub line: i32,
    pub column: i32,
}

/// An open f-string or t-string.
#[derive(Debug, Clone, Copy)]
struct StringMode {
    /// Inside of a replacement field; the text otherwise.
    in_expression: bool,
    /// `f` or `t`.
    letter: u8,
    quote: u8,
    quote_size: u8,
    raw: bool,
    start: usize,
    line_start: usize,
    line: i32,
    /// Brackets open in the field.
    depth: i32,
    /// `depth` where the innermost field began; -1 outside of fields.
    field_depth: i32,
    /// Behind the `{` of the outermost field.
    expression_start: Option<usize>,
    expression_end: Option<usize>,
    debug: bool,
    in_format_spec: bool,
}

impl StringMode {
    const REGULAR: Self = Self {
        in_expression: true,
        letter: 0,
        quote: 0,
        quote_size: 0,
        raw: false,
        start: 0,
        line_start: 0,
        line: 0,
        depth: 0,
        field_depth: -1,
        expression_start: None,
        expression_end: None,
        debug: false,
        in_format_spec: false,
    };

    fn inside_field(&self) -> bool {
        self.field_depth >= 0
    }
}

/// What kind of tokens are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flavor {
    /// Comments and blank lines are tokens, and doubtful text is let through: what `tokenize` wants.
    pub extra_tokens: bool,
    /// Type comments are tokens.
    pub type_comments: bool,
}

/// The state of a tokenizer; see the module.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    flavor: Flavor,
    /// The next byte.
    cur: usize,
    /// The end of the lines seen so far.
    inp: usize,
    /// The first of the lines that an error message would show.
    buf: usize,
    line_start: usize,
    /// Where the token begins; None between tokens.
    start: Option<usize>,
    line: i32,
    /// The line and its start where a string begins.
    first_line: i32,
    multi_line_start: usize,
    at_line_begin: bool,
    pending: i32,
    indent: usize,
    indents: [u32; MAX_INDENT],
    narrow_indents: [u32; MAX_INDENT],
    level: usize,
    brackets: [Bracket; MAX_LEVEL],
    mode_depth: usize,
    modes: [StringMode; MAX_STRINGS],
    comment_newline: bool,
    done: Done,
    /// The text ran out and more may come.
    starving: bool,
    last: bool,
    error: Option<Box<TokenError>>,
    shown: Option<(usize, usize)>,
    warning: Option<Box<NumberWarning>>,
}

impl Tokenizer {
    /// A tokenizer at the begin of a text.
    #[must_use]
    pub const fn new(flavor: Flavor) -> Self {
        Self {
            flavor,
            cur: 0,
            inp: 0,
            buf: 0,
            line_start: 0,
            start: None,
            line: 0,
            first_line: 0,
            multi_line_start: 0,
            at_line_begin: true,
            pending: 0,
            indent: 0,
            indents: [0; MAX_INDENT],
            narrow_indents: [0; MAX_INDENT],
            level: 0,
            brackets: [Bracket { byte: 0, line: 0, column: 0 }; MAX_LEVEL],
            mode_depth: 0,
            modes: [StringMode::REGULAR; MAX_STRINGS],
            comment_newline: false,
            done: Done::Ok,
            starving: false,
            last: false,
            error: None,
            shown: None,
            warning: None,
        }
    }

    /// The next token of `text`, which begins as it did in the step before. `last` says that no more text will come.
    pub fn step(&mut self, text: &[u8], last: bool) -> Step {
        self.last = last;
        let before = if last { None } else { Some(self.clone()) };
        self.shown = None;
        let token = self.token(text);
        if let Some(before) = before
            && self.starving
        {
            *self = before;
            return Step::NeedMore;
        }
        match token {
            Some(token) => Step::Token(token),
            None => Step::Failed,
        }
    }

    /// How the tokenizer stands.
    #[must_use]
    pub fn done(&self) -> Done {
        self.done
    }

    /// The sentence of the last failure; None when [`Self::done`] says it all.
    pub fn take_error(&mut self) -> Option<TokenError> {
        self.error.take().map(|error| *error)
    }

    /// The doubt about the last token.
    pub fn take_warning(&mut self) -> Option<NumberWarning> {
        self.warning.take().map(|warning| *warning)
    }

    /// The line of the next byte, from 1; 0 before the first.
    #[must_use]
    pub fn line(&self) -> i32 {
        self.line
    }

    /// The bytes of the lines that the tokenizer holds: the current one, or all of a string that goes over several.
    #[must_use]
    pub fn held_lines(&self) -> (usize, usize) {
        (self.buf, self.inp)
    }

    /// The column of the next byte, in bytes.
    #[must_use]
    pub fn column(&self) -> i32 {
        (self.cur - self.line_start) as i32
    }

    /// The offset of the next byte, and of the line that it is on.
    #[must_use]
    pub fn offsets(&self) -> (usize, usize) {
        (self.cur, self.line_start)
    }

    /// The innermost bracket that is open.
    #[must_use]
    pub fn open_bracket(&self) -> Option<Bracket> {
        self.level.checked_sub(1).map(|index| self.brackets[index])
    }

    /// Whether an f-string or a t-string is open.
    #[must_use]
    pub fn is_in_string(&self) -> bool {
        self.mode_depth > 0
    }

    /// Where the line begins that a string's token begins on.
    #[must_use]
    pub fn multi_line_start(&self) -> usize {
        self.multi_line_start
    }

    /// Whether blocks are open.
    #[must_use]
    pub fn is_indented(&self) -> bool {
        self.indent > 0
    }

    /// Closes all blocks with the next tokens.
    pub fn close_blocks(&mut self) {
        self.pending = -(self.indent as i32);
        self.indent = 0;
    }

    fn token(&mut self, text: &[u8]) -> Option<Token> {
        if self.modes[self.mode_depth].in_expression { self.normal(text) } else { self.string_middle(text) }
    }

    /// The next byte, or [`EOF`].
    #[inline]
    fn next(&mut self, text: &[u8]) -> i32 {
        if self.cur < self.inp {
            let byte = text[self.cur];
            self.cur += 1;
            return i32::from(byte);
        }
        self.next_line(text)
    }

    #[cold]
    fn next_line(&mut self, text: &[u8]) -> i32 {
        if self.done != Done::Ok {
            return EOF;
        }
        let rest = &text[self.inp..];
        if rest.is_empty() {
            if self.last {
                self.done = Done::Eof;
            } else {
                self.starving = true;
            }
            self.cur = self.inp;
            return EOF;
        }
        if self.start.is_none() {
            self.buf = self.cur;
        }
        let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1);
        self.line += 1;
        self.inp += length;
        self.line_start = self.cur;
        if rest[..length].contains(&0) {
            self.cur = self.line_start;
            let _: Option<()> = self.fail(text, format_args!("source code cannot contain null bytes"));
            self.cur = self.inp;
            return EOF;
        }
        let byte = text[self.cur];
        self.cur += 1;
        i32::from(byte)
    }

    /// Gives the byte `c` back.
    #[inline]
    fn back(&mut self, c: i32) {
        if c != EOF {
            self.cur -= 1;
        }
    }

    /// A token of the bytes from `start` to `end`.
    fn make(&mut self, kind: u8, start: usize, end: usize) -> Option<Token> {
        let is_string = matches!(
            kind,
            kind::STRING | kind::FSTRING_MIDDLE | kind::TSTRING_MIDDLE | kind::FSTRING_START | kind::TSTRING_START
        );
        let line_start = if is_string { self.multi_line_start } else { self.line_start };
        Some(Token {
            kind,
            start,
            end,
            line: if is_string { self.first_line } else { self.line },
            column: if start >= line_start { (start - line_start) as i32 } else { -1 },
            end_line: self.line,
            end_column: if end >= self.line_start { (end - self.line_start) as i32 } else { -1 },
            shown: self.shown.take(),
        })
    }

    /// A token without text and without columns.
    fn make_empty(&mut self, kind: u8) -> Option<Token> {
        Some(Token {
            kind,
            start: self.cur,
            end: self.cur,
            line: self.line,
            column: -1,
            end_line: self.line,
            end_column: -1,
            shown: None,
        })
    }

    fn stop<T>(&mut self, done: Done) -> Option<T> {
        self.done = done;
        None
    }

    /// Fails with a sentence, at the place of the next byte.
    fn fail<T>(&mut self, text: &[u8], message: core::fmt::Arguments<'_>) -> Option<T> {
        self.fail_range(text, None, message)
    }

    /// Fails with a sentence, at the columns (in characters, from 1) `range`.
    fn fail_range<T>(
        &mut self,
        text: &[u8],
        range: Option<(i32, i32)>,
        message: core::fmt::Arguments<'_>,
    ) -> Option<T> {
        let here = String::from_utf8_lossy(&text[self.line_start..self.cur]).chars().count() as i32;
        let (column, end_column) = range.unwrap_or((here, here));
        let rest = &text[self.line_start..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.error = Some(Box::new(TokenError {
            kind: SyntaxErrorKind::SyntaxError,
            message: message.to_string(),
            line: self.line,
            column,
            end_column,
            text: (self.line_start, self.line_start + length),
        }));
        self.done = Done::Error;
        None
    }
}

const fn is_name_start(c: i32) -> bool {
    matches!(c, 0x41..=0x5a | 0x61..=0x7a | 0x5f) || c >= 128
}

const fn is_name_byte(c: i32) -> bool {
    is_name_start(c) || is_digit(c)
}

const fn is_digit(c: i32) -> bool {
    matches!(c, 0x30..=0x39)
}

/// A byte to compare with.
const fn b(byte: u8) -> i32 {
    byte as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, flavor: Flavor) -> Vec<(u8, String)> {
        let mut tokenizer = Tokenizer::new(flavor);
        let mut found = Vec::new();
        loop {
            match tokenizer.step(text.as_bytes(), true) {
                Step::Token(token) => {
                    found.push((token.kind, text[token.start..token.end].to_owned()));
                    if token.kind == kind::ENDMARKER {
                        return found;
                    }
                }
                other => panic!("{text:?}: {other:?} {:?} {:?}", tokenizer.done, tokenizer.error),
            }
        }
    }

    #[test]
    fn blocks_become_tokens() {
        let kinds: Vec<u8> = all("if x:\n  y\nz\n", Flavor::default()).iter().map(|token| token.0).collect();
        assert_eq!(
            kinds,
            [
                kind::NAME,
                kind::NAME,
                kind::COLON,
                kind::NEWLINE,
                kind::INDENT,
                kind::NAME,
                kind::NEWLINE,
                kind::DEDENT,
                kind::NAME,
                kind::NEWLINE,
                kind::ENDMARKER
            ]
        );
    }

    #[test]
    fn interpolated_strings_are_taken_apart() {
        let found = all("f'a{b!r:>{c}}d{{'", Flavor::default());
        let texts: Vec<&str> = found.iter().map(|token| token.1.as_str()).collect();
        assert_eq!(texts, ["f'", "a", "{", "b", "!", "r", ":", ">", "{", "c", "}", "", "}", "d{", "'", ""]);
    }

    #[test]
    fn text_may_come_in_pieces() {
        let text = "x = '''a\nb'''\n";
        let mut tokenizer = Tokenizer::new(Flavor::default());
        let (mut given, mut found) = (0, 0);
        loop {
            match tokenizer.step(&text.as_bytes()[..given], given == text.len()) {
                Step::Token(token) if token.kind == kind::ENDMARKER => break,
                Step::Token(_) => found += 1,
                Step::NeedMore => given += text[given..].find('\n').map_or(text.len() - given, |at| at + 1),
                Step::Failed => panic!("{:?}", tokenizer.done),
            }
        }
        assert_eq!(found, 4);
    }

    #[test]
    fn errors_say_where() {
        let mut tokenizer = Tokenizer::new(Flavor::default());
        assert_eq!(tokenizer.step(b"0777\n", true), Step::Failed);
        let error = tokenizer.take_error().unwrap();
        assert_eq!((error.line, error.column, error.end_column), (1, 1, 2));
    }
}
