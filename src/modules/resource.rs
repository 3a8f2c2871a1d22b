//! `resource`: what a process has used, and how much it may use.

use crate::modules::ModuleSpec;
use crate::modules::posix::system::{self, errno, os_error};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "resource",
    doc: "Measuring and limiting what programs use of the system.",
    methods: &[
        MethodDef::one(
            "getrusage",
            getrusage,
            "getrusage($module, who, /)\n--\n\nWhat the process, its children or the thread has used.",
        ),
        MethodDef::one(
            "getrlimit",
            getrlimit,
            "getrlimit($module, resource, /)\n--\n\nThe soft and the hard limit of a resource.",
        ),
        MethodDef::positional(
            "setrlimit",
            setrlimit,
            "setrlimit($module, resource, limits, /)\n--\n\nSet the soft and the hard limit of a resource.",
        ),
        MethodDef::positional(
            "prlimit",
            prlimit,
            "prlimit($module, pid, resource, limits=None, /)\n--\n\nGet, and perhaps set, the limits of a process.",
        ),
        MethodDef::no_args(
            "getpagesize",
            // SAFETY: asks for a number.
            |ts, _| PyInt::from_i64(ts, unsafe { libc::sysconf(libc::_SC_PAGESIZE) }),
            "getpagesize($module, /)\n--\n\nThe size of a page in bytes.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static STRUCT_RUSAGE: StructSeqSpec = StructSeqSpec {
    name: "resource.struct_rusage",
    doc: "What getrusage() returns. The times are in seconds as floats, the rest are ints.",
    fields: &[
        StructSeqField { name: "ru_utime", doc: "user time used" },
        StructSeqField { name: "ru_stime", doc: "system time used" },
        StructSeqField { name: "ru_maxrss", doc: "max. resident set size" },
        StructSeqField { name: "ru_ixrss", doc: "shared memory size" },
        StructSeqField { name: "ru_idrss", doc: "unshared data size" },
        StructSeqField { name: "ru_isrss", doc: "unshared stack size" },
        StructSeqField { name: "ru_minflt", doc: "page faults not requiring I/O" },
        StructSeqField { name: "ru_majflt", doc: "page faults requiring I/O" },
        StructSeqField { name: "ru_nswap", doc: "number of swap outs" },
        StructSeqField { name: "ru_inblock", doc: "block input operations" },
        StructSeqField { name: "ru_oublock", doc: "block output operations" },
        StructSeqField { name: "ru_msgsnd", doc: "IPC messages sent" },
        StructSeqField { name: "ru_msgrcv", doc: "IPC messages received" },
        StructSeqField { name: "ru_nsignals", doc: "signals received" },
        StructSeqField { name: "ru_nvcsw", doc: "voluntary context switches" },
        StructSeqField { name: "ru_nivcsw", doc: "involuntary context switches" },
    ],
    in_sequence: 16,
};

static CONSTANTS: &[(&str, i64)] = &[
    ("RLIMIT_AS", 9),
    ("RLIMIT_CORE", 4),
    ("RLIMIT_CPU", 0),
    ("RLIMIT_DATA", 2),
    ("RLIMIT_FSIZE", 1),
    ("RLIMIT_MEMLOCK", 8),
    ("RLIMIT_MSGQUEUE", 12),
    ("RLIMIT_NICE", 13),
    ("RLIMIT_NOFILE", 7),
    ("RLIMIT_NPROC", 6),
    ("RLIMIT_OFILE", 7),
    ("RLIMIT_RSS", 5),
    ("RLIMIT_RTPRIO", 14),
    ("RLIMIT_RTTIME", 15),
    ("RLIMIT_SIGPENDING", 11),
    ("RLIMIT_STACK", 3),
    ("RLIM_INFINITY", -1),
    ("RUSAGE_CHILDREN", -1),
    ("RUSAGE_SELF", 0),
    ("RUSAGE_THREAD", 1),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "error", exc::OSError.as_object())?;
    module.add(ts, "struct_rusage", structseq::type_of(ts, &STRUCT_RUSAGE)?.as_object())?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

fn getrusage(ts: &ThreadState, _: &PyObject, who: &PyObject) -> PyResult {
    let who = protocol::as_i32(ts, who)?;
    // SAFETY: numbers, which the call fills in.
    let mut usage = unsafe { core::mem::zeroed::<libc::rusage>() };
    // SAFETY: there is room for the result.
    if unsafe { libc::getrusage(who, &raw mut usage) } < 0 {
        return match errno() {
            libc::EINVAL => raise!(ts, exc::ValueError, "invalid who parameter"),
            error => Err(os_error(ts, error)),
        };
    }
    let seconds = |time: libc::timeval| PyFloat::new(ts, time.tv_sec as f64 + time.tv_usec as f64 * 1e-6);
    let int = |value: i64| PyInt::from_i64(ts, value);
    let values = [
        seconds(usage.ru_utime)?,
        seconds(usage.ru_stime)?,
        int(usage.ru_maxrss)?,
        int(usage.ru_ixrss)?,
        int(usage.ru_idrss)?,
        int(usage.ru_isrss)?,
        int(usage.ru_minflt)?,
        int(usage.ru_majflt)?,
        int(usage.ru_nswap)?,
        int(usage.ru_inblock)?,
        int(usage.ru_oublock)?,
        int(usage.ru_msgsnd)?,
        int(usage.ru_msgrcv)?,
        int(usage.ru_nsignals)?,
        int(usage.ru_nvcsw)?,
        int(usage.ru_nivcsw)?,
    ];
    structseq::make(ts, &STRUCT_RUSAGE, &values)
}

/// A resource's number.
fn resource_of(ts: &ThreadState, argument: &PyObject) -> PyResult<libc::__rlimit_resource_t> {
    match protocol::as_i32(ts, argument)? {
        resource @ 0..16 => Ok(resource as libc::__rlimit_resource_t),
        _ => raise!(ts, exc::ValueError, "invalid resource specified"),
    }
}

/// A pair of limits; -1 stands for none, as the largest number does.
fn limits_of(ts: &ThreadState, argument: &PyObject) -> PyResult<libc::rlimit> {
    let pair = protocol::tuple_of(ts, argument)?;
    let [soft, hard] = pair.items() else {
        return raise!(ts, exc::ValueError, "expected a tuple of 2 integers");
    };
    let limit = |value: &PyObject| -> PyResult<u64> { Ok(protocol::index(ts, value)?.to_i64(ts)? as u64) };
    Ok(libc::rlimit { rlim_cur: limit(soft)?, rlim_max: limit(hard)? })
}

fn limits_object(ts: &ThreadState, limits: &libc::rlimit) -> PyResult {
    let pair = [PyInt::from_i64(ts, limits.rlim_cur as i64)?, PyInt::from_i64(ts, limits.rlim_max as i64)?];
    Ok(PyTuple::from_array(ts, pair)?.into_object())
}

fn getrlimit(ts: &ThreadState, _: &PyObject, resource: &PyObject) -> PyResult {
    let resource = resource_of(ts, resource)?;
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: there is room for the result.
    if unsafe { libc::getrlimit(resource, &raw mut limits) } < 0 {
        return Err(os_error(ts, errno()));
    }
    limits_object(ts, &limits)
}

fn setrlimit(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setrlimit", args.len(), 2, 2)?;
    let resource = resource_of(ts, args[0])?;
    let limits = limits_of(ts, args[1])?;
    // SAFETY: the limits are whole.
    if unsafe { libc::setrlimit(resource, &raw const limits) } < 0 {
        return match errno() {
            libc::EINVAL => raise!(ts, exc::ValueError, "current limit exceeds maximum limit"),
            libc::EPERM => raise!(ts, exc::ValueError, "not allowed to raise maximum limit"),
            error => Err(os_error(ts, error)),
        };
    }
    Ok(ts.none())
}

fn prlimit(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "prlimit", args.len(), 2, 3)?;
    let pid = system::int(ts, Some(args[0]))?;
    let resource = resource_of(ts, args[1])?;
    let new = args.get(2).filter(|limits| !is_none(limits)).map(|limits| limits_of(ts, limits)).transpose()?;
    let new = new.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: null or whole limits, and room for the result.
    if unsafe { libc::prlimit(pid, resource, new, &raw mut old) } < 0 {
        return match errno() {
            libc::EINVAL => raise!(ts, exc::ValueError, "current limit exceeds maximum limit"),
            error => Err(os_error(ts, error)),
        };
    }
    limits_object(ts, &old)
}
