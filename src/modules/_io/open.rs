//! `open`, and the standard streams.

use super::buffered::{BUFFERED_RANDOM_TYPE, BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE};
use super::fileio::FILEIO_TYPE;
use super::textio::TEXT_IO_WRAPPER_TYPE;
use super::util::*;
use crate::modules::posix::path::fspath;
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, Signature, StaticType, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::str::codec::Known;
use crate::{id, raise};

/// What is asked for by the mode string of `open`.
struct Mode<'a> {
    text: &'a PyStr,
    creating: bool,
    reading: bool,
    writing: bool,
    appending: bool,
    updating: bool,
    binary: bool,
}

impl<'a> Mode<'a> {
    fn parse(ts: &ThreadState, text: &'a PyStr) -> PyResult<Mode<'a>> {
        let mut seen = [false; 7];
        const LETTERS: &[u8; 7] = b"xrwa+bt";
        for ch in text.chars() {
            match LETTERS.iter().position(|letter| u32::from(*letter) == ch) {
                Some(index) if !seen[index] => seen[index] = true,
                _ => return raise!(ts, exc::ValueError, "invalid mode: '{text}'"),
            }
        }
        let [creating, reading, writing, appending, updating, binary, as_text] = seen;
        if as_text && binary {
            return raise!(ts, exc::ValueError, "can't have text and binary mode at once");
        }
        if u8::from(creating) + u8::from(reading) + u8::from(writing) + u8::from(appending) != 1 {
            return raise!(ts, exc::ValueError, "must have exactly one of create/read/write/append mode");
        }
        Ok(Mode { text, creating, reading, writing, appending, updating, binary })
    }

    /// The mode of the raw stream.
    fn raw(&self) -> &'static str {
        match (self.creating, self.reading, self.writing, self.updating) {
            (true, _, _, false) => "x",
            (true, _, _, true) => "x+",
            (_, true, _, false) => "r",
            (_, true, _, true) => "r+",
            (_, _, true, false) => "w",
            (_, _, true, true) => "w+",
            (_, _, _, false) => "a",
            (_, _, _, true) => "a+",
        }
    }
}

/// The arguments of `open` behind the mode.
struct Options<'a> {
    encoding: Option<&'a PyObject>,
    errors: Option<&'a PyObject>,
    newline: Option<&'a PyObject>,
    closefd: &'a PyObject,
    opener: &'a PyObject,
}

/// `open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)`.
pub(super) fn open(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<8> = Signature::new(
        "open",
        ["file", "mode", "buffering", "encoding", "errors", "newline", "closefd", "opener"],
        0,
        8,
        1,
    );
    let [file, mode, buffering, encoding, errors, newline, closefd, opener] = SIGNATURE.parse(ts, args)?;
    let Some(file) = file else { return raise!(ts, exc::TypeError, "open() needs a file") };
    let mode: &PyStr = match mode {
        None => PyStr::latin1_char(b'r'),
        Some(mode) => match mode.downcast::<PyStr>() {
            Some(mode) => mode,
            None => return raise!(ts, exc::TypeError, "open() argument 'mode' must be str, not {}", mode.type_name()),
        },
    };
    let buffering = buffering.map_or(Ok(-1), |buffering| protocol::as_i32(ts, buffering))?;
    let given = |argument: Option<&'_ PyObject>, name: &str| match argument.filter(|argument| !is_none(argument)) {
        Some(text) if !text.is_a::<PyStr>() => {
            raise!(ts, exc::TypeError, "open() argument '{name}' must be str or None, not {}", text.type_name())
        }
        _ => Ok(()),
    };
    given(encoding, "encoding")?;
    given(errors, "errors")?;
    given(newline, "newline")?;
    let closefd = py_bool(closefd.map_or(Ok(true), |flag| protocol::is_true(ts, flag))?);
    let options = Options {
        encoding: encoding.filter(|given| !is_none(given)),
        errors: errors.filter(|given| !is_none(given)),
        newline: newline.filter(|given| !is_none(given)),
        closefd: &closefd,
        opener: opener.unwrap_or(none()),
    };
    open_with(ts, file, mode, buffering, &options)
}

fn open_with(ts: &ThreadState, file: &PyObject, mode: &PyStr, buffering: i32, options: &Options<'_>) -> PyResult {
    let path = if protocol::is_index(file) { file.new_ref() } else { fspath(ts, file)? };
    let mode = Mode::parse(ts, mode)?;
    if mode.binary {
        let refused =
            [(options.encoding, "an encoding"), (options.errors, "an errors"), (options.newline, "a newline")];
        if let Some((_, what)) = refused.iter().find(|(given, _)| given.is_some()) {
            return raise!(ts, exc::ValueError, "binary mode doesn't take {what} argument");
        }
        if buffering == 1 {
            crate::modules::_warnings::warn(
                ts,
                &exc::RuntimeWarning,
                "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
                1,
            )?;
        }
    }
    let raw_mode = PyStr::new(ts, mode.raw())?;
    let raw = make(ts, &FILEIO_TYPE, &[&path, raw_mode.as_object(), options.closefd, options.opener])?;
    let mut outermost = raw.clone();
    match dress(ts, &raw, &mut outermost, &mode, buffering, options) {
        Ok(()) => Ok(outermost),
        Err(raised) => {
            // What has been opened is closed again.
            and_then_close(ts, Err(raised), || call::call_method(ts, &outermost, id!(close), &[]))
        }
    }
}

