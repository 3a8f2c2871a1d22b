//! Raising: making exceptions, giving them their context, and what is ready for want of memory.

use core::cell::Cell;
use core::fmt;
use core::ptr::eq;

use super::base::PyBaseException;
use super::hierarchy as exc;
use super::simple::{PyAttributeError, PyImportError, PyNameError, PyStopIteration};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, alloc, call, gc};
use crate::state::ThreadState;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// How many MemoryErrors the stock holds beside the one that is always there.
const STOCK: usize = 16;

/// Calls an exception class. A built-in one is made without the detour over its metatype.
pub fn instantiate(ts: &ThreadState, class: &PyTypeObject, args: &[&PyObject]) -> PyResult {
    let slots = class.slots();
    if class.as_static_type().is_some()
        && let Some(new) = slots.new
    {
        let object = new(ts, class, Args::positional_only(args))?;
        if let Some(init) = object.ob_type().slots().init {
            init(ts, &object, Args::positional_only(args))?;
        }
        return Ok(object);
    }
    call::call_with(ts, class.as_object(), args)
}

/// Raises `class(value)`: `value` itself when it is an instance, a tuple spread, None for no argument.
#[cold]
pub fn raise_with(ts: &ThreadState, class: &PyTypeObject, value: &PyObject) -> Raised {
    if !class.is_subtype(&exc::BaseException) {
        return ts.raise_fmt(
            &exc::SystemError,
            format_args!("_PyErr_SetObject: exception {} is not a BaseException subclass", class.name()),
        );
    }
    match normalize(ts, class, Some(value)) {
        Ok(error) => raise(ts, error),
        Err(raised) => raised,
    }
}

/// An exception class and a value (see [`raise_with`]) as an instance.
pub fn normalize(ts: &ThreadState, class: &PyTypeObject, value: Option<&PyObject>) -> PyResult {
    let made = match value {
        None => instantiate(ts, class, &[]),
        Some(value) if value.ob_type().is_subtype(class) => return Ok(value.new_ref()),
        Some(value) if is_none(value) => instantiate(ts, class, &[]),
        Some(value) => match value.downcast::<PyTuple>() {
            Some(args) => instantiate(ts, class, args.items()),
            None => instantiate(ts, class, &[value]),
        },
    }?;
    if !made.is_a::<PyBaseException>() {
        return Err(ts.raise_fmt(
            &exc::TypeError,
            format_args!(
                "calling {} should have returned an instance of BaseException, not {}",
                crate::object::protocol::repr(ts, class.as_object())?,
                made.type_name()
            ),
        ));
    }
    Ok(made)
}

/// Raises `class()`.
#[cold]
pub fn raise_type(ts: &ThreadState, class: &PyTypeObject) -> Raised {
    match normalize(ts, class, None) {
        Ok(error) => raise(ts, error),
        Err(raised) => raised,
    }
}

/// Raises an exception instance: its context becomes the exception being handled.
#[cold]
pub fn raise(ts: &ThreadState, error: PyRef) -> Raised {
    if ts.interp().static_type_failed.replace(false) {
        // Something was not found for want of memory (see `object::ready`): that is what is to be said.
        return raise_no_memory(ts);
    }
    if let Some(handled) = ts.handled_exception() {
        set_context(&error, handled);
    }
    ts.restore_raised(error)
}

/// Makes `context` the context of `error`, and cuts the chain of contexts where it would lead back to `error`.
pub fn set_context(error: &PyObject, context: PyRef) {
    if context.is(error) || error.is_immortal() {
        return;
    }
    // Two walkers, one at half speed: the chain may hold a cycle already, without `error` in it.
    let mut slow = context.clone();
    let mut slow_moves = false;
    let mut at = context.clone();
    while let Some(next) = at.cast::<PyBaseException>().context.get() {
        if next.is(error) {
            at.cast::<PyBaseException>().context.set(None);
            break;
        }
        at = next;
        if at.is(&slow) {
            break;
        }
        if slow_moves && let Some(next) = slow.cast::<PyBaseException>().context.get() {
            slow = next;
        }
        slow_moves = !slow_moves;
    }
    error.cast::<PyBaseException>().context.set(Some(context));
}

/// A MemoryError for when there is no stock: before an interpreter has one, and at its very end. It takes
/// no traceback and no context, and no Python code ever sees it.
#[repr(C)]
struct LastResort {
    collector_header: [usize; 2],
    error: PyBaseExceptionStatic,
}

#[repr(transparent)]
struct PyBaseExceptionStatic(core::mem::MaybeUninit<PyBaseException>);

