//! The functions behind `datetime.h`: they are not exported, C finds them through the capsule
//! `datetime.datetime_CAPI`, whose pointer is to the table here.

use core::ffi::{CStr, c_int, c_void};

use super::convert::guard;
use crate::modules::_datetime::calendar::Ymd;
use crate::modules::_datetime::construct;
use crate::modules::_datetime::date::{self, DATE_TYPE};
use crate::modules::_datetime::datetime::{DATETIME_TYPE, PyDateTime};
use crate::modules::_datetime::delta::{DELTA_TYPE, PyDelta};
use crate::modules::_datetime::text::Hms;
use crate::modules::_datetime::time::{PyTime, TIME_TYPE, fold_argument};
use crate::modules::_datetime::tzinfo::{self, PyTimeZone, TZINFO_TYPE, zone_argument};
use crate::object::{Args, PyObject, PyRef, PyResult, PyTypeObject, Ref, StaticType, call, protocol};
use crate::state::ThreadState;
use crate::types::capsule::PyCapsule;
use crate::types::dict::PyDict;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The name under which C imports the capsule.
const NAME: &CStr = c"datetime.datetime_CAPI";

type Type = *mut PyTypeObject;
type Object = *mut PyObject;

/// C's `PyDateTime_CAPI`.
#[repr(C)]
struct DateTimeApi {
    date_type: *const StaticType,
    datetime_type: *const StaticType,
    time_type: *const StaticType,
    delta_type: *const StaticType,
    tzinfo_type: *const StaticType,
    timezone_utc: *const PyTimeZone,
    date_from_date: unsafe extern "C" fn(c_int, c_int, c_int, Type) -> Object,
    datetime_from_date_and_time:
        unsafe extern "C" fn(c_int, c_int, c_int, c_int, c_int, c_int, c_int, Object, Type) -> Object,
    time_from_time: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Object, Type) -> Object,
    delta_from_delta: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Type) -> Object,
    timezone_from_timezone: unsafe extern "C" fn(Object, Object) -> Object,
    datetime_from_timestamp: unsafe extern "C" fn(Object, Object, Object) -> Object,
    date_from_timestamp: unsafe extern "C" fn(Object, Object) -> Object,
    datetime_from_date_and_time_and_fold:
        unsafe extern "C" fn(c_int, c_int, c_int, c_int, c_int, c_int, c_int, Object, c_int, Type) -> Object,
    time_from_time_and_fold: unsafe extern "C" fn(c_int, c_int, c_int, c_int, Object, c_int, Type) -> Object,
}

// SAFETY: a table of addresses that never changes; types and UTC are the same for all interpreters.
unsafe impl Sync for DateTimeApi {}

static API: DateTimeApi = DateTimeApi {
    date_type: &DATE_TYPE,
    datetime_type: &DATETIME_TYPE,
    time_type: &TIME_TYPE,
    delta_type: &DELTA_TYPE,
    tzinfo_type: &TZINFO_TYPE,
    timezone_utc: tzinfo::UTC.get(),
    date_from_date,
    datetime_from_date_and_time,
    time_from_time,
    delta_from_delta,
    timezone_from_timezone,
    datetime_from_timestamp,
    date_from_timestamp,
    datetime_from_date_and_time_and_fold,
    time_from_time_and_fold,
};

/// The capsule, for the module.
pub fn capsule(ts: &ThreadState) -> PyResult<Ref<PyCapsule>> {
    let table = core::ptr::from_ref(&API).cast_mut().cast::<c_void>();
    PyCapsule::new(ts, table, NAME.as_ptr(), None)
}

/// # Safety
/// The pointer is to a live type.
unsafe fn class<'a>(of: Type) -> &'a PyTypeObject {
    // SAFETY: the caller's promise.
    unsafe { &*of }
}

/// # Safety
/// The pointer is to a live object, or null.
unsafe fn zone<'a>(ts: &ThreadState, zone: Object) -> PyResult<Option<&'a PyObject>> {
    // SAFETY: the caller's promise.
    zone_argument(ts, unsafe { zone.as_ref() })
}

unsafe extern "C" fn date_from_date(year: c_int, month: c_int, day: c_int, of: Type) -> Object {
    guard::<PyRef>("PyDate_FromDate", |ts| {
        // SAFETY: C passes a type that is `date` or derives from it.
        let of = unsafe { class(of) };
        Ok(date::make(ts, of, Ymd::new(year, month, day))?.into_object())
    })
}

