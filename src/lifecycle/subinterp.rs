//! Sub-interpreters: made, ended, and what finalization does with those that are left.
//!
//! ```text
//!   main                                     sub-interpreter
//!   ┌──────────────────────────┐             ┌──────────────────────────┐
//!   │ heap    GIL    versions  │ ◄─ may use ─│ sys, builtins, modules,  │   what may be shared: heap and GIL together,
//!   │ sys, builtins, modules … │             │ types' mutable parts,    │   or the GIL alone; a GIL of its own needs a
//!   └──────────────────────────┘             │ strings, codecs, atexit  │   heap of its own
//!                                            │ [heap] [GIL]             │
//!                                            └──────────────────────────┘
//! ```
//!
//! It is built by the same steps as the main one and ended by the same steps backwards (`init::build`,
//! `finalize::tear_down`), but for what belongs to the process.
//!
//! S1: an interpreter is in the runtime's list from before its first state is attached until its last one is gone.
//! S2: who ends one has claimed it (`ended_by`); who comes second leaves it to the first.
//! S3: what an interpreter with a heap of its own has not freed goes with the heap.

use core::ffi::c_int;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use hognose_allocators::{AllocatorName, Domain, Heap, HeapKind, Limit, Raw, TryVec};

use super::init;
use crate::config::{PyConfig, PyStatus, StatusResult, WideString};
use crate::modules::posix::path;
use crate::object::{PyObject, PyResult};
use crate::state::{InterpreterState, Runtime, ThreadState, Whence, attach, block, gils, threads};
use crate::sync::{Locked, RawLock, futex};
use crate::types::exceptions as exc;

/// `PyInterpreterConfig`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterpreterConfig {
    /// Use the main interpreter's heap.
    pub use_main_obmalloc: c_int,
    /// `os.fork` is allowed.
    pub allow_fork: c_int,
    /// `os.exec*` is allowed.
    pub allow_exec: c_int,
    /// Threads are allowed.
    pub allow_threads: c_int,
    /// Daemon threads are allowed.
    pub allow_daemon_threads: c_int,
    /// Extension modules have to say that they are for more than one interpreter.
    pub check_multi_interp_extensions: c_int,
    /// One of the three below.
    pub gil: c_int,
}

const _: () = assert!(size_of::<InterpreterConfig>() == 28);

/// `PyInterpreterConfig_DEFAULT_GIL`: as the next.
pub const DEFAULT_GIL: c_int = 0;
/// `PyInterpreterConfig_SHARED_GIL`: the main interpreter's.
pub const SHARED_GIL: c_int = 1;
/// `PyInterpreterConfig_OWN_GIL`.
pub const OWN_GIL: c_int = 2;

impl InterpreterConfig {
    /// What `Py_NewInterpreter` makes, and what the main interpreter is.
    pub const LEGACY: InterpreterConfig = InterpreterConfig {
        use_main_obmalloc: 1,
        allow_fork: 1,
        allow_exec: 1,
        allow_threads: 1,
        allow_daemon_threads: 1,
        check_multi_interp_extensions: 0,
        gil: SHARED_GIL,
    };
    /// Nothing shared.
    pub const ISOLATED: InterpreterConfig = InterpreterConfig {
        use_main_obmalloc: 0,
        allow_fork: 0,
        allow_exec: 0,
        allow_threads: 1,
        allow_daemon_threads: 0,
        check_multi_interp_extensions: 1,
        gil: OWN_GIL,
    };
    /// Nothing set.
    pub const EMPTY: InterpreterConfig = InterpreterConfig {
        use_main_obmalloc: 0,
        allow_fork: 0,
        allow_exec: 0,
        allow_threads: 0,
        allow_daemon_threads: 0,
        check_multi_interp_extensions: 0,
        gil: DEFAULT_GIL,
    };

