//! The six iterators over dicts: keys, values and items, forwards and backwards.

use core::cell::Cell;
use core::ops::ControlFlow;

use super::PyDict;
use crate::object::def::{MethodDef, TypeSpec};
use crate::object::slots::TypeSlots;
use crate::object::visit::Visitor;
use crate::object::{
    AsObject, Native, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, alloc, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// What an iterator gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IterKind {
    /// The keys.
    Keys,
    /// The values.
    Values,
    /// Pairs of both.
    Items,
}

/// An iterator over a dict; its type says what it gives.
#[repr(C)]
pub struct PyDictIter {
    ob_base: PyObject,
    /// The dict; none at the end.
    dict: Slot<PyDict>,
    /// The dict's size at the start; -1 once it has changed.
    used: Cell<isize>,
    position: Cell<usize>,
    remaining: Cell<usize>,
}

// SAFETY: the struct is `repr(C)` and begins with the header; the six types have it as their instances,
// and no type derives from them.
unsafe impl Native for PyDictIter {
    fn type_object() -> &'static PyTypeObject {
        &DICT_KEY_ITERATOR_TYPE
    }
    fn check(object: &PyObject) -> bool {
        let typ = object.ob_type();
        [
            &DICT_KEY_ITERATOR_TYPE,
            &DICT_VALUE_ITERATOR_TYPE,
            &DICT_ITEM_ITERATOR_TYPE,
            &DICT_REVERSE_KEY_ITERATOR_TYPE,
            &DICT_REVERSE_VALUE_ITERATOR_TYPE,
            &DICT_REVERSE_ITEM_ITERATOR_TYPE,
        ]
        .iter()
        .any(|t| core::ptr::eq(typ, &***t))
    }
}

const METHODS: &[MethodDef] = &[
    MethodDef::no_args("__length_hint__", iter_length_hint, "How many items are left, as an estimate."),
    MethodDef::no_args("__reduce__", iter_reduce, "What pickle needs."),
];

const fn spec(
    name: &'static core::ffi::CStr,
    next: fn(&ThreadState, &PyObject) -> PyResult<Option<PyRef>>,
) -> TypeSpec {
    TypeSpec {
        name,
        basicsize: size_of::<PyDictIter>(),
        flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
        slots: TypeSlots {
            dealloc: Some(iter_dealloc),
            traverse: Some(iter_traverse),
            iter: Some(iter_self),
            iternext: Some(next),
            ..TypeSlots::EMPTY
        },
        methods: METHODS,
        ..TypeSpec::EMPTY
    }
}

/// `dict_keyiterator`.
#[unsafe(export_name = "PyDictIterKey_Type")]
pub static DICT_KEY_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"dict_keyiterator", next_key));
/// `dict_valueiterator`.
#[unsafe(export_name = "PyDictIterValue_Type")]
pub static DICT_VALUE_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"dict_valueiterator", next_value));
/// `dict_itemiterator`.
#[unsafe(export_name = "PyDictIterItem_Type")]
pub static DICT_ITEM_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"dict_itemiterator", next_item));
/// `dict_reversekeyiterator`.
#[unsafe(export_name = "PyDictRevIterKey_Type")]
pub static DICT_REVERSE_KEY_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"dict_reversekeyiterator", previous_key));
/// `dict_reversevalueiterator`.
#[unsafe(export_name = "PyDictRevIterValue_Type")]
pub static DICT_REVERSE_VALUE_ITERATOR_TYPE: StaticType =
    StaticType::new(spec(c"dict_reversevalueiterator", previous_value));
/// `dict_reverseitemiterator`.
#[unsafe(export_name = "PyDictRevIterItem_Type")]
pub static DICT_REVERSE_ITEM_ITERATOR_TYPE: StaticType =
    StaticType::new(spec(c"dict_reverseitemiterator", previous_item));

impl PyDictIter {
    /// A new iterator over a dict.
    pub fn new(ts: &ThreadState, dict: &PyDict, kind: IterKind, reverse: bool) -> PyResult {
        let typ = match (kind, reverse) {
            (IterKind::Keys, false) => &DICT_KEY_ITERATOR_TYPE,
            (IterKind::Values, false) => &DICT_VALUE_ITERATOR_TYPE,
            (IterKind::Items, false) => &DICT_ITEM_ITERATOR_TYPE,
            (IterKind::Keys, true) => &DICT_REVERSE_KEY_ITERATOR_TYPE,
            (IterKind::Values, true) => &DICT_REVERSE_VALUE_ITERATOR_TYPE,
            (IterKind::Items, true) => &DICT_REVERSE_ITEM_ITERATOR_TYPE,
        };
        let iterator = alloc::object::<PyDictIter>(ts, typ)?;
        iterator.dict.set(Some(Ref::from_borrowed(dict)));
        iterator.used.set(dict.len() as isize);
        iterator.position.set(if reverse { dict.reverse_start() } else { 0 });
        iterator.remaining.set(dict.len());
        gc::track(ts, &*iterator);
        Ok(iterator.into_object())
    }

