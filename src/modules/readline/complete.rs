//! Completion of the word before the cursor: the completer's answers, what they have in common, and the list of them.

use hognose_allocators::TryVec;

use super::editor::{Editor, flush, redraw, write};
use super::keys::Command;
use crate::modules::posix::path::fs_encode;
use crate::modules::unicodedata::columns_of;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::PyStr;

/// What `get_completion_type()` says: the key's sign, as the library that programs know has it.
const BY_TAB: i64 = 9;
const LIST: i64 = 63;

/// More than so many are shown on request only.
const MANY: usize = 100;

/// What the completer says to a word, until it says nothing more. What it raises ends it.
fn answers(ts: &ThreadState, completer: &PyObject, word: &PyStr) -> PyResult<Ref<PyList>> {
    let answers = PyList::new(ts)?;
    loop {
        let number = PyInt::from_usize(ts, answers.len())?;
        match call::call_with(ts, completer, &[word.as_object(), &number]) {
            Ok(answer) if answer.is_a::<PyStr>() => answers.append(ts, answer)?,
            Ok(_) => return Ok(answers),
            Err(raised) => {
                ts.clear_raised(raised);
                return Ok(answers);
            }
        }
    }
}

fn text(answers: &PyList, index: usize) -> Option<Ref<PyStr>> {
    answers.get(index).and_then(|answer| answer.downcast_into::<PyStr>().ok())
}

/// How many characters all have in common.
fn common_length(answers: &PyList, first: &PyStr) -> usize {
    let mut common = first.len();
    for index in 1..answers.len() {
        if let Some(other) = text(answers, index) {
            common = common.min(first.chars().zip(other.chars()).take_while(|(a, b)| a == b).count());
        }
    }
    common
}

/// Completes the word, or lists what it can become: at once, or when it was asked for twice.
pub(super) fn complete(editor: &mut Editor<'_>, list_only: bool) -> PyResult<()> {
    let (ts, state) = (editor.ts, editor.state);
    let Some(completer) = state.completer.get() else {
        editor.bell();
        return Ok(());
    };
    let Some(delims) = state.delims.get() else { return Ok(()) };
    let again = editor.last == Command::Complete;
    let (start, end) = {
        let line = state.line();
        let end = line.point;
        let is_delim = |ch: u32| delims.chars().any(|delim| delim == ch);
        let start = line.text[..end].iter().rposition(|&ch| is_delim(ch)).map_or(0, |at| at + 1);
        (start, end)
    };
    state.word.set((start, end));
    state.completion_type.set(if list_only || again { LIST } else { BY_TAB });
    let word = PyStr::from_ucs4(ts, &state.line().text[start..end])?;
    let found = answers(ts, &completer, &word)?;
    let Some(first) = text(&found, 0) else {
        editor.bell();
        return Ok(());
    };
    let common = common_length(&found, &first);
    let substitution = first.slice(ts, 0, common)?;
    // The completer may have changed the line: what is replaced is what is still there.
    let is_there = state.line().text.get(start..end).is_some_and(|now| now.iter().copied().eq(word.chars()));
    let grows = common > 0 && !substitution.equals(&word);
    if !list_only && is_there && grows {
        let line = state.line();
        line.remove(start, end);
        line.insert(substitution.chars())?;
    }
    if found.len() == 1 {
        return Ok(());
    }
    let at_once = state.is_on(ts, "show-all-if-ambiguous")? || (!grows && state.is_on(ts, "show-all-if-unmodified")?);
    if list_only || at_once || (again && !grows) {
        found.sort(ts, None, false)?;
        return show(editor, &substitution, &found);
    }
    editor.bell();
    Ok(())
}

/// Lists what the word can become: by the program's hook, or in columns.
fn show(editor: &mut Editor<'_>, substitution: &PyStr, found: &PyList) -> PyResult<()> {
    let (ts, state) = (editor.ts, editor.state);
    let mut longest = 0;
    for index in 0..found.len() {
        longest = longest.max(text(found, index).map_or(0, |answer| answer.len()));
    }
    if let Some(hook) = state.display_hook.get() {
        let copy = found.slice(ts, 0, found.len())?;
        let longest = PyInt::from_usize(ts, longest)?;
        if let Err(raised) = call::call_with(ts, &hook, &[substitution.as_object(), copy.as_object(), &longest]) {
            ts.clear_raised(raised);
        }
        flush(ts);
        state.line().screen.on_new_line();
        return redraw(ts, state);
    }
    write(ts, b"\n");
    state.line().screen.on_new_line();
    if found.len() > MANY {
        let question = PyStr::format(ts, format_args!("Display all {} possibilities? (y or n)", found.len()))?;
        write(ts, question.utf8(ts)?.as_bytes());
        let answer = editor.key()?;
        write(ts, b"\n");
        if !matches!(answer, Some(b'y' | b'Y' | b' ')) {
            return redraw(ts, state);
        }
    }
    let mut width = 0;
    for index in 0..found.len() {
        width = width.max(text(found, index).map_or(0, |answer| answer.chars().map(columns_of).sum()));
    }
    let per_row = (state.line().screen.columns / (width + 2)).max(1);
    let rows = found.len().div_ceil(per_row);
    let mut out = TryVec::<u8>::new();
    for row in 0..rows {
        for index in (row..found.len()).step_by(rows) {
            let Some(answer) = text(found, index) else { continue };
            out.try_extend_from_slice(&fs_encode(ts, answer.as_object())?)?;
            if index + rows < found.len() {
                let used: usize = answer.chars().map(columns_of).sum();
                for _ in used..width + 2 {
                    out.try_push(b' ')?;
                }
            }
        }
        out.try_push(b'\n')?;
    }
    write(ts, &out);
    redraw(ts, state)
}