    /// Refuses what contradicts itself, and says what that is.
    pub fn check(&self) -> StatusResult {
        const STEP: &core::ffi::CStr = c"init_interp_settings";
        if self.use_main_obmalloc == 0 && self.check_multi_interp_extensions == 0 {
            return Err(PyStatus::error_in(
                STEP,
                c"per-interpreter obmalloc does not support single-phase init extension modules",
            ));
        }
        match self.gil {
            DEFAULT_GIL | SHARED_GIL => Ok(()),
            OWN_GIL if self.use_main_obmalloc != 0 => Err(PyStatus::error_in(
                STEP,
                c"an interpreter with its own GIL can't use the main interpreter's obmalloc: \
                  gil is PyInterpreterConfig_OWN_GIL, so use_main_obmalloc must be 0",
            )),
            OWN_GIL => Ok(()),
            _ => Err(PyStatus::error_in(STEP, c"invalid interpreter config 'gil' value")),
        }
    }
}

const NO_LIMIT: Limit = Limit { soft: None, hard: None };

/// What a new interpreter is to have.
pub struct Settings {
    /// What Python knows of.
    pub python: InterpreterConfig,
    /// The kind of its heap; `None`: that of the process.
    pub allocator: Option<AllocatorName>,
    /// The limits of its heap, of mem and of obj.
    pub limits: [Limit; 3],
    /// Who makes it.
    pub whence: Whence,
}

impl Settings {
    /// The settings of Python, and nothing beyond.
    pub fn new(python: InterpreterConfig, whence: Whence) -> Settings {
        Settings { python, allocator: None, limits: [NO_LIMIT; 3], whence }
    }

    fn heap_kind(&self) -> StatusResult<HeapKind> {
        const STEP: &core::ffi::CStr = c"Hog_NewInterpreter";
        let Some(name) = self.allocator else { return Ok(hognose_allocators::heap_kind()) };
        if name == AllocatorName::Guard || name.has_debug_hooks() != has_hooks() {
            return Err(PyStatus::error_in(
                STEP,
                c"debug hooks and guard pages are chosen for the process, not for an interpreter",
            ));
        }
        name.heap_kind().map_err(|_| PyStatus::error_in(STEP, c"the allocator is not in this build"))
    }

    fn check(&self) -> StatusResult {
        self.python.check()?;
        if self.python.use_main_obmalloc == 0 {
            return Ok(());
        }
        if self.allocator.is_some() {
            return Err(PyStatus::error_in(
                c"Hog_NewInterpreter",
                c"use_main_obmalloc is set, so the interpreter has no heap whose allocator could be chosen",
            ));
        }
        if self.limits != [NO_LIMIT; 3] {
            return Err(PyStatus::error_in(
                c"Hog_NewInterpreter",
                c"use_main_obmalloc is set, so the interpreter has no heap that could be limited",
            ));
        }
        Ok(())
    }
}

/// Whether the process runs with debug hooks.
fn has_hooks() -> bool {
    hognose_allocators::current_name().is_some_and(AllocatorName::has_debug_hooks)
}

/// Counts the interpreters that have ended; who waits for one sleeps on it.
static ENDED: AtomicU32 = AtomicU32::new(0);

const TOO_LATE: PyStatus =
    PyStatus::error_in(c"Py_NewInterpreterFromConfig", c"the runtime finalizes: no interpreter can be made any more");

