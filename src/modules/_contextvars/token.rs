//! `Token`: what undoes the setting of a variable.

use core::cell::Cell;

use super::{PyContext, PyContextVar};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, ValueDef, alloc, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};

/// The type of `Token.MISSING`.
pub(super) static MISSING_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"Token.MISSING",
    basicsize: size_of::<PyObject>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { repr: Some(|ts, _| Ok(PyStr::new(ts, "<Token.MISSING>")?.into_object())), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// Says that the variable had no value.
static MISSING: PyObject = PyObject::immortal(&MISSING_TYPE.object);

/// A token.
#[repr(C)]
pub struct PyToken {
    ob_base: PyObject,
    context: Slot<PyContext>,
    var: Slot<PyContextVar>,
    old_value: Slot<PyObject>,
    used: Cell<bool>,
}

crate::native!(PyToken, TOKEN_TYPE);
owns!(PyToken: context, var, old_value);

/// `contextvars.Token`.
#[unsafe(export_name = "PyContextToken_Type")]
pub static TOKEN_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_contextvars.Token",
    basicsize: size_of::<PyToken>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        new: Some(token_new),
        dealloc: Some(PyToken::slot_dealloc),
        traverse: Some(PyToken::slot_traverse),
        clear: Some(PyToken::slot_clear),
        repr: Some(token_repr),
        hash: Some(crate::object::slotdefs::hash_not_implemented),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
        MethodDef::no_args("__enter__", |_, this| Ok(this.new_ref()), "Enter into Token context manager."),
        MethodDef::positional(
            "__exit__",
            token_exit,
            "Exit from Token context manager, restore the linked ContextVar.",
        ),
    ],
    getset: &[
        GetSetDef::get(
            "var",
            |ts, this| Ok(this.cast::<PyToken>().var.get().map_or_else(|| ts.none(), Ref::into_object)),
            "",
        ),
        GetSetDef::get(
            "old_value",
            |_, this| Ok(this.cast::<PyToken>().old_value.get().unwrap_or_else(|| MISSING.new_ref())),
            "",
        ),
    ],
    values: &[ValueDef { name: "MISSING", make: |_| Ok(MISSING.new_ref()) }],
    ..TypeSpec::EMPTY
});

impl PyToken {
    pub(super) fn new(
        ts: &ThreadState,
        context: &PyContext,
        var: &PyContextVar,
        old_value: Option<&PyObject>,
    ) -> PyResult<Ref<PyToken>> {
        let token = alloc::exact::<PyToken>(ts)?;
        token.context.set(Some(Ref::from_borrowed(context)));
        token.var.set(Some(Ref::from_borrowed(var)));
        token.old_value.set(old_value.map(AsObject::new_ref));
        gc::track(ts, &*token);
        Ok(token)
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.get()
    }

    pub(super) fn use_up(&self) {
        self.used.set(true);
    }

    pub(super) fn is_of(&self, var: &PyContextVar) -> bool {
        self.var.get().is_some_and(|own| own.as_object().is(var.as_object()))
    }

    pub(super) fn is_from(&self, context: &PyContext) -> bool {
        self.context.get().is_some_and(|own| own.as_object().is(context.as_object()))
    }

    pub(super) fn old_value(&self) -> Option<PyRef> {
        self.old_value.get()
    }
}

fn token_new(ts: &ThreadState, _of: &PyTypeObject, _args: Args<'_>) -> PyResult {
    raise!(ts, exc::RuntimeError, "Tokens can only be created by ContextVars")
}

fn token_exit(ts: &ThreadState, this: &PyObject, _args: &[&PyObject]) -> PyResult {
    if let Some(var) = this.cast::<PyToken>().var.get() {
        var.reset(ts, this)?;
    }
    Ok(ts.none())
}

/// The end of these objects' repr.
pub(super) fn address(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    PyStr::format(ts, format_args!(" at {:p}>", object.as_ptr()))
}

fn token_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyToken>();
    let mut text = StrBuilder::new();
    text.push_str("<Token")?;
    if this.used.get() {
        text.push_str(" used")?;
    }
    text.push_str(" var=")?;
    text.push_repr(ts, &this.var.get().map_or_else(|| ts.none(), Ref::into_object))?;
    text.push(&*address(ts, object)?)?;
    Ok(text.finish(ts)?.into_object())
}
