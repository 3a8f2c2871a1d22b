//! `sys`.
//!
//! | file | what |
//! |---|---|
//! | `mod` | the table, figures and switches |
//! | `hooks` | `excepthook displayhook unraisablehook breakpointhook`, audit hooks |
//! | `monitoring` | `sys.monitoring` |
//! | `tracing` | trace and profile functions |
//! | `records` | `flags version_info float_info int_info hash_info thread_info implementation` |

pub(crate) mod auditing;
pub(crate) mod hooks;
pub mod monitoring;
mod records;
mod tracing;

use crate::config::WideString;
use crate::lifecycle::mallocstats;
use crate::modules::ModuleSpec;
use crate::object::*;
use crate::state::{ThreadState, threads};
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::vm::frame;
use crate::{id, raise};

pub use records::{HEX_VERSION, VERSION, flags};

/// Raises an audit event: its name, and its arguments.
pub fn audit(ts: &ThreadState, event: &[&PyObject]) -> PyResult<()> {
    auditing::audit(ts, none(), event)?;
    Ok(())
}

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "sys",
    doc: "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact strongly with the interpreter.",
    methods: &[
        MethodDef::one(
            "_clear_type_descriptors",
            clear_type_descriptors,
            "_clear_type_descriptors($module, type, /)\n--\n\nTake the descriptors of a class's __dict__ and __weakref__ away, so that they do not keep it alive.",
        ),
        MethodDef::keywords(
            "addaudithook",
            auditing::addaudithook,
            "addaudithook($module, /, hook)\n--\n\nAdds a new audit hook callback.",
        ),
        MethodDef::positional(
            "audit",
            auditing::audit,
            "audit($module, event, /, *args)\n--\n\nPasses the event to any hooks that are attached.",
        ),
        MethodDef::keywords(
            "breakpointhook",
            hooks::breakpointhook,
            "breakpointhook($module, /, *args, **kwargs)\n--\n\nThis hook function is called by built-in breakpoint().",
        ),
        MethodDef::no_args(
            "_clear_type_cache",
            clear_caches,
            "_clear_type_cache($module, /)\n--\n\nClear the internal type lookup cache.",
        ),
        MethodDef::no_args(
            "_clear_internal_caches",
            clear_caches,
            "_clear_internal_caches($module, /)\n--\n\nClear all internal performance-related caches.",
        ),
        MethodDef::no_args(
            "_baserepl",
            crate::lifecycle::repl::base_repl,
            "_baserepl($module, /)\n--\n\nPrivate function for getting the base REPL",
        ),
        MethodDef::no_args(
            "_get_cpu_count_config",
            |ts, _| PyInt::from_i64(ts, ts.interp().config().cpu_count.into()),
            "_get_cpu_count_config($module, /)\n--\n\nPrivate function for getting PyConfig.cpu_count",
        ),
        MethodDef::no_args(
            "_debugmallocstats",
            debug_malloc_stats,
            "_debugmallocstats($module, /)\n--\n\nPrint summary info about the state of the memory allocator to stderr.",
        ),
        MethodDef::no_args(
            "_current_frames",
            current_frames,
            "_current_frames($module, /)\n--\n\nReturn a dict mapping each thread's thread id to its current stack frame.",
        ),
        MethodDef::no_args(
            "_current_exceptions",
            current_exceptions,
            "_current_exceptions($module, /)\n--\n\nReturn a dict mapping each thread's identifier to its current raised exception.",
        ),
        MethodDef::one(
            "displayhook",
            hooks::displayhook,
            "displayhook($module, object, /)\n--\n\nPrint an object to sys.stdout and also save it in builtins._",
        ),
        MethodDef::no_args("exception", exception, "exception($module, /)\n--\n\nReturn the current exception."),
        MethodDef::no_args(
            "exc_info",
            exc_info,
            "exc_info($module, /)\n--\n\nReturn current exception information: (type, value, traceback).",
        ),
        MethodDef::positional(
            "excepthook",
            hooks::excepthook,
            "excepthook($module, exctype, value, traceback, /)\n--\n\nHandle an exception by displaying it with a traceback on sys.stderr.",
        ),
        MethodDef::positional(
            "exit",
            exit,
            "exit($module, status=None, /)\n--\n\nExit the interpreter by raising SystemExit(status).",
        ),
        MethodDef::no_args(
            "getdefaultencoding",
            |ts, _| Ok(PyStr::intern(ts, "utf-8")?.into_object()),
            "getdefaultencoding($module, /)\n--\n\nReturn the current default encoding used by the Unicode implementation.",
        ),
        MethodDef::no_args(
            "getdlopenflags",
            |ts, _| PyInt::from_i64(ts, ts.interp().dlopen_flags.get().into()),
            "getdlopenflags($module, /)\n--\n\nReturn the current value of the flags that are used for dlopen calls.",
        ),
        MethodDef::no_args(
            "getallocatedblocks",
            allocated_blocks,
            "getallocatedblocks($module, /)\n--\n\nReturn the number of memory blocks currently allocated.",
        ),
        MethodDef::no_args(
            "getfilesystemencoding",
            |ts, _| Ok(PyStr::intern(ts, "utf-8")?.into_object()),
            "getfilesystemencoding($module, /)\n--\n\nReturn the encoding used to convert Unicode filenames to OS filenames.",
        ),
        MethodDef::no_args(
            "getfilesystemencodeerrors",
            |ts, _| Ok(PyStr::intern(ts, "surrogateescape")?.into_object()),
            "getfilesystemencodeerrors($module, /)\n--\n\nReturn the error mode used for Unicode to OS filename conversion.",
        ),
        MethodDef::one(
            "getrefcount",
            |ts, _, o| PyInt::from_i64(ts, o.refcnt() as i64),
            "getrefcount($module, object, /)\n--\n\nReturn the reference count of object.",
        ),
        MethodDef::no_args(
            "getrecursionlimit",
            |ts, _| PyInt::from_i64(ts, ts.interp().recursion_limit.get().into()),
            "getrecursionlimit($module, /)\n--\n\nReturn the current value of the recursion limit.",
        ),
        MethodDef::keywords(
            "getsizeof",
            getsizeof,
            "getsizeof(object [, default]) -> int\n\nReturn the size of object in bytes.",
        ),
        MethodDef::positional(
            "_getframe",
            getframe,
            "_getframe($module, depth=0, /)\n--\n\nReturn a frame object from the call stack.",
        ),
        MethodDef::keywords(
            "_getframemodulename",
            getframemodulename,
            "_getframemodulename($module, /, depth=0)\n--\n\nReturn the name of the module for a calling frame.",
        ),
        MethodDef::one("intern", intern, "intern($module, string, /)\n--\n\n``Intern'' the given string."),
        MethodDef::keywords(
            "_is_interned",
            is_interned,
            "_is_interned($module, string, /)\n--\n\nReturn True if the given string is \"interned\".",
        ),
        MethodDef::one(
            "_is_immortal",
            |_, _, o| Ok(py_bool(o.is_immortal())),
            "_is_immortal($module, op, /)\n--\n\nReturn True if the given object is \"immortal\" per PEP 683.",
        ),
        MethodDef::no_args(
            "is_finalizing",
            |ts, _| Ok(py_bool(ts.interp().finalizing.get())),
            "is_finalizing($module, /)\n--\n\nReturn True if Python is exiting.",
        ),
        MethodDef::no_args(
            "_is_gil_enabled",
            |_, _| Ok(py_bool(true)),
            "_is_gil_enabled($module, /)\n--\n\nReturn True if the GIL is currently enabled.",
        ),
        MethodDef::no_args(
            "is_stack_trampoline_active",
            |_, _| Ok(py_bool(false)),
            "is_stack_trampoline_active($module, /)\n--\n\nReturn *True* if a stack profiler trampoline is active.",
        ),
        MethodDef::no_args(
            "is_remote_debug_enabled",
            |_, _| Ok(py_bool(false)),
            "is_remote_debug_enabled($module, /)\n--\n\nReturn True if remote debugging is enabled, False otherwise.",
        ),
        MethodDef::one(
            "setdlopenflags",
            |ts, _, flags| {
                ts.interp().dlopen_flags.set(protocol::as_i32(ts, flags)?);
                Ok(ts.none())
            },
            "setdlopenflags($module, flags, /)\n--\n\nSet the flags used by the interpreter for dlopen calls.",
        ),
        MethodDef::one(
            "setrecursionlimit",
            setrecursionlimit,
            "setrecursionlimit($module, limit, /)\n--\n\nSet the maximum depth of the Python interpreter stack to n.",
        ),
        MethodDef::one(
            "setswitchinterval",
            setswitchinterval,
            "setswitchinterval($module, interval, /)\n--\n\nSet the ideal thread switching delay inside the Python interpreter.",
        ),
        MethodDef::no_args(
            "getswitchinterval",
            |ts, _| crate::types::float::PyFloat::new(ts, ts.interp().gil().interval() as f64 * 1e-6),
            "getswitchinterval($module, /)\n--\n\nReturn the current thread switch interval; see sys.setswitchinterval().",
        ),
        MethodDef::one(
            "settrace",
            tracing::settrace,
            "settrace($module, function, /)\n--\n\nSet the global debug tracing function.",
        ),
        MethodDef::no_args(
            "gettrace",
            tracing::gettrace,
            "gettrace($module, /)\n--\n\nReturn the global debug tracing function set with sys.settrace.",
        ),
        MethodDef::one(
            "setprofile",
            tracing::setprofile,
            "setprofile($module, function, /)\n--\n\nSet the profiling function.",
        ),
        MethodDef::no_args(
            "getprofile",
            tracing::getprofile,
            "getprofile($module, /)\n--\n\nReturn the profiling function set with sys.setprofile.",
        ),
        MethodDef::keywords(
            "set_asyncgen_hooks",
            hooks::set_asyncgen_hooks,
            "set_asyncgen_hooks([firstiter] [, finalizer])\n\nSet a finalizer for async generators objects.",
        ),
        MethodDef::no_args(
            "get_asyncgen_hooks",
            hooks::get_asyncgen_hooks,
            "get_asyncgen_hooks($module, /)\n--\n\nReturn the installed asynchronous generators hooks.",
        ),
        MethodDef::keywords(
            "set_coroutine_origin_tracking_depth",
            set_origin_depth,
            "set_coroutine_origin_tracking_depth($module, /, depth)\n--\n\nEnable or disable origin tracking for coroutine objects in this thread.",
        ),
        MethodDef::no_args(
            "get_coroutine_origin_tracking_depth",
            |ts, _| PyInt::from_i64(ts, ts.coroutine_origin_depth.get().into()),
            "get_coroutine_origin_tracking_depth($module, /)\n--\n\nCheck status of origin tracking for coroutine objects in this thread.",
        ),
        MethodDef::no_args(
            "get_int_max_str_digits",
            |ts, _| PyInt::from_usize(ts, ts.interp().int_max_str_digits.get()),
            "get_int_max_str_digits($module, /)\n--\n\nReturn the maximum string digits limit for non-binary int<->str conversions.",
        ),
        MethodDef::keywords(
            "set_int_max_str_digits",
            set_int_max_str_digits,
            "set_int_max_str_digits($module, /, maxdigits)\n--\n\nSet the maximum string digits limit for non-binary int<->str conversions.",
        ),
        MethodDef::one(
            "unraisablehook",
            hooks::unraisablehook,
            "unraisablehook($module, unraisable, /)\n--\n\nHandle an unraisable exception.",
        ),
        MethodDef::keywords(
            "getunicodeinternedsize",
            interned_count,
            "getunicodeinternedsize($module, /, *, _only_immortal=False)\n--\n\nReturn the number of elements of the unicode interned dictionary",
        ),
        MethodDef::one(
            "_settraceallthreads",
            tracing::settrace_all_threads,
            "_settraceallthreads($module, function, /)\n--\n\nSet the global debug tracing function in all running threads belonging to the current interpreter.",
        ),
        MethodDef::one(
            "_setprofileallthreads",
            tracing::setprofile_all_threads,
            "_setprofileallthreads($module, function, /)\n--\n\nSet the profiling function in all running threads belonging to the current interpreter.",
        ),
        MethodDef::positional(
            "call_tracing",
            tracing::call_tracing,
            "call_tracing($module, func, args, /)\n--\n\nCall func(*args), while tracing is enabled.",
        ),
    ],
    types: &[],
    exec: None,
};

