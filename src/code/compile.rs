//! Source to code objects, through the front end.

use hognose_frontend::{self as frontend, CompileError, Mode, Options, SyntaxErrorInfo, SyntaxErrorKind};

use super::marshal;
use crate::object::{AsObject, PyRef, PyResult, Raised, Ref, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

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
}

/// Compiles a text. SyntaxError and its subclasses, with place and source line; RecursionError, MemoryError.
pub fn compile(ts: &ThreadState, request: Request<'_>) -> PyResult<Ref<PyCode>> {
    let filename = request.filename.utf8(ts);
    let lossy;
    let filename = match filename {
        Ok(filename) => filename,
        Err(raised) => {
            // A name with undecodable bytes: the front end only copies it; it is replaced below.
            ts.clear_raised(raised);
            lossy = "?";
            lossy
        }
    };
    let level = ts.interp().config().optimization_level.clamp(0, 2) as u8;
    let options = Options {
        optimize: request.optimize.unwrap_or(level),
        flags: request.flags,
        debug_ranges: ts.interp().config().code_debug_ranges != 0,
        int_max_str_digits: ts.interp().int_max_str_digits.get(),
        is_file: request.is_file,
        ..Options::default()
    };
    let mut stopped: Option<Raised> = None;
    let mut warn = |warning: frontend::Warning| {
        match report(ts, request.filename, &warning) {
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
    let result = frontend::compile(request.source, filename, request.mode, &options, &mut warn);
    match result {
        Ok(bytes) => marshal::load_code(ts, &bytes),
        Err(CompileError::Stopped) => match stopped {
            Some(raised) => Err(raised),
            None => raise!(ts, exc::SystemError, "compilation stopped without a reason"),
        },
        Err(error) => Err(raise_compile_error(ts, request.filename, &error)),
    }
}

fn report(ts: &ThreadState, filename: &PyStr, warning: &frontend::Warning) -> PyResult<()> {
    let category = match warning.category {
        frontend::WarningCategory::SyntaxWarning => &exc::SyntaxWarning,
        frontend::WarningCategory::DeprecationWarning => &exc::DeprecationWarning,
    };
    crate::modules::_warnings::warn_explicit(ts, category, &warning.message, filename, warning.line as usize)
}

fn raise_compile_error(ts: &ThreadState, filename: &PyStr, error: &CompileError) -> Raised {
    match error {
        CompileError::Syntax(info) => match syntax_error(ts, filename, info) {
            Ok(error) => ts.raise(error),
            Err(raised) => raised,
        },
        CompileError::Recursion(message) => ts.raise_fmt(&exc::RecursionError, format_args!("{message}")),
        CompileError::TooLarge(message) => ts.raise_fmt(&exc::MemoryError, format_args!("{message}")),
        CompileError::Value(message) => ts.raise_fmt(&exc::ValueError, format_args!("{message}")),
        CompileError::Stopped => ts.raise_fmt(&exc::SystemError, format_args!("compilation stopped")),
        CompileError::Internal(message) => {
            ts.raise_fmt(&exc::SystemError, format_args!("the compiler failed: {message}"))
        }
    }
}

fn syntax_error(ts: &ThreadState, filename: &PyStr, info: &SyntaxErrorInfo) -> PyResult {
    let class = match info.kind {
        SyntaxErrorKind::SyntaxError => &exc::SyntaxError,
        SyntaxErrorKind::IndentationError => &exc::IndentationError,
        SyntaxErrorKind::TabError => &exc::TabError,
        SyntaxErrorKind::IncompleteInput => &exc::_IncompleteInputError,
    };
    let message = PyStr::new(ts, &info.message)?;
    if info.line == 0 {
        return call::call_with(ts, class.as_object(), &[message.as_object()]);
    }
    let text: PyRef = match &info.text {
        Some(text) => PyStr::new(ts, text)?.into_object(),
        None => ts.none(),
    };
    let place = [
        filename.new_ref(),
        PyInt::from_i64(ts, info.line.into())?,
        PyInt::from_i64(ts, info.column.into())?,
        text,
        PyInt::from_i64(ts, info.end_line.into())?,
        PyInt::from_i64(ts, info.end_column.into())?,
    ];
    let place = PyTuple::new(ts, call::borrow_all(&place))?;
    call::call_with(ts, class.as_object(), &[message.as_object(), place.as_object()])
}
