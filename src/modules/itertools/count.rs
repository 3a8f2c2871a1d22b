//! `count`: numbers without end.

use core::cell::Cell;

use super::iterator_type;
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::str::PyStr;

#[repr(C)]
pub(super) struct PyCount {
    ob_base: PyObject,
    /// The next number, when it is not in `next`.
    number: Slot<PyObject>,
    /// The distance; none is the int 1.
    step: Slot<PyObject>,
    /// The next number, as long as it is a machine integer and the step is 1.
    next: Cell<i64>,
}

owns!(PyCount: number, step);
iterator_type!(
    PyCount,
    COUNT_TYPE,
    "count",
    Some(new),
    next,
    "count(start=0, step=1)\n--\n\nstart, start + step, start + 2 * step, and so on without end.",
    slots { repr: Some(repr) }
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("count", ["start", "step"], 0, 2, 0);
    let [start, step] = SIGNATURE.parse(ts, args)?;
    if start.is_some_and(|start| !protocol::is_number(start)) || step.is_some_and(|step| !protocol::is_number(step)) {
        return raise!(ts, exc::TypeError, "a number is required");
    }
    let step = step.filter(|step| !is_one(step));
    let start_value = match start {
        None => Some(0),
        Some(start) => start.downcast_exact::<PyInt>().and_then(PyInt::as_i64),
    };
    let this = alloc::object::<PyCount>(ts, of)?;
    match start_value.filter(|start| step.is_none() && *start < i64::MAX) {
        Some(start) => this.next.set(start),
        None => {
            let number = match start {
                Some(start) => PyRef::from_borrowed(start),
                None => PyInt::from_i64(ts, 0)?.into_object(),
            };
            this.number.set(Some(number));
        }
    }
    this.step.set(step.map(PyRef::from_borrowed));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn is_one(step: &PyObject) -> bool {
    step.downcast_exact::<PyInt>().is_some_and(|step| step.as_i64() == Some(1))
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyCount>();
    if !this.number.is_some() {
        let number = this.next.get();
        if number < i64::MAX {
            this.next.set(number + 1);
            return Ok(Some(PyInt::from_i64(ts, number)?.into_object()));
        }
        this.number.set(Some(PyInt::from_i64(ts, number)?.into_object()));
    }
    let Some(number) = this.number.get() else { return Ok(None) };
    let step = match this.step.get() {
        Some(step) => step,
        None => PyInt::from_i64(ts, 1)?.into_object(),
    };
    let after = protocol::add(ts, &number, &step)?;
    this.number.set(Some(after));
    Ok(Some(number))
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyCount>();
    let name = object.ob_type().name();
    let Some(number) = this.number.get() else {
        return Ok(PyStr::format(ts, format_args!("{name}({})", this.next.get()))?.into_object());
    };
    let number = protocol::repr(ts, &number)?;
    let text = match this.step.get() {
        None => PyStr::format(ts, format_args!("{name}({})", &*number))?,
        Some(step) => PyStr::format(ts, format_args!("{name}({}, {})", &*number, &*protocol::repr(ts, &step)?))?,
    };
    Ok(text.into_object())
}
