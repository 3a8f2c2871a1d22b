//! `time`: a time of day, with a zone or without.

use core::cell::Cell;

use super::delta::{MICROS, PyDelta};
use super::format::{self, Formatted};
use super::text::{self, Hms, Text, TimeSpec, write_offset};
use super::tzinfo::{PyTzInfo, dst, or_none, utc_offset, zone_argument, zone_name};
use super::{int_or, pickled_state, zone_of};
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot,
    StaticType, TypeSlots, TypeSpec, ValueDef, alloc, call, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::hash::hash_bytes;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// A time of day; C's `PyDateTime_Time`.
#[repr(C)]
pub struct PyTime {
    ob_base: PyObject,
    hashcode: Cell<isize>,
    hastzinfo: Cell<u8>,
    /// Hour, minute, second, and the microsecond in three bytes, the largest first.
    data: [Cell<u8>; 6],
    fold: Cell<u8>,
    tzinfo: Slot<PyObject>,
}

crate::native!(PyTime, TIME_TYPE);
owns!(PyTime: tzinfo);

/// `datetime.time`.
pub static TIME_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"datetime.time",
    basicsize: size_of::<PyTime>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    doc: "time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object\n\nAll arguments are optional. tzinfo may be None, or an instance of\na tzinfo subclass. The remaining arguments may be ints.",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(PyTime::slot_dealloc),
        traverse: Some(PyTime::slot_traverse),
        repr: Some(repr),
        str: Some(|ts, this| call::call_method(ts, this, &*PyStr::intern(ts, "isoformat")?, &[])),
        hash: Some(hash),
        richcompare: Some(compare),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "strptime",
            |ts, class, args| format::strptime(ts, class, args, "_strptime_datetime_time"),
            "string, format -> new time parsed from a string (like time.strptime()).",
        )
        .class(),
        MethodDef::keywords(
            "isoformat",
            isoformat,
            "Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].\n\nThe optional argument timespec specifies the number of additional terms\nof the time to include. Valid options are 'auto', 'hours', 'minutes',\n'seconds', 'milliseconds' and 'microseconds'.",
        ),
        MethodDef::keywords("strftime", strftime, "format -> strftime() style string."),
        MethodDef::one("__format__", format::format, "Formats self with strftime."),
        MethodDef::no_args(
            "utcoffset",
            |ts, this| Ok(or_none(ts, this.cast::<PyTime>().offset(ts)?)),
            "Return self.tzinfo.utcoffset(self).",
        ),
        MethodDef::no_args(
            "tzname",
            |ts, this| {
                let zone = this.cast::<PyTime>().tzinfo();
                Ok(zone_name(ts, zone.as_deref(), none())?.map_or_else(|| ts.none(), Ref::into_object))
            },
            "Return self.tzinfo.tzname(self).",
        ),
        MethodDef::no_args(
            "dst",
            |ts, this| Ok(or_none(ts, dst(ts, this.cast::<PyTime>().tzinfo().as_deref(), none())?)),
            "Return self.tzinfo.dst(self).",
        ),
        MethodDef::keywords(
            "replace",
            replace,
            "replace($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n        microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)\n--\n\nReturn time with new specified fields.",
        ),
        MethodDef::keywords(
            "__replace__",
            replace,
            "__replace__($self, /, hour=unchanged, minute=unchanged, second=unchanged,\n            microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)\n--\n\nThe same as replace().",
        ),
        MethodDef::one("fromisoformat", fromisoformat, "string -> time from a string in ISO 8601 format").class(),
        MethodDef::one(
            "__reduce_ex__",
            |ts, this, protocol| reduced(ts, this, super::c_int(ts, protocol)?),
            "__reduce_ex__(proto) -> (cls, state)",
        ),
        MethodDef::no_args("__reduce__", |ts, this| reduced(ts, this, 2), "__reduce__() -> (cls, state)"),
    ],
    getset: &[
        GetSetDef::get("hour", |ts, this| PyInt::from_i64(ts, this.cast::<PyTime>().hms().hour.into()), ""),
        GetSetDef::get("minute", |ts, this| PyInt::from_i64(ts, this.cast::<PyTime>().hms().minute.into()), ""),
        GetSetDef::get("second", |ts, this| PyInt::from_i64(ts, this.cast::<PyTime>().hms().second.into()), ""),
        GetSetDef::get("microsecond", |ts, this| PyInt::from_i64(ts, this.cast::<PyTime>().hms().micro.into()), ""),
        GetSetDef::get("tzinfo", |ts, this| Ok(this.cast::<PyTime>().tzinfo().unwrap_or_else(|| ts.none())), ""),
        GetSetDef::get("fold", |ts, this| PyInt::from_i64(ts, this.cast::<PyTime>().fold().into()), ""),
    ],
    values: &[
        ValueDef {
            name: "min",
            make: |ts| Ok(PyTime::new(ts, &TIME_TYPE, Hms::default(), None, false)?.into_object()),
        },
        ValueDef {
            name: "max",
            make: |ts| {
                let last = Hms { hour: 23, minute: 59, second: 59, micro: 999_999 };
                Ok(PyTime::new(ts, &TIME_TYPE, last, None, false)?.into_object())
            },
        },
        ValueDef { name: "resolution", make: |ts| Ok(PyDelta::new(ts, 0, 0, 1)?.into_object()) },
    ],
    ..TypeSpec::EMPTY
});

