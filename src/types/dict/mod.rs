//! `dict`: compact, ordered, with tables specialised for strings and tables shared by a class.
//!
//! ```text
//!  combined                                    split: the `__dict__` of an instance with inline values
//!  ┌────────┐      ┌──────────────────────┐    ┌────────┐      ┌───────────────┐ ◄── the class, and the
//!  │ PyDict │─────►│ DictKeys             │    │ PyDict │─────►│ DictKeys Split│     dicts of its instances
//!  │ values=0      │ index, keys + values │    │ values ├──┐   │ index, keys   │
//!  └────────┘      └──────────────────────┘    └────────┘  │   └───────────────┘
//!                                                          └──► inline values inside the instance
//! ```
//!
//! - `keys.rs`: the block of keys; `table.rs`: look-up, insertion, removal, growth;
//! - `update.rs`: merging; `methods.rs`: what Python sees; `view.rs`, `iter.rs`: keys, values, items.
//!
//! D1: `ma_used` is the number of values that are there.
//! D2: a dict with `ma_values` is the materialized `__dict__` of a live object whose inline block is
//!     valid; when either ends or the keys diverge, the values move into a table of the dict's own.
//! D3: nothing here holds on to the table across code that can run Python: after a comparison the
//!     look-up checks that the table is still the same, or begins again.
//! D4: the version of the keys (see [`keys_version`](PyDict::keys_version)) changes whenever a key is added or
//!     removed. Replacing a value keeps it, and keeps the index of its entry.

mod iter;
pub(crate) mod keys;
mod methods;
mod table;
mod update;
mod view;

use core::cell::Cell;

use crate::object::instance::InlineValues;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, StaticType, alloc, gc};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

pub(crate) use iter::reduce_to_iter;
pub use iter::{DICT_ITEM_ITERATOR_TYPE, DICT_KEY_ITERATOR_TYPE, DICT_REVERSE_ITEM_ITERATOR_TYPE};
pub use iter::{DICT_REVERSE_KEY_ITERATOR_TYPE, DICT_REVERSE_VALUE_ITERATOR_TYPE, DICT_VALUE_ITERATOR_TYPE};
pub use iter::{IterKind, PyDictIter};
pub use keys::{DictKeys, KeysKind};
pub use methods::DICT_TYPE;
pub(crate) use table::equal_ints;
// Generic containers find their `__class_getitem__` beside the container that they resemble.
pub use update::{MergeFailure, Overlap};
pub use view::{DICT_ITEMS_TYPE, DICT_KEYS_TYPE, DICT_VALUES_TYPE, PyDictView, ViewKind};

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[
    &DICT_TYPE,
    &DICT_KEYS_TYPE,
    &DICT_VALUES_TYPE,
    &DICT_ITEMS_TYPE,
    &DICT_KEY_ITERATOR_TYPE,
    &DICT_VALUE_ITERATOR_TYPE,
    &DICT_ITEM_ITERATOR_TYPE,
    &DICT_REVERSE_KEY_ITERATOR_TYPE,
    &DICT_REVERSE_VALUE_ITERATOR_TYPE,
    &DICT_REVERSE_ITEM_ITERATOR_TYPE,
];

/// A dict; the layout is CPython's.
#[repr(C)]
pub struct PyDict {
    ob_base: PyObject,
    ma_used: Cell<isize>,
    /// Watchers and the like of C code.
    ma_watcher_tag: Cell<u64>,
    ma_keys: Cell<*mut DictKeys>,
    ma_values: Cell<*mut InlineValues>,
}
crate::native!(PyDict, DICT_TYPE, DICT_SUBCLASS);

/// The hash of a key; raises "cannot use … as a dict key" when it has none.
#[inline(always)]
pub fn key_hash(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    match key.downcast_exact::<PyStr>() {
        Some(string) => Ok(string.hash_value()),
        None => hash_other(ts, key),
    }
}

