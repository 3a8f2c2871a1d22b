//! What Python sees of `OrderedDict`.

use super::{Pair, PyOrderedDict, iter, this};
use crate::object::{Args, AsObject, CompareOp, PyObject, PyRef, PyResult, Signature, call, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::{DICT_TYPE, PyDict, key_hash, raise_key_error};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::types::notimplemented::not_implemented;
use crate::types::reprguard::ReprGuard;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

pub(super) fn ordered_ass_subscript(
    ts: &ThreadState,
    object: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let od = this(object);
    let hash = key_hash(ts, key)?;
    match value {
        Some(value) => od.set(ts, key, hash, value),
        None => match od.take(ts, key, hash)? {
            Some(_) => Ok(()),
            None => Err(raise_key_error(ts, key)),
        },
    }
}

impl PyOrderedDict {
    /// Takes an entry out; its value, or None when it is not there.
    fn take(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<Option<PyRef>> {
        // The node first: comparing keys for the dict may run code that looks at the order.
        let own_key = match self.find(ts, key, hash)? {
            Some(node) => Some(self.remove_node(ts, node)),
            None => None,
        };
        let value = self.dict.remove_known_hash(ts, own_key.as_deref().unwrap_or(key), hash);
        drop(own_key);
        value
    }

    /// Takes the last or first pair out.
    fn take_end(&self, ts: &ThreadState, last: bool) -> PyResult<Option<Pair>> {
        let Some(node) = self.end(last) else { return Ok(None) };
        let hash = node.hash();
        let key = self.remove_node(ts, node);
        match self.dict.remove_known_hash(ts, &key, hash)? {
            Some(value) => Ok(Some((key, value))),
            None => Err(raise_key_error(ts, &key)),
        }
    }
}

pub(super) fn from_keys(ts: &ThreadState, class: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("fromkeys", ["iterable", "value"], 0, 2, 1);
    let [iterable, value] = SIGNATURE.parse(ts, args)?;
    let value = value.unwrap_or(none());
    let made = call::call0(ts, class)?;
    let iterator = protocol::iter(ts, iterable.unwrap_or(none()))?;
    while let Some(key) = protocol::next(ts, &iterator)? {
        protocol::setitem(ts, &made, &key, value)?;
    }
    Ok(made)
}

pub(super) fn sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    let od = this(object);
    let table = if od.dict.keys().usable() + od.dict.keys().nentries() == 0 { 0 } else { od.dict.keys().byte_size() };
    PyInt::from_usize(ts, object.ob_type().basicsize() + table + od.nodes_size())
}

pub(super) fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = call::call_method(ts, object, id!(__getstate__), &[])?;
    let items = call::call_method(ts, object, id!(items), &[])?;
    let items = protocol::iter(ts, &items)?;
    let given = PyTuple::empty();
    let parts = [object.ob_type().as_object(), given.as_object(), &state, none(), &items];
    Ok(PyTuple::new(ts, &parts)?.into_object())
}

pub(super) fn setdefault(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("setdefault", ["key", "default"], 0, 2, 1);
    let [Some(key), default] = SIGNATURE.parse(ts, args)? else { return Ok(ts.none()) };
    let default = default.unwrap_or(none());
    let od = this(object);
    if od.is_exact() {
        let hash = key_hash(ts, key)?;
        if let Some(value) = od.dict.get_known_hash(ts, key, hash)? {
            return Ok(value);
        }
        od.set(ts, key, hash, default)?;
        return Ok(default.new_ref());
    }
    // A subclass is asked in its own words.
    if protocol::contains(ts, object, key)? {
        return protocol::getitem(ts, object, key);
    }
    protocol::setitem(ts, object, key, default)?;
    Ok(default.new_ref())
}

pub(super) fn pop(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("pop", ["key", "default"], 0, 2, 1);
    let [Some(key), default] = SIGNATURE.parse(ts, args)? else { return Ok(ts.none()) };
    let hash = key_hash(ts, key)?;
    match (this(object).take(ts, key, hash)?, default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(raise_key_error(ts, key)),
    }
}

pub(super) fn popitem(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("popitem", ["last"], 0, 1, 0);
    if args.all().len() > 1 {
        return raise!(ts, exc::TypeError, "popitem() takes at most 1 argument ({} given)", args.all().len());
    }
    let [last] = SIGNATURE.parse(ts, args)?;
    let last = last.map_or(Ok(true), |last| protocol::is_true(ts, last))?;
    match this(object).take_end(ts, last)? {
        Some((key, value)) => Ok(PyTuple::from_array(ts, [key, value])?.into_object()),
        None => raise!(ts, exc::KeyError, "dictionary is empty"),
    }
}

pub(super) fn move_to_end(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("move_to_end", ["key", "last"], 0, 2, 1);
    let [Some(key), last] = SIGNATURE.parse(ts, args)? else { return Ok(ts.none()) };
    let last = last.map_or(Ok(true), |last| protocol::is_true(ts, last))?;
    let od = this(object);
    let hash = key_hash(ts, key)?;
    let Some(node) = od.find(ts, key, hash)? else {
        return Err(raise_key_error(ts, key));
    };
    if od.neighbour(node, last).is_some() {
        od.move_node(node, last);
    }
    Ok(ts.none())
}

pub(super) fn clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    let od = this(object);
    od.dict.clear(ts);
    od.clear_nodes(ts);
    Ok(ts.none())
}

pub(super) fn copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    let od = this(object);
    let copy = call::call0(ts, object.ob_type().as_object())?;
    let mut keys = iter::Walk::new(od, false);
    if od.is_exact()
        && let Some(to) = copy.downcast::<PyOrderedDict>()
    {
        while let Some((key, hash, value)) = keys.next_entry(ts, od)? {
            to.set(ts, &key, hash, &value)?;
        }
        return Ok(copy);
    }
    while let Some((key, _)) = keys.next_key(ts, od)? {
        let value = protocol::getitem(ts, object, &key)?;
        protocol::setitem(ts, &copy, &key, &value)?;
    }
    Ok(copy)
}

pub(super) fn ordered_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let od = this(object);
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().name())?;
    text.push_str("(")?;
    if !od.dict.is_empty() {
        let Some(_guard) = ReprGuard::enter(ts, object)? else {
            return Ok(PyStr::new(ts, "...")?.into_object());
        };
        // As `dict(self)`: through keys(), which has the order.
        let entries = PyDict::new(ts)?;
        entries.merge(ts, object, crate::types::dict::Overlap::Replace)?;
        text.push_repr(ts, entries.as_object())?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

/// Whether both have the same keys in the same order.
fn same_order(ts: &ThreadState, a: &PyOrderedDict, b: &PyOrderedDict) -> PyResult<bool> {
    let (mut ours, mut theirs) = (iter::Walk::new(a, false), iter::Walk::new(b, false));
    loop {
        match (ours.next_key(ts, a)?, theirs.next_key(ts, b)?) {
            (None, None) => return Ok(true),
            (Some((x, _)), Some((y, _))) => {
                if !protocol::equal(ts, &x, &y)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
    }
}

pub(super) fn ordered_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), true) = (left.downcast::<PyOrderedDict>(), right.is_a::<PyDict>()) else {
        return Ok(not_implemented());
    };
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    let Some(compare) = DICT_TYPE.slots().richcompare else { return Ok(not_implemented()) };
    let same_entries = protocol::is_true(ts, &*compare(ts, left, right, CompareOp::Eq)?)?;
    let equal = same_entries
        && match right.downcast::<PyOrderedDict>() {
            Some(b) => same_order(ts, a, b)?,
            None => true,
        };
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}
