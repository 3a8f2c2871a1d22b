//! `ContextVar`: a variable that has a value in each context.

use super::token::{self, PyToken};
use super::{PyContext, context};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};

/// A context variable. Two of them are equal only if they are the same.
#[repr(C)]
pub struct PyContextVar {
    ob_base: PyObject,
    name: Slot<PyStr>,
    default: Slot<PyObject>,
}

crate::native!(PyContextVar, CONTEXT_VAR_TYPE);
owns!(PyContextVar: name, default);

/// `contextvars.ContextVar`.
#[unsafe(export_name = "PyContextVar_Type")]
pub static CONTEXT_VAR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_contextvars.ContextVar",
    basicsize: size_of::<PyContextVar>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        new: Some(var_new),
        dealloc: Some(PyContextVar::slot_dealloc),
        traverse: Some(PyContextVar::slot_traverse),
        clear: Some(PyContextVar::slot_clear),
        repr: Some(var_repr),
        hash: Some(|_, this| Ok(this.cast::<PyContextVar>().hash_value())),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "get",
            var_get,
            "get($self, default=<unrepresentable>, /)\n--\n\n\
             The variable's value in the current context.\n\n\
             If there is none, the method will:\n \
             * return the value of the default argument of the method, if provided; or\n \
             * return the default value for the context variable, if it was created\n   with one; or\n \
             * raise a LookupError.",
        ),
        MethodDef::one(
            "set",
            |ts, this, value| Ok(this.cast::<PyContextVar>().set(ts, value)?.into_object()),
            "set($self, value, /)\n--\n\n\
             Set the variable in the current context; reset() with the returned token undoes that.",
        ),
        MethodDef::one(
            "reset",
            |ts, this, token| {
                this.cast::<PyContextVar>().reset(ts, token)?;
                Ok(ts.none())
            },
            "reset($self, token, /)\n--\n\nGive the variable the value that it had before the set() that returned the token.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[GetSetDef::get(
        "name",
        |ts, this| Ok(this.cast::<PyContextVar>().name.get().map_or_else(|| ts.none(), Ref::into_object)),
        "",
    )],
    ..TypeSpec::EMPTY
});

impl PyContextVar {
    /// A new variable (`PyContextVar_New`).
    pub fn new(ts: &ThreadState, name: &PyStr, default: Option<&PyObject>) -> PyResult<Ref<PyContextVar>> {
        let var = alloc::exact::<PyContextVar>(ts)?;
        var.name.set(Some(Ref::from_borrowed(name)));
        var.default.set(default.map(AsObject::new_ref));
        gc::track(ts, &*var);
        Ok(var)
    }

    /// The hash, by the variable's address.
    #[inline(always)]
    pub fn hash_value(&self) -> isize {
        protocol::hash_pointer(self.as_object())
    }

    /// The value in the current context, or else the given default, or else the variable's own; None if there is none of
    /// these (`PyContextVar_Get`).
    #[inline]
    pub fn get(&self, ts: &ThreadState, default: Option<&PyObject>) -> PyResult<Option<PyRef>> {
        // SAFETY: looking a variable up runs no Python code, so the context stays current.
        if let Some(context) = unsafe { ts.context.borrow() }
            && let Some(context) = context.downcast_exact::<PyContext>()
            && let Some(value) = context.get(ts, self)?
        {
            return Ok(Some(value));
        }
        Ok(default.map(AsObject::new_ref).or_else(|| self.default.get()))
    }

    /// Sets the value in the current context (`PyContextVar_Set`).
    pub fn set(&self, ts: &ThreadState, value: &PyObject) -> PyResult<Ref<PyToken>> {
        let context = context::current(ts)?;
        let old = context.get(ts, self)?;
        let token = PyToken::new(ts, &context, self, old.as_deref())?;
        context.set(ts, self, value)?;
        Ok(token)
    }

    /// Undoes a setting (`PyContextVar_Reset`).
    pub fn reset(&self, ts: &ThreadState, token: &PyObject) -> PyResult<()> {
        let Some(token) = token.downcast::<PyToken>() else {
            return raise!(ts, exc::TypeError, "expected an instance of Token, got {}", token.type_name());
        };
        if token.is_used() {
            return complain(ts, &exc::RuntimeError, token, " has already been used once");
        }
        if !token.is_of(self) {
            return complain(ts, &exc::ValueError, token, " was created by a different ContextVar");
        }
        let context = context::current(ts)?;
        if !token.is_from(&context) {
            return complain(ts, &exc::ValueError, token, " was created in a different Context");
        }
        token.use_up();
        match token.old_value() {
            Some(old) => context.set(ts, self, &old),
            None => {
                if !context.unset(ts, self)? {
                    return Err(ts.raise_with(&exc::LookupError, self.as_object()));
                }
                Ok(())
            }
        }
    }
}

#[cold]
fn complain(ts: &ThreadState, exception: &PyTypeObject, token: &PyToken, what: &str) -> PyResult<()> {
    let mut text = StrBuilder::new();
    text.push_repr(ts, token.as_object())?;
    text.push_str(what)?;
    let text = text.finish(ts)?;
    Err(ts.raise_with(exception, text.as_object()))
}

fn var_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("ContextVar", ["name", "default"], 1, 1, 1);
    let [name, default] = SIGNATURE.parse(ts, args)?;
    let Some(name) = name.and_then(PyObject::downcast::<PyStr>) else {
        return raise!(ts, exc::TypeError, "context variable name must be a str");
    };
    Ok(PyContextVar::new(ts, name, default)?.into_object())
}

fn var_get(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get", args.len(), 0, 1)?;
    match this.cast::<PyContextVar>().get(ts, args.first().copied())? {
        Some(value) => Ok(value),
        None => Err(ts.raise_with(&exc::LookupError, this)),
    }
}

fn var_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyContextVar>();
    let mut text = StrBuilder::new();
    text.push_str("<ContextVar name=")?;
    text.push_repr(ts, &this.name.get().map_or_else(|| ts.none(), Ref::into_object))?;
    if let Some(default) = this.default.get() {
        text.push_str(" default=")?;
        text.push_repr(ts, &default)?;
    }
    text.push(&*token::address(ts, object)?)?;
    Ok(text.finish(ts)?.into_object())
}
