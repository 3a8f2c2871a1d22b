//! `_zoneinfo`: `ZoneInfo`, a time zone of the IANA database.
//!
//! ```text
//!  ZoneInfo(key) ──► the last eight, strongly ──► all there are, weakly ──► zoneinfo._tzpath, a file ──► zone
//!       before the first transition │ the file's transitions │ rule: what a POSIX TZ string says of each year
//! ```
//!
//! A zone does not change once it is made; what is read from a file is in `zone`, and knows no Python but the objects that
//! it gives.

mod rule;
mod zone;

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::ops::ControlFlow;

use self::zone::{Info, Moment, Zone};
use super::_datetime::datetime::{PyDateTime, add_delta};
use super::_datetime::tzinfo::TZINFO_TYPE;
use crate::modules::ModuleSpec;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::super_;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_zoneinfo",
    doc: "C implementation of the zoneinfo module",
    methods: &[],
    types: &[&ZONE_INFO_TYPE],
    exec: None,
};

/// Where a zone is from, which says how it is pickled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A call of the class.
    Cache,
    /// `no_cache`.
    NoCache,
    /// `from_file`.
    File,
}

/// A time zone.
#[repr(C)]
struct PyZoneInfo {
    ob_base: PyObject,
    key: Slot<PyObject>,
    /// The `repr` of the file that it was read from, when it has no key.
    file: Slot<PyObject>,
    source: Cell<Source>,
    zone: UnsafeCell<Zone>,
    weakrefs: WeakrefList,
}

crate::native!(PyZoneInfo, ZONE_INFO_TYPE);

static ZONE_INFO_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"zoneinfo.ZoneInfo",
    basicsize: size_of::<PyZoneInfo>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&TZINFO_TYPE),
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        repr: Some(repr),
        str: Some(|ts, this| match info(this).key.get() {
            Some(key) if !is_none(&key) => protocol::str(ts, &key).map(Ref::into_object),
            _ => repr(ts, this),
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "clear_cache",
            clear_cache,
            "clear_cache($type, /, *, only_keys=None)\n--\n\nClear the ZoneInfo cache.",
        )
        .class(),
        MethodDef::keywords(
            "no_cache",
            no_cache,
            "no_cache($type, /, key)\n--\n\nGet a new instance of ZoneInfo, bypassing the cache.",
        )
        .class(),
        MethodDef::keywords(
            "from_file",
            from_file,
            "from_file($type, file_obj, /, key=None)\n--\n\nCreate a ZoneInfo file from a file object.",
        )
        .class(),
        MethodDef::one(
            "utcoffset",
            |ts, this, when| {
                Ok(at_local(ts, this, when)?.map_or_else(|| ts.none(), |info| info.offset.clone().into_object()))
            },
            "utcoffset($self, dt, /)\n--\n\nRetrieve a timedelta representing the UTC offset in a zone at the given datetime.",
        ),
        MethodDef::one(
            "dst",
            |ts, this, when| {
                Ok(at_local(ts, this, when)?.map_or_else(|| ts.none(), |info| info.dst.clone().into_object()))
            },
            "dst($self, dt, /)\n--\n\nRetrieve a timedelta representing the amount of DST applied in a zone at the given datetime.",
        ),
        MethodDef::one(
            "tzname",
            |ts, this, when| Ok(at_local(ts, this, when)?.map_or_else(|| ts.none(), |info| info.name.clone())),
            "tzname($self, dt, /)\n--\n\nRetrieve a string containing the abbreviation for the time zone that applies in a zone at a given datetime.",
        ),
        MethodDef::one(
            "fromutc",
            fromutc,
            "fromutc($self, object, /)\n--\n\nGiven a datetime with local time in UTC, retrieve an adjusted datetime in local time.",
        ),
        MethodDef::no_args(
            "__reduce__",
            reduce,
            "__reduce__($self, /)\n--\n\nFunction for serialization with the pickle protocol.",
        ),
        MethodDef::positional(
            "_unpickle",
            unpickle,
            "_unpickle($type, key, from_cache, /)\n--\n\nPrivate method used in unpickling.",
        )
        .class(),
        MethodDef::keywords("__init_subclass__", init_subclass, "Function to initialize subclasses.").class(),
    ],
    getset: &[GetSetDef::get("key", |ts, this| Ok(info(this).key.get().unwrap_or_else(|| ts.none())), "")],
    weaklistoffset: offset_of!(PyZoneInfo, weakrefs),
    ..TypeSpec::EMPTY
});

