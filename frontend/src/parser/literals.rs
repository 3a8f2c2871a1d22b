//! Numbers and strings.

use super::{Found, NIL, Parser};
use crate::error::{CompileError, SyntaxErrorInfo};
use crate::tokenizer::Token;
use crate::tree::{Const, Kind, Value};

impl Parser<'_> {
    pub(super) fn number_constant(&self, token: &Token) -> Found {
        if self.options.feature_version < 6 && self.text_of(token).contains('_') {
            return self.raise("Underscores in numeric literals are only supported in Python 3.6 and greater");
        }
        let digits: String = self.text_of(token).chars().filter(|&c| c != '_').collect();
        let Some(value) = number(&digits) else {
            return self.raise("invalid number");
        };
        if let Const::Int(10, digits) = &value {
            let limit = self.options.int_max_str_digits;
            if limit != 0 && digits.len() > limit {
                return self.too_many_digits(token, digits.len());
            }
        }
        let value = self.add_constant(value);
        Ok(Some(self.node_of(token, token, Kind::Constant, &[value, NIL])))
    }

    fn too_many_digits(&self, token: &Token, digits: usize) -> Found {
        let message = format!(
            "Exceeds the limit ({} digits) for integer string conversion: value has {digits} digits; use \
             sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals to \
             avoid decimal conversion limits.",
            self.options.int_max_str_digits
        );
        let text = self.text.split('\n').nth((token.line - 1) as usize).map(|line| format!("{line}\n"));
        let info = SyntaxErrorInfo { text, ..SyntaxErrorInfo::at(message, token.line as u32, 0, 0) };
        *self.error.borrow_mut() = Some(CompileError::Syntax(info));
        Err(super::Stop)
    }

    /// A string literal as a constant.
    pub(super) fn string(&self, value: Value) -> Found {
        let token = self.token(value);
        let text = self.text_of(&token);
        let letters = text.find(['\'', '"']).unwrap_or(0);
        let prefix = text[..letters].to_ascii_lowercase();
        let quoted = &text[letters..];
        let width =
            if quoted.len() >= 6 && (quoted.starts_with("'''") || quoted.starts_with("\"\"\"")) { 3 } else { 1 };
        let content = &quoted[width..quoted.len() - width];
        let raw = prefix.contains('r');
        let constant = if prefix.contains('b') {
            if !content.is_ascii() {
                return self.raise_at(value, "bytes can only contain ASCII literal characters");
            }
            match decode_bytes(content, raw) {
                Ok(bytes) => Const::Bytes(bytes),
                Err(message) => return self.raise(&message),
            }
        } else {
            match decode_text(content, raw) {
                Ok(text) => Const::Str(text),
                Err(message) => return self.raise(&message),
            }
        };
        let unicode = if prefix.starts_with('u') { self.add_text("u".into()) } else { NIL };
        let constant = self.add_constant(constant);
        Ok(Some(self.node_of(&token, &token, Kind::Constant, &[constant, unicode])))
    }
}

/// The value of a number without underscores.
fn number(text: &str) -> Option<Const> {
    let lower = text.to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return Some(Const::Int(base, digits.to_owned()));
        }
    }
    if let Some(imaginary) = lower.strip_suffix('j') {
        return Some(Const::Complex(0.0, imaginary.parse().ok()?));
    }
    if lower.contains(['.', 'e']) {
        return Some(Const::Float(lower.parse().ok()?));
    }
    let digits = lower.trim_start_matches('0');
    Some(Const::Int(10, if digits.is_empty() { "0".into() } else { digits.to_owned() }))
}

/// Appends a code point as UTF-8; surrogates as if they had one.
pub fn push_code(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
    }
}

/// How a backslash's letter reads when it is short.
fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' => b'\\',
        b'\'' => b'\'',
        b'"' => b'"',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// Up to three octal digits: their value and count.
