//! The hooks' default functions, and the setters of others.

use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::{id, raise};

/// `sys.displayhook(value)`: prints the repr and keeps the value as `_`.
pub fn displayhook(ts: &ThreadState, _: &PyObject, value: &PyObject) -> PyResult {
    let Some(builtins) = ts.interp().builtins.get() else {
        return raise!(ts, exc::RuntimeError, "lost builtins module");
    };
    if is_none(value) {
        return Ok(ts.none());
    }
    let underscore = PyStr::latin1_char(b'_');
    builtins.set_str(ts, underscore, none())?;
    let stdout = ts.interp().sys_dict.get().map(|d| d.get_str(ts, id!(stdout))).transpose()?.flatten();
    let Some(stdout) = stdout.filter(|s| !is_none(s)) else {
        return raise!(ts, exc::RuntimeError, "lost sys.stdout");
    };
    let text = protocol::repr(ts, value)?;
    let written = call::call_method(ts, &stdout, id!(write), &[text.as_object()]);
    if let Err(raised) = written {
        if !ts.raised_matches(&exc::UnicodeEncodeError) {
            return Err(raised);
        }
        ts.clear_raised(raised);
        let escaped = crate::types::str::escape_non_ascii(ts, &text)?;
        call::call_method(ts, &stdout, id!(write), &[escaped.as_object()])?;
    }
    call::call_method(ts, &stdout, id!(write), &[PyStr::latin1_char(b'\n').as_object()])?;
    builtins.set_str(ts, underscore, value)?;
    Ok(ts.none())
}

/// `sys.excepthook(type, value, traceback)`: prints the exception.
pub fn excepthook(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "excepthook", args.len(), 3, 3)?;
    crate::lifecycle::print::display(ts, args[1], args[2])?;
    Ok(ts.none())
}

/// `sys.unraisablehook(unraisable)`.
pub fn unraisablehook(ts: &ThreadState, _: &PyObject, unraisable: &PyObject) -> PyResult {
    exc::default_unraisablehook(ts, unraisable)?;
    Ok(ts.none())
}

/// `sys.breakpointhook(*args, **keywords)`: what `PYTHONBREAKPOINT` names, `pdb.set_trace` by default.
pub fn breakpointhook(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let variable = if ts.interp().config().use_environment != 0 {
        crate::sync::environment_variable(c"PYTHONBREAKPOINT")
    } else {
        None
    };
    let target = match variable.map(core::ffi::CStr::to_bytes) {
        None | Some(b"") => "pdb.set_trace",
        Some(b"0") => return Ok(ts.none()),
        Some(text) => match core::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => return Ok(ts.none()),
        },
    };
    let (module, name) = target.rsplit_once('.').unwrap_or(("builtins", target));
    let function = if module.is_empty() {
        raise!(ts, exc::ImportError, "'{target}' names no module")
    } else {
        protocol::import_attr(ts, module, name)
    };
    let function = match function {
        Ok(function) => function,
        Err(raised) if ts.raised_matches(&exc::ImportError) || ts.raised_matches(&exc::AttributeError) => {
            ts.clear_raised(raised);
            let message = PyStr::format(ts, format_args!("Ignoring unimportable $PYTHONBREAKPOINT: \"{target}\""))?;
            exc::warn(ts, &exc::RuntimeWarning, message.utf8(ts)?, 0)?;
            return Ok(ts.none());
        }
        Err(raised) => return Err(raised),
    };
    call::call(ts, &function, args)
}

/// `sys.set_asyncgen_hooks(firstiter, finalizer)`.
pub fn set_asyncgen_hooks(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("set_asyncgen_hooks", ["firstiter", "finalizer"], 0, 2, 0);
    let [first, finalizer] = SIGNATURE.parse(ts, args)?;
    let hook = |name: &str, hook: &PyObject| -> PyResult<Option<PyRef>> {
        if is_none(hook) {
            return Ok(None);
        }
        if !call::is_callable(hook) {
            return raise!(ts, exc::TypeError, "callable {name} expected, got {}", hook.type_name());
        }
        Ok(Some(hook.new_ref()))
    };
    // Both are looked at before either is set.
    let finalizer = finalizer.map(|finalizer| hook("finalizer", finalizer)).transpose()?;
    let first = first.map(|first| hook("firstiter", first)).transpose()?;
    if let Some(finalizer) = finalizer {
        ts.async_gen_finalizer.set(finalizer);
    }
    if let Some(first) = first {
        ts.async_gen_firstiter.set(first);
    }
    Ok(ts.none())
}

/// `sys.get_asyncgen_hooks()`.
pub fn get_asyncgen_hooks(ts: &ThreadState, _: &PyObject) -> PyResult {
    let first = ts.async_gen_firstiter.get().unwrap_or_else(|| ts.none());
    let finalizer = ts.async_gen_finalizer.get().unwrap_or_else(|| ts.none());
    super::records::asyncgen_hooks(ts, &first, &finalizer)
}
