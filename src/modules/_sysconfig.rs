//! `_sysconfig`: how this runtime was built, where that is not the same for all.

use crate::modules::ModuleSpec;
use crate::object::{AsObject, MethodDef, PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_sysconfig",
    doc: "A helper for the sysconfig module.",
    methods: &[MethodDef::no_args(
        "config_vars",
        config_vars,
        "config_vars($module, /)\n--\n\nReturns a dictionary containing build variables intended to be exposed by sysconfig.",
    )],
    types: &[],
    exec: None,
};

fn config_vars(ts: &ThreadState, _: &PyObject) -> PyResult {
    let vars = PyDict::new(ts)?;
    // There is a GIL.
    vars.set_str(ts, &*PyStr::intern(ts, "Py_GIL_DISABLED")?, PyInt::zero().as_object())?;
    Ok(vars.into_object())
}
