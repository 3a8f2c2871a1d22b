//! What Python sees of `dict`.

use core::ops::ControlFlow;

use super::iter::{IterKind, PyDictIter};
use super::view::{PyDictView, ViewKind};
use super::{DictKeys, PyDict, raise_key_error};
use crate::object::call::{Args, call0, check_count};
use crate::object::def::{MethodDef, TypeSpec};
use crate::object::slots::{CompareOp, TypeSlots};
use crate::object::visit::Visitor;
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, StaticType, alloc, flags, gc, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::genericalias::class_getitem;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::set::PySet;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// `dict`.
#[unsafe(export_name = "PyDict_Type")]
pub static DICT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"dict",
    basicsize: size_of::<PyDict>(),
    flags: flags::BASETYPE | flags::HAVE_GC | flags::DICT_SUBCLASS | flags::MAPPING | flags::MATCH_SELF,
    doc: "dict() -> new empty dictionary\n\
          dict(mapping) -> new dictionary with the keys and values of a mapping\n\
          dict(iterable) -> new dictionary from an iterable of (key, value) pairs\n\
          dict(**kwargs) -> new dictionary with the keyword arguments' names and values",
    slots: TypeSlots {
        dealloc: Some(dict_dealloc),
        traverse: Some(dict_traverse),
        clear: Some(dict_tp_clear),
        repr: Some(dict_repr),
        richcompare: Some(dict_richcompare),
        iter: Some(dict_iter),
        init: Some(dict_init),
        new: Some(dict_new),
        nb_or: Some(dict_or),
        nb_inplace_or: Some(dict_inplace_or),
        sq_contains: Some(dict_contains),
        mp_length: Some(dict_length),
        mp_subscript: Some(dict_subscript),
        mp_ass_subscript: Some(dict_ass_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "__contains__",
            dict_dunder_contains,
            "__contains__($self, key, /)\n--\n\nWhether the dictionary has the key.",
        )
        .coexist(),
        MethodDef::one("__getitem__", dict_subscript, "__getitem__($self, key, /)\n--\n\nReturn self[key].").coexist(),
        MethodDef::no_args("__sizeof__", dict_sizeof, "__sizeof__($self, /)\n--\n\nThe dictionary's size in bytes."),
        MethodDef::positional(
            "get",
            dict_get,
            "get($self, key, default=None, /)\n--\n\nThe value of the key if it is there, else the default.",
        ),
        MethodDef::positional(
            "setdefault",
            dict_setdefault,
            "setdefault($self, key, default=None, /)\n--\n\nThe value of the key, which is added with the default when it is not there.",
        ),
        MethodDef::positional(
            "pop",
            dict_pop,
            "pop($self, key, default=<unrepresentable>, /)\n--\n\nRemove the key and return its value.\n\n\
             When it is not there, return the default if one is given; otherwise raise KeyError.",
        ),
        MethodDef::no_args(
            "popitem",
            dict_popitem,
            "popitem($self, /)\n--\n\nRemove the pair that was added last and return it as a 2-tuple.\n\n\
             Raises KeyError if the dict is empty.",
        ),
        MethodDef::no_args("keys", dict_keys, "keys($self, /)\n--\n\nA set-like view of the keys."),
        MethodDef::no_args("items", dict_items, "items($self, /)\n--\n\nA set-like view of the (key, value) pairs."),
        MethodDef::no_args("values", dict_values, "values($self, /)\n--\n\nA view of the values."),
        MethodDef::keywords(
            "update",
            dict_update,
            "D.update([E, ]**F) -> None.  Update D from mapping or iterable of pairs E, then from the keywords F.",
        ),
        MethodDef::positional(
            "fromkeys",
            dict_fromkeys,
            "fromkeys($type, iterable, value=None, /)\n--\n\nA new dictionary with keys from the iterable, all with the value.",
        )
        .class(),
        MethodDef::no_args("clear", dict_clear, "clear($self, /)\n--\n\nRemove all entries."),
        MethodDef::no_args("copy", dict_copy, "copy($self, /)\n--\n\nA shallow copy."),
        MethodDef::no_args(
            "__reversed__",
            dict_reversed,
            "__reversed__($self, /)\n--\n\nAn iterator over the keys from the last to the first.",
        ),
        MethodDef::one(
            "__class_getitem__",
            class_getitem,
            "__class_getitem__($type, object, /)\n--\n\nSee PEP 585",
        )
        .class(),
    ],
    ..TypeSpec::EMPTY
});

