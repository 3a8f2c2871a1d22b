//! `Future`: a result that is not there yet.

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::registry::event_loop;
use super::{awaiting, call_soon, invalid_state, not_initialized};
use crate::modules::_contextvars::context;
use crate::modules::posix::system::parse;
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::{is_none, none};
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::traceback::PyTraceback;
use crate::types::tuple::PyTuple;
use crate::types::{genericalias, typ::subtype};
use crate::{id, raise};

/// Where a future stands.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(super) enum State {
    #[default]
    Pending = 0,
    Cancelled,
    Finished,
}

/// A future; the beginning of a task, too.
#[repr(C)]
pub(super) struct PyFuture {
    ob_base: PyObject,
    pub(super) event_loop: Slot<PyObject>,
    /// Pairs of callback and context.
    callbacks: Slot<PyList>,
    pub(super) exception: Slot<PyObject>,
    /// The traceback that the exception had when it was set: raising it again begins there.
    exception_traceback: Slot<PyTraceback>,
    result: Slot<PyObject>,
    source_traceback: Slot<PyObject>,
    pub(super) cancel_message: Slot<PyObject>,
    /// A CancelledError to be raised once more, with its context.
    pub(super) cancelled_error: Slot<PyObject>,
    awaited_by: Slot<PySet>,
    dict: Slot<PyDict>,
    weakrefs: WeakrefList,
    pub(super) state: Cell<State>,
    /// Whether somebody should hear of an exception that nobody has asked for.
    pub(super) logs_traceback: Cell<bool>,
    /// Set by `await`, so that a plain `yield` is noticed.
    pub(super) is_blocking: Cell<bool>,
}
crate::native!(PyFuture, FUTURE_TYPE);

macro_rules! attribute {
    ($name:literal, $slot:ident) => {
        GetSetDef::get($name, |ts, this| Ok(future(this).$slot.get().map_or_else(|| ts.none(), Ref::into_object)), "")
    };
}

/// The attributes that futures and tasks have.
const GETSET: &[GetSetDef] = &[
    GetSetDef::get("_state", |ts, this| Ok(PyStr::intern(ts, future(this).state_name())?.into_object()), ""),
    GetSetDef::get_set(
        "_asyncio_future_blocking",
        |_, this| Ok(py_bool(future(this).event_loop.is_some() && future(this).is_blocking.get())),
        |ts, this, value| {
            if !future(this).event_loop.is_some() {
                return not_initialized(ts);
            }
            let Some(value) = value else { return cannot_delete(ts) };
            future(this).is_blocking.set(protocol::is_true(ts, value)?);
            Ok(())
        },
        "",
    ),
    GetSetDef::get("_asyncio_awaited_by", awaited_by, ""),
    attribute!("_loop", event_loop),
    GetSetDef::get("_callbacks", callbacks, ""),
    GetSetDef::get("_result", |ts, this| Ok(future(this).result.get().unwrap_or_else(|| ts.none())), ""),
    attribute!("_exception", exception),
    GetSetDef::get_set(
        "_log_traceback",
        |_, this| Ok(py_bool(future(this).event_loop.is_some() && future(this).logs_traceback.get())),
        |ts, this, value| {
            let Some(value) = value else { return cannot_delete(ts) };
            if protocol::is_true(ts, value)? {
                return raise!(ts, exc::ValueError, "_log_traceback can only be set to False");
            }
            future(this).logs_traceback.set(false);
            Ok(())
        },
        "",
    ),
    attribute!("_source_traceback", source_traceback),
    GetSetDef::get_set(
        "_cancel_message",
        |ts, this| Ok(future(this).cancel_message.get().unwrap_or_else(|| ts.none())),
        |ts, this, value| {
            let Some(value) = value else { return cannot_delete(ts) };
            future(this).cancel_message.set(Some(value.new_ref()));
            Ok(())
        },
        "",
    ),
];

