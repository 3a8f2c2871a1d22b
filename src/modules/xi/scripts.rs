//! Code that goes from one interpreter to another, and pickles that need the sender's script.

use hognose_allocators::TryVec;

use super::imported;
use crate::code::marshal;
use crate::object::{AsObject, PyObject, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::vm::opcode::{CACHES, op};
use crate::{id, raise};

/// `CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR`.
const NOT_A_SCRIPT: i32 = 0x04 | 0x08 | 0x20 | 0x80 | 0x200;

/// The code of a function that needs nothing of the interpreter that it was made in.
pub fn stateless_code(ts: &ThreadState, function: &PyFunction) -> PyResult<TryVec<u8>> {
    if function.func_closure.is_some() {
        return raise!(ts, exc::ValueError, "closures not supported");
    }
    if function.func_defaults.is_some() || function.func_kwdefaults.is_some() {
        return raise!(ts, exc::ValueError, "defaults not supported");
    }
    let Some(code) = function.func_code.get() else { return raise!(ts, exc::ValueError, "a function without code") };
    if let Some(globals) = function.func_globals.get() {
        check_globals(ts, &code, &globals)?;
    }
    marshal::dump(ts, code.as_object(), marshal::VERSION, true)
}

/// ValueError when the code, or code in it, uses a global variable that is there.
fn check_globals(ts: &ThreadState, code: &PyCode, globals: &PyDict) -> PyResult<()> {
    code.make_whole(ts)?;
    let bytes = code.original_code()?;
    let mut extended = 0usize;
    let mut at = 0;
    while at + 1 < bytes.len() {
        let (opcode, low) = (bytes[at], usize::from(bytes[at + 1]));
        let argument = extended << 8 | low;
        extended = if opcode == op::EXTENDED_ARG { argument } else { 0 };
        let name = match opcode {
            op::LOAD_GLOBAL => Some(argument >> 1),
            op::LOAD_NAME | op::STORE_GLOBAL | op::DELETE_GLOBAL => Some(argument),
            _ => None,
        };
        if let Some(index) = name
            && (opcode != op::LOAD_GLOBAL && opcode != op::LOAD_NAME
                || globals.get_str(ts, code.name_at(index))?.is_some())
        {
            return raise!(ts, exc::ValueError, "globals not supported");
        }
        at += 2 * (1 + usize::from(CACHES[usize::from(opcode)]));
    }
    for constant in code.consts() {
        if let Some(inner) = constant.downcast::<PyCode>() {
            check_globals(ts, inner, globals)?;
        }
    }
    Ok(())
}

/// The code of a function or a code object that can run as a script: without arguments, closure and result.
pub fn script_code(ts: &ThreadState, object: &PyObject) -> PyResult<TryVec<u8>> {
    let code = match (object.downcast::<PyFunction>(), object.downcast::<PyCode>()) {
        (Some(function), _) => {
            stateless_code(ts, function)?;
            function.func_code.get()
        }
        (None, Some(code)) => Some(Ref::from_borrowed(code)),
        (None, None) => None,
    };
    let Some(code) = code else {
        return raise!(ts, exc::TypeError, "expected a string, a function or code, got {}", object.type_name());
    };
    if code.total_args() != 0 || code.co_flags & NOT_A_SCRIPT != 0 {
        return raise!(ts, exc::ValueError, "code with args not supported");
    }
    if code.co_nfreevars != 0 {
        return raise!(ts, exc::ValueError, "closures not supported");
    }
    code.make_whole(ts)?;
    if !returns_none(&code)? {
        return raise!(ts, exc::ValueError, "code that returns a value is not a script");
    }
    marshal::dump(ts, code.as_object(), marshal::VERSION, true)
}

fn returns_none(code: &PyCode) -> PyResult<bool> {
    let bytes = code.original_code()?;
    let (mut at, mut before) = (0, (0, 0));
    while at + 1 < bytes.len() {
        let (opcode, argument) = (bytes[at], usize::from(bytes[at + 1]));
        if opcode == op::RETURN_VALUE {
            let is_none = before.0 == op::LOAD_CONST && code.consts().get(before.1).is_some_and(|value| is_none(value));
            if !is_none {
                return Ok(false);
            }
        }
        before = (opcode, argument);
        at += 2 * (1 + usize::from(CACHES[usize::from(opcode)]));
    }
    Ok(true)
}

/// The global variables of the interpreter's `__main__`.
pub fn main_dict(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    crate::lifecycle::init::main_dict(ts)
}

/// A function of code that has come.
pub fn function(ts: &ThreadState, code: &[u8]) -> PyResult {
    let code = marshal::load_code(ts, code)?;
    Ok(PyFunction::new(ts, &code, &*main_dict(ts)?)?.into_object())
}

/// `__main__.__file__`.
pub fn main_file(ts: &ThreadState) -> PyResult<Option<Ref<PyStr>>> {
    let Some(main) = super::data::main_module(ts)? else { return Ok(None) };
    match attr::get_opt(ts, &main, &*PyStr::intern(ts, "__file__")?)? {
        Some(file) => Ok(file.downcast_into::<PyStr>().ok()),
        None => Ok(None),
    }
}

/// The object of a pickle. What the sender's script defines is made by running it, under another name than `__main__`.
pub fn unpickle(ts: &ThreadState, pickle: &[u8], main_file: &str) -> PyResult {
    let pickle = PyBytes::new(ts, pickle)?;
    let loads = imported(ts, "pickle", "loads")?;
    let raised = match call::call_with(ts, &loads, &[pickle.as_object()]) {
        Ok(object) => return Ok(object),
        Err(raised) => raised,
    };
    if main_file.is_empty() || !ts.raised_matches(&exc::AttributeError) {
        return Err(raised);
    }
    let error = ts.take_raised(raised);
    let text = protocol::str(ts, &error)?;
    if !text.contains(&*PyStr::new(ts, "'__main__'")?) {
        return Err(ts.restore_raised(error));
    }
    let run_path = imported(ts, "runpy", "run_path")?;
    let (file, name) = (PyStr::new(ts, main_file)?, PyStr::new(ts, "<fake __main__>")?);
    let nothing = ts.none();
    let variables = call::call_with(ts, &run_path, &[file.as_object(), &nothing, name.as_object()])?;
    let stand_in = PyModule::new(ts, id!(__main__))?;
    stand_in.dict(ts)?.update(ts, &variables)?;
    let modules = crate::import::modules(ts)?;
    let before = modules.get_str(ts, id!(__main__))?;
    modules.set_str(ts, id!(__main__), stand_in.as_object())?;
    let result = call::call_with(ts, &loads, &[pickle.as_object()]);
    let restored = match &before {
        Some(before) => modules.set_str(ts, id!(__main__), before),
        None => modules.remove_str(ts, id!(__main__)).map(drop),
    };
    let object = result?;
    restored?;
    Ok(object)
}
