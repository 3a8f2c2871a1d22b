//! The state of a thread that runs Python code.

use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicU32, Ordering};

use hognose_allocators::Heap;

use super::interpreter::InterpreterState;
use crate::object::{PyObject, PyRef, PyResult, Slot};
use crate::raise;
use crate::types::exceptions as exc;
use crate::vm::datastack::DataStack;
use crate::vm::frame::Frame;
use crate::vm::monitoring::legacy::Hook;

/// Requests to a running thread; checked at loop back-edges, calls and resumes.
#[repr(transparent)]
pub struct EvalBreaker(AtomicU32);

impl EvalBreaker {
    /// Another thread wants the GIL.
    pub const DROP_GIL: u32 = 1 << 0;
    /// Calls from `Py_AddPendingCall` wait.
    pub const PENDING_CALLS: u32 = 1 << 1;
    /// A signal has arrived and its Python handler waits.
    pub const SIGNALS: u32 = 1 << 2;
    /// An exception is to be raised in this thread.
    pub const ASYNC_EXCEPTION: u32 = 1 << 3;
    /// A collection is due.
    pub const COLLECT: u32 = 1 << 4;
    /// Tracing or monitoring has changed.
    pub const TRACING: u32 = 1 << 5;
    /// A soft limit of memory was passed.
    pub const MEMORY: u32 = 1 << 6;