/// Fills in what does not depend on the import system.
pub fn fill(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    records::add(ts, module)?;
    let own = crate::modules::create(ts, &crate::modules::_hognose::MODULE)?;
    module.add(ts, "_hognose", own.as_object())?;
    module.add_int(ts, "maxsize", i64::MAX)?;
    module.add_int(ts, "maxunicode", 0x10_ffff)?;
    module.add_str(ts, "byteorder", if cfg!(target_endian = "little") { "little" } else { "big" })?;
    module.add_str(ts, "platform", "linux")?;
    module.add_str(ts, "platlibdir", "lib")?;
    module.add_str(ts, "abiflags", "")?;
    module.add_str(ts, "float_repr_style", "short")?;
    module.add_str(ts, "copyright", "Copyright (c) the Hognose developers.\nThe standard library: Copyright (c) 2001 Python Software Foundation.\nAll Rights Reserved.")?;
    module.add(ts, "dont_write_bytecode", &py_bool(ts.interp().config().write_bytecode == 0))?;
    let monitoring = crate::modules::create(ts, &monitoring::MODULE)?;
    module.add(ts, "monitoring", monitoring.as_object())?;
    let builtin_names = names_of_modules(ts)?;
    module.add(ts, "builtin_module_names", builtin_names.as_object())?;
    module.add(ts, "stdlib_module_names", &*stdlib_names(ts)?)?;
    for (plain, hook) in [
        ("__displayhook__", "displayhook"),
        ("__excepthook__", "excepthook"),
        ("__breakpointhook__", "breakpointhook"),
        ("__unraisablehook__", "unraisablehook"),
    ] {
        let name = PyStr::intern(ts, hook)?;
        let value = attr::get(ts, module.as_object(), &name)?;
        module.add(ts, plain, &value)?;
    }
    for name in ["meta_path", "path_hooks", "path", "argv", "orig_argv", "warnoptions"] {
        let list = PyList::new(ts)?;
        module.add(ts, name, list.as_object())?;
    }
    let cache = PyDict::new(ts)?;
    module.add(ts, "path_importer_cache", cache.as_object())?;
    let empty = PyStr::empty_static().as_object();
    let origin = PyTuple::new(ts, &[PyStr::new(ts, "Hognose")?.as_object(), empty, empty])?;
    module.add(ts, "_git", origin.as_object())?;
    // The name of the framework on macOS.
    module.add(ts, "_framework", empty)
}