#[repr(C)]
struct Parts {
    header: PyObject,
    slots: [usize; 6],
    suppress_context: Cell<bool>,
}

// SAFETY: it is immortal, and nothing writes to immortal exceptions.
unsafe impl Sync for LastResort {}

static LAST_RESORT: LastResort = {
    const { assert!(size_of::<Parts>() == size_of::<PyBaseException>()) };
    let parts = Parts {
        header: PyObject::immortal((&raw const exc::MemoryError).cast()),
        slots: [0; 6],
        suppress_context: Cell::new(false),
    };
    // SAFETY: both have the header, six words that are null for an empty slot, and the flag.
    let error = unsafe { core::mem::transmute::<Parts, PyBaseExceptionStatic>(parts) };
    LastResort { collector_header: [0; 2], error }
};

/// Raises MemoryError from the stock: allocates nothing, and sets no context.
#[cold]
pub fn raise_no_memory(ts: &ThreadState) -> Raised {
    let stock = &ts.interp().spare.memory_error;
    let Some(error) = stock.take() else {
        let last: *const PyObject = (&raw const LAST_RESORT.error).cast();
        // SAFETY: the static is a whole object that lives for ever.
        return ts.restore_raised(PyRef::from_borrowed(unsafe { &*last }));
    };
    let base = error.cast::<PyBaseException>();
    match base.notes.take() {
        // I2: the last one stays, and is shared.
        None => {
            if error.is_unique() {
                base.clear();
                base.suppress_context.set(false);
            }
            stock.set(Some(error.clone()));
        }
        Some(next) => {
            stock.set(Some(next));
            base.args.set(Some(PyTuple::empty()));
            gc::track(ts, &*error);
        }
    }
    ts.restore_raised(error)
}

/// Fills the interpreter's stock of MemoryErrors; its types are ready.
pub fn prepare_spare(ts: &ThreadState) -> PyResult<()> {
    let stock = &ts.interp().spare.memory_error;
    // Filled while the slot is empty, so that a failure on the way frees what was made.
    let mut head: Option<PyRef> = stock.take();
    let mut failed = false;
    for _ in 0..=STOCK {
        match alloc::object::<PyObject>(ts, &exc::MemoryError) {
            Ok(error) => {
                error.cast::<PyBaseException>().notes.set(head.take());
                head = Some(error);
            }
            Err(raised) => {
                ts.clear_raised(raised);
                failed = true;
                break;
            }
        }
    }
    stock.set(head);
    if failed { Err(raise_no_memory(ts)) } else { Ok(()) }
}

/// Frees the stock, at the end of the interpreter.
pub fn drop_spare(ts: &ThreadState) {
    let mut next = ts.interp().spare.memory_error.take();
    while let Some(error) = next {
        next = error.cast::<PyBaseException>().notes.take();
    }
}

/// How many MemoryErrors are in the stock.
pub fn spare_count(ts: &ThreadState) -> usize {
    let mut count = 0;
    // SAFETY: nothing runs while the stock is looked at.
    let mut at = unsafe { ts.interp().spare.memory_error.borrow() };
    while let Some(spare) = at {
        count += 1;
        // SAFETY: as above; the stock is linked through the notes.
        at = unsafe { spare.cast::<PyBaseException>().notes.borrow() };
    }
    count
}

/// Takes a dying MemoryError, whose fields are empty, into the stock. False when the stock is full (or not
/// there), and for subclasses.
pub(super) fn restock(ts: &ThreadState, object: *mut PyObject) -> bool {
    // SAFETY: the memory is a whole MemoryError's, dead to all but the caller.
    let error = unsafe { &*object };
    if !eq(error.ob_type(), &*exc::MemoryError) {
        return false;
    }
    let stock = &ts.interp().spare.memory_error;
    let mut count = 0;
    // SAFETY: nothing runs in between.
    let mut at = unsafe { stock.borrow() };
    if at.is_none() {
        return false;
    }
    while let Some(spare) = at {
        count += 1;
        // SAFETY: as above.
        at = unsafe { spare.cast::<PyBaseException>().notes.borrow() };
    }
    if count > STOCK {
        return false;
    }
    error.ob_refcnt.set(1);
    error.cast::<PyBaseException>().suppress_context.set(false);
    // SAFETY: the reference is the one that the count says, and it goes into the stock.
    let error = unsafe { PyRef::from_owned(object) };
    error.cast::<PyBaseException>().notes.set(stock.take());
    stock.set(Some(error));
    true
}