/// Checks a time's numbers. Raises ValueError.
pub fn check(ts: &ThreadState, time: Hms) -> PyResult<()> {
    for (name, value, last) in [
        ("hour", time.hour, 23),
        ("minute", time.minute, 59),
        ("second", time.second, 59),
        ("microsecond", time.micro, 999_999),
    ] {
        if !(0..=last).contains(&value) {
            return raise!(ts, exc::ValueError, "{name} must be in 0..{last}, not {value}");
        }
    }
    Ok(())
}

/// Checks a fold. Raises ValueError.
pub fn fold_argument(ts: &ThreadState, fold: i32) -> PyResult<bool> {
    match fold {
        0 => Ok(false),
        1 => Ok(true),
        _ => raise!(ts, exc::ValueError, "fold must be either 0 or 1, not {fold}"),
    }
}

/// The six bytes of a time.
pub fn pack(time: Hms) -> [u8; 6] {
    let Hms { hour, minute, second, micro } = time;
    [hour as u8, minute as u8, second as u8, (micro >> 16) as u8, (micro >> 8) as u8, micro as u8]
}

/// The time of six bytes.
pub fn unpack(bytes: [u8; 6]) -> Hms {
    let [hour, minute, second, a, b, c] = bytes.map(i32::from);
    Hms { hour, minute, second, micro: a << 16 | b << 8 | c }
}

impl PyTime {
    /// A time of exactly that type. Raises ValueError.
    pub fn new(
        ts: &ThreadState,
        of: &PyTypeObject,
        time: Hms,
        zone: Option<&PyObject>,
        fold: bool,
    ) -> PyResult<Ref<PyTime>> {
        check(ts, time)?;
        PyTime::of_bytes(ts, of, pack(time), zone, fold)
    }

    fn of_bytes(
        ts: &ThreadState,
        of: &PyTypeObject,
        bytes: [u8; 6],
        zone: Option<&PyObject>,
        fold: bool,
    ) -> PyResult<Ref<PyTime>> {
        let made = alloc::object::<PyTime>(ts, of)?;
        made.hashcode.set(-1);
        for (place, byte) in made.data.iter().zip(bytes) {
            place.set(byte);
        }
        made.fold.set(fold.into());
        made.hastzinfo.set(zone.is_some().into());
        made.tzinfo.set(zone.map(AsObject::new_ref));
        // Only a zone, or what a subclass adds, can lead back to the object.
        if zone.is_some() || of.is_heap_type() {
            gc::track(ts, &*made);
        }
        Ok(made)
    }

    fn bytes(&self) -> [u8; 6] {
        let mut bytes = [0; 6];
        bytes.iter_mut().zip(&self.data).for_each(|(byte, place)| *byte = place.get());
        bytes
    }

    /// The numbers.
    pub fn hms(&self) -> Hms {
        unpack(self.bytes())
    }

    /// Whether it is the second one of two equal times.
    pub fn fold(&self) -> bool {
        self.fold.get() != 0
    }

    /// The zone.
    pub fn tzinfo(&self) -> Option<PyRef> {
        self.tzinfo.get()
    }

    fn offset(&self, ts: &ThreadState) -> PyResult<Option<Ref<PyDelta>>> {
        utc_offset(ts, self.tzinfo().as_deref(), none())
    }

    /// The time as a duration since midnight.
    fn since_midnight(&self, ts: &ThreadState) -> PyResult<Ref<PyDelta>> {
        let time = self.hms();
        PyDelta::new(ts, 0, time.seconds(), time.micro.into())
    }
}

