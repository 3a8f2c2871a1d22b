//! `types.GenericAlias`: what `list[int]` is; and the substitution of type parameters that it shares with unions.

use core::cell::Cell;
use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::ellipsis::ellipsis;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::seqiter::{builtin, reduce_iterator};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&GENERIC_ALIAS_TYPE, &GENERIC_ALIAS_ITERATOR_TYPE];

/// `origin[args]`.
#[repr(C)]
pub struct PyGenericAlias {
    ob_base: PyObject,
    origin: Slot<PyObject>,
    args: Slot<PyTuple>,
    /// The type variables in `args`, found when first asked for.
    parameters: Slot<PyTuple>,
    weakrefs: WeakrefList,
    /// `*tuple[int]`.
    starred: Cell<bool>,
}

crate::native!(PyGenericAlias, GENERIC_ALIAS_TYPE);

/// `types.GenericAlias`.
#[unsafe(export_name = "Py_GenericAliasType")]
pub static GENERIC_ALIAS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"types.GenericAlias",
    basicsize: size_of::<PyGenericAlias>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "GenericAlias(origin, args, /)\n--\n\nA generic type with its arguments: list[int] has the __origin__ list and the\n__args__ (int,).",
    slots: TypeSlots {
        new: Some(alias_new),
        dealloc: Some(alias_dealloc),
        traverse: Some(alias_traverse),
        repr: Some(alias_repr),
        hash: Some(alias_hash),
        call: Some(alias_call),
        getattro: Some(alias_getattro),
        richcompare: Some(alias_compare),
        iter: Some(alias_iter),
        nb_or: Some(crate::types::union::type_or),
        mp_subscript: Some(alias_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("__mro_entries__", alias_mro_entries, ""),
        MethodDef::one("__instancecheck__", alias_instancecheck, ""),
        MethodDef::one("__subclasscheck__", alias_subclasscheck, ""),
        MethodDef::no_args("__reduce__", alias_reduce, ""),
        MethodDef::no_args("__dir__", alias_dir, ""),
    ],
    getset: &[
        GetSetDef::field("__origin__", |_, alias| Ok(alias.cast::<PyGenericAlias>().origin()), ""),
        GetSetDef::field("__args__", |_, alias| Ok(alias.cast::<PyGenericAlias>().args().into_object()), ""),
        GetSetDef::get(
            "__parameters__",
            |ts, alias| Ok(alias_parameters(ts, alias.cast())?.into_object()),
            "The type variables in it.",
        ),
        GetSetDef::field("__unpacked__", |_, alias| Ok(py_bool(alias.cast::<PyGenericAlias>().starred.get())), ""),
        GetSetDef::get("__typing_unpacked_tuple_args__", alias_unpacked_args, ""),
    ],
    weaklistoffset: offset_of!(PyGenericAlias, weakrefs),
    ..TypeSpec::EMPTY
});

impl PyGenericAlias {
    fn origin(&self) -> PyRef {
        self.origin.get().unwrap_or_else(|| crate::types::none::none().new_ref())
    }

    fn args(&self) -> Ref<PyTuple> {
        self.args.get().unwrap_or_else(PyTuple::empty)
    }
}

/// `origin[args]` (`Py_GenericAlias`): what a class's `__class_getitem__` returns. A tuple is taken as the arguments.
pub fn new(ts: &ThreadState, origin: &PyObject, args: &PyObject) -> PyResult {
    make(ts, &GENERIC_ALIAS_TYPE, origin, args, false)
}

/// The `__class_getitem__` of types that are generic at run time in name only.
pub(crate) fn class_getitem(ts: &ThreadState, class: &PyObject, args: &PyObject) -> PyResult {
    new(ts, class, args)
}

fn make(ts: &ThreadState, of: &PyTypeObject, origin: &PyObject, args: &PyObject, starred: bool) -> PyResult {
    let args = match args.downcast::<PyTuple>() {
        Some(args) => Ref::from_borrowed(args),
        None => PyTuple::new(ts, &[args])?,
    };
    let alias = alloc::object::<PyGenericAlias>(ts, of)?;
    alias.origin.set(Some(origin.new_ref()));
    alias.args.set(Some(args));
    alias.starred.set(starred);
    gc::track(ts, &*alias);
    Ok(alias.into_object())
}

