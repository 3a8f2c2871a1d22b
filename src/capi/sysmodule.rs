//! `sys`. Declared in `sysmodule.h`. The printing functions are in `format.rs`.

use core::ffi::{CStr, c_int};

use super::convert::{Borrowed, Void, name};
use crate::capi;
use crate::config::WChar;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;

fn sys_dict(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    match ts.interp().sys_dict.get() {
        Some(dict) => Ok(dict),
        None => raise!(ts, exc::RuntimeError, "no sys module"),
    }
}

capi! {
    /// An attribute of `sys`, borrowed; null without an exception when there is none.
    fn PySys_GetObject(ts, attribute: &CStr) -> Borrowed {
        let before = ts.current_exception.take();
        let found = name(ts, attribute).and_then(|name| sys_dict(ts)?.get_str(ts, &name));
        let found = match found {
            Ok(found) => found,
            Err(raised) => {
                ts.clear_raised(raised);
                None
            }
        };
        ts.current_exception.set(before);
        Ok(Borrowed::kept_or_none(found))
    }

    /// An attribute of `sys`; RuntimeError when there is none.
    fn PySys_GetAttr(ts, attribute: &PyStr) -> PyRef {
        match sys_dict(ts)?.get_str(ts, attribute)? {
            Some(value) => Ok(value),
            None => raise!(ts, exc::RuntimeError, "lost sys.{attribute}"),
        }
    }

    /// The same with a C string.
    fn PySys_GetAttrString(ts, attribute: &CStr) -> PyRef {
        let attribute = name(ts, attribute)?;
        match sys_dict(ts)?.get_str(ts, &attribute)? {
            Some(value) => Ok(value),
            None => raise!(ts, exc::RuntimeError, "lost sys.{attribute}"),
        }
    }

    /// 1 and an attribute of `sys`, or 0.
    fn PySys_GetOptionalAttr(ts, attribute: &PyStr, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(sys_dict(ts)?.get_str(ts, attribute)?, result))
    }

    /// The same with a C string.
    fn PySys_GetOptionalAttrString(ts, attribute: &CStr, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(sys_dict(ts)?.get_str(ts, &*name(ts, attribute)?)?, result))
    }

    /// Sets an attribute of `sys`, or deletes it for null.
    fn PySys_SetObject(ts, attribute: &CStr, value: Option<&PyObject>) -> () {
        let attribute = name(ts, attribute)?;
        match value {
            Some(value) => sys_dict(ts)?.set_str(ts, &attribute, value),
            None => sys_dict(ts)?.remove_str(ts, &attribute).map(drop),
        }
    }

    /// Sets `sys.argv`, and puts the script's directory on `sys.path`. Deprecated: `PyConfig.argv`.
    fn PySys_SetArgvEx(ts, argc: c_int, argv: *const *const WChar, update_path: c_int) -> Void {
        set_argv(ts, argc, argv, update_path != 0)?;
        Ok(Void)
    }

    /// The same, with the directory unless the configuration is isolated.
    fn PySys_SetArgv(ts, argc: c_int, argv: *const *const WChar) -> Void {
        let update_path = ts.interp().config().safe_path == 0 && ts.interp().config().isolated == 0;
        set_argv(ts, argc, argv, update_path)?;
        Ok(Void)
    }

    /// Sets `sys.path` from a text with colons. Deprecated: `PyConfig.module_search_paths`.
    fn PySys_SetPath(ts, path: *const WChar) -> Void {
        let list = PyList::new(ts)?;
        // SAFETY: the caller's string.
        for part in unsafe { wide(path) }.split(|unit| *unit == ':' as WChar) {
            list.append(ts, PyStr::from_ucs4(ts, part)?.into_object())?;
        }
        sys_dict(ts)?.set_str(ts, &*PyStr::intern(ts, "path")?, list.as_object())?;
        Ok(Void)
    }

    /// Tells the audit hooks of an event with a tuple of arguments.
    fn PySys_AuditTuple(ts, event: &CStr, args: Option<&PyObject>) -> () {
        audit(ts, event, args)
    }
}

/// Calls the audit hooks.
pub(super) fn audit(ts: &ThreadState, event: &CStr, args: Option<&PyObject>) -> PyResult<()> {
    let event = name(ts, event)?;
    let mut all = hognose_allocators::TryVec::<PyRef>::new();
    all.try_push(event.into_object())?;
    if let Some(args) = args {
        match args.downcast::<crate::types::tuple::PyTuple>() {
            Some(args) => {
                for item in args.items() {
                    all.try_push(item.new_ref())?;
                }
            }
            None => return raise!(ts, exc::TypeError, "expected tuple, got {}", args.type_name()),
        }
    }
    let function = crate::object::protocol::import_attr(ts, "sys", "audit")?;
    crate::object::call::call_with(ts, &function, crate::object::call::borrow_all(&all)).map(drop)
}

unsafe fn wide<'a>(text: *const WChar) -> &'a [u32] {
    // SAFETY: the caller's string.
    unsafe { core::slice::from_raw_parts(text, crate::config::strings::wide_length(text)) }
}

fn set_argv(ts: &ThreadState, argc: c_int, argv: *const *const WChar, update_path: bool) -> PyResult<()> {
    let list = PyList::new(ts)?;
    for index in 0..argc.max(0) as usize {
        // SAFETY: the caller's strings.
        let text = unsafe { wide(*argv.add(index)) };
        list.append(ts, PyStr::from_ucs4(ts, text)?.into_object())?;
    }
    if list.is_empty() {
        list.append(ts, PyStr::empty().into_object())?;
    }
    let first = list.get(0);
    sys_dict(ts)?.set_str(ts, &*PyStr::intern(ts, "argv")?, list.as_object())?;
    if !update_path {
        return Ok(());
    }
    // The script's directory, links followed; the current one without a script.
    let os_path = crate::import::import_module(ts, "posixpath")?;
    let Some(first) = first else { return Ok(()) };
    let directory = if first.downcast::<PyStr>().is_none_or(|t| t.is_empty() || t.equals_str("-c")) {
        PyStr::empty().into_object()
    } else {
        let real = attr::get(ts, &os_path, &*PyStr::intern(ts, "realpath")?)?;
        let real = crate::object::call::call_with(ts, &real, &[&first])?;
        crate::object::protocol::call_named(ts, &os_path, "dirname", &[&real])?
    };
    crate::lifecycle::init::insert_path_0(ts, &directory)
}
