//! The import instructions.

use super::frame::Frame;
use crate::object::{AsObject, PyObject, PyResult, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::{id, raise};

/// `import name`: through `__import__`, or straight to the importer when that is still the built-in one.
pub fn import_name(ts: &ThreadState, frame: &Frame, name: &PyStr, fromlist: &PyObject, level: &PyObject) -> PyResult {
    let function = match frame.builtins().downcast::<crate::types::dict::PyDict>() {
        Some(builtins) => builtins.get_str(ts, id!(__import__))?,
        None => {
            let value = protocol::getitem(ts, frame.builtins(), id!(__import__).as_object());
            ts.catch(value, &exc::KeyError)?
        }
    };
    let Some(function) = function else {
        return raise!(ts, exc::ImportError, "__import__ not found");
    };
    // SAFETY: the frame owns its locals.
    let locals = unsafe { frame.locals.as_ref() }.unwrap_or(none());
    let is_original = ts.interp().import_function.get().is_some_and(|original| original.is(&function));
    if is_original {
        let level = protocol::as_i32(ts, level)?;
        return crate::import::import_level(ts, name, Some(frame.globals().as_object()), Some(locals), fromlist, level);
    }
    call::call_with(ts, &function, &[name.as_object(), frame.globals().as_object(), locals, fromlist, level])
}

/// `from module import name`.
pub fn import_from(ts: &ThreadState, module: &PyObject, name: &PyStr) -> PyResult {
    if let Some(value) = attr::get_opt(ts, module, name)? {
        return Ok(value);
    }
    // A submodule that is being imported is not an attribute of its package yet.
    let package = attr::get_opt(ts, module, id!(__name__))?;
    if let Some(package) = package.as_ref().and_then(|p| p.downcast::<PyStr>()) {
        let full = PyStr::format(ts, format_args!("{package}.{name}"))?;
        if let Some(modules) = ts.interp().modules.get()
            && let Some(found) = modules.get_str(ts, &full)?
        {
            return Ok(found);
        }
    }
    crate::import::cannot_import_name(ts, module, package.as_deref(), name)
}
