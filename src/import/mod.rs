//! Importing: what is native about it. The rest is `importlib`, which comes frozen.
//!
//! ```text
//!  import_level ──► sys.modules? ──► importlib._find_and_load ──► BuiltinImporter ──► modules::find, inittab
//!                                                             └─► FrozenImporter  ──► hognose_stdlib
//!                                                             └─► PathFinder      ──► files on sys.path
//! ```

mod archives;
pub mod inittab;
mod lock;
mod timing;

pub use lock::ImportLock;
pub use timing::ImportTimes;

use crate::lifecycle::verbose::{self, note};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// `sys.modules`; RuntimeError when the interpreter has none (any more).
pub fn modules(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    match ts.interp().modules.get() {
        Some(modules) => Ok(modules),
        None => raise!(ts, exc::RuntimeError, "unable to get sys.modules"),
    }
}

/// The module of that name in `sys.modules`, if any.
pub fn loaded(ts: &ThreadState, name: &PyStr) -> PyResult<Option<PyRef>> {
    modules(ts)?.get_str(ts, name)
}

/// `import name`, and the module itself, also for a dotted name (`PyImport_ImportModule`).
pub fn import_module(ts: &ThreadState, name: &str) -> PyResult {
    let name = PyStr::intern(ts, name)?;
    import_module_object(ts, &name)
}

/// [`import_module`] for a name that is a string already.
pub fn import_module_object(ts: &ThreadState, name: &PyStr) -> PyResult {
    let fromlist = PyTuple::new(ts, &[id!(__doc__).as_object()])?;
    import_level(ts, name, None, None, fromlist.as_object(), 0)
}

/// `__import__` (`PyImport_ImportModuleLevelObject`).
///
/// Returns the top package of a dotted name when `fromlist` is empty, the named module otherwise.
pub fn import_level(
    ts: &ThreadState,
    name: &PyStr,
    globals: Option<&PyObject>,
    _locals: Option<&PyObject>,
    fromlist: &PyObject,
    level: i32,
) -> PyResult {
    if level < 0 {
        return raise!(ts, exc::ValueError, "level must be >= 0");
    }
    let absolute = if level > 0 {
        resolve_name(ts, name, globals, level as usize)?
    } else {
        if name.len() == 0 {
            return raise!(ts, exc::ValueError, "Empty module name");
        }
        Ref::from_borrowed(name)
    };
    let module = match loaded(ts, &absolute)?.filter(|m| !is_none(m)) {
        Some(module) => {
            ensure_initialized(ts, &module, &absolute)?;
            timing::found(ts, &absolute);
            module
        }
        None => find_and_load(ts, &absolute)?,
    };
    let has_from = !is_none(fromlist) && protocol::is_true(ts, fromlist)?;
    if !has_from {
        return without_fromlist(ts, name, &absolute, module, level);
    }
    if attr::has(ts, &module, id!(__path__))? {
        let importlib = importlib(ts)?;
        let import_function = attr::get(ts, &importlib, id!(_gcd_import))?;
        let handled = call::call_method(ts, &importlib, id!(_handle_fromlist), &[&module, fromlist, &import_function]);
        if handled.is_err() {
            trim_importlib_frames(ts);
        }
        return handled;
    }
    Ok(module)
}

fn importlib(ts: &ThreadState) -> PyResult {
    match ts.interp().importlib.get() {
        Some(importlib) => Ok(importlib),
        None => raise!(ts, exc::ImportError, "the import system is not ready"),
    }
}

/// A module in `sys.modules` may still be on its way in: another thread's import is waited for.
fn ensure_initialized(ts: &ThreadState, module: &PyObject, name: &PyStr) -> PyResult<()> {
    let Some(spec) = attr::get_opt(ts, module, id!(__spec__))?.filter(|s| !is_none(s)) else { return Ok(()) };
    let Some(initializing) = attr::get_opt(ts, &spec, id!(_initializing))? else { return Ok(()) };
    if protocol::is_true(ts, &initializing)? {
        let importlib = importlib(ts)?;
        call::call_method(ts, &importlib, id!(_lock_unlock_module), &[name.as_object()])?;
    }
    Ok(())
}

fn find_and_load(ts: &ThreadState, name: &PyStr) -> PyResult {
    let importlib = importlib(ts)?;
    crate::modules::sys::auditing::event_with(ts, "import", || {
        let from_sys = |name: &str| -> PyResult {
            let Some(sys) = ts.interp().sys_dict.get() else { return Ok(ts.none()) };
            Ok(sys.get_str(ts, &*PyStr::intern(ts, name)?)?.unwrap_or_else(|| ts.none()))
        };
        let name = name.as_object().new_ref();
        Ok([name, ts.none(), from_sys("path")?, from_sys("meta_path")?, from_sys("path_hooks")?])
    })?;
    let import_function = match ts.interp().import_function.get() {
        Some(function) => function,
        None => ts.none(),
    };
    let result = timing::measured(ts, name, || {
        call::call_method(ts, &importlib, id!(_find_and_load), &[name.as_object(), &import_function])
    });
    if result.is_err() {
        trim_importlib_frames(ts);
    }
    result
}

