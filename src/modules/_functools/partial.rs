//! `partial`: a function with some of its arguments given, and `Placeholder`, which leaves a gap among them.

use core::cell::Cell;
use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, attr, call, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::{self, PyDict};
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::method::PyMethod;
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::reprguard::ReprGuard;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// `functools._PlaceholderType`.
pub(super) static PLACEHOLDER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools._PlaceholderType",
    basicsize: size_of::<PyObject>(),
    doc: "The type of the Placeholder singleton.\n\nUsed as a placeholder for partial arguments.",
    slots: TypeSlots {
        new: Some(placeholder_new),
        repr: Some(|ts, _| Ok(PyStr::intern(ts, "Placeholder")?.into_object())),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args(
        "__reduce__",
        |ts, _| Ok(PyStr::intern(ts, "Placeholder")?.into_object()),
        "What pickle needs.",
    )],
    ..TypeSpec::EMPTY
});

static PLACEHOLDER: PyObject = PyObject::immortal(&PLACEHOLDER_TYPE.object);

/// The one instance; immortal.
pub(super) fn placeholder() -> &'static PyObject {
    &PLACEHOLDER
}

fn is_placeholder(object: &PyObject) -> bool {
    object.is(&PLACEHOLDER)
}

fn placeholder_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "_PlaceholderType takes no arguments");
    }
    Ok(placeholder().new_ref())
}

/// `partial(function, *args, **keywords)`.
#[repr(C)]
pub(super) struct PyPartial {
    ob_base: PyObject,
    function: Slot<PyObject>,
    arguments: Slot<PyTuple>,
    keywords: Slot<PyDict>,
    dict: Slot<PyDict>,
    weakrefs: WeakrefList,
    /// How many of the arguments are placeholders.
    gaps: Cell<usize>,
}

crate::native!(PyPartial, PARTIAL_TYPE);
owns!(PyPartial: function, arguments, keywords, dict);

/// `functools.partial`.
pub(super) static PARTIAL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools.partial",
    basicsize: size_of::<PyPartial>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "partial(func, /, *args, **keywords)\n--\n\nCreate a new function with partial application of the given arguments and keywords.",
    slots: TypeSlots {
        new: Some(partial_new),
        dealloc: Some(partial_dealloc),
        traverse: Some(PyPartial::slot_traverse),
        clear: Some(PyPartial::slot_clear),
        call: Some(partial_call),
        repr: Some(partial_repr),
        descr_get: Some(partial_get),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", partial_reduce, "What pickle needs."),
        MethodDef::one("__setstate__", partial_setstate, "Take over what __reduce__ has given."),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::field(
            "func",
            |ts, this| Ok(this.cast::<PyPartial>().function.get().unwrap_or_else(|| ts.none())),
            "function object to use in future partial calls",
        ),
        GetSetDef::field(
            "args",
            |_, this| Ok(this.cast::<PyPartial>().arguments.get().unwrap_or_else(PyTuple::empty).into_object()),
            "tuple of arguments to future partial calls",
        ),
        GetSetDef::field(
            "keywords",
            |ts, this| Ok(this.cast::<PyPartial>().keywords.get().map_or_else(|| ts.none(), Ref::into_object)),
            "dictionary of keyword arguments to future partial calls",
        ),
        GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, ""),
    ],
    dictoffset: offset_of!(PyPartial, dict),
    weaklistoffset: offset_of!(PyPartial, weakrefs),
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn partial_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a partial object whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        PyPartial::slot_dealloc(ts, object);
    }
}

fn count_gaps(items: &[&PyObject]) -> usize {
    items.iter().filter(|item| is_placeholder(item)).count()
}

/// The given arguments in the gaps of those that an inner partial object has, the rest behind them.
fn fill_gaps(ts: &ThreadState, inner: &[&PyObject], given: &[&PyObject]) -> PyResult<Ref<PyTuple>> {
    let mut all = TryVec::<PyRef>::new();
    all.try_reserve(inner.len() + given.len())?;
    let mut given = given.iter();
    for item in inner {
        let item = if is_placeholder(item) { given.next().unwrap_or(item) } else { item };
        all.try_push(item.new_ref())?;
    }
    for item in given {
        all.try_push(item.new_ref())?;
    }
    PyTuple::from_vec(ts, all)
}

