//! Source to code objects, through the front end.

use hognose_frontend::tree::Kind;
use hognose_frontend::{
    self as frontend, CompileError, FrontEndBytes, Mode, Options, SyntaxErrorInfo, SyntaxErrorKind,
};

use super::marshal;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::code::PyCode;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// The `CO_FUTURE_*` flags that code takes over from the code around it.
pub const FUTURE_FLAGS: u32 = 0x01fe_0000;

/// How to compile: `compile()`'s arguments.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The text, UTF-8 unless it has a coding cookie.
    pub source: &'a [u8],
    /// What `co_filename` becomes.
    pub filename: &'a PyStr,
    /// Module, expression or interactive statement.
    pub mode: Mode,
    /// `CO_FUTURE_*` and `PyCF_*`.
    pub flags: u32,
    /// 0 to 2; None is the interpreter's level.
    pub optimize: Option<u8>,
    /// Whether the text is that of a file, which changes the words of encoding errors.
    pub is_file: bool,
    /// The minor version of Python 3 whose grammar a tree is made by; None is this one.
    pub feature_version: Option<u8>,
}

/// Compiles a text. SyntaxError and its subclasses, with place and source line; RecursionError, MemoryError.
pub fn compile(ts: &ThreadState, request: Request<'_>) -> PyResult<Ref<PyCode>> {
    audit(ts, &request)?;
    let decoded = decoded(ts, &request)?;
    let request = match &decoded {
        Some(text) => Request {
            source: text.utf8(ts)?.as_bytes(),
            flags: request.flags | frontend::PYCF_IGNORE_COOKIE,
            ..request
        },
        None => request,
    };
    let options = options(ts, &request);
    run(
        ts,
        &request,
        |filename, warn| frontend::compile(request.source, filename, request.mode, &options, warn),
        |bytes| marshal::load_compiled(ts, bytes, request.filename),
    )
}

/// Parses a text to a tree of objects of `ast`.
pub fn parse(ts: &ThreadState, request: Request<'_>) -> PyResult {
    audit(ts, &request)?;
    let decoded = decoded(ts, &request)?;
    let request = match &decoded {
        Some(text) => Request {
            source: text.utf8(ts)?.as_bytes(),
            flags: request.flags | frontend::PYCF_IGNORE_COOKIE,
            ..request
        },
        None => request,
    };
    let options = options(ts, &request);
    run(
        ts,
        &request,
        |filename, warn| frontend::parse(request.source, filename, request.mode, &options, warn),
        |bytes| crate::modules::_ast::from_bytes(ts, bytes),
    )
}

/// Compiles a tree of objects of `ast`; `request` has no source.
pub fn compile_tree(ts: &ThreadState, tree: &PyObject, request: Request<'_>) -> PyResult<Ref<PyCode>> {
    let tree = crate::modules::_ast::to_bytes(ts, tree, root(request.mode))?;
    let options = options(ts, &request);
    run(
        ts,
        &request,
        |filename, warn| frontend::compile_tree(&tree, filename, &options, warn),
        |bytes| marshal::load_compiled(ts, bytes, request.filename),
    )
}

/// The tree as the compiler would see it.
pub fn optimize_tree(ts: &ThreadState, tree: &PyObject, request: Request<'_>) -> PyResult {
    let tree = crate::modules::_ast::to_bytes(ts, tree, root(request.mode))?;
    let options = options(ts, &request);
    run(ts, &request, |_, _| frontend::check_tree(&tree, &options), |bytes| crate::modules::_ast::from_bytes(ts, bytes))
}

/// The symbol tables of a text, as bytes for `read`.
pub fn symbol_table<T>(ts: &ThreadState, request: Request<'_>, read: impl FnOnce(&[u8]) -> PyResult<T>) -> PyResult<T> {
    let decoded = decoded(ts, &request)?;
    let request = match &decoded {
        Some(text) => Request {
            source: text.utf8(ts)?.as_bytes(),
            flags: request.flags | frontend::PYCF_IGNORE_COOKIE,
            ..request
        },
        None => request,
    };
    let options = options(ts, &request);
    run(ts, &request, |filename, _| frontend::symbol_table(request.source, filename, request.mode, &options), read)
}

