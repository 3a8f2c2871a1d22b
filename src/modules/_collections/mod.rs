//! `_collections`: `deque`, `defaultdict`, `OrderedDict`, and what `namedtuple` and `Counter` are made of.

mod count;
mod defaultdict;
mod deque;
pub mod ordered;
mod tuplegetter;

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, ready};
use crate::state::ThreadState;
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_collections",
    doc: "High performance data structures.\n\
          - deque:        ordered collection accessible from endpoints only\n\
          - defaultdict:  dict subclass with a default value factory\n",
    methods: &[MethodDef::positional(
        "_count_elements",
        count::count_elements,
        "_count_elements($module, mapping, iterable, /)\n--\n\nCount elements in the iterable, updating the mapping",
    )],
    types: &[
        &deque::DEQUE_TYPE,
        &deque::DEQUE_ITERATOR_TYPE,
        &deque::DEQUE_REVERSE_ITERATOR_TYPE,
        &defaultdict::DEFAULTDICT_TYPE,
        &ordered::ORDERED_DICT_TYPE,
        &tuplegetter::TUPLEGETTER_TYPE,
    ],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, _module: &PyModule) -> crate::object::PyResult<()> {
    for typ in ordered::PRIVATE_TYPES {
        ready::ready_static(ts, typ)?;
    }
    Ok(())
}
