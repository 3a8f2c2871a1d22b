//! `_interpreters`: what `concurrent.interpreters` is made of.
//!
//! | file | what |
//! |---|---|
//! | `config` | configurations as namespaces of Python |
//! | `lookup` | interpreters by number |
//! | `session` | code that runs in another interpreter, in the calling thread |

mod config;
mod lookup;
mod session;

use core::sync::atomic::Ordering;

use hognose_allocators::Raw;

use crate::lifecycle::subinterp::{self, Settings};
use crate::modules::ModuleSpec;
use crate::modules::posix::system::parse;
use crate::modules::xi::{self, Data, Failure, Fallback};
use crate::object::{Args, AsObject, MethodDef, PyObject, PyRef, PyResult, protocol};
use crate::raise;
use crate::state::{Runtime, ThreadState, Whence, attach};
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

use lookup::Pinned;
use session::{Program, Session};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_interpreters",
    doc: "This module provides primitive operations to manage Python interpreters.\nThe 'interpreters' module provides a more convenient interface.",
    methods: &[
        MethodDef::keywords(
            "new_config",
            config::new_config,
            "new_config($module, name='isolated', /, **overrides)\n--\n\nA configuration of an interpreter, as a namespace.",
        ),
        MethodDef::keywords(
            "create",
            create,
            "create($module, config='isolated', *, reqrefs=False)\n--\n\nMakes an interpreter and returns its ID.",
        ),
        MethodDef::keywords("destroy", destroy, "destroy($module, id, *, restrict=False)\n--\n\nEnds an interpreter."),
        MethodDef::keywords(
            "list_all",
            list_all,
            "list_all($module, *, require_ready=False)\n--\n\nThe interpreters, each as (ID, whence).",
        ),
        MethodDef::no_args(
            "get_current",
            |ts, _| lookup::pair(ts, ts.interp().id, ts.interp().whence.get()),
            "get_current($module, /)\n--\n\nThe current interpreter as (ID, whence).",
        ),
        MethodDef::no_args(
            "get_main",
            |ts, _| lookup::pair(ts, 0, Whence::Runtime),
            "get_main($module, /)\n--\n\nThe main interpreter as (ID, whence).",
        ),
        MethodDef::keywords(
            "is_running",
            is_running,
            "is_running($module, id, *, restrict=False)\n--\n\nWhether code runs in the interpreter's __main__.",
        ),
        MethodDef::keywords(
            "get_config",
            get_config,
            "get_config($module, id, *, restrict=False)\n--\n\nThe configuration that the interpreter was made with.",
        ),
        MethodDef::keywords("whence", whence, "whence($module, id)\n--\n\nWho has made the interpreter."),
        MethodDef::keywords(
            "exec",
            exec,
            "exec($module, id, code, shared=None, *, restrict=False)\n--\n\nRuns code in the interpreter's __main__; what an exception says, or None.",
        ),
        MethodDef::keywords(
            "run_string",
            run_string,
            "run_string($module, id, script, shared=None, *, restrict=False)\n--\n\nRuns a text in the interpreter's __main__; what an exception says, or None.",
        ),
        MethodDef::keywords(
            "run_func",
            run_func,
            "run_func($module, id, func, shared=None, *, restrict=False)\n--\n\nRuns the body of a function in the interpreter's __main__; what an exception says, or None.",
        ),
        MethodDef::keywords(
            "call",
            call,
            "call($module, id, callable, args=None, kwargs=None, *, preserve_exc=False, restrict=False)\n--\n\nCalls an object in the interpreter; (result, what an exception says).",
        ),
        MethodDef::keywords(
            "set___main___attrs",
            set_main_attrs,
            "set___main___attrs($module, id, ns, *, restrict=False)\n--\n\nBinds values in the interpreter's __main__.",
        ),
        MethodDef::keywords(
            "incref",
            incref,
            "incref($module, id, *, implieslink=False, restrict=False)\n--\n\nCounts a reference to the interpreter.",
        ),
        MethodDef::keywords(
            "decref",
            decref,
            "decref($module, id, *, restrict=False)\n--\n\nGives a reference back; the last one ends an interpreter that was made so.",
        ),
        MethodDef::one(
            "is_shareable",
            |ts, _, object| Ok(py_bool(xi::is_shareable(ts, object)?)),
            "is_shareable($module, obj, /)\n--\n\nWhether objects of this type go to other interpreters as they are.",
        ),
        MethodDef::keywords(
            "capture_exception",
            capture_exception,
            "capture_exception($module, exc=None)\n--\n\nWhat another interpreter would be told of an exception.",
        ),
    ],
    types: &[
        &xi::INTERPRETER_ERROR,
        &xi::INTERPRETER_NOT_FOUND_ERROR,
        &xi::NOT_SHAREABLE_ERROR,
        &xi::buffers::BUFFER_VIEW_TYPE,
    ],
    exec: Some(exec_module),
};

