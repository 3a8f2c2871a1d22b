//! `itemgetter`, `attrgetter`, `methodcaller`.

use hognose_allocators::collections::TryVec;

use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, attr, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::owned::owns;
use crate::types::reprguard::ReprGuard;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::{PyTuple, inherits_init};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&ITEMGETTER_TYPE, &ATTRGETTER_TYPE, &METHODCALLER_TYPE];

/// `itemgetter(*items)`.
#[repr(C)]
pub struct PyItemGetter {
    ob_base: PyObject,
    items: Slot<PyTuple>,
}

crate::native!(PyItemGetter, ITEMGETTER_TYPE);
owns!(PyItemGetter: items);

/// How `inspect` sees what these objects take when they are called.
static CALLABLE: &[GetSetDef] =
    &[GetSetDef::get("__text_signature__", |ts, _| Ok(PyStr::intern(ts, "(obj, /)")?.into_object()), "")];

/// `operator.itemgetter`.
pub static ITEMGETTER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"operator.itemgetter",
    basicsize: size_of::<PyItemGetter>(),
    flags: flags::HAVE_GC,
    doc: "itemgetter(item, /, *items)\n--\n\nA function that gets the given items from its argument: itemgetter(2)(x) is x[2],\nitemgetter(2, 5)(x) is (x[2], x[5]).",
    slots: TypeSlots {
        new: Some(itemgetter_new),
        dealloc: Some(PyItemGetter::slot_dealloc),
        traverse: Some(PyItemGetter::slot_traverse),
        clear: Some(PyItemGetter::slot_clear),
        call: Some(itemgetter_call),
        repr: Some(itemgetter_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", itemgetter_reduce, "What pickle needs to make the object again.")],
    getset: CALLABLE,
    ..TypeSpec::EMPTY
});

fn itemgetter_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &ITEMGETTER_TYPE) {
        return raise!(ts, exc::TypeError, "itemgetter() takes no keyword arguments");
    }
    call::check_count(ts, "itemgetter", args.len(), 1, usize::MAX)?;
    let items = PyTuple::new(ts, args.positional())?;
    let getter = alloc::object::<PyItemGetter>(ts, of)?;
    getter.items.set(Some(items));
    gc::track(ts, &*getter);
    Ok(getter.into_object())
}

fn one_argument<'a>(ts: &ThreadState, name: &str, args: Args<'a>) -> PyResult<&'a PyObject> {
    let given = args.no_keywords(ts, name)?;
    call::check_count(ts, name, given.len(), 1, 1)?;
    Ok(given[0])
}

fn itemgetter_call(ts: &ThreadState, getter: &PyObject, args: Args<'_>) -> PyResult {
    let object = one_argument(ts, "itemgetter", args)?;
    let items = getter.cast::<PyItemGetter>().items.get().unwrap_or_else(PyTuple::empty);
    if let [item] = items.items() {
        return get_item(ts, object, item);
    }
    let mut found = TryVec::<PyRef>::new();
    found.try_reserve(items.len())?;
    for item in items.items() {
        found.try_push(get_item(ts, object, item)?)?;
    }
    Ok(PyTuple::from_vec(ts, found)?.into_object())
}

/// `object[item]`, with a short way for lists and tuples.
#[inline]
fn get_item(ts: &ThreadState, object: &PyObject, item: &PyObject) -> PyResult {
    if let Some(index) = item.downcast_exact::<PyInt>().and_then(PyInt::as_i64)
        && let Ok(index) = usize::try_from(index)
    {
        let found = match (object.downcast_exact::<PyTuple>(), object.downcast_exact::<PyList>()) {
            (Some(tuple), _) => tuple.get(index).map(AsObject::new_ref),
            (_, Some(list)) => list.get(index),
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
    }
    protocol::getitem(ts, object, item)
}

fn itemgetter_repr(ts: &ThreadState, getter: &PyObject) -> PyResult {
    let Some(_guard) = ReprGuard::enter(ts, getter)? else {
        return short_repr(ts, getter);
    };
    let items = getter.cast::<PyItemGetter>().items.get().unwrap_or_else(PyTuple::empty);
    call_repr(ts, getter, items.items(), None)
}

fn short_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(PyStr::format(ts, format_args!("{}(...)", object.ob_type().full_name()))?.into_object())
}

