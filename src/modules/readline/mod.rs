//! `readline`: editing of the lines that `input()` reads from a terminal, their history, and completion.
//!
//! | file | what |
//! |---|---|
//! | `state` | the interpreter's one state |
//! | `history` | the lines that were read, and their files |
//! | `keys` | commands, keys, and the language of init files |
//! | `editor` | from keys to a line |
//! | `complete` | the completer's answers |
//! | `screen` | the line on the terminal |
//!
//! The interface is that of GNU readline 8.2 in CPython's module of the name; the editor is ours, and its memory is the
//! interpreter's. `input()` uses it once the module is imported. The prompt of the command has an editor of its own in
//! the standard library.

mod complete;
mod editor;
mod history;
mod keys;
mod screen;
mod state;

pub(crate) use editor::{is_possible, read_line};
pub(crate) use state::existing;

use crate::modules::ModuleSpec;
use crate::modules::posix::path::fs_encode;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use state::{PyReadline, state};

/// The version of the interface.
const VERSION: i64 = 0x0802;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "readline",
    doc: "Importing this module enables command line editing.",
    methods: &[
        MethodDef::one(
            "parse_and_bind",
            parse_and_bind,
            "parse_and_bind($module, string, /)\n--\n\nDo what a line of an init file says.",
        ),
        MethodDef::positional(
            "read_init_file",
            read_init_file,
            "read_init_file($module, filename=None, /)\n--\n\nDo what an init file says; without a name, the user's.",
        ),
        MethodDef::positional(
            "read_history_file",
            read_history_file,
            "read_history_file($module, filename=None, /)\n--\n\nAdd the lines of a file to the history (~/.history).",
        ),
        MethodDef::positional(
            "write_history_file",
            write_history_file,
            "write_history_file($module, filename=None, /)\n--\n\nWrite the history to a file (~/.history).",
        ),
        MethodDef::positional(
            "append_history_file",
            append_history_file,
            "append_history_file($module, nelements, filename=None, /)\n--\n\nAdd the last lines of the history to a file.",
        ),
        MethodDef::no_args(
            "get_history_length",
            |ts, _| PyInt::from_isize(ts, state(ts)?.history_length.get()),
            "get_history_length($module, /)\n--\n\nHow many lines a file of history has at most; negative: no limit.",
        ),
        MethodDef::one(
            "set_history_length",
            |ts, _, length| {
                state(ts)?.history_length.set(protocol::as_isize(ts, length)?);
                Ok(ts.none())
            },
            "set_history_length($module, length, /)\n--\n\nSet how many lines a file of history has at most.",
        ),
        MethodDef::no_args(
            "get_current_history_length",
            |ts, _| PyInt::from_usize(ts, history::lines(ts, &*state(ts)?)?.len()),
            "get_current_history_length($module, /)\n--\n\nHow many lines the history has.",
        ),
        MethodDef::one(
            "get_history_item",
            get_history_item,
            "get_history_item($module, index, /)\n--\n\nA line of the history, counted from 1; None when there is none.",
        ),
        MethodDef::one(
            "remove_history_item",
            remove_history_item,
            "remove_history_item($module, pos, /)\n--\n\nTake a line out of the history, counted from 0.",
        ),
        MethodDef::positional(
            "replace_history_item",
            replace_history_item,
            "replace_history_item($module, pos, line, /)\n--\n\nPut a line in another's place, counted from 0.",
        ),
        MethodDef::one("add_history", add_history, "add_history($module, line, /)\n--\n\nAdd a line to the history."),
        MethodDef::no_args(
            "clear_history",
            |ts, _| {
                history::lines(ts, &*state(ts)?)?.clear(ts);
                Ok(ts.none())
            },
            "clear_history($module, /)\n--\n\nForget the history.",
        ),
        MethodDef::one(
            "set_auto_history",
            |ts, _, enabled| {
                state(ts)?.auto_history.set(protocol::is_true(ts, enabled)?);
                Ok(ts.none())
            },
            "set_auto_history($module, enabled, /)\n--\n\nWhether the lines that are read are added to the history.",
        ),
        MethodDef::no_args("get_line_buffer", get_line_buffer, "get_line_buffer($module, /)\n--\n\nThe line so far."),
        MethodDef::one(
            "insert_text",
            insert_text,
            "insert_text($module, string, /)\n--\n\nPut text into the line, at the cursor.",
        ),
        MethodDef::no_args(
            "redisplay",
            |ts, _| {
                editor::flush(ts);
                editor::redraw(ts, &*state(ts)?)?;
                Ok(ts.none())
            },
            "redisplay($module, /)\n--\n\nShow the line as it is now.",
        ),
        MethodDef::positional(
            "set_startup_hook",
            |ts, _, args| set_hook(ts, "set_startup_hook", &state(ts)?.startup_hook, args),
            "set_startup_hook($module, function=None, /)\n--\n\nSet what is called before the prompt is shown.",
        ),
        MethodDef::positional(
            "set_pre_input_hook",
            |ts, _, args| set_hook(ts, "set_pre_input_hook", &state(ts)?.pre_input_hook, args),
            "set_pre_input_hook($module, function=None, /)\n--\n\nSet what is called after the prompt is shown, before the first key.",
        ),
        MethodDef::positional(
            "set_completion_display_matches_hook",
            |ts, _, args| set_hook(ts, "set_completion_display_matches_hook", &state(ts)?.display_hook, args),
            "set_completion_display_matches_hook($module, function=None, /)\n--\n\n\
             Set what shows the completions: function(substitution, matches, longest_match_length).",
        ),
        MethodDef::positional(
            "set_completer",
            |ts, _, args| set_hook(ts, "set_completer", &state(ts)?.completer, args),
            "set_completer($module, function=None, /)\n--\n\n\
             Set the completer: function(text, state) for state 0, 1, 2 … until it returns no string.",
        ),
        MethodDef::no_args(
            "get_completer",
            |ts, _| Ok(state(ts)?.completer.get().unwrap_or_else(|| ts.none())),
            "get_completer($module, /)\n--\n\nThe completer, or None.",
        ),
        MethodDef::one(
            "set_completer_delims",
            set_completer_delims,
            "set_completer_delims($module, string, /)\n--\n\nSet the characters that end a word.",
        ),
        MethodDef::no_args(
            "get_completer_delims",
            |ts, _| Ok(state(ts)?.delims.get().map_or_else(|| ts.none(), Ref::into_object)),
            "get_completer_delims($module, /)\n--\n\nThe characters that end a word.",
        ),
        MethodDef::no_args(
            "get_completion_type",
            |ts, _| PyInt::from_i64(ts, state(ts)?.completion_type.get()),
            "get_completion_type($module, /)\n--\n\nHow the completion in progress was asked for: 9 by a key, 63 for the list.",
        ),
        MethodDef::no_args(
            "get_begidx",
            |ts, _| PyInt::from_usize(ts, state(ts)?.word.get().0),
            "get_begidx($module, /)\n--\n\nWhere the word that is completed begins.",
        ),
        MethodDef::no_args(
            "get_endidx",
            |ts, _| PyInt::from_usize(ts, state(ts)?.word.get().1),
            "get_endidx($module, /)\n--\n\nWhere the word that is completed ends.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &state::READLINE_TYPE)?;
    module.add_str(ts, "backend", "readline")?;
    module.add_int(ts, "_READLINE_VERSION", VERSION)?;
    module.add_int(ts, "_READLINE_RUNTIME_VERSION", VERSION)?;
    module.add_str(ts, "_READLINE_LIBRARY_VERSION", "8.2")?;
    let is_new = existing(ts)?.is_none();
    let state = state(ts)?;
    if is_new {
        // A user without such a file has none.
        let _missing = keys::read_users_file(ts, &state)?;
    }
    Ok(())
}

fn text<'a>(ts: &ThreadState, function: &str, argument: &'a PyObject) -> PyResult<&'a PyStr> {
    match argument.downcast::<PyStr>() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "{function}() argument must be str, not {}", argument.type_name()),
    }
}

