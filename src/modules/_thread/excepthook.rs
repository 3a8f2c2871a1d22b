//! `_excepthook`: reports the exception that has ended a thread.

use super::stderr;
use crate::lifecycle::print;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, attr, call};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::exceptions::PyBaseException;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::traceback::PyTraceback;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

static ARGS: StructSeqSpec = StructSeqSpec {
    name: "_thread._ExceptHookArgs",
    doc: "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
    fields: &[
        StructSeqField { name: "exc_type", doc: "Exception type" },
        StructSeqField { name: "exc_value", doc: "Exception value" },
        StructSeqField { name: "exc_traceback", doc: "Exception traceback" },
        StructSeqField { name: "thread", doc: "Thread" },
    ],
    in_sequence: 4,
};

pub(super) fn add_args_type(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let typ = structseq::new_type(ts, &ARGS)?;
    module.add(ts, "_ExceptHookArgs", typ.as_object())
}

pub(super) fn excepthook(ts: &ThreadState, module: &PyObject, args: &PyObject) -> PyResult {
    let wanted = attr::get(ts, module, &*PyStr::intern(ts, "_ExceptHookArgs")?)?;
    let parts = args.downcast::<PyTuple>().map(PyTuple::items);
    let Some(&[class, value, traceback, thread]) = parts.filter(|_| args.ob_type().as_object().is(&wanted)) else {
        return raise!(ts, exc::TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
    };
    if class.is((*exc::SystemExit).as_object()) {
        // A thread may end itself so: nothing to say.
        return Ok(ts.none());
    }
    let file = match stderr(ts)? {
        Some(file) => file,
        None => {
            if is_none(thread) {
                return Ok(ts.none());
            }
            match attr::get_opt(ts, thread, &*PyStr::intern(ts, "_stderr")?)? {
                Some(file) if !is_none(&file) => file,
                _ => return Ok(ts.none()),
            }
        }
    };
    let mut text = StrBuilder::new();
    text.push_str("Exception in thread ")?;
    let name = if is_none(thread) { None } else { attr::get_opt(ts, thread, id!(name))? };
    match name {
        Some(name) => text.push_object(ts, &name)?,
        None => text.push(&*PyStr::format(ts, format_args!("{}", crate::sync::thread_ident()))?)?,
    }
    text.push_str(":\n")?;
    let error: Option<PyRef> = match value.downcast::<PyBaseException>() {
        Some(_) => Some(value.new_ref()),
        None => match class.downcast::<PyTypeObject>() {
            Some(class) => Some(exc::normalize(ts, class, Some(value))?),
            None => None,
        },
    };
    if let Some(error) = error {
        if let Some(base) = error.downcast::<PyBaseException>()
            && traceback.is_a::<PyTraceback>()
            && !base.traceback.is_some()
        {
            base.traceback.set(Some(traceback.new_ref()));
        }
        text.push(&*print::format_exception(ts, &error)?)?;
    }
    let text = text.finish(ts)?;
    call::call_method(ts, &file, id!(write), &[text.as_object()])?;
    call::call_method(ts, &file, id!(flush), &[])?;
    Ok(ts.none())
}