#[inline(never)]
fn hash_other(ts: &ThreadState, key: &PyObject) -> PyResult<isize> {
    crate::object::protocol::hash(ts, key).map_err(|raised| unhashable(ts, key, raised, "a dict key"))
}

/// Says which use of an object needed its hash, when the failure is a plain TypeError.
#[cold]
pub(crate) fn unhashable(ts: &ThreadState, key: &PyObject, raised: Raised, role: &str) -> Raised {
    let error = ts.take_raised(raised);
    if !core::ptr::eq(error.ob_type(), &*exc::TypeError) {
        return ts.restore_raised(error);
    }
    let told = || -> PyResult<core::convert::Infallible> {
        let text = crate::object::protocol::str(ts, &error)?;
        let name = qualified_type_name(ts, key)?;
        raise!(ts, exc::TypeError, "cannot use '{name}' as {role} ({text})")
    };
    match told() {
        Err(raised) => raised,
        Ok(never) => match never {},
    }
}

/// `module.qualname` of an object's type, without the module for built-ins (`%T` of C's formats).
pub(crate) fn qualified_type_name(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    let typ = object.ob_type();
    let Some(heap_type) = typ.as_heap_type() else {
        return PyStr::new(ts, typ.full_name());
    };
    let Some(qualname) = heap_type.ht_qualname.get() else {
        return PyStr::new(ts, typ.full_name());
    };
    let module = match typ.dict(ts) {
        Some(dict) => dict.get_str(ts, crate::id!(__module__))?,
        None => None,
    };
    match module.and_then(|module| module.downcast_into::<PyStr>().ok()) {
        Some(module) if !module.equals_str("builtins") => {
            PyStr::format(ts, format_args!("{}.{}", &*module, &*qualname))
        }
        _ => Ok(qualname),
    }
}

/// Raises `KeyError(key)`.
#[cold]
pub fn raise_key_error(ts: &ThreadState, key: &PyObject) -> Raised {
    match PyTuple::new(ts, &[key]) {
        // A tuple is spread over the exception's arguments, so the key goes into one.
        Ok(arguments) => ts.raise_with(&exc::KeyError, arguments.as_object()),
        Err(raised) => raised,
    }
}

impl PyDict {
    /// A new, empty dict.
    #[inline]
    pub fn new(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        let dict = PyDict::untracked(ts)?;
        gc::track(ts, &*dict);
        Ok(dict)
    }

    #[inline(always)]
    fn untracked(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        let dict = alloc::exact::<PyDict>(ts)?;
        dict.ma_keys.set(keys::empty_keys());
        Ok(dict)
    }

    /// A new dict that takes `entries` entries, of string keys if so many keys are strings, without growing.
    pub fn with_capacity(ts: &ThreadState, entries: usize, strings: bool) -> PyResult<Ref<PyDict>> {
        let dict = PyDict::new(ts)?;
        if entries > keys::usable_fraction(keys::MIN_LOG2_SIZE) {
            let kind = if strings { KeysKind::Str } else { KeysKind::General };
            dict.ma_keys.set(DictKeys::new(ts, keys::log2_for_entries(entries), kind)?);
        }
        Ok(dict)
    }

    /// An empty instance of a subtype (`dict.__new__`).
    fn new_instance(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PyDict>> {
        let dict = alloc::object::<PyDict>(ts, typ)?;
        dict.ma_keys.set(keys::empty_keys());
        if !gc::is_tracked(dict.as_object()) {
            gc::track(ts, &*dict);
        }
        Ok(dict)
    }

    /// The materialized `__dict__` of an object with valid inline values (D2).
    ///
    /// # Safety
    /// `keys` are the shared keys that `values` belongs to, and the object that owns the block holds the dict.
    pub(crate) unsafe fn of_inline_values(
        ts: &ThreadState,
        keys: *mut DictKeys,
        values: *mut InlineValues,
    ) -> PyResult<Ref<PyDict>> {
        let dict = PyDict::untracked(ts)?;
        // SAFETY: as the caller says.
        unsafe {
            (*keys).incref();
            dict.ma_used.set((*values).size() as isize);
        }
        dict.ma_keys.set(keys);
        dict.ma_values.set(values);
        gc::track(ts, &*dict);
        Ok(dict)
    }

    /// The number of entries.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ma_used.get() as usize
    }

