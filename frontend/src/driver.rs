//! Text in, bytes out: limits, the compiler, its errors and warnings.

use std::cell::RefCell;

use ruff_source_file::{SourceFile, SourceFileBuilder};
use rustpython_codegen::compile::{CompileOpts, compile_top_with_syntax_warning_handler};
use rustpython_codegen::symboltable::SymbolTable;
use rustpython_compiler::{CompileError as Rejected, compile_with_syntax_warning_handler};
use rustpython_compiler_core::bytecode::{CodeFlags, CodeObject, ConstantData};
use rustpython_compiler_core::{Mode as CompilerMode, marshal};
use rustpython_wtf8::{CodePoint, Wtf8Buf};

use crate::error::{CompileError, SyntaxErrorInfo, Warning, WarningAction, WarningCategory};
use crate::lower::{self, Lowered};
use crate::parser::{self, ParseOptions, Start};
use crate::tree::{Kind, Tree};
use crate::{Mode, Options, encode, escapes, mend, messages, preprocess, shape, stack, symbols, validate};

/// Expressions nested deeper than this are refused, as CPython refuses what its C stack cannot hold.
const RECURSION_LIMIT: usize = 10_000;
/// Text whose tree might be deeper is not even parsed.
const DEPTH_LIMIT: usize = 100_000;
/// The compiler takes cubic time for lambdas inside lambdas.
const LAMBDA_LIMIT: usize = 300;
const ELIF_LIMIT: usize = 20_000;

type Warn<'a> = &'a mut dyn FnMut(Warning) -> WarningAction;

pub fn compile_text(
    text: &str,
    filename: &str,
    mode: Mode,
    options: &Options,
    warn: Warn<'_>,
) -> Result<Vec<u8>, CompileError> {
    let (shape, depth) = measure(text, options)?;
    let warnings = RefCell::new(Vec::new());
    let outcome = stack::run(depth, options, || {
        let suspect = shape.too_many_blocks_at.is_some()
            || shape.too_many_brackets_at.is_some()
            || shape.ambiguous_tab_at.is_some();
        if suspect || mode == Mode::Single {
            // The parser crate sees neither tabs nor limits nor where an interactive statement ends.
            parse_slowly(text, mode, options)?;
        }
        translate(text, filename, mode, options, &warnings)
    })?;
    let mut warnings = warnings.into_inner();
    if let Err(CompileError::Syntax(info)) = &outcome {
        warnings = before(text, info);
    }
    deliver(warnings, text, warn)?;
    outcome
}

/// The parser's doubts about what is before the place of an error.
fn before(text: &str, info: &SyntaxErrorInfo) -> Vec<Warning> {
    let mut warnings = Vec::new();
    escapes::doubtful(text, &mut warnings);
    warnings.retain(|warning| (warning.line, warning.column) < (info.line, info.column));
    warnings
}

pub fn parse_text(text: &str, mode: Mode, options: &Options, warn: Warn<'_>) -> Result<Vec<u8>, CompileError> {
    let (_, depth) = measure(text, options)?;
    let mut warnings = Vec::new();
    let outcome = stack::run(depth, options, || {
        let mut tree = parse_slowly(text, mode, options)?;
        escapes::doubtful(text, &mut warnings);
        escapes::doubtful_numbers(text, &mut warnings);
        if wants_optimized(options) {
            preprocess::optimize(&mut tree, options.optimize);
        }
        Ok(encode::encode(&tree))
    })?;
    if let Err(CompileError::Syntax(info)) = &outcome {
        warnings = before(text, info);
    }
    deliver(warnings, text, warn)?;
    outcome
}

pub fn check_tree(bytes: &[u8], options: &Options) -> Result<Vec<u8>, CompileError> {
    stack::run(stack::Depth::default(), options, || {
        let mut tree = encode::decode(bytes)?;
        validate::validate(&tree)?;
        if wants_optimized(options) {
            preprocess::optimize(&mut tree, options.optimize);
        }
        Ok(encode::encode(&tree))
    })?
}

pub fn compile_tree(bytes: &[u8], filename: &str, options: &Options, warn: Warn<'_>) -> Result<Vec<u8>, CompileError> {
    let warnings = RefCell::new(Vec::new());
    let tree = stack::run(stack::Depth::default(), options, || {
        let tree = encode::decode(bytes)?;
        validate::validate(&tree).map(|()| tree)
    })??;
    let depth = stack::Depth { full: tree.nodes.len().min(RECURSION_LIMIT), cheap: tree.nodes.len() };
    let mut tree = tree;
    let outcome = stack::run(depth, options, || match compile_lowered(&tree, None, filename, options, &warnings) {
        Err(CompileError::Syntax(info)) if mend::is_unbound_conditional(&info.message) => {
            warnings.borrow_mut().clear();
            mend::bind_conditional_annotations(&mut tree);
            compile_lowered(&tree, None, filename, options, &warnings)
        }
        outcome => outcome,
    })?;
    deliver(warnings.into_inner(), "", warn)?;
    outcome
}

