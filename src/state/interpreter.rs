//! The state of one interpreter.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use hognose_allocators::collections::TryVec;
use hognose_allocators::{Heap, NoMemory};

use super::gil::Gil;
use super::pending::PendingCalls;
use super::thread::ThreadState;
use crate::object::gc::Collector;
use crate::object::typecache::TypeCache;
use crate::object::{PyObject, PyTypeObject, Slot};
use crate::sync::Mutex;
use crate::sync::section::MUTEXES;
use crate::types::dict::PyDict;
use crate::types::list::PyList;
use crate::types::str::InternTable;
use crate::types::tuple::PyTuple;
use crate::vm::monitoring::Monitoring;

/// What is mutable about a built-in static type, in one interpreter.
#[derive(Default)]
pub struct StaticTypeState {
    /// The type, when it is ready in this interpreter.
    pub typ: Cell<Option<&'static crate::object::StaticType>>,
    /// `tp_dict`.
    pub dict: Slot<PyDict>,
    /// `tp_bases`.
    pub bases: Slot<PyTuple>,
    /// `tp_mro`.
    pub mro: Slot<PyTuple>,
    /// Subclasses, as weak references keyed by address.
    pub subclasses: Slot<PyDict>,
    /// Head of the list of weak references to the type.
    pub weaklist: crate::object::weakref::WeakrefList,
}

/// What an interpreter has made ready for being out of memory.
#[derive(Default)]
pub struct Spare {
    /// A MemoryError for when none can be made, with room for its traceback.
    pub memory_error: Slot<PyObject>,
}

/// Where versions for the inline caches come from. Interpreters that share a heap share one: objects get from one to
/// the other there, and a version may not mean two things.
pub struct Versions {
    /// The next version tag for a type.
    pub next_type: Cell<u32>,
    /// Function objects get versions from here, for the specialized calls.
    pub next_function: Cell<u32>,
    /// Dictionary keys get versions from here, for the specialized look-ups.
    pub next_keys: Cell<u32>,
}

impl Versions {
    /// Those of a new heap.
    pub(crate) const fn new() -> Versions {
        Versions { next_type: Cell::new(FIRST_HEAP_TYPE_VERSION), next_function: Cell::new(1), next_keys: Cell::new(1) }
    }

    /// Each kind.
    pub(crate) fn all(&self) -> [&Cell<u32>; 3] {
        [&self.next_type, &self.next_function, &self.next_keys]
    }
}

/// Who has made an interpreter (`_interpreters.whence`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Whence {
    /// `PyInterpreterState_New`.
    Unknown = 0,
    /// Initialization.
    Runtime = 1,
    /// `Py_NewInterpreter`.
    LegacyCApi = 2,
    /// `Py_NewInterpreterFromConfig`.
    CApi = 3,
    /// C code, for another purpose than running programs.
    CrossInterpreter = 4,
    /// The module `_interpreters`.
    Stdlib = 5,
}

/// What an interpreter's configuration lets Python code do (`PyInterpreterConfig`).
pub struct Allows {
    /// Start threads.
    pub threads: Cell<bool>,
    /// Start daemon threads.
    pub daemon_threads: Cell<bool>,
    /// `os.fork`.
    pub fork: Cell<bool>,
    /// `os.exec*`.
    pub exec: Cell<bool>,
    /// Import extension modules that do not say that they are for more than one interpreter.
    pub single_phase: Cell<bool>,
}

impl Default for Allows {
    /// Everything, as the main interpreter does.
    fn default() -> Allows {
        Allows {
            threads: Cell::new(true),
            daemon_threads: Cell::new(true),
            fork: Cell::new(true),
            exec: Cell::new(true),
            single_phase: Cell::new(true),
        }
    }
}

/// Calls that a C program wants made at the end of an interpreter (`PyUnstable_AtExit`).
#[derive(Default)]
pub struct ExitCallbacks(UnsafeCell<TryVec<(ExitCallback, *mut c_void)>>);

