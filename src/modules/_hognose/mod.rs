//! `sys._hognose`: what this runtime tells about its memory, and what can be asked of it.
//!
//! | file | what |
//! |---|---|
//! | `mod` | the table, limits, trimming |
//! | `numbers` | `memory_stats()`, `census()` |
//! | `map` | `heap_map()`: the heap as a picture |
//!
//! It is an attribute of `sys` and no module that can be imported: programs ask `hasattr(sys, "_hognose")`.

mod faults;
mod map;
mod numbers;

use hognose_allocators::collections::TryVec;
use hognose_allocators::{Domain, Limit, LimitError, huge_pages_advised, trim_raw};

use crate::lifecycle::pressure::{self, limit_object};
use crate::modules::ModuleSpec;
use crate::object::call::{self, Args, Signature};
use crate::object::instance;
use crate::object::{AsObject, MethodDef, PyObject, PyRef, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

pub use numbers::{qualified_name, rows};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "sys._hognose",
    doc: "The memory of this runtime: figures, limits, and giving back.",
    methods: &[
        MethodDef::no_args(
            "memory_stats",
            numbers::memory_stats,
            "memory_stats($module, /)\n--\n\nThe memory's figures as a dictionary; see docs/memory-numbers.md.",
        ),
        MethodDef::no_args(
            "census",
            numbers::census,
            "census($module, /)\n--\n\nThe live objects by type: {name: (objects, bytes)}, most bytes first.",
        ),
        MethodDef::no_args(
            "heap_map",
            map::heap_map,
            "heap_map($module, /)\n--\n\nThe interpreter's heap as a picture, an SVG text.",
        ),
        MethodDef::no_args(
            "start_image",
            numbers::start_image,
            "start_image($module, /)\n--\n\nWhat new sub-interpreters are copied from, as a dictionary.\n\n'blocks' and 'bytes' are what each has for itself, 'shared' the bytes that\nall have in common. All are 0 while there is no image: it is made for the\nsecond sub-interpreter. 'reason' says why there is to be none, or is None.\n'main' is how many bytes the main interpreter has of the library's own image\nbeside its heap; None when it was built instead.",
        ),
        MethodDef::keywords(
            "set_memory_limit",
            set_memory_limit,
            "set_memory_limit($module, /, soft=None, hard=None, *, domain=None)\n--\n\nSets the limits, in bytes, of the interpreter's heap or of one domain.\n\nPast the soft limit the memory callback is called and a collection is made;\npast the hard one MemoryError is raised. None is no limit. domain is 'mem',\n'obj', or None for both together.",
        ),
        MethodDef::keywords(
            "get_memory_limit",
            get_memory_limit,
            "get_memory_limit($module, /, domain=None)\n--\n\nThe limits as (soft, hard).",
        ),
        MethodDef::one(
            "set_memory_callback",
            set_memory_callback,
            "set_memory_callback($module, callback, /)\n--\n\nSets what is called past a soft limit, or None; returns the one before.\n\nIt is called as callback(scope, held, soft, hard), where scope is 'heap',\n'mem' or 'obj'. What it raises is raised in the program.",
        ),
        MethodDef::no_args(
            "get_memory_callback",
            |ts, _| Ok(ts.interp().memory.callback.get().unwrap_or_else(|| ts.none())),
            "get_memory_callback($module, /)\n--\n\nWhat is called past a soft limit, or None.",
        ),
        MethodDef::keywords(
            "trim",
            trim,
            "trim($module, /, domain=None)\n--\n\nGives unused memory back to the system; returns the bytes.\n\ndomain is 'raw' for the C library's memory, 'mem' or 'obj' for the\ninterpreter's heap, which serves both, or None for everything.",
        ),
        MethodDef::one(
            "advise_huge_pages",
            advise_huge_pages,
            "advise_huge_pages($module, on, /)\n--\n\nWhether new arenas are advised to be huge pages; returns what it was.",
        ),
        MethodDef::keywords(
            "fail_allocation",
            faults::fail_allocation,
            "fail_allocation($module, /, k, *, domain=None, persistent=False)\n--\n\nLets the k-th allocation from now fail, and with persistent all that follow.\n\nIt acts on the whole process; domain is 'raw', 'mem', 'obj', or None for all.\n0 only counts.",
        ),
        MethodDef::no_args(
            "stop_failing",
            faults::stop_failing,
            "stop_failing($module, /)\n--\n\nEnds that; returns how many allocations were asked for, and whether one failed.",
        ),
        MethodDef::one(
            "has_inline_values",
            |_, _, object| Ok(py_bool(instance::has_valid_inline_values(object))),
            "has_inline_values($module, object, /)\n--\n\nWhether an instance has its attributes in its own block.",
        ),
        MethodDef::one(
            "inline_values",
            inline_values,
            "inline_values($module, object, /)\n--\n\nThe attributes in an instance's own block, with '<NULL>' for those that it has not got; None without a block.",
        ),
    ],
    types: &[],
    exec: None,
};

