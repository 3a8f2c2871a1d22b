//! Exceptions: handlers, tracebacks, `raise`, `except`, `with`.

use core::cell::Cell;

use super::frame::Frame;
use super::opcode::op;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, call, header, protocol};
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::{is_none, none};
use crate::types::traceback;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// Notes in the raised exception's traceback that it came through `frame`. A failure to do so (for want
/// of memory) leaves the exception as it is.
#[cold]
#[inline(never)]
pub fn add_traceback(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: the frame is the thread's current one.
    let frame = unsafe { &mut *frame };
    // A frame that has not begun has no line; the error belongs to its caller.
    if frame.unit_index() < frame.code().co_firsttraceable.get() as isize && is_prologue(frame) {
        return;
    }
    let Some(error) = ts.current_exception.take() else { return };
    let lasti = frame.lasti();
    let line = frame.line().unwrap_or(-1);
    let result = frame.object(ts).and_then(|object| traceback::add(ts, &error, object, lasti, line));
    if let Err(raised) = result {
        ts.clear_raised(raised);
    }
    let _ = ts.restore_raised(error);
}

/// Whether the current instruction is one of those before the first RESUME.
fn is_prologue(frame: &Frame) -> bool {
    // SAFETY: `pc` points to an instruction of the code.
    let opcode = unsafe { (*frame.pc).get() as u8 };
    matches!(opcode, op::COPY_FREE_VARS | op::MAKE_CELL | op::RETURN_GENERATOR | op::NOP)
}

/// Finds the handler for the exception raised at the instruction `at`, cuts the stack to its depth and pushes what it expects.
/// The address of the handler, or None when the frame has none.
///
/// # Safety
/// The frame's `sp` and `at` are valid, and an exception is set.
#[cold]
#[inline(never)]
pub unsafe fn find_handler(ts: &ThreadState, frame: *mut Frame, at: *const Cell<u16>) -> Option<*const Cell<u16>> {
    // SAFETY: the caller's promise; the exception table stays within the stack, as the compiler made it.
    unsafe {
        let index = at.offset_from((*frame).code().units().as_ptr());
        if index < 0 {
            return None;
        }
        let (target, depth, push_lasti) = (*frame).code().handler_at(index as usize)?;
        let error = ts.current_exception.take()?;
        let bottom = (*frame).stack_base().add(depth);
        while (*frame).sp > bottom {
            (*frame).sp = (*frame).sp.sub(1);
            let object = *(*frame).sp;
            if !object.is_null() {
                header::decref(ts, object);
            }
        }
        if push_lasti {
            // Not `at`: what a RERAISE has on its way came from where the frame has been set back to.
            match PyInt::from_i64(ts, (*frame).unit_index() as i64) {
                Ok(lasti) => {
                    *(*frame).sp = lasti.into_ptr();
                    (*frame).sp = (*frame).sp.add(1);
                }
                // The handler cannot be entered without it: the frame ends, with MemoryError.
                Err(raised) => {
                    drop(raised);
                    return None;
                }
            }
        }
        *(*frame).sp = error.into_ptr();
        (*frame).sp = (*frame).sp.add(1);
        Some((*frame).code().units().as_ptr().add(target))
    }
}

/// `raise`, `raise error`, `raise error from cause`. True when an exception goes on that was on its way
/// before (a bare `raise`), so that this place does not count twice in its traceback.
pub fn raise_statement(ts: &ThreadState, error: Option<PyRef>, cause: Option<PyRef>) -> bool {
    let Some(error) = error else {
        return match ts.handled_exception() {
            Some(error) => {
                let _ = ts.restore_raised(error);
                true
            }
            None => {
                let _ = ts.raise_fmt(&exc::RuntimeError, format_args!("No active exception to reraise"));
                false
            }
        };
    };
    let _ = do_raise(ts, error, cause);
    false
}

fn do_raise(ts: &ThreadState, error: PyRef, cause: Option<PyRef>) -> PyResult<()> {
    let error = exception_instance(ts, error, "exceptions must derive from BaseException")?;
    if let Some(cause) = cause {
        let base = error.cast::<PyBaseException>();
        if is_none(&cause) {
            base.cause.set(None);
        } else {
            let cause = exception_instance(ts, cause, "exception causes must derive from BaseException")?;
            base.cause.set(Some(cause));
        }
        base.suppress_context.set(true);
    }
    Err(ts.raise(error))
}

