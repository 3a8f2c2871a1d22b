//! The parser's findings in CPython's words.
//!
//! The compiler crates already speak CPython's language for most errors. What is left are sentences of the
//! parser's own, written for an editor; CPython says "invalid syntax" there, or has another sentence. A
//! message is CPython's if it begins with a small letter, a quote or one of a few known words: the parser's own
//! sentences all begin with other capitals.

use rustpython_compiler::{CompileError as Rejected, ParseError};
use rustpython_codegen::error::{CodegenError, CodegenErrorType};
use ruff_python_parser::{InterpolatedStringErrorType, LexicalErrorType, ParseErrorType};

use crate::error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind};

const INVALID: &str = "invalid syntax";

/// Translates `rejected`, an error about `text`.
pub fn translate(rejected: Rejected, text: &str) -> CompileError {
    match rejected {
        Rejected::Parse(error) => parse_error(&error, text).into(),
        Rejected::Codegen(error) => codegen_error(&error, text),
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
    adjust(&mut info, error, text);
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
    if is_cpythons(message) {
        return (SyntaxError, message.to_owned());
    }
    (SyntaxError, INVALID.to_owned())
}

/// Whether CPython has such a sentence.
fn is_cpythons(message: &str) -> bool {
    const CAPITALIZED: [&str; 5] =
        ["Did you", "Exceeds the limit", "Generator expression must", "Missing parentheses", "Type parameter list"];
    if message.contains('`') {
        return false;
    }
    CAPITALIZED.iter().any(|start| message.starts_with(start))
        || message.starts_with(|first: char| first.is_lowercase() || matches!(first, '\'' | '(' | '"' | '*'))
}

fn interpolated(kind: &str, error: &InterpolatedStringErrorType) -> String {
    use InterpolatedStringErrorType as E;
    match error {
        E::UnclosedLbrace => format!("{kind}: expecting '}}'"),
        E::InvalidConversionFlag => format!("{kind}: invalid conversion character"),
        E::SingleRbrace => format!("{kind}: single '}}' is not allowed"),
        E::UnterminatedString => format!("unterminated {kind} literal"),
        E::UnterminatedTripleQuotedString => format!("unterminated triple-quoted {kind} literal"),
        E::LambdaWithoutParentheses => format!("{kind}: lambda expressions are not allowed without parentheses"),
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
        LexicalErrorType::InvalidByteLiteral => {
            (SyntaxError, "bytes can only contain ASCII literal characters".into())
        }
        LexicalErrorType::LineContinuationError => {
            (SyntaxError, "unexpected character after line continuation character".into())
        }
        LexicalErrorType::Eof => (SyntaxError, "unexpected EOF while parsing".into()),
        LexicalErrorType::FStringError(error) => (SyntaxError, interpolated("f-string", error)),
        LexicalErrorType::TStringError(error) => (SyntaxError, interpolated("t-string", error)),
        LexicalErrorType::UnclosedStringError => (SyntaxError, "unterminated string literal".into()),
        LexicalErrorType::OtherError(message) => other(message),
        _ => (SyntaxError, INVALID.into()),
    }
}

fn adjust(_info: &mut SyntaxErrorInfo, _error: &ParseError, _text: &str) {}

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

/// The 1-based line of `text`, with a newline.
pub fn source_line(text: &str, line: usize) -> Option<String> {
    let found = text.split('\n').nth(line.checked_sub(1)?)?;
    Some(format!("{found}\n"))
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
