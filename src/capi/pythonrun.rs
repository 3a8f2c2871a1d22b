//! Running text, files and code objects. Declared in `pythonrun.h` and `compile.h`.

use core::ffi::{CStr, c_char, c_int};

use hognose_allocators::TryVec;
use hognose_frontend::Mode;

use super::convert::guard;
use crate::code::compile::{Request, compile};
use crate::id;
use crate::lifecycle::init::main_dict;
use crate::lifecycle::print;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::{PyStr, codec};

/// `PyCompilerFlags`.
#[repr(C)]
pub struct CompilerFlags {
    /// `CO_FUTURE_*` and `PyCF_*`.
    pub cf_flags: c_int,
    /// The minor version whose grammar is to be used.
    pub cf_feature_version: c_int,
}

/// The `CO_FUTURE_*` flags.
pub(super) const FUTURE_FLAGS: c_int = 0x01FE_0000;

/// The mode of a `Py_*_input` number.
fn mode_of(ts: &ThreadState, start: c_int) -> PyResult<Mode> {
    match start {
        256 => Ok(Mode::Single),
        257 => Ok(Mode::Exec),
        258 => Ok(Mode::Eval),
        _ => raise!(ts, exc::SystemError, "invalid start token {start}"),
    }
}

/// The flags, or none for null.
///
/// # Safety
/// `flags` is null or to a `PyCompilerFlags`.
unsafe fn flags_of(flags: *const CompilerFlags) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { flags.as_ref() }.map_or(0, |flags| flags.cf_flags as u32)
}

/// Gives a namespace its `__builtins__` when it has none, as running code in it needs.
pub(super) fn add_builtins(ts: &ThreadState, globals: &PyDict) -> PyResult<()> {
    if globals.contains_str(ts, id!(__builtins__))? {
        return Ok(());
    }
    match ts.interp().builtins.get() {
        Some(builtins) => globals.set_str(ts, id!(__builtins__), builtins.as_object()),
        None => Ok(()),
    }
}

fn compile_text(
    ts: &ThreadState,
    text: &[u8],
    filename: &PyStr,
    start: c_int,
    flags: u32,
    optimize: c_int,
    is_file: bool,
) -> PyResult<Ref<PyCode>> {
    let optimize = u8::try_from(optimize).ok();
    compile(
        ts,
        Request { source: text, filename, mode: mode_of(ts, start)?, flags, optimize, is_file, feature_version: None },
    )
}

struct Run<'a> {
    text: &'a [u8],
    filename: &'a PyStr,
    start: c_int,
    flags: u32,
    is_file: bool,
}

fn run_in(ts: &ThreadState, run: &Run<'_>, globals: &PyObject, locals: Option<&PyObject>) -> PyResult {
    let Some(dict) = globals.downcast::<PyDict>() else {
        return raise!(ts, exc::SystemError, "globals must be a real dict; try eval(code, {{}}, mapping)");
    };
    let code = compile_text(ts, run.text, run.filename, run.start, run.flags, -1, run.is_file)?;
    add_builtins(ts, dict)?;
    crate::modules::sys::auditing::event(ts, "exec", &[code.as_object()])?;
    crate::vm::eval_code(ts, &code, dict, Some(locals.unwrap_or(globals)), None)
}

/// Prints what was raised and clears it; the -1 of the simple functions. SystemExit ends the process.
fn report(ts: &ThreadState) -> c_int {
    if let Some(status) = print::print_and_clear(ts, true) {
        super::pylifecycle::exit(status);
    }
    -1
}

/// Runs a body whose errors are printed: 0, or -1.
fn simply(function: &str, body: impl FnOnce(&ThreadState) -> PyResult<()>) -> c_int {
    let mut failed = false;
    guard::<()>(function, |ts| {
        let result = body(ts);
        failed = result.is_err();
        result
    });
    let ts = ThreadState::current();
    if failed || ts.current_exception.is_some() { report(ts) } else { 0 }
}

fn fs_name(ts: &ThreadState, name: &CStr) -> PyResult<Ref<PyStr>> {
    codec::decode_utf8(ts, name.to_bytes(), "surrogateescape")
}

