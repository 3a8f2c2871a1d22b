//! What Python sees of `set` and `frozenset`.

use core::mem::offset_of;
use core::ops::ControlFlow;

use super::{PySet, PySetIter};
use crate::object::call::{Args, call_method, check_count};
use crate::object::def::{MethodDef, TypeSpec};
use crate::object::slots::{CompareOp, TypeSlots};
use crate::object::visit::Visitor;
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, StaticType, alloc, flags, gc, protocol, weakref};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::raise_key_error;
use crate::types::exceptions as exc;
use crate::types::genericalias::class_getitem;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// What `frozenset` and `set` have in common.
const SLOTS: TypeSlots = TypeSlots {
    dealloc: Some(set_dealloc),
    traverse: Some(set_traverse),
    clear: Some(set_tp_clear),
    repr: Some(set_repr),
    richcompare: Some(set_richcompare),
    iter: Some(set_iter),
    nb_subtract: Some(set_sub),
    nb_and: Some(set_and),
    nb_xor: Some(set_xor),
    nb_or: Some(set_or),
    sq_length: Some(set_length),
    sq_contains: Some(set_contains),
    ..TypeSlots::EMPTY
};

const CONTAINS: MethodDef = MethodDef::one(
    "__contains__",
    set_dunder_contains,
    "__contains__($self, object, /)\n--\n\nx.__contains__(y) <==> y in x.",
)
.coexist();
const DIFFERENCE: MethodDef = MethodDef::positional(
    "difference",
    set_difference,
    "difference($self, /, *others)\n--\n\nA new set with the elements that are in none of the others.",
);
const INTERSECTION: MethodDef = MethodDef::positional(
    "intersection",
    set_intersection,
    "intersection($self, /, *others)\n--\n\nA new set with the elements that all the others have too.",
);
const ISDISJOINT: MethodDef = MethodDef::one(
    "isdisjoint",
    set_isdisjoint,
    "isdisjoint($self, other, /)\n--\n\nWhether both have no element in common.",
);
const ISSUBSET: MethodDef = MethodDef::one(
    "issubset",
    set_issubset,
    "issubset($self, other, /)\n--\n\nWhether the other has all our elements.",
);
const ISSUPERSET: MethodDef = MethodDef::one(
    "issuperset",
    set_issuperset,
    "issuperset($self, other, /)\n--\n\nWhether we have all of the other's elements.",
);
const REDUCE: MethodDef =
    MethodDef::no_args("__reduce__", set_reduce, "__reduce__($self, /)\n--\n\nWhat pickle needs.");
const SIZEOF: MethodDef =
    MethodDef::no_args("__sizeof__", set_sizeof, "__sizeof__($self, /)\n--\n\nThe set's size in bytes.");
const SYMMETRIC_DIFFERENCE: MethodDef = MethodDef::one(
    "symmetric_difference",
    set_symmetric_difference,
    "symmetric_difference($self, other, /)\n--\n\nA new set with the elements that only one of both has.",
);
const UNION: MethodDef = MethodDef::positional(
    "union",
    set_union,
    "union($self, /, *others)\n--\n\nA new set with the elements of this and of all the others.",
);
const CLASS_GETITEM: MethodDef =
    MethodDef::one("__class_getitem__", class_getitem, "__class_getitem__($type, object, /)\n--\n\nSee PEP 585")
        .class();