type ExitCallback = unsafe extern "C" fn(*mut c_void);

impl ExitCallbacks {
    /// Adds a call.
    pub fn push(&self, callback: ExitCallback, data: *mut c_void) -> Result<(), NoMemory> {
        // SAFETY: the list is used under the GIL, and never across a call.
        unsafe { &mut *self.0.get() }.try_push((callback, data))
    }

    /// Makes the calls in their order, also those that are added meanwhile, and forgets them.
    pub fn call_all(&self) {
        let mut index = 0;
        // SAFETY: as in `push`: the borrow ends with the copy.
        while let Some((callback, data)) = unsafe { &*self.0.get() }.get(index).copied() {
            index += 1;
            // SAFETY: the C program has promised that its function can be called.
            unsafe { callback(data) };
        }
        // SAFETY: as in `push`.
        unsafe { *self.0.get() = TryVec::new() };
    }
}

/// One interpreter: everything that its Python code can see or change; see [`block`](super::block) for its alignment.
#[repr(C, align(128))]
pub struct InterpreterState {
    heap: NonNull<Heap>,
    /// Unique in the process; the main interpreter's is 0.
    pub id: i64,
    /// The interpreter's thread states, the newest first. Changed under `Runtime::states`.
    pub threads: Cell<*mut ThreadState>,
    /// The GIL: the runtime's, or one of its own, which lives as long as it.
    gil: Cell<*const Gil>,
    /// The GIL is one of its own.
    has_own_gil: Cell<bool>,
    /// The heap is one of its own.
    pub(crate) owns_heap: Cell<bool>,
    /// The thread that ends the interpreter, the only one that may attach a state of it; 0 while it is open. Changed
    /// under `Runtime::states`.
    closed_by: AtomicU64,
    /// The same thread, from when it has begun: who comes second leaves it to the first.
    pub(crate) ended_by: AtomicU64,
    /// Who has made it.
    pub whence: Cell<Whence>,
    /// How many references by number there are (`_interpreters.incref`), and whether the last one's end is its own.
    pub references: AtomicI64,
    /// See there.
    pub ends_unreferenced: AtomicBool,
    /// A thread runs code in `__main__` by `_interpreters` or `Py_RunMain`.
    pub runs_main: AtomicBool,
    /// `PyInterpreterState_Clear`, or its end.
    pub cleared: Cell<bool>,
    /// The configuration that it was made with.
    pub made_with: Cell<crate::lifecycle::subinterp::InterpreterConfig>,
    /// How many of its buffers other interpreters may look at, and what they have given back.
    pub(crate) shown: Cell<usize>,
    pub(crate) given_back: AtomicPtr<crate::modules::xi::buffers::Record>,
    /// Memory for the thread state in which finalization ends it, which needs none then.
    pub(crate) last_state: Cell<*mut ThreadState>,
    /// Brings pending calls to nobody's attention: who adds one tells the threads.
    pub(crate) nobody: super::thread::EvalBreaker,
    /// The state of the thread that has made the interpreter.
    pub main_thread_state: Cell<*mut ThreadState>,
    /// What `_thread` knows of the threads that it has started.
    pub thread_records: crate::modules::_thread::Records,
    /// How many statements the basic prompt has run: each has a file name of its own.
    pub interactive_statements: Cell<u32>,
    /// `_thread.stack_size`: of new threads, in bytes; 0 is the system's own.
    pub thread_stack_size: Cell<usize>,
    /// The import lock (`_imp.acquire_lock`).
    pub import_lock: crate::import::ImportLock,
    /// Calls that wait for a thread of this interpreter; the main one's are the runtime's.
    pub pending_calls: PendingCalls,
    /// The locks of objects in critical sections.
    pub object_mutexes: [Mutex; MUTEXES],
    /// What the interpreter's configuration lets Python code do.
    pub allows: Allows,
    /// How many guards keep the interpreter from finalizing (PEP 788).
    pub guards: AtomicU32,
    /// The limit that `sys.setrecursionlimit` sets.
    pub recursion_limit: Cell<i32>,
    /// `sys.modules`.
    pub modules: Slot<PyDict>,
    /// The dictionary of `sys`.
    pub sys_dict: Slot<PyDict>,
    /// The dictionary of `builtins`.
    pub builtins: Slot<PyDict>,
    /// The `sys` module.
    pub sys_module: Slot<PyObject>,
    /// The `builtins` module.
    pub builtins_module: Slot<PyObject>,
    /// `importlib._bootstrap`.
    pub importlib: Slot<PyObject>,
    /// `builtins.__import__` as it was at start-up; `IMPORT_NAME` takes a short way when it is still there.
    pub import_function: Slot<PyObject>,
    /// Interned strings.
    pub interned: UnsafeCell<InternTable>,
    /// Method look-ups.
    pub type_cache: TypeCache,
    /// The mutable parts of the built-in types, by [`PyTypeObject::tp_subclasses`] index.
    pub(crate) static_types: UnsafeCell<TryVec<StaticTypeState>>,
    /// How many built-in types' dictionaries are being filled.
    pub static_types_in_making: Cell<u32>,
    /// A part of a built-in type could not be made for want of memory: the next exception is a MemoryError.
    pub static_type_failed: Cell<bool>,
    /// No part of a built-in type is made any more: the interpreter ends.
    pub static_types_closed: Cell<bool>,
    /// The cycle collector.
    pub gc: Collector,
    /// Ready-made objects for being out of memory.
    pub spare: Spare,
    /// What happens past a soft limit of memory.
    pub memory: crate::lifecycle::pressure::MemoryPolicy,
    /// Codec search functions, error handlers, and the cache of look-ups (`_codecs`).
    pub codecs: crate::modules::_codecs::CodecState,
    /// Versions for the inline caches, when the heap is its own.
    pub(crate) own_versions: Versions,
    /// Those that it uses.
    versions: Cell<*const Versions>,
    /// What tools want to be told of (PEP 669).
    pub monitoring: Monitoring,
    /// What runs frames, when it is not the evaluation loop (PEP 523).
    pub evaluator: crate::vm::evaluator::Evaluator,
    /// Set from the start of finalization on.
    pub finalizing: Cell<bool>,
    /// The effective configuration.
    pub config: UnsafeCell<crate::config::layout::PyConfig>,
    /// `atexit` callbacks, last registered last: a list of (function, args, kwargs).
    pub atexit: Slot<PyObject>,
    /// Calls of C programs at the end.
    pub exit_callbacks: ExitCallbacks,
    /// Per-module native state that has no better place, by module name.
    pub native_state: Slot<PyDict>,
    /// Who is told of audit events (see `modules/sys/auditing`); empty when nobody is.
    pub audit_hooks: Slot<PyList>,
    /// `int_max_str_digits`.
    pub int_max_str_digits: Cell<usize>,
    /// What records allocations, while tracemalloc traces; or null.
    pub tracer: Cell<*mut crate::tracemalloc::Tracer>,
    /// `tracemalloc.get_traceback_limit()`.
    pub traceback_limit: Cell<usize>,
    /// `sys.getdlopenflags()`.
    pub dlopen_flags: Cell<i32>,
    /// `-X importtime`.
    pub import_times: crate::import::ImportTimes,
    /// The next interpreter of the runtime.
    pub next: Cell<*mut InterpreterState>,
}