/// Everything from a C stream's position to its end.
///
/// # Safety
/// `stream` is open for reading.
pub(super) unsafe fn read_stream(ts: &ThreadState, stream: *mut libc::FILE) -> PyResult<TryVec<u8>> {
    let mut text = TryVec::<u8>::new();
    loop {
        text.try_reserve(16 * 1024)?;
        let used = text.len();
        // SAFETY: the vector has that much room; the stream is the caller's.
        unsafe {
            let got = libc::fread(text.as_mut_ptr().add(used).cast(), 1, text.capacity() - used, stream);
            text.set_len(used + got);
            if got == 0 {
                if libc::ferror(stream) != 0 {
                    return Err(exc::raise_os_error(ts, super::pyerrors::errno(), None));
                }
                return Ok(text);
            }
        }
    }
}

// The simple ones.

/// Runs text in `__main__`; prints what it raises. 0, or -1.
///
/// # Safety
///
/// A thread state is attached; `command` is a C string, `flags` null or a `PyCompilerFlags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_SimpleStringFlags(command: *const c_char, flags: *const CompilerFlags) -> c_int {
    simply("PyRun_SimpleStringFlags", |ts| {
        // SAFETY: as promised.
        let (text, flags) = unsafe { (CStr::from_ptr(command).to_bytes(), flags_of(flags)) };
        let filename = PyStr::intern(ts, "<string>")?;
        let globals = main_dict(ts)?;
        let run = Run { text, filename: &filename, start: 257, flags, is_file: false };
        run_in(ts, &run, globals.as_object(), None).map(drop)
    })
}

/// The same without flags.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_SimpleString(command: *const c_char) -> c_int {
    // SAFETY: as promised.
    unsafe { PyRun_SimpleStringFlags(command, core::ptr::null()) }
}

/// Runs a file in `__main__`, closes it if asked to; prints what it raises. 0, or -1.
///
/// # Safety
///
/// A thread state is attached; `stream` is open, `filename` a C string, `flags` null or a `PyCompilerFlags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_SimpleFileExFlags(
    stream: *mut libc::FILE,
    filename: *const c_char,
    close: c_int,
    flags: *const CompilerFlags,
) -> c_int {
    simply("PyRun_SimpleFileExFlags", |ts| {
        // SAFETY: as promised.
        let text = unsafe { read_stream(ts, stream) };
        if close != 0 {
            // SAFETY: as promised.
            unsafe { libc::fclose(stream) };
        }
        let text = text?;
        // SAFETY: as promised.
        let (filename, flags) = unsafe { (fs_name(ts, CStr::from_ptr(filename))?, flags_of(flags)) };
        let globals = main_dict(ts)?;
        let is_new = !globals.contains_str(ts, id!(__file__))?;
        if is_new {
            globals.set_str(ts, id!(__file__), filename.as_object())?;
        }
        let run = Run { text: &text, filename: &filename, start: 257, flags, is_file: true };
        let result = run_in(ts, &run, globals.as_object(), None).map(drop);
        if let Err(raised) = result {
            // What is printed may name the file, so its name goes only when all is well.
            return Err(raised);
        }
        if is_new {
            globals.remove_str(ts, id!(__file__))?;
        }
        Ok(())
    })
}

macro_rules! simple_files {
    ($($name:ident($($extra:ident: $ty:ty),*) = $close:expr, $flags:expr;)*) => {
        $(
            /// [`PyRun_SimpleFileExFlags`] with what is not given left at its default.
            ///
            /// # Safety
            ///
            /// As there.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(stream: *mut libc::FILE, filename: *const c_char $(, $extra: $ty)*) -> c_int {
                // SAFETY: as promised.
                unsafe { PyRun_SimpleFileExFlags(stream, filename, $close, $flags) }
            }
        )*
    };
}

simple_files! {
    PyRun_SimpleFile() = 0, core::ptr::null();
    PyRun_SimpleFileEx(close: c_int) = close, core::ptr::null();
    PyRun_SimpleFileFlags(flags: *const CompilerFlags) = 0, flags;
    PyRun_AnyFile() = 0, core::ptr::null();
    PyRun_AnyFileEx(close: c_int) = close, core::ptr::null();
    PyRun_AnyFileFlags(flags: *const CompilerFlags) = 0, flags;
    PyRun_AnyFileExFlags(close: c_int, flags: *const CompilerFlags) = close, flags;
}

// Those with namespaces.

/// Runs text in namespaces.
///
/// # Safety
///
/// A thread state is attached; `text` is a C string, the namespaces are objects, `flags` null or a `PyCompilerFlags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_StringFlags(
    text: *const c_char,
    start: c_int,
    globals: *mut PyObject,
    locals: *mut PyObject,
    flags: *const CompilerFlags,
) -> *mut PyObject {
    guard::<PyRef>("PyRun_StringFlags", |ts| {
        // SAFETY: as promised.
        let (text, flags, globals, locals) =
            unsafe { (CStr::from_ptr(text).to_bytes(), flags_of(flags), globals.as_ref(), locals.as_ref()) };
        let Some(globals) = globals else { return super::convert::null_argument(ts) };
        let filename = PyStr::intern(ts, "<string>")?;
        run_in(ts, &Run { text, filename: &filename, start, flags, is_file: false }, globals, locals)
    })
}

