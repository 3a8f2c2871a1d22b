//! `defaultdict`: a dict that makes the values that are missing.

use core::ops::ControlFlow;

use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, Slot, StaticType, TypeSlots, TypeSpec, Visitor,
    call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::{self, DICT_TYPE, PyDict};
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::none::{is_none, none};
use crate::types::notimplemented::not_implemented;
use crate::types::reprguard::ReprGuard;
use crate::types::str::StrBuilder;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// A dict with a factory of values.
#[repr(C)]
pub(super) struct PyDefaultDict {
    dict: PyDict,
    factory: Slot<PyObject>,
}

crate::native!(PyDefaultDict, DEFAULTDICT_TYPE);

/// `collections.defaultdict`.
pub(super) static DEFAULTDICT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections.defaultdict",
    basicsize: size_of::<PyDefaultDict>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    base: Some(&DICT_TYPE),
    doc: "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n\
          The default factory is called without arguments to produce\n\
          a new value when a key is not present, in __getitem__ only.\n\
          A defaultdict compares equal to a dict with the same items.\n\
          All remaining arguments are treated the same as if they were\n\
          passed to the dict constructor, including keyword arguments.",
    slots: TypeSlots {
        dealloc: Some(default_dealloc),
        traverse: Some(default_traverse),
        clear: Some(default_tp_clear),
        init: Some(default_init),
        repr: Some(default_repr),
        nb_or: Some(default_or),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "__missing__",
            default_missing,
            "__missing__($self, key, /)\n--\n\nCalled by __getitem__ for a key that is not there: adds the key with\n\
             self.default_factory() as its value. Raises KeyError when the factory is None.",
        ),
        MethodDef::no_args("copy", default_copy, "D.copy() -> a shallow copy of D."),
        MethodDef::no_args("__copy__", default_copy, "D.copy() -> a shallow copy of D."),
        MethodDef::no_args("__reduce__", default_reduce, "What pickle needs."),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[GetSetDef::field_set(
        "default_factory",
        |ts, this| Ok(factory(ts, this)),
        |_, this, value| {
            this.cast::<PyDefaultDict>().factory.set(value.map(AsObject::new_ref));
            Ok(())
        },
        "Factory for default value called by __missing__().",
    )],
    ..TypeSpec::EMPTY
});

fn factory(ts: &ThreadState, this: &PyObject) -> PyRef {
    this.cast::<PyDefaultDict>().factory.get().unwrap_or_else(|| ts.none())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn default_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a defaultdict whose count is zero; `dict` frees the memory.
    unsafe {
        gc::untrack(&*object);
        (*object).cast_unchecked::<PyDefaultDict>().factory.set(None);
        if let Some(dealloc) = DICT_TYPE.slots().dealloc {
            dealloc(ts, object);
        }
    }
}

fn default_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PyDefaultDict>().factory)?;
    match DICT_TYPE.slots().traverse {
        Some(traverse) => traverse(object, visitor),
        None => ControlFlow::Continue(()),
    }
}

fn default_tp_clear(ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyDefaultDict>();
    this.factory.set(None);
    this.dict.clear(ts);
}

fn default_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let mut rest = args;
    let mut factory = None;
    if let Some(first) = args.positional().first() {
        if !is_none(first) {
            if !call::is_callable(first) {
                return raise!(ts, exc::TypeError, "first argument must be callable or None");
            }
            factory = Some(first.new_ref());
        }
        rest = args.skip_first();
    }
    object.cast::<PyDefaultDict>().factory.set(factory);
    match DICT_TYPE.slots().init {
        Some(init) => init(ts, object, rest),
        None => Ok(()),
    }
}

fn default_missing(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    let this = object.cast::<PyDefaultDict>();
    let Some(factory) = this.factory.get().filter(|factory| !is_none(factory)) else {
        return Err(dict::raise_key_error(ts, key));
    };
    let value = call::call0(ts, &factory)?;
    // What the factory itself may have put there stays.
    this.dict.setdefault(ts, key, &value)
}

fn copy_with(ts: &ThreadState, object: &PyObject, entries: &PyObject) -> PyResult {
    let factory = factory(ts, object);
    call::call_with(ts, object.ob_type().as_object(), &[&factory, entries])
}

fn default_copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    copy_with(ts, object, object)
}

fn default_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let (this, other) = if left.is_a::<PyDefaultDict>() { (left, right) } else { (right, left) };
    if !other.is_a::<PyDict>() || !this.is_a::<PyDefaultDict>() {
        return Ok(not_implemented());
    }
    // As copy() does, this asks the class, so that a subclass makes its own kind.
    let merged = copy_with(ts, this, left)?;
    match merged.downcast::<PyDict>() {
        Some(dict) => dict.update(ts, right)?,
        None => drop(call::call_method(ts, &merged, id!(update), &[right])?),
    }
    Ok(merged)
}

fn default_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().name())?;
    text.push_str("(")?;
    match object.cast::<PyDefaultDict>().factory.get() {
        None => text.push_repr(ts, none())?,
        Some(factory) => match ReprGuard::enter(ts, &factory)? {
            Some(_guard) => text.push_repr(ts, &factory)?,
            None => text.push_str("...")?,
        },
    }
    text.push_str(", ")?;
    if let Some(repr) = DICT_TYPE.slots().repr {
        let entries = repr(ts, object)?;
        text.push(entries.cast())?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn default_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let given = match object.cast::<PyDefaultDict>().factory.get().filter(|factory| !is_none(factory)) {
        Some(factory) => PyTuple::from_array(ts, [factory])?,
        None => PyTuple::empty(),
    };
    let items = call::call_method(ts, object, id!(items), &[])?;
    let entries = protocol::iter(ts, &items)?;
    let parts = [object.ob_type().as_object(), given.as_object(), none(), none(), &entries];
    Ok(PyTuple::new(ts, &parts)?.into_object())
}
