//! `NotImplemented`: how an operation says that it does not know its operands.

use crate::object::{Args, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&NOT_IMPLEMENTED_TYPE];

/// `types.NotImplementedType`.
#[unsafe(export_name = "_PyNotImplemented_Type")]
pub static NOT_IMPLEMENTED_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"NotImplementedType",
    basicsize: size_of::<PyObject>(),
    doc: "NotImplementedType()\n--\n\nThe type of NotImplemented.",
    slots: TypeSlots {
        new: Some(not_implemented_new),
        repr: Some(|ts, _| Ok(PyStr::intern(ts, "NotImplemented")?.into_object())),
        nb_bool: Some(|ts, _| raise!(ts, exc::TypeError, "NotImplemented should not be used in a boolean context")),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", |ts, _| Ok(PyStr::intern(ts, "NotImplemented")?.into_object()), "")],
    ..TypeSpec::EMPTY
});

/// The one instance.
#[unsafe(export_name = "_Py_NotImplementedStruct")]
pub static NOT_IMPLEMENTED: PyObject = PyObject::immortal(&NOT_IMPLEMENTED_TYPE.object);

/// `NotImplemented` as an owned reference, which costs nothing: it is immortal.
#[inline(always)]
pub fn not_implemented() -> PyRef {
    PyRef::from_borrowed(&NOT_IMPLEMENTED)
}

/// Whether the object is `NotImplemented`.
#[inline(always)]
pub fn is_not_implemented(object: &PyObject) -> bool {
    object.is(&NOT_IMPLEMENTED)
}

fn not_implemented_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.all().is_empty() {
        return raise!(ts, exc::TypeError, "NotImplementedType takes no arguments");
    }
    Ok(not_implemented())
}
