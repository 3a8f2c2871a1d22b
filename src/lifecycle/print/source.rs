//! Lines of source text, for tracebacks.

use core::ffi::c_int;

use hognose_allocators::collections::TryVec;

use crate::id;
use crate::object::{AsObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A line as characters.
pub type Line = TryVec<u32>;

/// What is known of a file.
enum Text {
    /// There is none.
    None,
    /// Its bytes, UTF-8 or Latin-1.
    Bytes { bytes: TryVec<u8>, latin1: bool },
    /// One of the standard library's modules, which are in the binary.
    Frozen(&'static [u8]),
    /// A text that was never in a file.
    Str(Ref<PyStr>),
    /// `linecache`'s list of lines.
    Lines(Ref<PyList>),
}

/// The texts that one traceback needs; each file is read once.
pub struct Sources {
    files: TryVec<(Ref<PyStr>, Text)>,
}

/// Files kept at the same time.
const KEPT: usize = 16;
/// A larger file is no source text.
const LARGEST: usize = 64 << 20;

/// The name under which `remember_source` keeps its texts.
const REGISTRY: &str = "traceback sources";

/// Keeps the text of what has a name but no file (`-c`, standard input), for later tracebacks.
pub fn remember_source(ts: &ThreadState, filename: &PyStr, text: &PyStr) -> PyResult<()> {
    let Some(state) = ts.interp().native_state.get() else { return Ok(()) };
    let key = PyStr::intern(ts, REGISTRY)?;
    let registry = match state.get_str(ts, &key)? {
        Some(registry) => registry,
        None => {
            let registry = PyDict::new(ts)?.into_object();
            state.set_str(ts, &key, &registry)?;
            registry
        }
    };
    match registry.downcast::<PyDict>() {
        Some(registry) => registry.set_str(ts, filename, text.as_object()),
        None => Ok(()),
    }
}

fn registered(ts: &ThreadState, filename: &PyStr) -> PyResult<Option<PyRef>> {
    let Some(state) = ts.interp().native_state.get() else { return Ok(None) };
    let key = PyStr::intern(ts, REGISTRY)?;
    match state.get_str(ts, &key)? {
        Some(registry) => match registry.downcast::<PyDict>() {
            Some(registry) => registry.get_str(ts, filename),
            None => Ok(None),
        },
        None => Ok(None),
    }
}

/// The lines that the module `linecache` has, if it is loaded: debuggers and doctests put texts there.
fn from_linecache(ts: &ThreadState, filename: &PyStr) -> PyResult<Option<Ref<PyList>>> {
    let Some(modules) = ts.interp().modules.get() else { return Ok(None) };
    let name = PyStr::intern(ts, "linecache")?;
    let Some(module) = modules.get_str(ts, &name)? else { return Ok(None) };
    let name = PyStr::intern(ts, "cache")?;
    let Some(cache) = crate::object::attr::get_opt(ts, &module, &name)? else { return Ok(None) };
    let Some(cache) = cache.downcast::<PyDict>() else { return Ok(None) };
    let Some(entry) = cache.get_str(ts, filename)? else { return Ok(None) };
    let Some(entry) = entry.downcast::<PyTuple>().filter(|e| e.len() == 4) else { return Ok(None) };
    Ok(entry.items()[2].downcast::<PyList>().map(Ref::from_borrowed))
}

impl Sources {
    /// None yet.
    pub const fn new() -> Sources {
        Sources { files: TryVec::new() }
    }

    /// A line of a file, from 1, without what whitespace ends it. None past the end and for what has no text.
    pub fn line(&mut self, ts: &ThreadState, filename: &Ref<PyStr>, line: i32) -> PyResult<Option<Line>> {
        let Some(index) = usize::try_from(line).ok().and_then(|l| l.checked_sub(1)) else { return Ok(None) };
        let place = match self.files.iter().position(|(name, _)| name.equals(filename)) {
            Some(place) => place,
            None => {
                if self.files.len() == KEPT {
                    self.files.remove(0);
                }
                let text = read(ts, filename)?;
                self.files.try_push((filename.clone(), text))?;
                self.files.len() - 1
            }
        };
        let mut found = match &self.files[place].1 {
            Text::None => return Ok(None),
            Text::Bytes { bytes, latin1 } => byte_line(bytes, index, *latin1)?,
            Text::Frozen(bytes) => byte_line(bytes, index, false)?,
            Text::Str(text) => str_line(text, index)?,
            Text::Lines(lines) => match lines.get(index) {
                Some(line) => match line.downcast::<PyStr>() {
                    Some(line) => str_line(line, 0)?,
                    None => None,
                },
                None => None,
            },
        };
        if let Some(line) = &mut found {
            while line.last().is_some_and(|ch| is_space(*ch)) {
                line.pop();
            }
        }
        Ok(found)
    }
}

/// Whether `str.strip` takes the character off.
pub fn is_space(ch: u32) -> bool {
    char::from_u32(ch).is_some_and(char::is_whitespace) || matches!(ch, 0x1c..=0x1f)
}

fn str_line(text: &PyStr, index: usize) -> PyResult<Option<Line>> {
    let mut line = Line::new();
    let mut at = 0;
    for ch in text.chars() {
        if at == index && ch != u32::from(b'\n') {
            line.try_push(ch)?;
        }
        if ch == u32::from(b'\n') {
            if at == index {
                return Ok(Some(line));
            }
            at += 1;
        }
    }
    Ok((at == index && !line.is_empty()).then_some(line))
}

/// Line `index` of a text whose lines end in `\n`, `\r\n` or `\r`.
fn byte_line(text: &[u8], index: usize, latin1: bool) -> PyResult<Option<Line>> {
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for _ in 0..index {
        let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else { return Ok(None) };
        let width = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    if rest.is_empty() {
        return Ok(None);
    }
    let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
    let mut line = Line::new();
    line.try_reserve(end)?;
    if latin1 {
        for byte in &rest[..end] {
            line.try_push((*byte).into())?;
        }
        return Ok(Some(line));
    }
    for chunk in rest[..end].utf8_chunks() {
        for ch in chunk.valid().chars() {
            line.try_push(ch.into())?;
        }
        if !chunk.invalid().is_empty() {
            line.try_push(0xFFFD)?;
        }
    }
    Ok(Some(line))
}

fn read(ts: &ThreadState, filename: &PyStr) -> PyResult<Text> {
    if let Some(lines) = from_linecache(ts, filename)? {
        return Ok(Text::Lines(lines));
    }
    let first = filename.chars().next();
    if first == Some(u32::from(b'<')) {
        if let Some(text) = registered(ts, filename)?
            && let Ok(text) = text.downcast_into::<PyStr>()
        {
            return Ok(Text::Str(text));
        }
        let frozen = filename.ascii_str().and_then(|f| f.strip_prefix("<frozen ")?.strip_suffix('>'));
        return Ok(match frozen.and_then(hognose_stdlib::source) {
            Some(source) => Text::Frozen(source),
            None => Text::None,
        });
    }
    if filename.is_empty() || filename.contains_nul() {
        return Ok(Text::None);
    }
    let mut path = TryVec::<u8>::new();
    for ch in filename.chars() {
        match char::from_u32(ch) {
            Some(ch) => path.try_extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes())?,
            // A byte that was no UTF-8 in the file's name.
            None => path.try_push((ch & 0xFF) as u8)?,
        }
    }
    path.try_push(0)?;
    let Some(bytes) = read_file(&path)? else { return Ok(Text::None) };
    let latin1 = declares_latin1(&bytes);
    Ok(Text::Bytes { bytes, latin1 })
}

/// The bytes of a regular file, if it can be read.
fn read_file(path: &[u8]) -> PyResult<Option<TryVec<u8>>> {
    debug_assert!(path.last() == Some(&0));
    // SAFETY: the path ends in NUL.
    let fd: c_int = unsafe { libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if fd < 0 {
        return Ok(None);
    }
    let result = read_descriptor(fd);
    // SAFETY: the descriptor is ours.
    unsafe { libc::close(fd) };
    result
}

fn read_descriptor(fd: c_int) -> PyResult<Option<TryVec<u8>>> {
    // SAFETY: all zeros is a valid value of the struct, which the call fills.
    let mut status: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the struct is of the right type.
    let known = unsafe { libc::fstat(fd, &raw mut status) } == 0;
    if !known || status.st_mode & libc::S_IFMT != libc::S_IFREG || status.st_size as usize > LARGEST {
        return Ok(None);
    }
    let mut bytes = TryVec::<u8>::new();
    let mut chunk = [0u8; 4096];
    loop {
        // SAFETY: the chunk's length is handed along.
        let count = unsafe { libc::read(fd, chunk.as_mut_ptr().cast(), chunk.len()) };
        match usize::try_from(count) {
            Ok(0) => return Ok(Some(bytes)),
            Ok(count) => bytes.try_extend_from_slice(&chunk[..count])?,
            Err(_) => return Ok(None),
        }
        if bytes.len() > LARGEST {
            return Ok(None);
        }
    }
}

/// Whether one of the first two lines declares Latin-1 (PEP 263); all else is taken for UTF-8.
fn declares_latin1(text: &[u8]) -> bool {
    for line in text.split(|b| *b == b'\n').take(2) {
        let line = line.trim_ascii_start();
        if !line.starts_with(b"#") {
            continue;
        }
        let Some(at) = line.windows(6).position(|w| w == b"coding") else { continue };
        let rest = &line[at + 6..];
        let Some(rest) = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")) else { continue };
        let rest = rest.trim_ascii_start();
        let names: [&[u8]; 4] = [b"latin-1", b"latin1", b"iso-8859-1", b"iso8859-1"];
        return names.iter().any(|name| rest.get(..name.len()).is_some_and(|r| r.eq_ignore_ascii_case(name)));
    }
    false
}

/// The dictionary of `sys`, or none at the very beginning and end.
pub(super) fn sys_value(ts: &ThreadState, name: &PyStr) -> PyResult<Option<PyRef>> {
    match ts.interp().sys_dict.get() {
        Some(dict) => dict.get_str(ts, name),
        None => Ok(None),
    }
}

/// `sys.tracebacklimit`: how many entries are shown at most.
pub(super) fn traceback_limit(ts: &ThreadState) -> PyResult<Option<usize>> {
    let name = PyStr::intern(ts, "tracebacklimit")?;
    let Some(limit) = sys_value(ts, &name)? else { return Ok(None) };
    Ok(limit
        .downcast::<crate::types::int::PyInt>()
        .map(|limit| limit.as_i64().map_or(if limit.sign() < 0 { 0 } else { usize::MAX }, |l| l.max(0) as usize)))
}

/// `sys.stdlib_module_names` has the name.
pub(super) fn is_stdlib_module(ts: &ThreadState, name: &PyStr) -> PyResult<bool> {
    match sys_value(ts, id!(stdlib_module_names))? {
        Some(names) => crate::object::protocol::contains(ts, &names, name.as_object()),
        None => Ok(false),
    }
}
