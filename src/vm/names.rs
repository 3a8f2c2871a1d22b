//! Names: locals, globals, built-in names, cells, `super()` attributes.

use super::frame::Frame;
use crate::object::attr::{self, Method};
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, protocol};
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::code::CO_OPTIMIZED;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::super_;
use crate::{id, raise};

/// Raises UnboundLocalError for a place of the frame.
#[cold]
pub fn unbound_local(ts: &ThreadState, frame: &Frame, index: usize) -> PyResult<()> {
    let name = frame.code().local_name(index);
    // It does not note the name: the variable is there, and a similar one is no better.
    Err(ts.raise_fmt(
        &exc::UnboundLocalError,
        format_args!("cannot access local variable '{name}' where it is not associated with a value"),
    ))
}

/// Raises NameError or UnboundLocalError for an empty cell.
#[cold]
pub fn unbound_deref<T>(ts: &ThreadState, frame: &Frame, index: usize) -> PyResult<T> {
    let code = frame.code();
    let name = code.local_name(index);
    if code.kinds()[index] & crate::types::code::KIND_FREE == 0 {
        return Err(ts.raise_fmt(
            &exc::UnboundLocalError,
            format_args!("cannot access local variable '{name}' where it is not associated with a value"),
        ));
    }
    let raised = ts.raise_fmt(
        &exc::NameError,
        format_args!("cannot access free variable '{name}' where it is not associated with a value in enclosing scope"),
    );
    Err(exc::add_name_context(ts, raised, name))
}

#[cold]
fn not_defined<T>(ts: &ThreadState, name: &PyStr) -> PyResult<T> {
    let raised = ts.raise_fmt(&exc::NameError, format_args!("name '{name}' is not defined"));
    Err(exc::add_name_context(ts, raised, name))
}

/// A built-in name: None when there is none.
fn builtin(ts: &ThreadState, frame: &Frame, name: &PyStr) -> PyResult<Option<PyRef>> {
    from_mapping(ts, frame.builtins(), name)
}

/// A global variable or built-in name; NameError.
pub fn load_global(ts: &ThreadState, frame: &Frame, name: &PyStr) -> PyResult {
    // A subclass of dict may have a say of its own (`__missing__`).
    if let Some(value) = from_mapping(ts, frame.globals().as_object(), name)? {
        return Ok(value);
    }
    match builtin(ts, frame, name)? {
        Some(value) => Ok(value),
        None => not_defined(ts, name),
    }
}

/// `del name` of a global variable.
pub fn delete_global(ts: &ThreadState, frame: &Frame, name: &PyStr) -> PyResult<()> {
    match frame.globals().remove(ts, name.as_object())? {
        Some(_) => Ok(()),
        None => not_defined(ts, name),
    }
}

/// The mapping of the local variables of a module or class body.
fn locals<'a>(ts: &ThreadState, frame: &'a Frame, doing: &str, name: Option<&PyStr>) -> PyResult<&'a PyObject> {
    // SAFETY: the frame owns a reference.
    match unsafe { frame.locals.as_ref() } {
        Some(locals) => Ok(locals),
        // A module's code that is called as a function: its variables are the globals.
        None if frame.code().co_flags & CO_OPTIMIZED == 0 => Ok(frame.globals().as_object()),
        None => match name {
            Some(name) => raise!(ts, exc::SystemError, "no locals found when {doing} '{name}'"),
            None => raise!(ts, exc::SystemError, "no locals"),
        },
    }
}

fn from_mapping(ts: &ThreadState, mapping: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    if let Some(dict) = mapping.downcast_exact::<PyDict>() {
        return dict.get_str(ts, name);
    }
    let value = protocol::getitem(ts, mapping, name.as_object());
    ts.catch(value, &exc::KeyError)
}

/// A name in a module or class body.
pub fn load_name(ts: &ThreadState, frame: &Frame, name: &PyStr) -> PyResult {
    let locals = locals(ts, frame, "loading", Some(name))?;
    if let Some(value) = from_mapping(ts, locals, name)? {
        return Ok(value);
    }
    load_global(ts, frame, name)
}

/// `name = value` in a module or class body.
pub fn store_name(ts: &ThreadState, frame: &Frame, name: &PyStr, value: &PyObject) -> PyResult<()> {
    let locals = locals(ts, frame, "storing", Some(name))?;
    if let Some(dict) = locals.downcast_exact::<PyDict>() {
        return dict.set(ts, name.as_object(), value);
    }
    protocol::setitem(ts, locals, name.as_object(), value)
}

/// `del name` in a module or class body.
pub fn delete_name(ts: &ThreadState, frame: &Frame, name: &PyStr) -> PyResult<()> {
    let locals = locals(ts, frame, "deleting", Some(name))?;
    let result = protocol::delitem(ts, locals, name.as_object());
    match ts.catch(result, &exc::KeyError)? {
        Some(()) => Ok(()),
        None => not_defined(ts, name),
    }
}

