//! Finalization: the steps of initialization, backwards, until nothing is left.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use hognose_allocators::{Heap, TryVec, set_arena_observer};

use super::memstats::Figures;
use super::verbose::note;
use crate::id;
use crate::object::{PyObject, PyRef, PyResult, Raised, Ref, call, gc, weakref};
use crate::state::{InterpreterState, Runtime, ThreadState, attach, block, threads};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::weakref::PyWeakref;

thread_local! {
    /// The figures of the last finalization in this thread, for `-X memstats` and tests.
    static LAST: Cell<Option<Figures>> = const { Cell::new(None) };
    /// Whether the last finalization found live blocks, and has reported them.
    static REPORT_LIVE: Cell<bool> = const { Cell::new(false) };
    /// The threads that the present finalization has stopped.
    static STOPPED: Cell<threads::Stopped> =
        const { Cell::new(threads::Stopped { in_calls: 0, with_native_code: 0 }) };
}

/// The figures of the heap at the end of the last finalization in this thread.
pub fn last_figures() -> Option<Figures> {
    LAST.get()
}

/// Asks the next finalization to name what is still alive on standard error.
pub fn report_live_blocks(on: bool) {
    REPORT_LIVE.set(on);
}

/// Finalizes the runtime (`Py_FinalizeEx`): -1 when flushing the standard streams failed. A second call does nothing.
pub fn finalize() -> i32 {
    let runtime = Runtime::get();
    if !runtime.initialized.load(Ordering::Acquire) {
        return 0;
    }
    let Some(ts) = ThreadState::try_current() else { return 0 };
    if !ts.interp().is_main() {
        super::fatal::fatal_error("Py_FinalizeEx", "the attached thread state is not one of the main interpreter");
    }
    shut_down_threads(ts);
    finish_pending_calls(ts);
    call_atexit(ts);
    super::guards::wait_for_all(ts);
    super::subinterp::end_all(ts);
    let mut status = flush_streams(ts);
    runtime.finalizing.store(true, Ordering::Release);
    ts.interp().finalizing.set(true);
    stop_other_threads(ts);
    gc::collect_since_start(ts);
    finalize_modules(ts);
    if flush_streams(ts) < 0 {
        status = -1;
    }
    tear_down(ts);
    status
}

/// The same for a sub-interpreter, whose state is attached and which the caller has claimed; no state is attached
/// afterwards.
pub(super) fn end_sub_interpreter(ts: &ThreadState) {
    shut_down_threads(ts);
    finish_pending_calls(ts);
    call_atexit(ts);
    super::guards::wait_for_all(ts);
    flush_streams(ts);
    ts.interp().finalizing.set(true);
    stop_other_threads(ts);
    gc::collect_since_start(ts);
    finalize_modules(ts);
    flush_streams(ts);
    tear_down(ts);
}

fn swallow<T>(ts: &ThreadState, result: PyResult<T>, context: &str) {
    if let Err(raised) = result {
        report(ts, raised, context);
    }
}

fn report(ts: &ThreadState, raised: Raised, context: &str) {
    exc::write_unraisable(ts, raised, Some(context), none());
}

/// `threading._shutdown()`, if the module was ever imported.
fn shut_down_threads(ts: &ThreadState) {
    let Ok(modules) = crate::import::modules(ts) else { return };
    let name = match PyStr::intern(ts, "threading") {
        Ok(name) => name,
        Err(raised) => return ts.clear_raised(raised),
    };
    match modules.get_str(ts, &name) {
        Ok(Some(threading)) => {
            let result = crate::object::protocol::call_named(ts, &threading, "_shutdown", &[]);
            swallow(ts, result, "on threading shutdown");
        }
        Ok(None) => {}
        Err(raised) => ts.clear_raised(raised),
    }
    // Threads that `threading` does not know of.
    let result = crate::modules::_thread::join_all(ts);
    swallow(ts, result, "on threading shutdown");
}

/// Makes the calls that wait, as no one will later.
fn finish_pending_calls(ts: &ThreadState) {
    let result = super::pending::make(ts);
    swallow(ts, result, "in a pending call");
}

/// From here on no other thread gets the GIL: the daemon threads stop where they are, and their states end. They may
/// be inside a system call that writes to memory of the heap, which is then kept (see `destroy`).
fn stop_other_threads(ts: &ThreadState) {
    let interp = ts.interp();
    if interp.is_main() {
        attach::adopt_epoch(Runtime::get().close());
    } else {
        interp.close();
    }
    crate::modules::_thread::give_up_others(ts);
    interp.import_lock.free_of_others();
    // A collection in which a thread has stopped is over.
    interp.gc.collecting.set(false);
    // SAFETY: the GIL is ours, and the epoch closed.
    let now = unsafe { threads::end_others(ts) };
    let stopped = STOPPED.get();
    STOPPED.set(threads::Stopped {
        in_calls: stopped.in_calls + now.in_calls,
        with_native_code: stopped.with_native_code + now.with_native_code,
    });
}