/// Whether the object's type iterates as `dict` does, so that its table tells the truth.
#[inline]
pub(super) fn iterates_as_dict(object: &PyObject) -> bool {
    object.ob_type().slots().iter.is_some_and(|slot| slot as usize == dict_iter as *const () as usize)
}

unsafe fn dict_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; its table is given up once, and the memory last.
    unsafe {
        let dict = &*object.cast::<PyDict>();
        gc::untrack(dict.as_object());
        debug_assert!(dict.inline_values().is_null(), "D2: an object lets its dict go only after detaching it");
        DictKeys::decref(ts, dict.ma_keys.get());
        alloc::free(ts, object);
    }
}

fn dict_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: only dicts have the slot.
    unsafe { object.cast_unchecked::<PyDict>() }.traverse(visitor)
}

fn dict_tp_clear(ts: &ThreadState, object: &PyObject) {
    object.cast::<PyDict>().clear(ts);
}

fn dict_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    Ok(PyDict::new_instance(ts, typ)?.into_object())
}

fn dict_init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    update_from_args(ts, this.cast(), args, "dict")
}

fn update_from_args(ts: &ThreadState, dict: &PyDict, args: Args<'_>, name: &str) -> PyResult<()> {
    check_count(ts, name, args.len(), 0, 1)?;
    if let Some(other) = args.positional().first() {
        dict.update(ts, other)?;
    }
    for (key, value) in args.keywords() {
        dict.set_str(ts, key, value)?;
    }
    Ok(())
}

fn dict_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let dict = this.cast::<PyDict>();
    if dict.is_empty() {
        return Ok(PyStr::new(ts, "{}")?.into_object());
    }
    if !protocol::repr_enter(ts, this)? {
        return Ok(PyStr::new(ts, "{...}")?.into_object());
    }
    let text = repr_entries(ts, dict);
    protocol::repr_leave(ts, this);
    Ok(text?.into_object())
}

fn repr_entries(ts: &ThreadState, dict: &PyDict) -> PyResult<Ref<PyStr>> {
    let mut text = StrBuilder::new();
    text.push_str("{")?;
    let mut position = 0;
    let mut first = true;
    while let Some((key, value)) = dict.next(&mut position) {
        if !first {
            text.push_str(", ")?;
        }
        first = false;
        text.push_repr(ts, &key)?;
        text.push_str(": ")?;
        text.push_repr(ts, &value)?;
    }
    text.push_str("}")?;
    text.finish(ts)
}

impl PyDict {
    /// Whether both have the same keys with equal values.
    pub fn equals(&self, ts: &ThreadState, other: &PyDict) -> PyResult<bool> {
        if self.len() != other.len() {
            return Ok(false);
        }
        let mut position = 0;
        while let Some((key, value, hash)) = self.next_with_hash(&mut position) {
            match other.get_known_hash(ts, &key, hash)? {
                Some(theirs) if protocol::equal(ts, &value, &theirs)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

fn dict_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyDict>(), right.downcast::<PyDict>()) else {
        return Ok(not_implemented());
    };
    match op {
        CompareOp::Eq => Ok(py_bool(a.equals(ts, b)?)),
        CompareOp::Ne => Ok(py_bool(!a.equals(ts, b)?)),
        _ => Ok(not_implemented()),
    }
}

pub(super) fn dict_iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyDictIter::new(ts, this.cast(), IterKind::Keys, false)
}

fn dict_reversed(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyDictIter::new(ts, this.cast(), IterKind::Keys, true)
}

fn dict_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let (Some(a), Some(_)) = (left.downcast::<PyDict>(), right.downcast::<PyDict>()) else {
        return Ok(not_implemented());
    };
    let merged = a.copy_by_protocol(ts)?;
    merged.update(ts, right)?;
    Ok(merged.into_object())
}

fn dict_inplace_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    left.cast::<PyDict>().update(ts, right)?;
    Ok(left.new_ref())
}

fn dict_contains(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult<bool> {
    this.cast::<PyDict>().contains(ts, key)
}

fn dict_dunder_contains(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    Ok(py_bool(this.cast::<PyDict>().contains(ts, key)?))
}

fn dict_length(_ts: &ThreadState, this: &PyObject) -> PyResult<usize> {
    Ok(this.cast::<PyDict>().len())
}

fn dict_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    let dict = this.cast::<PyDict>();
    match dict.get(ts, key)? {
        Some(value) => Ok(value),
        None => missing(ts, dict, key),
    }
}

#[cold]
fn missing(ts: &ThreadState, dict: &PyDict, key: &PyObject) -> PyResult {
    if !dict.is_exact()
        && let Some(value) = crate::object::call::call_special(ts, dict.as_object(), id!(__missing__), &[key])?
    {
        return Ok(value);
    }
    Err(raise_key_error(ts, key))
}