fn info(object: &PyObject) -> &PyZoneInfo {
    object.cast()
}

impl PyZoneInfo {
    fn zone(&self) -> &Zone {
        // SAFETY: it is written before anybody sees the object, and never again.
        unsafe { &*self.zone.get() }
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a zone whose count is zero, and its fields are whole.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        clear(ts, &*object);
        core::ptr::drop_in_place(info(&*object).zone.get());
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // The zone's durations and names lead nowhere.
    visitor.slot(&info(object).key)?;
    visitor.slot(&info(object).file)
}

fn clear(_: &ThreadState, object: &PyObject) {
    info(object).key.set(None);
    info(object).file.set(None);
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let name = if core::ptr::eq(this.ob_type(), &raw const ZONE_INFO_TYPE.object) {
        "zoneinfo.ZoneInfo"
    } else {
        this.type_name()
    };
    let zone = info(this);
    let text = match zone.key.get() {
        Some(key) if !is_none(&key) => PyStr::format(ts, format_args!("{name}(key={})", &*protocol::repr(ts, &key)?))?,
        _ => {
            let file = zone.file.get().unwrap_or_else(|| ts.none());
            PyStr::format(ts, format_args!("{name}.from_file({})", &*protocol::str(ts, &file)?))?
        }
    };
    Ok(text.into_object())
}

// ---- Making ----

fn make(ts: &ThreadState, of: &PyTypeObject, file: &PyObject, source: Source) -> PyResult<Ref<PyZoneInfo>> {
    let zone = Zone::load(ts, file)?;
    let made = alloc::object::<PyZoneInfo>(ts, of)?;
    made.source.set(source);
    // SAFETY: the field is written before anybody sees the object; its memory has no value yet.
    unsafe { made.zone.get().write(zone) };
    gc::track(ts, &*made);
    Ok(made)
}

/// A zone by its key, from the file that `zoneinfo` finds, or from the package `tzdata`.
fn make_by_key(ts: &ThreadState, of: &PyTypeObject, key: &PyObject, source: Source) -> PyResult<Ref<PyZoneInfo>> {
    let paths = crate::import::import_module(ts, "zoneinfo._tzpath")?;
    let path = protocol::call_named(ts, &paths, "find_tzfile", &[key])?;
    let file = if is_none(&path) {
        let common = crate::import::import_module(ts, "zoneinfo._common")?;
        protocol::call_named(ts, &common, "load_tzdata", &[key])?
    } else {
        let io = crate::import::import_module(ts, "io")?;
        let mode = PyStr::intern(ts, "rb")?;
        protocol::call_named(ts, &io, "open", &[&path, mode.as_object()])?
    };
    let made = make(ts, of, &file, source);
    let closed = protocol::call_named(ts, &file, "close", &[]);
    let made = match (made, closed) {
        (Ok(made), Ok(_)) => made,
        (Ok(_), Err(raised)) => return Err(raised),
        (Err(raised), Ok(_)) => return Err(raised),
        (Err(first), Err(second)) => {
            // What went wrong first is what is told.
            ts.clear_raised(second);
            return Err(first);
        }
    };
    made.key.set(Some(key.new_ref()));
    Ok(made)
}

fn class(object: &PyObject) -> &PyTypeObject {
    object.cast()
}

fn is_base(of: &PyTypeObject) -> bool {
    core::ptr::eq(of, &raw const ZONE_INFO_TYPE.object)
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("ZoneInfo", ["key"], 0, 1, 1);
    let [key] = SIGNATURE.parse(ts, args)?;
    let key = key.unwrap_or(none());
    if let Some(recent) = recent(ts, of)?
        && let Some(found) = recent.get(ts, key)?
    {
        touch(ts, &recent, key, &found)?;
        return Ok(found);
    }
    let all = weak_cache(ts, of)?;
    let mut found = protocol::call_named(ts, &all, "get", &[key, none()])?;
    if is_none(&found) {
        let made = make_by_key(ts, of, key, Source::Cache)?;
        found = protocol::call_named(ts, &all, "setdefault", &[key, made.as_object()])?;
    }
    if let Some(recent) = self::recent(ts, of)? {
        touch(ts, &recent, key, &found)?;
    }
    Ok(found)
}

fn no_cache(ts: &ThreadState, of: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("no_cache", ["key"], 0, 1, 1);
    let [key] = SIGNATURE.parse(ts, args)?;
    Ok(make_by_key(ts, class(of), key.unwrap_or(none()), Source::NoCache)?.into_object())
}

fn from_file(ts: &ThreadState, of: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("from_file", ["", "key"], 1, 2, 1);
    let [file, key] = SIGNATURE.parse(ts, args)?;
    let file = file.unwrap_or(none());
    let shown = protocol::repr(ts, file)?;
    let made = make(ts, class(of), file, Source::File)?;
    made.file.set(Some(shown.into_object()));
    made.key.set(key.map(AsObject::new_ref));
    Ok(made.into_object())
}

// ---- The caches: all zones that are alive, weakly, for each class; and the last ones of the class itself ----

/// How many zones are kept.
const RECENT: usize = 8;

fn native_state(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    if let Some(all) = interp.native_state.get() {
        return Ok(all);
    }
    let all = PyDict::new(ts)?;
    interp.native_state.set(Some(all.clone()));
    Ok(all)
}

/// The last zones, oldest first; for the class itself only.
fn recent(ts: &ThreadState, of: &PyTypeObject) -> PyResult<Option<Ref<PyDict>>> {
    if !is_base(of) {
        return Ok(None);
    }
    let all = native_state(ts)?;
    let name = PyStr::intern(ts, "_zoneinfo.recent")?;
    if let Some(recent) = all.get_str(ts, &name)?
        && let Ok(recent) = recent.downcast_into::<PyDict>()
    {
        return Ok(Some(recent));
    }
    let recent = PyDict::new(ts)?;
    all.set_str(ts, &name, recent.as_object())?;
    Ok(Some(recent))
}

/// Makes a zone the latest one.
fn touch(ts: &ThreadState, recent: &PyDict, key: &PyObject, zone: &PyObject) -> PyResult<()> {
    drop(recent.remove(ts, key)?);
    recent.set(ts, key, zone)?;
    while recent.len() > RECENT {
        let mut position = 0;
        let Some((oldest, _)) = recent.next(&mut position) else { break };
        drop(recent.remove(ts, &oldest)?);
    }
    Ok(())
}

fn new_weak_cache(ts: &ThreadState) -> PyResult {
    let module = crate::import::import_module(ts, "weakref")?;
    protocol::call_named(ts, &module, "WeakValueDictionary", &[])
}

fn weak_cache(ts: &ThreadState, of: &PyTypeObject) -> PyResult {
    if !is_base(of) {
        return attr::get(ts, of.as_object(), &*PyStr::intern(ts, "_weak_cache")?);
    }
    let all = native_state(ts)?;
    let name = PyStr::intern(ts, "_zoneinfo.all")?;
    if let Some(cache) = all.get_str(ts, &name)? {
        return Ok(cache);
    }
    let cache = new_weak_cache(ts)?;
    all.set_str(ts, &name, &cache)?;
    Ok(cache)
}

fn init_subclass(ts: &ThreadState, of: &PyObject, args: Args<'_>) -> PyResult {
    let (parent, _) = super_::lookup(ts, &ZONE_INFO_TYPE, of, id!(__init_subclass__), false)?;
    call::call(ts, &parent, args)?;
    let cache = new_weak_cache(ts)?;
    attr::set(ts, of, &*PyStr::intern(ts, "_weak_cache")?, &cache)?;
    Ok(ts.none())
}

fn clear_cache(ts: &ThreadState, of: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("clear_cache", ["only_keys"], 0, 0, 0);
    let [keys] = SIGNATURE.parse(ts, args)?;
    let all = weak_cache(ts, class(of))?;
    let recent = recent(ts, class(of))?;
    match keys.filter(|keys| !is_none(keys)) {
        None => {
            protocol::call_named(ts, &all, "clear", &[])?;
            if let Some(recent) = recent {
                recent.clear(ts);
            }
        }
        Some(keys) => {
            for key in PyTuple::from_iterable(ts, keys)?.items() {
                if let Some(recent) = &recent {
                    drop(recent.remove(ts, key)?);
                }
                protocol::call_named(ts, &all, "pop", &[key, none()])?;
            }
        }
    }
    Ok(ts.none())
}

// ---- Pickling ----

fn reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let source = info(this).source.get();
    if source == Source::File {
        let pickle = crate::import::import_module(ts, "pickle")?;
        let error = attr::get(ts, &pickle, &*PyStr::intern(ts, "PicklingError")?)?;
        let text = PyStr::new(ts, "Cannot pickle a ZoneInfo file from a file stream.")?;
        let error = call::call_with(ts, &error, &[text.as_object()])?;
        return Err(ts.raise(error));
    }
    let maker = attr::get(ts, this.ob_type().as_object(), &*PyStr::intern(ts, "_unpickle")?)?;
    let key = info(this).key.get().unwrap_or_else(|| ts.none());
    let cached = PyInt::from_i64(ts, i64::from(source == Source::Cache))?;
    let arguments = PyTuple::from_array(ts, [key, cached])?;
    Ok(PyTuple::from_array(ts, [maker, arguments.into_object()])?.into_object())
}