/// Tells the audit hooks that a text is to be compiled. A file's text is not shown.
fn audit(ts: &ThreadState, request: &Request<'_>) -> PyResult<()> {
    crate::modules::sys::auditing::event_with(ts, "compile", || {
        let source = if request.is_file { ts.none() } else { PyBytes::new(ts, request.source)?.into_object() };
        Ok([source, request.filename.as_object().new_ref()])
    })
}

/// The text of a source whose cookie names an encoding that the front end leaves to the codecs.
fn decoded(ts: &ThreadState, request: &Request<'_>) -> PyResult<Option<Ref<PyStr>>> {
    if request.flags & frontend::PYCF_IGNORE_COOKIE != 0 {
        return Ok(None);
    }
    let Ok(frontend::Encoding::Other(name)) = frontend::detect_encoding(request.source) else {
        // Its errors are the compiler's.
        return Ok(None);
    };
    let bytes = PyBytes::new(ts, request.source)?;
    let text = match codec::decode(ts, bytes.as_object(), request.source, &name, "strict") {
        Ok(text) => text,
        Err(raised) => {
            let unknown = ts.raised_matches(&exc::LookupError);
            if !unknown && !ts.raised_matches(&exc::ValueError) {
                return Err(raised);
            }
            let error = ts.take_raised(raised);
            let message = if unknown && request.is_file {
                PyStr::format(ts, format_args!("encoding problem: {name}"))?
            } else {
                protocol::str(ts, &error)?
            };
            let error = unplaced(ts, request, message.utf8(ts)?)?;
            return Err(ts.raise(error));
        }
    };
    match text.downcast_into::<PyStr>() {
        Ok(text) => Ok(Some(text)),
        Err(_) => raise!(ts, exc::SyntaxError, "encoding problem: {name}"),
    }
}

/// The root of a tree for a mode.
fn root(mode: Mode) -> Kind {
    match mode {
        Mode::Exec => Kind::Module,
        Mode::Eval => Kind::Expression,
        Mode::Single => Kind::Interactive,
        Mode::FuncType => Kind::FunctionType,
    }
}

fn options(ts: &ThreadState, request: &Request<'_>) -> Options {
    let level = ts.interp().config().optimization_level.clamp(0, 2) as u8;
    Options {
        optimize: request.optimize.unwrap_or(level),
        flags: request.flags,
        debug_ranges: ts.interp().config().code_debug_ranges != 0,
        int_max_str_digits: ts.interp().int_max_str_digits.get(),
        is_file: request.is_file,
        stack_left: ts.native_stack_left(),
        feature_version: request.feature_version.unwrap_or(14),
        ..Options::default()
    }
}

/// Runs the front end, shows its warnings, raises its errors, and gives its bytes to `read`.
fn run<T>(
    ts: &ThreadState,
    request: &Request<'_>,
    work: impl FnOnce(
        &str,
        &mut dyn FnMut(frontend::Warning) -> frontend::WarningAction,
    ) -> Result<FrontEndBytes, CompileError>,
    read: impl FnOnce(&[u8]) -> PyResult<T>,
) -> PyResult<T> {
    let filename = request.filename;
    let name = match filename.utf8(ts) {
        Ok(name) => name,
        Err(raised) => {
            // A name with undecodable bytes: the front end only copies it; it is replaced below.
            ts.clear_raised(raised);
            "?"
        }
    };
    let mut stopped: Option<Raised> = None;
    let mut warn = |warning: frontend::Warning| {
        match report(ts, filename, &warning) {
            Ok(()) => frontend::WarningAction::Continue,
            Err(raised) if ts.raised_matches(&exc::SyntaxWarning) => {
                // A warning that is to be an error becomes a syntax error at its place.
                ts.clear_raised(raised);
                frontend::WarningAction::RaiseSyntaxError
            }
            Err(raised) => {
                stopped = Some(raised);
                frontend::WarningAction::Stop
            }
        }
    };
    match work(name, &mut warn) {
        Ok(bytes) => read(&bytes),
        Err(CompileError::Stopped) => match stopped {
            Some(raised) => Err(raised),
            None => raise!(ts, exc::SystemError, "compilation stopped without a reason"),
        },
        Err(error) => {
            // An error of the compiler's shows its line when a file has it.
            let source = if request.is_file || std::path::Path::new(name).is_file() { request.source } else { &[] };
            Err(raise_compile_error(ts, request, source, &error))
        }
    }
}

