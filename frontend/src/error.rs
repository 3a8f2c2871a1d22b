//! What can go wrong between source text and a code object, in CPython's terms.

/// Why a source text did not become a code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileError {
    /// The text is not Python: raise the exception class that `kind` names.
    Syntax(SyntaxErrorInfo),
    /// The text nests deeper than the compiler follows: raise `RecursionError`.
    Recursion(String),
    /// The text is larger or more complex than the compiler takes: raise `MemoryError`.
    TooLarge(String),
    /// A value in the request is wrong (mode and flags that exclude each other): raise `ValueError`.
    Value(String),
    /// A syntax tree has a node where it cannot be: raise `TypeError`.
    Type(String),
    /// The warning handler asked to stop; it has already said why.
    Stopped,
    /// The compiler itself failed: raise `SystemError`.
    Internal(String),
}

/// The exception class of a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    /// `SyntaxError`
    SyntaxError,
    /// `IndentationError`, a subclass of `SyntaxError`
    IndentationError,
    /// `TabError`, a subclass of `IndentationError`
    TabError,
    /// `_IncompleteInputError`, a subclass of `SyntaxError`: more text could complete the statement.
    /// Only raised when [`PYCF_ALLOW_INCOMPLETE_INPUT`](crate::PYCF_ALLOW_INCOMPLETE_INPUT) is set.
    IncompleteInput,
}

impl SyntaxErrorKind {
    /// The name of the Python class.
    #[must_use]
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::SyntaxError => "SyntaxError",
            Self::IndentationError => "IndentationError",
            Self::TabError => "TabError",
            Self::IncompleteInput => "_IncompleteInputError",
        }
    }
}

/// The arguments of a `SyntaxError`: `(message, (filename, line, column, text, end_line, end_column))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxErrorInfo {
    pub kind: SyntaxErrorKind,
    pub message: String,
    /// 1-based; 0 when the error has no place, then the exception carries its message alone, or, with column -1,
    /// the file's name too.
    pub line: u32,
    /// 1-based, counted in characters (`SyntaxError.offset`).
    pub column: i32,
    /// 1-based line of the end.
    pub end_line: u32,
    /// 1-based column behind the last character (`SyntaxError.end_offset`); 0 or -1 when CPython gives those.
    pub end_column: i32,
    /// The source line, with its newline; `None` when CPython would look for it in the file.
    pub text: Option<String>,
}

impl SyntaxErrorInfo {
    /// An error of class `SyntaxError` that has no place in the text.
    #[must_use]
    pub fn bare(message: impl Into<String>) -> Self {
        Self {
            kind: SyntaxErrorKind::SyntaxError,
            message: message.into(),
            line: 0,
            column: 0,
            end_line: 0,
            end_column: 0,
            text: None,
        }
    }

    /// An error of class `SyntaxError` at a character range of one line.
    #[must_use]
    pub fn at(message: impl Into<String>, line: u32, column: i32, end_column: i32) -> Self {
        Self { line, column, end_line: line, end_column, ..Self::bare(message) }
    }
}

impl From<SyntaxErrorInfo> for CompileError {
    fn from(info: SyntaxErrorInfo) -> Self {
        Self::Syntax(info)
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(info) if info.line == 0 => {
                write!(f, "{}: {}", info.kind.class_name(), info.message)
            }
            Self::Syntax(info) => {
                write!(f, "{}: {} (line {}, column {})", info.kind.class_name(), info.message, info.line, info.column)
            }
            Self::Recursion(message) => write!(f, "RecursionError: {message}"),
            Self::TooLarge(message) => write!(f, "MemoryError: {message}"),
            Self::Value(message) => write!(f, "ValueError: {message}"),
            Self::Type(message) => write!(f, "TypeError: {message}"),
            Self::Stopped => f.write_str("a warning handler stopped the compilation"),
            Self::Internal(message) => write!(f, "SystemError: {message}"),
        }
    }
}

impl std::error::Error for CompileError {}

/// The class of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningCategory {
    SyntaxWarning,
    DeprecationWarning,
}

/// A doubt about a text that is valid Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub category: WarningCategory,
    pub message: String,
    /// 1-based line, which `warnings.warn_explicit` takes.
    pub line: u32,
    /// 1-based column in characters, for when the warning is made an error.
    pub column: i32,
    pub end_column: i32,
}

/// What a warning handler wants to happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningAction {
    /// The warning was shown or ignored.
    Continue,
    /// The filters make it an error: report it as a `SyntaxError` at the warning's place.
    RaiseSyntaxError,
    /// The handler itself failed and holds the exception: [`CompileError::Stopped`].
    Stop,
}