/// `type(argument, …, name=value, …)`.
fn call_repr(ts: &ThreadState, object: &PyObject, arguments: &[&PyObject], keywords: Option<&PyDict>) -> PyResult {
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().full_name())?;
    text.push_str("(")?;
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            text.push_str(", ")?;
        }
        text.push_repr(ts, argument)?;
    }
    if let Some(keywords) = keywords {
        let mut position = 0;
        while let Some((name, value)) = keywords.next(&mut position) {
            text.push_str(", ")?;
            text.push(&*protocol::str(ts, &name)?)?;
            text.push_str("=")?;
            text.push_repr(ts, &value)?;
        }
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn itemgetter_reduce(ts: &ThreadState, getter: &PyObject) -> PyResult {
    let items = getter.cast::<PyItemGetter>().items.get().unwrap_or_else(PyTuple::empty);
    Ok(PyTuple::pair(ts, getter.ob_type().as_object(), items.as_object())?.into_object())
}

/// `attrgetter(*names)`.
#[repr(C)]
pub struct PyAttrGetter {
    ob_base: PyObject,
    /// The names as they were given.
    names: Slot<PyTuple>,
    /// Each name, interned, or, for a dotted name, the tuple of its parts.
    paths: Slot<PyTuple>,
}

crate::native!(PyAttrGetter, ATTRGETTER_TYPE);
owns!(PyAttrGetter: names, paths);

/// `operator.attrgetter`.
pub static ATTRGETTER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"operator.attrgetter",
    basicsize: size_of::<PyAttrGetter>(),
    flags: flags::HAVE_GC,
    doc: "attrgetter(attr, /, *attrs)\n--\n\nA function that gets the given attributes from its argument: attrgetter('a')(x) is x.a,\nattrgetter('a.b', 'c')(x) is (x.a.b, x.c).",
    slots: TypeSlots {
        new: Some(attrgetter_new),
        dealloc: Some(PyAttrGetter::slot_dealloc),
        traverse: Some(PyAttrGetter::slot_traverse),
        clear: Some(PyAttrGetter::slot_clear),
        call: Some(attrgetter_call),
        repr: Some(attrgetter_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", attrgetter_reduce, "What pickle needs to make the object again.")],
    getset: CALLABLE,
    ..TypeSpec::EMPTY
});

fn attrgetter_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if args.has_keywords() && inherits_init(of, &ATTRGETTER_TYPE) {
        return raise!(ts, exc::TypeError, "attrgetter() takes no keyword arguments");
    }
    call::check_count(ts, "attrgetter", args.len(), 1, usize::MAX)?;
    let mut paths = TryVec::<PyRef>::new();
    paths.try_reserve(args.len())?;
    for name in args.positional() {
        let Some(name) = name.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "attribute name must be a string");
        };
        paths.try_push(path_of(ts, name)?)?;
    }
    let names = PyTuple::new(ts, args.positional())?;
    let paths = PyTuple::from_vec(ts, paths)?;
    let getter = alloc::object::<PyAttrGetter>(ts, of)?;
    getter.names.set(Some(names));
    getter.paths.set(Some(paths));
    gc::track(ts, &*getter);
    Ok(getter.into_object())
}

fn path_of(ts: &ThreadState, name: &PyStr) -> PyResult {
    let dot = u32::from('.');
    let len = name.len();
    if !(0..len).any(|at| name.char_at(at) == dot) {
        return Ok(interned(ts, name.new_ref())?.into_object());
    }
    let mut parts = TryVec::<PyRef>::new();
    let mut start = 0;
    for at in 0..=len {
        if at == len || name.char_at(at) == dot {
            let part = name.slice(ts, start, at)?;
            parts.try_push(interned(ts, part.into_object())?.into_object())?;
            start = at + 1;
        }
    }
    Ok(PyTuple::from_vec(ts, parts)?.into_object())
}

fn interned(ts: &ThreadState, name: PyRef) -> PyResult<Ref<PyStr>> {
    let name = name.cast_into::<PyStr>();
    if name.as_object().downcast_exact::<PyStr>().is_some() { PyStr::intern_ref(ts, name) } else { Ok(name) }
}

fn get_path(ts: &ThreadState, object: &PyObject, path: &PyObject) -> PyResult {
    if let Some(name) = path.downcast::<PyStr>() {
        return attr::get(ts, object, name);
    }
    let mut object = object.new_ref();
    for part in path.cast::<PyTuple>().items() {
        object = attr::get(ts, &object, part.cast())?;
    }
    Ok(object)
}

fn attrgetter_call(ts: &ThreadState, getter: &PyObject, args: Args<'_>) -> PyResult {
    let object = one_argument(ts, "attrgetter", args)?;
    let paths = getter.cast::<PyAttrGetter>().paths.get().unwrap_or_else(PyTuple::empty);
    if let [path] = paths.items() {
        return get_path(ts, object, path);
    }
    let mut found = TryVec::<PyRef>::new();
    found.try_reserve(paths.len())?;
    for path in paths.items() {
        found.try_push(get_path(ts, object, path)?)?;
    }
    Ok(PyTuple::from_vec(ts, found)?.into_object())
}

fn attrgetter_repr(ts: &ThreadState, getter: &PyObject) -> PyResult {
    let Some(_guard) = ReprGuard::enter(ts, getter)? else {
        return short_repr(ts, getter);
    };
    let names = getter.cast::<PyAttrGetter>().names.get().unwrap_or_else(PyTuple::empty);
    call_repr(ts, getter, names.items(), None)
}

