//! Initialization: a list of steps. Each has its inverse in `finalize`; when one fails, finalization
//! undoes what was done, and the failure is the result.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use hognose_allocators::{Heap, NoMemory, set_arena_observer};

use super::image::Origin;
use crate::config::{self, Args, PyConfig, PyStatus, StatusResult};
use crate::object::{AsObject, PyRef, PyResult, Raised, attr, call, ready};
use crate::state::{InterpreterState, Runtime, ThreadState, attach, block, threads};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;

use crate::types::str::PyStr;
use crate::{id, types};

/// Initializes the runtime with a configuration (`Py_InitializeFromConfig`); does nothing when it is initialized.
pub fn initialize(config: &PyConfig) -> StatusResult {
    let runtime = Runtime::get();
    if runtime.initialized.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut config = config.try_clone()?;
    super::fatal::install();
    config::preconfig::preinitialize_for(&config, Args::NONE)?;
    runtime.preinitialized.store(true, Ordering::Release);
    let result = config::preset::fill(&mut config)
        .and_then(|()| config.read())
        .and_then(|()| config.name_codecs())
        .and_then(|()| config.compute_paths())
        .and_then(|()| config::preset::publish(&config))
        .and_then(|()| start(&config));
    if result.is_err() {
        config::preset::withdraw();
    }
    config.clear();
    result
}

fn no_memory(_: NoMemory) -> PyStatus {
    PyStatus::no_memory()
}

/// Heap, interpreter and thread state, then everything that is made of objects.
fn start(config: &PyConfig) -> StatusResult {
    set_hash_key(config);
    super::leaks::print_at_end(config.xoption("leakreport").is_some());
    if config.malloc_stats != 0 {
        set_arena_observer(Some(super::mallocstats::print));
    }
    super::pressure::start();
    let ts = create_main_interpreter(config)?;
    // SAFETY: the state was just made.
    let ts = unsafe { ts.as_ref() };
    match build_all(ts) {
        Ok(()) => {
            Runtime::get().initialized.store(true, Ordering::Release);
            config::legacy::store(config);
            Ok(())
        }
        Err(status) => {
            super::finalize::tear_down(ts);
            Err(status)
        }
    }
}

/// Everything that is made of objects; nothing is undone when that fails.
pub(super) fn build_all(ts: &ThreadState) -> StatusResult {
    build(ts).map_err(|failed| describe_failure(ts, failed))
}

/// What failed, and in which step.
pub(super) struct Failed {
    step: &'static core::ffi::CStr,
    raised: Raised,
}

/// The status for a raised exception; it is printed first, as nobody could ask for it later.
fn describe_failure(ts: &ThreadState, failed: Failed) -> PyStatus {
    let error = ts.take_raised(failed.raised);
    if error.ob_type().is_subtype(&exc::MemoryError) {
        return PyStatus::no_memory();
    }
    if let Err(raised) = super::print::print_exception(ts, &error) {
        ts.clear_raised(raised);
    }
    PyStatus::error_in(c"init_interp_main", failed.step)
}

/// Keys of string hashing: random, or made of the seed that the configuration gives.
fn set_hash_key(config: &PyConfig) {
    let mut key = [0u8; 16];
    if config.use_hash_seed > 0 {
        // A linear congruential generator spreads the seed; seed 0 switches randomization off.
        let mut x = config.hash_seed as u32;
        if x != 0 {
            for byte in &mut key {
                x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
                *byte = (x >> 16) as u8;
            }
        }
    } else if !crate::sync::random_bytes(&mut key) {
        // Without a source of randomness an address still differs from run to run.
        let address = core::ptr::from_ref(config).addr() as u64;
        key[..8].copy_from_slice(&address.to_le_bytes());
    }
    let half = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&key[from..from + 8]);
        u64::from_le_bytes(bytes)
    };
    let runtime = Runtime::get();
    runtime.hash_key[0].store(half(0), Ordering::Relaxed);
    runtime.hash_key[1].store(half(8), Ordering::Relaxed);
}

