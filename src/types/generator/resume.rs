//! Sending into generators, throwing into them, closing them.
//!
//! Inside the runtime a return value travels as [`Sent::Returned`]; it becomes a StopIteration only
//! where Python code asks for it.

use super::{CREATED, EXECUTING, FINISHED, PyGenerator, SUSPENDED, SUSPENDED_YIELD_FROM};
use crate::object::slots::Sent;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::none::{is_none, none};
use crate::types::traceback::PyTraceback;
use crate::vm::eval::{Entry, eval_frame};
use crate::vm::opcode::op;
use crate::vm::unwind::given_matches;
use crate::{id, raise};

/// In the argument of a RESUME: the only handler around is the one that every generator has.
const RESUME_DEPTH1: u16 = 0x4;

/// Runs a generator up to its next `yield`, which gives `value`, or to its end.
#[inline]
pub fn resume(ts: &ThreadState, generator: &PyGenerator, value: &PyObject) -> PyResult<Sent> {
    let state = generator.state.get();
    if state >= EXECUTING || (state == CREATED && !is_none(value)) {
        return refuse(ts, generator);
    }
    let frame = generator.begin(ts, value);
    let result = eval_frame(ts, frame, Entry::Run)?;
    Ok(sent(generator, result))
}

/// [`resume`] with an exception that the `yield` raises. `closing` says that a coroutine may have ended.
fn resume_throw(ts: &ThreadState, generator: &PyGenerator, error: PyRef, closing: bool) -> PyResult<Sent> {
    match generator.state.get() {
        EXECUTING => return refuse(ts, generator),
        FINISHED if generator.is_coroutine() && !closing => return refuse(ts, generator),
        FINISHED => return Err(ts.restore_raised(error)),
        CREATED => {}
        _ => {
            // Handlers are looked up for the `yield`, not for the instruction behind it; they expect what a
            // `send` would have left on the stack.
            // SAFETY: a suspended frame's instruction is the one behind a `yield`, and its stack has room for
            // what is sent.
            unsafe {
                let frame = generator.frame();
                (*frame).pc = (*frame).pc.sub(1);
                *(*frame).sp = none().as_ptr();
                (*frame).sp = (*frame).sp.add(1);
            }
        }
    }
    generator.link_exc_state(ts);
    // The context is the exception that the generator handles; what its caller handles is none of its business.
    // SAFETY: nothing runs while the slot is looked at.
    let handles = unsafe { generator.exc_state.value.borrow() }.is_some_and(|e| !is_none(e));
    let _ = if handles { ts.raise(error) } else { ts.restore_raised(error) };
    let result = eval_frame(ts, generator.frame(), Entry::Throw)?;
    Ok(sent(generator, result))
}

#[inline(always)]
fn sent(generator: &PyGenerator, result: PyRef) -> Sent {
    if matches!(generator.state.get(), SUSPENDED | SUSPENDED_YIELD_FROM) {
        Sent::Yielded(result)
    } else {
        Sent::Returned(result)
    }
}

/// What sending to a generator gives that cannot run.
#[cold]
fn refuse(ts: &ThreadState, generator: &PyGenerator) -> PyResult<Sent> {
    let kind = generator.kind();
    match generator.state.get() {
        EXECUTING => raise!(ts, exc::ValueError, "{kind} already executing"),
        FINISHED if generator.is_coroutine() => {
            raise!(ts, exc::RuntimeError, "cannot reuse already awaited coroutine")
        }
        FINISHED => Ok(Sent::Returned(ts.none())),
        _ => raise!(ts, exc::TypeError, "can't send non-None value to a just-started {kind}"),
    }
}

/// What a method that sends returns: the value yielded, or StopIteration with the value returned.
pub(super) fn to_object(ts: &ThreadState, sent: Sent) -> PyResult {
    match sent {
        Sent::Yielded(value) => Ok(value),
        Sent::Returned(value) => Err(stop_iteration(ts, &value)),
    }
}