/// `_asyncio.Future`.
pub(super) static FUTURE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_asyncio.Future",
    basicsize: size_of::<PyFuture>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::IMMUTABLE,
    doc: "Future(*, loop=None)\n--\n\nA result that is not there yet. It is not safe to use from several threads; its callbacks are called\nby its event loop.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(|this, visitor| future(this).traverse(visitor)),
        clear: Some(|_, this| future(this).clear()),
        finalize: Some(finalize),
        repr: Some(|ts, this| {
            let function = protocol::import_attr(ts, "asyncio.base_futures", "_future_repr")?;
            call::call_with(ts, &function, &[this])
        }),
        iter: Some(awaiting::iter),
        am_await: Some(awaiting::iter),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "result",
            result,
            "result($self, /)\n--\n\nThe result; or the exception that was set, raised; or InvalidStateError.",
        ),
        MethodDef::no_args(
            "exception",
            exception,
            "exception($self, /)\n--\n\nThe exception that was set, or None; or InvalidStateError.",
        ),
        MethodDef::one(
            "set_result",
            |ts, this, value| {
                future(this).set_result(ts, this, value)?;
                Ok(ts.none())
            },
            "set_result($self, result, /)\n--\n\nThe future is done, with a result.",
        ),
        MethodDef::one(
            "set_exception",
            |ts, this, error| {
                future(this).set_exception(ts, this, error)?;
                Ok(ts.none())
            },
            "set_exception($self, exception, /)\n--\n\nThe future is done, with an exception.",
        ),
        MethodDef::keywords(
            "add_done_callback",
            add_done_callback,
            "add_done_callback($self, fn, /, *, context=<unrepresentable>)\n--\n\nCall a function with the future when it is done.",
        ),
        MethodDef::one(
            "remove_done_callback",
            remove_done_callback,
            "remove_done_callback($self, fn, /)\n--\n\nTake a callback out wherever it is; returns how often it was there.",
        ),
        MethodDef::keywords(
            "cancel",
            cancel,
            "cancel($self, /, msg=None)\n--\n\nCancel the future; False when it is done already.",
        ),
        MethodDef::no_args(
            "cancelled",
            |_, this| Ok(py_bool(future(this).state.get() == State::Cancelled)),
            "cancelled($self, /)\n--\n\nWhether the future was cancelled.",
        ),
        MethodDef::no_args(
            "done",
            |_, this| Ok(py_bool(future(this).is_done())),
            "done($self, /)\n--\n\nWhether there is a result or an exception, or the future was cancelled.",
        ),
        MethodDef::no_args("get_loop", get_loop, "get_loop($self, /)\n--\n\nThe event loop."),
        MethodDef::no_args(
            "_make_cancelled_error",
            |ts, this| future(this).make_cancelled_error(ts),
            "_make_cancelled_error($self, /)\n--\n\nThe CancelledError for a future that was cancelled. Call it once: it gives the saved one away.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "").class(),
    ],
    getset: GETSET,
    dictoffset: offset_of!(PyFuture, dict),
    weaklistoffset: offset_of!(PyFuture, weakrefs),
    ..TypeSpec::EMPTY
});

#[cold]
fn cannot_delete<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::AttributeError, "cannot delete attribute")
}

pub(super) fn future(this: &PyObject) -> &PyFuture {
    this.cast::<PyFuture>()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _: Args<'_>) -> PyResult {
    let made = alloc::object::<PyFuture>(ts, typ)?;
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    let [event_loop] = parse!(ts, args, "Future", ["loop"], 0, 0, 0);
    future(this).initialize(ts, event_loop)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero.
    unsafe {
        if !subtype::finish(ts, &*object, finalize) {
            return;
        }
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        (*object).cast_unchecked::<PyFuture>().clear();
        alloc::free(ts, object);
    }
}

/// Tells the event loop of something that nobody has taken note of.
pub(super) fn tell_loop(ts: &ThreadState, this: &PyObject, event_loop: &PyObject, context: &PyDict) {
    let told = attr::get(ts, event_loop, id!(call_exception_handler))
        .and_then(|handler| call::call_with(ts, &handler, &[context.as_object()]));
    if let Err(raised) = told {
        exc::write_unraisable(ts, raised, None, this);
    }
}

