//! The struct sequences and namespaces of `sys`.

use crate::id;
use crate::object::{self, *};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};

/// `sys.version`: CPython's form, so that what parses it goes on working.
pub const VERSION: &str = "3.14.0 (main, Jan  1 2026, 00:00:00) [Rust]";
/// `sys.hexversion`.
pub const HEX_VERSION: i64 = 0x030e_00f0;

const fn fields<const N: usize>(names: [&'static str; N]) -> [StructSeqField; N] {
    let mut fields = [StructSeqField { name: "", doc: "" }; N];
    let mut index = 0;
    while index < N {
        fields[index].name = names[index];
        index += 1;
    }
    fields
}

macro_rules! record {
    ($name:ident, $full:literal, $doc:literal, [$($field:literal),* $(,)?]) => {
        record!($name, $full, $doc, [$($field),*], [$($field),*].len());
    };
    // Fields past the given number are attributes, not items.
    ($name:ident, $full:literal, $doc:literal, [$($field:literal),* $(,)?], $items:expr) => {
        static $name: StructSeqSpec = StructSeqSpec {
            name: $full,
            doc: $doc,
            fields: &fields([$($field),*]),
            in_sequence: $items,
        };
    };
}

record!(
    VERSION_INFO,
    "sys.version_info",
    "sys.version_info\n\nVersion information as a named tuple.",
    ["major", "minor", "micro", "releaselevel", "serial"]
);
record!(
    FLAGS,
    "sys.flags",
    "sys.flags\n\nFlags provided through command line arguments or environment vars.",
    [
        "debug",
        "inspect",
        "interactive",
        "optimize",
        "dont_write_bytecode",
        "no_user_site",
        "no_site",
        "ignore_environment",
        "verbose",
        "bytes_warning",
        "quiet",
        "hash_randomization",
        "isolated",
        "dev_mode",
        "utf8_mode",
        "warn_default_encoding",
        "safe_path",
        "int_max_str_digits",
        "gil",
        "thread_inherit_context",
        "context_aware_warnings"
    ],
    18
);
record!(
    FLOAT_INFO,
    "sys.float_info",
    "sys.float_info\n\nA named tuple holding information about the float type.",
    ["max", "max_exp", "max_10_exp", "min", "min_exp", "min_10_exp", "dig", "mant_dig", "epsilon", "radix", "rounds"]
);
record!(
    INT_INFO,
    "sys.int_info",
    "sys.int_info\n\nA named tuple that holds information about Python's internal representation of integers.",
    ["bits_per_digit", "sizeof_digit", "default_max_str_digits", "str_digits_check_threshold"]
);
record!(
    HASH_INFO,
    "sys.hash_info",
    "hash_info\n\nA named tuple providing parameters used for computing hashes.",
    ["width", "modulus", "inf", "nan", "imag", "algorithm", "hash_bits", "seed_bits", "cutoff"]
);
record!(
    THREAD_INFO,
    "sys.thread_info",
    "sys.thread_info\n\nA named tuple holding information about the thread implementation.",
    ["name", "lock", "version"]
);
record!(ASYNCGEN_HOOKS, "asyncgen_hooks", "", ["firstiter", "finalizer"]);

fn int(ts: &ThreadState, value: i64) -> PyResult {
    PyInt::from_i64(ts, value)
}

fn text(ts: &ThreadState, value: &str) -> PyResult {
    Ok(PyStr::new(ts, value)?.into_object())
}

fn make(ts: &ThreadState, spec: &'static StructSeqSpec, values: &[PyRef]) -> PyResult {
    let typ = structseq::new_type(ts, spec)?;
    structseq::new_instance(ts, &typ, call::borrow_all(values))
}

/// Takes the constructor from a record's type: there is only the one instance.
fn seal(ts: &ThreadState, record: &PyObject) -> PyResult<()> {
    let typ = record.ob_type();
    // SAFETY: nothing makes instances of the type at this moment.
    unsafe { typ.slots_mut() }.new = None;
    typ.set_flag(object::flags::DISALLOW_INSTANTIATION, true);
    if let Some(dict) = typ.dict(ts) {
        dict.remove_str(ts, id!(__new__))?;
    }
    Ok(())
}

/// Adds all of them to the module.
pub fn add(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let version = [int(ts, 3)?, int(ts, 14)?, int(ts, 0)?, text(ts, "final")?, int(ts, 0)?];
    let version = make(ts, &VERSION_INFO, &version)?;
    seal(ts, &version)?;
    module.add(ts, "version_info", &version)?;
    module.add_int(ts, "hexversion", HEX_VERSION)?;
    module.add_str(ts, "version", VERSION)?;
    module.add_int(ts, "api_version", 1013)?;
    let flags = flags(ts)?;
    seal(ts, &flags)?;
    module.add(ts, "flags", &flags)?;
    let float = [
        PyFloat::new(ts, f64::MAX)?,
        int(ts, 1024)?,
        int(ts, 308)?,
        PyFloat::new(ts, f64::MIN_POSITIVE)?,
        int(ts, -1021)?,
        int(ts, -307)?,
        int(ts, 15)?,
        int(ts, 53)?,
        PyFloat::new(ts, f64::EPSILON)?,
        int(ts, 2)?,
        int(ts, 1)?,
    ];
    module.add(ts, "float_info", &*make(ts, &FLOAT_INFO, &float)?)?;
    // The digits are 64-bit words; see types::int.
    let ints = [int(ts, 64)?, int(ts, 8)?, int(ts, 4300)?, int(ts, 640)?];
    module.add(ts, "int_info", &*make(ts, &INT_INFO, &ints)?)?;
    let hash = [
        int(ts, 64)?,
        int(ts, (1 << 61) - 1)?,
        int(ts, 314_159)?,
        int(ts, 0)?,
        int(ts, 1_000_003)?,
        text(ts, "siphash13")?,
        int(ts, 64)?,
        int(ts, 128)?,
        int(ts, 0)?,
    ];
    module.add(ts, "hash_info", &*make(ts, &HASH_INFO, &hash)?)?;
    module.add(ts, "thread_info", &*make(ts, &THREAD_INFO, &thread_values(ts)?)?)?;
    module.add(ts, "implementation", &*implementation(ts, &version)?)
}

fn thread_values(ts: &ThreadState) -> PyResult<[PyRef; 3]> {
    Ok([text(ts, "pthread")?, text(ts, "semaphore")?, thread_version(ts)?])
}

/// What the C library says of its threads ("NPTL 2.36"); None where it says nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn thread_version(ts: &ThreadState) -> PyResult {
    let mut name = [0u8; 64];
    // SAFETY: the array has that much room.
    let size = unsafe { libc::confstr(libc::_CS_GNU_LIBPTHREAD_VERSION, name.as_mut_ptr().cast(), name.len()) };
    match core::ffi::CStr::from_bytes_until_nul(&name).map(core::ffi::CStr::to_str) {
        Ok(Ok(name)) if size > 1 => text(ts, name),
        _ => Ok(ts.none()),
    }
}

