//! Methods and attributes.

use super::cast::int_tuple;
use super::index::{item_format, nested};
use super::strided::{self, Complete, Order, format_of};
use super::{C, FORTRAN, PyMemoryView, from_flags as view_with_flags};
use crate::object::{Args, AsObject, PyObject, PyResult, Ref, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::{PyBytes, hex_of};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::slice::bound_index;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

fn this(object: &PyObject) -> &PyMemoryView {
    object.cast::<PyMemoryView>()
}

/// The memoryview, checked to be usable.
fn usable<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyMemoryView> {
    let this = this(object);
    this.check(ts)?;
    Ok(this)
}

/// `tp_repr`.
pub(super) fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = if this(object).is_released() { "released memory" } else { "memory" };
    PyStr::format(ts, format_args!("<{state} at {:#x}>", object.as_ptr().addr())).map(Ref::into_object)
}

/// `release`.
pub(super) fn release(ts: &ThreadState, object: &PyObject) -> PyResult {
    this(object).release_memory(ts)?;
    Ok(ts.none())
}

/// `__enter__`.
pub(super) fn enter(ts: &ThreadState, object: &PyObject) -> PyResult {
    usable(ts, object)?;
    Ok(object.new_ref())
}

/// `__exit__`.
pub(super) fn exit(ts: &ThreadState, object: &PyObject, _args: &[&PyObject]) -> PyResult {
    release(ts, object)
}

/// `tobytes`.
pub(super) fn tobytes(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("tobytes", ["order"], 0, 1, 0);
    let [order] = SIGNATURE.parse(ts, args)?;
    let order = match order {
        Some(order) if !is_none(order) => {
            let Some(text) = order.downcast::<PyStr>() else {
                return raise!(
                    ts,
                    exc::TypeError,
                    "tobytes() argument 'order' must be str or None, not {}",
                    order.type_name()
                );
            };
            match text.ascii_str() {
                Some("C") => Order::C,
                Some("F") => Order::Fortran,
                Some("A") => Order::Any,
                _ => return raise!(ts, exc::ValueError, "order must be 'C', 'F' or 'A'"),
            }
        }
        _ => Order::C,
    };
    let this = usable(ts, object)?;
    let view = this.view();
    let direct = match order {
        Order::C => this.has(C),
        Order::Fortran => this.has(FORTRAN),
        Order::Any => this.has(C | FORTRAN),
    };
    if direct && view.len > 0 {
        // SAFETY: contiguous memory of `len` bytes.
        return PyBytes::new(ts, unsafe { core::slice::from_raw_parts(view.buf.cast(), view.len as usize) })
            .map(Ref::into_object);
    }
    let bytes = strided::copy_in_order(view, order)?;
    PyBytes::new(ts, &bytes).map(Ref::into_object)
}

/// `hex`.
pub(super) fn hex(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("hex", ["sep", "bytes_per_sep"], 0, 2, 0);
    let [separator, group] = SIGNATURE.parse(ts, args)?;
    let this = usable(ts, object)?;
    let bytes = strided::copy_in_order(this.view(), Order::C)?;
    let text = hex_of(ts, &bytes, separator, group)?;
    PyStr::from_ascii(ts, &text).map(Ref::into_object)
}

/// `tolist`.
pub(super) fn tolist(ts: &ThreadState, object: &PyObject) -> PyResult {
    let view = usable(ts, object)?.view();
    let code = item_format(ts, view)?;
    nested(ts, &Complete::of(view).dimensions(), 0, view.buf.cast(), code)
}

/// `toreadonly`.
pub(super) fn toreadonly(ts: &ThreadState, object: &PyObject) -> PyResult {
    let made = this(object).again(ts)?;
    // SAFETY: nobody else has the new view.
    unsafe { (*made.view.get()).readonly = 1 };
    Ok(made.into_object())
}

