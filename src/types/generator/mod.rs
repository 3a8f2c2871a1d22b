//! Generators, coroutines and asynchronous generators: calls that can be suspended.
//!
//! All three have one layout, with the frame inside the object:
//!
//! ```text
//!  ┌─────────────┬───────────────────────┬───────┬──────────────────────────┐
//!  │ PyVarObject │ names, handled error, │ Frame │ locals, value stack      │
//!  │             │ state, origin         │       │ (ob_size words)          │
//!  └─────────────┴───────────────────────┴───────┴──────────────────────────┘
//! ```
//!
//! A call of such a function runs up to its RETURN_GENERATOR, which moves the frame from the thread's
//! stack into a new object ([`from_frame`]). From then on the frame runs where it is: in a loop of its own
//! ([`resume`](resume::resume)), or in the loop of a caller that iterates or awaits ([`begin_inline`]).
//!
//! | file | what |
//! |---|---|
//! | `mod` | the object, and what the evaluation loop needs |
//! | `resume` | sending, throwing, closing |
//! | `attributes` | what all three types show to Python |
//! | `plain`, `coroutine`, `async_gen` | the three types |
//! | `awaiting` | `await`, `async for`, `yield from` |
//! | `asend`, `athrow`, `anext` | what the methods of asynchronous generators, and `anext`, return |
//!
//! I1: `state` is `EXECUTING` exactly while the frame runs or passes something on to what it delegates to.
//! I2: while the frame runs, `exc_state` is linked into the thread's stack of handled exceptions.
//! I3: a finished generator's frame is empty, but for `code`, a reference that is then the generator's own.

mod anext;
mod asend;
mod async_gen;
mod athrow;
mod attributes;
mod awaiting;
mod coroutine;
mod plain;
mod resume;

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::ops::ControlFlow;

pub use anext::{ANEXT_AWAITABLE_TYPE, anext_awaitable};
pub use asend::ASEND_TYPE;
pub use async_gen::{ASYNC_GEN_TYPE, WRAPPED_VALUE_TYPE, async_gen_wrap};
pub use athrow::ATHROW_TYPE;
pub use awaiting::{get_aiter, get_anext, get_awaitable, yield_from_iter};
pub use coroutine::{COROUTINE_TYPE, COROUTINE_WRAPPER_TYPE};
pub use plain::GENERATOR_TYPE;
pub use resume::{close, next_value, send, send_to};

use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::raise;
use crate::state::{ExcInfo, ThreadState};
use crate::types::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, PyCode};
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::vm::frame::{Frame, Owner};

/// The folder's types.
pub static TYPES: &[&StaticType] = &[
    &GENERATOR_TYPE,
    &COROUTINE_TYPE,
    &COROUTINE_WRAPPER_TYPE,
    &ASYNC_GEN_TYPE,
    &WRAPPED_VALUE_TYPE,
    &ASEND_TYPE,
    &ATHROW_TYPE,
    &ANEXT_AWAITABLE_TYPE,
];

/// The frame has not begun.
const CREATED: i8 = -3;
/// At a `yield`.
const SUSPENDED: i8 = -2;
/// At a `yield from` or `await`; what it delegates to is on top of the stack.
const SUSPENDED_YIELD_FROM: i8 = -1;
/// Running: I1.
const EXECUTING: i8 = 0;
/// Returned, failed or closed: I3.
const FINISHED: i8 = 1;

/// A generator, coroutine or asynchronous generator.
#[repr(C)]
pub struct PyGenerator {
    ob_base: PyVarObject,
    weakreflist: WeakrefList,
    name: Slot<PyStr>,
    qualname: Slot<PyStr>,
    /// The exception that the frame handles.
    exc_state: ExcInfo,
    /// A coroutine's `cr_origin`, or the hook that an asynchronous generator calls instead of being closed.
    origin_or_finalizer: Slot<PyObject>,
    /// The hooks of the event loop know the asynchronous generator.
    hooks_inited: Cell<bool>,
    /// The asynchronous generator has ended, or is asked to.
    closed: Cell<bool>,
    /// One of the asynchronous generator's awaitables is under way.
    running_async: Cell<bool>,
    state: Cell<i8>,
    iframe: UnsafeCell<Frame>,
}

