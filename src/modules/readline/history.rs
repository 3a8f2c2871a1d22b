//! The lines that were read: in memory, and in files of one line each.

use hognose_allocators::TryVec;

use super::state::PyReadline;
use crate::lifecycle::run;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{blocking, errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;

/// How many lines are kept, if `history-size` says so.
fn size_limit(ts: &ThreadState, state: &PyReadline) -> PyResult<Option<usize>> {
    let Some(variables) = state.variables.get() else { return Ok(None) };
    let value = variables.get_str(ts, &*PyStr::intern(ts, "history-size")?)?;
    Ok(value.as_ref().and_then(|value| value.downcast::<PyStr>()?.ascii_str()?.parse::<usize>().ok()))
}

/// The lines; there always are some, or none.
pub(super) fn lines(ts: &ThreadState, state: &PyReadline) -> PyResult<Ref<PyList>> {
    match state.history.get() {
        Some(history) => Ok(history),
        None => raise!(ts, exc::RuntimeError, "the history is gone: the interpreter ends"),
    }
}

/// Adds a line, and lets the oldest go that are too many.
pub(super) fn add(ts: &ThreadState, state: &PyReadline, line: Ref<PyStr>) -> PyResult<()> {
    let history = lines(ts, state)?;
    let limit = size_limit(ts, state)?;
    if limit == Some(0) {
        return Ok(());
    }
    history.append(ts, line.into_object())?;
    if let Some(limit) = limit {
        while history.len() > limit {
            history.remove_at(ts, 0);
        }
    }
    Ok(())
}

/// Line `index`, counted from 0.
pub(super) fn line(ts: &ThreadState, state: &PyReadline, index: usize) -> PyResult<Option<Ref<PyStr>>> {
    Ok(lines(ts, state)?.get(index).and_then(|line| line.downcast_into::<PyStr>().ok()))
}

/// A file's name: as given, or `~/.history`.
fn file_name(ts: &ThreadState, name: Option<&PyObject>) -> PyResult<TryVec<u8>> {
    if let Some(name) = name.filter(|name| !crate::types::none::is_none(name)) {
        return fs_encode(ts, name);
    }
    let mut path = TryVec::new();
    if let Some(home) = crate::sync::environment_variable(c"HOME") {
        path.try_extend_from_slice(home.to_bytes())?;
        path.try_push(b'/')?;
    }
    path.try_extend_from_slice(b".history")?;
    Ok(path)
}

fn audit_open(ts: &ThreadState, name: &[u8], mode: &str) -> PyResult<()> {
    crate::modules::sys::auditing::event_with(ts, "open", || {
        let name = fs_decode(ts, name)?.into_object();
        let mode = PyStr::intern(ts, mode)?.into_object();
        Ok([name, mode, crate::types::int::PyInt::from_i64(ts, 0)?])
    })
}

fn os_error<T>(ts: &ThreadState, errno: i32, name: Option<&PyObject>) -> PyResult<T> {
    Err(exc::raise_os_error(ts, errno, name.filter(|name| !crate::types::none::is_none(name))))
}

/// Adds the lines of a file.
pub(super) fn read(ts: &ThreadState, state: &PyReadline, name: Option<&PyObject>) -> PyResult<()> {
    let path = file_name(ts, name)?;
    audit_open(ts, &path, "r")?;
    let text = match run::read_file(ts, &path)? {
        Ok(text) => text,
        Err(errno) => return os_error(ts, errno, name),
    };
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            add(ts, state, fs_decode(ts, line)?)?;
        }
    }
    Ok(())
}

/// The bytes of the last `count` lines.
fn text_of_last(ts: &ThreadState, state: &PyReadline, count: usize) -> PyResult<TryVec<u8>> {
    let history = lines(ts, state)?;
    let mut text = TryVec::new();
    let len = history.len();
    for index in len.saturating_sub(count)..len {
        if let Some(line) = history.get(index) {
            text.try_extend_from_slice(&fs_encode(ts, &line)?)?;
            text.try_push(b'\n')?;
        }
    }
    Ok(text)
}

/// Opens a file and writes to it; the error number of what fails.
fn put(ts: &ThreadState, path: &[u8], flags: i32, text: &[u8]) -> PyResult<Result<(), i32>> {
    let mut c_path = TryVec::new();
    c_path.try_extend_from_slice(path)?;
    c_path.try_push(0)?;
    Ok(blocking(ts, || {
        // SAFETY: system calls with a C string, a slice's bytes, and a descriptor of our own.
        unsafe {
            let fd = libc::open(c_path.as_ptr().cast(), flags | libc::O_WRONLY | libc::O_CLOEXEC, 0o600);
            if fd < 0 {
                return Err(errno());
            }
            let mut rest = text;
            let mut result = Ok(());
            while !rest.is_empty() {
                match usize::try_from(libc::write(fd, rest.as_ptr().cast(), rest.len())) {
                    Ok(count) => rest = &rest[count.min(rest.len())..],
                    Err(_) if errno() == libc::EINTR => {}
                    Err(_) => {
                        result = Err(errno());
                        break;
                    }
                }
            }
            if libc::close(fd) < 0 && result.is_ok() {
                result = Err(errno());
            }
            result
        }
    }))
}

/// Leaves no more than the last lines of a file that its limit allows.
fn shorten(ts: &ThreadState, state: &PyReadline, path: &[u8], name: Option<&PyObject>) -> PyResult<()> {
    let Ok(limit) = usize::try_from(state.history_length.get()) else { return Ok(()) };
    let text = match run::read_file(ts, path)? {
        Ok(text) => text,
        Err(errno) => return os_error(ts, errno, name),
    };
    let count = text.iter().filter(|&&byte| byte == b'\n').count();
    if count <= limit {
        return Ok(());
    }
    let mut start = 0;
    for _ in limit..count {
        start += text[start..].iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    }
    match put(ts, path, libc::O_TRUNC, &text[start..])? {
        Ok(()) => Ok(()),
        Err(errno) => os_error(ts, errno, name),
    }
}

/// Writes all lines to a file.
pub(super) fn write(ts: &ThreadState, state: &PyReadline, name: Option<&PyObject>) -> PyResult<()> {
    let path = file_name(ts, name)?;
    audit_open(ts, &path, "w")?;
    let text = text_of_last(ts, state, usize::MAX)?;
    match put(ts, &path, libc::O_CREAT | libc::O_TRUNC, &text)? {
        Ok(()) => shorten(ts, state, &path, name),
        Err(errno) => os_error(ts, errno, name),
    }
}

/// Adds the last lines to a file that is there.
pub(super) fn append(ts: &ThreadState, state: &PyReadline, count: usize, name: Option<&PyObject>) -> PyResult<()> {
    let path = file_name(ts, name)?;
    audit_open(ts, &path, "a")?;
    let text = text_of_last(ts, state, count)?;
    match put(ts, &path, libc::O_APPEND, &text)? {
        Ok(()) => shorten(ts, state, &path, name),
        Err(errno) => os_error(ts, errno, name),
    }
}
