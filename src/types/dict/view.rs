//! Views of a dict's keys, values and items.

use core::ops::ControlFlow;

use super::PyDict;
use super::iter::{IterKind, PyDictIter};
use crate::id;
use crate::object::call::call_method;
use crate::object::def::{GetSetDef, MethodDef, TypeSpec};
use crate::object::slots::{CompareOp, TypeSlots};
use crate::object::visit::Visitor;
use crate::object::{
    AsObject, Native, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, alloc, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::mappingproxy::PyMappingProxy;
use crate::types::notimplemented::not_implemented;
use crate::types::set::PySet;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// What a view shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewKind {
    /// `dict_keys`.
    Keys,
    /// `dict_values`.
    Values,
    /// `dict_items`.
    Items,
}

/// A view; its type says of what.
#[repr(C)]
pub struct PyDictView {
    ob_base: PyObject,
    dict: Slot<PyDict>,
}

// SAFETY: the struct is `repr(C)` and begins with the header; the three types and their subtypes (of
// which `collections` makes some) have it as their instances.
unsafe impl Native for PyDictView {
    fn type_object() -> &'static PyTypeObject {
        &DICT_KEYS_TYPE
    }
    fn check(object: &PyObject) -> bool {
        kind_of(object).is_some()
    }
}

const SET_SLOTS: TypeSlots = TypeSlots {
    dealloc: Some(view_dealloc),
    traverse: Some(view_traverse),
    repr: Some(view_repr),
    richcompare: Some(view_richcompare),
    nb_subtract: Some(view_subtract),
    nb_and: Some(view_and),
    nb_xor: Some(view_xor),
    nb_or: Some(view_or),
    sq_length: Some(view_length),
    ..TypeSlots::EMPTY
};

const MAPPING: GetSetDef = GetSetDef::get("mapping", view_mapping, "the dictionary that is viewed, read-only");
const IS_DISJOINT: MethodDef = MethodDef::one(
    "isdisjoint",
    view_isdisjoint,
    "isdisjoint($self, object, /)\n--\n\nWhether the view and the iterable have nothing in common.",
);

/// `dict_keys`.
#[unsafe(export_name = "PyDictKeys_Type")]
pub static DICT_KEYS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"dict_keys",
    basicsize: size_of::<PyDictView>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { iter: Some(keys_iter), sq_contains: Some(keys_contains), ..SET_SLOTS },
    methods: &[
        IS_DISJOINT,
        MethodDef::no_args(
            "__reversed__",
            keys_reversed,
            "__reversed__($self, /)\n--\n\nAn iterator over the keys from the last to the first.",
        ),
    ],
    getset: &[MAPPING],
    ..TypeSpec::EMPTY
});

/// `dict_items`.
#[unsafe(export_name = "PyDictItems_Type")]
pub static DICT_ITEMS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"dict_items",
    basicsize: size_of::<PyDictView>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { iter: Some(items_iter), sq_contains: Some(items_contains), ..SET_SLOTS },
    methods: &[
        IS_DISJOINT,
        MethodDef::no_args(
            "__reversed__",
            items_reversed,
            "__reversed__($self, /)\n--\n\nAn iterator over the pairs from the last to the first.",
        ),
    ],
    getset: &[MAPPING],
    ..TypeSpec::EMPTY
});

/// `dict_values`.
#[unsafe(export_name = "PyDictValues_Type")]
pub static DICT_VALUES_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"dict_values",
    basicsize: size_of::<PyDictView>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(view_dealloc),
        traverse: Some(view_traverse),
        repr: Some(view_repr),
        iter: Some(values_iter),
        sq_length: Some(view_length),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args(
        "__reversed__",
        values_reversed,
        "__reversed__($self, /)\n--\n\nAn iterator over the values from the last to the first.",
    )],
    getset: &[MAPPING],
    ..TypeSpec::EMPTY
});

fn kind_of(object: &PyObject) -> Option<ViewKind> {
    let typ = object.ob_type();
    let kinds =
        [(&DICT_KEYS_TYPE, ViewKind::Keys), (&DICT_ITEMS_TYPE, ViewKind::Items), (&DICT_VALUES_TYPE, ViewKind::Values)];
    for (of, kind) in kinds {
        if core::ptr::eq(typ, &**of) {
            return Some(kind);
        }
    }
    kinds.iter().find(|(of, _)| typ.is_subtype(of)).map(|(_, kind)| *kind)
}

