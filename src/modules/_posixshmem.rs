//! `_posixshmem`: shared memory by name.

use crate::modules::ModuleSpec;
use crate::modules::posix::path::Path;
use crate::modules::posix::system::{int, int_or, parse, retry};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_posixshmem",
    doc: "POSIX shared memory; programs use it through multiprocessing.shared_memory.",
    methods: &[
        MethodDef::keywords(
            "shm_open",
            shm_open,
            "shm_open($module, /, path, flags, mode=511)\n--\n\nOpen a shared memory object; the result is a file descriptor.",
        ),
        MethodDef::keywords(
            "shm_unlink",
            shm_unlink,
            "shm_unlink($module, /, path)\n--\n\nRemove a shared memory object's name.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

fn name_of(ts: &ThreadState, function: &str, argument: Option<&PyObject>) -> PyResult<Path> {
    let argument = argument.unwrap_or(PyInt::zero());
    if !argument.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "{function}() argument 'path' must be str, not {}", argument.type_name());
    }
    Path::new(ts, Some(argument), function, "path")
}

fn shm_open(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, flags, mode] = parse!(ts, args, "shm_open", ["path", "flags", "mode"], 0, 3, 2);
    let name = name_of(ts, "shm_open", path)?;
    let flags = int(ts, flags)?;
    let mode = int_or(ts, mode, 0o777)?;
    // SAFETY: the name is a C string.
    match retry(ts, || unsafe { libc::shm_open(name.as_ptr(), flags, mode as libc::mode_t) })? {
        Ok(fd) => PyInt::from_i64(ts, fd.into()),
        Err(error) => name.raise(ts, error),
    }
}

fn shm_unlink(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "shm_unlink", ["path"], 0, 1, 1);
    let name = name_of(ts, "shm_unlink", path)?;
    // SAFETY: the name is a C string.
    match retry(ts, || unsafe { libc::shm_unlink(name.as_ptr()) })? {
        Ok(_) => Ok(ts.none()),
        Err(error) => name.raise(ts, error),
    }
}
