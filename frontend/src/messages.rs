//! The parser's findings in CPython's words.
//!
//! The compiler crates already speak CPython's language for most errors. What is left are sentences of the
//! parser's own, written for an editor; CPython says "invalid syntax" there, or has another sentence. A
//! message is CPython's if it begins with a small letter, a quote or one of a few known words: the parser's own
//! sentences all begin with other capitals.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{InterpolatedStringErrorType, LexicalErrorType, ParseErrorType};
use rustpython_codegen::error::{CodegenError, CodegenErrorType};
use rustpython_compiler::{CompileError as Rejected, ParseError};

use crate::adjust::adjust;
use crate::error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind};
use crate::escapes;

const INVALID: &str = "invalid syntax";

/// Translates `rejected`, an error about `text`.
pub fn translate(rejected: Rejected, text: &str) -> CompileError {
    match rejected {
        Rejected::Parse(error) => parse_error(&error, text).into(),
        Rejected::Codegen(error) => codegen_error(&error, text),
    }
}

/// The byte offset at which the parser stumbled.
pub fn blamed(rejected: &Rejected) -> Option<usize> {
    match rejected {
        Rejected::Parse(error) => Some(error.raw_location.start().to_usize()),
        Rejected::Codegen(_) => None,
    }
}

fn parse_error(error: &ParseError, text: &str) -> SyntaxErrorInfo {
    let (kind, message) = wording(&error.error);
    let line = error.location.line.get();
    let mut info = SyntaxErrorInfo {
        kind,
        message,
        line: line as u32,
        column: error.location.character_offset.get() as i32,
        end_line: error.end_location.line.get() as u32,
        end_column: error.end_location.character_offset.get() as i32,
        text: source_line(text, line),
    };
    if let ParseErrorType::Lexical(LexicalErrorType::UnicodeError) = &error.error {
        escapes::explain(&mut info, text);
    }
    if let ParseErrorType::ExpectedToken { expected: TokenKind::Colon, found } = &error.error {
        let at_end = matches!(found, TokenKind::Newline | TokenKind::EndOfFile);
        if !at_end && !colon_is_required(text, info.line, info.column) {
            info.message = INVALID.into();
        }
    }
    adjust(&mut info, text, error.raw_location.start().to_usize());
    if let Some(line) = source_line(text, info.line as usize) {
        info.text = Some(line);
    }
    info
}

/// CPython's class and sentence for what the parser found.
fn wording(error: &ParseErrorType) -> (SyntaxErrorKind, String) {
    use SyntaxErrorKind::{IndentationError, SyntaxError};
    let own = |sentence: &str| (SyntaxError, sentence.to_owned());
    match error {
        ParseErrorType::OtherError(message) => other(message),
        ParseErrorType::UnexpectedIndentation => (IndentationError, "unexpected indent".into()),
        ParseErrorType::PositionalAfterKeywordArgument => own("positional argument follows keyword argument"),
        ParseErrorType::PositionalAfterKeywordUnpacking => {
            own("positional argument follows keyword argument unpacking")
        }
        ParseErrorType::InvalidArgumentUnpackingOrder => {
            own("iterable argument unpacking follows keyword argument unpacking")
        }
        ParseErrorType::IterableUnpackingInComprehension => own("iterable unpacking cannot be used in comprehension"),
        ParseErrorType::NonDefaultParamAfterDefaultParam => {
            own("parameter without a default follows parameter with a default")
        }
        ParseErrorType::ParamAfterVarKeywordParam => own("arguments cannot follow var-keyword argument"),
        ParseErrorType::VarParameterWithDefault => own("var-positional argument cannot have default value"),
        ParseErrorType::ExpectedKeywordParam => own("named arguments must follow bare *"),
        ParseErrorType::UnparenthesizedGeneratorExpression => own("Generator expression must be parenthesized"),
        ParseErrorType::InvalidMatchPatternTarget => own("cannot use '_' as a target"),
        ParseErrorType::ExpectedImaginaryNumber => own("imaginary number required in complex literal"),
        ParseErrorType::ExpectedRealNumber => own("real number required in complex literal"),
        ParseErrorType::EmptyTypeParams => own("Type parameter list cannot be empty"),
        ParseErrorType::ExpectedToken { expected: TokenKind::Colon, .. } => own("expected ':'"),
        ParseErrorType::ExpectedToken { expected: TokenKind::Lpar, .. } => own("expected '('"),
        ParseErrorType::ExpectedToken { expected: TokenKind::Else, .. } => own("expected 'else' after 'if' expression"),
        ParseErrorType::EmptyImportNames => own("Expected one or more names after 'import'"),
        ParseErrorType::FStringError(error) => (SyntaxError, interpolated("f-string", error)),
        ParseErrorType::TStringError(error) => (SyntaxError, interpolated("t-string", error)),
        ParseErrorType::Lexical(error) => lexical(error),
        _ => own(INVALID),
    }
}