fn exec_module(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, whence) in [
        ("WHENCE_UNKNOWN", Whence::Unknown),
        ("WHENCE_RUNTIME", Whence::Runtime),
        ("WHENCE_LEGACY_CAPI", Whence::LegacyCApi),
        ("WHENCE_CAPI", Whence::CApi),
        ("WHENCE_XI", Whence::CrossInterpreter),
        ("WHENCE_STDLIB", Whence::Stdlib),
    ] {
        module.add_int(ts, name, i64::from(whence as i32))?;
    }
    Ok(())
}

fn truth(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<bool> {
    value.map_or(Ok(false), |value| protocol::is_true(ts, value))
}

/// What `parse!` has found for a parameter that must be there.
macro_rules! required {
    ($ts:expr, $value:expr, $function:literal) => {
        match $value {
            Some(value) => value,
            None => return raise!($ts, exc::TypeError, concat!($function, "() misses an argument")),
        }
    };
}

fn create(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [config, references] = parse!(ts, args, "create", ["config", "reqrefs"], 0, 1, 0);
    let references = truth(ts, references)?;
    let python = config::from_object(ts, config)?;
    if ts.interp().finalizing.get() {
        return raise!(ts, xi::INTERPRETER_ERROR, "interpreter creation failed: the interpreter finalizes");
    }
    let before = core::ptr::NonNull::from(ts);
    let state = match subinterp::create(ts, &Settings::new(python, Whence::Stdlib)) {
        Ok(state) => state,
        Err(status) => return raise!(ts, xi::INTERPRETER_ERROR, "interpreter creation failed: {status}"),
    };
    // SAFETY: attached.
    let new = unsafe { state.as_ref() };
    let id = new.interp().id;
    new.interp().ends_unreferenced.store(references, Ordering::Release);
    // Other states come and go with the code that runs; this one has done its work.
    session::leave(new, before);
    PyInt::from_i64(ts, id)
}

fn destroy(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, restrict] = parse!(ts, args, "destroy", ["id", "restrict"], 0, 1, 1);
    let id = required!(ts, id, "destroy");
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "destroy")?;
    if pinned.id() == ts.interp().id {
        return raise!(ts, xi::INTERPRETER_ERROR, "cannot destroy the current interpreter");
    }
    if pinned.id() == 0 {
        return raise!(ts, xi::INTERPRETER_ERROR, "cannot destroy the main interpreter");
    }
    if !end(ts, pinned)? {
        return raise!(ts, xi::INTERPRETER_ERROR, "interpreter running");
    }
    Ok(ts.none())
}

/// Ends an interpreter; false when code runs in it.
fn end(ts: &ThreadState, pinned: Pinned) -> PyResult<bool> {
    if !pinned.begin_to_run() {
        return Ok(false);
    }
    let (state, before) = pinned.enter(ts)?;
    // SAFETY: attached.
    subinterp::end(unsafe { state.as_ref() });
    attach::attach(before, "_interpreters.destroy");
    Ok(true)
}

fn list_all(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [ready] = parse!(ts, args, "list_all", ["require_ready"], 0, 0, 0);
    let all = lookup::all(truth(ts, ready)?)?;
    let list = PyList::new(ts)?;
    for (id, whence) in all.iter() {
        list.append(ts, lookup::pair(ts, *id, *whence)?)?;
    }
    Ok(list.into_object())
}