fn alias_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = args.no_keywords(ts, "GenericAlias")?;
    call::check_count(ts, "GenericAlias", given.len(), 2, 2)?;
    make(ts, of, given[0], given[1], false)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn alias_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an alias whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        let this = (*object).cast_unchecked::<PyGenericAlias>();
        this.origin.set(None);
        this.args.set(None);
        this.parameters.set(None);
        alloc::free(ts, object);
    }
}

fn alias_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyGenericAlias>();
    visitor.slot(&this.origin)?;
    visitor.slot(&this.args)?;
    visitor.slot(&this.parameters)
}

/// Writes an argument as annotations write it: classes by name, `...` for Ellipsis, lists with their items so.
pub(crate) fn push_type_repr(ts: &ThreadState, text: &mut StrBuilder, item: &PyObject) -> PyResult<()> {
    if item.is(ellipsis()) {
        text.push_str("...")?;
        return Ok(());
    }
    if let Some(list) = item.downcast_exact::<PyList>() {
        text.push_str("[")?;
        let mut index = 0;
        while let Some(part) = list.get(index) {
            if index > 0 {
                text.push_str(", ")?;
            }
            push_type_repr(ts, text, &part)?;
            index += 1;
        }
        text.push_str("]")?;
        return Ok(());
    }
    if attr::get_opt(ts, item, id!(__origin__))?.is_some() && attr::get_opt(ts, item, id!(__args__))?.is_some() {
        text.push_repr(ts, item)?;
        return Ok(());
    }
    let qualname = attr::get_opt(ts, item, id!(__qualname__))?;
    let module = match &qualname {
        Some(_) => attr::get_opt(ts, item, id!(__module__))?,
        None => None,
    };
    let (Some(qualname), Some(module)) = (qualname, module.filter(|module| !is_none(module))) else {
        text.push_repr(ts, item)?;
        return Ok(());
    };
    if !module.downcast::<PyStr>().is_some_and(|name| name.equals_str("builtins")) {
        text.push(&*protocol::str(ts, &module)?)?;
        text.push_str(".")?;
    }
    text.push(&*protocol::str(ts, &qualname)?)?;
    Ok(())
}

fn alias_repr(ts: &ThreadState, alias: &PyObject) -> PyResult {
    ts.check_native_stack(" while getting the repr of an object")?;
    let this = alias.cast::<PyGenericAlias>();
    let mut text = StrBuilder::new();
    if this.starred.get() {
        text.push_str("*")?;
    }
    push_type_repr(ts, &mut text, &this.origin())?;
    text.push_str("[")?;
    let args = this.args();
    for (index, item) in args.items().iter().enumerate() {
        if index > 0 {
            text.push_str(", ")?;
        }
        push_type_repr(ts, &mut text, item)?;
    }
    if args.is_empty() {
        text.push_str("()")?;
    }
    text.push_str("]")?;
    Ok(text.finish(ts)?.into_object())
}

fn alias_hash(ts: &ThreadState, alias: &PyObject) -> PyResult<isize> {
    let this = alias.cast::<PyGenericAlias>();
    let origin = protocol::hash(ts, &this.origin())?;
    let args = protocol::hash(ts, this.args().as_object())?;
    Ok(match origin ^ args {
        -1 => -2,
        hash => hash,
    })
}

fn alias_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyGenericAlias>(), right.downcast::<PyGenericAlias>()) else {
        return Ok(not_implemented());
    };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    let equal = a.starred.get() == b.starred.get()
        && protocol::compare_bool(ts, &a.origin(), &b.origin(), CompareOp::Eq)?
        && protocol::compare_bool(ts, a.args().as_object(), b.args().as_object(), CompareOp::Eq)?;
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

fn alias_call(ts: &ThreadState, alias: &PyObject, args: Args<'_>) -> PyResult {
    let result = call::call(ts, &alias.cast::<PyGenericAlias>().origin(), args)?;
    match attr::set(ts, &result, id!(__orig_class__), alias) {
        Err(raised) if ts.raised_matches(&exc::AttributeError) || ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
        }
        other => other?,
    }
    Ok(result)
}