fn dict_ass_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let dict = this.cast::<PyDict>();
    match value {
        Some(value) => dict.set(ts, key, value),
        None => match dict.remove(ts, key)? {
            Some(_) => Ok(()),
            None => Err(raise_key_error(ts, key)),
        },
    }
}

fn dict_sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let dict = this.cast::<PyDict>();
    let size = this.ob_type().basicsize() + dict.table_size();
    Ok(PyInt::from_usize(ts, size)?.into_object())
}

fn dict_get(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "get", args.len(), 1, 2)?;
    match this.cast::<PyDict>().get(ts, args[0])? {
        Some(value) => Ok(value),
        None => Ok(args.get(1).map_or_else(|| ts.none(), |default| default.new_ref())),
    }
}

fn dict_setdefault(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "setdefault", args.len(), 1, 2)?;
    let default = args.get(1).copied().unwrap_or(crate::types::none::none());
    this.cast::<PyDict>().setdefault(ts, args[0], default)
}

fn dict_pop(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "pop", args.len(), 1, 2)?;
    let dict = this.cast::<PyDict>();
    // An empty dict does not ask for the key's hash.
    let found = if dict.is_empty() { None } else { dict.remove(ts, args[0])? };
    match (found, args.get(1)) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(raise_key_error(ts, args[0])),
    }
}

fn dict_popitem(ts: &ThreadState, this: &PyObject) -> PyResult {
    match this.cast::<PyDict>().pop_last(ts)? {
        Some((key, value)) => Ok(PyTuple::pair(ts, &key, &value)?.into_object()),
        None => raise!(ts, exc::KeyError, "popitem(): dictionary is empty"),
    }
}

fn dict_keys(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyDictView::new(ts, this.cast(), ViewKind::Keys)
}

fn dict_items(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyDictView::new(ts, this.cast(), ViewKind::Items)
}

fn dict_values(ts: &ThreadState, this: &PyObject) -> PyResult {
    PyDictView::new(ts, this.cast(), ViewKind::Values)
}

fn dict_update(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    update_from_args(ts, this.cast(), args, "update")?;
    Ok(ts.none())
}

fn dict_fromkeys(ts: &ThreadState, class: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "fromkeys", args.len(), 1, 2)?;
    let value = args.get(1).copied().unwrap_or(crate::types::none::none());
    let iterable = args[0];
    let made = call0(ts, class)?;
    if let Some(dict) = made.downcast_exact::<PyDict>() {
        fill_from_keys(ts, dict, iterable, value)?;
        return Ok(made);
    }
    let iterator = protocol::iter(ts, iterable)?;
    while let Some(key) = protocol::next(ts, &iterator)? {
        protocol::setitem(ts, &made, &key, value)?;
    }
    Ok(made)
}

fn fill_from_keys(ts: &ThreadState, dict: &PyDict, iterable: &PyObject, value: &PyObject) -> PyResult<()> {
    if let Some(other) = iterable.downcast_exact::<PyDict>() {
        dict.reserve(ts, other.len(), other.has_str_keys())?;
        let mut position = 0;
        while let Some((key, _, hash)) = other.next_with_hash(&mut position) {
            dict.insert(ts, &key, hash, value)?;
        }
        return Ok(());
    }
    if let Some(other) = iterable.downcast::<PySet>().filter(|set| set.is_exact()) {
        dict.reserve(ts, other.len(), false)?;
        let mut position = 0;
        while let Some((key, hash)) = other.next_with_hash(&mut position) {
            dict.insert(ts, &key, hash, value)?;
        }
        return Ok(());
    }
    let iterator = protocol::iter(ts, iterable)?;
    while let Some(key) = protocol::next(ts, &iterator)? {
        dict.set(ts, &key, value)?;
    }
    Ok(())
}

fn dict_clear(ts: &ThreadState, this: &PyObject) -> PyResult {
    this.cast::<PyDict>().clear(ts);
    Ok(ts.none())
}

fn dict_copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyDict>().copy_by_protocol(ts)?.into_object())
}

impl PyDict {
    /// A copy that asks a subclass with an iteration of its own for its keys and values (`PyDict_Copy`).
    pub fn copy_by_protocol(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        if self.is_empty() || self.is_exact() || iterates_as_dict(self.as_object()) {
            return self.copy(ts);
        }
        let copy = PyDict::new(ts)?;
        copy.merge(ts, self.as_object(), super::Overlap::Replace)?;
        Ok(copy)
    }
}