fn is_running(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, restrict] = parse!(ts, args, "is_running", ["id", "restrict"], 0, 1, 1);
    let id = required!(ts, id, "is_running");
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "check if running for")?;
    Ok(py_bool(pinned.interp().runs_main.load(Ordering::Acquire)))
}

fn get_config(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, restrict] = parse!(ts, args, "get_config", ["id", "restrict"], 0, 1, 1);
    let id = required!(ts, id, "get_config");
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "get the config of")?;
    let mut config = pinned.interp().made_with.get();
    if pinned.interp().is_main() {
        // It shares its GIL with others, but it is its own.
        config.gil = subinterp::OWN_GIL;
    }
    config::namespace(ts, &config)
}

fn whence(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id] = parse!(ts, args, "whence", ["id"], 0, 1, 1);
    let id = required!(ts, id, "whence");
    let pinned = Pinned::of(ts, id, false, "get whence of")?;
    PyInt::from_i64(ts, i64::from(pinned.interp().whence.get() as i32))
}

/// Values for `__main__`, encoded.
fn shared_values(ts: &ThreadState, shared: Option<&PyObject>) -> PyResult<session::Values> {
    let mut values = session::Values::new_in(Raw);
    let Some(shared) = shared.filter(|shared| !is_none(shared)) else { return Ok(values) };
    let Some(dict) = shared.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "expected 'shared' to be a dict, got {}", shared.type_name());
    };
    let mut position = 0;
    while let Some((key, value)) = dict.next(&mut position) {
        let Some(name) = key.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "the names of shared values are strings, not {}", key.type_name());
        };
        let name = xi::raw_text(ts, name)?;
        values.try_push((name, Data::encode(ts, &value, Fallback::None)?))?;
    }
    Ok(values)
}

fn run(
    ts: &ThreadState,
    id: &PyObject,
    program: Program,
    shared: Option<&PyObject>,
    restrict: Option<&PyObject>,
    doing: &str,
) -> PyResult {
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, doing)?;
    let values = shared_values(ts, shared)?;
    match Session::begin(ts, pinned)?.run(&values, &program)? {
        Ok(_) => Ok(ts.none()),
        Err(failure) => failure.object(ts),
    }
}

fn exec(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, code, shared, restrict] = parse!(ts, args, "exec", ["id", "code", "shared", "restrict"], 0, 3, 2);
    let (id, code) = (required!(ts, id, "exec"), required!(ts, code, "exec"));
    let program = match code.downcast::<PyStr>() {
        Some(text) => Program::text(ts, text)?,
        None => Program::code(&xi::scripts::script_code(ts, code)?)?,
    };
    run(ts, id, program, shared, restrict, "exec code for")
}

fn run_string(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, script, shared, restrict] =
        parse!(ts, args, "run_string", ["id", "script", "shared", "restrict"], 0, 3, 2);
    let (id, script) = (required!(ts, id, "run_string"), required!(ts, script, "run_string"));
    let Some(text) = script.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "run_string() argument 2 must be a string, not {}", script.type_name());
    };
    run(ts, id, Program::text(ts, text)?, shared, restrict, "run a string in")
}

fn run_func(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, function, shared, restrict] = parse!(ts, args, "run_func", ["id", "func", "shared", "restrict"], 0, 3, 2);
    let (id, function) = (required!(ts, id, "run_func"), required!(ts, function, "run_func"));
    if function.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "run_func() argument 2 must be a function, not str");
    }
    let program = Program::code(&xi::scripts::script_code(ts, function)?)?;
    run(ts, id, program, shared, restrict, "run a function in")
}