fn partial_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [function, given @ ..] = args.positional() else {
        return raise!(ts, exc::TypeError, "type 'partial' takes at least one argument");
    };
    if !call::is_callable(function) {
        return raise!(ts, exc::TypeError, "the first argument must be callable");
    }
    if given.last().is_some_and(|last| is_placeholder(last)) {
        return raise!(ts, exc::TypeError, "trailing Placeholders are not allowed");
    }
    if args.keywords().any(|(_, value)| is_placeholder(value)) {
        return raise!(ts, exc::TypeError, "Placeholder cannot be passed as a keyword argument");
    }
    // A partial object of a partial object calls the function itself, if nobody can tell.
    let inner = function.downcast::<PyPartial>().filter(|inner| !inner.dict.is_some());
    let (mut function, mut arguments, mut keywords) = (function.new_ref(), None, None);
    if let Some(inner) = inner {
        if let Some(inner_function) = inner.function.get() {
            function = inner_function;
        }
        arguments = inner.arguments.get();
        keywords = inner.keywords.get();
    }
    let arguments = match &arguments {
        Some(inner) => fill_gaps(ts, inner.items(), given)?,
        None => PyTuple::new(ts, given)?,
    };
    let keywords = match keywords.filter(|inner| !inner.is_empty()) {
        Some(inner) => inner.copy(ts)?,
        None => PyDict::new(ts)?,
    };
    for (name, value) in args.keywords() {
        keywords.set_str(ts, name, value)?;
    }
    let this = alloc::object::<PyPartial>(ts, of)?;
    this.gaps.set(count_gaps(arguments.items()));
    this.function.set(Some(function));
    this.arguments.set(Some(arguments));
    this.keywords.set(Some(keywords));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// Arguments up to this number are put together on the stack.
const FEW: usize = 12;

fn partial_call(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let this = object.cast::<PyPartial>();
    // Counted: `__setstate__` may replace them during the call.
    let (Some(function), Some(arguments), Some(keywords)) =
        (this.function.get(), this.arguments.get(), this.keywords.get())
    else {
        return raise!(ts, exc::SystemError, "a partial object without its function");
    };
    let (stored, gaps, given) = (arguments.items(), this.gaps.get(), args.positional());
    if given.len() < gaps {
        return raise!(
            ts,
            exc::TypeError,
            "missing positional arguments in 'partial' call; expected at least {gaps}, got {}",
            given.len()
        );
    }
    if keywords.is_empty() {
        if stored.is_empty() {
            return call::call(ts, &function, args);
        }
        let all = args.all();
        let count = stored.len() - gaps + all.len();
        if count <= FEW {
            let mut few = [none(); FEW];
            // SAFETY: the lifetimes are shortened to that of the array, whose items are used in this scope only.
            let few: &mut [&PyObject; FEW] = unsafe { &mut *(&raw mut few).cast() };
            put_together(stored, all, few);
            return call::call(ts, &function, Args::new(&few[..count], args.keyword_names()));
        }
        let mut many = TryVec::<&PyObject>::new();
        many.try_resize(count, none())?;
        put_together(stored, all, &mut many);
        return call::call(ts, &function, Args::new(&many, args.keyword_names()));
    }
    call_with_keywords(ts, &function, stored, &keywords, args)
}

/// Writes the stored arguments, their gaps filled, and what is left of the given ones.
fn put_together<'a>(stored: &[&'a PyObject], given: &[&'a PyObject], into: &mut [&'a PyObject]) {
    let mut given = given.iter();
    let mut at = 0;
    for item in stored {
        into[at] = if is_placeholder(item) { given.next().unwrap_or(item) } else { item };
        at += 1;
    }
    for item in given {
        into[at] = item;
        at += 1;
    }
}

