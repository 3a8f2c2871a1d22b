//! `_typing`: the native half of `typing`, as a module.

use crate::modules::ModuleSpec;
use crate::object::{AsObject, MethodDef, PyResult};
use crate::state::ThreadState;
use crate::types::module::PyModule;
use crate::types::typevar::{self, paramspec};
use crate::types::union::UNION_TYPE;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_typing",
    doc: "The native part of the typing module.",
    methods: &[MethodDef::one("_idfunc", |_, _, object| Ok(object.new_ref()), "_idfunc($module, x, /)\n--\n\n")],
    types: &[
        &typevar::TYPEVAR_TYPE,
        &typevar::PARAMSPEC_TYPE,
        &typevar::TYPEVARTUPLE_TYPE,
        &paramspec::PARAMSPEC_ARGS_TYPE,
        &paramspec::PARAMSPEC_KWARGS_TYPE,
        &typevar::TYPE_ALIAS_TYPE,
        &UNION_TYPE,
    ],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let generic = typevar::generic_type(ts)?;
    module.add(ts, "Generic", &generic)?;
    module.add(ts, "NoDefault", typevar::no_default())
}