/// `set`.
#[unsafe(export_name = "PySet_Type")]
pub static SET_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"set",
    basicsize: size_of::<PySet>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::MATCH_SELF,
    doc: "set(iterable=(), /)\n--\n\nBuild an unordered collection of unique elements.",
    slots: TypeSlots {
        init: Some(set_init),
        new: Some(set_new),
        nb_inplace_subtract: Some(set_inplace_sub),
        nb_inplace_and: Some(set_inplace_and),
        nb_inplace_xor: Some(set_inplace_xor),
        nb_inplace_or: Some(set_inplace_or),
        ..SLOTS
    },
    methods: &[
        MethodDef::one(
            "add",
            set_add,
            "add($self, object, /)\n--\n\nAdd an element, which changes nothing if it is there already.",
        ),
        MethodDef::no_args("clear", set_clear, "clear($self, /)\n--\n\nRemove all elements."),
        CONTAINS,
        MethodDef::no_args("copy", set_copy, "copy($self, /)\n--\n\nA shallow copy."),
        MethodDef::one(
            "discard",
            set_discard,
            "discard($self, object, /)\n--\n\nRemove an element if it is there; otherwise do nothing.",
        ),
        DIFFERENCE,
        MethodDef::positional(
            "difference_update",
            set_difference_update,
            "difference_update($self, /, *others)\n--\n\nRemove the elements that are in the others.",
        ),
        INTERSECTION,
        MethodDef::positional(
            "intersection_update",
            set_intersection_update,
            "intersection_update($self, /, *others)\n--\n\nKeep only the elements that all the others have too.",
        ),
        ISDISJOINT,
        ISSUBSET,
        ISSUPERSET,
        MethodDef::no_args(
            "pop",
            set_pop,
            "pop($self, /)\n--\n\nRemove some element and return it.\n\nRaises KeyError if the set is empty.",
        ),
        REDUCE,
        MethodDef::one(
            "remove",
            set_remove,
            "remove($self, object, /)\n--\n\nRemove an element.\n\nRaises KeyError if it is not there.",
        ),
        SIZEOF,
        SYMMETRIC_DIFFERENCE,
        MethodDef::one(
            "symmetric_difference_update",
            set_symmetric_difference_update,
            "symmetric_difference_update($self, other, /)\n--\n\nKeep and add the elements that only one of both has.",
        ),
        UNION,
        MethodDef::positional(
            "update",
            set_update,
            "update($self, /, *others)\n--\n\nAdd the elements of all the others.",
        ),
        CLASS_GETITEM,
    ],
    weaklistoffset: offset_of!(PySet, weaklist),
    ..TypeSpec::EMPTY
});

/// `frozenset`.
#[unsafe(export_name = "PyFrozenSet_Type")]
pub static FROZENSET_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"frozenset",
    basicsize: size_of::<PySet>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::MATCH_SELF,
    doc: "frozenset(iterable=(), /)\n--\n\nBuild an immutable unordered collection of unique elements.",
    slots: TypeSlots { hash: Some(frozenset_hash), new: Some(frozenset_new), ..SLOTS },
    methods: &[
        CONTAINS,
        MethodDef::no_args("copy", frozenset_copy, "copy($self, /)\n--\n\nA shallow copy."),
        DIFFERENCE,
        INTERSECTION,
        ISDISJOINT,
        ISSUBSET,
        ISSUPERSET,
        REDUCE,
        SIZEOF,
        SYMMETRIC_DIFFERENCE,
        UNION,
        CLASS_GETITEM,
    ],
    weaklistoffset: offset_of!(PySet, weaklist),
    ..TypeSpec::EMPTY
});

#[inline(always)]
fn this(object: &PyObject) -> &PySet {
    object.cast()
}

unsafe fn set_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the table is given up once, and the memory last.
    unsafe {
        let set = &*object.cast::<PySet>();
        gc::untrack(&*object);
        if !set.weaklist.is_empty() {
            weakref::clear_all(ts, &*object);
        }
        set.clear(ts);
        alloc::free(ts, object);
    }
}

fn set_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let set = this(object);
    let mut position = 0;
    // SAFETY: a traversal changes nothing.
    while let Some((key, _)) = unsafe { set.next_borrowed(&mut position) } {
        visitor.object(key)?;
    }
    ControlFlow::Continue(())
}

fn set_tp_clear(ts: &ThreadState, object: &PyObject) {
    this(object).clear(ts);
}

fn set_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    Ok(PySet::new_of(ts, typ)?.into_object())
}