/// Attributes that are the alias's own; all others are those of the class.
const OWN_ATTRIBUTES: &[&str] = &[
    "__class__",
    "__origin__",
    "__args__",
    "__unpacked__",
    "__parameters__",
    "__typing_unpacked_tuple_args__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
];

/// Attributes that an alias does not take over from the class.
const BLOCKED_ATTRIBUTES: &[&str] = &["__bases__", "__copy__", "__deepcopy__"];

fn alias_getattro(ts: &ThreadState, alias: &PyObject, name: &PyStr) -> PyResult {
    let is_in = |names: &[&str]| names.iter().any(|own| name.equals_str(own));
    if is_in(BLOCKED_ATTRIBUTES) || is_in(OWN_ATTRIBUTES) {
        return attr::generic_get(ts, alias, name);
    }
    attr::get(ts, &alias.cast::<PyGenericAlias>().origin(), name)
}

fn alias_parameters(ts: &ThreadState, alias: &PyGenericAlias) -> PyResult<Ref<PyTuple>> {
    if let Some(parameters) = alias.parameters.get() {
        return Ok(parameters);
    }
    let parameters = make_parameters(ts, &alias.args())?;
    alias.parameters.set(Some(parameters.clone()));
    Ok(parameters)
}

fn alias_unpacked_args(ts: &ThreadState, alias: &PyObject) -> PyResult {
    let this = alias.cast::<PyGenericAlias>();
    if this.starred.get() && core::ptr::addr_eq(&*this.origin(), &crate::types::tuple::TUPLE_TYPE) {
        return Ok(this.args().into_object());
    }
    Ok(ts.none())
}

fn alias_subscript(ts: &ThreadState, alias: &PyObject, item: &PyObject) -> PyResult {
    let this = alias.cast::<PyGenericAlias>();
    let parameters = alias_parameters(ts, this)?;
    let args = substitute_all(ts, alias, &this.args(), &parameters, item)?;
    make(ts, &GENERIC_ALIAS_TYPE, &this.origin(), args.as_object(), this.starred.get())
}

fn alias_mro_entries(ts: &ThreadState, alias: &PyObject, _bases: &PyObject) -> PyResult {
    Ok(PyTuple::from_array(ts, [alias.cast::<PyGenericAlias>().origin()])?.into_object())
}

fn alias_instancecheck(ts: &ThreadState, _alias: &PyObject, _instance: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "isinstance() argument 2 cannot be a parameterized generic")
}

fn alias_subclasscheck(ts: &ThreadState, _alias: &PyObject, _class: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "issubclass() argument 2 cannot be a parameterized generic")
}

fn alias_reduce(ts: &ThreadState, alias: &PyObject) -> PyResult {
    let this = alias.cast::<PyGenericAlias>();
    if this.starred.get() {
        let plain = make(ts, &GENERIC_ALIAS_TYPE, &this.origin(), this.args().as_object(), false)?;
        let iterator = protocol::iter(ts, &plain)?;
        return reduce_iterator(ts, builtin(ts, "next")?, iterator, None);
    }
    let arguments = PyTuple::from_array(ts, [this.origin(), this.args().into_object()])?;
    Ok(PyTuple::pair(ts, alias.ob_type().as_object(), arguments.as_object())?.into_object())
}

fn alias_dir(ts: &ThreadState, alias: &PyObject) -> PyResult {
    let names = protocol::dir(ts, &alias.cast::<PyGenericAlias>().origin())?;
    for own in OWN_ATTRIBUTES {
        let name = PyStr::intern(ts, own)?;
        if !protocol::contains(ts, names.as_object(), name.as_object())? {
            names.append(ts, name.into_object())?;
        }
    }
    Ok(names.into_object())
}