unsafe extern "C" fn datetime_from_date_and_time(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    tzinfo: Object,
    of: Type,
) -> Object {
    // SAFETY: the same arguments, and a fold.
    unsafe { datetime_from_date_and_time_and_fold(year, month, day, hour, minute, second, micro, tzinfo, 0, of) }
}

unsafe extern "C" fn datetime_from_date_and_time_and_fold(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    tzinfo: Object,
    fold: c_int,
    of: Type,
) -> Object {
    guard::<PyRef>("PyDateTime_FromDateAndTimeAndFold", |ts| {
        // SAFETY: C passes a type that is `datetime` or derives from it, and an object or null.
        let (of, zone) = unsafe { (class(of), zone(ts, tzinfo)?) };
        let (date, time) = (Ymd::new(year, month, day), Hms { hour, minute, second, micro });
        let fold = fold_argument(ts, fold)?;
        Ok(PyDateTime::new(ts, of, date, time, zone, fold)?.into_object())
    })
}

unsafe extern "C" fn time_from_time(
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    tzinfo: Object,
    of: Type,
) -> Object {
    // SAFETY: the same arguments, and a fold.
    unsafe { time_from_time_and_fold(hour, minute, second, micro, tzinfo, 0, of) }
}

unsafe extern "C" fn time_from_time_and_fold(
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    tzinfo: Object,
    fold: c_int,
    of: Type,
) -> Object {
    guard::<PyRef>("PyTime_FromTimeAndFold", |ts| {
        // SAFETY: C passes a type that is `time` or derives from it, and an object or null.
        let (of, zone) = unsafe { (class(of), zone(ts, tzinfo)?) };
        let fold = fold_argument(ts, fold)?;
        Ok(PyTime::new(ts, of, Hms { hour, minute, second, micro }, zone, fold)?.into_object())
    })
}

/// The last argument but one says whether the numbers are to be brought into their ranges; they always are.
unsafe extern "C" fn delta_from_delta(days: c_int, seconds: c_int, micros: c_int, _: c_int, of: Type) -> Object {
    guard::<PyRef>("PyDelta_FromDSU", |ts| {
        // SAFETY: C passes a type that is `timedelta` or derives from it.
        let of = unsafe { class(of) };
        Ok(PyDelta::new_of(ts, of, days.into(), seconds.into(), micros.into())?.into_object())
    })
}

unsafe extern "C" fn timezone_from_timezone(offset: Object, name: Object) -> Object {
    guard::<PyRef>("PyTimeZone_FromOffsetAndName", |ts| {
        // SAFETY: C passes live objects; the name may be null.
        let (offset, name) = unsafe { (offset.as_ref(), name.as_ref()) };
        let Some(offset) = offset.and_then(|offset| offset.downcast::<PyDelta>()) else {
            return super::convert::bad_internal_call(ts, "PyTimeZone_FromOffsetAndName");
        };
        match name {
            None => tzinfo::make(ts, offset, None),
            Some(name) => match name.downcast::<PyStr>() {
                Some(name) => tzinfo::make(ts, offset, Some(name)),
                None => super::convert::bad_internal_call(ts, "PyTimeZone_FromOffsetAndName"),
            },
        }
    })
}

unsafe extern "C" fn datetime_from_timestamp(class: Object, args: Object, keywords: Object) -> Object {
    guard::<PyRef>("PyDateTime_FromTimestamp", |ts| {
        // SAFETY: C passes live objects; the keywords may be null.
        let (class, args, keywords) = unsafe { (class.as_ref(), args.as_ref(), keywords.as_ref()) };
        let Some((class, args)) = class.zip(args.and_then(|args| args.downcast::<PyTuple>())) else {
            return super::convert::bad_internal_call(ts, "PyDateTime_FromTimestamp");
        };
        match keywords.and_then(|keywords| keywords.downcast::<PyDict>()) {
            None => construct::fromtimestamp(ts, class, Args::positional_only(args.items())),
            Some(keywords) => {
                let name = PyStr::intern(ts, "fromtimestamp")?;
                let method = crate::object::attr::get(ts, class, &name)?;
                call::call_tuple_dict(ts, &method, args, Some(keywords))
            }
        }
    })
}

unsafe extern "C" fn date_from_timestamp(class: Object, args: Object) -> Object {
    guard::<PyRef>("PyDate_FromTimestamp", |ts| {
        // SAFETY: C passes live objects.
        let (class, args) = unsafe { (class.as_ref(), args.as_ref()) };
        let Some((class, args)) = class.zip(args.and_then(|args| args.downcast::<PyTuple>())) else {
            return super::convert::bad_internal_call(ts, "PyDate_FromTimestamp");
        };
        protocol::call_named(ts, class, "fromtimestamp", args.items())
    })
}
