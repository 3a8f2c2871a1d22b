//! The compiler's symbol tables as bytes, for the module `_symtable`.
//!
//! ```text
//!   table  = type line nested name(n, UTF-8) n × (name, flags) n × name (the parameters and locals) n × table
//! ```
//! Numbers are counts of `encode`; a name's flags have its scope above bit 12, as CPython's have.

use rustpython_codegen::symboltable::{CompilerScope, SymbolTable};

use crate::encode::{write_bytes, write_count};

/// The types of tables, as the constants of `_symtable` number them.
const fn type_of(scope: CompilerScope) -> u64 {
    match scope {
        CompilerScope::Function
        | CompilerScope::AsyncFunction
        | CompilerScope::Lambda
        | CompilerScope::Comprehension => 0,
        CompilerScope::Class => 1,
        CompilerScope::Module => 2,
        CompilerScope::Annotation => 3,
        CompilerScope::TypeAlias => 4,
        CompilerScope::TypeParams => 5,
        CompilerScope::TypeVariable => 6,
    }
}

/// Writes a table and all inside it.
pub fn write(out: &mut Vec<u8>, table: &SymbolTable) {
    write_count(out, type_of(table.typ));
    write_count(out, if table.typ == CompilerScope::Module { 0 } else { u64::from(table.line_number) });
    write_count(out, u64::from(table.is_nested));
    let name = if table.typ == CompilerScope::Module { "top" } else { table.name.as_str() };
    write_bytes(out, name.as_bytes());
    write_count(out, table.symbols.len() as u64);
    for (name, symbol) in &table.symbols {
        write_bytes(out, name.as_bytes());
        write_count(out, u64::from(symbol.flags.bits()) | (symbol.scope.as_i32() as u64) << 12);
    }
    write_count(out, table.varnames.len() as u64);
    for name in &table.varnames {
        write_bytes(out, name.as_bytes());
    }
    // The annotations of a block are a block of their own in it.
    let annotations = table.annotation_block.iter().map(AsRef::as_ref);
    let children: Vec<&SymbolTable> = table.sub_tables.iter().chain(annotations).collect();
    write_count(out, children.len() as u64);
    for child in children {
        write(out, child);
    }
}
