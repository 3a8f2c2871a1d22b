//! From source bytes to text: byte-order mark, coding cookie (PEP 263), newlines, null bytes.
//!
//! UTF-8, Latin-1 and ASCII are decoded here. For any other encoding [`detect_encoding`] tells the name, the
//! runtime decodes with its codec registry, and compiles the text with
//! [`PYCF_IGNORE_COOKIE`](crate::PYCF_IGNORE_COOKIE).

use crate::error::{CompileError, SyntaxErrorInfo};

/// How source bytes are encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8: declared, by byte-order mark, or by default.
    Utf8 {
        /// A cookie or a byte-order mark said so.
        declared: bool,
    },
    Latin1,
    Ascii,
    /// Anything else, as spelled in the cookie.
    Other(String),
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Finds out how `bytes` are encoded, from the byte-order mark and the first two lines.
///
/// # Errors
/// `SyntaxError` when the mark and the cookie contradict each other.
pub fn detect_encoding(bytes: &[u8]) -> Result<Encoding, CompileError> {
    let (text, marked) = strip_bom(bytes);
    let Some(cookie) = find_cookie(text) else {
        return Ok(Encoding::Utf8 { declared: marked });
    };
    let encoding = match normalized(cookie).as_str() {
        name if name == "utf-8" || name.starts_with("utf-8-") => Encoding::Utf8 { declared: true },
        name if ["latin-1", "iso-8859-1", "iso-latin-1"]
            .iter()
            .any(|latin| name == *latin || name.strip_prefix(latin).is_some_and(|rest| rest.starts_with('-'))) =>
        {
            Encoding::Latin1
        }
        "ascii" | "us-ascii" | "646" | "ansi-x3.4-1968" => Encoding::Ascii,
        _ => Encoding::Other(String::from_utf8_lossy(cookie).into_owned()),
    };
    if marked && !matches!(encoding, Encoding::Utf8 { .. }) {
        let name = match &encoding {
            Encoding::Latin1 => "iso-8859-1".to_owned(),
            _ => String::from_utf8_lossy(cookie).into_owned(),
        };
        return Err(unplaced(format!("encoding problem: {name} with BOM")));
    }
    Ok(encoding)
}

/// Decodes source bytes as `compile()` does when it is given bytes.
///
/// # Errors
/// `SyntaxError` for an encoding that is not decoded here, for bytes that do not fit the encoding, and for
/// null bytes.
pub fn decode_source(bytes: &[u8]) -> Result<String, CompileError> {
    decode(bytes, None)
}

/// Decodes the bytes of file `filename`: the same, with the messages that a file gets.
///
/// # Errors
/// As [`decode_source`].
pub fn decode_file(bytes: &[u8], filename: &str) -> Result<String, CompileError> {
    decode(bytes, Some(filename))
}

fn decode(bytes: &[u8], file: Option<&str>) -> Result<String, CompileError> {
    match detect_encoding(bytes)? {
        _ if file.is_some() && bytes.contains(&0) => Err(null_in_file(bytes)),
        Encoding::Utf8 { declared } => decode_utf8(bytes, file.filter(|_| !declared)),
        Encoding::Latin1 => {
            refuse_null(bytes)?;
            Ok(normalize_newlines(bytes.iter().map(|&byte| char::from(byte)).collect()))
        }
        Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
            None => decode_utf8(bytes, None),
            Some(_) if file.is_some() => Err(unplaced("encoding problem: ascii".into())),
            Some(at) => Err(unplaced(format!(
                "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                bytes[at]
            ))),
        },
        Encoding::Other(name) if file.is_some() => Err(unplaced(format!("encoding problem: {name}"))),
        Encoding::Other(name) => Err(unplaced(format!("unknown encoding: {name}"))),
    }
}

/// Takes bytes that are UTF-8 whatever a cookie says.
pub(crate) fn decode_utf8(bytes: &[u8], undeclared_file: Option<&str>) -> Result<String, CompileError> {
    let (text, _) = strip_bom(bytes);
    refuse_null(text)?;
    match std::str::from_utf8(text) {
        Ok(text) => Ok(normalize_newlines(text.to_owned())),
        Err(error) => Err(invalid_utf8(text, error, undeclared_file)),
    }
}

