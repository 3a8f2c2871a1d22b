//! The awaitable that `__anext__` and `asend` of an asynchronous generator return.

use core::cell::Cell;

use super::attributes::this as generator_of;
use super::resume::{self, Thrown};
use super::{PyGenerator, async_gen, finalize_dying};
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::{native, raise};

/// How far an awaitable of an asynchronous generator is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Progress {
    /// Nobody has awaited it.
    Init,
    /// The generator works for it.
    Running,
    /// It has its result.
    Done,
}

/// An awaitable that sends a value to an asynchronous generator.
#[repr(C)]
pub struct PyAsend {
    ob_base: PyObject,
    generator: Slot<PyGenerator>,
    value: Slot<PyObject>,
    progress: Cell<Progress>,
}

native!(PyAsend, ASEND_TYPE);
crate::types::owned::owns!(PyAsend: generator, value);

/// `async_generator_asend`.
#[unsafe(export_name = "_PyAsyncGenASend_Type")]
pub static ASEND_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"async_generator_asend",
    basicsize: size_of::<PyAsend>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(dealloc),
        traverse: Some(PyAsend::slot_traverse),
        finalize: Some(finalize),
        iter: Some(|_ts, o| Ok(o.new_ref())),
        iternext: Some(|ts, o| send(ts, o, none()).map(resume::to_item)),
        am_await: Some(|_ts, o| Ok(o.new_ref())),
        am_send: Some(send),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__next__", resume::next_value, "Implement next(self).").coexist(),
        MethodDef::one(
            "send",
            |ts, o, value| {
                let result = send(ts, o, value)?;
                resume::to_object(ts, result)
            },
            "",
        ),
        MethodDef::positional(
            "throw",
            |ts, o, args| {
                let result = throw(ts, o, args)?;
                resume::to_object(ts, result)
            },
            "",
        ),
        MethodDef::no_args("close", close, ""),
    ],
    ..TypeSpec::EMPTY
});

/// A new awaitable; without a value it is `__anext__`'s.
pub(super) fn new(ts: &ThreadState, generator: &PyGenerator, value: Option<&PyObject>) -> PyResult {
    let made = alloc::exact::<PyAsend>(ts)?;
    made.generator.set(Some(Ref::from_borrowed(generator)));
    made.value.set(value.map(PyRef::from_borrowed));
    made.progress.set(Progress::Init);
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn this(object: &PyObject) -> &PyAsend {
    object.cast()
}

impl PyAsend {
    fn generator(&self) -> Ref<PyGenerator> {
        match self.generator.get() {
            Some(generator) => generator,
            None => unreachable!("an awaitable keeps its generator as long as it lives"),
        }
    }

    /// Raises RuntimeError when the awaitable has been used up, or when it is new and another one is under way.
    fn check(&self, ts: &ThreadState, generator: &PyGenerator) -> PyResult<()> {
        match self.progress.get() {
            Progress::Done => {
                raise!(ts, exc::RuntimeError, "cannot reuse already awaited __anext__()/asend()")
            }
            Progress::Init if generator.running_async.get() => {
                self.progress.set(Progress::Done);
                raise!(ts, exc::RuntimeError, "anext(): asynchronous generator is already running")
            }
            _ => Ok(()),
        }
    }

    fn finish(&self, ts: &ThreadState, generator: &PyGenerator, result: PyResult<Sent>) -> PyResult<Sent> {
        let result = async_gen::unwrap_value(ts, generator, result);
        if !matches!(result, Ok(Sent::Yielded(_))) {
            self.progress.set(Progress::Done);
        }
        result
    }
}

fn send(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<Sent> {
    let this = this(object);
    let generator = this.generator();
    this.check(ts, &generator)?;
    let mut own = None;
    if this.progress.replace(Progress::Running) == Progress::Init && is_none(value) {
        own = this.value.get();
    }
    generator.running_async.set(true);
    let result = resume::resume(ts, generator_of(generator.as_object()), own.as_deref().unwrap_or(value));
    this.finish(ts, &generator, result)
}

fn throw(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult<Sent> {
    let this = this(object);
    let generator = this.generator();
    this.check(ts, &generator)?;
    if this.progress.replace(Progress::Running) == Progress::Init {
        generator.running_async.set(true);
    }
    let result = Thrown::parse(ts, "throw", args).and_then(|thrown| resume::throw(ts, &generator, true, thrown));
    this.finish(ts, &generator, result)
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    if this(object).progress.get() == Progress::Done {
        return Ok(ts.none());
    }
    let result = throw(ts, object, &[exc::GeneratorExit.as_object()]);
    closed(ts, result)
}

/// What closing an awaitable makes of the GeneratorExit that it threw.
pub(super) fn closed(ts: &ThreadState, result: PyResult<Sent>) -> PyResult {
    match result {
        Ok(Sent::Yielded(_)) => raise!(ts, exc::RuntimeError, "coroutine ignored GeneratorExit"),
        Ok(Sent::Returned(_)) => Ok(ts.none()),
        Err(raised) if async_gen::is_end(ts) || ts.raised_matches(&exc::StopIteration) => {
            ts.clear_raised(raised);
            Ok(ts.none())
        }
        Err(raised) => Err(raised),
    }
}

fn finalize(ts: &ThreadState, object: &PyObject) {
    let this = this(object);
    if this.progress.get() == Progress::Init
        && let Some(generator) = this.generator.get()
    {
        async_gen::warn_method_never_awaited(ts, &generator, "asend");
    }
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an object of this type, with the count at zero.
    unsafe {
        let new = (*object).cast_unchecked::<PyAsend>().progress.get() == Progress::Init;
        if !new || finalize_dying(ts, &*object, finalize) {
            PyAsend::slot_dealloc(ts, object);
        }
    }
}
