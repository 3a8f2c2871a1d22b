//! `syslog`: the system's log.
//!
//! The C library keeps a pointer to the program's name. The name is in an object of the interpreter, which closes the
//! log when it ends, so that the pointer never outlives it.

use core::ffi::c_char;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::modules::posix::system::{blocking, int_or, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "syslog",
    doc: "The system's log.",
    methods: &[
        MethodDef::keywords(
            "openlog",
            openlog,
            "openlog($module, /, ident=<unrepresentable>, logoption=0,\n        facility=LOG_USER)\n--\n\nSet what the messages to come are logged with.",
        ),
        MethodDef::no_args("closelog", closelog, "closelog($module, /)\n--\n\nClose the log."),
        MethodDef::positional("syslog", syslog, "syslog([priority=LOG_INFO,] message)\n\nLog a message."),
        MethodDef::one(
            "setlogmask",
            setlogmask,
            "setlogmask($module, maskpri, /)\n--\n\nSet which priorities are logged; returns what was set before.",
        ),
        MethodDef::one("LOG_MASK", log_mask, "LOG_MASK($module, pri, /)\n--\n\nThe mask of a priority."),
        MethodDef::one(
            "LOG_UPTO",
            log_upto,
            "LOG_UPTO($module, pri, /)\n--\n\nThe mask of a priority and all that are more urgent.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static CONSTANTS: &[(&str, i64)] = &[
    ("LOG_ALERT", 1),
    ("LOG_AUTH", 32),
    ("LOG_AUTHPRIV", 80),
    ("LOG_CONS", 2),
    ("LOG_CRIT", 2),
    ("LOG_CRON", 72),
    ("LOG_DAEMON", 24),
    ("LOG_DEBUG", 7),
    ("LOG_EMERG", 0),
    ("LOG_ERR", 3),
    ("LOG_FTP", 88),
    ("LOG_INFO", 6),
    ("LOG_KERN", 0),
    ("LOG_LOCAL0", 128),
    ("LOG_LOCAL1", 136),
    ("LOG_LOCAL2", 144),
    ("LOG_LOCAL3", 152),
    ("LOG_LOCAL4", 160),
    ("LOG_LOCAL5", 168),
    ("LOG_LOCAL6", 176),
    ("LOG_LOCAL7", 184),
    ("LOG_LPR", 48),
    ("LOG_MAIL", 16),
    ("LOG_NDELAY", 8),
    ("LOG_NEWS", 56),
    ("LOG_NOTICE", 5),
    ("LOG_NOWAIT", 16),
    ("LOG_ODELAY", 4),
    ("LOG_PERROR", 32),
    ("LOG_PID", 1),
    ("LOG_SYSLOG", 40),
    ("LOG_USER", 8),
    ("LOG_UUCP", 64),
    ("LOG_WARNING", 4),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &OPEN_LOG_TYPE)?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// The open log, with the name that the C library points to.
#[repr(C)]
struct PyOpenLog {
    ob_base: PyObject,
    /// A bytes object, which ends with a NUL and does not move; none for the C library's own name.
    name: Slot<PyBytes>,
}
crate::native!(PyOpenLog, OPEN_LOG_TYPE);

static OPEN_LOG_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"syslog._open_log",
    basicsize: size_of::<PyOpenLog>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type; closing makes the C library forget the name.
    unsafe {
        libc::closelog();
        (*object).cast_unchecked::<PyOpenLog>().name.set(None);
        alloc::free(ts, object);
    }
}

const STATE: &str = "syslog.open_log";

/// Where the interpreter keeps its open log.
fn states(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    match interp.native_state.get() {
        Some(all) => Ok(all),
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            Ok(all)
        }
    }
}

/// The program's name: the last part of `sys.argv[0]`.
fn program_name(ts: &ThreadState) -> PyResult<Option<Ref<PyStr>>> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(None) };
    let argv = sys.get_str(ts, &*PyStr::intern(ts, "argv")?)?;
    let Some(first) = argv.as_ref().and_then(|argv| argv.downcast::<PyList>()).and_then(|argv| argv.get(0)) else {
        return Ok(None);
    };
    let Some(script) = first.downcast::<PyStr>() else { return Ok(None) };
    let start = script.chars().rev().position(|ch| ch == u32::from(b'/')).map_or(0, |count| script.len() - count);
    if start == script.len() {
        return Ok(None);
    }
    script.slice(ts, start, script.len()).map(Some)
}

