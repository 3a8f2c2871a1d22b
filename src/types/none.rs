//! `None`.

use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&NONE_TYPE];

/// `types.NoneType`.
#[unsafe(export_name = "_PyNone_Type")]
pub static NONE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"NoneType",
    basicsize: size_of::<PyObject>(),
    doc: "NoneType()\n--\n\nThe type of the None singleton.",
    slots: TypeSlots {
        new: Some(none_new),
        repr: Some(|ts, _| Ok(PyStr::intern(ts, "None")?.into_object())),
        hash: Some(|_, _| Ok(0xFCA8_6420)),
        nb_bool: Some(|_, _| Ok(false)),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// The one instance.
#[unsafe(export_name = "_Py_NoneStruct")]
pub static NONE: PyObject = PyObject::immortal(&NONE_TYPE.object);

/// `None`, borrowed; it is immortal and the same in all interpreters.
#[inline(always)]
pub fn none() -> &'static PyObject {
    &NONE
}

/// Whether the object is `None`.
#[inline(always)]
pub fn is_none(object: &PyObject) -> bool {
    object.is(&NONE)
}

fn none_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.all().is_empty() {
        return raise!(ts, exc::TypeError, "NoneType takes no arguments");
    }
    Ok(PyRef::from_borrowed(none()))
}
