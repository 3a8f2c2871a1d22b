//! Input that is not wrong, but not yet complete: what an interactive prompt asks for.
//!
//! CPython calls input incomplete when its tokenizer had reached the end of the text by the time that its parser
//! gave up. A last line without a newline is read to the end of the text together with its last token; behind a
//! newline the end is only reached by asking for one token more.

use crate::error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind};

/// Makes `outcome` an "incomplete input" error when more text could complete it.
///
/// `blamed` is the byte offset at which the parser stumbled, if it did.
pub fn refine(outcome: &mut Result<Vec<u8>, CompileError>, text: &str, blamed: Option<usize>) {
    let incomplete = match outcome {
        _ if text.lines().all(blank) => true,
        Ok(_) => is_open_line(text),
        Err(CompileError::Syntax(info)) => match blamed {
            Some(blamed) => is_open_line(text) && info.message == "invalid syntax" || is_open(info, text, blamed),
            None => info.message == "incomplete input",
        },
        Err(_) => false,
    };
    if incomplete {
        let info = match outcome {
            Err(CompileError::Syntax(info)) => info.clone(),
            _ => {
                let line = text.split('\n').count() as u32;
                let column = text.rsplit('\n').next().unwrap_or("").chars().count() as i32 + 1;
                SyntaxErrorInfo::at("", line, column, column)
            }
        };
        let (kind, message) = (SyntaxErrorKind::IncompleteInput, "incomplete input".to_owned());
        *outcome = Err(SyntaxErrorInfo { kind, message, ..info }.into());
    }
}

/// How the sentences begin that the tokenizer says on its own: no more text mends those.
const TOKENIZER: [&str; 8] = [
    "closing parenthesis",
    "f-string: ",
    "invalid character",
    "invalid non-printable",
    "leading zeros",
    "t-string: ",
    "unindent",
    "unmatched",
];

/// Whether the end of the text is what is wrong with it.
fn is_open(info: &SyntaxErrorInfo, text: &str, blamed: usize) -> bool {
    let message = info.message.as_str();
    let ended = text.ends_with('\n');
    let rest = text.get(blamed..).unwrap_or("");
    if message == "incomplete input" || message.starts_with("unterminated triple-quoted") {
        return true;
    }
    if message.starts_with("unterminated") {
        // A string that its line does not end, or a backslash before the newline.
        return if ended { text.ends_with("\\\n") } else { info.line as usize == text.split('\n').count() };
    }
    if text.ends_with('\\') || TOKENIZER.iter().any(|beginning| message.starts_with(beginning)) {
        return false;
    }
    if message == "unexpected EOF while parsing" {
        return true;
    }
    if !ended {
        // Reading the last token took the tokenizer to the end.
        let token = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(0, char::len_utf8));
        return blank(&rest[token..]);
    }
    let waits = message.ends_with("was never closed")
        || message.starts_with("expected an indented block")
        || message.starts_with("expected 'except' or 'finally'");
    rest.is_empty() || (waits && rest.lines().all(blank))
}

/// Whether `text` is a compound statement that only a newline closes, and that newline is not there.
fn is_open_line(text: &str) -> bool {
    const COMPOUND: [&str; 8] = ["if", "while", "for", "try", "with", "def", "class", "async"];
    if text.ends_with('\n') {
        return false;
    }
    let Some(first) = text.lines().find(|line| !blank(line)) else {
        return false;
    };
    first.starts_with('@') || COMPOUND.contains(&first.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(""))
}

fn blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}