/// Whether the object is a view that is like a set.
fn set_view(object: &PyObject) -> Option<&PyDictView> {
    match kind_of(object) {
        Some(ViewKind::Keys | ViewKind::Items) => Some(object.cast()),
        _ => None,
    }
}

fn is_set_or_view(object: &PyObject) -> bool {
    object.is_a::<PySet>() || set_view(object).is_some()
}

impl PyDictView {
    /// A new view of a dict.
    pub fn new(ts: &ThreadState, dict: &PyDict, kind: ViewKind) -> PyResult {
        let typ = match kind {
            ViewKind::Keys => &DICT_KEYS_TYPE,
            ViewKind::Values => &DICT_VALUES_TYPE,
            ViewKind::Items => &DICT_ITEMS_TYPE,
        };
        PyDictView::new_of(ts, dict, typ)
    }

    /// A new view of a dict, of a subtype of the three (`collections.OrderedDict` has some).
    pub fn new_of(ts: &ThreadState, dict: &PyDict, typ: &PyTypeObject) -> PyResult {
        let view = alloc::object::<PyDictView>(ts, typ)?;
        view.dict.set(Some(Ref::from_borrowed(dict)));
        gc::track(ts, &*view);
        Ok(view.into_object())
    }

    /// The dict that is viewed; none only while the view is made or ends.
    pub fn dict(&self) -> Option<Ref<PyDict>> {
        self.dict.get()
    }

    fn len(&self) -> usize {
        // SAFETY: nothing runs while the length is read.
        unsafe { self.dict.borrow() }.map_or(0, PyDict::len)
    }
}

unsafe fn view_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the memory goes last.
    unsafe {
        let view = &*object.cast::<PyDictView>();
        gc::untrack(&*object);
        if let Some(dict) = view.dict.take() {
            dict.release(ts);
        }
        alloc::free(ts, object);
    }
}

fn view_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PyDictView>().dict)
}

fn view_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    if !protocol::repr_enter(ts, object)? {
        return Ok(PyStr::new(ts, "...")?.into_object());
    }
    let text = || -> PyResult<Ref<PyStr>> {
        let items = protocol::list_of(ts, object)?;
        let mut text = StrBuilder::new();
        text.push_str(object.ob_type().full_name())?;
        text.push_str("(")?;
        text.push_repr(ts, items.as_object())?;
        text.push_str(")")?;
        text.finish(ts)
    };
    let text = text();
    protocol::repr_leave(ts, object);
    Ok(text?.into_object())
}

fn view_length(_ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    Ok(object.cast::<PyDictView>().len())
}

fn view_mapping(ts: &ThreadState, object: &PyObject) -> PyResult {
    match object.cast::<PyDictView>().dict() {
        Some(dict) => Ok(PyMappingProxy::new(ts, dict.as_object())?.into_object()),
        None => Ok(ts.none()),
    }
}

fn make_iter(ts: &ThreadState, object: &PyObject, kind: IterKind, reverse: bool) -> PyResult {
    match object.cast::<PyDictView>().dict() {
        Some(dict) => PyDictIter::new(ts, &dict, kind, reverse),
        None => Ok(ts.none()),
    }
}

fn keys_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Keys, false)
}
fn items_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Items, false)
}
fn values_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Values, false)
}
fn keys_reversed(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Keys, true)
}
fn items_reversed(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Items, true)
}
fn values_reversed(ts: &ThreadState, object: &PyObject) -> PyResult {
    make_iter(ts, object, IterKind::Values, true)
}

