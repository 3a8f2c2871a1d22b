//! `_tokenize`: the tokenizer behind `tokenize`. It is declared so that modules that import it load; making an iterator
//! says that it is missing.

use crate::modules::{ModuleSpec, not_there_yet};
use crate::object::{PyObject, StaticType, TypeSlots, TypeSpec};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_tokenize",
    doc: "The tokens of Python source.",
    types: &[&TOKENIZER_TYPE],
    ..ModuleSpec::EMPTY
};

/// `_tokenize.TokenizerIter`.
static TOKENIZER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_tokenize.TokenizerIter",
    basicsize: size_of::<PyObject>(),
    doc: "TokenizerIter(readline, /, *, encoding=None, extra_tokens=False)",
    slots: TypeSlots { new: Some(|ts, _, _| not_there_yet(ts, "_tokenize.TokenizerIter")), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});
