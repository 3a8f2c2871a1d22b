//! `tzinfo` and `timezone`: what is known of zones, and what is asked of them.

use core::cell::Cell;

use super::datetime::{PyDateTime, add_delta};
use super::delta::{DAY, PyDelta, StaticDelta};
use super::text::{Text, write_offset};
use crate::object::{
    Args, AsObject, CompareOp, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, ValueDef, alloc, attr, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A time zone of any kind; C's `PyDateTime_TZInfo`.
#[repr(C)]
pub struct PyTzInfo {
    ob_base: PyObject,
}

crate::native!(PyTzInfo, TZINFO_TYPE);

/// `datetime.tzinfo`.
pub static TZINFO_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.tzinfo",
    basicsize: size_of::<PyTzInfo>(),
    flags: flags::BASETYPE,
    doc: "Abstract base class for time zone info objects.\n\n(Subclasses must implement tzname, utcoffset and dst.)",
    slots: TypeSlots {
        new: Some(|ts, of, _| {
            let made = alloc::object::<PyTzInfo>(ts, of)?;
            if of.is_gc() {
                gc::track(ts, &*made);
            }
            Ok(made.into_object())
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("tzname", |ts, _, _| abstract_method(ts, "tzname"), "datetime -> string name of time zone."),
        MethodDef::one(
            "utcoffset",
            |ts, _, _| abstract_method(ts, "utcoffset"),
            "datetime -> timedelta showing offset from UTC, negative values indicating West of UTC",
        ),
        MethodDef::one(
            "dst",
            |ts, _, _| abstract_method(ts, "dst"),
            "datetime -> DST offset as timedelta positive east of UTC.",
        ),
        MethodDef::one("fromutc", fromutc, "datetime in UTC -> datetime in local time."),
        MethodDef::no_args("__reduce__", reduce, "-> (cls, state)"),
    ],
    ..TypeSpec::EMPTY
});

fn abstract_method(ts: &ThreadState, name: &str) -> PyResult {
    raise!(ts, exc::NotImplementedError, "a tzinfo subclass must implement {name}()")
}

fn fromutc(ts: &ThreadState, this: &PyObject, when: &PyObject) -> PyResult {
    let Some(utc) = when.downcast::<PyDateTime>() else {
        return raise!(ts, exc::TypeError, "fromutc: argument must be a datetime");
    };
    if !utc.tzinfo().is_some_and(|zone| zone.is(this)) {
        return raise!(ts, exc::ValueError, "fromutc: dt.tzinfo is not self");
    }
    let Some(offset) = utc_offset(ts, Some(this), when)? else {
        return raise!(ts, exc::ValueError, "fromutc: non-None utcoffset() result required");
    };
    let Some(dst) = dst(ts, Some(this), when)? else {
        return raise!(ts, exc::ValueError, "fromutc: non-None dst() result required");
    };
    let standard = offset.plus(ts, &dst, -1)?;
    let result = add_delta(ts, utc, &standard, 1)?;
    let Some(of_result) = result.downcast::<PyDateTime>() else {
        return raise!(ts, exc::TypeError, "a datetime is expected, not '{}'", result.type_name());
    };
    let zone = of_result.tzinfo();
    match self::dst(ts, zone.as_deref(), &result)? {
        None => raise!(ts, exc::ValueError, "fromutc: tz.dst() gave inconsistent results; cannot convert"),
        Some(dst) if dst.is_zero() => Ok(result),
        Some(dst) => add_delta(ts, of_result, &dst, 1),
    }
}

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let name = PyStr::intern(ts, "__getinitargs__")?;
    let arguments = match attr::get_opt(ts, this, &name)? {
        Some(method) => call::call0(ts, &method)?,
        None => PyTuple::empty().into_object(),
    };
    let state = call::call_method(ts, this, crate::id!(__getstate__), &[])?;
    Ok(PyTuple::from_array(ts, [this.ob_type().new_ref(), arguments, state])?.into_object())
}

/// What a zone says, when it is there: None, or what its method returns.
fn ask(ts: &ThreadState, zone: Option<&PyObject>, method: &str, when: &PyObject) -> PyResult<Option<PyRef>> {
    let Some(zone) = zone else { return Ok(None) };
    let answer = protocol::call_named(ts, zone, method, &[when])?;
    Ok(if is_none(&answer) { None } else { Some(answer) })
}

fn ask_for_offset(
    ts: &ThreadState,
    zone: Option<&PyObject>,
    method: &str,
    when: &PyObject,
) -> PyResult<Option<Ref<PyDelta>>> {
    // The zone of fixed offsets has nothing to look up.
    if let Some(fixed) = zone.and_then(|zone| zone.downcast_exact::<PyTimeZone>()) {
        return Ok(if method == "utcoffset" { Some(fixed.offset()) } else { None });
    }
    let Some(answer) = ask(ts, zone, method, when)? else { return Ok(None) };
    match answer.downcast_into::<PyDelta>() {
        Ok(offset) if offset.is_offset() => Ok(Some(offset)),
        Ok(offset) => raise_bad_offset(ts, &offset),
        Err(other) => {
            raise!(ts, exc::TypeError, "tzinfo.{method}() must return None or a timedelta, not '{}'", other.type_name())
        }
    }
}