/// Closes a runtime in which nothing was begun yet.
pub(super) fn close_and_forget() {
    let runtime = Runtime::get();
    runtime.close();
    let _states = runtime.states.lock();
    runtime.main_interpreter.store(core::ptr::null_mut(), Ordering::Release);
    runtime.interpreters.store(core::ptr::null_mut(), Ordering::Release);
    runtime.finalizing_thread.store(0, Ordering::Release);
    runtime.next_interpreter_id.store(0, Ordering::Relaxed);
    runtime.no_more_interpreters.store(false, Ordering::Release);
}

/// Calls what was registered with `atexit`, last first.
fn call_atexit(ts: &ThreadState) {
    let Some(callbacks) = ts.interp().atexit.take() else { return };
    let result = crate::modules::atexit::run(ts, &callbacks);
    swallow(ts, result, "in atexit callback");
}

/// Flushes `sys.stdout` and `sys.stderr`; -1 when the first fails.
pub fn flush_streams(ts: &ThreadState) -> i32 {
    let Some(sys) = ts.interp().sys_dict.get() else { return 0 };
    let mut status = 0;
    for (name, matters) in [(id!(stdout), true), (id!(stderr), false)] {
        let stream = match sys.get_str(ts, name) {
            Ok(Some(stream)) if !is_none(&stream) => stream,
            Ok(_) => continue,
            Err(raised) => {
                ts.clear_raised(raised);
                continue;
            }
        };
        if is_closed(ts, &stream) {
            continue;
        }
        if let Err(raised) = call::call_method(ts, &stream, id!(flush), &[]) {
            if matters {
                exc::write_unraisable(ts, raised, Some("flushing sys.stdout"), none());
                status = -1;
            } else {
                ts.clear_raised(raised);
            }
        }
    }
    status
}

fn is_closed(ts: &ThreadState, stream: &PyObject) -> bool {
    let closed = crate::object::attr::get_opt(ts, stream, id!(closed))
        .and_then(|c| c.map_or(Ok(false), |c| crate::object::protocol::is_true(ts, &c)));
    match closed {
        Ok(closed) => closed,
        Err(raised) => {
            ts.clear_raised(raised);
            false
        }
    }
}

/// Takes the modules apart: first they are let go in the reverse order of their import, then those that
/// something still holds lose their variables, `sys` and `builtins` last.
fn finalize_modules(ts: &ThreadState) {
    let interp = ts.interp();
    let Some(modules) = interp.modules.get() else { return };
    let special: [Option<PyRef>; 2] = [interp.sys_module.get(), interp.builtins_module.get()];
    let is_special = |module: &PyObject| special.iter().flatten().any(|s| s.is(module));
    reset_sys(ts);
    crate::modules::posix::process::forget_hooks(ts);
    let mut alive = TryVec::<Ref<PyWeakref>>::new();
    let mut position = 0;
    while let Some((_, module)) = modules.next(&mut position) {
        if module.is_a::<PyModule>() && !is_special(&module) {
            // Without the memory for it, a module that is held loses its variables right away.
            let noted = PyWeakref::new(ts, &module, None).and_then(|weak| Ok(alive.try_push(weak)?));
            if let Err(raised) = noted {
                ts.clear_raised(raised);
                clear_module(ts, &module);
            }
        }
    }
    // The reverse order of their import.
    loop {
        let last = {
            let mut position = 0;
            let mut last = None;
            while let Some((key, module)) = modules.next(&mut position) {
                if !is_special(&module) {
                    last = Some(key);
                }
            }
            last
        };
        let Some(key) = last else { break };
        if let Some(name) = key.downcast::<PyStr>() {
            note(ts, 1, format_args!("# cleanup[2] removing {name}"));
        }
        if modules.len() > 4096 {
            modules.clear(ts);
            break;
        }
        match modules.remove(ts, &key) {
            Ok(removed) => drop(removed),
            Err(raised) => {
                ts.clear_raised(raised);
                modules.clear(ts);
                break;
            }
        }
    }
    interp.importlib.set(None);
    gc::collect_since_start(ts);
    while let Some(weak) = alive.pop() {
        if let Some(module) = weakref::target(&weak) {
            clear_module(ts, &module);
        }
    }
    drop(alive);
    for module in special.iter().flatten() {
        clear_module(ts, module);
    }
    drop(modules);
    drop(special);
    interp.modules.set(None);
    gc::collect_since_start(ts);
}