fn keys_contains(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<bool> {
    match object.cast::<PyDictView>().dict() {
        Some(dict) => dict.contains(ts, key),
        None => Ok(false),
    }
}

fn items_contains(ts: &ThreadState, object: &PyObject, item: &PyObject) -> PyResult<bool> {
    let Some(dict) = object.cast::<PyDictView>().dict() else { return Ok(false) };
    let Some(&[key, value]) = item.downcast::<PyTuple>().map(PyTuple::items) else { return Ok(false) };
    match dict.get(ts, key)? {
        Some(found) => protocol::equal(ts, &found, value),
        None => Ok(false),
    }
}

/// Whether a set-like view has the item.
fn view_contains(ts: &ThreadState, view: &PyObject, item: &PyObject) -> PyResult<bool> {
    match kind_of(view) {
        Some(ViewKind::Keys) => keys_contains(ts, view, item),
        Some(ViewKind::Items) => items_contains(ts, view, item),
        _ => protocol::contains(ts, view, item),
    }
}

fn all_contained(ts: &ThreadState, items: &PyObject, within: &PyObject) -> PyResult<bool> {
    let iterator = protocol::iter(ts, items)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        if !protocol::contains(ts, within, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn view_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !is_set_or_view(right) || set_view(left).is_none() {
        return Ok(not_implemented());
    }
    let (ours, theirs) = (protocol::length(ts, left)?, protocol::length(ts, right)?);
    let result = match op {
        CompareOp::Eq => ours == theirs && all_contained(ts, left, right)?,
        CompareOp::Ne => !(ours == theirs && all_contained(ts, left, right)?),
        CompareOp::Lt => ours < theirs && all_contained(ts, left, right)?,
        CompareOp::Le => ours <= theirs && all_contained(ts, left, right)?,
        CompareOp::Gt => ours > theirs && all_contained(ts, right, left)?,
        CompareOp::Ge => ours >= theirs && all_contained(ts, right, left)?,
    };
    Ok(py_bool(result))
}

/// A new set with the items of an operand.
fn to_set(ts: &ThreadState, operand: &PyObject) -> PyResult<Ref<PySet>> {
    let set = PySet::new(ts)?;
    if kind_of(operand) == Some(ViewKind::Keys)
        && let Some(dict) = operand.cast::<PyDictView>().dict()
        && dict.is_exact()
    {
        set.update(ts, dict.as_object())?;
    } else {
        set.update(ts, operand)?;
    }
    Ok(set)
}

fn view_subtract(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let set = to_set(ts, left)?;
    set.difference_update(ts, right)?;
    Ok(set.into_object())
}

fn view_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let set = to_set(ts, left)?;
    set.update(ts, right)?;
    Ok(set.into_object())
}

fn view_and(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    // At least one is a view: begin with that one.
    let (mut view, mut other) = if set_view(left).is_some() { (left, right) } else { (right, left) };
    let length = view.cast::<PyDictView>().len();
    if let Some(set) = other.downcast::<PySet>()
        && set.is_exact()
        && !set.is_exact_frozenset()
        && length <= set.len()
    {
        return call_method(ts, other, id!(intersection), &[view]);
    }
    if set_view(other).is_some_and(|v| v.len() > length) {
        (view, other) = (other, view);
    }
    let result = PySet::new(ts)?;
    let iterator = protocol::iter(ts, other)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        if view_contains(ts, view, &item)? {
            result.add(ts, &item)?;
        }
    }
    Ok(result.into_object())
}

fn view_xor(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    if kind_of(left) == Some(ViewKind::Items) && kind_of(right) == Some(ViewKind::Items) {
        return items_xor(ts, left.cast(), right.cast());
    }
    let set = to_set(ts, left)?;
    set.symmetric_difference_update(ts, right)?;
    Ok(set.into_object())
}

/// The pairs that only one of two dicts has. Only those are hashed: equal values need not be hashable.
fn items_xor(ts: &ThreadState, left: &PyDictView, right: &PyDictView) -> PyResult {
    let result = PySet::new(ts)?;
    let (Some(a), Some(b)) = (left.dict(), right.dict()) else { return Ok(result.into_object()) };
    for (ours, theirs) in [(&a, &b), (&b, &a)] {
        let mut position = 0;
        while let Some((key, value, hash)) = ours.next_with_hash(&mut position) {
            if let Some(other) = theirs.get_known_hash(ts, &key, hash)?
                && protocol::equal(ts, &value, &other)?
            {
                continue;
            }
            let pair = PyTuple::pair(ts, &key, &value)?;
            result.add(ts, pair.as_object())?;
        }
    }
    Ok(result.into_object())
}

fn view_isdisjoint(ts: &ThreadState, this: &PyObject, other: &PyObject) -> PyResult {
    let length = this.cast::<PyDictView>().len();
    if this.is(other) {
        return Ok(py_bool(length == 0));
    }
    let (mut view, mut items) = (this, other);
    // The shorter one is walked through, if asking the other one is cheap.
    let cheap = other.downcast::<PySet>().is_some_and(PySet::is_exact) || set_view(other).is_some();
    if cheap && protocol::length(ts, other)? > length {
        (view, items) = (other, this);
    }
    let iterator = protocol::iter(ts, items)?;
    while let Some(item) = protocol::next(ts, &iterator)? {
        if protocol::contains(ts, view, &item)? {
            return Ok(py_bool(false));
        }
    }
    Ok(py_bool(true))
}
