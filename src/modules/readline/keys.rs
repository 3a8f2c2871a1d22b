//! What keys do: the commands, the keys that they have from the start, and the language of init files.
//!
//! ```text
//! set history-size 100            a variable
//! "\e[A": previous-history        keys, and the command's name
//! Control-a: "text\C-m"           a key by name, and other keys in its place
//! $if term=xterm … $else … $endif, $include FILE
//! ```

use hognose_allocators::TryVec;

use super::state::PyReadline;
use crate::lifecycle::run;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Abort,
    AcceptLine,
    BackwardChar,
    BackwardDeleteChar,
    BackwardKillWord,
    BackwardWord,
    BeginningOfHistory,
    BeginningOfLine,
    CapitalizeWord,
    ClearScreen,
    Complete,
    DeleteChar,
    DowncaseWord,
    EndOfHistory,
    EndOfLine,
    ForwardChar,
    ForwardWord,
    KillLine,
    KillWholeLine,
    KillWord,
    NextHistory,
    PossibleCompletions,
    PreviousHistory,
    QuotedInsert,
    RedrawCurrentLine,
    ReverseSearchHistory,
    SelfInsert,
    TabInsert,
    TransposeChars,
    UnixLineDiscard,
    UnixWordRubout,
    UpcaseWord,
    Yank,
}

/// The commands by name.
const NAMES: &[(&str, Command)] = &[
    ("abort", Command::Abort),
    ("accept-line", Command::AcceptLine),
    ("backward-char", Command::BackwardChar),
    ("backward-delete-char", Command::BackwardDeleteChar),
    ("backward-kill-line", Command::UnixLineDiscard),
    ("backward-kill-word", Command::BackwardKillWord),
    ("backward-word", Command::BackwardWord),
    ("beginning-of-history", Command::BeginningOfHistory),
    ("beginning-of-line", Command::BeginningOfLine),
    ("capitalize-word", Command::CapitalizeWord),
    ("clear-screen", Command::ClearScreen),
    ("complete", Command::Complete),
    ("delete-char", Command::DeleteChar),
    ("downcase-word", Command::DowncaseWord),
    ("end-of-history", Command::EndOfHistory),
    ("end-of-line", Command::EndOfLine),
    ("forward-char", Command::ForwardChar),
    ("forward-word", Command::ForwardWord),
    ("kill-line", Command::KillLine),
    ("kill-whole-line", Command::KillWholeLine),
    ("kill-word", Command::KillWord),
    ("next-history", Command::NextHistory),
    ("possible-completions", Command::PossibleCompletions),
    ("previous-history", Command::PreviousHistory),
    ("quoted-insert", Command::QuotedInsert),
    ("redraw-current-line", Command::RedrawCurrentLine),
    ("reverse-search-history", Command::ReverseSearchHistory),
    ("self-insert", Command::SelfInsert),
    ("tab-insert", Command::TabInsert),
    ("transpose-chars", Command::TransposeChars),
    ("unix-line-discard", Command::UnixLineDiscard),
    ("unix-word-rubout", Command::UnixWordRubout),
    ("upcase-word", Command::UpcaseWord),
    ("yank", Command::Yank),
];