fn names_of_modules(ts: &ThreadState) -> PyResult<Ref<PyTuple>> {
    let list = PyList::new(ts)?;
    for spec in crate::modules::MODULES {
        list.append(ts, PyStr::new(ts, spec.name)?.into_object())?;
    }
    let mut failed = Ok(());
    crate::import::inittab::for_each(&mut |name| {
        if failed.is_ok() {
            failed = name
                .to_str()
                .map_err(|_| ())
                .map_or(Ok(()), |name| list.append(ts, PyStr::new(ts, name)?.into_object()));
        }
    });
    failed?;
    list.sort(ts, None, false)?;
    list.to_tuple(ts)
}

fn stdlib_names(ts: &ThreadState) -> PyResult {
    let list = PyList::new(ts)?;
    for name in hognose_stdlib::modules() {
        if !name.contains('.') {
            list.append(ts, PyStr::new(ts, name)?.into_object())?;
        }
    }
    for spec in crate::modules::MODULES {
        list.append(ts, PyStr::new(ts, spec.name)?.into_object())?;
    }
    Ok(PySet::frozen(ts, list.as_object())?.into_object())
}

/// A text of the configuration as a str; undecodable bytes are surrogates in both.
pub fn wide_to_str(ts: &ThreadState, text: &WideString) -> PyResult {
    match text.get() {
        Some(units) => {
            // SAFETY: a `wchar_t` has the size of a `u32`, and the configuration holds code points only.
            let units = unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u32>(), units.len()) };
            Ok(PyStr::from_ucs4(ts, units)?.into_object())
        }
        None => Ok(ts.none()),
    }
}