impl InterpreterState {
    /// An interpreter on `heap`, which it owns from now on.
    pub(crate) fn new(heap: NonNull<Heap>, id: i64) -> InterpreterState {
        InterpreterState {
            heap,
            id,
            threads: Cell::new(core::ptr::null_mut()),
            gil: Cell::new(super::attach::shared_gil()),
            has_own_gil: Cell::new(false),
            owns_heap: Cell::new(true),
            closed_by: AtomicU64::new(0),
            ended_by: AtomicU64::new(0),
            whence: Cell::new(Whence::Runtime),
            references: AtomicI64::new(0),
            ends_unreferenced: AtomicBool::new(false),
            runs_main: AtomicBool::new(false),
            cleared: Cell::new(false),
            made_with: Cell::new(crate::lifecycle::subinterp::InterpreterConfig::LEGACY),
            shown: Cell::new(0),
            given_back: AtomicPtr::new(core::ptr::null_mut()),
            last_state: Cell::new(core::ptr::null_mut()),
            nobody: super::thread::EvalBreaker::new(),
            main_thread_state: Cell::new(core::ptr::null_mut()),
            thread_records: crate::modules::_thread::Records::new(),
            interactive_statements: Cell::new(0),
            thread_stack_size: Cell::new(0),
            import_lock: crate::import::ImportLock::new(),
            pending_calls: PendingCalls::new(),
            object_mutexes: [const { Mutex::new() }; MUTEXES],
            allows: Allows::default(),
            guards: AtomicU32::new(0),
            recursion_limit: Cell::new(1000),
            modules: Slot::empty(),
            sys_dict: Slot::empty(),
            builtins: Slot::empty(),
            sys_module: Slot::empty(),
            builtins_module: Slot::empty(),
            importlib: Slot::empty(),
            import_function: Slot::empty(),
            interned: UnsafeCell::new(InternTable::new()),
            type_cache: TypeCache::new(),
            static_types: UnsafeCell::new(TryVec::new()),
            static_types_in_making: Cell::new(0),
            static_type_failed: Cell::new(false),
            static_types_closed: Cell::new(false),
            gc: Collector::new(),
            spare: Spare::default(),
            memory: crate::lifecycle::pressure::MemoryPolicy::default(),
            codecs: crate::modules::_codecs::CodecState::default(),
            own_versions: Versions::new(),
            versions: Cell::new(core::ptr::null()),
            monitoring: Monitoring::new(),
            evaluator: crate::vm::evaluator::Evaluator::new(),
            finalizing: Cell::new(false),
            config: UnsafeCell::new(crate::config::layout::PyConfig::zeroed()),
            atexit: Slot::empty(),
            exit_callbacks: ExitCallbacks::default(),
            native_state: Slot::empty(),
            audit_hooks: Slot::empty(),
            int_max_str_digits: Cell::new(4300),
            tracer: Cell::new(core::ptr::null_mut()),
            traceback_limit: Cell::new(1),
            dlopen_flags: Cell::new(libc::RTLD_NOW),
            import_times: crate::import::ImportTimes::default(),
            next: Cell::new(core::ptr::null_mut()),
        }
    }