fn report(ts: &ThreadState, filename: &PyStr, warning: &frontend::Warning) -> PyResult<()> {
    let category = match warning.category {
        frontend::WarningCategory::SyntaxWarning => &exc::SyntaxWarning,
        frontend::WarningCategory::DeprecationWarning => &exc::DeprecationWarning,
    };
    crate::modules::_warnings::warn_explicit(ts, category, &warning.message, filename, warning.line as usize)
}

fn raise_compile_error(ts: &ThreadState, request: &Request<'_>, source: &[u8], error: &CompileError) -> Raised {
    match error {
        CompileError::Syntax(info) => match syntax_error(ts, request, source, info) {
            Ok(error) => ts.raise(error),
            Err(raised) => raised,
        },
        CompileError::Recursion(message) => ts.raise_fmt(&exc::RecursionError, format_args!("{message}")),
        CompileError::TooLarge(message) => ts.raise_fmt(&exc::MemoryError, format_args!("{message}")),
        CompileError::Value(message) => ts.raise_fmt(&exc::ValueError, format_args!("{message}")),
        CompileError::Type(message) => ts.raise_fmt(&exc::TypeError, format_args!("{message}")),
        CompileError::Stopped => ts.raise_fmt(&exc::SystemError, format_args!("compilation stopped")),
        CompileError::Internal(message) => {
            ts.raise_fmt(&exc::SystemError, format_args!("the compiler failed: {message}"))
        }
    }
}

/// A SyntaxError about what is before the first line; the message of a file's names the file if it has to.
fn unplaced(ts: &ThreadState, request: &Request<'_>, message: &str) -> PyResult {
    let message = PyStr::new(ts, message)?;
    if request.is_file {
        return call::call_with(ts, exc::SyntaxError.as_object(), &[message.as_object()]);
    }
    let place = [request.filename.new_ref(), PyInt::from_i64(ts, 0)?, PyInt::from_i64(ts, -1)?, ts.none()];
    let place = PyTuple::from_array(ts, place)?;
    call::call_with(ts, exc::SyntaxError.as_object(), &[message.as_object(), place.as_object()])
}

fn syntax_error(ts: &ThreadState, request: &Request<'_>, source: &[u8], info: &SyntaxErrorInfo) -> PyResult {
    let class = match info.kind {
        SyntaxErrorKind::SyntaxError => &exc::SyntaxError,
        SyntaxErrorKind::IndentationError => &exc::IndentationError,
        SyntaxErrorKind::TabError => &exc::TabError,
        SyntaxErrorKind::IncompleteInput => &exc::_IncompleteInputError,
    };
    let message = PyStr::new(ts, &info.message)?;
    if info.line == 0 && info.column == -1 {
        return unplaced(ts, request, &info.message);
    }
    if info.line == 0 {
        return call::call_with(ts, class.as_object(), &[message.as_object()]);
    }
    let text: PyRef = match &info.text {
        Some(text) => PyStr::new(ts, text)?.into_object(),
        None => match source.split_inclusive(|&byte| byte == b'\n').nth(info.line as usize - 1) {
            Some(line) => PyStr::from_utf8(ts, line, "replace")?.into_object(),
            None => ts.none(),
        },
    };
    let place = [
        request.filename.new_ref(),
        PyInt::from_i64(ts, info.line.into())?,
        PyInt::from_i64(ts, info.column.into())?,
        text,
        PyInt::from_i64(ts, info.end_line.into())?,
        PyInt::from_i64(ts, info.end_column.into())?,
    ];
    let place = PyTuple::new(ts, call::borrow_all(&place))?;
    call::call_with(ts, class.as_object(), &[message.as_object(), place.as_object()])
}
