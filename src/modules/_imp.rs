//! `_imp`: what importlib needs from the runtime.

use crate::modules::ModuleSpec;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::code::PyCode;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::memoryview::PyMemoryView;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_imp",
    doc: "(Extremely) low-level import machinery bits as used by importlib.",
    methods: &[
        MethodDef::no_args(
            "extension_suffixes",
            extension_suffixes,
            "extension_suffixes($module, /)\n--\n\nReturns the list of file suffixes used to identify extension modules.",
        ),
        MethodDef::no_args(
            "lock_held",
            |ts, _| Ok(py_bool(ts.interp().import_lock.is_held())),
            "lock_held($module, /)\n--\n\nReturn True if the import lock is currently held, else False.",
        ),
        MethodDef::no_args(
            "acquire_lock",
            acquire_lock,
            "acquire_lock($module, /)\n--\n\nAcquires the interpreter's import lock for the current thread.",
        ),
        MethodDef::no_args(
            "release_lock",
            release_lock,
            "release_lock($module, /)\n--\n\nRelease the interpreter's import lock.",
        ),
        MethodDef::keywords(
            "find_frozen",
            find_frozen,
            "find_frozen($module, name, /, *, withdata=False)\n--\n\nReturn info about the corresponding frozen module (if there is one) or None.",
        ),
        MethodDef::positional(
            "get_frozen_object",
            get_frozen_object,
            "get_frozen_object($module, name, data=None, /)\n--\n\nCreate a code object for a frozen module.",
        ),
        MethodDef::one(
            "is_frozen_package",
            is_frozen_package,
            "is_frozen_package($module, name, /)\n--\n\nReturns True if the module name is of a frozen package.",
        ),
        MethodDef::one(
            "create_builtin",
            create_builtin,
            "create_builtin($module, spec, /)\n--\n\nCreate an extension module.",
        ),
        MethodDef::one("init_frozen", init_frozen, "init_frozen($module, name, /)\n--\n\nInitializes a frozen module."),
        MethodDef::one(
            "is_builtin",
            is_builtin,
            "is_builtin($module, name, /)\n--\n\nReturns True if the module name corresponds to a built-in module.",
        ),
        MethodDef::one(
            "is_frozen",
            is_frozen,
            "is_frozen($module, name, /)\n--\n\nReturns True if the module name corresponds to a frozen module.",
        ),
        MethodDef::no_args(
            "_frozen_module_names",
            frozen_module_names,
            "_frozen_module_names($module, /)\n--\n\nReturns the list of available frozen modules.",
        ),
        MethodDef::one(
            "_override_frozen_modules_for_tests",
            |ts, _, _| Ok(ts.none()),
            "_override_frozen_modules_for_tests($module, override, /)\n--\n\n(internal-only) Override PyConfig.use_frozen_modules.",
        ),
        MethodDef::positional(
            "create_dynamic",
            create_dynamic,
            "create_dynamic($module, spec, file=None, /)\n--\n\nCreate an extension module.",
        ),
        MethodDef::one(
            "exec_dynamic",
            exec_module,
            "exec_dynamic($module, mod, /)\n--\n\nInitialize an extension module.",
        ),
        MethodDef::one(
            "exec_builtin",
            exec_module,
            "exec_builtin($module, mod, /)\n--\n\nInitialize a built-in module.",
        ),
        MethodDef::positional(
            "_fix_co_filename",
            fix_co_filename,
            "_fix_co_filename($module, code, path, /)\n--\n\nChanges code.co_filename to specify the passed-in file path.",
        ),
        MethodDef::keywords("source_hash", source_hash, "source_hash($module, /, key, source)\n--\n\n"),
    ],
    types: &[],
    exec: Some(exec),
};

/// What a `.pyc` file of 3.14 begins with: 3627, and "\r\n".
pub const PYC_MAGIC: u32 = 3627 | 0x0a0d_0000;

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add_str(ts, "check_hash_based_pycs", "default")?;
    module.add_int(ts, "pyc_magic_number_token", PYC_MAGIC.into())
}

/// The name of a module that may be built in or frozen. One that UTF-8 cannot say is none's: the empty text stands for it.
fn name_of<'a>(ts: &ThreadState, name: &'a PyObject) -> PyResult<&'a str> {
    match name.downcast::<PyStr>() {
        Some(name) => Ok(ts.catch(name.utf8(ts), &exc::UnicodeEncodeError)?.unwrap_or("")),
        None => raise!(ts, exc::TypeError, "argument must be str, not {}", name.type_name()),
    }
}

fn acquire_lock(ts: &ThreadState, _: &PyObject) -> PyResult {
    ts.interp().import_lock.acquire(ts);
    Ok(ts.none())
}

fn release_lock(ts: &ThreadState, _: &PyObject) -> PyResult {
    if !ts.interp().import_lock.release() {
        return raise!(ts, exc::RuntimeError, "not holding the import lock");
    }
    Ok(ts.none())
}

fn extension_suffixes(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    for suffix in [".abi3.so", ".so"] {
        list.append(ts, PyStr::new(ts, suffix)?.into_object())?;
    }
    Ok(list.into_object())
}

