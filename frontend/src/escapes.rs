//! Backslash escapes in string and bytes literals that are doubtful, and doubtful ends of numbers.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode as ParserMode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

use crate::error::{Warning, WarningCategory};
use crate::lines::Lines;
use crate::tokenizer::{Flavor, NumberWarning, Step, Tokenizer};

/// A literal: its content, and what its prefix says of it.
struct Literal<'a> {
    content_start: usize,
    content: &'a str,
    bytes: bool,
    raw: bool,
}

impl<'a> Literal<'a> {
    fn new(text: &'a str, start: usize, end: usize) -> Option<Self> {
        let token = text.get(start..end)?;
        let prefix = token.find(['\'', '"'])?;
        let quote = &token[prefix..=prefix];
        let width = if token[prefix..].starts_with(&quote.repeat(3)) && token.len() >= prefix + 6 { 3 } else { 1 };
        let content = token.get(prefix + width..token.len().checked_sub(width)?)?;
        let letters = token[..prefix].to_ascii_lowercase();
        Some(Self {
            content_start: start + prefix + width,
            content,
            bytes: letters.contains('b'),
            raw: letters.contains('r'),
        })
    }
}

/// Notes each escape of `text`, which is valid, that Python does not know.
pub fn doubtful(text: &str, warnings: &mut Vec<Warning>) {
    if !may_have_doubtful(text.as_bytes()) {
        return;
    }
    let lines = Lines::new(text);
    let parsed = parse_unchecked(text, ParseOptions::from(ParserMode::Module));
    for token in parsed.tokens().iter() {
        let (start, end) = (token.start().to_usize(), token.end().to_usize());
        match token.kind() {
            TokenKind::String => {
                if let Some(literal) = Literal::new(text, start, end)
                    && !literal.raw
                {
                    scan(
                        text,
                        literal.content_start,
                        literal.content_start + literal.content.len(),
                        literal.bytes,
                        &lines,
                        warnings,
                    );
                }
            }
            TokenKind::FStringMiddle | TokenKind::TStringMiddle
                if !token.string_flags().is_some_and(|flags| flags.is_raw_string()) =>
            {
                scan(text, start, end, false, &lines, warnings);
            }
            _ => {}
        }
    }
}

/// A backslash before something that no escape begins with: quick, and wrong only by saying yes too often.
fn may_have_doubtful(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|&byte| byte == b'\\') {
        at += found + 1;
        match text.get(at) {
            None => return false,
            Some(b'4'..=b'7') => return true,
            Some(&letter) if !known(letter, false) || matches!(letter, b'N' | b'u' | b'U') => {
                return true;
            }
            Some(_) => at += 1,
        }
    }
    false
}

const fn known(letter: u8, bytes: bool) -> bool {
    matches!(letter, b'\n' | b'\\' | b'\'' | b'"' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'x' | b'0'..=b'7')
        || (!bytes && matches!(letter, b'N' | b'u' | b'U'))
}

/// Notes the escapes of `text` from `from` to `end` that are doubtful; a brace behind the last backslash counts.
fn scan(text: &str, from: usize, end: usize, bytes: bool, lines: &Lines, warnings: &mut Vec<Warning>) {
    let raw = text.as_bytes();
    let mut at = from;
    while let Some(found) = raw[at.min(end)..end].iter().position(|&byte| byte == b'\\') {
        let start = at + found;
        let Some(&letter) = raw.get(start + 1).filter(|letter| start + 1 < end || matches!(letter, b'{' | b'}')) else {
            return;
        };
        at = start + 2;
        let (shown, kind) = if matches!(letter, b'4'..=b'7')
            && raw.get(start + 2..start + 4).is_some_and(|two| two.iter().all(|byte| matches!(byte, b'0'..=b'7')))
        {
            (text[start + 1..start + 4].to_owned(), "octal escape sequence")
        } else if known(letter, bytes) {
            continue;
        } else {
            (text[start + 1..].chars().next().map(String::from).unwrap_or_default(), "escape sequence")
        };
        let (line, column) = lines.place(start);
        warnings.push(Warning {
            category: WarningCategory::SyntaxWarning,
            message: format!(
                "\"\\{shown}\" is an invalid {kind}. Such sequences will not work in the future. Did you mean \
                 \"\\\\{shown}\"? A raw string is also an option."
            ),
            line,
            column,
            end_column: column + 1 + shown.chars().count() as i32,
        });
    }
}

/// Notes each number of `text`, which is valid, that a keyword follows without a blank.
pub fn doubtful_numbers(text: &str, warnings: &mut Vec<Warning>) {
    if !may_have_doubtful_numbers(text.as_bytes()) {
        return;
    }
    let mut tokenizer = Tokenizer::new(Flavor::default());
    while let Step::Token(token) = tokenizer.step(text.as_bytes(), true) {
        if let Some(NumberWarning { kind, line, column }) = tokenizer.take_warning() {
            warnings.push(Warning {
                category: WarningCategory::SyntaxWarning,
                message: format!("invalid {kind} literal"),
                line: line as u32,
                column,
                end_column: column,
            });
        }
        if token.kind == crate::tokenizer::kind::ENDMARKER {
            return;
        }
    }
}

/// A digit before a keyword's first letter, or a number whose digits are letters too.
fn may_have_doubtful_numbers(text: &[u8]) -> bool {
    text.windows(3).any(|bytes| match bytes {
        [b'0', b'x' | b'X', _] => true,
        [b'0'..=b'9' | b'.' | b'j' | b'J', first, second] => matches!(
            (first, second),
            (b'a', b'n') | (b'e', b'l') | (b'f', b'o') | (b'i', b'f' | b'n' | b's') | (b'o', b'r') | (b'n', b'o')
        ),
        _ => false,
    })
}
