//! `typing.Union`, which is also `types.UnionType`: what `int | str` is.

use core::mem::offset_of;

use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, Visitor, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::genericalias::{PyGenericAlias, make_parameters, push_type_repr, substitute_all};
use crate::types::list::PyList;
use crate::types::none::{NONE_TYPE, is_none};
use crate::types::notimplemented::not_implemented;
use crate::types::set::PySet;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&UNION_TYPE];

/// A union of types.
#[repr(C)]
pub struct PyUnion {
    ob_base: PyObject,
    /// All members, in order, each once.
    args: Slot<PyTuple>,
    /// Those that can be hashed, as a frozenset.
    hashable: Slot<PyObject>,
    /// Those that can't, or nothing when there are none.
    unhashable: Slot<PyTuple>,
    parameters: Slot<PyTuple>,
    weakrefs: WeakrefList,
}

crate::native!(PyUnion, UNION_TYPE);

/// `typing.Union`.
#[unsafe(export_name = "_PyUnion_Type")]
pub static UNION_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.Union",
    basicsize: size_of::<PyUnion>(),
    flags: flags::HAVE_GC,
    doc: "Any one of several types: int | str",
    slots: TypeSlots {
        dealloc: Some(union_dealloc),
        traverse: Some(union_traverse),
        repr: Some(union_repr),
        hash: Some(union_hash),
        richcompare: Some(union_compare),
        nb_or: Some(type_or),
        mp_subscript: Some(union_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("__mro_entries__", union_mro_entries, ""),
        MethodDef::one("__class_getitem__", union_class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::field("__args__", |ts, union| Ok(union.cast::<PyUnion>().args(ts)?.into_object()), ""),
        GetSetDef::get("__name__", |ts, _| Ok(PyStr::intern(ts, "Union")?.into_object()), "Name of the type"),
        GetSetDef::get(
            "__qualname__",
            |ts, _| Ok(PyStr::intern(ts, "Union")?.into_object()),
            "Qualified name of the type",
        ),
        GetSetDef::get("__origin__", |_, _| Ok(UNION_TYPE.object.new_ref()), "typing.Union"),
        GetSetDef::get(
            "__parameters__",
            |ts, union| Ok(union_parameters(ts, union.cast())?.into_object()),
            "The type variables in it.",
        ),
    ],
    weaklistoffset: offset_of!(PyUnion, weakrefs),
    ..TypeSpec::EMPTY
});

impl PyUnion {
    /// The members.
    pub fn args(&self, ts: &ThreadState) -> PyResult<Ref<PyTuple>> {
        match self.args.get() {
            Some(args) => Ok(args),
            None => raise!(ts, exc::SystemError, "a union without members"),
        }
    }
}

/// Collects members, each once.
struct Builder {
    args: Ref<PyList>,
    hashable: Ref<PySet>,
    unhashable: Option<Ref<PyList>>,
    /// Whether members come from a subscript, and are to be looked at as annotations.
    checked: bool,
}

impl Builder {
    fn new(ts: &ThreadState, checked: bool) -> PyResult<Builder> {
        Ok(Builder { args: PyList::new(ts)?, hashable: PySet::new(ts)?, unhashable: None, checked })
    }

    fn add(&mut self, ts: &ThreadState, arg: &PyObject) -> PyResult<()> {
        if is_none(arg) {
            return self.add_unchecked(ts, NONE_TYPE.object.as_object());
        }
        if let Some(union) = arg.downcast_exact::<PyUnion>() {
            for member in union.args(ts)?.items() {
                self.add_unchecked(ts, member)?;
            }
            return Ok(());
        }
        if self.checked && !arg.is_a::<PyTypeObject>() {
            let check = protocol::import_attr(ts, "typing", "_type_check")?;
            let message = PyStr::new(ts, "Union[arg, ...]: each arg must be a type.")?;
            let arg = call::call_with(ts, &check, &[arg, message.as_object()])?;
            return self.add_unchecked(ts, &arg);
        }
        self.add_unchecked(ts, arg)
    }

    fn add_unchecked(&mut self, ts: &ThreadState, arg: &PyObject) -> PyResult<()> {
        match protocol::hash(ts, arg) {
            Ok(_) => {
                if self.hashable.contains(ts, arg)? {
                    return Ok(());
                }
                self.hashable.add(ts, arg)?;
            }
            Err(raised) => {
                if !ts.raised_matches(&exc::TypeError) {
                    return Err(raised);
                }
                ts.clear_raised(raised);
                let unhashable = match &self.unhashable {
                    Some(list) => list.clone(),
                    None => self.unhashable.insert(PyList::new(ts)?).clone(),
                };
                if protocol::contains(ts, unhashable.as_object(), arg)? {
                    return Ok(());
                }
                unhashable.append(ts, arg.new_ref())?;
            }
        }
        self.args.append(ts, arg.new_ref())
    }

    fn finish(self, ts: &ThreadState) -> PyResult {
        let args = self.args.to_tuple(ts)?;
        match args.items() {
            [] => return raise!(ts, exc::TypeError, "Cannot take a Union of no types."),
            [only] => return Ok(only.new_ref()),
            _ => {}
        }
        let hashable = PySet::frozen(ts, self.hashable.as_object())?.into_object();
        let unhashable = match self.unhashable {
            Some(list) => Some(list.to_tuple(ts)?),
            None => None,
        };
        let union = alloc::exact::<PyUnion>(ts)?;
        union.args.set(Some(args));
        union.hashable.set(Some(hashable));
        union.unhashable.set(unhashable);
        gc::track(ts, &*union);
        Ok(union.into_object())
    }
}