/// The keys that commands have from the start. A tab is a tab until a program says otherwise.
const KEYS: &[(&[u8], Command)] = &[
    (b"\x01", Command::BeginningOfLine),
    (b"\x02", Command::BackwardChar),
    (b"\x04", Command::DeleteChar),
    (b"\x05", Command::EndOfLine),
    (b"\x06", Command::ForwardChar),
    (b"\x07", Command::Abort),
    (b"\x08", Command::BackwardDeleteChar),
    (b"\t", Command::TabInsert),
    (b"\n", Command::AcceptLine),
    (b"\x0b", Command::KillLine),
    (b"\x0c", Command::ClearScreen),
    (b"\r", Command::AcceptLine),
    (b"\x0e", Command::NextHistory),
    (b"\x10", Command::PreviousHistory),
    (b"\x11", Command::QuotedInsert),
    (b"\x12", Command::ReverseSearchHistory),
    (b"\x14", Command::TransposeChars),
    (b"\x15", Command::UnixLineDiscard),
    (b"\x16", Command::QuotedInsert),
    (b"\x17", Command::UnixWordRubout),
    (b"\x19", Command::Yank),
    (b"\x7f", Command::BackwardDeleteChar),
    (b"\x1b\t", Command::Complete),
    (b"\x1b\x1b", Command::Complete),
    (b"\x1b?", Command::PossibleCompletions),
    (b"\x1b<", Command::BeginningOfHistory),
    (b"\x1b>", Command::EndOfHistory),
    (b"\x1bb", Command::BackwardWord),
    (b"\x1bf", Command::ForwardWord),
    (b"\x1bc", Command::CapitalizeWord),
    (b"\x1bd", Command::KillWord),
    (b"\x1bl", Command::DowncaseWord),
    (b"\x1bu", Command::UpcaseWord),
    (b"\x1b\x7f", Command::BackwardKillWord),
    (b"\x1b\x08", Command::BackwardKillWord),
    (b"\x1b[A", Command::PreviousHistory),
    (b"\x1b[B", Command::NextHistory),
    (b"\x1b[C", Command::ForwardChar),
    (b"\x1b[D", Command::BackwardChar),
    (b"\x1b[F", Command::EndOfLine),
    (b"\x1b[H", Command::BeginningOfLine),
    (b"\x1bOA", Command::PreviousHistory),
    (b"\x1bOB", Command::NextHistory),
    (b"\x1bOC", Command::ForwardChar),
    (b"\x1bOD", Command::BackwardChar),
    (b"\x1bOF", Command::EndOfLine),
    (b"\x1bOH", Command::BeginningOfLine),
    (b"\x1b[1~", Command::BeginningOfLine),
    (b"\x1b[3~", Command::DeleteChar),
    (b"\x1b[4~", Command::EndOfLine),
    (b"\x1b[1;5C", Command::ForwardWord),
    (b"\x1b[1;5D", Command::BackwardWord),
];

/// What keys mean so far.
pub(super) enum Meaning {
    Command(Command),
    /// Other keys.
    Macro(Ref<PyBytes>),
    /// More keys have to come.
    Prefix,
    Nothing,
}

/// Looks keys up, a program's own first.
pub(super) fn meaning(state: &PyReadline, keys: &[u8]) -> PyResult<Meaning> {
    let mut is_prefix = false;
    if let Some(bindings) = state.bindings.get() {
        let mut position = 0;
        while let Some((key, target)) = bindings.next(&mut position) {
            let Some(key) = key.downcast::<PyBytes>() else { continue };
            if key.as_slice() == keys {
                if let Some(name) = target.downcast::<PyStr>() {
                    let command = name.ascii_str().and_then(command_named);
                    return Ok(command.map_or(Meaning::Nothing, Meaning::Command));
                }
                if let Ok(keys) = target.downcast_into::<PyBytes>() {
                    return Ok(Meaning::Macro(keys));
                }
            } else {
                is_prefix |= key.as_slice().starts_with(keys);
            }
        }
    }
    for (key, command) in KEYS {
        if *key == keys {
            return Ok(Meaning::Command(*command));
        }
        is_prefix |= key.starts_with(keys);
    }
    Ok(if is_prefix { Meaning::Prefix } else { Meaning::Nothing })
}

fn command_named(name: &str) -> Option<Command> {
    NAMES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, command)| *command)
}

/// Keys as they are written between quotation marks.
fn unescape(text: &[u8]) -> PyResult<TryVec<u8>> {
    let mut keys = TryVec::new();
    let mut at = 0;
    // What `\C-` and `\M-` do to the key that follows.
    let (mut control, mut meta) = (false, false);
    while at < text.len() {
        let mut byte = text[at];
        at += 1;
        if byte == b'\\' && at < text.len() {
            let next = text[at];
            at += 1;
            if text[at..].starts_with(b"-") && matches!(next, b'C' | b'M') {
                at += 1;
                if next == b'C' {
                    control = true
                } else {
                    meta = true
                }
                continue;
            }
            byte = match next {
                b'a' => 7,
                b'b' => 8,
                b'd' => 127,
                b'e' => 27,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                b'x' => number(text, &mut at, 16, 2),
                b'0'..=b'7' => {
                    at -= 1;
                    number(text, &mut at, 8, 3)
                }
                other => other,
            };
        }
        if control {
            byte = controlled(byte);
        }
        if meta {
            keys.try_push(27)?;
        }
        keys.try_push(byte)?;
        (control, meta) = (false, false);
    }
    Ok(keys)
}

