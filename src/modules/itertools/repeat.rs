//! `repeat`: one object many times.

use core::cell::Cell;

use super::iterator_type;
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::str::PyStr;

#[repr(C)]
pub(super) struct PyRepeat {
    ob_base: PyObject,
    element: Slot<PyObject>,
    /// How often it still comes, -1 for without end.
    left: Cell<isize>,
}

owns!(PyRepeat: element);
iterator_type!(
    PyRepeat,
    REPEAT_TYPE,
    "repeat",
    Some(new),
    next,
    "repeat(object[, times])\n\nThe object again and again, without end or the given number of times.",
    slots { repr: Some(repr) },
    spec { methods: &[MethodDef::no_args("__length_hint__", length_hint, "How many items are left.")] }
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("repeat", ["object", "times"], 0, 2, 1);
    let [element, times] = SIGNATURE.parse(ts, args)?;
    let left = match times {
        Some(times) => protocol::as_isize(ts, times)?.max(0),
        None => -1,
    };
    let this = alloc::object::<PyRepeat>(ts, of)?;
    this.element.set(element.map(AsObject::new_ref));
    this.left.set(left);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(_ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyRepeat>();
    match this.left.get() {
        0 => return Ok(None),
        left if left > 0 => this.left.set(left - 1),
        _ => {}
    }
    Ok(this.element.get())
}

fn length_hint(ts: &ThreadState, this: &PyObject) -> PyResult {
    match this.cast::<PyRepeat>().left.get() {
        -1 => raise!(ts, exc::TypeError, "len() of unsized object"),
        left => Ok(PyInt::from_i64(ts, left as i64)?.into_object()),
    }
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyRepeat>();
    let name = object.ob_type().name();
    let element = protocol::repr(ts, &this.element.get().unwrap_or_else(|| ts.none()))?;
    let text = match this.left.get() {
        -1 => PyStr::format(ts, format_args!("{name}({})", &*element))?,
        left => PyStr::format(ts, format_args!("{name}({}, {left})", &*element))?,
    };
    Ok(text.into_object())
}
