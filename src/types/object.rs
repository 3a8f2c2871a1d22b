//! `object`: what every object can do.

use hognose_allocators::collections::TryVec;

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::true_object;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::types::typ::layout;
use crate::{id, raise};

/// `object`.
#[unsafe(export_name = "PyBaseObject_Type")]
pub static OBJECT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"object",
    basicsize: size_of::<PyObject>(),
    flags: flags::BASETYPE,
    doc: "object()\n--\n\nWhat all classes have in common.\n\nAn instance of it has no attributes of its own and takes none.\n",
    slots: TypeSlots {
        dealloc: Some(object_dealloc),
        repr: Some(object_repr),
        str: Some(object_str),
        hash: Some(object_hash),
        getattro: Some(attr::generic_get),
        setattro: Some(attr::generic_set),
        richcompare: Some(object_richcompare),
        init: Some(object_init),
        new: Some(object_new),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("__reduce_ex__", reduce_ex, "__reduce_ex__($self, protocol, /)\n--\n\nFor pickling and copying."),
        MethodDef::no_args("__reduce__", reduce, "__reduce__($self, /)\n--\n\nFor pickling and copying."),
        MethodDef::no_args("__getstate__", getstate, "__getstate__($self, /)\n--\n\nFor pickling and copying."),
        MethodDef::positional(
            "__subclasshook__",
            subclasshook,
            "__subclasshook__($type, object, /)\n--\n\nWhat an abstract class says to issubclass() before anything else is tried:\nTrue, False, or NotImplemented to \
             leave it to the usual rules.\n",
        )
        .class(),
        MethodDef::no_args(
            "__init_subclass__",
            init_subclass,
            "__init_subclass__($type, /)\n--\n\nCalled on a class when it gets a subclass, with the subclass; does nothing by default.\n",
        )
        .class(),
        MethodDef::one(
            "__format__",
            object_format,
            "__format__($self, format_spec, /)\n--\n\nstr(self); any format_spec but an empty \
             one is an error.",
        ),
        MethodDef::no_args("__sizeof__", object_sizeof, "__sizeof__($self, /)\n--\n\nHow many bytes the object takes."),
        MethodDef::no_args("__dir__", object_dir, "__dir__($self, /)\n--\n\nThe names that dir() shows."),
    ],
    getset: &[GetSetDef::get_set("__class__", get_class, set_class, "the object's class")],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&OBJECT_TYPE];

// ---- making and ending ----

/// A new instance of a type whose instances are plain: fields zeroed, inline values valid, tracked.
#[inline]
pub fn new_instance(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<PyRef> {
    let size = typ.basicsize() + instance::inline_size(typ);
    // SAFETY: the size is that of an instance, and the fields are zeroed.
    let object = unsafe { PyRef::from_owned(alloc::raw(ts, typ, size, true)?) };
    instance::init(&object);
    if typ.is_gc() {
        gc::track_in(ts, &object);
    }
    Ok(object)
}

/// `object()`.
pub fn new_plain(ts: &ThreadState) -> PyResult<PyRef> {
    new_instance(ts, &OBJECT_TYPE)
}

/// The end of a plain instance: it has no fields of its own.
unsafe fn object_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: subclasses have dropped what they have added.
    unsafe { alloc::free(ts, object) };
}

fn is_same<F: Copy>(a: Option<F>, b: usize, word: fn(F) -> usize) -> bool {
    a.is_some_and(|f| word(f) == b)
}

type NewFn = fn(&ThreadState, &PyTypeObject, Args<'_>) -> PyResult;
type InitFn = fn(&ThreadState, &PyObject, Args<'_>) -> PyResult<()>;

fn makes_plainly(typ: &PyTypeObject) -> bool {
    is_same(typ.slots().new, object_new as *const () as usize, |f: NewFn| f as usize)
}

fn initializes_plainly(typ: &PyTypeObject) -> bool {
    is_same(typ.slots().init, object_init as *const () as usize, |f: InitFn| f as usize)
}

/// `object.__new__`: arguments are for `__init__`, if the class has its own.
pub fn object_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        if !makes_plainly(typ) {
            return raise!(ts, exc::TypeError, "object.__new__() takes exactly one argument (the type to instantiate)");
        }
        if initializes_plainly(typ) {
            return raise!(ts, exc::TypeError, "{}() takes no arguments", typ.full_name());
        }
    }
    if typ.has_flag(flags::IS_ABSTRACT) {
        return abstract_class(ts, typ);
    }
    new_instance(ts, typ)
}