#[cold]
fn raise_bad_offset<T>(ts: &ThreadState, offset: &PyDelta) -> PyResult<T> {
    let offset = protocol::repr(ts, offset.as_object())?;
    raise!(
        ts,
        exc::ValueError,
        "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {}.",
        &*offset
    )
}

/// `tzinfo.utcoffset(when)`, checked.
pub fn utc_offset(ts: &ThreadState, zone: Option<&PyObject>, when: &PyObject) -> PyResult<Option<Ref<PyDelta>>> {
    ask_for_offset(ts, zone, "utcoffset", when)
}

/// `tzinfo.dst(when)`, checked.
pub fn dst(ts: &ThreadState, zone: Option<&PyObject>, when: &PyObject) -> PyResult<Option<Ref<PyDelta>>> {
    ask_for_offset(ts, zone, "dst", when)
}

/// `tzinfo.tzname(when)`, checked.
pub fn zone_name(ts: &ThreadState, zone: Option<&PyObject>, when: &PyObject) -> PyResult<Option<Ref<PyStr>>> {
    let Some(answer) = ask(ts, zone, "tzname", when)? else { return Ok(None) };
    match answer.downcast_into::<PyStr>() {
        Ok(name) => Ok(Some(name)),
        Err(other) => {
            raise!(ts, exc::TypeError, "tzinfo.tzname() must return None or a string, not '{}'", other.type_name())
        }
    }
}

/// A delta or None.
pub fn or_none(ts: &ThreadState, delta: Option<Ref<PyDelta>>) -> PyRef {
    delta.map_or_else(|| ts.none(), Ref::into_object)
}

/// An argument that is a zone or None.
pub fn zone_argument<'a>(ts: &ThreadState, zone: Option<&'a PyObject>) -> PyResult<Option<&'a PyObject>> {
    match zone.filter(|zone| !is_none(zone)) {
        Some(zone) if !zone.is_a::<PyTzInfo>() => raise!(
            ts,
            exc::TypeError,
            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
            zone.type_name()
        ),
        zone => Ok(zone),
    }
}

/// A zone with a fixed offset.
#[repr(C)]
pub struct PyTimeZone {
    ob_base: PyObject,
    /// Empty for UTC.
    offset: Slot<PyDelta>,
    name: Slot<PyStr>,
}

crate::native!(PyTimeZone, TIMEZONE_TYPE);
owns!(PyTimeZone: offset, name);

/// `datetime.timezone`.
pub static TIMEZONE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.timezone",
    basicsize: size_of::<PyTimeZone>(),
    flags: flags::HAVE_GC,
    base: Some(&TZINFO_TYPE),
    doc: "Fixed offset from UTC implementation of tzinfo.",
    slots: TypeSlots {
        new: Some(timezone_new),
        dealloc: Some(PyTimeZone::slot_dealloc),
        traverse: Some(PyTimeZone::slot_traverse),
        repr: Some(timezone_repr),
        str: Some(|ts, this| this.cast::<PyTimeZone>().name_text(ts)),
        hash: Some(|_, this| Ok(this.cast::<PyTimeZone>().offset().hash_value())),
        richcompare: Some(|_, a, b, op| {
            let (Some(a), Some(b)) = (a.downcast::<PyTimeZone>(), b.downcast::<PyTimeZone>()) else {
                return Ok(not_implemented());
            };
            let same = a.offset().compare(&b.offset()).is_eq();
            match op {
                CompareOp::Eq => Ok(py_bool(same)),
                CompareOp::Ne => Ok(py_bool(!same)),
                _ => Ok(not_implemented()),
            }
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "tzname",
            |ts, this, when| {
                check_argument(ts, when, "tzname")?;
                this.cast::<PyTimeZone>().name_text(ts)
            },
            "If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.",
        ),
        MethodDef::one(
            "utcoffset",
            |ts, this, when| {
                check_argument(ts, when, "utcoffset")?;
                Ok(this.cast::<PyTimeZone>().offset().into_object())
            },
            "Return fixed offset.",
        ),
        MethodDef::one(
            "dst",
            |ts, _, when| {
                check_argument(ts, when, "dst")?;
                Ok(ts.none())
            },
            "Return None.",
        ),
        MethodDef::one(
            "fromutc",
            |ts, this, when| {
                let Some(utc) = when.downcast::<PyDateTime>() else {
                    return raise!(ts, exc::TypeError, "fromutc: argument must be a datetime instance");
                };
                if !utc.tzinfo().is_some_and(|zone| zone.is(this)) {
                    return raise!(ts, exc::ValueError, "fromutc: dt.tzinfo is not self");
                }
                add_delta(ts, utc, &this.cast::<PyTimeZone>().offset(), 1)
            },
            "datetime in UTC -> datetime in local time.",
        ),
        MethodDef::no_args(
            "__getinitargs__",
            |ts, this| {
                let this = this.cast::<PyTimeZone>();
                let offset = this.offset().into_object();
                let arguments = match this.name.get() {
                    Some(name) => PyTuple::from_array(ts, [offset, name.into_object()])?,
                    None => PyTuple::from_array(ts, [offset])?,
                };
                Ok(arguments.into_object())
            },
            "pickle support",
        ),
    ],
    values: &[
        ValueDef { name: "utc", make: |_| Ok(UTC.get().new_ref()) },
        ValueDef { name: "min", make: |ts| make(ts, &*PyDelta::new(ts, 0, -(DAY - 60), 0)?, None) },
        ValueDef { name: "max", make: |ts| make(ts, &*PyDelta::new(ts, 0, DAY - 60, 0)?, None) },
    ],
    ..TypeSpec::EMPTY
});