/// Reports an exception that nobody has asked for.
pub(super) fn finalize(ts: &ThreadState, this: &PyObject) {
    let fut = future(this);
    if !fut.logs_traceback.replace(false) {
        return;
    }
    let (Some(event_loop), Some(error)) = (fut.event_loop.get(), fut.exception.get()) else { return };
    let pending = ts.current_exception.take();
    let made = (|| {
        let context = PyDict::new(ts)?;
        let message = PyStr::format(ts, format_args!("{} exception was never retrieved", this.ob_type().name()))?;
        context.set_str(ts, id!(message), message.as_object())?;
        context.set_str(ts, id!(exception), &error)?;
        context.set_str(ts, id!(future), this)?;
        if let Some(source) = fut.source_traceback.get() {
            context.set_str(ts, id!(source_traceback), &source)?;
        }
        Ok(context)
    })();
    match made {
        Ok(context) => tell_loop(ts, this, &event_loop, &context),
        Err(raised) => exc::write_unraisable(ts, raised, None, this),
    }
    ts.current_exception.set(pending);
}

impl PyFuture {
    pub(super) fn traverse(&self, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
        visitor.slot(&self.event_loop)?;
        visitor.slot(&self.callbacks)?;
        visitor.slot(&self.exception)?;
        visitor.slot(&self.exception_traceback)?;
        visitor.slot(&self.result)?;
        visitor.slot(&self.source_traceback)?;
        visitor.slot(&self.cancel_message)?;
        visitor.slot(&self.cancelled_error)?;
        visitor.slot(&self.awaited_by)?;
        visitor.slot(&self.dict)
    }

    pub(super) fn clear(&self) {
        self.event_loop.set(None);
        self.callbacks.set(None);
        self.exception.set(None);
        self.exception_traceback.set(None);
        self.result.set(None);
        self.source_traceback.set(None);
        self.cancel_message.set(None);
        self.cancelled_error.set(None);
        self.awaited_by.set(None);
        self.dict.set(None);
    }

    pub(super) fn initialize(&self, ts: &ThreadState, given: Option<&PyObject>) -> PyResult<()> {
        let dict = self.dict.take();
        self.clear();
        self.dict.set(dict);
        self.state.set(State::Pending);
        self.logs_traceback.set(false);
        self.is_blocking.set(false);
        let event_loop = match given.filter(|given| !is_none(given)) {
            Some(given) => given.new_ref(),
            None => event_loop(ts)?,
        };
        self.event_loop.set(Some(event_loop.clone()));
        let debug = call::call_method(ts, &event_loop, id!(get_debug), &[])?;
        if protocol::is_true(ts, &debug)? && !ts.interp().finalizing.get() {
            let extract = protocol::import_attr(ts, "traceback", "extract_stack")?;
            self.source_traceback.set(Some(call::call0(ts, &extract)?));
        }
        Ok(())
    }

    pub(super) fn is_done(&self) -> bool {
        self.state.get() != State::Pending
    }