#[cold]
fn abstract_class<T>(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<T> {
    let methods = attr::get(ts, typ.as_object(), id!(__abstractmethods__))?;
    let methods = protocol::list_of(ts, &methods)?;
    methods.sort(ts, None, false)?;
    let mut names = StrBuilder::new();
    let count = methods.len();
    for index in 0..count {
        let Some(name) = methods.get(index) else { break };
        names.push_str(if index > 0 { "', '" } else { "'" })?;
        names.push_object(ts, &name)?;
    }
    names.push_str("'")?;
    let names = names.finish(ts)?;
    raise!(
        ts,
        exc::TypeError,
        "Can't instantiate abstract class {} without an implementation for abstract method{} {}",
        typ.full_name(),
        if count > 1 { "s" } else { "" },
        &*names
    )
}

/// `object.__init__`: arguments are for `__new__`, if the class has its own.
pub fn object_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    if args.is_empty() {
        return Ok(());
    }
    let typ = object.ob_type();
    if !initializes_plainly(typ) {
        return raise!(ts, exc::TypeError, "object.__init__() takes exactly one argument (the instance to initialize)");
    }
    if makes_plainly(typ) {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__init__() takes exactly one argument (the instance to initialize)",
            typ.name()
        );
    }
    Ok(())
}

// ---- text, hash, comparison ----

/// `<module.Name object at 0x…>`.
pub fn object_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let typ = object.ob_type().as_object();
    let qualname = attr::get(ts, typ, id!(__qualname__))?;
    let qualname = protocol::str(ts, &qualname)?;
    let module = match attr::get_opt(ts, typ, id!(__module__))? {
        Some(module) => module.downcast_into::<PyStr>().ok(),
        None => None,
    };
    let text = match module {
        Some(module) if !module.equals(id!(builtins)) => {
            PyStr::format(ts, format_args!("<{}.{} object at {:p}>", &*module, &*qualname, object.as_ptr()))?
        }
        _ => PyStr::format(ts, format_args!("<{} object at {:p}>", object.ob_type().full_name(), object.as_ptr()))?,
    };
    Ok(text.into_object())
}

fn object_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    // A class may have this very function as its `__repr__`.
    ts.check_native_stack(" while getting the str of an object")?;
    match object.ob_type().slots().repr {
        Some(repr) => repr(ts, object),
        None => object_repr(ts, object),
    }
}

fn object_hash(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    Ok(protocol::hash_pointer(object))
}

fn object_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    match op {
        CompareOp::Eq if left.is(right) => Ok(true_object().new_ref()),
        CompareOp::Ne => {
            let Some(compare) = left.ob_type().slots().richcompare else { return Ok(not_implemented()) };
            let equal = compare(ts, left, right, CompareOp::Eq)?;
            if crate::types::notimplemented::is_not_implemented(&equal) {
                return Ok(equal);
            }
            Ok(crate::types::bool::py_bool(!protocol::is_true(ts, &equal)?))
        }
        _ => Ok(not_implemented()),
    }
}

fn object_format(ts: &ThreadState, object: &PyObject, spec: &PyObject) -> PyResult {
    let Some(spec) = spec.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__format__() argument must be str, not {}", spec.type_name());
    };
    if !spec.is_empty() {
        return raise!(
            ts,
            exc::TypeError,
            "unsupported format string passed to {}.__format__",
            object.ob_type().full_name()
        );
    }
    Ok(protocol::str(ts, object)?.into_object())
}

// ---- class ----

fn get_class(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.ob_type().as_object().new_ref())
}

fn set_class(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "can't delete __class__ attribute");
    };
    let Some(new) = value.downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "__class__ must be set to a class, not '{}' object", value.type_name());
    };
    crate::modules::sys::auditing::event(ts, "object.__setattr__", &[object, id!(__class__).as_object(), value])?;
    let old = object.ob_type();
    let module = &crate::types::module::MODULE_TYPE.object;
    if !(new.is_subtype(module) && old.is_subtype(module))
        && (new.has_flag(flags::IMMUTABLE) || old.has_flag(flags::IMMUTABLE))
    {
        return raise!(
            ts,
            exc::TypeError,
            "__class__ assignment only supported for mutable types or ModuleType subclasses"
        );
    }
    layout::check_compatible(ts, old, new, "__class__")?;
    // Inline values are by the old class's keys.
    instance::make_independent(ts, object)?;
    let old = core::ptr::from_ref(old);
    if new.is_heap_type() {
        new.as_object().incref();
    }
    object.ob_type.set(new);
    // SAFETY: the object owned a reference to its class, unless that is a static type, which counting leaves alone.
    unsafe { header::decref(ts, old.cast::<PyObject>().cast_mut()) };
    Ok(())
}

