//! `compress`: the items whose selector is true.

use super::iterator_type;
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, alloc, gc, protocol};
use crate::state::ThreadState;
use crate::types::none::none;
use crate::types::owned::owns;

#[repr(C)]
pub(super) struct PyCompress {
    ob_base: PyObject,
    data: Slot<PyObject>,
    selectors: Slot<PyObject>,
}

owns!(PyCompress: data, selectors);
iterator_type!(
    PyCompress,
    COMPRESS_TYPE,
    "compress",
    Some(new),
    next,
    "compress(data, selectors)\n--\n\nThe items of data whose counterpart in selectors is true."
);

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("compress", ["data", "selectors"], 0, 2, 2);
    let [data, selectors] = SIGNATURE.parse(ts, args)?;
    let data = protocol::iter(ts, data.unwrap_or(none()))?;
    let selectors = protocol::iter(ts, selectors.unwrap_or(none()))?;
    let this = alloc::object::<PyCompress>(ts, of)?;
    this.data.set(Some(data));
    this.selectors.set(Some(selectors));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyCompress>();
    let (Some(data), Some(selectors)) = (this.data.get(), this.selectors.get()) else { return Ok(None) };
    loop {
        let Some(item) = protocol::next(ts, &data)? else { return Ok(None) };
        let Some(selector) = protocol::next(ts, &selectors)? else { return Ok(None) };
        if protocol::is_true(ts, &selector)? {
            return Ok(Some(item));
        }
    }
}