/// `_from_flags`.
pub(super) fn from_flags(ts: &ThreadState, _class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("_from_flags", ["object", "flags"], 0, 2, 2);
    let [Some(object), Some(flags)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "_from_flags() missing required argument");
    };
    let flags = protocol::as_i32(ts, flags)?;
    view_with_flags(ts, object, flags).map(Ref::into_object)
}

/// `count`.
pub(super) fn count(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let iterator = protocol::iter(ts, object)?;
    let mut count = 0;
    while let Some(item) = protocol::next(ts, &iterator)? {
        if item.is(value) || protocol::equal(ts, &item, value)? {
            count += 1;
        }
    }
    PyInt::from_usize(ts, count)
}

/// `index`.
pub(super) fn index(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "index", args.len(), 1, 3)?;
    let start = match args.get(1) {
        Some(start) => bound_index(ts, start)?,
        None => 0,
    };
    let stop = match args.get(2) {
        Some(stop) => bound_index(ts, stop)?,
        None => isize::MAX,
    };
    let this = usable(ts, object)?;
    match this.view().ndim {
        0 => return raise!(ts, exc::TypeError, "invalid lookup on 0-dim memory"),
        1 => {}
        _ => return raise!(ts, exc::NotImplementedError, "multi-dimensional lookup is not implemented"),
    }
    let len = super::index::length(ts, object)? as isize;
    let clip = |bound: isize| if bound < 0 { (bound + len).max(0) } else { bound };
    for index in clip(start)..clip(stop).min(len) {
        let item = super::index::item(ts, object, index)?;
        if item.is(args[0]) || protocol::equal(ts, &item, args[0])? {
            return PyInt::from_i64(ts, index as i64);
        }
    }
    raise!(ts, exc::ValueError, "memoryview.index(x): x not found")
}

/// `obj`.
pub(super) fn obj(ts: &ThreadState, object: &PyObject) -> PyResult {
    let view = usable(ts, object)?.view();
    // SAFETY: the exporter lives as long as the view is not released.
    Ok(unsafe { view.obj.as_ref() }.map_or_else(|| ts.none(), AsObject::new_ref))
}

/// `nbytes`.
pub(super) fn nbytes(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_i64(ts, usable(ts, object)?.view().len as i64)
}

/// `readonly`.
pub(super) fn readonly(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(usable(ts, object)?.view().readonly != 0))
}

/// `itemsize`.
pub(super) fn itemsize(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_i64(ts, usable(ts, object)?.view().itemsize as i64)
}

/// `format`.
pub(super) fn format(ts: &ThreadState, object: &PyObject) -> PyResult {
    let view = usable(ts, object)?.view();
    PyStr::from_utf8(ts, format_of(view), "strict").map(Ref::into_object)
}

/// `ndim`.
pub(super) fn ndim(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_i64(ts, i64::from(usable(ts, object)?.view().ndim))
}

/// `shape`.
pub(super) fn shape(ts: &ThreadState, object: &PyObject) -> PyResult {
    int_tuple(ts, Complete::of(usable(ts, object)?.view()).dimensions().shape)
}

/// `strides`.
pub(super) fn strides(ts: &ThreadState, object: &PyObject) -> PyResult {
    int_tuple(ts, Complete::of(usable(ts, object)?.view()).dimensions().strides)
}

/// `suboffsets`.
pub(super) fn suboffsets(ts: &ThreadState, object: &PyObject) -> PyResult {
    match Complete::of(usable(ts, object)?.view()).dimensions().suboffsets {
        Some(suboffsets) => int_tuple(ts, suboffsets),
        None => Ok(PyTuple::empty().into_object()),
    }
}

/// `c_contiguous`.
pub(super) fn c_contiguous(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(usable(ts, object)?.has(C)))
}

/// `f_contiguous`.
pub(super) fn f_contiguous(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(usable(ts, object)?.has(FORTRAN)))
}

/// `contiguous`.
pub(super) fn contiguous(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(usable(ts, object)?.has(C | FORTRAN)))
}
