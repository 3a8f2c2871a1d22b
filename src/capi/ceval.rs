//! Running code and looking at what runs. Declared in `ceval.h`.

use core::ffi::{c_char, c_int};

use super::convert::{Borrowed, Void, bad_internal_call};
use crate::capi;
use crate::object::{AsObject, PyObject, PyRef, PyResult, attr};
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::vm::frame;

/// The frame object that runs.
pub(super) fn frame(ts: &'static ThreadState) -> PyResult<Option<PyRef>> {
    frame::current(ts).map(|frame| frame.object(ts)).transpose()
}

/// The local variables of what runs.
pub(super) fn locals(ts: &ThreadState) -> PyResult<Option<PyRef>> {
    match frame::current(ts) {
        Some(frame) => crate::types::frame::locals_of(ts, frame).map(Some),
        None => Ok(None),
    }
}

/// The builtins of what runs, or the interpreter's.
fn builtins(ts: &ThreadState) -> Option<PyRef> {
    match frame::current(ts) {
        Some(frame) => Some(frame.builtins().new_ref()),
        None => ts.interp().builtins.get().map(|b| b.into_object()),
    }
}

/// Runs a code object (`PyEval_EvalCode`).
pub(super) fn eval(
    ts: &ThreadState,
    code: &PyObject,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
) -> PyResult {
    let Some(code) = code.downcast::<PyCode>() else { return bad_internal_call(ts, "PyEval_EvalCode") };
    let Some(globals) = globals.and_then(|g| g.downcast::<PyDict>()) else {
        return raise!(ts, exc::SystemError, "PyEval_EvalCode: NULL globals");
    };
    super::pythonrun::add_builtins(ts, globals)?;
    let locals = locals.unwrap_or_else(|| globals.as_object());
    crate::vm::eval_code(ts, code, globals, Some(locals), None)
}