/// Makes an interpreter, whose first state is attached in place of `ts`, which stays as it was when that fails.
pub fn create(ts: &ThreadState, settings: &Settings) -> StatusResult<NonNull<ThreadState>> {
    settings.check()?;
    super::image::prepare(ts);
    let interp = allocate(settings)?;
    // SAFETY: made just now.
    let Ok(state) = (unsafe { threads::create(interp.as_ptr()) }) else {
        // SAFETY: no thread has come in: there is no state yet.
        unsafe {
            unlink(interp);
            release(interp);
        }
        return Err(PyStatus::no_memory());
    };
    // SAFETY: alive while it is in the list.
    let this = unsafe { interp.as_ref() };
    this.main_thread_state.set(state.as_ptr());
    this.pending_calls.belong_to(&raw const this.nobody);
    let before = NonNull::from(ts);
    attach::detach();
    attach::attach(state, "Py_NewInterpreterFromConfig");
    // SAFETY: attached.
    let new = unsafe { state.as_ref() };
    let built = init::build_all(new).and_then(|()| {
        insert_path_0_of_main(new).map_err(|raised| {
            new.clear_raised(raised);
            PyStatus::no_memory()
        })
    });
    match built {
        Ok(()) => Ok(state),
        Err(status) => {
            // Finalization may have claimed it meanwhile: then this waits for ever.
            claim(this);
            // SAFETY: attached.
            super::finalize::tear_down(unsafe { state.as_ref() });
            attach::attach(before, "Py_NewInterpreterFromConfig");
            Err(status)
        }
    }
}

/// What the program that runs in the main interpreter has first on `sys.path`: the others have it as well.
static PATH_0: Locked<TryVec<u8, Raw>> = Locked::new(TryVec::new_in(Raw));
/// Whether there is such a thing; it may be empty, which is the working directory.
static HAS_PATH_0: AtomicBool = AtomicBool::new(false);

/// Notes what the main interpreter's program has first on `sys.path`.
pub fn set_path_0(ts: &ThreadState, directory: &PyObject) -> PyResult<()> {
    let name = path::fs_encode(ts, directory)?;
    let mut copy = TryVec::new_in(Raw);
    copy.try_extend_from_copy(&name)?;
    let old = core::mem::replace(&mut *PATH_0.lock(), copy);
    HAS_PATH_0.store(true, Ordering::Release);
    drop(old);
    Ok(())
}

/// Forgets it, at the end of the runtime.
pub fn forget_path_0() {
    HAS_PATH_0.store(false, Ordering::Release);
    drop(core::mem::take(&mut *PATH_0.lock()));
}

/// The lock of what [`set_path_0`] notes, for the time of a fork.
pub fn path_0_lock() -> &'static RawLock {
    &PATH_0.lock
}

fn insert_path_0_of_main(ts: &ThreadState) -> PyResult<()> {
    if !HAS_PATH_0.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut name = TryVec::<u8, Raw>::new_in(Raw);
    let copied = name.try_extend_from_copy(&PATH_0.lock());
    copied?;
    let name = path::fs_decode(ts, &name)?;
    init::insert_path_0(ts, &name.into_object())
}

/// `PyInterpreterState_New`: an interpreter in the list with nothing built in it.
pub fn create_bare() -> StatusResult<NonNull<InterpreterState>> {
    allocate(&Settings::new(InterpreterConfig::LEGACY, Whence::Unknown))
}

/// The configuration of a sub-interpreter: the main one's, without its arguments.
fn config_of(main: &InterpreterState) -> StatusResult<PyConfig> {
    let mut config = main.config().try_clone()?;
    config.argv.clear();
    match WideString::from_text("").and_then(|empty| config.argv.push(empty)) {
        Ok(()) => Ok(config),
        Err(no_memory) => {
            config.clear();
            Err(no_memory.into())
        }
    }
}

/// [`config_of`] the main interpreter, which is there as long as a state of any is attached.
pub(super) fn config_for(_attached: &ThreadState) -> StatusResult<PyConfig> {
    // SAFETY: see there.
    match unsafe { Runtime::get().main_interpreter.load(Ordering::Acquire).as_ref() } {
        Some(main) => config_of(main),
        None => Err(PyStatus::error_in(c"Py_NewInterpreterFromConfig", c"Py_Initialize must be called first")),
    }
}