fn open(ts: &ThreadState, name: Option<Ref<PyStr>>, option: i32, facility: i32) -> PyResult<()> {
    if ts.interp().id != 0 {
        return raise!(ts, exc::RuntimeError, "subinterpreter can't use syslog.openlog()");
    }
    crate::modules::sys::auditing::event_with(ts, "syslog.openlog", || {
        let name = name.as_ref().map_or_else(|| ts.none(), |name| name.as_object().new_ref());
        Ok([name, PyInt::from_i64(ts, option.into())?, PyInt::from_i64(ts, facility.into())?])
    })?;
    let name = match name {
        Some(name) => Some(PyBytes::new(ts, name.utf8(ts)?.as_bytes())?),
        None => None,
    };
    let log = alloc::exact::<PyOpenLog>(ts)?;
    log.name.set(name);
    let states = states(ts)?;
    let key = PyStr::intern(ts, STATE)?;
    // What was open before is closed first.
    states.remove_str(ts, &key)?;
    states.set_str(ts, &key, log.as_object())?;
    // SAFETY: null or a C string, which lives as long as the log is open.
    unsafe {
        let name = log.name.borrow().map_or(core::ptr::null(), |name| name.data_ptr().cast::<c_char>().cast_const());
        libc::openlog(name, option, facility);
    }
    Ok(())
}

fn openlog(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [name, option, facility] = parse!(ts, args, "openlog", ["ident", "logoption", "facility"], 0, 3, 0);
    let option = int_or(ts, option, 0)?;
    let facility = int_or(ts, facility, libc::LOG_USER)?;
    let name = match name {
        None => program_name(ts)?,
        Some(name) => match name.downcast::<PyStr>() {
            Some(name) => Some(Ref::from_borrowed(name)),
            None => {
                return raise!(ts, exc::TypeError, "openlog() argument 'ident' must be str, not {}", name.type_name());
            }
        },
    };
    open(ts, name, option, facility)?;
    Ok(ts.none())
}

fn closelog(ts: &ThreadState, _: &PyObject) -> PyResult {
    if ts.interp().id != 0 {
        return raise!(ts, exc::RuntimeError, "subinterpreter can't use syslog.closelog()");
    }
    let states = states(ts)?;
    let name = PyStr::intern(ts, STATE)?;
    if states.contains_str(ts, &name)? {
        crate::modules::sys::auditing::event(ts, "syslog.closelog", &[])?;
        states.remove_str(ts, &name)?;
    }
    Ok(ts.none())
}

fn syslog(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let (priority, message) = match args {
        [message] => (libc::LOG_INFO, message),
        [priority, message] => (protocol::as_i32(ts, priority)?, message),
        _ => return raise!(ts, exc::TypeError, "syslog.syslog requires 1 to 2 arguments"),
    };
    let Some(message) = message.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "syslog() argument must be str, not {}", message.type_name());
    };
    if message.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    crate::modules::sys::auditing::event_with(ts, "syslog.syslog", || {
        Ok([PyInt::from_i64(ts, priority.into())?, message.new_ref()])
    })?;
    let mut text = TryVec::<u8>::new();
    text.try_extend_from_copy(message.utf8(ts)?.as_bytes())?;
    text.try_push(0)?;
    if !states(ts)?.contains_str(ts, &*PyStr::intern(ts, STATE)?)? {
        if ts.interp().id != 0 {
            return raise!(
                ts,
                exc::RuntimeError,
                "subinterpreter can't use syslog.syslog() until the syslog is opened by the main interpreter"
            );
        }
        open(ts, program_name(ts)?, 0, libc::LOG_USER)?;
    }
    // SAFETY: the format takes one C string.
    blocking(ts, || unsafe { libc::syslog(priority, c"%s".as_ptr(), text.as_ptr().cast::<c_char>()) });
    Ok(ts.none())
}

fn setlogmask(ts: &ThreadState, _: &PyObject, mask: &PyObject) -> PyResult {
    let mask = protocol::as_i32(ts, mask)?;
    crate::modules::sys::auditing::event_with(ts, "syslog.setlogmask", || Ok([PyInt::from_i64(ts, mask.into())?]))?;
    // SAFETY: a number.
    PyInt::from_i64(ts, unsafe { libc::setlogmask(mask) }.into())
}

fn log_mask(ts: &ThreadState, _: &PyObject, priority: &PyObject) -> PyResult {
    let priority = protocol::as_i32(ts, priority)?;
    PyInt::from_i64(ts, 1i32.wrapping_shl(priority as u32).into())
}

fn log_upto(ts: &ThreadState, _: &PyObject, priority: &PyObject) -> PyResult {
    let priority = protocol::as_i32(ts, priority)?;
    PyInt::from_i64(ts, 1i32.wrapping_shl(priority.wrapping_add(1) as u32).wrapping_sub(1).into())
}
