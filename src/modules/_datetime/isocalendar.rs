//! What `date.isocalendar` returns: a tuple of year, week and day of the week with names.

use super::calendar::Ymd;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Signature, StaticType, TypeSlots, TypeSpec,
    alloc, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::StrBuilder;
use crate::types::tuple::{PyTuple, TUPLE_TYPE};

/// `datetime.IsoCalendarDate`.
pub static ISO_CALENDAR_DATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.IsoCalendarDate",
    basicsize: size_of::<PyTuple>(),
    itemsize: size_of::<*mut PyObject>(),
    base: Some(&TUPLE_TYPE),
    doc: "The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday))\nor via the object attributes as named in the above tuple.",
    slots: TypeSlots { new: Some(new), repr: Some(repr), ..TypeSlots::EMPTY },
    methods: &[MethodDef::no_args("__reduce__", reduce, "")],
    getset: &[
        GetSetDef::get("year", |ts, this| item(ts, this, 0), ""),
        GetSetDef::get("week", |ts, this| item(ts, this, 1), ""),
        GetSetDef::get("weekday", |ts, this| item(ts, this, 2), ""),
    ],
    ..TypeSpec::EMPTY
});

fn item(ts: &ThreadState, this: &PyObject, index: usize) -> PyResult {
    match this.cast::<PyTuple>().get(index) {
        Some(item) => Ok(item.new_ref()),
        None => raise!(ts, exc::IndexError, "tuple index out of range"),
    }
}

/// The date in the ISO calendar.
pub fn make(ts: &ThreadState, date: Ymd) -> PyResult {
    let (year, week, day) = date.iso();
    let items = [year, week, day];
    let mut made = [None, None, None];
    for (place, item) in made.iter_mut().zip(items) {
        *place = Some(PyInt::from_i64(ts, item.into())?);
    }
    fill(ts, made.map(|item| item.unwrap_or_else(|| ts.none())))
}

fn fill(ts: &ThreadState, items: [crate::object::PyRef; 3]) -> PyResult {
    let tuple = alloc::var_object::<PyTuple>(ts, &ISO_CALENDAR_DATE_TYPE, 3)?;
    for (index, item) in items.into_iter().enumerate() {
        // SAFETY: the tuple has three places, which are empty, and nobody else sees it yet.
        unsafe { tuple.set_item(index, item) };
    }
    gc::track(ts, &*tuple);
    Ok(tuple.into_object())
}

fn new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("IsoCalendarDate", ["year", "week", "weekday"], 0, 3, 3);
    let items = SIGNATURE.parse(ts, args)?;
    fill(ts, items.map(|item| item.map_or_else(|| ts.none(), AsObject::new_ref)))
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut text = StrBuilder::with_capacity(64)?;
    text.push_str(this.ob_type().full_name())?;
    for (index, name) in ["(year=", ", week=", ", weekday="].into_iter().enumerate() {
        text.push_ascii(name.as_bytes())?;
        let value = item(ts, this, index)?;
        text.push(&*protocol::str(ts, &value)?)?;
    }
    text.push_ascii(b")")?;
    Ok(text.finish(ts)?.into_object())
}

/// The type is not public: a plain tuple is pickled.
fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let items = PyTuple::new(ts, this.cast::<PyTuple>().items())?;
    let arguments = PyTuple::from_array(ts, [items.into_object()])?;
    Ok(PyTuple::from_array(ts, [TUPLE_TYPE.new_ref(), arguments.into_object()])?.into_object())
}