fn alias_iter(ts: &ThreadState, alias: &PyObject) -> PyResult {
    let iterator = alloc::exact::<GenericAliasIter>(ts)?;
    iterator.alias.set(Some(alias.new_ref()));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

/// `generic_alias_iterator`: yields `*alias` once.
#[repr(C)]
pub struct GenericAliasIter {
    ob_base: PyObject,
    alias: Slot<PyObject>,
}

crate::native!(GenericAliasIter, GENERIC_ALIAS_ITERATOR_TYPE);
owns!(GenericAliasIter: alias);

/// The type of `iter(list[int])`.
pub static GENERIC_ALIAS_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"generic_alias_iterator",
    basicsize: size_of::<GenericAliasIter>(),
    flags: flags::HAVE_GC,
    slots: TypeSlots {
        dealloc: Some(GenericAliasIter::slot_dealloc),
        traverse: Some(GenericAliasIter::slot_traverse),
        clear: Some(GenericAliasIter::slot_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(alias_iter_next),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", alias_iter_reduce, "")],
    ..TypeSpec::EMPTY
});

fn alias_iter_next(ts: &ThreadState, iterator: &PyObject) -> PyResult<Option<PyRef>> {
    let Some(alias) = iterator.cast::<GenericAliasIter>().alias.take() else { return Ok(None) };
    let alias = alias.cast::<PyGenericAlias>();
    make(ts, &GENERIC_ALIAS_TYPE, &alias.origin(), alias.args().as_object(), true).map(Some)
}

fn alias_iter_reduce(ts: &ThreadState, iterator: &PyObject) -> PyResult {
    let function = builtin(ts, "iter")?;
    let subject = match iterator.cast::<GenericAliasIter>().alias.get() {
        Some(alias) => alias,
        None => PyTuple::empty().into_object(),
    };
    reduce_iterator(ts, function, subject, None)
}

fn is_type(object: &PyObject) -> bool {
    object.is_a::<PyTypeObject>()
}

fn push_once(items: &mut TryVec<PyRef>, item: &PyObject) -> PyResult<()> {
    if !items.iter().any(|known| known.is(item)) {
        items.try_push(item.new_ref())?;
    }
    Ok(())
}

/// The type variables in the arguments, each once, in order (`_Py_make_parameters`).
pub(crate) fn make_parameters(ts: &ThreadState, args: &PyTuple) -> PyResult<Ref<PyTuple>> {
    ts.check_native_stack(" while looking for type variables")?;
    let mut found = TryVec::<PyRef>::new();
    for arg in args.items() {
        if is_type(arg) {
            continue;
        }
        if attr::get_opt(ts, arg, id!(__typing_subst__))?.is_some() {
            push_once(&mut found, arg)?;
            continue;
        }
        let inner = if arg.is_a::<PyTuple>() || arg.is_a::<PyList>() {
            Some(make_parameters(ts, &*protocol::tuple_of(ts, arg)?)?.into_object())
        } else {
            attr::get_opt(ts, arg, id!(__parameters__))?
        };
        if let Some(inner) = inner
            && let Some(inner) = inner.downcast::<PyTuple>()
        {
            for parameter in inner.items() {
                push_once(&mut found, parameter)?;
            }
        }
    }
    PyTuple::from_vec(ts, found)
}

/// The subscript as a tuple, with unpacked tuples (`*tuple[int, str]`) replaced by their arguments.
fn unpack_args(ts: &ThreadState, item: &PyObject) -> PyResult<Ref<PyTuple>> {
    let single = [item];
    let items = match item.downcast::<PyTuple>() {
        Some(tuple) => tuple.items(),
        None => &single[..],
    };
    let mut unpacked = TryVec::<PyRef>::new();
    for item in items {
        if !is_type(item)
            && let Some(inner) = attr::get_opt(ts, item, id!(__typing_unpacked_tuple_args__))?
            && let Some(inner) = inner.downcast::<PyTuple>()
            && !inner.items().last().is_some_and(|last| last.is(ellipsis()))
        {
            for part in inner.items() {
                unpacked.try_push(part.new_ref())?;
            }
            continue;
        }
        unpacked.try_push(item.new_ref())?;
    }
    PyTuple::from_vec(ts, unpacked)
}

/// The arguments with the parameters replaced by what the subscript gives for them (`_Py_subs_parameters`).
pub(crate) fn substitute_all(
    ts: &ThreadState,
    generic: &PyObject,
    args: &PyTuple,
    parameters: &PyTuple,
    item: &PyObject,
) -> PyResult<Ref<PyTuple>> {
    if parameters.is_empty() {
        return raise!(ts, exc::TypeError, "{} is not a generic class", &*protocol::repr(ts, generic)?);
    }
    let mut item: PyRef = unpack_args(ts, item)?.into_object();
    for parameter in parameters.items() {
        let prepare = attr::get_opt(ts, parameter, id!(__typing_prepare_subst__))?;
        if let Some(prepare) = prepare.filter(|prepare| !is_none(prepare)) {
            let given =
                if item.is_a::<PyTuple>() { item.clone() } else { PyTuple::from_array(ts, [item])?.into_object() };
            item = call::call_with(ts, &prepare, &[generic, &given])?;
        }
    }
    let single = [&*item];
    let given = match item.downcast::<PyTuple>() {
        Some(tuple) => tuple.items(),
        None => &single[..],
    };
    if given.len() != parameters.len() {
        return raise!(
            ts,
            exc::TypeError,
            "Too {} arguments for {}; actual {}, expected {}",
            if given.len() > parameters.len() { "many" } else { "few" },
            &*protocol::repr(ts, generic)?,
            given.len(),
            parameters.len()
        );
    }
    substitute(ts, args, parameters, given)
}

fn substitute(ts: &ThreadState, args: &PyTuple, parameters: &PyTuple, given: &[&PyObject]) -> PyResult<Ref<PyTuple>> {
    let mut result = TryVec::<PyRef>::new();
    for arg in args.items() {
        if is_type(arg) {
            result.try_push(arg.new_ref())?;
            continue;
        }
        if arg.is_a::<PyTuple>() || arg.is_a::<PyList>() {
            let inner = substitute(ts, &*protocol::tuple_of(ts, arg)?, parameters, given)?;
            let replaced = match arg.is_a::<PyTuple>() {
                true => inner.into_object(),
                false => PyList::from_slice(ts, inner.items())?.into_object(),
            };
            result.try_push(replaced)?;
            continue;
        }
        let unpack = match attr::get_opt(ts, arg, id!(__typing_is_unpacked_typevartuple__))? {
            Some(flag) => protocol::is_true(ts, &flag)?,
            None => false,
        };
        let replaced = match attr::get_opt(ts, arg, id!(__typing_subst__))? {
            Some(subst) => {
                let Some(index) = parameters.items().iter().position(|parameter| parameter.is(arg)) else {
                    return raise!(ts, exc::TypeError, "{} is not among the parameters", &*protocol::repr(ts, arg)?);
                };
                call::call_with(ts, &subst, &[given[index]])?
            }
            None => substitute_inside(ts, arg, parameters, given)?,
        };
        if !unpack {
            result.try_push(replaced)?;
            continue;
        }
        let Some(parts) = replaced.downcast::<PyTuple>() else {
            return raise!(
                ts,
                exc::TypeError,
                "expected __typing_subst__ of {} objects to return a tuple, not {}",
                arg.type_name(),
                replaced.type_name()
            );
        };
        for part in parts.items() {
            result.try_push(part.new_ref())?;
        }
    }
    PyTuple::from_vec(ts, result)
}

/// Replaces parameters inside an argument that is generic itself: subscripts it with what they stand for.
fn substitute_inside(ts: &ThreadState, arg: &PyObject, parameters: &PyTuple, given: &[&PyObject]) -> PyResult {
    let own = attr::get_opt(ts, arg, id!(__parameters__))?;
    let Some(own) = own.as_ref().and_then(|own| own.downcast::<PyTuple>()).filter(|own| !own.is_empty()) else {
        return Ok(arg.new_ref());
    };
    let mut values = TryVec::<PyRef>::new();
    for parameter in own.items() {
        match parameters.items().iter().position(|known| known.is(parameter)) {
            Some(index) => {
                let value = given[index];
                // A TypeVarTuple stands for many: only it among the parameters can be iterated over.
                if let Some(many) = value.downcast::<PyTuple>()
                    && parameter.ob_type().slots().iter.is_some()
                {
                    for part in many.items() {
                        values.try_push(part.new_ref())?;
                    }
                } else {
                    values.try_push(value.new_ref())?;
                }
            }
            None => values.try_push(parameter.new_ref())?,
        }
    }
    let key = PyTuple::from_vec(ts, values)?;
    protocol::getitem(ts, arg, key.as_object())
}