/// Heap, GIL and the interpreter itself, which is put into the list.
fn allocate(settings: &Settings) -> StatusResult<NonNull<InterpreterState>> {
    let runtime = Runtime::get();
    // SAFETY: the main interpreter is alive while a state of any is attached.
    let Some(main) = (unsafe { runtime.main_interpreter.load(Ordering::Acquire).as_ref() }) else {
        return Err(PyStatus::error_in(c"Py_NewInterpreterFromConfig", c"Py_Initialize must be called first"));
    };
    if runtime.no_more_interpreters.load(Ordering::Acquire) {
        return Err(TOO_LATE);
    }
    let python = settings.python;
    let own_heap = python.use_main_obmalloc == 0;
    let kind = settings.heap_kind()?;
    let mut config = config_of(main)?;
    let heap = if own_heap { Heap::new(kind) } else { Ok(NonNull::from(main.heap())) };
    let Ok(heap) = heap else {
        config.clear();
        return Err(PyStatus::no_memory());
    };
    let memory = block::take::<InterpreterState>();
    let last_state = block::take::<ThreadState>();
    let gil = (python.gil == OWN_GIL).then(gils::lend).transpose();
    let limited = || -> StatusResult {
        for (scope, limit) in super::pressure::SCOPES.into_iter().zip(settings.limits) {
            if own_heap && limit != NO_LIMIT {
                // SAFETY: made above, and nobody else's yet.
                unsafe { heap.as_ref() }.set_limit(scope, limit).map_err(|_| {
                    PyStatus::error_in(c"Hog_NewInterpreter", c"a soft limit of memory is above the hard one")
                })?;
            }
        }
        Ok(())
    };
    let failed = match (&gil, limited()) {
        (_, Err(status)) => Some(status),
        (Ok(_), Ok(())) if !memory.is_null() && !last_state.is_null() => None,
        _ => Some(PyStatus::no_memory()),
    };
    if let Some(status) = failed {
        if let Ok(Some(gil)) = gil {
            gils::give_back(gil);
        }
        config.clear();
        // SAFETY: taken above; nobody knows of them.
        unsafe {
            block::give(memory);
            block::give(last_state);
            if own_heap {
                Heap::destroy(heap);
            }
        }
        return Err(status);
    }
    let states = runtime.states.lock();
    let id = runtime.next_interpreter_id.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the block has the struct's size; it is written before it is looked at. Nobody else knows it yet.
    let interp = unsafe {
        memory.write(InterpreterState::new(heap, id));
        *(*memory).config.get() = config;
        &*memory
    };
    if own_heap {
        interp.heap().set_label(id);
    } else {
        interp.share_heap_of(main);
    }
    if let Ok(Some(gil)) = gil {
        interp.set_own_gil(gil);
    }
    interp.last_state.set(last_state);
    interp.whence.set(settings.whence);
    interp.made_with.set(python);
    interp.allows.threads.set(python.allow_threads != 0);
    interp.allows.daemon_threads.set(python.allow_daemon_threads != 0);
    interp.allows.fork.set(python.allow_fork != 0);
    interp.allows.exec.set(python.allow_exec != 0);
    interp.allows.single_phase.set(python.check_multi_interp_extensions == 0);
    if interp.config().int_max_str_digits >= 0 {
        interp.int_max_str_digits.set(interp.config().int_max_str_digits as usize);
    }
    interp.next.set(runtime.interpreters.load(Ordering::Relaxed));
    runtime.interpreters.store(memory, Ordering::Release);
    drop(states);
    Ok(NonNull::from(interp))
}

/// Takes an interpreter out of the list. S1.
///
/// # Safety
/// It is in the list.
unsafe fn unlink(interp: NonNull<InterpreterState>) {
    let runtime = Runtime::get();
    let _states = runtime.states.lock();
    // SAFETY: the caller's promise; what is in the list is alive while `states` is held.
    unsafe {
        let next = interp.as_ref().next.get();
        let first = runtime.interpreters.load(Ordering::Relaxed);
        if ptr::eq(first, interp.as_ptr()) {
            runtime.interpreters.store(next, Ordering::Release);
            return;
        }
        let mut at = first;
        while let Some(this) = at.as_ref() {
            if ptr::eq(this.next.get(), interp.as_ptr()) {
                this.next.set(next);
                return;
            }
            at = this.next.get();
        }
    }
}

