//! Running a program, as the command does (`Py_RunMain`).

use core::sync::atomic::{AtomicBool, Ordering};

use hognose_allocators::TryVec;
use hognose_frontend::Mode;

use super::init::{insert_path_0, main_dict};
use super::{print, repl, subinterp};
use crate::code::compile::{Request, compile};
use crate::code::marshal;
use crate::modules::_imp::PYC_MAGIC;
use crate::object::{AsObject, PyResult, Raised, attr, call};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::{id, raise};

/// Runs what the configuration says, finalizes, and returns the exit status.
pub fn run_main() -> i32 {
    let Some(ts) = ThreadState::try_current() else { return 1 };
    let runs = crate::modules::_interpreters::main_runs();
    let mut status = run_configured(ts);
    // Again when the program has said so meanwhile, in os.environ.
    if repl::wants_inspection(ts) {
        status = repl::inspect(ts);
    }
    drop(runs);
    if super::finalize() < 0 && status == 0 {
        status = 120;
    }
    status
}

fn run_configured(ts: &ThreadState) -> i32 {
    match run_program(ts) {
        Ok(()) => 0,
        Err(raised) => exit_status(ts, raised),
    }
}

/// The exit status of an exception that nobody caught: SystemExit says it, anything else is printed, and 1.
pub fn exit_status(ts: &ThreadState, raised: Raised) -> i32 {
    let error = ts.take_raised(raised);
    if error.ob_type().is_subtype(&exc::SystemExit) && ts.interp().config().inspect == 0 {
        return print::system_exit_status(ts, &error);
    }
    let interrupted = error.ob_type().is_subtype(&exc::KeyboardInterrupt);
    print::flush_stdout(ts);
    let _ = ts.restore_raised(error);
    print::print_and_clear(ts, true);
    if interrupted {
        ENDED_BY_INTERRUPT.store(true, Ordering::Relaxed);
        INTERRUPTED
    } else {
        1
    }
}

/// The exit status that says "ended by SIGINT".
const INTERRUPTED: i32 = 130;