fn controlled(byte: u8) -> u8 {
    if byte == b'?' { 127 } else { byte.to_ascii_uppercase() & 0x1F }
}

fn number(text: &[u8], at: &mut usize, base: u32, most: usize) -> u8 {
    let mut value = 0u32;
    for _ in 0..most {
        let Some(digit) = text.get(*at).and_then(|&byte| char::from(byte).to_digit(base)) else { break };
        value = value * base + digit;
        *at += 1;
    }
    value as u8
}

/// A key by its name: `Control-a`, `Meta-Rubout`, `tab`.
fn named_key(name: &[u8]) -> PyResult<TryVec<u8>> {
    let (mut control, mut meta) = (false, false);
    let mut rest = name;
    loop {
        let prefix =
            |prefix: &str| rest.len() > prefix.len() && rest[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes());
        if let Some(found) = ["control-", "ctrl-", "c-"].into_iter().find(|text| prefix(text)) {
            control = true;
            rest = &rest[found.len()..];
        } else if let Some(found) = ["meta-", "m-"].into_iter().find(|text| prefix(text)) {
            meta = true;
            rest = &rest[found.len()..];
        } else {
            break;
        }
    }
    const KEY_NAMES: [(&str, u8); 10] = [
        ("del", 127),
        ("esc", 27),
        ("escape", 27),
        ("lfd", b'\n'),
        ("newline", b'\n'),
        ("ret", b'\r'),
        ("return", b'\r'),
        ("rubout", 127),
        ("space", b' '),
        ("tab", b'\t'),
    ];
    let byte = KEY_NAMES.iter().find(|(own, _)| rest.eq_ignore_ascii_case(own.as_bytes())).map_or_else(
        || if rest.eq_ignore_ascii_case(b"spc") { b' ' } else { rest.first().copied().unwrap_or(0) },
        |k| k.1,
    );
    let mut keys = TryVec::new();
    if meta {
        keys.try_push(27)?;
    }
    keys.try_push(if control { controlled(byte) } else { byte })?;
    Ok(keys)
}

/// The text between quotation marks at the start, and what follows.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mark = *text.first()?;
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == mark => return Some((&text[1..at], &text[at + 1..])),
            _ => at += 1,
        }
    }
    None
}

/// A word at the start, and what follows.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii())
}

/// Does what a line of an init file says; ValueError for what is understood but not there. A line that says nothing
/// that is known does nothing, as users' files are written for other programs too.
pub(super) fn bind(ts: &ThreadState, state: &PyReadline, line: &[u8]) -> PyResult<()> {
    let line = line.trim_ascii();
    if line.is_empty() || line[0] == b'#' {
        return Ok(());
    }
    let (first, rest) = word(line);
    if first.eq_ignore_ascii_case(b"set") {
        let (name, value) = word(rest);
        return set(ts, state, name, value);
    }
    let (keys, rest) = if line[0] == b'"' {
        let Some((keys, rest)) = quoted(line) else { return Ok(()) };
        (unescape(keys)?, rest)
    } else {
        let end = line.iter().position(|&byte| byte == b':' || byte.is_ascii_whitespace()).unwrap_or(line.len());
        (named_key(&line[..end])?, &line[end..])
    };
    let Some(target) = rest.trim_ascii_start().strip_prefix(b":") else { return Ok(()) };
    let target = target.trim_ascii();
    let Some(bindings) = state.bindings.get() else { return Ok(()) };
    if keys.is_empty() || target.is_empty() {
        return Ok(());
    }
    let keys = PyBytes::new(ts, &keys)?;
    if matches!(target[0], b'"' | b'\'') {
        let Some((macro_keys, _)) = quoted(target) else { return Ok(()) };
        let macro_keys = PyBytes::new(ts, &unescape(macro_keys)?)?;
        return bindings.set(ts, keys.as_object(), macro_keys.as_object());
    }
    let name = fs_decode(ts, word(target).0)?;
    bindings.set(ts, keys.as_object(), name.as_object())
}

fn set(ts: &ThreadState, state: &PyReadline, name: &[u8], value: &[u8]) -> PyResult<()> {
    if name.eq_ignore_ascii_case(b"editing-mode") && value.eq_ignore_ascii_case(b"vi") {
        return raise!(ts, exc::ValueError, "readline: editing-mode vi is not supported, only emacs");
    }
    let Some(variables) = state.variables.get() else { return Ok(()) };
    let mut lower = TryVec::new();
    lower.try_extend(name.iter().map(u8::to_ascii_lowercase))?;
    let (name, value) = (fs_decode(ts, &lower)?, fs_decode(ts, value)?);
    variables.set_str(ts, &name, value.as_object())
}

