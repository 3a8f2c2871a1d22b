//! `cell`: a variable that several functions share.

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::{native, raise};

/// A cell; empty while the variable has no value.
#[repr(C)]
pub struct PyCell {
    ob_base: PyObject,
    value: Slot<PyObject>,
}

native!(PyCell, CELL_TYPE);
owns!(PyCell: value);

/// `types.CellType`.
#[unsafe(export_name = "PyCell_Type")]
pub static CELL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"cell",
    basicsize: size_of::<PyCell>(),
    flags: flags::HAVE_GC,
    doc: "cell([contents])\n--\n\nA variable shared by functions, with contents or empty.",
    slots: TypeSlots {
        dealloc: Some(PyCell::slot_dealloc),
        traverse: Some(PyCell::slot_traverse),
        clear: Some(PyCell::slot_clear),
        repr: Some(cell_repr),
        richcompare: Some(cell_compare),
        new: Some(cell_new),
        ..TypeSlots::EMPTY
    },
    getset: &[GetSetDef::get_set("cell_contents", get_contents, set_contents, "")],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&CELL_TYPE];

impl PyCell {
    /// A cell with a value or without.
    #[inline]
    pub fn new(ts: &ThreadState, value: Option<PyRef>) -> PyResult<Ref<PyCell>> {
        let cell = alloc::exact::<PyCell>(ts)?;
        cell.value.set(value);
        gc::track(ts, &*cell);
        Ok(cell)
    }

    /// The value, if there is one.
    #[inline(always)]
    pub fn get(&self) -> Option<PyRef> {
        self.value.get()
    }

    /// Gives the variable a value, or none.
    #[inline(always)]
    pub fn set(&self, value: Option<PyRef>) {
        self.value.set(value);
    }

    /// Takes the value out.
    #[inline(always)]
    pub fn take(&self) -> Option<PyRef> {
        self.value.take()
    }
}

fn cell_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "cell")?;
    call::check_count(ts, "cell", args.len(), 0, 1)?;
    Ok(PyCell::new(ts, args.first().map(|value| value.new_ref()))?.into_object())
}

fn cell_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let text = match object.cast::<PyCell>().get() {
        None => PyStr::format(ts, format_args!("<cell at {:p}: empty>", object.as_ptr()))?,
        Some(value) => PyStr::format(
            ts,
            format_args!(
                "<cell at {:p}: {} object at {:p}>",
                object.as_ptr(),
                value.ob_type().full_name(),
                value.as_raw()
            ),
        )?,
    };
    Ok(text.into_object())
}

fn cell_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (left.downcast::<PyCell>(), right.downcast::<PyCell>()) else {
        return Ok(not_implemented());
    };
    match (left.get(), right.get()) {
        (Some(left), Some(right)) => protocol::compare(ts, &left, &right, op),
        // An empty cell is less than any other.
        (left, right) => Ok(py_bool(op.holds(left.is_some().cmp(&right.is_some())))),
    }
}

fn get_contents(ts: &ThreadState, object: &PyObject) -> PyResult {
    match object.cast::<PyCell>().get() {
        Some(value) => Ok(value),
        None => raise!(ts, exc::ValueError, "Cell is empty"),
    }
}

fn set_contents(_ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    object.cast::<PyCell>().set(value.map(PyRef::from_borrowed));
    Ok(())
}
