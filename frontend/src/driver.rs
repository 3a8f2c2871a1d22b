//! Text in, marshal bytes out: limits, the compiler, its errors and warnings.

use std::cell::{Cell, RefCell};

use rustpython_codegen::compile::CompileOpts;
use rustpython_compiler::compile_with_syntax_warning_handler;
use rustpython_compiler_core::bytecode::CodeFlags;
use rustpython_compiler_core::{Mode as CompilerMode, marshal};

use crate::error::{CompileError, SyntaxErrorInfo, SyntaxErrorKind, Warning, WarningAction, WarningCategory};
use crate::parser::{self, ParseOptions, Start};
use crate::{Mode, Options, escapes, interactive, messages, shape, stack};

/// Expressions nested deeper than this are refused, as CPython refuses what its C stack cannot hold.
const RECURSION_LIMIT: usize = 10_000;
/// Text whose tree might be deeper is not even parsed.
const DEPTH_LIMIT: usize = 100_000;
/// The compiler takes cubic time for lambdas inside lambdas.
const LAMBDA_LIMIT: usize = 300;
const ELIF_LIMIT: usize = 20_000;

pub fn compile_text(
    text: &str,
    filename: &str,
    mode: Mode,
    options: &Options,
    warn: &mut dyn FnMut(Warning) -> WarningAction,
) -> Result<Vec<u8>, CompileError> {
    if options.flags & crate::PYCF_ONLY_AST != 0 {
        return Err(CompileError::Value("compiling to a syntax tree is not supported".into()));
    }
    let shape = shape::measure(text.as_bytes());
    if let Some(at) = shape.too_many_blocks_at {
        let message = "too many levels of indentation";
        return Err(indentation_error(SyntaxErrorKind::IndentationError, message, text, line_of(text, at)));
    }
    if let Some(at) = shape.too_many_brackets_at {
        let (line, column) = (line_of(text, at), messages::column_of(text, at));
        let text = messages::source_line(text, line as usize);
        let place = SyntaxErrorInfo::at("too many nested parentheses", line, column, column);
        return Err(SyntaxErrorInfo { text, ..place }.into());
    }
    if shape.elif_run > ELIF_LIMIT || shape.expression_depth > DEPTH_LIMIT || shape.lambda_depth > LAMBDA_LIMIT {
        return Err(CompileError::Recursion("maximum recursion depth exceeded during compilation".into()));
    }
    if text.len() > options.max_source {
        return Err(CompileError::TooLarge(format!(
            "source text of {} bytes is larger than the limit of {} bytes",
            text.len(),
            options.max_source
        )));
    }
    let warnings = RefCell::new(Vec::new());
    let blamed = Cell::new(None);
    let depth = stack::Depth {
        full: shape.expression_depth.min(RECURSION_LIMIT),
        cheap: shape.expression_depth + shape.elif_run,
    };
    let mut outcome = stack::run(depth, || translate(text, filename, mode, options, &warnings, &blamed))?;
    if let Some(at) = shape.ambiguous_tab_at {
        let line = line_of(text, at);
        // The tokenizer stops there; only an error on an earlier line comes first.
        if !matches!(&outcome, Err(CompileError::Syntax(info)) if info.line != 0 && info.line < line) {
            let message = "inconsistent use of tabs and spaces in indentation";
            return Err(indentation_error(SyntaxErrorKind::TabError, message, text, line));
        }
    }
    if mode == Mode::Eval
        && !text.ends_with('\n')
        && blamed.get().is_some_and(|at| at >= text.trim_end().len())
        && let Err(CompileError::Syntax(info)) = &mut outcome
        && info.message == "invalid syntax"
    {
        // An expression that ends too early: CPython's end-of-text token has no column.
        (info.column, info.end_column) = (0, 0);
    }
    if options.flags & crate::PYCF_ALLOW_INCOMPLETE_INPUT != 0 && mode == Mode::Single {
        interactive::refine(&mut outcome, text, blamed.get());
    }
    deliver(warnings.into_inner(), text, warn)?;
    outcome
}