    /// No request.
    pub const fn new() -> EvalBreaker {
        EvalBreaker(AtomicU32::new(0))
    }
    /// Whether there is any request. A relaxed load: the fast path's only cost.
    #[inline(always)]
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
    /// The requests, without an order with respect to anything else.
    #[inline(always)]
    pub fn get_relaxed(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
    /// The requests.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
    /// Adds a request.
    pub fn set(&self, bit: u32) {
        self.0.fetch_or(bit, Ordering::AcqRel);
    }
    /// Removes a request; tells whether it was there.
    pub fn clear(&self, bit: u32) -> bool {
        self.0.fetch_and(!bit, Ordering::AcqRel) & bit != 0
    }
}

impl Default for EvalBreaker {
    fn default() -> EvalBreaker {
        EvalBreaker::new()
    }
}

/// An entry of the stack of exceptions being handled: a generator brings its own.
#[repr(C)]
pub struct ExcInfo {
    /// The exception being handled, or none.
    pub value: Slot<PyObject>,
    /// The entry below.
    pub previous: Cell<*const ExcInfo>,
}

impl ExcInfo {
    /// An entry without an exception.
    pub const fn new() -> ExcInfo {
        ExcInfo { value: Slot::empty(), previous: Cell::new(core::ptr::null()) }
    }
}

impl Default for ExcInfo {
    fn default() -> ExcInfo {
        ExcInfo::new()
    }
}

/// The state of one thread in one interpreter; see [`block`](super::block) for its alignment.
#[repr(C, align(128))]
pub struct ThreadState {
    interp: Cell<*const InterpreterState>,
    heap: Cell<*const Heap>,
    /// The raised exception that is on its way up, if any.
    pub current_exception: Slot<PyObject>,
    /// The frame that runs.
    pub frame: Cell<*mut Frame>,
    /// The top of the stack of exceptions being handled.
    pub exc_info: Cell<*const ExcInfo>,
    /// The bottom of that stack.
    pub exc_base: ExcInfo,
    /// Requests to this thread.
    pub eval_breaker: EvalBreaker,
    /// How many more Python frames may be entered before RecursionError.
    pub recursion_remaining: Cell<i32>,
    /// While positive, a RecursionError is being handled and the limit is extended.
    pub recursion_headroom: Cell<i32>,
    /// Native code must not let the stack grow below this address.
    pub stack_soft_limit: Cell<usize>,
    /// The lowest address of the native stack.
    pub stack_hard_limit: Cell<usize>,
    /// Where frames live.
    pub data_stack: UnsafeCell<DataStack>,
    /// Depth of nested deallocations; deeper ones are put off (see `object::dealloc`).
    pub dealloc_depth: Cell<u32>,
    /// Objects whose deallocation was put off.
    pub dealloc_later: Cell<*mut PyObject>,
    /// Objects whose `repr` is in progress, innermost last (`Py_ReprEnter`).
    pub repr_running: UnsafeCell<hognose_allocators::collections::TryVec<*const PyObject>>,
    /// `threading.get_ident()` of the thread.
    pub thread_id: Cell<u64>,
    /// `threading.get_native_id()` of the thread.
    pub native_id: Cell<i64>,
    /// Unique in the process.
    pub id: u64,
    /// `contextvars`: the current context, made when first needed.
    pub context: Slot<PyObject>,
    /// `sys.set_asyncgen_hooks`.
    pub async_gen_firstiter: Slot<PyObject>,
    /// `sys.set_asyncgen_hooks`.
    pub async_gen_finalizer: Slot<PyObject>,
    /// The event loop that the thread runs (`asyncio`).
    pub asyncio_running_loop: Slot<PyObject>,
    /// The task that this loop runs.
    pub asyncio_running_task: Slot<PyObject>,
    /// `sys.set_coroutine_origin_tracking_depth`.
    pub coroutine_origin_depth: Cell<i32>,
    /// The trace function.
    pub trace: Hook,
    /// The profile function.
    pub profile: Hook,
    /// While not 0, a tool is being told of an event of this thread (`PyThreadState_EnterTracing`).
    pub tracing: Cell<i32>,
    /// What the trace function is being told (`PyTrace_LINE` …); -1: nothing.
    pub what_event: Cell<core::ffi::c_int>,
    /// Some frame of the thread has asked for `opcode` events.
    pub trace_opcodes: Cell<bool>,
    /// `PyThreadState_GetDict`.
    pub dict: Slot<PyObject>,
    /// An exception that another thread wants to be raised in this one (`PyThreadState_SetAsyncExc`).
    pub async_exception: Slot<PyObject>,
    /// How many `PyGILState_Ensure` (and `PyThreadState_Ensure`) hold the state; the state ends with the last, unless
    /// it was made in another way, which counts as one.
    pub ensured: Cell<u32>,
    /// What the thread is to run, until it does (`_thread`).
    pub start: Cell<*mut core::ffi::c_void>,
    /// The innermost critical section that is open.
    pub critical_section: Cell<*mut core::ffi::c_void>,
    /// The thread waits between two instructions: every frame's value stack is as `sp` says, but for native callers'.
    pub between_instructions: Cell<bool>,
    /// `PyThreadState_Clear` was called.
    pub cleared: Cell<bool>,
    /// The frame that a function of C is to run, until the evaluation loop begins it (PEP 523).
    pub handed_over: Cell<*mut Frame>,
    /// The next thread state of the interpreter.
    pub next: Cell<*mut ThreadState>,
}

/// How much native stack must be left before code that recurses natively gives up.
const STACK_MARGIN: usize = 128 * 1024;
/// How much of the margin the handling of a RecursionError may use.
const STACK_HARD_MARGIN: usize = 48 * 1024;

impl ThreadState {
    /// A state that belongs to `interp`; not attached yet.
    pub(super) fn new(interp: &InterpreterState, id: u64) -> ThreadState {
        let ts = ThreadState {
            interp: Cell::new(interp),
            heap: Cell::new(interp.heap_ptr()),
            current_exception: Slot::empty(),
            frame: Cell::new(core::ptr::null_mut()),
            exc_info: Cell::new(core::ptr::null()),
            exc_base: ExcInfo::new(),
            eval_breaker: EvalBreaker::new(),
            recursion_remaining: Cell::new(interp.recursion_limit.get()),
            recursion_headroom: Cell::new(0),
            stack_soft_limit: Cell::new(0),
            stack_hard_limit: Cell::new(0),
            data_stack: UnsafeCell::new(DataStack::new()),
            dealloc_depth: Cell::new(0),
            dealloc_later: Cell::new(core::ptr::null_mut()),
            repr_running: UnsafeCell::new(hognose_allocators::collections::TryVec::new()),
            thread_id: Cell::new(0),
            native_id: Cell::new(0),
            id,
            context: Slot::empty(),
            async_gen_firstiter: Slot::empty(),
            async_gen_finalizer: Slot::empty(),
            asyncio_running_loop: Slot::empty(),
            asyncio_running_task: Slot::empty(),
            coroutine_origin_depth: Cell::new(0),
            trace: Hook::new(),
            profile: Hook::new(),
            tracing: Cell::new(0),
            what_event: Cell::new(-1),
            trace_opcodes: Cell::new(false),
            dict: Slot::empty(),
            async_exception: Slot::empty(),
            ensured: Cell::new(1),
            start: Cell::new(core::ptr::null_mut()),
            critical_section: Cell::new(core::ptr::null_mut()),
            between_instructions: Cell::new(false),
            cleared: Cell::new(false),
            handed_over: Cell::new(core::ptr::null_mut()),
            next: Cell::new(core::ptr::null_mut()),
        };
        if interp.monitoring.is_active() {
            ts.eval_breaker.set(EvalBreaker::TRACING);
        }
        ts
    }