/// Gives `sys` its own streams and hooks back and drops what the program has put there.
fn reset_sys(ts: &ThreadState) {
    let Some(sys) = ts.interp().sys_dict.get() else { return };
    let set = |name: &str, value: &PyObject| {
        let result = PyStr::intern(ts, name).and_then(|name| sys.set_str(ts, &name, value));
        if let Err(raised) = result {
            ts.clear_raised(raised);
        }
    };
    for name in [
        "path",
        "argv",
        "ps1",
        "ps2",
        "last_exc",
        "last_type",
        "last_value",
        "last_traceback",
        "__interactivehook__",
        "path_importer_cache",
        "meta_path",
        "path_hooks",
    ] {
        let known = PyStr::intern(ts, name).and_then(|name| sys.get_str(ts, &name));
        match known {
            Ok(Some(_)) => {
                note(ts, 1, format_args!("# clear sys.{name}"));
                set(name, none());
            }
            Ok(None) => {}
            Err(raised) => ts.clear_raised(raised),
        }
    }
    for (name, original) in [("stdin", "__stdin__"), ("stdout", "__stdout__"), ("stderr", "__stderr__")] {
        let original = PyStr::intern(ts, original).and_then(|name| sys.get_str(ts, &name));
        match original {
            Ok(Some(stream)) => {
                note(ts, 1, format_args!("# restore sys.{name}"));
                set(name, &stream);
            }
            Ok(None) => {}
            Err(raised) => ts.clear_raised(raised),
        }
    }
    note(ts, 1, format_args!("# clear builtins._"));
    if let Some(builtins) = ts.interp().builtins.get()
        && let Err(raised) = builtins.remove_str(ts, PyStr::latin1_char(b'_'))
    {
        ts.clear_raised(raised);
    }
}

/// Sets a module's variables to None: those that begin with one underscore first (`_PyModule_ClearDict`).
fn clear_module(ts: &ThreadState, module: &PyObject) {
    let Ok(dict) = module.cast::<PyModule>().dict(ts) else { return };
    if ts.interp().config().verbose > 0 {
        match module.cast::<PyModule>().name(ts) {
            Ok(name) => note(ts, 1, format_args!("# cleanup[3] wiping {name}")),
            Err(raised) => ts.clear_raised(raised),
        }
    }
    clear_variables(ts, &dict, true);
    clear_variables(ts, &dict, false);
}

fn clear_variables(ts: &ThreadState, dict: &PyDict, private: bool) {
    let mut position = 0;
    while let Some((key, value)) = dict.next(&mut position) {
        if is_none(&value) {
            continue;
        }
        let Some(name) = key.downcast::<PyStr>() else { continue };
        let underscore = |i: usize| name.len() > i && name.char_at(i) == '_' as u32;
        let is_private = underscore(0) && !underscore(1);
        if is_private != private || name.equals_str("__builtins__") {
            continue;
        }
        drop(value);
        note(ts, 2, format_args!("#   clear[{}] {name}", if private { 1 } else { 2 }));
        // The key is there already, so this allocates nothing.
        if let Err(raised) = dict.set(ts, &key, none()) {
            ts.clear_raised(raised);
        }
    }
}

/// Undoes everything that initialization has done so far, down to the heap.
pub(super) fn tear_down(ts: &ThreadState) {
    clear(ts);
    let interp = ts.interp();
    if interp.is_main() {
        destroy(ts, interp);
    } else {
        stop_other_threads(ts);
        let stopped = STOPPED.take();
        let is_shown = crate::modules::xi::buffers::is_shown(interp);
        super::subinterp::destroy(ts, stopped.in_calls != 0 || is_shown);
    }
}

/// Drops everything that the interpreter refers to, once. Nothing raises any more.
pub(super) fn clear(ts: &ThreadState) {
    if ts.interp().cleared.replace(true) {
        return;
    }
    let interp = ts.interp();
    interp.gc.enabled.set(false);
    interp.finalizing.set(true);
    // Initialization that has failed comes here as well.
    stop_other_threads(ts);
    let pending_calls = if interp.is_main() { &Runtime::get().pending_calls } else { &interp.pending_calls };
    pending_calls.belong_to(core::ptr::null());
    crate::modules::xi::forget_interpreter(interp.id);
    if interp.is_main() {
        crate::modules::xi::forget_all();
        super::subinterp::forget_path_0();
    }
    crate::modules::xi::buffers::take_back(ts);
    if interp.is_main() {
        crate::modules::faulthandler::finish(ts);
        crate::modules::_signal::restore_handlers(ts);
    } else {
        // The main one's tracer is asked where the rest was allocated before it goes (see `destroy`).
        crate::tracemalloc::stop(ts);
    }
    drop_roots(ts);
    gc::collect(ts, gc::GENERATIONS - 1);
    // What ended may have warned of something, for which modules' states were made anew.
    drop_roots(ts);
    interp.gc.garbage.set(None);
    interp.gc.callbacks.set(None);
    interp.spare.memory_error.set(None);
    exc::drop_spare(ts);
    interp.type_cache.stop(ts.heap());
    interp.clear_static_types();
    gc::collect(ts, gc::GENERATIONS - 1);
    interp.free_static_types();
    // SAFETY: no string is looked up any more.
    unsafe { (*interp.interned.get()).clear() };
    if interp.is_main() {
        crate::types::str::forget_static_hashes();
        crate::types::bytes::forget_static_hashes();
    }
    // SAFETY: no frame is left; nothing else uses the stack or the list.
    unsafe {
        (*ts.data_stack.get()).free(ts.heap());
        *ts.repr_running.get() = TryVec::new();
    }
}