fn attrgetter_reduce(ts: &ThreadState, getter: &PyObject) -> PyResult {
    let names = getter.cast::<PyAttrGetter>().names.get().unwrap_or_else(PyTuple::empty);
    Ok(PyTuple::pair(ts, getter.ob_type().as_object(), names.as_object())?.into_object())
}

/// `methodcaller(name, *args, **kwargs)`.
#[repr(C)]
pub struct PyMethodCaller {
    ob_base: PyObject,
    name: Slot<PyStr>,
    arguments: Slot<PyTuple>,
    keywords: Slot<PyDict>,
}

crate::native!(PyMethodCaller, METHODCALLER_TYPE);
owns!(PyMethodCaller: name, arguments, keywords);

/// `operator.methodcaller`.
pub static METHODCALLER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"operator.methodcaller",
    basicsize: size_of::<PyMethodCaller>(),
    flags: flags::HAVE_GC,
    doc: "methodcaller(name, /, *args, **kwargs)\n--\n\nA function that calls the given method of its argument: methodcaller('m', 1, k=2)(x) is x.m(1, k=2).",
    slots: TypeSlots {
        new: Some(methodcaller_new),
        dealloc: Some(PyMethodCaller::slot_dealloc),
        traverse: Some(PyMethodCaller::slot_traverse),
        clear: Some(PyMethodCaller::slot_clear),
        call: Some(methodcaller_call),
        repr: Some(methodcaller_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", methodcaller_reduce, "What pickle needs to make the object again.")],
    getset: CALLABLE,
    ..TypeSpec::EMPTY
});

fn methodcaller_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [name, arguments @ ..] = args.positional() else {
        return raise!(ts, exc::TypeError, "methodcaller needs at least one argument, the method name");
    };
    if !name.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "method name must be a string");
    }
    let name = interned(ts, name.new_ref())?;
    let arguments = PyTuple::new(ts, arguments)?;
    let keywords = match args.has_keywords() {
        true => {
            let keywords = PyDict::new(ts)?;
            for (name, value) in args.keywords() {
                keywords.set_str(ts, name, value)?;
            }
            Some(keywords)
        }
        false => None,
    };
    let caller = alloc::object::<PyMethodCaller>(ts, of)?;
    caller.name.set(Some(name));
    caller.arguments.set(Some(arguments));
    caller.keywords.set(keywords);
    gc::track(ts, &*caller);
    Ok(caller.into_object())
}

fn methodcaller_call(ts: &ThreadState, caller: &PyObject, args: Args<'_>) -> PyResult {
    let object = one_argument(ts, "methodcaller", args)?;
    let caller = caller.cast::<PyMethodCaller>();
    let (Some(name), Some(arguments)) = (caller.name.get(), caller.arguments.get()) else { return Ok(ts.none()) };
    match caller.keywords.get() {
        None => call::call_method(ts, object, &name, arguments.items()),
        Some(keywords) => {
            let method = attr::get(ts, object, &name)?;
            call::call_tuple_dict(ts, &method, &arguments, Some(&keywords))
        }
    }
}

fn methodcaller_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(_guard) = ReprGuard::enter(ts, object)? else {
        return short_repr(ts, object);
    };
    let caller = object.cast::<PyMethodCaller>();
    let all = name_and_arguments(ts, caller)?;
    let keywords = caller.keywords.get();
    call_repr(ts, object, all.items(), keywords.as_deref())
}

fn name_and_arguments(ts: &ThreadState, caller: &PyMethodCaller) -> PyResult<Ref<PyTuple>> {
    let mut all = TryVec::<PyRef>::new();
    if let Some(name) = caller.name.get() {
        all.try_push(name.into_object())?;
    }
    if let Some(arguments) = caller.arguments.get() {
        for argument in arguments.items() {
            all.try_push(argument.new_ref())?;
        }
    }
    PyTuple::from_vec(ts, all)
}

fn methodcaller_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let caller = object.cast::<PyMethodCaller>();
    let of = object.ob_type();
    let Some(keywords) = caller.keywords.get() else {
        let all = name_and_arguments(ts, caller)?;
        return Ok(PyTuple::pair(ts, of.as_object(), all.as_object())?.into_object());
    };
    let partial = protocol::import_attr(ts, "functools", "partial")?;
    let name = match caller.name.get() {
        Some(name) => name.into_object(),
        None => ts.none(),
    };
    let given = PyTuple::from_array(ts, [of.new_ref(), name])?;
    let constructor = call::call_tuple_dict(ts, &partial, &given, Some(&keywords))?;
    let arguments = caller.arguments.get().unwrap_or_else(PyTuple::empty);
    Ok(PyTuple::from_array(ts, [constructor, arguments.into_object()])?.into_object())
}