/// Text that is already a Python string: no mark, no cookie.
pub(crate) fn accept_text(bytes: &[u8]) -> Result<String, CompileError> {
    refuse_null(bytes)?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(normalize_newlines(text.to_owned())),
        Err(error) => Err(invalid_utf8(bytes, error, None)),
    }
}

fn strip_bom(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    }
}

fn refuse_null(bytes: &[u8]) -> Result<(), CompileError> {
    if bytes.contains(&0) {
        return Err(SyntaxErrorInfo::bare("source code string cannot contain null bytes").into());
    }
    Ok(())
}

/// A file has a null byte: its line is shown up to there.
fn null_in_file(bytes: &[u8]) -> CompileError {
    let at = bytes.iter().position(|&byte| byte == 0).unwrap_or(0);
    let line_start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let mut info =
        SyntaxErrorInfo::at("source code cannot contain null bytes", u32::try_from(line).unwrap_or(u32::MAX), 0, 0);
    info.text = Some(String::from_utf8_lossy(&bytes[line_start..at]).into_owned());
    info.into()
}

/// What is wrong before the first line: CPython puts it at column -1 of line 0.
fn unplaced(message: String) -> CompileError {
    SyntaxErrorInfo { column: -1, ..SyntaxErrorInfo::bare(message) }.into()
}

/// The cookie of the first line, or of the second when the first is blank or a comment.
fn find_cookie(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.split(|&byte| byte == b'\n' || byte == b'\r');
    let mut first = lines.next()?;
    // "\r\n" splits into a line and an empty one.
    if text.get(first.len()..first.len() + 2) == Some(b"\r\n") {
        lines.next();
    }
    for _ in 0..2 {
        let content = first.trim_ascii_start();
        let content = content.strip_prefix(b"\x0c").unwrap_or(content);
        match content.first() {
            None => {}
            Some(b'#') => {
                if let Some(cookie) = cookie_in(content) {
                    return Some(cookie);
                }
            }
            Some(_) => return None,
        }
        first = lines.next()?;
    }
    None
}

/// The name behind the first `coding:` or `coding=` of a comment.
fn cookie_in(comment: &[u8]) -> Option<&[u8]> {
    let word = b"coding";
    let mut from = 0;
    while let Some(found) = comment[from..].windows(word.len()).position(|window| window == word) {
        let after = from + found + word.len();
        if matches!(comment.get(after), Some(b':' | b'=')) {
            let rest = &comment[after + 1..];
            let rest = &rest[rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..];
            let length = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
                .count();
            if length > 0 {
                return Some(&rest[..length]);
            }
        }
        from = after;
    }
    None
}

fn normalized(name: &[u8]) -> String {
    name.iter()
        .map(|byte| match byte {
            b'_' => '-',
            byte => char::from(byte.to_ascii_lowercase()),
        })
        .collect()
}

fn normalize_newlines(text: String) -> String {
    if !text.contains('\r') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\r') {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
    out
}

/// What is wrong with the first sequence that is not UTF-8, and how many bytes it has.
fn utf8_reason(text: &[u8], error: std::str::Utf8Error) -> (&'static str, usize) {
    let bad = &text[error.valid_up_to()..];
    match error.error_len() {
        None => ("unexpected end of data", bad.len()),
        Some(length) => {
            if matches!(bad[0], 0xc2..=0xf4) {
                // A sequence that a quote or a line end cuts off ran out of data: the tokenizer decodes token
                // by token.
                match bad.get(length) {
                    Some(b'\'' | b'"' | b'\n') | None if length > 0 && needed(bad[0]) > length && length < 4 => {
                        ("unexpected end of data", length)
                    }
                    _ => ("invalid continuation byte", length),
                }
            } else {
                ("invalid start byte", 1)
            }
        }
    }
}

