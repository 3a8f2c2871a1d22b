//! The awaitable that `athrow` and `aclose` of an asynchronous generator return.

use core::cell::Cell;

use super::asend::{Progress, closed};
use super::async_gen::{self, PyWrappedValue};
use super::resume::{self, Thrown};
use super::{PyGenerator, finalize_dying};
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::tuple::PyTuple;
use crate::{native, raise};

/// An awaitable that throws an exception into an asynchronous generator, or closes it.
#[repr(C)]
pub struct PyAthrow {
    ob_base: PyObject,
    generator: Slot<PyGenerator>,
    /// The arguments of `athrow`; none for `aclose`.
    args: Slot<PyTuple>,
    progress: Cell<Progress>,
}

native!(PyAthrow, ATHROW_TYPE);
crate::types::owned::owns!(PyAthrow: generator, args);

/// `async_generator_athrow`.
#[unsafe(export_name = "_PyAsyncGenAThrow_Type")]
pub static ATHROW_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"async_generator_athrow",
    basicsize: size_of::<PyAthrow>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(dealloc),
        traverse: Some(PyAthrow::slot_traverse),
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

/// A new awaitable; without arguments it is `aclose`'s.
pub(super) fn new(ts: &ThreadState, generator: &PyGenerator, args: Option<Ref<PyTuple>>) -> PyResult {
    let made = alloc::exact::<PyAthrow>(ts)?;
    made.generator.set(Some(Ref::from_borrowed(generator)));
    made.args.set(args);
    made.progress.set(Progress::Init);
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn this(object: &PyObject) -> &PyAthrow {
    object.cast()
}

impl PyAthrow {
    fn generator(&self) -> Ref<PyGenerator> {
        match self.generator.get() {
            Some(generator) => generator,
            None => unreachable!("an awaitable keeps its generator as long as it lives"),
        }
    }

    fn is_close(&self) -> bool {
        !self.args.is_some()
    }

    fn method(&self) -> &'static str {
        if self.is_close() { "aclose" } else { "athrow" }
    }

    fn check_not_done(&self, ts: &ThreadState) -> PyResult<()> {
        if self.progress.get() == Progress::Done {
            return raise!(ts, exc::RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        }
        Ok(())
    }

    fn check_not_running(&self, ts: &ThreadState, generator: &PyGenerator) -> PyResult<()> {
        if generator.running_async.get() {
            self.progress.set(Progress::Done);
            let method = self.method();
            return raise!(ts, exc::RuntimeError, "{method}(): asynchronous generator is already running");
        }
        Ok(())
    }

    fn done(&self, generator: &PyGenerator) {
        generator.running_async.set(false);
        self.progress.set(Progress::Done);
    }

    /// What a run of the generator means to `aclose`: its end is the good end, a value of a `yield` is refused.
    fn closing(&self, ts: &ThreadState, generator: &PyGenerator, result: PyResult<Sent>) -> PyResult<Sent> {
        match result {
            Ok(Sent::Yielded(value)) if value.downcast_exact::<PyWrappedValue>().is_some() => {
                self.done(generator);
                drop(value);
                raise!(ts, exc::RuntimeError, "async generator ignored GeneratorExit")
            }
            Ok(Sent::Yielded(value)) => Ok(Sent::Yielded(value)),
            Ok(Sent::Returned(_)) => {
                self.done(generator);
                Ok(Sent::Returned(ts.none()))
            }
            Err(raised) => {
                self.done(generator);
                if !async_gen::is_end(ts) {
                    return Err(raised);
                }
                ts.clear_raised(raised);
                Ok(Sent::Returned(ts.none()))
            }
        }
    }
}

fn send(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult<Sent> {
    let this = this(object);
    let generator = this.generator();
    this.check_not_done(ts)?;
    if generator.is_finished() {
        this.progress.set(Progress::Done);
        return Ok(Sent::Returned(ts.none()));
    }
    if this.progress.get() == Progress::Running {
        let result = resume::resume(ts, &generator, value);
        if this.is_close() {
            return this.closing(ts, &generator, result);
        }
        return async_gen::unwrap_value(ts, &generator, result);
    }
    this.check_not_running(ts, &generator)?;
    if generator.closed.get() {
        this.progress.set(Progress::Done);
        return Err(ts.raise_type(&exc::StopAsyncIteration));
    }
    if !is_none(value) {
        return raise!(ts, exc::RuntimeError, "can't send non-None value to a just-started coroutine");
    }
    this.progress.set(Progress::Running);
    generator.running_async.set(true);
    let Some(args) = this.args.get() else {
        generator.closed.set(true);
        let result = resume::throw(ts, &generator, false, Thrown::only(exc::GeneratorExit.as_object()));
        return this.closing(ts, &generator, result);
    };
    let result = resume::throw(ts, &generator, false, Thrown::unchecked(args.items()));
    let result = async_gen::unwrap_value(ts, &generator, result);
    if !matches!(result, Ok(Sent::Yielded(_))) {
        this.done(&generator);
    }
    result
}

fn throw(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult<Sent> {
    let this = this(object);
    let generator = this.generator();
    this.check_not_done(ts)?;
    if this.progress.get() == Progress::Init {
        this.check_not_running(ts, &generator)?;
        this.progress.set(Progress::Running);
        generator.running_async.set(true);
    }
    let result = Thrown::parse(ts, "throw", args).and_then(|thrown| resume::throw(ts, &generator, true, thrown));
    if this.is_close() {
        return this.closing(ts, &generator, result);
    }
    let result = async_gen::unwrap_value(ts, &generator, result);
    if !matches!(result, Ok(Sent::Yielded(_))) {
        this.progress.set(Progress::Done);
    }
    result
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    if this(object).progress.get() == Progress::Done {
        return Ok(ts.none());
    }
    let result = throw(ts, object, &[exc::GeneratorExit.as_object()]);
    closed(ts, result)
}

fn finalize(ts: &ThreadState, object: &PyObject) {
    let this = this(object);
    if this.progress.get() == Progress::Init
        && let Some(generator) = this.generator.get()
    {
        async_gen::warn_method_never_awaited(ts, &generator, this.method());
    }
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an object of this type, with the count at zero.
    unsafe {
        let new = (*object).cast_unchecked::<PyAthrow>().progress.get() == Progress::Init;
        if !new || finalize_dying(ts, &*object, finalize) {
            PyAthrow::slot_dealloc(ts, object);
        }
    }
}
