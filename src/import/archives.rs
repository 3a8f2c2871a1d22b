//! The first of `sys.path_hooks`: archives.
//!
//! `zipimport` is a large module, and most programs import nothing from an archive. So a function stands in its place:
//! what lies below a folder it turns away by itself; for the first path that goes through a file, it imports
//! `zipimport`, gives its own place among the hooks to `zipimport.zipimporter`, and asks that.

use crate::modules::posix::path::fs_encode;
use crate::object::{MethodDef, PyObject, PyRef, PyResult, attr, call};
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::{id, raise};

static HOOK: MethodDef = MethodDef::one(
    "zipimporter",
    hook,
    "zipimporter($module, path, /)\n--\n\n\
     An importer for the archive that the path goes through; ImportError when it goes through none.",
);

/// Puts the hook before those that are there.
pub(super) fn add_hook(ts: &ThreadState) -> PyResult<()> {
    if let Some(hooks) = path_hooks(ts)? {
        let hook = PyBuiltinFunction::new(ts, &HOOK, None, None)?;
        if let Some(hooks) = hooks.downcast::<PyList>() {
            hooks.insert(ts, 0, hook.into_object())?;
        }
    }
    Ok(())
}

fn path_hooks(ts: &ThreadState) -> PyResult<Option<PyRef>> {
    match ts.interp().sys_dict.get() {
        Some(sys) => sys.get_str(ts, id!(path_hooks)),
        None => Ok(None),
    }
}

fn hook(ts: &ThreadState, _: &PyObject, path: &PyObject) -> PyResult {
    if !path.downcast::<PyStr>().is_some_and(|path| !path.contains_nul()) || !goes_through_a_file(ts, path)? {
        return raise!(ts, exc::ImportError, "only archives are supported");
    }
    let zipimport = super::import_module(ts, "zipimport")?;
    let importer = attr::get(ts, &zipimport, &*PyStr::intern(ts, "zipimporter")?)?;
    if let Some(hooks) = path_hooks(ts)?
        && let Some(hooks) = hooks.downcast::<PyList>()
    {
        let own = (0..hooks.len()).find(|&at| {
            hooks.get(at).is_some_and(|hook| {
                hook.downcast::<PyBuiltinFunction>().is_some_and(|hook| core::ptr::eq(hook.def(), &raw const HOOK))
            })
        });
        if let Some(at) = own {
            hooks.set(ts, at, importer.clone())?;
        }
    }
    call::call_with(ts, &importer, &[path])
}

/// Whether the nearest part of the path that there is, is a file.
fn goes_through_a_file(ts: &ThreadState, path: &PyObject) -> PyResult<bool> {
    let mut path = fs_encode(ts, path)?;
    loop {
        path.try_push(0)?;
        // SAFETY: all zeros is a `stat`.
        let mut status: libc::stat = unsafe { core::mem::zeroed() };
        // SAFETY: the path is terminated, and there is room for the result.
        if unsafe { libc::stat(path.as_ptr().cast(), &mut status) } == 0 {
            return Ok(status.st_mode & libc::S_IFMT == libc::S_IFREG);
        }
        match path.iter().rposition(|&byte| byte == b'/') {
            Some(at @ 1..) => path.truncate(at),
            _ => return Ok(false),
        }
    }
}