/// `left | right` for types, None, unions and generic aliases; `NotImplemented` for anything else. The `nb_or` of each of
/// their types.
pub fn type_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if !is_unionable(left) || !is_unionable(right) {
        return Ok(not_implemented());
    }
    let mut builder = Builder::new(ts, false)?;
    builder.add(ts, left)?;
    builder.add(ts, right)?;
    builder.finish(ts)
}

fn is_unionable(object: &PyObject) -> bool {
    is_none(object)
        || object.is_a::<PyTypeObject>()
        || object.is_a::<PyGenericAlias>()
        || object.downcast_exact::<PyUnion>().is_some()
        || object.ob_type().full_name() == "typing.TypeAliasType"
}

/// `Union[args]`; a tuple is taken as the members (`_Py_union_from_tuple`).
pub fn from_args(ts: &ThreadState, args: &PyObject) -> PyResult {
    let mut builder = Builder::new(ts, true)?;
    match args.downcast::<PyTuple>() {
        Some(args) => {
            for arg in args.items() {
                builder.add(ts, arg)?;
            }
        }
        None => builder.add(ts, args)?,
    }
    builder.finish(ts)
}

fn union_class_getitem(ts: &ThreadState, _class: &PyObject, args: &PyObject) -> PyResult {
    from_args(ts, args)
}

fn union_mro_entries(ts: &ThreadState, union: &PyObject, _bases: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "Cannot subclass {}", &*protocol::repr(ts, union)?)
}

fn union_parameters(ts: &ThreadState, union: &PyUnion) -> PyResult<Ref<PyTuple>> {
    if let Some(parameters) = union.parameters.get() {
        return Ok(parameters);
    }
    let parameters = make_parameters(ts, &*union.args(ts)?)?;
    union.parameters.set(Some(parameters.clone()));
    Ok(parameters)
}

fn union_subscript(ts: &ThreadState, union: &PyObject, item: &PyObject) -> PyResult {
    let this = union.cast::<PyUnion>();
    let parameters = union_parameters(ts, this)?;
    let args = substitute_all(ts, union, &*this.args(ts)?, &parameters, item)?;
    from_args(ts, args.as_object())
}

fn union_repr(ts: &ThreadState, union: &PyObject) -> PyResult {
    ts.check_native_stack(" while getting the repr of an object")?;
    let mut text = StrBuilder::new();
    for (index, arg) in union.cast::<PyUnion>().args(ts)?.items().iter().enumerate() {
        if index > 0 {
            text.push_str(" | ")?;
        }
        if core::ptr::addr_eq(*arg, &NONE_TYPE) {
            text.push_str("None")?;
        } else {
            push_type_repr(ts, &mut text, arg)?;
        }
    }
    Ok(text.finish(ts)?.into_object())
}

fn union_hash(ts: &ThreadState, union: &PyObject) -> PyResult<isize> {
    let this = union.cast::<PyUnion>();
    if let Some(unhashable) = this.unhashable.get() {
        // The first of them that still can't be hashed says why.
        for arg in unhashable.items() {
            protocol::hash(ts, arg)?;
        }
        let count = unhashable.len();
        let plural = if count == 1 { "" } else { "s" };
        return raise!(ts, exc::TypeError, "union contains {count} unhashable element{plural}");
    }
    match this.hashable.get() {
        Some(hashable) => protocol::hash(ts, &hashable),
        None => raise!(ts, exc::SystemError, "a union without members"),
    }
}

fn union_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast_exact::<PyUnion>(), right.downcast_exact::<PyUnion>()) else {
        return Ok(not_implemented());
    };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    Ok(py_bool(equal(ts, a, b)? == (op == CompareOp::Eq)))
}

fn equal(ts: &ThreadState, a: &PyUnion, b: &PyUnion) -> PyResult<bool> {
    let (Some(hashable_a), Some(hashable_b)) = (a.hashable.get(), b.hashable.get()) else { return Ok(false) };
    if !protocol::compare_bool(ts, &hashable_a, &hashable_b, CompareOp::Eq)? {
        return Ok(false);
    }
    match (a.unhashable.get(), b.unhashable.get()) {
        (None, None) => Ok(true),
        (Some(a), Some(b)) => Ok(contains_all(ts, &a, &b)? && contains_all(ts, &b, &a)?),
        _ => Ok(false),
    }
}

fn contains_all(ts: &ThreadState, all: &PyTuple, some: &PyTuple) -> PyResult<bool> {
    for item in some.items() {
        if !protocol::contains(ts, all.as_object(), item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn union_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a union whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        let this = (*object).cast_unchecked::<PyUnion>();
        this.args.set(None);
        this.hashable.set(None);
        this.unhashable.set(None);
        this.parameters.set(None);
        alloc::free(ts, object);
    }
}

fn union_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyUnion>();
    visitor.slot(&this.args)?;
    visitor.slot(&this.hashable)?;
    visitor.slot(&this.unhashable)?;
    visitor.slot(&this.parameters)
}