fn list_of(ts: &ThreadState, texts: &[WideString]) -> PyResult<Ref<PyList>> {
    let list = PyList::new(ts)?;
    for text in texts {
        list.append(ts, wide_to_str(ts, text)?)?;
    }
    Ok(list)
}

/// Fills in what the configuration says.
pub fn fill_from_config(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let config = ts.interp().config();
    for (name, text) in [
        ("executable", &config.executable),
        ("_base_executable", &config.base_executable),
        ("prefix", &config.prefix),
        ("base_prefix", &config.base_prefix),
        ("exec_prefix", &config.exec_prefix),
        ("base_exec_prefix", &config.base_exec_prefix),
        ("pycache_prefix", &config.pycache_prefix),
        ("_stdlib_dir", &config.stdlib_dir),
    ] {
        let mut value = wide_to_str(ts, text)?;
        if is_none(&value) && !matches!(name, "pycache_prefix" | "_stdlib_dir") {
            value = PyStr::empty().into_object();
        }
        module.add(ts, name, &value)?;
    }
    if config.platlibdir.get().is_some() {
        module.add(ts, "platlibdir", &*wide_to_str(ts, &config.platlibdir)?)?;
    }
    module.add(ts, "argv", list_of(ts, config.argv.as_slice())?.as_object())?;
    module.add(ts, "orig_argv", list_of(ts, config.orig_argv.as_slice())?.as_object())?;
    module.add(ts, "warnoptions", list_of(ts, config.warnoptions.as_slice())?.as_object())?;
    module.add(ts, "path", list_of(ts, config.module_search_paths.as_slice())?.as_object())?;
    module.add(ts, "_xoptions", xoptions(ts)?.as_object())?;
    Ok(())
}