fn unpickle(ts: &ThreadState, of: &PyObject, args: &[&PyObject]) -> PyResult {
    let &[key, cached] = args else {
        return raise!(ts, exc::TypeError, "_unpickle expected 2 arguments, got {}", args.len());
    };
    if protocol::as_isize(ts, cached)? != 0 {
        return call::call_with(ts, of, &[key]);
    }
    Ok(make_by_key(ts, class(of), key, Source::NoCache)?.into_object())
}

// ---- Asking ----

/// The local time of a datetime, or of what has its attributes.
fn moment(ts: &ThreadState, when: &PyObject) -> PyResult<Moment> {
    if let Some(when) = when.downcast::<PyDateTime>() {
        let (date, time) = (when.ymd(), when.hms());
        let days = i64::from(date.ordinal() - super::_datetime::calendar::EPOCH_ORDINAL);
        let seconds = days * 86_400 + i64::from(time.hour * 3600 + time.minute * 60 + time.second);
        return Ok(Moment { seconds, fold: when.fold(), year: date.year.into() });
    }
    let number = |name: &str| -> PyResult<i64> {
        let value: PyRef = attr::get(ts, when, &*PyStr::intern(ts, name)?)?;
        Ok(protocol::as_isize(ts, &value)? as i64)
    };
    let days = protocol::call_named(ts, when, "toordinal", &[])?;
    let days = protocol::as_isize(ts, &days)? as i64 - i64::from(super::_datetime::calendar::EPOCH_ORDINAL);
    let seconds = days * 86_400 + number("hour")? * 3600 + number("minute")? * 60 + number("second")?;
    Ok(Moment { seconds, fold: number("fold")? != 0, year: number("year")? })
}