    /// Calls `f` with each thread state of the interpreter; it may not let the GIL go.
    pub fn for_each_thread(&self, f: impl FnMut(&ThreadState)) {
        super::threads::for_each(self, f);
    }

    /// The interpreter's heap.
    #[inline(always)]
    pub fn heap(&self) -> &Heap {
        // SAFETY: the interpreter owns the heap and destroys it after itself.
        unsafe { self.heap.as_ref() }
    }

    /// The GIL that the interpreter's threads need.
    #[inline(always)]
    pub fn gil(&self) -> &Gil {
        // SAFETY: the runtime's is a static; the memory of the others is one for ever.
        unsafe { &*self.gil.get() }
    }

    /// Whether it is the main interpreter.
    #[inline]
    pub fn is_main(&self) -> bool {
        self.id == 0
    }

    /// Whether the GIL is one of its own.
    pub fn has_own_gil(&self) -> bool {
        self.has_own_gil.get()
    }

    /// Gives the interpreter, which nobody knows yet, a GIL of its own.
    pub(crate) fn set_own_gil(&self, gil: NonNull<Gil>) {
        self.gil.set(gil.as_ptr());
        self.has_own_gil.set(true);
    }

    /// The GIL of its own, if it has one.
    pub(crate) fn own_gil(&self) -> Option<NonNull<Gil>> {
        if self.has_own_gil.get() { NonNull::new(self.gil.get().cast_mut()) } else { None }
    }