/// Hands the warnings to the caller, who may turn one into an error.
fn deliver(
    mut warnings: Vec<Warning>,
    text: &str,
    warn: &mut dyn FnMut(Warning) -> WarningAction,
) -> Result<(), CompileError> {
    // CPython's parser warns before its compiler does.
    warnings.sort_by_key(|warning| !warning.message.contains("is an invalid"));
    for warning in warnings {
        let place = SyntaxErrorInfo::at(warning.message.clone(), warning.line, warning.column, warning.end_column);
        match warn(warning) {
            WarningAction::Continue => {}
            WarningAction::RaiseSyntaxError => {
                let text = messages::source_line(text, place.line as usize);
                return Err(SyntaxErrorInfo { text, ..place }.into());
            }
            WarningAction::Stop => return Err(CompileError::Stopped),
        }
    }
    Ok(())
}

/// Runs the compiler on the current stack; notes warnings, and where the parser stumbled.
fn translate(
    text: &str,
    filename: &str,
    mode: Mode,
    options: &Options,
    warnings: &RefCell<Vec<Warning>>,
    blamed: &Cell<Option<usize>>,
) -> Result<Vec<u8>, CompileError> {
    let compiler_mode = match mode {
        Mode::Exec => CompilerMode::Exec,
        Mode::Eval => CompilerMode::Eval,
        Mode::Single => CompilerMode::Single,
    };
    let compiler_options = CompileOpts {
        optimize: options.optimize,
        debug_ranges: options.debug_ranges,
        int_max_str_digits: options.int_max_str_digits,
        allow_top_level_await: options.flags & crate::PYCF_ALLOW_TOP_LEVEL_AWAIT != 0,
        future_features: CodeFlags::from_bits_truncate(options.flags) & CodeFlags::FUTURE_MASK,
        dont_imply_dedent: options.flags & crate::PYCF_DONT_IMPLY_DEDENT != 0,
        recursion_limit: RECURSION_LIMIT,
    };
    let mut note = |location: rustpython_compiler_core::SourceLocation, message: String| {
        let column = messages::characters(text, location.line.get(), location.character_offset.get());
        warnings.borrow_mut().push(Warning {
            category: WarningCategory::SyntaxWarning,
            message,
            line: location.line.get() as u32,
            column,
            end_column: column,
        });
        Ok(())
    };
    let explain = |rejected: rustpython_compiler::CompileError| {
        blamed.set(messages::blamed(&rejected));
        if matches!(rejected, rustpython_compiler::CompileError::Parse(_))
            && let Err(error) = parse_again(text, mode, options)
        {
            return error;
        }
        messages::translate(rejected, text)
    };
    let code = compile_with_syntax_warning_handler(text, compiler_mode, filename, compiler_options, &mut note)
        .map_err(explain)?;
    escapes::doubtful(text, &mut warnings.borrow_mut());
    let mut bytes = vec![b'c'];
    marshal::serialize_code(&mut bytes, &code);
    Ok(bytes)
}

/// Parses a text that has been refused once more, for CPython's words and place.
fn parse_again(text: &str, mode: Mode, options: &Options) -> Result<crate::tree::Tree, CompileError> {
    let start = match mode {
        Mode::Exec => Start::File,
        Mode::Eval => Start::Eval,
        Mode::Single => Start::Interactive,
    };
    let ended;
    let text = if mode == Mode::Exec && !text.is_empty() && !text.ends_with('\n') {
        ended = format!("{text}\n");
        &ended
    } else {
        text
    };
    parser::parse(text, parse_options(start, options))
}

pub fn parse_options(start: Start, options: &Options) -> ParseOptions {
    ParseOptions {
        start,
        type_comments: options.flags & crate::PYCF_TYPE_COMMENTS != 0,
        incomplete_input: options.flags & crate::PYCF_ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: options.flags & crate::PYCF_DONT_IMPLY_DEDENT != 0,
        barry_as_flufl: options.flags & crate::CO_FUTURE_BARRY_AS_BDFL != 0,
        int_max_str_digits: options.int_max_str_digits,
    }
}

/// The 1-based line that byte offset `at` is on.
fn line_of(text: &str, at: usize) -> u32 {
    let newlines = text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

fn indentation_error(kind: SyntaxErrorKind, message: &str, text: &str, line: u32) -> CompileError {
    let text = messages::source_line(text, line as usize);
    SyntaxErrorInfo { kind, text, ..SyntaxErrorInfo::at(message, line, 1, 0) }.into()
}