/// The same without flags.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_String(
    text: *const c_char,
    start: c_int,
    globals: *mut PyObject,
    locals: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { PyRun_StringFlags(text, start, globals, locals, core::ptr::null()) }
}

/// Runs a file in namespaces.
///
/// # Safety
///
/// A thread state is attached; `stream` is open, `filename` a C string, the rest as for [`PyRun_StringFlags`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRun_FileExFlags(
    stream: *mut libc::FILE,
    filename: *const c_char,
    start: c_int,
    globals: *mut PyObject,
    locals: *mut PyObject,
    close: c_int,
    flags: *const CompilerFlags,
) -> *mut PyObject {
    guard::<PyRef>("PyRun_FileExFlags", |ts| {
        // SAFETY: as promised.
        let text = unsafe { read_stream(ts, stream) };
        if close != 0 {
            // SAFETY: as promised.
            unsafe { libc::fclose(stream) };
        }
        let text = text?;
        // SAFETY: as promised.
        let (filename, flags, globals, locals) =
            unsafe { (fs_name(ts, CStr::from_ptr(filename))?, flags_of(flags), globals.as_ref(), locals.as_ref()) };
        let Some(globals) = globals else { return super::convert::null_argument(ts) };
        run_in(ts, &Run { text: &text, filename: &filename, start, flags, is_file: true }, globals, locals)
    })
}

macro_rules! files {
    ($($name:ident($($extra:ident: $ty:ty),*) = $close:expr, $flags:expr;)*) => {
        $(
            /// [`PyRun_FileExFlags`] with what is not given left at its default.
            ///
            /// # Safety
            ///
            /// As there.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                stream: *mut libc::FILE,
                filename: *const c_char,
                start: c_int,
                globals: *mut PyObject,
                locals: *mut PyObject
                $(, $extra: $ty)*
            ) -> *mut PyObject {
                // SAFETY: as promised.
                unsafe { PyRun_FileExFlags(stream, filename, start, globals, locals, $close, $flags) }
            }
        )*
    };
}

files! {
    PyRun_File() = 0, core::ptr::null();
    PyRun_FileEx(close: c_int) = close, core::ptr::null();
    PyRun_FileFlags(flags: *const CompilerFlags) = 0, flags;
}

// Compiling.

/// Compiles text.
///
/// # Safety
///
/// A thread state is attached; `text` is a C string, `filename` a str, `flags` null or a `PyCompilerFlags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_CompileStringObject(
    text: *const c_char,
    filename: *mut PyObject,
    start: c_int,
    flags: *const CompilerFlags,
    optimize: c_int,
) -> *mut PyObject {
    guard::<Ref<PyCode>>("Py_CompileStringObject", |ts| {
        let filename = <&PyStr as super::convert::FromC>::from_c(ts, filename, "Py_CompileStringObject")?;
        // SAFETY: as promised.
        let (text, flags) = unsafe { (CStr::from_ptr(text).to_bytes(), flags_of(flags)) };
        compile_text(ts, text, filename, start, flags, optimize, false)
    })
}

/// The same with a C string as the file's name.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_CompileStringExFlags(
    text: *const c_char,
    filename: *const c_char,
    start: c_int,
    flags: *const CompilerFlags,
    optimize: c_int,
) -> *mut PyObject {
    guard::<Ref<PyCode>>("Py_CompileStringExFlags", |ts| {
        // SAFETY: as promised.
        let (text, filename, flags) =
            unsafe { (CStr::from_ptr(text).to_bytes(), fs_name(ts, CStr::from_ptr(filename))?, flags_of(flags)) };
        compile_text(ts, text, &filename, start, flags, optimize, false)
    })
}

/// The same with the interpreter's optimization level.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_CompileStringFlags(
    text: *const c_char,
    filename: *const c_char,
    start: c_int,
    flags: *const CompilerFlags,
) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { Py_CompileStringExFlags(text, filename, start, flags, -1) }
}

/// The same without flags.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_CompileString(text: *const c_char, filename: *const c_char, start: c_int) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { Py_CompileStringExFlags(text, filename, start, core::ptr::null(), -1) }
}
