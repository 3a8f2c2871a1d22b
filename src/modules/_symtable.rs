//! `_symtable`: the compiler's symbol tables. The constants are here; the front end does not hand its tables out.

use crate::modules::{ModuleSpec, not_there_yet};
use crate::object::{MethodDef, PyResult};
use crate::state::ThreadState;
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_symtable",
    doc: "The compiler's symbol tables.",
    methods: &[MethodDef::positional(
        "symtable",
        |ts, _, _| not_there_yet(ts, "_symtable.symtable()"),
        "symtable($module, source, filename, startstr, /)\n--\n\nThe symbol table of a source text.",
    )],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

const CONSTANTS: [(&str, i64); 26] = [
    ("USE", 16),
    ("DEF_GLOBAL", 1),
    ("DEF_NONLOCAL", 8),
    ("DEF_LOCAL", 2),
    ("DEF_PARAM", 4),
    ("DEF_TYPE_PARAM", 1024),
    ("DEF_FREE_CLASS", 64),
    ("DEF_IMPORT", 128),
    ("DEF_BOUND", 2 | 4 | 128),
    ("DEF_ANNOT", 256),
    ("DEF_COMP_ITER", 512),
    ("DEF_COMP_CELL", 2048),
    ("TYPE_FUNCTION", 0),
    ("TYPE_CLASS", 1),
    ("TYPE_MODULE", 2),
    ("TYPE_ANNOTATION", 3),
    ("TYPE_TYPE_ALIAS", 4),
    ("TYPE_TYPE_PARAMETERS", 5),
    ("TYPE_TYPE_VARIABLE", 6),
    ("LOCAL", 1),
    ("GLOBAL_EXPLICIT", 2),
    ("GLOBAL_IMPLICIT", 3),
    ("FREE", 4),
    ("CELL", 5),
    ("SCOPE_OFF", 12),
    ("SCOPE_MASK", 15),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    CONSTANTS.iter().try_for_each(|(name, value)| module.add_int(ts, name, *value))
}