/// The main interpreter on a heap of its own, with a thread state that is attached.
fn create_main_interpreter(config: &PyConfig) -> StatusResult<NonNull<ThreadState>> {
    let runtime = Runtime::get();
    let config = config.try_clone()?;
    let heap = Heap::new(hognose_allocators::heap_kind()).map_err(no_memory)?;
    // SAFETY: just made; nothing uses it yet.
    if let Err(status) = super::pressure::set_from_config(unsafe { heap.as_ref() }, &config) {
        // SAFETY: as above.
        unsafe { Heap::destroy(heap) };
        return Err(status);
    }
    let interp_memory = block::take::<InterpreterState>();
    if interp_memory.is_null() {
        // SAFETY: nothing uses the heap yet.
        unsafe { Heap::destroy(heap) };
        return Err(PyStatus::no_memory());
    }
    let id = runtime.next_interpreter_id.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the heap lives; nothing uses it yet.
    unsafe { heap.as_ref() }.set_label(id);
    // SAFETY: the block has the struct's size; it is written before it is looked at.
    let interp = unsafe {
        interp_memory.write(InterpreterState::new(heap, id));
        &*interp_memory
    };
    // SAFETY: nobody else knows the interpreter yet.
    unsafe { *interp.config.get() = config };
    if interp.config().int_max_str_digits >= 0 {
        interp.int_max_str_digits.set(interp.config().int_max_str_digits as usize);
    }
    runtime.main_thread.store(crate::sync::thread_ident(), Ordering::Release);
    runtime.interpreters.store(interp_memory, Ordering::Release);
    runtime.main_interpreter.store(interp_memory, Ordering::Release);
    runtime.open();
    // SAFETY: the interpreter was just made.
    let Ok(ts) = (unsafe { threads::create(interp) }) else {
        super::finalize::close_and_forget();
        // SAFETY: no thread has come in: whoever was about to finds the runtime closed.
        unsafe {
            (*interp.config.get()).clear();
            core::ptr::drop_in_place(interp_memory);
            block::give(interp_memory);
            Heap::destroy(heap);
        }
        return Err(PyStatus::no_memory());
    };
    interp.main_thread_state.set(ts.as_ptr());
    attach::attach(ts, "initialization");
    // SAFETY: attached just now.
    runtime.pending_calls.belong_to(unsafe { &raw const ts.as_ref().eval_breaker });
    Ok(ts)
}

/// Everything made of objects, step by step.
fn build(ts: &ThreadState) -> Result<(), Failed> {
    let interp = ts.interp();
    match super::image::copy_into(ts).map_err(step(c"failed to copy the start image"))? {
        Origin::None => {
            build_common(ts)?;
            if interp.is_main() {
                build_main(ts).map_err(step(c"can't initialize signals"))?;
            }
        }
        Origin::Process => {}
        Origin::Library => adapt(ts).map_err(step(c"failed to update the Python config"))?,
    }
    start_tracing(ts)?;
    make_streams(ts).map_err(step(c"can't initialize sys standard streams"))?;
    // Signals are the main interpreter's business.
    if interp.is_main() && interp.config().faulthandler != 0 {
        crate::modules::faulthandler::start(ts).map_err(step(c"failed to set faulthandler up"))?;
    }
    if interp.is_main() {
        crate::modules::_signal::read_handlers(ts).map_err(step(c"can't initialize signals"))?;
        if interp.config().install_signal_handlers != 0 {
            crate::modules::_signal::install_handlers(ts).map_err(step(c"can't initialize signals"))?;
        }
    }
    interp.gc.enabled.set(true);
    configure_warnings(ts).map_err(step(c"failed to set up warnings"))?;
    if interp.config().site_import != 0 {
        crate::import::import_module(ts, "site").map(drop).map_err(step(c"Failed to import the site module"))?;
    }
    if interp.static_type_failed.replace(false) {
        // Nothing has asked for it in vain so far, but something was not found that is there.
        return Err(step(c"failed to complete the built-in types")(hognose_allocators::NoMemory.into()));
    }
    interp.gc.settle();
    Ok(())
}