const _: () = assert!(offset_of!(PyGenerator, iframe) + size_of::<Frame>() == size_of::<PyGenerator>());

// SAFETY: the struct is `repr(C)` and begins with the header; the three types, which have no subtypes, share it.
unsafe impl Native for PyGenerator {
    #[inline(always)]
    fn type_object() -> &'static PyTypeObject {
        &GENERATOR_TYPE
    }
    #[inline(always)]
    fn check(object: &PyObject) -> bool {
        let typ: *const PyTypeObject = object.ob_type();
        core::ptr::eq(typ, &*GENERATOR_TYPE)
            || core::ptr::eq(typ, &*COROUTINE_TYPE)
            || core::ptr::eq(typ, &*ASYNC_GEN_TYPE)
    }
}

/// What the types have in common; each adds its methods and attributes.
const SPEC: TypeSpec = TypeSpec {
    basicsize: size_of::<PyGenerator>(),
    itemsize: size_of::<usize>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    weaklistoffset: offset_of!(PyGenerator, weakreflist),
    slots: SLOTS,
    ..TypeSpec::EMPTY
};

const SLOTS: TypeSlots = TypeSlots {
    dealloc: Some(dealloc),
    traverse: Some(traverse),
    clear: Some(clear),
    finalize: Some(finalize),
    repr: Some(attributes::repr),
    ..TypeSlots::EMPTY
};

/// Makes the generator (by the code's flags: coroutine, asynchronous generator) of a call whose frame has
/// come to RETURN_GENERATOR: the frame moves into it, and what is left on the thread's stack owns nothing.
///
/// MemoryError leaves the frame as it was.
pub fn from_frame(ts: &ThreadState, frame: *mut Frame) -> PyResult {
    // SAFETY: the loop hands in the frame that it runs, its `pc` and `sp` stored.
    let old = unsafe { &*frame };
    let code = old.code();
    let mut origin = None;
    let typ: &PyTypeObject = if code.co_flags & CO_ASYNC_GENERATOR != 0 {
        &ASYNC_GEN_TYPE
    } else if code.co_flags & CO_COROUTINE != 0 {
        if ts.coroutine_origin_depth.get() > 0 {
            origin = Some(coroutine::origin(ts, old.previous)?);
        }
        &COROUTINE_TYPE
    } else {
        &GENERATOR_TYPE
    };
    // The frame ran nothing that could have asked for its object.
    debug_assert!(old.frame_object.get().is_null());
    let function = old.function();
    // SAFETY: all fields, and the frame's used places, are written before anyone looks at the object.
    unsafe {
        let made = alloc::var_object_uninit::<PyGenerator>(ts, typ, code.co_framesize as usize)?;
        macro_rules! write {
            ($($field:ident = $value:expr;)*) => { $((&raw mut (*made).$field).write($value);)* };
        }
        write! {
            weakreflist = WeakrefList::new();
            name = Slot::new(function.func_name.get());
            qualname = Slot::new(function.func_qualname.get());
            exc_state = ExcInfo::new();
            origin_or_finalizer = Slot::new(origin);
            hooks_inited = Cell::new(false);
            closed = Cell::new(false);
            running_async = Cell::new(false);
            state = Cell::new(CREATED);
        }
        let new = (&raw mut (*made).iframe).cast::<Frame>();
        core::ptr::copy_nonoverlapping(frame, new, 1);
        let used = old.sp.offset_from(old.localsplus()) as usize;
        // The places stand behind the frame in the same object; the pointer covers both.
        let places = new.add(1).cast::<*mut PyObject>();
        core::ptr::copy_nonoverlapping(old.localsplus(), places, used);
        (*new).sp = places.add(used);
        (*new).pc = old.pc.add(1);
        (*new).previous = core::ptr::null_mut();
        (*new).owner = Owner::Generator;
        (*new).is_entry = false;
        (*new).is_init = false;
        let made = Ref::from_owned(made);
        gc::track(ts, &*made);
        Ok(made.into_object())
    }
}