/// The length that a lead byte announces.
const fn needed(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

fn invalid_utf8(text: &[u8], error: std::str::Utf8Error, undeclared_file: Option<&str>) -> CompileError {
    let at = error.valid_up_to();
    let line_start = text[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = text[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    if let Some(filename) = undeclared_file {
        return unplaced(format!(
            "Non-UTF-8 code starting with '\\x{:02x}' in file {filename} on line {line}, but no encoding declared; \
             see https://peps.python.org/pep-0263/ for details",
            text[at]
        ));
    }
    let (reason, length) = utf8_reason(text, error);
    let (token, content) = token_around(text, line_start, at);
    let position = at - content;
    let what = if length == 1 {
        format!("byte 0x{:02x} in position {position}", text[at])
    } else {
        format!("bytes in position {position}-{}", position + length - 1)
    };
    let line_end = text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |newline| at + newline);
    let column = String::from_utf8_lossy(&text[line_start..token]).chars().count() as i32 + 1;
    let mut info = SyntaxErrorInfo::at(
        format!("(unicode error) 'utf-8' codec can't decode {what}: {reason}"),
        u32::try_from(line).unwrap_or(u32::MAX),
        column,
        column,
    );
    info.text = Some(String::from_utf8_lossy(&text[line_start..line_end]).into_owned() + "\n");
    info.into()
}

/// The start of the token around `at`, and the start of its content: behind the quote for a string.
fn token_around(text: &[u8], line_start: usize, at: usize) -> (usize, usize) {
    let mut quote = None;
    for (index, &byte) in text[line_start..at].iter().enumerate() {
        match quote {
            None if matches!(byte, b'\'' | b'"') => quote = Some((byte, line_start + index)),
            Some((open, _)) if byte == open => quote = None,
            _ => {}
        }
    }
    if let Some((_, start)) = quote {
        return (start, start + 1);
    }
    let word = text[line_start..at]
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'_' || byte >= 0x80 || byte.is_ascii_alphanumeric())
        .count();
    (at - word, at - word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: &[u8]) -> String {
        match decode_source(bytes) {
            Err(CompileError::Syntax(info)) => info.message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cookies_are_found_on_the_first_two_lines() {
        let other = |name: &str| Ok(Encoding::Other(name.into()));
        assert_eq!(detect_encoding(b"# -*- coding: koi8-r -*-\n"), other("koi8-r"));
        assert_eq!(detect_encoding(b"#!/x\r\n# vim: set fileencoding=cp1252 :\r\n"), other("cp1252"));
        assert_eq!(detect_encoding(b"\n\n# coding: koi8-r\n"), Ok(Encoding::Utf8 { declared: false }));
        assert_eq!(detect_encoding(b"x = 1\n# coding: koi8-r\n"), Ok(Encoding::Utf8 { declared: false }));
        assert_eq!(detect_encoding(b"# coding: UTF_8\n"), Ok(Encoding::Utf8 { declared: true }));
        assert_eq!(detect_encoding(b"# coding: Latin-1-unix\n"), Ok(Encoding::Latin1));
        assert_eq!(detect_encoding(b"\xef\xbb\xbfx\n"), Ok(Encoding::Utf8 { declared: true }));
    }

    #[test]
    fn newlines_become_one_kind() {
        assert_eq!(decode_source(b"a\r\nb\rc\n\r").unwrap(), "a\nb\nc\n\n");
    }

    #[test]
    fn latin_1_is_decoded() {
        assert_eq!(decode_source(b"# coding: latin-1\n'\xe9'").unwrap(), "# coding: latin-1\n'é'");
    }

    #[test]
    fn messages_are_those_of_cpython() {
        assert_eq!(
            message(b"\xff"),
            "(unicode error) 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
        );
        assert_eq!(
            message(b"x = 1\ny = '\xc3('\n"),
            "(unicode error) 'utf-8' codec can't decode byte 0xc3 in position 0: invalid continuation byte"
        );
        assert_eq!(
            message(b"x='\xe2\x82'"),
            "(unicode error) 'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"
        );
        assert_eq!(message(b"a\0b"), "source code string cannot contain null bytes");
        assert_eq!(message(b"# coding: foobar\n"), "unknown encoding: foobar");
        assert_eq!(message(b"\xef\xbb\xbf# coding: latin-1\n"), "encoding problem: iso-8859-1 with BOM");
    }

    #[test]
    fn null_bytes_of_files_have_a_place() {
        let Err(CompileError::Syntax(info)) = decode_file(b"x\ny\0z\n", "m.py") else { panic!() };
        assert_eq!((info.message.as_str(), info.line), ("source code cannot contain null bytes", 2));
        assert_eq!(info.text.as_deref(), Some("y"));
    }

    #[test]
    fn files_without_a_declaration_are_told_where_to_read() {
        let Err(CompileError::Syntax(info)) = decode_file(b"x\n\xff", "m.py") else { panic!() };
        assert_eq!(
            info.message,
            "Non-UTF-8 code starting with '\\xff' in file m.py on line 2, but no encoding declared; see \
             https://peps.python.org/pep-0263/ for details"
        );
    }
}
