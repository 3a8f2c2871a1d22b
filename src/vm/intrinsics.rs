//! The functions behind CALL_INTRINSIC_1 and CALL_INTRINSIC_2.

use super::frame::Frame;
use crate::object::{AsObject, PyObject, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::list::PyList;
use crate::types::str::PyStr;

use crate::types::typevar;
use crate::{id, raise};

/// CALL_INTRINSIC_1.
pub fn call_1(ts: &ThreadState, frame: &Frame, which: usize, value: &PyObject) -> PyResult {
    match which {
        1 => display(ts, value),
        2 => import_star(ts, frame, value),
        3 => stop_iteration_error(ts, frame, value),
        4 => crate::types::generator::async_gen_wrap(ts, value),
        5 => protocol::positive(ts, value),
        6 => Ok(value.cast::<PyList>().to_tuple(ts)?.into_object()),
        7 => typevar::new_typevar(ts, value),
        8 => typevar::new_paramspec(ts, value),
        9 => typevar::new_typevartuple(ts, value),
        10 => typevar::subscript_generic(ts, value),
        11 => typevar::type_alias(ts, value),
        _ => raise!(ts, exc::SystemError, "unknown intrinsic function {which}"),
    }
}

/// CALL_INTRINSIC_2.
pub fn call_2(ts: &ThreadState, which: usize, first: &PyObject, second: &PyObject) -> PyResult {
    match which {
        1 => super::unwind::prepare_reraise_star(ts, first, second),
        2 => typevar::typevar_with_bound(ts, first, second),
        3 => typevar::typevar_with_constraints(ts, first, second),
        4 => {
            first.cast::<PyFunction>().func_typeparams.set(Some(second.new_ref()));
            Ok(first.new_ref())
        }
        5 => typevar::set_typeparam_default(ts, first, second),
        _ => raise!(ts, exc::SystemError, "unknown intrinsic function {which}"),
    }
}

/// What an interactive statement gives: to `sys.displayhook`.
fn display(ts: &ThreadState, value: &PyObject) -> PyResult {
    let hook = ts.interp().sys_dict.get().map(|d| d.get_str(ts, id!(displayhook))).transpose()?.flatten();
    match hook {
        Some(hook) => call::call_with(ts, &hook, &[value]),
        None => raise!(ts, exc::RuntimeError, "lost sys.displayhook"),
    }
}

/// `from module import *`.
fn import_star(ts: &ThreadState, frame: &Frame, module: &PyObject) -> PyResult {
    // SAFETY: the frame owns its locals.
    let Some(locals) = (unsafe { frame.locals.as_ref() }) else {
        return raise!(ts, exc::SystemError, "no locals found during 'import *'");
    };
    let (names, skip_underscores) = match attr::get_opt(ts, module, id!(__all__))? {
        Some(names) => (names, false),
        None => {
            let Some(dict) = attr::get_opt(ts, module, id!(__dict__))? else {
                return raise!(ts, exc::ImportError, "from-import-* object has no __dict__ and no __all__");
            };
            (protocol::mapping_list(ts, &dict, id!(keys))?.into_object(), true)
        }
    };
    protocol::for_each(ts, &names, |name| {
        let Some(name) = name.downcast::<PyStr>() else {
            let module_name = attr::get(ts, module, id!(__name__))?;
            let module_name = protocol::str(ts, &module_name)?;
            let (what, part) = if skip_underscores { ("Key", "__dict__") } else { ("Item", "__all__") };
            return raise!(ts, exc::TypeError, "{what} in {module_name}.{part} must be str, not {}", name.type_name());
        };
        if skip_underscores && name.len() != 0 && name.char_at(0) == '_' as u32 {
            return Ok(());
        }
        let value = attr::get(ts, module, name)?;
        match locals.downcast_exact::<PyDict>() {
            Some(dict) => dict.set(ts, name.as_object(), &value),
            None => protocol::setitem(ts, locals, name.as_object(), &value),
        }
    })?;
    Ok(ts.none())
}

/// A StopIteration that leaves a generator becomes RuntimeError (PEP 479).
fn stop_iteration_error(ts: &ThreadState, frame: &Frame, error: &PyObject) -> PyResult {
    use crate::types::code::{CO_ASYNC_GENERATOR, CO_COROUTINE};
    let flags = frame.code().co_flags;
    let kind = if flags & CO_ASYNC_GENERATOR != 0 {
        "async generator"
    } else if flags & CO_COROUTINE != 0 {
        "coroutine"
    } else {
        "generator"
    };
    let what = if error.ob_type().is_subtype(&exc::StopIteration) {
        "StopIteration"
    } else if flags & CO_ASYNC_GENERATOR != 0 && error.ob_type().is_subtype(&exc::StopAsyncIteration) {
        "StopAsyncIteration"
    } else {
        return Ok(error.new_ref());
    };
    let message = PyStr::format(ts, format_args!("{kind} raised {what}"))?;
    let new = call::call_with(ts, exc::RuntimeError.as_object(), &[message.as_object()])?;
    let new_error = new.cast::<exc::PyBaseException>();
    new_error.cause.set(Some(Ref::from_borrowed(error)));
    new_error.suppress_context.set(true);
    new_error.context.set(Some(Ref::from_borrowed(error)));
    Ok(new)
}