/// An exception as an instance: a class is called.
fn exception_instance(ts: &ThreadState, error: PyRef, message: &str) -> PyResult {
    if let Some(class) = error.downcast::<PyTypeObject>()
        && class.is_subtype(&exc::BaseException)
    {
        let made = call::call0(ts, &error)?;
        if !made.is_a::<PyBaseException>() {
            return raise!(
                ts,
                exc::TypeError,
                "calling {} should have returned an instance of BaseException, not {}",
                protocol::repr(ts, &error)?,
                protocol::repr(ts, made.ob_type().as_object())?
            );
        }
        return Ok(made);
    }
    if error.is_a::<PyBaseException>() {
        return Ok(error);
    }
    raise!(ts, exc::TypeError, "{message}")
}

fn check_exception_class(ts: &ThreadState, class: &PyObject) -> PyResult<()> {
    let is_class = |c: &PyObject| c.downcast::<PyTypeObject>().is_some_and(|t| t.is_subtype(&exc::BaseException));
    let good = match class.downcast::<PyTuple>() {
        Some(classes) => classes.items().iter().all(|c| is_class(c)),
        None => is_class(class),
    };
    if good {
        return Ok(());
    }
    raise!(ts, exc::TypeError, "catching classes that do not inherit from BaseException is not allowed")
}

/// Whether `except class` catches `error`.
pub fn exception_matches(ts: &ThreadState, error: &PyObject, class: &PyObject) -> PyResult<bool> {
    check_exception_class(ts, class)?;
    Ok(given_matches(error, class))
}

/// Whether an exception (or exception class) is of a class or of one of a tuple of classes.
pub fn given_matches(error: &PyObject, class: &PyObject) -> bool {
    if let Some(classes) = class.downcast::<PyTuple>() {
        return classes.items().iter().any(|class| given_matches(error, class));
    }
    let of_error = match error.downcast::<PyTypeObject>() {
        Some(class) if class.is_subtype(&exc::BaseException) => class,
        _ => error.ob_type(),
    };
    match class.downcast::<PyTypeObject>() {
        Some(class) => of_error.is_subtype(class),
        None => error.is(class),
    }
}

/// `except* class`: the part of `error` that does not match and the part that does, None for either that is empty.
pub fn group_match(ts: &ThreadState, error: &PyObject, class: &PyObject) -> PyResult<(PyRef, PyRef)> {
    check_exception_class(ts, class)?;
    let forbidden = |c: &PyObject| c.downcast::<PyTypeObject>().is_some_and(|t| t.is_subtype(&exc::BaseExceptionGroup));
    let has_group = match class.downcast::<PyTuple>() {
        Some(classes) => classes.items().iter().any(|c| forbidden(c)),
        None => forbidden(class),
    };
    if has_group {
        return raise!(ts, exc::TypeError, "catching ExceptionGroup with except* is not allowed. Use except instead.");
    }
    if is_none(error) {
        return Ok((ts.none(), ts.none()));
    }
    if given_matches(error, class) {
        if error.ob_type().is_subtype(&exc::BaseExceptionGroup) {
            return Ok((ts.none(), error.new_ref()));
        }
        // A plain exception is put into a group.
        let members = PyTuple::new(ts, &[error])?;
        let message = crate::types::str::PyStr::empty();
        let group = call::call_with(ts, exc::ExceptionGroup.as_object(), &[message.as_object(), members.as_object()])?;
        if let Some(tb) = error.cast::<PyBaseException>().traceback.get() {
            group.cast::<PyBaseException>().traceback.set(Some(tb));
        }
        return Ok((ts.none(), group));
    }
    if error.ob_type().is_subtype(&exc::BaseExceptionGroup) {
        let parts = call::call_method(ts, error, id!(split), &[class])?;
        let Some(pair) = parts.downcast::<PyTuple>().filter(|p| p.len() >= 2) else {
            return raise!(
                ts,
                exc::TypeError,
                "{}.split must return a tuple, not {}",
                error.type_name(),
                parts.type_name()
            );
        };
        return Ok((pair.items()[1].new_ref(), pair.items()[0].new_ref()));
    }
    Ok((error.new_ref(), ts.none()))
}

/// What `except*` raises at its end: the parts that were not handled and those that handlers raised.
pub fn prepare_reraise_star(ts: &ThreadState, original: &PyObject, raised: &PyObject) -> PyResult {
    exc::prepare_reraise_star(ts, original, raised.cast::<PyList>())
}

/// `__exit__(type, value, traceback)`.
pub fn call_exit(ts: &ThreadState, exit: &PyObject, this: Option<&PyObject>, error: &PyObject) -> PyResult {
    let traceback = error.cast::<PyBaseException>().traceback.get();
    let traceback: &PyObject = traceback.as_deref().unwrap_or(none());
    let class = error.ob_type().as_object();
    match this {
        Some(this) => call::call_with(ts, exit, &[this, class, error, traceback]),
        None => call::call_with(ts, exit, &[class, error, traceback]),
    }
}