/// What of [`fill`] and [`fill_from_config`] is not the same in each process.
pub fn adapt(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    records::adapt(ts, module)?;
    module.add(ts, "dont_write_bytecode", &py_bool(ts.interp().config().write_bytecode == 0))?;
    if !crate::import::inittab::is_empty() {
        module.add(ts, "builtin_module_names", names_of_modules(ts)?.as_object())?;
    }
    fill_from_config(ts, module)
}

/// `-X key` is `{key: True}`, `-X key=value` is `{key: value}`.
fn xoptions(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let dict = PyDict::new(ts)?;
    for option in ts.interp().config().xoptions.as_slice() {
        let text = wide_to_str(ts, option)?;
        let text = text.cast::<PyStr>();
        match text.chars().position(|c| c == '=' as u32) {
            Some(at) => {
                let key = text.slice(ts, 0, at)?;
                let value = text.slice(ts, at + 1, text.len())?;
                dict.set(ts, key.as_object(), value.as_object())?;
            }
            None => dict.set(ts, text.as_object(), crate::types::bool::true_object())?,
        }
    }
    Ok(dict)
}

fn clear_caches(ts: &ThreadState, _: &PyObject) -> PyResult {
    ts.interp().type_cache.clear();
    Ok(ts.none())
}

fn current_frames(ts: &ThreadState, _: &PyObject) -> PyResult {
    let dict = PyDict::new(ts)?;
    let mut result = Ok(());
    threads::for_each(ts.interp(), |thread| {
        if result.is_ok()
            && let Some(frame) = frame::current(thread)
        {
            result = PyInt::from_u64(ts, thread.thread_id.get()).and_then(|id| dict.set(ts, &id, &*frame.object(ts)?));
        }
    });
    result?;
    Ok(dict.into_object())
}

fn current_exceptions(ts: &ThreadState, _: &PyObject) -> PyResult {
    let dict = PyDict::new(ts)?;
    let mut result = Ok(());
    threads::for_each(ts.interp(), |thread| {
        if result.is_ok() {
            let exception = thread.handled_exception().unwrap_or_else(|| ts.none());
            result = PyInt::from_u64(ts, thread.thread_id.get()).and_then(|id| dict.set(ts, &id, &exception));
        }
    });
    result?;
    Ok(dict.into_object())
}