/// Takes importlib's own frames out of the traceback of a failed import, as CPython does.
fn trim_importlib_frames(ts: &ThreadState) {
    if ts.interp().config().verbose > 0 {
        return;
    }
    crate::types::traceback::trim_importlib(ts);
}

/// The first part of a dotted name.
fn top_name(ts: &ThreadState, name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    match name.chars().position(|c| c == '.' as u32) {
        Some(dot) => Ok(Some(name.slice(ts, 0, dot)?)),
        None => Ok(None),
    }
}

fn without_fromlist(ts: &ThreadState, name: &PyStr, absolute: &PyStr, module: PyRef, level: i32) -> PyResult {
    let Some(top) = top_name(ts, name)? else { return Ok(module) };
    if level == 0 {
        return import_level(ts, &top, None, None, none(), 0);
    }
    // `from . import` without names cannot be written; `__import__` can ask for it.
    let cut = name.len() - top.len();
    let wanted = absolute.slice(ts, 0, absolute.len() - cut)?;
    match loaded(ts, &wanted)? {
        Some(module) => Ok(module),
        None => raise!(ts, exc::KeyError, "'{wanted}' not in sys.modules as expected"),
    }
}

/// The absolute name of a relative import.
fn resolve_name(ts: &ThreadState, name: &PyStr, globals: Option<&PyObject>, level: usize) -> PyResult<Ref<PyStr>> {
    let Some(globals) = globals.and_then(|g| g.downcast::<PyDict>()) else {
        return raise!(ts, exc::KeyError, "'__name__' not in globals");
    };
    let package = package_of(ts, globals)?;
    let mut end = package.len();
    if end == 0 {
        return raise!(ts, exc::ImportError, "attempted relative import with no known parent package");
    }
    for _ in 1..level {
        let dot = (0..end).rev().find(|i| package.char_at(*i) == '.' as u32);
        match dot {
            Some(dot) => end = dot,
            None => return raise!(ts, exc::ImportError, "attempted relative import beyond top-level package"),
        }
    }
    let base = package.slice(ts, 0, end)?;
    if name.len() == 0 {
        return Ok(base);
    }
    let mut absolute = StrBuilder::new();
    absolute.push(&base)?;
    absolute.push_str(".")?;
    absolute.push(name)?;
    absolute.finish(ts)
}

fn package_of(ts: &ThreadState, globals: &PyDict) -> PyResult<Ref<PyStr>> {
    let package = globals.get_str(ts, id!(__package__))?.filter(|p| !is_none(p));
    let spec = globals.get_str(ts, id!(__spec__))?.filter(|s| !is_none(s));
    if let Some(package) = package {
        let Ok(package) = package.downcast_into::<PyStr>() else {
            return raise!(ts, exc::TypeError, "package must be a string");
        };
        return Ok(package);
    }
    if let Some(spec) = spec {
        let parent = attr::get(ts, &spec, id!(parent))?;
        return match parent.downcast_into::<PyStr>() {
            Ok(parent) => Ok(parent),
            Err(_) => raise!(ts, exc::TypeError, "__spec__.parent must be a string"),
        };
    }
    exc::warn(
        ts,
        &exc::ImportWarning,
        "can't resolve package from __spec__ or __package__, falling back on __name__ and __path__",
        1,
    )?;
    let Some(name) = globals.get_str(ts, id!(__name__))? else {
        return raise!(ts, exc::KeyError, "'__name__' not in globals");
    };
    let Ok(name) = name.downcast_into::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__name__ must be a string");
    };
    if globals.get_str(ts, id!(__path__))?.is_some() {
        return Ok(name);
    }
    match (0..name.len()).rev().find(|i| name.char_at(*i) == '.' as u32) {
        Some(dot) => name.slice(ts, 0, dot),
        None => raise!(ts, exc::ImportError, "attempted relative import with no known parent package"),
    }
}