fn inline_values(ts: &ThreadState, _: &PyObject, object: &PyObject) -> PyResult {
    let Some(keys) = instance::shared_keys(object.ob_type()).filter(|_| instance::has_valid_inline_values(object))
    else {
        return Ok(ts.none());
    };
    let mut values = TryVec::<PyRef>::new();
    for index in 0..keys.nentries() {
        let place = u16::try_from(index).ok().and_then(|index| instance::value_ptr(object, index));
        // SAFETY: the place is of the object's block, which nothing changes meanwhile; what is in it is alive.
        let value = place.and_then(|place| unsafe { place.read().as_ref() }).map(|value| value.new_ref());
        values.try_push(match value {
            Some(value) => value,
            None => PyStr::new(ts, "<NULL>")?.into_object(),
        })?;
    }
    Ok(PyTuple::from_vec(ts, values)?.into_object())
}

/// The domain of an argument: None for no domain.
fn domain(ts: &ThreadState, name: Option<&PyObject>) -> PyResult<Option<Domain>> {
    let name = name.unwrap_or(none());
    if is_none(name) {
        return Ok(None);
    }
    let Some(text) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "domain must be str or None, not {}", name.type_name());
    };
    match Domain::ALL.into_iter().find(|domain| text.equals_str(domain.as_str())) {
        Some(domain) => Ok(Some(domain)),
        None => raise!(ts, exc::ValueError, "unknown domain '{}': there are raw, mem and obj", text),
    }
}

/// A limit of an argument.
fn bytes(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<Option<usize>> {
    let value = value.unwrap_or(none());
    if is_none(value) {
        return Ok(None);
    }
    match usize::try_from(protocol::as_isize(ts, value)?) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) => raise!(ts, exc::ValueError, "a memory limit cannot be negative"),
    }
}

/// Sets limits for C and Python alike.
pub fn set_limit(ts: &ThreadState, scope: Option<Domain>, limit: Limit) -> PyResult<()> {
    match ts.heap().set_limit(scope, limit) {
        Ok(()) => Ok(()),
        Err(LimitError::RawDomain) => {
            raise!(ts, exc::ValueError, "the raw domain belongs to the process: only mem, obj and both can be limited")
        }
        Err(LimitError::SoftAboveHard) => {
            raise!(ts, exc::ValueError, "the soft memory limit must not be above the hard one")
        }
    }
}

fn set_memory_limit(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("set_memory_limit", ["soft", "hard", "domain"], 0, 2, 0);
    let [soft, hard, name] = SIGNATURE.parse(ts, args)?;
    let scope = domain(ts, name)?;
    let limit = Limit { soft: bytes(ts, soft)?, hard: bytes(ts, hard)? };
    set_limit(ts, scope, limit)?;
    Ok(ts.none())
}

fn get_memory_limit(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("get_memory_limit", ["domain"], 0, 1, 0);
    let [name] = SIGNATURE.parse(ts, args)?;
    let limit = ts.heap().limit(domain(ts, name)?);
    let (soft, hard) = (limit_object(ts, limit.soft)?, limit_object(ts, limit.hard)?);
    Ok(PyTuple::new(ts, &[&soft, &hard])?.into_object())
}

fn set_memory_callback(ts: &ThreadState, _: &PyObject, callback: &PyObject) -> PyResult {
    if !is_none(callback) && !call::is_callable(callback) {
        return raise!(
            ts,
            exc::TypeError,
            "the memory callback must be callable or None, not {}",
            callback.type_name()
        );
    }
    let new: Option<PyRef> = (!is_none(callback)).then(|| callback.new_ref());
    Ok(ts.interp().memory.callback.replace(new).unwrap_or_else(|| ts.none()))
}

/// Gives back what a domain does not use, or every domain; the bytes.
pub fn trim_domain(ts: &ThreadState, domain: Option<Domain>) -> usize {
    let heap = if domain == Some(Domain::Raw) { 0 } else { ts.heap().trim() };
    let raw = if matches!(domain, None | Some(Domain::Raw)) { trim_raw() } else { 0 };
    heap + raw
}

fn trim(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("trim", ["domain"], 0, 1, 0);
    let [name] = SIGNATURE.parse(ts, args)?;
    PyInt::from_usize(ts, trim_domain(ts, domain(ts, name)?))
}

fn advise_huge_pages(ts: &ThreadState, _: &PyObject, on: &PyObject) -> PyResult {
    let on = protocol::is_true(ts, on)?;
    let before = huge_pages_advised();
    hognose_allocators::advise_huge_pages(on);
    Ok(py_bool(before))
}

/// The scope that a number of C stands for; ValueError for one that has no limits.
pub fn scope_of_number(ts: &ThreadState, number: i32) -> PyResult<Option<Domain>> {
    if number == pressure::WHOLE_HEAP {
        return Ok(None);
    }
    match Domain::from_i32(number) {
        Some(domain) => Ok(Some(domain)),
        None => raise!(ts, exc::ValueError, "unknown memory domain {number}"),
    }
}