pub fn symbol_table(text: &str, filename: &str, mode: Mode, options: &Options) -> Result<Vec<u8>, CompileError> {
    let (_, depth) = measure(text, options)?;
    stack::run(depth, options, || {
        let tree = parse_slowly(text, mode, options)?;
        let lowered = lower::lower(&tree, Some(text))?;
        let file = SourceFileBuilder::new(filename, lowered.text.as_str()).finish();
        let table = match &lowered.module {
            ruff_python_ast::Mod::Module(module) => SymbolTable::scan_program(module, file),
            ruff_python_ast::Mod::Expression(expression) => SymbolTable::scan_expr(expression, file),
        };
        let table =
            table.map_err(|error| messages::codegen_error(&error.into_codegen_error(filename.to_owned()), text))?;
        let mut out = Vec::new();
        symbols::write(&mut out, &table);
        Ok(out)
    })?
}

fn wants_optimized(options: &Options) -> bool {
    options.flags & crate::PYCF_OPTIMIZED_AST == crate::PYCF_OPTIMIZED_AST
}

/// How deep a text is, unless it is too deep or too long.
fn measure(text: &str, options: &Options) -> Result<(shape::Shape, stack::Depth), CompileError> {
    let shape = shape::measure(text.as_bytes());
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
    let depth = stack::Depth {
        full: shape.expression_depth.min(RECURSION_LIMIT),
        cheap: shape.expression_depth + shape.elif_run,
    };
    Ok((shape, depth))
}

