//! What generators, coroutines and asynchronous generators show to Python under different names.

use super::PyGenerator;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::str::PyStr;

pub(super) fn this(object: &PyObject) -> &PyGenerator {
    object.cast()
}

/// `__name__`.
pub(super) const NAME: GetSetDef = GetSetDef::get_set(
    "__name__",
    |ts, o| Ok(this(o).name.get().map_or_else(|| ts.none(), Ref::into_object)),
    |ts, o, value| set_text(ts, &this(o).name, value, "__name__"),
    "name of the generator",
);

/// `__qualname__`.
pub(super) const QUALNAME: GetSetDef = GetSetDef::get_set(
    "__qualname__",
    |ts, o| Ok(this(o).qualname.get().map_or_else(|| ts.none(), Ref::into_object)),
    |ts, o, value| set_text(ts, &this(o).qualname, value, "__qualname__"),
    "qualified name of the generator",
);

fn set_text(ts: &ThreadState, slot: &Slot<PyStr>, value: Option<&PyObject>, name: &str) -> PyResult<()> {
    match value.and_then(|v| v.downcast::<PyStr>()) {
        Some(text) => {
            slot.set(Some(Ref::from_borrowed(text)));
            Ok(())
        }
        None => raise!(ts, exc::TypeError, "{name} must be set to a string object"),
    }
}

/// `__class_getitem__`.
pub(super) const CLASS_GETITEM: MethodDef =
    MethodDef::one("__class_getitem__", genericalias::class_getitem, "The generic alias with these parameters.")
        .class();

pub(super) fn delegate(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).yield_from().unwrap_or_else(|| ts.none()))
}

pub(super) fn running(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_running()))
}

pub(super) fn suspended(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_suspended()))
}

pub(super) fn frame(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).frame_object(ts)?.unwrap_or_else(|| ts.none()))
}

pub(super) fn code(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).code().new_ref())
}

/// `<generator object f at 0x…>`.
pub(super) fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let qualname = this(object).qualname.get();
    let qualname: &PyStr = qualname.as_deref().unwrap_or(this(object).code().qualname());
    Ok(PyStr::format(ts, format_args!("<{} object {qualname} at {object:p}>", object.type_name()))?.into_object())
}
