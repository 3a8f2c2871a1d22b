//! Backslash escapes in string and bytes literals: what is wrong with one, and which are doubtful.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode as ParserMode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;

use crate::adjust::Lines;
use crate::error::{SyntaxErrorInfo, Warning, WarningCategory};

/// A literal: prefix, quotes and content by byte offsets.
struct Literal<'a> {
    start: usize,
    content_start: usize,
    content: &'a str,
    end: usize,
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
            start,
            content_start: start + prefix + width,
            content,
            end,
            bytes: letters.contains('b'),
            raw: letters.contains('r'),
        })
    }
}

/// Replaces a decoding error of a literal by CPython's sentence and range.
pub fn explain(info: &mut SyntaxErrorInfo, text: &str) {
    let lines = Lines::new(text);
    let at = lines.offset(info.line, info.column);
    let parsed = parse_unchecked(text, ParseOptions::from(ParserMode::Module));
    for token in parsed.tokens().iter() {
        let (start, end) = (token.start().to_usize(), token.end().to_usize());
        if end < at {
            continue;
        }
        if start > at {
            return;
        }
        if token.kind() != TokenKind::String {
            continue;
        }
        let Some(literal) = Literal::new(text, start, end) else {
            return;
        };
        let Some(message) = fault(&literal, at) else {
            return;
        };
        info.message = message;
        (info.line, info.column) = lines.place(literal.start);
        (info.end_line, info.end_column) = lines.place(literal.end);
        return;
    }
}

/// The first escape of a literal that cannot be decoded; a character name counts when it is at `at`.
fn fault(literal: &Literal, at: usize) -> Option<String> {
    let content = literal.content;
    let mut index = 0;
    // CPython decodes a form in which every character outside of ASCII is written as `\UXXXXXXXX`.
    let position =
        |index: usize| -> usize { content[..index].chars().map(|c| if c.is_ascii() { 1 } else { 10 }).sum() };
    while let Some(found) = content[index..].find('\\') {
        let start = index + found;
        let letter = content[start + 1..].chars().next()?;
        index = start + 1 + letter.len_utf8();
        let digits = |most: usize| content[index..].bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        if literal.bytes {
            if letter == 'x' && digits(2) < 2 {
                return Some(format!("(value error) invalid \\x escape at position {}", position(start)));
            }
            continue;
        }
        let say = |end: usize, reason: &str| {
            Some(format!(
                "(unicode error) 'unicodeescape' codec can't decode bytes in position {}-{}: {reason}",
                position(start),
                position(end) - 1
            ))
        };
        let (wanted, reason) = match letter {
            'x' => (2, "truncated \\xXX escape"),
            'u' => (4, "truncated \\uXXXX escape"),
            'U' => (8, "truncated \\UXXXXXXXX escape"),
            'N' => {
                let name = content[index..].strip_prefix('{').and_then(|rest| rest.find('}'));
                let Some(length) = name.filter(|&length| length > 0) else {
                    return say(index, "malformed \\N character escape");
                };
                let end = index + length + 2;
                if literal.content_start + end >= at {
                    return say(end, "unknown Unicode character name");
                }
                index = end;
                continue;
            }
            _ => continue,
        };
        let count = digits(wanted);
        if count < wanted {
            return say(index + count, reason);
        }
        if u32::from_str_radix(&content[index..index + wanted], 16).is_ok_and(|code| code > 0x10_ffff) {
            return say(index + wanted, "illegal Unicode character");
        }
    }
    None
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
                    scan(literal.content, literal.content_start, literal.bytes, &lines, warnings);
                }
            }
            TokenKind::FStringMiddle | TokenKind::TStringMiddle
                if !token.string_flags().is_some_and(|flags| flags.is_raw_string()) =>
            {
                scan(&text[start..end], start, false, &lines, warnings);
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

fn scan(content: &str, content_start: usize, bytes: bool, lines: &Lines, warnings: &mut Vec<Warning>) {
    let raw = content.as_bytes();
    let mut at = 0;
    while let Some(found) = raw[at..].iter().position(|&byte| byte == b'\\') {
        let start = at + found;
        let Some(&letter) = raw.get(start + 1) else {
            return;
        };
        at = start + 2;
        let (shown, kind) = if matches!(letter, b'4'..=b'7')
            && raw.get(start + 2..start + 4).is_some_and(|two| two.iter().all(|byte| matches!(byte, b'0'..=b'7')))
        {
            (content[start + 1..start + 4].to_owned(), "octal escape sequence")
        } else if known(letter, bytes) {
            continue;
        } else {
            (content[start + 1..].chars().next().map(String::from).unwrap_or_default(), "escape sequence")
        };
        let (line, column) = lines.place(content_start + start);
        warnings.push(Warning {
            category: WarningCategory::SyntaxWarning,
            message: format!(
                "\"\\{shown}\" is an invalid {kind}. Did you mean \"\\\\{shown}\"? A raw string is also an option."
            ),
            line,
            column,
            end_column: column + 1 + shown.chars().count() as i32,
        });
    }
}