fn find_frozen(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("find_frozen", ["name", "withdata"], 1, 1, 1);
    let [name, with_data] = SIGNATURE.parse(ts, args)?;
    let Some(name) = name else { return Ok(ts.none()) };
    let Some(frozen) = hognose_stdlib::find(name_of(ts, name)?) else { return Ok(ts.none()) };
    let origin = PyStr::new(ts, frozen.origname)?;
    let package = py_bool(frozen.is_package);
    let data = match with_data {
        Some(wanted) if protocol::is_true(ts, wanted)? => {
            let code = crate::code::frozen::load(ts, &frozen)?;
            let bytes = crate::code::marshal::dump(ts, code.as_object(), crate::code::marshal::VERSION, true)?;
            PyMemoryView::from_object(ts, PyBytes::new(ts, &bytes)?.as_object())?.into_object()
        }
        _ => ts.none(),
    };
    Ok(PyTuple::new(ts, &[&data, &package, origin.as_object()])?.into_object())
}

fn no_such_frozen<T>(ts: &ThreadState, name: &PyObject) -> PyResult<T> {
    let message = PyStr::format(ts, format_args!("No such frozen object named {}", protocol::str(ts, name)?))?;
    Err(exc::import_error(ts, &message, Some(name), None, None))
}

fn get_frozen_object(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get_frozen_object", args.len(), 1, 2)?;
    if let Some(data) = args.get(1).filter(|d| !is_none(d)) {
        let view = buffer::Buffer::get(ts, data, buffer::SIMPLE)?;
        return Ok(crate::code::marshal::load_code(ts, view.as_slice())?.into_object());
    }
    match hognose_stdlib::find(name_of(ts, args[0])?) {
        Some(frozen) => Ok(crate::code::frozen::load(ts, &frozen)?.into_object()),
        None => no_such_frozen(ts, args[0]),
    }
}

fn is_frozen_package(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    match hognose_stdlib::find(name_of(ts, name)?) {
        Some(frozen) => Ok(py_bool(frozen.is_package)),
        None => no_such_frozen(ts, name),
    }
}

fn create_builtin(ts: &ThreadState, _: &PyObject, spec: &PyObject) -> PyResult {
    let name = attr::get(ts, spec, id!(name))?;
    let text = name_of(ts, &name)?;
    let Some(name_text) = name.downcast::<PyStr>() else { return Ok(ts.none()) };
    // `sys` and `builtins` are made once; a second import gives the same.
    if let Some(known) = crate::import::loaded(ts, name_text)? {
        return Ok(known);
    }
    match crate::modules::create_by_name(ts, text)? {
        Some(module) => Ok(module),
        None => Ok(ts.none()),
    }
}

fn exec_module(ts: &ThreadState, _: &PyObject, module: &PyObject) -> PyResult {
    crate::capi::border::exec_module(ts, module)?;
    crate::types::int::PyInt::from_i64(ts, 0)
}

fn create_dynamic(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "create_dynamic", args.len(), 1, 2)?;
    let name = attr::get(ts, args[0], id!(name))?;
    let path = attr::get(ts, args[0], id!(origin))?;
    let message = PyStr::new(ts, "extension modules cannot be loaded by this version of Hognose")?;
    Err(exc::import_error(ts, &message, Some(&name), Some(&path), None))
}

fn init_frozen(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let text = name_of(ts, name)?;
    let Some(frozen) = hognose_stdlib::find(text) else { return Ok(ts.none()) };
    let code = crate::code::frozen::load(ts, &frozen)?;
    crate::import::exec_code_module(ts, name.cast::<PyStr>(), &code)
}

fn is_builtin(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let text = name_of(ts, name)?;
    let found = match text {
        // Those cannot be made a second time.
        "sys" | "builtins" => -1,
        _ if crate::modules::find(text).is_some() || crate::import::inittab::find(text).is_some() => 1,
        _ => 0,
    };
    crate::types::int::PyInt::from_i64(ts, found)
}

fn is_frozen(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    Ok(py_bool(hognose_stdlib::find(name_of(ts, name)?).is_some()))
}

fn frozen_module_names(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    for name in hognose_stdlib::modules() {
        list.append(ts, PyStr::new(ts, name)?.into_object())?;
    }
    Ok(list.into_object())
}

fn fix_co_filename(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_fix_co_filename", args.len(), 2, 2)?;
    let (Some(code), Some(path)) = (args[0].downcast::<PyCode>(), args[1].downcast::<PyStr>()) else {
        return raise!(ts, exc::TypeError, "_fix_co_filename() takes a code object and a string");
    };
    if !code.filename().equals(path) {
        let old = Ref::from_borrowed(code.filename());
        rename(code, &old, path);
    }
    Ok(ts.none())
}

/// Gives a code object and those inside it that have the same old name a new file name.
fn rename(code: &PyCode, old: &PyStr, new: &PyStr) {
    if !code.filename().equals(old) {
        return;
    }
    code.co_filename.set(Some(Ref::from_borrowed(new)));
    for constant in code.consts() {
        if let Some(inner) = constant.downcast_exact::<PyCode>() {
            rename(inner, old, new);
        }
    }
}

fn source_hash(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("source_hash", ["key", "source"], 0, 2, 2);
    let [Some(key), Some(source)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "source_hash() takes a key and a source");
    };
    let key = protocol::index(ts, key)?;
    let key = key.wrapping_u64();
    let view = buffer::Buffer::get(ts, source, buffer::SIMPLE)?;
    let hash = crate::types::hash::siphash13(key, 0, view.as_slice());
    Ok(PyBytes::new(ts, &hash.to_le_bytes())?.into_object())
}