/// The steps that are the same for all interpreters of the process, which the start image holds.
pub(super) fn build_common(ts: &ThreadState) -> Result<(), Failed> {
    let interp = ts.interp();
    interp.gc.start();
    interp.type_cache.start(ts.heap()).map_err(Raised::from).map_err(step(c"failed to initialize the type cache"))?;
    types::str::intern_statics(ts).map_err(Raised::from).map_err(step(c"failed to intern static names"))?;
    ready_types(ts).map_err(step(c"failed to initialize the built-in types"))?;
    exc::prepare_spare(ts).map_err(step(c"failed to prepare MemoryError"))?;
    make_modules(ts).map_err(step(c"failed to create sys and builtins"))?;
    crate::import::start(ts).map_err(step(c"failed to initialize importlib"))?;
    configure_sys(ts).map_err(step(c"failed to update the Python config"))?;
    crate::import::start_external(ts).map_err(step(c"external importer setup failed"))?;
    crate::import::import_module(ts, "_io").map_err(step(c"failed to import the _io module"))?;
    make_main(ts).map_err(step(c"failed to add __main__"))
}

/// What the main interpreter has beside what all have, and its image too.
pub(super) fn build_main(ts: &ThreadState) -> PyResult<()> {
    crate::import::import_module(ts, "_signal").map(drop)
}

/// Sets what the steps that are the same for all take from the configuration and the system, in an interpreter that was
/// copied from the library.
fn adapt(ts: &ThreadState) -> PyResult<()> {
    let sys = sys_module(ts)?;
    crate::modules::sys::adapt(ts, sys.cast::<PyModule>())
}

/// Does once what an interpreter does after the steps that are the same for all, and undoes it: what is made on the way,
/// such as the dictionaries of built-in types, is there then.
pub(super) fn rehearse(ts: &ThreadState) -> PyResult<()> {
    make_streams(ts)?;
    let sys = sys_module(ts)?;
    let sys = sys.cast::<PyModule>();
    for name in ["stdin", "__stdin__", "stdout", "__stdout__", "stderr", "__stderr__"] {
        sys.add(ts, name, types::none::none())?;
    }
    Ok(())
}

/// Says in which step an exception was raised.
fn step(step: &'static core::ffi::CStr) -> impl Fn(Raised) -> Failed {
    move |raised| Failed { step, raised }
}

/// `-X tracemalloc`: allocations are recorded from here on.
fn start_tracing(ts: &ThreadState) -> Result<(), Failed> {
    const STEP: &core::ffi::CStr = c"can't start tracemalloc";
    let frames = if ts.interp().owns_heap.get() { ts.interp().config().tracemalloc } else { 0 };
    match usize::try_from(frames) {
        Ok(0) | Err(_) => Ok(()),
        Ok(frames) => {
            crate::modules::_tracemalloc::start_with(ts, frames).map_err(|raised| Failed { step: STEP, raised })
        }
    }
}

fn ready_types(ts: &ThreadState) -> PyResult<()> {
    for typ in types::GROUPS.iter().copied().flatten() {
        ready::ready_in_process(typ);
    }
    for group in types::GROUPS {
        for typ in *group {
            ready::ready_static(ts, typ)?;
        }
    }
    Ok(())
}

fn make_modules(ts: &ThreadState) -> PyResult<()> {
    let interp = ts.interp();
    let modules = PyDict::new(ts)?;
    interp.modules.set(Some(modules.clone()));

    let sys = crate::modules::create(ts, &crate::modules::sys::MODULE)?;
    interp.sys_dict.set(Some(sys.dict(ts)?));
    interp.sys_module.set(Some(sys.new_ref()));
    modules.set_str(ts, id!(sys), sys.as_object())?;
    sys.add(ts, "modules", modules.as_object())?;

    let builtins = PyModule::new(ts, id!(builtins))?;
    interp.builtins.set(Some(builtins.dict(ts)?));
    let filled = crate::modules::create(ts, &crate::modules::builtins::MODULE)?;
    // The dictionary that functions see is the one of the module that `import builtins` gives.
    interp.builtins.set(Some(filled.dict(ts)?));
    interp.builtins_module.set(Some(filled.new_ref()));
    modules.set_str(ts, id!(builtins), filled.as_object())?;
    let import_function = attr::get(ts, filled.as_object(), id!(__import__))?;
    interp.import_function.set(Some(import_function));
    crate::modules::sys::fill(ts, &sys)
}