/// The generator or coroutine that a loop can run itself.
#[inline(always)]
pub fn inlinable(receiver: &PyObject) -> Option<&PyGenerator> {
    let typ: *const PyTypeObject = receiver.ob_type();
    if core::ptr::eq(typ, &*GENERATOR_TYPE) || core::ptr::eq(typ, &*COROUTINE_TYPE) {
        // SAFETY: both types are of this layout.
        Some(unsafe { receiver.cast_unchecked::<PyGenerator>() })
    } else {
        None
    }
}

/// Makes a generator ready to run in the caller's loop, with `value` as what its `yield` gives. None when
/// it cannot run; then [`send_to`] says why.
#[inline(always)]
pub fn begin_inline(ts: &ThreadState, generator: &PyGenerator, value: &PyObject) -> Option<*mut Frame> {
    let state = generator.state.get();
    if state >= EXECUTING || (state == CREATED && !is_none(value)) {
        return None;
    }
    let frame = generator.begin(ts, value);
    // SAFETY: the frame is the generator's, and nobody else runs it.
    unsafe { (*frame).is_entry = false };
    Some(frame)
}

/// The frame has come to a `yield` (`delegating` is 1 at a `yield from` or `await`). The loop has stored `pc` and `sp`.
#[inline(always)]
pub fn suspend(ts: &ThreadState, frame: *mut Frame, delegating: usize) {
    // SAFETY: only frames of generators come to a `yield`, and the generator is alive while its frame runs.
    unsafe {
        let generator = owner_of(frame);
        generator.state.set(SUSPENDED + (delegating & 1) as i8);
        generator.unlink_exc_state(ts);
        (*frame).previous = core::ptr::null_mut();
    }
}

/// The frame has returned or failed: empties it.
pub fn frame_ended(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the loop hands in the frame of a generator that it ran, its `pc` and `sp` stored.
    let generator = unsafe { owner_of(frame) };
    generator.state.set(FINISHED);
    generator.unlink_exc_state(ts);
    // SAFETY: the frame does not run any more.
    unsafe { generator.empty_frame(ts) };
}

/// The generator that a frame is in.
pub fn of_frame(frame: &Frame) -> &PyObject {
    debug_assert!(frame.owner == Owner::Generator);
    // SAFETY: the frame says that a generator owns it.
    unsafe { owner_of(core::ptr::from_ref(frame)) }.as_object()
}

/// Ends a generator that a thread was running which will never run on.
///
/// # Safety
/// A generator owns the frame, whose `sp` is valid, and nobody runs it.
pub unsafe fn abandon(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the caller's promise. The reference keeps the generator while its contents go.
    let generator = Ref::from_borrowed(unsafe { owner_of(frame) });
    generator.exc_state.previous.set(core::ptr::null());
    generator.end(ts);
}

/// `frame.clear()` on the frame object of a generator that has not ended.
pub fn clear_through_frame(ts: &ThreadState, frame: &mut Frame) -> PyResult {
    // SAFETY: the caller has looked at the owner. The reference keeps the generator while its finalizer runs.
    let generator = Ref::from_borrowed(unsafe { owner_of(frame) });
    match generator.state.get() {
        EXECUTING => return raise!(ts, exc::RuntimeError, "cannot clear an executing frame"),
        SUSPENDED | SUSPENDED_YIELD_FROM => return raise!(ts, exc::RuntimeError, "cannot clear a suspended frame"),
        _ => finalize(ts, generator.as_object()),
    }
    if generator.state.get() == CREATED {
        generator.end(ts);
    }
    Ok(ts.none())
}

/// # Safety
/// The frame is inside a generator, which outlives the result.
#[inline(always)]
unsafe fn owner_of<'a>(frame: *const Frame) -> &'a PyGenerator {
    // SAFETY: the caller's promise; the frame is that field.
    unsafe { &*frame.byte_sub(offset_of!(PyGenerator, iframe)).cast::<PyGenerator>() }
}