fn other(message: &str) -> (SyntaxErrorKind, String) {
    use SyntaxErrorKind::{IndentationError, SyntaxError, TabError};
    if message.starts_with("expected an indented block")
        || message == "unexpected indent"
        || message == "unexpected unindent"
        || message.starts_with("unindent does not match")
        || message == "too many levels of indentation"
    {
        return (IndentationError, message.to_owned());
    }
    if message.starts_with("inconsistent use of tabs") {
        return (TabError, message.to_owned());
    }
    if let Some((_, sentence)) = REWORDED.iter().find(|(ours, _)| message.starts_with(ours)) {
        return (SyntaxError, (*sentence).to_owned());
    }
    if is_cpythons(message) {
        return (SyntaxError, message.to_owned());
    }
    (SyntaxError, INVALID.to_owned())
}

/// Sentences of the parser, by their beginnings, for which CPython has others.
const REWORDED: [(&str, &str); 17] = [
    ("'/' parameter must appear before '*'", "/ must be ahead of *"),
    ("Only one '/' separator", "/ may appear only once"),
    ("Position-only parameter separator not allowed as first", "at least one argument must precede /"),
    ("Only one '*' ", "* argument may appear only once"),
    ("Keyword-only parameter separator not allowed after", "* argument may appear only once"),
    ("Only one '**' parameter", "arguments cannot follow var-keyword argument"),
    ("Boolean 'not' expression cannot be used here", "'not' after an operator must be parenthesized"),
    ("Expected one or more exception types", "expected one or more exception types"),
    ("Expected `except` or `finally` after", "expected 'except' or 'finally' block"),
    ("Trailing comma not allowed", "trailing comma not allowed without surrounding parentheses"),
    ("Positional patterns cannot follow keyword", "positional patterns follow keyword patterns"),
    ("Bytes literal cannot be mixed", "cannot mix bytes and nonbytes literals"),
    ("Cannot mix t-string literals", "cannot mix t-string literals with string or bytes literals"),
    ("Cannot have both 'except'", "cannot have both 'except' and 'except*' on the same 'try'"),
    ("Only single target (not tuple)", "only single target (not tuple) can be annotated"),
    ("Only single target (not list)", "only single target (not list) can be annotated"),
    (
        "Multiple exception types must be parenthesized",
        "multiple exception types must be parenthesized when using 'as'",
    ),
];

/// Whether CPython has such a sentence.
fn is_cpythons(message: &str) -> bool {
    const CAPITALIZED: [&str; 9] = [
        "Did you",
        "Exceeds the limit",
        "Expected one or more names after",
        "Function parameters cannot",
        "Generator expression must",
        "Invalid star expression",
        "Lambda expression parameters cannot",
        "Missing parentheses",
        "Type parameter list",
    ];
    if message.contains('`') {
        return false;
    }
    CAPITALIZED.iter().any(|start| message.starts_with(start))
        || message.starts_with(|first: char| first.is_lowercase() || matches!(first, '\'' | '(' | '"' | '*' | '/'))
}

fn interpolated(kind: &str, error: &InterpolatedStringErrorType) -> String {
    use InterpolatedStringErrorType as E;
    match error {
        E::UnclosedLbrace => format!("{kind}: expecting '}}'"),
        E::InvalidConversionFlag => format!("{kind}: invalid conversion character"),
        E::SingleRbrace => format!("{kind}: single '}}' is not allowed"),
        E::UnterminatedString => format!("unterminated {kind} literal"),
        E::UnterminatedTripleQuotedString => format!("unterminated triple-quoted {kind} literal"),
        E::LambdaWithoutParentheses => {
            format!("{kind}: lambda expressions are not allowed without parentheses")
        }
        E::ConversionFlagNotImmediatelyAfterExclamation => {
            format!("{kind}: conversion type must come right after the exclamation mark")
        }
        E::NewlineInFormatSpec => {
            format!("{kind}: newlines are not allowed in format specifiers for single quoted {kind}s")
        }
    }
}