/// What the C library says of its threads: nothing here.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn thread_version(ts: &ThreadState) -> PyResult {
    Ok(ts.none())
}

/// Sets what is not the same in each process.
pub fn adapt(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let put = |name: &str, values: &[PyRef]| {
        let old = attr::get(ts, module.as_object(), &*PyStr::intern(ts, name)?)?;
        let new = structseq::new_instance(ts, old.ob_type(), call::borrow_all(values))?;
        module.add(ts, name, &new)
    };
    put("flags", &flag_values(ts)?)?;
    put("thread_info", &thread_values(ts)?)
}

/// `sys.flags` as the configuration is now.
pub fn flags(ts: &ThreadState) -> PyResult {
    make(ts, &FLAGS, &flag_values(ts)?)
}

fn flag_values(ts: &ThreadState) -> PyResult<[PyRef; 21]> {
    let config = ts.interp().config();
    // However often an option that is on or off is given.
    let truth = |value: core::ffi::c_int| int(ts, (value > 0).into());
    Ok([
        truth(config.parser_debug)?,
        truth(config.inspect)?,
        truth(config.interactive)?,
        int(ts, config.optimization_level.into())?,
        int(ts, (config.write_bytecode == 0).into())?,
        int(ts, (config.user_site_directory == 0).into())?,
        int(ts, (config.site_import == 0).into())?,
        int(ts, (config.use_environment == 0).into())?,
        int(ts, config.verbose.into())?,
        int(ts, config.bytes_warning.into())?,
        truth(config.quiet)?,
        int(ts, (config.use_hash_seed == 0 || config.hash_seed != 0).into())?,
        truth(config.isolated)?,
        py_bool(config.dev_mode > 0),
        int(ts, crate::config::utf8_mode().into())?,
        int(ts, config.warn_default_encoding.into())?,
        py_bool(config.safe_path > 0),
        int(ts, config.int_max_str_digits.into())?,
        int(ts, 1)?,
        int(ts, config.thread_inherit_context.max(0).into())?,
        int(ts, config.context_aware_warnings.max(0).into())?,
    ])
}

fn implementation(ts: &ThreadState, version: &PyObject) -> PyResult {
    let dict = PyDict::new(ts)?;
    let set = |name: &str, value: &PyObject| -> PyResult<()> {
        let name = PyStr::intern(ts, name)?;
        dict.set_str(ts, &name, value)
    };
    set("name", &*text(ts, "hognose")?)?;
    // Our code objects are CPython 3.14's, and so are the names of their files.
    set("cache_tag", &*text(ts, "cpython-314")?)?;
    set("version", version)?;
    set("hexversion", &*int(ts, HEX_VERSION)?)?;
    set("_multiarch", &*text(ts, concat!("x86_64", "-linux-gnu"))?)?;
    set("supports_isolated_interpreters", &py_bool(true))?;
    crate::types::namespace::new(ts, &dict)
}

/// `sys.get_asyncgen_hooks()`'s result.
pub fn asyncgen_hooks(ts: &ThreadState, first: &PyObject, finalizer: &PyObject) -> PyResult {
    make(ts, &ASYNCGEN_HOOKS, &[first.new_ref(), finalizer.new_ref()])
}