/// ImportError for `from module import name` where there is no such name, with CPython's hints.
#[cold]
pub fn cannot_import_name(ts: &ThreadState, module: &PyObject, package: Option<&PyObject>, name: &PyStr) -> PyResult {
    let shown = match package.and_then(|p| p.downcast::<PyStr>()) {
        Some(package) => Ref::from_borrowed(package),
        None => PyStr::new(ts, "<unknown module name>")?,
    };
    let mut origin = attr::get_opt(ts, module, id!(__file__))?;
    if origin.as_ref().is_none_or(|o| !o.is_a::<PyStr>()) {
        origin = match attr::get_opt(ts, module, id!(__spec__))? {
            // The origin of what is in no file is none to look at.
            Some(spec) => match attr::get_opt(ts, &spec, id!(has_location))? {
                Some(flag) if protocol::is_true(ts, &flag)? => attr::get_opt(ts, &spec, id!(origin))?,
                _ => None,
            },
            None => None,
        };
    }
    let origin = origin.filter(|o| o.is_a::<PyStr>());
    let place = match &origin {
        Some(origin) => protocol::str(ts, origin)?,
        None => PyStr::new(ts, "unknown location")?,
    };
    let initializing = match attr::get_opt(ts, module, id!(__spec__))? {
        Some(spec) => match attr::get_opt(ts, &spec, id!(_initializing))? {
            Some(flag) => protocol::is_true(ts, &flag)?,
            None => false,
        },
        None => false,
    };
    let message = if initializing {
        PyStr::format(
            ts,
            format_args!(
                "cannot import name {} from partially initialized module {} (most likely due to a circular import) ({place})",
                protocol::repr(ts, name.as_object())?,
                protocol::repr(ts, shown.as_object())?
            ),
        )?
    } else {
        PyStr::format(
            ts,
            format_args!(
                "cannot import name {} from {} ({place})",
                protocol::repr(ts, name.as_object())?,
                protocol::repr(ts, shown.as_object())?
            ),
        )?
    };
    Err(exc::import_error(ts, &message, Some(shown.as_object()), origin.as_deref(), Some(name.as_object())))
}

/// Runs a code object as the body of a new module of that name, in `sys.modules` while it runs.
pub fn exec_code_module(ts: &ThreadState, name: &PyStr, code: &crate::types::code::PyCode) -> PyResult {
    let module = PyModule::new(ts, name)?;
    let dict = module.dict(ts)?;
    if let Some(builtins) = ts.interp().builtins.get() {
        dict.set_str(ts, id!(__builtins__), builtins.as_object())?;
    }
    modules(ts)?.set_str(ts, name, module.as_object())?;
    match crate::vm::eval_code(ts, code, &dict, Some(dict.as_object()), None) {
        Ok(_) => match loaded(ts, name)? {
            Some(module) => Ok(module),
            None => raise!(ts, exc::ImportError, "Loaded module {name} not found in sys.modules"),
        },
        Err(raised) => {
            let error = ts.take_raised(raised);
            let removed = modules(ts).and_then(|m| m.remove_str(ts, name));
            if let Err(second) = removed {
                ts.clear_raised(second);
            }
            Err(ts.restore_raised(error))
        }
    }
}

/// Makes the import system: `importlib._bootstrap` and then the importers for files.
pub fn start(ts: &ThreadState) -> PyResult<()> {
    let name = PyStr::intern(ts, "_frozen_importlib")?;
    let Some(frozen) = hognose_stdlib::find("_frozen_importlib") else {
        return raise!(ts, exc::ImportError, "importlib is not in the frozen library");
    };
    let code = crate::code::frozen::load(ts, &frozen)?;
    let importlib = exec_code_module(ts, &name, &code)?;
    let origname = PyStr::new(ts, frozen.origname)?;
    attr::set(ts, &importlib, &*PyStr::intern(ts, "__origname__")?, origname.as_object())?;
    ts.interp().importlib.set(Some(importlib.clone()));
    let Some(imp) = crate::modules::create_by_name(ts, "_imp")? else {
        return raise!(ts, exc::ImportError, "_imp is not built in");
    };
    let imp_name = PyStr::intern(ts, "_imp")?;
    modules(ts)?.set_str(ts, &imp_name, &imp)?;
    let Some(sys) = ts.interp().sys_module.get() else {
        return raise!(ts, exc::RuntimeError, "lost sys");
    };
    note(ts, 1, format_args!("import _frozen_importlib # frozen"));
    verbose::begin(ts)?;
    note(ts, 1, format_args!("import _imp # builtin"));
    call::call_method(ts, &importlib, id!(_install), &[&sys, &imp])?;
    Ok(())
}

/// The importers for files, once the rest is there.
pub fn start_external(ts: &ThreadState) -> PyResult<()> {
    let importlib = importlib(ts)?;
    call::call_method(ts, &importlib, id!(_install_external_importers), &[])?;
    note(ts, 1, format_args!("# installing zipimport hook"));
    archives::add_hook(ts)?;
    note(ts, 1, format_args!("# installed zipimport hook"));
    Ok(())
}