fn configure_sys(ts: &ThreadState) -> PyResult<()> {
    let sys = sys_module(ts)?;
    crate::modules::sys::fill_from_config(ts, sys.cast::<PyModule>())
}

fn sys_module(ts: &ThreadState) -> PyResult {
    match ts.interp().sys_module.get() {
        Some(sys) => Ok(sys),
        None => crate::raise!(ts, exc::RuntimeError, "lost sys"),
    }
}

/// `sys.stdin`, `sys.stdout`, `sys.stderr`: None for a descriptor that is closed.
fn make_streams(ts: &ThreadState) -> PyResult<()> {
    let sys = sys_module(ts)?;
    let sys = sys.cast::<PyModule>();
    let io = crate::import::import_module(ts, "_io")?;
    let config = ts.interp().config();
    let encoding = crate::modules::sys::wide_to_str(ts, &config.stdio_encoding)?;
    let errors = crate::modules::sys::wide_to_str(ts, &config.stdio_errors)?;
    for (fd, name, mode) in [(0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")] {
        let stream = if is_open(fd) {
            // Standard error never fails for want of a character.
            let errors = if fd == 2 { PyStr::intern(ts, "backslashreplace")?.into_object() } else { errors.clone() };
            crate::modules::_io::standard_stream(
                ts,
                &io,
                fd,
                name,
                mode,
                &encoding,
                &errors,
                config.buffered_stdio != 0,
            )?
        } else {
            ts.none()
        };
        sys.add(ts, name, &stream)?;
        let mut plain = hognose_allocators::TryString::new();
        plain.try_push_str("__")?;
        plain.try_push_str(name)?;
        plain.try_push_str("__")?;
        sys.add(ts, plain.as_str(), &stream)?;
    }
    Ok(())
}

fn is_open(fd: i32) -> bool {
    // SAFETY: the call only looks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

fn make_main(ts: &ThreadState) -> PyResult<()> {
    let main = PyModule::new(ts, id!(__main__))?;
    let dict = main.dict(ts)?;
    let builtins: PyRef = match ts.interp().builtins_module.get() {
        Some(builtins) => builtins,
        None => ts.none(),
    };
    dict.set_str(ts, id!(__builtins__), &builtins)?;
    let importlib = crate::import::loaded(ts, &*PyStr::intern(ts, "_frozen_importlib")?)?.unwrap_or_else(|| ts.none());
    let loader = attr::get(ts, &importlib, &*PyStr::intern(ts, "BuiltinImporter")?)?;
    dict.set_str(ts, id!(__loader__), &loader)?;
    crate::import::modules(ts)?.set_str(ts, id!(__main__), main.as_object())
}

/// `-W` and PYTHONWARNINGS are read by `warnings`; without any, the native filters are enough.
fn configure_warnings(ts: &ThreadState) -> PyResult<()> {
    if !ts.interp().config().warnoptions.is_empty() {
        crate::import::import_module(ts, "warnings")?;
    }
    Ok(())
}

/// Whether the runtime is initialized (`Py_IsInitialized`).
pub fn is_initialized() -> bool {
    Runtime::get().initialized.load(Ordering::Acquire)
}

/// The dictionary of `__main__`.
pub fn main_dict(ts: &ThreadState) -> PyResult<crate::object::Ref<PyDict>> {
    match crate::import::loaded(ts, id!(__main__))? {
        Some(main) => main.cast::<PyModule>().dict(ts),
        None => crate::raise!(ts, exc::RuntimeError, "can't find __main__"),
    }
}

/// Puts a directory first on `sys.path`.
pub fn insert_path_0(ts: &ThreadState, directory: &PyRef) -> PyResult<()> {
    let sys = sys_module(ts)?;
    let path = attr::get(ts, &sys, id!(path))?;
    let zero = PyInt::from_i64(ts, 0)?;
    call::call_method(ts, &path, id!(insert), &[&zero, directory])?;

    Ok(())
}