fn set_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let set = this(object);
    if args.has_keywords() {
        return raise!(ts, exc::TypeError, "set() takes no keyword arguments");
    }
    check_count(ts, object.type_name(), args.len(), 0, 1)?;
    set.clear(ts);
    match args.positional().first() {
        Some(iterable) => set.update(ts, iterable),
        None => Ok(()),
    }
}

fn frozenset_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let exact = core::ptr::eq(typ, &*FROZENSET_TYPE);
    let own_init = typ.slots().init.map(|slot| slot as usize) != FROZENSET_TYPE.slots().init.map(|slot| slot as usize);
    if args.has_keywords() && (exact || !own_init) {
        return raise!(ts, exc::TypeError, "frozenset() takes no keyword arguments");
    }
    check_count(ts, typ.name(), args.len(), 0, 1)?;
    match args.positional().first() {
        None => Ok(PySet::new_of(ts, typ)?.into_object()),
        Some(iterable) if exact && iterable.downcast::<PySet>().is_some_and(PySet::is_exact_frozenset) => {
            Ok(iterable.new_ref())
        }
        Some(iterable) => Ok(PySet::from_iterable(ts, typ, iterable)?.into_object()),
    }
}

fn set_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let set = this(object);
    let exact = core::ptr::eq(object.ob_type(), &*SET_TYPE);
    let name = object.type_name();
    if set.is_empty() {
        return Ok(PyStr::format(ts, format_args!("{name}()"))?.into_object());
    }
    if !protocol::repr_enter(ts, object)? {
        return Ok(PyStr::format(ts, format_args!("{name}(...)"))?.into_object());
    }
    let text = || -> PyResult<Ref<PyStr>> {
        // The keys are gathered first: a repr can change the set.
        let keys = protocol::list_of(ts, object)?;
        let mut text = StrBuilder::new();
        if !exact {
            text.push_str(name)?;
            text.push_str("(")?;
        }
        text.push_str("{")?;
        let mut index = 0;
        while let Some(key) = keys.get(index) {
            if index != 0 {
                text.push_str(", ")?;
            }
            text.push_repr(ts, &key)?;
            index += 1;
        }
        text.push_str(if exact { "}" } else { "})" })?;
        text.finish(ts)
    };
    let text = text();
    protocol::repr_leave(ts, object);
    Ok(text?.into_object())
}

fn frozenset_hash(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let set = this(object);
    let hash = set.content_hash();
    set.hash.set(hash);
    Ok(hash)
}

fn set_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PySet>(), right.downcast::<PySet>()) else {
        return Ok(not_implemented());
    };
    let result = match op {
        CompareOp::Eq => a.equals(ts, b)?,
        CompareOp::Ne => !a.equals(ts, b)?,
        CompareOp::Le => a.is_subset(ts, right)?,
        CompareOp::Ge => b.is_subset(ts, left)?,
        CompareOp::Lt => a.len() < b.len() && a.is_subset(ts, right)?,
        CompareOp::Gt => a.len() > b.len() && b.is_subset(ts, left)?,
    };
    Ok(py_bool(result))
}

fn set_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    PySetIter::new(ts, this(object))
}

fn set_length(_ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    Ok(this(object).len())
}

fn set_contains(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<bool> {
    this(object).contains(ts, key)
}

fn set_dunder_contains(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    Ok(py_bool(this(object).contains(ts, key)?))
}

/// Both operands as sets, for the operators, which take nothing else.
fn both<'a>(left: &'a PyObject, right: &'a PyObject) -> Option<(&'a PySet, &'a PySet)> {
    Some((left.downcast()?, right.downcast()?))
}

fn set_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, b)) = both(left, right) else { return Ok(not_implemented()) };
    let result = a.copy(ts)?;
    if !left.is(right) {
        result.merge(ts, b)?;
    }
    Ok(result.into_object())
}

fn set_and(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    Ok(a.intersection(ts, right)?.into_object())
}