/// A zone that is the same object in all interpreters, behind room for a collector header that is never used.
#[repr(C)]
pub struct StaticZone {
    gc_head: [Cell<usize>; 2],
    zone: PyTimeZone,
}

// SAFETY: the object is immortal, and nothing is written to it.
unsafe impl Sync for StaticZone {}

impl StaticZone {
    /// The object.
    pub const fn get(&'static self) -> &'static PyTimeZone {
        &self.zone
    }
}

/// `timezone.utc`.
pub static UTC: StaticZone = StaticZone {
    gc_head: [Cell::new(0), Cell::new(0)],
    zone: PyTimeZone { ob_base: PyObject::immortal(&TIMEZONE_TYPE.object), offset: Slot::empty(), name: Slot::empty() },
};

impl PyTimeZone {
    /// The offset from UTC.
    pub fn offset(&self) -> Ref<PyDelta> {
        let zero: &'static StaticDelta = PyDelta::ZERO;
        self.offset.get().unwrap_or_else(|| Ref::from_borrowed(zero.get()))
    }

    fn name_text(&self, ts: &ThreadState) -> PyResult {
        if let Some(name) = self.name.get() {
            return Ok(name.into_object());
        }
        let offset = self.offset();
        let mut text = Text::<32>::new();
        text.write(format_args!("UTC"));
        if !offset.is_zero() {
            write_offset(&mut text, offset.total_microseconds(), ":");
        }
        Ok(PyStr::from_ascii(ts, text.as_bytes())?.into_object())
    }
}

fn check_argument(ts: &ThreadState, when: &PyObject, method: &str) -> PyResult<()> {
    if is_none(when) || when.is_a::<PyDateTime>() {
        return Ok(());
    }
    raise!(ts, exc::TypeError, "{method}(dt) argument must be a datetime instance or None, not {}", when.type_name())
}

/// A zone of a fixed offset, UTC itself for the nameless offset of nothing. Raises ValueError for a day or more.
pub fn make(ts: &ThreadState, offset: &PyDelta, name: Option<&PyStr>) -> PyResult {
    if name.is_none() && offset.is_zero() {
        return Ok(UTC.get().new_ref());
    }
    if !offset.is_offset() {
        return raise_bad_offset(ts, offset);
    }
    let zone = alloc::exact::<PyTimeZone>(ts)?;
    zone.offset.set(Some(Ref::from_borrowed(offset)));
    zone.name.set(name.map(Ref::from_borrowed));
    gc::track(ts, &*zone);
    Ok(zone.into_object())
}

fn timezone_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("timezone", ["offset", "name"], 0, 2, 1);
    let [offset, name] = SIGNATURE.parse(ts, args)?;
    let Some(offset) = offset.and_then(|offset| offset.downcast::<PyDelta>()) else {
        return raise!(
            ts,
            exc::TypeError,
            "timezone() argument 1 must be datetime.timedelta, not {}",
            offset.map_or("None", |offset| argument_type(offset))
        );
    };
    match name {
        None => make(ts, offset, None),
        Some(name) => match name.downcast::<PyStr>() {
            Some(name) => make(ts, offset, Some(name)),
            None => raise!(ts, exc::TypeError, "timezone() argument 2 must be str, not {}", argument_type(name)),
        },
    }
}

/// How messages about arguments name an object's type.
pub fn argument_type(object: &PyObject) -> &str {
    if is_none(object) { "None" } else { object.type_name() }
}

fn timezone_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    if this.is(UTC.get().as_object()) {
        return Ok(PyStr::intern(ts, "datetime.timezone.utc")?.into_object());
    }
    let zone = this.cast::<PyTimeZone>();
    let offset = protocol::repr(ts, zone.offset().as_object())?;
    let class = this.ob_type().full_name();
    let text = match zone.name.get() {
        None => PyStr::format(ts, format_args!("{class}({})", &*offset))?,
        Some(name) => {
            let name = name.repr(ts)?;
            let mut text = crate::types::str::StrBuilder::with_capacity(64)?;
            text.push_str(class)?;
            text.push_ascii(b"(")?;
            text.push(&offset)?;
            text.push_ascii(b", ")?;
            text.push(&name)?;
            text.push_ascii(b")")?;
            text.finish(ts)?
        }
    };
    Ok(text.into_object())
}