/// Puts a buffer and a text stream on a raw one, as the mode asks for.
fn dress(
    ts: &ThreadState,
    raw: &PyObject,
    outermost: &mut PyRef,
    mode: &Mode<'_>,
    mut buffering: i32,
    options: &Options<'_>,
) -> PyResult<()> {
    let mut line_buffering = false;
    let mut terminal = false;
    if buffering < 0 {
        let answer = protocol::call_named(ts, raw, "_isatty_open_only", &[])?;
        terminal = protocol::is_true(ts, &answer)?;
    }
    if buffering == 1 || terminal {
        buffering = -1;
        line_buffering = true;
    }
    let size = if buffering < 0 {
        let size = attr::get(ts, raw, id!(_blksize))?;
        let size = usize::try_from(protocol::as_isize(ts, &size)?).unwrap_or(0);
        size.min(8192 * 1024).max(DEFAULT_BUFFER_SIZE)
    } else {
        buffering as usize
    };
    if buffering == 0 {
        if !mode.binary {
            return raise!(ts, exc::ValueError, "can't have unbuffered text I/O");
        }
        return Ok(());
    }
    let class: &'static StaticType = if mode.updating {
        &BUFFERED_RANDOM_TYPE
    } else if mode.reading {
        &BUFFERED_READER_TYPE
    } else {
        debug_assert!(mode.creating || mode.writing || mode.appending);
        &BUFFERED_WRITER_TYPE
    };
    let size = PyInt::from_usize(ts, size)?;
    *outermost = make(ts, class, &[raw, &size])?;
    if mode.binary {
        return Ok(());
    }
    let or_none = |argument: Option<&'_ PyObject>| argument.unwrap_or(none()).new_ref();
    let (encoding, errors, newline) = (or_none(options.encoding), or_none(options.errors), or_none(options.newline));
    let line_buffering = py_bool(line_buffering);
    let buffer = outermost.clone();
    *outermost = make(ts, &TEXT_IO_WRAPPER_TYPE, &[&buffer, &encoding, &errors, &newline, &line_buffering])?;
    attr::set(ts, outermost, id!(mode), mode.text.as_object())
}

/// Makes an instance of one of this folder's classes.
fn make(ts: &ThreadState, class: &'static StaticType, args: &[&PyObject]) -> PyResult {
    exc::instantiate(ts, class, args)
}

/// Makes `sys.stdin`, `sys.stdout` or `sys.stderr`.
///
/// `name` is the variable's, `mode` is `r` or `w`; without `buffered` what is written goes out at once.
/// OSError when the descriptor is not usable.
#[allow(clippy::too_many_arguments, reason = "each is a setting of its own in the configuration")]
pub fn standard_stream(
    ts: &ThreadState,
    _io: &PyObject,
    fd: i32,
    name: &str,
    mode: &str,
    encoding: &PyObject,
    errors: &PyObject,
    buffered: bool,
) -> PyResult {
    let writes = mode == "w";
    let with_buffer = buffered || !writes;
    let fd_object = PyInt::from_i64(ts, fd.into())?;
    let raw_mode = PyStr::new(ts, mode)?;
    let no = py_bool(false);
    let raw = make(ts, &FILEIO_TYPE, &[&fd_object, raw_mode.as_object(), &no])?;
    let buffer = if with_buffer {
        let class: &'static StaticType = if writes { &BUFFERED_WRITER_TYPE } else { &BUFFERED_READER_TYPE };
        make(ts, class, &[&raw])?
    } else {
        raw.clone()
    };
    let shown = PyStr::format(ts, format_args!("<{name}>"))?;
    attr::set(ts, &raw, id!(name), shown.as_object())?;
    let answer = call::call_method(ts, &raw, id!(isatty), &[])?;
    let terminal = protocol::is_true(ts, &answer)?;
    // Errors are seen at once, and a terminal shows whole lines.
    let line_buffering = py_bool(buffered && (terminal || fd == 2));
    let write_through = py_bool(!buffered);
    let newline = PyStr::latin1_char(b'\n');
    // The known encodings are named as their codecs name themselves.
    let known = encoding.downcast::<PyStr>().and_then(PyStr::ascii_str).and_then(Known::from_name);
    let encoding = match known {
        Some(Known::Utf8) => PyStr::new(ts, "utf-8")?.into_object(),
        Some(Known::Latin1) => PyStr::new(ts, "iso8859-1")?.into_object(),
        Some(Known::Ascii) => PyStr::new(ts, "ascii")?.into_object(),
        None => encoding.new_ref(),
    };
    let stream = make(
        ts,
        &TEXT_IO_WRAPPER_TYPE,
        &[&buffer, &encoding, errors, newline.as_object(), &line_buffering, &write_through],
    )?;
    attr::set(ts, &stream, id!(mode), raw_mode.as_object())?;
    Ok(stream)
}

/// `open_code(path)`: the file of a program or module, to be run.
pub(super) fn open_code(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("open_code", ["path"], 0, 1, 1);
    let [path] = SIGNATURE.parse(ts, args)?;
    let path = path.unwrap_or(none());
    if !path.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "open_code() argument 'path' must be str, not {}", path.type_name());
    }
    let mode = PyStr::new(ts, "rb")?;
    let yes = py_bool(true);
    let options = Options { encoding: None, errors: None, newline: None, closefd: &yes, opener: none() };
    open_with(ts, path, &mode, -1, &options)
}

/// `text_encoding(encoding, stacklevel=2)`: the encoding, or what stands for the default one.
pub(super) fn text_encoding(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "text_encoding", args.len(), 1, 2)?;
    let level = args.get(1).map_or(Ok(2), |level| protocol::as_i32(ts, level))?;
    if !is_none(args[0]) {
        return Ok(args[0].new_ref());
    }
    super::textio::warn_default_encoding(ts, level as isize)?;
    // UTF-8 mode has no locale to ask.
    Ok(PyStr::intern(ts, if crate::config::utf8_mode() { "utf-8" } else { "locale" })?.into_object())
}