/// Frees an interpreter that is in no list, with its heap.
///
/// # Safety
/// No thread state is left, and nobody uses it any more; its heap holds nothing that is in use.
unsafe fn release(interp: NonNull<InterpreterState>) {
    // SAFETY: the caller's promise.
    unsafe {
        let this = interp.as_ref();
        let heap = this.owns_heap.get().then(|| NonNull::from(this.heap()));
        let gil = this.own_gil();
        (*this.config.get()).clear();
        block::give(this.last_state.replace(ptr::null_mut()));
        ptr::drop_in_place(interp.as_ptr());
        block::give(interp.as_ptr());
        if let Some(heap) = heap {
            Heap::destroy(heap);
        }
        if let Some(gil) = gil {
            gils::give_back(gil);
        }
    }
}

/// S2. The thread stays here for ever when another one ends the interpreter already.
fn claim(interp: &InterpreterState) {
    let me = crate::sync::thread_ident();
    if let Err(other) = interp.ended_by.compare_exchange(0, me, Ordering::AcqRel, Ordering::Acquire)
        && other != me
    {
        attach::detach();
        attach::hang();
    }
}

/// Ends the interpreter of the attached state (`Py_EndInterpreter`), which is not the main one: no state is attached
/// afterwards. The states of its other threads are ended as well.
pub fn end(ts: &ThreadState) {
    claim(ts.interp());
    super::finalize::end_sub_interpreter(ts);
}

/// The last step of an interpreter's end: state, interpreter and heap go. `keep_heap`: a thread that was stopped may be
/// inside a system call that writes to it.
pub(super) fn destroy(ts: &ThreadState, keep_heap: bool) {
    let interp = NonNull::from(ts.interp());
    let this = ts.interp();
    if this.owns_heap.get() {
        #[cfg(debug_assertions)]
        assert_eq!(this.heap().check_counts(), Ok(()), "the heap's counters say something else than a walk");
        if keep_heap {
            // What the thread holds is no leak of the interpreter's, and cannot be told from one.
            this.owns_heap.set(false);
        } else {
            let left: usize =
                [Domain::Mem, Domain::Obj].into_iter().map(|domain| this.heap().stats(domain).live_blocks).sum();
            Runtime::get().left_by_interpreters.fetch_add(left as u64, Ordering::Relaxed);
            if left != 0 {
                super::finalize::report_live(this.heap());
            }
        }
    }
    // SAFETY: the state is the attached one, and the last. No other thread refers to them or the heap any more: the
    // interpreter is closed, and not in the list from here on. Its GIL stays what it is.
    unsafe {
        threads::delete_current_after(NonNull::from(ts), || unlink(interp));
        release(interp);
    }
    ENDED.fetch_add(1, Ordering::Release);
    futex::wake(&raw const ENDED, i32::MAX);
}

/// `PyInterpreterState_Clear`; false when `ts` is not a state that may do that.
pub fn clear(ts: &ThreadState, interp: &InterpreterState) -> bool {
    if ptr::eq(ts.interp(), interp) {
        claim(interp);
        super::finalize::clear(ts);
        return true;
    }
    // Nothing was built in it, so it has nothing but a dictionary that C code has asked for.
    let is_bare = !interp.type_cache.is_started() && ptr::eq(ts.interp().gil(), interp.gil());
    if is_bare {
        interp.native_state.set(None);
        interp.cleared.set(true);
    }
    is_bare
}

/// `PyInterpreterState_Delete`; false when there are thread states, and none is attached.
///
/// # Safety
/// The interpreter was cleared, and is not used again.
pub unsafe fn delete(interp: NonNull<InterpreterState>) -> bool {
    // SAFETY: the caller's promise.
    let this = unsafe { interp.as_ref() };
    match ThreadState::try_current() {
        Some(ts) if ptr::eq(ts.interp(), this) => super::finalize::tear_down(ts),
        Some(ts) => end_bare(ts, this),
        None if this.threads.get().is_null() => {
            // SAFETY: the caller's promise, and it has no state.
            unsafe { delete_bare(interp) }
        }
        None => return false,
    }
    true
}