/// A time of a class, by calling the class when it is a subclass.
fn make_by_class(ts: &ThreadState, class: &PyObject, time: Hms, zone: Option<&PyObject>, fold: bool) -> PyResult {
    if class.is(TIME_TYPE.as_object()) {
        return Ok(PyTime::new(ts, &TIME_TYPE, time, zone, fold)?.into_object());
    }
    let arguments = [
        PyInt::from_i64(ts, time.hour.into())?,
        PyInt::from_i64(ts, time.minute.into())?,
        PyInt::from_i64(ts, time.second.into())?,
        PyInt::from_i64(ts, time.micro.into())?,
        zone.map_or_else(|| ts.none(), AsObject::new_ref),
    ];
    let made = call::call_with(ts, class, call::borrow_all(&arguments))?;
    if let Some(made) = made.downcast::<PyTime>() {
        made.fold.set(fold.into());
    }
    Ok(made)
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let positional = args.positional();
    if let [state] | [state, _] = positional
        && let Some(mut bytes) = pickled_state::<6>(ts, state, "time", |bytes| bytes[0] & 0x7f < 24)?
    {
        let zone = positional.get(1).copied().filter(|zone| !is_none(zone));
        if zone.is_some_and(|zone| !zone.is_a::<PyTzInfo>()) {
            return raise!(ts, exc::TypeError, "bad tzinfo state arg");
        }
        let fold = bytes[0] & 0x80 != 0;
        bytes[0] &= 0x7f;
        return Ok(PyTime::of_bytes(ts, of, bytes, zone, fold)?.into_object());
    }
    static SIGNATURE: Signature<6> =
        Signature::new("function", ["hour", "minute", "second", "microsecond", "tzinfo", "fold"], 0, 5, 0);
    let [hour, minute, second, micro, zone, fold] = SIGNATURE.parse(ts, args)?;
    let time = Hms {
        hour: int_or(ts, hour, 0)?,
        minute: int_or(ts, minute, 0)?,
        second: int_or(ts, second, 0)?,
        micro: int_or(ts, micro, 0)?,
    };
    let fold = int_or(ts, fold, 0)?;
    let zone = zone_argument(ts, zone)?;
    check(ts, time)?;
    let fold = fold_argument(ts, fold)?;
    Ok(PyTime::new(ts, of, time, zone, fold)?.into_object())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let time = this.cast::<PyTime>();
    let Hms { hour, minute, second, micro } = time.hms();
    let mut text = StrBuilder::with_capacity(64)?;
    text.push_str(this.ob_type().full_name())?;
    let mut numbers = Text::<40>::new();
    match (second, micro) {
        (0, 0) => numbers.write(format_args!("({hour}, {minute}")),
        (_, 0) => numbers.write(format_args!("({hour}, {minute}, {second}")),
        _ => numbers.write(format_args!("({hour}, {minute}, {second}, {micro}")),
    }
    text.push_ascii(numbers.as_bytes())?;
    if let Some(zone) = time.tzinfo() {
        text.push_ascii(b", tzinfo=")?;
        text.push_repr(ts, &zone)?;
    }
    text.push_ascii(if time.fold() { b", fold=1)" } else { b")" })?;
    Ok(text.finish(ts)?.into_object())
}

fn isoformat(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("isoformat", ["timespec"], 0, 1, 0);
    let [spec] = SIGNATURE.parse(ts, args)?;
    let spec: TimeSpec = format::time_spec(ts, spec)?;
    let time = this.cast::<PyTime>();
    let mut text = Text::<48>::new();
    time.hms().write(&mut text, spec);
    if let Some(offset) = time.offset(ts)? {
        write_offset(&mut text, offset.total_microseconds(), ":");
    }
    Ok(PyStr::from_ascii(ts, text.as_bytes())?.into_object())
}

fn strftime(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("strftime", ["format"], 0, 1, 1);
    let [format] = SIGNATURE.parse(ts, args)?;
    let format = format::format_argument(ts, "strftime", format.unwrap_or(this))?;
    let time = this.cast::<PyTime>();
    let hms = time.hms();
    let mut items = hognose_allocators::collections::TryVec::<PyRef>::try_with_capacity(9)?;
    for part in [1900, 1, 1, hms.hour, hms.minute, hms.second, 0, 1, -1] {
        items.try_push(PyInt::from_i64(ts, part.into())?)?;
    }
    let tuple = PyTuple::from_vec(ts, items)?;
    let formatted = Formatted { year: 1900, month: 1, day: 1, micro: hms.micro, zone: time.tzinfo(), when: none() };
    formatted.strftime(ts, format, tuple.as_object())
}