/// What `tp_iternext` returns.
pub(super) fn to_item(sent: Sent) -> Option<PyRef> {
    match sent {
        Sent::Yielded(value) => Some(value),
        Sent::Returned(_) => None,
    }
}

/// Raises StopIteration, with the value unless that is None.
pub(super) fn stop_iteration(ts: &ThreadState, value: &PyObject) -> Raised {
    exc::raise_stop_iteration(ts, value.new_ref())
}

/// Turns the end of an iteration into the value that it returned.
pub(super) fn catch_stop(ts: &ThreadState, result: PyResult) -> PyResult<Sent> {
    match result {
        Ok(value) => Ok(Sent::Yielded(value)),
        Err(raised) if ts.raised_matches(&exc::StopIteration) => {
            let error = ts.take_raised(raised);
            Ok(Sent::Returned(exc::stop_iteration_value(ts, &error)))
        }
        Err(raised) => Err(raised),
    }
}

/// Sends a value to what a `yield from` or `await` delegates to (`PyIter_Send`): a generator, or any other iterator.
#[inline]
pub fn send_to(ts: &ThreadState, receiver: &PyObject, value: &PyObject) -> PyResult<Sent> {
    let slots = receiver.ob_type().slots();
    if let Some(send) = slots.am_send {
        return send(ts, receiver, value);
    }
    if !is_none(value) || slots.iternext.is_none() {
        let result = call::call_method(ts, receiver, id!(send), &[value]);
        return catch_stop(ts, result);
    }
    let result = next_value(ts, receiver);
    catch_stop(ts, result)
}

/// `next(iterator)`: the next item, or StopIteration with the value that a generator has returned.
///
/// The `tp_iternext` slot says only that there is no item. This is for where Python code gets to see the
/// StopIteration itself.
pub fn next_value(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let typ = iterator.ob_type();
    let slots = typ.slots();
    let Some(next) = slots.iternext else {
        return raise!(ts, exc::TypeError, "'{}' object is not an iterator", iterator.type_name());
    };
    if let Some(send) = slots.am_send {
        let result = send(ts, iterator, none())?;
        return to_object(ts, result);
    }
    if typ.is_heap_type()
        && let Some(item) = call::call_special(ts, iterator, id!(__next__), &[])?
    {
        return Ok(item);
    }
    match next(ts, iterator)? {
        Some(item) => Ok(item),
        None => Err(ts.raise_type(&exc::StopIteration)),
    }
}

/// `generator.send(value)`.
pub fn send(ts: &ThreadState, generator: &PyGenerator, value: &PyObject) -> PyResult {
    let result = resume(ts, generator, value)?;
    to_object(ts, result)
}

/// The arguments of a `throw`: an exception or class, and what the older signature has besides.
#[derive(Clone, Copy)]
pub(super) struct Thrown<'a> {
    error: &'a PyObject,
    value: Option<&'a PyObject>,
    traceback: Option<&'a PyObject>,
}

