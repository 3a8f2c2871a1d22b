//! `atexit`: functions to be called when the interpreter ends. They are kept in the interpreter's state, as a list of
//! (function, arguments, keywords or None).

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyResult, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "atexit",
    doc: "allow programmer to define multiple exit functions to be executed\n\
          upon normal program termination.\n\n\
          Two public functions, register and unregister, are defined.\n",
    methods: &[
        MethodDef::keywords(
            "register",
            register,
            "register($module, func, /, *args, **kwargs)\n--\n\n\
             Register a function to be executed upon normal program termination\n\n    \
             func - function to be called at exit\n    \
             args - optional arguments to pass to func\n    \
             kwargs - optional keyword arguments to pass to func\n\n    \
             func is returned to facilitate usage as a decorator.",
        ),
        MethodDef::no_args(
            "_clear",
            clear,
            "_clear($module, /)\n--\n\nClear the list of previously registered exit functions.",
        ),
        MethodDef::one(
            "unregister",
            unregister,
            "unregister($module, func, /)\n--\n\nUnregister an exit function which was previously registered using\natexit.register",
        ),
        MethodDef::no_args(
            "_run_exitfuncs",
            run_exitfuncs,
            "_run_exitfuncs($module, /)\n--\n\nRun all registered exit functions.",
        ),
        MethodDef::no_args(
            "_ncallbacks",
            count,
            "_ncallbacks($module, /)\n--\n\nReturn the number of registered exit functions.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

/// The list; made when it is missing.
fn callbacks(ts: &ThreadState) -> PyResult<Ref<PyList>> {
    let slot = &ts.interp().atexit;
    if let Some(list) = slot.get()
        && let Ok(list) = list.downcast_into::<PyList>()
    {
        return Ok(list);
    }
    let list = PyList::new(ts)?;
    slot.set(Some(list.new_ref()));
    Ok(list)
}

/// Calls the functions in a list, the last registered first. An exception of one is reported, and the others go on.
pub fn run(ts: &ThreadState, callbacks: &PyObject) -> PyResult<()> {
    let Some(list) = callbacks.downcast::<PyList>() else { return Ok(()) };
    // A copy: the functions may register others, or unregister.
    let list = list.slice(ts, 0, list.len())?;
    let mut index = list.len();
    while index > 0 {
        index -= 1;
        let Some(entry) = list.get(index) else { continue };
        let Some(&[function, arguments, keywords]) = entry.downcast::<PyTuple>().map(PyTuple::items) else { continue };
        let Some(arguments) = arguments.downcast::<PyTuple>() else { continue };
        match call::call_tuple_dict(ts, function, arguments, keywords.downcast::<PyDict>()) {
            Ok(result) => result.release(ts),
            Err(raised) => exc::write_unraisable_in(ts, raised, "in atexit callback", function),
        }
    }
    Ok(())
}

fn register(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let [function, given @ ..] = args.positional() else {
        return raise!(ts, exc::TypeError, "register() takes at least 1 argument (0 given)");
    };
    if !call::is_callable(function) {
        return raise!(ts, exc::TypeError, "the first argument must be callable");
    }
    let arguments = PyTuple::new(ts, given)?;
    let keywords = match args.has_keywords() {
        false => ts.none(),
        true => {
            let keywords = PyDict::new(ts)?;
            for (name, value) in args.keywords() {
                keywords.set_str(ts, name, value)?;
            }
            keywords.into_object()
        }
    };
    let entry = PyTuple::new(ts, &[function, arguments.as_object(), &keywords])?;
    callbacks(ts)?.append(ts, entry.into_object())?;
    Ok(function.new_ref())
}

fn clear(ts: &ThreadState, _module: &PyObject) -> PyResult {
    ts.interp().atexit.set(None);
    Ok(ts.none())
}

fn unregister(ts: &ThreadState, _module: &PyObject, function: &PyObject) -> PyResult {
    let list = callbacks(ts)?;
    let mut index = 0;
    // Comparing can run code that changes the list: each step looks at it afresh.
    while let Some(entry) = list.get(index) {
        let registered = entry.downcast::<PyTuple>().and_then(|entry| entry.get(0)).unwrap_or(none());
        if protocol::equal(ts, registered, function)? {
            if list.get(index).is_some_and(|now| now.is(&entry)) {
                drop(list.remove_at(ts, index));
            }
            continue;
        }
        index += 1;
    }
    Ok(ts.none())
}

fn run_exitfuncs(ts: &ThreadState, _module: &PyObject) -> PyResult {
    let list = callbacks(ts)?;
    run(ts, list.as_object())?;
    ts.interp().atexit.set(None);
    Ok(ts.none())
}

fn count(ts: &ThreadState, _module: &PyObject) -> PyResult {
    PyInt::from_usize(ts, callbacks(ts)?.len())
}
