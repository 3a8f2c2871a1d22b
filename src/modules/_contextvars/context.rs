//! `Context`: what the variables are set to.

use core::cell::Cell;
use core::mem::offset_of;

use super::PyContextVar;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, CompareOp, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, call, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::{IterKind, PyDict, PyDictIter, raise_key_error};
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::StrBuilder;

/// A mapping from variables to values.
#[repr(C)]
pub struct PyContext {
    ob_base: PyObject,
    /// The settings, shared with whoever has copied the context. Hashing and comparing variables runs no Python code.
    values: Slot<PyDict>,
    /// The context that was current when this one was entered.
    previous: Slot<PyObject>,
    entered: Cell<bool>,
    weakrefs: WeakrefList,
}

crate::native!(PyContext, CONTEXT_TYPE);
owns!(PyContext: values, previous);

/// `contextvars.Context`.
#[unsafe(export_name = "PyContext_Type")]
pub static CONTEXT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_contextvars.Context",
    basicsize: size_of::<PyContext>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        new: Some(context_new),
        dealloc: Some(context_dealloc),
        traverse: Some(PyContext::slot_traverse),
        clear: Some(PyContext::slot_clear),
        richcompare: Some(context_compare),
        iter: Some(|ts, this| iterate(ts, this, IterKind::Keys)),
        mp_length: Some(|_, this| Ok(this.cast::<PyContext>().len())),
        mp_subscript: Some(context_subscript),
        sq_contains: Some(context_contains),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "get",
            context_get,
            "get($self, key, default=None, /)\n--\n\nThe value that the variable has in the context, or the default.",
        ),
        MethodDef::no_args(
            "items",
            |ts, this| iterate(ts, this, IterKind::Items),
            "items($self, /)\n--\n\nAll variables and their values in the context object.",
        ),
        MethodDef::no_args(
            "keys",
            |ts, this| iterate(ts, this, IterKind::Keys),
            "keys($self, /)\n--\n\nAll variables in the context object.",
        ),
        MethodDef::no_args(
            "values",
            |ts, this| iterate(ts, this, IterKind::Values),
            "values($self, /)\n--\n\nAll variables' values in the context object.",
        ),
        MethodDef::no_args(
            "copy",
            |ts, this| Ok(this.cast::<PyContext>().copy(ts)?.into_object()),
            "copy($self, /)\n--\n\nReturn a shallow copy of the context object.",
        ),
        MethodDef::keywords(
            "run",
            context_run,
            "run($self, callable, /, *args, **kwargs)\n--\n\nCall with this context as the current one.",
        ),
    ],
    weaklistoffset: offset_of!(PyContext, weakrefs),
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn context_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a context whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        PyContext::slot_dealloc(ts, object);
    }
}

/// The current context, made when there is none.
#[inline]
pub fn current(ts: &ThreadState) -> PyResult<Ref<PyContext>> {
    if let Some(context) = ts.context.get()
        && let Ok(context) = context.downcast_into::<PyContext>()
    {
        return Ok(context);
    }
    let context = PyContext::new(ts)?;
    context.entered.set(true);
    ts.context.set(Some(context.new_ref()));
    Ok(context)
}

/// A copy of the current context (`PyContext_CopyCurrent`).
pub fn copy_current(ts: &ThreadState) -> PyResult<Ref<PyContext>> {
    current(ts)?.copy(ts)
}

impl PyContext {
    /// An empty context (`PyContext_New`).
    pub fn new(ts: &ThreadState) -> PyResult<Ref<PyContext>> {
        let context = alloc::exact::<PyContext>(ts)?;
        gc::track(ts, &*context);
        Ok(context)
    }

    /// A context with the same settings (`PyContext_Copy`).
    pub fn copy(&self, ts: &ThreadState) -> PyResult<Ref<PyContext>> {
        let copy = PyContext::new(ts)?;
        copy.values.set(self.values.get());
        Ok(copy)
    }

    /// How many variables are set.
    pub fn len(&self) -> usize {
        // SAFETY: nothing runs while the length is read.
        unsafe { self.values.borrow() }.map_or(0, PyDict::len)
    }

    /// Whether no variable is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a variable is set to.
    #[inline]
    pub fn get(&self, ts: &ThreadState, var: &PyContextVar) -> PyResult<Option<PyRef>> {
        // SAFETY: comparing variables runs no Python code, so the dict stays.
        match unsafe { self.values.borrow() } {
            Some(values) => values.get_known_hash(ts, var.as_object(), var.hash_value()),
            None => Ok(None),
        }
    }