fn init_subclass(ts: &ThreadState, _class: &PyObject) -> PyResult {
    Ok(ts.none())
}

fn subclasshook(_ts: &ThreadState, _class: &PyObject, _args: &[&PyObject]) -> PyResult {
    Ok(not_implemented())
}

fn object_sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    PyInt::from_usize(ts, alloc::object_size(object))
}

fn object_dir(ts: &ThreadState, object: &PyObject) -> PyResult {
    let names = PyDict::new(ts)?;
    if let Some(dict) = attr::get_opt(ts, object, id!(__dict__))?
        && let Some(dict) = dict.downcast::<PyDict>()
    {
        names.update(ts, dict.as_object())?;
    }
    if let Some(class) = attr::get_opt(ts, object, id!(__class__))? {
        protocol::merged_class_dict(ts, &names, &class)?;
    }
    Ok(names.keys_list(ts)?.into_object())
}

// ---- pickling ----

/// The names of an instance's places from `__slots__`, as `copyreg` finds them; None without.
fn slot_names(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Option<Ref<PyList>>> {
    if let Some(dict) = typ.dict(ts)
        && let Some(names) = dict.get_str(ts, id!(__slotnames__))?
    {
        return list_or_none(ts, typ, names, "__slotnames__ should be");
    }
    let copyreg = crate::import::import_module(ts, "copyreg")?;
    let names = call::call_method(ts, &copyreg, id!(_slotnames), &[typ.as_object()])?;
    list_or_none(ts, typ, names, "copyreg._slotnames didn't return")
}

fn list_or_none(ts: &ThreadState, typ: &PyTypeObject, names: PyRef, what: &str) -> PyResult<Option<Ref<PyList>>> {
    if is_none(&names) {
        return Ok(None);
    }
    match names.downcast_into::<PyList>() {
        Ok(names) => Ok(Some(names)),
        Err(other) if what.starts_with("copyreg") => {
            let _ = typ;
            drop(other);
            raise!(ts, exc::TypeError, "{what} a list or None")
        }
        Err(other) => {
            raise!(ts, exc::TypeError, "{}.{what} a list or None, not {}", typ.full_name(), other.type_name())
        }
    }
}

/// What `object.__getstate__` returns. `required`: nothing else brings the state over.
fn default_state(ts: &ThreadState, object: &PyObject, required: bool) -> PyResult {
    let typ = object.ob_type();
    if required && typ.itemsize() != 0 {
        return raise!(ts, exc::TypeError, "cannot pickle {} objects", typ.full_name());
    }
    let mut state = match attr::instance_dict(ts, object)? {
        Some(dict) if !dict.is_empty() => dict.into_object(),
        _ => ts.none(),
    };
    let names = slot_names(ts, typ)?;
    if required {
        let mut basic = size_of::<PyObject>();
        if typ.tp_dictoffset.get() > 0 {
            basic += size_of::<usize>();
        }
        if typ.tp_weaklistoffset.get() > 0 {
            basic += size_of::<usize>();
        }
        basic += names.as_ref().map_or(0, |names| names.len()) * size_of::<usize>();
        if typ.basicsize() > basic {
            return raise!(ts, exc::TypeError, "cannot pickle '{}' object", typ.full_name());
        }
    }
    let Some(names) = names.filter(|names| !names.is_empty()) else { return Ok(state) };
    let slots = PyDict::new(ts)?;
    let mut index = 0;
    while let Some(name) = names.get(index) {
        index += 1;
        if let Some(text) = name.downcast::<PyStr>()
            && let Some(value) = attr::get_opt(ts, object, text)?
        {
            slots.set(ts, &name, &value)?;
        }
    }
    if !slots.is_empty() {
        state = PyTuple::pair(ts, &state, slots.as_object())?.into_object();
    }
    Ok(state)
}

fn getstate(ts: &ThreadState, object: &PyObject) -> PyResult {
    default_state(ts, object, false)
}

fn state_of(ts: &ThreadState, object: &PyObject, required: bool) -> PyResult {
    let method = attr::get(ts, object, id!(__getstate__))?;
    if let Some(function) = method.downcast_exact::<PyBuiltinFunction>()
        && function.self_or_none().is(object)
        && let NativeFn::NoArgs(native) = function.def().function
        && native as usize == getstate as *const () as usize
    {
        return default_state(ts, object, required);
    }
    call::call0(ts, &method)
}

type NewArguments = (Option<Ref<PyTuple>>, Option<Ref<PyDict>>);

/// Arguments for `__new__`: positional and keyword ones, None where the class says nothing.
fn new_arguments(ts: &ThreadState, object: &PyObject) -> PyResult<NewArguments> {
    if let Some(both) = call::call_special(ts, object, id!(__getnewargs_ex__), &[])? {
        let Some(pair) = both.downcast::<PyTuple>() else {
            return raise!(ts, exc::TypeError, "__getnewargs_ex__ should return a tuple, not '{}'", both.type_name());
        };
        let &[args, kwargs] = pair.items() else {
            return raise!(
                ts,
                exc::ValueError,
                "__getnewargs_ex__ should return a tuple of length 2, not {}",
                pair.len()
            );
        };
        let Some(args) = args.downcast::<PyTuple>() else {
            return raise!(
                ts,
                exc::TypeError,
                "first item of the tuple returned by __getnewargs_ex__ must be a tuple, not '{}'",
                args.type_name()
            );
        };
        let Some(kwargs) = kwargs.downcast::<PyDict>() else {
            return raise!(
                ts,
                exc::TypeError,
                "second item of the tuple returned by __getnewargs_ex__ must be a dict, not '{}'",
                kwargs.type_name()
            );
        };
        return Ok((Some(Ref::from_borrowed(args)), Some(Ref::from_borrowed(kwargs))));
    }
    match call::call_special(ts, object, id!(__getnewargs__), &[])? {
        None => Ok((None, None)),
        Some(args) => match args.downcast_into::<PyTuple>() {
            Ok(args) => Ok((Some(args), None)),
            Err(other) => {
                raise!(ts, exc::TypeError, "__getnewargs__ should return a tuple, not '{}'", other.type_name())
            }
        },
    }
}

/// The reduction for protocol 2 and later.
fn reduce_by_new(ts: &ThreadState, object: &PyObject) -> PyResult {
    let typ = object.ob_type();
    if typ.slots().new.is_none() {
        return raise!(ts, exc::TypeError, "cannot pickle '{}' object", typ.full_name());
    }
    let (args, kwargs) = new_arguments(ts, object)?;
    let copyreg = crate::import::import_module(ts, "copyreg")?;
    let has_args = args.is_some();
    let class = typ.as_object();
    let (function, arguments) = match kwargs.filter(|kwargs| !kwargs.is_empty()) {
        Some(kwargs) => {
            let args = args.unwrap_or_else(PyTuple::empty);
            let function = attr::get(ts, &copyreg, id!(__newobj_ex__))?;
            (function, PyTuple::new(ts, &[class, args.as_object(), kwargs.as_object()])?)
        }
        None => {
            let mut all = TryVec::<&PyObject>::new();
            all.try_push(class)?;
            if let Some(args) = &args {
                all.try_extend_from_slice(args.items())?;
            }
            (attr::get(ts, &copyreg, id!(__newobj__))?, PyTuple::new(ts, &all)?)
        }
    };
    let is_list = object.is_a::<PyList>();
    let is_dict = object.is_a::<PyDict>();
    let state = state_of(ts, object, !(has_args || is_list || is_dict))?;
    let list_items = if is_list { protocol::iter(ts, object)? } else { ts.none() };
    let dict_items = if is_dict {
        let items = call::call_method(ts, object, id!(items), &[])?;
        protocol::iter(ts, &items)?
    } else {
        ts.none()
    };
    let result = [&*function, arguments.as_object(), &*state, &*list_items, &*dict_items];
    Ok(PyTuple::new(ts, &result)?.into_object())
}

fn common_reduce(ts: &ThreadState, object: &PyObject, protocol: i32) -> PyResult {
    if protocol >= 2 {
        return reduce_by_new(ts, object);
    }
    let copyreg = crate::import::import_module(ts, "copyreg")?;
    let number = PyInt::from_i64(ts, protocol as i64)?;
    protocol::call_named(ts, &copyreg, "_reduce_ex", &[object, &number])
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    common_reduce(ts, object, 0)
}

fn reduce_ex(ts: &ThreadState, object: &PyObject, protocol: &PyObject) -> PyResult {
    let protocol = protocol::as_i32(ts, protocol)?;
    // A class with a `__reduce__` of its own means that.
    if let Some(reduce) = attr::get_opt(ts, object, id!(__reduce__))? {
        let of_class = attr::get(ts, object.ob_type().as_object(), id!(__reduce__))?;
        let of_object = OBJECT_TYPE.dict(ts).map(|dict| dict.get_str(ts, id!(__reduce__))).transpose()?.flatten();
        if !of_object.is_some_and(|of_object| of_object.is(&of_class)) {
            return call::call0(ts, &reduce);
        }
    }
    common_reduce(ts, object, protocol)
}
