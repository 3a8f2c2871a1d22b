//! `print` and `input`.

use crate::modules::readline;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::{id, raise};

fn stream(ts: &ThreadState, name: &PyStr) -> PyResult<Option<PyRef>> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(None) };
    sys.get_str(ts, name)
}

/// `print(*args, sep=' ', end='\n', file=None, flush=False)`.
pub fn print(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let (mut sep, mut end, mut file, mut flush) = (None, None, None, false);
    for (name, value) in args.keywords() {
        match name.ascii_str() {
            Some("sep") => sep = Some(value).filter(|v| !is_none(v)),
            Some("end") => end = Some(value).filter(|v| !is_none(v)),
            Some("file") => file = Some(value).filter(|v| !is_none(v)),
            Some("flush") => flush = protocol::is_true(ts, value)?,
            _ => return call::unexpected_keyword(ts, "print", &["sep", "end", "file", "flush"], name),
        }
    }
    let file = match file {
        Some(file) => file.new_ref(),
        None => match stream(ts, id!(stdout))? {
            None => return raise!(ts, exc::RuntimeError, "lost sys.stdout"),
            // A program without standard output prints nowhere.
            Some(stdout) if is_none(&stdout) => return Ok(ts.none()),
            Some(stdout) => stdout,
        },
    };
    for (name, value) in [("sep", sep), ("end", end)] {
        if let Some(value) = value
            && !value.is_a::<PyStr>()
        {
            return raise!(ts, exc::TypeError, "{name} must be None or a string, not {}", value.type_name());
        }
    }
    let write = attr::get(ts, &file, id!(write))?;
    let space = PyStr::latin1_char(b' ').as_object();
    let newline = PyStr::latin1_char(b'\n').as_object();
    for (index, item) in args.positional().iter().enumerate() {
        if index > 0 {
            call::call_with(ts, &write, &[sep.unwrap_or(space)])?;
        }
        let text = protocol::str(ts, item)?;
        call::call_with(ts, &write, &[text.as_object()])?;
    }
    call::call_with(ts, &write, &[end.unwrap_or(newline)])?;
    if flush {
        call::call_method(ts, &file, id!(flush), &[])?;
    }
    Ok(ts.none())
}

/// Whether a stream is the one of a descriptor, as far as it says.
fn is_descriptor(ts: &ThreadState, stream: &PyObject, fd: i64) -> bool {
    let number = attr::get(ts, stream, id!(fileno)).and_then(|fileno| call::call0(ts, &fileno));
    match number {
        Ok(number) => number.downcast::<crate::types::int::PyInt>().and_then(|number| number.as_i64()) == Some(fd),
        Err(raised) => {
            ts.clear_raised(raised);
            false
        }
    }
}

/// A line edited on the terminal: when there is one, and a program has imported `readline`.
fn edited(ts: &ThreadState, stdin: &PyObject, stdout: &PyObject, prompt: Option<&PyStr>) -> PyResult<Option<PyRef>> {
    let Some(state) = readline::existing(ts)? else { return Ok(None) };
    if !is_descriptor(ts, stdin, 0) || !is_descriptor(ts, stdout, 1) || !readline::is_possible() {
        return Ok(None);
    }
    if let Err(raised) = call::call_method(ts, stdout, id!(flush), &[]) {
        ts.clear_raised(raised);
    }
    let prompt = match prompt {
        Some(prompt) => crate::modules::posix::path::fs_encode(ts, prompt.as_object())?,
        None => hognose_allocators::TryVec::new(),
    };
    match readline::read_line(ts, &state, &prompt)? {
        Some(line) => Ok(Some(line.into_object())),
        None => raise!(ts, exc::EOFError, ""),
    }
}

/// `input(prompt='')`: a line of `sys.stdin` without its newline.
pub fn input(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "input", args.len(), 0, 1)?;
    let usable = |s: Option<PyRef>| s.filter(|s| !is_none(s));
    let Some(stdin) = usable(stream(ts, id!(stdin))?) else {
        return raise!(ts, exc::RuntimeError, "input(): lost sys.stdin");
    };
    let Some(stdout) = usable(stream(ts, id!(stdout))?) else {
        return raise!(ts, exc::RuntimeError, "input(): lost sys.stdout");
    };
    let prompt = args.first().filter(|p| !core::ptr::eq(**p, none()));
    let prompt = prompt.map(|prompt| protocol::str(ts, prompt)).transpose()?;
    if let Some(line) = edited(ts, &stdin, &stdout, prompt.as_deref())? {
        return Ok(line);
    }
    if let Some(text) = prompt {
        call::call_method(ts, &stdout, id!(write), &[text.as_object()])?;
    }
    if let Err(raised) = call::call_method(ts, &stdout, id!(flush), &[]) {
        // What cannot be flushed may still be written to.
        ts.clear_raised(raised);
    }
    let line = call::call_method(ts, &stdin, id!(readline), &[])?;
    let Some(line) = line.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "object.readline() returned non-string");
    };
    if line.len() == 0 {
        return raise!(ts, exc::EOFError, "EOF when reading a line");
    }
    let end = if line.char_at(line.len() - 1) == '\n' as u32 { line.len() - 1 } else { line.len() };
    Ok(line.slice(ts, 0, end)?.into_object())
}