    /// The settings, as a dict that nobody else has.
    fn own_values(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        let own = match self.values.take() {
            None => PyDict::new(ts)?,
            Some(values) if values.as_object().is_unique() => values,
            Some(shared) => {
                let copy = shared.copy(ts);
                if copy.is_err() {
                    self.values.set(Some(shared));
                    return copy;
                }
                copy?
            }
        };
        self.values.set(Some(own.clone()));
        Ok(own)
    }

    /// Sets a variable.
    pub(super) fn set(&self, ts: &ThreadState, var: &PyContextVar, value: &PyObject) -> PyResult<()> {
        self.own_values(ts)?.set_known_hash(ts, var.as_object(), var.hash_value(), value)
    }

    /// Makes a variable unset; false when it is so already.
    pub(super) fn unset(&self, ts: &ThreadState, var: &PyContextVar) -> PyResult<bool> {
        if self.get(ts, var)?.is_none() {
            return Ok(false);
        }
        Ok(self.own_values(ts)?.remove_known_hash(ts, var.as_object(), var.hash_value())?.is_some())
    }

    /// Makes the context the current one (`PyContext_Enter`).
    pub fn enter(&self, ts: &ThreadState) -> PyResult<()> {
        if self.entered.get() {
            let mut text = StrBuilder::new();
            text.push_str("cannot enter context: ")?;
            text.push_repr(ts, self.as_object())?;
            text.push_str(" is already entered")?;
            let text = text.finish(ts)?;
            return Err(ts.raise_with(&exc::RuntimeError, text.as_object()));
        }
        self.previous.set(ts.context.replace(Some(self.new_ref())));
        self.entered.set(true);
        Ok(())
    }

    /// Makes the context current again that was so before (`PyContext_Exit`).
    pub fn exit(&self, ts: &ThreadState) -> PyResult<()> {
        if !self.entered.get() {
            let mut text = StrBuilder::new();
            text.push_str("cannot exit context: ")?;
            text.push_repr(ts, self.as_object())?;
            text.push_str(" has not been entered")?;
            let text = text.finish(ts)?;
            return Err(ts.raise_with(&exc::RuntimeError, text.as_object()));
        }
        let is_current = ts.context.get().is_some_and(|current| current.is(self.as_object()));
        if !is_current {
            return raise!(
                ts,
                exc::RuntimeError,
                "cannot exit context: thread state references a different context object"
            );
        }
        self.entered.set(false);
        drop(ts.context.replace(self.previous.take()));
        Ok(())
    }
}

fn context_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "Context() does not accept any arguments");
    }
    Ok(PyContext::new(ts)?.into_object())
}

/// The key as a variable; nothing else can be one.
fn variable<'a>(ts: &ThreadState, key: &'a PyObject) -> PyResult<&'a PyContextVar> {
    match key.downcast::<PyContextVar>() {
        Some(var) => Ok(var),
        None => {
            let mut text = StrBuilder::new();
            text.push_str("a ContextVar key was expected, got ")?;
            text.push_repr(ts, key)?;
            let text = text.finish(ts)?;
            Err(ts.raise_with(&exc::TypeError, text.as_object()))
        }
    }
}

fn context_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    match this.cast::<PyContext>().get(ts, variable(ts, key)?)? {
        Some(value) => Ok(value),
        None => Err(raise_key_error(ts, key)),
    }
}

fn context_contains(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult<bool> {
    Ok(this.cast::<PyContext>().get(ts, variable(ts, key)?)?.is_some())
}

fn context_get(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get", args.len(), 1, 2)?;
    let found = this.cast::<PyContext>().get(ts, variable(ts, args[0])?)?;
    Ok(found.unwrap_or_else(|| args.get(1).copied().unwrap_or(none()).new_ref()))
}

fn iterate(ts: &ThreadState, this: &PyObject, kind: IterKind) -> PyResult {
    // The iterator shares the dict, so setting a variable changes another one.
    let values = match this.cast::<PyContext>().values.get() {
        Some(values) => values,
        None => PyDict::new(ts)?,
    };
    PyDictIter::new(ts, &values, kind, false)
}

fn context_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyContext>(), right.downcast::<PyContext>()) else {
        return Ok(not_implemented());
    };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    let equal = match (a.values.get(), b.values.get()) {
        (Some(a), Some(b)) => a.as_object().is(b.as_object()) || a.equals(ts, &b)?,
        (None, None) => true,
        (Some(one), None) | (None, Some(one)) => one.is_empty(),
    };
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

fn context_run(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let Some(callable) = args.positional().first() else {
        return raise!(ts, exc::TypeError, "run() missing 1 required positional argument");
    };
    let context = this.cast::<PyContext>();
    context.enter(ts)?;
    let result = call::call(ts, callable, args.skip_first());
    let pending = ts.current_exception.take();
    if let Err(raised) = context.exit(ts) {
        drop(pending);
        return Err(raised);
    }
    ts.current_exception.set(pending);
    result
}