/// The mapping of the local variables as a value.
pub fn load_locals(ts: &ThreadState, frame: &Frame) -> PyResult {
    Ok(locals(ts, frame, "", None)?.new_ref())
}

/// A name from a given mapping, or a global variable.
pub fn load_from_dict_or_globals(ts: &ThreadState, frame: &Frame, mapping: &PyObject, name: &PyStr) -> PyResult {
    match from_mapping(ts, mapping, name)? {
        Some(value) => Ok(value),
        None => load_global(ts, frame, name),
    }
}

/// A name from a given mapping, or a cell.
pub fn load_from_dict_or_deref(ts: &ThreadState, frame: &Frame, mapping: &PyObject, index: usize) -> PyResult {
    let name = frame.code().local_name(index);
    if let Some(value) = from_mapping(ts, mapping, name)? {
        return Ok(value);
    }
    // SAFETY: the compiler has put a cell there.
    let cell = unsafe { (**frame.localsplus().add(index)).cast_unchecked::<PyCell>() };
    match cell.get() {
        Some(value) => Ok(value),
        None => unbound_deref(ts, frame, index),
    }
}

/// Makes sure that `__annotations__` is there.
pub fn setup_annotations(ts: &ThreadState, frame: &Frame) -> PyResult<()> {
    let locals = locals(ts, frame, "setting up annotations", None)?;
    if from_mapping(ts, locals, id!(__annotations__))?.is_some() {
        return Ok(());
    }
    let annotations = PyDict::new(ts)?;
    protocol::setitem(ts, locals, id!(__annotations__).as_object(), annotations.as_object())
}

/// `builtins.__build_class__`.
pub fn load_build_class(ts: &ThreadState, frame: &Frame) -> PyResult {
    match builtin(ts, frame, id!(__build_class__))? {
        Some(value) => Ok(value),
        None => raise!(ts, exc::NameError, "__build_class__ not found"),
    }
}

/// The constants that the compiler takes for granted.
pub fn common_constant(ts: &ThreadState, index: usize) -> PyResult {
    let name = match index {
        0 => return Ok(exc::AssertionError.as_object().new_ref()),
        1 => return Ok(exc::NotImplementedError.as_object().new_ref()),
        2 => return Ok(crate::types::tuple::TUPLE_TYPE.as_object().new_ref()),
        3 => id!(all),
        4 => id!(any),
        _ => return raise!(ts, exc::SystemError, "bad argument of LOAD_COMMON_CONSTANT"),
    };
    let builtins = ts.interp().builtins.get();
    match builtins.map(|b| b.get_str(ts, name)).transpose()?.flatten() {
        Some(value) => Ok(value),
        None => not_defined(ts, name),
    }
}

/// The special methods of `with`, in the order of LOAD_SPECIAL's argument, and what is said when one is missing.
pub fn load_special(ts: &ThreadState, owner: &PyObject, index: usize) -> PyResult<Method> {
    let (name, is_async) = match index {
        0 => (id!(__enter__), false),
        1 => (id!(__exit__), false),
        2 => (id!(__aenter__), true),
        _ => (id!(__aexit__), true),
    };
    if let Some(method) = attr::lookup_special(ts, owner, name)? {
        return Ok(method);
    }
    let kind = if is_async { "asynchronous context manager" } else { "context manager" };
    let other = if is_async { id!(__enter__) } else { id!(__aenter__) };
    let missed = match index {
        1 => " (missed __exit__ method)",
        3 => " (missed __aexit__ method)",
        _ => "",
    };
    if attr::lookup_special(ts, owner, other)?.is_some() {
        let hint = if is_async { "with" } else { "async with" };
        return raise!(
            ts,
            exc::TypeError,
            "'{}' object does not support the {kind} protocol{missed}. Did you mean to use '{hint}'?",
            owner.ob_type().full_name()
        );
    }
    raise!(ts, exc::TypeError, "'{}' object does not support the {kind} protocol{missed}", owner.ob_type().full_name())
}

/// `super(…).name`, without the super object where `super` is the built-in one. The second result is the
/// instance when the first is a function to be called with it.
pub fn load_super_attr(
    ts: &ThreadState,
    global_super: &PyObject,
    class: &PyObject,
    this: &PyObject,
    name: &PyStr,
    argument: usize,
) -> PyResult<(PyRef, Option<PyRef>)> {
    let is_builtin = global_super.is(super_::SUPER_TYPE.as_object());
    if is_builtin && let Some(class) = class.downcast::<PyTypeObject>() {
        let wants_method = argument & 1 != 0;
        return super_::lookup(ts, class, this, name, wants_method);
    }
    let proxy = if argument & 2 != 0 {
        crate::object::call::call_with(ts, global_super, &[class, this])?
    } else {
        crate::object::call::call_with(ts, global_super, &[])?
    };
    Ok((attr::get(ts, &proxy, name)?, None))
}