    /// Has the interpreter, which nobody knows yet, use the heap and the versions of another one.
    pub(crate) fn share_heap_of(&self, other: &InterpreterState) {
        self.owns_heap.set(false);
        self.versions.set(other.versions());
    }

    /// Where versions for the inline caches come from.
    #[inline]
    pub fn versions(&self) -> &Versions {
        // SAFETY: null, or those of the main interpreter, which ends last.
        unsafe { self.versions.get().as_ref() }.unwrap_or(&self.own_versions)
    }

    /// Whether the interpreter is being ended by another thread than the given one.
    pub fn is_closed_to(&self, thread: u64) -> bool {
        let closed_by = self.closed_by.load(Ordering::Acquire);
        closed_by != 0 && closed_by != thread
    }

    /// Lets no thread attach a state any more but the calling one, which holds the GIL.
    pub(crate) fn close(&self) {
        let runtime = super::Runtime::get();
        let _states = runtime.states.lock();
        self.closed_by.store(crate::sync::thread_ident(), Ordering::Release);
        // Attach's A4.
        runtime.states_ended_elsewhere.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn gil_ptr(&self) -> *const Gil {
        self.gil.get()
    }

    pub(crate) fn heap_ptr(&self) -> *const Heap {
        self.heap.as_ptr()
    }

    /// The effective configuration.
    pub fn config(&self) -> &crate::config::layout::PyConfig {
        // SAFETY: it is written once, before the interpreter runs code.
        unsafe { &*self.config.get() }
    }

    /// The mutable part of a built-in type, when the type is ready in this interpreter.
    #[inline]
    pub fn static_type(&self, of: &PyTypeObject) -> Option<&StaticTypeState> {
        let index = of.tp_subclasses.get().addr();
        // SAFETY: entries are only appended, by `add_static_type`, which invalidates no use of one:
        // the references do not outlive single look-ups.
        let states = unsafe { &*self.static_types.get() };
        // Index 0 means "never made ready in this process".
        if index == 0 { None } else { states.get(index - 1) }
    }

    /// Calls `f` with each built-in type that is ready in this interpreter, in the order in which they became so in
    /// the process.
    pub(crate) fn each_static_type<E>(
        &self,
        mut f: impl FnMut(&'static crate::object::StaticType) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut index = 0;
        loop {
            // SAFETY: see `static_type`: the borrow ends before `f` runs.
            let state = unsafe { &*self.static_types.get() }.get(index).map(|state| state.typ.get());
            match state {
                None => return Ok(()),
                Some(Some(typ)) => f(typ)?,
                Some(None) => {}
            }
            index += 1;
        }
    }

    /// Makes room for the mutable part of the built-in type with the given index (1-based).
    pub(crate) fn add_static_type(&self, index: usize) -> Result<(), NoMemory> {
        // SAFETY: see `static_type`.
        let states = unsafe { &mut *self.static_types.get() };
        states.try_reserve(index.saturating_sub(states.len()))?;
        while states.len() < index {
            states.try_push(StaticTypeState::default())?;
        }
        Ok(())
    }

    /// Drops the mutable parts of all built-in types: the last objects but one to go in finalization.
    pub(crate) fn clear_static_types(&self) {
        self.static_types_closed.set(true);
        // SAFETY: each slot is emptied by itself; what is dropped cannot run Python code any more.
        let states = unsafe { &*self.static_types.get() };
        for state in states.iter() {
            state.subclasses.set(None);
        }
        for state in states.iter() {
            state.dict.set(None);
            state.bases.set(None);
            state.mro.set(None);
        }
    }

    /// Frees the table itself.
    pub(crate) fn free_static_types(&self) {
        // SAFETY: nothing looks at types any more.
        unsafe { *self.static_types.get() = TryVec::new() };
    }
}

/// Version tags below are the built-in types'.
pub(crate) const FIRST_HEAP_TYPE_VERSION: u32 = 1 << 16;