/// The call when keywords are stored: given ones of the same name replace them in their place.
fn call_with_keywords(
    ts: &ThreadState,
    function: &PyObject,
    stored: &[&PyObject],
    keywords: &PyDict,
    args: Args<'_>,
) -> PyResult {
    let positional = args.positional();
    let most = stored.len() + args.all().len() + keywords.len();
    let mut values = TryVec::<PyRef>::new();
    let mut names = TryVec::<PyRef>::new();
    values.try_reserve(most)?;
    names.try_reserve(keywords.len() + args.all().len() - positional.len())?;
    let mut given = positional.iter();
    for item in stored {
        let item = if is_placeholder(item) { given.next().unwrap_or(item) } else { item };
        values.try_push(item.new_ref())?;
    }
    for item in given {
        values.try_push(item.new_ref())?;
    }
    let mut position = 0;
    while let Some((name, value)) = keywords.next(&mut position) {
        let Some(text) = name.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "keywords must be strings");
        };
        let value = args.keywords().find(|(given, _)| given.equals(text)).map_or(value, |(_, value)| value.new_ref());
        values.try_push(value)?;
        names.try_push(name)?;
    }
    let stored_names = names.len();
    for (name, value) in args.keywords() {
        let known = names[..stored_names].iter().any(|n| n.downcast::<PyStr>().is_some_and(|n| n.equals(name)));
        if !known {
            names.try_push(name.new_ref())?;
            values.try_push(value.new_ref())?;
        }
    }
    let names = PyTuple::from_vec(ts, names)?;
    call::call(ts, function, Args::new(call::borrow_all(&values), Some(&names)))
}

fn partial_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    match instance.filter(|instance| !is_none(instance)) {
        Some(instance) => Ok(PyMethod::new(ts, this, instance)?.into_object()),
        None => Ok(this.new_ref()),
    }
}

fn partial_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let name = dict::qualified_type_name(ts, object)?;
    let mut text = StrBuilder::new();
    text.push(&name)?;
    let Some(_guard) = ReprGuard::enter(ts, object)? else {
        return Ok(PyStr::new(ts, "...")?.into_object());
    };
    let this = object.cast::<PyPartial>();
    let (function, arguments, keywords) = (this.function.get(), this.arguments.get(), this.keywords.get());
    text.push_str("(")?;
    if let Some(function) = &function {
        text.push_repr(ts, function)?;
    }
    if let Some(arguments) = &arguments {
        for argument in arguments.items() {
            text.push_str(", ")?;
            text.push_repr(ts, argument)?;
        }
    }
    if let Some(keywords) = &keywords {
        let mut position = 0;
        while let Some((name, value)) = keywords.next(&mut position) {
            text.push_str(", ")?;
            // Through `__setstate__` a name can be anything.
            text.push_object(ts, &name)?;
            text.push_str("=")?;
            text.push_repr(ts, &value)?;
        }
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn partial_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyPartial>();
    let or_none = |slot: Option<PyRef>| slot.unwrap_or_else(|| ts.none());
    let function = or_none(this.function.get());
    let state = PyTuple::from_array(
        ts,
        [
            function.clone(),
            or_none(this.arguments.get().map(Ref::into_object)),
            or_none(this.keywords.get().map(Ref::into_object)),
            or_none(this.dict.get().map(Ref::into_object)),
        ],
    )?;
    let given = PyTuple::from_array(ts, [function])?;
    Ok(PyTuple::new(ts, &[object.ob_type().as_object(), given.as_object(), state.as_object()])?.into_object())
}

fn partial_setstate(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    let this = object.cast::<PyPartial>();
    let parts = state.downcast::<PyTuple>().map(PyTuple::items);
    let Some(&[function, arguments, keywords, attributes]) = parts else {
        return raise!(ts, exc::TypeError, "invalid partial state");
    };
    let Some(arguments) = arguments.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "invalid partial state");
    };
    if !call::is_callable(function) || !(is_none(keywords) || keywords.is_a::<PyDict>()) {
        return raise!(ts, exc::TypeError, "invalid partial state");
    }
    if arguments.items().last().is_some_and(|last| is_placeholder(last)) {
        return raise!(ts, exc::TypeError, "trailing Placeholders are not allowed");
    }
    let arguments = match arguments.as_object().downcast_exact::<PyTuple>() {
        Some(exact) => Ref::from_borrowed(exact),
        None => PyTuple::new(ts, arguments.items())?,
    };
    let keywords = match keywords.downcast::<PyDict>() {
        None => PyDict::new(ts)?,
        Some(keywords) if keywords.is_exact() => Ref::from_borrowed(keywords),
        Some(keywords) => keywords.copy_by_protocol(ts)?,
    };
    let attributes = match attributes.downcast::<PyDict>() {
        Some(attributes) => Some(Ref::from_borrowed(attributes)),
        None if is_none(attributes) => None,
        None => return raise!(ts, exc::TypeError, "invalid partial state"),
    };
    this.gaps.set(count_gaps(arguments.items()));
    this.function.set(Some(function.new_ref()));
    this.arguments.set(Some(arguments));
    this.keywords.set(Some(keywords));
    this.dict.set(attributes);
    Ok(ts.none())
}
