//! The compiler's errors in CPython's terms, and places in a text.

use rustpython_codegen::error::{CodegenError, CodegenErrorType};

use crate::error::{CompileError, SyntaxErrorInfo};

/// The error of a text that is right as to its grammar.
pub fn codegen_error(error: &CodegenError, text: &str) -> CompileError {
    match &error.error {
        CodegenErrorType::RecursionError => {
            return CompileError::Recursion("maximum recursion depth exceeded during compilation".into());
        }
        CodegenErrorType::EmptyWithItems | CodegenErrorType::EmptyWithBody => {
            return CompileError::Internal(error.error.to_string());
        }
        _ => {}
    }
    let mut info = SyntaxErrorInfo::bare(error.error.to_string());
    if let Some(start) = error.location {
        let end = error.end_location.unwrap_or(start);
        info.line = start.line.get() as u32;
        info.end_line = end.line.get() as u32;
        // The compiler counts in bytes.
        info.column = characters(text, start.line.get(), start.character_offset.get());
        info.end_column = characters(text, end.line.get(), end.character_offset.get());
    }
    info.into()
}

/// Lines longer than this many bytes are cut when an error shows them.
const LONGEST_LINE: usize = 1 << 20;

/// The 1-based line of `text`, with a newline.
pub fn source_line(text: &str, line: usize) -> Option<String> {
    let found = text.split('\n').nth(line.checked_sub(1)?)?;
    let mut end = found.len().min(LONGEST_LINE);
    while !found.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}\n", &found[..end]))
}

/// A 1-based byte column as a 1-based character column.
pub fn characters(text: &str, line: usize, byte_column: usize) -> i32 {
    let Some(found) = line.checked_sub(1).and_then(|index| text.split('\n').nth(index)) else {
        return byte_column as i32;
    };
    let mut end = (byte_column - 1).min(found.len());
    while !found.is_char_boundary(end) {
        end -= 1;
    }
    found[..end].chars().count() as i32 + 1
}