fn replace(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<6> =
        Signature::new("replace", ["hour", "minute", "second", "microsecond", "tzinfo", "fold"], 0, 5, 0);
    let [hour, minute, second, micro, zone, fold] = SIGNATURE.parse(ts, args)?;
    let own = this.cast::<PyTime>();
    let old = own.hms();
    let time = Hms {
        hour: int_or(ts, hour, old.hour)?,
        minute: int_or(ts, minute, old.minute)?,
        second: int_or(ts, second, old.second)?,
        micro: int_or(ts, micro, old.micro)?,
    };
    let fold = fold_argument(ts, int_or(ts, fold, own.fold().into())?)?;
    let kept = own.tzinfo();
    let zone = zone_argument(ts, zone.or(kept.as_deref()))?;
    make_by_class(ts, this.ob_type().as_object(), time, zone, fold)
}

fn fromisoformat(ts: &ThreadState, class: &PyObject, text: &PyObject) -> PyResult {
    let chars = format::characters(ts, text)?;
    // A time of ISO 8601 may begin with a T.
    let clock = if chars.first() == Some(&u32::from('T')) { &chars[1..] } else { &chars[..] };
    let Some(parsed) = text::parse_time(clock) else { return format::invalid(ts, text) };
    let Hms { hour, minute, second, micro: _ } = parsed.time;
    if hour > 23 || minute > 59 || second > 59 {
        return format::invalid(ts, text);
    }
    let zone = zone_of(ts, parsed.zone)?;
    make_by_class(ts, class, parsed.time, zone.as_deref(), false)
}

fn reduced(ts: &ThreadState, this: &PyObject, protocol: i32) -> PyResult {
    let time = this.cast::<PyTime>();
    let mut bytes = time.bytes();
    if protocol > 3 && time.fold() {
        bytes[0] |= 0x80;
    }
    let state = PyBytes::new(ts, &bytes)?.into_object();
    let arguments = match time.tzinfo() {
        Some(zone) => PyTuple::from_array(ts, [state, zone])?,
        None => PyTuple::from_array(ts, [state])?,
    };
    Ok(PyTuple::from_array(ts, [this.ob_type().new_ref(), arguments.into_object()])?.into_object())
}

fn hash(ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    let time = this.cast::<PyTime>();
    if time.hashcode.get() != -1 {
        return Ok(time.hashcode.get());
    }
    // Equal times have equal hashes, whichever of two they are.
    let offset = if time.fold() {
        let first = PyTime::new(ts, &TIME_TYPE, time.hms(), time.tzinfo().as_deref(), false)?;
        first.offset(ts)?
    } else {
        time.offset(ts)?
    };
    let hash = match offset {
        None => hash_bytes(&time.bytes()),
        Some(offset) => time.since_midnight(ts)?.plus(ts, &offset, -1)?.hash_value(),
    };
    time.hashcode.set(hash);
    Ok(hash)
}

fn compare(ts: &ThreadState, a: &PyObject, b: &PyObject, op: CompareOp) -> PyResult {
    let (Some(left), Some(right)) = (a.downcast::<PyTime>(), b.downcast::<PyTime>()) else {
        return Ok(not_implemented());
    };
    let by_bytes = || Ok(py_bool(op.holds(left.bytes().cmp(&right.bytes()))));
    let same_zone = match (left.tzinfo(), right.tzinfo()) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is(&b),
        _ => false,
    };
    if same_zone {
        return by_bytes();
    }
    match (left.offset(ts)?, right.offset(ts)?) {
        (None, None) => by_bytes(),
        (Some(a), Some(b)) => {
            if a.compare(&b).is_eq() {
                return by_bytes();
            }
            let moment = |time: &PyTime, offset: &PyDelta| {
                let hms = time.hms();
                i128::from(hms.seconds() * MICROS + i64::from(hms.micro)) - offset.total_microseconds()
            };
            Ok(py_bool(op.holds(moment(left, &a).cmp(&moment(right, &b)))))
        }
        _ => match op {
            CompareOp::Eq => Ok(py_bool(false)),
            CompareOp::Ne => Ok(py_bool(true)),
            _ => raise!(ts, exc::TypeError, "can't compare offset-naive and offset-aware times"),
        },
    }
}