/// What stands for an exception that was said to be raised, but is not there.
#[cold]
pub fn missing_exception(ts: &ThreadState) -> PyRef {
    let raised = ts.raise_fmt(&exc::SystemError, format_args!("error return without exception set"));
    drop(raised);
    match ts.current_exception.take() {
        Some(error) => error,
        None => {
            // Cannot be: raising always leaves an exception.
            let raised = raise_no_memory(ts);
            drop(raised);
            ts.current_exception.take().unwrap_or_else(|| ts.none())
        }
    }
}

/// Works on the raised exception without taking it off.
fn with_raised(ts: &ThreadState, f: impl FnOnce(&PyObject)) {
    if let Some(error) = ts.current_exception.get() {
        f(&error);
    }
}

/// Notes in a raised AttributeError which object lacked which attribute, for suggestions.
#[cold]
pub fn add_attribute_context(ts: &ThreadState, raised: Raised, object: &PyObject, name: &PyStr) -> Raised {
    with_raised(ts, |error| {
        if let Some(error) = error.downcast::<PyAttributeError>()
            && !error.name.is_some()
            && !error.obj.is_some()
        {
            error.name.set(Some(name.new_ref()));
            error.obj.set(Some(object.new_ref()));
        }
    });
    raised
}

/// Notes in a raised NameError which name was not there, for suggestions.
#[cold]
pub fn add_name_context(ts: &ThreadState, raised: Raised, name: &PyStr) -> Raised {
    with_raised(ts, |error| {
        if let Some(error) = error.downcast::<PyNameError>()
            && !error.name.is_some()
        {
            error.name.set(Some(name.new_ref()));
        }
    });
    raised
}

/// Raises NameError with a message about a name.
#[cold]
pub fn name_error(ts: &ThreadState, message: fmt::Arguments<'_>, name: &PyStr) -> Raised {
    let raised = ts.raise_fmt(&exc::NameError, message);
    add_name_context(ts, raised, name)
}

/// Raises KeyError for a key; a tuple is the key itself, not the arguments.
#[cold]
pub fn raise_key_error(ts: &ThreadState, key: &PyObject) -> Raised {
    match instantiate(ts, &exc::KeyError, &[key]) {
        Ok(error) => raise(ts, error),
        Err(raised) => raised,
    }
}

/// An instance of ImportError or of a subclass, with its attributes.
pub fn new_import_error(
    ts: &ThreadState,
    class: &PyTypeObject,
    message: &PyStr,
    name: Option<&PyObject>,
    path: Option<&PyObject>,
    name_from: Option<&PyObject>,
) -> PyResult {
    let error = instantiate(ts, class, &[message.as_object()])?;
    if let Some(fields) = error.downcast::<PyImportError>() {
        let owned = |value: Option<&PyObject>| value.map(|v| v.new_ref());
        fields.name.set(owned(name));
        fields.path.set(owned(path));
        fields.name_from.set(owned(name_from));
    }
    Ok(error)
}

/// Raises ImportError.
#[cold]
pub fn import_error(
    ts: &ThreadState,
    message: &PyStr,
    name: Option<&PyObject>,
    path: Option<&PyObject>,
    name_from: Option<&PyObject>,
) -> Raised {
    match new_import_error(ts, &exc::ImportError, message, name, path, name_from) {
        Ok(error) => raise(ts, error),
        Err(raised) => raised,
    }
}

/// Raises StopIteration for an iterator that has come to its end.
#[cold]
pub fn end_of_iteration<T>(ts: &ThreadState, _iterator: &PyObject) -> PyResult<T> {
    Err(raise_type(ts, &exc::StopIteration))
}

/// Raises StopIteration with a value, which is the value even when it is a tuple or an exception.
#[cold]
pub fn raise_stop_iteration(ts: &ThreadState, value: PyRef) -> Raised {
    let made = if is_none(&value) {
        instantiate(ts, &exc::StopIteration, &[])
    } else {
        instantiate(ts, &exc::StopIteration, &[&value])
    };
    match made {
        Ok(error) => raise(ts, error),
        Err(raised) => raised,
    }
}

/// `StopIteration.value` of an instance.
pub fn stop_iteration_value(ts: &ThreadState, error: &PyObject) -> PyRef {
    error.downcast::<PyStopIteration>().and_then(|e| e.value.get()).unwrap_or_else(|| ts.none())
}

impl PyBaseException {
    /// An instance as what it is, if it is one of those.
    pub fn from_object(object: &PyObject) -> Option<&PyBaseException> {
        object.downcast()
    }

    /// The exception as an owned reference.
    pub fn to_owned(&self) -> Ref<PyBaseException> {
        Ref::from_borrowed(self)
    }
}
