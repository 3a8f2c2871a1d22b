//! `async_generator`: what an `async def` function with `yield` returns.
//!
//! Its frame yields for two reasons: an `await` lets the event loop have a value, a `yield` has one for
//! who iterates. The compiler wraps the latter ([`async_gen_wrap`]), and the awaitables that the methods
//! return ([`super::asend`], [`super::athrow`]) tell them apart by that.

use core::fmt;

use super::attributes::{self, this};
use super::{PyGenerator, SLOTS, SPEC, asend, athrow};
use crate::native;
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// `async_generator`.
#[unsafe(export_name = "PyAsyncGen_Type")]
pub static ASYNC_GEN_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"async_generator",
    slots: TypeSlots { am_aiter: Some(|_ts, o| Ok(o.new_ref())), am_anext: Some(anext), ..SLOTS },
    methods: &[
        MethodDef::one(
            "asend",
            |ts, o, value| {
                init_hooks(ts, this(o))?;
                asend::new(ts, this(o), Some(value))
            },
            "asend(value) -> an awaitable that gives the next value that is yielded.",
        ),
        MethodDef::positional(
            "athrow",
            |ts, o, args| {
                super::resume::Thrown::parse(ts, "athrow", args)?;
                init_hooks(ts, this(o))?;
                let args = PyTuple::new(ts, args)?;
                athrow::new(ts, this(o), Some(args))
            },
            "athrow(exception) -> an awaitable that raises the exception where the generator is suspended.",
        ),
        MethodDef::no_args(
            "aclose",
            |ts, o| {
                init_hooks(ts, this(o))?;
                athrow::new(ts, this(o), None)
            },
            "aclose() -> an awaitable that raises GeneratorExit where the generator is suspended.",
        ),
        attributes::CLASS_GETITEM,
    ],
    getset: &[
        attributes::NAME,
        attributes::QUALNAME,
        GetSetDef::get("ag_await", attributes::delegate, "the object that is awaited, or None"),
        GetSetDef::get("ag_frame", attributes::frame, ""),
        GetSetDef::get("ag_running", |_ts, o| Ok(py_bool(this(o).running_async.get())), ""),
        GetSetDef::get("ag_code", attributes::code, ""),
        GetSetDef::get("ag_suspended", attributes::suspended, ""),
    ],
    ..SPEC
});

/// `__anext__`.
pub(super) fn anext(ts: &ThreadState, object: &PyObject) -> PyResult {
    let generator = this(object);
    init_hooks(ts, generator)?;
    asend::new(ts, generator, None)
}

/// On first use, tells the event loop of the generator (`sys.set_asyncgen_hooks`).
#[inline]
fn init_hooks(ts: &ThreadState, generator: &PyGenerator) -> PyResult<()> {
    if generator.hooks_inited.replace(true) {
        return Ok(());
    }
    if let Some(finalizer) = ts.async_gen_finalizer.get() {
        generator.origin_or_finalizer.set(Some(finalizer));
    }
    if let Some(hook) = ts.async_gen_firstiter.get() {
        call::call_with(ts, &hook, &[generator.as_object()])?;
    }
    Ok(())
}

/// What a run of the generator means to who awaits it: a value of a `yield` is the result, one of an
/// `await` goes up to the event loop, and the end is StopAsyncIteration.
pub(super) fn unwrap_value(ts: &ThreadState, generator: &PyGenerator, result: PyResult<Sent>) -> PyResult<Sent> {
    match result {
        Ok(Sent::Yielded(value)) => match value.downcast_exact::<PyWrappedValue>() {
            Some(wrapped) => {
                let inner = wrapped.value.get().unwrap_or_else(|| ts.none());
                generator.running_async.set(false);
                Ok(Sent::Returned(inner))
            }
            None => Ok(Sent::Yielded(value)),
        },
        Ok(Sent::Returned(_)) => {
            generator.closed.set(true);
            generator.running_async.set(false);
            Err(ts.raise_type(&exc::StopAsyncIteration))
        }
        Err(raised) => {
            if is_end(ts) {
                generator.closed.set(true);
            }
            generator.running_async.set(false);
            Err(raised)
        }
    }
}

/// Whether the raised exception is one of those that mean that the generator has ended.
pub(super) fn is_end(ts: &ThreadState) -> bool {
    ts.raised_matches(&exc::StopAsyncIteration) || ts.raised_matches(&exc::GeneratorExit)
}

/// Warns that an awaitable of the generator's method `method` dies without having been awaited.
#[cold]
pub(super) fn warn_method_never_awaited(ts: &ThreadState, generator: &PyGenerator, method: &str) {
    let pending = ts.current_exception.take();
    let result = match generator.qualname.get() {
        Some(name) => protocol::repr(ts, name.as_object()).and_then(|name| {
            warn_text(ts, format_args!("coroutine method '{method}' of {} was never awaited", &*name))
        }),
        None => Ok(()),
    };
    if let Err(raised) = result {
        exc::write_unraisable(ts, raised, Some("finalizing async generator"), generator.as_object());
    }
    ts.current_exception.set(pending);
}

/// A RuntimeWarning.
pub(super) fn warn_text(ts: &ThreadState, message: fmt::Arguments<'_>) -> PyResult<()> {
    let text = PyStr::format(ts, message)?;
    exc::warn(ts, &exc::RuntimeWarning, text.utf8(ts)?, 1)
}

/// A value that an asynchronous generator's `yield` has for who iterates it.
#[repr(C)]
pub struct PyWrappedValue {
    ob_base: PyObject,
    value: Slot<PyObject>,
}

native!(PyWrappedValue, WRAPPED_VALUE_TYPE);
crate::types::owned::owns!(PyWrappedValue: value);

/// `async_generator_wrapped_value`.
#[unsafe(export_name = "_PyAsyncGenWrappedValue_Type")]
pub static WRAPPED_VALUE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"async_generator_wrapped_value",
    basicsize: size_of::<PyWrappedValue>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyWrappedValue::slot_dealloc),
        traverse: Some(PyWrappedValue::slot_traverse),
        clear: Some(PyWrappedValue::slot_clear),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// Wraps what an asynchronous generator is about to yield.
pub fn async_gen_wrap(ts: &ThreadState, value: &PyObject) -> PyResult {
    let wrapped = alloc::exact::<PyWrappedValue>(ts)?;
    wrapped.value.set(Some(value.new_ref()));
    gc::track(ts, &*wrapped);
    Ok(wrapped.into_object())
}