/// A KeyboardInterrupt that nobody caught has ended the program. A property of the process, and of its end.
static ENDED_BY_INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Ends the process by SIGINT where that is what ended the program: the shell is to stop its own script, too.
/// Otherwise gives the status back.
pub fn end_by_signal(status: i32) -> i32 {
    if ENDED_BY_INTERRUPT.swap(false, Ordering::Relaxed) {
        // SAFETY: the default action ends the process; whoever waits for it sees that it was interrupted.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }
    status
}

fn run_program(ts: &ThreadState) -> PyResult<()> {
    let config = ts.interp().config();
    let wide = |text: &crate::config::WideString| crate::modules::sys::wide_to_str(ts, text);
    if config.run_filename.get().is_none() || !is_directory_or_zip(ts)? {
        insert_configured_path_0(ts)?;
    }
    repl::print_banner(ts)?;
    if config.run_command.get().is_some() {
        let text = wide(&config.run_command)?;
        return run_command(ts, text.cast::<PyStr>());
    }
    if config.run_module.get().is_some() {
        let name = wide(&config.run_module)?;
        return run_module(ts, &name, true);
    }
    if config.run_filename.get().is_some() {
        let name = wide(&config.run_filename)?;
        if is_directory_or_zip(ts)? {
            insert_path_0(ts, &name)?;
            subinterp::set_path_0(ts, &name)?;
            let main = PyStr::intern(ts, "__main__")?;
            return run_module(ts, main.as_object(), false);
        }
        return run_file(ts, name.cast::<PyStr>());
    }
    run_standard_input(ts)
}

fn insert_configured_path_0(ts: &ThreadState) -> PyResult<()> {
    let config = ts.interp().config();
    if config.safe_path != 0 {
        return Ok(());
    }
    match config.compute_sys_path_0() {
        Ok(Some(path)) => {
            let directory = crate::modules::sys::wide_to_str(ts, &path)?;
            insert_path_0(ts, &directory)?;
            subinterp::set_path_0(ts, &directory)
        }
        Ok(None) => Ok(()),
        Err(_) => Err(ts.raise_no_memory()),
    }
}

fn filename_bytes(ts: &ThreadState) -> PyResult<TryVec<u8>> {
    let config = ts.interp().config();
    let name = crate::modules::sys::wide_to_str(ts, &config.run_filename)?;
    crate::modules::posix::path::fs_encode(ts, &name)
}

fn is_directory_or_zip(ts: &ThreadState) -> PyResult<bool> {
    let path = filename_bytes(ts)?;
    let mut c_path = TryVec::<u8>::new();
    c_path.try_extend_from_slice(&path)?;
    c_path.try_push(0)?;
    let mut stat = core::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string; the struct is filled on success.
    let mode = unsafe {
        if libc::stat(c_path.as_ptr().cast(), stat.as_mut_ptr()) != 0 {
            return Ok(false);
        }
        stat.assume_init().st_mode
    };
    if mode & libc::S_IFMT == libc::S_IFDIR {
        return Ok(true);
    }
    if mode & libc::S_IFMT != libc::S_IFREG {
        return Ok(false);
    }
    // SAFETY: a system call with a C string.
    let fd = unsafe { libc::open(c_path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return Ok(false);
    }
    let found = ends_as_archive(fd);
    // SAFETY: the descriptor is our own.
    unsafe { libc::close(fd) };
    found
}

/// Whether a file ends with the end record of a zip archive: what comes before the archive may be anything, such as a
/// line for the shell.
fn ends_as_archive(fd: i32) -> PyResult<bool> {
    const RECORD: usize = 22;
    const LONGEST_COMMENT: usize = 65_535;
    // SAFETY: system calls on a descriptor of the caller's.
    let size = unsafe { libc::lseek(fd, 0, libc::SEEK_END) };
    let Ok(size) = usize::try_from(size) else { return Ok(false) };
    if size < RECORD {
        return Ok(false);
    }
    let len = size.min(RECORD + LONGEST_COMMENT);
    let mut tail = TryVec::<u8>::new();
    tail.try_resize(len, 0)?;
    // SAFETY: the vector has so many bytes.
    let got = unsafe { libc::pread(fd, tail.as_mut_ptr().cast(), len, (size - len) as libc::off_t) };
    if got != len as isize {
        return Ok(false);
    }
    let is_record = |at: usize| {
        let comment = usize::from(u16::from_le_bytes([tail[at + 20], tail[at + 21]]));
        tail[at..].starts_with(b"PK\x05\x06") && at + RECORD + comment == len
    };
    Ok((0..=len - RECORD).rev().any(is_record))
}

/// Runs a text as `__main__`.
fn run_text(ts: &ThreadState, source: &[u8], filename: &PyStr, is_file: bool) -> PyResult<()> {
    // The text of a command was decoded already.
    let flags = if is_file { 0 } else { hognose_frontend::PYCF_IGNORE_COOKIE };
    let request = Request { source, filename, mode: Mode::Exec, flags, optimize: None, is_file, feature_version: None };
    let code = compile(ts, request)?;
    let globals = main_dict(ts)?;
    crate::modules::sys::auditing::event(ts, "exec", &[code.as_object()])?;
    crate::vm::eval_code(ts, &code, &globals, Some(globals.as_object()), None)?;
    Ok(())
}

fn run_command(ts: &ThreadState, text: &PyStr) -> PyResult<()> {
    let filename = PyStr::intern(ts, "<string>")?;
    // Tracebacks of a command show its lines, as 3.13 and later do.
    let mut source = TryVec::<u8>::new();
    match text.utf8(ts) {
        Ok(text) => source.try_extend_from_slice(text.as_bytes())?,
        Err(raised) => {
            let error = ts.take_raised(raised);
            print::write_to_stderr(ts, &*PyStr::new(ts, "Unable to decode the command from the command line:\n")?);
            return Err(ts.restore_raised(error));
        }
    }
    source.try_push(b'\n')?;
    print::remember_source(ts, &filename, text)?;
    run_text(ts, &source, &filename, false)
}

/// `runpy._run_module_as_main`.
fn run_module(ts: &ThreadState, name: &crate::object::PyObject, set_argv_0: bool) -> PyResult<()> {
    let runpy = crate::import::import_module(ts, "runpy")?;
    let function = attr::get(ts, &runpy, &*PyStr::intern(ts, "_run_module_as_main")?)?;
    let alter = py_bool(set_argv_0);
    call::call_with(ts, &function, &[name, &alter])?;
    Ok(())
}

fn run_file(ts: &ThreadState, name: &PyStr) -> PyResult<()> {
    let path = crate::modules::posix::path::fs_encode(ts, name.as_object())?;
    let source = match read_file(ts, &path)? {
        Ok(source) => source,
        Err(errno) => return cannot_open(ts, name, errno),
    };
    let globals = main_dict(ts)?;
    globals.set_str(ts, id!(__file__), name.as_object())?;
    globals.set_str(ts, &*PyStr::intern(ts, "__cached__")?, &ts.none())?;
    if is_compiled(&path, &source) {
        set_main_loader(ts, &globals, name, "SourcelessFileLoader")?;
        return run_compiled(ts, &source, &globals);
    }
    set_main_loader(ts, &globals, name, "SourceFileLoader")?;
    run_text(ts, skip_first_line(ts, &source), name, true)
}

/// Runs what is in a `.pyc` file: a code object behind the magic number, flags, and what the source was like.
fn run_compiled(ts: &ThreadState, data: &[u8], globals: &PyDict) -> PyResult<()> {
    if !data.starts_with(&PYC_MAGIC.to_le_bytes()) {
        return raise!(ts, exc::RuntimeError, "Bad magic number in .pyc file");
    }
    let Some(body) = data.get(16..) else {
        return raise!(ts, exc::EOFError, "EOF read where object expected");
    };
    let Ok(code) = marshal::load(ts, body)?.downcast_into::<PyCode>() else {
        return raise!(ts, exc::RuntimeError, "Bad code object in .pyc file");
    };
    crate::modules::sys::auditing::event(ts, "exec", &[code.as_object()])?;
    crate::vm::eval_code(ts, &code, globals, Some(globals.as_object()), None)?;
    Ok(())
}

/// `-x`: the first line is for another program.
fn skip_first_line<'a>(ts: &ThreadState, source: &'a [u8]) -> &'a [u8] {
    if ts.interp().config().skip_source_first_line == 0 {
        return source;
    }
    match source.iter().position(|b| *b == b'\n') {
        // The line end stays, so that line numbers are right.
        Some(at) => &source[at..],
        None => &[],
    }
}