fn call(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, callable, arguments, keywords, _preserve, restrict] =
        parse!(ts, args, "call", ["id", "callable", "args", "kwargs", "preserve_exc", "restrict"], 0, 4, 2);
    let (id, callable) = (required!(ts, id, "call"), required!(ts, callable, "call"));
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "make a call in")?;
    let arguments = match arguments.filter(|arguments| !is_none(arguments)) {
        Some(tuple) if tuple.is_a::<PyTuple>() => Some(Data::encode(ts, tuple, Fallback::Full)?),
        Some(other) => return raise!(ts, exc::TypeError, "args must be a tuple, got {}", other.type_name()),
        None => None,
    };
    let keywords = match keywords.filter(|keywords| !is_none(keywords)) {
        Some(dict) => match dict.downcast::<PyDict>() {
            Some(dict) if dict.len() == 0 => None,
            Some(dict) => Some(Data::encode(ts, dict.as_object(), Fallback::Full)?),
            None => return raise!(ts, exc::TypeError, "kwargs must be a dict, got {}", dict.type_name()),
        },
        None => None,
    };
    let callable = Data::encode(ts, callable, Fallback::Full)?;
    let program = Program::Call { callable, arguments, keywords };
    let outcome = Session::begin(ts, pinned)?.run(&session::Values::new_in(Raw), &program)?;
    let (result, failure): (PyRef, PyRef) = match outcome {
        Ok(Some(data)) => (data.decode(ts)?, ts.none()),
        Ok(None) => (ts.none(), ts.none()),
        Err(failure) => (ts.none(), failure.object(ts)?),
    };
    Ok(PyTuple::pair(ts, &result, &failure)?.into_object())
}

fn set_main_attrs(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, updates, restrict] = parse!(ts, args, "set___main___attrs", ["id", "updates", "restrict"], 0, 2, 2);
    let (id, updates) = (required!(ts, id, "set___main___attrs"), required!(ts, updates, "set___main___attrs"));
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "update __main__ for")?;
    match updates.downcast::<PyDict>() {
        None => return raise!(ts, exc::TypeError, "a dict is required, not {}", updates.type_name()),
        Some(updates) if updates.len() == 0 => {
            return raise!(ts, exc::ValueError, "arg 2 must be a non-empty mapping");
        }
        Some(_) => {}
    }
    let values = shared_values(ts, Some(updates))?;
    if values.is_empty() {
        return Ok(ts.none());
    }
    match Session::begin(ts, pinned)?.run(&values, &Program::Nothing)? {
        Ok(_) => Ok(ts.none()),
        Err(failure) => raise!(ts, xi::INTERPRETER_ERROR, "{}", failure.text()),
    }
}

fn incref(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, link, restrict] = parse!(ts, args, "incref", ["id", "implieslink", "restrict"], 0, 1, 1);
    let id = required!(ts, id, "incref");
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "incref")?;
    if truth(ts, link)? {
        pinned.interp().ends_unreferenced.store(true, Ordering::Release);
    }
    pinned.interp().references.fetch_add(1, Ordering::AcqRel);
    Ok(ts.none())
}

fn decref(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [id, restrict] = parse!(ts, args, "decref", ["id", "restrict"], 0, 1, 1);
    let id = required!(ts, id, "decref");
    let pinned = Pinned::of(ts, id, truth(ts, restrict)?, "decref")?;
    let interp = pinned.interp();
    let last = interp.references.fetch_sub(1, Ordering::AcqRel) == 1;
    let ends = last && interp.ends_unreferenced.load(Ordering::Acquire);
    if ends && !interp.is_main() && pinned.id() != ts.interp().id {
        // One in which code runs ends with its last reference of another kind, or with the runtime.
        end(ts, pinned)?;
    }
    Ok(ts.none())
}

fn capture_exception(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [error] = parse!(ts, args, "capture_exception", ["exc"], 0, 1, 0);
    let error = match error.filter(|error| !is_none(error)) {
        Some(error) => error.new_ref(),
        None => match ts.handled_exception() {
            Some(error) => error,
            None => return Ok(ts.none()),
        },
    };
    if error.downcast::<exc::PyBaseException>().is_none() {
        return raise!(ts, exc::TypeError, "expected exception, got '{}'", error.type_name());
    }
    Failure::of(ts, &error).object(ts)
}

/// The main interpreter runs a program from here to the end of the result.
pub fn main_runs() -> impl Drop {
    struct Runs;
    impl Drop for Runs {
        fn drop(&mut self) {
            note(false);
        }
    }
    fn note(runs: bool) {
        let main = Runtime::get().main_interpreter.load(Ordering::Acquire);
        // SAFETY: the main interpreter is there before and after a program runs in it, or is null.
        if let Some(main) = unsafe { main.as_ref() } {
            main.runs_main.store(runs, Ordering::Release);
        }
    }
    note(true);
    Runs
}