    /// Takes a step over an entry and gives what `choose` makes of it.
    #[inline(always)]
    fn step(
        &self,
        ts: &ThreadState,
        reverse: bool,
        choose: impl FnOnce(&PyObject, &PyObject) -> PyResult,
    ) -> PyResult<Option<PyRef>> {
        // SAFETY: the dict stays in the slot, and nothing runs, until the entry's references are counted.
        let Some(dict) = (unsafe { self.dict.borrow() }) else { return Ok(None) };
        if self.used.get() != dict.len() as isize {
            return self.changed_size(ts);
        }
        let mut position = self.position.get();
        let entry = if reverse {
            // SAFETY: as above.
            unsafe { dict.previous_borrowed(&mut position) }
        } else {
            // SAFETY: as above.
            unsafe { dict.next_borrowed(&mut position) }.map(|(key, value, _)| (key, value))
        };
        let Some((key, value)) = entry else {
            self.dict.set(None);
            return Ok(None);
        };
        if self.remaining.get() == 0 {
            if !reverse {
                return self.changed_keys(ts);
            }
        } else {
            self.remaining.set(self.remaining.get() - 1);
        }
        self.position.set(position);
        choose(key, value).map(Some)
    }

    #[cold]
    fn changed_size(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        // It stays so, whatever the dict's size becomes.
        self.used.set(-1);
        raise!(ts, exc::RuntimeError, "dictionary changed size during iteration")
    }

    #[cold]
    fn changed_keys(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        self.dict.set(None);
        raise!(ts, exc::RuntimeError, "dictionary keys changed during iteration")
    }
}

#[inline(always)]
fn this(object: &PyObject) -> &PyDictIter {
    // SAFETY: the slots and methods are only in the six types, which nothing derives from.
    unsafe { &*core::ptr::from_ref(object).cast::<PyDictIter>() }
}

fn pair(ts: &ThreadState, key: &PyObject, value: &PyObject) -> PyResult {
    Ok(PyTuple::pair(ts, key, value)?.into_object())
}

fn next_key(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, false, |key, _| Ok(key.new_ref()))
}

fn next_value(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, false, |_, value| Ok(value.new_ref()))
}

fn next_item(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, false, |key, value| pair(ts, key, value))
}

fn previous_key(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, true, |key, _| Ok(key.new_ref()))
}

fn previous_value(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, true, |_, value| Ok(value.new_ref()))
}

fn previous_item(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    this(object).step(ts, true, |key, value| pair(ts, key, value))
}

unsafe fn iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the memory goes last.
    unsafe {
        let iterator = &*object.cast::<PyDictIter>();
        gc::untrack(&*object);
        if let Some(dict) = iterator.dict.take() {
            dict.release(ts);
        }
        alloc::free(ts, object);
    }
}

fn iter_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&this(object).dict)
}

fn iter_self(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.new_ref())
}

fn iter_length_hint(ts: &ThreadState, object: &PyObject) -> PyResult {
    let iterator = this(object);
    let left = match iterator.dict.get() {
        Some(dict) if iterator.used.get() == dict.len() as isize => iterator.remaining.get(),
        _ => 0,
    };
    Ok(PyInt::from_usize(ts, left)?.into_object())
}

fn iter_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let iterator = this(object);
    // A copy of the iterator is used up, so that this one stays where it is.
    let copy = alloc::object::<PyDictIter>(ts, object.ob_type())?;
    copy.dict.set(iterator.dict.get());
    copy.used.set(iterator.used.get());
    copy.position.set(iterator.position.get());
    copy.remaining.set(iterator.remaining.get());
    gc::track(ts, &*copy);
    let rest = protocol::list_of(ts, copy.as_object())?;
    reduce_to_iter(ts, rest.as_object())
}

/// `(iter, (rest,))`, the way iterators over containers are pickled.
pub(crate) fn reduce_to_iter(ts: &ThreadState, rest: &PyObject) -> PyResult {
    let builtins = ts.interp().builtins.get();
    let function = match builtins {
        Some(builtins) => builtins.get_str(ts, id!(iter))?,
        None => None,
    };
    let Some(function) = function else {
        return raise!(ts, exc::AttributeError, "iter");
    };
    let arguments = PyTuple::new(ts, &[rest])?;
    Ok(PyTuple::pair(ts, &function, arguments.as_object())?.into_object())
}