/// Hands the warnings to the caller, who may turn one into an error.
fn deliver(mut warnings: Vec<Warning>, text: &str, warn: Warn<'_>) -> Result<(), CompileError> {
    // CPython's parser warns before its compiler does.
    warnings.sort_by_key(|warning| {
        let parsers = warning.message.contains("is an invalid") || warning.message.starts_with("invalid ");
        (!parsers, if parsers { warning.line } else { 0 })
    });
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

const fn compiler_mode(mode: Mode) -> CompilerMode {
    match mode {
        Mode::Exec | Mode::FuncType => CompilerMode::Exec,
        Mode::Eval => CompilerMode::Eval,
        Mode::Single => CompilerMode::Single,
    }
}

fn compiler_options(options: &Options) -> CompileOpts {
    CompileOpts {
        optimize: options.optimize,
        debug_ranges: options.debug_ranges,
        int_max_str_digits: options.int_max_str_digits,
        allow_top_level_await: options.flags & crate::PYCF_ALLOW_TOP_LEVEL_AWAIT != 0,
        future_features: CodeFlags::from_bits_truncate(options.flags) & CodeFlags::FUTURE_MASK,
        dont_imply_dedent: options.flags & crate::PYCF_DONT_IMPLY_DEDENT != 0,
        recursion_limit: RECURSION_LIMIT,
    }
}

/// Runs the compiler on the current stack; notes warnings.
fn translate(
    text: &str,
    filename: &str,
    mode: Mode,
    options: &Options,
    warnings: &RefCell<Vec<Warning>>,
) -> Result<Vec<u8>, CompileError> {
    let mut note = |location: rustpython_compiler_core::SourceLocation, message: String| {
        warnings.borrow_mut().push(compilers_warning(text, location, message));
        Ok(())
    };
    let compiled =
        compile_with_syntax_warning_handler(text, compiler_mode(mode), filename, compiler_options(options), &mut note);
    let code = match compiled {
        Ok(code) => serialize(&code),
        Err(rejected) => {
            // CPython's own words, if it is the grammar that is broken.
            let mut tree = parse_slowly(text, mode, options)?;
            match rejected {
                Rejected::Codegen(error) if mend::is_unbound_conditional(&error.to_string()) => {
                    warnings.borrow_mut().clear();
                    mend::bind_conditional_annotations(&mut tree);
                    compile_lowered(&tree, Some(text), filename, options, warnings)?
                }
                Rejected::Codegen(error) => return Err(messages::codegen_error(&error, text)),
                Rejected::Parse(_) => {
                    warnings.borrow_mut().clear();
                    compile_lowered(&tree, Some(text), filename, options, warnings)?
                }
            }
        }
    };
    let mut warnings = warnings.borrow_mut();
    escapes::doubtful(text, &mut warnings);
    escapes::doubtful_numbers(text, &mut warnings);
    Ok(code)
}

fn compilers_warning(text: &str, location: rustpython_compiler_core::SourceLocation, message: String) -> Warning {
    let column = messages::characters(text, location.line.get(), location.character_offset.get());
    Warning {
        category: WarningCategory::SyntaxWarning,
        message,
        line: location.line.get() as u32,
        column,
        end_column: column,
    }
}

/// Compiles a tree; `text` is its source, if it had one.
fn compile_lowered(
    tree: &Tree,
    text: Option<&str>,
    filename: &str,
    options: &Options,
    warnings: &RefCell<Vec<Warning>>,
) -> Result<Vec<u8>, CompileError> {
    let mode = match tree.nodes[tree.root as usize].kind {
        Kind::Expression => CompilerMode::Eval,
        Kind::Interactive => CompilerMode::Single,
        _ => CompilerMode::Exec,
    };
    let Lowered { module, text, strange } = lower::lower(tree, text)?;
    let file: SourceFile = SourceFileBuilder::new(filename, text.as_str()).finish();
    let mut note = |location: rustpython_compiler_core::SourceLocation, message: String| {
        warnings.borrow_mut().push(compilers_warning(&text, location, message));
        Ok(())
    };
    let mut code =
        compile_top_with_syntax_warning_handler(module, file, mode, compiler_options(options), Some(&mut note))
            .map_err(|error| messages::codegen_error(&error, &text))?;
    if !strange.is_empty() {
        put_back(&mut code, &strange);
    }
    Ok(serialize(&code))
}

fn serialize(code: &CodeObject<ConstantData>) -> Vec<u8> {
    let mut bytes = vec![b'c'];
    marshal::serialize_code(&mut bytes, code);
    bytes
}

/// Puts texts that the compiler cannot hold in the place of what stands for them.
fn put_back(code: &mut CodeObject<ConstantData>, strange: &[Vec<u8>]) {
    for constant in code.constants.iter_mut() {
        put_back_in(constant, strange);
    }
}

fn put_back_in(constant: &mut ConstantData, strange: &[Vec<u8>]) {
    match constant {
        ConstantData::Code { code } => put_back(code, strange),
        ConstantData::Tuple { elements } | ConstantData::Frozenset { elements } => {
            elements.iter_mut().for_each(|element| put_back_in(element, strange));
        }
        ConstantData::Str { value } => {
            let number = value.as_str().ok().and_then(|text| text.strip_prefix(lower::PLACEHOLDER));
            if let Some(text) = number.and_then(|number| strange.get(number.parse::<usize>().ok()?)) {
                *value = code_points(text).filter_map(CodePoint::from_u32).collect::<Wtf8Buf>();
            }
        }
        _ => {}
    }
}

/// The code points of UTF-8 that may hold surrogates.
fn code_points(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    text.iter().enumerate().filter(|(_, byte)| *byte & 0xc0 != 0x80).map(|(at, &lead)| {
        let (first, more) = match lead {
            0xf0.. => (u32::from(lead & 7), 3),
            0xe0.. => (u32::from(lead & 15), 2),
            0xc0.. => (u32::from(lead & 31), 1),
            _ => (u32::from(lead), 0),
        };
        text[at + 1..].iter().take(more).fold(first, |code, byte| code << 6 | u32::from(byte & 0x3f))
    })
}

/// Parses a text by CPython's grammar.
fn parse_slowly(text: &str, mode: Mode, options: &Options) -> Result<Tree, CompileError> {
    let start = match mode {
        Mode::Exec => Start::File,
        Mode::Eval => Start::Eval,
        Mode::Single => Start::Interactive,
        Mode::FuncType => Start::FuncType,
    };
    let options = ParseOptions {
        start,
        type_comments: options.flags & crate::PYCF_TYPE_COMMENTS != 0,
        incomplete_input: options.flags & crate::PYCF_ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: options.flags & crate::PYCF_DONT_IMPLY_DEDENT != 0,
        barry_as_flufl: options.flags & crate::CO_FUTURE_BARRY_AS_BDFL != 0,
        int_max_str_digits: options.int_max_str_digits,
        feature_version: options.feature_version,
    };
    if mode == Mode::Exec && !text.is_empty() && !text.ends_with('\n') {
        return parser::parse(&format!("{text}\n"), options);
    }
    parser::parse(text, options)
}
