//! The iterators and views of `OrderedDict`.

use core::cell::Cell;

use super::nodes::Node;
use super::{PyOrderedDict, this};
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::{
    DICT_ITEMS_TYPE, DICT_KEYS_TYPE, DICT_VALUES_TYPE, IterKind, PyDictView, key_hash, raise_key_error, reduce_to_iter,
};
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A walk along the order, which notices changes (I3).
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// The node that comes next; good as long as the state is the same.
    node: *const Node,
    state: usize,
    size: usize,
    reverse: bool,
}

impl Walk {
    pub(super) fn new(od: &PyOrderedDict, reverse: bool) -> Walk {
        let node = od.end(reverse).map_or(core::ptr::null(), core::ptr::from_ref);
        Walk { node, state: od.state.get(), size: od.dict.len(), reverse }
    }

    /// Steps over a node; the caller makes of it what it needs before anything else runs.
    #[inline(always)]
    fn step<'a>(&mut self, ts: &ThreadState, od: &'a PyOrderedDict) -> PyResult<Option<&'a Node>> {
        if self.node.is_null() {
            return Ok(None);
        }
        if self.state != od.state.get() || self.size != od.dict.len() {
            return self.changed(ts, od);
        }
        // SAFETY: I3: the order is as it was when the node was found.
        let node = unsafe { &*self.node };
        self.node = od.neighbour(node, !self.reverse).map_or(core::ptr::null(), core::ptr::from_ref);
        Ok(Some(node))
    }

    #[cold]
    fn changed<T>(&mut self, ts: &ThreadState, od: &PyOrderedDict) -> PyResult<T> {
        if self.state != od.state.get() {
            return raise!(ts, exc::RuntimeError, "OrderedDict mutated during iteration");
        }
        // It stays so, whatever the size becomes.
        self.size = usize::MAX;
        raise!(ts, exc::RuntimeError, "OrderedDict changed size during iteration")
    }

    /// The next key with its hash.
    pub(super) fn next_key(&mut self, ts: &ThreadState, od: &PyOrderedDict) -> PyResult<Option<(PyRef, isize)>> {
        let Some(node) = self.step(ts, od)? else { return Ok(None) };
        let (key, hash) = (node.key().new_ref(), node.hash());
        // The dict may have lost it past us (I4).
        if !od.has_entry(node) && !od.dict.contains_known_hash(ts, &key, hash)? {
            return Err(raise_key_error(ts, &key));
        }
        Ok(Some((key, hash)))
    }

    /// The next key with its hash and value.
    pub(super) fn next_entry(
        &mut self,
        ts: &ThreadState,
        od: &PyOrderedDict,
    ) -> PyResult<Option<(PyRef, isize, PyRef)>> {
        let Some(node) = self.step(ts, od)? else { return Ok(None) };
        let (key, hash) = (node.key().new_ref(), node.hash());
        let found = if key.downcast_exact::<PyStr>().is_some() {
            od.value_of(ts, node)?.map(|value| (hash, value))
        } else {
            // A key is looked up as whoever holds it would: one with another hash by now is not found. Its code may do
            // away with the node.
            let hash = key_hash(ts, &key)?;
            od.dict.get_known_hash(ts, &key, hash)?.map(|value| (hash, value))
        };
        match found {
            Some((hash, value)) => Ok(Some((key, hash, value))),
            None => Err(raise_key_error(ts, &key)),
        }
    }
}

/// An iterator over keys, values or pairs.
#[repr(C)]
pub(super) struct PyOrderedIter {
    ob_base: PyObject,
    /// None at the end.
    od: Slot<PyOrderedDict>,
    walk: Cell<Walk>,
    kind: Cell<IterKind>,
}

crate::native!(PyOrderedIter, ORDERED_ITERATOR_TYPE);
owns!(PyOrderedIter: od);

/// `odict_iterator`.
#[unsafe(export_name = "PyODictIter_Type")]
pub(super) static ORDERED_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"odict_iterator",
    basicsize: size_of::<PyOrderedIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyOrderedIter::slot_dealloc),
        traverse: Some(PyOrderedIter::slot_traverse),
        clear: Some(PyOrderedIter::slot_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(next),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", reduce, "Return state information for pickling")],
    ..TypeSpec::EMPTY
});