fn parse_and_bind(ts: &ThreadState, _: &PyObject, line: &PyObject) -> PyResult {
    let line = fs_encode(ts, text(ts, "parse_and_bind", line)?.as_object())?;
    keys::bind(ts, &*state(ts)?, &line)?;
    Ok(ts.none())
}

/// The one argument that may be missing.
fn optional<'a>(ts: &ThreadState, function: &str, args: &[&'a PyObject]) -> PyResult<Option<&'a PyObject>> {
    call::check_count(ts, function, args.len(), 0, 1)?;
    Ok(args.first().copied().filter(|argument| !is_none(argument)))
}

fn read_init_file(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let name = optional(ts, "read_init_file", args)?;
    let state = state(ts)?;
    let result = match name {
        Some(name) => keys::read_file(ts, &state, &fs_encode(ts, name)?, 0)?,
        None => keys::read_users_file(ts, &state)?,
    };
    match result {
        Ok(()) => Ok(ts.none()),
        Err(errno) => Err(exc::raise_os_error(ts, errno, name)),
    }
}

fn read_history_file(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let name = optional(ts, "read_history_file", args)?;
    history::read(ts, &*state(ts)?, name)?;
    Ok(ts.none())
}

fn write_history_file(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let name = optional(ts, "write_history_file", args)?;
    history::write(ts, &*state(ts)?, name)?;
    Ok(ts.none())
}