/// Whether a file has compiled code: its name says so, or its first bytes do.
fn is_compiled(path: &[u8], data: &[u8]) -> bool {
    path.ends_with(b".pyc") || data.starts_with(&PYC_MAGIC.to_le_bytes())
}

fn set_main_loader(ts: &ThreadState, globals: &PyDict, name: &PyStr, class: &str) -> PyResult<()> {
    let external = crate::import::import_module(ts, "_frozen_importlib_external")?;
    let loader = attr::get(ts, &external, &*PyStr::intern(ts, class)?)?;
    let loader = call::call_with(ts, &loader, &[id!(__main__).as_object(), name.as_object()])?;
    globals.set_str(ts, id!(__loader__), &loader)
}

/// CPython's words, on standard error, and status 2.
fn cannot_open(ts: &ThreadState, name: &PyStr, errno: i32) -> PyResult<()> {
    let config = ts.interp().config();
    let program = match config.program_name.get() {
        Some(_) => crate::modules::sys::wide_to_str(ts, &config.program_name)?,
        None => PyStr::new(ts, "hognose")?.into_object(),
    };
    let message = PyStr::format(
        ts,
        format_args!(
            "{}: can't open file {}: [Errno {errno}] {}\n",
            crate::object::protocol::str(ts, &program)?,
            crate::object::protocol::repr(ts, name.as_object())?,
            ErrorText(errno)
        ),
    )?;
    print::write_to_stderr(ts, &message);
    let two = crate::types::int::PyInt::from_i64(ts, 2)?;
    let exit = call::call_with(ts, exc::SystemExit.as_object(), &[&two])?;
    Err(ts.raise(exit))
}

/// The system's words for an error number.
pub struct ErrorText(pub i32);

impl core::fmt::Display for ErrorText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut buffer = [0 as core::ffi::c_char; 256];
        // SAFETY: the buffer is as long as said; the XSI form writes a C string into it.
        let text = unsafe {
            libc::strerror_r(self.0, buffer.as_mut_ptr(), buffer.len());
            core::ffi::CStr::from_ptr(buffer.as_ptr())
        };
        f.write_str(text.to_str().unwrap_or("unknown error"))
    }
}

/// The whole of a file, or the error number of what failed.
pub fn read_file(ts: &ThreadState, path: &[u8]) -> PyResult<Result<TryVec<u8>, i32>> {
    let mut c_path = TryVec::<u8>::new();
    c_path.try_extend_from_slice(path)?;
    c_path.try_push(0)?;
    // SAFETY: a plain system call with a C string.
    let fd = unsafe { libc::open(c_path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return Ok(Err(errno()));
    }
    let result = read_descriptor(ts, fd);
    // SAFETY: the descriptor is our own.
    unsafe { libc::close(fd) };
    result
}

fn errno() -> i32 {
    // SAFETY: the thread's own error number.
    unsafe { *libc::__errno_location() }
}

/// Everything up to the end of a descriptor's data.
pub fn read_descriptor(ts: &ThreadState, fd: i32) -> PyResult<Result<TryVec<u8>, i32>> {
    let mut data = TryVec::<u8>::new();
    loop {
        let used = data.len();
        data.try_reserve(if used == 0 { 64 * 1024 } else { used })?;
        let room = data.capacity() - used;
        // SAFETY: the vector has that much room behind its items.
        let got = unsafe { libc::read(fd, data.as_mut_ptr().add(used).cast(), room) };
        if got < 0 {
            if errno() == libc::EINTR {
                super::pending::signals(ts)?;
                continue;
            }
            return Ok(Err(errno()));
        }
        if got == 0 {
            return Ok(Ok(data));
        }
        // SAFETY: the read has initialized so many bytes.
        unsafe { data.set_len(used + got as usize) };
    }
}

fn run_standard_input(ts: &ThreadState) -> PyResult<()> {
    if repl::is_interactive(ts) {
        return repl::run(ts);
    }
    let filename = PyStr::intern(ts, "<stdin>")?;
    match read_descriptor(ts, 0)? {
        Ok(source) => run_text(ts, &source, &filename, true),
        Err(errno) => raise!(ts, exc::OSError, "[Errno {errno}] {}", ErrorText(errno)),
    }
}

/// Runs a file in `__main__` without making it the program: `PYTHONSTARTUP`.
pub(super) fn run_startup_file(ts: &ThreadState, path: &[u8]) -> PyResult<()> {
    let name = crate::modules::posix::path::fs_decode(ts, path)?;
    match read_file(ts, path)? {
        Ok(source) => run_text(ts, &source, &name, true),
        Err(errno) => Err(exc::raise_os_error(ts, errno, Some(name.as_object()))),
    }
}