fn set_sub(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    Ok(a.difference(ts, right)?.into_object())
}

fn set_xor(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    Ok(a.symmetric_difference(ts, right)?.into_object())
}

fn set_inplace_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, b)) = both(left, right) else { return Ok(not_implemented()) };
    a.merge(ts, b)?;
    Ok(left.new_ref())
}

fn set_inplace_and(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    a.intersection_update(ts, right)?;
    Ok(left.new_ref())
}

fn set_inplace_sub(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    a.difference_update(ts, right)?;
    Ok(left.new_ref())
}

fn set_inplace_xor(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let Some((a, _)) = both(left, right) else { return Ok(not_implemented()) };
    a.symmetric_difference_update(ts, right)?;
    Ok(left.new_ref())
}

fn set_add(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    this(object).add(ts, key)?;
    Ok(ts.none())
}

fn set_clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    this(object).clear(ts);
    Ok(ts.none())
}

fn set_copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).copy(ts)?.into_object())
}

fn frozenset_copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    if this(object).is_exact_frozenset() {
        return Ok(object.new_ref());
    }
    set_copy(ts, object)
}

fn set_discard(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    this(object).discard(ts, key)?;
    Ok(ts.none())
}

fn set_remove(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    if this(object).discard(ts, key)? {
        return Ok(ts.none());
    }
    Err(raise_key_error(ts, key))
}

fn set_pop(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).pop() {
        Some(key) => Ok(key),
        None => raise!(ts, exc::KeyError, "pop from an empty set"),
    }
}

fn set_union(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    let result = this(object).copy(ts)?;
    for other in others {
        if !object.is(other) {
            result.update(ts, other)?;
        }
    }
    Ok(result.into_object())
}

fn set_update(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    for other in others {
        this(object).update(ts, other)?;
    }
    Ok(ts.none())
}

/// What the set has in common with all the others.
fn intersect_all(ts: &ThreadState, set: &PySet, others: &[&PyObject]) -> PyResult<Ref<PySet>> {
    let Some((first, rest)) = others.split_first() else { return set.copy(ts) };
    let mut result = set.intersection(ts, first)?;
    for other in rest {
        result = result.intersection(ts, other)?;
    }
    Ok(result)
}

fn set_intersection(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    Ok(intersect_all(ts, this(object), others)?.into_object())
}

fn set_intersection_update(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    let set = this(object);
    let common = intersect_all(ts, set, others)?;
    set.swap_content(&common);
    Ok(ts.none())
}

fn set_difference(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    let set = this(object);
    let Some((first, rest)) = others.split_first() else { return set_copy(ts, object) };
    let result = set.difference(ts, first)?;
    for other in rest {
        result.difference_update(ts, other)?;
    }
    Ok(result.into_object())
}

fn set_difference_update(ts: &ThreadState, object: &PyObject, others: &[&PyObject]) -> PyResult {
    for other in others {
        this(object).difference_update(ts, other)?;
    }
    Ok(ts.none())
}

fn set_symmetric_difference(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    Ok(this(object).symmetric_difference(ts, other)?.into_object())
}

fn set_symmetric_difference_update(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    this(object).symmetric_difference_update(ts, other)?;
    Ok(ts.none())
}

fn set_isdisjoint(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_disjoint(ts, other)?))
}

fn set_issubset(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_subset(ts, other)?))
}

fn set_issuperset(ts: &ThreadState, object: &PyObject, other: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_superset(ts, other)?))
}

fn set_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let keys = protocol::list_of(ts, object)?;
    let arguments = PyTuple::new(ts, &[keys.as_object()])?;
    let state = call_method(ts, object, id!(__getstate__), &[])?;
    Ok(PyTuple::new(ts, &[object.ob_type().as_object(), arguments.as_object(), &state])?.into_object())
}

fn set_sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(PyInt::from_usize(ts, object.ob_type().basicsize() + this(object).table_size())?.into_object())
}