/// How deep files may include one another.
const DEEPEST: usize = 8;

/// Does what a file says. What is not supported there is passed over.
pub(super) fn read_file(ts: &ThreadState, state: &PyReadline, path: &[u8], depth: usize) -> PyResult<Result<(), i32>> {
    let text = match run::read_file(ts, path)? {
        Ok(text) => text,
        Err(errno) => return Ok(Err(errno)),
    };
    // Whether each open `$if` holds; the bits above it are those around it.
    let mut conditions = TryVec::<bool>::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        let holds = conditions.iter().all(|holds| *holds);
        let (first, rest) = word(line);
        match first {
            b"$if" => conditions.try_push(condition(rest))?,
            b"$else" => {
                if let Some(last) = conditions.last_mut() {
                    *last = !*last;
                }
            }
            b"$endif" => {
                conditions.pop();
            }
            b"$include" if holds && depth < DEEPEST => {
                let name = fs_decode(ts, rest)?;
                // A file that is not there is no error.
                let _missing = read_file(ts, state, &fs_encode(ts, name.as_object())?, depth + 1)?;
            }
            _ if holds && !first.starts_with(b"$") => {
                if let Err(raised) = bind(ts, state, line) {
                    if !ts.raised_matches(&exc::ValueError) {
                        return Err(raised);
                    }
                    ts.clear_raised(raised);
                }
            }
            _ => {}
        }
    }
    Ok(Ok(()))
}

/// Whether what stands behind `$if` holds: `mode=emacs`, `term=…`, or this program's name.
fn condition(text: &[u8]) -> bool {
    match text.iter().position(|&byte| byte == b'=') {
        Some(at) => {
            let (name, value) = (text[..at].trim_ascii(), text[at + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"mode") {
                return value.eq_ignore_ascii_case(b"emacs");
            }
            let term = crate::sync::environment_variable(c"TERM").map_or(&b""[..], |term| term.to_bytes());
            name.eq_ignore_ascii_case(b"term")
                && (term == value || term.split(|&byte| byte == b'-').next() == Some(value))
        }
        None => text.trim_ascii().eq_ignore_ascii_case(b"python"),
    }
}

/// The user's init file: `INPUTRC`, `~/.inputrc` or `/etc/inputrc`, the first that there is.
pub(super) fn read_users_file(ts: &ThreadState, state: &PyReadline) -> PyResult<Result<(), i32>> {
    if let Some(name) = crate::sync::environment_variable(c"INPUTRC").filter(|name| !name.is_empty()) {
        return read_file(ts, state, name.to_bytes(), 0);
    }
    if let Some(home) = crate::sync::environment_variable(c"HOME") {
        let mut path = TryVec::new();
        path.try_extend_from_slice(home.to_bytes())?;
        path.try_extend_from_slice(b"/.inputrc")?;
        if read_file(ts, state, &path, 0)?.is_ok() {
            return Ok(Ok(()));
        }
    }
    read_file(ts, state, b"/etc/inputrc", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_in_many_ways() {
        let _heap = crate::text::testing::TestHeap::new();
        let keys = |text: &[u8]| unescape(text).ok().unwrap().to_vec();
        assert_eq!(keys(br"\C-a\M-b\e[A\t\x41\101\\"), b"\x01\x1bb\x1b[A\tAA\\");
        assert_eq!(keys(br"\C-?\M-\C-h"), b"\x7f\x1b\x08");
        let named = |text: &[u8]| named_key(text).ok().unwrap().to_vec();
        assert_eq!(named(b"Control-b"), b"\x02");
        assert_eq!(named(b"tab"), b"\t");
        assert_eq!(named(b"M-Rubout"), b"\x1b\x7f");
        assert_eq!(named(b"C-M-x"), b"\x1b\x18");
        assert_eq!(quoted(br#""a\"b": x"#), Some((&br#"a\"b"#[..], &b": x"[..])));
    }

    #[test]
    fn no_key_hides_another() {
        for (index, (key, _)) in KEYS.iter().enumerate() {
            assert!(KEYS[..index].iter().all(|(other, _)| other != key && !other.starts_with(key)), "{key:?}");
        }
    }
}