fn exception(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(ts.handled_exception().unwrap_or_else(|| ts.none()))
}

fn exc_info(ts: &ThreadState, _: &PyObject) -> PyResult {
    let Some(exception) = ts.handled_exception() else {
        return Ok(PyTuple::new(ts, &[none(), none(), none()])?.into_object());
    };
    let traceback = exception.cast::<exc::PyBaseException>().traceback.get();
    let traceback: &PyObject = traceback.as_deref().unwrap_or(none());
    Ok(PyTuple::new(ts, &[exception.ob_type().as_object(), &exception, traceback])?.into_object())
}

fn exit(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "exit", args.len(), 0, 1)?;
    let exit = exc::normalize(ts, &exc::SystemExit, args.first().copied())?;
    Err(ts.raise(exit))
}

fn allocated_blocks(ts: &ThreadState, _: &PyObject) -> PyResult {
    let heap = ts.heap();
    let mem = heap.stats(hognose_allocators::Domain::Mem).live_blocks;
    let obj = heap.stats(hognose_allocators::Domain::Obj).live_blocks;
    PyInt::from_u64(ts, (mem + obj) as u64)
}

fn debug_malloc_stats(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut out = crate::lifecycle::finalize::StandardError;
    let written = mallocstats::write(ts.heap(), &mut out).and_then(|()| mallocstats::write_free_lists(ts, &mut out));
    match written {
        Ok(()) => Ok(ts.none()),
        Err(core::fmt::Error) => raise!(ts, exc::OSError, "standard error cannot be written to"),
    }
}

fn getsizeof(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("getsizeof", ["object", "default"], 0, 2, 1);
    let [object, default] = SIGNATURE.parse(ts, args)?;
    let object = object.unwrap_or(none());
    let size = match call::call_special(ts, object, id!(__sizeof__), &[]) {
        Ok(Some(size)) => protocol::as_isize(ts, &size),
        Ok(None) => raise!(ts, exc::TypeError, "Type {} doesn't define __sizeof__", object.type_name()),
        Err(raised) => Err(raised),
    };
    match (size, default) {
        (Ok(size), _) if size >= 0 => PyInt::from_usize(ts, size as usize + alloc::prefix_size(object.ob_type())),
        (Ok(_), None) => raise!(ts, exc::ValueError, "__sizeof__() should return >= 0"),
        (Ok(_), Some(default)) => Ok(default.new_ref()),
        (Err(raised), Some(default)) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            Ok(default.new_ref())
        }
        (Err(raised), _) => Err(raised),
    }
}

/// The frame `depth` calls up from the running one.
fn frame_at(ts: &ThreadState, depth: isize) -> Option<&frame::Frame> {
    let mut at: Option<&frame::Frame> = frame::current(ts).map(|f| &*f);
    for _ in 0..depth.max(0) {
        // SAFETY: linked frames are alive.
        at = at.and_then(|frame| unsafe { frame.previous.as_ref() });
    }
    at
}

fn getframe(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_getframe", args.len(), 0, 1)?;
    let depth = args.first().map_or(Ok(0), |d| protocol::as_isize(ts, d))?;
    match frame_at(ts, depth) {
        Some(frame) => {
            // SAFETY: the frame is alive, and nothing else uses it while its object is made.
            let frame = unsafe { (*core::ptr::from_ref(frame).cast_mut()).object(ts) }?;
            auditing::event(ts, "sys._getframe", &[&frame])?;
            Ok(frame)
        }
        None => raise!(ts, exc::ValueError, "call stack is not deep enough"),
    }
}

fn getframemodulename(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("_getframemodulename", ["depth"], 0, 1, 0);
    let [depth] = SIGNATURE.parse(ts, args)?;
    let depth = depth.map_or(Ok(0), |d| protocol::as_isize(ts, d))?;
    auditing::event_with(ts, "sys._getframemodulename", || Ok([PyInt::from_isize(ts, depth)?]))?;
    match frame_at(ts, depth) {
        Some(frame) => Ok(frame.function().func_module.get().unwrap_or_else(|| ts.none())),
        None => Ok(ts.none()),
    }
}