fn lexical(error: &LexicalErrorType) -> (SyntaxErrorKind, String) {
    use SyntaxErrorKind::{IndentationError, SyntaxError};
    match error {
        LexicalErrorType::IndentationError => {
            (IndentationError, "unindent does not match any outer indentation level".into())
        }
        LexicalErrorType::InvalidByteLiteral => (SyntaxError, "bytes can only contain ASCII literal characters".into()),
        LexicalErrorType::LineContinuationError => {
            (SyntaxError, "unexpected character after line continuation character".into())
        }
        LexicalErrorType::Eof => (SyntaxError, "unexpected EOF while parsing".into()),
        LexicalErrorType::FStringError(error) => (SyntaxError, interpolated("f-string", error)),
        LexicalErrorType::TStringError(error) => (SyntaxError, interpolated("t-string", error)),
        LexicalErrorType::UnclosedStringError => (SyntaxError, "unterminated string literal".into()),
        LexicalErrorType::OtherError(message) => other(message),
        LexicalErrorType::UnrecognizedToken { tok } if !tok.is_ascii() => (SyntaxError, stray_character(*tok)),
        _ => (SyntaxError, INVALID.into()),
    }
}

/// The sentence for a character that begins no token.
fn stray_character(tok: char) -> String {
    let code = u32::from(tok);
    if is_printable(tok) {
        format!("invalid character '{tok}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    }
}

/// Nearly `str.isprintable()`: no controls, no blanks, no format characters, nothing private or unassigned.
fn is_printable(tok: char) -> bool {
    !(tok.is_control()
        || tok.is_whitespace()
        || matches!(u32::from(tok),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0xe0000..=0x10_ffff))
}

/// Whether the grammar insists on the colon that is missing at a place, rather than trying other rules.
fn colon_is_required(text: &str, line: u32, column: i32) -> bool {
    let Some(content) = text.split('\n').nth((line as usize).saturating_sub(1)) else {
        return false;
    };
    let before: String = content.chars().take((column - 1).max(0) as usize).collect();
    let first = before.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let lambda = before.rfind("lambda").is_some_and(|at| !before[at..].contains([':', ')', ']', '}']));
    lambda || matches!(first, "def" | "async" | "try" | "else" | "finally")
}

fn codegen_error(error: &CodegenError, text: &str) -> CompileError {
    match &error.error {
        CodegenErrorType::RecursionError => {
            return CompileError::Recursion("maximum recursion depth exceeded during compilation".into());
        }
        CodegenErrorType::EmptyWithItems | CodegenErrorType::EmptyWithBody => {
            return CompileError::Internal(error.error.to_string());
        }
        _ => {}
    }
    let mut info = SyntaxErrorInfo::bare(error.error.to_string());
    if let Some(start) = error.location {
        let end = error.end_location.unwrap_or(start);
        info.line = start.line.get() as u32;
        info.end_line = end.line.get() as u32;
        // The compiler counts in bytes.
        info.column = characters(text, start.line.get(), start.character_offset.get());
        info.end_column = characters(text, end.line.get(), end.character_offset.get());
    }
    info.into()
}

/// Lines longer than this many bytes are cut when an error shows them.
const LONGEST_LINE: usize = 1 << 20;

/// The 1-based line of `text`, with a newline.
pub fn source_line(text: &str, line: usize) -> Option<String> {
    let found = text.split('\n').nth(line.checked_sub(1)?)?;
    let mut end = found.len().min(LONGEST_LINE);
    while !found.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}\n", &found[..end]))
}

/// The 1-based column, in characters, of byte offset `at`.
pub fn column_of(text: &str, at: usize) -> i32 {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[line_start..at].chars().count() as i32 + 1
}

/// A 1-based byte column as a 1-based character column.
pub fn characters(text: &str, line: usize, byte_column: usize) -> i32 {
    let Some(found) = line.checked_sub(1).and_then(|index| text.split('\n').nth(index)) else {
        return byte_column as i32;
    };
    let mut end = (byte_column - 1).min(found.len());
    while !found.is_char_boundary(end) {
        end -= 1;
    }
    found[..end].chars().count() as i32 + 1
}