impl PyGenerator {
    /// The frame; its contents count only until the generator has finished (I3).
    #[inline(always)]
    fn frame(&self) -> *mut Frame {
        self.iframe.get()
    }

    /// The code.
    #[inline]
    pub fn code(&self) -> &PyCode {
        // SAFETY: the frame, or the generator itself (I3), owns a reference.
        unsafe { &*(*self.frame()).code }
    }

    /// Whether this is a coroutine.
    #[inline]
    pub fn is_coroutine(&self) -> bool {
        core::ptr::eq(self.as_object().ob_type(), &*COROUTINE_TYPE)
    }

    /// Whether this is an asynchronous generator.
    #[inline]
    pub fn is_async_generator(&self) -> bool {
        core::ptr::eq(self.as_object().ob_type(), &*ASYNC_GEN_TYPE)
    }

    /// Whether the frame runs.
    pub fn is_running(&self) -> bool {
        self.state.get() == EXECUTING
    }

    /// Whether the generator has returned, failed or been closed.
    pub fn is_finished(&self) -> bool {
        self.state.get() == FINISHED
    }

    /// Whether the frame waits at a `yield`.
    pub fn is_suspended(&self) -> bool {
        matches!(self.state.get(), SUSPENDED | SUSPENDED_YIELD_FROM)
    }

    /// What a suspended generator delegates to (`gi_yieldfrom`, `cr_await`).
    pub fn yield_from(&self) -> Option<PyRef> {
        if self.state.get() != SUSPENDED_YIELD_FROM {
            return None;
        }
        // SAFETY: a suspended frame's `sp` is valid, and the receiver is on top of its stack.
        Some(unsafe { PyRef::from_borrowed(&**(*self.frame()).sp.sub(1)) })
    }

    /// The frame object, made when there is none yet; None once the generator has finished.
    pub fn frame_object(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        if self.is_finished() {
            return Ok(None);
        }
        // SAFETY: the frame has not ended.
        unsafe { (*self.frame()).object(ts).map(Some) }
    }

    /// `generator`, `coroutine` or `async generator`, for messages.
    fn kind(&self) -> &'static str {
        if self.is_coroutine() {
            "coroutine"
        } else if self.is_async_generator() {
            "async generator"
        } else {
            "generator"
        }
    }

    /// Links the frame for a run that goes on with `value`; the generator is not running, nor finished.
    #[inline(always)]
    fn begin(&self, ts: &ThreadState, value: &PyObject) -> *mut Frame {
        let frame = self.frame();
        // SAFETY: the frame does not run; the compiler has counted the value in the stack's size.
        unsafe {
            value.incref();
            *(*frame).sp = value.as_ptr();
            (*frame).sp = (*frame).sp.add(1);
        }
        self.link_exc_state(ts);
        frame
    }

    /// I1, I2.
    #[inline(always)]
    fn link_exc_state(&self, ts: &ThreadState) {
        self.exc_state.previous.set(ts.exc_info.get());
        ts.exc_info.set(&self.exc_state);
        self.state.set(EXECUTING);
    }

    #[inline(always)]
    fn unlink_exc_state(&self, ts: &ThreadState) {
        debug_assert!(core::ptr::eq(ts.exc_info.get(), &self.exc_state));
        ts.exc_info.set(self.exc_state.previous.replace(core::ptr::null()));
    }

    /// Ends a generator that does not run, without running it; a no-op when it has finished.
    fn end(&self, ts: &ThreadState) {
        if self.state.replace(FINISHED) == FINISHED {
            return;
        }
        // SAFETY: the frame does not run.
        unsafe { self.empty_frame(ts) };
    }

    /// Drops the frame's contents; I3.
    ///
    /// # Safety
    /// The frame has not been emptied, does not run, and its `sp` is valid; the state is `FINISHED`.
    unsafe fn empty_frame(&self, ts: &ThreadState) {
        let frame = self.frame();
        // SAFETY: the caller's promise; the generator's own reference to the code takes the place of the frame's.
        unsafe {
            (*(*frame).code).as_object().incref();
            (*frame).clear(ts);
            (*frame).previous = core::ptr::null_mut();
        }
        if let Some(error) = self.exc_state.value.take() {
            error.release(ts);
        }
    }
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for one of the three types, with the count at zero.
    unsafe {
        let this = (*object).cast_unchecked::<PyGenerator>();
        weakref::clear_all(ts, &*object);
        if this.state.get() != FINISHED && !finalize_dying(ts, &*object, finalize) {
            return;
        }
        gc::untrack(&*object);
        this.end(ts);
        header::decref(ts, (*this.frame()).code.cast_mut().cast());
        if let Some(name) = this.name.take() {
            name.into_object().release(ts);
        }
        if let Some(name) = this.qualname.take() {
            name.into_object().release(ts);
        }
        this.origin_or_finalizer.set(None);
        alloc::free(ts, object);
    }
}

