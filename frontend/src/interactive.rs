//! Input that is not wrong, but not yet complete: what an interactive prompt asks for.

use crate::error::{SyntaxErrorInfo, SyntaxErrorKind};

/// Makes `info` an "incomplete input" error when more text could mend it.
///
/// CPython decides so when its tokenizer has reached the end of the text, or the end inside of a
/// triple-quoted string, by the time that the parser gives up.
pub fn refine(info: &mut SyntaxErrorInfo, text: &str) {
    let message = info.message.as_str();
    let open = message.ends_with("was never closed")
        || message.starts_with("unterminated triple-quoted")
        || message == "unexpected EOF while parsing"
        || message == "incomplete input";
    if !open && !at_end(info, text) {
        return;
    }
    if message.starts_with("unterminated") && !message.contains("triple-quoted") {
        return;
    }
    info.kind = SyntaxErrorKind::IncompleteInput;
    info.message = "incomplete input".into();
}

/// Whether nothing but blanks and comments lies behind the error.
fn at_end(info: &SyntaxErrorInfo, text: &str) -> bool {
    if info.message.starts_with("invalid character") || info.message.starts_with("unindent") {
        return false;
    }
    let mut lines = text.split('\n').skip((info.line as usize).saturating_sub(1));
    let Some(first) = lines.next() else { return true };
    let column = usize::try_from(info.column - 1).unwrap_or(0);
    let rest: String = first.chars().skip(column).collect();
    blank(&rest) && lines.all(blank)
}

fn blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}