    /// Whether there is no entry.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.ma_used.get() == 0
    }

    /// Whether the type is exactly `dict`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        core::ptr::eq(self.ob_base.ob_type(), &*DICT_TYPE)
    }

    /// Whether every key is an exact string, so that look-ups of exact strings run no Python code.
    #[inline(always)]
    pub fn has_str_keys(&self) -> bool {
        self.keys().kind() != KeysKind::General
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, ts: &ThreadState, key: &PyObject) -> PyResult<Option<PyRef>> {
        let hash = key_hash(ts, key)?;
        self.get_known_hash(ts, key, hash)
    }

    /// The value of a key whose hash is known.
    #[inline]
    pub fn get_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<Option<PyRef>> {
        let index = self.lookup(ts, key, hash)?;
        // SAFETY: the look-up's index is good until something else happens.
        Ok(unsafe { self.value_of_index(index) }.map(AsObject::new_ref))
    }

    /// The value of a string. Runs no Python code when the keys are exact strings, as `key` is.
    #[inline]
    pub fn get_str(&self, ts: &ThreadState, key: &PyStr) -> PyResult<Option<PyRef>> {
        if self.has_str_keys() && is_exact_str(key) {
            // SAFETY: the reference is counted before anything else happens.
            return Ok(unsafe { self.lookup_str(key) }.map(AsObject::new_ref));
        }
        self.get(ts, key.as_object())
    }

    /// The value of an exact string in a dict for which [`has_str_keys`](PyDict::has_str_keys) holds; finds nothing in
    /// others. Runs no Python code.
    ///
    /// # Safety
    /// The dict is not changed, and no Python code runs, while the result is used.
    #[inline]
    pub unsafe fn lookup_str(&self, key: &PyStr) -> Option<&PyObject> {
        let keys = self.keys();
        if keys.kind() == KeysKind::General {
            return None;
        }
        let index = keys.lookup_str(key, key.hash_value());
        // SAFETY: the index comes from the present table.
        unsafe { self.value_of_index(index) }
    }

    /// Whether the key is there.
    #[inline]
    pub fn contains(&self, ts: &ThreadState, key: &PyObject) -> PyResult<bool> {
        let hash = key_hash(ts, key)?;
        self.contains_known_hash(ts, key, hash)
    }

    /// Whether the key, whose hash is known, is there.
    #[inline]
    pub fn contains_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<bool> {
        let index = self.lookup(ts, key, hash)?;
        // SAFETY: the look-up's index is good until something else happens.
        Ok(unsafe { self.value_of_index(index) }.is_some())
    }

    /// Whether the string is there.
    #[inline]
    pub fn contains_str(&self, ts: &ThreadState, key: &PyStr) -> PyResult<bool> {
        self.contains(ts, key.as_object())
    }

    /// Adds an entry, or replaces its value.
    #[inline]
    pub fn set(&self, ts: &ThreadState, key: &PyObject, value: &PyObject) -> PyResult<()> {
        let hash = key_hash(ts, key)?;
        self.insert(ts, key, hash, value)
    }

    /// Adds an entry whose hash is known, or replaces its value.
    #[inline]
    pub fn set_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize, value: &PyObject) -> PyResult<()> {
        self.insert(ts, key, hash, value)
    }

    /// Adds the entry of a string, or replaces its value.
    #[inline]
    pub fn set_str(&self, ts: &ThreadState, key: &PyStr, value: &PyObject) -> PyResult<()> {
        self.set(ts, key.as_object(), value)
    }

    /// Removes an entry; its value, or `None` when it was not there.
    #[inline]
    pub fn remove(&self, ts: &ThreadState, key: &PyObject) -> PyResult<Option<PyRef>> {
        let hash = key_hash(ts, key)?;
        self.remove_known_hash(ts, key, hash)
    }

    /// Removes the entry of a string.
    #[inline]
    pub fn remove_str(&self, ts: &ThreadState, key: &PyStr) -> PyResult<Option<PyRef>> {
        self.remove(ts, key.as_object())
    }

    /// Removes an entry whose hash is known.
    pub fn remove_known_hash(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<Option<PyRef>> {
        let index = self.lookup(ts, key, hash)?;
        if index < 0 {
            return Ok(None);
        }
        // SAFETY: the look-up's index is good until something else happens.
        Ok(unsafe { self.take_index(ts, index as usize, hash) })
    }

    /// The value of a key, which is added with `default` first when it is not there.
    pub fn setdefault(&self, ts: &ThreadState, key: &PyObject, default: &PyObject) -> PyResult {
        self.setdefault_ref(ts, key, default).map(|(value, _)| value)
    }

    /// As [`setdefault`](PyDict::setdefault), and whether the key was there before.
    pub fn setdefault_ref(&self, ts: &ThreadState, key: &PyObject, default: &PyObject) -> PyResult<(PyRef, bool)> {
        let hash = key_hash(ts, key)?;
        let index = self.lookup(ts, key, hash)?;
        // SAFETY: the look-up's index is good until something else happens.
        if let Some(value) = unsafe { self.value_of_index(index) } {
            return Ok((value.new_ref(), true));
        }
        // SAFETY: nothing has happened since the look-up.
        unsafe { self.insert_at(ts, index, key, hash, default)? };
        Ok((default.new_ref(), false))
    }

    /// The next entry; `position` begins at 0 and means nothing to the caller. The dict may be changed
    /// between calls: what comes then is unspecified, but whole.
    #[inline]
    pub fn next(&self, position: &mut usize) -> Option<(PyRef, PyRef)> {
        // SAFETY: the references are counted before anything else happens.
        let (key, value, _) = unsafe { self.next_borrowed(position) }?;
        Some((key.new_ref(), value.new_ref()))
    }

    /// As [`next`](PyDict::next), with the key's hash.
    #[inline]
    pub fn next_with_hash(&self, position: &mut usize) -> Option<(PyRef, PyRef, isize)> {
        // SAFETY: as in `next`.
        let (key, value, hash) = unsafe { self.next_borrowed(position) }?;
        Some((key.new_ref(), value.new_ref(), hash))
    }

    /// The version of the keys, given now if there is none: 0 when there is none to give.
    ///
    /// While a dict's keys have the version, [`lookup_index`](PyDict::lookup_index) of a key has the same answer, and
    /// [`value_at`](PyDict::value_at) of the index is that key's value (D4). 0 for the dict of an instance.
    #[inline]
    pub fn keys_version(&self, ts: &ThreadState) -> u32 {
        if !self.ma_values.get().is_null() {
            return 0;
        }
        self.keys().assign_version(ts)
    }

    /// The version of the keys as it stands; what an inline cache compares.
    #[inline(always)]
    pub fn current_keys_version(&self) -> u32 {
        self.keys().version()
    }

    /// The index of a string's entry, for inline caches; `None` when it is not there, too far behind for
    /// them, or not to be found without running Python code.
    pub fn lookup_index(&self, key: &PyStr) -> Option<u16> {
        let keys = self.keys();
        if keys.kind() == KeysKind::General || !is_exact_str(key) {
            return None;
        }
        let index = keys.lookup_str(key, key.hash_value());
        // SAFETY: the index comes from the present table.
        unsafe { self.value_of_index(index) }?;
        u16::try_from(index).ok()
    }

    /// The value at an index from [`lookup_index`](PyDict::lookup_index), under the same version of the keys.
    ///
    /// # Safety
    /// The present keys have the version that they had at the look-up, which is not 0, and the result is
    /// not used after a change of the dict.
    #[inline(always)]
    pub unsafe fn value_at(&self, index: u16) -> Option<&PyObject> {
        // SAFETY: the same version means the same entries.
        unsafe { (*self.value_place(index as usize)).as_ref() }
    }

    /// The value at an index if it is still the entry of `key`, for caches that only have a hint.
    #[inline(always)]
    pub fn value_by_hint(&self, index: usize, key: &PyStr) -> Option<PyRef> {
        let keys = self.keys();
        if keys.kind() == KeysKind::General || index >= keys.nentries() {
            return None;
        }
        // SAFETY: the index is below `nentries`; the reference is counted at once.
        unsafe {
            if !core::ptr::addr_eq(keys.key(index), key) {
                return None;
            }
            (*self.value_place(index)).as_ref().map(AsObject::new_ref)
        }
    }

    /// Replaces the value at an index if it is still the entry of `key` and has a value; tells whether it did.
    #[inline(always)]
    pub fn set_by_hint(&self, ts: &ThreadState, index: usize, key: &PyStr, value: &PyObject) -> bool {
        let keys = self.keys();
        if keys.kind() == KeysKind::General || index >= keys.nentries() {
            return false;
        }
        // SAFETY: the index is below `nentries`; the old value is dropped after the new one is in place.
        unsafe {
            let place = self.value_place(index);
            let old = *place;
            if !core::ptr::addr_eq(keys.key(index), key) || old.is_null() {
                return false;
            }
            value.incref();
            *place = value.as_ptr();
            crate::object::header::decref(ts, old);
        }
        true
    }

    /// A new dict with the same entries, of type `dict`.
    pub fn copy(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        if self.is_empty() {
            return PyDict::new(ts);
        }
        if self.can_clone_table() {
            let dict = PyDict::untracked(ts)?;
            dict.ma_keys.set(self.clone_keys(ts)?);
            dict.ma_used.set(self.ma_used.get());
            gc::track(ts, &*dict);
            return Ok(dict);
        }
        let dict = PyDict::with_capacity(ts, self.len(), self.has_str_keys())?;
        dict.merge_dict(ts, self, Overlap::Replace)?;
        Ok(dict)
    }

    /// The keys, as a new list.
    pub fn keys_list(&self, ts: &ThreadState) -> PyResult<Ref<PyList>> {
        self.collect_list(ts, |_, key, _| Ok(key))
    }

    /// The values, as a new list.
    pub fn values_list(&self, ts: &ThreadState) -> PyResult<Ref<PyList>> {
        self.collect_list(ts, |_, _, value| Ok(value))
    }

    /// The entries, as a new list of pairs.
    pub fn items_list(&self, ts: &ThreadState) -> PyResult<Ref<PyList>> {
        self.collect_list(ts, |ts, key, value| Ok(PyTuple::pair(ts, &key, &value)?.into_object()))
    }

    fn collect_list(
        &self,
        ts: &ThreadState,
        choose: impl Fn(&ThreadState, PyRef, PyRef) -> PyResult,
    ) -> PyResult<Ref<PyList>> {
        let mut items = hognose_allocators::TryVec::<PyRef>::new();
        items.try_reserve(self.len())?;
        let mut position = 0;
        while let Some((key, value)) = self.next(&mut position) {
            items.try_push(choose(ts, key, value)?)?;
        }
        PyList::from_vec(ts, items)
    }
}

/// Whether a string is no instance of a subclass, which may compare otherwise.
#[inline(always)]
pub(crate) fn is_exact_str(string: &PyStr) -> bool {
    core::ptr::eq(string.as_object().ob_type(), <PyStr as crate::object::Native>::type_object())
}

const _: () = assert!(size_of::<PyDict>() == 48);