/// Drops what the interpreter and its last thread refer to.
fn drop_roots(ts: &ThreadState) {
    let interp = ts.interp();
    for slot in [
        &ts.context,
        &ts.async_gen_firstiter,
        &ts.async_gen_finalizer,
        &ts.asyncio_running_task,
        &ts.asyncio_running_loop,
        &ts.dict,
        &ts.current_exception,
        &ts.exc_base.value,
        &ts.async_exception,
        &interp.importlib,
        &interp.import_function,
        &interp.atexit,
        &interp.sys_module,
        &interp.builtins_module,
        &interp.memory.callback,
    ] {
        slot.set(None);
    }
    interp.exit_callbacks.call_all();
    interp.monitoring.clear(interp);
    ts.trace.clear();
    ts.profile.clear();
    interp.codecs.clear();
    interp.audit_hooks.set(None);
    interp.native_state.set(None);
    interp.modules.set(None);
    interp.sys_dict.set(None);
    interp.builtins.set(None);
}

/// Names what is still alive in a heap, when that was asked for.
pub(super) fn report_live(heap: &Heap) {
    if REPORT_LIVE.get() {
        // A report that cannot be written has no one to tell.
        let _ = super::memstats::write_live(heap, &mut StandardError);
    }
}

/// The heap's figures are taken, then heap, interpreter and thread state go.
fn destroy(ts: &ThreadState, interp: &InterpreterState) {
    let places = super::leaks::note_places(ts);
    let mut figures = LAST.get().unwrap_or_default();
    figures.note_heap(interp.id, ts.heap());
    LAST.set(Some(figures));
    if interp.config().malloc_stats != 0 {
        super::mallocstats::print(ts.heap());
        set_arena_observer(None);
    }
    // D7: what is counted is what a walk finds.
    #[cfg(debug_assertions)]
    assert_eq!(ts.heap().check_counts(), Ok(()), "the heap's counters say something else than a walk");
    if figures.mem.live_blocks != 0 || figures.obj.live_blocks != 0 {
        report_live(ts.heap());
    }
    super::leaks::look(ts.heap(), places);
    super::image::forget();
    let runtime = Runtime::get();
    let heap = NonNull::from(ts.heap());
    // SAFETY: the configuration is not looked at any more.
    unsafe { (*interp.config.get()).clear() };
    stop_other_threads(ts);
    let stopped = STOPPED.take();
    figures.stopped_threads = stopped.with_native_code;
    figures.left_by_interpreters = runtime.left_by_interpreters.swap(0, Ordering::Relaxed);
    LAST.set(Some(figures));
    close_and_forget();
    crate::config::forget_preinitialization();
    crate::config::preset::withdraw();
    if runtime.initialized.load(Ordering::Acquire) {
        crate::config::preset::forget();
    }
    crate::import::inittab::forget_once();
    crate::object::reftrace::end();
    let ts = NonNull::from(ts);
    let interp = core::ptr::from_ref(interp).cast_mut();
    // SAFETY: the state is the attached one; the interpreter came from the raw domain. No other thread refers to them
    // or the heap any more: the epoch is closed.
    unsafe {
        threads::delete_current(ts);
        core::ptr::drop_in_place(interp);
        block::give(interp);
        if stopped.in_calls == 0 {
            Heap::destroy(heap);
        }
        // Else a thread that was stopped may be inside a system call that writes to a block of the heap when it ends:
        // the heap's memory stays as it is until the process ends.
    }
    runtime.initialized.store(false, Ordering::Release);
    runtime.finalizing.store(false, Ordering::Release);
    runtime.preinitialized.store(false, Ordering::Release);
}

/// Standard error without a buffer, for when there are no streams any more.
pub struct StandardError;

impl core::fmt::Write for StandardError {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: the slice is readable.
            let written = unsafe { libc::write(2, rest.as_ptr().cast(), rest.len()) };
            if written <= 0 {
                return Err(core::fmt::Error);
            }
            rest = &rest[written as usize..];
        }
        Ok(())
    }
}