fn append_history_file(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "append_history_file", args.len(), 1, 2)?;
    match usize::try_from(protocol::as_isize(ts, args[0])?) {
        Ok(count) => history::append(ts, &*state(ts)?, count, args.get(1).copied())?,
        Err(_) => return raise!(ts, exc::ValueError, "append_history_file() argument 1 must not be negative"),
    }
    Ok(ts.none())
}

fn get_history_item(ts: &ThreadState, _: &PyObject, index: &PyObject) -> PyResult {
    let index = protocol::as_isize(ts, index)?;
    let state = state(ts)?;
    match usize::try_from(index).ok().and_then(|index| index.checked_sub(1)) {
        Some(index) => Ok(history::line(ts, &state, index)?.map_or_else(|| ts.none(), Ref::into_object)),
        None => Ok(ts.none()),
    }
}

/// A position in the history, counted from 0.
fn position(ts: &ThreadState, state: &PyReadline, position: &PyObject) -> PyResult<usize> {
    let position = protocol::as_isize(ts, position)?;
    let Ok(index) = usize::try_from(position) else {
        return raise!(ts, exc::ValueError, "History index cannot be negative");
    };
    if index >= history::lines(ts, state)?.len() {
        return raise!(ts, exc::ValueError, "No history item at position {position}");
    }
    Ok(index)
}

fn remove_history_item(ts: &ThreadState, _: &PyObject, at: &PyObject) -> PyResult {
    let state = state(ts)?;
    let index = position(ts, &state, at)?;
    history::lines(ts, &state)?.remove_at(ts, index);
    Ok(ts.none())
}

fn replace_history_item(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "replace_history_item", args.len(), 2, 2)?;
    let line = text(ts, "replace_history_item", args[1])?;
    let state = state(ts)?;
    let index = position(ts, &state, args[0])?;
    history::lines(ts, &state)?.set(ts, index, line.as_object().new_ref())?;
    Ok(ts.none())
}

fn add_history(ts: &ThreadState, _: &PyObject, line: &PyObject) -> PyResult {
    let line = text(ts, "add_history", line)?;
    history::add(ts, &*state(ts)?, Ref::from_borrowed(line))?;
    Ok(ts.none())
}

fn get_line_buffer(ts: &ThreadState, _: &PyObject) -> PyResult {
    let state = state(ts)?;
    Ok(PyStr::from_ucs4(ts, &state.line().text)?.into_object())
}

fn insert_text(ts: &ThreadState, _: &PyObject, argument: &PyObject) -> PyResult {
    let text = text(ts, "insert_text", argument)?;
    state(ts)?.line().insert(text.chars())?;
    Ok(ts.none())
}

fn set_hook(ts: &ThreadState, name: &str, slot: &Slot<PyObject>, args: &[&PyObject]) -> PyResult {
    let function = optional(ts, name, args)?;
    if let Some(function) = function
        && !call::is_callable(function)
    {
        return raise!(ts, exc::TypeError, "{name}(func): argument not callable");
    }
    slot.set(function.map(PyObject::new_ref));
    Ok(ts.none())
}

fn set_completer_delims(ts: &ThreadState, _: &PyObject, delims: &PyObject) -> PyResult {
    let delims = text(ts, "set_completer_delims", delims)?;
    state(ts)?.delims.set(Some(Ref::from_borrowed(delims)));
    Ok(ts.none())
}