    fn state_name(&self) -> &'static str {
        match self.state.get() {
            State::Pending => "PENDING",
            State::Cancelled => "CANCELLED",
            State::Finished => "FINISHED",
        }
    }

    pub(super) fn source_traceback(&self) -> Option<PyRef> {
        self.source_traceback.get()
    }

    /// The loop, of a future that is initialized.
    pub(super) fn event_loop(&self, ts: &ThreadState) -> PyResult {
        match self.event_loop.get() {
            Some(event_loop) => Ok(event_loop),
            None => not_initialized(ts),
        }
    }

    /// Asks the loop to call all callbacks.
    fn schedule_callbacks(&self, ts: &ThreadState, this: &PyObject) -> PyResult<()> {
        let Some(callbacks) = self.callbacks.take() else { return Ok(()) };
        let event_loop = self.event_loop(ts)?;
        for index in 0..callbacks.len() {
            let Some(entry) = callbacks.get(index) else { break };
            let pair = entry.cast::<PyTuple>();
            if let [callback, context] = pair.items() {
                call_soon(ts, &event_loop, callback, Some(this), Some(context))?;
            }
        }
        Ok(())
    }

    pub(super) fn set_result(&self, ts: &ThreadState, this: &PyObject, result: &PyObject) -> PyResult<()> {
        self.event_loop(ts)?;
        if self.is_done() {
            return invalid_state(ts, format_args!("invalid state"));
        }
        self.result.set(Some(result.new_ref()));
        self.state.set(State::Finished);
        self.schedule_callbacks(ts, this)
    }

    pub(super) fn set_exception(&self, ts: &ThreadState, this: &PyObject, error: &PyObject) -> PyResult<()> {
        self.event_loop(ts)?;
        if self.is_done() {
            return invalid_state(ts, format_args!("invalid state"));
        }
        let mut made = match error.downcast::<PyTypeObject>() {
            Some(class) if class.is_subtype(&exc::BaseException) => call::call0(ts, error)?,
            _ => error.new_ref(),
        };
        if !made.is_a::<PyBaseException>() {
            return raise!(ts, exc::TypeError, "invalid exception object");
        }
        if made.ob_type().is_subtype(&exc::StopIteration) {
            let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
            let message = PyStr::new(ts, message)?;
            let wrapped = call::call_with(ts, exc::RuntimeError.as_object(), &[message.as_object()])?;
            let stop = made.cast::<PyBaseException>();
            let outer = wrapped.cast::<PyBaseException>();
            outer.cause.set(Some(stop.new_ref()));
            outer.context.set(Some(stop.new_ref()));
            made = wrapped;
        }
        self.exception_traceback.set(made.cast::<PyBaseException>().traceback());
        self.exception.set(Some(made));
        self.state.set(State::Finished);
        self.schedule_callbacks(ts, this)?;
        self.logs_traceback.set(true);
        Ok(())
    }

    pub(super) fn cancel(&self, ts: &ThreadState, this: &PyObject, message: Option<&PyObject>) -> PyResult<bool> {
        self.event_loop(ts)?;
        self.logs_traceback.set(false);
        if self.is_done() {
            return Ok(false);
        }
        self.state.set(State::Cancelled);
        self.cancel_message.set(message.map(AsObject::new_ref));
        self.schedule_callbacks(ts, this)?;
        Ok(true)
    }

    pub(super) fn make_cancelled_error(&self, ts: &ThreadState) -> PyResult {
        if let Some(saved) = self.cancelled_error.take() {
            return Ok(saved);
        }
        let class = super::asyncio_exception(ts, "CancelledError")?;
        match self.cancel_message.get().filter(|message| !is_none(message)) {
            None => call::call0(ts, &class),
            Some(message) => call::call_with(ts, &class, &[&message]),
        }
    }

    /// The result, or the exception raised.
    pub(super) fn take_result(&self, ts: &ThreadState) -> PyResult {
        match self.state.get() {
            State::Cancelled => {
                let error = self.make_cancelled_error(ts)?;
                Err(ts.raise(error))
            }
            State::Pending => invalid_state(ts, format_args!("Result is not set.")),
            State::Finished => {
                self.logs_traceback.set(false);
                match self.exception.get() {
                    Some(error) => {
                        let traceback = self.exception_traceback.take();
                        error.cast::<PyBaseException>().traceback.set(traceback.map(Ref::into_object));
                        Err(ts.raise(error))
                    }
                    None => Ok(self.result.get().unwrap_or_else(|| ts.none())),
                }
            }
        }
    }

    /// Adds a callback; one for a future that is done is called soon.
    pub(super) fn add_callback(
        &self,
        ts: &ThreadState,
        this: &PyObject,
        callback: &PyObject,
        context: &PyObject,
    ) -> PyResult<()> {
        let event_loop = self.event_loop(ts)?;
        if self.is_done() {
            return call_soon(ts, &event_loop, callback, Some(this), Some(context));
        }
        let pair = PyTuple::pair(ts, callback, context)?.into_object();
        let callbacks = match self.callbacks.get() {
            Some(callbacks) => callbacks,
            None => {
                let made = PyList::new(ts)?;
                self.callbacks.set(Some(made.clone()));
                made
            }
        };
        callbacks.append(ts, pair)
    }

    pub(super) fn add_awaited_by(&self, ts: &ThreadState, waiter: &PyObject) -> PyResult<()> {
        let set = match self.awaited_by.get() {
            Some(set) => set,
            None => {
                let made = PySet::new(ts)?;
                self.awaited_by.set(Some(made.clone()));
                made
            }
        };
        set.add(ts, waiter)
    }

    pub(super) fn discard_awaited_by(&self, ts: &ThreadState, waiter: &PyObject) -> PyResult<()> {
        match self.awaited_by.get() {
            Some(set) => set.discard(ts, waiter).map(drop),
            None => Ok(()),
        }
    }
}