impl<'a> Thrown<'a> {
    /// A class or an instance.
    pub(super) fn only(error: &'a PyObject) -> Thrown<'a> {
        Thrown { error, value: None, traceback: None }
    }

    /// Takes the arguments of `name(…)`; warns of the older signature.
    pub(super) fn parse(ts: &ThreadState, name: &str, args: &[&'a PyObject]) -> PyResult<Thrown<'a>> {
        call::check_count(ts, name, args.len(), 1, 3)?;
        if args.len() > 1 {
            deprecated(ts, name)?;
        }
        Ok(Thrown::unchecked(args))
    }

    /// Arguments of which there are one to three.
    pub(super) fn unchecked(args: &[&'a PyObject]) -> Thrown<'a> {
        Thrown { error: args[0], value: args.get(1).copied(), traceback: args.get(2).copied() }
    }

    /// The exception as an instance. Err when the arguments are none that `throw` takes.
    fn instance(&self, ts: &ThreadState) -> PyResult {
        let traceback = self.traceback.filter(|t| !is_none(t));
        if traceback.is_some_and(|t| !t.is_a::<PyTraceback>()) {
            return raise!(ts, exc::TypeError, "throw() third argument must be a traceback object");
        }
        let value = self.value.filter(|v| !is_none(v));
        if let Some(class) = self.error.downcast::<PyTypeObject>()
            && class.is_subtype(&exc::BaseException)
        {
            return Ok(match make_exception(ts, class, value) {
                Ok(error) => {
                    error.cast::<PyBaseException>().traceback.set(traceback.map(PyRef::from_borrowed));
                    error
                }
                // What went wrong in making it is thrown instead.
                Err(raised) => ts.take_raised(raised),
            });
        }
        if self.error.is_a::<PyBaseException>() {
            if value.is_some() {
                return raise!(ts, exc::TypeError, "instance exception may not have a separate value");
            }
            if let Some(traceback) = traceback {
                self.error.cast::<PyBaseException>().traceback.set(Some(traceback.new_ref()));
            }
            return Ok(self.error.new_ref());
        }
        raise!(
            ts,
            exc::TypeError,
            "exceptions must be classes or instances deriving from BaseException, not {}",
            self.error.type_name()
        )
    }
}

/// `class(value)`, unless the value is an instance of it already; a tuple gives the arguments.
fn make_exception(ts: &ThreadState, class: &PyTypeObject, value: Option<&PyObject>) -> PyResult {
    let error = match value {
        None => call::call0(ts, class.as_object())?,
        Some(value) if value.ob_type().is_subtype(class) => return Ok(value.new_ref()),
        Some(value) => match value.downcast::<crate::types::tuple::PyTuple>() {
            Some(args) => call::call_with(ts, class.as_object(), args.items())?,
            None => call::call_with(ts, class.as_object(), &[value])?,
        },
    };
    if error.is_a::<PyBaseException>() {
        return Ok(error);
    }
    raise!(
        ts,
        exc::TypeError,
        "calling {} should have returned an instance of BaseException, not {}",
        protocol::repr(ts, class.as_object())?,
        error.type_name()
    )
}

fn deprecated(ts: &ThreadState, name: &str) -> PyResult<()> {
    let message = match name {
        "athrow" => "the (type, exc, tb) signature of athrow() is deprecated, use the single-arg signature instead.",
        _ => "the (type, exc, tb) signature of throw() is deprecated, use the single-arg signature instead.",
    };
    exc::warn(ts, &exc::DeprecationWarning, message, 1)
}

/// Raises an exception where the generator is suspended, or in what it delegates to.
///
/// `close_on_exit` says that GeneratorExit closes what it delegates to at once; asynchronous generators
/// let it work its way through instead.
pub(super) fn throw(
    ts: &ThreadState,
    generator: &PyGenerator,
    close_on_exit: bool,
    thrown: Thrown<'_>,
) -> PyResult<Sent> {
    let Some(delegate) = generator.yield_from() else {
        let error = thrown.instance(ts)?;
        return resume_throw(ts, generator, error, false);
    };
    ts.check_native_stack("")?;
    if close_on_exit && given_matches(thrown.error, exc::GeneratorExit.as_object()) {
        let state = generator.state.replace(EXECUTING);
        let closed = close_iterator(ts, &delegate);
        generator.state.set(state);
        drop(delegate);
        let error = match closed {
            Ok(()) => thrown.instance(ts)?,
            Err(raised) => ts.take_raised(raised),
        };
        return resume_throw(ts, generator, error, false);
    }
    let result = match super::inlinable(&delegate) {
        Some(inner) => passing_on(ts, generator, || throw(ts, inner, close_on_exit, thrown)),
        None => match attr::get_opt(ts, &delegate, id!(throw))? {
            None => {
                drop(delegate);
                let error = thrown.instance(ts)?;
                return resume_throw(ts, generator, error, false);
            }
            Some(method) => passing_on(ts, generator, || {
                let result = match (thrown.value, thrown.traceback) {
                    (None, _) => call::call_with(ts, &method, &[thrown.error]),
                    (Some(value), None) => call::call_with(ts, &method, &[thrown.error, value]),
                    (Some(value), Some(tb)) => call::call_with(ts, &method, &[thrown.error, value, tb]),
                };
                result.map(Sent::Yielded)
            }),
        },
    };
    drop(delegate);
    let raised = match result {
        Ok(Sent::Yielded(value)) => return Ok(Sent::Yielded(value)),
        // The instructions around a `yield from` take the value from the StopIteration.
        Ok(Sent::Returned(value)) => stop_iteration(ts, &value),
        Err(raised) => raised,
    };
    let error = ts.take_raised(raised);
    resume_throw(ts, generator, error, false)
}

/// Does something in the name of a suspended generator: its frame is the current one meanwhile, for
/// tracebacks, and it cannot be run.
fn passing_on<T>(ts: &ThreadState, generator: &PyGenerator, action: impl FnOnce() -> T) -> T {
    let frame = generator.frame();
    let caller = ts.frame.get();
    // SAFETY: the frame is suspended; it is taken off before anyone can run it.
    unsafe { (*frame).previous = caller };
    ts.frame.set(frame);
    let state = generator.state.replace(EXECUTING);
    let result = action();
    generator.state.set(state);
    ts.frame.set(caller);
    // SAFETY: as above.
    unsafe { (*frame).previous = core::ptr::null_mut() };
    result
}

/// `generator.throw(…)`.
pub(super) fn throw_method(ts: &ThreadState, generator: &PyGenerator, args: &[&PyObject]) -> PyResult {
    let thrown = Thrown::parse(ts, "throw", args)?;
    let result = throw(ts, generator, true, thrown)?;
    to_object(ts, result)
}

/// `generator.close()`: raises GeneratorExit at its `yield`; the value that it returns, if any.
pub fn close(ts: &ThreadState, generator: &PyGenerator) -> PyResult {
    match generator.state.get() {
        FINISHED => return Ok(ts.none()),
        CREATED => {
            generator.end(ts);
            return Ok(ts.none());
        }
        _ => {}
    }
    let mut closed = Ok(());
    if let Some(delegate) = generator.yield_from() {
        ts.check_native_stack("")?;
        let state = generator.state.replace(EXECUTING);
        closed = close_iterator(ts, &delegate);
        generator.state.set(state);
    }
    if closed.is_ok() && generator.is_suspended() && has_no_handler(generator) {
        generator.end(ts);
        return Ok(ts.none());
    }
    let raised = match closed {
        Ok(()) => ts.raise_type(&exc::GeneratorExit),
        Err(raised) => raised,
    };
    let error = ts.take_raised(raised);
    match resume_throw(ts, generator, error, true) {
        Ok(Sent::Yielded(_)) => raise!(ts, exc::RuntimeError, "{} ignored GeneratorExit", generator.kind()),
        Ok(Sent::Returned(_)) if generator.is_async_generator() => Err(ts.raise_type(&exc::StopAsyncIteration)),
        Ok(Sent::Returned(value)) => Ok(value),
        Err(raised) if ts.raised_matches(&exc::GeneratorExit) => {
            ts.clear_raised(raised);
            Ok(ts.none())
        }
        Err(raised) => Err(raised),
    }
}

/// Whether no code of the generator's own would see a GeneratorExit at its `yield`.
fn has_no_handler(generator: &PyGenerator) -> bool {
    // SAFETY: a suspended frame's `pc` points to the instruction behind the `yield`.
    let unit = unsafe { (*(*generator.frame()).pc).get() };
    matches!(unit as u8, op::RESUME | op::RESUME_CHECK) && unit >> 8 & RESUME_DEPTH1 != 0
}

/// Closes what a generator delegates to; iterators without `close` need no closing.
fn close_iterator(ts: &ThreadState, iterator: &PyObject) -> PyResult<()> {
    if let Some(inner) = super::inlinable(iterator) {
        return close(ts, inner).map(drop);
    }
    match attr::get_opt(ts, iterator, id!(close)) {
        Ok(Some(method)) => call::call0(ts, &method).map(drop),
        Ok(None) => Ok(()),
        Err(raised) => {
            exc::write_unraisable(ts, raised, None, iterator);
            Ok(())
        }
    }
}