    /// The attached thread state of the calling thread.
    ///
    /// Panics when there is none; the C border asks [`try_current`](ThreadState::try_current).
    #[inline(always)]
    pub fn current() -> &'static ThreadState {
        let current = super::attach::current();
        if current.is_null() {
            no_thread_state();
        }
        // SAFETY: an attached state lives until it is detached, which its own thread does.
        unsafe { &*current }
    }

    /// The attached thread state of the calling thread, if any.
    #[inline(always)]
    pub fn try_current() -> Option<&'static ThreadState> {
        // SAFETY: as in `current`.
        unsafe { super::attach::current().as_ref() }
    }

    /// The interpreter.
    #[inline(always)]
    pub fn interp(&self) -> &InterpreterState {
        // SAFETY: an interpreter outlives its thread states.
        unsafe { &*self.interp.get() }
    }

    /// The interpreter's heap.
    #[inline(always)]
    pub fn heap(&self) -> &Heap {
        // SAFETY: the heap lives as long as the interpreter.
        unsafe { &*self.heap.get() }
    }

    pub(super) fn heap_ptr(&self) -> *mut Heap {
        self.heap.get().cast_mut()
    }

    /// Notes which thread has the state from now on, and where its stack ends.
    pub(super) fn moved_to_this_thread(&self) {
        self.thread_id.set(crate::sync::thread_ident());
        self.native_id.set(super::attach::native_id());
        let (low, high) = super::attach::native_stack();
        let here = core::ptr::from_ref(&low).addr();
        let low = if low < here && here < high { low } else { here.saturating_sub(1 << 20) };
        self.stack_hard_limit.set(low + STACK_HARD_MARGIN);
        self.stack_soft_limit.set(low + STACK_MARGIN);
    }

    /// Raises RecursionError when the native stack is nearly used up; `doing` completes
    /// "maximum recursion depth exceeded", for instance `" while getting the repr of an object"`.
    ///
    /// Call it in every native function that can call itself through Python objects.
    #[inline(always)]
    pub fn check_native_stack(&self, doing: &str) -> PyResult<()> {
        let marker = 0u8;
        if core::ptr::from_ref(&marker).addr() < self.stack_soft_limit.get() {
            return self.native_stack_used_up(doing);
        }
        Ok(())
    }

    /// Whether the native stack is nearly used up, for code that can turn to another way.
    #[inline(always)]
    pub fn native_stack_is_low(&self) -> bool {
        let marker = 0u8;
        core::ptr::from_ref(&marker).addr() < self.stack_soft_limit.get()
    }

    /// How many bytes of the native stack are left to use; None when that is not known.
    pub fn native_stack_left(&self) -> Option<usize> {
        let marker = 0u8;
        let limit = self.stack_hard_limit.get();
        (limit != 0).then(|| core::ptr::from_ref(&marker).addr().saturating_sub(limit))
    }

    #[cold]
    #[inline(never)]
    fn native_stack_used_up(&self, doing: &str) -> PyResult<()> {
        // Making the exception needs stack as well: lower the limit while it is made.
        let limit = self.stack_soft_limit.replace(self.stack_hard_limit.get());
        let result = raise!(self, exc::RecursionError, "maximum recursion depth exceeded{doing}");
        self.stack_soft_limit.set(limit);
        result
    }

    /// The exception being handled (`sys.exception()`), if any.
    pub fn handled_exception(&self) -> Option<PyRef> {
        let mut info = self.exc_info.get();
        // SAFETY: entries live in the thread state or in running generators.
        while let Some(entry) = unsafe { info.as_ref() } {
            if let Some(value) = entry.value.get() {
                if value.is(crate::types::none::none()) {
                    return None;
                }
                return Some(value);
            }
            info = entry.previous.get();
        }
        None
    }

    /// None, as a new reference (it is immortal, so this counts nothing).
    #[inline(always)]
    pub fn none(&self) -> PyRef {
        PyRef::from_borrowed(crate::types::none::none())
    }
}

#[cold]
fn no_thread_state() -> ! {
    crate::lifecycle::fatal::fatal_error(
        "ThreadState::current",
        "the function must be called with an active thread state, after Python initialization and before Python finalization, \
         but it was called without an active thread state",
    )
}