fn intern(ts: &ThreadState, _: &PyObject, text: &PyObject) -> PyResult {
    match text.downcast_exact::<PyStr>() {
        Some(text) => Ok(PyStr::intern_ref(ts, Ref::from_borrowed(text))?.into_object()),
        None => raise!(ts, exc::TypeError, "can't intern {}", text.type_name()),
    }
}

fn is_interned(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("_is_interned", ["string"], 1, 1, 1);
    let [text] = SIGNATURE.parse(ts, args)?;
    match text.and_then(|t| t.downcast::<PyStr>()) {
        Some(text) => Ok(py_bool(text.is_interned())),
        None => raise!(ts, exc::TypeError, "_is_interned() argument must be str"),
    }
}

fn interned_count(ts: &ThreadState, _: &PyObject, _args: Args<'_>) -> PyResult {
    // SAFETY: only its length is read.
    PyInt::from_usize(ts, unsafe { (*ts.interp().interned.get()).len() })
}

fn setrecursionlimit(ts: &ThreadState, _: &PyObject, limit: &PyObject) -> PyResult {
    let limit = protocol::as_i32(ts, limit)?;
    if limit < 1 {
        return raise!(ts, exc::ValueError, "recursion limit must be greater or equal than 1");
    }
    let used = ts.interp().recursion_limit.get() - ts.recursion_remaining.get();
    if used >= limit {
        return raise!(
            ts,
            exc::RecursionError,
            "cannot set the recursion limit to {limit} at the recursion depth {used}: the limit is too low"
        );
    }
    let interp = ts.interp();
    let old = interp.recursion_limit.replace(limit);
    threads::for_each(interp, |thread| {
        thread.recursion_remaining.set(thread.recursion_remaining.get() + (limit - old));
    });
    Ok(ts.none())
}

fn setswitchinterval(ts: &ThreadState, _: &PyObject, interval: &PyObject) -> PyResult {
    let interval = protocol::as_f64(ts, interval)?;
    if interval <= 0.0 {
        return raise!(ts, exc::ValueError, "switch interval must be strictly positive");
    }
    // What is too long for a number of microseconds is as good as for ever.
    ts.interp().gil().set_interval((interval * 1e6) as u64);
    Ok(ts.none())
}

fn set_origin_depth(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("set_coroutine_origin_tracking_depth", ["depth"], 0, 1, 1);
    let [depth] = SIGNATURE.parse(ts, args)?;
    let depth = protocol::as_i32(ts, depth.unwrap_or(none()))?;
    if depth < 0 {
        return raise!(ts, exc::ValueError, "depth must be >= 0");
    }
    ts.coroutine_origin_depth.set(depth);
    Ok(ts.none())
}

fn set_int_max_str_digits(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("set_int_max_str_digits", ["maxdigits"], 0, 1, 1);
    let [digits] = SIGNATURE.parse(ts, args)?;
    let digits = protocol::as_i32(ts, digits.unwrap_or(none()))?;
    if digits != 0 && digits < 640 {
        return raise!(ts, exc::ValueError, "maxdigits must be >= 640 or 0 for unlimited");
    }
    ts.interp().int_max_str_digits.set(digits as usize);
    Ok(ts.none())
}

/// For a class that another one takes the place of, as `dataclass(slots=True)` makes them.
fn clear_type_descriptors(ts: &ThreadState, _: &PyObject, class: &PyObject) -> PyResult {
    let Some(typ) = class.downcast::<PyTypeObject>() else {
        let found = class.type_name();
        return raise!(ts, exc::TypeError, "_clear_type_descriptors() argument must be type, not {found}");
    };
    if typ.has_flag(flags::IMMUTABLE) || !typ.is_heap_type() {
        return raise!(ts, exc::TypeError, "argument is immutable");
    }
    let Some(dict) = typ.dict(ts) else { return Ok(ts.none()) };
    crate::types::typ::modified(ts, typ);
    dict.remove_str(ts, id!(__dict__))?;
    dict.remove_str(ts, id!(__weakref__))?;
    crate::types::typ::modified(ts, typ);
    Ok(ts.none())
}