/// Runs the finalizer of a dying collected object, once in its life; false when it has brought the object back.
fn finalize_dying(ts: &ThreadState, object: &PyObject, finalize: fn(&ThreadState, &PyObject)) -> bool {
    if gc::is_finalized(object) {
        return true;
    }
    gc::set_finalized(object);
    object.ob_refcnt.set(1);
    finalize(ts, object);
    let count = object.ob_refcnt.get() - 1;
    object.ob_refcnt.set(count);
    if count == 0 {
        return true;
    }
    // A deallocation that was put off has taken the object out of the collector's sight.
    if !gc::is_tracked(object) {
        gc::track_in(ts, object);
    }
    false
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: slot of this type.
    let this = unsafe { object.cast_unchecked::<PyGenerator>() };
    visitor.slot(&this.origin_or_finalizer)?;
    visitor.slot(&this.exc_state.value)?;
    if this.state.get() >= EXECUTING {
        // The stack of a running frame is known to the loop only; what it holds counts as held from outside.
        return ControlFlow::Continue(());
    }
    // SAFETY: the frame is suspended or has not begun.
    let frame = unsafe { &*this.frame() };
    // SAFETY: the frame owns its object.
    if let Some(frame_object) = unsafe { frame.frame_object.get().as_ref() } {
        visitor.object(frame_object)?;
    }
    crate::types::frame::traverse_contents(frame, visitor)
}

/// Garbage whose finalizer has run: what is left of the frame is dropped.
fn clear(ts: &ThreadState, object: &PyObject) {
    // SAFETY: slot of this type.
    let this = unsafe { object.cast_unchecked::<PyGenerator>() };
    if this.state.get() < EXECUTING {
        this.end(ts);
    }
    this.origin_or_finalizer.set(None);
}

/// Closes the generator, hands an asynchronous one to its hook, or warns that a coroutine was never awaited.
fn finalize(ts: &ThreadState, object: &PyObject) {
    // SAFETY: slot of this type.
    let this = unsafe { object.cast_unchecked::<PyGenerator>() };
    if this.is_finished() {
        return;
    }
    let pending = ts.current_exception.take();
    if this.is_async_generator()
        && !this.closed.get()
        && let Some(hook) = this.origin_or_finalizer.get()
    {
        if let Err(raised) = call::call_with(ts, &hook, &[object]) {
            exc::write_unraisable(ts, raised, Some("finalizing generator"), object);
        }
    } else if this.state.get() == CREATED {
        if this.code().co_flags & CO_COROUTINE != 0 {
            coroutine::warn_never_awaited(ts, this);
        }
    } else if let Err(raised) = close(ts, this) {
        exc::write_unraisable(ts, raised, Some("closing generator"), object);
    }
    ts.current_exception.set(pending);
}

/// Whether the object is a generator that `types.coroutine` has made awaitable.
fn is_iterable_coroutine(object: &PyObject) -> bool {
    object.downcast_exact::<PyGenerator>().is_some_and(|g| g.code().co_flags & CO_ITERABLE_COROUTINE != 0)
}