fn make(ts: &ThreadState, od: &PyOrderedDict, walk: Walk, kind: IterKind) -> PyResult {
    let iterator = alloc::exact::<PyOrderedIter>(ts)?;
    iterator.walk.set(walk);
    iterator.kind.set(kind);
    iterator.od.set(Some(Ref::from_borrowed(od)));
    gc::track(ts, &*iterator);
    Ok(iterator.into_object())
}

fn next(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let iterator = object.cast::<PyOrderedIter>();
    let Some(od) = iterator.od.get() else { return Ok(None) };
    let mut walk = iterator.walk.get();
    let found = match iterator.kind.get() {
        IterKind::Keys => walk.next_key(ts, &od).map(|found| found.map(|(key, _)| (key, None))),
        _ => walk.next_entry(ts, &od).map(|found| found.map(|(key, _, value)| (key, Some(value)))),
    };
    iterator.walk.set(walk);
    match found? {
        None => {
            iterator.od.set(None);
            Ok(None)
        }
        Some((key, None)) => Ok(Some(key)),
        Some((_, Some(value))) if iterator.kind.get() == IterKind::Values => Ok(Some(value)),
        Some((key, Some(value))) => Ok(Some(PyTuple::from_array(ts, [key, value])?.into_object())),
    }
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let iterator = object.cast::<PyOrderedIter>();
    // A copy is used up, so that the iterator itself stays where it is.
    let copy = match iterator.od.get() {
        Some(od) => make(ts, &od, iterator.walk.get(), iterator.kind.get())?,
        None => PyTuple::empty().into_object(),
    };
    let rest = protocol::list_of(ts, &copy)?;
    reduce_to_iter(ts, rest.as_object())
}

pub(super) fn ordered_iter(ts: &ThreadState, od: &PyObject) -> PyResult {
    make(ts, this(od), Walk::new(this(od), false), IterKind::Keys)
}

pub(super) fn ordered_reversed(ts: &ThreadState, od: &PyObject) -> PyResult {
    make(ts, this(od), Walk::new(this(od), true), IterKind::Keys)
}

/// Declares a view: a subtype of dict's, with iterators that know the order.
macro_rules! view {
    ($static:ident, $export:literal, $name:literal, $base:ident, $kind:ident, $iter:ident, $reversed:ident) => {
        #[doc = concat!("`", stringify!($name), "`.")]
        #[unsafe(export_name = $export)]
        pub(super) static $static: StaticType = StaticType::new(TypeSpec {
            name: $name,
            basicsize: size_of::<PyDictView>(),
            flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
            base: Some(&$base),
            slots: TypeSlots { iter: Some($iter), ..TypeSlots::EMPTY },
            methods: &[MethodDef::no_args("__reversed__", $reversed, "An iterator from the end.")],
            ..TypeSpec::EMPTY
        });

        fn $iter(ts: &ThreadState, view: &PyObject) -> PyResult {
            iterate(ts, view, IterKind::$kind, false)
        }

        fn $reversed(ts: &ThreadState, view: &PyObject) -> PyResult {
            iterate(ts, view, IterKind::$kind, true)
        }
    };
}

view!(ORDERED_KEYS_TYPE, "PyODictKeys_Type", c"odict_keys", DICT_KEYS_TYPE, Keys, keys_iter, keys_reversed);
view!(ORDERED_ITEMS_TYPE, "PyODictItems_Type", c"odict_items", DICT_ITEMS_TYPE, Items, items_iter, items_reversed);
view!(
    ORDERED_VALUES_TYPE,
    "PyODictValues_Type",
    c"odict_values",
    DICT_VALUES_TYPE,
    Values,
    values_iter,
    values_reversed
);

fn iterate(ts: &ThreadState, view: &PyObject, kind: IterKind, reverse: bool) -> PyResult {
    let Some(dict) = view.cast::<PyDictView>().dict() else { return Ok(ts.none()) };
    let od = this(dict.as_object());
    make(ts, od, Walk::new(od, reverse), kind)
}

pub(super) fn keys(ts: &ThreadState, od: &PyObject) -> PyResult {
    PyDictView::new_of(ts, &this(od).dict, &ORDERED_KEYS_TYPE)
}

pub(super) fn items(ts: &ThreadState, od: &PyObject) -> PyResult {
    PyDictView::new_of(ts, &this(od).dict, &ORDERED_ITEMS_TYPE)
}

pub(super) fn values(ts: &ThreadState, od: &PyObject) -> PyResult {
    PyDictView::new_of(ts, &this(od).dict, &ORDERED_VALUES_TYPE)
}