/// # Safety
/// The interpreter is in the list, was cleared, has no thread state, and is not used again.
unsafe fn delete_bare(interp: NonNull<InterpreterState>) {
    // SAFETY: the caller's promise.
    unsafe {
        unlink(interp);
        release(interp);
    }
}

/// What finalization finds.
enum Left {
    /// One that it has claimed.
    Claimed(NonNull<InterpreterState>),
    /// Only such as other threads are ending.
    Busy,
    /// None.
    None,
}

fn find_left() -> Left {
    let runtime = Runtime::get();
    let _states = runtime.states.lock();
    let mut at = runtime.interpreters.load(Ordering::Acquire).cast_const();
    let mut left = Left::None;
    // SAFETY: what is in the list is alive while `states` is held.
    while let Some(interp) = unsafe { at.as_ref() } {
        if !interp.is_main() {
            let me = crate::sync::thread_ident();
            if interp.ended_by.compare_exchange(0, me, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Left::Claimed(NonNull::from(interp));
            }
            left = Left::Busy;
        }
        at = interp.next.get();
    }
    left
}

/// Ends the sub-interpreters that are left when the main one, whose state is attached, finalizes. Threads that run in
/// them are stopped at their next boundary.
pub(super) fn end_all(ts: &ThreadState) {
    let runtime = Runtime::get();
    runtime.no_more_interpreters.store(true, Ordering::Release);
    let main = NonNull::from(ts);
    let mut warned = false;
    loop {
        let ended = ENDED.load(Ordering::Acquire);
        match find_left() {
            Left::None => return,
            Left::Busy => {
                attach::without_gil(ts, || futex::wait(&ENDED, ended, Some(futex::now() + 10_000_000)));
            }
            Left::Claimed(interp) => {
                if !warned {
                    warned = true;
                    warn(ts);
                }
                // SAFETY: claimed, so nobody else ends it.
                let this = unsafe { interp.as_ref() };
                if this.type_cache.is_started() {
                    let memory = this.last_state.replace(ptr::null_mut());
                    // SAFETY: the block is the interpreter's, and as large as a state.
                    let state = unsafe { threads::create_in(memory, this) };
                    attach::detach();
                    attach::attach(state, "Py_FinalizeEx");
                    // SAFETY: attached.
                    super::finalize::end_sub_interpreter(unsafe { state.as_ref() });
                    attach::attach(main, "Py_FinalizeEx");
                } else {
                    end_bare(ts, this);
                }
            }
        }
    }
}

/// Ends an interpreter in which nothing was built.
fn end_bare(ts: &ThreadState, interp: &InterpreterState) {
    interp.close();
    threads::end_all_of(ts, interp);
    // SAFETY: nothing is left of it.
    unsafe { delete_bare(NonNull::from(interp)) };
}

fn warn(ts: &ThreadState) {
    let text = "remaining subinterpreters; close them with Interpreter.close()";
    if let Err(raised) = exc::warn(ts, &exc::RuntimeWarning, text, 0) {
        exc::write_unraisable(ts, raised, None, crate::types::none::none());
    }
}

/// The interpreter of that number, if there is one and nobody ends it, and what a function makes of it while it cannot
/// go.
pub fn with_id<R>(id: i64, f: impl FnOnce(&InterpreterState) -> R) -> Option<R> {
    let runtime = Runtime::get();
    let _states = runtime.states.lock();
    let mut at = runtime.interpreters.load(Ordering::Acquire).cast_const();
    // SAFETY: what is in the list is alive while `states` is held.
    while let Some(interp) = unsafe { at.as_ref() } {
        if interp.id == id {
            return Some(f(interp));
        }
        at = interp.next.get();
    }
    None
}