capi! {
    /// Runs a code object with global and local variables.
    fn PyEval_EvalCode(ts, code: &PyObject, globals: Option<&PyObject>, locals: Option<&PyObject>) -> PyRef {
        eval(ts, code, globals, locals)
    }

    /// The frame that runs, borrowed; null when none does.
    fn PyEval_GetFrame(ts) -> Borrowed {
        Ok(Borrowed::kept_or_none(frame(ts)?))
    }

    /// The builtins of what runs, borrowed.
    fn PyEval_GetBuiltins(ts) -> Borrowed {
        Ok(Borrowed::kept_or_none(builtins(ts)))
    }

    /// The global variables of what runs, borrowed; null when nothing does.
    fn PyEval_GetGlobals(ts) -> Borrowed {
        Ok(Borrowed::kept_or_none(frame::current_globals(ts)))
    }

    /// The builtins of what runs.
    fn PyEval_GetFrameBuiltins(ts) -> Option<PyRef> {
        Ok(builtins(ts))
    }

    /// The global variables of what runs; null when nothing does.
    fn PyEval_GetFrameGlobals(ts) -> Option<PyRef> {
        Ok(frame::current_globals(ts).map(|g| g.into_object()))
    }

    /// The local variables of what runs; null when nothing does.
    fn PyEval_GetFrameLocals(ts) -> Option<PyRef> {
        locals(ts)
    }

    /// `locals()` of what runs, borrowed from its frame.
    fn PyEval_GetLocals(ts) -> Borrowed {
        let Some(locals) = locals(ts)? else { return raise!(ts, exc::SystemError, "frame does not exist") };
        // The result is borrowed: the thread keeps the last one.
        let key = PyStr::intern(ts, "capi.last_locals")?;
        let kept = match ts.dict.get() {
            Some(dict) => dict,
            None => {
                let dict = PyDict::new(ts)?;
                ts.dict.set(Some(dict.new_ref()));
                dict.into_object()
            }
        };
        kept.cast::<PyDict>().set_str(ts, &key, &locals)?;
        Ok(Borrowed::kept(locals))
    }

    /// A builtin by name.
    fn PyEval_GetBuiltin(ts, name: &PyStr) -> PyRef {
        let Some(builtins) = builtins(ts) else { return raise!(ts, exc::RuntimeError, "lost builtins") };
        match crate::object::protocol::getitem(ts, &builtins, name.as_object()) {
            Ok(value) => Ok(value),
            Err(raised) if ts.raised_matches(&exc::KeyError) => {
                ts.clear_raised(raised);
                raise!(ts, exc::AttributeError, "{name}")
            }
            Err(raised) => Err(raised),
        }
    }

    /// The code object of a frame.
    fn PyFrame_GetCode(ts, frame: &PyObject) -> PyRef {
        attr::get(ts, frame, &*PyStr::intern(ts, "f_code")?)
    }

    /// The caller's frame; null when there is none.
    fn PyFrame_GetBack(ts, frame: &PyObject) -> Option<PyRef> {
        let back = attr::get(ts, frame, &*PyStr::intern(ts, "f_back")?)?;
        Ok(Some(back).filter(|b| !crate::types::none::is_none(b)))
    }

    /// A frame's line.
    fn PyFrame_GetLineNumber(ts, frame: &PyObject) -> i32 {
        let line = attr::get(ts, frame, &*PyStr::intern(ts, "f_lineno")?)?;
        Ok(line.downcast::<crate::types::int::PyInt>().and_then(|l| l.as_i64()).unwrap_or(0) as i32)
    }

    /// A frame's global variables.
    fn PyFrame_GetGlobals(ts, frame: &PyObject) -> PyRef {
        attr::get(ts, frame, &*PyStr::intern(ts, "f_globals")?)
    }

    /// A frame's local variables.
    fn PyFrame_GetLocals(ts, frame: &PyObject) -> PyRef {
        attr::get(ts, frame, &*PyStr::intern(ts, "f_locals")?)
    }

    /// A frame's builtins.
    fn PyFrame_GetBuiltins(ts, frame: &PyObject) -> PyRef {
        attr::get(ts, frame, &*PyStr::intern(ts, "f_builtins")?)
    }

    /// A frame's last instruction.
    fn PyFrame_GetLasti(ts, frame: &PyObject) -> i32 {
        let at = attr::get(ts, frame, &*PyStr::intern(ts, "f_lasti")?)?;
        Ok(at.downcast::<crate::types::int::PyInt>().and_then(|l| l.as_i64()).unwrap_or(-1) as i32)
    }

    /// The generator, coroutine or asynchronous generator whose frame it is; null for others.
    fn PyFrame_GetGenerator(ts, frame: &PyObject) -> Option<PyRef> {
        let generator = attr::get(ts, frame, &*PyStr::intern(ts, "f_generator")?)?;
        Ok(Some(generator).filter(|g| !crate::types::none::is_none(g)))
    }

    /// A frame's variable by name.
    fn PyFrame_GetVar(ts, frame: &PyObject, name: &PyObject) -> PyRef {
        match name.downcast::<PyStr>() {
            Some(name) => variable(ts, frame, name),
            None => raise!(ts, exc::TypeError, "name must be str, not {}", name.type_name()),
        }
    }

    /// The same, by a name in UTF-8.
    fn PyFrame_GetVarString(ts, frame: &PyObject, name: &core::ffi::CStr) -> PyRef {
        variable(ts, frame, &*PyStr::from_utf8(ts, name.to_bytes(), "strict")?)
    }

    /// The name of what is called, for messages; null has none.
    fn PyEval_GetFuncName(_ts, function: &PyObject) -> *const c_char {
        Ok(function.ob_type().tp_name.get())
    }

    /// How messages show that it is called.
    fn PyEval_GetFuncDesc(_ts, function: &PyObject) -> *const c_char {
        let is_function = function.is_a::<crate::types::function::PyFunction>();
        Ok(if is_function { c"()".as_ptr() } else { c" object".as_ptr() })
    }

    /// Sets the recursion limit.
    fn Py_SetRecursionLimit(ts, limit: c_int) -> Void {
        let sys = crate::import::import_module(ts, "sys")?;
        let limit = crate::types::int::PyInt::from_i64(ts, limit.into())?;
        crate::object::protocol::call_named(ts, &sys, "setrecursionlimit", &[&limit])?;
        Ok(Void)
    }

    /// RecursionError when the native stack is nearly used up; `doing` completes the message.
    fn Py_EnterRecursiveCall(ts, doing: Option<&core::ffi::CStr>) -> () {
        ts.check_native_stack(doing.and_then(|d| d.to_str().ok()).unwrap_or(""))
    }
}

/// The other end of `Py_EnterRecursiveCall`.
#[unsafe(no_mangle)]
pub extern "C" fn Py_LeaveRecursiveCall() {}

/// The recursion limit.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetRecursionLimit() -> c_int {
    ThreadState::current().interp().recursion_limit.get()
}

/// Takes over `__future__` flags from what runs; 1 when there are any.
///
/// # Safety
///
/// A thread state is attached; `flags` has room for `PyCompilerFlags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyEval_MergeCompilerFlags(flags: *mut super::pythonrun::CompilerFlags) -> c_int {
    let Some(frame) = frame::current(ThreadState::current()) else { return 0 };
    let future = frame.code().co_flags as c_int & super::pythonrun::FUTURE_FLAGS;
    // SAFETY: as promised.
    unsafe { (*flags).cf_flags |= future };
    (future != 0).into()
}

/// A variable that a frame's code sees. NameError when it has no value.
fn variable(ts: &ThreadState, frame: &PyObject, name: &PyStr) -> PyResult {
    let locals = attr::get(ts, frame, &*PyStr::intern(ts, "f_locals")?)?;
    match crate::object::protocol::getitem(ts, &locals, name.as_object()) {
        Err(raised) if ts.raised_matches(&exc::KeyError) => {
            ts.clear_raised(raised);
            let name = crate::object::protocol::repr(ts, name.as_object())?;
            raise!(ts, exc::NameError, "variable {} does not exist", &*name)
        }
        found => found,
    }
}