fn octal(digits: &[u8]) -> (u32, usize) {
    let count = digits.iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
    (digits[..count].iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0')), count)
}

fn decode_bytes(content: &str, raw: bool) -> Result<Vec<u8>, String> {
    let bytes = content.as_bytes();
    if raw {
        return Ok(bytes.to_vec());
    }
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' || at + 1 == bytes.len() {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let letter = bytes[at + 1];
        if let Some(byte) = simple_escape(letter) {
            out.push(byte);
            at += 2;
        } else if letter == b'\n' {
            at += 2;
        } else if matches!(letter, b'0'..=b'7') {
            let (value, count) = octal(&bytes[at + 1..]);
            out.push(value as u8);
            at += 1 + count;
        } else if letter == b'x' {
            let digits = bytes[at + 2..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            if digits < 2 {
                return Err(format!("(value error) invalid \\x escape at position {at}"));
            }
            out.push(u8::from_str_radix(&content[at + 2..at + 4], 16).unwrap_or(0));
            at += 4;
        } else {
            out.push(b'\\');
            at += 1;
        }
    }
    Ok(out)
}

/// Where `index` is in the form that CPython decodes: characters outside of ASCII are written as escapes there.
fn written_position(content: &str, index: usize) -> usize {
    let mut position = 0;
    let mut before = '\0';
    for c in content[..index].chars() {
        position += if c.is_ascii() { 1 } else { 10 };
        if before == '\\' && !c.is_ascii() {
            position += 5;
        }
        before = if before == '\\' && c == '\\' { '\0' } else { c };
    }
    position
}

/// The text of a literal's content, or the sentence for what is wrong with it.
pub fn decode_text(content: &str, raw: bool) -> Result<Vec<u8>, String> {
    let bytes = content.as_bytes();
    if raw || !bytes.contains(&b'\\') {
        return Ok(bytes.to_vec());
    }
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let say = |end: usize, reason: &str| {
            let (first, last) = (written_position(content, at), written_position(content, end) - 1);
            let what = if first == last {
                format!("byte 0x5c in position {first}")
            } else {
                format!("bytes in position {first}-{last}")
            };
            Err(format!("(unicode error) 'unicodeescape' codec can't decode {what}: {reason}"))
        };
        let Some(&letter) = bytes.get(at + 1) else {
            return say(at + 1, "\\ at end of string");
        };
        if let Some(byte) = simple_escape(letter) {
            out.push(byte);
            at += 2;
            continue;
        }
        let (wanted, reason) = match letter {
            b'\n' => {
                at += 2;
                continue;
            }
            b'0'..=b'7' => {
                let (value, count) = octal(&bytes[at + 1..]);
                push_code(&mut out, value);
                at += 1 + count;
                continue;
            }
            b'x' => (2, "truncated \\xXX escape"),
            b'u' => (4, "truncated \\uXXXX escape"),
            b'U' => (8, "truncated \\UXXXXXXXX escape"),
            b'N' => {
                let rest = &content[at + 2..];
                let name = rest.strip_prefix('{').and_then(|rest| rest.find('}').map(|end| &rest[..end]));
                let Some(name) = name.filter(|name| !name.is_empty()) else {
                    let tail = if rest.starts_with('{') { rest.find('}').map_or(rest.len(), |end| end + 1) } else { 0 };
                    return say(at + 2 + tail, "malformed \\N character escape");
                };
                let end = at + 4 + name.len();
                match unicode_names2::character(name) {
                    Some(c) => push_code(&mut out, u32::from(c)),
                    None => return say(end, "unknown Unicode character name"),
                }
                at = end;
                continue;
            }
            _ => {
                out.push(b'\\');
                at += 1;
                continue;
            }
        };
        let digits = &bytes[at + 2..];
        let count = digits.iter().take(wanted).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if count < wanted {
            return say(at + 2 + count, reason);
        }
        let code = u32::from_str_radix(&content[at + 2..at + 2 + wanted], 16).unwrap_or(u32::MAX);
        if code > 0x10_ffff {
            return say(at + 2 + wanted, "illegal Unicode character");
        }
        push_code(&mut out, code);
        at += 2 + wanted;
    }
    Ok(out)
}