fn at_local<'a>(ts: &ThreadState, this: &'a PyObject, when: &PyObject) -> PyResult<Option<&'a Info>> {
    let zone = info(this).zone();
    if is_none(when) {
        return Ok(zone.always());
    }
    Ok(zone.at_local(moment(ts, when)?))
}

fn fromutc(ts: &ThreadState, this: &PyObject, when: &PyObject) -> PyResult {
    let Some(utc) = when.downcast::<PyDateTime>() else {
        return raise!(ts, exc::TypeError, "fromutc: argument must be a datetime instance");
    };
    if !utc.tzinfo().is_some_and(|zone| zone.is(this)) {
        return raise!(ts, exc::ValueError, "fromutc: dt.tzinfo is not self");
    }
    let Some((found, fold)) = info(this).zone().at_utc(moment(ts, when)?) else {
        return raise!(ts, exc::ValueError, "fromutc: nothing is known of that time");
    };
    let local = add_delta(ts, utc, &found.offset, 1)?;
    if !fold {
        return Ok(local);
    }
    match local.downcast::<PyDateTime>() {
        // Nobody else has seen it.
        Some(exact) if local.downcast_exact::<PyDateTime>().is_some() => {
            exact.set_fold(true);
            Ok(local)
        }
        _ => {
            let replace = attr::get(ts, &local, &*PyStr::intern(ts, "replace")?)?;
            let one = PyInt::from_i64(ts, 1)?;
            let names = PyTuple::from_array(ts, [PyStr::intern(ts, "fold")?.into_object()])?;
            call::call(ts, &replace, Args::new(&[&one], Some(&names)))
        }
    }
}