fn awaited_by(ts: &ThreadState, this: &PyObject) -> PyResult {
    match future(this).awaited_by.get() {
        Some(set) => Ok(PySet::frozen(ts, set.as_object())?.into_object()),
        None => Ok(ts.none()),
    }
}

fn callbacks(ts: &ThreadState, this: &PyObject) -> PyResult {
    future(this).event_loop(ts)?;
    match future(this).callbacks.get() {
        Some(callbacks) if !callbacks.is_empty() => Ok(callbacks.slice(ts, 0, callbacks.len())?.into_object()),
        _ => Ok(ts.none()),
    }
}

/// Refuses to tell of a future that is not initialized.
fn check_initialized(ts: &ThreadState, fut: &PyFuture) -> PyResult<()> {
    if !fut.event_loop.is_some() {
        return invalid_state(ts, format_args!("Future object is not initialized."));
    }
    Ok(())
}

pub(super) fn result(ts: &ThreadState, this: &PyObject) -> PyResult {
    check_initialized(ts, future(this))?;
    future(this).take_result(ts)
}

pub(super) fn exception(ts: &ThreadState, this: &PyObject) -> PyResult {
    let fut = future(this);
    check_initialized(ts, fut)?;
    match fut.state.get() {
        State::Cancelled => {
            let error = fut.make_cancelled_error(ts)?;
            Err(ts.raise(error))
        }
        State::Pending => invalid_state(ts, format_args!("Exception is not set.")),
        State::Finished => {
            fut.logs_traceback.set(false);
            Ok(fut.exception.get().unwrap_or_else(|| ts.none()))
        }
    }
}

pub(super) fn add_done_callback(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [callback, given] = parse!(ts, args, "add_done_callback", ["", "context"], 1, 1, 1);
    let callback = callback.unwrap_or(none());
    match given {
        Some(context) => future(this).add_callback(ts, this, callback, context)?,
        None => future(this).add_callback(ts, this, callback, context::copy_current(ts)?.as_object())?,
    }
    Ok(ts.none())
}

pub(super) fn remove_done_callback(ts: &ThreadState, this: &PyObject, callback: &PyObject) -> PyResult {
    let fut = future(this);
    fut.event_loop(ts)?;
    let Some(callbacks) = fut.callbacks.get() else { return PyInt::from_i64(ts, 0) };
    // Comparing may run Python code that changes the list: a copy is looked through.
    let copy = callbacks.to_tuple(ts)?;
    let mut kept = TryVec::<PyRef>::new();
    for entry in copy.items() {
        let is_same = match entry.downcast::<PyTuple>().map(PyTuple::items) {
            Some([found, _]) => protocol::equal(ts, found, callback)?,
            _ => false,
        };
        if !is_same {
            kept.try_push(entry.new_ref())?;
        }
    }
    let removed = copy.len() - kept.len();
    if removed > 0 {
        fut.callbacks.set(Some(PyList::from_vec(ts, kept)?));
    }
    PyInt::from_usize(ts, removed)
}

fn cancel(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [message] = parse!(ts, args, "cancel", ["msg"], 0, 1, 0);
    Ok(py_bool(future(this).cancel(ts, this, message.filter(|message| !is_none(message)))?))
}

pub(super) fn get_loop(ts: &ThreadState, this: &PyObject) -> PyResult {
    future(this).event_loop(ts)
}

pub(super) fn add_to_awaited_by_function(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "future_add_to_awaited_by", args.len(), 2, 2)?;
    if let (Some(fut), true) = (args[0].downcast::<PyFuture>(), args[1].is_a::<PyFuture>()) {
        fut.add_awaited_by(ts, args[1])?;
    }
    Ok(ts.none())
}

pub(super) fn discard_from_awaited_by_function(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "future_discard_from_awaited_by", args.len(), 2, 2)?;
    if let (Some(fut), true) = (args[0].downcast::<PyFuture>(), args[1].is_a::<PyFuture>()) {
        fut.discard_awaited_by(ts, args[1])?;
    }
    Ok(ts.none())
}
