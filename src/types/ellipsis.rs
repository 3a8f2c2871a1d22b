//! `Ellipsis`, written `...`.

use crate::object::{Args, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&ELLIPSIS_TYPE];

/// `types.EllipsisType`.
#[unsafe(export_name = "PyEllipsis_Type")]
pub static ELLIPSIS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"ellipsis",
    basicsize: size_of::<PyObject>(),
    doc: "ellipsis()\n--\n\nThe type of Ellipsis.",
    slots: TypeSlots {
        new: Some(ellipsis_new),
        repr: Some(|ts, _| Ok(PyStr::intern(ts, "Ellipsis")?.into_object())),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", |ts, _| Ok(PyStr::intern(ts, "Ellipsis")?.into_object()), "")],
    ..TypeSpec::EMPTY
});

/// The one instance.
#[unsafe(export_name = "_Py_EllipsisObject")]
pub static ELLIPSIS: PyObject = PyObject::immortal(&ELLIPSIS_TYPE.object);

/// `Ellipsis`, borrowed; it is immortal and the same in all interpreters.
#[inline(always)]
pub fn ellipsis() -> &'static PyObject {
    &ELLIPSIS
}

fn ellipsis_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.all().is_empty() {
        return raise!(ts, exc::TypeError, "EllipsisType takes no arguments");
    }
    Ok(PyRef::from_borrowed(ellipsis()))
}
